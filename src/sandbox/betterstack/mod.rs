//! An account at Better Stack as its uptime API shows it (facts B1 to B7): defaults filled in, lists in another order,
//! values out of closed lists, a next page that is said to be on another host. Written from the facts and not from the
//! client. What no source shows is strict on purpose.

mod heartbeats;
mod metadata;
mod monitors;
mod policies;
#[cfg(test)]
mod tests;
mod webhooks;

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
pub const NAME: &str = "betterstack";
/// What every path begins with.
pub(super) const BASE: &str = "/betterstack";

/// The host that a next page is said to be on, unless a test names another: a client that follows the link with its
/// token is found out.
const ELSEWHERE: &str = "https://elsewhere.invalid";

/// What ids begin after.
const FIRST_ID: u64 = 2_300_000;

/// What is paid for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Paid {
    /// Nothing: ten monitors and heartbeats, one check in three minutes, no keywords.
    Free,
    /// A responder.
    #[default]
    Responder,
}

/// Something with an id, and everything else of it as it reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    id: u64,
    fields: Map<String, Value>,
}

/// An account.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    team: String,
    paid: Paid,
    monitors: Vec<Kept>,
    heartbeats: Vec<Kept>,
    policies: Vec<Kept>,
    webhooks: Vec<Kept>,
    metadata: Vec<Kept>,
    made: u64,
    #[serde(skip)]
    modes: Modes,
}

/// How it behaves where that is not settled, or when a test asks for it.
#[derive(Debug, Default)]
struct Modes {
    budget: Budget,
    next_host: Option<String>,
    /// Whether the token is one of several teams.
    is_global: bool,
    /// How many writes of metadata fail.
    lost_metadata: usize,
    /// What the address of a heartbeat holds that nobody is to see.
    heartbeat_secret: Option<String>,
    /// Who is in the team, when that is asked.
    members: Option<Vec<String>>,
    /// Where it is not settled: another word for the type of a monitor, ids as numbers, and 403 over the plan.
    is_otherwise: bool,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            team: "Sandbox".to_owned(),
            paid: Paid::default(),
            monitors: Vec::new(),
            heartbeats: Vec::new(),
            policies: Vec::new(),
            webhooks: Vec::new(),
            metadata: Vec::new(),
            made: 0,
            modes: Modes::default(),
        }
    }
}

/// A refusal: `errors` is a text, or the fields, which may be none (facts B1).
#[derive(Debug, Clone, PartialEq)]
enum Refusal {
    /// With a text.
    Said(u16, String),
    /// What is wrong with fields; none at all where the service does not say.
    Fields(Map<String, Value>),
    /// A value that is in no list, with the list.
    Values(&'static str, Value),
    /// No such path.
    NoRoute,
}

impl Refusal {
    fn not_found() -> Self {
        Self::Said(404, "Resource with provided ID was not found".to_owned())
    }

    fn field(name: &str, words: &str) -> Self {
        Self::Fields(Map::from_iter([(name.to_owned(), json!([words]))]))
    }

    fn nothing_said() -> Self {
        Self::Fields(Map::new())
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let (status, body) = match refusal {
            Refusal::Said(status, words) => (status, json!({ "errors": words })),
            Refusal::Fields(fields) => (422, json!({ "errors": fields })),
            Refusal::Values(field, allowed) => (
                422,
                json!({
                    "errors": "Sorry, these attributes have unsupported values",
                    "allowed_values": { field: allowed },
                }),
            ),
            Refusal::NoRoute => return page(404, "The page you were looking for doesn't exist"),
        };
        Reply {
            headers: Some(Vec::new()),
            ..Reply::raw(status, "application/json; charset=utf-8", body.to_string())
        }
    }
}

/// A page for people.
fn page(status: u16, words: &str) -> Reply {
    let page = format!("<!DOCTYPE html>\n<html><head><title>{words} ({status})</title></head><body></body></html>\n");
    Reply {
        headers: Some(Vec::new()),
        ..Reply::raw(status, "text/html; charset=utf-8", page)
    }
}

/// What a request comes to when it is not refused.
enum Done {
    Json(u16, Value),
    Empty,
}

type Answer = Result<Done, Refusal>;

impl Account {
    /// What is paid for.
    pub fn pay(&mut self, paid: Paid) {
        self.paid = paid;
    }

    /// Adds a monitor as it reads, whoever made it, and returns its id.
    pub fn add_monitor(&mut self, fields: &Value) -> u64 {
        let id = self.next_id();
        let mut monitor = self.defaults_of_a_monitor();
        if let Value::Object(fields) = fields {
            monitor.extend(fields.clone());
        }
        self.monitors.push(Kept { id, fields: monitor });
        id
    }

