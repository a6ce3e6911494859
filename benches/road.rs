//! How long the road takes: records made in an empty zone, a plan with nothing to change, every record changed. Walked
//! through the library on the embedded sandbox, over real sockets and with a real history on disk; printed as the table
//! that stands in the README. At the end the same on a real PowerDNS, where one is installed.
//!
//! `cargo bench` measures everything, `cargo bench -- 100 1000` only zones of these sizes. An apply that does not get
//! through, a second plan that is not empty, and writes that differ in number from run to run end it with an error.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

mod powerdns;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use launchctl::base::clock::Clock;
use launchctl::history::RunStatus;
use launchctl::ops::plan::Narrow;
use launchctl::ops::{self, Problem, Session, Setting};
use launchctl::provider::Stop;
use launchctl::sandbox::{Options, Plan, Sandbox, World};

const ZONE: &str = "acme.example";
/// More than any zone here holds: what the plan costs is not what is measured.
const QUOTA: usize = 20_000;

/// What is measured: a zone of this plan with so many records, each answer taking so long.
#[derive(Debug, Clone, Copy)]
struct Case {
    plan: Plan,
    plan_name: &'static str,
    records: usize,
    latency: Duration,
    /// How often: the median is taken. Once for what takes long and varies little for its length.
    runs: usize,
}

const CASES: &[Case] = &[
    case(Plan::Free, "Free", 100, 0, 5),
    case(Plan::Free, "Free", 100, 50, 3),
    case(Plan::Free, "Free", 1_000, 0, 5),
    case(Plan::Free, "Free", 1_000, 50, 3),
    case(Plan::Pro, "Pro", 1_000, 0, 5),
    case(Plan::Pro, "Pro", 1_000, 50, 3),
    case(Plan::Free, "Free", 10_000, 0, 1),
    case(Plan::Free, "Free", 10_000, 50, 1),
];

const fn case(plan: Plan, plan_name: &'static str, records: usize, latency: u64, runs: usize) -> Case {
    Case {
        plan,
        plan_name,
        records,
        latency: Duration::from_millis(latency),
        runs,
    }
}

/// What one command took, from the spec read to the last answer.
#[derive(Debug, Clone, Copy)]
struct Leg {
    time: Duration,
    /// Requests that had to wait for one another. Without latency this says nothing: whether two requests that could
    /// overlap do so is then left to chance.
    one_after_another: usize,
    writes: usize,
}

