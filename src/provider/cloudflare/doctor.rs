//! Whether a token works and what it may do: asked, not guessed. The questions that look like writes name a record or a
//! setting that cannot exist, or are trials that Cloudflare is told not to carry out; the answer tells permission from
//! none.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::api::{self, ApiError};
use super::records::FoundZone;
use super::{Cloudflare, records, redirect_lists, rule_convert, rules, settings, zone};
use crate::base::text;
use crate::model::name::DomainName;
use crate::model::redirect_list::RedirectList;
use crate::model::rule::RuleKind;
use crate::provider::{Assigned, Examination, Finding, Scope};

/// No record has this id.
const NO_RECORD: &str = "00000000000000000000000000000000";

fn found(subject: &str, finding: Finding, detail: impl Into<String>, fix: Option<&str>) -> Examination {
    Examination {
        subject: subject.to_owned(),
        finding,
        detail: detail.into(),
        fix: fix.map(str::to_owned),
    }
}

/// No setting has this name.
const NO_SETTING: &str = "launchctl_no_such_setting";

/// Looks at the token, then at every zone.
pub(super) async fn examine(cloudflare: &Cloudflare, scope: &Scope) -> Vec<Examination> {
    let zones = join_all(scope.zones.iter().map(|zone| examine_zone(cloudflare, zone, scope))).await;
    let account = zones.iter().find_map(|(account, _)| account.clone());
    let mut all = vec![examine_token(cloudflare, account.as_deref()).await];
    all.extend(zones.into_iter().flat_map(|(_, examinations)| examinations));
    all
}

/// The name servers that Cloudflare assigned to each zone. One that cannot be read was spoken of already.
pub(super) async fn assigned(cloudflare: &Cloudflare, zones: &[DomainName]) -> BTreeMap<DomainName, Assigned> {
    let found = zones.iter().map(|zone| async move {
        let found = records::find_zone(cloudflare, zone).await.ok()?;
        let names = found.name_servers.iter();
        let assigned = Assigned {
            status: found.status,
            name_servers: names.filter_map(|name| DomainName::parse(name).ok()).collect(),
        };
        (!assigned.name_servers.is_empty()).then(|| (zone.clone(), assigned))
    });
    join_all(found).await.into_iter().flatten().collect()
}

async fn examine_token(cloudflare: &Cloudflare, seen_account: Option<&str>) -> Examination {
    const SUBJECT: &str = "Cloudflare token";
    let user = api::get(&cloudflare.http, "user/tokens/verify").await;
    let (kind, answer) = match user {
        Ok(answer) => ("user token", Ok(answer)),
        Err(error) if error.is_forbidden() || api::is_out_of_reach(&error) => {
            // The user's endpoint refuses tokens that belong to an account: ask there before calling a token bad.
            match cloudflare.account.as_deref().or(seen_account) {
                Some(account) => {
                    let path = format!("accounts/{}/tokens/verify", super::segment(account));
                    ("account token", api::get(&cloudflare.http, &path).await)
                }
                None => ("token", Err(error)),
            }
        }
        Err(error) => ("token", Err(error)),
    };
    match answer {
        Err(error @ (ApiError::Lost(_) | ApiError::NotSent(_))) => found(
            SUBJECT,
            Finding::Unclear,
            error.words(),
            Some("try again when the network holds"),
        ),
        Err(error) => found(
            SUBJECT,
            Finding::Bad,
            error.words(),
            Some(&format!(
                "{}; for an account token, set `account`",
                super::PROFILE.token_help
            )),
        ),
        Ok(answer) => {
            let status = answer.result.get("status").and_then(Value::as_str).unwrap_or("unknown");
            let expires = answer.result.get("expires_on").and_then(Value::as_str);
            let mut detail = format!("{kind}, {}", text::sanitize(status));
            if let Some(expires) = expires {
                detail.push_str(&format!(", expires {}", text::shorten(&text::sanitize(expires), 40)));
            }
            match status {
                "active" => found(SUBJECT, Finding::Good, detail, None),
                "disabled" | "expired" => found(
                    SUBJECT,
                    Finding::Bad,
                    detail,
                    Some("create a new token, or enable it again"),
                ),
                _ => found(SUBJECT, Finding::Unclear, detail, None),
            }
        }
    }
}

