//! `launchctl import`.

use std::path::{Path, PathBuf};

use super::{Context, say};
use crate::base::{files, text};
use crate::model::address::Address;
use crate::ops::{self, Problem, Setting};
use crate::ui::Exit;

/// Write live zones or checks down as a spec, without changing anything
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl import acme.example > launch.yaml\n  launchctl import acme.example acme.test --out launch.yaml\n  launchctl import --out launch.yaml       every zone that the token covers\n  launchctl import acme.example --provider powerdns\n  launchctl import --uptime uptimerobot --into launch.yaml\n\nPlanning what is written shows nothing to do. What a spec cannot say is a comment with the reason.\nLists of redirects from CSV files are left as they are. Checks are only marked by the first apply."
)]
pub(super) struct Arguments {
    /// The zones; without any, all that the credential covers
    #[arg(value_name = "ZONE")]
    zones: Vec<String>,
    /// Who keeps them: cloudflare, powerdns or rfc2136; with --into, what the spec says of a zone that it has
    #[arg(long, value_name = "NAME", value_parser = ["cloudflare", "powerdns", "rfc2136"])]
    provider: Option<String>,
    /// Checks, contacts and maintenance windows instead of zones, from: uptimerobot or betterstack
    #[arg(long, value_name = "NAME", value_parser = ["uptimerobot", "betterstack"], conflicts_with_all = ["zones", "provider"])]
    uptime: Option<String>,
    /// Write to this file, which must not exist yet, instead of to the terminal
    #[arg(long, value_name = "FILE", conflicts_with = "into")]
    out: Option<PathBuf>,
    /// Add to this spec what it lacks: whole zones, or the records, rules and settings of a zone that it has. Without a
    /// ZONE, of those that it has. With --uptime, the `uptime` block, which it must not have yet
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
}

pub(super) async fn run(arguments: Arguments, context: &Context) -> Result<Exit, Problem> {
    let provider = arguments.provider.as_deref();
    if let Some(path) = &arguments.into {
        let setting = Setting {
            spec: path.clone(),
            ..context.setting.clone()
        };
        if let Some(service) = &arguments.uptime {
            let imported = ops::import::uptime_into(&setting, service).await?;
            context.terminal.error(&summary(&imported));
            return Ok(Exit::Yes);
        }
        let added = ops::import::into(&setting, &arguments.zones, provider).await?;
        say(context, &what_was_added(&added, path))?;
        return Ok(Exit::Yes);
    }
    if let Some(path) = arguments.out.as_ref().filter(|path| path.exists()) {
        return Err(
            Problem::new("file-exists", format!("`{}` is already there", path.display()))
                .help("name another file with --out, or add to this one with --into"),
        );
    }
    let provider = provider.unwrap_or("cloudflare");
    let imported = match &arguments.uptime {
        Some(service) => ops::import::uptime(&context.setting, service).await?,
        None => ops::import::import(&context.setting, &arguments.zones, provider).await?,
    };
    match &arguments.out {
        Some(path) => files::write_atomic(path, imported.text.as_bytes())?,
        None => say(context, &imported.text)?,
    }
    context.terminal.error(&summary(&imported));
    Ok(Exit::Yes)
}

/// What was added to a spec and what was not, in a line each.
fn what_was_added(added: &ops::import::Added, path: &Path) -> String {
    let mut words = String::new();
    for (zone, number) in &added.zones {
        let number = text::count(*number, "declaration");
        words.push_str(&format!("+ {zone}, whole: {number}\n"));
    }
    for (address, said) in &added.added {
        let said = text::shorten(&text::sanitize(said), 160);
        words.push_str(&format!("+ {address}: {said}\n"));
    }
    words.push_str(&left_out(&added.left_out, &added.notes));
    let path = path.display();
    match added.zones.len() + added.added.len() {
        0 => words.push_str(&format!("Nothing to add: {path} is as it was.\n")),
        number => words.push_str(&format!(
            "{} added to {path}; planning shows no more than before.\n",
            text::count(number, "entry")
        )),
    }
    words
}

fn left_out(left_out: &[(Address, String)], notes: &[String]) -> String {
    let mut words = String::new();
    for (address, reason) in left_out {
        let reason = text::sanitize(reason);
        words.push_str(&format!("Left unmanaged: {address}: {reason}\n"));
    }
    for note in notes {
        words.push_str(&format!("Note: {}\n", text::sanitize(note)));
    }
    words
}

/// What was declared and what was not, in a line each.
fn summary(imported: &ops::import::Imported) -> String {
    let numbers = imported
        .declared
        .iter()
        .map(|(number, word)| text::count(*number, word));
    let mut words = format!("Declared: {}.\n", text::list(&numbers.collect::<Vec<_>>()));
    words.push_str(&left_out(&imported.left_out, &imported.notes));
    for (variable, about) in &imported.to_be_set {
        let about = text::sanitize(about);
        words.push_str(&format!("Not written down: {about}: set {variable} before planning\n"));
    }
    words
}
