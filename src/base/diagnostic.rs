//! What is wrong with something that a person wrote, and where. Values only: how they look is the business of `ui`.

use std::ops::Range;
use std::sync::Arc;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The work cannot go on.
    Error,
    /// The work goes on; somebody should look.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// A text that diagnostics point into.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// How the user named the file.
    pub path: String,
    /// All of its text.
    pub text: String,
}

/// A stretch of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The text pointed into.
    pub source: Arc<Source>,
    /// Bytes, on character boundaries, within the text.
    pub range: Range<usize>,
}

impl Place {
    /// A place whose range is pulled onto character boundaries within the text, whatever was handed in.
    pub fn new(source: &Arc<Source>, range: Range<usize>) -> Self {
        let text = &source.text;
        let floor = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = floor(range.start);
        let end = floor(range.end.max(range.start)).max(start);
        Self {
            source: Arc::clone(source),
            range: start..end,
        }
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.source.text[..self.range.start].matches('\n').count() + 1
    }

    /// The column in characters, from 1.
    pub fn column(&self) -> usize {
        let before = &self.source.text[..self.range.start];
        before.rsplit('\n').next().unwrap_or(before).chars().count() + 1
    }

    /// The text pointed at.
    pub fn text(&self) -> &str {
        &self.source.text[self.range.clone()]
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name for this kind of finding, such as `unknown-key`.
    pub code: &'static str,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where, when it stands in a file.
    pub place: Option<Place>,
    /// A few words beside the place: what was expected there.
    pub label: Option<String>,
    /// Other places that explain it, each with a few words.
    pub related: Vec<(Place, String)>,
    /// What to do about it.
    pub help: Vec<String>,
    /// The address of the resource concerned.
    pub address: Option<String>,
}

impl Diagnostic {
    /// A finding without a place.
    pub fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity,
            code,
            message: message.into(),
            place: None,
            label: None,
            related: Vec::new(),
            help: Vec::new(),
            address: None,
        }
    }

    /// An error without a place.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A warning without a place.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// The same finding, pointing at `place`.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same finding with a few words beside its place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The same finding with another place that explains it.
    #[must_use]
    pub fn related(mut self, place: Place, words: impl Into<String>) -> Self {
        self.related.push((place, words.into()));
        self
    }

    /// The same finding with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// The same finding about a resource.
    #[must_use]
    pub fn about(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }
}

/// Findings, gathered while work goes on; sorted only when they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds all of another set.
    pub fn extend(&mut self, other: impl IntoIterator<Item = Diagnostic>) {
        self.0.extend(other);
    }

    /// Whether the work cannot go on.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The findings as they came.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// In reading order: file by file, by place in each, those without a place last; errors before warnings at one place.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        fn key(finding: &Diagnostic) -> (bool, Option<&str>, Option<usize>, Severity) {
            let place = finding.place.as_ref();
            let path = place.map(|place| place.source.path.as_str());
            (
                place.is_none(),
                path,
                place.map(|place| place.range.start),
                finding.severity,
            )
        }
        self.0.sort_by(|a, b| key(a).cmp(&key(b)));
        self
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_columns_in_characters() {
        let source = Arc::new(Source {
            path: "x".into(),
            text: "ä: 1\nüb: 2\n".into(),
        });
        let place = Place::new(&source, 11..12);
        assert_eq!((place.line(), place.column(), place.text()), (2, 5, "2"));
        // Inside a character and past the end: pulled back, never a panic.
        assert_eq!(Place::new(&source, 1..99).range, 0..13);
        #[expect(clippy::reversed_empty_ranges, reason = "that is what is handed in")]
        let backwards = Place::new(&source, 99..3);
        assert_eq!(backwards.range, 13..13);
    }
}
