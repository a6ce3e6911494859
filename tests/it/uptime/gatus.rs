//! Gatus: one file in a folder, written and never read back. Gatus itself is in no package registry that tests install
//! from, so what is written is proved by parsing it and by what its documentation says of each key.

use std::os::unix::fs::PermissionsExt as _;

use granit_parser::Parser;
use launchctl::sandbox::Plan;
use serde_json::{Value, json};

use super::betterstack::betterstack;
use super::{EXAMPLE, HOOK, changes, codes, uptimerobot};
use crate::support::{CANARY, Place};

pub fn place() -> (Place, tempfile::TempDir) {
    let mut place = Place::new(Plan::Free);
    place.environment.insert("SLACK_WEBHOOK_URL".into(), HOOK.to_owned());
    (place, tempfile::tempdir().unwrap())
}

pub fn spec(place: &Place, folder: &tempfile::TempDir, lines: &str) {
    let text = format!(
        "version: 1\nproject: Acme\nproviders:\n  gatus: {{ directory: \"{}\" }}\nuptime:\n  provider: gatus\n{}",
        folder.path().display(),
        lines.trim_start_matches('\n')
    );
    place.write("launch.yaml", &text);
}

fn written(folder: &tempfile::TempDir) -> (String, Value) {
    let text = std::fs::read_to_string(folder.path().join("launchctl_acme.yaml")).unwrap();
    for event in Parser::new_from_str(&text) {
        event.unwrap_or_else(|error| panic!("no YAML: {error}\n{text}"));
    }
    let value = serde_json::from_str(&text).unwrap();
    (text, value)
}

fn endpoint<'v>(value: &'v Value, name: &str) -> &'v Value {
    let all = value["endpoints"].as_array().unwrap();
    all.iter()
        .find(|one| one["name"] == name)
        .unwrap_or_else(|| panic!("no {name}: {value:#}"))
}

