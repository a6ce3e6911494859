//! What goes wrong with servers that people run themselves, and that nothing is lost by it: PowerDNS and BIND, real
//! ones, with the real binary where a user reads what is said.

mod as_found;
mod imported;
mod keys;
mod meanwhile;
mod signing;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use launchctl::apply::Progress;
use launchctl::base::clock::Clock;
use launchctl::history::RunStatus;
use launchctl::ops::apply::{self, Outcome, Ready};
use launchctl::ops::plan::{self, Narrow, Planned};
use launchctl::ops::{Session, Setting};
use launchctl::plan::Action;
use launchctl::provider::Stop;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::servers::{KEY, KEY_NAME, Server};
use super::support::Ran;

const ZONE: &str = "own.test";

/// A folder with a spec, and the way to a server.
pub struct Desk {
    folder: tempfile::TempDir,
    environment: BTreeMap<String, String>,
    provider: &'static str,
}

impl Desk {
    fn new(provider: &'static str, pairs: &[(&str, String)]) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            environment: pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            provider,
        }
    }

    pub fn updates(server: SocketAddr) -> Self {
        Self::with_key(server, &format!("{KEY_NAME}:{KEY}"))
    }

    fn with_key(server: SocketAddr, key: &str) -> Self {
        let pairs = [("RFC2136_SERVER", server.to_string()), ("RFC2136_KEY", key.to_owned())];
        Self::new("rfc2136", &pairs)
    }

    pub fn powerdns(api: SocketAddr) -> Self {
        let pairs = [
            ("POWERDNS_API_URL", format!("http://{api}")),
            ("POWERDNS_API_KEY", KEY.to_owned()),
        ];
        Self::new("powerdns", &pairs)
    }

    /// For a server, reached at its own address or through another.
    fn of(server: &Server, at: SocketAddr) -> Self {
        match server.api {
            Some(_) => Self::powerdns(at),
            None => Self::with_key(at, &format!("{}:{KEY_NAME}:{KEY}", server.algorithm)),
        }
    }

    fn at(server: &Server) -> Self {
        Self::of(server, door(server))
    }

    pub fn spec(&self, records: &[&str]) {
        let mut text = format!(
            "version: 1\nzones:\n  {ZONE}:\n    provider: {}\n    records:\n",
            self.provider
        );
        for record in records {
            text.push_str(&format!("      - {record}\n"));
        }
        std::fs::write(self.folder.path().join("launch.yaml"), text).unwrap();
    }

    /// A spec with these lines in the zone, and one record.
    fn zone(&self, lines: &str) {
        let record = "      - { type: A, name: a, value: 192.0.2.1 }";
        let text = format!(
            "version: 1\nzones:\n  {ZONE}:\n    provider: {}\n{lines}    records:\n{record}\n",
            self.provider
        );
        std::fs::write(self.folder.path().join("launch.yaml"), text).unwrap();
    }

    async fn session(&self) -> Session {
        let environment = self.environment.clone();
        let setting = Setting {
            spec: self.folder.path().join("launch.yaml"),
            vars: BTreeMap::new(),
            sandbox: false,
            timeout: Duration::from_secs(20),
            environment: Arc::new(move |name: &str| environment.get(name).cloned()),
            clock: Clock::System,
            stop: Stop::new(),
        };
        Session::open(&setting).await.unwrap()
    }

    async fn plan(&self) -> Planned {
        plan::plan(&self.session().await, &Narrow::default()).await.unwrap()
    }

    async fn prepare(&self) -> (Session, Ready) {
        let session = self.session().await;
        let ready = apply::prepare(&session, &Narrow::default()).await.unwrap();
        assert!(
            ready.planned.plan.refusals.is_empty(),
            "{:#?}",
            ready.planned.plan.refusals
        );
        (session, ready)
    }

    async fn apply(&self) -> Outcome {
        let (session, ready) = self.prepare().await;
        apply::carry_out(&session, ready, &|_| {}).await.unwrap()
    }

    /// All addresses that are live but for the zone's own.
    async fn live(&self) -> Vec<String> {
        let planned = self.plan().await;
        let all = planned.reading.live.inventory.keys().map(ToString::to_string);
        all.filter(|address| !address.ends_with("/NS/@") && !address.ends_with("/SOA/@"))
            .collect()
    }

    /// The same under a spec with this record.
    async fn live_of(&self, record: &str) -> Vec<String> {
        self.spec(&[record]);
        self.live().await
    }

    /// Loses the history, so that nothing that was applied is owned any more.
    fn forget(&self) {
        std::fs::remove_dir_all(self.folder.path().join(".launchctl")).unwrap();
    }

    /// Runs the binary; no credential may come out of it or stay in the folder.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_launchctl"))
            .args(["--timeout", "5s"])
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let ran = Ran::of(&output);
        assert!(!ran.all().contains(KEY), "{}", ran.all());
        ran
    }
}

