//! A list of redirects from a file: there and back with the lists and rules of others beside it, rows that come, change
//! and go, answers that are lost, operations that fail or wait, and what the account does not take.

use std::time::Duration;

use launchctl::sandbox::{Permission, Plan, TokenOptions, World};
use serde_json::{Value, json};

use super::{RECORDS, addresses, writes};
use crate::support::{Place, Ran, until};
use crate::views::fits;

const LIST: &str = "    redirect_list: old.csv\n";
const PHASE: &str = "http_request_redirect";

/// So many rows of `from`.
fn rows(numbers: impl Iterator<Item = usize>) -> String {
    let rows = numbers.map(|n| format!("acme.example/old/{n}.html,https://acme.example/page/{n}/\n"));
    format!("from,to\n{}", rows.collect::<String>())
}

/// An account in which Bob has a list of his own and a rule that asks it.
fn place() -> Place {
    let mut world = World::new();
    world.add_zone("acme.example", Plan::Free);
    let bobs = json!([{ "redirect": { "source_url": "bob.example/", "target_url": "https://bob.example/new" } }]);
    world.put_list("bobs", "redirect", &bobs).unwrap();
    let rule = json!([{ "ref": "bob", "expression": "http.request.full_uri in $bobs", "action": "redirect",
        "action_parameters": { "from_list": { "name": "bobs", "key": "http.request.full_uri" } } }]);
    world.put_account_rules(PHASE, rule).unwrap();
    let place = Place::with_world(world);
    place.spec_with(LIST, RECORDS);
    place
}

/// The lists and the rules of the account, without ids and times.
fn account(place: &Place) -> Value {
    place.world(|world| {
        let strip = |mut all: Value, keys: &[&str]| {
            for one in all.as_array_mut().into_iter().flatten() {
                one.as_object_mut()
                    .unwrap()
                    .retain(|key, _| !keys.contains(&key.as_str()));
            }
            all
        };
        let of_item = ["id", "created_on", "modified_on"];
        let ours = strip(world.list_items(NAME), &of_item);
        let rules = world.account_ruleset(PHASE)["rules"].clone();
        json!({
            "bobs": world.list_items("bobs"), "ours": ours,
            "rules": strip(rules, &["id", "version", "last_updated"]),
        })
    })
}

/// The name of our list.
const NAME: &str = "launchctl_acme_example_54667cc7";

#[test]
fn a_list_goes_there_and_back_and_what_others_keep_stays() {
    let place = place();
    place.write("old.csv", &rows(1..=1_200));
    let start = account(&place);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    fits("plan", &plan);
    let of_list: Vec<&Value> = plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["addresses"] == json!(["acme.example/redirect_list/@"]))
        .collect();
    assert_eq!(of_list.len(), 3, "{of_list:#?}");
    place.sandbox().clear_log();
    let applied = place.run(&["apply", "--yes", "--json"]).expect(0).json();
    fits("run", &applied);
    assert_eq!(applied["status"], "applied", "{applied:#}");
    let writes = writes(&place);
    assert_eq!(
        writes.len() as u64,
        plan["summary"]["requests"].as_u64().unwrap(),
        "{writes:#?}"
    );
    let now = account(&place);
    assert_eq!(now["ours"].as_array().unwrap().len(), 1_200);
    assert_eq!(now["bobs"], start["bobs"]);
    assert_eq!(now["rules"][0], start["rules"][0]);
    assert_eq!(now["rules"][1]["enabled"], true);
    assert_eq!(now["rules"][1]["action_parameters"]["from_list"]["name"], NAME);
    let again = place.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(again.out.contains("Nothing to change"), "{}", again.out);
    // Other order, other case, a scheme's worth of remarks: the same list.
    let mut lines: Vec<String> = rows(1..=1_200).lines().map(str::to_owned).collect();
    lines[1..].reverse();
    lines.insert(1, "# from the old shop".to_owned());
    place.write(
        "old.csv",
        &lines.join("\r\n").replace("acme.example/old", "ACME.example/old"),
    );
    place.run(&["plan", "--detailed-exitcode"]).expect(0);

    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(account(&place), start);
}

