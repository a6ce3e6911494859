//! Lists of rules: one rule at a time, rules of others beside them, somebody else's hand in between, answers that are lost,
//! and what the zone's plan does not take.

use launchctl::sandbox::{Permission, Plan, TokenOptions};
use serde_json::{Value, json};

use super::{PHASES, RECORDS, addresses, compiled, edge, foreign, place, settled, writes};
use crate::support::Place;

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
fn a_saved_plan_is_carried_out_beside_what_came_meanwhile() {
    let place = place();
    cache(&place, &[("a", "1h"), ("b", "1h")]);
    place.run(&["plan", "--out", "reviewed.json"]).expect(0);
    place.world(|world| {
        let rules = json!([
            foreign("first", "cache"),
            foreign("second", "cache"),
            foreign("third", "cache")
        ]);
        world
            .put_rules("acme.example", "http_request_cache_settings", rules)
            .unwrap();
    });
    place.run(&["apply", "reviewed.json", "--yes"]).expect(0);
    assert_eq!(references(&place), ["first", "second", "a", "b", "third"]);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    // What was reviewed as one thing and is another by now is not touched.
    cache(&place, &[("a", "2h"), ("b", "1h")]);
    place.run(&["plan", "--out", "reviewed.json"]).expect(0);
    place.world(|world| {
        let mut rules = world.rules("acme.example", "http_request_cache_settings");
        for rule in rules.as_array_mut().unwrap() {
            let rule = rule.as_object_mut().unwrap();
            rule.retain(|key, _| !["version", "last_updated"].contains(&key.as_str()));
            if rule["ref"] == "launchctl-cache-a" {
                rule["enabled"] = json!(false);
            }
        }
        world
            .put_rules("acme.example", "http_request_cache_settings", rules)
            .unwrap();
    });
    let refused = place.run(&["apply", "reviewed.json", "--yes"]).expect(1);
    assert!(refused.out.contains("refused acme.example/cache/a"), "{}", refused.out);
}

/// One redirect of each form that there is.
const FORMS: &str = r#"    redirects:
      - { name: page, from: acme.example/a.html, to: "https://acme.example/a", status: 301 }
      - { name: with a query, from: "acme.example/index.php?page=b", to: "https://acme.example/b", status: 302 }
      - { name: plain http alone, from: "http://app.acme.example/*", to: "https://app.acme.example/${1}", status: 303, keep_query: true }
      - { name: star in the path, from: "acme.example/c/*/print", to: "https://acme.example/c/${1}", status: 307 }
      - { name: star in the host, from: "*.acme.example/login", to: "https://app.acme.example/signin?from=${1}", status: 308 }
      - { name: stars in both, from: "*.acme.example/old/*", to: "https://acme.example/${1}/${2}", status: 301, keep_query: true }
      - { name: by expression, expression: 'http.request.uri.path in {"/x" "/y"}', to: "https://acme.example/z", status: 301 }
      - { name: to an expression, from: "old.acme.example/*", to_expression: 'concat("https://acme.example", http.request.uri.path)', status: 301 }
      - { name: switched off, from: acme.example/off, to: "https://acme.example/", status: 302, enabled: false }
"#;

#[test]
fn every_form_of_redirect_is_taken_and_shown_without_difference() {
    // The smallest plan: no form needs a regular expression.
    let place = Place::new(Plan::Free);
    place.spec_with(FORMS, RECORDS);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["warnings"], json!([]), "{plan:#}");
    insta::assert_snapshot!("redirect_forms_plan", settled(place.run(&["plan"]).expect(0).out));
    place.run(&["apply", "--yes"]).expect(0);
    insta::assert_snapshot!("redirect_forms_requests", compiled(&place, &PHASES[..1]));
    let again = place.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(again.out.contains("Nothing to change"), "{}", again.out);
    let rules = place.world(|world| world.rules("acme.example", "http_request_dynamic_redirect"));
    let statuses: Vec<u64> = rules
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["action_parameters"]["from_value"]["status_code"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [301, 302, 303, 307, 308, 301, 301, 301, 302]);
    assert_eq!(rules[8]["enabled"], false);
}