/// Where a server is told what to do.
fn door(server: &Server) -> SocketAddr {
    server.api.unwrap_or(server.dns)
}

/// One of each.
fn all_servers(zone: &str) -> [Server; 3] {
    [Server::powerdns(zone, "native"), Server::bind(zone), Server::knot(zone)]
}

fn status(outcome: &Outcome) -> RunStatus {
    outcome.report.as_ref().unwrap().status
}

/// Passes bytes between a client and a server, and swallows the answer to one write when it is told to.
struct Between {
    address: SocketAddr,
    swallow: Arc<AtomicBool>,
}

impl Between {
    async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let swallow = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&swallow);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, Arc::clone(&told)));
            }
        });
        Self { address, swallow }
    }
}

async fn pass(mut client: TcpStream, server: SocketAddr, swallow: Arc<AtomicBool>) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let (mut from_client, mut from_server) = (vec![0; 65_536], vec![0; 65_536]);
    let mut is_read = false;
    loop {
        let (answer, bytes) = tokio::select! {
            read = client.read(&mut from_client) => (false, read.unwrap_or(0)),
            read = server.read(&mut from_server) => (true, read.unwrap_or(0)),
        };
        // The answer is there, so it was done; nobody will hear of it.
        if bytes == 0 || (answer && !is_read && swallow.swap(false, Ordering::SeqCst)) {
            return;
        }
        is_read = if answer {
            is_read
        } else {
            from_client.starts_with(b"GET ")
        };
        let passed = if answer {
            client.write_all(&from_server[..bytes]).await
        } else {
            server.write_all(&from_client[..bytes]).await
        };
        if passed.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn the_server_itself_refuses_an_update_made_from_an_older_state() {
    for server in [Server::bind(ZONE), Server::knot(ZONE)] {
        let (ours, theirs) = (Desk::at(&server), Desk::at(&server));
        let to = |name: &str, address: &str| format!("{{ type: A, name: {name}, value: {address} }}");
        ours.spec(&[&to("a", "192.0.2.1"), &to("b", "192.0.2.1")]);
        ours.apply().await;
        ours.spec(&[&to("a", "192.0.2.2"), &to("b", "192.0.2.2")]);
        let (session, ready) = ours.prepare().await;
        // Somebody else is quicker, at one of the two.
        theirs.spec(&[&to("a", "198.51.100.1")]);
        theirs.apply().await;
        let outcome = apply::carry_out(&session, ready, &|_| {}).await.unwrap();
        let report = outcome.report.unwrap();
        assert_eq!(report.status, RunStatus::Failed);
        let [failed] = report.failed.as_slice() else {
            panic!("{report:#?}")
        };
        assert_eq!(
            (failed.address.as_str(), failed.code.as_str()),
            ("own.test/dns/A/a", "NXRRSET")
        );
        assert!(
            failed.message.contains("no longer what the plan starts from"),
            "{failed:?}"
        );
        assert!(failed.help.as_ref().unwrap().contains("plan again"));
        // The other one was in the same transaction, so it is as it was.
        assert!(
            report.applied.is_empty() && report.not_attempted.len() == 1,
            "{report:#?}"
        );
        let again = ours.plan().await.plan;
        assert_eq!(again.count(Action::Update), 2, "{again:#?}");
    }
}

#[tokio::test]
async fn what_comes_to_a_name_meanwhile_is_never_passed_over_in_silence() {
    for server in all_servers(ZONE) {
        let (ours, theirs) = (Desk::at(&server), Desk::at(&server));
        // RFC 2136 §3.4.2.2: a server ignores an alias beside other records and says that all is well.
        ours.spec(&["{ type: CNAME, name: www, value: host.test. }"]);
        let (session, ready) = ours.prepare().await;
        theirs.spec(&["{ type: TXT, name: www, value: here first }"]);
        theirs.apply().await;
        let outcome = apply::carry_out(&session, ready, &|_| {}).await.unwrap();
        assert_eq!(status(&outcome), RunStatus::Failed, "{outcome:#?}");
        let planned = ours.plan().await;
        assert_eq!(planned.plan.refusals.len(), 1, "{:#?}", planned.plan.refusals);
        assert!(
            planned.plan.refusals[0]
                .message
                .contains("nothing can stand beside a CNAME")
        );
    }
}

#[test]
fn a_zone_that_is_not_there_is_not_made_up() {
    for server in all_servers("other.test") {
        let desk = Desk::at(&server);
        desk.spec(&["{ type: A, name: a, value: 192.0.2.1 }"]);
        let ran = desk.run(&["plan"]).expect(1);
        assert!(ran.err.contains("zone") && ran.err.contains("own.test"), "{}", ran.err);
    }
}

#[test]
fn a_server_that_is_down_is_told_and_nothing_is_begun() {
    for mut server in all_servers(ZONE) {
        server.kill();
        let desk = Desk::at(&server);
        desk.spec(&["{ type: A, name: a, value: 192.0.2.1 }"]);
        for arguments in [&["plan"][..], &["apply", "--yes"]] {
            let ran = desk.run(arguments).expect(1);
            assert!(
                ran.err.contains("could not be reached") && ran.err.contains("is the server up"),
                "{}",
                ran.err
            );
        }
        assert!(
            !desk.folder.path().join(".launchctl/runs").exists(),
            "nothing was begun"
        );
    }
}

#[tokio::test]
async fn a_lost_answer_is_looked_for_and_found() {
    for server in all_servers(ZONE) {
        let between = Between::start(door(&server)).await;
        let desk = Desk::of(&server, between.address);
        desk.spec(&["{ type: A, name: a, value: 192.0.2.1 }"]);
        let (session, ready) = desk.prepare().await;
        let looked = AtomicBool::new(false);
        between.swallow.store(true, Ordering::SeqCst);
        let watch = |progress: Progress<'_>| {
            if matches!(progress, Progress::Looking(_)) {
                looked.store(true, Ordering::SeqCst);
            }
        };
        let outcome = apply::carry_out(&session, ready, &watch).await.unwrap();
        assert_eq!(status(&outcome), RunStatus::Applied, "{outcome:#?}");
        assert!(
            looked.load(Ordering::SeqCst),
            "the answer was not lost: {}",
            desk.provider
        );
        assert!(desk.plan().await.plan.is_empty());
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_with_its_server_is_unknown_until_it_is_back() {
    for server in all_servers(ZONE) {
        let between = Between::start(door(&server)).await;
        let desk = Desk::of(&server, between.address);
        desk.spec(&["{ type: A, name: a, value: 192.0.2.1 }"]);
        let (session, ready) = desk.prepare().await;
        between.swallow.store(true, Ordering::SeqCst);
        let server = Mutex::new(server);
        let watch = |progress: Progress<'_>| {
            if matches!(progress, Progress::Looking(_)) {
                server.lock().unwrap().kill();
            }
        };
        let outcome = apply::carry_out(&session, ready, &watch).await.unwrap();
        let report = outcome.report.as_ref().unwrap();
        assert_eq!(report.status, RunStatus::Unknown, "{report:#?}");
        assert!(
            report.unknown.values().all(|why| why.contains("before the answer")),
            "{report:#?}"
        );
        server.lock().unwrap().restart();
        let planned = desk.plan().await;
        assert!(planned.plan.is_empty(), "it was done: {:#?}", planned.plan.changes);
        let warned = planned
            .plan
            .warnings
            .iter()
            .any(|warning| warning.code == "unfinished-run");
        assert!(warned, "{:?}", planned.plan.warnings);
        // Going on settles it, and then it can be undone.
        desk.apply().await;
        assert!(desk.plan().await.plan.warnings.is_empty());
    }
}

/// So many records with texts that no single request may carry them.
fn many(network: &str) -> Vec<String> {
    let text = "x".repeat(900);
    (0..2_400)
        .map(|n| format!("{{ type: TXT, name: t{n}, value: '{network} {text}' }}"))
        .collect()
}

#[tokio::test]
async fn a_server_killed_in_the_middle_of_a_plan_loses_nothing() {
    for server in all_servers(ZONE) {
        let desk = Desk::at(&server);
        let records = many("one");
        desk.spec(&records.iter().map(String::as_str).collect::<Vec<_>>());
        let (session, ready) = desk.prepare().await;
        let total = ready.planned.steps.len();
        assert!(total >= 2, "{total}");
        let warned = ready
            .planned
            .plan
            .warnings
            .iter()
            .any(|warning| warning.code == "several-transactions");
        assert!(warned, "{:?}", ready.planned.plan.warnings);
        let server = Mutex::new(server);
        let watch = |progress: Progress<'_>| {
            if matches!(progress, Progress::Ended(_)) {
                server.lock().unwrap().kill();
            }
        };
        let outcome = apply::carry_out(&session, ready, &watch).await.unwrap();
        let report = outcome.report.as_ref().unwrap();
        assert_eq!(report.status, RunStatus::Failed, "{:#?}", report.failed.first());
        assert!(!report.applied.is_empty() && report.unknown.is_empty());
        let failed = report.failed.first().unwrap();
        assert!(failed.message.contains("could not be reached"), "{failed:?}");
        server.lock().unwrap().restart();
        let rest = desk.plan().await;
        assert_eq!(rest.plan.count(Action::Create), records.len() - report.applied.len());
        assert_eq!(status(&desk.apply().await), RunStatus::Applied);
        assert!(desk.plan().await.plan.is_empty());
        assert_eq!(desk.live().await.len(), records.len());
    }
}

