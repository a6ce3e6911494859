//! The data of a record, by type, in canonical form: what means the same is equal, and what is printed reads back.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::encoding::{base64, hex};
use super::error::DataError;
use super::fields::{self, Field, Fields};
use super::host::{self, Target, written};
use super::kind::RecordType;
use super::location::Location;
use super::service::ServiceBinding;
use super::txt;
use crate::model::name::DomainName;

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
#[allow(missing_docs, reason = "the names are the record types' own")]
pub enum RecordData {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Alias(DomainName),
    Caa(Caa),
    Cert(Cert),
    Cname(DomainName),
    Dnskey(Dnskey),
    Ds(Ds),
    Https(ServiceBinding),
    Loc(Location),
    Mx(Mx),
    Naptr(Naptr),
    Ns(DomainName),
    Openpgpkey(String),
    Ptr(DomainName),
    Smimea(CertificateAssociation),
    Soa(Soa),
    Srv(Srv),
    Sshfp(Sshfp),
    Svcb(ServiceBinding),
    Tlsa(CertificateAssociation),
    Txt(Vec<u8>),
    Uri(Uri),
}

macro_rules! data {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $kind),+
        }
    };
}

data! {
    /// Who may issue certificates (RFC 8659).
    Caa {
        /// 128 marks it critical.
        flags: u8,
        /// `issue`, `issuewild`, `iodef`, … in lower case.
        tag: String,
        /// What the tag says.
        value: String,
    }
}
data! {
    /// A certificate (RFC 4398).
    Cert {
        /// Its type by number: 1 is PKIX.
        kind: u16,
        /// The key's tag.
        key_tag: u16,
        /// The key's algorithm by number.
        algorithm: u8,
        /// Base64.
        certificate: String,
    }
}
data! {
    /// A key of a signed zone (RFC 4034 §2).
    Dnskey {
        /// 256 for a zone key, 257 for a key-signing key.
        flags: u16,
        /// Always 3.
        protocol: u8,
        /// By number.
        algorithm: u8,
        /// Base64.
        public_key: String,
    }
}
data! {
    /// A digest of a child zone's key (RFC 4034 §5).
    Ds {
        /// The key's tag.
        key_tag: u16,
        /// The key's algorithm by number.
        algorithm: u8,
        /// 2 is SHA-256.
        digest_type: u8,
        /// Hexadecimal, lower case.
        digest: String,
    }
}
data! {
    /// Where mail goes (RFC 5321).
    Mx {
        /// Lower is tried first.
        priority: u16,
        /// The root says that no mail is taken (RFC 7505).
        host: Target,
    }
}
data! {
    /// A rewriting rule (RFC 3403).
    Naptr {
        /// Lower comes first.
        order: u16,
        /// Lower comes first among equals.
        preference: u16,
        /// `S`, `A`, `U`, `P` or none.
        flags: String,
        /// The service.
        service: String,
        /// A substitution.
        regex: String,
        /// The next name, when there is no substitution.
        replacement: Target,
    }
}
data! {
    /// A certificate bound to a name: TLSA (RFC 6698) and SMIMEA (RFC 8162).
    CertificateAssociation {
        /// Which certificate: 3 is the one that is served.
        usage: u8,
        /// What of it: 1 is its public key.
        selector: u8,
        /// How: 0 whole, 1 SHA-256, 2 SHA-512.
        matching_type: u8,
        /// Hexadecimal, lower case.
        certificate: String,
    }
}
data! {
    /// The start of a zone's authority (RFC 1035 §3.3.13). Read where a provider lists it, never written.
    Soa {
        /// The primary server.
        mname: DomainName,
        /// Who is responsible.
        rname: DomainName,
        /// The zone's version.
        serial: u32,
        /// Seconds.
        refresh: u32,
        /// Seconds.
        retry: u32,
        /// Seconds.
        expire: u32,
        /// Seconds that an absence may be remembered.
        minimum: u32,
    }
}
data! {
    /// Where a service is (RFC 2782).
    Srv {
        /// Lower is tried first.
        priority: u16,
        /// The share among equals.
        weight: u16,
        /// The port.
        port: u16,
        /// The root says that there is no such service.
        target: Target,
    }
}
data! {
    /// A fingerprint of an SSH host key (RFC 4255).
    Sshfp {
        /// 4 is Ed25519.
        algorithm: u8,
        /// 1 is SHA-1, 2 is SHA-256.
        kind: u8,
        /// Hexadecimal, lower case.
        fingerprint: String,
    }
}
data! {
    /// Where something is found (RFC 7553).
    Uri {
        /// Lower is tried first.
        priority: u16,
        /// The share among equals.
        weight: u16,
        /// The URI.
        target: String,
    }
}

