//! Asks every server every question, again and again, until the answers are right or the time is up: first those that
//! answer from the zone, then those that keep what they have heard.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RData;
use jiff::Timestamp;
use tokio::time::Instant;

use super::{Expectation, Role, Server};
use crate::base::clock::Clock;
use crate::base::text;
use crate::model::name::DomainName;
use crate::model::record::RecordType;
use crate::provider::dns::{self, Answered};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// The first pause before asking again; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long after the time is up an answer is still waited for, so that even no time at all asks everybody once.
const GRACE: Duration = Duration::from_secs(1);
/// Questions under way at once.
const AT_ONCE: usize = 16;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Who is being asked.
    pub role: Role,
    /// Questions that were answered right.
    pub right: usize,
    /// Questions in all.
    pub of: usize,
}

/// A question that was not answered right when the time was up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// Who was asked.
    pub server: String,
    /// For which name.
    pub name: DomainName,
    /// For which type.
    pub kind: RecordType,
    /// What the last answer was.
    pub said: Said,
}

/// A last answer that was not right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// What was there before the change.
    Old {
        /// In words.
        words: String,
        /// Until when a resolver may keep saying so; unknown for a server that has not heard of the change itself.
        until: Option<Timestamp>,
    },
    /// Something else.
    Other {
        /// In words.
        words: String,
        /// As above.
        until: Option<Timestamp>,
    },
    /// No answer, and why.
    Nothing(String),
}

/// How it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Who was asked.
    pub servers: Vec<String>,
    /// Questions that were put, to all servers together.
    pub questions: usize,
    /// What was not right in the end, most telling first.
    pub late: Vec<Late>,
    /// Who could not be asked, and why.
    pub unasked: Vec<String>,
}

impl Report {
    /// Whether everybody answers what was declared.
    pub fn is_good(&self) -> bool {
        self.late.is_empty() && self.unasked.is_empty()
    }
}

/// A question to a server, and what is right.
type Pair<'a> = (&'a Server, &'a Expectation);
/// A question that is not answered right yet, with the last wrong answer.
type Open<'a> = (Pair<'a>, Option<Late>);

/// Asks until all is right or `time` has passed.
pub async fn wait(
    expectations: &[Expectation],
    servers: &[Server],
    time: Duration,
    clock: Clock,
    watch: &(dyn Fn(Tally) + Sync),
) -> Report {
    let deadline = Instant::now() + time;
    let mut report = Report {
        servers: servers.iter().map(|server| server.name.clone()).collect(),
        ..Report::default()
    };
    for role in [Role::Authoritative, Role::Resolver] {
        let asked = servers.iter().filter(|server| server.role == role);
        let open: Vec<Open<'_>> = asked
            .flat_map(|server| expectations.iter().map(move |expectation| (server, expectation)))
            .filter(|(server, expectation)| server.zone.as_ref().is_none_or(|zone| *zone == expectation.zone))
            .map(|pair| (pair, None))
            .collect();
        report.questions += open.len();
        // A resolver that asks too early would keep the old answer for its TTL, so those of the zone come first.
        let late = stage(role, open, deadline, clock, watch).await;
        if !late.is_empty() {
            report.late = late;
            break;
        }
    }
    report
}

