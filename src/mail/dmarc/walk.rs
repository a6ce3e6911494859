//! The DNS tree walk (RFC 9989 §4.10): where a domain's policy stands, and which domain its organization is.

use super::parse::is_dmarc;
use super::{Policy, PublicSuffix, Record, parse};
use crate::mail::dns::{self, Dns, Lookup, QueryName};

/// Labels that remain after the first step from a long name (RFC 9989 §4.10, step 4).
const REMAINING: usize = 7;

/// What stood at one name of the walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// One policy record.
    Record(Box<Record>),
    /// No policy record.
    Nothing,
    /// Several, which are all discarded; their texts.
    Several(Vec<String>),
    /// DNS did not answer.
    Unknown(String),
}

/// One name of the walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkStep {
    /// The domain, without `_dmarc`.
    pub domain: QueryName,
    /// What stood there.
    pub found: Found,
}

impl WalkStep {
    /// The record, when there is exactly one.
    pub fn record(&self) -> Option<&Record> {
        match &self.found {
            Found::Record(record) => Some(record),
            _ => None,
        }
    }
}

/// Why the walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// A record with `psd=n` or `psd=y`.
    PublicSuffix,
    /// No labels were left.
    Root,
}

/// Whose record gives the policy (RFC 9989 §4.10.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The author domain's own.
    Author,
    /// Its organization's.
    Organization,
    /// The public suffix's above it.
    PublicSuffix,
}

/// Whether a domain exists (RFC 9989 §3.2.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existence {
    /// It does.
    Exists,
    /// NXDOMAIN.
    DoesNotExist,
    /// DNS did not answer.
    Unknown,
}

/// What the walk found for one domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// The domain it began with.
    pub domain: QueryName,
    /// The names in the order they were asked.
    pub steps: Vec<WalkStep>,
    /// Why it ended.
    pub stop: Stop,
}

/// The names that the walk asks about, at most eight (RFC 9989 §4.10).
pub fn walk_names(domain: &QueryName) -> Vec<QueryName> {
    let mut names = vec![domain.clone()];
    let mut next = domain.parent();
    while let Some(name) = next {
        if name.depth() <= REMAINING {
            names.push(name.clone());
        }
        next = name.parent();
    }
    names
}

/// The name at which a domain's policy stands.
pub fn policy_name(domain: &QueryName) -> Option<QueryName> {
    domain.prefixed("_dmarc").ok()
}

/// Walks up from `domain`.
pub async fn discover(dns: &dyn Dns, domain: &QueryName) -> Discovery {
    let mut steps = Vec::new();
    for name in walk_names(domain) {
        let found = match policy_name(&name) {
            Some(at) => found(dns::txt(dns, &at).await),
            // A name too long for the label in front cannot have a record.
            None => Found::Nothing,
        };
        let step = WalkStep { domain: name, found };
        let ends = step
            .record()
            .is_some_and(|record| record.public_suffix != PublicSuffix::Unsaid);
        steps.push(step);
        if ends {
            return Discovery {
                domain: domain.clone(),
                steps,
                stop: Stop::PublicSuffix,
            };
        }
    }
    Discovery {
        domain: domain.clone(),
        steps,
        stop: Stop::Root,
    }
}

/// Other TXT values are discarded, and so are several policy records (RFC 9989 §4.10, steps 2 and 6).
pub(super) fn found(answer: Lookup<Vec<u8>>) -> Found {
    let values = match answer {
        Lookup::Failed(why) => return Found::Unknown(why),
        Lookup::NoSuchName | Lookup::NoData => return Found::Nothing,
        Lookup::Records(values) => values,
    };
    let mut texts: Vec<String> = values
        .iter()
        .filter(|value| is_dmarc(value))
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .collect();
    match (texts.len(), texts.pop()) {
        (1, Some(text)) => Found::Record(Box::new(parse(&text))),
        (0, _) | (_, None) => Found::Nothing,
        (_, Some(last)) => {
            texts.push(last);
            Found::Several(texts)
        }
    }
}

/// Whether a domain exists: any answer but NXDOMAIN says so.
pub async fn exists(dns: &dyn Dns, domain: &QueryName) -> Existence {
    match dns::a(dns, domain).await {
        Lookup::Records(_) | Lookup::NoData => Existence::Exists,
        Lookup::NoSuchName => Existence::DoesNotExist,
        Lookup::Failed(_) => Existence::Unknown,
    }
}

impl Discovery {
    /// What DNS did not answer; as long as there is any, nothing below is sure.
    pub fn unknown(&self) -> Vec<String> {
        self.steps
            .iter()
            .filter_map(|step| match &step.found {
                Found::Unknown(why) => Some(format!("TXT of _dmarc.{}: {why}", step.domain)),
                _ => None,
            })
            .collect()
    }

    /// The organizational domain (RFC 9989 §4.10.2). Names that DNS did not answer for count as without a record.
    pub fn organizational(&self) -> QueryName {
        for step in &self.steps {
            let Some(record) = step.record() else {
                continue;
            };
            match record.public_suffix {
                PublicSuffix::No => return step.domain.clone(),
                PublicSuffix::Yes if step.domain != self.domain => return self.below(&step.domain),
                PublicSuffix::Yes | PublicSuffix::Unsaid => {}
            }
        }
        let shortest = self.steps.iter().rev().find(|step| step.record().is_some());
        shortest.map_or_else(|| self.domain.clone(), |step| step.domain.clone())
    }

    /// The name one label below `suffix` on the way to the domain.
    fn below(&self, suffix: &QueryName) -> QueryName {
        let mut name = self.domain.clone();
        while let Some(parent) = name.parent() {
            if parent == *suffix {
                return name;
            }
            name = parent;
        }
        self.domain.clone()
    }

    /// The record that gives the policy, whose it is, and where it stands (RFC 9989 §4.10.1).
    pub fn policy_record(&self) -> Option<(Source, &WalkStep, &Record)> {
        let author = self.steps.first()?;
        if let Some(record) = author.record() {
            return Some((Source::Author, author, record));
        }
        let organization = self.organizational();
        let at = |source, wanted: &dyn Fn(&WalkStep, &Record) -> bool| {
            self.steps.iter().find_map(|step| {
                let record = step.record()?;
                wanted(step, record).then_some((source, step, record))
            })
        };
        at(Source::Organization, &|step, _| step.domain == organization).or_else(|| {
            at(Source::PublicSuffix, &|_, record| {
                record.public_suffix == PublicSuffix::Yes
            })
        })
    }

    /// The policy that receivers apply; `None` when DMARC does not apply.
    pub fn policy(&self, existence: Existence) -> Option<Policy> {
        let (source, _, record) = self.policy_record()?;
        if !record.is_applied() {
            return None;
        }
        Some(match (source, existence) {
            (Source::Author, _) => record.for_domain(),
            (_, Existence::DoesNotExist) => record.for_nonexistent(),
            // Unknown counts as existing: that is what a receiver most often sees.
            (_, Existence::Exists | Existence::Unknown) => record.for_subdomains(),
        })
    }
}
