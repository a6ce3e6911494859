//! DNSSEC of a zone: whether it is signed, with which keys, and what the registrar has to know. A zone is signed as long as
//! one of its keys is active, so keys are switched off and on and never deleted: who signs again, signs with what the
//! registrar still announces. Only a zone without any key is given one, by the server's own defaults.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::zone::step;
use super::{NAME, path_of};
use crate::base::text;
use crate::model::inventory::Desired;
use crate::model::name::DomainName;
use crate::model::resource::Resource;
use crate::model::setting::Setting;
use crate::plan::{Change, Refusal, Warning};
use crate::provider::{Reading, Stage, Step, ZoneKey};

/// The setting that signs a zone.
pub(super) const DNSSEC: &str = "dnssec";
/// The setting that keeps a signed zone's answers valid after each change.
pub(super) const RECTIFY: &str = "api_rectify";
/// The setting that says which keys sign: no spec names it. It stands beside `dnssec` in a plan, so that its before-image
/// tells a way back which keys those were.
pub(super) const KEYS_ACTIVE: &str = "dnssec_keys";
/// The most keys of a zone that are looked at.
const KEYS: usize = 64;

/// A switch of a zone, as a setting.
pub(super) fn switch(zone: &DomainName, id: &str, is_on: bool) -> Setting {
    Setting {
        zone: zone.clone(),
        id: id.to_owned(),
        value: json!(if is_on { "on" } else { "off" }),
    }
}

/// The keys that sign, as a setting.
pub(super) fn active(zone: &DomainName, keys: &[ZoneKey]) -> Setting {
    let ids = keys.iter().filter(|key| key.is_active).map(|key| key.id.as_str());
    signing_with(zone, ids)
}

fn signing_with<'a>(zone: &DomainName, ids: impl Iterator<Item = &'a str>) -> Setting {
    Setting {
        zone: zone.clone(),
        id: KEYS_ACTIVE.to_owned(),
        value: json!(ids.collect::<Vec<_>>()),
    }
}

/// The keys that are to sign a zone, where a change says so and one of them is there.
fn chosen<'a>(changes: &'a [Change], zone: &DomainName, keys: &[ZoneKey]) -> Option<(&'a Change, Vec<String>)> {
    let of = |change: &'a Change| {
        let setting = change.after.as_ref().and_then(Resource::as_setting)?;
        (setting.id == KEYS_ACTIVE && setting.zone == *zone).then_some((change, &setting.value))
    };
    let (change, value) = changes.iter().find_map(of)?;
    let ids = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    let is_there = |id: &&str| keys.iter().any(|key| key.id == **id);
    Some((change, ids.filter(is_there).map(str::to_owned).collect()))
}

fn is_on(resource: Option<&Resource>) -> bool {
    let setting = resource.and_then(Resource::as_setting);
    setting.is_some_and(|setting| setting.value == "on")
}

/// What signs a zone has to keep it valid too: without it, a change would leave answers that fail to validate. In a zone
/// that is signed already somebody decided that; it is said and left as it is.
pub(super) fn adapt(desired: &mut Desired, reading: &Reading) {
    let zones = desired.zones.iter().filter(|(_, policy)| policy.provider == NAME);
    let zones: Vec<DomainName> = zones.map(|(zone, _)| zone.clone()).collect();
    for zone in zones {
        let [signed, rectified] = [DNSSEC, RECTIFY].map(|id| switch(&zone, id, true));
        let live = |setting: &Setting| is_on(reading.live.inventory.get(&setting.address()));
        let is_wanted = is_on(desired.inventory.get(&signed.address()));
        if is_wanted && (!live(&signed) || live(&rectified)) {
            desired
                .inventory
                .insert(rectified.address(), Resource::Setting(rectified));
        }
        let keys = reading.zones.get(&zone).map_or(&[][..], |facts| &facts.keys);
        let says = desired.inventory.contains_key(&signed.address());
        // A zone that is signed and stays so keeps the keys that it has.
        if says && !keys.is_empty() && !(is_wanted && live(&signed)) {
            let ids = keys.iter().filter(|_| is_wanted).map(|key| key.id.as_str());
            let wanted = signing_with(&zone, ids);
            desired.inventory.insert(wanted.address(), Resource::Setting(wanted));
        }
    }
}

