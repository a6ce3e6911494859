//! MTA-STS (RFC 8461): the record that announces a policy, and the policy's text. Fetching it is for others.

mod policy;
#[cfg(test)]
mod tests;

pub use policy::{Mode, Policy, PolicyIssue, covers, parse_policy};

use super::issue::Issue;
use super::tags::{self, Names, TagList};
use crate::base::digest;

/// How many digits the id has that is derived from a policy (1 to 32 are allowed, RFC 8461 §3.1).
const ID_DIGITS: usize = 20;

/// What kind of thing is wrong with a record or a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The form: senders ignore the whole.
    Syntax,
    /// A value that is allowed and unwise.
    Unwise,
}

/// The record at `_mta-sts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The text that the spans of issues point into.
    pub text: String,
    /// The policy's id, when it can be read.
    pub id: Option<String>,
    /// What is wrong.
    pub issues: Vec<Issue<Kind>>,
}

/// Whether a TXT value is such a record: other values at the name do not count (RFC 8461 §3.1).
pub fn is_record(value: &[u8]) -> bool {
    tags::is_version(value, "STSv1")
}

/// Reads the value of a TXT record.
pub fn parse(text: &str) -> Record {
    let list = TagList::parse(text, Names::Exact);
    let rule = "the record begins with `v=STSv1;`: senders ignore it (RFC 8461 §3.1)";
    let mut issues = list.issues(text, Kind::Syntax, "STSv1", rule);
    let mut id = None;
    match list.get("id") {
        None => {
            let message = "`id` is missing: senders ignore the record (RFC 8461 §3.1)";
            issues.push(Issue::error(Kind::Syntax, 0..text.len(), message));
        }
        Some(tag) if is_id(&tag.value) => id = Some(tag.value.clone()),
        Some(tag) => {
            let message = "`id` has 1 to 32 letters and digits and nothing else (RFC 8461 §3.1)";
            issues.push(Issue::error(Kind::Syntax, tag.value_span.clone(), message));
        }
    }
    issues.sort_by_key(|issue| issue.span.start);
    Record {
        text: text.to_owned(),
        id,
        issues,
    }
}

fn is_id(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

impl Policy {
    /// The id for this policy: another policy has another, the same policy always the same, however its text is written.
    pub fn id(&self) -> String {
        digest::short(self.build().as_bytes(), ID_DIGITS)
    }

    /// The record that announces it.
    pub fn record_text(&self) -> String {
        format!("v=STSv1; id={};", self.id())
    }
}
