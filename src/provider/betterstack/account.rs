//! Reading an account: monitors, policies, outgoing webhooks and metadata, each list once. A live monitor is known again by
//! its marker, else by what it asks; then it is seen in the terms of what the spec says of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::api::{self, ApiError, Listed};
use super::convert::{self, LiveMonitor, entry, id_of, list, text};
use super::escalation::{self, Contacts, Named};
use super::users::{self, Users};
use crate::model::address::Address;
use crate::model::contact::{Channel, Contact, Guarded};
use crate::model::inventory::Inventory;
use crate::model::monitor::{Alerting, Check, DomainExpiry, MARK, Monitor, marker};
use crate::model::resource::Resource;
use crate::plan::{Live, Warning};
use crate::provider::checks::{self, Secrets};
use crate::provider::http::Http;
use crate::provider::{ProviderError, Reading, Sought, UptimeFacts};

/// The key of the metadata that marks a monitor as ours.
pub(super) const METADATA_KEY: &str = "managed_by";
/// The body of what a Slack incoming webhook is sent: the service's own is not what Slack takes.
pub(super) const SLACK_BODY: &str = r#"{"text":"$NAME: $CAUSE ($URL), started $STARTED_AT, resolved $RESOLVED_AT"}"#;

/// Outgoing webhooks that are no contact of ours, in words.
pub(super) const WITH_TEMPLATE: &str = "webhook with a template";
pub(super) const FOR_OTHER_EVENTS: &str = "webhook for other events";

/// The lists.
pub(super) const MONITORS: &str = "api/v2/monitors";
pub(super) const POLICIES: &str = "api/v3/policies";
pub(super) const WEBHOOKS: &str = "api/v2/outgoing-webhooks";
pub(super) const HEARTBEATS: &str = "api/v2/heartbeats";
pub(super) const METADATA: &str = "api/v3/metadata";

/// What the service returned, before anything in it was known again.
#[derive(Clone, Default)]
pub(super) struct Returned {
    monitors: Vec<Value>,
    heartbeats: Vec<Value>,
    policies: Vec<Value>,
    webhooks: Listed,
    metadata: Vec<Value>,
}

/// Reads everything at once. Metadata of all monitors is one list, so that none has to be asked about by itself.
/// Heartbeats are read whether some are sought or not: one of ours may be on its way to something else, and anybody's may
/// use a policy.
pub(super) async fn fetch(http: &Http, team: Option<&str>) -> Result<Returned, ProviderError> {
    let filter = team.map_or_else(String::new, |team| {
        let pair = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("team_name", team)
            .finish();
        format!("&{pair}")
    });
    let (of_monitors, of_heartbeats) = (
        format!("&owner_type=Monitor{filter}"),
        format!("&owner_type=Heartbeat{filter}"),
    );
    let (monitors, policies, webhooks, metadata, heartbeats, marks) = tokio::join!(
        api::list(http, MONITORS, &filter),
        api::list(http, POLICIES, &filter),
        api::list(http, WEBHOOKS, &filter),
        api::list(http, METADATA, &of_monitors),
        api::list(http, HEARTBEATS, &filter),
        api::list(http, METADATA, &of_heartbeats),
    );
    let read =
        |listed: Result<Listed, ApiError>, what: &str| listed.map_err(|error| error.while_reading(&api::VOICE, what));
    let mut metadata = read(metadata, "the metadata")?.entries;
    metadata.extend(read(marks, "the metadata of the heartbeats")?.entries);
    Ok(Returned {
        monitors: read(monitors, "the monitors")?.entries,
        heartbeats: read(heartbeats, "the heartbeats")?.entries,
        policies: read(policies, "the escalation policies")?.entries,
        webhooks: read(webhooks, "the outgoing webhooks")?,
        metadata,
    })
}

/// Makes a reading out of what was returned.
pub(super) fn reading(returned: &Returned, sought: &Sought, secrets: &Secrets, team: Option<&str>) -> Reading {
    let mut odd = Vec::new();
    let mut monitors = checks::understood(&returned.monitors, "monitor", convert::monitor, &mut odd);
    let heartbeats = checks::understood(&returned.heartbeats, "heartbeat", convert::heartbeat, &mut odd);
    monitors.extend(heartbeats);
    mark(&mut monitors, &returned.metadata);
    let mut account = Account {
        sought,
        secrets,
        facts: UptimeFacts {
            provider: super::NAME,
            account: team.unwrap_or_default().to_owned(),
            monitors: monitors.len(),
            sought: sought.clone(),
            ..UptimeFacts::default()
        },
        inventory: Inventory::new(),
        keys: BTreeMap::new(),
        shared: Vec::new(),
        odd,
    };
    account.take_webhooks(&returned.webhooks);
    account.take_policies(&returned.policies);
    account.take_monitors(monitors, &returned.policies);
    account.take_users(&Users::of(&returned.monitors, &returned.heartbeats, &returned.policies));
    let facts = account.facts;
    Reading {
        live: Live {
            inventory: account.inventory,
            ..Live::default()
        },
        uptime: Some(facts),
        warnings: account.odd,
        ..Reading::default()
    }
}

