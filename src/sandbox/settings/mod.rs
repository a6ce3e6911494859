//! The settings of a zone (facts §4): one id at a time, checked by type, by list and by plan. Some move by themselves:
//! development mode ends, `ssl` follows the automatic mode, and `tls_1_3` shows what `0rtt` makes of it.

mod ids;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::edge::no_route;
use super::envelope::{Answer, GENERAL, Refusal};
use super::plan::Plan;
use super::router::Asked;
use super::tokens::Permission;
use super::world::{World, now};
use super::zones::Zone;
use ids::{Form, Gate, SETTINGS, Setting};

/// How long development mode lasts, in seconds.
const DEVELOPMENT: i64 = 3 * 3_600;
/// What the automatic mode climbs, one step at a time.
const STAIRS: [&str; 4] = ["off", "flexible", "full", "strict"];
/// The one setting that is not among all of them, and that certificates open too.
const AUTOMATIC: &str = "ssl_automatic_mode";

/// The settings of a zone that are not as they were.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    touched: BTreeMap<String, Touched>,
    /// Those that nobody may change, whatever the plan says.
    locked: BTreeSet<String>,
    /// When development mode was last switched on, in seconds of the epoch.
    development: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Touched {
    value: Value,
    modified_on: String,
}

impl Settings {
    /// What is kept, which is not always what is shown.
    fn kept(&self, id: &str, plan: Plan) -> Value {
        match self.touched.get(id) {
            Some(touched) => touched.value.clone(),
            None => ids::find(id).map_or(Value::Null, |setting| (setting.usual)(plan)),
        }
    }

    fn keep(&mut self, id: &str, value: Value) {
        let modified_on = now();
        self.touched.insert(id.to_owned(), Touched { value, modified_on });
    }

    /// What is shown.
    fn shown(&self, id: &str, plan: Plan) -> Value {
        let kept = self.kept(id, plan);
        if id == "tls_1_3" && kept == "on" && self.kept("0rtt", plan) == "on" {
            return json!("zrt");
        }
        kept
    }

    /// Writes a value that was checked, with what it brings along.
    fn write(&mut self, id: &str, value: &Value, seconds: i64) {
        match (id, value.as_str()) {
            ("tls_1_3", Some("zrt")) => {
                self.keep("0rtt", json!("on"));
                self.keep(id, json!("on"));
            }
            ("development_mode", word) => {
                self.development = (word == Some("on")).then_some(seconds).or(self.development);
                self.keep(id, value.clone());
            }
            _ => self.keep(id, value.clone()),
        }
    }

    /// What happened since: development mode ends by itself.
    fn settle(&mut self, seconds: i64, plan: Plan) {
        let is_over = self.development.is_some_and(|since| seconds - since >= DEVELOPMENT);
        if is_over && self.kept("development_mode", plan) == "on" {
            self.keep("development_mode", json!("off"));
        }
    }

    /// The automatic mode found that the origin can do better.
    fn climb(&mut self, plan: Plan) -> bool {
        let kept = self.kept("ssl", plan);
        let step = STAIRS.iter().position(|step| kept == *step);
        let next = step.and_then(|step| STAIRS.get(step + 1));
        match next {
            Some(next) if self.kept(AUTOMATIC, plan) == "auto" => {
                self.keep("ssl", json!(next));
                true
            }
            _ => false,
        }
    }
}

impl Zone {
    fn is_editable(&self, setting: &Setting) -> bool {
        let may = match setting.gate {
            Gate::From(plan) => self.plan >= plan,
            Gate::CertificateManager => self.edge.certificates.has_manager(),
            Gate::Nobody => false,
        };
        may && !self.edge.settings.locked.contains(setting.id)
    }

