//! One exam for all providers: successive states of a zone, each applied, each followed by an empty plan, live equal to
//! the spec; then rolled back to the state before, and applied again.
//!
//! To examine another provider, write an [`Examinee`] and a test that calls [`sit`].

mod answers;
mod states;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use launchctl::base::clock::Clock;
use launchctl::history::RunStatus;
use launchctl::model::inventory::Inventory;
use launchctl::model::name::DomainName;
use launchctl::model::record::RecordType;
use launchctl::model::resource::Resource;
use launchctl::ops::plan::Narrow;
use launchctl::ops::rollback::Undo;
use launchctl::ops::{Session, Setting, apply, plan, rollback};
use launchctl::plan::Selection;
use launchctl::provider::Stop;
use launchctl::sandbox::{Options, Plan, SANDBOX_TOKEN, Sandbox, World};
use states::{Needs, State};

use super::servers::{KEY, KEY_NAME, Server};

/// Who is examined: a provider with an empty zone.
pub struct Examinee {
    /// Its name in specs.
    pub provider: &'static str,
    /// The zone, which is empty but for what belongs to the zone itself.
    pub zone: &'static str,
    /// How it is reached.
    pub environment: BTreeMap<String, String>,
    /// The record types that it keeps.
    pub kinds: &'static [RecordType],
    /// Whether it has an edge.
    pub proxies: bool,
    /// Whether it keeps comments.
    pub comments: bool,
    /// Whether it keeps tags.
    pub tags: bool,
    /// Where it answers over UDP and TCP: then what it answers is compared with the spec too.
    pub dns: Option<SocketAddr>,
}

impl Examinee {
    fn can(&self, state: &State) -> bool {
        let has = match state.needs {
            Needs::Nothing => true,
            Needs::Proxy => self.proxies,
            Needs::Comments => self.comments,
            Needs::Tags => self.tags,
        };
        has && state.records.iter().all(|record| {
            let kind = record
                .split("type: ")
                .nth(1)
                .and_then(|rest| rest.split(',').next())
                .unwrap();
            self.kinds.contains(&RecordType::parse(kind).unwrap())
        })
    }

    fn setting(&self, spec: &Path) -> Setting {
        let environment = self.environment.clone();
        Setting {
            spec: spec.to_owned(),
            vars: BTreeMap::new(),
            sandbox: false,
            timeout: Duration::from_secs(30),
            environment: Arc::new(move |name: &str| environment.get(name).cloned()),
            clock: Clock::System,
            stop: Stop::new(),
        }
    }
}

struct Sitting<'a> {
    examinee: &'a Examinee,
    folder: tempfile::TempDir,
    states: usize,
    /// What was ever declared: what is not any more must not be answered either.
    asked: BTreeSet<(DomainName, RecordType)>,
}

/// Examines a provider; returns how many states it was asked for.
pub async fn sit(examinee: &Examinee) -> usize {
    let mut sitting = Sitting {
        examinee,
        folder: tempfile::tempdir().unwrap(),
        states: 0,
        asked: BTreeSet::new(),
    };
    for group in states::groups() {
        let asked: Vec<&State> = group.states.iter().filter(|state| examinee.can(state)).collect();
        let mut before = sitting.reach(&format!("{}: the empty zone", group.title), &[]).await;
        for state in asked {
            let title = format!("{}: {}", group.title, state.title);
            let after = sitting.reach(&title, &state.records).await;
            sitting.undo(&title, &before).await;
            before = sitting.reach(&format!("{title}, again"), &state.records).await;
            assert_eq!(before, after, "{title}: the second time as the first");
            sitting.states += 1;
        }
    }
    sitting.reach("the end", &[]).await;
    sitting.states
}

