//! What comes back of what was written.

use serde_json::{Value, json};

use super::{path_of, post};
use crate::sandbox::Plan;
use crate::sandbox::tests::Desk;

#[test]
fn what_is_written_comes_back_normalised() {
    let long = format!("\"{}\"", "a".repeat(300));
    let split = format!("\"{}\" \"{}\"", "a".repeat(255), "a".repeat(45));
    let mut desk = Desk::new(Plan::Pro);
    for (sent, field, kept) in [
        (
            json!({"type": "A", "name": "@", "content": "192.0.2.1"}),
            "/name",
            json!("acme.example"),
        ),
        (
            json!({"type": "A", "name": "WWW", "content": "192.0.2.1"}),
            "/name",
            json!("www.acme.example"),
        ),
        (
            json!({"type": "A", "name": "a.acme.example.", "content": "192.0.2.1"}),
            "/name",
            json!("a.acme.example"),
        ),
        (
            json!({"type": "A", "name": "bücher", "content": "192.0.2.1"}),
            "/name",
            json!("xn--bcher-kva.acme.example"),
        ),
        (
            json!({"type": "A", "name": "*.p", "content": "192.0.2.1"}),
            "/name",
            json!("*.p.acme.example"),
        ),
        (
            json!({"type": "A", "name": "ttl", "content": "192.0.2.1"}),
            "/ttl",
            json!(1),
        ),
        (
            json!({"type": "A", "name": "ttl2", "content": "192.0.2.1", "ttl": 300.0}),
            "/ttl",
            json!(300),
        ),
        (
            json!({"type": "A", "name": "px", "content": "192.0.2.1", "ttl": 300, "proxied": true}),
            "/ttl",
            json!(1),
        ),
        (
            json!({"type": "AAAA", "name": "six", "content": "2001:DB8:0:0::1"}),
            "/content",
            json!("2001:db8::1"),
        ),
        (
            json!({"type": "CNAME", "name": "c", "content": "Host.Example."}),
            "/content",
            json!("Host.Example"),
        ),
        (
            json!({"type": "CNAME", "name": "c2", "content": "@"}),
            "/content",
            json!("acme.example"),
        ),
        (
            json!({"type": "MX", "name": "m", "content": "mx.host.example.", "priority": 10}),
            "/content",
            json!("mx.host.example"),
        ),
        (
            json!({"type": "MX", "name": "m2", "content": ".", "priority": 0}),
            "/priority",
            json!(0),
        ),
        (
            json!({"type": "TXT", "name": "t", "content": "v=spf1 -all"}),
            "/content",
            json!("v=spf1 -all"),
        ),
        (
            json!({"type": "TXT", "name": "t2", "content": "\"a \\\" b\""}),
            "/content",
            json!("\"a \\\" b\""),
        ),
        (
            json!({"type": "TXT", "name": "t3", "content": long}),
            "/content",
            json!(split),
        ),
        (
            json!({"type": "TXT", "name": "t4", "content": "x".repeat(600)}),
            "/content",
            json!("x".repeat(600)),
        ),
        (
            json!({"type": "A", "name": "cm", "content": "192.0.2.1", "comment": ""}),
            "/comment",
            Value::Null,
        ),
        (
            json!({"type": "A", "name": "tg", "content": "192.0.2.1"}),
            "/tags",
            json!([]),
        ),
        (
            json!({"type": "A", "name": "id", "content": "192.0.2.1", "id": "mine", "created_on": "x"}),
            "/meta",
            json!({}),
        ),
    ] {
        let made = post(&mut desk, &sent);
        assert_eq!(made.pointer(field), Some(&kept), "{sent}");
        let id = made["id"].as_str().unwrap();
        assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()));
        let path = path_of(&desk, &made);
        assert_eq!(desk.get(&path)["result"].pointer(field), Some(&kept), "{sent}");
    }
}

