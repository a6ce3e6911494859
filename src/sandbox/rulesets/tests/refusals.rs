//! Which rules stand, and where the others are refused.

use serde_json::{Value, json};

use super::{REDIRECTS, desk, redirect, with};
use crate::sandbox::Plan;
use crate::sandbox::tests::Desk;

/// A rule with these parameters that applies to everything.
fn rule(action: &str, parameters: &Value) -> Value {
    json!({ "action": action, "action_parameters": parameters, "expression": "true" })
}

/// Where each rule is refused, beneath `/rules/0`; empty when it stands.
fn check(plan: Plan, cases: &[(&str, Value, &str)]) {
    for (phase, rule, pointer) in cases {
        let mut desk = Desk::new(plan);
        let path = desk.entrypoint(phase);
        let body = json!({ "rules": [rule] });
        if pointer.is_empty() {
            assert_eq!(
                desk.ask("PUT", &path, &body).0,
                200,
                "{rule}: {:?}",
                desk.ask("PUT", &path, &body).1
            );
        } else {
            let (status, at, words) = desk.pointed("PUT", &path, &body);
            assert_eq!((status, at), (400, format!("/rules/0{pointer}")), "{rule}: {words}");
            assert!(!words.is_empty());
        }
    }
}

#[test]
fn each_phase_has_actions_of_its_own() {
    let hsts = json!({ "headers": { "x-a": { "operation": "set", "value": "b" } } });
    check(
        Plan::Pro,
        &[
            (REDIRECTS, redirect("/a"), ""),
            (REDIRECTS, rule("block", &json!({})), "/action"),
            (
                "http_request_transform",
                rule("rewrite", &json!({ "uri": { "path": { "value": "/b" } } })),
                "",
            ),
            (
                "http_request_transform",
                rule("rewrite", &hsts),
                "/action_parameters/headers",
            ),
            ("http_request_late_transform", rule("rewrite", &hsts), ""),
            ("http_response_headers_transform", rule("rewrite", &hsts), ""),
            (
                "http_response_headers_transform",
                rule("rewrite", &json!({ "uri": { "path": { "value": "/b" } } })),
                "/action_parameters/uri",
            ),
            (
                "http_config_settings",
                rule("set_config", &json!({ "ssl": "full", "bic": true })),
                "",
            ),
            (
                "http_request_origin",
                rule("route", &json!({ "origin": { "port": 8443 } })),
                "",
            ),
            (
                "http_request_firewall_custom",
                rule("managed_challenge", &json!({})),
                "",
            ),
            (
                "http_request_firewall_custom",
                rule("skip", &json!({ "ruleset": "current" })),
                "",
            ),
            ("http_request_firewall_custom", rule("log", &json!({})), "/action"),
            ("http_request_firewall_custom", rule("redirect", &json!({})), "/action"),
            (
                "http_request_cache_settings",
                rule("set_cache_settings", &json!({ "cache": false })),
                "",
            ),
            (
                "http_response_compression",
                rule("compress_response", &json!({ "algorithms": [{ "name": "zstd" }] })),
                "",
            ),
            (
                "http_custom_errors",
                rule(
                    "serve_error",
                    &json!({ "content": "x", "content_type": "text/html", "status_code": 503 }),
                ),
                "",
            ),
            (
                "http_response_cache_settings",
                rule("set_cache_settings", &json!({ "cache": true })),
                "/action",
            ),
        ],
    );
    check(
        Plan::Enterprise,
        &[("http_request_firewall_custom", rule("log", &json!({})), "")],
    );
}

