//! Whether a token works and what it may do: asked, not guessed. The one question that looks like a write names a
//! record that cannot exist, in a batch that Cloudflare therefore voids; the answer tells permission from none.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::api::{self, ApiError};
use super::{Cloudflare, records};
use crate::base::text;
use crate::model::name::DomainName;
use crate::provider::{Examination, Finding, Scope};

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

/// Looks at the token, then at every zone.
pub(super) async fn examine(cloudflare: &Cloudflare, scope: &Scope) -> Vec<Examination> {
    let zones = join_all(scope.zones.iter().map(|zone| examine_zone(cloudflare, zone))).await;
    let account = zones.iter().find_map(|(account, _)| account.clone());
    let mut all = vec![examine_token(cloudflare, account.as_deref()).await];
    all.extend(zones.into_iter().flat_map(|(_, examinations)| examinations));
    all
}

async fn examine_token(cloudflare: &Cloudflare, seen_account: Option<&str>) -> Examination {
    const SUBJECT: &str = "Cloudflare token";
    let user = api::get(&cloudflare.http, "user/tokens/verify").await;
    let (kind, answer) = match user {
        Ok(answer) => ("user token", Ok(answer)),
        Err(error) if error.is_forbidden() || error.is_out_of_reach() => {
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
async fn examine_zone(cloudflare: &Cloudflare, zone: &DomainName) -> (Option<String>, Vec<Examination>) {
    let subject = |what: &str| format!("{zone}: {what}");
    let (id, account, status, plan) = match records::find_zone(cloudflare, zone).await {
        Ok(zone) => zone,
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
        format!("{plan} plan, {status}"),
        None,
    )];
    let list = format!("zones/{id}/dns_records?per_page=1");
    let batch = format!("zones/{id}/dns_records/batch");
    let nothing = json!({ "deletes": [{ "id": NO_RECORD }] });
    let (read, write) = tokio::join!(
        api::get(&cloudflare.http, &list),
        api::write(&cloudflare.http, "POST", &batch, &nothing)
    );
    all.push(match read {
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
    });
    all.push(match write {
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
    });
    (account, all)
}

fn missing(subject: &str, error: &ApiError, fix: &str) -> Examination {
    if error.is_forbidden() {
        found(subject, Finding::Bad, error.words(), Some(fix))
    } else {
        found(subject, Finding::Unclear, error.words(), None)
    }
}
