//! Reading an account: monitors, contacts and what is paid for, each list once. A live monitor is known again by its
//! marker, else by what it asks; then it is seen in the terms of what the spec says of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::api::{self, ApiError};
use super::contacts::{self, CONTACTS, INTEGRATIONS, LiveContact, LiveWindow, WINDOWS};
use super::convert::{self, LiveMonitor};
use super::wire::{self, Beside};
use crate::base::digest;
use crate::base::text;
use crate::model::address::Address;
use crate::model::contact::{Channel, Contact};
use crate::model::inventory::Inventory;
use crate::model::monitor::{Check, MARK, Monitor, key_of, stack_of};
use crate::model::resource::Resource;
use crate::model::window::{Maintenance, Rest};
use crate::plan::{Live, Warning};
use crate::provider::checks::{self, Secrets};
use crate::provider::http::Http;
use crate::provider::{ProviderError, Reading, Sought, UptimeFacts};

/// What the service returned, before anything in it was known again.
#[derive(Clone, Default)]
pub(super) struct Returned {
    /// Of the account itself.
    pub me: Value,
    pub monitors: Vec<LiveMonitor>,
    pub contacts: Vec<LiveContact>,
    /// Maintenance windows, where any is spoken of.
    pub windows: Option<Vec<LiveWindow>>,
    /// What could not be understood.
    pub odd: Vec<Warning>,
}

/// Whether any maintenance window is spoken of: reading them costs a request.
pub(super) fn speaks_of_windows(sought: &Sought) -> bool {
    let speaks = |resource: &Resource| match resource {
        Resource::Maintenance(_) => true,
        Resource::Monitor(monitor) => monitor.maintenance.is_some(),
        _ => false,
    };
    sought.everything || sought.resources.values().any(speaks)
}

/// Reads everything at once.
pub(super) async fn fetch(http: &Http, with_windows: bool) -> Result<Returned, ProviderError> {
    let windows = async {
        if with_windows {
            windows(http).await.map(Some)
        } else {
            Ok(None)
        }
    };
    let (me, monitors, contacts, windows) =
        tokio::join!(api::get(http, "user/me"), monitors(http, ""), contacts(http), windows);
    let mut returned = Returned {
        me: me.map_err(|error| error.while_reading(&api::VOICE, "the account"))?,
        ..Returned::default()
    };
    let (monitors, odd) = monitors.map_err(|error| error.while_reading(&api::VOICE, "the monitors"))?;
    returned.monitors = monitors;
    returned.odd = odd;
    let (contacts, odd) = contacts.map_err(|error| error.while_reading(&api::VOICE, "the contacts"))?;
    returned.contacts = contacts;
    returned.odd.extend(odd);
    if let Some((windows, odd)) =
        windows.map_err(|error| error.while_reading(&api::VOICE, "the maintenance windows"))?
    {
        returned.windows = Some(windows);
        returned.odd.extend(odd);
    }
    Ok(returned)
}

/// All maintenance windows.
pub(super) async fn windows(http: &Http) -> Result<(Vec<LiveWindow>, Vec<Warning>), ApiError> {
    let all = api::list(http, WINDOWS, "").await?;
    let mut odd = Vec::new();
    Ok((
        checks::understood(&all, "maintenance window", contacts::window, &mut odd),
        odd,
    ))
}

/// All monitors, or those that a filter lets through.
pub(super) async fn monitors(http: &Http, filter: &str) -> Result<(Vec<LiveMonitor>, Vec<Warning>), ApiError> {
    let all = api::list(http, "monitors", filter).await?;
    let mut odd = Vec::new();
    Ok((checks::understood(&all, "monitor", convert::monitor, &mut odd), odd))
}

/// All contacts, of both lists.
pub(super) async fn contacts(http: &Http) -> Result<(Vec<LiveContact>, Vec<Warning>), ApiError> {
    let (personal, integrations) = tokio::join!(api::list(http, CONTACTS, ""), api::list(http, INTEGRATIONS, ""));
    let mut odd = Vec::new();
    let of = |list: &'static str| move |value: &Value| contacts::contact(list, value);
    let mut all = checks::understood(&personal?, "contact", of(CONTACTS), &mut odd);
    all.extend(checks::understood(
        &integrations?,
        "integration",
        of(INTEGRATIONS),
        &mut odd,
    ));
    Ok((all, odd))
}

