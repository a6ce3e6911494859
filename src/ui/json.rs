//! The stable JSON of the design, described in `schemas/`: what machines read of plans, runs and findings.

use serde_json::{Value, json};

use crate::base::diagnostic::Place;
use crate::base::secret::scrub;
use crate::history::{Run, RunStatus};
use crate::ops::Planned;
use crate::ops::apply::Outcome;
use crate::ops::validate::Validated;
use crate::plan::Action;
use crate::plan::{Change, Warning};

/// One line of JSON, without any credential that may have strayed into it.
pub fn text(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    scrub(&text).into_owned() + "\n"
}

/// `plan --json`.
pub fn plan(planned: &Planned, spec: &str) -> Value {
    let plan = &planned.plan;
    json!({
        "format": 1,
        "spec": spec,
        "summary": {
            "create": plan.count(Action::Create),
            "update": plan.count(Action::Update),
            "delete": plan.count(Action::Delete),
            "unmanaged": plan.unmanaged.len(),
            "requests": planned.steps.iter().filter(|step| step.is_write()).count(),
        },
        "changes": plan.changes.iter().map(change).collect::<Vec<_>>(),
        "unmanaged": plan.unmanaged,
        "adopted": planned.newly_owned().collect::<Vec<_>>(),
        "warnings": plan.warnings.iter().map(warning).collect::<Vec<_>>(),
        "refusals": plan.refusals.iter().map(|refusal| json!({
            "address": refusal.address, "code": refusal.code, "message": refusal.message, "help": refusal.help,
        })).collect::<Vec<_>>(),
        "steps": planned.steps.iter().map(|step| json!({
            "provider": step.provider, "method": step.method, "summary": step.summary, "addresses": step.addresses,
        })).collect::<Vec<_>>(),
    })
}

fn change(change: &Change) -> Value {
    json!({
        "address": change.address,
        "action": change.action().as_str(),
        "before": change.before,
        "after": change.after,
        "reason": change.reason,
    })
}

fn warning(warning: &Warning) -> Value {
    json!({ "address": warning.address, "code": warning.code, "message": warning.message })
}

/// `apply --json` and `rollback --json`.
pub fn outcome(outcome: &Outcome) -> Value {
    let Some(report) = &outcome.report else {
        return json!({
            "format": 1, "run": outcome.run, "status": "nothing", "applied": [], "failed": [], "unknown": [],
            "not_attempted": [], "requests": outcome.requests, "news": outcome.news,
        });
    };
    let status = match report.status {
        RunStatus::Applied if outcome.journal.is_some() => "unknown",
        RunStatus::Applied => "applied",
        RunStatus::Unknown | RunStatus::Unfinished => "unknown",
        RunStatus::Failed | RunStatus::Stopped => "failed",
    };
    json!({
        "format": 1,
        "run": outcome.run,
        "status": status,
        "applied": report.applied,
        "failed": report.failed.iter().map(|failed| json!({
            "address": failed.address, "code": failed.code, "message": failed.message,
        })).collect::<Vec<_>>(),
        "unknown": report.unknown.keys().collect::<Vec<_>>(),
        "not_attempted": report.not_attempted,
        "requests": outcome.requests,
        "news": outcome.news,
    })
}

/// `validate --json`.
pub fn validated(validated: &Validated) -> Value {
    let findings: Vec<Value> = validated
        .findings
        .iter()
        .map(|finding| {
            json!({
                "severity": finding.severity.as_str(),
                "code": finding.code,
                "message": finding.message,
                "file": finding.place.as_ref().map(|place| &place.source.path),
                "line": finding.place.as_ref().map(Place::line),
                "column": finding.place.as_ref().map(Place::column),
                "address": finding.address,
            })
        })
        .collect();
    json!({ "format": 1, "ok": validated.ok, "findings": findings })
}

/// `history --json`.
pub fn history(runs: &[Run]) -> Value {
    json!({ "format": 1, "runs": runs.iter().map(run_summary).collect::<Vec<_>>() })
}

fn run_summary(run: &Run) -> Value {
    let account = run.account();
    json!({
        "run": run.id(),
        "kind": run.record.kind.as_str(),
        "started": run.record.started,
        "status": run.status().as_str(),
        "undoes": run.record.undoes,
        "summary": {
            "create": run.count(Action::Create),
            "update": run.count(Action::Update),
            "delete": run.count(Action::Delete),
            "applied": account.applied.len(),
            "unknown": account.unknown.len(),
            "not_done": account.not_done.len(),
            "requests": run.requests(),
        },
    })
}

/// `history RUN --json`: the same, with the changes and the journal.
pub fn run(run: &Run) -> Value {
    let mut whole = run_summary(run);
    if let Value::Object(map) = &mut whole {
        map.insert("format".to_owned(), json!(1));
        map.insert("changes".to_owned(), run.record.changes.iter().map(change).collect());
        map.insert("journal".to_owned(), json!(run.journal));
    }
    whole
}

/// A problem, for a command that was asked for JSON.
pub fn problem(code: &str, message: &str, help: Option<&str>) -> Value {
    json!({ "format": 1, "error": { "code": code, "message": message, "help": help } })
}