#[test]
fn rows_that_come_change_and_go_are_shown_as_that_and_come_back_exactly() {
    let place = place();
    place.write("old.csv", &rows(1..=40));
    place.run(&["apply", "--yes"]).expect(0);
    let start = account(&place);
    let changed = rows(9..=52)
        .replace("page/20/\n", "somewhere/else/\n")
        .replace("from,to\n", "from,to,status,keep_query\n")
        .replace("page/30/\n", "page/30/,308,true\n");
    place.write("old.csv", &changed);
    let plan = place.run(&["plan"]).expect(0).out;
    insta::assert_snapshot!("redirect_list_plan", super::settled(plan));
    let markdown = place.run(&["plan", "--markdown"]).expect(0).out;
    assert!(markdown.contains("| ~ | `acme.example/redirect_list/@`"), "{markdown}");
    place.sandbox().clear_log();
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(writes(&place).len(), 1, "rows are put at once: {:#?}", writes(&place));
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(account(&place), start);
}

#[test]
fn a_list_that_is_no_longer_declared_goes_with_its_rule_alone() {
    let place = place();
    let start = account(&place);
    place.write("old.csv", &rows(1..=3));
    place.run(&["apply", "--yes"]).expect(0);
    let declared = account(&place);
    place.spec_with("", RECORDS);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(addresses(&plan, "changes"), ["delete redirect_list/@"]);
    assert_eq!(plan["summary"]["requests"], 2);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(account(&place), start);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(account(&place), declared);
}

#[test]
fn rows_that_somebody_adds_meanwhile_are_not_lost() {
    let place = place();
    place.write("old.csv", &rows(1..=3));
    place.run(&["apply", "--yes"]).expect(0);
    place.write("old.csv", &rows(1..=4));
    let hand = json!([{ "redirect": { "source_url": "acme.example/bobs", "target_url": "https://acme.example/" } }]);
    let outcome = place.apply_with(|world| world.put_list(NAME, "redirect", &hand).unwrap());
    let failed = &outcome.report.unwrap().failed[0];
    assert_eq!(failed.code, "list-moved", "{failed:#?}");
    assert_eq!(account(&place)["ours"].as_array().unwrap().len(), 1);
    // Planned again, it is said what goes.
    let plan = place.run(&["plan"]).expect(0).out;
    assert!(plan.contains("- acme.example/bobs"), "{plan}");
    assert!(plan.contains("1 value removed"), "{plan}");
}

#[test]
fn rows_that_somebody_is_adding_right_now_are_not_lost() {
    let place = place();
    place.write("old.csv", &rows(1..=3));
    place.run(&["apply", "--yes"]).expect(0);
    place.write("old.csv", &rows(1..=4));
    let hand = json!([{ "redirect": { "source_url": "acme.example/bobs", "target_url": "https://acme.example/" } }]);
    place.sandbox().clear_log();
    // Under way when we read, so it is not seen; over when our turn comes.
    place.world(|world| world.begin_adding(NAME, &hand).unwrap());
    let child = place.start(&["apply", "--yes"]);
    until("the rows are put", || {
        let log = place.sandbox().log();
        log.iter()
            .any(|entry| entry.method == "PUT" && entry.path.ends_with("/items"))
    });
    place.world(|world| world.pass(Duration::from_secs(60)));
    let ran = Ran::of(&child.wait_with_output().unwrap());
    assert_eq!(ran.code, 1, "{}", ran.all());
    assert!(ran.all().contains("somebody changed this list"), "{}", ran.all());
    assert_eq!(account(&place)["ours"].as_array().unwrap().len(), 4);
}

