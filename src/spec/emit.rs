//! The other way round: from the record sets of a zone to the text of a spec that declares them, for people to read and go
//! on with. Pure. What cannot be said in the language is written as a comment with the reason, and stays unmanaged. It
//! knows no provider's code and judges nothing: whoever asks for the text loads it and says what was refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::model::record_set::{Record, RecordSet};
use crate::model::ttl::Ttl;

/// A zone to be written down.
#[derive(Debug, Clone)]
pub struct EmittedZone {
    /// Its name.
    pub name: DomainName,
    /// The provider's name in specs.
    pub provider: String,
    /// Whether it is signed; `None` where the spec is not to speak of it.
    pub dnssec: Option<bool>,
    /// What it holds, each with the reason for which it is only a comment, if there is one.
    pub sets: Vec<(RecordSet, Option<String>)>,
}

/// A spec as text, and where each set stands in it.
#[derive(Debug, Clone)]
pub struct Emitted {
    /// The text.
    pub text: String,
    /// For each line from 1 on that declares records: the zone and the set in it, by their positions.
    pub lines: BTreeMap<usize, (usize, usize)>,
}

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

/// Writes zones down as a spec. `tokens` are the providers with the environment variables that hold their credentials.
pub fn emit(zones: &[EmittedZone], tokens: &BTreeMap<String, String>) -> Emitted {
    let mut text = "# Written by `launchctl import` from what is live. Planning it changes nothing.\n\
         # DNS only: settings and rules of the zone are not in here, and stay as they are.\nversion: 1\n\nproviders:\n"
        .to_owned();
    for (provider, variable) in tokens {
        let _ = writeln!(text, "  {provider}: {{ token: env:{variable} }}");
    }
    text.push_str("\nzones:\n");
    let mut starts = BTreeMap::new();
    for (at, zone) in zones.iter().enumerate() {
        emit_zone(at, zone, &mut text, &mut starts);
    }
    let mut lines = BTreeMap::new();
    let mut offset = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if let Some(declared) = starts.get(&offset) {
            lines.insert(index + 1, *declared);
        }
        offset += line.len();
    }
    Emitted { text, lines }
}

fn emit_zone(at: usize, zone: &EmittedZone, text: &mut String, starts: &mut BTreeMap<usize, (usize, usize)>) {
    let usual = commonest_ttl(zone);
    let _ = writeln!(text, "  {}:\n    provider: {}", zone.name, zone.provider);
    let _ = writeln!(text, "    ttl: {usual}");
    if let Some(signed) = zone.dnssec {
        let _ = writeln!(text, "    dnssec: {signed}");
    }
    if zone.sets.iter().all(|(_, reason)| reason.is_some()) {
        text.push_str("    records: []\n");
    } else {
        text.push_str("    records:\n");
    }
    for (group, title) in Group::ALL {
        let mut members: Vec<usize> = (0..zone.sets.len())
            .filter(|index| Group::of(&zone.sets[*index].0) == group)
            .collect();
        members.sort_by_key(|index| sorted_by(&zone.sets[*index].0));
        if members.is_empty() {
            continue;
        }
        let _ = writeln!(text, "      # {title}");
        for index in members {
            let (set, reason) = &zone.sets[index];
            if let Some(reason) = reason {
                let _ = writeln!(text, "      # Left as it is, unmanaged: {}", one_line(reason));
            }
            for line in entries(set, usual) {
                let mark = if reason.is_some() { "# " } else { "" };
                if reason.is_none() {
                    starts.insert(text.len(), (at, index));
                }
                let _ = writeln!(text, "      {mark}- {line}");
            }
        }
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
fn commonest_ttl(zone: &EmittedZone) -> Ttl {
    let mut counts: BTreeMap<String, (usize, Ttl)> = BTreeMap::new();
    let records = zone.sets.iter().flat_map(|(set, _)| &set.records);
    for record in records.filter(|record| !record.proxied) {
        counts.entry(record.ttl.to_string()).or_insert((0, record.ttl)).0 += 1;
    }
    let most = counts.values().max_by_key(|(count, _)| *count);
    most.map_or(Ttl::Auto, |(_, ttl)| *ttl)
}

/// The lines of a set: one for all of its records where they differ in nothing but their data.
fn entries(set: &RecordSet, usual: Ttl) -> Vec<String> {
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

fn entry(set: &RecordSet, records: &[Record], first: &Record, usual: Ttl) -> String {
    let values: Vec<String> = records.iter().map(|record| quoted(&record.data.to_string())).collect();
    let name = scalar(set.name.relative_to(&set.zone));
    let mut line = format!("{{ type: {}, name: {name}, ", set.kind);
    match values.as_slice() {
        [value] => line.push_str(&format!("value: {value}")),
        values => line.push_str(&format!("values: [{}]", values.join(", "))),
    }
    if first.proxied {
        line.push_str(", proxied: true");
    } else if first.ttl != usual {
        line.push_str(&format!(", ttl: {}", first.ttl));
    }
    if let Some(comment) = first.comment.as_ref().filter(|comment| !comment.is_empty()) {
        line.push_str(&format!(", comment: {}", quoted(comment)));
    }
    if let Some(tags) = first.tags.as_ref().filter(|tags| !tags.is_empty()) {
        let tags: Vec<String> = tags.iter().map(|tag| quoted(tag)).collect();
        line.push_str(&format!(", tags: [{}]", tags.join(", ")));
    }
    line.push_str(" }");
    line
}

/// A name as it is, where no reader of YAML 1.1 or 1.2 could take it for anything but a text.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let begins_plainly = text.starts_with(|c: char| c.is_ascii_lowercase());
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    if begins_plainly && text.chars().all(is_plain) && !WORDS.contains(&text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A text in double quotes. What a terminal or a reader of YAML could take for more than a character is escaped, and `${`
/// is said as itself and not as a variable.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.replace("${", "$${").chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn one_line(text: &str) -> String {
    crate::base::text::sanitize(text)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
