//! Lists of the account (facts §5.9), for bulk redirects above all: made and described at once, filled by operations
//! that take their time, of which one at a time may be under way.

mod items;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::edge::Account;
use super::envelope::{Answer, GENERAL, Refusal};
use super::plan::Plan;
use super::query::{Paging, Query};
use super::router::{Asked, is_identifier, not_routed};
use super::tokens::Permission;
use super::world::{Ids, World, now};
use items::{Item, Said};

const PAGING: Paging = Paging {
    usual: 25,
    least: 1,
    most: 500,
};
/// An operation is over after so many looks at it, the first of which shows it pending.
const LOOKS: usize = 2;
/// Or after so many seconds, at whatever is asked next.
const LONGEST: i64 = 10;
/// What can be in a list.
const KINDS: [&str; 4] = ["ip", "redirect", "hostname", "asn"];
/// Operations that are remembered.
const REMEMBERED: usize = 1_000;

/// The lists of the account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Lists {
    all: Vec<List>,
    operations: Vec<Operation>,
    /// Why the next operation fails, if it is to.
    failure: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct List {
    id: String,
    name: String,
    kind: String,
    description: String,
    created_on: String,
    modified_on: String,
    items: Vec<Item>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Operation {
    id: String,
    list: String,
    work: Work,
    /// How often it was looked at.
    looks: usize,
    since: i64,
    end: Option<End>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Work {
    Append(Vec<Said>),
    Replace(Vec<Said>),
    Remove(Vec<String>),
    /// Carried out, or not.
    Done,
}

#[derive(Debug, Serialize, Deserialize)]
struct End {
    at: String,
    error: Option<String>,
}

/// How many lists, and how many entries in all of them, a plan allows.
fn quota(kind: &str, plan: Plan) -> (usize, usize) {
    match (kind, plan) {
        ("redirect", Plan::Free) => (5, 10_000),
        ("redirect", Plan::Pro) => (5, 25_000),
        ("redirect", Plan::Business) => (5, 50_000),
        ("redirect", Plan::Enterprise) => (25, 1_000_000),
        (_, Plan::Free) => (1, 10_000),
        (_, Plan::Pro | Plan::Business) => (10, 10_000),
        (_, Plan::Enterprise) => (1_000, 10_000),
    }
}

impl Operation {
    fn to_value(&self) -> Value {
        let mut value = json!({ "id": self.id, "status": "pending" });
        let mut add = |key: &str, field: Value| value[key] = field;
        match &self.end {
            None if self.looks > 0 => add("status", json!("running")),
            None => {}
            Some(end) => {
                add("completed", json!(end.at));
                add(
                    "status",
                    json!(if end.error.is_some() { "failed" } else { "completed" }),
                );
                if let Some(error) = &end.error {
                    add("error", json!(error));
                }
            }
        }
        value
    }
}

impl Lists {
    fn find(&self, id: &str) -> Result<usize, Refusal> {
        let found = self.all.iter().position(|list| list.id == id);
        found.ok_or_else(|| Refusal::new(404, 0, format!("could not find list {id}")))
    }

    /// Carries out what has taken long enough.
    fn settle(&mut self, seconds: i64, plan: Plan, ids: &mut Ids) -> bool {
        let is_due = |operation: &&mut Operation| {
            operation.end.is_none() && (operation.looks >= LOOKS || seconds - operation.since >= LONGEST)
        };
        let Some(operation) = self.operations.iter_mut().find(is_due) else {
            return false;
        };
        let (work, list) = (
            std::mem::replace(&mut operation.work, Work::Done),
            operation.list.clone(),
        );
        let error = match self.failure.take() {
            Some(failure) => Some(failure),
            None => self.carry_out(&list, work, plan, ids).err(),
        };
        let end = End { at: now(), error };
        if let Some(operation) = self.operations.iter_mut().find(|operation| operation.end.is_none()) {
            operation.end = Some(end);
        }
        true
    }

    /// All of it or nothing.
    fn carry_out(&mut self, list: &str, work: Work, plan: Plan, ids: &mut Ids) -> Result<(), String> {
        let at = self.find(list).map_err(|refusal| refusal.message)?;
        let kind = self.all[at].kind.clone();
        let others = self.all.iter().filter(|other| other.kind == kind && other.id != list);
        let beside: usize = others.map(|other| other.items.len()).sum();
        let list = &mut self.all[at];
        let items = match work {
            Work::Append(said) => {
                let added = said.into_iter().map(|said| Item::new(said, ids));
                list.items.iter().cloned().chain(added).collect()
            }
            // Replaced is made anew: no entry keeps its id.
            Work::Replace(said) => said.into_iter().map(|said| Item::new(said, ids)).collect::<Vec<_>>(),
            Work::Remove(gone) => {
                let gone: HashSet<String> = gone.into_iter().collect();
                let kept = list.items.iter().filter(|item| !gone.contains(&item.id));
                kept.cloned().collect()
            }
            Work::Done => return Ok(()),
        };
        let mut keys = HashSet::new();
        if let Some(twice) = items.iter().find(|item| !keys.insert(item.said.key.as_str())) {
            return Err(format!("duplicate of {}", twice.said.key));
        }
        if beside + items.len() > quota(&kind, plan).1 {
            return Err("This list is at the maximum number of items".to_owned());
        }
        list.items = items;
        list.modified_on = now();
        Ok(())
    }

    /// Begins an operation, unless one is under way.
    fn begin(&mut self, list: usize, work: Work, seconds: i64, ids: &mut Ids) -> Result<Answer, Refusal> {
        if self.operations.iter().any(|operation| operation.end.is_none()) {
            let words = "a bulk operation is already pending for this account";
            return Err(Refusal::bad(GENERAL, words));
        }
        let surplus = (self.operations.len() + 1).saturating_sub(REMEMBERED);
        self.operations.drain(..surplus);
        let id = ids.next();
        self.operations.push(Operation {
            id: id.clone(),
            list: self.all[list].id.clone(),
            work,
            looks: 0,
            since: seconds,
            end: None,
        });
        Ok(Answer::Result(json!({ "operation_id": id })))
    }
}

impl Account {
    /// The names of all lists, and of those that hold redirects.
    pub(super) fn list_names(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let names = |kind: Option<&str>| {
            let lists = self.lists.all.iter();
            let fitting = lists.filter(|list| kind.is_none_or(|kind| list.kind == kind));
            fitting.map(|list| list.name.clone()).collect()
        };
        (names(None), names(Some("redirect")))
    }
}

/// What is asked for, beneath `/accounts/{account}/rules/lists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path<'a> {
    /// All lists.
    All,
    /// One.
    One(&'a str),
    /// Its entries.
    Items(&'a str),
    /// One of them.
    Item(&'a str, &'a str),
    /// An operation.
    Operation(&'a str),
}

impl<'a> Path<'a> {
    pub(super) fn find(rest: &[&'a str]) -> Option<Self> {
        Some(match rest {
            [] => Self::All,
            ["bulk_operations", id] => Self::Operation(id),
            [id] => Self::One(id),
            [id, "items"] => Self::Items(id),
            [id, "items", item] => Self::Item(id, item),
            _ => return None,
        })
    }

    pub(super) fn permissions(self, method: &str) -> Option<&'static [Permission]> {
        use Permission::{FilterListsRead, FilterListsWrite};
        Some(match (self, method) {
            (_, "GET") => &[FilterListsRead, FilterListsWrite],
            (Self::All | Self::Items(_), "POST") | (Self::One(_) | Self::Items(_), "PUT" | "DELETE") => {
                &[FilterListsWrite]
            }
            _ => return None,
        })
    }
}

/// Answers a request for them.
pub(super) fn answer(world: &mut World, path: Path<'_>, asked: &Asked, query: &Query) -> Result<Answer, Refusal> {
    let (seconds, plan) = (world.seconds(), world.account_plan());
    world.is_changed |= world.account.lists.settle(seconds, plan, &mut world.ids);
    let answered = match path {
        Path::All if asked.method == "GET" => {
            let all = world.account.lists.all.iter();
            return Ok(Answer::Result(all.map(|list| world.show_list(list)).collect()));
        }
        Path::All => create(world, &asked.object()?, plan),
        Path::Operation(id) => return look(world, id, seconds, plan),
        Path::One(id) | Path::Items(id) | Path::Item(id, _) if !is_identifier(id) => Err(not_routed(&asked.path)),
        Path::One(id) => single(world, id, asked),
        Path::Items(id) => {
            let at = world.account.lists.find(id)?;
            entries(world, at, asked, query, seconds)
        }
        Path::Item(id, item) => {
            let list = &world.account.lists.all[world.account.lists.find(id)?];
            let found = list.items.iter().find(|known| known.id == item);
            let missing = || Refusal::new(404, 0, format!("could not find item {item}"));
            return Ok(Answer::Result(found.ok_or_else(missing)?.to_value()));
        }
    }?;
    world.is_changed |= asked.changes_something();
    Ok(answered)
}

fn look(world: &mut World, id: &str, seconds: i64, plan: Plan) -> Result<Answer, Refusal> {
    let lists = &mut world.account.lists;
    let at = lists.operations.iter().position(|operation| operation.id == id);
    let at = at.ok_or_else(|| Refusal::new(404, 0, format!("could not find operation {id}")))?;
    let value = lists.operations[at].to_value();
    lists.operations[at].looks += 1;
    lists.settle(seconds, plan, &mut world.ids);
    world.is_changed = true;
    Ok(Answer::Result(value))
}

fn description(fields: &Map<String, Value>) -> Result<Option<&str>, Refusal> {
    match fields.get("description") {
        None => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= 500 => Ok(Some(text)),
        Some(_) => Err(Refusal::bad(
            GENERAL,
            "description must be a text of at most 500 characters",
        )),
    }
}

fn create(world: &mut World, fields: &Map<String, Value>, plan: Plan) -> Result<Answer, Refusal> {
    let refuse = |words: String| Refusal::bad(GENERAL, words);
    let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default();
    let (name, kind) = (text("name"), text("kind"));
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if name.is_empty() || name.len() > 50 || !is_name {
        return Err(refuse(
            "name must be 1 to 50 of the characters a-z, A-Z, 0-9 and _".to_owned(),
        ));
    }
    if !KINDS.contains(&kind) {
        return Err(refuse(format!("kind must be one of {}", KINDS.join(", "))));
    }
    let description = description(fields)?.unwrap_or_default().to_owned();
    let lists = &mut world.account.lists.all;
    if lists.iter().any(|list| list.name == name) {
        return Err(refuse(format!("a list named {name} already exists")));
    }
    let is_redirect = kind == "redirect";
    let count = lists
        .iter()
        .filter(|list| (list.kind == "redirect") == is_redirect)
        .count();
    let (most, _) = quota(kind, plan);
    if count >= most {
        return Err(refuse(format!("exceeded maximum number of lists: {most} allowed")));
    }
    let list = List {
        id: world.ids.next(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        description,
        created_on: now(),
        modified_on: now(),
        items: Vec::new(),
    };
    lists.push(list);
    let made = &world.account.lists.all[world.account.lists.all.len() - 1];
    Ok(Answer::Result(world.show_list(made)))
}

/// One list: shown, described anew, or deleted when nothing uses it.
fn single(world: &mut World, id: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let at = world.account.lists.find(id)?;
    match asked.method.as_str() {
        "PUT" => {
            let fields = asked.object()?;
            if let Some(key) = fields.keys().find(|key| *key != "description") {
                return Err(Refusal::bad(GENERAL, format!("'{key}' of a list cannot be changed")));
            }
            let words = description(&fields)?.unwrap_or_default().to_owned();
            world.account.lists.all[at].description = words;
        }
        "DELETE" => {
            let list = &world.account.lists.all[at];
            if world.references(&list.name) > 0 {
                let words = format!("list {} cannot be deleted because it is referenced by rules", list.name);
                return Err(Refusal::bad(GENERAL, words));
            }
            world.account.lists.all.remove(at);
            return Ok(Answer::Result(json!({ "id": id })));
        }
        _ => {}
    }
    Ok(Answer::Result(world.show_list(&world.account.lists.all[at])))
}

fn entries(world: &mut World, at: usize, asked: &Asked, query: &Query, seconds: i64) -> Result<Answer, Refusal> {
    let lists = &mut world.account.lists;
    let kind = lists.all[at].kind.clone();
    let work = match asked.method.as_str() {
        "POST" => Work::Append(items::parse(&kind, &asked.json()?)?),
        "PUT" => Work::Replace(items::parse(&kind, &asked.json()?)?),
        "DELETE" => {
            let body = asked.object()?;
            let listed = body.get("items").and_then(Value::as_array).ok_or_else(Refusal::body)?;
            let ids: Option<Vec<String>> = listed
                .iter()
                .map(|item| item.get("id").and_then(Value::as_str).map(str::to_owned))
                .collect();
            Work::Remove(ids.ok_or_else(Refusal::body)?)
        }
        _ => {
            let search = query.get("search").unwrap_or_default();
            let found = lists.all[at].items.iter().filter(|item| item.holds(search));
            return query.cursor(PAGING, found.map(Item::to_value).collect());
        }
    };
    lists.begin(at, work, seconds, &mut world.ids)
}

impl World {
    /// How many rules use a list.
    fn references(&self, name: &str) -> usize {
        let zones = self.zones.iter().map(|zone| &zone.edge.rulesets);
        let all = zones.chain([&self.account.rulesets]);
        all.map(|rulesets| rulesets.uses_list(name)).sum()
    }

    fn show_list(&self, list: &List) -> Value {
        json!({
            "id": list.id, "name": list.name, "kind": list.kind, "description": list.description,
            "num_items": list.items.len(), "num_referencing_filters": self.references(&list.name),
            "created_on": list.created_on, "modified_on": list.modified_on,
        })
    }

    /// Replaces the entries of a list at once, which is made when there is none, as somebody else would have done it
    /// before; says what a request would be refused for.
    pub fn put_list(&mut self, name: &str, kind: &str, items: &Value) -> Result<(), String> {
        let told = |refusal: Refusal| refusal.message;
        let said = items::parse(kind, items).map_err(told)?;
        let plan = self.account_plan();
        if !self.account.lists.all.iter().any(|list| list.name == name) {
            let fields = Map::from_iter([("name".to_owned(), json!(name)), ("kind".to_owned(), json!(kind))]);
            create(self, &fields, plan).map_err(told)?;
        }
        self.is_changed = true;
        let lists = &mut self.account.lists;
        let found = lists
            .all
            .iter()
            .find(|list| list.name == name)
            .map(|list| list.id.clone());
        found.map_or(Ok(()), |id| {
            lists.carry_out(&id, Work::Replace(said), plan, &mut self.ids)
        })
    }

    /// Begins to add entries to a list, as somebody else would by a request: it takes its time. Says what the request
    /// would be refused for.
    pub fn begin_adding(&mut self, name: &str, items: &Value) -> Result<(), String> {
        let told = |refusal: Refusal| refusal.message;
        let seconds = self.seconds();
        let lists = &mut self.account.lists;
        let at = lists.all.iter().position(|list| list.name == name);
        let at = at.ok_or_else(|| format!("could not find list {name}"))?;
        let said = items::parse(&lists.all[at].kind, items).map_err(told)?;
        let begun = lists.begin(at, Work::Append(said), seconds, &mut self.ids);
        self.is_changed = true;
        begun.map(|_| ()).map_err(told)
    }

    /// The entries of a list; null when there is no such list.
    pub fn list_items(&self, name: &str) -> Value {
        let list = self.account.lists.all.iter().find(|list| list.name == name);
        list.map_or(Value::Null, |list| list.items.iter().map(Item::to_value).collect())
    }

    /// Lets the next operation on a list fail with these words.
    pub fn fail_next_operation(&mut self, error: &str) {
        self.account.lists.failure = Some(error.to_owned());
    }
}
