//! Every kind of check and everything that can be said of one, at UptimeRobot: there, found unchanged, and back.

use launchctl::sandbox::uptimerobot::Paid;
use serde_json::json;

use super::{changes, codes, uptimerobot};
use crate::support::CANARY;
use crate::views::fits;

const ALL: &str = r#"
  alert: [ops]
  contacts: { ops: { email: ops@acme.example } }
  maintenance:
    nightly: { repeat: daily, at: "02:00", for: 30m }
    weekends: { repeat: weekly, days: [sunday, saturday], at: "23:30", for: 2h }
    month: { repeat: monthly, days: [1, last], at: "04:00", for: 1h }
    move: { date: 2026-12-01, at: "22:00", for: 3h }
    spare: { repeat: daily, at: "05:00", for: 1m }
  checks:
    - { name: Names, dns: Acme.example, record: mx, answers: ["20 mx2.acme.example", "10 MX1.acme.example."] }
    - { name: Addresses, dns: app.acme.example, record: AAAA, answers: ["2001:DB8:0::1"], maintenance: [nightly] }
    - { name: Backup, heartbeat: 1d, grace: 1h, paused: true }
    - { name: Import, heartbeat: 1h }
    - { name: Form, url: "https://acme.example/form", method: POST, body: "b=two+words&a=%26", headers: { X-Probe: "1" }, expect: { status: [200, 4xx] }, maintenance: [month, weekends] }
    - { name: Hook, url: "https://acme.example/hook", method: POST, body: '{ "b": [1, {"$secret": "env:NOTHING"}], "a": "x" }', warn_domain: true, warn_before: [30d, 7d] }
    - { name: Secret, url: "https://acme.example/secret", method: PUT, body: "env:CHECK_BODY", maintenance: [move] }
"#;

#[test]
fn every_kind_of_check_there_and_back() {
    let mut place = uptimerobot();
    let body = format!("{{\"token\": \"{CANARY}\"}}");
    place.environment.insert("CHECK_BODY".into(), body);
    place.checks("uptimerobot", ALL);
    let (start, windows) = (place.account(), place.world(|world| world.uptimerobot().windows()));
    let plan = place.run(&["plan", "--json"]).expect(0);
    fits("plan", &plan.json());
    assert_eq!(
        changes(&plan.json()).len(),
        12,
        "the window that no check rests in is not made"
    );
    assert!(codes(&plan.json(), "warnings").contains(&"zone-assumed".to_owned()));
    assert!(codes(&plan.json(), "warnings").contains(&"address-to-call".to_owned()));
    let applied = place.run(&["apply", "--yes", "-vv"]).expect(0);
    assert!(!applied.all().contains(CANARY), "{}", applied.all());
    let again = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}", again.all());
    place.sandbox().clear_log();
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.writes(), 0, "a second apply writes nothing");
    let names = place.monitor("Names");
    assert_eq!(names["url"], "acme.example");
    assert_eq!(
        names["config"]["dnsRecords"],
        json!({"MX": ["10 mx1.acme.example", "20 mx2.acme.example"]})
    );
    let backup = place.monitor("Backup");
    assert_eq!(
        (&backup["interval"], &backup["gracePeriod"]),
        (&json!(86_400), &json!(3_600))
    );
    assert_eq!(backup["status"], "PAUSED");
    assert_eq!(
        place.monitor("Form")["postValueData"],
        json!({"a": "&", "b": "two words"})
    );
    assert_eq!(
        place.monitor("Hook")["postValueData"],
        json!({"a": "x", "b": [1, {"$secret": "env:NOTHING"}]}),
        "what the user sends is sent as it is"
    );
    assert_eq!(place.monitor("Secret")["postValueData"], json!({"token": CANARY}));
    place.is_clean();
    let run = applied.err;
    assert!(
        !run.contains("heartbeat.uptimerobot"),
        "the address to call is a credential"
    );
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.account(), start);
    assert_eq!(place.world(|world| world.uptimerobot().windows()), windows);
    place.is_clean();
}

#[test]
fn a_body_that_comes_back_as_text_or_in_another_order_is_the_same() {
    let mut place = uptimerobot();
    place
        .environment
        .insert("CHECK_BODY".into(), "{\"b\":1,\"a\":2}".into());
    place.checks("uptimerobot", ALL);
    place.run(&["apply", "--yes"]).expect(0);
    place.world(|world| {
        world.uptimerobot().with_monitors(|monitors| {
            for monitor in monitors.iter_mut() {
                if monitor["friendlyName"] == "Secret" {
                    monitor["postValueData"] = json!("{ \"a\": 2, \"b\": 1 }");
                }
                if monitor["friendlyName"] == "Form" {
                    monitor["postValueData"] = json!("a=%26&b=two%20words");
                }
            }
        });
    });
    let again = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}", again.all());
    // Another body is seen, and shown only when it is no credential.
    place.world(|world| {
        world.uptimerobot().with_monitors(|monitors| {
            for monitor in monitors.iter_mut() {
                if monitor["friendlyName"] == "Secret" || monitor["friendlyName"] == "Hook" {
                    monitor["postValueData"] = json!({"password": CANARY});
                }
            }
        });
    });
    let plan = place.run(&["plan", "--json", "--out", "plan.json"]).expect(0);
    assert_eq!(
        changes(&plan.json()),
        ["update uptime/monitor/hook", "update uptime/monitor/secret"]
    );
    assert!(!plan.all().contains(CANARY), "{}", plan.all());
    place.is_clean();
}

