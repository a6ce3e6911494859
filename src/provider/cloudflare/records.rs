//! Reading a zone whole: found by name unless its id is known, then everything at once, with the largest pages. A list
//! that is not complete is an error and never taken for a small zone.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use serde_json::Value;

use super::api::{self, Answered, ApiError};
use super::{Cloudflare, convert, guards, page_rules, redirect_lists, rules, settings, zone};
use crate::base::text;
use crate::model::address::Address;
use crate::model::name::DomainName;
use crate::model::record::RecordData;
use crate::model::record_set::{Record, RecordSet};
use crate::model::redirect_list;
use crate::model::resource::Resource;
use crate::model::rule::{Rule, RuleKind};
use crate::model::setting::ZoneEntry;
use crate::plan::Warning;
use crate::provider::{KeptList, ProviderError, Reading, Scope, Usage, ZoneFacts};

/// The largest page that is asked for, and what is asked for when that is refused: the limit is not written down
/// consistently anywhere, so what the server says of itself counts.
const PAGE_SIZES: [usize; 2] = [5_000, 100];
/// More pages than this are no zone.
const MOST_PAGES: usize = 10_000;
/// The code of the error that says that there is no such zone.
const NOT_FOUND: &str = "zone-not-found";
/// How often a list that changed while it was read is read again.
const READS: usize = 3;

/// A zone as it was found.
pub(super) struct FoundZone {
    pub(super) id: String,
    pub(super) account: Option<String>,
    pub(super) status: String,
    pub(super) plan: String,
    pub(super) name_servers: Vec<String>,
}

/// Reads a zone, by its known id when that still answers: its records, and of its rules and settings those that the
/// caller speaks of.
pub(super) async fn read_zone(
    cloudflare: &Cloudflare,
    zone: &DomainName,
    scope: &Scope,
) -> Result<Reading, ProviderError> {
    let wanted = Wanted::of(zone, scope);
    let mut reading = read_content(cloudflare, zone, scope, &wanted).await?;
    if wanted.redirect_list {
        let facts = reading.zones.get(zone);
        let account = facts.and_then(|facts| facts.account.clone());
        let plan = facts.map(|facts| facts.plan.clone()).unwrap_or_default();
        // It belongs to the account, which only the zone tells.
        let read = redirect_lists::read(cloudflare, zone, account.as_deref(), &plan).await?;
        redirect_lists::keep(zone, read, &mut reading);
    }
    if wanted.asked_lists
        && let Some(account) = reading.zones.get(zone).and_then(|facts| facts.account.clone())
    {
        let lists = redirect_lists::asked_about(cloudflare, zone, &account).await?;
        reading.asked_lists.insert(zone.clone(), lists);
    }
    Ok(reading)
}

/// What belongs to the zone itself.
async fn read_content(
    cloudflare: &Cloudflare,
    zone: &DomainName,
    scope: &Scope,
    wanted: &Wanted,
) -> Result<Reading, ProviderError> {
    let known = scope.known_ids.get(zone).map(String::as_str);
    if let Some(id) = known.filter(|id| convert::is_identifier(id)) {
        let path = format!("zones/{id}");
        let (facts, contents) = tokio::join!(
            api::get(&cloudflare.http, &path),
            contents(cloudflare, zone, id, wanted)
        );
        match facts {
            Ok(answer)
                if is_zone(&answer.result, zone) && is_of_account(&answer.result, cloudflare.account.as_deref()) =>
            {
                let found = zone_of(&answer.result, zone)?;
                return assemble(zone, found, contents?, wanted);
            }
            // Another zone by now, or gone: the name decides.
            Ok(_) => {}
            Err(error) if api::is_out_of_reach(&error) => {}
            Err(error) => return Err(error.while_reading(&api::VOICE, &format!("the zone {zone}"))),
        }
    }
    let found = match find_zone(cloudflare, zone).await {
        Err(error) if error.code == NOT_FOUND && scope.may_be_missing.contains(zone) => {
            return zone::missing(cloudflare, zone).await;
        }
        found => found?,
    };
    let contents = contents(cloudflare, zone, &found.id, wanted).await?;
    assemble(zone, found, contents, wanted)
}

/// What is asked for beside the records, since each costs a request.
#[expect(clippy::struct_excessive_bools, reason = "each is a request of its own")]
struct Wanted {
    kinds: Vec<RuleKind>,
    settings: BTreeSet<String>,
    certificate: bool,
    zone: bool,
    redirect_list: bool,
    asked_lists: bool,
}

