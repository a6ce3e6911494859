//! The zone itself: made when it is missing and wanted, and what somebody has to do about it at the registrar. The server
//! makes the SOA by its own defaults (`default-soa-content`).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{LANE, NAME};
use crate::base::text;
use crate::model::name::DomainName;
use crate::model::resource::Resource;
use crate::plan::Change;
use crate::provider::{Reading, Stage, Step, ZoneFacts};

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

/// A request for a zone that carries nothing yet.
pub(super) fn step(zone: &DomainName, stage: Stage, method: &'static str, path: String, summary: String) -> Step {
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
