//! Domain names in their one canonical form: lower case, A-labels, no final dot. Knows no record and no zone file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A fully qualified domain name, canonical: lower case, internationalised labels as A-labels (RFC 5891), no final dot,
/// at most 253 octets, labels of 1 to 63. Underscore labels and a leading `*` label are names too (RFC 2782, RFC 4592).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DomainName(String);

/// Why a text is no domain name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or nothing but a dot.
    #[error("the name is empty")]
    Empty,
    /// Two dots in a row, or a leading dot.
    #[error("`{0}` has an empty label (two dots in a row, or one at the start)")]
    EmptyLabel(String),
    /// A label over 63 octets in its A-label form.
    #[error("the label `{0}` is {1} octets long; 63 is the most (RFC 1035 §2.3.4)")]
    LongLabel(String, usize),
    /// A name over 253 octets.
    #[error("the name is {0} octets long; 253 is the most (RFC 1035 §2.3.4)")]
    LongName(usize),
    /// A character that no name can hold.
    #[error("`{1}` cannot stand in a domain name (in `{0}`)")]
    Character(String, String),
    /// A `*` that is not the whole leftmost label.
    #[error("`*` must be the whole leftmost label (in `{0}`)")]
    Wildcard(String),
    /// Unicode that IDNA refuses.
    #[error("`{0}` is not a valid internationalised label (IDNA)")]
    Idna(String),
}

impl DomainName {
    /// Reads a name as people and providers write it: any case, Unicode or A-labels, with or without the final dot.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let mut labels = Vec::new();
        for (at, label) in text.split('.').enumerate() {
            labels.push(canonical_label(label, at == 0, text)?);
        }
        let name = labels.join(".");
        if name.len() > 253 {
            return Err(NameError::LongName(name.len()));
        }
        Ok(Self(name))
    }

    /// Reads a name relative to `zone`: `@` is the zone itself, a final dot makes it absolute, a name that already ends
    /// with the zone is taken as absolute, everything else stands below the zone.
    pub fn parse_in(text: &str, zone: &Self) -> Result<Self, NameError> {
        if text == "@" {
            return Ok(zone.clone());
        }
        let name = Self::parse(text)?;
        if text.ends_with('.') || name.is_within(zone) {
            return Ok(name);
        }
        Self::parse(&format!("{}.{}", name.0, zone.0))
    }

    /// The name as it stands in DNS, without the final dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `zone` or stands below it.
    pub fn is_within(&self, zone: &Self) -> bool {
        self.0
            .strip_suffix(&zone.0)
            .is_some_and(|head| head.is_empty() || head.ends_with('.'))
    }

    /// The name relative to `zone`, `@` for the zone itself; the whole name when it stands elsewhere.
    pub fn relative_to(&self, zone: &Self) -> &str {
        match self.0.strip_suffix(&zone.0) {
            Some("") => "@",
            Some(head) => head.strip_suffix('.').unwrap_or(&self.0),
            None => &self.0,
        }
    }

    /// The name above, unless this is a single label.
    pub fn parent(&self) -> Option<Self> {
        self.0.split_once('.').map(|(_, parent)| Self(parent.to_owned()))
    }

    /// The labels, leftmost first.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }

    /// Whether the leftmost label is `*`.
    pub fn is_wildcard(&self) -> bool {
        self.0 == "*" || self.0.starts_with("*.")
    }

    /// The name with its A-labels shown as people write them; the name itself where that would not read back.
    pub fn to_unicode(&self) -> String {
        if !self.0.contains("xn--") {
            return self.0.clone();
        }
        let (unicode, outcome) = idna::domain_to_unicode(&self.0);
        match Self::parse(&unicode) {
            Ok(back) if outcome.is_ok() && back == *self => unicode,
            _ => self.0.clone(),
        }
    }
}

fn canonical_label(label: &str, leftmost: bool, whole: &str) -> Result<String, NameError> {
    if label.is_empty() {
        return Err(NameError::EmptyLabel(whole.to_owned()));
    }
    if label == "*" && leftmost {
        return Ok("*".to_owned());
    }
    if label.contains('*') {
        return Err(NameError::Wildcard(whole.to_owned()));
    }
    let ascii = if label.is_ascii() && !label.to_ascii_lowercase().starts_with("xn--") {
        label.to_ascii_lowercase()
    } else {
        // Underscore labels stay as they are in ASCII; only what holds Unicode, or claims to, goes through IDNA.
        let ascii = idna::domain_to_ascii(label).map_err(|_| NameError::Idna(label.to_owned()))?;
        // Some Unicode dots (U+3002) map to a full stop: that would be two labels out of one.
        if ascii.is_empty() || ascii.contains('.') {
            return Err(NameError::Idna(label.to_owned()));
        }
        ascii
    };
    if let Some(bad) = ascii
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'))
    {
        let shown = if bad == ' ' {
            "a space".to_owned()
        } else {
            bad.escape_default().to_string()
        };
        return Err(NameError::Character(whole.to_owned(), shown));
    }
    if ascii.len() > 63 {
        return Err(NameError::LongLabel(label.to_owned(), ascii.len()));
    }
    Ok(ascii)
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DomainName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for DomainName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<DomainName> for String {
    fn from(name: DomainName) -> Self {
        name.0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    #[test]
    fn what_means_the_same_is_equal() {
        assert_eq!(name("WWW.Acme.Example."), name("www.acme.example"));
        assert_eq!(name("bücher.example"), name("xn--bcher-kva.EXAMPLE"));
        assert_eq!(name("bücher.example").to_unicode(), "bücher.example");
        assert_eq!(name("_dmarc.acme.example").as_str(), "_dmarc.acme.example");
        assert_eq!(name("*.acme.example").as_str(), "*.acme.example");
    }

    #[test]
    fn names_are_read_relative_to_their_zone() {
        let zone = name("acme.example");
        let read = |text| DomainName::parse_in(text, &zone).unwrap();
        assert_eq!(read("@"), zone);
        assert_eq!(read("www"), name("www.acme.example"));
        assert_eq!(read("www.acme.example"), name("www.acme.example"));
        assert_eq!(read("other.test."), name("other.test"));
        assert_eq!(read("notacme.example"), name("notacme.example.acme.example"));
        assert_eq!(read("www").relative_to(&zone), "www");
        assert_eq!(zone.relative_to(&zone), "@");
        assert!(!name("notacme.example").is_within(&zone));
    }

    #[test]
    fn what_is_no_name_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "empty"),
            ("a..b", "empty label"),
            ("a b.example", "a space"),
            ("w*.example", "leftmost"),
            ("www.*.example", "leftmost"),
            ("a/b", "`/`"),
            (&"a".repeat(64), "63"),
            (&"abcdefg.".repeat(40), "253"),
        ] {
            let error = DomainName::parse(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn canonicalising_twice_changes_nothing(text in "\\PC{0,40}") {
            if let Ok(once) = DomainName::parse(&text) {
                prop_assert_eq!(DomainName::parse(once.as_str()).unwrap(), once.clone());
                prop_assert_eq!(DomainName::parse(&once.to_unicode()).unwrap(), once);
            }
        }
    }
}
