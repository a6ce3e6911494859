//! Monitors: what the validator takes, what the plan allows, and how what was sent reads back (facts A3, A4, A8).

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::{Account, Done, Paid, Refusal, is};
use crate::sandbox::query::Query;

const TYPES: [&str; 9] = [
    "HTTP",
    "KEYWORD",
    "PING",
    "PORT",
    "HEARTBEAT",
    "DNS",
    "API",
    "UDP",
    "VISUAL_COMPARISON",
];

/// What may be sent. Anything else is refused, not ignored.
const FIELDS: [&str; 31] = [
    "type",
    "friendlyName",
    "interval",
    "url",
    "timeout",
    "httpMethodType",
    "authType",
    "httpUsername",
    "httpPassword",
    "postValueType",
    "postValueData",
    "customHttpHeaders",
    "successHttpResponseCodes",
    "followRedirections",
    "checkSSLErrors",
    "sslExpirationReminder",
    "domainExpirationReminder",
    "config",
    "keywordType",
    "keywordValue",
    "keywordCaseType",
    "port",
    "gracePeriod",
    "assignedAlertContacts",
    "tagNames",
    "customFields",
    "maintenanceWindowsIds",
    "regionData",
    "regionalData",
    "responseTimeThreshold",
    "groupId",
];

/// A monitor of which nothing was said, as it reads.
pub(super) fn defaults(id: u64) -> Map<String, Value> {
    let value = json!({
        "id": id, "type": "HTTP", "friendlyName": "", "url": "", "status": "STARTED", "interval": 300, "timeout": 30,
        "httpMethodType": null, "authType": "HTTP_BASIC", "httpUsername": "", "httpPassword": "",
        "customHttpHeaders": {}, "postValueType": null, "postValueData": {},
        "successHttpResponseCodes": ["2xx", "3xx"], "followRedirections": true, "checkSSLErrors": false,
        "sslExpirationReminder": false, "domainExpirationReminder": false, "sslBrand": null,
        "sslExpiryDateTime": null, "domainExpireDate": null, "port": null, "gracePeriod": 30, "keywordValue": "",
        "keywordCaseType": 0, "keywordType": null, "responseTimeThreshold": 0, "config": null,
        "regionalData": { "REGION": ["na"], "MANUAL_SELECTED": false, "INFRASTRUCTURE": "New", "THRESHOLD": {} },
        "maintenanceWindows": [], "psps": [], "tags": [], "assignedAlertContacts": [], "groupId": 0,
        "customFields": {}, "userId": 1, "apiKey": "", "currentStateDuration": 0,
        "lastIncidentId": "352577094135060139", "createDateTime": "2026-09-21T09:10:00.000Z",
    });
    value.as_object().cloned().unwrap_or_default()
}

/// What the filters of a list let through.
pub(super) fn filtered(all: Vec<Map<String, Value>>, query: &Query) -> Vec<Map<String, Value>> {
    let holds = |monitor: &Map<String, Value>, key: &str, part: Option<&str>| {
        let text = monitor
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_lowercase();
        part.is_none_or(|part| text.contains(&part.to_lowercase()))
    };
    let tagged = |monitor: &Map<String, Value>| {
        let named = |tag: &str| names(monitor).any(|name| name == tag);
        query.get("tags").is_none_or(|tags| tags.split(',').any(named))
    };
    all.into_iter()
        .filter(|monitor| holds(monitor, "friendlyName", query.get("name")) && holds(monitor, "url", query.get("url")))
        .filter(tagged)
        .collect()
}

