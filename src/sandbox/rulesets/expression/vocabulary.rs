//! The words of the rules language that the stand-in knows (facts §5.5): fields, functions, operators. One that is not
//! here is refused, as a misspelt one must be.

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    /// True or false: what a filter comes to.
    Flag,
    Address,
    /// Texts in order.
    Texts,
    /// Texts in order under a name.
    Map,
}

use Kind::{Address, Flag, Map, Number, Text, Texts};

/// What stands in a field; none when there is no such field. The flag says that only a response has it.
pub(super) fn field(name: &str) -> Option<(Kind, bool)> {
    let found = FIELDS.iter().find(|(known, _)| *known == name);
    found.map(|(name, kind)| {
        let is_of_response = name.starts_with("http.response.") || name.starts_with("cf.response.");
        (*kind, is_of_response)
    })
}

const FIELDS: &[(&str, Kind)] = &[
    ("cf.bot_management.score", Number),
    ("cf.bot_management.verified_bot", Flag),
    ("cf.client.bot", Flag),
    ("cf.edge.server_ip", Address),
    ("cf.edge.server_port", Number),
    ("cf.hostname.metadata", Text),
    ("cf.ray_id", Text),
    ("cf.response.1xxx_code", Number),
    ("cf.response.error_type", Text),
    ("cf.threat_score", Number),
    ("cf.tls_cipher", Text),
    ("cf.tls_client_auth.cert_presented", Flag),
    ("cf.tls_client_auth.cert_verified", Flag),
    ("cf.tls_version", Text),
    ("cf.verified_bot_category", Text),
    ("cf.waf.score", Number),
    ("cf.worker.upstream_zone", Text),
    ("cf.zone.name", Text),
    ("cf.zone.plan", Text),
    ("http.cookie", Text),
    ("http.host", Text),
    ("http.referer", Text),
    ("http.request.accepted_languages", Texts),
    ("http.request.body.form", Map),
    ("http.request.body.mime", Text),
    ("http.request.body.raw", Text),
    ("http.request.body.size", Number),
    ("http.request.body.truncated", Flag),
    ("http.request.cookies", Map),
    ("http.request.full_uri", Text),
    ("http.request.headers", Map),
    ("http.request.headers.names", Texts),
    ("http.request.headers.truncated", Flag),
    ("http.request.headers.values", Texts),
    ("http.request.method", Text),
    ("http.request.timestamp.msec", Number),
    ("http.request.timestamp.sec", Number),
    ("http.request.uri", Text),
    ("http.request.uri.args", Map),
    ("http.request.uri.args.names", Texts),
    ("http.request.uri.args.values", Texts),
    ("http.request.uri.path", Text),
    ("http.request.uri.path.extension", Text),
    ("http.request.uri.query", Text),
    ("http.request.version", Text),
    ("http.response.code", Number),
    ("http.response.content_type.media_type", Text),
    ("http.response.headers", Map),
    ("http.response.headers.names", Texts),
    ("http.response.headers.values", Texts),
    ("http.user_agent", Text),
    ("http.x_forwarded_for", Text),
    ("ip.geoip.asnum", Number),
    ("ip.geoip.continent", Text),
    ("ip.geoip.country", Text),
    ("ip.geoip.is_in_european_union", Flag),
    ("ip.src", Address),
    ("ip.src.asnum", Number),
    ("ip.src.city", Text),
    ("ip.src.continent", Text),
    ("ip.src.country", Text),
    ("ip.src.is_in_european_union", Flag),
    ("ip.src.lat", Text),
    ("ip.src.lon", Text),
    ("ip.src.postal_code", Text),
    ("ip.src.region", Text),
    ("ip.src.region_code", Text),
    ("ip.src.timezone.name", Text),
    ("raw.http.request.full_uri", Text),
    ("raw.http.request.uri", Text),
    ("raw.http.request.uri.args", Map),
    ("raw.http.request.uri.path", Text),
    ("raw.http.request.uri.path.extension", Text),
    ("raw.http.request.uri.query", Text),
    ("raw.http.response.headers", Map),
    ("ssl", Flag),
];

