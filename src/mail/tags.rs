//! Tag lists: `name=value` pairs between semicolons, the form of DKIM keys (RFC 6376 §3.2), DMARC (RFC 9989 §4.7),
//! MTA-STS (RFC 8461 §3.1), TLS-RPT (RFC 8460 §3) and BIMI records.

use std::ops::Range;

use super::issue::Issue;

/// The longest record that is read, in bytes: more than DNS can carry.
pub const LONGEST: usize = 65_535;
/// The most tags that are read: every one of these standards has fewer than twenty.
const MOST_TAGS: usize = 256;

/// Whether a TXT value begins as a record of that version does: `v=`, the version, and the semicolon behind it.
pub fn is_version(value: &[u8], version: &str) -> bool {
    let rest = value
        .strip_prefix(b"v=")
        .and_then(|rest| rest.strip_prefix(version.as_bytes()));
    matches!(rest, Some([] | [b';', ..]))
}

/// One pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The name as written.
    pub name: String,
    /// The value without the spaces around it.
    pub value: String,
    /// The pair's bytes within the text.
    pub span: Range<usize>,
    /// The value's bytes within the text.
    pub value_span: Range<usize>,
}

impl Tag {
    /// Whether this is the tag of that name, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// What is no pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagError {
    /// Bytes within the text.
    pub span: Range<usize>,
    /// Why.
    pub message: String,
}

/// Whether `p` and `P` are one name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Names {
    /// They are two (DKIM, MTA-STS, TLS-RPT, BIMI).
    #[default]
    Exact,
    /// They are one (DMARC: RFC 9989 §4.8 by RFC 5234 §2.3).
    AnyCase,
}

/// A list that was read: the pairs, and what is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagList {
    names: Names,
    /// The pairs in order.
    pub tags: Vec<Tag>,
    /// What could not be read.
    pub errors: Vec<TagError>,
}

impl TagList {
    /// Reads a list. A final semicolon is allowed, an empty pair elsewhere is an error, and so is a name that stands twice.
    pub fn parse(text: &str, names: Names) -> Self {
        let mut list = Self {
            names,
            ..Self::default()
        };
        if text.len() > LONGEST {
            list.refuse(0..text.len(), "the record is longer than DNS can carry");
            return list;
        }
        let mut at = 0;
        for part in text.split(';') {
            let span = trimmed(text, at..at + part.len());
            at += part.len() + 1;
            if list.tags.len() >= MOST_TAGS {
                list.refuse(span, "the record has more tags than any standard knows");
                return list;
            }
            if span.is_empty() {
                // Nothing after the last semicolon.
                if at <= text.len() {
                    list.refuse(span, "there is nothing between two semicolons");
                }
                continue;
            }
            list.pair(text, span);
        }
        list
    }

    fn refuse(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.errors.push(TagError {
            span,
            message: message.into(),
        });
    }

    fn pair(&mut self, text: &str, span: Range<usize>) {
        let part = text.get(span.clone()).unwrap_or_default();
        let Some((name, value)) = part.split_once('=') else {
            return self.refuse(span, "a tag has the form `name=value`; the `=` is missing");
        };
        let value_at = span.start + name.len() + 1;
        let value_span = trimmed(text, value_at..value_at + value.len());
        let name = name.trim_end_matches(is_space);
        if !is_name(name) {
            return self.refuse(
                span.start..span.start + name.len(),
                "a tag's name begins with a letter and has letters, digits and underscores",
            );
        }
        if self.get(name).is_some() {
            self.refuse(span.clone(), format!("the tag `{name}` stands twice"));
        }
        self.tags.push(Tag {
            name: name.to_owned(),
            value: text.get(value_span.clone()).unwrap_or_default().to_owned(),
            span,
            value_span,
        });
    }

