//! Keys, the budget, pages, and answers that are lost or late.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::sandbox::{Fault, Options, Sandbox, tests};

#[test]
fn a_bad_key_is_refused_before_it_is_counted() {
    let mut account = Account::default();
    let none = Credentials {
        authorization: None,
        legacy_key: false,
    };
    for credentials in [none, with_key("u1-other")] {
        let stranger = Asked {
            credentials,
            ..asked("GET", MONITORS, &Value::Null)
        };
        let reply = account.answer(&stranger);
        assert_eq!(
            read(&reply),
            (401, json!({ "message": "Invalid token.", "code": "003-005" }))
        );
        assert_eq!(reply.headers, Some(Vec::new()), "no budget is told to strangers");
    }
}

#[test]
fn a_key_that_only_reads_is_refused_on_writes() {
    let mut account = Account::default();
    let monitor = made(&mut account, MONITORS, &nth(1));
    let mut status = |method: &str, path: &str| {
        let asked = Asked {
            credentials: with_key("ur1-reader"),
            ..asked(method, path, &nth(2))
        };
        account.answer(&asked).status
    };
    assert_eq!(status("GET", MONITORS), 200);
    for (method, path) in [
        ("POST", MONITORS.to_owned()),
        ("PATCH", at(MONITORS, &monitor)),
        ("DELETE", at(MONITORS, &monitor)),
    ] {
        assert_eq!(status(method, &path), 403, "{method}");
    }
    assert_eq!(get(&mut account, MONITORS)["data"].as_array().unwrap().len(), 1);
}

#[test]
fn the_budget_is_of_a_fixed_window_and_its_end_is_plain_text() {
    let mut account = Account::default();
    account.set_rate_limit(2, Duration::from_secs(60));
    let question = asked("GET", "/user/me", &Value::Null);
    for left in ["1", "0"] {
        let reply = account.answer(&question);
        let told = ["x-ratelimit-limit", "x-ratelimit-remaining"].map(|name| header(&reply, name).unwrap());
        assert_eq!((reply.status, told), (200, ["2".to_owned(), left.to_owned()]));
    }
    let late = account.answer(&question);
    assert_eq!(late.body, b"ThrottlerException: Too Many Requests");
    assert_eq!((late.status, late.content_type), (429, "text/plain; charset=utf-8"));
    let number = |name: &str| header(&late, name).unwrap().parse::<i64>().unwrap();
    assert!((50..=60).contains(&number("retry-after")), "to the end of the window");
    assert!((50..=60).contains(&number("x-ratelimit-reset")), "in seconds");
    account.behave_otherwise();
    let late = account.answer(&question);
    let reset: i64 = header(&late, "x-ratelimit-reset").unwrap().parse().unwrap();
    let now = jiff::Timestamp::now().as_second();
    assert!((now..=now + 61).contains(&reset), "a point in time");
}

#[test]
fn an_unknown_route_and_an_unknown_id_differ() {
    let mut account = Account::default();
    let (status, route) = ask(&mut account, "GET", "/nowhere", &Value::Null);
    let framework = json!({ "message": "Cannot GET /v3/nowhere", "error": "Not Found", "statusCode": 404 });
    assert_eq!((status, route), (404, framework));
    for (list, code) in [
        (MONITORS, "000-004"),
        ("/maintenance-windows", "000-004"),
        ("/monitor-groups", "000-004"),
        ("/alert-contacts", "000-004"),
        ("/integrations", "021-005"),
    ] {
        let found = refused(&mut account, "GET", &format!("{list}/1"), &Value::Null);
        assert_eq!(found, coded(404, code), "{list}");
    }
}

#[test]
fn an_action_without_a_json_type_is_unsupported() {
    let mut account = Account::default();
    let monitor = made(&mut account, MONITORS, &nth(1));
    let untyped = Asked {
        is_json: false,
        ..asked("POST", &format!("{}/pause", at(MONITORS, &monitor)), &Value::Null)
    };
    let reply = account.answer(&untyped);
    assert_eq!((reply.status, reply.headers), (415, Some(Vec::new())));
    assert_eq!(
        get(&mut account, &at(MONITORS, &monitor))["status"],
        "UP",
        "it does not rest"
    );
}

