//! Additions to a spec that is there: items of a zone's lists, keys of its settings, whole zones. What stands in the file
//! keeps its bytes; a comment behind the last item stays with it.

use std::sync::Arc;

use super::{
    before_on_line, end, entry_end, insert, is_flow, is_in_place, line_break, line_end, read, written_under, zone_of,
};
use crate::base::diagnostic::Source;
use crate::model::name::DomainName;
use crate::model::ttl::Ttl;
use crate::spec::emit::Item;
use crate::spec::yaml::{Entry, Node, Value};

/// Where in a list something goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// Before all others.
    First,
    /// Behind the item at this position.
    After(usize),
    /// Behind all others.
    Last,
}

/// The text with items added to the list `key` of a zone, below a comment when one is given.
pub fn items(
    source: &Arc<Source>,
    zone: &DomainName,
    key: &str,
    spot: Spot,
    items: &[Item],
    comment: Option<&str>,
) -> Result<String, String> {
    let zone_entry = zone_in_place(source, zone)?;
    let text = &source.text;
    let Some(list) = written_under(&zone_entry.value, key) else {
        let flow: Vec<&str> = items.iter().map(|item| item.flow.as_str()).collect();
        let lines = lines_of(items, comment).into_iter().map(|line| format!("  {line}"));
        let lines: Vec<String> = std::iter::once(format!("{key}:")).chain(lines).collect();
        return into_mapping(text, &zone_entry, &format!("{key}: [{}]", flow.join(", ")), &lines);
    };
    is_in_place(list)?;
    let Value::Sequence(there) = &list.value.value else {
        return Err(format!("`{key}` of {zone} is no list"));
    };
    if is_flow(text, &list.value) {
        let there: Vec<_> = there.iter().map(|item| item.range.clone()).collect();
        return into_flow(text, &list.value, &there, spot, items);
    }
    let index = match spot {
        Spot::First => 0,
        Spot::After(index) => index,
        Spot::Last => there.len().saturating_sub(1),
    };
    let beside = there
        .get(index)
        .ok_or_else(|| format!("`{key}` of {zone} has fewer items than it had"))?;
    if !list.value.range.contains(&beside.range.start) {
        return Err(format!("an item of `{key}` of {zone} is an alias"));
    }
    let before = before_on_line(text, beside.range.start);
    let indent = before
        .trim_end()
        .strip_suffix('-')
        .filter(|indent| indent.chars().all(|c| c == ' '))
        .ok_or_else(|| format!("the items of `{key}` of {zone} do not stand on lines of their own"))?;
    let newline = line_break(text);
    let lines = lines_of(items, comment);
    let more: String = lines.iter().map(|line| format!("{newline}{indent}{line}")).collect();
    if spot == Spot::First {
        // Above the comments of what was the first so far.
        return Ok(insert(text, line_end(text, list.key_range.end), &more));
    }
    let mut at = line_end(text, end(text, beside));
    if index + 1 == there.len() {
        at = behind_comments(text, at, indent.len());
    }
    Ok(insert(text, at, &more))
}

/// The text with `id: value` added to the mapping `key` of a zone.
pub fn value(source: &Arc<Source>, zone: &DomainName, key: &str, pair: &str) -> Result<String, String> {
    let zone_entry = zone_in_place(source, zone)?;
    match written_under(&zone_entry.value, key) {
        Some(found) => {
            is_in_place(found)?;
            into_mapping(&source.text, found, pair, &[pair.to_owned()])
        }
        None => {
            let lines = [format!("{key}:"), format!("  {pair}")];
            into_mapping(&source.text, &zone_entry, &format!("{key}: {{ {pair} }}"), &lines)
        }
    }
}

/// The TTL of a zone's records that say none, where it is written.
pub fn zone_ttl(source: &Arc<Source>, zone: &DomainName) -> Option<Ttl> {
    let zone = zone_in_place(source, zone).ok()?;
    match &written_under(&zone.value, "ttl")?.value.value {
        Value::Scalar(scalar) => Ttl::parse(&scalar.text).ok(),
        _ => None,
    }
}

/// The text with a pair of a key and a value added to a zone.
pub fn key(source: &Arc<Source>, zone: &DomainName, pair: &str) -> Result<String, String> {
    into_mapping(&source.text, &zone_in_place(source, zone)?, pair, &[pair.to_owned()])
}

