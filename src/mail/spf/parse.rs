//! SPF records read whole (RFC 7208 §4.6, §12): every syntax error is reported with its place, since a single one makes
//! the record worthless to every receiver.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::macros::{MacroString, Part, Setting};
use super::term::{Directive, DomainSpec, Mechanism, Modifier, Prefixes, Qualifier, Record, Term, TermKind};
use crate::base::text;

/// The longest record that is read, in bytes: more than DNS can carry.
const LONGEST: usize = 65_535;
/// The mechanisms by name.
pub(super) const MECHANISMS: [&str; 8] = ["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"];

/// What breaks a rule of the grammar, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// Bytes within the record's text.
    pub span: Range<usize>,
    /// Which rule, in a sentence.
    pub message: String,
    /// What was probably meant.
    pub help: Option<String>,
}

impl SyntaxError {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The text that the spans point into.
    pub text: String,
    /// What could be read of it.
    pub terms: Vec<Term>,
    /// Everything that is wrong, in order; at least one.
    pub errors: Vec<SyntaxError>,
}

/// Whether a TXT value is an SPF record: `v=spf1` in any case, then a space or the end (RFC 7208 §4.5).
pub fn is_spf(value: &[u8]) -> bool {
    value.get(..6).is_some_and(|head| head.eq_ignore_ascii_case(b"v=spf1")) && matches!(value.get(6), None | Some(b' '))
}

/// Reads the value of a TXT record. Octets that are no text become `U+FFFD`, and errors.
pub fn parse_value(value: &[u8]) -> Result<Record, Malformed> {
    parse(&String::from_utf8_lossy(value))
}

/// Reads a record.
pub fn parse(text: &str) -> Result<Record, Malformed> {
    let mut errors = Vec::new();
    if text.len() > LONGEST {
        errors.push(SyntaxError::new(
            0..text.len(),
            "the record is longer than DNS can carry",
        ));
        return Err(Malformed {
            text: text::shorten(text, 255),
            terms: Vec::new(),
            errors,
        });
    }
    if !is_spf(text.as_bytes()) {
        let end = text.find(' ').unwrap_or(text.len());
        let rule = "an SPF record begins with `v=spf1` and a space (RFC 7208 §4.5)";
        errors.push(SyntaxError::new(0..end, rule));
    }
    let mut terms = Vec::new();
    let start = text.find(' ').unwrap_or(text.len());
    for span in words(text, start) {
        match term(text, &span) {
            Ok(kind) => terms.push(Term { span, kind }),
            Err(found) => errors.extend(found),
        }
    }
    errors.extend(repeated(text, &terms));
    if errors.is_empty() {
        Ok(Record {
            text: text.to_owned(),
            terms,
        })
    } else {
        errors.sort_by_key(|error| error.span.start);
        Err(Malformed {
            text: text.to_owned(),
            terms,
            errors,
        })
    }
}

/// Reads one term as a spec writes it, such as `include:_spf.example.com`.
pub fn parse_term(text: &str) -> Result<Term, Vec<SyntaxError>> {
    let span = 0..text.len();
    if text.len() > LONGEST {
        return Err(vec![SyntaxError::new(span, "the term is longer than DNS can carry")]);
    }
    if let Some(at) = text.find(' ') {
        return Err(vec![SyntaxError::new(at..at + 1, "a term has no space in it")]);
    }
    term(text, &span).map(|kind| Term { span, kind })
}

/// The stretches between spaces, from `start`.
fn words(text: &str, start: usize) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut at = start;
    for word in text.get(start..).unwrap_or_default().split(' ') {
        if !word.is_empty() {
            out.push(at..at + word.len());
        }
        at += word.len() + 1;
    }
    out
}

/// `redirect` and `exp` stand once at most (RFC 7208 §6).
fn repeated(text: &str, terms: &[Term]) -> Vec<SyntaxError> {
    let mut errors = Vec::new();
    for wanted in ["redirect", "exp"] {
        let mut found = terms.iter().filter(|term| match &term.kind {
            TermKind::Modifier(Modifier::Redirect(_)) => wanted == "redirect",
            TermKind::Modifier(Modifier::Explanation(_)) => wanted == "exp",
            _ => false,
        });
        let first = found.next();
        for again in found {
            let shown = first
                .and_then(|term| text.get(term.span.clone()))
                .map(|term| text::shorten(term, 60))
                .unwrap_or_default();
            errors.push(SyntaxError::new(
                again.span.clone(),
                format!("`{wanted}` stands twice in the record (first as `{shown}`); once is the most (RFC 7208 §6)"),
            ));
        }
    }
    errors
}

