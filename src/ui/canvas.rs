//! Lines of styled words, wrapped to a width that is counted in columns. Knows no domain.

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr as _;

/// How things are to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns.
    pub width: usize,
    /// Whether colours and other attributes are shown.
    pub colour: bool,
}

impl Look {
    /// Piped: no colour, and room enough that nothing is wrapped in the middle of a value.
    pub const PIPED: Self = Self {
        width: 120,
        colour: false,
    };
}

/// The styles in use; they read on dark and on light ground alike.
pub mod style {
    use super::{AnsiColor, Style};

    /// As it comes.
    pub const PLAIN: Style = Style::new();
    /// Headings, counts that matter.
    pub const BOLD: Style = Style::new().bold();
    /// What is only there for completeness.
    pub const DIM: Style = Style::new().dimmed();
    /// New.
    pub const CREATE: Style = AnsiColor::Green.on_default();
    /// Changed.
    pub const UPDATE: Style = AnsiColor::Yellow.on_default();
    /// Removed.
    pub const DELETE: Style = AnsiColor::Red.on_default();
    /// Something to look at.
    pub const WARN: Style = AnsiColor::Yellow.on_default().bold();
    /// Something wrong.
    pub const BAD: Style = AnsiColor::Red.on_default().bold();
    /// All well.
    pub const GOOD: Style = AnsiColor::Green.on_default().bold();
    /// What to do next.
    pub const HELP: Style = AnsiColor::Cyan.on_default();
}

/// Styled words of one line.
#[derive(Debug, Clone, Default)]
pub struct Words(Vec<(Style, String)>);

impl Words {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// These in this style.
    pub fn of(style: Style, text: impl Into<String>) -> Self {
        Self::new().and(style, text)
    }

    /// The same with more behind them.
    #[must_use]
    pub fn and(mut self, style: Style, text: impl Into<String>) -> Self {
        self.0.push((style, text.into()));
        self
    }

    /// The same with all of `other` behind them.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// How many columns they take.
    pub fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.width()).sum()
    }
}

/// A text that grows line by line.
#[derive(Debug)]
pub struct Canvas {
    look: Look,
    text: String,
}

impl Canvas {
    /// An empty one.
    pub fn new(look: Look) -> Self {
        Self {
            look,
            text: String::new(),
        }
    }

    /// How things are to look.
    pub fn look(&self) -> Look {
        self.look
    }

    /// An empty line, unless one was just drawn or nothing stands above.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// A line of words; what does not fit goes on below, `indent` columns in.
    pub fn line(&mut self, words: &Words, indent: usize) {
        let indent = indent.min(self.look.width / 2);
        let mut column = 0;
        let mut blank = true;
        for (style, text) in &words.0 {
            for piece in pieces(text) {
                self.piece(*style, piece, indent, &mut column, &mut blank);
            }
        }
        // Trailing spaces of an aligned column are not wanted at the end of a line.
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
        self.text.push('\n');
    }

    fn piece(&mut self, style: Style, piece: &str, indent: usize, column: &mut usize, blank: &mut bool) {
        let width = piece.width();
        let is_space = piece.chars().all(|c| c == ' ');
        if *column + width > self.look.width && !*blank {
            if is_space {
                return;
            }
            self.wrap(indent, column);
            *blank = true;
        }
        let mut rest = piece;
        // A word longer than a line (a key, a digest) is cut where the line ends.
        while !is_space && *column + rest.width() > self.look.width && self.look.width > indent + 8 {
            let (head, tail) = split_at_width(rest, self.look.width - *column);
            if head.is_empty() {
                break;
            }
            self.styled(style, head);
            rest = tail;
            if rest.is_empty() {
                return;
            }
            self.wrap(indent, column);
        }
        self.styled(style, rest);
        *column += rest.width();
        if !is_space {
            *blank = false;
        }
    }

    fn wrap(&mut self, indent: usize, column: &mut usize) {
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
        self.text.push('\n');
        self.text.push_str(&" ".repeat(indent));
        *column = indent;
    }

    fn styled(&mut self, style: Style, text: &str) {
        if self.look.colour && style != style::PLAIN {
            self.text.push_str(&format!("{style}{text}{style:#}"));
        } else {
            self.text.push_str(text);
        }
    }

    /// All of it.
    pub fn finish(self) -> String {
        self.text
    }
}

/// Words and the runs of spaces between them.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let is_space = first == ' ';
        let end = rest.find(|c: char| (c == ' ') != is_space).unwrap_or(rest.len());
        let (piece, tail) = rest.split_at(end);
        rest = tail;
        Some(piece)
    })
}

fn split_at_width(text: &str, width: usize) -> (&str, &str) {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.to_string().width();
        if used > width {
            return text.split_at(at);
        }
    }
    (text, "")
}

/// `text` filled with spaces to `width` columns.
pub fn pad(text: &str, width: usize) -> String {
    let mut out = text.to_owned();
    out.push_str(&" ".repeat(width.saturating_sub(text.width())));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_wrap_between_words_and_long_words_where_the_line_ends() {
        let mut canvas = Canvas::new(Look {
            width: 20,
            colour: false,
        });
        canvas.line(&Words::of(style::PLAIN, "one two three four five six"), 4);
        canvas.line(&Words::of(style::BOLD, "a".repeat(30)), 2);
        assert_eq!(
            canvas.finish(),
            "one two three four\n    five six\naaaaaaaaaaaaaaaaaaaa\n  aaaaaaaaaa\n"
        );
    }

    #[test]
    fn wide_characters_count_as_two() {
        assert_eq!(pad("漢", 4), "漢  ");
        assert_eq!(split_at_width("漢漢漢", 5), ("漢漢", "漢"));
    }
}