#[test]
fn the_example_there_and_back() {
    let (place, folder) = place();
    std::fs::write(folder.path().join("own.yaml"), "ui: { title: Ours }\n").unwrap();
    spec(&place, &folder, EXAMPLE);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(
        changes(&plan).len(),
        6,
        "the certificate is a condition of the homepage"
    );
    assert_eq!(codes(&plan, "warnings"), ["include-once"]);
    let applied = place.run(&["apply", "--yes", "-vv"]).expect(0);
    assert!(!applied.all().contains(CANARY), "{}", applied.all());
    place.is_clean();
    let again = place.run(&["plan", "--json"]).expect(0).json();
    assert!(
        changes(&again).is_empty() && codes(&again, "warnings").is_empty(),
        "{again}"
    );
    let (text, value) = written(&folder);
    let home = endpoint(&value, "Homepage");
    assert_eq!(
        home["conditions"],
        json!([
            "[STATUS] == 200",
            "[BODY] == pat(*Sign in*)",
            "[CERTIFICATE_EXPIRATION] > 504h"
        ])
    );
    assert_eq!((&home["interval"], &home["method"]), (&json!("300s"), &json!("GET")));
    assert_eq!(
        endpoint(&value, "Login page")["conditions"],
        json!(["[STATUS] >= 200", "[STATUS] < 300"])
    );
    let alerts = endpoint(&value, "API health")["alerts"].as_array().unwrap().clone();
    assert_eq!(alerts.len(), 2);
    assert!(
        alerts
            .iter()
            .all(|alert| alert["failure-threshold"] == 1 && alert["send-on-resolved"] == true)
    );
    assert_eq!(
        value["alerting"]["slack"]["webhook-url"], HOOK,
        "it is there all the same"
    );
    let mode = std::fs::metadata(folder.path().join("launchctl_acme.yaml"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640, "it holds a credential");
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(written(&folder).0, text, "a second apply writes nothing else");
    // Somebody changes it by hand.
    std::fs::write(folder.path().join("launchctl_acme.yaml"), text.replace("504h", "1h")).unwrap();
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert!(!changes(&plan).is_empty());
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(written(&folder).0, text);
    place.run(&["rollback", "--yes"]).expect(0);
    let own = std::fs::read_to_string(folder.path().join("own.yaml")).unwrap();
    assert_eq!(own, "ui: { title: Ours }\n", "what is the user's is never written");
}

#[test]
fn another_address_is_a_change_of_the_contact_alone() {
    let (mut place, folder) = place();
    spec(&place, &folder, EXAMPLE);
    place.run(&["apply", "--yes"]).expect(0);
    place
        .environment
        .insert("SLACK_WEBHOOK_URL".into(), format!("{HOOK}-new"));
    let plan = place.run(&["plan", "--json"]).expect(0);
    assert_eq!(changes(&plan.json()), ["update uptime/contact/chat"]);
    place.run(&["apply", "--yes"]).expect(0);
    assert!(written(&folder).0.contains(&format!("{HOOK}-new")));
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.is_clean();
}

#[test]
fn everything_that_it_holds_is_written_as_it_is_documented() {
    let (mut place, folder) = place();
    place
        .environment
        .insert("CHECK_BODY".into(), format!("pay $5 {CANARY}"));
    spec(
        &place,
        &folder,
        r#"
  every: 1m
  alert: [{ contact: hook, after: 5m, repeat: 1h }]
  contacts: { hook: { webhook: env:SLACK_WEBHOOK_URL } }
  maintenance: { sunday: { repeat: weekly, days: [sunday], at: "23:00", for: 90m, zone: Europe/Berlin } }
  checks:
    - { name: 'A & B <größe> {x}', url: "https://acme.example/", method: POST, body: env:CHECK_BODY, headers: { X-Probe: "1" }, verify_tls: false, follow_redirects: false, confirm: 2, recover: 3m, maintenance: [sunday], expect: { status: [204, 404], lacks: Error } }
    - { name: Names, dns: acme.example, server: 127.0.0.1, answers: [192.0.2.2, 192.0.2.1] }
    - { name: Ping, ping: vpn.acme.example, paused: true }
    - { name: Port, tcp: "[2001:db8::1]:25" }
    - { name: Domain, url: "https://acme.example/d", every: 10m, warn_domain: 30d, alert: [] }
"#,
    );
    place.run(&["apply", "--yes"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.is_clean();
    let (_, value) = written(&folder);
    let all = endpoint(&value, "A & B <größe> {x}");
    assert_eq!(
        all["body"],
        format!("pay $$5 {CANARY}"),
        "a sign that Gatus would take for a variable"
    );
    assert_eq!(
        all["client"],
        json!({"ignore-redirect": true, "insecure": true, "timeout": "30s"})
    );
    assert_eq!(
        all["conditions"],
        json!(["[STATUS] == any(204, 404)", "[BODY] != pat(*Error*)"])
    );
    assert_eq!(
        all["alerts"],
        json!([{
            "type": "custom", "failure-threshold": 6, "success-threshold": 4, "send-on-resolved": true,
            "minimum-reminder-interval": "60m",
        }])
    );
    assert_eq!(
        all["maintenance-windows"],
        json!([{"start": "23:00", "duration": "90m", "timezone": "Europe/Berlin", "every": ["Sunday"]}])
    );
    let names = endpoint(&value, "Names");
    assert_eq!(names["url"], "127.0.0.1");
    assert_eq!(names["dns"], json!({"query-name": "acme.example", "query-type": "A"}));
    assert_eq!(
        names["conditions"],
        json!(["[DNS_RCODE] == NOERROR", "[BODY] == any(192.0.2.1, 192.0.2.2)"])
    );
    assert_eq!(endpoint(&value, "Ping")["enabled"], false);
    assert_eq!(endpoint(&value, "Ping")["url"], "icmp://vpn.acme.example");
    assert_eq!(endpoint(&value, "Port")["url"], "tcp://[2001:db8::1]:25");
    assert!(
        endpoint(&value, "Domain")["conditions"]
            .to_string()
            .contains("[DOMAIN_EXPIRATION] > 720h")
    );
}

#[test]
fn a_project_under_another_name_moves_its_files() {
    let (place, folder) = place();
    let names = || {
        let mut names: Vec<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    // Named as ours are, and somebody else's.
    std::fs::write(folder.path().join("launchctl_other.yaml"), "ui: {}\n").unwrap();
    spec(&place, &folder, EXAMPLE);
    place.run(&["apply", "--yes"]).expect(0);
    let text = std::fs::read_to_string(place.path("launch.yaml")).unwrap();
    place.write(
        "launch.yaml",
        &text.replace("project: Acme\n", "project: Acme Portal\n"),
    );
    place.run(&["apply", "--yes"]).expect(0);
    let moved = [
        "launchctl_acme-portal.json",
        "launchctl_acme-portal.yaml",
        "launchctl_other.yaml",
    ];
    assert_eq!(names(), moved);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    // What an earlier version of the tool left there goes with the next change.
    for ending in ["json", "yaml"] {
        let [new, old] = ["acme-portal", "acme"].map(|name| folder.path().join(format!("launchctl_{name}.{ending}")));
        std::fs::copy(new, old).unwrap();
    }
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(codes(&plan, "warnings"), ["left-behind"]);
    let text = text
        .replace("project: Acme\n", "project: Acme Portal\n")
        .replace("every: 5m", "every: 10m");
    place.write("launch.yaml", &text);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(names(), moved);
}

#[test]
fn what_it_cannot_hold_is_named_with_the_nearest() {
    let (place, folder) = place();
    let lines = |more: &str| {
        format!(
            r#"{more}
  every: 1m
  alert: [{{ contact: hook, after: 5m, repeat: 2m }}]
  contacts: {{ hook: {{ webhook: env:SLACK_WEBHOOK_URL }} }}
  maintenance: {{ month: {{ repeat: monthly, days: [1], at: "23:00", for: 1h }} }}
  checks:
    - {{ name: Home, url: "https://acme.example/", confirm: 90s, recover: 10s, regions: [europe], labels: [web], maintenance: [month], warn_before: [30d, 7d], warn_domain: true, expect: {{ contains: x, ignore_case: true }} }}
    - {{ name: Names, dns: acme.example, record: MX, server: 127.0.0.1, answers: [10 mx.acme.example] }}
"#
        )
    };
    spec(&place, &folder, &lines(""));
    let plan = place.run(&["plan", "--json"]).expect(1).json();
    let words = plan["refusals"].to_string();
    for field in [
        "alert",
        "answers",
        "confirm",
        "every",
        "ignore_case",
        "labels",
        "maintenance",
        "recover",
        "regions",
        "warn_before",
        "warn_domain",
    ] {
        assert!(words.contains(&format!("cannot hold `{field}`")), "{field}: {words}");
    }
    spec(&place, &folder, &lines("  on_unsupported: warn"));
    place.run(&["apply", "--yes"]).expect(0);
    let again = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}", again.all());
    // What has nothing near it, and two contacts of a kind.
    spec(
        &place,
        &folder,
        r#"
  alert: [a, b]
  contacts: { a: { email: a@acme.example }, b: { email: b@acme.example }, c: { sms: "+441632960961" } }
  checks:
    - { name: Beat, heartbeat: 1d }
    - { name: Home, url: "https://acme.example/", expect: { contains: "a*b" }, alert: [c] }
    - { name: Names, dns: acme.example }
"#,
    );
    let plan = place.run(&["plan", "--json"]).expect(1).json();
    let words = plan["refusals"].to_string();
    for part in [
        "`heartbeat`",
        "`contains`",
        "`server`",
        "`sms`",
        "in one way of each kind",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    // What would stop it: a sign that it takes in no name, and two names that are one to it.
    spec(
        &place,
        &folder,
        r#"
  alert: [hook]
  contacts: { hook: { webhook: env:SLACK_WEBHOOK_URL } }
  checks:
    - { name: 'The "new" one', url: "https://acme.example/new" }
    - { name: Login page, url: "https://acme.example/a" }
    - { name: LOGIN_page, key: other, url: "https://acme.example/b" }
"#,
    );
    let plan = place.run(&["plan", "--json"]).expect(1).json();
    let words = plan["refusals"].to_string();
    for part in [
        "cannot hold `name`",
        "is that of uptime/monitor/other too",
        "The 'new' one",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    // A folder that is not there, or not named.
    let text = std::fs::read_to_string(place.path("launch.yaml")).unwrap();
    let path = folder.path().display().to_string();
    place.write("launch.yaml", &text.replace(&path, &format!("{path}/nowhere")));
    assert!(place.run(&["plan"]).expect(1).err.contains("make it"));
    place.write(
        "launch.yaml",
        &text.replace(&format!("{{ directory: \"{path}\" }}"), "{}"),
    );
    assert!(place.run(&["plan"]).expect(1).err.contains("directory"));
}

#[test]
fn a_rehearsal_goes_on_without_the_checks() {
    let (place, folder) = place();
    place.spec("- { type: A, name: www, value: 192.0.2.1 }");
    let zones = std::fs::read_to_string(place.path("launch.yaml")).unwrap();
    for provider in ["gatus", "prometheus"] {
        let checks = format!(
            "providers: {{ {provider}: {{ directory: \"{}\" }} }}\nuptime:\n  provider: {provider}\n  alert: []\n  \
             checks:\n    - {{ name: Home, url: \"https://acme.example/\" }}\n",
            folder.path().display()
        );
        place.write("launch.yaml", &format!("{zones}{checks}"));
        let seen = place.run(&["rehearse", "--empty"]).expect(0);
        assert!(
            seen.out.contains("the checks are not rehearsed") && seen.out.contains("All as it should be"),
            "{}",
            seen.all()
        );
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "nothing is written"
        );
    }
}

#[test]
fn checks_that_move_here_leave_nothing_behind_unsaid() {
    let (place, folder) = (uptimerobot(), tempfile::tempdir().unwrap());
    let home = "{ name: Home, url: \"https://acme.example/\" }";
    let mail = "{ name: Mail, tcp: \"smtp.acme.example:587\" }";
    place.checks_of(&[home, mail]);
    place.run(&["apply", "--yes"]).expect(0);
    let there = place.account();
    let here =
        format!("  alert: [ops]\n  contacts: {{ ops: {{ slack: env:SLACK_WEBHOOK_URL }} }}\n  checks: [{home}]\n");
    spec(&place, &folder, &here);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    let said = plan["warnings"].as_array().unwrap().iter();
    let said: Vec<&str> = said
        .filter(|one| one["code"] == "left-behind")
        .map(|one| one["message"].as_str().unwrap())
        .collect();
    insta::assert_snapshot!("checks_move", said.join("\n"));
    // What is declared is made here, and what is no longer declared is deleted nowhere.
    assert_eq!(
        changes(&plan),
        ["create uptime/contact/ops", "create uptime/monitor/home"]
    );
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.account(), there);
    // What was done there is not undone here, though the addresses are the same.
    let first = place.run(&["history", "--json"]).expect(0).json()["runs"][0]["run"].clone();
    let refused = place.run(&["rollback", first.as_str().unwrap(), "--yes"]).expect(1);
    assert!(refused.all().contains("another provider"), "{}", refused.all());
    // Said when they move, and not for ever.
    let again = place.run(&["plan", "--json"]).expect(0).json();
    assert!(changes(&again).is_empty(), "{again}");
    assert!(
        !codes(&again, "warnings").contains(&"left-behind".to_owned()),
        "{again}"
    );
    // Back where they came from, nothing is made twice.
    place.checks_of(&[home, mail]);
    let back = place.run(&["plan", "--json"]).expect(0).json();
    assert!(changes(&back).is_empty(), "{back}");
}

#[test]
fn a_plan_that_was_reviewed_for_another_provider_is_not_carried_out_here() {
    // Neither service gives the account an id, so that alone does not tell them apart.
    let (place, folder) = (betterstack(), tempfile::tempdir().unwrap());
    let lines = "  alert: [ops]\n  contacts: { ops: { slack: env:SLACK_WEBHOOK_URL } }\n  checks: [{ name: Home, url: \"https://acme.example/\" }]\n";
    place.checks("betterstack", lines);
    place.run(&["plan", "--out", "reviewed.json"]).expect(0);
    spec(&place, &folder, lines);
    let refused = place.run(&["apply", "reviewed.json", "--yes"]).expect(1);
    assert!(refused.out.contains("make a new plan"), "{}", refused.all());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_another_file_of_the_folder_says_too_is_not_said_twice() {
    let (place, folder) = place();
    let own = folder.path().join("more").join("own.yml");
    std::fs::create_dir(folder.path().join("more")).unwrap();
    std::fs::write(
        &own,
        "alerting: { slack: { webhook-url: 'https://hooks.slack.example/own' } }\n",
    )
    .unwrap();
    spec(&place, &folder, EXAMPLE);
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(
        refused.out.contains("own.yml") && refused.out.contains("another means"),
        "{}",
        refused.all()
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is written"
    );
    // What both may say is merged.
    std::fs::write(&own, "alerting: { slack: { default-alert: { enabled: true } } }\n").unwrap();
    place.run(&["apply", "--yes"]).expect(0);
    // Said there later, Gatus has stopped already: the plan tells why.
    std::fs::write(
        &own,
        "alerting: { slack: { webhook-url: 'https://hooks.slack.example/own' } }\n",
    )
    .unwrap();
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert!(changes(&plan).is_empty(), "{plan}");
    assert_eq!(codes(&plan, "warnings"), ["told-twice"]);
}
