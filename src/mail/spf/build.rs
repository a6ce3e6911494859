//! One record out of several senders' terms: each once, in a stable order. What costs no lookup comes first, so that most
//! receivers find their match before they ask; within a class the order in which the terms were given stays.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::network::{self, Network};
use super::parse::{SyntaxError, parse_term};
use super::term::{Directive, Mechanism, Modifier, Qualifier, Record, TermKind};
use crate::base::digest;
use crate::model::record::txt;

/// What the label of a record begins with that another one leads to; a digest of its text follows.
const PART: &str = "_spf-";
/// So many hexadecimal digits of the digest: enough that no two texts meet, and short in a record of 450 octets.
const DIGITS: usize = 12;

/// Terms gathered for one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Builder {
    directives: Vec<Directive>,
    modifiers: Vec<Modifier>,
    all: Qualifier,
}

impl Builder {
    /// No senders yet; what everybody else gets is `all`.
    pub fn new(all: Qualifier) -> Self {
        Self {
            directives: Vec::new(),
            modifiers: Vec::new(),
            all,
        }
    }

    /// Adds a term as a preset or a spec writes it. An `all` is refused: it is the builder's.
    pub fn term(&mut self, text: &str) -> Result<&mut Self, Vec<SyntaxError>> {
        match parse_term(text)?.kind {
            TermKind::Directive(directive) if directive.mechanism == Mechanism::All => Err(vec![SyntaxError::new(
                0..text.len(),
                "`all` is no sender: what everybody else gets is said apart",
            )]),
            TermKind::Directive(directive) => {
                self.directive(directive);
                Ok(self)
            }
            // A redirect is never looked at beside an `all` (RFC 7208 §6.1).
            TermKind::Modifier(Modifier::Redirect(_)) => Err(vec![SyntaxError::new(
                0..text.len(),
                "a redirect has no effect beside `all` (RFC 7208 §6.1)",
            )]),
            TermKind::Modifier(modifier) => {
                if !self.modifiers.contains(&modifier) {
                    self.modifiers.push(modifier);
                }
                Ok(self)
            }
        }
    }

    /// Adds the terms of a record, without its `all` and its redirect: to merge two records that stand at one name.
    pub fn record(&mut self, record: &Record) -> &mut Self {
        for (at, term) in record.terms.iter().enumerate() {
            let dead = record.all().is_some_and(|(end, _)| at >= end);
            match &term.kind {
                TermKind::Directive(directive) if !dead => self.directive(directive.clone()),
                TermKind::Modifier(Modifier::Redirect(_)) | TermKind::Directive(_) => {}
                TermKind::Modifier(modifier) => {
                    // `exp` stands once at most (§6): the first one stays.
                    let is_exp = matches!(modifier, Modifier::Explanation(_));
                    let has_exp = self
                        .modifiers
                        .iter()
                        .any(|other| matches!(other, Modifier::Explanation(_)));
                    if !(self.modifiers.contains(modifier) || is_exp && has_exp) {
                        self.modifiers.push(modifier.clone());
                    }
                }
            }
        }
        self
    }

    /// The first qualifier given to a mechanism stays: later terms of the same mechanism would never be reached.
    fn directive(&mut self, directive: Directive) {
        let key = key(&directive.mechanism);
        if !self.directives.iter().any(|other| self::key(&other.mechanism) == key) {
            self.directives.push(directive);
        }
    }

    /// How many terms of the record itself ask DNS.
    pub fn lookups(&self) -> usize {
        self.directives
            .iter()
            .filter(|directive| directive.mechanism.is_lookup())
            .count()
    }

    /// The domains whose records are included and pass, in lower case and without a final dot.
    pub fn includes(&self) -> Vec<String> {
        self.directives.iter().filter_map(included).collect()
    }

    /// The record's text.
    pub fn build(&self) -> String {
        self.text(ordered(self.directives.clone()))
    }

    /// The record with these includes as the networks that they stand for. When that is too long for one record of
    /// `room` octets, the networks go to records of their own below `domain`. Each is named by a digest of what it says:
    /// nobody else has that name, and what stands at it never changes, so that a receiver that still holds an older
    /// record of the domain finds what that one meant.
    pub fn flattened(&self, flat: &BTreeMap<String, Vec<Network>>, domain: &str, room: usize) -> Layout {
        let runs = self.runs(flat);
        let mut inline = Self::new(self.all);
        for run in &runs {
            match run {
                Run::Kept(directive) => inline.directive(directive.clone()),
                Run::Flat(networks) => networks.iter().for_each(|network| inline.directive(literal(network))),
            }
        }
        inline.modifiers.clone_from(&self.modifiers);
        let record = inline.build();
        if txt::wire_length(record.as_bytes()) <= room {
            return Layout {
                record,
                parts: Vec::new(),
            };
        }
        let mut directives = Vec::new();
        let mut parts: Vec<(String, String)> = Vec::new();
        for run in runs {
            match run {
                Run::Kept(directive) => directives.push(directive),
                Run::Flat(networks) => {
                    for part in pages(&networks, room) {
                        let label = format!("{PART}{}", digest::short(part.as_bytes(), DIGITS));
                        if parts.iter().any(|(other, _)| *other == label) {
                            continue;
                        }
                        if let Ok(term) = parse_term(&format!("include:{label}.{domain}")) {
                            directives.extend(term.directive().cloned());
                        }
                        parts.push((label, part));
                    }
                }
            }
        }
        Layout {
            record: self.text(directives),
            parts,
        }
    }

