//! An account as the service would show it, from what was read of it: what a stand-in begins with when something is
//! rehearsed. What is kept elsewhere becomes what a stand-in takes for it. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::contacts;
use super::wire::{self, BODY, BODY_TYPE, Beside, ID, SECRET};
use crate::base::secret::SecretReference;
use crate::model::address::Address;
use crate::model::contact::{Channel, Contact, Guarded};
use crate::model::monitor::{Check, Monitor, marker};
use crate::model::resource::Resource;
use crate::model::window::UTC;
use crate::provider::credential::Keeper;
use crate::provider::{Reading, UptimeFacts};

/// What stands for a value that nobody knows here.
const HIDDEN_AT_STAND_IN: &str = "https://hooks.sandbox.example/unknown";

/// The account, with its lists under the names that their paths have; `None` where another service was read.
pub fn copy_of(reading: &Reading) -> Option<Value> {
    let facts = reading.uptime.as_ref().filter(|facts| facts.provider == super::NAME)?;
    let mut lists: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (address, resource) in &reading.live.inventory {
        let Some(id) = facts.ids.get(address).and_then(|id| id.parse::<u64>().ok()) else {
            continue;
        };
        let made = match resource {
            Resource::Monitor(found) => Some(("monitors", monitor(found, address, facts))),
            Resource::Contact(found) => Some(contact(found, address, facts)),
            Resource::Maintenance(found) => {
                let name = found.marker.as_deref().unwrap_or(&found.key);
                let mut window = contacts::window_to_wire(&found.window, name);
                let status = if found.window.zone == UTC { "active" } else { "paused" };
                window.insert("status".to_owned(), json!(status));
                Some((contacts::WINDOWS, Value::Object(window)))
            }
            _ => None,
        };
        if let Some((list, mut entry)) = made {
            entry["id"] = json!(id);
            lists.entry(list).or_default().push(entry);
        }
    }
    Some(json!({ "owner": facts.owner, "plan": facts.plan, "most": facts.most, "lists": lists }))
}

/// A monitor under the names that it reads with.
fn monitor(monitor: &Monitor, address: &Address, facts: &UptimeFacts) -> Value {
    let beside = facts.beside.get(address).cloned().unwrap_or_default();
    let beside: Beside = serde_json::from_value(beside).unwrap_or_default();
    let mut body = Value::Object(wire::to_wire(monitor, &beside));
    let keeper = Keeper::stand_in();
    let secret = |text: &str| {
        let reference: SecretReference = text.parse().map_err(|_| String::new())?;
        keeper.fetch_for(&reference, address).map_err(|error| error.message)
    };
    let form = |text: &str| wire::body_to_wire(secret(text)?.expose()).ok_or_else(String::new);
    let id = |text: &str| {
        let mut ids = facts.ids.iter().filter(|(known, _)| known.as_str() == text);
        let found = ids.next().map(|(_, id)| id.as_str()).or_else(|| super::by_id(text));
        found.and_then(|id| id.parse::<u64>().ok()).ok_or_else(String::new)
    };
    // What cannot be filled in is something that nobody knows here: it stays as it stands, and is then another value.
    let _ = wire::fill(&mut body, &|key, text| match key {
        SECRET => Some(secret(text).map(|secret| json!(secret.expose()))),
        BODY => Some(form(text).map(|(_, data)| data)),
        BODY_TYPE => Some(form(text).map(|(kind, _)| json!(kind))),
        ID => Some(id(text).map(Value::from)),
        _ => None,
    });
    let mut fields: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
    for (sent, read) in [
        ("maintenanceWindowsIds", "maintenanceWindows"),
        ("regionData", "regionalData"),
    ] {
        if let Some(value) = fields.remove(sent) {
            fields.insert(read.to_owned(), value);
        }
    }
    let tags = fields.remove("tagNames").unwrap_or_default();
    let tags = tags.as_array().into_iter().flatten().enumerate();
    let tags: Vec<Value> = tags
        .map(|(at, name)| json!({ "id": at + 1, "name": name, "color": "#3bd671" }))
        .collect();
    fields.insert("tags".to_owned(), json!(tags));
    if let Check::Other { what, .. } = &monitor.check {
        fields.insert("type".to_owned(), json!(what.to_ascii_uppercase()));
    }
    if let Some(headers) = fields.get_mut("customHttpHeaders").and_then(Value::as_object_mut) {
        for value in headers.values_mut().filter(|value| value.is_null()) {
            *value = json!(HIDDEN_AT_STAND_IN);
        }
    }
    let status = if monitor.paused == Some(true) {
        "PAUSED"
    } else {
        "STARTED"
    };
    fields.insert("status".to_owned(), json!(status));
    Value::Object(fields)
}

/// A contact under the names that it reads with, and the list that it stands in.
fn contact(contact: &Contact, address: &Address, facts: &UptimeFacts) -> (&'static str, Value) {
    let guarded = |guarded: &Guarded| {
        let reference = match guarded {
            Guarded::Kept(reference) => reference,
            Guarded::Hidden => return HIDDEN_AT_STAND_IN.to_owned(),
        };
        let kept = Keeper::stand_in().fetch_for(reference, address);
        kept.map_or_else(|_| HIDDEN_AT_STAND_IN.to_owned(), |kept| kept.expose().to_owned())
    };
    let is_ours = facts.beside.get(address) == Some(&json!(true));
    let ours = || marker(&facts.sought.stack, &contact.key);
    let name = match &contact.marker {
        Some(marker) => marker.clone(),
        None if is_ours => ours(),
        None => contact.key.clone(),
    };
    let (list, kind, value) = match &contact.channel {
        Channel::Email { address } => (contacts::CONTACTS, "Email", address.clone()),
        Channel::Sms { number } => (contacts::CONTACTS, "ProSms", number.clone()),
        Channel::Slack { hook } => (contacts::INTEGRATIONS, "Slack", guarded(hook)),
        Channel::Webhook { url } => (contacts::INTEGRATIONS, "Webhook", guarded(url)),
        Channel::Other { what } => (contacts::INTEGRATIONS, what.as_str(), String::new()),
    };
    let entry = json!({
        "type": kind, "value": value, "friendlyName": name, "status": "Active", "customValue": "",
        "enableNotificationsFor": "UpAndDown", "sslExpirationReminder": true,
    });
    (list, entry)
}
