//! Changes turned into requests, in an order in which nothing refers to what is not there: contacts and policies first,
//! then monitors with their markers, then what goes: nothing is deleted while it is in use. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::account::{self, METADATA, METADATA_KEY, POLICIES, SLACK_BODY, WEBHOOKS};
use super::convert::{self, SECRET};
use super::escalation::{self, Contacts, ID, Member, Shared};
use crate::model::address::Address;
use crate::model::contact::{Channel, Contact, Guarded};
use crate::model::monitor::{Check, Heartbeat, Monitor, marker};
use crate::model::resource::Resource;
use crate::plan::Change;
use crate::provider::{Reading, Step, UptimeFacts, checks};

/// Seconds and milliseconds to wait where nothing is said and the type of a monitor changes to one with the other unit.
const USUAL_TIMEOUT: (u32, u32) = (30, 5_000);

/// The requests that carry out `changes`.
pub(super) fn steps(changes: &[Change], reading: &Reading) -> Vec<Step> {
    let Some(facts) = reading.uptime.as_ref().filter(|facts| facts.provider == super::NAME) else {
        return Vec::new();
    };
    let mut work = Work::new(changes, reading, facts);
    let (mut first, mut gone, mut then, mut last) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        match (&change.before, &change.after) {
            (before, Some(Resource::Contact(after))) => {
                let before = before.as_ref().and_then(Resource::as_contact);
                first.extend(work.of_contact(change, before, after));
            }
            (before, Some(Resource::Monitor(after))) => {
                let before = before.as_ref().and_then(Resource::as_monitor);
                then.extend(work.of_monitor(change, before, after));
            }
            // Room is made before it is used: an account holds so many monitors and no more.
            (Some(Resource::Monitor(monitor)), None) => {
                gone.extend(work.delete(change, account::list_of(&monitor.check)));
            }
            (Some(Resource::Contact(contact)), None) => last.extend(work.delete(change, list_of(&contact.channel))),
            _ => {}
        }
    }
    let made = work.policies();
    let unused = work.unused_policies();
    // A webhook goes after the policies that tell it.
    last.sort_by_key(|step: &Step| step.path.starts_with(WEBHOOKS));
    first
        .into_iter()
        .chain(made)
        .chain(gone)
        .chain(then)
        .chain(unused)
        .chain(last)
        .collect()
}

pub(super) fn list_of(channel: &Channel) -> &'static str {
    match channel {
        Channel::Slack { .. } | Channel::Webhook { .. } => WEBHOOKS,
        _ => POLICIES,
    }
}

fn step(addresses: Vec<Address>, method: &'static str, path: String, summary: String, body: Value) -> Step {
    checks::step(super::NAME, addresses, (method, path), summary, body)
}

fn of(change: &Change, method: &'static str, path: String, verb: &str, body: Value) -> Step {
    let summary = format!("{verb} {}", change.address);
    step(vec![change.address.clone()], method, path, summary, body)
}

/// Changes with what was read, as far as requests need it.
pub(super) struct Work<'a> {
    changes: &'a [Change],
    reading: &'a Reading,
    facts: &'a UptimeFacts,
    /// The policies of several contacts that there are.
    shared: Vec<Shared>,
    /// Those that are wanted, by their names, with whom they tell and the monitors that want them.
    wanted: BTreeMap<String, (Contacts, BTreeSet<Address>)>,
}

impl<'a> Work<'a> {
    pub(super) fn new(changes: &'a [Change], reading: &'a Reading, facts: &'a UptimeFacts) -> Self {
        Self {
            changes,
            reading,
            facts,
            shared: account::shared(facts),
            wanted: BTreeMap::new(),
        }
    }

    fn delete(&self, change: &Change, list: &str) -> Option<Step> {
        let id = self.facts.ids.get(&change.address)?;
        Some(of(change, "DELETE", format!("{list}/{id}"), "delete", json!({})))
    }

