//! The runs of a spec, and one of them whole.

use crate::base::text::{self, sanitize};
use crate::history::{Event, Run, RunStatus};
use crate::plan::Action;
use crate::provider::Reading;
use crate::ui::canvas::{Canvas, Look, Words, pad, style};
use crate::ui::plan_view;

fn status_style(status: RunStatus) -> anstyle::Style {
    match status {
        RunStatus::Applied => style::CREATE,
        RunStatus::Failed => style::DELETE,
        RunStatus::Unknown | RunStatus::Stopped | RunStatus::Unfinished => style::UPDATE,
    }
}

fn counts(run: &Run) -> String {
    format!(
        "+{} ~{} -{}",
        run.count(Action::Create),
        run.count(Action::Update),
        run.count(Action::Delete)
    )
}

/// The list, newest first: that is the one that is looked for.
pub fn runs(runs: &[Run], look: Look) -> String {
    let mut canvas = Canvas::new(look);
    if runs.is_empty() {
        canvas.line(&Words::of(style::PLAIN, "No runs yet."), 0);
        return canvas.finish();
    }
    let undone = |run: &Run| {
        runs.iter()
            .rev()
            .find(|later| later.record.undoes.as_ref() == Some(run.id()) && later.is_complete())
    };
    for run in runs.iter().rev() {
        let status = run.status();
        let mut words = Words::of(style::BOLD, run.id().as_str())
            .and(
                style::DIM,
                format!("  {}", run.record.started.strftime("%Y-%m-%d %H:%M UTC")),
            )
            .and(style::PLAIN, format!("  {}  ", pad(run.record.kind.as_str(), 8)))
            .and(status_style(status), pad(status.as_str(), 10))
            .and(style::PLAIN, format!("  {}", counts(run)));
        if let Some(undoes) = &run.record.undoes {
            words = words.and(style::DIM, format!("  of {undoes}"));
        }
        if let Some(later) = undone(run) {
            words = words.and(style::DIM, format!("  undone by {}", later.id()));
        }
        canvas.line(&words, 21);
    }
    canvas.finish()
}

/// One run: what it set out to do, and what became of it.
pub fn run(run: &Run, look: Look) -> String {
    let mut canvas = Canvas::new(look);
    let status = run.status();
    let started = run.record.started.strftime("%Y-%m-%d %H:%M:%S UTC");
    let words = Words::of(style::BOLD, format!("Run {}", run.id()))
        .and(
            style::PLAIN,
            format!("  {}, begun {started}, ", run.record.kind.as_str()),
        )
        .and(status_style(status), status.as_str());
    canvas.line(&words, 4);
    if let Some(undoes) = &run.record.undoes {
        canvas.line(&Words::of(style::DIM, format!("undoes run {undoes}")), 2);
    }
    for id in &run.record.continues {
        canvas.line(
            &Words::of(style::DIM, format!("takes up run {id}, which had not got to its end")),
            2,
        );
    }
    plan_view::changes(&run.record.changes, &Reading::default(), &mut canvas);
    canvas.gap();
    for entry in &run.journal {
        let at = entry.at.strftime("%H:%M:%S%.3f").to_string();
        canvas.line(&Words::of(style::DIM, format!("{at}  ")).join(event(&entry.event)), 14);
    }
    let account = run.account();
    canvas.gap();
    let words = format!(
        "{} applied, {} unknown, {} not done.",
        text::grouped(account.applied.len()),
        text::grouped(account.unknown.len()),
        text::grouped(account.not_done.len())
    );
    canvas.line(&Words::of(style::PLAIN, words), 2);
    for address in account.unknown.iter().chain(&account.not_done).take(20) {
        let what = if account.unknown.contains(address) {
            "unknown "
        } else {
            "not done "
        };
        canvas.line(
            &Words::of(style::UPDATE, format!("  {what}")).and(style::PLAIN, sanitize(address.as_str())),
            4,
        );
    }
    canvas.finish()
}

fn event(event: &Event) -> Words {
    match event {
        Event::Intent { step, summary, .. } => {
            Words::of(style::PLAIN, format!("request {step}: {}", sanitize(summary)))
        }
        Event::Outcome {
            step,
            result,
            code,
            message,
        } => {
            let mut words = format!("request {step}: {}", word(*result));
            if !message.is_empty() {
                words.push_str(&format!(": {}", sanitize(message)));
            }
            if !code.is_empty() {
                words.push_str(&format!(" (code {})", sanitize(code)));
            }
            Words::of(style::PLAIN, words)
        }
        Event::Looked { step, result } => {
            Words::of(style::PLAIN, format!("request {step}: looked again: {}", word(*result)))
        }
        Event::Finished { status, requests, .. } => Words::of(
            style::PLAIN,
            format!("{}, {} in all", status.as_str(), text::count(*requests, "request")),
        ),
    }
}

fn word(result: crate::history::record::StepResult) -> &'static str {
    use crate::history::record::StepResult as R;
    match result {
        R::Applied => "applied",
        R::Nothing => "nothing was done",
        R::Refused => "refused",
        R::Unknown => "the answer was lost",
    }
}