async fn stage(
    role: Role,
    mut open: Vec<Open<'_>>,
    deadline: Instant,
    clock: Clock,
    watch: &(dyn Fn(Tally) + Sync),
) -> Vec<Late> {
    let of = open.len();
    let mut pause = FIRST_PAUSE;
    loop {
        watch(Tally {
            role,
            right: of - open.len(),
            of,
        });
        let mut late: Vec<(Pair<'_>, Late)> = stream::iter(open)
            .map(|(pair, last)| async move { Some((pair, look(pair, last, deadline + GRACE, clock).await?)) })
            .buffer_unordered(AT_ONCE)
            .filter_map(|late| async move { late })
            .collect()
            .await;
        late.sort_by(|(_, a), (_, b)| (&a.name, a.kind, &a.server).cmp(&(&b.name, b.kind, &b.server)));
        let left = deadline.saturating_duration_since(Instant::now());
        if late.is_empty() || left.is_zero() {
            return late.into_iter().map(|(_, late)| late).collect();
        }
        open = late.into_iter().map(|(pair, late)| (pair, Some(late))).collect();
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// `None` when the answer is right. Past `end` nobody is asked any more, and what was heard `last` stands: many questions
/// to a silent server would otherwise take many times the time that was given.
async fn look((server, expectation): Pair<'_>, last: Option<Late>, end: Instant, clock: Clock) -> Option<Late> {
    let left = end.saturating_duration_since(Instant::now());
    let answer = if left.is_zero() {
        if last.is_some() {
            return last;
        }
        Err("the time was up before it was asked".to_owned())
    } else {
        ask(server, expectation, PATIENCE.min(left)).await
    };
    let said = match answer {
        Err(words) => Said::Nothing(words),
        Ok(message) => {
            let answers = records(&message, server.role, expectation.kind);
            if expectation.is_met_by(&answers) {
                return None;
            }
            let words = words(expectation, &answers);
            // What stands in the zone itself does not run out.
            let until = (!message.metadata.authoritative)
                .then(|| kept(expectation, &answers, &message))
                .flatten()
                .map(|seconds| clock.now() + Duration::from_secs(u64::from(seconds)));
            if expectation.is_old(&answers) {
                Said::Old { words, until }
            } else {
                Said::Other { words, until }
            }
        }
    };
    Some(Late {
        server: server.name.clone(),
        name: expectation.name.clone(),
        kind: expectation.kind,
        said,
    })
}

async fn ask(server: &Server, expectation: &Expectation, patience: Duration) -> Result<Message, String> {
    let recursion = server.role == Role::Resolver;
    let asked = dns::question(&expectation.name, expectation.kind, recursion)
        .ok_or_else(|| format!("{} is no name that DNS can carry", expectation.name))?;
    let answer = dns::ask(server.address, &asked, patience)
        .await
        .map_err(|failure| failure.to_string())?;
    match answer.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => Ok(answer),
        code => Err(format!("it answers {}", text::sanitize(&code.to_string()))),
    }
}

/// A delegation is answered by pointing there, from the zone above and not in the answer itself.
fn records(message: &Message, role: Role, kind: RecordType) -> Vec<Answered> {
    let mut records = dns::answered(&message.answers);
    if records.is_empty()
        && kind == RecordType::Ns
        && (role == Role::Authoritative || !message.metadata.recursion_available)
    {
        records = dns::answered(&message.authorities);
    }
    records
}

fn words(expectation: &Expectation, answers: &[Answered]) -> String {
    let own: Vec<String> = expectation
        .own(answers)
        .map(|answered| {
            let data = text::shorten(&text::sanitize(&answered.data.to_string()), 80);
            if answered.data.kind() == expectation.kind {
                data
            } else {
                format!("{} {data}", answered.data.kind())
            }
        })
        .take(4)
        .collect();
    if own.is_empty() {
        "nothing".to_owned()
    } else {
        text::list(&own)
    }
}

/// Seconds that a resolver may still keep its answer; for «nothing» see RFC 2308 §5.
fn kept(expectation: &Expectation, answers: &[Answered], message: &Message) -> Option<u32> {
    let own = expectation.own(answers).map(|answered| answered.ttl).max();
    own.or_else(|| {
        message.authorities.iter().find_map(|record| match &record.data {
            RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
            _ => None,
        })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::record::RecordData;
    use crate::model::record_set::{Record, RecordSet};
    use crate::verify::answers::{expectations, servers};

    #[tokio::test]
    async fn many_questions_to_a_silent_server_take_no_longer_than_one() {
        let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let server = servers::named(&silent.local_addr().unwrap().to_string()).unwrap();
        let zone = DomainName::parse("acme.example").unwrap();
        let sets: Vec<RecordSet> = (0..200)
            .map(|number| {
                let name = DomainName::parse(&format!("h{number}.acme.example")).unwrap();
                let data = RecordData::parse(RecordType::A, "192.0.2.1", &zone).unwrap();
                RecordSet::new(zone.clone(), name, RecordType::A, vec![Record::new(data)])
            })
            .collect();
        let expected = expectations(sets.iter().map(|set| (None, Some(set))), |_| false);
        let begun = Instant::now();
        let report = wait(&expected, &[server], Duration::ZERO, Clock::System, &|_| {}).await;
        assert!(begun.elapsed() < 2 * GRACE, "{:?}", begun.elapsed());
        assert_eq!(report.late.len(), 200, "each is said to be open");
        let asked = |late: &&Late| matches!(&late.said, Said::Nothing(words) if words.contains("in time"));
        assert_eq!(report.late.iter().filter(asked).count(), AT_ONCE);
    }
}
