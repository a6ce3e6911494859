//! The `email` block as it is written. What a preset asks of an account is read from the presets themselves, so that
//! the schema cannot differ from them. A key that is published is read here; a private one never gets any further.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::Date;
use serde_json::{Map, Value as Json, json};

use super::basic::Items;
use super::load::PRIVATE_KEY;
use super::shape::{At, Fields, Key, Reader, Shape, Text, mapping_schema, no_such_word, shape, words};
use super::yaml::{Node, Value};
use crate::base::diagnostic::{Diagnostic, Severity};
use crate::base::secret::Secret;
use crate::base::text;
use crate::mail::dkim;
use crate::mail::dmarc::{Alignment, Policy};
use crate::mail::mta_sts::Mode;
use crate::mail::presets::{self, Parameter, Preset};
use crate::mail::spf::Qualifier;
use crate::model::ttl::parse_seconds;

/// What stands under `email`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Email {
    /// `parked`: all mail is refused.
    Parked(Text),
    /// A domain that is used for mail.
    Used(Box<Mail>),
}

impl Shape for Email {
    fn schema(definitions: &mut Map<String, Json>) -> Json {
        json!({ "anyOf": [{ "const": "parked" }, Mail::schema(definitions)] })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if !matches!(node.value, Value::Scalar(_)) {
            return Mail::read(node, reader).map(|mail| Self::Used(Box::new(mail)));
        }
        let text = reader.text(node, "`parked`, or keys")?;
        if text.value == "parked" {
            return Some(Self::Parked(text));
        }
        no_such_word(&text, "use of a domain for mail", &["parked"], reader);
        None
    }
}

shape! {
    /// Mail of a domain: who receives, who sends, and what receivers are told about it. Everything becomes DNS records.
    Mail {
        /// Who receives: a preset, `{ via: PRESET, … }` with its values, a list of hosts, or `none` (a null MX). Not
        /// said: MX records are left alone.
        "receive" receive: Receive, example "google-workspace", example "none";
        /// Who sends in the domain's name. All of them share one SPF record. An empty list says that nobody does.
        "send" send: Items<Sender>;
        /// What is said of senders beyond those under `send`, and of everybody else.
        "spf" spf: Spf;
        /// DKIM keys beyond those under `send`, or the key that a preset there asks for.
        "dkim" dkim: Vec<DkimKey>;
        /// What receivers do with mail that passes neither SPF nor DKIM in the domain's name.
        "dmarc" dmarc: Dmarc;
        /// The promise that mail servers speak TLS. Its policy is served by the host mta-sts of the domain;
        /// `launchctl mail mta-sts DOMAIN` writes it.
        "mta_sts" mta_sts: MtaSts;
        /// Who gets reports about failed TLS: mail addresses or https addresses.
        "tls_rpt" tls_rpt: Items<Text>, example "tls@acme.example";
        /// The mark that is shown beside mail.
        "bimi" bimi: Bimi;
        /// Whether the domain sends in bulk (about 5,000 a day to one receiver): what bulk senders need is then an error
        /// where it is missing.
        "bulk" bulk: At<bool>, default "false";
    }
}

shape! {
    /// What is said of senders in the one SPF record.
    Spf {
        /// What everybody else is: `softfail` is the usual advice beside DMARC, `fail` may refuse before DKIM is looked
        /// at.
        "all" all: At<Qualifier>, default "softfail";
        /// Domains whose SPF records count too.
        "include" include: Vec<Text>, example "_spf.example.com";
        /// Includes, a preset's too, that are published as the addresses they stood for when `launchctl mail flatten`
        /// took them: they cost no lookups, and are out of date when their owner changes them.
        "flatten" flatten: Vec<Text>, example "_spf.example.com";
        /// IPv4 addresses and networks.
        "ip4" ip4: Vec<Text>, example "203.0.113.10";
        /// IPv6 addresses and networks.
        "ip6" ip6: Vec<Text>, example "2001:db8::/64";
        /// Other terms as they stand in a record.
        "terms" terms: Vec<Text>, example "a:mail.acme.example";
    }
}

shape! {
    /// A mail server.
    Exchanger {
        /// The host: whole, or relative to the zone without a dot in it.
        "host" host: Text, required, example "mx1.acme.example";
        /// Lower is tried first.
        "priority" priority: At<u16>, default "10";
    }
}

shape! {
    /// A DKIM key: published, or delegated to whoever signs.
    DkimKey {
        /// The selector.
        "selector" selector: Text, required, example "google";
        /// The public key: the whole record, or its base64 text.
        "key" key: At<PublicKey>, example "v=DKIM1; k=rsa; p=MIIB…";
        /// The name at which whoever signs keeps the key.
        "cname" cname: Text, example "s1.domainkey.u1.wl1.sendgrid.net";
    }
}

