//! `rollback`: a plan whose desired state is the before-image of what a run touched. There is no inverse code: the same
//! diff and the same requests lead back. What somebody changed since is shown and refused, unless it is forced.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::record::Shift;
use crate::history::{Run, RunId, RunKind, RunStatus, Store as _, chain};
use crate::model::address::Address;
use crate::model::inventory::{Desired, Inventory, Unmanaged, Unsupported, UptimePolicy, ZonePolicy};
use crate::model::monitor::stack_of;
use crate::model::redirect_list::{Lookup, RedirectList};
use crate::model::resource::Resource;
use crate::model::scope::ScopeName;
use crate::ops::apply::{Ready, unguarded};
use crate::ops::plan::{self, Basis};
use crate::ops::problem::Problem;
use crate::ops::session::{Extent, Session};
use crate::plan::{Owned, Plan, Refusal, Selection, Sides, Warning, diff};
use crate::provider::Reading;

/// Which run, and how.
#[derive(Debug, Clone, Default)]
pub struct Undo {
    /// The run; without one, the last that changed something.
    pub run: Option<RunId>,
    /// `--target` and `--except`.
    pub selection: Selection,
    /// Whether what somebody changed since is overwritten.
    pub force: bool,
}

/// Prepares the way back.
pub async fn prepare(session: &Session, undo: &Undo) -> Result<Ready, Problem> {
    let lock = session.store.lock()?;
    let runs = session.runs()?;
    let run = choose(&runs, undo.run.as_ref())?;
    let id = run.id().clone();
    let work = chain::work(&runs, &id);
    plan::any_is_meant(&undo.selection, work.traces.keys().chain(work.ownership.keys()))?;
    let extent = extent_of(session, run, &work, &runs)?;
    let reading = session.read(&extent, &runs, work.traces.keys()).await?;
    let (owned, _) = chain::owned(&runs, &plan::whereabouts(&reading));
    let desired = wish(session, &work, &extent);
    let nothing_owned = Owned::new();
    let sides = Sides {
        desired: &desired,
        live: &reading.live,
        owned: &nothing_owned,
    };
    let mut plan = diff(sides, &unguarded(&undo.selection));
    // A way back concerns what the run touched and nothing else.
    plan.unmanaged.clear();
    plan.adopted.clear();
    plan.released.clear();
    for change in &mut plan.changes {
        change.reason = format!("as it was before run {id}");
    }
    let ids = plan::ids(&reading);
    for (scope, then) in &work.zones {
        let is_another = |now: &String| !now.is_empty() && !then.is_empty() && now != then;
        if ids.get(scope).is_some_and(is_another) {
            plan.refusals.push(another_zone(scope));
        }
    }
    let checks = reading.uptime.as_ref().map(|facts| facts.provider);
    let then = planned_at(&runs, &id);
    if checks.zip(then).is_some_and(|(now, then)| now != then) {
        // Some services give an account no id, so the provider has to tell them apart.
        plan.refusals.push(another_zone(&ScopeName::Uptime));
    }
    plan.warnings.extend(without_a_past(&plan));
    look_for_other_hands(&work, &reading, undo, &later_runs(&runs, &id), &mut plan);
    let shifts = shifts_back(&work, &owned, undo);
    plan.warnings
        .extend(session.caveat.iter().map(|words| Warning::general("no-spec", words)));
    let planned = plan::finish(session, plan, reading, owned, runs, Basis::Undo(id.clone())).await;
    Ok(Ready {
        planned,
        kind: RunKind::Rollback,
        undoes: Some(id),
        shifts,
        lock,
    })
}

/// The run that is meant. Without a name: the last one that changed something, if it is an apply that nobody undid.
pub(crate) fn choose<'a>(runs: &'a [Run], wanted: Option<&RunId>) -> Result<&'a Run, Problem> {
    let see = "`launchctl history` lists the runs";
    if let Some(wanted) = wanted {
        let found = runs.iter().find(|run| run.id() == wanted);
        return found.ok_or_else(|| Problem::new("no-such-run", format!("this history has no run {wanted}")).help(see));
    }
    let changed = |run: &&Run| {
        let account = run.account();
        !account.applied.is_empty() || !account.unknown.is_empty()
    };
    let Some(last) = runs.iter().rev().find(changed) else {
        return Err(Problem::new("nothing-to-undo", "no run of this spec has changed anything yet").help(see));
    };
    if last.record.kind == RunKind::Rollback && !last.is_complete() {
        // It did not get to its end: the same way back once more finishes it.
        let undone = last.record.undoes.as_ref();
        if let Some(run) = undone.and_then(|id| runs.iter().find(|run| run.id() == id)) {
            return Ok(run);
        }
    }
    if last.record.kind == RunKind::Rollback {
        let undone = last
            .record
            .undoes
            .as_ref()
            .map_or_else(String::new, |run| format!(" (of run {run})"));
        return Err(Problem::new(
            "already-undone",
            format!(
                "the last run that changed something, {}, is itself a rollback{undone}",
                last.id()
            ),
        )
        .help(format!(
            "name the run you mean: `launchctl rollback {}` would do again what was undone; {see}",
            last.id()
        )));
    }
    Ok(last)
}

