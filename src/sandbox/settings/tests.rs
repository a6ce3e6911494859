//! Settings, as a client sees them.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use serde_json::{Value, json};

use super::ids::SETTINGS;
use crate::sandbox::tests::Desk;
use crate::sandbox::{Permission, Plan, TokenOptions};

const ZONE: &str = "acme.example";

fn path(desk: &Desk, id: &str) -> String {
    format!("zones/{}/settings/{id}", desk.world.zone_id(ZONE).unwrap())
}

/// The setting as it is read.
fn read(desk: &mut Desk, id: &str) -> Value {
    let path = path(desk, id);
    desk.get(&path)["result"].clone()
}

/// Writes a value: the code of a refusal, or what came back.
fn write(desk: &mut Desk, id: &str, value: &Value) -> Result<Value, u64> {
    let path = path(desk, id);
    let (status, envelope) = desk.ask("PATCH", &path, &json!({ "value": value }));
    match status {
        200 => Ok(envelope["result"]["value"].clone()),
        _ => Err(envelope["errors"][0]["code"].as_u64().unwrap()),
    }
}

#[test]
fn a_setting_is_read_and_written_by_its_id() {
    let mut desk = Desk::new(Plan::Free);
    let untouched = json!({ "id": "http3", "value": "off", "editable": true, "modified_on": null });
    assert_eq!(read(&mut desk, "http3"), untouched);
    assert_eq!(write(&mut desk, "http3", &json!("on")), Ok(json!("on")));
    let touched = read(&mut desk, "http3");
    assert_eq!(
        (&touched["value"], touched["modified_on"].is_string()),
        (&json!("on"), true)
    );
    assert_eq!(write(&mut desk, "warp_speed", &json!("on")), Err(1006));
    let nowhere = path(&desk, "warp_speed");
    let (status, envelope) = desk.ask("GET", &nowhere, &Value::Null);
    let words = "Unrecognized zone setting name: warp_speed";
    assert_eq!((status, &envelope["errors"][0]["message"]), (400, &json!(words)));
    let there = path(&desk, "http3");
    assert_eq!(desk.refused("PATCH", &there, &json!({})), (400, 1004));
    assert_eq!(desk.refused("PUT", &there, &json!({ "value": "on" })), (405, 10000));
}

#[test]
fn values_are_held_to_type_list_and_plan() {
    let cases: &[(&str, Plan, Value, Result<Value, u64>)] = &[
        ("ssl", Plan::Free, json!("strict"), Ok(json!("strict"))),
        ("ssl", Plan::Free, json!("origin_pull"), Err(1007)),
        ("ssl", Plan::Enterprise, json!("origin_pull"), Ok(json!("origin_pull"))),
        ("ssl", Plan::Free, json!("Strict"), Err(1007)),
        ("min_tls_version", Plan::Free, json!("1.2"), Ok(json!("1.2"))),
        ("min_tls_version", Plan::Free, json!(1.2), Err(1007)),
        ("always_use_https", Plan::Free, json!(true), Err(1007)),
        ("browser_cache_ttl", Plan::Free, json!(0), Ok(json!(0))),
        ("browser_cache_ttl", Plan::Free, json!("14400"), Err(1007)),
        ("browser_cache_ttl", Plan::Free, json!(14_401), Err(1007)),
        ("edge_cache_ttl", Plan::Free, json!(3_600), Err(1007)),
        ("edge_cache_ttl", Plan::Pro, json!(3_600), Ok(json!(3_600))),
        ("max_upload", Plan::Business, json!(200), Ok(json!(200))),
        ("max_upload", Plan::Pro, json!(200), Err(1007)),
        ("http2", Plan::Free, json!("off"), Err(1007)),
        ("http2", Plan::Pro, json!("off"), Ok(json!("off"))),
        ("ipv6", Plan::Business, json!("off"), Err(1007)),
        ("security_level", Plan::Pro, json!("off"), Err(1007)),
        ("polish", Plan::Free, json!("lossy"), Err(1057)),
        ("polish", Plan::Pro, json!("lossy"), Ok(json!("lossy"))),
        ("proxy_read_timeout", Plan::Business, json!(200), Err(1057)),
        ("proxy_read_timeout", Plan::Enterprise, json!(6_001), Err(1007)),
        ("ciphers", Plan::Pro, json!([]), Err(1057)),
        ("advanced_ddos", Plan::Enterprise, json!("off"), Err(1057)),
        ("mirage", Plan::Enterprise, json!("off"), Err(1057)),
        (
            "nel",
            Plan::Free,
            json!({ "enabled": false }),
            Ok(json!({ "enabled": false })),
        ),
        ("nel", Plan::Free, json!({ "enabled": "no" }), Err(1007)),
        ("ssl_automatic_mode", Plan::Free, json!("custom"), Ok(json!("custom"))),
        ("ssl_automatic_mode", Plan::Free, json!("off"), Err(1007)),
    ];
    for (id, plan, value, expected) in cases {
        let mut desk = Desk::new(*plan);
        let before = read(&mut desk, id);
        assert_eq!(write(&mut desk, id, value), *expected, "{id} {plan:?} {value}");
        let after = read(&mut desk, id);
        match expected {
            Ok(shown) => assert_eq!(after["value"], *shown),
            Err(_) => assert_eq!(after, before, "{id}: a refusal changed something"),
        }
        assert_eq!(before["editable"], *expected != Err(1057), "{id} {plan:?}");
    }
}

