//! What a spec says of a zone's mail beyond its records: what to expect of the domain when it is judged, the policy that
//! has to be served, and where a rollout stands.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::mail::dmarc::Policy;
use crate::mail::dns::QueryName;
use crate::mail::findings::facts::Declared;
use crate::mail::mta_sts;
use crate::model::address::Address;

/// Mail of one zone.
#[derive(Debug, Clone)]
pub struct MailDomain {
    /// What is declared, for the judge.
    pub declared: Declared,
    /// The codes of findings that are meant to be so.
    pub accepted: BTreeSet<String>,
    /// The MTA-STS policy that is announced.
    pub policy: Option<mta_sts::Policy>,
    /// Where the rollout of DMARC stands.
    pub rollout: Option<Rollout>,
    /// The includes that are to be flattened.
    pub flatten: BTreeSet<QueryName>,
}

/// Where a rollout of DMARC stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    /// The record that it is about.
    pub address: Address,
    /// The stage that holds, from 1; 0 before the first.
    pub stage: usize,
    /// How many there are.
    pub of: usize,
    /// The policy that holds now.
    pub policy: Policy,
    /// Since when, unless it is before the first stage.
    pub since: Option<Date>,
    /// What comes next, and on which day.
    pub next: Option<(Policy, Date)>,
}

impl Rollout {
    /// Where it stands, in one sentence without a full stop.
    pub fn in_words(&self) -> String {
        let now = match self.since {
            Some(since) => format!("at stage {} of {}: {} since {since}", self.stage, self.of, self.policy),
            None => format!("before its first stage: {}", self.policy),
        };
        match &self.next {
            Some((policy, on)) => format!("the DMARC rollout is {now}; next is {policy}, due on {on}"),
            None => format!("the DMARC rollout is {now}, its last"),
        }
    }
}
