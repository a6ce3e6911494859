//! `launchctl apply`.

use std::path::PathBuf;

use super::{Context, Targets, say, show_findings};
use crate::history::RunStatus;
use crate::ops::apply::{self, Outcome, Ready};
use crate::ops::plan::Narrow;
use crate::ops::{Problem, Session};
use crate::ui::progress::Bar;
use crate::ui::{Exit, json, plan_view, prompt, run_view};

/// Change what is live to what the spec declares, or carry out a saved plan
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl apply                  shows the plan and asks\n  launchctl apply --yes            for scripts: no question\n  launchctl apply reviewed.json    exactly what `plan --out reviewed.json` showed, or nothing"
)]
pub(super) struct Arguments {
    /// A plan saved with `plan --out`
    #[arg(value_name = "PLAN")]
    plan: Option<PathBuf>,
    #[command(flatten)]
    targets: Targets,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Agree to exactly this number of deletions, where so many are more than a third of a zone
    #[arg(long, value_name = "N")]
    allow_deletes: Option<usize>,
    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) async fn run(arguments: Arguments, context: &Context) -> Result<Exit, Problem> {
    let selection = arguments.targets.selection();
    if arguments.plan.is_some() && !selection.is_everything() {
        return Err(Problem::new(
            "arguments",
            "a saved plan is carried out whole: --target and --except belong to `plan --out`",
        ));
    }
    let session = Session::open(&context.setting).await?;
    show_findings(context, &session.diagnostics);
    let narrow = Narrow {
        selection,
        allow_deletes: arguments.allow_deletes,
    };
    let bar = Bar::waiting(context.terminal.is_interactive(), "reading what is live");
    let ready = match &arguments.plan {
        Some(path) => apply::prepare_saved(&session, path, arguments.allow_deletes).await,
        None => apply::prepare(&session, &narrow).await,
    };
    bar.clear();
    go_on(
        context,
        &session,
        ready?,
        Manner {
            yes: arguments.yes,
            json: arguments.json,
            verb: "applied",
            question: "Apply this plan?",
            afterwards: None,
        },
    )
    .await
}

/// How a prepared run is gone on with.
pub(super) struct Manner {
    pub(super) yes: bool,
    pub(super) json: bool,
    pub(super) verb: &'static str,
    pub(super) question: &'static str,
    /// What is worth knowing once everything was done.
    pub(super) afterwards: Option<String>,
}

/// Shows a prepared run, asks, carries it out and says how it went.
pub(super) async fn go_on(context: &Context, session: &Session, ready: Ready, manner: Manner) -> Result<Exit, Problem> {
    let planned = &ready.planned;
    let refused = !planned.plan.refusals.is_empty();
    if !manner.json {
        say(context, &plan_view::plan(planned, context.terminal.look()))?;
        if refused {
            return Ok(Exit::Failed);
        }
    }
    if manner.json && !manner.yes && !refused && !planned.plan.is_empty() {
        return Err(
            Problem::new("not-confirmed", "with --json nobody is asked, so nothing was changed")
                .help("add --yes to go on without being asked"),
        );
    }
    if !refused && !planned.plan.is_empty() && !manner.yes && !agree(context, manner.question).await? {
        context.terminal.error("Nothing was changed.\n");
        return Ok(Exit::Failed);
    }
    let is_empty = planned.plan.is_empty();
    let bar = Bar::counting(context.terminal.is_interactive() && !is_empty, planned.steps.len());
    context.interrupt.writing(true);
    let outcome = apply::carry_out(session, ready, &|progress| bar.hear(progress)).await;
    context.interrupt.writing(false);
    bar.clear();
    let outcome = outcome?;
    if manner.json {
        say(context, &json::text(&json::outcome(&outcome)))?;
    } else if !is_empty || outcome.run.is_some() {
        say(
            context,
            &("\n".to_owned() + &run_view::outcome(&outcome, manner.verb, context.terminal.look())),
        )?;
    }
    let exit = exit(context, &outcome);
    if let (Exit::Yes, Some(_), Some(words), false) = (exit, &outcome.report, &manner.afterwards, manner.json) {
        say(context, &format!("{words}\n"))?;
    }
    Ok(exit)
}

fn exit(context: &Context, outcome: &Outcome) -> Exit {
    match &outcome.report {
        // Who asked to stop wants to know it from the exit code, whatever the last request still did.
        _ if context.setting.stop.is_asked() => Exit::Stopped,
        _ if outcome.journal.is_some() => Exit::Failed,
        None => Exit::Yes,
        Some(report) if report.status == RunStatus::Applied => Exit::Yes,
        Some(_) => Exit::Failed,
    }
}

async fn agree(context: &Context, question: &str) -> Result<bool, Problem> {
    if !context.terminal.is_interactive() {
        return Err(Problem::new(
            "not-confirmed",
            "there is no terminal to ask on, so nothing was changed",
        )
        .help("add --yes to go on without being asked"));
    }
    context.interrupt.asking(true);
    let agreed = prompt::confirm(context.terminal, question).await;
    context.interrupt.asking(false);
    Ok(agreed)
}
