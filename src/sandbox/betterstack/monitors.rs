//! Monitors: what the validator takes, what the plan has, and how what was sent reads back (facts B3, B6, B7).

use serde_json::{Map, Value, json};

use super::{Account, Answer, Done, Kept, Paid, Refusal, id_of, position, shown};
use crate::sandbox::query::Query;

const TYPES: [&str; 12] = [
    "status",
    "expected_status_code",
    "keyword",
    "keyword_absence",
    "ping",
    "tcp",
    "udp",
    "smtp",
    "pop",
    "imap",
    "dns",
    "playwright",
];

/// Those that ask over HTTP.
const OVER_HTTP: [&str; 4] = ["status", "expected_status_code", "keyword", "keyword_absence"];

/// What may be sent.
const FIELDS: [&str; 42] = [
    "team_name",
    "monitor_type",
    "url",
    "pronounceable_name",
    "check_frequency",
    "confirmation_period",
    "recovery_period",
    "request_timeout",
    "http_method",
    "request_headers",
    "request_body",
    "auth_username",
    "auth_password",
    "follow_redirects",
    "remember_cookies",
    "verify_ssl",
    "expected_status_codes",
    "required_keyword",
    "port",
    "regions",
    "ssl_expiration",
    "domain_expiration",
    "policy_id",
    "expiration_policy_id",
    "email",
    "sms",
    "call",
    "push",
    "critical_alert",
    "team_wait",
    "monitor_group_id",
    "ip_version",
    "proxy_host",
    "proxy_port",
    "maintenance_from",
    "maintenance_to",
    "maintenance_timezone",
    "maintenance_days",
    "paused",
    "playwright_script",
    "scenario_name",
    "environment_variables",
];

const FREQUENCIES: [u64; 9] = [30, 45, 60, 120, 180, 300, 600, 900, 1800];
const CONFIRMATIONS: [u64; 9] = [0, 5, 10, 15, 30, 60, 120, 180, 300];
const RECOVERIES: [u64; 8] = [0, 60, 180, 300, 900, 1800, 3600, 7200];
const SECONDS: [u64; 8] = [2, 3, 5, 10, 15, 30, 45, 60];
const MILLISECONDS: [u64; 5] = [500, 1000, 2000, 3000, 5000];
const EXPIRIES: [u64; 7] = [1, 2, 3, 7, 14, 30, 60];
const REGIONS: [&str; 4] = ["us", "eu", "as", "au"];
const METHODS: [&str; 5] = ["get", "head", "post", "put", "patch"];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Zones that Rails has a name for. IANA's names are none of them.
const ZONES: [&str; 68] = [
    "UTC",
    "Pacific Time (US & Canada)",
    "Mountain Time (US & Canada)",
    "Arizona",
    "Central Time (US & Canada)",
    "Eastern Time (US & Canada)",
    "Atlantic Time (Canada)",
    "Mexico City",
    "Bogota",
    "Lima",
    "Caracas",
    "Santiago",
    "Brasilia",
    "Buenos Aires",
    "Alaska",
    "Hawaii",
    "Dublin",
    "Edinburgh",
    "London",
    "Lisbon",
    "Madrid",
    "Paris",
    "Brussels",
    "Amsterdam",
    "Copenhagen",
    "Berlin",
    "Bern",
    "Zurich",
    "Rome",
    "Vienna",
    "Prague",
    "Bratislava",
    "Budapest",
    "Belgrade",
    "Warsaw",
    "Stockholm",
    "Helsinki",
    "Tallinn",
    "Riga",
    "Vilnius",
    "Athens",
    "Sofia",
    "Bucharest",
    "Istanbul",
    "Kyiv",
    "Moscow",
    "Cairo",
    "Casablanca",
    "Nairobi",
    "Pretoria",
    "Jerusalem",
    "Riyadh",
    "Abu Dhabi",
    "Karachi",
    "New Delhi",
    "Mumbai",
    "Bangkok",
    "Jakarta",
    "Singapore",
    "Hong Kong",
    "Beijing",
    "Seoul",
    "Tokyo",
    "Perth",
    "Melbourne",
    "Sydney",
    "Auckland",
    "Wellington",
];

