//! The part of the spec language that is about the edge: redirects, TLS, settings, and rules. As in [`super::raw`], the
//! doc comments are the descriptions in the schema, and nothing is judged beyond a single value.

use serde_json::{Map, Value as Json, json};

use super::basic::Table;
use super::shape::{At, Reader, Shape, Text, shape, words};
use super::yaml::{Node, Value};
use crate::base::diagnostic::Diagnostic;
use crate::base::text;
use crate::model::rule::Lifetime;
use crate::model::ttl::parse_seconds;

shape! {
    /// A redirect. The first that fits a request ends it, so their order matters.
    Redirect {
        /// Its name, which also tells it from others.
        "name" name: Text, required, example "www to apex";
        /// For a rule that somebody else made: what it bears at the provider, where its name alone does not tell which
        /// one is meant. `import` writes it.
        "ref" reference: Text;
        /// The URLs that it starts from: a host and a path, the scheme when only one is meant, each `*` for any run of
        /// characters. A query, when one is said, has to be there too.
        "from" from: Text, example "https://www.acme.example/*", example "acme.example/pricing.html";
        /// Instead of `from`: which requests are meant, in the provider's own language.
        "expression" expression: Text;
        /// Where it leads. `${1}` is what the first `*` of host and path took, `${2}` the second, and so on.
        "to" to: Text, example "https://acme.example/${1}";
        /// Instead of `to`: what gives the URL, in the provider's own language.
        "to_expression" to_expression: Text;
        /// The HTTP status: 301 and 308 are remembered by browsers, 302, 303 and 307 are not.
        "status" status: At<Status>, required;
        /// Whether the query of the request goes along.
        "keep_query" keep_query: At<bool>, default "false";
        /// Whether it is in force.
        "enabled" enabled: At<bool>, default "true";
    }
}

shape! {
    /// A file of redirects from whole URLs, and what holds for rows that say nothing else.
    RedirectFile {
        /// The CSV file, from the folder of the spec on. Its first line names the columns: `from` (a host and a path, the
        /// scheme when only one is meant) and `to` (a URL), and as wanted `status` (301, 302, 307, 308), `keep_query`,
        /// `subdomains` and `subpaths` (hosts and paths below are meant too), `keep_path` (what follows the path goes
        /// along) and `comment`.
        "file" file: Text, required, example "old-urls.csv";
        /// The HTTP status of rows that say none.
        "status" status: At<ListStatus>, default "301";
        /// Whether the query of the request goes along, for rows that do not say it.
        "keep_query" keep_query: At<bool>, default "false";
    }
}

/// A file of redirects: its name alone, or with what holds for its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RedirectListFile(pub(super) RedirectFile);

impl Shape for RedirectListFile {
    fn schema(definitions: &mut Map<String, Json>) -> Json {
        json!({ "anyOf": [{ "type": "string" }, RedirectFile::schema(definitions)] })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if !matches!(node.value, Value::Scalar(_)) {
            return RedirectFile::read(node, reader).map(Self);
        }
        let file = reader.text(node, "the name of a CSV file")?;
        Some(Self(RedirectFile {
            at: file.range.clone(),
            keys: std::collections::BTreeMap::new(),
            file: Some(file),
            status: None,
            keep_query: None,
        }))
    }
}

shape! {
    /// Which requests are meant. Everything that is said has to hold.
    Match {
        /// The host, or several of which one has to fit, each a name or a glob.
        "host" host: Several, example "app.acme.example";
        /// The path, or several of which one has to fit, each a path or a glob.
        "path" path: Several, example "/assets/*";
        /// The HTTP methods, of which one has to fit.
        "methods" methods: Vec<Text>, example "POST";
        /// Requests that are not meant.
        "not" not: Box<Match>;
        /// What has to hold in the provider's own language.
        "expression" expression: Text;
    }
}

shape! {
    /// How TLS is spoken, and HTTPS insisted on.
    Tls {
        /// How the edge speaks to the origin: `strict` checks its certificate, `full` takes any, `flexible` speaks
        /// plain HTTP, `off` serves no HTTPS at all.
        "mode" mode: At<TlsMode>;
        /// The lowest version of TLS that is spoken with browsers.
        "min_version" min_version: At<TlsVersion>;
        /// Whether TLS 1.3 is spoken.
        "tls_1_3" version_1_3: At<bool>;
        /// Whether plain HTTP is redirected to HTTPS.
        "always_https" always_https: At<bool>;
        /// Whether links to plain HTTP in pages are rewritten.
        "automatic_https_rewrites" automatic_https_rewrites: At<bool>;
        /// HTTP Strict Transport Security (RFC 6797).
        "hsts" hsts: Hsts;
    }
}