    /// What a contact's key is to a policy: by what it becomes, else by what is live, else by what was left.
    pub(super) fn member(&self, key: &str) -> Member {
        if key.contains('@') {
            return Member::Mailbox(key.to_owned());
        }
        let address = Address::contact(key);
        let after = self.changes.iter().find(|change| change.address == address);
        let known = after
            .and_then(|change| change.after.as_ref())
            .or_else(|| self.reading.live.inventory.get(&address))
            .or_else(|| self.facts.sought.resources.get(&address));
        match known.and_then(Resource::as_contact).map(|contact| &contact.channel) {
            Some(Channel::Email { address }) => Member::Mailbox(address.clone()),
            Some(Channel::Slack { .. } | Channel::Webhook { .. }) => Member::Hook(address),
            _ => Member::Policy,
        }
    }

    /// The name of the policy that tells these: of the one that there is, else a name that no other has.
    fn name(&self, contacts: &Contacts) -> String {
        if let Some(there) = self.shared.iter().find(|policy| policy.contacts == *contacts) {
            return there.name.clone();
        }
        let mut name = account::shared_prefix(&self.facts.sought.stack) + &escalation::words(contacts);
        // One that somebody changed keeps its name too.
        let is_taken = |name: &str| {
            let mut edited = account::edited(self.facts);
            self.shared.iter().any(|policy| policy.name == name) || edited.any(|(other, _)| other == name)
        };
        while is_taken(&name) {
            name.push('\'');
        }
        name
    }

    /// What is sent so that a monitor's contacts are told.
    fn told(&self, monitor: &Monitor) -> Option<escalation::Plan> {
        let contacts = monitor.contacts.as_ref()?;
        Some(escalation::plan(contacts, &|key| self.member(key), &|contacts| {
            self.name(contacts)
        }))
    }

    /// What is sent of a monitor, headers aside, with the contacts that share a policy.
    pub(super) fn wire(&self, monitor: &Monitor) -> (Map<String, Value>, Option<Contacts>) {
        let told = self.told(monitor);
        let (fields, shared) = told.map(|plan| (plan.fields, plan.shared)).unwrap_or_default();
        (convert::to_wire(monitor, fields), shared)
    }

    fn of_contact(&self, change: &Change, before: Option<&Contact>, after: &Contact) -> Vec<Step> {
        let name = marker(&self.facts.sought.stack, &after.key);
        let secret = |guarded: &Guarded| match guarded {
            Guarded::Kept(reference) => json!({ SECRET: reference.to_string() }),
            // The review refuses it before anything is sent.
            Guarded::Hidden => Value::Null,
        };
        let body = match &after.channel {
            Channel::Email { .. } => {
                let alone = [(after.key.clone(), crate::model::monitor::Alerting::default())].into();
                escalation::body(&name, &alone, &|key| self.member(key))
            }
            Channel::Slack { hook } => json!({
                "name": name, "url": secret(hook),
                "custom_webhook_template_attributes": {
                    "http_method": "post", "body_template": SLACK_BODY,
                    "headers_template": [{ "name": "Content-Type", "value": "application/json" }],
                },
            }),
            Channel::Webhook { url } => json!({ "name": name, "url": secret(url) }),
            Channel::Sms { .. } | Channel::Other { .. } => return Vec::new(),
        };
        let list = list_of(&after.channel);
        if let (Some(_), Some(id)) = (before, self.facts.ids.get(&change.address)) {
            let mut steps = vec![of(change, "PATCH", format!("{list}/{id}"), "change", body)];
            // A mailbox stands in every policy that tells it; a webhook is named there by its id, which stays.
            let with_it = |policy: &&Shared| list == POLICIES && policy.contacts.contains_key(&after.key);
            for policy in self.shared.iter().filter(with_it) {
                let body = escalation::body(&policy.name, &policy.contacts, &|key| self.member(key));
                let summary = format!("change {} in the escalation policy \"{}\"", change.address, policy.name);
                let path = format!("{POLICIES}/{}", policy.id);
                steps.push(step(vec![change.address.clone()], "PATCH", path, summary, body));
            }
            return steps;
        }
        let mut body = body;
        if let (WEBHOOKS, Value::Object(body)) = (list, &mut body) {
            body.insert("trigger_type".to_owned(), json!("incident_change"));
            // Or it would be told of whatever no policy covers, and not of our checks alone.
            body.insert("notify_alongside_primary_responder".to_owned(), json!(false));
            for (event, is_told) in [("started", true), ("acknowledged", false), ("resolved", true)] {
                body.insert(format!("on_incident_{event}"), json!(is_told));
            }
        }
        vec![of(change, "POST", list.to_owned(), "make", body)]
    }

