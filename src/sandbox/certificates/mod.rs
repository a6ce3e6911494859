//! Certificates at the edge (facts §4.3): universal SSL, certificate packs whose states walk on with each look at them,
//! and their verification.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::envelope::{Answer, GENERAL, Refusal};
use super::query::{Paging, Query};
use super::router::{Asked, is_identifier, not_routed};
use super::tokens::Permission;
use super::world::{World, now};
use super::zones::Zone;
use crate::base::digest;
use crate::model::name::DomainName;

/// What a pack walks through, one look after another, while its zone is active.
const STEPS: [&str; 5] = [
    "initializing",
    "pending_validation",
    "pending_issuance",
    "pending_deployment",
    "active",
];
const PAGING: Paging = Paging {
    usual: 20,
    least: 5,
    most: 50,
};
/// Packs that can be ordered.
const QUOTA: usize = 100;

/// The certificates of a zone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Certificates {
    /// Whether universal SSL is on.
    universal: bool,
    /// Its packs, and those that were ordered.
    packs: Vec<Pack>,
    /// Whether Advanced Certificate Manager was bought.
    manager: bool,
    /// How often universal SSL was switched on.
    generation: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Pack {
    id: String,
    /// `universal` or `advanced`.
    kind: String,
    hosts: Vec<String>,
    status: String,
    method: String,
    days: u64,
    authority: String,
    created_on: String,
    /// Whether its status stays until somebody changes it.
    is_held: bool,
}

impl Default for Certificates {
    fn default() -> Self {
        Self {
            universal: true,
            packs: Vec::new(),
            manager: false,
            generation: 0,
        }
    }
}

impl Certificates {
    /// Those of a new zone, which has its first one already if it is active.
    pub(super) fn new(zone: &str, id: &str, is_active: bool) -> Self {
        let mut certificates = Self::default();
        certificates.issue(zone, id);
        if is_active && let Some(pack) = certificates.packs.last_mut() {
            STEPS[STEPS.len() - 1].clone_into(&mut pack.status);
        }
        certificates
    }

    /// Another pack of universal SSL.
    fn issue(&mut self, zone: &str, id: &str) {
        self.generation += 1;
        self.packs.push(Pack {
            id: digest::short(format!("{id} universal {}", self.generation).as_bytes(), 32),
            kind: "universal".to_owned(),
            hosts: vec![zone.to_owned(), format!("*.{zone}")],
            status: STEPS[0].to_owned(),
            method: "txt".to_owned(),
            days: 90,
            authority: "google".to_owned(),
            created_on: now(),
            is_held: false,
        });
    }

    /// What the `ssl` setting tells of the certificate.
    pub(super) fn status(&self) -> &str {
        let universal = self.packs.iter().find(|pack| pack.kind == "universal");
        universal.map_or("none", |pack| pack.status.as_str())
    }

    /// Whether Advanced Certificate Manager was bought.
    pub(super) fn has_manager(&self) -> bool {
        self.manager
    }

    fn find(&self, id: &str) -> Result<usize, Refusal> {
        let found = self.packs.iter().position(|pack| pack.id == id);
        found.ok_or_else(|| Refusal::new(404, 0, "could not find certificate pack"))
    }

    /// What goes on by itself, after a look.
    fn walk_on(&mut self, is_active: bool) -> bool {
        let before: Vec<String> = self.packs.iter().map(|pack| pack.status.clone()).collect();
        self.packs.retain(|pack| pack.status != "deleted" || pack.is_held);
        for pack in self.packs.iter_mut().filter(|pack| !pack.is_held) {
            let step = STEPS.iter().position(|step| *step == pack.status);
            if pack.status == "pending_deletion" {
                "deleted".clone_into(&mut pack.status);
            } else if let Some(next) = step.filter(|_| is_active).and_then(|step| STEPS.get(step + 1)) {
                (*next).clone_into(&mut pack.status);
            }
        }
        before != self.packs.iter().map(|pack| pack.status.clone()).collect::<Vec<_>>()
    }
}

impl Pack {
    fn is_active(&self) -> bool {
        self.status == "active"
    }

