//! `launchctl plan`.

use std::path::PathBuf;

use super::{Context, Targets, say, show_findings};
use crate::ops::plan::Narrow;
use crate::ops::{self, Problem, Session};
use crate::ui::progress::Bar;
use crate::ui::{Exit, json, markdown, plan_view};

/// Show what would change, without changing anything
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl plan\n  launchctl plan --target 'acme.example/dns/*/www'\n  launchctl plan --out reviewed.json && launchctl apply reviewed.json\n  launchctl plan --detailed-exitcode    0 nothing to change, 2 changes pending, 1 it could not be done\n  launchctl plan --markdown             for a pull request's comment"
)]
pub(super) struct Arguments {
    #[command(flatten)]
    targets: Targets,
    /// Keep the plan in a file for a later `apply FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Agree to exactly this number of deletions, where so many are more than a third of a zone
    #[arg(long, value_name = "N")]
    allow_deletes: Option<usize>,
    /// Exit with 2 when there are changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// As JSON
    #[arg(long, conflicts_with = "markdown")]
    pub(super) json: bool,
    /// As Markdown
    #[arg(long)]
    markdown: bool,
}

pub(super) async fn run(arguments: Arguments, context: &Context) -> Result<Exit, Problem> {
    let session = Session::open(&context.setting).await?;
    show_findings(context, &session.diagnostics);
    let narrow = Narrow {
        selection: arguments.targets.selection(),
        allow_deletes: arguments.allow_deletes,
    };
    let bar = Bar::waiting(context.terminal.is_interactive(), "reading what is live");
    let planned = ops::plan::plan(&session, &narrow).await;
    bar.clear();
    let planned = planned?;
    let spec = context.setting.spec.display().to_string();
    let text = if arguments.json {
        json::text(&json::plan(&planned, &spec))
    } else if arguments.markdown {
        markdown::plan(&planned, &spec)
    } else {
        plan_view::plan(&planned, context.terminal.look())
    };
    say(context, &text)?;
    if !planned.plan.refusals.is_empty() {
        return Ok(Exit::Failed);
    }
    if let Some(path) = &arguments.out {
        ops::plan::save(&session, &planned, &narrow, path)?;
        if !arguments.json {
            let next = context.setting.command(&format!("apply {}", path.display()));
            context.terminal.error(&format!("Saved: {next}\n"));
        }
    }
    let pending = arguments.detailed_exitcode && !planned.plan.is_empty();
    Ok(if pending { Exit::No } else { Exit::Yes })
}
