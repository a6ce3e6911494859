//! What a launch engineer would stop at: changes that Cloudflare takes and that hurt all the same, and what the zone's
//! plan cannot hold. Warnings bear codes that a spec can accept; refusals name the numbers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{edge, expression, page_rules, quirks, redirect_lists, settings, zone};
use crate::base::text;
use crate::model::address::Address;
use crate::model::name::DomainName;
use crate::model::record::RecordType;
use crate::model::record_set::RecordSet;
use crate::model::redirect_list::{ListedUrl, Lookup, RedirectList, differences};
use crate::model::resource::Resource;
use crate::model::rule::{Rule, RuleAction, RuleKind};
use crate::model::setting::Setting;
use crate::plan::diff::TAKES_OVER;
use crate::plan::order::{ListName, list_of};
use crate::plan::{Change, Refusal, Warning};
use crate::provider::{Reading, Review, ZoneFacts};

/// The setting that redirects plain HTTP.
pub(super) const ALWAYS_HTTPS: &str = "always_use_https";
/// The setting that holds HSTS.
pub(super) const HSTS: &str = "security_header";

/// The codes of the warnings here.
pub(super) const CODES: &[&str] = &[
    "always-https-early",
    "dnssec-error",
    "dnssec-pending",
    "hsts-off",
    "hsts-preload",
    "hsts-shortened",
    "hsts-subdomains",
    page_rules::CODE,
    "redirect-list-shrinks",
    "redirect-without-proxy",
    "several-transactions",
    "ssl-automatic",
    TAKES_OVER,
    "tls-flexible",
    "tls-off",
    "tls-unused",
    "zone-status",
];

/// Looks at the changes.
pub(super) fn review(changes: &[Change], reading: &Reading, review: &mut Review) {
    let mut zones: BTreeMap<DomainName, After<'_>> = BTreeMap::new();
    for change in changes {
        let Ok(zone) = DomainName::parse(change.address.scope()) else {
            continue;
        };
        let Some(facts) = reading.zones.get(&zone) else {
            continue;
        };
        let after = zones
            .entry(zone)
            .or_insert_with_key(|zone| After::of(zone, changes, reading));
        match (&change.before, &change.after) {
            (before, Some(Resource::Setting(setting))) => {
                let before = before.as_ref().and_then(Resource::as_setting);
                look_at_setting(change, before, setting, facts, after, review);
            }
            (_, Some(Resource::Rule(rule))) => look_at_rule(change, rule, facts, after, review),
            (before, Some(Resource::RedirectList(list))) => {
                let before = before.as_ref().and_then(Resource::as_redirect_list);
                look_at_list(change, before, list, after, review);
            }
            _ => {}
        }
    }
    quotas(changes, reading, review);
    bulk_quotas(changes, reading, review);
}

/// A zone as it will be.
struct After<'a> {
    zone: DomainName,
    sets: BTreeMap<&'a Address, &'a RecordSet>,
    settings: BTreeMap<&'a str, &'a Value>,
}

impl<'a> After<'a> {
    fn of(zone: &DomainName, changes: &'a [Change], reading: &'a Reading) -> Self {
        let mut after = Self {
            zone: zone.clone(),
            sets: BTreeMap::new(),
            settings: BTreeMap::new(),
        };
        let is_its = |address: &Address| address.scope() == zone.as_str();
        let changed: BTreeSet<&Address> = changes.iter().map(|change| &change.address).collect();
        let staying = reading
            .live
            .inventory
            .iter()
            .filter(|(address, _)| !changed.contains(address));
        let coming = changes
            .iter()
            .filter_map(|change| Some((&change.address, change.after.as_ref()?)));
        for (address, resource) in staying.chain(coming).filter(|(address, _)| is_its(address)) {
            match resource {
                Resource::RecordSet(set) => {
                    after.sets.insert(address, set);
                }
                Resource::Setting(setting) => {
                    after.settings.insert(&setting.id, &setting.value);
                }
                Resource::Rule(_)
                | Resource::RedirectList(_)
                | Resource::Zone(_)
                | Resource::Monitor(_)
                | Resource::Contact(_)
                | Resource::Maintenance(_) => {}
            }
        }
        after
    }

