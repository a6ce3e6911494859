//! Rules between Cloudflare's JSON and the model. What the model cannot say in its own words is carried whole, so that
//! a foreign rule can be put back; what Cloudflare fills in by itself is left out, so that nothing differs for ever.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::expression::normal;
use crate::base::digest;
use crate::model::name::DomainName;
use crate::model::rule::{Destination, HeaderChange, Lifetime, Rule, RuleAction, RuleKind};

/// What a rule has of its own in the model; the rest is its action.
const OWN: &[&str] = &[
    "id",
    "ref",
    "version",
    "last_updated",
    "description",
    "expression",
    "enabled",
];
/// What Cloudflare tells of a rule and takes back from nobody.
const READ_ONLY: &[&str] = &["version", "last_updated", "categories", "source", "position"];
/// What is a number in a rule, and has been seen as a text too.
const NUMBERS: &[&str] = &[
    "default",
    "mitigation_timeout",
    "period",
    "requests_per_period",
    "status_code",
];
/// What a rate limit always counts apart by: Cloudflare asks for it.
const COLO: &str = "cf.colo.id";

/// The phase in which a kind of rule is kept.
pub(super) fn phase(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Redirect => "http_request_dynamic_redirect",
        RuleKind::Config => "http_config_settings",
        RuleKind::Firewall => "http_request_firewall_custom",
        RuleKind::RateLimit => "http_ratelimit",
        RuleKind::RequestHeader => "http_request_late_transform",
        RuleKind::Cache => "http_request_cache_settings",
        RuleKind::Header => "http_response_headers_transform",
    }
}

/// What our rules bear, so that they are known again: it stays the same while the name does, and Cloudflare keeps a
/// rule's id as long as this stays.
fn marker(kind: RuleKind, key: &str) -> String {
    format!("launchctl-{}-{key}", kind.as_str())
}

/// The key of a rule by what it bears. A foreign one can never be taken for ours.
pub(super) fn key_of(kind: RuleKind, reference: &str) -> String {
    if let Some(key) = own_key(kind, reference) {
        return key.to_owned();
    }
    let is_plain = reference.len() <= 64
        && !reference.is_empty()
        && reference
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if is_plain {
        format!("foreign.{reference}")
    } else {
        format!("foreign.{}", digest::short(reference.as_bytes(), 16))
    }
}

fn own_key(kind: RuleKind, reference: &str) -> Option<&str> {
    let key = reference.strip_prefix(&marker(kind, ""))?;
    (!key.is_empty()).then_some(key)
}

/// The same with what it bears, where that is not made from its key.
pub(super) fn mark_of(kind: RuleKind, reference: &str) -> (String, Option<String>) {
    let foreign = own_key(kind, reference).is_none().then(|| reference.to_owned());
    (key_of(kind, reference), foreign)
}

/// What a rule bears.
pub(super) fn reference_of(rule: &Rule) -> String {
    let made = || marker(rule.kind, &rule.key);
    rule.reference.clone().unwrap_or_else(made)
}

/// Reads one rule. The error says what could not be understood.
pub(super) fn from_wire(zone: &DomainName, kind: RuleKind, wire: &Value) -> Result<Rule, String> {
    let map = wire.as_object().ok_or("a rule that is no object")?;
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    let id = text("id").filter(|id| !id.is_empty()).ok_or("a rule without an id")?;
    let reference = text("ref").filter(|reference| !reference.is_empty()).unwrap_or(id);
    let (key, foreign) = mark_of(kind, reference);
    let written = text("expression").ok_or("a rule without an expression")?;
    let canonical = normal::canonical(written);
    Ok(Rule {
        zone: zone.clone(),
        kind,
        key,
        name: text("description").unwrap_or_default().to_owned(),
        reference: foreign,
        writing: (canonical != written).then(|| written.to_owned()),
        expression: canonical,
        enabled: map.get("enabled").and_then(Value::as_bool).unwrap_or(true),
        action: action_from_wire(&fields(map)),
        place: None,
    })
}