#[test]
fn a_rule_holds_what_it_must_and_nothing_else() {
    check(
        Plan::Free,
        &[
            (REDIRECTS, json!({}), "/action"),
            (REDIRECTS, with(redirect("/a"), "expression", ""), "/expression"),
            (REDIRECTS, with(redirect("/a"), "expression", "(ssl"), "/expression"),
            (
                REDIRECTS,
                with(redirect("/a"), "expression", "http.host matches \"a\""),
                "/expression",
            ),
            (
                REDIRECTS,
                with(redirect("/a"), "expression", "http.host in $nothing"),
                "/expression",
            ),
            (
                REDIRECTS,
                with(
                    redirect("/a"),
                    "expression",
                    format!("http.host eq \"{}\"", "a".repeat(4_096)),
                ),
                "/expression",
            ),
            (REDIRECTS, with(redirect("/a"), "enabled", "yes"), "/enabled"),
            (REDIRECTS, with(redirect("/a"), "description", 1), "/description"),
            (
                REDIRECTS,
                with(redirect("/a"), "position", json!({ "index": 1 })),
                "/position",
            ),
            (REDIRECTS, with(redirect("/a"), "status", 301), "/status"),
            (REDIRECTS, with(redirect("/a"), "ratelimit", json!({})), "/ratelimit"),
            ("http_ratelimit", rule("block", &json!({})), "/ratelimit"),
            // What only the server says is read past.
            (
                REDIRECTS,
                with(with(redirect("/a"), "version", "7"), "last_updated", "yesterday"),
                "",
            ),
        ],
    );
    let mut desk = desk();
    let path = desk.entrypoint(REDIRECTS);
    assert_eq!(desk.pointed("PUT", &path, &json!({ "rules": ["rule"] })).1, "/rules/0");
    assert_eq!(desk.pointed("PUT", &path, &json!({ "rules": {} })).1, "/rules");
    assert_eq!(desk.pointed("PUT", &path, &json!({ "rule": [] })).1, "/rule");
    assert_eq!(desk.refused("PUT", &path, &json!([])), (400, 9207));
    // The second rule is blamed where the second is wrong.
    let second = json!({ "rules": [redirect("/a"), with(redirect("/b"), "expression", "x")] });
    assert_eq!(desk.pointed("PUT", &path, &second).1, "/rules/1/expression");
}

#[test]
fn a_redirect_goes_to_one_place() {
    let to = |value: Value| rule("redirect", &value);
    let target = json!({ "value": "https://acme.example/" });
    let point = "/action_parameters/from_value";
    let mut cases = vec![
        (REDIRECTS, to(json!({})), "/action_parameters".to_owned()),
        (
            REDIRECTS,
            to(json!({ "from_list": { "name": "old", "key": "http.request.full_uri" } })),
            "/action_parameters/from_list".to_owned(),
        ),
        (
            REDIRECTS,
            to(json!({ "from_value": { "target_url": target } })),
            format!("{point}/status_code"),
        ),
        (
            REDIRECTS,
            to(json!({ "from_value": { "status_code": 301 } })),
            format!("{point}/target_url"),
        ),
        (
            REDIRECTS,
            to(json!({ "from_value": { "status_code": 301, "target_url": { "value": "/path" } } })),
            format!("{point}/target_url/value"),
        ),
        (
            REDIRECTS,
            to(
                json!({ "from_value": { "status_code": 301, "target_url": { "value": "https://a.example", "expression": "http.host" } } }),
            ),
            format!("{point}/target_url"),
        ),
        (
            REDIRECTS,
            to(json!({ "from_value": { "status_code": 301, "target_url": { "expression": "http.hots" } } })),
            format!("{point}/target_url/expression"),
        ),
        (
            REDIRECTS,
            to(
                json!({ "from_value": { "status_code": 301, "target_url": { "expression": "regex_replace(http.host, \"a\", \"b\")" } } }),
            ),
            format!("{point}/target_url/expression"),
        ),
        (
            REDIRECTS,
            to(
                json!({ "from_value": { "status_code": 308, "preserve_query_string": true, "target_url": {
                "expression": "wildcard_replace(http.request.full_uri, r\"https://www.acme.example/*\", r\"https://acme.example/${1}\")"
            } } }),
            ),
            String::new(),
        ),
    ];
    for (status, stands) in [
        (301, true),
        (302, true),
        (303, true),
        (307, true),
        (308, true),
        (300, false),
        (404, false),
    ] {
        let pointer = if stands {
            String::new()
        } else {
            format!("{point}/status_code")
        };
        cases.push((
            REDIRECTS,
            to(json!({ "from_value": { "target_url": target, "status_code": status } })),
            pointer,
        ));
    }
    let cases: Vec<(&str, Value, &str)> = cases
        .iter()
        .map(|(phase, rule, at)| (*phase, rule.clone(), at.as_str()))
        .collect();
    check(Plan::Free, &cases);
}

