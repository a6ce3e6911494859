//! The settings of a Cloudflare zone and what each can hold (facts of the v4 API, 2026), as data.

use serde_json::{Value, json};

use crate::model::setting_form::{SettingForm, Values};

use Values::{Flag, List, NotManaged, Numbers, Object, Range, Switch, Text, Words};

const fn form(id: &'static str, values: Values) -> SettingForm {
    SettingForm { id, values }
}

const DEPRECATED: Values = NotManaged("Cloudflare has given it up");
const READ_ONLY: Values = NotManaged("Cloudflare sets it by itself");

/// HSTS, without the wrapper that Cloudflare puts around it.
const HSTS: Values = Object(&[
    ("enabled", Flag),
    ("max_age", Range(0, 63_072_000)),
    ("include_subdomains", Flag),
    ("preload", Flag),
    ("nosniff", Flag),
]);

/// The settings of a zone, by their ids.
pub(super) const SETTINGS: &[SettingForm] = &[
    form("0rtt", Switch),
    form("advanced_ddos", READ_ONLY),
    form("aegis", Object(&[("enabled", Flag), ("pool_id", Text)])),
    form("always_online", Switch),
    form("always_use_https", Switch),
    form("automatic_https_rewrites", Switch),
    form(
        "automatic_platform_optimization",
        Object(&[
            ("enabled", Flag),
            ("cf", Flag),
            ("hostnames", List),
            ("wordpress", Flag),
            ("wp_plugin", Flag),
            ("cache_by_device_type", Flag),
        ]),
    ),
    form("brotli", Switch),
    form(
        "browser_cache_ttl",
        Numbers(&[
            0, 30, 60, 120, 300, 1_200, 1_800, 3_600, 7_200, 10_800, 14_400, 18_000, 28_800, 43_200, 57_600, 72_000,
            86_400, 172_800, 259_200, 345_600, 432_000, 691_200, 1_382_400, 2_073_600, 2_678_400, 5_356_800,
            16_070_400, 31_536_000,
        ]),
    ),
    form("browser_check", Switch),
    form("cache_level", Words(&["aggressive", "basic", "simplified"])),
    form(
        "challenge_ttl",
        Numbers(&[
            300, 900, 1_800, 2_700, 3_600, 7_200, 10_800, 14_400, 28_800, 57_600, 86_400, 604_800, 2_592_000,
            31_536_000,
        ]),
    ),
    form("china_network_enabled", READ_ONLY),
    form("ciphers", List),
    form("cname_flattening", DEPRECATED),
    form(
        "development_mode",
        NotManaged("it switches itself off after three hours, so it is nothing that stays"),
    ),
    form("dnssec", Switch),
    form("early_hints", Switch),
    form("edge_cache_ttl", Range(30, 604_800)),
    form("email_obfuscation", Switch),
    form("fonts", Switch),
    form("h2_prioritization", Words(&["off", "on", "custom"])),
    form("hotlink_protection", Switch),
    form("http2", Switch),
    form("http3", Switch),
    form("image_resizing", Words(&["off", "on", "open"])),
    form("ip_geolocation", Switch),
    form("ipv6", Switch),
    form("max_upload", Range(100, 5_000)),
    form("min_tls_version", Words(&["1.0", "1.1", "1.2", "1.3"])),
    form("minify", DEPRECATED),
    form("mirage", DEPRECATED),
    form("mobile_redirect", DEPRECATED),
    form("nel", Object(&[("enabled", Flag)])),
    form("opportunistic_encryption", Switch),
    form("opportunistic_onion", Switch),
    form("orange_to_orange", DEPRECATED),
    form("origin_error_page_pass_thru", Switch),
    form("origin_h2_max_streams", Range(1, 1_000)),
    form("origin_max_http_version", Words(&["1", "2"])),
    form("polish", Words(&["off", "lossless", "lossy"])),
    form("prefetch_preload", Switch),
    form("privacy_pass", DEPRECATED),
    form("proxy_read_timeout", Range(1, 6_000)),
    form("pseudo_ipv4", Words(&["off", "add_header", "overwrite_header"])),
    form("replace_insecure_js", Switch),
    form("response_buffering", Switch),
    form("rocket_loader", Switch),
    form("security_header", HSTS),
    form(
        "security_level",
        Words(&["off", "essentially_off", "low", "medium", "high", "under_attack"]),
    ),
    form("server_side_exclude", DEPRECATED),
    form("sha1_support", DEPRECATED),
    form("sort_query_string_for_cache", Switch),
    form("speed_brain", Switch),
    form("ssl", Words(&["off", "flexible", "full", "strict", "origin_pull"])),
    form("ssl_automatic_mode", Words(&["auto", "custom"])),
    form("ssl_recommender", DEPRECATED),
    // With 0-RTT on, Cloudflare returns `zrt` where `on` was written: `0rtt` is the setting for that.
    form("tls_1_3", Switch),
    form("tls_1_2_only", DEPRECATED),
    form("tls_client_auth", Switch),
    form("true_client_ip_header", Switch),
    form("waf", DEPRECATED),
    form("webp", Switch),
    form("websockets", Switch),
];

