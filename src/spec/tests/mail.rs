//! The `email` block: what it comes to record by record, what is asked for, and what is said about the whole.

use jiff::civil::{Date, date};

use super::*;
use crate::mail::dns::QueryName;
use crate::mail::spf::flatten::Flat;
use crate::mail::spf::lock::{Lock, Locked};
use crate::model::resource::Resource;

mod flatten;

/// An Ed25519 key (RFC 8463 §A.2).
const KEY: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// A spec whose one zone has these lines under `email:`.
fn email(lines: &str) -> String {
    let indented: String = lines
        .lines()
        .map(|line| format!("      {}\n", line.trim_end()))
        .collect();
    format!("version: 1\nzones:\n  acme.example:\n    provider: cloudflare\n    email:\n{indented}")
}

fn on(text: &str, today: Date) -> Loaded {
    beside(text, today, &LockFile::default())
}

/// A spec with what stands in the lock file beside it.
fn beside(text: &str, today: Date, spf_lock: &LockFile) -> Loaded {
    let inputs = Inputs {
        vars: &BTreeMap::new(),
        env: &|_| None,
        files: &|name| Err(format!("there is no `{name}`")),
        providers: &providers(),
        today,
        spf_lock,
    };
    load(&source(text), &inputs)
}

/// A lock file that holds one include, taken on a day.
fn locked(include: &str, taken: Date, lookups: usize, networks: &[String]) -> LockFile {
    let flat = Flat {
        networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
        records: BTreeMap::new(),
        lookups,
    };
    LockFile {
        path: "launch.spf.lock".into(),
        content: Ok(Lock {
            includes: [(QueryName::parse(include).unwrap(), Locked { taken, flat })].into(),
        }),
    }
}

/// `code message` of everything that was found, and the TXT records that are desired.
fn said(loaded: &Loaded) -> (Vec<String>, Vec<String>) {
    let findings = loaded.diagnostics.iter();
    let findings = findings.map(|one| format!("{} {}", one.code, one.message)).collect();
    let sets = loaded.spec.iter().flat_map(|spec| spec.desired.inventory.values());
    let txt = sets.filter_map(|one| match one {
        Resource::RecordSet(set) => {
            let value = set.records.first()?.data.txt()?;
            Some(format!("{} {}", set.name, String::from_utf8_lossy(value)))
        }
        _ => None,
    });
    (findings, txt.collect())
}

#[test]
fn a_policy_needs_a_host_that_serves_it() {
    let text = email(
        "receive: [{ host: mx1.mail.example }]\nsend: []\nmta_sts: { mode: MODE }\ntls_rpt: [t@mail.example]\ndmarc: { policy: reject, report_to: [d@mail.example] }",
    );
    let codes = |text: &str| said(&read_with(text, &[])).0;
    let (testing, none) = (text.replace("MODE", "testing"), text.replace("MODE", "none"));
    assert_eq!(
        codes(&testing),
        ["mta-sts mta-sts.acme.example: the spec announces a policy, and does not declare the host that serves it"]
    );
    assert_eq!(
        codes(&none),
        [] as [String; 0],
        "a policy that is withdrawn is no promise"
    );
    let host = "    records: [{ type: CNAME, name: mta-sts, value: policies.mail.example }]\n";
    let accepted = "    accept: [mta-sts]\n";
    for more in [host, accepted, &host.replace("mta-sts,", "\"*\",")] {
        assert_eq!(codes(&format!("{testing}{more}")), [] as [String; 0], "{more}");
    }
}