shape! {
    /// HTTP Strict Transport Security: browsers insist on HTTPS for a time.
    Hsts {
        /// Whether it is sent at all.
        "enabled" enabled: At<bool>, default "true";
        /// For how long browsers insist, as a duration such as `365d`.
        "max_age" max_age: At<Duration>, example "365d";
        /// Whether every name below is meant too.
        "include_subdomains" include_subdomains: At<bool>, default "false";
        /// Whether browsers may carry the domain in their lists.
        "preload" preload: At<bool>, default "false";
        /// Whether browsers are told not to guess content types.
        "nosniff" nosniff: At<bool>, default "false";
    }
}

shape! {
    /// What is cached, and for how long. Rules stack: a later one wins.
    CacheRule {
        /// Its name, which also tells it from others.
        "name" name: Text, required, example "static assets";
        /// For a rule that somebody else made: what it bears at the provider, where its name alone does not tell which
        /// one is meant. `import` writes it.
        "ref" reference: Text;
        /// Which requests are meant.
        "match" matching: Match, required;
        /// Whether these requests never come from the cache.
        "bypass" bypass: At<bool>, default "false";
        /// How long the edge keeps an answer: a duration, `respect_origin`, or `origin_or_not` for what the origin says
        /// and nothing when it says nothing.
        "edge_ttl" edge_ttl: At<Lifetime>, example "30d";
        /// How long browsers keep it: a duration, `respect_origin` or `bypass`.
        "browser_ttl" browser_ttl: At<Lifetime>, example "1d";
        /// Short for both lifetimes as the origin says.
        "respect_origin" respect_origin: At<bool>, default "false";
        /// Whether it is in force.
        "enabled" enabled: At<bool>, default "true";
    }
}

shape! {
    /// Headers that are changed at the edge. Rules stack: a later one wins.
    HeaderRule {
        /// Its name, which also tells it from others.
        "name" name: Text, required, example "security headers";
        /// For a rule that somebody else made: what it bears at the provider, where its name alone does not tell which
        /// one is meant. `import` writes it.
        "ref" reference: Text;
        /// Which requests are meant; without it, all.
        "match" matching: Match;
        /// Headers that have these values and no others.
        "set" set: Table<Text>;
        /// Headers that have what these expressions of the provider's own language give.
        "set_expression" set_expression: Table<Text>;
        /// Headers that have these values beside those that they have.
        "add" add: Table<Text>;
        /// Headers that are taken away.
        "remove" remove: Vec<Text>, example "X-Powered-By";
        /// Whether it is in force.
        "enabled" enabled: At<bool>, default "true";
    }
}

shape! {
    /// How many requests are let through.
    RateLimit {
        /// Its name, which also tells it from others.
        "name" name: Text, required, example "login";
        /// For a rule that somebody else made: what it bears at the provider, where its name alone does not tell which
        /// one is meant. `import` writes it.
        "ref" reference: Text;
        /// Which requests are counted.
        "match" matching: Match, required;
        /// How many are let through.
        "requests" requests: At<u32>, required, example "5";
        /// In which time, as a duration.
        "per" per: At<Duration>, required, example "10s";
        /// How long the rest is refused, as a duration.
        "block_for" block_for: At<Duration>, required, example "10s";
        /// What is counted apart, in the provider's own words; without it, addresses of clients.
        "by" by: Vec<Text>, example "ip.src";
        /// What happens to the rest.
        "action" action: Text, default "block", example "managed_challenge";
        /// Whether it is in force.
        "enabled" enabled: At<bool>, default "true";
    }
}

shape! {
    /// Requests that are blocked or challenged. The first that blocks ends a request.
    FirewallRule {
        /// Its name, which also tells it from others.
        "name" name: Text, required, example "no admin from outside";
        /// For a rule that somebody else made: what it bears at the provider, where its name alone does not tell which
        /// one is meant. `import` writes it.
        "ref" reference: Text;
        /// Which requests are meant.
        "match" matching: Match, required;
        /// What happens to them.
        "action" action: Text, required, example "block";
        /// Whether it is in force.
        "enabled" enabled: At<bool>, default "true";
    }
}

shape! {
    /// Settings that differ for some requests. Rules stack: a later one wins.
    ConfigRule {
        /// Its name, which also tells it from others.
        "name" name: Text, required, example "legacy host";
        /// For a rule that somebody else made: what it bears at the provider, where its name alone does not tell which
        /// one is meant. `import` writes it.
        "ref" reference: Text;
        /// Which requests are meant.
        "match" matching: Match, required;
        /// The settings by the provider's own ids.
        "set" set: Table<Free>, required;
        /// Whether it is in force.
        "enabled" enabled: At<bool>, default "true";
    }
}

/// The HTTP status of a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Status(pub(super) u16);

words!(Status, "status of a redirect", {
    "301" => Status(301), "302" => Status(302), "303" => Status(303), "307" => Status(307), "308" => Status(308),
}, numbers);

/// The HTTP status of a redirect in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListStatus(pub(super) u16);

