//! Real DNS answers for the mail rooms: one question at a time to the system's resolvers, or to one that the user names.
//! Names are whole (no search list, no hosts file) and nothing is kept, so that a check sees what is there now. Whatever
//! is not a sure answer is a failure and never «nothing there».

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ProtocolConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

use crate::base::text;
use crate::mail::dns::{Authorization, Dns, Exchanger, Lookup, MOST_RECORDS, Pending, QueryName};

/// How long one question may take, tries included, when the user says nothing shorter.
pub const LONGEST_QUESTION: Duration = Duration::from_secs(10);
/// How long one try waits for its answer.
const ONE_TRY: Duration = Duration::from_secs(4);

/// A resolver that the user names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResolverAddress(SocketAddr);

impl FromStr for ResolverAddress {
    type Err = String;

    /// Reads `ADDR` or `ADDR:PORT`; IPv6 with a port stands in brackets.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self(address));
        }
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .unwrap_or(text);
        bare.parse::<IpAddr>()
            .map(|ip| Self(SocketAddr::new(ip, 53)))
            .map_err(|_| "write an address such as 9.9.9.9 or [2620:fe::fe]:53".to_owned())
    }
}

/// Why no question can be asked at all.
#[derive(Debug, thiserror::Error)]
#[error("the system's DNS resolvers are not known: {0}")]
pub struct NoResolver(String);

/// A source of real DNS answers.
pub struct Resolver {
    inner: TokioResolver,
    name: String,
    patience: Duration,
}

impl Resolver {
    /// Asks `address`, or the system's resolvers. `patience` is how long one question may take.
    pub fn new(address: Option<ResolverAddress>, patience: Duration) -> Result<Self, NoResolver> {
        let refused = |error: NetError| NoResolver(text::sanitize(&error.to_string()).into_owned());
        let patience = patience.min(LONGEST_QUESTION);
        let (mut builder, name) = match address {
            Some(ResolverAddress(address)) => {
                let config = ResolverConfig::from_parts(None, Vec::new(), vec![server(address)]);
                let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
                (builder, address.to_string())
            }
            None => {
                let system = TokioResolver::builder_tokio().map_err(refused)?;
                (system, "the system's resolvers".to_owned())
            }
        };
        adjust(builder.options_mut(), patience);
        Ok(Self {
            inner: builder.build().map_err(refused)?,
            name,
            patience,
        })
    }

    /// Whom it asks, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    async fn ask<T>(
        &self,
        name: &QueryName,
        kind: RecordType,
        pick: impl Fn(&Record) -> Option<Result<T, String>>,
    ) -> Lookup<T> {
        let whole = match whole_name(name) {
            Ok(whole) => whole,
            Err(error) => return Lookup::Failed(format!("{name} cannot be asked for: {error}")),
        };
        let answer = match tokio::time::timeout(self.patience, self.inner.lookup(whole, kind)).await {
            Err(_) => return Lookup::Failed(format!("{} gave no answer in {:?}", self.name, self.patience)),
            Ok(Err(error)) => return self.absent(&error),
            Ok(Ok(answer)) => answer,
        };
        let mut out = Vec::new();
        for picked in answer.answers().iter().filter_map(pick) {
            match picked {
                Ok(value) => out.push(value),
                Err(why) => return Lookup::Failed(why),
            }
            if out.len() > MOST_RECORDS {
                return Lookup::Failed(format!("the answer holds more than {MOST_RECORDS} records"));
            }
        }
        Lookup::of(out)
    }

    /// What an error says: a sure «nothing there», or nothing at all.
    fn absent<T>(&self, error: &NetError) -> Lookup<T> {
        let why = match error {
            NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
                ResponseCode::NXDomain => return Lookup::NoSuchName,
                ResponseCode::NoError => return Lookup::NoData,
                code => format!("{} answers {code}", self.name),
            },
            NetError::Dns(DnsError::ResponseCode(code)) => format!("{} answers {code}", self.name),
            NetError::Timeout => format!("{} gave no answer in time", self.name),
            other => format!("{}: {other}", self.name),
        };
        Lookup::Failed(text::shorten(&text::sanitize(&why), 200))
    }
}

