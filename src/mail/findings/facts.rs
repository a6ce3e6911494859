//! What is known about a domain before it is judged: what is declared, and what was looked up.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::mail::dmarc::{Discovery, Policy};
use crate::mail::dns::{Authorization, Exchanger, Lookup, QueryName};
use crate::mail::mta_sts;
use crate::mail::spf::Evaluation;
use crate::mail::spf::analyse::Analysis;
use crate::mail::spf::flatten::{Flat, NotFlat};
use crate::mail::spf::network::Network;

/// What a domain is for, and what its owner says of it.
#[derive(Debug, Clone)]
pub struct Declared {
    /// The domain.
    pub domain: QueryName,
    /// What it is for.
    pub purpose: Purpose,
    /// Whether it counts as a bulk sender with the large receivers: their rules are then errors.
    pub is_bulk: bool,
    /// Who sends in its name.
    pub senders: Vec<Sender>,
    /// Keys that are expected.
    pub selectors: Vec<Selector>,
    /// Includes whose addresses stand in the SPF record in their place.
    pub flattened: Vec<Flattened>,
    /// MX hosts that are expected; none when nothing is.
    pub exchangers: Vec<QueryName>,
    /// The next stage of the DMARC rollout, when there is one.
    pub stage: Option<Stage>,
    /// The domain that is registered, by a public suffix list: what readers of RFC 7489 take for the organization.
    pub registered: Option<QueryName>,
    /// Names whose records stand behind a proxy or are flattened.
    pub proxied: BTreeSet<QueryName>,
    /// The answer to the request for the MTA-STS policy, when it was made.
    pub policy: Option<PolicyFetch>,
    /// The MTA-STS policy that the owner declares, whose id the record has to bear.
    pub own_policy: Option<mta_sts::Policy>,
    /// The BIMI selector, `default` as a rule.
    pub bimi_selector: String,
    /// The CA of the certificate for `mta-sts.`, by its CAA domain.
    pub issuer: Option<String>,
    /// The issuer of the mark certificate, by its CAA domain.
    pub mark_issuer: Option<String>,
}

impl Declared {
    /// A domain that sends and receives, about which nothing else is known.
    pub fn new(domain: QueryName) -> Self {
        Self {
            domain,
            purpose: Purpose::Mail {
                sends: true,
                receives: true,
            },
            is_bulk: false,
            senders: Vec::new(),
            selectors: Vec::new(),
            flattened: Vec::new(),
            exchangers: Vec::new(),
            stage: None,
            registered: None,
            proxied: BTreeSet::new(),
            policy: None,
            own_policy: None,
            bimi_selector: "default".to_owned(),
            issuer: None,
            mark_issuer: None,
        }
    }
}

/// What a domain is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It refuses all mail, in both directions.
    Parked,
    /// It is used for mail, or may be.
    Mail {
        /// Whether mail is sent in its name.
        sends: bool,
        /// Whether it gets mail.
        receives: bool,
    },
}

impl Declared {
    /// Whether mail is sent in its name.
    pub fn sends(&self) -> bool {
        matches!(self.purpose, Purpose::Mail { sends: true, .. })
    }

    /// Whether it gets mail.
    pub fn receives(&self) -> bool {
        matches!(self.purpose, Purpose::Mail { receives: true, .. })
    }

    /// Whether it refuses all mail.
    pub fn is_parked(&self) -> bool {
        self.purpose == Purpose::Parked
    }
}

/// Somebody who sends in the domain's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// As the spec calls it.
    pub name: String,
    /// The domain in its MAIL FROM; `None` when that is its own.
    pub mail_from: Option<QueryName>,
    /// The domains that it signs with.
    pub signing: Vec<QueryName>,
    /// Some of its addresses, to be evaluated.
    pub addresses: Vec<IpAddr>,
}

/// An include that was replaced by its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flattened {
    /// The domain that would be included.
    pub include: QueryName,
    /// What it stood for.
    pub networks: Vec<Network>,
    /// When, as people write it.
    pub taken: String,
}

/// A key that is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// The selector.
    pub selector: String,
    /// The signing domain.
    pub domain: QueryName,
    /// Whose it is, for people.
    pub owner: String,
    /// What is expected there.
    pub expected: ExpectedKey,
    /// Whether mail is signed with it now.
    pub is_active: bool,
}

/// What is expected at a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedKey {
    /// A key, whichever.
    Any,
    /// This record.
    Record(String),
    /// An alias to this name.
    Alias(QueryName),
}

