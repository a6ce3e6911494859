//! PowerDNS, the Authoritative Server, over its HTTP API. One read of a zone brings all of its record sets; one PATCH
//! carries a whole plan and is a transaction at the server. It takes no preconditions, so [`look`] reads what is about to
//! be written once more. [`convert`] knows the JSON of a record set, [`quirks`] what the server can hold and what its
//! messages are about.

mod api;
mod convert;
mod look;
mod quirks;
mod signing;
mod zone;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use futures_util::future::{join_all, try_join_all};
use serde_json::{Value, json};

use crate::base::text;
use crate::model::address::Address;
use crate::model::inventory::Desired;
use crate::model::name::DomainName;
use crate::model::record_set::Record;
use crate::model::resource::Resource;
use crate::plan::Change;
use crate::provider::http::{Credential, Http};
use crate::provider::rrset::{self, Rrset};
use crate::provider::{
    Access, Answer, ApiRefusal, Examination, Finding, News, Outcome, Profile, Provider, ProviderError, Reading, Review,
    Scope, Stage, Step, ZoneFacts, ZoneKey,
};
use api::ApiError;

const NAME: &str = "powerdns";
/// The one lane: what comes later may need what came before.
const LANE: &str = "dns";

/// What is known of PowerDNS without asking it.
pub const PROFILE: Profile = Profile {
    capabilities: quirks::CAPABILITIES,
    base_url: "http://127.0.0.1:8081/api/v1",
    base_url_variable: "POWERDNS_API_URL",
    token_variable: "POWERDNS_API_KEY",
    token_help: "the key is `api-key` in pdns.conf, where `api=yes` and `webserver=yes` stand too",
    stand_in: false,
    needs_token: true,
};

/// A server.
#[derive(Debug)]
pub struct PowerDns {
    http: Http,
    /// Where it is, as part of the ids of its zones: another server's zone of the same name is another zone.
    place: String,
    /// What was learned and not told yet.
    news: Mutex<News>,
    /// Zones that were perhaps signed: the answer was lost, and what the registrar needs is told once it is seen.
    owed: Mutex<BTreeSet<DomainName>>,
}