/// A server for both transports: what does not fit into a datagram is asked for again over TCP.
fn server(address: SocketAddr) -> NameServerConfig {
    let connection = |protocol: ProtocolConfig| {
        let mut connection = ConnectionConfig::new(protocol);
        connection.port = address.port();
        connection
    };
    let connections = vec![connection(ProtocolConfig::Udp), connection(ProtocolConfig::Tcp)];
    NameServerConfig::new(address.ip(), true, connections)
}

fn adjust(options: &mut ResolverOpts, patience: Duration) {
    options.ndots = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.cache_size = 0;
    options.attempts = 1;
    options.timeout = ONE_TRY.min(patience);
    options.edns0 = true;
}

/// Labels go in as they are: what an SPF macro makes is no host name, and nothing in it is an escape.
fn whole_name(name: &QueryName) -> Result<Name, String> {
    let mut whole = Name::from_labels(name.labels().map(str::as_bytes)).map_err(|error| error.to_string())?;
    whole.set_fqdn(true);
    Ok(whole)
}

/// A name out of an answer. One that no question could hold is no answer to go on with.
fn query_name(name: &Name) -> Result<QueryName, String> {
    let labels: Result<Vec<&str>, _> = name.iter().map(std::str::from_utf8).collect();
    let labels = labels.map_err(|_| "the answer names a host with octets that are no text".to_owned())?;
    // A dot inside a label would become a border between two.
    if labels.iter().any(|label| label.contains('.')) {
        return Err("the answer names a host with a dot inside a label".to_owned());
    }
    QueryName::parse(&labels.join(".")).map_err(|error| format!("the answer names a host that cannot be: {error}"))
}

impl Dns for Resolver {
    fn txt<'a>(&'a self, name: &'a QueryName) -> Pending<'a, Vec<u8>> {
        Box::pin(self.ask(name, RecordType::TXT, |record| match &record.data {
            RData::TXT(txt) => Some(Ok(txt.txt_data.concat())),
            _ => None,
        }))
    }

    fn a<'a>(&'a self, name: &'a QueryName) -> Pending<'a, Ipv4Addr> {
        Box::pin(self.ask(name, RecordType::A, |record| match &record.data {
            RData::A(address) => Some(Ok(address.0)),
            _ => None,
        }))
    }

    fn aaaa<'a>(&'a self, name: &'a QueryName) -> Pending<'a, Ipv6Addr> {
        Box::pin(self.ask(name, RecordType::AAAA, |record| match &record.data {
            RData::AAAA(address) => Some(Ok(address.0)),
            _ => None,
        }))
    }

    fn mx<'a>(&'a self, name: &'a QueryName) -> Pending<'a, Exchanger> {
        Box::pin(self.ask(name, RecordType::MX, |record| match &record.data {
            RData::MX(mx) => Some(exchanger(mx.preference, &mx.exchange)),
            _ => None,
        }))
    }

    fn ptr<'a>(&'a self, name: &'a QueryName) -> Pending<'a, QueryName> {
        Box::pin(self.ask(name, RecordType::PTR, |record| match &record.data {
            RData::PTR(name) => Some(query_name(&name.0)),
            _ => None,
        }))
    }

    fn cname<'a>(&'a self, name: &'a QueryName) -> Pending<'a, QueryName> {
        Box::pin(self.ask(name, RecordType::CNAME, |record| match &record.data {
            RData::CNAME(target) if is_at(record, name) => Some(query_name(&target.0)),
            _ => None,
        }))
    }

    fn caa<'a>(&'a self, name: &'a QueryName) -> Pending<'a, Authorization> {
        Box::pin(self.ask(name, RecordType::CAA, |record| match &record.data {
            RData::CAA(caa) => Some(Ok(Authorization {
                flags: caa.flags(),
                tag: caa.tag.to_ascii_lowercase(),
                value: String::from_utf8_lossy(&caa.value).into_owned(),
            })),
            _ => None,
        }))
    }

    fn tlsa<'a>(&'a self, name: &'a QueryName) -> Pending<'a, u8> {
        Box::pin(self.ask(name, RecordType::TLSA, |record| match &record.data {
            RData::TLSA(tlsa) => Some(Ok(tlsa.cert_usage.into())),
            _ => None,
        }))
    }
}

fn exchanger(preference: u16, host: &Name) -> Result<Exchanger, String> {
    let host = if host.is_root() { None } else { Some(query_name(host)?) };
    Ok(Exchanger { preference, host })
}

fn is_at(record: &Record, name: &QueryName) -> bool {
    query_name(&record.name).is_ok_and(|owner| owner == *name)
}
