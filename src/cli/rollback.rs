//! `launchctl rollback`.

use super::apply::{Manner, go_on};
use super::{Context, Targets, show_findings};
use crate::history::RunId;
use crate::ops::rollback::{self, Undo};
use crate::ops::{Problem, Session};
use crate::ui::Exit;
use crate::ui::progress::Bar;

/// Undo a run: what it changed becomes what it was before
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl rollback                        the last run that changed something\n  launchctl rollback 20261124-161502-123    this one (`launchctl history` lists them)\n  launchctl rollback --force                overwrite what somebody changed since\n\nA rollback is a run itself, and can be rolled back by naming it."
)]
pub(super) struct Arguments {
    /// The run
    #[arg(value_name = "RUN")]
    run: Option<String>,
    #[command(flatten)]
    targets: Targets,
    /// Overwrite what somebody changed since
    #[arg(long)]
    force: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) async fn run(arguments: Arguments, context: &Context) -> Result<Exit, Problem> {
    let run = arguments.run.as_deref().map(RunId::parse).transpose();
    let run = run.map_err(|error| Problem::new("no-such-run", error.to_string()))?;
    let session = Session::open_to_undo(&context.setting, run.as_ref()).await?;
    show_findings(context, &session.diagnostics);
    let undo = Undo {
        run,
        selection: arguments.targets.selection(),
        force: arguments.force,
    };
    let bar = Bar::waiting(context.terminal.is_interactive(), "reading what is live");
    let ready = rollback::prepare(&session, &undo).await;
    bar.clear();
    let manner = Manner {
        yes: arguments.yes,
        json: arguments.json,
        verb: "rolled back",
        question: "Go back to this?",
        wait: None,
        afterwards: Some(format!(
            "{} is as it was: what it still declares, the next apply will do again.",
            context.setting.spec.display()
        )),
    };
    go_on(context, &session, ready?, manner).await
}
