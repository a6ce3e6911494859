//! `apply --wait`: what real servers and stubborn resolvers answer after a change, all of them on loopback.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::{A, NS, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use launchctl::provider::dns;
use launchctl::verify::answers::servers::{self, delegated};

use super::own_servers::Desk;
use super::servers::Server;
use super::support::until;

/// A resolver that answers as it is told, and counts what it is asked.
pub(crate) struct Stubborn {
    pub(crate) address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

/// What is answered to a question, given how many came before.
pub(crate) type Answerer = dyn Fn(usize, &Message, &mut Message) + Send;

impl Stubborn {
    pub(crate) fn start(answer: Box<Answerer>) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        // It ends with the test's process.
        std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok((length, client)) = socket.recv_from(&mut buffer) {
                let question = Message::from_vec(&buffer[..length]).unwrap();
                let mut reply = Message::new(question.metadata.id, MessageType::Response, question.metadata.op_code);
                reply.metadata.recursion_available = true;
                reply.queries.clone_from(&question.queries);
                answer(count.fetch_add(1, Ordering::SeqCst), &question, &mut reply);
                socket.send_to(&reply.to_vec().unwrap(), client).unwrap();
            }
        });
        Self { address, asked }
    }

    /// With this address, kept for so many seconds.
    fn saying(address: [u8; 4], ttl: u32) -> Self {
        Self::start(Box::new(move |_, question, reply| a(question, reply, address, ttl)))
    }
}

fn a(question: &Message, reply: &mut Message, address: [u8; 4], ttl: u32) {
    let data = RData::A(A(Ipv4Addr::from(address)));
    let owner = question.queries[0].name().clone();
    reply.answers.push(Record::from_rdata(owner, ttl, data));
}

const OLD: &str = "{ type: A, name: a, value: 192.0.2.1 }";
const NEW: &str = "{ type: A, name: a, value: 192.0.2.2 }";

/// A zone whose one address is about to change.
fn changing() -> (Server, Desk) {
    let server = Server::bind("own.test");
    let desk = Desk::updates(server.dns);
    desk.spec(&[OLD]);
    desk.run(&["apply", "--yes"]).expect(0);
    desk.spec(&[NEW]);
    (server, desk)
}

#[test]
fn a_server_that_answers_as_declared_ends_the_wait_at_once() {
    let (server, desk) = changing();
    let at = server.dns.to_string();
    let ran = desk.run(&["apply", "--yes", "--wait", "--resolver", &at]).expect(0);
    assert!(
        ran.out.contains("Answered as declared: 1 question at 1 server."),
        "{}",
        ran.out
    );
    // With nothing to change, everything that is declared is asked for.
    desk.spec(&[NEW, "{ type: TXT, name: t, value: hello }"]);
    desk.run(&["apply", "--yes"]).expect(0);
    let ran = desk
        .run(&["apply", "--yes", "--json", "--wait=5s", "--resolver", &at])
        .expect(0);
    let answers = &ran.json()["answers"];
    assert_eq!(
        (answers["right"].as_bool(), answers["questions"].as_u64()),
        (Some(true), Some(2))
    );
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../schemas/run.schema.json")).unwrap();
    assert!(jsonschema::is_valid(&schema, &ran.json()), "{}", ran.out);
}

#[test]
fn a_resolver_that_keeps_the_old_answer_is_named_with_the_time_until_which_it_may() {
    let (_server, desk) = changing();
    let stubborn = Stubborn::saying([192, 0, 2, 1], 3_000);
    let at = stubborn.address.to_string();
    let ran = desk.run(&["apply", "--yes", "--wait=1s", "--resolver", &at]).expect(2);
    let words = format!("not yet {at}: still answers A a.own.test with 192.0.2.1, and may until ");
    assert!(ran.out.contains(&words) && ran.out.contains(" UTC"), "{}", ran.out);
    assert!(
        ran.out.contains("1 change applied"),
        "it was applied all the same: {}",
        ran.out
    );
    assert!(stubborn.asked.load(Ordering::SeqCst) > 1, "it was asked again");
    let ran = desk
        .run(&["apply", "--yes", "--json", "--wait=500ms", "--resolver", &at])
        .expect(2);
    assert_eq!(
        ran.json()["answers"]["late"][0]["state"],
        "other",
        "nothing changed, so nothing is old"
    );
}

