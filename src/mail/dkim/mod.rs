//! DKIM key records (RFC 6376 §3.6.1), judged by RFC 8301 (RSA) and RFC 8463 (Ed25519). Signatures are none of its
//! business: what is published is.

mod der;
mod key;
#[cfg(test)]
pub(crate) mod tests;

use std::ops::Range;

pub use key::{Key, read_key};

use super::issue::Issue;
use super::tags::{Names, Tag, TagList, split_list};
use crate::base::diagnostic::Severity;
use crate::base::digest;
use crate::base::text;

/// Below this, verifiers must not accept a signature (RFC 8301 §3.2).
pub const FEWEST_BITS: usize = 1024;
/// What signers should use at least (RFC 8301 §3.2).
pub const USUAL_BITS: usize = 2048;
/// What verifiers must be able to handle (RFC 8301 §3.2).
pub const MOST_BITS: usize = 4096;

/// What kind of thing is wrong with a key record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The record or the key in it cannot be read.
    Malformed,
    /// A private key stands where the public one belongs.
    PrivateKey,
    /// The key is too short, or no usable hash is allowed.
    Weak,
    /// The key is revoked: `p=` is empty.
    Revoked,
    /// `t=y`: verifiers treat the signature as absent.
    Testing,
    /// Unusual, and harmless.
    Unusual,
}

/// The algorithm of a key (`k=`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// The default.
    Rsa,
    /// RFC 8463.
    Ed25519,
    /// One that this standard does not know: verifiers ignore the record.
    Other(String),
}

/// A key record as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// The text that the spans of issues point into.
    pub text: String,
    /// `k=`, RSA when it is not said.
    pub algorithm: Algorithm,
    /// `p=`.
    pub key: Key,
    /// `h=`: the hashes that may be used; all when it is not said.
    pub hashes: Option<Vec<String>>,
    /// `t=y`.
    pub is_testing: bool,
    /// `t=s`: the identity's domain must equal the signing domain.
    pub is_strict: bool,
    /// What is wrong, in order of place.
    pub issues: Vec<Issue<Kind>>,
}

impl KeyRecord {
    /// Whether a verifier can use it.
    pub fn is_usable(&self) -> bool {
        matches!(self.key, Key::Rsa { .. } | Key::Ed25519 { .. })
            && !self.issues.iter().any(|issue| issue.severity == Severity::Error)
    }

    /// Whether anything of this kind is wrong.
    pub fn has(&self, kind: Kind) -> bool {
        self.issues.iter().any(|issue| issue.kind == kind)
    }

    /// The first sixteen digits of the key's SHA-256, to compare keys without showing them.
    pub fn fingerprint(&self) -> Option<String> {
        match &self.key {
            Key::Rsa { der, .. } => Some(digest::short(der, 16)),
            Key::Ed25519 { raw } => Some(digest::short(raw, 16)),
            Key::Revoked | Key::Unreadable => None,
        }
    }
}

/// Whether a TXT value at a `_domainkey` name is meant as a key record: it says so, or it has a key.
pub fn is_key_record(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else {
        return false;
    };
    let list = TagList::parse(text, Names::Exact);
    list.first()
        .is_some_and(|tag| tag.name == "v" && tag.value.eq_ignore_ascii_case("DKIM1"))
        || list.get("p").is_some()
}

/// Reads the value of a TXT record.
pub fn parse_value(value: &[u8]) -> KeyRecord {
    parse(&String::from_utf8_lossy(value))
}

/// Reads a key record. Everything that is wrong is an issue; what could be read is there all the same.
pub fn parse(text: &str) -> KeyRecord {
    let mut record = KeyRecord {
        text: text.to_owned(),
        algorithm: Algorithm::Rsa,
        key: Key::Unreadable,
        hashes: None,
        is_testing: false,
        is_strict: false,
        issues: Vec::new(),
    };
    if let Some(issue) = armour(text) {
        record.issues.push(issue);
        return record;
    }
    let list = TagList::parse(text, Names::Exact);
    for error in &list.errors {
        record
            .issues
            .push(Issue::error(Kind::Malformed, error.span.clone(), error.message.clone()));
    }
    record.version(&list);
    record.algorithm(&list);
    record.hashes(&list);
    record.services(&list);
    record.flags(&list);
    record.key(&list);
    if let Some(tag) = list.get("g") {
        let message = "`g` is obsolete: verifiers ignore it (RFC 6376 App. C)";
        record
            .issues
            .push(Issue::note(Kind::Unusual, tag.span.clone(), message));
    }
    record.issues.sort_by_key(|issue| issue.span.start);
    record
}

/// The record for a key: the text to publish.
pub fn record_text(algorithm: &Algorithm, key: &[u8]) -> String {
    use base64::Engine as _;
    let name = match algorithm {
        Algorithm::Rsa => "rsa",
        Algorithm::Ed25519 => "ed25519",
        Algorithm::Other(name) => name,
    };
    let key = base64::engine::general_purpose::STANDARD.encode(key);
    format!("v=DKIM1; k={name}; p={key}")
}

/// A PEM file pasted whole.
fn armour(text: &str) -> Option<Issue<Kind>> {
    let at = text.find("-----BEGIN")?;
    let end = text
        .get(at..)
        .and_then(|rest| rest.get(10..)?.find("-----"))
        .map_or(text.len(), |length| at + 15 + length);
    Some(if text.contains("PRIVATE KEY") {
        let message = "this is a private key: whoever can read this record can sign as you";
        Issue::error(Kind::PrivateKey, at..end, message)
            .help("take it out, make a new key pair, and publish the public half of that one")
    } else {
        Issue::error(
            Kind::Malformed,
            at..end,
            "the lines `-----BEGIN` and `-----END` do not belong into the record",
        )
        .help("write v=DKIM1; k=rsa; p= and then the lines between them, joined")
    })
}

