//! The road from end to end, with the real binary: plan, apply, plan, rollback, on a zone that holds everything.

use launchctl::sandbox::Plan;
use serde_json::json;

use crate::support::Place;

/// Every record type, long TXT, IDN, a wildcard, several values at a name.
const EVERYTHING: &str = r#"
- { type: A, name: "@", value: 192.0.2.1, proxied: true }
- { type: A, name: lb, values: [192.0.2.2, 192.0.2.3, 192.0.2.4], ttl: 5m }
- { type: AAAA, name: "@", value: "2001:DB8:0::1" }
- { type: CAA, name: "@", values: ['0 issue "letsencrypt.org"', '0 iodef "mailto:ops@acme.example"'] }
- { type: CERT, name: cert, value: "1 12345 8 aGVsbG8gd29ybGQ=" }
- { type: CNAME, name: www, value: acme.example, proxied: true, comment: the front door }
- { type: CNAME, name: "*.preview", value: preview.host.example. }
- { type: DNSKEY, name: key, value: "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==" }
- { type: NS, name: sub, values: [ns1.host.example, ns2.host.example] }
- { type: DS, name: sub, value: "2371 13 2 1F987CC6583E92DF0890718C42A0B0E6A5C2B0F1F0E1D2C3B4A5968778695A4B" }
- { type: HTTPS, name: svc, value: '1 . alpn="h3,h2"' }
- { type: LOC, name: office, value: 51 30 12.748 N 0 7 39.611 W 0.00m 1m 10000m 10m }
- { type: MX, name: "@", values: [10 mx1.host.example, 20 mx2.host.example] }
- { type: NAPTR, name: sip, value: '100 10 "U" "E2U+sip" "!^.*$!sip:info@acme.example!" .' }
- { type: OPENPGPKEY, name: 5d2d3ceb7abe552344276d47d36a8175b7aeb250a9bf0bf00e850cd2._openpgpkey, value: aGVsbG8gd29ybGQ= }
- { type: PTR, name: ptr, value: host.acme.example }
- { type: SMIMEA, name: c93f1e400f26708f98cb19d936620da35eec8f72e57f9eec01c1afd6._smimecert, value: 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef }
- { type: SRV, name: _sip._tcp, value: 10 5 5060 sip.acme.example }
- { type: SSHFP, name: ssh, value: 4 2 123456789ABCDEF67890123456789ABCDEF67890123456789ABCDEF123456789 }
- { type: SVCB, name: _dns.resolver, value: '1 dns.host.example. alpn="dot" port=853' }
- { type: TLSA, name: _25._tcp.mail, value: 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef }
- { type: TXT, name: "@", values: [v=spf1 include:_spf.host.example ~all, google-site-verification=abc123] }
- { type: TXT, name: quoted, value: 'say "hi"; back\slash' }
- { type: URI, name: _http._tcp, value: '10 1 "https://acme.example/"' }
- { type: A, name: bücher, value: 192.0.2.9, tags: ["team:web", "env:prod"] }
"#;

pub fn everything() -> String {
    let long = "k=rsa; p=".to_owned() + &"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A".repeat(24);
    format!("{EVERYTHING}- {{ type: TXT, name: google._domainkey, value: \"v=DKIM1; {long}\" }}\n")
}

/// What somebody else keeps in the zone.
fn foreign(place: &Place) {
    place.world(|world| {
        for record in [
            json!({"type": "A", "name": "old.acme.example", "content": "198.51.100.1", "ttl": 1, "comment": "by Bob"}),
            json!({"type": "TXT", "name": "acme.example", "content": "\"facebook-domain-verification=zzz\"", "ttl": 300}),
            json!({"type": "MX", "name": "lists.acme.example", "content": "mx.host.example", "priority": 5, "ttl": 1}),
            json!({"type": "CNAME", "name": "shop.acme.example", "content": "shops.host.example", "ttl": 1, "proxied": true}),
        ] {
            world.add_record("acme.example", record).unwrap();
        }
    });
}

#[test]
fn there_and_back_on_a_zone_that_holds_everything() {
    let place = Place::new(Plan::Pro);
    foreign(&place);
    place.spec(&everything());
    let start = place.state();

    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["summary"]["update"], 0);
    assert_eq!(plan["summary"]["delete"], 0);
    assert_eq!(plan["summary"]["unmanaged"], 4);
    assert_eq!(plan["summary"]["requests"], 1);
    assert_eq!(place.state(), start, "a plan changes nothing");

    let applied = place.run(&["apply", "--yes", "--json"]).expect(0).json();
    assert_eq!(applied["status"], "applied");
    assert_eq!(
        applied["applied"].as_array().unwrap().len() as u64,
        plan["summary"]["create"].as_u64().unwrap()
    );
    let after = place.state();
    assert!(
        start.iter().all(|record| after.contains(record)),
        "what was there is still there"
    );

    let again = place.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(again.out.contains("Nothing to change"), "{}", again.out);

    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.state(), start);
    let pending = place.run(&["plan", "--detailed-exitcode"]).expect(2);
    assert!(pending.out.contains("to create"), "{}", pending.out);
}