fn term(text: &str, span: &Range<usize>) -> Result<TermKind, Vec<SyntaxError>> {
    let word = text.get(span.clone()).unwrap_or_default();
    let qualifier = word.bytes().next().and_then(Qualifier::from_sign);
    let name_at = usize::from(qualifier.is_some());
    let rest = word.get(name_at..).unwrap_or_default();
    let length = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c))
        .unwrap_or(rest.len());
    let (name, rest) = rest.split_at(length);
    let found = Found {
        span: span.clone(),
        name,
        name_span: span.start + name_at..span.start + name_at + length,
        rest,
        rest_at: span.start + name_at + length,
    };
    if let Some(value) = rest.strip_prefix('=') {
        return found.modifier(value, qualifier).map(TermKind::Modifier);
    }
    let mechanism = found.mechanism()?;
    Ok(TermKind::Directive(Directive {
        qualifier: qualifier.unwrap_or(Qualifier::Pass),
        mechanism,
    }))
}

/// A term taken apart at its delimiter.
struct Found<'a> {
    span: Range<usize>,
    name: &'a str,
    name_span: Range<usize>,
    rest: &'a str,
    rest_at: usize,
}

impl Found<'_> {
    fn one(&self, message: impl Into<String>) -> Vec<SyntaxError> {
        vec![SyntaxError::new(self.span.clone(), message)]
    }

    fn modifier(&self, value: &str, qualifier: Option<Qualifier>) -> Result<Modifier, Vec<SyntaxError>> {
        let at = self.rest_at + 1;
        if !self.name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(self.one("a modifier's name begins with a letter (RFC 7208 §12)"));
        }
        if let Some(qualifier) = qualifier {
            let message = format!(
                "a modifier has no qualifier: `{}` cannot stand before it",
                qualifier.sign()
            );
            return Err(vec![
                SyntaxError::new(self.span.clone(), message).help("qualifiers belong to mechanisms (RFC 7208 §4.6.1)"),
            ]);
        }
        match self.name.to_ascii_lowercase().as_str() {
            "redirect" => domain_spec(value, at).map(Modifier::Redirect),
            "exp" => domain_spec(value, at).map(Modifier::Explanation),
            _ => {
                let (value, errors) = MacroString::parse(value, at, Setting::Record);
                if errors.is_empty() {
                    Ok(Modifier::Unknown {
                        name: self.name.to_owned(),
                        value,
                    })
                } else {
                    Err(errors)
                }
            }
        }
    }

    fn mechanism(&self) -> Result<Mechanism, Vec<SyntaxError>> {
        match self.name.to_ascii_lowercase().as_str() {
            "all" if self.rest.is_empty() => Ok(Mechanism::All),
            "all" => Err(self.one("`all` takes nothing after it (RFC 7208 §5.1)")),
            "include" => self.required_domain("include").map(Mechanism::Include),
            "exists" => self.required_domain("exists").map(Mechanism::Exists),
            "a" => self
                .with_prefixes()
                .map(|(domain, prefixes)| Mechanism::A(domain, prefixes)),
            "mx" => self
                .with_prefixes()
                .map(|(domain, prefixes)| Mechanism::Mx(domain, prefixes)),
            "ptr" => self.ptr(),
            "ip4" => self.ip4(),
            "ip6" => self.ip6(),
            _ => Err(vec![self.unknown()]),
        }
    }

    fn unknown(&self) -> SyntaxError {
        let shown = text::shorten(&text::sanitize(self.name), 60);
        let error = |message: String| SyntaxError::new(self.span.clone(), message);
        if self.name.is_empty() {
            return error("a term begins with the name of a mechanism or a modifier (RFC 7208 §4.6.1)".to_owned());
        }
        if self.name.eq_ignore_ascii_case("redirect") || self.name.eq_ignore_ascii_case("exp") {
            return error(format!("`{shown}` is a modifier and takes `=`, not `:`")).help(format!(
                "write {}={}",
                shown,
                self.rest.trim_start_matches(':')
            ));
        }
        if self.name.parse::<Ipv4Addr>().is_ok() {
            return error("an address needs `ip4:` before it".to_owned()).help(format!("write ip4:{shown}"));
        }
        let error = SyntaxError::new(
            self.name_span.clone(),
            format!("`{shown}` is no mechanism (RFC 7208 §5)"),
        );
        let stem = self.name.trim_end_matches(['.', '-', '_']);
        match text::nearest(stem, MECHANISMS) {
            Some(near) => error.help(format!("did you mean {near}?")),
            None => error.help(format!("the mechanisms are {}", text::list(&MECHANISMS))),
        }
    }

    fn required_domain(&self, name: &str) -> Result<DomainSpec, Vec<SyntaxError>> {
        match self.rest.strip_prefix(':') {
            Some(domain) => domain_spec(domain, self.rest_at + 1),
            None if self.rest.is_empty() => Err(self.one(format!("`{name}` needs a domain: `{name}:DOMAIN`"))),
            None => Err(self.one(format!("`{name}` takes `:DOMAIN` and nothing else (RFC 7208 §5)"))),
        }
    }

    fn ptr(&self) -> Result<Mechanism, Vec<SyntaxError>> {
        match self.rest.strip_prefix(':') {
            Some(domain) => domain_spec(domain, self.rest_at + 1).map(|domain| Mechanism::Ptr(Some(domain))),
            None if self.rest.is_empty() => Ok(Mechanism::Ptr(None)),
            None => Err(self.one("`ptr` takes a domain and no prefix length (RFC 7208 §5.5)")),
        }
    }

    fn with_prefixes(&self) -> Result<(Option<DomainSpec>, Prefixes), Vec<SyntaxError>> {
        let (head, prefixes) = split_prefixes(self.rest, self.rest_at)?;
        match head.strip_prefix(':') {
            Some(domain) => Ok((Some(domain_spec(domain, self.rest_at + 1)?), prefixes)),
            None if head.is_empty() => Ok((None, prefixes)),
            None => Err(self.one(format!(
                "after `{}` come `:DOMAIN`, `/BITS` and `//BITS`, in this order (RFC 7208 §5.6)",
                self.name
            ))),
        }
    }

    /// The address of an `ip4` or `ip6`, and its prefix length: `most` when none is written.
    fn literal(&self, form: &str, most: u8) -> Result<(&str, u8), Vec<SyntaxError>> {
        let value = self
            .rest
            .strip_prefix(':')
            .filter(|value| !value.is_empty())
            .ok_or_else(|| self.one(format!("`{}` needs an address: `{form}`", self.name)))?;
        match value.split_once('/') {
            Some((address, bits)) => {
                let at = self.rest_at + 2 + address.len();
                Ok((address, prefix_length(bits, at, most)?))
            }
            None => Ok((value, most)),
        }
    }

    fn ip4(&self) -> Result<Mechanism, Vec<SyntaxError>> {
        let (address, prefix) = self.literal("ip4:192.0.2.0/24", 32)?;
        address
            .parse::<Ipv4Addr>()
            .map(|address| Mechanism::Ip4(address, prefix))
            .map_err(|_| {
                let error = SyntaxError::new(self.span.clone(), format!("`{}` is no IPv4 address", shown(address)));
                vec![if address.parse::<Ipv6Addr>().is_ok() {
                    error.help(format!("write ip6:{}", shown(address)))
                } else if address.contains(|c: char| c.is_ascii_alphabetic()) {
                    error.help("a host name goes with `a:`")
                } else {
                    error.help(
                        "four numbers from 0 to 255 between dots, without leading zeros, and a prefix length if needed",
                    )
                }]
            })
    }

    fn ip6(&self) -> Result<Mechanism, Vec<SyntaxError>> {
        let (address, prefix) = self.literal("ip6:2001:db8::/32", 128)?;
        address
            .parse::<Ipv6Addr>()
            .map(|address| Mechanism::Ip6(address, prefix))
            .map_err(|_| {
                let error = SyntaxError::new(self.span.clone(), format!("`{}` is no IPv6 address", shown(address)));
                vec![if address.parse::<Ipv4Addr>().is_ok() {
                    error.help(format!("write ip4:{}", shown(address)))
                } else {
                    error
                }]
            })
    }
}

