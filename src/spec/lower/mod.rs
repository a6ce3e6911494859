//! From raw shapes to what is desired: names made canonical, data parsed, values settled. What cannot be lowered is
//! said and left out; the judgement over what is left belongs to `lint`.

mod dns;
mod edge;
pub(super) mod mail;
mod matching;
pub(super) mod redirect_list;
mod rules;
pub(super) mod uptime;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::basic::Table;
use super::lint;
use super::raw::{Launch, Provider, Zone};
use super::shape::{Text, one_of};
use super::{Inputs, Spec};
use crate::base::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use crate::base::text;
use crate::model::address::Address;
use crate::model::capability::Capabilities;
use crate::model::inventory::{Desired, ProviderAccount, ServerSettings, Unmanaged, ZonePolicy};
use crate::model::matching::{Match, UrlGlob};
use crate::model::name::DomainName;
use crate::model::record::RecordType;
use crate::model::record_set::{Record, RecordSet};
use crate::model::resource::Resource;
use crate::model::rule::Rule;
use crate::model::setting::{Setting, ZoneEntry};

/// A zone as it is declared, for `lint`.
#[derive(Debug)]
pub(super) struct DeclaredZone<'a> {
    pub(super) name: DomainName,
    /// What its provider can hold; `None` when nobody knows the provider, which has been said.
    pub(super) capabilities: Option<&'a Capabilities>,
    pub(super) records: Vec<DeclaredRecord>,
    pub(super) absent: Vec<DeclaredAbsence>,
    pub(super) rules: Vec<DeclaredRule>,
    pub(super) redirect_list: Option<redirect_list::DeclaredRedirectList>,
    pub(super) settings: Vec<DeclaredSetting>,
    /// Where it says that it is to be created.
    pub(super) create: Option<Range<usize>>,
    /// The name servers that it is to be created with.
    pub(super) name_servers: Vec<DomainName>,
    /// The codes of warnings that are meant.
    pub(super) accept: BTreeSet<String>,
}

/// A rule as it is declared.
#[derive(Debug)]
pub(super) struct DeclaredRule {
    pub(super) rule: Rule,
    /// Where its name is written.
    pub(super) name: Range<usize>,
    /// Where it begins, when it is a redirect that says so with a glob.
    pub(super) from: Option<(UrlGlob, Range<usize>)>,
    /// What such a redirect leads to as it was said, with its captures.
    pub(super) leads_to: Option<String>,
    /// Which requests it is about, where it says so with a `match`.
    pub(super) matching: Option<Match>,
    /// Where what it does is written.
    pub(super) to: Range<usize>,
}

/// A setting as it is declared.
#[derive(Debug)]
pub(super) struct DeclaredSetting {
    pub(super) setting: Setting,
    /// Where it is written.
    pub(super) at: Range<usize>,
}

/// One record as it is declared.
#[derive(Debug)]
pub(super) struct DeclaredRecord {
    pub(super) owner: DomainName,
    pub(super) record: Record,
    pub(super) address: Address,
    /// Where its name is written.
    pub(super) name: Text,
    /// Where its value is written.
    pub(super) value: Range<usize>,
    /// Where the entry begins.
    pub(super) entry: Range<usize>,
    /// Where what stands beside the value is written, by its key.
    pub(super) keys: BTreeMap<&'static str, Range<usize>>,
}

impl DeclaredRecord {
    pub(super) fn kind(&self) -> RecordType {
        self.record.data.kind()
    }

    /// Where what stands beside the value is written, or the entry itself.
    pub(super) fn key(&self, key: &str) -> Range<usize> {
        self.keys.get(key).unwrap_or(&self.entry).clone()
    }
}

/// A name and type declared to hold nothing.
#[derive(Debug)]
pub(super) struct DeclaredAbsence {
    pub(super) address: Address,
    pub(super) values: Range<usize>,
}

/// Where findings go and what they point into.
pub(super) struct Findings<'a> {
    source: &'a Arc<Source>,
    all: &'a mut Diagnostics,
}

impl<'a> Findings<'a> {
    pub(super) fn new(source: &'a Arc<Source>, all: &'a mut Diagnostics) -> Self {
        Self { source, all }
    }

    pub(super) fn place(&self, range: &Range<usize>) -> Place {
        Place::new(self.source, range.clone())
    }

    pub(super) fn push(&mut self, finding: Diagnostic) {
        self.all.push(finding);
    }

    /// Whether anything is wrong so far.
    pub(super) fn has_errors(&self) -> bool {
        self.all.has_errors()
    }

    /// Says that something is wrong; what it returns can be added to before it is dropped.
    pub(super) fn error(&mut self, code: &'static str, range: &Range<usize>, message: impl Into<String>) {
        let finding = Diagnostic::error(code, message).at(self.place(range));
        self.push(finding);
    }
}

