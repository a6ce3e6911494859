//! Better Stack's uptime endpoints: what is asked, and what an answer may look like. Knows no change and no plan. `errors`
//! is a text, or an object of fields that may be empty, or there is no JSON at all: none is taken for granted (facts B1).

use serde_json::{Map, Value};

use crate::provider::ApiRefusal;
pub(super) use crate::provider::answer::ApiError;
use crate::provider::answer::{self, Voice};
use crate::provider::http::{Failure, Http, Reply};

/// Entries on a page: the most that the API gives.
const PAGE: usize = 250;
/// More pages than this are no account.
const MOST_PAGES: usize = 500;

/// How errors are told here.
pub(super) const VOICE: Voice = Voice {
    title: "Better Stack",
    advice: super::quirks::advice,
    silence: "nothing was changed; try again when the network holds",
};

/// A list, with what the service includes beside it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Listed {
    pub entries: Vec<Value>,
    pub included: Vec<Value>,
}

/// Asks for one page.
pub(super) async fn get(http: &Http, path: &str) -> Result<Value, ApiError> {
    match understand(http.get(path).await, http.host(), &Value::Null)? {
        Value::Null => Err(ApiError::Lost(format!("{} answered with nothing", http.host()))),
        value => Ok(value),
    }
}

/// Makes one write. The answer to a deletion is empty.
pub(super) async fn write(http: &Http, method: &str, path: &str, body: &Value) -> Result<Value, ApiError> {
    understand(
        http.write(&answer::method(method)?, path, body).await,
        http.host(),
        body,
    )
}

/// A whole list, page by page. Of the link to the next page nothing is taken but its number: the link itself may lead to
/// another host, which is not to see the token.
pub(super) async fn list(http: &Http, path: &str, filter: &str) -> Result<Listed, ApiError> {
    let mut all = Listed::default();
    let mut page = 1;
    for _ in 0..MOST_PAGES {
        let answer = get(http, &format!("{path}?page={page}&per_page={PAGE}{filter}")).await?;
        let entries = answer.get("data").and_then(Value::as_array);
        let (Some(entries), Some(pages)) = (entries, answer.get("pagination")) else {
            return Err(ApiError::Lost(format!("{} answered without a list", http.host())));
        };
        all.entries.extend(entries.iter().cloned());
        let included = answer.get("included").and_then(Value::as_array);
        all.included.extend(included.into_iter().flatten().cloned());
        let Some(link) = pages.get("next").and_then(Value::as_str) else {
            return Ok(all);
        };
        page = page_of(link).filter(|next| *next > page).ok_or_else(|| {
            let words = format!("{} names a next page that cannot be asked for", http.host());
            ApiError::Lost(words)
        })?;
    }
    Err(ApiError::Lost(format!("{} has no end to its list", http.host())))
}

/// The number in a link to a page.
pub(super) fn page_of(link: &str) -> Option<u32> {
    let (_, query) = link.split_once('?')?;
    let mut parts = url::form_urlencoded::parse(query.as_bytes());
    parts
        .find(|(key, _)| key == "page")
        .and_then(|(_, page)| page.parse().ok())
}

fn understand(outcome: Result<Reply, Failure>, host: &str, sent: &Value) -> Result<Value, ApiError> {
    let reply = answer::arrived(outcome, host)?;
    let status = reply.status;
    let is_blank = reply.body.iter().all(u8::is_ascii_whitespace);
    let parsed: Option<Value> = serde_json::from_slice(&reply.body).ok();
    if (200..300).contains(&status) {
        return match parsed {
            Some(value @ Value::Object(_)) => Ok(value),
            _ if is_blank => Ok(Value::Null),
            _ => Err(ApiError::Lost(format!("{host} answered {status} with no JSON"))),
        };
    }
    let message = match parsed.as_ref().and_then(|value| value.get("errors")) {
        Some(Value::String(words)) => words.clone() + &allowed(parsed.as_ref(), sent),
        Some(Value::Object(fields)) if fields.is_empty() => silent(sent),
        Some(Value::Object(fields)) => fields_in_words(fields),
        _ => answer::beginning(&reply.body),
    };
    let message = answer::shown(&message);
    let refusal = ApiRefusal {
        status,
        code: String::new(),
        message,
    };
    Err(answer::not_good(refusal, host))
}

