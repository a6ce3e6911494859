//! What can be copied and what cannot, the lock file, and a record that says the same before and after.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use futures_util::FutureExt as _;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::mail::dns::{MemoryZone, Stored};
use crate::mail::spf::build::{Builder, Layout};
use crate::mail::spf::lock::{Lock, Locked};
use crate::mail::spf::tests::zone;
use crate::mail::spf::{Client, Outcome, check_host};
use crate::model::record::txt::wire_length;

fn name(text: &str) -> QueryName {
    QueryName::parse(text).unwrap()
}

fn flattened(lines: &[&str]) -> Result<Flat, NotFlat> {
    flatten(&zone(lines), &name("p.example")).now_or_never().unwrap()
}

#[test]
fn a_tree_becomes_its_addresses_and_says_where_they_are_from() {
    let flat = flattened(&[
        "p.example TXT v=spf1 include:a.example include:b.example ~all",
        "a.example TXT v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 a:host.example/31 exp=why.example ?all",
        "host.example A 198.51.100.7",
        "host.example AAAA 2001:db8::7",
        "b.example TXT v=spf1 mx redirect=c.example",
        "b.example MX host.example",
        "c.example TXT v=spf1 ip4:203.0.113.9 -all",
    ])
    .unwrap();
    let networks: Vec<String> = flat.networks.iter().map(ToString::to_string).collect();
    assert_eq!(
        networks,
        ["192.0.2.0/24", "198.51.100.6/31", "203.0.113.9", "2001:db8::7"]
    );
    assert_eq!(
        flat.records.keys().collect::<Vec<_>>(),
        ["a.example", "b.example", "c.example", "p.example"]
    );
    // Itself, a, a:host, b, mx and the redirect.
    assert_eq!(flat.lookups, 6);
}

#[test]
fn what_would_not_mean_the_same_is_refused_with_the_reason() {
    let many: Vec<String> = (0..11).map(|at| format!("p.example MX h{at}.example")).collect();
    let deep = format!(
        "p.example TXT v=spf1{} -all",
        " a:host.example/24".repeat(10).replace("/24", "")
    );
    let list: Vec<String> = (0..=MOST_NETWORKS)
        .map(|at| format!("ip4:10.{}.{}.1", at / 250, at % 250))
        .collect();
    let long = format!("p.example TXT v=spf1 {} -all", list.join(" "));
    let mx: Vec<&str> = ["p.example TXT v=spf1 mx -all"]
        .into_iter()
        .chain(many.iter().map(String::as_str))
        .collect();
    let cases: &[(&[&str], &str)] = &[
        (&[], "p.example has no SPF record"),
        (&["p.example TXT v=spf1 ip4:1 -all"], "has an error"),
        (
            &["p.example TXT v=spf1 -all", "p.example TXT v=spf1 -all"],
            "2 SPF records",
        ),
        (
            &["p.example TXT v=spf1 ip4:192.0.2.1 exists:%{i}.x.example -all"],
            "`exists:%{i}.x.example (in p.example)`",
        ),
        (&["p.example TXT v=spf1 ptr -all"], "depends on the message"),
        (
            &["p.example TXT v=spf1 include:%{d2}.%{s}.example -all"],
            "depends on the message",
        ),
        (
            &["p.example TXT v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/24 -all"],
            "`-ip4:192.0.2.1` excepts",
        ),
        (
            &[
                "p.example TXT v=spf1 include:q.example -all",
                "q.example TXT v=spf1 ?ip4:192.0.2.1 ip4:192.0.2.0/24 -all",
            ],
            "`?ip4:192.0.2.1` excepts",
        ),
        (&["p.example TXT v=spf1 ip4:192.0.2.1 +all"], "lets everybody send"),
        (
            &["p.example TXT v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all"],
            "lets 0.0.0.0/0 send",
        ),
        (&["p.example TXT v=spf1 ip6:::/0 -all"], "which is everybody"),
        (&["p.example TXT v=spf1 -all"], "lets nobody send"),
        (
            &["p.example TXT v=spf1 include:gone.example ip4:192.0.2.1 -all"],
            "gone.example has no SPF record",
        ),
        (
            &["p.example TXT v=spf1 include:p.example ip4:192.0.2.1 -all"],
            "leads back to itself",
        ),
        (&mx, "11 exchangers"),
        (&[&deep, "host.example A 192.0.2.1"], "11 lookups"),
        (&[&long], "1001 networks"),
        (
            &["p.example TXT v=spf1 a:g1.example a:g2.example a:g3.example ip4:192.0.2.1 -all"],
            "3 of its terms find nothing",
        ),
    ];
    for (lines, why) in cases {
        match flattened(lines) {
            Err(NotFlat::Refused(said)) => assert!(said.contains(why), "{lines:?}: {said}"),
            other => panic!("{lines:?}: {other:?}"),
        }
    }
}

