//! What DNS answered in the end: who is right, who is not yet, and until when.

use serde_json::{Value, json};

use crate::base::text::{self, sanitize};
use crate::ui::canvas::{Canvas, Look, Words, style};
use crate::verify::answers::{Late, Report, Role, Said, Tally};

/// How many late answers are listed before the rest is only counted.
const LISTED: usize = 20;

/// The line while it is asked.
pub fn tally(tally: Tally) -> String {
    let who = match tally.role {
        Role::Authoritative => "the zone's own servers",
        Role::Resolver => "resolvers",
    };
    format!("asking {who}: {} of {} answers are right", tally.right, tally.of)
}

/// The end of it.
pub fn report(report: &Report, look: Look) -> String {
    let mut canvas = Canvas::new(look);
    for words in &report.unasked {
        canvas.line(
            &Words::of(style::WARN, "not asked ").and(style::PLAIN, sanitize(words)),
            10,
        );
    }
    for late in report.late.iter().take(LISTED) {
        let words = Words::of(style::WARN, "not yet ")
            .and(style::BOLD, sanitize(&late.server))
            .and(style::PLAIN, format!(": {}", said(late)));
        canvas.line(&words, 8);
    }
    if report.late.len() > LISTED {
        let more = text::grouped(report.late.len() - LISTED);
        canvas.line(&Words::of(style::DIM, format!("… and {more} more")), 2);
    }
    let servers = text::count(report.servers.len(), "server");
    let right = report.questions - report.late.len().min(report.questions);
    let line = if report.is_good() {
        let questions = text::count(report.questions, "question");
        Words::of(style::GOOD, "Answered as declared: ").and(style::PLAIN, format!("{questions} at {servers}."))
    } else {
        Words::of(style::WARN, "Not everybody answers yet: ").and(
            style::PLAIN,
            format!(
                "{right} of {} are right at {servers}. `launchctl apply --wait` asks again.",
                report.questions
            ),
        )
    };
    canvas.line(&line, 2);
    canvas.finish()
}

fn said(late: &Late) -> String {
    let question = format!("{} {}", late.kind, late.name);
    let until = |until: &Option<jiff::Timestamp>, else_: &str| match until {
        Some(time) => format!(", and may until {}", time.strftime("%H:%M:%S UTC")),
        None => else_.to_owned(),
    };
    match &late.said {
        Said::Old { words, until: time } => format!(
            "still answers {question} with {words}{}",
            until(time, ": it has not heard of the change itself")
        ),
        Said::Other { words, until: time } => format!("answers {question} with {words}{}", until(time, "")),
        Said::Nothing(words) => format!("{question} has no answer: {}", sanitize(words)),
    }
}

/// The same for machines.
pub fn report_json(report: &Report) -> Value {
    let late = |late: &Late| {
        let (state, words, until) = match &late.said {
            Said::Old { words, until } => ("old", words, until),
            Said::Other { words, until } => ("other", words, until),
            Said::Nothing(words) => ("silent", words, &None),
        };
        json!({
            "server": late.server, "name": late.name, "type": late.kind, "state": state, "said": words, "until": until,
        })
    };
    json!({
        "right": report.is_good(),
        "questions": report.questions,
        "servers": report.servers,
        "late": report.late.iter().map(late).collect::<Vec<_>>(),
        "not_asked": report.unasked,
    })
}
