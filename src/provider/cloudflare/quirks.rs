//! What is peculiar to Cloudflare: what each plan of a zone allows, what its error codes mean, and which of many
//! changes an error is about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::base::text;
use crate::model::address::Address;
use crate::model::capability::{Capabilities, TagRules, ZoneCreation};
use crate::model::name::DomainName;
use crate::model::record::{RecordType, txt};
use crate::model::record_set::{Record, RecordSet, pair};
use crate::model::ttl::Ttl;
use crate::plan::{Change, Refusal, Warning};
use crate::provider::{ApiRefusal, Reading, Review, Step, ZoneFacts};

/// What Cloudflare can hold on its largest plan.
pub(super) const CAPABILITIES: Capabilities = Capabilities {
    name: super::NAME,
    title: "Cloudflare",
    kinds: RecordType::ALL,
    ttl: 30..=HIGHEST_TTL,
    proxies: true,
    flattens: true,
    comment: Some(500),
    tags: Some(TagRules {
        most: 20,
        name: 32,
        value: 100,
        reserved: "cf-",
    }),
    // Error 9015 names this bound.
    longest_record: 4_096,
    creation: ZoneCreation::ChoosesNameServers,
    dnssec: Some(super::settings::DNSSEC),
    edge: Some(&super::edge::EDGE),
    automatic_ttl: None,
    whole_sets: false,
    dns_server: false,
    uptime: None,
};

/// What a plan of a zone allows (Cloudflare's table of plans, 2026).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Operations in one batch.
    pub batch: usize,
    /// Tags on one record.
    pub tags: usize,
    /// Characters of a comment.
    pub comment: usize,
    /// The lowest TTL in seconds that is not automatic.
    pub lowest_ttl: u32,
}

/// The highest TTL in seconds, on every plan.
const HIGHEST_TTL: u32 = 86_400;
/// Characters of all TXT (or other) values of one name and type together.
const COMBINED: usize = 8_192;

/// What the plan called `plan` allows. An unknown plan is taken for the smallest: its requests fit everywhere.
pub(super) fn limits(plan: &str) -> Limits {
    match plan {
        "enterprise" => Limits {
            batch: 3_500,
            tags: 20,
            comment: 500,
            lowest_ttl: 30,
        },
        "pro" | "business" => Limits {
            batch: 3_500,
            tags: 20,
            comment: 500,
            lowest_ttl: 60,
        },
        _ => Limits {
            batch: 200,
            tags: 0,
            comment: 100,
            lowest_ttl: 60,
        },
    }
}

/// What of `changes` the zone's plan cannot hold.
pub(super) fn review(changes: &[Change], reading: &Reading) -> Review {
    let mut review = Review::default();
    let mut growth: BTreeMap<&DomainName, (isize, usize)> = BTreeMap::new();
    for change in changes {
        let set =
            |side: &'_ Option<crate::model::resource::Resource>| side.as_ref().and_then(|r| r.as_record_set()).cloned();
        let (before, after) = (set(&change.before), set(&change.after));
        let Some(zone) = before.as_ref().or(after.as_ref()).map(|set| set.zone.clone()) else {
            continue;
        };
        let Some((zone, facts)) = reading.zones.get_key_value(&zone) else {
            continue;
        };
        let size = |set: &Option<RecordSet>| set.as_ref().map_or(0, |set| set.records.len());
        let entry = growth.entry(zone).or_default();
        entry.0 += isize::try_from(size(&after)).unwrap_or(0) - isize::try_from(size(&before)).unwrap_or(0);
        entry.1 += 1;
        if let Some(after) = &after {
            check_records(change, before.as_ref(), after, facts, &mut review);
        }
    }
    super::guards::review(changes, reading, &mut review);
    check_combined_length(changes, reading, &mut review);
    for (zone, (more, number)) in growth {
        check_quota(zone, more, number, reading, &mut review);
    }
    review
}

