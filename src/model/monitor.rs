//! Monitors: what is asked from outside, how often, and who is told when the answer is not as it should be. One neutral
//! form for all providers; what one of them cannot hold is its own business to say. Knows no provider.
//!
//! An attribute that is `None` is not said: then nothing is compared and nothing sent. A live monitor is seen through
//! what is said of it ([`Monitor::seen_as`]), so that two that mean the same are equal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{digest, text};
use crate::model::contact::Guarded;

/// A monitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Monitor {
    /// The last part of its address: lower-case letters, digits and hyphens.
    pub key: String,
    /// Its name, as people read it.
    pub name: String,
    /// What is asked, and what is expected.
    #[serde(flatten)]
    pub check: Check,
    /// What marks it at the provider as ours; `None` for one that somebody made by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Seconds from one check to the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u32>,
    /// Seconds after which no answer counts as a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// How often a failure is checked again before anybody is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<u32>,
    /// Where from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regions: Option<BTreeSet<Region>>,
    /// Whether a certificate that does not verify is a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_tls: Option<bool>,
    /// Days before the certificate's end on which somebody is told; none for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_expiry: Option<BTreeSet<u16>>,
    /// Whether somebody is told before the domain's registration ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_expiry: Option<bool>,
    /// Whether it rests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// Who is told, by the keys of contacts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contacts: Option<BTreeMap<String, Alerting>>,
    /// Labels kept with it, our own marker aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeSet<String>>,
}

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
    pub headers: Option<BTreeMap<String, HeaderText>>,
}

/// The value of a header: written out, or kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderText {
    /// Written in the spec, or live and no credential by its name.
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

/// How somebody is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alerting {
    /// Minutes that it must have been down before.
    pub after: u32,
    /// Minutes after which it is said again; 0 for once.
    pub repeat: u32,
}

/// Where a check is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// North America.
    NorthAmerica,
    /// Europe.
    Europe,
    /// Asia.
    Asia,
    /// Australia and Oceania.
    Oceania,
}

