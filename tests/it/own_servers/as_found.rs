//! Zones that other tools wrote, on servers that take dynamic updates: whatever form a record has there, it can be changed,
//! and what stays keeps its form. An update states what it starts from octet for octet, so a form of ours would not do.

use std::collections::BTreeSet;

use launchctl::history::RunStatus;
use launchctl::model::record::RecordType;
use launchctl::ops::apply;

use super::{Desk, ZONE, status};
use crate::servers::Server;

/// For every type a record in a form that we would not write, and another value for it.
const RECORDS: &[(&str, &str, &str)] = &[
    ("A", "192.0.2.1", "192.0.2.2"),
    ("AAAA", "2001:DB8:0:0:0::1", "2001:db8::2"),
    ("CAA", "0 ISSUE \"ca.test\"", "0 issue \"other.test\""),
    ("CERT", "PKIX 1 RSASHA256 ( aGVs bG8= )", "1 2 8 aGVsbG8="),
    ("CNAME", "Host.Other.TEST.", "new.test."),
    ("DNSKEY", "256 3 13 ( aGVs bG8= )", "256 3 14 aGVsbG8="),
    (
        "DS",
        "1 13 2 ( 0A923A62A0D29B8FD4D917A80BE6ED73 9F735D81C9E6172E2EE6079E815DD595 )",
        "2 13 2 0a923a62a0d29b8fd4d917a80be6ed739f735d81c9e6172e2ee6079e815dd595",
    ),
    (
        "HTTPS",
        "1 Svc.OTHER.test. port=8443 alpn=h2,h3 key65000=\\195\\169",
        "1 . alpn=h2",
    ),
    (
        "LOC",
        "52 22 23 N 4 53 32 E -2m 0m 10000m 10m",
        "52 22 23 N 4 53 33 E -2m 0m 10000m 10m",
    ),
    ("MX", "10 MAIL.Other.Test.", "20 mail.other.test."),
    (
        "NAPTR",
        "1 2 \"u\" \"E2U+SIP\" \"!^.*$!sip:A@B!\" Some.WHERE.test.",
        "1 3 \"u\" \"E2U+SIP\" \"!^.*$!sip:A@B!\" some.where.test.",
    ),
    ("NS", "NS1.Other.Test.", "ns2.other.test."),
    ("OPENPGPKEY", "( aGVs bG8= )", "aGVsbG8h"),
    ("PTR", "Host.Other.TEST.", "new.test."),
    (
        "SMIMEA",
        "3 1 1 ( 0A923A62A0D29B8FD4D917A80BE6ED73 9F735D81C9E6172E2EE6079E815DD595 )",
        "3 1 0 abcdef0123",
    ),
    ("SRV", "1 2 3 Sip.OTHER.test.", "1 2 4 sip.other.test."),
    (
        "SSHFP",
        "4 2 ( 0A923A62A0D29B8FD4D917A80BE6ED73 9F735D81C9E6172E2EE6079E815DD595 )",
        "1 2 0a923a62a0d29b8fd4d917a80be6ed739f735d81c9e6172e2ee6079e815dd595",
    ),
    (
        "SVCB",
        "2 Svc.OTHER.test. ipv4hint=192.0.2.1 port=53",
        "3 svc.other.test. port=53",
    ),
    (
        "TLSA",
        "3 1 1 ( 0A923A62A0D29B8FD4D917A80BE6ED73 9F735D81C9E6172E2EE6079E815DD595 )",
        "3 1 0 abcdef0123",
    ),
    ("TXT", "\"v=DMARC1; \" \"p=none\"", "v=DMARC1; p=reject"),
    ("URI", "1 2 \"HTTPS://other.test/A\"", "1 3 \"https://other.test/a\""),
];

fn owner(kind: &str) -> String {
    match kind {
        // It is the one value of its purpose, so that another takes its place.
        "TXT" => "_dmarc".to_owned(),
        "NAPTR" | "SRV" | "TLSA" | "SMIMEA" | "URI" => format!("_{}._tcp", kind.to_lowercase()),
        // Below a delegation nothing else is.
        "NS" | "DS" => "sub".to_owned(),
        kind => format!("x-{}", kind.to_lowercase()),
    }
}

