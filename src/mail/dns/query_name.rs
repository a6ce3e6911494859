//! A name as it is asked for. DNS carries more than host names: SPF macros make labels with spaces, colons and percent
//! signs (RFC 7208 §7), and a question with them is a proper question.

use std::fmt;

use crate::model::name::DomainName;

/// A name that a question can be asked about: lower case, no final dot, labels of 1 to 63 printable ASCII octets, at
/// most 253 octets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryName(String);

/// Why a text is no name to ask about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryNameError {
    /// Nothing, or two dots in a row.
    #[error("the name has an empty label")]
    EmptyLabel,
    /// A label over 63 octets.
    #[error("the name has a label over 63 octets (RFC 1035 §2.3.4)")]
    LongLabel,
    /// A name over 253 octets.
    #[error("the name is over 253 octets (RFC 1035 §2.3.4)")]
    LongName,
    /// A control character, or Unicode that IDNA refuses.
    #[error("the name has a character that no question can hold")]
    Character,
}

impl QueryName {
    /// Reads a name in any case, with or without the final dot. Unicode becomes A-labels (RFC 5891).
    pub fn parse(text: &str) -> Result<Self, QueryNameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if !text.is_ascii() {
            return DomainName::parse(text)
                .map(Self::from)
                .map_err(|_| QueryNameError::Character);
        }
        if text.len() > 253 {
            return Err(QueryNameError::LongName);
        }
        for label in text.split('.') {
            if label.is_empty() {
                return Err(QueryNameError::EmptyLabel);
            }
            if label.len() > 63 {
                return Err(QueryNameError::LongLabel);
            }
            if label.bytes().any(|byte| byte.is_ascii_control()) {
                return Err(QueryNameError::Character);
            }
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// The name without its final dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The labels, leftmost first.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }

    /// How many labels it has.
    pub fn depth(&self) -> usize {
        self.labels().count()
    }

    /// Whether this is `other` or stands below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0
            .strip_suffix(&other.0)
            .is_some_and(|head| head.is_empty() || head.ends_with('.'))
    }

    /// The name above, unless this is a single label.
    pub fn parent(&self) -> Option<Self> {
        self.0.split_once('.').map(|(_, parent)| Self(parent.to_owned()))
    }

    /// This name with labels in front of it.
    pub fn prefixed(&self, labels: &str) -> Result<Self, QueryNameError> {
        Self::parse(&format!("{labels}.{}", self.0))
    }

    /// The same name, where it is one that a zone can publish hosts at.
    pub fn to_domain_name(&self) -> Option<DomainName> {
        DomainName::parse(&self.0).ok()
    }
}

impl From<DomainName> for QueryName {
    fn from(name: DomainName) -> Self {
        Self(name.into())
    }
}

impl From<&DomainName> for QueryName {
    fn from(name: &DomainName) -> Self {
        Self(name.as_str().to_owned())
    }
}

impl fmt::Display for QueryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for QueryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_no_host_has_are_names_to_ask_about() {
        let name = QueryName::parse("Foo:bar/baz x%20.Example.com.").unwrap();
        assert_eq!(name.as_str(), "foo:bar/baz x%20.example.com");
        assert!(name.is_within(&QueryName::parse("example.com").unwrap()));
        assert!(!name.is_within(&QueryName::parse("ample.com").unwrap()));
        assert_eq!(
            QueryName::parse("bücher.example").unwrap().as_str(),
            "xn--bcher-kva.example"
        );
    }

    #[test]
    fn what_cannot_be_asked_is_refused_with_the_reason() {
        for (text, error) in [
            ("", QueryNameError::EmptyLabel),
            ("a..b", QueryNameError::EmptyLabel),
            ("a\0.b", QueryNameError::Character),
            (&"a".repeat(64), QueryNameError::LongLabel),
            (&"abcdefg.".repeat(40), QueryNameError::LongName),
        ] {
            assert_eq!(QueryName::parse(text), Err(error), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_reads_back(text in "\\PC{0,80}") {
            if let Ok(name) = QueryName::parse(&text) {
                prop_assert_eq!(QueryName::parse(name.as_str()), Ok(name.clone()));
            }
        }
    }
}
