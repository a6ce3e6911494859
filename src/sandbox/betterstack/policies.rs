//! Escalation policies: steps in order, each with who is told (facts B4). A member that is named by its mailbox reads back
//! with its id too.

use serde_json::{Map, Value, json};

use super::{Account, Answer, Done, Kept, Refusal, id_of, position, remove, shown};

const FIELDS: [&str; 7] = [
    "team_name",
    "name",
    "repeat_count",
    "repeat_delay",
    "fallback_policy_id",
    "policy_group_id",
    "steps",
];

const STEPS: [&str; 4] = ["escalation", "time_branching", "metadata_branching", "instructions"];

impl Account {
    pub(super) fn defaults_of_a_policy(&self) -> Map<String, Value> {
        let value = json!({
            "name": "", "repeat_count": 3, "repeat_delay": 0, "fallback_policy_id": null, "policy_group_id": null,
            "incident_token": "sandbox-incident-token", "team_name": self.team, "steps": [],
        });
        value.as_object().cloned().unwrap_or_default()
    }

    pub(super) fn create_policy(&mut self, body: &Map<String, Value>) -> Answer {
        if body.get("name").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(Refusal::field("name", "can't be blank"));
        }
        let fields = self.policy_fields(body)?;
        let mut policy = self.defaults_of_a_policy();
        policy.extend(fields);
        let id = self.next_id();
        let kept = Kept { id, fields: policy };
        let answer = json!({ "data": shown(&kept, "policy") });
        self.policies.push(kept);
        Ok(Done::Json(201, answer))
    }

    pub(super) fn patch_policy(&mut self, id: &str, body: &Map<String, Value>) -> Answer {
        let at = position(&self.policies, id)?;
        let fields = self.policy_fields(body)?;
        self.policies[at].fields.extend(fields);
        Ok(Done::Json(200, json!({ "data": shown(&self.policies[at], "policy") })))
    }

    pub(super) fn delete_policy(&mut self, id: &str) -> Answer {
        position(&self.policies, id)?;
        let is_of_it = |monitor: &Kept| {
            let policies = ["policy_id", "expiration_policy_id"];
            let mut named = policies
                .iter()
                .filter_map(|key| monitor.fields.get(*key).and_then(id_of));
            named.any(|named| named.to_string() == id)
        };
        if self.monitors.iter().chain(&self.heartbeats).any(is_of_it) {
            return Err(Refusal::field("base", "Policy is used by monitors"));
        }
        let falls_back = |policy: &Kept| {
            let other = policy.fields.get("fallback_policy_id").and_then(id_of);
            other.is_some_and(|other| other.to_string() == id)
        };
        if self.policies.iter().any(falls_back) {
            return Err(Refusal::field("base", "Policy is used by policies"));
        }
        remove(&mut self.policies, id)?;
        Ok(Done::Empty)
    }

    fn policy_fields(&self, body: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
        if let Some(unknown) = body.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            return Err(Refusal::field(unknown, "is not an attribute"));
        }
        let mut fields = body.clone();
        fields.remove("team_name");
        if let Some(steps) = body.get("steps") {
            let steps = steps.as_array().ok_or_else(|| Refusal::field("steps", "are invalid"))?;
            let steps: Result<Vec<Value>, Refusal> = steps.iter().map(|step| self.step(step)).collect();
            fields.insert("steps".to_owned(), json!(steps?));
        }
        Ok(fields)
    }

    fn step(&self, step: &Value) -> Result<Value, Refusal> {
        let wrong = |words: &str| Refusal::field("steps", words);
        if !STEPS.iter().any(|known| step["type"] == json!(known)) {
            return Err(Refusal::Values("steps.type", json!(STEPS)));
        }
        if step["type"] != json!("escalation") {
            return Ok(step.clone());
        }
        if step["wait_before"].as_u64().is_none() {
            return Err(wrong("wait_before is not a number"));
        }
        let members = step["step_members"].as_array().filter(|members| !members.is_empty());
        let members = members.ok_or_else(|| wrong("step_members can't be blank"))?;
        let members: Result<Vec<Value>, Refusal> = members.iter().map(|member| self.member(member)).collect();
        let mut members = members?;
        // Somebody else's order: only that of the steps counts.
        members.reverse();
        Ok(json!({
            "type": "escalation", "wait_before": step["wait_before"], "urgency_id": step["urgency_id"],
            "step_members": members,
        }))
    }

    fn member(&self, member: &Value) -> Result<Value, Refusal> {
        let wrong = |words: &str| Refusal::field("steps", words);
        let (id, email) = (member["id"].as_u64(), member["email"].as_str());
        match (member["type"].as_str().unwrap_or_default(), id, email) {
            ("user", None, Some(email)) => {
                let is_known = |members: &Vec<String>| members.iter().any(|known| known.eq_ignore_ascii_case(email));
                if !self.modes.members.as_ref().is_none_or(is_known) {
                    return Err(wrong("step_members user was not found in your team"));
                }
                // Its id, which is the same each time.
                let id = email
                    .bytes()
                    .fold(7_u64, |sum, byte| (sum * 31 + u64::from(byte)) % 900_000);
                Ok(json!({ "type": "user", "id": id, "email": email }))
            }
            ("user", Some(_), None) => Ok(member.clone()),
            ("webhook", Some(id), None) if self.webhooks.iter().any(|webhook| webhook.id == id) => Ok(member.clone()),
            ("current_on_call" | "entire_team" | "all_slack_integrations" | "all_webhook_integrations", None, None) => {
                Ok(member.clone())
            }
            _ => Err(wrong("step_members are invalid")),
        }
    }
}
