//! Rules that never count, since another one of the same list covers all of their requests: an earlier one where the
//! first that fits ends it, a later one where the last that fits wins. Said only where it is certain.

use super::edge::warn;
use crate::base::diagnostic::Diagnostic;
use crate::model::rule::{HeaderChange, RuleAction, RuleKind};
use crate::spec::lower::{DeclaredRule, DeclaredZone, Findings};

/// The codes of the warnings here.
pub(super) const CODES: &[&str] = &["hidden-redirect", "hidden-rule"];

pub(super) fn check(zone: &DeclaredZone<'_>, findings: &mut Findings<'_>) {
    for kind in RuleKind::ALL {
        let rules: Vec<&DeclaredRule> = zone.rules.iter().filter(|rule| rule.rule.kind == *kind).collect();
        for (at, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.rule.enabled) {
            let earlier = rules[..at].iter().find(|other| other.rule.enabled && ends(other, rule));
            let later = rules[at + 1..]
                .iter()
                .find(|other| other.rule.enabled && overrides(other, rule));
            if let Some(other) = earlier {
                say(zone, rule, other, true, findings);
            } else if let Some(other) = later {
                say(zone, rule, other, false, findings);
            }
        }
    }
}

fn say(
    zone: &DeclaredZone<'_>,
    rule: &DeclaredRule,
    other: &DeclaredRule,
    is_earlier: bool,
    findings: &mut Findings<'_>,
) {
    let noun = rule.rule.kind.noun();
    let (code, words) = match (rule.rule.kind, is_earlier) {
        (RuleKind::Redirect, _) => (
            "hidden-redirect",
            "an earlier redirect covers all of this, so it is never reached".to_owned(),
        ),
        (_, true) => (
            "hidden-rule",
            format!("an earlier {noun} blocks all of these requests, so this one is never reached"),
        ),
        (_, false) => (
            "hidden-rule",
            format!("a later {noun} covers all of these requests and says the same things, so this one has no effect"),
        ),
    };
    let place = rule.from.as_ref().map_or(&rule.name, |(_, place)| place);
    let (label, help) = if is_earlier {
        ("the earlier one", "put the special one before the general one")
    } else {
        ("the later one", "put the general one before the special one")
    };
    let finding = Diagnostic::warning(code, words)
        .at(findings.place(place))
        .related(findings.place(&other.name), label)
        .about(rule.rule.address().as_str())
        .help(help);
    warn(zone, finding, findings);
}

/// Whether every request that the second is about is one that the first is about.
fn covers(first: &DeclaredRule, second: &DeclaredRule) -> bool {
    if first.rule.expression == second.rule.expression || first.rule.expression == "true" {
        return true;
    }
    match (&first.from, &second.from, &first.matching, &second.matching) {
        (Some((first, _)), Some((second, _)), ..) => first.covers(second),
        (.., Some(first), Some(second)) => first.covers(second),
        _ => false,
    }
}

/// Whether a rule ends every request that a later one is about.
fn ends(earlier: &DeclaredRule, rule: &DeclaredRule) -> bool {
    let is_end = match &earlier.rule.action {
        RuleAction::Redirect { .. } => true,
        RuleAction::Filter { verdict } => verdict == "block",
        _ => false,
    };
    is_end && covers(earlier, rule)
}

/// Whether a rule says everything otherwise that an earlier one said of the same requests.
fn overrides(later: &DeclaredRule, rule: &DeclaredRule) -> bool {
    let says_all = match (&later.rule.action, &rule.rule.action) {
        (
            RuleAction::Cache {
                eligible,
                edge,
                browser,
            },
            RuleAction::Cache {
                edge: old_edge,
                browser: old_browser,
                ..
            },
        ) => {
            let is_never = *eligible == Some(false);
            is_never || ((old_edge.is_none() || edge.is_some()) && (old_browser.is_none() || browser.is_some()))
        }
        (RuleAction::Configure { settings }, RuleAction::Configure { settings: old }) => {
            old.keys().all(|id| settings.contains_key(id))
        }
        (RuleAction::Headers { changes }, RuleAction::Headers { changes: old }) => old.keys().all(|name| {
            changes
                .iter()
                .any(|(other, change)| other.eq_ignore_ascii_case(name) && !matches!(change, HeaderChange::Add(_)))
        }),
        _ => false,
    };
    says_all && covers(later, rule)
}