    /// Becomes a copy of a team: its name, and its lists under the names that their paths have.
    pub fn become_copy(&mut self, copy: &Value) {
        if let Some(team) = copy.get("team").and_then(Value::as_str).filter(|team| !team.is_empty()) {
            team.clone_into(&mut self.team);
        }
        let list = |name: &str| {
            let entries = copy.get("lists").and_then(|lists| lists.get(name));
            let entries = entries.and_then(Value::as_array).cloned().unwrap_or_default();
            let with_id = |entry: Value| Some((entry.get("id").and_then(id_of)?, entry.as_object()?.clone()));
            let mut all: Vec<(u64, Map<String, Value>)> = entries.into_iter().filter_map(with_id).collect();
            all.sort_by_key(|(id, _)| *id);
            all
        };
        let over = |defaults: &dyn Fn(u64) -> Map<String, Value>, all: Vec<(u64, Map<String, Value>)>| {
            let kept = |(id, mut entry): (u64, Map<String, Value>)| {
                entry.remove("id");
                let mut fields = defaults(id);
                fields.extend(entry);
                Kept { id, fields }
            };
            all.into_iter().map(kept).collect::<Vec<Kept>>()
        };
        let monitors = over(&|_| self.defaults_of_a_monitor(), list("monitors"));
        let heartbeats = over(&|id| self.defaults_of_a_heartbeat(id), list("heartbeats"));
        let policies = over(&|_| self.defaults_of_a_policy(), list("policies"));
        let webhooks = over(&|_| self.defaults_of_a_webhook(), list("outgoing-webhooks"));
        (self.monitors, self.heartbeats) = (monitors, heartbeats);
        (self.policies, self.webhooks) = (policies, webhooks);
        let there = [&self.monitors, &self.heartbeats, &self.policies, &self.webhooks];
        let highest = there.iter().flat_map(|all| all.iter()).map(|kept| kept.id).max();
        // New ids come after all that are there.
        self.made = highest.unwrap_or_default().saturating_sub(FIRST_ID) / 37 + 1;
        let marks = copy
            .get("lists")
            .and_then(|lists| lists.get("metadata"))
            .and_then(Value::as_array);
        self.metadata = marks
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .map(|fields| Kept {
                id: self.next_id(),
                fields: fields.clone(),
            })
            .collect();
    }

    /// Adds a policy as it reads, and returns its id.
    pub fn add_policy(&mut self, name: &str, steps: &Value) -> u64 {
        let id = self.next_id();
        let mut policy = self.defaults_of_a_policy();
        policy.insert("name".to_owned(), json!(name));
        policy.insert("steps".to_owned(), steps.clone());
        self.policies.push(Kept { id, fields: policy });
        id
    }

    /// Monitors, policies, outgoing webhooks, metadata and heartbeats as they read, with their ids.
    pub fn contents(&self) -> [Vec<Value>; 5] {
        let whole = |all: &[Kept]| {
            let with_id = |kept: &Kept| {
                let mut fields = kept.fields.clone();
                fields.insert("id".to_owned(), json!(kept.id.to_string()));
                Value::Object(fields)
            };
            all.iter().map(with_id).collect()
        };
        [
            whole(&self.monitors),
            whole(&self.policies),
            whole(&self.webhooks),
            whole(&self.metadata),
            whole(&self.heartbeats),
        ]
    }

    /// Changes monitors as somebody at the dashboard would; those that are left out are gone, with their metadata.
    pub fn with_monitors(&mut self, f: impl Fn(&mut Map<String, Value>) -> bool) {
        self.monitors.retain_mut(|monitor| f(&mut monitor.fields));
        self.sweep();
    }

    /// The same for heartbeats.
    pub fn with_heartbeats(&mut self, f: impl Fn(&mut Map<String, Value>) -> bool) {
        self.heartbeats.retain_mut(|heartbeat| f(&mut heartbeat.fields));
        self.sweep();
    }

    /// Changes policies as somebody at the dashboard would.
    pub fn with_policies(&mut self, f: impl Fn(&mut Map<String, Value>)) {
        for policy in &mut self.policies {
            f(&mut policy.fields);
        }
    }

    /// Changes outgoing webhooks as somebody at the dashboard would.
    pub fn with_webhooks(&mut self, f: impl Fn(&mut Map<String, Value>)) {
        for webhook in &mut self.webhooks {
            f(&mut webhook.fields);
        }
    }

    /// The host that next pages are said to be on.
    pub fn page_at(&mut self, host: &str) {
        self.modes.next_host = Some(host.to_owned());
    }

    /// What the addresses of heartbeats hold from now on.
    pub fn hide_in_heartbeats(&mut self, secret: &str) {
        self.modes.heartbeat_secret = Some(secret.to_owned());
    }

    /// Takes the token for one of several teams: whatever is made must name its team.
    pub fn serve_several_teams(&mut self) {
        self.modes.is_global = true;
    }

