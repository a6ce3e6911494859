//! Rulesets, as a client sees them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod entrypoint;
mod gates;
mod refusals;
mod single;

use serde_json::{Value, json};

use crate::sandbox::Plan;
use crate::sandbox::tests::Desk;

pub(super) const ZONE: &str = "acme.example";
pub(super) const REDIRECTS: &str = "http_request_dynamic_redirect";

impl Desk {
    fn rulesets(&self) -> String {
        format!("zones/{}/rulesets", self.world.zone_id(ZONE).unwrap())
    }

    fn entrypoint(&self, phase: &str) -> String {
        format!("{}/phases/{phase}/entrypoint", self.rulesets())
    }

    /// Replaces the rules of a phase and returns the ruleset.
    fn put(&mut self, phase: &str, rules: &Value) -> Value {
        let path = self.entrypoint(phase);
        let (status, envelope) = self.ask("PUT", &path, &json!({ "rules": rules }));
        assert_eq!(status, 200, "{phase} {rules}: {envelope}");
        envelope["result"].clone()
    }

    /// Where in the body a refusal points, and what it says.
    fn pointed(&mut self, method: &str, path: &str, body: &Value) -> (u16, String, String) {
        let (status, envelope) = self.ask(method, path, body);
        assert_eq!(envelope["success"], false, "{method} {path} {body}: {envelope}");
        let error = &envelope["errors"][0];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (status, text(&error["source"]["pointer"]), text(&error["message"]))
    }
}

/// A redirect of one path.
pub(super) fn redirect(path: &str) -> Value {
    json!({
        "action": "redirect",
        "expression": format!("http.request.uri.path eq \"{path}\""),
        "action_parameters": {
            "from_value": { "target_url": { "value": "https://acme.example/" }, "status_code": 301 },
        },
    })
}

/// The same with another field.
pub(super) fn with(mut rule: Value, key: &str, value: impl Into<Value>) -> Value {
    rule[key] = value.into();
    rule
}

/// What stands in a field of each rule.
pub(super) fn each<'a>(ruleset: &'a Value, key: &str) -> Vec<&'a str> {
    let rules = ruleset["rules"].as_array().unwrap();
    rules.iter().map(|rule| rule[key].as_str().unwrap()).collect()
}

pub(super) fn desk() -> Desk {
    Desk::new(Plan::Free)
}
