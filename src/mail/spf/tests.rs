//! SPF by table and by property: what the standard's own suite does not look at.
#![allow(clippy::unwrap_used, reason = "tests")]

use futures_util::FutureExt as _;
use proptest::prelude::*;

use super::analyse::{Analysis, RemarkKind, State, Voids, analyse};
use super::build::{Builder, merged};
use super::trace::Step;
use super::{Client, Outcome, Qualifier, check_host, parse, parse_value};
use crate::mail::dns::{Elsewhere, Exchanger, MemoryZone, QueryName, Question, Stored};

fn name(text: &str) -> QueryName {
    QueryName::parse(text).unwrap()
}

/// A zone of `name type value` lines.
pub(crate) fn zone(lines: &[&str]) -> MemoryZone {
    let mut zone = MemoryZone::default();
    for line in lines {
        let mut words = line.splitn(3, ' ');
        let (owner, kind, value) = (
            words.next().unwrap(),
            words.next().unwrap(),
            words.next().unwrap_or_default(),
        );
        let record = match kind {
            "TXT" => Stored::Txt(value.as_bytes().to_vec()),
            "A" => Stored::A(value.parse().unwrap()),
            "AAAA" => Stored::Aaaa(value.parse().unwrap()),
            "MX" => Stored::Mx(Exchanger {
                preference: 10,
                host: Some(name(value)),
            }),
            "PTR" => Stored::Ptr(name(value)),
            "FAIL" => {
                zone.fail(&name(owner), None);
                continue;
            }
            other => panic!("{other}"),
        };
        zone.add(&name(owner), record);
    }
    zone
}

fn walk(lines: &[&str]) -> Analysis {
    analyse(&zone(lines), &name("acme.example")).now_or_never().unwrap()
}

fn remarks(analysis: &Analysis) -> Vec<(&str, RemarkKind)> {
    analysis
        .remarks
        .iter()
        .map(|remark| (remark.term.as_str(), remark.kind.clone()))
        .collect()
}

/// Where the first error stands, and what is said about it.
fn first_error(text: &str) -> (String, String, String) {
    let malformed = parse(text).unwrap_err();
    let error = &malformed.errors[0];
    let help = error.help.clone().unwrap_or_default();
    (
        malformed.text[error.span.clone()].to_owned(),
        error.message.clone(),
        help,
    )
}

#[test]
fn syntax_errors_point_at_the_term_and_say_what_was_meant() {
    for (text, at, word) in [
        (
            "v=spf1 include:a.example~all",
            "a.example~all",
            "space is missing before `~all`",
        ),
        ("v=spf1 a:192.0.2.1 -all", "192.0.2.1", "ip4:192.0.2.1"),
        ("v=spf1 192.0.2.1 -all", "192.0.2.1", "ip4:192.0.2.1"),
        (
            "v=spf1 ip4:2001:db8::1 -all",
            "ip4:2001:db8::1",
            "write ip6:2001:db8::1",
        ),
        ("v=spf1 ip6:192.0.2.1 -all", "ip6:192.0.2.1", "write ip4:192.0.2.1"),
        ("v=spf1 ip4:host.example.com -all", "ip4:host.example.com", "`a:`"),
        ("v=spf1 ip4:192.0.2.0/33 -all", "33", "from 0 to 32"),
        ("v=spf1 inlcude:a.example -all", "inlcude", "did you mean include?"),
        (
            "v=spf1 redirect:a.example",
            "redirect:a.example",
            "write redirect=a.example",
        ),
        (
            "v=spf1 ?redirect=a.example",
            "?redirect=a.example",
            "qualifiers belong to mechanisms",
        ),
        ("v=spf1 exists:%{q}.a.example -all", "%{q}", "no macro letter"),
        ("v=spf1 exists:%{c}.a.example -all", "%{c}", "explanations only"),
        ("v=spf1 exists:%{i0}.a.example -all", "%{i0}", "at least 1"),
        (
            "v=spf1 include:a.example/24 -all",
            "a.example/24",
            "prefix length cannot stand here",
        ),
        ("v=spf1 a:mail -all", "mail", "last label"),
    ] {
        let (found, message, help) = first_error(text);
        assert_eq!(found, at, "{text}");
        assert!(
            message.contains(word) || help.contains(word),
            "{text}: {message} / {help}"
        );
    }
}

