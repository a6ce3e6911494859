//! The record types that are known.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A DNS record type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[allow(
    missing_docs,
    reason = "the names are the registry's own (IANA, Resource Record TYPEs)"
)]
pub enum RecordType {
    A,
    Aaaa,
    Alias,
    Caa,
    Cert,
    Cname,
    Dnskey,
    Ds,
    Https,
    Loc,
    Mx,
    Naptr,
    Ns,
    Openpgpkey,
    Ptr,
    Smimea,
    Soa,
    Srv,
    Sshfp,
    Svcb,
    Tlsa,
    Txt,
    Uri,
}

impl RecordType {
    /// Every type of DNS that a spec may declare: all but SOA, which belongs to the zone itself.
    pub const ALL: &'static [Self] = &[
        Self::A,
        Self::Aaaa,
        Self::Caa,
        Self::Cert,
        Self::Cname,
        Self::Dnskey,
        Self::Ds,
        Self::Https,
        Self::Loc,
        Self::Mx,
        Self::Naptr,
        Self::Ns,
        Self::Openpgpkey,
        Self::Ptr,
        Self::Smimea,
        Self::Srv,
        Self::Sshfp,
        Self::Svcb,
        Self::Tlsa,
        Self::Txt,
        Self::Uri,
    ];

    /// Types that are no part of DNS: some servers keep them, and answer with what they stand for.
    pub const BESIDE_DNS: &'static [Self] = &[Self::Alias];

    /// Every type that a spec may declare.
    pub fn declarable() -> impl Iterator<Item = Self> + Clone {
        Self::ALL.iter().chain(Self::BESIDE_DNS).copied()
    }

    /// The name as the registry writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Alias => "ALIAS",
            Self::Caa => "CAA",
            Self::Cert => "CERT",
            Self::Cname => "CNAME",
            Self::Dnskey => "DNSKEY",
            Self::Ds => "DS",
            Self::Https => "HTTPS",
            Self::Loc => "LOC",
            Self::Mx => "MX",
            Self::Naptr => "NAPTR",
            Self::Ns => "NS",
            Self::Openpgpkey => "OPENPGPKEY",
            Self::Ptr => "PTR",
            Self::Smimea => "SMIMEA",
            Self::Soa => "SOA",
            Self::Srv => "SRV",
            Self::Sshfp => "SSHFP",
            Self::Svcb => "SVCB",
            Self::Tlsa => "TLSA",
            Self::Txt => "TXT",
            Self::Uri => "URI",
        }
    }

    /// Reads a name in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let mut all = Self::declarable().chain([Self::Soa]);
        all.find(|kind| kind.as_str().eq_ignore_ascii_case(text))
    }

    /// How its data is written.
    pub fn form(self) -> &'static str {
        match self {
            Self::A => "an IPv4 address, such as 203.0.113.10",
            Self::Aaaa => "an IPv6 address, such as 2001:db8::10",
            Self::Caa => "FLAGS TAG \"VALUE\", such as 0 issue \"letsencrypt.org\"",
            Self::Cert => "TYPE KEY-TAG ALGORITHM BASE64",
            Self::Alias | Self::Cname | Self::Ns | Self::Ptr => "a host name, such as host.example.com",
            Self::Dnskey => "FLAGS PROTOCOL ALGORITHM BASE64",
            Self::Ds => "KEY-TAG ALGORITHM DIGEST-TYPE HEX",
            Self::Https | Self::Svcb => "PRIORITY TARGET [KEY=VALUE …], such as 1 . alpn=\"h3,h2\"",
            Self::Loc => "D [M [S]] N|S D [M [S]] E|W ALTITUDEm [SIZEm [HORIZONTALm [VERTICALm]]]",
            Self::Mx => "PRIORITY HOST, such as 10 mail.example.com",
            Self::Naptr => "ORDER PREFERENCE \"FLAGS\" \"SERVICE\" \"REGEX\" REPLACEMENT",
            Self::Openpgpkey => "BASE64",
            Self::Smimea | Self::Tlsa => "USAGE SELECTOR MATCHING-TYPE HEX",
            Self::Soa => "MNAME RNAME SERIAL REFRESH RETRY EXPIRE MINIMUM",
            Self::Srv => "PRIORITY WEIGHT PORT HOST, such as 10 5 5060 sip.example.com",
            Self::Sshfp => "ALGORITHM TYPE HEX",
            Self::Txt => "the text itself, of any length",
            Self::Uri => "PRIORITY WEIGHT \"URI\"",
        }
    }

    /// Whether a provider's edge can stand in front of it.
    pub fn can_be_proxied(self) -> bool {
        matches!(self, Self::A | Self::Aaaa | Self::Cname)
    }

    /// Whether its data names a host.
    pub fn has_target(self) -> bool {
        matches!(
            self,
            Self::Alias
                | Self::Cname
                | Self::Https
                | Self::Mx
                | Self::Naptr
                | Self::Ns
                | Self::Ptr
                | Self::Srv
                | Self::Svcb
        )
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl TryFrom<String> for RecordType {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no record type that is known here"))
    }
}

impl From<RecordType> for String {
    fn from(kind: RecordType) -> Self {
        kind.as_str().to_owned()
    }
}