/// Puts each marker on its monitor.
fn mark(monitors: &mut [LiveMonitor], metadata: &[Value]) {
    let mut markers: BTreeMap<(String, String), String> = BTreeMap::new();
    for value in metadata {
        let Ok((_, attributes)) = entry(value) else { continue };
        let owner = attributes.get("owner_id").and_then(id_of);
        let value = list(attributes, "values")
            .map(|value| text(value, "value"))
            .find(|value| !value.is_empty());
        if let (Some(owner), Some(value), METADATA_KEY) = (owner, value, text(attributes, "key")) {
            let kind = text(attributes, "owner_type").to_owned();
            markers.insert((kind, owner), value.to_owned());
        }
    }
    for live in monitors {
        let of = (owner_type(&live.monitor.check).to_owned(), live.id.clone());
        live.monitor.marker = markers.remove(&of).filter(|marker| marker.starts_with(MARK));
    }
}

/// What metadata calls it.
pub(super) fn owner_type(check: &Check) -> &'static str {
    match check {
        Check::Heartbeat(_) => "Heartbeat",
        _ => "Monitor",
    }
}

/// The list that it is in.
pub(super) fn list_of(check: &Check) -> &'static str {
    match check {
        Check::Heartbeat(_) => HEARTBEATS,
        _ => MONITORS,
    }
}

/// What the name of a policy of several contacts begins with: the rest says which.
pub(super) fn shared_prefix(stack: &str) -> String {
    format!("{MARK}-{stack}: ")
}

/// Whether it is the name of a policy of several contacts of ours, under any name that the project had.
fn is_shared(name: &str, sought: &Sought) -> bool {
    sought.stacks().any(|stack| name.starts_with(&shared_prefix(stack)))
}

struct Account<'a> {
    sought: &'a Sought,
    secrets: &'a Secrets,
    facts: UptimeFacts,
    inventory: Inventory,
    /// The keys of contacts by the ids of their webhooks and, after `p`, of their policies.
    keys: BTreeMap<String, String>,
    /// The policies of several: id, name, and the contacts where nothing else stands in it.
    shared: Vec<(String, String, Option<Contacts>)>,
    odd: Vec<Warning>,
}

