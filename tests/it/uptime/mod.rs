//! Checks on the whole road, with the real binary, at each service that keeps them.

mod betterstack;
mod betterstack_others;
mod betterstack_rehearsal;
mod betterstack_traps;
mod gatus;
mod imported;
mod kept;
mod kinds;
mod prometheus;
mod road;
mod sent;
mod trio;
mod uptimerobot;
mod uptimerobot_traps;

use launchctl::sandbox::{Plan, SANDBOX_TOKEN};
use serde_json::Value;

use crate::support::{CANARY, Place};

/// The address of a webhook, which must never be seen.
pub const HOOK: &str = "https://hooks.slack.example/T1/B2/canary-9f3e77c1a5b2";

/// The checks of the example in the design.
pub const EXAMPLE: &str = r#"
  every: 5m
  alert: [ops]
  contacts:
    ops: { email: ops@acme.example }
    chat: { slack: env:SLACK_WEBHOOK_URL }
  checks:
    - { name: Homepage,    url: "https://acme.example/", expect: { status: 200, contains: Sign in } }
    - { name: Login page,  url: "https://app.acme.example/login" }
    - { name: API health,  url: "https://app.acme.example/api/health", every: 1m, alert: [ops, chat] }
    - { name: Certificate, tls: acme.example, warn_before: 21d }
    - { name: Mail server, tcp: "smtp.acme.example:587" }
"#;

/// A place beside an account at UptimeRobot.
pub fn uptimerobot() -> Place {
    assert!(HOOK.ends_with(CANARY), "what looks for the one finds the other");
    let mut place = Place::new(Plan::Free);
    let environment = [
        ("UPTIMEROBOT_BASE_URL", place.sandbox().url_of("uptimerobot")),
        ("UPTIMEROBOT_API_KEY", SANDBOX_TOKEN.to_owned()),
        ("SLACK_WEBHOOK_URL", HOOK.to_owned()),
    ];
    let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value));
    place.environment.extend(environment);
    place
}

impl Place {
    /// A spec with these lines under `uptime:` and nothing else.
    pub fn checks(&self, provider: &str, lines: &str) {
        self.write(
            "launch.yaml",
            &format!(
                "version: 1\nproject: Acme\nuptime:\n  provider: {provider}\n{}",
                lines.trim_start_matches('\n')
            ),
        );
    }

    /// A spec with one contact and these checks.
    pub fn checks_of(&self, checks: &[&str]) {
        let mut lines = "  alert: [ops]\n  contacts: { ops: { email: ops@acme.example } }\n  checks:\n".to_owned();
        for check in checks {
            lines.push_str(&format!("    - {check}\n"));
        }
        self.checks("uptimerobot", &lines);
    }

    /// What the account at UptimeRobot holds, ids aside: two that read the same are the same.
    pub fn account(&self) -> [Vec<String>; 3] {
        let contents = self.world(|world| world.uptimerobot().contents());
        // Contacts by their names, since their ids differ.
        let names: Vec<(String, String)> = contents[1..]
            .iter()
            .flatten()
            .map(|contact| (contact["id"].to_string(), contact["friendlyName"].to_string()))
            .collect();
        contents.map(|all| {
            let mut all: Vec<String> = all
                .into_iter()
                .map(|mut entry| {
                    entry.as_object_mut().unwrap().remove("id");
                    if let Some(Value::Array(tags)) = entry.get_mut("tags") {
                        for tag in tags.iter_mut() {
                            *tag = tag["name"].clone();
                        }
                        tags.sort_by_key(ToString::to_string);
                    }
                    let mut text = entry.to_string();
                    for (id, name) in &names {
                        text = text.replace(id, name);
                    }
                    text
                })
                .collect();
            all.sort();
            all
        })
    }

    /// One monitor of the account, by its name.
    pub fn monitor(&self, name: &str) -> Value {
        let [monitors, ..] = self.world(|world| world.uptimerobot().contents());
        let mut found = monitors.into_iter().filter(|monitor| monitor["friendlyName"] == name);
        let one = found.next().unwrap_or_else(|| panic!("no monitor {name}"));
        assert!(found.next().is_none(), "two monitors {name}");
        one
    }

    /// How many writes were made since the log was cleared.
    pub fn writes(&self) -> usize {
        self.sandbox().log().iter().filter(|entry| entry.wrote).count()
    }

    /// Nothing that was written, here or there, holds the canary.
    #[track_caller]
    pub fn is_clean(&self) {
        for (path, bytes) in self.files() {
            assert!(!String::from_utf8_lossy(&bytes).contains(CANARY), "{}", path.display());
        }
    }
}

/// What a plan says of its changes, as `ACTION ADDRESS`.
pub fn changes(plan: &Value) -> Vec<String> {
    let words = |change: &Value| {
        format!(
            "{} {}",
            change["action"].as_str().unwrap(),
            change["address"].as_str().unwrap()
        )
    };
    plan["changes"].as_array().unwrap().iter().map(words).collect()
}

