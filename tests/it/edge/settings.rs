//! Settings: each of them there and back, those that are let go, those that hurt, and those that something else moves.

use launchctl::sandbox::Plan;
use serde_json::{Value, json};

use super::{RECORDS, addresses, settled, writes};
use crate::support::Place;

/// Every setting that a spec can wish for, with a value that it does not have from the start.
const SETTINGS: &str = r#"    settings:
      0rtt: on
      aegis: { enabled: false }
      always_online: on
      always_use_https: on
      automatic_https_rewrites: on
      automatic_platform_optimization: { enabled: true, cf: true, hostnames: [www.acme.example, acme.example] }
      brotli: off
      browser_cache_ttl: "300"
      browser_check: off
      cache_level: simplified
      challenge_ttl: 3600
      ciphers: [ECDHE-RSA-AES128-GCM-SHA256, AES128-SHA256]
      early_hints: true
      edge_cache_ttl: 3600
      email_obfuscation: off
      fonts: on
      h2_prioritization: custom
      hotlink_protection: on
      http2: off
      http3: on
      image_resizing: open
      ip_geolocation: off
      ipv6: off
      max_upload: 200
      min_tls_version: 1.2
      nel: { enabled: true }
      opportunistic_encryption: off
      opportunistic_onion: off
      origin_error_page_pass_thru: on
      origin_h2_max_streams: 200
      origin_max_http_version: 1
      polish: lossy
      prefetch_preload: on
      proxy_read_timeout: 200
      pseudo_ipv4: add_header
      replace_insecure_js: on
      response_buffering: on
      rocket_loader: on
      security_header: { enabled: true, max_age: 300, nosniff: true }
      security_level: high
      sort_query_string_for_cache: on
      speed_brain: on
      ssl: full
      tls_1_3: on
      tls_client_auth: on
      true_client_ip_header: on
      webp: on
      websockets: off
"#;

#[test]
fn a_setting_that_is_no_longer_declared_keeps_its_value_and_that_is_said() {
    let place = Place::new(Plan::Free);
    place.spec_with("    settings: { http3: on }\n", RECORDS);
    place.run(&["apply", "--yes"]).expect(0);
    place.spec_with("", RECORDS);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(addresses(&plan, "changes"), Vec::<String>::new());
    assert_eq!(plan["warnings"][0]["code"], "let-go", "{plan:#}");
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(
        place.world(|world| world.setting("acme.example", "http3")),
        Some(json!("on"))
    );
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["warnings"], json!([]));
}

#[test]
fn what_hurts_is_warned_of_until_it_is_accepted() {
    let place = Place::new(Plan::Free);
    let zone = |accept: &str| {
        format!(
            "{accept}    tls:\n      mode: flexible\n      hsts: {{ max_age: 365d, include_subdomains: true, preload: true }}\n    redirects:\n      - {{ name: gone, from: \"old.acme.example/*\", to: \"https://acme.example/\", status: 302 }}\n"
        )
    };
    let records =
        "- { type: A, name: '@', value: 203.0.113.10, proxied: true }\n- { type: A, name: lb, value: 203.0.113.11 }";
    place.spec_with(&zone(""), records);
    let codes = |plan: &Value| -> Vec<String> {
        let warnings = plan["warnings"].as_array().unwrap();
        warnings
            .iter()
            .map(|warning| warning["code"].as_str().unwrap().to_owned())
            .collect()
    };
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    let mut found = codes(&plan);
    found.sort();
    assert_eq!(
        found,
        [
            "hsts-preload",
            "hsts-subdomains",
            "redirect-without-proxy",
            "tls-flexible"
        ],
        "{plan:#}"
    );
    place.spec_with(
        &zone("    accept: [tls-flexible, hsts-preload, hsts-subdomains]\n"),
        records,
    );
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(codes(&plan), ["redirect-without-proxy"]);
    place.run(&["apply", "--yes"]).expect(0);
    let zone = zone("")
        .replace("365d", "1d")
        .replace("preload: true", "preload: false");
    place.spec_with(&zone, records);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(codes(&plan), ["hsts-shortened"], "{plan:#}");
}

