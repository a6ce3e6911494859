//! Findings about a domain's mail: forty kinds and one for what is flattened, each with a stable id, as a pure function
//! over facts gathered beforehand. What DNS did not answer is unknown: it never counts as good, and never as bad.

pub mod facts;
pub mod gather;

mod dkim;
mod dmarc;
mod exchangers;
mod others;
mod spf;
mod spf_tree;
#[cfg(test)]
pub(crate) mod tests;

use self::facts::Facts;
use super::dns::{Lookup, QueryName};
use crate::base::diagnostic::Severity;
use crate::base::text;

/// A kind of finding: its id, and what it is about in a few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The stable id.
    pub id: &'static str,
    /// What it is about.
    pub title: &'static str,
}

macro_rules! catalogue {
    ($($name:ident $id:literal $title:literal;)+) => {
        $(pub(in crate::mail::findings) const $name: &str = $id;)+
        /// All kinds of findings, in the order in which they are reported.
        pub const CATALOGUE: &[Entry] = &[$(Entry { id: $id, title: $title }),+];
    };
}

mod ids {
    use super::Entry;

    catalogue! {
        SPF_MISSING "spf-missing" "a name that mail is sent as has no SPF record";
        SPF_MULTIPLE "spf-multiple" "several SPF records at one name";
        SPF_SYNTAX "spf-syntax" "an SPF record that cannot be read";
        SPF_LOOKALIKE "spf-lookalike" "a record that was meant as SPF and is none";
        SPF_LOOKUPS "spf-lookups" "more than ten DNS lookups, or nearly";
        SPF_VOID "spf-void" "terms that find nothing";
        SPF_TARGET "spf-target" "an include or redirect that leads nowhere";
        SPF_PERMISSIVE "spf-permissive" "everybody, or far too many, may send";
        SPF_NO_ALL "spf-no-all" "nothing is said about unlisted senders";
        SPF_DEAD_TERMS "spf-dead-terms" "terms that are never evaluated";
        SPF_PTR "spf-ptr" "the discouraged `ptr`";
        SPF_SIZE "spf-size" "too large for one DNS answer";
        SPF_PROVIDER_GAP "spf-provider-gap" "a declared sender does not pass";
        SPF_WASTE "spf-waste" "terms that add nothing";
        SPF_DRIFT "spf-drift" "a flattened include has other addresses now";
        DKIM_MISSING "dkim-missing" "a selector without a key";
        DKIM_MALFORMED "dkim-malformed" "a key that cannot be read";
        DKIM_WEAK "dkim-weak" "a key that is too short";
        DKIM_REVOKED "dkim-revoked" "a key that is revoked";
        DKIM_TESTING "dkim-testing" "a key in testing mode";
        DKIM_CNAME "dkim-cname" "a CNAME that leads to no key";
        DKIM_DRIFT "dkim-drift" "another key than the declared one";
        DMARC_MISSING "dmarc-missing" "no DMARC record";
        DMARC_MULTIPLE "dmarc-multiple" "several DMARC records at one name";
        DMARC_SYNTAX "dmarc-syntax" "a DMARC record with errors, or at the wrong name";
        DMARC_MONITORING "dmarc-monitoring" "a policy that only watches";
        DMARC_SUB_WEAKER "dmarc-sub-weaker" "subdomains are protected less";
        DMARC_REMOVED_TAG "dmarc-removed-tag" "tags that DMARC no longer has";
        DMARC_NO_RUA "dmarc-no-rua" "nobody gets reports";
        DMARC_RUA_DEAD "dmarc-rua-dead" "a report address that gets nothing";
        DMARC_ALIGNMENT "dmarc-alignment" "a sender whose mail cannot pass DMARC";
        DMARC_TREE "dmarc-tree" "receivers may find different policies";
        MX_MISSING "mx-missing" "no MX, or not the expected ones";
        MX_NULL "mx-null" "a null MX that contradicts the rest";
        MX_TARGET "mx-target" "an MX host that cannot get mail";
        MX_MIXED "mx-mixed" "MX and senders of different providers";
        MTA_STS "mta-sts" "MTA-STS that does not work";
        TLSRPT "tlsrpt" "TLS reporting is missing or wrong";
        BIMI "bimi" "BIMI without what it needs";
        PARKED "parked" "a parked domain that does not refuse mail";
        CAA_MAIL "caa-mail" "CAA forbids a certificate that mail needs";
    }
}

pub use ids::CATALOGUE;

/// A change of the values at one name and type. Values that it does not name stay as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFix {
    /// Where.
    pub name: String,
    /// The type.
    pub kind: &'static str,
    /// The values to take away, as they were seen.
    pub remove: Vec<String>,
    /// The value to publish.
    pub add: Option<String>,
}

/// What to do about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// In words, for whoever keeps the DNS.
    pub instruction: String,
    /// The record concerned, when one record is the whole fix.
    pub record: Option<RecordFix>,
    /// The same as an edit of a spec's `email` block: a path and its value.
    pub spec: Option<(&'static str, String)>,
}