/// Makes a reading out of what was returned.
pub(super) fn reading(
    returned: Returned,
    sought: &Sought,
    secrets: &Secrets,
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
        owner: email.to_owned(),
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
    let windows = returned
        .windows
        .map(|all| take_windows(all, sought, &mut facts, &mut live.inventory));
    let known = Known {
        sought,
        secrets,
        contacts: &keys,
        windows: windows.as_ref(),
    };
    take_monitors(
        returned.monitors,
        &known,
        &mut facts,
        &mut live.inventory,
        &mut warnings,
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
    secrets: &Secrets,
    facts: &mut UptimeFacts,
    inventory: &mut Inventory,
    warnings: &mut Vec<Warning>,
) -> BTreeMap<String, String> {
    let wanted: Vec<(&Address, &Contact)> = sought
        .resources
        .iter()
        .filter_map(|(address, resource)| Some((address, resource.as_contact()?)))
        .collect();
    let marked = |contact: &LiveContact| {
        let by_marker = |(_, wanted): &&(&Address, &Contact)| wanted.marker.as_deref() == Some(contact.name.as_str());
        wanted.iter().find(by_marker).copied()
    };
    let channels = all.iter().map(|contact| {
        // A value can be kept under more than one name: the one that the contact itself is sought by comes first.
        let preferred = marked(contact).and_then(|(_, wanted)| wanted.channel.guarded());
        contact.channel(|value| checks::kept(value, preferred, secrets))
    });
    let channels: Vec<Channel> = channels.collect();
    // What is as it is wanted comes before a mailbox that one of them had before.
    let mut claims: BTreeMap<usize, &Address> = BTreeMap::new();
    let as_wanted = |at: usize| {
        let found = marked(&all[at]).or_else(|| {
            wanted
                .iter()
                .find(|(_, wanted)| wanted.channel == channels[at])
                .copied()
        });
        found.map(|(address, _)| address)
    };
    let as_before = |at: usize| match &channels[at] {
        Channel::Email { address } => sought.mailboxes.get(address),
        _ => sought.marked("contact", &all[at].name),
    };
    let free = |claims: &BTreeMap<usize, &Address>, address: &Address| !claims.values().any(|taken| *taken == address);
    for at in 0..all.len() {
        if let Some(address) = as_wanted(at).filter(|address| free(&claims, address)) {
            claims.insert(at, address);
        }
    }
    for at in 0..all.len() {
        let address = as_before(at).filter(|address| !claims.contains_key(&at) && free(&claims, address));
        if let Some(address) = address {
            claims.insert(at, address);
        }
    }
    let mut keys = BTreeMap::new();
    for (at, (contact, channel)) in all.into_iter().zip(channels).enumerate() {
        let found = claims.get(&at);
        let key = match found {
            Some(address) => address.key().to_owned(),
            None => checks::key_beside(&contact.name, &contact.id),
        };
        let address = Address::contact(&key);
        if found.is_some() && contact.is_unconfirmed {
            let words = "has not confirmed yet: until then nothing reaches it";
            warnings.push(Warning::about(&address, "not-confirmed", words));
        }
        keys.insert(contact.id.clone(), key.clone());
        facts.ids.insert(address.clone(), contact.id.clone());
        // One that another spec of the account made is as good as made by hand.
        let is_this_specs = |stack: &str| sought.stacks().any(|own| own == stack);
        let is_ours = contact.is_ours() && stack_of(&contact.name).is_none_or(is_this_specs);
        facts.beside.insert(address.clone(), json!(is_ours));
        let is_guarded = channel.guarded().is_some();
        // One that somebody else made and that is known by its value needs no marker: that would take its name.
        let is_met = |wanted: &&Contact| wanted.channel == channel;
        let wanted = found.and_then(|address| sought.resources.get(*address)?.as_contact());
        let marker = match wanted.filter(is_met) {
            Some(wanted) if is_guarded && !is_ours => wanted.marker.clone(),
            _ => (is_guarded && contact.is_ours()).then_some(contact.name),
        };
        inventory.insert(address, Resource::Contact(Contact { key, channel, marker }));
    }
    keys
}

/// Settles which live maintenance window is which; returns their keys by their ids.
fn take_windows(
    all: Vec<LiveWindow>,
    sought: &Sought,
    facts: &mut UptimeFacts,
    inventory: &mut Inventory,
) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    let marked: BTreeSet<&Address> = all
        .iter()
        .filter_map(|live| sought.marked("maintenance", &live.name))
        .collect();
    let mut wanted: BTreeMap<&Address, &Maintenance> = BTreeMap::new();
    for (address, resource) in &sought.resources {
        if let Resource::Maintenance(maintenance) = resource
            && !marked.contains(address)
        {
            wanted.insert(address, maintenance);
        }
    }
    for live in all {
        let found = sought.marked("maintenance", &live.name);
        let found = found.filter(|address| !inventory.contains_key(*address));
        // One that somebody made by hand is known by when it is, and keeps its name.
        let by_hand = || {
            let name = key_of(&live.name);
            let mut all = wanted
                .iter()
                .filter(|(address, wanted)| !inventory.contains_key(**address) && wanted.window == live.window);
            let first = all.clone().next();
            all.find(|(_, wanted)| wanted.key == name)
                .or(first)
                .map(|(address, wanted)| (*address, *wanted))
        };
        let is_free = found.is_none() && !live.is_for_all && !contacts::is_marker(&live.name);
        let taken_over = if is_free { by_hand() } else { None };
        let found = found.or(taken_over.map(|(address, _)| address));
        let key = match found {
            Some(address) => address.key().to_owned(),
            None => checks::key_beside(&live.name, &live.id),
        };
        let address = Address::maintenance(&key);
        keys.insert(live.id.clone(), key.clone());
        facts.beside.insert(address.clone(), json!(live.is_for_all));
        facts.ids.insert(address.clone(), live.id);
        let marker = match taken_over {
            Some((_, wanted)) => wanted.marker.clone(),
            None => contacts::is_marker(&live.name).then_some(live.name),
        };
        let maintenance = Maintenance {
            key,
            window: live.window,
            marker,
        };
        inventory.insert(address, Resource::Maintenance(maintenance));
    }
    keys
}

