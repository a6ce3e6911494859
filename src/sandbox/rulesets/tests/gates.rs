//! What a plan allows, and what a token does.

use serde_json::{Value, json};

use super::{REDIRECTS, ZONE, desk, redirect};
use crate::sandbox::tests::Desk;
use crate::sandbox::{Permission, Plan, TokenOptions};

fn of_phase(phase: &str, expression: &str) -> Value {
    let (action, parameters) = match phase {
        REDIRECTS => return redirect("/a"),
        "http_request_cache_settings" => ("set_cache_settings", json!({ "cache": true })),
        "http_response_headers_transform" => ("rewrite", json!({ "headers": { "x-a": { "operation": "remove" } } })),
        "http_custom_errors" => (
            "serve_error",
            json!({ "content": "gone", "content_type": "text/plain" }),
        ),
        _ => ("block", json!({})),
    };
    json!({ "action": action, "action_parameters": parameters, "expression": expression })
}

#[test]
fn rules_are_counted_by_plan_and_phase() {
    for (phase, plan, quota) in [
        (REDIRECTS, Plan::Free, 10),
        (REDIRECTS, Plan::Pro, 25),
        ("http_request_cache_settings", Plan::Business, 50),
        ("http_request_firewall_custom", Plan::Free, 5),
        ("http_request_firewall_custom", Plan::Pro, 20),
        ("http_response_headers_transform", Plan::Free, 10),
        ("http_custom_errors", Plan::Free, 0),
    ] {
        let mut desk = Desk::new(plan);
        let rules = vec![of_phase(phase, "ssl"); quota];
        desk.put(phase, &json!(rules));
        let one_more = vec![of_phase(phase, "ssl"); quota + 1];
        let path = desk.entrypoint(phase);
        let (status, at, words) = desk.pointed("PUT", &path, &json!({ "rules": one_more }));
        assert_eq!((status, at.as_str()), (400, "/rules"), "{phase} {plan:?}");
        assert!(words.contains(&format!("{} of {quota}", quota + 1)), "{words}");
        let id = desk.world.ruleset(ZONE, phase)["id"].as_str().unwrap().to_owned();
        let rules = format!("{}/{id}/rules", desk.rulesets());
        assert_eq!(desk.pointed("POST", &rules, &of_phase(phase, "ssl")).0, 400);
    }
    // Of transform rules, only those that are on count.
    let mut desk = desk();
    let mut rules = vec![of_phase("http_response_headers_transform", "ssl"); 11];
    rules[3]["enabled"] = json!(false);
    desk.put("http_response_headers_transform", &json!(rules));
}

fn limit(changes: &Value) -> Value {
    let mut limit = json!({
        "characteristics": ["cf.colo.id", "ip.src"], "period": 10, "requests_per_period": 5, "mitigation_timeout": 10,
    });
    for (key, value) in changes.as_object().unwrap() {
        limit[key] = value.clone();
    }
    limit
}

#[test]
fn rate_limits_are_held_to_the_plan() {
    let path_only = r#"http.request.uri.path eq "/login""#;
    let with_host = r#"http.host eq "acme.example" and http.request.uri.path eq "/login""#;
    let point = "/rules/0/ratelimit";
    for (plan, expression, changes, pointer) in [
        (Plan::Free, path_only, json!({}), None),
        (Plan::Free, with_host, json!({}), Some("/rules/0/expression".to_owned())),
        (Plan::Pro, with_host, json!({}), None),
        (
            Plan::Free,
            path_only,
            json!({ "period": 60 }),
            Some(format!("{point}/period")),
        ),
        (
            Plan::Pro,
            path_only,
            json!({ "period": 60, "mitigation_timeout": 3_600 }),
            None,
        ),
        (
            Plan::Pro,
            path_only,
            json!({ "period": 120 }),
            Some(format!("{point}/period")),
        ),
        (
            Plan::Business,
            path_only,
            json!({ "period": 600, "mitigation_timeout": 86_400 }),
            None,
        ),
        (
            Plan::Business,
            path_only,
            json!({ "period": 601 }),
            Some(format!("{point}/period")),
        ),
        (
            Plan::Pro,
            path_only,
            json!({ "mitigation_timeout": 7_200 }),
            Some(format!("{point}/mitigation_timeout")),
        ),
        (
            Plan::Free,
            path_only,
            json!({ "mitigation_timeout": 0 }),
            Some(format!("{point}/mitigation_timeout")),
        ),
        (
            Plan::Enterprise,
            path_only,
            json!({ "period": 11 }),
            Some(format!("{point}/period")),
        ),
        (
            Plan::Enterprise,
            path_only,
            json!({ "period": "10" }),
            Some(format!("{point}/period")),
        ),
        (
            Plan::Pro,
            path_only,
            json!({ "characteristics": ["ip.src"] }),
            Some(format!("{point}/characteristics")),
        ),
        (
            Plan::Free,
            path_only,
            json!({ "characteristics": ["cf.colo.id", "http.host"] }),
            Some(format!("{point}/characteristics")),
        ),
        (
            Plan::Pro,
            path_only,
            json!({ "requests_per_period": 0 }),
            Some(format!("{point}/requests_per_period")),
        ),
        (
            Plan::Pro,
            path_only,
            json!({ "counting_expression": "http.response.code eq 403" }),
            None,
        ),
        (
            Plan::Pro,
            path_only,
            json!({ "counting_expression": "http.response.cod eq 403" }),
            Some(format!("{point}/counting_expression")),
        ),
    ] {
        let mut desk = Desk::new(plan);
        let rule = json!({ "action": "block", "expression": expression, "ratelimit": limit(&changes) });
        let path = desk.entrypoint("http_ratelimit");
        let body = json!({ "rules": [rule] });
        match pointer {
            None => assert_eq!(desk.ask("PUT", &path, &body).0, 200, "{plan:?} {changes}"),
            Some(pointer) => assert_eq!(desk.pointed("PUT", &path, &body).1, pointer, "{plan:?} {changes}"),
        }
    }
}