fn zone_lines() -> String {
    let line = |(kind, data, _): &(&str, &str, &str)| format!("{} IN {kind} {data}\n", owner(kind));
    RECORDS.iter().map(line).collect()
}

fn servers(lines: &str) -> [Server; 2] {
    [Server::bind_with(ZONE, lines), Server::knot_with(ZONE, lines)]
}

#[tokio::test]
async fn a_record_of_every_type_that_somebody_else_wrote_can_be_changed() {
    let known: BTreeSet<&str> = RECORDS.iter().map(|(kind, _, _)| *kind).collect();
    for kind in RecordType::ALL {
        assert!(known.contains(kind.as_str()), "{kind} is not in the table");
    }
    for server in servers(&zone_lines()) {
        let (desk, algorithm) = (Desk::at(&server), server.algorithm);
        let live = desk.live_of("{ type: A, name: x-a, value: 192.0.2.1, ttl: 1h }").await;
        assert_eq!(live.len(), RECORDS.len(), "{algorithm}: {live:#?}");
        // One after the other, so that a failure names its type.
        for (kind, _, after) in RECORDS {
            let value = after.replace('\'', "''");
            let name = owner(kind);
            let mut records = vec![format!(
                "{{ type: {kind}, name: \"{name}\", value: '{value}', ttl: 1h }}"
            )];
            // A delegation is signed beside its name servers.
            records
                .extend((*kind == "DS").then(|| "{ type: NS, name: sub, value: ns1.other.test., ttl: 1h }".to_owned()));
            desk.spec(&records.iter().map(String::as_str).collect::<Vec<_>>());
            let (session, ready) = desk.prepare().await;
            assert_eq!(
                ready.planned.plan.changes.len(),
                1,
                "{algorithm} {kind}: {:#?}",
                ready.planned.plan.changes
            );
            assert!(ready.planned.plan.changes[0].before.is_some(), "{algorithm} {kind}");
            let outcome = apply::carry_out(&session, ready, &|_| {}).await.unwrap();
            assert_eq!(status(&outcome), RunStatus::Applied, "{algorithm} {kind}: {outcome:#?}");
            assert!(desk.plan().await.plan.is_empty(), "{algorithm} {kind}");
            desk.forget();
        }
    }
}

#[tokio::test]
async fn texts_that_stay_are_split_where_somebody_else_split_them() {
    let lines = "t IN TXT \"a\" \"bc\"\nt IN TXT \"ab\" \"c\"\nt IN TXT \"theirs \" \"too\"\n";
    for server in servers(lines) {
        let (desk, algorithm) = (Desk::at(&server), server.algorithm);
        let theirs: BTreeSet<Vec<Vec<u8>>> = [["a", "bc"], ["ab", "c"], ["theirs ", "too"]]
            .map(|parts| parts.map(|part| part.as_bytes().to_vec()).to_vec())
            .into();
        let with = |text: &str| {
            let mut all = theirs.clone();
            all.insert(vec![text.as_bytes().to_vec()]);
            all
        };
        for value in ["ours", "ours, changed"] {
            desk.spec(&[&format!("{{ type: TXT, name: t, value: '{value}', ttl: 1h }}")]);
            assert_eq!(status(&desk.apply().await), RunStatus::Applied, "{algorithm}");
            assert_eq!(texts(&server).await, with(value), "{algorithm}");
        }
        desk.spec(&["{ type: A, name: a, value: 192.0.2.1 }"]);
        assert_eq!(status(&desk.apply().await), RunStatus::Applied, "{algorithm}");
        assert_eq!(texts(&server).await, theirs, "{algorithm}");
    }
}

/// The texts at `t`, each in its parts.
async fn texts(server: &Server) -> BTreeSet<Vec<Vec<u8>>> {
    let name = format!("t.{ZONE}").parse().unwrap();
    let asked = launchctl::provider::dns::question(&name, RecordType::Txt, false).unwrap();
    let patience = std::time::Duration::from_secs(10);
    let answer = launchctl::provider::dns::ask_over_tcp(server.dns, &asked, patience)
        .await
        .unwrap();
    let parts = |record: &hickory_proto::rr::Record| match &record.data {
        hickory_proto::rr::RData::TXT(txt) => txt.txt_data.iter().map(|part| part.to_vec()).collect(),
        other => panic!("{other:?}"),
    };
    answer.answers.iter().map(parts).collect()
}