fn shown(text: &str) -> String {
    text::shorten(&text::sanitize(text), 60)
}

/// Takes `/n`, `//n` or `/n//n` off the end. A domain-spec may itself hold slashes, so only the end counts.
fn split_prefixes(text: &str, at: usize) -> Result<(&str, Prefixes), Vec<SyntaxError>> {
    let mut prefixes = Prefixes::default();
    let mut head = text;
    if let Some((before, bits)) = trailing_number(head)
        && let Some(before) = before.strip_suffix("//")
    {
        prefixes.ip6 = prefix_length(bits, at + before.len() + 2, 128)?;
        head = before;
    }
    if let Some((before, bits)) = trailing_number(head)
        && let Some(before) = before.strip_suffix('/').filter(|before| !before.ends_with('/'))
    {
        prefixes.ip4 = prefix_length(bits, at + before.len() + 1, 32)?;
        head = before;
    }
    Ok((head, prefixes))
}

/// The digits at the end, and what stands before them.
fn trailing_number(text: &str) -> Option<(&str, &str)> {
    let head = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = text.get(head.len()..)?;
    (!digits.is_empty()).then_some((head, digits))
}

fn prefix_length(bits: &str, at: usize, most: u8) -> Result<u8, Vec<SyntaxError>> {
    let plain = bits.bytes().all(|b| b.is_ascii_digit()) && (bits.len() == 1 || !bits.starts_with('0'));
    bits.parse::<u8>()
        .ok()
        .filter(|number| plain && *number <= most)
        .ok_or_else(|| {
            let message = format!("the prefix length is a number from 0 to {most} without leading zeros");
            vec![SyntaxError::new(at..at + bits.len(), message)]
        })
}

