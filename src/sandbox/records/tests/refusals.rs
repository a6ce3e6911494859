//! What is refused, and with which code.

use serde_json::{Value, json};

use super::{batch, post};
use crate::sandbox::Plan;
use crate::sandbox::tests::Desk;

#[test]
fn everything_else_is_refused_with_its_code() {
    let mut desk = Desk::new(Plan::Free);
    let path = desk.records();
    for there in [
        json!({"type": "A", "name": "a", "content": "192.0.2.1", "ttl": 300}),
        json!({"type": "CNAME", "name": "c", "content": "x.example"}),
        json!({"type": "NS", "name": "n", "content": "ns.host.example"}),
        json!({"type": "TXT", "name": "t", "content": "one"}),
        json!({"type": "MX", "name": "m", "content": "mx.host.example", "priority": 1}),
    ] {
        post(&mut desk, &there);
    }
    let start = desk.world.records("acme.example");
    let a = |field: &str, value: Value| {
        let mut record = json!({"type": "A", "name": "z", "content": "192.0.2.7"});
        record[field] = value;
        record
    };
    let txt = |content: String| json!({"type": "TXT", "name": "z", "content": content});
    let srv = |data: Value| json!({"type": "SRV", "name": "_a._tcp", "data": data});
    for (record, code) in [
        (json!({"type": "A", "name": "c", "content": "192.0.2.1"}), 81054),
        (
            json!({"type": "AAAA", "name": "C.acme.example.", "content": "::2"}),
            81054,
        ),
        (json!({"type": "CNAME", "name": "a", "content": "x.example"}), 81053),
        (json!({"type": "CNAME", "name": "c", "content": "x.example"}), 81053),
        (json!({"type": "TXT", "name": "n", "content": "x"}), 81056),
        (json!({"type": "NS", "name": "t", "content": "ns.host.example"}), 81055),
        (
            json!({"type": "A", "name": "a", "content": "192.0.2.1", "ttl": 300}),
            81058,
        ),
        (json!({"type": "A", "name": "a", "content": "192.0.2.1"}), 81057),
        (json!({"type": "TXT", "name": "t", "content": "\"one\""}), 81057),
        (
            json!({"type": "MX", "name": "m", "content": "MX.host.example", "priority": 2}),
            81057,
        ),
        (
            json!({"type": "NS", "name": "@", "content": "ada.ns.cloudflare.com"}),
            1004,
        ),
        (
            json!({"type": "DS", "name": "t", "data": {"key_tag": 1, "algorithm": 13, "digest_type": 2, "digest": "ab"}}),
            1004,
        ),
        (a("name", json!("a..b")), 9000),
        (a("name", json!("www.other.test.")), 9000),
        (a("name", Value::Null), 9000),
        (a("name", json!("x y")), 9000),
        (a("type", json!("SPF")), 9002),
        (a("type", json!("SOA")), 9002),
        (a("type", Value::Null), 9002),
        (a("content", json!("192.0.2")), 9005),
        (a("content", json!("2001:db8::1")), 9005),
        (a("content", Value::Null), 9005),
        (json!({"type": "AAAA", "name": "z", "content": "192.0.2.1"}), 9006),
        (
            json!({"type": "CNAME", "name": "z", "content": "z.acme.example."}),
            9007,
        ),
        (json!({"type": "CNAME", "name": "z", "content": "."}), 9007),
        (json!({"type": "CNAME", "name": "z", "content": "a b"}), 9007),
        (json!({"type": "OPENPGPKEY", "name": "z", "content": "!"}), 9007),
        (json!({"type": "MX", "name": "z", "content": "mx.host.example"}), 1004),
        (
            json!({"type": "MX", "name": "z", "content": "mx.host.example", "priority": 65536}),
            9207,
        ),
        (txt("\"a\" b\"".to_owned()), 9007),
        (txt(String::new()), 9007),
        (txt("a\nb".to_owned()), 9007),
        (txt("x".repeat(4_081)), 9015),
        (a("ttl", json!(59)), 9021),
        (a("ttl", json!(86_401)), 9021),
        (a("ttl", json!(-1)), 9021),
        (a("ttl", json!(0)), 9021),
        (a("ttl", json!("300")), 9207),
        (a("proxied", json!("yes")), 9207),
        (a("tags", json!(["team:a"])), 9300),
        (a("comment", json!("x".repeat(101))), 1004),
        (a("comment", json!("a\nb")), 1004),
        (a("settings", json!({"ipv4_only": true})), 1004),
        (a("settings", json!({"unheard_of": false})), 1004),
        (
            json!({"type": "CNAME", "name": "z", "content": "x.example", "settings": {"flatten_cname": true}}),
            1004,
        ),
        (
            json!({"type": "TXT", "name": "z", "content": "x", "proxied": true}),
            9004,
        ),
        (
            json!({"type": "A", "name": "z", "content": "10.0.0.1", "proxied": true}),
            9003,
        ),
        (
            json!({"type": "AAAA", "name": "z", "content": "fd00::1", "proxied": true}),
            9003,
        ),
        (srv(json!({"priority": 1, "weight": 2, "port": 3})), 9101),
        (
            srv(json!({"priority": 1, "weight": 2, "port": 3, "target": "x.example", "service": "_a"})),
            1004,
        ),
        (
            srv(json!({"priority": 1, "weight": 2, "port": 3, "target": "x.example", "proto": "_tcp"})),
            1004,
        ),
        (
            srv(json!({"priority": 1, "weight": 2, "port": 3, "target": "x.example", "name": "acme.example"})),
            1004,
        ),
        (
            srv(json!({"priority": 1, "weight": 2, "port": 65536, "target": "x.example"})),
            9007,
        ),
        (
            json!({"type": "SRV", "name": "sip", "data": {"priority": 1, "weight": 2, "port": 3, "target": "x.example"}}),
            9000,
        ),
        (
            json!({"type": "SRV", "name": "_a._tcp", "content": "1 2 3 x.example"}),
            9101,
        ),
        (
            json!({"type": "URI", "name": "z", "data": {"weight": 1, "target": "https://x/"}}),
            1004,
        ),
        (
            json!({"type": "HTTPS", "name": "z", "data": {"priority": 1, "target": ".", "value": "nonsense=1"}}),
            9007,
        ),
        (
            json!({"type": "TLSA", "name": "z", "data": {"usage": 3, "selector": 1, "matching_type": 1, "certificate": "abc"}}),
            9007,
        ),
        (
            json!({"type": "LOC", "name": "z", "data": {"lat_degrees": 90, "lat_minutes": 1, "lat_direction": "N", "long_degrees": 0, "long_direction": "W"}}),
            9007,
        ),
    ] {
        assert_eq!(desk.refused("POST", &path, &record), (400, code), "{record}");
    }
    assert_eq!(desk.world.records("acme.example"), start);
}

