//! Cloudflare's v4 endpoints and their envelope: what is asked, and what an answer may look like. Knows no change and
//! no plan. Every answer is checked for shape before anything in it is used.

use serde_json::Value;

use crate::base::secret::scrub;
use crate::base::text;
use crate::provider::http::{Failure, Http, Reply};
use crate::provider::{ApiRefusal, ProviderError};

/// An answer that the API gave on purpose.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answered {
    /// What was asked for.
    pub result: Value,
    /// Paging, for lists.
    pub info: Option<PageInfo>,
    /// Where the next page begins, for lists that tell it so.
    pub after: Option<String>,
}

/// Where in a list an answer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageInfo {
    /// How many pages there are.
    pub total_pages: usize,
    /// How many entries there are on all of them.
    pub total_count: usize,
}

/// Why there is no such answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ApiError {
    /// The API refused in its own words.
    Refused(ApiRefusal),
    /// Nothing was sent.
    NotSent(String),
    /// No answer, or none that can be relied on.
    Lost(String),
}

/// The longest message of a provider that is repeated, in characters.
const MESSAGE: usize = 400;

impl ApiError {
    /// Whether the API says that there is no such thing, or none that this token may see.
    pub(super) fn is_out_of_reach(&self) -> bool {
        matches!(self, Self::Refused(refusal) if matches!(refusal.status, 400 | 403 | 404))
    }

    /// Whether the API refused the credential or what it may do.
    pub(super) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused(refusal) if matches!(refusal.status, 401 | 403))
    }

    /// What the other side said, in one line.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.to_string(),
            Self::NotSent(words) | Self::Lost(words) => words.clone(),
        }
    }

    /// The error of a read: what was being done, what was said, what to do.
    pub(super) fn while_reading(&self, what: &str) -> ProviderError {
        let code = match self {
            Self::Refused(_) if self.is_forbidden() => "forbidden",
            Self::Refused(_) => "refused",
            Self::NotSent(_) | Self::Lost(_) => "no-answer",
        };
        let error = ProviderError::new(code, format!("could not read {what} at Cloudflare: {}", self.words()));
        match self {
            Self::Refused(refusal) => match super::quirks::advice(refusal) {
                Some(advice) => error.help(advice),
                None => error,
            },
            Self::NotSent(_) | Self::Lost(_) => error.help("nothing was changed; try again when the network holds"),
        }
    }
}

/// Asks and waits for an answer with a result.
pub(super) async fn get(http: &Http, path: &str) -> Result<Answered, ApiError> {
    understand(http.get(path).await, http.host())
}

/// Makes one write and waits for its answer.
pub(super) async fn write(http: &Http, method: &str, path: &str, body: &Value) -> Result<Answered, ApiError> {
    let method = reqwest::Method::from_bytes(method.as_bytes())
        .map_err(|_| ApiError::NotSent(format!("`{method}` is no HTTP method")))?;
    understand(http.write(&method, path, body).await, http.host())
}

fn understand(outcome: Result<Reply, Failure>, host: &str) -> Result<Answered, ApiError> {
    let reply = match outcome {
        Ok(reply) => reply,
        Err(Failure::NotSent(words)) => return Err(ApiError::NotSent(words)),
        Err(Failure::Lost(words)) => return Err(ApiError::Lost(words)),
    };
    let status = reply.status;
    if status == 429 {
        let words = format!("{host} refuses further requests for now (429); nothing was done");
        return Err(ApiError::NotSent(words));
    }
    let parsed: Option<Value> = serde_json::from_slice(&reply.body).ok().filter(Value::is_object);
    let Some(envelope) = parsed else {
        let words = format!("{host} answered {status} with {} instead of JSON", kind_of(&reply.body));
        // A refusal in another tongue is still one: some gate before the API. Anything else may have gone through.
        return Err(if (400..500).contains(&status) && status != 408 {
            ApiError::Refused(ApiRefusal {
                status,
                code: String::new(),
                message: words,
            })
        } else {
            ApiError::Lost(words)
        });
    };
    let success = envelope.get("success").and_then(Value::as_bool);
    if success == Some(true) && (200..300).contains(&status) {
        let info = page_info(&envelope);
        let result = envelope.get("result").cloned().unwrap_or(Value::Null);
        let after = envelope.pointer("/result_info/cursors/after").and_then(Value::as_str);
        return Ok(Answered {
            result,
            info,
            after: after.filter(|after| !after.is_empty()).map(str::to_owned),
        });
    }
    let refusal = refusal(status, &envelope);
    if (400..500).contains(&status) && status != 408 || (success == Some(false) && status < 400) {
        return Err(ApiError::Refused(refusal));
    }
    Err(ApiError::Lost(format!("{host} answered {refusal}")))
}

