//! An account at UptimeRobot as its v3 API shows it (facts A1 to A8): other names out than in, defaults filled in, lists
//! that lag behind writes when a test asks for it. Written from the facts and not from the client.

mod contacts;
mod monitors;
#[cfg(test)]
mod tests;
mod windows;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::SANDBOX_TOKEN;
use super::envelope::Reply;
use super::faults::Wire;
use super::query::Query;
use super::router::Asked;
use super::world::Budget;

/// The name by which specs call the service.
pub const NAME: &str = "uptimerobot";
/// What every path begins with.
pub(super) const BASE: &str = "/uptimerobot/v3";

/// Ids begin past 2^31: a client that keeps them in 32 bits is found out.
const FIRST_ID: u64 = 5_804_045_264;

/// What is paid for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Paid {
    /// Nothing.
    Free,
    /// The smallest paid plan.
    #[default]
    Solo,
    /// The one in the middle.
    Team,
    /// By contract.
    Enterprise,
}

impl Paid {
    fn least_interval(self) -> u64 {
        match self {
            Self::Free => 300,
            Self::Solo | Self::Team => 60,
            Self::Enterprise => 30,
        }
    }
}

/// An account.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    owner: String,
    paid: Paid,
    limit: usize,
    monitors: Vec<Map<String, Value>>,
    contacts: Vec<Map<String, Value>>,
    integrations: Vec<Map<String, Value>>,
    windows: Vec<Map<String, Value>>,
    groups: Vec<Map<String, Value>>,
    /// Tags by the order in which they were first named; a number is their id, and that of a deleted one stays free.
    tags: Vec<Option<String>>,
    made: u64,
    #[serde(skip)]
    modes: Modes,
}

/// How it behaves where that is not settled, or when a test asks for it.
#[derive(Debug, Default)]
struct Modes {
    budget: Budget,
    /// How many reads after a write still show what was before.
    stale: usize,
    past: Option<(Vec<Map<String, Value>>, usize)>,
    /// Whether the copy that lags behind answers every second time only.
    is_flapping: bool,
    /// How many creates are stored and answered with «not found».
    lost_creates: usize,
    /// Where it is not settled: null on the last page, and resets as points in time.
    is_otherwise: bool,
    is_closed_to_private_targets: bool,
}

impl Default for Account {
    fn default() -> Self {
        let mut account = Self {
            owner: "owner@sandbox.example".to_owned(),
            paid: Paid::default(),
            limit: 50,
            monitors: Vec::new(),
            contacts: Vec::new(),
            integrations: Vec::new(),
            windows: Vec::new(),
            groups: Vec::new(),
            tags: Vec::new(),
            made: 0,
            modes: Modes::default(),
        };
        account.add_contact("Email", "owner@sandbox.example", "Owner", "Active");
        account
    }
}

