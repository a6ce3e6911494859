//! Zone settings: each read and written by itself, since there is no call for many that can be relied on. What Cloudflare
//! returns in another form than it was sent is made canonical here. DNSSEC is one of them to the rest of the house,
//! though it lives elsewhere in the API.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::api::{self, ApiError};
use super::setting_forms::SETTINGS;
use super::{Cloudflare, zone_path};
use crate::base::text;
use crate::model::address::Address;
use crate::model::name::DomainName;
use crate::model::resource::Resource;
use crate::model::setting::Setting;
use crate::model::setting_form::SettingForm;
use crate::plan::{Change, Warning};
use crate::provider::{ProviderError, Reading, Stage, Step};

/// The setting that signs a zone.
pub(super) const DNSSEC: &str = "dnssec";
/// The setting that lets Cloudflare move `ssl` by itself.
pub(super) const AUTOMATIC_MODE: &str = "ssl_automatic_mode";
/// The setting that says how the edge speaks to the origin.
pub(super) const SSL: &str = "ssl";
/// What Cloudflare wraps HSTS in.
const HSTS_WRAPPER: &str = "strict_transport_security";

/// Where a setting lives.
fn path(zone: &str, id: &str) -> String {
    match id {
        DNSSEC => format!("zones/{zone}/dnssec"),
        id => format!("zones/{zone}/settings/{}", super::segment(id)),
    }
}

/// One setting as it was read.
pub(super) struct Read {
    setting: Setting,
    is_editable: bool,
    /// What somebody has to do about it.
    note: Option<Warning>,
}

/// Reads a setting; nothing when this zone has none of that name.
pub(super) async fn read(
    cloudflare: &Cloudflare,
    zone: &DomainName,
    id: &str,
    setting: &str,
) -> Result<Option<Read>, ProviderError> {
    match api::get(&cloudflare.http, &path(id, setting)).await {
        Ok(answer) => Ok(Some(understand(zone, setting, &answer.result))),
        Err(ApiError::Refused(refusal))
            if refusal.status == 404 || (refusal.status == 400 && refusal.code == "1006") =>
        {
            // Where there is no automatic mode, nothing moves `ssl` by itself: that is what `custom` says.
            Ok((setting == AUTOMATIC_MODE).then(|| understand(zone, setting, &json!({ "value": "custom" }))))
        }
        Err(error) => Err(error.while_reading(&api::VOICE, &format!("the setting {setting} of {zone}"))),
    }
}

fn understand(zone: &DomainName, id: &str, result: &Value) -> Read {
    let setting = |value: Value| Setting {
        zone: zone.clone(),
        id: id.to_owned(),
        value,
    };
    if id == DNSSEC {
        let status = result.get("status").and_then(Value::as_str).unwrap_or("disabled");
        let setting = setting(json!(if matches!(status, "active" | "pending") {
            "on"
        } else {
            "off"
        }));
        let note = match (status, ds(result)) {
            ("pending", Some(ds)) => {
                let words = format!("signed and waiting: give the registrar this DS record: {zone} {ds}");
                Some(Warning::about(&setting.address(), "dnssec-pending", words))
            }
            ("error", _) => {
                let words = "Cloudflare reports an error with the signing of this zone";
                Some(Warning::about(&setting.address(), "dnssec-error", words))
            }
            _ => None,
        };
        return Read {
            setting,
            is_editable: true,
            note,
        };
    }
    Read {
        setting: setting(from_wire(id, result.get("value").unwrap_or(&Value::Null))),
        is_editable: result.get("editable").and_then(Value::as_bool).unwrap_or(true),
        note: None,
    }
}

/// The DS record that the registrar is to be given, as a zone file writes it.
pub(super) fn ds(result: &Value) -> Option<String> {
    let ds = result.get("ds").and_then(Value::as_str)?;
    let data = ds.split_whitespace().collect::<Vec<_>>();
    // The text is a whole record: its data begins behind the word DS.
    let from = data.iter().position(|word| *word == "DS").map_or(0, |at| at + 1);
    let shown = data.get(from..)?.join(" ");
    Some(format!("DS {}", text::shorten(&text::sanitize(&shown), 200)))
}

