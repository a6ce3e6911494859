//! The stable JSON of `mail check` and `dkim new`, described in `schemas/`.

use serde_json::{Value, json};

use crate::base::diagnostic::Severity;
use crate::base::text::sanitize;
use crate::mail::spf::Evaluation;
use crate::mail::spf::analyse::{Branch, State};
use crate::mail::spf::trace::{RecordTrace, Step};
use crate::ops::dkim::NewKey;
use crate::ops::mail::Checked;
use crate::ui::mail_view::Asked;

/// `mail check --json`.
pub fn check(checked: &Checked) -> Value {
    let findings = checked.judgement.findings.iter().map(|finding| {
        json!({
            "id": finding.id,
            "severity": finding.severity.as_str(),
            "accepted": checked.is_accepted(finding),
            "name": sanitize(&finding.name),
            "message": finding.message,
            "evidence": finding.evidence,
            "fix": {
                "instruction": sanitize(&finding.fix.instruction),
                "record": finding.fix.record.as_ref().map(|record| json!({
                    "name": sanitize(&record.name), "type": record.kind, "remove": record.remove, "add": record.add,
                })),
                "spec": finding.fix.spec.as_ref().map(|(path, value)| json!({ "path": path, "value": value })),
            },
        })
    });
    let spf = checked.facts.spf.iter().map(|spf| {
        json!({
            "name": spf.name.as_str(),
            "lookups": spf.analysis.lookups,
            "voids": { "ip4": spf.analysis.voids.ip4, "ip6": spf.analysis.voids.ip6 },
            "ip4_addresses": spf.analysis.ip4_addresses(),
            "complete": spf.analysis.unknown.is_empty(),
            "tree": branch(&spf.analysis.tree),
        })
    });
    json!({
        "format": 1,
        "domain": checked.domain.as_str(),
        "resolver": checked.resolver,
        "at": checked.at,
        "declared": checked.is_declared,
        "ok": checked.count(Severity::Error) == 0 && checked.judgement.unknown.is_empty(),
        "summary": {
            "error": checked.count(Severity::Error),
            "warning": checked.count(Severity::Warning),
            "info": checked.count(Severity::Info),
            "unknown": checked.judgement.unknown.len(),
        },
        "notes": checked.notes,
        "spf": spf.collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
        "unknown": checked.judgement.unknown.iter()
            .map(|unknown| json!({ "id": unknown.id, "why": unknown.why }))
            .collect::<Vec<_>>(),
    })
}

fn branch(record: &Branch) -> Value {
    let (state, text) = match &record.state {
        State::Record(text) => ("record", Some(text)),
        State::Missing => ("missing", None),
        State::Several(_) => ("several", None),
        State::Malformed(text, _) => ("malformed", Some(text)),
        State::Unknown(why) => ("unknown", Some(why)),
        State::Loop => ("loop", None),
        State::Depends => ("depends", None),
        State::Cut => ("cut", None),
    };
    json!({
        "domain": sanitize(&record.domain),
        "state": state,
        "text": text.map(|text| sanitize(text)),
        "octets": record.octets,
        "terms": record.terms.iter().map(|term| json!({
            "term": sanitize(&term.term),
            "lookups": term.lookups,
            "voids": { "ip4": term.voids.ip4, "ip6": term.voids.ip6 },
            "dead": term.is_dead,
            "leads_to": term.nested.as_deref().map(branch),
        })).collect::<Vec<_>>(),
    })
}

/// `mail check --ip … --json`.
pub fn trace(asked: &Asked<'_>, evaluation: &Evaluation) -> Value {
    json!({
        "format": 1,
        "ip": asked.ip,
        "from": asked.sender,
        "helo": asked.helo,
        "resolver": asked.resolver,
        "result": evaluation.outcome.as_str(),
        "problem": evaluation.problem.as_deref().map(sanitize),
        "explanation": evaluation.explanation.as_deref().map(sanitize),
        "lookups": evaluation.lookups,
        "voids": evaluation.voids,
        "trace": record(&evaluation.trace),
    })
}

fn record(trace: &RecordTrace) -> Value {
    json!({
        "domain": sanitize(&trace.domain),
        "record": trace.record.as_deref().map(sanitize),
        "result": trace.outcome.as_str(),
        "problem": trace.problem.as_deref().map(sanitize),
        "terms": trace.terms.iter().map(|term| {
            let (step, result, why) = match &term.step {
                Step::Matched(outcome) => ("matched", Some(outcome), None),
                Step::NotMatched => ("not_matched", None, None),
                Step::Redirected(outcome) => ("redirected", Some(outcome), None),
                Step::Stopped(outcome, why) => ("stopped", Some(outcome), Some(sanitize(why))),
            };
            json!({
                "term": sanitize(&term.term),
                "step": step,
                "result": result.map(|outcome| outcome.as_str()),
                "why": why,
                "lookups": term.lookups,
                "asked": term.asked.iter().map(|asked| json!({
                    "type": asked.question.as_str(), "name": sanitize(&asked.name), "answer": sanitize(&asked.answer),
                })).collect::<Vec<_>>(),
                "leads_to": term.nested.as_deref().map(record),
            })
        }).collect::<Vec<_>>(),
    })
}

/// `dkim new --json`.
pub fn new_key(key: &NewKey) -> Value {
    let mut made = json!({
        "format": 1,
        "selector": key.selector,
        "record": key.record,
        "fingerprint": key.fingerprint,
        "private_key": key.kept.in_words(),
    });
    if let Some(zone) = &key.zone {
        made["zone"] = json!(zone.to_string());
    }
    made
}