impl Account<'_> {
    fn wanted(&self) -> impl Iterator<Item = &Contact> {
        self.sought.resources.values().filter_map(Resource::as_contact)
    }

    /// The contact that is sought under this name, or was under an earlier name of the project. A contact that is known
    /// by its mailbox has no marker of its own.
    fn named(&self, name: &str) -> Option<&Contact> {
        let is_it = |contact: &&Contact| self.sought.stacks().any(|stack| marker(stack, &contact.key) == name);
        self.wanted().find(is_it)
    }

    /// The contact that is sought, that nothing of these names is, and that is this: somebody else made it.
    fn made_by_hand(&self, names: &BTreeSet<String>, is_it: impl Fn(&Channel) -> bool) -> Option<&Contact> {
        let is_missing = |contact: &&Contact| {
            !names.contains(&marker(&self.sought.stack, &contact.key))
                && !self.inventory.contains_key(&Address::contact(&contact.key))
        };
        self.wanted().filter(is_missing).find(|contact| is_it(&contact.channel))
    }

    fn keep(&mut self, key: String, id: String, handle: String, channel: Channel, marker: Option<String>) {
        let address = Address::contact(&key);
        self.keys.insert(handle, key.clone());
        self.facts.ids.insert(address.clone(), id);
        self.inventory
            .insert(address, Resource::Contact(Contact { key, channel, marker }));
    }

    fn take_webhooks(&mut self, webhooks: &Listed) {
        let templates: BTreeMap<String, &Value> =
            webhooks.included.iter().filter_map(|value| entry(value).ok()).collect();
        let read = |value: &Value| -> Result<(String, Value, Option<String>), String> {
            let (id, attributes) = entry(value)?;
            let template = value
                .pointer("/relationships/custom_webhook_template/data/id")
                .and_then(id_of);
            Ok((id, attributes.clone(), template))
        };
        let all = checks::understood(&webhooks.entries, "outgoing webhook", read, &mut self.odd);
        let names: BTreeSet<String> = all
            .iter()
            .map(|(_, attributes, _)| text(attributes, "name").to_owned())
            .collect();
        for (id, attributes, template) in all {
            let name = text(&attributes, "name").to_owned();
            let found = self
                .named(&name)
                .filter(|contact| !self.inventory.contains_key(&Address::contact(&contact.key)));
            let preferred = found.and_then(|contact| contact.channel.guarded()).cloned();
            let url: Guarded = checks::kept(text(&attributes, "url"), preferred.as_ref(), self.secrets);
            let body = template
                .and_then(|id| templates.get(&id))
                .map(|template| text(template, "body_template"));
            let channel = match body {
                Some(body) if is_same_json(body, SLACK_BODY) => Channel::Slack { hook: url },
                Some(_) if text(&attributes, "trigger_type") == "incident_change" => Channel::Other {
                    what: WITH_TEMPLATE.to_owned(),
                },
                None if text(&attributes, "trigger_type") == "incident_change" => Channel::Webhook { url },
                _ => Channel::Other {
                    what: FOR_OTHER_EVENTS.to_owned(),
                },
            };
            // One that somebody made by hand is known by its value, and keeps its name.
            let by_hand = found
                .is_none()
                .then(|| self.made_by_hand(&names, |wanted| *wanted == channel));
            let by_hand = by_hand.flatten();
            let marker = match by_hand {
                Some(wanted) => wanted.marker.clone(),
                None => (name.starts_with(MARK) && channel.guarded().is_some()).then(|| name.clone()),
            };
            let known = found.or(by_hand);
            let key = known.map_or_else(|| checks::key_beside(&name, &id), |contact| contact.key.clone());
            self.keep(key, id.clone(), id, channel, marker);
        }
    }

    /// A policy under the name of a contact is that contact. One of several is known by what stands in it, as long as
    /// nothing else does; all others are contacts that somebody else made.
    fn take_policies(&mut self, policies: &[Value]) {
        let read = |value: &Value| entry(value).map(|(id, attributes)| (id, attributes.clone()));
        let all = checks::understood(policies, "escalation policy", read, &mut self.odd);
        // Those of one contact first: they tell whose a mailbox is.
        let (several, single): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|(_, attributes)| is_shared(text(attributes, "name"), self.sought));
        let names: BTreeSet<String> = single
            .iter()
            .map(|(_, attributes)| text(attributes, "name").to_owned())
            .collect();
        for (id, attributes) in single.into_iter().chain(several) {
            let name = text(&attributes, "name").to_owned();
            if is_shared(&name, self.sought) {
                let contacts = self.contacts_of(&attributes, None);
                let is_understood = contacts.is_some();
                self.shared.push((id.clone(), name.clone(), contacts));
                if is_understood {
                    continue;
                }
            }
            let found = self
                .named(&name)
                .filter(|contact| !self.inventory.contains_key(&Address::contact(&contact.key)));
            // One that somebody made by hand may say it again and again.
            let mut once = attributes.clone();
            if found.is_none() {
                once["repeat_count"] = json!(0);
            }
            let mailbox = escalation::mailbox_of(&once);
            let is_its = |channel: &Channel| match (channel, &mailbox) {
                (Channel::Email { address }, Some(live)) => live.eq_ignore_ascii_case(address),
                _ => false,
            };
            // One of a single mailbox that somebody made by hand is that mailbox's.
            let found = found.or_else(|| self.made_by_hand(&names, is_its));
            let said = found.map(|contact| &contact.channel);
            let channel = match (mailbox, said) {
                // The service may spell it in lower case.
                (Some(live), Some(Channel::Email { address })) if live.eq_ignore_ascii_case(address) => {
                    Channel::Email {
                        address: address.clone(),
                    }
                }
                (Some(address), Some(_)) => Channel::Email { address },
                (Some(address), None) if self.sought.everything => Channel::Email { address },
                _ => Channel::Other {
                    what: "escalation policy".to_owned(),
                },
            };
            let key = found.map_or_else(|| checks::key_beside(&name, &id), |contact| contact.key.clone());
            self.keep(key, id.clone(), format!("p{id}"), channel, None);
        }
    }

    /// Who uses what, in the facts: the policies of several with the addresses of their monitors, and with the words for
    /// whoever has no address; and beside each contact those words.
    fn take_users(&mut self, users: &Users) {
        let owners: BTreeMap<String, &Address> = self
            .facts
            .beside
            .iter()
            .map(|(address, beside)| (text(beside, "owner").to_owned(), address))
            .collect();
        let one = |(id, name, contacts): &(String, String, Option<Contacts>)| {
            let users: Vec<&str> = users
                .users(&users::policy(id))
                .map(|user| {
                    owners
                        .get(user)
                        .map_or_else(|| users.name(user), |address| address.as_str())
                })
                .collect();
            json!({ "id": id, "name": name, "contacts": contacts, "users": users })
        };
        self.facts.apart = self.shared.iter().map(one).collect();
        let understood: BTreeSet<String> = self
            .shared
            .iter()
            .filter(|(.., contacts)| contacts.is_some())
            .map(|(id, ..)| users::policy(id))
            .collect();
        let of_contact = |(handle, key): (&String, &String)| {
            let used = match handle.strip_prefix('p') {
                Some(id) => users::policy(id),
                None => users::webhook(handle),
            };
            let others = users.users(&used);
            let words: Vec<&str> = others
                .filter(|user| !owners.contains_key(*user) && !understood.contains(*user))
                .map(|user| users.name(user))
                .collect();
            (Address::contact(key), json!({ "users": words }))
        };
        let beside: Vec<(Address, Value)> = self.keys.iter().map(of_contact).collect();
        self.facts.beside.extend(beside);
    }

    /// The contacts of a policy, where the keys of `said` come first: two may have one mailbox.
    fn contacts_of(&self, policy: &Value, said: Option<&Contacts>) -> Option<Contacts> {
        let key = |named: &Named<'_>| match named {
            Named::Hook(id) => self.keys.get(id).cloned(),
            Named::Mailbox(mailbox) => {
                let has_it = |contact: &&Contact| match &contact.channel {
                    Channel::Email { address } => address.eq_ignore_ascii_case(mailbox),
                    _ => false,
                };
                // What it is now comes before what it is to be: it may be about to change.
                let live = self.inventory.values().filter_map(Resource::as_contact);
                let mut all: Vec<&Contact> = live.chain(self.wanted()).filter(has_it).collect();
                all.sort_by_key(|contact| !said.is_some_and(|said| said.contains_key(&contact.key)));
                let known = all.first().map(|contact| contact.key.clone());
                // Somebody in the team who is no contact of the spec is named by the mailbox itself.
                known.or_else(|| mailbox.contains('@').then(|| (*mailbox).to_owned()))
            }
        };
        escalation::read(policy, &key)
    }

    fn take_monitors(&mut self, all: Vec<LiveMonitor>, policies: &[Value]) {
        let seen: Vec<&Monitor> = all.iter().map(|live| &live.monitor).collect();
        // A heartbeat asks nothing by which it could be known. Without a mark it is taken for ours where a run of ours may
        // have made it and not marked it, or where it is declared just as it is, as an import declares it.
        let is_unsure = |live: &Monitor, wanted: &Monitor| {
            matches!((&live.check, &wanted.check), (Check::Heartbeat(_), Check::Heartbeat(_)))
                && (&live.name, live.every) == (&wanted.name, wanted.every)
                && (self.sought.unsure.contains(&Address::monitor(&wanted.key)) || live.check == wanted.check)
        };
        let is_alike = |live: &Monitor, wanted: &Monitor| convert::is_alike(live, wanted) || is_unsure(live, wanted);
        let claims = checks::claims(&seen, self.sought, is_alike);
        self.odd.extend(checks::marked_twice(&seen, &claims, self.sought));
        let shared: BTreeMap<String, &Value> = policies
            .iter()
            .filter_map(|value| entry(value).ok())
            .filter(|(_, attributes)| is_shared(text(attributes, "name"), self.sought))
            .collect();
        for (at, live) in all.into_iter().enumerate() {
            let address = match claims.get(&at) {
                Some(address) => address.clone(),
                None => Address::monitor(&checks::key_beside(&live.monitor.name, &live.id)),
            };
            let said = self.sought.resources.get(&address).and_then(Resource::as_monitor);
            let of_policy = |id: &str| -> Contacts {
                let said = said.and_then(|said| said.contacts.as_ref());
                let several = shared.get(id).and_then(|policy| self.contacts_of(policy, said));
                several.unwrap_or_else(|| {
                    let key = self.keys.get(&format!("p{id}")).cloned();
                    let key = key.unwrap_or_else(|| checks::key_beside("policy", id));
                    [(key, Alerting::default())].into()
                })
            };
            let told = escalation::contacts(&live.told, &of_policy);
            let headers: Vec<Value> = live
                .headers
                .iter()
                .map(|header| json!({ "id": header.id, "name": header.name }))
                .collect();
            let owner = users::check(owner_type(&live.monitor.check), &live.id);
            let beside = json!({ "headers": headers, "owner": owner });
            self.facts.ids.insert(address.clone(), live.id.clone());
            self.facts.beside.insert(address.clone(), beside);
            let monitor = settle(live, &address, said, told, (self.sought, self.secrets));
            self.inventory.insert(address, Resource::Monitor(Box::new(monitor)));
        }
    }
}