#[test]
fn a_list_to_which_somebody_added_is_not_deleted() {
    let place = place();
    place.write("old.csv", &rows(1..=3));
    place.run(&["apply", "--yes"]).expect(0);
    let rules = account(&place)["rules"].clone();
    place.spec_with("", RECORDS);
    let hand = json!([{ "redirect": { "source_url": "acme.example/bobs", "target_url": "https://acme.example/" } }]);
    let outcome = place.apply_with(|world| world.put_list(NAME, "redirect", &hand).unwrap());
    let failed = &outcome.report.unwrap().failed[0];
    assert_eq!(failed.code, "list-moved", "{failed:#?}");
    let now = account(&place);
    assert_eq!(now["ours"].as_array().unwrap().len(), 1);
    assert_eq!(now["rules"], rules, "the rule stays while the list does");
}

#[test]
fn a_rule_that_somebody_switched_off_is_seen_and_switched_on() {
    let place = place();
    place.write("old.csv", &rows(1..=3));
    place.run(&["apply", "--yes"]).expect(0);
    let declared = account(&place);
    place.world(|world| {
        let mut rules = world.account_ruleset(PHASE)["rules"].clone();
        for rule in rules.as_array_mut().unwrap() {
            rule.as_object_mut()
                .unwrap()
                .retain(|key, _| !["version", "last_updated"].contains(&key.as_str()));
        }
        rules[1]["enabled"] = json!(false);
        world.put_account_rules(PHASE, rules).unwrap();
    });
    let off = account(&place);
    let plan = place.run(&["plan"]).expect(0).out;
    assert!(plan.contains("it is switched off → asked"), "{plan}");
    place.sandbox().clear_log();
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(writes(&place).len(), 1, "{:#?}", writes(&place));
    assert_eq!(account(&place), declared);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(account(&place), off);
}

#[test]
fn a_rule_that_comes_back_stands_where_it_stood() {
    let place = place();
    place.write("old.csv", &rows(1..=3));
    place.run(&["apply", "--yes"]).expect(0);
    for ours in [0, 1] {
        place.world(|world| {
            let mut rules = world.account_ruleset(PHASE)["rules"].clone();
            let rules_of = rules.as_array_mut().unwrap();
            for rule in rules_of.iter_mut() {
                let rule = rule.as_object_mut().unwrap();
                rule.retain(|key, _| !["version", "last_updated"].contains(&key.as_str()));
            }
            let (mine, mut others): (Vec<Value>, Vec<Value>) = rules_of
                .drain(..)
                .partition(|rule| rule["ref"].as_str().unwrap().starts_with("launchctl"));
            others.truncate(1);
            let mut more = others[0].clone();
            more.as_object_mut().unwrap().remove("id");
            (more["ref"], more["expression"]) = (json!("eve"), json!("false"));
            others.push(more);
            others.insert(ours, mine[0].clone());
            world.put_account_rules(PHASE, Value::Array(others)).unwrap();
        });
        let start = account(&place);
        assert!(start["rules"][ours]["ref"].as_str().unwrap().starts_with("launchctl"));
        place.run(&["plan", "--detailed-exitcode"]).expect(0);
        place.spec_with("", RECORDS);
        place.run(&["apply", "--yes"]).expect(0);
        place.run(&["rollback", "--yes"]).expect(0);
        assert_eq!(account(&place), start);
        place.spec_with(LIST, RECORDS);
    }
}

#[test]
fn two_zones_of_one_account_take_turns() {
    let place = place();
    place.world(|world| {
        world.add_zone("shop.example", Plan::Free);
    });
    let zone = |name: &str| {
        format!(
            "  {name}:\n    provider: cloudflare\n    redirect_list: {name}.csv\n    records: [{{ type: A, name: '@', value: 203.0.113.10, proxied: true }}]\n"
        )
    };
    let names = ["acme.example", "shop.example"];
    for name in names {
        place.write(
            &format!("{name}.csv"),
            &rows(1..=30).replace("acme.example/old", &format!("{name}/old")),
        );
    }
    let text = format!("version: 1\nzones:\n{}{}", zone(names[0]), zone(names[1]));
    place.write("launch.yaml", &text);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    place.sandbox().clear_log();
    place.run(&["apply", "--yes"]).expect(0);
    let writes = writes(&place);
    assert_eq!(
        writes.len() as u64,
        plan["summary"]["requests"].as_u64().unwrap(),
        "{writes:#?}"
    );
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert_eq!(account(&place)["rules"].as_array().unwrap().len(), 3);
}

