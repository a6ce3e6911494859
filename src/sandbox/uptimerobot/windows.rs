//! Maintenance windows, and groups of monitors, as the API shows them (facts A2 and A6).

use serde_json::{Map, Value, json};

use super::{Account, Done, Refusal, is};

/// What may be sent of a window.
const FIELDS: [&str; 9] = [
    "name",
    "interval",
    "date",
    "time",
    "duration",
    "days",
    "monitorIds",
    "autoAddMonitors",
    "status",
];

impl Account {
    /// Adds a window as it reads, and returns its id.
    pub fn add_window(&mut self, fields: &Value) -> u64 {
        let id = self.next_id();
        let window = json!({
            "id": id, "userId": 1, "name": "By hand", "interval": "daily", "date": null, "time": "02:00:00",
            "duration": 60, "days": null, "monitorIds": [], "autoAddMonitors": false, "status": "active",
            "created": "2026-09-21T09:10:00.000Z",
        });
        let mut window = window.as_object().cloned().unwrap_or_default();
        if let Value::Object(fields) = fields {
            window.extend(fields.clone());
        }
        self.windows.push(window);
        id
    }

    /// The windows as a list shows them.
    pub fn windows(&self) -> Vec<Value> {
        self.windows.iter().cloned().map(Value::Object).collect()
    }

    pub(super) fn create_window(&mut self, body: &Map<String, Value>) -> Result<Done, Refusal> {
        let mut wrong: Vec<String> = ["name", "interval", "time", "duration"]
            .iter()
            .filter(|key| !body.contains_key(**key))
            .map(|key| format!("{key} should not be empty"))
            .collect();
        wrong.extend(validated(body, body));
        if !wrong.is_empty() {
            return Err(Refusal::Invalid(wrong));
        }
        let id = self.add_window(&Value::Object(body.clone()));
        let made = self.windows.iter().find(|window| is(window, &id.to_string()));
        let made = made.cloned().unwrap_or_default();
        Ok(Done::Json(201, Value::Object(made)))
    }

    pub(super) fn patch_window(&mut self, id: &str, body: &Map<String, Value>) -> Result<Done, Refusal> {
        let found = self.windows.iter_mut().find(|window| is(window, id));
        let window = found.ok_or_else(|| Refusal::not_found("Maintenance window"))?;
        let mut after = window.clone();
        after.extend(body.clone());
        let mut wrong = validated(body, &after);
        if body.contains_key("autoAddMonitors") {
            wrong.push("property autoAddMonitors should not exist".to_owned());
        }
        if !wrong.is_empty() {
            return Err(Refusal::Invalid(wrong));
        }
        *window = after;
        Ok(Done::Json(200, Value::Object(window.clone())))
    }

    pub(super) fn delete_window(&mut self, id: &str) -> Result<Done, Refusal> {
        let at = self.windows.iter().position(|window| is(window, id));
        let at = at.ok_or_else(|| Refusal::not_found("Maintenance window"))?;
        self.windows.remove(at);
        for monitor in &mut self.monitors {
            if let Some(Value::Array(all)) = monitor.get_mut("maintenanceWindows") {
                all.retain(|entry| !is_id(entry, id));
            }
        }
        Ok(Done::Empty(204))
    }

    /// Monitors keep ids; what reads are the windows, and those that add every monitor to themselves are on all of them.
    pub(super) fn with_windows(&self, mut monitor: Map<String, Value>) -> Map<String, Value> {
        let kept = monitor.get("maintenanceWindows").and_then(Value::as_array).cloned();
        let kept: Vec<String> = kept.iter().flatten().map(ToString::to_string).collect();
        let on_all = |window: &&Map<String, Value>| window.get("autoAddMonitors") == Some(&json!(true));
        let named = |window: &&Map<String, Value>| {
            window.get("id").is_some_and(|id| kept.contains(&id.to_string())) || on_all(window)
        };
        let shown: Vec<Value> = self.windows.iter().filter(named).cloned().map(Value::Object).collect();
        monitor.insert("maintenanceWindows".to_owned(), json!(shown));
        monitor
    }

    pub(super) fn create_group(&mut self, body: &Map<String, Value>) -> Result<Done, Refusal> {
        let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
        if name.is_empty() {
            return Err(Refusal::Invalid(vec!["name should not be empty".to_owned()]));
        }
        let id = self.next_id();
        let moment = "2026-09-21T09:10:00.000Z";
        let group = json!({ "id": id, "name": name, "createdAt": moment, "updatedAt": moment });
        self.groups.extend(group.as_object().cloned());
        Ok(Done::Json(201, group))
    }

    pub(super) fn patch_group(&mut self, id: &str, body: &Map<String, Value>) -> Result<Done, Refusal> {
        let found = self.groups.iter_mut().find(|group| is(group, id));
        let group = found.ok_or_else(|| Refusal::not_found("Monitor group"))?;
        group.extend(body.get("name").map(|name| ("name".to_owned(), name.clone())));
        Ok(Done::Json(200, Value::Object(group.clone())))
    }

