//! One record out of several senders' terms: each once, in a stable order. What costs no lookup comes first, so that most
//! receivers find their match before they ask; within a class the order in which the terms were given stays.

use super::parse::{SyntaxError, parse_term};
use super::term::{Directive, Mechanism, Modifier, Qualifier, Record, TermKind};

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

    /// The record's text.
    pub fn build(&self) -> String {
        let mut directives: Vec<&Directive> = self.directives.iter().collect();
        // Terms that all pass may change places. An exception has to stay before what it is an exception from.
        if directives
            .iter()
            .all(|directive| directive.qualifier == Qualifier::Pass)
        {
            directives.sort_by_key(|directive| class(&directive.mechanism));
        }
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
