//! Outgoing webhooks. A template of one's own is kept beside them, and a list shows it under `included`. What they are
//! triggered by is settled when they are made (facts B3).

use serde_json::{Map, Value, json};

use super::{Account, Answer, Done, Kept, Refusal, id_of, position, remove};
use crate::sandbox::query::Query;

const FIELDS: [&str; 11] = [
    "team_name",
    "name",
    "url",
    "trigger_type",
    "on_incident_started",
    "on_incident_acknowledged",
    "on_incident_resolved",
    "on_incident_reopened",
    "on_incident_comment",
    "notify_alongside_primary_responder",
    TEMPLATE,
];

const TEMPLATE: &str = "custom_webhook_template_attributes";
const TRIGGERS: [&str; 3] = ["incident_change", "on_call_change", "monitor_change"];

fn template_id(webhook: &Kept) -> String {
    (webhook.id + 1).to_string()
}

fn shown(webhook: &Kept) -> Value {
    let mut fields = webhook.fields.clone();
    let template = match fields.remove(TEMPLATE) {
        Some(_) => json!({ "id": template_id(webhook), "type": "custom_webhook_template" }),
        None => Value::Null,
    };
    json!({
        "id": webhook.id.to_string(), "type": "outgoing_webhook", "attributes": fields,
        "relationships": { "custom_webhook_template": { "data": template } },
    })
}

impl Account {
    pub(super) fn list_webhooks(&self, query: &Query, path: &str) -> Answer {
        let Done::Json(status, mut page) = self.list(&self.webhooks, "outgoing_webhook", query, path)? else {
            return Ok(Done::Empty);
        };
        let ids: Vec<Value> = page["data"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|entry| entry["id"].clone())
            .collect();
        let on_page = || {
            self.webhooks
                .iter()
                .filter(|kept| ids.contains(&json!(kept.id.to_string())))
        };
        let included = on_page().filter_map(|kept| {
            let template = kept.fields.get(TEMPLATE)?;
            Some(json!({ "id": template_id(kept), "type": "custom_webhook_template", "attributes": template }))
        });
        page["included"] = included.collect();
        page["data"] = on_page().map(shown).collect();
        Ok(Done::Json(status, page))
    }

    /// A webhook of which nothing was said, as it reads.
    pub(super) fn defaults_of_a_webhook(&self) -> Map<String, Value> {
        let usual = json!({
            "name": "Webhook", "team_name": self.team, "on_incident_started": true, "on_incident_acknowledged": false,
            "on_incident_resolved": true, "on_incident_reopened": false, "on_incident_comment": false,
            // Unless it is told otherwise, it is told of everything that no policy covers.
            "notify_alongside_primary_responder": true,
        });
        usual.as_object().cloned().unwrap_or_default()
    }

    pub(super) fn create_webhook(&mut self, body: &Map<String, Value>) -> Answer {
        let trigger = body.get("trigger_type").and_then(Value::as_str).unwrap_or_default();
        if !TRIGGERS.contains(&trigger) {
            return Err(Refusal::Values("trigger_type", json!(TRIGGERS)));
        }
        if !body.contains_key("url") {
            return Err(Refusal::field("url", "can't be blank"));
        }
        let fields = valid(body)?;
        let mut webhook = self.defaults_of_a_webhook();
        webhook.extend(fields);
        let kept = Kept {
            id: self.next_id(),
            fields: webhook,
        };
        let answer = json!({ "data": shown(&kept) });
        self.webhooks.push(kept);
        Ok(Done::Json(201, answer))
    }

    pub(super) fn patch_webhook(&mut self, id: &str, body: &Map<String, Value>) -> Answer {
        let at = position(&self.webhooks, id)?;
        let fields = valid(body)?;
        let trigger = body.get("trigger_type");
        if trigger.is_some() && trigger != self.webhooks[at].fields.get("trigger_type") {
            return Err(Refusal::field("trigger_type", "can't be changed"));
        }
        self.webhooks[at].fields.extend(fields);
        Ok(Done::Json(200, json!({ "data": shown(&self.webhooks[at]) })))
    }

    pub(super) fn delete_webhook(&mut self, id: &str) -> Answer {
        position(&self.webhooks, id)?;
        let is_told = |member: &Value| {
            member["type"] == json!("webhook") && id_of(&member["id"]).is_some_and(|told| told.to_string() == id)
        };
        let steps = self.policies.iter().filter_map(|policy| policy.fields.get("steps"));
        let mut members = steps
            .flat_map(|steps| steps.as_array().into_iter().flatten())
            .flat_map(|step| step["step_members"].as_array().into_iter().flatten());
        if members.any(is_told) {
            return Err(Refusal::field("base", "Webhook is used by policies"));
        }
        remove(&mut self.webhooks, id)?;
        Ok(Done::Empty)
    }
}

fn valid(body: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    if let Some(unknown) = body.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        return Err(Refusal::field(unknown, "is not an attribute"));
    }
    let url = body.get("url").map(|url| url.as_str().unwrap_or_default());
    if url.is_some_and(|url| !url.starts_with("http")) {
        return Err(Refusal::field("url", "is invalid"));
    }
    let mut fields = body.clone();
    fields.remove("team_name");
    Ok(fields)
}
