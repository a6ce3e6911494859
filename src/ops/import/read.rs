//! What is there to be written down: everything that a spec could speak of, as far as the credential may see it.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::session::{Extent, Session, Setting};
use crate::base::diagnostic::Diagnostics;
use crate::base::text;
use crate::model::address::Address;
use crate::model::inventory::{Unmanaged, ZonePolicy};
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::model::record_set::RecordSet;
use crate::model::redirect_list;
use crate::model::resource::Resource;
use crate::model::rule::RuleKind;
use crate::model::setting_form::Values;
use crate::ops::problem::Problem;
use crate::provider::{Profile, Reading, ZoneFacts};
use crate::spec::Spec;
use crate::spec::emit::{EmittedZone, Form, Written, objection_to_rule};

/// What was read.
pub(super) struct Seen {
    /// The zones, in the order in which they were asked for.
    pub(super) zones: Vec<DomainName>,
    /// What they hold.
    pub(super) reading: Reading,
    /// What could not be read, and why.
    pub(super) notes: Vec<String>,
}

/// Reads zones whole.
pub(super) async fn zones(setting: &Setting, names: &[String], profile: &Profile) -> Result<Seen, Problem> {
    let mut zones = Vec::new();
    for name in names {
        let name = DomainName::parse(name)
            .map_err(|error| Problem::new("bad-zone-name", format!("this is no zone's name: {error}")))?;
        if !zones.contains(&name) {
            zones.push(name);
        }
    }
    let mut session = session(setting, &zones, profile).await?;
    if zones.is_empty() {
        let provider = session.providers.get(profile.capabilities.name);
        let provider = provider.ok_or_else(|| Problem::new("unknown-provider", "there is no such provider"))?;
        zones = provider.zones().await?;
        if zones.is_empty() {
            let title = profile.capabilities.title;
            return Err(Problem::new(
                "no-zones",
                format!("{title} shows no zones to this credential"),
            ));
        }
        session = self::session(setting, &zones, profile).await?;
    }
    everything(&session, zones, profile).await
}

async fn session(setting: &Setting, zones: &[DomainName], profile: &Profile) -> Result<Session, Problem> {
    let name = profile.capabilities.name;
    let mut nothing = Spec::nothing(&setting.spec.display().to_string());
    for zone in zones {
        let policy = ZonePolicy {
            provider: name.to_owned(),
            unmanaged: Unmanaged::Keep,
            protect: Vec::new(),
            create: false,
            accept: BTreeSet::new(),
        };
        nothing.desired.zones.insert(zone.clone(), policy);
    }
    Session::asking(setting, nothing, Diagnostics::new(), name).await
}

/// Everything at once where the credential may; else the records, and what it lets be read beside them.
pub(super) async fn everything(session: &Session, zones: Vec<DomainName>, profile: &Profile) -> Result<Seen, Problem> {
    let name = profile.capabilities.name;
    let extent = |zones: &[DomainName]| Extent {
        zones: zones.iter().map(|zone| (zone.clone(), name.to_owned())).collect(),
        ..Extent::default()
    };
    let groups: Vec<(String, Vec<Address>)> = zones.iter().flat_map(|zone| groups(zone, profile)).collect();
    let all: Vec<&Address> = groups.iter().flat_map(|(_, addresses)| addresses).collect();
    let is_forbidden = |problem: &Problem| matches!(problem, Problem::Other { code, .. } if code == "forbidden");
    let whole = session.read(&extent(&zones), &[], all).await;
    let reading = match whole {
        Err(problem) if is_forbidden(&problem) && !groups.is_empty() => session.read(&extent(&zones), &[], &[]).await?,
        other => {
            return Ok(Seen {
                reading: other?,
                zones,
                notes: Vec::new(),
            });
        }
    };
    let mut seen = Seen {
        zones,
        reading,
        notes: Vec::new(),
    };
    for (what, addresses) in groups {
        let zone = addresses
            .first()
            .and_then(|address| DomainName::parse(address.scope()).ok());
        let zone: Vec<DomainName> = zone.into_iter().collect();
        match session.read(&extent(&zone), &[], &addresses).await {
            Ok(reading) => seen.reading.absorb(reading),
            Err(problem) if is_forbidden(&problem) => {
                seen.notes
                    .push(format!("not read, since the credential may not: {what}"));
            }
            Err(problem) => return Err(problem),
        }
    }
    Ok(seen)
}

