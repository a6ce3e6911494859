//! Carries out the steps of a run. Those of one lane go one after another, those of different lanes and scopes at once,
//! and a scope's later stage waits for its earlier one. Before a request its intent is on disk, after it the outcome. An
//! answer that was lost is resolved by reading again; a refusal voids its whole request and ends its lane and the later
//! stages of its scope: nothing is replayed one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;

use super::settle::{Sight, sight, sight_of_all};
use crate::base::clock::Clock;
use crate::history::record::StepResult;
use crate::history::{Entry, Event, HistoryError, Journal, RunStatus};
use crate::model::address::Address;
use crate::model::inventory::Inventory;
use crate::model::scope::ScopeName;
use crate::plan::diff::LeftRule;
use crate::plan::{Change, conflict};
use crate::provider::{ApiRefusal, Outcome, Provider, Scope, Sought, Stage, Step, Stop};

/// How often a request is made at most, when looking shows each time that nothing was done.
const ATTEMPTS: u32 = 4;

/// What is to be done, and with whom.
pub struct Work<'a> {
    /// The providers by name.
    pub providers: &'a BTreeMap<String, Box<dyn Provider>>,
    /// The changes.
    pub changes: &'a [Change],
    /// The requests that carry them.
    pub steps: &'a [Step],
    /// The ids of the zones, for reading again.
    pub ids: &'a BTreeMap<ScopeName, String>,
    /// What was looked for among checks and contacts, for the same.
    pub sought: Option<&'a Sought>,
    /// Where the time comes from.
    pub clock: Clock,
    /// A wish to stop.
    pub stop: &'a Stop,
    /// Who watches.
    pub watch: &'a (dyn Fn(Progress<'_>) + Sync),
}

