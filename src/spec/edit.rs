//! Small edits of a spec's text: one thing goes in where it belongs, and every other byte stays as it was. Pure: text in,
//! text out. It does not judge the outcome; whoever asks loads the text again and compares.

pub mod add;

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::shape::entry;
use super::yaml::{self, Entry, Node, Value};
use crate::base::diagnostic::Source;
use crate::model::name::DomainName;

/// The text with a DKIM key added under `email` of a zone, or why it cannot be added there.
pub fn add_dkim_key(source: &Arc<Source>, zone: &DomainName, item: &str) -> Result<String, String> {
    let found = zone_of(source, zone)?;
    let email = written_under(&found.value, "email").ok_or_else(|| format!("{zone} has no `email` block"))?;
    let Value::Mapping(entries) = &email.value.value else {
        return Err(format!("`email` of {zone} is no block of keys"));
    };
    is_in_place(email)?;
    let text = &source.text;
    match entries.iter().find(|entry| entry.key.text == "dkim") {
        Some(dkim) => {
            is_in_place(dkim)?;
            into_list(text, &dkim.value, item)
        }
        None => into_block(text, &email.value, entries, item),
    }
}

fn read(source: &Arc<Source>) -> Result<Rc<Node>, String> {
    let (root, findings) = yaml::parse(source);
    let root = root.filter(|_| !findings.has_errors());
    root.ok_or_else(|| "the spec cannot be read".to_owned())
}

/// A zone, whether its entries stand in it or behind an alias.
fn zone_of(source: &Arc<Source>, zone: &DomainName) -> Result<Entry, String> {
    let root = read(source)?;
    let zones = entry(&root, "zones").ok_or("the spec has no zones")?;
    let Value::Mapping(zones) = &zones.value else {
        return Err("the spec has no zones".into());
    };
    let is_it = |found: &&Entry| DomainName::parse(&found.key.text).is_ok_and(|name| name == *zone);
    let found = zones
        .iter()
        .find(is_it)
        .ok_or_else(|| format!("the spec has no zone {zone}"))?;
    Ok(found.clone())
}

fn written_under<'n>(node: &'n Node, key: &str) -> Option<&'n Entry> {
    match &node.value {
        Value::Mapping(entries) => entries.iter().find(|entry| entry.key.text == key),
        _ => None,
    }
}

/// What an alias stands for is written elsewhere, and may be used by others.
fn is_in_place(entry: &Entry) -> Result<(), String> {
    if entry.value.range.start < entry.key_range.end {
        return Err(format!("`{}` is an alias", entry.key.text));
    }
    Ok(())
}

fn is_flow(text: &str, node: &Node) -> bool {
    text.get(node.range.clone())
        .is_some_and(|written| written.starts_with(['[', '{']))
}

fn into_list(text: &str, list: &Rc<Node>, item: &str) -> Result<String, String> {
    let Value::Sequence(items) = &list.value else {
        return Err("`dkim` is not a list".into());
    };
    let Some(last) = items.last() else {
        return Ok(insert(text, list.range.start + 1, item));
    };
    if !list.range.contains(&last.range.start) {
        return Err("the last key of `dkim` is an alias".into());
    }
    if is_flow(text, list) {
        return Ok(insert(text, last.range.end, &format!(", {item}")));
    }
    let dash = before_on_line(text, last.range.start)
        .trim_end()
        .strip_suffix('-')
        .filter(|indent| indent.chars().all(|c| c == ' '))
        .ok_or("the last key of `dkim` does not stand on a line of its own")?;
    let at = line_end(text, end(text, last));
    Ok(insert(text, at, &format!("{}{dash}- {item}", line_break(text))))
}

