//! Cloudflare's v4 endpoints and their envelope: what is asked, and what an answer may look like. Knows no change and
//! no plan. Every answer is checked for shape before anything in it is used.

use serde_json::Value;

use crate::base::text;
use crate::provider::ApiRefusal;
pub(super) use crate::provider::answer::ApiError;
use crate::provider::answer::{self, Voice};
use crate::provider::http::{Failure, Http, Reply};

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

/// How errors are told here.
pub(super) const VOICE: Voice = Voice {
    title: "Cloudflare",
    advice: super::quirks::advice,
    silence: "nothing was changed; try again when the network holds",
};

/// Whether the API says that there is no such thing, or none that this token may see.
pub(super) fn is_out_of_reach(error: &ApiError) -> bool {
    matches!(error, ApiError::Refused(refusal) if matches!(refusal.status, 400 | 403 | 404))
}

/// Asks and waits for an answer with a result.
pub(super) async fn get(http: &Http, path: &str) -> Result<Answered, ApiError> {
    understand(http.get(path).await, http.host())
}

/// Makes one write and waits for its answer.
pub(super) async fn write(http: &Http, method: &str, path: &str, body: &Value) -> Result<Answered, ApiError> {
    understand(http.write(&answer::method(method)?, path, body).await, http.host())
}

fn understand(outcome: Result<Reply, Failure>, host: &str) -> Result<Answered, ApiError> {
    let reply = answer::arrived(outcome, host)?;
    let status = reply.status;
    let parsed: Option<Value> = serde_json::from_slice(&reply.body).ok().filter(Value::is_object);
    let Some(envelope) = parsed else {
        let words = format!("{host} answered {status} with {} instead of JSON", kind_of(&reply.body));
        // A refusal in another tongue is still one: some gate before the API. Anything else may have gone through.
        return Err(if answer::is_refusal(status) {
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
    // An envelope that says «no» under a good status says it all the same.
    if success == Some(false) && status < 400 {
        return Err(ApiError::Refused(refusal));
    }
    Err(answer::not_good(refusal, host))
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
    let mut message = answer::shown(message);
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
