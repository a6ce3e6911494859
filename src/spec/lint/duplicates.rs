//! What is declared twice: the same value, two values of a purpose of which a name has one, a name and type declared
//! both to hold something and to hold nothing, and records of one set that disagree about their TTL.

use std::collections::BTreeMap;

use crate::base::diagnostic::Diagnostic;
use crate::model::address::Address;
use crate::model::record::{RecordData, RecordType, txt};
use crate::spec::lower::{DeclaredRecord, DeclaredZone, Findings};

pub(super) fn check(zone: &DeclaredZone<'_>, findings: &mut Findings<'_>) {
    let mut sets: BTreeMap<&Address, Vec<&DeclaredRecord>> = BTreeMap::new();
    for record in &zone.records {
        sets.entry(&record.address).or_default().push(record);
    }
    for records in sets.values() {
        same_value(records, findings);
        same_purpose(records, findings);
        // Where sets are kept whole it is an error, and said elsewhere.
        if !zone.capabilities.is_some_and(|provider| provider.whole_sets) {
            one_ttl(records, findings);
        }
    }
    for absence in &zone.absent {
        if let Some(record) = sets.get(&absence.address).and_then(|records| records.first()) {
            let message = format!("{} is declared to hold nothing, and to hold something", absence.address);
            let finding = Diagnostic::error("present-and-absent", message)
                .at(findings.place(&absence.values))
                .related(findings.place(&record.value), "what it is to hold")
                .about(absence.address.as_str());
            findings.push(finding);
        }
    }
}

fn same_value(records: &[&DeclaredRecord], findings: &mut Findings<'_>) {
    let mut seen: BTreeMap<&RecordData, &DeclaredRecord> = BTreeMap::new();
    for record in records {
        if let Some(first) = seen.get(&record.record.data) {
            let finding = Diagnostic::error("duplicate-value", "this value is declared twice")
                .at(findings.place(&record.value))
                .label("the second time")
                .related(findings.place(&first.value), "the first time")
                .about(record.address.as_str());
            findings.push(finding);
        } else {
            seen.insert(&record.record.data, record);
        }
    }
}

/// Values of one purpose share an address; two different ones would replace each other for ever.
fn same_purpose(records: &[&DeclaredRecord], findings: &mut Findings<'_>) {
    let Some((first, rest)) = records.split_first() else {
        return;
    };
    let purpose = first
        .record
        .data
        .txt()
        .filter(|_| first.kind() == RecordType::Txt)
        .and_then(|value| txt::purpose(&first.owner, value));
    let Some(purpose) = purpose else { return };
    if let Some(second) = rest.iter().find(|record| record.record.data != first.record.data) {
        let message = format!("{} can have only one {purpose} value", first.owner);
        let finding = Diagnostic::error("one-per-name", message)
            .at(findings.place(&second.value))
            .related(findings.place(&first.value), "the other one")
            .about(second.address.as_str());
        findings.push(finding);
    }
}

/// RFC 2181 §5.2: the records of a set have one TTL. Resolvers take the lowest, so it is a slip and no harm.
fn one_ttl(records: &[&DeclaredRecord], findings: &mut Findings<'_>) {
    let Some((first, rest)) = records.split_first() else {
        return;
    };
    if let Some(other) = rest.iter().find(|record| record.record.ttl != first.record.ttl) {
        let message = format!(
            "the records of {} disagree about their TTL: {} and {}",
            first.address, first.record.ttl, other.record.ttl
        );
        let finding = Diagnostic::warning("ttl-differs", message)
            .at(findings.place(&other.key("ttl")))
            .related(findings.place(&first.key("ttl")), "the other one")
            .about(first.address.as_str());
        findings.push(finding);
    }
}
