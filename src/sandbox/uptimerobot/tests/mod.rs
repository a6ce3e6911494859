//! The wire of UptimeRobot, request by request: one story for each thing that the facts say the service does.
#![allow(clippy::unwrap_used, reason = "tests")]

mod readings;
mod refusals;
mod transport;

use serde_json::{Value, json};

use super::*;
use crate::sandbox::tokens::Credentials;

const MONITORS: &str = "/monitors";

fn asked(method: &str, path: &str, body: &Value) -> Asked {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let body = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    Asked {
        method: method.to_owned(),
        path: format!("{BASE}{path}"),
        query: query.to_owned(),
        credentials: with_key(SANDBOX_TOKEN),
        body,
        is_json: true,
    }
}

fn with_key(key: &str) -> Credentials {
    Credentials {
        authorization: Some(format!("Bearer {key}")),
        legacy_key: false,
    }
}

fn read(reply: &Reply) -> (u16, Value) {
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
}

fn ask(account: &mut Account, method: &str, path: &str, body: &Value) -> (u16, Value) {
    read(&account.answer(&asked(method, path, body)))
}

fn get(account: &mut Account, path: &str) -> Value {
    let (status, answer) = ask(account, "GET", path, &Value::Null);
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

/// The status and the code of a refusal.
fn refused(account: &mut Account, method: &str, path: &str, body: &Value) -> (u16, String) {
    let (status, answer) = ask(account, method, path, body);
    assert!(status >= 400, "{method} {path} {body}: {answer}");
    (status, answer["code"].as_str().unwrap_or_default().to_owned())
}

fn coded(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn header(reply: &Reply, name: &str) -> Option<String> {
    let headers = reply.headers.as_ref().unwrap();
    headers
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.clone())
}

/// The fields of a site, with others in their place.
fn site(others: &Value) -> Value {
    let mut body = json!({
        "type": "HTTP", "friendlyName": "Site", "url": "https://acme.example/", "interval": 300, "timeout": 30,
    });
    body.as_object_mut()
        .unwrap()
        .extend(others.as_object().unwrap().clone());
    body
}

/// One of many, which have nothing in common.
fn nth(number: usize) -> Value {
    site(&json!({ "friendlyName": format!("Site {number}"), "url": format!("https://{number}.acme.example/") }))
}

/// What was made, as the answer shows it.
fn made(account: &mut Account, path: &str, body: &Value) -> Value {
    let (status, answer) = ask(account, "POST", path, body);
    assert_eq!(status, 201, "{answer}");
    answer
}

fn at(list: &str, made: &Value) -> String {
    format!("{list}/{}", made["id"])
}

/// What a change of a monitor answers.
fn patched(account: &mut Account, monitor: &Value, body: &Value) -> Value {
    let (status, answer) = ask(account, "PATCH", &at(MONITORS, monitor), body);
    assert_eq!(status, 200, "{answer}");
    answer
}

/// What is wrong with a body, one text for each.
fn messages(account: &mut Account, body: &Value) -> Value {
    let (status, answer) = ask(account, "POST", MONITORS, body);
    assert_eq!((status, &answer["statusCode"]), (400, &json!(400)), "{answer}");
    answer["message"].clone()
}

fn free() -> Account {
    let mut account = Account::default();
    account.pay(Paid::Free, 50);
    account
}
