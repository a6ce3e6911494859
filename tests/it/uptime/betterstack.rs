//! Better Stack: there and back, and what is ours and what is not.

use launchctl::sandbox::betterstack::Paid;
use launchctl::sandbox::{Plan, SANDBOX_TOKEN};
use serde_json::{Value, json};

use super::{EXAMPLE, HOOK, changes, codes};
use crate::support::{CANARY, Place, until};
use crate::views::fits;

pub const HOME: &str = r#"{ name: Home, url: "https://acme.example/" }"#;
pub const MAIL: &str = r#"{ name: Mail, tcp: "smtp.acme.example:587", timeout: 5s }"#;

/// A place beside a team at Better Stack.
pub fn betterstack() -> Place {
    let mut place = Place::new(Plan::Free);
    let environment = [
        ("BETTERSTACK_BASE_URL", place.sandbox().url_of("betterstack")),
        ("BETTERSTACK_API_TOKEN", SANDBOX_TOKEN.to_owned()),
        ("SLACK_WEBHOOK_URL", HOOK.to_owned()),
    ];
    let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value));
    place.environment.extend(environment);
    place
}

/// A spec with one contact and these checks.
pub fn checks_of(place: &Place, checks: &[&str]) {
    let mut lines = "  alert: [ops]\n  contacts: { ops: { email: ops@acme.example } }\n  checks:\n".to_owned();
    for check in checks {
        lines.push_str(&format!("    - {check}\n"));
    }
    place.checks("betterstack", &lines);
}

/// The example, where what cannot be held may be brought to the nearest.
pub fn example(place: &Place) {
    place.checks("betterstack", &format!("  on_unsupported: warn{EXAMPLE}"));
}

/// What the team holds, ids aside: two that read the same are the same. Who is told is named and not numbered.
pub fn account(place: &Place) -> [Vec<String>; 5] {
    let contents = place.world(|world| world.betterstack().contents());
    let names: Vec<(String, String)> = contents
        .iter()
        .flatten()
        .filter_map(|entry| {
            let name = entry.get("pronounceable_name").or(entry.get("name"))?;
            Some((entry["id"].as_str()?.to_owned(), name.as_str()?.to_owned()))
        })
        .collect();
    contents.map(|all| {
        let mut all: Vec<String> = all
            .into_iter()
            .map(|mut entry| {
                let fields = entry.as_object_mut().unwrap();
                fields.remove("id");
                // A check may have been made meanwhile.
                if fields.get("status") != Some(&json!("paused")) {
                    fields.remove("status");
                }
                for header in fields
                    .get_mut("request_headers")
                    .and_then(Value::as_array_mut)
                    .into_iter()
                    .flatten()
                {
                    header.as_object_mut().unwrap().remove("id");
                }
                let mut text = entry.to_string();
                for (id, name) in &names {
                    text = text.replace(&format!("\"{id}\""), name).replace(id, name);
                }
                text
            })
            .collect();
        all.sort();
        all
    })
}

/// One monitor of the team, by its name.
pub fn monitor(place: &Place, name: &str) -> Value {
    let [monitors, ..] = place.world(|world| world.betterstack().contents());
    let mut found = monitors
        .into_iter()
        .filter(|monitor| monitor["pronounceable_name"] == name);
    let one = found.next().unwrap_or_else(|| panic!("no monitor {name}"));
    assert!(found.next().is_none(), "two monitors {name}");
    one
}

