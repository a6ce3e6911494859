//! Records in a few words, and what changed between two of them, word by word where they are long.

use similar::{DiffTag, TextDiff};

use crate::base::text::sanitize;
use crate::model::record::RecordData;
use crate::model::record_set::Record;
use crate::ui::canvas::{Words, style};

/// A value longer than this is compared word by word instead of being shown twice.
const SHORT: usize = 40;

/// What a record says.
pub fn value(record: &Record) -> String {
    let text = record.data.to_string();
    match &record.data {
        RecordData::Txt(_) => format!("\"{}\"", sanitize(&text).replace('\\', "\\\\").replace('"', "\\\"")),
        _ => sanitize(&text).into_owned(),
    }
}

/// What is kept beside the value, in a few words.
pub fn attributes(record: &Record) -> Vec<String> {
    let mut words = Vec::new();
    if record.proxied {
        words.push("proxied".to_owned());
    } else if record.ttl != crate::model::ttl::Ttl::Auto {
        words.push(format!("ttl {}", record.ttl));
    }
    if let Some(tags) = record.tags.as_ref().filter(|tags| !tags.is_empty()) {
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        words.push(format!("tags {}", sanitize(&tags.join(" "))));
    }
    if let Some(comment) = record.comment.as_ref().filter(|comment| !comment.is_empty()) {
        words.push(format!("# {}", sanitize(comment)));
    }
    words
}

/// A whole record.
pub fn whole(record: &Record, style: anstyle::Style) -> Words {
    let words = Words::of(style, value(record));
    match attributes(record).join(", ") {
        attributes if attributes.is_empty() => words,
        attributes => words.and(style::DIM, format!("  {attributes}")),
    }
}

/// What changed between two records, one line for each thing.
pub fn changes(before: &Record, after: &Record, colour: bool) -> Vec<Words> {
    let mut lines = Vec::new();
    if before.data == after.data {
        lines.push(Words::of(style::PLAIN, value(after)));
    } else {
        lines.push(changed_value(&value(before), &value(after), colour));
    }
    let mut attribute = |name: &str, old: String, new: String| {
        if old != new {
            lines.push(Words::of(style::DIM, format!("{name} ")).join(arrow(&old, &new)));
        }
    };
    let yes = |value: bool| if value { "yes" } else { "no" }.to_owned();
    attribute("ttl", before.ttl.to_string(), after.ttl.to_string());
    attribute("proxied", yes(before.proxied), yes(after.proxied));
    let text = |value: &Option<String>| {
        value
            .as_deref()
            .map_or_else(|| "none".to_owned(), |text| format!("\"{}\"", sanitize(text)))
    };
    attribute("comment", text(&before.comment), text(&after.comment));
    let kept = after
        .comment
        .as_ref()
        .filter(|comment| before.comment.as_ref() == Some(*comment));
    let value_changed = before.data != after.data;
    let tags = |record: &Record| match &record.tags {
        Some(tags) if !tags.is_empty() => {
            sanitize(&tags.iter().map(String::as_str).collect::<Vec<_>>().join(" ")).into_owned()
        }
        _ => "none".to_owned(),
    };
    attribute("tags", tags(before), tags(after));
    let extra = |record: &Record| match &record.extra {
        Some(extra) => sanitize(&serde_json::to_string(extra).unwrap_or_default()).into_owned(),
        None => "none".to_owned(),
    };
    attribute("settings", extra(before), extra(after));
    if let Some(kept) = kept.filter(|_| value_changed) {
        lines.push(Words::of(style::DIM, format!("comment \"{}\" stays", sanitize(kept))));
    }
    lines
}

/// A short value and what becomes of it.
pub fn arrow(old: &str, new: &str) -> Words {
    Words::of(style::DELETE, old)
        .and(style::DIM, " → ")
        .and(style::CREATE, new)
}

/// A value and what becomes of it, word by word where it is long.
pub fn changed_value(old: &str, new: &str, colour: bool) -> Words {
    if old.chars().count() <= SHORT && new.chars().count() <= SHORT {
        return arrow(old, new);
    }
    let (old, new) = (tokens(old), tokens(new));
    let mut words = Words::new();
    for (removed, added, same) in pieces(&old, &new) {
        if !removed.is_empty() {
            words = if colour {
                words.and(style::DELETE.strikethrough(), removed)
            } else {
                words.and(style::PLAIN, format!("[-{removed}-]"))
            };
        }
        if !added.is_empty() {
            words = if colour {
                words.and(style::CREATE, added)
            } else {
                words.and(style::PLAIN, format!("{{+{added}+}}"))
            };
        }
        words = words.and(style::PLAIN, same);
    }
    words
}

/// Words, and each sign between them by itself: `p=none;` is four tokens, so that only `none` is shown as changed.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let end = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, tail) = rest.split_at(end);
        tokens.push(token);
        rest = tail;
    }
    tokens
}

/// What is removed, what is added, and what follows unchanged, piece by piece. Single signs between two changes belong
/// to them: a change reads better whole.
fn pieces(old: &[&str], new: &[&str]) -> Vec<(String, String, String)> {
    let diff = TextDiff::from_slices(old, new);
    let mut pieces: Vec<(String, String, String)> = Vec::new();
    for op in diff.ops() {
        let (removed, added) = (old[op.old_range()].concat(), new[op.new_range()].concat());
        if op.tag() == DiffTag::Equal {
            match pieces.last_mut() {
                Some(last) => last.2.push_str(&removed),
                None => pieces.push((String::new(), String::new(), removed)),
            }
            continue;
        }
        match pieces.last_mut() {
            Some(last) if last.2.chars().count() <= 1 && !(last.0.is_empty() && last.1.is_empty()) => {
                let between = std::mem::take(&mut last.2);
                last.0.push_str(&format!("{between}{removed}"));
                last.1.push_str(&format!("{between}{added}"));
            }
            _ => pieces.push((removed, added, String::new())),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> String {
        let mut canvas = crate::ui::canvas::Canvas::new(crate::ui::canvas::Look {
            width: 400,
            colour: false,
        });
        canvas.line(&changed_value(old, new, false), 0);
        canvas.finish()
    }

    #[test]
    fn a_long_value_shows_what_changed_in_it_and_no_more() {
        assert_eq!(
            shown(
                "\"v=DMARC1; p=none; rua=mailto:dmarc@acme.example\"",
                "\"v=DMARC1; p=quarantine; rua=mailto:dmarc@acme.example\""
            ),
            "\"v=DMARC1; p=[-none-]{+quarantine+}; rua=mailto:dmarc@acme.example\"\n"
        );
        assert_eq!(
            shown(
                "\"v=spf1 include:_spf.one.example ~all\"",
                "\"v=spf1 include:_spf.one.example include:two.example -all\""
            ),
            "\"v=spf1 include:_spf.one.example [-~all-]{+include:two.example -all+}\"\n"
        );
        assert_eq!(shown("short", "other"), "short → other\n");
    }
}