#[test]
fn a_token_that_only_reads_can_plan_and_that_nothing_was_tried_out_is_said() {
    let mut place = place();
    place.world(|world| {
        let permissions = vec![Permission::ZoneRead, Permission::DnsRead, Permission::CacheSettingsRead];
        let options = TokenOptions {
            permissions,
            ..TokenOptions::default()
        };
        world.add_token("reader", options);
    });
    place.token = "reader".to_owned();
    cache(&place, &[("a", "1h")]);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["warnings"][0]["code"], "not-tried-out", "{plan:#}");
    assert_eq!(plan["warnings"][0]["address"], "acme.example/cache/a");
}

const CACHE: &str = "http_request_cache_settings";

/// A cache rule as somebody makes it in the dashboard, for a host of theirs.
fn of_the_shop(name: &str, reference: &str) -> Value {
    json!({ "ref": reference, "description": name, "expression": r#"(http.host eq "shop.acme.example")"#,
        "action": "set_cache_settings", "action_parameters": { "cache": false } })
}

fn put(place: &Place, rules: &Value) {
    place.world(|world| world.put_rules("acme.example", CACHE, rules.clone()).unwrap());
}

#[test]
fn a_rule_that_only_bears_the_name_of_what_was_left_is_nobodys_to_delete() {
    let place = place();
    let ours = "    cache:\n      - { name: Static assets, match: { path: \"/assets/*\" }, edge_ttl: 30d }\n";
    place.spec_with(ours, RECORDS);
    place.run(&["apply", "--yes"]).expect(0);
    put(&place, &json!([of_the_shop("static-Assets", "0a1b")]));
    let shop = edge(&place);
    place.spec_with("", RECORDS);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(addresses(&plan, "changes"), Vec::<String>::new(), "{plan:#}");
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(edge(&place)[CACHE], shop[CACHE]);

    // And a way back from the run that made ours does not reach for it either.
    let undone = place.run(&["rollback", "--yes"]);
    assert_eq!(edge(&place)[CACHE], shop[CACHE], "{}", undone.all());
}

#[test]
fn a_rule_of_somebody_that_the_spec_takes_over_is_said_in_words_and_can_be_accepted() {
    let place = place();
    put(&place, &json!([of_the_shop("static-Assets", "0a1b")]));
    let start = edge(&place);
    let ours = "    cache:\n      - { name: Static assets, match: { path: \"/assets/*\" }, edge_ttl: 30d }\n";
    place.spec_with(ours, RECORDS);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(addresses(&plan, "changes")[0], "update cache/static-assets", "{plan:#}");
    let words = "takes over the rule `static-Assets` that somebody made";
    assert_eq!(plan["changes"][0]["reason"], words);
    let warning = &plan["warnings"][0];
    assert_eq!(warning["code"], "takes-over-rule", "{plan:#}");
    assert!(warning["message"].as_str().unwrap().starts_with(words), "{warning}");

    place.spec_with(&format!("    accept: [takes-over-rule]\n{ours}"), RECORDS);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["warnings"], json!([]), "{plan:#}");
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(edge(&place)[CACHE][0]["ref"], "0a1b");
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(edge(&place)[CACHE], start[CACHE]);
    place.run(&["apply", "--yes"]).expect(0);

    // By now it is ours to take away, under whatever name it has.
    let mut renamed = place.world(|world| world.rules("acme.example", CACHE));
    renamed[0]["description"] = json!("something else");
    put(&place, &renamed);
    place.spec_with("", RECORDS);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(addresses(&plan, "changes"), ["delete cache/static-assets"], "{plan:#}");
}

#[test]
fn a_rule_that_was_taken_over_as_it_is_is_the_one_that_goes_with_its_entry() {
    let place = place();
    put(&place, &json!([of_the_shop("Shop", "0a1b")]));
    let entry = "    cache:\n      - { name: Shop, match: { host: shop.acme.example }, bypass: true }\n";
    place.spec_with(entry, RECORDS);
    place.run(&["apply", "--yes"]).expect(0);
    place.spec_with("", RECORDS);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(addresses(&plan, "changes"), ["delete cache/shop"], "{plan:#}");
    // Another one of that name is another one.
    put(&place, &json!([of_the_shop("Shop", "2c3d")]));
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(addresses(&plan, "changes"), Vec::<String>::new(), "{plan:#}");
}