#[test]
fn the_example_there_and_back() {
    let place = betterstack();
    place.checks("betterstack", EXAMPLE);
    let refused = place.run(&["plan"]).expect(1);
    for words in ["`warn_before`", "14d", "`status`", "on_unsupported: warn"] {
        assert!(refused.out.contains(words), "{words}: {}", refused.out);
    }
    example(&place);
    let start = account(&place);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(
        changes(&plan),
        [
            "create uptime/contact/chat",
            "create uptime/contact/ops",
            "create uptime/monitor/api-health",
            "create uptime/monitor/homepage",
            "create uptime/monitor/login-page",
            "create uptime/monitor/mail-server",
        ],
        "the certificate is a part of the homepage"
    );
    assert_eq!(account(&place), start, "a plan changes nothing");
    place.run(&["apply", "--yes"]).expect(0);
    let home = monitor(&place, "Homepage");
    assert_eq!(
        (&home["monitor_type"], &home["required_keyword"]),
        (&json!("keyword"), &json!("Sign in"))
    );
    assert_eq!(
        (&home["ssl_expiration"], &home["expiration_policy_id"].is_u64()),
        (&json!(14), &true)
    );
    let mail = monitor(&place, "Mail server");
    assert_eq!(
        (&mail["request_timeout"], &mail["port"]),
        (&json!(5_000), &json!("587"))
    );
    assert_ne!(
        monitor(&place, "API health")["policy_id"],
        home["policy_id"],
        "who is told differs"
    );
    let [_, policies, webhooks, metadata, _] = account(&place);
    assert_eq!((policies.len(), webhooks.len(), metadata.len()), (2, 1, 4));
    assert!(
        webhooks[0].contains(r#""notify_alongside_primary_responder":false"#),
        "{}",
        webhooks[0]
    );
    let again = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}", again.all());
    place.sandbox().clear_log();
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.writes(), 0, "a second apply writes nothing");
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(account(&place), start);
    place.run(&["plan", "--detailed-exitcode"]).expect(2);
}

#[test]
fn the_same_in_the_sandbox_of_the_command_line() {
    let place = betterstack();
    example(&place);
    place.run(&["apply", "--sandbox", "--yes"]).expect(0);
    place.run(&["plan", "--sandbox", "--detailed-exitcode"]).expect(0);
    let rehearsed = place.run(&["rehearse", "--empty", "--kill"]).expect(0);
    assert!(rehearsed.out.contains("All as it should be"), "{}", rehearsed.out);
    assert!(place.sandbox().log().is_empty(), "the account itself was not asked");
    place.is_clean();
}

#[test]
fn what_comes_back_in_another_form_is_no_difference() {
    let place = betterstack();
    place.world(|world| world.betterstack().behave_otherwise());
    place.checks(
        "betterstack",
        r#"
  alert: [{ contact: zoe, after: 5m, repeat: 30m }, { contact: ops, repeat: 30m }, { contact: chat, repeat: 30m }]
  contacts: { ops: { email: Ops@ACME.example }, zoe: { email: zoe@acme.example }, chat: { webhook: env:SLACK_WEBHOOK_URL } }
  checks:
    - { name: 'A & B <x> "größe" &amp;', url: "https://acme.example/?a=1&b=2#top", expect: { lacks: 'Error & <b>' }, regions: [asia, europe], confirm: 0 }
    - { name: Headers, url: "HTTPS://App.acme.example", method: post, headers: { X-Probe: one, Authorization: env:SLACK_WEBHOOK_URL }, follow_redirects: false, verify_tls: false, expect: { status: [404, 2xx, 200] } }
    - { name: Ping, ping: VPN.acme.example, paused: true, warn_domain: true }
    - { name: Six, tcp: "[2001:db8::1]:25", every: 10m, timeout: 2s }
"#,
    );
    fits("plan", &place.run(&["plan", "--json"]).expect(0).json());
    let applied = place.run(&["apply", "--yes", "--json"]).expect(0).json();
    let run = applied["run"].as_str().unwrap();
    fits("history-run", &place.run(&["history", run, "--json"]).expect(0).json());
    assert_eq!(monitor(&place, "Ping")["status"], "paused");
    let again = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}", again.all());
    // Another order of everything that is a set, and what the service adds by itself.
    place.world(|world| {
        let account = world.betterstack();
        account.with_monitors(|monitor| {
            for list in ["regions", "expected_status_codes", "request_headers"] {
                monitor.get_mut(list).and_then(Value::as_array_mut).unwrap().reverse();
            }
            monitor.insert("team_wait".to_owned(), json!(120));
            true
        });
        account.with_policies(|policy| {
            for step in policy["steps"].as_array_mut().unwrap() {
                step["step_members"].as_array_mut().unwrap().reverse();
                step["urgency_id"] = json!(7);
            }
        });
    });
    let again = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}", again.all());
    place.is_clean();
    place.run(&["rollback", "--yes"]).expect(0);
    assert!(account(&place).iter().all(Vec::is_empty));
}

