//! Addresses for reports (RFC 9989 §4.6), and the names at which their hosts agree to get them (RFC 9990 §4).

use std::ops::Range;

use crate::mail::dns::QueryName;

/// A report address as it stands in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportUri {
    /// The address without a size suffix.
    pub text: String,
    /// Its bytes within the record's text, size suffix included.
    pub span: Range<usize>,
    /// The domain that gets the reports, when it can be told.
    pub host: Option<QueryName>,
    /// What is wrong with it.
    pub problems: Vec<UriProblem>,
}

/// What is wrong with a report address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UriProblem {
    /// No scheme: a bare mail address.
    NoScheme,
    /// A scheme that reporters need not know; only `mailto` is sure (RFC 9989 §4.7).
    Scheme(String),
    /// `mailto:` without an address that has a domain.
    Address,
    /// A `!` that is not a size: it must be written `%21` (RFC 9989 §4.8).
    Exclamation,
    /// `!10m`: a size, which RFC 9989 ignores (§4.8).
    Size(String),
}

impl ReportUri {
    /// Whether every reporter can send to it.
    pub fn is_usable(&self) -> bool {
        self.host.is_some()
            && self
                .problems
                .iter()
                .all(|problem| matches!(problem, UriProblem::Size(_)))
    }

    pub(super) fn parse(written: &str, span: Range<usize>) -> Self {
        let mut uri = Self {
            text: written.to_owned(),
            span,
            host: None,
            problems: Vec::new(),
        };
        uri.size();
        let Some((scheme, rest)) = uri.text.split_once(':') else {
            uri.problems.push(UriProblem::NoScheme);
            return uri;
        };
        if !scheme.eq_ignore_ascii_case("mailto") {
            let scheme = scheme.chars().take(20).collect();
            uri.problems.push(UriProblem::Scheme(scheme));
            return uri;
        }
        let address = rest.split('?').next().unwrap_or(rest);
        uri.host = mail_domain(address);
        if uri.host.is_none() {
            uri.problems.push(UriProblem::Address);
        }
        if uri.text.contains('!') {
            uri.problems.push(UriProblem::Exclamation);
        }
        uri
    }

    /// Takes `!10m` off the end.
    fn size(&mut self) {
        let Some((address, size)) = self.text.rsplit_once('!') else {
            return;
        };
        let digits = size.trim_end_matches(['k', 'm', 'g', 't', 'K', 'M', 'G', 'T']);
        let is_size =
            !digits.is_empty() && size.len() - digits.len() <= 1 && digits.bytes().all(|b| b.is_ascii_digit());
        if is_size {
            let (address, size) = (address.to_owned(), size.to_owned());
            self.text = address;
            self.problems.push(UriProblem::Size(size));
        }
    }
}

/// The domain of a mail address that has a local part and a domain of two labels or more.
fn mail_domain(address: &str) -> Option<QueryName> {
    let (local, domain) = address.rsplit_once('@')?;
    let plain = !local.is_empty() && local.bytes().all(|b| b.is_ascii_graphic());
    let name = QueryName::parse(domain).ok()?;
    let host = name
        .labels()
        .all(|label| label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    (plain && host && name.depth() > 1).then_some(name)
}

/// Where `host` says that it takes reports about `domain`, the domain whose record names it (RFC 9990 §4).
pub fn authorisation_name(domain: &QueryName, host: &QueryName) -> Option<QueryName> {
    host.prefixed(&format!("{domain}._report._dmarc")).ok()
}

/// Where `host` says that it takes reports about everybody (RFC 9990 §4).
pub fn wildcard_authorisation_name(host: &QueryName) -> Option<QueryName> {
    host.prefixed("*._report._dmarc").ok()
}