/// The text with a zone added, whose lines are given as they stand two spaces in.
pub fn zone(source: &Arc<Source>, block: &[String]) -> Result<String, String> {
    let root = read(source)?;
    let text = &source.text;
    let lines: Vec<String> = block
        .iter()
        .map(|line| line.strip_prefix("  ").unwrap_or(line).to_owned())
        .collect();
    let Value::Mapping(keys) = &root.value else {
        return Err("the spec has no keys".into());
    };
    if let Some(zones) = keys.iter().find(|entry| entry.key.text == "zones") {
        is_in_place(zones)?;
        if is_flow(text, &zones.value) || zones.value.value == Value::Null {
            return Err("`zones` is no block to which a zone can be added".into());
        }
        let spaced: Vec<String> = std::iter::once(String::new()).chain(lines).collect();
        return into_mapping(text, zones, "", &spaced);
    }
    let newline = line_break(text);
    let lead = if text.ends_with('\n') { "" } else { newline };
    let lines = lines.iter().map(|line| {
        if line.is_empty() {
            newline.to_owned()
        } else {
            format!("  {line}{newline}")
        }
    });
    Ok(format!(
        "{text}{lead}{newline}zones:{newline}{}",
        lines.collect::<String>()
    ))
}

fn zone_in_place(source: &Arc<Source>, zone: &DomainName) -> Result<Entry, String> {
    let found = zone_of(source, zone)?;
    is_in_place(&found)?;
    Ok(found)
}

/// A key more behind the last one: `flow` between braces, `lines` in a block.
fn into_mapping(text: &str, mapping: &Entry, flow: &str, lines: &[String]) -> Result<String, String> {
    let name = &mapping.key.text;
    let Value::Mapping(entries) = &mapping.value.value else {
        return Err(format!("`{name}` is no block of keys"));
    };
    let Some(last) = entries.last() else {
        return Ok(insert(text, mapping.value.range.start + 1, &format!(" {flow} ")));
    };
    is_in_place(last)?;
    let behind = entry_end(text, last).end;
    if is_flow(text, &mapping.value) {
        return Ok(insert(text, behind, &format!(", {flow}")));
    }
    let indent = before_on_line(text, last.key_range.start);
    if !indent.chars().all(|c| c == ' ') {
        return Err(format!("the last key of `{name}` does not stand on a line of its own"));
    }
    let newline = line_break(text);
    let at = behind_comments(text, line_end(text, behind), indent.len());
    // Where keys stand apart from each other, the new one does too.
    let above = text.get(..last.key_range.start - indent.len()).unwrap_or_default();
    let is_apart = lines.len() > 1 && above.ends_with(&format!("{newline}{newline}"));
    let apart = (is_apart && lines.first().is_some_and(|line| !line.is_empty())).then(String::new);
    let more: String = apart
        .iter()
        .chain(lines)
        .map(|line| {
            if line.is_empty() {
                newline.to_owned()
            } else {
                format!("{newline}{indent}{line}")
            }
        })
        .collect();
    Ok(insert(text, at, &more))
}

fn into_flow(
    text: &str,
    list: &Node,
    there: &[std::ops::Range<usize>],
    spot: Spot,
    items: &[Item],
) -> Result<String, String> {
    let flow: Vec<&str> = items.iter().map(|item| item.flow.as_str()).collect();
    let flow = flow.join(", ");
    let behind = match spot {
        Spot::First => None,
        Spot::After(index) => there.get(index),
        Spot::Last => there.last(),
    };
    if there.iter().any(|item| !list.range.contains(&item.start)) {
        return Err("an item of the list is an alias".into());
    }
    Ok(match (behind, there.first()) {
        (Some(item), _) => insert(text, item.end, &format!(", {flow}")),
        (None, Some(first)) => insert(text, first.start, &format!("{flow}, ")),
        (None, None) => insert(text, list.range.start + 1, &flow),
    })
}

fn lines_of(items: &[Item], comment: Option<&str>) -> Vec<String> {
    let comment = comment.map(|comment| format!("# {comment}"));
    comment
        .into_iter()
        .chain(items.iter().flat_map(|item| item.lines.iter().cloned()))
        .collect()
}