fn check_records(
    change: &Change,
    before: Option<&RecordSet>,
    after: &RecordSet,
    facts: &ZoneFacts,
    review: &mut Review,
) {
    let limits = limits(&facts.plan);
    let plan = plan_name(&facts.plan);
    let mut refuse = |code: &str, message: String, help: &str| {
        review.refusals.push(Refusal {
            address: Some(change.address.clone()),
            code: code.to_owned(),
            message,
            help: help.to_owned(),
        });
    };
    if after.kind == RecordType::Soa {
        refuse(
            "unsupported-type",
            "Cloudflare keeps no SOA records".to_owned(),
            "take it out of the spec",
        );
    }
    let empty = [];
    for pair in pair(before.map_or(&empty[..], |set| &set.records), &after.records) {
        let (Some(record), old) = (pair.after, pair.before) else {
            continue;
        };
        // What is live already was accepted, whatever the table says.
        let differs = |of: fn(&Record) -> bool| of(record) && old != Some(record);
        if let Ttl::Seconds(seconds) = record.ttl
            && (seconds < limits.lowest_ttl || seconds > HIGHEST_TTL)
            && old.is_none_or(|old| old.ttl != record.ttl)
        {
            refuse(
                "ttl-of-plan",
                format!(
                    "a TTL of {seconds} seconds is outside what the {plan} plan takes ({} to {HIGHEST_TTL})",
                    limits.lowest_ttl
                ),
                "write auto, or a TTL within those bounds",
            );
        }
        let comment = record.comment.as_deref().unwrap_or_default().chars().count();
        if comment > limits.comment && old.is_none_or(|old| old.comment != record.comment) {
            refuse(
                "comment-of-plan",
                format!(
                    "its comment has {comment} characters; the {plan} plan takes {}",
                    limits.comment
                ),
                "shorten the comment",
            );
        }
        let tags = record.tags.as_ref().map_or(0, BTreeSet::len);
        if tags > limits.tags && old.is_none_or(|old| old.tags != record.tags) {
            let message = match limits.tags {
                0 => format!("it has {}; the {plan} plan has no tags", text::count(tags, "tag")),
                most => format!("it has {tags} tags; the {plan} plan takes {most}"),
            };
            refuse(
                "tags-of-plan",
                message,
                "take the tags out of the spec; comments are kept on every plan",
            );
        }
        if differs(|record| record.proxied) && !record.data.kind().can_be_proxied() {
            refuse(
                "not-proxiable",
                "this type of record cannot be proxied".to_owned(),
                "leave `proxied` out",
            );
        }
    }
}

/// A plan's name in sentences.
pub(super) fn plan_name(plan: &str) -> &str {
    match plan {
        "free" => "Free",
        "pro" => "Pro",
        "business" => "Business",
        "enterprise" => "Enterprise",
        other => other,
    }
}

/// All values of one name and type together are bounded, ours and those of others alike (error 83011).
fn check_combined_length(changes: &[Change], reading: &Reading, review: &mut Review) {
    let touched: BTreeSet<(DomainName, DomainName)> = changes
        .iter()
        .filter_map(|change| change.after.as_ref()?.as_record_set())
        .filter(|set| set.kind == RecordType::Txt)
        .map(|set| (set.zone.clone(), set.name.clone()))
        .collect();
    if touched.is_empty() {
        return;
    }
    let changed: BTreeMap<&Address, &Change> = changes.iter().map(|change| (&change.address, change)).collect();
    let staying = reading
        .live
        .inventory
        .iter()
        .filter(|(address, _)| !changed.contains_key(address))
        .map(|(_, r)| r);
    let coming = changes.iter().filter_map(|change| change.after.as_ref());
    let mut total: BTreeMap<(DomainName, DomainName), (usize, Address)> = BTreeMap::new();
    for set in staying.chain(coming).filter_map(|resource| resource.as_record_set()) {
        let key = (set.zone.clone(), set.name.clone());
        if set.kind == RecordType::Txt && touched.contains(&key) {
            let length: usize = set
                .records
                .iter()
                .filter_map(|record| record.data.txt())
                // What is counted is what is stored: quotes, escapes and the spaces between the strings too.
                .map(|value| txt::character_strings(value).chars().count())
                .sum();
            let entry = total.entry(key).or_insert_with(|| (0, set.address()));
            entry.0 += length;
        }
    }
    for ((_, name), (length, address)) in total {
        if length > COMBINED {
            review.refusals.push(Refusal {
                address: Some(address),
                code: "txt-combined".to_owned(),
                message: format!("all TXT values at {name} together take {length} characters as they are stored; Cloudflare takes {COMBINED}"),
                help: "remove or shorten one of them".to_owned(),
            });
        }
    }
}

fn check_quota(zone: &DomainName, more: isize, changes: usize, reading: &Reading, review: &mut Review) {
    let Some(facts) = reading.zones.get(zone) else { return };
    if let Some(usage) = facts.usage
        && let Some(quota) = usage.quota
    {
        let will_be = usage.records.saturating_add_signed(more);
        if more > 0 && will_be > quota {
            review.refusals.push(Refusal {
                address: None,
                code: "quota".to_owned(),
                message: format!(
                    "{zone} would hold {} records; its plan allows {}",
                    text::grouped(will_be),
                    text::grouped(quota)
                ),
                help: "remove records that are no longer needed, or move the zone to a larger plan".to_owned(),
            });
        }
    }
    let batch = limits(&facts.plan).batch;
    if changes > batch {
        review.warnings.push(Warning::about(
            &Address::zone(zone),
            "several-transactions",
            format!(
                "{} are more than the {} that one request may carry: the zone is changed in several transactions",
                text::count(changes, "change"),
                text::grouped(batch)
            ),
        ));
    }
}