#[test]
fn a_zone_without_https_is_warned_of() {
    let place = Place::new(Plan::Free);
    place.spec_with("    tls: { mode: off }\n", RECORDS);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["warnings"][0]["code"], "tls-off", "{plan:#}");
    place.spec_with("    accept: [tls-off]\n    tls: { mode: off }\n", RECORDS);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["warnings"], json!([]));
}

#[test]
fn automatic_mode_is_switched_off_before_the_mode_is_pinned() {
    let place = Place::new(Plan::Free);
    place.world(|world| world.drift_ssl(true));
    place.spec_with("    tls: { mode: full }\n", RECORDS);
    place.sandbox().clear_log();
    place.run(&["apply", "--yes"]).expect(0);
    let writes = writes(&place);
    let at = |what: &str| writes.iter().position(|write| write.ends_with(what));
    assert!(at("ssl_automatic_mode").is_some(), "{writes:#?}");
    assert!(
        at("ssl_automatic_mode") < at("/ssl") || at("/ssl").is_none(),
        "{writes:#?}"
    );
    for _ in 0..3 {
        place.run(&["plan", "--detailed-exitcode"]).expect(0);
    }
}

#[test]
fn a_signed_zone_waits_for_its_registrar_and_that_is_no_difference() {
    let place = Place::new(Plan::Free);
    place.spec_with("    dnssec: true\n", RECORDS);
    let applied = place.run(&["apply", "--yes"]).expect(0).out;
    assert!(
        applied.contains("give this DS record to the registrar of acme.example: acme.example DS "),
        "{applied}"
    );
    let again = place.run(&["plan", "--detailed-exitcode"]).expect(0).out;
    assert!(
        again.contains("signed and waiting: give the registrar this DS record: acme.example DS "),
        "{again}"
    );
    place.world(|world| world.set_dnssec_status("acme.example", "active"));
    let again = place.run(&["plan", "--detailed-exitcode"]).expect(0).out;
    assert!(!again.contains("DS record"), "{again}");
    place.run(&["rollback", "--yes"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(2);
}

#[test]
fn https_is_not_insisted_on_before_there_is_a_certificate() {
    let place = Place::new(Plan::Free);
    place.world(|world| world.set_certificate_status("acme.example", "pending_validation"));
    place.spec_with("    tls: { always_https: true }\n", RECORDS);
    let plan = place.run(&["plan"]).expect(0).out;
    assert!(plan.contains("certificate pending_validation"), "{plan}");
    assert!(
        plan.contains("the certificate at the edge is pending_validation"),
        "{plan}"
    );
    place.world(|world| world.set_certificate_status("acme.example", "active"));
    let plan = place.run(&["plan"]).expect(0).out;
    assert!(plan.contains("certificate active") && !plan.contains("! "), "{plan}");
}

#[test]
fn every_setting_is_set_shown_without_difference_and_set_back() {
    let place = Place::new(Plan::Enterprise);
    place.world(|world| world.grant_certificate_manager("acme.example"));
    place.spec_with(SETTINGS, "[]");
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    let changes = plan["changes"].as_array().unwrap();
    let before: Vec<(String, Value)> = changes
        .iter()
        .map(|change| {
            (
                change["before"]["id"].as_str().unwrap().to_owned(),
                change["before"]["value"].clone(),
            )
        })
        .collect();
    assert!(before.len() >= 40, "{}: {before:#?}", before.len());
    insta::assert_snapshot!("settings_plan", settled(place.run(&["plan"]).expect(0).out));
    place.sandbox().clear_log();
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(writes(&place).len(), before.len(), "one request each");
    let again = place.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(again.out.contains("Nothing to change"), "{}", again.out);
    place.run(&["rollback", "--yes"]).expect(0);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    let back: Vec<(String, Value)> = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            (
                change["before"]["id"].as_str().unwrap().to_owned(),
                change["before"]["value"].clone(),
            )
        })
        .collect();
    assert_eq!(back, before);
}