/// Whether two texts are the same JSON; the service may write it in another way.
fn is_same_json(one: &str, other: &str) -> bool {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).ok();
    one == other || parsed(one).is_some_and(|one| Some(one) == parsed(other))
}

/// The policies of several contacts that there are, from the facts of a reading.
pub(super) fn shared(facts: &UptimeFacts) -> Vec<escalation::Shared> {
    let one = |policy: &Value| {
        Some(escalation::Shared {
            id: policy.get("id").and_then(id_of)?,
            name: text(policy, "name").to_owned(),
            contacts: serde_json::from_value(policy["contacts"].clone()).ok()?,
            users: list(policy, "users")
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect::<BTreeSet<_>>(),
        })
    };
    facts.apart.as_array().into_iter().flatten().filter_map(one).collect()
}

/// The policies that bear such a name and hold more than we put into one, with who uses them: somebody changed them.
pub(super) fn edited(facts: &UptimeFacts) -> impl Iterator<Item = (&str, impl Iterator<Item = &str>)> {
    let all = facts.apart.as_array().into_iter().flatten();
    all.filter(|policy| policy["contacts"].is_null())
        .map(|policy| (text(policy, "name"), list(policy, "users").filter_map(Value::as_str)))
}

/// A live monitor in the terms of what is said of it.
fn settle(
    live: LiveMonitor,
    address: &Address,
    said: Option<&Monitor>,
    told: Contacts,
    (sought, secrets): (&Sought, &Secrets),
) -> Monitor {
    let headers = convert::headers(&live.headers);
    let mut monitor = live.monitor;
    address.key().clone_into(&mut monitor.key);
    monitor.contacts = Some(told);
    let wanted = said.and_then(|said| said.check.http());
    if let Check::Http(http) = &mut monitor.check {
        let body = live.body.map(|body| body.0);
        let said = wanted.and_then(|wanted| wanted.body.as_ref());
        http.body = body.map(|body| checks::body(&body, said, sought, secrets, |one, other| one == other));
        let wanted = wanted.and_then(|wanted| wanted.headers.as_ref());
        let shown = headers.into_iter().map(|(name, value)| {
            let wanted = wanted.and_then(|wanted| wanted.get(&name));
            let text = checks::header(&name, value, wanted, sought, secrets);
            (name, text)
        });
        http.headers = Some(shown.collect());
    }
    let Some(said) = said else { return monitor };
    // So many checks more, and so many seconds, are one thing.
    if let (Some(is), Some(wanted), Some(every)) = (monitor.confirm, said.confirm, monitor.every)
        && is.seconds(every) == wanted.seconds(every)
    {
        monitor.confirm = Some(wanted);
    }
    if said.domain_expiry == Some(DomainExpiry::Watched(true))
        && matches!(monitor.domain_expiry, Some(DomainExpiry::Days(_)))
    {
        monitor.domain_expiry = said.domain_expiry;
    }
    monitor.seen_as(said)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// Monitors and heartbeats are numbered apart, so one id may be both.
    #[test]
    fn a_mark_is_for_one_kind_and_one_key() {
        let attributes = json!({ "monitor_type": "ping", "url": "acme.example", "period": 60 });
        let value = json!({ "id": "238", "attributes": attributes });
        let mut live = [convert::monitor(&value).unwrap(), convert::heartbeat(&value).unwrap()];
        let mark_of = |kind: &str, key: &str, id: Value| {
            let values = json!([{ "type": "String", "value": "launchctl/acme/backup" }]);
            let attributes = json!({ "owner_type": kind, "owner_id": id, "key": key, "values": values });
            json!({ "id": "1", "attributes": attributes })
        };
        let markers = |live: &[LiveMonitor]| {
            live.iter()
                .map(|live| live.monitor.marker.is_some())
                .collect::<Vec<_>>()
        };
        mark(&mut live, &[mark_of("Heartbeat", METADATA_KEY, json!("238"))]);
        assert_eq!(markers(&live), [false, true]);
        mark(&mut live, &[mark_of("Monitor", METADATA_KEY, json!(238))]);
        assert_eq!(markers(&live), [true, false], "an id is a text or a number");
        mark(&mut live, &[mark_of("Monitor", "service", json!("238"))]);
        assert_eq!(markers(&live), [false, false]);
    }
}
