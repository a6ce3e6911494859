//! Flattened includes from end to end, with the real binary: taken over DNS, written beside the spec, planned, and
//! compared with what they stand for later.

use launchctl::mail::dns::{MemoryZone, QueryName, Stored};
use launchctl::sandbox::Plan;
use serde_json::{Value, json};

use crate::mail::{email, settled};
use crate::support::{Place, Ran};
use crate::views::fits;
use crate::zone_server::ZoneServer;

const LOCK: &str = "launch.spf.lock";

/// A provider's record, and one beneath it.
fn provider(own: &str, beneath: Option<&str>) -> MemoryZone {
    let mut zone = MemoryZone::default();
    let name = |text: &str| QueryName::parse(text).unwrap();
    let txt = |value: &str| Stored::Txt(value.as_bytes().to_vec());
    zone.add(&name("_spf.mail.example"), txt(own));
    match beneath {
        Some(value) => zone.add(&name("nets.mail.example"), txt(value)),
        None => zone.fail(&name("nets.mail.example"), None),
    };
    zone
}

const OWN: &str = "v=spf1 ip4:198.51.100.0/25 ip4:198.51.100.128/25 include:nets.mail.example ~all";
const NETS: &str = "v=spf1 ip6:2001:db8:1::/48 ip4:192.0.2.7 -all";

fn place() -> Place {
    let place = Place::new(Plan::Pro);
    place.write(
        "launch.yaml",
        &email(
            "send: [{ via: own, name: the shop, addresses: [203.0.113.10] }]\nspf: { include: [_spf.mail.example], flatten: [_spf.mail.example] }\ndmarc: { policy: quarantine, report_to: [d@mail.example] }",
        ),
    );
    place
}

fn flatten(place: &Place, server: &ZoneServer, more: &[&str]) -> Ran {
    let server = server.address().to_string();
    place.run(&[&["mail", "flatten", "--resolver", &server][..], more].concat())
}

fn lock(place: &Place) -> String {
    std::fs::read_to_string(place.path(LOCK)).unwrap()
}

#[test]
fn an_include_is_taken_published_and_taken_again_when_it_changes() {
    let place = place();
    let server = ZoneServer::start(provider(OWN, Some(NETS)));
    // Without the lock file nothing is guessed.
    let missing = place.run(&["validate"]).expect(1);
    assert!(
        missing
            .err
            .contains("does not have the addresses of _spf.mail.example yet")
            && missing.err.contains("`launchctl mail flatten`"),
        "{}",
        missing.err
    );
    flatten(&place, &server, &["--check"]).expect(2);
    assert!(!place.path(LOCK).exists(), "a comparison writes nothing");
    let ran = flatten(&place, &server, &[]).expect(0);
    insta::assert_snapshot!("flatten_new", settled(&ran.out, &server));
    let first = lock(&place);
    let json = flatten(&place, &server, &["--json"]).expect(0).json();
    fits("mail-flatten", &json);
    assert_eq!(
        (&json["written"], &json["includes"][0]["status"]),
        (&json!(false), &json!("same"))
    );
    assert_eq!(lock(&place), first, "the same answers make the same file");

    let plan = place.run(&["plan", "--json"]).expect(0).json();
    let spf = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|change| change["address"] == "acme.example/dns/TXT/@/v=spf1");
    assert!(
        spf.unwrap()
            .to_string()
            .contains("v=spf1 ip4:203.0.113.10 ip4:192.0.2.7 ip4:198.51.100.0/24 ip6:2001:db8:1::/48 ~all"),
        "{plan:#}"
    );
    place.run(&["apply", "--yes"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);

    // The provider moves: one network comes, one goes.
    server.serve(provider(
        OWN,
        Some("v=spf1 ip6:2001:db8:1::/48 ip4:203.0.113.64/26 -all"),
    ));
    let drift = flatten(&place, &server, &["--check"]).expect(2);
    let taken: Value = serde_json::from_str(&first).unwrap();
    let taken = taken["includes"]["_spf.mail.example"]["taken"].as_str().unwrap();
    insta::assert_snapshot!("flatten_drift", settled(&drift.out, &server).replace(taken, "[DAY]"));
    assert_eq!(lock(&place), first);
    flatten(&place, &server, &[]).expect(0);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["summary"]["update"], 1);
    flatten(&place, &server, &["--check"]).expect(0);
}

