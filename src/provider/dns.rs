//! The one DNS transport: messages over UDP and TCP, bounded in time, never repeated behind the caller's back. It knows
//! messages and where a server is, and no key, no zone and no plan.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{DNSClass, Name, RData, Record};
use hickory_proto::serialize::binary::{BinEncodable as _, BinEncoder, NameEncoding};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::base::text;
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::provider::ProviderError;
use crate::provider::http::Failure;

/// The port of DNS.
const PORT: u16 = 53;
/// Octets of an answer over UDP that pass every network (the DNS flag day of 2020).
const PAYLOAD: u16 = 1_232;

/// Reads the address of a server, `HOST` or `HOST:PORT`, into `dns://HOST:PORT`. `variable` names where else it may be
/// said.
pub fn server(said: &str, variable: &str) -> Result<Url, ProviderError> {
    let help =
        format!("write HOST or HOST:PORT, such as ns1.acme.example:53, as `server` in the spec or in {variable}");
    if said.is_empty() {
        return Err(ProviderError::new("no-server", "it is not said which DNS server takes updates").help(help));
    }
    let bare = said.strip_prefix("dns://").unwrap_or(said);
    let is_bare_v6 = bare.parse::<std::net::Ipv6Addr>().is_ok();
    let text = if is_bare_v6 {
        format!("dns://[{bare}]")
    } else {
        format!("dns://{bare}")
    };
    let url = Url::parse(&text).ok().filter(|url| {
        let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        let has_host = url.host_str().is_some_and(|host| !host.is_empty());
        is_plain && has_host && matches!(url.path(), "" | "/") && url.fragment().is_none()
    });
    url.ok_or_else(|| {
        let shown = text::shorten(&text::sanitize(said), 80);
        ProviderError::new("bad-server", format!("`{shown}` is no address of a DNS server")).help(help)
    })
}

/// Host and port of a server, for messages and look-ups.
pub fn host_and_port(server: &Url) -> String {
    format!(
        "{}:{}",
        server.host_str().unwrap_or_default(),
        server.port().unwrap_or(PORT)
    )
}

/// The name as messages carry it.
pub fn name(name: &DomainName) -> Option<Name> {
    let mut name = Name::from_labels(name.labels().map(str::as_bytes)).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// A question about one type at one name; none about a type that is no part of DNS.
pub fn question(owner: &DomainName, kind: RecordType, recursion: bool) -> Option<Message> {
    let mut message = Message::query();
    message.metadata.op_code = OpCode::Query;
    message.metadata.recursion_desired = recursion;
    let mut query = Query::new();
    query.set_name(name(owner)?);
    query.set_query_class(DNSClass::IN);
    query.set_query_type(kind.number()?.into());
    message.add_query(query);
    let mut edns = Edns::new();
    edns.set_max_payload(PAYLOAD).set_version(0);
    message.set_edns(edns);
    Some(message)
}

/// Whether `answer` belongs to `asked`.
pub fn belongs(answer: &Message, asked: &Message) -> bool {
    let same_question = match (answer.queries.first(), asked.queries.first()) {
        (Some(answered), Some(asked)) => answered == asked,
        // An error may come without the question.
        (None, _) => true,
        (Some(_), None) => false,
    };
    answer.metadata.id == asked.metadata.id && answer.metadata.message_type == MessageType::Response && same_question
}

/// Over UDP first, and over TCP when the answer does not fit.
pub async fn ask(server: SocketAddr, asked: &Message, patience: Duration) -> Result<Message, Failure> {
    let answer = ask_over_udp(server, asked, patience).await?;
    if answer.metadata.truncation {
        return ask_over_tcp(server, asked, patience).await;
    }
    Ok(answer)
}

/// Over UDP: whatever does not belong to the question is passed over.
pub async fn ask_over_udp(server: SocketAddr, asked: &Message, patience: Duration) -> Result<Message, Failure> {
    let deadline = Instant::now() + patience;
    let octets = octets(asked)?;
    let local: SocketAddr = match server {
        SocketAddr::V4(_) => ([0; 4], 0).into(),
        SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
    };
    let not_sent = |error: std::io::Error| Failure::NotSent(format!("{server} could not be reached: {error}"));
    let lost = |error: std::io::Error| Failure::Lost(format!("{server} did not answer: {error}"));
    let socket = UdpSocket::bind(local).await.map_err(not_sent)?;
    // A connected socket hears nobody else.
    socket.connect(server).await.map_err(not_sent)?;
    socket.send(&octets).await.map_err(not_sent)?;
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let length = timeout_at(deadline, socket.recv(&mut buffer))
            .await
            .map_err(|_| Failure::Lost(format!("{server} did not answer in time")))?
            .map_err(lost)?;
        match Message::from_vec(&buffer[..length]) {
            Ok(answer) if belongs(&answer, asked) => return Ok(answer),
            Ok(_) | Err(_) => {}
        }
    }
}