#[test]
fn who_issues_certificates_is_held_against_caa() {
    let text = email(
        "receive: [{ host: mx1.mail.example }]\nsend: []\nmta_sts: { mode: testing, issuer: letsencrypt.org }\ntls_rpt: [t@mail.example]\ndmarc: { policy: reject, report_to: [d@mail.example] }\nbimi: { logo: \"https://acme.example/l.svg\", certificate: \"https://acme.example/v.pem\", issuer: digicert.com }",
    ) + "    accept: [mta-sts]\n";
    let codes = |text: &str| said(&read_with(text, &[])).0;
    let caa = |values: &str| format!("{text}    records: [{{ type: CAA, name: \"@\", values: [{values}] }}]\n");
    assert_eq!(
        codes(&caa(r#"'0 issue "letsencrypt.org"', '0 issuevmc "digicert.com"'"#)),
        [] as [String; 0]
    );
    assert_eq!(
        codes(&caa(r#"'0 issue "other.example"', '0 issuevmc "other.example"'"#)),
        [
            "caa-mail mta-sts.acme.example: CAA does not let letsencrypt.org issue for mta-sts.acme.example",
            "caa-mail acme.example: CAA does not let digicert.com issue for acme.example",
        ]
    );
    let bad = text.replace("issuer: digicert.com", "issuer: DigiCert Inc");
    assert!(
        codes(&bad).contains(&"bad-name `DigiCert Inc` is no domain of a CA".to_owned()),
        "{:?}",
        codes(&bad)
    );
}

/// The data of what a spec declares, without the zone in front.
fn records(text: &str) -> Vec<String> {
    values(text, &[])
        .into_iter()
        .map(|line| line.trim_end_matches(" auto").replace("acme.example/dns/", ""))
        .collect()
}

#[test]
fn every_sender_and_policy_becomes_records_on_the_one_road() {
    let text = email(&format!(
        "receive:
  - {{ host: mx1.mail.example }}
  - {{ host: mx2.mail.example, priority: 20 }}
send:
  - fastmail
  - {{ via: postmark, dkim: {{ selector: 20260101pm, key: {KEY} }} }}
  - {{ via: own, name: the shop, addresses: [203.0.113.10, \"2001:db8::/64\"], dkim: {{ selector: shop, cname: shop.keys.example }} }}
  - {{ via: own, name: bulk, return_path: bounce, addresses: [198.51.100.0/24] }}
spf: {{ all: fail, include: [_spf.partner.example], terms: [\"?exists:%{{i}}.list.example\"] }}
dmarc: {{ policy: quarantine, subdomains: reject, nonexistent: reject, report_to: [dmarc@mail.example], adkim: strict }}
mta_sts: {{ mode: enforce, mx: [\"*.backup.example\"], max_age: 1d }}
tls_rpt: [tls@mail.example, \"https://mail.example/tls\"]
bimi: {{ logo: \"https://acme.example/logo.svg\", certificate: \"https://acme.example/vmc.pem\" }}"
    ));
    let id = crate::mail::mta_sts::Policy {
        mode: crate::mail::mta_sts::Mode::Enforce,
        exchangers: vec![
            "*.backup.example".into(),
            "mx1.mail.example".into(),
            "mx2.mail.example".into(),
        ],
        max_age: 86_400,
    }
    .record_text();
    assert_eq!(
        records(&text),
        [
            "CNAME/fm1._domainkey: fm1.acme.example.dkim.fmhosted.com".to_owned(),
            "CNAME/fm2._domainkey: fm2.acme.example.dkim.fmhosted.com".into(),
            "CNAME/fm3._domainkey: fm3.acme.example.dkim.fmhosted.com".into(),
            "CNAME/pm-bounces: pm.mtasv.net".into(),
            "CNAME/shop._domainkey: shop.keys.example".into(),
            "MX/@: 10 mx1.mail.example auto, 20 mx2.mail.example".into(),
            format!("TXT/20260101pm._domainkey/v=DKIM1: v=DKIM1; k=ed25519; p={KEY}"),
            "TXT/@/v=spf1: v=spf1 include:spf.messagingengine.com ip4:203.0.113.10 ip6:2001:db8::/64 include:_spf.partner.example ?exists:%{i}.list.example -all".into(),
            "TXT/_dmarc/v=DMARC1: v=DMARC1; p=quarantine; sp=reject; np=reject; adkim=s; rua=mailto:dmarc@mail.example".into(),
            format!("TXT/_mta-sts/v=STSv1: {id}"),
            "TXT/_smtp._tls/v=TLSRPTv1: v=TLSRPTv1; rua=mailto:tls@mail.example,https://mail.example/tls".into(),
            "TXT/bounce/v=spf1: v=spf1 ip4:198.51.100.0/24 -all".into(),
            format!(
                "TXT/default._bimi/{}: v=BIMI1; l=https://acme.example/logo.svg; a=https://acme.example/vmc.pem",
                member(&text, "default._bimi")
            ),
        ]
    );
}

/// The last part of the address of the TXT value at a name.
fn member(text: &str, name: &str) -> String {
    let loaded = read_with(text, &[]).spec.unwrap();
    let addresses = loaded.desired.inventory.keys();
    let found = addresses
        .map(ToString::to_string)
        .find(|address| address.contains(name));
    found.unwrap().rsplit('/').next().unwrap().to_owned()
}

#[test]
fn a_key_under_dkim_is_the_one_that_a_preset_asks_for_and_is_published_once() {
    let text = email(&format!(
        "receive: google-workspace\nsend: [google-workspace]\ndkim:\n  - {{ selector: google, key: {KEY} }}\n  - {{ selector: old, cname: old.keys.example }}"
    ));
    assert_eq!(
        records(&text),
        [
            "CNAME/old._domainkey: old.keys.example".to_owned(),
            "MX/@: 1 smtp.google.com".into(),
            "TXT/@/v=spf1: v=spf1 include:_spf.google.com ~all".into(),
            format!("TXT/google._domainkey/v=DKIM1: v=DKIM1; k=ed25519; p={KEY}"),
        ]
    );
}

#[test]
fn a_value_given_once_serves_receiving_and_sending() {
    let text = email("receive: microsoft-365\nsend:\n  - { via: microsoft-365, token: acme-x, tenant: acmecorp }");
    let all = records(&text);
    assert!(
        all.contains(&"MX/@: 0 acme-x.mail.protection.outlook.com".to_owned()),
        "{all:?}"
    );
    assert!(
        all.contains(&"CNAME/selector1._domainkey: selector1-acme-x._domainkey.acmecorp.onmicrosoft.com".to_owned()),
        "{all:?}"
    );
}

#[test]
fn a_parked_domain_refuses_in_every_way() {
    let text = "version: 1\nzones:\n  acme.example: { provider: cloudflare, email: parked }\n";
    assert_eq!(found(text), Vec::<String>::new());
    assert_eq!(
        records(text),
        [
            "MX/@: 0 .",
            "TXT/*._domainkey/v=DKIM1: v=DKIM1; p=",
            "TXT/*/v=spf1: v=spf1 -all",
            "TXT/@/v=spf1: v=spf1 -all",
            "TXT/_dmarc/v=DMARC1: v=DMARC1; p=reject; sp=reject; np=reject; adkim=s; aspf=s",
        ]
    );
}

#[test]
fn nobody_receives_and_nobody_sends() {
    let text = email("receive: none\nsend: []\ndmarc: { policy: reject, report_to: [d@acme.example] }");
    assert_eq!(
        records(&text),
        [
            "MX/@: 0 .",
            "TXT/@/v=spf1: v=spf1 -all",
            "TXT/_dmarc/v=DMARC1: v=DMARC1; p=reject; rua=mailto:d@acme.example",
        ]
    );
}

#[test]
fn a_rollout_says_what_holds_today_and_what_is_next() {
    let text = email(
        "send: [fastmail]\ndmarc:\n  policy: none\n  report_to: [d@mail.example]\n  rollout:\n    - { on: 2026-12-01, policy: quarantine, testing: true }\n    - { on: 2027-01-15, policy: reject }",
    );
    for (today, record, words) in [
        (
            date(2026, 11, 30),
            "v=DMARC1; p=none; rua=mailto:d@mail.example",
            "the DMARC rollout is before its first stage: none; next is quarantine, due on 2026-12-01",
        ),
        (
            date(2026, 12, 1),
            "v=DMARC1; p=quarantine; t=y; rua=mailto:d@mail.example",
            "the DMARC rollout is at stage 1 of 2: quarantine since 2026-12-01; next is reject, due on 2027-01-15",
        ),
        (
            date(2027, 2, 1),
            "v=DMARC1; p=reject; rua=mailto:d@mail.example",
            "the DMARC rollout is at stage 2 of 2: reject since 2027-01-15, its last",
        ),
    ] {
        let spec = on(&text, today).spec.unwrap();
        let rollout = spec.mail.values().next().unwrap().rollout.clone().unwrap();
        assert_eq!(rollout.in_words(), words);
        let set = spec.desired.inventory[&rollout.address].as_record_set().unwrap();
        assert_eq!(set.records[0].data.to_string(), record);
    }
}

#[test]
fn a_zone_of_the_spec_agrees_to_get_reports_and_a_foreign_one_is_left_alone() {
    let text = |more: &str| {
        format!(
            "version: 1\nzones:\n  acme.example:\n    provider: cloudflare\n    email: {{ send: [fastmail], dmarc: {{ policy: reject, report_to: [a@mail.hub.example, b@foreign.example, c@sub.acme.example] }} }}\n  hub.example:\n    provider: cloudflare\n    records:\n      - {{ type: MX, name: mail, value: 10 mx.elsewhere.test }}\n{more}"
        )
    };
    let agreement = "hub.example/dns/TXT/acme.example._report._dmarc.mail/v-d88a6aab: v=DMARC1 auto".to_owned();
    let all = values(&text(""), &[]);
    assert_eq!(
        all.iter().filter(|line| line.contains("_report")).collect::<Vec<_>>(),
        [&agreement]
    );
    // Who wrote it by hand already, for one domain or for all, is not told that it is there twice.
    for name in ["acme.example._report._dmarc.mail", "\"*._report._dmarc.mail\""] {
        let more = format!("      - {{ type: TXT, name: {name}, value: v=DMARC1 }}\n");
        let all = values(&text(&more), &[]);
        assert_eq!(all.iter().filter(|line| line.contains("_report")).count(), 1, "{all:?}");
    }
}

#[test]
fn what_is_written_by_hand_too_is_found_with_both_places() {
    let text = "version: 1\nzones:\n  acme.example:\n    provider: cloudflare\n    records:\n      - { type: TXT, name: \"@\", value: v=spf1 mx -all }\n      - { type: MX, name: \"@\", value: 1 smtp.google.com }\n    email: { receive: google-workspace, spf: { ip4: [192.0.2.1] } }\n";
    let loaded = read_with(text, &[]);
    let related: Vec<_> = loaded
        .diagnostics
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| (finding.code, finding.related.len()))
        .collect();
    assert_eq!(related, [("duplicate-value", 1), ("one-per-name", 1)]);
}

#[test]
fn what_is_missing_is_asked_for_by_name() {
    let loaded = read_with(
        &email("send:\n  - { via: amazon-ses, region: eu-central-1 }\n  - brevo"),
        &[],
    );
    let helps: Vec<String> = loaded
        .diagnostics
        .iter()
        .filter(|finding| finding.code == "missing-mail-value")
        .map(|finding| finding.help.join(" | "))
        .collect();
    assert!(
        helps[0].contains("token_1: … is the first DKIM token") && helps[0].contains("return_path: …"),
        "{helps:?}"
    );
    assert!(!helps[0].contains("region"), "{helps:?}");
    // What is said of a key is valid when it is written so: with its selector.
    let loaded = read_with(&email("send: [google-workspace]"), &[]);
    let asked = loaded.diagnostics.iter().find(|one| one.code == "missing-mail-value");
    let help = &asked.unwrap().help;
    assert!(
        help[0].starts_with("`key` of dkim: { selector: google, key: … } is the DKIM key"),
        "{help:?}"
    );
}

#[test]
fn errors_point_into_the_value_and_one_wrong_part_hides_no_other() {
    for (lines, expected) in [
        ("send: [postmrak]", "unknown-mail-preset 6 postmrak"),
        ("send:\n  - { via: fastmail, tenant: x }", "mail-preset 7 x"),
        ("send:\n  - { via: own, addresses: [192.0.2.1/33] }", "spf-syntax 7 33"),
        ("spf: { include: [\"a b\"] }", "spf-syntax 6  "),
        ("spf: { all: pass }", "wrong-value 6 pass"),
        ("dkim: [{ selector: s, key: abc }]", "dkim-malformed 6 abc"),
        ("dkim: [{ selector: s }]", "missing-key 6 { selector: s }"),
        ("dkim: [{ selector: s, cname: a..example }]", "bad-value 6 "),
        ("dmarc: { report_to: [a@b.example] }", "missing-key 6 dmarc"),
        (
            "dmarc: { policy: none, report_to: [nobody] }",
            "bad-mail-address 6 nobody",
        ),
        ("dmarc: { rollout: [{ on: soon, policy: none }] }", "wrong-value 6 soon"),
        (
            "dmarc: { rollout: [{ on: 2027-01-01, policy: reject }, { on: 2026-01-01, policy: none }] }",
            "rollout-order 6 2026-01-01",
        ),
        ("mta_sts: { mode: testing }", "mta-sts-without-mx 6 mta_sts"),
        ("tls_rpt: []", "nothing-listed 6 tls_rpt"),
        (
            "bimi: { logo: \"http://acme.example/l.svg\" }",
            "bad-url 6 \"http://acme.example/l.svg",
        ),
        (
            "receive: [{ host: mx.example, priority: 70000 }]",
            "wrong-value 6 70000",
        ),
        ("receive: [{ host: 192.0.2.1 }]", "target-is-address 6 192.0.2.1"),
        ("receive: postmark", "mail-preset 6 postmark"),
        (
            "receive: cloudflare-email-routing",
            "mail-preset 6 cloudflare-email-routing",
        ),
    ] {
        let all = found(&email(lines));
        assert!(
            all.iter().any(|line| line.trim_end().starts_with(expected.trim_end())),
            "{lines}: {all:?}"
        );
    }
}

#[test]
fn a_key_is_taken_as_consoles_and_zone_files_show_it() {
    let (head, tail) = KEY.split_at(20);
    for written in [
        KEY.to_owned(),
        format!("'\"v=DKIM1; k=ed25519; p={head}\" \"{tail}\"'"),
        format!("|\n          v=DKIM1;\n          k=ed25519;\n          p={head}\n          {tail}"),
        format!("|\n          {head}\n          {tail}"),
    ] {
        let text = email(&format!("dkim:\n  - selector: s\n    key: {written}"));
        let all = records(&text);
        assert!(
            all[0].ends_with(&format!("p={KEY}")) && !all[0].contains('\n'),
            "{written}: {all:?}"
        );
    }
}

#[test]
fn a_private_key_is_shown_nowhere() {
    let private = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
    for key in [
        private.to_owned(),
        format!("-----BEGIN PRIVATE KEY----- {private} -----END PRIVATE KEY-----"),
    ] {
        let loaded = read_with(&email(&format!("dkim: [{{ selector: s, key: \"{key}\" }}]")), &[]);
        let all: Vec<_> = loaded.diagnostics.iter().collect();
        assert!(
            all.iter().any(|finding| finding.code == "private-key"),
            "{key}: {all:?}"
        );
        for finding in all {
            let place = finding.place.as_ref().unwrap();
            assert!(!place.source.text.contains(private), "{finding:?}");
        }
    }
}

#[test]
fn findings_are_about_the_compiled_records_and_can_be_meant() {
    let text = |accept: &str| {
        let block = email(
            "receive: fastmail\nsend: [fastmail]\nspf: { include: [_spf.acme.example] }\ndmarc: { policy: none, report_to: [d@mail.example] }",
        );
        format!("{block}    accept: [{accept}]\n")
    };
    let all = found(&text(""));
    assert!(all.contains(&"spf-target 8 spf".to_owned()), "{all:?}");
    let loaded = read_with(&text(""), &[]);
    let target = loaded.diagnostics.iter().find(|finding| finding.code == "spf-target");
    assert_eq!(
        target.unwrap().address.as_deref(),
        Some("acme.example/dns/TXT/@/v=spf1")
    );
    let meant = read_with(&text("spf-target, dmarc-monitoring"), &[]);
    assert!(
        meant.spec.is_some() && meant.diagnostics.is_empty(),
        "{:#?}",
        meant.diagnostics
    );
    let slip = found(&text("spf-targt"));
    assert!(slip.contains(&"unknown-code 10 spf-targt".to_owned()), "{slip:?}");
}

#[test]
fn records_by_hand_are_remarked_and_never_refused() {
    let all = found(&zone(
        "- { type: TXT, name: \"@\", value: v=spf1 ip4:192.0.2.0/33 ~all }\n- { type: TXT, name: _dmarc, value: v=DMARC1; p=rejected }",
    ));
    assert_eq!(
        all,
        [
            "(warning) spf-syntax 6 v=spf1 ip4:192.0.2.0/33 ~all",
            "(warning) dmarc-syntax 7 v=DMARC1; p=rejected",
        ]
    );
}

proptest! {
    #[test]
    fn no_block_makes_anything_panic(keys in prop::collection::vec((0_usize..14, "[a-z0-9:/@.,{}\\[\\] =;*%-]{0,30}"), 0..6)) {
        const KEYS: [&str; 14] = [
            "receive: ", "send: ", "send: [postmark, ", "spf: { all: fail, terms: [", "dkim: [{ selector: s, key: ",
            "dmarc: { policy: none, report_to: [", "dmarc: { rollout: [{ on: 2026-01-01, policy: ", "mta_sts: { mode: testing, mx: [",
            "tls_rpt: [", "bimi: { logo: ", "bulk: ", "send: [{ via: own, addresses: [", "receive: [{ host: ", "x: ",
        ];
        let lines: Vec<String> = keys.iter().map(|(key, value)| {
            let open = KEYS[*key];
            let close: String = open.chars().rev().filter_map(|c| match c { '[' => Some(']'), '{' => Some('}'), _ => None }).collect();
            format!("{open}{value}{close}")
        }).collect();
        read_with(&email(&lines.join("\n")), &[]);
    }
}
