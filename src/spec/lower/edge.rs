//! What a zone declares of its edge: settings typed by what the provider says of each, `tls` as the settings behind its
//! words, DNSSEC, the zone itself. Rules are in their own file.

use std::ops::Range;

use serde_json::{Value, json};

use super::{DeclaredSetting, DeclaredZone, Findings, rules};
use crate::base::diagnostic::Diagnostic;
use crate::base::text;
use crate::mail::findings::CATALOGUE;
use crate::model::capability::{Edge, ZoneCreation};
use crate::model::name::DomainName;
use crate::model::setting::Setting;
use crate::model::setting_form::{SettingForm, Values};
use crate::spec::lint;
use crate::spec::raw;
use crate::spec::raw_edge::Hsts;
use crate::spec::shape::Text;

/// The keys of a zone that are about an edge.
const KEYS: &[&str] = &[
    "redirects",
    "redirect_list",
    "tls",
    "settings",
    "cache",
    "headers",
    "request_headers",
    "rate_limits",
    "firewall",
    "config_rules",
];

/// Lowers what a zone declares beside its records.
pub(super) fn zone(raw: &raw::Zone, zone: &mut DeclaredZone<'_>, findings: &mut Findings<'_>) {
    if raw.create.as_ref().is_some_and(|create| create.value) {
        zone.create = raw.keys.get("create").cloned();
    }
    // Nobody can judge what an unknown provider's edge can do.
    let Some(capabilities) = zone.capabilities else { return };
    accept(raw, zone, findings);
    creation(raw, zone, capabilities.creation, capabilities.title, findings);
    dnssec(raw, zone, capabilities.dnssec, capabilities.title, findings);
    let Some(edge) = capabilities.edge else {
        for key in KEYS {
            if let Some(range) = raw.keys.get(key) {
                let title = capabilities.title;
                findings.error("no-edge", range, format!("{title} has no edge: it keeps no `{key}`"));
            }
        }
        return;
    };
    tls(raw, edge, zone, findings);
    for (id, value) in raw.settings.iter().flat_map(|table| &table.0) {
        if let Some(form) = form(edge.settings, id, zone, findings) {
            match form.values.canonical(&value.value) {
                Ok(canonical) => set(zone, form.id, canonical, &value.range, findings),
                Err(why) => findings.error("bad-setting", &value.range, format!("`{}`: {why}", form.id)),
            }
        }
    }
    keep_mode(edge, zone);
    rules::zone(raw, edge, zone, findings);
}

/// A zone that is to be made: whether it can be, and with which name servers.
fn creation(raw: &raw::Zone, zone: &mut DeclaredZone<'_>, can: ZoneCreation, title: &str, findings: &mut Findings<'_>) {
    let said = raw.keys.get("name_servers");
    match (&zone.create, can, said) {
        (Some(at), ZoneCreation::Never, _) => {
            findings.error(
                "cannot-create",
                at,
                format!("{title} makes no zones: make it there first"),
            );
        }
        (Some(at), ZoneCreation::NeedsNameServers, _) if raw.name_servers.iter().flatten().next().is_none() => {
            let message = format!("{title} chooses no name servers: `name_servers` has to say them");
            findings.error("missing-name-servers", at, message);
        }
        (_, ZoneCreation::Never | ZoneCreation::ChoosesNameServers, Some(at)) => {
            let message = format!("`name_servers` has no meaning for {title}");
            findings.error("needless-name-servers", at, message);
        }
        (None, ZoneCreation::NeedsNameServers, Some(at)) => {
            let message = "`name_servers` is for a zone that is to be made, with `create: true`";
            findings.error("needless-name-servers", at, message);
        }
        _ => {}
    }
    for server in raw.name_servers.iter().flatten() {
        match DomainName::parse(&server.value) {
            Ok(name) if name.is_wildcard() || !name.as_str().contains('.') => {
                findings.error(
                    "bad-name-server",
                    &server.range,
                    format!("`{name}` is no whole name of a server"),
                );
            }
            Ok(name) if zone.name_servers.contains(&name) => {
                findings.error("bad-name-server", &server.range, format!("{name} is named twice"));
            }
            Ok(name) => zone.name_servers.push(name),
            Err(error) => findings.error("bad-name-server", &server.range, format!("this is no name: {error}")),
        }
    }
}

fn dnssec(raw: &raw::Zone, zone: &mut DeclaredZone<'_>, id: Option<&str>, title: &str, findings: &mut Findings<'_>) {
    let Some(dnssec) = &raw.dnssec else { return };
    match id {
        Some(id) => {
            let value = json!(if dnssec.value { "on" } else { "off" });
            set(zone, id, value, &dnssec.range, findings);
        }
        None => findings.error(
            "no-dnssec",
            &dnssec.range,
            format!("{title} is told nothing of signing: turn it on there"),
        ),
    }
}

/// The form of a setting, or what is wrong with its id.
pub(super) fn form(
    forms: &'static [SettingForm],
    id: &Text,
    zone: &DeclaredZone<'_>,
    findings: &mut Findings<'_>,
) -> Option<&'static SettingForm> {
    if let Some(form) = SettingForm::find(forms, &id.value) {
        if let Values::NotManaged(why) = form.values {
            findings.error(
                "setting-not-managed",
                &id.range,
                format!("`{}` is not for a spec: {why}", form.id),
            );
            return None;
        }
        return Some(form);
    }
    let shown = text::shorten(&text::sanitize(&id.value), 60);
    let title = zone
        .capabilities
        .map_or("the provider", |capabilities| capabilities.title);
    let finding = Diagnostic::error(
        "unknown-setting",
        format!("{title} has no setting `{shown}` that is known here"),
    )
    .at(findings.place(&id.range));
    let ids = forms
        .iter()
        .filter(|form| !matches!(form.values, Values::NotManaged(_)))
        .map(|form| form.id);
    findings.push(match text::nearest(&id.value, ids) {
        Some(near) => finding.label(format!("did you mean `{near}`?")),
        None => finding,
    });
    None
}

