//! The worked examples of RFC 9989, tables for the records, properties for the reader.
#![allow(clippy::unwrap_used, reason = "tests")]

use futures_util::FutureExt as _;
use proptest::prelude::*;

use super::{
    Alignment, Builder, Discovery, Existence, Kind, Policy, PublicSuffix, Source, authorisation_name, discover,
    is_aligned, is_dmarc, looks_like_dmarc, parse, wildcard_authorisation_name,
};
use crate::base::diagnostic::Severity;
use crate::mail::dns::{MemoryZone, QueryName, Question, Stored};

fn name(text: &str) -> QueryName {
    QueryName::parse(text).unwrap()
}

/// A zone of policy records by domain.
fn zone(records: &[(&str, &str)]) -> MemoryZone {
    let mut zone = MemoryZone::default();
    for (domain, text) in records {
        zone.add(
            &name(&format!("_dmarc.{domain}")),
            Stored::Txt(text.as_bytes().to_vec()),
        );
    }
    zone
}

fn walk(records: &[(&str, &str)], domain: &str) -> Discovery {
    discover(&zone(records), &name(domain)).now_or_never().unwrap()
}

fn asked(discovery: &Discovery) -> Vec<&str> {
    discovery.steps.iter().map(|step| step.domain.as_str()).collect()
}

const PLAIN: &str = "v=DMARC1; p=none; rua=mailto:d@example.com";

#[test]
fn rfc_9989_4_10_the_eight_names_of_a_long_domain() {
    let discovery = walk(&[], "a.b.c.d.e.f.g.h.i.j.mail.example.com");
    assert_eq!(
        asked(&discovery),
        [
            "a.b.c.d.e.f.g.h.i.j.mail.example.com",
            "g.h.i.j.mail.example.com",
            "h.i.j.mail.example.com",
            "i.j.mail.example.com",
            "j.mail.example.com",
            "mail.example.com",
            "example.com",
            "com",
        ]
    );
    // Eight labels lose one, as nine and more lose all but seven.
    assert_eq!(walk(&[], "a.b.c.d.e.f.example.com").steps.len(), 8);
    assert_eq!(walk(&[], "com").steps.len(), 1);
}

#[test]
fn rfc_9989_4_10_2_the_three_examples() {
    let domain = "a.mail.example.com";
    let both = walk(&[("mail.example.com", PLAIN), ("example.com", PLAIN)], domain);
    assert_eq!(both.organizational(), name("example.com"));
    let own = walk(
        &[("mail.example.com", "v=DMARC1; p=none; psd=n"), ("example.com", PLAIN)],
        domain,
    );
    assert_eq!(own.organizational(), name("mail.example.com"));
    assert_eq!(asked(&own), ["a.mail.example.com", "mail.example.com"]);
    let suffix = walk(&[("com", "v=DMARC1; p=none; psd=y")], domain);
    assert_eq!(suffix.organizational(), name("example.com"));
    assert_eq!(suffix.policy_record().unwrap().0, Source::PublicSuffix);
}

#[test]
fn rfc_9989_5_1_8_a_record_in_the_gap_is_never_found() {
    let records = [
        ("b.c.d.e.f.g.example.com", "v=DMARC1; p=reject; psd=n"),
        ("example.com", PLAIN),
    ];
    let discovery = walk(&records, "mail.a.b.c.d.e.f.g.example.com");
    assert_eq!(asked(&discovery)[1], "c.d.e.f.g.example.com");
    assert_eq!(discovery.organizational(), name("example.com"));
}

#[test]
fn rfc_9989_b_4_1_simple() {
    let records = [("example.com", PLAIN), ("signing.example.com", PLAIN)];
    let author = walk(&records, "example.com");
    assert_eq!(asked(&author), ["example.com", "com"]);
    let signing = walk(&records, "signing.example.com");
    assert_eq!(asked(&signing), ["signing.example.com", "example.com", "com"]);
    assert_eq!(author.organizational(), signing.organizational());
    let (source, step, _) = author.policy_record().unwrap();
    assert_eq!((source, step.domain.as_str()), (Source::Author, "example.com"));
}

#[test]
fn rfc_9989_b_4_2_deep() {
    let records = [("example.com", PLAIN), ("signing.example.com", PLAIN)];
    let author = walk(&records, "a.b.c.d.e.f.g.h.i.j.k.example.com");
    assert_eq!(
        asked(&author)[..2],
        ["a.b.c.d.e.f.g.h.i.j.k.example.com", "g.h.i.j.k.example.com"]
    );
    assert_eq!(author.steps.len(), 8);
    assert_eq!(author.organizational(), name("example.com"));
    assert_eq!(
        walk(&records, "signing.example.com").organizational(),
        name("example.com")
    );
    let (source, step, _) = author.policy_record().unwrap();
    assert_eq!((source, step.domain.as_str()), (Source::Organization, "example.com"));
}