#[test]
fn a_change_sends_what_changed_and_a_rollback_leads_back() {
    let place = betterstack();
    checks_of(&place, &[HOME, MAIL]);
    place.run(&["apply", "--yes"]).expect(0);
    let before = account(&place);
    checks_of(
        &place,
        &[r#"{ name: Home, url: "https://acme.example/", every: 1m, expect: { status: 204 }, paused: true }"#],
    );
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(
        changes(&plan),
        ["update uptime/monitor/home", "delete uptime/monitor/mail"]
    );
    let lost = codes(&plan, "warnings")
        .into_iter()
        .filter(|code| code == "history-lost")
        .count();
    assert_eq!(lost, 1);
    place.run(&["apply", "--yes"]).expect(0);
    let home = monitor(&place, "Home");
    assert_eq!(
        (&home["check_frequency"], &home["status"]),
        (&json!(60), &json!("paused"))
    );
    assert_eq!(home["expected_status_codes"], json!([204]));
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    let undone = place.run(&["rollback", "--yes"]).expect(0);
    let words = "uptime/monitor/mail is made anew: what was measured before";
    assert!(undone.out.contains(words), "{}", undone.out);
    // That it ran again is not said by the first spec, so it goes on resting only as long as nobody says otherwise.
    assert_eq!(account(&place)[1..], before[1..]);
    assert_eq!(monitor(&place, "Home")["check_frequency"], 300);
    assert_eq!(monitor(&place, "Home")["expected_status_codes"], json!([]));
}

#[test]
fn who_is_told_changes_with_its_policies_and_comes_back() {
    let place = betterstack();
    let spec = |alert: &str| {
        place.checks(
            "betterstack",
            &format!(
                "  contacts: {{ ops: {{ email: ops@acme.example }}, chat: {{ slack: env:SLACK_WEBHOOK_URL }} }}\n  checks:\n    - {{ name: Home, url: \"https://acme.example/\", alert: {alert} }}\n    - {{ name: Other, url: \"https://acme.example/o\", alert: [ops, chat] }}\n"
            ),
        );
    };
    spec("[ops, chat]");
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(account(&place)[1].len(), 2, "one policy for ops, one for both");
    let mut states = vec![account(&place)];
    for alert in [
        "[ops]",
        "[chat]",
        "[{ contact: chat }, { contact: ops, after: 10m }]",
        "[]",
    ] {
        spec(alert);
        place.run(&["apply", "--yes"]).expect(0);
        let again = place.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(again.code, 0, "{alert}: {}", again.all());
        states.push(account(&place));
    }
    let silent = monitor(&place, "Home");
    assert!(
        silent["policy_id"].is_null() && silent["email"] == false && silent["push"] == false,
        "{silent}"
    );
    let policies: Vec<usize> = states.iter().map(|state| state[1].len()).collect();
    assert_eq!(policies, [2, 2, 3, 3, 2], "a policy that nothing uses any more is gone");
    place.run(&["rollback", "--yes"]).expect(0);
    // With a policy the flags of the person on call mean nothing; they are not given back.
    let told = account(&place)[0].concat();
    assert!(
        told.contains("\"policy_id\":launchctl-acme: chat, ops after 10 min,"),
        "{told}"
    );
    assert_eq!(account(&place)[1..], states[3][1..]);
}

#[test]
fn what_others_made_is_listed_and_left_alone() {
    let place = betterstack();
    place.world(|world| {
        let account = world.betterstack();
        let steps = json!([{"type": "escalation", "wait_before": 0, "step_members": [{"type": "current_on_call"}]}]);
        let night = account.add_policy("Night shift", &steps);
        account.add_monitor(&json!({
            "pronounceable_name": "Theirs", "url": "https://other.example/", "policy_id": night.to_string(),
        }));
        account.add_monitor(&json!({"pronounceable_name": "Script", "monitor_type": "playwright", "url": format!("https://x.example/{CANARY}")}));
    });
    let start = account(&place);
    checks_of(&place, &[MAIL]);
    let plan = place.run(&["plan", "--json"]).expect(0);
    assert_eq!(plan.json()["summary"]["unmanaged"], 3);
    assert!(!plan.all().contains(CANARY));
    place.run(&["apply", "--yes"]).expect(0);
    checks_of(&place, &[]);
    assert_eq!(
        changes(&place.run(&["plan", "--json"]).json()),
        ["delete uptime/monitor/mail"]
    );
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(account(&place), start);
}

#[test]
fn one_that_was_made_by_hand_is_taken_over_and_given_back() {
    let place = betterstack();
    place.world(|world| {
        let account = world.betterstack();
        let steps = json!([{"type": "escalation", "wait_before": 0, "step_members": [{"type": "entire_team"}]}]);
        let night = account.add_policy("Night shift", &steps);
        account.add_monitor(&json!({
            "pronounceable_name": "By hand", "url": "https://acme.example", "check_frequency": 600, "http_method": "head",
            "monitor_type": "expected_status_code", "expected_status_codes": [200, 301], "expiration_policy_id": night,
            "call": true, "push": false,
        }));
        account.add_monitor(&json!({
            "pronounceable_name": "By hand too", "url": "smtp.acme.example", "port": "587", "monitor_type": "tcp",
            "request_timeout": 500, "policy_id": night.to_string(),
        }));
    });
    let start = account(&place);
    checks_of(&place, &[HOME, MAIL]);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(
        changes(&plan),
        [
            "create uptime/contact/ops",
            "update uptime/monitor/home",
            "update uptime/monitor/mail"
        ],
        "no second one"
    );
    assert_eq!(
        codes(&plan, "warnings")
            .iter()
            .filter(|code| *code == "taken-over")
            .count(),
        2
    );
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(account(&place)[3].len(), 2, "both are marked");
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    // The address is the same in the form that a URL parser prints.
    let given_back = account(&place).map(|all| {
        all.into_iter()
            .map(|text| text.replace("acme.example/\"", "acme.example\""))
            .collect::<Vec<_>>()
    });
    assert_eq!(given_back, start);
}

#[test]
fn a_check_under_another_name_keeps_its_past() {
    let place = betterstack();
    checks_of(&place, &[HOME]);
    place.run(&["apply", "--yes"]).expect(0);
    let id = monitor(&place, "Home")["id"].clone();
    let before = account(&place);
    checks_of(&place, &[r#"{ name: Front page, url: "https://acme.example/" }"#]);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan), ["update uptime/monitor/front-page"]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(monitor(&place, "Front page")["id"], id);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(account(&place), before);
}

#[test]
fn no_credential_is_written_and_a_new_one_is_noticed() {
    let mut place = betterstack();
    example(&place);
    let ran = place.run(&["apply", "--yes", "-vv"]).expect(0);
    assert!(!ran.all().contains(CANARY), "{}", ran.all());
    assert!(account(&place)[2][0].contains(HOOK), "it is there all the same");
    place.run(&["plan", "--out", "plan.json"]).expect(0);
    place.is_clean();
    place
        .environment
        .insert("SLACK_WEBHOOK_URL".into(), format!("{HOOK}-new"));
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan), ["update uptime/contact/chat"], "no second one");
    place.run(&["apply", "--yes"]).expect(0);
    let [_, _, webhooks, ..] = account(&place);
    assert!(webhooks.len() == 1 && webhooks[0].contains("a5b2-new"));
    place.is_clean();
    // What was there before is kept nowhere, so nobody claims to bring it back.
    let refused = place.run(&["rollback", "--yes"]).expect(1);
    assert!(refused.out.contains("kept nowhere here"), "{}", refused.out);
    place.environment.remove("SLACK_WEBHOOK_URL");
    let missing = place.run(&["plan"]).expect(1);
    assert!(missing.err.contains("SLACK_WEBHOOK_URL is not set"), "{}", missing.err);
}

#[test]
fn a_contact_that_others_still_tell_is_not_taken_from_them() {
    let place = betterstack();
    checks_of(&place, &[HOME]);
    place.run(&["apply", "--yes"]).expect(0);
    place.world(|world| {
        let account = world.betterstack();
        let [_, policies, ..] = account.contents();
        account.add_monitor(&json!({
            "pronounceable_name": "Theirs", "url": "https://other.example/", "expiration_policy_id": policies[0]["id"],
        }));
    });
    place.checks(
        "betterstack",
        "  contacts: { new: { email: new@acme.example } }\n  alert: [new]\n  checks:\n    - { name: Home, url: \"https://acme.example/\" }\n",
    );
    let plan = place.run(&["plan", "--json"]).expect(1).json();
    assert_eq!(codes(&plan, "refusals"), ["contact-in-use"]);
}

#[test]
fn a_mailbox_that_changes_takes_every_policy_along() {
    let place = betterstack();
    let spec = |mailbox: &str| {
        place.checks(
            "betterstack",
            &format!(
                "  contacts: {{ ops: {{ email: {mailbox} }}, chat: {{ webhook: env:SLACK_WEBHOOK_URL }} }}\n  checks:\n    - {{ name: Home, url: \"https://acme.example/\", alert: [ops] }}\n    - {{ name: Other, url: \"https://acme.example/o\", alert: [ops, chat] }}\n"
            ),
        );
    };
    spec("one@acme.example");
    place.run(&["apply", "--yes"]).expect(0);
    let before = account(&place);
    spec("two@acme.example");
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan), ["update uptime/contact/ops"]);
    place.run(&["apply", "--yes"]).expect(0);
    let again = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}", again.all());
    assert!(!account(&place)[1].concat().contains("one@acme.example"));
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(account(&place), before);
    place.run(&["plan", "--detailed-exitcode"]).expect(2);
}

