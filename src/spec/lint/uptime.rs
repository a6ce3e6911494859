//! Checks and the rest of the spec, seen together: what nobody watches, what nobody is told of, what is watched and not
//! in the spec, and certificates that are watched at the wrong time.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::diagnostic::Diagnostic;
use crate::base::text;
use crate::model::address::Address;
use crate::model::monitor::{Check, Dns};
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::spec::lint::edge::is_private;
use crate::spec::lower::uptime::{DeclaredCheck, DeclaredUptime};
use crate::spec::lower::{DeclaredRecord, DeclaredZone, Findings};

/// Certificates that renew by themselves do so 30 days before their end (Let's Encrypt's advice, and Cloudflare's edge
/// certificates); somebody who hears of it less than a week before has no time left for a way that failed.
const RENEWAL: u16 = 30;
const TOO_LATE: u16 = 7;

/// The codes of the warnings here.
pub(super) const CODES: &[&str] = &[
    "expiry-watched-wrong",
    "nobody-told",
    "not-watched",
    "unknown-host",
    "unused-contact",
];

pub(super) fn check(uptime: &DeclaredUptime, zones: &[DeclaredZone<'_>], findings: &mut Findings<'_>) {
    unused_contacts(uptime, findings);
    for check in &uptime.checks {
        nobody_told(uptime, check, findings);
        not_in_the_spec(uptime, check, zones, findings);
        expiry(uptime, check, findings);
    }
    for zone in zones {
        not_watched(uptime, zone, findings);
    }
}

fn warn(uptime: &DeclaredUptime, finding: Diagnostic, findings: &mut Findings<'_>) {
    if uptime.accept.contains(finding.code) {
        return;
    }
    let advice = format!("if it is meant, say so: `accept: [{}]` under `uptime`", finding.code);
    findings.push(finding.help(advice));
}

fn about(check: &DeclaredCheck, finding: Diagnostic) -> Diagnostic {
    finding.about(Address::monitor(&check.monitor.key).as_str())
}

fn unused_contacts(uptime: &DeclaredUptime, findings: &mut Findings<'_>) {
    let told: BTreeSet<&String> = uptime
        .checks
        .iter()
        .flat_map(|check| check.monitor.contacts.iter().flat_map(BTreeMap::keys))
        .collect();
    for contact in uptime
        .contacts
        .iter()
        .filter(|contact| !told.contains(&contact.contact.key))
    {
        let name = text::sanitize(&contact.name.value);
        let finding = Diagnostic::warning("unused-contact", format!("no check tells the contact `{name}`"))
            .at(findings.place(&contact.name.range))
            .about(Address::contact(&contact.contact.key).as_str());
        warn(uptime, finding, findings);
    }
}

fn nobody_told(uptime: &DeclaredUptime, check: &DeclaredCheck, findings: &mut Findings<'_>) {
    if !check.is_told {
        let finding = Diagnostic::warning("nobody-told", "nobody is told when this check fails")
            .at(findings.place(&check.name.range))
            .help("name contacts under `alert`, here or for all checks");
        warn(uptime, about(check, finding), findings);
    }
}

/// Whether a record of the spec answers for a host, itself or as a wildcard (RFC 4592 §2.1).
fn answers(record: &DeclaredRecord, host: &DomainName) -> bool {
    let kind = record.kind();
    matches!(
        kind,
        RecordType::A | RecordType::Aaaa | RecordType::Alias | RecordType::Cname
    ) && (record.owner == *host
        || record
            .owner
            .as_str()
            .strip_prefix("*.")
            .and_then(|parent| DomainName::parse(parent).ok())
            .is_some_and(|parent| host.is_within(&parent) && *host != parent))
}

fn not_in_the_spec(
    uptime: &DeclaredUptime,
    check: &DeclaredCheck,
    zones: &[DeclaredZone<'_>],
    findings: &mut Findings<'_>,
) {
    if let Check::Dns(dns) = &check.monitor.check {
        no_such_record(uptime, check, dns, zones, findings);
        return;
    }
    let host = check.monitor.check.host();
    let Some(host) = host.and_then(|host| DomainName::parse(&host).ok()) else {
        return;
    };
    if zones.is_empty() {
        // A spec of checks alone says nothing about hosts.
        return;
    }
    let is_address = host.as_str().parse::<std::net::IpAddr>().is_ok();
    if is_address
        || zones
            .iter()
            .flat_map(|zone| &zone.records)
            .any(|record| answers(record, &host))
    {
        return;
    }
    let finding = Diagnostic::warning("unknown-host", format!("the spec has no address for {host}"))
        .at(findings.place(&check.target))
        .label("no A, AAAA or CNAME record of this name");
    warn(uptime, about(check, finding), findings);
}

/// A question for a record that the spec does not have. Of names elsewhere the spec says nothing.
fn no_such_record(
    uptime: &DeclaredUptime,
    check: &DeclaredCheck,
    dns: &Dns,
    zones: &[DeclaredZone<'_>],
    findings: &mut Findings<'_>,
) {
    let Ok(name) = DomainName::parse(&dns.domain) else {
        return;
    };
    let Some(zone) = zones.iter().find(|zone| name.is_within(&zone.name)) else {
        return;
    };
    let is_kept_by_itself = matches!(
        dns.record,
        RecordType::Ns | RecordType::Soa | RecordType::Ds | RecordType::Dnskey
    );
    let is_it = |record: &DeclaredRecord| {
        let kind = record.kind();
        record.owner == name && (kind == dns.record || kind == RecordType::Cname)
    };
    if is_kept_by_itself
        || zone
            .records
            .iter()
            .any(|record| is_it(record) || (answers(record, &name) && record.owner.is_wildcard()))
    {
        return;
    }
    let message = format!("the spec has no {} record of {name}", dns.record);
    let finding = Diagnostic::warning("unknown-host", message).at(findings.place(&check.target));
    warn(uptime, about(check, finding), findings);
}

fn expiry(uptime: &DeclaredUptime, check: &DeclaredCheck, findings: &mut Findings<'_>) {
    let Some(days) = check.monitor.tls_expiry.iter().flatten().max().copied() else {
        return;
    };
    let message = if days > RENEWAL {
        format!(
            "certificates renew by themselves about {RENEWAL} days before their end: warned {days} days before, somebody is told each time"
        )
    } else if days < TOO_LATE {
        format!("warned {days} days before the end, long after the renewal was due, there is little time left to act")
    } else {
        return;
    };
    let range = check.warn_before.as_ref().unwrap_or(&check.target);
    let finding = Diagnostic::warning("expiry-watched-wrong", message)
        .at(findings.place(range))
        .help(format!(
            "a time from {TOO_LATE}d to {RENEWAL}d tells of a renewal that failed: 21d is usual"
        ));
    warn(uptime, about(check, finding), findings);
}

/// Hosts of a zone that the public can reach and that no check looks at: one finding a zone, at the first of them.
fn not_watched(uptime: &DeclaredUptime, zone: &DeclaredZone<'_>, findings: &mut Findings<'_>) {
    let watched: BTreeSet<String> = uptime
        .checks
        .iter()
        // One that is paused looks at nothing.
        .filter(|check| check.monitor.paused != Some(true))
        .filter_map(|check| check.monitor.check.host())
        .collect();
    let is_inside = |record: &DeclaredRecord| match &record.record.data {
        RecordData::A(address) => is_private((*address).into()),
        RecordData::Aaaa(address) => is_private((*address).into()),
        _ => false,
    };
    let is_public = |record: &&DeclaredRecord| {
        matches!(
            record.kind(),
            RecordType::A | RecordType::Aaaa | RecordType::Alias | RecordType::Cname
        ) && !is_inside(record)
            && !record.owner.is_wildcard()
            && !record.owner.labels().any(|label| label.starts_with('_'))
    };
    let mut hosts: Vec<&DomainName> = Vec::new();
    let mut first = None;
    for record in zone.records.iter().filter(is_public) {
        if !watched.contains(record.owner.as_str()) && !hosts.contains(&&record.owner) {
            hosts.push(&record.owner);
            first.get_or_insert(record);
        }
    }
    let Some(first) = first else { return };
    let names: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let finding = Diagnostic::warning("not-watched", format!("no check looks at {}", text::list(&names)))
        .at(findings.place(&first.name.range))
        .related(findings.place(&uptime.at), "the checks");
    warn(uptime, finding, findings);
}
