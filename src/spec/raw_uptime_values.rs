//! The single values of the `uptime` block as they are written: addresses, lengths of time, days, headers. What is wrong
//! with one by itself is said here.

use serde_json::{Map, Value as Json, json};
use url::Url;

use super::basic::Table;
use super::raw_uptime::Told;
use super::shape::{At, Reader, Shape, Text};
use super::yaml::{Node, Value};
use crate::base::diagnostic::Diagnostic;
use crate::base::few_eyes::tells_a_credential;
use crate::base::secret::SecretReference;
use crate::base::text;
use crate::model::monitor::{Confirm, Status};
use crate::model::ttl;
use crate::model::window::TimeOfDay;

impl Shape for At<Url> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://|\\$\\{" })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "an address to ask")?;
        let why = match Url::parse(&text.value) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") => "write https:// or http://".to_owned(),
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                reader.masks.push(text.range.clone());
                "a credential belongs into `headers`, by where it is kept".to_owned()
            }
            Ok(url) => return Some(text.map(url)),
            Err(error) => error.to_string(),
        };
        let finding =
            Diagnostic::error("bad-url", format!("this is no address to ask: {why}")).at(reader.place(&text.range));
        reader.diagnostics.push(finding);
        None
    }
}

/// Request headers by their names as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Headers(pub(super) Vec<(Text, SentValue)>);

/// What is sent with a request, in a header or as its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SentValue {
    Plain(Text),
    Kept(At<SecretReference>),
}

impl Shape for SentValue {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": ["string", "number"] })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "a text")?;
        if ["env:", "keyring:", "file:"]
            .iter()
            .any(|scheme| text.value.starts_with(scheme))
        {
            return At::<SecretReference>::read(node, reader).map(Self::Kept);
        }
        Some(Self::Plain(text))
    }
}

impl Shape for Headers {
    fn schema(definitions: &mut Map<String, Json>) -> Json {
        Table::<SentValue>::schema(definitions)
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Table(all) = Table::<SentValue>::read(node, reader)?;
        let mut good = Vec::new();
        for (name, value) in all {
            match value {
                SentValue::Plain(text) if tells_a_credential(&name.value) => {
                    // By its name it is one: nothing that is shown from now on may hold it.
                    crate::base::secret::Secret::new(&text.value);
                    reader.masks.push(text.range.clone());
                    let finding = Diagnostic::error("written-credential", "a credential is named by where it is kept")
                        .at(reader.place(&text.range))
                        .label("write env:NAME, keyring:NAME or file:PATH")
                        .help("if a credential stood here, it may have been committed: replace it");
                    reader.diagnostics.push(finding);
                }
                value => good.push((name, value)),
            }
        }
        Some(Self(good))
    }
}

/// A length of time in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span(pub(super) u32);

impl Shape for At<Span> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": ["string", "integer"], "pattern": "^([0-9]+|([0-9]+[smhdwSMHDW])+)$|\\$\\{" })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "a length of time")?;
        if let Some(seconds) = seconds(&text.value) {
            return Some(text.map(Span(seconds)));
        }
        let words = "write seconds, or a duration such as 30s, 5m or 21d";
        refuse("bad-duration", "no length of time up to a year", words, &text, reader);
        None
    }
}

impl Shape for At<Confirm> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": ["string", "integer"], "pattern": "^([0-9]{1,2}|100|([0-9]+[smhdSMHD])+)$|\\$\\{" })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "how often, or how long")?;
        let confirm = match text.value.parse::<u32>() {
            Ok(times) => (times <= 100).then_some(Confirm::Times(times)),
            Err(_) => seconds(&text.value).map(Confirm::lasting),
        };
        if confirm.is_none() {
            let words = "neither a number from 0 to 100 nor a length of time";
            refuse(
                "wrong-value",
                words,
                "write 2 for two more checks, or 90s",
                &text,
                reader,
            );
        }
        confirm.map(|confirm| text.map(confirm))
    }
}

/// Whether and when somebody is told of a domain's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WarnDomain {
    Whether(bool),
    Before(Span),
}

impl Shape for At<WarnDomain> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": ["boolean", "string"], "pattern": "^([0-9]+[dwDW])+$|\\$\\{" })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "true, false or a length of time")?;
        let warn = match text.value.as_str() {
            "true" => Some(WarnDomain::Whether(true)),
            "false" => Some(WarnDomain::Whether(false)),
            other => seconds(other).map(|seconds| WarnDomain::Before(Span(seconds))),
        };
        if warn.is_none() {
            let words = "neither true nor false nor a length of time";
            refuse("wrong-value", words, "write true, false or 30d", &text, reader);
        }
        warn.map(|warn| text.map(warn))
    }
}

/// A length of time of a year at most: nothing that is watched takes longer, and every sum of such lengths fits.
fn seconds(text: &str) -> Option<u32> {
    const YEAR: u32 = 366 * 86_400;
    let seconds = ttl::parse_seconds(text).and_then(|seconds| u32::try_from(seconds).ok());
    seconds.filter(|seconds| *seconds <= YEAR)
}

/// Says that a text is not what it should be.
fn refuse(code: &'static str, is: &str, label: &str, text: &Text, reader: &mut Reader<'_>) {
    let shown = text::shorten(&text::sanitize(&text.value), 40);
    let finding = Diagnostic::error(code, format!("`{shown}` is {is}"))
        .at(reader.place(&text.range))
        .label(label);
    reader.diagnostics.push(finding);
}

impl Shape for At<TimeOfDay> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$|\\$\\{" })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "a time of day")?;
        let time = TimeOfDay::parse(&text.value).ok();
        if time.is_none() {
            refuse(
                "wrong-value",
                "no time of day",
                "write HH:MM, such as 02:00",
                &text,
                reader,
            );
        }
        time.map(|time| text.map(time))
    }
}

/// One value, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OneOrMany<T>(pub(super) Vec<At<T>>);

impl Shape for At<Status> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": ["string", "integer"], "pattern": "^([1-5][0-9][0-9]|[1-5]xx)$|\\$\\{" })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "a status")?;
        match Status::parse(&text.value) {
            Ok(status) => Some(text.map(status)),
            Err(error) => {
                let finding = Diagnostic::error("bad-status", error.to_string()).at(reader.place(&text.range));
                reader.diagnostics.push(finding);
                None
            }
        }
    }
}

impl<T> Shape for OneOrMany<T>
where
    At<T>: Shape,
{
    fn schema(definitions: &mut Map<String, Json>) -> Json {
        let one = At::<T>::schema(definitions);
        json!({ "anyOf": [one, { "type": "array", "minItems": 1, "items": one }] })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Sequence(_) => Vec::<At<T>>::read(node, reader).map(Self),
            _ => At::<T>::read(node, reader).map(|one| Self(vec![one])),
        }
    }
}

/// A contact by its name alone, or with when it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Alert {
    Name(Text),
    Told(Box<Told>),
}

impl Shape for Alert {
    fn schema(definitions: &mut Map<String, Json>) -> Json {
        json!({ "anyOf": [Text::schema(definitions), Told::schema(definitions)] })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Mapping(_) => Told::read(node, reader).map(|told| Self::Told(Box::new(told))),
            _ => reader.text(node, "the name of a contact").map(Self::Name),
        }
    }
}
