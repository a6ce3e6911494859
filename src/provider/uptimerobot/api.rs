//! UptimeRobot's v3 endpoints: what is asked, and what an answer may look like. Knows no change and no plan. Its errors
//! come in several shapes (a list of messages, one message, a web page, plain text), so none is taken for granted.

use serde_json::Value;

use crate::base::text;
use crate::provider::ApiRefusal;
pub(super) use crate::provider::answer::ApiError;
use crate::provider::answer::{self, Voice};
use crate::provider::http::{Failure, Http, Reply};

/// Entries on a page: the most that the API gives.
const PAGE: usize = 200;
/// More pages than this are no account.
const MOST_PAGES: usize = 500;

/// How errors are told here.
pub(super) const VOICE: Voice = Voice {
    title: "UptimeRobot",
    advice: super::quirks::advice,
    silence: "nothing was changed; try again when the network holds",
};

/// Asks for one thing.
pub(super) async fn get(http: &Http, path: &str) -> Result<Value, ApiError> {
    match understand(http.get(path).await, http.host())? {
        Value::Null => Err(ApiError::Lost(format!("{} answered with nothing", http.host()))),
        value => Ok(value),
    }
}

/// Makes one write. The answer to a deletion is empty.
pub(super) async fn write(http: &Http, method: &str, path: &str, body: &Value) -> Result<Value, ApiError> {
    understand(http.write(&answer::method(method)?, path, body).await, http.host())
}

/// A whole list, page by page. The next page is asked for by the cursor in its link and never by the link itself: that
/// could lead to another host.
pub(super) async fn list(http: &Http, path: &str, filter: &str) -> Result<Vec<Value>, ApiError> {
    let mut all = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let after = cursor
            .as_ref()
            .map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let page = get(http, &format!("{path}?limit={PAGE}{filter}{after}")).await?;
        let Some(entries) = page.get("data").and_then(Value::as_array) else {
            return Err(ApiError::Lost(format!("{} answered without a list", http.host())));
        };
        all.extend(entries.iter().cloned());
        // On the last page the link is null or not there; a full page has one even when nothing follows.
        let next = match page.get("nextLink").and_then(Value::as_str) {
            Some(link) if !entries.is_empty() => cursor_of(link),
            _ => return Ok(all),
        };
        match next {
            Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
            _ => {
                let words = format!("{} names a next page that cannot be asked for", http.host());
                return Err(ApiError::Lost(words));
            }
        }
    }
    Err(ApiError::Lost(format!("{} has no end to its list", http.host())))
}

fn cursor_of(link: &str) -> Option<String> {
    let url = url::Url::parse(link).ok()?;
    let (_, cursor) = url.query_pairs().find(|(key, _)| key == "cursor")?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (!cursor.is_empty() && cursor.len() <= 100 && cursor.chars().all(is_plain)).then(|| cursor.into_owned())
}

fn understand(outcome: Result<Reply, Failure>, host: &str) -> Result<Value, ApiError> {
    let reply = answer::arrived(outcome, host)?;
    let status = reply.status;
    let is_blank = reply.body.iter().all(u8::is_ascii_whitespace);
    let parsed: Option<Value> = serde_json::from_slice(&reply.body).ok();
    if (200..300).contains(&status) {
        return match parsed {
            Some(value @ (Value::Object(_) | Value::Array(_))) => Ok(value),
            _ if is_blank => Ok(Value::Null),
            _ => Err(ApiError::Lost(format!("{host} answered {status} with no JSON"))),
        };
    }
    let refusal = refusal(status, parsed.as_ref(), &reply.body);
    Err(answer::not_good(refusal, host))
}

/// The code and the message of a refusal: `message` is one text or a list of them, or the body is no JSON at all.
fn refusal(status: u16, parsed: Option<&Value>, body: &[u8]) -> ApiRefusal {
    let field = |key: &str| parsed.and_then(|value| value.get(key));
    let code = match field("code") {
        Some(Value::String(code)) => text::shorten(&text::sanitize(code), 40),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let message = match field("message") {
        Some(Value::String(message)) => message.clone(),
        Some(Value::Array(all)) => {
            let texts: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            texts.join("; ")
        }
        _ => answer::beginning(body),
    };
    let message = answer::shown(&message);
    ApiRefusal { status, code, message }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<Value, ApiError> {
        let body = body.as_bytes().to_vec();
        understand(Ok(Reply { status, body }), "api.example")
    }

    #[test]
    fn every_shape_of_an_error_is_understood() {
        for (status, body, code, words) in [
            (
                401,
                r#"{"message":"Invalid token.","code":"003-005"}"#,
                "003-005",
                "Invalid token.",
            ),
            (
                400,
                r#"{"message":["a","b"],"error":"Bad Request","statusCode":400}"#,
                "",
                "a; b",
            ),
            (
                404,
                r#"{"message":"Cannot GET /v3/x","error":"Not Found","statusCode":404}"#,
                "",
                "Cannot GET",
            ),
            (403, "<html>blocked\u{1b}[31m</html>", "", "blocked\\u{1b}"),
            (409, "", "", "no reason given"),
        ] {
            let Err(ApiError::Refused(refusal)) = answer(status, body) else {
                panic!("{body}")
            };
            assert_eq!(refusal.code, code);
            assert!(refusal.message.contains(words), "{refusal}");
        }
        assert!(matches!(
            answer(429, "ThrottlerException: Too Many Requests"),
            Err(ApiError::NotSent(_))
        ));
        for (status, body) in [
            (500, "{}"),
            (502, "<html>"),
            (200, "<html>"),
            (200, "{\"id\":"),
            (408, "{}"),
        ] {
            assert!(
                matches!(answer(status, body), Err(ApiError::Lost(_))),
                "{status} {body}"
            );
        }
        assert_eq!(answer(200, ""), Ok(Value::Null));
    }

    #[test]
    fn of_a_link_only_the_cursor_is_taken() {
        let link = "https://elsewhere.example/v3/monitors/?limit=1&cursor=803767164";
        assert_eq!(cursor_of(link).as_deref(), Some("803767164"));
        for bad in [
            "",
            "nonsense",
            "https://x.example/?cursor=",
            "https://x.example/?cursor=a%26limit%3D1",
        ] {
            assert_eq!(cursor_of(bad), None, "{bad}");
        }
    }
}
