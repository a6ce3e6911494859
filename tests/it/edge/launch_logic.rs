//! Launch logic across the parts of a zone, before any request: each lint with its code, where it speaks, where it does
//! not, and that a warning which is meant can be accepted.

use launchctl::sandbox::Plan;
use serde_json::Value;

use super::RECORDS;
use crate::support::Place;

/// What is declared beside the records, the records, and the codes that are found.
type Row = (&'static str, &'static str, &'static [&'static str]);

const ROWS: &[Row] = &[
    // A redirect's host has a proxied record.
    (
        "redirects:\n  - { name: a, from: \"plain.acme.example/*\", to: \"https://acme.example/\", status: 301 }",
        "- { type: A, name: plain, value: 203.0.113.9 }",
        &["redirect-unproxied"],
    ),
    // A rule's host belongs to the zone, whatever its kind.
    (
        "cache:\n  - { name: a, match: { host: www.other.example }, bypass: true }",
        RECORDS,
        &["host-outside-zone"],
    ),
    (
        "redirects:\n  - { name: a, from: \"www.other.example/*\", to: \"https://acme.example/\", status: 301 }",
        RECORDS,
        &["host-outside-zone"],
    ),
    // A proxied record points at no private address.
    (
        "",
        "- { type: A, name: '@', value: 192.168.1.7, proxied: true }",
        &["private-address"],
    ),
    (
        "",
        "- { type: A, name: '@', value: 100.64.0.1, proxied: true }",
        &["private-address"],
    ),
    (
        "",
        "- { type: AAAA, name: '@', value: 'fe80::1', proxied: true }",
        &["private-address"],
    ),
    ("", "- { type: A, name: '@', value: 192.168.1.7 }", &[]),
    // CAA lets an authority of the edge issue, for the name and for all below it.
    (
        "",
        "- { type: A, name: '@', value: 203.0.113.9, proxied: true }\n- { type: CAA, name: '@', value: '0 issue \"sectigo.com\"' }",
        &["caa-excludes-edge"],
    ),
    (
        "",
        "- { type: A, name: '@', value: 203.0.113.9, proxied: true }\n- { type: CAA, name: '@', values: ['0 issue \"letsencrypt.org\"', '0 issuewild \";\"'] }",
        &["caa-excludes-edge"],
    ),
    (
        "",
        "- { type: A, name: '@', value: 203.0.113.9, proxied: true }\n- { type: CAA, name: '@', values: ['0 issue \"sectigo.com\"', '0 issue \"pki.goog\"'] }",
        &[],
    ),
    ("", "- { type: CAA, name: '@', value: '0 issue \"sectigo.com\"' }", &[]),
    // Two rules of which one hides the other: redirects, by glob and by expression.
    (
        "redirects:\n  - { name: a, from: \"acme.example/*\", to: \"https://www.acme.example/${1}\", status: 301 }\n  - { name: b, from: acme.example/b, to: \"https://www.acme.example/c\", status: 301 }",
        RECORDS,
        &["hidden-redirect"],
    ),
    (
        "redirects:\n  - { name: a, expression: ssl, to: \"https://www.acme.example/\", status: 301 }\n  - { name: b, expression: ssl, to: \"https://app.acme.example/\", status: 301 }",
        RECORDS,
        &["hidden-redirect"],
    ),
    (
        "redirects:\n  - { name: a, expression: ssl, to: \"https://www.acme.example/\", status: 301, enabled: false }\n  - { name: b, expression: ssl, to: \"https://app.acme.example/\", status: 301 }",
        RECORDS,
        &[],
    ),
    // What is blocked is not asked again; what is challenged may be.
    (
        "firewall:\n  - { name: a, match: { path: \"/admin/*\" }, action: block }\n  - { name: b, match: { path: \"/admin/users/*\", methods: [POST] }, action: managed_challenge }",
        RECORDS,
        &["hidden-rule"],
    ),
    (
        "firewall:\n  - { name: a, match: { path: \"/admin/*\" }, action: managed_challenge }\n  - { name: b, match: { path: \"/admin/users/*\" }, action: block }",
        RECORDS,
        &[],
    ),
    (
        "firewall:\n  - { name: a, match: { path: \"/admin/*\", not: { expression: \"ip.src eq 192.0.2.1\" } }, action: block }\n  - { name: b, match: { path: \"/admin/users/*\" }, action: block }",
        RECORDS,
        &[],
    ),
    // Rules that stack: a later one that says the same things of more requests.
    (
        "cache:\n  - { name: a, match: { path: \"/assets/*\" }, edge_ttl: 30d }\n  - { name: b, match: { path: \"/*\" }, edge_ttl: 1h, browser_ttl: 5m }",
        RECORDS,
        &["hidden-rule"],
    ),
    (
        "cache:\n  - { name: a, match: { path: \"/assets/*\" }, edge_ttl: 30d, browser_ttl: 1d }\n  - { name: b, match: { host: acme.example }, edge_ttl: 1h, browser_ttl: 5m }",
        RECORDS,
        &[],
    ),
    (
        "cache:\n  - { name: a, match: { path: \"/assets/*\" }, browser_ttl: 1d }\n  - { name: b, match: { path: \"/*\" }, edge_ttl: 1h }",
        RECORDS,
        &[],
    ),
    (
        "headers:\n  - { name: a, match: { path: \"/app/*\" }, set: { X-Frame-Options: DENY } }\n  - { name: b, remove: [x-frame-options] }",
        RECORDS,
        &["hidden-rule"],
    ),
    (
        "headers:\n  - { name: a, match: { path: \"/app/*\" }, set: { Vary: Origin } }\n  - { name: b, add: { Vary: Accept } }",
        RECORDS,
        &[],
    ),
    (
        "config_rules:\n  - { name: a, match: { host: app.acme.example, path: \"/x\" }, set: { rocket_loader: true } }\n  - { name: b, match: { host: \"*.acme.example\" }, set: { rocket_loader: false, polish: off } }",
        RECORDS,
        &["hidden-rule"],
    ),
];