/// Certificate types by name (RFC 4398 §2.1).
const CERTIFICATES: &[(&str, u32)] = &[
    ("PKIX", 1),
    ("SPKI", 2),
    ("PGP", 3),
    ("IPKIX", 4),
    ("ISPKI", 5),
    ("IPGP", 6),
    ("ACPKIX", 7),
    ("IACPKIX", 8),
    ("URI", 253),
    ("OID", 254),
];
/// Signature algorithms by name (IANA, DNS Security Algorithm Numbers).
const ALGORITHMS: &[(&str, u32)] = &[
    ("RSAMD5", 1),
    ("DH", 2),
    ("DSA", 3),
    ("RSASHA1", 5),
    ("DSA-NSEC3-SHA1", 6),
    ("RSASHA1-NSEC3-SHA1", 7),
    ("RSASHA256", 8),
    ("RSASHA512", 10),
    ("ECC-GOST", 12),
    ("ECDSAP256SHA256", 13),
    ("ECDSAP384SHA384", 14),
    ("ED25519", 15),
    ("ED448", 16),
];

impl RecordData {
    /// Reads data the way a zone file writes it. `origin` is what `@` stands for.
    pub fn parse(kind: RecordType, text: &str, origin: &DomainName) -> Result<Self, DataError> {
        if kind == RecordType::Txt {
            return txt::parse(text).map(Self::Txt);
        }
        if matches!(kind, RecordType::Https | RecordType::Svcb) {
            let binding = ServiceBinding::parse(text, kind.form(), origin)?;
            return Ok(if kind == RecordType::Https {
                Self::Https(binding)
            } else {
                Self::Svcb(binding)
            });
        }
        let mut fields = Fields::split(text, kind.form())?;
        let data = Self::read(kind, &mut fields, origin)?;
        fields.end()?;
        Ok(data)
    }

    fn read(kind: RecordType, fields: &mut Fields, origin: &DomainName) -> Result<Self, DataError> {
        let f = fields;
        Ok(match kind {
            RecordType::A => Self::A(address(f.next("IPv4 address")?, "an IPv4 address")?),
            RecordType::Aaaa => Self::Aaaa(address(f.next("IPv6 address")?, "an IPv6 address")?),
            RecordType::Caa => Self::Caa(caa(f)?),
            RecordType::Cert => Self::Cert(Cert {
                kind: u16::try_from(named(f, "certificate type", CERTIFICATES, 65_535)?).unwrap_or_default(),
                key_tag: f.short("key tag")?,
                algorithm: algorithm(f)?,
                certificate: base64(&f.rest("certificate")?, "certificate")?,
            }),
            RecordType::Alias => Self::Alias(host::host(f.next("host")?, origin)?),
            RecordType::Cname => Self::Cname(host::host(f.next("host")?, origin)?),
            RecordType::Ns => Self::Ns(host::host(f.next("host")?, origin)?),
            RecordType::Ptr => Self::Ptr(host::host(f.next("host")?, origin)?),
            RecordType::Dnskey => Self::Dnskey(Dnskey {
                flags: f.short("flags")?,
                protocol: f.byte("protocol")?,
                algorithm: algorithm(f)?,
                public_key: base64(&f.rest("public key")?, "public key")?,
            }),
            RecordType::Ds => Self::Ds(ds(f)?),
            RecordType::Loc => Self::Loc(Location::parse(f)?),
            RecordType::Mx => Self::Mx(Mx {
                priority: f.short("priority")?,
                host: host::target(f.next("host")?, origin)?,
            }),
            RecordType::Naptr => Self::Naptr(Naptr {
                order: f.short("order")?,
                preference: f.short("preference")?,
                flags: string(f, "flags")?,
                service: string(f, "service")?,
                regex: string(f, "regex")?,
                replacement: host::target(f.next("replacement")?, origin)?,
            }),
            RecordType::Openpgpkey => Self::Openpgpkey(base64(&f.rest("key")?, "key")?),
            RecordType::Smimea => Self::Smimea(association(f)?),
            RecordType::Tlsa => Self::Tlsa(association(f)?),
            RecordType::Soa => Self::Soa(soa(f, origin)?),
            RecordType::Srv => Self::Srv(Srv {
                priority: f.short("priority")?,
                weight: f.short("weight")?,
                port: f.short("port")?,
                target: host::target(f.next("host")?, origin)?,
            }),
            RecordType::Sshfp => Self::Sshfp(sshfp(f)?),
            RecordType::Uri => Self::Uri(Uri {
                priority: f.short("priority")?,
                weight: f.short("weight")?,
                target: uri(f)?,
            }),
            RecordType::Txt | RecordType::Https | RecordType::Svcb => {
                return Err(DataError::new(0..0, "this type is read elsewhere"));
            }
        })
    }

