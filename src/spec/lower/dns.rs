//! A zone's `records`: names made whole, data parsed as a zone file writes it, each value a record.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{DeclaredAbsence, DeclaredRecord, DeclaredZone, Findings};
use crate::base::diagnostic::Diagnostic;
use crate::base::text;
use crate::model::address::Address;
use crate::model::capability::Capabilities;
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::model::record_set::{Record, RecordSet};
use crate::model::ttl::Ttl;
use crate::spec::raw;
use crate::spec::shape::Text;

/// Lowers what a zone declares.
pub(super) fn zone<'a>(
    name: DomainName,
    zone: &raw::Zone,
    capabilities: Option<&'a Capabilities>,
    findings: &mut Findings<'_>,
) -> DeclaredZone<'a> {
    let ttl = settled(zone.ttl.as_ref().map_or(Ttl::Auto, |ttl| ttl.value), capabilities);
    let mut declared = DeclaredZone {
        name,
        capabilities,
        records: Vec::new(),
        absent: Vec::new(),
        rules: Vec::new(),
        redirect_list: None,
        settings: Vec::new(),
        create: None,
        name_servers: Vec::new(),
        accept: BTreeSet::new(),
    };
    for entry in zone.records.iter().flatten() {
        records(entry, ttl, &mut declared, findings);
    }
    declared
}

fn records(entry: &raw::Record, zone_ttl: Ttl, zone: &mut DeclaredZone<'_>, findings: &mut Findings<'_>) {
    let has_both = entry.keys.get("value").zip(entry.keys.get("values"));
    if let Some((value, values)) = has_both {
        let finding = Diagnostic::error("value-and-values", "`value` and `values` exclude each other")
            .at(findings.place(values))
            .related(findings.place(value), "the other one");
        findings.push(finding);
        return;
    }
    if !entry.keys.contains_key("value") && !entry.keys.contains_key("values") {
        let finding = Diagnostic::error("missing-key", "the key `value` is missing")
            .at(findings.place(&entry.at))
            .label("`value`, or `values` for several, belongs here");
        findings.push(finding);
    }
    // What is wrong beside these has been said; without them nothing more can be told.
    let (Some(kind), Some(name)) = (&entry.kind, &entry.name) else {
        return;
    };
    let owner = owner(name, &zone.name, findings);
    let says_none = entry.values.as_ref().is_some_and(|values| values.0.is_empty());
    if says_none {
        if let Some(owner) = &owner {
            absence(kind.value, owner, entry, zone, findings);
        }
        return;
    }
    let mut template = template(entry, zone_ttl);
    template.ttl = settled(template.ttl, zone.capabilities);
    let places = places(entry);
    for value in entry
        .value
        .iter()
        .chain(entry.values.iter().flat_map(|values| &values.0))
    {
        // Both are looked at, so that a wrong name does not hide a wrong value.
        let (Some(data), Some(owner)) = (data(kind.value, value, &zone.name, findings), &owner) else {
            continue;
        };
        let record = Record {
            data,
            ..template.clone()
        };
        let set = RecordSet::new(zone.name.clone(), owner.clone(), kind.value, vec![record.clone()]);
        zone.records.push(DeclaredRecord {
            owner: owner.clone(),
            address: set.address(),
            record,
            name: name.clone(),
            value: value.range.clone(),
            entry: entry.at.clone(),
            keys: places.clone(),
        });
    }
}

/// The owner name, within its zone.
fn owner(name: &Text, zone: &DomainName, findings: &mut Findings<'_>) -> Option<DomainName> {
    match DomainName::parse_in(&name.value, zone) {
        Ok(owner) if owner.is_within(zone) => Some(owner),
        Ok(owner) => {
            let finding = Diagnostic::error("outside-zone", format!("{owner} is not in the zone {zone}"))
                .at(findings.place(&name.range))
                .label(format!("a name in {zone} was expected"))
                .help("a final dot makes a name whole: leave it off for a name relative to the zone");
            findings.push(finding);
            None
        }
        Err(error) => {
            findings.error("bad-name", &name.range, error.to_string());
            None
        }
    }
}

