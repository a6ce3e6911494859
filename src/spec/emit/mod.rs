//! The other way round: from what is live in a zone to the text of a spec that declares it, for people to read and go on
//! with. Pure. What cannot be said in the language is written as a comment with the reason, and stays unmanaged. It
//! knows no provider's code and judges nothing: whoever asks for the text loads it and says what was refused.

mod mail;
mod page;
mod records;
mod rules;
mod secrets;
mod settings;
mod uptime;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::capability::Capabilities;
use crate::model::name::DomainName;
use crate::model::record_set::RecordSet;
use crate::model::rule::{Rule, RuleKind};
use crate::model::setting::Setting;
use crate::model::ttl::Ttl;
use page::{Page, Yaml, one_line};

pub use mail::WHOLE as WHOLE_MAIL;
pub use rules::{address as rule_address, is_unspeakable, item as rule_item, objection as objection_to_rule};
pub use settings::is_worth_saying;
pub use uptime::{EmittedUptime, emit_uptime};

/// How something is written down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Form {
    /// In the words of the language, as far as there are any.
    #[default]
    Words,
    /// In the provider's own words.
    Raw,
    /// As a comment, for this reason.
    Comment(String),
}

/// Something and how it is written down.
#[derive(Debug, Clone)]
pub struct Written<T> {
    /// What it is.
    pub what: T,
    /// How it is written down.
    pub form: Form,
}

impl<T> Written<T> {
    /// In words, as long as nobody objects.
    pub fn new(what: T) -> Self {
        Self {
            what,
            form: Form::Words,
        }
    }
}

/// A zone to be written down.
#[derive(Debug, Clone)]
pub struct EmittedZone {
    /// Its name.
    pub name: DomainName,
    /// Who keeps it.
    pub provider: Capabilities,
    /// The plan that is paid for there; empty where nothing is.
    pub plan: String,
    /// What is worth knowing about it, a line each.
    pub about: Vec<String>,
    /// Whether it is signed; `None` where the spec is not to speak of it.
    pub dnssec: Option<bool>,
    /// What it holds.
    pub sets: Vec<Written<RecordSet>>,
    /// Its rules, each list in its order.
    pub rules: Vec<Written<Rule>>,
    /// Its settings.
    pub settings: Vec<Written<Setting>>,
    /// Which pieces of an `email` block are not to be: their records are written one by one.
    pub without: BTreeSet<&'static str>,
}

impl EmittedZone {
    /// A zone of which nothing is said yet.
    pub fn new(name: DomainName, provider: Capabilities) -> Self {
        Self {
            name,
            provider,
            plan: String::new(),
            about: Vec::new(),
            dnssec: None,
            sets: Vec::new(),
            rules: Vec::new(),
            settings: Vec::new(),
            without: BTreeSet::new(),
        }
    }
}

/// What a line of a spec speaks of, by its position in the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A record set.
    Set(usize),
    /// A rule.
    Rule(usize),
    /// A setting.
    Setting(usize),
    /// A piece of the `email` block.
    Mail(&'static str),
    /// A contact.
    Contact(usize),
    /// A maintenance window.
    Window(usize),
    /// A check.
    Check(usize),
}

/// A spec as text, and what its lines speak of.
#[derive(Debug, Clone)]
pub struct Emitted {
    /// The text.
    pub text: String,
    /// For each line from 1 on that declares something: the zone by its position, and the part of it.
    pub parts: BTreeMap<usize, (usize, Part)>,
    /// The record sets that an `email` block declares, by zone and position, with the piece.
    pub mail: BTreeMap<(usize, usize), &'static str>,
}

/// What is said before the zones.
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// Comment lines.
    pub words: Vec<String>,
    /// The providers with the environment variables that hold their credentials.
    pub tokens: BTreeMap<String, String>,
}

