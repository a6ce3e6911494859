//! Level 7: one file a verb: arguments in, one use case called, its result handed to `ui`.

mod apply;
mod completions;
mod dkim;
mod doctor;
mod history;
mod import;
mod mail;
mod plan;
mod rehearse;
mod rollback;
mod sandbox;
mod schema;
mod validate;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tokio::sync::Notify;

use crate::base::clock::Clock;
use crate::model::ttl::parse_seconds;
use crate::ops::{self, Problem, Setting};
use crate::plan::Selection;
use crate::provider::Stop;
use crate::ui::{Exit, Terminal, problem_view, trace};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "launchctl",
    version,
    about = "Launch a web product from one file: plan, apply and roll back what stands around it",
    long_about = "Launch a web product from one file.\n\nlaunch.yaml declares what stands around the app: DNS, \
                  redirects, TLS, caching, mail and uptime checks. launchctl compares it with the live services, shows \
                  the plan, applies it in as few requests as there can be, and undoes it when asked.",
    after_help = "Examples:\n  launchctl validate                      check the spec, offline\n  launchctl doctor                        check token and permissions\n  launchctl plan                          what would change\n  launchctl apply                         change it\n  launchctl rollback                      undo the last apply\n  launchctl mail check acme.example       what the world sees of a domain's mail\n  launchctl rehearse --seed before.yaml   walk the whole road in the sandbox\n\nExit codes: 0 yes, 1 it could not be done, 2 done and the answer is no, 130 stopped.",
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

/// What every verb understands.
#[derive(Debug, Args)]
struct Global {
    /// The spec. Its history is kept in .launchctl/ beside it
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        default_value = ops::session::DEFAULT_SPEC,
        env = "LAUNCHCTL_SPEC"
    )]
    spec: PathBuf,
    /// A value for ${NAME} in the spec; may be given several times
    #[arg(long = "var", global = true, value_name = "NAME=VALUE", value_parser = variable)]
    vars: Vec<(String, String)>,
    /// Use the built-in stand-in instead of the real providers; its state and history are kept apart
    #[arg(long, global = true)]
    sandbox: bool,
    /// How long one request may take
    #[arg(long, global = true, value_name = "TIME", default_value = "60s", value_parser = duration)]
    timeout: Duration,
    /// Colours: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: clap::ColorChoice,
    /// Show what is done; twice for every request
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

/// The verbs.
#[derive(Debug, Subcommand)]
enum Verb {
    Plan(plan::Arguments),
    Apply(apply::Arguments),
    Rollback(rollback::Arguments),
    History(history::Arguments),
    Validate(validate::Arguments),
    Mail(mail::Arguments),
    Dkim(dkim::Arguments),
    Doctor(doctor::Arguments),
    Import(import::Arguments),
    Rehearse(rehearse::Arguments),
    Sandbox(sandbox::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
}

impl Verb {
    fn wants_json(&self) -> bool {
        match self {
            Self::Plan(arguments) => arguments.json,
            Self::Apply(arguments) => arguments.json,
            Self::Rollback(arguments) => arguments.json,
            Self::History(arguments) => arguments.json,
            Self::Validate(arguments) => arguments.json,
            Self::Mail(arguments) => arguments.wants_json(),
            Self::Dkim(arguments) => arguments.wants_json(),
            Self::Import(_)
            | Self::Doctor(_)
            | Self::Rehearse(_)
            | Self::Sandbox(_)
            | Self::Schema(_)
            | Self::Completions(_) => false,
        }
    }
}

/// What a verb needs besides its arguments.
pub(crate) struct Context {
    setting: Setting,
    terminal: Terminal,
    interrupt: Arc<Interrupt>,
}

/// Ctrl-C: at once while nothing is being written, after the request in flight while something is.
#[derive(Debug, Default)]
pub(crate) struct Interrupt {
    stop: Stop,
    writing: std::sync::atomic::AtomicBool,
    asking: std::sync::atomic::AtomicBool,
    at_once: Notify,
}

impl Interrupt {
    /// From now on a request may be in flight that must be seen through.
    pub(crate) fn writing(&self, writing: bool) {
        self.writing.store(writing, std::sync::atomic::Ordering::SeqCst);
    }

    /// From now on somebody is asked a question.
    pub(crate) fn asking(&self, asking: bool) {
        self.asking.store(asking, std::sync::atomic::Ordering::SeqCst);
    }

    /// What is left to say when everything is broken off.
    fn last_words(&self, setting: &Setting) -> String {
        let is = |flag: &std::sync::atomic::AtomicBool| flag.load(std::sync::atomic::Ordering::SeqCst);
        if is(&self.writing) {
            let look = setting.command("plan");
            format!("\nBroken off. What became of the request under way is not known: `{look}` looks.\n")
        } else if is(&self.asking) {
            "\nNothing was changed.\n".to_owned()
        } else {
            "\n".to_owned()
        }
    }