/// The settings that a configuration rule can change.
pub(super) const CONFIGURATION: &[SettingForm] = &[
    form("automatic_https_rewrites", Flag),
    form("bic", Flag),
    form("disable_pay_per_crawl", Flag),
    form("disable_rum", Flag),
    form("disable_zaraz", Flag),
    form("email_obfuscation", Flag),
    form("fonts", Flag),
    form("hotlink_protection", Flag),
    form("opportunistic_encryption", Flag),
    form("polish", Words(&["off", "lossless", "lossy"])),
    form("rocket_loader", Flag),
    form(
        "security_level",
        Words(&["off", "essentially_off", "low", "medium", "high", "under_attack"]),
    ),
    form("ssl", Words(&["off", "flexible", "full", "strict", "origin_pull"])),
];

/// What a setting is on a plan as long as nobody touches it: the default that Cloudflare documents, and where it
/// documents none, what a new zone has. Nothing for what is not known.
pub(super) fn usual(plan: &str, id: &str) -> Option<Value> {
    let by_plan = |free: &str, paid: &str| Some(json!(if plan == "free" { free } else { paid }));
    match id {
        "brotli"
        | "browser_check"
        | "email_obfuscation"
        | "http2"
        | "ip_geolocation"
        | "ipv6"
        | "replace_insecure_js"
        | "tls_1_3"
        | "websockets" => Some(json!("on")),
        "automatic_https_rewrites" | "opportunistic_encryption" | "opportunistic_onion" | "speed_brain" => {
            by_plan("on", "off")
        }
        "0rtt"
        | "always_online"
        | "always_use_https"
        | "dnssec"
        | "early_hints"
        | "fonts"
        | "h2_prioritization"
        | "hotlink_protection"
        | "http3"
        | "image_resizing"
        | "origin_error_page_pass_thru"
        | "polish"
        | "prefetch_preload"
        | "pseudo_ipv4"
        | "response_buffering"
        | "rocket_loader"
        | "sort_query_string_for_cache"
        | "tls_client_auth"
        | "true_client_ip_header"
        | "webp" => Some(json!("off")),
        "browser_cache_ttl" => Some(json!(14_400)),
        "cache_level" => Some(json!("aggressive")),
        "challenge_ttl" => Some(json!(1_800)),
        "ciphers" => Some(json!([])),
        "edge_cache_ttl" => Some(json!(7_200)),
        "max_upload" => Some(json!(100)),
        "min_tls_version" => Some(json!("1.0")),
        "nel" => Some(json!({ "enabled": true })),
        "origin_h2_max_streams" => Some(json!(if plan == "enterprise" { 1 } else { 100 })),
        "origin_max_http_version" => Some(json!("2")),
        "proxy_read_timeout" => Some(json!(125)),
        "security_level" => Some(json!("medium")),
        "ssl_automatic_mode" => Some(json!("auto")),
        // Nothing in it is on.
        "aegis" | "automatic_platform_optimization" | "security_header" => {
            let form = SettingForm::find(SETTINGS, id)?;
            form.values.canonical(&json!({})).ok()
        }
        _ => None,
    }
}
