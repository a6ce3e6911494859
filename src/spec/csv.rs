//! Comma-separated values (RFC 4180), each with its place. Pure; it knows no column and no meaning. Semicolons and tabs
//! are taken too, as spreadsheets write them: the first line tells which it is.

use std::ops::Range;

/// One value of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// The value, without its quotes.
    pub(super) text: String,
    /// Where it stands, its quotes included.
    pub(super) range: Range<usize>,
}

/// A line with its values.
pub(super) type Line = Vec<Field>;

/// Reads all lines but empty ones and those that begin with `#`. The error is where a quote was opened that nothing
/// closes, or what follows a closing one.
pub(super) fn lines(text: &str) -> Result<Vec<Line>, Range<usize>> {
    // Spreadsheets begin a file with a byte order mark.
    let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let first = text[at..].lines().find(|line| is_content(line)).unwrap_or_default();
    let delimiter = first.chars().find(|c| matches!(c, ',' | ';' | '\t')).unwrap_or(',');
    let mut lines = Vec::new();
    while at < text.len() {
        let line = text[at..].lines().next().unwrap_or_default();
        if is_content(line) {
            let (line, end) = one(text, at, delimiter)?;
            lines.push(line);
            at = end;
        } else {
            at += line.len();
        }
        at += text[at..].find('\n').map_or(text.len() - at, |newline| newline + 1);
    }
    Ok(lines)
}

fn is_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

/// One line from `at` on, and where it ends: in front of its newline.
fn one(text: &str, mut at: usize, delimiter: char) -> Result<(Line, usize), Range<usize>> {
    let mut line = Line::new();
    loop {
        let spaces = text[at..].len() - text[at..].trim_start_matches([' ', '\u{a0}']).len();
        let field = if text[at + spaces..].starts_with('"') {
            quoted(text, at + spaces, delimiter)?
        } else {
            plain(text, at, delimiter)
        };
        at = field.1;
        line.push(field.0);
        match text[at..].chars().next() {
            Some(c) if c == delimiter => at += c.len_utf8(),
            _ => return Ok((line, at)),
        }
    }
}

fn plain(text: &str, at: usize, delimiter: char) -> (Field, usize) {
    let end = text[at..]
        .find([delimiter, '\n'])
        .map_or(text.len(), |length| at + length);
    let written = &text[at..end];
    let start = at + written.len() - written.trim_start().len();
    let value = written.trim();
    let field = Field {
        text: value.to_owned(),
        range: start..start + value.len(),
    };
    (field, end)
}

/// A value in quotes, in which two stand for one; what may follow is space and the end of the value.
fn quoted(text: &str, start: usize, delimiter: char) -> Result<(Field, usize), Range<usize>> {
    let mut value = String::new();
    let mut at = start + 1;
    loop {
        let Some(length) = text[at..].find('"') else {
            let line = text[start..].find('\n').map_or(text.len(), |length| start + length);
            return Err(start..line);
        };
        value.push_str(&text[at..at + length]);
        at += length + 1;
        if !text[at..].starts_with('"') {
            break;
        }
        value.push('"');
        at += 1;
    }
    let end = text[at..]
        .find([delimiter, '\n'])
        .map_or(text.len(), |length| at + length);
    if !text[at..end].trim().is_empty() {
        return Err(at..end);
    }
    let field = Field {
        text: value,
        range: start..at,
    };
    Ok((field, end))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn values_come_with_their_places_in_every_writing() {
        for (text, values) in [
            ("a,b\r\nc,d\r\n", &[&["a", "b"][..], &["c", "d"]][..]),
            ("\u{feff}a;b\n\n# a remark\nc ; \"d;\"\n", &[&["a", "b"], &["c", "d;"]]),
            ("a\tb\nc", &[&["a", "b"], &["c"]]),
            (
                "a,b\n\"say \"\"hi\"\"\nagain\",,\n",
                &[&["a", "b"], &["say \"hi\"\nagain", "", ""]],
            ),
            ("", &[]),
            ("über,\"ä\"", &[&["über", "ä"]]),
        ] {
            let lines = lines(text).unwrap();
            let found: Vec<Vec<&str>> = lines
                .iter()
                .map(|line| line.iter().map(|field| field.text.as_str()).collect())
                .collect();
            assert_eq!(found, values, "{text:?}");
            for field in lines.iter().flatten().filter(|field| !field.text.contains('"')) {
                assert_eq!(text[field.range.clone()].trim_matches('"'), field.text, "{text:?}");
            }
        }
    }

    #[test]
    fn a_quote_that_does_not_end_is_pointed_at() {
        assert_eq!(lines("a,b\n\"c,d\ne"), Err(4..8));
        assert_eq!(lines("a,\"b\"c\n"), Err(5..6));
    }

    #[test]
    fn nothing_panics_whatever_is_read() {
        for text in [
            "\"",
            "\"\"",
            ",",
            "\n\n",
            "\u{feff}",
            "\u{a0}\"",
            "a\u{a0}\"b",
            "\"\"\"",
            "ä\"ö,\"ü",
        ] {
            let _ = lines(text);
        }
    }
}
