//! Changes and the plan that holds them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::digest;
use crate::model::address::Address;
use crate::model::inventory::Inventory;
use crate::model::resource::Resource;

/// What happens to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is not there and will be.
    Create,
    /// It is there and will be otherwise.
    Update,
    /// It is there and will not be.
    Delete,
}

impl Action {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// One address with a before and an after, of which at least one is present, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What changes.
    pub address: Address,
    /// What is live now.
    pub before: Option<Resource>,
    /// What will be.
    pub after: Option<Resource>,
    /// Why, in a few words.
    pub reason: String,
}

impl Change {
    /// What happens to the resource.
    pub fn action(&self) -> Action {
        match (&self.before, &self.after) {
            (None, _) => Action::Create,
            (Some(_), Some(_)) => Action::Update,
            (Some(_), None) => Action::Delete,
        }
    }
}

/// What will be there once `changes` are carried out.
pub fn carried_out<'c>(mut inventory: Inventory, changes: impl IntoIterator<Item = &'c Change>) -> Inventory {
    for change in changes {
        match &change.after {
            Some(after) => inventory.insert(change.address.clone(), after.clone()),
            None => inventory.remove(&change.address),
        };
    }
    inventory
}

/// Something that a reader of the plan should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Warning {
    /// What it is about, when it is about one thing.
    pub address: Option<Address>,
    /// A stable name for this kind of warning.
    pub code: String,
    /// The sentence.
    pub message: String,
}

impl Warning {
    /// A warning about one address.
    pub fn about(address: &Address, code: &str, message: impl Into<String>) -> Self {
        Self {
            address: Some(address.clone()),
            code: code.to_owned(),
            message: message.into(),
        }
    }

    /// A warning about the plan as a whole, or a zone.
    pub fn general(code: &str, message: impl Into<String>) -> Self {
        Self {
            address: None,
            code: code.to_owned(),
            message: message.into(),
        }
    }
}

/// A reason why the plan must not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// What it is about, when it is about one thing.
    pub address: Option<Address>,
    /// A stable name for this kind of refusal.
    pub code: String,
    /// What stands against it.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// Changes, and what else a reader has to know before agreeing to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The changes, by address.
    pub changes: Vec<Change>,
    /// What is live, not desired and not owned: left alone.
    pub unmanaged: BTreeSet<Address>,
    /// What to know.
    pub warnings: Vec<Warning>,
    /// Why it must not be carried out. Empty for a plan that may be.
    pub refusals: Vec<Refusal>,
    /// Desired resources that already are as they shall be and that no run has left yet: they become owned.
    pub adopted: BTreeMap<Address, String>,
    /// Owned addresses that are gone and no longer desired: they stop being owned.
    pub released: BTreeSet<Address>,
}

impl Plan {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many changes do `action`.
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action() == action).count()
    }

    /// Whether carrying it out would be remembered, though nothing may change.
    pub fn has_news_for_history(&self) -> bool {
        !self.adopted.is_empty() || !self.released.is_empty()
    }
}

/// A fingerprint of a resource, by which a later run knows whether it is still what was left. Where a rule stands is no
/// part of it: that changes with every rule that comes or goes before it.
pub fn fingerprint(resource: &Resource) -> String {
    let resource = &resource.content();
    // What a provider keeps beside a record is JSON of its own, whose order says nothing.
    let mut value = serde_json::to_value(resource).unwrap_or_default();
    value.sort_all_objects();
    let text = serde_json::to_vec(&value).unwrap_or_default();
    digest::short(&text, 16)
}
