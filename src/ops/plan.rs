//! `plan`: the spec compared with what is live and with what earlier runs left, up to the requests that an apply would
//! make. Reads only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::base::{digest, files, text};
use crate::history::chain::{LeftElsewhere, Whereabouts};
use crate::history::{Run, RunId, Store as _, chain};
use crate::model::address::Address;
use crate::model::inventory::Desired;
use crate::model::name::DomainName;
use crate::model::resource::Resource;
use crate::model::scope::ScopeName;
use crate::ops::problem::Problem;
use crate::ops::session::{Session, Setting};
use crate::plan::diff::{Bounds, policy_of};
use crate::plan::saved::{SavedPlan, SavedZone};
use crate::plan::{Change, Owned, Plan, Refusal, Selection, Sides, Warning, diff};
use crate::provider::{Reading, Review, Step};

/// How a plan is narrowed and bounded.
#[derive(Debug, Clone, Default)]
pub struct Narrow {
    /// `--target` and `--except`.
    pub selection: Selection,
    /// `--allow-deletes`.
    pub allow_deletes: Option<usize>,
}

/// A plan and everything that it was computed from.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// The requests that would carry it out.
    pub steps: Vec<Step>,
    /// What was read.
    pub reading: Reading,
    /// What earlier runs left.
    pub owned: Owned,
    /// The runs of this spec.
    pub runs: Vec<Run>,
    /// What it is a plan of.
    pub basis: Basis,
}

/// What a plan is a plan of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// The spec.
    Spec,
    /// A saved plan with so many changes.
    Saved(usize),
    /// The way back from a run.
    Undo(RunId),
}

impl Planned {
    /// What is as declared and was nobody's: from now on it belongs to this spec.
    pub fn newly_owned(&self) -> impl Iterator<Item = &Address> {
        self.plan
            .adopted
            .keys()
            .filter(|address| !self.owned.contains_key(*address))
    }
}

/// Compares.
pub async fn plan(session: &Session, narrow: &Narrow) -> Result<Planned, Problem> {
    let everything = session.store.all_runs()?;
    let (runs, others): (Vec<Run>, Vec<Run>) = everything
        .into_iter()
        .partition(|run| run.record.spec == session.spec_name);
    let reading = session.read(&session.extent(&runs), &runs, []).await?;
    let now = whereabouts(&reading);
    let (owned, elsewhere) = chain::owned(&runs, &now);
    let mut desired = session.spec.desired.clone();
    let given_up = adapt(session, &mut desired, &reading);
    let sides = Sides {
        desired: &desired,
        live: &reading.live,
        owned: &owned,
    };
    let bounds = Bounds {
        spared: owned_by(others, &now),
        selection: narrow.selection.clone(),
        allow_deletes: narrow.allow_deletes,
        guard_deletes: true,
    };
    let mut plan = diff(sides, &bounds);
    plan.refusals.extend(given_up.refusals);
    plan.warnings.extend(given_up.warnings);
    plan.warnings
        .extend(elsewhere.iter().map(|left| left_behind(left, &now)));
    for rollout in session.spec.mail.values().filter_map(|mail| mail.rollout.as_ref()) {
        plan.warnings
            .push(Warning::about(&rollout.address, "dmarc-rollout", rollout.in_words()));
    }
    let known = desired.inventory.keys().chain(&desired.absent);
    any_is_meant(
        &narrow.selection,
        known.chain(reading.live.inventory.keys()).chain(owned.keys()),
    )?;
    Ok(finish(session, plan, reading, owned, runs, Basis::Spec).await)
}

/// Lets every provider say what it can hold of what is desired.
fn adapt(session: &Session, desired: &mut Desired, reading: &Reading) -> Review {
    let mut given_up = Review::default();
    for provider in session.providers.values() {
        let review = provider.adapt(desired, reading);
        given_up.refusals.extend(review.refusals);
        given_up.warnings.extend(review.warnings);
    }
    given_up
}

/// What earlier runs left at another place is not ours to change here. Checks go on there and tell people, so it says
/// which, and how one is rid of them.
fn left_behind((place, left): (&LeftElsewhere, &BTreeSet<Address>), now: &Whereabouts) -> Warning {
    let ScopeName::Zone(zone) = &place.scope else {
        const SHOWN: usize = 6;
        let mut names: Vec<&str> = left.iter().take(SHOWN).map(Address::as_str).collect();
        let more = (left.len() > SHOWN).then(|| format!("{} more", left.len() - SHOWN));
        names.extend(more.as_deref());
        let provider = &place.provider;
        let there = if now.checks.as_ref() == Some(provider) {
            format!("in another account at {provider}")
        } else {
            format!("at {provider}")
        };
        let message = format!(
            "what earlier runs left {there} is not touched and goes on: {}; to be rid of it, apply the spec there once \
             with `checks: []` and `contacts: {{}}`, then move",
            names.join(", ")
        );
        return Warning::general("left-behind", message);
    };
    let message =
        format!("earlier runs worked on another zone called {zone} (another id): what they left is not taken for ours");
    Warning::general("another-zone", message)
}

