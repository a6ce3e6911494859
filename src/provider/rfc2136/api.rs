//! The three things that a server is asked: the whole zone (AXFR, RFC 5936), an update (RFC 2136), its serial. Signed,
//! over TCP. Knows no change; every answer is checked before anything in it is used.

use std::time::Duration;

use hickory_proto::op::{Message, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, RData, RecordType as WireType};
use tokio::time::Instant;

use super::transfer::{Transfer, Transferred};
use super::tsig::{Key, Proof, Verdict};
use crate::base::text;
use crate::model::name::DomainName;
use crate::model::record::RecordType;
use crate::provider::dns::{self, Connection};
use crate::provider::http::Failure;
use crate::provider::{ApiRefusal, ProviderError};

/// Why there is no good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Denied {
    /// The server refused.
    Refused(ApiRefusal),
    /// Nothing was sent.
    NotSent(String),
    /// No answer, or none that can be relied on.
    Lost(String),
}

impl From<Failure> for Denied {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotSent(words) => Self::NotSent(words),
            Failure::Lost(words) => Self::Lost(words),
        }
    }
}

impl Denied {
    /// What the other side said, in one line.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.to_string(),
            Self::NotSent(words) | Self::Lost(words) => words.clone(),
        }
    }

    /// The error of a read: what was being done, what was said, what to do.
    pub(super) fn while_reading(&self, zone: &DomainName, server: &str) -> ProviderError {
        let code = match self {
            Self::Refused(refusal) if refusal.code == "NOTAUTH" => "zone-not-found",
            Self::Refused(_) => "forbidden",
            Self::NotSent(_) | Self::Lost(_) => "no-answer",
        };
        let message = format!("could not transfer the zone {zone} from {server}: {}", self.words());
        let error = ProviderError::new(code, message);
        match self {
            Self::Refused(refusal) => match super::quirks::advice(refusal) {
                Some(advice) => error.help(advice),
                None => error,
            },
            Self::NotSent(_) | Self::Lost(_) => {
                error.help("nothing was changed; is the server up, and does it answer over TCP?")
            }
        }
    }
}

/// A server, and the key that is shared with it.
#[derive(Debug)]
pub(super) struct Server {
    /// `HOST:PORT`.
    pub address: String,
    /// The key.
    pub key: Key,
    /// How long one exchange may take.
    pub timeout: Duration,
}

impl Server {
    /// The whole zone.
    pub(super) async fn transfer(&self, zone: &DomainName) -> Result<Vec<Transferred>, Denied> {
        let mut connection = Connection::open(&self.address, Instant::now() + self.timeout).await?;
        let mut asked = message(zone, OpCode::Query, WireType::AXFR)?;
        let mut proof = self.key.sign(&mut asked).map_err(Denied::NotSent)?;
        connection.send(&dns::octets(&asked)?).await?;
        let mut transfer = Transfer::of(asked.queries[0].name().clone());
        while !transfer.is_over() {
            let octets = connection.receive().await?;
            let answer = self.understand(&octets, &asked, &mut proof)?;
            let taken = transfer.take(&octets, &answer);
            taken.map_err(|odd| Denied::Lost(format!("{} sent no whole zone, but {odd}", self.address)))?;
        }
        if !proof.is_complete() {
            return Err(self.unproven());
        }
        Ok(transfer.into_records())
    }

    /// Sends an update, and asks for the zone's serial afterwards, when the server tells it.
    pub(super) async fn update(&self, zone: &DomainName, mut update: Message) -> Result<Option<u32>, Denied> {
        let mut connection = Connection::open(&self.address, Instant::now() + self.timeout).await?;
        let mut proof = self.key.sign(&mut update).map_err(Denied::NotSent)?;
        connection.send(&dns::octets(&update)?).await?;
        let octets = connection.receive().await?;
        self.understand(&octets, &update, &mut proof)?;
        if !proof.is_complete() {
            return Err(self.unproven());
        }
        Ok(self.serial(&mut connection, zone).await)
    }

