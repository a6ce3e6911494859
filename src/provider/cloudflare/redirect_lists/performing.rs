//! The requests for lists, made one at a time: an operation is waited for, and what was lost is looked for.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::api::{self, ApiError};
use super::super::{Cloudflare, convert, rules, segment};
use super::{FAILED, entry_point, reading, row, version_of};
use crate::base::text;
use crate::model::redirect_list::ListedRedirect;
use crate::provider::{ApiRefusal, Check, Outcome, Step};

/// How often a request is made whose answer is lost.
const ATTEMPTS: usize = 3;
/// How long an operation is waited for.
const PATIENCE: Duration = Duration::from_secs(300);
/// The pauses between looks at an operation: they double from the first to the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(25), Duration::from_secs(3)];

/// Makes one of these requests. What it comes to is the same however often it is made, but for what is added: that is
/// looked for before it is sent again.
pub(in crate::provider::cloudflare) async fn perform(cloudflare: &Cloudflare, step: &Step) -> Outcome {
    // One at a time, whatever zones they are for.
    let _turn = cloudflare.account_turn.lock().await;
    let path = match settled(cloudflare, step).await {
        Ok(path) => path,
        Err(outcome) => return outcome,
    };
    let until = Instant::now() + PATIENCE;
    let mut lost = None;
    for attempt in 1..=ATTEMPTS {
        match write(cloudflare, step, &path, until, lost.is_some()).await {
            Ok(answer) => return finished(cloudflare, &path, &answer, until).await,
            Err(Unwritten::Settled(outcome)) => return outcome,
            Err(Unwritten::Failed(ApiError::NotSent(words))) => return Outcome::NotSent(words),
            Err(Unwritten::Failed(ApiError::Refused(refusal))) => {
                let is_gone = step.method == "DELETE" && refusal.status == 404;
                if is_gone || (lost.is_some() && is_there(cloudflare, step).await == Some(true)) {
                    return Outcome::Applied;
                }
                return Outcome::Refused(refusal);
            }
            Err(Unwritten::Failed(ApiError::Lost(words))) => {
                if step.method == "POST" && attempt < ATTEMPTS {
                    match is_there(cloudflare, step).await {
                        Some(true) => return Outcome::Applied,
                        Some(false) => {}
                        None => return Outcome::Unknown(words),
                    }
                }
                lost = Some(words);
            }
        }
    }
    Outcome::Unknown(lost.unwrap_or_default())
}

/// The path with the ids of what was made a moment ago.
async fn settled(cloudflare: &Cloudflare, step: &Step) -> Result<String, Outcome> {
    let Some((before, rest)) = step.path.split_once('@') else {
        return Ok(step.path.clone());
    };
    let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let account = account_of(step);
    let not_sent = |error: &ApiError| Outcome::NotSent(format!("looking before writing: {}", error.words()));
    if name.is_empty() {
        return match api::get(&cloudflare.http, &entry_point(account)).await {
            Ok(answer) => match answer.result.get("id").and_then(Value::as_str) {
                Some(id) if convert::is_identifier(id) => Ok(format!("{before}{id}/{rest}")),
                _ => Err(Outcome::NotSent(
                    "Cloudflare tells no id of its list of rules".to_owned(),
                )),
            },
            // There is none yet: it is made with this one rule in it.
            Err(error) if rules::is_absent(&error) => Ok(entry_point(account)),
            Err(error) => Err(not_sent(&error)),
        };
    }
    let lists = api::get(&cloudflare.http, &format!("accounts/{account}/rules/lists")).await;
    let lists = lists.map_err(|error| not_sent(&error))?.result;
    let named = |list: &&Value| list.get("name") == Some(&json!(name));
    let found = lists.as_array().into_iter().flatten().find(named);
    match found.and_then(|list| list.get("id")).and_then(Value::as_str) {
        Some(id) if convert::is_identifier(id) => Ok(format!("{before}{id}/{rest}")),
        _ => Err(Outcome::NotSent(format!("the list {name} is not there any more"))),
    }
}

fn account_of(step: &Step) -> &str {
    step.path.split('/').nth(1).unwrap_or_default()
}

/// Why a write did not come about.
enum Unwritten {
    /// The request failed.
    Failed(ApiError),
    /// What was found before it decides: it was not made.
    Settled(Outcome),
}

/// One write. While an operation of somebody else is under way, no other is begun: that is waited for, and what it made
/// of the list is looked at before anything is written over it.
async fn write(
    cloudflare: &Cloudflare,
    step: &Step,
    path: &str,
    until: Instant,
    was_lost: bool,
) -> Result<Value, Unwritten> {
    let mut pause = PAUSES[0];
    loop {
        if let Some(check) = &step.check
            && let Some(outcome) = look(cloudflare, step, check, was_lost).await
        {
            return Err(Unwritten::Settled(outcome));
        }
        // A phase without rules takes them only as a whole.
        let answer = if step.method == "POST" && path == entry_point(account_of(step)) {
            let body = json!({ "rules": [step.body] });
            api::write(&cloudflare.http, "PUT", path, &body).await
        } else {
            api::write(&cloudflare.http, step.method, path, &step.body).await
        };
        match answer {
            Ok(answer) => return Ok(answer.result),
            Err(ApiError::Refused(refusal)) if is_busy(&refusal) && Instant::now() < until => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSES[1]);
            }
            Err(error) => return Err(Unwritten::Failed(error)),
        }
    }
}