/// A zone's examinations, and the account that holds it.
async fn examine_zone(cloudflare: &Cloudflare, zone: &DomainName, scope: &Scope) -> (Option<String>, Vec<Examination>) {
    let subject = |what: &str| format!("{zone}: {what}");
    let FoundZone {
        id,
        account,
        status,
        plan,
        name_servers,
    } = match records::find_zone(cloudflare, zone).await {
        Ok(zone) => zone,
        Err(_) if scope.may_be_missing.contains(zone) => {
            return (None, vec![examine_missing(cloudflare, zone).await]);
        }
        Err(error) => {
            let fix = match error.code.as_str() {
                "zone-ambiguous" | "no-answer" => error.help.clone().unwrap_or_default(),
                _ => format!("give the token Zone > Zone > Read for {zone}, and check the zone's name"),
            };
            return (
                None,
                vec![found(&subject("Zone Read"), Finding::Bad, error.message, Some(&fix))],
            );
        }
    };
    let mut all = vec![found(
        &subject("Zone Read"),
        Finding::Good,
        match (status.as_str(), name_servers.as_slice()) {
            ("active", _) | (_, []) => format!("{plan} plan, {status}"),
            _ => format!(
                "{plan} plan, {status}: the registrar has to point to {}",
                text::list(&name_servers)
            ),
        },
        None,
    )];
    all.extend(examine_records(cloudflare, zone, &id).await);
    all.extend(examine_edge(cloudflare, zone, &id, scope).await);
    let list = RedirectList::address_in(zone);
    if let (true, Some(account)) = (scope.spoken.contains(&list), &account) {
        all.extend(examine_redirect_list(cloudflare, zone, account).await);
    }
    (account, all)
}

/// Whether the token may read a zone's records, and change them: asked by deleting one that cannot exist.
async fn examine_records(cloudflare: &Cloudflare, zone: &DomainName, id: &str) -> [Examination; 2] {
    let subject = |what: &str| format!("{zone}: {what}");
    let list = format!("zones/{id}/dns_records?per_page=1");
    let batch = format!("zones/{id}/dns_records/batch");
    let nothing = json!({ "deletes": [{ "id": NO_RECORD }] });
    let (read, write) = tokio::join!(
        api::get(&cloudflare.http, &list),
        api::write(&cloudflare.http, "POST", &batch, &nothing)
    );
    let read = match read {
        Ok(answer) => {
            let number = answer.info.map(|info| text::count(info.total_count, "record"));
            found(
                &subject("DNS Read"),
                Finding::Good,
                number.unwrap_or_else(|| "granted".to_owned()),
                None,
            )
        }
        Err(error) => missing(
            &subject("DNS Read"),
            &error,
            "add the permission Zone > DNS > Read to the token",
        ),
    };
    let write = match write {
        // The record is not there: the question was answered, so the door is open.
        Err(ApiError::Refused(refusal)) if refusal.status == 404 || refusal.code == "81044" => {
            found(&subject("DNS Edit"), Finding::Good, "granted", None)
        }
        Ok(_) => found(&subject("DNS Edit"), Finding::Unclear, "the answer tells nothing", None),
        Err(error) => missing(
            &subject("DNS Edit"),
            &error,
            "add the permission Zone > DNS > Edit to the token",
        ),
    };
    [read, write]
}

/// Whether a zone that is to be created has an account to be created in.
async fn examine_missing(cloudflare: &Cloudflare, zone: &DomainName) -> Examination {
    let subject = format!("{zone}: zone");
    match zone::missing(cloudflare, zone).await {
        Ok(_) => found(&subject, Finding::Good, "not there yet: an apply creates it", None),
        Err(error) => found(&subject, Finding::Bad, error.message, error.help.as_deref()),
    }
}

/// What the parts of the edge need that the spec uses, each asked for by itself.
async fn examine_edge(cloudflare: &Cloudflare, zone: &DomainName, id: &str, scope: &Scope) -> Vec<Examination> {
    let its = || scope.spoken.iter().filter(|address| address.scope() == zone.as_str());
    let kinds: BTreeSet<RuleKind> = its().filter_map(RuleKind::of).collect();
    let setting = its().find(|address| address.kind() == "setting" && address.key() != settings::DNSSEC);
    let rules = join_all(kinds.into_iter().map(|kind| examine_list(cloudflare, zone, id, kind)));
    let settings = async {
        match setting {
            Some(address) => examine_settings(cloudflare, zone, id, address.key()).await,
            None => Vec::new(),
        }
    };
    let (rules, settings) = tokio::join!(rules, settings);
    let mut all: Vec<Examination> = settings;
    // Two kinds can need the same permission: it is told once.
    for one in rules.into_iter().flatten() {
        if !all
            .iter()
            .any(|known| known.subject == one.subject && known.finding == one.finding)
        {
            all.push(one);
        }
    }
    all
}

/// The permission that opens a kind of rule, as Cloudflare's dashboard calls it.
fn permission(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Redirect => "Dynamic URL Redirects",
        RuleKind::Config => "Config Settings",
        RuleKind::Firewall | RuleKind::RateLimit => "Zone WAF",
        RuleKind::RequestHeader | RuleKind::Header => "Zone Transform Rules",
        RuleKind::Cache => "Cache Settings",
    }
}

