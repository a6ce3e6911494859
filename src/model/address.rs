//! The stable name of a resource: `ZONE/KIND/KEY`. It holds no space and no control character, so that it can be typed
//! in a shell.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::text;
use crate::model::name::DomainName;
use crate::model::record::RecordType;
use crate::model::scope::ScopeName;

/// The name of a resource, such as `acme.example/dns/CNAME/www` or `acme.example/setting/min_tls_version`.
///
/// A DNS record set is `ZONE/dns/TYPE/NAME`. TXT values stand each on its own, so theirs goes on: with the purpose
/// when there may be only one such value at a name (`…/TXT/_dmarc/v=DMARC1`), else with the value's first word and a
/// digest of all of it (`…/TXT/@/google-site-verification-1f8a3c5e`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(String);

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address: ZONE/KIND/KEY, such as acme.example/dns/CNAME/www")]
pub struct AddressError(String);

impl Address {
    /// Reads an address as it is printed.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let well_formed = text.len() <= 1_024
            && text.split('/').count() >= 3
            && text.split('/').all(|part| !part.is_empty())
            && text.chars().all(|c| !c.is_whitespace() && !c.is_control());
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(AddressError(text::shorten(text, 120)))
        }
    }

    /// The address of a record set. `member` tells TXT values at one name apart.
    pub fn record_set(zone: &DomainName, kind: RecordType, name: &DomainName, member: Option<&str>) -> Self {
        let mut address = format!("{zone}/dns/{kind}/{}", name.relative_to(zone));
        if let Some(member) = member {
            address.push('/');
            address.push_str(member);
        }
        Self(address)
    }

    /// The address of something else in a zone. What cannot stand in an address is left out of the key.
    pub fn in_zone(zone: &DomainName, kind: &str, key: &str) -> Self {
        let key: String = key
            .chars()
            .filter(|c| !c.is_whitespace() && !c.is_control() && *c != '/')
            .collect();
        let key = if key.is_empty() { "@" } else { &key };
        Self(format!("{zone}/{kind}/{key}"))
    }

    /// The address of a zone itself.
    pub fn zone(zone: &DomainName) -> Self {
        Self::in_zone(zone, "zone", "@")
    }

    /// The address of a monitor, by its key.
    pub fn monitor(key: &str) -> Self {
        Self(format!("{}/monitor/{key}", ScopeName::Uptime))
    }

    /// The address of a contact, by its key.
    pub fn contact(key: &str) -> Self {
        Self(format!("{}/contact/{key}", ScopeName::Uptime))
    }

    /// The address of a maintenance window, by its key.
    pub fn maintenance(key: &str) -> Self {
        Self(format!("{}/maintenance/{key}", ScopeName::Uptime))
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it belongs to: a zone's name, or `uptime`.
    pub fn scope(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The same as a value; `None` where the address begins with what is no scope.
    pub fn scope_name(&self) -> Option<ScopeName> {
        ScopeName::parse(self.scope()).ok()
    }

    /// The kind: `dns`, `redirect`, `setting`, …
    pub fn kind(&self) -> &str {
        self.0.split('/').nth(1).unwrap_or_default()
    }

    /// What follows the kind.
    pub fn key(&self) -> &str {
        self.0.splitn(3, '/').nth(2).unwrap_or_default()
    }

    /// Whether a `--target` covers this address: as a glob over the whole, or over what stands above it, so that
    /// `acme.example` and `acme.example/dns/TXT/@` cover everything below them.
    pub fn is_covered_by(&self, target: &str) -> bool {
        if target == self.0 || text::glob(target, &self.0) {
            return true;
        }
        self.0
            .match_indices('/')
            .any(|(at, _)| text::glob(target, &self.0[..at]))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_apart_and_reads_back() {
        let address = Address::parse("acme.example/dns/TXT/@/v=spf1").unwrap();
        assert_eq!(
            (address.scope(), address.kind(), address.key()),
            ("acme.example", "dns", "TXT/@/v=spf1")
        );
        for bad in ["", "acme.example", "a//b", "a/dns/A b", "a/dns/A\u{7}/x"] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_target_covers_what_stands_below_it() {
        let address = Address::parse("acme.example/dns/TXT/@/v=spf1").unwrap();
        for target in [
            "acme.example",
            "acme.example/dns",
            "*/dns/TXT/*",
            "acme.example/dns/TXT/@",
            "*",
            "*v=spf1",
        ] {
            assert!(address.is_covered_by(target), "{target}");
        }
        for target in ["acme", "acme.example/dns/T", "acme.example/dns/A/*", "other.example"] {
            assert!(!address.is_covered_by(target), "{target}");
        }
    }
}
