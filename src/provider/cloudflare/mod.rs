//! Cloudflare: zones and what they hold over the v4 API. [`records`] reads a zone, [`convert`] knows the JSON of a
//! record and [`batch`] turns changes of records into requests; [`rules`] and [`settings`] do the same for their kinds,
//! with [`expression`] for the language of rules; [`quirks`] and [`guards`] know what plans allow, what error codes mean
//! and what hurts.

mod api;
mod batch;
mod convert;
mod doctor;
mod edge;
mod expression;
mod guards;
mod page_rules;
mod quirks;
mod records;
mod redirect_lists;
mod rule_convert;
mod rules;
mod setting_forms;
mod settings;
mod zone;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::try_join_all;
use serde_json::Value;

use crate::base::text;
use crate::model::address::Address;
use crate::model::name::DomainName;
use crate::model::record_set::RecordSet;
use crate::model::redirect_list::RedirectList;
use crate::model::rule::{Rule, RuleKind};
use crate::model::setting::Setting;
use crate::plan::Change;
use crate::provider::http::{Credential, Http};
use crate::provider::{
    Access, Answer, ApiRefusal, Assigned, Examination, News, Outcome, Profile, Provider, ProviderError, Reading,
    Review, Scope, Stage, Step, ZoneFacts, again,
};
use api::ApiError;

const NAME: &str = "cloudflare";

/// What is known of Cloudflare without asking it.
pub const PROFILE: Profile = Profile {
    capabilities: quirks::CAPABILITIES,
    base_url: "https://api.cloudflare.com/client/v4",
    base_url_variable: "CLOUDFLARE_BASE_URL",
    token_variable: "CLOUDFLARE_API_TOKEN",
    token_help: "create a token at dash.cloudflare.com under My Profile > API Tokens, with Zone > Zone > Read and \
                 Zone > DNS > Edit for the zones of the spec",
    stand_in: true,
    needs_token: true,
};

/// An account at Cloudflare, as one token sees it.
#[derive(Debug)]
pub struct Cloudflare {
    http: Http,
    account: Option<String>,
    /// Zones made a moment ago, by their names: their ids were not known when the steps were.
    made: Mutex<BTreeMap<DomainName, String>>,
    /// What is for somebody to act on.
    news: Mutex<Vec<String>>,
    /// Held by whoever changes what belongs to the account and to no zone.
    account_turn: tokio::sync::Mutex<()>,
    /// The lists of redirects that are asked, by the accounts that were looked at.
    asked_lists: tokio::sync::Mutex<BTreeMap<String, Vec<redirect_lists::Asked>>>,
}

/// How the path of a step begins whose zone was not there when it was planned.
const UNMADE: &str = "zones/@/";

/// A zone's part of a path.
fn zone_path(facts: &ZoneFacts) -> &str {
    match facts.id.as_str() {
        "" => "@",
        id => id,
    }
}

impl Cloudflare {
    /// Ready to ask; nothing is sent yet.
    pub fn new(access: Access) -> Result<Self, ProviderError> {
        let http = Http::new(access.base_url, Credential::Bearer(&access.token), access.timeout)?.heeding(access.stop);
        Ok(Self {
            http,
            account: access.account,
            made: Mutex::new(BTreeMap::new()),
            news: Mutex::new(Vec::new()),
            account_turn: tokio::sync::Mutex::new(()),
            asked_lists: tokio::sync::Mutex::default(),
        })
    }

    async fn read_all(&self, scope: &Scope) -> Result<Reading, ProviderError> {
        let zones = scope.zones.iter().map(|zone| records::read_zone(self, zone, scope));
        let mut whole = Reading::default();
        for reading in try_join_all(zones).await? {
            whole.absorb(reading);
        }
        again::recognise(&mut whole, &scope.known);
        Ok(whole)
    }

    async fn perform_once(&self, step: &Step) -> Outcome {
        if redirect_lists::is_for(step) {
            return redirect_lists::perform(self, step).await;
        }
        let path = match self.path(step, &step.path).await {
            Ok(path) => path,
            Err(words) => return Outcome::NotSent(words),
        };
        if let Some(check) = &step.check {
            match self.path(step, &check.path).await {
                Ok(path) => {
                    if let Some(outcome) = rules::look(self, check, &path).await {
                        return outcome;
                    }
                }
                Err(words) => return Outcome::NotSent(words),
            }
        }
        match api::write(&self.http, step.method, &path, &step.body).await {
            Ok(answer) => match fits(&step.body, &answer.result) {
                Ok(()) => {
                    self.learn(step, &answer.result);
                    Outcome::Applied
                }
                Err(odd) => Outcome::Unknown(odd),
            },
            Err(ApiError::Refused(refusal)) => Outcome::Refused(refusal),
            Err(ApiError::NotSent(words)) => Outcome::NotSent(words),
            Err(ApiError::Lost(words)) => Outcome::Unknown(words),
        }
    }