    fn show_setting(&self, setting: &Setting, seconds: i64) -> Value {
        let settings = &self.edge.settings;
        let modified_on = settings.touched.get(setting.id).map(|touched| &touched.modified_on);
        let mut value = json!({
            "id": setting.id, "value": settings.shown(setting.id, self.plan),
            "editable": self.is_editable(setting), "modified_on": modified_on,
        });
        let mut add = |key: &str, field: Value| value[key] = field;
        match setting.id {
            "ssl" => {
                add("certificate_status", json!(self.edge.certificates.status()));
                add("validation_errors", json!([]));
            }
            "development_mode" => {
                let left = settings.development.map(|since| (since + DEVELOPMENT - seconds).max(0));
                let is_on = settings.kept("development_mode", self.plan) == "on";
                add(
                    "time_remaining",
                    left.map_or(json!(false), |left| json!(if is_on { left } else { 0 })),
                );
            }
            AUTOMATIC if settings.kept(AUTOMATIC, self.plan) == "auto" => {
                add("next_scheduled_scan", json!("2027-01-01T00:00:00Z"));
            }
            _ => {}
        }
        value
    }

    /// Whether a value may be written to a setting.
    fn check_setting(&self, id: &str, value: &Value) -> Result<Value, Refusal> {
        let setting = known(id)?;
        if !self.is_editable(setting) {
            return Err(Refusal::bad(1057, format!("{id} cannot be modified for this zone")));
        }
        let invalid = || Refusal::bad(1007, format!("Invalid value for zone setting {id}"));
        let value = settled(setting.form, value).ok_or_else(invalid)?;
        if !(setting.suits)(&value, self.plan) {
            return Err(invalid());
        }
        Ok(value)
    }
}

fn known(id: &str) -> Result<&'static Setting, Refusal> {
    ids::find(id).ok_or_else(|| Refusal::bad(1006, format!("Unrecognized zone setting name: {id}")))
}

/// The value as it is kept, if it has the form.
fn settled(form: Form, value: &Value) -> Option<Value> {
    let is_right = match form {
        Form::Toggle => matches!(value.as_str(), Some("on" | "off")),
        Form::Words(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        Form::Numbers(numbers) => value.as_i64().is_some_and(|number| numbers.contains(&number)),
        Form::Range(least, most) => value.as_i64().is_some_and(|number| (least..=most).contains(&number)),
        Form::Names => {
            let names: Option<Vec<&str>> = value.as_array()?.iter().map(Value::as_str).collect();
            let names = names?;
            names.iter().collect::<BTreeSet<_>>().len() == names.len() && names.iter().all(|name| !name.is_empty())
        }
        Form::Transport => return transport(value),
        Form::Object(others) => {
            let fields = value.as_object()?;
            fields.get("enabled").is_some_and(Value::is_boolean)
                && fields
                    .keys()
                    .all(|key| key == "enabled" || others.contains(&key.as_str()))
        }
    };
    is_right.then(|| value.clone())
}

/// HSTS, in the wrapper that it needs; what is not said is off.
fn transport(value: &Value) -> Option<Value> {
    let outer = value.as_object()?;
    let inner = outer.get("strict_transport_security")?.as_object()?;
    let mut whole = Map::new();
    whole.insert("enabled".to_owned(), json!(false));
    whole.insert("max_age".to_owned(), json!(0));
    for key in ["include_subdomains", "preload", "nosniff"] {
        whole.insert(key.to_owned(), json!(false));
    }
    for (key, value) in inner {
        let is_right = match key.as_str() {
            "max_age" => value.is_u64(),
            _ => value.is_boolean(),
        };
        let field = whole.get_mut(key).filter(|_| is_right)?;
        *field = value.clone();
    }
    (outer.len() == 1).then(|| json!({ "strict_transport_security": whole }))
}

/// The permissions of which any one is enough.
pub(super) fn permissions(id: Option<&str>, method: &str) -> Option<&'static [Permission]> {
    use Permission::{SslRead, SslWrite, ZoneSettingsRead, ZoneSettingsWrite};
    Some(match (id, method) {
        (Some(AUTOMATIC), "GET") => &[ZoneSettingsRead, ZoneSettingsWrite, SslRead, SslWrite],
        (Some(AUTOMATIC), "PATCH") => &[ZoneSettingsWrite, SslWrite],
        (_, "GET") => &[ZoneSettingsRead, ZoneSettingsWrite],
        (_, "PATCH") => &[ZoneSettingsWrite],
        _ => return None,
    })
}