#[test]
fn rfc_9989_b_4_3_below_a_public_suffix() {
    let records = [
        ("giant.bank.example", "v=DMARC1; p=quarantine"),
        ("bank.example", "v=DMARC1; p=reject; psd=y"),
    ];
    let author = walk(&records, "giant.bank.example");
    assert_eq!(asked(&author), ["giant.bank.example", "bank.example"]);
    assert_eq!(author.organizational(), name("giant.bank.example"));
    let mail = walk(&records, "mail.giant.bank.example");
    assert_eq!(mail.organizational(), name("giant.bank.example"));
    let other = walk(&records, "mail.mega.bank.example");
    assert_eq!(other.organizational(), name("mega.bank.example"));
    let aligned = |discovery: &Discovery| {
        is_aligned(
            Alignment::Relaxed,
            &author.domain,
            &author.organizational(),
            &discovery.domain,
            &discovery.organizational(),
        )
    };
    assert!(aligned(&mail));
    assert!(!aligned(&other));
    assert_eq!(author.policy(Existence::Exists), Some(Policy::Quarantine));
    assert_eq!(other.policy(Existence::Exists), Some(Policy::Reject));
    // The suffix itself: its own `psd=y` does not move its organization.
    assert_eq!(walk(&records, "bank.example").organizational(), name("bank.example"));
}

#[test]
fn strict_alignment_wants_the_same_name() {
    let (author, sub, org) = (name("acme.example"), name("send.acme.example"), name("acme.example"));
    assert!(is_aligned(Alignment::Relaxed, &author, &org, &sub, &org));
    assert!(!is_aligned(Alignment::Strict, &author, &org, &sub, &org));
    assert!(is_aligned(Alignment::Strict, &author, &org, &author, &org));
}

#[test]
fn subdomains_get_their_policy_by_whether_they_exist() {
    let records = [("acme.example", "v=DMARC1; p=reject; sp=quarantine; np=none")];
    let sub = walk(&records, "shop.acme.example");
    assert_eq!(sub.policy(Existence::Exists), Some(Policy::Quarantine));
    assert_eq!(sub.policy(Existence::DoesNotExist), Some(Policy::None));
    assert_eq!(
        walk(&records, "acme.example").policy(Existence::Exists),
        Some(Policy::Reject)
    );
    let short = walk(
        &[("acme.example", "v=DMARC1; p=reject; sp=quarantine; t=y")],
        "shop.acme.example",
    );
    assert_eq!(short.policy(Existence::DoesNotExist), Some(Policy::None));
    assert_eq!(walk(&[], "acme.example").policy(Existence::Exists), None);
}

#[test]
fn several_records_are_none_and_silence_is_unknown() {
    let several = walk(
        &[("acme.example", PLAIN), ("acme.example", "v=DMARC1; p=reject")],
        "acme.example",
    );
    assert!(several.policy_record().is_none());
    let mut silent = zone(&[]);
    silent.fail(&name("_dmarc.acme.example"), Some(Question::Txt));
    let silent = discover(&silent, &name("acme.example")).now_or_never().unwrap();
    assert_eq!(silent.unknown().len(), 1);
    assert!(walk(&[], "acme.example").unknown().is_empty());
}

#[test]
fn bad_policies_count_as_none_or_as_no_record() {
    for (text, applied, policy) in [
        ("v=DMARC1; p=rejected; rua=mailto:d@acme.example", true, Policy::None),
        (
            "v=DMARC1; p=reject; sp=nine; rua=mailto:d@acme.example",
            true,
            Policy::None,
        ),
        ("v=DMARC1; p=rejected", false, Policy::None),
        ("v=DMARC1; p=rejected; rua=d@acme.example", false, Policy::None),
        ("v=DMARC1", true, Policy::None),
        ("v=DMARC1; P=REJECT", true, Policy::Reject),
        ("v=DMARC1; p=reject; pct=0", true, Policy::Reject),
    ] {
        let record = parse(text);
        assert_eq!((record.is_applied(), record.for_domain()), (applied, policy), "{text}");
    }
}

