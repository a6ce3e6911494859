//! Every preset compiled and known again; the values are made up.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use super::{PresetError, Values, all, find, provider_of, receive, recognise, return_path, send};
use crate::mail::dkim::tests::rsa;
use crate::mail::spf::build::Builder;
use crate::mail::spf::{Qualifier, is_spf, parse_term};
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};

fn domain() -> DomainName {
    DomainName::parse("acme.example").unwrap()
}

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.replace(KEY, &rsa(1024))))
        .collect()
}

/// A key as most consoles show it: base64 without tags. The word stands for it in the tables.
const KEY: &str = "KEY";
/// RFC 8463 App. A.2, as a whole record.
const RECORD: &str = "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// Accounts for every preset that is generated: all of its forms.
pub(crate) fn accounts() -> Vec<(&'static str, Values)> {
    [
        ("google-workspace", &[("key", KEY)][..]),
        ("google-workspace", &[("mx", "classic"), ("key", RECORD)]),
        ("microsoft-365", &[("tenant", "acmegmbh")]),
        (
            "microsoft-365",
            &[
                ("token", "acme"),
                ("tenant", "acmegmbh"),
                ("mx_partition", "j"),
                ("dkim_partition", "n"),
            ],
        ),
        ("zoho", &[("region", "eu"), ("include", "zohomail.com"), ("key", KEY)]),
        ("fastmail", &[]),
        ("proton", &[("hash", "dabc123"), ("verification", "0123abcd")]),
        ("icloud", &[("token", "A1b2C3")]),
        ("postmark", &[("selector", "20260101pm"), ("key", KEY)]),
        (
            "sendgrid",
            &[("return_path", "em1234"), ("account", "u7654321"), ("server", "wl123")],
        ),
        ("mailgun", &[("subdomain", "mg"), ("selector", "k1"), ("key", KEY)]),
        (
            "mailgun",
            &[
                ("subdomain", "mg"),
                ("region", "eu"),
                ("inbound", "yes"),
                ("dkim_target_1", "pdk1._domainkey.a1b2.dkim1.eu.mgsend.org"),
                ("dkim_target_2", "pdk2._domainkey.a1b2.dkim2.eu.mgsend.org"),
            ],
        ),
        (
            "loops",
            &[
                ("token_1", "aaaa"),
                ("token_2", "bbbb"),
                ("token_3", "cccc"),
                ("region", "eu-west-1"),
            ],
        ),
        (
            "amazon-ses",
            &[
                ("region", "eu-south-1"),
                ("token_1", "aaaa"),
                ("token_2", "bbbb"),
                ("token_3", "cccc"),
                ("return_path", "bounce"),
            ],
        ),
        ("resend", &[("region", "eu-west-1"), ("key", KEY)]),
        ("brevo", &[("code", "0123abcd")]),
        ("mailchimp", &[]),
        ("mandrill", &[("token", "abcDEF")]),
        (
            "customer-io",
            &[
                ("subdomain", "cio12345"),
                ("mx_1", "mxa.cio.example"),
                ("mx_2", "mxb.cio.example"),
                ("spf", "v=spf1 include:cio.example ~all"),
                ("key", KEY),
            ],
        ),
        ("hubspot", &[("portal", "1234567"), ("server", "04")]),
        ("klaviyo", &[("server", "12")]),
        ("klaviyo", &[("mode", "ns"), ("subdomain", "news")]),
        ("mailersend", &[]),
        ("sparkpost", &[("region", "eu"), ("selector", "scph0126"), ("key", KEY)]),
        (
            "intercom",
            &[
                ("uuid", "0aa0"),
                ("return_path", "outbound"),
                ("return_path_target", "rp.intercom.example"),
            ],
        ),
        ("zendesk", &[]),
    ]
    .map(|(id, pairs)| (id, values(pairs)))
    .into()
}

/// All records of an account, its SPF record included.
pub(crate) fn zone(id: &str, account: &Values) -> Vec<(DomainName, RecordData)> {
    let preset = find(id).unwrap();
    let mut out = Vec::new();
    let mut builder = Builder::new(Qualifier::SoftFail);
    if preset.receives() {
        out.extend(receive(preset, &domain(), account).unwrap().records);
    }
    let compiled = send(preset, &domain(), account).unwrap();
    assert!(compiled.missing.is_empty(), "{id}: {:?}", compiled.missing);
    for term in &compiled.spf {
        builder.term(term).unwrap();
    }
    out.extend(compiled.records);
    let spf = RecordData::Txt(builder.build().into_bytes());
    out.into_iter()
        .map(|record| (record.name, record.data))
        .chain([(domain(), spf)])
        .collect()
}