    /// So many writes of metadata fail.
    pub fn lose_metadata(&mut self, writes: usize) {
        self.modes.lost_metadata = writes;
    }

    /// Nobody but these is in the team.
    pub fn close_the_team(&mut self, members: &[&str]) {
        self.modes.members = Some(members.iter().map(|&member| member.to_owned()).collect());
    }

    /// Refuses with 429 after so many requests in a window.
    pub fn set_rate_limit(&mut self, requests: usize, window: Duration) {
        self.modes.budget = Budget::of(requests, window);
    }

    /// Behaves in the other way where it is not settled how.
    pub fn behave_otherwise(&mut self) {
        self.modes.is_otherwise = true;
    }

    fn next_id(&mut self) -> u64 {
        self.made += 1;
        // Not one after the other: nobody is to guess them.
        FIRST_ID + self.made * 37
    }

    /// Answers a request.
    pub(super) fn answer(&mut self, asked: &Asked) -> Reply {
        let authorization = asked.credentials.authorization.as_deref().unwrap_or_default();
        if authorization.strip_prefix("Bearer ") != Some(SANDBOX_TOKEN) {
            let words = "Invalid Team API token. How to find your Team API token: https://betterstack.com/docs";
            return Refusal::Said(401, words.to_owned()).into();
        }
        if !self.modes.budget.take(Instant::now()).is_granted {
            return too_many();
        }
        match self.dispatch(asked) {
            Ok(Done::Json(status, value)) => Reply {
                headers: Some(Vec::new()),
                ..Reply::raw(status, "application/json; charset=utf-8", value.to_string())
            },
            Ok(Done::Empty) => Reply {
                headers: Some(Vec::new()),
                ..Reply::raw(204, "text/plain", "")
            },
            Err(refusal) => refusal.into(),
        }
    }

    fn dispatch(&mut self, asked: &Asked) -> Answer {
        let path = asked.path.strip_prefix(BASE).unwrap_or_default();
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let body = body(asked)?;
        let query = Query::parse(&asked.query);
        let method = asked.method.as_str();
        if method == "POST" {
            self.names_its_team(&body)?;
        }
        if method == "PATCH" && body.contains_key("team_name") {
            return Err(Refusal::field("team_name", "can't be changed"));
        }
        match (method, segments.as_slice()) {
            ("GET", ["api", "v2", "monitors"]) => {
                self.let_time_pass();
                let shown = monitors::filtered(&self.monitors, &query);
                self.list(&shown, self.word_for_a_monitor(), &query, path)
            }
            ("POST", ["api", "v2", "monitors"]) => self.create_monitor(&body),
            ("GET", ["api", "v2", "monitors", id]) => one(&self.monitors, id, self.word_for_a_monitor()),
            ("PATCH", ["api", "v2", "monitors", id]) => self.patch_monitor(id, &body),
            ("DELETE", ["api", "v2", "monitors", id]) => {
                remove(&mut self.monitors, id)?;
                self.sweep();
                Ok(Done::Empty)
            }
            ("GET", ["api", "v2", "heartbeats"]) => self.list(&self.heartbeats, "heartbeat", &query, path),
            ("POST", ["api", "v2", "heartbeats"]) => self.create_heartbeat(&body),
            ("GET", ["api", "v2", "heartbeats", id]) => one(&self.heartbeats, id, "heartbeat"),
            ("PATCH", ["api", "v2", "heartbeats", id]) => self.patch_heartbeat(id, &body),
            ("DELETE", ["api", "v2", "heartbeats", id]) => {
                remove(&mut self.heartbeats, id)?;
                self.sweep();
                Ok(Done::Empty)
            }
            ("GET", ["api", "v3", "policies"]) => self.list(&self.policies, "policy", &query, path),
            ("POST", ["api", "v3", "policies"]) => self.create_policy(&body),
            ("GET", ["api", "v3", "policies", id]) => one(&self.policies, id, "policy"),
            ("PATCH", ["api", "v3", "policies", id]) => self.patch_policy(id, &body),
            ("DELETE", ["api", "v3", "policies", id]) => self.delete_policy(id),
            ("GET", ["api", "v2", "outgoing-webhooks"]) => self.list_webhooks(&query, path),
            ("POST", ["api", "v2", "outgoing-webhooks"]) => self.create_webhook(&body),
            ("PATCH", ["api", "v2", "outgoing-webhooks", id]) => self.patch_webhook(id, &body),
            ("DELETE", ["api", "v2", "outgoing-webhooks", id]) => self.delete_webhook(id),
            // Made in the dashboard alone.
            ("GET", ["api", "v2", "slack-integrations"]) => self.list(&[], "slack_integration", &query, path),
            ("GET", ["api", "v3", "metadata"]) => {
                let shown = metadata::filtered(&self.metadata, &query);
                self.list(&shown, "metadata", &query, path)
            }
            ("POST", ["api", "v3", "metadata"]) => self.write_metadata(&body),
            _ => Err(Refusal::NoRoute),
        }
    }

