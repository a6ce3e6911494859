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

/// What Ctrl-C sends.
#[cfg(unix)]
fn interrupt(child: &std::process::Child) {
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
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
    interrupt(&child);
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

#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_pause_that_the_provider_asks_for() {
    let place = fresh();
    let start = both(&place);
    place.faults(&["w1:429=5m"]);
    let begun = std::time::Instant::now();
    let child = place.start(&APPLY);
    until("a write was turned away", || {
        place.sandbox().log().iter().any(|entry| entry.status == Some(429))
    });
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(begun.elapsed().as_secs() < 60, "five minutes were asked for");
    let run = place.run(&["history", "--json"]).expect(0).json();
    assert_eq!(run["runs"][0]["status"], "stopped", "{run:#}");
    assert_eq!(run["runs"][0]["summary"]["unknown"], 0, "{run:#}");
    if both(&place) != start {
        place.run(&["rollback", "--yes"]).expect(0);
    }
    assert_eq!(both(&place), start);
}

/// Applies, is killed while this request is under way, and leaves the faults off.
fn killed_apply(place: &Place, fault: &str) {
    place.faults(&[fault]);
    let mut child = place.start(&["apply", "--yes"]);
    until(fault, || place.sandbox().hanging() > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    place.faults(&[]);
}

fn runs(place: &Place) -> Vec<String> {
    let history = place.run(&["history", "--json"]).expect(0).json();
    let all = history["runs"].as_array().unwrap();
    all.iter().map(|run| run["run"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_later_run_that_did_nothing_does_not_make_an_unfinished_one_vanish() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: one, value: 192.0.2.1 }");
    killed_apply(&place, "w1:hang-after");
    // Refused: it takes up nothing.
    place.spec("- { type: A, name: one, value: 192.0.2.1 }\n- { type: A, name: two, value: 192.0.2.2 }");
    place.faults(&["w1:403"]);
    place.run(&["apply", "--yes"]).expect(1);
    place.faults(&[]);
    let plan = place.run(&["plan"]).expect(0);
    assert!(plan.out.contains("did not get to its end"), "{}", plan.out);
    place.run(&["apply", "--yes"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    assert!(
        place.state().is_empty(),
        "both runs' work is undone: {:?}",
        place.state()
    );
}

#[test]
fn a_way_back_takes_up_nothing_that_it_has_nothing_to_do_with() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: one, value: 192.0.2.1 }");
    place.run(&["apply", "--yes"]).expect(0);
    let first = runs(&place)[0].clone();
    place.spec("- { type: A, name: one, value: 192.0.2.1 }\n- { type: A, name: two, value: 192.0.2.2 }");
    killed_apply(&place, "w1:hang-after");
    place.run(&["rollback", &first, "--yes"]).expect(0);
    assert_eq!(place.state().len(), 1, "only what the first run made is gone");
    let plan = place.run(&["plan"]).expect(0);
    assert!(
        plan.out.contains("did not get to its end"),
        "the second is still open: {}",
        plan.out
    );
    let undo = runs(&place).last().unwrap().clone();
    place.run(&["rollback", &undo, "--yes"]).expect(0);
    assert_eq!(place.state().len(), 2, "and what the second made is left alone");
}

#[test]
fn a_way_back_that_was_cut_off_is_finished_by_going_it_again() {
    let place = Place::new(Plan::Free);
    let start = place.state();
    place.spec("- { type: A, name: one, value: 192.0.2.1 }");
    place.run(&["apply", "--yes"]).expect(0);
    for fault in ["w1:hang-before", "w1:hang-after"] {
        place.faults(&[fault]);
        let mut child = place.start(&["rollback", "--yes"]);
        until(fault, || place.sandbox().hanging() > 0);
        child.kill().unwrap();
        child.wait().unwrap();
        place.faults(&[]);
    }
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.state(), start);
    assert!(!place.run(&["plan"]).expect(0).out.contains("did not get to its end"));
}

#[test]
fn a_change_spread_over_several_requests_is_neither_done_nor_not_done_when_one_is_refused() {
    let place = Place::new(Plan::Free);
    place.world(|world| world.set_quota("acme.example", Some(1_000)));
    let addresses: Vec<String> = (1..=150).map(|n| format!("192.0.2.{n}")).collect();
    place.spec(&format!(
        "- {{ type: A, name: lb, values: [{}] }}",
        addresses.join(", ")
    ));
    place.run(&["apply", "--yes"]).expect(0);
    let start = place.state();
    let addresses: Vec<String> = (1..=150).map(|n| format!("'2001:db8::{n}'")).collect();
    place.spec(&format!(
        "- {{ type: AAAA, name: lb, values: [{}] }}",
        addresses.join(", ")
    ));
    place.faults(&["w2:403"]);
    let failed = place
        .run(&["apply", "--yes", "--json", "--allow-deletes", "1"])
        .expect(1)
        .json();
    place.faults(&[]);
    assert_eq!(failed["status"], "unknown", "{failed:#}");
    assert_eq!(failed["unknown"], json!(["acme.example/dns/AAAA/lb"]), "{failed:#}");
    assert_ne!(place.state(), start);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(place.state(), start, "the half that was done is undone too");
}

/// A journal on a disk that is full after so many lines.
struct Full(usize);

impl launchctl::history::Journal for Full {
    fn write(&mut self, _: &launchctl::history::Entry) -> Result<(), launchctl::history::HistoryError> {
        if self.0 == 0 {
            return Err(launchctl::history::HistoryError::Locked("the disk is full".to_owned()));
        }
        self.0 -= 1;
        Ok(())
    }
}

#[test]
fn what_cannot_be_written_down_is_not_done_and_what_was_done_is_told() {
    use launchctl::apply::{Work, carry_out};
    use launchctl::ops::{Session, plan};
    for (lines, writes, applied) in [(0, 0, 0), (1, 1, 1), (2, 1, 1), (3, 2, 2)] {
        let place = Place::new(Plan::Free);
        place.world(|world| world.set_quota("acme.example", Some(1_000)));
        let records: String = (0..450)
            .map(|n| format!("- {{ type: A, name: h{n}, value: 192.0.2.1 }}\n"))
            .collect();
        place.spec(&records);
        place.sandbox().clear_log();
        let setting = place.setting();
        let (report, error) = tokio::runtime::Runtime::new().unwrap().block_on(async {
            let session = Session::open(&setting).await.unwrap();
            let planned = plan::plan(&session, &plan::Narrow::default()).await.unwrap();
            let ids = plan::ids(&planned.reading);
            let work = Work {
                providers: &session.providers,
                changes: &planned.plan.changes,
                steps: &planned.steps,
                ids: &ids,
                sought: None,
                clock: setting.clock,
                stop: &setting.stop,
                watch: &|_| {},
            };
            carry_out(&work, &mut Full(lines)).await
        });
        assert!(error.is_some());
        assert_eq!(
            place.sandbox().log().iter().filter(|entry| entry.wrote).count(),
            writes,
            "{lines}"
        );
        assert_eq!(report.applied.len(), applied * 200, "{lines}");
        assert_eq!(report.applied.len() + report.not_attempted.len(), 450, "{lines}");
    }
}