/// What a watcher is told.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// A request is about to be made.
    Started(&'a Step),
    /// A request is over.
    Ended(&'a Step),
    /// Its answer was lost, and we look.
    Looking(&'a Step),
}

/// A change that could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// What was to change.
    pub address: Address,
    /// The provider's code, or ours.
    pub code: String,
    /// What was said.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// In one word.
    pub status: RunStatus,
    /// Done.
    pub applied: BTreeSet<Address>,
    /// Refused, or not to be sent.
    pub failed: Vec<Failed>,
    /// Perhaps done.
    pub unknown: BTreeMap<Address, String>,
    /// Never begun, or voided with the request they were in.
    pub not_attempted: BTreeSet<Address>,
}

/// The steps of one scope: by stage, then by lane.
type Stages<'a> = BTreeMap<Stage, BTreeMap<&'a str, Vec<(usize, &'a Step)>>>;

/// What became of a lane's steps, or a whole scope's.
#[derive(Debug, Default)]
struct Lane {
    done: BTreeSet<usize>,
    failed: Vec<Failed>,
    unknown: BTreeMap<Address, String>,
    seen_done: BTreeSet<Address>,
    /// Whether it did not get to its end.
    is_cut_short: bool,
}

impl Lane {
    fn absorb(&mut self, other: Self) {
        self.done.extend(other.done);
        self.failed.extend(other.failed);
        self.unknown.extend(other.unknown);
        self.seen_done.extend(other.seen_done);
        self.is_cut_short |= other.is_cut_short;
    }
}

/// What became of one step in the end.
enum End {
    /// It was not even begun.
    NotMade,
    Done,
    Failed(Vec<Failed>),
    /// Looked at, and neither done nor not done; what was lost.
    Unknown(String, Option<Inventory>),
}

/// Makes the requests. The journal's last line is the caller's to write. When it cannot be written any more no further
/// request is made; what was done until then is in the report all the same.
pub async fn carry_out(work: &Work<'_>, journal: &mut dyn Journal) -> (Report, Option<HistoryError>) {
    let notebook = Notebook {
        journal: Mutex::new(journal),
        error: Mutex::new(None),
        clock: work.clock,
    };
    let mut scopes: BTreeMap<&ScopeName, Stages<'_>> = BTreeMap::new();
    for (number, step) in work.steps.iter().enumerate() {
        let lanes = scopes.entry(&step.scope).or_default().entry(step.stage).or_default();
        lanes.entry(step.lane.as_str()).or_default().push((number + 1, step));
    }
    let zones = join_all(scopes.into_values().map(|stages| zone(work, &notebook, stages))).await;
    let mut whole = Lane::default();
    for zone in zones {
        whole.absorb(zone);
    }
    let error = notebook.error.into_inner().unwrap_or_else(PoisonError::into_inner);
    (report(work, whole), error)
}

/// One zone, stage after stage. What fails in one lane leaves the others to their end: they are independent.
async fn zone(work: &Work<'_>, notebook: &Notebook<'_>, stages: Stages<'_>) -> Lane {
    let mut whole = Lane::default();
    for lanes in stages.into_values() {
        for one in join_all(lanes.into_values().map(|steps| lane(work, notebook, steps))).await {
            whole.absorb(one);
        }
        if whole.is_cut_short {
            break;
        }
    }
    whole
}

fn report(work: &Work<'_>, mut lane: Lane) -> Report {
    let mut applied = lane.seen_done;
    let mut not_attempted = BTreeSet::new();
    for change in work.changes {
        let address = &change.address;
        if applied.contains(address) || lane.unknown.contains_key(address) {
            continue;
        }
        // A change can be spread over several requests; it is done when all of them are.
        let carriers = carriers(work.steps, address);
        let made = carriers.iter().filter(|number| lane.done.contains(number)).count();
        if !carriers.is_empty() && made == carriers.len() {
            applied.insert(address.clone());
        } else if made > 0 {
            let mut words = format!("{made} of the {} requests that carry it were made", carriers.len());
            if let Some(failed) = lane.failed.iter().find(|failed| failed.address == *address) {
                words.push_str(&format!("; then: {}", failed.message));
            }
            lane.unknown.insert(address.clone(), words);
            lane.failed.retain(|failed| failed.address != *address);
        } else if !lane.failed.iter().any(|failed| failed.address == *address) {
            not_attempted.insert(address.clone());
        }
    }
    let status = if !lane.unknown.is_empty() {
        RunStatus::Unknown
    } else if !lane.failed.is_empty() {
        RunStatus::Failed
    } else if !not_attempted.is_empty() {
        RunStatus::Stopped
    } else {
        RunStatus::Applied
    };
    Report {
        status,
        applied,
        failed: lane.failed,
        unknown: lane.unknown,
        not_attempted,
    }
}

/// The numbers of the requests that carry a change.
fn carriers(steps: &[Step], address: &Address) -> Vec<usize> {
    let carries = |(_, step): &(usize, &Step)| step.addresses.binary_search(address).is_ok();
    steps
        .iter()
        .enumerate()
        .filter(carries)
        .map(|(number, _)| number + 1)
        .collect()
}

/// The changes that one request alone cannot carry, with how many it takes.
pub fn spread(changes: &[Change], steps: &[Step]) -> BTreeMap<Address, usize> {
    let numbers = changes
        .iter()
        .map(|change| (change.address.clone(), carriers(steps, &change.address).len()));
    numbers.filter(|(_, number)| *number > 1).collect()
}

async fn lane(work: &Work<'_>, notebook: &Notebook<'_>, steps: Vec<(usize, &Step)>) -> Lane {
    let mut lane = Lane::default();
    for (number, step) in steps {
        if work.stop.is_asked() {
            lane.is_cut_short = true;
            break;
        }
        match make(work, notebook, number, step, &lane.done).await {
            End::NotMade => {
                lane.is_cut_short = true;
                break;
            }
            End::Done => {
                lane.done.insert(number);
            }
            End::Failed(failed) => {
                lane.failed.extend(failed);
                lane.is_cut_short = true;
                break;
            }
            End::Unknown(why, live) => {
                sort_out(work, step, &why, live.as_ref(), &mut lane);
                lane.is_cut_short = true;
                break;
            }
        }
        if notebook.is_broken() {
            lane.is_cut_short = true;
            break;
        }
    }
    lane
}

/// The journal, and what has come of writing to it. Once a line could not be written none is tried any more, in no
/// lane: what cannot be written down is not done.
struct Notebook<'j> {
    journal: Mutex<&'j mut dyn Journal>,
    error: Mutex<Option<HistoryError>>,
    clock: Clock,
}

impl Notebook<'_> {
    fn is_broken(&self) -> bool {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Writes a line; false when that is not possible.
    fn note(&self, event: Event) -> bool {
        let mut error = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        if error.is_none() {
            let entry = Entry {
                at: self.clock.now(),
                event,
            };
            let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
            *error = journal.write(&entry).err();
        }
        error.is_none()
    }
}

/// After a request of which only a part seems done: what is known address by address.
fn sort_out(work: &Work<'_>, step: &Step, why: &str, live: Option<&Inventory>, lane: &mut Lane) {
    for change in carried(work, step) {
        match live.map(|live| sight(change, live)) {
            Some(Sight::Done) => {
                lane.seen_done.insert(change.address.clone());
            }
            Some(Sight::NotDone | Sight::Neither) | None => {
                lane.unknown.insert(change.address.clone(), why.to_owned());
            }
        }
    }
}

fn carried<'a>(work: &'a Work<'_>, step: &'a Step) -> impl Iterator<Item = &'a Change> {
    work.changes
        .iter()
        .filter(|change| step.addresses.binary_search(&change.address).is_ok())
}

