//! DKIM (findings 15 to 21): the keys that are expected.

use super::facts::{DkimFacts, ExpectedKey, Facts};
use super::{Fix, Judgement, absence, ids, line, shown};
use crate::base::diagnostic::Severity;
use crate::mail::dkim::{self, Algorithm, KeyRecord, Kind};
use crate::mail::dns::{Lookup, QueryName};

const ALL: [&str; 7] = [
    ids::DKIM_MISSING,
    ids::DKIM_MALFORMED,
    ids::DKIM_WEAK,
    ids::DKIM_REVOKED,
    ids::DKIM_TESTING,
    ids::DKIM_CNAME,
    ids::DKIM_DRIFT,
];

pub(super) fn judge(facts: &Facts, out: &mut Judgement) {
    let mut usable = Vec::new();
    let mut is_known = true;
    for key in &facts.dkim {
        alias(facts, key, out);
        match &key.txt {
            Lookup::Failed(why) => {
                is_known = false;
                for id in ALL {
                    out.unknown(id, format!("TXT of {}: {why}", key.name));
                }
            }
            Lookup::Records(values) => {
                if let Some(record) = record(key, values, out) {
                    judge_record(key, &record, out);
                    if record.is_usable() {
                        usable.push(record);
                    }
                }
            }
            absent => missing(facts, key, absent, out),
        }
    }
    let only_ed25519 = usable.iter().all(|record| record.algorithm == Algorithm::Ed25519);
    if is_known && !usable.is_empty() && only_ed25519 {
        let domain = &facts.declared.domain;
        out.warning(
            ids::DKIM_WEAK,
            domain,
            "all keys are Ed25519: receivers that do not know it see no signature (RFC 8463 §5)",
        )
        .seen(format!("{} of {} keys can be used", usable.len(), facts.dkim.len()))
        .say("publish an RSA selector as well, and sign with both");
    }
}

fn missing(facts: &Facts, key: &DkimFacts, absent: &Lookup<Vec<u8>>, out: &mut Judgement) {
    let name = &key.name;
    let owner = &key.selector.owner;
    if let Lookup::Records(aliases) = &key.cname {
        let target = aliases.first().map(ToString::to_string).unwrap_or_default();
        let seen = line(name, "CNAME", &target);
        // Microsoft makes the target only once signing is switched on.
        if target.ends_with(".onmicrosoft.com") || target.ends_with(".dkim.mail.microsoft") {
            out.warning(
                ids::DKIM_CNAME,
                name,
                format!("{target} has no key yet: signing is not switched on"),
            )
            .seen(seen)
            .say("switch on DKIM for the domain in the Microsoft 365 portal");
        } else {
            out.error(ids::DKIM_CNAME, name, format!("the CNAME to {target} leads to no key"))
                .seen(seen)
                .say(format!("compare the target with what {owner} shows"));
        }
        return;
    }
    let fix = match &key.selector.expected {
        ExpectedKey::Any => Fix::say(format!("publish the key that {owner} shows at {name}")),
        ExpectedKey::Record(text) => Fix::publish(name, "TXT", text.clone()),
        ExpectedKey::Alias(target) => Fix::publish(name, "CNAME", target.as_str()),
    };
    let message = format!("the selector `{}` of {owner} has no key", key.selector.selector);
    let draft = if facts.declared.sends() && key.selector.is_active {
        out.error(ids::DKIM_MISSING, name, message)
    } else {
        out.note(ids::DKIM_MISSING, name, message)
    };
    draft.seen(absence(name, "TXT", absent)).fix(fix);
}

/// The one key record at the name (RFC 6376 §3.6.2.2).
fn record(key: &DkimFacts, values: &[Vec<u8>], out: &mut Judgement) -> Option<KeyRecord> {
    let name = &key.name;
    match values {
        [value] => Some(dkim::parse_value(value)),
        several => {
            let message = format!(
                "{} TXT records stand at {name}: verifiers may take any (RFC 6376 §3.6.2.2)",
                several.len()
            );
            out.error(ids::DKIM_MALFORMED, name, message)
                .all_seen(several.iter().map(|value| line(name, "TXT", &redacted(value))))
                .say("keep the one that the signer uses");
            None
        }
    }
}

/// Keys are shown by their heads: long ones tell nothing, and a private one must not be repeated.
fn redacted(value: &[u8]) -> String {
    let text = shown(value);
    match text.split_once("p=") {
        Some((head, key)) if !text.contains("PRIVATE KEY") => {
            format!("{head}p={}…", key.chars().take(12).collect::<String>())
        }
        _ => "…".to_owned(),
    }
}

fn judge_record(key: &DkimFacts, record: &KeyRecord, out: &mut Judgement) {
    let name = &key.name;
    let seen = line(name, "TXT", &redacted(record.text.as_bytes()));
    for issue in &record.issues {
        let (id, severity) = match issue.kind {
            Kind::Malformed | Kind::PrivateKey => (ids::DKIM_MALFORMED, issue.severity),
            Kind::Weak => (ids::DKIM_WEAK, issue.severity),
            Kind::Testing => (ids::DKIM_TESTING, issue.severity),
            Kind::Revoked if key.selector.is_active => (ids::DKIM_REVOKED, Severity::Error),
            Kind::Revoked => (ids::DKIM_REVOKED, Severity::Info),
            Kind::Unusual => continue,
        };
        let help = issue
            .help
            .clone()
            .unwrap_or_else(|| format!("publish the key that {} shows", key.selector.owner));
        out.draft(id, severity, name, issue.message.clone())
            .seen(seen.clone())
            .say(help);
    }
    drift(key, record, out);
}

fn drift(key: &DkimFacts, record: &KeyRecord, out: &mut Judgement) {
    let ExpectedKey::Record(expected) = &key.selector.expected else {
        return;
    };
    let (Some(expected_print), Some(live)) = (dkim::parse(expected).fingerprint(), record.fingerprint()) else {
        return;
    };
    if expected_print != live {
        out.error(
            ids::DKIM_DRIFT,
            &key.name,
            "another key is published than the declared one",
        )
        .seen(format!("published {live}, declared {expected_print} (SHA-256)"))
        .fix(Fix::publish(&key.name, "TXT", expected.clone()).instead_of([record.text.clone()]));
    }
}

fn alias(facts: &Facts, key: &DkimFacts, out: &mut Judgement) {
    let name = &key.name;
    if let Lookup::Failed(why) = &key.cname {
        out.unknown(ids::DKIM_CNAME, format!("CNAME of {name}: {why}"));
    }
    if facts.declared.proxied.contains(name) {
        out.error(
            ids::DKIM_CNAME,
            name,
            "the record stands behind a proxy: no verifier sees the alias",
        )
        .seen(format!("{name} is proxied"))
        .say(format!("make {name} DNS-only"));
    }
    let (ExpectedKey::Alias(expected), Lookup::Records(aliases)) = (&key.selector.expected, &key.cname) else {
        return;
    };
    let live: Option<&QueryName> = aliases.first();
    if live.is_some_and(|live| live != expected) {
        let live = live.map(ToString::to_string).unwrap_or_default();
        out.error(
            ids::DKIM_CNAME,
            name,
            format!("the CNAME leads to {live}, not to {expected}"),
        )
        .seen(line(name, "CNAME", &live))
        .fix(Fix::publish(name, "CNAME", expected.as_str()));
    }
}
