//! `rehearse`: the whole road walked in the sandbox: plan, apply, plan again, roll back, compare with the start; and,
//! when asked, an apply cut off in the middle and recovered. Nothing outside this process is touched but a copy of the
//! live zone, which is only read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::apply::Progress;
use crate::base::text;
use crate::history::{Run, local};
use crate::model::address::Address;
use crate::model::inventory::Inventory;
use crate::model::name::DomainName;
use crate::model::redirect_list::RedirectList;
use crate::model::resource::Resource;
use crate::model::rule::{Place, Rule, RuleKind};
use crate::model::setting::Setting as EdgeSetting;
use crate::ops::apply::{self, Outcome};
use crate::ops::plan::{self, Narrow, Planned};
use crate::ops::problem::Problem;
use crate::ops::rollback::{self, Undo};
use crate::ops::session::{self, Session, Setting};
use crate::plan::order::arrange;
use crate::plan::{Action, Change, Selection, Warning};
use crate::provider::{self, Reading, betterstack, cloudflare, uptimerobot};
use crate::sandbox::{Fault, Options, Plan as SandboxPlan, Sandbox, World};
use crate::spec::Spec;

/// How long the stand-in takes for an answer: long enough that requests made at once are seen to be so.
const LATENCY: Duration = Duration::from_millis(20);

/// How it is rehearsed.
#[derive(Debug, Clone, Default)]
pub struct Rehearse {
    /// A spec whose records are the state to begin with, instead of the live zone.
    pub seed: Option<PathBuf>,
    /// Whether to begin empty, whatever credentials there are.
    pub empty: bool,
    /// Whether to cut an apply off in the middle.
    pub kill: bool,
    /// The plan of zones that are not copied from live ones.
    pub zone_plan: SandboxPlan,
    /// `--allow-deletes`.
    pub allow_deletes: Option<usize>,
}

/// Where the start state came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seed {
    /// A copy of the live zones, and of the account of checks.
    Live,
    /// A copy of the live zones; there are no checks, since their account could not be read; why.
    LiveZones(String),
    /// A file.
    File(PathBuf),
    /// Empty zones, as asked.
    Empty,
    /// Empty zones, since the live ones could not be read; why.
    NoAccess(String),
}

/// What was seen on one leg of the way.
#[derive(Debug, Clone)]
pub struct Leg {
    /// Requests that the stand-in got.
    pub requests: usize,
    /// How many of them had to wait for one another.
    pub one_after_another: usize,
    /// How many of them were writes.
    pub writes: usize,
}

/// What was seen.
#[derive(Debug)]
pub struct Rehearsal {
    /// Where the start state came from.
    pub seed: Seed,
    /// How many resources it held.
    pub start: usize,
    /// The plan.
    pub planned: Planned,
    /// Planning, in requests.
    pub plan_leg: Leg,
    /// The apply that was cut off, when one was.
    pub cut: Option<Cut>,
    /// The apply.
    pub applied: Option<(Outcome, Leg)>,
    /// What a second plan still wanted to change.
    pub second: Option<(Planned, Leg)>,
    /// The way back.
    pub undone: Option<(Planned, Outcome, Leg)>,
    /// What differed from the start after the way back.
    pub differences: Vec<String>,
    /// Whether everything was as it should be.
    pub ok: bool,
}

/// What was seen of an apply that was cut off.
#[derive(Debug, Clone)]
pub struct Cut {
    /// The request during which it was cut off, from 1.
    pub during: usize,
    /// Of how many.
    pub of: usize,
    /// What the next command said of it.
    pub seen: Vec<String>,
}

struct Stage {
    session: Session,
    sandbox: Sandbox,
    home: tempfile::TempDir,
    with_checks: bool,
    /// That the checks are not rehearsed, in words.
    left_out: Option<Warning>,
}