#[test]
fn what_dns_does_not_answer_is_unknown_and_never_fewer_addresses() {
    for lines in [
        &["p.example FAIL"][..],
        &[
            "p.example TXT v=spf1 ip4:192.0.2.1 include:q.example -all",
            "q.example FAIL",
        ],
        &["p.example TXT v=spf1 ip4:192.0.2.1 a:q.example -all", "q.example FAIL"],
        // Even where something else is sure to be wrong.
        &["p.example TXT v=spf1 ptr include:q.example +all", "q.example FAIL"],
    ] {
        let found = flattened(lines);
        assert!(
            matches!(&found, Err(NotFlat::Unknown(why)) if !why.is_empty()),
            "{lines:?}: {found:?}"
        );
    }
}

fn lock() -> Lock {
    let flat = flattened(&["p.example TXT v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all"]).unwrap();
    let taken = date(2026, 11, 25);
    let includes = ["p.example", "_spf.q.example"].map(|at| {
        let flat = flat.clone();
        (name(at), Locked { taken, flat })
    });
    Lock {
        includes: includes.into(),
    }
}

#[test]
fn the_lock_file_is_sorted_dated_and_reads_back_the_same() {
    let text = lock().build();
    assert_eq!(Lock::parse(&text).unwrap(), lock());
    insta::assert_snapshot!("spf_lock", text);
}

#[test]
fn a_lock_file_that_is_none_is_refused_with_the_reason() {
    let good = lock().build();
    assert!(Lock::parse(&good).is_ok());
    for (from, to, why) in [
        ("\"format\": 1", "\"format\": 2", "its format is 2"),
        ("192.0.2.0/24", "192.0.2.0/33", "is no network"),
        ("192.0.2.0/24", "0.0.0.0/0", "which is everybody"),
        ("2026-11-25", "2026-13-25", "month"),
        ("\"p.example\": {", "\"p..example\": {", "empty label"),
        ("\"taken\"", "\"token\"", "unknown field"),
        (
            "\"lookups\": 1",
            "\"lookups\": 18446744073709551615",
            "receivers stop at 10",
        ),
        ("{", "<<<<<<< HEAD\n{", "expected value"),
    ] {
        let said = Lock::parse(&good.replacen(from, to, 1)).unwrap_err();
        assert!(said.contains(why), "{from}: {said}");
    }
    let empty = good.replace("\"192.0.2.0/24\",", "").replace("\"2001:db8::/32\"", "");
    assert!(Lock::parse(&empty).unwrap_err().contains("holds 0 networks"));
    assert!(Lock::parse("").is_err());
}

fn builder(terms: &[&str]) -> Builder {
    let mut builder = Builder::new(Qualifier::SoftFail);
    for term in terms {
        builder.term(term).unwrap();
    }
    builder
}

fn networks(texts: &[&str]) -> Vec<Network> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn a_short_record_holds_the_networks_itself() {
    let flat = BTreeMap::from([("p.example".to_owned(), networks(&["192.0.2.0/24", "2001:db8::/32"]))]);
    let spf = builder(&["include:other.example", "include:P.example.", "ip4:203.0.113.9", "a"]);
    let layout = spf.flattened(&flat, "acme.example", 450);
    assert_eq!(layout.parts, []);
    assert_eq!(
        layout.record,
        "v=spf1 ip4:203.0.113.9 ip4:192.0.2.0/24 ip6:2001:db8::/32 a include:other.example ~all"
    );
    // Nothing flattened is the record as it always was.
    let as_ever = spf.flattened(&BTreeMap::new(), "acme.example", 450);
    assert_eq!(as_ever.record, spf.build());
}

#[test]
fn a_long_list_goes_to_records_of_its_own_and_exceptions_stay_before_it() {
    let many: Vec<Network> = (0..60)
        .map(|at| format!("198.51.100.{}/32", at * 2).parse().unwrap())
        .collect();
    let flat = BTreeMap::from([
        ("p.example".to_owned(), many),
        ("q.example".to_owned(), networks(&["203.0.113.0/24"])),
    ]);
    let Layout { record, parts } = builder(&["include:p.example", "include:other.example", "include:q.example"])
        .flattened(&flat, "acme.example", 450);
    assert_eq!(parts.len(), 3);
    let label = |at: usize| parts[at].0.clone();
    assert_eq!(
        record,
        format!(
            "v=spf1 include:{}.acme.example include:{}.acme.example include:{}.acme.example include:other.example ~all",
            label(0),
            label(1),
            label(2)
        )
    );
    for (_, part) in &parts {
        assert!(wire_length(part.as_bytes()) <= 450 && part.ends_with(" -all"), "{part}");
    }
    assert!(
        parts[2].1.contains("ip4:203.0.113.0/24"),
        "both share records: {parts:?}"
    );
    let excepted = builder(&["include:p.example", "-ip4:203.0.113.7", "include:q.example"]);
    let layout = excepted.flattened(&flat, "acme.example", 450);
    let last = &layout.parts.last().unwrap().0;
    let ending = format!("-ip4:203.0.113.7 include:{last}.acme.example ~all");
    assert!(layout.record.ends_with(&ending), "{}", layout.record);
}

