//! The page that a spec is written on: values as YAML, entries on one line where they fit and as a block where they do
//! not, and which line speaks of what. Every text is written so that readers of YAML 1.1 and 1.2 take it for that text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value as Json;

use super::Part;

/// Columns that an entry may take on one line.
const WIDTH: usize = 130;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Yaml {
    /// A scalar as it is written.
    Scalar(String),
    /// A list.
    List(Vec<Yaml>),
    /// Keys and values in order.
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// A text, in quotes where it needs them.
    pub(super) fn text(text: &str) -> Self {
        Self::Scalar(scalar(text))
    }

    /// A word or a number of the language, which needs no quotes.
    #[expect(clippy::needless_pass_by_value, reason = "words and numbers are small")]
    pub(super) fn word(word: impl ToString) -> Self {
        Self::Scalar(word.to_string())
    }

    /// A setting's value.
    pub(super) fn json(value: &Json) -> Self {
        match value {
            Json::Null => Self::word("\"\""),
            Json::Bool(_) | Json::Number(_) => Self::word(value),
            Json::String(text) if matches!(text.as_str(), "on" | "off") => Self::word(text),
            Json::String(text) => Self::text(text),
            Json::Array(items) => Self::List(items.iter().map(Self::json).collect()),
            Json::Object(map) => Self::Map(
                map.iter()
                    .map(|(key, value)| (scalar(key), Self::json(value)))
                    .collect(),
            ),
        }
    }

    /// The value on one line.
    pub(super) fn flow(&self) -> String {
        match self {
            Self::Scalar(text) => text.clone(),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::flow).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Map(entries) if entries.is_empty() => "{}".to_owned(),
            Self::Map(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!("{key}: {}", value.flow()))
                    .collect();
                format!("{{ {} }}", entries.join(", "))
            }
        }
    }

    /// The lines of `KEY: VALUE` as they stand at `indent`, each without that indent.
    fn under(&self, key: &str, indent: usize) -> Vec<String> {
        let one = format!("{key}: {}", self.flow());
        let fits = indent + one.chars().count() <= WIDTH;
        let deeper: Vec<String> = match self {
            Self::List(items) if !fits => items.iter().flat_map(|item| item_lines(item, indent + 2)).collect(),
            Self::Map(entries) if !fits => {
                let under = |(key, value): &(String, Self)| value.under(key, indent + 2);
                entries.iter().flat_map(under).collect()
            }
            _ => return vec![one],
        };
        let deeper = deeper.into_iter().map(|line| format!("  {line}"));
        std::iter::once(format!("{key}:")).chain(deeper).collect()
    }
}

/// The lines of an item of a list that stands at `indent`, each without that indent.
pub(super) fn item_lines(item: &Yaml, indent: usize) -> Vec<String> {
    let one = format!("- {}", item.flow());
    let entries = match item {
        Yaml::Map(entries) if !entries.is_empty() && indent + one.chars().count() > WIDTH => entries,
        _ => return vec![one],
    };
    let under = |(key, value): &(String, Yaml)| value.under(key, indent + 2);
    let lines = entries.iter().flat_map(under).enumerate();
    lines
        .map(|(at, line)| format!("{} {line}", if at == 0 { "-" } else { " " }))
        .collect()
}

/// The text so far, and which of its lines speak of what.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) text: String,
    pub(super) parts: BTreeMap<usize, (usize, Part)>,
    lines: usize,
}

impl Page {
    /// A line.
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
        self.lines += 1;
    }

    /// A line that speaks of a part of a zone.
    pub(super) fn line_of(&mut self, line: &str, part: Option<(usize, Part)>) {
        self.parts.extend(part.map(|part| (self.lines + 1, part)));
        self.line(line);
    }

    /// An item of a list.
    pub(super) fn item(&mut self, item: &Yaml, indent: usize, part: Option<(usize, Part)>) {
        for line in item_lines(item, indent) {
            self.line_of(&format!("{}{line}", " ".repeat(indent)), part);
        }
    }

    /// A key with its value.
    pub(super) fn key(&mut self, key: &str, value: &Yaml, indent: usize, part: Option<(usize, Part)>) {
        let outer = " ".repeat(indent);
        for line in value.under(key, indent) {
            self.line_of(&format!("{outer}{line}"), part);
        }
    }

    /// What is only a comment, with the reason.
    pub(super) fn aside(&mut self, item: &Yaml, reason: &str, indent: usize) {
        let outer = " ".repeat(indent);
        self.line(&format!("{outer}# Left as it is, unmanaged: {}", one_line(reason)));
        self.line(&format!("{outer}# - {}", item.flow()));
    }
}

/// A text as it is, where no reader of YAML 1.1 or 1.2 could take it for anything but a text.
pub(super) fn scalar(text: &str) -> String {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let begins_plainly = text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '/'));
    // No number has a space in it, nor three dots.
    let begins_with_a_number = text.starts_with(|c: char| c.is_ascii_digit())
        && (text.contains(' ') || text.parse::<std::net::Ipv4Addr>().is_ok());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ' | '/' | '@' | '=');
    let ends_plainly = !text.ends_with(' ');
    let is_word = WORDS.contains(&text.to_ascii_lowercase().as_str());
    if (begins_plainly || begins_with_a_number) && ends_plainly && text.chars().all(is_plain) && !is_word {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A text in quotes. `${` is said as itself and not as a variable.
pub(super) fn quoted(text: &str) -> String {
    in_quotes(&text.replace("${", "$${"))
}

/// The same for a text in which variables stand. Single quotes where that saves escapes; what a terminal or a reader of
/// YAML could take for more than a character is escaped.
pub(super) fn in_quotes(text: &str) -> String {
    let is_odd = crate::base::text::is_unsafe;
    if text.contains(['"', '\\']) && !text.contains('\'') && !text.chars().any(is_odd) {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if is_odd(c) && u32::from(c) > 0xFFFF => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c if is_odd(c) => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

pub(super) fn one_line(text: &str) -> String {
    crate::base::text::sanitize(text)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_mislead_a_reader_is_escaped() {
        let odd = [
            '\u{202e}',
            '\u{2066}',
            '\u{200b}',
            '\u{61c}',
            '\u{feff}',
            '\u{85}',
            '\u{1b}',
            '\u{e0041}',
        ];
        for c in odd {
            let shown = scalar(&format!("a'\"{c}b"));
            assert!(shown.is_ascii() && !shown.contains(c), "{shown}");
        }
        assert_eq!(scalar("a\u{202e}b\u{e0041}"), r#""a\u202Eb\U000E0041""#);
    }

    #[test]
    fn an_entry_stands_on_one_line_until_it_is_too_long() {
        let long = "x".repeat(120);
        let text = |text: &str| Yaml::text(text);
        let item = Yaml::Map(vec![
            ("name".into(), text("security headers")),
            ("match".into(), Yaml::Map(vec![("path".into(), text("/*"))])),
            (
                "set".into(),
                Yaml::Map(vec![("A".into(), text(&long)), ("B".into(), text("no"))]),
            ),
            ("remove".into(), Yaml::List(vec![text(&long), text("X-B")])),
        ]);
        let mut page = Page::default();
        page.item(&item, 6, None);
        let expected = format!(
            "      - name: security headers\n        match: {{ path: \"/*\" }}\n        set:\n          A: {long}\n          B: \"no\"\n        remove:\n          - {long}\n          - X-B\n"
        );
        assert_eq!(page.text, expected);
    }
}