fn fields_in_words(fields: &Map<String, Value>) -> String {
    let words = |value: &Value| match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::String(words) => words.clone(),
        other => other.to_string(),
    };
    let all: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name} {}", words(value)))
        .collect();
    all.join("; ")
}

/// A refusal that names nothing: what was sent is named, without its values.
fn silent(sent: &Value) -> String {
    let names: Vec<&str> = sent
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    format!("no reason given; sent were {}", names.join(", "))
}

/// The values that may be sent, and the nearest to the one that was.
fn allowed(answer: Option<&Value>, sent: &Value) -> String {
    let fields = answer
        .and_then(|value| value.get("allowed_values"))
        .and_then(Value::as_object);
    let mut words = String::new();
    for (name, values) in fields.into_iter().flatten() {
        let values: Vec<&Value> = values.as_array().into_iter().flatten().take(40).collect();
        let shown: Vec<String> = values.iter().map(|value| value.to_string().replace('"', "")).collect();
        words.push_str(&format!("; {name} may be {}", shown.join(", ")));
        let numbers: Vec<u64> = values.iter().filter_map(|value| value.as_u64()).collect();
        let was = sent.get(name).and_then(Value::as_u64);
        if let Some((was, near)) = was.and_then(|was| Some((was, super::quirks::nearest(was, &numbers)?))) {
            words.push_str(&format!(" (the nearest to {was} is {near})"));
        }
    }
    words
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: &str, sent: &Value) -> Result<Value, ApiError> {
        let body = body.as_bytes().to_vec();
        understand(Ok(Reply { status, body }), "api.example", sent)
    }

    #[test]
    fn every_shape_of_an_error_is_understood() {
        let sent = json!({ "url": "https://canary.example/", "ssl_expiration": 21 });
        for (status, body, words) in [
            (
                401,
                r#"{"errors":"Invalid Team API token."}"#,
                "Invalid Team API token.",
            ),
            (
                422,
                r#"{"errors":{"url":["is invalid","is taken"]}}"#,
                "url is invalid, is taken",
            ),
            (
                422,
                r#"{"errors":{}}"#,
                "no reason given; sent were url, ssl_expiration",
            ),
            (
                422,
                r#"{"errors":"Sorry","allowed_values":{"ssl_expiration":[1,7,14,30]}}"#,
                "Sorry; ssl_expiration may be 1, 7, 14, 30 (the nearest to 21 is 14)",
            ),
            (403, "<html>plan\u{1b}[31m</html>", "plan\\u{1b}"),
            (409, "", "no reason given"),
        ] {
            let Err(ApiError::Refused(refusal)) = answer(status, body, &sent) else {
                panic!("{body}")
            };
            assert!(refusal.message.contains(words), "{refusal}");
            assert!(!refusal.message.contains("canary"), "no value is repeated: {refusal}");
        }
        assert!(matches!(answer(429, "Retry later", &sent), Err(ApiError::NotSent(_))));
        for (status, body) in [
            (500, "{}"),
            (502, "<html>"),
            (200, "<html>"),
            (200, "{\"id\":"),
            (408, "{}"),
        ] {
            assert!(
                matches!(answer(status, body, &sent), Err(ApiError::Lost(_))),
                "{status} {body}"
            );
        }
        assert_eq!(answer(204, "", &sent), Ok(Value::Null));
    }

    #[test]
    fn of_a_link_only_the_number_is_taken() {
        for link in [
            "https://elsewhere.example/api/v2/monitors?per_page=2&page=3",
            "/monitors?page=3",
        ] {
            assert_eq!(page_of(link), Some(3));
        }
        for bad in ["", "nonsense", "https://x.example/?page=", "https://x.example/?page=-1"] {
            assert_eq!(page_of(bad), None, "{bad}");
        }
    }
}
