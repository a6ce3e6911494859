//! A list of redirects that a provider looks up by the URL of a request, for the thousands of old addresses that no rule
//! leads to their new place. The list of a zone is one resource: its rows are compared one by one and written at once.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::address::Address;
use crate::model::name::DomainName;

/// The kind in addresses.
pub const KIND: &str = "redirect_list";

/// In place of the kind: all lists of the account, whoever keeps them. No resource; it is only spoken of.
pub const ALL: &str = "redirect_lists";

/// One row of a list: a URL and where it leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own at the provider, and none excludes another"
)]
pub struct ListedRedirect {
    /// Where it starts, in the canonical form of [`ListedUrl`].
    pub from: String,
    /// Where it leads.
    pub to: String,
    /// The HTTP status.
    pub status: u16,
    /// Whether the query goes along.
    #[serde(default, skip_serializing_if = "is_no")]
    pub keep_query: bool,
    /// Whether hosts below the one in `from` are meant too.
    #[serde(default, skip_serializing_if = "is_no")]
    pub subdomains: bool,
    /// Whether paths below the one in `from` are meant too.
    #[serde(default, skip_serializing_if = "is_no")]
    pub subpaths: bool,
    /// Whether what follows the path in `from` is put behind the one in `to`.
    #[serde(default, skip_serializing_if = "is_no")]
    pub keep_path: bool,
    /// A note kept with the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_no(value: &bool) -> bool {
    !*value
}

/// Whether requests are looked up in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lookup {
    /// No: nothing asks the list.
    Missing,
    /// No: what would ask is switched off.
    Off,
    /// Yes.
    On,
    /// By something that a spec does not say, in the provider's own fields.
    Other(Map<String, Value>),
}

/// The list of a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedirectList {
    /// The zone whose hosts it is about.
    pub zone: DomainName,
    /// Its rows, by where they start: their order says nothing.
    pub rows: Vec<ListedRedirect>,
    /// Whether it is asked.
    pub lookup: Lookup,
    /// What is asked before it, from the first on, by what each bears at the provider: the first row that fits ends it.
    /// Nobody wishes for a place, but it is kept so that the list can come back to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_after: Option<Vec<String>>,
}

impl RedirectList {
    /// A list with its rows in canonical order.
    pub fn new(zone: DomainName, mut rows: Vec<ListedRedirect>, lookup: Lookup) -> Self {
        rows.sort_by(|a, b| a.from.cmp(&b.from));
        Self {
            zone,
            rows,
            lookup,
            asked_after: None,
        }
    }

    /// Whether a live list is as this one wishes, wherever it is asked.
    pub fn is_met_by(&self, live: &Self) -> bool {
        self.zone == live.zone && self.rows == live.rows && self.lookup == live.lookup
    }

    /// The same list wherever it is asked.
    #[must_use]
    pub fn without_place(&self) -> Self {
        Self {
            asked_after: None,
            ..self.clone()
        }
    }

    /// Its address.
    pub fn address(&self) -> Address {
        Self::address_in(&self.zone)
    }

    /// The address of a zone's list.
    pub fn address_in(zone: &DomainName) -> Address {
        Address::in_zone(zone, KIND, "@")
    }
}

/// A row before and after: one of the two may be missing.
pub type RowPair<'a> = (Option<&'a ListedRedirect>, Option<&'a ListedRedirect>);

/// The rows that differ between two lists, by where they start.
pub fn differences<'a>(before: &'a [ListedRedirect], after: &'a [ListedRedirect]) -> Vec<RowPair<'a>> {
    let mut found = Vec::new();
    let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return found,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.from.cmp(&new.from),
        };
        let pair = match order {
            Ordering::Less => (old.next(), None),
            Ordering::Greater => (None, new.next()),
            Ordering::Equal => (old.next(), new.next()),
        };
        if pair.0 != pair.1 {
            found.push(pair);
        }
    }
}

/// A URL that a row starts from: a host and a path, and the scheme when only one is meant. Its text is the canonical
/// form: the host in lower case and in its ASCII form, a slash at least for a path, and what is not ASCII in it encoded
/// as browsers send it (RFC 3986 §2.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedUrl {
    /// `https` alone (true), `http` alone (false), or both.
    pub https: Option<bool>,
    /// The host.
    pub host: DomainName,
    /// The path, from its slash on.
    pub path: String,
}