shape! {
    /// The DMARC policy (RFC 9989).
    Dmarc {
        /// What happens to mail that fails; with a rollout, until its first stage. `none` only watches.
        "policy" policy: At<Policy>, example "quarantine";
        /// The same for subdomains; not said: as for the domain.
        "subdomains" subdomains: At<Policy>;
        /// The same for subdomains that do not exist; not said: as for subdomains.
        "nonexistent" nonexistent: At<Policy>;
        /// Asks receivers for one level less than the policy, to try it.
        "testing" testing: At<bool>, default "false";
        /// Who gets the daily reports. Where the spec has the zone of an address in another domain, that zone agrees.
        "report_to" report_to: Vec<Text>, example "dmarc@acme.example";
        /// Who gets reports about single messages; few receivers send any.
        "failures_to" failures_to: Vec<Text>;
        /// Whether DKIM has to be in the domain itself, or may be in another of the same organization.
        "adkim" adkim: At<Alignment>, default "relaxed";
        /// The same for SPF.
        "aspf" aspf: At<Alignment>, default "relaxed";
        /// Stages in order: from each day on its policy holds. The plan says which one today is.
        "rollout" rollout: Vec<Stage>;
    }
}

shape! {
    /// A stage of a rollout.
    Stage {
        /// The first day, such as 2026-12-01.
        "on" on: At<Date>, required;
        /// The policy from then on.
        "policy" policy: At<Policy>, required;
        /// The policy for subdomains from then on; not said: as it is for all stages.
        "subdomains" subdomains: At<Policy>;
        /// Whether one level less is asked for, to try it.
        "testing" testing: At<bool>, default "false";
    }
}

shape! {
    /// An MTA-STS policy (RFC 8461).
    MtaSts {
        /// `testing` only reports, `enforce` refuses to deliver without TLS, `none` withdraws an earlier policy.
        "mode" mode: At<Mode>, required, example "testing";
        /// Whether the mail servers of `receive` are those of the policy.
        "mx_from_receive" mx_from_receive: At<bool>, default "true";
        /// Mail servers of the policy beside these; `*.` stands for one label.
        "mx" mx: Vec<Text>, example "*.mail.acme.example";
        /// How long senders keep the policy.
        "max_age" max_age: At<Seconds>, default "7d";
        /// The CA of the certificate of the host mta-sts, as CAA records name it: whether they let it issue is checked.
        "issuer" issuer: Text, example "letsencrypt.org";
    }
}

shape! {
    /// A BIMI record: the mark, and the certificate that most receivers ask for.
    Bimi {
        /// The selector.
        "selector" selector: Text, default "default";
        /// Where the SVG is; https.
        "logo" logo: Text, required, example "https://acme.example/logo.svg";
        /// Where the mark certificate is; https.
        "certificate" certificate: Text;
        /// The CA of the mark certificate, as CAA records name it: whether they let it issue is checked.
        "issuer" issuer: Text, example "digicert.com";
    }
}

/// Who receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Receive {
    /// Nobody: a null MX.
    None(Text),
    /// A preset with its values.
    Preset(Box<Sender>),
    /// These hosts.
    Hosts(Vec<Exchanger>),
}

impl Shape for Receive {
    fn schema(definitions: &mut Map<String, Json>) -> Json {
        let mut names: Vec<&str> = vec!["none"];
        names.extend(
            presets::all()
                .filter(|preset| preset.receives())
                .map(|preset| preset.id),
        );
        Sender::schema(definitions);
        json!({ "anyOf": [
            { "type": "string", "enum": names },
            { "$ref": "#/$defs/Sender" },
            { "type": "array", "items": Exchanger::schema(definitions) },
        ] })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Scalar(scalar) if scalar.text == "none" => reader.text(node, "a preset").map(Self::None),
            Value::Sequence(_) => Vec::read(node, reader).map(Self::Hosts),
            _ => Sender::read(node, reader).map(|preset| Self::Preset(Box::new(preset))),
        }
    }
}

/// Somebody who sends, or receives, by a preset or on their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sender {
    /// Where it begins.
    pub(super) at: Range<usize>,
    /// The keys that are written.
    pub(super) keys: BTreeMap<&'static str, Range<usize>>,
    /// The preset's name, or `own`.
    pub(super) via: Option<Text>,
    /// What a sender of one's own is called.
    pub(super) name: Option<Text>,
    /// Its keys.
    pub(super) dkim: Vec<DkimKey>,
    /// The label of the return path.
    pub(super) return_path: Option<Text>,
    /// The addresses of a sender of one's own.
    pub(super) addresses: Vec<Text>,
    /// SPF terms of a sender of one's own.
    pub(super) terms: Vec<Text>,
    /// What the account gives, by the preset's keys.
    pub(super) values: Vec<(&'static str, Text)>,
}

