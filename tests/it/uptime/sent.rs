//! What a check sends with its request, at both services that keep checks in an account: no value that may be a
//! credential is written anywhere, and what is known by where it is kept can be brought back.

use serde_json::json;

use super::betterstack::{account, betterstack};
use super::{HOOK, uptimerobot};
use crate::support::{CANARY, Place};

/// What an account holds.
type Account = fn(&Place) -> Vec<Vec<String>>;

/// A place beside each service, with what reads its account.
fn services() -> [(&'static str, Place, Account); 2] {
    [
        ("uptimerobot", uptimerobot(), |place| place.account().to_vec()),
        ("betterstack", betterstack(), |place| account(place).to_vec()),
    ]
}

fn spec(place: &Place, provider: &str, more: &str) {
    place.checks(
        provider,
        &format!(
            "  alert: [ops]\n  contacts: {{ ops: {{ email: ops@acme.example }} }}\n  checks:\n    - {{ name: Home, url: \"https://acme.example/\", {more} }}\n"
        ),
    );
}

/// The letters of an account: headers may come back in another order, which means nothing.
fn letters(account: &[Vec<String>]) -> Vec<char> {
    let mut letters: Vec<char> = account.concat().concat().chars().collect();
    letters.sort_unstable();
    letters
}

#[test]
fn a_header_that_is_kept_elsewhere_is_dropped_and_brought_back_without_being_written() {
    for (provider, mut place, account) in services() {
        place.environment.insert("BYPASS".into(), CANARY.to_owned());
        spec(
            &place,
            provider,
            "headers: { X-Vercel-Protection-Bypass: env:BYPASS, Accept: text/html }",
        );
        place.run(&["apply", "--yes"]).expect(0);
        let before = account(&place);
        assert!(before.concat().concat().contains(CANARY), "it is there all the same");
        spec(&place, provider, "headers: { Accept: text/html }");
        let plan = place.run(&["plan", "--json", "--out", "plan.json", "-vv"]).expect(0);
        let words = plan.all();
        assert!(words.contains("env:BYPASS") && !words.contains(CANARY), "{words}");
        place.run(&["apply", "--yes"]).expect(0);
        assert!(!account(&place).concat().concat().contains(CANARY));
        place.is_clean();
        place.run(&["rollback", "--yes"]).expect(0);
        assert_eq!(letters(&account(&place)), letters(&before), "{provider}");
        place.is_clean();
        // Another value than the one kept there is nobody's to write down, and cannot be brought back.
        place.environment.insert("BYPASS".into(), "another-one".to_owned());
        let plan = place.run(&["plan", "--json", "--out", "other.json"]).expect(0);
        assert!(plan.all().contains("another value"), "{}", plan.all());
        place.is_clean();
    }
}

#[test]
fn a_body_that_was_kept_elsewhere_is_shown_to_nobody() {
    for (provider, mut place, account) in services() {
        let body = format!("{{\"user\":\"ops\",\"pass\":\"{CANARY}\"}}");
        place.environment.insert("LOGIN".into(), body);
        spec(&place, provider, "method: POST, body: \"env:LOGIN\"");
        place.run(&["apply", "--yes"]).expect(0);
        let before = account(&place);
        spec(&place, provider, "method: POST, body: '{\"user\":\"nobody\"}'");
        let shown = place.run(&["plan"]).expect(0);
        assert!(!shown.all().contains(CANARY), "{}", shown.all());
        let plan = place.run(&["plan", "--json", "--out", "plan.json", "-vv"]).expect(0);
        assert!(!plan.all().contains(CANARY), "{}", plan.all());
        place.run(&["apply", "--yes"]).expect(0);
        place.is_clean();
        place.run(&["rollback", "--yes"]).expect(0);
        assert_eq!(account(&place), before, "{provider}");
        place.is_clean();
    }
}

#[test]
fn a_body_that_is_written_out_changes_and_comes_back() {
    for (provider, place, account) in services() {
        spec(&place, provider, "method: POST, body: '{\"a\":1}'");
        place.run(&["apply", "--yes"]).expect(0);
        let before = account(&place);
        spec(&place, provider, "method: POST, body: '{\"a\":2}'");
        place.run(&["apply", "--yes"]).expect(0);
        assert_ne!(account(&place), before, "{provider}");
        place.run(&["plan", "--detailed-exitcode"]).expect(0);
        place.run(&["rollback", "--yes"]).expect(0);
        assert_eq!(account(&place), before, "{provider}");
    }
}

#[test]
fn what_somebody_set_by_hand_is_not_written_down_when_it_is_taken_over() {
    let place = uptimerobot();
    place.world(|world| {
        world.uptimerobot().add_monitor(&json!({
            "friendlyName": "By hand", "url": "https://acme.example/", "httpMethodType": "POST",
            "customHttpHeaders": {"X-Access": CANARY, "User-Agent": CANARY},
            "postValueType": "RAW_JSON", "postValueData": {"sesame": CANARY},
        }));
    });
    spec(
        &place,
        "uptimerobot",
        "method: POST, body: '{\"a\":1}', headers: { Accept: text/html }",
    );
    let plan = place.run(&["plan", "--json", "--out", "plan.json", "-vv"]).expect(0);
    assert!(
        plan.all().contains("another value") && !plan.all().contains(CANARY),
        "{}",
        plan.all()
    );
    place.run(&["apply", "--yes"]).expect(0);
    place.is_clean();
    let refused = place.run(&["rollback", "--yes"]).expect(1);
    assert!(refused.out.contains("kept nowhere here"), "{}", refused.out);
}

#[test]
fn everything_that_is_kept_elsewhere_and_missing_is_named_at_once() {
    for (provider, mut place, _) in services() {
        place.checks(
            provider,
            "  alert: [chat]\n  contacts: { chat: { slack: env:SLACK_WEBHOOK_URL } }\n  checks: [{ name: Home, url: \"https://acme.example/\", headers: { X-Access: env:ACCESS } }]\n",
        );
        place.environment.remove("SLACK_WEBHOOK_URL");
        for command in ["plan", "doctor"] {
            let ran = place.run(&[command]);
            assert_eq!(ran.code, 1, "{}", ran.all());
            let words = ran.all().split_whitespace().collect::<Vec<_>>().join(" ");
            for name in ["SLACK_WEBHOOK_URL is not set", "ACCESS is not set", "export ACCESS=…"] {
                assert!(words.contains(name), "{command} {name}: {words}");
            }
        }
        place.environment.insert("SLACK_WEBHOOK_URL".into(), HOOK.to_owned());
        place.environment.insert("ACCESS".into(), CANARY.to_owned());
        let doctor = place.run(&["doctor"]);
        assert!(
            doctor.out.contains("2 values there") && !doctor.all().contains(CANARY),
            "{}",
            doctor.all()
        );
        place.run(&["plan"]).expect(0);
    }
}

#[test]
fn a_monitor_that_another_spec_has_marked_is_not_seized() {
    for (provider, place, account) in services() {
        let of = |name: &str, project: &str, url: &str| {
            place.write(
                name,
                &format!(
                    "version: 1\n{project}uptime:\n  provider: {provider}\n  alert: [ops]\n  contacts: {{ ops: {{ email: ops@acme.example }} }}\n  checks: [{{ name: Status, url: \"{url}\" }}]\n"
                ),
            );
        };
        let (a, b) = ("https://a.example/", "https://b.example/");
        of("launch.yaml", "", a);
        place.run(&["apply", "--yes"]).expect(0);
        let before = account(&place);
        // The other spec has a history of its own.
        let runs = place.path(".launchctl");
        std::fs::rename(&runs, place.path("of-a")).unwrap();
        of("launch.yaml", "", b);
        for _ in 0..2 {
            let refused = place.run(&["apply", "--yes"]).expect(1);
            assert!(refused.all().contains("another spec may own it"), "{}", refused.all());
            assert!(refused.all().contains("`project:`"), "{}", refused.all());
        }
        assert_eq!(account(&place), before, "{provider}");
        // What the help says is a way out, both ways.
        of("launch.yaml", "project: B\n", b);
        place.run(&["plan"]).expect(0);
        of("launch.yaml", "", a);
        place.run(&["apply", "--yes"]).expect(0);
        of("launch.yaml", "", b);
        place.run(&["apply", "--yes"]).expect(0);
    }
}

#[test]
fn two_specs_of_one_account_may_tell_the_same_channel() {
    for (provider, place, account) in services() {
        let spec = |file: &str, project: &str, host: &str| {
            place.write(file, &format!(
                "version: 1\nproject: {project}\nuptime:\n  provider: {provider}\n  alert: [chat]\n  contacts: {{ chat: {{ slack: env:SLACK_WEBHOOK_URL }} }}\n  checks: [{{ name: Home, url: \"https://{host}/\" }}]\n"
            ));
        };
        spec("one.yaml", "One", "one.example");
        spec("two.yaml", "Two", "two.example");
        for file in ["one.yaml", "two.yaml"] {
            place.run(&["apply", "--yes", "--spec", file]).expect(0);
        }
        let there = account(&place);
        // Neither takes its name from the other, however often they are applied.
        for file in ["one.yaml", "two.yaml", "one.yaml"] {
            let plan = place.run(&["plan", "--detailed-exitcode", "--spec", file]);
            assert_eq!(plan.code, 0, "{provider} {file}: {}", plan.all());
            place.run(&["apply", "--yes", "--spec", file]).expect(0);
        }
        assert_eq!(account(&place), there, "{provider}");
    }
}

#[test]
fn a_body_that_a_rollback_takes_away_is_gone() {
    for (provider, place, account) in services() {
        spec(&place, provider, "");
        place.run(&["apply", "--yes"]).expect(0);
        spec(&place, provider, r#"method: POST, body: '{"probe":1}'"#);
        place.run(&["apply", "--yes"]).expect(0);
        let is_there = || account(&place).concat().concat().contains("probe");
        assert!(is_there(), "{provider}");
        place.run(&["rollback", "--yes"]).expect(0);
        assert!(!is_there(), "{provider}");
    }
}

#[test]
fn one_mark_on_two_monitors_is_told() {
    let place = uptimerobot();
    spec(&place, "uptimerobot", "");
    place.run(&["apply", "--yes"]).expect(0);
    // Another clone of the repository has applied at the same time.
    place.world(|world| {
        let tags = json!([{ "id": 1, "name": "launchctl" }, { "id": 2, "name": "launchctl-acme--home" }]);
        let double = json!({ "friendlyName": "Home", "url": "https://acme.example/", "tags": tags });
        world.uptimerobot().add_monitor(&double);
    });
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert!(plan["warnings"].to_string().contains("marked-twice"), "{plan}");
}