#[test]
fn a_rollback_can_be_rolled_back_by_name_and_only_so() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: app, value: 192.0.2.1 }");
    place.run(&["apply", "--yes"]).expect(0);
    let with = place.state();
    let undone = place.run(&["rollback", "--yes", "--json"]).expect(0).json();
    assert_eq!(place.state(), Vec::<String>::new());
    let refused = place.run(&["rollback", "--yes"]).expect(1);
    assert!(refused.err.contains("is itself a rollback"), "{}", refused.err);
    place
        .run(&["rollback", undone["run"].as_str().unwrap(), "--yes"])
        .expect(0);
    assert_eq!(place.state(), with);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn what_the_spec_no_longer_says_goes_and_what_it_never_said_stays() {
    let place = Place::new(Plan::Free);
    foreign(&place);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }\n- { type: A, name: b, value: 192.0.2.2 }");
    place.run(&["apply", "--yes"]).expect(0);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }");
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["changes"].as_array().unwrap().len(), 1);
    assert_eq!(plan["changes"][0]["address"], "acme.example/dns/A/b");
    assert_eq!(plan["changes"][0]["action"], "delete");
    assert_eq!(plan["summary"]["unmanaged"], 4);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.state().len(), 5);
}

#[test]
fn a_saved_plan_refuses_what_is_no_longer_as_reviewed_and_names_it() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }\n- { type: A, name: b, value: 192.0.2.2 }");
    place.run(&["plan", "--out", "reviewed.json"]).expect(0);
    place.world(|world| {
        world
            .add_record(
                "acme.example",
                json!({"type": "A", "name": "b.acme.example", "content": "203.0.113.7", "ttl": 1}),
            )
            .unwrap();
    });
    let before = place.state();
    let refused = place.run(&["apply", "reviewed.json", "--yes"]).expect(1);
    assert!(refused.out.contains("acme.example/dns/A/b"), "{}", refused.out);
    assert!(!refused.out.contains("refused acme.example/dns/A/a"), "{}", refused.out);
    assert_eq!(place.state(), before, "nothing was done");

    // A new review, and it is carried out; what is already as it was to be is no obstacle.
    place.run(&["plan", "--out", "reviewed.json"]).expect(0);
    place.world(|world| {
        world
            .add_record(
                "acme.example",
                json!({"type": "A", "name": "a.acme.example", "content": "192.0.2.1", "ttl": 1}),
            )
            .unwrap();
    });
    place.run(&["apply", "reviewed.json", "--yes"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);

    // Edited by hand, it is no review any more.
    let text = std::fs::read_to_string(place.path("reviewed.json"))
        .unwrap()
        .replace("192.0.2.2", "203.0.113.66");
    place.write("edited.json", &text);
    let refused = place.run(&["apply", "edited.json", "--yes"]).expect(1);
    assert!(refused.err.contains("altered"), "{}", refused.err);
}

#[test]
fn a_rollback_refuses_what_somebody_changed_since_unless_forced() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }\n- { type: A, name: b, value: 192.0.2.2 }");
    place.run(&["apply", "--yes"]).expect(0);
    place.world(|world| {
        let id = world
            .records("acme.example")
            .iter()
            .find(|r| r["name"] == "b.acme.example")
            .unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        world.remove_record("acme.example", &id);
        world
            .add_record(
                "acme.example",
                json!({"type": "A", "name": "b.acme.example", "content": "203.0.113.7", "ttl": 1}),
            )
            .unwrap();
    });
    let before = place.state();
    let refused = place.run(&["rollback", "--yes"]).expect(1);
    assert!(
        refused.out.contains("acme.example/dns/A/b") && refused.out.contains("since"),
        "{}",
        refused.out
    );
    assert_eq!(place.state(), before);
    place.run(&["rollback", "--yes", "--target", "*/dns/A/a"]).expect(0);
    assert_eq!(place.state().len(), 1);
    let run = place.run(&["history", "--json"]).expect(0).json()["runs"][0]["run"]
        .as_str()
        .unwrap()
        .to_owned();
    place.run(&["rollback", &run, "--yes", "--force"]).expect(0);
    assert!(place.state().is_empty());
}

