//! What is wrong with a spec as a whole though each of its parts is right: contradictions within a zone, and what its
//! provider can never hold. One subject a file. Errors are what no provider would take or what would harm; warnings are
//! what is allowed and probably not meant.

mod beside;
mod duplicates;
mod edge;
mod holding;
mod mail;
mod names;
mod targets;
mod uptime;
mod whole;

use std::collections::BTreeMap;
use std::ops::Range;

use super::lower::uptime::DeclaredUptime;
use super::lower::{DeclaredZone, Findings};
use crate::model::name::DomainName;

pub(super) use mail::check as mail;

/// The codes of the warnings that a spec can say are meant; a provider adds its own.
pub(super) const ACCEPTABLE: &[&str] = edge::CODES;

/// Judges one zone, in view of all: where each is named.
pub(super) fn zone(zone: &DeclaredZone<'_>, all: &BTreeMap<DomainName, Range<usize>>, findings: &mut Findings<'_>) {
    beside::check(zone, findings);
    duplicates::check(zone, findings);
    edge::check(zone, findings);
    holding::check(zone, findings);
    names::check(zone, all, findings);
    targets::check(zone, findings);
    whole::check(zone, findings);
}

/// Judges the checks, in view of all zones.
pub(super) fn uptime(uptime: &DeclaredUptime, zones: &[DeclaredZone<'_>], findings: &mut Findings<'_>) {
    uptime::check(uptime, zones, findings);
}
