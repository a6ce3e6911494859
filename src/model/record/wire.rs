//! Record data as it travels in DNS messages (RFC 1035 §3.3 and each type's own RFC), names uncompressed. What comes in
//! is written as a zone file writes it and read by the one parser there is, so that there is one canonical form.

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::data::RecordData;
use super::fields;
use super::host::Target;
use super::kind::RecordType;
use super::location::Location;
use super::service::{self, ServiceBinding};
use crate::model::name::DomainName;

/// Why octets are no data of their type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// They end too early.
    #[error("its data ends too early")]
    Short,
    /// There are too many of them.
    #[error("there is more in its data than belongs there")]
    Long,
    /// They say what no zone file can.
    #[error("{0}")]
    Meaning(String),
}

impl RecordType {
    /// The registered number (IANA, Resource Record TYPEs); none for a type that is no part of DNS.
    pub fn number(self) -> Option<u16> {
        Some(match self {
            Self::Alias => return None,
            Self::A => 1,
            Self::Ns => 2,
            Self::Cname => 5,
            Self::Soa => 6,
            Self::Ptr => 12,
            Self::Mx => 15,
            Self::Txt => 16,
            Self::Aaaa => 28,
            Self::Loc => 29,
            Self::Srv => 33,
            Self::Naptr => 35,
            Self::Cert => 37,
            Self::Ds => 43,
            Self::Sshfp => 44,
            Self::Dnskey => 48,
            Self::Tlsa => 52,
            Self::Smimea => 53,
            Self::Openpgpkey => 61,
            Self::Svcb => 64,
            Self::Https => 65,
            Self::Uri => 256,
            Self::Caa => 257,
        })
    }

    /// The type with this number, if it is known here.
    pub fn from_number(number: u16) -> Option<Self> {
        let all = Self::ALL.iter().chain(&[Self::Soa]);
        all.copied().find(|kind| kind.number() == Some(number))
    }
}

impl RecordData {
    /// The octets of the data; none for a type that is no part of DNS.
    pub fn to_wire(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        match self {
            Self::Alias(_) => return None,
            Self::A(address) => out.extend(address.octets()),
            Self::Aaaa(address) => out.extend(address.octets()),
            Self::Caa(caa) => {
                out.push(caa.flags);
                string(&mut out, caa.tag.as_bytes());
                out.extend(caa.value.as_bytes());
            }
            Self::Cert(cert) => {
                numbers(&mut out, &[cert.kind, cert.key_tag]);
                out.push(cert.algorithm);
                out.extend(base64(&cert.certificate));
            }
            Self::Cname(host) | Self::Ns(host) | Self::Ptr(host) => name(&mut out, Some(host)),
            Self::Dnskey(key) => {
                numbers(&mut out, &[key.flags]);
                out.extend([key.protocol, key.algorithm]);
                out.extend(base64(&key.public_key));
            }
            Self::Ds(ds) => {
                numbers(&mut out, &[ds.key_tag]);
                out.extend([ds.algorithm, ds.digest_type]);
                out.extend(hex(&ds.digest));
            }
            Self::Https(binding) | Self::Svcb(binding) => service_binding(&mut out, binding),
            Self::Loc(location) => out.extend(location.to_wire()),
            Self::Mx(mx) => {
                numbers(&mut out, &[mx.priority]);
                name(&mut out, mx.host.host());
            }
            Self::Naptr(naptr) => {
                numbers(&mut out, &[naptr.order, naptr.preference]);
                for text in [&naptr.flags, &naptr.service, &naptr.regex] {
                    string(&mut out, text.as_bytes());
                }
                name(&mut out, naptr.replacement.host());
            }
            Self::Openpgpkey(key) => out.extend(base64(key)),
            Self::Smimea(tlsa) | Self::Tlsa(tlsa) => {
                out.extend([tlsa.usage, tlsa.selector, tlsa.matching_type]);
                out.extend(hex(&tlsa.certificate));
            }
            Self::Soa(soa) => {
                name(&mut out, Some(&soa.mname));
                name(&mut out, Some(&soa.rname));
                for number in [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum] {
                    out.extend(number.to_be_bytes());
                }
            }
            Self::Srv(srv) => {
                numbers(&mut out, &[srv.priority, srv.weight, srv.port]);
                name(&mut out, srv.target.host());
            }
            Self::Sshfp(sshfp) => {
                out.extend([sshfp.algorithm, sshfp.kind]);
                out.extend(hex(&sshfp.fingerprint));
            }
            Self::Txt(value) => value.chunks(255).for_each(|part| string(&mut out, part)),
            Self::Uri(uri) => {
                numbers(&mut out, &[uri.priority, uri.weight]);
                out.extend(uri.target.as_bytes());
            }
        }
        Some(out)
    }