#[test]
fn every_error_is_reported_at_once() {
    let malformed = parse("v=spf1 all:x ip4:1.2.3 include: exp=a.example exp=b.example -all").unwrap_err();
    let places: Vec<&str> = malformed
        .errors
        .iter()
        .map(|error| &malformed.text[error.span.clone()])
        .collect();
    assert_eq!(places, ["all:x", "ip4:1.2.3", "", "exp=b.example"]);
    assert_eq!(malformed.terms.len(), 3);
}

#[test]
fn the_trace_tells_what_was_asked_and_what_decided() {
    let zone = zone(&[
        "acme.example TXT v=spf1 a:gone.example include:_spf.mail.example -all",
        "_spf.mail.example TXT v=spf1 mx ip4:203.0.113.0/24 ~all",
    ]);
    let client = Client::new("203.0.113.9".parse().unwrap(), "jo@acme.example", "mail.example");
    let evaluation = check_host(&zone, &client).now_or_never().unwrap();
    assert_eq!(
        (evaluation.outcome, evaluation.lookups, evaluation.voids),
        (Outcome::Pass, 3, 2)
    );
    let [gone, include] = evaluation.trace.terms.as_slice() else {
        panic!("two terms decide: {:?}", evaluation.trace.terms)
    };
    assert_eq!(
        (gone.term.as_str(), &gone.step, gone.lookups),
        ("a:gone.example", &Step::NotMatched, 1)
    );
    assert_eq!(gone.asked[0].answer, "no such name");
    assert_eq!((&include.step, include.lookups), (&Step::Matched(Outcome::Pass), 3));
    let nested = include.nested.as_ref().unwrap();
    assert_eq!(
        (nested.domain.as_str(), nested.outcome),
        ("_spf.mail.example", Outcome::Pass)
    );
    assert_eq!(nested.terms.last().unwrap().term, "ip4:203.0.113.0/24");
}

#[test]
fn exchangers_without_ipv6_addresses_are_one_term_and_no_void_lookup() {
    let zone = zone(&[
        "acme.example TXT v=spf1 mx -all",
        "acme.example MX mx1.acme.example",
        "acme.example MX mx2.acme.example",
        "acme.example MX mx3.acme.example",
        "mx1.acme.example A 192.0.2.1",
        "mx2.acme.example A 192.0.2.2",
        "mx3.acme.example A 192.0.2.3",
    ]);
    let client = Client::new("2001:db8::1".parse().unwrap(), "jo@acme.example", "x.example");
    let evaluation = check_host(&zone, &client).now_or_never().unwrap();
    assert_eq!((evaluation.outcome, evaluation.voids), (Outcome::Fail, 0));
}

