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

/// What the runs have left and nobody has let go, on the zones that bear these ids now. What was left in another zone
/// of the same name is not owned here; those zones are returned too.
pub fn owned(runs: &[Run], ids: &BTreeMap<ScopeName, String>) -> (Owned, BTreeSet<ScopeName>) {
    let mut owned = Owned::new();
    let mut elsewhere = BTreeSet::new();
    for run in runs {
        let account = run.account();
        let changed: BTreeSet<&Address> = run.record.changes.iter().map(|change| &change.address).collect();
        for (address, shift) in &run.record.ownership {
            if changed.contains(address) && !account.applied.contains(address) {
                continue;
            }
            if let Some(scope) = moved(run, address, ids) {
                if shift.after.is_some() {
                    elsewhere.insert(scope);
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
    elsewhere.retain(|scope| !owned.keys().any(|address| address.scope() == scope.as_str()));
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

/// The scope of `address`, when this run knew it under another id than the one it has now: another zone of that name,
/// another account. A run that made its zone and was cut off never came to know its id, and some providers give an
/// account none.
fn moved(run: &Run, address: &Address, ids: &BTreeMap<ScopeName, String>) -> Option<ScopeName> {
    let scope = address.scope_name()?;
    let (then, now) = (run.zone_ids().remove(&scope)?, ids.get(&scope)?);
    let is_known = !then.is_empty() && !now.is_empty();
    (is_known && then != *now).then_some(scope)
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
