//! The edge from end to end, with the real binary: redirects, TLS, settings and rules beside records, on a zone in which
//! somebody else keeps rules too.

mod launch_logic;
mod lists;
mod redirect_list;
mod settings;
mod zones;

use std::time::Duration;

use launchctl::sandbox::{Options, Plan, World};
use serde_json::{Value, json};

use crate::support::Place;
use crate::views::fits;

/// The zone part of the spec language's example, but for mail.
const LAUNCH: &str = r#"    redirects:
      - { name: www to apex, from: "https://www.acme.example/*", to: "https://acme.example/${1}", status: 301, keep_query: true }
      - { name: old pricing, from: acme.example/pricing.html, to: "https://acme.example/pricing", status: 308 }
    tls:
      mode: strict
      min_version: "1.2"
      tls_1_3: true
      always_https: true
      automatic_https_rewrites: true
      hsts: { max_age: 365d, include_subdomains: true, preload: false, nosniff: true }
    settings: { brotli: on, http3: on, early_hints: on }
    cache:
      - { name: static assets, match: { path: "/assets/*" }, edge_ttl: 30d, browser_ttl: 1d }
      - { name: never the API, match: { host: app.acme.example, path: "/api/*" }, bypass: true }
    headers:
      - name: security headers
        set: { Content-Security-Policy: "default-src 'self'", X-Content-Type-Options: nosniff }
        remove: [X-Powered-By]
    request_headers:
      - { name: who asks, match: { path: "/*" }, set_expression: { X-Client: to_string(ip.src) } }
    rate_limits:
      - { name: login, match: { host: app.acme.example, path: /api/login, methods: [POST] }, requests: 5, per: 10s, block_for: 10s }
    firewall:
      - { name: no admin, match: { path: "/admin/*", not: { expression: "ip.src in {192.0.2.0/24}" } }, action: managed_challenge }
    config_rules:
      - { name: legacy, match: { host: old.acme.example }, set: { ssl: full, rocket_loader: false } }
"#;

const RECORDS: &str = r#"- { type: A, name: "@", value: 203.0.113.10, proxied: true }
- { type: A, name: app, value: 203.0.113.10, proxied: true }
- { type: A, name: old, value: 203.0.113.10, proxied: true }
- { type: CNAME, name: www, value: acme.example, proxied: true }"#;

const PHASES: &[&str] = &[
    "http_request_dynamic_redirect",
    "http_config_settings",
    "http_request_firewall_custom",
    "http_ratelimit",
    "http_request_late_transform",
    "http_request_cache_settings",
    "http_response_headers_transform",
];

fn foreign(id: &str, what: &str) -> Value {
    let mut rule = json!({ "ref": id, "description": format!("Bob's {id}"), "expression": "(ip.src eq 192.0.2.7)" });
    let more = match what {
        "redirect" => json!({ "action": "redirect", "action_parameters": { "from_value": {
            "target_url": { "value": "https://bob.example/" }, "status_code": 302, "preserve_query_string": true } } }),
        "cache" => json!({ "action": "set_cache_settings", "action_parameters": {
            "cache": true, "cache_key": { "ignore_query_strings_order": true } } }),
        "skip" => {
            json!({ "action": "skip", "action_parameters": { "ruleset": "current" }, "logging": { "enabled": true } })
        }
        _ => json!({ "action": "rewrite", "action_parameters": { "headers": {
            "X-Bob": { "operation": "set", "value": "1" } } }, "enabled": false }),
    };
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rule
}

/// A zone in which Bob keeps rules in four phases, and some settings are not as they came.
fn place() -> Place {
    let place = Place::new(Plan::Pro);
    place.world(|world| {
        for (phase, what) in [
            ("http_request_dynamic_redirect", "redirect"),
            ("http_request_cache_settings", "cache"),
            ("http_request_firewall_custom", "skip"),
            ("http_response_headers_transform", "header"),
        ] {
            let rules = json!([foreign("first", what), foreign("second", what)]);
            world.put_rules("acme.example", phase, rules).unwrap();
        }
        world.put_setting("acme.example", "0rtt", "on");
        world.put_setting("acme.example", "brotli", "off");
    });
    place.spec_with(LAUNCH, RECORDS);
    place
}

/// Rules of all phases without what the provider counts, and the settings that the spec speaks of.
fn edge(place: &Place) -> Value {
    place.world(|world| {
        let mut all = serde_json::Map::new();
        for phase in PHASES {
            let mut rules = world.rules("acme.example", phase);
            for rule in rules.as_array_mut().into_iter().flatten() {
                let rule = rule.as_object_mut().unwrap();
                rule.retain(|key, _| !["version", "last_updated"].contains(&key.as_str()));
            }
            // A list that was made and emptied again is as good as none.
            let rules = if rules.is_null() { json!([]) } else { rules };
            all.insert((*phase).to_owned(), rules);
        }
        for id in [
            "ssl",
            "ssl_automatic_mode",
            "min_tls_version",
            "tls_1_3",
            "always_use_https",
            "automatic_https_rewrites",
            "security_header",
            "brotli",
            "http3",
            "early_hints",
        ] {
            all.insert(id.to_owned(), world.setting("acme.example", id).unwrap_or_default());
        }
        Value::Object(all)
    })
}

