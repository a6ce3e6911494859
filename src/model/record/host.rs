//! Hosts in record data. They are absolute whether or not they end with a dot: a relative one cannot be told from a
//! top-level domain, so a single label is refused unless its final dot says what it is.

use std::fmt;

use super::error::DataError;
use super::fields::Field;
use crate::model::name::DomainName;

/// A host, or the root: `.` says «none» in MX (RFC 7505) and SRV (RFC 2782), «this name» in HTTPS and SVCB (RFC 9460).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// `.`
    Root,
    /// A host.
    Host(DomainName),
}

impl Target {
    /// The host, unless it is the root.
    pub fn host(&self) -> Option<&DomainName> {
        match self {
            Self::Root => None,
            Self::Host(host) => Some(host),
        }
    }
}

/// In record data a single label keeps its final dot: without it, it would not be taken back.
pub(super) fn written(host: &DomainName) -> String {
    if host.as_str().contains('.') {
        host.as_str().to_owned()
    } else {
        format!("{}.", host.as_str())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("."),
            Self::Host(host) => f.write_str(&written(host)),
        }
    }
}

pub(super) fn host(field: &Field, origin: &DomainName) -> Result<DomainName, DataError> {
    let text = field.text()?;
    if text == "@" {
        return Ok(origin.clone());
    }
    let name = DomainName::parse(text).map_err(|error| DataError::new(field.span.clone(), error.to_string()))?;
    if !text.contains('.') {
        return Err(DataError::new(
            field.span.clone(),
            format!("`{text}` is a single label: which host is meant?"),
        )
        .help(format!("write {text}.{origin}, or {text}. for the top-level domain")));
    }
    Ok(name)
}

pub(super) fn target(field: &Field, origin: &DomainName) -> Result<Target, DataError> {
    if field.bytes == b"." {
        return Ok(Target::Root);
    }
    host(field, origin).map(Target::Host)
}