#[test]
fn a_lost_answer_neither_doubles_nor_loses_anything() {
    for write in 1..=4 {
        for fault in ["drop-after", "drop-before", "502", "truncated"] {
            let place = place();
            place.write("old.csv", &rows(1..=3));
            place.faults(&[&format!("w{write}:{fault}")]);
            let child = place.start(&["apply", "--yes"]);
            // An operation whose beginning nobody heard of is over by itself, in its own time.
            until("the rows are put", || {
                let log = place.sandbox().log();
                log.iter()
                    .any(|entry| entry.method == "PUT" && entry.path.ends_with("/items"))
            });
            place.world(|world| world.pass(Duration::from_secs(60)));
            let ran = Ran::of(&child.wait_with_output().unwrap());
            assert_eq!(ran.code, 0, "w{write}:{fault}\n{}", ran.all());
            place.run(&["plan", "--detailed-exitcode"]).expect(0);
            let now = account(&place);
            assert_eq!(now["ours"].as_array().unwrap().len(), 3, "w{write}:{fault}");
            assert_eq!(now["rules"].as_array().unwrap().len(), 2, "w{write}:{fault}");
        }
    }
}

#[test]
fn an_operation_that_fails_is_told_in_its_own_words_and_can_be_gone_back_from() {
    let place = place();
    let start = account(&place);
    place.write("old.csv", &rows(1..=3));
    place.world(|world| world.fail_next_operation("This list is at the maximum number of items"));
    let ran = place.run(&["apply", "--yes"]).expect(1);
    assert!(
        ran.all().contains("maximum number of items"),
        "the provider's words are told: {}",
        ran.all()
    );
    // Made and empty: halfway, and nobody else's hand.
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(account(&place), start);
    place.run(&["apply", "--yes"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn what_the_account_does_not_take_is_refused_with_numbers() {
    let place = place();
    place.write("old.csv", &rows(1..=10_000));
    let refused = place.run(&["plan", "--json"]).expect(1).json();
    let refusals = refused["refusals"].as_array().unwrap();
    assert_eq!(refusals.len(), 1, "{refused:#}");
    assert_eq!(refusals[0]["code"], "redirect-list-quota");
    assert_eq!(
        refusals[0]["message"],
        "the account would have 10,001 listed redirects, foreign ones included; the Free plan allows 10,000"
    );
    // A larger zone beside it makes the account larger, however many there are before it.
    place.world(|world| {
        for n in 0..60 {
            world.add_zone(&format!("small-{n}.example"), Plan::Free);
        }
        world.add_zone("zoo.example", Plan::Pro);
    });
    place.run(&["plan"]).expect(0);
    place.world(|world| {
        for n in 0..4 {
            world.put_list(&format!("more_{n}"), "redirect", &json!([])).unwrap();
        }
    });
    let refused = place.run(&["plan"]).expect(1).out;
    assert!(
        refused.contains("6 lists of redirects, foreign ones included; the Pro plan allows 5"),
        "{refused}"
    );
}

#[test]
fn doctor_names_each_permission_that_a_list_needs() {
    let mut place = place();
    place.write("old.csv", &rows(1..=3));
    let all = place.run(&["doctor"]).expect(0).out;
    for permission in ["Account Filter Lists Edit", "Mass URL Redirects Edit"] {
        assert!(all.contains(permission), "{all}");
    }
    place.world(|world| {
        let permissions = vec![
            Permission::ZoneRead,
            Permission::DnsRead,
            Permission::DnsWrite,
            Permission::FilterListsRead,
            Permission::MassRedirectsWrite,
        ];
        let options = TokenOptions {
            permissions,
            ..TokenOptions::default()
        };
        world.add_token("no-lists", options);
    });
    let before = account(&place);
    place.token = "no-lists".to_owned();
    let missing = place.run(&["doctor"]).expect(1).out;
    assert!(
        missing.contains("add the permission Account > Account Filter Lists > Edit to the token"),
        "{missing}"
    );
    assert!(!missing.contains("Mass URL Redirects > Edit to the token"), "{missing}");
    assert_eq!(account(&place), before, "doctor changes nothing");
}

#[test]
fn a_file_that_is_wrong_in_many_places_is_not_repeated_line_by_line() {
    let place = place();
    let wrong: String = (0..500).map(|n| format!("acme.example/{n},/{n}\n")).collect();
    place.write("old.csv", &format!("from,to\n{wrong}"));
    let refused = place.run(&["validate"]).expect(1).err;
    assert_eq!(refused.matches("is no URL to lead to").count(), 20, "{refused}");
    assert!(
        refused.contains("480 more lines like those before are wrong"),
        "{refused}"
    );
    let json = place.run(&["validate", "--json"]).expect(1).json();
    fits("validate", &json);
    assert_eq!(json["findings"][0]["file"], "old.csv");
    assert!(place.sandbox().log().is_empty());
}

#[test]
fn rows_are_judged_with_the_rest_of_the_zone() {
    let place = place();
    let records = format!("{RECORDS}\n- {{ type: A, name: plain, value: 203.0.113.9 }}");
    let zone = format!(
        "{LIST}    redirects:\n      - {{ name: all of it, from: \"acme.example/shop/*\", to: \"https://shop.example/${{1}}\", status: 301 }}\n"
    );
    place.spec_with(&zone, &records);
    let csv = "from,to\nacme.example/shop/a,https://acme.example/b\nacme.example/shop/c,https://acme.example/b\n\
               plain.acme.example/x,https://acme.example/a\nacme.example/a,https://acme.example/b\n\
               nowhere.acme.example/,https://acme.example/b\n";
    place.write("old.csv", csv);
    let found = place.run(&["validate", "--json"]).expect(0).json();
    let codes: Vec<&str> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect();
    let mut sorted = codes.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        ["hidden-redirect", "redirect-chain", "redirect-unproxied"],
        "{found:#}"
    );
    // What no record of the spec says is told from what is live.
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    let warnings = plan["warnings"].to_string();
    assert!(
        warnings.contains("no proxied record answers for nowhere.acme.example"),
        "{warnings}"
    );
    let accepted =
        format!("    accept: [hidden-redirect, redirect-chain, redirect-unproxied, redirect-without-proxy]\n{zone}");
    place.spec_with(&accepted, &records);
    let found = place.run(&["validate", "--json"]).expect(0).json();
    assert_eq!(found["findings"], json!([]));
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["warnings"], json!([]));
}

#[test]
fn a_file_that_was_cut_short_is_told_by_what_would_go() {
    let place = place();
    place.write("old.csv", &rows(1..=100));
    place.run(&["apply", "--yes"]).expect(0);
    place.write("old.csv", &rows(1..=60));
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["warnings"][0]["code"], "redirect-list-shrinks", "{plan:#}");
    assert_eq!(plan["warnings"][0]["message"], "40 of its 100 rows go");
    // Where most of them would go, nobody's `--yes` is enough.
    place.write("old.csv", &rows(1..=10));
    place.run(&["apply", "--yes"]).expect(1);
    let refused = place.run(&["plan", "--json"]).expect(1).json();
    assert_eq!(refused["refusals"][0]["code"], "too-many-deletes", "{refused:#}");
    assert_eq!(
        refused["refusals"][0]["message"],
        "this plan deletes 90 of its 100 rows"
    );
    place.run(&["apply", "--yes", "--allow-deletes", "9"]).expect(1);
    assert_eq!(account(&place)["ours"].as_array().unwrap().len(), 100);
    place.run(&["apply", "--yes", "--allow-deletes", "90"]).expect(0);
    assert_eq!(account(&place)["ours"].as_array().unwrap().len(), 10);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(account(&place)["ours"].as_array().unwrap().len(), 100);
}
