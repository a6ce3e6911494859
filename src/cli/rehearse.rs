//! `launchctl rehearse`.

use std::path::PathBuf;

use super::{Context, say};
use crate::ops::rehearse::{self, Rehearse};
use crate::ops::{Problem, Setting};
use crate::sandbox::Plan;
use crate::ui::progress::Bar;
use crate::ui::{Exit, rehearsal_view};

/// Walk the whole road in the sandbox: plan, apply, plan again, roll back, compare with the start
///
/// With credentials it begins with a copy of the live zone, which is only read. Without, or with --seed or --empty, it
/// needs no network at all.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl rehearse                       begin with a copy of the live zone\n  launchctl rehearse --seed before.yaml    begin with the records of another spec\n  launchctl rehearse --empty --kill        cut the apply off in the middle, and recover"
)]
pub(super) struct Arguments {
    /// A spec whose records are there at the start
    #[arg(long, value_name = "FILE", conflicts_with = "empty")]
    seed: Option<PathBuf>,
    /// Begin with empty zones
    #[arg(long)]
    empty: bool,
    /// Cut the apply off in the middle, then recover
    #[arg(long)]
    kill: bool,
    /// What is paid for the zones that are not copied: free, pro, business or enterprise
    #[arg(long, value_name = "PLAN", default_value = "free", value_parser = zone_plan)]
    zone_plan: Plan,
    /// Agree to exactly this number of deletions
    #[arg(long, value_name = "N")]
    allow_deletes: Option<usize>,
}

/// The plan of a zone, by its name.
pub(super) fn zone_plan(text: &str) -> Result<Plan, String> {
    match text {
        "free" => Ok(Plan::Free),
        "pro" => Ok(Plan::Pro),
        "business" => Ok(Plan::Business),
        "enterprise" => Ok(Plan::Enterprise),
        _ => Err("free, pro, business or enterprise".to_owned()),
    }
}

pub(super) async fn run(arguments: Arguments, context: &Context) -> Result<Exit, Problem> {
    let how = Rehearse {
        seed: arguments.seed,
        empty: arguments.empty,
        kill: arguments.kill,
        zone_plan: arguments.zone_plan,
        allow_deletes: arguments.allow_deletes,
    };
    let bar = Bar::waiting(context.terminal.is_interactive(), "rehearsing");
    // Nothing real is under way: an interrupt may end it at any point.
    let setting = Setting {
        stop: crate::provider::Stop::new(),
        ..context.setting.clone()
    };
    let seen = rehearse::rehearse(&setting, &how, &|progress| bar.hear(progress)).await;
    bar.clear();
    let seen = seen?;
    say(context, &rehearsal_view::rehearsal(&seen, context.terminal.look()))?;
    Ok(if seen.ok {
        Exit::Yes
    } else if seen.planned.plan.refusals.is_empty() {
        Exit::No
    } else {
        Exit::Failed
    })
}
