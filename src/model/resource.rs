//! A resource: one thing that a provider keeps. A new kind is a variant here and a file beside this one.

use serde::{Deserialize, Serialize};

use crate::model::address::Address;
use crate::model::record_set::RecordSet;
use crate::model::rule::Rule;
use crate::model::setting::{Setting, ZoneEntry};

/// One thing that a provider keeps, in canonical form: two that mean the same are equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "resource", rename_all = "snake_case")]
pub enum Resource {
    /// A DNS record set.
    RecordSet(RecordSet),
    /// A rule in one of a zone's lists.
    Rule(Rule),
    /// A setting of a zone.
    Setting(Setting),
    /// A zone itself.
    Zone(ZoneEntry),
}

impl Resource {
    /// Its address.
    pub fn address(&self) -> Address {
        match self {
            Self::RecordSet(set) => set.address(),
            Self::Rule(rule) => rule.address(),
            Self::Setting(setting) => setting.address(),
            Self::Zone(zone) => zone.address(),
        }
    }

    /// What this desired resource becomes on top of what is live: what it does not say stays. Where a rule comes to
    /// stand depends on its whole list and is not settled here.
    #[must_use]
    pub fn settled_on(&self, live: Option<&Self>) -> Self {
        match (self, live) {
            (Self::RecordSet(set), Some(Self::RecordSet(live))) => Self::RecordSet(set.settled_on(Some(live))),
            (Self::RecordSet(set), _) => Self::RecordSet(set.settled_on(None)),
            (Self::Rule(_) | Self::Setting(_) | Self::Zone(_), _) => self.clone(),
        }
    }

    /// A live resource as a wish: it says of every attribute what it shall be, so that nothing of what is there stays.
    #[must_use]
    pub fn in_full(&self) -> Self {
        match self {
            Self::RecordSet(set) => Self::RecordSet(set.clone().in_full()),
            Self::Rule(_) | Self::Setting(_) | Self::Zone(_) => self.clone(),
        }
    }

    /// Whether it can be removed at all. What cannot (a setting) is let go instead, and keeps its value.
    pub fn can_be_deleted(&self) -> bool {
        match self {
            Self::RecordSet(_) | Self::Rule(_) => true,
            Self::Setting(_) | Self::Zone(_) => false,
        }
    }

    /// Whether `live` is what this is to become. For all but a rule that may stand anywhere, that is being equal.
    pub fn is_met_by(&self, live: &Self) -> bool {
        match (self, live) {
            (Self::Rule(rule), Self::Rule(live)) => rule.is_met_by(live),
            _ => self == live,
        }
    }

    /// The same but for where it stands among others: what somebody may have changed in it.
    #[must_use]
    pub fn content(&self) -> Self {
        match self {
            Self::Rule(rule) => Self::Rule(rule.without_place()),
            other => other.clone(),
        }
    }

    /// The record set, when it is one.
    pub fn as_record_set(&self) -> Option<&RecordSet> {
        match self {
            Self::RecordSet(set) => Some(set),
            _ => None,
        }
    }

    /// The rule, when it is one.
    pub fn as_rule(&self) -> Option<&Rule> {
        match self {
            Self::Rule(rule) => Some(rule),
            _ => None,
        }
    }

    /// The setting, when it is one.
    pub fn as_setting(&self) -> Option<&Setting> {
        match self {
            Self::Setting(setting) => Some(setting),
            _ => None,
        }
    }
}