/// A macro-string that ends in a macro or in a top label that has a letter, below another label (RFC 7208 §7.1).
fn domain_spec(text: &str, at: usize) -> Result<DomainSpec, Vec<SyntaxError>> {
    let whole = at..at + text.len();
    if text.is_empty() {
        return Err(vec![SyntaxError::new(whole, "the domain is missing")]);
    }
    let (macros, errors) = MacroString::parse(text, at, Setting::Record);
    if !errors.is_empty() {
        return Err(errors);
    }
    let Some(Part::Literal(last)) = macros.parts.last() else {
        return Ok(DomainSpec(macros));
    };
    let name = last.strip_suffix('.').unwrap_or(last);
    let Some((_, top)) = name.rsplit_once('.') else {
        let error = SyntaxError::new(whole, format!("`{}` is a single label, not a domain name", shown(text)));
        return Err(vec![
            error.help("a name has a dot before its last label (RFC 7208 §7.1)"),
        ]);
    };
    if is_top_label(top) {
        return Ok(DomainSpec(macros));
    }
    Err(vec![bad_ending(text, top, whole)])
}

fn is_top_label(label: &str) -> bool {
    let edges =
        label.starts_with(|c: char| c.is_ascii_alphanumeric()) && label.ends_with(|c: char| c.is_ascii_alphanumeric());
    edges
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && label.bytes().any(|b| b.is_ascii_alphabetic() || b == b'-')
}

fn bad_ending(text: &str, top: &str, whole: Range<usize>) -> SyntaxError {
    let error = SyntaxError::new(
        whole,
        format!("`{}` does not end like a domain name (RFC 7208 §7.1)", shown(text)),
    );
    if text.parse::<Ipv4Addr>().is_ok() {
        return error.help(format!("an address goes with `ip4:`: write ip4:{text}"));
    }
    // `include:example.com~all`: the space before the next term is missing.
    if let Some(at) = top.find(['~', '?', '+', '-'])
        && top.get(at + 1..).is_some_and(|rest| rest.eq_ignore_ascii_case("all"))
    {
        return error.help(format!("a space is missing before `{}`", &top[at..]));
    }
    if top.contains('/') {
        return error.help("a prefix length cannot stand here, or is not a number");
    }
    if top.contains(':') {
        return error.help("a port cannot stand here");
    }
    error
}