/// Our rules of these phases as they were sent, one a line: what only the provider says is left out.
fn compiled(place: &Place, phases: &[&str]) -> String {
    let mut out = String::new();
    for phase in phases {
        out.push_str(&format!("{phase}\n"));
        let rules = place.world(|world| world.rules("acme.example", phase));
        for rule in rules.as_array().into_iter().flatten() {
            if !rule["ref"].as_str().unwrap().starts_with("launchctl-") {
                continue;
            }
            for key in [
                "ref",
                "description",
                "expression",
                "enabled",
                "action",
                "action_parameters",
                "ratelimit",
            ] {
                if let Some(value) = rule.get(key) {
                    out.push_str(&format!("  {key}: {value}\n"));
                }
            }
            out.push('\n');
        }
    }
    out
}

fn writes(place: &Place) -> Vec<String> {
    let log = place.sandbox().log();
    let writes = log.iter().filter(|entry| entry.wrote);
    writes.map(|entry| format!("{} {}", entry.method, entry.path)).collect()
}

fn addresses(plan: &Value, key: &str) -> Vec<String> {
    let changes = plan[key].as_array().unwrap();
    let word = |change: &Value| {
        format!(
            "{} {}",
            change["action"].as_str().unwrap(),
            change["address"].as_str().unwrap().trim_start_matches("acme.example/")
        )
    };
    changes.iter().map(word).collect()
}

#[test]
fn there_and_back_with_everything_at_the_edge() {
    let place = place();
    let start = (edge(&place), place.state());
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(edge(&place), start.0, "trying out changes nothing");
    assert_eq!(plan["summary"]["unmanaged"], 8, "{plan:#}");
    fits("plan", &plan);

    place.sandbox().clear_log();
    let applied = place.run(&["apply", "--yes", "--json"]).expect(0).json();
    assert_eq!(applied["status"], "applied", "{applied:#}");
    fits("run", &applied);
    let run = applied["run"].as_str().unwrap();
    fits("history-run", &place.run(&["history", run, "--json"]).expect(0).json());
    let writes = writes(&place);
    assert_eq!(
        writes.len() as u64,
        plan["summary"]["requests"].as_u64().unwrap(),
        "{writes:#?}"
    );
    let mut once = writes.clone();
    once.sort();
    once.dedup();
    assert_eq!(
        once.len(),
        writes.len(),
        "each setting and each phase once: {writes:#?}"
    );

    insta::assert_snapshot!("edge_requests", compiled(&place, PHASES));
    let again = place.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(again.out.contains("Nothing to change"), "{}", again.out);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!((edge(&place), place.state()), start);
}

#[test]
fn what_the_provider_shows_otherwise_is_no_difference() {
    let place = place();
    place.run(&["apply", "--yes"]).expect(0);
    // With 0-RTT on, what was written as `on` is shown as `zrt`.
    assert_eq!(
        place.world(|world| world.setting("acme.example", "tls_1_3")),
        Some(json!("zrt"))
    );
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    // Somebody puts our rules anew, with everything filled in and in other order.
    place.world(|world| {
        let mut rules = world.rules("acme.example", "http_ratelimit");
        for rule in rules.as_array_mut().unwrap() {
            rule["ratelimit"]["characteristics"].as_array_mut().unwrap().reverse();
            rule["ratelimit"]["requests_to_origin"] = json!(false);
        }
        for rule in rules.as_array_mut().unwrap() {
            rule.as_object_mut()
                .unwrap()
                .retain(|key, _| !["version", "last_updated"].contains(&key.as_str()));
        }
        world.put_rules("acme.example", "http_ratelimit", rules).unwrap();
    });
    let again = place.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(again.out.contains("Nothing to change"), "{}", again.out);
}

/// Ports differ from one run of the tests to the next.
fn settled(text: String) -> String {
    let Some(at) = text.find("127.0.0.1:") else { return text };
    let (before, port) = text.split_at(at + "127.0.0.1:".len());
    format!(
        "{before}[PORT]{}",
        port.trim_start_matches(|c: char| c.is_ascii_digit())
    )
}

