//! Resources by address: what is desired, what is live, what was left.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::diagnostic::Place;
use crate::base::text;
use crate::model::address::Address;
use crate::model::name::DomainName;
use crate::model::record::RecordType;
use crate::model::resource::Resource;
use crate::model::scope::ScopeName;

/// Resources by address.
pub type Inventory = BTreeMap<Address, Resource>;

/// What is wished for: the resources that a spec declares, and the rules for everything else in their zones.
#[derive(Debug, Clone, Default)]
pub struct Desired {
    /// What shall be.
    pub inventory: Inventory,
    /// What shall not be: a (name, type) declared with no values.
    pub absent: BTreeSet<Address>,
    /// The zones that the spec speaks of.
    pub zones: BTreeMap<DomainName, ZonePolicy>,
    /// How the checks are kept, when the spec has any.
    pub uptime: Option<UptimePolicy>,
    /// Where each address is declared, so that what turns up later can point there.
    pub places: BTreeMap<Address, Place>,
}

impl Desired {
    /// Takes out everything about checks and contacts.
    pub fn leave_out_checks(&mut self) {
        self.uptime = None;
        self.inventory
            .retain(|address, _| address.scope_name() != Some(ScopeName::Uptime));
    }
}

/// How checks and contacts are kept. What nobody declared there is always left alone: an account serves many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UptimePolicy {
    /// The provider that keeps them.
    pub provider: String,
    /// What tells the checks of this spec from those of another in the same account: part of every marker.
    pub stack: String,
    /// What happens to what the provider or its plan cannot hold.
    pub unsupported: Unsupported,
}

/// What happens to what a provider or its plan cannot hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unsupported {
    /// The plan is refused.
    #[default]
    Refuse,
    /// The nearest that it can hold is taken, and said.
    Warn,
}

/// How a zone is treated beyond what it declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZonePolicy {
    /// The provider that keeps it, by the name that the list of providers knows.
    pub provider: String,
    /// What happens to what nobody declared.
    pub unmanaged: Unmanaged,
    /// What no plan may change or delete.
    pub protect: Vec<Protection>,
    /// Whether a missing zone is to be created.
    pub create: bool,
    /// The codes of warnings that were read and are meant.
    pub accept: BTreeSet<String>,
}

/// What happens to live resources that the spec does not mention and no run left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unmanaged {
    /// They are listed and left alone.
    #[default]
    Keep,
    /// Their removal is planned.
    Delete,
}

/// `TYPE NAME`, both globs: records that no plan may change or delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// A glob over record types, in upper case.
    pub kind: String,
    /// A glob over owner names: relative to the zone (`@` for the zone itself) or whole.
    pub name: String,
}

impl Protection {
    /// Whether it covers the record set of this type at this name in this zone.
    pub fn covers(&self, zone: &DomainName, kind: RecordType, name: &DomainName) -> bool {
        text::glob(&self.kind, kind.as_str())
            && (text::glob(&self.name, name.relative_to(zone)) || text::glob(&self.name, name.as_str()))
    }
}

/// Where the servers of a self-made service are, and what lies between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerSettings {
    /// The folder that files are written into.
    pub directory: Option<String>,
    /// The address of the Alertmanager.
    pub alertmanager: Option<String>,
    /// The address of the blackbox exporter.
    pub blackbox: Option<String>,
    /// The mail server that alerts are sent through, as HOST:PORT.
    pub smarthost: Option<String>,
}

/// An account at a provider, as the spec names it. It holds no credential, only where one is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderAccount {
    /// Where the credential is kept; the provider's usual environment variable when the spec is silent.
    pub token: Option<crate::base::secret::SecretReference>,
    /// The account's id at the provider, where several are seen.
    pub account: Option<String>,
    /// Another address for the API.
    pub base_url: Option<String>,
    /// The address of a DNS server, `HOST` or `HOST:PORT`.
    pub server: Option<String>,
    /// Where the servers of a self-made service are.
    pub servers: ServerSettings,
    /// Where the spec says so.
    pub place: Option<Place>,
}