/// What to do about a refusal, by its code.
pub(super) fn advice(refusal: &ApiRefusal) -> Option<&'static str> {
    Some(match refusal.code.as_str() {
        "6003" | "6111" | "6103" => "the token is malformed: create an API token (not a global key) and set it anew",
        "9109" | "1000" | "1001" => "the token is not accepted: check that it was copied whole and has not been rolled",
        "10000" => "the token is wrong or lacks a permission: `launchctl doctor` says which",
        "7003" => "the zone is not there any more, or this token may not see it: `launchctl doctor` looks closer",
        "81044" => "a record is gone since the plan was made: plan again",
        "81045" => "the zone is full: remove records, or move it to a larger plan",
        "81053" | "81054" => {
            "a CNAME excludes A, AAAA and CNAME at its name: another record came there meanwhile; plan again"
        }
        "81055" => "NS records exclude everything else at their name, and something else is there: remove it first",
        "81056" => "the name is delegated by NS records: nothing else but DS can stand there",
        "81057" | "81058" => "the record is there already: somebody made it meanwhile; plan again",
        "83011" | "9015" => "the values are too long for one name: shorten or remove one",
        "9003" => "a proxied record needs a public address: leave `proxied` out, or name another address",
        "9300" => "tags need a paid plan: take them out of the spec",
        super::rules::MOVED => "plan again: the new plan takes what came meanwhile into account",
        super::redirect_lists::FAILED => "nothing of it was done, or all: plan again to see which",
        "1006" => "the zone has no such setting: take it out of the spec",
        "1057" => "the zone's plan does not let this setting be changed: take it out of the spec",
        "1061" => "the zone is there already, perhaps in another account: check `providers.cloudflare.account`",
        "20217" => "the phase has a list already: plan again",
        "9021" => "write `ttl: auto`, or a TTL that the zone's plan takes",
        _ if refusal.message.starts_with("not entitled") => {
            "leave out what this plan does not take, or move the zone to a larger one"
        }
        _ if matches!(refusal.status, 401 | 403) => "`launchctl doctor` says which permission is missing",
        _ => return None,
    })
}

/// Which changes a refusal is about, as far as its code and message tell: Cloudflare names no index. When nothing
/// narrows it down, all of them.
pub(super) fn blame(step: &Step, changes: &[Change], refusal: &ApiRefusal) -> Vec<Address> {
    let by_id: Vec<Address> = step
        .handles
        .iter()
        .filter(|(id, _)| refusal.message.contains(id.as_str()))
        .map(|(_, address)| address.clone())
        .collect();
    if !by_id.is_empty() {
        return by_id;
    }
    if let Some(address) = super::rules::blame(step, refusal) {
        return vec![address];
    }
    let suspects: Vec<&Change> = changes
        .iter()
        .filter(|change| step.addresses.binary_search(&change.address).is_ok())
        .collect();
    let posted: BTreeSet<&str> = list(&step.body, "posts")
        .filter_map(|post| post.get("name").and_then(Value::as_str))
        .collect();
    let fits = |change: &Change| -> bool {
        let Some(set) = change.after.as_ref().and_then(|after| after.as_record_set()) else {
            return false;
        };
        let records = &set.records;
        match refusal.code.as_str() {
            "81053" => set.kind == RecordType::Cname,
            "81054" => matches!(set.kind, RecordType::A | RecordType::Aaaa),
            "81056" => set.kind != RecordType::Ns,
            "81045" | "81057" | "81058" => posted.contains(set.name.as_str()),
            "83011" | "9015" => set.kind == RecordType::Txt,
            "9021" => records.iter().any(|record| record.ttl != Ttl::Auto),
            "9300" => records.iter().any(|record| record.tags.is_some()),
            "9003" | "9004" => records.iter().any(|record| record.proxied),
            _ => names_type(&refusal.message, set.kind),
        }
    };
    let found: Vec<Address> = suspects
        .iter()
        .filter(|change| fits(change))
        .map(|change| change.address.clone())
        .collect();
    if found.is_empty() {
        step.addresses.clone()
    } else {
        found
    }
}

fn list<'a>(body: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    body.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// `Content for A record must be …`: the type stands before the word `record`.
fn names_type(message: &str, kind: RecordType) -> bool {
    let words: Vec<&str> = message.split_whitespace().collect();
    words
        .windows(2)
        .any(|pair| pair[0] == kind.as_str() && pair[1].starts_with("record"))
}