#[test]
fn a_full_page_always_names_a_next_one() {
    let mut account = Account::default();
    let made: Vec<Value> = (0..4)
        .map(|number| made(&mut account, MONITORS, &nth(number)))
        .collect();
    for limit in ["0", "201", "x"] {
        let path = format!("{MONITORS}?limit={limit}");
        assert_eq!(refused(&mut account, "GET", &path, &Value::Null).0, 400, "{limit}");
    }
    let ids = |page: &Value| -> Vec<Value> {
        let entries = page["data"].as_array().unwrap();
        entries.iter().map(|entry| entry["id"].clone()).collect()
    };
    let first = get(&mut account, "/monitors?limit=2");
    assert_eq!(ids(&first), [made[0]["id"].clone(), made[1]["id"].clone()]);
    let cursor = &made[1]["id"];
    let link = format!("https://elsewhere.invalid/v3/monitors/?limit=2&cursor={cursor}");
    assert_eq!(first["nextLink"], json!(link), "whole, with the last id");
    let second = get(&mut account, &format!("/monitors?limit=2&cursor={cursor}"));
    assert_eq!(ids(&second), [made[2]["id"].clone(), made[3]["id"].clone()]);
    assert!(second["nextLink"].is_string(), "although nothing follows");
    let last = format!("/monitors?limit=2&cursor={}", made[3]["id"]);
    assert_eq!(get(&mut account, &last), json!({ "data": [] }));
    account.behave_otherwise();
    assert_eq!(get(&mut account, &last), json!({ "data": [], "nextLink": null }));
    assert!(get(&mut account, "/monitors?limit=200")["nextLink"].is_null());
}

#[test]
fn contacts_of_a_user_and_tags_are_lists_of_other_shapes() {
    let mut account = Account::default();
    account.add_integration("Slack", "https://hooks.example/1", "Chat");
    let own = get(&mut account, "/user/alert-contacts");
    let all = get(&mut account, "/user/all-alert-contacts");
    assert_eq!((own.as_array().unwrap().len(), all.as_array().unwrap().len()), (1, 2));
    assert!(get(&mut account, "/alert-contacts")["data"].is_array());
    assert_eq!(get(&mut account, "/tags"), json!({ "data": [], "nextCursorId": null }));
}

#[test]
fn a_create_may_be_stored_and_answered_with_not_found() {
    let mut account = Account::default();
    account.lose_creates(1);
    assert_eq!(refused(&mut account, "POST", MONITORS, &nth(1)), coded(404, "000-004"));
    assert_eq!(get(&mut account, MONITORS)["data"][0]["friendlyName"], "Site 1");
    assert_eq!(ask(&mut account, "POST", MONITORS, &nth(2)).0, 201, "once only");
}

#[tokio::test]
async fn a_create_may_be_stored_and_answered_with_a_fault() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let faults = ["1:500-after", "2:drop-after", "3:502"].map(|fault| fault.parse::<Fault>().unwrap());
    sandbox.set_faults(faults.to_vec());
    let client = tests::client();
    let address = sandbox.url_of(NAME);
    let create = |number| client.post(format!("{address}{MONITORS}")).json(&nth(number));
    let told = create(1).bearer_auth(SANDBOX_TOKEN).send().await.unwrap();
    let framework = json!({ "message": "Internal server error", "error": "Error", "statusCode": 500 });
    assert_eq!(told.json::<Value>().await.unwrap(), framework);
    assert!(
        create(2).bearer_auth(SANDBOX_TOKEN).send().await.is_err(),
        "the connection is cut"
    );
    let list = || {
        client
            .get(format!("{address}{MONITORS}"))
            .bearer_auth(SANDBOX_TOKEN)
            .send()
    };
    assert_eq!(list().await.unwrap().status(), 502);
    let listed: Value = list().await.unwrap().json().await.unwrap();
    let names: Vec<&Value> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["friendlyName"])
        .collect();
    assert_eq!(names, ["Site 1", "Site 2"]);
}

#[test]
fn reads_lag_behind_writes() {
    let mut account = Account::default();
    let monitor = made(&mut account, MONITORS, &nth(1));
    let path = at(MONITORS, &monitor);
    account.lag(2);
    let answer = patched(&mut account, &monitor, &json!({ "friendlyName": "New" }));
    assert_eq!(answer["friendlyName"], "New", "the answer itself is up to date");
    for name in ["Site 1", "Site 1", "New"] {
        assert_eq!(get(&mut account, &path)["friendlyName"], name);
    }
    assert_eq!(ask(&mut account, "DELETE", &path, &Value::Null).0, 200);
    let statuses = [(); 3].map(|()| ask(&mut account, "GET", &path, &Value::Null).0);
    assert_eq!(statuses, [200, 200, 404], "deleted and still there for a while");
}

#[test]
fn two_copies_answer_in_turns() {
    let mut account = Account::default();
    let monitor = made(&mut account, MONITORS, &nth(1));
    account.flap(4);
    patched(&mut account, &monitor, &json!({ "friendlyName": "New" }));
    let names = [(); 5].map(|()| get(&mut account, MONITORS)["data"][0]["friendlyName"].clone());
    assert_eq!(names, ["New", "Site 1", "New", "Site 1", "New"]);
}
