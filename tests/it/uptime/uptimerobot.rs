//! UptimeRobot: there and back, and what is ours and what is not.

use launchctl::sandbox::uptimerobot::Paid;
use serde_json::{Value, json};

use super::{EXAMPLE, HOOK, changes, codes, uptimerobot};
use crate::support::{CANARY, Place, until};
use crate::views::fits;

const HOME: &str = r#"{ name: Home, url: "https://acme.example/" }"#;
const MAIL: &str = r#"{ name: Mail, tcp: "smtp.acme.example:587" }"#;

#[test]
fn the_example_there_and_back() {
    let place = uptimerobot();
    place.checks("uptimerobot", EXAMPLE);
    let start = place.account();
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
    assert_eq!(place.account(), start, "a plan changes nothing");
    place.run(&["apply", "--yes"]).expect(0);
    let home = place.monitor("Homepage");
    assert_eq!(
        (&home["type"], &home["keywordType"]),
        (&json!("KEYWORD"), &json!("ALERT_NOT_EXISTS"))
    );
    assert_eq!(
        (&home["httpMethodType"], &home["sslExpirationReminder"]),
        (&json!("GET"), &json!(true))
    );
    assert_eq!(home["config"]["sslExpirationPeriodDays"], json!([21]));
    assert_eq!(
        place.monitor("API health")["assignedAlertContacts"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.sandbox().clear_log();
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.writes(), 0, "a second apply writes nothing");
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.account(), start);
    place.run(&["plan", "--detailed-exitcode"]).expect(2);
}

#[test]
fn the_same_in_the_sandbox_of_the_command_line() {
    let place = uptimerobot();
    place.checks("uptimerobot", EXAMPLE);
    place.run(&["apply", "--sandbox", "--yes"]).expect(0);
    place.run(&["plan", "--sandbox", "--detailed-exitcode"]).expect(0);
    let rehearsed = place.run(&["rehearse", "--empty", "--kill"]).expect(0);
    assert!(rehearsed.out.contains("All as it should be"), "{}", rehearsed.out);
    assert!(place.sandbox().log().is_empty(), "the account itself was not asked");
    place.is_clean();
}

#[test]
fn a_rehearsal_begins_with_a_copy_of_the_account() {
    let mut place = uptimerobot();
    place.world(|world| {
        let account = world.uptimerobot();
        account.pay(Paid::Team, 20);
        account.add_window(&json!({"name": "Everybody", "autoAddMonitors": true}));
        account.add_monitor(&json!({"friendlyName": "Theirs", "url": "https://other.example/", "customHttpHeaders": {"X-Token": CANARY}}));
        account.add_monitor(&json!({"friendlyName": "Beat", "type": "HEARTBEAT", "url": format!("https://beat.example/{CANARY}")}));
        account.add_monitor(&json!({"friendlyName": "By hand", "url": "https://acme.example/pricing", "httpMethodType": "GET"}));
    });
    place.checks("uptimerobot", EXAMPLE);
    place.run(&["apply", "--yes"]).expect(0);
    let before = place.account();
    // One goes, one is taken over, one becomes another type, one stays.
    let changed = EXAMPLE
        .replace(
            "    - { name: Mail server, tcp: \"smtp.acme.example:587\" }\n",
            "    - { name: Pricing, url: \"https://acme.example/pricing\", maintenance: [night] }\n",
        )
        .replace(", contains: Sign in", "")
        .replace(
            "  checks:\n",
            "  maintenance: { night: { repeat: daily, at: \"02:00\", for: 1h } }\n  checks:\n",
        );
    place.checks("uptimerobot", &changed);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    let asked = [
        "delete uptime/monitor/mail-server",
        "update uptime/monitor/homepage",
        "update uptime/monitor/pricing",
    ];
    for change in asked {
        assert!(
            changes(&plan).contains(&change.to_owned()),
            "{change}: {:?}",
            changes(&plan)
        );
    }
    place.sandbox().clear_log();
    let rehearsed = place.run(&["rehearse", "--kill"]).expect(0);
    assert!(
        rehearsed.out.contains("a copy of what is live") && rehearsed.out.contains("All as it should be"),
        "{}",
        rehearsed.out
    );
    assert!(
        rehearsed.out.contains("1 to create, 2 to change, 1 to delete"),
        "{}",
        rehearsed.out
    );
    assert_eq!(place.writes(), 0, "the account itself is only read");
    assert_eq!(place.account(), before);
    assert!(!rehearsed.all().contains(CANARY), "{}", rehearsed.all());
    place.is_clean();
    // Without the key there is nothing to copy, and that is said.
    place.environment.remove("UPTIMEROBOT_API_KEY");
    let rehearsed = place.run(&["rehearse"]).expect(0);
    assert!(rehearsed.out.contains("UPTIMEROBOT_API_KEY"), "{}", rehearsed.out);
}

