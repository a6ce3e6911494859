//! Reading an account: monitors, contacts and what is paid for, each list once. A live monitor is known again by its
//! marker, else by what it asks; then it is seen in the terms of what the spec says of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::api::{self, ApiError};
use super::convert::{self, CONTACTS, INTEGRATIONS, LiveContact, LiveMonitor};
use crate::base::digest;
use crate::base::secret::{Secret, SecretReference};
use crate::base::text;
use crate::model::address::Address;
use crate::model::contact::{Channel, Contact, Guarded};
use crate::model::inventory::Inventory;
use crate::model::monitor::{Check, HeaderText, Monitor, key_of, tells_a_credential};
use crate::model::resource::Resource;
use crate::plan::{Live, Warning};
use crate::provider::credential::Keeper;
use crate::provider::http::Http;
use crate::provider::{ProviderError, Reading, Sought, UptimeFacts};

/// What the service returned, before anything in it was known again.
#[derive(Clone, Default)]
pub(super) struct Returned {
    /// Of the account itself.
    pub me: Value,
    pub monitors: Vec<LiveMonitor>,
    pub contacts: Vec<LiveContact>,
    /// What could not be understood.
    pub odd: Vec<Warning>,
}

/// Reads everything at once.
pub(super) async fn fetch(http: &Http) -> Result<Returned, ProviderError> {
    let (me, monitors, contacts) = tokio::join!(api::get(http, "user/me"), monitors(http, ""), contacts(http));
    let mut returned = Returned {
        me: me.map_err(|error| error.while_reading("the account"))?,
        ..Returned::default()
    };
    let (monitors, odd) = monitors.map_err(|error| error.while_reading("the monitors"))?;
    returned.monitors = monitors;
    returned.odd = odd;
    let (contacts, odd) = contacts.map_err(|error| error.while_reading("the contacts"))?;
    returned.contacts = contacts;
    returned.odd.extend(odd);
    Ok(returned)
}

/// All monitors, or those that a filter lets through.
pub(super) async fn monitors(http: &Http, filter: &str) -> Result<(Vec<LiveMonitor>, Vec<Warning>), ApiError> {
    let all = api::list(http, "monitors", filter).await?;
    Ok(understood(&all, "monitor", convert::monitor))
}

/// All contacts, of both lists.
pub(super) async fn contacts(http: &Http) -> Result<(Vec<LiveContact>, Vec<Warning>), ApiError> {
    let (personal, integrations) = tokio::join!(api::list(http, CONTACTS, ""), api::list(http, INTEGRATIONS, ""));
    let (mut all, mut odd) = understood(&personal?, "contact", |value| convert::contact(CONTACTS, value));
    let (more, more_odd) = understood(&integrations?, "integration", |value| {
        convert::contact(INTEGRATIONS, value)
    });
    all.extend(more);
    odd.extend(more_odd);
    Ok((all, odd))
}

/// What is not understood is not there for us: neither changed nor deleted, but said.
fn understood<T>(all: &[Value], what: &str, read: impl Fn(&Value) -> Result<T, String>) -> (Vec<T>, Vec<Warning>) {
    let (mut good, mut odd) = (Vec::new(), Vec::new());
    for value in all {
        match read(value) {
            Ok(one) => good.push(one),
            Err(why) => {
                let message = format!("left alone: a live {what} could not be understood: {why}");
                odd.push(Warning::general("unreadable-resource", message));
            }
        }
    }
    (good, odd)
}

/// What is kept at the places that the sought resources name. What the spec declares must be there; what only earlier
/// runs left may be gone.
pub(super) fn secrets(sought: &Sought, keeper: &Keeper) -> Result<BTreeMap<SecretReference, Secret>, ProviderError> {
    let mut all = BTreeMap::new();
    for (address, resource) in &sought.resources {
        for reference in references(resource) {
            match keeper.fetch(reference, address.as_str()) {
                Ok(secret) => {
                    all.insert(reference.clone(), secret);
                }
                Err(error) if sought.declared.contains(address) => return Err(error),
                Err(_) => {}
            }
        }
    }
    Ok(all)
}

fn references(resource: &Resource) -> Vec<&SecretReference> {
    let kept = |guarded: &'_ Guarded| matches!(guarded, Guarded::Kept(_));
    let guarded: Vec<&Guarded> = match resource {
        Resource::Contact(contact) => contact.channel.guarded().into_iter().collect(),
        Resource::Monitor(monitor) => {
            let headers = monitor.check.http().and_then(|http| http.headers.as_ref());
            let values = headers.into_iter().flat_map(BTreeMap::values);
            values
                .filter_map(|value| match value {
                    HeaderText::Guarded(guarded) => Some(guarded),
                    HeaderText::Plain(_) => None,
                })
                .collect()
        }
        _ => Vec::new(),
    };
    let references = guarded.into_iter().filter(|guarded| kept(guarded));
    references
        .filter_map(|guarded| match guarded {
            Guarded::Kept(reference) => Some(reference),
            Guarded::Hidden => None,
        })
        .collect()
}