    /// A path with the id of a zone that was made in between.
    async fn path(&self, step: &Step, path: &str) -> Result<String, String> {
        let Some(rest) = path.strip_prefix(UNMADE) else {
            return Ok(path.to_owned());
        };
        let zone = step.zone().ok_or("this request is for no zone")?;
        let known = lock(&self.made).get(zone).cloned();
        let id = match known {
            Some(id) => id,
            // Made, and its answer lost: the name finds it.
            None => {
                let found = records::find_zone(self, zone).await;
                let id = found.map_err(|error| error.message)?.id;
                lock(&self.made).insert(zone.clone(), id.clone());
                id
            }
        };
        Ok(format!("zones/{id}/{rest}"))
    }

    /// What an answer says that somebody has to act on.
    fn learn(&self, step: &Step, result: &Value) {
        let Some(zone) = step.zone() else { return };
        if step.stage == Stage::Zone {
            let id = result.get("id").and_then(Value::as_str);
            if let Some(id) = id.filter(|id| convert::is_identifier(id)) {
                lock(&self.made).insert(zone.clone(), id.to_owned());
            }
            let servers = zone::name_servers(result);
            if !servers.is_empty() {
                let words = format!(
                    "set these name servers for {zone} at its registrar: {}",
                    text::list(&servers)
                );
                lock(&self.news).push(words);
            }
        } else if step.path.ends_with("/dnssec")
            && let Some(ds) = settings::ds(result)
        {
            lock(&self.news).push(format!("give this DS record to the registrar of {zone}: {zone} {ds}"));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether an answer speaks of as many records or rules as were sent.
fn fits(body: &Value, result: &Value) -> Result<(), String> {
    let length = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).map_or(0, Vec::len);
    for key in ["deletes", "patches", "posts"] {
        let (sent, answered) = (length(body, key), length(result, key));
        if sent != answered {
            return Err(format!(
                "Cloudflare's answer speaks of {answered} {key}, {sent} were sent"
            ));
        }
    }
    // A list of rules comes back whole.
    if body.get("rules").is_some() && length(body, "rules") != length(result, "rules") {
        return Err(format!(
            "Cloudflare's answer speaks of {} rules, {} were sent",
            length(result, "rules"),
            length(body, "rules")
        ));
    }
    Ok(())
}

/// An identifier from a spec, as one segment of a path.
fn segment(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .collect()
}

impl Provider for Cloudflare {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&'a self, scope: &'a Scope) -> Answer<'a, Result<Reading, ProviderError>> {
        Box::pin(self.read_all(scope))
    }

    fn zones(&self) -> Answer<'_, Result<Vec<DomainName>, ProviderError>> {
        Box::pin(records::all_zones(self))
    }

    fn steps(&self, changes: &[Change], reading: &Reading) -> Vec<Step> {
        let mut steps = zone::steps(changes, reading);
        steps.extend(batch::steps(changes, reading));
        steps.extend(settings::steps(changes, reading));
        steps.extend(rules::steps(changes, reading));
        steps.extend(redirect_lists::steps(changes, reading));
        steps
    }

    fn perform<'a>(&'a self, step: &'a Step) -> Answer<'a, Outcome> {
        Box::pin(self.perform_once(step))
    }

    fn review(&self, changes: &[Change], reading: &Reading) -> Review {
        quirks::review(changes, reading)
    }

    fn blame(&self, step: &Step, changes: &[Change], refused: &ApiRefusal) -> Vec<Address> {
        quirks::blame(step, changes, refused)
    }

    fn advice(&self, refused: &ApiRefusal) -> Option<&'static str> {
        quirks::advice(refused)
    }

    fn examine<'a>(&'a self, scope: &'a Scope) -> Answer<'a, Vec<Examination>> {
        Box::pin(doctor::examine(self, scope))
    }

    fn assigned<'a>(&'a self, zones: &'a [DomainName]) -> Answer<'a, BTreeMap<DomainName, Assigned>> {
        Box::pin(doctor::assigned(self, zones))
    }

    fn try_out<'a>(&'a self, steps: &'a [Step]) -> Answer<'a, Review> {
        Box::pin(rules::try_out(self, steps))
    }

    fn news(&self) -> News {
        News {
            words: std::mem::take(&mut *lock(&self.news)),
            made: lock(&self.made).clone(),
        }
    }

    fn requests(&self) -> usize {
        self.http.sent()
    }
}

/// The records of a set in Cloudflare's own JSON, as they would be posted.
pub fn wire_records(set: &RecordSet) -> Vec<Value> {
    set.records
        .iter()
        .map(|record| Value::Object(convert::to_wire(&set.name, record)))
        .collect()
}

/// A setting's value in Cloudflare's own JSON; nothing for what is no setting there.
pub fn wire_setting(setting: &Setting) -> Option<Value> {
    settings::wire(setting)
}

/// A list of rules in Cloudflare's own JSON, as it would be put, with the phase in which it is kept.
pub fn wire_rules(kind: RuleKind, rules: &[&Rule]) -> (&'static str, Value) {
    let rules = rules.iter().map(|rule| rule_convert::to_wire(rule, None)).collect();
    (rule_convert::phase(kind), Value::Array(rules))
}

/// The phase in which the rules of an account ask its lists of redirects.
pub const LIST_PHASE: &str = redirect_lists::PHASE;

/// A list of redirects in Cloudflare's own JSON: its name, its rows, and the rule that asks it, if one does.
pub fn wire_redirect_list(list: &RedirectList) -> (String, Value, Option<Value>) {
    redirect_lists::wire(list)
}
