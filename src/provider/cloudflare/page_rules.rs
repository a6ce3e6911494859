//! Page Rules: the older kind of rule, kept by somebody else and never changed here. An active one beside what a spec
//! declares is worth knowing: where both fit a request, a rule wins, and where only the Page Rule does, it still holds.

use serde_json::Value;

use super::{Cloudflare, api};
use crate::base::text;
use crate::model::address::Address;
use crate::model::name::DomainName;
use crate::plan::Warning;

/// The code of the warning.
pub(super) const CODE: &str = "page-rule";
/// More Page Rules than this are not looked at: the largest plan takes fewer.
const MOST: usize = 200;
/// What of a Page Rule decides about the cache.
const CACHING: &[&str] = &[
    "browser_cache_ttl",
    "bypass_cache_on_cookie",
    "cache_by_device_type",
    "cache_deception_armor",
    "cache_key_fields",
    "cache_level",
    "cache_on_cookie",
    "cache_ttl_by_status",
    "edge_cache_ttl",
    "explicit_cache_control",
    "respect_strong_etag",
];

/// What a spec declares that a Page Rule can stand beside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Managed {
    pub(super) redirects: bool,
    pub(super) caching: bool,
    pub(super) configuration: bool,
}

impl Managed {
    /// Whether there is anything at all.
    pub(super) fn any(self) -> bool {
        self != Self::default()
    }
}

/// Reads the active ones and says which stand beside what is managed. Nothing is said where the token may not see them.
pub(super) async fn read(cloudflare: &Cloudflare, zone: &DomainName, id: &str, managed: Managed) -> Vec<Warning> {
    let path = format!("zones/{id}/pagerules?status=active");
    let Ok(answer) = api::get(&cloudflare.http, &path).await else {
        return Vec::new();
    };
    let rules = answer.result.as_array().into_iter().flatten().take(MOST);
    rules.filter_map(|rule| beside(zone, rule, managed)).collect()
}

fn beside(zone: &DomainName, rule: &Value, managed: Managed) -> Option<Warning> {
    if rule.get("status").is_some_and(|status| status != "active") {
        return None;
    }
    let actions = rule.get("actions").and_then(Value::as_array).into_iter().flatten();
    let ids: Vec<&str> = actions
        .filter_map(|action| action.get("id").and_then(Value::as_str))
        .collect();
    let has = |fits: &dyn Fn(&str) -> bool| ids.iter().any(|id| fits(id));
    let is_caching = |id: &str| CACHING.contains(&id);
    let is_redirect = |id: &str| id == "forwarding_url";
    let mut parts = Vec::new();
    if managed.redirects && has(&is_redirect) {
        parts.push("redirects");
    }
    if managed.caching && has(&is_caching) {
        parts.push("cache rules");
    }
    if managed.configuration && has(&|id| !is_redirect(id) && !is_caching(id)) {
        parts.push("settings");
    }
    if parts.is_empty() {
        return None;
    }
    let pattern = rule.pointer("/targets/0/constraint/value").and_then(Value::as_str);
    let words = format!(
        "an active Page Rule for {} ({}) stands beside the {} of this spec: where both fit a request a rule wins, \
         elsewhere the Page Rule holds",
        text::shorten(&text::sanitize(pattern.unwrap_or("some URLs")), 200),
        text::shorten(&text::sanitize(&ids.join(", ")), 200),
        text::list(&parts),
    );
    Some(Warning::about(&Address::zone(zone), CODE, words))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_rule_is_spoken_of_where_it_meets_what_is_managed() {
        let zone = DomainName::parse("acme.example").unwrap();
        let rule = |id: &str, status: &str| {
            json!({ "status": status, "actions": [{ "id": id, "value": "x" }],
                "targets": [{ "constraint": { "operator": "matches", "value": "*acme.example/shop/*" } }] })
        };
        let all = Managed {
            redirects: true,
            caching: true,
            configuration: true,
        };
        for (id, status, managed, word) in [
            ("forwarding_url", "active", all, Some("the redirects of")),
            ("forwarding_url", "disabled", all, None),
            ("edge_cache_ttl", "active", all, Some("the cache rules of")),
            ("ssl", "active", all, Some("the settings of")),
            (
                "ssl",
                "active",
                Managed {
                    configuration: false,
                    ..all
                },
                None,
            ),
            ("forwarding_url", "active", Managed::default(), None),
        ] {
            let said = beside(&zone, &rule(id, status), managed).map(|warning| warning.message);
            let fits = match word {
                Some(word) => said.as_ref().is_some_and(|said| said.contains(word)),
                None => said.is_none(),
            };
            assert!(fits, "{id} {status}: {said:?}");
        }
        assert_eq!(beside(&zone, &json!(["odd"]), all), None);
    }
}
