//! SMTP TLS reporting (RFC 8460 §3): who wants to hear of failed TLS.

use super::issue::Issue;
use super::tags::{self, Names, TagList, split_list};
use crate::base::text;
use crate::mail::dns::QueryName;

/// How many report addresses are read.
const MOST_ADDRESSES: usize = 64;

/// The record at `_smtp._tls`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The text that the spans of issues point into.
    pub text: String,
    /// The addresses that can be used.
    pub addresses: Vec<String>,
    /// What is wrong. There is but one kind: the record or an address is ignored.
    pub issues: Vec<Issue<()>>,
}

/// Whether a TXT value is such a record: other values at the name do not count (RFC 8460 §3).
pub fn is_record(value: &[u8]) -> bool {
    tags::is_version(value, "TLSRPTv1")
}

/// The record for mail and `https` addresses.
pub fn build(addresses: &[String]) -> String {
    let uris: Vec<String> = addresses
        .iter()
        .map(|address| {
            let has_scheme = address.starts_with("https:") || address.starts_with("mailto:");
            let uri = if has_scheme {
                address.clone()
            } else {
                format!("mailto:{address}")
            };
            // What would end the address or the tag is encoded (RFC 8460 §3).
            uri.replace(',', "%2C").replace('!', "%21").replace(';', "%3B")
        })
        .collect();
    format!("v=TLSRPTv1; rua={}", uris.join(","))
}

/// Reads the value of a TXT record.
pub fn parse(text: &str) -> Record {
    let list = TagList::parse(text, Names::Exact);
    let rule = "the record begins with `v=TLSRPTv1;`: senders ignore it (RFC 8460 §3)";
    let mut issues = list.issues(text, (), "TLSRPTv1", rule);
    let mut addresses = Vec::new();
    match list.get("rua") {
        None => {
            let message = "`rua` is missing: nobody gets a report (RFC 8460 §3)";
            issues.push(Issue::error((), 0..text.len(), message));
        }
        Some(tag) => {
            for (address, span) in split_list(text, &tag.value_span, ',').into_iter().take(MOST_ADDRESSES) {
                if is_address(&address) {
                    addresses.push(address);
                    continue;
                }
                let shown = text::shorten(&text::sanitize(&address), 80);
                let issue = Issue::error(
                    (),
                    span,
                    format!("`{shown}` is no mailto or https address (RFC 8460 §3)"),
                );
                let is_bare = !address.contains(':') && address.contains('@');
                issues.push(if is_bare {
                    issue.help(format!("write mailto:{shown}"))
                } else {
                    issue
                });
            }
        }
    }
    issues.sort_by_key(|issue| issue.span.start);
    Record {
        text: text.to_owned(),
        addresses,
        issues,
    }
}

fn is_address(uri: &str) -> bool {
    let lower = uri.to_ascii_lowercase();
    if uri.contains('!') || !uri.bytes().all(|b| b.is_ascii_graphic()) {
        return false;
    }
    if let Some(rest) = lower.strip_prefix("mailto:") {
        return rest
            .split('?')
            .next()
            .and_then(|address| address.rsplit_once('@'))
            .is_some_and(|(local, domain)| !local.is_empty() && QueryName::parse(domain).is_ok());
    }
    lower.strip_prefix("https://").is_some_and(|rest| {
        let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
        QueryName::parse(host).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_built_reads_back() {
        let text = build(&["tls@acme.example".into(), "https://reports.example/tls".into()]);
        assert_eq!(
            text,
            "v=TLSRPTv1; rua=mailto:tls@acme.example,https://reports.example/tls"
        );
        let record = parse(&text);
        assert!(record.issues.is_empty(), "{:?}", record.issues);
        assert_eq!(record.addresses.len(), 2);
    }

    #[test]
    fn records_are_judged() {
        for (text, at) in [
            ("v=TLSRPTv1; rua=tls@acme.example", "tls@acme.example"),
            ("v=TLSRPTv1; rua=http://acme.example", "http://acme.example"),
            ("v=TLSRPTv1; rua=mailto:tls", "mailto:tls"),
            ("v=TLSRPTv1", "v=TLSRPTv1"),
            ("rua=mailto:a@b.example; v=TLSRPTv1", "rua=mailto:a@b.example"),
        ] {
            let record = parse(text);
            assert_eq!(record.issues.len(), 1, "{text}: {:?}", record.issues);
            assert_eq!(&text[record.issues[0].span.clone()], at);
        }
        assert!(is_record(b"v=TLSRPTv1;rua=x") && !is_record(b"v=TLSRPTv12"));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_issues_point_into_it(text in "(v=TLSRPTv1)?(; ?(rua|x)=[a-z:,/@!.é]{0,30}){0,3}") {
            for issue in &parse(&text).issues {
                prop_assert!(text.get(issue.span.clone()).is_some(), "{:?}", issue);
            }
        }
    }
}
