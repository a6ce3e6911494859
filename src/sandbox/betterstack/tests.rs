//! The wire of Better Stack, request by request: the shapes of refusals, what reads back, what is refused.

use serde_json::{Value, json};

use super::*;
use crate::sandbox::tokens::Credentials;

fn ask(account: &mut Account, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let asked = Asked {
        method: method.to_owned(),
        path: format!("{BASE}{path}"),
        query: query.to_owned(),
        credentials: Credentials {
            authorization: Some(format!("Bearer {SANDBOX_TOKEN}")),
            legacy_key: false,
        },
        body: if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        },
        is_json: true,
    };
    let reply = account.answer(&asked);
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
}

fn site() -> Value {
    json!({ "monitor_type": "status", "url": "https://acme.example/" })
}

fn made(account: &mut Account, body: &Value) -> (String, Value) {
    let (status, answer) = ask(account, "POST", "/api/v2/monitors", body);
    assert_eq!(status, 201, "{answer}");
    let id = answer["data"]["id"].as_str().expect("an id is a text").to_owned();
    (id, answer["data"]["attributes"].clone())
}

#[test]
fn refusals_have_three_shapes() {
    let mut account = Account::default();
    let stranger = Asked {
        method: "GET".to_owned(),
        path: format!("{BASE}/api/v2/monitors"),
        query: String::new(),
        credentials: Credentials {
            authorization: None,
            legacy_key: false,
        },
        body: Vec::new(),
        is_json: false,
    };
    assert_eq!(account.answer(&stranger).status, 401);
    let (status, gone) = ask(&mut account, "DELETE", "/api/v2/monitors/1", &Value::Null);
    assert!(status == 404 && gone["errors"].is_string());
    let (status, fields) = ask(
        &mut account,
        "POST",
        "/api/v2/monitors",
        &json!({ "monitor_type": "status" }),
    );
    assert!(status == 422 && fields["errors"]["url"].is_array());
    let mut body = site();
    body["ssl_expiration"] = json!(21);
    let (status, values) = ask(&mut account, "POST", "/api/v2/monitors", &body);
    assert!(status == 422 && values["allowed_values"]["ssl_expiration"] == json!([1, 2, 3, 7, 14, 30, 60]));
    body["ssl_expiration"] = json!(-1);
    assert_eq!(ask(&mut account, "POST", "/api/v2/monitors", &body).0, 422);
    assert_eq!(
        ask(&mut account, "GET", "/api/v2/nothing", &Value::Null),
        (404, Value::Null)
    );
}

#[test]
fn what_was_not_sent_is_filled_in_and_a_patch_touches_nothing_else() {
    let mut account = Account::default();
    let (id, read) = made(&mut account, &site());
    assert_eq!(
        (&read["pronounceable_name"], &read["http_method"]),
        (&json!("acme.example"), &json!("get"))
    );
    let path = format!("/api/v2/monitors/{id}");
    let body = json!({ "paused": true, "http_method": "POST", "regions": ["us", "as"] });
    let (_, answer) = ask(&mut account, "PATCH", &path, &body);
    let patched = &answer["data"]["attributes"];
    assert_eq!(
        (&patched["status"], &patched["http_method"]),
        (&json!("paused"), &json!("post"))
    );
    assert_eq!(
        (&patched["regions"], &patched["check_frequency"]),
        (&json!(["as", "us"]), &json!(180))
    );
    assert!(patched["paused_at"].is_string() && patched["paused"].is_null());
    assert_eq!(ask(&mut account, "DELETE", &path, &Value::Null).0, 204);
    assert_eq!(ask(&mut account, "DELETE", &path, &Value::Null).0, 404);
}

#[test]
fn a_header_is_removed_and_added_and_never_changed() {
    let mut account = Account::default();
    let mut body = site();
    body["request_headers"] = json!([{ "name": "X-Probe", "value": "1" }]);
    let (id, read) = made(&mut account, &body);
    let header = read["request_headers"][0]["id"].clone();
    let mut patch = |headers: Value| {
        ask(
            &mut account,
            "PATCH",
            &format!("/api/v2/monitors/{id}"),
            &json!({ "request_headers": headers }),
        )
    };
    let nothing_said = (422, json!({ "errors": {} }));
    assert_eq!(patch(json!([{ "name": "x-probe", "value": "2" }])), nothing_said);
    assert_eq!(
        patch(json!([{ "id": header, "name": "X-Probe", "value": "2" }])),
        nothing_said
    );
    let (status, answer) = patch(json!([{ "id": header, "_destroy": "true" }, { "name": "X-Probe", "value": "2" }]));
    let headers = &answer["data"]["attributes"]["request_headers"];
    assert!(status == 200 && headers.as_array().is_some_and(|all| all.len() == 1) && headers[0]["value"] == "2");
}