    /// Reads the octets of data whose names are uncompressed.
    pub fn from_wire(kind: RecordType, octets: &[u8]) -> Result<Self, WireError> {
        let mut wire = Wire { rest: octets };
        if kind == RecordType::Txt {
            let mut value = Vec::new();
            while !wire.rest.is_empty() {
                value.extend_from_slice(wire.string()?);
            }
            if value.is_empty() {
                return Err(WireError::Meaning("its text is empty".to_owned()));
            }
            return Ok(Self::Txt(value));
        }
        let text = presentation(kind, &mut wire)?;
        if !wire.rest.is_empty() {
            return Err(WireError::Long);
        }
        let meaning = |error: &dyn std::fmt::Display| WireError::Meaning(error.to_string());
        // Every host in the text is whole, so no origin is ever looked at.
        let origin = DomainName::parse("invalid").map_err(|error| meaning(&error))?;
        Self::parse(kind, &text, &origin).map_err(|error| meaning(&error))
    }
}

fn presentation(kind: RecordType, wire: &mut Wire<'_>) -> Result<String, WireError> {
    let quoted = fields::quoted;
    Ok(match kind {
        RecordType::A => Ipv4Addr::from(wire.array::<4>()?).to_string(),
        RecordType::Aaaa => Ipv6Addr::from(wire.array::<16>()?).to_string(),
        RecordType::Caa => format!("{} {} {}", wire.byte()?, text(wire.string()?)?, quoted(wire.all())),
        RecordType::Cert => {
            let (kind, tag, algorithm) = (wire.number()?, wire.number()?, wire.byte()?);
            format!("{kind} {tag} {algorithm} {}", STANDARD.encode(wire.all()))
        }
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => wire.name()?,
        RecordType::Dnskey => {
            let (flags, protocol, algorithm) = (wire.number()?, wire.byte()?, wire.byte()?);
            format!("{flags} {protocol} {algorithm} {}", STANDARD.encode(wire.all()))
        }
        RecordType::Ds => {
            let (tag, algorithm, digest) = (wire.number()?, wire.byte()?, wire.byte()?);
            format!("{tag} {algorithm} {digest} {}", to_hex(wire.all()))
        }
        RecordType::Https | RecordType::Svcb => service_text(wire)?,
        RecordType::Loc => Location::from_wire(wire.array()?)
            .ok_or_else(|| WireError::Meaning("its place is none on this globe".to_owned()))?
            .to_string(),
        RecordType::Mx => format!("{} {}", wire.number()?, wire.name()?),
        RecordType::Naptr => {
            let (order, preference) = (wire.number()?, wire.number()?);
            let [flags, service, regex] = [wire.string()?, wire.string()?, wire.string()?].map(quoted);
            format!("{order} {preference} {flags} {service} {regex} {}", wire.name()?)
        }
        RecordType::Openpgpkey => STANDARD.encode(wire.all()),
        RecordType::Smimea | RecordType::Tlsa => {
            let (usage, selector, matching) = (wire.byte()?, wire.byte()?, wire.byte()?);
            format!("{usage} {selector} {matching} {}", to_hex(wire.all()))
        }
        RecordType::Soa => {
            let mut words = vec![wire.name()?, wire.name()?];
            for _ in 0..5 {
                words.push(u32::from_be_bytes(wire.array()?).to_string());
            }
            words.join(" ")
        }
        RecordType::Srv => {
            let (priority, weight, port) = (wire.number()?, wire.number()?, wire.number()?);
            format!("{priority} {weight} {port} {}", wire.name()?)
        }
        RecordType::Sshfp => format!("{} {} {}", wire.byte()?, wire.byte()?, to_hex(wire.all())),
        RecordType::Uri => format!("{} {} {}", wire.number()?, wire.number()?, quoted(wire.all())),
        RecordType::Txt => return Err(WireError::Meaning("texts are read elsewhere".to_owned())),
        RecordType::Alias => return Err(WireError::Meaning("no message carries this type".to_owned())),
    })
}

fn numbers(out: &mut Vec<u8>, numbers: &[u16]) {
    out.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
}

fn string(out: &mut Vec<u8>, text: &[u8]) {
    // Every parser of ours bounds a character-string to 255 octets.
    let text = &text[..text.len().min(255)];
    out.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(text);
}

fn name(out: &mut Vec<u8>, host: Option<&DomainName>) {
    // Canonical labels have 63 octets at most.
    host.into_iter()
        .flat_map(DomainName::labels)
        .for_each(|label| string(out, label.as_bytes()));
    out.push(0);
}

/// The data holds canonical base64 only.
fn base64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap_or_default()
}

/// The data holds pairs of hexadecimal digits only.
fn hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| digit(pair[0]).zip(digit(pair[1])).map(|(high, low)| high << 4 | low);
    text.as_bytes().chunks_exact(2).filter_map(pair).collect()
}

fn to_hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn text(octets: &[u8]) -> Result<&str, WireError> {
    std::str::from_utf8(octets).map_err(|_| WireError::Meaning("it holds octets that are no text".to_owned()))
}

/// RFC 9460 §2.2: parameters by key number, each with the length of its value.
fn service_binding(out: &mut Vec<u8>, binding: &ServiceBinding) {
    numbers(out, &[binding.priority]);
    name(out, binding.target.host());
    for (key, value) in binding.params.numbered() {
        let octets = parameter(key, value);
        numbers(out, &[key, u16::try_from(octets.len()).unwrap_or(u16::MAX)]);
        out.extend(octets);
    }
}