fn into_block(text: &str, email: &Node, entries: &[Entry], item: &str) -> Result<String, String> {
    let Some(last) = entries.last() else {
        return Ok(insert(text, email.range.start + 1, &format!(" dkim: [{item}] ")));
    };
    is_in_place(last)?;
    if is_flow(text, email) {
        return Ok(insert(text, entry_end(text, last).end, &format!(", dkim: [{item}]")));
    }
    let indent = before_on_line(text, last.key_range.start);
    if !indent.chars().all(|c| c == ' ') {
        return Err("the last key of `email` does not stand on a line of its own".into());
    }
    let newline = line_break(text);
    let at = line_end(text, entry_end(text, last).end);
    Ok(insert(
        text,
        at,
        &format!("{newline}{indent}dkim:{newline}{indent}  - {item}"),
    ))
}

fn entry_end(text: &str, entry: &Entry) -> Range<usize> {
    let end = end(text, &entry.value).max(entry.key_range.end);
    entry.key_range.start..end
}

/// Where the last thing in a node ends: a block's own range reaches over the comments behind it.
fn end(text: &str, node: &Node) -> usize {
    if is_flow(text, node) {
        return node.range.end;
    }
    match &node.value {
        Value::Sequence(items) => items.last().map_or(node.range.end, |last| end(text, last)),
        Value::Mapping(entries) => entries.last().map_or(node.range.end, |last| entry_end(text, last).end),
        _ => {
            let written = text.get(node.range.clone()).unwrap_or_default();
            node.range.start + written.trim_end().len()
        }
    }
}

fn before_on_line(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    before.rsplit('\n').next().unwrap_or_default()
}

fn line_end(text: &str, at: usize) -> usize {
    let line = text
        .get(at..)
        .unwrap_or_default()
        .split('\n')
        .next()
        .unwrap_or_default();
    at + line.trim_end_matches('\r').len()
}

fn line_break(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn insert(text: &str, at: usize, more: &str) -> String {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    format!("{before}{more}{after}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn edited(text: &str) -> Result<String, String> {
        let source = Arc::new(Source {
            path: "launch.yaml".into(),
            text: text.into(),
        });
        add_dkim_key(&source, &DomainName::parse("a.example").unwrap(), "{ N }")
    }

    #[test]
    fn a_key_goes_where_it_belongs_and_every_other_byte_stays() {
        let head = "# top\nzones:\n  a.example:\n    email:";
        // The `+` marks what is put in; without it and what it marks, the text is the one before.
        let cases = [
            (
                "\n      dkim:\n        - { s: 1 } # one",
                "\n        - { N }",
                "\n\n      # policy\n      dmarc: x\n",
            ),
            (
                "\n      dkim:\n      - s: 1\n        key: k # one",
                "\n      - { N }",
                "\n# end\n  b.example: {}\n",
            ),
            ("\n      dkim: [{ s: 1 }", ", { N }", " ] # all\n"),
            ("\n      dkim: [", "{ N }", "]\n"),
            (
                "\n      dmarc:\n        policy: none # soft",
                "\n      dkim:\n        - { N }",
                "\n\n    # next\n    records: []\n",
            ),
            (" { receive: x", ", dkim: [{ N }]", " }\n"),
            ("\r\n      bulk: true", "\r\n      dkim:\r\n        - { N }", "\r\n"),
            ("\n      bulk: true", "\n      dkim:\n        - { N }", ""),
        ];
        for (before, put, after) in cases {
            let text = format!("{head}{before}{after}");
            assert_eq!(edited(&text).unwrap(), format!("{head}{before}{put}{after}"), "{text}");
        }
    }

    #[test]
    fn what_has_no_place_for_it_is_refused_with_words() {
        let zones = "zones:\n  a.example:\n    ";
        for (text, why) in [
            ("version: 1\n".to_owned(), "no zones"),
            ("zones: { b.example: {} }\n".to_owned(), "no zone a.example"),
            (format!("{zones}records: []\n"), "no `email` block"),
            (format!("{zones}email: parked\n"), "no block of keys"),
            (format!("{zones}email:\n      dkim: {{ s: 1 }}\n"), "not a list"),
            (format!("x: &e {{ bulk: true }}\n{zones}email: *e\n"), "an alias"),
        ] {
            let said = edited(&text).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }
}
