//! DNS records (facts §3): what is kept of one, how it is shown, and the endpoints. [`normalise`] turns a request into
//! what is kept, [`store`] keeps it and knows what excludes what, [`transaction`] changes it all or not at all.

mod batch;
mod export;
mod filter;
mod normalise;
mod store;
#[cfg(test)]
mod tests;
mod transaction;
mod txt;
mod typed;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(super) use batch::batch;
pub(super) use export::export;
pub(super) use filter::list;
pub(super) use store::Records;
pub(super) use transaction::{Transaction, transact};

use super::envelope::{Answer, Refusal};
use super::plan::Plan;
use super::world::{World, now};
use super::zones::Zone;
use crate::model::name::DomainName;
use normalise::Context;

/// What a record says: everything that a request can set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Body {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    /// Derived from `data` for the types that have it.
    content: String,
    data: Option<Map<String, Value>>,
    priority: Option<u16>,
    ttl: u32,
    proxied: bool,
    proxiable: bool,
    comment: Option<String>,
    /// A set: sorted here, shown in any order.
    tags: Vec<String>,
    settings: Map<String, Value>,
    private_routing: bool,
}

/// A record as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    id: String,
    body: Body,
    created_on: String,
    modified_on: String,
    comment_modified_on: Option<String>,
    tags_modified_on: Option<String>,
    meta: Map<String, Value>,
}

/// How a record is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// In the answer to a write: settings that nobody set are left out.
    Written,
    /// In a later read: a CNAME shows its settings with their defaults. The turn shuffles what has no order.
    Read(usize),
}

impl Body {
    /// Whether nothing would change: a setting that is off and one that is not there are the same.
    fn says_the_same(&self, other: &Self) -> bool {
        let on = |body: &Self| {
            let mut settings = body.settings.clone();
            settings.retain(|_, value| *value != Value::Bool(false));
            settings
        };
        let bare = |body: &Self| Self {
            settings: Map::new(),
            ..body.clone()
        };
        on(self) == on(other) && bare(self) == bare(other)
    }
}

impl Record {
    fn new(id: String, body: Body) -> Self {
        let time = now();
        Self {
            id,
            comment_modified_on: body.comment.is_some().then(|| time.clone()),
            tags_modified_on: (!body.tags.is_empty()).then(|| time.clone()),
            created_on: time.clone(),
            modified_on: time,
            meta: Map::new(),
            body,
        }
    }

    /// The same record with other words in it: only what really changed moves a date.
    fn with(&self, body: Body) -> Self {
        let time = now();
        let moved = |is_there: bool, differs: bool, before: &Option<String>| match (is_there, differs) {
            (false, _) => None,
            (true, true) => Some(time.clone()),
            (true, false) => before.clone(),
        };
        Self {
            id: self.id.clone(),
            created_on: self.created_on.clone(),
            comment_modified_on: moved(
                body.comment.is_some(),
                body.comment != self.body.comment,
                &self.comment_modified_on,
            ),
            tags_modified_on: moved(
                !body.tags.is_empty(),
                body.tags != self.body.tags,
                &self.tags_modified_on,
            ),
            modified_on: time.clone(),
            meta: self.meta.clone(),
            body,
        }
    }

    fn is_read_only(&self) -> bool {
        self.meta.get("read_only") == Some(&Value::Bool(true))
    }

    /// The record as the API shows it.
    pub(super) fn to_value(&self, view: View) -> Value {
        let body = &self.body;
        let (mut tags, mut settings) = (body.tags.clone(), body.settings.clone());
        if let View::Read(turn) = view {
            if !tags.is_empty() {
                let by = turn % tags.len();
                tags.rotate_left(by);
            }
            if body.kind == "CNAME" {
                settings.entry("flatten_cname").or_insert(Value::Bool(false));
            }
        }
        let mut value = json!({
            "id": self.id, "name": body.name, "type": body.kind, "content": body.content,
            "proxiable": body.proxiable, "proxied": body.proxied, "ttl": body.ttl, "settings": settings,
            "meta": self.meta, "comment": body.comment, "tags": tags,
            "created_on": self.created_on, "modified_on": self.modified_on,
        });
        let mut add = |key: &str, field: Value| value[key] = field;
        if let Some(priority) = body.priority {
            add("priority", json!(priority));
        }
        if let Some(data) = &body.data {
            add("data", json!(data));
        }
        if body.private_routing {
            add("private_routing", json!(true));
        }
        if let Some(time) = &self.comment_modified_on {
            add("comment_modified_on", json!(time));
        }
        if let Some(time) = &self.tags_modified_on {
            add("tags_modified_on", json!(time));
        }
        value
    }
}

