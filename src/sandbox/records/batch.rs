//! Many changes in one transaction (facts §3.6): deletes, then patches, then puts, then posts, each in the order of its
//! list. The first refusal voids all of them, and does not say which one it was.

use serde_json::{Map, Value, json};

use super::super::envelope::{Answer, GENERAL, Refusal};
use super::super::world::World;
use super::transaction::transact;

/// `POST …/dns_records/batch`.
pub(in crate::sandbox) fn batch(world: &mut World, at: usize, fields: &Map<String, Value>) -> Result<Answer, Refusal> {
    let [deletes, patches, puts, posts] = ["deletes", "patches", "puts", "posts"].map(|key| operations(fields, key));
    let (deletes, patches, puts, posts) = (deletes?, patches?, puts?, posts?);
    let zone = &mut world.zones[at];
    let most = zone.plan.limits().batch;
    let number = deletes.len() + patches.len() + puts.len() + posts.len();
    if number > most {
        let words = format!("Batch has {number} operations, exceeding the limit of {most}.");
        return Err(Refusal::bad(GENERAL, words));
    }
    let result = transact(zone, &mut world.ids, |transaction| {
        let deletes = each(&deletes, |fields| transaction.delete(id(fields)?))?;
        let patches = each(&patches, |fields| {
            let made = transaction.patch(id(fields)?, fields)?;
            Ok(transaction.show(made))
        })?;
        let puts = each(&puts, |fields| {
            let made = transaction.put(id(fields)?, fields)?;
            Ok(transaction.show(made))
        })?;
        let posts = each(&posts, |fields| {
            let made = transaction.create(fields)?;
            Ok(transaction.show(made))
        })?;
        Ok(json!({ "deletes": deletes, "patches": patches, "puts": puts, "posts": posts }))
    })?;
    world.is_changed |= number > 0;
    Ok(Answer::Result(result))
}

fn operations<'a>(fields: &'a Map<String, Value>, key: &str) -> Result<Vec<&'a Map<String, Value>>, Refusal> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => list
            .iter()
            .map(|value| value.as_object().ok_or_else(Refusal::body))
            .collect(),
        Some(_) => Err(Refusal::body()),
    }
}

fn id(fields: &Map<String, Value>) -> Result<&str, Refusal> {
    fields.get("id").and_then(Value::as_str).ok_or_else(Refusal::body)
}

/// What a list of operations comes to; `null` when there are none.
fn each(
    list: &[&Map<String, Value>],
    mut work: impl FnMut(&Map<String, Value>) -> Result<Value, Refusal>,
) -> Result<Value, Refusal> {
    if list.is_empty() {
        return Ok(Value::Null);
    }
    list.iter()
        .map(|fields| work(fields))
        .collect::<Result<Vec<_>, _>>()
        .map(Value::Array)
}