impl Stage {
    fn leg(&self) -> Leg {
        let log = self.sandbox.log();
        let leg = Leg {
            requests: log.len(),
            one_after_another: self.sandbox.serial_depth(),
            writes: log.iter().filter(|entry| entry.wrote).count(),
        };
        self.sandbox.clear_log();
        leg
    }

    /// A new process would begin like this: everything read from disk again.
    fn again(&mut self) -> Result<(), Problem> {
        self.session = Session::on(&self.session.setting, self.home.path(), &self.sandbox, self.with_checks)?;
        Ok(())
    }
}

/// Walks the road.
pub async fn rehearse(
    setting: &Setting,
    how: &Rehearse,
    watch: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Rehearsal, Problem> {
    let (mut stage, seed) = set(setting, how).await?;
    let history = stage.session.runs()?;
    let earlier = history.len();
    let before = state(&stage, &history).await?;
    stage.sandbox.clear_log();
    let narrow = Narrow {
        selection: Selection::default(),
        allow_deletes: how.allow_deletes,
    };
    let mut planned = plan::plan(&stage.session, &narrow).await?;
    planned.plan.warnings.extend(stage.left_out.take());
    let plan_leg = stage.leg();
    let mut seen = Rehearsal {
        seed,
        start: before.len(),
        planned,
        plan_leg,
        cut: None,
        applied: None,
        second: None,
        undone: None,
        differences: Vec::new(),
        ok: false,
    };
    if !seen.planned.plan.refusals.is_empty() {
        // A copy of a live zone has the plan of that.
        if !matches!(seen.seed, Seed::Live | Seed::LiveZones(_)) {
            plan::name_zone_plan(&mut seen.planned.plan.refusals);
        }
        return Ok(seen);
    }
    stage.again()?;
    if how.kill && !seen.planned.steps.is_empty() {
        seen.cut = Some(cut_off(&mut stage, &narrow, seen.planned.steps.len(), watch).await?);
        stage.again()?;
        stage.sandbox.clear_log();
    }
    let ready = apply::prepare(&stage.session, &narrow).await?;
    let outcome = apply::carry_out(&stage.session, ready, watch).await?;
    seen.applied = Some((outcome, stage.leg()));
    stage.again()?;
    let second = plan::plan(&stage.session, &Narrow::default()).await?;
    seen.second = Some((second, stage.leg()));
    stage.again()?;
    if did_anything(&stage.session, earlier)? {
        let ready = rollback::prepare(&stage.session, &Undo::default()).await?;
        let planned = ready.planned.clone();
        let outcome = apply::carry_out(&stage.session, ready, watch).await?;
        seen.undone = Some((planned, outcome, stage.leg()));
    }
    seen.differences = differences(&before, &state(&stage, &history).await?);
    seen.ok = is_as_it_should_be(&seen);
    stage.sandbox.stop().await;
    Ok(seen)
}

fn is_as_it_should_be(seen: &Rehearsal) -> bool {
    let done = |outcome: &Outcome| {
        outcome
            .report
            .as_ref()
            .is_none_or(|report| report.status == crate::history::RunStatus::Applied)
    };
    let applied = seen.applied.as_ref().is_some_and(|(outcome, _)| done(outcome));
    // What receivers may still hold the way to goes with a later apply.
    let kept = |change: &Change| {
        let mut warnings = seen.planned.plan.warnings.iter();
        warnings.any(|one| one.code == "spf-parts-kept" && one.address.as_ref() == Some(&change.address))
    };
    let second = seen
        .second
        .as_ref()
        .is_some_and(|(planned, _)| planned.plan.changes.iter().all(kept));
    let undone = seen.undone.as_ref().is_none_or(|(_, outcome, _)| done(outcome));
    applied && second && undone && seen.differences.is_empty()
}

/// Whether a run beyond the `earlier` ones has done anything.
fn did_anything(session: &Session, earlier: usize) -> Result<bool, Problem> {
    Ok(session.runs()?.iter().skip(earlier).any(rollback::did_something))
}

/// The stage: a stand-in with the start state, and a history of its own in a folder that goes with it.
async fn set(setting: &Setting, how: &Rehearse) -> Result<(Stage, Seed), Problem> {
    let (spec, _) = session::load(setting)?;
    let mut world = World::new();
    let seed = if let Some(path) = &how.seed {
        seed_from_file(path, setting, how, &mut world)?;
        Seed::File(path.clone())
    } else if how.empty || setting.sandbox {
        Seed::Empty
    } else {
        match copy_of_live(setting, !spec.desired.zones.is_empty()).await {
            Ok((reading, missing)) => {
                fill_from_live(&reading, &mut world)?;
                missing.map_or(Seed::Live, Seed::LiveZones)
            }
            Err(Problem::Other { code, message, .. }) if code == "no-credential" => Seed::NoAccess(message),
            Err(problem) => return Err(problem),
        }
    };
    for (zone, policy) in &spec.desired.zones {
        // One that is to be created is created on the way.
        if !world.has_zone(zone.as_str()) && !policy.create {
            world.add_zone(zone.as_str(), how.zone_plan);
        }
    }
    let home =
        tempfile::tempdir().map_err(|cause| Problem::new("file", format!("no room for a rehearsal: {cause}")))?;
    let sandbox = Sandbox::start(Options {
        world: Some(world),
        latency: LATENCY,
        ..Options::default()
    })
    .await?;
    let setting = Setting {
        sandbox: false,
        ..setting.clone()
    };
    if matches!(seed, Seed::Live | Seed::LiveZones(_)) {
        // What earlier runs left is theirs to delete: without the history a rehearsal would promise less than an apply does.
        local::copy_runs(&session::history_folder(&setting.spec), home.path())?;
    }
    let unknown = without_stand_in(&spec);
    let with_checks = unknown.is_none();
    let session = Session::on(&setting, home.path(), &sandbox, with_checks)?;
    let left_out = unknown.map(|title| {
        let words =
            format!("the checks are not rehearsed: the sandbox has no stand-in for {title}; `plan` looks at them");
        Warning::general("not-rehearsed", words)
    });
    let stage = Stage {
        session,
        sandbox,
        home,
        with_checks,
        left_out,
    };
    Ok((stage, seed))
}

/// The provider of the checks, in words, where there is no stand-in for it and zones can be rehearsed without it.
fn without_stand_in(spec: &Spec) -> Option<&'static str> {
    let policy = spec.desired.uptime.as_ref()?;
    let profile = provider::profile(&policy.provider).filter(|profile| !profile.stand_in)?;
    (!spec.desired.zones.is_empty()).then_some(profile.capabilities.title)
}

