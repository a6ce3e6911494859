//! The entry point of a phase, replaced as a whole.

use serde_json::{Value, json};

use super::{REDIRECTS, ZONE, desk, each, redirect, with};
use crate::sandbox::{Plan, World};

#[test]
fn a_phase_without_rules_says_so_in_its_own_words() {
    let mut desk = desk();
    let path = desk.entrypoint(REDIRECTS);
    let (status, envelope) = desk.ask("GET", &path, &Value::Null);
    let words = format!("could not find entrypoint ruleset in the \"{REDIRECTS}\" phase");
    assert_eq!(
        (status, &envelope["errors"][0]),
        (404, &json!({ "code": 10003, "message": words }))
    );
    assert_eq!(desk.world.rules(ZONE, REDIRECTS), Value::Null);
    assert_eq!(desk.get(&desk.rulesets())["result"], json!([]));
    // Nothing else answers with that code.
    let nowhere = format!("{}/{}", desk.rulesets(), "f".repeat(32));
    assert_eq!(desk.pointed("GET", &nowhere, &Value::Null).0, 404);
    let (_, envelope) = desk.ask("GET", &nowhere, &Value::Null);
    assert_ne!(envelope["errors"][0]["code"], 10003);
    let short = format!("{}/short", desk.rulesets());
    assert_eq!(desk.refused("GET", &short, &Value::Null), (404, 7003));
}

#[test]
fn the_first_put_makes_it_and_fills_in_the_defaults() {
    let mut desk = desk();
    let made = desk.put(REDIRECTS, &json!([redirect("/a")]));
    assert_eq!(
        (&made["version"], &made["kind"], &made["name"], &made["description"]),
        (&json!("1"), &json!("zone"), &json!("default"), &json!(""))
    );
    let rule = &made["rules"][0];
    assert_eq!(rule["ref"], rule["id"]);
    assert_eq!(
        (&rule["enabled"], &rule["description"], &rule["version"]),
        (&json!(true), &json!(""), &json!("1"))
    );
    assert_eq!(
        rule["action_parameters"]["from_value"]["preserve_query_string"],
        json!(false)
    );
    assert!(rule["last_updated"].is_string());
    let path = desk.entrypoint(REDIRECTS);
    assert_eq!(desk.get(&path)["result"], made);
    let by_id = format!("{}/{}", desk.rulesets(), made["id"].as_str().unwrap());
    assert_eq!(desk.get(&by_id)["result"], made);
    let listed = desk.get(&desk.rulesets())["result"].clone();
    assert_eq!((&listed[0]["id"], listed[0].get("rules")), (&made["id"], None));
    assert_eq!(desk.world.rules(ZONE, REDIRECTS), made["rules"]);
}

#[test]
fn a_put_replaces_everything_and_keeps_only_ids_that_it_knows() {
    let mut desk = desk();
    let ours = with(redirect("/a"), "ref", "ours");
    let first = desk.put(REDIRECTS, &json!([ours, redirect("/b"), redirect("/c")]));
    let ids = each(&first, "id");
    // Known by `ref`, known by `id`, known by neither; in another order.
    let second = desk.put(
        REDIRECTS,
        &json!([with(redirect("/b"), "id", ids[1]), redirect("/c"), ours]),
    );
    assert_eq!(second["version"], "2");
    let kept = each(&second, "id");
    assert_eq!((kept[0], kept[2]), (ids[1], ids[0]));
    assert!(!ids.contains(&kept[1]));
    // Order alone is no new version of a rule.
    assert_eq!(each(&second, "version"), ["1", "1", "1"]);
    // What says something else is one, and stays the same rule.
    let third = desk.put(REDIRECTS, &json!([with(redirect("/z"), "ref", "ours")]));
    assert_eq!((each(&third, "id"), each(&third, "version")), (vec![ids[0]], vec!["2"]));
    // Another `ref` makes another rule, even with the same id.
    let other = with(with(redirect("/z"), "ref", "theirs"), "id", ids[0]);
    let fourth = desk.put(REDIRECTS, &json!([other]));
    assert_ne!(each(&fourth, "id"), [ids[0]]);
    // An id that nobody knows counts for nothing.
    let fifth = desk.put(REDIRECTS, &json!([with(redirect("/z"), "id", "f".repeat(32))]));
    assert_ne!(each(&fifth, "id"), ["f".repeat(32)]);
    assert_eq!(desk.put(REDIRECTS, &json!([]))["rules"], json!([]));
    let path = desk.entrypoint(REDIRECTS);
    assert_eq!(
        desk.get(&path)["result"]["version"],
        "6",
        "an emptied ruleset stays behind"
    );
}