    fn word_for_a_monitor(&self) -> &'static str {
        if self.modes.is_otherwise { "endpoint" } else { "monitor" }
    }

    fn names_its_team(&self, body: &Map<String, Value>) -> Result<(), Refusal> {
        if self.modes.is_global && body.get("team_name") != Some(&json!(self.team)) {
            return Err(Refusal::field("team_name", "is required with a global token"));
        }
        Ok(())
    }

    /// A page of a list. Its links name another host, as the service's may.
    fn list(&self, all: &[Kept], kind: &str, query: &Query, path: &str) -> Answer {
        let number = |key: &str, usual: usize| query.get(key).map_or(Ok(usual), str::parse::<usize>);
        let (Ok(page @ 1..), Ok(size @ 1..=250)) = (number("page", 1), number("per_page", 50)) else {
            return Err(Refusal::field("per_page", "must be between 1 and 250"));
        };
        if query.get("team_name").is_some_and(|team| team != self.team) {
            return Err(Refusal::Said(404, "Team was not found".to_owned()));
        }
        let entries: Vec<Value> = all
            .iter()
            .skip((page - 1) * size)
            .take(size)
            .map(|kept| shown(kept, kind))
            .collect();
        let last = all.len().div_ceil(size).max(1);
        let host = self.modes.next_host.as_deref().unwrap_or(ELSEWHERE);
        let link = |page: usize| json!(format!("{host}{path}?page={page}&per_page={size}"));
        Ok(Done::Json(
            200,
            json!({
                "data": entries,
                "pagination": {
                    "first": link(1), "last": link(last),
                    "prev": if page > 1 { link(page - 1) } else { Value::Null },
                    "next": if page < last { link(page + 1) } else { Value::Null },
                },
            }),
        ))
    }

    /// What hangs on something that is gone goes with it.
    fn sweep(&mut self) {
        let ids = |all: &[Kept]| -> Vec<String> { all.iter().map(|kept| kept.id.to_string()).collect() };
        let (monitors, heartbeats) = (ids(&self.monitors), ids(&self.heartbeats));
        self.metadata.retain(|kept| {
            let text = |key: &str| kept.fields.get(key).and_then(Value::as_str).unwrap_or_default();
            let owners = match text("owner_type") {
                "Monitor" => &monitors,
                "Heartbeat" => &heartbeats,
                _ => return true,
            };
            owners.iter().any(|id| id == text("owner_id"))
        });
    }
}

fn body(asked: &Asked) -> Result<Map<String, Value>, Refusal> {
    if asked.body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(&asked.body) {
        Ok(Value::Object(body)) if asked.is_json => Ok(body),
        _ => Err(Refusal::Said(
            400,
            "There was a problem in the JSON you submitted".to_owned(),
        )),
    }
}

fn shown(kept: &Kept, kind: &str) -> Value {
    json!({ "id": kept.id.to_string(), "type": kind, "attributes": kept.fields })
}

fn one(all: &[Kept], id: &str, kind: &str) -> Answer {
    let found = all.iter().find(|kept| kept.id.to_string() == id);
    let found = found.ok_or_else(Refusal::not_found)?;
    Ok(Done::Json(200, json!({ "data": shown(found, kind) })))
}

fn remove(all: &mut Vec<Kept>, id: &str) -> Result<(), Refusal> {
    let at = position(all, id)?;
    all.remove(at);
    Ok(())
}

fn position(all: &[Kept], id: &str) -> Result<usize, Refusal> {
    let found = all.iter().position(|kept| kept.id.to_string() == id);
    found.ok_or_else(Refusal::not_found)
}

/// An id that was sent as digits or as a number.
fn id_of(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str().and_then(|digits| digits.parse().ok()))
}

/// Nothing tells how long to wait, and it is no JSON.
fn too_many() -> Reply {
    Reply {
        headers: Some(Vec::new()),
        ..Reply::raw(429, "text/plain", "Retry later\n")
    }
}

/// What a fault answers in place of the API.
pub(super) fn instead(wire: Wire) -> Reply {
    match wire {
        Wire::Gateway(status) => page(status, "Bad Gateway"),
        Wire::Html => page(520, "Web server is returning an unknown error"),
        Wire::Garbage => Reply {
            headers: Some(Vec::new()),
            ..Reply::raw(200, "application/json", "\u{fffd}not JSON at all\n")
        },
        Wire::TooMany(_) => too_many(),
        Wire::Forbidden => Refusal::Said(403, "Your current plan doesn't include this".to_owned()).into(),
        _ => page(500, "We're sorry, but something went wrong"),
    }
}
