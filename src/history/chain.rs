//! What several runs amount to: what is owned after them, which are still open, and what one piece of work (a run with
//! the cut-off runs that it continues) has changed from its start to its end. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::record::{Run, RunId, RunStatus, Shift};
use crate::model::address::Address;
use crate::model::resource::Resource;
use crate::model::rule::RuleKind;
use crate::model::scope::ScopeName;
use crate::plan::diff::LeftRule;
use crate::plan::{Owned, OwnedMark, carried_out};

/// Where a reading found what it was about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// The ids that zones and accounts bear. One that is not known is empty.
    pub ids: BTreeMap<ScopeName, String>,
    /// The provider of the checks, when there are any.
    pub checks: Option<String>,
}

/// What runs have left at a place that is no longer the one: another zone of the same name, another account, another
/// provider of checks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftElsewhere {
    /// The scope that was at that place.
    pub scope: ScopeName,
    /// The provider there.
    pub provider: String,
    /// The id of the zone or account there.
    pub id: String,
}

/// What the runs have left and nobody has let go, where the scopes are now. What was left at another place is not
/// owned here; it is returned too, as long as nothing of its scope is owned here yet.
pub fn owned(runs: &[Run], now: &Whereabouts) -> (Owned, BTreeMap<LeftElsewhere, BTreeSet<Address>>) {
    let mut owned = Owned::new();
    let mut elsewhere: BTreeMap<LeftElsewhere, BTreeSet<Address>> = BTreeMap::new();
    for run in runs {
        let account = run.account();
        let changed: BTreeSet<&Address> = run.record.changes.iter().map(|change| &change.address).collect();
        for (address, shift) in &run.record.ownership {
            if changed.contains(address) && !account.applied.contains(address) {
                continue;
            }
            if let Some(place) = moved(run, address, now) {
                let there = elsewhere.entry(place).or_default();
                if shift.after.is_some() {
                    there.insert(address.clone());
                } else {
                    there.remove(address);
                }
                owned.remove(address);
                continue;
            }
            match &shift.after {
                Some(mark) => owned.insert(address.clone(), mark.clone()),
                None => owned.remove(address),
            };
        }
    }
    let is_taken = |scope: &ScopeName| owned.keys().any(|address| address.scope() == scope.as_str());
    elsewhere.retain(|place, left| !left.is_empty() && !is_taken(&place.scope));
    (owned, elsewhere)
}

/// The addresses that runs have left and nobody has let go, whatever zone bears the name now: what a reading has to
/// look at so that [`owned`] can be told from what is gone.
pub fn left(runs: &[Run]) -> BTreeSet<Address> {
    let mut left = BTreeSet::new();
    for (address, shift) in runs.iter().flat_map(|run| &run.record.ownership) {
        if shift.after.is_some() {
            left.insert(address.clone());
        } else {
            left.remove(address);
        }
    }
    // What a run that did not get to its end may have changed is looked at too, whoever it belongs to.
    let open = open(runs).into_iter().flat_map(|run| &run.record.changes);
    left.extend(open.map(|change| change.address.clone()));
    left
}

/// Every address that any of the runs was about, whatever became of it.
pub fn ever(runs: &[Run]) -> BTreeSet<Address> {
    let changed = |run: &Run| {
        run.record
            .changes
            .iter()
            .map(|change| change.address.clone())
            .collect::<Vec<_>>()
    };
    let owned = runs.iter().flat_map(|run| run.record.ownership.keys().cloned());
    owned.chain(runs.iter().flat_map(changed)).collect()
}

/// The last form in which the runs left each address that is still there by their account.
pub fn last_forms(runs: &[Run]) -> BTreeMap<Address, Resource> {
    let mut forms = BTreeMap::new();
    for run in runs {
        let not_done = run.account().not_done;
        let made = run.record.changes.iter();
        forms = carried_out(forms, made.filter(|change| !not_done.contains(&change.address)));
    }
    forms
}

/// By what the rules that runs changed or took over are known again, whoever has made them.
pub fn rules_left(runs: &[Run]) -> BTreeMap<Address, LeftRule> {
    let mut left: BTreeMap<Address, LeftRule> = BTreeMap::new();
    for run in runs {
        let account = run.account();
        for change in &run.record.changes {
            let rule = |side: &Option<Resource>| side.as_ref().and_then(Resource::as_rule).cloned();
            let (before, after) = (rule(&change.before), rule(&change.after));
            let there = if account.not_done.contains(&change.address) {
                before
            } else {
                after.or(before)
            };
            if let Some(rule) = there {
                left.entry(change.address.clone()).or_default().reference = rule.reference;
            }
        }
        let rules = |(address, _): &(&Address, &Shift)| RuleKind::of(address).is_some();
        for (address, shift) in run.record.ownership.iter().filter(rules) {
            if !account.not_done.contains(address) {
                let print = shift.after.as_ref().map(|mark| mark.fingerprint.clone());
                left.entry(address.clone()).or_default().fingerprint = print;
            }
        }
    }
    left
}

