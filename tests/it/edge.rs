//! The edge from end to end, with the real binary: redirects, TLS, settings and rules beside records, on a zone in which
//! somebody else keeps rules too.

use launchctl::sandbox::{Permission, Plan, TokenOptions, World};
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

/// The cache rules of a spec, by their names.
fn cache(place: &Place, names: &[(&str, &str)]) {
    let rules = names
        .iter()
        .map(|(name, ttl)| format!("      - {{ name: {name}, match: {{ path: \"/{name}/*\" }}, edge_ttl: {ttl} }}\n"));
    place.spec_with(&format!("    cache:\n{}", rules.collect::<String>()), RECORDS);
}

fn references(place: &Place) -> Vec<String> {
    let rules = place.world(|world| world.rules("acme.example", "http_request_cache_settings"));
    let rules = rules.as_array().unwrap();
    rules
        .iter()
        .map(|rule| {
            rule["ref"]
                .as_str()
                .unwrap()
                .trim_start_matches("launchctl-cache-")
                .to_owned()
        })
        .collect()
}

#[test]
fn one_rule_added_edited_moved_and_removed_shows_as_that_and_foreign_rules_stay() {
    let place = place();
    cache(&place, &[("a", "1h"), ("b", "1h"), ("c", "1h")]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(references(&place), ["first", "second", "a", "b", "c"]);
    let foreign_before = edge(&place)["http_request_cache_settings"][0].clone();
    for (rules, changes, list) in [
        (
            &[("a", "1h"), ("x", "1h"), ("b", "1h"), ("c", "1h")][..],
            &["create cache/x"][..],
            "first second a x b c",
        ),
        (
            &[("a", "1h"), ("x", "2h"), ("b", "1h"), ("c", "1h")],
            &["update cache/x"],
            "first second a x b c",
        ),
        (
            &[("c", "1h"), ("a", "1h"), ("x", "2h"), ("b", "1h")],
            &["update cache/c"],
            "first second c a x b",
        ),
        (
            &[("c", "1h"), ("x", "2h"), ("b", "1h")],
            &["delete cache/a"],
            "first second c x b",
        ),
    ] {
        let before = (edge(&place), place.state());
        cache(&place, rules);
        let plan = place.run(&["plan", "--json"]).expect(0).json();
        assert_eq!(addresses(&plan, "changes"), *changes);
        assert_eq!(plan["summary"]["requests"], 1);
        place.run(&["apply", "--yes"]).expect(0);
        assert_eq!(references(&place).join(" "), list);
        place.run(&["plan", "--detailed-exitcode"]).expect(0);
        place.run(&["rollback", "--yes"]).expect(0);
        // A rule that is made anew has another id; all else is as it was.
        let without_ids = |mut edge: Value| {
            for rule in edge["http_request_cache_settings"].as_array_mut().unwrap() {
                rule.as_object_mut().unwrap().remove("id");
            }
            edge
        };
        assert_eq!(without_ids(edge(&place)), without_ids(before.0));
        place.run(&["apply", "--yes"]).expect(0);
        assert_eq!(references(&place).join(" "), list);
    }
    assert_eq!(edge(&place)["http_request_cache_settings"][0], foreign_before);
}

#[test]
fn a_foreign_writer_between_reading_and_writing_loses_nothing() {
    let place = place();
    cache(&place, &[("a", "1h")]);
    let outcome = place.apply_with(|world| {
        let rules = json!([
            foreign("first", "cache"),
            foreign("second", "cache"),
            foreign("third", "cache")
        ]);
        world
            .put_rules("acme.example", "http_request_cache_settings", rules)
            .unwrap();
    });
    let report = outcome.report.unwrap();
    let [failed] = report.failed.as_slice() else {
        panic!("{report:#?}")
    };
    assert_eq!(
        (failed.address.as_str(), failed.code.as_str()),
        ("acme.example/cache/a", "list-moved")
    );
    assert!(
        failed.message.contains("somebody changed this list"),
        "{}",
        failed.message
    );
    assert!(failed.help.as_ref().unwrap().contains("plan again"));
    // What does not hang on it was done all the same.
    assert_eq!(report.applied.len(), 4, "{report:#?}");
    assert_eq!(references(&place), ["first", "second", "third"]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(references(&place), ["first", "second", "third", "a"]);
}

#[test]
fn a_list_that_cannot_be_read_stops_everything_before_a_write() {
    let mut place = place();
    let start = edge(&place);
    // All that it takes but for caches.
    place.world(|world| {
        let permissions = vec![
            Permission::ZoneRead,
            Permission::DnsWrite,
            Permission::ZoneSettingsWrite,
            Permission::DynamicRedirectsWrite,
            Permission::ConfigSettingsWrite,
            Permission::TransformRulesWrite,
            Permission::ZoneWafRead,
        ];
        let options = TokenOptions {
            permissions,
            ..TokenOptions::default()
        };
        world.add_token("narrow", options);
    });
    place.token = "narrow".to_owned();
    let stopped = place.run(&["apply", "--yes"]).expect(1);
    assert!(
        stopped.err.contains("could not read the cache rules of acme.example"),
        "{}",
        stopped.err
    );
    assert_eq!(edge(&place), start);
    assert_eq!(writes(&place), Vec::<String>::new());
    let doctor = place.run(&["doctor"]).expect(1).out;
    for line in [
        "ok       acme.example: Zone Settings Edit",
        "ok       acme.example: Dynamic URL Redirects Edit",
        "wrong    acme.example: Cache Settings Read",
        "ok       acme.example: Zone WAF Read",
        "wrong    acme.example: Zone WAF Edit",
        "add the permission Zone > Cache Settings > Read to the token",
    ] {
        assert!(doctor.contains(line), "{line}\n{doctor}");
    }
}

#[test]
fn what_the_plan_of_the_zone_does_not_take_is_refused_with_numbers() {
    let place = Place::new(Plan::Free);
    let rules = |number: usize| {
        (0..number)
            .map(|at| format!("      - {{ name: r{at}, match: {{ path: \"/{at}\" }}, action: block }}\n"))
            .collect::<String>()
    };
    place.spec_with(&format!("    firewall:\n{}", rules(6)), RECORDS);
    let refused = place.run(&["plan"]).expect(1);
    assert!(
        refused.out.contains("would have 6 firewall rules") && refused.out.contains("the Free plan allows 5"),
        "{}",
        refused.out
    );
    place.spec_with(
        "    rate_limits:\n      - { name: a, match: { path: /a }, requests: 1, per: 60s, block_for: 1h }\n",
        RECORDS,
    );
    let refused = place.run(&["plan"]).expect(1);
    assert!(
        refused
            .out
            .contains("it counts over 60 seconds; the Free plan takes 10"),
        "{}",
        refused.out
    );
    assert!(refused.out.contains("10 at most"), "{}", refused.out);
    // What only Cloudflare itself can tell is asked while planning, and blamed on the rule.
    place.spec_with(
        "    cache:\n      - { name: fine, match: { path: /a }, bypass: true }\n      - { name: odd, match: { expression: 'http.host eq' }, bypass: true }\n",
        RECORDS,
    );
    let refused = place.run(&["plan"]).expect(1);
    assert!(
        refused
            .out
            .contains("refused acme.example/cache/odd: Cloudflare would not take it"),
        "{}",
        refused.out
    );
    place.world(|world| world.lock_setting("acme.example", "http3"));
    place.spec_with("    settings: { http3: on }\n", RECORDS);
    let refused = place.run(&["plan"]).expect(1);
    assert!(
        refused.out.contains("refused acme.example/setting/http3"),
        "{}",
        refused.out
    );
}

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
fn a_zone_that_is_not_there_is_created_with_all_that_belongs_to_it() {
    let place = Place::with_world(World::new());
    place.spec_with(
        &format!("    create: true\n    accept: [always-https-early]\n{ONBOARDING}"),
        RECORDS,
    );
    place.world(|world| {
        world.add_zone("other.example", Plan::Free);
    });
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert!(
        addresses(&plan, "changes").contains(&"create zone/@".to_owned()),
        "{plan:#}"
    );
    let applied = place.run(&["apply", "--yes"]).expect(0).out;
    assert!(
        applied.contains("set these name servers for acme.example at its registrar"),
        "{applied}"
    );
    let again = place.run(&["plan", "--detailed-exitcode"]).expect(0).out;
    let words = again.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("points to its name servers, dana.ns.cloudflare.com and "),
        "{again}"
    );
    // The history knows which zone it made: another one of that name is not taken for it.
    let runs = place.run(&["history", "--json"]).expect(0).json();
    let run = place
        .run(&["history", runs["runs"][0]["run"].as_str().unwrap(), "--json"])
        .expect(0)
        .json();
    let id = place.world(|world| world.zone_id("acme.example").unwrap().to_owned());
    let last = run["journal"].as_array().unwrap().last().unwrap();
    assert_eq!(last["made"]["acme.example"], id.as_str(), "{last:#}");
    // Going back leaves the zone: what it would lose with it cannot be brought back.
    let back = place.run(&["rollback", "--yes"]).expect(0);
    assert!(back.out.contains("zone/@ cannot be taken back"), "{}", back.out);
    assert!(place.world(|world| world.has_zone("acme.example")));
    assert_eq!(place.state(), Vec::<String>::new());
}

const ONBOARDING: &str = r#"    tls: { mode: full, always_https: true }
    redirects:
      - { name: www, from: "www.acme.example/*", to: "https://acme.example/${1}", status: 301 }
"#;

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
fn foreign_rules_that_a_spec_sweeps_away_come_back_whole() {
    let place = place();
    let sweep = "    unmanaged: delete\n    cache:\n      - { name: ours, match: { path: /a }, bypass: true }\n    firewall:\n      - { name: ours, match: { path: /b }, action: block }\n";
    let start = edge(&place);
    place.spec_with(sweep, "- { type: A, name: '@', value: 203.0.113.10 }");
    let refused = place.run(&["plan"]).expect(1).out;
    assert!(refused.contains("--allow-deletes 4"), "{refused}");
    place.run(&["apply", "--yes", "--allow-deletes", "4"]).expect(0);
    assert_eq!(references(&place), ["ours"]);
    // Lists that the spec does not speak of are not even read.
    assert_eq!(
        edge(&place)["http_request_dynamic_redirect"],
        start["http_request_dynamic_redirect"]
    );
    place.run(&["rollback", "--yes"]).expect(0);
    let without_ids = |mut edge: Value| {
        for phase in PHASES {
            for rule in edge[*phase].as_array_mut().unwrap() {
                rule.as_object_mut().unwrap().remove("id");
            }
        }
        edge
    };
    assert_eq!(without_ids(edge(&place)), without_ids(start));
}

#[test]
fn an_answer_that_is_lost_is_looked_for_and_nothing_is_done_twice() {
    for fault in [
        "w1:drop-after",
        "w1:500-after",
        "w1:truncated",
        "w1:drop-before",
        "w1:502",
        "w1:html",
    ] {
        let place = place();
        place.spec_with(
            "    cache:\n      - { name: a, match: { path: /a }, bypass: true }\n      - { name: b, match: { path: /b }, bypass: true }\n",
            "[]",
        );
        place.faults(&[fault]);
        place.run(&["apply", "--yes"]).expect(0);
        assert_eq!(references(&place), ["first", "second", "a", "b"], "{fault}");
        place.run(&["plan", "--detailed-exitcode"]).expect(0);
        place.spec_with(
            "    cache:\n      - { name: b, match: { path: /b }, bypass: true }\n      - { name: a, match: { path: /a2 }, bypass: true }\n",
            "[]",
        );
        place.faults(&[fault]);
        place.run(&["apply", "--yes"]).expect(0);
        assert_eq!(references(&place), ["first", "second", "b", "a"], "{fault}");
        place.faults(&[]);
        place.run(&["rollback", "--yes"]).expect(0);
        assert_eq!(references(&place), ["first", "second", "a", "b"], "{fault}");
    }
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
