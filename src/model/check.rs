//! What a monitor asks and what it expects: the kinds of check that there are, in one neutral form. Knows no provider.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::text;
use crate::model::contact::Guarded;
use crate::model::record::RecordType;

/// What is asked, and what is expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "check", rename_all = "snake_case")]
pub enum Check {
    /// An HTTP request.
    Http(Http),
    /// A connection to a port.
    Tcp {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// An echo request.
    Ping {
        /// The host.
        host: String,
    },
    /// A question to a DNS server.
    Dns(Dns),
    /// Nothing: whoever is watched calls by itself, and is missed when it does not.
    Heartbeat(Heartbeat),
    /// Something that this version does not know: it is live and left alone.
    Other {
        /// The provider's word for it.
        what: String,
        /// What it is aimed at.
        target: String,
    },
}

/// An HTTP request and the answer that is expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Http {
    /// The address, in the form that a URL parser prints.
    pub url: String,
    /// The method, in upper case.
    pub method: String,
    /// The statuses that are as they should be.
    pub status: BTreeSet<Status>,
    /// A text that the answer must or must not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyword: Option<Keyword>,
    /// Whether a redirect is followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_redirects: Option<bool>,
    /// Request headers by their names in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, SentText>>,
    /// The body of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<SentText>,
}

/// A question to a DNS server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dns {
    /// The name that is asked for.
    pub domain: String,
    /// The type of record that is asked for.
    pub record: RecordType,
    /// The data of the records that may be answered, as a zone file writes it; not said, any answer will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<BTreeSet<String>>,
    /// Who is asked; not said, whom the service usually asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<NameServer>,
}

/// Where a DNS server listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameServer {
    /// Its name or address.
    pub host: String,
    /// The port, which is usually 53.
    pub port: u16,
}

/// A call that has to come in time. How often is the monitor's time between checks; the address to call is made by the
/// service and is a credential: it is nowhere here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Seconds that a call may be late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<u32>,
}

/// A text that is sent with a request, a header's value or a body: written out, or kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SentText {
    /// Written in the spec, or live and certainly no credential.
    Plain(String),
    /// Kept elsewhere.
    Guarded(Guarded),
}

/// A text in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyword {
    /// The text.
    pub text: String,
    /// Whether it must not be there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub absent: bool,
    /// Whether upper and lower case are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore_case: Option<bool>,
}

/// A status, or all that begin with one digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Status {
    /// `2xx`.
    Class(u8),
    /// `204`.
    Code(u16),
}

/// Why a text is no status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no HTTP status: write one such as 200, or a class such as 2xx")]
pub struct StatusError(String);

impl Status {
    /// Reads `204` or `2xx`.
    pub fn parse(text: &str) -> Result<Self, StatusError> {
        let wrong = || StatusError(text::shorten(&text::sanitize(text), 40));
        if let Some(class) = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")) {
            return match class.parse() {
                Ok(class @ 1..=5) => Ok(Self::Class(class)),
                _ => Err(wrong()),
            };
        }
        match text.parse() {
            Ok(code @ 100..=599) if text.len() == 3 => Ok(Self::Code(code)),
            _ => Err(wrong()),
        }
    }

    /// The canonical form of several: sorted, and without codes whose whole class is there.
    pub fn set(all: impl IntoIterator<Item = Self>) -> BTreeSet<Self> {
        let all: BTreeSet<Self> = all.into_iter().collect();
        let of_class = |code: u16| u8::try_from(code / 100).map(Self::Class);
        let covered = |status: &Self| match status {
            Self::Class(_) => false,
            Self::Code(code) => of_class(*code).is_ok_and(|class| all.contains(&class)),
        };
        all.iter().filter(|status| !covered(status)).copied().collect()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class(class) => write!(f, "{class}xx"),
            Self::Code(code) => write!(f, "{code}"),
        }
    }
}

impl TryFrom<String> for Status {
    type Error = StatusError;
    fn try_from(text: String) -> Result<Self, StatusError> {
        Self::parse(&text)
    }
}

impl From<Status> for String {
    fn from(status: Status) -> Self {
        status.to_string()
    }
}

impl Check {
    /// The host that must answer.
    pub fn host(&self) -> Option<String> {
        match self {
            Self::Http(http) => url::Url::parse(&http.url).ok()?.host_str().map(str::to_owned),
            Self::Tcp { host, .. } | Self::Ping { host } => Some(host.clone()),
            Self::Dns(_) | Self::Heartbeat(_) | Self::Other { .. } => None,
        }
    }

    /// The HTTP request, when it is one.
    pub fn http(&self) -> Option<&Http> {
        match self {
            Self::Http(http) => Some(http),
            _ => None,
        }
    }
}

impl Http {
    /// What of the request is kept elsewhere: values of headers, and the body.
    pub fn guarded(&self) -> impl Iterator<Item = &Guarded> {
        self.sent().filter_map(SentText::guarded)
    }

    /// What of the request is written out: values of headers, and the body.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.sent().filter_map(|sent| match sent {
            SentText::Plain(text) => Some(text.as_str()),
            SentText::Guarded(_) => None,
        })
    }

    fn sent(&self) -> impl Iterator<Item = &SentText> {
        self.headers.iter().flat_map(BTreeMap::values).chain(&self.body)
    }
}

impl SentText {
    /// What is kept elsewhere, when it is.
    pub fn guarded(&self) -> Option<&Guarded> {
        match self {
            Self::Plain(_) => None,
            Self::Guarded(guarded) => Some(guarded),
        }
    }
}

impl fmt::Display for NameServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn statuses_that_mean_the_same_are_equal() {
        let set = |all: &[&str]| Status::set(all.iter().map(|text| Status::parse(text).unwrap()));
        assert_eq!(set(&["2xx", "200", "404"]), set(&["404", "2XX"]));
        assert_ne!(set(&["200"]), set(&["2xx"]));
        for bad in ["", "6xx", "99", "2000", "ok", "0200", "+20"] {
            assert!(Status::parse(bad).is_err(), "{bad}");
        }
    }
}