fn names(monitor: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let tags = monitor.get("tags").and_then(Value::as_array);
    tags.into_iter()
        .flatten()
        .filter_map(|tag| tag.get("name").and_then(Value::as_str))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What was started reads so in the answer to the start. Whoever reads later finds it checked.
fn once_checked(mut monitor: Map<String, Value>) -> Map<String, Value> {
    if monitor.get("status") == Some(&json!("STARTED")) {
        monitor.insert("status".to_owned(), json!("UP"));
    }
    monitor
}

impl Account {
    /// The monitors as a list shows them now: for a while what was before the last write.
    pub(super) fn monitors_as_read(&mut self) -> Vec<Map<String, Value>> {
        let shown = match &mut self.modes.past {
            Some((past, left)) if *left > 0 => {
                *left -= 1;
                // Of two copies, the one that is up to date answers first.
                if self.modes.is_flapping && *left % 2 == 1 {
                    self.monitors.clone()
                } else {
                    past.clone()
                }
            }
            _ => self.monitors.clone(),
        };
        let shown = shown.into_iter().map(|monitor| self.with_windows(monitor));
        shown.map(once_checked).collect()
    }

    /// Remembers what reads go on to show.
    fn about_to_write(&mut self) {
        self.modes.past = (self.modes.stale > 0).then(|| (self.monitors.clone(), self.modes.stale));
    }

    pub(super) fn create_monitor(&mut self, body: &Map<String, Value>) -> Result<Done, Refusal> {
        let kind = body.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut wrong = Vec::new();
        if !TYPES.contains(&kind.as_str()) {
            wrong.push("type must be one of the following values: HTTP, KEYWORD, PING, PORT, …".to_owned());
        }
        for (key, words) in [
            ("friendlyName", "friendlyName should not be empty"),
            ("interval", "interval must be an integer number"),
        ] {
            if !body.contains_key(key) {
                wrong.push(words.to_owned());
            }
        }
        if matches!(kind.as_str(), "HTTP" | "KEYWORD" | "PORT" | "API") && !body.contains_key("timeout") {
            wrong.push("timeout must not be greater than 60".to_owned());
            wrong.push("timeout must not be less than 0".to_owned());
        }
        if kind == "KEYWORD" {
            for key in ["keywordType", "keywordValue", "keywordCaseType"] {
                if body.get(key).is_none_or(Value::is_null) {
                    wrong.push(format!("{key} should not be empty"));
                }
            }
        }
        if kind == "DNS" && !body.get("config").is_some_and(Value::is_object) {
            wrong.push("config should not be empty".to_owned());
        }
        if kind == "HEARTBEAT" && body.contains_key("url") {
            wrong.push("property url should not exist".to_owned());
        }
        if kind == "PORT" && !body.contains_key("port") {
            wrong.push("port must be an integer number".to_owned());
        }
        wrong.extend(validated(&kind, body, None));
        if !wrong.is_empty() {
            return Err(Refusal::Invalid(wrong));
        }
        self.allowed(&kind, body)?;
        if self.monitors.len() >= self.limit {
            return Err(Refusal::Coded(
                403,
                "009-005",
                "You have reached your monitor limit".to_owned(),
            ));
        }
        let id = self.next_id();
        let mut monitor = defaults(id);
        if !matches!(kind.as_str(), "HTTP" | "KEYWORD" | "API") {
            monitor.insert("httpMethodType".to_owned(), Value::Null);
        }
        self.write_fields(&mut monitor, body);
        if kind == "HEARTBEAT" {
            // Whoever knows it can call it: a credential.
            let address = format!("https://heartbeat.uptimerobot.example/m{id}-canary-9f3e77c1a5b2");
            monitor.insert("url".to_owned(), json!(address));
        }
        self.no_double(&monitor)?;
        self.about_to_write();
        self.monitors.push(monitor.clone());
        if self.modes.lost_creates > 0 {
            self.modes.lost_creates -= 1;
            return Err(Refusal::not_found("Monitor"));
        }
        Ok(Done::Json(201, Value::Object(monitor)))
    }

    pub(super) fn patch_monitor(&mut self, id: &str, body: &Map<String, Value>) -> Result<Done, Refusal> {
        let at = self.position(id)?;
        let kind = self.monitors[at]
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if body.get("type").is_some_and(|new| *new != json!(kind)) {
            return Err(Refusal::Coded(
                400,
                "009-015",
                "Monitor type cannot be changed after creation".to_owned(),
            ));
        }
        let wrong = validated(&kind, body, self.monitors[at].get("httpMethodType"));
        if !wrong.is_empty() {
            return Err(Refusal::Invalid(wrong));
        }
        self.allowed(&kind, body)?;
        let mut monitor = self.monitors[at].clone();
        self.write_fields(&mut monitor, body);
        // What asks as it did makes no second one.
        if ["url", "port"].iter().any(|key| body.contains_key(*key)) {
            self.no_double(&monitor)?;
        }
        self.about_to_write();
        self.monitors[at].clone_from(&monitor);
        Ok(Done::Json(200, Value::Object(monitor)))
    }

    pub(super) fn delete_monitor(&mut self, id: &str) -> Result<Done, Refusal> {
        let at = self.position(id)?;
        self.about_to_write();
        self.monitors.remove(at);
        Ok(Done::Empty(200))
    }

    pub(super) fn rest(&mut self, id: &str, pause: bool) -> Result<Done, Refusal> {
        let at = self.position(id)?;
        // Those that rest count too, so that one may not wake where there are more than are paid for (facts A7).
        if !pause && self.monitors.len() > self.limit {
            return Err(Refusal::not_in_plan());
        }
        self.about_to_write();
        let monitor = &mut self.monitors[at];
        let is_paused = monitor.get("status") == Some(&json!("PAUSED"));
        if pause != is_paused {
            monitor.insert("status".to_owned(), json!(if pause { "PAUSED" } else { "STARTED" }));
        }
        Ok(Done::Json(201, Value::Object(monitor.clone())))
    }

    fn position(&self, id: &str) -> Result<usize, Refusal> {
        let found = self.monitors.iter().position(|monitor| is(monitor, id));
        found.ok_or_else(|| Refusal::not_found("Monitor"))
    }

    /// What the plan has not (facts A7).
    fn allowed(&self, kind: &str, body: &Map<String, Value>) -> Result<(), Refusal> {
        let interval = body.get("interval").and_then(Value::as_u64);
        if interval.is_some_and(|interval| interval < self.paid.least_interval()) {
            return Err(Refusal::not_in_plan());
        }
        let is_set = |key: &str| body.get(key) == Some(&json!(true));
        let told_late = |entry: &Value| {
            ["threshold", "recurrence"]
                .iter()
                .any(|key| entry.get(*key) != Some(&json!(0)))
        };
        let contacts = body.get("assignedAlertContacts").and_then(Value::as_array);
        let is_paid_for = is_set("sslExpirationReminder")
            || is_set("domainExpirationReminder")
            || matches!(kind, "HEARTBEAT" | "API")
            || contacts.is_some_and(|all| all.iter().any(told_late))
            || body
                .get("customFields")
                .and_then(Value::as_object)
                .is_some_and(|fields| !fields.is_empty());
        if self.paid == Paid::Free && is_paid_for {
            return Err(Refusal::not_in_plan());
        }
        for entry in contacts.into_iter().flatten() {
            let id = entry
                .get("alertContactId")
                .and_then(Value::as_u64)
                .unwrap_or_default()
                .to_string();
            if !self
                .contacts
                .iter()
                .chain(&self.integrations)
                .any(|contact| is(contact, &id))
            {
                return Err(Refusal::Coded(
                    403,
                    "000-006",
                    "Alert contact belongs to another account".to_owned(),
                ));
            }
        }
        for id in body
            .get("maintenanceWindowsIds")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if !self.windows.iter().any(|window| is(window, &id.to_string())) {
                let words = "Maintenance window belongs to another account".to_owned();
                return Err(Refusal::Coded(403, "000-006", words));
            }
        }
        let url = body.get("url").and_then(Value::as_str).unwrap_or_default();
        if self.modes.is_closed_to_private_targets && is_private(url) {
            return Err(Refusal::Invalid(vec!["url is not allowed".to_owned()]));
        }
        Ok(())
    }

    /// The same address twice is refused, whatever the second is called.
    fn no_double(&self, monitor: &Map<String, Value>) -> Result<(), Refusal> {
        let asks = |monitor: &Map<String, Value>| ["url", "port"].map(|key| monitor.get(key).cloned());
        if monitor.get("type") == Some(&json!("HEARTBEAT")) {
            return Ok(());
        }
        let is_double =
            |other: &&Map<String, Value>| other.get("id") != monitor.get("id") && asks(other) == asks(monitor);
        match self.monitors.iter().find(is_double) {
            Some(_) => Err(Refusal::Framework(
                409,
                "duplicate monitor: the URL is monitored already".to_owned(),
            )),
            None => Ok(()),
        }
    }

    fn write_fields(&mut self, monitor: &mut Map<String, Value>, body: &Map<String, Value>) {
        for (key, value) in body {
            let (key, value) = match key.as_str() {
                "friendlyName" => ("friendlyName", json!(escaped(value.as_str().unwrap_or_default()))),
                "url" => {
                    let kind = body
                        .get("type")
                        .or(monitor.get("type"))
                        .and_then(Value::as_str)
                        .unwrap_or_default();
                    let url = value.as_str().unwrap_or_default();
                    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
                    (
                        "url",
                        json!(escaped(if matches!(kind, "PING" | "PORT") { bare } else { url })),
                    )
                }
                "tagNames" => ("tags", self.tags_of(value)),
                "maintenanceWindowsIds" => ("maintenanceWindows", value.clone()),
                "regionData" => {
                    let mut data = value.clone();
                    data["INFRASTRUCTURE"] = json!("New");
                    // What is watched in a region stays until all of it is cleared.
                    let there = monitor
                        .get("regionalData")
                        .and_then(|data| data["THRESHOLD"].as_object());
                    let sent = value.get("THRESHOLD").and_then(Value::as_object);
                    let mut thresholds = there.cloned().unwrap_or_default();
                    match sent {
                        Some(sent) if sent.is_empty() => thresholds.clear(),
                        sent => thresholds.extend(sent.cloned().unwrap_or_default()),
                    }
                    data["THRESHOLD"] = json!(thresholds);
                    ("regionalData", data)
                }
                // None is watched, in no region.
                "responseTimeThreshold" if *value == json!(0) => {
                    if let Some(regions) = monitor.get_mut("regionalData") {
                        regions["THRESHOLD"] = json!({});
                    }
                    continue;
                }
                "responseTimeThreshold" => {
                    // It reads 0 and is spread over the regions.
                    if let Some(regions) = monitor.get_mut("regionalData") {
                        let all = regions["REGION"].as_array().cloned().unwrap_or_default();
                        for region in all.iter().filter_map(Value::as_str) {
                            regions["THRESHOLD"][region] = value.clone();
                        }
                    }
                    continue;
                }
                "successHttpResponseCodes" if value.as_array().is_some_and(Vec::is_empty) => {
                    ("successHttpResponseCodes", json!(["2xx", "3xx"]))
                }
                "keywordCaseType" => {
                    let ignores = *value == json!(1) || *value == json!("CaseInsensitive");
                    // The word is what a create is said to take; which of the two is read then is not settled.
                    let word = if ignores { "CaseInsensitive" } else { "CaseSensitive" };
                    let shown = if self.modes.is_otherwise {
                        json!(word)
                    } else {
                        json!(u8::from(ignores))
                    };
                    ("keywordCaseType", shown)
                }
                "config" => ("config", merged(monitor.get("config"), value)),
                "assignedAlertContacts" => {
                    // Somebody else's order.
                    let mut all = value.as_array().cloned().unwrap_or_default();
                    all.reverse();
                    ("assignedAlertContacts", json!(all))
                }
                key => (key, value.clone()),
            };
            monitor.insert(key.to_owned(), value);
        }
        let has_body = body.get("postValueData").is_some_and(|data| !data.is_null());
        if let Some(Value::Object(headers)) = monitor.get_mut("customHttpHeaders").filter(|_| has_body) {
            headers.insert("Content-Type".to_owned(), json!("application/json"));
        }
    }

    /// A tag is there once a monitor names it.
    fn tags_of(&mut self, names: &Value) -> Value {
        let mut tags = Vec::new();
        for name in names.as_array().into_iter().flatten().filter_map(Value::as_str) {
            let is_named = |known: &Option<String>| known.as_deref() == Some(name);
            let at = self.tags.iter().position(is_named).unwrap_or_else(|| {
                self.tags.push(Some(name.to_owned()));
                self.tags.len() - 1
            });
            tags.push(json!({ "id": at + 1, "name": name, "color": "#3bd671" }));
        }
        json!(tags)
    }
}

