//! DNSSEC of a zone (facts §3.9): it waits for the registrar on the way up and on the way down, and shows its keys in
//! strings and numbers mixed, or nothing but nulls while it is off.

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::envelope::{Answer, GENERAL, Refusal};
use super::plan::Plan;
use super::router::Asked;
use super::tokens::Permission;
use super::world::{World, now};
use super::zones::Zone;
use crate::base::digest;

/// How long it takes until the DS record is seen at the registrar, or seen to be gone, in seconds.
const REGISTRAR: i64 = 3_600;
/// What can be switched beside the status.
const OPTIONS: [&str; 3] = ["dnssec_multi_signer", "dnssec_presigned", "dnssec_use_nsec3"];

/// The DNSSEC of a zone.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Dnssec {
    status: Status,
    /// When the status began, in seconds of the epoch.
    since: i64,
    modified_on: Option<String>,
    options: Map<String, Value>,
    /// Whether the status stays until somebody changes it.
    is_held: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Status {
    #[default]
    Disabled,
    Pending,
    Active,
    PendingDisabled,
    Error,
}

impl Status {
    fn parse(word: &str) -> Option<Self> {
        serde_json::from_value(json!(word)).ok()
    }
}

impl Dnssec {
    fn turn_to(&mut self, status: Status, seconds: i64) {
        if self.status != status {
            self.modified_on = Some(now());
            self.since = seconds;
            self.status = status;
        }
        self.is_held = false;
    }

    /// The registrar followed, if there was time enough.
    fn settle(&mut self, seconds: i64, is_delegated: bool) {
        let is_over = seconds - self.since >= REGISTRAR && !self.is_held;
        match self.status {
            Status::Pending if is_over && is_delegated => self.turn_to(Status::Active, seconds),
            Status::PendingDisabled if is_over => self.turn_to(Status::Disabled, seconds),
            _ => {}
        }
    }

    /// What a wish comes to: nothing is there at once.
    fn wish(&mut self, is_on: bool, seconds: i64) {
        let next = match (is_on, &self.status) {
            (true, Status::Disabled | Status::Error) => Status::Pending,
            (true, Status::PendingDisabled) => Status::Active,
            (false, Status::Active) => Status::PendingDisabled,
            (false, Status::Pending | Status::Error) => Status::Disabled,
            (true, Status::Pending | Status::Active) | (false, Status::Disabled | Status::PendingDisabled) => return,
        };
        self.turn_to(next, seconds);
    }
}

/// The status, and the keys where there are any.
fn show(zone: &Zone) -> Value {
    let dnssec = &zone.edge.dnssec;
    let mut value = json!({ "status": dnssec.status });
    let mut add = |key: &str, field: Value| value[key] = field;
    if dnssec.status == Status::Disabled {
        for key in [
            "flags",
            "algorithm",
            "key_type",
            "digest_type",
            "digest_algorithm",
            "digest",
            "ds",
            "key_tag",
            "public_key",
        ] {
            add(key, Value::Null);
        }
    } else {
        let digest = digest::sha256_hex(zone.id.as_bytes()).to_uppercase();
        let tag = u16::from_str_radix(&digest[..4], 16).unwrap_or(1);
        let key = base64::engine::general_purpose::STANDARD.encode(&digest);
        add("flags", json!(257));
        add("algorithm", json!("13"));
        add("key_type", json!("ECDSAP256SHA256"));
        add("digest_type", json!("2"));
        add("digest_algorithm", json!("SHA256"));
        add("ds", json!(format!("{}. 3600 IN DS {tag} 13 2 {digest}", zone.name)));
        add("digest", json!(digest));
        add("key_tag", json!(tag));
        add("public_key", json!(key));
    }
    for option in OPTIONS {
        add(option, dnssec.options.get(option).cloned().unwrap_or(json!(false)));
    }
    add("modified_on", json!(dnssec.modified_on));
    value
}

