//! Monitors: what is asked from outside, how often, and who is told when the answer is not as it should be. One neutral
//! form for all providers; what one of them cannot hold is its own business to say. Knows no provider.
//!
//! An attribute that is `None` is not said: then nothing is compared and nothing sent. A live monitor is seen through
//! what is said of it ([`Monitor::seen_as`]), so that two that mean the same are equal.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::digest;
pub use crate::model::check::{Check, Dns, Heartbeat, Http, Keyword, NameServer, SentText, Status, StatusError};
use crate::model::window::Rest;

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
    /// How a failure is confirmed before anybody is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Confirm>,
    /// Seconds that it must be as it should be again before that is taken for its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recover: Option<u32>,
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
    pub domain_expiry: Option<DomainExpiry>,
    /// Whether it rests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// Who is told, by the keys of contacts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contacts: Option<BTreeMap<String, Alerting>>,
    /// When it is expected not to answer, and nobody is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<BTreeSet<Rest>>,
    /// Labels kept with it, our own marker aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeSet<String>>,
}

/// How a failure is confirmed before anybody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Confirm {
    /// By so many further checks; 0 for none.
    Times(u32),
    /// By lasting for so long.
    Lasting {
        /// How long.
        seconds: u32,
    },
}

impl Confirm {
    /// By lasting for so many seconds; for none at all, that is without being confirmed.
    pub fn lasting(seconds: u32) -> Self {
        match seconds {
            0 => Self::Times(0),
            seconds => Self::Lasting { seconds },
        }
    }

    /// How long that takes where a check is made every so many seconds.
    pub fn seconds(self, every: u32) -> u32 {
        match self {
            Self::Times(times) => times.saturating_mul(every),
            Self::Lasting { seconds } => seconds,
        }
    }

    /// How many further checks that takes.
    pub fn times(self, every: u32) -> u32 {
        match self {
            Self::Times(times) => times,
            Self::Lasting { seconds } => seconds.div_ceil(every.max(1)),
        }
    }
}

/// Whether and when somebody is told that a domain's registration ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DomainExpiry {
    /// Never, or when the service thinks right.
    Watched(bool),
    /// So many days before.
    Days(u16),
}

/// How somebody is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
            recover: None,
            regions: None,
            verify_tls: None,
            tls_expiry: None,
            domain_expiry: None,
            paused: None,
            contacts: None,
            maintenance: None,
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
        only(&mut self.recover, said.recover.is_some());
        only(&mut self.regions, said.regions.is_some());
        only(&mut self.verify_tls, said.verify_tls.is_some());
        only(&mut self.tls_expiry, said.tls_expiry.is_some());
        only(&mut self.domain_expiry, said.domain_expiry.is_some());
        only(&mut self.paused, said.paused.is_some());
        only(&mut self.contacts, said.contacts.is_some());
        only(&mut self.maintenance, said.maintenance.is_some());
        only(&mut self.labels, said.labels.is_some());
        match (&mut self.check, &said.check) {
            (Check::Http(live), Check::Http(said)) => {
                only(&mut live.follow_redirects, said.follow_redirects.is_some());
                only(&mut live.headers, said.headers.is_some());
                only(&mut live.body, said.body.is_some());
                if let Some(keyword) = &mut live.keyword {
                    let said = said.keyword.as_ref();
                    only(
                        &mut keyword.ignore_case,
                        said.is_some_and(|said| said.ignore_case.is_some()),
                    );
                }
            }
            (Check::Dns(live), Check::Dns(said)) => {
                only(&mut live.answers, said.answers.is_some());
                only(&mut live.server, said.server.is_some());
            }
            (Check::Heartbeat(live), Check::Heartbeat(said)) => only(&mut live.grace, said.grace.is_some()),
            _ => {}
        }
        self
    }

    /// What is written where a change from `before` leads here and `kept` is all that there is: what neither side says
    /// stays. The other way round than [`Self::seen_as`].
    #[must_use]
    pub fn laid_over(mut self, before: Option<&Self>, kept: &Self) -> Self {
        macro_rules! keep {
            ($value:expr, $was:expr, $kept:expr; $($field:ident)+) => {$(
                if $value.$field.is_none() && $was.is_none_or(|was| was.$field.is_none()) {
                    $value.$field.clone_from(&$kept.$field);
                }
            )+};
        }
        keep!(self, before, kept; every timeout confirm recover regions verify_tls tls_expiry domain_expiry);
        keep!(self, before, kept; paused contacts maintenance labels);
        let was = before.map(|before| &before.check);
        match (&mut self.check, &kept.check) {
            (Check::Http(http), Check::Http(kept)) => {
                let was = was.and_then(Check::http);
                keep!(http, was, kept; follow_redirects headers body);
                if let (Some(keyword), Some(kept)) = (&mut http.keyword, &kept.keyword) {
                    let was = was.and_then(|was| was.keyword.as_ref());
                    keep!(keyword, was, kept; ignore_case);
                }
            }
            (Check::Dns(dns), Check::Dns(kept)) => {
                let was = match was {
                    Some(Check::Dns(was)) => Some(was),
                    _ => None,
                };
                keep!(dns, was, kept; answers server);
            }
            _ => {}
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
