//! Who is to be asked: the servers that a zone is delegated to, and public resolvers.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::provider::dns;

/// What a server is to those who ask it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It answers from the zone.
    Authoritative,
    /// It answers from what it has heard, and keeps that for its TTL.
    Resolver,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Server {
    /// What it is to us.
    pub role: Role,
    /// How it is called.
    pub name: String,
    /// Where it is.
    pub address: SocketAddr,
    /// The zone that it is asked about; all of them for a resolver.
    pub zone: Option<DomainName>,
}

/// Resolvers that anybody may ask, by their operators' names.
const PUBLIC: [(&str, Ipv4Addr); 3] = [
    ("Cloudflare (1.1.1.1)", Ipv4Addr::new(1, 1, 1, 1)),
    ("Google (8.8.8.8)", Ipv4Addr::new(8, 8, 8, 8)),
    ("Quad9 (9.9.9.9)", Ipv4Addr::new(9, 9, 9, 9)),
];
/// A zone has fewer name servers: more than these are not asked.
const MOST: usize = 16;

/// The public resolvers.
pub fn public() -> Vec<Server> {
    let server = |(name, address): (&str, Ipv4Addr)| Server {
        role: Role::Resolver,
        name: name.to_owned(),
        address: (address, 53).into(),
        zone: None,
    };
    PUBLIC.into_iter().map(server).collect()
}

/// A server that somebody named: `ADDRESS` or `ADDRESS:PORT`. It is asked as a resolver is, which suits both kinds.
pub fn named(text: &str) -> Option<Server> {
    let address = text.parse::<SocketAddr>().ok();
    let address = address.or_else(|| Some((text.parse::<IpAddr>().ok()?, 53).into()))?;
    Some(Server {
        role: Role::Resolver,
        name: text.to_owned(),
        address,
        zone: None,
    })
}

/// The servers that a zone is delegated to, as a resolver tells it. The error is a sentence.
pub async fn delegated(zone: &DomainName, resolvers: &[Server], patience: Duration) -> Result<Vec<Server>, String> {
    let mut names = BTreeSet::new();
    for host in look_up(zone, RecordType::Ns, resolvers, patience).await? {
        if let RecordData::Ns(host) = host {
            names.insert(host);
        }
    }
    let mut servers = Vec::new();
    for host in names.into_iter().take(MOST) {
        let mut addresses = look_up(&host, RecordType::A, resolvers, patience).await?;
        if addresses.is_empty() {
            addresses = look_up(&host, RecordType::Aaaa, resolvers, patience).await?;
        }
        let address = addresses.iter().find_map(RecordData::address);
        servers.extend(address.map(|address| Server {
            role: Role::Authoritative,
            name: host.to_string(),
            address: (address, 53).into(),
            zone: Some(zone.clone()),
        }));
    }
    if servers.is_empty() {
        return Err(format!("{zone} is not delegated to any server that can be found"));
    }
    Ok(servers)
}

async fn look_up(
    name: &DomainName,
    kind: RecordType,
    resolvers: &[Server],
    patience: Duration,
) -> Result<Vec<RecordData>, String> {
    let asked = dns::question(name, kind, true).ok_or_else(|| format!("{name} is no name that DNS can carry"))?;
    let mut trouble = "there is no resolver to ask".to_owned();
    for resolver in resolvers {
        match dns::ask(resolver.address, &asked, patience).await {
            Ok(answer) => {
                let of_kind = dns::answered(&answer.answers).into_iter().map(|answered| answered.data);
                return Ok(of_kind.filter(|data| data.kind() == kind).collect());
            }
            Err(failure) => trouble = failure.to_string(),
        }
    }
    Err(format!("{kind} of {name} could not be looked up: {trouble}"))
}
