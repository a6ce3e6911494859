//! What UptimeRobot is known to surprise with (facts A4 and A8), each with a test that fails when it is not met.

use std::time::Duration;

use launchctl::sandbox::uptimerobot::Paid;
use serde_json::json;

use super::{EXAMPLE, HOOK, changes, codes, uptimerobot};
use crate::support::CANARY;

const HOME: &str = r#"{ name: Home, url: "https://acme.example/" }"#;
const MAIL: &str = r#"{ name: Mail, tcp: "smtp.acme.example:587" }"#;

#[test]
fn lists_that_lag_behind_are_waited_for() {
    for lag in 1..=3 {
        let place = uptimerobot();
        place.world(|world| world.uptimerobot().lag(lag));
        place.checks_of(&[HOME, MAIL]);
        place.run(&["apply", "--yes"]).expect(0);
        let again = place.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(again.code, 0, "{lag}: {}", again.all());
        // What was deleted is still shown for a while.
        place.checks_of(&[HOME]);
        place.run(&["apply", "--yes"]).expect(0);
        let again = place.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(again.code, 0, "{lag}: {}", again.all());
    }
}

#[test]
fn copies_that_answer_in_turns_are_waited_for_until_they_agree() {
    for reads in 1..=4 {
        let place = uptimerobot();
        place.world(|world| world.uptimerobot().flap(reads));
        place.checks_of(&[HOME]);
        place.run(&["apply", "--yes"]).expect(0);
        let again = place.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(again.code, 0, "{reads}: {}", again.all());
    }
}

