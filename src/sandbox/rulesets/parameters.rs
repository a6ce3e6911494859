//! What an action is given (facts §5.4): which keys there are, what each may hold, and what a plan allows.

use serde_json::{Map, Value, json};

use super::super::envelope::Refusal;
use super::super::plan::Plan;
use super::expression::Goal;
use super::validate::{Context, Part, invalid};

const LEVELS: &[&str] = &["off", "essentially_off", "low", "medium", "high", "under_attack"];
const PRODUCTS: &[&str] = &[
    "bic",
    "hot",
    "rateLimit",
    "securityLevel",
    "uaBlock",
    "waf",
    "zoneLockdown",
];
const TYPES: &[&str] = &["text/plain", "text/html", "text/xml", "application/json"];

/// The parameters of the rule, checked and filled in; none for actions that take none.
pub(super) fn check(
    action: &str,
    rule: &Part<'_>,
    context: Context<'_>,
) -> Result<Option<Map<String, Value>>, Refusal> {
    let key = "action_parameters";
    let part = match action {
        "challenge" | "js_challenge" | "managed_challenge" | "log" => {
            return match rule.part(key)? {
                Some(part) if !part.fields.is_empty() => Err(invalid(
                    &part.at,
                    format!("action_parameters is not allowed with {action}"),
                )),
                _ => Ok(None),
            };
        }
        "block" => match rule.part(key)? {
            Some(part) => part,
            None => return Ok(None),
        },
        _ => rule.required_part(key)?,
    };
    let mut whole = part.fields.clone();
    match action {
        "redirect" => redirect(&part, context, &mut whole)?,
        "rewrite" => rewrite(&part, context)?,
        "set_cache_settings" => super::caching::check(&part, context.plan)?,
        "set_config" => configuration(&part)?,
        "block" => block(&part)?,
        "skip" => skip(&part)?,
        "route" => route(&part)?,
        "compress_response" => compression(&part)?,
        "serve_error" => error_page(&part)?,
        "execute" => {
            part.required_text("id")?;
            whole.entry("version").or_insert(json!("latest"));
        }
        _ => {}
    }
    Ok(Some(whole))
}

fn redirect(part: &Part<'_>, context: Context<'_>, whole: &mut Map<String, Value>) -> Result<(), Refusal> {
    part.only(&["from_value", "from_list"])?;
    let way = part.one_of(&["from_value", "from_list"])?;
    // Bulk redirects are looked up in a list; single ones say their target themselves.
    let own = if context.phase.name == "http_request_redirect" {
        "from_list"
    } else {
        "from_value"
    };
    let inner = part.required_part(way)?;
    if way != own {
        return Err(invalid(
            &inner.at,
            format!("{way} is not allowed in phase {}", context.phase.name),
        ));
    }
    if way == "from_list" {
        inner.only(&["name", "key"])?;
        let name = inner.required_text("name")?;
        if !context.redirect_lists.contains(name) {
            let words = format!("'{name}' is not a valid value for name because the redirect list does not exist");
            return Err(invalid(&inner.place("name"), words));
        }
        let lookup = inner.required_text("key")?;
        return inner.expression("key", lookup, Goal::Value, context).map(|_| ());
    }
    inner.only(&["target_url", "status_code", "preserve_query_string"])?;
    let target = inner.required_part("target_url")?;
    target.given(context)?;
    if let Some(url) = target.text("value")?
        && !(url.starts_with("https://") || url.starts_with("http://"))
    {
        return Err(target.not_valid("value", url));
    }
    let status = inner.number("status_code")?;
    let status = status.ok_or_else(|| invalid(&inner.place("status_code"), "status_code is required"))?;
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Err(inner.not_valid("status_code", &status.to_string()));
    }
    let keeps = inner.flag("preserve_query_string")?.unwrap_or(false);
    let mut filled = inner.fields.clone();
    filled.insert("preserve_query_string".to_owned(), json!(keeps));
    whole.insert(way.to_owned(), Value::Object(filled));
    Ok(())
}

fn rewrite(part: &Part<'_>, context: Context<'_>) -> Result<(), Refusal> {
    let own = if context.phase.name == "http_request_transform" {
        "uri"
    } else {
        "headers"
    };
    part.only(&["uri", "headers"])?;
    if let Some(other) = ["uri", "headers"].iter().find(|key| **key != own && part.has(key)) {
        let words = format!("{other} is not allowed in phase {}", context.phase.name);
        return Err(invalid(&part.place(other), words));
    }
    let inner = part.required_part(own)?;
    if own == "uri" {
        inner.only(&["path", "query", "origin"])?;
        if !inner.has("path") && !inner.has("query") {
            return Err(invalid(&inner.at, "at least one of path and query is required"));
        }
        for key in ["path", "query"] {
            if let Some(piece) = inner.part(key)? {
                piece.given(context)?;
            }
        }
        return Ok(());
    }
    if inner.fields.is_empty() {
        return Err(invalid(&inner.at, "at least one header is required"));
    }
    for name in inner.fields.keys() {
        let is_name = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        if name.is_empty() || !is_name {
            return Err(invalid(
                &inner.place(name),
                format!("'{name}' is not a valid header name"),
            ));
        }
        let header = inner.required_part(name)?;
        header.only(&["operation", "value", "expression"])?;
        let operation = header.word("operation", &["add", "set", "remove"])?;
        match operation {
            None => return Err(invalid(&header.place("operation"), "operation is required")),
            Some("remove") => header.only(&["operation"])?,
            Some(_) => {
                if header.one_of(&["value", "expression"])? == "value" {
                    header.required_text("value")?;
                } else {
                    let text = header.required_text("expression")?;
                    header.expression("expression", text, Goal::Value, context)?;
                }
            }
        }
    }
    Ok(())
}