/// What these runs, of other specs in the same history, have left.
fn owned_by(others: Vec<Run>, now: &Whereabouts) -> BTreeSet<Address> {
    let mut specs: BTreeMap<String, Vec<Run>> = BTreeMap::new();
    for run in others {
        specs.entry(run.record.spec.clone()).or_default().push(run);
    }
    let owned = specs.values().flat_map(|runs| chain::owned(runs, now).0.into_keys());
    owned.collect()
}

/// A glob that covers nothing is a slip, and an empty plan would look like an answer.
pub(crate) fn any_is_meant<'a>(selection: &Selection, known: impl Iterator<Item = &'a Address>) -> Result<(), Problem> {
    let known: Vec<&Address> = known.collect();
    for glob in selection.only.iter().chain(&selection.except) {
        if !known.iter().any(|address| address.is_covered_by(glob)) {
            return Err(
                Problem::new("no-target", format!("nothing bears an address like {glob}"))
                    .help("addresses look like acme.example/dns/CNAME/www; `launchctl plan --json` lists them"),
            );
        }
    }
    Ok(())
}

/// Where a stand-in refuses what the plan of its zone does not have, nobody can move the zone: says how it is rehearsed on
/// a larger one.
pub(super) fn name_zone_plan(refusals: &mut [Refusal]) {
    let is_of_plan = |refusal: &&mut Refusal| refusal.code.ends_with("-of-plan") || refusal.code.ends_with("-quota");
    for refusal in refusals.iter_mut().filter(is_of_plan) {
        refusal
            .help
            .push_str("; a zone of the sandbox has the plan that `rehearse --zone-plan` names, such as pro");
    }
}

/// Adds what the providers have to say, and the requests. What can be tried out without changing anything is tried out,
/// unless something stands against the plan already.
pub async fn finish(
    session: &Session,
    mut plan: Plan,
    reading: Reading,
    owned: Owned,
    runs: Vec<Run>,
    basis: Basis,
) -> Planned {
    for (name, provider) in &session.providers {
        let review = provider.review(&of_provider(session, &reading, &plan.changes, name), &reading);
        plan.refusals.extend(review.refusals);
        plan.warnings.extend(review.warnings);
    }
    let steps = steps(session, &plan.changes, &reading);
    if plan.refusals.is_empty() {
        for (name, provider) in &session.providers {
            let its: Vec<Step> = steps.iter().filter(|step| step.provider == name).cloned().collect();
            let review = provider.try_out(&its).await;
            plan.refusals.extend(review.refusals);
            plan.warnings.extend(review.warnings);
        }
    }
    plan.warnings.extend(reading.warnings.iter().cloned());
    plan.warnings.retain(|warning| !is_accepted(session, warning));
    plan.warnings.extend(
        chain::open(&runs)
            .into_iter()
            .map(|run| unfinished(run, &session.setting)),
    );
    if session.sandbox.is_some() {
        name_zone_plan(&mut plan.refusals);
    }
    plan.warnings.sort();
    plan.refusals.sort();
    Planned {
        plan,
        steps,
        reading,
        owned,
        runs,
        basis,
    }
}

/// Whether the spec says of a warning that it was read and is meant.
fn is_accepted(session: &Session, warning: &Warning) -> bool {
    warning
        .address
        .as_ref()
        .and_then(|address| policy_of(&session.spec.desired, address))
        .and_then(|policy| policy.accept)
        .is_some_and(|accept| accept.contains(&warning.code))
}

/// The requests that carry out `changes`, by all providers.
pub fn steps(session: &Session, changes: &[Change], reading: &Reading) -> Vec<Step> {
    let mut steps = Vec::new();
    for (name, provider) in &session.providers {
        steps.extend(provider.steps(&of_provider(session, reading, changes, name), reading));
    }
    steps
}

/// The changes that are a provider's to make. A zone that the spec no longer names is the provider's that has read it.
fn of_provider(session: &Session, reading: &Reading, changes: &[Change], name: &str) -> Vec<Change> {
    let only = session.providers.len() == 1;
    let is_its = |change: &&Change| match policy_of(&session.spec.desired, &change.address) {
        Some(policy) => policy.provider == name,
        None => match change.address.scope_name() {
            Some(ScopeName::Zone(zone)) => only && reading.zones.contains_key(&zone),
            Some(ScopeName::Uptime) => reading.uptime.as_ref().is_some_and(|facts| facts.provider == name),
            None => false,
        },
    };
    changes.iter().filter(is_its).cloned().collect()
}

/// How to go on after a run that was cut off, and how to go back.
fn way_on(run: &Run, setting: &Setting) -> String {
    let undo = setting.command(&format!("rollback {}", run.id()));
    match &run.record.undoes {
        Some(undone) => {
            let again = setting.command(&format!("rollback {undone}"));
            format!("`{again}` finishes it, `{undo}` takes it back")
        }
        None => format!("apply again to finish, or undo it with `{undo}`"),
    }
}

