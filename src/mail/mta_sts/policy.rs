//! The policy's text (RFC 8461 §3.2): `key: value` lines.

use super::Kind;
use crate::base::text;
use crate::mail::dns::QueryName;
use crate::mail::issue::Issue;

/// The longest policy that is read, in bytes (RFC 8461 §3.3 suggests 64 KiB).
const LONGEST: usize = 64 * 1024;
/// The longest time that a policy may be kept, in seconds: about a year (RFC 8461 §3.2).
const LONGEST_AGE: u64 = 31_557_600;
/// Below a day, a policy protects nobody for long.
const SHORT_AGE: u64 = 86_400;
/// How many exchangers are read.
const MOST_EXCHANGERS: usize = 1000;

/// Something wrong with a policy's text.
pub type PolicyIssue = Issue<Kind>;

/// What senders do when TLS cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// There is no policy any more.
    None,
    /// Deliver, and report.
    Testing,
    /// Do not deliver.
    Enforce,
}

impl Mode {
    /// The word in the policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Testing => "testing",
            Self::Enforce => "enforce",
        }
    }
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What senders do.
    pub mode: Mode,
    /// Patterns for exchangers: a host, or `*.` and a domain for one label before it.
    pub exchangers: Vec<String>,
    /// How long it may be kept, in seconds.
    pub max_age: u64,
}

impl Policy {
    /// The text to serve, `text/plain`, at `/.well-known/mta-sts.txt`. The order of exchangers makes no difference, nor
    /// does their case.
    pub fn build(&self) -> String {
        let mut exchangers: Vec<String> = self.exchangers.iter().map(|host| canonical(host)).collect();
        exchangers.sort();
        exchangers.dedup();
        let mut out = format!("version: STSv1\nmode: {}\n", self.mode.as_str());
        for host in exchangers {
            out.push_str(&format!("mx: {host}\n"));
        }
        out.push_str(&format!("max_age: {}\n", self.max_age));
        out
    }

    /// Whether an exchanger is one of the policy's.
    pub fn covers(&self, host: &QueryName) -> bool {
        self.exchangers.iter().any(|pattern| covers(pattern, host))
    }
}

fn canonical(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// Whether a pattern covers a host: `*.` stands for exactly one label (RFC 8461 §4.1).
pub fn covers(pattern: &str, host: &QueryName) -> bool {
    let pattern = canonical(pattern);
    match pattern.strip_prefix("*.") {
        Some(domain) => host.parent().is_some_and(|parent| parent.as_str() == domain),
        None => host.as_str() == pattern,
    }
}

/// Reads a policy's text. `None` when senders would ignore it; the issues say why, with bytes within the text.
pub fn parse_policy(text: &str) -> (Option<Policy>, Vec<PolicyIssue>) {
    let mut reader = Reader {
        text,
        version: false,
        mode: None,
        exchangers: Vec::new(),
        max_age: None,
        seen: Vec::new(),
        issues: Vec::new(),
    };
    if text.len() > LONGEST {
        reader.refuse(0..text.len(), "the policy is over 64 KiB long");
        return (None, reader.issues);
    }
    let mut at = 0;
    for line in text.split('\n') {
        let span = at..at + line.trim_end_matches('\r').len();
        at += line.len() + 1;
        if !span.is_empty() {
            reader.line(span);
        }
    }
    reader.finish()
}

struct Reader<'a> {
    text: &'a str,
    version: bool,
    mode: Option<Mode>,
    exchangers: Vec<String>,
    max_age: Option<u64>,
    seen: Vec<&'a str>,
    issues: Vec<PolicyIssue>,
}

type Span = std::ops::Range<usize>;

impl<'a> Reader<'a> {
    fn refuse(&mut self, span: Span, message: impl Into<String>) {
        self.issues.push(Issue::error(Kind::Syntax, span, message));
    }

    fn line(&mut self, span: Span) {
        let line = self.text.get(span.clone()).unwrap_or_default();
        let Some((key, value)) = line.split_once(':') else {
            return self.refuse(span, "a line has the form `key: value` (RFC 8461 §3.2)");
        };
        let start = span.start + key.len() + 1 + (value.len() - value.trim_start().len());
        let (key, value) = (key.trim(), value.trim());
        let value_span = start..start + value.len();
        if key != "mx" && self.seen.contains(&key) {
            let message = format!("`{}` stands twice: the first one counts (RFC 8461 §3.2)", shown(key));
            self.issues.push(Issue::warning(Kind::Syntax, span, message));
            return;
        }
        self.seen.push(key);
        self.value(key, value, value_span);
    }

    fn value(&mut self, key: &'a str, value: &str, span: Span) {
        match key {
            "version" => {
                self.version = value == "STSv1";
                if !self.version {
                    self.refuse(span, "the version is `STSv1` (RFC 8461 §3.2)");
                }
            }
            "mode" => {
                let modes = [Mode::None, Mode::Testing, Mode::Enforce];
                self.mode = modes.into_iter().find(|mode| mode.as_str() == value);
                if self.mode.is_none() {
                    self.refuse(span, "the mode is none, testing or enforce (RFC 8461 §3.2)");
                }
            }
            "max_age" => self.age(value, span),
            "mx" => self.exchanger(value, span),
            // Other keys may be added by later standards and are ignored.
            _ => {}
        }
    }

    fn age(&mut self, value: &str, span: Span) {
        let plain = (1..=10).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
        match value.parse::<u64>().ok().filter(|age| plain && *age <= LONGEST_AGE) {
            Some(age) => {
                self.max_age = Some(age);
                if age < SHORT_AGE {
                    let message =
                        format!("max_age is {age} seconds: a policy kept for less than a day protects nobody");
                    let issue = Issue::warning(Kind::Unwise, span, message);
                    self.issues.push(issue.help("604800, a week, or more"));
                }
            }
            None => self.refuse(
                span,
                format!("max_age is a number of seconds up to {LONGEST_AGE} (RFC 8461 §3.2)"),
            ),
        }
    }

    fn exchanger(&mut self, value: &str, span: Span) {
        let host = value.strip_prefix("*.").unwrap_or(value);
        let is_host = QueryName::parse(host).is_ok()
            && host.contains('.')
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
        if !is_host {
            return self.refuse(
                span,
                format!("`{}` is no host, and no `*.` before a domain", shown(value)),
            );
        }
        if self.exchangers.len() < MOST_EXCHANGERS {
            self.exchangers.push(canonical(value));
        }
    }

    fn finish(mut self) -> (Option<Policy>, Vec<PolicyIssue>) {
        let end = self.text.len()..self.text.len();
        for (key, missing) in [
            ("version", !self.seen.contains(&"version")),
            ("mode", !self.seen.contains(&"mode")),
            ("max_age", !self.seen.contains(&"max_age")),
        ] {
            if missing {
                self.refuse(end.clone(), format!("the line `{key}:` is missing (RFC 8461 §3.2)"));
            }
        }
        let needs_exchanger = self.mode.is_some_and(|mode| mode != Mode::None);
        if needs_exchanger && self.exchangers.is_empty() {
            self.refuse(end, "a policy names at least one exchanger: `mx: HOST` (RFC 8461 §3.2)");
        }
        let policy = match (self.version, self.mode, self.max_age) {
            (true, Some(mode), Some(max_age)) if !(needs_exchanger && self.exchangers.is_empty()) => Some(Policy {
                mode,
                exchangers: self.exchangers,
                max_age,
            }),
            _ => None,
        };
        (policy, self.issues)
    }
}

fn shown(value: &str) -> String {
    text::shorten(&text::sanitize(value), 80)
}
