//! The zone itself: looked for, made when it is missing and wanted, and what somebody has to do about it at the
//! registrar.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Cloudflare, api, convert, segment};
use crate::base::text;
use crate::model::name::DomainName;
use crate::model::resource::Resource;
use crate::plan::Change;
use crate::provider::{ProviderError, Reading, Stage, Step, ZoneFacts};

/// The status of a zone that is not there yet.
pub(super) const MISSING: &str = "to be created";

/// The account that a new zone is to belong to: the one that the spec names, or the only one that the token sees.
async fn account(cloudflare: &Cloudflare, zone: &DomainName) -> Result<String, ProviderError> {
    if let Some(account) = &cloudflare.account {
        return Ok(segment(account));
    }
    let help = "say which with `providers.cloudflare.account` in the spec";
    let mut seen: Vec<String> = Vec::new();
    for (path, pointer) in [("accounts?per_page=50", "/id"), ("zones?per_page=50", "/account/id")] {
        // A token that may not list accounts may still list zones.
        let Ok(answer) = api::get(&cloudflare.http, path).await else {
            continue;
        };
        let ids = answer.result.as_array().into_iter().flatten();
        let ids = ids.filter_map(|one| one.pointer(pointer).and_then(Value::as_str));
        seen.extend(ids.filter(|id| convert::is_identifier(id)).map(str::to_owned));
        if !seen.is_empty() {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    match seen.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(ProviderError::new(
            "no-account",
            format!("the zone {zone} is to be created, and nothing tells in which account"),
        )
        .help(help)),
        several => Err(ProviderError::new(
            "no-account",
            format!(
                "the zone {zone} is to be created, and this token sees {}",
                text::count(several.len(), "account")
            ),
        )
        .help(help)),
    }
}

/// What there is of a zone that is yet to be made.
pub(super) async fn missing(cloudflare: &Cloudflare, zone: &DomainName) -> Result<Reading, ProviderError> {
    let facts = ZoneFacts {
        // The smallest plan, which is what a new zone begins with.
        plan: "free".to_owned(),
        status: MISSING.to_owned(),
        account: Some(account(cloudflare, zone).await?),
        ..ZoneFacts::default()
    };
    Ok(Reading {
        zones: [(zone.clone(), facts)].into(),
        ..Reading::default()
    })
}

/// The requests that make zones.
pub(super) fn steps(changes: &[Change], reading: &Reading) -> Vec<Step> {
    let made = changes
        .iter()
        .filter_map(|change| match (&change.before, &change.after) {
            (None, Some(Resource::Zone(entry))) => Some((change, entry)),
            _ => None,
        });
    let step = |(change, entry): (&Change, &crate::model::setting::ZoneEntry)| {
        let facts = reading.zones.get(&entry.zone)?;
        Some(Step {
            provider: super::NAME,
            scope: entry.zone.clone().into(),
            stage: Stage::Zone,
            lane: "zone".to_owned(),
            method: "POST",
            path: "zones".to_owned(),
            summary: format!("create the zone {}", entry.zone),
            addresses: vec![change.address.clone()],
            handles: BTreeMap::new(),
            body: json!({ "account": { "id": facts.account }, "name": entry.zone.as_str(), "type": "full" }),
            check: None,
        })
    };
    made.filter_map(step).collect()
}

/// The name servers of a zone, as Cloudflare tells them: those with names of one's own, where there are such.
pub(super) fn name_servers(zone: &Value) -> Vec<String> {
    let listed = |key: &str| {
        zone.get(key)
            .and_then(Value::as_array)
            .filter(|names| !names.is_empty())
    };
    let servers = listed("vanity_name_servers").or_else(|| listed("name_servers"));
    let servers = servers.into_iter().flatten();
    let servers = servers.filter_map(Value::as_str).take(16);
    servers
        .map(|server| text::shorten(&text::sanitize(server), 253))
        .collect()
}

/// The state of the certificates at the edge, in a word; nothing when that is not to be seen.
pub(super) async fn certificate(cloudflare: &Cloudflare, id: &str) -> Option<String> {
    let path = format!("zones/{id}/ssl/certificate_packs?status=all");
    let answer = api::get(&cloudflare.http, &path).await.ok()?;
    let packs = answer.result.as_array()?;
    let statuses: Vec<&str> = packs
        .iter()
        .filter_map(|pack| pack.get("status").and_then(Value::as_str))
        .collect();
    let status = statuses
        .iter()
        .find(|status| **status == "active")
        .or_else(|| statuses.first())
        .copied()
        .unwrap_or("none");
    Some(text::shorten(&text::sanitize(status), 40))
}