fn parameter(key: u16, value: &str) -> Vec<u8> {
    let mut out = Vec::new();
    match key {
        0 => value
            .split(',')
            .filter_map(service::key_number)
            .for_each(|key| numbers(&mut out, &[key])),
        1 => unescaped(value, b',')
            .iter()
            .for_each(|protocol| string(&mut out, protocol)),
        3 => numbers(&mut out, &[value.parse().unwrap_or_default()]),
        4 => list::<Ipv4Addr>(value).for_each(|address| out.extend(address.octets())),
        5 => out = base64(value),
        6 => list::<Ipv6Addr>(value).for_each(|address| out.extend(address.octets())),
        _ => out = unescaped(value, 0).concat(),
    }
    out
}

fn list<T: std::str::FromStr>(value: &str) -> impl Iterator<Item = T> {
    value.split(',').filter_map(|part| part.parse().ok())
}

/// A value's octets, split at `separator` where it is not escaped (RFC 9460 §A.1).
fn unescaped(value: &str, separator: u8) -> Vec<Vec<u8>> {
    let bytes = value.as_bytes();
    let (mut parts, mut part) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = bytes
            .get(at + 1..at + 4)
            .filter(|digits| digits.iter().all(u8::is_ascii_digit));
        let number = digits.and_then(|digits| text(digits).ok()?.parse::<u8>().ok());
        match (byte, number) {
            (b'\\', Some(number)) => {
                part.push(number);
                at += 3;
            }
            (b'\\', None) => {
                at += 1;
                part.extend(bytes.get(at));
            }
            (byte, _) if *byte == separator => parts.push(std::mem::take(&mut part)),
            (byte, _) => part.push(*byte),
        }
        at += 1;
    }
    parts.push(part);
    parts
}

fn service_text(wire: &mut Wire<'_>) -> Result<String, WireError> {
    let mut out = format!("{} {}", wire.number()?, wire.name()?);
    while !wire.rest.is_empty() {
        let (key, length) = (wire.number()?, wire.number()?);
        let mut value = Wire {
            rest: wire.take(usize::from(length))?,
        };
        let name = service::key_name(key);
        out.push_str(&format!(" {name}"));
        if length > 0 {
            out.push_str(&format!("=\"{}\"", parameter_text(key, &mut value)?));
        }
    }
    Ok(out)
}

fn parameter_text(key: u16, value: &mut Wire<'_>) -> Result<String, WireError> {
    let mut parts: Vec<String> = Vec::new();
    match key {
        0 | 3 | 4 | 6 | 1 => {
            while !value.rest.is_empty() {
                parts.push(match key {
                    0 => service::key_name(value.number()?),
                    1 => escaped(value.string()?, true),
                    3 => value.number()?.to_string(),
                    4 => Ipv4Addr::from(value.array::<4>()?).to_string(),
                    _ => Ipv6Addr::from(value.array::<16>()?).to_string(),
                });
            }
        }
        5 => parts.push(STANDARD.encode(value.all())),
        _ => parts.push(escaped(value.all(), false)),
    }
    Ok(parts.join(","))
}

fn escaped(octets: &[u8], in_list: bool) -> String {
    let mut out = String::new();
    for octet in octets {
        match octet {
            b',' if in_list => out.push_str("\\,"),
            b'\\' => out.push_str("\\\\"),
            b'"' => out.push_str("\\034"),
            0x21..=0x7e => out.push(char::from(*octet)),
            octet => out.push_str(&format!("\\{octet:03}")),
        }
    }
    out
}

/// Octets that are still to be read.
struct Wire<'a> {
    rest: &'a [u8],
}

impl<'a> Wire<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let (head, rest) = self.rest.split_at_checked(length).ok_or(WireError::Short)?;
        self.rest = rest;
        Ok(head)
    }

    fn all(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        self.take(N)?.try_into().map_err(|_| WireError::Short)
    }

    fn byte(&mut self) -> Result<u8, WireError> {
        Ok(self.array::<1>()?[0])
    }

    fn number(&mut self) -> Result<u16, WireError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    fn string(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.byte()?;
        self.take(usize::from(length))
    }

    /// A host with its final dot.
    fn name(&mut self) -> Result<String, WireError> {
        let mut labels = Vec::new();
        loop {
            match self.string()? {
                [] => break,
                // A full stop within a label is no end of one, and a length beyond 63 is a pointer (RFC 1035 §4.1.4).
                label if label.len() > 63 || label.iter().any(|b| !b.is_ascii_graphic() || b".\\\"".contains(b)) => {
                    return Err(WireError::Meaning("it names a host that no spec can write".to_owned()));
                }
                label => labels.push(text(label)?),
            }
        }
        Ok(match labels.join(".") {
            root if root.is_empty() => Target::Root.to_string(),
            host => format!("{host}."),
        })
    }
}