/// What a zone may have beside its records, in groups that take one permission each.
fn groups(zone: &DomainName, profile: &Profile) -> Vec<(String, Vec<Address>)> {
    let mut groups = Vec::new();
    if let Some(id) = profile.capabilities.dnssec {
        let address = Address::in_zone(zone, "setting", id);
        groups.push((format!("whether {zone} is signed"), vec![address]));
    }
    let Some(edge) = profile.capabilities.edge else {
        return groups;
    };
    let managed = edge
        .settings
        .iter()
        .filter(|form| !matches!(form.values, Values::NotManaged(_)));
    let settings = managed.map(|form| Address::in_zone(zone, "setting", form.id));
    let settings = settings.filter(|address| Some(address.key()) != profile.capabilities.dnssec);
    groups.push((format!("the settings of {zone}"), settings.collect()));
    for kind in edge.kinds {
        // The list is read whole; any key of it will do.
        let address = Address::in_zone(zone, kind.as_str(), "-");
        groups.push((format!("the {}s of {zone}", kind.noun()), vec![address]));
    }
    if edge.kinds.contains(&RuleKind::Redirect) {
        let address = Address::in_zone(zone, redirect_list::ALL, "-");
        let what = format!("the account's bulk redirect lists, of which some may redirect hosts of {zone}");
        groups.push((what, vec![address]));
    }
    groups
}

/// What a zone holds that a spec may speak of. The zone's own NS and SOA are always protected and never declared.
pub(super) fn written_down(zone: &DomainName, profile: &Profile, seen: &Seen) -> EmittedZone {
    let live = &seen.reading.live;
    let mut emitted = EmittedZone::new(zone.clone(), profile.capabilities.clone());
    if let Some(facts) = seen.reading.zones.get(zone) {
        emitted.plan.clone_from(&facts.plan);
        emitted.about.extend(about(profile.capabilities.title, facts));
    }
    emitted.about.extend(asked_lists(zone, &seen.reading));
    for (address, resource) in &live.inventory {
        if address.scope() != zone.as_str() {
            continue;
        }
        match resource {
            Resource::RecordSet(set) => {
                let is_apex = set.name == *zone;
                if set.kind != RecordType::Soa && !(is_apex && set.kind == RecordType::Ns) {
                    let form = objection(set, live.locked.get(address)).map_or(Form::Words, Form::Comment);
                    emitted.sets.push(Written {
                        what: set.clone(),
                        form,
                    });
                }
            }
            Resource::Setting(setting) if Some(setting.id.as_str()) == profile.capabilities.dnssec => {
                emitted.dnssec = (setting.value == json!("on")).then_some(true);
            }
            // What the plan settles is nobody's choice.
            Resource::Setting(setting) if !live.locked.contains_key(address) => {
                emitted.settings.push(Written::new(setting.clone()));
            }
            _ => {}
        }
    }
    for kind in RuleKind::ALL {
        let list = (zone.to_string(), kind.as_str().to_owned());
        for address in live.lists.get(&list).into_iter().flatten() {
            if let Some(rule) = live.inventory.get(address).and_then(Resource::as_rule) {
                let form = objection_to_rule(rule).map_or(Form::Words, Form::Comment);
                emitted.rules.push(Written {
                    what: rule.clone(),
                    form,
                });
            }
        }
    }
    emitted
}

/// A line about a zone that no key says.
fn about(title: &str, facts: &ZoneFacts) -> Option<String> {
    let mut words = Vec::new();
    if !facts.plan.is_empty() {
        words.push(format!("{title} plan: {}", facts.plan));
    }
    if !facts.status.is_empty() && facts.status != "unknown" {
        words.push(format!("status: {}", facts.status));
    }
    if !facts.name_servers.is_empty() {
        words.push(format!("name servers: {}", text::list(&facts.name_servers)));
    }
    (!words.is_empty()).then(|| words.join("; "))
}

/// Lines about lists of redirects of the account that redirect hosts of a zone: the spec holds none of them.
pub(super) fn asked_lists(zone: &DomainName, reading: &Reading) -> Vec<String> {
    let lists = reading.asked_lists.get(zone).into_iter().flatten();
    let line = |(name, rows): (&String, &usize)| {
        let rows = text::count(*rows, "row");
        format!(
            "the bulk redirect list \"{name}\" of the account redirects hosts of {zone} ({rows}): this spec leaves it alone"
        )
    };
    lists.map(line).collect()
}

/// Why a set cannot be said, if so.
fn objection(set: &RecordSet, locked: Option<&String>) -> Option<String> {
    if let Some(why) = locked {
        return Some(format!("the provider keeps it from being edited: {why}"));
    }
    let reads_back = |data: &RecordData| {
        RecordData::parse(set.kind, &data.to_string(), &set.zone).is_ok_and(|parsed| parsed == *data)
    };
    let is_named = DomainName::parse_in(set.name.relative_to(&set.zone), &set.zone).is_ok_and(|name| name == set.name);
    let all = set.records.iter().all(|record| reads_back(&record.data));
    (!all || !is_named).then(|| "the spec language cannot say it".to_owned())
}
