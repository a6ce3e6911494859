//! What a run leaves: the plan with its before-images, written before anything is done, and a journal that grows by one
//! line before each request and one after. Nothing secret is in either.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::address::Address;
use crate::model::scope::ScopeName;
use crate::plan::saved::SavedZone;
use crate::plan::{Action, Change, OwnedMark};

/// The version of both files' form.
pub const FORMAT: u32 = 1;

/// The name of a run: the time it began, so that names sort by time. `20261124-161502-123`, in UTC.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

/// Why a text names no run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no run: one looks like 20261124-161502-123 (`launchctl history` lists them)")]
pub struct RunIdError(String);

impl RunId {
    /// Reads a name. It becomes part of a path, so nothing but digits and hyphens is let through.
    pub fn parse(text: &str) -> Result<Self, RunIdError> {
        let parts: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let digits = parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()));
        let id = Self(text.to_owned());
        // A name that is no time could not be followed by a later one.
        if lengths == [8, 6, 3] && digits && id.time().is_some() {
            Ok(id)
        } else {
            Err(RunIdError(crate::base::text::shorten(
                &crate::base::text::sanitize(text),
                60,
            )))
        }
    }

    /// The name of a run that begins `at`, later than `last` by its name whatever the clock says.
    pub fn at(at: Timestamp, last: Option<&Self>) -> Self {
        let mut at = at;
        loop {
            let time = at.to_zoned(jiff::tz::TimeZone::UTC);
            let id = Self(format!("{}-{:03}", time.strftime("%Y%m%d-%H%M%S"), time.millisecond()));
            if last.is_none_or(|last| id > *last) {
                return id;
            }
            // A clock set back must not sort a later run before an earlier one.
            let next = last.and_then(Self::time).unwrap_or(at).max(at);
            at = next.checked_add(jiff::SignedDuration::from_millis(1)).unwrap_or(next);
            if at == next {
                return id;
            }
        }
    }

    fn time(&self) -> Option<Timestamp> {
        let (second, millisecond) = self.0.rsplit_once('-')?;
        let time = jiff::civil::DateTime::strptime("%Y%m%d-%H%M%S", second).ok()?;
        let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        time.checked_add(jiff::SignedDuration::from_millis(millisecond.parse().ok()?))
            .ok()
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RunId {
    type Error = RunIdError;
    fn try_from(text: String) -> Result<Self, RunIdError> {
        Self::parse(&text)
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

/// What a run set out to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// To make live what a spec declares.
    Apply,
    /// To make live what was there before another run.
    Rollback,
}

impl RunKind {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Rollback => "rollback",
        }
    }
}

/// How what an address belongs to shifts with a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// Before the run.
    pub before: Option<OwnedMark>,
    /// After it.
    pub after: Option<OwnedMark>,
}

/// The plan of a run: `plan.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The version of this form.
    pub format: u32,
    /// Its name.
    pub run: RunId,
    /// What it set out to do.
    pub kind: RunKind,
    /// The spec's file name: one folder may serve several specs, and what one left is not another's to remove.
    pub spec: String,
    /// The run that it undoes, for a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<RunId>,
    /// Runs right before it that were cut off or failed: together they are one piece of work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub continues: Vec<RunId>,
    /// When it began.
    pub started: Timestamp,
    /// The zones it was planned on, and `uptime` where it was one of them.
    pub zones: BTreeMap<ScopeName, SavedZone>,
    /// The changes.
    pub changes: Vec<Change>,
    /// How many requests carry a change that one alone cannot; all others are carried by one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spread: BTreeMap<Address, usize>,
    /// What becomes owned, or stops being so. For a changed address once the change is done, for others at once.
    pub ownership: BTreeMap<Address, Shift>,
}

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was written.
    pub at: Timestamp,
    /// What it says.
    #[serde(flatten)]
    pub event: Event,
}

/// What a line of a journal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A request is about to be made.
    Intent {
        /// Its number in the run.
        step: usize,
        /// Who it goes to.
        provider: String,
        /// What it does.
        summary: String,
        /// The addresses it carries.
        addresses: Vec<Address>,
    },
    /// What became of it.
    Outcome {
        /// Its number in the run.
        step: usize,
        /// In one word.
        result: StepResult,
        /// The provider's code.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        code: String,
        /// What was said.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
    },
    /// What looking again has shown, after an answer was lost or a request refused.
    Looked {
        /// The request's number in the run.
        step: usize,
        /// In one word.
        result: StepResult,
    },
    /// The run is over.
    Finished {
        /// How it ended.
        status: RunStatus,
        /// What was done.
        applied: BTreeSet<Address>,
        /// What may or may not have been done.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        unknown: BTreeSet<Address>,
        /// How many requests the whole command made.
        requests: usize,
        /// The ids of zones that it made, which were not known when it began.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        made: BTreeMap<ScopeName, String>,
    },
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepResult {
    /// It was done.
    Applied,
    /// Nothing was done.
    Nothing,
    /// The provider refused it; nothing was done.
    Refused,
    /// It may have been done.
    Unknown,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Everything was done.
    Applied,
    /// Something was refused or could not be sent.
    Failed,
    /// Something may or may not have been done.
    Unknown,
    /// A person stopped it.
    Stopped,
    /// Its journal has no end: the process was cut off.
    Unfinished,
}