fn absence(
    kind: RecordType,
    owner: &DomainName,
    entry: &raw::Record,
    zone: &mut DeclaredZone<'_>,
    findings: &mut Findings<'_>,
) {
    let values: Range<usize> = entry.keys.get("values").unwrap_or(&entry.at).clone();
    if kind == RecordType::Txt {
        // TXT values stand each on its own, so «none» would reach for values that nobody here has ever seen.
        let finding = Diagnostic::error(
            "txt-absence",
            "an empty list cannot speak for TXT values that it does not name",
        )
        .at(findings.place(&values))
        .help("to remove a value that an earlier apply left, take it out of the spec")
        .help("to remove everything that nobody declared, set `unmanaged: delete` for the zone");
        findings.push(finding);
        return;
    }
    zone.absent.push(DeclaredAbsence {
        address: Address::record_set(&zone.name, kind, owner, None),
        values,
    });
}

/// Where each attribute is written: its value, or its key where it has many.
fn places(entry: &raw::Record) -> BTreeMap<&'static str, Range<usize>> {
    let mut places = entry.keys.clone();
    let written = [
        ("type", entry.kind.as_ref().map(|kind| &kind.range)),
        ("ttl", entry.ttl.as_ref().map(|ttl| &ttl.range)),
        ("proxied", entry.proxied.as_ref().map(|proxied| &proxied.range)),
        ("comment", entry.comment.as_ref().map(|comment| &comment.range)),
    ];
    for (key, range) in written {
        places.extend(range.map(|range| (key, range.clone())));
    }
    places
}

/// `auto` where the provider has no TTL of its own behind that word.
fn settled(ttl: Ttl, capabilities: Option<&Capabilities>) -> Ttl {
    match (ttl, capabilities.and_then(|provider| provider.automatic_ttl)) {
        (Ttl::Auto, Some(seconds)) => Ttl::Seconds(seconds),
        (ttl, _) => ttl,
    }
}

/// A record with everything but its data.
fn template(entry: &raw::Record, zone_ttl: Ttl) -> Record {
    let mut template = Record::new(RecordData::Txt(Vec::new()));
    template.proxied = entry.proxied.as_ref().is_some_and(|proxied| proxied.value);
    template.ttl = match &entry.ttl {
        Some(ttl) => ttl.value,
        None if template.proxied => Ttl::Auto,
        None => zone_ttl,
    };
    template.comment = entry.comment.as_ref().map(|comment| comment.value.clone());
    let tags = entry.tags.as_ref();
    template.tags = tags.map(|tags| tags.0.iter().map(|tag| tag.value.clone()).collect::<BTreeSet<_>>());
    template
}

fn data(kind: RecordType, value: &Text, zone: &DomainName, findings: &mut Findings<'_>) -> Option<RecordData> {
    if kind == RecordType::Txt && value.value.contains('\n') {
        let finding = Diagnostic::error("bad-value", "a TXT value is one line, and this text has several")
            .at(findings.place(&value.range))
            .help("fold a long text with `>-`, which joins its lines with spaces, or write it on one line in quotes");
        findings.push(finding);
        return None;
    }
    match RecordData::parse(kind, &value.value, zone) {
        Ok(data) => Some(data),
        Err(error) => {
            let range = value.part(&error.span());
            let mut finding = Diagnostic::error("bad-value", text::sanitize(&error.to_string()).into_owned())
                .at(findings.place(&range))
                .label(format!("{kind} is written as {}", kind.form()));
            if let Some(advice) = error.advice().filter(|advice| !advice.starts_with("expected ")) {
                finding = finding.help(advice);
            }
            findings.push(finding);
            None
        }
    }
}
