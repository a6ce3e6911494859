//! One rule added, replaced, moved and removed: every answer is the whole ruleset.

use serde_json::{Value, json};

use super::{REDIRECTS, desk, each, redirect, with};
use crate::sandbox::tests::Desk;

/// Three rules, `a`, `b` and `c`; the path of their ruleset, and their ids.
fn three(desk: &mut Desk) -> (String, Vec<String>) {
    let rules: Vec<Value> = ["a", "b", "c"]
        .map(|name| with(redirect(&format!("/{name}")), "ref", name))
        .to_vec();
    let made = desk.put(REDIRECTS, &json!(rules));
    let ids = each(&made, "id").into_iter().map(str::to_owned).collect();
    (format!("{}/{}", desk.rulesets(), made["id"].as_str().unwrap()), ids)
}

fn written(desk: &mut Desk, method: &str, path: &str, body: &Value) -> Value {
    let (status, envelope) = desk.ask(method, path, body);
    assert_eq!(status, 200, "{method} {body}: {envelope}");
    envelope["result"].clone()
}

#[test]
fn a_rule_is_added_at_the_end_or_where_it_is_told() {
    let mut desk = desk();
    let (path, ids) = three(&mut desk);
    let rules = format!("{path}/rules");
    for (name, position, expected) in [
        ("d", json!(null), "a b c d"),
        ("e", json!({ "before": "" }), "e a b c d"),
        ("f", json!({ "after": ids[0] }), "e a f b c d"),
        ("g", json!({ "index": 2 }), "e g a f b c d"),
    ] {
        let mut rule = with(redirect("/new"), "ref", name);
        if !position.is_null() {
            rule["position"] = position;
        }
        let ruleset = written(&mut desk, "POST", &rules, &rule);
        assert_eq!(each(&ruleset, "ref").join(" "), expected);
        assert!(ruleset["rules"][0].get("position").is_none());
    }
    let twice = with(redirect("/new"), "ref", "a");
    assert_eq!(desk.pointed("POST", &rules, &twice).1, "/ref");
    let nowhere = with(redirect("/new"), "position", json!({ "before": "x" }));
    assert_eq!(desk.pointed("POST", &rules, &nowhere).1, "/position/before");
    let unknown = with(redirect("/new"), "expression", "nothing");
    assert_eq!(desk.pointed("POST", &rules, &unknown).1, "/expression");
}

#[test]
fn a_patch_replaces_the_whole_rule_unless_it_only_moves_it() {
    let mut desk = desk();
    let (path, ids) = three(&mut desk);
    let rule = format!("{path}/rules/{}", ids[1]);
    let described = with(redirect("/b"), "description", "words");
    let ruleset = written(&mut desk, "PATCH", &rule, &described);
    assert_eq!(ruleset["rules"][1]["description"], "words");
    assert_eq!(
        (&ruleset["version"], each(&ruleset, "version")),
        (&json!("2"), vec!["1", "2", "1"])
    );
    assert_eq!(each(&ruleset, "ref"), ["a", "b", "c"], "a rule keeps its ref");
    // What is not said goes back to its default.
    let ruleset = written(&mut desk, "PATCH", &rule, &redirect("/b"));
    assert_eq!(ruleset["rules"][1]["description"], "");
    // No merge: a part of a rule is no rule.
    assert_eq!(desk.pointed("PATCH", &rule, &json!({ "enabled": false })).1, "/action");
    assert_eq!(desk.pointed("PATCH", &rule, &json!({})).1, "/action");
    let moved = written(&mut desk, "PATCH", &rule, &json!({ "position": { "index": 1 } }));
    assert_eq!(each(&moved, "ref"), ["b", "a", "c"]);
    assert_eq!(moved["rules"][0], ruleset["rules"][1], "moving is no change of a rule");
    assert_eq!(moved["version"], "4");
    let taken = with(redirect("/b"), "ref", "c");
    assert_eq!(desk.pointed("PATCH", &rule, &taken).1, "/ref");
}

#[test]
fn a_rule_is_removed_alone() {
    let mut desk = desk();
    let (path, ids) = three(&mut desk);
    let rule = format!("{path}/rules/{}", ids[1]);
    let (status, envelope) = desk.ask("DELETE", &format!("{rule}?dry_run=true"), &Value::Null);
    assert_eq!((status, &envelope["result"]), (200, &Value::Null));
    let ruleset = written(&mut desk, "DELETE", &rule, &Value::Null);
    assert_eq!(each(&ruleset, "ref"), ["a", "c"]);
    assert_eq!(desk.pointed("DELETE", &rule, &Value::Null).0, 404);
    assert_eq!(desk.pointed("PATCH", &rule, &redirect("/b")).0, 404);
    assert_eq!(
        desk.refused("GET", &rule, &Value::Null),
        (405, 10000),
        "there is no reading one rule"
    );
}