/// The permissions of which any one is enough.
pub(super) fn permissions(method: &str) -> Option<&'static [Permission]> {
    use Permission::{DnsRead, DnsWrite};
    Some(match method {
        "GET" => &[DnsRead, DnsWrite],
        "PATCH" | "DELETE" => &[DnsWrite],
        _ => return None,
    })
}

/// Answers `…/dnssec`.
pub(super) fn answer(world: &mut World, at: usize, asked: &Asked) -> Result<Answer, Refusal> {
    let seconds = world.seconds();
    let zone = &mut world.zones[at];
    zone.edge.dnssec.settle(seconds, zone.status == "active");
    match asked.method.as_str() {
        "PATCH" => patch(zone, &asked.object()?, seconds)?,
        "DELETE" => {
            zone.edge.dnssec.turn_to(Status::Disabled, seconds);
            world.is_changed = true;
            return Ok(Answer::Result(json!("")));
        }
        _ => return Ok(Answer::Result(show(zone))),
    }
    let value = show(zone);
    world.is_changed = true;
    Ok(Answer::Result(value))
}

fn patch(zone: &mut Zone, fields: &Map<String, Value>, seconds: i64) -> Result<(), Refusal> {
    let mut options = zone.edge.dnssec.options.clone();
    let mut wish = None;
    for (key, value) in fields {
        let invalid = || Refusal::bad(GENERAL, format!("Invalid value for {key}"));
        match (key.as_str(), value) {
            ("status", Value::String(word)) if word == "active" => wish = Some(true),
            ("status", Value::String(word)) if word == "disabled" => wish = Some(false),
            (option, Value::Bool(is_on)) if OPTIONS.contains(&option) => {
                if *is_on && option != "dnssec_multi_signer" && zone.plan < Plan::Enterprise {
                    return Err(Refusal::new(400, 0, "Invalid zone plan for action"));
                }
                options.insert(key.clone(), value.clone());
            }
            _ => return Err(invalid()),
        }
    }
    let dnssec = &mut zone.edge.dnssec;
    dnssec.options = options;
    if let Some(is_on) = wish {
        dnssec.wish(is_on, seconds);
    }
    Ok(())
}

impl World {
    /// Sets the status of a zone's DNSSEC, such as `active` once the registrar has the DS record: one of `disabled`,
    /// `pending`, `active`, `pending-disabled` and `error`. It stays until a request changes it.
    pub fn set_dnssec_status(&mut self, zone: &str, status: &str) {
        let seconds = self.seconds();
        if let (Some(zone), Some(status)) = (self.zone_mut(zone), Status::parse(status)) {
            zone.edge.dnssec.turn_to(status, seconds);
            zone.edge.dnssec.is_held = true;
        }
        self.is_changed = true;
    }

