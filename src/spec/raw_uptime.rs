//! The `uptime` block as it is written. As in `raw`, the doc comments are the descriptions in the schema, and nothing is
//! judged here beyond a single value.

use serde_json::{Map, Value as Json, json};

use super::basic::{Items, Table};
use super::shape::{At, Reader, Shape, Text, shape, words};
use super::yaml::{Node, Value};
use crate::base::diagnostic::Diagnostic;
use crate::base::secret::SecretReference;
use crate::base::text;
use crate::model::inventory::Unsupported;
use crate::model::monitor::{Region, Status, tells_a_credential};
use crate::model::ttl;
use url::Url;

shape! {
    /// What is watched from outside once it is launched, and who is told when it fails.
    Uptime {
        /// The service that watches.
        "provider" provider: Text, required, example "uptimerobot";
        /// The time from one check to the next, where a check says none.
        "every" every: At<Span>, default "5m", example "1m";
        /// Who is told, by the names of contacts, where a check says nothing.
        "alert" alert: Items<Alert>;
        /// Who can be told, by a name of your own.
        "contacts" contacts: Table<Contact>;
        /// What is watched, in any order.
        "checks" checks: Vec<Check>;
        /// What happens to what the service or its plan cannot hold: `refuse` makes the plan an error that names it,
        /// `warn` takes the nearest that can be held and says so.
        "on_unsupported" on_unsupported: At<Unsupported>, default "refuse";
    }
}

shape! {
    /// Somebody who can be told: exactly one of the keys. What is secret is named by where it is kept.
    Contact {
        /// A mailbox that is written to.
        "email" email: Text, example "ops@acme.example";
        /// Where the address of a Slack incoming webhook is kept: `env:NAME`, `keyring:NAME` or `file:PATH`.
        "slack" slack: At<SecretReference>, example "env:SLACK_WEBHOOK_URL";
        /// Where the address of an HTTP endpoint is kept: `env:NAME`, `keyring:NAME` or `file:PATH`.
        "webhook" webhook: At<SecretReference>, example "env:ALERT_WEBHOOK_URL";
        /// A telephone number with its country code; most services must have confirmed it before.
        "sms" sms: Text, example "+441632960961";
    }
}

shape! {
    /// Something that is watched: one of `url`, `tls`, `tcp` and `ping`.
    Check {
        /// Its name, as people read it in an alert; its address is made from it.
        "name" name: Text, required, example "Homepage";
        /// An address that is asked over HTTP.
        "url" url: At<Url>, example "https://acme.example/";
        /// A host whose certificate is watched. Where the service has it so, this becomes a part of a `url` check of the
        /// same host.
        "tls" tls: Text, example "acme.example";
        /// A host and port that must take a connection.
        "tcp" tcp: Text, example "smtp.acme.example:587";
        /// A host that must answer an echo request.
        "ping" ping: Text, example "vpn.acme.example";
        /// The HTTP method.
        "method" method: Text, default "GET";
        /// Request headers. A value that begins with `env:`, `keyring:` or `file:` is kept there.
        "headers" headers: Headers;
        /// What the answer must be.
        "expect" expect: Expect;
        /// Whether redirects are followed before the answer is judged.
        "follow_redirects" follow_redirects: At<bool>, default "true";
        /// Whether a certificate that does not verify counts as a failure.
        "verify_tls" verify_tls: At<bool>, default "true";
        /// How long before the certificate's end somebody is told, in whole days. For a `tls` check 21 days unless
        /// said, for others never.
        "warn_before" warn_before: At<Span>, example "21d";
        /// Whether somebody is told before the domain's registration ends.
        "warn_domain" warn_domain: At<bool>;
        /// The time from one check to the next.
        "every" every: At<Span>, example "1m";
        /// After how long no answer counts as a failure; never longer than the time between checks unless said.
        "timeout" timeout: At<Span>, default "30s";
        /// How often a failure is checked again before anybody is told. Not said: the service decides.
        "confirm" confirm: At<Number>;
        /// Where it is checked from. Not said: the service decides.
        "regions" regions: Items<At<Region>>;
        /// Whether it rests. Not said: whoever pauses it by hand is not overruled.
        "paused" paused: At<bool>;
        /// Who is told.
        "alert" alert: Items<Alert>;
        /// Labels kept with it at the service.
        "labels" labels: Items<Text>;
    }
}

shape! {
    /// What an answer must be.
    Expect {
        /// The status or statuses, each a number or a class such as `2xx`.
        "status" status: OneOrMany, default "2xx";
        /// A text that the answer must hold.
        "contains" contains: Text, example "Sign in";
        /// A text that the answer must not hold.
        "lacks" lacks: Text, example "Maintenance";
        /// Whether upper and lower case of that text are the same. Not said: the service decides.
        "ignore_case" ignore_case: At<bool>;
    }
}

shape! {
    /// A contact with when it is told.
    Told {
        /// The name of the contact.
        "contact" contact: Text, required;
        /// How long it must have been down before.
        "after" after: At<Span>, default "0s", example "10m";
        /// After how long it is said again; 0 for once.
        "repeat" repeat: At<Span>, default "0s", example "1h";
    }
}

words!(Unsupported, "way to treat what cannot be held", { "refuse" => Unsupported::Refuse, "warn" => Unsupported::Warn });
words!(Region, "region", {
    "north-america" => Region::NorthAmerica, "europe" => Region::Europe, "asia" => Region::Asia, "oceania" => Region::Oceania,
});

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
pub(super) struct Headers(pub(super) Vec<(Text, HeaderValue)>);

/// What a header holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HeaderValue {
    Plain(Text),
    Kept(At<SecretReference>),
}

impl Shape for HeaderValue {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": ["string", "number"] })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "a header's value")?;
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
        Table::<HeaderValue>::schema(definitions)
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Table(all) = Table::<HeaderValue>::read(node, reader)?;
        let mut good = Vec::new();
        for (name, value) in all {
            match value {
                HeaderValue::Plain(text) if tells_a_credential(&name.value) => {
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
        let seconds = ttl::parse_seconds(&text.value).and_then(|seconds| u32::try_from(seconds).ok());
        if let Some(seconds) = seconds {
            return Some(text.map(Span(seconds)));
        }
        let shown = text::shorten(&text::sanitize(&text.value), 40);
        let finding = Diagnostic::error("bad-duration", format!("`{shown}` is no length of time"))
            .at(reader.place(&text.range))
            .label("write seconds, or a duration such as 30s, 5m or 21d");
        reader.diagnostics.push(finding);
        None
    }
}

/// A small whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number(pub(super) u32);

impl Shape for At<Number> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": "integer", "minimum": 0, "maximum": 100 })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "a number")?;
        match text.value.parse() {
            Ok(number @ 0..=100) => Some(text.map(Number(number))),
            _ => {
                let shown = text::shorten(&text::sanitize(&text.value), 40);
                let finding = Diagnostic::error("wrong-value", format!("`{shown}` is no number from 0 to 100"))
                    .at(reader.place(&text.range));
                reader.diagnostics.push(finding);
                None
            }
        }
    }
}

/// One status, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OneOrMany(pub(super) Vec<At<Status>>);

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

impl Shape for OneOrMany {
    fn schema(definitions: &mut Map<String, Json>) -> Json {
        let one = <At<Status> as Shape>::schema(definitions);
        json!({ "anyOf": [one, { "type": "array", "minItems": 1, "items": one }] })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Sequence(_) => Vec::<At<Status>>::read(node, reader).map(Self),
            _ => At::<Status>::read(node, reader).map(|status| Self(vec![status])),
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
