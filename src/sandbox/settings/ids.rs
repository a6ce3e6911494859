//! The settings of a zone by their ids: what each may be, what it is when nobody touched it, and who may change it
//! (facts §4.2). Where the facts name no default, it is the one of a new zone.

use serde_json::{Value, json};

use super::super::plan::Plan;

/// What a value looks like. Numbers are never strings and strings never numbers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// `on` or `off`.
    Toggle,
    /// One of some words.
    Words(&'static [&'static str]),
    /// One of some numbers.
    Numbers(&'static [i64]),
    /// A number between two.
    Range(i64, i64),
    /// Names, none of them twice.
    Names,
    /// `{"strict_transport_security": {…}}`.
    Transport,
    /// An object with `enabled`, and other fields of these names.
    Object(&'static [&'static str]),
}

/// Who may change a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// Zones on this plan or a larger one.
    From(Plan),
    /// Zones with Advanced Certificate Manager.
    CertificateManager,
    /// Nobody: Cloudflare sets it, or it is on its way out.
    Nobody,
}

/// A setting.
pub(super) struct Setting {
    pub(super) id: &'static str,
    pub(super) form: Form,
    /// What it is when nobody touched it.
    pub(super) usual: fn(Plan) -> Value,
    pub(super) gate: Gate,
    /// Whether a value that fits the form is for this plan.
    pub(super) suits: fn(&Value, Plan) -> bool,
}

const ANY: Gate = Gate::From(Plan::Free);
const PRO: Gate = Gate::From(Plan::Pro);
const ENTERPRISE: Gate = Gate::From(Plan::Enterprise);

const BROWSER_TTL: &[i64] = &[
    0, 30, 60, 120, 300, 1_200, 1_800, 3_600, 7_200, 10_800, 14_400, 18_000, 28_800, 43_200, 57_600, 72_000, 86_400,
    172_800, 259_200, 345_600, 432_000, 691_200, 1_382_400, 2_073_600, 2_678_400, 5_356_800, 16_070_400, 31_536_000,
];
const EDGE_TTL: &[i64] = &[
    30, 60, 300, 1_200, 1_800, 3_600, 7_200, 10_800, 14_400, 18_000, 28_800, 43_200, 57_600, 72_000, 86_400, 172_800,
    259_200, 345_600, 432_000, 518_400, 604_800,
];
const CHALLENGE_TTL: &[i64] = &[
    300, 900, 1_800, 2_700, 3_600, 7_200, 10_800, 14_400, 28_800, 57_600, 86_400, 604_800, 2_592_000, 31_536_000,
];
const LEVELS: &[&str] = &["off", "essentially_off", "low", "medium", "high", "under_attack"];
const OPTIMIZATION: &[&str] = &["cf", "wordpress", "wp_plugin", "hostnames", "cache_by_device_type"];

fn off(_: Plan) -> Value {
    json!("off")
}

fn on(_: Plan) -> Value {
    json!("on")
}

/// On where nobody pays for the choice.
fn on_for_free(plan: Plan) -> Value {
    json!(if plan == Plan::Free { "on" } else { "off" })
}

fn always(_: &Value, _: Plan) -> bool {
    true
}

const fn setting(id: &'static str, form: Form, usual: fn(Plan) -> Value, gate: Gate) -> Setting {
    Setting {
        id,
        form,
        usual,
        gate,
        suits: always,
    }
}

const fn toggle(id: &'static str, usual: fn(Plan) -> Value, gate: Gate) -> Setting {
    setting(id, Form::Toggle, usual, gate)
}

/// One on its way out: read, and never changed here.
const fn retired(id: &'static str, usual: fn(Plan) -> Value) -> Setting {
    setting(id, Form::Toggle, usual, Gate::Nobody)
}

/// The floor of the edge's TTL by plan.
fn edge_floor(plan: Plan) -> i64 {
    match plan {
        Plan::Free => 7_200,
        Plan::Pro => 3_600,
        Plan::Business => 1_800,
        Plan::Enterprise => 30,
    }
}

/// The largest upload by plan, in megabytes.
fn upload_ceiling(plan: Plan) -> i64 {
    match plan {
        Plan::Free | Plan::Pro => 100,
        Plan::Business => 200,
        Plan::Enterprise => 5_000,
    }
}

fn no_transport_security(_: Plan) -> Value {
    json!({ "strict_transport_security": {
        "enabled": false, "max_age": 0, "include_subdomains": false, "preload": false, "nosniff": false,
    }})
}

/// The setting with this id.
pub(super) fn find(id: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.id == id)
}

