//! What an SPF record is made of (RFC 7208 §4.6, §5, §6), with the place of every term in the record's text.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::macros::MacroString;

/// What a match means (RFC 7208 §4.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Qualifier {
    /// `+`
    Pass,
    /// `-`
    Fail,
    /// `~`
    SoftFail,
    /// `?`
    Neutral,
}

impl Qualifier {
    /// The character that stands for it.
    pub fn sign(self) -> char {
        match self {
            Self::Pass => '+',
            Self::Fail => '-',
            Self::SoftFail => '~',
            Self::Neutral => '?',
        }
    }

    /// The qualifier that `sign` stands for.
    pub fn from_sign(sign: u8) -> Option<Self> {
        match sign {
            b'+' => Some(Self::Pass),
            b'-' => Some(Self::Fail),
            b'~' => Some(Self::SoftFail),
            b'?' => Some(Self::Neutral),
            _ => None,
        }
    }
}

/// A domain-spec: a macro-string that ends like a name (RFC 7208 §7.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DomainSpec(pub(super) MacroString);

impl DomainSpec {
    /// The name as text, when it has no macro in it: lower case, without a final dot.
    pub fn literal(&self) -> Option<String> {
        let text = self.0.literal()?;
        Some(text.strip_suffix('.').unwrap_or(&text).to_ascii_lowercase())
    }

    /// The macro-string beneath.
    pub fn macros(&self) -> &MacroString {
        &self.0
    }
}

impl fmt::Display for DomainSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many leading bits count, for each family (RFC 7208 §5.6: dual-cidr-length).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prefixes {
    /// Of 32.
    pub ip4: u8,
    /// Of 128.
    pub ip6: u8,
}

impl Default for Prefixes {
    fn default() -> Self {
        Self { ip4: 32, ip6: 128 }
    }
}

impl fmt::Display for Prefixes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ip4 != 32 {
            write!(f, "/{}", self.ip4)?;
        }
        if self.ip6 != 128 {
            write!(f, "//{}", self.ip6)?;
        }
        Ok(())
    }
}

/// A mechanism (RFC 7208 §5).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// Everybody.
    All,
    /// Whoever passes another record.
    Include(DomainSpec),
    /// The addresses of a name; the domain itself when none is given.
    A(Option<DomainSpec>, Prefixes),
    /// The addresses of a name's mail exchangers.
    Mx(Option<DomainSpec>, Prefixes),
    /// Whoever's address has a validated name there. Discouraged (§5.5).
    Ptr(Option<DomainSpec>),
    /// An IPv4 network.
    Ip4(Ipv4Addr, u8),
    /// An IPv6 network.
    Ip6(Ipv6Addr, u8),
    /// Whenever a name has an A record.
    Exists(DomainSpec),
}

impl Mechanism {
    /// Whether it asks DNS and therefore counts towards the ten (RFC 7208 §4.6.4).
    pub fn is_lookup(&self) -> bool {
        !matches!(self, Self::All | Self::Ip4(..) | Self::Ip6(..))
    }

    /// Its name, as it is written.
    pub fn name(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Include(_) => "include",
            Self::A(..) => "a",
            Self::Mx(..) => "mx",
            Self::Ptr(_) => "ptr",
            Self::Ip4(..) => "ip4",
            Self::Ip6(..) => "ip6",
            Self::Exists(_) => "exists",
        }
    }

    /// The domain-spec in it, if there is one.
    pub fn domain(&self) -> Option<&DomainSpec> {
        match self {
            Self::Include(domain) | Self::Exists(domain) => Some(domain),
            Self::A(domain, _) | Self::Mx(domain, _) | Self::Ptr(domain) => domain.as_ref(),
            Self::All | Self::Ip4(..) | Self::Ip6(..) => None,
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        if let Some(domain) = self.domain() {
            write!(f, ":{domain}")?;
        }
        match self {
            Self::A(_, prefixes) | Self::Mx(_, prefixes) => write!(f, "{prefixes}"),
            Self::Ip4(address, 32) => write!(f, ":{address}"),
            Self::Ip4(address, prefix) => write!(f, ":{address}/{prefix}"),
            Self::Ip6(address, 128) => write!(f, ":{address}"),
            Self::Ip6(address, prefix) => write!(f, ":{address}/{prefix}"),
            _ => Ok(()),
        }
    }
}