fn unfinished(run: &Run, setting: &Setting) -> Warning {
    let account = run.account();
    let part = |number: usize, what: &str| format!("{number} {what}");
    let known = [
        part(account.applied.len(), "applied"),
        part(account.unknown.len(), "unknown"),
        part(account.not_done.len(), "not done"),
    ];
    let kind = run.record.kind.as_str();
    Warning::general(
        "unfinished-run",
        format!(
            "the {kind} of run {} did not get to its end ({}): {}",
            run.id(),
            known.join(", "),
            way_on(run, setting)
        ),
    )
}

/// A resource in a few words, for a sentence about it.
pub(crate) fn in_words(resource: Option<&Resource>) -> String {
    let words = match resource {
        None => "not there".to_owned(),
        Some(Resource::RecordSet(set)) => {
            let records = set.records.iter();
            let all: Vec<String> = records
                .map(|record| text::shorten(&record.data.to_string(), 60))
                .collect();
            all.join(", ")
        }
        Some(Resource::Rule(rule)) => format!("a rule for {}", text::sanitize(&rule.expression)),
        Some(Resource::RedirectList(list)) => format!("a list of {}", text::count(list.rows.len(), "redirect")),
        Some(Resource::Setting(setting)) => match &setting.value {
            serde_json::Value::String(word) => text::sanitize(word).into_owned(),
            value => text::sanitize(&value.to_string()).into_owned(),
        },
        Some(Resource::Zone(_)) => "there".to_owned(),
        Some(Resource::Monitor(monitor)) => format!("the monitor \"{}\"", text::sanitize(&monitor.name)),
        Some(Resource::Maintenance(maintenance)) => maintenance.window.to_string(),
        Some(Resource::Contact(contact)) => format!("a contact by {}", text::sanitize(contact.channel.kind())),
    };
    text::shorten(&words, 120)
}

/// The ids of the zones that were read, and of the account of checks.
pub fn ids(reading: &Reading) -> BTreeMap<ScopeName, String> {
    let zones = reading.zones.iter();
    let zones = zones.map(|(zone, facts)| (zone.clone().into(), facts.id.clone()));
    let uptime = reading.uptime.iter();
    zones
        .chain(uptime.map(|facts| (ScopeName::Uptime, facts.account.clone())))
        .collect()
}

/// Where a reading found everything.
pub fn whereabouts(reading: &Reading) -> Whereabouts {
    Whereabouts {
        ids: ids(reading),
        checks: reading.uptime.as_ref().map(|facts| facts.provider.to_owned()),
    }
}

/// The zones that were read, as runs and saved plans keep them.
pub fn saved_zones(session: &Session, reading: &Reading) -> BTreeMap<ScopeName, SavedZone> {
    let zone = |(zone, facts): (&DomainName, &crate::provider::ZoneFacts)| {
        let policy = session.spec.desired.zones.get(zone);
        let provider = policy.map(|policy| policy.provider.clone());
        let provider = provider
            .or_else(|| session.providers.keys().next().cloned())
            .unwrap_or_default();
        (
            zone.clone().into(),
            SavedZone {
                provider,
                id: facts.id.clone(),
                protect: policy.map(|policy| policy.protect.clone()).unwrap_or_default(),
            },
        )
    };
    let uptime = reading.uptime.iter().map(|facts| {
        let saved = SavedZone {
            provider: facts.provider.to_owned(),
            id: facts.account.clone(),
            protect: Vec::new(),
        };
        (ScopeName::Uptime, saved)
    });
    reading.zones.iter().map(zone).chain(uptime).collect()
}

/// Keeps a plan in a file for a later apply.
pub fn save(session: &Session, planned: &Planned, narrow: &Narrow, path: &Path) -> Result<(), Problem> {
    if !planned.plan.refusals.is_empty() {
        return Err(Problem::Refused(planned.plan.refusals.clone()));
    }
    if let Ok(there) = path.symlink_metadata() {
        let same = |other: &Path| {
            path.canonicalize()
                .ok()
                .zip(other.canonicalize().ok())
                .is_some_and(|(a, b)| a == b)
        };
        if !there.is_file() || same(&session.setting.spec) {
            let why = if there.is_file() {
                "is the spec itself"
            } else {
                "is no plain file"
            };
            return Err(Problem::new(
                "arguments",
                format!("a plan cannot be kept in `{}`: it {why}", path.display()),
            )
            .help("name a file of its own, such as reviewed.json"));
        }
    }
    let zones = saved_zones(session, &planned.reading);
    let mut saved = SavedPlan::new(
        &planned.plan,
        session.spec_name.clone(),
        digest::sha256_hex(session.spec.source.text.as_bytes()),
        session.setting.clock.now(),
        zones
            .into_iter()
            .map(|(zone, saved)| (zone.to_string(), saved))
            .collect(),
    );
    saved.allow_deletes = narrow.allow_deletes;
    let text = saved
        .to_text()
        .map_err(|error| Problem::new("saved-plan", error.to_string()))?;
    Ok(files::write_atomic(path, text.as_bytes())?)
}
