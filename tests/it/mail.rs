//! Mail from end to end, with the real binary: a spec that uses several presets, a second sender beside what stands at
//! the name already, `mail check` against a DNS server, new keys.

use std::path::Path;
use std::process::Command;

use launchctl::mail::dns::{Exchanger, MemoryZone, QueryName, Stored};
use launchctl::sandbox::Plan;
use serde_json::{Value, json};

use crate::support::{Place, Ran};
use crate::views::fits;
use crate::zone_server::ZoneServer;

/// An Ed25519 key (RFC 8463 §A.2).
const KEY: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fn name(text: &str) -> QueryName {
    QueryName::parse(text).unwrap()
}

fn txt(value: &str) -> Stored {
    Stored::Txt(value.as_bytes().to_vec())
}

/// A domain with mail in order, but for an SPF record that leads nowhere and a policy that only watches.
fn live() -> MemoryZone {
    let mut zone = MemoryZone::default();
    zone.add(
        &name("acme.example"),
        txt("v=spf1 include:_spf.mail.example include:gone.example ip4:203.0.113.10 ~all"),
    )
    .add(&name("acme.example"), txt("google-site-verification=\u{1b}[31mabc"))
    .add(
        &name("acme.example"),
        Stored::Mx(Exchanger {
            preference: 10,
            host: Some(name("mx.mail.example")),
        }),
    )
    .add(&name("mx.mail.example"), Stored::A("203.0.113.20".parse().unwrap()))
    .add(
        &name("_spf.mail.example"),
        txt("v=spf1 ip4:198.51.100.0/24 a:out.mail.example -all"),
    )
    .add(&name("out.mail.example"), Stored::A("203.0.113.30".parse().unwrap()))
    .add(
        &name("_dmarc.acme.example"),
        txt("v=DMARC1; p=none; rua=mailto:dmarc@acme.example"),
    )
    .add(
        &name("s1._domainkey.acme.example"),
        txt(&format!("v=DKIM1; k=ed25519; p={KEY}")),
    );
    zone
}

fn check(server: &ZoneServer, folder: &Path, arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_launchctl"))
        .args(["mail", "check"])
        .args(arguments)
        .args(["--resolver", &server.address().to_string()])
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    Ran::of(&output)
}

/// Without what differs from one run to the next.
pub(crate) fn settled(text: &str, server: &ZoneServer) -> String {
    let text = text.replace(&server.address().to_string(), "[SERVER]");
    let mut lines = text.lines().map(|line| match line.split_once(" at 20") {
        Some((head, tail)) if line.contains("asked of") => {
            let rest = tail.split_once('Z').map_or("", |(_, rest)| rest);
            format!("{head} at [TIME]{rest}\n")
        }
        _ => format!("{line}\n"),
    });
    lines.by_ref().collect()
}

#[test]
fn a_domain_is_checked_live_with_its_tree_what_was_seen_and_what_to_do() {
    let server = ZoneServer::start(live());
    let folder = tempfile::tempdir().unwrap();
    let ran = check(&server, folder.path(), &["acme.example", "--selector", "s1"]).expect(2);
    assert!(ran.out.chars().all(|c| c == '\n' || !c.is_control()), "{}", ran.out);
    insta::assert_snapshot!("mail_check", settled(&ran.out, &server));
    let json = check(&server, folder.path(), &["acme.example", "--selector", "s1", "--json"])
        .expect(2)
        .json();
    fits("mail-check", &json);
    assert_eq!(json["ok"], false);
    assert_eq!(json["spf"][0]["tree"]["terms"][1]["leads_to"]["state"], "missing");
}

