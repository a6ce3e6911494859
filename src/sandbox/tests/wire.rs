//! Headers, faults and the state file, over a real socket.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::sandbox::{Fault, Options, Plan, SANDBOX_TOKEN, Sandbox, SandboxError, TokenOptions, World};

/// A client that never repeats a request by itself.
pub(in crate::sandbox) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never());
    builder.timeout(Duration::from_secs(20)).build().unwrap()
}

struct Stage {
    sandbox: Sandbox,
    client: reqwest::Client,
    records: String,
}

impl Stage {
    async fn new(faults: &[&str]) -> Self {
        let mut world = World::new();
        let zone = world.add_zone("acme.example", Plan::Free);
        let options = Options {
            world: Some(world),
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        sandbox.set_faults(faults.iter().map(|fault| fault.parse().unwrap()).collect());
        let records = format!("{}/zones/{zone}/dns_records", sandbox.url());
        Self {
            sandbox,
            client: client(),
            records,
        }
    }

    fn write(&self) -> reqwest::RequestBuilder {
        let record = json!({ "type": "A", "name": "a", "content": "192.0.2.1" });
        self.client.post(&self.records).bearer_auth(SANDBOX_TOKEN).json(&record)
    }

    fn read(&self) -> reqwest::RequestBuilder {
        self.client.get(&self.records).bearer_auth(SANDBOX_TOKEN)
    }

    fn held(&self) -> usize {
        self.sandbox.with_world(|world| world.records("acme.example").len())
    }

    async fn until(&self, is_so: impl Fn(&Sandbox) -> bool) {
        let begun = Instant::now();
        while !is_so(&self.sandbox) {
            assert!(begun.elapsed() < Duration::from_secs(10), "never happened");
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers_of_the_api() {
    let stage = Stage::new(&["4:429"]).await;
    stage
        .sandbox
        .with_world(|world| world.set_rate_limit(3, Duration::from_secs(60)));
    let nowhere = stage.client.get(format!("{}/nowhere", stage.sandbox.url()));
    for (request, status, left) in [
        (stage.read(), 200, "r=2;"),
        (stage.write(), 200, "r=1;"),
        (nowhere, 400, "r=0;"),
        (stage.read(), 429, "r=0;"),
        (stage.read(), 429, "r=0;"),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status);
        let headers = answer.headers().clone();
        let of = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        assert!(
            of("ratelimit").unwrap().starts_with(&format!("\"default\";{left}t=")),
            "{headers:?}"
        );
        assert_eq!(of("ratelimit-policy").as_deref(), Some("\"burst\";q=3;w=60"));
        assert!(of("api-version").is_some() && of("cf-ray").is_some());
        assert_eq!(of("retry-after").is_some(), status == 429);
        assert_eq!(of("content-type").as_deref(), Some("application/json"));
    }
    let log = stage.sandbox.log();
    assert_eq!(log.len(), 5);
    assert_eq!(
        (log[1].method.as_str(), log[1].wrote, log[1].status),
        ("POST", true, Some(200))
    );
    assert!(log[1].path.starts_with("/client/v4/zones/") && log[1].path.ends_with("/dns_records"));
    assert_eq!(stage.sandbox.serial_depth(), 5);
    stage.sandbox.stop().await;
}

#[tokio::test]
async fn a_connection_that_is_dropped_says_nothing_and_what_was_done_is_done() {
    for (fault, held) in [("w1:drop-before", 0), ("w1:drop-after", 1)] {
        let stage = Stage::new(&[fault]).await;
        // Once on a fresh connection and once on one that was used before.
        stage.read().send().await.unwrap().bytes().await.unwrap();
        let error = stage.write().send().await.unwrap_err();
        assert!(
            error.is_request() && !error.is_timeout() && !error.is_connect(),
            "{fault}: {error:?}"
        );
        assert_eq!(stage.held(), held, "{fault}");
        let log = stage.sandbox.log();
        assert_eq!((log[1].wrote, log[1].status), (true, None));
        assert_eq!(
            stage.read().send().await.unwrap().status(),
            200,
            "the next one gets through"
        );
        stage.sandbox.stop().await;
    }
}

#[tokio::test]
async fn a_truncated_answer_promises_more_than_it_holds() {
    let stage = Stage::new(&["*:truncated"]).await;
    for request in [stage.write(), stage.read()] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.content_length().unwrap() > 50);
        let error = answer.bytes().await.unwrap_err();
        assert!(error.is_body() || error.is_decode(), "{error:?}");
    }
    assert_eq!(stage.held(), 1);
    stage.sandbox.stop().await;
}

#[tokio::test]
async fn a_request_hangs_until_its_client_goes_or_the_sandbox_stops() {
    for (fault, held) in [("w1:hang-before", 0), ("w1:hang-after", 1)] {
        let stage = Stage::new(&[fault]).await;
        let request = tokio::spawn(stage.write().send());
        stage.until(|sandbox| sandbox.hanging() == 1).await;
        assert_eq!((stage.sandbox.in_flight(), stage.held()), (1, held), "{fault}");
        assert!(stage.sandbox.log()[0].wrote && stage.sandbox.log()[0].status.is_none());
        request.abort();
        stage
            .until(|sandbox| sandbox.hanging() == 0 && sandbox.in_flight() == 0)
            .await;
        assert_eq!(stage.held(), held);

        stage.sandbox.set_faults(vec!["1:hang-before".parse().unwrap()]);
        let request = tokio::spawn(stage.read().send());
        stage.until(|sandbox| sandbox.hanging() == 1).await;
        let begun = Instant::now();
        stage.sandbox.stop().await;
        assert!(request.await.unwrap().is_err());
        assert!(begun.elapsed() < Duration::from_secs(2), "nothing was waited for");
    }
}

#[tokio::test]
async fn errors_are_answered_as_servers_and_gateways_answer_them() {
    for (fault, status, words, held) in [
        ("500", 500, "Internal server error", 0),
        ("500-after", 500, "Internal server error", 1),
        ("502", 502, "error code: 502", 0),
        ("503", 503, "error code: 503", 0),
        ("html", 520, "<!DOCTYPE html>", 0),
        ("garbage", 200, "not JSON", 0),
        ("429", 429, "throttling", 0),
        ("403", 403, "Authentication error", 0),
    ] {
        let stage = Stage::new(&[&format!("w1:{fault}")]).await;
        let answer = stage.write().send().await.unwrap();
        assert_eq!(answer.status(), status, "{fault}");
        let retry = answer
            .headers()
            .get("retry-after")
            .map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(retry.as_deref(), (fault == "429").then_some("1"));
        assert!(answer.text().await.unwrap().contains(words), "{fault}");
        assert_eq!(stage.held(), held, "{fault}");
        // Only that one request.
        let next = stage.write().send().await.unwrap();
        assert_eq!(next.status(), if held == 1 { 400 } else { 200 }, "{fault}");
        stage.sandbox.stop().await;
    }
}

#[tokio::test]
async fn a_slow_answer_is_to_something_that_is_done_already() {
    let stage = Stage::new(&["w1:slow=300ms"]).await;
    let begun = Instant::now();
    let request = tokio::spawn(stage.write().send());
    stage
        .until(|sandbox| sandbox.log().iter().any(|entry| entry.wrote))
        .await;
    assert_eq!((stage.held(), stage.sandbox.in_flight()), (1, 1));
    assert!(!request.is_finished());
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
    assert!(begun.elapsed() >= Duration::from_millis(300));
    stage.sandbox.stop().await;
}

#[tokio::test]
async fn somebody_else_comes_right_before_the_write_that_was_named() {
    let stage = Stage::new(&[]).await;
    stage.write().send().await.unwrap();
    let theirs = json!({ "type": "CNAME", "name": "b", "content": "x.example" });
    stage.sandbox.set_faults(vec![Fault::foreign(1, move |world| {
        world.add_record("acme.example", theirs.clone()).unwrap();
    })]);
    stage.read().send().await.unwrap();
    assert_eq!(stage.held(), 1, "a read is no write");
    let ours = json!({ "type": "A", "name": "b", "content": "192.0.2.9" });
    let answer = stage.write().json(&ours).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains("81054"));
    assert_eq!(stage.held(), 2);
    stage.sandbox.stop().await;
}

