//! Settings: what `tls` has words for under that, and of the rest what somebody changed.

use serde_json::Value as Json;

use super::page::{Page, Yaml};
use super::{EmittedZone, Form, Part, Written};
use crate::model::capability::Edge;
use crate::model::setting::Setting;
use crate::model::ttl::Ttl;

/// `tls` and `settings` of a zone.
pub(super) fn emit(at: usize, zone: &EmittedZone, page: &mut Page) {
    let Some(edge) = zone.provider.edge else { return };
    let moves = moves_by_itself(zone, edge);
    let mut tls: Vec<(&str, Yaml, usize)> = Vec::new();
    let mut rest: Vec<(&str, Yaml, usize)> = Vec::new();
    let mut aside: Vec<(&Setting, &str)> = Vec::new();
    for (index, written) in zone.settings.iter().enumerate() {
        let setting = &written.what;
        match &written.form {
            Form::Comment(reason) => aside.push((setting, reason)),
            Form::Words if setting.id == edge.tls.mode && moves => {}
            Form::Words if tls_key(edge, setting).is_some() => {
                tls.extend(tls_key(edge, setting).map(|(key, value)| (key, value, index)));
            }
            Form::Words | Form::Raw if is_worth_saying(zone, edge, written) => {
                rest.push((setting.id.as_str(), Yaml::json(&setting.value), index));
            }
            Form::Words | Form::Raw => {}
        }
    }
    let order = [
        "mode",
        "min_version",
        "tls_1_3",
        "always_https",
        "automatic_https_rewrites",
        "hsts",
    ];
    tls.sort_by_key(|(key, ..)| order.iter().position(|known| known == key));
    if !tls.is_empty() {
        page.line("");
        page.line("    tls:");
        if let Some(mode) = zone
            .settings
            .iter()
            .find(|one| one.what.id == edge.tls.mode)
            .filter(|_| moves)
        {
            let mode = mode.what.value.as_str().unwrap_or_default();
            page.line(&format!(
                "      # mode: {mode}  (chosen by {} itself; a mode that is declared here stays)",
                zone.provider.title
            ));
        }
        for (key, value, index) in tls {
            page.key(key, &value, 6, Some((at, Part::Setting(index))));
        }
    }
    if !rest.is_empty() || !aside.is_empty() {
        page.line("");
        page.line(if rest.is_empty() {
            "    # settings:"
        } else {
            "    settings:"
        });
    }
    for (id, value, index) in rest {
        page.key(id, &value, 6, Some((at, Part::Setting(index))));
    }
    for (setting, reason) in aside {
        page.line(&format!(
            "      # Left as it is, unmanaged: {}",
            super::one_line(reason)
        ));
        page.line(&format!(
            "      # {}: {}",
            setting.id,
            Yaml::json(&setting.value).flow()
        ));
    }
}

/// Whether the provider moves the TLS mode when it likes.
fn moves_by_itself(zone: &EmittedZone, edge: &Edge) -> bool {
    let (id, stays) = edge.tls.keeps_mode;
    let found = zone.settings.iter().find(|one| one.what.id == id);
    // Where that was not read, nothing is said of the mode: what is said would settle both.
    found.is_none_or(|one| one.what.value != stays)
}

/// What `tls` says of a setting.
fn tls_key(edge: &Edge, setting: &Setting) -> Option<(&'static str, Yaml)> {
    let ids = &edge.tls;
    let switch = |key| match setting.value.as_str() {
        Some("on") => Some((key, Yaml::word("true"))),
        Some("off") => Some((key, Yaml::word("false"))),
        _ => None,
    };
    match setting.id.as_str() {
        id if id == ids.mode => {
            let mode = setting.value.as_str()?;
            let is_said = matches!(mode, "off" | "flexible" | "full" | "strict");
            // YAML 1.1 takes a bare `off` for a flag.
            let mode = if mode == "off" {
                Yaml::word("\"off\"")
            } else {
                Yaml::text(mode)
            };
            is_said.then_some(("mode", mode))
        }
        id if id == ids.min_version => Some(("min_version", Yaml::text(setting.value.as_str()?))),
        id if id == ids.tls_1_3 => switch("tls_1_3"),
        id if id == ids.always_https => switch("always_https"),
        id if id == ids.automatic_https_rewrites => switch("automatic_https_rewrites"),
        id if id == ids.hsts => hsts(&setting.value).map(|value| ("hsts", value)),
        _ => None,
    }
}

/// HSTS where it is on; off is what it usually is.
fn hsts(value: &Json) -> Option<Yaml> {
    let flag = |key: &str| value.get(key).and_then(Json::as_bool).unwrap_or(false);
    let age = u32::try_from(value.get("max_age")?.as_u64()?).ok()?;
    if !flag("enabled") {
        return None;
    }
    let mut entries = vec![("max_age".to_owned(), Yaml::word(Ttl::Seconds(age)))];
    for key in ["include_subdomains", "preload", "nosniff"] {
        if flag(key) {
            entries.push((key.to_owned(), Yaml::word("true")));
        }
    }
    Some(Yaml::Map(entries))
}

/// Whether a spec has to speak of a setting: somebody changed it, or what else is said would change it.
pub fn is_worth_saying(zone: &EmittedZone, edge: &Edge, written: &Written<Setting>) -> bool {
    let setting = &written.what;
    let (keeper, stays) = edge.tls.keeps_mode;
    if setting.id == edge.tls.mode && moves_by_itself(zone, edge) {
        return false;
    }
    if setting.id == keeper {
        // A mode that is declared says this itself, and one that is not leaves it alone.
        return setting.value == stays && !zone.settings.iter().any(|one| one.what.id == edge.tls.mode);
    }
    (edge.usual)(&zone.plan, &setting.id).is_none_or(|usual| usual != setting.value)
}
