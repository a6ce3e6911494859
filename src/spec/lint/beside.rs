//! What can stand beside what at one name: CNAME (RFC 1034 §3.6.2), ALIAS, delegations (RFC 1034 §4.2.1), DS (RFC 4035 §2.4),
//! null MX (RFC 7505 §3).

use std::collections::BTreeMap;

use crate::base::diagnostic::Diagnostic;
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType, Target};
use crate::spec::lower::{DeclaredRecord, DeclaredZone, Findings};

/// Everything that is declared at one name.
type AtName<'r> = [&'r DeclaredRecord];

pub(super) fn check(zone: &DeclaredZone<'_>, findings: &mut Findings<'_>) {
    let mut names: BTreeMap<&DomainName, Vec<&DeclaredRecord>> = BTreeMap::new();
    for record in &zone.records {
        names.entry(&record.owner).or_default().push(record);
    }
    for (name, records) in &names {
        cname(zone, name, records, findings);
        alias(name, records, findings);
        delegation(zone, name, records, findings);
        null_mx(records, findings);
    }
    below_a_delegation(zone, &names, findings);
}

fn of<'r>(records: &[&'r DeclaredRecord], kind: RecordType) -> impl Iterator<Item = &'r DeclaredRecord> {
    records.iter().copied().filter(move |record| record.kind() == kind)
}

fn cname(zone: &DeclaredZone<'_>, name: &DomainName, records: &AtName<'_>, findings: &mut Findings<'_>) {
    let mut aliases = of(records, RecordType::Cname);
    let Some(alias) = aliases.next() else { return };
    for second in aliases.filter(|second| second.record.data != alias.record.data) {
        let finding = Diagnostic::error(
            "cname-twice",
            format!("{name} can have only one CNAME (RFC 2181 §10.1)"),
        )
        .at(findings.place(&second.value))
        .related(findings.place(&alias.value), "the other one")
        .about(second.address.as_str());
        findings.push(finding);
    }
    let flattened = zone.capabilities.is_none_or(|provider| provider.flattens) && *name == zone.name;
    let proxies = zone.capabilities.is_none_or(|provider| provider.proxies);
    let is_answered_with_addresses = flattened || (alias.record.proxied && proxies);
    if let Some(provider) = zone.capabilities
        && *name == zone.name
        && !is_answered_with_addresses
    {
        let message = format!(
            "{name} has the SOA and NS of its zone, so it can have no CNAME, and {} does not flatten one",
            provider.title
        );
        let finding = Diagnostic::error("cname-at-apex", message)
            .at(findings.place(&alias.value))
            .help(if provider.kinds.contains(&RecordType::Alias) {
                "write it as ALIAS, or the addresses of the target as A and AAAA records"
            } else {
                "write the addresses of the target as A and AAAA records"
            })
            .about(alias.address.as_str());
        findings.push(finding);
        return;
    }
    for other in records.iter().filter(|other| other.kind() != RecordType::Cname) {
        let excluded = matches!(other.kind(), RecordType::A | RecordType::Aaaa | RecordType::Ns);
        if !excluded && is_answered_with_addresses {
            continue;
        }
        let message = match other.kind() {
            RecordType::Ns => format!("{name} is delegated by NS records, so it can have no CNAME"),
            kind => format!("{name} has a CNAME, so it can have no {kind} beside it (RFC 1034 §3.6.2)"),
        };
        let finding = Diagnostic::error("cname-beside-others", message)
            .at(findings.place(&alias.value))
            .related(findings.place(&other.value), format!("the {} record", other.kind()))
            .about(alias.address.as_str());
        findings.push(finding);
        // One is enough to say it.
        return;
    }
}

