//! UptimeRobot: monitors and contacts over the v3 API. [`convert`] knows the JSON, [`account`] reads an account and knows
//! its monitors again, [`steps`] turns changes into requests, [`quirks`] knows what plans allow.
//!
//! Two habits of the service shape this: a list may show for a while what was so before a write, and a monitor may have
//! been made though the answer says otherwise. So a create is never repeated before it was looked for several times,
//! and an apply ends by waiting until all of it can be read back.

mod account;
mod api;
mod contacts;
mod convert;
mod copy;
mod quirks;
mod steps;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::base::secret::SecretReference;
use crate::base::text;
use crate::model::address::Address;
use crate::model::inventory::Desired;
use crate::model::resource::Resource;
use crate::plan::Change;
use crate::provider::credential::Keeper;
use crate::provider::http::{Credential, Http};
use crate::provider::{
    Access, Answer, ApiRefusal, Examination, News, Outcome, Profile, Provider, ProviderError, Reading, Review, Scope,
    Sought, Step,
};
pub use copy::copy_of;

use account::Returned;
use api::ApiError;
use contacts::{LiveContact, WINDOWS};
use convert::LiveMonitor;
use wire::{BODY, BODY_TYPE, ID, SECRET};

const NAME: &str = "uptimerobot";

/// How many requests it takes to read an account of up to 200 monitors.
const READS: usize = 4;
/// The pauses between looks for something that may have been made.
const LOOKS: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(250),
    Duration::from_millis(750),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
/// The same for the end of an apply: the service's own tools wait up to four minutes.
const SETTLING: [Duration; 9] = [
    Duration::ZERO,
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(6),
    Duration::from_secs(10),
    Duration::from_secs(20),
    Duration::from_secs(20),
];

/// How many reads have to agree: copies that lag behind answer in turns. One more once one of them did.
const LEAST_IN_A_ROW: usize = 2;

/// What is known of UptimeRobot without asking it.
pub const PROFILE: Profile = Profile {
    capabilities: quirks::CAPABILITIES,
    base_url: "https://api.uptimerobot.com/v3",
    base_url_variable: "UPTIMEROBOT_BASE_URL",
    token_variable: "UPTIMEROBOT_API_KEY",
    stand_in: true,
    token_help: "take the main API key at dashboard.uptimerobot.com under Integrations & API",
    needs_token: true,
};

/// An account at UptimeRobot.
pub struct UptimeRobot {
    http: Http,
    secrets: Keeper,
    seen: Mutex<Seen>,
}

/// What was seen so far.
#[derive(Default)]
struct Seen {
    /// Ids by address, of what was read and of what was made since.
    ids: BTreeMap<Address, String>,
    /// What was last looked for.
    sought: Sought,
    /// What was last returned.
    returned: Returned,
    /// What was learned and not yet told.
    news: Vec<String>,
}

impl UptimeRobot {
    /// Ready to ask; nothing is sent yet.
    pub fn new(access: Access) -> Result<Self, ProviderError> {
        Ok(Self {
            http: Http::new(access.base_url, Credential::Bearer(&access.token), access.timeout)?.heeding(access.stop),
            secrets: access.secrets,
            seen: Mutex::new(Seen::default()),
        })
    }

