//! Networks of addresses, and how many addresses several of them cover together.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::base::text;

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

impl FromStr for Network {
    type Err = String;

    /// Reads an address, or one with `/` and a prefix.
    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("`{}` is no network", text::shorten(&text::sanitize(text), 60));
        let (address, prefix) = text
            .split_once('/')
            .map_or((text, None), |(ip, prefix)| (ip, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| refused())?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(whole), str::parse).map_err(|_| refused())?;
        if prefix > whole {
            return Err(refused());
        }
        Ok(Self::new(address, prefix))
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

/// The fewest networks that cover the same addresses, in order: the halves of a network become the network, so that what
/// is written in two ways is written in one.
pub fn fewest(networks: impl IntoIterator<Item = Network>) -> Vec<Network> {
    let mut out: Vec<Network> = Vec::new();
    for mut next in distinct(networks) {
        // Halves stand beside each other, and what they become may be a half itself.
        while let Some(whole) = out.last().and_then(|last| whole_of(last, &next)) {
            out.pop();
            next = whole;
        }
        out.push(next);
    }
    out
}

/// The network of which these are the two halves, the lower one first.
fn whole_of(lower: &Network, upper: &Network) -> Option<Network> {
    let prefix = lower.prefix.checked_sub(1).filter(|_| lower.prefix == upper.prefix)?;
    let whole = Network::new(lower.address, prefix);
    (lower != upper && lower.address == whole.address && whole.covers(upper)).then_some(whole)
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

    #[test]
    fn halves_become_the_whole() {
        let all = |texts: &[&str]| -> Vec<String> {
            let networks = texts.iter().map(|text| text.parse().unwrap());
            fewest(networks).iter().map(ToString::to_string).collect()
        };
        assert_eq!(all(&["10.0.0.128/25", "10.0.0.0/25", "10.0.1.0/24"]), ["10.0.0.0/23"]);
        // Neighbours that are no halves of one network stay apart.
        assert_eq!(all(&["10.0.1.0/24", "10.0.2.0/24"]), ["10.0.1.0/24", "10.0.2.0/24"]);
        assert_eq!(all(&["192.0.2.1", "192.0.2.0", "::1"]), ["192.0.2.0/31", "::1"]);
        assert_eq!(all(&["0.0.0.0/1", "128.0.0.0/1"]), ["0.0.0.0/0"]);
        for bad in ["", "10.0.0.0/33", "::/129", "a", "10.0.0.0/", "10.0.0.0/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_fewest_networks_cover_the_same_addresses(
            networks in prop::collection::vec((0_u32..64, 26_u8..=32), 0..20),
            probe in 0_u32..64,
        ) {
            let all: Vec<Network> = networks.iter().map(|(ip, prefix)| Network::new(Ipv4Addr::from(*ip).into(), *prefix)).collect();
            let few = fewest(all.clone());
            let ip = IpAddr::V4(Ipv4Addr::from(probe));
            prop_assert_eq!(few.iter().any(|one| one.contains(ip)), all.iter().any(|one| one.contains(ip)));
            prop_assert_eq!(fewest(few.clone()), few.clone());
            prop_assert!(few.len() <= distinct(all).len());
            for network in &few {
                prop_assert_eq!(network.to_string().parse::<Network>(), Ok(*network));
            }
        }

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
