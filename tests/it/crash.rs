//! An apply cut off at every point there is: killed before and after the provider has done each request, with each
//! answer lost, with each connection dropped. The next apply must end where an undisturbed one ends, nothing twice, and
//! the rollback must still lead back to the start.

use launchctl::sandbox::{Plan, World};
use serde_json::json;

use crate::support::{Place, spec_text, state_of, until};

const OTHERS: [&str; 2] = ["acme.example", "shop.example"];

/// Two zones, with something of others in each, some of it to be changed and some to be deleted.
fn world() -> World {
    let mut world = World::new();
    for zone in OTHERS {
        world.add_zone(zone, Plan::Free);
        world.set_quota(zone, Some(1_000));
        for number in 0..130 {
            let record = json!({"type": "A", "name": format!("h{number}.{zone}"), "content": "198.51.100.1", "ttl": 1});
            world.add_record(zone, record).unwrap();
        }
        let foreign = json!({"type": "TXT", "name": zone, "content": "\"somebody-else=1\"", "ttl": 1});
        world.add_record(zone, foreign).unwrap();
    }
    world
}

/// 60 changed, 70 declared absent, 110 new: two batches a zone on the Free plan.
fn spec() -> String {
    let mut records = String::new();
    for number in 0..60 {
        records.push_str(&format!("- {{ type: A, name: h{number}, value: 203.0.113.1 }}\n"));
    }
    for number in 60..130 {
        records.push_str(&format!("- {{ type: A, name: h{number}, values: [] }}\n"));
    }
    for number in 0..110 {
        records.push_str(&format!(
            "- {{ type: TXT, name: n{number}, value: \"value {number}\" }}\n"
        ));
    }
    let one = spec_text("", &records);
    let body = one.split_once("  acme.example:\n").unwrap().1.to_owned();
    format!("{one}  shop.example:\n{body}")
}

fn both(place: &Place) -> Vec<Vec<String>> {
    place.world(|world| OTHERS.iter().map(|zone| state_of(world, zone)).collect())
}

fn fresh() -> Place {
    let place = Place::with_world(world());
    place.write("launch.yaml", &spec());
    place
}

const APPLY: [&str; 4] = ["apply", "--yes", "--allow-deletes", "140"];

#[test]
fn cut_off_anywhere_it_ends_the_same_and_leads_back() {
    let undisturbed = fresh();
    let start = both(&undisturbed);
    undisturbed.sandbox().clear_log();
    undisturbed.run(&APPLY).expect(0);
    let end = both(&undisturbed);
    let log = undisturbed.sandbox().log();
    let requests = log.len();
    assert_eq!(
        log.iter().filter(|entry| entry.wrote).count(),
        4,
        "two batches in each of two zones"
    );
    undisturbed.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(both(&undisturbed), start);

    let mut walked = 0;
    for request in 1..=requests {
        for what in ["hang-before", "hang-after"] {
            killed(request, what, &start, &end);
            walked += 1;
        }
        for what in ["drop-before", "drop-after", "truncated", "500-after", "html", "500"] {
            answer_lost(request, what, &start, &end);
            walked += 1;
        }
    }
    assert_eq!(walked, requests * 8);
}

/// SIGKILL while a request is under way, not yet or already done at the provider.
fn killed(request: usize, what: &str, start: &[Vec<String>], end: &[Vec<String>]) {
    let at = format!("{request}:{what}");
    let place = fresh();
    place.faults(&[&at]);
    let mut child = place.start(&APPLY);
    until(&at, || place.sandbox().hanging() > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    place.faults(&[]);
    recovers(&place, &at, start, end);
}

/// The process lives, and one answer does not come.
fn answer_lost(request: usize, what: &str, start: &[Vec<String>], end: &[Vec<String>]) {
    let at = format!("{request}:{what}");
    let place = fresh();
    place.faults(&[&at]);
    place.run(&APPLY);
    place.faults(&[]);
    recovers(&place, &at, start, end);
}

fn recovers(place: &Place, at: &str, start: &[Vec<String>], end: &[Vec<String>]) {
    let begun = place.path(".launchctl/runs").exists();
    let complete = place.run(&["history", "--json"]).expect(0).json()["runs"]
        .to_string()
        .contains("\"status\":\"applied\"");
    if begun && !complete {
        // What is left over is said before anything else is done.
        let plan = place.run(&["plan", "--json", "--allow-deletes", "140"]);
        assert!(
            plan.all().contains("unfinished-run") || plan.json()["summary"]["delete"] != 140,
            "{at}: {}",
            plan.all()
        );
    }
    let left = place.run(&["plan", "--json", "--allow-deletes", "140"]).json();
    let deletes = left["summary"]["delete"].as_u64().unwrap().to_string();
    let again = place.run(&["apply", "--yes", "--allow-deletes", &deletes]);
    assert_eq!(again.code, 0, "{at}: {}", again.all());
    assert_eq!(
        both(place),
        end,
        "{at}: the end is the same, and nothing is there twice"
    );
    let plan = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{at}: {}", plan.all());
    assert!(!plan.all().contains("did not get to its end"), "{at}: {}", plan.all());
    let back = place.run(&["rollback", "--yes"]);
    assert_eq!(back.code, 0, "{at}: {}", back.all());
    assert_eq!(both(place), start, "{at}: the way back leads to the start");
}

#[test]
fn a_crash_can_be_undone_without_finishing_first() {
    for what in ["w2:hang-before", "w2:hang-after"] {
        let place = fresh();
        let start = both(&place);
        place.faults(&[what]);
        let mut child = place.start(&APPLY);
        until(what, || place.sandbox().hanging() > 0);
        child.kill().unwrap();
        child.wait().unwrap();
        place.faults(&[]);
        let seen = place.run(&["history"]).expect(0);
        assert!(seen.out.contains("unfinished"), "{}", seen.out);
        place.run(&["rollback", "--yes"]).expect(0);
        assert_eq!(both(&place), start, "{what}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_finishes_the_request_in_flight() {
    let place = fresh();
    let start = both(&place);
    place.faults(&["w1:slow=700ms", "w2:slow=700ms"]);
    let child = place.start(&APPLY);
    until("a write is under way", || {
        place.sandbox().in_flight() > 0 && place.sandbox().log().iter().any(|entry| entry.wrote)
    });
    let interrupt = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupt.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(130),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let run = place.run(&["history", "--json"]).expect(0).json();
    assert_eq!(run["runs"][0]["status"], "stopped", "{run:#}");
    assert!(run["runs"][0]["summary"]["applied"].as_u64().unwrap() > 0);
    assert_eq!(run["runs"][0]["summary"]["unknown"], 0);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(both(&place), start);
}
