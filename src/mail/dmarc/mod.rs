//! DMARC (RFC 9989): policy records read and written, found by the tree walk, and alignment. Readers of RFC 7489 are
//! kept in mind: `p` is written second, and tags that 9989 removed are remarked, not obeyed.

mod alignment;
mod build;
mod parse;
#[cfg(test)]
mod tests;
mod uri;
mod walk;

use std::fmt;

pub use alignment::{Alignment, is_aligned};
pub use build::Builder;
pub use parse::{is_dmarc, looks_like_dmarc, parse, parse_value};
pub use uri::{ReportUri, UriProblem, authorisation_name, wildcard_authorisation_name};
pub use walk::{Discovery, Existence, Found, Source, Stop, WalkStep, discover, exists, policy_name, walk_names};

use super::issue::Issue;

/// What is to be done with mail that fails (`p`, `sp`, `np`), from the weakest to the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// Nothing.
    None,
    /// Look at it with suspicion.
    Quarantine,
    /// Refuse it.
    Reject,
}

impl Policy {
    /// The word in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    /// The policy that a word stands for, in any case (RFC 9989 §4.8).
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject]
            .into_iter()
            .find(|policy| policy.as_str().eq_ignore_ascii_case(word))
    }

    /// What `t=y` makes of it: one level less (RFC 9989 §4.7).
    #[must_use]
    pub fn tested(self) -> Self {
        match self {
            Self::Reject => Self::Quarantine,
            Self::Quarantine | Self::None => Self::None,
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether the domain is one below which others register (`psd`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum PublicSuffix {
    /// `u`: not said.
    #[default]
    Unsaid,
    /// `y`: a public suffix.
    Yes,
    /// `n`: the organizational domain of everything below.
    No,
}

/// What kind of thing is wrong with a policy record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The form: tags, versions, values.
    Syntax,
    /// A tag that RFC 9989 removed, or the size suffix of a report address.
    Removed,
    /// A report address that cannot be used.
    ReportAddress,
    /// Unusual, and harmless.
    Unusual,
}

/// A policy record. Wrong values have become their defaults (RFC 9989 §4.8), with an issue each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The text that the spans of issues point into.
    pub text: String,
    /// `p`, when it is there and valid.
    pub policy: Option<Policy>,
    /// `sp`, when it is there and valid.
    pub subdomains: Option<Policy>,
    /// `np`, when it is there and valid.
    pub nonexistent: Option<Policy>,
    /// `t=y`.
    pub is_testing: bool,
    /// `psd`.
    pub public_suffix: PublicSuffix,
    /// `adkim`.
    pub dkim: Alignment,
    /// `aspf`.
    pub spf: Alignment,
    /// `fo`; empty means `0`.
    pub failure_options: Vec<char>,
    /// `rua`, where the address can be read.
    pub aggregate: Vec<ReportUri>,
    /// `ruf`, where the address can be read.
    pub failure: Vec<ReportUri>,
    /// `pct`, which receivers of RFC 7489 still obey.
    pub percent: Option<u8>,
    /// Whether `p`, `sp` or `np` has a value that is none.
    pub has_bad_policy: bool,
    /// What is wrong, in order of place.
    pub issues: Vec<Issue<Kind>>,
}

impl Record {
    /// Whether receivers apply it at all: a bad `p`, `sp` or `np` counts as `p=none` with a usable `rua`, and voids the
    /// record without one (RFC 9989 §4.10.1).
    pub fn is_applied(&self) -> bool {
        !self.has_bad_policy || self.aggregate.iter().any(ReportUri::is_usable)
    }

    /// The policy for the domain at which the record stands.
    pub fn for_domain(&self) -> Policy {
        self.effective(self.policy)
    }

    /// The policy for subdomains that exist: `sp`, else `p`.
    pub fn for_subdomains(&self) -> Policy {
        self.effective(self.subdomains.or(self.policy))
    }

    /// The policy for subdomains that do not exist: `np`, else `sp`, else `p`.
    pub fn for_nonexistent(&self) -> Policy {
        self.effective(self.nonexistent.or(self.subdomains).or(self.policy))
    }

    fn effective(&self, written: Option<Policy>) -> Policy {
        let policy = if self.has_bad_policy {
            Policy::None
        } else {
            written.unwrap_or(Policy::None)
        };
        if self.is_testing { policy.tested() } else { policy }
    }

    /// Whether the domain and all of its subdomains are protected: none of the three is `none` (RFC 9989 §3.2.9).
    pub fn is_enforcing(&self) -> bool {
        [self.for_domain(), self.for_subdomains(), self.for_nonexistent()]
            .iter()
            .all(|policy| *policy != Policy::None)
    }
}