/// Where `address` was, when that is not where its scope is now. A run that made its zone and was cut off never came to
/// know its id, and some providers give an account none.
fn moved(run: &Run, address: &Address, now: &Whereabouts) -> Option<LeftElsewhere> {
    let scope = address.scope_name()?;
    let (id, current) = (run.zone_ids().remove(&scope)?, now.ids.get(&scope)?);
    let provider = &run.record.zones.get(&scope)?.provider;
    let is_known = !id.is_empty() && !current.is_empty();
    let is_other = scope == ScopeName::Uptime && now.checks.as_ref().is_some_and(|checks| checks != provider);
    (is_other || (is_known && id != *current)).then(|| LeftElsewhere {
        scope,
        provider: provider.clone(),
        id,
    })
}

/// The ids under which zones and accounts were last seen.
pub fn known_ids(runs: &[Run]) -> BTreeMap<ScopeName, String> {
    let zones = runs.iter().flat_map(Run::zone_ids);
    zones.filter(|(_, id)| !id.is_empty()).collect()
}

/// Runs that did not get to their end and that no later run has taken up. One that was refused before it had done
/// anything leaves nothing to take up.
pub fn open(runs: &[Run]) -> Vec<&Run> {
    // A run that did nothing (refused, stopped before its first request) has taken nothing up.
    let took_up = |run: &&Run| {
        let account = run.account();
        run.is_complete() || !account.applied.is_empty() || !account.unknown.is_empty()
    };
    let taken_up: BTreeSet<&RunId> = runs
        .iter()
        .filter(took_up)
        .flat_map(|run| run.record.continues.iter().chain(&run.record.undoes))
        .collect();
    let is_open = |run: &Run| match run.status() {
        RunStatus::Applied => false,
        RunStatus::Unfinished | RunStatus::Unknown => true,
        RunStatus::Failed | RunStatus::Stopped => !run.account().applied.is_empty(),
    };
    runs.iter()
        .filter(|run| is_open(run) && !taken_up.contains(run.id()))
        .collect()
}

/// What an address was before a piece of work and what it was left as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Before.
    pub before: Option<Resource>,
    /// After.
    pub after: Option<Resource>,
    /// Whether it may have been left halfway: a request that carried a part of it was lost, or never made.
    pub is_unsure: bool,
}

/// A run with the runs it continues, as one piece of work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// What was or may have been changed.
    pub traces: BTreeMap<Address, Trace>,
    /// How ownership shifted, from its start to its end.
    pub ownership: BTreeMap<Address, Shift>,
    /// The zones it was done on, by the ids they had.
    pub zones: BTreeMap<ScopeName, String>,
}

/// The piece of work that ends with `run`.
pub fn work(runs: &[Run], run: &RunId) -> Work {
    let mut work = Work::default();
    for run in parts(runs, run) {
        let account = run.account();
        for change in run
            .record
            .changes
            .iter()
            .filter(|change| !account.not_done.contains(&change.address))
        {
            work.traces
                .entry(change.address.clone())
                .and_modify(|trace| {
                    trace.after.clone_from(&change.after);
                    trace.is_unsure = account.unknown.contains(&change.address);
                })
                .or_insert_with(|| Trace {
                    before: change.before.clone(),
                    after: change.after.clone(),
                    is_unsure: account.unknown.contains(&change.address),
                });
        }
        for (address, shift) in &run.record.ownership {
            if account.not_done.contains(address) {
                continue;
            }
            let after: &Option<OwnedMark> = &shift.after;
            work.ownership
                .entry(address.clone())
                .and_modify(|whole| whole.after.clone_from(after))
                .or_insert_with(|| shift.clone());
        }
        work.zones.extend(run.zone_ids());
    }
    work
}

/// The runs that make up a piece of work, oldest first.
fn parts<'a>(runs: &'a [Run], last: &RunId) -> Vec<&'a Run> {
    let mut wanted: BTreeSet<&RunId> = BTreeSet::new();
    let mut open = vec![last];
    while let Some(id) = open.pop() {
        if let Some(run) = runs.iter().find(|run| run.id() == id)
            && wanted.insert(run.id())
        {
            open.extend(&run.record.continues);
        }
    }
    runs.iter().filter(|run| wanted.contains(run.id())).collect()
}
