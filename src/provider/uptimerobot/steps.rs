//! Changes turned into requests, in an order in which nothing refers to what is not there: contacts first, then
//! monitors, then what goes. At the end one step waits until all of it can be read back. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::convert::{self, CONTACTS, INTEGRATIONS};
use crate::model::address::Address;
use crate::model::contact::{Channel, Contact};
use crate::model::monitor::Monitor;
use crate::model::resource::Resource;
use crate::model::scope::ScopeName;
use crate::plan::Change;
use crate::provider::{Reading, Stage, Step, UptimeFacts};

/// The key under which the last step says what is to be read back.
pub(super) const EXPECT: &str = "$expect";

/// The requests that carry out `changes`.
pub(super) fn steps(changes: &[Change], reading: &Reading) -> Vec<Step> {
    let Some(facts) = reading.uptime.as_ref().filter(|facts| facts.provider == super::NAME) else {
        return Vec::new();
    };
    let (mut first, mut then, mut last) = (Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        match (&change.before, &change.after) {
            (before, Some(Resource::Contact(after))) => {
                let before = before.as_ref().and_then(|before| before.as_contact());
                first.extend(of_contact(change, before, after, facts));
            }
            (before, Some(Resource::Monitor(after))) => {
                let before = before.as_ref().and_then(|before| before.as_monitor());
                then.extend(of_monitor(change, before, after, facts));
            }
            (Some(Resource::Monitor(_)), None) => then.extend(delete(change, "monitors", facts)),
            (Some(Resource::Contact(contact)), None) => last.extend(delete(change, list_of(&contact.channel), facts)),
            _ => {}
        }
    }
    // Room is made before it is used: an account holds so many monitors and no more.
    then.sort_by_key(|step| step.method != "DELETE");
    let mut steps: Vec<Step> = first.into_iter().chain(then).chain(last).collect();
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
    Step {
        provider: super::NAME,
        scope: ScopeName::Uptime,
        stage: Stage::Content,
        lane: super::NAME.to_owned(),
        check: None,
        method,
        path,
        summary,
        addresses: vec![change.address.clone()],
        handles: BTreeMap::new(),
        body,
    }
}

fn delete(change: &Change, list: &str, facts: &UptimeFacts) -> Option<Step> {
    let id = facts.ids.get(&change.address)?;
    let summary = format!("delete {}", change.address);
    Some(step(change, "DELETE", format!("{list}/{id}"), summary, json!({})))
}

fn of_contact(change: &Change, before: Option<&Contact>, after: &Contact, facts: &UptimeFacts) -> Option<Step> {
    let name = after.marker.clone().unwrap_or_else(|| after.key.clone());
    let (list, mut body) = convert::contact_to_wire(&after.channel, &name)?;
    match (before, facts.ids.get(&change.address)) {
        (Some(before), Some(id)) => {
            // A mailbox cannot be exchanged for another: that is another contact.
            if list_of(&before.channel) != list || matches!(after.channel, Channel::Email { .. }) {
                return None;
            }
            let summary = format!("change {}", change.address);
            Some(step(change, "PATCH", format!("{list}/{id}"), summary, body))
        }
        _ => {
            if let (Channel::Email { .. }, Value::Object(body)) = (&after.channel, &mut body) {
                body.insert("friendlyName".to_owned(), json!(name));
            }
            let summary = format!("make {}", change.address);
            Some(step(change, "POST", list.to_owned(), summary, body))
        }
    }
}

fn of_monitor(change: &Change, before: Option<&Monitor>, after: &Monitor, facts: &UptimeFacts) -> Vec<Step> {
    let beside: BTreeSet<String> = facts
        .beside
        .get(&change.address)
        .and_then(|tags| serde_json::from_value(tags.clone()).ok())
        .unwrap_or_default();
    let wire = convert::to_wire(after, &beside);
    let known = before.zip(facts.ids.get(&change.address));
    let mut steps = Vec::new();
    let Some((before, id)) = known else {
        steps.push(make(change, wire));
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
        steps.push(make(change, wire));
        steps.extend(pause(
            change,
            after.paused.filter(|paused| *paused),
            &hole(&change.address),
        ));
        return steps;
    }
    let fields = difference(&convert::to_wire(before, &beside), wire);
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
    let gone: Vec<String> = before.keys().filter(|key| !after.contains_key(*key)).cloned().collect();
    let mut fields: Map<String, Value> = after
        .into_iter()
        .filter(|(key, value)| before.get(key) != Some(value))
        .collect();
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
    Step {
        provider: super::NAME,
        scope: ScopeName::Uptime,
        stage: Stage::Content,
        lane: super::NAME.to_owned(),
        check: None,
        method: "GET",
        path: "monitors".to_owned(),
        summary: "wait until all of it can be read back".to_owned(),
        addresses: Vec::new(),
        handles: BTreeMap::new(),
        body: json!({ EXPECT: expected }),
    }
}