    /// Only a check: a server that does not tell is no reason to doubt its signed word.
    async fn serial(&self, connection: &mut Connection, zone: &DomainName) -> Option<u32> {
        let asked = message(zone, OpCode::Query, WireType::SOA).ok()?;
        connection.send(&dns::octets(&asked).ok()?).await.ok()?;
        let octets = connection.receive().await.ok()?;
        let answer = Message::from_vec(&octets)
            .ok()
            .filter(|answer| dns::belongs(answer, &asked))?;
        answer.answers.iter().find_map(|record| match &record.data {
            RData::SOA(soa) => Some(soa.serial),
            _ => None,
        })
    }

    fn unproven(&self) -> Denied {
        Denied::Lost(format!(
            "{} answered without a signature that proves its answer",
            self.address
        ))
    }

    fn understand(&self, octets: &[u8], asked: &Message, proof: &mut Proof) -> Result<Message, Denied> {
        let answer = Message::from_vec(octets).map_err(|error| {
            let words = text::shorten(&text::sanitize(&error.to_string()), 200);
            Denied::Lost(format!(
                "{} answered something that could not be understood: {words}",
                self.address
            ))
        })?;
        if !dns::belongs(&answer, asked) {
            return Err(Denied::Lost(format!("{} answered another question", self.address)));
        }
        let verdict = proof.judge(octets, &answer);
        if let Verdict::Refused(code) = verdict {
            return Err(Denied::Refused(refusal(code)));
        }
        match (answer.metadata.response_code, verdict) {
            (ResponseCode::NoError, Verdict::Proven | Verdict::Open) => Ok(answer),
            (ResponseCode::NoError, _) => Err(self.unproven()),
            (ResponseCode::ServFail, _) => Err(Denied::Lost(format!(
                "{} failed at it (SERVFAIL): its log says why",
                self.address
            ))),
            // A refusal changes nothing, whoever says it, so it is taken unsigned too: some servers sign none.
            (code, _) => Err(Denied::Refused(refusal(code_name(code)))),
        }
    }
}

/// A message about a zone; in an update the question is the zone section (RFC 2136 §2.3).
pub(super) fn message(zone: &DomainName, op_code: OpCode, kind: WireType) -> Result<Message, Denied> {
    let name = dns::name(zone).ok_or_else(|| Denied::NotSent(format!("{zone} is no name that DNS can carry")))?;
    let mut message = Message::query();
    message.metadata.op_code = op_code;
    message.metadata.recursion_desired = false;
    let mut query = Query::new();
    query.set_name(name).set_query_class(DNSClass::IN).set_query_type(kind);
    message.add_query(query);
    Ok(message)
}

/// Data as a record in a message carries it.
pub(super) fn carried(kind: RecordType, octets: Vec<u8>) -> Option<RData> {
    Some(RData::Unknown {
        code: WireType::from(kind.number()?),
        rdata: hickory_proto::rr::rdata::NULL::with(octets),
    })
}

fn code_name(code: ResponseCode) -> &'static str {
    match code {
        ResponseCode::FormErr => "FORMERR",
        ResponseCode::NXDomain => "NXDOMAIN",
        ResponseCode::NotImp => "NOTIMP",
        ResponseCode::YXDomain => "YXDOMAIN",
        ResponseCode::YXRRSet => "YXRRSET",
        ResponseCode::NXRRSet => "NXRRSET",
        ResponseCode::NotAuth => "NOTAUTH",
        ResponseCode::NotZone => "NOTZONE",
        ResponseCode::BADVERS | ResponseCode::BADKEY => "BADKEY",
        ResponseCode::BADTIME => "BADTIME",
        _ => "REFUSED",
    }
}

fn refusal(code: &str) -> ApiRefusal {
    let message = match code {
        "BADKEY" => "the server does not know the key, or not with this algorithm",
        "BADSIG" => "the server finds the signature wrong",
        "BADTIME" => "the server's clock and this one are too far apart",
        "REFUSED" => "the server does not allow it for this key",
        "NOTAUTH" => "the server has no authority over the zone",
        "NOTIMP" => "the server does not do this",
        code if super::quirks::is_stale(code) => {
            "the zone is no longer what the plan starts from: the server did nothing"
        }
        _ => "the server did not take the message",
    };
    ApiRefusal {
        status: 0,
        code: code.to_owned(),
        message: message.to_owned(),
    }
}
