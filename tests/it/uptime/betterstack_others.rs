//! What others have at Better Stack beside us, and what we had there before: nothing of it is taken, broken or doubled.

use serde_json::{Value, json};

use super::betterstack::{HOME, account, betterstack, checks_of, example, monitor};
use super::{changes, codes};
use crate::support::Place;

fn policies(place: &Place) -> Vec<Value> {
    let [_, policies, ..] = place.world(|world| world.betterstack().contents());
    policies
}

fn shared(place: &Place) -> Value {
    let mut all = policies(place).into_iter();
    all.find(|policy| policy["name"] == "launchctl-acme: chat, ops")
        .unwrap()
}

/// One check that tells two contacts, or none.
fn two_contacts(place: &Place, alert: &str, contacts: &str) {
    let lines = format!(
        "  contacts:\n{contacts}  checks:\n    - {{ name: Home, url: \"https://acme.example/\", alert: [{alert}] }}\n"
    );
    place.checks("betterstack", &lines);
}

const OPS: &str = "    ops: { email: ops@acme.example }\n";
const BOTH: &str = "    ops: { email: ops@acme.example }\n    chat: { slack: env:SLACK_WEBHOOK_URL }\n";

#[test]
fn a_heartbeat_that_becomes_a_check_is_replaced() {
    let place = betterstack();
    checks_of(&place, &["{ name: Home, heartbeat: 1h, grace: 5m }"]);
    place.run(&["apply", "--yes"]).expect(0);
    let before = account(&place);
    checks_of(&place, &[HOME]);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan), ["update uptime/monitor/home"]);
    assert!(codes(&plan, "warnings").contains(&"history-lost".to_owned()), "{plan}");
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(account(&place).map(|all| all.len()), [1, 1, 0, 1, 0]);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(account(&place), before);
}

