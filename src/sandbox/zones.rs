//! Zones (facts §2): listed, looked up, made, paused, checked and deleted.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::certificates::Certificates;
use super::edge::{Edge, Owner};
use super::envelope::{Answer, GENERAL, Refusal};
use super::plan::Plan;
use super::query::{Paging, Query, fits};
use super::records::Records;
use super::tokens::TokenOptions;
use super::world::{World, now};
use crate::model::name::DomainName;

/// A zone.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Zone {
    pub(super) id: String,
    /// Canonical.
    pub(super) name: String,
    pub(super) plan: Plan,
    pub(super) status: String,
    pub(super) name_servers: Vec<String>,
    pub(super) created_on: String,
    pub(super) activated_on: Option<String>,
    pub(super) paused: bool,
    /// How many records it may hold; none for any number.
    pub(super) quota: Option<usize>,
    /// When activation was last checked, in seconds of the epoch.
    checked: Option<i64>,
    pub(super) records: Records,
    /// Everything that is no record.
    #[serde(default)]
    pub(super) edge: Edge,
    /// The account that it belongs to.
    #[serde(default)]
    owner: Owner,
}

const PAGING: Paging = Paging {
    usual: 20,
    least: 5,
    most: 50,
};

/// Half of the names of the name servers; each pair is one of these and one of those.
const FIRST: [&str; 7] = ["ada", "cora", "dana", "elle", "gina", "kay", "lily"];
const SECOND: [&str; 11] = [
    "art", "bob", "carl", "duke", "earl", "gabe", "hugh", "ivan", "jay", "ken", "lee",
];

impl Zone {
    /// `pair` says which pair of name servers it gets: another one each time.
    pub(super) fn new(id: String, name: &str, plan: Plan, status: &str, pair: usize) -> Self {
        // A name that is none is kept as it is; no record will ever fit below it.
        let name = DomainName::parse(name).map_or_else(|_| name.to_lowercase(), String::from);
        let server = |word: &str| format!("{word}.ns.cloudflare.com");
        let time = now();
        let edge = Edge {
            certificates: Certificates::new(&name, &id, status == "active"),
            ..Edge::default()
        };
        Self {
            id,
            name,
            plan,
            status: status.to_owned(),
            name_servers: vec![server(FIRST[pair % FIRST.len()]), server(SECOND[pair % SECOND.len()])],
            activated_on: (status == "active").then(|| time.clone()),
            created_on: time,
            paused: false,
            quota: Some(plan.limits().records),
            checked: None,
            records: Records::default(),
            edge,
            owner: Owner::default(),
        }
    }

    /// The zone as the API shows it. What moves by itself there moves with every `turn` here.
    fn to_value(&self, turn: usize) -> Value {
        json!({
            "id": self.id, "name": self.name, "status": self.status, "paused": self.paused, "type": "full",
            "development_mode": -1_000 - i64::try_from(turn).unwrap_or(0),
            "name_servers": self.name_servers,
            "original_name_servers": ["ns1.registrar.example", "ns2.registrar.example"],
            "original_registrar": null, "original_dnshost": null,
            "created_on": self.created_on, "modified_on": now(), "activated_on": self.activated_on,
            "vanity_name_servers": [], "vanity_name_servers_ips": null,
            "meta": {
                "step": 2 + turn % 3, "custom_certificate_quota": 0, "page_rule_quota": 3, "phishing_detected": false,
            },
            "owner": { "id": null, "type": "user", "email": null },
            "account": self.owner,
            "tenant": { "id": null, "name": null }, "tenant_unit": { "id": null },
            "permissions": ["#zone:read", "#zone:edit", "#dns_records:read", "#dns_records:edit"],
            "plan": {
                "id": crate::base::digest::short(self.plan.legacy_id().as_bytes(), 32),
                "name": self.plan.title(), "price": self.plan.price(), "currency": "USD", "frequency": "",
                "is_subscribed": self.plan != Plan::Free, "can_subscribe": false, "legacy_id": self.plan.legacy_id(),
                "legacy_discount": false, "externally_managed": false,
            },
        })
    }
}

/// `GET /zones`: those that the token covers.
pub(super) fn list(world: &World, query: &Query, token: &TokenOptions) -> Result<Answer, Refusal> {
    let mut found: Vec<&Zone> = Vec::new();
    for zone in world.zones.iter().filter(|zone| token.covers(&zone.name)) {
        if is_wanted(zone, query)? {
            found.push(zone);
        }
    }
    match query.get("order") {
        Some("name") => found.sort_by(|a, b| a.name.cmp(&b.name)),
        Some("status") => found.sort_by(|a, b| a.status.cmp(&b.status)),
        Some("plan.id") => found.sort_by_key(|zone| zone.plan.legacy_id()),
        _ => {}
    }
    if query.is_descending() {
        found.reverse();
    }
    let page = query.page(PAGING, found.len())?;
    let zones = page.cut(found.iter()).into_iter();
    Ok(Answer::List(
        zones.map(|zone| zone.to_value(world.turn)).collect(),
        page,
    ))
}