#[test]
fn what_dns_does_not_answer_leaves_the_file_as_it_is() {
    let place = place();
    let server = ZoneServer::start(provider(OWN, None));
    let nothing = flatten(&place, &server, &[]).expect(1);
    assert!(nothing.out.contains("Nothing was written"), "{}", nothing.out);
    assert!(!place.path(LOCK).exists());
    server.serve(provider(OWN, Some(NETS)));
    flatten(&place, &server, &[]).expect(0);
    let before = lock(&place);
    server.serve(provider(
        "v=spf1 ip4:198.51.100.0/24 include:nets.mail.example ~all",
        None,
    ));
    for more in [&[][..], &["--check"]] {
        let ran = flatten(&place, &server, more).expect(1);
        assert!(ran.out.contains("not known"), "{}", ran.out);
        assert_eq!(lock(&place), before);
    }
    let json = flatten(&place, &server, &["--json"]).expect(1).json();
    fits("mail-flatten", &json);
    assert_eq!(json["includes"][0]["status"], "unknown");
    // What cannot be copied is sure, and the file keeps what it has until somebody decides.
    server.serve(provider("v=spf1 exists:%{i}.mail.example ~all", None));
    let refused = flatten(&place, &server, &[]).expect(1);
    assert!(refused.out.contains("cannot be flattened"), "{}", refused.out);
    assert_eq!(lock(&place), before);
    flatten(&place, &server, &["--check"]).expect(2);
}

#[test]
fn a_check_of_the_domain_says_which_addresses_came_and_went() {
    let place = place();
    let server = ZoneServer::start(provider(OWN, Some(NETS)));
    flatten(&place, &server, &[]).expect(0);
    server.serve(provider(
        OWN,
        Some("v=spf1 ip6:2001:db8:1::/48 ip4:203.0.113.64/26 -all"),
    ));
    let address = server.address().to_string();
    let json = place
        .run(&["mail", "check", "acme.example", "--json", "--resolver", &address])
        .expect(2)
        .json();
    let findings = json["findings"].as_array().unwrap();
    let drift = findings.iter().find(|one| one["id"] == "spf-drift").unwrap();
    assert_eq!(drift["severity"], "error");
    assert_eq!(drift["evidence"], json!(["+ 203.0.113.64/26", "- 192.0.2.7"]));
    server.serve(provider(OWN, None));
    let json = place
        .run(&["mail", "check", "acme.example", "--json", "--resolver", &address])
        .json();
    assert!(
        json["unknown"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["id"] == "spf-drift"),
        "{json:#}"
    );
}

#[test]
fn nothing_else_may_be_wrong_and_there_has_to_be_something_to_flatten() {
    let place = place();
    let server = ZoneServer::start(provider(OWN, Some(NETS)));
    let spec = std::fs::read_to_string(place.path("launch.yaml")).unwrap();
    place.write(
        "launch.yaml",
        &spec.replace("flatten: [_spf.mail.example]", "flatten: [_spf.mial.example]"),
    );
    let wrong = flatten(&place, &server, &[]).expect(1);
    assert!(wrong.err.contains("did you mean `_spf.mail.example`?"), "{}", wrong.err);
    place.write("launch.yaml", &spec.replace(", flatten: [_spf.mail.example]", ""));
    let none = flatten(&place, &server, &[]).expect(1);
    assert!(none.err.contains("the spec flattens no include"), "{}", none.err);
    // A file with the marks of a merge is no lock file, and nothing is written over it.
    place.write("launch.yaml", &spec);
    place.write(LOCK, "<<<<<<< HEAD\n{}\n");
    let broken = place.run(&["plan"]).expect(1);
    assert!(broken.err.contains("cannot be read"), "{}", broken.err);
    for more in [&["--check"][..], &[]] {
        let refused = flatten(&place, &server, more).expect(1);
        assert!(refused.err.contains("or delete it"), "{}", refused.err);
        assert_eq!(lock(&place), "<<<<<<< HEAD\n{}\n");
    }
    std::fs::remove_file(place.path(LOCK)).unwrap();
    flatten(&place, &server, &[]).expect(0);
    place.run(&["validate"]).expect(0);
}