#[test]
fn exit_codes_say_yes_no_and_unknown() {
    let server = ZoneServer::start(MemoryZone::default());
    let folder = tempfile::tempdir().unwrap();
    let mut good = MemoryZone::default();
    good.add(&name("acme.example"), txt("v=spf1 -all"))
        .add(
            &name("acme.example"),
            Stored::Mx(Exchanger {
                preference: 10,
                host: Some(name("mx.mail.example")),
            }),
        )
        .add(&name("mx.mail.example"), Stored::A("203.0.113.20".parse().unwrap()))
        .add(
            &name("_dmarc.acme.example"),
            txt("v=DMARC1; p=reject; rua=mailto:d@acme.example"),
        );
    server.serve(good.clone());
    check(&server, folder.path(), &["acme.example"]).expect(0);
    good.fail(&name("_dmarc.acme.example"), None);
    server.serve(good);
    let open = check(&server, folder.path(), &["acme.example"]).expect(1);
    assert!(open.out.contains("Could not be judged"), "{}", open.out);
    let silent = check(&server, folder.path(), &["silent.example", "--timeout", "200ms"]).expect(1);
    let words = format!("DNS did not answer at {}; nothing could be judged", server.address());
    assert!(silent.err.contains(&words) && silent.out.is_empty(), "{}", silent.all());
    let nowhere = check(&server, folder.path(), &["nosuch.example"]).expect(1);
    assert!(
        nowhere.err.contains("nosuch.example does not exist in DNS (a typo"),
        "{}",
        nowhere.all()
    );
    assert!(!nowhere.all().contains("publish"), "{}", nowhere.all());
    check(&server, folder.path(), &["not a domain"]).expect(1);
    let missing = check(&server, folder.path(), &[]).expect(1);
    assert!(missing.err.contains("DOMAIN"), "{}", missing.err);
}

#[test]
fn one_evaluation_is_traced_term_by_term() {
    let server = ZoneServer::start(live());
    let folder = tempfile::tempdir().unwrap();
    let asked = ["acme.example", "--ip", "203.0.113.30", "--from", "jo@acme.example"];
    let ran = check(&server, folder.path(), &asked).expect(0);
    insta::assert_snapshot!("mail_trace", settled(&ran.out, &server));
    let json = check(&server, folder.path(), &[&asked[..], &["--json"]].concat())
        .expect(0)
        .json();
    fits("mail-trace", &json);
    assert_eq!(json["result"], "pass");
    let other = ["--ip", "192.0.2.99", "--from", "jo@acme.example", "--json"];
    let json = check(&server, folder.path(), &other).expect(2).json();
    fits("mail-trace", &json);
    assert_eq!(json["result"], "permerror", "the include that is gone is reached");
    let json = check(
        &server,
        folder.path(),
        &[
            "--ip",
            "192.0.2.99",
            "--from",
            "jo@silent.example",
            "--json",
            "--timeout",
            "200ms",
        ],
    )
    .expect(1)
    .json();
    assert_eq!(json["result"], "temperror");
}

#[test]
fn the_spec_says_what_to_expect_of_its_own_domains() {
    let server = ZoneServer::start(live());
    let place = Place::new(Plan::Pro);
    place.write(
        "launch.yaml",
        "version: 1\nzones:\n  acme.example:\n    provider: cloudflare\n    email:\n      receive: fastmail\n      send: [fastmail]\n      dmarc: { policy: none, report_to: [d@mail.example] }\n    accept: [spf-target]\n",
    );
    let json = check(&server, place.folder.path(), &["acme.example", "--json"])
        .expect(2)
        .json();
    fits("mail-check", &json);
    assert_eq!(json["declared"], true);
    let findings = json["findings"].as_array().unwrap();
    let has = |id: &str, accepted: bool| {
        findings
            .iter()
            .any(|one| one["id"] == id && one["accepted"] == accepted)
    };
    assert!(
        has("spf-target", true) && has("dkim-missing", false) && has("mx-missing", false),
        "{json:#}"
    );
    place.write("launch.yaml", "version: 2\n");
    let json = check(&server, place.folder.path(), &["acme.example", "--json"])
        .expect(2)
        .json();
    assert!(json["notes"][0].as_str().unwrap().contains("has errors"), "{json:#}");
}

/// A spec whose one zone has these lines under `email:`.
pub(crate) fn email(lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("      {line}\n")).collect();
    format!("version: 1\nproject: Acme\nzones:\n  acme.example:\n    provider: cloudflare\n    email:\n{lines}")
}