impl Wanted {
    fn of(zone: &DomainName, scope: &Scope) -> Self {
        let mut wanted = Self {
            kinds: Vec::new(),
            settings: BTreeSet::new(),
            certificate: false,
            zone: false,
            redirect_list: false,
            asked_lists: false,
        };
        for address in scope.spoken.iter().filter(|address| address.scope() == zone.as_str()) {
            match (address.kind(), RuleKind::of(address)) {
                ("setting", _) => {
                    wanted.settings.insert(address.key().to_owned());
                }
                ("zone", _) => wanted.zone = true,
                (redirect_list::KIND, _) => wanted.redirect_list = true,
                (redirect_list::ALL, _) => wanted.asked_lists = true,
                (_, Some(kind)) if !wanted.kinds.contains(&kind) => wanted.kinds.push(kind),
                _ => {}
            }
        }
        // Whether there is a certificate matters where browsers are sent to HTTPS.
        wanted.certificate = [guards::ALWAYS_HTTPS, guards::HSTS]
            .iter()
            .any(|id| wanted.settings.contains(*id));
        wanted
    }

    /// What of it a Page Rule can stand beside.
    fn beside_page_rules(&self) -> page_rules::Managed {
        let is_one_of = |ids: &[&str]| ids.iter().any(|id| self.settings.contains(*id));
        page_rules::Managed {
            redirects: self.redirect_list || self.kinds.contains(&RuleKind::Redirect),
            caching: self.kinds.contains(&RuleKind::Cache) || is_one_of(&["browser_cache_ttl", "cache_level"]),
            configuration: self.kinds.contains(&RuleKind::Config)
                || self.settings.iter().any(|id| id != settings::DNSSEC),
        }
    }
}

fn is_zone(value: &Value, zone: &DomainName) -> bool {
    value
        .get("name")
        .and_then(Value::as_str)
        .is_some_and(|name| DomainName::parse(name).as_ref() == Ok(zone))
}

/// A zone of the same name can be in another account: when one is named, only that one's counts.
fn is_of_account(value: &Value, account: Option<&str>) -> bool {
    let id = value.pointer("/account/id").and_then(Value::as_str);
    account.is_none_or(|account| id == Some(account))
}

/// Looks a zone up by its name.
pub(super) async fn find_zone(cloudflare: &Cloudflare, zone: &DomainName) -> Result<FoundZone, ProviderError> {
    let mut path = format!("zones?name={zone}&per_page=50");
    if let Some(account) = &cloudflare.account {
        path.push_str(&format!("&account.id={}", super::segment(account)));
    }
    let what = format!("the zone {zone}");
    let answer = api::get(&cloudflare.http, &path)
        .await
        .map_err(|error| error.while_reading(&api::VOICE, &what))?;
    let list = answer.result.as_array().cloned().unwrap_or_default();
    let matching: Vec<&Value> = list.iter().filter(|value| is_zone(value, zone)).collect();
    match matching.as_slice() {
        [one] => zone_of(one, zone),
        [] => Err(
            ProviderError::new(NOT_FOUND, format!("Cloudflare shows no zone {zone} to this token"))
                .help("check the name, and that the token covers this zone; `launchctl doctor` looks closer"),
        ),
        several => Err(ProviderError::new(
            "zone-ambiguous",
            format!("Cloudflare shows {} zones called {zone} to this token", several.len()),
        )
        .help("say which with `providers.cloudflare.account` in the spec")),
    }
}

/// The zones that the token covers, in the account when one is named.
pub(super) async fn all_zones(cloudflare: &Cloudflare) -> Result<Vec<DomainName>, ProviderError> {
    let account = cloudflare.account.as_ref();
    let account = account.map_or_else(String::new, |account| {
        format!("&account.id={}", super::segment(account))
    });
    let mut zones = BTreeSet::new();
    for page in 1..=MOST_PAGES {
        let path = format!("zones?per_page=50&page={page}{account}");
        let answer = api::get(&cloudflare.http, &path)
            .await
            .map_err(|error| error.while_reading(&api::VOICE, "the list of zones"))?;
        let names = answer.result.as_array().map_or(&[][..], Vec::as_slice).iter();
        let names = names.filter_map(|zone| zone.get("name")?.as_str());
        zones.extend(names.filter_map(|name| DomainName::parse(name).ok()));
        if answer.info.is_none_or(|info| page >= info.total_pages) {
            return Ok(zones.into_iter().collect());
        }
    }
    Err(ProviderError::new(
        "odd-answer",
        "Cloudflare answered with more pages of zones than any account has",
    ))
}

