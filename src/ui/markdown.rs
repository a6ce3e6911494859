//! A plan for a pull request's comment: short enough to be read there, complete enough to be agreed to.

use crate::base::text;
use crate::model::record_set::Record;
use crate::ops::Planned;
use crate::plan::{Action, Change};
use crate::ui::{edge_view, record_view, uptime_view};

/// GitHub takes 65,536 characters; some room is left for what a bot adds.
const MOST: usize = 60_000;

/// How many unmanaged resources are named before the rest is only counted.
const LISTED: usize = 50;

/// The plan as Markdown.
pub fn plan(planned: &Planned, spec: &str) -> String {
    let plan = &planned.plan;
    let mut out = format!("### launchctl plan: `{}`\n\n", code(spec));
    if !plan.refusals.is_empty() {
        out.push_str("**Refused.** Nothing will be changed:\n\n");
        for refusal in &plan.refusals {
            let address = refusal
                .address
                .as_ref()
                .map(|address| format!("`{}`: ", code(address.as_str())));
            let address = address.unwrap_or_default();
            out.push_str(&format!(
                "- {address}{}; {}\n",
                escape(&refusal.message),
                escape(&refusal.help)
            ));
        }
        out.push('\n');
    } else if plan.is_empty() {
        out.push_str("Nothing to change.\n");
    }
    if !plan.is_empty() {
        out.push_str(&format!(
            "**{}** to create, **{}** to change, **{}** to delete, in {}.\n\n",
            plan.count(Action::Create),
            plan.count(Action::Update),
            plan.count(Action::Delete),
            text::count(planned.steps.iter().filter(|step| step.is_write()).count(), "request")
        ));
        out.push_str("| | Address | Before | After |\n|---|---|---|---|\n");
        for (at, change) in plan.changes.iter().enumerate() {
            let row = row(change);
            if out.len() + row.len() > MOST {
                let more = plan.changes.len() - at;
                out.push_str(&format!(
                    "\n… and {} more: run `launchctl plan` for all of them.\n",
                    text::grouped(more)
                ));
                break;
            }
            out.push_str(&row);
        }
    }
    for warning in &plan.warnings {
        let about = warning.address.as_ref().map(|address| format!("`{address}` "));
        let about = about.unwrap_or_default();
        out.push_str(&format!("\n> **Note:** {about}{}\n", escape(&warning.message)));
    }
    if !plan.unmanaged.is_empty() {
        let count = text::count(plan.unmanaged.len(), "resource");
        out.push_str(&format!(
            "\n<details><summary>{count} outside the spec: left alone</summary>\n\n"
        ));
        for address in plan.unmanaged.iter().take(LISTED) {
            out.push_str(&format!("- `{}`\n", code(address.as_str())));
        }
        if plan.unmanaged.len() > LISTED {
            out.push_str(&format!(
                "- … and {} more\n",
                text::grouped(plan.unmanaged.len() - LISTED)
            ));
        }
        out.push_str("\n</details>\n");
    }
    out
}

fn row(change: &Change) -> String {
    let side = |side: &Option<crate::model::resource::Resource>| -> String {
        if let Some(words) = side.as_ref().and_then(uptime_view::whole) {
            return escape(&words);
        }
        if let Some(words) = side.as_ref().and_then(edge_view::brief) {
            return format!("`{}`", code(&text::shorten(&words, 300)));
        }
        let records = side
            .as_ref()
            .and_then(|resource| resource.as_record_set())
            .map(|set| set.records.as_slice());
        records
            .unwrap_or_default()
            .iter()
            .map(record)
            .collect::<Vec<_>>()
            .join("<br>")
    };
    let sign = match change.action() {
        Action::Create => "+",
        Action::Update => "~",
        Action::Delete => "−",
    };
    let reason = match change.action() {
        Action::Create => String::new(),
        Action::Update | Action::Delete => format!("<br>{}", escape(&change.reason)),
    };
    format!(
        "| {sign} | `{}`{reason} | {} | {} |\n",
        code(change.address.as_str()),
        side(&change.before),
        side(&change.after)
    )
}

fn record(record: &Record) -> String {
    let attributes = record_view::attributes(record).join(", ");
    let value = format!("`{}`", code(&text::shorten(&record_view::value(record), 300)));
    if attributes.is_empty() {
        value
    } else {
        format!("{value} {}", escape(&attributes))
    }
}

/// Text inside a code span of a table: no backtick ends it, no bar splits the cell.
fn code(text: &str) -> String {
    text::sanitize(text).replace('`', "'").replace('|', "\\|")
}

/// Text outside of one: nothing in it is markup, a mention or a link.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text::sanitize(text).chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("&#64;"),
            c => out.push(c),
        }
    }
    out
}
