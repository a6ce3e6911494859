//! Changes turned into requests, in an order in which nothing refers to what is not there: contacts first, then
//! monitors, then what goes. At the end one step waits until all of it can be read back. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::contacts::{self, CONTACTS, INTEGRATIONS, WINDOWS};
use super::convert;
use super::wire::{self, Beside, ID};
use crate::model::address::Address;
use crate::model::contact::{Channel, Contact};
use crate::model::monitor::{Monitor, marker};
use crate::model::resource::Resource;
use crate::model::window::Maintenance;
use crate::plan::Change;
use crate::provider::{Reading, Step, UptimeFacts, checks};

/// The key under which the last step says what is to be read back.
pub(super) const EXPECT: &str = "$expect";

/// The requests that carry out `changes`.
pub(super) fn steps(changes: &[Change], reading: &Reading) -> Vec<Step> {
    let Some(facts) = reading.uptime.as_ref().filter(|facts| facts.provider == super::NAME) else {
        return Vec::new();
    };
    let (mut first, mut then, mut last) = (Vec::new(), Vec::new(), Vec::new());
    let mut instead = BTreeMap::new();
    for change in changes {
        match (&change.before, &change.after) {
            (before, Some(Resource::Contact(after))) => {
                let before = before.as_ref().and_then(|before| before.as_contact());
                let exchanged = before.filter(|before| is_exchanged(before, after));
                if exchanged.is_some() {
                    let exchange = exchange(change, after, changes, reading, facts);
                    first.extend(exchange.first);
                    last.extend(exchange.last);
                    instead.extend(exchange.instead);
                } else {
                    first.extend(of_contact(change, before, after, facts));
                }
            }
            (before, Some(Resource::Monitor(after))) => {
                let before = before.as_ref().and_then(|before| before.as_monitor());
                then.extend(of_monitor(change, before, after, facts));
            }
            (Some(Resource::Monitor(_)), None) => then.extend(delete(change, "monitors", facts)),
            (Some(Resource::Contact(contact)), None) => last.extend(delete(change, list_of(&contact.channel), facts)),
            (_, Some(Resource::Maintenance(after))) => first.push(of_window(change, after, facts)),
            (Some(Resource::Maintenance(_)), None) => last.extend(delete(change, WINDOWS, facts)),
            _ => {}
        }
    }
    // Room is made before it is used: an account holds so many monitors and no more.
    then.sort_by_key(|step| step.method != "DELETE");
    // What is exchanged can be told only once its successor is there.
    first.sort_by_key(|step| step.method != "POST");
    let mut steps: Vec<Step> = first.into_iter().chain(then).chain(last).collect();
    for step in &mut steps {
        point_to(&mut step.body, &instead);
    }
    if !steps.is_empty() {
        steps.push(wait(changes));
    }
    steps
}

fn list_of(channel: &Channel) -> &'static str {
    match channel {
        Channel::Slack { .. } | Channel::Webhook { .. } => INTEGRATIONS,
        _ => CONTACTS,
    }
}

fn step(change: &Change, method: &'static str, path: String, summary: String, body: Value) -> Step {
    let addresses = vec![change.address.clone()];
    checks::step(super::NAME, addresses, (method, path), summary, body)
}

fn delete(change: &Change, list: &str, facts: &UptimeFacts) -> Option<Step> {
    let id = facts.ids.get(&change.address)?;
    let summary = format!("delete {}", change.address);
    Some(step(change, "DELETE", format!("{list}/{id}"), summary, json!({})))
}

fn of_contact(change: &Change, before: Option<&Contact>, after: &Contact, facts: &UptimeFacts) -> Option<Step> {
    let (list, mut body) = contacts::contact_to_wire(&after.channel, &name_of(after, facts))?;
    if let (Some(_), Some(id)) = (before, facts.ids.get(&change.address)) {
        let summary = format!("change {}", change.address);
        return Some(step(change, "PATCH", format!("{list}/{id}"), summary, body));
    }
    if let (Channel::Email { .. }, Value::Object(body)) = (&after.channel, &mut body) {
        body.insert("friendlyName".to_owned(), json!(name_of(after, facts)));
    }
    let summary = format!("make {}", change.address);
    Some(step(change, "POST", list.to_owned(), summary, body))
}

/// What it is called there: by that one of ours is known.
fn name_of(contact: &Contact, facts: &UptimeFacts) -> String {
    let marker = || marker(&facts.sought.stack, &contact.key);
    contact.marker.clone().unwrap_or_else(marker)
}

/// A mailbox cannot be made another, nor one kind of contact another kind: that is another contact.
pub(super) fn is_exchanged(before: &Contact, after: &Contact) -> bool {
    let is_mailbox = matches!(after.channel, Channel::Email { .. });
    before.channel.kind() != after.channel.kind() || (is_mailbox && before.channel != after.channel)
}

