//! A zone in which people keep records, rules and settings of every kind, most of them made in a dashboard: written down,
//! planned without a difference, applied without a request that changes anything.

use launchctl::sandbox::{Permission, Plan, TokenOptions};
use serde_json::{Value, json};

use crate::road::everything;
use crate::support::Place;

fn rule(name: &str, expression: &str, action: &str, parameters: Value) -> Value {
    let mut rule = json!({ "description": name, "expression": expression, "action": action });
    if !parameters.is_null() {
        rule["action_parameters"] = parameters;
    }
    rule
}

fn redirect(name: &str, expression: &str, target: &Value, keep_query: bool) -> Value {
    let parameters = json!({ "from_value": {
        "target_url": target, "status_code": 301, "preserve_query_string": keep_query } });
    rule(name, expression, "redirect", parameters)
}

fn headers(name: &str, expression: &str, headers: &Value) -> Value {
    rule(name, expression, "rewrite", json!({ "headers": headers }))
}

/// What a team of people has made in the dashboard over the years, in every list.
fn lists() -> Vec<(&'static str, Value)> {
    let set = |value: &str| json!({ "operation": "set", "value": value });
    let limit = json!({ "characteristics": ["cf.colo.id", "ip.src"], "period": 60, "requests_per_period": 20,
        "mitigation_timeout": 600 });
    let mut login = rule(
        "Login",
        r#"(http.request.uri.path eq "/api/login" and http.request.method eq "POST")"#,
        "block",
        Value::Null,
    );
    login["ratelimit"] = limit;
    let mut paused = rule(
        "",
        r#"(ip.src.country in {"XX" "YY"})"#,
        "managed_challenge",
        Value::Null,
    );
    paused["enabled"] = json!(false);
    let mut skip = rule(
        "Monitoring",
        "(ip.src in {192.0.2.0/24})",
        "skip",
        json!({ "ruleset": "current" }),
    );
    skip["logging"] = json!({ "enabled": true });
    vec![
        (
            "http_request_dynamic_redirect",
            json!([
                redirect(
                    "www to apex",
                    r#"(http.host eq "www.acme.example")"#,
                    &json!({ "expression": r#"wildcard_replace(http.request.uri.path, "/*", "https://acme.example/${1}")"# }),
                    true
                ),
                redirect(
                    "old pricing",
                    r#"(http.host eq "acme.example" and http.request.uri.path eq "/pricing.html")"#,
                    &json!({ "value": "https://acme.example/pricing" }),
                    false
                ),
                redirect(
                    "shop moved",
                    r#"(http.request.full_uri wildcard r"https://shop.acme.example/*")"#,
                    &json!({ "expression": r#"wildcard_replace(http.request.full_uri, r"https://shop.acme.example/*", r"https://acme.example/shop/${1}")"# }),
                    true
                ),
            ]),
        ),
        (
            "http_request_cache_settings",
            json!([
                rule(
                    "Static assets",
                    r#"(starts_with(http.request.uri.path, "/assets/")) or (starts_with(http.request.uri.path, "/fonts/"))"#,
                    "set_cache_settings",
                    json!({ "cache": true,
                        "edge_ttl": { "mode": "override_origin", "default": 2_592_000 },
                        "browser_ttl": { "mode": "override_origin", "default": 86_400 } })
                ),
                rule(
                    "Never the API",
                    r#"(http.host eq "app.acme.example" and starts_with(http.request.uri.path, "/api/"))"#,
                    "set_cache_settings",
                    json!({ "cache": false })
                ),
                rule(
                    "By device",
                    "true",
                    "set_cache_settings",
                    json!({ "cache": true, "cache_key": { "cache_by_device_type": true } })
                ),
            ]),
        ),
        (
            "http_response_headers_transform",
            json!([headers(
                "Security headers",
                "true",
                &json!({
                    "Content-Security-Policy": set("default-src 'self'; img-src 'self' data: https://images.example; script-src 'self' https://js.example"),
                    "X-Content-Type-Options": set("nosniff"),
                    "X-Powered-By": { "operation": "remove" },
                })
            )]),
        ),
        (
            "http_request_late_transform",
            json!([
                headers(
                    "Origin login",
                    r#"(http.host eq "app.acme.example")"#,
                    &json!({ "Authorization": set("Basic dXNlcjpodW50ZXIy"), "X-From": set("edge") })
                ),
                headers(
                    "Country",
                    "true",
                    &json!({ "X-Country": { "operation": "set", "expression": "ip.src.country" } })
                ),
            ]),
        ),
        ("http_ratelimit", json!([login])),
        (
            "http_request_firewall_custom",
            json!([
                skip,
                rule(
                    "Partners",
                    r#"(starts_with(http.request.uri.path, "/partners/") and http.request.headers["x-partner-token"][0] ne "open sesame 42")"#,
                    "block",
                    Value::Null
                ),
                rule(
                    "Block bots",
                    r#"(http.user_agent contains "BadBot")"#,
                    "block",
                    Value::Null
                ),
                rule(
                    "block bots",
                    r#"(http.user_agent contains "WorseBot" and not http.request.uri.path eq "/robots.txt")"#,
                    "block",
                    Value::Null
                ),
                paused,
            ]),
        ),
        (
            "http_config_settings",
            json!([rule(
                "Legacy host",
                r#"(http.host eq "old.acme.example")"#,
                "set_config",
                json!({ "ssl": "full", "rocket_loader": false })
            )]),
        ),
    ]
}

fn place() -> Place {
    let place = Place::new(Plan::Pro);
    place.spec(&everything());
    place.run(&["apply", "--yes"]).expect(0);
    place.world(|world| {
        for (phase, rules) in lists() {
            world.put_rules("acme.example", phase, rules).unwrap();
        }
        for (id, value) in [
            ("brotli", "off"),
            ("http3", "on"),
            ("min_tls_version", "1.2"),
            ("ssl", "strict"),
        ] {
            world.put_setting("acme.example", id, value);
        }
        world.put_setting("acme.example", "browser_cache_ttl", 7_200);
        world.put_setting("acme.example", "ssl_automatic_mode", "custom");
        world.put_setting(
            "acme.example",
            "security_header",
            json!({ "strict_transport_security": { "enabled": true, "max_age": 86_400, "include_subdomains": false,
                "preload": false, "nosniff": true } }),
        );
    });
    place
}

/// Everything that the provider keeps of the zone, versions included.
fn whole(place: &Place) -> Vec<String> {
    let mut all = place.state();
    all.extend(place.world(|world| {
        lists()
            .iter()
            .map(|(phase, _)| world.rules("acme.example", phase).to_string())
            .collect::<Vec<_>>()
    }));
    all
}

/// The text without its hour, and without the ids that the stand-in gives out.
fn steady(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let taken = digits.max(rest.chars().next().map_or(0, char::len_utf8));
        out.push_str(if digits == 32 { "ID" } else { &rest[..taken] });
        rest = &rest[taken..];
    }
    // An id that begins with a digit stands in quotes.
    let out = out.replace("\"ID\"", "ID");
    let Some((head, rest)) = out.split_once(" on 20") else {
        return out;
    };
    let (_, rest) = rest.split_once(" UTC").unwrap();
    // Where the stand-in listens is another place each time.
    let (head, _) = head.split_once(" (at ").unwrap_or((head, ""));
    format!("{head} on DATE{rest}")
}

#[test]
fn a_zone_of_everything_is_written_down_plans_to_nothing_and_is_adopted_without_a_write() {
    let place = place();
    let before = whole(&place);
    let imported = place
        .run(&["import", "acme.example", "--out", "imported.yaml"])
        .expect(0);
    let text = std::fs::read_to_string(place.path("imported.yaml")).unwrap();
    insta::assert_snapshot!("imported_zone", steady(&text));
    insta::assert_snapshot!("imported_summary", steady(&imported.err));
    for secret in ["dXNlcjpodW50ZXIy", "open sesame"] {
        assert!(!text.contains(secret) && !imported.all().contains(secret), "{text}");
    }

    let plan = place
        .run(&["--spec", "imported.yaml", "plan", "--json", "--out", "saved.json"])
        .expect(0)
        .json();
    assert_eq!(plan["changes"], json!([]), "{plan}");
    assert_eq!(plan["summary"]["requests"], 0, "{plan}");
    place.sandbox().clear_log();
    let markdown = place.run(&["--spec", "imported.yaml", "plan", "--markdown"]).expect(0);
    place.run(&["--spec", "imported.yaml", "apply", "--yes"]).expect(0);
    assert!(!place.sandbox().log().iter().any(|entry| entry.wrote));
    assert_eq!(whole(&place), before);
    // A rule that holds a credential stands nowhere, and nobody touches it.
    let mut written = vec![plan.to_string(), markdown.all()];
    written.push(std::fs::read_to_string(place.path("saved.json")).unwrap());
    written.extend(everything_under(&place.path(".launchctl")));
    for secret in ["dXNlcjpodW50ZXIy", "open sesame"] {
        assert!(!written.iter().any(|text| text.contains(secret)), "{secret}");
    }
}

/// The text of every file in a folder.
fn everything_under(folder: &std::path::Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(everything_under(&path));
        } else {
            all.push(String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned());
        }
    }
    all
}

#[test]
fn a_spec_is_written_whole_whatever_the_credentials_beside_it_say() {
    let place = place();
    let keyed = r#"(http.request.headers["x-key"][0] eq "cloudflare")"#;
    let rules = json!([rule("cloudflare only", keyed, "block", Value::Null)]);
    place.world(|world| {
        world
            .put_rules("acme.example", "http_request_firewall_custom", rules)
            .unwrap();
    });
    let imported = place.run(&["import", "acme.example"]).expect(0);
    assert!(imported.out.contains("provider: cloudflare\n"), "{}", imported.out);
    assert!(!imported.all().contains("[credential]"), "{}", imported.all());
    place.write("launch.yaml", &imported.out);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn adding_to_a_spec_that_is_not_there_names_its_own_option() {
    let place = place();
    let refused = place.run(&["import", "acme.example", "--into", "nope.yaml"]).expect(1);
    assert!(
        refused.err.contains("there is no `nope.yaml`") && refused.err.contains("--into"),
        "{}",
        refused.err
    );
    assert!(!refused.err.contains("--spec"), "{}", refused.err);
}

#[test]
fn an_adopted_rule_is_changed_in_its_place_and_goes_back_as_it_was() {
    let place = place();
    place
        .run(&["import", "acme.example", "--out", "imported.yaml"])
        .expect(0);
    place.run(&["--spec", "imported.yaml", "apply", "--yes"]).expect(0);
    let before = rules(&place, "http_request_dynamic_redirect");
    let text = std::fs::read_to_string(place.path("imported.yaml")).unwrap();
    let edited = text.replace("https://acme.example/pricing\"", "https://acme.example/prices\"");
    assert_ne!(edited, text);
    place.write("imported.yaml", &edited);
    let plan = place
        .run(&["--spec", "imported.yaml", "plan", "--json"])
        .expect(0)
        .json();
    assert_eq!(plan["summary"]["update"], 1, "{plan}");
    assert_eq!(plan["summary"]["create"], 0, "{plan}");
    assert_eq!(plan["changes"][0]["address"], "acme.example/redirect/old-pricing");
    place.run(&["--spec", "imported.yaml", "apply", "--yes"]).expect(0);
    let after = rules(&place, "http_request_dynamic_redirect");
    let mut expected = before.clone();
    expected[1]["action_parameters"]["from_value"]["target_url"]["value"] = json!("https://acme.example/prices");
    assert_eq!(
        after, expected,
        "the rule keeps its id, its mark, its place and the writing of its expression"
    );
    place.run(&["--spec", "imported.yaml", "rollback", "--yes"]).expect(0);
    assert_eq!(rules(&place, "http_request_dynamic_redirect"), before);
}

/// The rules of a phase without what the provider counts.
fn rules(place: &Place, phase: &str) -> Value {
    let mut rules = place.world(|world| world.rules("acme.example", phase));
    for rule in rules.as_array_mut().unwrap() {
        let rule = rule.as_object_mut().unwrap();
        rule.retain(|key, _| !["version", "last_updated"].contains(&key.as_str()));
    }
    rules
}

#[test]
fn what_a_credential_may_not_see_is_said_and_the_rest_is_written() {
    let mut place = place();
    place.world(|world| {
        let options = TokenOptions {
            permissions: vec![Permission::ZoneRead, Permission::DnsRead, Permission::DnsWrite],
            ..TokenOptions::default()
        };
        world.add_token("narrow", options);
    });
    place.token = "narrow".to_owned();
    let imported = place.run(&["import", "acme.example"]).expect(0);
    assert!(imported.out.contains("    records:\n"), "{}", imported.out);
    assert!(!imported.out.contains("    cache:\n"), "{}", imported.out);
    assert!(
        imported
            .err
            .contains("not read, since the credential may not: the cache rules of acme.example"),
        "{}",
        imported.err
    );
    place.write("launch.yaml", &imported.out);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn lists_of_the_account_that_redirect_the_zone_are_told_of() {
    let mut place = Place::new(Plan::Free);
    let row = |source: &str, deep: bool| {
        json!({ "redirect": { "source_url": source, "target_url": "https://elsewhere.example/", "include_subdomains": deep,
            "subpath_matching": deep } })
    };
    place.world(|world| {
        let bobs = json!([
            row("acme.example/old", false),
            row("https://www.acme.example/", false),
            row("other.example/", true),
        ]);
        world.put_list("bobs", "redirect", &bobs).unwrap();
        let rest = json!({ "ref": "bob", "expression": "http.request.full_uri in $bobs", "action": "redirect",
            "action_parameters": { "from_list": { "name": "bobs", "key": "http.request.full_uri" } } });
        world.put_account_rules("http_request_redirect", json!([rest])).unwrap();
    });
    let words = "the bulk redirect list \"bobs\" of the account redirects hosts of acme.example (2 rows): this spec leaves \
                 it alone";
    let imported = place.run(&["import", "acme.example"]).expect(0);
    assert!(imported.out.contains(&format!("  # {words}\n")), "{}", imported.out);
    place.write("launch.yaml", &imported.out);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    // Into a spec that has the zone there is no place for it but beside what is reported.
    let added = place
        .run(&["import", "acme.example", "--into", "launch.yaml"])
        .expect(0);
    assert!(added.all().contains(words), "{}", added.all());
    // What no rule asks redirects nobody.
    place.world(|world| {
        world.put_account_rules("http_request_redirect", json!([])).unwrap();
    });
    let imported = place.run(&["import", "acme.example"]).expect(0);
    assert!(!imported.out.contains("bobs"), "{}", imported.out);
    // Who may not see them is told so.
    place.world(|world| {
        let options = TokenOptions {
            permissions: vec![Permission::ZoneRead, Permission::DnsRead],
            ..TokenOptions::default()
        };
        world.add_token("narrow", options);
    });
    place.token = "narrow".to_owned();
    let imported = place.run(&["import", "acme.example"]).expect(0);
    let words = "not read, since the credential may not: the account's bulk redirect lists";
    assert!(imported.err.contains(words), "{}", imported.err);
}