#[test]
fn the_tree_is_counted_at_its_worst() {
    let analysis = walk(&[
        "acme.example TXT v=spf1 ip4:192.0.2.0/24 a:www.acme.example include:one.example include:two.example ~all",
        "www.acme.example A 192.0.2.7",
        "one.example TXT v=spf1 include:deep.example -ip4:198.51.100.9 ip4:198.51.100.0/24 ?all",
        "deep.example TXT v=spf1 ip4:203.0.113.0/25 exists:%{i}.list.example -all",
        "two.example TXT v=spf1 redirect=deep.example",
    ]);
    assert_eq!(analysis.lookups, 7, "a, one, deep, exists, two, redirect, exists");
    assert_eq!(analysis.voids, Voids { ip4: 0, ip6: 1 });
    assert_eq!(analysis.fallthrough, Some(Qualifier::SoftFail));
    let allowed: Vec<String> = analysis.allowed.iter().map(ToString::to_string).collect();
    assert_eq!(allowed, ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/25"]);
    assert_eq!(analysis.ip4_addresses(), 256 + 256 + 128);
    assert_eq!(analysis.conditional.len(), 2, "{:?}", analysis.conditional);
    let costs: Vec<usize> = analysis.tree.terms.iter().map(|term| term.lookups).collect();
    assert_eq!(costs, [0, 1, 3, 3, 0]);
}

#[test]
fn what_is_useless_wrong_or_dangerous_is_remarked() {
    for (lines, term, kind) in [
        (
            &["acme.example TXT v=spf1 -all a:x.example"][..],
            "a:x.example",
            RemarkKind::Dead,
        ),
        (
            &["acme.example TXT v=spf1 -all redirect=x.example"],
            "redirect=x.example",
            RemarkKind::RedirectWithAll,
        ),
        (
            &["acme.example TXT v=spf1 ip4:192.0.2.1 ip4:192.0.2.1 -all"],
            "ip4:192.0.2.1",
            RemarkKind::Duplicate,
        ),
        (
            &["acme.example TXT v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.1 -all"],
            "ip4:192.0.2.1",
            RemarkKind::Covered("ip4:192.0.2.0/24".into()),
        ),
        (&["acme.example TXT v=spf1 all"], "all", RemarkKind::PassesAll),
        (
            &[
                "acme.example TXT v=spf1 include:x.example -all",
                "x.example TXT v=spf1 +all",
            ],
            "+all",
            RemarkKind::PassesAll,
        ),
        (&["acme.example TXT v=spf1 ?all"], "?all", RemarkKind::NeutralAll),
        (&["acme.example TXT v=spf1 ip4:192.0.2.1"], "", RemarkKind::NoAll),
        (&["acme.example TXT v=spf1 ptr -all"], "ptr", RemarkKind::Ptr),
        (
            &["acme.example TXT v=spf1 exists:%{p}.x.example -all"],
            "exists:%{p}.x.example",
            RemarkKind::Ptr,
        ),
        (
            &["acme.example TXT v=spf1 a:x.example -all"],
            "a:x.example",
            RemarkKind::Void(Voids { ip4: 1, ip6: 1 }),
        ),
        (
            &[
                "acme.example TXT v=spf1 include:x.example -all",
                "x.example A 192.0.2.1",
            ],
            "include:x.example",
            RemarkKind::BadTarget("x.example has no SPF record".into()),
        ),
        (
            &["acme.example TXT v=spf1 include:acme.example -all"],
            "include:acme.example",
            RemarkKind::Loop,
        ),
        (
            &["acme.example TXT v=spf1 include=x.example -all"],
            "include=x.example",
            RemarkKind::MechanismAsModifier("include".into()),
        ),
        (
            &["acme.example TXT v=spf1 mx v=spf1 a:x.example -all"],
            "v=spf1",
            RemarkKind::SecondVersion,
        ),
    ] {
        let analysis = walk(lines);
        assert!(
            remarks(&analysis).contains(&(term, kind.clone())),
            "{lines:?}: {:?}",
            analysis.remarks
        );
    }
    let clean = walk(&["acme.example TXT v=spf1 ip4:192.0.2.1 -all"]);
    assert!(
        clean.remarks.is_empty() && clean.unknown.is_empty(),
        "{:?}",
        clean.remarks
    );
}

#[test]
fn a_wide_network_and_an_include_that_does_not_pass_are_told_apart() {
    let wide = walk(&["acme.example TXT v=spf1 ip4:10.0.0.0/8 -all"]);
    assert!(matches!(remarks(&wide)[..], [("ip4:10.0.0.0/8", RemarkKind::Wide(_))]));
    // What an excluded record passes is not passed here.
    let excluded = walk(&[
        "acme.example TXT v=spf1 -include:x.example ~all",
        "x.example TXT v=spf1 +all",
    ]);
    assert!(excluded.allowed.is_empty(), "{:?}", excluded.allowed);
    assert!(excluded.remarks.is_empty(), "{:?}", excluded.remarks);
}

#[test]
fn what_dns_does_not_answer_is_unknown_and_nothing_else() {
    let analysis = walk(&[
        "acme.example TXT v=spf1 include:slow.example a:slow.example mx:slow.example -all",
        "slow.example FAIL",
    ]);
    assert!(analysis.remarks.is_empty(), "{:?}", analysis.remarks);
    assert_eq!(analysis.unknown.len(), 4, "{:?}", analysis.unknown);
    let mut failing = MemoryZone::new(Elsewhere::NoSuchName);
    failing.fail(&name("acme.example"), Some(Question::Txt));
    let analysis = analyse(&failing, &name("acme.example")).now_or_never().unwrap();
    assert!(matches!(analysis.tree.state, State::Unknown(_)));
}

#[test]
fn a_tree_without_end_is_cut() {
    // Fifty records that each include the next two: far more paths than anybody could walk.
    let lines: Vec<String> = (0..60)
        .map(|at| {
            format!(
                "n{at}.example TXT v=spf1 include:n{}.example include:n{}.example -all",
                at + 1,
                at + 2
            )
        })
        .chain(["acme.example TXT v=spf1 include:n0.example -all".to_owned()])
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let analysis = walk(&lines);
    assert!(!analysis.unknown.is_empty());
    assert!(analysis.lookups > 10);
}

#[test]
fn a_record_of_thousands_of_hosts_is_cut() {
    let hosts: Vec<String> = (0..3000).map(|at| format!("a:h{at}.x.example")).collect();
    let analysis = walk(&[&format!("acme.example TXT v=spf1 {} -all", hosts.join(" "))]);
    assert_eq!(analysis.lookups, 3000);
    assert_eq!(analysis.voids.ip4, 300, "as many as were asked");
    assert_eq!(analysis.unknown.len(), 1, "{:?}", analysis.unknown);
}

#[test]
fn senders_merge_into_one_record_without_duplicates() {
    let mut builder = Builder::new(Qualifier::SoftFail);
    for term in [
        "include:_spf.google.com",
        "include:spf.postmarkapp.com",
        "ip4:192.0.2.1",
        "include:_SPF.google.com.",
        "mx",
    ] {
        builder.term(term).unwrap();
    }
    assert_eq!(
        builder.build(),
        "v=spf1 ip4:192.0.2.1 mx include:_spf.google.com include:spf.postmarkapp.com ~all"
    );
    assert_eq!(builder.lookups(), 3);
    assert!(builder.term("-all").is_err());
    assert!(builder.term("redirect=x.example").is_err());
    assert!(builder.term("include:x").is_err());
}

#[test]
fn two_records_of_one_name_become_one() {
    let records = [
        "v=spf1 include:a.example -all",
        "v=spf1 ip4:192.0.2.1 include:a.example ~all",
    ]
    .map(|text| parse(text).unwrap());
    assert_eq!(merged(&records).unwrap(), "v=spf1 ip4:192.0.2.1 include:a.example ~all");
    // An exception keeps its place: moved, it would refuse its neighbour or let itself through.
    let excepting = [parse("v=spf1 include:a.example -ip4:192.0.2.1 ip4:192.0.2.0/24 -all").unwrap()];
    assert_eq!(merged(&excepting).unwrap(), excepting[0].to_string());
    let redirecting = [parse("v=spf1 redirect=a.example").unwrap(), records[0].clone()];
    assert_eq!(merged(&redirecting), None);
}

fn term_text() -> impl Strategy<Value = String> {
    let words = [
        "all",
        "a",
        "mx",
        "ptr",
        "include:a.example",
        "exists:%{ir}.b.example",
        "ip4:192.0.2.0/24",
        "ip6:2001:db8::/32",
        "a:%{d2r-}.c.example/24//64",
        "mx//48",
        "exp=%{l}.d.example",
        "redirect=e.example",
        "x-y.z=%%%_%-",
        "ptr:f.example",
    ];
    (
        prop::sample::select(&["", "+", "-", "~", "?"][..]),
        prop::sample::select(words.to_vec()),
    )
        .prop_map(|(sign, word)| format!("{sign}{word}"))
}

proptest! {
    #[test]
    fn no_record_panics_and_errors_point_into_it(value in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut record = b"v=spf1 ".to_vec();
        record.extend(value);
        if let Err(malformed) = parse_value(&record) {
            prop_assert!(!malformed.errors.is_empty());
            for error in &malformed.errors {
                prop_assert!(malformed.text.get(error.span.clone()).is_some(), "{:?}", error);
            }
        }
    }

    #[test]
    fn text_near_the_grammar_does_not_panic(text in "v=spf1( ([a-z0-9+?~%{}:/=.é-]{0,20}))*") {
        if let Err(malformed) = parse(&text) {
            for error in &malformed.errors {
                prop_assert!(malformed.text.get(error.span.clone()).is_some(), "{:?}", error);
            }
        }
    }

    #[test]
    fn what_is_printed_reads_back_the_same(terms in prop::collection::vec(term_text(), 0..8)) {
        let text = format!("v=spf1 {}", terms.join("  "));
        if let Ok(record) = parse(&text) {
            let printed = record.to_string();
            let again = parse(&printed).unwrap();
            let kinds = |record: &super::Record| record.terms.iter().map(|term| term.kind.clone()).collect::<Vec<_>>();
            prop_assert_eq!(kinds(&again), kinds(&record));
            prop_assert_eq!(again.to_string(), printed);
        }
    }

    #[test]
    fn no_sender_and_no_record_make_the_evaluator_panic(sender in "\\PC{0,30}", helo in "\\PC{0,30}", octets: [u8; 16], macros in "(%\\{[slodiphv][0-9]{0,2}r?[.+,/_=-]{0,2}\\}[.]?){1,4}") {
        let zone = zone(&[&format!("acme.example TXT v=spf1 exists:{macros} a:{macros} ptr:{macros} -all exp={macros}")]);
        let sender = format!("{sender}@acme.example");
        let client = Client::new(octets.into(), &sender, &helo);
        check_host(&zone, &client).now_or_never().unwrap();
    }
}