#[test]
fn what_comes_back_in_another_form_is_no_difference() {
    let place = uptimerobot();
    place.world(|world| world.uptimerobot().behave_otherwise());
    place.checks(
        "uptimerobot",
        r#"
  alert: [{ contact: zoe, after: 5m }, ops]
  contacts: { ops: { email: Ops@ACME.example }, zoe: { email: zoe@acme.example } }
  checks:
    - { name: 'A & B <x> "größe" &amp;', url: "https://acme.example/?a=1&b=2#top", expect: { status: [404, 2xx, 200], lacks: 'Error & <b>', ignore_case: true }, labels: [web, team-a], regions: [asia, europe], confirm: 2 }
    - { name: Headers, url: "HTTPS://App.acme.example", method: post, headers: { X-Probe: one, Authorization: env:SLACK_WEBHOOK_URL }, follow_redirects: false, verify_tls: false }
    - { name: Ping, ping: VPN.acme.example, paused: true }
    - { name: Six, tcp: "[2001:db8::1]:25", every: 10m, timeout: 10s }
"#,
    );
    fits("plan", &place.run(&["plan", "--json"]).expect(0).json());
    let applied = place.run(&["apply", "--yes", "--json"]).expect(0).json();
    let run = applied["run"].as_str().unwrap();
    fits("history-run", &place.run(&["history", run, "--json"]).expect(0).json());
    assert_eq!(place.monitor("Ping")["status"], "PAUSED");
    let again = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}", again.all());
    // A header that the service adds by itself, and another order of everything.
    place.world(|world| {
        world.uptimerobot().with_monitors(|monitors| {
            for monitor in monitors.iter_mut() {
                if monitor["friendlyName"] == "Headers" {
                    monitor["customHttpHeaders"]["Content-Type"] = json!("application/json");
                }
                for list in ["tags", "assignedAlertContacts", "successHttpResponseCodes"] {
                    monitor
                        .get_mut(list)
                        .and_then(|list| list.as_array_mut())
                        .unwrap()
                        .reverse();
                }
            }
        });
    });
    let again = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}", again.all());
    place.is_clean();
}

#[test]
fn a_change_sends_what_changed_and_a_rollback_leads_back() {
    let place = uptimerobot();
    place.checks_of(&[HOME, MAIL]);
    place.run(&["apply", "--yes"]).expect(0);
    let before = place.account();
    place.checks_of(&[
        r#"{ name: Home, url: "https://acme.example/", every: 1m, expect: { status: 204 }, paused: true }"#,
    ]);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(
        changes(&plan),
        ["update uptime/monitor/home", "delete uptime/monitor/mail"]
    );
    assert_eq!(
        codes(&plan, "warnings")
            .iter()
            .filter(|code| *code == "history-lost")
            .count(),
        1
    );
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.monitor("Home")["interval"], 60);
    assert_eq!(place.monitor("Home")["status"], "PAUSED");
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    let undone = place.run(&["rollback", "--yes"]).expect(0);
    assert!(
        undone
            .out
            .contains("uptime/monitor/mail is made anew: what was measured before"),
        "{}",
        undone.out
    );
    assert_eq!(place.account(), before);
}