/// An ALIAS is answered with the addresses of its target, so there is one of it and no others.
fn alias(name: &DomainName, records: &AtName<'_>, findings: &mut Findings<'_>) {
    let Some(alias) = of(records, RecordType::Alias).next() else {
        return;
    };
    let is_other = |other: &&&DeclaredRecord| match other.kind() {
        RecordType::A | RecordType::Aaaa => true,
        RecordType::Alias => other.record.data != alias.record.data,
        _ => false,
    };
    if let Some(other) = records.iter().find(is_other) {
        let message = format!(
            "{name} is answered with the addresses of its ALIAS, so it can have no {} beside it",
            if other.kind() == RecordType::Alias {
                "second one"
            } else {
                other.kind().as_str()
            }
        );
        let finding = Diagnostic::error("alias-beside-addresses", message)
            .at(findings.place(&alias.value))
            .related(findings.place(&other.value), format!("the {} record", other.kind()))
            .about(alias.address.as_str());
        findings.push(finding);
    }
}

fn delegation(zone: &DeclaredZone<'_>, name: &DomainName, records: &AtName<'_>, findings: &mut Findings<'_>) {
    let servers = of(records, RecordType::Ns).next();
    if let (None, Some(ds)) = (servers, of(records, RecordType::Ds).next()) {
        let words = if *name == zone.name {
            "the DS of a zone stands in the zone above it, at the registrar"
        } else {
            "a DS needs the NS records that delegate its name beside it (RFC 4035 §2.4)"
        };
        let finding = Diagnostic::error("ds-without-ns", words)
            .at(findings.place(&ds.value))
            .about(ds.address.as_str());
        findings.push(finding);
    }
    let Some(servers) = servers.filter(|_| *name != zone.name) else {
        return;
    };
    let other = records
        .iter()
        .find(|other| !matches!(other.kind(), RecordType::Ns | RecordType::Ds | RecordType::Cname));
    if let Some(other) = other {
        let message = format!(
            "{name} is delegated by NS records, so {} records there are never asked for",
            other.kind()
        );
        let finding = Diagnostic::error("beside-delegation", message)
            .at(findings.place(&other.value))
            .related(findings.place(&servers.value), "the delegation")
            .about(other.address.as_str());
        findings.push(finding);
    }
}

fn null_mx(records: &AtName<'_>, findings: &mut Findings<'_>) {
    let is_null =
        |record: &&DeclaredRecord| matches!(&record.record.data, RecordData::Mx(mx) if mx.host == Target::Root);
    let Some(null) = of(records, RecordType::Mx).find(is_null) else {
        return;
    };
    if let Some(other) = of(records, RecordType::Mx).find(|record| !is_null(record)) {
        let finding = Diagnostic::error(
            "null-mx",
            "a null MX says that there is no mail, so no other MX can stand beside it (RFC 7505 §3)",
        )
        .at(findings.place(&null.value))
        .related(findings.place(&other.value), "the other MX")
        .about(null.address.as_str());
        findings.push(finding);
    }
}

/// Records below a delegation are never asked for, but for the addresses of its own servers.
fn below_a_delegation(
    zone: &DeclaredZone<'_>,
    names: &BTreeMap<&DomainName, Vec<&DeclaredRecord>>,
    findings: &mut Findings<'_>,
) {
    let mut delegations: BTreeMap<&DomainName, Vec<&DeclaredRecord>> = BTreeMap::new();
    for (name, records) in names.iter().filter(|(name, _)| ***name != zone.name) {
        let servers: Vec<&DeclaredRecord> = of(records, RecordType::Ns).collect();
        if !servers.is_empty() {
            delegations.insert(name, servers);
        }
    }
    for record in &zone.records {
        let mut above = record.owner.parent();
        while let Some(name) = above.filter(|name| name.is_within(&zone.name) && *name != zone.name) {
            if let Some(servers) = delegations.get(&name) {
                let is_glue = record.record.data.address().is_some()
                    && servers
                        .iter()
                        .any(|server| server.record.data.target() == Some(&record.owner));
                if !is_glue {
                    let message = format!(
                        "{name} is delegated to other servers, so nobody asks this zone for {}",
                        record.owner
                    );
                    let finding = Diagnostic::warning("below-delegation", message)
                        .at(findings.place(&record.name.range))
                        .about(record.address.as_str());
                    findings.push(finding);
                }
                break;
            }
            above = name.parent();
        }
    }
}