async fn make(
    work: &Work<'_>,
    notebook: &Notebook<'_>,
    number: usize,
    step: &Step,
    made_before: &BTreeSet<usize>,
) -> End {
    let Some(provider) = work.providers.get(step.provider) else {
        return End::NotMade;
    };
    let mut attempt = 1;
    loop {
        let intent = Event::Intent {
            step: number,
            provider: step.provider.to_owned(),
            summary: step.summary.clone(),
            addresses: step.addresses.clone(),
        };
        if !notebook.note(intent) {
            return if attempt == 1 {
                End::NotMade
            } else {
                End::Failed(all_failed(
                    step,
                    "journal",
                    "nothing of it was done, and no more can be written down",
                ))
            };
        }
        (work.watch)(Progress::Started(step));
        tracing::info!("request {number} to {}: {}", step.provider, step.summary);
        let outcome = provider.perform(step).await;
        notebook.note(outcome_of(number, &outcome));
        tracing::info!("request {number}: {}", in_a_word(&outcome));
        let end = match outcome {
            Outcome::Applied => Some(End::Done),
            // Held back by the wish itself: what was not begun has not failed.
            Outcome::NotSent(_) if work.stop.is_asked() => Some(End::NotMade),
            Outcome::NotSent(words) => Some(End::Failed(all_failed(step, "not-sent", &words))),
            Outcome::Refused(refusal) => {
                (work.watch)(Progress::Looking(step));
                // What earlier requests of this run brought about says nothing of this one.
                let is_first = step.addresses.iter().all(|address| {
                    carriers(work.steps, address)
                        .iter()
                        .all(|number| !made_before.contains(number))
                });
                after_refusal(work, notebook, number, step, provider.as_ref(), &refusal, is_first).await
            }
            Outcome::Unknown(words) => {
                (work.watch)(Progress::Looking(step));
                let is_last = attempt == ATTEMPTS;
                after_loss(work, notebook, number, step, provider.as_ref(), words, is_last).await
            }
        };
        if let Some(end) = end {
            (work.watch)(Progress::Ended(step));
            return end;
        }
        if work.stop.is_asked() {
            return End::Failed(all_failed(
                step,
                "stopped",
                "stopped before it was tried again; nothing of it was done",
            ));
        }
        // The server had trouble a moment ago: give it one.
        tokio::time::sleep(Duration::from_millis(200) * 2_u32.pow(attempt)).await;
        attempt += 1;
    }
}

fn in_a_word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Applied => "applied".to_owned(),
        Outcome::Refused(refusal) => format!("refused: {refusal}"),
        Outcome::NotSent(words) => format!("not sent: {words}"),
        Outcome::Unknown(words) => format!("the answer was lost: {words}"),
    }
}

fn outcome_of(step: usize, outcome: &Outcome) -> Event {
    let (result, code, message) = match outcome {
        Outcome::Applied => (StepResult::Applied, String::new(), String::new()),
        Outcome::Refused(refusal) => (StepResult::Refused, refusal.code.clone(), refusal.message.clone()),
        Outcome::NotSent(words) => (StepResult::Nothing, String::new(), words.clone()),
        Outcome::Unknown(words) => (StepResult::Unknown, String::new(), words.clone()),
    };
    Event::Outcome {
        step,
        result,
        code,
        message,
    }
}