#[test]
fn issues_say_what_receivers_make_of_it() {
    for (text, at, kind, severity, word) in [
        (
            "v=dmarc1; p=none",
            "dmarc1",
            Kind::Syntax,
            Severity::Error,
            "exactly `DMARC1`",
        ),
        (
            "p=none; v=DMARC1",
            "v=DMARC1",
            Kind::Syntax,
            Severity::Error,
            "first tag",
        ),
        (
            "v=DMARC1; p=rejected",
            "rejected",
            Kind::Syntax,
            Severity::Error,
            "no policy",
        ),
        (
            "v=DMARC1; p=none; p=reject",
            "p=reject",
            Kind::Syntax,
            Severity::Error,
            "twice",
        ),
        (
            "v=DMARC1; p=none; adkim=strict",
            "strict",
            Kind::Syntax,
            Severity::Warning,
            "default",
        ),
        ("v=DMARC1; p=none; t=1", "1", Kind::Syntax, Severity::Warning, "default"),
        (
            "v=DMARC1; p=none; ruf=mailto:a@b.example; fo=0:1",
            "0:1",
            Kind::Syntax,
            Severity::Warning,
            "each once",
        ),
        (
            "v=DMARC1; p=none; fo=1",
            "fo=1",
            Kind::Unusual,
            Severity::Info,
            "without `ruf`",
        ),
        (
            "v=DMARC1; p=none; pct=50",
            "pct=50",
            Kind::Removed,
            Severity::Warning,
            "no `pct`",
        ),
        (
            "v=DMARC1; p=none; rua=mailto:a@b.example!10m",
            "mailto:a@b.example!10m",
            Kind::Removed,
            Severity::Warning,
            "sizes",
        ),
        (
            "v=DMARC1; p=none; rua=a@b.example",
            "a@b.example",
            Kind::ReportAddress,
            Severity::Error,
            "no URI",
        ),
        (
            "v=DMARC1; p=none; rua=https://b.example/x",
            "https://b.example/x",
            Kind::ReportAddress,
            Severity::Error,
            "mailto",
        ),
        (
            "v=DMARC1; p=none; rua=mailto:a!b@c.example",
            "mailto:a!b@c.example",
            Kind::ReportAddress,
            Severity::Error,
            "%21",
        ),
        (
            "v=DMARC1; p=none; rua=mailto:a",
            "mailto:a",
            Kind::ReportAddress,
            Severity::Error,
            "no mail address",
        ),
        (
            "v=DMARC1; rua=mailto:a@b.example; p=none",
            "p=none",
            Kind::Unusual,
            Severity::Info,
            "second",
        ),
        (
            "v=DMARC1; p=none; ruas=x",
            "ruas=x",
            Kind::Unusual,
            Severity::Info,
            "no such tag",
        ),
    ] {
        let record = parse(text);
        let issue = record.issues.iter().find(|issue| issue.message.contains(word));
        let issue = issue.unwrap_or_else(|| panic!("{text}: {:?}", record.issues));
        assert_eq!(
            (&text[issue.span.clone()], issue.kind, issue.severity),
            (at, kind, severity),
            "{text}"
        );
    }
    let clean = "v=DMARC1; p=quarantine; sp=reject; adkim=s; aspf=s; rua=mailto:a@b.example,mailto:c@d.example";
    assert!(parse(clean).issues.is_empty(), "{:?}", parse(clean).issues);
}

#[test]
fn records_are_told_from_what_only_looks_like_them() {
    for text in ["v=DMARC1", "V = DMARC1 ; p=none", "v=DMARC1;p=none;;;"] {
        assert!(is_dmarc(text.as_bytes()), "{text}");
    }
    for text in [
        "v=dmarc1; p=none",
        "\"v=DMARC1; p=none\"",
        "p=none; v=DMARC1",
        "v=DMARC 1; p=none",
    ] {
        assert!(
            !is_dmarc(text.as_bytes()) && looks_like_dmarc(text.as_bytes()),
            "{text}"
        );
    }
    assert!(!looks_like_dmarc(b"google-site-verification=abc"));
}

#[test]
fn what_is_built_reads_back_without_an_issue() {
    let mut builder = Builder::new(Policy::Quarantine);
    builder.subdomains = Some(Policy::Reject);
    builder.dkim = Alignment::Strict;
    builder.public_suffix = PublicSuffix::No;
    builder.aggregate = vec!["dmarc@acme.example".into(), "a,b!c@acme.example".into()];
    builder.failure = vec!["mailto:f@acme.example".into()];
    builder.failure_options = vec!['1', 'd'];
    let text = builder.build();
    assert_eq!(
        text,
        "v=DMARC1; p=quarantine; sp=reject; psd=n; adkim=s; rua=mailto:dmarc@acme.example,mailto:a%2Cb%21c@acme.example; \
         ruf=mailto:f@acme.example; fo=1:d"
    );
    assert!(parse(&text).issues.is_empty(), "{:?}", parse(&text).issues);
    let parked = parse(&Builder::parked().build());
    assert!(parked.issues.is_empty() && parked.is_enforcing());
}

#[test]
fn external_hosts_agree_at_their_own_name() {
    let (domain, host) = (name("acme.example"), name("reports.example"));
    assert_eq!(
        authorisation_name(&domain, &host).unwrap().as_str(),
        "acme.example._report._dmarc.reports.example"
    );
    assert_eq!(
        wildcard_authorisation_name(&host).unwrap().as_str(),
        "*._report._dmarc.reports.example"
    );
}

proptest! {
    #[test]
    fn no_record_panics_and_issues_point_into_it(text in "v=DMARC1(; ?(p|sp|np|t|psd|adkim|aspf|fo|rua|ruf|pct|[a-z]{1,4})=([a-z0-9:,!@.é-]{0,20}))*") {
        let record = parse(&text);
        for issue in &record.issues {
            prop_assert!(text.get(issue.span.clone()).is_some(), "{:?}", issue);
        }
    }

    #[test]
    fn the_walk_asks_eight_times_at_most(labels in prop::collection::vec("[a-z]{1,3}", 1..40)) {
        let domain = name(&labels.join("."));
        let names = super::walk_names(&domain);
        prop_assert!(names.len() <= 8);
        prop_assert_eq!(names.first(), Some(&domain));
        prop_assert_eq!(names.last().map(QueryName::depth), Some(1));
    }
}
