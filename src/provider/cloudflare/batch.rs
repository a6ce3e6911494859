//! Changes turned into batches: as few requests as the zone's plan allows, each of them one transaction at Cloudflare.
//! What belongs together (everything at one name) travels together, so that a name is never without its record
//! between two requests. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{convert, quirks};
use crate::base::text;
use crate::model::address::Address;
use crate::model::name::DomainName;
use crate::model::record::RecordType;
use crate::model::record_set::{Record, pair};
use crate::plan::Change;
use crate::provider::{Reading, Stage, Step};

/// One operation of a batch. Cloudflare runs deletes, then patches, then posts.
#[derive(Debug, Clone, PartialEq)]
enum Operation {
    Delete { id: String },
    Patch { id: String, fields: Map<String, Value> },
    Post { record: Map<String, Value> },
}

/// An operation and where it comes from.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    address: Address,
    kind: RecordType,
    operation: Operation,
}

/// Everything that happens at one name.
#[derive(Debug, Default)]
struct Unit {
    parts: Vec<Part>,
}

impl Unit {
    fn growth(&self) -> isize {
        let of = |part: &Part| match part.operation {
            Operation::Delete { .. } => -1,
            Operation::Patch { .. } => 0,
            Operation::Post { .. } => 1,
        };
        self.parts.iter().map(of).sum()
    }
}

/// The requests that carry out `changes`.
pub(super) fn steps(changes: &[Change], reading: &Reading) -> Vec<Step> {
    let mut zones: BTreeMap<&DomainName, BTreeMap<&DomainName, Unit>> = BTreeMap::new();
    for change in changes {
        let Some(set) = change
            .after
            .as_ref()
            .or(change.before.as_ref())
            .and_then(|resource| resource.as_record_set())
        else {
            continue;
        };
        let unit = zones.entry(&set.zone).or_default().entry(&set.name).or_default();
        unit.parts.extend(parts(change, reading));
    }
    let mut steps = Vec::new();
    for (zone, units) in zones {
        let Some(facts) = reading.zones.get(zone) else { continue };
        let mut units: Vec<Unit> = units.into_values().filter(|unit| !unit.parts.is_empty()).collect();
        in_safe_order(&mut units, reading, zone);
        let chunks = chunks(units, quirks::limits(&facts.plan).batch);
        let total = chunks.len();
        for (at, chunk) in chunks.into_iter().enumerate() {
            steps.push(step(zone, super::zone_path(facts), chunk, at + 1, total));
        }
    }
    steps
}

