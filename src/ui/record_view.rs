//! Records in a few words, and what changed between two of them, word by word where they are long.

use similar::{ChangeTag, TextDiff};

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
        RecordData::Txt(_) => format!("\"{}\"", sanitize(&text)),
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
    lines
}

fn arrow(old: &str, new: &str) -> Words {
    Words::of(style::DELETE, old)
        .and(style::DIM, " → ")
        .and(style::CREATE, new)
}

fn changed_value(old: &str, new: &str, colour: bool) -> Words {
    if old.chars().count() <= SHORT && new.chars().count() <= SHORT {
        return arrow(old, new);
    }
    let diff = TextDiff::from_words(old, new);
    let mut words = Words::new();
    for change in diff.iter_all_changes() {
        let text = change.value();
        words = match (change.tag(), colour) {
            (ChangeTag::Equal, _) => words.and(style::PLAIN, text),
            (ChangeTag::Delete, true) => words.and(style::DELETE.strikethrough(), text),
            (ChangeTag::Insert, true) => words.and(style::CREATE, text),
            (ChangeTag::Delete, false) => words.and(style::PLAIN, format!("[-{text}-]")),
            (ChangeTag::Insert, false) => words.and(style::PLAIN, format!("{{+{text}+}}")),
        };
    }
    words
}
