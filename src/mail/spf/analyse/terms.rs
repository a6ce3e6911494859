//! What can be said about one term, or about one record beneath it, without going on.

use std::net::Ipv4Addr;

use super::{Branch, BranchTerm, RemarkKind, State, Voids};
use crate::mail::dns::QueryName;
use crate::mail::spf::macros::Values;
use crate::mail::spf::network::Network;
use crate::mail::spf::term::{DomainSpec, Mechanism, Modifier, Qualifier, Record, Term, TermKind};

/// The widest network that an ordinary sender has; anything wider is remarked (IPv4).
const WIDEST_IP4: u8 = 12;
/// The same for IPv6: a whole registry allocation.
const WIDEST_IP6: u8 = 19;

pub(super) fn draw(record: &Record, term: &Term) -> BranchTerm {
    BranchTerm {
        span: term.span.clone(),
        term: record.text.get(term.span.clone()).unwrap_or_default().to_owned(),
        lookups: 0,
        voids: Voids::default(),
        is_dead: false,
        networks: Vec::new(),
        nested: None,
    }
}

/// After `all` no directive is reached, and with an `all` anywhere no redirect is (RFC 7208 §5.1, §6.1).
pub(super) fn is_dead(term: &Term, at: usize, all: Option<(usize, Qualifier)>) -> bool {
    match (&term.kind, all) {
        (TermKind::Directive(_), Some((end, _))) => at > end,
        (TermKind::Modifier(Modifier::Redirect(_)), Some(_)) => true,
        _ => false,
    }
}

pub(super) fn literal_network(mechanism: &Mechanism) -> Option<Network> {
    match mechanism {
        Mechanism::Ip4(address, prefix) => Some(Network::new((*address).into(), *prefix)),
        Mechanism::Ip6(address, prefix) => Some(Network::new((*address).into(), *prefix)),
        _ => None,
    }
}

pub(super) fn is_wide(network: &Network) -> bool {
    let widest = if network.address().is_ipv4() {
        WIDEST_IP4
    } else {
        WIDEST_IP6
    };
    network.prefix() < widest
}

/// What a domain-spec stands for when there is no client.
pub(super) enum Target {
    /// A name.
    Name(QueryName),
    /// Another name for every client or message.
    Depends,
    /// No name that a question can be asked about.
    Impossible,
}

pub(super) fn resolve(domain: &QueryName, spec: &DomainSpec) -> Target {
    if spec.macros().depends_on_message() {
        return Target::Depends;
    }
    // Only `%{d}` is left: nothing else is looked at.
    let text = spec.macros().expand(&Values {
        local: "",
        sender_domain: "",
        domain: domain.as_str(),
        ip: Ipv4Addr::UNSPECIFIED.into(),
        helo: "",
        validated: "",
        receiver: "",
        time: 0,
    });
    QueryName::parse(&text).map_or(Target::Impossible, Target::Name)
}

pub(super) fn bad_target(branch: &Branch) -> Option<RemarkKind> {
    let domain = &branch.domain;
    match &branch.state {
        State::Missing => Some(RemarkKind::BadTarget(format!("{domain} has no SPF record"))),
        State::Several(texts) => Some(RemarkKind::BadTarget(format!(
            "{domain} has {} SPF records",
            texts.len()
        ))),
        State::Malformed(_, errors) => {
            let first = errors.first().map(ToString::to_string).unwrap_or_default();
            Some(RemarkKind::BadTarget(format!(
                "the record of {domain} has an error: {first}"
            )))
        }
        State::Loop => Some(RemarkKind::Loop),
        State::Record(_) | State::Unknown(_) | State::Depends | State::Cut => None,
    }
}