/// What the filters of a list let through.
pub(super) fn filtered(all: &[Kept], query: &Query) -> Vec<Kept> {
    let fits = |kept: &&Kept| {
        ["url", "pronounceable_name"].iter().all(|key| {
            let wanted = query.get(key);
            wanted.is_none_or(|wanted| kept.fields.get(*key).and_then(Value::as_str) == Some(wanted))
        })
    };
    all.iter().filter(fits).cloned().collect()
}

fn text<'v>(fields: &'v Map<String, Value>, key: &str) -> &'v str {
    fields.get(key).and_then(Value::as_str).unwrap_or_default()
}

impl Account {
    /// A monitor of which nothing was said, as it reads.
    pub(super) fn defaults_of_a_monitor(&self) -> Map<String, Value> {
        let value = json!({
            "url": "", "pronounceable_name": "", "monitor_type": "status", "monitor_group_id": null,
            "last_checked_at": null, "status": "pending", "policy_id": null, "expiration_policy_id": null,
            "team_name": self.team, "required_keyword": null, "verify_ssl": true, "check_frequency": 180, "call": false,
            "sms": false, "email": true, "push": true, "critical_alert": false, "team_wait": null, "http_method": "get",
            "request_timeout": 30, "recovery_period": 180, "request_headers": [], "request_body": "",
            "auth_username": "", "auth_password": "", "follow_redirects": true, "remember_cookies": true,
            "created_at": "2026-09-21T09:10:00.000Z", "updated_at": "2026-09-21T09:10:00.000Z",
            "ssl_expiration": null, "domain_expiration": null, "regions": ["us", "eu", "as", "au"],
            "maintenance_from": null, "maintenance_to": null, "maintenance_timezone": "UTC", "maintenance_days": [],
            "port": null, "paused_at": null, "confirmation_period": 0, "expected_status_codes": [], "ip_version": null,
        });
        value.as_object().cloned().unwrap_or_default()
    }

    pub(super) fn create_monitor(&mut self, body: &Map<String, Value>) -> Answer {
        for key in ["monitor_type", "url"] {
            if text(body, key).is_empty() {
                return Err(Refusal::field(key, "can't be blank"));
            }
        }
        if self.paid == Paid::Free && self.monitors.len() + self.heartbeats.len() >= 10 {
            return Err(self.over_the_plan("Your current plan allows 10 monitors"));
        }
        let mut monitor = self.defaults_of_a_monitor();
        if !OVER_HTTP.contains(&text(body, "monitor_type")) {
            monitor.insert("request_timeout".to_owned(), json!(5000));
        }
        let url = text(body, "url");
        let host = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or_default();
        monitor.insert("pronounceable_name".to_owned(), json!(host));
        self.write(&mut monitor, body)?;
        let kept = Kept {
            id: self.next_id(),
            fields: monitor,
        };
        let answer = json!({ "data": shown(&kept, self.word_for_a_monitor()) });
        self.monitors.push(kept);
        Ok(Done::Json(201, answer))
    }

    pub(super) fn patch_monitor(&mut self, id: &str, body: &Map<String, Value>) -> Answer {
        let at = position(&self.monitors, id)?;
        let mut monitor = self.monitors[at].fields.clone();
        self.write(&mut monitor, body)?;
        self.monitors[at].fields = monitor;
        let kind = self.word_for_a_monitor();
        Ok(Done::Json(200, json!({ "data": shown(&self.monitors[at], kind) })))
    }

    /// A check was made meanwhile.
    pub(super) fn let_time_pass(&mut self) {
        for monitor in &mut self.monitors {
            if text(&monitor.fields, "status") == "pending" {
                monitor.fields.insert("status".to_owned(), json!("up"));
            }
        }
    }

    pub(super) fn over_the_plan(&self, words: &str) -> Refusal {
        if self.modes.is_otherwise {
            return Refusal::Said(403, words.to_owned());
        }
        Refusal::field("base", words)
    }

