//! The requests that changes of rules become: one for each list, foreign rules as they came, what is asked beforehand.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::model::rule::RuleAction;
use crate::provider::ZoneFacts;

fn zone() -> DomainName {
    DomainName::parse("acme.example").unwrap()
}

fn wire(id: &str, reference: &str) -> Value {
    json!({
        "id": id, "ref": reference, "version": "3", "last_updated": "2026-01-01T00:00:00Z", "description": reference,
        "expression": "true", "enabled": true, "action": "set_cache_settings", "action_parameters": { "cache": true },
    })
}

/// One of ours before two foreign ones and another of ours, as it is read.
fn reading() -> Reading {
    let answer = json!({ "id": "f1", "version": "7", "rules": [
        wire("1a", "launchctl-cache-one"), wire("2b", "bob"), wire("3c", "3c"), wire("4d", "launchctl-cache-two"),
    ] });
    let mut reading = Reading::default();
    keep(
        &zone(),
        understand(&zone(), RuleKind::Cache, &answer).unwrap(),
        &mut reading,
    );
    let facts = ZoneFacts {
        id: "abc".into(),
        plan: "free".into(),
        status: "active".into(),
        ..ZoneFacts::default()
    };
    reading.zones.insert(zone(), facts);
    reading
}

fn address(key: &str) -> Address {
    Address::parse(&format!("acme.example/cache/{key}")).unwrap()
}

fn change(reading: &Reading, key: &str, after: Option<Rule>) -> Change {
    Change {
        address: address(key),
        before: reading.live.inventory.get(&address(key)).cloned(),
        after: after.map(Resource::Rule),
        reason: String::new(),
    }
}

fn live(reading: &Reading, key: &str) -> Rule {
    reading.live.inventory[&address(key)].as_rule().unwrap().clone()
}

fn references(step: &Step) -> Vec<&str> {
    let rules = step.body["rules"].as_array().unwrap();
    rules.iter().map(|rule| rule["ref"].as_str().unwrap()).collect()
}

#[test]
fn one_request_carries_what_changes_and_leaves_the_rest_as_it_came() {
    let reading = reading();
    let edited = Rule {
        expression: "ssl".into(),
        place: None,
        ..live(&reading, "one")
    };
    let new = Rule {
        key: "three".into(),
        name: "three".into(),
        place: Some(Place::After("one".into())),
        ..live(&reading, "two")
    };
    let changes = [
        change(&reading, "one", Some(edited)),
        change(&reading, "three", Some(new)),
        change(&reading, "two", None),
    ];
    let steps = steps(&changes, &reading);
    let [step] = steps.as_slice() else { panic!("{steps:#?}") };
    assert_eq!(
        (step.method, step.path.as_str()),
        (
            "PUT",
            "zones/abc/rulesets/phases/http_request_cache_settings/entrypoint"
        )
    );
    assert_eq!(
        references(step),
        ["launchctl-cache-one", "launchctl-cache-three", "bob", "3c"]
    );
    let rules = &step.body["rules"];
    assert_eq!(
        (&rules[0]["id"], &rules[0]["expression"]),
        (&json!("1a"), &json!("ssl"))
    );
    assert!(rules[1].get("id").is_none());
    // What is not ours goes back with its id, without what Cloudflare only tells.
    let mut foreign = wire("2b", "bob");
    foreign
        .as_object_mut()
        .unwrap()
        .retain(|key, _| key != "version" && key != "last_updated");
    assert_eq!(rules[2], foreign);
    assert_eq!(step.check.as_ref().unwrap().version.as_deref(), Some("7"));
    assert_eq!(
        step.summary,
        "cache rules of acme.example: 1 new, 1 changed and 1 deleted"
    );
}

#[test]
fn a_move_is_a_move() {
    let reading = reading();
    let moved = Rule {
        place: Some(Place::First),
        ..live(&reading, "two")
    };
    let steps = steps(&[change(&reading, "two", Some(moved))], &reading);
    assert_eq!(
        references(&steps[0]),
        ["launchctl-cache-two", "launchctl-cache-one", "bob", "3c"]
    );
    assert_eq!(steps[0].body["rules"][0]["id"], "4d");
    assert_eq!(steps[0].summary, "cache rules of acme.example: 1 moved");
}

#[test]
fn a_list_that_is_not_there_is_made() {
    let mut reading = reading();
    reading.lists.clear();
    reading.live = crate::plan::Live::default();
    let rule = Rule {
        zone: zone(),
        kind: RuleKind::Cache,
        key: "one".into(),
        name: "one".into(),
        reference: None,
        writing: None,
        expression: "true".into(),
        enabled: true,
        action: RuleAction::Cache {
            eligible: Some(false),
            edge: None,
            browser: None,
        },
        place: Some(Place::First),
    };
    let steps = steps(&[change(&reading, "one", Some(rule))], &reading);
    assert_eq!(steps[0].check.as_ref().unwrap().version, None);
    assert_eq!(
        steps[0].body,
        json!({ "rules": [{
            "ref": "launchctl-cache-one", "description": "one", "expression": "true", "enabled": true,
            "action": "set_cache_settings", "action_parameters": { "cache": false },
        }] })
    );
}

#[test]
fn a_refusal_points_at_its_rule() {
    let reading = reading();
    let edited = Rule {
        expression: "nonsense".into(),
        place: None,
        ..live(&reading, "two")
    };
    let steps = steps(&[change(&reading, "two", Some(edited))], &reading);
    let refusal = |message: &str| ApiRefusal {
        status: 400,
        code: String::new(),
        message: message.into(),
    };
    let blamed = blame(&steps[0], &refusal("no such field (at /rules/3/expression)"));
    assert_eq!(blamed, Some(address("two")));
    // A foreign rule is none of the changes, and is named all the same.
    let foreign = refusal("no such field (at /rules/1/expression)");
    assert_eq!(pointed_at(&steps[0], &foreign).as_deref(), Some("foreign.bob"));
    assert_eq!(
        blame(&steps[0], &refusal("no such field (at /rules/1/expression)")),
        None
    );
    assert_eq!(blame(&steps[0], &refusal("no such field")), None);
}

#[test]
fn an_odd_list_is_an_error_and_never_an_empty_one() {
    for odd in [
        json!({ "rules": [] }),
        json!({ "version": "1", "rules": {} }),
        json!({ "version": "1", "rules": [{ "expression": "true" }] }),
        json!({ "version": "1", "rules": [{ "id": "1a" }] }),
        json!({ "version": "1", "rules": [wire("1a", "x"), wire("2b", "x")] }),
    ] {
        assert!(understand(&zone(), RuleKind::Cache, &odd).is_err(), "{odd}");
    }
    assert!(understand(&zone(), RuleKind::Cache, &json!({ "version": "1" })).is_ok());
}