    fn web_sets(&self) -> impl Iterator<Item = &&'a RecordSet> {
        let is_web = |set: &&&RecordSet| matches!(set.kind, RecordType::A | RecordType::Aaaa | RecordType::Cname);
        self.sets.values().filter(is_web)
    }

    fn is_proxied(set: &RecordSet) -> bool {
        set.records.iter().any(|record| record.proxied)
    }

    /// The names that browsers reach without the edge.
    fn unproxied(&self) -> BTreeSet<&'a DomainName> {
        let is_web = |set: &&&RecordSet| {
            // Names with an underscore belong to protocols and not to browsers.
            !Self::is_proxied(set) && !set.name.as_str().starts_with('_')
        };
        self.web_sets().filter(is_web).map(|set| &set.name).collect()
    }

    /// Whether a proxied record answers for a host, a wildcard's included.
    fn is_at_the_edge(&self, host: &DomainName) -> bool {
        let named = |name: &DomainName| self.web_sets().any(|set| set.name == *name);
        let proxied = |name: &DomainName| self.web_sets().any(|set| set.name == *name && Self::is_proxied(set));
        if named(host) {
            return proxied(host);
        }
        let mut above = host.parent();
        while let Some(parent) = above.filter(|parent| parent.is_within(&self.zone)) {
            if let Ok(wildcard) = DomainName::parse(&format!("*.{parent}"))
                && named(&wildcard)
            {
                return proxied(&wildcard);
            }
            above = parent.parent();
        }
        false
    }
}

fn look_at_setting(
    change: &Change,
    before: Option<&Setting>,
    setting: &Setting,
    facts: &ZoneFacts,
    after: &After<'_>,
    review: &mut Review,
) {
    if before.is_none() && facts.status != zone::MISSING {
        review.refusals.push(Refusal {
            address: Some(change.address.clone()),
            code: "unknown-setting".to_owned(),
            message: "Cloudflare knows no such setting in this zone".to_owned(),
            help: "take it out of the spec".to_owned(),
        });
        return;
    }
    let mut warn = |code: &str, message: String| review.warnings.push(Warning::about(&change.address, code, message));
    match setting.id.as_str() {
        settings::SSL => match setting.value.as_str() {
            Some("flexible") => warn(
                "tls-flexible",
                "browsers will show a lock while the way from the edge to the origin is not encrypted".to_owned(),
            ),
            Some("off") => warn(
                "tls-off",
                "no HTTPS is served at all: whoever was told to insist on it, by HSTS or by a link, reaches nothing"
                    .to_owned(),
            ),
            Some("full" | "strict") if !after.web_sets().any(|set| After::is_proxied(set)) => warn(
                "tls-unused",
                "no record of this zone is proxied: nothing passes through the edge that this could hold for"
                    .to_owned(),
            ),
            _ => {}
        },
        settings::AUTOMATIC_MODE if setting.value == "auto" && after.settings.contains_key(settings::SSL) => warn(
            "ssl-automatic",
            "Cloudflare may move `ssl` by itself, away from what the spec says".to_owned(),
        ),
        ALWAYS_HTTPS if setting.value == "on" => {
            if let Some(why) = no_certificate(facts) {
                warn(
                    "always-https-early",
                    format!("{why}: browsers that are sent to HTTPS meet an error until that is over"),
                );
            }
        }
        HSTS => look_at_hsts(before, setting, after, &mut warn),
        _ => {}
    }
}

/// Why there may be no certificate yet.
fn no_certificate(facts: &ZoneFacts) -> Option<String> {
    if facts.status != "active" {
        return Some(format!(
            "the zone is {}, so its certificate is not there yet",
            facts.status
        ));
    }
    match facts.certificate.as_deref() {
        Some("active") | None => None,
        Some(status) => Some(format!("the certificate at the edge is {status}")),
    }
}