#[test]
fn a_plan_of_every_kind_reads_like_a_review() {
    let place = place();
    insta::assert_snapshot!("edge_plan_create", settled(place.run(&["plan"]).expect(0).out));
    insta::assert_snapshot!(
        "edge_plan_markdown",
        settled(place.run(&["plan", "--markdown"]).expect(0).out)
    );
    place.run(&["apply", "--yes"]).expect(0);
    let changed = LAUNCH
        .replace("status: 301, keep_query: true", "status: 308")
        .replace("365d", "30d")
        .replace("edge_ttl: 30d", "edge_ttl: respect_origin")
        .replace("nosniff }\n", "nosniff, Referrer-Policy: no-referrer }\n")
        .replace("[X-Powered-By]", "[Server]")
        .replace("requests: 5", "requests: 7")
        .replace("managed_challenge", "block")
        .replace("rocket_loader: false", "rocket_loader: true, polish: off")
        .replace("http3: on", "http3: off")
        .replace(
            "      - { name: never the API, match: { host: app.acme.example, path: \"/api/*\" }, bypass: true }\n",
            "",
        );
    // The second redirect becomes the first.
    let (head, rest) = changed.split_at(changed.find("      - { name: www to apex").unwrap());
    let lines: Vec<&str> = rest.splitn(3, '\n').collect();
    let changed = format!("{head}{}\n{}\n{}", lines[1], lines[0], lines[2]);
    place.spec_with(&changed, RECORDS);
    insta::assert_snapshot!("edge_plan_change", settled(place.run(&["plan"]).expect(0).out));
    place.run(&["apply", "--yes"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

/// The zone of the spec language's example word for word, but for `email`.
const EXAMPLE: &str = r#"version: 1
project: Acme client portal
vars:
  origin: 203.0.113.10
zones:
  acme.example:
    provider: cloudflare
    unmanaged: keep
    protect: ["NS *", "* _acme-challenge*"]
    ttl: auto
    create: false
    records:
      - { type: A,     name: "@",  value: "${origin}", proxied: true }
      - { type: A,     name: app,  value: "${origin}", proxied: true, comment: client portal }
      - { type: CNAME, name: www,  value: acme.example, proxied: true }
      - { type: TXT,   name: "@",  value: google-site-verification=abc123 }
      - { type: A,     name: lb,   values: [203.0.113.20, 203.0.113.21], ttl: 5m }
      - { type: CAA,   name: "@",  value: '0 issue "letsencrypt.org"' }
      - { type: SRV,   name: _sip._tcp, value: 10 5 5060 sip.acme.example }
    redirects:
      - { name: www to apex, from: "https://www.acme.example/*", to: "https://acme.example/${1}", status: 301, keep_query: true }
      - { name: old pricing, from: acme.example/pricing.html, to: "https://acme.example/pricing", status: 308 }
    tls:
      mode: strict
      min_version: "1.2"
      tls_1_3: true
      always_https: true
      automatic_https_rewrites: true
      hsts: { max_age: 365d, include_subdomains: true, preload: false, nosniff: true }
    settings: { brotli: on, http3: on, early_hints: on }
    cache:
      - { name: static assets, match: { path: "/assets/*" }, edge_ttl: 30d, browser_ttl: 1d }
      - { name: never the API, match: { host: app.acme.example, path: "/api/*" }, bypass: true }
    headers:
      - name: security headers
        set: { Content-Security-Policy: "default-src 'self'", X-Content-Type-Options: nosniff, Referrer-Policy: strict-origin-when-cross-origin }
        remove: [X-Powered-By]
    rate_limits:
      - { name: login, match: { host: app.acme.example, path: /api/login, methods: [POST] }, requests: 5, per: 10s, block_for: 10s }
"#;

#[test]
fn the_example_of_the_language_goes_there_and_back() {
    let mut world = World::new();
    // The Free plan counts by path alone, and the example counts requests to one host.
    world.add_zone("acme.example", Plan::Pro);
    for (phase, what) in [
        ("http_request_dynamic_redirect", "redirect"),
        ("http_request_cache_settings", "cache"),
        ("http_response_headers_transform", "header"),
    ] {
        let rules = json!([foreign("first", what)]);
        world.put_rules("acme.example", phase, rules).unwrap();
    }
    world.put_setting("acme.example", "brotli", "off");
    world.put_setting("acme.example", "always_use_https", "on");
    let place = Place::with_options(Options {
        world: Some(world),
        // Long enough that what is sent at once is seen to be so.
        latency: Duration::from_millis(30),
        ..Options::default()
    });
    place.write("launch.yaml", EXAMPLE);
    let start = (edge(&place), place.state());
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    let planned = plan["summary"]["requests"].as_u64().unwrap();
    assert_eq!(edge(&place), start.0);
    place.sandbox().clear_log();
    place.run(&["apply", "--yes"]).expect(0);
    let sent = writes(&place);
    let mut once = sent.clone();
    once.sort();
    once.dedup();
    assert_eq!((sent.len() as u64, once.len()), (planned, sent.len()), "{sent:#?}");
    // Found, read, tried out, looked at, written, with `ssl` behind what would move it: far fewer turns than requests.
    let depth = place.sandbox().serial_depth();
    assert!(depth <= 8 && sent.len() >= 12, "{depth} for {}", sent.len());
    let again = place.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(again.out.contains("Nothing to change"), "{}", again.out);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!((edge(&place), place.state()), start);
}