    /// Its type.
    pub fn kind(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::Aaaa,
            Self::Alias(_) => RecordType::Alias,
            Self::Caa(_) => RecordType::Caa,
            Self::Cert(_) => RecordType::Cert,
            Self::Cname(_) => RecordType::Cname,
            Self::Dnskey(_) => RecordType::Dnskey,
            Self::Ds(_) => RecordType::Ds,
            Self::Https(_) => RecordType::Https,
            Self::Loc(_) => RecordType::Loc,
            Self::Mx(_) => RecordType::Mx,
            Self::Naptr(_) => RecordType::Naptr,
            Self::Ns(_) => RecordType::Ns,
            Self::Openpgpkey(_) => RecordType::Openpgpkey,
            Self::Ptr(_) => RecordType::Ptr,
            Self::Smimea(_) => RecordType::Smimea,
            Self::Soa(_) => RecordType::Soa,
            Self::Srv(_) => RecordType::Srv,
            Self::Sshfp(_) => RecordType::Sshfp,
            Self::Svcb(_) => RecordType::Svcb,
            Self::Tlsa(_) => RecordType::Tlsa,
            Self::Txt(_) => RecordType::Txt,
            Self::Uri(_) => RecordType::Uri,
        }
    }

    /// The host that it names, if it names one.
    pub fn target(&self) -> Option<&DomainName> {
        match self {
            Self::Alias(host) | Self::Cname(host) | Self::Ns(host) | Self::Ptr(host) => Some(host),
            Self::Mx(mx) => mx.host.host(),
            Self::Srv(srv) => srv.target.host(),
            Self::Https(binding) | Self::Svcb(binding) => binding.target.host(),
            Self::Naptr(naptr) => naptr.replacement.host(),
            _ => None,
        }
    }

    /// Whether the host that it names looks like an address: a mistake, since no resolver takes it for one.
    pub fn target_is_address(&self) -> bool {
        self.target().is_some_and(|host| {
            let labels: Vec<&str> = host.labels().collect();
            labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok())
        })
    }

    /// The value of a TXT record.
    pub fn txt(&self) -> Option<&[u8]> {
        match self {
            Self::Txt(value) => Some(value),
            _ => None,
        }
    }

    /// The address of an A or AAAA record.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::A(address) => Some(IpAddr::V4(*address)),
            Self::Aaaa(address) => Some(IpAddr::V6(*address)),
            _ => None,
        }
    }
}

fn address<T: std::str::FromStr>(field: &Field, what: &str) -> Result<T, DataError> {
    let text = field.text()?;
    text.parse().map_err(|_| {
        let shown = crate::base::text::shorten(&crate::base::text::sanitize(text), 60);
        DataError::new(field.span.clone(), format!("`{shown}` is not {what}"))
    })
}

fn string(fields: &mut Fields, what: &str) -> Result<String, DataError> {
    let field = fields.next(what)?;
    if field.bytes.len() > 255 {
        return Err(DataError::new(
            field.span.clone(),
            format!("the {what} has more than 255 bytes"),
        ));
    }
    Ok(field.text()?.to_owned())
}

fn named(fields: &mut Fields, what: &str, names: &[(&str, u32)], most: u32) -> Result<u32, DataError> {
    let field = fields.next(what)?;
    let text = field.text()?;
    match names.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        Some((_, number)) => Ok(*number),
        None => fields::number(field, what, most),
    }
}

fn algorithm(fields: &mut Fields) -> Result<u8, DataError> {
    Ok(u8::try_from(named(fields, "algorithm", ALGORITHMS, 255)?).unwrap_or_default())
}

fn caa(fields: &mut Fields) -> Result<Caa, DataError> {
    let flags = fields.byte("flags")?;
    let field = fields.next("tag")?;
    let tag = field.text()?.to_ascii_lowercase();
    if tag.is_empty() || tag.len() > 255 || !tag.bytes().all(|b| b.is_ascii_alphanumeric()) {
        let words = "the tag is a word of letters and digits, such as issue, issuewild or iodef";
        return Err(DataError::new(field.span.clone(), words));
    }
    Ok(Caa {
        flags,
        tag,
        value: fields.next("value")?.text()?.to_owned(),
    })
}

fn ds(fields: &mut Fields) -> Result<Ds, DataError> {
    let key_tag = fields.short("key tag")?;
    let algorithm = algorithm(fields)?;
    let digest_type = fields.byte("digest type")?;
    let expected = match digest_type {
        1 => Some(20),
        2 | 3 => Some(32),
        4 => Some(48),
        _ => None,
    };
    let digest = hex(&fields.rest("digest")?, "digest", expected)?;
    Ok(Ds {
        key_tag,
        algorithm,
        digest_type,
        digest,
    })
}