#[test]
fn comments_tags_and_settings_that_nobody_declared_survive_a_change_and_a_rollback() {
    let place = Place::new(Plan::Pro);
    place.world(|world| {
        world.add_record("acme.example", json!({"type": "A", "name": "a.acme.example", "content": "192.0.2.1", "ttl": 300, "comment": "by Bob", "tags": ["team:a"]})).unwrap();
    });
    let start = place.state();
    place.spec("- { type: A, name: a, value: 192.0.2.9, ttl: 5m }");
    place.run(&["apply", "--yes"]).expect(0);
    let now = place.state().join("");
    assert!(
        now.contains("by Bob") && now.contains("team:a") && now.contains("192.0.2.9"),
        "{now}"
    );
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.state(), start);
    // Declared away, then back again.
    place.spec("- { type: A, name: a, value: 192.0.2.1, ttl: 5m, comment: \"\", tags: [] }");
    place.run(&["apply", "--yes"]).expect(0);
    assert!(!place.state().join("").contains("by Bob"));
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.state(), start);
}

#[test]
fn a_target_narrows_any_plan() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }\n- { type: A, name: b, value: 192.0.2.2 }");
    let plan = place
        .run(&["plan", "--json", "--target", "acme.example/dns/A/b"])
        .expect(0)
        .json();
    assert_eq!(plan["changes"].as_array().unwrap().len(), 1);
    place.run(&["apply", "--yes", "--target", "*/b"]).expect(0);
    assert_eq!(place.state().len(), 1);
    let error = place.run(&["plan", "--target", "*/nowhere"]).expect(1);
    assert!(error.err.contains("nothing bears an address"), "{}", error.err);
}

#[test]
fn what_is_taken_over_is_named_and_its_deletion_says_so() {
    let place = Place::new(Plan::Free);
    foreign(&place);
    place.spec("- { type: A, name: old, value: 198.51.100.1 }");
    let plan = place.run(&["plan"]).expect(0);
    assert!(
        plan.out.contains("belongs to this spec from the next apply on"),
        "{}",
        plan.out
    );
    assert_eq!(
        place.run(&["plan", "--json"]).expect(0).json()["adopted"],
        json!(["acme.example/dns/A/old"])
    );
    place.run(&["apply", "--yes"]).expect(0);
    assert!(!place.run(&["plan"]).expect(0).out.contains("from the next apply on"));
    place.spec("- { type: A, name: new, value: 192.0.2.1 }");
    let plan = place.run(&["plan"]).expect(0);
    assert!(
        plan.out.contains("it was there before the spec was first applied"),
        "{}",
        plan.out
    );
}

#[test]
fn a_rollback_names_what_it_cannot_find_and_leaves_out_what_it_is_told_to() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }\n- { type: A, name: b, value: 192.0.2.2 }");
    let first = place.run(&["apply", "--yes", "--json"]).expect(0).json();
    let first = first["run"].as_str().unwrap().to_owned();
    place.spec("- { type: A, name: a, value: 192.0.2.1 }\n- { type: A, name: b, value: 192.0.2.9 }");
    let second = place.run(&["apply", "--yes", "--json"]).expect(0).json();
    let second = second["run"].as_str().unwrap().to_owned();
    // A slip in a target is no answer.
    let slip = place
        .run(&["rollback", &first, "--yes", "--target", "*/dns/A/c"])
        .expect(1);
    assert!(slip.err.contains("nothing bears an address"), "{}", slip.err);
    // Our own later run is not somebody else.
    let refused = place.run(&["rollback", &first, "--yes"]).expect(1);
    assert!(
        refused.out.contains(&format!("a later run of this spec, {second}")),
        "{}",
        refused.out
    );
    assert!(
        refused.out.contains("192.0.2.2") && refused.out.contains("192.0.2.9"),
        "{}",
        refused.out
    );
    // What it says to do can be done.
    place
        .run(&["rollback", &first, "--yes", "--except", "acme.example/dns/A/b"])
        .expect(0);
    assert_eq!(place.state().len(), 1);
    assert!(place.state()[0].contains("192.0.2.9"));
}

