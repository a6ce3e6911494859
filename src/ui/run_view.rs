//! How a run went: what was applied, what was not, what is unknown, and the command that undoes it.

use crate::base::text::{self, sanitize};
use crate::history::RunStatus;
use crate::model::address::Address;
use crate::ops::apply::Outcome;
use crate::ui::canvas::{Canvas, Look, Words, style};

/// How many addresses are listed before the rest is only counted.
const LISTED: usize = 20;

/// How it went, and how to undo it. `verb` is `applied` or `rolled back`.
pub fn outcome(outcome: &Outcome, verb: &str, look: Look) -> String {
    let mut text = course(outcome, verb, look);
    if let Some(why) = &outcome.journal {
        let mut canvas = Canvas::new(look);
        let words = Words::of(style::BAD, "The journal does not tell all of this: ")
            .and(style::PLAIN, format!("{}. ", sanitize(why)))
            .and(
                style::HELP,
                "Make room, then plan again: what was done is no longer different.",
            );
        canvas.line(&words, 2);
        text.push_str(&canvas.finish());
    }
    if let Some(undo) = &outcome.undo {
        let mut canvas = Canvas::new(look);
        canvas.line(&Words::of(style::DIM, format!("To undo: {}", sanitize(undo))), 2);
        text.push_str(&canvas.finish());
    }
    text
}

/// How it went.
pub fn course(outcome: &Outcome, verb: &str, look: Look) -> String {
    let mut canvas = Canvas::new(look);
    let Some(report) = &outcome.report else {
        let words = Words::of(style::GOOD, "Nothing to change. ");
        let note = match &outcome.run {
            Some(run) => format!("Run {run} remembers what now belongs to this spec."),
            None => String::new(),
        };
        canvas.line(&words.and(style::DIM, note), 2);
        return canvas.finish();
    };
    for failed in &report.failed {
        let words = Words::of(style::BAD, "failed ")
            .and(style::BOLD, sanitize(failed.address.as_str()))
            .and(
                style::PLAIN,
                format!(": {} (code {})", sanitize(&failed.message), sanitize(&failed.code)),
            );
        canvas.line(&words, 7);
        if let Some(help) = &failed.help {
            canvas.line(&Words::of(style::HELP, format!("       {}", sanitize(help))), 7);
        }
    }
    for (address, why) in &report.unknown {
        let words = Words::of(style::WARN, "unknown ")
            .and(style::BOLD, sanitize(address.as_str()))
            .and(style::PLAIN, format!(": {}", sanitize(why)));
        canvas.line(&words, 8);
    }
    list(&report.not_attempted.iter().collect::<Vec<_>>(), &mut canvas);
    canvas.gap();
    let run = outcome.run.as_ref().map(ToString::to_string).unwrap_or_default();
    let applied = text::count(report.applied.len(), "change");
    let requests = text::count(outcome.requests, "request");
    let line = match report.status {
        RunStatus::Applied => Words::of(style::GOOD, format!("{} {verb}", capital(&applied)))
            .and(style::PLAIN, format!(" in run {run}, {requests} in all.")),
        RunStatus::Failed => Words::of(style::BAD, "Not done: ")
            .and(style::PLAIN, format!("{applied} {verb}, {} failed, {} not attempted (run {run}).", report.failed.len(), report.not_attempted.len())),
        RunStatus::Stopped => Words::of(style::WARN, "Stopped: ")
            .and(style::PLAIN, format!("{applied} {verb}, {} not attempted (run {run}).", report.not_attempted.len())),
        RunStatus::Unknown | RunStatus::Unfinished => Words::of(style::WARN, "Unknown: ").and(
            style::PLAIN,
            format!(
                "{applied} {verb}, {} may or may not have been, {} not attempted (run {run}). `launchctl plan` looks again.",
                report.unknown.len(),
                report.not_attempted.len()
            ),
        ),
    };
    canvas.line(&line, 2);
    for news in &outcome.news {
        canvas.line(&Words::of(style::WARN, "! ").and(style::PLAIN, sanitize(news)), 2);
    }
    canvas.finish()
}

fn list(addresses: &[&Address], canvas: &mut Canvas) {
    for address in addresses.iter().take(LISTED) {
        let words = Words::of(style::DIM, "not attempted ").and(style::PLAIN, sanitize(address.as_str()));
        canvas.line(&words, 14);
    }
    if addresses.len() > LISTED {
        let more = text::grouped(addresses.len() - LISTED);
        canvas.line(&Words::of(style::DIM, format!("… and {more} more not attempted")), 2);
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