fn association(fields: &mut Fields) -> Result<CertificateAssociation, DataError> {
    let usage = fields.byte("usage")?;
    let selector = fields.byte("selector")?;
    let matching_type = fields.byte("matching type")?;
    let expected = match matching_type {
        1 => Some(32),
        2 => Some(64),
        _ => None,
    };
    let certificate = hex(&fields.rest("certificate")?, "certificate", expected)?;
    Ok(CertificateAssociation {
        usage,
        selector,
        matching_type,
        certificate,
    })
}

fn sshfp(fields: &mut Fields) -> Result<Sshfp, DataError> {
    let algorithm = fields.byte("algorithm")?;
    let kind = fields.byte("fingerprint type")?;
    let expected = match kind {
        1 => Some(20),
        2 => Some(32),
        _ => None,
    };
    Ok(Sshfp {
        algorithm,
        kind,
        fingerprint: hex(&fields.rest("fingerprint")?, "fingerprint", expected)?,
    })
}

fn soa(fields: &mut Fields, origin: &DomainName) -> Result<Soa, DataError> {
    let most = u32::MAX;
    Ok(Soa {
        mname: host::host(fields.next("primary server")?, origin)?,
        rname: host::host(fields.next("responsible mailbox")?, origin)?,
        serial: fields.number("serial", most)?,
        refresh: fields.number("refresh", most)?,
        retry: fields.number("retry", most)?,
        expire: fields.number("expire", most)?,
        minimum: fields.number("minimum", most)?,
    })
}

fn uri(fields: &mut Fields) -> Result<String, DataError> {
    let field = fields.next("URI")?;
    let text = field.text()?;
    if text.is_empty() || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(DataError::new(
            field.span.clone(),
            "the URI is empty, or has spaces or control characters in it",
        ));
    }
    Ok(text.to_owned())
}

impl fmt::Display for RecordData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| fields::quoted(text.as_bytes());
        match self {
            Self::A(address) => write!(f, "{address}"),
            Self::Aaaa(address) => write!(f, "{address}"),
            Self::Caa(caa) => write!(f, "{} {} {}", caa.flags, caa.tag, quoted(&caa.value)),
            Self::Cert(cert) => write!(
                f,
                "{} {} {} {}",
                cert.kind, cert.key_tag, cert.algorithm, cert.certificate
            ),
            Self::Alias(host) | Self::Cname(host) | Self::Ns(host) | Self::Ptr(host) => f.write_str(&written(host)),
            Self::Dnskey(key) => write!(f, "{} {} {} {}", key.flags, key.protocol, key.algorithm, key.public_key),
            Self::Ds(ds) => write!(f, "{} {} {} {}", ds.key_tag, ds.algorithm, ds.digest_type, ds.digest),
            Self::Https(binding) | Self::Svcb(binding) => write!(f, "{binding}"),
            Self::Loc(location) => write!(f, "{location}"),
            Self::Mx(mx) => write!(f, "{} {}", mx.priority, mx.host),
            Self::Naptr(naptr) => write!(
                f,
                "{} {} {} {} {} {}",
                naptr.order,
                naptr.preference,
                quoted(&naptr.flags),
                quoted(&naptr.service),
                quoted(&naptr.regex),
                naptr.replacement
            ),
            Self::Openpgpkey(key) => f.write_str(key),
            Self::Smimea(tlsa) | Self::Tlsa(tlsa) => {
                write!(
                    f,
                    "{} {} {} {}",
                    tlsa.usage, tlsa.selector, tlsa.matching_type, tlsa.certificate
                )
            }
            Self::Soa(soa) => write!(
                f,
                "{} {} {} {} {} {} {}",
                written(&soa.mname),
                written(&soa.rname),
                soa.serial,
                soa.refresh,
                soa.retry,
                soa.expire,
                soa.minimum
            ),
            Self::Srv(srv) => write!(f, "{} {} {} {}", srv.priority, srv.weight, srv.port, srv.target),
            Self::Sshfp(sshfp) => write!(f, "{} {} {}", sshfp.algorithm, sshfp.kind, sshfp.fingerprint),
            Self::Txt(value) => f.write_str(&txt::written(value)),
            Self::Uri(uri) => write!(f, "{} {} {}", uri.priority, uri.weight, quoted(&uri.target)),
        }
    }
}

/// The form in files: the type, and the data as it is printed.
#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(rename = "type")]
    kind: RecordType,
    value: String,
}

impl TryFrom<Wire> for RecordData {
    type Error = String;

    fn try_from(wire: Wire) -> Result<Self, String> {
        // What is printed names every host whole, so no origin is ever looked at.
        let origin = DomainName::parse("invalid").map_err(|error| error.to_string())?;
        Self::parse(wire.kind, &wire.value, &origin).map_err(|error| error.to_string())
    }
}

impl From<RecordData> for Wire {
    fn from(data: RecordData) -> Self {
        Self {
            kind: data.kind(),
            value: data.to_string(),
        }
    }
}