fn set(zone: &mut DeclaredZone<'_>, id: &str, value: Value, at: &Range<usize>, findings: &mut Findings<'_>) {
    if let Some(first) = zone.settings.iter().find(|known| known.setting.id == id) {
        let finding = Diagnostic::error("setting-twice", format!("the setting `{id}` is declared twice"))
            .at(findings.place(at))
            .label("the second time")
            .related(findings.place(&first.at), "the first time");
        findings.push(finding);
        return;
    }
    zone.settings.push(DeclaredSetting {
        setting: Setting {
            zone: zone.name.clone(),
            id: id.to_owned(),
            value,
        },
        at: at.clone(),
    });
}

fn tls(raw: &raw::Zone, edge: &Edge, zone: &mut DeclaredZone<'_>, findings: &mut Findings<'_>) {
    let Some(tls) = &raw.tls else { return };
    let ids = &edge.tls;
    if let Some(mode) = &tls.mode {
        set(zone, ids.mode, json!(mode.value.0), &mode.range, findings);
    }
    if let Some(version) = &tls.min_version {
        set(zone, ids.min_version, json!(version.value.0), &version.range, findings);
    }
    for (id, switch) in [
        (ids.tls_1_3, &tls.version_1_3),
        (ids.always_https, &tls.always_https),
        (ids.automatic_https_rewrites, &tls.automatic_https_rewrites),
    ] {
        if let Some(switch) = switch {
            let value = json!(if switch.value { "on" } else { "off" });
            set(zone, id, value, &switch.range, findings);
        }
    }
    if let Some(hsts) = &tls.hsts {
        let at = tls.keys.get("hsts").unwrap_or(&hsts.at).clone();
        if let Some(value) = hsts_value(hsts, &at, findings) {
            set(zone, ids.hsts, value, &at, findings);
        }
    }
}

/// HSTS with everything said: what a spec leaves out has the default that the schema states.
fn hsts_value(hsts: &Hsts, at: &Range<usize>, findings: &mut Findings<'_>) -> Option<Value> {
    /// What browsers ask for before they take a domain into their lists, in seconds (hstspreload.org).
    const PRELOAD: u32 = 31_536_000;
    let flag =
        |flag: &Option<crate::spec::shape::At<bool>>, usual: bool| flag.as_ref().map_or(usual, |flag| flag.value);
    let enabled = flag(&hsts.enabled, true);
    let max_age = hsts.max_age.as_ref().map(|age| age.value.0);
    if enabled && max_age.is_none() {
        if !hsts.keys.contains_key("max_age") {
            let finding = Diagnostic::error("missing-key", "the key `max_age` is missing")
                .at(findings.place(at))
                .label("how long browsers insist, such as 365d; or `enabled: false`");
            findings.push(finding);
        }
        return None;
    }
    let (subdomains, preload) = (flag(&hsts.include_subdomains, false), flag(&hsts.preload, false));
    if enabled && preload && (!subdomains || max_age.unwrap_or(0) < PRELOAD) {
        let range = hsts.keys.get("preload").unwrap_or(at);
        let finding = Diagnostic::error(
            "hsts-preload-rules",
            "browsers take a domain into their lists only with `include_subdomains: true` and a `max_age` of 365d or more",
        )
        .at(findings.place(range));
        findings.push(finding);
        return None;
    }
    Some(json!({
        "enabled": enabled, "max_age": max_age.unwrap_or(0), "include_subdomains": subdomains, "preload": preload,
        "nosniff": flag(&hsts.nosniff, false),
    }))
}

/// A mode that is declared is to stay: what would let the provider move it is switched off with it, unless the spec
/// says otherwise.
fn keep_mode(edge: &Edge, zone: &mut DeclaredZone<'_>) {
    let (id, value) = edge.tls.keeps_mode;
    let declares = |id: &str| zone.settings.iter().find(|known| known.setting.id == id);
    if let (Some(mode), None) = (declares(edge.tls.mode), declares(id)) {
        let at = mode.at.clone();
        zone.settings.push(DeclaredSetting {
            setting: Setting {
                zone: zone.name.clone(),
                id: id.to_owned(),
                value: json!(value),
            },
            at,
        });
    }
}

/// The codes that are accepted, each of which there must be.
fn accept(raw: &raw::Zone, zone: &mut DeclaredZone<'_>, findings: &mut Findings<'_>) {
    let of_edge = zone.capabilities.and_then(|capabilities| capabilities.edge);
    let of_edge = of_edge.map_or(&[][..], |edge| edge.guards);
    for code in raw.accept.iter().flatten() {
        let others = || lint::acceptable().chain(of_edge.iter().copied());
        let known = || others().chain(CATALOGUE.iter().map(|entry| entry.id));
        if known().any(|known| known == code.value) {
            zone.accept.insert(code.value.clone());
            continue;
        }
        let shown = text::shorten(&text::sanitize(&code.value), 60);
        let finding = Diagnostic::error(
            "unknown-code",
            format!("there is no warning `{shown}` that can be accepted"),
        )
        .at(findings.place(&code.range));
        findings.push(match text::nearest(&code.value, known()) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding.help(format!(
                "known are {}, and the ids of findings about mail",
                others().collect::<Vec<_>>().join(", ")
            )),
        });
    }
}