/// Makes a reading out of what was returned.
pub(super) fn reading(
    returned: Returned,
    sought: &Sought,
    secrets: &BTreeMap<SecretReference, Secret>,
    requests_a_minute: Option<u32>,
) -> Reading {
    let me = &returned.me;
    let number = |key: &str| {
        me.get(key)
            .and_then(Value::as_u64)
            .and_then(|number| usize::try_from(number).ok())
    };
    let plan = me
        .get("activeSubscription")
        .and_then(|paid| paid.get("plan"))
        .and_then(Value::as_str);
    let email = me.get("email").and_then(Value::as_str).unwrap_or_default();
    let mut facts = UptimeFacts {
        provider: super::NAME,
        account: if email.is_empty() {
            String::new()
        } else {
            digest::short(email.as_bytes(), 16)
        },
        plan: text::shorten(&text::sanitize(plan.unwrap_or("Free")), 40),
        monitors: returned.monitors.len(),
        most: number("monitorLimit"),
        requests_a_minute,
        sought: sought.clone(),
        ..UptimeFacts::default()
    };
    let mut live = Live::default();
    let mut warnings = returned.odd;
    let keys = take_contacts(
        returned.contacts,
        sought,
        secrets,
        &mut facts,
        &mut live.inventory,
        &mut warnings,
    );
    take_monitors(
        returned.monitors,
        sought,
        secrets,
        &keys,
        &mut facts,
        &mut live.inventory,
    );
    Reading {
        live,
        uptime: Some(facts),
        warnings,
        ..Reading::default()
    }
}

/// Settles which live contact is which; returns their keys by their ids.
fn take_contacts(
    all: Vec<LiveContact>,
    sought: &Sought,
    secrets: &BTreeMap<SecretReference, Secret>,
    facts: &mut UptimeFacts,
    inventory: &mut Inventory,
    warnings: &mut Vec<Warning>,
) -> BTreeMap<String, String> {
    let wanted: Vec<(&Address, &Contact)> = sought
        .resources
        .iter()
        .filter_map(|(address, resource)| Some((address, resource.as_contact()?)))
        .collect();
    let mut keys = BTreeMap::new();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for contact in all {
        // A value can be kept under more than one name: the one that the contact itself is sought by comes first.
        let by_marker = |(_, wanted): &&(&Address, &Contact)| wanted.marker.as_deref() == Some(contact.name.as_str());
        let marked = wanted.iter().find(by_marker);
        let preferred = marked.and_then(|(_, wanted)| wanted.channel.guarded());
        let kept = |value: &str| -> Option<SecretReference> {
            let is_it =
                |reference: &&SecretReference| secrets.get(*reference).is_some_and(|secret| secret.expose() == value);
            let first = match preferred {
                Some(Guarded::Kept(reference)) => Some(reference),
                _ => None,
            };
            first.into_iter().chain(secrets.keys()).find(is_it).cloned()
        };
        let channel = contact.channel(kept);
        let found = marked.or_else(|| wanted.iter().find(|(_, wanted)| wanted.channel == channel));
        let found = found.filter(|(address, _)| !taken.contains(address.key()));
        let key = match found {
            Some((address, _)) => address.key().to_owned(),
            None => key_beside(&contact.name, &contact.id),
        };
        let marker = match &channel {
            Channel::Slack { .. } | Channel::Webhook { .. } => {
                contact.name.starts_with("launchctl-").then_some(contact.name)
            }
            _ => None,
        };
        let address = Address::contact(&key);
        if found.is_some() && contact.is_unconfirmed {
            let words = "has not confirmed yet: until then nothing reaches it";
            warnings.push(Warning::about(&address, "not-confirmed", words));
        }
        taken.insert(key.clone());
        keys.insert(contact.id.clone(), key.clone());
        facts.ids.insert(address.clone(), contact.id);
        inventory.insert(address, Resource::Contact(Contact { key, channel, marker }));
    }
    keys
}

fn key_beside(name: &str, id: &str) -> String {
    format!("{}-{id}", key_of(name))
}

