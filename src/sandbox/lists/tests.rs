//! Lists, as a client sees them.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use serde_json::{Value, json};

use crate::sandbox::tests::Desk;
use crate::sandbox::world::ACCOUNT;
use crate::sandbox::{Permission, Plan, TokenOptions};

fn lists() -> String {
    format!("accounts/{ACCOUNT}/rules/lists")
}

/// A list of redirects, `old_paths`: the path of its entries.
fn made(desk: &mut Desk) -> String {
    let (status, envelope) = desk.ask("POST", &lists(), &json!({ "name": "old_paths", "kind": "redirect" }));
    assert_eq!(status, 200, "{envelope}");
    format!("{}/{}/items", lists(), envelope["result"]["id"].as_str().unwrap())
}

fn entry(source: &str) -> Value {
    json!({ "redirect": { "source_url": source, "target_url": "https://acme.example/new" } })
}

/// Looks at an operation until it is over: every status it showed, and its error.
fn walk(desk: &mut Desk, answer: &(u16, Value)) -> (Vec<String>, Value) {
    assert_eq!(answer.0, 200, "{}", answer.1);
    let id = answer.1["result"]["operation_id"].as_str().unwrap();
    let path = format!("{}/bulk_operations/{id}", lists());
    let mut statuses = Vec::new();
    loop {
        let operation = desk.get(&path)["result"].clone();
        let status = operation["status"].as_str().unwrap().to_owned();
        let is_over = operation["completed"].is_string();
        statuses.push(status);
        if is_over {
            return (statuses, operation["error"].clone());
        }
        assert!(statuses.len() < 10, "never over");
    }
}