impl Sitting<'_> {
    fn write(&self, records: &[String]) -> std::path::PathBuf {
        let Examinee { provider, zone, .. } = self.examinee;
        let mut text = format!("version: 1\nzones:\n  {zone}:\n    provider: {provider}\n    records:\n");
        for record in records {
            text.push_str(&format!("      - {}\n", record.replace("ZONE", zone)));
        }
        let path = self.folder.path().join("launch.yaml");
        std::fs::write(&path, text).unwrap();
        path
    }

    async fn open(&self, title: &str) -> Session {
        let path = self.folder.path().join("launch.yaml");
        Session::open(&self.examinee.setting(&path))
            .await
            .unwrap_or_else(|problem| panic!("{title}: {problem:?}"))
    }

    /// What is live, but for what belongs to the zone itself.
    async fn live(&self, session: &Session) -> Inventory {
        let reading = session.read(&session.extent(&[]), &[], []).await.unwrap();
        assert!(
            reading
                .warnings
                .iter()
                .all(|warning| warning.code != "unreadable-record"),
            "{:?}",
            reading.warnings
        );
        let own = |resource: &Resource| {
            let set = resource.as_record_set().unwrap();
            set.name == set.zone && matches!(set.kind, RecordType::Ns | RecordType::Soa)
        };
        reading
            .live
            .inventory
            .into_iter()
            .filter(|(_, resource)| !own(resource))
            .collect()
    }

    /// Applies a state, and looks at it from all sides.
    async fn reach(&mut self, title: &str, records: &[String]) -> Inventory {
        self.write(records);
        let session = self.open(title).await;
        let first = plan::plan(
            &session,
            &Narrow {
                selection: Selection::default(),
                allow_deletes: None,
            },
        )
        .await
        .unwrap();
        let deletes = first.plan.count(launchctl::plan::Action::Delete);
        let narrow = Narrow {
            selection: Selection::default(),
            allow_deletes: Some(deletes),
        };
        let ready = apply::prepare(&session, &narrow).await.unwrap();
        assert!(
            ready.planned.plan.refusals.is_empty(),
            "{title}: {:#?}",
            ready.planned.plan.refusals
        );
        let outcome = apply::carry_out(&session, ready, &|_| {}).await.unwrap();
        if let Some(report) = &outcome.report {
            assert_eq!(report.status, RunStatus::Applied, "{title}: {report:#?}");
        }
        let session = self.open(title).await;
        let again = plan::plan(&session, &Narrow::default()).await.unwrap();
        assert!(
            again.plan.is_empty(),
            "{title}: the second plan is not empty: {:#?}",
            again.plan.changes
        );
        assert!(
            again
                .plan
                .unmanaged
                .iter()
                .all(|address| address.key().starts_with("NS/@") || address.key().starts_with("SOA/@")),
            "{title}: {:?}",
            again.plan.unmanaged
        );
        let live = self.live(&session).await;
        let wanted: Inventory = session
            .spec
            .desired
            .inventory
            .iter()
            .map(|(address, resource)| (address.clone(), resource.settled_on(None)))
            .collect();
        assert_eq!(live, wanted, "{title}: live equals the spec");
        if let Some(server) = self.examinee.dns {
            answers::check(title, server, &self.examinee.zone.parse().unwrap(), &live, &self.asked).await;
            self.asked.extend(live.values().map(answers::question));
        }
        live
    }

    /// Undoes the last run that did something.
    async fn undo(&self, title: &str, before: &Inventory) {
        let session = self.open(title).await;
        let ready = rollback::prepare(&session, &Undo::default())
            .await
            .unwrap_or_else(|problem| panic!("{title}: {problem:?}"));
        assert!(
            ready.planned.plan.refusals.is_empty(),
            "{title}: {:#?}",
            ready.planned.plan.refusals
        );
        let outcome = apply::carry_out(&session, ready, &|_| {}).await.unwrap();
        assert!(
            outcome.report.is_none_or(|report| report.status == RunStatus::Applied),
            "{title}"
        );
        assert_eq!(self.live(&session).await, *before, "{title}: rolled back");
    }
}

/// The stand-in for Cloudflare, with a zone on this plan.
async fn cloudflare(paid: Plan, kinds: &'static [RecordType]) -> (Sandbox, Examinee) {
    let mut world = World::new();
    world.add_zone("exam.test", paid);
    world.set_quota("exam.test", Some(2_000));
    let sandbox = Sandbox::start(Options {
        world: Some(world),
        ..Options::default()
    })
    .await
    .unwrap();
    let environment = [
        ("CLOUDFLARE_BASE_URL", sandbox.url()),
        ("CLOUDFLARE_API_TOKEN", SANDBOX_TOKEN.to_owned()),
    ];
    let examinee = Examinee {
        provider: "cloudflare",
        zone: "exam.test",
        environment: environment
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        kinds,
        proxies: true,
        comments: true,
        tags: paid != Plan::Free,
        dns: None,
    };
    (sandbox, examinee)
}

#[tokio::test]
async fn cloudflare_on_a_paid_plan() {
    let (sandbox, examinee) = cloudflare(Plan::Pro, RecordType::ALL).await;
    let states = sit(&examinee).await;
    assert!(states >= 60, "{states}");
    sandbox.stop().await;
}

#[tokio::test]
async fn cloudflare_on_the_free_plan() {
    let (sandbox, examinee) = cloudflare(Plan::Free, RecordType::ALL).await;
    let states = sit(&examinee).await;
    assert!(states >= 60, "{states}");
    sandbox.stop().await;
}

fn environment(pairs: &[(&str, String)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

/// A server that takes updates signed with `algorithm`.
async fn sit_with_updates(server: &Server, algorithm: &str) {
    let examinee = Examinee {
        provider: "rfc2136",
        zone: "exam.test",
        environment: environment(&[
            ("RFC2136_SERVER", server.dns.to_string()),
            ("RFC2136_KEY", format!("{algorithm}:{KEY_NAME}:{KEY}")),
        ]),
        kinds: RecordType::ALL,
        proxies: false,
        comments: false,
        tags: false,
        dns: Some(server.dns),
    };
    let states = sit(&examinee).await;
    assert!(states >= 60, "{states}");
}

#[tokio::test]
async fn bind() {
    sit_with_updates(&Server::bind("exam.test"), "hmac-sha256").await;
}

#[tokio::test]
async fn knot() {
    sit_with_updates(&Server::knot("exam.test"), "hmac-sha512").await;
}

#[tokio::test]
async fn powerdns() {
    let server = Server::powerdns("exam.test", "native");
    let api = server.api.unwrap();
    let examinee = Examinee {
        provider: "powerdns",
        zone: "exam.test",
        environment: environment(&[
            ("POWERDNS_API_URL", format!("http://{api}")),
            ("POWERDNS_API_KEY", KEY.to_owned()),
        ]),
        kinds: launchctl::provider::powerdns::PROFILE.capabilities.kinds,
        proxies: false,
        comments: true,
        tags: false,
        dns: Some(server.dns),
    };
    let states = sit(&examinee).await;
    assert!(states >= 60, "{states}");
}