/// Answers for one setting, or for all of them where the old endpoint still is.
pub(super) fn answer(world: &mut World, at: usize, id: Option<&str>, asked: &Asked) -> Result<Answer, Refusal> {
    let seconds = world.seconds();
    let is_write = asked.method == "PATCH";
    let is_bulk_gone = !world.switches.bulk_settings;
    let drifts = world.switches.ssl_drifts && !is_write;
    let zone = &mut world.zones[at];
    let plan = zone.plan;
    zone.edge.settings.settle(seconds, plan);
    if drifts && id.is_none_or(|id| id == "ssl") {
        world.is_changed |= zone.edge.settings.climb(plan);
    }
    let Some(id) = id else {
        if is_bulk_gone {
            return Err(no_route());
        }
        if is_write {
            world.is_changed = true;
            return write_all(zone, &asked.object()?, seconds);
        }
        return Ok(Answer::Result(show_all(zone, seconds)));
    };
    let setting = known(id)?;
    if is_write {
        let fields = asked.object()?;
        let wanted = fields.get("value");
        let wanted = wanted.ok_or_else(|| Refusal::bad(GENERAL, format!("Missing 'value' for zone setting {id}")))?;
        let value = zone.check_setting(id, wanted)?;
        zone.edge.settings.write(id, &value, seconds);
        world.is_changed = true;
    }
    Ok(Answer::Result(zone.show_setting(setting, seconds)))
}

fn show_all(zone: &Zone, seconds: i64) -> Value {
    let all = SETTINGS.iter().filter(|setting| setting.id != AUTOMATIC);
    all.map(|setting| zone.show_setting(setting, seconds)).collect()
}

fn write_all(zone: &mut Zone, fields: &Map<String, Value>, seconds: i64) -> Result<Answer, Refusal> {
    let missing = || Refusal::bad(GENERAL, "Missing 'items'");
    let items = fields.get("items").and_then(Value::as_array);
    let items = items.filter(|items| !items.is_empty()).ok_or_else(missing)?;
    let mut checked = Vec::new();
    for item in items {
        let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
        let value = item.get("value").unwrap_or(&Value::Null);
        checked.push((id, zone.check_setting(id, value)?));
    }
    for (id, value) in checked {
        zone.edge.settings.write(id, &value, seconds);
    }
    Ok(Answer::Result(show_all(zone, seconds)))
}

impl World {
    /// Sets a zone's setting without any check, as somebody else or Cloudflare itself would.
    pub fn put_setting(&mut self, zone: &str, id: &str, value: impl Into<Value>) {
        let seconds = self.seconds();
        if let Some(zone) = self.zone_mut(zone) {
            zone.edge.settings.write(id, &value.into(), seconds);
        }
        self.is_changed = true;
    }

    /// What a zone's setting shows; none when there is no such zone or setting.
    pub fn setting(&self, zone: &str, id: &str) -> Option<Value> {
        let zone = self.zone(zone)?;
        ids::find(id)?;
        Some(zone.edge.settings.shown(id, zone.plan))
    }

    /// Makes a setting read-only, whatever the plan says.
    pub fn lock_setting(&mut self, zone: &str, id: &str) {
        if let Some(zone) = self.zone_mut(zone) {
            zone.edge.settings.locked.insert(id.to_owned());
        }
        self.is_changed = true;
    }

    /// Whether `ssl` goes up a step before each read of it while `ssl_automatic_mode` is `auto`. Off unless it is set.
    pub fn drift_ssl(&mut self, drifts: bool) {
        self.switches.ssl_drifts = drifts;
    }

    /// Whether the old endpoint for all settings at once still answers. Gone unless it is set.
    pub fn serve_bulk_settings(&mut self, serves: bool) {
        self.switches.bulk_settings = serves;
    }
}