#[test]
fn a_timeout_is_in_seconds_or_milliseconds() {
    let mut account = Account::default();
    let tcp = json!({ "monitor_type": "tcp", "url": "smtp.acme.example", "port": "587", "request_timeout": 5 });
    let (status, refused) = ask(&mut account, "POST", "/api/v2/monitors", &tcp);
    assert!(
        status == 422 && refused["allowed_values"]["request_timeout"][4] == 5000,
        "{refused}"
    );
    let mut number = tcp.clone();
    number["request_timeout"] = json!(5000);
    number["port"] = json!(587);
    assert_eq!(
        ask(&mut account, "POST", "/api/v2/monitors", &number).0,
        422,
        "a port is a text"
    );
    number["port"] = json!("587");
    let (id, _) = made(&mut account, &number);
    let web = json!({ "monitor_type": "status", "url": "https://acme.example/" });
    assert_eq!(
        ask(&mut account, "PATCH", &format!("/api/v2/monitors/{id}"), &web).0,
        422,
        "in milliseconds still"
    );
}

#[test]
fn metadata_is_replaced_removed_and_gone_with_its_owner() {
    let mut account = Account::default();
    let (id, _) = made(&mut account, &site());
    let write = |account: &mut Account, values: Value| {
        let body = json!({ "owner_type": "Monitor", "owner_id": id, "key": "k", "values": values });
        ask(account, "POST", "/api/v3/metadata", &body).0
    };
    let value = json!([{ "type": "String", "value": "v" }]);
    assert_eq!(write(&mut account, value.clone()), 201);
    assert_eq!(write(&mut account, value.clone()), 200);
    assert_eq!(write(&mut account, json!([])), 204);
    assert_eq!(write(&mut account, value), 201);
    let path = format!("/api/v3/metadata?owner_type=Monitor&owner_id={id}");
    let (_, listed) = ask(&mut account, "GET", &path, &Value::Null);
    assert_eq!(listed["data"][0]["attributes"]["values"][0]["value"], "v");
    ask(&mut account, "DELETE", &format!("/api/v2/monitors/{id}"), &Value::Null);
    let (_, listed) = ask(&mut account, "GET", "/api/v3/metadata", &Value::Null);
    assert_eq!(listed["data"], json!([]));
}

#[test]
fn a_next_page_is_on_another_host() {
    let mut account = Account::default();
    for _ in 0..3 {
        made(&mut account, &site());
    }
    let (_, first) = ask(&mut account, "GET", "/api/v2/monitors?per_page=2", &Value::Null);
    let next = first["pagination"]["next"].as_str().unwrap_or_default();
    assert_eq!(next, "https://elsewhere.invalid/api/v2/monitors?page=2&per_page=2");
    let (_, last) = ask(&mut account, "GET", "/api/v2/monitors?page=2&per_page=2", &Value::Null);
    assert!(last["data"].as_array().is_some_and(|all| all.len() == 1) && last["pagination"]["next"].is_null());
    assert_eq!(
        ask(&mut account, "GET", "/api/v2/monitors?per_page=251", &Value::Null).0,
        422
    );
}

#[test]
fn the_free_plan_has_ten_monitors_every_three_minutes_and_no_keywords() {
    let mut account = Account::default();
    account.pay(Paid::Free);
    let mut often = site();
    often["check_frequency"] = json!(60);
    assert_eq!(ask(&mut account, "POST", "/api/v2/monitors", &often).0, 422);
    let keyword = json!({ "monitor_type": "keyword", "url": "https://acme.example/", "required_keyword": "x" });
    assert_eq!(ask(&mut account, "POST", "/api/v2/monitors", &keyword).0, 422);
    for _ in 0..10 {
        made(&mut account, &site());
    }
    assert_eq!(ask(&mut account, "POST", "/api/v2/monitors", &site()).0, 422);
    account.behave_otherwise();
    assert_eq!(ask(&mut account, "POST", "/api/v2/monitors", &site()).0, 403);
}