#[tokio::test]
async fn requests_at_once_are_one_round_trip() {
    let mut world = World::new();
    world.add_zone("acme.example", Plan::Free);
    let options = Options {
        latency: Duration::from_millis(150),
        world: Some(world),
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.unwrap();
    let (client, url) = (client(), format!("{}/zones", sandbox.url()));
    let ask = || async {
        client
            .get(&url)
            .bearer_auth(SANDBOX_TOKEN)
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(ask().await, 200);
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    assert!([one, two, three].iter().all(|status| *status == 200));
    assert_eq!((sandbox.log().len(), sandbox.serial_depth()), (4, 2));
    sandbox.clear_log();
    assert_eq!((sandbox.log().len(), sandbox.serial_depth()), (0, 0));
    sandbox.stop().await;
}

#[tokio::test]
async fn the_state_outlives_the_sandbox_and_damage_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cloudflare.json");
    let start = || {
        Sandbox::start(Options {
            state_file: Some(path.clone()),
            ..Options::default()
        })
    };
    let sandbox = start().await.unwrap();
    let zone = sandbox.with_world(|world| {
        world.add_token("canary-token", TokenOptions::default());
        world.add_zone("acme.example", Plan::Pro)
    });
    let record = json!({ "type": "SRV", "name": "_sip._tcp", "tags": ["team:a"], "comment": "x",
        "data": { "priority": 1, "weight": 2, "port": 3, "target": "sip.acme.example" } });
    let url = format!("{}/zones/{zone}/dns_records", sandbox.url());
    let answer = client()
        .post(url)
        .bearer_auth(SANDBOX_TOKEN)
        .json(&record)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let held = sandbox.with_world(|world| world.records("acme.example"));
    // Written after each change, so that nothing hangs on a stop: this one is killed.
    drop(sandbox);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("canary-token"));

    let sandbox = start().await.unwrap();
    sandbox.with_world(|world| {
        assert_eq!(world.records("acme.example"), held);
        assert_eq!(world.zone_id("acme.example"), Some(zone.as_str()));
        let double = world.add_record("acme.example", record.clone()).unwrap_err();
        assert!(
            double.starts_with("81058"),
            "what excludes what is known again: {double}"
        );
    });
    sandbox.stop().await;

    for damaged in ["{", "{\"format\":2,\"pairs\":0,\"zones\":[]}", "{\"format\":1}"] {
        std::fs::write(&path, damaged).unwrap();
        let Err(SandboxError::State(words)) = start().await else {
            panic!("{damaged}");
        };
        assert!(
            words.contains("cloudflare.json") && words.contains("damaged"),
            "{words}"
        );
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let first = Sandbox::start(Options::default()).await.unwrap();
    let port: u16 = first
        .url()
        .rsplit(':')
        .next()
        .unwrap()
        .split('/')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let options = Options {
        port,
        ..Options::default()
    };
    let error = Sandbox::start(options).await.unwrap_err().to_string();
    assert!(error.contains(&port.to_string()), "{error}");
    assert_eq!(first.url(), format!("http://127.0.0.1:{port}/client/v4"));
    first.stop().await;
    // Free again.
    let options = Options {
        port,
        ..Options::default()
    };
    Sandbox::start(options).await.unwrap().stop().await;
}
