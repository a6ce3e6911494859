//! What must never happen: records lost by an empty spec, a wrong file, a lost history, a small zone; protected records
//! touched; two applies at once.

use launchctl::sandbox::Plan;
use serde_json::json;

use crate::support::{Place, until};

fn nine(place: &Place) -> String {
    let mut lines = String::new();
    for number in 1..=9 {
        lines.push_str(&format!(
            "- {{ type: A, name: host{number}, value: 192.0.2.{number} }}\n"
        ));
    }
    place.spec(&lines);
    place.run(&["apply", "--yes"]).expect(0);
    lines
}

#[test]
fn a_spec_that_went_empty_deletes_nothing_without_the_exact_number() {
    let place = Place::new(Plan::Free);
    nine(&place);
    let full = place.state();
    place.spec("");
    for arguments in [
        vec!["apply", "--yes"],
        vec!["apply", "--yes", "--allow-deletes", "8"],
        vec!["apply", "--yes", "--allow-deletes", "10"],
        vec!["plan", "--out", "saved.json"],
    ] {
        let refused = place.run(&arguments).expect(1);
        assert!(
            refused.all().contains("--allow-deletes 9") || refused.all().contains("exact number is 9"),
            "{}",
            refused.all()
        );
        assert_eq!(place.state(), full);
    }
    assert!(!place.path("saved.json").exists(), "a refused plan is not saved");
    place.run(&["apply", "--yes", "--allow-deletes", "9"]).expect(0);
    assert!(place.state().is_empty());
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.state(), full);
}

#[test]
fn a_third_of_a_small_zone_is_the_bound() {
    let place = Place::new(Plan::Free);
    let lines = nine(&place);
    let keep = |number: usize| {
        lines
            .lines()
            .take(number)
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    place.spec(&keep(5));
    place.run(&["plan"]).expect(1);
    place.spec(&keep(6));
    place.run(&["plan"]).expect(0);
}

#[test]
fn a_deleted_history_deletes_nothing() {
    let place = Place::new(Plan::Free);
    nine(&place);
    let full = place.state();
    std::fs::remove_dir_all(place.path(".launchctl")).unwrap();
    place.spec("- { type: A, name: host1, value: 192.0.2.1 }");
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["summary"]["delete"], 0);
    assert_eq!(plan["summary"]["unmanaged"], 8);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.state(), full);
}

#[test]
fn another_file_beside_it_owns_nothing_of_the_first() {
    let place = Place::new(Plan::Free);
    nine(&place);
    let full = place.state();
    place.write(
        "other.yaml",
        "version: 1\nzones:\n  acme.example: { provider: cloudflare, records: [] }\n",
    );
    let plan = place.run(&["plan", "--json", "--spec", "other.yaml"]).expect(0).json();
    assert_eq!(plan["summary"]["delete"], 0);
    place.run(&["apply", "--yes", "--spec", "other.yaml"]).expect(0);
    assert_eq!(place.state(), full);
}

#[test]
fn a_zone_that_vanishes_from_the_spec_is_reported_and_left_alone() {
    let place = Place::new(Plan::Free);
    nine(&place);
    let full = place.state();
    place.world(|world| world.add_zone("other.example", Plan::Free));
    place.write(
        "launch.yaml",
        "version: 1\nzones:\n  other.example: { provider: cloudflare, records: [] }\n",
    );
    let plan = place.run(&["plan"]).expect(0);
    assert!(
        plan.out.contains("acme.example is no longer in the spec"),
        "{}",
        plan.out
    );
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.state(), full);
}

#[test]
fn a_zone_of_the_same_name_elsewhere_owes_us_nothing() {
    let place = Place::new(Plan::Free);
    nine(&place);
    place.world(|world| {
        world.remove_zone("acme.example");
        world.add_zone("acme.example", Plan::Free);
        for number in 1..=9 {
            let record = json!({"type": "A", "name": format!("host{number}.acme.example"), "content": format!("192.0.2.{number}"), "ttl": 1});
            world.add_record("acme.example", record).unwrap();
        }
    });
    let full = place.state();
    place.spec("- { type: A, name: host1, value: 192.0.2.1 }");
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["summary"]["delete"], 0, "{plan:#}");
    assert!(plan["warnings"].to_string().contains("another-zone"), "{plan:#}");
    let refused = place.run(&["rollback", "--yes"]).expect(1);
    assert!(refused.all().contains("another zone"), "{}", refused.all());
    assert_eq!(place.state(), full);
}

#[test]
fn protected_records_are_not_touched() {
    let place = Place::new(Plan::Free);
    place.world(|world| {
        for record in [
            json!({"type": "TXT", "name": "_acme-challenge.acme.example", "content": "\"token\"", "ttl": 60}),
            json!({"type": "A", "name": "keep.acme.example", "content": "192.0.2.1", "ttl": 1}),
        ] {
            world.add_record("acme.example", record).unwrap();
        }
    });
    let start = place.state();
    let protect = "    protect: [\"* _acme-challenge*\", \"A keep\"]\n";
    place.spec_with(protect, "- { type: A, name: keep, value: 192.0.2.9 }");
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(
        refused.out.contains("acme.example/dns/A/keep") && refused.out.contains("protect"),
        "{}",
        refused.out
    );
    // `unmanaged: delete` spares what is protected.
    place.spec_with(
        &format!("{protect}    unmanaged: delete\n"),
        "- { type: A, name: keep, value: 192.0.2.1 }",
    );
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["summary"]["delete"], 0, "{plan:#}");
    assert_eq!(place.state(), start);
}