impl PowerDns {
    /// Ready to ask; nothing is sent yet. An address without a path gets the API's.
    pub fn new(mut access: Access) -> Result<Self, ProviderError> {
        if access.base_url.path() == "/" {
            access.base_url.set_path("/api/v1/");
        }
        let place = access.base_url[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
        let http = Http::new(
            access.base_url,
            Credential::Header("x-api-key", &access.token),
            access.timeout,
        )?
        .heeding(access.stop);
        Ok(Self {
            http,
            place,
            news: Mutex::default(),
            owed: Mutex::default(),
        })
    }

    async fn read_all(&self, scope: &Scope) -> Result<Reading, ProviderError> {
        let mut whole = Reading::default();
        for reading in try_join_all(scope.zones.iter().map(|zone| self.read_zone(zone, scope))).await? {
            whole.absorb(reading);
        }
        rrset::zones_are_there(&mut whole, scope);
        Ok(whole)
    }

    async fn all_zones(&self) -> Result<Vec<DomainName>, ProviderError> {
        let answer = api::get(&self.http, "servers/localhost/zones").await;
        let answer = answer.map_err(|error| error.while_reading(&api::VOICE, "the list of zones"))?;
        let zones = answer.as_array().map_or(&[][..], Vec::as_slice).iter();
        let names = zones.filter_map(|zone| zone.get("name")?.as_str());
        let zones: BTreeSet<DomainName> = names.filter_map(|name| DomainName::parse(name).ok()).collect();
        Ok(zones.into_iter().collect())
    }

    async fn read_zone(&self, zone: &DomainName, scope: &Scope) -> Result<Reading, ProviderError> {
        let answer = match api::get(&self.http, &path_of(zone)).await {
            Err(error) if error.is_not_there() && scope.may_be_missing.contains(zone) => {
                return Ok(zone::missing(zone));
            }
            answer => answer,
        };
        let answer = answer.map_err(|error| {
            if error.is_not_there() {
                ProviderError::new(
                    "zone-not-found",
                    format!("PowerDNS at {} has no zone {zone}", self.place),
                )
                .help("check the name, or have it made: `create: true` with `name_servers`")
            } else {
                error.while_reading(&api::VOICE, &format!("the zone {zone}"))
            }
        })?;
        let mut reading = self.assemble(zone, &answer)?;
        let is_alias = |address: &Address| address.kind() == "dns" && address.key().starts_with("ALIAS/");
        if scope
            .spoken
            .iter()
            .any(|address| address.scope() == zone.as_str() && is_alias(address))
        {
            // A server that does not show its configuration leaves it to whoever writes the record.
            let config = api::get(&self.http, "servers/localhost/config").await.ok();
            if let Some(facts) = reading.zones.get_mut(zone) {
                facts.alias = config.as_ref().and_then(quirks::aliases);
            }
        }
        let [signed, rectified] = [signing::DNSSEC, signing::RECTIFY]
            .map(|id| signing::switch(zone, id, answer.get(id).and_then(Value::as_bool).unwrap_or(false)));
        if [&signed, &rectified]
            .iter()
            .any(|setting| scope.spoken.contains(&setting.address()))
        {
            let keys = self.keys(zone).await;
            let keys = keys.map_err(|error| error.while_reading(&api::VOICE, &format!("the keys of {zone}")))?;
            if signed.value == "on" && self.owed().remove(zone) {
                self.told().words.extend(signing::registrar(zone, Some(&keys)));
            }
            let active = signing::active(zone, &keys);
            if let Some(facts) = reading.zones.get_mut(zone) {
                facts.keys = keys;
            }
            for setting in [signed, rectified, active] {
                reading
                    .live
                    .inventory
                    .insert(setting.address(), Resource::Setting(setting));
            }
        }
        Ok(reading)
    }

    async fn keys(&self, zone: &DomainName) -> Result<Vec<ZoneKey>, ApiError> {
        let answer = api::get(&self.http, &format!("{}/cryptokeys", path_of(zone))).await?;
        Ok(signing::keys(&answer))
    }

    fn assemble(&self, zone: &DomainName, answer: &Value) -> Result<Reading, ProviderError> {
        let text = |key: &str| answer.get(key).and_then(Value::as_str);
        let is_it = text("name").is_some_and(|name| DomainName::parse(name).as_ref() == Ok(zone));
        let list = answer.get("rrsets").and_then(Value::as_array).filter(|_| is_it);
        let Some(list) = list else {
            return Err(odd(zone, "something that is not this zone"));
        };
        let mut reading = Reading::default();
        let mut records: Vec<(DomainName, Record, String)> = Vec::new();
        for value in list {
            match convert::from_wire(value, zone) {
                Ok(kept) if !kept.name.is_within(zone) => {
                    return Err(odd(
                        zone,
                        &format!("a record of {}, which is another zone's", kept.name),
                    ));
                }
                Ok(kept) => {
                    if let Some(why) = kept.locked {
                        rrset::lock(&mut reading, zone, (&kept.name, kept.kind), why);
                    }
                    let all = kept.records.into_iter();
                    records.extend(all.map(|(record, content)| (kept.name.clone(), record, content)));
                }
                Err(why) => {
                    let word = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or("?");
                    rrset::set_aside(&mut reading, zone, (word("name"), word("type")), &why);
                }
            }
        }
        rrset::keep(&mut reading, zone, records);
        let yes = |key: &str| answer.get(key).and_then(Value::as_bool).unwrap_or(false);
        reading.warnings.extend(quirks::odd_settings(
            zone,
            text("soa_edit_api"),
            yes("dnssec"),
            yes("api_rectify"),
        ));
        let facts = ZoneFacts {
            id: format!("{}/{zone}", self.place),
            status: text::shorten(&text::sanitize(text("kind").unwrap_or("unknown")), 40).to_lowercase(),
            ..ZoneFacts::default()
        };
        reading.zones.insert(zone.clone(), facts);
        Ok(reading)
    }

    async fn perform_once(&self, step: &Step) -> Outcome {
        let written = match step.method {
            "PATCH" => look::write(&self.http, step).await,
            _ if is_notify(step) => self.notify(step).await,
            _ => self.put(step).await,
        };
        match written {
            Ok(()) => {
                self.learn(step).await;
                Outcome::Applied
            }
            Err(ApiError::Refused(refusal)) => Outcome::Refused(refusal),
            Err(ApiError::NotSent(words)) => Outcome::NotSent(words),
            Err(ApiError::Lost(words)) => {
                let zone = step.zone().filter(|_| signing::signs(step));
                self.owed().extend(zone.cloned());
                Outcome::Unknown(words)
            }
        }
    }

    /// A server that sends no NOTIFY takes the request all the same, and nobody hears of the change.
    async fn notify(&self, step: &Step) -> Result<(), ApiError> {
        let outcome = api::write(&self.http, step.method, &step.path, &step.body).await;
        let config = api::get(&self.http, "servers/localhost/config").await.ok();
        let why = match (&outcome, config.as_ref().and_then(quirks::sends_notify)) {
            (Err(error), _) => error.words(),
            (Ok(()), Some(false)) => "the server sends no NOTIFY: set `primary=yes` in pdns.conf".to_owned(),
            (Ok(()), Some(true) | None) => return outcome,
        };
        let zone = step.zone().map(ToString::to_string).unwrap_or_default();
        let words = format!("the secondaries of {zone} were not told ({why}): they see the change when they ask next");
        self.told().words.push(words);
        outcome
    }

    async fn put(&self, step: &Step) -> Result<(), ApiError> {
        let write = || api::write(&self.http, step.method, &step.path, &step.body);
        if !signing::rectifies(step) {
            return write().await;
        }
        // Nothing shows later whether it was done, and it may be done twice.
        let mut outcome = write().await;
        if matches!(outcome, Err(ApiError::Lost(_))) {
            outcome = write().await;
        }
        if let (Err(error), Some(zone)) = (&outcome, step.zone()) {
            self.told().words.push(format!(
                "{zone} is signed and could not be rectified ({}): run pdnsutil rectify-zone {zone}, or answers fail to \
                 validate",
                error.words()
            ));
        }
        outcome
    }

    /// What somebody has to act on at the registrar.
    async fn learn(&self, step: &Step) {
        let Some(zone) = step.zone() else { return };
        let mut words = Vec::new();
        if step.stage == Stage::Zone {
            words.extend(zone::registrar(step));
            let id = format!("{}/{zone}", self.place);
            self.told().made.insert(zone.clone(), id);
        } else if signing::signs(step) {
            words.extend(signing::registrar(zone, self.keys(zone).await.ok().as_deref()));
        }
        self.told().words.extend(words);
    }

    fn owed(&self) -> std::sync::MutexGuard<'_, BTreeSet<DomainName>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self) -> std::sync::MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look_at(&self, scope: &Scope) -> Vec<Examination> {
        let mut all = vec![match api::get(&self.http, "servers/localhost").await {
            Ok(answer) => {
                let word = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or("unknown").to_owned();
                let version = text::sanitize(&format!("{} {}", word("daemon_type"), word("version"))).into_owned();
                found("PowerDNS API key", Finding::Good, text::shorten(&version, 60), None)
            }
            Err(error) => {
                let finding = match &error {
                    ApiError::Refused(_) => Finding::Bad,
                    ApiError::NotSent(_) | ApiError::Lost(_) => Finding::Unclear,
                };
                let help = error.while_reading(&api::VOICE, "the server").help;
                found("PowerDNS API key", finding, error.words(), help)
            }
        }];
        let zones = scope.zones.iter().map(|zone| async move {
            let subject = format!("{zone}: zone");
            match self.read_zone(zone, scope).await {
                Ok(reading) => {
                    let sets = text::count(reading.live.inventory.len(), "record set");
                    let kind = reading.zones.get(zone).map_or("", |facts| facts.status.as_str());
                    found(&subject, Finding::Good, format!("{sets}, {kind}"), None)
                }
                Err(error) => found(&subject, Finding::Bad, error.message, error.help),
            }
        });
        all.extend(join_all(zones).await);
        let signed = scope.zones.iter().map(|zone| self.look_at_keys(zone));
        all.extend(join_all(signed).await.into_iter().flatten());
        all
    }