/// What is live. A credential that is only for the checks may be missing where there are zones: then why is said.
async fn copy_of_live(setting: &Setting, has_zones: bool) -> Result<(Reading, Option<String>), Problem> {
    let whole = async {
        let session = Session::open(setting).await?;
        read_live(&session).await
    };
    match whole.await {
        Err(Problem::Other { code, message, .. }) if code == "no-credential" && has_zones => {
            let session = Session::of_zones(setting)?;
            Ok((read_live(&session).await?, Some(message)))
        }
        read => Ok((read?, None)),
    }
}

async fn read_live(session: &Session) -> Result<Reading, Problem> {
    let runs = session.runs().unwrap_or_default();
    session.read(&session.extent(&runs), &runs, []).await
}

fn fill_from_live(reading: &Reading, world: &mut World) -> Result<(), Problem> {
    for (zone, facts) in reading.zones.iter().filter(|(_, facts)| !facts.id.is_empty()) {
        // With its own id, so that what the history says of the zone holds for its copy.
        world.add_zone_as(zone.as_str(), SandboxPlan::of(&facts.plan), &facts.id);
        // Older zones may hold more than their plan says.
        if let Some(usage) = facts.usage {
            world.set_quota(zone.as_str(), usage.quota);
        }
    }
    let is_locked = |address: &Address| reading.live.locked.contains_key(address);
    let (locked, free): (Inventory, Inventory) = reading
        .live
        .inventory
        .clone()
        .into_iter()
        .partition(|(address, _)| is_locked(address));
    for set in locked.values().filter_map(|resource| resource.as_record_set()) {
        for mut wire in cloudflare::wire_records(set) {
            wire["meta"] = serde_json::json!({ "email_routing": true, "read_only": true });
            world.force_record(set.zone.as_str(), wire);
        }
    }
    for setting in locked.values().filter_map(Resource::as_setting) {
        put_setting(setting, world);
        world.lock_setting(setting.zone.as_str(), &setting.id);
    }
    if let Some(copy) = uptimerobot::copy_of(reading) {
        world.uptimerobot().become_copy(&copy);
    }
    if let Some(copy) = betterstack::copy_of(reading) {
        world.betterstack().become_copy(&copy);
    }
    fill(&free, world)
}