#[test]
fn a_heartbeat_that_somebody_made_is_not_taken_for_its_name() {
    let place = betterstack();
    let theirs = json!({ "name": "Backup", "period": 3_600, "grace": 60 });
    place.world(|world| world.betterstack().add_heartbeat(&theirs));
    let start = account(&place);
    checks_of(&place, &["{ name: Backup, heartbeat: 1h }"]);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(
        changes(&plan),
        ["create uptime/contact/ops", "create uptime/monitor/backup"]
    );
    let warnings = codes(&plan, "warnings");
    assert!(
        warnings.contains(&"same-name".to_owned()) && !warnings.contains(&"taken-over".to_owned()),
        "{plan}"
    );
    place.faults(&["w2:drop-after"]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(account(&place).map(|all| all.len()), [0, 1, 0, 1, 2]);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(account(&place), start);
}

#[test]
fn a_heartbeat_that_a_run_made_and_could_not_mark_is_taken_up() {
    let place = betterstack();
    checks_of(&place, &["{ name: Backup, heartbeat: 1h }"]);
    place.world(|world| world.betterstack().lose_metadata(100));
    place.run(&["apply", "--yes"]).expect(1);
    assert_eq!(account(&place).map(|all| all.len()), [0, 1, 0, 0, 1]);
    place.world(|world| world.betterstack().lose_metadata(0));
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(account(&place).map(|all| all.len()), [0, 1, 0, 1, 1], "no second one");
}

#[test]
fn what_a_heartbeat_or_another_policy_uses_is_not_deleted() {
    for user in ["heartbeat", "fallback"] {
        let place = betterstack();
        two_contacts(&place, "ops, chat", BOTH);
        place.run(&["apply", "--yes"]).expect(0);
        let id = shared(&place)["id"].clone();
        place.world(|world| {
            let account = world.betterstack();
            if user == "heartbeat" {
                account.add_heartbeat(&json!({ "name": "Theirs", "period": 60, "grace": 60, "policy_id": id }));
            } else {
                account.add_policy("Theirs", &json!([]));
                account.with_policies(|policy| {
                    if policy["name"] == "Theirs" {
                        policy.insert("fallback_policy_id".to_owned(), id.clone());
                    }
                });
            }
        });
        // With its contact: that one cannot go.
        two_contacts(&place, "ops", OPS);
        let refused = place.run(&["plan", "--json"]).expect(1).json();
        assert_eq!(codes(&refused, "refusals"), ["contact-in-use"], "{user}: {refused}");
        assert!(refused.to_string().contains("heirs"), "{refused}");
        // Without: the policy stays.
        two_contacts(&place, "ops", BOTH);
        let applied = place.run(&["apply", "--yes"]);
        assert_eq!(applied.code, 0, "{user}: {}", applied.all());
        assert_eq!(shared(&place)["id"], id, "{user}");
        place.run(&["plan", "--detailed-exitcode"]).expect(0);
    }
}

#[test]
fn a_refused_request_that_came_after_others_is_not_taken_for_done() {
    let place = betterstack();
    two_contacts(&place, "ops, chat", BOTH);
    place.run(&["apply", "--yes"]).expect(0);
    two_contacts(&place, "ops", BOTH);
    let id = shared(&place)["id"].clone();
    // Somebody begins to use it between the reading and the deletion.
    place.foreign_hand_before_write(2, move |world| {
        let theirs = json!({ "name": "Theirs", "period": 60, "grace": 60, "policy_id": id });
        world.betterstack().add_heartbeat(&theirs);
    });
    let ran = place.run(&["apply", "--yes"]).expect(1);
    assert!(
        ran.all().contains("Policy is used by monitors") && !ran.all().contains("1 change applied"),
        "{}",
        ran.all()
    );
}

#[test]
fn a_policy_that_was_changed_by_hand_gets_no_twin_of_its_name() {
    let place = betterstack();
    two_contacts(&place, "ops, chat", BOTH);
    place.run(&["apply", "--yes"]).expect(0);
    place.world(|world| {
        world.betterstack().with_policies(|policy| {
            if policy["name"] == "launchctl-acme: chat, ops" {
                policy.insert("repeat_count".to_owned(), json!(3));
            }
        });
    });
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert!(codes(&plan, "warnings").contains(&"left-behind".to_owned()), "{plan}");
    place.run(&["apply", "--yes"]).expect(0);
    let mut names: Vec<String> = policies(&place)
        .iter()
        .map(|policy| policy["name"].to_string())
        .collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all, "{names:?}");
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn a_project_under_another_name_leaves_nothing_behind() {
    let place = betterstack();
    example(&place);
    place.run(&["apply", "--yes"]).expect(0);
    let before = account(&place).map(|all| all.len());
    let text = std::fs::read_to_string(place.path("launch.yaml")).unwrap();
    let renamed = text.replace("project: Acme\n", "project: Acme Portal\n");
    assert_ne!(renamed, text);
    place.write("launch.yaml", &renamed);
    let applied = place.run(&["apply", "--yes"]);
    assert_eq!(applied.code, 0, "{}", applied.all());
    assert_eq!(account(&place).map(|all| all.len()), before);
    // Later runs know the earlier name too.
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    let other = renamed.replace("ops@acme.example", "other@acme.example");
    place.write("launch.yaml", &other);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(account(&place).map(|all| all.len()), before);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn what_has_to_be_written_or_is_taken_instead_is_said_so_that_it_can_be_followed() {
    let place = betterstack();
    checks_of(
        &place,
        &[
            HOME,
            "{ name: Certificate, tls: acme.example }",
            "{ name: Names, dns: acme.example }",
        ],
    );
    let refused = place.run(&["plan", "--json"]).expect(1).json();
    assert_eq!(codes(&refused, "refusals"), ["unsupported"], "{refused}");
    let refusal = &refused["refusals"][0];
    assert_eq!(
        refusal["message"],
        "Better Stack needs `server`: it asks the DNS server that it is told"
    );
    assert_eq!(refusal["help"], "write `server: HOST`");
    checks_of(&place, &[HOME, "{ name: Certificate, tls: acme.example }"]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(
        monitor(&place, "Home")["ssl_expiration"],
        14,
        "the usual 21 days are none of its values"
    );
    checks_of(
        &place,
        &["{ name: Home, url: \"https://acme.example/\", expect: { status: 200, contains: Sign in } }"],
    );
    let refused = place.run(&["plan", "--json"]).expect(1).json();
    assert_eq!(
        refused["refusals"][0]["help"],
        "the nearest that it can hold: any status; `on_unsupported: warn` takes that"
    );
}

#[test]
fn a_deletion_whose_answer_was_lost_is_done() {
    let place = betterstack();
    place.checks(
        "betterstack",
        "  checks:\n    - { name: Home, url: \"https://acme.example/\", alert: [] }\n",
    );
    place.run(&["apply", "--yes"]).expect(0);
    place.checks("betterstack", "  checks: []\n");
    // It is sent again, and what it deleted is not there.
    place.faults(&["w1:drop-after"]);
    place.run(&["apply", "--yes", "--allow-deletes", "1"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn a_team_is_named_when_something_is_made_and_never_again() {
    let place = betterstack();
    place.world(|world| world.betterstack().serve_several_teams());
    let spec = |every: &str, mailbox: &str| {
        place.write(
            "launch.yaml",
            &format!(
                "version: 1\nproject: Acme\nproviders:\n  betterstack: {{ account: Sandbox }}\nuptime:\n  provider: betterstack\n  alert: [ops]\n  contacts: {{ ops: {{ email: {mailbox} }} }}\n  checks:\n    - {{ name: Home, url: \"https://acme.example/\", every: {every} }}\n    - {{ name: Backup, heartbeat: {every} }}\n"
            ),
        );
    };
    spec("5m", "ops@acme.example");
    place.run(&["apply", "--yes"]).expect(0);
    spec("10m", "night@acme.example");
    let changed = place.run(&["apply", "--yes"]);
    assert_eq!(changed.code, 0, "{}", changed.all());
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}