/// Settles which live monitor is which.
fn take_monitors(
    all: Vec<LiveMonitor>,
    sought: &Sought,
    secrets: &BTreeMap<SecretReference, Secret>,
    contacts: &BTreeMap<String, String>,
    facts: &mut UptimeFacts,
    inventory: &mut Inventory,
) {
    let claims = claims(&all, sought);
    for (at, live) in all.into_iter().enumerate() {
        let address = match claims.get(&at) {
            Some(address) => address.clone(),
            None => Address::monitor(&key_beside(&live.monitor.name, &live.id)),
        };
        let said = sought
            .resources
            .get(&address)
            .and_then(|resource| resource.as_monitor());
        facts.ids.insert(address.clone(), live.id.clone());
        facts.beside.insert(address.clone(), json!(others_tags(&live.tags)));
        let monitor = settle(live, &address, said, secrets, contacts);
        inventory.insert(address, Resource::Monitor(Box::new(monitor)));
    }
}

fn others_tags(tags: &BTreeSet<String>) -> Vec<&String> {
    let is_ours = |tag: &&String| **tag == crate::model::monitor::MARK || tag.starts_with("launchctl-");
    tags.iter().filter(|tag| !is_ours(tag)).collect()
}

/// By its marker; else, for what the spec declares and nothing is marked as, by what it asks, as long as no other spec's
/// marker is on it.
fn claims(all: &[LiveMonitor], sought: &Sought) -> BTreeMap<usize, Address> {
    let mut claims: BTreeMap<usize, Address> = BTreeMap::new();
    let mut claimed: BTreeSet<Address> = BTreeSet::new();
    for (at, live) in all.iter().enumerate() {
        let address = live
            .monitor
            .marker
            .as_ref()
            .and_then(|marker| sought.markers.get(marker));
        if let Some(address) = address.filter(|address| !claimed.contains(*address)) {
            claimed.insert(address.clone());
            claims.insert(at, address.clone());
        }
    }
    for address in sought.resources.keys() {
        let Some(wanted) = sought.resources.get(address).and_then(|resource| resource.as_monitor()) else {
            continue;
        };
        if claimed.contains(address) {
            continue;
        }
        let asks_the_same = |live: &LiveMonitor| {
            let (one, other) = (&live.monitor.check, &wanted.check);
            convert::kind(one) == convert::kind(other) && convert::target(one) == convert::target(other)
        };
        // A check under a new name takes over the monitor of the old one, which the spec no longer declares.
        let is_free = |at: &usize, live: &LiveMonitor| match claims.get(at) {
            Some(holder) => !sought.declared.contains(holder) && sought.declared.contains(address),
            None => live.monitor.marker.is_none(),
        };
        let found = all
            .iter()
            .enumerate()
            .find(|(at, live)| asks_the_same(live) && is_free(at, live));
        if let Some((at, _)) = found {
            claimed.insert(address.clone());
            claims.insert(at, address.clone());
        }
    }
    claims
}

/// A live monitor in the terms of what is said of it.
fn settle(
    live: LiveMonitor,
    address: &Address,
    said: Option<&Monitor>,
    secrets: &BTreeMap<SecretReference, Secret>,
    contacts: &BTreeMap<String, String>,
) -> Monitor {
    let mut monitor = live.monitor;
    address.key().clone_into(&mut monitor.key);
    let told = live.told.into_iter().map(|(id, alerting)| {
        let key = contacts.get(&id).cloned();
        (key.unwrap_or_else(|| format!("id-{id}")), alerting)
    });
    monitor.contacts = Some(told.collect());
    let wanted = said
        .and_then(|said| said.check.http())
        .and_then(|http| http.headers.as_ref());
    if let (Check::Http(http), Some(wanted)) = (&mut monitor.check, wanted) {
        let headers = live.headers.into_iter();
        // The service adds one of its own when there is a body.
        let headers = headers.filter(|(name, _)| name != "content-type" || wanted.contains_key(name));
        let headers = headers.map(|(name, value)| {
            let text = header(&name, value, wanted.get(&name), secrets);
            (name, text)
        });
        http.headers = Some(headers.collect());
    }
    let Some(said) = said else { return monitor };
    // A name that holds what looks like an escape reads back as it is.
    if convert::unescape(&said.name) == monitor.name {
        said.name.clone_into(&mut monitor.name);
    }
    monitor.seen_as(said)
}

/// A header's value, shown only when it is no credential.
fn header(
    name: &str,
    value: String,
    wanted: Option<&HeaderText>,
    secrets: &BTreeMap<SecretReference, Secret>,
) -> HeaderText {
    match wanted {
        Some(HeaderText::Guarded(Guarded::Kept(reference)))
            if secrets.get(reference).is_some_and(|secret| secret.expose() == value) =>
        {
            HeaderText::Guarded(Guarded::Kept(reference.clone()))
        }
        Some(HeaderText::Plain(text)) if *text == value => HeaderText::Plain(value),
        Some(HeaderText::Guarded(_)) => HeaderText::Guarded(Guarded::Hidden),
        _ if tells_a_credential(name) => HeaderText::Guarded(Guarded::Hidden),
        _ => HeaderText::Plain(value),
    }
}