#[test]
fn a_second_sender_changes_one_value_and_comes_off_again_byte_for_byte() {
    let place = Place::new(Plan::Pro);
    let tokens = [
        "google-site-verification=abc123",
        "facebook-domain-verification=zzz",
        "MS=ms12345678",
        "apple-domain-verification=Q1",
        "stripe-verification=\\\"quoted\\\" and spaced",
    ];
    place.world(|world| {
        for value in tokens.iter().copied().chain(["v=spf1 include:spf.messagingengine.com ~all"]) {
            let record = json!({ "type": "TXT", "name": "acme.example", "content": format!("\"{value}\""), "ttl": 1 });
            world.add_record("acme.example", record).unwrap();
        }
        for at in 1..=3 {
            let record = json!({ "type": "CNAME", "name": format!("fm{at}._domainkey.acme.example"), "content": format!("fm{at}.acme.example.dkim.fmhosted.com"), "ttl": 1 });
            world.add_record("acme.example", record).unwrap();
        }
        let policy = json!({ "type": "TXT", "name": "_dmarc.acme.example", "content": "\"v=DMARC1; p=none; rua=mailto:d@mail.example\"", "ttl": 1 });
        world.add_record("acme.example", policy).unwrap();
    });
    let before = place.state();
    let policy = "dmarc: { policy: none, report_to: [d@mail.example] }";
    place.write("launch.yaml", &email(&format!("send: [fastmail]\n{policy}")));
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.write(
        "launch.yaml",
        &email(&format!(
            "send: [fastmail, {{ via: own, name: the shop, addresses: [203.0.113.10] }}]\n{policy}"
        )),
    );
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(
        plan["summary"],
        json!({ "create": 0, "update": 1, "delete": 0, "unmanaged": 5, "requests": 1 })
    );
    let change = &plan["changes"][0];
    assert_eq!(change["address"], "acme.example/dns/TXT/@/v=spf1");
    place.run(&["apply", "--yes"]).expect(0);
    let after = place.state();
    let differ = after.iter().filter(|line| !before.contains(line)).collect::<Vec<_>>();
    assert_eq!(differ.len(), 1, "{differ:#?}");
    assert!(
        differ[0].contains("v=spf1 ip4:203.0.113.10 include:spf.messagingengine.com ~all"),
        "{differ:#?}"
    );
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.state(), before);
}

