//! Heartbeats: another kind of object than monitors, with other names for the same things. The address that has to be
//! called is made by the service and is a secret (facts B3).

use serde_json::{Map, Value, json};

use super::monitors::{has_good_window, silence};
use super::{Account, Answer, Done, Kept, Paid, Refusal, id_of, position, shown};

const FIELDS: [&str; 18] = [
    "team_name",
    "name",
    "period",
    "grace",
    "server_timezone",
    "call",
    "sms",
    "email",
    "push",
    "critical_alert",
    "team_wait",
    "heartbeat_group_id",
    "policy_id",
    "maintenance_from",
    "maintenance_to",
    "maintenance_timezone",
    "maintenance_days",
    "paused",
];

impl Account {
    /// Adds a heartbeat as it reads, whoever made it, and returns its id.
    pub fn add_heartbeat(&mut self, fields: &Value) -> u64 {
        let id = self.next_id();
        let mut heartbeat = self.defaults_of_a_heartbeat(id);
        if let Value::Object(fields) = fields {
            heartbeat.extend(fields.clone());
        }
        self.heartbeats.push(Kept { id, fields: heartbeat });
        id
    }

    /// A heartbeat of which nothing was said, as it reads.
    pub(super) fn defaults_of_a_heartbeat(&self, id: u64) -> Map<String, Value> {
        let value = json!({
            "url": format!("https://uptime.betterstack.com/api/v1/heartbeat/{}", self.secret(id)), "name": "",
            "period": 0, "grace": 0, "call": false, "sms": false, "email": true, "push": true, "critical_alert": false,
            "team_wait": null, "heartbeat_group_id": null, "policy_id": null, "team_name": self.team, "status": "pending",
            "paused_at": null, "server_timezone": null, "maintenance_from": null, "maintenance_to": null,
            "maintenance_timezone": "UTC", "maintenance_days": [], "created_at": "2026-09-21T09:10:00.000Z",
            "updated_at": "2026-09-21T09:10:00.000Z",
        });
        value.as_object().cloned().unwrap_or_default()
    }

    fn secret(&self, id: u64) -> String {
        let word = self.modes.heartbeat_secret.as_deref().unwrap_or("sandbox-heartbeat");
        format!("{word}-{id}")
    }

    pub(super) fn create_heartbeat(&mut self, body: &Map<String, Value>) -> Answer {
        for key in ["name", "period", "grace"] {
            if body.get(key).is_none_or(Value::is_null) {
                return Err(Refusal::field(key, "can't be blank"));
            }
        }
        if self.paid == Paid::Free && self.monitors.len() + self.heartbeats.len() >= 10 {
            return Err(self.over_the_plan("Your current plan allows 10 monitors and heartbeats"));
        }
        let id = self.next_id();
        let mut heartbeat = self.defaults_of_a_heartbeat(id);
        self.write_heartbeat(&mut heartbeat, body)?;
        let kept = Kept { id, fields: heartbeat };
        let answer = json!({ "data": shown(&kept, "heartbeat") });
        self.heartbeats.push(kept);
        Ok(Done::Json(201, answer))
    }

    pub(super) fn patch_heartbeat(&mut self, id: &str, body: &Map<String, Value>) -> Answer {
        let at = position(&self.heartbeats, id)?;
        let mut heartbeat = self.heartbeats[at].fields.clone();
        self.write_heartbeat(&mut heartbeat, body)?;
        self.heartbeats[at].fields = heartbeat;
        Ok(Done::Json(
            200,
            json!({ "data": shown(&self.heartbeats[at], "heartbeat") }),
        ))
    }

    fn write_heartbeat(&self, heartbeat: &mut Map<String, Value>, body: &Map<String, Value>) -> Result<(), Refusal> {
        if let Some(unknown) = body.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            return Err(Refusal::field(unknown, "is not an attribute"));
        }
        for (key, value) in body {
            match key.as_str() {
                "team_name" => {}
                "paused" => silence(heartbeat, value),
                _ => {
                    heartbeat.insert(key.clone(), value.clone());
                }
            }
        }
        let number = |key: &str| heartbeat.get(key).and_then(Value::as_u64);
        if number("period").is_none_or(|period| period < 30) {
            return Err(Refusal::field("period", "must be greater than or equal to 30"));
        }
        if number("grace").is_none() {
            return Err(Refusal::field("grace", "must be greater than or equal to 0"));
        }
        has_good_window(heartbeat)?;
        if let Some(policy) = heartbeat.get("policy_id").filter(|id| !id.is_null()).cloned() {
            let id = id_of(&policy).filter(|id| self.policies.iter().any(|policy| policy.id == *id));
            let id = id.ok_or_else(|| Refusal::field("policy_id", "doesn't exist"))?;
            let is_number = self.modes.is_otherwise;
            heartbeat.insert(
                "policy_id".to_owned(),
                if is_number { json!(id) } else { json!(id.to_string()) },
            );
        }
        Ok(())
    }
}
