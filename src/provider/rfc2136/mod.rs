//! Any DNS server that takes dynamic updates (RFC 2136) signed with TSIG (RFC 8945): BIND, Knot and others. The zone is
//! read by transfer over TCP; an update carries a whole plan where it fits, with the state it starts from, and is a
//! transaction at the server. [`transfer`] puts the zone together, [`convert`] knows updates, [`tsig`] signatures, [`quirks`] what servers hold and mean.

mod api;
mod convert;
mod quirks;
mod transfer;
mod tsig;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};

use crate::base::text;
use crate::model::address::Address;
use crate::model::name::DomainName;
use crate::plan::Change;
use crate::provider::rrset::{self, Rrset};
use crate::provider::{
    Access, Answer, ApiRefusal, Examination, Finding, Outcome, Profile, Provider, ProviderError, Reading, Review,
    Scope, Stage, Step, ZoneFacts, dns,
};
use api::{Denied, Server};
use convert::Update;
use transfer::Transferred;

const NAME: &str = "rfc2136";
/// The one lane: what comes later may need what came before.
const LANE: &str = "dns";
/// How often a zone is asked for, and a connection tried, when nothing can have been done.
const ATTEMPTS: u32 = 3;
/// The first pause before trying again; it doubles.
const PAUSE: Duration = Duration::from_millis(250);

/// What is known of such a server without asking it.
pub const PROFILE: Profile = Profile {
    capabilities: quirks::CAPABILITIES,
    base_url: "",
    base_url_variable: "RFC2136_SERVER",
    token_variable: "RFC2136_KEY",
    token_help: "make a key with `tsig-keygen NAME` or `keymgr -t NAME`, let it update and transfer the zone, and write it as \
                 NAME:SECRET, as `dig -y` takes it",
    stand_in: false,
    needs_token: true,
};

/// A server, as one key sees it.
#[derive(Debug)]
pub struct Rfc2136 {
    server: Server,
    sent: AtomicUsize,
}

impl Rfc2136 {
    /// Ready to ask; nothing is sent yet.
    pub fn new(access: &Access) -> Result<Self, ProviderError> {
        Ok(Self {
            server: Server {
                address: dns::host_and_port(&access.base_url),
                key: tsig::Key::parse(&access.token)?,
                timeout: access.timeout,
            },
            sent: AtomicUsize::new(0),
        })
    }

    async fn read_all(&self, scope: &Scope) -> Result<Reading, ProviderError> {
        let mut whole = Reading::default();
        for reading in try_join_all(scope.zones.iter().map(|zone| self.read_zone(zone))).await? {
            whole.absorb(reading);
        }
        rrset::zones_are_there(&mut whole, scope);
        Ok(whole)
    }

    async fn read_zone(&self, zone: &DomainName) -> Result<Reading, ProviderError> {
        let records = self.transfer(zone).await;
        let records = records.map_err(|denied| denied.while_reading(zone, &self.server.address))?;
        let mut reading = convert::reading(zone, &records).map_err(|odd| {
            ProviderError::new(
                "odd-answer",
                format!("{} answered for {zone} with {odd}", self.server.address),
            )
        })?;
        let facts = ZoneFacts {
            // Another server's zone of the same name is another zone.
            id: format!("{}/{zone}", self.server.address),
            status: "primary".to_owned(),
            ..ZoneFacts::default()
        };
        reading.zones.insert(zone.clone(), facts);
        Ok(reading)
    }

    async fn transfer(&self, zone: &DomainName) -> Result<Vec<Transferred>, Denied> {
        let mut attempt = 1;
        loop {
            self.sent.fetch_add(1, Ordering::Relaxed);
            match self.server.transfer(zone).await {
                Err(Denied::NotSent(_) | Denied::Lost(_)) if attempt < ATTEMPTS => {}
                outcome => return outcome,
            }
            tokio::time::sleep(PAUSE * 2_u32.pow(attempt - 1)).await;
            attempt += 1;
        }
    }

    async fn perform_once(&self, step: &Step) -> Outcome {
        let update = match serde_json::from_value::<Update>(step.body.clone()) {
            Ok(update) => update,
            Err(error) => return Outcome::NotSent(format!("the step holds no update: {error}")),
        };
        let Some(zone) = step.zone() else {
            return Outcome::NotSent("this update is for no zone".to_owned());
        };
        let mut attempt = 1;
        loop {
            let message = match update.message(zone) {
                Ok(message) => message,
                Err(denied) => return Outcome::NotSent(denied.words()),
            };
            self.sent.fetch_add(1, Ordering::Relaxed);
            let outcome = match self.server.update(zone, message).await {
                // The zone cannot have changed and kept its serial; somebody has to look.
                Ok(serial) if serial.is_some() && serial == update.serial => Outcome::Unknown(format!(
                    "{} took the update, and the serial of {} is what it was",
                    self.server.address, zone
                )),
                Ok(_) => Outcome::Applied,
                Err(Denied::Refused(refusal)) => Outcome::Refused(refusal),
                Err(Denied::NotSent(_)) if attempt < ATTEMPTS => {
                    tokio::time::sleep(PAUSE * 2_u32.pow(attempt - 1)).await;
                    attempt += 1;
                    continue;
                }
                Err(Denied::NotSent(words)) => Outcome::NotSent(words),
                Err(Denied::Lost(words)) => Outcome::Unknown(words),
            };
            return outcome;
        }
    }