/// The codes of a plan's warnings or refusals.
pub fn codes(plan: &Value, list: &str) -> Vec<String> {
    let all = plan[list].as_array().unwrap().iter();
    all.map(|entry| entry["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_a_certificate_says_of_itself_is_told_where_it_becomes_a_part_of_another_check() {
    let place = uptimerobot();
    let said = |checks: &[&str]| {
        place.checks_of(checks);
        let found = place.run(&["validate", "--json"]).expect(0).json();
        codes(&found, "findings")
    };
    let home = |more: &str| format!(r#"{{ name: Home, url: "https://acme.example/"{more} }}"#);
    let tls = |more: &str| format!("{{ name: Certificate, tls: acme.example{more} }}");
    assert!(said(&[&home(""), &tls("")]).is_empty());
    assert_eq!(said(&[&home(", paused: true"), &tls("")]), ["folded-check"]);
    assert_eq!(said(&[&home(""), &tls(", labels: [x]")]), ["folded-check"]);
    assert_eq!(said(&[&home(""), &tls(", alert: []")]), ["folded-alert", "nobody-told"]);
    // Of two checks of the host the one that is not paused watches it.
    let other = r#"{ name: Shop, url: "https://acme.example/shop" }"#;
    assert!(said(&[&home(", paused: true"), other, &tls("")]).is_empty());
    // One that is paused itself is a part of nothing.
    assert!(said(&[&home(""), &tls(", paused: true, warn_before: 14d")]).is_empty());
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.monitor("Home")["sslExpirationReminder"], false);
    // A host that only a paused check looks at is not watched.
    place.write(
        "launch.yaml",
        "version: 1\nzones: { acme.example: { provider: cloudflare, records: [{ type: A, name: a, value: 192.0.2.1 }] } }\nuptime:\n  provider: uptimerobot\n  checks: [{ name: A, url: \"https://a.acme.example/\", alert: [], paused: true }]\n",
    );
    let found = place.run(&["validate", "--json"]).expect(0).json();
    assert!(codes(&found, "findings").contains(&"not-watched".to_owned()), "{found}");
}

#[test]
fn no_length_of_time_is_longer_than_a_year() {
    let place = uptimerobot();
    place.checks_of(&[r#"{ name: Home, url: "https://acme.example/", every: 40000d }"#]);
    let refused = place.run(&["validate", "--json"]).expect(1).json();
    assert_eq!(codes(&refused, "findings"), ["bad-duration"]);
}

#[test]
fn checks_and_the_rest_of_the_spec_are_seen_together() {
    let place = uptimerobot();
    place.write(
        "launch.yaml",
        r#"
version: 1
zones:
  acme.example:
    provider: cloudflare
    records:
      - { type: A, name: "@", value: 192.0.2.1, proxied: true }
      - { type: A, name: api, value: 192.0.2.1 }
      - { type: A, name: inside, value: 10.0.0.5 }
      - { type: CNAME, name: www, value: acme.example, proxied: true }
      - { type: CNAME, name: "*.preview", value: host.example. }
      - { type: CNAME, name: _acme-challenge, value: host.example. }
      - { type: MX, name: "@", value: 10 mx.host.example }
uptime:
  provider: uptimerobot
  alert: [ops]
  contacts: { ops: { email: ops@acme.example }, spare: { email: spare@acme.example } }
  checks:
    - { name: Home, url: "https://acme.example/" }
    - { name: Preview, url: "https://a.preview.acme.example/" }
    - { name: Shop, url: "https://shop.acme.example/", alert: [] }
    - { name: Early, tls: acme.example, warn_before: 45d }
    - { name: Late, tls: a.preview.acme.example, warn_before: 2d }
    - { name: Right, tls: acme.example }
"#,
    );
    let found = place.run(&["validate", "--json"]).expect(0).json();
    let mut said: Vec<String> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| format!("{} {}", finding["line"], finding["code"].as_str().unwrap()))
        .collect();
    said.sort();
    assert_eq!(
        said,
        [
            "17 unused-contact",
            "21 nobody-told",
            "21 unknown-host",
            "22 expiry-watched-wrong",
            "23 expiry-watched-wrong",
            "8 not-watched",
        ]
    );
    // Each can be meant, by its code and by no other.
    let text = std::fs::read_to_string(place.path("launch.yaml")).unwrap();
    for code in [
        "unused-contact",
        "nobody-told",
        "unknown-host",
        "expiry-watched-wrong",
        "not-watched",
    ] {
        let accepted = text.replace(
            "  provider: uptimerobot\n",
            &format!("  provider: uptimerobot\n  accept: [{code}]\n"),
        );
        place.write("launch.yaml", &accepted);
        let found = place.run(&["validate", "--json"]).expect(0).json();
        let left = |wanted: &str| {
            let all = found["findings"].as_array().unwrap().iter();
            all.filter(|finding| finding["code"] == wanted).count()
        };
        assert_eq!(left(code), 0, "{code}");
        let others = said.iter().filter(|line| !line.ends_with(code)).count();
        assert_eq!(found["findings"].as_array().unwrap().len(), others, "{code}: {found}");
    }
    place.write(
        "launch.yaml",
        &text.replace(
            "  provider: uptimerobot\n",
            "  provider: uptimerobot\n  accept: [not-wached]\n",
        ),
    );
    let wrong = place.run(&["validate"]).expect(1);
    assert!(wrong.err.contains("did you mean `not-watched`?"), "{}", wrong.err);
    // A question for a record that is not there.
    let asked = "  checks:\n    - { name: Mail, dns: acme.example, record: MX, answers: [10 mx.host.example] }\n    - { name: Six, dns: acme.example, record: AAAA, answers: [\"2001:db8::1\"] }\n";
    place.write("launch.yaml", &text.replace("  checks:\n", asked));
    let found = place.run(&["validate", "--json"]).expect(0).json();
    let words = found["findings"].to_string();
    assert!(
        words.contains("no AAAA record of acme.example") && !words.contains("no MX record"),
        "{words}"
    );
    place.write("launch.yaml", &text);
    let plain = place.run(&["validate"]).expect(0);
    assert!(
        plain
            .err
            .contains("no check looks at api.acme.example and www.acme.example"),
        "{}",
        plain.err
    );
}