impl RunStatus {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Stopped => "stopped",
            Self::Unfinished => "unfinished",
        }
    }
}

/// A run as it is found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its plan.
    pub record: RunRecord,
    /// Its journal.
    pub journal: Vec<Entry>,
}

/// What is known of a run's changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Done.
    pub applied: BTreeSet<Address>,
    /// Perhaps done.
    pub unknown: BTreeSet<Address>,
    /// Not done.
    pub not_done: BTreeSet<Address>,
}

impl Run {
    /// Its name.
    pub fn id(&self) -> &RunId {
        &self.record.run
    }

    /// How it ended.
    pub fn status(&self) -> RunStatus {
        self.journal
            .iter()
            .rev()
            .find_map(|entry| match &entry.event {
                Event::Finished { status, .. } => Some(*status),
                _ => None,
            })
            .unwrap_or(RunStatus::Unfinished)
    }

    /// Whether all it set out to do is done.
    pub fn is_complete(&self) -> bool {
        self.status() == RunStatus::Applied
    }

    /// The ids of the zones that it worked on, those that it made included. One that is not known is empty.
    pub fn zone_ids(&self) -> BTreeMap<ScopeName, String> {
        let saved = self
            .record
            .zones
            .iter()
            .map(|(zone, saved)| (zone.clone(), saved.id.clone()));
        let mut ids: BTreeMap<ScopeName, String> = saved.collect();
        for entry in &self.journal {
            if let Event::Finished { made, .. } = &entry.event {
                ids.extend(made.clone());
            }
        }
        ids
    }

    /// How many requests its command made, when it got to count them.
    pub fn requests(&self) -> Option<usize> {
        self.journal.iter().find_map(|entry| match entry.event {
            Event::Finished { requests, .. } => Some(requests),
            _ => None,
        })
    }

    /// How many changes of a kind it set out to make.
    pub fn count(&self, action: Action) -> usize {
        self.record
            .changes
            .iter()
            .filter(|change| change.action() == action)
            .count()
    }

    /// What is known of its changes: from its last line, or pieced together from the lines of a run that was cut off.
    pub fn account(&self) -> Account {
        let all: BTreeSet<Address> = self
            .record
            .changes
            .iter()
            .map(|change| change.address.clone())
            .collect();
        let (applied, unknown) = self.finished().unwrap_or_else(|| self.pieced_together());
        let not_done = all
            .iter()
            .filter(|address| !applied.contains(*address) && !unknown.contains(*address));
        Account {
            not_done: not_done.cloned().collect(),
            applied,
            unknown,
        }
    }

    fn finished(&self) -> Option<(BTreeSet<Address>, BTreeSet<Address>)> {
        self.journal.iter().find_map(|entry| match &entry.event {
            Event::Finished { applied, unknown, .. } => Some((applied.clone(), unknown.clone())),
            _ => None,
        })
    }

    fn pieced_together(&self) -> (BTreeSet<Address>, BTreeSet<Address>) {
        let mut carried: BTreeMap<usize, (&[Address], StepResult)> = BTreeMap::new();
        for entry in &self.journal {
            match &entry.event {
                Event::Intent { step, addresses, .. } => {
                    carried.insert(*step, (addresses, StepResult::Unknown));
                }
                Event::Outcome { step, result, .. } | Event::Looked { step, result } => {
                    if let Some(known) = carried.get_mut(step) {
                        known.1 = *result;
                    }
                }
                Event::Finished { .. } => {}
            }
        }
        let mut applied: BTreeMap<&Address, usize> = BTreeMap::new();
        let mut unknown: BTreeSet<Address> = BTreeSet::new();
        for (addresses, result) in carried.values() {
            for address in *addresses {
                match result {
                    StepResult::Applied => *applied.entry(address).or_default() += 1,
                    StepResult::Unknown => {
                        unknown.insert(address.clone());
                    }
                    StepResult::Nothing | StepResult::Refused => {}
                }
            }
        }
        // Carried by several requests, of which only some were made: neither done nor not done.
        let wanted = |address: &Address| self.record.spread.get(address).copied().unwrap_or(1);
        let (whole, part): (Vec<_>, Vec<_>) = applied
            .into_iter()
            .partition(|(address, made)| *made >= wanted(address));
        unknown.extend(part.into_iter().map(|(address, _)| address.clone()));
        let whole = whole.into_iter().map(|(address, _)| address.clone());
        let applied = whole.filter(|address| !unknown.contains(address)).collect();
        (applied, unknown)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time_even_when_the_clock_is_set_back() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let first = RunId::at(at("2026-11-24T16:15:02.123Z"), None);
        assert_eq!(first.as_str(), "20261124-161502-123");
        let same = RunId::at(at("2026-11-24T16:15:02.123Z"), Some(&first));
        assert_eq!(same.as_str(), "20261124-161502-124");
        let back = RunId::at(at("2020-01-01T00:00:00Z"), Some(&same));
        assert_eq!(back.as_str(), "20261124-161502-125");
        assert_eq!(RunId::parse(back.as_str()).unwrap(), back);
    }

    #[test]
    fn a_name_can_be_no_path() {
        for bad in [
            "",
            "..",
            "20261124-161502",
            "20261124-161502-123/..",
            "2026112a-161502-123",
            "99999999-999999-999",
        ] {
            assert!(RunId::parse(bad).is_err(), "{bad}");
        }
    }
}
