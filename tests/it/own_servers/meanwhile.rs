//! Somebody else at the same zone of a PowerDNS, which takes no preconditions: while the plan is read, and between two
//! attempts of one request. Whoever it is speaks to the API as their own tools would.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use launchctl::history::RunStatus;
use launchctl::ops::apply;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Desk, ZONE, status};
use crate::servers::{KEY, Server};

/// One request to the API, without our tool.
pub fn ask(api: SocketAddr, method: &str, path: &str, body: &Value) -> Value {
    let mut stream = TcpStream::connect(api).unwrap();
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    write!(
        stream,
        "{method} /api/v1/servers/localhost/zones/{ZONE}.{path} HTTP/1.0\r\nX-API-Key: {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.lines().next().unwrap().contains(" 20"), "{answer}");
    serde_json::from_str(body).unwrap_or_default()
}

/// Writes the TXT set of a name, each content as a zone file has it.
pub fn write_texts(api: SocketAddr, name: &str, contents: &[&str]) {
    let records: Vec<Value> = contents
        .iter()
        .map(|content| json!({ "content": content, "disabled": false }))
        .collect();
    let set =
        json!({ "name": format!("{name}."), "type": "TXT", "ttl": 3600, "changetype": "REPLACE", "records": records });
    ask(api, "PATCH", "", &json!({ "rrsets": [set] }));
}

/// The contents of the TXT set of a name, as the server writes them.
pub fn texts(api: SocketAddr, name: &str) -> Vec<String> {
    let zone = ask(api, "GET", "", &Value::Null);
    let sets = zone["rrsets"].as_array().unwrap();
    let set = sets
        .iter()
        .find(|set| set["type"] == "TXT" && set["name"] == format!("{name}."));
    let records = set
        .and_then(|set| set["records"].as_array())
        .cloned()
        .unwrap_or_default();
    let mut contents: Vec<String> = records
        .iter()
        .map(|record| record["content"].as_str().unwrap().to_owned())
        .collect();
    contents.sort();
    contents
}

#[tokio::test]
async fn what_comes_to_a_set_while_the_plan_is_read_is_not_overwritten() {
    let server = Server::powerdns(ZONE, "native");
    let api = server.api.unwrap();
    let desk = Desk::powerdns(api);
    write_texts(api, ZONE, &["\"google-site-verification=abc\""]);
    desk.spec(&[
        "{ type: TXT, name: \"@\", value: v=spf1 -all }",
        "{ type: A, name: a, value: 192.0.2.1 }",
    ]);
    let (session, ready) = desk.prepare().await;
    // The plan is on the screen and the question is asked; meanwhile somebody proves a domain to somebody.
    write_texts(api, ZONE, &["\"google-site-verification=abc\"", "\"MS=ms123\""]);
    let outcome = apply::carry_out(&session, ready, &|_| {}).await.unwrap();
    assert_eq!(status(&outcome), RunStatus::Failed, "{outcome:#?}");
    let report = outcome.report.unwrap();
    let [failed] = report.failed.as_slice() else {
        panic!("{report:#?}")
    };
    assert_eq!(failed.address.as_str(), "own.test/dns/TXT/@/v=spf1");
    assert_eq!(failed.code, "changed-meanwhile");
    assert!(failed.message.contains("nothing is lost"), "{failed:?}");
    assert!(failed.help.as_ref().unwrap().contains("plan again"), "{failed:?}");
    assert_eq!(texts(api, ZONE), ["\"MS=ms123\"", "\"google-site-verification=abc\""]);
    // The new plan has it in view.
    desk.apply().await;
    assert_eq!(texts(api, ZONE).len(), 3);
    assert!(desk.plan().await.plan.is_empty());
}

#[tokio::test]
async fn every_part_of_a_set_that_a_write_replaces_is_looked_at() {
    let server = Server::powerdns(ZONE, "native");
    let api = server.api.unwrap();
    let desk = Desk::powerdns(api);
    let set = |change: &Value| {
        let mut set = json!({ "name": "a.own.test.", "type": "A", "ttl": 3600, "changetype": "REPLACE", "comments": [],
            "records": [{ "content": "192.0.2.1", "disabled": false }] });
        set.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        ask(api, "PATCH", "", &json!({ "rrsets": [set] }));
    };
    desk.spec(&["{ type: A, name: a, value: 192.0.2.2 }"]);
    let disabled = json!([{ "content": "192.0.2.1", "disabled": false }, { "content": "192.0.2.9", "disabled": true }]);
    for change in [
        json!({ "ttl": 60 }),
        json!({ "records": disabled }),
        json!({ "comments": [{ "content": "ask jo first", "account": "jo" }] }),
        json!({ "changetype": "DELETE" }),
    ] {
        set(&json!({}));
        let (session, ready) = desk.prepare().await;
        set(&change);
        let outcome = apply::carry_out(&session, ready, &|_| {}).await.unwrap();
        let report = outcome.report.as_ref().unwrap();
        assert_eq!(report.status, RunStatus::Failed, "{change}: {report:#?}");
        assert_eq!(report.failed[0].code, "changed-meanwhile", "{change}");
    }
    // Many names are looked at in the whole zone.
    let many: Vec<String> = (0..20)
        .map(|n| format!("{{ type: TXT, name: t{n}, value: ours }}"))
        .collect();
    desk.spec(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let (session, ready) = desk.prepare().await;
    write_texts(api, "t7.own.test", &["\"theirs\""]);
    let outcome = apply::carry_out(&session, ready, &|_| {}).await.unwrap();
    let report = outcome.report.as_ref().unwrap();
    assert_eq!(report.failed.len(), 1, "{report:#?}");
    assert!(report.failed[0].address.as_str().contains("/TXT/t7/"), "{report:#?}");
    assert_eq!(texts(api, "t7.own.test"), ["\"theirs\""]);
}

/// Stands before a server, and does with one PATCH what it was told: says something itself (or nothing at all), having
/// let somebody else in first.
struct Gate {
    address: SocketAddr,
    next: Arc<Mutex<Option<Trick>>>,
}

type Trick = Box<dyn FnOnce() -> &'static [u8] + Send>;

impl Gate {
    async fn before(server: SocketAddr) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let next: Arc<Mutex<Option<Trick>>> = Arc::default();
        let told = Arc::clone(&next);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(guard(client, server, Arc::clone(&told)));
            }
        });
        Self { address, next }
    }

    fn play(&self, trick: impl FnOnce() -> &'static [u8] + Send + 'static) {
        *self.next.lock().unwrap() = Some(Box::new(trick));
    }
}