    fn with_seen<T>(&self, f: impl FnOnce(&mut Seen) -> T) -> T {
        f(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn read_all(&self, scope: &Scope) -> Result<Reading, ProviderError> {
        let Some(sought) = &scope.uptime else {
            return Ok(Reading::default());
        };
        // What is kept elsewhere first: without it nothing need be asked.
        self.secrets.fetch_all(sought)?;
        let returned = account::fetch(&self.http, account::speaks_of_windows(sought)).await?;
        self.with_seen(|seen| {
            seen.sought = sought.clone();
            seen.returned = returned;
        });
        self.reading()
    }

    /// What was last returned, in the terms of what was last looked for.
    fn reading(&self) -> Result<Reading, ProviderError> {
        let (sought, returned) = self.with_seen(|seen| (seen.sought.clone(), seen.returned.clone()));
        let secrets = self.secrets.fetch_all(&sought)?;
        let reading = account::reading(returned, &sought, &secrets, self.http.granted_a_minute());
        if let Some(facts) = &reading.uptime {
            self.with_seen(|seen| seen.ids.extend(facts.ids.clone()));
        }
        Ok(reading)
    }

    async fn perform_once(&self, step: &Step) -> Outcome {
        if let Some(expected) = step.body.get(steps::EXPECT) {
            return self.wait_for(expected).await;
        }
        let (path, body) = match self.filled_in(step) {
            Ok(filled) => filled,
            Err(words) => return Outcome::NotSent(words),
        };
        let is_create = step.method == "POST" && !step.path.contains('/');
        match api::write(&self.http, step.method, &path, &body).await {
            Ok(answer) if is_create => self.made(step, &answer),
            Ok(_) => Outcome::Applied,
            Err(ApiError::NotSent(words)) => Outcome::NotSent(words),
            // A create may be answered with «not found» and yet have been made.
            Err(ApiError::Refused(refusal)) if is_create && refusal.status == 404 => match self.look_for(step).await {
                Ok(true) => Outcome::Applied,
                Ok(false) | Err(_) => Outcome::Refused(refusal),
            },
            Err(ApiError::Refused(refusal)) => Outcome::Refused(refusal),
            Err(ApiError::Lost(words)) if is_create => match self.look_for(step).await {
                Ok(true) => Outcome::Applied,
                Ok(false) | Err(_) => Outcome::Unknown(words),
            },
            Err(ApiError::Lost(words)) => Outcome::Unknown(words),
        }
    }

    fn made(&self, step: &Step, answer: &Value) -> Outcome {
        match (convert::id(answer), step.addresses.first()) {
            (Some(id), Some(address)) => {
                self.with_seen(|seen| {
                    if let Some(old) = seen.ids.insert(address.clone(), id.clone()).filter(|old| *old != id) {
                        let words = format!("{address} was {old} at UptimeRobot and is {id} now");
                        seen.news.push(words);
                    }
                });
                Outcome::Applied
            }
            _ => Outcome::Unknown("UptimeRobot's answer does not say what was made".to_owned()),
        }
    }

    /// The path and body of a step with what is known only now: ids of what was made, and what is kept elsewhere.
    fn filled_in(&self, step: &Step) -> Result<(String, Value), String> {
        let id = |address: &str| {
            let found = self.with_seen(|seen| {
                let mut ids = seen.ids.iter();
                ids.find(|(known, _)| known.as_str() == address)
                    .map(|(_, id)| id.clone())
            });
            found
                .or_else(|| by_id(address).map(str::to_owned))
                .ok_or_else(|| format!("{address} is not there, and is needed for this"))
        };
        let mut path = step.path.clone();
        if let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
            let id = id(&step.path[start + 1..end])?;
            path.replace_range(start..=end, &id);
        }
        let mut body = step.body.clone();
        let secret = |reference: &str| {
            let reference: SecretReference = reference
                .parse()
                .map_err(|_| "a credential is kept nowhere".to_owned())?;
            let whom = step.addresses.first().ok_or("nothing tells what this is for")?;
            self.secrets
                .fetch_for(&reference, whom)
                .map(|secret| Value::from(secret.expose()))
                .map_err(|error| error.message)
        };
        let form = |text: &str| {
            let secret = secret(text)?;
            let words = "UptimeRobot sends JSON or the pairs of a form, and what is kept there is neither";
            wire::body_to_wire(secret.as_str().unwrap_or_default()).ok_or_else(|| format!("{text}: {words}"))
        };
        wire::fill(&mut body, &|key, text| match key {
            SECRET => Some(secret(text)),
            BODY => Some(form(text).map(|(_, data)| data)),
            BODY_TYPE => Some(form(text).map(|(kind, _)| Value::from(kind))),
            // Ids are numbers there.
            ID => Some(id(text).and_then(|id| {
                let number = id.parse::<u64>().map_err(|_| format!("{text} has no usable id"))?;
                Ok(Value::from(number))
            })),
            _ => None,
        })?;
        Ok((path, body))
    }

    /// Looks several times for what a create may have made: by its marker, or a contact by itself.
    async fn look_for(&self, step: &Step) -> Result<bool, ProviderError> {
        let Some(address) = step.addresses.first() else {
            return Ok(false);
        };
        // What is exchanged was there before under the same address.
        let before = self.with_seen(|seen| seen.ids.get(address).cloned());
        for pause in LOOKS {
            tokio::time::sleep(pause).await;
            self.read_lists(&[step.path.as_str()]).await?;
            let reading = self.reading()?;
            // What only asks the same, or is told at the same address, is somebody else's, made in the meantime.
            let live = reading.live.inventory.get(address);
            let has_name = |live: &Resource| match live.as_contact() {
                Some(contact) => contact.channel.guarded().is_some(),
                None => live.as_monitor().is_some(),
            };
            let is_ours = live.is_some_and(|live| !has_name(live) || live.marker().is_some());
            let found = reading.uptime.and_then(|facts| facts.ids.get(address).cloned());
            if is_ours && found.is_some() && found != before {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads again what is needed of the lists, by what they are called in paths.
    async fn read_lists(&self, lists: &[&str]) -> Result<(), ProviderError> {
        if lists.contains(&"monitors") {
            let (all, _): (Vec<LiveMonitor>, _) = account::monitors(&self.http, "")
                .await
                .map_err(|error| error.while_reading(&api::VOICE, "the monitors"))?;
            self.with_seen(|seen| seen.returned.monitors = all);
        }
        if lists.contains(&contacts::CONTACTS) || lists.contains(&contacts::INTEGRATIONS) {
            let (all, _): (Vec<LiveContact>, _) = account::contacts(&self.http)
                .await
                .map_err(|error| error.while_reading(&api::VOICE, "the contacts"))?;
            self.with_seen(|seen| seen.returned.contacts = all);
        }
        if lists.contains(&WINDOWS) {
            let (all, _) = account::windows(&self.http)
                .await
                .map_err(|error| error.while_reading(&api::VOICE, "the maintenance windows"))?;
            self.with_seen(|seen| seen.returned.windows = Some(all));
        }
        Ok(())
    }

    /// Waits until everything reads back as it was written. What was written is done: at worst the next plan is early.
    async fn wait_for(&self, expected: &Value) -> Outcome {
        let all: BTreeMap<Address, Option<Resource>> = match serde_json::from_value(expected.clone()) {
            Ok(all) => all,
            Err(error) => return Outcome::NotSent(format!("what is to be read back is not clear: {error}")),
        };
        let mut lists = vec!["monitors"];
        for (kind, list) in [("contact", contacts::CONTACTS), ("maintenance", WINDOWS)] {
            lists.extend(all.keys().any(|address| address.kind() == kind).then_some(list));
        }
        let (mut in_a_row, mut needed) = (0, LEAST_IN_A_ROW);
        for pause in SETTLING {
            tokio::time::sleep(pause).await;
            if let Err(error) = self.read_lists(&lists).await {
                tracing::debug!("reading back failed: {error}");
                continue;
            }
            let Ok(reading) = self.reading() else { continue };
            let live = &reading.live.inventory;
            if all.iter().all(|(address, after)| live.get(address) == after.as_ref()) {
                in_a_row += 1;
                if in_a_row >= needed {
                    return Outcome::Applied;
                }
            } else {
                // An older copy answered, and may answer again.
                (in_a_row, needed) = (0, LEAST_IN_A_ROW + 1);
            }
        }
        tracing::warn!("UptimeRobot still shows what was so before; a plan made right now may show it too");
        Outcome::Applied
    }

    async fn examine_all(&self) -> Vec<Examination> {
        let subject = "UptimeRobot key".to_owned();
        let good = |me: &Value| {
            let plan = me
                .get("activeSubscription")
                .and_then(|paid| paid.get("plan"))
                .and_then(Value::as_str);
            let number = |key: &str| me.get(key).and_then(Value::as_u64);
            let mut detail = format!("{} plan", text::shorten(&text::sanitize(plan.unwrap_or("Free")), 40));
            if let (Some(there), Some(most)) = (number("monitorsCount"), number("monitorLimit")) {
                detail.push_str(&format!(", {there} of {most} monitors"));
            }
            detail
        };
        let me = api::get(&self.http, "user/me").await;
        vec![api::VOICE.examination(subject, me.as_ref().map(good))]
    }
}

/// A contact that was seen by its id alone.
fn by_id(address: &str) -> Option<&str> {
    let id = address.rsplit('/').next()?.strip_prefix("id-")?;
    id.bytes().all(|b| b.is_ascii_digit()).then_some(id)
}

impl Provider for UptimeRobot {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&'a self, scope: &'a Scope) -> Answer<'a, Result<Reading, ProviderError>> {
        Box::pin(self.read_all(scope))
    }

    fn adapt(&self, desired: &mut Desired, reading: &Reading) -> Review {
        quirks::adapt(desired, reading)
    }

    fn steps(&self, changes: &[Change], reading: &Reading) -> Vec<Step> {
        steps::steps(changes, reading)
    }

    fn perform<'a>(&'a self, step: &'a Step) -> Answer<'a, Outcome> {
        Box::pin(self.perform_once(step))
    }

    fn review(&self, changes: &[Change], reading: &Reading) -> Review {
        quirks::review(changes, reading, steps::steps(changes, reading).len())
    }

    fn blame(&self, step: &Step, _: &[Change], _: &ApiRefusal) -> Vec<Address> {
        // Each request carries one change.
        step.addresses.clone()
    }

    fn advice(&self, refused: &ApiRefusal) -> Option<&'static str> {
        quirks::advice(refused)
    }

    fn examine<'a>(&'a self, _: &'a Scope) -> Answer<'a, Vec<Examination>> {
        Box::pin(self.examine_all())
    }

    fn news(&self) -> News {
        News {
            words: self.with_seen(|seen| std::mem::take(&mut seen.news)),
            ..News::default()
        }
    }

    fn requests(&self) -> usize {
        self.http.sent()
    }
}