/// What the work was done on, with the providers: the spec may have lost them since.
fn extent_of(session: &Session, run: &Run, work: &chain::Work, runs: &[Run]) -> Result<Extent, Problem> {
    let desired = &session.spec.desired;
    let mut extent = Extent::default();
    let scopes = work.traces.keys().chain(work.ownership.keys());
    let scopes: BTreeSet<ScopeName> = scopes.filter_map(Address::scope_name).collect();
    for scope in scopes {
        let recorded = run.record.zones.get(&scope).map(|saved| saved.provider.clone());
        match &scope {
            ScopeName::Zone(zone) => {
                let spoken = desired.zones.get(zone).map(|policy| policy.provider.clone());
                let provider = spoken.or(recorded).ok_or_else(|| nothing_tells(&scope))?;
                extent.zones.insert(zone.clone(), provider);
            }
            ScopeName::Uptime => {
                let spoken = desired.uptime.as_ref().map(|policy| policy.provider.clone());
                let provider = spoken.or(recorded).ok_or_else(|| nothing_tells(&scope))?;
                let mut sought = session.sought(runs);
                // In the terms of what the run left: so it is known again.
                for (address, trace) in &work.traces {
                    let left = trace.after.as_ref().or(trace.before.as_ref());
                    if let Some(left) = left.filter(|_| address.scope_name().as_ref() == Some(&scope)) {
                        sought.add(address.clone(), left.clone());
                    }
                    if let Some(before) = &trace.before {
                        sought.remember(address, before);
                    }
                }
                extent.uptime = Some((provider, sought));
            }
        }
    }
    Ok(extent)
}

fn nothing_tells(scope: &ScopeName) -> Problem {
    Problem::new(
        "zone-left",
        format!("nothing tells any more which provider keeps {scope}"),
    )
    .help(format!("put {scope} back into the spec, then roll back"))
}

/// What was deleted is made anew, and what was measured with it does not come back.
fn without_a_past(plan: &Plan) -> Vec<Warning> {
    let created = plan.changes.iter().filter(|change| change.before.is_none());
    let with_a_past = created.filter(|change| change.after.as_ref().is_some_and(Resource::has_a_past));
    with_a_past
        .map(|change| {
            let words = "is made anew: what was measured before it was deleted is lost";
            Warning::about(&change.address, "history-lost", words)
        })
        .collect()
}

/// The before-images as a wish.
fn wish(session: &Session, work: &chain::Work, extent: &Extent) -> Desired {
    let mut desired = Desired::default();
    for (zone, provider) in &extent.zones {
        let protect = session
            .spec
            .desired
            .zones
            .get(zone)
            .map(|policy| policy.protect.clone())
            .unwrap_or_default();
        let policy = ZonePolicy {
            provider: provider.clone(),
            unmanaged: Unmanaged::Keep,
            protect,
            create: false,
            accept: BTreeSet::new(),
        };
        desired.zones.insert(zone.clone(), policy);
    }
    desired.uptime = extent.uptime.as_ref().map(|(provider, sought)| UptimePolicy {
        provider: provider.clone(),
        stack: sought.stack.clone(),
        unsupported: Unsupported::Refuse,
    });
    for (address, trace) in &work.traces {
        match &trace.before {
            Some(before) => {
                desired.inventory.insert(address.clone(), before.in_full());
            }
            None => {
                desired.absent.insert(address.clone());
            }
        }
    }
    desired
}

/// The provider at which a run kept its checks.
fn planned_at<'r>(runs: &'r [Run], id: &RunId) -> Option<&'r str> {
    let run = runs.iter().find(|run| run.id() == id)?;
    run.record
        .zones
        .get(&ScopeName::Uptime)
        .map(|saved| saved.provider.as_str())
}

fn another_zone(scope: &ScopeName) -> Refusal {
    let (is, instead) = match scope {
        ScopeName::Zone(zone) => (format!("{zone} is another zone by now (it has another id)"), "zone"),
        ScopeName::Uptime => (
            "the checks are in another account, or at another provider, than the run knew".to_owned(),
            "account",
        ),
    };
    Refusal {
        address: None,
        code: "another-zone".to_owned(),
        message: format!("{is}: what the run did there is gone with the old one"),
        help: format!("apply the spec to the new {instead} instead"),
    }
}