#[test]
fn what_others_made_is_listed_and_left_alone() {
    let place = uptimerobot();
    place.world(|world| {
        let account = world.uptimerobot();
        account.add_monitor(&json!({"friendlyName": "Theirs", "url": "https://other.example/"}));
        account.add_monitor(&json!({"friendlyName": "Beat", "type": "HEARTBEAT", "url": format!("https://beat.example/{CANARY}")}));
        account.add_monitor(&json!({
            "friendlyName": "Other spec", "url": "https://acme.example/", "tags": [{"id": 1, "name": "launchctl-other--home"}],
        }));
    });
    let start = place.account();
    place.checks_of(&[MAIL]);
    let plan = place.run(&["plan", "--json"]).expect(0);
    assert_eq!(plan.json()["summary"]["unmanaged"], 4);
    assert!(!plan.all().contains(CANARY), "the address of a heartbeat is a secret");
    place.run(&["apply", "--yes"]).expect(0);
    place.checks_of(&[]);
    let refused = place.run(&["plan", "--json"]);
    assert_eq!(changes(&refused.json()), ["delete uptime/monitor/mail"]);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.account(), start);
    // A monitor of another spec that asks the same is neither taken over nor doubled.
    place.checks_of(&[HOME]);
    let plan = place.run(&["plan", "--json"]).expect(1).json();
    assert_eq!(codes(&plan, "refusals"), ["double"]);
}

#[test]
fn one_that_was_made_by_hand_is_taken_over_and_given_back() {
    let place = uptimerobot();
    place.world(|world| {
        world.uptimerobot().add_monitor(&json!({
            "friendlyName": "By hand", "url": "https://acme.example/", "interval": 600, "httpMethodType": "HEAD",
            "checkSSLErrors": true, "tags": [{"id": 7, "name": "team-web"}],
        }));
        world
            .uptimerobot()
            .add_contact("Email", "ops@acme.example", "The owner", "Active");
    });
    let start = place.account();
    place.checks_of(&[HOME]);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(
        changes(&plan),
        ["update uptime/monitor/home"],
        "no second one, and no second contact"
    );
    assert_eq!(codes(&plan, "warnings"), ["taken-over"]);
    place.run(&["apply", "--yes"]).expect(0);
    let tags = place.monitor("Home")["tags"].to_string();
    assert!(
        tags.contains("team-web") && tags.contains("launchctl-acme--home"),
        "{tags}"
    );
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.account(), start);
}