    /// The directives in their order, those that are flattened gathered where they stand beside each other.
    fn runs(&self, flat: &BTreeMap<String, Vec<Network>>) -> Vec<Run> {
        let mut directives = ordered(self.directives.clone());
        let is_flat = |directive: &Directive| included(directive).is_some_and(|name| flat.contains_key(&name));
        if directives.iter().all(passes) {
            // Flattened ones cost less than the rest, and beside each other they share records.
            directives.sort_by_key(|directive| !is_flat(directive) && directive.mechanism.is_lookup());
        }
        let mut runs: Vec<Run> = Vec::new();
        for directive in directives {
            let networks = included(&directive).and_then(|name| flat.get(&name));
            match (networks, runs.last_mut()) {
                (Some(networks), Some(Run::Flat(all))) => all.extend(networks),
                (Some(networks), _) => runs.push(Run::Flat(networks.clone())),
                (None, _) => runs.push(Run::Kept(directive)),
            }
        }
        for run in &mut runs {
            if let Run::Flat(networks) = run {
                *networks = network::fewest(networks.iter().copied());
            }
        }
        runs
    }

    fn text(&self, directives: Vec<Directive>) -> String {
        let mut out = String::from("v=spf1");
        for directive in directives {
            out.push_str(&format!(" {directive}"));
        }
        for modifier in &self.modifiers {
            out.push_str(&format!(" {modifier}"));
        }
        out.push_str(&format!(" {}all", sign(self.all)));
        out
    }
}

/// A record, and those that it leads to because it would be too long by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The domain's own.
    pub record: String,
    /// The others, by their labels below the domain.
    pub parts: Vec<(String, String)>,
}

/// What stands at one place of a record.
enum Run {
    Kept(Directive),
    Flat(Vec<Network>),
}

/// Terms that all pass may change places. An exception has to stay before what it is an exception from.
fn ordered(mut directives: Vec<Directive>) -> Vec<Directive> {
    if directives.iter().all(passes) {
        directives.sort_by_key(|directive| class(&directive.mechanism));
    }
    directives
}

fn passes(directive: &Directive) -> bool {
    directive.qualifier == Qualifier::Pass
}

/// The domain of an include that passes.
fn included(directive: &Directive) -> Option<String> {
    match &directive.mechanism {
        Mechanism::Include(domain) if passes(directive) => domain.literal(),
        _ => None,
    }
}

fn literal(network: &Network) -> Directive {
    let mechanism = match network.address() {
        IpAddr::V4(address) => Mechanism::Ip4(address, network.prefix()),
        IpAddr::V6(address) => Mechanism::Ip6(address, network.prefix()),
    };
    Directive {
        qualifier: Qualifier::Pass,
        mechanism,
    }
}

/// The networks as records of at most `room` octets each. Nobody sends as one of these names, so they end with `-all`.
fn pages(networks: &[Network], room: usize) -> Vec<String> {
    let mut pages: Vec<Builder> = Vec::new();
    for network in networks {
        let fits = |page: &mut Builder| {
            let mut with = page.clone();
            with.directive(literal(network));
            let fits = txt::wire_length(with.build().as_bytes()) <= room;
            if fits {
                *page = with;
            }
            fits
        };
        if !pages.last_mut().is_some_and(fits) {
            let mut page = Builder::new(Qualifier::Fail);
            page.directive(literal(network));
            pages.push(page);
        }
    }
    pages.iter().map(Builder::build).collect()
}

/// The text by which two mechanisms are the same: names in lower case and without a final dot.
fn key(mechanism: &Mechanism) -> String {
    let text = mechanism.to_string();
    match mechanism.domain().and_then(super::DomainSpec::literal) {
        Some(_) => text.trim_end_matches('.').to_ascii_lowercase(),
        // Macro letters differ by case.
        None => text,
    }
}

fn class(mechanism: &Mechanism) -> u8 {
    match mechanism {
        Mechanism::Ip4(..) => 0,
        Mechanism::Ip6(..) => 1,
        Mechanism::A(..) | Mechanism::Mx(..) => 2,
        Mechanism::Include(_) => 3,
        Mechanism::Exists(_) => 4,
        Mechanism::Ptr(_) => 5,
        Mechanism::All => 6,
    }
}

fn sign(qualifier: Qualifier) -> &'static str {
    match qualifier {
        Qualifier::Pass => "",
        Qualifier::Fail => "-",
        Qualifier::SoftFail => "~",
        Qualifier::Neutral => "?",
    }
}

/// Several records of one name as one, with the softest of their endings; `None` when one of them redirects, since
/// that has no equal beside other terms.
pub fn merged(records: &[Record]) -> Option<String> {
    if records
        .iter()
        .any(|record| record.redirect().is_some() && record.all().is_none())
    {
        return None;
    }
    let endings = records
        .iter()
        .map(|record| record.all().map_or(Qualifier::Neutral, |(_, qualifier)| qualifier));
    // A `+all` is no ending to keep: it is the mistake of one record, not the will of both.
    let softest = endings
        .filter(|qualifier| *qualifier != Qualifier::Pass)
        .max_by_key(|qualifier| match qualifier {
            Qualifier::Neutral => 2,
            Qualifier::SoftFail => 1,
            Qualifier::Fail | Qualifier::Pass => 0,
        })
        .unwrap_or(Qualifier::SoftFail);
    let mut builder = Builder::new(softest);
    for record in records {
        builder.record(record);
    }
    Some(builder.build())
}