    fn to_value(&self) -> Value {
        let id = digest::short(self.id.as_bytes(), 32);
        let certificates: Vec<Value> = std::iter::once(json!({
            "id": id, "hosts": self.hosts, "status": self.status, "issuer": "GoogleTrustServices",
            "signature": "ECDSAWithSHA256", "bundle_method": "ubiquitous",
            "uploaded_on": self.created_on, "modified_on": self.created_on, "expires_on": "2027-06-01T00:00:00Z",
        }))
        .filter(|_| self.is_active())
        .collect();
        json!({
            "id": self.id, "type": self.kind, "hosts": self.hosts, "status": self.status,
            "validation_method": self.method, "validity_days": self.days, "certificate_authority": self.authority,
            "primary_certificate": if self.is_active() { json!(id) } else { json!("0") },
            "certificates": certificates, "created_on": self.created_on, "cloudflare_branding": false,
        })
    }

    fn verification(&self) -> Value {
        json!({
            "brand_check": false, "cert_pack_uuid": self.id, "certificate_status": self.status,
            "signature": "ECDSAWithSHA256", "validation_method": self.method,
            "verification_status": self.is_active(), "verification_type": self.method,
            "verification_info": { "record_name": format!("_acme-challenge.{}", self.hosts[0]), "record_target": "token" },
        })
    }
}

/// What is asked for, beneath `…/ssl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path<'a> {
    /// Whether universal SSL is on.
    Universal,
    /// All packs.
    Packs,
    /// A new pack.
    Order,
    /// How many there may be.
    Quota,
    /// One pack.
    Pack(&'a str),
    /// How validation goes.
    Verification,
}

impl<'a> Path<'a> {
    pub(super) fn find(rest: &[&'a str]) -> Option<Self> {
        Some(match rest {
            ["universal", "settings"] => Self::Universal,
            ["certificate_packs"] => Self::Packs,
            ["certificate_packs", "order"] => Self::Order,
            ["certificate_packs", "quota"] => Self::Quota,
            ["certificate_packs", id] => Self::Pack(id),
            ["verification"] => Self::Verification,
            _ => return None,
        })
    }

    pub(super) fn permissions(self, method: &str) -> Option<&'static [Permission]> {
        use Permission::{SslRead, SslWrite};
        Some(match (self, method) {
            (Self::Universal | Self::Packs | Self::Quota | Self::Pack(_) | Self::Verification, "GET") => {
                &[SslRead, SslWrite]
            }
            (Self::Universal | Self::Pack(_), "PATCH") | (Self::Order, "POST") | (Self::Pack(_), "DELETE") => {
                &[SslWrite]
            }
            _ => return None,
        })
    }
}

/// Answers a request for them.
pub(super) fn answer(
    world: &mut World,
    at: usize,
    path: Path<'_>,
    asked: &Asked,
    query: &Query,
) -> Result<Answer, Refusal> {
    let is_look = asked.method == "GET" && matches!(path, Path::Packs | Path::Pack(_) | Path::Verification);
    let answered = look_or_change(world, at, path, asked, query)?;
    let zone = &mut world.zones[at];
    let has_moved = is_look && zone.edge.certificates.walk_on(zone.status == "active");
    world.is_changed |= has_moved || asked.changes_something();
    Ok(answered)
}

fn look_or_change(
    world: &mut World,
    at: usize,
    path: Path<'_>,
    asked: &Asked,
    query: &Query,
) -> Result<Answer, Refusal> {
    let id = world.ids.next();
    let zone = &mut world.zones[at];
    let certificates = &mut zone.edge.certificates;
    match (path, asked.method.as_str()) {
        (Path::Universal, "PATCH") => switch(zone, &asked.object()?),
        (Path::Universal, _) => Ok(Answer::Result(json!({ "enabled": certificates.universal }))),
        (Path::Order, _) => order(zone, id, &asked.object()?),
        (Path::Packs, _) => {
            let is_all = query.get("status") == Some("all");
            let packs = certificates.packs.iter().filter(|pack| is_all || pack.is_active());
            let all: Vec<Value> = packs.map(Pack::to_value).collect();
            let page = query.page(PAGING, all.len())?;
            Ok(Answer::List(page.cut(all.into_iter()), page))
        }
        (Path::Quota, _) => {
            let used = certificates.packs.iter().filter(|pack| pack.kind == "advanced").count();
            let allocated = if certificates.manager { QUOTA } else { 0 };
            Ok(Answer::Result(
                json!({ "advanced": { "allocated": allocated, "used": used } }),
            ))
        }
        (Path::Verification, _) => {
            let all = certificates.packs.iter().map(Pack::verification);
            Ok(Answer::Result(all.collect()))
        }
        (Path::Pack(id), _) if !is_identifier(id) => Err(not_routed(&asked.path)),
        (Path::Pack(id), method) => {
            let found = certificates.find(id)?;
            let pack = &mut certificates.packs[found];
            match method {
                "PATCH" => STEPS[0].clone_into(&mut pack.status),
                "DELETE" if pack.kind == "universal" => {
                    return Err(Refusal::bad(GENERAL, "A universal certificate pack cannot be deleted"));
                }
                "DELETE" => {
                    "pending_deletion".clone_into(&mut pack.status);
                    return Ok(Answer::Result(json!({ "id": id })));
                }
                _ => {}
            }
            Ok(Answer::Result(pack.to_value()))
        }
    }
}