impl ListedUrl {
    /// Reads `[http://|https://]HOST[/PATH]`. The error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (https, rest) = match text.split_once("://") {
            None => (None, text),
            Some(("https", rest)) => (Some(true), rest),
            Some(("http", rest)) => (Some(false), rest),
            Some(_) => return Err("its scheme is neither http:// nor https://".to_owned()),
        };
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("a URL holds no space".to_owned());
        }
        for (sign, what) in [
            ('*', "no star: a list is asked for whole URLs, `redirects` takes globs"),
            ('?', "no query: a list is asked without one"),
            ('#', "nothing behind a `#`: that never reaches a server"),
        ] {
            if rest.contains(sign) {
                return Err(format!("it can hold {what}"));
            }
        }
        let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        if host.contains([':', '@']) {
            return Err("its host is a name, without a user and without a port".to_owned());
        }
        let host = DomainName::parse(host).map_err(|error| format!("it has no host: {error}"))?;
        let mut encoded = String::with_capacity(path.len());
        for c in path.chars() {
            if c.is_ascii() {
                encoded.push(c);
            } else {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    encoded.push_str(&format!("%{byte:02X}"));
                }
            }
        }
        Ok(Self {
            https,
            host,
            path: encoded,
        })
    }

    /// Whether a request for `other` finds a row that starts here. The flags are those of the row.
    pub fn covers(&self, other: &Self, subdomains: bool, subpaths: bool) -> bool {
        let scheme = self.https.is_none() || self.https == other.https;
        let host = self.host == other.host || (subdomains && other.host.is_within(&self.host));
        let below = || {
            let rest = other.path.strip_prefix(self.path.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        scheme && host && (self.path == other.path || (subpaths && below()))
    }
}

impl std::fmt::Display for ListedUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.https {
            Some(true) => f.write_str("https://")?,
            Some(false) => f.write_str("http://")?,
            None => {}
        }
        write!(f, "{}{}", self.host, self.path)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn row(from: &str, to: &str) -> ListedRedirect {
        ListedRedirect {
            from: from.into(),
            to: to.into(),
            status: 301,
            keep_query: false,
            subdomains: false,
            subpaths: false,
            keep_path: false,
            comment: None,
        }
    }

    #[test]
    fn every_way_to_write_a_url_is_one_url() {
        for (text, canonical) in [
            ("acme.example", "acme.example/"),
            ("HTTPS://acme.example", "bad"),
            ("https://ACME.example/A", "https://acme.example/A"),
            ("http://acme.example/", "http://acme.example/"),
            ("bücher.example/über", "xn--bcher-kva.example/%C3%BCber"),
            ("acme.example/%C3%BCber", "acme.example/%C3%BCber"),
            ("acme.example/a*", "bad"),
            ("acme.example/a?b", "bad"),
            ("acme.example:8080/", "bad"),
            ("a b.example/", "bad"),
            ("/only/a/path", "bad"),
        ] {
            let read = ListedUrl::parse(text).map_or_else(|_| "bad".to_owned(), |url| url.to_string());
            assert_eq!(read, canonical, "{text}");
            if read != "bad" {
                assert_eq!(ListedUrl::parse(&read).unwrap().to_string(), read, "{text}");
            }
        }
    }

    #[test]
    fn a_row_covers_what_its_switches_say() {
        let url = |text: &str| ListedUrl::parse(text).unwrap();
        for (from, subdomains, subpaths, asked, is_covered) in [
            ("acme.example/a", false, false, "https://acme.example/a", true),
            ("http://acme.example/a", false, false, "https://acme.example/a", false),
            ("acme.example/a", false, false, "acme.example/a/b", false),
            ("acme.example/a", false, true, "acme.example/a/b", true),
            ("acme.example/a/", false, true, "acme.example/a", true),
            ("acme.example/a", false, true, "acme.example/ab", false),
            ("acme.example/", true, true, "www.acme.example/x", true),
            ("acme.example/", false, true, "www.acme.example/x", false),
        ] {
            let covers = url(from).covers(&url(asked), subdomains, subpaths);
            assert_eq!(covers, is_covered, "{from} {asked}");
        }
    }

    #[test]
    fn rows_that_differ_are_found_whatever_their_order_was() {
        let list =
            |rows: Vec<ListedRedirect>| RedirectList::new(DomainName::parse("acme.example").unwrap(), rows, Lookup::On);
        let before = list(vec![row("c/", "1"), row("a/", "1"), row("b/", "1")]);
        let after = list(vec![row("b/", "2"), row("c/", "1"), row("d/", "1")]);
        let pairs = differences(&before.rows, &after.rows);
        let words: Vec<String> = pairs
            .iter()
            .map(|(old, new)| format!("{:?} {:?}", old.map(|row| &row.from), new.map(|row| &row.from)))
            .collect();
        assert_eq!(
            words,
            [r#"Some("a/") None"#, r#"Some("b/") Some("b/")"#, r#"None Some("d/")"#]
        );
        assert_eq!(before, list(vec![row("a/", "1"), row("b/", "1"), row("c/", "1")]));
    }
}
