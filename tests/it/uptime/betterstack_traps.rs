//! What Better Stack is known to surprise with (facts B1 to B7), each with a test that fails when it is not met.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};

use super::betterstack::{HOME, MAIL, account, betterstack, checks_of, example, monitor};
use super::{changes, codes};
use crate::support::{CANARY, Place};

/// The creates in the log, by what they make.
fn creates(place: &Place, list: &str) -> usize {
    let log = place.sandbox().log();
    log.iter()
        .filter(|entry| entry.method == "POST" && entry.path.ends_with(list))
        .count()
}

#[test]
fn a_next_page_on_another_host_is_asked_for_at_home() {
    let place = betterstack();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let address = elsewhere.local_addr().unwrap();
    place.world(|world| {
        let account = world.betterstack();
        account.page_at(&format!("http://{address}"));
        for n in 0..600 {
            account
                .add_monitor(&json!({"pronounceable_name": format!("m{n}"), "url": format!("https://m{n}.example/")}));
        }
    });
    checks_of(&place, &[HOME]);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["summary"]["unmanaged"], 600, "all three pages");
    assert!(
        elsewhere.accept().is_err(),
        "nobody called there, and least of all with the token"
    );
    let pages: Vec<String> = place.sandbox().log().into_iter().map(|entry| entry.path).collect();
    assert_eq!(
        pages.iter().filter(|path| path.contains("/monitors?")).count(),
        3,
        "{pages:?}"
    );
}

#[test]
fn one_listing_of_each_kind_is_a_plan_however_many_monitors_there_are() {
    let place = betterstack();
    example(&place);
    place.run(&["apply", "--yes"]).expect(0);
    place.sandbox().clear_log();
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert_eq!(place.sandbox().log().len(), 6);
}