const SENDER: &[Key] = &[
    Key {
        name: "via",
        doc: &["The preset, or `own` for a sender of one's own."],
        flags: &[("required", None), ("example", Some("postmark"))],
    },
    Key {
        name: "name",
        doc: &["What a sender of one's own is called in findings."],
        flags: &[],
    },
    Key {
        name: "dkim",
        doc: &["The key that it signs with, or several."],
        flags: &[],
    },
    Key {
        name: "return_path",
        doc: &["The label of the subdomain to which bounces go; SPF is checked there."],
        flags: &[("example", Some("pm-bounces"))],
    },
    Key {
        name: "addresses",
        doc: &["The addresses and networks of a sender of one's own."],
        flags: &[],
    },
    Key {
        name: "terms",
        doc: &["SPF terms of a sender of one's own, beside its addresses."],
        flags: &[("example", Some("a:mail.acme.example"))],
    },
];

/// What presets ask of an account, each key once; those that have a place of their own in the language aside.
fn parameters() -> BTreeMap<&'static str, &'static Parameter> {
    let own = |key: &str| matches!(key, "selector" | "key") || SENDER.iter().any(|known| known.name == key);
    let all = presets::all().flat_map(|preset| preset.parameters);
    all.filter(|parameter| !own(parameter.key))
        .map(|parameter| (parameter.key, parameter))
        .collect()
}

fn sender_keys() -> Vec<Key> {
    let given = parameters().into_values().map(|parameter| Key {
        name: parameter.key,
        doc: std::slice::from_ref(&parameter.what),
        flags: &[],
    });
    SENDER.iter().copied().chain(given).collect()
}

impl Shape for Sender {
    fn schema(definitions: &mut Map<String, Json>) -> Json {
        if !definitions.contains_key("Sender") {
            definitions.insert("Sender".to_owned(), Json::Null);
            let mut names: Vec<&str> = presets::all()
                .filter(|preset| preset.is_generated)
                .map(|preset| preset.id)
                .collect();
            names.push("own");
            let texts = json!({ "type": "array", "items": Text::schema(definitions) });
            let keys = sender_keys();
            let properties = keys.iter().map(|key| match key.name {
                "via" => json!({ "type": "string", "enum": names }),
                "dkim" => OneOrMany::schema(definitions),
                "addresses" | "terms" => texts.clone(),
                _ => Text::schema(definitions),
            });
            let properties = properties.collect();
            let doc = "A sender, or who receives, with what the account gives.";
            let schema = mapping_schema(&[doc], &keys, properties);
            definitions.insert("Sender".to_owned(), schema);
        }
        let senders: Vec<&str> = presets::all()
            .filter(|preset| preset.is_generated && preset.sends())
            .map(|one| one.id)
            .collect();
        json!({ "anyOf": [{ "type": "string", "enum": senders }, { "$ref": "#/$defs/Sender" }] })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if matches!(node.value, Value::Scalar(_)) {
            let via = reader.text(node, "a preset")?;
            return Some(Self {
                at: via.range.clone(),
                keys: BTreeMap::new(),
                via: Some(via),
                name: None,
                dkim: Vec::new(),
                return_path: None,
                addresses: Vec::new(),
                terms: Vec::new(),
                values: Vec::new(),
            });
        }
        let keys = sender_keys();
        let fields = Fields::of(node, &keys, &[], reader)?;
        let mut values = Vec::new();
        for key in parameters().into_keys() {
            values.extend(fields.read::<Text>(key, reader).map(|value| (key, value)));
        }
        Some(Self {
            at: fields.at.clone(),
            keys: fields.written(&keys),
            via: fields.read("via", reader),
            name: fields.read("name", reader),
            dkim: fields
                .read::<OneOrMany>("dkim", reader)
                .map(|keys| keys.0)
                .unwrap_or_default(),
            return_path: fields.read("return_path", reader),
            addresses: fields.read("addresses", reader).unwrap_or_default(),
            terms: fields.read("terms", reader).unwrap_or_default(),
            values,
        })
    }
}

impl Sender {
    /// The preset that it goes through; `None` for `own` and for names that no preset has.
    pub(super) fn preset(&self) -> Option<&'static Preset> {
        self.via.as_ref().and_then(|via| presets::find(&via.value))
    }
}

/// One key, or a list of them.
struct OneOrMany(Vec<DkimKey>);