fn look_at_hsts(before: Option<&Setting>, setting: &Setting, after: &After<'_>, warn: &mut dyn FnMut(&str, String)) {
    let flag = |value: &Value, key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
    let seconds = |value: &Value| value.get("max_age").and_then(Value::as_u64).unwrap_or(0);
    let (was, will) = (before.map(|before| &before.value), &setting.value);
    let was_on = was.filter(|was| flag(was, "enabled"));
    if !flag(will, "enabled") {
        if was_on.is_some() {
            let words = "HSTS is switched off: browsers that have seen it insist on HTTPS until its time is over";
            warn("hsts-off", words.to_owned());
        }
        return;
    }
    if let Some(was) = was_on.filter(|was| seconds(was) > seconds(will)) {
        let words = format!(
            "the time of HSTS gets shorter, from {} to {} seconds",
            seconds(was),
            seconds(will)
        );
        warn("hsts-shortened", words);
    }
    let unproxied = after.unproxied();
    let names: Vec<String> = unproxied.iter().take(3).map(|name| format!("`{name}`")).collect();
    let names = match unproxied.len().saturating_sub(names.len()) {
        0 => text::list(&names),
        more => format!("{} and {more} more", names.join(", ")),
    };
    let newly = |key: &str| flag(will, key) && !was_on.is_some_and(|was| flag(was, key));
    if newly("preload") {
        let words = "browsers will carry the whole domain in their lists, and getting out again takes months";
        warn(
            "hsts-preload",
            match unproxied.len() {
                0 => words.to_owned(),
                _ => format!("{words}; without the edge's certificate are reached {names}"),
            },
        );
    }
    if newly("include_subdomains") && !unproxied.is_empty() {
        warn(
            "hsts-subdomains",
            format!(
                "browsers will insist on HTTPS for every name below; without the edge's certificate are reached {names}"
            ),
        );
    }
}

fn look_at_rule(change: &Change, rule: &Rule, facts: &ZoneFacts, after: &After<'_>, review: &mut Review) {
    let mut refuse = |code: &str, message: String, help: &str| {
        review.refusals.push(Refusal {
            address: Some(change.address.clone()),
            code: code.to_owned(),
            message,
            help: help.to_owned(),
        });
    };
    let plan = quirks::plan_name(&facts.plan);
    let length = rule.expression.chars().count();
    if length > edge::LONGEST_EXPRESSION {
        refuse(
            "expression-too-long",
            format!(
                "its expression has {length} characters; Cloudflare takes {}",
                edge::LONGEST_EXPRESSION
            ),
            "split the rule",
        );
    }
    let uses_regular_expression = rule.expression.contains(" matches ") || rule.expression.contains(" ~ ");
    if uses_regular_expression && !edge::takes_regular_expressions(&facts.plan) {
        refuse(
            "regular-expression-of-plan",
            format!("its expression uses a regular expression; the {plan} plan takes none"),
            "write it with `wildcard`, or move the zone to the Business plan",
        );
    }
    if let RuleAction::Limit { period, block_for, .. } = &rule.action {
        let (longest_period, longest_block) = edge::limit_times(&facts.plan);
        if !edge::PERIODS.contains(period) || *period > longest_period {
            let legal: Vec<String> = edge::PERIODS
                .iter()
                .filter(|known| **known <= longest_period)
                .map(ToString::to_string)
                .collect();
            refuse(
                "period-of-plan",
                format!(
                    "it counts over {period} seconds; the {plan} plan takes {}",
                    text::list(&legal)
                ),
                "write one of those as `per`",
            );
        }
        if *block_for > longest_block || (longest_block == longest_period && facts.plan == "free" && *block_for != 10) {
            refuse(
                "block-of-plan",
                format!("it blocks for {block_for} seconds; the {plan} plan takes {longest_block} at most"),
                "shorten `block_for`",
            );
        }
    }
    if rule.kind == RuleKind::Redirect && rule.enabled {
        let hosts = expression::hosts(&rule.expression);
        let of_several = if hosts.len() > 1 { " for it" } else { "" };
        for host in &hosts {
            let Ok(name) = DomainName::parse(host) else { continue };
            if name.is_within(&after.zone) && !after.is_at_the_edge(&name) {
                let words =
                    format!("no proxied record answers for {name}, so this redirect is never asked{of_several}");
                review
                    .warnings
                    .push(Warning::about(&change.address, "redirect-without-proxy", words));
            }
        }
    }
}

fn look_at_list(
    change: &Change,
    before: Option<&RedirectList>,
    list: &RedirectList,
    after: &After<'_>,
    review: &mut Review,
) {
    let mut seen: BTreeSet<DomainName> = BTreeSet::new();
    let urls = list.rows.iter().filter_map(|row| ListedUrl::parse(&row.from).ok());
    for host in urls.map(|url| url.host) {
        if seen.contains(&host) {
            continue;
        }
        if host.is_within(&after.zone) && !after.is_at_the_edge(&host) {
            let words = format!("no proxied record answers for {host}, so the list is never asked for it");
            review
                .warnings
                .push(Warning::about(&change.address, "redirect-without-proxy", words));
        }
        seen.insert(host);
    }
    let Some(before) = before else { return };
    let pairs = differences(&before.rows, &list.rows);
    let gone = pairs.iter().filter(|(_, new)| new.is_none()).count();
    // The file may have been cut short on its way here.
    if gone > 2 && gone * 3 > before.rows.len() {
        let words = format!(
            "{} of its {} go",
            text::grouped(gone),
            text::count(before.rows.len(), "row")
        );
        review
            .warnings
            .push(Warning::about(&change.address, "redirect-list-shrinks", words));
    }
}