words!(ListStatus, "status of a listed redirect", {
    "301" => ListStatus(301), "302" => ListStatus(302), "307" => ListStatus(307), "308" => ListStatus(308),
}, numbers);

/// How the edge speaks to the origin, in the language's own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TlsMode(pub(super) &'static str);

words!(TlsMode, "TLS mode", {
    "off" => TlsMode("off"), "flexible" => TlsMode("flexible"), "full" => TlsMode("full"), "strict" => TlsMode("strict"),
});

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TlsVersion(pub(super) &'static str);

words!(TlsVersion, "version of TLS", {
    "1.0" => TlsVersion("1.0"), "1.1" => TlsVersion("1.1"), "1.2" => TlsVersion("1.2"), "1.3" => TlsVersion("1.3"),
}, numbers);

/// One text, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Several(pub(super) Vec<Text>);

impl Shape for Several {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": ["string", "array"], "items": { "type": "string" } })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Sequence(_) => Vec::<Text>::read(node, reader).map(Self),
            _ => reader
                .text(node, "a text or a list of them")
                .map(|text| Self(vec![text])),
        }
    }
}

impl<T: Shape> Shape for Box<T> {
    fn schema(definitions: &mut Map<String, Json>) -> Json {
        T::schema(definitions)
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(node, reader).map(Self::new)
    }
}

/// A value whose form depends on what it is the value of: texts, lists and keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Free {
    /// The value: every scalar is a text.
    pub(super) value: Json,
    /// Where it stands.
    pub(super) range: std::ops::Range<usize>,
}

/// How deep such a value may be. What providers keep is two levels deep at most.
const DEEPEST: usize = 4;

impl Shape for Free {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": ["string", "number", "boolean", "array", "object"] })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let value = free(node, reader, DEEPEST)?;
        Some(Self {
            value,
            range: node.range.clone(),
        })
    }
}

fn free(node: &Node, reader: &mut Reader<'_>, depth: usize) -> Option<Json> {
    match &node.value {
        Value::Sequence(items) if depth > 0 => {
            let all: Vec<Option<Json>> = items.iter().map(|item| free(item, reader, depth - 1)).collect();
            all.into_iter().collect::<Option<Vec<_>>>().map(Json::Array)
        }
        Value::Mapping(entries) if depth > 0 => {
            let mut all = Map::new();
            for entry in entries {
                all.insert(entry.key.text.clone(), free(&entry.value, reader, depth - 1)?);
            }
            Some(Json::Object(all))
        }
        _ => reader.text(node, "a value").map(|text| Json::String(text.value)),
    }
}

/// Seconds, written as a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Duration(pub(super) u32);

fn seconds(text: &str) -> Option<u32> {
    parse_seconds(text).and_then(|seconds| u32::try_from(seconds).ok())
}

const DURATION: &str = "([0-9]+|([0-9]+[smhdwSMHDW])+)";

fn bad_duration(text: &Text, label: &str, reader: &mut Reader<'_>) {
    let shown = text::shorten(&text::sanitize(&text.value), 40);
    let finding = Diagnostic::error("bad-duration", format!("`{shown}` is no time"))
        .at(reader.place(&text.range))
        .label(label.to_owned());
    reader.diagnostics.push(finding);
}

impl Shape for At<Duration> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": ["string", "integer"], "pattern": format!("^{DURATION}$|\\$\\{{") })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "a duration")?;
        let Some(seconds) = seconds(&text.value) else {
            bad_duration(&text, "write seconds, or a duration such as 10s, 5m, 1h or 30d", reader);
            return None;
        };
        Some(text.map(Duration(seconds)))
    }
}

impl Shape for At<Lifetime> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({
            "type": ["string", "integer"],
            "pattern": format!("^(respect_origin|origin_or_not|bypass|{DURATION})$|\\$\\{{"),
        })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "a duration")?;
        let lifetime = match text.value.as_str() {
            "respect_origin" => Some(Lifetime::RespectOrigin),
            "origin_or_not" => Some(Lifetime::OriginOrNot),
            "bypass" => Some(Lifetime::Bypass),
            other => seconds(other).map(Lifetime::Seconds),
        };
        let Some(lifetime) = lifetime else {
            let label = "write a duration such as 30d, or respect_origin; `edge_ttl` also takes origin_or_not, `browser_ttl` bypass";
            bad_duration(&text, label, reader);
            return None;
        };
        Some(text.map(lifetime))
    }
}

impl Shape for At<u32> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": "integer", "minimum": 1 })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "a number")?;
        match text.value.parse::<u32>() {
            Ok(number) if number > 0 => Some(text.map(number)),
            _ => {
                let shown = text::shorten(&text::sanitize(&text.value), 40);
                let finding = Diagnostic::error("wrong-value", format!("`{shown}` is no number from 1 on"))
                    .at(reader.place(&text.range));
                reader.diagnostics.push(finding);
                None
            }
        }
    }
}