#[test]
fn a_rate_limit_comes_back_filled_in_and_shuffled() {
    let mut desk = desk();
    let rule = json!({
        "action": "block", "expression": r#"http.request.uri.path eq "/login""#, "ratelimit": limit(&json!({})),
    });
    desk.put("http_ratelimit", &json!([rule]));
    let path = desk.entrypoint("http_ratelimit");
    let (one, two) = (desk.get(&path), desk.get(&path));
    let limit = |answer: &Value| answer["result"]["rules"][0]["ratelimit"].clone();
    assert_ne!(limit(&one)["characteristics"], limit(&two)["characteristics"]);
    assert_eq!(limit(&one)["requests_to_origin"], false);
    assert_eq!(limit(&one)["mitigation_expression"], "");
}

#[test]
fn each_phase_has_permissions_of_its_own() {
    use Permission as P;
    let phases = [
        (REDIRECTS, P::DynamicRedirectsRead, P::DynamicRedirectsWrite),
        (
            "http_request_cache_settings",
            P::CacheSettingsRead,
            P::CacheSettingsWrite,
        ),
        ("http_config_settings", P::ConfigSettingsRead, P::ConfigSettingsWrite),
        ("http_request_transform", P::TransformRulesRead, P::TransformRulesWrite),
        (
            "http_request_late_transform",
            P::TransformRulesRead,
            P::TransformRulesWrite,
        ),
        (
            "http_response_headers_transform",
            P::TransformRulesRead,
            P::TransformRulesWrite,
        ),
        ("http_request_firewall_custom", P::ZoneWafRead, P::ZoneWafWrite),
        ("http_ratelimit", P::ZoneWafRead, P::ZoneWafWrite),
        ("http_request_origin", P::OriginRead, P::OriginWrite),
        ("http_response_compression", P::CompressionRead, P::CompressionWrite),
        ("http_custom_errors", P::CustomErrorsRead, P::CustomErrorsWrite),
    ];
    let mut desk = desk();
    for (phase, ..) in phases {
        desk.put(phase, &json!([]));
    }
    for (phase, read, write) in phases {
        let path = desk.entrypoint(phase);
        let dry = format!("{path}?dry_run=true");
        let other = if read == P::ZoneWafRead {
            P::OriginWrite
        } else {
            P::ZoneWafWrite
        };
        for (permission, expected) in [
            (read, [200, 403]),
            (write, [200, 200]),
            (other, [403, 403]),
            (P::DnsWrite, [403, 403]),
        ] {
            let options = TokenOptions {
                permissions: vec![permission],
                ..TokenOptions::default()
            };
            desk.world.add_token("t", options);
            desk.authorization = Some("Bearer t".to_owned());
            let empty = json!({ "rules": [] });
            let statuses = [desk.ask("GET", &path, &Value::Null).0, desk.ask("PUT", &dry, &empty).0];
            assert_eq!(statuses, expected, "{phase} {permission:?}");
        }
    }
    let options = TokenOptions {
        permissions: vec![P::ZoneWafRead],
        ..TokenOptions::default()
    };
    desk.world.add_token("t", options);
    let listed = desk.get(&desk.rulesets())["result"].as_array().unwrap().len();
    assert_eq!(listed, 2, "a list shows what the token may see");
    let account = format!("accounts/{}/rulesets", crate::sandbox::world::ACCOUNT);
    assert_eq!(desk.refused("GET", &account, &Value::Null), (403, 10000));
}