fn configuration(part: &Part<'_>) -> Result<(), Refusal> {
    if part.fields.is_empty() {
        return Err(invalid(&part.at, "at least one setting is required"));
    }
    for key in part.fields.keys() {
        match key.as_str() {
            "automatic_https_rewrites"
            | "bic"
            | "email_obfuscation"
            | "fonts"
            | "hotlink_protection"
            | "opportunistic_encryption"
            | "rocket_loader"
            | "content_converter" => part.flag(key).map(|_| ())?,
            "disable_zaraz" | "disable_rum" | "disable_pay_per_crawl" => {
                if part.flag(key)? != Some(true) {
                    return Err(part.not_valid(key, "false"));
                }
            }
            "ssl" => part
                .word(key, &["off", "flexible", "full", "strict", "origin_pull"])
                .map(|_| ())?,
            "polish" => part.word(key, &["off", "lossless", "lossy", "webp"]).map(|_| ())?,
            "security_level" => part.word(key, LEVELS).map(|_| ())?,
            "request_body_buffering" => part.word(key, &["none", "standard", "full"]).map(|_| ())?,
            "response_body_buffering" => part.word(key, &["none", "standard"]).map(|_| ())?,
            // On their way out, and still taken.
            "autominify" | "mirage" | "sxg" | "disable_apps" => {}
            _ => return Err(invalid(&part.place(key), format!("unknown field '{key}'"))),
        }
    }
    Ok(())
}

fn block(part: &Part<'_>) -> Result<(), Refusal> {
    part.only(&["response"])?;
    let Some(response) = part.part("response")? else {
        return Ok(());
    };
    response.only(&["status_code", "content", "content_type"])?;
    for key in ["status_code", "content", "content_type"] {
        if !response.has(key) {
            return Err(invalid(&response.place(key), format!("{key} is required")));
        }
    }
    response.between("status_code", 400, 499)?;
    response.text("content")?;
    response.word("content_type", TYPES)?;
    Ok(())
}

fn skip(part: &Part<'_>) -> Result<(), Refusal> {
    part.only(&["ruleset", "phases", "products", "rulesets", "rules"])?;
    if part.fields.is_empty() {
        return Err(invalid(&part.at, "what to skip is required"));
    }
    part.word("ruleset", &["current"])?;
    part.list("rulesets")?;
    part.part("rules")?;
    let unknown = |key: &str, is_known: &dyn Fn(&str) -> bool| -> Result<(), Refusal> {
        for (at, item) in part.list(key)?.into_iter().flatten().enumerate() {
            if !item.as_str().is_some_and(is_known) {
                let words = format!("{item} is not a valid value for {key}");
                return Err(invalid(&format!("{}/{at}", part.place(key)), words));
            }
        }
        Ok(())
    };
    unknown("products", &|name| PRODUCTS.contains(&name))?;
    unknown("phases", &|name| super::phases::Phase::find(name).is_some())
}

fn route(part: &Part<'_>) -> Result<(), Refusal> {
    part.only(&["host_header", "origin", "sni"])?;
    if part.fields.is_empty() {
        return Err(invalid(
            &part.at,
            "at least one of host_header, origin and sni is required",
        ));
    }
    part.text("host_header")?;
    if let Some(origin) = part.part("origin")? {
        origin.only(&["host", "port"])?;
        origin.text("host")?;
        origin.between("port", 1, 65_535)?;
    }
    if let Some(sni) = part.part("sni")? {
        sni.only(&["value"])?;
        sni.required_text("value")?;
    }
    Ok(())
}

fn compression(part: &Part<'_>) -> Result<(), Refusal> {
    part.only(&["algorithms"])?;
    let list = part.list("algorithms")?.filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| invalid(&part.place("algorithms"), "algorithms is required"))?;
    for (at, item) in list.iter().enumerate() {
        let place = format!("{}/{at}", part.place("algorithms"));
        let fields = item
            .as_object()
            .ok_or_else(|| invalid(&place, "an algorithm must be an object"))?;
        let item = Part::new(fields, place);
        item.only(&["name"])?;
        item.required_text("name")?;
        item.word("name", &["none", "auto", "default", "gzip", "brotli", "zstd"])?;
    }
    Ok(())
}

fn error_page(part: &Part<'_>) -> Result<(), Refusal> {
    part.only(&["content_type", "status_code", "content", "asset_name"])?;
    part.one_of(&["content", "asset_name"])?;
    part.text("content")?;
    part.text("asset_name")?;
    part.word("content_type", TYPES)?;
    part.between("status_code", 400, 999)?;
    Ok(())
}

/// What needs the largest plan.
pub(super) fn enterprise_only(part: &Part<'_>, keys: &[&str], plan: Plan) -> Result<(), Refusal> {
    match keys.iter().find(|key| part.has(key)) {
        Some(key) if plan < Plan::Enterprise => {
            let words = format!("not entitled to use {key}, an Enterprise plan is required");
            Err(invalid(&part.place(key), words))
        }
        _ => Ok(()),
    }
}