#[test]
fn policies_keep_the_order_of_their_steps_and_what_is_in_use_stays() {
    let mut account = Account::default();
    let webhook = json!({ "name": "chat", "url": "https://hooks.example/", "trigger_type": "incident_change" });
    let (status, hook) = ask(&mut account, "POST", "/api/v2/outgoing-webhooks", &webhook);
    assert_eq!(status, 201);
    let hook = hook["data"]["id"].as_str().unwrap_or_default().to_owned();
    let id: u64 = hook.parse().unwrap_or_default();
    let steps = json!([
        { "type": "escalation", "wait_before": 0, "step_members": [{ "type": "user", "email": "ops@acme.example" }] },
        { "type": "escalation", "wait_before": 600, "step_members": [{ "type": "webhook", "id": id }] },
    ]);
    let body = json!({ "name": "p", "repeat_count": 0, "steps": steps });
    let (status, policy) = ask(&mut account, "POST", "/api/v3/policies", &body);
    assert_eq!(status, 201, "{policy}");
    let read = &policy["data"]["attributes"]["steps"];
    assert!(read[0]["step_members"][0]["id"].is_u64() && read[1]["wait_before"] == 600);
    let path = format!("/api/v2/outgoing-webhooks/{hook}");
    assert_eq!(ask(&mut account, "DELETE", &path, &Value::Null).0, 422);
    let other = json!({ "trigger_type": "monitor_change" });
    assert_eq!(
        ask(&mut account, "PATCH", &path, &other).0,
        422,
        "settled when it is made"
    );
    let mut told = site();
    told["policy_id"] = json!("1");
    assert_eq!(
        ask(&mut account, "POST", "/api/v2/monitors", &told).0,
        422,
        "there is no such policy"
    );
    told["policy_id"] = policy["data"]["id"].clone();
    made(&mut account, &told);
    let path = format!("/api/v3/policies/{}", policy["data"]["id"].as_str().unwrap_or_default());
    assert_eq!(ask(&mut account, "DELETE", &path, &Value::Null).0, 422);
    assert_eq!(
        ask(&mut account, "POST", "/api/v2/slack-integrations", &json!({})).0,
        404
    );
}

#[test]
fn a_token_of_several_teams_names_one() {
    let mut account = Account::default();
    account.serve_several_teams();
    assert_eq!(ask(&mut account, "POST", "/api/v2/monitors", &site()).0, 422);
    let mut body = site();
    body["team_name"] = json!("Sandbox");
    let (id, _) = made(&mut account, &body);
    let path = format!("/api/v2/monitors/{id}");
    assert_eq!(
        ask(&mut account, "PATCH", &path, &json!({ "team_name": "Other" })).0,
        422,
        "settled when it is made"
    );
}

#[test]
fn heartbeats_are_objects_of_their_own_with_a_secret_and_marks() {
    let mut account = Account::default();
    let missing = json!({ "name": "Backup", "period": 3600 });
    assert_eq!(ask(&mut account, "POST", "/api/v2/heartbeats", &missing).0, 422);
    let body = json!({ "name": "Backup", "period": 3600, "grace": 0, "maintenance_timezone": "Europe/Berlin" });
    assert_eq!(
        ask(&mut account, "POST", "/api/v2/heartbeats", &body).0,
        422,
        "a zone by its Rails name"
    );
    let body =
        json!({ "name": "Backup", "period": 3600, "grace": 300, "maintenance_timezone": "Amsterdam", "paused": true });
    let (status, made) = ask(&mut account, "POST", "/api/v2/heartbeats", &body);
    assert_eq!(status, 201, "{made}");
    let read = &made["data"]["attributes"];
    assert!(read["url"].as_str().is_some_and(|url| url.contains("/heartbeat/")) && read["status"] == "paused");
    let id = made["data"]["id"].clone();
    let mark = json!({ "owner_type": "Heartbeat", "owner_id": id, "key": "k", "values": [{ "type": "String", "value": "v" }] });
    assert_eq!(ask(&mut account, "POST", "/api/v3/metadata", &mark).0, 201);
    let path = format!("/api/v2/heartbeats/{}", id.as_str().unwrap_or_default());
    assert_eq!(ask(&mut account, "DELETE", &path, &Value::Null).0, 204);
    let (_, listed) = ask(&mut account, "GET", "/api/v3/metadata", &Value::Null);
    assert_eq!(listed["data"], json!([]));
}
