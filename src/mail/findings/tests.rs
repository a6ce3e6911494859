//! Every kind of finding: for each a domain that has it and one that has not, gathered from a zone and judged.
#![allow(clippy::unwrap_used, reason = "tests")]

pub(crate) mod cases;

use std::collections::BTreeSet;

use futures_util::FutureExt as _;
use proptest::prelude::*;

use self::cases::{NO_DMARC, NO_KEY, NO_SPF, cases, nothing};
use super::facts::{Declared, ExpectedKey, PolicyFetch, Purpose, Selector, Sender};
use super::gather::gather;
use super::{CATALOGUE, Finding, Judgement, judge};
use crate::base::diagnostic::Severity;
use crate::mail::dkim::tests::rsa;
use crate::mail::dns::{Authorization, Exchanger, Lookup, MemoryZone, QueryName, Question, Stored};

fn name(text: &str) -> QueryName {
    QueryName::parse(text).unwrap()
}

/// A zone in which nothing is wrong.
fn clean() -> Vec<String> {
    let mut lines: Vec<String> = [
        "acme.example A 192.0.2.1",
        "acme.example MX 10 mx1.acme.example",
        "acme.example TXT v=spf1 ip4:192.0.2.0/24 ~all",
        "mx1.acme.example A 192.0.2.10",
        "mx1.acme.example AAAA 2001:db8::10",
        "_dmarc.acme.example TXT v=DMARC1; p=reject; rua=mailto:dmarc@acme.example",
    ]
    .map(ToOwned::to_owned)
    .into();
    lines.push(format!(
        "s1._domainkey.acme.example TXT v=DKIM1; k=rsa; p={}",
        rsa(2048)
    ));
    lines
}

/// The lines of the clean zone with some taken away (`-` and how they begin) and some added.
fn lines(edits: &[&str]) -> Vec<String> {
    let mut lines = clean();
    for edit in edits {
        match edit.strip_prefix('-') {
            Some(head) => {
                let before = lines.len();
                lines.retain(|line| !line.starts_with(head));
                assert!(lines.len() < before, "{edit} takes nothing away");
            }
            None => lines.push((*edit).to_owned()),
        }
    }
    lines
}

/// The zone of these lines.
pub(crate) fn zone(edits: &[&str]) -> MemoryZone {
    let mut zone = MemoryZone::default();
    for line in &lines(edits) {
        let mut words = line.splitn(3, ' ');
        let (owner, kind, value) = (
            words.next().unwrap(),
            words.next().unwrap(),
            words.next().unwrap_or_default(),
        );
        add(&mut zone, &name(owner), kind, value);
    }
    zone
}

fn add(zone: &mut MemoryZone, owner: &QueryName, kind: &str, value: &str) {
    let record = match kind {
        "TXT" => Stored::Txt(
            value
                .replace("KEY1023", &rsa(1023))
                .replace("KEY", &rsa(2048))
                .into_bytes(),
        ),
        "A" => Stored::A(value.parse().unwrap()),
        "AAAA" => Stored::Aaaa(value.parse().unwrap()),
        "CNAME" => Stored::Cname(name(value)),
        "MX" => {
            let (preference, host) = value.split_once(' ').unwrap();
            Stored::Mx(Exchanger {
                preference: preference.parse().unwrap(),
                host: (host != ".").then(|| name(host)),
            })
        }
        "CAA" => {
            let (tag, ca) = value.split_once(' ').unwrap();
            Stored::Caa(Authorization {
                flags: 0,
                tag: tag.to_owned(),
                value: ca.to_owned(),
            })
        }
        "FAIL" => {
            zone.fail(owner, None);
            return;
        }
        "TLSA" => Stored::Tlsa(value.parse().unwrap()),
        "FAILA" => {
            zone.fail(owner, Some(Question::A));
            return;
        }
        "FAILTXT" => {
            zone.fail(owner, Some(Question::Txt));
            return;
        }
        other => panic!("{other}"),
    };
    zone.add(owner, record);
}

pub(crate) fn declared() -> Declared {
    let mut declared = Declared::new(name("acme.example"));
    declared.senders.push(Sender {
        name: "the mail server".into(),
        mail_from: Some(name("acme.example")),
        signing: vec![name("acme.example")],
        addresses: vec!["192.0.2.7".parse().unwrap()],
    });
    declared.selectors.push(selector("s1"));
    declared
}

fn selector(selector: &str) -> Selector {
    Selector {
        selector: selector.into(),
        domain: name("acme.example"),
        owner: "the mail server".into(),
        expected: ExpectedKey::Any,
        is_active: true,
    }
}

fn judged(edits: &[&str], declare: &dyn Fn(&mut Declared)) -> Judgement {
    let mut declared = declared();
    declare(&mut declared);
    judge(&gather(&zone(edits), declared).now_or_never().unwrap())
}

