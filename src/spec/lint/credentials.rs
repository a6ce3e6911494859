//! Credentials that are written into rules: a rule stands in plans and in the history, and so does what it sets.

use super::edge::warn;
use crate::base::diagnostic::Diagnostic;
use crate::base::few_eyes::is_credential;
use crate::model::rule::{HeaderChange, RuleAction};
use crate::spec::lower::{DeclaredZone, Findings};

/// The codes of the warnings here.
pub(super) const CODES: &[&str] = &["credential-in-rule"];

pub(super) fn check(zone: &DeclaredZone<'_>, findings: &mut Findings<'_>) {
    for rule in &zone.rules {
        let RuleAction::Headers { changes } = &rule.rule.action else {
            continue;
        };
        let is_one = |(name, change): &(&String, &HeaderChange)| match change {
            HeaderChange::Set(value) | HeaderChange::Add(value) => is_credential(name, value),
            HeaderChange::SetExpression(_) | HeaderChange::Remove => false,
        };
        let Some((header, _)) = changes.iter().find(is_one) else {
            continue;
        };
        let words = format!(
            "the header `{header}` gets what looks like a credential: it will stand in plans and in the history, \
             wherever it comes from"
        );
        let finding = Diagnostic::warning("credential-in-rule", words)
            .at(findings.place(&rule.name))
            .about(rule.rule.address().as_str());
        warn(zone, finding, findings);
    }
}
