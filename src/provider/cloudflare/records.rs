//! Reading a zone whole: found by name unless its id is known, then everything at once, with the largest pages. A list
//! that is not complete is an error and never taken for a small zone.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use serde_json::Value;

use super::api::{self, Answered, ApiError};
use super::{Cloudflare, convert};
use crate::base::text;
use crate::model::name::DomainName;
use crate::model::record::RecordData;
use crate::model::record_set::{Record, RecordSet};
use crate::model::resource::Resource;
use crate::plan::Warning;
use crate::provider::{ProviderError, Reading, Usage, ZoneFacts};

/// The largest page that is asked for, and what is asked for when that is refused: the limit is not written down
/// consistently anywhere, so what the server says of itself counts.
const PAGE_SIZES: [usize; 2] = [5_000, 100];
/// More pages than this are no zone.
const MOST_PAGES: usize = 10_000;
/// How often a list that changed while it was read is read again.
const READS: usize = 3;

/// A zone's id, account, status and plan.
pub(super) type FoundZone = (String, Option<String>, String, String);

/// Reads a zone, by its known id when that still answers.
pub(super) async fn read_zone(
    cloudflare: &Cloudflare,
    zone: &DomainName,
    known: Option<&str>,
) -> Result<Reading, ProviderError> {
    if let Some(id) = known.filter(|id| convert::is_identifier(id)) {
        let path = format!("zones/{id}");
        let (facts, contents) = tokio::join!(api::get(&cloudflare.http, &path), contents(cloudflare, zone, id));
        match facts {
            Ok(answer)
                if is_zone(&answer.result, zone) && is_of_account(&answer.result, cloudflare.account.as_deref()) =>
            {
                let found = zone_of(&answer.result, zone)?;
                return assemble(zone, found, &contents?);
            }
            // Another zone by now, or gone: the name decides.
            Ok(_) => {}
            Err(error) if error.is_out_of_reach() => {}
            Err(error) => return Err(error.while_reading(&format!("the zone {zone}"))),
        }
    }
    let found = find_zone(cloudflare, zone).await?;
    let contents = contents(cloudflare, zone, &found.0).await?;
    assemble(zone, found, &contents)
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
        .map_err(|error| error.while_reading(&what))?;
    let list = answer.result.as_array().cloned().unwrap_or_default();
    let matching: Vec<&Value> = list.iter().filter(|value| is_zone(value, zone)).collect();
    match matching.as_slice() {
        [one] => zone_of(one, zone),
        [] => Err(ProviderError::new(
            "zone-not-found",
            format!("Cloudflare shows no zone {zone} to this token"),
        )
        .help("check the name, and that the token covers this zone; `launchctl doctor` looks closer")),
        several => Err(ProviderError::new(
            "zone-ambiguous",
            format!("Cloudflare shows {} zones called {zone} to this token", several.len()),
        )
        .help("say which with `providers.cloudflare.account` in the spec")),
    }
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
    Ok((id.to_owned(), account, word("/status"), word("/plan/legacy_id")))
}

fn odd(zone: &DomainName, what: &str) -> ProviderError {
    ProviderError::new("odd-answer", format!("Cloudflare answered for {zone} with {what}"))
        .help("nothing was changed; if it happens again, run with -vv and report it")
}

/// The records of a zone as they came, and how full it is.
struct Contents {
    records: Vec<Value>,
    usage: Option<Usage>,
}

async fn contents(cloudflare: &Cloudflare, zone: &DomainName, id: &str) -> Result<Contents, ProviderError> {
    let usage_path = format!("zones/{id}/dns_records/usage");
    let (records, usage) = tokio::join!(
        all_records(cloudflare, zone, id),
        api::get(&cloudflare.http, &usage_path)
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
    })
}

async fn all_records(cloudflare: &Cloudflare, zone: &DomainName, id: &str) -> Result<Vec<Value>, ProviderError> {
    let what = format!("the records of {zone}");
    for _ in 0..READS {
        let (size, first) = first_page(cloudflare, id)
            .await
            .map_err(|error| error.while_reading(&what))?;
        let info = first
            .info
            .ok_or_else(|| odd(zone, "a list of records without its length"))?;
        if info.total_pages > MOST_PAGES {
            return Err(odd(zone, "more pages of records than any zone has"));
        }
        let rest = (2..=info.total_pages).map(|page| async move { page_of(cloudflare, id, size, page).await });
        let rest = try_join_all(rest).await.map_err(|error| error.while_reading(&what))?;
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

fn assemble(zone: &DomainName, found: FoundZone, contents: &Contents) -> Result<Reading, ProviderError> {
    let (id, _, status, plan) = found;
    let mut reading = Reading::default();
    let mut records: Vec<(DomainName, Record)> = Vec::new();
    let mut ids: BTreeMap<(DomainName, RecordData), Vec<String>> = BTreeMap::new();
    let mut locked: BTreeMap<(DomainName, RecordData), String> = BTreeMap::new();
    for value in &contents.records {
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
                return Err(odd(
                    zone,
                    &format!("a record of {}, which is another zone's", kept.name),
                ));
            }
            Err(why) => reading.warnings.push(unreadable(value, &why)),
        }
    }
    for set in RecordSet::gather(zone, records) {
        let set = set.as_live();
        let address = set.address();
        let handles = set
            .records
            .iter()
            .filter_map(|record| {
                Some((
                    record.data.clone(),
                    ids.remove(&(set.name.clone(), record.data.clone()))?,
                ))
            })
            .collect();
        if let Some(why) = set
            .records
            .iter()
            .find_map(|record| locked.get(&(set.name.clone(), record.data.clone())))
        {
            reading.live.locked.insert(address.clone(), why.clone());
        }
        reading.handles.insert(address.clone(), handles);
        reading.live.inventory.insert(address, Resource::RecordSet(set));
    }
    warn_of_status(zone, &status, &mut reading);
    reading.zones.insert(
        zone.clone(),
        ZoneFacts {
            id,
            plan,
            status,
            usage: contents.usage,
            elsewhere: None,
        },
    );
    Ok(reading)
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

fn warn_of_status(zone: &DomainName, status: &str, reading: &mut Reading) {
    let message = match status {
        "pending" | "initializing" => {
            format!("{zone} is {status}: Cloudflare answers for it only once the registrar points to its name servers")
        }
        "moved" => format!("{zone} is marked as moved: its registrar no longer points to Cloudflare"),
        _ => return,
    };
    reading.warnings.push(Warning::general("zone-status", message));
}
