//! Who uses a policy or an outgoing webhook: monitors, heartbeats, and other policies, whether they can be understood or
//! not. What is used is not deleted. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::convert::{entry, id_of, text};
use crate::base::text::{sanitize, shorten};

/// Who uses what, and what each user is called.
#[derive(Debug, Default)]
pub(super) struct Users {
    by_use: BTreeMap<String, BTreeSet<String>>,
    names: BTreeMap<String, String>,
}

/// The handle of a policy, by its id.
pub(super) fn policy(id: &str) -> String {
    format!("policy {id}")
}

/// The handle of a webhook, by its id.
pub(super) fn webhook(id: &str) -> String {
    format!("webhook {id}")
}

/// The handle of what is checked, by what metadata calls its kind.
pub(super) fn check(owner_type: &str, id: &str) -> String {
    format!("{owner_type} {id}")
}

impl Users {
    /// From the lists as they were returned.
    pub(super) fn of(monitors: &[Value], heartbeats: &[Value], policies: &[Value]) -> Self {
        let mut users = Self::default();
        let lists = [
            (monitors, "Monitor", "monitor"),
            (heartbeats, "Heartbeat", "heartbeat"),
            (policies, "policy", "escalation policy"),
        ];
        for (all, kind, word) in lists {
            for (id, attributes) in all.iter().filter_map(|value| entry(value).ok()) {
                let name = ["pronounceable_name", "name"]
                    .map(|key| text(attributes, key))
                    .into_iter()
                    .find(|name| !name.is_empty())
                    .unwrap_or(id.as_str());
                let user = check(kind, &id);
                let name = format!("the {word} \"{}\"", shorten(&sanitize(name), 60));
                users.names.insert(user.clone(), name);
                users.look_at(&user, attributes);
            }
        }
        users
    }

    /// Any place in it that refers to a policy or a webhook: those of a branch as well as those of a step.
    fn look_at(&mut self, user: &str, value: &Value) {
        match value {
            Value::Array(all) => all.iter().for_each(|value| self.look_at(user, value)),
            Value::Object(fields) => {
                for key in ["policy_id", "expiration_policy_id", "fallback_policy_id"] {
                    self.note(user, fields.get(key).and_then(id_of).map(|id| policy(&id)));
                }
                let id = fields.get("id").and_then(id_of);
                match text(value, "type") {
                    "policy" => self.note(user, id.map(|id| policy(&id))),
                    "webhook" => self.note(user, id.map(|id| webhook(&id))),
                    _ => {}
                }
                fields.values().for_each(|value| self.look_at(user, value));
            }
            _ => {}
        }
    }

    fn note(&mut self, user: &str, used: Option<String>) {
        if let Some(used) = used.filter(|used| used != user) {
            self.by_use.entry(used).or_default().insert(user.to_owned());
        }
    }

    /// Who uses this.
    pub(super) fn users(&self, used: &str) -> impl Iterator<Item = &String> {
        self.by_use.get(used).into_iter().flatten()
    }

    /// What a user is called.
    pub(super) fn name<'a>(&'a self, user: &'a str) -> &'a str {
        self.names.get(user).map_or(user, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whoever_refers_to_it_uses_it() {
        let monitors = [json!({ "id": "1", "attributes": { "pronounceable_name": "A", "expiration_policy_id": 7 } })];
        let heartbeats = [json!({ "id": "1", "attributes": { "name": "B", "policy_id": "7" } })];
        let policies = [
            json!({ "id": "7", "attributes": { "name": "own", "steps": [] } }),
            json!({ "id": "8", "attributes": { "name": "fallback", "fallback_policy_id": 7 } }),
            json!({ "id": "9", "attributes": { "name": "branch", "steps": [
                { "type": "time_branching", "policy_id": 7 },
                { "type": "escalation", "step_members": [{ "type": "webhook", "id": 7 }] },
            ] } }),
        ];
        let users = Users::of(&monitors, &heartbeats, &policies);
        let of = |used: String| users.users(&used).map(|user| users.name(user)).collect::<Vec<_>>();
        assert_eq!(
            of(policy("7")),
            [
                "the heartbeat \"B\"",
                "the monitor \"A\"",
                "the escalation policy \"fallback\"",
                "the escalation policy \"branch\""
            ]
        );
        assert_eq!(of(webhook("7")), ["the escalation policy \"branch\""]);
        assert!(of(policy("1")).is_empty());
    }
}