#[test]
fn a_part_is_named_by_what_it_says_so_that_no_name_ever_says_something_else() {
    let parts = |count: u32| {
        let many: Vec<Network> = (0..count)
            .map(|at| format!("198.51.100.{}/32", at * 2).parse().unwrap())
            .collect();
        let flat = BTreeMap::from([("p.example".to_owned(), many)]);
        let spf = builder(&["include:_spf1.acme.example", "include:p.example"]);
        let Layout { record, parts } = spf.flattened(&flat, "acme.example", 450);
        assert!(record.contains("include:_spf1.acme.example"), "{record}");
        parts.into_iter().collect::<BTreeMap<_, _>>()
    };
    let (long, short) = (parts(60), parts(58));
    for (label, text) in &long {
        assert_eq!(label.len(), "_spf-".len() + 12, "{label}");
        assert!(short.get(label).is_none_or(|other| other == text), "{label}");
    }
    assert!(
        long.keys().any(|label| short.contains_key(label)),
        "what stays the same keeps its name"
    );
    assert_ne!(long, short);
}

fn outcome(zone: &MemoryZone, ip: IpAddr) -> Outcome {
    let client = Client::new(ip, "jo@acme.example", "acme.example");
    check_host(zone, &client).now_or_never().unwrap().outcome
}

fn term() -> impl Strategy<Value = String> {
    let network =
        (0_u32..64, 26_u8..=32).prop_map(|(ip, prefix)| format!("ip4:{}/{prefix}", Ipv4Addr::from(0xc000_0200 + ip)));
    prop_oneof![
        4 => network,
        1 => Just("include:a.example".to_owned()),
        1 => Just("include:b.example".to_owned()),
        1 => Just("a:h.example".to_owned()),
    ]
}

proptest! {
    #[test]
    fn whoever_passed_with_the_includes_passes_with_their_addresses_and_nobody_else(
        own in prop::collection::vec((prop_oneof![Just(""), Just("-"), Just("?")], term()), 0..4),
        a in prop::collection::vec(term().prop_filter("no loop", |term| !term.contains("a.example")), 1..8),
        b in prop::collection::vec(term().prop_filter("no loop", |term| !term.starts_with("include")), 1..8),
        room in 60_usize..450,
        probe in 0_u32..70,
    ) {
        let ip = IpAddr::V4(Ipv4Addr::from(0xc000_0200 + probe));
        let mut base = zone(&["h.example A 192.0.2.40", "h.example AAAA 2001:db8::1"]);
        base.add(&name("a.example"), Stored::Txt(format!("v=spf1 {} ?all", a.join(" ")).into_bytes()))
            .add(&name("b.example"), Stored::Txt(format!("v=spf1 {} -all", b.join(" ")).into_bytes()));
        let mut builder = Builder::new(Qualifier::SoftFail);
        for (sign, term) in &own {
            builder.term(&format!("{sign}{term}")).unwrap();
        }
        builder.term("include:a.example").unwrap();
        let mut flat = BTreeMap::new();
        for include in ["a.example", "b.example"] {
            if let Ok(found) = flatten(&base, &name(include)).now_or_never().unwrap() {
                flat.insert(include.to_owned(), found.networks);
            }
        }
        let layout = builder.flattened(&flat, "acme.example", room);
        let mut before = base.clone();
        before.add(&name("acme.example"), Stored::Txt(builder.build().into_bytes()));
        base.add(&name("acme.example"), Stored::Txt(layout.record.into_bytes()));
        for (label, part) in layout.parts {
            prop_assert!(wire_length(part.as_bytes()) <= room);
            base.add(&name(&format!("{label}.acme.example")), Stored::Txt(part.into_bytes()));
        }
        let (as_includes, as_addresses) = (outcome(&before, ip), outcome(&base, ip));
        // Too many lookups in either form are an error that the other may not have.
        if as_includes != Outcome::PermError && as_addresses != Outcome::PermError {
            prop_assert_eq!(as_includes, as_addresses);
        }
    }

    #[test]
    fn no_lock_file_makes_the_reader_panic(text in "\\PC{0,80}", at in 0_usize..400, with in "[\\x00-\\x7f]{0,4}") {
        let _ = Lock::parse(&text);
        let mut near = lock().build();
        let at = at.min(near.len());
        near.insert_str(at, &with);
        if let Ok(read) = Lock::parse(&near) {
            prop_assert_eq!(Lock::parse(&read.build()).unwrap(), read);
        }
    }
}
