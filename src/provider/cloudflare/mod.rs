//! Cloudflare: zones and their DNS records over the v4 API. [`convert`] knows the JSON of a record, [`records`] reads a
//! zone, [`batch`] turns changes into requests, [`quirks`] knows what plans allow and what error codes mean.

mod api;
mod batch;
mod convert;
mod doctor;
mod quirks;
mod records;

use futures_util::future::try_join_all;
use serde_json::Value;

use crate::model::address::Address;
use crate::model::record_set::RecordSet;
use crate::plan::Change;
use crate::provider::http::Http;
use crate::provider::{
    Access, Answer, ApiRefusal, Examination, Outcome, Profile, Provider, ProviderError, Reading, Review, Scope, Step,
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
};

/// An account at Cloudflare, as one token sees it.
#[derive(Debug)]
pub struct Cloudflare {
    http: Http,
    account: Option<String>,
}

impl Cloudflare {
    /// Ready to ask; nothing is sent yet.
    pub fn new(access: Access) -> Result<Self, ProviderError> {
        let http = Http::new(access.base_url, &access.token, access.timeout)?;
        Ok(Self {
            http,
            account: access.account,
        })
    }

    async fn read_all(&self, scope: &Scope) -> Result<Reading, ProviderError> {
        let zones = scope.zones.iter().map(|zone| {
            let known = scope.known_ids.get(zone).map(String::as_str);
            records::read_zone(self, zone, known)
        });
        let mut whole = Reading::default();
        for reading in try_join_all(zones).await? {
            whole.absorb(reading);
        }
        Ok(whole)
    }

    async fn perform_once(&self, step: &Step) -> Outcome {
        match api::write(&self.http, step.method, &step.path, &step.body).await {
            Ok(answer) => match fits(&step.body, &answer.result) {
                Ok(()) => Outcome::Applied,
                Err(odd) => Outcome::Unknown(odd),
            },
            Err(ApiError::Refused(refusal)) => Outcome::Refused(refusal),
            Err(ApiError::NotSent(words)) => Outcome::NotSent(words),
            Err(ApiError::Lost(words)) => Outcome::Unknown(words),
        }
    }
}

/// Whether an answer to a batch speaks of as many records as were sent.
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

    fn steps(&self, changes: &[Change], reading: &Reading) -> Vec<Step> {
        batch::steps(changes, reading)
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