/// Monitors that tell a contact: those that are ours to move to its successor, and whether others do.
pub(super) fn tellers<'r>(
    key: &str,
    reading: &'r Reading,
    facts: &UptimeFacts,
) -> (Vec<(&'r Address, &'r Monitor)>, bool) {
    let tells = |monitor: &Monitor| monitor.contacts.as_ref().is_some_and(|all| all.contains_key(key));
    let all = reading.live.inventory.iter();
    let all = all.filter_map(|(address, live)| Some((address, live.as_monitor()?)));
    let (ours, others): (Vec<_>, Vec<_>) = all
        .filter(|(_, monitor)| tells(monitor))
        .partition(|(address, _)| facts.sought.resources.contains_key(*address));
    (ours, !others.is_empty())
}

/// How a contact becomes another one.
#[derive(Default)]
struct Exchange {
    first: Vec<Step>,
    last: Vec<Step>,
    /// Whose id counts instead, when the successor is there already.
    instead: BTreeMap<String, String>,
}

/// The new one is made, whoever tells the old one tells the new one, and the old one goes if it was made here and nobody
/// else tells it.
fn exchange(change: &Change, after: &Contact, changes: &[Change], reading: &Reading, facts: &UptimeFacts) -> Exchange {
    let mut all = Exchange::default();
    let same = |(address, live): &(&Address, &Resource)| {
        **address != change.address && live.as_contact().is_some_and(|live| live.channel == after.channel)
    };
    match reading.live.inventory.iter().find(same) {
        Some((there, _)) => {
            all.instead.insert(change.address.to_string(), there.to_string());
        }
        None => all.first.extend(of_contact(change, None, after, facts)),
    }
    let (ours, others) = tellers(&after.key, reading, facts);
    for (address, monitor) in ours {
        let next = changes.iter().find(|change| change.address == *address);
        let next = next.map(|change| change.after.as_ref().and_then(|after| after.as_monitor()));
        let stays = match next {
            None => true,
            Some(None) => false,
            Some(Some(next)) => convert::kind(&next.check) == convert::kind(&monitor.check),
        };
        let (Some(contacts), Some(id)) = (&monitor.contacts, facts.ids.get(address).filter(|_| stays)) else {
            continue;
        };
        let body = json!({ "assignedAlertContacts": wire::assigned(contacts) });
        let summary = format!("have {address} tell the new {}", change.address);
        all.first
            .push(step(change, "PATCH", format!("monitors/{id}"), summary, body));
    }
    let is_ours = facts.beside.get(&change.address) == Some(&json!(true));
    if let Some(Resource::Contact(before)) = change.before.as_ref().filter(|_| is_ours && !others) {
        all.last.extend(delete(change, list_of(&before.channel), facts));
    }
    all
}

