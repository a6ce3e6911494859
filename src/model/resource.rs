//! A resource: one thing that a provider keeps. A new kind is a variant here and a file beside this one.

use serde::{Deserialize, Serialize};

use crate::model::address::Address;
use crate::model::record_set::RecordSet;

/// One thing that a provider keeps, in canonical form: two that mean the same are equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "resource", rename_all = "snake_case")]
pub enum Resource {
    /// A DNS record set.
    RecordSet(RecordSet),
}

impl Resource {
    /// Its address.
    pub fn address(&self) -> Address {
        match self {
            Self::RecordSet(set) => set.address(),
        }
    }

    /// What this desired resource becomes on top of what is live: what it does not say stays.
    #[must_use]
    pub fn settled_on(&self, live: Option<&Self>) -> Self {
        match (self, live) {
            (Self::RecordSet(set), Some(Self::RecordSet(live))) => Self::RecordSet(set.settled_on(Some(live))),
            (Self::RecordSet(set), None) => Self::RecordSet(set.settled_on(None)),
        }
    }

    /// A live resource as a wish: it says of every attribute what it shall be, so that nothing of what is there stays.
    #[must_use]
    pub fn in_full(&self) -> Self {
        match self {
            Self::RecordSet(set) => Self::RecordSet(set.clone().in_full()),
        }
    }

    /// Whether it can be removed at all. What cannot (a setting) is let go instead, and keeps its value.
    pub fn can_be_deleted(&self) -> bool {
        match self {
            Self::RecordSet(_) => true,
        }
    }

    /// The record set, when it is one.
    pub fn as_record_set(&self) -> Option<&RecordSet> {
        match self {
            Self::RecordSet(set) => Some(set),
        }
    }
}