/// The key under which rules of a kind stand, in the order of the page.
pub(super) const LISTS: [(RuleKind, &str); 7] = [
    (RuleKind::Redirect, "redirects"),
    (RuleKind::Cache, "cache"),
    (RuleKind::Header, "headers"),
    (RuleKind::RequestHeader, "request_headers"),
    (RuleKind::RateLimit, "rate_limits"),
    (RuleKind::Firewall, "firewall"),
    (RuleKind::Config, "config_rules"),
];

/// The key under which rules of a kind stand.
pub fn list_key(kind: RuleKind) -> &'static str {
    LISTS
        .iter()
        .find(|(known, _)| *known == kind)
        .map_or("", |(_, key)| key)
}

/// A spec up to what is declared in it.
fn begin(head: &Head) -> Page {
    let mut page = Page::default();
    for words in &head.words {
        page.line(&format!("# {}", one_line(words)));
    }
    page.line("version: 1");
    page.line("");
    page.line("providers:");
    for (provider, variable) in &head.tokens {
        page.line(&format!("  {provider}: {{ token: env:{variable} }}"));
    }
    page.line("");
    page
}

/// Writes zones down as a spec.
pub fn emit(zones: &[EmittedZone], head: &Head) -> Emitted {
    let mut page = begin(head);
    page.line("zones:");
    let mut mail = BTreeMap::new();
    for (at, zone) in zones.iter().enumerate() {
        if at > 0 {
            page.line("");
        }
        emit_zone(at, zone, &mut page, &mut mail);
    }
    Emitted {
        text: page.text,
        parts: page.parts,
        mail,
    }
}

fn emit_zone(at: usize, zone: &EmittedZone, page: &mut Page, mail: &mut BTreeMap<(usize, usize), &'static str>) {
    for words in &zone.about {
        page.line(&format!("  # {}", one_line(words)));
    }
    page.line(&format!("  {}:", zone.name));
    page.line(&format!("    provider: {}", zone.provider.name));
    let usual = records::commonest_ttl(zone);
    page.line(&format!("    ttl: {usual}"));
    if let Some(signed) = zone.dnssec {
        page.line(&format!("    dnssec: {signed}"));
    }
    let pieces = mail::pieces(zone, usual);
    let by_mail: BTreeSet<usize> = pieces.iter().flat_map(|piece| piece.sets.iter().copied()).collect();
    records::emit(at, zone, usual, &by_mail, page);
    rules::emit(at, zone, &LISTS[..1], page);
    settings::emit(at, zone, page);
    rules::emit(at, zone, &LISTS[1..], page);
    if !pieces.is_empty() {
        page.line("");
    }
    match pieces.as_slice() {
        [] => {}
        [one] if one.keys.is_empty() => {
            page.line_of(&format!("    email: {}", one.name), Some((at, Part::Mail(one.name))));
        }
        _ => page.line("    email:"),
    }
    for piece in &pieces {
        for (key, value) in &piece.keys {
            page.key(key, value, 6, Some((at, Part::Mail(piece.name))));
        }
        mail.extend(piece.sets.iter().map(|set| ((at, *set), piece.name)));
    }
}

/// The lines of one rule or record as an item of a list that stands at `indent`, and the same on one line; for whoever
/// adds to a spec that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// On one line, without a dash.
    pub flow: String,
    /// As the item of a list, each line without the list's indent.
    pub lines: Vec<String>,
}

impl Item {
    /// A record set as items of a list in which records without a TTL have `usual`.
    pub fn of_set(set: &RecordSet, usual: Ttl) -> Vec<Self> {
        let entries = records::entries(set, usual);
        let one_line = |entry: &Yaml| Self {
            flow: entry.flow(),
            lines: vec![format!("- {}", entry.flow())],
        };
        entries.iter().map(one_line).collect()
    }

    /// A setting as the pair of a key and a value.
    pub fn pair(setting: &Setting) -> String {
        format!("{}: {}", setting.id, Yaml::json(&setting.value).flow())
    }

    fn of(value: &Yaml, indent: usize) -> Self {
        Self {
            flow: value.flow(),
            lines: page::item_lines(value, indent)
                .into_iter()
                .map(|line| line.trim_end().to_owned())
                .collect(),
        }
    }
}
