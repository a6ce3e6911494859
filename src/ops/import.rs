//! `import`: what is live, written down as a spec. The text is loaded and compared with the very same reading before
//! anybody gets it: planning it must show nothing to do. Reads only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use crate::base::diagnostic::{Diagnostics, Source};
use crate::mail::spf::lock::LockFile;
use crate::model::address::Address;
use crate::model::inventory::{Unmanaged, ZonePolicy};
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::model::record_set::RecordSet;
use crate::model::resource::Resource;
use crate::ops::problem::Problem;
use crate::ops::session::{Session, Setting};
use crate::plan::diff::Bounds;
use crate::plan::{Owned, Sides, diff};
use crate::provider::{self, Reading};
use crate::spec::emit::{self, Emitted, EmittedZone};
use crate::spec::{self, Inputs, Spec};

/// What an import came to.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The spec.
    pub text: String,
    /// How many record sets it declares.
    pub declared: usize,
    /// What it could not declare, with the reasons.
    pub left_out: Vec<(Address, String)>,
}

/// Reads `zones` at `provider` and writes them down.
pub async fn import(setting: &Setting, zones: &[String], provider: &str) -> Result<Imported, Problem> {
    let profile = provider::profile(provider)
        .ok_or_else(|| Problem::new("unknown-provider", format!("there is no provider called `{provider}`")))?;
    let mut nothing = Spec::nothing(&setting.spec.display().to_string());
    let mut spoken = Vec::new();
    for zone in zones {
        let name = DomainName::parse(zone)
            .map_err(|error| Problem::new("bad-zone-name", format!("this is no zone's name: {error}")))?;
        if let Some(id) = profile.capabilities.dnssec {
            spoken.push(Address::in_zone(&name, "setting", id));
        }
        let policy = ZonePolicy {
            provider: provider.to_owned(),
            unmanaged: Unmanaged::Keep,
            protect: Vec::new(),
            create: false,
            accept: BTreeSet::new(),
        };
        nothing.desired.zones.insert(name, policy);
    }
    let session = Session::with(setting, nothing, Diagnostics::new()).await?;
    let extent = session.extent(&[]);
    let reading = match session.read(&extent, &[], &spoken).await {
        // Whether the zone is signed takes a permission of its own; the records are worth having without it.
        Err(Problem::Other { code, .. }) if code == "forbidden" && !spoken.is_empty() => {
            session.read(&extent, &[], &[]).await?
        }
        other => other?,
    };
    let zones = session.spec.desired.zones.keys().cloned();
    let zones = zones.map(|zone| written_down(zone, provider, &reading)).collect();
    let tokens = BTreeMap::from([(provider.to_owned(), profile.token_variable.to_owned())]);
    settle(setting, zones, &tokens, &reading)
}

/// What a zone holds that a spec may speak of. The zone's own NS and SOA are always protected and never declared.
fn written_down(zone: DomainName, provider: &str, reading: &Reading) -> EmittedZone {
    let of_zone = |address: &&Address| address.scope() == zone.as_str();
    let mut sets = Vec::new();
    let mut dnssec = None;
    let signs = provider::profile(provider).and_then(|profile| profile.capabilities.dnssec);
    for address in reading.live.inventory.keys().filter(of_zone) {
        match &reading.live.inventory[address] {
            Resource::RecordSet(set) => {
                let is_apex = set.name == zone;
                if set.kind != RecordType::Soa && !(is_apex && set.kind == RecordType::Ns) {
                    sets.push((set.clone(), objection(set, reading.live.locked.get(address))));
                }
            }
            // Others come with it, which no spec says by itself.
            Resource::Setting(setting) if Some(setting.id.as_str()) == signs => {
                dnssec = (setting.value == json!("on")).then_some(true);
            }
            _ => {}
        }
    }
    EmittedZone {
        name: zone,
        provider: provider.to_owned(),
        dnssec,
        sets,
    }
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

/// Loads the text until nothing in it is refused, then compares it with what it was written from.
fn settle(
    setting: &Setting,
    mut zones: Vec<EmittedZone>,
    tokens: &BTreeMap<String, String>,
    reading: &Reading,
) -> Result<Imported, Problem> {
    // Each round takes at least one set out, so it ends.
    loop {
        let emitted = emit::emit(&zones, tokens);
        let source = Arc::new(Source {
            path: "the imported spec".to_owned(),
            text: emitted.text.clone(),
        });
        let vars = BTreeMap::new();
        let inputs = Inputs {
            vars: &vars,
            env: &|_| None,
            files: &|_| Err("an imported spec names no file".to_owned()),
            providers: &provider::capabilities(),
            today: setting.clock.today(),
            spf_lock: &LockFile::default(),
        };
        let loaded = spec::load(&source, &inputs);
        let Some(spec) = loaded.spec else {
            if !take_out(&mut zones, &emitted, &loaded.diagnostics) {
                return Err(Problem::Spec(loaded.diagnostics));
            }
            continue;
        };
        let sides = Sides {
            desired: &spec.desired,
            live: &reading.live,
            owned: &Owned::default(),
        };
        let plan = diff(sides, &Bounds::default());
        let differs: Vec<&str> = plan.changes.iter().map(|change| change.address.as_str()).collect();
        if !differs.is_empty() || !plan.refusals.is_empty() {
            return Err(Problem::new(
                "import-differs",
                format!("the imported spec would change {}", differs.join(", ")),
            )
            .help("this is a fault of launchctl: nothing was written and nothing was changed"));
        }
        let sets = zones.iter().flat_map(|zone| &zone.sets);
        let left_out = sets.filter_map(|(set, reason)| Some((set.address(), reason.clone()?)));
        let left_out: Vec<(Address, String)> = left_out.collect();
        return Ok(Imported {
            text: emitted.text,
            declared: zones.iter().map(|zone| zone.sets.len()).sum::<usize>() - left_out.len(),
            left_out,
        });
    }
}

/// Makes comments of the sets that were refused; whether there was one.
fn take_out(zones: &mut [EmittedZone], emitted: &Emitted, diagnostics: &Diagnostics) -> bool {
    let mut any = false;
    let errors = diagnostics
        .iter()
        .filter(|finding| finding.severity == crate::base::diagnostic::Severity::Error);
    for finding in errors {
        let line = finding.place.as_ref().map(crate::base::diagnostic::Place::line);
        if let Some((zone, set)) = line.and_then(|line| emitted.lines.get(&line)) {
            let reason = &mut zones[*zone].sets[*set].1;
            any |= reason.is_none();
            reason.get_or_insert_with(|| finding.message.clone());
        }
    }
    any
}