#[test]
fn what_a_zone_starts_with_is_what_it_would_accept() {
    for plan in [Plan::Free, Plan::Pro, Plan::Business, Plan::Enterprise] {
        let mut desk = Desk::new(plan);
        for setting in SETTINGS {
            let shown = read(&mut desk, setting.id);
            if shown["editable"] == json!(true) {
                assert_eq!(
                    write(&mut desk, setting.id, &shown["value"]),
                    Ok(shown["value"].clone()),
                    "{}",
                    setting.id
                );
            }
        }
    }
}

#[test]
fn hsts_needs_its_wrapper_and_is_filled_in() {
    let mut desk = Desk::new(Plan::Free);
    let bare = json!({ "enabled": true, "max_age": 3_600 });
    assert_eq!(write(&mut desk, "security_header", &bare), Err(1007));
    let whole = json!({ "strict_transport_security": {
        "enabled": true, "max_age": 3_600, "include_subdomains": false, "preload": false, "nosniff": false,
    }});
    let wrapped = json!({ "strict_transport_security": bare });
    assert_eq!(write(&mut desk, "security_header", &wrapped), Ok(whole));
    for inner in [
        json!({ "max_age": "3600" }),
        json!({ "max_age": -1 }),
        json!({ "preload": "on" }),
        json!({ "subdomains": true }),
        json!([]),
    ] {
        let wrapped = json!({ "strict_transport_security": inner });
        assert_eq!(write(&mut desk, "security_header", &wrapped), Err(1007), "{inner}");
    }
}

#[test]
fn tls_1_3_shows_what_0rtt_makes_of_it() {
    let mut desk = Desk::new(Plan::Free);
    assert_eq!(read(&mut desk, "tls_1_3")["value"], "on");
    assert_eq!(write(&mut desk, "0rtt", &json!("on")), Ok(json!("on")));
    assert_eq!(read(&mut desk, "tls_1_3")["value"], "zrt");
    assert_eq!(write(&mut desk, "tls_1_3", &json!("on")), Ok(json!("zrt")));
    assert_eq!(write(&mut desk, "tls_1_3", &json!("off")), Ok(json!("off")));
    assert_eq!(write(&mut desk, "0rtt", &json!("off")), Ok(json!("off")));
    assert_eq!(write(&mut desk, "tls_1_3", &json!("zrt")), Ok(json!("zrt")));
    assert_eq!(read(&mut desk, "0rtt")["value"], "on");
}

#[test]
fn development_mode_ends_by_itself() {
    let mut desk = Desk::new(Plan::Free);
    assert_eq!(read(&mut desk, "development_mode")["time_remaining"], false);
    write(&mut desk, "development_mode", &json!("on")).unwrap();
    desk.world.pass(Duration::from_secs(3_600));
    let shown = read(&mut desk, "development_mode");
    assert_eq!(shown["value"], "on");
    assert!(
        (7_190..=7_200).contains(&shown["time_remaining"].as_i64().unwrap()),
        "{shown}"
    );
    desk.world.pass(Duration::from_secs(7_200));
    let shown = read(&mut desk, "development_mode");
    assert_eq!((&shown["value"], &shown["time_remaining"]), (&json!("off"), &json!(0)));
}