/// Puts what was read where the diff finds it.
pub(super) fn keep(read: Read, reading: &mut Reading) {
    let address = read.setting.address();
    if !read.is_editable {
        let why = "this zone's plan, or Cloudflare itself, does not let the setting be changed";
        reading.live.locked.insert(address.clone(), why.to_owned());
    }
    reading.warnings.extend(read.note);
    reading.live.inventory.insert(address, Resource::Setting(read.setting));
}

/// A value as Cloudflare returns it, in canonical form. One that the table does not know is taken as it is.
fn from_wire(id: &str, value: &Value) -> Value {
    let value = match (id, value) {
        ("tls_1_3", Value::String(word)) if word == "zrt" => &json!("on"),
        ("security_header", Value::Object(map)) => map.get(HSTS_WRAPPER).unwrap_or(value),
        _ => value,
    };
    SettingForm::find(SETTINGS, id)
        .and_then(|form| form.values.canonical(value).ok())
        .unwrap_or_else(|| value.clone())
}

/// A canonical value as Cloudflare takes it; nothing for what is no setting there.
pub(super) fn wire(setting: &Setting) -> Option<Value> {
    match setting.id.as_str() {
        DNSSEC => None,
        "security_header" => Some(json!({ HSTS_WRAPPER: setting.value })),
        _ => Some(setting.value.clone()),
    }
}

/// What is sent.
fn body(setting: &Setting) -> Value {
    match wire(setting) {
        Some(value) => json!({ "value": value }),
        None => json!({ "status": if setting.value == "on" { "active" } else { "disabled" } }),
    }
}

