//! Promises with a number in them: how many requests a plan and an apply may take, and how a client behaves towards a
//! server that is busy, endless, or wants to send it elsewhere.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use launchctl::sandbox::{Options, Plan, World};
use serde_json::json;

use crate::support::Place;

/// A zone of a thousand records behind a line of 30 ms, and a spec that changes them all.
fn thousand(plan: Plan) -> Place {
    let mut world = World::new();
    world.add_zone("acme.example", plan);
    world.set_quota("acme.example", Some(5_000));
    let mut lines = String::new();
    for number in 0..1_000 {
        let record =
            json!({"type": "A", "name": format!("h{number}.acme.example"), "content": "198.51.100.1", "ttl": 1});
        world.add_record("acme.example", record).unwrap();
        lines.push_str(&format!("- {{ type: A, name: h{number}, value: 203.0.113.1 }}\n"));
    }
    let place = Place::with_options(Options {
        world: Some(world),
        latency: Duration::from_millis(30),
        ..Options::default()
    });
    place.spec(&lines);
    place
}

#[test]
fn a_thousand_records_take_three_round_trips_to_plan_and_a_thousand_changes_five_writes_or_one() {
    for (plan, writes) in [(Plan::Free, 5), (Plan::Pro, 1)] {
        let place = thousand(plan);
        let planned = place.run(&["plan", "--json"]).expect(0).json();
        assert!(
            place.sandbox().serial_depth() <= 3,
            "{} one after another",
            place.sandbox().serial_depth()
        );
        assert_eq!(planned["summary"]["update"], 1_000);
        assert_eq!(planned["summary"]["requests"], writes, "the plan says how many");
        place.sandbox().clear_log();
        let applied = place.run(&["apply", "--yes", "--json"]).expect(0).json();
        let log = place.sandbox().log();
        assert_eq!(
            log.iter().filter(|entry| entry.wrote).count(),
            writes,
            "and the apply keeps to it"
        );
        assert_eq!(applied["requests"], log.len(), "every request is counted");
        place.sandbox().clear_log();
        place.run(&["rollback", "--yes"]).expect(0);
        assert_eq!(place.sandbox().log().iter().filter(|entry| entry.wrote).count(), writes);
    }
}

#[test]
fn a_zone_that_the_history_knows_is_not_looked_up_again() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }");
    place.run(&["apply", "--yes"]).expect(0);
    let looked_up = || {
        place
            .sandbox()
            .log()
            .iter()
            .filter(|entry| entry.path.contains("zones?"))
            .count()
    };
    place.sandbox().clear_log();
    place.run(&["plan"]).expect(0);
    assert_eq!(looked_up(), 0, "{:?}", place.sandbox().log());
    // The id leads nowhere any more: the name decides.
    place.world(|world| {
        world.remove_zone("acme.example");
        world.add_zone("acme.example", Plan::Free);
    });
    place.sandbox().clear_log();
    place.run(&["plan"]).expect(0);
    assert_eq!(looked_up(), 1, "{:?}", place.sandbox().log());
}

#[test]
fn a_budget_that_is_used_up_stops_the_whole_account_and_not_one_request() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }");
    place.world(|world| world.set_rate_limit(2, Duration::from_secs(2)));
    let begun = Instant::now();
    place.run(&["apply", "--yes"]).expect(0);
    assert!(begun.elapsed() >= Duration::from_secs(1), "it waited");
    let refused = place
        .sandbox()
        .log()
        .iter()
        .filter(|entry| entry.status == Some(429))
        .count();
    assert!(
        refused <= 3,
        "{refused} requests ran into the wall: {:?}",
        place.sandbox().log()
    );
    assert_eq!(place.state().len(), 1);
}

/// A server that answers every connection with what `answer` writes; counts connections.
fn server(answer: impl Fn(&mut TcpStream) + Send + 'static) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            counted.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request);
            answer(&mut stream);
        }
    });
    (port, count)
}

fn plan_against(port: u16) -> String {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }");
    let output = place
        .command(&["plan", "--timeout", "20s"])
        .env("CLOUDFLARE_BASE_URL", format!("http://127.0.0.1:{port}/client/v4"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_redirect_is_not_followed_and_takes_no_credential_elsewhere() {
    let (elsewhere, visits) = server(|_| {});
    let (port, asked) = server(move |stream| {
        let _ = write!(
            stream,
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{elsewhere}/x\r\nContent-Length: 0\r\n\r\n"
        );
    });
    let words = plan_against(port);
    assert!(words.contains("answered 302"), "{words}");
    assert!(asked.load(Ordering::SeqCst) > 0);
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[test]
fn an_answer_without_end_is_given_up_on() {
    let (port, _) = server(|stream| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = format!("100000\r\n{}\r\n", "x".repeat(0x10_0000));
        while stream.write_all(chunk.as_bytes()).is_ok() {}
    });
    let words = plan_against(port);
    assert!(words.contains("more than 64 MiB"), "{words}");
}

#[test]
fn control_characters_in_an_answer_do_not_reach_the_terminal() {
    let (port, _) = server(|stream| {
        let body = r#"{"success":false,"errors":[{"code":9999,"message":"a\u001b[2J\u0007b\nc"}],"result":null}"#;
        let _ = write!(
            stream,
            "HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
    });
    let words = plan_against(port);
    assert!(words.contains("a\\u{1b}[2J") && words.contains("9999"), "{words}");
    assert!(words.chars().all(|c| c == '\n' || !c.is_control()), "{words:?}");
}