/// A stage of a DMARC rollout. Whether it is due is for those who have a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The policy from then on.
    pub policy: Policy,
    /// The day, as people write it.
    pub on: String,
    /// Whether that day has come.
    pub is_due: bool,
}

/// The answer to a request for `/.well-known/mta-sts.txt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyFetch {
    /// The request failed for now.
    Failed(String),
    /// The host is sure to have no address.
    NoHost,
    /// The certificate is not valid for the host.
    BadCertificate(String),
    /// An answer.
    Answer {
        /// The status.
        status: u16,
        /// The media type, without parameters.
        media_type: String,
        /// The text.
        body: String,
    },
}

/// Everything known.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What is declared.
    pub declared: Declared,
    /// SPF at the domain and at every other name used in MAIL FROM; the domain first.
    pub spf: Vec<SpfFacts>,
    /// TXT at names where SPF is put by mistake.
    pub strays: Vec<(QueryName, Lookup<Vec<u8>>)>,
    /// Declared senders evaluated, address by address.
    pub checks: Vec<Check>,
    /// What flattened includes stand for now, in their order.
    pub flattened: Vec<Result<Flat, NotFlat>>,
    /// Keys.
    pub dkim: Vec<DkimFacts>,
    /// TXT at `_dmarc`.
    pub dmarc_txt: Lookup<Vec<u8>>,
    /// The tree walk from the domain.
    pub dmarc: Discovery,
    /// Report addresses.
    pub reports: Vec<ReportFacts>,
    /// The domain and every sender's domains with their organizational domains; what is unknown is left out.
    pub organizations: Vec<(QueryName, QueryName)>,
    /// MX at the domain.
    pub mx: Lookup<Exchanger>,
    /// Whether the domain has addresses of its own.
    pub has_address: Lookup<IpAddr>,
    /// The MX hosts.
    pub hosts: Vec<HostFacts>,
    /// TXT at `_mta-sts`.
    pub mta_sts: Lookup<Vec<u8>>,
    /// TXT at `_smtp._tls`.
    pub tls_rpt: Lookup<Vec<u8>>,
    /// TXT at the BIMI selector.
    pub bimi: Lookup<Vec<u8>>,
    /// TXT at `*`, asked as a name that does not exist otherwise.
    pub wildcard: Lookup<Vec<u8>>,
    /// The CAA records that hold for `mta-sts.`, after climbing (RFC 8659 §3).
    pub caa: Lookup<Authorization>,
}

/// SPF at one name.
#[derive(Debug, Clone)]
pub struct SpfFacts {
    /// The name.
    pub name: QueryName,
    /// Who sends as it, for people.
    pub used_by: Vec<String>,
    /// TXT there.
    pub txt: Lookup<Vec<u8>>,
    /// The tree.
    pub analysis: Analysis,
}

/// One address of a declared sender.
#[derive(Debug, Clone)]
pub struct Check {
    /// The sender.
    pub sender: String,
    /// The address.
    pub ip: IpAddr,
    /// The domain that was checked.
    pub domain: QueryName,
    /// What came out.
    pub evaluation: Evaluation,
}

/// A key as it stands in DNS.
#[derive(Debug, Clone)]
pub struct DkimFacts {
    /// What is expected.
    pub selector: Selector,
    /// Where.
    pub name: QueryName,
    /// The alias there.
    pub cname: Lookup<QueryName>,
    /// TXT there, or at the end of the alias.
    pub txt: Lookup<Vec<u8>>,
}

/// A host that is to get reports.
#[derive(Debug, Clone)]
pub struct ReportFacts {
    /// The address as it stands in the record.
    pub address: String,
    /// Its host.
    pub host: QueryName,
    /// Whether it belongs to another organization than the policy.
    pub is_external: bool,
    /// TXT where the host would agree; only asked when it is external.
    pub agreement: Lookup<Vec<u8>>,
    /// Where that is.
    pub agreement_name: QueryName,
    /// MX of the host.
    pub mx: Lookup<Exchanger>,
    /// Addresses of the host, for the implicit MX.
    pub address_records: Lookup<IpAddr>,
}

/// An MX host.
#[derive(Debug, Clone)]
pub struct HostFacts {
    /// The host.
    pub name: QueryName,
    /// An alias there, which there must not be (RFC 2181 §10.3).
    pub cname: Lookup<QueryName>,
    /// Addresses in both families.
    pub addresses: Lookup<IpAddr>,
    /// What its TLSA records for SMTP are for (RFC 7672 §3.1.3).
    pub dane: Lookup<u8>,
}
