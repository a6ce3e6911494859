//! Networks of addresses, and how many addresses several of them cover together.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses that share their leading bits. Canonical: the other bits are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// The network of `address`. A prefix longer than the address counts as its length.
    pub fn new(address: IpAddr, prefix: u8) -> Self {
        let (address, prefix) = match address {
            IpAddr::V4(address) => {
                let prefix = prefix.min(32);
                let kept = u32::from(address) & mask4(prefix);
                (IpAddr::V4(Ipv4Addr::from(kept)), prefix)
            }
            IpAddr::V6(address) => {
                let prefix = prefix.min(128);
                let kept = u128::from(address) & mask6(prefix);
                (IpAddr::V6(Ipv6Addr::from(kept)), prefix)
            }
        };
        Self { address, prefix }
    }

    /// The first address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// How many leading bits are shared.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether `ip` is one of its addresses; never across families.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => {
                Self::new(ip, self.prefix).address == self.address
            }
            _ => false,
        }
    }

    /// Whether all of `other`'s addresses are its own.
    pub fn covers(&self, other: &Self) -> bool {
        self.prefix <= other.prefix && self.contains(other.address)
    }
}

fn mask4(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

fn mask6(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = if self.address.is_ipv4() { 32 } else { 128 };
        if self.prefix == whole {
            write!(f, "{}", self.address)
        } else {
            write!(f, "{}/{}", self.address, self.prefix)
        }
    }
}

/// The networks without those that another one covers, in order.
pub fn distinct(networks: impl IntoIterator<Item = Network>) -> Vec<Network> {
    let mut sorted: Vec<Network> = networks.into_iter().collect();
    sorted.sort_by_key(|network| (network.address, network.prefix));
    let mut out: Vec<Network> = Vec::new();
    for network in sorted {
        // Networks nest or are apart, and the wider one with the same start sorts first.
        if !out.last().is_some_and(|last| last.covers(&network)) {
            out.push(network);
        }
    }
    out
}

/// How many IPv4 addresses the networks cover together.
pub fn ip4_addresses(networks: impl IntoIterator<Item = Network>) -> u64 {
    distinct(networks)
        .iter()
        .filter(|network| network.address.is_ipv4())
        .map(|network| 1_u64 << (32 - u32::from(network.prefix.min(32))))
        .sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn network(text: &str) -> Network {
        let (address, prefix) = text.split_once('/').unwrap();
        Network::new(address.parse().unwrap(), prefix.parse().unwrap())
    }

    #[test]
    fn edges_and_families_are_kept_apart() {
        assert!(network("0.0.0.0/0").contains("203.0.113.9".parse().unwrap()));
        assert!(!network("0.0.0.0/0").contains("2001:db8::1".parse().unwrap()));
        assert!(network("::/0").contains("2001:db8::1".parse().unwrap()));
        assert!(network("192.0.2.9/24").contains("192.0.2.200".parse().unwrap()));
        assert_eq!(network("192.0.2.9/24").to_string(), "192.0.2.0/24");
        assert_eq!(network("192.0.2.9/32").to_string(), "192.0.2.9");
    }

    #[test]
    fn addresses_are_counted_once() {
        let networks = [
            "10.0.0.0/24",
            "10.0.0.0/25",
            "10.0.0.128/25",
            "10.0.1.0/32",
            "2001:db8::/32",
        ]
        .map(network);
        assert_eq!(ip4_addresses(networks), 257);
        assert_eq!(ip4_addresses([network("0.0.0.0/0")]), 1 << 32);
    }

    proptest! {
        #[test]
        fn a_network_contains_its_own_address(octets: [u8; 16], prefix in 0_u8..=128) {
            let ip = IpAddr::from(octets);
            let network = Network::new(ip, prefix);
            prop_assert!(network.contains(ip));
            prop_assert!(network.covers(&network));
            prop_assert_eq!(distinct([network, network]), vec![network]);
        }
    }
}