#[test]
fn a_ref_stands_once() {
    let mut desk = desk();
    let first = desk.put(REDIRECTS, &json!([redirect("/a")]));
    let id = each(&first, "id")[0];
    let path = desk.entrypoint(REDIRECTS);
    for (rules, pointer) in [
        (
            json!([with(redirect("/a"), "ref", "x"), with(redirect("/b"), "ref", "x")]),
            "/rules/1/ref",
        ),
        (
            json!([with(redirect("/a"), "id", id), with(redirect("/b"), "id", id)]),
            "/rules/1/id",
        ),
        (json!([with(redirect("/a"), "ref", "")]), "/rules/0/ref"),
    ] {
        let (status, at, words) = desk.pointed("PUT", &path, &json!({ "rules": rules }));
        assert_eq!((status, at.as_str()), (400, pointer), "{words}");
    }
    assert_eq!(desk.world.ruleset(ZONE, REDIRECTS)["version"], "1");
}

#[test]
fn every_version_can_be_read() {
    let mut desk = desk();
    let first = desk.put(REDIRECTS, &json!([redirect("/a")]));
    let second = desk.put(REDIRECTS, &json!([redirect("/b")]));
    let by_id = format!("{}/{}", desk.rulesets(), first["id"].as_str().unwrap());
    for base in [desk.entrypoint(REDIRECTS), by_id] {
        let versions = desk.get(&format!("{base}/versions"))["result"].clone();
        let versions: Vec<&str> = versions
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v["version"].as_str().unwrap())
            .collect();
        assert_eq!(versions, ["1", "2"]);
        assert_eq!(desk.get(&format!("{base}/versions/1"))["result"], first);
        assert_eq!(desk.get(&format!("{base}/versions/2"))["result"], second);
        let none = format!("{base}/versions/3");
        assert_eq!(desk.pointed("GET", &none, &Value::Null).0, 404);
    }
}

#[test]
fn name_kind_and_phase_stay_what_they_are() {
    let mut desk = desk();
    let made = desk.put(REDIRECTS, &json!([]));
    let path = desk.entrypoint(REDIRECTS);
    for (key, value) in [("name", "mine"), ("kind", "root"), ("phase", "http_ratelimit")] {
        let body = json!({ "rules": [], key: value });
        let (status, at, _) = desk.pointed("PUT", &path, &body);
        assert_eq!((status, at), (400, format!("/{key}")));
    }
    let same = json!({ "rules": [], "name": made["name"], "kind": "zone", "phase": REDIRECTS, "description": "new" });
    let (status, envelope) = desk.ask("PUT", &path, &same);
    assert_eq!((status, &envelope["result"]["description"]), (200, &json!("new")));
}

#[test]
fn a_second_ruleset_of_a_phase_is_refused() {
    let mut desk = desk();
    let path = desk.rulesets();
    let body = json!({ "name": "mine", "kind": "zone", "phase": REDIRECTS, "rules": [redirect("/a")] });
    let (status, envelope) = desk.ask("POST", &path, &body);
    assert_eq!((status, &envelope["result"]["name"]), (200, &json!("mine")));
    let (status, envelope) = desk.ask("POST", &path, &body);
    let words = format!(
        "'zone' is not a valid value for kind because exceeded maximum number of zone rulesets for phase {REDIRECTS}"
    );
    let error = json!({ "code": 20217, "message": words, "source": { "pointer": "/kind" } });
    assert_eq!((status, &envelope["errors"][0]), (400, &error));
    let root = json!({ "name": "mine", "kind": "root", "phase": "http_ratelimit" });
    assert_eq!(desk.refused("POST", &path, &root), (400, 20004));
    let elsewhere = json!({ "name": "mine", "kind": "zone", "phase": "http_request_redirect" });
    assert_eq!(desk.refused("POST", &path, &elsewhere), (400, 20004));
    let nowhere = json!({ "name": "mine", "kind": "zone", "phase": "http_request_dreams" });
    assert_eq!(desk.pointed("POST", &path, &nowhere).1, "/phase");
}

#[test]
fn a_deleted_ruleset_leaves_nothing() {
    let mut desk = desk();
    let made = desk.put(REDIRECTS, &json!([redirect("/a")]));
    let path = format!("{}/{}", desk.rulesets(), made["id"].as_str().unwrap());
    let dry = desk.raw("DELETE", &format!("{path}?dry_run=true"), "");
    assert_eq!((dry.status, dry.body.len()), (204, 0));
    assert_eq!(desk.get(&path)["result"], made);
    let reply = desk.raw("DELETE", &path, "");
    assert_eq!((reply.status, reply.body.len()), (204, 0));
    let entrypoint = desk.entrypoint(REDIRECTS);
    assert_eq!(desk.refused("GET", &entrypoint, &Value::Null), (404, 10003));
    // Its place is free, and versions begin anew.
    assert_eq!(desk.put(REDIRECTS, &json!([]))["version"], "1");
}