    /// What the registrar of a signed zone has to know, for whoever asks again.
    async fn look_at_keys(&self, zone: &DomainName) -> Option<Examination> {
        let answer = api::get(&self.http, &format!("{}?rrsets=false", path_of(zone)))
            .await
            .ok()?;
        let is_signed = answer.get(signing::DNSSEC).and_then(Value::as_bool)?;
        let keys = self.keys(zone).await;
        is_signed.then(|| match keys {
            Ok(keys) => found_signed(zone, &signing::ds(&keys)),
            Err(error) => found(&format!("{zone}: DNSSEC"), Finding::Unclear, error.words(), None),
        })
    }
}

fn found_signed(zone: &DomainName, ds: &[String]) -> Examination {
    let subject = format!("{zone}: DNSSEC");
    if ds.is_empty() {
        return found(
            &subject,
            Finding::Good,
            "signed, with keys that are not at the server".to_owned(),
            None,
        );
    }
    let records: Vec<String> = ds.iter().map(|ds| format!("{zone} DS {ds}")).collect();
    let detail = format!("signed; the registrar needs {}", text::list(&records));
    found(&subject, Finding::Good, detail, None)
}

fn found(subject: &str, finding: Finding, detail: String, fix: Option<String>) -> Examination {
    Examination {
        subject: subject.to_owned(),
        finding,
        detail,
        fix,
    }
}