#[test]
fn data_is_kept_and_content_derived_from_it() {
    let mut desk = Desk::new(Plan::Free);
    let hex = "0123456789abcdef";
    post(
        &mut desk,
        &json!({"type": "NS", "name": "sub", "content": "ns.host.example"}),
    );
    for (kind, name, extra, data, content) in [
        (
            "SRV",
            "_sip._tcp",
            json!({}),
            json!({"priority": 10, "weight": 5, "port": 5060, "target": "sip.acme.example."}),
            "5 5060 sip.acme.example",
        ),
        (
            "CAA",
            "caa",
            json!({}),
            json!({"flags": "128", "tag": "issue", "value": "letsencrypt.org"}),
            "128 issue \"letsencrypt.org\"",
        ),
        (
            "HTTPS",
            "h",
            json!({}),
            json!({"priority": 1, "target": ".", "value": "alpn=\"h3,h2\""}),
            "1 . alpn=\"h3,h2\"",
        ),
        (
            "SVCB",
            "_dns",
            json!({}),
            json!({"priority": 0, "target": "dns.host.example", "value": ""}),
            "0 dns.host.example",
        ),
        (
            "TLSA",
            "_25._tcp",
            json!({}),
            json!({"usage": 3, "selector": 1, "matching_type": 1, "certificate": hex}),
            "3 1 1 0123456789abcdef",
        ),
        (
            "SMIMEA",
            "s",
            json!({}),
            json!({"usage": 3, "selector": 1, "matching_type": 1, "certificate": hex}),
            "3 1 1 0123456789abcdef",
        ),
        (
            "SSHFP",
            "ssh",
            json!({}),
            json!({"algorithm": 4, "type": 2, "fingerprint": hex}),
            "4 2 0123456789abcdef",
        ),
        (
            "DS",
            "sub",
            json!({}),
            json!({"key_tag": 1, "algorithm": 13, "digest_type": 2, "digest": hex}),
            "1 13 2 0123456789abcdef",
        ),
        (
            "DNSKEY",
            "key",
            json!({}),
            json!({"flags": 257, "protocol": 3, "algorithm": 13, "public_key": "aGVsbG8="}),
            "257 3 13 aGVsbG8=",
        ),
        (
            "CERT",
            "cert",
            json!({}),
            json!({"type": 1, "key_tag": 2, "algorithm": 8, "certificate": "aGVsbG8="}),
            "1 2 8 aGVsbG8=",
        ),
        (
            "NAPTR",
            "n",
            json!({}),
            json!({"order": 100, "preference": 10, "flags": "U", "service": "E2U+sip", "regex": "!^.*$!sip:a@b!", "replacement": "."}),
            "100 10 \"U\" \"E2U+sip\" \"!^.*$!sip:a@b!\" .",
        ),
        (
            "LOC",
            "l",
            json!({}),
            json!({"lat_degrees": 51, "lat_minutes": 30, "lat_seconds": 12.748, "lat_direction": "N", "long_degrees": 0, "long_direction": "W", "size": 1}),
            "51 30 12.748 N 0 0 0.000 W 0.00m 1.00m 0.00m 0.00m",
        ),
        (
            "URI",
            "_http._tcp",
            json!({"priority": 10}),
            json!({"weight": 1, "target": "https://acme.example/"}),
            "1 \"https://acme.example/\"",
        ),
    ] {
        let mut sent = extra;
        sent["type"] = json!(kind);
        sent["name"] = json!(name);
        sent["data"] = data;
        // What is derived is not taken from the request.
        sent["content"] = json!("something else");
        let made = post(&mut desk, &sent);
        assert_eq!(made["content"], content, "{kind}");
        assert_eq!(made["proxiable"], false);
        let top = match kind {
            "SRV" | "URI" => json!(10),
            _ => Value::Null,
        };
        assert_eq!(made["priority"], top, "{kind}");
    }
    let listed = desk.world.records("acme.example");
    assert_eq!(listed[1]["data"]["target"], "sip.acme.example");
    assert_eq!(listed[2]["data"]["flags"], 128);
    assert_eq!(listed[12]["data"]["long_minutes"], 0);
}

#[test]
fn dates_move_only_when_something_really_changed() {
    let mut desk = Desk::new(Plan::Pro);
    let made = post(
        &mut desk,
        &json!({"type": "A", "name": "a", "content": "192.0.2.1", "comment": "x", "tags": ["b", "a"]}),
    );
    let path = path_of(&desk, &made);
    let same =
        json!({"type": "A", "name": "A.acme.example", "content": "192.0.2.1", "comment": "x", "tags": ["a", "b"]});
    for method in ["PATCH", "PUT"] {
        assert_eq!(
            desk.ask(method, &path, &same).1["result"]["modified_on"],
            made["modified_on"]
        );
    }
    let (_, moved) = desk.ask("PATCH", &path, &json!({"ttl": 300}));
    assert!(moved["result"]["modified_on"].as_str() > made["modified_on"].as_str());
    assert_eq!(moved["result"]["comment_modified_on"], made["comment_modified_on"]);
    assert_eq!(moved["result"]["tags_modified_on"], made["tags_modified_on"]);
    let (_, said) = desk.ask("PATCH", &path, &json!({"comment": "y"}));
    assert!(said["result"]["comment_modified_on"].as_str() > made["comment_modified_on"].as_str());
}

#[test]
fn settings_and_tags_read_otherwise_than_they_were_written() {
    let mut desk = Desk::new(Plan::Pro);
    let made = post(
        &mut desk,
        &json!({"type": "CNAME", "name": "c", "content": "x.example", "tags": ["a", "b", "c"]}),
    );
    let other = post(&mut desk, &json!({"type": "A", "name": "a", "content": "192.0.2.1"}));
    assert_eq!((&made["settings"], &other["settings"]), (&json!({}), &json!({})));
    let path = path_of(&desk, &made);
    let (one, two) = (desk.get(&path)["result"].clone(), desk.get(&path)["result"].clone());
    assert_eq!(one["settings"], json!({"flatten_cname": false}));
    assert_ne!(one["tags"], two["tags"], "a set has no order");
    let path = path_of(&desk, &other);
    assert_eq!(desk.get(&path)["result"]["settings"], json!({}));
}