/// What is live and neither what the run left nor what it found was changed by somebody since.
fn look_for_other_hands(
    work: &chain::Work,
    reading: &Reading,
    undo: &Undo,
    later: &BTreeMap<Address, Vec<RunId>>,
    plan: &mut Plan,
) {
    let live: &Inventory = &reading.live.inventory;
    for (address, trace) in work.traces.iter().filter(|(address, _)| undo.selection.covers(address)) {
        // Where a rule stands is not what is asked: that changes with every rule that comes or goes before it.
        let now = live.get(address).map(Resource::content);
        let is = |side: &Option<Resource>| now == side.as_ref().map(Resource::content);
        if is(&trace.before) || is(&trace.after) || (trace.is_unsure && is_between(trace, live.get(address))) {
            continue;
        }
        if undo.force {
            let words = "was changed by somebody since, and is overwritten";
            plan.warnings.push(Warning::about(address, "changed-since", words));
        } else {
            plan.refusals
                .push(changed_since(address, trace, live.get(address), later.get(address)));
        }
    }
}

/// Whether nothing is live that was neither before nor after: a change left halfway, and nobody else's hand.
fn is_between(trace: &chain::Trace, now: Option<&Resource>) -> bool {
    if let Some(Resource::RedirectList(now)) = now {
        return is_between_lists(trace, now);
    }
    // A rule or a setting is written by one request.
    if now.is_some_and(|now| now.as_record_set().is_none()) {
        return false;
    }
    let records = |resource: Option<&Resource>| {
        let set = resource.and_then(Resource::as_record_set);
        set.map(|set| set.records.clone()).unwrap_or_default()
    };
    let (before, after) = (records(trace.before.as_ref()), records(trace.after.as_ref()));
    records(now)
        .iter()
        .all(|record| before.contains(record) || after.contains(record))
}

/// A list is made empty, filled at once, and then asked: rows and rule are each as before or as after.
fn is_between_lists(trace: &chain::Trace, now: &RedirectList) -> bool {
    let list = |side: &'_ Option<Resource>| side.as_ref().and_then(Resource::as_redirect_list).cloned();
    let empty = || RedirectList::new(now.zone.clone(), Vec::new(), Lookup::Missing);
    let (before, after) = (
        list(&trace.before).unwrap_or_else(empty),
        list(&trace.after).unwrap_or_else(empty),
    );
    (now.rows == before.rows || now.rows == after.rows) && (now.lookup == before.lookup || now.lookup == after.lookup)
}

fn changed_since(
    address: &Address,
    trace: &chain::Trace,
    now: Option<&Resource>,
    later: Option<&Vec<RunId>>,
) -> Refusal {
    let (left, is) = (plan::in_words(trace.after.as_ref()), plan::in_words(now));
    let differs = if left == is {
        format!("it is {is}, and something in it is not as it was left")
    } else {
        format!("it was left as {left} and is {is} now")
    };
    let (message, help) = match later.and_then(|runs| runs.last()) {
        Some(run) => (
            format!("a later run of this spec, {run}, changed it: {differs}"),
            format!("roll back {run} first, leave it out with --except {address}, or overwrite it with --force"),
        ),
        None => (
            format!("somebody changed it since that run: {differs}"),
            format!("leave it out with --except {address}, or overwrite it with --force"),
        ),
    };
    Refusal {
        address: Some(address.clone()),
        code: "changed-since".to_owned(),
        message,
        help,
    }
}

/// The runs after `run` that changed an address, oldest first.
fn later_runs(runs: &[Run], run: &RunId) -> BTreeMap<Address, Vec<RunId>> {
    let mut later: BTreeMap<Address, Vec<RunId>> = BTreeMap::new();
    for run in runs.iter().filter(|later| later.id() > run) {
        for address in run.account().applied {
            later.entry(address).or_default().push(run.id().clone());
        }
    }
    later
}

/// What was owned before the run is owned again; what it took over is let go.
fn shifts_back(work: &chain::Work, owned: &Owned, undo: &Undo) -> BTreeMap<Address, Shift> {
    let shift = |(address, shift): (&Address, &Shift)| {
        (
            address.clone(),
            Shift {
                before: owned.get(address).cloned(),
                after: shift.before.clone(),
            },
        )
    };
    let all = work
        .ownership
        .iter()
        .filter(|(address, _)| undo.selection.covers(address))
        .map(shift);
    all.filter(|(_, shift)| shift.before != shift.after).collect()
}

/// Whether undoing a run makes sense at all: one that did nothing leaves nothing to undo.
pub fn did_something(run: &Run) -> bool {
    let account = run.account();
    !account.applied.is_empty() || !account.unknown.is_empty() || run.status() == RunStatus::Unfinished
}

/// How checks were kept, by the runs that left some.
pub(super) fn uptime_of<'a>(runs: impl DoubleEndedIterator<Item = &'a Run>) -> Option<UptimePolicy> {
    runs.rev().find_map(|run| {
        let saved = run.record.zones.get(&ScopeName::Uptime)?;
        let sides = run
            .record
            .changes
            .iter()
            .flat_map(|change| [&change.before, &change.after]);
        let mut markers = sides.flatten().filter_map(Resource::marker);
        Some(UptimePolicy {
            provider: saved.provider.clone(),
            stack: markers.find_map(stack_of)?.to_owned(),
            unsupported: Unsupported::Refuse,
        })
    })
}
