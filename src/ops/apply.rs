//! `apply`: a plan carried out as a run. First everything is prepared and shown to whoever asks; only then, with the
//! lock still held, is anything sent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::apply::{self, Progress, Report, Work};
use crate::base::{files, text};
use crate::history::chain::Whereabouts;
use crate::history::lock::Lock;
use crate::history::record::{FORMAT, Shift};
use crate::history::{Entry, Event, RunId, RunKind, RunRecord, RunStatus, Store as _, chain};
use crate::model::address::Address;
use crate::model::resource::Resource;
use crate::model::scope::ScopeName;
use crate::ops::plan::{self, Basis, Narrow, Planned};
use crate::ops::problem::Problem;
use crate::ops::session::Session;
use crate::plan::change::fingerprint;
use crate::plan::diff::Bounds;
use crate::plan::saved::{SavedPlan, SavedPlanError};
use crate::plan::{Change, OwnedMark, Plan, Refusal, Selection, Sides, Warning, conflict, guard};
use crate::provider::{News, Reading};

/// The largest saved plan that is read, in bytes.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Everything ready to be carried out, the lock held.
#[derive(Debug)]
pub struct Ready {
    /// What will be done.
    pub planned: Planned,
    /// What kind of run it will be.
    pub kind: RunKind,
    /// The run that it undoes.
    pub undoes: Option<RunId>,
    /// How ownership shifts where no change tells it. For a rollback: for every address.
    pub shifts: BTreeMap<Address, Shift>,
    /// Held until the run is over.
    pub lock: Lock,
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The run, unless there was nothing to do and nothing to remember.
    pub run: Option<RunId>,
    /// What became of the changes; `None` when there were none.
    pub report: Option<Report>,
    /// How many requests the whole command made, reading included.
    pub requests: usize,
    /// The command that undoes it, when there is something to undo.
    pub undo: Option<String>,
    /// Why the journal does not tell all of it, when it could not be written to its end.
    pub journal: Option<String>,
    /// What is for somebody to do now, such as at the registrar.
    pub news: Vec<String>,
}

/// Prepares an apply of the spec.
pub async fn prepare(session: &Session, narrow: &Narrow) -> Result<Ready, Problem> {
    let lock = session.store.lock()?;
    let planned = plan::plan(session, narrow).await?;
    Ok(Ready {
        planned,
        kind: RunKind::Apply,
        undoes: None,
        shifts: BTreeMap::new(),
        lock,
    })
}

/// Prepares an apply of a saved plan. What was reviewed is done or nothing: an address whose live value is neither what
/// was reviewed nor what it was to become is refused, and named.
pub async fn prepare_saved(session: &Session, path: &Path, allow_deletes: Option<usize>) -> Result<Ready, Problem> {
    let saved = read_saved(session, path)?;
    let lock = session.store.lock()?;
    let runs = session.runs()?;
    let spoken = saved.changes.iter().map(|change| &change.address);
    let reading = session.read(&session.extent(&runs), &runs, spoken).await?;
    let now = plan::whereabouts(&reading);
    let (owned, _) = chain::owned(&runs, &now);
    let reviewed = saved.changes.len();
    let allowed = allow_deletes.or(saved.allow_deletes);
    let digest = crate::base::digest::sha256_hex(session.spec.source.text.as_bytes());
    let is_edited = digest != saved.spec_digest;
    let mut plan = as_reviewed(saved, &reading, &now);
    let sides = Sides {
        desired: &session.spec.desired,
        live: &reading.live,
        owned: &owned,
    };
    plan.refusals.extend(guard::protected(&sides, &plan.changes));
    plan.refusals
        .extend(conflict::conflicts(&reading.live.inventory, &plan.changes));
    plan.refusals
        .extend(guard::too_many_deletes(&sides, &plan.changes, allowed));
    if is_edited {
        let words = "the spec was edited after this plan was saved: what is applied is what was reviewed";
        plan.warnings.push(Warning::general("spec-edited", words));
    }
    let done = reviewed - plan.changes.len();
    if done > 0 && plan.refusals.is_empty() && !plan.changes.is_empty() {
        let be = if done == 1 { "is" } else { "are" };
        let words = format!(
            "{done} of the {} {be} live already",
            text::count(reviewed, "reviewed change")
        );
        plan.warnings.push(Warning::general("live-already", words));
    }
    let planned = plan::finish(session, plan, reading, owned, runs, Basis::Saved(reviewed)).await;
    Ok(Ready {
        planned,
        kind: RunKind::Apply,
        undoes: None,
        shifts: BTreeMap::new(),
        lock,
    })
}