#[test]
fn a_check_under_another_name_keeps_its_past() {
    let place = uptimerobot();
    place.checks_of(&[HOME]);
    place.run(&["apply", "--yes"]).expect(0);
    let id = place.monitor("Home")["id"].clone();
    let before = place.account();
    place.checks_of(&[r#"{ name: Front page, url: "https://acme.example/" }"#]);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan), ["update uptime/monitor/front-page"]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.monitor("Front page")["id"], id);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.account(), before);
}

#[test]
fn what_the_plan_has_not_is_refused_or_brought_to_the_nearest() {
    let place = uptimerobot();
    place.world(|world| world.uptimerobot().pay(Paid::Free, 50));
    place.checks("uptimerobot", EXAMPLE);
    let refused = place.run(&["apply", "--yes"]).expect(1);
    for words in ["`every`", "300 s", "`warn_before`", "on_unsupported: warn"] {
        assert!(refused.out.contains(words), "{words}: {}", refused.out);
    }
    assert_eq!(place.writes(), 0);
    place.checks("uptimerobot", &format!("  on_unsupported: warn{EXAMPLE}"));
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(
        codes(&plan, "warnings")
            .iter()
            .filter(|code| *code == "unsupported")
            .count(),
        2
    );
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.monitor("API health")["interval"], 300);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
}

#[test]
fn an_account_that_is_full_is_seen_before_anything_is_sent() {
    let place = uptimerobot();
    place.world(|world| world.uptimerobot().pay(Paid::Solo, 1));
    place.checks_of(&[HOME, MAIL]);
    let plan = place.run(&["plan", "--json"]).expect(1).json();
    assert_eq!(codes(&plan, "refusals"), ["monitor-limit"]);
    assert!(
        plan["refusals"][0]["message"].as_str().unwrap().contains("1 monitor"),
        "{plan}"
    );
}

#[test]
fn no_credential_is_written_and_a_new_one_is_noticed() {
    let mut place = uptimerobot();
    place.checks("uptimerobot", EXAMPLE);
    let ran = place.run(&["apply", "--yes", "-vv"]).expect(0);
    assert!(!ran.all().contains(CANARY), "{}", ran.all());
    let [_, _, integrations] = place.account();
    assert!(integrations[0].contains(HOOK), "it is there all the same");
    place.run(&["plan", "--out", "plan.json"]).expect(0);
    place.is_clean();
    place.environment.insert(
        "SLACK_WEBHOOK_URL".into(),
        "https://hooks.slack.example/T1/B2/canary-9f3e77c1a5b2-new".into(),
    );
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan), ["update uptime/contact/chat"], "no second one");
    place.run(&["apply", "--yes"]).expect(0);
    let [_, _, integrations] = place.account();
    assert!(integrations.len() == 1 && integrations[0].contains("a5b2-new"));
    place.is_clean();
    // What was there before is kept nowhere, so nobody claims to bring it back.
    let refused = place.run(&["rollback", "--yes"]).expect(1);
    assert!(refused.out.contains("kept nowhere here"), "{}", refused.out);
    place.environment.remove("SLACK_WEBHOOK_URL");
    let missing = place.run(&["plan"]).expect(1);
    assert!(
        missing.err.contains("SLACK_WEBHOOK_URL is not set") && missing.err.contains("uptime/contact/chat"),
        "{}",
        missing.err
    );
}

#[test]
fn a_contact_that_others_still_tell_is_not_taken_from_them() {
    let place = uptimerobot();
    place.checks("uptimerobot", EXAMPLE);
    place.run(&["apply", "--yes"]).expect(0);
    place.world(|world| {
        let account = world.uptimerobot();
        let [_, _, integrations] = account.contents();
        let assigned = json!([{"alertContactId": integrations[0]["id"], "threshold": 0, "recurrence": 0}]);
        account.add_monitor(
            &json!({"friendlyName": "Theirs", "url": "https://other.example/", "assignedAlertContacts": assigned}),
        );
    });
    place.checks(
        "uptimerobot",
        &EXAMPLE
            .replace(", alert: [ops, chat]", "")
            .replace("    chat: { slack: env:SLACK_WEBHOOK_URL }\n", ""),
    );
    let plan = place.run(&["plan", "--json"]).expect(1).json();
    assert_eq!(codes(&plan, "refusals"), ["contact-in-use"]);
}

