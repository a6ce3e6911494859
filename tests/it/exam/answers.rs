//! What a server answers, over UDP and TCP, compared with what the spec says: the hook of the exam for real servers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use launchctl::model::inventory::Inventory;
use launchctl::model::name::DomainName;
use launchctl::model::record::{RecordData, RecordType};
use launchctl::model::resource::Resource;
use launchctl::model::ttl::Ttl;
use launchctl::provider::dns;

const PATIENCE: Duration = Duration::from_secs(10);

type Question = (DomainName, RecordType);
/// What is said, with its TTL.
type Said = BTreeSet<(RecordData, Ttl)>;

pub fn question(resource: &Resource) -> Question {
    let set = resource.as_record_set().unwrap();
    (set.name.clone(), set.kind)
}

/// Asks for everything that is declared, and for what once was.
pub async fn check(title: &str, server: SocketAddr, zone: &DomainName, live: &Inventory, once: &BTreeSet<Question>) {
    let mut wanted: BTreeMap<Question, Said> = BTreeMap::new();
    for resource in live.values() {
        let set = resource.as_record_set().unwrap();
        let said = set.records.iter().map(|record| (record.data.clone(), record.ttl));
        wanted.entry(question(resource)).or_default().extend(said);
    }
    let has_wildcard = wanted.keys().any(|(name, _)| name.is_wildcard());
    for gone in once.iter().filter(|_| !has_wildcard) {
        wanted.entry(gone.clone()).or_default();
    }
    let mut questions: Vec<(DomainName, RecordType, &Said)> = Vec::new();
    for ((name, kind), said) in &wanted {
        questions.push((name.clone(), *kind, said));
        if let (true, Some(parent)) = (name.is_wildcard(), name.parent()) {
            let covered = format!("nothing-else-is-here.{parent}").parse().unwrap();
            questions.push((covered, *kind, said));
        }
    }
    stream::iter(questions)
        .for_each_concurrent(16, |(name, kind, said)| async move {
            let (over_udp, over_tcp) = answers(server, zone, &name, kind).await;
            assert_eq!(over_udp, *said, "{title}: {kind} {name} over UDP");
            assert_eq!(over_tcp, *said, "{title}: {kind} {name} over TCP");
        })
        .await;
}

async fn answers(server: SocketAddr, zone: &DomainName, name: &DomainName, kind: RecordType) -> (Said, Said) {
    let asked = dns::question(name, kind, false).unwrap();
    let over_udp = dns::ask(server, &asked, PATIENCE).await.unwrap();
    let over_tcp = dns::ask_over_tcp(server, &asked, PATIENCE).await.unwrap();
    let said = |message: &hickory_proto::op::Message| -> Said {
        // A delegation is answered by pointing there.
        let section = if kind == RecordType::Ns && name != zone {
            &message.authorities
        } else {
            &message.answers
        };
        dns::answered(section)
            .into_iter()
            .filter(|answered| answered.owner == *name && answered.data.kind() == kind)
            .map(|answered| (answered.data, Ttl::Seconds(answered.ttl)))
            .collect()
    };
    (said(&over_udp), said(&over_tcp))
}