#[test]
fn a_config_is_merged_and_a_map_replaced() {
    let place = uptimerobot();
    let check = |more: &str| {
        let check = format!(r#"{{ name: Home, url: "https://acme.example/", {more} }}"#);
        place.checks_of(&[&check]);
    };
    check("confirm: 1, headers: { X-One: a, X-Two: b }, warn_before: 21d, regions: [europe, asia]");
    place.run(&["apply", "--yes"]).expect(0);
    place.world(|world| {
        world.uptimerobot().with_monitors(|monitors| {
            monitors[0]["config"]["ipVersion"] = json!("ipv4Only");
            monitors[0]["regionalData"]["THRESHOLD"] = json!({"eu": 4000, "as": 6000});
            monitors[0]["groupId"] = json!(7);
        });
    });
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    check("confirm: 2, headers: { x-ONE: a }, warn_before: [30d, 7d], regions: [europe, north-america]");
    place.run(&["apply", "--yes"]).expect(0);
    let home = place.monitor("Home");
    assert_eq!(
        home["config"],
        json!({"applicationErrorRetries": 2, "ipVersion": "ipv4Only", "sslExpirationPeriodDays": [7, 30]}),
        "what somebody else set stays"
    );
    assert_eq!(home["customHttpHeaders"], json!({"x-one": "a"}));
    assert_eq!(
        home["regionalData"]["THRESHOLD"],
        json!({"eu": 4000}),
        "a threshold goes with its region alone"
    );
    assert_eq!(home["groupId"], 7);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn contacts_that_are_not_said_stay_and_none_are_none() {
    let place = uptimerobot();
    place.checks_of(&[HOME]);
    place.run(&["apply", "--yes"]).expect(0);
    place.checks(
        "uptimerobot",
        &format!("  contacts: {{ ops: {{ email: ops@acme.example }} }}\n  checks: [{HOME}]\n"),
    );
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert_eq!(
        place.monitor("Home")["assignedAlertContacts"].as_array().unwrap().len(),
        1
    );
    place.checks_of(&[r#"{ name: Home, url: "https://acme.example/", alert: [] }"#]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.monitor("Home")["assignedAlertContacts"], json!([]));
}

#[test]
fn only_paused_is_a_pause() {
    let place = uptimerobot();
    place.checks_of(&[r#"{ name: Home, url: "https://acme.example/", paused: false }"#]);
    place.run(&["apply", "--yes"]).expect(0);
    for (status, code) in [("UP", 0), ("DOWN", 0), ("LOOKS_DOWN", 0), ("STARTED", 0), ("PAUSED", 2)] {
        place.world(|world| {
            world
                .uptimerobot()
                .with_monitors(|monitors| monitors[0]["status"] = json!(status));
        });
        place.run(&["plan", "--detailed-exitcode"]).expect(code);
    }
}

#[test]
fn what_is_refused_on_the_way_is_shown_with_what_to_do() {
    // Somebody makes a monitor of the same address between the plan and the request.
    let place = uptimerobot();
    place.checks_of(&[HOME]);
    place.foreign_hand_before_write(2, |world| {
        let theirs = json!({"friendlyName": "Theirs", "url": "https://acme.example/"});
        world.uptimerobot().add_monitor(&theirs);
    });
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(refused.all().contains("looks again"), "{}", refused.all());
    let [monitors, ..] = place.account();
    assert_eq!(monitors.len(), 1, "no second one of the same address");
    // A contact goes while monitors are made.
    let place = uptimerobot();
    place.checks_of(&[HOME]);
    place.foreign_hand_before_write(2, |world| {
        let contents = world.uptimerobot().contents();
        let made = contents[1]
            .iter()
            .find(|one| one["value"] == "ops@acme.example")
            .unwrap();
        let id = made["id"].as_u64().unwrap();
        world.uptimerobot().remove_contact(id);
    });
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(
        refused.all().contains("000-006") && refused.all().contains("which account the key is of"),
        "{}",
        refused.all()
    );
    // A target that is private.
    let place = uptimerobot();
    place.world(|world| world.uptimerobot().close_to_private_targets());
    place.checks_of(&[r#"{ name: Home, url: "http://10.0.0.1/" }"#]);
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(refused.all().contains("url is not allowed"), "{}", refused.all());
}

#[test]
fn a_number_is_found_and_never_made() {
    let place = uptimerobot();
    let spec = |more: &str| {
        place.checks(
            "uptimerobot",
            &format!("  alert: [me]\n  contacts: {{ me: {{ sms: '+44 1632 960961' }} }}\n  checks: [{HOME}]\n{more}"),
        );
    };
    spec("");
    let plan = place.run(&["plan", "--json"]).expect(1).json();
    assert!(
        plan["refusals"].to_string().contains("confirmation on its own site"),
        "{plan}"
    );
    place.world(|world| {
        world
            .uptimerobot()
            .add_contact("ProSms", "+441632960961", "Me", "Active")
    });
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan), ["create uptime/monitor/home"]);
    place.run(&["apply", "--yes"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn tags_themselves_are_nobodys_to_delete() {
    let place = uptimerobot();
    place.checks_of(&[HOME, MAIL]);
    place.run(&["apply", "--yes"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    let log = place.sandbox().log();
    assert!(log.iter().all(|entry| !entry.path.contains("/tags")), "{log:?}");
    assert!(
        log.iter().all(|entry| !entry.path.contains("/reset")),
        "statistics are wiped by nobody"
    );
    let one_by_one = |path: &str| {
        path.rsplit('/')
            .next()
            .is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
    };
    assert!(
        log.iter().all(|entry| entry.wrote || !one_by_one(&entry.path)),
        "one alone may fail where the list works: it is never asked for"
    );
}

#[test]
fn a_create_that_is_said_to_have_failed_is_looked_for_and_not_repeated() {
    for (fault, lag) in [
        ("", 0),
        ("", 3),
        ("w2:500-after", 0),
        ("w2:500-after", 2),
        ("w2:drop-after", 0),
        ("w2:truncated", 1),
    ] {
        let place = uptimerobot();
        place.world(|world| {
            world.uptimerobot().lag(lag);
            world.uptimerobot().lose_creates(usize::from(fault.is_empty()));
        });
        if !fault.is_empty() {
            place.faults(&[fault]);
        }
        place.checks_of(&[HOME, MAIL]);
        place.run(&["apply", "--yes"]).expect(0);
        let [monitors, ..] = place.account();
        assert_eq!(monitors.len(), 2, "{fault} {lag}: {monitors:#?}");
        let creates = place.sandbox().log();
        let creates = creates
            .iter()
            .filter(|entry| entry.wrote && entry.path.ends_with("/monitors"))
            .count();
        assert_eq!(creates, 2, "{fault} {lag}: none was sent twice");
        place.run(&["plan", "--detailed-exitcode"]).expect(0);
    }
}

#[test]
fn a_create_that_was_never_made_is_made_again() {
    let place = uptimerobot();
    place.faults(&["w2:drop-before", "w3:500"]);
    place.checks_of(&[HOME, MAIL]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.account()[0].len(), 2);
}

#[test]
fn another_type_is_a_replacement_and_said_to_be_one() {
    let place = uptimerobot();
    place.checks_of(&[HOME]);
    place.run(&["apply", "--yes"]).expect(0);
    let (id, before) = (place.monitor("Home")["id"].clone(), place.account());
    place.checks_of(&[r#"{ name: Home, url: "https://acme.example/", expect: { contains: Welcome } }"#]);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan), ["update uptime/monitor/home"]);
    let words = plan["warnings"].to_string();
    assert!(
        words.contains("HTTP monitor a KEYWORD monitor") && words.contains("is lost"),
        "{words}"
    );
    let applied = place.run(&["apply", "--yes"]).expect(0);
    let made = place.monitor("Home");
    assert!(
        applied
            .all()
            .contains(&format!("was {id} at UptimeRobot and is {} now", made["id"])),
        "{}",
        applied.all()
    );
    assert!(made["id"] != id && made["type"] == "KEYWORD");
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.account(), before);
}

#[test]
fn a_password_that_comes_back_in_clear_goes_nowhere() {
    let place = uptimerobot();
    place.world(|world| {
        world.uptimerobot().add_monitor(&json!({
            "friendlyName": "By hand", "url": "https://acme.example/", "httpPassword": CANARY, "httpUsername": "ops",
            "customHttpHeaders": {"Authorization": CANARY}, "httpMethodType": "GET",
        }));
    });
    place.checks_of(&[r#"{ name: Home, url: "https://acme.example/", headers: { X-Probe: "1" } }"#]);
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
fn what_the_spec_does_not_say_stays_as_it_was_set_by_hand() {
    let place = uptimerobot();
    place.checks_of(&[HOME]);
    place.run(&["apply", "--yes"]).expect(0);
    place.world(|world| {
        world.uptimerobot().with_monitors(|monitors| {
            monitors[0]["status"] = json!("PAUSED");
            monitors[0]["regionalData"]["REGION"] = json!(["eu"]);
            monitors[0]["tags"]
                .as_array_mut()
                .unwrap()
                .push(json!({"id": 9, "name": "theirs"}));
            monitors[0]["maintenanceWindows"] = json!([{"id": 1, "autoAddMonitors": true}]);
        });
    });
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.checks_of(&[r#"{ name: Home, url: "https://acme.example/", every: 10m }"#]);
    place.run(&["apply", "--yes"]).expect(0);
    let home = place.monitor("Home");
    assert_eq!((&home["status"], &home["interval"]), (&json!("PAUSED"), &json!(600)));
    assert!(home["tags"].to_string().contains("theirs") && home["regionalData"]["REGION"] == json!(["eu"]));
    place.checks_of(&[r#"{ name: Home, url: "https://acme.example/", every: 10m, paused: false }"#]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.monitor("Home")["status"], "STARTED");
}

#[test]
fn what_was_deleted_by_hand_is_made_again() {
    let place = uptimerobot();
    place.checks_of(&[HOME, MAIL]);
    place.run(&["apply", "--yes"]).expect(0);
    place.world(|world| world.uptimerobot().with_monitors(Vec::clear));
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(
        changes(&plan),
        ["create uptime/monitor/home", "create uptime/monitor/mail"]
    );
    // Deleted while the plan is carried out.
    place.run(&["apply", "--yes"]).expect(0);
    place.checks_of(&[HOME]);
    place.foreign_hand_before_write(1, |world| {
        world
            .uptimerobot()
            .with_monitors(|all| all.retain(|one| one["type"] != "PORT"));
    });
    place.run(&["apply", "--yes"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn one_listing_a_plan_and_no_link_is_followed_to_another_host() {
    let place = uptimerobot();
    place.checks_of(&[HOME]);
    place.run(&["plan"]).expect(0);
    let asked: Vec<String> = place.sandbox().log().into_iter().map(|entry| entry.path).collect();
    assert_eq!(asked.len(), 4, "{asked:?}");
    place.world(|world| {
        for n in 0..400 {
            world
                .uptimerobot()
                .add_monitor(&json!({"friendlyName": format!("m{n}"), "url": format!("https://m{n}.example/")}));
        }
        world.uptimerobot().pay(Paid::Team, 1_000);
        // The link of the last page is null, and not missing.
        world.uptimerobot().behave_otherwise();
    });
    place.sandbox().clear_log();
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["summary"]["unmanaged"], 401);
    let pages = place
        .sandbox()
        .log()
        .into_iter()
        .filter(|entry| entry.path.contains("/monitors?"))
        .count();
    assert_eq!(
        pages, 3,
        "a full page always names a next one, so that the last is empty"
    );
}

#[test]
fn the_budget_of_the_account_is_kept_and_told() {
    let place = uptimerobot();
    place.world(|world| world.uptimerobot().set_rate_limit(6, Duration::from_secs(1)));
    place.checks("uptimerobot", EXAMPLE);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    let words = plan["warnings"].to_string();
    assert!(
        words.contains("6 requests a minute") && words.contains("takes about 1 minute"),
        "{words}"
    );
    place.sandbox().clear_log();
    place.run(&["apply", "--yes"]).expect(0);
    let refused = place
        .sandbox()
        .log()
        .into_iter()
        .filter(|entry| entry.wrote && entry.status == Some(429))
        .count();
    assert_eq!(refused, 0, "no write was sent beyond the budget");
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
        let place = uptimerobot();
        place.checks_of(&[HOME]);
        place.faults(&[fault]);
        let ran = place.run(&["apply", "--yes"]);
        assert_eq!(ran.code, code, "{fault}: {}", ran.all());
        if code == 1 {
            assert!(ran.err.contains("could not read"), "{}", ran.err);
        }
    }
}

#[test]
fn a_plan_gate_that_the_table_does_not_know_is_shown_as_it_is() {
    let place = uptimerobot();
    place.checks_of(&[HOME]);
    place.faults(&["w2:403"]);
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(
        refused.all().contains("009-005") && refused.all().contains("larger plan"),
        "{}",
        refused.all()
    );
}

#[test]
fn a_mailbox_that_is_not_confirmed_is_told() {
    let place = uptimerobot();
    place.checks_of(&[HOME]);
    place.run(&["apply", "--yes"]).expect(0);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(codes(&plan, "warnings"), ["not-confirmed"]);
}

#[test]
fn one_that_rests_does_not_wake_where_the_account_is_full() {
    let place = uptimerobot();
    let spec = |paused: bool| {
        let rests = format!(r#"{{ name: Home, url: "https://acme.example/", paused: {paused} }}"#);
        place.checks_of(&[&rests, MAIL]);
    };
    spec(true);
    place.run(&["apply", "--yes"]).expect(0);
    // A smaller plan meanwhile: what is there stays, and those that rest count.
    place.world(|world| world.uptimerobot().pay(Paid::Solo, 1));
    spec(false);
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(
        refused.all().contains("009-005") && refused.all().contains("larger plan"),
        "{}",
        refused.all()
    );
    assert_eq!(place.monitor("Home")["status"], "PAUSED");
    place.world(|world| world.uptimerobot().pay(Paid::Solo, 2));
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.monitor("Home")["status"], "STARTED");
}

#[test]
fn an_integration_that_somebody_makes_at_the_same_time_is_not_doubled() {
    let place = uptimerobot();
    place.checks(
        "uptimerobot",
        &format!("  alert: [chat]\n  contacts: {{ chat: {{ slack: env:SLACK_WEBHOOK_URL }} }}\n  checks: [{HOME}]\n"),
    );
    place.foreign_hand_before_write(1, |world| {
        world.uptimerobot().add_integration("Slack", HOOK, "Theirs");
    });
    // Ours is refused as a double. What is there by now is known by its value, keeps its name and is used.
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.account()[2].len(), 1, "none was made beside it");
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    // Two that are made at once may both be taken: ours is the one that bears its name.
    place.world(|world| world.uptimerobot().add_integration("Slack", HOOK, "Theirs"));
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.is_clean();
}
