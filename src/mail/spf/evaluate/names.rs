//! The names and addresses that a check asks for: targets with their macros expanded, addresses of the client's
//! family, the client's validated names, and the explanation.

use std::net::IpAddr;

use super::Check;
use crate::base::text;
use crate::mail::dns::{self, Lookup, QueryName, Question};
use crate::mail::spf::MOST_NAMES;
use crate::mail::spf::macros::{self, Letter, MacroString, Setting, Values};
use crate::mail::spf::term::DomainSpec;
use crate::mail::spf::trace::{Asked, Step, TermTrace};

/// How many answers of one term a trace keeps.
const MOST_SHOWN: usize = 40;

impl Check<'_> {
    /// The addresses of a name in the client's family.
    pub(super) async fn addresses(&self, name: &QueryName, step: &mut TermTrace) -> Lookup<IpAddr> {
        let (question, answer) = if self.ip.is_ipv4() {
            (Question::A, dns::a(self.dns, name).await.map(IpAddr::V4))
        } else {
            (Question::Aaaa, dns::aaaa(self.dns, name).await.map(IpAddr::V6))
        };
        note(step, question, name, &answer, ToString::to_string);
        answer
    }

    /// The target-name (RFC 7208 §4.8): the domain itself, or the domain-spec expanded; too long a name loses labels
    /// from the left (§7.3). The text comes back when no question can be asked about it.
    pub(super) async fn target(
        &self,
        domain: &QueryName,
        spec: Option<&DomainSpec>,
        step: &mut TermTrace,
    ) -> Result<QueryName, String> {
        let Some(spec) = spec else {
            return Ok(domain.clone());
        };
        let expanded = self.expand(domain, spec.macros(), step).await;
        QueryName::parse(fitting(&expanded)).map_err(|_| expanded.clone())
    }

    async fn expand(&self, domain: &QueryName, macros: &MacroString, step: &mut TermTrace) -> String {
        let validated = if macros.uses(Letter::ValidatedName) {
            self.validated_name(domain, step).await
        } else {
            None
        };
        macros.expand(&Values {
            local: self.local,
            sender_domain: self.sender_domain,
            domain: domain.as_str(),
            ip: self.ip,
            helo: self.client.helo,
            validated: validated.as_ref().map_or("unknown", QueryName::as_str),
            receiver: self.client.receiver,
            time: self.client.time,
        })
    }

    /// `%{p}` (RFC 7208 §7.3): the domain itself, else a name below it, else any validated name.
    async fn validated_name(&self, domain: &QueryName, step: &mut TermTrace) -> Option<QueryName> {
        let (names, _) = self.validated_names(step).await;
        let exact = names.iter().find(|name| *name == domain);
        let below = names.iter().find(|name| name.is_within(domain));
        exact.or(below).or(names.first()).cloned()
    }

    /// The client's names that lead back to it, of the first ten (RFC 7208 §5.5, §4.6.4); and whether it has none.
    pub(super) async fn validated_names(&self, step: &mut TermTrace) -> (Vec<QueryName>, bool) {
        let Ok(reverse) = QueryName::parse(&reverse_name(self.ip)) else {
            return (Vec::new(), false);
        };
        let answer = dns::ptr(self.dns, &reverse).await;
        note(step, Question::Ptr, &reverse, &answer, ToString::to_string);
        let mut validated = Vec::new();
        for name in answer.records().iter().take(MOST_NAMES) {
            if self.addresses(name, step).await.records().contains(&self.ip) {
                validated.push(name.clone());
            }
        }
        (validated, answer.is_void())
    }

    /// RFC 7208 §6.2: whatever is wrong with the explanation means that there is none.
    pub(super) async fn explanation(&self, domain: &QueryName, spec: &DomainSpec) -> Option<String> {
        let mut aside = TermTrace {
            span: 0..0,
            term: String::new(),
            lookups: 0,
            asked: Vec::new(),
            step: Step::NotMatched,
            nested: None,
        };
        let name = self.target(domain, Some(spec), &mut aside).await.ok()?;
        let Lookup::Records(values) = dns::txt(self.dns, &name).await else {
            return None;
        };
        let [value] = values.as_slice() else {
            return None;
        };
        let text = std::str::from_utf8(value).ok()?;
        let (macros, errors) = MacroString::parse(text, 0, Setting::Explanation);
        if !errors.is_empty() {
            return None;
        }
        let expanded = self.expand(domain, &macros, &mut aside).await;
        Some(text::sanitize(&expanded).into_owned())
    }
}

/// The name under which an address is looked up (RFC 1035 §3.5, RFC 3596 §2.5).
fn reverse_name(ip: IpAddr) -> String {
    let dotted = macros::dotted(ip);
    let parts: Vec<&str> = dotted.rsplit('.').collect();
    let zone = if ip.is_ipv4() { "in-addr" } else { "ip6" };
    format!("{}.{zone}.arpa", parts.join("."))
}

/// The name without so many labels from the left that it fits into 253 octets (RFC 7208 §7.3).
fn fitting(name: &str) -> &str {
    let mut name = name.strip_suffix('.').unwrap_or(name);
    while name.len() > 253 {
        match name.split_once('.') {
            Some((_, rest)) => name = rest,
            None => break,
        }
    }
    name
}

pub(super) fn note<T>(
    step: &mut TermTrace,
    question: Question,
    name: &QueryName,
    answer: &Lookup<T>,
    f: impl Fn(&T) -> String,
) {
    if step.asked.len() >= MOST_SHOWN {
        return;
    }
    let answer = match answer {
        Lookup::Records(records) => {
            let mut words: Vec<String> = records.iter().take(MOST_NAMES).map(f).collect();
            if records.len() > MOST_NAMES {
                words.push(format!("and {} more", records.len() - MOST_NAMES));
            }
            words.join(", ")
        }
        Lookup::NoSuchName => "no such name".to_owned(),
        Lookup::NoData => "nothing".to_owned(),
        Lookup::Failed(why) => why.clone(),
    };
    step.asked.push(Asked {
        question,
        name: name.to_string(),
        answer,
    });
}