/// A config is merged key by key: null removes a key, null for the whole clears it.
fn merged(before: Option<&Value>, sent: &Value) -> Value {
    let Value::Object(sent) = sent else { return Value::Null };
    let mut config = before.and_then(Value::as_object).cloned().unwrap_or_default();
    for (key, value) in sent {
        if value.is_null() {
            config.remove(key);
        } else if key == "dnsRecords" {
            // Types that are not sent stay; an empty list clears one.
            let mut records = config.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
            records.extend(value.as_object().cloned().unwrap_or_default());
            records.retain(|_, data| data.as_array().is_some_and(|data| !data.is_empty()));
            config.insert(key.clone(), Value::Object(records));
        } else {
            config.insert(key.clone(), value.clone());
        }
    }
    if config.is_empty() {
        Value::Null
    } else {
        Value::Object(config)
    }
}

/// Whether an address is one that nobody outside reaches.
fn is_private(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(host) => host.split(']').next(),
        None => authority.split(':').next(),
    };
    let host = host.unwrap_or_default();
    match host.parse() {
        Ok(IpAddr::V4(address)) => address.is_private() || address.is_loopback() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// What the validator finds wrong. `method` is what the monitor asks with until now.
fn validated(kind: &str, body: &Map<String, Value>, method: Option<&Value>) -> Vec<String> {
    let mut wrong = Vec::new();
    for key in body.keys().filter(|key| !FIELDS.contains(&key.as_str())) {
        wrong.push(format!("property {key} should not exist"));
    }
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    if text("friendlyName").is_some_and(|name| name.is_empty() || name.chars().count() > 250) {
        wrong.push("friendlyName must be shorter than or equal to 250 characters".to_owned());
    }
    if let Some(url) = text("url") {
        let has_scheme = url.starts_with("http://") || url.starts_with("https://");
        if matches!(kind, "HTTP" | "KEYWORD" | "API") && !has_scheme {
            wrong.push("url must be a URL address".to_owned());
        }
    }
    for (key, least, most) in [
        ("timeout", 0, 60),
        ("interval", 15, 2_678_400),
        ("port", 1, 65_535),
        ("gracePeriod", 0, 86_400),
    ] {
        let value = body.get(key).filter(|value| !value.is_null());
        if value.is_some_and(|value| value.as_u64().is_none_or(|number| number < least || number > most)) {
            wrong.push(format!("{key} must not be less than {least} or greater than {most}"));
        }
    }
    let methods = ["HEAD", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"];
    if text("httpMethodType").is_some_and(|method| !methods.contains(&method)) {
        wrong.push("httpMethodType must be one of the following values: HEAD, GET, POST, …".to_owned());
    }
    if text("keywordType").is_some_and(|when| !["ALERT_EXISTS", "ALERT_NOT_EXISTS"].contains(&when)) {
        wrong.push("keywordType must be one of the following values: ALERT_EXISTS, ALERT_NOT_EXISTS".to_owned());
    }
    if text("keywordValue").is_some_and(|value| value.chars().count() > 500) {
        wrong.push("keywordValue must be shorter than or equal to 500 characters".to_owned());
    }
    let days = body
        .get("config")
        .and_then(|config| config.get("sslExpirationPeriodDays"))
        .and_then(Value::as_array);
    if days.is_some_and(|days| days.len() > 10 || days.iter().any(|day| day.as_u64().is_none_or(|day| day > 365))) {
        wrong.push("config.sslExpirationPeriodDays must contain at most 10 integers up to 365".to_owned());
    }
    let has = |key: &str| body.get("config").is_some_and(|config| !config[key].is_null());
    for (key, kinds) in [
        ("dnsRecords", &["DNS"][..]),
        ("sslExpirationPeriodDays", &["HTTP", "KEYWORD", "API"]),
        ("applicationErrorRetries", &["HTTP", "KEYWORD", "API"]),
    ] {
        if has(key) && !kinds.contains(&kind) {
            wrong.push(format!("config.property {key} should not exist"));
        }
    }
    let data = body.get("postValueData").filter(|data| !data.is_null());
    // Of whatever no method was said, it is HEAD.
    let unsaid = if kind == "API" { "GET" } else { "HEAD" };
    let method = text("httpMethodType")
        .or(method.and_then(Value::as_str))
        .unwrap_or(unsaid);
    if data.is_some() && method == "HEAD" {
        wrong.push("postValueData cannot be used with HEAD".to_owned());
    }
    if data.is_some() && !["KEY_VALUE", "RAW_JSON"].contains(&text("postValueType").unwrap_or_default()) {
        wrong.push("postValueType must be one of the following values: KEY_VALUE, RAW_JSON".to_owned());
    }
    let headers = body.get("customHttpHeaders").filter(|headers| !headers.is_null());
    if headers.is_some_and(|headers| headers.to_string().len() > 3_000) {
        wrong.push("customHttpHeaders must be shorter than or equal to 3000 characters".to_owned());
    }
    let retries = body
        .get("config")
        .and_then(|config| config.get("applicationErrorRetries"))
        .filter(|retries| !retries.is_null());
    if retries.is_some_and(|retries| retries.as_u64().is_none_or(|retries| retries > 3)) {
        wrong.push("config.applicationErrorRetries must not be greater than 3".to_owned());
    }
    let tags = body.get("tagNames").and_then(Value::as_array);
    let is_tag = |tag: &Value| {
        tag.as_str()
            .is_some_and(|tag| tag.len() <= 50 && tag.is_ascii() && !tag.bytes().any(|b| b.is_ascii_uppercase()))
    };
    if tags.is_some_and(|tags| tags.len() > 20 || !tags.iter().all(is_tag)) {
        wrong.push("tagNames must hold at most 20 tags of 50 lower-case characters".to_owned());
    }
    for entry in body
        .get("assignedAlertContacts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let is_number = |key: &str| entry.get(key).is_some_and(Value::is_u64);
        if !["alertContactId", "threshold", "recurrence"]
            .iter()
            .all(|key| is_number(key))
        {
            wrong.push("assignedAlertContacts.alertContactId must be an integer number".to_owned());
        }
    }
    wrong
}