/// The three commands that are measured.
#[derive(Debug, Clone, Copy)]
struct Walk {
    create: Leg,
    plan: Leg,
    change: Leg,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let sizes: Vec<usize> = arguments.iter().filter_map(|size| size.parse().ok()).collect();
    // Only `cargo bench` says so; anything else (`cargo test --benches`) wants to see it work, not to wait for it.
    let whole = arguments.iter().any(|argument| argument == "--bench");
    let wanted = |case: &&Case| {
        if whole {
            sizes.is_empty() || sizes.contains(&case.records)
        } else {
            case.records == 100
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    println!(
        "| zone | records | latency | create all: seconds | writes | plan, nothing to change: seconds \
         | one after another | change all: seconds | writes |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    for case in CASES.iter().filter(wanted) {
        let runs = if whole { case.runs } else { 1 };
        let walks: Result<Vec<Walk>, String> = (0..runs).map(|_| runtime.block_on(walk(*case))).collect();
        let row = row(*case, &walks.map_err(|error| format!("{case:?}: {error}"))?)?;
        println!("{row}");
    }
    let largest = if whole { 10_000 } else { 100 };
    if !whole || sizes.is_empty() || sizes.contains(&largest) {
        match runtime.block_on(powerdns::row(largest)) {
            Some(row) => println!("{}", row?),
            None => println!("(PowerDNS is not installed: apt-get install pdns-server pdns-backend-sqlite3 sqlite3)"),
        }
    }
    Ok(())
}

fn row(case: Case, walks: &[Walk]) -> Result<String, String> {
    let leg = |of: fn(&Walk) -> Leg| -> Result<Leg, String> {
        let mut legs: Vec<Leg> = walks.iter().map(of).collect();
        legs.sort_by_key(|leg| leg.time);
        let median = legs[legs.len() / 2];
        if legs.iter().any(|leg| leg.writes != median.writes) {
            return Err(format!("{case:?}: the writes differ from run to run: {legs:?}"));
        }
        let one_after_another = legs.iter().map(|leg| leg.one_after_another).max();
        Ok(Leg {
            one_after_another: one_after_another.unwrap_or_default(),
            ..median
        })
    };
    let (create, plan, change) = (leg(|w| w.create)?, leg(|w| w.plan)?, leg(|w| w.change)?);
    let seconds = |leg: Leg| format!("{:.3}", leg.time.as_secs_f64());
    let one_after_another = if case.latency.is_zero() {
        "–".to_owned()
    } else {
        plan.one_after_another.to_string()
    };
    Ok(format!(
        "| {} | {} | {} ms | {} | {} | {} | {} | {} | {} |",
        case.plan_name,
        launchctl::base::text::grouped(case.records),
        case.latency.as_millis(),
        seconds(create),
        create.writes,
        seconds(plan),
        one_after_another,
        seconds(change),
        change.writes,
    ))
}

/// Walks the road once, in a world and a folder of its own.
async fn walk(case: Case) -> Result<Walk, String> {
    let mut world = World::new();
    world.add_zone(ZONE, case.plan);
    world.set_quota(ZONE, Some(QUOTA));
    let options = Options {
        latency: case.latency,
        world: Some(world),
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.map_err(|error| error.to_string())?;
    let home = tempfile::tempdir().map_err(|error| error.to_string())?;
    let walk = commands(case, &sandbox, home.path()).await;
    sandbox.stop().await;
    walk
}

async fn commands(case: Case, sandbox: &Sandbox, home: &Path) -> Result<Walk, String> {
    let setting = setting(home);
    write_spec(&setting, "cloudflare", case.records, "192.0.2")?;
    let create = measure(sandbox, apply(&setting, sandbox, home)).await?;
    let plan = measure(sandbox, plan_nothing(&setting, sandbox, home)).await?;
    write_spec(&setting, "cloudflare", case.records, "203.0.113")?;
    let change = measure(sandbox, apply(&setting, sandbox, home)).await?;
    Ok(Walk { create, plan, change })
}

fn setting(home: &Path) -> Setting {
    Setting {
        spec: home.join("launch.yaml"),
        vars: BTreeMap::new(),
        sandbox: false,
        timeout: Duration::from_secs(60),
        environment: Arc::new(|_: &str| None),
        clock: Clock::System,
        stop: Stop::new(),
    }
}

/// A spec with so many A records, each with its own name, in this network.
fn write_spec(setting: &Setting, provider: &str, records: usize, network: &str) -> Result<(), String> {
    let mut text = format!("version: 1\nzones:\n  {ZONE}:\n    provider: {provider}\n    records:\n");
    for number in 0..records {
        let host = number % 254 + 1;
        text.push_str(&format!(
            "      - {{ type: A, name: h{number}, value: {network}.{host} }}\n"
        ));
    }
    std::fs::write(&setting.spec, text).map_err(|error| error.to_string())
}

async fn measure(sandbox: &Sandbox, command: impl Future<Output = Result<(), String>>) -> Result<Leg, String> {
    sandbox.clear_log();
    let begun = Instant::now();
    command.await?;
    let time = begun.elapsed();
    Ok(Leg {
        time,
        one_after_another: sandbox.serial_depth(),
        writes: sandbox.log().iter().filter(|entry| entry.wrote).count(),
    })
}

/// What a new process does first: the spec and the history read from disk.
fn open(setting: &Setting, sandbox: &Sandbox, home: &Path) -> Result<Session, String> {
    Session::on(setting, &home.join(".launchctl"), sandbox, true).map_err(|problem| words(&problem))
}

async fn apply(setting: &Setting, sandbox: &Sandbox, home: &Path) -> Result<(), String> {
    let session = open(setting, sandbox, home)?;
    let ready = ops::apply::prepare(&session, &Narrow::default()).await;
    let ready = ready.map_err(|problem| words(&problem))?;
    let outcome = ops::apply::carry_out(&session, ready, &|_| ()).await;
    finished(outcome)
}

fn finished(outcome: Result<ops::apply::Outcome, Problem>) -> Result<(), String> {
    match outcome.map_err(|problem| words(&problem))?.report {
        Some(report) if report.status == RunStatus::Applied => Ok(()),
        other => Err(format!("not everything was applied: {other:?}")),
    }
}

async fn plan_nothing(setting: &Setting, sandbox: &Sandbox, home: &Path) -> Result<(), String> {
    let session = open(setting, sandbox, home)?;
    let planned = ops::plan::plan(&session, &Narrow::default()).await;
    let plan = planned.map_err(|problem| words(&problem))?.plan;
    if plan.is_empty() && plan.refusals.is_empty() {
        Ok(())
    } else {
        Err(format!("{} left to change after an apply", plan.changes.len()))
    }
}

fn words(problem: &Problem) -> String {
    match problem {
        Problem::Other { message, .. } => message.clone(),
        other => format!("{other:?}"),
    }
}