#[test]
fn a_ruleset_that_is_executed_cannot_be_deleted() {
    let mut desk = desk();
    let made = desk.put(REDIRECTS, &json!([]));
    let rule = json!({ "action": "execute", "expression": "true", "action_parameters": { "id": made["id"] } });
    let executing = desk.put("http_request_firewall_managed", &json!([rule]));
    assert_eq!(executing["rules"][0]["action_parameters"]["version"], "latest");
    let path = format!("{}/{}", desk.rulesets(), made["id"].as_str().unwrap());
    assert_eq!(desk.pointed("DELETE", &path, &Value::Null).0, 400);
}

#[test]
fn a_dry_run_refuses_the_same_and_changes_nothing() {
    let mut desk = desk();
    let path = desk.entrypoint(REDIRECTS);
    let dry = format!("{path}?dry_run=true");
    let good = json!({ "rules": [redirect("/a")] });
    let (status, envelope) = desk.ask("PUT", &dry, &good);
    assert_eq!(
        (status, &envelope["result"], &envelope["success"]),
        (200, &Value::Null, &json!(true))
    );
    assert_eq!(desk.refused("GET", &path, &Value::Null), (404, 10003));
    let bad = json!({ "rules": [with(redirect("/a"), "expression", "http.hots eq \"a\"")] });
    assert_eq!(desk.ask("PUT", &dry, &bad), desk.ask("PUT", &path, &bad));
    for other in ["yes", "1", "TRUE", ""] {
        assert_eq!(
            desk.pointed("PUT", &format!("{path}?dry_run={other}"), &good).0,
            400,
            "{other}"
        );
    }
    assert_eq!(desk.ask("PUT", &format!("{path}?dry_run=false"), &good).0, 200);
    assert_eq!(desk.world.ruleset(ZONE, REDIRECTS)["version"], "1");
}

#[test]
fn lists_of_rulesets_have_cursors() {
    let mut desk = desk();
    for phase in [REDIRECTS, "http_request_cache_settings", "http_ratelimit"] {
        desk.put(phase, &json!([]));
    }
    let path = desk.rulesets();
    assert!(desk.get(&path).get("result_info").is_none());
    let (mut phases, mut query) = (Vec::new(), String::new());
    loop {
        let page = desk.get(&format!("{path}?per_page=1{query}"));
        phases.push(page["result"][0]["phase"].as_str().unwrap().to_owned());
        match page["result_info"]["cursors"]["after"].as_str() {
            Some(cursor) => query = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(phases, [REDIRECTS, "http_request_cache_settings", "http_ratelimit"]);
    for refused in ["per_page=51", "per_page=0", "cursor=nonsense"] {
        assert_eq!(
            desk.refused("GET", &format!("{path}?{refused}"), &Value::Null).0,
            400,
            "{refused}"
        );
    }
}

#[test]
fn what_stood_before_can_be_sent_back_whatever_it_holds() {
    let mut desk = desk();
    let id = "0".repeat(32);
    let odd = json!({
        "id": id, "action": "redirect", "expression": "cf.some.new.field eq \"a\"", "description": "dashboard",
        "enabled": true, "action_parameters": { "from_somewhere": {} },
    });
    desk.world.force_rules(ZONE, REDIRECTS, json!([odd]));
    desk.world.force_rules(ZONE, REDIRECTS, json!([odd]));
    let before = desk.world.ruleset(ZONE, REDIRECTS);
    assert_eq!(
        (&before["version"], &before["rules"][0]["ref"]),
        (&json!("2"), &json!(id))
    );
    let after = desk.put(REDIRECTS, &json!([redirect("/a"), before["rules"][0]]));
    assert_eq!(after["rules"][1], before["rules"][0]);
    // Changed, it is looked at.
    let path = desk.entrypoint(REDIRECTS);
    let body = json!({ "rules": [with(before["rules"][0].clone(), "enabled", false)] });
    assert_eq!(desk.pointed("PUT", &path, &body).1, "/rules/0/expression");
    let anew = json!({ "rules": [with(odd, "id", "1".repeat(32))] });
    assert_eq!(desk.pointed("PUT", &path, &anew).1, "/rules/0/expression");
}

#[test]
fn somebody_else_writes_as_a_request_would() {
    let mut world = World::new();
    world.add_zone(ZONE, Plan::Free);
    world.put_rules(ZONE, REDIRECTS, json!([redirect("/a")])).unwrap();
    world.put_rules(ZONE, REDIRECTS, json!([redirect("/b")])).unwrap();
    assert_eq!(world.ruleset(ZONE, REDIRECTS)["version"], "2");
    assert_eq!(world.rules(ZONE, REDIRECTS).as_array().unwrap().len(), 1);
    let error = world.put_rules(ZONE, REDIRECTS, json!([{}])).unwrap_err();
    assert_eq!(error, "action is required /rules/0/action");
    assert!(world.put_rules("shop.example", REDIRECTS, json!([])).is_err());
    assert!(world.put_rules(ZONE, "http_request_redirect", json!([])).is_err());
    world.put_account_rules("http_request_redirect", json!([])).unwrap();
    assert_eq!(world.account_ruleset("http_request_redirect")["kind"], "root");
}