/// Lowers a whole spec and judges it.
pub(super) fn lower(raw: &Launch, source: &Arc<Source>, inputs: &Inputs<'_>, all: &mut Diagnostics) -> Spec {
    let mut findings = Findings::new(source, all);
    let no_zones = Table(Vec::new());
    let zones = raw.zones.as_ref().unwrap_or(&no_zones);
    if !raw.keys.contains_key("zones") && !raw.keys.contains_key("uptime") {
        let finding = Diagnostic::warning("nothing-declared", "the spec declares nothing: it has no `zones`")
            .at(findings.place(&raw.at));
        findings.push(finding);
    }
    let mut desired = Desired::default();
    let mut declared: Vec<DeclaredZone<'_>> = Vec::new();
    let mut seen: BTreeMap<DomainName, Range<usize>> = BTreeMap::new();
    let mut mails = Vec::new();
    for (key, zone) in &zones.0 {
        let Some(name) = zone_name(key, &mut seen, &mut findings) else {
            continue;
        };
        let capabilities = provider_of(zone, inputs.providers, &mut findings);
        if let Some(capabilities) = capabilities {
            desired.zones.insert(name.clone(), policy(zone, capabilities));
        }
        let mut one = dns::zone(name.clone(), zone, capabilities, &mut findings);
        edge::zone(zone, &mut one, &mut findings);
        redirect_list::zone(zone, inputs, &mut one, &mut findings);
        mails.extend(mail::zone(zone, inputs, &mut one, &mut findings).map(|mail| (name, mail)));
        declared.push(one);
    }
    mail::authorise_reports(&mails, &mut declared);
    for zone in &declared {
        lint::zone(zone, &seen, &mut findings);
    }
    lint::mail(&declared, &desired, &mails, &mut findings);
    let block = raw.uptime.as_ref();
    let watched = block.and_then(|block| {
        uptime::uptime(
            block,
            raw.project.as_ref(),
            inputs.providers,
            &mut desired,
            &mut findings,
        )
    });
    if let Some(watched) = &watched {
        lint::uptime(watched, &declared, &mut findings);
    }
    for zone in declared {
        gather(zone, source, &mut desired);
    }
    Spec {
        project: raw.project.as_ref().map(|project| project.value.clone()),
        providers: accounts(raw, source, inputs.providers, &mut findings),
        desired,
        mail: mails.into_iter().map(|(zone, lowered)| (zone, lowered.mail)).collect(),
        source: Arc::clone(source),
    }
}

fn zone_name(
    key: &Text,
    seen: &mut BTreeMap<DomainName, Range<usize>>,
    findings: &mut Findings<'_>,
) -> Option<DomainName> {
    let name = match DomainName::parse(&key.value) {
        Ok(name) => name,
        Err(error) => {
            findings.error("bad-zone-name", &key.range, format!("this is no zone's name: {error}"));
            return None;
        }
    };
    if name.is_wildcard() || !name.as_str().contains('.') {
        let finding = Diagnostic::error("bad-zone-name", format!("`{name}` cannot be a zone"))
            .at(findings.place(&key.range))
            .label("expected a name such as acme.example");
        findings.push(finding);
        return None;
    }
    if let Some(first) = seen.insert(name.clone(), key.range.clone()) {
        let finding = Diagnostic::error("duplicate-zone", format!("the zone {name} is declared twice"))
            .at(findings.place(&key.range))
            .label("the second time")
            .related(findings.place(&first), "the first time");
        findings.push(finding);
        return None;
    }
    Some(name)
}

fn provider_of<'a>(
    zone: &Zone,
    providers: &'a [Capabilities],
    findings: &mut Findings<'_>,
) -> Option<&'a Capabilities> {
    let name = zone.provider.as_ref()?;
    let wanted = Wanted {
        fits: Capabilities::keeps_zones,
        otherwise: "keeps no zones",
    };
    known_provider(name, providers, wanted, findings)
}

/// What a provider must be able to do at a place of the spec.
#[derive(Clone, Copy)]
struct Wanted {
    /// Whether it can.
    fits: fn(&Capabilities) -> bool,
    /// What is said of one that cannot.
    otherwise: &'static str,
}

fn known_provider<'a>(
    name: &Text,
    providers: &'a [Capabilities],
    wanted: Wanted,
    findings: &mut Findings<'_>,
) -> Option<&'a Capabilities> {
    let found = providers.iter().find(|known| known.name == name.value);
    if let Some(found) = found.filter(|found| (wanted.fits)(found)) {
        return Some(found);
    }
    let fitting = providers.iter().filter(|known| (wanted.fits)(known));
    let names: Vec<&str> = fitting.map(|known| known.name).collect();
    let finding = match found {
        Some(found) => Diagnostic::error("unknown-provider", format!("{} {}", found.title, wanted.otherwise))
            .label(format!("expected {}", one_of(&names))),
        None => {
            let shown = text::shorten(&text::sanitize(&name.value), 60);
            let finding = Diagnostic::error("unknown-provider", format!("there is no provider called `{shown}`"));
            match text::nearest(&name.value, names.iter().copied()) {
                Some(near) => finding.label(format!("did you mean `{near}`?")),
                None => finding.label(format!("this version knows {}", text::list(&names))),
            }
        }
    };
    findings.push(finding.at(findings.place(&name.range)));
    None
}