/// The saved plan, when it is one of this spec.
fn read_saved(session: &Session, path: &Path) -> Result<SavedPlan, Problem> {
    let text = files::read_text(path, LARGEST)?;
    let saved = SavedPlan::from_text(&text).map_err(|error| match error {
        SavedPlanError::Shape(_) if !text.trim_start().starts_with('{') => {
            Problem::new("saved-plan", format!("`{}` is no saved plan", path.display())).help(format!(
                "`apply FILE` takes what `plan --out FILE` saved; a spec is named with --spec {}",
                path.display()
            ))
        }
        other => Problem::from(other),
    })?;
    if saved.spec == session.spec_name {
        return Ok(saved);
    }
    let words = format!(
        "this plan was made from `{}`, not from `{}`",
        saved.spec, session.spec_name
    );
    Err(Problem::new("other-spec", words).help(format!("name it with --spec {}", saved.spec)))
}

/// Of what was reviewed, what is still to be done; with a refusal for everything that is no longer as it was seen.
fn as_reviewed(saved: SavedPlan, reading: &Reading, now: &Whereabouts) -> Plan {
    let live = &reading.live.inventory;
    let mut plan = Plan {
        unmanaged: saved.unmanaged,
        ..Plan::default()
    };
    for (name, then) in &saved.zones {
        let id = now.ids.iter().find(|(known, _)| known.as_str() == name);
        let is_there = id.is_some_and(|(_, id)| *id == then.id);
        // Some providers of checks give an account no id.
        let checks = now.checks.as_ref().filter(|_| name == ScopeName::Uptime.as_str());
        if !is_there || checks.is_some_and(|provider| *provider != then.provider) {
            plan.refusals.push(stale_zone(name));
        }
    }
    for change in saved.changes {
        let live = live.get(&change.address);
        match (sight(&change, live), &change.after) {
            (Some(true), Some(after)) => {
                plan.adopted.insert(change.address.clone(), fingerprint(after));
            }
            (Some(true), None) => {}
            (Some(false), _) => plan.changes.push(change),
            (None, _) => plan.refusals.push(stale(&change, live)),
        }
    }
    let is_so =
        |(address, print): &(Address, String)| live.get(address).is_some_and(|live| fingerprint(live) == *print);
    plan.adopted.extend(saved.adopted.into_iter().filter(is_so));
    let is_gone = |address: &Address| !live.contains_key(address);
    plan.released = saved.released.into_iter().filter(is_gone).collect();
    plan
}

/// Whether a reviewed change is made already (true) or can be made as it was reviewed (false).
fn sight(change: &Change, live: Option<&Resource>) -> Option<bool> {
    if live == change.before.as_ref() {
        return Some(false);
    }
    let is_met = match (&change.after, live) {
        (Some(after), Some(live)) => after.is_met_by(live),
        (after, live) => after.as_ref() == live,
    };
    is_met.then_some(true)
}

fn stale(change: &Change, live: Option<&Resource>) -> Refusal {
    let (then, now) = (plan::in_words(change.before.as_ref()), plan::in_words(live));
    let differs = if then == now {
        format!("it is {now}, and something in it is no longer as it was")
    } else {
        format!("it was {then}, it is {now}")
    };
    Refusal {
        address: Some(change.address.clone()),
        code: "stale".to_owned(),
        message: format!("its live value is no longer what was reviewed: {differs}"),
        help: "make a new plan and review it".to_owned(),
    }
}

fn stale_zone(name: &str) -> Refusal {
    Refusal {
        address: None,
        code: "stale".to_owned(),
        message: format!(
            "{name} is no longer what was reviewed: it has another id or provider, or the spec no longer names it"
        ),
        help: "make a new plan and review it".to_owned(),
    }
}