fn zone_of(value: &Value, zone: &DomainName) -> Result<FoundZone, ProviderError> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let id = text("/id")
        .filter(|id| convert::is_identifier(id))
        .ok_or_else(|| odd(zone, "a zone without an id"))?;
    let account = text("/account/id")
        .filter(|id| convert::is_identifier(id))
        .map(str::to_owned);
    let word = |pointer: &str| text::shorten(&text::sanitize(text(pointer).unwrap_or("unknown")), 40);
    Ok(FoundZone {
        id: id.to_owned(),
        account,
        status: word("/status"),
        plan: word("/plan/legacy_id"),
        name_servers: zone::name_servers(value),
    })
}

fn odd(zone: &DomainName, what: &str) -> ProviderError {
    ProviderError::new("odd-answer", format!("Cloudflare answered for {zone} with {what}"))
        .help("nothing was changed; if it happens again, run with -vv and report it")
}

/// The records of a zone as they came, how full it is, and what else was asked for.
struct Contents {
    records: Vec<Value>,
    usage: Option<Usage>,
    lists: Vec<(RuleKind, KeptList, Vec<Rule>)>,
    settings: Vec<settings::Read>,
    certificate: Option<String>,
    page_rules: Vec<Warning>,
}

async fn contents(
    cloudflare: &Cloudflare,
    zone: &DomainName,
    id: &str,
    wanted: &Wanted,
) -> Result<Contents, ProviderError> {
    let usage_path = format!("zones/{id}/dns_records/usage");
    let lists = wanted.kinds.iter().map(|kind| rules::read(cloudflare, zone, id, *kind));
    let settings = wanted
        .settings
        .iter()
        .map(|name| settings::read(cloudflare, zone, id, name));
    let certificate = async {
        if wanted.certificate {
            zone::certificate(cloudflare, id).await
        } else {
            None
        }
    };
    let managed = wanted.beside_page_rules();
    let page_rules = async {
        if managed.any() {
            page_rules::read(cloudflare, zone, id, managed).await
        } else {
            Vec::new()
        }
    };
    let (records, usage, lists, settings, certificate, page_rules) = tokio::join!(
        all_records(cloudflare, zone, id),
        api::get(&cloudflare.http, &usage_path),
        try_join_all(lists),
        try_join_all(settings),
        certificate,
        page_rules
    );
    // Only a help in planning: a token or a server that does not tell is no reason to stop.
    let usage = usage.ok().and_then(|answer| {
        let number = |key: &str| {
            answer
                .result
                .get(key)
                .and_then(Value::as_u64)
                .and_then(|n| usize::try_from(n).ok())
        };
        Some(Usage {
            records: number("record_usage")?,
            quota: number("record_quota"),
        })
    });
    Ok(Contents {
        records: records?,
        usage,
        lists: lists?,
        settings: settings?.into_iter().flatten().collect(),
        certificate,
        page_rules,
    })
}

async fn all_records(cloudflare: &Cloudflare, zone: &DomainName, id: &str) -> Result<Vec<Value>, ProviderError> {
    let what = format!("the records of {zone}");
    for _ in 0..READS {
        let (size, first) = first_page(cloudflare, id)
            .await
            .map_err(|error| error.while_reading(&api::VOICE, &what))?;
        let info = first
            .info
            .ok_or_else(|| odd(zone, "a list of records without its length"))?;
        if info.total_pages > MOST_PAGES {
            return Err(odd(zone, "more pages of records than any zone has"));
        }
        let rest = (2..=info.total_pages).map(|page| async move { page_of(cloudflare, id, size, page).await });
        let rest = try_join_all(rest)
            .await
            .map_err(|error| error.while_reading(&api::VOICE, &what))?;
        let mut by_id: BTreeMap<String, Value> = BTreeMap::new();
        for page in std::iter::once(first).chain(rest) {
            let Value::Array(records) = page.result else {
                return Err(odd(zone, "no list of records"));
            };
            for record in records {
                let id = record.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
                by_id.insert(id, record);
            }
        }
        if by_id.len() == info.total_count {
            return Ok(by_id.into_values().collect());
        }
        tracing::info!(
            "{zone}: {} records listed, {} announced; reading again",
            by_id.len(),
            info.total_count
        );
    }
    Err(ProviderError::new(
        "moving-list",
        format!("the records of {zone} changed each time they were read"),
    )
    .help("somebody is changing the zone right now: try again when that is over"))
}

