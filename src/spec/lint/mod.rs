//! What is wrong with a spec as a whole though each of its parts is right: contradictions within a zone, and what its
//! provider can never hold. One subject a file. Errors are what no provider would take or what would harm; warnings are
//! what is allowed and probably not meant.

mod beside;
mod circles;
mod credentials;
mod duplicates;
mod edge;
mod hidden;
mod holding;
mod mail;
mod names;
mod redirect_list;
mod targets;
mod uptime;
mod whole;

use std::collections::BTreeMap;
use std::ops::Range;

use super::lower::uptime::DeclaredUptime;
use super::lower::{DeclaredZone, Findings};
use crate::base::diagnostic::Diagnostic;
use crate::base::text;
use crate::model::name::DomainName;

pub(super) use mail::check as mail;

/// The codes of the warnings that a spec can say are meant; a provider adds its own.
pub(super) fn acceptable() -> impl Iterator<Item = &'static str> {
    edge::CODES
        .iter()
        .chain(credentials::CODES)
        .chain(hidden::CODES)
        .chain(redirect_list::CODES)
        .copied()
}

/// How many findings of one kind in a file are said one by one.
const FEW: usize = 20;

/// Says what was found in a file: the first few each by itself, the others in number.
pub(super) fn few(found: Vec<Diagnostic>, what: &str, findings: &mut Findings<'_>) {
    let more = found.len().saturating_sub(FEW);
    let mut rest = None;
    for (at, finding) in found.into_iter().enumerate() {
        if at < FEW {
            findings.push(finding);
        } else {
            rest.get_or_insert(finding);
        }
    }
    if let Some(first) = rest {
        let words = format!(
            "{} more {what} like those before are wrong, from here on",
            text::grouped(more)
        );
        let mut finding = Diagnostic::error("more-of-these", words);
        finding.place = first.place;
        findings.push(finding);
    }
}

/// The same for the checks.
pub(super) const OF_UPTIME: &[&str] = uptime::CODES;

/// Judges one zone, in view of all: where each is named.
pub(super) fn zone(zone: &DeclaredZone<'_>, all: &BTreeMap<DomainName, Range<usize>>, findings: &mut Findings<'_>) {
    beside::check(zone, findings);
    circles::check(zone, findings);
    credentials::check(zone, findings);
    duplicates::check(zone, findings);
    edge::check(zone, findings);
    hidden::check(zone, findings);
    holding::check(zone, findings);
    names::check(zone, all, findings);
    redirect_list::check(zone, findings);
    targets::check(zone, findings);
    whole::check(zone, findings);
}

/// Judges the checks, in view of all zones.
pub(super) fn uptime(uptime: &DeclaredUptime, zones: &[DeclaredZone<'_>], findings: &mut Findings<'_>) {
    uptime::check(uptime, zones, findings);
}
