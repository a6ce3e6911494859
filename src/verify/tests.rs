//! The road from a question to a finding: all kinds of findings once more, asked of a DNS server by the real resolver.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::resolver::{Resolver, ResolverAddress};
use super::served_policy;
use super::zone_server::ZoneServer;
use crate::mail::dns::{self, Dns as _, Exchanger, Lookup, MemoryZone, QueryName, Question, Stored};
use crate::mail::findings::facts::{Declared, PolicyFetch};
use crate::mail::findings::gather::gather;
use crate::mail::findings::tests::cases::cases;
use crate::mail::findings::tests::{declared, zone};
use crate::mail::findings::{CATALOGUE, Judgement, judge};

fn name(text: &str) -> QueryName {
    QueryName::parse(text).unwrap()
}

fn resolver(server: &ZoneServer) -> Resolver {
    let address: ResolverAddress = server.address().to_string().parse().unwrap();
    Resolver::new(Some(address), Duration::from_secs(10)).unwrap()
}

async fn judged(resolver: &Resolver, declare: &dyn Fn(&mut Declared)) -> Judgement {
    let mut declared = declared();
    declare(&mut declared);
    judge(&gather(resolver, declared).await)
}

#[tokio::test]
async fn each_kind_is_found_over_the_wire_where_it_is_and_not_where_it_is_not() {
    let server = ZoneServer::start(MemoryZone::default());
    let resolver = resolver(&server);
    let mut seen = BTreeSet::new();
    for (id, with, declare, severity, without, undeclare) in cases().copied() {
        server.serve(zone(with));
        let found = judged(&resolver, &declare).await;
        assert!(
            found
                .findings
                .iter()
                .any(|finding| finding.id == id && finding.severity == severity),
            "{id} {severity:?} with {with:?}: {found:#?}"
        );
        // What comes over the wire is judged as what lies in memory.
        let mut expected = declared();
        declare(&mut expected);
        let in_memory = judge(&gather(&zone(with), expected).now_or_never().unwrap());
        let ids = |judgement: &Judgement| {
            judgement
                .findings
                .iter()
                .map(|one| (one.id, one.message.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(&found), ids(&in_memory), "{id} with {with:?}");
        server.serve(zone(without));
        let none = judged(&resolver, &undeclare).await;
        assert!(!none.has(id), "{id} without {without:?}: {none:#?}");
        seen.insert(id);
    }
    // Sizes need long values: a record that only TCP can carry.
    let long: Vec<String> = (0..90).map(|at| format!("ip4:198.51.100.{at}")).collect();
    let long = format!("acme.example TXT v=spf1 ip4:192.0.2.0/24 {} ~all", long.join(" "));
    let before = server.streams();
    server.serve(zone(&["-acme.example TXT", &long]));
    assert!(judged(&resolver, &|_| ()).await.has("spf-size"));
    assert!(server.streams() > before, "a large answer comes over TCP");
    server.serve(zone(&[]));
    assert_eq!(judged(&resolver, &|_| ()).await, Judgement::default());
    seen.insert("spf-size");
    assert_eq!(seen.len(), CATALOGUE.len());
}

#[tokio::test]
async fn what_is_not_answered_is_unknown_and_never_good_or_bad() {
    let fails = [
        "acme.example FAIL",
        "_dmarc.acme.example FAIL",
        "s1._domainkey.acme.example FAIL",
    ];
    let server = ZoneServer::start(zone(&fails));
    let judgement = judged(&resolver(&server), &|_| ()).await;
    assert_eq!(judgement.findings, []);
    let unknown: BTreeSet<&str> = judgement.unknown.iter().map(|unknown| unknown.id).collect();
    for id in ["spf-missing", "dkim-missing", "dmarc-missing", "mx-missing"] {
        assert!(unknown.contains(id), "{id}: {unknown:?}");
    }
    assert!(
        judgement
            .unknown
            .iter()
            .any(|unknown| unknown.why.contains("Server Failure")),
        "{:?}",
        judgement.unknown
    );
}

#[tokio::test]
async fn silence_and_a_closed_port_are_failures() {
    let server = ZoneServer::start(MemoryZone::default());
    let address: ResolverAddress = server.address().to_string().parse().unwrap();
    let hasty = Resolver::new(Some(address), Duration::from_millis(200)).unwrap();
    let silent = hasty.txt(&name("silent.example")).await;
    assert!(
        silent.failure().is_some_and(|why| why.contains("no answer")),
        "{silent:?}"
    );
    assert_eq!(hasty.txt(&name("other.example")).await, Lookup::NoSuchName);
    drop(server);
    let closed = hasty.txt(&name("other.example")).await;
    assert!(closed.failure().is_some(), "{closed:?}");
}

#[tokio::test]
async fn answers_come_as_they_stand_in_the_zone() {
    let mut zone = MemoryZone::default();
    let long = vec![b'x'; 700];
    zone.add(&name("a.example"), Stored::Txt(long.clone()))
        .add(&name("a.example"), Stored::Txt(b"\x00\xff\"\\".to_vec()))
        .add(
            &name("a.example"),
            Stored::Mx(Exchanger {
                preference: 0,
                host: None,
            }),
        )
        .add(&name("alias.example"), Stored::Cname(name("a.example")))
        .add(&name("odd label %{x}.example"), Stored::Txt(b"odd".to_vec()))
        .fail(&name("a.example"), Some(Question::Aaaa));
    let server = ZoneServer::start(zone);
    let resolver = resolver(&server);
    let expected: BTreeSet<Vec<u8>> = [long, b"\x00\xff\"\\".to_vec()].into();
    for at in ["a.example", "alias.example"] {
        let values = dns::txt(&resolver, &name(at)).await;
        assert_eq!(
            values.records().iter().cloned().collect::<BTreeSet<_>>(),
            expected,
            "{at}"
        );
    }
    assert_eq!(resolver.mx(&name("a.example")).await.records()[0].host, None);
    assert_eq!(
        resolver.cname(&name("alias.example")).await,
        Lookup::Records(vec![name("a.example")])
    );
    assert_eq!(resolver.cname(&name("a.example")).await, Lookup::NoData);
    assert_eq!(resolver.a(&name("a.example")).await, Lookup::NoData);
    assert!(resolver.aaaa(&name("a.example")).await.failure().is_some());
    assert_eq!(
        resolver.txt(&name("odd label %{x}.example")).await,
        Lookup::Records(vec![b"odd".to_vec()])
    );
    assert_eq!(resolver.txt(&name("b.example")).await, Lookup::NoSuchName);
}

#[tokio::test]
async fn a_policy_host_without_an_address_is_sure_and_one_that_is_not_answered_is_not() {
    let server = ZoneServer::start(zone(&[]));
    let resolver = resolver(&server);
    let domain = name("acme.example");
    let ask = || served_policy::fetch(&resolver, &domain, Duration::from_secs(10));
    assert_eq!(ask().await, PolicyFetch::NoHost);
    for line in ["mta-sts.acme.example FAIL", "mta-sts.acme.example FAILA"] {
        server.serve(zone(&[line]));
        let PolicyFetch::Failed(why) = ask().await else {
            panic!("{line}");
        };
        assert!(why.contains("Server Failure"), "{why}");
    }
}

#[test]
fn resolvers_are_named_by_address_and_port() {
    for good in ["9.9.9.9", "9.9.9.9:5353", "::1", "[::1]", "[::1]:53"] {
        assert!(good.parse::<ResolverAddress>().is_ok(), "{good}");
    }
    for bad in ["dns.example", "9.9.9.9:", "", "9.9.9"] {
        assert!(bad.parse::<ResolverAddress>().is_err(), "{bad}");
    }
}
