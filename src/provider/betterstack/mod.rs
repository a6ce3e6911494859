//! Better Stack: monitors, escalation policies and outgoing webhooks over the uptime API. [`convert`] knows the JSON of
//! monitors, [`escalation`] who is told, [`account`] reads an account and knows its monitors again, [`steps`] turns
//! changes into requests, [`quirks`] knows what values there are.
//!
//! A monitor is made and then marked, in two requests: one that was made and never marked is found by what it asks, so
//! that no second one is made. What says the same however often it is sent (a mark, a change without headers) is sent
//! again after a lost answer; what is made is looked for first.

mod account;
mod api;
mod convert;
mod copy;
mod escalation;
mod quirks;
mod steps;
mod users;
mod window;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::base::secret::SecretReference;
use crate::base::text;
use crate::model::address::Address;
use crate::model::inventory::Desired;
use crate::plan::Change;
use crate::provider::checks;
use crate::provider::credential::Keeper;
use crate::provider::http::{Credential, Http};
use crate::provider::{
    Access, Answer, ApiRefusal, Examination, News, Outcome, Profile, Provider, ProviderError, Reading, Review, Scope,
    Sought, Step,
};
use account::{HEARTBEATS, METADATA, MONITORS, POLICIES};
use api::ApiError;
use convert::SECRET;
pub use copy::copy_of;
use escalation::{ID, NUMBER};

const NAME: &str = "betterstack";

/// The pauses before something is sent or looked for again.
const AGAIN: [Duration; 3] = [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2)];

/// What is known of Better Stack without asking it.
pub const PROFILE: Profile = Profile {
    capabilities: quirks::CAPABILITIES,
    base_url: "https://uptime.betterstack.com",
    base_url_variable: "BETTERSTACK_BASE_URL",
    token_variable: "BETTERSTACK_API_TOKEN",
    stand_in: true,
    token_help: "take the team's Uptime API token at betterstack.com under Settings, API tokens",
    needs_token: true,
};

/// A team at Better Stack.
pub struct BetterStack {
    http: Http,
    secrets: Keeper,
    /// The team, where the token is one of several.
    team: Option<String>,
    seen: Mutex<Seen>,
}

/// What was seen so far.
#[derive(Default)]
struct Seen {
    /// Ids by address, or by the name of a policy, of what was read and of what was made since.
    ids: BTreeMap<String, String>,
    /// What was last looked for.
    sought: Sought,
    /// What was learned and not yet told.
    news: Vec<String>,
}

