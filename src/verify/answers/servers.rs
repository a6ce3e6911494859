//! Who is to be asked: the servers that a zone is delegated to, and public resolvers.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::Record;

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
/// Servers of the zone above that are asked about a delegation: each of them knows it.
const FEW: usize = 3;

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
    some_of(zone, MOST, resolvers, patience).await
}

/// The name servers that the zone above names for a zone: what was set at the registrar. The servers of the zone above
/// are asked, and resolvers where those cannot be found or do not answer; or the servers that somebody named `instead`.
/// Empty when the zone is delegated to nobody. The error is a sentence: DNS did not tell.
pub async fn delegation(
    zone: &DomainName,
    instead: &[Server],
    patience: Duration,
) -> Result<BTreeSet<DomainName>, String> {
    if !instead.is_empty() {
        return told(zone, instead, patience).await;
    }
    let resolvers = public();
    let mut above = zone.parent();
    while let Some(parent) = above {
        // The registry's zone, which need not be the very next one.
        if let Ok(servers) = some_of(&parent, FEW, &resolvers, patience).await {
            if let Ok(found) = told(zone, &servers, patience).await {
                return Ok(found);
            }
            break;
        }
        above = parent.parent();
    }
    told(zone, &resolvers, patience).await
}

/// What the first of these servers that has an answer tells of a zone's name servers: in the answer, or in the referral
/// of the zone above (RFC 1034 §4.3.2).
async fn told(zone: &DomainName, servers: &[Server], patience: Duration) -> Result<BTreeSet<DomainName>, String> {
    let mut trouble = "there is no server to ask".to_owned();
    for server in servers {
        let recursion = server.role == Role::Resolver;
        let asked = dns::question(zone, RecordType::Ns, recursion)
            .ok_or_else(|| format!("{zone} is no name that DNS can carry"))?;
        let answer = match dns::ask(server.address, &asked, patience).await {
            Ok(answer) => answer,
            Err(failure) => {
                trouble = failure.to_string();
                continue;
            }
        };
        match answer.metadata.response_code {
            ResponseCode::NoError => {
                let sections = [&answer.answers, &answer.authorities];
                let named = |section: &&Vec<Record>| {
                    let its = dns::answered(section).into_iter().filter(|one| one.owner == *zone);
                    let hosts = its.filter_map(|one| match one.data {
                        RecordData::Ns(host) => Some(host),
                        _ => None,
                    });
                    hosts.collect::<BTreeSet<_>>()
                };
                let found = sections.iter().map(named).find(|hosts| !hosts.is_empty());
                return Ok(found.unwrap_or_default());
            }
            ResponseCode::NXDomain => return Ok(BTreeSet::new()),
            other => trouble = format!("{} answered {other}", server.name),
        }
    }
    Err(format!("the name servers of {zone} could not be looked up: {trouble}"))
}

/// So many of the servers of a zone.
async fn some_of(
    zone: &DomainName,
    most: usize,
    resolvers: &[Server],
    patience: Duration,
) -> Result<Vec<Server>, String> {
    let mut names = BTreeSet::new();
    for host in look_up(zone, RecordType::Ns, resolvers, patience).await? {
        if let RecordData::Ns(host) = host {
            names.insert(host);
        }
    }
    let mut servers = Vec::new();
    for host in names.into_iter().take(most) {
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
        let answer = match dns::ask(resolver.address, &asked, patience).await {
            Ok(answer) => answer,
            Err(failure) => {
                trouble = failure.to_string();
                continue;
            }
        };
        match answer.metadata.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => {
                let of_kind = dns::answered(&answer.answers).into_iter().map(|answered| answered.data);
                return Ok(of_kind.filter(|data| data.kind() == kind).collect());
            }
            // A resolver that could not find out has said nothing about the name.
            other => trouble = format!("{} answered {other}", resolver.name),
        }
    }
    Err(format!("{kind} of {name} could not be looked up: {trouble}"))
}
