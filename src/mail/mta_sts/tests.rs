//! Records and policies by table.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::{Mode, Policy, covers, is_record, parse, parse_policy};
use crate::base::diagnostic::Severity;
use crate::mail::dns::QueryName;

fn policy() -> Policy {
    Policy {
        mode: Mode::Testing,
        exchangers: vec!["mx1.acme.example".into(), "*.mail.acme.example".into()],
        max_age: 604_800,
    }
}

#[test]
fn a_policy_is_written_and_read_back() {
    let text = policy().build();
    assert_eq!(
        text,
        "version: STSv1\nmode: testing\nmx: *.mail.acme.example\nmx: mx1.acme.example\nmax_age: 604800\n"
    );
    let (read, issues) = parse_policy(&text.replace('\n', "\r\n"));
    assert!(issues.is_empty(), "{issues:?}");
    assert_eq!(read.unwrap().id(), policy().id());
}

#[test]
fn the_id_changes_with_the_policy_and_only_then() {
    let id = policy().id();
    let mut same = policy();
    same.exchangers = vec![
        "*.MAIL.acme.example".into(),
        "mx1.acme.example.".into(),
        "mx1.acme.example".into(),
    ];
    assert_eq!(same.id(), id);
    for other in [
        Policy {
            mode: Mode::Enforce,
            ..policy()
        },
        Policy {
            max_age: 604_801,
            ..policy()
        },
        Policy {
            exchangers: vec!["mx1.acme.example".into()],
            ..policy()
        },
    ] {
        assert_ne!(other.id(), id);
        let record = parse(&other.record_text());
        assert!(record.issues.is_empty(), "{:?}", record.issues);
        assert_eq!(record.id, Some(other.id()));
    }
}

#[test]
fn a_star_is_one_label() {
    let host = |text: &str| QueryName::parse(text).unwrap();
    assert!(covers("*.acme.example", &host("mx.acme.example")));
    assert!(!covers("*.acme.example", &host("acme.example")));
    assert!(!covers("*.acme.example", &host("a.mx.acme.example")));
    assert!(covers("MX.acme.example.", &host("mx.acme.example")));
}

#[test]
fn records_are_judged() {
    for (text, word) in [
        ("v=STSv1; id=", "1 to 32"),
        ("v=STSv1; id=2026-01-01", "1 to 32"),
        ("v=STSv1;", "missing"),
        ("id=1; v=STSv1;", "begins with"),
        ("v=STSv2; id=1", "begins with"),
    ] {
        let record = parse(text);
        assert!(
            record.issues.iter().any(|issue| issue.message.contains(word)),
            "{text}: {:?}",
            record.issues
        );
    }
    assert!(parse("v=STSv1; id=20160831085700Z;").issues.is_empty());
    assert!(is_record(b"v=STSv1; id=1") && !is_record(b"v=STSv10; id=1"));
}

#[test]
fn policies_are_judged() {
    for (text, usable, word) in [
        ("mode: none\nmax_age: 86400\n", false, "`version:` is missing"),
        (
            "version: STSv1\nmode: testing\nmax_age: 86400\n",
            false,
            "at least one exchanger",
        ),
        (
            "version: STSv1\nmode: on\nmx: a.example\nmax_age: 86400\n",
            false,
            "testing or enforce",
        ),
        (
            "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 31557601\n",
            false,
            "up to 31557600",
        ),
        (
            "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 60\n",
            true,
            "less than a day",
        ),
        (
            "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 86400\nmode: none",
            true,
            "first one counts",
        ),
        (
            "version: STSv1\nmode: enforce\nmx: a_b\nmx: a.example\nmax_age: 86400",
            true,
            "no host",
        ),
        ("<html>", false, "key: value"),
    ] {
        let (policy, issues) = parse_policy(text);
        assert_eq!(policy.is_some(), usable, "{text}");
        assert!(
            issues.iter().any(|issue| issue.message.contains(word)),
            "{text}: {issues:?}"
        );
    }
    let (policy, issues) = parse_policy("version: STSv1\nmode: none\nmax_age: 86400\nfuture: x\n");
    assert!(policy.is_some() && issues.iter().all(|issue| issue.severity != Severity::Error));
}

proptest! {
    #[test]
    fn no_text_panics_and_issues_point_into_it(text in "((version|mode|mx|max_age|x) ?: ?[a-zA-Z0-9*.é]{0,12}\r?\n?){0,8}") {
        let (_, issues) = parse_policy(&text);
        for issue in issues.iter().chain(&parse(&text).issues) {
            prop_assert!(text.get(issue.span.clone()).is_some(), "{:?}", issue);
        }
    }
}