#[test]
fn an_answer_that_comes_right_in_time_is_waited_for() {
    let (_server, desk) = changing();
    let slow = Stubborn::start(Box::new(|before, question, reply| {
        a(question, reply, [192, 0, 2, if before < 3 { 1 } else { 2 }], 1);
    }));
    let at = slow.address.to_string();
    let ran = desk.run(&["apply", "--yes", "--wait=30s", "--resolver", &at]).expect(0);
    assert!(ran.out.contains("Answered as declared"), "{}", ran.out);
    assert_eq!(slow.asked.load(Ordering::SeqCst), 4);
}

#[test]
fn other_ways_not_to_be_right_are_told_apart() {
    let (_server, desk) = changing();
    let secondary = Stubborn::start(Box::new(|_, question, reply| {
        reply.metadata.authoritative = true;
        a(question, reply, [192, 0, 2, 1], 3_600);
    }));
    let empty = Stubborn::start(Box::new(|_, question, reply| {
        reply.metadata.response_code = ResponseCode::NXDomain;
        let name = Name::from_ascii("own.test.").unwrap();
        let soa = SOA::new(name.clone(), name.clone(), 1, 1, 1, 1, 900);
        let _ = question;
        reply.authorities.push(Record::from_rdata(name, 3_600, RData::SOA(soa)));
    }));
    let refusing = Stubborn::start(Box::new(|_, _, reply| {
        reply.metadata.response_code = ResponseCode::Refused;
    }));
    let mut arguments = vec!["apply".to_owned(), "--yes".into(), "--wait=300ms".into()];
    for server in [&secondary, &empty, &refusing] {
        arguments.extend(["--resolver".into(), server.address.to_string()]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ran = desk.run(&arguments).expect(2);
    for words in [
        format!(
            "{}: still answers A a.own.test with 192.0.2.1: it has not heard of the change itself",
            secondary.address
        ),
        format!("{}: answers A a.own.test with nothing, and may until ", empty.address),
        format!("{}: A a.own.test has no answer: it answers ", refusing.address),
    ] {
        assert!(ran.out.contains(&words), "{words}\n{}", ran.out);
    }
    assert!(ran.out.contains("0 of 3 are right at 3 servers"), "{}", ran.out);
}

#[test]
fn words_that_make_no_sense_with_a_wait_are_refused_before_anything_is_changed() {
    let (_server, desk) = changing();
    assert!(
        desk.run(&["apply", "--yes", "--resolver", "127.0.0.1"])
            .expect(1)
            .err
            .contains("--wait")
    );
    assert!(
        desk.run(&["apply", "--yes", "--wait", "--resolver", "nonsense"])
            .expect(1)
            .err
            .contains("write an address")
    );
    let ran = desk.run(&["--sandbox", "apply", "--yes", "--wait"]).expect(1);
    assert!(ran.err.contains("the sandbox answers no DNS queries"), "{}", ran.err);
    desk.run(&["plan", "--detailed-exitcode"]).expect(2);
}

#[tokio::test]
async fn the_servers_of_a_zone_are_those_that_it_is_delegated_to() {
    let resolver = Stubborn::start(Box::new(|_, question, reply| {
        let query = &question.queries[0];
        match query.query_type() {
            RecordType::NS => {
                for host in ["ns2.own.test.", "ns1.own.test."] {
                    let data = RData::NS(NS(Name::from_ascii(host).unwrap()));
                    reply.answers.push(Record::from_rdata(query.name().clone(), 60, data));
                }
            }
            RecordType::A if query.name().to_ascii().starts_with("ns1.") => a(question, reply, [192, 0, 2, 53], 60),
            _ => {}
        }
    }));
    let resolvers = [servers::named(&resolver.address.to_string()).unwrap()];
    let zone = "own.test".parse().unwrap();
    let found = delegated(&zone, &resolvers, Duration::from_secs(5)).await.unwrap();
    let shown: Vec<String> = found
        .iter()
        .map(|server| format!("{} {}", server.name, server.address))
        .collect();
    assert_eq!(shown, ["ns1.own.test 192.0.2.53:53"], "the other one has no address");
    until("it was asked for each", || resolver.asked.load(Ordering::SeqCst) == 4);
    let nobody = Stubborn::start(Box::new(|_, _, _| {}));
    let resolvers = [servers::named(&nobody.address.to_string()).unwrap()];
    let error = delegated(&zone, &resolvers, Duration::from_secs(5)).await.unwrap_err();
    assert!(error.contains("not delegated"), "{error}");
    // A resolver that could not find out has not said that there is nothing: the next one is asked.
    let failing = Stubborn::start(Box::new(|_, _, reply| {
        reply.metadata.response_code = ResponseCode::ServFail;
    }));
    let failing = servers::named(&failing.address.to_string()).unwrap();
    let both = [failing.clone(), servers::named(&resolver.address.to_string()).unwrap()];
    assert_eq!(delegated(&zone, &both, Duration::from_secs(5)).await.unwrap(), found);
    let error = delegated(&zone, &[failing], Duration::from_secs(5)).await.unwrap_err();
    assert!(error.contains("could not be looked up"), "{error}");
}

#[test]
fn an_alias_is_answered_with_the_addresses_of_its_target() {
    // What resolves the target: it has an IPv4 address and no other.
    let target = Stubborn::start(Box::new(|_, question, reply| {
        let asked = &question.queries[0];
        if asked.query_type() == RecordType::A && asked.name().to_ascii() == "host.other.test." {
            a(question, reply, [192, 0, 2, 77], 60);
        }
    }));
    let lines = format!("expand-alias=yes\nresolver={}\n", target.address);
    let server = Server::powerdns_with("own.test", "native", &lines);
    let at = server.dns.to_string();
    let desk = Desk::powerdns(server.api.unwrap());
    desk.spec(&[
        "{ type: ALIAS, name: \"@\", value: host.other.test. }",
        "{ type: MX, name: \"@\", value: 10 mx.test. }",
    ]);
    let ran = desk.run(&["apply", "--yes", "--wait", "--resolver", &at]).expect(0);
    assert!(
        ran.out.contains("ALIAS") && ran.out.contains("Answered as declared"),
        "{}",
        ran.out
    );
    let name = "own.test".parse().unwrap();
    let asked = dns::question(&name, launchctl::model::record::RecordType::A, false).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let answer = dns::ask(server.dns, &asked, Duration::from_secs(10));
    let answer = runtime.block_on(answer).unwrap();
    assert_eq!(answer.answers[0].data, RData::A(A(Ipv4Addr::new(192, 0, 2, 77))));
    desk.run(&["plan", "--detailed-exitcode"]).expect(0);
    // Another target is a change, and it can all be taken back.
    desk.spec(&[
        "{ type: ALIAS, name: \"@\", value: other.test. }",
        "{ type: MX, name: \"@\", value: 10 mx.test. }",
    ]);
    assert!(desk.run(&["plan"]).expect(0).out.contains("other.test"));
    desk.run(&["rollback", "--yes"]).expect(0);
    let answer = dns::ask(server.dns, &asked, Duration::from_secs(10));
    assert!(runtime.block_on(answer).unwrap().answers.is_empty());
}

#[test]
fn an_alias_that_nobody_would_answer_is_refused() {
    let server = Server::powerdns("own.test", "native");
    let desk = Desk::powerdns(server.api.unwrap());
    let alias = "{ type: ALIAS, name: \"@\", value: host.other.test. }";
    desk.spec(&[alias]);
    let ran = desk.run(&["plan"]).expect(1);
    assert!(
        ran.all().contains("answer nothing for it") && ran.all().contains("expand-alias=yes"),
        "{}",
        ran.all()
    );
    let desk = Desk::updates(server.dns);
    desk.spec(&[alias]);
    let ran = desk.run(&["validate"]).expect(1);
    assert!(
        ran.err.contains("a DNS server keeps no ALIAS records") && ran.err.contains("A and AAAA records"),
        "{}",
        ran.err
    );
}
