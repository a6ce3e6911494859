//! A domain's whole SPF tree without any client: what it costs at worst, whom it lets send, and what in it is wrong,
//! useless or dangerous. Receivers count only what they reach (RFC 7208 §4.6.4), so the worst case is what this counts.

mod terms;
mod walk;

use std::ops::Range;

use super::network::{self, Network};
use super::parse::SyntaxError;
use super::term::Qualifier;
use crate::mail::dns::{self, Dns, Lookup, QueryName};
use crate::model::record::txt;

/// What the walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis {
    /// The tree, to be drawn.
    pub tree: Branch,
    /// How many terms ask DNS for a client that nothing matches before the last term.
    pub lookups: usize,
    /// How many of them find nothing, for IPv4 and for IPv6 clients.
    pub voids: Voids,
    /// Who may send at most: networks that pass unless an earlier term says otherwise, each once.
    pub allowed: Vec<Network>,
    /// Terms that pass clients which cannot be listed: `ptr`, `exists`, macros.
    pub conditional: Vec<String>,
    /// What a client that nothing matches gets; `None` when the tree gives no answer.
    pub fallthrough: Option<Qualifier>,
    /// What is worth saying, in the order of the walk.
    pub remarks: Vec<Remark>,
    /// What DNS did not answer: as long as there is any, counts are at least and judgements are unknown.
    pub unknown: Vec<String>,
}

impl Analysis {
    /// How many IPv4 addresses may send at most.
    pub fn ip4_addresses(&self) -> u64 {
        network::ip4_addresses(self.allowed.iter().copied())
    }
}

/// A number for each family of clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Voids {
    /// For IPv4 clients.
    pub ip4: usize,
    /// For IPv6 clients.
    pub ip6: usize,
}

/// One record of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The domain, or the macro-string that leads to one.
    pub domain: String,
    /// What stands there.
    pub state: State,
    /// How many octets its record takes in an answer; 0 without one.
    pub octets: usize,
    /// Its terms, dead ones included.
    pub terms: Vec<BranchTerm>,
}

impl Branch {
    pub(super) fn new(domain: &str, state: State) -> Self {
        let octets = match &state {
            State::Record(text) | State::Malformed(text, _) => txt::wire_length(text.as_bytes()),
            _ => 0,
        };
        Self {
            domain: domain.to_owned(),
            state,
            octets,
            terms: Vec::new(),
        }
    }
}

/// What stands at a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// One record, with its text.
    Record(String),
    /// No record.
    Missing,
    /// Several records, with their texts: a permerror.
    Several(Vec<String>),
    /// A record with errors: a permerror.
    Malformed(String, Vec<SyntaxError>),
    /// DNS did not answer.
    Unknown(String),
    /// It leads back to itself: a permerror once ten terms are used up.
    Loop,
    /// It depends on the client or the message.
    Depends,
    /// The tree is too large to go on.
    Cut,
}

/// One term of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchTerm {
    /// Its place in the record's text.
    pub span: Range<usize>,
    /// The term as written.
    pub term: String,
    /// How many lookups it takes at worst, what is beneath it included.
    pub lookups: usize,
    /// Whether it finds nothing, for IPv4 and IPv6 clients (0 or 1), what is beneath it not included.
    pub voids: Voids,
    /// Whether no evaluation reaches it.
    pub is_dead: bool,
    /// The networks that it stands for, as far as they can be listed.
    pub networks: Vec<Network>,
    /// The record that it leads to.
    pub nested: Option<Box<Branch>>,
}

/// Something worth saying about a place in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Whose record.
    pub domain: String,
    /// How deep: 0 for the domain's own record, more for what it leads to.
    pub depth: usize,
    /// The term as written; empty when it is about the whole record.
    pub term: String,
    /// Its place in the record's text.
    pub span: Range<usize>,
    /// What it is.
    pub kind: RemarkKind,
}

/// What is worth saying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemarkKind {
    /// After `all`: never evaluated (§5.1).
    Dead,
    /// A redirect beside an `all`: never used (§6.1).
    RedirectWithAll,
    /// The same term stands before it, in this record or, for an include, anywhere before it in the tree.
    Duplicate,
    /// Everything that it stands for is already in the earlier term given here.
    Covered(String),
    /// `all` that passes.
    PassesAll,
    /// `?all`.
    NeutralAll,
    /// Neither `all` nor redirect.
    NoAll,
    /// `ptr` or `%{p}` (§5.5).
    Ptr,
    /// A network far wider than a sender has.
    Wide(Network),
    /// It finds nothing for some family of clients.
    Void(Voids),
    /// It leads to a name without a record, to several, or to one with errors: a permerror for everybody.
    BadTarget(String),
    /// It leads back to itself.
    Loop,
    /// An `mx` with more than ten exchangers: a permerror (§4.6.4).
    ManyExchangers(usize),
    /// An `mx` whose domain has no exchanger with an address.
    NoExchanger,
    /// A modifier that is named like a mechanism, which receivers ignore: `include=…`.
    MechanismAsModifier(String),
    /// A second `v=spf1` within the record, which receivers ignore as an unknown modifier: two records in one.
    SecondVersion,
}

/// Walks the tree of `domain`.
pub async fn analyse(dns: &dyn Dns, domain: &QueryName) -> Analysis {
    let values = dns::txt(dns, domain).await;
    analyse_answer(dns, domain, values).await
}

/// Walks the tree of `domain`, whose own TXT answer is already known, or is only planned.
pub async fn analyse_answer(dns: &dyn Dns, domain: &QueryName, values: Lookup<Vec<u8>>) -> Analysis {
    let mut walk = walk::Walk::new(dns);
    let visited = walk.answer(domain, values, true).await;
    let lookups = visited.branch.terms.iter().map(|term| term.lookups).sum();
    Analysis {
        voids: voids_beneath(&visited.branch),
        lookups,
        allowed: network::distinct(visited.allowed),
        conditional: walk.conditional,
        fallthrough: visited.fallthrough,
        remarks: walk.remarks,
        unknown: walk.unknown,
        tree: visited.branch,
    }
}

/// Void lookups of a record and of everything that it leads to.
fn voids_beneath(branch: &Branch) -> Voids {
    let mut out = Voids::default();
    for term in branch.terms.iter().filter(|term| !term.is_dead) {
        let below = term.nested.as_deref().map(voids_beneath).unwrap_or_default();
        out.ip4 += term.voids.ip4 + below.ip4;
        out.ip6 += term.voids.ip6 + below.ip6;
    }
    out
}