fn parts(change: &Change, reading: &Reading) -> Vec<Part> {
    let records = |resource: &Option<crate::model::resource::Resource>| -> Vec<Record> {
        resource
            .as_ref()
            .and_then(|resource| resource.as_record_set())
            .map(|set| set.records.clone())
            .unwrap_or_default()
    };
    let (before, after) = (records(&change.before), records(&change.after));
    let none = BTreeMap::new();
    let handles = reading.handles.get(&change.address).unwrap_or(&none);
    let mut parts = Vec::new();
    let Some(set) = change
        .after
        .as_ref()
        .or(change.before.as_ref())
        .and_then(|resource| resource.as_record_set())
    else {
        return parts;
    };
    let mut push = |operation| {
        parts.push(Part {
            address: change.address.clone(),
            kind: set.kind,
            operation,
        });
    };
    for pair in pair(&before, &after) {
        let ids = pair
            .before
            .and_then(|record| handles.get(&record.data))
            .map_or(&[][..], Vec::as_slice);
        match (pair.before, pair.after) {
            (Some(_), None) => {
                for id in ids {
                    push(Operation::Delete { id: id.clone() });
                }
            }
            (Some(old), Some(new)) if old != new => {
                let Some((first, doubles)) = ids.split_first() else {
                    continue;
                };
                push(Operation::Patch {
                    id: first.clone(),
                    fields: convert::difference(old, new),
                });
                // The same record twice would clash once both are changed to the same.
                for id in doubles {
                    push(Operation::Delete { id: id.clone() });
                }
            }
            (None, Some(new)) => push(Operation::Post {
                record: convert::to_wire(&set.name, new),
            }),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
    parts
}

/// What is new goes first, so that nothing is missing while several requests are under way; unless the zone is so full
/// that room has to be made.
fn in_safe_order(units: &mut [Unit], reading: &Reading, zone: &DomainName) {
    let usage = reading.zones.get(zone).and_then(|facts| facts.usage);
    let growth: isize = units.iter().map(Unit::growth).filter(|growth| *growth > 0).sum();
    let room = usage.and_then(|usage| usage.quota.map(|quota| quota.saturating_sub(usage.records)));
    let must_make_room = room.is_some_and(|room| growth > isize::try_from(room).unwrap_or(isize::MAX));
    units.sort_by_key(|unit| if must_make_room { unit.growth() } else { -unit.growth() });
}

fn chunks(units: Vec<Unit>, limit: usize) -> Vec<Vec<Part>> {
    let mut chunks: Vec<Vec<Part>> = Vec::new();
    let mut current: Vec<Part> = Vec::new();
    for unit in units {
        if !current.is_empty() && current.len() + unit.parts.len() > limit {
            chunks.push(std::mem::take(&mut current));
        }
        let mut parts = unit.parts;
        if parts.len() > limit {
            // More at one name than a request can carry: deletes first, or the new could clash with the old.
            parts.sort_by_key(|part| !matches!(part.operation, Operation::Delete { .. }));
        }
        for part in parts {
            if current.len() == limit {
                chunks.push(std::mem::take(&mut current));
            }
            current.push(part);
        }
    }
    if !current.is_empty() {
        chunks.push(current);
    }
    chunks
}

fn step(zone: &DomainName, id: &str, mut parts: Vec<Part>, number: usize, total: usize) -> Step {
    // A DS needs the NS at its name: it comes after it and goes before it. Otherwise the order of the addresses stays.
    let rank = |part: &Part| match (&part.operation, part.kind) {
        (Operation::Delete { .. }, RecordType::Ds) | (Operation::Post { .. }, RecordType::Ns) => 0,
        (Operation::Delete { .. }, RecordType::Ns) | (Operation::Post { .. }, RecordType::Ds) => 2,
        _ => 1,
    };
    parts.sort_by_key(rank);
    let addresses: BTreeSet<Address> = parts.iter().map(|part| part.address.clone()).collect();
    let mut handles = BTreeMap::new();
    let (mut deletes, mut patches, mut posts) = (Vec::new(), Vec::new(), Vec::new());
    for part in parts {
        match part.operation {
            Operation::Delete { id } => {
                deletes.push(json!({ "id": id }));
                handles.insert(id, part.address);
            }
            Operation::Patch { id, mut fields } => {
                fields.insert("id".to_owned(), json!(id));
                patches.push(Value::Object(fields));
                handles.insert(id, part.address);
            }
            Operation::Post { record } => posts.push(Value::Object(record)),
        }
    }
    let mut words = Vec::new();
    for (list, noun) in [
        (&posts, "new record"),
        (&patches, "changed record"),
        (&deletes, "deleted record"),
    ] {
        if !list.is_empty() {
            words.push(text::count(list.len(), noun));
        }
    }
    let part_of = if total > 1 {
        format!(" ({number} of {total})")
    } else {
        String::new()
    };
    let mut body = Map::new();
    for (key, list) in [("deletes", deletes), ("patches", patches), ("posts", posts)] {
        if !list.is_empty() {
            body.insert(key.to_owned(), Value::Array(list));
        }
    }
    Step {
        provider: super::NAME,
        scope: zone.clone().into(),
        stage: Stage::Content,
        lane: "records".to_owned(),
        method: "POST",
        path: format!("zones/{id}/dns_records/batch"),
        summary: format!("{} in {zone}{part_of}", text::list(&words)),
        addresses: addresses.into_iter().collect(),
        handles,
        body: Value::Object(body),
        check: None,
    }
}