/// What a function wants in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    /// A text, from a field or written.
    Text,
    /// A text that is written.
    Literal,
    /// A number that is written.
    Integer,
    /// Something that can be made a text.
    Scalar,
    /// Many flags, as a comparison of `[*]` gives them.
    Flags,
    /// A map or a list of texts.
    Collection,
    /// Texts in order.
    Texts,
}

/// A function.
#[derive(Debug, Clone, Copy)]
pub(super) struct Function {
    pub(super) name: &'static str,
    /// What it must be given.
    pub(super) wants: &'static [Wants],
    /// What it may be given beyond, as often as `most` allows.
    pub(super) more: Option<Wants>,
    /// How many arguments at most.
    pub(super) most: usize,
    pub(super) gives: Kind,
    /// Whether it stands only where a value is made, and there once.
    pub(super) is_rewrite: bool,
    /// Whether it needs a plan with regular expressions.
    pub(super) is_regex: bool,
}

pub(super) fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

const fn plain(name: &'static str, wants: &'static [Wants], gives: Kind) -> Function {
    Function {
        name,
        wants,
        more: None,
        most: wants.len(),
        gives,
        is_rewrite: false,
        is_regex: false,
    }
}

const fn more(function: Function, more: Wants, most: usize) -> Function {
    Function {
        more: Some(more),
        most,
        ..function
    }
}

const fn rewriting(function: Function) -> Function {
    Function {
        is_rewrite: true,
        ..function
    }
}

const FUNCTIONS: &[Function] = &[
    plain("all", &[Wants::Flags], Flag),
    plain("any", &[Wants::Flags], Flag),
    more(plain("concat", &[Wants::Text], Text), Wants::Text, 64),
    plain("decode_base64", &[Wants::Text], Text),
    plain("encode_base64", &[Wants::Text], Text),
    plain("ends_with", &[Wants::Text, Wants::Literal], Flag),
    plain("has_key", &[Wants::Collection, Wants::Literal], Flag),
    plain("has_value", &[Wants::Collection, Wants::Literal], Flag),
    plain("join", &[Wants::Texts, Wants::Literal], Text),
    plain("len", &[Wants::Text], Number),
    more(
        plain("lookup_json_string", &[Wants::Text, Wants::Literal], Text),
        Wants::Literal,
        16,
    ),
    plain("lower", &[Wants::Text], Text),
    Function {
        is_regex: true,
        ..rewriting(plain(
            "regex_replace",
            &[Wants::Text, Wants::Literal, Wants::Literal],
            Text,
        ))
    },
    plain("remove_bytes", &[Wants::Text, Wants::Literal], Text),
    more(
        plain("remove_query_args", &[Wants::Text, Wants::Literal], Text),
        Wants::Literal,
        64,
    ),
    plain("split", &[Wants::Text, Wants::Literal, Wants::Integer], Texts),
    plain("starts_with", &[Wants::Text, Wants::Literal], Flag),
    more(
        plain("substring", &[Wants::Text, Wants::Integer], Text),
        Wants::Integer,
        3,
    ),
    plain("to_string", &[Wants::Scalar], Text),
    plain("upper", &[Wants::Text], Text),
    more(plain("url_decode", &[Wants::Text], Text), Wants::Literal, 2),
    more(
        rewriting(plain(
            "wildcard_replace",
            &[Wants::Text, Wants::Literal, Wants::Literal],
            Text,
        )),
        Wants::Literal,
        4,
    ),
];

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Order,
    Contains,
    Matches,
    Wildcard,
    In,
}

/// An operator, in letters or in signs.
pub(super) fn operator(text: &str) -> Option<Operator> {
    Some(match text {
        "eq" | "==" | "ne" | "!=" => Operator::Equal,
        "lt" | "<" | "le" | "<=" | "gt" | ">" | "ge" | ">=" => Operator::Order,
        "contains" => Operator::Contains,
        "matches" | "~" => Operator::Matches,
        "wildcard" => Operator::Wildcard,
        "in" => Operator::In,
        _ => return None,
    })
}
