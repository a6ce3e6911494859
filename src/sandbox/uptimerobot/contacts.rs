//! Personal contacts and integrations: numbers in, words out; one set of names sent, another read (facts A5).

use serde_json::{Map, Value, json};

use super::{Account, Done, Refusal, is};

fn word(value: Option<&Value>) -> &'static str {
    match value.and_then(Value::as_u64) {
        Some(1) => "Down",
        Some(2) => "Up",
        Some(3) => "None",
        _ => "UpAndDown",
    }
}

/// What each kind of integration is sent, and the name under which it reads.
fn shape(kind: &str) -> Option<&'static [(&'static str, &'static str)]> {
    Some(match kind {
        "Slack" => &[("webhookURL", "value"), ("customValue", "customValue")],
        "Webhook" => &[("urlToNotify", "value"), ("postValue", "customValue")],
        _ => return None,
    })
}

impl Account {
    pub(super) fn create_contact(&mut self, body: &Map<String, Value>) -> Result<Done, Refusal> {
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        let mut wrong: Vec<String> = body
            .keys()
            .filter(|key| !["type", "value", "friendlyName", "enableNotificationsFor"].contains(&key.as_str()))
            .map(|key| format!("property {key} should not exist"))
            .collect();
        // SMS and voice need a confirmation that no request can give.
        if text("type") != Some("Email") {
            wrong.push("type must be one of the following values: Email".to_owned());
        }
        if !text("value").is_some_and(|value| value.contains('@')) {
            wrong.push("value must be an email".to_owned());
        }
        let told = body.get("enableNotificationsFor").and_then(Value::as_u64);
        if told.is_none_or(|told| told > 3) {
            wrong.push("enableNotificationsFor must be one of the following values: 0, 1, 2, 3".to_owned());
        }
        if !wrong.is_empty() {
            return Err(Refusal::Invalid(wrong));
        }
        let value = text("value").unwrap_or_default();
        if self
            .contacts
            .iter()
            .any(|known| known.get("value").and_then(Value::as_str) == Some(value))
        {
            return Err(Refusal::Framework(409, "duplicate alert contact".to_owned()));
        }
        let (value, name) = (value.to_owned(), text("friendlyName").unwrap_or(value).to_owned());
        let id = self.add_contact("Email", &value, &name, "NotActivated");
        let made = self.contacts.last_mut().map(|contact| {
            contact.insert(
                "enableNotificationsFor".to_owned(),
                json!(word(body.get("enableNotificationsFor"))),
            );
            Value::Object(contact.clone())
        });
        Ok(Done::Json(201, made.unwrap_or_else(|| json!({ "id": id }))))
    }

    pub(super) fn create_integration(&mut self, body: &Map<String, Value>) -> Result<Done, Refusal> {
        let (kind, fields) = integration(body)?;
        let value = fields.get("value").cloned();
        if self
            .integrations
            .iter()
            .any(|known| known.get("type") == Some(&json!(kind)) && known.get("value") == value.as_ref())
        {
            return Err(Refusal::Framework(409, "duplicate integration".to_owned()));
        }
        self.add_integration(&kind, "", "");
        let made = self.integrations.last_mut().map(|integration| {
            integration.extend(fields);
            // What it is told about reads as if nothing had been said at first, and settles later.
            let mut first = integration.clone();
            first.insert("enableNotificationsFor".to_owned(), json!("UpAndDown"));
            Value::Object(first)
        });
        Ok(Done::Json(201, made.unwrap_or_default()))
    }

    pub(super) fn patch_integration(&mut self, id: &str, body: &Map<String, Value>) -> Result<Done, Refusal> {
        let found = self.integrations.iter_mut().find(|known| is(known, id));
        let known = found.ok_or_else(Refusal::no_integration)?;
        let (kind, fields) = integration(body)?;
        if known.get("type") != Some(&json!(kind)) {
            return Err(Refusal::Invalid(vec!["type cannot be changed".to_owned()]));
        }
        known.extend(fields);
        Ok(Done::Json(200, Value::Object(known.clone())))
    }

    pub(super) fn delete_contact(&mut self, list: &str, id: &str) -> Result<Done, Refusal> {
        let all = if list == "integrations" {
            &mut self.integrations
        } else {
            &mut self.contacts
        };
        let at = all
            .iter()
            .position(|known| is(known, id))
            .ok_or_else(|| Refusal::not_found("Alert contact"))?;
        all.remove(at);
        for monitor in &mut self.monitors {
            if let Some(Value::Array(assigned)) = monitor.get_mut("assignedAlertContacts") {
                assigned.retain(|entry| {
                    entry
                        .get("alertContactId")
                        .and_then(Value::as_u64)
                        .is_none_or(|known| known.to_string() != id)
                });
            }
        }
        Ok(Done::Empty(200))
    }
}

/// An integration as it was sent, in the names under which it reads.
fn integration(body: &Map<String, Value>) -> Result<(String, Map<String, Value>), Refusal> {
    let kind = body.get("type").and_then(Value::as_str).unwrap_or_default();
    let Some(shape) = shape(kind) else {
        return Err(Refusal::Invalid(vec![
            "type must be one of the following values: Slack, Webhook".to_owned(),
        ]));
    };
    let data = body.get("data").and_then(Value::as_object).cloned().unwrap_or_default();
    let common = [
        "friendlyName",
        "enableNotificationsFor",
        "sslExpirationReminder",
        "sendAsJSON",
        "sendAsQueryString",
        "sendAsPostParameters",
        "customHeaders",
    ];
    let mut wrong = Vec::new();
    for key in data
        .keys()
        .filter(|key| !common.contains(&key.as_str()) && !shape.iter().any(|(sent, _)| sent == key))
    {
        wrong.push(format!("data.property {key} should not exist"));
    }
    let name = data.get("friendlyName").and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() || name.chars().count() > 60 {
        wrong.push("data.friendlyName must be shorter than or equal to 60 characters".to_owned());
    }
    let mut fields = Map::new();
    for (sent, read) in shape {
        match data.get(*sent).and_then(Value::as_str) {
            Some(value) => {
                fields.insert((*read).to_owned(), json!(value));
            }
            None => wrong.push(format!("data.{sent} must be a string")),
        }
    }
    if fields
        .get("value")
        .and_then(Value::as_str)
        .is_some_and(|value| !value.starts_with("http"))
    {
        wrong.push("data.webhookURL must be a URL address".to_owned());
    }
    let is_word = |told: &Value| ["UpAndDown", "Down", "Up", "None"].iter().any(|word| told == word);
    if !data.get("enableNotificationsFor").is_none_or(is_word) {
        wrong.push("data.enableNotificationsFor must be one of UpAndDown, Down, Up, None".to_owned());
    }
    if !wrong.is_empty() {
        return Err(Refusal::Invalid(wrong));
    }
    fields.insert("friendlyName".to_owned(), json!(name));
    for key in ["enableNotificationsFor", "sslExpirationReminder", "customHeaders"] {
        fields.extend(data.get(key).map(|value| (key.to_owned(), value.clone())));
    }
    Ok((kind.to_owned(), fields))
}
