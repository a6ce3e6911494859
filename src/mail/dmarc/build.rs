//! Policy records written: the fewest tags that say it, `p` second for readers of RFC 7489, never a removed tag.

use super::{Alignment, Policy, PublicSuffix};

/// What a record is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Builder {
    /// `p`.
    pub policy: Policy,
    /// `sp`, when it differs from `p`.
    pub subdomains: Option<Policy>,
    /// `np`, when it differs from `sp`.
    pub nonexistent: Option<Policy>,
    /// `t=y`.
    pub is_testing: bool,
    /// `psd`.
    pub public_suffix: PublicSuffix,
    /// `adkim`.
    pub dkim: Alignment,
    /// `aspf`.
    pub spf: Alignment,
    /// `rua`: mail addresses.
    pub aggregate: Vec<String>,
    /// `ruf`: mail addresses.
    pub failure: Vec<String>,
    /// `fo`, written only beside `ruf`.
    pub failure_options: Vec<char>,
}

impl Builder {
    /// A policy and nothing else.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            subdomains: None,
            nonexistent: None,
            is_testing: false,
            public_suffix: PublicSuffix::Unsaid,
            dkim: Alignment::Relaxed,
            spf: Alignment::Relaxed,
            aggregate: Vec::new(),
            failure: Vec::new(),
            failure_options: Vec::new(),
        }
    }

    /// What refuses all mail in the name of a domain that sends none, said in full for its subdomains too.
    pub fn parked() -> Self {
        Self {
            subdomains: Some(Policy::Reject),
            nonexistent: Some(Policy::Reject),
            dkim: Alignment::Strict,
            spf: Alignment::Strict,
            ..Self::new(Policy::Reject)
        }
    }

    /// The record's text.
    pub fn build(&self) -> String {
        let mut tags = vec!["v=DMARC1".to_owned(), format!("p={}", self.policy)];
        for (name, policy) in [("sp", self.subdomains), ("np", self.nonexistent)] {
            if let Some(policy) = policy {
                tags.push(format!("{name}={policy}"));
            }
        }
        if self.is_testing {
            tags.push("t=y".to_owned());
        }
        match self.public_suffix {
            PublicSuffix::Unsaid => {}
            PublicSuffix::Yes => tags.push("psd=y".to_owned()),
            PublicSuffix::No => tags.push("psd=n".to_owned()),
        }
        for (name, alignment) in [("adkim", self.dkim), ("aspf", self.spf)] {
            if alignment == Alignment::Strict {
                tags.push(format!("{name}=s"));
            }
        }
        for (name, addresses) in [("rua", &self.aggregate), ("ruf", &self.failure)] {
            if !addresses.is_empty() {
                let uris: Vec<String> = addresses.iter().map(|address| uri(address)).collect();
                tags.push(format!("{name}={}", uris.join(",")));
            }
        }
        if !self.failure.is_empty() && !self.failure_options.is_empty() {
            let options: Vec<String> = self.failure_options.iter().map(char::to_string).collect();
            tags.push(format!("fo={}", options.join(":")));
        }
        tags.join("; ")
    }
}

/// A mail address as a report address; what would end it or the tag is encoded (RFC 9989 §4.8, RFC 6068 §2).
fn uri(address: &str) -> String {
    let address = address.strip_prefix("mailto:").unwrap_or(address);
    let mut out = String::from("mailto:");
    for c in address.chars() {
        match c {
            ',' | '!' | ';' | ' ' | '?' | '#' => out.push_str(&format!("%{:02X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}