/// The fields that make up what a rule does, without what Cloudflare fills in.
fn fields(map: &Map<String, Value>) -> Map<String, Value> {
    let mut fields: Map<String, Value> = map
        .iter()
        .filter(|(key, value)| !OWN.contains(&key.as_str()) && !READ_ONLY.contains(&key.as_str()) && !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if fields
        .get("action_parameters")
        .and_then(Value::as_object)
        .is_some_and(Map::is_empty)
    {
        fields.remove("action_parameters");
    }
    for value in fields.values_mut() {
        settle_numbers(value);
    }
    if let Some(from) = fields
        .get_mut("action_parameters")
        .and_then(|parameters| parameters.get_mut("from_value"))
        .and_then(Value::as_object_mut)
    {
        from.entry("preserve_query_string").or_insert(json!(false));
    }
    if let Some(limit) = fields.get_mut("ratelimit").and_then(Value::as_object_mut) {
        let empty = |key: &str, value: &Value| match key {
            "mitigation_expression" => true,
            "counting_expression" => value == "",
            "requests_to_origin" => *value == json!(false),
            _ => value.is_null(),
        };
        limit.retain(|key, value| !empty(key, value));
        if let Some(Value::Array(by)) = limit.get_mut("characteristics") {
            // A set, which Cloudflare returns in any order.
            by.sort_by_key(ToString::to_string);
        }
    }
    fields
}

/// Numbers that came as texts, as numbers.
fn settle_numbers(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value.as_str().map(str::parse::<u32>) {
                    Some(Ok(number)) if NUMBERS.contains(&key.as_str()) => *value = json!(number),
                    _ => settle_numbers(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(settle_numbers),
        _ => {}
    }
}

fn action_from_wire(fields: &Map<String, Value>) -> RuleAction {
    let said = fields.get("action").and_then(Value::as_str).unwrap_or_default();
    let parameters = fields.get("action_parameters").unwrap_or(&Value::Null);
    let action = match said {
        "redirect" => redirect_from_wire(parameters),
        "set_cache_settings" => Some(cache_from_wire(parameters)),
        "rewrite" => headers_from_wire(parameters),
        "set_config" => parameters.as_object().map(|settings| RuleAction::Configure {
            settings: settings
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        }),
        verdict if fields.contains_key("ratelimit") => limit_from_wire(verdict, &fields["ratelimit"]),
        verdict => Some(RuleAction::Filter {
            verdict: verdict.to_owned(),
        }),
    };
    // Only what comes out as it went in is said in our own words.
    let is_whole = |action: &RuleAction| action_to_wire(action) == *fields;
    action.filter(is_whole).unwrap_or_else(|| {
        let mut fields = fields.clone();
        fields.sort_keys();
        RuleAction::Other { fields }
    })
}

fn redirect_from_wire(parameters: &Value) -> Option<RuleAction> {
    let from = parameters.get("from_value")?;
    let target = from.get("target_url")?;
    let to = match (target.get("value"), target.get("expression")) {
        (Some(Value::String(url)), None) => Destination::Url(url.clone()),
        (None, Some(Value::String(expression))) => Destination::Expression(expression.clone()),
        _ => return None,
    };
    Some(RuleAction::Redirect {
        to,
        status: u16::try_from(from.get("status_code")?.as_u64()?).ok()?,
        keep_query: from.get("preserve_query_string")?.as_bool()?,
    })
}

fn cache_from_wire(parameters: &Value) -> RuleAction {
    let lifetime = |value: &Value| {
        Some(match value.get("mode")?.as_str()? {
            "respect_origin" => Lifetime::RespectOrigin,
            "bypass_by_default" => Lifetime::OriginOrNot,
            "bypass" => Lifetime::Bypass,
            "override_origin" => Lifetime::Seconds(u32::try_from(value.get("default")?.as_u64()?).ok()?),
            _ => return None,
        })
    };
    RuleAction::Cache {
        eligible: parameters.get("cache").and_then(Value::as_bool),
        edge: parameters.get("edge_ttl").and_then(lifetime),
        browser: parameters.get("browser_ttl").and_then(lifetime),
    }
}

fn headers_from_wire(parameters: &Value) -> Option<RuleAction> {
    let mut changes = BTreeMap::new();
    for (name, header) in parameters.get("headers")?.as_object()? {
        let text = |key: &str| header.get(key).and_then(Value::as_str).map(str::to_owned);
        let change = match (header.get("operation")?.as_str()?, text("value"), text("expression")) {
            ("set", Some(value), None) => HeaderChange::Set(value),
            ("set", None, Some(expression)) => HeaderChange::SetExpression(expression),
            ("add", Some(value), None) => HeaderChange::Add(value),
            ("remove", None, None) => HeaderChange::Remove,
            _ => return None,
        };
        changes.insert(name.clone(), change);
    }
    Some(RuleAction::Headers { changes })
}

fn limit_from_wire(verdict: &str, limit: &Value) -> Option<RuleAction> {
    let number = |key: &str| u32::try_from(limit.get(key)?.as_u64()?).ok();
    let by = limit.get("characteristics")?.as_array()?;
    Some(RuleAction::Limit {
        verdict: verdict.to_owned(),
        by: by
            .iter()
            .filter_map(Value::as_str)
            .filter(|what| *what != COLO)
            .map(str::to_owned)
            .collect(),
        requests: number("requests_per_period")?,
        period: number("period")?,
        block_for: number("mitigation_timeout")?,
    })
}

/// What a rule does in Cloudflare's words.
fn action_to_wire(action: &RuleAction) -> Map<String, Value> {
    let wire = match action {
        RuleAction::Redirect { to, status, keep_query } => {
            let target = match to {
                Destination::Url(url) => json!({ "value": url }),
                Destination::Expression(expression) => json!({ "expression": expression }),
            };
            json!({ "action": "redirect", "action_parameters": { "from_value": {
                "target_url": target, "status_code": status, "preserve_query_string": keep_query,
            } } })
        }
        RuleAction::Cache {
            eligible,
            edge,
            browser,
        } => {
            let mut parameters = Map::new();
            if let Some(eligible) = eligible {
                parameters.insert("cache".to_owned(), json!(eligible));
            }
            for (key, lifetime) in [("edge_ttl", edge), ("browser_ttl", browser)] {
                if let Some(lifetime) = lifetime {
                    parameters.insert(key.to_owned(), lifetime_to_wire(*lifetime));
                }
            }
            json!({ "action": "set_cache_settings", "action_parameters": parameters })
        }
        RuleAction::Headers { changes } => {
            let header = |change: &HeaderChange| match change {
                HeaderChange::Set(value) => json!({ "operation": "set", "value": value }),
                HeaderChange::SetExpression(expression) => json!({ "operation": "set", "expression": expression }),
                HeaderChange::Add(value) => json!({ "operation": "add", "value": value }),
                HeaderChange::Remove => json!({ "operation": "remove" }),
            };
            let headers: Map<String, Value> = changes
                .iter()
                .map(|(name, change)| (name.clone(), header(change)))
                .collect();
            json!({ "action": "rewrite", "action_parameters": { "headers": headers } })
        }
        RuleAction::Limit {
            verdict,
            by,
            requests,
            period,
            block_for,
        } => {
            let mut characteristics: Vec<&str> = by.iter().map(String::as_str).chain([COLO]).collect();
            characteristics.sort_unstable();
            json!({ "action": verdict, "ratelimit": {
                "characteristics": characteristics, "period": period, "requests_per_period": requests,
                "mitigation_timeout": block_for,
            } })
        }
        RuleAction::Filter { verdict } => json!({ "action": verdict }),
        RuleAction::Configure { settings } => json!({ "action": "set_config", "action_parameters": settings }),
        RuleAction::Other { fields } => Value::Object(fields.clone()),
    };
    match wire {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn lifetime_to_wire(lifetime: Lifetime) -> Value {
    match lifetime {
        Lifetime::RespectOrigin => json!({ "mode": "respect_origin" }),
        Lifetime::OriginOrNot => json!({ "mode": "bypass_by_default" }),
        Lifetime::Bypass => json!({ "mode": "bypass" }),
        Lifetime::Seconds(seconds) => json!({ "mode": "override_origin", "default": seconds }),
    }
}

/// A whole rule as it is put. With the id that it had, when it was there.
pub(super) fn to_wire(rule: &Rule, id: Option<&str>) -> Value {
    let mut wire = Map::new();
    if let Some(id) = id {
        wire.insert("id".to_owned(), json!(id));
    }
    wire.insert("ref".to_owned(), json!(reference_of(rule)));
    wire.insert("description".to_owned(), json!(rule.name));
    let written = rule.writing.as_ref().unwrap_or(&rule.expression);
    wire.insert("expression".to_owned(), json!(written));
    wire.insert("enabled".to_owned(), json!(rule.enabled));
    wire.extend(action_to_wire(&rule.action));
    Value::Object(wire)
}

/// A rule that stays, as it came but for what is only told.
pub(super) fn as_it_was(wire: &Value) -> Value {
    let Value::Object(map) = wire else {
        return wire.clone();
    };
    let mut kept: Map<String, Value> = map
        .iter()
        .filter(|(key, _)| !READ_ONLY.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if let Some(limit) = kept.get_mut("ratelimit").and_then(Value::as_object_mut) {
        limit.remove("mitigation_expression");
    }
    Value::Object(kept)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn zone() -> DomainName {
        DomainName::parse("acme.example").unwrap()
    }

    fn read(kind: RuleKind, wire: &Value) -> Rule {
        from_wire(&zone(), kind, wire).unwrap()
    }

    /// Every number as a text, every mapping in the opposite order.
    fn otherwise(value: &Value) -> Value {
        match value {
            Value::Number(number) => json!(number.to_string()),
            Value::Array(items) => items.iter().map(otherwise).collect(),
            Value::Object(map) => {
                let turned = map.iter().rev().map(|(key, value)| (key.clone(), otherwise(value)));
                Value::Object(turned.collect())
            }
            other => other.clone(),
        }
    }

    /// What was sent, without what has a default.
    fn bare(sent: &Value) -> Value {
        let mut wire = returned(sent);
        let map = wire.as_object_mut().unwrap();
        map.retain(|key, value| key != "enabled" || *value != json!(true));
        if let Some(from) = map
            .get_mut("action_parameters")
            .and_then(|parameters| parameters.get_mut("from_value"))
            .and_then(Value::as_object_mut)
        {
            from.retain(|key, value| key != "preserve_query_string" || *value != json!(false));
        }
        wire
    }

    /// What was sent, as Cloudflare returns it: with everything that it fills in, and in another order.
    fn returned(sent: &Value) -> Value {
        let mut wire = sent.clone();
        let map = wire.as_object_mut().unwrap();
        map.insert("id".into(), json!("3a03d665bac047339bb530ecb439a90d"));
        map.insert("version".into(), json!("4"));
        map.insert("last_updated".into(), json!("2026-01-01T00:00:00Z"));
        map.insert("categories".into(), Value::Null);
        if let Some(limit) = map.get_mut("ratelimit").and_then(Value::as_object_mut) {
            limit.insert("mitigation_expression".into(), json!(""));
            limit.insert("requests_to_origin".into(), json!(false));
            limit["characteristics"].as_array_mut().unwrap().reverse();
        }
        wire
    }

    #[test]
    fn every_kind_of_rule_is_the_same_when_it_comes_back() {
        let rule = |kind: RuleKind, action: RuleAction| Rule {
            zone: zone(),
            kind,
            key: "one".into(),
            name: "One".into(),
            reference: None,
            expression: "true".into(),
            writing: None,
            enabled: true,
            action,
            place: None,
        };
        let redirect = |to: Destination| RuleAction::Redirect {
            to,
            status: 308,
            keep_query: false,
        };
        let changes = [
            ("X-A".to_owned(), HeaderChange::Set("1".into())),
            ("X-B".to_owned(), HeaderChange::Remove),
            ("X-C".to_owned(), HeaderChange::Add("2".into())),
            ("X-D".to_owned(), HeaderChange::SetExpression("cf.ray_id".into())),
        ];
        let lifetimes = [
            Lifetime::RespectOrigin,
            Lifetime::OriginOrNot,
            Lifetime::Bypass,
            Lifetime::Seconds(60),
        ];
        let mut rules = vec![
            rule(
                RuleKind::Redirect,
                redirect(Destination::Url("https://a.example/".into())),
            ),
            rule(
                RuleKind::Redirect,
                redirect(Destination::Expression("concat(\"a\")".into())),
            ),
            rule(
                RuleKind::Header,
                RuleAction::Headers {
                    changes: changes.into(),
                },
            ),
            rule(
                RuleKind::RateLimit,
                RuleAction::Limit {
                    verdict: "block".into(),
                    by: vec!["ip.src".into()],
                    requests: 5,
                    period: 10,
                    block_for: 10,
                },
            ),
            rule(
                RuleKind::Firewall,
                RuleAction::Filter {
                    verdict: "managed_challenge".into(),
                },
            ),
            rule(
                RuleKind::Config,
                RuleAction::Configure {
                    settings: [("ssl".to_owned(), json!("off"))].into(),
                },
            ),
        ];
        rules.extend(lifetimes.map(|lifetime| {
            rule(
                RuleKind::Cache,
                RuleAction::Cache {
                    eligible: Some(true),
                    edge: Some(lifetime),
                    browser: Some(lifetime),
                },
            )
        }));
        for rule in rules {
            let sent = to_wire(&rule, None);
            for back in [returned(&sent), otherwise(&returned(&sent)), bare(&sent)] {
                assert_eq!(read(rule.kind, &back), rule, "{back:#}");
            }
        }
    }

    #[test]
    fn a_foreign_rule_is_carried_whole_and_put_back_as_it_was() {
        let wire = json!({
            "id": "0a1b", "ref": "my rule/7", "version": "2", "last_updated": "2026-01-01T00:00:00Z", "enabled": false,
            "description": "Bob's", "expression": "(ip.src eq 192.0.2.1)", "action": "skip",
            "action_parameters": { "ruleset": "current", "phases": ["http_ratelimit"] }, "logging": { "enabled": true },
        });
        let rule = read(RuleKind::Firewall, &wire);
        assert!(rule.key.starts_with("foreign."), "{}", rule.key);
        assert!(matches!(rule.action, RuleAction::Other { .. }));
        let again = to_wire(&rule, None);
        for key in [
            "ref",
            "enabled",
            "description",
            "expression",
            "action",
            "action_parameters",
            "logging",
        ] {
            assert_eq!(again[key], wire[key], "{key}");
        }
        assert_eq!(as_it_was(&wire)["id"], "0a1b");
        assert!(as_it_was(&wire).get("version").is_none());
        assert_eq!(read(RuleKind::Firewall, &again_with_id(again)), rule);
    }

    fn again_with_id(mut wire: Value) -> Value {
        wire["id"] = json!("another");
        wire
    }

    #[test]
    fn a_mark_is_ours_or_it_is_not() {
        assert_eq!(
            key_of(RuleKind::Cache, "launchctl-cache-static-assets"),
            "static-assets"
        );
        assert_eq!(key_of(RuleKind::Cache, "launchctl-cache-"), "foreign.launchctl-cache-");
        assert_eq!(
            key_of(RuleKind::Cache, "launchctl-redirect-x"),
            "foreign.launchctl-redirect-x"
        );
        assert_eq!(key_of(RuleKind::Cache, "0a1b"), "foreign.0a1b");
        assert!(!key_of(RuleKind::Cache, "a b/c\u{1b}").contains([' ', '/', '\u{1b}']));
    }
}
