//! The spec language as it is written: which keys there are, what they hold and what they mean. The doc comments here
//! are the descriptions in the schema. Nothing is judged here beyond a single value; that is for `lower` and `lint`.

use serde_json::{Map, Value as Json, json};

use super::basic::{Items, Literal, Table};
use super::raw_edge::{
    CacheRule, ConfigRule, FirewallRule, Free, HeaderRule, RateLimit, Redirect, RedirectListFile, Tls,
};
use super::raw_mail::Email;
use super::raw_uptime::Uptime;
use super::shape::{At, Reader, Shape, Text, shape, words};
use super::yaml::Node;
use crate::base::diagnostic::Diagnostic;
use crate::base::secret::SecretReference;
use crate::base::text;
use crate::model::inventory::{Protection, Unmanaged};
use crate::model::name::DomainName;
use crate::model::record::RecordType;
use crate::model::ttl::Ttl;

shape! {
    /// Everything that stands around a web product, declared in one file.
    Launch {
        /// The version of this language: 1.
        "version" version: At<Version>, required;
        /// What is launched, in a few words. Shown in reports; nothing depends on it.
        "project" project: Text;
        /// Who is asked and with which credential. A value is never written here, only where it is kept.
        "providers" providers: Table<Provider>;
        /// Values for `${NAME}` anywhere in a text below, each a text or `env:NAME`; `--var NAME=VALUE` overrides.
        "vars" vars: Table<Literal>;
        /// The DNS zones by name, each with what it holds.
        "zones" zones: Table<Zone>;
        /// What is watched from outside, and who is told.
        "uptime" uptime: Uptime;
    }
    later ["environment", "verify", "handover"]
}

shape! {
    /// An account at a provider.
    Provider {
        /// Where the credential is kept: `env:NAME`, `keyring:NAME` or `file:PATH`. Without it, the provider's usual
        /// environment variable is used.
        "token" token: At<SecretReference>, example "env:CLOUDFLARE_API_TOKEN";
        /// The account's id at the provider, for `betterstack` the team's name; only needed when a token sees several.
        "account" account: Text;
        /// Another address for the provider's API; an environment variable such as `CLOUDFLARE_BASE_URL` overrides it.
        "base_url" base_url: Text;
        /// For `rfc2136`: the primary server that takes dynamic updates and transfers the zone, as HOST or HOST:PORT; the
        /// environment variable `RFC2136_SERVER` overrides it. The token there is the TSIG key as `dig -y` takes it:
        /// `NAME:SECRET` for hmac-sha256, or `hmac-sha512:NAME:SECRET`.
        "server" server: Text, example "ns1.acme.example", example "192.0.2.53:53";
        /// For `prometheus`: the folder that its files are written into, which the three servers read.
        "directory" directory: Text, example "/etc/prometheus/launchctl";
        /// For `prometheus`: the address of the Alertmanager.
        "alertmanager" alertmanager: Text, default "http://127.0.0.1:9093";
        /// For `prometheus`: the address of the blackbox exporter.
        "blackbox" blackbox: Text, default "http://127.0.0.1:9115";
        /// For `prometheus`: the mail server that the Alertmanager sends through, as HOST:PORT.
        "smarthost" smarthost: Text, default "localhost:25";
    }
}

shape! {
    /// A DNS zone: who keeps it, how what nobody declared is treated, and what it holds.
    Zone {
        /// The provider that keeps the zone.
        "provider" provider: Text, required, example "cloudflare", example "powerdns", example "rfc2136";
        /// What happens to what is live and not declared here: `keep` lists it and leaves it alone, `delete` plans its
        /// removal.
        "unmanaged" unmanaged: At<Unmanaged>, default "keep";
        /// Records that no plan may change or delete, each as `TYPE NAME` with globs. The zone's own NS and SOA records
        /// are always protected.
        "protect" protect: Vec<At<Protection>>, example "NS *", example "* _acme-challenge*";
        /// The TTL of records that say none: `auto`, seconds, or a duration such as `5m` or `1h`. With `powerdns` and
        /// `rfc2136`, which have no TTL of their own to fall back on, `auto` is one hour.
        "ttl" ttl: At<Ttl>, default "auto", example "5m";
        /// Whether to create the zone when the account does not have it.
        "create" create: At<bool>, default "false";
        /// With `create: true` at `powerdns`: the name servers that the new zone is made with, as whole names. They stand
        /// in its NS records and are what the registrar is to be told.
        "name_servers" name_servers: Vec<Text>, example "ns1.example.net";
        /// Codes of warnings, and of findings about mail, that were read and are meant: they are no longer shown.
        "accept" accept: Vec<Text>, example "tls-flexible";
        /// The DNS records. A declared name and type is owned whole; TXT values stand each on its own.
        "records" records: Vec<Record>;
        /// Whether the zone is signed (DNSSEC). The DS record for the registrar is printed.
        "dnssec" dnssec: At<bool>;
        /// Redirects at the edge, in order.
        "redirects" redirects: Vec<Redirect>;
        /// Redirects from a CSV file, for old URLs by the hundred that each have a new one.
        "redirect_list" redirect_list: RedirectListFile, example "old-urls.csv";
        /// How TLS is spoken, and HTTPS insisted on.
        "tls" tls: Tls;
        /// Any other setting of the zone, by the provider's own id.
        "settings" settings: Table<Free>;
        /// What is cached, in order: a later rule wins.
        "cache" cache: Vec<CacheRule>;
        /// Headers of responses, in order: a later rule wins.
        "headers" headers: Vec<HeaderRule>;
        /// Headers of requests on their way to the origin, in order: a later rule wins.
        "request_headers" request_headers: Vec<HeaderRule>;
        /// How many requests are let through, in order.
        "rate_limits" rate_limits: Vec<RateLimit>;
        /// Requests that are blocked or challenged, in order.
        "firewall" firewall: Vec<FirewallRule>;
        /// Settings that differ for some requests, in order: a later rule wins.
        "config_rules" config_rules: Vec<ConfigRule>;
        /// Mail of the domain: who receives, who sends, and what receivers are told. `parked` refuses all of it.
        "email" email: Email, example "parked";
    }
}