fn is_wanted(zone: &Zone, query: &Query) -> Result<bool, Refusal> {
    let mut verdicts = Vec::new();
    for (key, value) in query.iter() {
        verdicts.push(match key {
            "name" => {
                let (operator, wanted) = value.split_once(':').unwrap_or(("", value));
                let operator = operator.trim_end_matches("_case_sensitive");
                fits(operator, &zone.name, wanted)
                    .ok_or_else(|| Refusal::bad(GENERAL, format!("`{operator}` is no operator for name")))?
            }
            "account.id" => value == zone.owner.id,
            "account.name" => value == zone.owner.name,
            "status" => value == zone.status,
            "type" => value.split(',').any(|wanted| wanted == "full"),
            _ => continue,
        });
    }
    Ok(if query.any_is_enough() {
        verdicts.is_empty() || verdicts.contains(&true)
    } else {
        !verdicts.contains(&false)
    })
}

/// `GET /zones/{id}`.
pub(super) fn get(world: &World, at: usize) -> Answer {
    Answer::Result(world.zones[at].to_value(world.turn))
}

/// `POST /zones`.
pub(super) fn create(world: &mut World, fields: &Map<String, Value>) -> Result<Answer, Refusal> {
    let name = fields.get("name").and_then(Value::as_str).unwrap_or_default();
    let invalid = || Refusal::bad(GENERAL, format!("{name} is not a valid zone name"));
    let name = DomainName::parse(name).map_err(|_| invalid())?;
    if !is_registrable(name.as_str()) {
        return Err(invalid());
    }
    let owners = world.owners();
    let owner = match fields.get("account").and_then(|account| account.get("id")) {
        // A token that sees one account need not name it.
        None if owners.len() == 1 => Owner::default(),
        None => return Err(Refusal::bad(GENERAL, "account is required")),
        Some(id) => owners
            .into_iter()
            .find(|owner| *id == owner.id)
            .ok_or_else(Refusal::forbidden)?,
    };
    if fields.get("type").is_some_and(|kind| kind != "full") {
        return Err(Refusal::bad(1104, "Partial zone signup not allowed"));
    }
    if world.has_zone(name.as_str()) {
        return Err(Refusal::bad(1061, format!("{name} already exists")));
    }
    let mut zone = world.new_zone(name.as_str(), Plan::Free, "pending");
    zone.owner = owner;
    let value = zone.to_value(world.turn);
    world.zones.push(zone);
    world.is_changed = true;
    Ok(Answer::Result(value))
}

/// The pattern that the API states: letters, digits and hyphens, and a top-level domain of 2 to 20 of them.
fn is_registrable(name: &str) -> bool {
    let is_label =
        |label: &str| label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !label.starts_with('-');
    let last = name.rsplit('.').next().unwrap_or_default();
    name.contains('.') && name.split('.').all(is_label) && (2..=20).contains(&last.len())
}

/// `PATCH /zones/{id}`: one property at a time.
pub(super) fn patch(world: &mut World, at: usize, fields: &Map<String, Value>) -> Result<Answer, Refusal> {
    let turn = world.turn;
    let zone = &mut world.zones[at];
    let mut properties = fields.iter();
    let (Some((key, value)), None) = (properties.next(), properties.next()) else {
        return Err(Refusal::bad(GENERAL, "Only one zone property can be changed at a time"));
    };
    match (key.as_str(), value) {
        ("paused", Value::Bool(paused)) => {
            zone.paused = *paused;
            world.is_changed = true;
        }
        ("type", Value::String(kind)) if kind == "full" => {}
        ("type", _) if zone.plan != Plan::Enterprise => {
            return Err(Refusal::bad(1104, "Partial zone signup not allowed"));
        }
        ("vanity_name_servers", _) if zone.plan < Plan::Business => {
            return Err(Refusal::bad(
                GENERAL,
                "Vanity name servers are not available to this zone",
            ));
        }
        _ => return Err(Refusal::bad(GENERAL, format!("`{key}` cannot be changed to this"))),
    }
    Ok(Answer::Result(world.zones[at].to_value(turn)))
}

/// `DELETE /zones/{id}`.
pub(super) fn delete(world: &mut World, at: usize) -> Answer {
    let zone = world.zones.remove(at);
    world.is_changed = true;
    Answer::Result(json!({ "id": zone.id }))
}

/// `PUT /zones/{id}/activation_check`: it may be asked for only so often. No registrar is there to answer, so that a
/// pending zone stays so until [`World::set_status`].
pub(super) fn check_activation(world: &mut World, at: usize) -> Result<Answer, Refusal> {
    let now = world.seconds();
    let zone = &mut world.zones[at];
    let minutes = zone.plan.limits().activation_minutes;
    if zone.checked.is_some_and(|checked| now - checked < minutes * 60) {
        let words = format!("You may only perform this action once every {minutes} minutes.");
        return Err(Refusal::bad(GENERAL, words));
    }
    zone.checked = Some(now);
    world.is_changed = true;
    Ok(Answer::Result(json!({ "id": world.zones[at].id })))
}
