//! Problems as people read them.

use crate::base::text::{sanitize, sanitize_lines};
use crate::ops::Problem;
use crate::ui::canvas::{Canvas, Look, Words, style};
use crate::ui::{diagnostics, json, plan_view};

/// A problem in words.
pub fn problem(problem: &Problem, look: Look) -> String {
    match problem {
        Problem::Spec(findings) => diagnostics::render(findings, look.colour, look.width),
        Problem::Refused(refusals) => {
            let mut canvas = Canvas::new(look);
            plan_view::refusals(refusals, &mut canvas);
            canvas.finish()
        }
        Problem::Other { message, help, .. } => {
            let mut canvas = Canvas::new(look);
            canvas.line(
                &Words::of(style::BAD, "error: ").and(style::PLAIN, sanitize(message)),
                7,
            );
            if let Some(help) = help {
                canvas.line(
                    &Words::of(style::HELP, "       ").and(style::HELP, sanitize_lines(help)),
                    7,
                );
            }
            canvas.finish()
        }
    }
}

/// A problem for a machine.
pub fn problem_json(problem: &Problem) -> String {
    let value = match problem {
        Problem::Spec(findings) => {
            let first = findings
                .iter()
                .next()
                .map(|finding| finding.message.clone())
                .unwrap_or_default();
            json::problem(
                "spec",
                &format!("the spec has errors: {first}"),
                Some("launchctl validate --json lists them all"),
            )
        }
        Problem::Refused(refusals) => {
            let words: Vec<String> = refusals
                .iter()
                .map(|refusal| match &refusal.address {
                    Some(address) => format!("{address}: {}", refusal.message),
                    None => refusal.message.clone(),
                })
                .collect();
            json::problem(
                "refused",
                &words.join("; "),
                refusals.first().map(|refusal| refusal.help.as_str()),
            )
        }
        Problem::Other { code, message, help } => json::problem(code, message, help.as_deref()),
    };
    json::text(&value)
}
