//! The Authoritative Server's HTTP API: what is asked, and what an answer may look like. There is no envelope: success
//! is a status, a refusal is `{"error": …}`. Knows no change.

use serde_json::Value;

use crate::provider::ApiRefusal;
pub(super) use crate::provider::answer::ApiError;
use crate::provider::answer::{self, Voice};
use crate::provider::http::{Failure, Http, Reply};

/// How errors are told here.
pub(super) const VOICE: Voice = Voice {
    title: "PowerDNS",
    advice: super::quirks::advice,
    silence: "nothing was changed; is the server up, with `api=yes` and `webserver=yes`?",
};

/// Asks and waits for JSON.
pub(super) async fn get(http: &Http, path: &str) -> Result<Value, ApiError> {
    let body = understand(http.get(path).await, http.host())?;
    serde_json::from_slice(&body)
        .map_err(|_| ApiError::Lost(format!("{} answered with something cut off or garbled", http.host())))
}

/// Makes one write and waits for it to be answered.
pub(super) async fn write(http: &Http, method: &str, path: &str, body: &Value) -> Result<(), ApiError> {
    understand(http.write(&answer::method(method)?, path, body).await, http.host()).map(drop)
}

/// Makes one write once, whatever comes: for one who looks again before every attempt.
pub(super) async fn write_once(http: &Http, method: &str, path: &str, body: &Value) -> Result<(), ApiError> {
    understand(http.write_once(&answer::method(method)?, path, body).await, http.host()).map(drop)
}

fn understand(outcome: Result<Reply, Failure>, host: &str) -> Result<Vec<u8>, ApiError> {
    let reply = answer::arrived(outcome, host)?;
    match reply.status {
        200..=299 => Ok(reply.body),
        status => Err(answer::not_good(refusal(status, &reply.body), host)),
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
        message: answer::shown(message),
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