/// Whether another operation on lists of this account is under way. The code is not written down anywhere; the words are.
fn is_busy(refusal: &ApiRefusal) -> bool {
    let words = refusal.message.to_ascii_lowercase();
    words.contains("operation") && words.contains("pending")
}

/// Waits for the operation that an answer names, if it names one.
async fn finished(cloudflare: &Cloudflare, path: &str, answer: &Value, until: Instant) -> Outcome {
    let Some(id) = answer.get("operation_id").and_then(Value::as_str) else {
        return if path.ends_with("/items") {
            Outcome::Unknown("Cloudflare's answer names no operation that could be waited for".to_owned())
        } else {
            Outcome::Applied
        };
    };
    let account = path.split('/').nth(1).unwrap_or_default();
    let operation = format!("accounts/{account}/rules/lists/bulk_operations/{}", segment(id));
    let mut pause = PAUSES[0];
    loop {
        let answer = match api::get(&cloudflare.http, &operation).await {
            Ok(answer) => answer.result,
            Err(error) => return Outcome::Unknown(format!("the operation was begun: {}", error.words())),
        };
        match answer.get("status").and_then(Value::as_str) {
            Some("completed") => return Outcome::Applied,
            Some("failed") => {
                let why = answer.get("error").and_then(Value::as_str).unwrap_or("no reason given");
                return Outcome::Refused(ApiRefusal {
                    status: 0,
                    code: FAILED.to_owned(),
                    message: format!(
                        "the operation on the list failed: {}",
                        text::shorten(&text::sanitize(why), 400)
                    ),
                });
            }
            _ if Instant::now() >= until => {
                let words = format!("the operation was not over after {} seconds", PATIENCE.as_secs());
                return Outcome::Unknown(words);
            }
            _ => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES[1]);
    }
}

/// Whether what a step adds is there by now; nothing when that cannot be found out.
async fn is_there(cloudflare: &Cloudflare, step: &Step) -> Option<bool> {
    let account = account_of(step);
    let bears = |value: &Value, key: &str| value.get(key).is_some() && value.get(key) == step.body.get(key);
    if step.path.ends_with("/rules/lists") {
        let answer = api::get(&cloudflare.http, &step.path).await.ok()?;
        return Some(answer.result.as_array()?.iter().any(|list| bears(list, "name")));
    }
    match api::get(&cloudflare.http, &entry_point(account)).await {
        Ok(answer) => {
            let rules = answer.result.get("rules").and_then(Value::as_array);
            Some(rules.into_iter().flatten().any(|rule| bears(rule, "ref")))
        }
        Err(error) if rules::is_absent(&error) => Some(false),
        Err(_) => None,
    }
}

/// Looks whether the list is still what was read. `None` when it is, and the step may be made. When an answer was lost,
/// what moved the list may have been the step itself.
async fn look(cloudflare: &Cloudflare, step: &Step, check: &Check, was_lost: bool) -> Option<Outcome> {
    let now = match api::get(&cloudflare.http, &check.path).await {
        Ok(answer) => version_of(&answer.result),
        // Where there is no list any more, none can be lost.
        Err(ApiError::Refused(refusal)) if step.method == "DELETE" && refusal.status == 404 => return None,
        Err(ApiError::Refused(refusal)) => return Some(Outcome::Refused(refusal)),
        Err(error) if was_lost => return Some(Outcome::Unknown(format!("looking what was lost: {}", error.words()))),
        Err(error) => return Some(Outcome::NotSent(format!("looking before writing: {}", error.words()))),
    };
    if check.version.as_ref() == Some(&now) {
        return None;
    }
    if was_lost && step.method == "PUT" {
        match holds(cloudflare, check, &step.body).await {
            Some(true) => return Some(Outcome::Applied),
            Some(false) => {}
            None => return Some(Outcome::Unknown("the list's rows could not be read again".to_owned())),
        }
    }
    Some(Outcome::Refused(ApiRefusal {
        status: 409,
        code: rules::MOVED.to_owned(),
        message: "somebody changed this list since it was read: nothing was written, so nothing is lost".to_owned(),
    }))
}

/// Whether a list holds exactly these rows; nothing when that cannot be found out.
async fn holds(cloudflare: &Cloudflare, check: &Check, wished: &Value) -> Option<bool> {
    let (account, list) = check.path.strip_prefix("accounts/")?.split_once("/rules/lists/")?;
    let items = reading::all_items(cloudflare, account, list).await.ok()?;
    let in_order = |items: &[Value]| {
        let mut rows: Vec<ListedRedirect> = items.iter().map(row).collect::<Result<_, _>>().ok()?;
        rows.sort_by(|a, b| a.from.cmp(&b.from));
        Some(rows)
    };
    Some(in_order(&items)? == in_order(wished.as_array()?)?)
}