    fn of_monitor(&mut self, change: &Change, before: Option<&Monitor>, after: &Monitor) -> Vec<Step> {
        let (wire, shared) = self.wire(after);
        if let Some(contacts) = shared {
            let name = self.name(&contacts);
            let wanted = self.wanted.entry(name).or_insert_with(|| (contacts, BTreeSet::new()));
            wanted.1.insert(change.address.clone());
        }
        let headers = |monitor: &'_ Monitor| monitor.check.http().and_then(|http| http.headers.clone());
        let mut steps = Vec::new();
        let known = before.zip(self.facts.ids.get(&change.address));
        let list = account::list_of(&after.check);
        let Some((before, id)) = known.filter(|(before, _)| account::list_of(&before.check) == list) else {
            // A monitor cannot become a heartbeat, nor the other way round.
            if let Some((before, _)) = known {
                steps.extend(self.delete(change, account::list_of(&before.check)));
            }
            let mut body = wire;
            if let (Check::Heartbeat(Heartbeat { grace: None }), Some(every)) = (&after.check, after.every) {
                // It has to be said; the service's own advice is a fifth.
                body.insert("grace".to_owned(), json!(every / 5));
            }
            let new = convert::header_edits(None, headers(after).as_ref(), &Value::Null);
            if !new.is_empty() {
                body.insert("request_headers".to_owned(), json!(new));
            }
            steps.push(of(change, "POST", list.to_owned(), "make", Value::Object(body)));
            steps.extend(after.marker.is_some().then(|| mark(change, after)));
            return steps;
        };
        let mut fields = difference(&self.wire(before).0, wire);
        let there = self
            .facts
            .beside
            .get(&change.address)
            .map_or(&Value::Null, |beside| &beside["headers"]);
        let edits = convert::header_edits(headers(before).as_ref(), headers(after).as_ref(), there);
        if !edits.is_empty() {
            fields.insert("request_headers".to_owned(), json!(edits));
        }
        if is_over_http(before) != is_over_http(after) && after.timeout.is_none() {
            let (seconds, milliseconds) = USUAL_TIMEOUT;
            let usual = if is_over_http(after) { seconds } else { milliseconds };
            fields.insert("request_timeout".to_owned(), json!(usual));
        }
        if !fields.is_empty() {
            let path = format!("{list}/{id}");
            steps.push(of(change, "PATCH", path, "change", Value::Object(fields)));
        }
        if before.marker != after.marker {
            steps.push(mark(change, after));
        }
        steps
    }

    /// The policies that are wanted and not there.
    fn policies(&self) -> Vec<Step> {
        let missing = self
            .wanted
            .iter()
            .filter(|(name, _)| !self.shared.iter().any(|there| there.name == **name));
        let make = |(name, (contacts, addresses)): (&String, &(Contacts, BTreeSet<Address>))| {
            let body = escalation::body(name, contacts, &|key| self.member(key));
            let summary = format!("make the escalation policy \"{name}\"");
            step(
                addresses.iter().cloned().collect(),
                "POST",
                POLICIES.to_owned(),
                summary,
                body,
            )
        };
        missing.map(make).collect()
    }

