//! Records held in memory as a source of answers: the compiled records of a spec before they are published, and the
//! zones of tests.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Authorization, Dns, Exchanger, Lookup, Pending, QueryName, Question};
use crate::model::name::DomainName;
use crate::model::record::RecordData;

/// How many aliases are followed before the chain is taken for a loop.
const LONGEST_CHAIN: usize = 8;

/// A record as it is kept here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the record types' own")]
pub enum Stored {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Caa(Authorization),
    Cname(QueryName),
    Mx(Exchanger),
    Ptr(QueryName),
    Tlsa(u8),
    Txt(Vec<u8>),
}

impl Stored {
    /// The record, when it is of a type that mail asks for.
    pub fn from_record(data: &RecordData) -> Option<Self> {
        Some(match data {
            RecordData::A(address) => Self::A(*address),
            RecordData::Aaaa(address) => Self::Aaaa(*address),
            RecordData::Caa(caa) => Self::Caa(Authorization {
                flags: caa.flags,
                tag: caa.tag.clone(),
                value: caa.value.clone(),
            }),
            RecordData::Cname(target) => Self::Cname(target.into()),
            RecordData::Mx(mx) => Self::Mx(Exchanger {
                preference: mx.priority,
                host: mx.host.host().map(QueryName::from),
            }),
            RecordData::Ptr(target) => Self::Ptr(target.into()),
            RecordData::Tlsa(tlsa) => Self::Tlsa(tlsa.usage),
            RecordData::Txt(value) => Self::Txt(value.clone()),
            _ => return None,
        })
    }
}

/// What is said about names that are not held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Elsewhere {
    /// They do not exist.
    #[default]
    NoSuchName,
    /// Only names within these zones are known; nothing is known of others.
    UnknownOutside(Vec<QueryName>),
}

/// Records by name. Wildcards are answered as RFC 4592 says, aliases are followed.
#[derive(Debug, Clone, Default)]
pub struct MemoryZone {
    names: BTreeMap<QueryName, Vec<Stored>>,
    present: BTreeSet<QueryName>,
    failing: BTreeSet<(QueryName, Option<Question>)>,
    elsewhere: Elsewhere,
}

impl MemoryZone {
    /// An empty one.
    pub fn new(elsewhere: Elsewhere) -> Self {
        Self {
            elsewhere,
            ..Self::default()
        }
    }

    /// Adds a record.
    pub fn add(&mut self, name: &QueryName, record: Stored) -> &mut Self {
        self.touch(name);
        self.names.entry(name.clone()).or_default().push(record);
        self
    }

    /// Adds a record of a spec; types that mail does not ask for only make the name exist.
    pub fn add_record(&mut self, name: &DomainName, data: &RecordData) -> &mut Self {
        let name = QueryName::from(name);
        self.touch(&name);
        if let Some(stored) = Stored::from_record(data) {
            self.names.entry(name).or_default().push(stored);
        }
        self
    }

    /// Makes a question fail at a name: one type, or all of them.
    pub fn fail(&mut self, name: &QueryName, question: Option<Question>) -> &mut Self {
        self.touch(name);
        self.failing.insert((name.clone(), question));
        self
    }

    /// The name exists, and with it every name above (empty non-terminals, RFC 8020).
    fn touch(&mut self, name: &QueryName) {
        let mut at = Some(name.clone());
        while let Some(name) = at {
            at = name.parent();
            self.present.insert(name);
        }
    }

    fn fails(&self, name: &QueryName, question: Question) -> bool {
        [None, Some(question)]
            .into_iter()
            .any(|asked| self.failing.contains(&(name.clone(), asked)))
    }

    /// Where the answer for `name` stands: at the name, or at the wildcard below its closest encloser (RFC 4592 §3.3.1).
    fn source(&self, name: &QueryName) -> Option<QueryName> {
        if self.present.contains(name) {
            return Some(name.clone());
        }
        let mut encloser = name.parent();
        while let Some(above) = encloser {
            if self.present.contains(&above) {
                return above.prefixed("*").ok().filter(|wild| self.present.contains(wild));
            }
            encloser = above.parent();
        }
        None
    }

    fn absent(&self, name: &QueryName) -> Lookup<Stored> {
        match &self.elsewhere {
            Elsewhere::UnknownOutside(zones) if !zones.iter().any(|zone| name.is_within(zone)) => {
                Lookup::Failed(format!("{name} is outside of what is known here"))
            }
            _ => Lookup::NoSuchName,
        }
    }

    fn at(&self, name: &QueryName, question: Question) -> Lookup<Stored> {
        if self.fails(name, question) {
            return Lookup::Failed("no answer".to_owned());
        }
        let Some(source) = self.source(name) else {
            return self.absent(name);
        };
        let records = self.names.get(&source).map(Vec::as_slice).unwrap_or_default();
        Lookup::of(
            records
                .iter()
                .filter(|record| kind(record) == question)
                .cloned()
                .collect(),
        )
    }