#[test]
fn what_may_stand_together_stands_together() {
    let mut desk = Desk::new(Plan::Free);
    for record in [
        json!({"type": "NS", "name": "@", "content": "ns.other.example"}),
        json!({"type": "CNAME", "name": "@", "content": "x.example"}),
        json!({"type": "TXT", "name": "@", "content": "one"}),
        json!({"type": "TXT", "name": "@", "content": "two"}),
        json!({"type": "MX", "name": "@", "content": "mx1.host.example", "priority": 1}),
        json!({"type": "MX", "name": "@", "content": "mx2.host.example", "priority": 1}),
        json!({"type": "A", "name": "a", "content": "192.0.2.1"}),
        json!({"type": "A", "name": "a", "content": "192.0.2.2"}),
        json!({"type": "AAAA", "name": "a", "content": "2001:db8::1"}),
        json!({"type": "SRV", "name": "_a._tcp", "data": {"priority": 1, "weight": 2, "port": 3, "target": "x.example"}}),
        json!({"type": "SRV", "name": "_a._tcp", "data": {"priority": 2, "weight": 2, "port": 3, "target": "x.example"}}),
    ] {
        post(&mut desk, &record);
    }
    assert_eq!(desk.world.records("acme.example").len(), 11);
}

#[test]
fn what_email_routing_keeps_is_not_edited() {
    let mut desk = Desk::new(Plan::Free);
    let id = desk.world.force_record(
        "acme.example",
        json!({"type": "MX", "name": "acme.example",
        "content": "route1.mx.cloudflare.net", "priority": 7, "meta": {"email_routing": true, "read_only": true}}),
    );
    let path = format!("{}/{id}", desk.records());
    let shown = desk.get(&path)["result"].clone();
    assert_eq!(
        (&shown["meta"]["read_only"], &shown["priority"]),
        (&json!(true), &json!(7))
    );
    assert_eq!(desk.refused("DELETE", &path, &Value::Null).0, 400);
    assert_eq!(desk.refused("PATCH", &path, &json!({"ttl": 300})).0, 400);
    assert_eq!(batch(&mut desk, &json!({ "deletes": [{ "id": id }] })).0, 400);
    // What no request could make can be forced too.
    desk.world.force_record(
        "acme.example",
        json!({"type": "NEW", "name": "acme.example", "content": "?"}),
    );
    assert_eq!(desk.world.records("acme.example")[1]["type"], "NEW");
    assert!(desk.world.remove_record("acme.example", &id));
    assert!(!desk.world.remove_record("acme.example", &id));
    assert_eq!(desk.world.records("acme.example").len(), 1);
}