/// Bulk redirects that would be more than the account's plan allows, those of all zones and of others together.
fn bulk_quotas(changes: &[Change], reading: &Reading, review: &mut Review) {
    /// Lists, rows and rules of an account, as they are and as they will be.
    #[derive(Default)]
    struct Sum {
        plan: String,
        saw_all_zones: bool,
        is: [usize; 3],
        will_be: [usize; 3],
    }
    let mut accounts: BTreeMap<&str, Sum> = BTreeMap::new();
    for change in changes {
        let Some((before, after, kept)) = redirect_lists::sides(change, reading) else {
            continue;
        };
        let own = |list: Option<&RedirectList>| match list {
            None => [0; 3],
            Some(list) => [1, list.rows.len(), usize::from(list.lookup != Lookup::Missing)],
        };
        let (was, will) = (own(before), own(after));
        // What another zone of the plan counts among the others is what it is now: only the growth is added.
        let sum = accounts.entry(&kept.account).or_insert_with(|| {
            let is = [kept.lists + was[0], kept.others + was[1], kept.rules.len() + was[2]];
            Sum {
                plan: kept.plan.clone(),
                saw_all_zones: kept.saw_all_zones,
                is,
                will_be: is,
            }
        });
        for at in 0..3 {
            sum.will_be[at] = (sum.will_be[at] + will[at]).saturating_sub(was[at]);
        }
    }
    for sum in accounts.values() {
        let quota = edge::bulk_quota(&sum.plan);
        let bounds = [
            (quota.lists, "list of redirects", "lists of redirects"),
            (quota.rows, "listed redirect", "listed redirects"),
            (quota.rules, "rule that asks lists", "rules that ask lists"),
        ];
        for (at, (most, one, several)) in bounds.into_iter().enumerate() {
            let will_be = sum.will_be[at];
            if will_be > most && will_be > sum.is[at] {
                let message = format!(
                    "the account would have {} {}, foreign ones included; the {} plan allows {}",
                    text::grouped(will_be),
                    if will_be == 1 { one } else { several },
                    quirks::plan_name(&sum.plan),
                    text::grouped(most)
                );
                if !sum.saw_all_zones {
                    let words =
                        format!("{message}; not all of its zones could be read, so its plan may be a larger one");
                    review.warnings.push(Warning::general("redirect-list-quota", words));
                    continue;
                }
                review.refusals.push(Refusal {
                    address: None,
                    code: "redirect-list-quota".to_owned(),
                    message,
                    help: "shorten the file, lead families of URLs with one of the `redirects`, or move a zone to a \
                           larger plan"
                        .to_owned(),
                });
            }
        }
    }
}

/// Lists that would be longer than the plan allows. One that is longer already may shrink.
fn quotas(changes: &[Change], reading: &Reading, review: &mut Review) {
    let mut lists: BTreeMap<ListName, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        if RuleKind::of(&change.address).is_some() {
            lists.entry(list_of(&change.address)).or_default().push(change);
        }
    }
    for ((zone, _), changes) in lists {
        let Some(first) = changes.first() else { continue };
        let (Some(kind), Ok(zone)) = (RuleKind::of(&first.address), DomainName::parse(&zone)) else {
            continue;
        };
        let Some(facts) = reading.zones.get(&zone) else {
            continue;
        };
        let kept = reading.lists.get(&list_of(&first.address)).cloned().unwrap_or_default();
        let will_be = super::rules::arranged(&changes, &kept).len();
        let quota = edge::quota(&facts.plan, kind);
        if will_be > quota && will_be > kept.rules.len() {
            review.refusals.push(Refusal {
                address: None,
                code: "rule-quota".to_owned(),
                message: format!(
                    "{zone} would have {}, foreign ones included; the {} plan allows {quota}",
                    text::count(will_be, kind.noun()),
                    quirks::plan_name(&facts.plan)
                ),
                help: "put several into one, remove some, or move the zone to a larger plan".to_owned(),
            });
        }
    }
}