#[test]
fn parameters_are_held_to_their_lists_and_bounds() {
    let cache = |value: Value| rule("set_cache_settings", &value);
    let block = |status: i64| {
        rule(
            "block",
            &json!({ "response": { "status_code": status, "content": "no", "content_type": "text/plain" } }),
        )
    };
    let (caching, waf) = ("http_request_cache_settings", "http_request_firewall_custom");
    let headers = "http_response_headers_transform";
    let header = |value: Value| rule("rewrite", &json!({ "headers": { "x-a": value } }));
    check(
        Plan::Pro,
        &[
            (caching, cache(json!({})), "/action_parameters"),
            (caching, cache(json!({ "cahce": true })), "/action_parameters/cahce"),
            (
                caching,
                cache(json!({ "edge_ttl": { "mode": "override_origin", "default": 60 } })),
                "",
            ),
            (
                caching,
                cache(json!({ "edge_ttl": { "mode": "override_origin" } })),
                "/action_parameters/edge_ttl/default",
            ),
            (
                caching,
                cache(json!({ "edge_ttl": { "mode": "bypass" } })),
                "/action_parameters/edge_ttl/mode",
            ),
            (caching, cache(json!({ "browser_ttl": { "mode": "bypass" } })), ""),
            (
                caching,
                cache(json!({ "browser_ttl": { "mode": "override_origin", "default": -1 } })),
                "/action_parameters/browser_ttl/default",
            ),
            (
                caching,
                cache(
                    json!({ "edge_ttl": { "mode": "respect_origin", "status_code_ttl": [{ "status_code": 404, "value": 0 }] } }),
                ),
                "/action_parameters/edge_ttl/status_code_ttl",
            ),
            (
                caching,
                cache(json!({ "cache_key": { "custom_key": { "host": { "resolved": true } } } })),
                "/action_parameters/cache_key/custom_key/host",
            ),
            (
                caching,
                cache(json!({ "read_timeout": 900 })),
                "/action_parameters/read_timeout",
            ),
            (waf, block(400), ""),
            (waf, block(499), ""),
            (waf, block(399), "/action_parameters/response/status_code"),
            (waf, block(500), "/action_parameters/response/status_code"),
            (waf, rule("challenge", &json!({ "response": {} })), "/action_parameters"),
            (
                waf,
                rule("skip", &json!({ "products": ["waf", "toaster"] })),
                "/action_parameters/products/1",
            ),
            (headers, header(json!({ "operation": "set", "value": "b" })), ""),
            (
                headers,
                header(json!({ "operation": "set" })),
                "/action_parameters/headers/x-a",
            ),
            (
                headers,
                header(json!({ "operation": "remove", "value": "b" })),
                "/action_parameters/headers/x-a/value",
            ),
            (
                headers,
                header(json!({ "operation": "append", "value": "b" })),
                "/action_parameters/headers/x-a/operation",
            ),
            (
                headers,
                header(json!({ "operation": "set", "expression": "to_string(http.response.code)" })),
                "",
            ),
            (
                headers,
                rule("rewrite", &json!({ "headers": { "x a": { "operation": "remove" } } })),
                "/action_parameters/headers/x a",
            ),
            (
                "http_config_settings",
                rule("set_config", &json!({ "ssl": "none" })),
                "/action_parameters/ssl",
            ),
            (
                "http_config_settings",
                rule("set_config", &json!({ "disable_rum": false })),
                "/action_parameters/disable_rum",
            ),
            (
                "http_config_settings",
                rule("set_config", &json!({ "colour": "red" })),
                "/action_parameters/colour",
            ),
            (
                "http_request_origin",
                rule("route", &json!({ "origin": { "port": 0 } })),
                "/action_parameters/origin/port",
            ),
            (
                "http_response_compression",
                rule("compress_response", &json!({ "algorithms": [] })),
                "/action_parameters/algorithms",
            ),
        ],
    );
    check(
        Plan::Enterprise,
        &[
            (
                caching,
                cache(json!({ "edge_ttl": { "mode": "respect_origin", "status_code_ttl": [
                    { "status_code": 404, "value": 0 }, { "status_code_range": { "from": 500, "to": 599 }, "value": -1 }
                ] } })),
                "",
            ),
            (
                caching,
                cache(json!({ "edge_ttl": { "mode": "respect_origin", "status_code_ttl": [
                    { "status_code_range": { "from": 599, "to": 500 }, "value": -1 }
                ] } })),
                "/action_parameters/edge_ttl/status_code_ttl/0/status_code_range/to",
            ),
            (
                caching,
                cache(json!({ "read_timeout": 99 })),
                "/action_parameters/read_timeout",
            ),
        ],
    );
}