/// What a list of redirects needs beside a zone's own permissions: both belong to the account.
async fn examine_redirect_list(cloudflare: &Cloudflare, zone: &DomainName, account: &str) -> Vec<Examination> {
    const PERMISSION: &str = "Account Filter Lists";
    let subject = |what: &str| format!("{zone}: {PERMISSION} {what}");
    let add = |what: &str| format!("add the permission Account > {PERMISSION} > {what} to the token");
    let lists = format!("accounts/{account}/rules/lists");
    let nowhere = format!("{lists}/{NO_RECORD}/items");
    let nothing = json!([]);
    let entry_point = redirect_lists::entry_point(account);
    let (read, write, rules) = tokio::join!(
        api::get(&cloudflare.http, &lists),
        api::write(&cloudflare.http, "PUT", &nowhere, &nothing),
        examine_rules(cloudflare, zone, &entry_point, "Account", "Mass URL Redirects")
    );
    let read = judged(&subject("Read"), read, &add("Read"));
    let write = judged_by_refusal(&subject("Edit"), write, &add("Edit"));
    [read, write].into_iter().chain(rules).collect()
}

async fn examine_list(cloudflare: &Cloudflare, zone: &DomainName, id: &str, kind: RuleKind) -> Vec<Examination> {
    examine_rules(cloudflare, zone, &rules::path(id, kind), "Zone", permission(kind)).await
}

/// A list of rules is tried as it is, with Cloudflare told to change nothing: that asks for the permission to write.
async fn examine_rules(
    cloudflare: &Cloudflare,
    zone: &DomainName,
    path: &str,
    whose: &str,
    permission: &str,
) -> Vec<Examination> {
    let subject = |what: &str| format!("{zone}: {permission} {what}");
    let add = |what: &str| format!("add the permission {whose} > {permission} > {what} to the token");
    let (read, rules) = match api::get(&cloudflare.http, path).await {
        Ok(answer) => {
            let kept = answer.result.get("rules").and_then(Value::as_array).cloned();
            let kept: Vec<Value> = kept.unwrap_or_default().iter().map(rule_convert::as_it_was).collect();
            (found(&subject("Read"), Finding::Good, "granted", None), Some(kept))
        }
        Err(error) if rules::is_absent(&error) => (
            found(&subject("Read"), Finding::Good, "granted", None),
            Some(Vec::new()),
        ),
        Err(error) => (missing(&subject("Read"), &error, &add("Read")), None),
    };
    let Some(rules) = rules else { return vec![read] };
    let trial = format!("{path}?dry_run=true");
    let write = api::write(&cloudflare.http, "PUT", &trial, &json!({ "rules": rules })).await;
    vec![read, judged(&subject("Edit"), write, &add("Edit"))]
}

/// A setting that cannot exist is written: the refusal tells whether the door was open.
async fn examine_settings(cloudflare: &Cloudflare, zone: &DomainName, id: &str, known: &str) -> Vec<Examination> {
    const PERMISSION: &str = "Zone Settings";
    let subject = |what: &str| format!("{zone}: {PERMISSION} {what}");
    let add = |what: &str| format!("add the permission Zone > {PERMISSION} > {what} to the token");
    let read = format!("zones/{id}/settings/{}", super::segment(known));
    let write = format!("zones/{id}/settings/{NO_SETTING}");
    let value = json!({ "value": "off" });
    let (read, write) = tokio::join!(
        api::get(&cloudflare.http, &read),
        api::write(&cloudflare.http, "PATCH", &write, &value)
    );
    let read = judged(&subject("Read"), read, &add("Read"));
    let write = judged_by_refusal(&subject("Edit"), write, &add("Edit"));
    vec![read, write]
}

/// A permission by the answer to a question that needs it.
fn judged(subject: &str, answer: Result<api::Answered, ApiError>, fix: &str) -> Examination {
    match answer {
        Ok(_) => found(subject, Finding::Good, "granted", None),
        Err(error) => missing(subject, &error, fix),
    }
}

/// A permission by a write of what cannot be there: refused for that, the question was answered, so the door is open.
fn judged_by_refusal(subject: &str, answer: Result<api::Answered, ApiError>, fix: &str) -> Examination {
    match answer {
        Err(error @ ApiError::Refused(_)) if !error.is_forbidden() => found(subject, Finding::Good, "granted", None),
        Ok(_) => found(subject, Finding::Unclear, "the answer tells nothing", None),
        Err(error) => missing(subject, &error, fix),
    }
}

fn missing(subject: &str, error: &ApiError, fix: &str) -> Examination {
    if error.is_forbidden() {
        found(subject, Finding::Bad, error.words(), Some(fix))
    } else {
        found(subject, Finding::Unclear, error.words(), None)
    }
}
