//! `launchctl history`.

use super::{Context, say};
use crate::history::RunId;
use crate::ops::{self, Problem};
use crate::ui::{Exit, history_view, json};

/// List the runs of the spec, or show one of them whole
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl history\n  launchctl history 20261124-161502-123\n  launchctl history --json"
)]
pub(super) struct Arguments {
    /// The run to show
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let look = context.terminal.look();
    let text = if let Some(id) = &arguments.run {
        let id = RunId::parse(id).map_err(|error| Problem::new("no-such-run", error.to_string()))?;
        let run = ops::history::run(&context.setting, &id)?;
        if arguments.json {
            json::text(&json::run(&run))
        } else {
            history_view::run(&run, look)
        }
    } else {
        let runs = ops::history::runs(&context.setting)?;
        if arguments.json {
            json::text(&json::history(&runs))
        } else {
            history_view::runs(&runs, look)
        }
    };
    say(context, &text)?;
    Ok(Exit::Yes)
}