/// All of them.
pub(super) const SETTINGS: &[Setting] = &[
    toggle("0rtt", off, ANY),
    setting(
        "aegis",
        Form::Object(&["pool_id"]),
        |_| json!({ "enabled": false, "pool_id": "" }),
        ENTERPRISE,
    ),
    setting(
        "advanced_ddos",
        Form::Toggle,
        |plan| json!(if plan >= Plan::Business { "on" } else { "off" }),
        Gate::Nobody,
    ),
    toggle("always_online", off, ANY),
    toggle("always_use_https", off, ANY),
    toggle("automatic_https_rewrites", on_for_free, ANY),
    setting(
        "automatic_platform_optimization",
        Form::Object(OPTIMIZATION),
        |_| json!({ "enabled": false, "cf": false, "wordpress": false, "wp_plugin": false, "hostnames": [], "cache_by_device_type": false }),
        PRO,
    ),
    toggle("brotli", on, ANY),
    setting("browser_cache_ttl", Form::Numbers(BROWSER_TTL), |_| json!(14_400), ANY),
    toggle("browser_check", on, ANY),
    setting(
        "cache_level",
        Form::Words(&["aggressive", "basic", "simplified"]),
        |_| json!("aggressive"),
        ANY,
    ),
    setting("challenge_ttl", Form::Numbers(CHALLENGE_TTL), |_| json!(1_800), ANY),
    retired("china_network_enabled", off),
    setting("ciphers", Form::Names, |_| json!([]), Gate::CertificateManager),
    retired("cname_flattening", |_| json!("flatten_at_root")),
    toggle("development_mode", off, ANY),
    toggle("early_hints", off, ANY),
    Setting {
        suits: |value, plan| value.as_i64().is_some_and(|seconds| seconds >= edge_floor(plan)),
        ..setting("edge_cache_ttl", Form::Numbers(EDGE_TTL), |_| json!(7_200), ANY)
    },
    toggle("email_obfuscation", on, ANY),
    toggle("fonts", off, ANY),
    setting("h2_prioritization", Form::Words(&["on", "off", "custom"]), off, PRO),
    toggle("hotlink_protection", off, ANY),
    Setting {
        suits: |value, plan| value != "off" || plan > Plan::Free,
        ..toggle("http2", on, ANY)
    },
    toggle("http3", off, ANY),
    setting("image_resizing", Form::Words(&["on", "off", "open"]), off, PRO),
    toggle("ip_geolocation", on, ANY),
    Setting {
        suits: |value, plan| value != "off" || plan == Plan::Enterprise,
        ..toggle("ipv6", on, ANY)
    },
    // The facts name the two ends of its list and not the steps between.
    Setting {
        suits: |value, plan| {
            value
                .as_i64()
                .is_some_and(|megabytes| megabytes <= upload_ceiling(plan))
        },
        ..setting("max_upload", Form::Range(100, 5_000), |_| json!(100), ANY)
    },
    setting(
        "min_tls_version",
        Form::Words(&["1.0", "1.1", "1.2", "1.3"]),
        |_| json!("1.0"),
        ANY,
    ),
    setting(
        "minify",
        Form::Object(&[]),
        |_| json!({ "css": "off", "html": "off", "js": "off" }),
        Gate::Nobody,
    ),
    retired("mirage", off),
    setting(
        "mobile_redirect",
        Form::Object(&[]),
        |_| json!({ "status": "off", "mobile_subdomain": null, "strip_uri": false }),
        Gate::Nobody,
    ),
    setting("nel", Form::Object(&[]), |_| json!({ "enabled": true }), ANY),
    toggle("opportunistic_encryption", on_for_free, ANY),
    toggle("opportunistic_onion", on_for_free, ANY),
    retired("orange_to_orange", off),
    toggle("origin_error_page_pass_thru", off, ENTERPRISE),
    setting(
        "origin_h2_max_streams",
        Form::Range(1, 1_000),
        |plan| json!(if plan == Plan::Enterprise { 1 } else { 100 }),
        ANY,
    ),
    setting("origin_max_http_version", Form::Words(&["1", "2"]), |_| json!("2"), ANY),
    setting("polish", Form::Words(&["off", "lossless", "lossy"]), off, PRO),
    toggle("prefetch_preload", off, ENTERPRISE),
    retired("privacy_pass", on),
    setting("proxy_read_timeout", Form::Range(1, 6_000), |_| json!(125), ENTERPRISE),
    setting(
        "pseudo_ipv4",
        Form::Words(&["off", "add_header", "overwrite_header"]),
        off,
        ANY,
    ),
    toggle("replace_insecure_js", on, ANY),
    toggle("response_buffering", off, ENTERPRISE),
    toggle("rocket_loader", off, ANY),
    setting("security_header", Form::Transport, no_transport_security, ANY),
    Setting {
        suits: |value, plan| value != "off" || plan == Plan::Enterprise,
        ..setting("security_level", Form::Words(LEVELS), |_| json!("medium"), ANY)
    },
    retired("server_side_exclude", on),
    retired("sha1_support", off),
    toggle("sort_query_string_for_cache", off, ENTERPRISE),
    toggle("speed_brain", on_for_free, ANY),
    Setting {
        suits: |value, plan| value != "origin_pull" || plan == Plan::Enterprise,
        ..setting(
            "ssl",
            Form::Words(&["off", "flexible", "full", "strict", "origin_pull"]),
            |_| json!("full"),
            ANY,
        )
    },
    setting(
        "ssl_automatic_mode",
        Form::Words(&["auto", "custom"]),
        |_| json!("auto"),
        ANY,
    ),
    retired("ssl_recommender", off),
    retired("tls_1_2_only", off),
    setting("tls_1_3", Form::Words(&["on", "off", "zrt"]), on, ANY),
    toggle("tls_client_auth", off, ENTERPRISE),
    toggle("true_client_ip_header", off, ENTERPRISE),
    retired("waf", off),
    toggle("webp", off, PRO),
    toggle("websockets", on, ANY),
];
