//! Metadata: values kept with something else, by its type and id. A write replaces what is there under the same key, and
//! no values at all remove it (facts B5).

use serde_json::{Map, Value, json};

use super::{Account, Answer, Done, Kept, Refusal, shown};
use crate::sandbox::query::Query;

/// What can have metadata here.
const OWNERS: [&str; 6] = [
    "Monitor",
    "Heartbeat",
    "Incident",
    "WebhookIntegration",
    "EmailIntegration",
    "IncomingWebhook",
];

/// What the filters of a list let through; without one, everything.
pub(super) fn filtered(all: &[Kept], query: &Query) -> Vec<Kept> {
    let fits = |kept: &&Kept| {
        ["owner_type", "owner_id"].iter().all(|key| {
            let wanted = query.get(key);
            wanted.is_none_or(|wanted| kept.fields.get(*key).and_then(Value::as_str) == Some(wanted))
        })
    };
    all.iter().filter(fits).cloned().collect()
}

impl Account {
    pub(super) fn write_metadata(&mut self, body: &Map<String, Value>) -> Answer {
        if self.modes.lost_metadata > 0 {
            self.modes.lost_metadata -= 1;
            return Err(Refusal::Said(503, "Service unavailable".to_owned()));
        }
        let text = |key: &str| body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (Some(owner), Some(id), Some(key)) = (text("owner_type"), text("owner_id"), text("key")) else {
            return Err(Refusal::field("key", "can't be blank"));
        };
        if !OWNERS.contains(&owner) {
            return Err(Refusal::Values("owner_type", json!(OWNERS)));
        }
        let owners = match owner {
            "Monitor" => &self.monitors,
            "Heartbeat" => &self.heartbeats,
            "WebhookIntegration" => &self.webhooks,
            _ => return Err(Refusal::not_found()),
        };
        if !owners.iter().any(|kept| kept.id.to_string() == id) {
            return Err(Refusal::not_found());
        }
        let values = body.get("values").and_then(Value::as_array);
        let values = values.ok_or_else(|| Refusal::field("values", "can't be blank"))?;
        let is_text = |value: &Value| value["type"] == json!("String") && value["value"].is_string();
        if !values.iter().all(is_text) {
            return Err(Refusal::field("values", "are invalid"));
        }
        let is_it = |kept: &Kept| {
            [("owner_type", owner), ("owner_id", id), ("key", key)]
                .iter()
                .all(|(name, value)| kept.fields.get(*name) == Some(&json!(value)))
        };
        let at = self.metadata.iter().position(is_it);
        if values.is_empty() {
            if let Some(at) = at {
                self.metadata.remove(at);
            }
            return Ok(Done::Empty);
        }
        let (status, at) = match at {
            Some(at) => (200, at),
            None => {
                let id_of_it = self.next_id();
                let fields = json!({ "owner_type": owner, "owner_id": id, "key": key, "team_name": self.team });
                let fields = fields.as_object().cloned().unwrap_or_default();
                self.metadata.push(Kept { id: id_of_it, fields });
                (201, self.metadata.len() - 1)
            }
        };
        self.metadata[at].fields.insert("values".to_owned(), json!(values));
        Ok(Done::Json(
            status,
            json!({ "data": shown(&self.metadata[at], "metadata") }),
        ))
    }
}