    /// The DNSSEC of a zone as it would be shown; null when there is no such zone.
    pub fn dnssec(&mut self, zone: &str) -> Value {
        let seconds = self.seconds();
        self.zone_mut(zone).map_or(Value::Null, |zone| {
            zone.edge.dnssec.settle(seconds, zone.status == "active");
            show(zone)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sandbox::tests::Desk;
    use crate::sandbox::{Permission, TokenOptions};

    const ZONE: &str = "acme.example";
    const LONG: Duration = Duration::from_secs(3_600);

    fn path(desk: &Desk) -> String {
        format!("zones/{}/dnssec", desk.world.zone_id(ZONE).unwrap())
    }

    fn status(desk: &mut Desk) -> String {
        let path = path(desk);
        desk.get(&path)["result"]["status"].as_str().unwrap().to_owned()
    }

    fn switch(desk: &mut Desk, word: &str) -> Value {
        let path = path(desk);
        let (status, envelope) = desk.ask("PATCH", &path, &json!({ "status": word }));
        assert_eq!(status, 200);
        envelope["result"].clone()
    }

    #[test]
    fn it_goes_up_and_down_by_way_of_the_registrar() {
        let mut desk = Desk::new(Plan::Free);
        assert_eq!(switch(&mut desk, "active")["status"], "pending");
        assert_eq!(switch(&mut desk, "active")["status"], "pending");
        assert_eq!(status(&mut desk), "pending");
        desk.world.pass(LONG);
        assert_eq!(status(&mut desk), "active");
        assert_eq!(switch(&mut desk, "disabled")["status"], "pending-disabled");
        assert_eq!(switch(&mut desk, "active")["status"], "active");
        switch(&mut desk, "disabled");
        desk.world.pass(LONG);
        assert_eq!(status(&mut desk), "disabled");
        switch(&mut desk, "active");
        assert_eq!(
            switch(&mut desk, "disabled")["status"],
            "disabled",
            "nothing was published yet"
        );
        // No registrar sends anybody to a zone that is pending itself.
        desk.world.set_status(ZONE, "pending");
        switch(&mut desk, "active");
        desk.world.pass(LONG);
        assert_eq!(status(&mut desk), "pending");
    }

    #[test]
    fn keys_are_strings_and_numbers_mixed_or_nulls() {
        let mut desk = Desk::new(Plan::Free);
        let there = path(&desk);
        let off = desk.get(&there)["result"].clone();
        assert_eq!(off["status"], "disabled");
        for key in [
            "ds",
            "digest",
            "digest_type",
            "algorithm",
            "key_tag",
            "flags",
            "public_key",
            "modified_on",
        ] {
            assert_eq!(off.get(key), Some(&Value::Null), "{key}");
        }
        let on = switch(&mut desk, "active");
        assert_eq!(
            (&on["digest_type"], &on["algorithm"], &on["flags"]),
            (&json!("2"), &json!("13"), &json!(257))
        );
        assert!(on["key_tag"].is_u64() && on["modified_on"].is_string());
        let ds = format!(
            "{ZONE}. 3600 IN DS {} 13 2 {}",
            on["key_tag"],
            on["digest"].as_str().unwrap()
        );
        assert_eq!(on["ds"], ds);
        assert_eq!(desk.ask("DELETE", &there, &Value::Null).1["result"], "");
        assert_eq!(status(&mut desk), "disabled");
    }

    #[test]
    fn what_is_not_known_or_not_bought_is_refused() {
        let mut desk = Desk::new(Plan::Pro);
        let there = path(&desk);
        for body in [
            json!({ "status": "pending" }),
            json!({ "status": true }),
            json!({ "state": "active" }),
        ] {
            assert_eq!(desk.refused("PATCH", &there, &body), (400, 1004), "{body}");
        }
        let (status, envelope) = desk.ask(
            "PATCH",
            &there,
            &json!({ "status": "active", "dnssec_presigned": true }),
        );
        let error = json!({ "message": "Invalid zone plan for action" });
        assert_eq!((status, &envelope["errors"][0]), (400, &error));
        assert_eq!(desk.world.dnssec(ZONE)["status"], "disabled", "all of it or nothing");
        desk.ask("PATCH", &there, &json!({ "dnssec_multi_signer": true }));
        assert_eq!(desk.world.dnssec(ZONE)["dnssec_multi_signer"], true);
    }

    #[test]
    fn a_test_sets_the_status_and_it_stays() {
        let mut desk = Desk::new(Plan::Free);
        for word in ["active", "pending", "error", "pending-disabled", "disabled"] {
            desk.world.set_dnssec_status(ZONE, word);
            desk.world.pass(LONG);
            assert_eq!(status(&mut desk), word);
        }
        let options = TokenOptions {
            permissions: vec![Permission::DnsRead],
            ..TokenOptions::default()
        };
        desk.world.add_token("t", options);
        desk.authorization = Some("Bearer t".to_owned());
        let there = path(&desk);
        assert_eq!(desk.ask("GET", &there, &Value::Null).0, 200);
        assert_eq!(
            desk.refused("PATCH", &there, &json!({ "status": "active" })),
            (403, 10000)
        );
    }
}