/// Makes the requests, as a run. `watch` is told of each.
pub async fn carry_out(
    session: &Session,
    ready: Ready,
    watch: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Outcome, Problem> {
    let Ready {
        planned,
        kind,
        undoes,
        shifts,
        lock,
    } = ready;
    if !planned.plan.refusals.is_empty() {
        return Err(Problem::Refused(planned.plan.refusals));
    }
    // An apply takes up whatever was left open; a way back only what an earlier attempt of the same way back left.
    let open: Vec<RunId> = chain::open(&planned.runs)
        .into_iter()
        .filter(|run| kind == RunKind::Apply || run.record.undoes == undoes)
        .map(|run| run.id().clone())
        .collect();
    let is_news = planned.plan.has_news_for_history() || !open.is_empty() || !shifts.is_empty();
    if planned.plan.is_empty() && !is_news {
        return Ok(Outcome {
            run: None,
            report: None,
            requests: session.requests(),
            undo: None,
            journal: None,
            news: Vec::new(),
        });
    }
    let record = record(session, &planned, kind, undoes, open, shifts)?;
    let run = record.run.clone();
    let mut journal = session.store.begin(&record)?;
    let clock = session.setting.clock;
    let work = Work {
        providers: &session.providers,
        changes: &planned.plan.changes,
        steps: &planned.steps,
        ids: &plan::ids(&planned.reading),
        sought: planned.reading.uptime.as_ref().map(|facts| &facts.sought),
        clock,
        stop: &session.setting.stop,
        watch,
    };
    let (report, mut lost) = apply::carry_out(&work, journal.as_mut()).await;
    let requests = session.requests();
    let news = news(session);
    let finished = Event::Finished {
        status: report.status,
        applied: report.applied.clone(),
        unknown: report.unknown.keys().cloned().collect(),
        requests,
        made: news.made.into_iter().map(|(zone, id)| (zone.into(), id)).collect(),
    };
    if lost.is_none() {
        let entry = Entry {
            at: clock.now(),
            event: finished,
        };
        lost = journal.write(&entry).err();
    }
    drop(lock);
    let is_told = !planned.plan.is_empty() || report.status != RunStatus::Applied || lost.is_some();
    let report = is_told.then_some(report);
    let undoable = report
        .as_ref()
        .is_some_and(|report| !report.applied.is_empty() || !report.unknown.is_empty());
    let undo = undoable.then(|| session.setting.command(&format!("rollback {run}")));
    Ok(Outcome {
        run: Some(run),
        report,
        requests,
        undo,
        journal: lost.map(|error| error.to_string()),
        news: news.words,
    })
}

/// What the providers have to tell once a run is over.
fn news(session: &Session) -> News {
    let mut all = News::default();
    for provider in session.providers.values() {
        let news = provider.news();
        all.words.extend(news.words);
        all.made.extend(news.made);
    }
    all
}

/// What is kept of a run before its first request.
fn record(
    session: &Session,
    planned: &Planned,
    kind: RunKind,
    undoes: Option<RunId>,
    open: Vec<RunId>,
    shifts: BTreeMap<Address, Shift>,
) -> Result<RunRecord, Problem> {
    let started = session.setting.clock.now();
    // Later than every run in the folder, another spec's too: no two share a folder.
    let run = RunId::at(started, session.store.latest()?.as_ref());
    Ok(RunRecord {
        format: FORMAT,
        kind,
        spec: session.spec_name.clone(),
        continues: open.into_iter().filter(|id| Some(id) != undoes.as_ref()).collect(),
        undoes,
        started,
        zones: plan::saved_zones(session, &planned.reading),
        changes: planned.plan.changes.clone(),
        spread: apply::spread(&planned.plan.changes, &planned.steps),
        ownership: ownership(planned, &run, kind, shifts),
        run,
    })
}

/// How what is owned shifts with the run.
fn ownership(
    planned: &Planned,
    run: &RunId,
    kind: RunKind,
    shifts: BTreeMap<Address, Shift>,
) -> BTreeMap<Address, Shift> {
    if kind == RunKind::Rollback {
        return shifts;
    }
    let mark = |fingerprint: String| OwnedMark {
        fingerprint,
        run: run.to_string(),
        found: false,
    };
    let before = |address: &Address| planned.owned.get(address).cloned();
    let mut all = BTreeMap::new();
    for change in &planned.plan.changes {
        let after = change.after.as_ref().map(|after| mark(fingerprint(after)));
        all.insert(
            change.address.clone(),
            Shift {
                before: before(&change.address),
                after,
            },
        );
    }
    for (address, print) in &planned.plan.adopted {
        let was = before(address);
        // What nobody owned was there already; what was owned stays what it was.
        let found = was.as_ref().is_none_or(|mark| mark.found);
        let after = OwnedMark {
            found,
            ..mark(print.clone())
        };
        all.insert(
            address.clone(),
            Shift {
                before: was,
                after: Some(after),
            },
        );
    }
    for address in &planned.plan.released {
        all.insert(
            address.clone(),
            Shift {
                before: before(address),
                after: None,
            },
        );
    }
    all
}

/// The bounds of a plan that deletes only what a run has made.
pub(crate) fn unguarded(selection: &Selection) -> Bounds {
    Bounds {
        selection: selection.clone(),
        allow_deletes: None,
        spared: BTreeSet::new(),
        guard_deletes: false,
    }
}