#[tokio::test]
async fn what_nobody_mentioned_stays_in_a_set_that_is_written_whole() {
    for server in all_servers(ZONE) {
        let (theirs, ours) = (Desk::at(&server), Desk::at(&server));
        theirs.spec(&["{ type: TXT, name: \"@\", value: google-site-verification=abc, ttl: 5m }"]);
        theirs.apply().await;
        // Another TTL would change theirs too.
        ours.spec(&["{ type: TXT, name: \"@\", value: v=spf1 -all }"]);
        let refusals = ours.plan().await.plan.refusals;
        assert!(
            refusals.len() == 1 && refusals[0].code == "shared-ttl" && refusals[0].help.contains("`ttl: 5m`"),
            "{refusals:#?}"
        );
        ours.spec(&["{ type: TXT, name: \"@\", value: v=spf1 -all, ttl: 5m }"]);
        ours.apply().await;
        assert_eq!(ours.live().await.len(), 2);
        ours.spec(&["{ type: A, name: a, value: 192.0.2.1 }"]);
        ours.apply().await;
        let live = ours.live().await;
        assert!(
            live.len() == 2 && live.iter().any(|address| address.contains("google")),
            "{live:?}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_left_alone_and_in_the_way_of_an_alias() {
    let server = Server::bind_with(
        ZONE,
        "odd IN HINFO \"a\" \"b\"\nmail IN TYPE65400 \\# 1 00\nt IN TXT \"\"\n",
    );
    let desk = Desk::updates(server.dns);
    desk.spec(&["{ type: A, name: odd, value: 192.0.2.1 }"]);
    let planned = desk.plan().await;
    let warnings: Vec<&str> = planned
        .plan
        .warnings
        .iter()
        .map(|warning| warning.message.as_str())
        .collect();
    assert!(
        warnings.iter().any(|words| words.contains("TYPE13 odd.own.test")),
        "{warnings:?}"
    );
    assert!(
        warnings.iter().any(|words| words.contains("own.test/dns/TXT/t")),
        "{warnings:?}"
    );
    assert!(planned.plan.refusals.is_empty());
    desk.apply().await;
    for (record, code) in [
        ("{ type: CNAME, name: odd, value: host.test. }", "conflict"),
        ("{ type: TXT, name: t, value: hello }", "locked"),
    ] {
        desk.spec(&[record]);
        let refusals = desk.plan().await.plan.refusals;
        assert!(
            refusals.iter().any(|refusal| refusal.code == code),
            "{record}: {refusals:#?}"
        );
    }
}

#[tokio::test]
async fn a_zone_moved_to_another_server_is_copied_and_left_where_it_was() {
    let (pdns, bind) = (Server::powerdns(ZONE, "native"), Server::bind(ZONE));
    let records = [
        "{ type: A, name: a, value: 192.0.2.1 }",
        "{ type: MX, name: \"@\", value: 10 mx.test. }",
    ];
    let mut desk = Desk::powerdns(pdns.api.unwrap());
    desk.spec(&records);
    desk.apply().await;
    let old = Desk::powerdns(pdns.api.unwrap());
    old.spec(&records);
    desk.environment.extend(Desk::updates(bind.dns).environment);
    desk.provider = "rfc2136";
    desk.spec(&records[..1]);
    let planned = desk.plan().await;
    assert_eq!((planned.plan.changes.len(), planned.plan.count(Action::Create)), (1, 1));
    assert!(planned.steps.iter().all(|step| step.provider == "rfc2136"));
    desk.apply().await;
    assert_eq!(desk.live().await, ["own.test/dns/A/a"]);
    assert_eq!(old.live().await.len(), 2);
}

#[tokio::test]
async fn secondaries_are_told_after_a_change() {
    let server = Server::powerdns_with(ZONE, "master", "primary=yes\n");
    let secondary = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    secondary.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let at = serde_json::json!({ "kind": "ALSO-NOTIFY", "metadata": [secondary.local_addr().unwrap().to_string()] });
    meanwhile::ask(server.api.unwrap(), "POST", "/metadata", &at);
    let desk = Desk::at(&server);
    // The name server of the zone is on loopback too.
    desk.spec(&["{ type: A, name: ns1, value: 127.0.0.1 }"]);
    let (session, ready) = desk.prepare().await;
    let methods: Vec<&str> = ready.planned.steps.iter().map(|step| step.method).collect();
    assert_eq!(methods, ["PATCH", "PUT"]);
    let outcome = apply::carry_out(&session, ready, &|_| {}).await.unwrap();
    assert_eq!(status(&outcome), RunStatus::Applied, "{outcome:#?}");
    let mut buffer = [0; 4_096];
    let length = secondary.recv(&mut buffer).unwrap();
    let told = hickory_proto::op::Message::from_vec(&buffer[..length]).unwrap();
    assert_eq!(told.metadata.op_code, hickory_proto::op::OpCode::Notify);
    assert_eq!(told.queries[0].name().to_ascii(), "own.test.");
    assert!(outcome.news.is_empty(), "{:?}", outcome.news);
    // A server that sends none takes the request too; that nobody was told is said.
    let server = Server::powerdns(ZONE, "master");
    let desk = Desk::at(&server);
    desk.spec(&["{ type: A, name: a, value: 192.0.2.1 }"]);
    let outcome = desk.apply().await;
    assert_eq!(status(&outcome), RunStatus::Applied, "{outcome:#?}");
    assert!(outcome.news[0].contains("`primary=yes`"), "{:?}", outcome.news);
}

#[test]
fn the_sandbox_has_no_stand_in_for_them_and_says_so() {
    let desk = Desk::updates(SocketAddr::from((Ipv4Addr::LOCALHOST, 1)));
    desk.spec(&["{ type: A, name: a, value: 192.0.2.1 }"]);
    assert!(desk.run(&["plan", "--sandbox"]).expect(1).err.contains("no stand-in"));
}