fn kind_of(body: &[u8]) -> &'static str {
    let start: Vec<u8> = body
        .iter()
        .copied()
        .skip_while(u8::is_ascii_whitespace)
        .take(1)
        .collect();
    match start.first() {
        None => "nothing",
        Some(b'<') => "a web page",
        Some(b'{' | b'[') => "something cut off or garbled",
        Some(_) => "something else",
    }
}

fn page_info(envelope: &Value) -> Option<PageInfo> {
    let info = envelope.get("result_info")?;
    let number = |key: &str| {
        info.get(key)
            .and_then(Value::as_u64)
            .and_then(|number| usize::try_from(number).ok())
    };
    Some(PageInfo {
        total_pages: number("total_pages")?,
        total_count: number("total_count")?,
    })
}

/// The cause of a refusal. Older services hide it at the end of `error_chain`; the first error is the one that counts.
fn refusal(status: u16, envelope: &Value) -> ApiRefusal {
    let first = envelope
        .get("errors")
        .and_then(Value::as_array)
        .and_then(|errors| errors.first());
    let mut deepest = first;
    let mut depth = 0;
    while let Some(next) = deepest
        .and_then(|error| error.get("error_chain"))
        .and_then(Value::as_array)
        .and_then(|chain| chain.first())
    {
        deepest = Some(next);
        depth += 1;
        if depth == 8 {
            break;
        }
    }
    let code = match deepest.and_then(|error| error.get("code")) {
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(code)) => text::shorten(&text::sanitize(code), 40),
        _ => String::new(),
    };
    let message = deepest
        .and_then(|error| error.get("message"))
        .and_then(Value::as_str)
        .unwrap_or("no reason given");
    let mut message = text::shorten(&scrub(&text::sanitize(message)), MESSAGE);
    // Rulesets tell which part of what was sent is meant, as a JSON pointer.
    if let Some(pointer) = deepest
        .and_then(|error| error.pointer("/source/pointer"))
        .and_then(Value::as_str)
    {
        message.push_str(&format!(" (at {})", text::shorten(&text::sanitize(pointer), 120)));
    }
    ApiRefusal { status, code, message }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<Answered, ApiError> {
        understand(
            Ok(Reply {
                status,
                body: body.as_bytes().to_vec(),
            }),
            "api.example",
        )
    }

    #[test]
    fn the_deepest_cause_is_the_one_that_is_told() {
        let body = r#"{"success":false,"errors":[{"code":6003,"message":"Invalid request headers",
            "error_chain":[{"code":6111,"message":"Invalid format for Authorization header"}]}]}"#;
        let Err(ApiError::Refused(refusal)) = answer(400, body) else {
            panic!("refused")
        };
        assert_eq!((refusal.code.as_str(), refusal.status), ("6111", 400));
        assert!(refusal.message.contains("Authorization"));
    }

    #[test]
    fn what_may_have_gone_through_is_lost_and_not_refused() {
        for (status, body) in [
            (502, "<html>Bad gateway</html>"),
            (200, "<html>maintenance</html>"),
            (200, r#"{"success":true,"resu"#),
            (200, ""),
            (500, r#"{"success":false,"errors":[{"code":1,"message":"x"}]}"#),
            (408, r#"{"success":false,"errors":[]}"#),
            (200, "[1,2]"),
        ] {
            assert!(
                matches!(answer(status, body), Err(ApiError::Lost(_))),
                "{status} {body}"
            );
        }
        assert!(matches!(answer(403, "<html>blocked</html>"), Err(ApiError::Refused(_))));
        assert!(matches!(answer(429, "{}"), Err(ApiError::NotSent(_))));
    }

    #[test]
    fn messages_from_outside_are_made_safe() {
        let body = r#"{"success":false,"errors":[{"message":"a\u001b[31mb"}]}"#;
        let Err(ApiError::Refused(refusal)) = answer(400, body) else {
            panic!("refused")
        };
        assert_eq!((refusal.code.as_str(), refusal.message.as_str()), ("", "a\\u{1b}[31mb"));
    }
}
