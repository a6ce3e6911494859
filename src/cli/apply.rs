//! `launchctl apply`.

use std::path::PathBuf;
use std::time::Duration;

use super::{Context, Targets, say, show_findings};
use crate::history::RunStatus;
use crate::ops::answers::{self, Wait};
use crate::ops::apply::{self, Outcome, Ready};
use crate::ops::plan::Narrow;
use crate::ops::{Problem, Session};
use crate::ui::progress::Bar;
use crate::ui::{Exit, answers_view, json, plan_view, prompt, run_view};
use crate::verify::answers::{Server, servers};

/// Change what is live to what the spec declares, or carry out a saved plan
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl apply                  shows the plan and asks\n  launchctl apply --yes            for scripts: no question\n  launchctl apply reviewed.json    exactly what `plan --out reviewed.json` showed, or nothing\n  launchctl apply --yes --wait     and until name servers and resolvers answer it"
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
    /// Afterwards ask the zones' name servers, then public resolvers, until they answer what was declared; 5m unless
    /// said otherwise
    #[arg(long, value_name = "TIME", value_parser = super::duration, num_args = 0..=1, require_equals = true, default_missing_value = "5m")]
    wait: Option<Duration>,
    /// With --wait: ask this DNS server instead; may be given several times
    #[arg(long = "resolver", value_name = "ADDRESS[:PORT]", value_parser = resolver, requires = "wait")]
    resolvers: Vec<Server>,
    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn resolver(text: &str) -> Result<Server, String> {
    servers::named(text).ok_or_else(|| "write an address such as 192.0.2.53 or 127.0.0.1:5353".to_owned())
}

pub(super) async fn run(arguments: Arguments, context: &Context) -> Result<Exit, Problem> {
    let selection = arguments.targets.selection();
    if arguments.plan.is_some() && !selection.is_everything() {
        return Err(Problem::new(
            "arguments",
            "a saved plan is carried out whole: --target and --except belong to `plan --out`",
        ));
    }
    if arguments.wait.is_some() && context.setting.sandbox {
        let words = "the sandbox answers no DNS queries, so there is nobody to wait for";
        return Err(Problem::new("arguments", words).help("leave out --wait or --sandbox"));
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
            wait: arguments.wait.map(|time| Wait {
                time,
                instead: arguments.resolvers,
            }),
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
    /// Whether DNS is asked afterwards, until it answers what was applied.
    pub(super) wait: Option<Wait>,
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
    let changes = match manner.wait {
        Some(_) => planned.plan.changes.clone(),
        None => Vec::new(),
    };
    let bar = Bar::counting(context.terminal.is_interactive() && !is_empty, planned.steps.len());
    context.interrupt.writing(true);
    let outcome = apply::carry_out(session, ready, &|progress| bar.hear(progress)).await;
    context.interrupt.writing(false);
    bar.clear();
    let outcome = outcome?;
    let exit = exit(context, &outcome);
    let wait = manner.wait.filter(|_| exit == Exit::Yes);
    if manner.json {
        // With what DNS answers it is one document, which is written once that is known.
        if wait.is_none() {
            say(context, &json::text(&json::outcome(&outcome)))?;
        }
    } else if !is_empty || outcome.run.is_some() {
        say(
            context,
            &("\n".to_owned() + &run_view::outcome(&outcome, manner.verb, context.terminal.look())),
        )?;
    }
    if let (Exit::Yes, Some(_), Some(words), false) = (exit, &outcome.report, &manner.afterwards, manner.json) {
        say(context, &format!("{words}\n"))?;
    }
    let Some(wait) = wait else { return Ok(exit) };
    let bar = Bar::waiting(context.terminal.is_interactive(), "looking who answers for the zones");
    let watch = |tally| bar.say(&answers_view::tally(tally));
    let answers = answers::until_right(session, &changes, &wait, &watch).await;
    bar.clear();
    if manner.json {
        let mut whole = json::outcome(&outcome);
        whole["answers"] = answers_view::report_json(&answers);
        say(context, &json::text(&whole))?;
    } else {
        say(
            context,
            &format!("\n{}", answers_view::report(&answers, context.terminal.look())),
        )?;
    }
    Ok(if answers.is_good() { Exit::Yes } else { Exit::No })
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