#[test]
fn the_automatic_mode_raises_ssl_when_it_is_told_to() {
    let mut desk = Desk::new(Plan::Free);
    write(&mut desk, "ssl", &json!("flexible")).unwrap();
    assert_eq!(read(&mut desk, "ssl")["value"], "flexible");
    desk.world.drift_ssl(true);
    let climbed: Vec<Value> = (0..3).map(|_| read(&mut desk, "ssl")["value"].clone()).collect();
    assert_eq!(climbed, ["full", "strict", "strict"]);
    assert!(read(&mut desk, "ssl_automatic_mode")["next_scheduled_scan"].is_string());
    write(&mut desk, "ssl_automatic_mode", &json!("custom")).unwrap();
    write(&mut desk, "ssl", &json!("full")).unwrap();
    assert_eq!(read(&mut desk, "ssl")["value"], "full");
    assert_eq!(read(&mut desk, "ssl")["validation_errors"], json!([]));
}

#[test]
fn all_at_once_is_gone_unless_it_is_wanted() {
    let mut desk = Desk::new(Plan::Free);
    let all = format!("zones/{}/settings", desk.world.zone_id(ZONE).unwrap());
    assert_eq!(desk.refused("GET", &all, &Value::Null), (404, 7000));
    desk.world.serve_bulk_settings(true);
    let count = desk.get(&all)["result"].as_array().unwrap().len();
    assert_eq!(count, SETTINGS.len() - 1);
    assert_eq!(desk.refused("PATCH", &all, &json!({ "items": [] })), (400, 1004));
    let half = json!({ "items": [{ "id": "http3", "value": "on" }, { "id": "brotli", "value": 1 }] });
    assert_eq!(desk.refused("PATCH", &all, &half), (400, 1007));
    assert_eq!(desk.world.setting(ZONE, "http3"), Some(json!("off")));
    let whole = json!({ "items": [{ "id": "http3", "value": "on" }, { "id": "brotli", "value": "off" }] });
    assert_eq!(desk.ask("PATCH", &all, &whole).0, 200);
    assert_eq!(desk.world.setting(ZONE, "http3"), Some(json!("on")));
}

#[test]
fn tests_set_settings_lock_them_and_look_at_them() {
    let mut desk = Desk::new(Plan::Pro);
    desk.world.put_setting(ZONE, "polish", "lossless");
    assert_eq!(read(&mut desk, "polish")["value"], "lossless");
    desk.world.lock_setting(ZONE, "polish");
    assert_eq!(read(&mut desk, "polish")["editable"], false);
    assert_eq!(write(&mut desk, "polish", &json!("off")), Err(1057));
    assert_eq!(desk.world.setting(ZONE, "polish"), Some(json!("lossless")));
    assert_eq!(desk.world.setting(ZONE, "nonsense"), None);
    assert_eq!(desk.world.setting("shop.example", "polish"), None);
}

#[test]
fn settings_have_permissions_of_their_own() {
    use Permission::{DnsWrite, SslRead, SslWrite, ZoneSettingsRead, ZoneSettingsWrite, ZoneWrite};
    let mut desk = Desk::new(Plan::Free);
    let (one, automatic) = (path(&desk, "http3"), path(&desk, "ssl_automatic_mode"));
    let cases = [
        (ZoneSettingsRead, [200, 403, 200, 403]),
        (ZoneSettingsWrite, [200, 200, 200, 200]),
        (SslRead, [403, 403, 200, 403]),
        (SslWrite, [403, 403, 200, 200]),
        (ZoneWrite, [403; 4]),
        (DnsWrite, [403; 4]),
    ];
    for (permission, expected) in cases {
        let options = TokenOptions {
            permissions: vec![permission],
            ..TokenOptions::default()
        };
        desk.world.add_token("t", options);
        desk.authorization = Some("Bearer t".to_owned());
        let statuses = [
            desk.ask("GET", &one, &Value::Null).0,
            desk.ask("PATCH", &one, &json!({ "value": "on" })).0,
            desk.ask("GET", &automatic, &Value::Null).0,
            desk.ask("PATCH", &automatic, &json!({ "value": "auto" })).0,
        ];
        assert_eq!(statuses, expected, "{permission:?}");
    }
}
