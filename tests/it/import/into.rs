//! `import --into`: a spec gets what it lacks, and keeps every byte that it had.

use launchctl::sandbox::Plan;
use serde_json::{Value, json};

use crate::support::Place;

const SPEC: &str = r#"# Ours, with care
version: 1

zones:
  acme.example:   # the client's
    provider: cloudflare
    ttl: 5m
    records:
      - { type: A, name: "@", value: 203.0.113.10, proxied: true }   # the site
      - { type: CNAME, name: www, value: acme.example, proxied: true }
      # more to come

    redirects:
      # the special one first
      - { name: pricing, from: acme.example/pricing.html, to: "https://acme.example/pricing", status: 301 }
      - { name: blog, from: "acme.example/blog/*", to: "https://acme.example/journal/", status: 301 }

    settings: { brotli: on }

# The end
"#;

fn redirect(name: &str, path: &str) -> Value {
    json!({ "description": name, "action": "redirect",
        "expression": format!("(http.host eq \"acme.example\" and http.request.uri.path eq \"{path}\")"),
        "action_parameters": { "from_value": { "target_url": { "value": "https://acme.example/" }, "status_code": 302,
            "preserve_query_string": false } } })
}

/// Bob's work beside ours: records, a rule before, between and behind our rules, and a setting.
fn place() -> Place {
    let place = Place::new(Plan::Free);
    place.write("launch.yaml", SPEC);
    place.run(&["apply", "--yes"]).expect(0);
    place.world(|world| {
        for record in [
            json!({"type": "A", "name": "api.acme.example", "content": "203.0.113.20", "ttl": 300, "comment": "by Bob"}),
            json!({"type": "TXT", "name": "acme.example", "content": "\"google-site-verification=abc\"", "ttl": 1}),
        ] {
            world.add_record("acme.example", record).unwrap();
        }
        let mut rules = world.rules("acme.example", "http_request_dynamic_redirect");
        let ours = rules.as_array_mut().unwrap();
        ours.insert(0, redirect("sale", "/sale"));
        ours.insert(2, redirect("contact", "/contact.php"));
        ours.push(redirect("imprint", "/imprint.html"));
        for rule in ours.iter_mut() {
            let rule = rule.as_object_mut().unwrap();
            rule.retain(|key, _| !["version", "last_updated"].contains(&key.as_str()));
        }
        world.put_rules("acme.example", "http_request_dynamic_redirect", rules).unwrap();
        let cache = json!([{ "description": "assets", "action": "set_cache_settings",
            "expression": "(starts_with(http.request.uri.path, \"/assets/\"))",
            "action_parameters": { "cache": true, "edge_ttl": { "mode": "override_origin", "default": 3_600 } } }]);
        world.put_rules("acme.example", "http_request_cache_settings", cache).unwrap();
        world.put_setting("acme.example", "http3", "on");
        world.add_zone("other.example", Plan::Free);
        let record = json!({"type": "A", "name": "other.example", "content": "203.0.113.30", "ttl": 300});
        world.add_record("other.example", record).unwrap();
    });
    place
}

fn text(place: &Place) -> String {
    std::fs::read_to_string(place.path("launch.yaml")).unwrap()
}

#[test]
fn what_a_spec_lacks_is_added_in_its_place_and_planning_it_shows_nothing() {
    let place = place();
    let before = place.run(&["plan", "--json"]).expect(0).json();
    // Lists and settings of which the spec says nothing are not even read.
    assert_eq!(before["summary"]["unmanaged"], 5, "{before}");
    let told = place.run(&["import", "--into", "launch.yaml"]).expect(0);
    insta::assert_snapshot!("into_told", told.out);
    insta::assert_snapshot!("into_spec", text(&place));
    let mut left = text(&place);
    for line in SPEC.lines().filter(|line| !line.contains("settings:")) {
        let at = left.find(line).unwrap_or_else(|| panic!("{line}"));
        left = left.split_off(at + line.len());
    }
    let after = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(
        after["summary"],
        json!({ "create": 0, "update": 0, "delete": 0, "unmanaged": 0, "requests": 0 })
    );

    let whole = text(&place);
    let again = place.run(&["import", "--into", "launch.yaml"]).expect(0);
    assert!(again.out.contains("Nothing to add"), "{}", again.out);
    assert_eq!(text(&place), whole);
}