impl KeyRecord {
    fn issue(&mut self, issue: Issue<Kind>) {
        self.issues.push(issue);
    }

    /// `v`, when it is there, stands first and says `DKIM1` (RFC 6376 §3.6.1).
    fn version(&mut self, list: &TagList) {
        let Some(tag) = list.get("v") else {
            return;
        };
        if list.first() != Some(tag) {
            let message = "`v` must be the first tag (RFC 6376 §3.6.1)";
            self.issue(Issue::error(Kind::Malformed, tag.span.clone(), message).help("move v=DKIM1 to the beginning"));
        }
        if tag.value != "DKIM1" {
            let message = format!("the version is `DKIM1`, not `{}` (RFC 6376 §3.6.1)", shown(&tag.value));
            self.issue(Issue::error(Kind::Malformed, tag.value_span.clone(), message));
        }
    }

    fn algorithm(&mut self, list: &TagList) {
        let Some(tag) = list.get("k") else {
            return;
        };
        self.algorithm = match tag.value.to_ascii_lowercase().as_str() {
            "rsa" => Algorithm::Rsa,
            "ed25519" => Algorithm::Ed25519,
            other => {
                let message = format!("`{}` is no key algorithm: verifiers ignore the record", shown(other));
                self.issue(Issue::error(Kind::Malformed, tag.value_span.clone(), message).help("rsa or ed25519"));
                Algorithm::Other(other.to_owned())
            }
        };
    }

    fn hashes(&mut self, list: &TagList) {
        let Some(tag) = list.get("h") else {
            return;
        };
        let hashes = words(self, tag);
        if !hashes.iter().any(|hash| hash == "sha256") {
            let message = "`h` leaves no hash that verifiers accept: sha256 is missing (RFC 8301 §3.1)";
            self.issue(Issue::error(Kind::Weak, tag.span.clone(), message).help("write h=sha256, or leave it out"));
        } else if hashes.iter().any(|hash| hash == "sha1") {
            let message = "sha1 must not be used (RFC 8301 §3.1)";
            self.issue(Issue::warning(Kind::Weak, tag.span.clone(), message).help("write h=sha256, or leave it out"));
        }
        self.hashes = Some(hashes);
    }

    fn services(&mut self, list: &TagList) {
        let Some(tag) = list.get("s") else {
            return;
        };
        if !words(self, tag)
            .iter()
            .any(|service| service == "*" || service == "email")
        {
            let message = "`s` does not allow mail: verifiers ignore the key (RFC 6376 §3.6.1)";
            self.issue(Issue::error(Kind::Malformed, tag.span.clone(), message).help("write s=email, or leave it out"));
        }
    }

    fn flags(&mut self, list: &TagList) {
        let Some(tag) = list.get("t") else {
            return;
        };
        let flags = words(self, tag);
        self.is_testing = flags.iter().any(|flag| flag == "y");
        self.is_strict = flags.iter().any(|flag| flag == "s");
        if self.is_testing {
            let message = "`t=y` says that signatures are only tested: failures count for nothing (RFC 6376 §3.6.1)";
            self.issue(Issue::warning(Kind::Testing, tag.span.clone(), message).help("take `y` out of `t`"));
        }
    }

    fn key(&mut self, list: &TagList) {
        let Some(tag) = list.get("p") else {
            let whole = 0..self.text.len();
            let message = "the key is missing: a record has `p=` (RFC 6376 §3.6.1)";
            self.issue(Issue::error(Kind::Malformed, whole, message));
            return;
        };
        if tag.value.is_empty() {
            self.key = Key::Revoked;
            let message = "the key is revoked: `p=` is empty (RFC 6376 §3.6.1)";
            self.issue(Issue::note(Kind::Revoked, tag.span.clone(), message));
            return;
        }
        match read_key(&self.algorithm, &tag.value) {
            Ok(key) => {
                self.key = key;
                self.strength(&tag.value_span);
            }
            Err(problem) => {
                let span = match problem.at {
                    Some(at) => tag.value_span.start + at.start..tag.value_span.start + at.end,
                    None => tag.value_span.clone(),
                };
                self.issue(Issue {
                    kind: problem.kind,
                    severity: Severity::Error,
                    span,
                    message: problem.message,
                    help: problem.help,
                });
            }
        }
    }

    /// RFC 8301 §3.2.
    fn strength(&mut self, span: &Range<usize>) {
        let Key::Rsa { bits, .. } = self.key else {
            return;
        };
        let issue = if bits < FEWEST_BITS {
            let message = format!("the RSA key has {bits} bits: verifiers must refuse it (RFC 8301 §3.2)");
            Issue::error(Kind::Weak, span.clone(), message).help("make a key of 2048 bits")
        } else if bits < USUAL_BITS {
            let message = format!("the RSA key has {bits} bits; signers should use at least 2048 (RFC 8301 §3.2)");
            Issue::warning(Kind::Weak, span.clone(), message).help("rotate to a key of 2048 bits")
        } else if bits > MOST_BITS {
            let message =
                format!("the RSA key has {bits} bits; verifiers need not handle more than 4096 (RFC 8301 §3.2)");
            Issue::warning(Kind::Unusual, span.clone(), message).help("2048 bits fit into DNS and are enough")
        } else {
            return;
        };
        self.issue(issue);
    }
}

/// The words of a colon list in lower case.
fn words(record: &KeyRecord, tag: &Tag) -> Vec<String> {
    split_list(&record.text, &tag.value_span, ':')
        .into_iter()
        .map(|(word, _)| word.to_ascii_lowercase())
        .collect()
}

fn shown(value: &str) -> String {
    text::shorten(&text::sanitize(value), 60)
}