fn of<'a>(judgement: &'a Judgement, id: &str) -> Vec<&'a Finding> {
    judgement.findings.iter().filter(|finding| finding.id == id).collect()
}

#[test]
fn each_finding_is_found_where_it_is_and_not_where_it_is_not() {
    for (id, with, declare, severity, without, undeclare) in cases().copied() {
        let found = judged(with, &declare);
        let hit = of(&found, id).into_iter().find(|finding| finding.severity == severity);
        let hit = hit.unwrap_or_else(|| panic!("{id} {severity:?} with {with:?}: {found:#?}"));
        assert!(
            !hit.message.is_empty() && !hit.evidence.is_empty() && !hit.fix.instruction.is_empty(),
            "{hit:?}"
        );
        assert!(
            !hit.message.ends_with('.') && !hit.message.contains('\n'),
            "{}",
            hit.message
        );
        let none = judged(without, &undeclare);
        assert!(!none.has(id), "{id} without {without:?}: {:#?}", of(&none, id));
    }
}

#[test]
fn every_kind_but_size_is_in_the_table() {
    // Sizes need long values and have a test of their own.
    let tested: BTreeSet<&str> = cases().map(|case| case.0).chain(["spf-size"]).collect();
    let known: BTreeSet<&str> = CATALOGUE.iter().map(|entry| entry.id).collect();
    assert_eq!(tested, known);
    assert_eq!(CATALOGUE.len(), 41);
}

#[test]
fn a_clean_domain_has_no_finding_and_nothing_unknown() {
    let judgement = judged(&[], &nothing);
    assert_eq!(judgement, Judgement::default());
}

#[test]
fn sizes_are_those_of_the_whole_answer() {
    let long = |count: usize| {
        let networks: Vec<String> = (0..count).map(|at| format!("ip4:198.51.100.{at}")).collect();
        format!("acme.example TXT v=spf1 ip4:192.0.2.0/24 {} ~all", networks.join(" "))
    };
    let (large, small) = (long(30), long(10));
    let found = judged(&[NO_SPF, &large], &nothing);
    assert_eq!(of(&found, "spf-size").len(), 1);
    assert!(!judged(&[NO_SPF, &small], &nothing).has("spf-size"));
    let token = format!("acme.example TXT token={}", "x".repeat(1200));
    assert!(judged(&[&token], &nothing).has("spf-size"));
    // More than DNS can carry never comes out of DNS, but a plan can hold it.
    let huge = long(6000);
    let live = judged(&[NO_SPF, &huge], &nothing);
    assert!(live.unknown.iter().any(|unknown| unknown.id == "spf-size"));
    let mut facts = gather(&zone(&[]), declared()).now_or_never().unwrap();
    let value = huge.strip_prefix("acme.example TXT ").unwrap();
    facts.spf[0].txt = Lookup::Records(vec![value.as_bytes().to_vec()]);
    let planned = judge(&facts);
    assert_eq!(of(&planned, "spf-size")[0].severity, Severity::Error);
}

#[test]
fn what_dns_does_not_answer_is_neither_good_nor_bad() {
    let names = ["acme.example", "_dmarc.acme.example", "s1._domainkey.acme.example"];
    let fails: Vec<String> = names.iter().map(|name| format!("{name} FAIL")).collect();
    let edits: Vec<&str> = fails.iter().map(String::as_str).collect();
    let judgement = judged(&edits, &nothing);
    assert_eq!(judgement.findings, [], "nothing is held against the domain");
    let unknown: BTreeSet<&str> = judgement.unknown.iter().map(|unknown| unknown.id).collect();
    for id in [
        "spf-missing",
        "spf-provider-gap",
        "dkim-missing",
        "dkim-drift",
        "dmarc-missing",
        "dmarc-alignment",
        "mx-missing",
    ] {
        assert!(unknown.contains(id), "{id}: {unknown:?}");
    }
    // A branch of the tree that is silent leaves the counts open, and the rest judged.
    let branch = judged(
        &[
            NO_SPF,
            "acme.example TXT v=spf1 ip4:192.0.2.0/24 include:slow.example ~all",
            "slow.example FAILTXT",
        ],
        &nothing,
    );
    assert_eq!(branch.findings, []);
    assert!(branch.unknown.iter().any(|unknown| unknown.id == "spf-lookups"));
    let reports = judged(
        &[
            NO_DMARC,
            "_dmarc.acme.example TXT v=DMARC1; p=reject; rua=mailto:a@reports.test",
            "reports.test FAIL",
        ],
        &nothing,
    );
    assert!(reports.unknown.iter().any(|unknown| unknown.id == "dmarc-rua-dead"));
}