/// The keys of a zone, of an answer that lists them.
pub(super) fn keys(answer: &Value) -> Vec<ZoneKey> {
    let key = |key: &Value| {
        let yes = |name: &str| key.get(name).and_then(Value::as_bool);
        let ds = key.get("ds").and_then(Value::as_array).into_iter().flatten();
        Some(ZoneKey {
            id: key.get("id")?.as_u64()?.to_string(),
            is_active: yes("active")?,
            is_published: yes("published").unwrap_or(true),
            // With SHA-256 (digest 2), which every registrar takes (RFC 8624 §3.3).
            ds: ds
                .filter_map(Value::as_str)
                .filter(|ds| ds.split_whitespace().nth(2) == Some("2"))
                .map(|ds| text::shorten(&text::sanitize(ds), 200))
                .collect(),
        })
    };
    let list = answer.as_array().into_iter().flatten();
    list.filter_map(key).take(KEYS).collect()
}

/// The DS records of the keys that sign.
pub(super) fn ds(keys: &[ZoneKey]) -> Vec<String> {
    let active = keys.iter().filter(|key| key.is_active);
    active.flat_map(|key| key.ds.iter().cloned()).collect()
}

/// What is to be said of a signed zone.
pub(super) fn registrar(zone: &DomainName, keys: Option<&[ZoneKey]>) -> Vec<String> {
    let all = keys.map(ds).unwrap_or_default();
    if all.is_empty() {
        return vec![format!(
            "{zone} is signed; its DS record could not be read: pdnsutil show-zone {zone}"
        )];
    }
    let tell = |ds| format!("give this DS record to the registrar of {zone}: {zone} DS {ds}");
    all.into_iter().map(tell).collect()
}

/// The requests that sign each zone, or stop it. Each may be made twice.
pub(super) fn steps(changes: &[Change], reading: &Reading) -> BTreeMap<DomainName, Vec<Step>> {
    let mut all: BTreeMap<DomainName, Vec<Step>> = BTreeMap::new();
    // `api_rectify` comes before `dnssec`: a zone is valid as soon as it is signed.
    for change in changes {
        let Some(setting) = change.after.as_ref().and_then(Resource::as_setting) else {
            continue;
        };
        let (zone, is_on) = (&setting.zone, setting.value == "on");
        let keys = reading.zones.get(zone).map_or(&[][..], |facts| &facts.keys);
        let chosen = chosen(changes, zone, keys);
        let is_dnssec = |other: &Change| {
            let after = other.after.as_ref().and_then(Resource::as_setting);
            after.is_some_and(|setting| setting.id == DNSSEC && setting.zone == *zone)
        };
        if setting.id == KEYS_ACTIVE && changes.iter().any(is_dnssec) {
            // Both are one matter.
            continue;
        }
        let mut addresses = vec![change.address.clone()];
        if setting.id == DNSSEC {
            addresses.extend(chosen.iter().map(|(change, _)| change.address.clone()));
        }
        let put = |path: String, body: Value, summary: String| Step {
            addresses: addresses.clone(),
            body,
            ..step(zone, Stage::Content, "PUT", path, summary)
        };
        let steps = all.entry(zone.clone()).or_default();
        if setting.id == RECTIFY {
            let summary = format!("set {RECTIFY} of {zone}");
            steps.push(put(path_of(zone), json!({ RECTIFY: is_on }), summary));
            continue;
        }
        let is_on = is_on || setting.id == KEYS_ACTIVE && chosen.as_ref().is_some_and(|(_, ids)| !ids.is_empty());
        if is_on && keys.is_empty() {
            let summary = format!("sign {zone} with a new key");
            steps.push(put(path_of(zone), json!({ DNSSEC: true }), summary));
            continue;
        }
        // Without a word on it, or when those that signed are gone, all of them sign.
        let ids = chosen.map(|(_, ids)| ids).filter(|ids| !ids.is_empty());
        let signs = |key: &ZoneKey| is_on && ids.as_ref().is_none_or(|ids| ids.contains(&key.id));
        for key in keys.iter().filter(|key| key.is_active != signs(key)) {
            let is_on = signs(key);
            let path = format!("{}/cryptokeys/{}", path_of(zone), key.id);
            let body = json!({ "active": is_on, "published": key.is_published });
            let verb = if is_on { "sign" } else { "stop signing" };
            steps.push(put(path, body, format!("{verb} {zone} with its key {}", key.id)));
        }
        if is_on {
            // What changed while it was not signed has no place in the chain of its names yet.
            steps.push(put(
                format!("{}/rectify", path_of(zone)),
                json!({}),
                format!("rectify {zone}"),
            ));
        }
    }
    all
}