/// One request for each setting that changes.
pub(super) fn steps(changes: &[Change], reading: &Reading) -> Vec<Step> {
    let mut found: BTreeMap<&Address, &Setting> = BTreeMap::new();
    for change in changes {
        if let Some(setting) = change.after.as_ref().and_then(Resource::as_setting) {
            found.insert(&change.address, setting);
        }
    }
    let mut settings: Vec<&Setting> = found.into_values().collect();
    // While the automatic mode is on, Cloudflare may move `ssl` behind our back: it goes first, and comes back last.
    settings.sort_by_key(|setting| match setting.id.as_str() {
        AUTOMATIC_MODE if setting.value == "custom" => 0,
        AUTOMATIC_MODE => 2,
        _ => 1,
    });
    let step = |setting: &&Setting| {
        let facts = reading.zones.get(&setting.zone)?;
        let lane = match setting.id.as_str() {
            AUTOMATIC_MODE => SSL,
            id => id,
        };
        Some(Step {
            provider: super::NAME,
            scope: setting.zone.clone().into(),
            stage: Stage::Content,
            lane: format!("setting {lane}"),
            method: "PATCH",
            path: path(zone_path(facts), &setting.id),
            summary: format!("set {} of {}", setting.id, setting.zone),
            addresses: vec![setting.address()],
            handles: BTreeMap::new(),
            body: body(setting),
            check: None,
        })
    };
    settings.iter().filter_map(step).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::setting_form::Values;

    fn zone() -> DomainName {
        DomainName::parse("acme.example").unwrap()
    }

    #[test]
    fn every_other_form_of_a_value_is_the_same_value() {
        for (id, wire, canonical) in [
            ("tls_1_3", json!("zrt"), json!("on")),
            ("min_tls_version", json!(1.2), json!("1.2")),
            ("browser_cache_ttl", json!("14400"), json!(14_400)),
            ("ciphers", json!(["B", "A"]), json!(["A", "B"])),
            (
                "security_header",
                json!({"strict_transport_security": {"max_age": "300", "enabled": true, "nosniff": null}}),
                json!({"enabled": true, "max_age": 300, "include_subdomains": false, "preload": false, "nosniff": false}),
            ),
            ("some_new_setting", json!({"x": 1}), json!({"x": 1})),
        ] {
            assert_eq!(from_wire(id, &wire), canonical, "{id}");
        }
        for (status, value) in [
            ("active", "on"),
            ("pending", "on"),
            ("disabled", "off"),
            ("pending-disabled", "off"),
        ] {
            let read = understand(&zone(), DNSSEC, &json!({ "status": status, "ds": null }));
            assert_eq!(read.setting.value, json!(value), "{status}");
        }
    }

    /// Values that a form takes, each with other forms in which the same value may come back.
    fn samples(values: &Values) -> Vec<(Value, Vec<Value>)> {
        let word = |word: &str| {
            let number: Option<Value> = serde_json::from_str(word).ok().filter(Value::is_number);
            (json!(word), number.into_iter().collect())
        };
        let number = |number: u64| (json!(number), vec![json!(number.to_string())]);
        match values {
            Values::Switch => vec![(json!("on"), vec![json!(true)]), (json!("off"), vec![json!(false)])],
            Values::Flag => vec![(json!(true), vec![json!("on")]), (json!(false), vec![json!("false")])],
            Values::Words(words) => words.iter().map(|one| word(one)).collect(),
            Values::Numbers(numbers) => numbers.iter().map(|one| number(*one)).collect(),
            Values::Range(least, most) => vec![number(*least), number(*most)],
            Values::Text => vec![(json!("a text"), Vec::new())],
            Values::List => vec![(json!(["A", "B"]), vec![json!(["B", "A"]), json!(["B", "A", "B"])])],
            Values::Object(fields) => {
                let whole = |at: usize| -> Value {
                    let field = |(name, values): &(&str, Values)| {
                        let all = samples(values);
                        ((*name).to_owned(), all[at.min(all.len() - 1)].0.clone())
                    };
                    Value::Object(fields.iter().map(field).collect())
                };
                let turned = |value: &Value| {
                    let map = value.as_object().unwrap().iter().rev();
                    Value::Object(map.map(|(key, value)| (key.clone(), value.clone())).collect())
                };
                [whole(0), whole(1)]
                    .map(|value| (value.clone(), vec![turned(&value)]))
                    .into()
            }
            Values::NotManaged(_) => Vec::new(),
        }
    }

    #[test]
    fn every_value_of_every_setting_is_sent_as_it_is_and_known_again_in_every_form() {
        let mut number = 0;
        // Signing lives elsewhere and has words of its own.
        for form in SETTINGS.iter().filter(|form| form.id != DNSSEC) {
            for (value, others) in samples(&form.values) {
                let one = Setting {
                    zone: zone(),
                    id: form.id.to_owned(),
                    value: form
                        .values
                        .canonical(&value)
                        .unwrap_or_else(|why| panic!("{}: {why}", form.id)),
                };
                let sent = body(&one);
                let expected = match form.id {
                    "security_header" => json!({ "value": { HSTS_WRAPPER: value } }),
                    _ => json!({ "value": value }),
                };
                assert_eq!(sent, expected, "{}", form.id);
                for back in others.iter().chain([&value, &sent["value"]]) {
                    assert_eq!(from_wire(form.id, back), one.value, "{}: {back}", form.id);
                }
                number += 1;
            }
        }
        assert!(number > 140, "{number}");
    }

    #[test]
    fn the_ds_record_is_told_while_the_registrar_does_not_have_it() {
        let answer = json!({"status": "pending", "ds": "acme.example. 3600 IN DS 2371 13 2 1F98"});
        let note = understand(&zone(), DNSSEC, &answer).note.unwrap();
        assert!(
            note.message.ends_with("acme.example DS 2371 13 2 1F98"),
            "{}",
            note.message
        );
    }

    #[test]
    fn what_is_sent() {
        let setting = |id: &str, value: Value| Setting {
            zone: zone(),
            id: id.into(),
            value,
        };
        assert_eq!(body(&setting("brotli", json!("on"))), json!({"value": "on"}));
        assert_eq!(body(&setting("dnssec", json!("on"))), json!({"status": "active"}));
        assert_eq!(
            body(&setting("security_header", json!({"enabled": true, "max_age": 300}))),
            json!({"value": {"strict_transport_security": {"enabled": true, "max_age": 300}}})
        );
    }
}
