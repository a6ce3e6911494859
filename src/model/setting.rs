//! A zone's setting: one value under an id of the provider's own. It cannot be deleted; a spec that no longer names it
//! lets it go, and it keeps its value. The canonical form of a value is settled by whoever knows the id's kind: here
//! equal values are equal.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::address::Address;
use crate::model::name::DomainName;

/// One setting of a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The zone.
    pub zone: DomainName,
    /// The provider's id of the setting.
    pub id: String,
    /// Its value in canonical form: a word, a number, a list or an object with every key that the provider keeps.
    pub value: Value,
}

impl Setting {
    /// Its address.
    pub fn address(&self) -> Address {
        Address::in_zone(&self.zone, "setting", &self.id)
    }
}

/// A zone itself, as something that can be made. It is never deleted: what it holds could not be brought back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneEntry {
    /// Its name.
    pub zone: DomainName,
    /// The name servers that it is made with, where the provider does not choose them. Nothing compares them later: the
    /// NS records at the zone's own name are protected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub name_servers: Vec<DomainName>,
}

impl ZoneEntry {
    /// Its address.
    pub fn address(&self) -> Address {
        Address::zone(&self.zone)
    }
}
