//! SVCB and HTTPS (RFC 9460): where a service is and how it is spoken to. Parameters are kept by key number, so that
//! their order and their quotes make no difference.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine as _;

use super::error::DataError;
use super::fields::{self, Escapes, Field, Fields};
use super::host::{self, Target};
use crate::model::name::DomainName;

/// The data of an SVCB or HTTPS record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceBinding {
    /// 0 is the alias form; otherwise lower is tried first.
    pub priority: u16,
    /// Where the service is; the root stands for the owner's own name.
    pub target: Target,
    /// How it is spoken to.
    pub params: ServiceParams,
}

/// Parameters by key number; the value in presentation form, without quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceParams(BTreeMap<u16, String>);

/// The registered keys (IANA, Service Parameter Keys).
const KEYS: &[(u16, &str)] = &[
    (0, "mandatory"),
    (1, "alpn"),
    (2, "no-default-alpn"),
    (3, "port"),
    (4, "ipv4hint"),
    (5, "ech"),
    (6, "ipv6hint"),
    (7, "dohpath"),
    (8, "ohttp"),
];

impl ServiceBinding {
    pub(super) fn parse(text: &str, form: &'static str, origin: &DomainName) -> Result<Self, DataError> {
        // The first two fields have no escapes of their own; the rest keeps its, for the value syntax beneath.
        let all = fields::split(text, Escapes::Kept)?;
        let mut head = Fields::split(text, form)?;
        let priority = head.short("priority")?;
        let target = host::target(head.next("target")?, origin)?;
        let mut params = BTreeMap::new();
        for field in all.iter().skip(2) {
            let (key, value) = parameter(field)?;
            if params.insert(key, value).is_some() {
                return Err(DataError::new(
                    field.span.clone(),
                    format!("`{}` is given twice", key_name(key)),
                ));
            }
        }
        if priority == 0 && !params.is_empty() {
            let span = all.get(2).map_or(0..text.len(), |field| field.span.start..text.len());
            return Err(DataError::new(
                span,
                "priority 0 makes it an alias, which has no parameters (RFC 9460 §2.4.2)",
            ));
        }
        let params = ServiceParams(params);
        params.check(text)?;
        Ok(Self {
            priority,
            target,
            params,
        })
    }
}

impl ServiceParams {
    /// Each parameter by name with its value in presentation form, empty where it has none; in the order of key numbers.
    pub fn iter(&self) -> impl Iterator<Item = (String, &str)> {
        self.numbered().map(|(key, value)| (key_name(key), value))
    }

    /// The same by key number.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (u16, &str)> {
        self.0.iter().map(|(key, value)| (*key, value.as_str()))
    }

    /// What belongs together must be there together (RFC 9460 §7.1.1, §8).
    fn check(&self, text: &str) -> Result<(), DataError> {
        let whole = 0..text.len();
        if self.0.contains_key(&2) && !self.0.contains_key(&1) {
            return Err(DataError::new(whole, "`no-default-alpn` needs `alpn` beside it"));
        }
        for key in self.0.get(&0).into_iter().flat_map(|list| list.split(',')) {
            let number = key_number(key);
            if number.is_none_or(|number| number == 0 || !self.0.contains_key(&number)) {
                return Err(DataError::new(
                    whole,
                    format!("`mandatory` names `{key}`, which is not among the parameters"),
                ));
            }
        }
        Ok(())
    }
}

pub(super) fn key_number(name: &str) -> Option<u16> {
    let known = KEYS.iter().find(|(_, known)| *known == name).map(|(number, _)| *number);
    known.or_else(|| {
        let digits = name.strip_prefix("key")?;
        let canonical = digits == "0" || !digits.starts_with('0');
        digits
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| digits.parse().ok())?
            .filter(|_| canonical)
    })
}

pub(super) fn key_name(number: u16) -> String {
    let known = KEYS.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| format!("key{number}"), |(_, name)| (*name).to_owned())
}

fn parameter(field: &Field) -> Result<(u16, String), DataError> {
    let text = field.text()?;
    let (name, value) = text
        .split_once('=')
        .map_or((text, None), |(name, value)| (name, Some(value)));
    let wrong = |words: String| DataError::new(field.span.clone(), words);
    if field.quoted {
        return Err(wrong("a parameter is KEY=VALUE or KEY=\"VALUE\"".to_owned()));
    }
    let name = name.to_ascii_lowercase();
    let known: Vec<&str> = KEYS.iter().map(|(_, name)| *name).collect();
    let key = key_number(&name).ok_or_else(|| {
        let error = wrong(format!("`{name}` is no service parameter"));
        match crate::base::text::nearest(&name, known.iter().copied()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("known are {}, and keyNNNNN for any other", known.join(", "))),
        }
    })?;
    let value = canonical_value(key, value.unwrap_or_default()).map_err(wrong)?;
    Ok((key, value))
}

fn canonical_value(key: u16, value: &str) -> Result<String, String> {
    let name = key_name(key);
    if value.contains('"') || value.chars().any(char::is_control) {
        return Err(format!("`{name}` has a quote or a control character in its value"));
    }
    let list = || value.split(',');
    match key {
        2 | 8 if value.is_empty() => Ok(String::new()),
        2 | 8 => Err(format!("`{name}` has no value")),
        key if key <= 7 && value.is_empty() => Err(format!("`{name}` needs a value")),
        0 => {
            // A set: its order is by key number on the wire (RFC 9460 §8).
            let mut keys = Vec::new();
            for key in list() {
                let key = key.to_ascii_lowercase();
                keys.push(key_number(&key).ok_or_else(|| format!("`mandatory` names `{key}`, which is no parameter"))?);
            }
            keys.sort_unstable();
            keys.dedup();
            Ok(keys.into_iter().map(key_name).collect::<Vec<_>>().join(","))
        }
        1 if list().any(str::is_empty) => Err("`alpn` has an empty protocol".to_owned()),
        3 => value
            .parse::<u16>()
            .map(|port| port.to_string())
            .map_err(|_| "`port` is a number from 0 to 65535".to_owned()),
        4 => addresses::<Ipv4Addr>(value).ok_or_else(|| "`ipv4hint` is a list of IPv4 addresses".to_owned()),
        6 => addresses::<Ipv6Addr>(value).ok_or_else(|| "`ipv6hint` is a list of IPv6 addresses".to_owned()),
        5 => base64::engine::general_purpose::STANDARD
            .decode(value)
            .map(|bytes| base64::engine::general_purpose::STANDARD.encode(bytes))
            .map_err(|_| "`ech` is base64".to_owned()),
        _ => Ok(value.to_owned()),
    }
}

fn addresses<T: std::str::FromStr + ToString>(list: &str) -> Option<String> {
    let all: Result<Vec<String>, _> = list
        .split(',')
        .map(|address| address.parse::<T>().map(|address| address.to_string()))
        .collect();
    all.ok().map(|all| all.join(","))
}

impl fmt::Display for ServiceParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (key, value)) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(&key_name(*key))?;
            if !value.is_empty() {
                write!(f, "=\"{value}\"")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for ServiceBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.priority, self.target)?;
        if !self.params.0.is_empty() {
            write!(f, " {}", self.params)?;
        }
        Ok(())
    }
}
