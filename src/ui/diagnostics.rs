//! Findings as people read them: what is wrong, the line with a mark under it, and what to do. The drawing is the Rust
//! compiler's own (`annotate-snippets`), which makes safe only the source lines: everything else is made safe here.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::base::diagnostic::{Diagnostic, Diagnostics, Place, Severity};
use crate::base::text::{self, sanitize};

/// More findings than this are only counted: a file of another kind has thousands.
const SHOWN: usize = 50;

/// All findings in reading order, and a last line that counts.
pub fn render(findings: &Diagnostics, colour: bool, width: usize) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(width);
    let sorted = findings.clone().sorted();
    let mut out = String::new();
    for finding in sorted.iter().take(SHOWN) {
        out.push_str(&one(finding, &renderer));
        out.push_str("\n\n");
    }
    let count = |severity: Severity| sorted.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let left = sorted.iter().count().saturating_sub(SHOWN);
    if left > 0 {
        out.push_str(&format!("… and {} not shown.\n", text::count(left, "finding")));
    }
    let counts: Vec<String> = [(errors, "error"), (warnings, "warning")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| text::count(number, noun))
        .collect();
    if !counts.is_empty() {
        out.push_str(&format!("{}.\n", text::list(&counts)));
    }
    out
}

fn one(finding: &Diagnostic, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let mut group: Group<'_> = match &finding.place {
        None => Group::with_title(level.primary_title(sanitize(&finding.message)).id(finding.code)),
        Some(place) => {
            let title = level.primary_title(sanitize(&finding.message)).id(finding.code);
            title.element(snippet(finding, place))
        }
    };
    for help in &finding.help {
        group = group.element(Level::HELP.message(sanitize(help)));
    }
    renderer.render(&[group])
}

/// The lines that matter, from the first marked one to the last.
fn snippet<'a>(finding: &'a Diagnostic, place: &'a Place) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let source = &place.source.text;
    let related = || finding.related.iter().filter(|(other, _)| other.source == place.source);
    let first = related()
        .map(|(other, _)| other.range.start)
        .fold(place.range.start, usize::min);
    let last = related()
        .map(|(other, _)| other.range.end)
        .fold(place.range.end, usize::max);
    let start = source[..first].rfind('\n').map_or(0, |at| at + 1);
    let end = source[last..].find('\n').map_or(source.len(), |at| last + at);
    let shifted = |range: &Range<usize>| range.start - start..range.end.max(range.start) - start;
    let mut mark = AnnotationKind::Primary.span(shifted(&place.range));
    if let Some(label) = &finding.label {
        mark = mark.label(sanitize(label));
    }
    let line = source[..start].matches('\n').count() + 1;
    let mut snippet = Snippet::source(&source[start..end])
        .line_start(line)
        .path(sanitize(&place.source.path))
        .annotation(mark);
    for (other, words) in related() {
        let mark = AnnotationKind::Context
            .span(shifted(&other.range))
            .label(sanitize(words));
        snippet = snippet.annotation(mark);
    }
    snippet
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::diagnostic::Source;

    #[test]
    fn nothing_from_outside_reaches_the_terminal_raw() {
        let source = Arc::new(Source {
            path: "a\u{1b}[31m.yaml".into(),
            text: "x: \u{1b}[2Jy\n".into(),
        });
        let finding = Diagnostic::error("bad-value", "no \u{7} good")
            .at(Place::new(&source, 3..8))
            .label("la\rbel")
            .related(Place::new(&source, 0..1), "re\u{9b}lated")
            .help("he\u{202e}lp");
        let findings: Diagnostics = [finding].into_iter().collect();
        let shown = render(&findings, false, 80);
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
        assert!(!shown.contains('\u{202e}'), "{shown:?}");
        assert!(shown.ends_with("1 error.\n"), "{shown}");
    }

    #[test]
    fn a_place_at_the_end_or_without_text_is_shown() {
        for text in ["", "\n", "a: 1", "a: ü\n"] {
            let source = Arc::new(Source {
                path: "launch.yaml".into(),
                text: text.into(),
            });
            for at in 0..=text.len() + 1 {
                let finding = Diagnostic::warning("x", "y").at(Place::new(&source, at..at));
                let findings: Diagnostics = [finding].into_iter().collect();
                assert!(render(&findings, false, 40).contains("launch.yaml:"), "{text:?} {at}");
            }
        }
    }

    #[test]
    fn a_flood_is_counted() {
        let findings: Diagnostics = (0..200)
            .map(|n| Diagnostic::error("x", format!("number {n}")))
            .collect();
        let shown = render(&findings, false, 80);
        assert!(shown.contains("… and 150 findings not shown."), "{shown}");
        assert!(shown.ends_with("200 errors.\n"), "{shown}");
    }
}