shape! {
    /// A DNS record, or several of one name and type.
    Record {
        /// The type of the record.
        "type" kind: At<RecordType>, required;
        /// The name: `@` for the zone itself, relative to the zone, or whole with a final dot. `*` and international
        /// names are taken.
        "name" name: Text, required, example "www", example "@";
        /// The data, as a zone file writes it. A TXT value is one text of any length: quoting and splitting is done for
        /// you.
        "value" value: Text, example "203.0.113.10", example "10 mail.acme.example";
        /// Several values of this name and type. An empty list declares that there shall be none.
        "values" values: Items<Text>;
        /// How long an answer may be kept: `auto`, seconds, or a duration such as `5m`. Without it, the zone's.
        "ttl" ttl: At<Ttl>, example "5m";
        /// Whether the provider's edge stands in front (A, AAAA and CNAME).
        "proxied" proxied: At<bool>, default "false";
        /// A note kept with the record at the provider. Not said: what is there stays; empty: none.
        "comment" comment: Text;
        /// Labels kept with the record at the provider, as NAME or NAME:VALUE. Not said: what is there stays; empty:
        /// none.
        "tags" tags: Items<Text>;
    }
}

/// The version of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version;

impl Shape for At<Version> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "const": 1 })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "the number 1")?;
        if text.value == "1" {
            return Some(text.map(Version));
        }
        let shown = text::shorten(&text::sanitize(&text.value), 40);
        let finding = Diagnostic::error(
            "wrong-version",
            format!("version `{shown}` of the spec language is not known"),
        )
        .at(reader.place(&text.range))
        .label("this launchctl reads version 1");
        reader.diagnostics.push(finding);
        None
    }
}

words!(Unmanaged, "way to treat what is unmanaged", { "keep" => Unmanaged::Keep, "delete" => Unmanaged::Delete });

impl Shape for At<RecordType> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        let names: Vec<&str> = RecordType::declarable().map(RecordType::as_str).collect();
        json!({ "type": "string", "enum": names })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "a record type")?;
        if let Some(kind) = RecordType::parse(&text.value).filter(|kind| *kind != RecordType::Soa) {
            return Some(text.map(kind));
        }
        let help = match text.value.to_ascii_uppercase().as_str() {
            "SOA" => Some("the SOA record belongs to the provider and is never managed".to_owned()),
            "SPF" => Some("the SPF type is obsolete (RFC 7208 §3.1): write it as TXT".to_owned()),
            "ANAME" => Some("write an ALIAS where the provider keeps it, or a CNAME where it flattens one".to_owned()),
            _ => None,
        };
        let shown = text::shorten(&text::sanitize(&text.value), 40);
        let names = RecordType::declarable().map(RecordType::as_str);
        let label = match (&help, text::nearest(&text.value, names)) {
            (None, Some(near)) => format!("did you mean `{near}`?"),
            _ => "expected a record type".to_owned(),
        };
        let mut finding = Diagnostic::error(
            "unknown-type",
            format!("`{shown}` is no record type that can be declared"),
        )
        .at(reader.place(&text.range))
        .label(label);
        finding.help.extend(help.or_else(|| {
            let names: Vec<&str> = RecordType::declarable().map(RecordType::as_str).collect();
            Some(format!("known are {}", names.join(", ")))
        }));
        reader.diagnostics.push(finding);
        None
    }
}