/// A refusal, in one of the API's two shapes.
#[derive(Debug, Clone, PartialEq)]
enum Refusal {
    /// With a code of the service.
    Coded(u16, &'static str, String),
    /// What the validator says: one message, or several.
    Invalid(Vec<String>),
    /// What the framework says.
    Framework(u16, String),
    /// Without JSON.
    Plain(u16, &'static str),
}

impl Refusal {
    fn not_found(what: &str) -> Self {
        Self::Coded(404, "000-004", format!("{what} not found"))
    }

    fn no_integration() -> Self {
        Self::Coded(404, "021-005", "Integration not found".to_owned())
    }

    fn not_in_plan() -> Self {
        let words = "You are not allowed to use some settings with your current plan";
        Self::Coded(403, "009-005", words.to_owned())
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let (status, body) = match refusal {
            Refusal::Coded(status, code, message) => (status, json!({ "message": message, "code": code })),
            Refusal::Invalid(messages) => {
                let message = match messages.as_slice() {
                    [one] => json!(one),
                    several => json!(several),
                };
                (
                    400,
                    json!({ "message": message, "error": "Bad Request", "statusCode": 400 }),
                )
            }
            Refusal::Framework(status, message) => {
                let error = if status == 404 { "Not Found" } else { "Error" };
                (
                    status,
                    json!({ "message": message, "error": error, "statusCode": status }),
                )
            }
            Refusal::Plain(status, text) => return Reply::raw(status, "text/plain; charset=utf-8", text),
        };
        Reply::raw(status, "application/json; charset=utf-8", body.to_string())
    }
}

/// What a request comes to when it is not refused.
enum Done {
    Json(u16, Value),
    Empty(u16),
}

impl Account {
    /// What is paid for, and how many monitors that is good for.
    pub fn pay(&mut self, paid: Paid, monitors: usize) {
        self.paid = paid;
        self.limit = monitors;
    }

    /// Whose it is.
    pub fn belong_to(&mut self, owner: &str) {
        owner.clone_into(&mut self.owner);
    }

    /// Becomes a copy of an account: its owner, its plan, and its lists under the names that their paths have.
    pub fn become_copy(&mut self, copy: &Value) {
        let text = |key: &str| {
            copy.get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_ascii_lowercase()
        };
        self.belong_to(copy.get("owner").and_then(Value::as_str).unwrap_or_default());
        let plan = text("plan");
        let plans = [
            ("free", Paid::Free),
            ("team", Paid::Team),
            ("enterprise", Paid::Enterprise),
        ];
        let known = plans.iter().find(|(word, _)| plan.contains(word));
        self.paid = known.map_or(Paid::Solo, |(_, paid)| *paid);
        if let Some(most) = copy.get("most").and_then(Value::as_u64) {
            self.limit = usize::try_from(most).unwrap_or(usize::MAX);
        }
        let list = |name: &str| {
            let entries = copy
                .get("lists")
                .and_then(|lists| lists.get(name))
                .and_then(Value::as_array);
            let mut entries: Vec<Value> = entries.cloned().unwrap_or_default();
            // Lists are in the order of ids.
            entries.sort_by_key(|entry| entry.get("id").and_then(Value::as_u64));
            entries
        };
        let whole = |name: &str| {
            list(name)
                .iter()
                .filter_map(|entry| entry.as_object().cloned())
                .collect()
        };
        self.contacts = whole("alert-contacts");
        self.integrations = whole("integrations");
        (self.monitors, self.windows) = (Vec::new(), Vec::new());
        for entry in list("monitors") {
            self.add_monitor(&entry);
        }
        for entry in list("maintenance-windows") {
            self.add_window(&entry);
        }
        let highest = ["alert-contacts", "integrations", "monitors", "maintenance-windows"]
            .iter()
            .flat_map(|name| list(name))
            .filter_map(|entry| entry.get("id").and_then(Value::as_u64))
            .max();
        // New ids come after all that are there.
        self.made = highest.unwrap_or_default().saturating_sub(FIRST_ID) / 37 + 1;
    }

    /// Adds a monitor as it reads, whoever made it, and returns its id.
    pub fn add_monitor(&mut self, fields: &Value) -> u64 {
        let id = self.next_id();
        let mut monitor = monitors::defaults(id);
        if let Value::Object(fields) = fields {
            monitor.extend(fields.clone());
        }
        self.monitors.push(monitor);
        id
    }

    /// Adds a personal contact and returns its id.
    pub fn add_contact(&mut self, kind: &str, value: &str, name: &str, status: &str) -> u64 {
        let id = self.next_id();
        let contact = json!({
            "id": id, "type": kind, "value": value, "friendlyName": name, "status": status,
            "enableNotificationsFor": "UpAndDown", "sslExpirationReminder": true,
        });
        self.contacts.extend(contact.as_object().cloned());
        id
    }

    /// Removes a personal contact, as somebody at the dashboard would.
    pub fn remove_contact(&mut self, id: u64) {
        self.contacts.retain(|contact| !is(contact, &id.to_string()));
    }

    /// Adds an integration as it reads, and returns its id.
    pub fn add_integration(&mut self, kind: &str, value: &str, name: &str) -> u64 {
        let id = self.next_id();
        let integration = json!({
            "id": id, "type": kind, "value": value, "friendlyName": name, "customValue": "", "status": "Active",
            "enableNotificationsFor": "UpAndDown", "sslExpirationReminder": true,
        });
        self.integrations.extend(integration.as_object().cloned());
        id
    }

    /// Monitors, personal contacts and integrations as lists show them.
    pub fn contents(&self) -> [Vec<Value>; 3] {
        let whole = |all: &[Map<String, Value>]| all.iter().cloned().map(Value::Object).collect();
        [whole(&self.monitors), whole(&self.contacts), whole(&self.integrations)]
    }

    /// Changes monitors as somebody at the dashboard would.
    pub fn with_monitors<T>(&mut self, f: impl FnOnce(&mut Vec<Map<String, Value>>) -> T) -> T {
        f(&mut self.monitors)
    }

    /// After each write so many reads still show what was before.
    pub fn lag(&mut self, reads: usize) {
        self.modes.stale = reads;
    }

    /// After each write, every second read of so many shows what was before: two copies answer in turns.
    pub fn flap(&mut self, reads: usize) {
        self.modes.stale = reads;
        self.modes.is_flapping = true;
    }

    /// The next creates are stored and answered with 404.
    pub fn lose_creates(&mut self, creates: usize) {
        self.modes.lost_creates = creates;
    }

    /// Refuses with 429 after so many requests in a window.
    pub fn set_rate_limit(&mut self, requests: usize, window: Duration) {
        self.modes.budget = Budget::of(requests, window);
    }

    /// Behaves in the other way where it is not settled how: null on the last page, and resets as points in time.
    pub fn behave_otherwise(&mut self) {
        self.modes.is_otherwise = true;
    }

    /// Refuses targets that are private, as the service does.
    pub fn close_to_private_targets(&mut self) {
        self.modes.is_closed_to_private_targets = true;
    }

    fn next_id(&mut self) -> u64 {
        self.made += 1;
        // Not one after the other: nobody is to guess them.
        FIRST_ID + self.made * 37
    }

    /// Answers a request.
    pub(super) fn answer(&mut self, asked: &Asked) -> Reply {
        if let Err(refusal) = admit(asked) {
            // Refused before they are counted: without the headers of the budget.
            return Reply {
                headers: Some(Vec::new()),
                ..refusal.into()
            };
        }
        let left = self.modes.budget.take(Instant::now());
        let mut headers = self.budget_headers(left.quota, left.requests, left.reset);
        if !left.is_granted {
            headers.push(("retry-after", left.reset.max(1).to_string()));
            return Reply {
                headers: Some(headers),
                ..Refusal::Plain(429, "ThrottlerException: Too Many Requests").into()
            };
        }
        let reply = match self.dispatch(asked) {
            Ok(Done::Json(status, value)) => Reply::raw(status, "application/json; charset=utf-8", value.to_string()),
            Ok(Done::Empty(status)) => Reply::raw(status, "text/plain; charset=utf-8", ""),
            Err(refusal) => refusal.into(),
        };
        Reply {
            headers: Some(headers),
            ..reply
        }
    }

    fn budget_headers(&self, quota: usize, left: usize, reset: u64) -> Vec<(&'static str, String)> {
        let (quota, left) = if self.modes.budget.is_enforced() {
            (quota, left)
        } else {
            (5_000, 4_999)
        };
        let reset = if self.modes.is_otherwise {
            u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default() + reset
        } else {
            reset
        };
        vec![
            ("x-ratelimit-limit", quota.to_string()),
            ("x-ratelimit-remaining", left.to_string()),
            ("x-ratelimit-reset", reset.to_string()),
        ]
    }

    fn dispatch(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let path = asked.path.strip_prefix(BASE).unwrap_or_default();
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let body: Map<String, Value> = serde_json::from_slice(&asked.body).unwrap_or_default();
        let query = Query::parse(&asked.query);
        match (asked.method.as_str(), segments.as_slice()) {
            ("GET", ["user", "me"]) => Ok(Done::Json(200, self.me())),
            ("GET", ["tags"]) => Ok(Done::Json(200, self.list_tags())),
            ("DELETE", ["tags", id]) => self.delete_tag(id),
            ("GET", ["monitors"]) => {
                let shown = self.monitors_as_read();
                let shown = monitors::filtered(shown, &query);
                self.page(&shown, &query, asked).map(|page| Done::Json(200, page))
            }
            ("POST", ["monitors"]) => self.create_monitor(&body),
            ("GET", ["monitors", id]) => {
                let shown = self.monitors_as_read();
                one(&shown, id, || Refusal::not_found("Monitor"))
            }
            ("PATCH", ["monitors", id]) => self.patch_monitor(id, &body),
            ("DELETE", ["monitors", id]) => self.delete_monitor(id),
            ("POST", ["monitors", "bulk", action @ ("pause" | "start" | "update")]) => Ok(self.bulk(action, &body)),
            ("GET", ["maintenance-windows"]) => self
                .page(&self.windows, &query, asked)
                .map(|page| Done::Json(200, page)),
            ("POST", ["maintenance-windows"]) => self.create_window(&body),
            ("PATCH", ["maintenance-windows", id]) => self.patch_window(id, &body),
            ("DELETE", ["maintenance-windows", id]) => self.delete_window(id),
            ("GET", ["monitor-groups"]) => self.page(&self.groups, &query, asked).map(|page| Done::Json(200, page)),
            ("POST", ["monitor-groups"]) => self.create_group(&body),
            ("GET", ["monitor-groups", id]) => one(&self.groups, id, || Refusal::not_found("Monitor group")),
            ("GET", ["maintenance-windows", id]) => one(&self.windows, id, || Refusal::not_found("Maintenance window")),
            ("GET", ["alert-contacts", id]) => one(&self.contacts, id, || Refusal::not_found("Alert contact")),
            ("GET", ["integrations", id]) => one(&self.integrations, id, Refusal::no_integration),
            ("PATCH", ["monitor-groups", id]) => self.patch_group(id, &body),
            ("DELETE", ["monitor-groups", id]) => self.delete_group(id, query.get("monitorsNewGroupId")),
            ("GET", ["user", "alert-contacts"]) => Ok(Done::Json(200, json!(self.contacts))),
            ("GET", ["user", "all-alert-contacts"]) => {
                let all: Vec<_> = self.contacts.iter().chain(&self.integrations).collect();
                Ok(Done::Json(200, json!(all)))
            }
            ("POST", ["monitors", id, action @ ("pause" | "start")]) => self.rest(id, *action == "pause"),
            ("GET", ["alert-contacts"]) => self
                .page(&self.contacts, &query, asked)
                .map(|page| Done::Json(200, page)),
            ("GET", ["integrations"]) => self
                .page(&self.integrations, &query, asked)
                .map(|page| Done::Json(200, page)),
            ("POST", ["alert-contacts"]) => self.create_contact(&body),
            ("POST", ["integrations"]) => self.create_integration(&body),
            ("PATCH", ["integrations", id]) => self.patch_integration(id, &body),
            ("DELETE", [list @ ("alert-contacts" | "integrations"), id]) => self.delete_contact(list, id),
            (method, _) => Err(Refusal::Framework(404, format!("Cannot {method} /v3{path}"))),
        }
    }

    fn me(&self) -> Value {
        json!({
            "email": self.owner, "fullName": "Owner", "monitorsCount": self.monitors.len(),
            "monitorLimit": self.limit, "smsCredits": 0,
            "activeSubscription": { "plan": format!("{:?}", self.paid), "monitorLimit": self.limit },
        })
    }

    /// A page of a list: a full one always names a next one, so that the last may be empty.
    fn page(&self, all: &[Map<String, Value>], query: &Query, asked: &Asked) -> Result<Value, Refusal> {
        let limit = match query.get("limit").map(str::parse::<usize>) {
            None => 50,
            Some(Ok(limit @ 1..=200)) => limit,
            Some(_) => return Err(Refusal::Invalid(vec!["Limit must be between 1 and 200".to_owned()])),
        };
        let cursor = query.get("cursor").and_then(|cursor| cursor.parse::<u64>().ok());
        let id = |entry: &&Map<String, Value>| entry.get("id").and_then(Value::as_u64).unwrap_or_default();
        let after = all
            .iter()
            .filter(|entry| cursor.is_none_or(|cursor| id(entry) > cursor));
        let page: Vec<&Map<String, Value>> = after.take(limit).collect();
        let mut out = json!({ "data": page });
        match page.last() {
            Some(last) if page.len() == limit => {
                let path = asked.path.strip_prefix(BASE).unwrap_or_default();
                // Another host than the one that was asked: a client that follows it with its key is found out.
                let link = format!("https://elsewhere.invalid/v3{path}/?limit={limit}&cursor={}", id(last));
                out["nextLink"] = json!(link);
            }
            _ if self.modes.is_otherwise => out["nextLink"] = Value::Null,
            _ => {}
        }
        Ok(out)
    }

    fn list_tags(&self) -> Value {
        let tags = self.tags.iter().enumerate();
        let tags = tags.filter_map(|(at, name)| name.as_ref().map(|name| json!({ "id": at + 1, "name": name })));
        let tags: Vec<Value> = tags.collect();
        json!({ "data": tags, "nextCursorId": null })
    }

    fn delete_tag(&mut self, id: &str) -> Result<Done, Refusal> {
        let at = id.parse::<usize>().ok().and_then(|id| id.checked_sub(1));
        let name = at
            .and_then(|at| self.tags.get_mut(at)?.take())
            .ok_or_else(|| Refusal::not_found("Tag"))?;
        for monitor in &mut self.monitors {
            if let Some(Value::Array(tags)) = monitor.get_mut("tags") {
                tags.retain(|tag| tag.get("name").and_then(Value::as_str) != Some(name.as_str()));
            }
        }
        Ok(Done::Empty(204))
    }
}

/// The order of refusals is that of the service: the key, the form of what is sent.
fn admit(asked: &Asked) -> Result<(), Refusal> {
    let authorization = asked.credentials.authorization.as_deref().unwrap_or_default();
    let key = authorization.strip_prefix("Bearer ").unwrap_or_default();
    let is_read_only = key.starts_with("ur");
    if key != SANDBOX_TOKEN && !is_read_only {
        return Err(Refusal::Coded(401, "003-005", "Invalid token.".to_owned()));
    }
    if asked.method == "POST" && !asked.is_json {
        return Err(Refusal::Framework(415, "Unsupported Media Type".to_owned()));
    }
    if asked.is_write() && is_read_only {
        return Err(Refusal::Coded(403, "003-006", "Read-only key".to_owned()));
    }
    let is_json =
        asked.body.is_empty() || serde_json::from_slice::<Value>(&asked.body).is_ok_and(|body| body.is_object());
    if !is_json {
        return Err(Refusal::Invalid(vec!["Unexpected token in JSON".to_owned()]));
    }
    Ok(())
}

/// The entry with this id.
fn one(all: &[Map<String, Value>], id: &str, otherwise: impl FnOnce() -> Refusal) -> Result<Done, Refusal> {
    let found = all.iter().find(|entry| is(entry, id)).cloned();
    found
        .map(|entry| Done::Json(200, Value::Object(entry)))
        .ok_or_else(otherwise)
}

/// Whether an entry has this id.
fn is(entry: &Map<String, Value>, id: &str) -> bool {
    entry
        .get("id")
        .and_then(Value::as_u64)
        .is_some_and(|known| known.to_string() == id)
}

/// What a fault answers in place of the API.
pub(super) fn instead(wire: Wire) -> Reply {
    let reply: Reply = match wire {
        Wire::Gateway(status) => {
            let page = "<html><head><title>Bad Gateway</title></head><body></body></html>\n";
            Reply::raw(status, "text/html", page)
        }
        Wire::Html => Reply::raw(520, "text/html", "<!DOCTYPE html>\n<html><body>error</body></html>\n"),
        Wire::Garbage => Reply::raw(200, "application/json", "\u{fffd}not JSON at all\n"),
        Wire::TooMany(_) => Refusal::Plain(429, "ThrottlerException: Too Many Requests").into(),
        Wire::Forbidden => Refusal::not_in_plan().into(),
        _ => Refusal::Framework(500, "Internal server error".to_owned()).into(),
    };
    let headers = if let Wire::TooMany(wait) = wire {
        vec![("retry-after", wait.as_secs().to_string())]
    } else {
        Vec::new()
    };
    Reply {
        headers: Some(headers),
        ..reply
    }
}