fn path_of(zone: &DomainName) -> String {
    format!("servers/localhost/zones/{zone}.")
}

fn odd(zone: &DomainName, what: &str) -> ProviderError {
    ProviderError::new("odd-answer", format!("PowerDNS answered for {zone} with {what}"))
        .help("nothing was changed; if it happens again, run with -vv and report it")
}

/// The requests that carry out `changes`: one for a zone, unless it would be too large.
fn steps(changes: &[Change], reading: &Reading) -> Vec<Step> {
    let mut zones: BTreeMap<DomainName, BTreeMap<DomainName, Vec<Rrset>>> = BTreeMap::new();
    for set in rrset::gather(changes, reading) {
        let names = zones.entry(set.zone.clone()).or_default();
        names.entry(set.name.clone()).or_default().push(set);
    }
    let mut signings = signing::steps(changes, reading);
    for zone in signings.keys() {
        zones.entry(zone.clone()).or_default();
    }
    let mut steps = zone::creations(changes);
    for (zone, names) in zones {
        let Some(facts) = reading.zones.get(&zone) else {
            continue;
        };
        let chunks = chunks(names.into_values().collect(), quirks::BODY);
        let total = chunks.len();
        for (at, chunk) in chunks.into_iter().enumerate() {
            steps.push(step(&zone, chunk, at + 1, total));
        }
        steps.extend(signings.remove(&zone).into_iter().flatten());
        if quirks::notifies(&facts.status) {
            steps.push(notify(&zone));
        }
    }
    steps
}