#[test]
fn records_of_another_type_beside_ours_are_seen_and_cleared() {
    let place = uptimerobot();
    place.checks_of(&["{ name: Names, dns: acme.example, answers: [192.0.2.1] }"]);
    place.run(&["apply", "--yes"]).expect(0);
    let id = place.monitor("Names")["id"].clone();
    place.world(|world| {
        world
            .uptimerobot()
            .with_monitors(|all| all[0]["config"]["dnsRecords"] = json!({"A": ["192.0.2.1"], "TXT": ["x"]}));
    });
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan), ["update uptime/monitor/names"]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(
        place.monitor("Names")["config"]["dnsRecords"],
        json!({"A": ["192.0.2.1"]})
    );
    // Another type is another question to the same monitor.
    place.checks_of(&["{ name: Names, dns: acme.example, record: NS, answers: [ns1.acme.example] }"]);
    place.run(&["apply", "--yes"]).expect(0);
    let names = place.monitor("Names");
    assert_eq!(names["config"]["dnsRecords"], json!({"NS": ["ns1.acme.example"]}));
    assert_eq!(names["id"], id);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn windows_are_made_changed_shared_and_given_back() {
    let place = uptimerobot();
    let spec = |window: &str, checks: &[&str]| {
        let mut lines = format!(
            "  alert: [ops]\n  contacts: {{ ops: {{ email: ops@acme.example }} }}\n  maintenance:\n    night: {window}\n  checks:\n"
        );
        for check in checks {
            lines.push_str(&format!("    - {check}\n"));
        }
        place.checks("uptimerobot", &lines);
    };
    let home = r#"{ name: Home, url: "https://acme.example/", maintenance: [night] }"#;
    let shop = r#"{ name: Shop, url: "https://shop.acme.example/", maintenance: [night] }"#;
    place.world(|world| {
        let account = world.uptimerobot();
        account.add_window(&json!({"name": "Everybody", "autoAddMonitors": true}));
        account.add_window(&json!({"name": "Theirs"}));
    });
    let windows = || place.world(|world| world.uptimerobot().windows());
    let start = windows();
    spec(r#"{ repeat: daily, at: "02:00", for: 30m }"#, &[home, shop]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(windows().len(), 3, "one for both");
    assert_eq!(windows()[2]["name"], "launchctl-acme--night");
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    let before = windows();

    // Changed, and paused by hand: both are seen.
    spec(
        r#"{ repeat: weekly, days: [sunday], at: "02:00", for: 1h }"#,
        &[home, shop],
    );
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan), ["update uptime/maintenance/night"]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(
        (&windows()[2]["days"], &windows()[2]["duration"]),
        (&json!([7]), &json!(60))
    );
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    let now = windows();
    for key in ["interval", "time", "duration", "status"] {
        assert_eq!(now[2][key], before[2][key], "{key}");
    }

    // A monitor of somebody else's rests in it: it is not taken from under it.
    spec(r#"{ repeat: daily, at: "02:00", for: 30m }"#, &[home, shop]);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    let id = windows()[2]["id"].clone();
    let theirs = place.world(|world| {
        let theirs = json!({"friendlyName": "Theirs", "url": "https://other.example/", "maintenanceWindows": [id]});
        world.uptimerobot().add_monitor(&theirs)
    });
    spec(
        r#"{ repeat: daily, at: "02:00", for: 30m }"#,
        &[
            r#"{ name: Home, url: "https://acme.example/", maintenance: [] }"#,
            r#"{ name: Shop, url: "https://shop.acme.example/", maintenance: [] }"#,
        ],
    );
    let plan = place.run(&["plan", "--json"]).expect(1).json();
    assert_eq!(codes(&plan, "refusals"), ["window-in-use"]);
    place.world(|world| {
        world
            .uptimerobot()
            .with_monitors(|all| all.retain(|one| one["id"] != json!(theirs)));
    });
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(windows(), start, "those of others are as they were");
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn another_mailbox_is_another_contact_and_the_old_one_goes() {
    let place = uptimerobot();
    let spec = |mailbox: &str| {
        place.checks(
            "uptimerobot",
            &format!(
                "  alert: [ops]\n  contacts: {{ ops: {{ email: {mailbox} }} }}\n  checks:\n    - {{ name: Home, url: \"https://acme.example/\" }}\n    - {{ name: Mail, tcp: \"smtp.acme.example:587\", alert: [{{ contact: ops, after: 5m }}] }}\n"
            ),
        );
    };
    spec("ops@acme.example");
    place.run(&["apply", "--yes"]).expect(0);
    let before = place.account();
    spec("team@acme.example");
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan), ["update uptime/contact/ops"]);
    let words = plan["warnings"].to_string();
    assert!(
        words.contains("replaced by another contact") && words.contains("2 monitors") && words.contains("is deleted"),
        "{words}"
    );
    place.run(&["apply", "--yes"]).expect(0);
    let [monitors, contacts, _] = place.account();
    assert_eq!(contacts.len(), 2, "{contacts:#?}");
    assert!(contacts[0].contains("team@acme.example") || contacts[1].contains("team@acme.example"));
    assert!(
        monitors
            .iter()
            .all(|monitor| monitor.contains("\"alertContactId\":\"launchctl-acme--ops\"")),
        "both tell the new one: {monitors:#?}"
    );
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.account(), before);

    // One that was made by hand stays, and is told again after a rollback.
    let place = uptimerobot();
    place.world(|world| {
        world
            .uptimerobot()
            .add_contact("Email", "ops@acme.example", "The owner", "Active")
    });
    let spec = |mailbox: &str| {
        place.checks(
            "uptimerobot",
            &format!("  alert: [ops]\n  contacts: {{ ops: {{ email: {mailbox} }} }}\n  checks: [{{ name: Home, url: \"https://acme.example/\" }}]\n"),
        );
    };
    spec("ops@acme.example");
    place.run(&["apply", "--yes"]).expect(0);
    let before = place.account();
    spec("team@acme.example");
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.account()[1].len(), 3, "the one that was made by hand stays");
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.account(), before);
}