#[test]
fn a_header_that_changes_is_removed_by_its_id_and_added() {
    let place = betterstack();
    let spec = |headers: &str| {
        checks_of(
            &place,
            &[&format!(
                "{{ name: Home, url: \"https://acme.example/\", headers: {headers} }}"
            )],
        );
    };
    spec(r#"{ X-Probe: "1", X-Same: "same", X-Old: "o" }"#);
    place.run(&["apply", "--yes"]).expect(0);
    let ids = |place: &Place| -> Vec<(String, String)> {
        let home = monitor(place, "Home");
        let one = |header: &Value| (header["name"].as_str().unwrap().to_owned(), header["id"].to_string());
        home["request_headers"].as_array().unwrap().iter().map(one).collect()
    };
    let (before, there) = (account(&place), ids(&place));
    let same = there.iter().find(|(name, _)| name == "x-same").unwrap().clone();
    spec(r#"{ X-Probe: "2", X-Same: "same", X-New: "n" }"#);
    place.run(&["apply", "--yes"]).expect(0);
    let now = ids(&place);
    assert!(now.len() == 3 && now.contains(&same), "what stays is not sent: {now:?}");
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    // In another order, which means nothing.
    let letters = |account: [Vec<String>; 5]| {
        let mut letters: Vec<char> = account.concat().concat().chars().collect();
        letters.sort_unstable();
        letters
    };
    assert_eq!(letters(account(&place)), letters(before));
    spec(r#"{ X-Probe: "1", X-Same: "same", X-Old: "o" }"#);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.is_clean();
}

#[test]
fn a_refusal_without_a_word_names_what_was_sent_and_no_value() {
    let place = betterstack();
    let spec = |value: &str| {
        checks_of(
            &place,
            &[&format!(
                "{{ name: Home, url: \"https://acme.example/\", headers: {{ X-Probe: \"{value}\" }} }}"
            )],
        );
    };
    spec("one");
    place.run(&["apply", "--yes"]).expect(0);
    spec(CANARY);
    // Somebody else has changed it meanwhile, so that its id is another.
    place.foreign_hand_before_write(1, |world| {
        world.betterstack().with_monitors(|monitor| {
            monitor["request_headers"][0]["id"] = json!("1");
            true
        });
    });
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(
        refused.all().contains("no reason given; sent were request_headers"),
        "{}",
        refused.all()
    );
}

#[test]
fn a_monitor_that_was_made_and_not_marked_is_found_and_no_second_one_is_made() {
    let place = betterstack();
    checks_of(&place, &[HOME]);
    place.world(|world| world.betterstack().lose_metadata(100));
    place.run(&["apply", "--yes"]).expect(1);
    assert_eq!(account(&place)[0].len(), 1, "an orphan");
    place.world(|world| world.betterstack().lose_metadata(0));
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan), ["update uptime/monitor/home"]);
    place.run(&["apply", "--yes"]).expect(0);
    let sizes = account(&place).map(|all| all.len());
    assert_eq!(sizes, [1, 1, 0, 1, 0]);
    assert_eq!(creates(&place, "/monitors"), 1);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn a_mark_that_got_lost_is_sent_again_since_it_says_the_same() {
    let place = betterstack();
    place.world(|world| world.betterstack().lose_metadata(1));
    checks_of(&place, &[HOME]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(account(&place)[3].len(), 1);
}

#[test]
fn a_create_whose_answer_was_lost_is_looked_for_and_not_repeated() {
    for write in 1..=4 {
        for fault in ["500-after", "drop-after", "truncated"] {
            let place = betterstack();
            place.faults(&[&format!("w{write}:{fault}")]);
            place.checks(
                "betterstack",
                "  alert: [ops, chat]\n  contacts: { ops: { email: ops@acme.example }, chat: { webhook: env:SLACK_WEBHOOK_URL } }\n  checks:\n    - { name: Home, url: \"https://acme.example/\" }\n",
            );
            place.run(&["apply", "--yes"]).expect(0);
            let made = ["/monitors", "/policies", "/outgoing-webhooks"].map(|list| creates(&place, list));
            assert_eq!(made, [1, 2, 1], "{write}:{fault}: none was sent twice");
            place.run(&["plan", "--detailed-exitcode"]).expect(0);
        }
    }
}

#[test]
fn a_create_that_was_never_made_is_made_again() {
    let place = betterstack();
    place.faults(&["w1:drop-before", "w3:500", "w6:502"]);
    checks_of(&place, &[HOME, MAIL]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(account(&place).map(|all| all.len()), [2, 1, 0, 2, 0]);
}

#[test]
fn a_monitor_is_known_by_its_mark_whatever_was_done_to_it() {
    let place = betterstack();
    checks_of(&place, &[HOME]);
    place.run(&["apply", "--yes"]).expect(0);
    let before = account(&place);
    place.world(|world| {
        world.betterstack().with_monitors(|monitor| {
            monitor.insert("pronounceable_name".to_owned(), json!("Renamed"));
            monitor.insert("url".to_owned(), json!("https://moved.example/"));
            monitor.insert("monitor_type".to_owned(), json!("keyword"));
            monitor.insert("required_keyword".to_owned(), json!("x"));
            true
        });
    });
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan), ["update uptime/monitor/home"]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(account(&place), before);
}

#[test]
fn what_was_deleted_by_hand_is_made_again() {
    let place = betterstack();
    checks_of(&place, &[HOME, MAIL]);
    place.run(&["apply", "--yes"]).expect(0);
    place.world(|world| world.betterstack().with_monitors(|_| false));
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(
        changes(&plan),
        ["create uptime/monitor/home", "create uptime/monitor/mail"]
    );
    place.run(&["apply", "--yes"]).expect(0);
    // Deleted while the plan is carried out.
    checks_of(&place, &[HOME]);
    place.foreign_hand_before_write(1, |world| {
        world
            .betterstack()
            .with_monitors(|monitor| monitor["monitor_type"] != "tcp");
    });
    place.run(&["apply", "--yes"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn a_timeout_changes_its_unit_with_the_type_of_the_check() {
    let place = betterstack();
    checks_of(&place, &[r#"{ name: Front, tcp: "acme.example:443", timeout: 5s }"#]);
    place.run(&["apply", "--yes"]).expect(0);
    let (id, before) = (monitor(&place, "Front")["id"].clone(), account(&place));
    assert_eq!(monitor(&place, "Front")["request_timeout"], 5_000);
    checks_of(
        &place,
        &[r#"{ name: Front, url: "https://acme.example/", timeout: 5s, expect: { contains: Hi } }"#],
    );
    place.run(&["apply", "--yes"]).expect(0);
    let front = monitor(&place, "Front");
    assert_eq!(
        (&front["request_timeout"], &front["port"], &front["id"]),
        (&json!(5), &Value::Null, &id)
    );
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    checks_of(&place, &["{ name: Front, ping: acme.example }"]);
    place.run(&["apply", "--yes"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    checks_of(&place, &[r#"{ name: Front, tcp: "acme.example:443", timeout: 5s }"#]);
    place.run(&["apply", "--yes"]).expect(0);
    let kept = |account: &[Vec<String>; 5]| (account[1].clone(), account[3].clone());
    assert_eq!(kept(&account(&place)), kept(&before));
}

#[test]
fn what_expires_is_watched_on_days_out_of_a_list_and_switched_off_with_nothing() {
    let place = betterstack();
    place.world(|world| {
        world.betterstack().add_monitor(&json!({
            "pronounceable_name": "Home", "url": "https://acme.example/", "check_frequency": 300, "domain_expiration": 7,
        }));
    });
    let start = account(&place);
    checks_of(
        &place,
        &[r#"{ name: Home, url: "https://acme.example/", warn_before: 45d, warn_domain: true }"#],
    );
    let refused = place.run(&["plan"]).expect(1);
    let said: String = refused.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("`warn_before`: 45 days is none of its values"), "{said}");
    assert!(said.contains("the nearest that it can hold: 60d"), "{said}");
    checks_of(
        &place,
        &[r#"{ name: Home, url: "https://acme.example/", warn_before: 14d, warn_domain: true }"#],
    );
    place.run(&["apply", "--yes"]).expect(0);
    let home = monitor(&place, "Home");
    assert_eq!(
        (&home["ssl_expiration"], &home["domain_expiration"]),
        (&json!(14), &json!(7))
    );
    assert_eq!(
        home["expiration_policy_id"].to_string(),
        home["policy_id"].as_str().unwrap()
    );
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(account(&place), start, "off again, which is null");
}

#[test]
fn what_the_spec_does_not_say_stays_as_it_was_set_by_hand() {
    let place = betterstack();
    checks_of(&place, &[HOME]);
    place.run(&["apply", "--yes"]).expect(0);
    place.world(|world| {
        world.betterstack().with_monitors(|monitor| {
            for (key, value) in [
                ("paused_at", json!("2026-11-01T00:00:00Z")),
                ("status", json!("paused")),
                ("regions", json!(["eu"])),
                ("recovery_period", json!(900)),
                ("team_wait", json!(60)),
                ("remember_cookies", json!(false)),
                ("ssl_expiration", json!(7)),
                ("monitor_group_id", json!(12)),
                ("maintenance_from", json!("02:00:00")),
            ] {
                monitor.insert(key.to_owned(), value);
            }
            true
        });
    });
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    checks_of(&place, &[r#"{ name: Home, url: "https://acme.example/", every: 10m }"#]);
    place.run(&["apply", "--yes"]).expect(0);
    let home = monitor(&place, "Home");
    assert_eq!(
        (&home["status"], &home["check_frequency"]),
        (&json!("paused"), &json!(600))
    );
    assert_eq!(
        (&home["recovery_period"], &home["ssl_expiration"]),
        (&json!(900), &json!(7))
    );
    checks_of(
        &place,
        &[r#"{ name: Home, url: "https://acme.example/", every: 10m, paused: false }"#],
    );
    place.run(&["apply", "--yes"]).expect(0);
    assert!(monitor(&place, "Home")["paused_at"].is_null());
}

#[test]
fn a_password_that_comes_back_in_clear_goes_nowhere() {
    let place = betterstack();
    place.world(|world| {
        world.betterstack().add_monitor(&json!({
            "pronounceable_name": "By hand", "url": "https://acme.example/", "auth_password": CANARY,
            "request_headers": [{"id": "7", "name": "Authorization", "value": CANARY}],
        }));
    });
    checks_of(
        &place,
        &[r#"{ name: Home, url: "https://acme.example/", headers: { X-Probe: "1" } }"#],
    );
    let plan = place.run(&["plan", "--json", "--out", "plan.json", "-vv"]).expect(0);
    assert_eq!(
        changes(&plan.json()),
        ["create uptime/contact/ops", "update uptime/monitor/home"]
    );
    assert!(!plan.all().contains(CANARY));
    let applied = place.run(&["apply", "--yes", "-vv"]).expect(0);
    assert!(!applied.all().contains(CANARY));
    place.is_clean();
    let refused = place.run(&["rollback", "--yes"]).expect(1);
    assert!(refused.out.contains("kept nowhere here"), "{}", refused.out);
}

#[test]
fn a_token_of_several_teams_names_its_team_in_everything_that_is_made() {
    let place = betterstack();
    place.world(|world| world.betterstack().serve_several_teams());
    let spec = |team: &str| {
        place.write(
            "launch.yaml",
            &format!(
                "version: 1\nproject: Acme\nproviders:\n  betterstack: {{ account: {team} }}\nuptime:\n  provider: betterstack\n  alert: [ops]\n  contacts: {{ ops: {{ email: ops@acme.example }} }}\n  checks:\n    - {HOME}\n"
            ),
        );
    };
    spec("Sandbox");
    place.run(&["apply", "--yes"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    spec("Nobody");
    let refused = place.run(&["plan"]).expect(1);
    assert!(refused.err.contains("Team was not found"), "{}", refused.err);
}

#[test]
fn somebody_who_is_not_in_the_team_is_told_of_before_and_refused_in_its_words() {
    let place = betterstack();
    place.world(|world| world.betterstack().close_the_team(&["owner@acme.example"]));
    checks_of(&place, &[HOME]);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(codes(&plan, "warnings"), ["member-needed"]);
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(refused.all().contains("not found in your team"), "{}", refused.all());
    assert!(account(&place).iter().all(Vec::is_empty), "nothing was half made");
}

#[test]
fn a_mailbox_in_other_letters_and_a_template_written_in_another_way_are_the_same() {
    let place = betterstack();
    place.checks(
        "betterstack",
        "  alert: [ops]\n  contacts: { ops: { email: Ops@acme.example }, chat: { slack: env:SLACK_WEBHOOK_URL } }\n  checks:\n    - { name: Home, url: \"https://acme.example/\", alert: [ops, chat] }\n",
    );
    place.run(&["apply", "--yes"]).expect(0);
    place.world(|world| {
        world.betterstack().with_policies(|policy| {
            let steps = policy["steps"].to_string().replace("Ops@", "ops@");
            policy["steps"] = serde_json::from_str(&steps).unwrap();
        });
        world.betterstack().with_webhooks(|webhook| {
            let template = &mut webhook["custom_webhook_template_attributes"]["body_template"];
            *template = json!(template.as_str().unwrap().replace("{\"text\":", "{ \"text\" : "));
        });
    });
    let again = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}", again.all());
}

#[test]
fn a_policy_that_was_changed_by_hand_is_brought_back() {
    let place = betterstack();
    example(&place);
    place.run(&["apply", "--yes"]).expect(0);
    let before = account(&place);
    place.world(|world| {
        world.betterstack().with_policies(|policy| {
            policy["steps"][0]["wait_before"] = json!(1_200);
        });
    });
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(
        changes(&plan),
        ["update uptime/contact/ops", "update uptime/monitor/api-health"]
    );
    place.run(&["apply", "--yes"]).expect(0);
    let again = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}", again.all());
    assert_eq!(account(&place)[1].len(), before[1].len(), "the changed one is gone");
}

#[test]
fn a_refusal_without_json_and_a_service_in_trouble_are_met() {
    for (fault, code) in [
        ("1:502", 0),
        ("2:429", 0),
        ("w1:429", 0),
        ("*:502", 1),
        ("*:html", 1),
        ("*:garbage", 1),
    ] {
        let place = betterstack();
        checks_of(&place, &[HOME]);
        place.faults(&[fault]);
        let ran = place.run(&["apply", "--yes"]);
        assert_eq!(ran.code, code, "{fault}: {}", ran.all());
        if code == 1 {
            assert!(ran.err.contains("could not read"), "{}", ran.err);
        }
    }
}

#[test]
fn a_busy_service_that_does_not_say_how_long_is_asked_again() {
    let place = betterstack();
    place.world(|world| world.betterstack().set_rate_limit(6, Duration::from_secs(1)));
    checks_of(&place, &[HOME]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(account(&place).map(|all| all.len()), [1, 1, 0, 1, 0]);
}

#[test]
fn a_plan_gate_is_shown_as_it_is() {
    let place = betterstack();
    checks_of(&place, &[HOME]);
    place.faults(&["w2:403"]);
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(
        refused.all().contains("Your current plan doesn't include this") && refused.all().contains("larger plan"),
        "{}",
        refused.all()
    );
}

#[test]
fn heartbeats_are_made_marked_found_again_and_their_address_is_never_seen() {
    let place = betterstack();
    place.world(|world| world.betterstack().hide_in_heartbeats(CANARY));
    let spec = |more: &str| {
        checks_of(&place, &[HOME, &format!("{{ name: Backup, heartbeat: 1d{more} }}")]);
    };
    spec("");
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert!(
        codes(&plan, "warnings").contains(&"secret-address".to_owned()),
        "{plan}"
    );
    let applied = place.run(&["apply", "--yes", "-vv"]).expect(0);
    assert!(!applied.all().contains(CANARY), "{}", applied.all());
    let [.., heartbeats] = place.world(|world| world.betterstack().contents());
    assert_eq!(
        (&heartbeats[0]["period"], &heartbeats[0]["grace"]),
        (&json!(86_400), &json!(17_280))
    );
    assert!(heartbeats[0]["url"].to_string().contains(CANARY) && heartbeats[0]["policy_id"].is_string());
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    let before = account(&place);
    spec(", grace: 2h, paused: true");
    place.run(&["apply", "--yes"]).expect(0);
    let [.., heartbeats] = place.world(|world| world.betterstack().contents());
    assert_eq!(
        (&heartbeats[0]["grace"], &heartbeats[0]["status"]),
        (&json!(7_200), &json!("paused"))
    );
    // Known by its mark, whatever it is called.
    place.world(|world| {
        world.betterstack().with_heartbeats(|heartbeat| {
            heartbeat.insert("name".to_owned(), json!("Renamed"));
            true
        });
    });
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan), ["update uptime/monitor/backup"]);
    checks_of(&place, &[HOME]);
    place.run(&["apply", "--yes"]).expect(0);
    assert!(account(&place)[4].is_empty() && account(&place)[3].len() == 1);
    place.run(&["rollback", "--yes"]).expect(0);
    let now = account(&place);
    assert_eq!(
        (now[3].len(), now[4].len()),
        (before[3].len(), 1),
        "made anew and marked"
    );
    place.is_clean();
}

#[test]
fn a_heartbeat_that_was_made_and_not_marked_is_found_by_its_name() {
    for fault in ["w2:500-after", "w2:drop-after"] {
        let place = betterstack();
        place.faults(&[fault]);
        checks_of(&place, &["{ name: Backup, heartbeat: 1h }"]);
        place.run(&["apply", "--yes"]).expect(0);
        assert_eq!(creates(&place, "/heartbeats"), 1, "{fault}");
        place.run(&["plan", "--detailed-exitcode"]).expect(0);
    }
}

#[test]
fn a_check_that_becomes_a_heartbeat_is_another_object() {
    let place = betterstack();
    checks_of(&place, &[HOME]);
    place.run(&["apply", "--yes"]).expect(0);
    let before = account(&place);
    checks_of(&place, &["{ name: Home, heartbeat: 1h, grace: 5m }"]);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert!(codes(&plan, "warnings").contains(&"history-lost".to_owned()), "{plan}");
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(account(&place).map(|all| all.len()), [0, 1, 0, 1, 1]);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(account(&place), before);
}

#[test]
fn windows_bodies_and_questions_are_held_or_refused_with_the_nearest() {
    let place = betterstack();
    let spec = |lenient: &str| {
        place.checks(
            "betterstack",
            &format!(
                r#"
{lenient}  alert: [ops]
  contacts: {{ ops: {{ email: ops@acme.example }} }}
  maintenance:
    night: {{ repeat: daily, at: "23:30", for: 1h, zone: Europe/Amsterdam }}
    sunday: {{ repeat: weekly, days: [sunday], at: "03:00", for: 90m }}
    first: {{ repeat: monthly, days: [1], at: "03:00", for: 90m }}
  checks:
    - {{ name: Home, url: "https://acme.example/", maintenance: [night], confirm: 1m, recover: 5m, warn_domain: 14d }}
    - {{ name: Form, url: "https://acme.example/form", method: post, body: '{{"a": "ä & <b>"}}', maintenance: [sunday] }}
    - {{ name: Names, dns: acme.example, server: ns1.acme.example, answers: [192.0.2.1] }}
    - {{ name: Ping, ping: acme.example, timeout: 2s, maintenance: [] }}
"#
            ),
        );
    };
    spec("");
    let refused = place.run(&["plan"]).expect(1);
    assert!(
        refused.out.contains("`answers`") && refused.out.contains("any answer"),
        "{}",
        refused.out
    );
    spec("  on_unsupported: warn\n");
    place.run(&["apply", "--yes"]).expect(0);
    let again = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}", again.all());
    let home = monitor(&place, "Home");
    assert_eq!(
        (
            &home["maintenance_from"],
            &home["maintenance_to"],
            &home["maintenance_timezone"]
        ),
        (&json!("23:30:00"), &json!("00:30:00"), &json!("Amsterdam"))
    );
    assert_eq!(
        (
            &home["confirmation_period"],
            &home["recovery_period"],
            &home["domain_expiration"]
        ),
        (&json!(60), &json!(300), &json!(14))
    );
    assert_eq!(monitor(&place, "Form")["maintenance_days"], json!(["sun"]));
    assert_eq!(monitor(&place, "Names")["request_body"], "acme.example");
    assert_eq!(monitor(&place, "Ping")["request_timeout"], 2_000);
    place.run(&["rollback", "--yes"]).expect(0);
    assert!(account(&place).iter().all(Vec::is_empty));
    // What comes back once a month has nothing near it.
    checks_of(&place, &[HOME]);
    let text = std::fs::read_to_string(place.path("launch.yaml")).unwrap();
    let text = text
        .replace("  checks:", "  on_unsupported: warn\n  maintenance: { first: { repeat: monthly, days: [1], at: \"03:00\", for: 90m } }\n  checks:")
        .replace("acme.example/\" }", "acme.example/\", maintenance: [first] }");
    place.write("launch.yaml", &text);
    let refused = place.run(&["plan", "--json"]).expect(1).json();
    assert_eq!(codes(&refused, "refusals"), ["unsupported"]);
}
