//! What the other side may answer, and what the user is told of it.

use launchctl::sandbox::{Permission, Plan, TokenKind, TokenOptions, TokenStatus};
use serde_json::json;

use crate::support::{CANARY, Place};

#[test]
fn a_refused_batch_changes_nothing_and_is_not_replayed_one_by_one() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }\n- { type: CNAME, name: www, value: acme.example }");
    // Somebody puts an A record at `www` between the reading and the batch.
    place.foreign_hand_before_write(1, |world| {
        world
            .add_record(
                "acme.example",
                json!({"type": "A", "name": "www.acme.example", "content": "203.0.113.7", "ttl": 1}),
            )
            .unwrap();
    });
    let failed = place.run(&["apply", "--yes", "--json"]).expect(1).json();
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["failed"][0]["address"], "acme.example/dns/CNAME/www");
    assert_eq!(failed["failed"][0]["code"], "81053");
    assert_eq!(failed["failed"].as_array().unwrap().len(), 1);
    assert_eq!(failed["not_attempted"], json!(["acme.example/dns/A/a"]));
    assert_eq!(
        place.sandbox().log().iter().filter(|entry| entry.wrote).count(),
        1,
        "one request, not one a record"
    );
    assert_eq!(place.state().len(), 1, "only the other hand's record");
}

#[test]
fn the_provider_is_quoted_with_the_address_it_belongs_to() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: www, value: 192.0.2.1 }\n- { type: A, name: other, value: 192.0.2.2 }");
    place.foreign_hand_before_write(1, |world| {
        world
            .add_record(
                "acme.example",
                json!({"type": "CNAME", "name": "www.acme.example", "content": "x.example", "ttl": 1}),
            )
            .unwrap();
    });
    let failed = place.run(&["apply", "--yes"]).expect(1);
    for words in [
        "acme.example/dns/A/www",
        "A CNAME record with that host already exists",
        "81054",
        "plan again",
        "not attempted",
        "acme.example/dns/A/other",
    ] {
        assert!(failed.out.contains(words), "{words}: {}", failed.out);
    }
    assert!(
        !failed.out.contains("failed acme.example/dns/A/other"),
        "{}",
        failed.out
    );
}

#[test]
fn what_the_plan_of_the_zone_cannot_hold_is_said_before_anything_is_sent() {
    let place = Place::new(Plan::Free);
    place.world(|world| world.set_quota("acme.example", Some(1)));
    for (records, words) in [
        (
            "- { type: A, name: a, value: 192.0.2.1, tags: [team] }".to_owned(),
            "the Free plan has no tags",
        ),
        (
            "- { type: A, name: a, value: 192.0.2.1, ttl: 30 }".to_owned(),
            "outside what the Free plan takes",
        ),
        (
            format!(
                "- {{ type: A, name: a, value: 192.0.2.1, comment: {} }}",
                "x".repeat(120)
            ),
            "takes 100",
        ),
        (
            "- { type: A, name: a, values: [192.0.2.1, 192.0.2.2] }".to_owned(),
            "would hold 2 records; its plan allows 1",
        ),
    ] {
        place.spec(&records);
        let refused = place.run(&["apply", "--yes"]).expect(1);
        assert!(refused.out.contains(words), "{words}: {}", refused.all());
    }
    assert!(place.sandbox().log().iter().all(|entry| !entry.wrote));
}

#[test]
fn answers_that_are_no_answers_are_told_from_refusals() {
    for (fault, words) in [
        ("*:html", "a web page instead of JSON"),
        ("*:garbage", "instead of JSON"),
        ("*:truncated", "cut off"),
        ("*:drop-before", "broke before the answer"),
        ("*:500", "answered"),
    ] {
        let place = Place::new(Plan::Free);
        place.spec("- { type: A, name: a, value: 192.0.2.1 }");
        place.faults(&[fault]);
        let failed = place.run(&["plan", "--timeout", "5s"]).expect(1);
        assert!(failed.err.contains(words), "{fault}: {}", failed.err);
        assert!(failed.err.contains("could not read"), "{fault}: {}", failed.err);
    }
}

#[test]
fn a_busy_account_is_waited_for() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }");
    place.faults(&["2:429", "w1:429"]);
    let begun = std::time::Instant::now();
    let applied = place.run(&["apply", "--yes"]).expect(0);
    assert!(
        begun.elapsed() >= std::time::Duration::from_secs(2),
        "Retry-After is obeyed twice: {}",
        applied.out
    );
    assert_eq!(place.state().len(), 1);
}

#[test]
fn a_silent_server_is_given_up_on_in_time() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }");
    place.faults(&["*:hang-before"]);
    let begun = std::time::Instant::now();
    let failed = place.run(&["plan", "--timeout", "300ms"]).expect(1);
    assert!(failed.err.contains("did not answer in time"), "{}", failed.err);
    assert!(begun.elapsed() < std::time::Duration::from_secs(12));
}