    async fn look_at(&self, scope: &Scope) -> Vec<Examination> {
        let zones = scope.zones.iter().map(|zone| async move {
            let subject = format!("{zone}: transfer with the key");
            match self.read_zone(zone).await {
                Ok(reading) => Examination {
                    subject,
                    finding: Finding::Good,
                    detail: text::count(reading.live.inventory.len(), "record set"),
                    fix: None,
                },
                Err(error) => Examination {
                    subject,
                    finding: Finding::Bad,
                    detail: error.message,
                    fix: error.help,
                },
            }
        });
        join_all(zones).await
    }
}

/// The updates that carry out `changes`: one for a zone, unless a message cannot hold it.
fn steps(changes: &[Change], reading: &Reading) -> Vec<Step> {
    let mut zones: BTreeMap<DomainName, BTreeMap<DomainName, Vec<Rrset>>> = BTreeMap::new();
    for set in rrset::gather(changes, reading) {
        let names = zones.entry(set.zone.clone()).or_default();
        names.entry(set.name.clone()).or_default().push(set);
    }
    let mut steps = Vec::new();
    for (zone, names) in zones.into_iter().filter(|(zone, _)| reading.zones.contains_key(zone)) {
        let chunks = chunks(names.into_values());
        let total = chunks.len();
        for (at, (mut update, addresses)) in chunks.into_iter().enumerate() {
            update.serial = quirks::serial(&zone, reading);
            steps.push(step(&zone, &update, addresses, (at + 1, total)));
        }
    }
    steps
}

/// What belongs together (everything at one name) travels together.
fn chunks(names: impl Iterator<Item = Vec<Rrset>>) -> Vec<(Update, BTreeSet<Address>)> {
    let mut chunks: Vec<(Update, BTreeSet<Address>)> = Vec::new();
    let mut size = 0;
    for sets in names {
        let update = Update::of_name(&sets);
        let addresses = sets.into_iter().flat_map(|set| set.addresses);
        let more = update.size();
        match chunks.last_mut() {
            Some(chunk) if size + more <= quirks::MESSAGE => {
                chunk.0.absorb(update);
                chunk.1.extend(addresses);
                size += more;
            }
            _ => {
                chunks.push((update, addresses.collect()));
                size = more;
            }
        }
    }
    chunks
}

fn step(zone: &DomainName, update: &Update, addresses: BTreeSet<Address>, part: (usize, usize)) -> Step {
    let (written, deleted) = update.counts();
    let mut words = Vec::new();
    for (number, noun) in [(written, "written record set"), (deleted, "deleted record set")] {
        if number > 0 {
            words.push(text::count(number, noun));
        }
    }
    let part_of = match part {
        (_, 1) => String::new(),
        (number, total) => format!(" ({number} of {total})"),
    };
    Step {
        provider: NAME,
        scope: zone.clone().into(),
        stage: Stage::Content,
        lane: LANE.to_owned(),
        method: "UPDATE",
        path: zone.to_string(),
        summary: format!("{} in {zone}{part_of}", text::list(&words)),
        addresses: addresses.into_iter().collect(),
        handles: BTreeMap::new(),
        body: serde_json::to_value(update).unwrap_or_default(),
        check: None,
    }
}

impl Provider for Rfc2136 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&'a self, scope: &'a Scope) -> Answer<'a, Result<Reading, ProviderError>> {
        Box::pin(self.read_all(scope))
    }

    fn steps(&self, changes: &[Change], reading: &Reading) -> Vec<Step> {
        steps(changes, reading)
    }

    fn perform<'a>(&'a self, step: &'a Step) -> Answer<'a, Outcome> {
        Box::pin(self.perform_once(step))
    }

    fn review(&self, changes: &[Change], reading: &Reading) -> Review {
        quirks::review(changes, reading, &steps(changes, reading))
    }

    fn blame(&self, step: &Step, _: &[Change], _: &ApiRefusal) -> Vec<Address> {
        quirks::blame(step)
    }

    fn advice(&self, refused: &ApiRefusal) -> Option<&'static str> {
        quirks::advice(refused)
    }

    fn examine<'a>(&'a self, scope: &'a Scope) -> Answer<'a, Vec<Examination>> {
        Box::pin(self.look_at(scope))
    }

    fn requests(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }
}