#[test]
fn a_saved_plan_tells_what_is_live_already_and_what_it_does_not_hold() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }\n- { type: A, name: b, value: 192.0.2.2 }");
    place.run(&["plan", "--out", "saved.json"]).expect(0);
    place.run(&["apply", "--yes", "--target", "*/a"]).expect(0);
    let applied = place.run(&["apply", "saved.json", "--yes"]).expect(0);
    assert!(
        applied.out.contains("1 of the 2 reviewed changes is live already"),
        "{}",
        applied.out
    );
    place.run(&["plan", "--out", "empty.json"]).expect(0);
    place.spec("- { type: A, name: a, value: 192.0.2.7 }");
    let nothing = place.run(&["apply", "empty.json", "--yes"]).expect(0);
    assert!(
        nothing.out.contains("the saved plan holds no changes"),
        "{}",
        nothing.out
    );
    assert!(nothing.out.contains("the spec was edited"), "{}", nothing.out);
    let spec = place.run(&["apply", "launch.yaml", "--yes"]).expect(1);
    assert!(spec.err.contains("--spec launch.yaml"), "{}", spec.err);
}

#[test]
fn a_rehearsal_of_a_live_zone_knows_what_earlier_runs_left() {
    let place = Place::new(Plan::Free);
    foreign(&place);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }\n- { type: A, name: b, value: 192.0.2.2 }");
    place.run(&["apply", "--yes"]).expect(0);
    let before = place.state();
    place.spec("- { type: A, name: a, value: 192.0.2.1 }");
    let seen = place.run(&["rehearse"]).expect(0);
    assert!(seen.out.contains("no longer in the spec"), "{}", seen.out);
    assert!(seen.out.contains("All as it should be"), "{}", seen.out);
    assert_eq!(place.state(), before, "the live zone was only read");
    assert_eq!(
        place.run(&["history", "--json"]).expect(0).json()["runs"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn what_is_printed_can_be_typed() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }");
    std::fs::rename(place.path("launch.yaml"), place.path("other spec.yaml")).unwrap();
    let applied = place
        .run(&["apply", "--yes", "--sandbox", "--spec", "other spec.yaml"])
        .expect(0);
    assert!(
        applied.out.contains("in the sandbox"),
        "a launch into a stand-in says so: {}",
        applied.out
    );
    let command = applied
        .out
        .lines()
        .find_map(|line| line.strip_prefix("To undo: launchctl "))
        .unwrap()
        .to_owned();
    assert!(
        command.starts_with("--sandbox --spec 'other spec.yaml' rollback "),
        "{command}"
    );
    let run = command.rsplit(' ').next().unwrap();
    let undone = place
        .run(&["--sandbox", "--spec", "other spec.yaml", "rollback", run, "--yes"])
        .expect(0);
    assert!(undone.out.contains("the next apply will do again"), "{}", undone.out);
    let list = place
        .run(&["history", "--sandbox", "--spec", "other spec.yaml"])
        .expect(0);
    assert!(list.out.contains("undone by"), "{}", list.out);
    // The stand-in was inside the process: nobody else was asked.
    assert!(place.sandbox().log().is_empty());
}

#[test]
fn without_a_terminal_only_yes_applies() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }");
    let refused = place.run(&["apply"]).expect(1);
    assert!(refused.err.contains("--yes"), "{}", refused.err);
    assert!(place.state().is_empty());
    assert!(
        !place.path(".launchctl/runs").exists(),
        "no run is recorded for what was not begun"
    );
}

#[test]
fn the_way_back_is_open_when_the_spec_is_broken_gone_or_silent_about_the_zone() {
    for (broken, words) in [
        (Some("version: 1\nzones: [\n"), "has errors"),
        (None, "is not there"),
        (Some("version: 1\nzones: {}\n"), ""),
    ] {
        let place = Place::new(Plan::Free);
        foreign(&place);
        let start = place.state();
        place.spec_with(
            "    protect: [\"A keep\"]\n",
            "- { type: A, name: a, value: 192.0.2.1 }\n- { type: A, name: old, value: 192.0.2.2 }",
        );
        place.run(&["apply", "--yes"]).expect(0);
        match broken {
            Some(text) => place.write("launch.yaml", text),
            None => std::fs::remove_file(place.path("launch.yaml")).unwrap(),
        }
        place.run(&["apply", "--yes"]);
        let undone = place.run(&["rollback", "--yes"]).expect(0);
        assert!(undone.out.contains(words), "{words}: {}", undone.out);
        assert_eq!(place.state(), start);
    }
}

#[test]
fn service_parameters_with_escapes_come_back_as_they_were() {
    let place = Place::new(Plan::Free);
    place.world(|world| {
        let record = json!({"type": "HTTPS", "name": "a.acme.example", "data": {"priority": 1, "target": ".", "value": "alpn=\"a\\\\\\\\,b\""}, "ttl": 1});
        world.add_record("acme.example", record).unwrap();
    });
    let start = place.state();
    place.spec("- { type: HTTPS, name: a, values: [] }\n- { type: A, name: b, value: 192.0.2.1 }");
    place.run(&["apply", "--yes", "--allow-deletes", "1"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.state(), start);
}
