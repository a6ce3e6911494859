//! An include as the addresses that it stands for, so that it costs no lookup. Only what can be copied without changing
//! its meaning is: what depends on the message, excepts some addresses from others, or is an error to receivers, is
//! refused with the reason. What DNS does not answer is unknown, and never fewer addresses.

use std::collections::BTreeMap;

use super::analyse::{Analysis, Branch, RemarkKind, State, analyse};
use super::network::{self, Network};
use super::parse::parse_term;
use super::term::{Mechanism, Qualifier, TermKind};
use super::{MOST_LOOKUPS, MOST_NETWORKS, MOST_VOIDS};
use crate::base::text;
use crate::mail::dns::{Dns, QueryName};

/// What an include stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flat {
    /// The networks that it lets pass: as few as say the same, in order.
    pub networks: Vec<Network>,
    /// The records that were read for it, by their names.
    pub records: BTreeMap<String, String>,
    /// How many lookups it takes as an include, its own included.
    pub lookups: usize,
}

/// Why an include has no addresses to be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotFlat {
    /// DNS did not answer: nothing is known.
    Unknown(String),
    /// It is sure that it cannot be flattened, for this reason.
    Refused(String),
}

impl NotFlat {
    /// The reason.
    pub fn why(&self) -> &str {
        match self {
            Self::Unknown(why) | Self::Refused(why) => why,
        }
    }
}

/// Reads the whole tree of an include.
pub async fn flatten(dns: &dyn Dns, include: &QueryName) -> Result<Flat, NotFlat> {
    let analysis = analyse(dns, include).await;
    if let Some(why) = analysis.unknown.first() {
        return Err(NotFlat::Unknown(why.clone()));
    }
    match objection(&analysis) {
        Some(why) => Err(NotFlat::Refused(why)),
        None => Ok(flat(&analysis)),
    }
}

fn flat(analysis: &Analysis) -> Flat {
    let mut records = BTreeMap::new();
    gather(&analysis.tree, &mut records);
    Flat {
        networks: network::fewest(analysis.allowed.iter().copied()),
        records,
        lookups: analysis.lookups + 1,
    }
}

fn gather(branch: &Branch, records: &mut BTreeMap<String, String>) {
    if let State::Record(text) = &branch.state {
        records.insert(branch.domain.clone(), text.clone());
    }
    for nested in branch.terms.iter().filter_map(|term| term.nested.as_deref()) {
        gather(nested, records);
    }
}

/// Why the tree is no list of addresses.
fn objection(analysis: &Analysis) -> Option<String> {
    let domain = &analysis.tree.domain;
    match &analysis.tree.state {
        State::Record(_) => {}
        State::Several(texts) => return Some(format!("{domain} has {} SPF records", texts.len())),
        State::Malformed(_, errors) => {
            let first = errors.first().map(ToString::to_string).unwrap_or_default();
            return Some(format!("the record of {domain} has an error: {first}"));
        }
        _ => return Some(format!("{domain} has no SPF record")),
    }
    if let Some(term) = analysis.conditional.first() {
        return Some(format!("whom `{term}` lets send depends on the message"));
    }
    for remark in &analysis.remarks {
        let at = &remark.domain;
        match &remark.kind {
            RemarkKind::BadTarget(why) => return Some(why.clone()),
            RemarkKind::Loop => return Some(format!("`{}` of {at} leads back to itself", remark.term)),
            RemarkKind::ManyExchangers(count) => {
                return Some(format!("`{}` of {at} has {count} exchangers: a permerror", remark.term));
            }
            RemarkKind::PassesAll => return Some(format!("{at} lets everybody send")),
            _ => {}
        }
    }
    if let Some(term) = exception(&analysis.tree) {
        return Some(format!("`{term}` excepts addresses from what stands beside it"));
    }
    let networks = network::fewest(analysis.allowed.iter().copied());
    if let Some(network) = networks.iter().find(|network| network.prefix() == 0) {
        return Some(format!("it lets {network} send, which is everybody"));
    }
    if analysis.lookups >= MOST_LOOKUPS {
        let count = analysis.lookups + 1;
        return Some(format!(
            "it takes {count} lookups, and receivers stop at {MOST_LOOKUPS}: a permerror"
        ));
    }
    let voids = analysis.voids.ip4.max(analysis.voids.ip6);
    if voids > MOST_VOIDS {
        return Some(format!(
            "{voids} of its terms find nothing, and receivers stop at {MOST_VOIDS}: a permerror"
        ));
    }
    match networks.len() {
        0 => Some("it lets nobody send".to_owned()),
        count if count > MOST_NETWORKS => Some(format!(
            "it names {count} networks; {MOST_NETWORKS} is the most that is copied"
        )),
        _ => None,
    }
}

/// A term that does not pass and is not the end: what it matches is no sender, whatever comes after it.
fn exception(branch: &Branch) -> Option<String> {
    let live = branch.terms.iter().filter(|term| !term.is_dead);
    for term in live {
        let kind = parse_term(&term.term).ok().map(|parsed| parsed.kind);
        if let Some(TermKind::Directive(directive)) = kind
            && directive.qualifier != Qualifier::Pass
            && directive.mechanism != Mechanism::All
        {
            return Some(text::shorten(&term.term, 100));
        }
        if let Some(found) = term.nested.as_deref().and_then(exception) {
            return Some(found);
        }
    }
    None
}

/// How the addresses of an include have changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// Networks that are new: mail from there fails until they are copied.
    pub came: Vec<Network>,
    /// Networks that are gone: who has them now may still send.
    pub went: Vec<Network>,
}

impl Drift {
    /// What lies between two lists of networks, each written with the fewest.
    pub fn between(before: &[Network], now: &[Network]) -> Self {
        let without = |all: &[Network], others: &[Network]| {
            let is_new = |network: &&Network| !others.contains(network);
            all.iter().filter(is_new).copied().collect()
        };
        Self {
            came: without(now, before),
            went: without(before, now),
        }
    }

    /// Whether nothing has changed.
    pub fn is_none(&self) -> bool {
        self.came.is_empty() && self.went.is_empty()
    }
}

#[cfg(test)]
mod tests;