    pub(super) fn delete_group(&mut self, id: &str, next: Option<&str>) -> Result<Done, Refusal> {
        let at = self.groups.iter().position(|group| is(group, id));
        let at = at.ok_or_else(|| Refusal::not_found("Monitor group"))?;
        self.groups.remove(at);
        let next = next.and_then(|next| next.parse::<u64>().ok()).unwrap_or_default();
        for monitor in &mut self.monitors {
            if monitor.get("groupId").is_some_and(|group| is_id(group, id)) {
                monitor.insert("groupId".to_owned(), json!(next));
            }
        }
        Ok(Done::Empty(204))
    }

    /// Pauses or starts many: 201 whatever becomes of each.
    pub(super) fn bulk(&mut self, action: &str, body: &Map<String, Value>) -> Done {
        let number = |key: &str| body.get(key).and_then(Value::as_u64);
        let (group, tag) = (number("groupId"), number("tagId"));
        let is_meant = |monitor: &Map<String, Value>| {
            let tags = monitor.get("tags").and_then(Value::as_array);
            let is_tagged = |tag: u64| tags.is_some_and(|all| all.iter().any(|one| one["id"] == json!(tag)));
            group.is_some_and(|group| monitor.get("groupId") == Some(&json!(group))) || tag.is_some_and(is_tagged)
        };
        let meant: Vec<(String, Value)> = self
            .monitors
            .iter()
            .filter(|monitor| is_meant(monitor))
            .map(|monitor| (monitor["id"].to_string(), monitor["friendlyName"].clone()))
            .collect();
        let (mut results, mut failed) = (Vec::new(), 0);
        for (id, name) in meant {
            let result = match action {
                "update" => self.patch_monitor(&id, &without_selectors(body)),
                action => self.rest(&id, action == "pause"),
            };
            let status = if result.is_ok() { "success" } else { "error" };
            let mut one = json!({ "monitorId": id.parse::<u64>().ok(), "monitorName": name, "status": status });
            if let Err(refusal) = result {
                failed += 1;
                if let Refusal::Coded(_, code, message) = refusal {
                    (one["code"], one["error"]) = (json!(code), json!(message));
                }
            }
            results.push(one);
        }
        let good = results.len() - failed;
        Done::Json(
            201,
            json!({ "results": results, "totalSuccess": good, "totalError": failed }),
        )
    }
}

fn is_id(value: &Value, id: &str) -> bool {
    value.as_u64().is_some_and(|number| number.to_string() == id)
}

fn without_selectors(body: &Map<String, Value>) -> Map<String, Value> {
    let is_meant = |(key, _): &(&String, &Value)| *key != "groupId" && *key != "tagId";
    body.iter()
        .filter(is_meant)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// What the validator finds wrong in what is sent, where `after` is what comes of it.
fn validated(body: &Map<String, Value>, after: &Map<String, Value>) -> Vec<String> {
    let mut wrong: Vec<String> = body
        .keys()
        .filter(|key| !FIELDS.contains(&key.as_str()))
        .map(|key| format!("property {key} should not exist"))
        .collect();
    let text = |key: &str| after.get(key).and_then(Value::as_str).unwrap_or_default();
    if !(3..=255).contains(&text("name").chars().count()) {
        wrong.push("name must be longer than or equal to 3 characters".to_owned());
    }
    let interval = text("interval");
    if !["once", "daily", "weekly", "monthly"].contains(&interval) {
        wrong.push("interval must be one of the following values: once, daily, weekly, monthly".to_owned());
    }
    let time = text("time");
    if time.len() != 8 || time.bytes().filter(|b| *b == b':').count() != 2 {
        wrong.push("time must be in the format HH:mm:ss".to_owned());
    }
    if after
        .get("duration")
        .and_then(Value::as_u64)
        .is_none_or(|minutes| minutes == 0)
    {
        wrong.push("duration must not be less than 1".to_owned());
    }
    if (interval == "once") != (text("date").len() == 10) && interval == "once" {
        wrong.push("date must be a valid date".to_owned());
    }
    let days = after.get("days").and_then(Value::as_array);
    let day = |day: &Value, least: i64, most: i64| day.as_i64().is_some_and(|day| (least..=most).contains(&day));
    let is_good = match interval {
        "weekly" => days.is_some_and(|days| !days.is_empty() && days.iter().all(|one| day(one, 1, 7))),
        "monthly" => {
            days.is_some_and(|days| !days.is_empty() && days.iter().all(|one| day(one, 1, 31) || *one == json!(-1)))
        }
        _ => !body.contains_key("days"),
    };
    if !is_good {
        wrong.push("days must fit the interval".to_owned());
    }
    wrong
}
