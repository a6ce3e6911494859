//! What the API makes of a record, what it refuses, and that a batch happens whole or not at all.
#![allow(clippy::unwrap_used, reason = "tests")]

mod batches;
mod changes;
mod lists;
mod plans;
mod refusals;
mod shape;

use serde_json::Value;

use crate::sandbox::tests::Desk;

fn post(desk: &mut Desk, record: &Value) -> Value {
    let path = desk.records();
    let (status, envelope) = desk.ask("POST", &path, record);
    assert_eq!(status, 200, "{record}: {envelope}");
    envelope["result"].clone()
}

fn path_of(desk: &Desk, record: &Value) -> String {
    format!("{}/{}", desk.records(), record["id"].as_str().unwrap())
}

fn batch(desk: &mut Desk, body: &Value) -> (u16, Value) {
    let path = format!("{}/batch", desk.records());
    desk.ask("POST", &path, body)
}