fn token(kind: TokenKind, status: TokenStatus, permissions: &[Permission]) -> TokenOptions {
    TokenOptions {
        kind,
        status,
        permissions: permissions.to_vec(),
        zones: None,
    }
}

#[test]
fn doctor_names_what_is_missing_and_never_the_token() {
    use Permission::{DnsRead, DnsWrite, ZoneRead};
    let all = [ZoneRead, DnsRead, DnsWrite];
    for (options, code, words) in [
        (
            token(TokenKind::User, TokenStatus::Active, &all),
            0,
            "Everything is in place",
        ),
        (token(TokenKind::Account, TokenStatus::Active, &all), 0, "account token"),
        (
            token(TokenKind::User, TokenStatus::Active, &[ZoneRead, DnsRead]),
            1,
            "Zone > DNS > Edit",
        ),
        (
            token(TokenKind::User, TokenStatus::Active, &[ZoneRead]),
            1,
            "Zone > DNS > Read",
        ),
        (token(TokenKind::User, TokenStatus::Expired, &all), 1, "expired"),
        (token(TokenKind::User, TokenStatus::Disabled, &all), 1, "disabled"),
    ] {
        let mut place = Place::new(Plan::Free);
        place.spec("- { type: A, name: a, value: 192.0.2.1 }");
        place.world(|world| world.add_token(CANARY, options));
        CANARY.clone_into(&mut place.token);
        let ran = place.run(&["doctor"]).expect(code);
        assert!(ran.out.contains(words), "{words}: {}", ran.all());
        assert!(!ran.all().contains(CANARY));
        assert!(place.state().is_empty(), "asking changes nothing");
    }
    let mut place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }");
    "unknown-token-4711".clone_into(&mut place.token);
    let ran = place.run(&["doctor"]).expect(1);
    assert!(
        ran.out.contains("wrong") && !ran.all().contains("unknown-token-4711"),
        "{}",
        ran.all()
    );
    place.token.clear();
    let ran = place.run(&["doctor"]).expect(1);
    assert!(ran.out.contains("CLOUDFLARE_API_TOKEN"), "{}", ran.all());
}

#[test]
fn a_credential_does_not_go_where_nobody_sent_it() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }");
    let output = place
        .command(&["plan"])
        .env("CLOUDFLARE_BASE_URL", "http://api.example.com/client/v4")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("unencrypted"), "{words}");
}

#[test]
fn no_credential_is_written_anywhere() {
    let mut place = Place::new(Plan::Free);
    let all = [Permission::ZoneRead, Permission::DnsRead, Permission::DnsWrite];
    place.world(|world| world.add_token(CANARY, token(TokenKind::User, TokenStatus::Active, &all)));
    CANARY.clone_into(&mut place.token);
    place.spec("- { type: A, name: a, value: 192.0.2.1 }");
    let mut said = String::new();
    place.faults(&["2:html", "w1:drop-after"]);
    for arguments in [
        &["-vv", "plan", "--out", "saved.json"][..],
        &["-vv", "apply", "saved.json", "--yes"],
        &["-vv", "plan", "--json"],
        &["-vv", "doctor"],
        &["-vv", "history"],
        &["-vv", "rehearse"],
        &["-vv", "rollback", "--yes", "--json"],
        &["-vv", "apply", "--yes", "--json"],
    ] {
        said.push_str(&place.run(arguments).all());
    }
    // A provider that repeats what it was sent, and a spec that holds what it must not.
    place.spec("- { type: TXT, name: a, value: x }");
    place.write(
        "pasted.yaml",
        &format!("version: 1\nproviders:\n  cloudflare:\n    token: {CANARY}\nzones: {{}}\n"),
    );
    said.push_str(&place.run(&["validate", "--spec", "pasted.yaml"]).expect(1).all());
    said.push_str(
        &place
            .run(&["validate", "--json", "--spec", "pasted.yaml"])
            .expect(1)
            .all(),
    );
    std::fs::remove_file(place.path("pasted.yaml")).unwrap();
    assert!(
        said.contains("GET") || said.contains("POST"),
        "the trace shows requests: {said}"
    );
    assert!(!said.contains(CANARY), "{said}");
    let files = place.files();
    assert!(files.len() > 5, "runs and a saved plan were written");
    for (path, bytes) in files {
        assert!(!String::from_utf8_lossy(&bytes).contains(CANARY), "{}", path.display());
    }
}

#[test]
fn a_sandbox_of_a_spec_that_is_not_there_is_refused() {
    let place = Place::new(Plan::Free);
    let refused = place.run(&["sandbox", "--spec", "elsewhere.yaml"]).expect(1);
    assert!(refused.err.contains("elsewhere.yaml"), "{}", refused.all());
    place.write("launch.yaml", "version: 1\nzones: []\n");
    let refused = place.run(&["sandbox"]).expect(1);
    assert!(refused.err.contains("launch.yaml:2"), "{}", refused.all());
}
