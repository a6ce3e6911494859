//! What a rehearsal saw, leg by leg, and whether all was as it should be.

use crate::base::text::{self, sanitize};
use crate::ops::rehearse::{Leg, Rehearsal, Seed, counts};
use crate::ui::canvas::{Canvas, Look, Words, style};
use crate::ui::{plan_view, run_view};

/// The whole of it.
pub fn rehearsal(seen: &Rehearsal, look: Look) -> String {
    let mut canvas = Canvas::new(look);
    let begin = format!("It begins with {}.", beginning(seen));
    canvas.line(
        &Words::of(style::BOLD, "Rehearsal in the sandbox. ").and(style::PLAIN, begin),
        2,
    );
    heading("1. Plan", &seen.plan_leg, &mut canvas);
    let mut out = canvas.finish();
    out.push('\n');
    out.push_str(&plan_view::plan(&seen.planned, look));
    let mut canvas = Canvas::new(look);
    there(seen, look, &mut canvas);
    back(seen, look, &mut canvas);
    canvas.line(&verdict(seen), 2);
    out.push_str(&canvas.finish());
    out
}

fn beginning(seen: &Rehearsal) -> String {
    let number = text::count(seen.start, "resource");
    match &seen.seed {
        Seed::Live => format!("a copy of what is live: {number}"),
        Seed::LiveZones(why) => format!("a copy of the live zones and no checks ({}): {number}", sanitize(why)),
        Seed::File(path) => format!("the records of {}: {number}", sanitize(&path.display().to_string())),
        Seed::Empty => "empty zones".to_owned(),
        Seed::NoAccess(why) => format!("empty zones ({})", sanitize(why)),
    }
}

/// The apply, cut off before if that was wanted, and the plan after it.
fn there(seen: &Rehearsal, look: Look, canvas: &mut Canvas) {
    if let Some(cut) = &seen.cut {
        canvas.line(&Words::new(), 0);
        let words = format!(
            "cut off during request {} of {}, as by a power failure",
            cut.during, cut.of
        );
        canvas.line(&Words::of(style::BOLD, "   Apply, ").and(style::BOLD, words), 3);
        for line in &cut.seen {
            canvas.line(&Words::of(style::WARN, "   ! ").and(style::PLAIN, sanitize(line)), 5);
        }
    }
    if let Some((outcome, leg)) = &seen.applied {
        canvas.line(&Words::new(), 0);
        heading("2. Apply", leg, canvas);
        let look = Look { colour: false, ..look };
        body(&run_view::course(outcome, "applied", look), canvas);
    }
    if let Some((second, leg)) = &seen.second {
        canvas.line(&Words::new(), 0);
        heading("3. Plan again", leg, canvas);
        let words = if second.plan.is_empty() {
            Words::of(style::GOOD, "   Nothing to change.")
        } else {
            Words::of(style::BAD, format!("   Still {}.", counts(second)))
        };
        canvas.line(&words, 3);
    }
}

/// The way back, and whether it led to the start.
fn back(seen: &Rehearsal, look: Look, canvas: &mut Canvas) {
    if let Some((planned, outcome, leg)) = &seen.undone {
        canvas.line(&Words::new(), 0);
        heading("4. Roll back", leg, canvas);
        canvas.line(&Words::of(style::PLAIN, format!("   {}.", counts(planned))), 3);
        let look = Look { colour: false, ..look };
        body(&run_view::course(outcome, "rolled back", look), canvas);
    }
    if seen.applied.is_none() {
        return;
    }
    if seen.undone.is_none() {
        canvas.line(&Words::new(), 0);
        let words = Words::of(style::BOLD, "4. Roll back").and(style::DIM, "  nothing to roll back");
        canvas.line(&words, 3);
    }
    canvas.line(&Words::new(), 0);
    canvas.line(&Words::of(style::BOLD, "5. Compare with the start"), 3);
    if seen.differences.is_empty() {
        canvas.line(&Words::of(style::GOOD, "   Everything is what it was."), 3);
    }
    for difference in &seen.differences {
        canvas.line(&Words::of(style::BAD, format!("   {}", sanitize(difference))), 3);
    }
    canvas.line(&Words::new(), 0);
}

fn verdict(seen: &Rehearsal) -> Words {
    const UNTOUCHED: &str = " Nothing outside this machine was changed.";
    if !seen.ok {
        return Words::of(style::BAD, "Not as it should be.").and(style::PLAIN, UNTOUCHED);
    }
    let begun = match &seen.seed {
        Seed::NoAccess(_) => " It began with empty zones, since the live ones could not be read.",
        _ => "",
    };
    Words::of(style::GOOD, "All as it should be.")
        .and(style::PLAIN, UNTOUCHED)
        .and(style::WARN, begun)
}

fn heading(title: &str, leg: &Leg, canvas: &mut Canvas) {
    let mut words = text::count(leg.requests, "request");
    if leg.writes > 0 {
        words.push_str(&format!(" ({} to write)", leg.writes));
    }
    words.push_str(&format!(" in {}", text::count(leg.one_after_another, "round trip")));
    canvas.line(&Words::of(style::BOLD, title).and(style::DIM, format!("  {words}")), 3);
}

fn body(text: &str, canvas: &mut Canvas) {
    for line in text.lines().filter(|line| !line.is_empty()) {
        canvas.line(&Words::of(style::PLAIN, format!("   {line}")), 3);
    }
}