/// Off, the certificate at the edge is gone; on again, another one has to be issued.
fn switch(zone: &mut Zone, fields: &Map<String, Value>) -> Result<Answer, Refusal> {
    let enabled = fields.get("enabled").and_then(Value::as_bool);
    let enabled = enabled.ok_or_else(|| Refusal::bad(GENERAL, "enabled must be a boolean"))?;
    let certificates = &mut zone.edge.certificates;
    if enabled && !certificates.universal {
        certificates.issue(&zone.name, &zone.id);
    }
    if !enabled {
        certificates.packs.retain(|pack| pack.kind != "universal");
    }
    certificates.universal = enabled;
    Ok(Answer::Result(json!({ "enabled": enabled })))
}

fn order(zone: &mut Zone, id: String, fields: &Map<String, Value>) -> Result<Answer, Refusal> {
    if !zone.edge.certificates.manager {
        return Err(Refusal::bad(
            GENERAL,
            "Advanced Certificate Manager is required to order certificates",
        ));
    }
    let refuse = |words: String| Refusal::bad(GENERAL, words);
    let one_of = |key: &str, words: &[&str]| {
        let word = fields
            .get(key)
            .and_then(Value::as_str)
            .filter(|word| words.contains(word));
        let word = word.map(str::to_owned);
        word.ok_or_else(|| refuse(format!("{key} must be one of {}", words.join(", "))))
    };
    let kind = one_of("type", &["advanced"])?;
    let method = one_of("validation_method", &["txt", "http", "email"])?;
    let authority = one_of("certificate_authority", &["google", "lets_encrypt", "ssl_com"])?;
    let days = fields.get("validity_days").and_then(Value::as_u64);
    let days = days.filter(|days| matches!(days, 14 | 30 | 90 | 365));
    let days = days.ok_or_else(|| refuse("validity_days must be one of 14, 30, 90, 365".to_owned()))?;
    let hosts = fields.get("hosts").and_then(Value::as_array);
    let hosts: Option<Vec<String>> = hosts.and_then(|hosts| {
        let hosts = hosts.iter().map(|host| host.as_str().map(str::to_lowercase));
        hosts.collect()
    });
    let hosts = hosts.ok_or_else(|| refuse("hosts must be names".to_owned()))?;
    let is_within = |host: &String| {
        let name = DomainName::parse(host.strip_prefix("*.").unwrap_or(host));
        name.is_ok_and(|name| name.as_str() == zone.name || name.as_str().ends_with(&format!(".{}", zone.name)))
    };
    if hosts.len() > 50 || !hosts.contains(&zone.name) || !hosts.iter().all(is_within) {
        let words = "hosts must be at most 50 names of the zone, with the zone's own name among them";
        return Err(refuse(words.to_owned()));
    }
    let pack = Pack {
        id,
        kind,
        hosts,
        status: STEPS[0].to_owned(),
        method,
        days,
        authority,
        created_on: now(),
        is_held: false,
    };
    let value = pack.to_value();
    zone.edge.certificates.packs.push(pack);
    Ok(Answer::Result(value))
}

impl World {
    /// Sets the status of a zone's universal certificate, such as `pending_validation` or `validation_timed_out`. It
    /// stays so.
    pub fn set_certificate_status(&mut self, zone: &str, status: &str) {
        if let Some(zone) = self.zone_mut(zone) {
            let mut packs = zone.edge.certificates.packs.iter_mut();
            if let Some(pack) = packs.find(|pack| pack.kind == "universal") {
                status.clone_into(&mut pack.status);
                pack.is_held = true;
            }
        }
        self.is_changed = true;
    }

    /// Buys Advanced Certificate Manager for a zone: packs can be ordered, and ciphers chosen.
    pub fn grant_certificate_manager(&mut self, zone: &str) {
        if let Some(zone) = self.zone_mut(zone) {
            zone.edge.certificates.manager = true;
        }
        self.is_changed = true;
    }
}