/// A record made without any check: as a request would make it where that is possible, word for word otherwise.
pub(super) fn forced(id: String, fields: &Map<String, Value>, zone: &str, plan: Plan) -> Record {
    let checked = DomainName::parse(zone).ok().and_then(|zone| {
        let context = Context { zone: &zone, plan };
        normalise::body(fields, None, context).ok()
    });
    let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |key: &str| fields.get(key).and_then(Value::as_u64);
    let object = |key: &str| fields.get(key).and_then(Value::as_object).cloned();
    let body = checked.unwrap_or_else(|| Body {
        kind: text("type"),
        name: text("name"),
        content: text("content"),
        data: object("data"),
        priority: number("priority").and_then(|number| u16::try_from(number).ok()),
        ttl: number("ttl").and_then(|number| u32::try_from(number).ok()).unwrap_or(1),
        proxied: fields.get("proxied") == Some(&Value::Bool(true)),
        proxiable: false,
        comment: fields.get("comment").and_then(Value::as_str).map(str::to_owned),
        tags: Vec::new(),
        settings: object("settings").unwrap_or_default(),
        private_routing: false,
    });
    Record {
        meta: object("meta").unwrap_or_default(),
        ..Record::new(id, body)
    }
}

fn missing() -> Refusal {
    Refusal::new(404, 81044, "Record does not exist.")
}

/// `GET …/dns_records/{id}`.
pub(super) fn get(world: &World, at: usize, id: &str) -> Result<Answer, Refusal> {
    let records = &world.zones[at].records;
    let record = records.find(id).and_then(|at| records.get(at)).ok_or_else(missing)?;
    Ok(Answer::Result(record.to_value(View::Read(world.turn))))
}

/// `GET …/dns_records/usage`.
pub(super) fn usage(zone: &Zone) -> Answer {
    Answer::Result(json!({ "record_usage": zone.records.len(), "record_quota": zone.quota }))
}

/// `POST …/dns_records`.
pub(super) fn create(world: &mut World, at: usize, fields: &Map<String, Value>) -> Result<Answer, Refusal> {
    single(world, at, |transaction| {
        let made = transaction.create(fields)?;
        Ok(transaction.show(made))
    })
}

/// `PUT …/dns_records/{id}`: what is not said goes back to its default.
pub(super) fn put(world: &mut World, at: usize, id: &str, fields: &Map<String, Value>) -> Result<Answer, Refusal> {
    existing(world, at, id)?;
    single(world, at, |transaction| {
        let made = transaction.put(id, fields)?;
        Ok(transaction.show(made))
    })
}

/// `PATCH …/dns_records/{id}`: what is not said stays.
pub(super) fn patch(world: &mut World, at: usize, id: &str, fields: &Map<String, Value>) -> Result<Answer, Refusal> {
    existing(world, at, id)?;
    single(world, at, |transaction| {
        let made = transaction.patch(id, fields)?;
        Ok(transaction.show(made))
    })
}

/// `DELETE …/dns_records/{id}`.
pub(super) fn delete(world: &mut World, at: usize, id: &str) -> Result<Answer, Refusal> {
    existing(world, at, id)?;
    single(world, at, |transaction| {
        transaction.delete(id)?;
        Ok(json!({ "id": id }))
    })
}

/// On its own, a record that is not there is not named by its id.
fn existing(world: &World, at: usize, id: &str) -> Result<(), Refusal> {
    world.zones[at].records.find(id).map(|_| ()).ok_or_else(missing)
}

fn single(
    world: &mut World,
    at: usize,
    work: impl FnOnce(&mut Transaction<'_>) -> Result<Value, Refusal>,
) -> Result<Answer, Refusal> {
    let value = transact(&mut world.zones[at], &mut world.ids, work)?;
    world.is_changed = true;
    Ok(Answer::Result(value))
}