/// Ids are taken from elsewhere for what is there already.
fn point_to(body: &mut Value, instead: &BTreeMap<String, String>) {
    match body {
        Value::Array(all) => all.iter_mut().for_each(|value| point_to(value, instead)),
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(address) if key == ID => {
                        if let Some(other) = instead.get(address) {
                            address.clone_from(other);
                        }
                    }
                    value if key != EXPECT => point_to(value, instead),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn of_window(change: &Change, after: &Maintenance, facts: &UptimeFacts) -> Step {
    let name = after.marker.clone().unwrap_or_else(|| after.key.clone());
    let mut body = contacts::window_to_wire(&after.window, &name);
    match facts.ids.get(&change.address).filter(|_| change.before.is_some()) {
        Some(id) => {
            body.insert("status".to_owned(), json!("active"));
            let summary = format!("change {}", change.address);
            step(change, "PATCH", format!("{WINDOWS}/{id}"), summary, Value::Object(body))
        }
        None => {
            body.insert("autoAddMonitors".to_owned(), json!(false));
            let summary = format!("make {}", change.address);
            step(change, "POST", WINDOWS.to_owned(), summary, Value::Object(body))
        }
    }
}

fn of_monitor(change: &Change, before: Option<&Monitor>, after: &Monitor, facts: &UptimeFacts) -> Vec<Step> {
    let beside: Beside = facts
        .beside
        .get(&change.address)
        .and_then(|tags| serde_json::from_value(tags.clone()).ok())
        .unwrap_or_default();
    let sent = wire::to_wire(after, &beside);
    let known = before.zip(facts.ids.get(&change.address));
    let mut steps = Vec::new();
    let Some((before, id)) = known else {
        steps.push(make(change, sent));
        steps.extend(pause(
            change,
            after.paused.filter(|paused| *paused),
            &hole(&change.address),
        ));
        return steps;
    };
    if convert::kind(&before.check) != convert::kind(&after.check) {
        // The type of a monitor cannot be changed (code 009-015).
        steps.extend(delete(change, "monitors", facts));
        steps.push(make(change, sent));
        steps.extend(pause(
            change,
            after.paused.filter(|paused| *paused),
            &hole(&change.address),
        ));
        return steps;
    }
    let fields = difference(&wire::to_wire(before, &beside), sent);
    if let Some(cleared) = without_thresholds(&beside, after).filter(|_| fields.contains_key("regionData")) {
        let summary = format!("clear the response times of {}", change.address);
        steps.push(step(change, "PATCH", format!("monitors/{id}"), summary, cleared));
    }
    if !fields.is_empty() {
        let summary = format!("change {}", change.address);
        steps.push(step(
            change,
            "PATCH",
            format!("monitors/{id}"),
            summary,
            Value::Object(fields),
        ));
    }
    steps.extend(pause(
        change,
        after.paused.filter(|_| before.paused != after.paused),
        id,
    ));
    steps
}

/// What is sent first where a response time is watched in a region that goes: it would stay otherwise (facts A8.8). Those
/// of the other regions come back with what is sent next.
fn without_thresholds(beside: &Beside, after: &Monitor) -> Option<Value> {
    let stays = |word: &String| {
        let regions = after.regions.iter().flatten();
        convert::REGIONS
            .iter()
            .any(|(region, known)| known == word && regions.clone().any(|wanted| wanted == region))
    };
    if after.regions.is_none() || beside.thresholds.keys().all(stays) {
        return None;
    }
    let bare = Beside {
        thresholds: BTreeMap::new(),
        ..beside.clone()
    };
    let mut data = wire::to_wire(after, &bare).remove("regionData")?;
    data["THRESHOLD"] = json!({});
    Some(json!({ "regionData": data, "responseTimeThreshold": 0 }))
}

fn make(change: &Change, wire: Map<String, Value>) -> Step {
    let summary = format!("make {}", change.address);
    step(change, "POST", "monitors".to_owned(), summary, Value::Object(wire))
}

/// What stands in a path for an id that is known only once the monitor is made.
fn hole(address: &Address) -> String {
    format!("{{{address}}}")
}

/// Resting is an action at the service and no attribute.
fn pause(change: &Change, paused: Option<bool>, id: &str) -> Option<Step> {
    let (verb, action) = if paused? {
        ("pause", "pause")
    } else {
        ("start", "start")
    };
    let summary = format!("{verb} {}", change.address);
    Some(step(
        change,
        "POST",
        format!("monitors/{id}/{action}"),
        summary,
        json!({}),
    ))
}

/// The fields to send so that `before` becomes `after`: a map is sent whole, since it is replaced whole.
fn difference(before: &Map<String, Value>, after: Map<String, Value>) -> Map<String, Value> {
    const BODY: [&str; 2] = ["postValueType", "postValueData"];
    let gone: Vec<String> = before.keys().filter(|key| !after.contains_key(*key)).cloned().collect();
    let body = BODY.map(|key| (key, after.get(key).cloned()));
    let mut fields: Map<String, Value> = after
        .into_iter()
        .filter(|(key, value)| before.get(key) != Some(value))
        .collect();
    // A body without its type is refused, and a type without its body is nothing.
    if BODY.iter().any(|key| fields.contains_key(*key)) {
        let whole = body
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)));
        fields.extend(whole);
    }
    // What is not sent stays, so a body that goes is taken away.
    if gone.iter().any(|key| key == "postValueData") {
        fields.extend(BODY.map(|key| (key.to_owned(), Value::Null)));
    }
    // Types of records that are not sent stay as they are.
    let records = |fields: &Map<String, Value>| fields.get("config")?.get("dnsRecords")?.as_object().cloned();
    if let (Some(was), Some(config)) = (records(before), fields.get_mut("config")) {
        for kind in was.keys() {
            if config["dnsRecords"].get(kind).is_none() {
                config["dnsRecords"][kind] = json!([]);
            }
        }
    }
    // Days without a reminder are of no account; the list may stay.
    for key in gone.iter().filter(|key| *key == "customHttpHeaders") {
        fields.insert(key.clone(), json!({}));
    }
    fields
}

fn wait(changes: &[Change]) -> Step {
    let expected: Map<String, Value> = changes
        .iter()
        .map(|change| (change.address.to_string(), json!(change.after)))
        .collect();
    let request = ("GET", "monitors".to_owned());
    let summary = "wait until all of it can be read back".to_owned();
    checks::step(super::NAME, Vec::new(), request, summary, json!({ EXPECT: expected }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_are_no_longer_said_are_cleared() {
        let fields = |value: Value| value.as_object().cloned().unwrap_or_default();
        let before = fields(json!({ "type": "HTTP", "customHttpHeaders": { "accept": "*/*" } }));
        let after = fields(json!({ "type": "HTTP" }));
        assert_eq!(
            Value::Object(difference(&before, after)),
            json!({ "customHttpHeaders": {} })
        );
    }
}
