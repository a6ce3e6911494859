//! What an address belongs to: a zone, or what a provider keeps beside all zones. Each scope is read whole, counted by
//! itself when deletions are, and changed by one request after another.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::name::{DomainName, NameError};

/// The word that stands where a zone's name would, for what belongs to none.
const UPTIME: &str = "uptime";

/// The first part of an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ScopeName {
    /// Monitors and contacts: they belong to an account and to no zone.
    Uptime,
    /// A zone. Its name has a dot in it, so that it is never the word above.
    Zone(DomainName),
}

impl ScopeName {
    /// Reads a scope as it stands in an address.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match text {
            UPTIME => Ok(Self::Uptime),
            name => DomainName::parse(name).map(Self::Zone),
        }
    }

    /// The scope as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Uptime => UPTIME,
            Self::Zone(name) => name.as_str(),
        }
    }

    /// The zone, when it is one.
    pub fn zone(&self) -> Option<&DomainName> {
        match self {
            Self::Uptime => None,
            Self::Zone(name) => Some(name),
        }
    }
}

impl From<DomainName> for ScopeName {
    fn from(name: DomainName) -> Self {
        Self::Zone(name)
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for ScopeName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<ScopeName> for String {
    fn from(scope: ScopeName) -> Self {
        scope.as_str().to_owned()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_scope_reads_back() {
        for text in ["uptime", "acme.example"] {
            assert_eq!(ScopeName::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(ScopeName::parse("uptime").unwrap().zone(), None);
        assert!(ScopeName::parse("a b").is_err());
    }
}
