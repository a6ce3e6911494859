//! One entry of a list, checked and filled in as the server does it (facts §5.9).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::envelope::{GENERAL, Refusal};
use super::super::world::{Ids, now};
use crate::model::name::DomainName;

/// Bytes of a source or a target.
const LONGEST: usize = 32 * 1024;
/// What is off unless it is said.
const FLAGS: [&str; 4] = [
    "include_subdomains",
    "subpath_matching",
    "preserve_query_string",
    "preserve_path_suffix",
];

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Said {
    /// What makes it the same entry: the source of a redirect, the value of anything else.
    pub(super) key: String,
    body: Map<String, Value>,
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) said: Said,
    created_on: String,
}

impl Item {
    pub(super) fn new(said: Said, ids: &mut Ids) -> Self {
        Self {
            id: ids.next(),
            said,
            created_on: now(),
        }
    }

    pub(super) fn to_value(&self) -> Value {
        let mut value = json!({ "id": self.id, "created_on": self.created_on, "modified_on": self.created_on });
        for (key, field) in &self.said.body {
            value[key] = field.clone();
        }
        value
    }

    /// Whether a search finds it.
    pub(super) fn holds(&self, text: &str) -> bool {
        json!(self.said.body).to_string().contains(text)
    }
}

fn refuse(words: impl Into<String>) -> Refusal {
    Refusal::bad(GENERAL, words)
}

/// The entries of a request for a list of this kind.
pub(super) fn parse(kind: &str, body: &Value) -> Result<Vec<Said>, Refusal> {
    let items = body.as_array().ok_or_else(Refusal::body)?;
    items.iter().map(|item| one(kind, item)).collect()
}

fn one(kind: &str, item: &Value) -> Result<Said, Refusal> {
    let fields = item.as_object().ok_or_else(Refusal::body)?;
    if let Some(key) = fields.keys().find(|key| *key != kind && *key != "comment") {
        return Err(refuse(format!("an item of a list of kind {kind} cannot hold '{key}'")));
    }
    let value = fields
        .get(kind)
        .ok_or_else(|| refuse(format!("an item needs '{kind}'")))?;
    let (key, settled) = match kind {
        "redirect" => redirect(value)?,
        "ip" => text(value, |text| {
            text.split('/')
                .next()
                .is_some_and(|ip| ip.parse::<std::net::IpAddr>().is_ok())
        })?,
        "hostname" => {
            let host = value.get("url_hostname").unwrap_or(&Value::Null);
            let (key, _) = text(host, |text| DomainName::parse(text.trim_start_matches("*.")).is_ok())?;
            (key, value.clone())
        }
        _ => {
            let number = value.as_u64().filter(|number| u32::try_from(*number).is_ok());
            let number = number.ok_or_else(|| refuse(format!("{value} is not a valid {kind}")))?;
            (number.to_string(), json!(number))
        }
    };
    let mut body = Map::new();
    body.insert(kind.to_owned(), settled);
    match fields.get("comment") {
        None => {}
        Some(Value::String(comment)) if comment.is_empty() => {}
        Some(Value::String(comment)) if comment.chars().count() <= 500 => {
            body.insert("comment".to_owned(), json!(comment));
        }
        Some(_) => return Err(refuse("comment must be a text of at most 500 characters")),
    }
    Ok(Said { key, body })
}

fn text(value: &Value, is_right: impl FnOnce(&str) -> bool) -> Result<(String, Value), Refusal> {
    match value.as_str() {
        Some(text) if is_right(text) => Ok((text.to_lowercase(), value.clone())),
        _ => Err(refuse(format!("{value} is not a valid value"))),
    }
}

fn redirect(value: &Value) -> Result<(String, Value), Refusal> {
    let fields = value.as_object().ok_or_else(Refusal::body)?;
    let known = ["source_url", "target_url", "status_code"];
    if let Some(key) = fields
        .keys()
        .find(|key| !known.contains(&key.as_str()) && !FLAGS.contains(&key.as_str()))
    {
        return Err(refuse(format!("unknown field '{key}'")));
    }
    let part = |key: &str| {
        let text = fields.get(key).and_then(Value::as_str).unwrap_or_default();
        if text.is_empty() || text.len() > LONGEST {
            return Err(refuse(format!("{key} must be a text of 1 to {LONGEST} bytes")));
        }
        Ok(text)
    };
    let source = source(part("source_url")?)?;
    let target = part("target_url")?;
    let is_absolute = target.starts_with("https://") || target.starts_with("http://");
    if !is_absolute || url::Url::parse(target).is_err() {
        return Err(refuse(format!("target_url '{target}' must be an absolute URL")));
    }
    let status = match fields.get("status_code") {
        None => 301,
        Some(status) => {
            let status = status.as_u64().filter(|status| matches!(status, 301 | 302 | 307 | 308));
            status.ok_or_else(|| refuse("status_code must be one of 301, 302, 307, 308"))?
        }
    };
    let mut whole = Map::new();
    whole.insert("source_url".to_owned(), json!(source));
    whole.insert("target_url".to_owned(), json!(target));
    whole.insert("status_code".to_owned(), json!(status));
    for flag in FLAGS {
        let value = fields.get(flag).unwrap_or(&Value::Bool(false));
        if !value.is_boolean() {
            return Err(refuse(format!("{flag} must be a boolean")));
        }
        whole.insert(flag.to_owned(), value.clone());
    }
    Ok((source, Value::Object(whole)))
}

/// Host and path, with a scheme or for both: no wildcard, port, query, fragment or user. A bare host gets its slash.
fn source(text: &str) -> Result<String, Refusal> {
    let invalid = |why: &str| refuse(format!("source_url '{text}' is invalid: {why}"));
    let rest = match text.split_once("://") {
        Some(("http" | "https", rest)) => rest,
        Some(_) => return Err(invalid("its scheme must be http or https")),
        None => text,
    };
    for (sign, what) in [("*", "a wildcard"), ("?", "a query"), ("#", "a fragment")] {
        if rest.contains(sign) {
            return Err(invalid(&format!("it cannot hold {what}")));
        }
    }
    let (host, path) = rest
        .split_once('/')
        .map_or((rest, None), |(host, path)| (host, Some(path)));
    for (sign, what) in [("@", "a user"), (":", "a port")] {
        if host.contains(sign) {
            return Err(invalid(&format!("it cannot hold {what}")));
        }
    }
    DomainName::parse(host).map_err(|_| invalid("it needs a host"))?;
    Ok(if path.is_some() {
        text.to_owned()
    } else {
        format!("{text}/")
    })
}