#[test]
fn a_contact_that_becomes_another_kind_is_replaced_too() {
    let place = uptimerobot();
    let spec = |contact: &str| {
        place.checks(
            "uptimerobot",
            &format!("  alert: [ops]\n  contacts: {{ ops: {contact} }}\n  checks: [{{ name: Home, url: \"https://acme.example/\" }}]\n"),
        );
    };
    spec("{ slack: env:SLACK_WEBHOOK_URL }");
    place.run(&["apply", "--yes"]).expect(0);
    let before = place.account();
    spec("{ email: ops@acme.example }");
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan), ["update uptime/contact/ops"]);
    place.run(&["apply", "--yes"]).expect(0);
    let [_, contacts, integrations] = place.account();
    assert_eq!((contacts.len(), integrations.len()), (2, 0));
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.account(), before);
}

#[test]
fn what_uptimerobot_cannot_hold_is_named_with_the_nearest() {
    let place = uptimerobot();
    let lines = |more: &str| {
        format!(
            r#"{more}
  alert: [ops]
  contacts: {{ ops: {{ email: ops@acme.example }} }}
  maintenance: {{ night: {{ repeat: daily, at: "02:00", for: 1h, zone: Europe/Berlin }} }}
  checks:
    - {{ name: Home, url: "https://acme.example/", confirm: 10m, recover: 5m, warn_domain: 30d, maintenance: [night] }}
    - {{ name: Names, dns: acme.example, answers: [192.0.2.1], server: ns1.acme.example, timeout: 5s }}
    - {{ name: Mail, tcp: "smtp.acme.example:587", confirm: 2 }}
"#
        )
    };
    place.checks("uptimerobot", &lines(""));
    let plan = place.run(&["plan", "--json"]).expect(1).json();
    let words = plan["refusals"].to_string();
    for field in ["confirm", "recover", "warn_domain", "zone", "server", "timeout"] {
        assert!(words.contains(&format!("cannot hold `{field}`")), "{field}: {words}");
    }
    assert_eq!(codes(&plan, "refusals").len(), 7, "{words}");
    assert!(words.contains("the nearest that it can hold: 2"), "{words}");
    place.checks("uptimerobot", &lines("  on_unsupported: warn"));
    place.run(&["apply", "--yes"]).expect(0);
    let again = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}", again.all());
    // What has nothing near it is refused all the same.
    place.checks_of(&[
        "{ name: Others, dns: other.example }",
        r#"{ name: Caa, dns: caa.example, record: CAA, answers: ['0 issue "ca.example"'] }"#,
        r#"{ name: Text, url: "https://acme.example/", method: POST, body: just words }"#,
    ]);
    let text = std::fs::read_to_string(place.path("launch.yaml")).unwrap();
    place.write(
        "launch.yaml",
        &text.replace("  alert: [ops]", "  on_unsupported: warn\n  alert: [ops]"),
    );
    let plan = place.run(&["plan", "--json"]).expect(1).json();
    let words = plan["refusals"].to_string();
    for field in ["answers", "record", "body"] {
        assert!(words.contains(&format!("cannot hold `{field}`")), "{field}: {words}");
    }
    place.world(|world| world.uptimerobot().pay(Paid::Free, 50));
    place.checks_of(&["{ name: Beat, heartbeat: 1h }"]);
    let plan = place.run(&["plan", "--json"]).expect(1).json();
    assert!(plan["refusals"].to_string().contains("`heartbeat`"), "{plan}");
}