/// Whether a step is the one after which a zone is signed.
pub(super) fn signs(step: &Step) -> bool {
    step.body.get(DNSSEC).and_then(Value::as_bool) == Some(true) || rectifies(step)
}

/// Whether a step puts a zone that is signed again in order.
pub(super) fn rectifies(step: &Step) -> bool {
    step.method == "PUT" && step.path.ends_with("/rectify")
}

/// What is worth knowing before a zone is signed no more, or signed again.
pub(super) fn warnings(changes: &[Change], reading: &Reading) -> Vec<Warning> {
    let warn = |change: &Change| {
        let (before, after) = (is_on(change.before.as_ref()), is_on(change.after.as_ref()));
        let setting = change.after.as_ref().and_then(Resource::as_setting)?;
        let keys = reading.zones.get(&setting.zone).map_or(&[][..], |facts| &facts.keys);
        let idle = keys.iter().filter(|key| !key.is_active).count();
        if setting.id != DNSSEC {
            return None;
        }
        if before && !after {
            let mut words = "answers are no longer signed: while the registrar still has the DS record, they fail to \
                             validate, so take that away first and wait until its TTL is over; the keys stay at the \
                             server, inactive, and signing again uses them"
                .to_owned();
            if idle > 0 {
                let those = text::count(idle, "key");
                words.push_str(&format!(", with {those} that did not sign until now"));
            }
            return Some(Warning::about(&change.address, "dnssec-off", words));
        }
        (after && !before && idle > 0).then(|| {
            let before = chosen(changes, &setting.zone, keys).map_or(0, |(_, ids)| ids.len());
            let words = if (1..idle).contains(&before) {
                format!(
                    "the zone has {}, and is signed with {before} of them",
                    text::count(idle, "key")
                )
            } else {
                format!(
                    "the zone has {} already: it is signed with what is there, and no new key is made",
                    text::count(idle, "key")
                )
            };
            Warning::about(&change.address, "dnssec-again", words)
        })
    };
    changes.iter().filter_map(warn).collect()
}