    /// Writes what was sent and nothing else, and judges the whole.
    fn write(&mut self, monitor: &mut Map<String, Value>, body: &Map<String, Value>) -> Result<(), Refusal> {
        if let Some(unknown) = body.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            return Err(Refusal::field(unknown, "is not an attribute"));
        }
        for (key, value) in body {
            match key.as_str() {
                "team_name" | "playwright_script" | "scenario_name" | "environment_variables" => {}
                "request_headers" => {
                    let headers = self.headers(&monitor["request_headers"], value)?;
                    monitor.insert(key.clone(), headers);
                }
                "http_method" => {
                    let method = value.as_str().unwrap_or_default().to_ascii_lowercase();
                    monitor.insert(key.clone(), json!(method));
                }
                "paused" => silence(monitor, value),
                "regions" => {
                    // The service's order, not the client's.
                    let mut regions = value.as_array().cloned().unwrap_or_default();
                    regions.sort_by_key(ToString::to_string);
                    monitor.insert(key.clone(), json!(regions));
                }
                _ => {
                    monitor.insert(key.clone(), value.clone());
                }
            }
        }
        self.allowed(monitor)?;
        valid(monitor)?;
        for key in ["policy_id", "expiration_policy_id"] {
            let Some(value) = monitor.get(key).filter(|value| !value.is_null()).cloned() else {
                continue;
            };
            let known = id_of(&value).filter(|id| self.policies.iter().any(|policy| policy.id == *id));
            let id = known.ok_or_else(|| Refusal::field(key, "doesn't exist"))?;
            // One is shown as a text and the other as a number; which of the two is not settled.
            let is_text = (key == "policy_id") != self.modes.is_otherwise;
            monitor.insert(key.to_owned(), if is_text { json!(id.to_string()) } else { json!(id) });
        }
        Ok(())
    }

    /// What is paid for (facts B6).
    fn allowed(&self, monitor: &Map<String, Value>) -> Result<(), Refusal> {
        if self.paid == Paid::Responder {
            return Ok(());
        }
        if text(monitor, "monitor_type").starts_with("keyword") {
            return Err(self.over_the_plan("Your current plan doesn't include keyword monitors"));
        }
        let paid_for = &FREQUENCIES[4..];
        match monitor.get("check_frequency").and_then(Value::as_u64) {
            Some(every) if every < 180 => Err(Refusal::Values("check_frequency", json!(paid_for))),
            _ => Ok(()),
        }
    }

    /// Entries with an id are those that are there: they can be removed and not changed. What has none is added.
    fn headers(&mut self, before: &Value, sent: &Value) -> Result<Value, Refusal> {
        let mut headers = before.as_array().cloned().unwrap_or_default();
        let sent = sent.as_array().ok_or_else(Refusal::nothing_said)?;
        for entry in sent.iter().filter(|entry| !entry["id"].is_null()) {
            let at = headers.iter().position(|known| known["id"] == entry["id"]);
            let at = at.ok_or_else(Refusal::nothing_said)?;
            let is_gone =
                ["true", "1"].iter().any(|word| entry["_destroy"] == json!(word)) || entry["_destroy"] == json!(true);
            if is_gone {
                headers.remove(at);
            } else if ["name", "value"].iter().any(|key| headers[at][key] != entry[key]) {
                return Err(Refusal::nothing_said());
            }
        }
        for entry in sent.iter().filter(|entry| entry["id"].is_null()) {
            let (Some(name), Some(value)) = (entry["name"].as_str(), entry["value"].as_str()) else {
                return Err(Refusal::nothing_said());
            };
            let is_there = |known: &Value| {
                let name_there = known["name"].as_str().unwrap_or_default();
                name_there.eq_ignore_ascii_case(name) && known["value"] != json!(value)
            };
            if headers.iter().any(is_there) {
                return Err(Refusal::nothing_said());
            }
            let id = self.next_id();
            headers.push(json!({ "id": id.to_string(), "name": name, "value": value }));
        }
        Ok(json!(headers))
    }
}

/// Pausing is written as a flag and read as a time and a status.
pub(super) fn silence(fields: &mut Map<String, Value>, paused: &Value) {
    let rests = paused == &json!(true);
    let since = if rests {
        json!("2026-09-21T09:10:00.000Z")
    } else {
        Value::Null
    };
    fields.insert("paused_at".to_owned(), since);
    fields.insert("status".to_owned(), json!(if rests { "paused" } else { "pending" }));
}

