//! What the mail rooms need to know of DNS: eight questions and four kinds of answer. A real resolver, a zone held in
//! memory and a test all stand behind [`Dns`]. Knows no packets, no cache and no network.

mod memory;
mod query_name;

use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::pin::Pin;

pub use memory::{Elsewhere, MemoryZone, Stored};
pub use query_name::{QueryName, QueryNameError};

/// The most records that an answer may hold: more than fit into 64 KiB of addresses.
pub const MOST_RECORDS: usize = 4096;
/// The most octets that the values of one TXT answer may hold together (a DNS message ends at 65,535).
pub const MOST_OCTETS: usize = 65_535;

/// What a source answers with, sooner or later.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Lookup<T>> + Send + 'a>>;

/// What became of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<T> {
    /// Records of the type asked for, at the name or at the end of its aliases; at least one.
    Records(Vec<T>),
    /// The name does not exist (NXDOMAIN).
    NoSuchName,
    /// The name exists, without records of this type.
    NoData,
    /// Nothing is known: no answer in time, SERVFAIL, or an answer that cannot be believed. Says why.
    Failed(String),
}

impl<T> Lookup<T> {
    /// Records, or no data when there are none.
    pub fn of(records: Vec<T>) -> Self {
        if records.is_empty() {
            Self::NoData
        } else {
            Self::Records(records)
        }
    }

    /// The records; none when there are none, or when nothing is known.
    pub fn records(&self) -> &[T] {
        match self {
            Self::Records(records) => records,
            _ => &[],
        }
    }

    /// Whether the answer is a sure «nothing there»: a void lookup (RFC 7208 §4.6.4).
    pub fn is_void(&self) -> bool {
        match self {
            Self::Records(records) => records.is_empty(),
            Self::NoSuchName | Self::NoData => true,
            Self::Failed(_) => false,
        }
    }

    /// Why nothing is known, when nothing is.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Failed(why) => Some(why),
            _ => None,
        }
    }

    /// The same answer with its records turned into something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Lookup<U> {
        match self {
            Self::Records(records) => Lookup::Records(records.into_iter().map(f).collect()),
            Self::NoSuchName => Lookup::NoSuchName,
            Self::NoData => Lookup::NoData,
            Self::Failed(why) => Lookup::Failed(why),
        }
    }

    fn at_most(self, most: usize) -> Self {
        match self {
            Self::Records(records) if records.len() > most => Self::Failed(format!(
                "the answer holds {} records; {most} is the most",
                records.len()
            )),
            Self::Records(records) => Self::of(records),
            other => other,
        }
    }
}

/// A mail exchanger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exchanger {
    /// Lower is tried first.
    pub preference: u16,
    /// The host; `None` is the root, which says «no mail» (RFC 7505).
    pub host: Option<QueryName>,
}

/// Who may issue certificates (RFC 8659).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authorization {
    /// 128 marks it critical.
    pub flags: u8,
    /// `issue`, `issuewild`, `issuevmc`, … in lower case.
    pub tag: String,
    /// What the tag says.
    pub value: String,
}

/// A source of DNS answers. Aliases are followed, except by [`Dns::cname`].
pub trait Dns: Send + Sync {
    /// TXT values, the strings of each joined with nothing between (RFC 7208 §3.3, RFC 6376 §3.6.2.2).
    fn txt<'a>(&'a self, name: &'a QueryName) -> Pending<'a, Vec<u8>>;
    /// IPv4 addresses.
    fn a<'a>(&'a self, name: &'a QueryName) -> Pending<'a, Ipv4Addr>;
    /// IPv6 addresses.
    fn aaaa<'a>(&'a self, name: &'a QueryName) -> Pending<'a, Ipv6Addr>;
    /// Mail exchangers, in the order of the answer.
    fn mx<'a>(&'a self, name: &'a QueryName) -> Pending<'a, Exchanger>;
    /// Names of an address, in the order of the answer.
    fn ptr<'a>(&'a self, name: &'a QueryName) -> Pending<'a, QueryName>;
    /// The alias at the name itself, not followed.
    fn cname<'a>(&'a self, name: &'a QueryName) -> Pending<'a, QueryName>;
    /// Certificate authorisations at the name itself; climbing is for the caller.
    fn caa<'a>(&'a self, name: &'a QueryName) -> Pending<'a, Authorization>;
    /// Certificate associations (RFC 6698), by their usage alone: what certificate they name is for senders.
    fn tlsa<'a>(&'a self, name: &'a QueryName) -> Pending<'a, u8>;
}

/// Asks for TXT and holds the answer to its bounds.
pub async fn txt(dns: &dyn Dns, name: &QueryName) -> Lookup<Vec<u8>> {
    match dns.txt(name).await.at_most(MOST_RECORDS) {
        Lookup::Records(values) if values.iter().map(Vec::len).sum::<usize>() > MOST_OCTETS => {
            Lookup::Failed(format!("the answer holds more than {MOST_OCTETS} octets"))
        }
        answer => answer,
    }
}

/// Asks for IPv4 addresses and holds the answer to its bounds.
pub async fn a(dns: &dyn Dns, name: &QueryName) -> Lookup<Ipv4Addr> {
    dns.a(name).await.at_most(MOST_RECORDS)
}

/// Asks for IPv6 addresses and holds the answer to its bounds.
pub async fn aaaa(dns: &dyn Dns, name: &QueryName) -> Lookup<Ipv6Addr> {
    dns.aaaa(name).await.at_most(MOST_RECORDS)
}

/// Asks for mail exchangers and holds the answer to its bounds.
pub async fn mx(dns: &dyn Dns, name: &QueryName) -> Lookup<Exchanger> {
    dns.mx(name).await.at_most(MOST_RECORDS)
}

/// Asks for the names of an address and holds the answer to its bounds.
pub async fn ptr(dns: &dyn Dns, name: &QueryName) -> Lookup<QueryName> {
    dns.ptr(name).await.at_most(MOST_RECORDS)
}

/// The type of a question, as a trace shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are the record types' own")]
pub enum Question {
    A,
    Aaaa,
    Caa,
    Cname,
    Mx,
    Ptr,
    Tlsa,
    Txt,
}

impl Question {
    /// The mnemonic.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Ptr => "PTR",
            Self::Tlsa => "TLSA",
            Self::Txt => "TXT",
        }
    }
}
