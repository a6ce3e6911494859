//! What a cache rule may set (facts §5.4): keys, modes, times, and what only the largest plan has.

use serde_json::Value;

use super::super::envelope::Refusal;
use super::super::plan::Plan;
use super::parameters::enterprise_only;
use super::validate::{Part, invalid};

const FLAGS: &[&str] = &[
    "cache",
    "respect_strong_etags",
    "origin_cache_control",
    "origin_error_page_passthru",
    "strip_etags",
    "strip_last_modified",
    "strip_set_cookie",
];
const OTHERS: &[&str] = &[
    "edge_ttl",
    "browser_ttl",
    "cache_key",
    "serve_stale",
    "read_timeout",
    "additional_cacheable_ports",
    "cache_reserve",
    "vary",
    "origin_range_requests",
    "shared_dictionary",
];

pub(super) fn check(part: &Part<'_>, plan: Plan) -> Result<(), Refusal> {
    if part.fields.is_empty() {
        return Err(invalid(&part.at, "at least one cache setting is required"));
    }
    let known: Vec<&str> = FLAGS.iter().chain(OTHERS).copied().collect();
    part.only(&known)?;
    for key in FLAGS {
        part.flag(key)?;
    }
    if let Some(edge) = part.part("edge_ttl")? {
        edge.only(&["mode", "default", "status_code_ttl"])?;
        ttl(&edge, &["respect_origin", "bypass_by_default", "override_origin"])?;
        enterprise_only(&edge, &["status_code_ttl"], plan)?;
        by_status(&edge)?;
    }
    if let Some(browser) = part.part("browser_ttl")? {
        browser.only(&["mode", "default"])?;
        ttl(
            &browser,
            &["respect_origin", "bypass_by_default", "override_origin", "bypass"],
        )?;
    }
    if let Some(key) = part.part("cache_key")? {
        key.only(&[
            "cache_by_device_type",
            "cache_deception_armor",
            "ignore_query_strings_order",
            "custom_key",
        ])?;
        for flag in [
            "cache_by_device_type",
            "cache_deception_armor",
            "ignore_query_strings_order",
        ] {
            key.flag(flag)?;
        }
        if let Some(custom) = key.part("custom_key")? {
            let gated = ["query_string", "header", "cookie", "host", "user"];
            custom.only(&gated)?;
            enterprise_only(&custom, &gated, plan)?;
        }
    }
    if let Some(stale) = part.part("serve_stale")? {
        stale.only(&["disable_stale_while_updating"])?;
        stale.flag("disable_stale_while_updating")?;
    }
    enterprise_only(part, &["read_timeout"], plan)?;
    part.between("read_timeout", 100, 6_000)?;
    for (at, port) in part
        .list("additional_cacheable_ports")?
        .into_iter()
        .flatten()
        .enumerate()
    {
        if !port.as_i64().is_some_and(|port| (1..=65_535).contains(&port)) {
            let place = format!("{}/{at}", part.place("additional_cacheable_ports"));
            return Err(invalid(&place, format!("{port} is not a port")));
        }
    }
    Ok(())
}

/// A mode, and the seconds that one of them needs.
fn ttl(part: &Part<'_>, modes: &[&str]) -> Result<(), Refusal> {
    part.required_text("mode")?;
    let mode = part.word("mode", modes)?;
    let seconds = part.between("default", 0, i64::from(u32::MAX))?;
    if mode == Some("override_origin") && seconds.is_none() {
        return Err(invalid(
            &part.place("default"),
            "default is required when mode is override_origin",
        ));
    }
    Ok(())
}

/// Times by status; 0 is `no-cache` and -1 `no-store`.
fn by_status(edge: &Part<'_>) -> Result<(), Refusal> {
    for (at, item) in edge.list("status_code_ttl")?.into_iter().flatten().enumerate() {
        let place = format!("{}/{at}", edge.place("status_code_ttl"));
        let fields = item.as_object().ok_or_else(|| invalid(&place, "must be an object"))?;
        let item = Part::new(fields, place);
        item.only(&["status_code", "status_code_range", "value"])?;
        item.between("value", -1, i64::from(u32::MAX))?;
        if item.one_of(&["status_code", "status_code_range"])? == "status_code" {
            item.between("status_code", 100, 999)?;
        } else {
            let range = item.required_part("status_code_range")?;
            range.only(&["from", "to"])?;
            let bounds = (range.between("from", 100, 999)?, range.between("to", 100, 999)?);
            if matches!(bounds, (Some(from), Some(to)) if from > to) {
                return Err(range.not_valid("to", &Value::from(bounds.1).to_string()));
            }
        }
    }
    Ok(())
}