#[test]
fn a_zone_that_a_spec_lacks_is_added_whole() {
    let place = place();
    let told = place
        .run(&["import", "other.example", "--into", "launch.yaml"])
        .expect(0);
    assert!(told.out.contains("+ other.example, whole: "), "{}", told.out);
    let whole = text(&place);
    assert!(whole.starts_with(SPEC.trim_end_matches("\n\n# The end\n")), "{whole}");
    assert!(whole.ends_with("\n# The end\n"), "{whole}");
    assert!(
        whole.contains("\n  other.example:\n    provider: cloudflare\n"),
        "{whole}"
    );
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["changes"], json!([]), "{plan}");
}

#[test]
fn what_stands_against_it_is_said_and_the_file_stays() {
    let place = place();
    let before = text(&place);
    let refused = place
        .run(&[
            "import",
            "acme.example",
            "--into",
            "launch.yaml",
            "--provider",
            "powerdns",
        ])
        .expect(1);
    assert!(
        refused.err.contains("is kept by cloudflare in this spec"),
        "{}",
        refused.err
    );
    place.run(&["import", "--into", "nowhere.yaml"]).expect(1);
    place
        .run(&["import", "--into", "launch.yaml", "--out", "other.yaml"])
        .expect(1);
    assert_eq!(text(&place), before);

    // A spec that says what stands against a live record keeps saying it.
    place.world(|world| {
        world.force_record(
            "acme.example",
            json!({"type": "A", "name": "www.acme.example", "content": "203.0.113.99", "ttl": 300}),
        );
    });
    let told = place
        .run(&["import", "acme.example", "--into", "launch.yaml"])
        .expect(0);
    assert!(
        told.out.contains("Left unmanaged: acme.example/dns/A/www: "),
        "{}",
        told.out
    );
    assert!(!text(&place).contains("203.0.113.99"));
}

#[test]
fn without_a_name_every_zone_that_the_token_covers_is_written_down() {
    let place = place();
    let imported = place.run(&["import", "--out", "all.yaml"]).expect(0);
    let all = std::fs::read_to_string(place.path("all.yaml")).unwrap();
    assert!(
        all.contains("\n  acme.example:\n") && all.contains("\n  other.example:\n"),
        "{all}\n{}",
        imported.err
    );
    let plan = place.run(&["--spec", "all.yaml", "plan", "--json"]).expect(0).json();
    assert_eq!(plan["changes"], json!([]), "{plan}");
}

/// A zone whose spec has all deleted that it does not have, and speaks of no cache rule; there are two, of which a spec
/// can say the one alone.
fn with_unmanaged_deleted() -> Place {
    let place = Place::new(Plan::Free);
    let spec = SPEC.replace("    ttl: 5m\n", "    ttl: 5m\n    unmanaged: delete\n");
    place.write("launch.yaml", &spec);
    place.run(&["apply", "--yes"]).expect(0);
    place.world(|world| {
        let rule = |name: &str, parameters: Value| {
            json!({ "description": name, "action": "set_cache_settings",
                "expression": format!("(starts_with(http.request.uri.path, \"/{name}/\"))"),
                "action_parameters": parameters })
        };
        let rules = json!([
            rule("assets", json!({ "cache": true })),
            rule(
                "odd",
                json!({ "edge_ttl": { "mode": "override_origin", "default": 3_600 } })
            ),
        ]);
        world
            .put_rules("acme.example", "http_request_cache_settings", rules)
            .unwrap();
    });
    place
}

#[test]
fn nothing_that_a_spec_cannot_have_is_armed_to_be_deleted() {
    let place = with_unmanaged_deleted();
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["changes"], json!([]), "{plan}");
    let told = place.run(&["import", "--into", "launch.yaml"]).expect(0);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["changes"], json!([]), "{}\n{}\n{plan:#}", told.all(), text(&place));
    let why = "with `unmanaged: delete`, a plan would delete the 1 cache rule of this zone that a spec cannot have";
    assert!(told.out.contains(why), "{}", told.all());
    assert!(!text(&place).contains("cache:"), "{}", text(&place));

    // Where all of them can be written down, all are.
    place.world(|world| {
        let mut rules = world.rules("acme.example", "http_request_cache_settings");
        rules.as_array_mut().unwrap().pop();
        let rule = rules[0].as_object_mut().unwrap();
        rule.retain(|key, _| !["version", "last_updated"].contains(&key.as_str()));
        world
            .put_rules("acme.example", "http_request_cache_settings", rules)
            .unwrap();
    });
    place.run(&["import", "--into", "launch.yaml"]).expect(0);
    assert!(text(&place).contains("cache:"), "{}", text(&place));
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["changes"], json!([]), "{plan:#}");
}