impl Region {
    /// The word for it in specs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NorthAmerica => "north-america",
            Self::Europe => "europe",
            Self::Asia => "asia",
            Self::Oceania => "oceania",
        }
    }
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
    /// The host that is asked.
    pub fn host(&self) -> Option<String> {
        match self {
            Self::Http(http) => url::Url::parse(&http.url).ok()?.host_str().map(str::to_owned),
            Self::Tcp { host, .. } | Self::Ping { host } => Some(host.clone()),
            Self::Other { .. } => None,
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

impl Monitor {
    /// A monitor of which nothing is said but what it checks.
    pub fn new(key: impl Into<String>, name: impl Into<String>, check: Check) -> Self {
        Self {
            key: key.into(),
            name: name.into(),
            check,
            marker: None,
            every: None,
            timeout: None,
            confirm: None,
            regions: None,
            verify_tls: None,
            tls_expiry: None,
            domain_expiry: None,
            paused: None,
            contacts: None,
            labels: None,
        }
    }

    /// This live monitor, in the terms of what is said of it elsewhere: what is not said there is left out here.
    #[must_use]
    pub fn seen_as(mut self, said: &Self) -> Self {
        fn only<T>(value: &mut Option<T>, is_said: bool) {
            if !is_said {
                *value = None;
            }
        }
        only(&mut self.every, said.every.is_some());
        only(&mut self.timeout, said.timeout.is_some());
        only(&mut self.confirm, said.confirm.is_some());
        only(&mut self.regions, said.regions.is_some());
        only(&mut self.verify_tls, said.verify_tls.is_some());
        only(&mut self.tls_expiry, said.tls_expiry.is_some());
        only(&mut self.domain_expiry, said.domain_expiry.is_some());
        only(&mut self.paused, said.paused.is_some());
        only(&mut self.contacts, said.contacts.is_some());
        only(&mut self.labels, said.labels.is_some());
        if let (Check::Http(live), Check::Http(said)) = (&mut self.check, &said.check) {
            only(&mut live.follow_redirects, said.follow_redirects.is_some());
            only(&mut live.headers, said.headers.is_some());
            if let Some(keyword) = &mut live.keyword {
                let said = said.keyword.as_ref();
                only(
                    &mut keyword.ignore_case,
                    said.is_some_and(|said| said.ignore_case.is_some()),
                );
            }
        }
        self
    }
}

/// What marks a monitor or contact as ours: 50 characters of lower-case ASCII at most, which every provider's labels
/// take. The double hyphen is in neither part, so that it tells them apart. `stack` is what [`stack`] made.
pub fn marker(stack: &str, key: &str) -> String {
    format!("{MARK}-{stack}--{}", short(key, 24))
}

/// What tells the checks of a spec from those of another, from the name of what is launched.
pub fn stack(project: &str) -> String {
    short(&key_of(project), 14)
}

/// The stack in a marker.
pub fn stack_of(marker: &str) -> Option<&str> {
    let (stack, _) = marker.strip_prefix(MARK)?.strip_prefix('-')?.split_once("--")?;
    Some(stack)
}

fn short(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let kept = text[..most - 9].trim_end_matches('-');
    format!("{kept}-{}", digest::short(text.as_bytes(), 8))
}

/// What every marker begins with; by itself the label of all that is ours.
pub const MARK: &str = "launchctl";

/// Whether a header of this name holds a credential, as far as a name can tell.
pub fn tells_a_credential(name: &str) -> bool {
    const TELLING: [&str; 9] = [
        "auth",
        "cookie",
        "token",
        "key",
        "secret",
        "password",
        "signature",
        "session",
        "credential",
    ];
    let name = name.to_ascii_lowercase();
    TELLING.iter().any(|word| name.contains(word))
}

/// The last part of an address from a name: lower-case ASCII letters and digits, and one hyphen between words. Other
/// letters are left out; a name of nothing else becomes a digest of itself.
pub fn key_of(name: &str) -> String {
    let mut key = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            key.push(c.to_ascii_lowercase());
        } else if !key.is_empty() && !key.ends_with('-') && c.is_ascii() {
            key.push('-');
        }
    }
    let key = key.trim_end_matches('-');
    if key.is_empty() {
        return digest::short(name.as_bytes(), 8);
    }
    key.chars()
        .take(60)
        .collect::<String>()
        .trim_end_matches('-')
        .to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

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

    #[test]
    fn what_is_not_said_is_not_seen() {
        let check = Check::Tcp {
            host: "smtp.acme.example".into(),
            port: 587,
        };
        let live = Monitor {
            every: Some(300),
            paused: Some(true),
            ..Monitor::new("mail", "Mail", check.clone())
        };
        let said = Monitor {
            every: Some(60),
            ..Monitor::new("mail", "Mail", check)
        };
        let seen = live.seen_as(&said);
        assert_eq!((seen.every, seen.paused), (Some(300), None));
    }

    #[test]
    fn keys_can_be_typed() {
        for (name, key) in [
            ("Login page", "login-page"),
            ("  A & B <x> ", "a-b-x"),
            ("Größe", "gre"),
            ("--", "cfcd208495"),
        ] {
            let made = key_of(name);
            if name == "--" {
                assert_eq!(made.len(), 8);
            } else {
                assert_eq!(made, key);
            }
        }
    }

    #[test]
    fn markers_are_short_and_tell_keys_apart() {
        assert_eq!(marker("acme", "homepage"), "launchctl-acme--homepage");
        let long = "a-very-long-project-name-with-many-words";
        let (one, other) = (
            marker(&stack(long), &format!("{long}-1")),
            marker(&stack(long), &format!("{long}-2")),
        );
        assert!(one != other && one.len() <= 50 && other.len() <= 50, "{one} {other}");
        assert_eq!(one.matches("--").count(), 1);
        assert_eq!(stack_of(&one), Some(stack(long).as_str()));
    }

    proptest! {
        #[test]
        fn a_key_is_a_key(name in "\\PC{1,90}") {
            let key = key_of(&name);
            prop_assert!(!key.is_empty() && key.len() <= 60);
            prop_assert!(key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert!(!key.contains("--"));
            prop_assert_eq!(key_of(&key), key);
        }
    }
}
