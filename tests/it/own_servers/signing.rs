//! Zones that PowerDNS makes and signs: what the registrar is told, when and how often, and that keys are never lost.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use launchctl::history::RunStatus;
use launchctl::ops::apply;
use launchctl::provider::dns;
use serde_json::{Value, json};

use super::meanwhile::ask;
use super::{Between, Desk, ZONE, status};
use crate::servers::Server;

/// A server without the zone, and a spec that wants it made and signed.
fn unmade() -> (Server, Desk) {
    let server = Server::powerdns("other.test", "native");
    let desk = Desk::powerdns(server.api.unwrap());
    desk.zone("    create: true\n    name_servers: [ns1.example.net, ns2.example.net]\n    dnssec: true\n");
    (server, desk)
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn powerdns_makes_a_zone_and_signs_it_and_says_what_the_registrar_needs() {
    let (_server, desk) = unmade();
    let applied = words(&desk.run(&["apply", "--yes"]).expect(0).out);
    assert!(
        applied.contains("name servers for own.test at its registrar: ns1.example.net and ns2.example.net"),
        "{applied}"
    );
    assert!(
        applied.contains("DS record to the registrar of own.test: own.test DS"),
        "{applied}"
    );
    desk.run(&["plan", "--detailed-exitcode"]).expect(0);
    // The zone and its keys cannot be taken back, and that is said; the record is.
    let back = desk.run(&["rollback", "--yes"]).expect(0).out;
    assert!(words(&back).contains("zone/@ cannot be taken back"), "{back}");
}

/// The DNSKEY records that a server answers with.
async fn dnskeys(server: SocketAddr) -> Vec<String> {
    let kind = launchctl::model::record::RecordType::Dnskey;
    let asked = dns::question(&ZONE.parse().unwrap(), kind, false).unwrap();
    let answer = dns::ask(server, &asked, Duration::from_secs(10)).await.unwrap();
    let said = dns::answered(&answer.answers);
    said.iter().map(|answered| answered.data.to_string()).collect()
}

/// What the zone's switches and keys are, without what may change by itself.
fn signing_of(api: SocketAddr) -> (Value, Value, Vec<Value>) {
    let zone = ask(api, "GET", "", &Value::Null);
    let keys = ask(api, "GET", "/cryptokeys", &Value::Null);
    let keys = keys.as_array().unwrap().iter();
    let keys = keys.map(|key| json!([key["id"], key["active"], key["published"], key["dnskey"]]));
    (zone["dnssec"].clone(), zone["api_rectify"].clone(), keys.collect())
}

#[tokio::test]
async fn a_zone_that_is_signed_again_is_signed_with_the_same_keys() {
    let server = Server::powerdns(ZONE, "native");
    let api = server.api.unwrap();
    let desk = Desk::powerdns(api);
    let unsigned = signing_of(api);
    assert_eq!(unsigned, (json!(false), json!(false), Vec::new()));
    desk.zone("    dnssec: true\n");
    desk.run(&["apply", "--yes"]).expect(0);
    let (is_signed, rectifies, keys) = signing_of(api);
    assert_eq!((&is_signed, &rectifies, keys.len()), (&json!(true), &json!(true), 1));
    let dnskey = dnskeys(server.dns).await;
    assert_eq!(dnskey.len(), 1);
    desk.run(&["plan", "--detailed-exitcode"]).expect(0);
    // A key that somebody retired stays retired, whatever way leads back.
    let retired = json!({ "keytype": "csk", "active": false, "published": true });
    ask(api, "POST", "/cryptokeys", &retired);
    let (_, _, keys) = signing_of(api);
    assert_eq!(keys.len(), 2);
    let dnskey = dnskeys(server.dns).await;
    // Off: the key stays and does not sign, and what that means is said.
    desk.zone("    dnssec: false\n");
    let off = words(&desk.run(&["apply", "--yes"]).expect(0).all());
    assert!(
        off.contains("answers are no longer signed") && off.contains("the keys stay"),
        "{off}"
    );
    let (is_signed, _, kept) = signing_of(api);
    let is_idle = kept.iter().all(|key| key[1] == false);
    assert_eq!((is_signed, kept.len(), is_idle), (json!(false), 2, true));
    desk.run(&["plan", "--detailed-exitcode"]).expect(0);
    // Back: the same key signs, and its DS is told again.
    let back = words(&desk.run(&["rollback", "--yes"]).expect(0).out);
    assert!(back.contains("own.test DS"), "{back}");
    assert_eq!(signing_of(api), (json!(true), json!(true), keys));
    assert_eq!(dnskeys(server.dns).await, dnskey);
}

#[tokio::test]
async fn a_rollback_turns_the_switch_back_that_came_with_signing() {
    let server = Server::powerdns(ZONE, "native");
    let api = server.api.unwrap();
    let desk = Desk::powerdns(api);
    desk.zone("    dnssec: true\n");
    let plan = desk.run(&["plan"]).expect(0).out;
    assert!(plan.contains("api_rectify"), "{plan}");
    desk.run(&["apply", "--yes"]).expect(0);
    desk.run(&["rollback", "--yes"]).expect(0);
    let (is_signed, rectifies, keys) = signing_of(api);
    assert_eq!((is_signed, rectifies), (json!(false), json!(false)));
    // Applied once more, the key that was made is used: nobody has to tell the registrar anything new.
    desk.run(&["apply", "--yes"]).expect(0);
    let (is_signed, rectifies, again) = signing_of(api);
    assert_eq!((is_signed, rectifies, again.len()), (json!(true), json!(true), 1));
    assert_eq!(again[0][3], keys[0][3]);
}

#[tokio::test]
async fn the_ds_is_told_though_the_answer_is_lost_and_whenever_doctor_is_asked() {
    let server = Server::powerdns(ZONE, "native");
    let between = Between::start(server.api.unwrap()).await;
    let desk = Desk::powerdns(between.address);
    desk.zone("    dnssec: true\n");
    let (session, ready) = desk.prepare().await;
    // The record, the switch, and the signature itself: the answer to the last is lost.
    let last = ready.planned.steps.last().unwrap().clone();
    assert!(last.summary.contains("new key"), "{last:?}");
    let watch = |progress: launchctl::apply::Progress<'_>| {
        if let launchctl::apply::Progress::Started(step) = progress
            && *step == last
        {
            between.swallow.store(true, Ordering::SeqCst);
        }
    };
    let outcome = apply::carry_out(&session, ready, &watch).await.unwrap();
    assert_eq!(status(&outcome), RunStatus::Applied, "{outcome:#?}");
    assert!(!between.swallow.load(Ordering::SeqCst), "an answer was lost");
    let told = outcome
        .news
        .iter()
        .filter(|words| words.contains("own.test DS "))
        .count();
    assert_eq!(told, 1, "{:?}", outcome.news);
    // The one in between cannot pass anything on while this waits.
    let desk = Desk::powerdns(server.api.unwrap());
    desk.zone("    dnssec: true\n");
    let doctor = words(&desk.run(&["doctor"]).expect(0).all());
    assert!(
        doctor.contains("own.test: DNSSEC") && doctor.contains("own.test DS "),
        "{doctor}"
    );
}

#[tokio::test]
async fn powerdns_makes_a_zone_once_though_the_answer_is_lost() {
    let (server, mut desk) = unmade();
    let between = Between::start(server.api.unwrap()).await;
    desk.environment
        .insert("POWERDNS_API_URL".into(), format!("http://{}", between.address));
    let (session, ready) = desk.prepare().await;
    between.swallow.store(true, Ordering::SeqCst);
    let outcome = apply::carry_out(&session, ready, &|_| {}).await.unwrap();
    assert_eq!(status(&outcome), RunStatus::Applied, "{outcome:#?}");
    assert!(!between.swallow.load(Ordering::SeqCst), "an answer was lost");
    assert!(desk.plan().await.plan.is_empty());
}
