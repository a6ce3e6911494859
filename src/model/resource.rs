//! A resource: one thing that a provider keeps. A new kind is a variant here and a file beside this one.

use serde::{Deserialize, Serialize};

use crate::base::secret::SecretReference;
use crate::model::address::Address;
use crate::model::check::Http;
use crate::model::contact::{Contact, Guarded};
use crate::model::monitor::Monitor;
use crate::model::record_set::RecordSet;
use crate::model::redirect_list::RedirectList;
use crate::model::rule::Rule;
use crate::model::setting::{Setting, ZoneEntry};
use crate::model::window::Maintenance;

/// One thing that a provider keeps, in canonical form: two that mean the same are equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "resource", rename_all = "snake_case")]
pub enum Resource {
    /// A DNS record set.
    RecordSet(RecordSet),
    /// A rule in one of a zone's lists.
    Rule(Rule),
    /// A list of redirects.
    RedirectList(RedirectList),
    /// A setting of a zone.
    Setting(Setting),
    /// A zone itself.
    Zone(ZoneEntry),
    /// A monitor of an uptime service.
    Monitor(Box<Monitor>),
    /// Somebody who is told when a check fails.
    Contact(Contact),
    /// A maintenance window, where the service keeps them by themselves.
    Maintenance(Maintenance),
}

impl Resource {
    /// Its address.
    pub fn address(&self) -> Address {
        match self {
            Self::RecordSet(set) => set.address(),
            Self::Rule(rule) => rule.address(),
            Self::RedirectList(list) => list.address(),
            Self::Setting(setting) => setting.address(),
            Self::Zone(zone) => zone.address(),
            Self::Monitor(monitor) => Address::monitor(&monitor.key),
            Self::Contact(contact) => Address::contact(&contact.key),
            Self::Maintenance(maintenance) => Address::maintenance(&maintenance.key),
        }
    }

    /// What this desired resource becomes on top of what is live: what it does not say stays. Where a rule comes to
    /// stand depends on its whole list and is not settled here.
    #[must_use]
    pub fn settled_on(&self, live: Option<&Self>) -> Self {
        match (self, live) {
            (Self::RecordSet(set), Some(Self::RecordSet(live))) => Self::RecordSet(set.settled_on(Some(live))),
            (Self::RecordSet(set), _) => Self::RecordSet(set.settled_on(None)),
            (Self::Rule(rule), Some(Self::Rule(live))) => Self::Rule(rule.settled_on(Some(live))),
            // What is live is seen through what is said of it, so that nothing is left to be filled in.
            (
                Self::Rule(_)
                | Self::RedirectList(_)
                | Self::Setting(_)
                | Self::Zone(_)
                | Self::Monitor(_)
                | Self::Contact(_)
                | Self::Maintenance(_),
                _,
            ) => self.clone(),
        }
    }

    /// A live resource as a wish: it says of every attribute what it shall be, so that nothing of what is there stays.
    #[must_use]
    pub fn in_full(&self) -> Self {
        match self {
            Self::RecordSet(set) => Self::RecordSet(set.clone().in_full()),
            Self::Rule(_)
            | Self::RedirectList(_)
            | Self::Setting(_)
            | Self::Zone(_)
            | Self::Monitor(_)
            | Self::Contact(_)
            | Self::Maintenance(_) => self.clone(),
        }
    }

    /// Whether it can be removed at all. What cannot (a setting) is let go instead, and keeps its value.
    pub fn can_be_deleted(&self) -> bool {
        match self {
            Self::RecordSet(_)
            | Self::Rule(_)
            | Self::RedirectList(_)
            | Self::Monitor(_)
            | Self::Contact(_)
            | Self::Maintenance(_) => true,
            Self::Setting(_) | Self::Zone(_) => false,
        }
    }

    /// Whether `live` is what this is to become. For all but a rule that may stand anywhere, and a zone, which is there or
    /// not, that is being equal.
    pub fn is_met_by(&self, live: &Self) -> bool {
        match (self, live) {
            (Self::Rule(rule), Self::Rule(live)) => rule.is_met_by(live),
            (Self::RedirectList(list), Self::RedirectList(live)) => list.is_met_by(live),
            (Self::Zone(zone), Self::Zone(live)) => zone.zone == live.zone,
            _ => self == live,
        }
    }

    /// The same but for where it stands among others, or what it was made with: what somebody may have changed in it.
    #[must_use]
    pub fn content(&self) -> Self {
        match self {
            Self::Rule(rule) => Self::Rule(rule.without_place()),
            Self::RedirectList(list) => Self::RedirectList(list.without_place()),
            Self::Zone(zone) => Self::Zone(ZoneEntry {
                zone: zone.zone.clone(),
                name_servers: Vec::new(),
            }),
            other => other.clone(),
        }
    }

    /// Whether all of it is seen where it is live. Of the others only that is seen which is said of them here, so that
    /// the same thing looks otherwise when a spec says more of it, or less.
    pub fn is_seen_whole(&self) -> bool {
        !matches!(self, Self::Monitor(_) | Self::Contact(_) | Self::Maintenance(_))
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

    /// The list of redirects, when it is one.
    pub fn as_redirect_list(&self) -> Option<&RedirectList> {
        match self {
            Self::RedirectList(list) => Some(list),
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

    /// The monitor, when it is one.
    pub fn as_monitor(&self) -> Option<&Monitor> {
        match self {
            Self::Monitor(monitor) => Some(monitor),
            _ => None,
        }
    }

    /// The contact, when it is one.
    pub fn as_contact(&self) -> Option<&Contact> {
        match self {
            Self::Contact(contact) => Some(contact),
            _ => None,
        }
    }

    /// What marks it at a provider as ours.
    pub fn marker(&self) -> Option<&str> {
        match self {
            Self::Monitor(monitor) => monitor.marker.as_deref(),
            Self::Contact(contact) => contact.marker.as_deref(),
            Self::Maintenance(maintenance) => maintenance.marker.as_deref(),
            _ => None,
        }
    }

    /// What of it is kept elsewhere: credentials, and what is sent with a request.
    pub fn guarded(&self) -> Vec<&Guarded> {
        match self {
            Self::Contact(contact) => contact.channel.guarded().into_iter().collect(),
            Self::Monitor(monitor) => monitor.check.http().into_iter().flat_map(Http::guarded).collect(),
            _ => Vec::new(),
        }
    }

    /// Where what of it is kept elsewhere is kept.
    pub fn references(&self) -> impl Iterator<Item = &SecretReference> {
        self.guarded().into_iter().filter_map(|guarded| match guarded {
            Guarded::Kept(reference) => Some(reference),
            Guarded::Hidden => None,
        })
    }

    /// Whether there is something in it that nobody here knows, so that nobody can restore it.
    pub fn hides_something(&self) -> bool {
        self.guarded().contains(&&Guarded::Hidden)
    }

    /// Whether what was measured with it goes with it, so that a second one made later is not the same.
    pub fn has_a_past(&self) -> bool {
        matches!(self, Self::Monitor(_))
    }
}