#[test]
fn a_block_that_is_gone_is_left_alone_and_many_deletions_are_agreed_to() {
    let place = uptimerobot();
    place.checks_of(&[HOME, MAIL, "{ name: Ping, ping: vpn.acme.example }"]);
    place.run(&["apply", "--yes"]).expect(0);
    let there = place.account();
    place.checks_of(&[]);
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(
        refused.out.contains("deletes 3 of the 5 resources that uptime holds"),
        "{}",
        refused.out
    );
    place.spec("- { type: A, name: a, value: 192.0.2.1 }");
    let plan = place.run(&["plan"]).expect(0);
    assert!(
        plan.out
            .contains("the block uptime is no longer in the spec: 4 resources"),
        "{}",
        plan.out
    );
    assert_eq!(place.account(), there);
    place.checks_of(&[]);
    place.run(&["apply", "--yes", "--allow-deletes", "3"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn another_account_is_not_ours_to_clean_up() {
    let place = uptimerobot();
    place.checks_of(&[HOME, MAIL]);
    place.run(&["apply", "--yes"]).expect(0);
    place.world(|world| world.uptimerobot().belong_to("somebody@else.example"));
    place.checks_of(&[HOME]);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert!(changes(&plan).is_empty(), "{plan}");
    assert!(codes(&plan, "warnings").contains(&"left-behind".to_owned()), "{plan}");
    place.run(&["rollback", "--yes"]).expect(1);
}

#[test]
fn a_saved_plan_is_what_was_reviewed_or_nothing() {
    let place = uptimerobot();
    place.checks_of(&[HOME, MAIL]);
    place.run(&["plan", "--out", "reviewed.json"]).expect(0);
    place.world(|world| {
        world
            .uptimerobot()
            .add_monitor(&json!({"friendlyName": "By hand", "url": "https://acme.example/"}))
    });
    let refused = place.run(&["apply", "reviewed.json", "--yes"]).expect(1);
    assert!(refused.out.contains("uptime/monitor/home"), "{}", refused.out);
    assert_eq!(place.writes(), 0);
    place.run(&["plan", "--out", "reviewed.json"]).expect(0);
    place.run(&["apply", "reviewed.json", "--yes"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn cut_off_after_a_create_the_next_apply_finds_it() {
    for write in ["w1:hang-after", "w2:hang-after", "w3:hang-after"] {
        let place = uptimerobot();
        place.checks_of(&[HOME, MAIL]);
        place.faults(&[write]);
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
        assert_eq!(place.account()[0].len(), 2, "{write}: no double");
        assert_eq!(place.account()[1].len(), 2, "{write}: no double");
        place.run(&["plan", "--detailed-exitcode"]).expect(0);
    }
}

#[test]
fn a_wrong_key_and_a_key_that_may_only_read_are_told_apart() {
    let mut place: Place = uptimerobot();
    place.checks_of(&[HOME]);
    place
        .environment
        .insert("UPTIMEROBOT_API_KEY".into(), "u1-nonsense".into());
    let wrong = place.run(&["plan"]).expect(1);
    assert!(
        wrong.err.contains("003-005") && wrong.err.contains("UPTIMEROBOT_API_KEY"),
        "{}",
        wrong.err
    );
    let doctor = place.run(&["doctor"]);
    assert!(doctor.out.contains("UptimeRobot key"), "{}", doctor.out);
    place
        .environment
        .insert("UPTIMEROBOT_API_KEY".into(), "ur1-read".into());
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(refused.all().contains("main API key"), "{}", refused.all());
}

#[test]
fn plans_read_like_a_review() {
    let place = uptimerobot();
    place.checks("uptimerobot", EXAMPLE);
    let elsewhere = place.sandbox().url_of("uptimerobot");
    let authority = elsewhere.split('/').nth(2).unwrap();
    let shown = |arguments: &[&str]| place.run(arguments).expect(0).out.replace(authority, "[SANDBOX]");
    insta::assert_snapshot!("plan_of_new_checks", shown(&["plan"]));
    insta::assert_snapshot!("plan_of_new_checks_markdown", shown(&["plan", "--markdown"]));
    // A machine is told the same number: what is only waited for writes nothing.
    let told = place.run(&["plan", "--json"]).expect(0).json();
    let asks = |step: &&Value| step["method"] == "GET";
    assert_eq!(told["steps"].as_array().unwrap().iter().filter(asks).count(), 1);
    let written = told["steps"].as_array().unwrap().len() - 1;
    assert_eq!(told["summary"]["requests"], written);
    place.run(&["apply", "--yes"]).expect(0);
    let changed = EXAMPLE
        .replace("status: 200, contains: Sign in", "status: [200, 404]")
        .replace(
            "every: 1m, alert: [ops, chat]",
            "every: 2m, alert: [{ contact: chat, after: 10m }]",
        )
        .replace("    - { name: Mail server, tcp: \"smtp.acme.example:587\" }\n", "");
    place.checks("uptimerobot", &changed);
    insta::assert_snapshot!("plan_of_changed_checks", shown(&["plan"]));
}