/// What a live monitor is seen with.
struct Known<'a> {
    sought: &'a Sought,
    secrets: &'a Secrets,
    /// The keys of contacts by their ids.
    contacts: &'a BTreeMap<String, String>,
    /// The keys of maintenance windows by their ids, where they were read.
    windows: Option<&'a BTreeMap<String, String>>,
}

/// Settles which live monitor is which.
fn take_monitors(
    all: Vec<LiveMonitor>,
    known: &Known<'_>,
    facts: &mut UptimeFacts,
    inventory: &mut Inventory,
    warnings: &mut Vec<Warning>,
) {
    let seen: Vec<&Monitor> = all.iter().map(|live| &live.monitor).collect();
    let claims = checks::claims(&seen, known.sought, asks_the_same);
    warnings.extend(checks::marked_twice(&seen, &claims, known.sought));
    for (at, live) in all.into_iter().enumerate() {
        let address = match claims.get(&at) {
            Some(address) => address.clone(),
            None => Address::monitor(&checks::key_beside(&live.monitor.name, &live.id)),
        };
        let said = known.sought.resources.get(&address);
        let said = said.and_then(|resource| resource.as_monitor());
        facts.ids.insert(address.clone(), live.id.clone());
        let beside = Beside {
            tags: others_tags(&live.tags),
            windows: live.windows_of_all.iter().filter_map(|id| id.parse().ok()).collect(),
            thresholds: live.thresholds.clone(),
        };
        facts.beside.insert(address.clone(), json!(beside));
        let monitor = settle(live, &address, said, known);
        inventory.insert(address, Resource::Monitor(Box::new(monitor)));
    }
}

fn others_tags(tags: &BTreeSet<String>) -> BTreeSet<String> {
    let is_ours = |tag: &&String| **tag == MARK || contacts::is_marker(tag);
    tags.iter().filter(|tag| !is_ours(tag)).cloned().collect()
}

/// Whether two ask the same in the same way: by these a monitor that was made by hand is known.
fn asks_the_same(live: &Monitor, wanted: &Monitor) -> bool {
    // A heartbeat asks nothing: it is known by its name.
    if let (Check::Heartbeat(_), Check::Heartbeat(_)) = (&live.check, &wanted.check) {
        return live.name == wanted.name;
    }
    let (live, wanted) = (&live.check, &wanted.check);
    let target = convert::target(wanted);
    convert::kind(live) == convert::kind(wanted) && !target.is_empty() && convert::target(live) == target
}

/// A live monitor in the terms of what is said of it.
fn settle(live: LiveMonitor, address: &Address, said: Option<&Monitor>, known: &Known<'_>) -> Monitor {
    let secrets = known.secrets;
    let mut monitor = live.monitor;
    address.key().clone_into(&mut monitor.key);
    let told = live.told.into_iter().map(|(id, alerting)| {
        let key = known.contacts.get(&id).cloned();
        (key.unwrap_or_else(|| format!("id-{id}")), alerting)
    });
    monitor.contacts = Some(told.collect());
    monitor.maintenance = known.windows.map(|keys| {
        let chosen = live.windows.difference(&live.windows_of_all);
        let key = |id: &String| keys.get(id).cloned().unwrap_or_else(|| format!("id-{id}"));
        chosen.map(|id| Rest::Kept(key(id))).collect()
    });
    let wanted = said
        .and_then(|said| said.check.http())
        .and_then(|http| http.headers.as_ref());
    let nothing = BTreeMap::new();
    let wanted = wanted.or(known.sought.everything.then_some(&nothing));
    if let (Check::Http(http), Some(wanted)) = (&mut monitor.check, wanted) {
        let headers = live.headers.into_iter();
        // The service adds one of its own when there is a body.
        let headers = headers.filter(|(name, _)| name != "content-type" || wanted.contains_key(name));
        let headers = headers.map(|(name, value)| {
            let text = checks::header(&name, value, wanted.get(&name), known.sought, secrets);
            (name, text)
        });
        http.headers = Some(headers.collect());
    }
    if let Check::Http(http) = &mut monitor.check {
        let wanted = said
            .and_then(|said| said.check.http())
            .and_then(|http| http.body.as_ref());
        http.body = live
            .body
            .map(|body| checks::body(&body, wanted, known.sought, secrets, wire::is_same_body));
    }
    let Some(said) = said else { return monitor };
    // A name that holds what looks like an escape reads back as it is.
    if convert::unescape(&said.name) == monitor.name {
        said.name.clone_into(&mut monitor.name);
    }
    monitor.seen_as(said)
}
