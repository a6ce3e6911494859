//! What is looked for in an account of checks: by what a live one is known again, whatever became of it since.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::secret::SecretReference;
use crate::model::address::Address;
use crate::model::contact::Channel;
use crate::model::inventory::Inventory;
use crate::model::monitor::Http;
use crate::model::resource::Resource;

/// What is looked for in an account of checks and contacts: by these a live one is known again, and in their terms it is
/// seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sought {
    /// What tells the checks of this spec from those of another: part of every marker.
    pub stack: String,
    /// What told them before: the project had another name.
    pub earlier_stacks: BTreeSet<String>,
    /// What an unfinished run may have made and not marked.
    pub unsure: BTreeSet<Address>,
    /// What the spec declares, and what earlier runs left.
    pub resources: Inventory,
    /// The markers that each bore by the spec or by what earlier runs left, by the kind of resource: a monitor and a
    /// contact may bear the same.
    pub markers: BTreeMap<(String, String), Address>,
    /// The mailboxes that each had by the spec or by what earlier runs left: one that was exchanged is known again.
    pub mailboxes: BTreeMap<String, Address>,
    /// Where anything of theirs was ever kept: a live value that is still there is known by it.
    pub references: BTreeSet<SecretReference>,
    /// The headers' values and bodies that are written out in the spec or in what earlier runs left: a live one that is
    /// the same is no secret.
    pub texts: BTreeSet<String>,
    /// Which of them the spec declares: what is kept elsewhere for them must be there.
    pub declared: BTreeSet<Address>,
    /// Whether all that is there is to be seen, and not only what is spoken of: to write it down.
    pub everything: bool,
    /// Which of them any earlier run of this spec was about.
    pub ever: BTreeSet<Address>,
}

impl Sought {
    /// Adds one, in the terms that count from now on.
    pub fn add(&mut self, address: Address, resource: Resource) {
        self.remember(&address, &resource);
        self.resources.insert(address, resource);
    }

    /// Remembers by what one is known that was so before, or is to be so again.
    pub fn remember(&mut self, address: &Address, resource: &Resource) {
        if let Some(marker) = resource.marker() {
            let by = (address.kind().to_owned(), marker.to_owned());
            self.markers.insert(by, address.clone());
        }
        if let Some(Channel::Email { address: mailbox }) = resource.as_contact().map(|contact| &contact.channel) {
            self.mailboxes.insert(mailbox.clone(), address.clone());
        }
        self.references.extend(resource.references().cloned());
        let http = resource.as_monitor().and_then(|monitor| monitor.check.http());
        self.texts
            .extend(http.into_iter().flat_map(Http::texts).map(str::to_owned));
    }

    /// What tells or told the checks of this spec from those of another, what counts now first.
    pub fn stacks(&self) -> impl Iterator<Item = &str> {
        let earlier = self.earlier_stacks.iter().filter(|stack| **stack != self.stack);
        std::iter::once(self.stack.as_str()).chain(earlier.map(String::as_str))
    }

    /// What of a kind is known by a marker.
    pub fn marked(&self, kind: &str, marker: &str) -> Option<&Address> {
        self.markers.get(&(kind.to_owned(), marker.to_owned()))
    }
}