#[test]
fn a_spec_with_several_presets_is_planned_applied_and_planned_to_nothing() {
    let place = Place::new(Plan::Pro);
    place.write(
        "launch.yaml",
        &email(&format!(
            "receive: google-workspace\nsend:\n  - google-workspace\n  - {{ via: postmark, dkim: {{ selector: 20260101pm, key: {KEY} }} }}\n  - {{ via: sendgrid, return_path: em1234, account: u123, server: wl9 }}\n  - mailchimp\nspf: {{ all: softfail }}\ndkim:\n  - {{ selector: google, key: \"v=DKIM1; k=ed25519; p={KEY}\" }}\ndmarc:\n  policy: none\n  report_to: [dmarc@mail.example]\n  rollout: [{{ on: 2026-01-01, policy: quarantine }}, {{ on: 2999-01-01, policy: reject }}]\nmta_sts: {{ mode: testing }}\ntls_rpt: [tls@mail.example]"
        )),
    );
    let plan = place.run(&["plan"]).expect(0);
    insta::assert_snapshot!(
        "mail_plan",
        plan.out.replace(
            &place.sandbox().url().replace("/client/v4", "").replace("http://", ""),
            "[SANDBOX]"
        )
    );
    let plan = place.run(&["plan", "--json"]).expect(0);
    assert!(
        plan.out.contains(
            "the DMARC rollout is at stage 1 of 2: quarantine since 2026-01-01; next is reject, due on 2999-01-01"
        ),
        "{}",
        plan.out
    );
    place.run(&["apply", "--yes"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    let policy = place.run(&["mail", "mta-sts", "acme.example"]).expect(0);
    assert_eq!(
        policy.out,
        "version: STSv1\nmode: testing\nmx: smtp.google.com\nmax_age: 604800\n"
    );
    let none = place.run(&["mail", "mta-sts", "other.example"]).expect(1);
    assert!(none.err.contains("declares no MTA-STS policy"), "{}", none.err);
}

#[test]
fn a_new_key_is_put_away_and_its_record_is_taken_by_the_spec() {
    let place = Place::new(Plan::Pro);
    for (algorithm, selector) in [("rsa", "2026a"), ("ed25519", "2026e")] {
        let ran = place
            .run(&["dkim", "new", selector, "--algorithm", algorithm, "--print", "--json"])
            .expect(0);
        let key: Value = ran.json();
        fits("dkim-new", &key);
        let file = format!("{selector}.dkim.pem");
        assert_eq!(key["private_key"], format!("file:{file}"));
        let private = std::fs::read_to_string(place.path(&file)).unwrap();
        let second = private.lines().nth(1).unwrap();
        assert!(!ran.all().contains(second), "the private key is shown nowhere");
        let again = place.run(&["dkim", "new", selector, "--print"]).expect(1);
        assert!(again.err.contains("never written over"), "{}", again.err);
        assert_eq!(std::fs::read_to_string(place.path(&file)).unwrap(), private);
        place.write(
            "launch.yaml",
            &email(&format!(
                "dkim: [{{ selector: {selector}, key: \"{}\" }}]",
                key["record"].as_str().unwrap()
            )),
        );
        place.run(&["validate"]).expect(0);
    }
    let words = place
        .run(&["dkim", "new", "2026b", "--algorithm", "ed25519", "--print"])
        .expect(0);
    assert!(
        words
            .out
            .contains("    - { selector: 2026b, key: \"v=DKIM1; k=ed25519; p="),
        "{}",
        words.out
    );
}

#[test]
fn a_new_key_goes_into_the_spec_and_nothing_else_changes() {
    let place = Place::new(Plan::Pro);
    let text = email("# who signs\ndmarc: { policy: none } # for now");
    // A link leads to the file where the system has links.
    #[cfg(unix)]
    {
        let _ = std::fs::remove_file(place.path("launch.yaml"));
        std::os::unix::fs::symlink("real.yaml", place.path("launch.yaml")).unwrap();
        place.write("real.yaml", &text);
    }
    #[cfg(not(unix))]
    place.write("launch.yaml", &text);
    let ran = place
        .run(&["dkim", "new", "2026e", "--algorithm", "ed25519", "--json"])
        .expect(0);
    let key: Value = ran.json();
    fits("dkim-new", &key);
    assert_eq!(key["zone"], "acme.example", "{key}");
    #[cfg(unix)]
    assert!(place.path("launch.yaml").is_symlink(), "the link stays a link");
    let after = std::fs::read_to_string(place.path("launch.yaml")).unwrap();
    let item = format!("- {{ selector: 2026e, key: \"{}\" }}", key["record"].as_str().unwrap());
    let left: Vec<&str> = after
        .lines()
        .filter(|line| line.trim() != "dkim:" && line.trim() != item)
        .collect();
    assert_eq!(left, text.lines().collect::<Vec<_>>());
    assert!(after.contains(&item), "{after}");
    place.run(&["validate"]).expect(0);
}

#[test]
fn a_spec_that_cannot_take_the_record_gets_no_key() {
    let place = Place::new(Plan::Pro);
    let dmarc = "dmarc: { policy: none }";
    let taken = format!("dkim: [{{ selector: 2026E, key: \"{KEY}\" }}]\n{dmarc}");
    let two = format!(
        "{}  shop.example:\n    provider: cloudflare\n    records: []\n",
        email(dmarc)
    );
    let alias = email("&m\n  bulk: true").replace("email:\n      &m", "email: &m")
        + "  shop.example:\n    provider: cloudflare\n    email: *m\n";
    let cases: [(&str, String, &[&str], &str); 8] = [
        (
            "a taken selector",
            email(&taken),
            &[],
            "acme.example declares the selector `2026e` already",
        ),
        (
            "no such zone",
            email(dmarc),
            &["--zone", "acme.test"],
            "the spec has no zone acme.test",
        ),
        ("two zones", two.clone(), &[], "--zone ZONE"),
        (
            "no email block",
            two,
            &["--zone", "shop.example"],
            "has no `email` block",
        ),
        (
            "parked",
            email(dmarc).replace("email:\n      dmarc: { policy: none }", "email: parked"),
            &[],
            "no block of keys",
        ),
        ("an alias", alias, &["--zone", "shop.example"], "an alias"),
        ("a spec with errors", email("dmarc: { policy: nine }"), &[], "nine"),
        (
            "a name in use",
            email(dmarc) + "    records: [{ type: CNAME, name: 2026e._domainkey, value: k.mail.example }]\n",
            &[],
            "cannot take the record",
        ),
    ];
    for (what, spec, more, words) in cases {
        place.write("launch.yaml", &spec);
        let ran = place
            .run(&[&["dkim", "new", "2026e", "--algorithm", "ed25519"][..], more].concat())
            .expect(1);
        assert!(ran.err.contains(words), "{what}: {}", ran.err);
        assert_eq!(ran.out, "", "{what}");
        assert!(!place.path("2026e.dkim.pem").exists(), "{what}: a key was left behind");
        assert_eq!(
            std::fs::read_to_string(place.path("launch.yaml")).unwrap(),
            spec,
            "{what}"
        );
    }
    let json = place.run(&["dkim", "new", "2026e", "--json"]).expect(1).json();
    fits("error", &json);
}