impl Fix {
    pub(super) fn say(instruction: impl Into<String>) -> Self {
        Self {
            instruction: instruction.into(),
            record: None,
            spec: None,
        }
    }

    pub(super) fn publish(name: &impl ToString, kind: &'static str, value: impl Into<String>) -> Self {
        let (name, value) = (name.to_string(), value.into());
        Self {
            instruction: format!("publish {kind} {name}: {value}"),
            record: Some(RecordFix {
                name,
                kind,
                remove: Vec::new(),
                add: Some(value),
            }),
            spec: None,
        }
    }

    pub(super) fn remove(name: &impl ToString, kind: &'static str, value: &[u8], what: impl Into<String>) -> Self {
        Self {
            instruction: what.into(),
            record: Some(RecordFix {
                name: name.to_string(),
                kind,
                remove: vec![shown(value)],
                add: None,
            }),
            spec: None,
        }
    }

    /// The same publication in the place of these values.
    pub(super) fn instead_of(mut self, values: impl IntoIterator<Item = String>) -> Self {
        if let Some(record) = &mut self.record {
            record.remove.extend(values);
        }
        self
    }

    pub(super) fn spec(mut self, path: &'static str, value: impl Into<String>) -> Self {
        self.spec = Some((path, value.into()));
        self
    }
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its kind, by the catalogue.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The name concerned.
    pub name: String,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What was seen, made safe for one line each.
    pub evidence: Vec<String>,
    /// What to do about it.
    pub fix: Fix,
}

/// A kind that could not be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Its kind, by the catalogue.
    pub id: &'static str,
    /// Why nothing is known.
    pub why: String,
}

/// Everything found, and everything that could not be judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// In the order of the catalogue.
    pub findings: Vec<Finding>,
    /// In the order of the catalogue.
    pub unknown: Vec<Unknown>,
}

/// Judges the facts.
pub fn judge(facts: &Facts) -> Judgement {
    let mut out = Judgement::default();
    spf::judge(facts, &mut out);
    dkim::judge(facts, &mut out);
    dmarc::judge(facts, &mut out);
    exchangers::judge(facts, &mut out);
    others::judge(facts, &mut out);
    let place = |id: &str| CATALOGUE.iter().position(|entry| entry.id == id);
    out.findings
        .sort_by_key(|finding| (place(finding.id), finding.severity));
    out.unknown.sort_by_key(|unknown| place(unknown.id));
    out.unknown.dedup();
    out
}

impl Judgement {
    fn unknown(&mut self, id: &'static str, why: impl Into<String>) {
        let why = text::shorten(&text::sanitize(&why.into()), 300);
        self.unknown.push(Unknown { id, why });
    }

    /// Whether there is a finding of that kind.
    pub fn has(&self, id: &str) -> bool {
        self.findings.iter().any(|finding| finding.id == id)
    }

    fn error(&mut self, id: &'static str, name: &impl ToString, message: impl Into<String>) -> Draft<'_> {
        self.draft(id, Severity::Error, name, message)
    }

    fn warning(&mut self, id: &'static str, name: &impl ToString, message: impl Into<String>) -> Draft<'_> {
        self.draft(id, Severity::Warning, name, message)
    }

    fn note(&mut self, id: &'static str, name: &impl ToString, message: impl Into<String>) -> Draft<'_> {
        self.draft(id, Severity::Info, name, message)
    }

    fn draft(
        &mut self,
        id: &'static str,
        severity: Severity,
        name: &impl ToString,
        message: impl Into<String>,
    ) -> Draft<'_> {
        Draft {
            finding: Finding {
                id,
                severity,
                name: name.to_string(),
                message: text::sanitize(&message.into()).into_owned(),
                evidence: Vec::new(),
                fix: Fix::say(""),
            },
            judgement: self,
        }
    }
}

/// A finding that is complete once it is said what to do about it.
struct Draft<'a> {
    judgement: &'a mut Judgement,
    finding: Finding,
}

impl Draft<'_> {
    fn seen(mut self, evidence: impl Into<String>) -> Self {
        let evidence = evidence.into();
        let safe = text::sanitize(&evidence);
        self.finding.evidence.push(text::shorten(&safe, 500));
        self
    }

    fn all_seen(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        for line in evidence.into_iter().take(20) {
            self = self.seen(line);
        }
        self
    }

    fn fix(mut self, fix: Fix) {
        self.finding.fix = fix;
        self.judgement.findings.push(self.finding);
    }

    fn say(self, instruction: impl Into<String>) {
        self.fix(Fix::say(instruction));
    }
}

/// A record as evidence.
fn line(name: &QueryName, kind: &str, value: &str) -> String {
    format!("{name} {kind} {value}")
}

fn shown(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// What there is at a name, as evidence.
fn absence<T>(name: &QueryName, kind: &str, answer: &Lookup<T>) -> String {
    match answer {
        Lookup::NoSuchName => format!("{name} does not exist"),
        _ => format!("{name} has no {kind} record"),
    }
}