    /// Policies of several contacts whose last monitor has left them. One that nothing used goes with a contact in it: as
    /// long as it is there, a webhook cannot go.
    fn unused_policies(&self) -> Vec<Step> {
        let changed: BTreeMap<&str, &Change> = self
            .changes
            .iter()
            .map(|change| (change.address.as_str(), change))
            .collect();
        let delete = |policy: &Shared| {
            let mut leaving: BTreeSet<Address> = policy
                .users
                .iter()
                .filter_map(|user| changed.get(user.as_str()))
                .map(|change| change.address.clone())
                .collect();
            let is_wanted = self.wanted.contains_key(&policy.name)
                || leaving.iter().any(|address| keeps(changed[address.as_str()], policy));
            if policy.users.is_empty() {
                let goes = |key: &&String| {
                    let change = changed.get(Address::contact(key).as_str());
                    change.is_some_and(|change| change.after.is_none())
                };
                leaving = policy
                    .contacts
                    .keys()
                    .filter(goes)
                    .map(|key| Address::contact(key))
                    .collect();
            }
            if leaving.is_empty() || leaving.len() < policy.users.len() || is_wanted {
                return None;
            }
            let summary = format!(
                "delete the escalation policy \"{}\", which nothing uses any more",
                policy.name
            );
            let path = format!("{POLICIES}/{}", policy.id);
            Some(step(leaving.into_iter().collect(), "DELETE", path, summary, json!({})))
        };
        self.shared.iter().filter_map(delete).collect()
    }
}

/// Whether a change leaves who is told as it is, because the spec does not say.
fn keeps(change: &Change, policy: &Shared) -> bool {
    let after = change.after.as_ref().and_then(Resource::as_monitor);
    after.is_some_and(|after| {
        let contacts = after.contacts.as_ref();
        contacts.is_none_or(|contacts| *contacts == policy.contacts)
    })
}

fn is_over_http(monitor: &Monitor) -> bool {
    matches!(monitor.check, Check::Http(_))
}

/// Marks a monitor as ours, or takes the mark away: no values are the way to do that.
fn mark(change: &Change, after: &Monitor) -> Step {
    let marker = after.marker.as_ref();
    let values: Vec<Value> = marker
        .iter()
        .map(|marker| json!({ "type": "String", "value": marker }))
        .collect();
    let verb = if marker.is_some() { "mark" } else { "unmark" };
    let body = json!({
        "owner_type": account::owner_type(&after.check), "owner_id": { ID: change.address }, "key": METADATA_KEY,
        "values": values,
    });
    of(change, "POST", METADATA.to_owned(), verb, body)
}

/// The fields to send so that `before` becomes `after`. What belongs to another type of check is emptied.
fn difference(before: &Map<String, Value>, after: Map<String, Value>) -> Map<String, Value> {
    let emptied = [
        ("required_keyword", Value::Null),
        ("expected_status_codes", json!([])),
        ("port", Value::Null),
        ("request_body", json!("")),
    ];
    let gone: Vec<(&str, Value)> = emptied
        .into_iter()
        .filter(|(key, _)| before.contains_key(*key) && !after.contains_key(*key))
        .collect();
    let mut fields: Map<String, Value> = after
        .into_iter()
        .filter(|(key, value)| before.get(key) != Some(value))
        .collect();
    fields.extend(gone.into_iter().map(|(key, value)| (key.to_owned(), value)));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_sent_and_what_another_type_has_is_emptied() {
        let fields = |value: Value| value.as_object().cloned().unwrap_or_default();
        let before = fields(json!({ "monitor_type": "keyword", "url": "https://a.example/", "required_keyword": "x" }));
        let after = fields(json!({ "monitor_type": "status", "url": "https://a.example/" }));
        assert_eq!(
            Value::Object(difference(&before, after)),
            json!({ "monitor_type": "status", "required_keyword": null })
        );
    }
}