/// Whatever name is silent, in a domain that has a finding or in one that has not: nothing is found that is not there,
/// and nothing that is lost is lost without a word.
#[test]
fn silence_makes_no_finding_and_hides_none_without_saying_so() {
    let (mut silenced, mut wrong) = (0, BTreeSet::new());
    for (_, with, declare, _, without, undeclare) in cases().copied() {
        for (edits, declare) in [(with, declare), (without, undeclare)] {
            let whole = judged(edits, &declare);
            let known: BTreeSet<(&str, &str)> = whole.findings.iter().map(|one| (one.id, one.name.as_str())).collect();
            let lines = lines(edits);
            let owners: BTreeSet<&str> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
            for owner in owners {
                let fail = format!("{owner} FAIL");
                let silent = judged(&[edits, &[fail.as_str()]].concat(), &declare);
                for finding in &silent.findings {
                    if !known.contains(&(finding.id, finding.name.as_str())) {
                        wrong.insert(format!(
                            "{owner} silent: {} is made of nothing in {edits:?}",
                            finding.id
                        ));
                    }
                }
                for (id, _) in &known {
                    let is_said = silent.has(id) || silent.unknown.iter().any(|unknown| unknown.id == *id);
                    if !is_said {
                        wrong.insert(format!("{owner} silent: nothing is said of {id} in {edits:?}"));
                    }
                }
                silenced += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(silenced > 500, "{silenced}");
}

#[test]
fn evidence_is_safe_for_a_terminal_and_keys_are_not_repeated() {
    let judgement = judged(
        &[
            NO_SPF,
            "acme.example TXT v=spf1 ip4:\u{1b}[31m ~all",
            NO_KEY,
            "s1._domainkey.acme.example TXT v=DKIM1; t=y; p=KEY",
        ],
        &nothing,
    );
    for finding in &judgement.findings {
        for text in finding
            .evidence
            .iter()
            .chain([&finding.message, &finding.fix.instruction])
        {
            assert!(!text.contains(char::is_control), "{text:?}");
            assert!(!text.contains(&rsa(2048)), "{text}");
        }
    }
    assert!(judgement.has("spf-syntax") && judgement.has("dkim-testing"));
}

#[test]
fn fixes_are_records_and_edits_of_a_spec() {
    let two = judged(
        &[
            "acme.example TXT v=spf1 include:_spf.google.com -all",
            "_spf.google.com TXT v=spf1 ip4:203.0.113.0/24 ~all",
        ],
        &nothing,
    );
    let fix = &of(&two, "spf-multiple")[0].fix;
    assert_eq!(
        fix.record.as_ref().unwrap().add.as_deref(),
        Some("v=spf1 ip4:192.0.2.0/24 include:_spf.google.com ~all")
    );
    assert_eq!(fix.record.as_ref().unwrap().remove.len(), 2);
    // What is taken away is named: other values at the name stay.
    let stray = judged(&["acme.example TXT v=spf10 mx", "acme.example TXT token=1"], &nothing);
    let fix = &of(&stray, "spf-lookalike")[0].fix;
    assert_eq!(fix.record.as_ref().unwrap().remove, ["v=spf10 mx"]);
    let missing = judged(&[NO_DMARC], &nothing);
    let fix = &of(&missing, "dmarc-missing")[0].fix;
    assert_eq!(fix.record.as_ref().unwrap().name, "_dmarc.acme.example");
    assert_eq!(fix.spec.as_ref().unwrap().0, "email.dmarc");
}

proptest! {
    #[test]
    fn no_answer_makes_the_judge_panic(values in prop::collection::vec((0_usize..9, "[ -~é\\x00]{0,60}"), 0..12), is_parked: bool) {
        const OWNERS: [&str; 9] = [
            "acme.example TXT v=spf1 ",
            "acme.example TXT ",
            "_dmarc.acme.example TXT v=DMARC1; ",
            "_dmarc.acme.example TXT ",
            "s1._domainkey.acme.example TXT v=DKIM1; ",
            "_mta-sts.acme.example TXT v=STSv1; ",
            "_smtp._tls.acme.example TXT v=TLSRPTv1; ",
            "default._bimi.acme.example TXT v=BIMI1; ",
            "acme.example CAA issue ",
        ];
        let lines: Vec<String> = values.iter().map(|(owner, value)| format!("{}{value}", OWNERS[*owner])).collect();
        let edits: Vec<&str> = lines.iter().map(String::as_str).collect();
        let body = lines.join("\n");
        judged(&edits, &|declared: &mut Declared| {
            declared.policy = Some(PolicyFetch::Answer { status: 200, media_type: "text/plain".into(), body: body.clone() });
            if is_parked {
                declared.purpose = Purpose::Parked;
            }
        });
    }
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn everything_asked_can_be_asked_from_another_thread() {
    let zone = zone(&[]);
    let judgement = judge(&is_send(gather(&zone, declared())).now_or_never().unwrap());
    assert_eq!(judgement, Judgement::default());
}
