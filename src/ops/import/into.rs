//! `import --into`: what a spec that is there lacks, added in its place: zones, records, rules, settings. Every other byte
//! of the file stays as it is. The new text is loaded and compared before it is written: what the spec declared it declares
//! still, and planning it shows no change that the old one did not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::read::{self, Seen};
use super::settle::{self, fit, planned_differences};
use crate::base::diagnostic::{Diagnostics, Severity, Source};
use crate::base::{files, text};
use crate::model::address::Address;
use crate::model::inventory::Unmanaged;
use crate::model::name::DomainName;
use crate::model::resource::Resource;
use crate::model::rule::{Place, Rule, RuleKind};
use crate::ops::problem::Problem;
use crate::ops::session::{Session, Setting, load, load_text};
use crate::provider::{self, Profile};
use crate::spec::edit::add::{self, Spot};
use crate::spec::emit::{self, EmittedZone, Form, Head, Item};
use crate::spec::{Spec, emit::list_key};

/// What was added to a spec.
#[derive(Debug, Clone, Default)]
pub struct Added {
    /// What was added, each with its words in the spec.
    pub added: Vec<(Address, String)>,
    /// Zones that were added whole, each with how much it declares.
    pub zones: Vec<(DomainName, usize)>,
    /// What is live and was not added, with the reasons.
    pub left_out: Vec<(Address, String)>,
    /// What was not read, and other things to know.
    pub notes: Vec<String>,
}

/// Adds to the spec of `setting` what it lacks of `zones`; without any, of those that it has.
pub async fn into(setting: &Setting, zones: &[String], provider: Option<&str>) -> Result<Added, Problem> {
    if !setting.spec.exists() {
        let words = format!("there is no `{}`", setting.spec.display());
        return Err(Problem::new("no-spec", words)
            .help("--into FILE adds to a spec that is there; --out FILE writes one that is not there yet"));
    }
    let (before, _) = load(setting)?;
    let mut wanted: Vec<DomainName> = Vec::new();
    for zone in zones {
        let name = DomainName::parse(zone)
            .map_err(|error| Problem::new("bad-zone-name", format!("this is no zone's name: {error}")))?;
        wanted.push(name);
    }
    if zones.is_empty() {
        wanted.extend(before.desired.zones.keys().cloned());
    }
    let mut by_provider: BTreeMap<String, Vec<DomainName>> = BTreeMap::new();
    for zone in wanted {
        let known = before.desired.zones.get(&zone).map(|policy| policy.provider.as_str());
        if let (Some(known), Some(said)) = (known, provider)
            && known != said
        {
            let words = format!("{zone} is kept by {known} in this spec, and --provider says {said}");
            return Err(Problem::new("other-provider", words).help("leave out --provider"));
        }
        let keeper = known.or(provider).unwrap_or("cloudflare").to_owned();
        let zones = by_provider.entry(keeper).or_default();
        if !zones.contains(&zone) {
            zones.push(zone);
        }
    }
    let mut work = Work {
        setting,
        spec: before.clone(),
        added: Added::default(),
    };
    for (name, zones) in by_provider {
        let profile = provider::profile(&name)
            .ok_or_else(|| Problem::new("unknown-provider", format!("there is no provider called `{name}`")))?;
        let session = Session::asking(setting, before.clone(), Diagnostics::new(), &name).await?;
        let seen = read::everything(&session, zones, profile).await?;
        work.add_all(&before, profile, &seen)?;
    }
    if work.spec.source.text != before.source.text {
        files::write_atomic(&setting.spec, work.spec.source.text.as_bytes())?;
    }
    Ok(work.added)
}

/// A spec that grows.
struct Work<'s> {
    setting: &'s Setting,
    spec: Spec,
    added: Added,
}