async fn guard(mut client: tokio::net::TcpStream, server: SocketAddr, next: Arc<Mutex<Option<Trick>>>) {
    let Ok(mut server) = tokio::net::TcpStream::connect(server).await else {
        return;
    };
    let mut bytes = vec![0; 65_536];
    let Ok(length @ 1..) = client.read(&mut bytes).await else {
        return;
    };
    let trick = if bytes.starts_with(b"PATCH") {
        next.lock().unwrap().take()
    } else {
        None
    };
    if let Some(trick) = trick {
        let _ = client.write_all(trick()).await;
        return;
    }
    if server.write_all(&bytes[..length]).await.is_ok() {
        // What is left of the request, and the answer.
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    }
}

#[tokio::test]
async fn what_comes_between_two_attempts_is_not_overwritten() {
    let server = Server::powerdns(ZONE, "native");
    let api = server.api.unwrap();
    let gate = Gate::before(api).await;
    let desk = Desk::powerdns(gate.address);
    desk.spec(&["{ type: TXT, name: \"@\", value: v=spf1 -all }"]);
    let busy = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    for (answer, theirs) in [(&b""[..], "\"lost\""), (busy, "\"busy\"")] {
        let (session, ready) = desk.prepare().await;
        gate.play(move || {
            write_texts(api, ZONE, &[theirs]);
            answer
        });
        let outcome = apply::carry_out(&session, ready, &|_| {}).await.unwrap();
        assert!(gate.next.lock().unwrap().is_none(), "{theirs}");
        let report = outcome.report.as_ref().unwrap();
        assert_eq!(report.status, RunStatus::Failed, "{theirs}: {report:#?}");
        assert_eq!(report.failed[0].code, "changed-meanwhile", "{theirs}: {report:#?}");
        assert_eq!(texts(api, ZONE), [theirs]);
    }
    desk.apply().await;
    assert_eq!(texts(api, ZONE), ["\"busy\"", "\"v=spf1 -all\""]);
}

#[tokio::test]
async fn values_that_stay_keep_the_form_that_they_have_at_the_server() {
    let server = Server::powerdns(ZONE, "native");
    let api = server.api.unwrap();
    let desk = Desk::powerdns(api);
    let theirs = ["\"a\" \"b c\"", "\"ab c\"", "\"caf\\195\\169\""];
    write_texts(api, ZONE, &theirs);
    desk.spec(&["{ type: TXT, name: \"@\", value: v=spf1 -all }"]);
    desk.apply().await;
    let mut wanted = theirs.to_vec();
    wanted.push("\"v=spf1 -all\"");
    wanted.sort_unstable();
    assert_eq!(texts(api, ZONE), wanted);
    desk.spec(&["{ type: A, name: a, value: 192.0.2.1 }"]);
    desk.apply().await;
    assert_eq!(texts(api, ZONE), wanted[..3]);
}