#[test]
fn records_that_the_provider_locks_are_left_alone() {
    let place = Place::new(Plan::Free);
    place.world(|world| {
        world.force_record(
            "acme.example",
            json!({
                "type": "MX", "name": "acme.example", "content": "route1.mx.cloudflare.net", "priority": 7, "ttl": 1,
                "meta": { "email_routing": true, "read_only": true },
            }),
        );
        world
            .add_record(
                "acme.example",
                json!({"type": "A", "name": "x.acme.example", "content": "192.0.2.1", "ttl": 1}),
            )
            .unwrap();
    });
    let start = place.state();
    place.spec_with("    unmanaged: delete\n", "- { type: A, name: x, value: 192.0.2.1 }");
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["summary"]["delete"], 0, "{plan:#}");
    place.spec("- { type: MX, name: \"@\", value: 10 mx.host.example }");
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(refused.out.contains("Email Routing"), "{}", refused.out);
    assert_eq!(place.state(), start);
}

#[test]
fn what_is_live_and_excludes_what_is_declared_is_named_and_not_removed() {
    let place = Place::new(Plan::Free);
    place.world(|world| {
        world
            .add_record(
                "acme.example",
                json!({"type": "A", "name": "www.acme.example", "content": "192.0.2.1", "ttl": 1}),
            )
            .unwrap();
    });
    place.spec("- { type: CNAME, name: www, value: acme.example }");
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(refused.out.contains("values: []"), "{}", refused.out);
    place.spec("- { type: CNAME, name: www, value: acme.example }\n- { type: A, name: www, values: [] }\n- { type: A, name: x, value: 192.0.2.3 }");
    place.run(&["apply", "--yes", "--allow-deletes", "1"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert_eq!(place.state().len(), 2);
}

#[test]
fn two_applies_on_one_history_exclude_each_other() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }");
    place.faults(&["w1:slow=1500ms"]);
    let mut first = place.start(&["apply", "--yes"]);
    until("the first has begun to write", || {
        place.sandbox().log().iter().any(|entry| entry.wrote)
    });
    let second = place.run(&["apply", "--yes"]).expect(1);
    assert!(
        second.err.contains(&format!("process {}", first.id())),
        "{}",
        second.err
    );
    assert!(first.wait().unwrap().success());
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.state().len(), 1);
}

#[test]
fn a_spec_that_declares_nothing_deletes_nothing_without_being_told() {
    let place = Place::new(Plan::Free);
    place.world(|world| {
        let record = json!({"type": "A", "name": "foreign.acme.example", "content": "192.0.2.9", "ttl": 1});
        world.add_record("acme.example", record).unwrap();
    });
    place.spec("- { type: A, name: a, value: 192.0.2.1 }");
    place.run(&["apply", "--yes"]).expect(0);
    place.spec("");
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(refused.out.contains("--allow-deletes 1"), "{}", refused.out);
    assert_eq!(place.state().len(), 2);
}

#[test]
fn a_value_in_the_place_of_another_is_no_deletion() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: TXT, name: a, value: token=one }");
    place.run(&["apply", "--yes"]).expect(0);
    place.spec("- { type: TXT, name: a, value: token=two }");
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.state().len(), 1);
}

#[test]
fn what_another_spec_of_this_history_owns_is_not_unmanaged() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: mail, value: 192.0.2.1 }");
    place.run(&["apply", "--yes"]).expect(0);
    let other = "version: 1\nzones:\n  acme.example:\n    provider: cloudflare\n    unmanaged: delete\n    records: [{ type: A, name: web, value: 192.0.2.2 }]\n";
    place.write("other.yaml", other);
    place.world(|world| {
        let record = json!({"type": "A", "name": "stray.acme.example", "content": "192.0.2.9", "ttl": 1});
        world.add_record("acme.example", record).unwrap();
    });
    let plan = place.run(&["plan", "--json", "--spec", "other.yaml"]).expect(0).json();
    assert_eq!(plan["summary"]["delete"], 1, "{plan:#}");
    assert_eq!(plan["unmanaged"], json!(["acme.example/dns/A/mail"]));
}

#[test]
fn protection_knows_international_names() {
    let place = Place::new(Plan::Free);
    place.world(|world| {
        let record = json!({"type": "A", "name": "bücher.acme.example", "content": "192.0.2.9", "ttl": 1});
        world.add_record("acme.example", record).unwrap();
    });
    place.spec_with(
        "    protect: [\"A BÜCHER\"]\n",
        "- { type: A, name: bücher, value: 192.0.2.1 }",
    );
    let refused = place.run(&["plan"]).expect(1);
    assert!(refused.out.contains("protect"), "{}", refused.out);
    place.spec_with("    protect: [\"A büch*\"]\n", "");
    assert!(place.run(&["validate"]).expect(1).err.contains("bad-protect"));
}

#[test]
fn a_plan_is_not_kept_over_the_spec_and_json_asks_nobody() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }");
    let spec = std::fs::read(place.path("launch.yaml")).unwrap();
    let refused = place.run(&["plan", "--out", "launch.yaml"]).expect(1);
    assert!(refused.err.contains("is the spec itself"), "{}", refused.err);
    assert_eq!(std::fs::read(place.path("launch.yaml")).unwrap(), spec);
    assert!(
        place
            .run(&["plan", "--out", "."])
            .expect(1)
            .err
            .contains("no plain file")
    );
    let refused = place.run(&["apply", "--json"]).expect(1);
    assert!(
        refused.err.contains("--yes") && refused.json()["error"]["code"] == "not-confirmed",
        "{}",
        refused.all()
    );
}
