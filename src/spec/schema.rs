//! The JSON Schema of the spec language, made from the same declarations that read it.

use serde_json::{Map, Value, json};

use super::raw::Launch;
use super::shape::Shape as _;

/// The schema, draft 2020-12. `schemas/launch.schema.json` is this, kept current by a test.
pub fn schema() -> Value {
    let mut definitions = Map::new();
    let root = Launch::schema(&mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "launch.yaml",
        "$ref": root["$ref"],
        "$defs": definitions,
    })
}