impl Work<'_> {
    fn add_all(&mut self, before: &Spec, profile: &Profile, seen: &Seen) -> Result<(), Problem> {
        let pending = planned_differences(&self.spec, &seen.reading);
        for zone in &seen.zones {
            if before.desired.zones.contains_key(zone) {
                self.complete(zone, profile, seen)?;
            } else {
                self.whole(zone, profile, seen)?;
            }
        }
        self.added.notes.extend(seen.notes.iter().cloned());
        let more: BTreeSet<Address> = planned_differences(&self.spec, &seen.reading)
            .difference(&pending)
            .cloned()
            .collect();
        if !more.is_empty() {
            return Err(settle::differing(&more));
        }
        let is_kept = |(address, resource): (&Address, &Resource)| {
            let now = self.spec.desired.inventory.get(address);
            now.is_some_and(|now| now.content() == resource.content())
        };
        if !before.desired.inventory.iter().all(is_kept) {
            return Err(
                Problem::new("spec-edit", "what the spec declared would be declared otherwise")
                    .help("this is a fault of launchctl: nothing was written"),
            );
        }
        Ok(())
    }

    /// Takes a new text, if it can be loaded; else says what stands against it.
    fn take(&mut self, text: Result<String, String>) -> Result<(), String> {
        let loaded = load_text(self.setting, &self.spec.source.path, text?);
        match loaded {
            Ok((spec, _)) => {
                self.spec = spec;
                Ok(())
            }
            Err(Problem::Spec(diagnostics)) => {
                let error = diagnostics.iter().find(|finding| finding.severity == Severity::Error);
                Err(error.map_or_else(|| "the spec refuses it".to_owned(), |error| error.message.clone()))
            }
            Err(Problem::Other { message, .. }) => Err(message),
            Err(Problem::Refused(_)) => Err("the spec refuses it".to_owned()),
        }
    }

    fn source(&self) -> Arc<Source> {
        Arc::clone(&self.spec.source)
    }

    /// A zone that the spec does not have.
    fn whole(&mut self, zone: &DomainName, profile: &Profile, seen: &Seen) -> Result<(), Problem> {
        let emitted = read::written_down(zone, profile, seen);
        let only = Seen {
            zones: vec![zone.clone()],
            reading: seen.reading.clone(),
            notes: Vec::new(),
        };
        let imported = settle::settle(self.setting.clock.today(), vec![emitted], &Head::default(), only)?;
        let (_, block) = imported.text.split_once("\nzones:\n").unwrap_or_default();
        let block: Vec<String> = block.lines().map(str::to_owned).collect();
        let edited = add::zone(&self.source(), &block);
        self.take(edited)
            .map_err(|why| Problem::new("spec-edit", format!("{zone} cannot be added: {why}")))?;
        let declared = imported.declared.iter().map(|(number, _)| number).sum();
        self.added.zones.push((zone.clone(), declared));
        self.added.left_out.extend(imported.left_out);
        Ok(())
    }

    /// What the spec lacks of a zone that it has.
    fn complete(&mut self, zone: &DomainName, profile: &Profile, seen: &Seen) -> Result<(), Problem> {
        self.added.notes.extend(read::asked_lists(zone, &seen.reading));
        let lacking = self.lacking(zone, profile, seen);
        let (zones, _) = fit(
            self.setting.clock.today(),
            vec![lacking],
            &Head::default(),
            &seen.reading,
        )?;
        for lacking in zones {
            self.records(&lacking);
            self.rules(&lacking, seen);
            self.settings(&lacking);
        }
        Ok(())
    }

    /// A zone as it would be imported, in which what the spec declares is only a comment: so names that are taken are
    /// known to be.
    fn lacking(&self, zone: &DomainName, profile: &Profile, seen: &Seen) -> EmittedZone {
        let desired = &self.spec.desired;
        let live = settle::as_spoken_of(&self.spec, &seen.reading);
        let declared = |address: &Address| desired.inventory.contains_key(address) || desired.absent.contains(address);
        let mut seen_as = Seen {
            zones: vec![zone.clone()],
            reading: seen.reading.clone(),
            notes: Vec::new(),
        };
        seen_as.reading.live = live;
        let mut emitted = read::written_down(zone, profile, &seen_as);
        emitted.sets.retain(|set| !declared(&set.what.address()));
        for rule in &mut emitted.rules {
            if declared(&rule.what.address()) {
                rule.form = Form::Comment(DECLARED.to_owned());
            }
        }
        emitted.settings.retain(|setting| !declared(&setting.what.address()));
        if desired
            .inventory
            .keys()
            .any(|address| Some(address) == dnssec(zone, profile).as_ref())
        {
            emitted.dnssec = None;
        }
        // Records of mail that are missing one by one are records.
        emitted.without.insert(emit::WHOLE_MAIL);
        emitted
    }

    fn records(&mut self, lacking: &EmittedZone) {
        let usual = add::zone_ttl(&self.source(), &lacking.name).unwrap_or_default();
        let comment = "Added by `launchctl import`";
        let mut all: Vec<(Address, Vec<Item>)> = Vec::new();
        for set in &lacking.sets {
            let address = set.what.address();
            match &set.form {
                Form::Comment(reason) => self.added.left_out.push((address, reason.clone())),
                Form::Words | Form::Raw => all.push((address, Item::of_set(&set.what, usual))),
            }
        }
        let items: Vec<Item> = all.iter().flat_map(|(_, items)| items.clone()).collect();
        if items.is_empty() {
            return;
        }
        let at_once = add::items(
            &self.source(),
            &lacking.name,
            "records",
            Spot::Last,
            &items,
            Some(comment),
        );
        if self.take(at_once).is_ok() {
            for (address, items) in all {
                self.said(address, &items);
            }
            return;
        }
        // Something in it is refused beside what the spec says: each by itself shows what.
        let mut comment = Some(comment);
        for (address, items) in all {
            let text = add::items(&self.source(), &lacking.name, "records", Spot::Last, &items, comment);
            match self.take(text) {
                Ok(()) => {
                    comment = None;
                    self.said(address, &items);
                }
                Err(why) => self.added.left_out.push((address, why)),
            }
        }
    }

    fn said(&mut self, address: Address, items: &[Item]) {
        let words = items.iter().map(|item| item.flow.as_str()).collect::<Vec<_>>();
        self.added.added.push((address, words.join(", ")));
    }

    /// The rules of each kind. Once a spec has one of a kind, a plan reads all of that kind, and `unmanaged: delete` has
    /// it delete those that the spec lacks: there, a kind is not begun that cannot be written down whole.
    fn rules(&mut self, lacking: &EmittedZone, seen: &Seen) {
        for kind in RuleKind::ALL.iter().copied() {
            let (spec, added) = (self.spec.clone(), self.added.clone());
            self.rules_of(kind, lacking, seen);
            let desired = &spec.desired;
            let deletes = desired
                .zones
                .get(&lacking.name)
                .is_some_and(|policy| policy.unmanaged == Unmanaged::Delete);
            let is_of_kind =
                |address: &Address| RuleKind::of(address) == Some(kind) && address.scope() == lacking.name.as_str();
            let left = &self.added.left_out[added.left_out.len()..];
            let is_harmless = left.is_empty() || self.added.added.len() == added.added.len();
            if !deletes || is_harmless || desired.inventory.keys().any(is_of_kind) {
                continue;
            }
            let because: BTreeMap<Address, String> = left.iter().cloned().collect();
            let why = format!(
                "with `unmanaged: delete`, a plan would delete the {} of this zone that a spec cannot have",
                text::count(because.len(), kind.noun())
            );
            (self.spec, self.added) = (spec, added);
            let rules = lacking.rules.iter().filter(|rule| rule.what.kind == kind);
            for address in rules.map(|rule| settle::address_of(&rule.what)) {
                let why = because.get(&address).unwrap_or(&why).clone();
                self.added.left_out.push((address, why));
            }
        }
    }

    fn rules_of(&mut self, kind: RuleKind, lacking: &EmittedZone, seen: &Seen) {
        let Some(edge) = lacking.provider.edge else { return };
        let beside: Vec<Rule> = lacking.rules.iter().map(|rule| rule.what.clone()).collect();
        let rules = lacking.rules.iter().enumerate();
        for (index, rule) in rules.filter(|(_, rule)| rule.what.kind == kind) {
            let address = settle::address_of(&rule.what);
            match &rule.form {
                Form::Comment(reason) if reason == DECLARED => continue,
                Form::Comment(reason) => {
                    self.added.left_out.push((address, reason.clone()));
                    continue;
                }
                Form::Words | Form::Raw => {}
            }
            let item = match emit::rule_item(&rule.what, &rule.form, edge, beside.iter()) {
                Ok(item) => item,
                Err(why) => {
                    self.added.left_out.push((address, why));
                    continue;
                }
            };
            let spot = self.spot(
                rule.what.kind,
                &lacking.rules[..index].iter().map(|rule| &rule.what).collect::<Vec<_>>(),
                seen,
            );
            let text = add::items(
                &self.source(),
                &lacking.name,
                list_key(rule.what.kind),
                spot,
                std::slice::from_ref(&item),
                None,
            );
            match self.take(text) {
                Ok(()) => self.said(emit::rule_address(&rule.what, beside.iter()), &[item]),
                Err(why) => self.added.left_out.push((address, why)),
            }
        }
    }

    /// Where a rule goes so that the list stands as it does live: behind the nearest of those before it that the spec has.
    fn spot(&self, kind: RuleKind, before: &[&Rule], seen: &Seen) -> Spot {
        let live = settle::as_spoken_of(&self.spec, &seen.reading);
        let rank = |rule: &Rule| {
            // What it bears is the same under any address.
            let found = live.inventory.values().filter_map(Resource::as_rule).find(|live| {
                live.kind == kind
                    && live.zone == rule.zone
                    && live.reference == rule.reference
                    && (live.reference.is_some() || live.key == rule.key)
            })?;
            match self.spec.desired.inventory.get(&found.address())?.as_rule()?.place {
                Some(Place::Declared(rank)) => Some(rank),
                _ => None,
            }
        };
        let nearest = before
            .iter()
            .rev()
            .filter(|rule| rule.kind == kind)
            .find_map(|rule| rank(rule));
        nearest.map_or(Spot::First, Spot::After)
    }

    fn settings(&mut self, lacking: &EmittedZone) {
        let Some(edge) = lacking.provider.edge else { return };
        for setting in &lacking.settings {
            let address = setting.what.address();
            match &setting.form {
                Form::Comment(reason) => self.added.left_out.push((address, reason.clone())),
                Form::Words | Form::Raw if emit::is_worth_saying(lacking, edge, setting) => {
                    let pair = Item::pair(&setting.what);
                    let text = add::value(&self.source(), &lacking.name, "settings", &pair);
                    match self.take(text) {
                        Ok(()) => self.added.added.push((address, pair)),
                        Err(why) => self.added.left_out.push((address, why)),
                    }
                }
                Form::Words | Form::Raw => {}
            }
        }
        if lacking.dnssec == Some(true) {
            let text = add::key(&self.source(), &lacking.name, "dnssec: true");
            if let (Some(id), Ok(())) = (lacking.provider.dnssec, self.take(text)) {
                let address = Address::in_zone(&lacking.name, "setting", id);
                self.added.added.push((address, "dnssec: true".to_owned()));
            }
        }
    }
}

/// What stands instead of the reason with what the spec has.
const DECLARED: &str = "declared in the spec";

fn dnssec(zone: &DomainName, profile: &Profile) -> Option<Address> {
    profile
        .capabilities
        .dnssec
        .map(|id| Address::in_zone(zone, "setting", id))
}