impl BetterStack {
    /// Ready to ask; nothing is sent yet.
    pub fn new(access: Access) -> Result<Self, ProviderError> {
        Ok(Self {
            http: Http::new(access.base_url, Credential::Bearer(&access.token), access.timeout)?.heeding(access.stop),
            secrets: access.secrets,
            team: access.account,
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
        let secrets = self.secrets.fetch_all(sought)?;
        let returned = account::fetch(&self.http, self.team.as_deref()).await?;
        let reading = account::reading(&returned, sought, &secrets, self.team.as_deref());
        if let Some(facts) = &reading.uptime {
            let policies = account::shared(facts)
                .into_iter()
                .map(|policy| (policy.name, policy.id));
            let known = facts.ids.iter().map(|(address, id)| (address.to_string(), id.clone()));
            self.with_seen(|seen| {
                seen.sought = sought.clone();
                seen.ids.extend(known.chain(policies));
            });
        }
        Ok(reading)
    }

    async fn perform_once(&self, step: &Step) -> Outcome {
        let (path, body) = match self.filled_in(step) {
            Ok(filled) => filled,
            Err(words) => return Outcome::NotSent(words),
        };
        let is_create = step.method == "POST" && step.path != METADATA;
        let says_the_same = !is_create && body.get("request_headers").is_none();
        let mut outcome = Outcome::Unknown("nothing was sent".to_owned());
        for pause in AGAIN {
            tokio::time::sleep(pause).await;
            outcome = match api::write(&self.http, step.method, &path, &body).await {
                Ok(answer) if is_create => self.made(step, &answer),
                Ok(_) => Outcome::Applied,
                Err(ApiError::NotSent(words)) => Outcome::NotSent(words),
                Err(ApiError::Refused(refusal)) => Outcome::Refused(refusal),
                Err(ApiError::Lost(words)) => Outcome::Unknown(words),
            };
            if !matches!(outcome, Outcome::Unknown(_)) || !says_the_same {
                break;
            }
        }
        match outcome {
            Outcome::Unknown(_) if is_create && self.look_for(step).await => Outcome::Applied,
            other => other,
        }
    }

    /// What a step makes is known by: the name of a policy of several, else its address.
    fn handle(step: &Step) -> String {
        let name = step.body.get("name").and_then(Value::as_str);
        match (name, step.addresses.first()) {
            (Some(name), Some(address)) if step.path == POLICIES && address.kind() == "monitor" => name.to_owned(),
            (_, Some(address)) => address.to_string(),
            (name, None) => name.unwrap_or_default().to_owned(),
        }
    }

    fn made(&self, step: &Step, answer: &Value) -> Outcome {
        let id = answer
            .get("data")
            .and_then(|data| data.get("id"))
            .and_then(convert::id_of);
        match id {
            Some(id) => {
                let handle = Self::handle(step);
                self.with_seen(|seen| {
                    let old = seen.ids.insert(handle.clone(), id.clone());
                    if let Some(old) = old.filter(|old| *old != id) {
                        seen.news
                            .push(format!("{handle} was {old} at Better Stack and is {id} now"));
                    }
                });
                Outcome::Applied
            }
            None => Outcome::Unknown("Better Stack's answer does not say what was made".to_owned()),
        }
    }

    /// Looks for what a create may have made: a monitor by what it asks, the rest by its name. A heartbeat without a mark
    /// may be anybody's: it is the one that was not there before.
    async fn look_for(&self, step: &Step) -> bool {
        let handle = Self::handle(step);
        let (sought, before) = self.with_seen(|seen| {
            seen.ids.remove(&handle);
            (seen.sought.clone(), seen.ids.clone())
        });
        let name = step.body.get("name").and_then(Value::as_str).unwrap_or_default();
        let is_new = |(address, id): &(&String, &String)| {
            step.path == HEARTBEATS
                && **address == Address::monitor(&checks::key_beside(name, id)).to_string()
                && !before.contains_key(*address)
        };
        let scope = Scope {
            uptime: Some(sought),
            ..Scope::default()
        };
        for pause in AGAIN {
            tokio::time::sleep(pause).await;
            let is_there = |seen: &mut Seen| {
                if let Some((_, id)) = seen.ids.iter().find(is_new) {
                    let id = id.clone();
                    seen.ids.insert(handle.clone(), id);
                }
                seen.ids.contains_key(&handle)
            };
            if self.read_all(&scope).await.is_ok() && self.with_seen(is_there) {
                return true;
            }
        }
        false
    }

    /// The path and body of a step with what is known only now: ids of what was made, and what is kept elsewhere.
    fn filled_in(&self, step: &Step) -> Result<(String, Value), String> {
        let id = |place: &str| {
            let found = self.with_seen(|seen| seen.ids.get(place).cloned());
            let is_declared = self.with_seen(|seen| seen.sought.resources.keys().any(|known| known.as_str() == place));
            found
                .or_else(|| by_id(place).filter(|_| !is_declared).map(str::to_owned))
                .ok_or_else(|| format!("{place} is not there, and is needed for this"))
        };
        let mut body = step.body.clone();
        let secret = |reference: &str| {
            let reference: SecretReference = reference
                .parse()
                .map_err(|_| "a credential is kept nowhere".to_owned())?;
            let whom = step.addresses.first().ok_or("a credential is for nobody")?;
            self.secrets
                .fetch_for(&reference, whom)
                .map(|secret| Value::from(secret.expose()))
                .map_err(|error| error.message)
        };
        checks::fill(&mut body, &|key, text| match key {
            SECRET => Some(secret(text)),
            ID => Some(id(text).map(Value::from)),
            NUMBER => Some(id(text).and_then(|id| {
                let number = id.parse::<u64>().map_err(|_| format!("{text} has no usable id"))?;
                Ok(Value::from(number))
            })),
            _ => None,
        })?;
        if let (Some(team), "POST", Value::Object(fields)) = (&self.team, step.method, &mut body) {
            fields.insert("team_name".to_owned(), Value::from(team.as_str()));
        }
        Ok((step.path.clone(), body))
    }

    async fn examine_all(&self) -> Vec<Examination> {
        let subject = "Better Stack token".to_owned();
        let good = |page: &Value| {
            let last = page.pointer("/pagination/last").and_then(Value::as_str);
            let is_empty = page.get("data").and_then(Value::as_array).is_none_or(Vec::is_empty);
            let monitors = match last.and_then(api::page_of) {
                Some(_) if is_empty => Some(0),
                // One a page: as many pages as monitors.
                pages => pages.and_then(|pages| usize::try_from(pages).ok()),
            };
            let team = page.pointer("/data/0/attributes/team_name").and_then(Value::as_str);
            let mut words = vec!["it may read".to_owned()];
            words.extend(team.map(|team| format!("team {}", text::shorten(&text::sanitize(team), 40))));
            words.extend(monitors.map(|monitors| text::count(monitors, "monitor")));
            words.join(", ")
        };
        let page = api::get(&self.http, &format!("{MONITORS}?page=1&per_page=1")).await;
        vec![api::VOICE.examination(subject, page.as_ref().map(good))]
    }
}

/// The id at the end of the key of something that nobody here declared.
fn by_id(place: &str) -> Option<&str> {
    let id = place.rsplit('/').next()?.rsplit_once('-')?.1;
    (!id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())).then_some(id)
}

impl Provider for BetterStack {
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
        quirks::review(changes, reading)
    }

    fn blame(&self, step: &Step, _: &[Change], _: &ApiRefusal) -> Vec<Address> {
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