impl Shape for At<Ttl> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": ["string", "integer"], "pattern": "^(auto|[0-9]+|([0-9]+[smhdwSMHDW])+)$|\\$\\{" })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "a TTL")?;
        match Ttl::parse(&text.value) {
            Ok(ttl) => Some(text.map(ttl)),
            Err(_) => {
                let shown = text::shorten(&text::sanitize(&text.value), 40);
                let finding = Diagnostic::error("bad-ttl", format!("`{shown}` is no TTL"))
                    .at(reader.place(&text.range))
                    .label("write auto, seconds, or a duration such as 5m, 1h or 2d");
                reader.diagnostics.push(finding);
                None
            }
        }
    }
}

impl Shape for At<Protection> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": "string", "pattern": "^\\s*\\S+\\s+\\S+\\s*$" })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "TYPE NAME")?;
        let words: Vec<&str> = text.value.split_whitespace().collect();
        let [kind, name] = words.as_slice() else {
            let finding = Diagnostic::error("bad-protect", "a rule of `protect` is a type and a name")
                .at(reader.place(&text.range))
                .label("write TYPE NAME, such as \"NS *\" or \"* _acme-challenge*\"");
            reader.diagnostics.push(finding);
            return None;
        };
        let kind = kind.to_ascii_uppercase();
        if !kind.contains(['*', '?']) && RecordType::parse(&kind).is_none() {
            let span = text.value.find(words[0]).map_or(0..0, |at| at..at + words[0].len());
            let mut finding =
                Diagnostic::error("unknown-type", format!("`{}` is no record type", text::sanitize(&kind)))
                    .at(reader.place(&text.part(&span)));
            let names = RecordType::declarable().map(RecordType::as_str);
            finding.label = text::nearest(&kind, names).map(|near| format!("did you mean `{near}`?"));
            reader.diagnostics.push(finding);
            return None;
        }
        let Some(name) = canonical_pattern(name) else {
            let message = "a name with `*` or `?` and letters beyond ASCII cannot be compared with names in DNS";
            let finding = Diagnostic::error("bad-protect", message)
                .at(reader.place(&text.range))
                .label("write it without globs, or in its xn-- form");
            reader.diagnostics.push(finding);
            return None;
        };
        Some(text.map(Protection { kind, name }))
    }
}

impl Shape for At<SecretReference> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": "string", "pattern": "^(env:[A-Za-z0-9_]+|keyring:.+|file:.+)$" })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(text) = reader.text(node, "where the credential is kept") else {
            // Whatever stands there instead may hold one.
            reader.mask(node);
            return None;
        };
        match text.value.parse::<SecretReference>() {
            Ok(SecretReference::Env(name)) if looks_like_a_credential(&name) => {
                crate::base::secret::Secret::new(&name);
                reader.masks.push(text.range.clone());
                let finding = Diagnostic::error(
                    "bad-credential-reference",
                    "what follows `env:` looks like a credential",
                )
                .at(reader.place(&text.range))
                .label("write the name of the variable that holds it, such as env:CLOUDFLARE_API_TOKEN")
                .help("if a credential stood here, it may have been committed: replace it at the provider");
                reader.diagnostics.push(finding);
                None
            }
            Ok(reference) => Some(text.map(reference)),
            Err(_) if looks_like_a_variable(&text.value) => {
                let finding =
                    Diagnostic::error("bad-credential-reference", "a credential is named by where it is kept")
                        .at(reader.place(&text.range))
                        .label(format!("did you mean `env:{}`?", text.value));
                reader.diagnostics.push(finding);
                None
            }
            Err(error) => {
                // It may be a pasted credential: nothing that is shown from now on may hold it.
                crate::base::secret::Secret::new(&text.value);
                reader.masks.push(text.range.clone());
                let finding = Diagnostic::error("bad-credential-reference", error.to_string())
                    .at(reader.place(&text.range))
                    .label("write env:NAME, keyring:NAME or file:PATH")
                    .help("if a credential stood here, it may have been committed: replace it at the provider");
                reader.diagnostics.push(finding);
                None
            }
        }
    }
}

/// A glob over names in the form that names have: lower case, A-labels, no final dot.
fn canonical_pattern(pattern: &str) -> Option<String> {
    let pattern = pattern.strip_suffix('.').unwrap_or(pattern);
    let label = |label: &str| {
        if label.is_ascii() {
            Some(label.to_ascii_lowercase())
        } else if label.contains(['*', '?']) {
            None
        } else {
            DomainName::parse(label).ok().map(|name| name.as_str().to_owned())
        }
    };
    let labels: Option<Vec<String>> = pattern.split('.').map(label).collect();
    labels.map(|labels| labels.join("."))
}

/// The name of an environment variable, by custom: words in capitals.
fn looks_like_a_variable(text: &str) -> bool {
    text.contains('_') && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
}

/// Long, and of all kinds of characters: nobody calls a variable so.
fn looks_like_a_credential(name: &str) -> bool {
    let has = |is: fn(&u8) -> bool| name.as_bytes().iter().any(is);
    let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    is_mixed && (name.len() >= 30 || (name.len() >= 20 && has(u8::is_ascii_uppercase)))
}