    fn follow(&self, name: &QueryName, question: Question) -> Lookup<Stored> {
        let mut name = name.clone();
        for _ in 0..=LONGEST_CHAIN {
            match self.at(&name, question) {
                Lookup::NoData => match self.at(&name, Question::Cname) {
                    Lookup::Records(aliases) => match aliases.first() {
                        Some(Stored::Cname(target)) => name = target.clone(),
                        _ => return Lookup::NoData,
                    },
                    _ => return Lookup::NoData,
                },
                answer => return answer,
            }
        }
        Lookup::Failed("the aliases go in a circle".to_owned())
    }
}

fn kind(record: &Stored) -> Question {
    match record {
        Stored::A(_) => Question::A,
        Stored::Aaaa(_) => Question::Aaaa,
        Stored::Caa(_) => Question::Caa,
        Stored::Cname(_) => Question::Cname,
        Stored::Mx(_) => Question::Mx,
        Stored::Ptr(_) => Question::Ptr,
        Stored::Tlsa(_) => Question::Tlsa,
        Stored::Txt(_) => Question::Txt,
    }
}

/// The records of one type out of an answer that holds only that type.
fn only<T>(answer: Lookup<Stored>, pick: impl Fn(Stored) -> Option<T>) -> Lookup<T> {
    match answer {
        Lookup::Records(records) => Lookup::of(records.into_iter().filter_map(pick).collect()),
        Lookup::NoSuchName => Lookup::NoSuchName,
        Lookup::NoData => Lookup::NoData,
        Lookup::Failed(why) => Lookup::Failed(why),
    }
}

macro_rules! answers {
    ($($method:ident $question:ident $kind:ty, $walk:ident;)+) => {
        impl Dns for MemoryZone {
            $(fn $method<'a>(&'a self, name: &'a QueryName) -> Pending<'a, $kind> {
                Box::pin(ready(only(self.$walk(name, Question::$question), |record| match record {
                    Stored::$question(value) => Some(value),
                    _ => None,
                })))
            })+
        }
    };
}

answers! {
    txt Txt Vec<u8>, follow;
    a A Ipv4Addr, follow;
    aaaa Aaaa Ipv6Addr, follow;
    mx Mx Exchanger, follow;
    ptr Ptr QueryName, follow;
    cname Cname QueryName, at;
    caa Caa Authorization, follow;
    tlsa Tlsa u8, follow;
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn name(text: &str) -> QueryName {
        QueryName::parse(text).unwrap()
    }

    fn txt(zone: &MemoryZone, at: &str) -> Lookup<Vec<u8>> {
        super::super::txt(zone, &name(at)).now_or_never().unwrap()
    }

    #[test]
    fn wildcards_aliases_and_empty_names_are_answered_as_dns_does() {
        let mut zone = MemoryZone::default();
        zone.add(&name("*.acme.example"), Stored::Txt(b"wild".to_vec()))
            .add(&name("deep.below.acme.example"), Stored::Txt(b"deep".to_vec()))
            .add(
                &name("alias.acme.example"),
                Stored::Cname(name("deep.below.acme.example")),
            )
            .add(&name("loop.acme.example"), Stored::Cname(name("loop.acme.example")));
        assert_eq!(txt(&zone, "any.acme.example"), Lookup::Records(vec![b"wild".to_vec()]));
        assert_eq!(txt(&zone, "below.acme.example"), Lookup::NoData);
        // A wildcard does not reach below a name that exists (RFC 4592 §2.2.2).
        assert_eq!(txt(&zone, "other.below.acme.example"), Lookup::NoSuchName);
        assert_eq!(
            txt(&zone, "alias.acme.example"),
            Lookup::Records(vec![b"deep".to_vec()])
        );
        assert!(txt(&zone, "loop.acme.example").failure().is_some());
        assert_eq!(txt(&zone, "other.example"), Lookup::NoSuchName);
    }

    #[test]
    fn names_outside_of_what_is_known_are_unknown_and_not_absent() {
        let zone = MemoryZone::new(Elsewhere::UnknownOutside(vec![name("acme.example")]));
        assert!(txt(&zone, "_spf.google.com").failure().is_some());
        assert_eq!(txt(&zone, "www.acme.example"), Lookup::NoSuchName);
    }

    #[test]
    fn an_answer_beyond_its_bounds_is_no_answer() {
        let mut zone = MemoryZone::default();
        for _ in 0..3 {
            zone.add(&name("big.example"), Stored::Txt(vec![b'x'; 30_000]));
        }
        assert!(txt(&zone, "big.example").failure().is_some());
    }
}