fn all_failed(step: &Step, code: &str, message: &str) -> Vec<Failed> {
    let failed = |address: &Address| Failed {
        address: address.clone(),
        code: code.to_owned(),
        message: message.to_owned(),
        help: None,
    };
    step.addresses.iter().map(failed).collect()
}

async fn look(work: &Work<'_>, step: &Step, provider: &dyn Provider) -> Option<Inventory> {
    let mut scope = Scope {
        spoken: step.addresses.iter().cloned().collect(),
        ..Scope::default()
    };
    let touched = |change: &&Change| step.addresses.contains(&change.address);
    for change in work.changes.iter().filter(touched) {
        let mut sides = [&change.before, &change.after].into_iter().flatten();
        let left = LeftRule {
            reference: sides.find_map(|side| side.as_rule()?.reference.clone()),
            fingerprint: None,
        };
        scope.known.left.insert(change.address.clone(), left);
    }
    match &step.scope {
        ScopeName::Zone(zone) => {
            scope.zones.push(zone.clone());
            let known = work.ids.get(&step.scope);
            scope.known_ids.extend(known.map(|id| (zone.clone(), id.clone())));
            scope
                .may_be_missing
                .extend((step.stage == Stage::Zone).then(|| zone.clone()));
        }
        ScopeName::Uptime => scope.uptime = work.sought.cloned(),
    }
    match provider.read(&scope).await {
        Ok(reading) => Some(reading.live.inventory),
        Err(error) => {
            tracing::info!("looking again failed: {error}");
            None
        }
    }
}

/// A refused request did nothing; but an earlier attempt of it, whose answer was lost, may have. Looking tells, and
/// shows which of the addresses somebody else has changed meanwhile.
async fn after_refusal(
    work: &Work<'_>,
    notebook: &Notebook<'_>,
    number: usize,
    step: &Step,
    provider: &dyn Provider,
    refusal: &ApiRefusal,
    is_first: bool,
) -> Option<End> {
    let live = look(work, step, provider).await;
    if let Some(live) = live.as_ref().filter(|_| is_first)
        && sight_of_all(carried(work, step), live) == Sight::Done
    {
        notebook.note(Event::Looked {
            step: number,
            result: StepResult::Applied,
        });
        return Some(End::Done);
    }
    let changes: Vec<Change> = carried(work, step).cloned().collect();
    let blamed = match live.map(|live| in_the_way(&changes, &live)) {
        Some(addresses) if !addresses.is_empty() => addresses,
        _ => provider.blame(step, &changes, refusal),
    };
    let code = if refusal.code.is_empty() {
        refusal.status.to_string()
    } else {
        refusal.code.clone()
    };
    let failed = |address: Address| Failed {
        address,
        code: code.clone(),
        message: refusal.message.clone(),
        help: provider.advice(refusal).map(str::to_owned),
    };
    Some(End::Failed(blamed.into_iter().map(failed).collect()))
}

/// The changes that the live world stands against by now: somebody changed what they start from, or put something
/// beside them that excludes them.
fn in_the_way(changes: &[Change], live: &Inventory) -> Vec<Address> {
    let moved = changes.iter().filter(|change| sight(change, live) != Sight::NotDone);
    let moved: BTreeSet<Address> = moved.map(|change| change.address.clone()).collect();
    let excluded = conflict::conflicts(live, changes)
        .into_iter()
        .filter_map(|refusal| refusal.address);
    moved
        .into_iter()
        .chain(excluded)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// `None` when the request may be made again: looking showed that nothing of it was done.
async fn after_loss(
    work: &Work<'_>,
    notebook: &Notebook<'_>,
    number: usize,
    step: &Step,
    provider: &dyn Provider,
    words: String,
    is_last: bool,
) -> Option<End> {
    let Some(live) = look(work, step, provider).await else {
        return Some(End::Unknown(words, None));
    };
    let (result, end) = match sight_of_all(carried(work, step), &live) {
        Sight::Done => (StepResult::Applied, Some(End::Done)),
        Sight::NotDone if is_last => (
            StepResult::Nothing,
            Some(End::Failed(all_failed(step, "no-answer", &words))),
        ),
        Sight::NotDone => (StepResult::Nothing, None),
        Sight::Neither => (StepResult::Unknown, Some(End::Unknown(words, Some(live)))),
    };
    notebook.note(Event::Looked { step: number, result });
    end
}
