//! What holds for every service that keeps checks, and what is not settled of one and taken either way.

use serde_json::json;

use super::betterstack::{betterstack, checks_of};
use super::{changes, uptimerobot};

#[test]
fn the_case_of_a_keyword_reads_back_as_a_number_or_as_a_word() {
    let place = uptimerobot();
    place.checks_of(&[
        r#"{ name: Home, url: "https://acme.example/", expect: { contains: Welcome, ignore_case: true } }"#,
    ]);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.monitor("Home")["keywordCaseType"], 1, "a number is sent");
    for (read, differs) in [
        (json!(1), false),
        (json!("CaseInsensitive"), false),
        (json!(0), true),
        (json!("CaseSensitive"), true),
    ] {
        place.world(|world| {
            world
                .uptimerobot()
                .with_monitors(|all| all[0]["keywordCaseType"] = read.clone());
        });
        let plan = place.run(&["plan", "--json"]).expect(0).json();
        assert_eq!(changes(&plan).len(), usize::from(differs), "{read}: {plan}");
    }
}

#[test]
fn what_is_replaced_is_told_with_its_new_id() {
    let place = betterstack();
    checks_of(&place, &[r#"{ name: Home, url: "https://acme.example/" }"#]);
    place.run(&["apply", "--yes"]).expect(0);
    let id = || {
        let [monitors, .., heartbeats] = place.world(|world| world.betterstack().contents());
        let all: Vec<String> = monitors
            .iter()
            .chain(&heartbeats)
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(all.len(), 1, "{all:?}");
        all.concat()
    };
    let old = id();
    checks_of(&place, &["{ name: Home, heartbeat: 1h, grace: 5m }"]);
    let applied = place.run(&["apply", "--yes"]).expect(0);
    let words = applied.all().split_whitespace().collect::<Vec<_>>().join(" ");
    let told = format!("uptime/monitor/home was {old} at Better Stack and is {} now", id());
    assert!(words.contains(&told), "{told}: {words}");
    let undone = place.run(&["rollback", "--yes"]).expect(0);
    assert!(undone.all().contains(" at Better Stack and is "), "{}", undone.all());
}

#[test]
fn what_asks_something_else_is_not_taken_over() {
    let home = r#"{ name: Home, url: "https://acme.example/" }"#;
    let robot = uptimerobot();
    robot.world(|world| {
        let theirs = json!({"friendlyName": "Home", "url": "https://other.example/"});
        world.uptimerobot().add_monitor(&theirs);
    });
    robot.checks_of(&[home]);
    let stack = betterstack();
    stack.world(|world| {
        let theirs = json!({"pronounceable_name": "Home", "url": "https://other.example/"});
        world.betterstack().add_monitor(&theirs);
    });
    checks_of(&stack, &[home]);
    for place in [robot, stack] {
        let plan = place.run(&["plan", "--json"]).expect(0).json();
        assert!(
            changes(&plan).contains(&"create uptime/monitor/home".to_owned()),
            "its name alone makes it nobody's: {plan}"
        );
        assert_eq!(plan["summary"]["unmanaged"].as_u64().map(|count| count > 0), Some(true));
    }
}
