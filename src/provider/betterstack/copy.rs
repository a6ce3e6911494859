//! A team as the service would show it, from what was read of it: what a stand-in begins with when something is
//! rehearsed. What is kept elsewhere becomes what a stand-in takes for it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::account::{self, METADATA_KEY, SLACK_BODY};
use super::convert::{SECRET, list, text};
use super::escalation::{self, ID, NUMBER};
use super::steps::Work;
use crate::base::secret::SecretReference;
use crate::model::address::Address;
use crate::model::contact::{Channel, Contact, Guarded};
use crate::model::monitor::{Alerting, Check, Monitor, SentText, marker};
use crate::model::resource::Resource;
use crate::provider::credential::Keeper;
use crate::provider::{Reading, UptimeFacts, checks};

/// What stands for a value that nobody knows here.
const HIDDEN_AT_STAND_IN: &str = "https://hooks.sandbox.example/unknown";
/// Since when something rests: the moment is nowhere kept.
const RESTING_SINCE: &str = "2026-01-01T00:00:00.000Z";
/// Milliseconds to wait where nothing is said and the unit is not that of the web.
const USUAL_MILLISECONDS: u32 = 5_000;

/// The team, with its lists under the names that their paths have; `None` where another service was read.
pub fn copy_of(reading: &Reading) -> Option<Value> {
    let facts = reading.uptime.as_ref().filter(|facts| facts.provider == super::NAME)?;
    let copying = Copying {
        facts,
        work: Work::new(&[], reading, facts),
        keeper: Keeper::stand_in(),
    };
    let mut lists: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (address, resource) in &reading.live.inventory {
        let Some(id) = facts.ids.get(address) else { continue };
        let (list, mut entry) = match resource {
            Resource::Monitor(monitor) => {
                if let Some(marker) = &monitor.marker {
                    lists.entry("metadata").or_default().push(json!({
                        "owner_type": account::owner_type(&monitor.check), "owner_id": id, "key": METADATA_KEY,
                        "values": [{ "type": "String", "value": marker }],
                    }));
                }
                copying.monitor(monitor, address)
            }
            Resource::Contact(contact) => copying.contact(contact, address, id),
            _ => continue,
        };
        entry["id"] = json!(id);
        lists.entry(list).or_default().push(entry);
    }
    for policy in account::shared(facts) {
        let mut body = escalation::body(&policy.name, &policy.contacts, &|key| copying.work.member(key));
        copying.fill(&mut body, None);
        body["id"] = json!(policy.id);
        lists.entry("policies").or_default().push(body);
    }
    Some(json!({ "team": facts.account, "lists": lists }))
}

struct Copying<'a> {
    facts: &'a UptimeFacts,
    work: Work<'a>,
    keeper: Keeper,
}

