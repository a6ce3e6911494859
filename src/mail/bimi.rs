//! BIMI (draft-brand-indicators-for-message-identification, still a draft): the record that shows a mark beside mail.
//! The image and the certificate themselves are for others to fetch.

use super::issue::Issue;
use super::tags::{self, Names, Tag, TagList};

/// What kind of thing is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The form: receivers ignore the record.
    Syntax,
    /// The image cannot be used.
    Location,
    /// There is no usable mark certificate, which most mailbox providers ask for.
    Certificate,
}

/// The record at `SELECTOR._bimi`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The text that the spans of issues point into.
    pub text: String,
    /// `l=`: where the image is; empty declines to take part.
    pub location: Option<String>,
    /// `a=`: where the mark certificate is.
    pub authority: Option<String>,
    /// What is wrong.
    pub issues: Vec<Issue<Kind>>,
}

impl Record {
    /// Whether the domain says that it shows no mark.
    pub fn declines(&self) -> bool {
        self.location.as_deref() == Some("") && self.authority.as_deref().unwrap_or_default().is_empty()
    }
}

/// Whether a TXT value is such a record.
pub fn is_record(value: &[u8]) -> bool {
    tags::is_version(value, "BIMI1")
}

/// Reads the value of a TXT record.
pub fn parse(text: &str) -> Record {
    let list = TagList::parse(text, Names::Exact);
    let rule = "the record begins with `v=BIMI1;`";
    let issues = list.issues(text, Kind::Syntax, "BIMI1", rule);
    let location = list.get("l");
    let authority = list.get("a");
    let mut record = Record {
        text: text.to_owned(),
        location: location.map(|tag| tag.value.clone()),
        authority: authority.map(|tag| tag.value.clone()),
        issues,
    };
    if location.is_none() {
        let message = "`l`, the place of the image, is missing; an empty one declines";
        record.issues.push(Issue::error(Kind::Syntax, 0..text.len(), message));
    }
    if !record.declines() {
        record.issues.extend(location.and_then(location_issue));
        record.issues.extend(authority_issue(authority, text.len()));
    }
    record.issues.sort_by_key(|issue| issue.span.start);
    record
}

fn is_https(uri: &str) -> bool {
    let head = uri.get(..8).unwrap_or_default();
    head.eq_ignore_ascii_case("https://") && uri.len() > 8
}

fn location_issue(tag: &Tag) -> Option<Issue<Kind>> {
    if !is_https(&tag.value) {
        let message = "the image is fetched over https only";
        return Some(Issue::error(Kind::Location, tag.value_span.clone(), message));
    }
    let path = tag.value.split(['?', '#']).next().unwrap_or_default();
    let is_svg = path.to_ascii_lowercase().ends_with(".svg") || path.to_ascii_lowercase().ends_with(".svgz");
    (!is_svg).then(|| {
        let message = "the image is an SVG (profile Tiny PS), and its name should say so";
        Issue::note(Kind::Location, tag.value_span.clone(), message)
    })
}

fn authority_issue(tag: Option<&Tag>, end: usize) -> Option<Issue<Kind>> {
    match tag {
        Some(tag) if is_https(&tag.value) => None,
        Some(tag) if !tag.value.is_empty() => {
            let message = "the mark certificate is fetched over https only";
            Some(Issue::error(Kind::Certificate, tag.value_span.clone(), message))
        }
        _ => {
            let span = tag.map_or(0..end, |tag| tag.span.clone());
            let message = "there is no mark certificate (`a`): most mailbox providers show nothing without one";
            Some(Issue::warning(Kind::Certificate, span, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn records_are_judged() {
        let full = "v=BIMI1; l=https://acme.example/logo.svg; a=https://acme.example/vmc.pem";
        assert!(parse(full).issues.is_empty());
        let declining = parse("v=BIMI1; l=; a=;");
        assert!(declining.declines() && declining.issues.is_empty());
        for (text, kind) in [
            (
                "v=BIMI1; l=http://acme.example/logo.svg; a=https://acme.example/vmc.pem",
                Kind::Location,
            ),
            (
                "v=BIMI1; l=https://acme.example/logo.png; a=https://acme.example/vmc.pem",
                Kind::Location,
            ),
            ("v=BIMI1; l=https://acme.example/logo.svg", Kind::Certificate),
            ("v=BIMI1; l=https://acme.example/logo.svg; a=self", Kind::Certificate),
            ("v=bimi1; l=", Kind::Syntax),
            ("v=BIMI1; a=", Kind::Syntax),
        ] {
            let record = parse(text);
            assert!(
                record.issues.iter().any(|issue| issue.kind == kind),
                "{text}: {:?}",
                record.issues
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_issues_point_into_it(text in "(v=BIMI1)?(; ?(l|a|x)=[a-z:/.?é]{0,30}){0,4}") {
            for issue in &parse(&text).issues {
                prop_assert!(text.get(issue.span.clone()).is_some(), "{:?}", issue);
            }
        }
    }
}