/// Behind the comment lines that follow and stand at least as deep.
fn behind_comments(text: &str, mut at: usize, indent: usize) -> usize {
    loop {
        let Some(rest) = text
            .get(at..)
            .and_then(|rest| rest.strip_prefix('\n').or_else(|| rest.strip_prefix("\r\n")))
        else {
            return at;
        };
        let line = rest.split('\n').next().unwrap_or_default();
        let depth = line.len() - line.trim_start_matches(' ').len();
        if depth < indent || !line.trim_start().starts_with('#') {
            return at;
        }
        at = line_end(text, text.len() - rest.len());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn source(text: &str) -> Arc<Source> {
        Arc::new(Source {
            path: "launch.yaml".into(),
            text: text.into(),
        })
    }

    fn item(flow: &str) -> Item {
        Item {
            flow: flow.into(),
            lines: vec![format!("- {flow}")],
        }
    }

    fn added(text: &str, spot: Spot) -> Result<String, String> {
        let zone = DomainName::parse("a.example").unwrap();
        items(&source(text), &zone, "records", spot, &[item("{ N }")], None)
    }

    #[test]
    fn an_item_goes_in_and_every_other_byte_stays() {
        let head = "zones:\n  a.example:  # ours\n    provider: x\n    ";
        let tail = "\n  b.example:\n    provider: x\n";
        for (before, spot, put, after) in [
            ("records: [{ A }, { B }]", Spot::Last, ", { N }", "]"),
            ("records: [{ A }, { B }]", Spot::After(0), ", { N }", ", { B }]"),
            ("records: [{ A }, { B }]", Spot::First, "{ N }, ", "{ A }, { B }]"),
            ("records: []", Spot::Last, "{ N }", "]"),
            ("ttl: 5m  # short", Spot::Last, "\n    records:\n      - { N }", ""),
            (
                "records:\n      - { A }  # one\n      - { B }\n        # of B\n    # after",
                Spot::Last,
                "\n      - { N }",
                "\n    # after",
            ),
            (
                "records:\n      - { A }  # one\n      # of B\n      - { B }",
                Spot::After(0),
                "\n      - { N }",
                "\n      # of B\n      - { B }",
            ),
            ("records:\n    - A: 1\n      B: 2", Spot::Last, "\n    - { N }", ""),
            (
                "records:\n      - { A }",
                Spot::First,
                "      - { N }\n",
                "      - { A }",
            ),
        ] {
            let text = format!("{head}{before}{tail}");
            let kept = before.strip_suffix(after).unwrap_or(before);
            assert_eq!(
                added(&text, spot).unwrap(),
                format!("{head}{kept}{put}{after}{tail}"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_zone_goes_behind_the_others() {
        let block = ["  b.example:".to_owned(), "    provider: x".to_owned()];
        let text = "zones:\n    a.example:\n      provider: x\n      # about a\nuptime: {}\n";
        let with = zone(&source(text), &block).unwrap();
        assert_eq!(
            with,
            "zones:\n    a.example:\n      provider: x\n      # about a\n\n    b.example:\n      provider: x\nuptime: {}\n"
        );
        let with = zone(&source("version: 1"), &block).unwrap();
        assert_eq!(with, "version: 1\n\nzones:\n  b.example:\n    provider: x\n");
        assert!(zone(&source("zones: { a.example: {} }\n"), &block).is_err());
    }

    #[test]
    fn what_cannot_be_edited_in_place_is_refused_with_words() {
        let zones = "zones:\n  a.example:\n    ";
        for (text, why) in [
            (format!("{zones}records: 5\n"), "no list"),
            (format!("x: &e [{{ A }}]\n{zones}records: *e\n"), "an alias"),
            ("zones:\n  b.example: {}\n".to_owned(), "no zone a.example"),
        ] {
            let said = added(&text, Spot::Last).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn a_setting_goes_beside_the_others() {
        let zone = DomainName::parse("a.example").unwrap();
        let head = "zones:\n  a.example:\n    provider: x\n";
        let put = |text: &str| value(&source(&format!("{head}{text}")), &zone, "settings", "http3: on").unwrap();
        assert_eq!(
            put("    settings: { brotli: on }\n"),
            format!("{head}    settings: {{ brotli: on, http3: on }}\n")
        );
        assert_eq!(
            put("    settings:\n      brotli: on\n"),
            format!("{head}    settings:\n      brotli: on\n      http3: on\n")
        );
        assert_eq!(put(""), format!("{head}    settings:\n      http3: on\n"));
    }
}