    fn hear(&self, terminal: Terminal) {
        let writing = self.writing.load(std::sync::atomic::Ordering::SeqCst);
        if writing && !self.stop.is_asked() {
            self.stop.ask();
            terminal.error("\nStopping after the request in flight; once more to break off at once.\n");
        } else {
            self.at_once.notify_one();
        }
    }
}

/// Globs over addresses, on every verb that plans.
#[derive(Debug, Args)]
pub(crate) struct Targets {
    /// Only addresses like this one, such as 'acme.example/dns/*/www'; may be given several times
    #[arg(long = "target", value_name = "ADDRESS-GLOB")]
    only: Vec<String>,
    /// All but addresses like this one; may be given several times
    #[arg(long, value_name = "ADDRESS-GLOB")]
    except: Vec<String>,
}

impl Targets {
    fn selection(self) -> Selection {
        Selection {
            only: self.only,
            except: self.except,
        }
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE, such as origin=203.0.113.10".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    if let Some(number) = text.strip_suffix("ms").and_then(|number| number.parse::<u64>().ok()) {
        return Ok(Duration::from_millis(number));
    }
    parse_seconds(text)
        .filter(|seconds| *seconds <= 86_400)
        .map(Duration::from_secs)
        .ok_or_else(|| "write a time such as 30s, 2m or 500ms".to_owned())
}

/// Parses, runs, and says with what exit code to end.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers; everything else could not be done.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Failed.code()
            } else {
                Exit::Yes.code()
            };
        }
    };
    let choice = match cli.global.color {
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    };
    let terminal = Terminal::new(choice);
    trace::begin(cli.global.verbose, terminal.error_look().colour);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal.error(&format!("error: the runtime could not be started: {error}\n"));
            return Exit::Failed.code();
        }
    };
    let code = runtime.block_on(run(cli, terminal));
    // A prompt may still be waiting on its thread: nobody is going to answer it.
    runtime.shutdown_background();
    code
}

async fn run(cli: Cli, terminal: Terminal) -> u8 {
    let interrupt = Arc::new(Interrupt::default());
    let setting = Setting {
        spec: cli.global.spec,
        vars: cli.global.vars.into_iter().collect::<BTreeMap<_, _>>(),
        sandbox: cli.global.sandbox,
        timeout: cli.global.timeout,
        environment: Arc::new(|name: &str| std::env::var(name).ok()),
        clock: Clock::System,
        stop: interrupt.stop.clone(),
    };
    let context = Context {
        setting,
        terminal,
        interrupt: Arc::clone(&interrupt),
    };
    let json = cli.verb.wants_json();
    let listener = tokio::spawn(listen(Arc::clone(&interrupt), terminal));
    let result = tokio::select! {
        result = dispatch(cli.verb, &context) => result,
        () = interrupt.at_once.notified() => {
            terminal.error(&interrupt.last_words(&context.setting));
            Ok(Exit::Stopped)
        }
    };
    listener.abort();
    match result {
        Ok(exit) => exit.code(),
        Err(problem) => {
            if json {
                let _ = terminal.out(&problem_view::problem_json(&problem));
            }
            terminal.error(&problem_view::problem(&problem, terminal.error_look()));
            Exit::Failed.code()
        }
    }
}

async fn listen(interrupt: Arc<Interrupt>, terminal: Terminal) {
    loop {
        if wait_for_signal().await.is_err() {
            return;
        }
        interrupt.hear(terminal);
    }
}

#[cfg(unix)]
async fn wait_for_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

async fn dispatch(verb: Verb, context: &Context) -> Result<Exit, Problem> {
    match verb {
        Verb::Plan(arguments) => plan::run(arguments, context).await,
        Verb::Apply(arguments) => apply::run(arguments, context).await,
        Verb::Rollback(arguments) => rollback::run(arguments, context).await,
        Verb::History(arguments) => history::run(&arguments, context),
        Verb::Validate(arguments) => validate::run(&arguments, context),
        Verb::Mail(arguments) => mail::run(arguments, context).await,
        Verb::Dkim(arguments) => dkim::run(arguments, context),
        Verb::Doctor(arguments) => doctor::run(&arguments, context).await,
        Verb::Import(arguments) => import::run(arguments, context).await,
        Verb::Rehearse(arguments) => rehearse::run(arguments, context).await,
        Verb::Sandbox(arguments) => sandbox::run(arguments, context).await,
        Verb::Schema(arguments) => schema::run(&arguments, context),
        Verb::Completions(arguments) => completions::run(&arguments, context),
    }
}

/// Writes an answer.
pub(crate) fn say(context: &Context, text: &str) -> Result<(), Problem> {
    context
        .terminal
        .out(text)
        .map_err(|error| Problem::new("output", format!("could not write the answer: {error}")))
}

/// Shows the warnings of a spec that is good enough to go on with.
pub(crate) fn show_findings(context: &Context, findings: &crate::base::diagnostic::Diagnostics) {
    if !findings.is_empty() {
        let look = context.terminal.error_look();
        context
            .terminal
            .error(&crate::ui::diagnostics::render(findings, look.colour, look.width));
    }
}