fn sources(desk: &Desk) -> Vec<String> {
    let items = desk.world.list_items("old_paths");
    let items = items.as_array().unwrap().iter();
    items
        .map(|item| item["redirect"]["source_url"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn entries_come_when_their_operation_is_over() {
    let mut desk = Desk::new(Plan::Free);
    let items = made(&mut desk);
    let begun = desk.ask(
        "POST",
        &items,
        &json!([entry("acme.example/a"), entry("acme.example/b")]),
    );
    assert_eq!(desk.get(&items)["result"], json!([]));
    // One at a time, whatever list it is for.
    assert_eq!(
        desk.refused("POST", &items, &json!([entry("acme.example/c")])),
        (400, 1004)
    );
    let (statuses, error) = walk(&mut desk, &begun);
    assert_eq!(
        (statuses, error),
        (
            ["pending", "running", "completed"].map(str::to_owned).to_vec(),
            Value::Null
        )
    );
    assert_eq!(sources(&desk), ["acme.example/a", "acme.example/b"]);
    let before = desk.get(&items)["result"][0].clone();
    let replaced = desk.ask(
        "PUT",
        &items,
        &json!([entry("acme.example/c"), entry("acme.example/a")]),
    );
    walk(&mut desk, &replaced);
    assert_eq!(sources(&desk), ["acme.example/c", "acme.example/a"]);
    let first = desk.get(&items)["result"][1].clone();
    assert_eq!(first["redirect"], before["redirect"]);
    assert_ne!(first["id"], before["id"], "replaced is made anew");
    let one = format!("{items}/{}", first["id"].as_str().unwrap());
    assert_eq!(desk.get(&one)["result"], first);
    let removed = desk.ask("DELETE", &items, &json!({ "items": [{ "id": first["id"] }] }));
    walk(&mut desk, &removed);
    assert_eq!(sources(&desk), ["acme.example/c"]);
    // Nobody has to look: time is enough.
    desk.ask("PUT", &items, &json!([]));
    desk.world.pass(Duration::from_secs(10));
    assert_eq!(desk.get(&items)["result"], json!([]));
}

#[test]
fn an_operation_fails_as_a_whole() {
    let mut desk = Desk::new(Plan::Free);
    let items = made(&mut desk);
    desk.world
        .put_list("old_paths", "redirect", &json!([entry("acme.example/a")]))
        .unwrap();
    let many: Vec<Value> = (0..10_000)
        .map(|number| entry(&format!("acme.example/{number}")))
        .collect();
    for (body, words) in [
        (json!(many), "This list is at the maximum number of items"),
        (
            json!([entry("acme.example/b"), entry("acme.example/a")]),
            "duplicate of acme.example/a",
        ),
    ] {
        let begun = desk.ask("POST", &items, &body);
        let (statuses, error) = walk(&mut desk, &begun);
        assert_eq!(
            (statuses.last().map(String::as_str), error),
            (Some("failed"), json!(words))
        );
        assert_eq!(sources(&desk), ["acme.example/a"]);
    }
    desk.world.fail_next_operation("internal error");
    let begun = desk.ask("PUT", &items, &json!([]));
    assert_eq!(walk(&mut desk, &begun).1, "internal error");
    let begun = desk.ask("PUT", &items, &json!([]));
    assert_eq!(walk(&mut desk, &begun).1, Value::Null);
}

#[test]
fn entries_come_back_with_a_slash_and_every_default() {
    let mut desk = Desk::new(Plan::Free);
    let items = made(&mut desk);
    let begun = desk.ask(
        "POST",
        &items,
        &json!([entry("acme.example"), entry("https://acme.example")]),
    );
    walk(&mut desk, &begun);
    let listed = desk.get(&items)["result"].clone();
    let whole = json!({
        "source_url": "acme.example/", "target_url": "https://acme.example/new", "status_code": 301,
        "include_subdomains": false, "subpath_matching": false, "preserve_query_string": false,
        "preserve_path_suffix": false,
    });
    assert_eq!(listed[0]["redirect"], whole);
    assert_eq!(listed[1]["redirect"]["source_url"], "https://acme.example/");
    assert!(listed[0].get("comment").is_none());
    for (key, value) in [
        ("source_url", json!("acme.example/*")),
        ("source_url", json!("acme.example:8443/")),
        ("source_url", json!("acme.example/?a=b")),
        ("source_url", json!("acme.example/#a")),
        ("source_url", json!("jo@acme.example/")),
        ("source_url", json!("ftp://acme.example/")),
        ("source_url", json!("/path")),
        ("source_url", json!(format!("acme.example/{}", "a".repeat(32 * 1024)))),
        ("target_url", json!("/path")),
        ("status_code", json!(303)),
        ("status_code", json!("301")),
        ("subpath_matching", json!("on")),
        ("colour", json!("red")),
    ] {
        let mut bad = entry("acme.example/x");
        bad["redirect"][key] = value;
        assert_eq!(desk.refused("POST", &items, &json!([bad])), (400, 1004), "{key}");
    }
    for bad in [json!({}), json!([1]), json!("x")] {
        assert_eq!(desk.refused("POST", &items, &bad), (400, 9207), "{bad}");
    }
    assert_eq!(
        desk.refused("POST", &items, &json!([{ "ip": "192.0.2.1" }])),
        (400, 1004)
    );
}

#[test]
fn pages_of_entries_have_cursors_and_can_be_searched() {
    let mut desk = Desk::new(Plan::Free);
    let items = made(&mut desk);
    let all: Vec<Value> = (0..60)
        .map(|number| entry(&format!("acme.example/{number:02}")))
        .collect();
    desk.world.put_list("old_paths", "redirect", &json!(all)).unwrap();
    let (mut seen, mut query) = (0, String::new());
    loop {
        let page = desk.get(&format!("{items}?per_page=25{query}"));
        let first = page["result"][0]["redirect"]["source_url"].as_str().unwrap();
        assert_eq!(first, format!("acme.example/{seen:02}"));
        seen += page["result"].as_array().unwrap().len();
        let cursors = &page["result_info"]["cursors"];
        assert_eq!(cursors["before"].is_string(), !query.is_empty());
        match cursors["after"].as_str() {
            Some(cursor) => query = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, 60);
    assert_eq!(
        desk.get(&format!("{items}?search=example/07"))["result"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_list_is_made_described_and_deleted() {
    let mut desk = Desk::new(Plan::Free);
    let items = made(&mut desk);
    let list = items.trim_end_matches("/items").to_owned();
    let (status, shown) = desk.ask("PUT", &list, &json!({ "description": "moved pages" }));
    assert_eq!((status, &shown["result"]["description"]), (200, &json!("moved pages")));
    assert_eq!(
        (&shown["result"]["num_items"], &shown["result"]["kind"]),
        (&json!(0), &json!("redirect"))
    );
    assert_eq!(desk.get(&lists())["result"], json!([shown["result"]]));
    for (method, path, body) in [
        ("PUT", list.clone(), json!({ "name": "other" })),
        ("POST", lists(), json!({ "name": "old_paths", "kind": "redirect" })),
        ("POST", lists(), json!({ "name": "old-paths", "kind": "redirect" })),
        ("POST", lists(), json!({ "name": "a".repeat(51), "kind": "redirect" })),
        ("POST", lists(), json!({ "name": "new", "kind": "cname" })),
        (
            "POST",
            lists(),
            json!({ "name": "new", "kind": "ip", "description": "a".repeat(501) }),
        ),
    ] {
        assert_eq!(desk.refused(method, &path, &body), (400, 1004), "{method} {body}");
    }
    let rule = json!({
        "action": "redirect", "expression": "http.request.full_uri in $old_paths",
        "action_parameters": { "from_list": { "name": "old_paths", "key": "http.request.full_uri" } },
    });
    desk.world
        .put_account_rules("http_request_redirect", json!([rule]))
        .unwrap();
    assert_eq!(desk.get(&list)["result"]["num_referencing_filters"], 1);
    assert_eq!(desk.refused("DELETE", &list, &Value::Null), (400, 1004));
    desk.world
        .put_account_rules("http_request_redirect", json!([]))
        .unwrap();
    assert_eq!(desk.ask("DELETE", &list, &Value::Null).0, 200);
    assert_eq!(desk.ask("GET", &list, &Value::Null).0, 404);
    for number in 0..5 {
        let body = json!({ "name": format!("list_{number}"), "kind": "redirect" });
        assert_eq!(desk.ask("POST", &lists(), &body).0, 200);
    }
    assert_eq!(
        desk.refused("POST", &lists(), &json!({ "name": "six", "kind": "redirect" })),
        (400, 1004)
    );
    assert_eq!(
        desk.ask("POST", &lists(), &json!({ "name": "ips", "kind": "ip" })).0,
        200
    );
}

#[test]
fn the_rules_of_the_account_look_targets_up_in_a_list() {
    let mut desk = Desk::new(Plan::Free);
    made(&mut desk);
    let path = format!("accounts/{ACCOUNT}/rulesets/phases/http_request_redirect/entrypoint");
    assert_eq!(desk.refused("GET", &path, &Value::Null), (404, 10003));
    let rule = |list: &str, key: &str| {
        json!({ "rules": [{
            "action": "redirect", "expression": format!("http.request.full_uri in ${list}"), "ref": "ours",
            "action_parameters": { "from_list": { "name": list, "key": key } },
        }] })
    };
    let (status, envelope) = desk.ask("PUT", &path, &rule("old_paths", "http.request.full_uri"));
    assert_eq!(
        (status, &envelope["result"]["kind"]),
        (200, &json!("root")),
        "{envelope}"
    );
    for (body, pointer) in [
        (rule("no_paths", "http.request.full_uri"), "/rules/0/expression"),
        (
            rule("old_paths", "http.request.full"),
            "/rules/0/action_parameters/from_list/key",
        ),
        (
            json!({ "rules": [{ "action": "redirect", "expression": "true", "action_parameters": {
                "from_value": { "target_url": { "value": "https://acme.example/" }, "status_code": 301 },
            } }] }),
            "/rules/0/action_parameters/from_value",
        ),
    ] {
        let (_, envelope) = desk.ask("PUT", &path, &body);
        assert_eq!(envelope["errors"][0]["source"]["pointer"], pointer);
    }
    let zone_phase = format!("accounts/{ACCOUNT}/rulesets/phases/http_ratelimit/entrypoint");
    assert_eq!(desk.refused("PUT", &zone_phase, &json!({ "rules": [] })), (400, 20004));
    let elsewhere = format!("accounts/{}/rulesets", "f".repeat(32));
    assert_eq!(desk.refused("GET", &elsewhere, &Value::Null), (404, 7003));
}

#[test]
fn lists_have_permissions_of_their_own() {
    use Permission::{FilterListsRead, FilterListsWrite, MassRedirectsWrite};
    let mut desk = Desk::new(Plan::Free);
    let items = made(&mut desk);
    let list = items.trim_end_matches("/items").to_owned();
    for (permission, expected) in [
        (FilterListsRead, [200, 403]),
        (FilterListsWrite, [200, 200]),
        (MassRedirectsWrite, [403, 403]),
    ] {
        let options = TokenOptions {
            permissions: vec![permission],
            ..TokenOptions::default()
        };
        desk.world.add_token("t", options);
        desk.authorization = Some("Bearer t".to_owned());
        let got = [
            desk.ask("GET", &items, &Value::Null).0,
            desk.ask("PUT", &list, &json!({})).0,
        ];
        assert_eq!(got, expected, "{permission:?}");
    }
}