#[test]
fn every_generated_preset_has_an_account_here() {
    let tested: BTreeSet<&str> = accounts().iter().map(|(id, _)| *id).collect();
    let generated: BTreeSet<&str> = all()
        .filter(|preset| preset.is_generated)
        .map(|preset| preset.id)
        .collect();
    assert_eq!(tested, generated);
    assert_eq!(all().count(), 23);
}

#[test]
fn what_a_preset_writes_it_knows_again() {
    for (id, account) in accounts() {
        let records = zone(id, &account);
        let found = recognise(&domain(), &records);
        let ids: Vec<&str> = found.iter().map(|found| found.preset.id).collect();
        assert_eq!(ids, [id], "{records:?}");
        let found = &found[0];
        assert!(found.sends, "{id}");
        assert_eq!(found.receives, find(id).unwrap().receives(), "{id}");
        assert_eq!(found.records.len(), records.len() - 1, "{id}: all but SPF");
        assert_eq!(found.values, account, "{id}");
    }
}

#[test]
fn two_providers_in_one_zone_are_told_apart() {
    let accounts = accounts();
    let account = |id: &str| accounts.iter().find(|(found, _)| *found == id).unwrap().1.clone();
    let mut records = zone("google-workspace", &account("google-workspace"));
    for id in ["postmark", "mailchimp", "sendgrid"] {
        let other = zone(id, &account(id));
        records.extend(other.into_iter().filter(|(_, data)| !data.txt().is_some_and(is_spf)));
    }
    let found: Vec<&str> = recognise(&domain(), &records)
        .iter()
        .map(|found| found.preset.id)
        .collect();
    assert_eq!(found, ["google-workspace", "postmark", "sendgrid", "mailchimp"]);
}

#[test]
fn a_key_at_somebody_elses_selector_is_not_taken() {
    let accounts = accounts();
    let mut records = zone("google-workspace", &accounts[0].1);
    records.retain(|(name, _)| !name.as_str().starts_with("google._domainkey"));
    let postmark = accounts.iter().find(|(id, _)| *id == "postmark").unwrap();
    let other = zone(postmark.0, &postmark.1);
    records.extend(other.into_iter().filter(|(_, data)| !data.txt().is_some_and(is_spf)));
    let found = recognise(&domain(), &records);
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].preset.id, found[0].values.get("key")),
        ("google-workspace", None)
    );
    assert_eq!((found[1].preset.id, found[1].records.len()), ("postmark", 2));
}

#[test]
fn foreign_records_are_nobodys() {
    let records = [
        ("s1._domainkey", RecordType::Cname, "s1.domainkey.other.example"),
        ("selector1._domainkey", RecordType::Txt, RECORD),
        ("@", RecordType::Mx, "10 mail.notgoogle.com"),
        ("@", RecordType::Txt, "v=spf1 include:google.com.evil.example -all"),
    ]
    .map(|(name, kind, value)| {
        let name = DomainName::parse_in(name, &domain()).unwrap();
        (name, RecordData::parse(kind, value, &domain()).unwrap())
    });
    assert_eq!(recognise(&domain(), &records), []);
}

#[test]
fn records_are_the_providers_own() {
    let lines = |id: &str, pairs: &[(&str, &str)]| -> Vec<String> {
        let compiled = send(find(id).unwrap(), &domain(), &values(pairs)).unwrap();
        compiled
            .records
            .iter()
            .map(|record| {
                let (name, kind, value) = record.triple();
                format!("{name} {kind} {value}")
            })
            .collect()
    };
    assert_eq!(
        lines("microsoft-365", &[("tenant", "acmegmbh"), ("dkim_partition", "n")]),
        [
            "selector1._domainkey.acme.example CNAME selector1-acme-example._domainkey.acmegmbh.n-v1.dkim.mail.microsoft",
            "selector2._domainkey.acme.example CNAME selector2-acme-example._domainkey.acmegmbh.n-v1.dkim.mail.microsoft",
        ]
    );
    assert_eq!(
        lines(
            "amazon-ses",
            &[
                ("region", "us-east-1"),
                ("token_1", "t1"),
                ("token_2", "t2"),
                ("token_3", "t3"),
                ("return_path", "b")
            ]
        ),
        [
            "t1._domainkey.acme.example CNAME t1.dkim.amazonses.com",
            "t2._domainkey.acme.example CNAME t2.dkim.amazonses.com",
            "t3._domainkey.acme.example CNAME t3.dkim.amazonses.com",
            "b.acme.example MX 10 feedback-smtp.us-east-1.amazonses.com",
            "b.acme.example TXT v=spf1 include:amazonses.com ~all",
        ]
    );
    let raw = RECORD.split_once("p=").unwrap().1;
    let resend = send(find("resend").unwrap(), &domain(), &values(&[("region", "eu-west-1")])).unwrap();
    assert_eq!(
        resend.missing.iter().map(|parameter| parameter.key).collect::<Vec<_>>(),
        ["key"]
    );
    assert_eq!(resend.records.len(), 2, "what is known is there");
    // An Ed25519 key without its tags reads as no RSA key: the reason is given.
    let refused = send(
        find("resend").unwrap(),
        &domain(),
        &values(&[("region", "eu-west-1"), ("key", raw)]),
    );
    assert!(refused.unwrap_err().to_string().contains("32 bytes"));
}

