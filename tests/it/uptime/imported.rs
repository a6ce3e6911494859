//! `import --uptime`: an account of checks comes out as a spec whose first apply does nothing but mark them.

use launchctl::sandbox::uptimerobot::Paid;
use serde_json::{Value, json};

use super::betterstack::{account, betterstack};
use super::{HOOK, changes, uptimerobot};
use crate::support::{CANARY, Place};

/// A header's value and a body that must never be seen.
const TOKEN: &str = "Bearer canary-9f3e77c1a5b2";

/// An account at UptimeRobot as somebody has grown it by hand.
fn grown() -> Place {
    let mut place = uptimerobot();
    place.world(|world| {
        let account = world.uptimerobot();
        account.pay(Paid::Team, 50);
        let ops = account.add_contact("Email", "Ops@acme.example", "Ops & co", "Active");
        let phone = account.add_contact("ProSms", "+44 1632 960961", "Night", "Active");
        let chat = account.add_integration("Slack", HOOK, HOOK);
        let other = account.add_integration("Telegram", "12345", "Telegram");
        let night = account.add_window(&json!({"name": "Night work", "interval": "weekly", "days": [7], "time": "02:00:00"}));
        account.add_window(&json!({"name": "Unused", "time": "04:00:00"}));
        let told = |ids: &[u64]| -> Value {
            ids.iter().map(|id| json!({"alertContactId": id, "threshold": 0, "recurrence": 0})).collect()
        };
        let usual = told(&[ops]);
        for monitor in [
            json!({"friendlyName": "Home &amp; &lt;shop&gt;", "url": "https://acme.example/?a=1&amp;b=2", "httpMethodType": "GET",
                "type": "KEYWORD", "keywordType": "ALERT_NOT_EXISTS", "keywordValue": "Sign in",
                "successHttpResponseCodes": ["200"], "sslExpirationReminder": true, "config": {"sslExpirationPeriodDays": [7, 21]},
                "assignedAlertContacts": usual}),
            json!({"friendlyName": "Größe", "url": "https://acme.example/größe", "assignedAlertContacts": usual}),
            json!({"friendlyName": "API", "url": "https://api.acme.example/health", "httpMethodType": "POST", "interval": 60,
                "customHttpHeaders": {"Authorization": TOKEN, "X-Probe": "1"}, "postValueType": "RAW_JSON",
                "postValueData": {"password": CANARY}, "checkSSLErrors": true, "domainExpirationReminder": true,
                "assignedAlertContacts": [{"alertContactId": ops, "threshold": 10, "recurrence": 60},
                    {"alertContactId": chat, "threshold": 0, "recurrence": 0}]}),
            json!({"friendlyName": "API", "url": "https://api.acme.example/v2", "tags": [{"id": 4, "name": "team-web"}],
                "assignedAlertContacts": usual}),
            json!({"friendlyName": "Pricing", "url": "https://acme.example/pricing", "status": "PAUSED",
                "followRedirections": false, "assignedAlertContacts": told(&[ops, other])}),
            json!({"friendlyName": "Pricing as text", "url": "https://acme.example/pricing", "type": "KEYWORD",
                "keywordType": "ALERT_EXISTS", "keywordValue": "Sold out", "assignedAlertContacts": told(&[ops, phone])}),
            json!({"friendlyName": "Mail", "url": "smtp.acme.example", "type": "PORT", "port": 587, "timeout": 15,
                "maintenanceWindows": [night], "assignedAlertContacts": usual}),
            json!({"friendlyName": "Gateway", "url": "gw.acme.example", "type": "PING",
                "regionalData": {"REGION": ["eu"], "THRESHOLD": {}}, "assignedAlertContacts": []}),
            json!({"friendlyName": "Backup", "type": "HEARTBEAT", "url": format!("https://heartbeat.example/{CANARY}"),
                "interval": 86400, "gracePeriod": 3600, "assignedAlertContacts": usual}),
            json!({"friendlyName": "Looks", "type": "VISUAL_COMPARISON", "url": "https://acme.example/"}),
            json!({"friendlyName": "Game", "type": "UDP", "url": "game.acme.example", "port": 9000}),
            json!({"friendlyName": "With a token", "url": format!("https://acme.example/in?token={CANARY}")}),
            json!({"friendlyName": "Theirs", "url": "https://other.example/",
                "tags": [{"id": 1, "name": "launchctl"}, {"id": 2, "name": "launchctl-other--theirs"}]}),
        ] {
            account.add_monitor(&monitor);
        }
    });
    for (variable, value) in [
        ("UPTIME_SLACK_URL", HOOK),
        ("UPTIME_API_AUTHORIZATION", TOKEN),
        ("UPTIME_API_X_PROBE", "1"),
        ("UPTIME_API_BODY", r#"{"password":"canary-9f3e77c1a5b2"}"#),
    ] {
        place.environment.insert(variable.to_owned(), value.to_owned());
    }
    place
}

/// What was written, without the time.
fn block(place: &Place) -> String {
    let text = std::fs::read_to_string(place.path("launch.yaml")).unwrap();
    let lines = text.lines().map(|line| match line.split_once(" on 2") {
        Some((before, _)) if line.contains("# Imported from") => format!("{before} on …"),
        _ => line.to_owned(),
    });
    // The stand-in's port differs.
    let text: String = lines.map(|line| line + "\n").collect();
    let (before, rest) = text.split_once(" (at ").unwrap();
    format!("{before}{}", &rest[rest.find(')').unwrap() + 1..])
}

/// Plans the import, applies it, plans nothing, and goes back.
#[track_caller]
fn there_and_back(place: &Place, marked: usize, account: impl Fn(&Place) -> Vec<String>) {
    let start = account(place);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert!(
        changes(&plan)
            .iter()
            .all(|change| change.starts_with("update uptime/monitor/")),
        "{:?}",
        changes(&plan)
    );
    assert_eq!(changes(&plan).len(), marked, "{:?}", changes(&plan));
    for change in plan["changes"].as_array().unwrap() {
        let mut after = change["after"].clone();
        assert!(
            after["marker"].is_string() && change["before"]["marker"].is_null(),
            "{change}"
        );
        after.as_object_mut().unwrap().remove("marker");
        assert_eq!(after, change["before"], "nothing but the mark");
    }
    let shown = place.run(&["plan"]).expect(0);
    let words = format!("{marked} checks adopted: only marked as this spec's");
    assert!(shown.out.contains(&words), "{}", shown.out);
    place.run(&["apply", "--yes"]).expect(0);
    assert_ne!(account(place), start, "they are marked");
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(account(place), start, "and only the marks go again");
    place.is_clean();
}

#[test]
fn an_account_at_uptimerobot_is_written_down_and_only_marked() {
    let place = grown();
    let start = place.account();
    place.sandbox().clear_log();
    let imported = place
        .run(&["import", "--uptime", "uptimerobot", "--out", "launch.yaml"])
        .expect(0);
    assert_eq!((place.writes(), place.account()), (0, start), "it is only read");
    assert!(!imported.all().contains(CANARY), "{}", imported.all());
    insta::assert_snapshot!("imported_uptimerobot", block(&place));
    insta::assert_snapshot!("imported_uptimerobot_told", imported.err);
    there_and_back(&place, 9, |place| place.account().concat());
}

#[test]
fn two_that_ask_the_same_at_betterstack_are_told_apart() {
    let place = betterstack();
    place.world(|world| {
        let account = world.betterstack();
        for (name, every) in [("Zed", 180), ("Abe", 300)] {
            account.add_monitor(
                &json!({"monitor_type": "status", "url": "https://acme.example/", "pronounceable_name": name,
                "check_frequency": every}),
            );
        }
        for every in [180, 300, 300] {
            account.add_monitor(
                &json!({"monitor_type": "status", "url": "https://acme.example/x", "pronounceable_name": "Twin",
                "check_frequency": every}),
            );
        }
    });
    let imported = place
        .run(&["import", "--uptime", "betterstack", "--out", "launch.yaml"])
        .expect(0);
    assert!(
        imported.err.contains("only one of them would be known again"),
        "{}",
        imported.err
    );
    there_and_back(&place, 4, |place| account(place).concat());
}

#[test]
fn a_team_at_betterstack_is_written_down_and_only_marked() {
    let mut place = betterstack();
    // Webhooks are made as the service makes them: by a spec, whose name for them somebody has since changed.
    place.world(|world| {
        let account = world.betterstack();
        let ops = account.add_policy("Ops & co", &json!([{"type": "escalation", "wait_before": 0,
            "step_members": [{"type": "user", "email": "ops@acme.example"}]}]));
        let both = account.add_policy("Everybody", &json!([{"type": "escalation", "wait_before": 0,
            "step_members": [{"type": "entire_team"}]}]));
        for monitor in [
            json!({"monitor_type": "keyword", "url": "https://acme.example/", "pronounceable_name": "Home & <shop>",
                "required_keyword": "Sign in", "ssl_expiration": 14, "domain_expiration": 30, "policy_id": ops.to_string(),
                "expiration_policy_id": ops}),
            json!({"monitor_type": "expected_status_code", "url": "https://acme.example/gr%C3%B6%C3%9Fe",
                "pronounceable_name": "Größe", "expected_status_codes": [200, 405], "confirmation_period": 60,
                "recovery_period": 300, "regions": ["eu", "us"]}),
            json!({"monitor_type": "status", "url": "https://api.acme.example/health", "pronounceable_name": "API",
                "http_method": "post", "check_frequency": 60, "request_body": CANARY, "follow_redirects": false,
                "request_headers": [{"id": "7", "name": "X-Api-Key", "value": CANARY}, {"id": "8", "name": "X-Probe", "value": "1"}],
                "policy_id": both.to_string(), "expiration_policy_id": both}),
            json!({"monitor_type": "tcp", "url": "smtp.acme.example", "pronounceable_name": "Mail", "port": "587",
                "request_timeout": 5000, "paused_at": "2026-09-21T09:10:00.000Z", "status": "paused",
                "policy_id": ops.to_string(), "expiration_policy_id": ops}),
            json!({"monitor_type": "ping", "url": "gw.acme.example", "pronounceable_name": "Gateway", "request_timeout": 5000,
                "maintenance_from": "02:00:00", "maintenance_to": "03:30:00", "maintenance_days": ["sun"],
                "maintenance_timezone": "Berlin"}),
            json!({"monitor_type": "udp", "url": "game.acme.example", "pronounceable_name": "Game", "port": "9000"}),
            json!({"monitor_type": "playwright", "url": "", "pronounceable_name": "Journey"}),
        ] {
            account.add_monitor(&monitor);
        }
    });
    for (variable, value) in [
        ("UPTIME_API_X_API_KEY", CANARY),
        ("UPTIME_API_X_PROBE", "1"),
        ("UPTIME_API_BODY", CANARY),
    ] {
        place.environment.insert(variable.to_owned(), value.to_owned());
    }
    let start = account(&place);
    place.sandbox().clear_log();
    let imported = place
        .run(&["import", "--uptime", "betterstack", "--out", "launch.yaml"])
        .expect(0);
    assert_eq!((place.writes(), account(&place)), (0, start), "it is only read");
    assert!(!imported.all().contains(CANARY), "{}", imported.all());
    insta::assert_snapshot!("imported_betterstack", block(&place));
    there_and_back(&place, 5, |place| account(place).concat());
}

#[test]
fn a_spec_gets_a_block_that_it_lacks_and_keeps_every_byte() {
    let place = grown();
    let spec = "# Ours\nversion: 1\nproject: Acme\nzones:\n  acme.example:\n    provider: cloudflare\n    records:\n      - { type: A, name: \"@\", value: 192.0.2.1 }   # the site";
    place.write("launch.yaml", spec);
    place
        .run(&["import", "--uptime", "uptimerobot", "--into", "launch.yaml"])
        .expect(0);
    let text = std::fs::read_to_string(place.path("launch.yaml")).unwrap();
    assert!(text.starts_with(&format!("{spec}\n\nuptime:\n")), "{text}");
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    let of_checks: Vec<String> = changes(&plan)
        .into_iter()
        .filter(|change| change.contains("uptime/"))
        .collect();
    assert!(
        of_checks.len() == 9
            && of_checks
                .iter()
                .all(|change| change.starts_with("update uptime/monitor/")),
        "{of_checks:?}"
    );
    let again = place
        .run(&["import", "--uptime", "uptimerobot", "--into", "launch.yaml"])
        .expect(1);
    assert!(again.err.contains("has an `uptime` block already"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(place.path("launch.yaml")).unwrap(), text);
}

#[test]
fn a_window_that_bears_a_mark_is_its_specs_alone() {
    let place = uptimerobot();
    let uptime = "  alert: [ops]\n  contacts: { ops: { email: ops@acme.example } }\n  maintenance: { nightly: { repeat: daily, at: \"02:00\", for: 30m } }\n  checks: [{ name: Home, url: \"https://acme.example/\", maintenance: [nightly] }]\n";
    place.checks("uptimerobot", uptime);
    place.run(&["apply", "--yes"]).expect(0);
    let there = place.world(|world| world.uptimerobot().windows());
    // Another project leaves it alone.
    place
        .run(&["import", "--uptime", "uptimerobot", "--out", "other.yaml"])
        .expect(0);
    let text = std::fs::read_to_string(place.path("other.yaml")).unwrap();
    assert!(!text.contains("launchctl-acme"), "{text}");
    // The same project knows it again.
    place.write("again.yaml", "version: 1\nproject: Acme\n");
    place
        .run(&["import", "--uptime", "uptimerobot", "--into", "again.yaml"])
        .expect(0);
    let plan = place.run(&["plan", "--json", "--spec", "again.yaml"]).expect(0).json();
    assert!(changes(&plan).is_empty(), "{plan}");
    place.run(&["apply", "--yes", "--spec", "again.yaml"]).expect(0);
    assert_eq!(place.world(|world| world.uptimerobot().windows()), there);
}