fn codes(found: &Value, severity: &str) -> Vec<String> {
    let findings = found["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| severity.is_empty() || finding["severity"] == severity)
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_part_is_judged_with_the_others_before_anybody_is_asked() {
    let place = Place::new(Plan::Free);
    for (zone, records, expected) in ROWS {
        let zone: String = zone.lines().map(|line| format!("    {line}\n")).collect();
        place.spec_with(&zone, records);
        let ran = place.run(&["validate", "--json"]);
        let found = ran.json();
        assert_eq!(codes(&found, ""), *expected, "{zone}{records}\n{found:#}");
        assert!(
            found["findings"]
                .as_array()
                .unwrap()
                .iter()
                .all(|one| one["line"].is_u64()),
            "{found:#}"
        );
        // What is meant is said once, and no longer warned of; an error stays one.
        if let [code] = codes(&found, "warning").as_slice() {
            place.spec_with(&format!("    accept: [{code}]\n{zone}"), records);
            let found = place.run(&["validate", "--json"]).expect(0).json();
            assert_eq!(codes(&found, ""), Vec::<String>::new(), "{code}");
        }
    }
    assert!(place.sandbox().log().is_empty(), "nobody was asked");
}

#[test]
fn a_header_that_carries_a_credential_is_warned_about_until_it_is_accepted() {
    let place = super::place();
    let rule = "    request_headers:\n      - { name: origin, match: { path: \"/*\" }, set: { X-Origin-Verify: hunter22, X-From: edge } }\n";
    place.spec_with(rule, super::RECORDS);
    let said = place.run(&["plan"]).expect(0).all();
    assert!(
        said.contains("credential-in-rule") && said.contains("X-Origin-Verify"),
        "{said}"
    );
    place.spec_with(&format!("    accept: [credential-in-rule]\n{rule}"), super::RECORDS);
    let said = place.run(&["plan"]).expect(0).all();
    assert!(!said.contains("credential-in-rule"), "{said}");
}
