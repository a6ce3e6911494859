//! Flattened includes as people and machines read them: what came and what went, and what to do next.

use serde_json::{Value, json};

use crate::base::text::{self, sanitize};
use crate::mail::dns::QueryName;
use crate::mail::spf::network::Network;
use crate::ops::flatten::{Flattened, Include, Status};
use crate::ui::canvas::{Canvas, Look, Words, style};

/// More networks than this are only counted.
const MOST_SHOWN: usize = 40;

/// What became of `mail flatten`, with the commands to type next.
pub fn view(flattened: &Flattened, next: &Next, look: Look) -> String {
    let mut canvas = Canvas::new(look);
    let head = Words::of(style::BOLD, sanitize(&flattened.path)).and(
        style::DIM,
        format!(
            "  asked of {} at {}",
            flattened.resolver,
            flattened.at.strftime("%Y-%m-%d %H:%M:%SZ")
        ),
    );
    canvas.line(&head, 2);
    for one in &flattened.includes {
        canvas.gap();
        include(one, &mut canvas);
    }
    if !flattened.left_over.is_empty() {
        let names: Vec<&str> = flattened.left_over.iter().map(QueryName::as_str).collect();
        let words = format!("No longer flattened by the spec: {}", sanitize(&text::list(&names)));
        canvas.gap();
        canvas.line(&Words::of(style::DIM, words), 2);
    }
    canvas.gap();
    for line in last_lines(flattened, next) {
        canvas.line(&line, 2);
    }
    canvas.finish()
}

/// The commands that lead on.
#[derive(Debug)]
pub struct Next {
    /// Takes the addresses.
    pub flatten: String,
    /// Shows what follows from them.
    pub plan: String,
}

fn include(one: &Include, canvas: &mut Canvas) {
    let status = one.status();
    let (word, colour) = match status {
        Status::New => ("new", style::CREATE),
        Status::Same => ("as it was", style::GOOD),
        Status::Changed => ("changed", style::UPDATE),
        Status::Unknown => ("not known", style::WARN),
        Status::Refused => ("cannot be flattened", style::BAD),
    };
    let mut words = Words::of(style::BOLD, sanitize(one.name.as_str()))
        .and(style::PLAIN, "  ")
        .and(colour, word);
    if let Ok(flat) = &one.now {
        let (networks, lookups) = (
            text::count(flat.networks.len(), "network"),
            text::count(flat.lookups, "lookup"),
        );
        words = words.and(style::DIM, format!("  {networks} in place of {lookups}"));
    }
    if let Some(taken) = one.taken {
        words = words.and(style::DIM, format!("  taken on {taken}"));
    }
    canvas.line(&words, 4);
    if let Err(error) = &one.now {
        let why = text::shorten(&sanitize(error.why()), 300);
        canvas.line(&Words::of(style::PLAIN, format!("  {why}")), 4);
        if one.taken.is_some() {
            canvas.line(&Words::of(style::DIM, "  what the file has of it stays as it is"), 4);
        }
    }
    let signs = [
        (&one.drift.came, "+", style::CREATE),
        (&one.drift.went, "-", style::DELETE),
    ];
    for (networks, sign, colour) in signs {
        for network in networks.iter().take(MOST_SHOWN) {
            canvas.line(&Words::of(colour, format!("  {sign} {network}")), 4);
        }
        if networks.len() > MOST_SHOWN {
            let more = format!("  {sign} … and {} more", networks.len() - MOST_SHOWN);
            canvas.line(&Words::of(style::DIM, more), 4);
        }
    }
}

fn last_lines(flattened: &Flattened, next: &Next) -> Vec<Words> {
    let changed = flattened.count(Status::Changed) + flattened.count(Status::New);
    let refused = flattened.count(Status::Refused);
    let open = flattened.count(Status::Unknown);
    let mut lines = Vec::new();
    if flattened.compared {
        lines.push(match (changed + refused, open) {
            (0, 0) => Words::of(style::GOOD, "The file holds what the includes stand for."),
            (0, _) => Words::of(
                style::WARN,
                format!("{} could not be compared.", text::count(open, "include")),
            ),
            (count, _) => {
                let verb = if count == 1 { "is" } else { "are" };
                Words::of(
                    style::BAD,
                    format!("{} {verb} not as the file has it.", text::count(count, "include")),
                )
            }
        });
        if changed > 0 {
            lines.push(Words::of(
                style::HELP,
                format!("Take the addresses again with `{}`.", next.flatten),
            ));
        }
        return lines;
    }
    if refused > 0 {
        let words = "Take what cannot be flattened out of `flatten`: it is then included.";
        lines.push(Words::of(style::BAD, words));
    }
    if open > 0 {
        let words = format!("Ask again with `{}` for what is not known.", next.flatten);
        lines.push(Words::of(style::WARN, words));
    }
    if flattened.written {
        let words = format!("Written. Commit it with the spec; `{}` shows what follows.", next.plan);
        lines.push(Words::of(style::GOOD, words));
    } else if refused + open == 0 {
        lines.push(Words::of(style::GOOD, "Nothing has changed, and nothing was written."));
    } else {
        lines.push(Words::of(style::WARN, "Nothing was written."));
    }
    lines
}

/// `mail flatten --json`.
pub fn json(flattened: &Flattened) -> Value {
    let texts = |networks: &[Network]| -> Vec<String> { networks.iter().map(ToString::to_string).collect() };
    let includes = flattened.includes.iter().map(|one| {
        let flat = one.now.as_ref().ok();
        json!({
            "include": one.name.as_str(),
            "status": one.status().as_str(),
            "taken": one.taken.map(|day| day.to_string()),
            "lookups": flat.map(|flat| flat.lookups),
            "networks": flat.map(|flat| texts(&flat.networks)),
            "came": texts(&one.drift.came),
            "went": texts(&one.drift.went),
            "why": one.now.as_ref().err().map(|error| sanitize(error.why())),
        })
    });
    json!({
        "format": 1,
        "lock": flattened.path,
        "resolver": flattened.resolver,
        "at": flattened.at,
        "compared": flattened.compared,
        "written": flattened.written,
        "includes": includes.collect::<Vec<_>>(),
        "left_over": flattened.left_over.iter().map(QueryName::as_str).collect::<Vec<_>>(),
    })
}