fn policy(zone: &Zone, capabilities: &Capabilities) -> ZonePolicy {
    ZonePolicy {
        provider: capabilities.name.to_owned(),
        unmanaged: zone
            .unmanaged
            .as_ref()
            .map_or(Unmanaged::Keep, |unmanaged| unmanaged.value),
        protect: zone
            .protect
            .iter()
            .flatten()
            .map(|protection| protection.value.clone())
            .collect(),
        create: zone.create.as_ref().is_some_and(|create| create.value),
        accept: zone.accept.iter().flatten().map(|code| code.value.clone()).collect(),
    }
}

fn accounts(
    raw: &Launch,
    source: &Arc<Source>,
    providers: &[Capabilities],
    findings: &mut Findings<'_>,
) -> BTreeMap<String, ProviderAccount> {
    let mut accounts = BTreeMap::new();
    for (name, account) in raw.providers.iter().flat_map(|providers| &providers.0) {
        let any = Wanted {
            fits: |_| true,
            otherwise: "is none",
        };
        if let Some(known) = known_provider(name, providers, any, findings) {
            reached_otherwise(known, account, findings);
            accounts.insert(name.value.clone(), one_account(name, account, source));
        }
    }
    accounts
}

/// A DNS server has no API's address, and an API is no DNS server.
fn reached_otherwise(known: &Capabilities, account: &Provider, findings: &mut Findings<'_>) {
    let (key, text, instead) = if known.dns_server {
        ("base_url", &account.base_url, "server")
    } else {
        ("server", &account.server, "base_url")
    };
    if let Some(text) = text {
        let message = format!(
            "`{key}` has no meaning for {}: `{instead}` says where it is",
            known.title
        );
        findings.error("wrong-address-key", &text.range, message);
    }
}

fn one_account(name: &Text, account: &Provider, source: &Arc<Source>) -> ProviderAccount {
    let place = account.token.as_ref().map_or(&name.range, |token| &token.range);
    ProviderAccount {
        token: account.token.as_ref().map(|token| token.value.clone()),
        account: account.account.as_ref().map(|account| account.value.clone()),
        base_url: account.base_url.as_ref().map(|url| url.value.clone()),
        server: account.server.as_ref().map(|server| server.value.clone()),
        servers: ServerSettings {
            directory: account.directory.as_ref().map(|text| text.value.clone()),
            alertmanager: account.alertmanager.as_ref().map(|text| text.value.clone()),
            blackbox: account.blackbox.as_ref().map(|text| text.value.clone()),
            smarthost: account.smarthost.as_ref().map(|text| text.value.clone()),
        },
        place: Some(Place::new(source, place.clone())),
    }
}

/// Puts what a zone declares into the inventory, records set by set.
fn gather(zone: DeclaredZone<'_>, source: &Arc<Source>, desired: &mut Desired) {
    for record in &zone.records {
        let place = Place::new(source, record.value.clone());
        desired.places.entry(record.address.clone()).or_insert(place);
    }
    for absence in zone.absent {
        let place = Place::new(source, absence.values);
        desired.places.entry(absence.address.clone()).or_insert(place);
        desired.absent.insert(absence.address);
    }
    for rule in zone.rules {
        let address = rule.rule.address();
        desired.places.insert(address.clone(), Place::new(source, rule.name));
        desired.inventory.insert(address, Resource::Rule(rule.rule));
    }
    if let Some(declared) = zone.redirect_list {
        let address = declared.list.address();
        desired.places.insert(address.clone(), Place::new(source, declared.at));
        desired.inventory.insert(address, Resource::RedirectList(declared.list));
    }
    for setting in zone.settings {
        let address = setting.setting.address();
        desired.places.insert(address.clone(), Place::new(source, setting.at));
        desired.inventory.insert(address, Resource::Setting(setting.setting));
    }
    if let Some(at) = zone.create {
        let entry = ZoneEntry {
            zone: zone.name.clone(),
            name_servers: zone.name_servers,
        };
        desired.places.insert(entry.address(), Place::new(source, at));
        desired.inventory.insert(entry.address(), Resource::Zone(entry));
    }
    let records = zone.records.into_iter().map(|record| (record.owner, record.record));
    for set in RecordSet::gather(&zone.name, records) {
        desired.inventory.insert(set.address(), Resource::RecordSet(set));
    }
}
