//! What `doctor` found, one line each, the bad ones with what to do.

use crate::base::text::sanitize;
use crate::provider::{Examination, Finding};
use crate::ui::canvas::{Canvas, Look, Words, pad, style};

/// All findings.
pub fn examinations(all: &[Examination], look: Look) -> String {
    let mut canvas = Canvas::new(look);
    let width = all
        .iter()
        .map(|one| one.subject.chars().count())
        .max()
        .unwrap_or(0)
        .min(look.width / 2);
    for one in all {
        let (word, colour) = match one.finding {
            Finding::Good => ("ok     ", style::GOOD),
            Finding::Unclear => ("unclear", style::WARN),
            Finding::Bad => ("wrong  ", style::BAD),
        };
        let words = Words::of(colour, word)
            .and(style::BOLD, format!("  {}", pad(&sanitize(&one.subject), width)))
            .and(style::PLAIN, format!("  {}", sanitize(&one.detail)));
        canvas.line(&words, 9);
        if let Some(fix) = &one.fix {
            canvas.line(&Words::of(style::HELP, format!("         {}", sanitize(fix))), 9);
        }
    }
    canvas.gap();
    let bad = all.iter().filter(|one| one.finding == Finding::Bad).count();
    let line = match bad {
        0 if all.iter().any(|one| one.finding == Finding::Unclear) => {
            Words::of(style::WARN, "Nothing is wrong, but not everything is clear.")
        }
        0 => Words::of(style::GOOD, "Everything is in place."),
        1 => Words::of(style::BAD, "1 thing is wrong."),
        many => Words::of(style::BAD, format!("{many} things are wrong.")),
    };
    canvas.line(&line, 2);
    canvas.finish()
}
