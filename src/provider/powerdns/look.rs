//! Looks, right before record sets are written, whether they are still what was read. The server takes no preconditions:
//! what comes between this look and the write is overwritten, and that is the time of one request. Whatever came before,
//! such as while somebody read the plan, or between two attempts, is seen, and then nothing is written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::api::{self, ApiError};
use super::convert;
use crate::provider::http::{self, Http};
use crate::provider::{ApiRefusal, Step};

/// Where a step's body says what it starts from: set by set, as [`convert::expected`] makes it. It is not sent.
pub(super) const EXPECT: &str = "expect";
/// Where it says what is to be written.
pub(super) const SETS: &str = "rrsets";
/// The code of the refusal when a set is not what it was.
pub(super) const CHANGED: &str = "changed-meanwhile";

/// Writes the sets of a step, having looked before every attempt. Only what cannot have been done is tried again.
pub(super) async fn write(http: &Http, step: &Step) -> Result<(), ApiError> {
    let list = |key: &str| {
        step.body
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let expected = list(EXPECT);
    let body = json!({ SETS: list(SETS) });
    let mut attempt = 1;
    loop {
        look(http, &step.path, &expected).await?;
        match api::write_once(http, step.method, &step.path, &body).await {
            Err(ApiError::NotSent(_)) if attempt < http::ATTEMPTS => {}
            outcome => return outcome,
        }
        tokio::time::sleep(http::backoff(attempt)).await;
        attempt += 1;
    }
}

async fn look(http: &Http, path: &str, expected: &[Value]) -> Result<(), ApiError> {
    // The whole zone: asked for single names, servers before 4.9 leave out what is disabled.
    let answer = api::get(http, path).await.map_err(|error| match error {
        ApiError::Refused(refusal) => ApiError::Refused(refusal),
        error => ApiError::NotSent(format!("looking before writing: {}", error.words())),
    })?;
    let list = answer.get(SETS).and_then(Value::as_array).ok_or_else(|| {
        ApiError::NotSent("looking before writing: the answer is not the zone, so nothing was written".to_owned())
    })?;
    let touched: BTreeSet<(String, String)> = expected.iter().map(convert::name_and_type).collect();
    let sets = list.iter().map(|set| (convert::name_and_type(set), set));
    let now: BTreeMap<(String, String), Value> = sets
        .filter(|(key, _)| touched.contains(key))
        .map(|(key, set)| (key, convert::image(set)))
        .collect();
    let is_so = |set: &&Value| match now.get(&convert::name_and_type(set)) {
        Some(now) => now == *set,
        None => set["records"] == json!([]),
    };
    match expected.iter().find(|set| !is_so(set)) {
        None => Ok(()),
        Some(moved) => Err(ApiError::Refused(changed(moved))),
    }
}

/// It names the set as the server does, so that the changes in it are found.
fn changed(set: &Value) -> ApiRefusal {
    let (name, kind) = convert::name_and_type(set);
    ApiRefusal {
        status: 409,
        code: CHANGED.to_owned(),
        message: format!(
            "somebody changed the record set {name}/{kind} since it was read: nothing was written, so nothing is lost"
        ),
    }
}