#[test]
fn missing_and_wrong_values_are_named() {
    let microsoft = find("microsoft-365").unwrap();
    let dashes = DomainName::parse("acme-shop.example").unwrap();
    let compiled = receive(microsoft, &dashes, &Values::new()).unwrap();
    assert_eq!(
        compiled
            .missing
            .iter()
            .map(|parameter| parameter.key)
            .collect::<Vec<_>>(),
        ["token"]
    );
    assert_eq!(compiled.records, []);
    for (id, pairs, word) in [
        ("postmark", &[("selctor", "20260101pm")][..], "did you mean `selector`?"),
        ("postmark", &[("selector", "mail")], "…pm"),
        ("postmark", &[("key", "abc")], "no public key"),
        ("postmark", &[("return_path", "a b")], "a space"),
        ("mailgun", &[("region", "asia")], "us and eu"),
        ("zoho", &[("include", "zoho")], "single label"),
    ] {
        let error = send(find(id).unwrap(), &domain(), &values(pairs))
            .unwrap_err()
            .to_string();
        assert!(error.contains(word), "{error}");
    }
    let routing = find("cloudflare-email-routing").unwrap();
    assert!(matches!(
        receive(routing, &domain(), &Values::new()),
        Err(PresetError::NotGenerated(_))
    ));
    assert!(matches!(
        receive(find("postmark").unwrap(), &domain(), &Values::new()),
        Err(PresetError::Direction(..))
    ));
}

#[test]
fn return_paths_are_known() {
    let path = |id: &str, pairs: &[(&str, &str)]| {
        return_path(find(id).unwrap(), &domain(), &values(pairs)).map(|name| name.to_string())
    };
    assert_eq!(path("postmark", &[]).as_deref(), Some("pm-bounces.acme.example"));
    assert_eq!(path("google-workspace", &[]).as_deref(), Some("acme.example"));
    assert_eq!(path("mailchimp", &[]), None);
    assert_eq!(path("sendgrid", &[]), None);
}

#[test]
fn hosts_belong_to_the_longest_suffix_on_a_label_boundary() {
    let provider = |host: &str| provider_of(&DomainName::parse(host).unwrap()).map(|preset| preset.id);
    assert_eq!(provider("aspmx.l.google.com"), Some("google-workspace"));
    assert_eq!(
        provider("acme-example.mail.protection.outlook.com"),
        Some("microsoft-365")
    );
    assert_eq!(provider("route2.mx.cloudflare.net"), Some("cloudflare-email-routing"));
    assert_eq!(provider("dkim2.mcsv.net"), Some("mailchimp"));
    assert_eq!(provider("notmcsv.net"), None);
    assert_eq!(provider("www.google.com"), None);
}

#[test]
fn tables_hold_together() {
    let mut hosts = BTreeSet::new();
    for preset in all() {
        assert!(!preset.id.is_empty() && !preset.name.is_empty() && preset.checked_on.len() == 10);
        for host in preset.hosts {
            assert!(DomainName::parse(host).is_ok() && hosts.insert(*host), "{host}");
        }
        for term in preset.spf.iter().chain(preset.idle_spf) {
            assert!(term.contains('{') || parse_term(term).is_ok(), "{term}");
        }
        for template in preset.receive.iter().chain(preset.send) {
            for part in [template.name, template.value] {
                for piece in part.split('{').skip(1) {
                    let key = piece.split('}').next().unwrap();
                    let derived = ["domain", "dashed", "ses_dkim", "mailgun_mx"].contains(&key);
                    assert!(derived || preset.parameter(key).is_some(), "{}: {key}", preset.id);
                }
            }
        }
    }
}

/// Everything that a preset compiles to, to be read beside the provider's documents.
#[test]
fn the_records_of_all_presets() {
    let mut out = String::new();
    for (id, account) in accounts() {
        let preset = find(id).unwrap();
        out.push_str(&format!("{id} ({}, checked on {})\n", preset.name, preset.checked_on));
        let received = receive(preset, &domain(), &account).map(|compiled| compiled.records);
        let sent = send(preset, &domain(), &account).unwrap();
        for record in received.unwrap_or_default().iter().chain(&sent.records) {
            let (name, kind, value) = record.triple();
            let value = value.replace(&rsa(1024), KEY);
            out.push_str(&format!("  {:?} {name} {kind} {value}\n", record.role));
        }
        for term in &sent.spf {
            out.push_str(&format!("  SPF term {term}\n"));
        }
    }
    insta::assert_snapshot!(out);
}
