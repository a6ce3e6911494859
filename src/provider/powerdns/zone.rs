//! The zone itself: made when it is missing and wanted, signed or not, and what somebody has to do about it at the
//! registrar. The server makes the SOA by its own defaults (`default-soa-content`) and the keys by its own too.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{LANE, NAME, path_of};
use crate::base::text;
use crate::model::name::DomainName;
use crate::model::resource::Resource;
use crate::model::setting::Setting;
use crate::plan::{Change, Warning};
use crate::provider::{Reading, Stage, Step, ZoneFacts};

/// The setting that signs a zone.
pub(super) const DNSSEC: &str = "dnssec";
/// The status of a zone that is not there yet.
const MISSING: &str = "to be created";

/// What there is of a zone that is yet to be made.
pub(super) fn missing(zone: &DomainName) -> Reading {
    let facts = ZoneFacts {
        status: MISSING.to_owned(),
        ..ZoneFacts::default()
    };
    Reading {
        zones: [(zone.clone(), facts)].into(),
        ..Reading::default()
    }
}

/// Whether a zone is signed, as a setting.
pub(super) fn signing(zone: &DomainName, is_signed: bool) -> Setting {
    Setting {
        zone: zone.clone(),
        id: DNSSEC.to_owned(),
        value: json!(if is_signed { "on" } else { "off" }),
    }
}

fn step(zone: &DomainName, stage: Stage, method: &'static str, path: String, summary: String) -> Step {
    Step {
        provider: NAME,
        scope: zone.clone().into(),
        stage,
        lane: LANE.to_owned(),
        method,
        path,
        summary,
        addresses: Vec::new(),
        handles: BTreeMap::new(),
        body: Value::Null,
        check: None,
    }
}

/// The requests that make zones. A name is there once at the server, so that making it again is refused.
pub(super) fn creations(changes: &[Change]) -> Vec<Step> {
    let create = |change: &Change| match (&change.before, &change.after) {
        (None, Some(Resource::Zone(entry))) => {
            let zone = &entry.zone;
            let servers: Vec<String> = entry.name_servers.iter().map(|server| format!("{server}.")).collect();
            let path = "servers/localhost/zones".to_owned();
            Some(Step {
                addresses: vec![change.address.clone()],
                body: json!({
                    "name": format!("{zone}."), "kind": "Native", "nameservers": servers, "soa_edit_api": "DEFAULT",
                }),
                ..step(zone, Stage::Zone, "POST", path, format!("create the zone {zone}"))
            })
        }
        _ => None,
    };
    changes.iter().filter_map(create).collect()
}

/// The request that signs each zone, or takes its keys away. Asked twice, the server makes no second key.
pub(super) fn signings(changes: &[Change]) -> BTreeMap<DomainName, Step> {
    let sign = |change: &Change| {
        let setting = change.after.as_ref().and_then(Resource::as_setting)?;
        let (zone, is_signed) = (&setting.zone, setting.value == "on");
        // Without it, a change would leave a signed zone with answers that fail to validate.
        let body = if is_signed {
            json!({ "dnssec": true, "api_rectify": true })
        } else {
            json!({ "dnssec": false })
        };
        let summary = format!("set {DNSSEC} of {zone}");
        let step = Step {
            addresses: vec![change.address.clone()],
            body,
            ..step(zone, Stage::Content, "PUT", path_of(zone), summary)
        };
        Some((zone.clone(), step))
    };
    changes.iter().filter_map(sign).collect()
}

/// Keys that go do not come back: what the registrar has of them has to go first.
pub(super) fn warnings(changes: &[Change]) -> Vec<Warning> {
    let is_on = |side: &Option<Resource>| {
        let setting = side.as_ref().and_then(Resource::as_setting);
        setting.is_some_and(|setting| setting.value == "on")
    };
    let gone = changes
        .iter()
        .filter(|change| is_on(&change.before) && !is_on(&change.after));
    let warn = |change: &Change| {
        let words = "its keys are deleted for good: while the registrar still has their DS record, answers fail to \
                     validate, so take that away first and wait until its TTL is over";
        Warning::about(&change.address, "dnssec-off", words)
    };
    gone.map(warn).collect()
}

/// What the registrar of a new zone is to be told.
pub(super) fn registrar(step: &Step) -> Option<String> {
    let zone = step.zone()?;
    let servers = step.body.get("nameservers").and_then(Value::as_array)?;
    let names: Vec<&str> = servers
        .iter()
        .filter_map(Value::as_str)
        .map(|name| name.trim_end_matches('.'))
        .collect();
    Some(format!(
        "set these name servers for {zone} at its registrar: {}",
        text::list(&names)
    ))
}

/// The DS records of the keys that sign: with SHA-256 (digest 2), which every registrar takes (RFC 8624 §3.3).
pub(super) fn ds(keys: &Value) -> Vec<String> {
    let keys = keys.as_array().into_iter().flatten().take(16);
    let active = keys.filter(|key| key.get("active").and_then(Value::as_bool) == Some(true));
    let all = active
        .filter_map(|key| key.get("ds").and_then(Value::as_array))
        .flatten();
    all.filter_map(Value::as_str)
        .filter(|ds| ds.split_whitespace().nth(2) == Some("2"))
        .map(|ds| text::shorten(&text::sanitize(ds), 200))
        .collect()
}
