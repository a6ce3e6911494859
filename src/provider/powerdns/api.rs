//! The Authoritative Server's HTTP API: what is asked, and what an answer may look like. There is no envelope: success
//! is a status, a refusal is `{"error": …}`. Knows no change.

use serde_json::Value;

use crate::base::secret::scrub;
use crate::base::text;
use crate::provider::http::{Failure, Http, Reply};
use crate::provider::{ApiRefusal, ProviderError};

/// The longest message of a server that is repeated, in characters.
const MESSAGE: usize = 400;

/// Why there is no good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ApiError {
    /// The server refused in its own words.
    Refused(ApiRefusal),
    /// Nothing was sent.
    NotSent(String),
    /// No answer, or none that can be relied on.
    Lost(String),
}

impl ApiError {
    /// What the other side said, in one line.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.to_string(),
            Self::NotSent(words) | Self::Lost(words) => words.clone(),
        }
    }

    /// Whether the server has no such thing.
    pub(super) fn is_not_there(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == 404)
    }

    /// The error of a read: what was being done, what was said, what to do.
    pub(super) fn while_reading(&self, what: &str) -> ProviderError {
        let code = match self {
            Self::Refused(refusal) if matches!(refusal.status, 401 | 403) => "forbidden",
            Self::Refused(_) => "refused",
            Self::NotSent(_) | Self::Lost(_) => "no-answer",
        };
        let error = ProviderError::new(code, format!("could not read {what} at PowerDNS: {}", self.words()));
        match self {
            Self::Refused(refusal) => match super::quirks::advice(refusal) {
                Some(advice) => error.help(advice),
                None => error,
            },
            Self::NotSent(_) | Self::Lost(_) => {
                error.help("nothing was changed; is the server up, with `api=yes` and `webserver=yes`?")
            }
        }
    }
}

/// Asks and waits for JSON.
pub(super) async fn get(http: &Http, path: &str) -> Result<Value, ApiError> {
    let body = understand(http.get(path).await, http.host())?;
    serde_json::from_slice(&body)
        .map_err(|_| ApiError::Lost(format!("{} answered with something cut off or garbled", http.host())))
}

/// Makes one write and waits for it to be answered.
pub(super) async fn write(http: &Http, method: &str, path: &str, body: &Value) -> Result<(), ApiError> {
    let method = reqwest::Method::from_bytes(method.as_bytes())
        .map_err(|_| ApiError::NotSent(format!("`{method}` is no HTTP method")))?;
    understand(http.write(&method, path, body).await, http.host()).map(drop)
}

/// Makes one write once, whatever comes: for one who looks again before every attempt.
pub(super) async fn write_once(http: &Http, method: &str, path: &str, body: &Value) -> Result<(), ApiError> {
    let method = reqwest::Method::from_bytes(method.as_bytes())
        .map_err(|_| ApiError::NotSent(format!("`{method}` is no HTTP method")))?;
    understand(http.write_once(&method, path, body).await, http.host()).map(drop)
}

fn understand(outcome: Result<Reply, Failure>, host: &str) -> Result<Vec<u8>, ApiError> {
    let reply = match outcome {
        Ok(reply) => reply,
        Err(Failure::NotSent(words)) => return Err(ApiError::NotSent(words)),
        Err(Failure::Lost(words)) => return Err(ApiError::Lost(words)),
    };
    match reply.status {
        200..=299 => Ok(reply.body),
        429 => Err(ApiError::NotSent(format!(
            "{host} refuses further requests for now (429); nothing was done"
        ))),
        status @ 400..=499 if status != 408 => Err(ApiError::Refused(refusal(status, &reply.body))),
        status => Err(ApiError::Lost(format!(
            "{host} answered {}",
            refusal(status, &reply.body)
        ))),
    }
}

fn refusal(status: u16, body: &[u8]) -> ApiRefusal {
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let said = parsed
        .as_ref()
        .and_then(|value| value.get("error"))
        .and_then(Value::as_str);
    let message = match (said, status) {
        (Some(said), _) => said,
        (None, 401) => "the API key is not accepted",
        (None, _) => "no reason given",
    };
    ApiRefusal {
        status,
        code: String::new(),
        message: text::shorten(&scrub(&text::sanitize(message)), MESSAGE),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<Vec<u8>, ApiError> {
        let body = body.as_bytes().to_vec();
        understand(Ok(Reply { status, body }), "dns.example")
    }

    #[test]
    fn a_refusal_is_told_in_the_servers_words_made_safe() {
        let body = r#"{"error":"RRset www.acme.example. IN CNAME: Conflicts\u001b[31m with pre-existing RRset"}"#;
        let Err(ApiError::Refused(refusal)) = answer(422, body) else {
            panic!("refused")
        };
        assert!(refusal.message.contains("\\u{1b}[31m with"), "{refusal}");
        assert!(
            matches!(answer(401, "Unauthorized"), Err(ApiError::Refused(refusal)) if refusal.message.contains("key"))
        );
    }

    #[test]
    fn what_may_have_gone_through_is_lost_and_not_refused() {
        for (status, body) in [(500, r#"{"error":"x"}"#), (502, "<html>"), (302, ""), (408, "")] {
            assert!(
                matches!(answer(status, body), Err(ApiError::Lost(_))),
                "{status} {body}"
            );
        }
        assert_eq!(answer(204, "").unwrap(), Vec::<u8>::new());
    }
}