/// One window a day, on some days of the week, in a zone by its Rails name.
pub(super) fn has_good_window(fields: &Map<String, Value>) -> Result<(), Refusal> {
    let days = fields.get("maintenance_days").and_then(Value::as_array);
    if !days
        .into_iter()
        .flatten()
        .all(|day| DAYS.iter().any(|known| day == known))
    {
        return Err(Refusal::Values("maintenance_days", json!(DAYS)));
    }
    if !ZONES.contains(&text(fields, "maintenance_timezone")) {
        return Err(Refusal::field("maintenance_timezone", "is not included in the list"));
    }
    let is_time = |text: &str| {
        let parts: Vec<Option<u8>> = text.split(':').map(|part| part.parse().ok()).collect();
        matches!(parts.as_slice(), [Some(0..=23), Some(0..=59), Some(0..=59)])
    };
    for key in ["maintenance_from", "maintenance_to"] {
        if !fields.get(key).is_none_or(Value::is_null) && !is_time(text(fields, key)) {
            return Err(Refusal::field(key, "is invalid"));
        }
    }
    Ok(())
}

/// What is wrong with a monitor by itself.
fn valid(monitor: &Map<String, Value>) -> Result<(), Refusal> {
    let kind = text(monitor, "monitor_type");
    if !TYPES.contains(&kind) {
        return Err(Refusal::Values("monitor_type", json!(TYPES)));
    }
    let is_web = OVER_HTTP.contains(&kind);
    let is_in = |key: &str, allowed: &[u64]| {
        monitor
            .get(key)
            .and_then(Value::as_u64)
            .is_some_and(|number| allowed.contains(&number))
    };
    let timeouts: &[u64] = if is_web { &SECONDS } else { &MILLISECONDS };
    for (key, allowed) in [
        ("check_frequency", FREQUENCIES.as_slice()),
        ("confirmation_period", &CONFIRMATIONS),
        ("recovery_period", &RECOVERIES),
        ("request_timeout", timeouts),
    ] {
        if kind != "playwright" && !is_in(key, allowed) {
            return Err(Refusal::Values(key, json!(allowed)));
        }
    }
    for key in ["ssl_expiration", "domain_expiration"] {
        if !monitor.get(key).is_none_or(Value::is_null) && !is_in(key, &EXPIRIES) {
            return Err(Refusal::Values(key, json!(EXPIRIES)));
        }
    }
    let list = |key: &str| monitor.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    if !list("regions")
        .iter()
        .all(|region| REGIONS.iter().any(|known| region == known))
        || list("regions").is_empty()
    {
        return Err(Refusal::Values("regions", json!(REGIONS)));
    }
    has_good_window(monitor)?;
    if !METHODS.contains(&text(monitor, "http_method")) {
        return Err(Refusal::Values("http_method", json!(METHODS)));
    }
    let codes = list("expected_status_codes");
    let is_code = |code: &Value| code.as_u64().is_some_and(|code| (100..600).contains(&code));
    if !codes.iter().all(is_code) || (kind == "expected_status_code") == codes.is_empty() {
        return Err(Refusal::field("expected_status_codes", "are invalid"));
    }
    let needs_keyword = matches!(kind, "keyword" | "keyword_absence" | "udp");
    if needs_keyword == text(monitor, "required_keyword").is_empty() {
        return Err(Refusal::field("required_keyword", "is invalid"));
    }
    let has_port = monitor
        .get("port")
        .and_then(Value::as_str)
        .and_then(|port| port.parse::<u16>().ok())
        .is_some_and(|port| port > 0);
    if matches!(kind, "tcp" | "udp") && !has_port {
        return Err(Refusal::field("port", "is invalid"));
    }
    if kind == "dns" && text(monitor, "request_body").is_empty() {
        return Err(Refusal::field("request_body", "can't be blank"));
    }
    let has_scheme = ["http://", "https://"]
        .iter()
        .any(|scheme| text(monitor, "url").starts_with(scheme));
    if is_web && !has_scheme {
        return Err(Refusal::field("url", "is invalid"));
    }
    Ok(())
}