async fn first_page(cloudflare: &Cloudflare, id: &str) -> Result<(usize, Answered), ApiError> {
    let [large, small] = PAGE_SIZES;
    match page_of(cloudflare, id, large, 1).await {
        Err(ApiError::Refused(refusal)) if refusal.status == 400 => {
            Ok((small, page_of(cloudflare, id, small, 1).await?))
        }
        other => Ok((large, other?)),
    }
}

async fn page_of(cloudflare: &Cloudflare, id: &str, size: usize, page: usize) -> Result<Answered, ApiError> {
    let path = format!("zones/{id}/dns_records?per_page={size}&page={page}");
    api::get(&cloudflare.http, &path).await
}

fn assemble(
    zone: &DomainName,
    found: FoundZone,
    contents: Contents,
    wanted: &Wanted,
) -> Result<Reading, ProviderError> {
    let mut reading = Reading::default();
    gather(zone, &contents.records, &mut reading)?;
    for list in contents.lists {
        rules::keep(zone, list, &mut reading);
    }
    reading.warnings.extend(contents.page_rules);
    for setting in contents.settings {
        settings::keep(setting, &mut reading);
    }
    if wanted.zone {
        let entry = ZoneEntry {
            zone: zone.clone(),
            name_servers: Vec::new(),
        };
        reading.live.inventory.insert(entry.address(), Resource::Zone(entry));
    }
    warn_of_status(zone, &found, &mut reading);
    reading.zones.insert(
        zone.clone(),
        ZoneFacts {
            id: found.id,
            plan: found.plan,
            status: found.status,
            usage: contents.usage,
            name_servers: found.name_servers,
            certificate: contents.certificate,
            account: found.account,
            ..ZoneFacts::default()
        },
    );
    Ok(reading)
}

/// Makes record sets of records, with what the provider knows each by and which of them it keeps locked.
fn gather(zone: &DomainName, values: &[Value], reading: &mut Reading) -> Result<(), ProviderError> {
    let mut records: Vec<(DomainName, Record)> = Vec::new();
    let mut ids: BTreeMap<(DomainName, RecordData), Vec<String>> = BTreeMap::new();
    let mut locked: BTreeMap<(DomainName, RecordData), String> = BTreeMap::new();
    for value in values {
        match convert::from_wire(value, zone) {
            Ok(kept) if kept.name.is_within(zone) => {
                let key = (kept.name.clone(), kept.record.data.clone());
                ids.entry(key.clone()).or_default().push(kept.id);
                if let Some(why) = kept.locked {
                    locked.insert(key, why);
                }
                records.push((kept.name, kept.record));
            }
            Ok(kept) => {
                let words = format!("a record of {}, which is another zone's", kept.name);
                return Err(odd(zone, &words));
            }
            Err(why) => reading.warnings.push(unreadable(value, &why)),
        }
    }
    for set in RecordSet::gather(zone, records) {
        let set = set.as_live();
        let address = set.address();
        let key = |record: &Record| (set.name.clone(), record.data.clone());
        let own = |record: &Record| Some((record.data.clone(), ids.remove(&key(record))?));
        let handles = set.records.iter().filter_map(own).collect();
        if let Some(why) = set.records.iter().find_map(|record| locked.get(&key(record))) {
            reading.live.locked.insert(address.clone(), why.clone());
        }
        reading.handles.insert(address.clone(), handles);
        reading.live.inventory.insert(address, Resource::RecordSet(set));
    }
    Ok(())
}

/// A record that we cannot read is not there for us: neither changed nor deleted, but said.
fn unreadable(value: &Value, why: &str) -> Warning {
    let word = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or("?").to_owned();
    let what = text::sanitize(&format!("{} {}", word("type"), word("name"))).into_owned();
    let message = format!(
        "left alone: the live record {} could not be understood: {}",
        text::shorten(&what, 120),
        text::sanitize(why)
    );
    Warning::general("unreadable-record", message)
}

fn warn_of_status(zone: &DomainName, found: &FoundZone, reading: &mut Reading) {
    let message = match found.status.as_str() {
        status @ ("pending" | "initializing") => format!(
            "the zone is {status}: Cloudflare answers for it only once the registrar points to its name servers{}",
            match found.name_servers.as_slice() {
                [] => String::new(),
                servers => format!(", {}", text::list(servers)),
            }
        ),
        "moved" => "the zone is marked as moved: its registrar no longer points to Cloudflare".to_owned(),
        _ => return,
    };
    let warning = Warning::about(&Address::zone(zone), "zone-status", message);
    reading.warnings.push(warning);
}
