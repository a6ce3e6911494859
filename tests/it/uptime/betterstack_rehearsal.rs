//! A rehearsal for Better Stack: it begins with a copy of the team as it is.

use serde_json::json;

use super::betterstack::{account, betterstack};
use super::changes;
use crate::support::CANARY;

/// Checks of every kind that the service has, told of in every way.
const BEFORE: &str = r#"
  on_unsupported: warn
  alert: [ops]
  contacts: { ops: { email: ops@acme.example }, chat: { slack: env:SLACK_WEBHOOK_URL }, hook: { webhook: env:SLACK_WEBHOOK_URL } }
  maintenance: { night: { repeat: daily, at: "02:00", for: 1h, zone: Europe/Berlin } }
  checks:
    - { name: Home, url: "https://acme.example/", headers: { Authorization: env:CHECK_TOKEN }, expect: { contains: Sign in } }
    - { name: Both, url: "https://acme.example/both", alert: [ops, { contact: chat, after: 10m }] }
    - { name: Mail, tcp: "smtp.acme.example:587", paused: true }
    - { name: Nightly, heartbeat: 1h, grace: 10m }
    - { name: Resting, ping: vpn.acme.example, maintenance: [night] }
"#;

#[test]
fn a_rehearsal_begins_with_a_copy_of_the_team() {
    let mut place = betterstack();
    place
        .environment
        .insert("CHECK_TOKEN".to_owned(), format!("Bearer {CANARY}"));
    place.world(|world| {
        let account = world.betterstack();
        let steps = json!([{"type": "escalation", "wait_before": 0, "step_members": [{"type": "entire_team"}]}]);
        let night = account.add_policy("Night shift", &steps);
        account.add_monitor(&json!({
            "pronounceable_name": "Theirs", "url": "https://other.example/", "policy_id": night.to_string(),
            "request_headers": [{"id": "7", "name": "X-Token", "value": CANARY}], "request_body": CANARY,
        }));
        account.add_monitor(&json!({"pronounceable_name": "Script", "monitor_type": "playwright", "url": format!("https://x.example/{CANARY}")}));
        account.add_monitor(&json!({
            "pronounceable_name": "By hand", "url": "https://acme.example/pricing", "expiration_policy_id": night,
            "request_headers": [{"id": "8", "name": "Accept", "value": "text/html"}],
        }));
    });
    place.checks("betterstack", BEFORE);
    place.run(&["apply", "--yes"]).expect(0);
    let before = account(&place);
    // One goes, one is taken over, one becomes another type, one tells others, the rest stays.
    let changed = BEFORE
        .replace(
            "    - { name: Mail, tcp: \"smtp.acme.example:587\", paused: true }\n",
            "    - { name: Pricing, url: \"https://acme.example/pricing\", headers: { X-New: one } }\n",
        )
        .replace(", expect: { contains: Sign in }", "")
        .replace("[ops, { contact: chat, after: 10m }]", "[ops, hook]");
    place.checks("betterstack", &changed);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(
        changes(&plan),
        [
            "update uptime/monitor/both",
            "update uptime/monitor/home",
            "delete uptime/monitor/mail",
            "update uptime/monitor/pricing",
        ]
    );
    place.sandbox().clear_log();
    let rehearsed = place.run(&["rehearse", "--kill"]).expect(0);
    for words in [
        "a copy of what is live",
        "All as it should be",
        "0 to create, 3 to change, 1 to delete",
    ] {
        assert!(rehearsed.out.contains(words), "{words}: {}", rehearsed.out);
    }
    assert_eq!(place.writes(), 0, "the team itself is only read");
    assert_eq!(account(&place), before);
    assert!(!rehearsed.all().contains(CANARY), "{}", rehearsed.all());
    place.is_clean();
    // Without the token there is nothing to copy, and that is said.
    place.environment.remove("BETTERSTACK_API_TOKEN");
    let rehearsed = place.run(&["rehearse"]).expect(0);
    assert!(rehearsed.out.contains("BETTERSTACK_API_TOKEN"), "{}", rehearsed.out);
}