fn put_setting(setting: &EdgeSetting, world: &mut World) {
    let zone = setting.zone.as_str();
    match cloudflare::wire_setting(setting) {
        Some(value) => world.put_setting(zone, &setting.id, value),
        None => world.set_dnssec_status(zone, if setting.value == "on" { "active" } else { "disabled" }),
    }
}

fn seed_from_file(path: &Path, setting: &Setting, how: &Rehearse, world: &mut World) -> Result<(), Problem> {
    let (spec, _) = session::load(&Setting {
        spec: path.to_owned(),
        vars: BTreeMap::new(),
        ..setting.clone()
    })?;
    for zone in spec.desired.zones.keys() {
        world.add_zone(zone.as_str(), how.zone_plan);
    }
    fill(&spec.desired.inventory, world)
}

/// Puts what an inventory holds into the stand-in, the delegations before what needs them, lists of rules in order.
fn fill(inventory: &Inventory, world: &mut World) -> Result<(), Problem> {
    let mut records: Vec<(DomainName, serde_json::Value)> = Vec::new();
    for set in inventory.values().filter_map(|resource| resource.as_record_set()) {
        records.extend(
            cloudflare::wire_records(set)
                .into_iter()
                .map(|wire| (set.zone.clone(), wire)),
        );
    }
    records.sort_by_key(|(_, wire)| wire.get("type").and_then(serde_json::Value::as_str) == Some("DS"));
    for (zone, wire) in records {
        if let Err(error) = world.add_record(zone.as_str(), wire.clone()) {
            let name = wire.get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
            let message = format!("the sandbox does not take the record at {name} into {zone}: {error}");
            return Err(Problem::new("seed", message));
        }
    }
    for setting in inventory.values().filter_map(Resource::as_setting) {
        put_setting(setting, world);
    }
    for ((zone, kind), rules) in lists(inventory) {
        let (phase, wire) = cloudflare::wire_rules(kind, &rules);
        let is_declared = |rule: &&Rule| matches!(rule.place, Some(Place::Declared(_)));
        if !rules.iter().any(is_declared) {
            // What is live was taken once, whatever the zone's plan says today.
            world.force_rules(zone.as_str(), phase, wire);
            continue;
        }
        if let Err(error) = world.put_rules(zone.as_str(), phase, wire) {
            let message = format!("the sandbox does not take the {}s of {zone}: {error}", kind.noun());
            return Err(Problem::new("seed", message));
        }
    }
    for list in inventory.values().filter_map(Resource::as_redirect_list) {
        if let Err(error) = put_redirect_list(list, world) {
            let message = format!("the sandbox does not take the redirect list of {}: {error}", list.zone);
            return Err(Problem::new("seed", message));
        }
    }
    Ok(())
}

/// The list, and behind the account's other rules the one that asks it.
fn put_redirect_list(list: &RedirectList, world: &mut World) -> Result<(), String> {
    let (name, rows, rule) = cloudflare::wire_redirect_list(list);
    world.put_list(&name, "redirect", &rows)?;
    let Some(rule) = rule else { return Ok(()) };
    let mut rules = world.account_ruleset(cloudflare::LIST_PHASE)["rules"].clone();
    match &mut rules {
        serde_json::Value::Array(rules) => rules.push(rule),
        other => *other = serde_json::json!([rule]),
    }
    world.put_account_rules(cloudflare::LIST_PHASE, rules)
}