impl Shape for OneOrMany {
    fn schema(definitions: &mut Map<String, Json>) -> Json {
        let one = DkimKey::schema(definitions);
        json!({ "anyOf": [one, { "type": "array", "items": one }] })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Sequence(_) => Vec::read(node, reader).map(Self),
            _ => DkimKey::read(node, reader).map(|key| Self(vec![key])),
        }
    }
}

/// The text of a DKIM key record that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublicKey(pub(super) String);

impl Shape for At<PublicKey> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": "string" })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "a public key")?;
        let written = unfolded(&text.value);
        let is_whole = written.contains("p=") || written.contains("-----");
        let head = match written.len() {
            _ if is_whole => "",
            // Thirty-two octets in base64 (RFC 8463 §4.2).
            44 => "v=DKIM1; k=ed25519; p=",
            _ => "v=DKIM1; k=rsa; p=",
        };
        let record = dkim::parse(&format!("{head}{written}"));
        let is_as_written = written == text.value;
        let stops = |issue: &&crate::mail::issue::Issue<dkim::Kind>| {
            issue.severity == Severity::Error && matches!(issue.kind, dkim::Kind::Malformed | dkim::Kind::PrivateKey)
        };
        let wrong: Vec<_> = record.issues.iter().filter(stops).collect();
        if wrong.is_empty() {
            return Some(text.map(PublicKey(record.text)));
        }
        let is_private = record.has(dkim::Kind::PrivateKey);
        if is_private {
            // Nothing that is shown from now on may hold it.
            Secret::new(&text.value);
            reader.masks.push(text.range.clone());
        }
        for issue in wrong {
            let span = issue.span.start.saturating_sub(head.len())..issue.span.end.saturating_sub(head.len());
            let range = if is_private || !is_as_written {
                text.range.clone()
            } else {
                text.part(&span)
            };
            let code = if is_private { PRIVATE_KEY } else { "dkim-malformed" };
            let mut finding = Diagnostic::error(code, issue.message.clone()).at(reader.place(&range));
            finding.help.extend(issue.help.clone());
            if is_private {
                finding =
                    finding.help("whoever has it can sign as this domain: make a new pair with `launchctl dkim new`");
            }
            reader.diagnostics.push(finding);
        }
        None
    }
}

words!(Qualifier, "answer for everybody else", {
    "softfail" => Qualifier::SoftFail, "fail" => Qualifier::Fail, "neutral" => Qualifier::Neutral,
});
words!(Policy, "DMARC policy", {
    "none" => Policy::None, "quarantine" => Policy::Quarantine, "reject" => Policy::Reject,
});
words!(Alignment, "alignment", { "relaxed" => Alignment::Relaxed, "strict" => Alignment::Strict });
words!(Mode, "mode of MTA-STS", { "testing" => Mode::Testing, "enforce" => Mode::Enforce, "none" => Mode::None });

/// A key as consoles and zone files show it, on one line: lines joined, and quoted strings too. Line breaks and quotes
/// are how it was copied; no tag and no base64 text needs one.
fn unfolded(text: &str) -> String {
    let joined: String = text.lines().map(str::trim).collect();
    let is_quoted = joined.len() >= 2 && joined.starts_with('"') && joined.ends_with('"');
    // Between two strings there is nothing (RFC 6376 §3.6.2.2), however far apart they are written.
    let unquoted = if is_quoted {
        joined
            .split('"')
            .enumerate()
            .filter(|(at, _)| at % 2 == 1)
            .map(|(_, string)| string)
            .collect()
    } else {
        joined
    };
    unquoted.trim().to_owned()
}

/// A time in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) u64);

/// Reads a text by `parse`, or says what was expected.
fn parsed<T>(node: &Node, reader: &mut Reader<'_>, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<At<T>> {
    let text = reader.text(node, expected)?;
    if let Some(value) = parse(&text.value) {
        return Some(text.map(value));
    }
    let shown = text::shorten(&text::sanitize(&text.value), 40);
    let finding =
        Diagnostic::error("wrong-value", format!("`{shown}` is not {expected}")).at(reader.place(&text.range));
    reader.diagnostics.push(finding);
    None
}

impl Shape for At<Seconds> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": ["string", "integer"] })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        parsed(node, reader, "a time such as 7d or 604800", |text| {
            parse_seconds(text).map(Seconds)
        })
    }
}

impl Shape for At<u16> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": "integer", "minimum": 0, "maximum": 65535 })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        parsed(node, reader, "a number from 0 to 65535", |text| text.parse().ok())
    }
}

impl Shape for At<Date> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": "string", "format": "date" })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        parsed(node, reader, "a day such as 2026-12-01", |text| text.parse().ok())
    }
}