#[test]
fn contacts_that_cannot_be_made_are_refused_with_the_nearest() {
    let place = betterstack();
    place.checks(
        "betterstack",
        "  contacts: { ops: { sms: \"+441632960961\" } }\n  alert: [ops]\n  checks:\n    - { name: Home, url: \"https://acme.example/\" }\n",
    );
    let refused = place.run(&["plan"]).expect(1);
    assert!(refused.out.contains("`email` of the member"), "{}", refused.out);
    checks_of(&place, &[HOME]);
    place.run(&["apply", "--yes"]).expect(0);
    place.checks(
        "betterstack",
        "  contacts: { ops: { slack: env:SLACK_WEBHOOK_URL } }\n  alert: [ops]\n  checks:\n    - { name: Home, url: \"https://acme.example/\" }\n",
    );
    let plan = place.run(&["plan", "--json"]).expect(1).json();
    assert_eq!(codes(&plan, "refusals"), ["another-kind"]);
}

#[test]
fn a_saved_plan_is_what_was_reviewed_or_nothing() {
    let place = betterstack();
    checks_of(&place, &[HOME, MAIL]);
    place.run(&["plan", "--out", "reviewed.json"]).expect(0);
    place.world(|world| {
        world
            .betterstack()
            .add_monitor(&json!({"pronounceable_name": "By hand", "url": "https://acme.example/"}))
    });
    let refused = place.run(&["apply", "reviewed.json", "--yes"]).expect(1);
    assert!(refused.out.contains("uptime/monitor/home"), "{}", refused.out);
    assert_eq!(place.writes(), 0);
    place.run(&["plan", "--out", "reviewed.json"]).expect(0);
    place.run(&["apply", "reviewed.json", "--yes"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn cut_off_after_any_write_the_next_apply_finds_it() {
    for write in 1..=5 {
        let place = betterstack();
        checks_of(&place, &[HOME, MAIL]);
        place.faults(&[&format!("w{write}:hang-after")]);
        let mut child = place.start(&["apply", "--yes"]);
        until("the request hangs", || place.sandbox().hanging() > 0);
        child.kill().unwrap();
        child.wait().unwrap();
        place.faults(&[]);
        let plan = place.run(&["plan", "--json"]).expect(0).json();
        assert!(
            codes(&plan, "warnings").contains(&"unfinished-run".to_owned()),
            "{plan}"
        );
        place.run(&["apply", "--yes"]).expect(0);
        let sizes = account(&place).map(|all| all.len());
        assert_eq!(sizes, [2, 1, 0, 2, 0], "{write}: no double, and both are marked");
        place.run(&["plan", "--detailed-exitcode"]).expect(0);
    }
}

#[test]
fn a_wrong_token_is_told_by_doctor_and_by_a_plan() {
    let mut place = betterstack();
    checks_of(&place, &[HOME]);
    let doctor = place.run(&["doctor"]);
    assert!(
        doctor.out.contains("Better Stack token") && doctor.out.contains("0 monitors"),
        "{}",
        doctor.out
    );
    place
        .environment
        .insert("BETTERSTACK_API_TOKEN".into(), "nonsense".into());
    let wrong = place.run(&["plan"]).expect(1);
    assert!(
        wrong.err.contains("Invalid Team API token") && wrong.err.contains("BETTERSTACK_API_TOKEN"),
        "{}",
        wrong.err
    );
    place.environment.remove("BETTERSTACK_API_TOKEN");
    let missing = place.run(&["plan"]).expect(1);
    assert!(missing.err.contains("Settings, API tokens"), "{}", missing.err);
}

#[test]
fn plans_read_like_a_review() {
    let place = betterstack();
    example(&place);
    let elsewhere = place.sandbox().url_of("betterstack");
    let authority = elsewhere.split('/').nth(2).unwrap();
    let shown = |arguments: &[&str]| place.run(arguments).expect(0).out.replace(authority, "[SANDBOX]");
    insta::assert_snapshot!("plan_of_new_checks", shown(&["plan"]));
    place.run(&["apply", "--yes"]).expect(0);
    let changed = EXAMPLE
        .replace("status: 200, contains: Sign in", "status: [200, 404]")
        .replace(
            "every: 1m, alert: [ops, chat]",
            "every: 2m, alert: [{ contact: chat, after: 10m }]",
        )
        .replace("    - { name: Mail server, tcp: \"smtp.acme.example:587\" }\n", "");
    place.checks("betterstack", &format!("  on_unsupported: warn{changed}"));
    insta::assert_snapshot!("plan_of_changed_checks", shown(&["plan"]));
}

#[test]
fn a_plan_that_is_too_small_refuses_in_its_own_words() {
    for otherwise in [false, true] {
        let place = betterstack();
        place.world(|world| {
            let account = world.betterstack();
            account.pay(Paid::Free);
            if otherwise {
                account.behave_otherwise();
            }
        });
        checks_of(
            &place,
            &[r#"{ name: Home, url: "https://acme.example/", expect: { contains: Hello } }"#],
        );
        let refused = place.run(&["apply", "--yes"]).expect(1);
        assert!(
            refused.all().contains("doesn't include keyword monitors"),
            "{}",
            refused.all()
        );
        checks_of(&place, &[r#"{ name: Home, url: "https://acme.example/", every: 1m }"#]);
        let refused = place.run(&["apply", "--yes"]).expect(1);
        assert!(
            refused.all().contains("check_frequency may be 180") && refused.all().contains("nearest to 60 is 180"),
            "{}",
            refused.all()
        );
        checks_of(&place, &[HOME]);
        place.run(&["apply", "--yes"]).expect(0);
    }
}