/// What belongs together (everything at one name) travels together.
fn chunks(names: Vec<Vec<Rrset>>, most: usize) -> Vec<Vec<(Rrset, Value)>> {
    let mut chunks: Vec<Vec<(Rrset, Value)>> = Vec::new();
    let mut size = most;
    for sets in names {
        let wires: Vec<(Rrset, Value)> = sets
            .into_iter()
            .map(|set| {
                let wire = convert::to_wire(&set);
                (set, wire)
            })
            .collect();
        let length: usize = wires.iter().map(|(_, wire)| wire.to_string().len() + 1).sum();
        match chunks.last_mut() {
            Some(chunk) if size + length <= most => {
                chunk.extend(wires);
                size += length;
            }
            _ => {
                chunks.push(wires);
                size = length;
            }
        }
    }
    chunks
}

fn step(zone: &DomainName, mut sets: Vec<(Rrset, Value)>, number: usize, total: usize) -> Step {
    // The server looks at one set after another: what makes room for a CNAME has to come before it.
    sets.sort_by_key(|(set, _)| !set.after.is_empty());
    let gone = sets.iter().filter(|(set, _)| set.after.is_empty()).count();
    let mut words = Vec::new();
    for (number, noun) in [(sets.len() - gone, "written record set"), (gone, "deleted record set")] {
        if number > 0 {
            words.push(text::count(number, noun));
        }
    }
    let part_of = if total > 1 {
        format!(" ({number} of {total})")
    } else {
        String::new()
    };
    let addresses: BTreeSet<Address> = sets.iter().flat_map(|(set, _)| set.addresses.clone()).collect();
    let expect: Vec<Value> = sets.iter().map(|(set, _)| convert::expected(set)).collect();
    let wires: Vec<Value> = sets.into_iter().map(|(_, wire)| wire).collect();
    Step {
        provider: NAME,
        scope: zone.clone().into(),
        stage: Stage::Content,
        lane: LANE.to_owned(),
        method: "PATCH",
        path: path_of(zone),
        summary: format!("{} in {zone}{part_of}", text::list(&words)),
        addresses: addresses.into_iter().collect(),
        handles: BTreeMap::new(),
        body: json!({ look::EXPECT: expect, look::SETS: wires }),
        check: None,
    }
}

/// It changes no record, so it carries no address; when it fails, the secondaries ask by themselves later.
fn notify(zone: &DomainName) -> Step {
    Step {
        provider: NAME,
        scope: zone.clone().into(),
        stage: Stage::Content,
        lane: LANE.to_owned(),
        method: "PUT",
        path: format!("{}/notify", path_of(zone)),
        summary: format!("secondaries of {zone} told"),
        addresses: Vec::new(),
        handles: BTreeMap::new(),
        body: json!({}),
        check: None,
    }
}

fn is_notify(step: &Step) -> bool {
    step.method == "PUT" && step.path.ends_with("/notify")
}

impl Provider for PowerDns {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&'a self, scope: &'a Scope) -> Answer<'a, Result<Reading, ProviderError>> {
        Box::pin(self.read_all(scope))
    }

    fn adapt(&self, desired: &mut Desired, reading: &Reading) -> Review {
        signing::adapt(desired, reading);
        Review::default()
    }

    fn zones(&self) -> Answer<'_, Result<Vec<DomainName>, ProviderError>> {
        Box::pin(self.all_zones())
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

    fn blame(&self, step: &Step, changes: &[Change], refused: &ApiRefusal) -> Vec<Address> {
        quirks::blame(step, changes, refused)
    }

    fn advice(&self, refused: &ApiRefusal) -> Option<&'static str> {
        quirks::advice(refused)
    }

    fn examine<'a>(&'a self, scope: &'a Scope) -> Answer<'a, Vec<Examination>> {
        Box::pin(self.look_at(scope))
    }

    fn news(&self) -> News {
        let mut news = self.told();
        News {
            words: std::mem::take(&mut news.words),
            made: news.made.clone(),
        }
    }

    fn requests(&self) -> usize {
        self.http.sent()
    }
}
