//! Records as entries, in groups by what they are for, each group from the zone itself outward.

use std::collections::{BTreeMap, BTreeSet};

use super::page::{Page, Yaml};
use super::{EmittedZone, Form, Part};
use crate::model::record::{RecordData, RecordType};
use crate::model::record_set::{Record, RecordSet};
use crate::model::ttl::Ttl;

/// What a record is for, in the order of the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Site,
    Mail,
    Verification,
    Services,
    Delegations,
    Other,
}

impl Group {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Site, "Site"),
        (Self::Mail, "Mail"),
        (Self::Verification, "Verification tokens"),
        (Self::Services, "Services"),
        (Self::Delegations, "Delegations"),
        (Self::Other, "Other"),
    ];

    fn of(set: &RecordSet) -> Self {
        let name = set.name.relative_to(&set.zone);
        let is_mail_name = ["_dmarc", "_domainkey", "_mta-sts", "_smtp._tls", "_bimi"]
            .iter()
            .any(|word| name.contains(word));
        match set.kind {
            RecordType::Mx | RecordType::Openpgpkey | RecordType::Smimea => Self::Mail,
            RecordType::Cname | RecordType::Txt if is_mail_name => Self::Mail,
            RecordType::Txt => {
                let text = set.records.first().map(|record| record.data.to_string());
                let text = text.unwrap_or_default().to_ascii_lowercase();
                if text.starts_with("v=spf1") {
                    Self::Mail
                } else if text.contains("verif") || text.starts_with("ms=") {
                    Self::Verification
                } else {
                    Self::Other
                }
            }
            RecordType::A
            | RecordType::Aaaa
            | RecordType::Alias
            | RecordType::Cname
            | RecordType::Https
            | RecordType::Caa => Self::Site,
            RecordType::Srv | RecordType::Svcb | RecordType::Naptr | RecordType::Uri | RecordType::Tlsa => {
                Self::Services
            }
            RecordType::Ns | RecordType::Ds => Self::Delegations,
            _ => Self::Other,
        }
    }
}

/// The `records` of a zone, but for those that its `email` block declares.
pub(super) fn emit(at: usize, zone: &EmittedZone, usual: Ttl, by_mail: &BTreeSet<usize>, page: &mut Page) {
    let is_declared = |(index, set): (usize, &super::Written<RecordSet>)| {
        !by_mail.contains(&index) && !matches!(set.form, Form::Comment(_))
    };
    page.line("");
    if zone.sets.iter().enumerate().any(is_declared) {
        page.line("    records:");
    } else {
        page.line("    records: []");
    }
    let mut is_first = true;
    for (group, title) in Group::ALL {
        let mut members: Vec<usize> = (0..zone.sets.len())
            .filter(|index| !by_mail.contains(index) && Group::of(&zone.sets[*index].what) == group)
            .collect();
        members.sort_by_key(|index| sorted_by(&zone.sets[*index].what));
        if members.is_empty() {
            continue;
        }
        if !is_first {
            page.line("");
        }
        is_first = false;
        page.line(&format!("      # {title}"));
        for index in members {
            let set = &zone.sets[index];
            for entry in entries(&set.what, usual) {
                match &set.form {
                    Form::Comment(reason) => page.aside(&entry, reason, 6),
                    // A record stands on one line, however long: so a zone is a table.
                    Form::Words | Form::Raw => {
                        page.line_of(&format!("      - {}", in_columns(&entry)), Some((at, Part::Set(index))));
                    }
                }
            }
        }
    }
}

/// An entry on one line, its name below the names of the others.
fn in_columns(entry: &Yaml) -> String {
    let line = entry.flow();
    match line.split_once(", name: ") {
        Some((kind, rest)) => format!("{:<14} name: {rest}", format!("{kind},")),
        None => line,
    }
}

/// The zone itself first, then by name from the right, then by type and data.
fn sorted_by(set: &RecordSet) -> (Vec<String>, &'static str, Option<&RecordData>) {
    let labels = set.name.labels().rev().map(ToOwned::to_owned).collect();
    (
        labels,
        set.kind.as_str(),
        set.records.first().map(|record| &record.data),
    )
}

/// What most records have that do not have the edge's own; it is said once, for the zone.
pub(super) fn commonest_ttl(zone: &EmittedZone) -> Ttl {
    let mut counts: BTreeMap<String, (usize, Ttl)> = BTreeMap::new();
    let records = zone.sets.iter().flat_map(|set| &set.what.records);
    for record in records.filter(|record| !record.proxied) {
        counts.entry(record.ttl.to_string()).or_insert((0, record.ttl)).0 += 1;
    }
    let most = counts.values().max_by_key(|(count, _)| *count);
    most.map_or(Ttl::Auto, |(_, ttl)| *ttl)
}

/// The entries of a set: one for all of its records where they differ in nothing but their data.
pub(super) fn entries(set: &RecordSet, usual: Ttl) -> Vec<Yaml> {
    let beside = |record: &Record| (record.ttl, record.proxied, record.comment.clone(), record.tags.clone());
    let Some(first) = set.records.first() else {
        return Vec::new();
    };
    if set.records.iter().all(|record| beside(record) == beside(first)) {
        vec![entry(set, &set.records, first, usual)]
    } else {
        let one = |record| entry(set, std::slice::from_ref(record), record, usual);
        set.records.iter().map(one).collect()
    }
}

fn entry(set: &RecordSet, records: &[Record], first: &Record, usual: Ttl) -> Yaml {
    let value = |record: &Record| Yaml::text(&record.data.to_string());
    let mut entry: Vec<(String, Yaml)> = vec![
        ("type".into(), Yaml::word(set.kind)),
        ("name".into(), Yaml::text(set.name.relative_to(&set.zone))),
        match records {
            [one] => ("value".into(), value(one)),
            several => ("values".into(), Yaml::List(several.iter().map(value).collect())),
        },
    ];
    if first.proxied {
        entry.push(("proxied".into(), Yaml::word("true")));
    } else if first.ttl != usual {
        entry.push(("ttl".into(), Yaml::word(first.ttl)));
    }
    if let Some(comment) = first.comment.as_ref().filter(|comment| !comment.is_empty()) {
        entry.push(("comment".into(), Yaml::text(comment)));
    }
    if let Some(tags) = first.tags.as_ref().filter(|tags| !tags.is_empty()) {
        let tags = tags.iter().map(|tag| Yaml::text(tag)).collect();
        entry.push(("tags".into(), Yaml::List(tags)));
    }
    Yaml::Map(entry)
}