/// What cannot be stopped: a zone that was signed before it came to the server has no key here.
pub(super) fn refusals(changes: &[Change], reading: &Reading) -> Vec<Refusal> {
    let refuse = |change: &Change| {
        let setting = change.after.as_ref().and_then(Resource::as_setting)?;
        let facts = reading.zones.get(&setting.zone)?;
        let is_elsewhere =
            setting.id == DNSSEC && is_on(change.before.as_ref()) && !facts.keys.iter().any(|key| key.is_active);
        is_elsewhere.then(|| Refusal {
            address: Some(change.address.clone()),
            code: "presigned".to_owned(),
            message: format!("{} is signed elsewhere: the server has no key of it", setting.zone),
            help: "leave `dnssec` out, or change it where the zone is signed".to_owned(),
        })
    };
    changes.iter().filter_map(refuse).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::provider::ZoneFacts;

    fn zone() -> DomainName {
        DomainName::parse("acme.example").unwrap()
    }

    fn with(keys: &[(&str, bool, bool)]) -> Reading {
        let key = |(id, is_active, is_published): &(&str, bool, bool)| ZoneKey {
            id: (*id).to_owned(),
            is_active: *is_active,
            is_published: *is_published,
            ds: Vec::new(),
        };
        let facts = ZoneFacts {
            id: "x".into(),
            keys: keys.iter().map(key).collect(),
            ..ZoneFacts::default()
        };
        Reading {
            zones: [(zone(), facts)].into(),
            ..Reading::default()
        }
    }

    fn change(is_on: bool) -> Change {
        let [before, after] = [!is_on, is_on].map(|is_on| Resource::Setting(switch(&zone(), DNSSEC, is_on)));
        Change {
            address: after.address(),
            before: Some(before),
            after: Some(after),
            reason: String::new(),
        }
    }

    fn requests(is_on: bool, keys: &[(&str, bool, bool)]) -> Vec<String> {
        let steps = steps(&[change(is_on)], &with(keys)).remove(&zone()).unwrap_or_default();
        let path = path_of(&zone());
        steps
            .iter()
            .map(|step| format!("{} {}", step.path.strip_prefix(&path).unwrap(), step.body))
            .collect()
    }

    #[test]
    fn keys_are_switched_and_a_new_one_is_made_only_where_there_is_none() {
        assert_eq!(requests(true, &[]), [r#" {"dnssec":true}"#]);
        let off = requests(false, &[("1", true, true), ("2", true, false), ("3", false, true)]);
        assert_eq!(
            off,
            [
                r#"/cryptokeys/1 {"active":false,"published":true}"#,
                r#"/cryptokeys/2 {"active":false,"published":false}"#
            ]
        );
        let on = requests(true, &[("1", false, true), ("2", false, false)]);
        assert_eq!(
            on,
            [
                r#"/cryptokeys/1 {"active":true,"published":true}"#,
                r#"/cryptokeys/2 {"active":true,"published":false}"#,
                "/rectify {}"
            ]
        );
    }

    #[test]
    fn a_way_back_signs_with_the_keys_that_signed_before_and_no_others() {
        let before = with(&[("1", true, true), ("2", false, true), ("3", true, false)]);
        assert_eq!(active(&zone(), &before.zones[&zone()].keys).value, json!(["1", "3"]));
        let reading = with(&[("1", false, true), ("2", false, true), ("3", false, false)]);
        let back = |ids: &[&str]| {
            let [was, is] = [&[][..], ids].map(|ids| Resource::Setting(signing_with(&zone(), ids.iter().copied())));
            let address = is.address();
            let keys = Change {
                address,
                before: Some(was),
                after: Some(is),
                reason: String::new(),
            };
            vec![change(true), keys]
        };
        let switched = |ids: &[&str]| {
            let steps = steps(&back(ids), &reading).remove(&zone()).unwrap();
            assert!(steps.iter().all(|step| step.addresses.len() == 2));
            let keys = steps.iter().filter(|step| step.path.contains("cryptokeys"));
            keys.map(|step| step.path.rsplit('/').next().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(switched(&["1", "3"]), ["1", "3"]);
        assert_eq!(switched(&["1", "9"]), ["1"], "a key that is gone cannot sign");
        assert_eq!(
            switched(&["9"]),
            ["1", "2", "3"],
            "when all of them are gone the rest sign"
        );
        let said = warnings(&back(&["1", "3"]), &reading);
        assert!(said[0].message.contains("signed with 2 of them"), "{said:?}");
    }

    #[test]
    fn what_is_signed_elsewhere_is_refused_and_what_hurts_is_said() {
        assert_eq!(refusals(&[change(false)], &with(&[]))[0].code, "presigned");
        assert!(refusals(&[change(false)], &with(&[("1", true, true)])).is_empty());
        let off = warnings(&[change(false)], &with(&[("1", true, true), ("2", false, true)]));
        assert!(off[0].message.contains("with 1 key that did not sign"), "{off:?}");
        assert_eq!(
            warnings(&[change(true)], &with(&[("1", false, true)]))[0].code,
            "dnssec-again"
        );
        assert!(warnings(&[change(true)], &with(&[])).is_empty());
    }
}
