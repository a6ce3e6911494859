//! Names that are not what they seem: services without their labels, names that another zone of the spec answers for,
//! names that were probably meant to be whole.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::base::diagnostic::Diagnostic;
use crate::model::name::DomainName;
use crate::model::record::RecordType;
use crate::spec::lower::{DeclaredRecord, DeclaredZone, Findings};

pub(super) fn check(zone: &DeclaredZone<'_>, all: &BTreeMap<DomainName, Range<usize>>, findings: &mut Findings<'_>) {
    for record in &zone.records {
        service_labels(zone, record, findings);
        another_zone(zone, record, all, findings);
        meant_to_be_whole(zone, record, findings);
    }
}

/// RFC 2782 for SRV, RFC 6698 §3 for TLSA: `_service._proto` before the name.
fn service_labels(zone: &DeclaredZone<'_>, record: &DeclaredRecord, findings: &mut Findings<'_>) {
    let mut labels = record.owner.labels().skip_while(|label| *label == "*");
    let (first, second) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
    let has_both = first.len() > 1 && first.starts_with('_') && second.len() > 1 && second.starts_with('_');
    let relative = record.owner.relative_to(&zone.name);
    let finding = match record.kind() {
        RecordType::Srv if !has_both => Diagnostic::error(
            "srv-name",
            format!("an SRV record stands at _service._proto, and `{relative}` is not such a name (RFC 2782)"),
        )
        .label("expected a name such as _sip._tcp"),
        RecordType::Tlsa if !has_both => Diagnostic::warning(
            "tlsa-name",
            format!("a TLSA record is looked for at _port._proto, and `{relative}` is not such a name (RFC 6698 §3)"),
        )
        .label("expected a name such as _25._tcp.mail"),
        _ => return,
    };
    let finding = finding
        .at(findings.place(&record.name.range))
        .about(record.address.as_str());
    findings.push(finding);
}

fn another_zone(
    zone: &DeclaredZone<'_>,
    record: &DeclaredRecord,
    all: &BTreeMap<DomainName, Range<usize>>,
    findings: &mut Findings<'_>,
) {
    let mut above = Some(record.owner.clone());
    while let Some(name) = above.filter(|name| *name != zone.name && name.is_within(&zone.name)) {
        if let Some(key) = all.get(&name) {
            let is_delegation = record.owner == name && matches!(record.kind(), RecordType::Ns | RecordType::Ds);
            if !is_delegation {
                let message = format!(
                    "{} belongs to the zone {name}, which this spec declares too",
                    record.owner
                );
                let finding = Diagnostic::warning("another-zone", message)
                    .at(findings.place(&record.name.range))
                    .related(findings.place(key), "that zone")
                    .about(record.address.as_str());
                findings.push(finding);
            }
            return;
        }
        above = name.parent();
    }
}

/// `www.other.example` in the zone `acme.example` is `www.other.example.acme.example`: allowed, and rarely meant.
fn meant_to_be_whole(zone: &DeclaredZone<'_>, record: &DeclaredRecord, findings: &mut Findings<'_>) {
    let Ok(written) = DomainName::parse(&record.name.value) else {
        return;
    };
    let is_relative = !record.name.value.ends_with('.') && !written.is_within(&zone.name);
    let top = |name: &DomainName| name.labels().next_back().map(str::to_owned);
    if is_relative && written.labels().count() > 1 && top(&written) == top(&zone.name) {
        let finding = Diagnostic::warning(
            "looks-whole",
            format!("this name is taken relative to the zone: {}", record.owner),
        )
        .at(findings.place(&record.name.range))
        .help(format!("if a name of {} is meant, check its spelling", zone.name))
        .about(record.address.as_str());
        findings.push(finding);
    }
}