/// The lists of rules in an inventory, each in its order.
fn lists(inventory: &Inventory) -> BTreeMap<(DomainName, RuleKind), Vec<&Rule>> {
    let mut lists: BTreeMap<(DomainName, RuleKind), Vec<&Rule>> = BTreeMap::new();
    for rule in inventory.values().filter_map(Resource::as_rule) {
        lists.entry((rule.zone.clone(), rule.kind)).or_default().push(rule);
    }
    for rules in lists.values_mut() {
        rules.sort_by_key(|rule| match rule.place {
            Some(Place::Declared(rank)) => rank,
            _ => usize::MAX,
        });
        let places = |rule: &&Rule| Some((rule.address(), rule.place.clone()?));
        let placed: Vec<(Address, Place)> = rules.iter().filter_map(places).collect();
        let order = arrange(&[], &BTreeSet::new(), &placed);
        rules.sort_by_key(|rule| order.iter().position(|address| *address == rule.address()));
    }
    lists
}

/// What is there now, ids aside: known again by what ran before the rehearsal.
async fn state(stage: &Stage, history: &[Run]) -> Result<Inventory, Problem> {
    let reading = stage.session.read(&stage.session.extent(history), history, []).await?;
    Ok(reading.live.inventory)
}

fn differences(before: &Inventory, after: &Inventory) -> Vec<String> {
    let mut found = Vec::new();
    for (address, resource) in before {
        match after.get(address) {
            None => found.push(format!("{address} is gone")),
            Some(now) if now != resource => found.push(format!("{address} is not what it was")),
            Some(_) => {}
        }
    }
    // A zone that was made stays, and with it what nobody can take away.
    let is_left_over =
        |(address, resource): &(&Address, &Resource)| resource.can_be_deleted() && !before.contains_key(*address);
    let left_over = after.iter().filter(is_left_over);
    found.extend(left_over.map(|(address, _)| format!("{address} is left over")));
    found
}

/// Cuts an apply off while its middle request is under way: done at the provider, never answered, never journalled.
async fn cut_off(
    stage: &mut Stage,
    narrow: &Narrow,
    steps: usize,
    watch: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Cut, Problem> {
    let during = steps.div_ceil(2);
    let fault: Fault = format!("w{during}:hang-after")
        .parse()
        .map_err(|_| Problem::new("sandbox", "the sandbox does not know how to hang"))?;
    stage.sandbox.set_faults(vec![fault]);
    let ready = apply::prepare(&stage.session, narrow).await?;
    let reached = async {
        while stage.sandbox.log().iter().filter(|entry| entry.wrote).count() < during {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    // Dropping the future is what a kill does: no further line is written, the lock goes with the process.
    tokio::select! {
        outcome = apply::carry_out(&stage.session, ready, watch) => {
            outcome?;
        }
        () = reached => {}
    }
    stage.sandbox.set_faults(Vec::new());
    stage.again()?;
    let planned = plan::plan(&stage.session, narrow).await?;
    let seen = planned
        .plan
        .warnings
        .iter()
        .filter(|warning| warning.code == "unfinished-run");
    Ok(Cut {
        during,
        of: steps,
        seen: seen.map(|warning| warning.message.clone()).collect(),
    })
}

/// One line about what a plan would do.
pub fn counts(planned: &Planned) -> String {
    let plan = &planned.plan;
    [
        (Action::Create, "to create"),
        (Action::Update, "to change"),
        (Action::Delete, "to delete"),
    ]
    .iter()
    .map(|(action, words)| format!("{} {words}", text::grouped(plan.count(*action))))
    .collect::<Vec<_>>()
    .join(", ")
}