/// Over TCP.
pub async fn ask_over_tcp(server: SocketAddr, asked: &Message, patience: Duration) -> Result<Message, Failure> {
    let deadline = Instant::now() + patience;
    let mut connection = Connection::open(&server.to_string(), deadline).await?;
    connection.send(&octets(asked)?).await?;
    let octets = connection.receive().await?;
    match Message::from_vec(&octets) {
        Ok(answer) if belongs(&answer, asked) => Ok(answer),
        Ok(_) | Err(_) => Err(Failure::Lost(format!("{server} answered something that is no answer"))),
    }
}

/// A record of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Its owner.
    pub owner: DomainName,
    /// Seconds that it may be kept.
    pub ttl: u32,
    /// What it says.
    pub data: RecordData,
}

/// The records of a section that a spec could hold; others are no matter of ours.
pub fn answered(section: &[Record]) -> Vec<Answered> {
    let record = |record: &Record| {
        let kind = RecordType::from_number(record.record_type().into())?;
        Some(Answered {
            owner: DomainName::parse(&record.name.to_ascii()).ok()?,
            ttl: record.ttl,
            data: RecordData::from_wire(kind, &octets_of(&record.data)?).ok()?,
        })
    };
    section.iter().filter_map(record).collect()
}

/// The octets of a record's data, names uncompressed.
pub fn octets_of(data: &RData) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    let mut encoder = BinEncoder::new(&mut octets);
    encoder.set_name_encoding(NameEncoding::Uncompressed);
    data.emit(&mut encoder).ok()?;
    Some(octets)
}

/// A message in octets.
pub fn octets(message: &Message) -> Result<Vec<u8>, Failure> {
    message
        .to_vec()
        .map_err(|error| Failure::NotSent(format!("the message could not be written: {error}")))
}

/// A TCP connection to a server, up to a deadline.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    peer: String,
    deadline: Instant,
}

impl Connection {
    /// Connects; a name is looked up first. Nothing is sent yet.
    pub async fn open(host_and_port: &str, deadline: Instant) -> Result<Self, Failure> {
        let peer = text::shorten(&text::sanitize(host_and_port), 120);
        let stream = timeout_at(deadline, TcpStream::connect(host_and_port))
            .await
            .map_err(|_| Failure::NotSent(format!("{peer} could not be reached in time")))?
            .map_err(|error| Failure::NotSent(format!("{peer} could not be reached: {error}")))?;
        Ok(Self { stream, peer, deadline })
    }

    /// Sends a message with its length before it (RFC 1035 §4.2.2). From here on it may have arrived.
    pub async fn send(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let length = u16::try_from(octets.len())
            .map_err(|_| Failure::NotSent("the message is larger than DNS allows".to_owned()))?;
        let mut framed = length.to_be_bytes().to_vec();
        framed.extend_from_slice(octets);
        let sent = timeout_at(self.deadline, self.stream.write_all(&framed)).await;
        sent.map_err(|_| self.late())?.map_err(|error| self.broke(&error))
    }

    /// The next message.
    pub async fn receive(&mut self) -> Result<Vec<u8>, Failure> {
        let read = async {
            let length = self.stream.read_u16().await?;
            let mut octets = vec![0; usize::from(length)];
            self.stream.read_exact(&mut octets).await?;
            Ok(octets)
        };
        match timeout_at(self.deadline, read).await {
            Ok(Ok(octets)) => Ok(octets),
            Ok(Err(error)) => Err(self.broke(&error)),
            Err(_) => Err(self.late()),
        }
    }

    fn late(&self) -> Failure {
        Failure::Lost(format!("{} did not answer in time", self.peer))
    }

    fn broke(&self, error: &std::io::Error) -> Failure {
        Failure::Lost(format!(
            "the connection to {} broke before the answer: {error}",
            self.peer
        ))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_host_with_or_without_a_port() {
        for (text, read) in [
            ("ns1.acme.example", "ns1.acme.example:53"),
            ("ns1.acme.example:5353", "ns1.acme.example:5353"),
            ("192.0.2.1:54", "192.0.2.1:54"),
            ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]:54", "[2001:db8::1]:54"),
            ("dns://ns1.acme.example", "ns1.acme.example:53"),
        ] {
            assert_eq!(host_and_port(&server(text, "X").unwrap()), read);
        }
        for bad in ["", "a b", "host/path", "user@host", "https://host", "host:x", "host?x"] {
            assert!(server(bad, "X").is_err(), "{bad}");
        }
    }
}