impl Copying<'_> {
    /// Puts ids, and what a stand-in takes for a secret, where only their names stand. What cannot be filled in is
    /// something that nobody knows here: it stays as it stands, and is then another value.
    fn fill(&self, body: &mut Value, whom: Option<&Address>) {
        let id = |place: &str| {
            let known = self.facts.ids.iter().find(|(address, _)| address.as_str() == place);
            let shared = || {
                let mut all = account::shared(self.facts).into_iter();
                all.find(|policy| policy.name == place).map(|policy| policy.id)
            };
            known
                .map(|(_, id)| id.clone())
                .or_else(shared)
                .or_else(|| super::by_id(place).map(str::to_owned))
                .ok_or_else(String::new)
        };
        let _ = checks::fill(body, &|key, text| match key {
            SECRET => Some(self.secret(text, whom?).map(Value::from)),
            ID => Some(id(text).map(Value::from)),
            NUMBER => Some(id(text).and_then(|id| id.parse::<u64>().map(Value::from).map_err(|_| String::new()))),
            _ => None,
        });
    }

    fn secret(&self, reference: &str, whom: &Address) -> Result<String, String> {
        let reference: SecretReference = reference.parse().map_err(|_| String::new())?;
        let kept = self.keeper.fetch_for(&reference, whom).map_err(|error| error.message)?;
        Ok(kept.expose().to_owned())
    }

    fn guarded(&self, guarded: &Guarded, whom: &Address) -> String {
        let kept = match guarded {
            Guarded::Kept(reference) => self.secret(&reference.to_string(), whom).ok(),
            Guarded::Hidden => None,
        };
        kept.unwrap_or_else(|| HIDDEN_AT_STAND_IN.to_owned())
    }

    fn sent(&self, text: &SentText, whom: &Address) -> String {
        match text {
            SentText::Plain(text) => text.clone(),
            SentText::Guarded(guarded) => self.guarded(guarded, whom),
        }
    }

    /// A monitor or heartbeat under the names that it reads with, and the list that it stands in.
    fn monitor(&self, monitor: &Monitor, address: &Address) -> (&'static str, Value) {
        let mut body = Value::Object(self.work.wire(monitor).0);
        self.fill(&mut body, Some(address));
        let mut fields: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
        // Written as a flag, and read as a time and a status.
        if fields.remove("paused") == Some(json!(true)) {
            fields.insert("paused_at".to_owned(), json!(RESTING_SINCE));
            fields.insert("status".to_owned(), json!("paused"));
        }
        if matches!(monitor.check, Check::Heartbeat(_)) {
            return ("heartbeats", Value::Object(fields));
        }
        match &monitor.check {
            Check::Http(http) => {
                let there = self.facts.beside.get(address).unwrap_or(&Value::Null);
                let headers = self.headers(http.headers.as_ref(), there, address);
                fields.insert("request_headers".to_owned(), json!(headers));
                if let Some(body) = &http.body {
                    fields.insert("request_body".to_owned(), json!(self.sent(body, address)));
                }
            }
            Check::Other { what, .. } => {
                fields.insert("monitor_type".to_owned(), json!(what));
            }
            _ => {}
        }
        if monitor.timeout.is_none() && !matches!(monitor.check, Check::Http(_)) {
            fields.insert("request_timeout".to_owned(), json!(USUAL_MILLISECONDS));
        }
        ("monitors", Value::Object(fields))
    }

    /// All headers that there are: of those that the spec does not speak of only the names are known.
    fn headers(&self, known: Option<&BTreeMap<String, SentText>>, there: &Value, whom: &Address) -> Vec<Value> {
        let mut seen = BTreeSet::new();
        let one = |header: &Value| {
            let name = text(header, "name");
            let value = known.and_then(|known| known.get(name));
            let value = value.map_or_else(|| HIDDEN_AT_STAND_IN.to_owned(), |value| self.sent(value, whom));
            // Doubles of a name are read as one value.
            seen.insert(name.to_owned())
                .then(|| json!({ "id": header["id"], "name": name, "value": value }))
        };
        list(there, "headers").filter_map(one).collect()
    }

    /// A policy or an outgoing webhook, and the list that it stands in.
    fn contact(&self, contact: &Contact, address: &Address, id: &str) -> (&'static str, Value) {
        let ours = || marker(&self.facts.sought.stack, &contact.key);
        let name = match (&contact.marker, contact.key.strip_suffix(id)) {
            (Some(marker), _) => marker.clone(),
            // Of what nobody here declared the key is the name and the id.
            (None, Some(name)) => name.trim_end_matches('-').to_owned(),
            (None, None) => ours(),
        };
        let webhook = |url: String, trigger: &str, template: Option<&str>| {
            let mut webhook = json!({
                "name": name, "url": url, "trigger_type": trigger, "notify_alongside_primary_responder": false,
            });
            if let Some(template) = template {
                webhook["custom_webhook_template_attributes"] = json!({
                    "http_method": "post", "body_template": template,
                    "headers_template": [{ "name": "Content-Type", "value": "application/json" }],
                });
            }
            ("outgoing-webhooks", webhook)
        };
        let policy = |mut body: Value| {
            self.fill(&mut body, None);
            ("policies", body)
        };
        let hidden = || HIDDEN_AT_STAND_IN.to_owned();
        match &contact.channel {
            Channel::Email { .. } => {
                let alone = [(contact.key.clone(), Alerting::default())].into();
                policy(escalation::body(&name, &alone, &|key| self.work.member(key)))
            }
            Channel::Slack { hook } => webhook(self.guarded(hook, address), "incident_change", Some(SLACK_BODY)),
            Channel::Webhook { url } => webhook(self.guarded(url, address), "incident_change", None),
            Channel::Other { what } if what == account::WITH_TEMPLATE => {
                webhook(hidden(), "incident_change", Some("{}"))
            }
            Channel::Other { what } if what == account::FOR_OTHER_EVENTS => webhook(hidden(), "on_call_change", None),
            // More than a contact of ours would be: whoever is on call.
            Channel::Other { .. } | Channel::Sms { .. } => {
                let step = json!({
                    "type": "escalation", "wait_before": 0, "step_members": [{ "type": "current_on_call" }],
                });
                policy(json!({ "name": name, "steps": [step] }))
            }
        }
    }
}