    /// What is wrong with the form, with `rule` where the list does not begin with `v=` and exactly that version.
    pub fn issues<K: Copy>(&self, text: &str, kind: K, version: &str, rule: &str) -> Vec<Issue<K>> {
        let errors = self.errors.iter();
        let mut issues: Vec<Issue<K>> = errors
            .map(|error| Issue::error(kind, error.span.clone(), error.message.clone()))
            .collect();
        if !self.first().is_some_and(|tag| tag.name == "v" && tag.value == version) {
            let end = text.find(';').unwrap_or(text.len());
            issues.push(Issue::error(kind, 0..end, rule));
        }
        issues
    }

    /// The first tag of that name.
    pub fn get(&self, name: &str) -> Option<&Tag> {
        self.tags.iter().find(|tag| match self.names {
            Names::Exact => tag.name == name,
            Names::AnyCase => tag.is(name),
        })
    }

    /// The first tag.
    pub fn first(&self) -> Option<&Tag> {
        self.tags.first()
    }
}

/// Folding white space (RFC 6376 §2.8).
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = text.get(range.clone()).unwrap_or_default();
    let start = range.start + part.len() - part.trim_start_matches(is_space).len();
    let end = range.start + part.trim_end_matches(is_space).len();
    start..end.max(start)
}

/// The parts of a list value such as `a:b:c` with their places, spaces around them left out.
pub fn split_list(text: &str, span: &Range<usize>, separator: char) -> Vec<(String, Range<usize>)> {
    let value = text.get(span.clone()).unwrap_or_default();
    let mut at = span.start;
    let mut out = Vec::new();
    for part in value.split(separator) {
        let place = trimmed(text, at..at + part.len());
        out.push((text.get(place.clone()).unwrap_or_default().to_owned(), place));
        at += part.len() + separator.len_utf8();
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pairs_have_their_places_and_spaces_do_not_count() {
        let text = " v = DMARC1 ;p=none; rua=mailto:a@b.example,\tmailto:c@d.example ;";
        let list = TagList::parse(text, Names::Exact);
        assert!(list.errors.is_empty(), "{:?}", list.errors);
        let pairs: Vec<(&str, &str)> = list.tags.iter().map(|tag| (&*tag.name, &*tag.value)).collect();
        assert_eq!(
            pairs,
            [
                ("v", "DMARC1"),
                ("p", "none"),
                ("rua", "mailto:a@b.example,\tmailto:c@d.example")
            ]
        );
        assert_eq!(&text[list.tags[0].value_span.clone()], "DMARC1");
        let uris = split_list(text, &list.tags[2].value_span, ',');
        assert_eq!(&text[uris[1].1.clone()], "mailto:c@d.example");
    }

    #[test]
    fn what_is_no_pair_is_said_with_its_place() {
        for (text, at) in [
            ("v=1;;p=2", ""),
            ("v=1; p", "p"),
            ("v=1; 1p=2", "1p"),
            ("v=1; V=2", "V=2"),
            ("=2", ""),
        ] {
            let list = TagList::parse(text, Names::AnyCase);
            assert_eq!(list.errors.len(), 1, "{text}");
            assert_eq!(&text[list.errors[0].span.clone()], at, "{text}");
        }
    }

    #[test]
    fn case_counts_where_the_standard_says_so() {
        assert!(TagList::parse("P=1; p=2", Names::Exact).errors.is_empty());
        assert_eq!(TagList::parse("P=1", Names::Exact).get("p"), None);
        assert!(TagList::parse("P=1", Names::AnyCase).get("p").is_some());
    }

    proptest! {
        #[test]
        fn no_text_panics_and_every_place_is_within_it(text in "([a-z;= \t\u{e9}]|\\PC){0,60}") {
            let list = TagList::parse(&text, Names::Exact);
            for tag in &list.tags {
                prop_assert_eq!(text.get(tag.value_span.clone()), Some(tag.value.as_str()));
                for (part, place) in split_list(&text, &tag.value_span, ':') {
                    prop_assert_eq!(text.get(place), Some(part.as_str()));
                }
            }
            for error in &list.errors {
                prop_assert!(text.get(error.span.clone()).is_some());
            }
        }
    }
}