/// A mechanism with what its match means.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Directive {
    /// What a match means.
    pub qualifier: Qualifier,
    /// What is matched.
    pub mechanism: Mechanism,
}

impl fmt::Display for Directive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.qualifier != Qualifier::Pass {
            write!(f, "{}", self.qualifier.sign())?;
        }
        self.mechanism.fmt(f)
    }
}

/// A modifier (RFC 7208 §6).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Modifier {
    /// Whose record decides when nothing here matched.
    Redirect(DomainSpec),
    /// Where the explanation of a fail stands.
    Explanation(DomainSpec),
    /// One that this standard does not know; reporting (`ra`, `rp`, `rr`) is RFC 6652's.
    Unknown {
        /// Its name as written.
        name: String,
        /// What it says.
        value: MacroString,
    },
}

impl fmt::Display for Modifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redirect(domain) => write!(f, "redirect={domain}"),
            Self::Explanation(domain) => write!(f, "exp={domain}"),
            Self::Unknown { name, value } => write!(f, "{name}={value}"),
        }
    }
}

/// What a term is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TermKind {
    /// One that can match.
    Directive(Directive),
    /// One that says something about the whole record.
    Modifier(Modifier),
}

/// A term and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Bytes within the record's text.
    pub span: Range<usize>,
    /// What it is.
    pub kind: TermKind,
}

impl Term {
    /// The directive, if it is one.
    pub fn directive(&self) -> Option<&Directive> {
        match &self.kind {
            TermKind::Directive(directive) => Some(directive),
            TermKind::Modifier(_) => None,
        }
    }

    /// Whether it counts towards the ten lookups (RFC 7208 §4.6.4).
    pub fn is_lookup(&self) -> bool {
        match &self.kind {
            TermKind::Directive(directive) => directive.mechanism.is_lookup(),
            TermKind::Modifier(modifier) => matches!(modifier, Modifier::Redirect(_)),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TermKind::Directive(directive) => directive.fmt(f),
            TermKind::Modifier(modifier) => modifier.fmt(f),
        }
    }
}

/// A record without errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The text that the spans point into.
    pub text: String,
    /// Its terms in order.
    pub terms: Vec<Term>,
}

impl Record {
    /// The directives in order, each with its term.
    pub fn directives(&self) -> impl Iterator<Item = (&Term, &Directive)> {
        self.terms
            .iter()
            .filter_map(|term| term.directive().map(|directive| (term, directive)))
    }

    /// The first `all`, with its place among the terms.
    pub fn all(&self) -> Option<(usize, Qualifier)> {
        self.terms.iter().enumerate().find_map(|(at, term)| {
            term.directive()
                .filter(|directive| directive.mechanism == Mechanism::All)
                .map(|directive| (at, directive.qualifier))
        })
    }

    /// Whose record decides when nothing here matched; also where an `all` makes it void (§6.1).
    pub fn redirect(&self) -> Option<(&Term, &DomainSpec)> {
        self.terms.iter().find_map(|term| match &term.kind {
            TermKind::Modifier(Modifier::Redirect(domain)) => Some((term, domain)),
            _ => None,
        })
    }

    /// Where the explanation of a fail stands.
    pub fn explanation(&self) -> Option<&DomainSpec> {
        self.terms.iter().find_map(|term| match &term.kind {
            TermKind::Modifier(Modifier::Explanation(domain)) => Some(domain),
            _ => None,
        })
    }
}

/// The record as it would be written anew: single spaces, names as they were.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v=spf1")?;
        for term in &self.terms {
            write!(f, " {term}")?;
        }
        Ok(())
    }
}
