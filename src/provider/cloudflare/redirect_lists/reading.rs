//! A zone's list as it is read: found by its name among those of the account, with all its rows, and whether a rule asks
//! it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::api::{self, ApiError};
use super::super::{Cloudflare, convert, edge, rule_convert, rules};
use super::{entry_point, list_name, marker, row, rule_wire, version_of};
use crate::model::name::DomainName;
use crate::model::redirect_list::{Lookup, RedirectList};
use crate::model::resource::Resource;
use crate::provider::{KeptRedirectList, ProviderError, Reading};

/// The largest page of rows.
const PAGE: usize = 500;
/// More pages than this are no list.
const MOST_PAGES: usize = 4_000;
/// The largest page of zones.
const PAGE_OF_ZONES: usize = 50;
/// Pages of zones that are read to find the account's plan.
const MOST_PAGES_OF_ZONES: usize = 20;
/// How often a list that changed while it was read is read again.
const READS: usize = 3;

/// A zone's list as it was read, and what stands around it.
pub(in crate::provider::cloudflare) struct Read {
    list: Option<RedirectList>,
    kept: KeptRedirectList,
}

/// Reads the list of a zone, and the rule that asks it.
pub(in crate::provider::cloudflare) async fn read(
    cloudflare: &Cloudflare,
    zone: &DomainName,
    account: Option<&str>,
    plan: &str,
) -> Result<Read, ProviderError> {
    let what = format!("the redirect list of {zone}");
    let account = account.ok_or_else(|| {
        ProviderError::new(
            "no-account",
            format!("could not read {what}: Cloudflare tells of no account"),
        )
        .help("say which with `providers.cloudflare.account` in the spec")
    })?;
    let odd = |why: String| {
        ProviderError::new("odd-answer", format!("Cloudflare answered for {what} with {why}"))
            .help("nothing was changed; if it happens again, run with -vv and report it")
    };
    for _ in 0..READS {
        let lists = format!("accounts/{account}/rules/lists");
        let entry_point = entry_point(account);
        let (lists, ruleset, (plan, saw_all_zones)) = tokio::join!(
            api::get(&cloudflare.http, &lists),
            api::get(&cloudflare.http, &entry_point),
            largest_plan(cloudflare, account, plan)
        );
        let lists = lists.map_err(|error| error.while_reading(&api::VOICE, &what))?.result;
        let ruleset = match ruleset {
            Ok(answer) => answer.result,
            Err(error) if rules::is_absent(&error) => Value::Null,
            Err(error) => return Err(error.while_reading(&api::VOICE, &what)),
        };
        let lists = lists.as_array().ok_or_else(|| odd("no list of lists".to_owned()))?;
        let mut kept = KeptRedirectList {
            account: account.to_owned(),
            plan,
            saw_all_zones,
            ..KeptRedirectList::default()
        };
        let ours = around(zone, lists, &mut kept).map_err(odd)?;
        let lookup = lookup(zone, &ruleset, &mut kept).map_err(odd)?;
        let Some((id, number)) = ours else {
            // A rule of ours without a list cannot be: Cloudflare keeps lists that a rule asks.
            return Ok(Read { list: None, kept });
        };
        let items = all_items(cloudflare, account, &id)
            .await
            .map_err(|error| error.while_reading(&api::VOICE, &what))?;
        kept.id = Some(id);
        if number.is_some_and(|number| number != items.len()) {
            tracing::info!(
                "{what}: {} rows listed, {number:?} announced; reading again",
                items.len()
            );
            continue;
        }
        let rows = items.iter().map(row).collect::<Result<Vec<_>, _>>().map_err(odd)?;
        let mut list = RedirectList::new(zone.clone(), rows, lookup);
        list.asked_after = asked_after(zone, &ruleset);
        return Ok(Read { list: Some(list), kept });
    }
    Err(
        ProviderError::new("moving-list", format!("{what} changed each time it was read"))
            .help("somebody is changing the list right now: try again when that is over"),
    )
}

/// Puts what was read where the diff and the steps find it.
pub(in crate::provider::cloudflare) fn keep(zone: &DomainName, read: Read, reading: &mut Reading) {
    reading.redirect_lists.insert(zone.clone(), read.kept);
    if let Some(list) = read.list {
        let address = list.address();
        reading.live.inventory.insert(address, Resource::RedirectList(list));
    }
}

/// The largest plan of the account's zones counts for its lists. Also says whether all of them were seen, as far as that
/// can matter.
async fn largest_plan(cloudflare: &Cloudflare, account: &str, own: &str) -> (String, bool) {
    let mut largest = own.to_owned();
    for page in 1..=MOST_PAGES_OF_ZONES {
        let path = format!("zones?account.id={account}&per_page={PAGE_OF_ZONES}&page={page}");
        let Ok(answer) = api::get(&cloudflare.http, &path).await else {
            return (largest, false);
        };
        let zones = answer.result.as_array().map(Vec::as_slice).unwrap_or_default();
        let plans = zones
            .iter()
            .filter_map(|zone| zone.pointer("/plan/legacy_id").and_then(Value::as_str));
        largest = plans.fold(largest.as_str(), edge::larger).to_owned();
        let is_last = answer
            .info
            .map_or(zones.len() < PAGE_OF_ZONES, |info| page >= info.total_pages);
        if edge::is_largest(&largest) || is_last {
            return (largest, true);
        }
    }
    (largest, false)
}

/// Our list among those of the account, with its id and how many rows it announces; and how many there are beside it.
fn around(
    zone: &DomainName,
    lists: &[Value],
    kept: &mut KeptRedirectList,
) -> Result<Option<(String, Option<usize>)>, String> {
    let name = list_name(zone);
    let mut ours = None;
    for list in lists.iter().filter(|list| list.get("kind") == Some(&json!("redirect"))) {
        let number = list
            .get("num_items")
            .and_then(Value::as_u64)
            .and_then(|number| usize::try_from(number).ok());
        if list.get("name") == Some(&json!(name)) {
            let id = list
                .get("id")
                .and_then(Value::as_str)
                .filter(|id| convert::is_identifier(id));
            let id = id.ok_or("a list without an id")?;
            kept.version = Some(version_of(list));
            ours = Some((id.to_owned(), number));
        } else {
            kept.lists += 1;
            kept.others += number.unwrap_or(0);
        }
    }
    Ok(ours)
}

/// What a rule bears.
fn reference(rule: &Value) -> Option<&str> {
    rule.get("ref").and_then(Value::as_str)
}

/// What is asked before our list, when that is asked.
fn asked_after(zone: &DomainName, ruleset: &Value) -> Option<Vec<String>> {
    let rules = ruleset.get("rules")?.as_array()?;
    let marker = marker(zone);
    let at = rules.iter().position(|rule| reference(rule) == Some(&marker))?;
    let name = |rule: &Value| reference(rule).or(rule.get("id")?.as_str()).map(str::to_owned);
    Some(rules[..at].iter().filter_map(name).collect())
}

/// Whether our list is asked, and the ids of what asks it.
pub(super) fn lookup(zone: &DomainName, ruleset: &Value, kept: &mut KeptRedirectList) -> Result<Lookup, String> {
    let id = |value: &Value| {
        let id = value.get("id").and_then(Value::as_str);
        id.filter(|id| convert::is_identifier(id)).map(str::to_owned)
    };
    if ruleset.is_null() {
        return Ok(Lookup::Missing);
    }
    kept.ruleset = Some(id(ruleset).ok_or("a list of rules without an id")?);
    let rules = ruleset.get("rules").and_then(Value::as_array).into_iter().flatten();
    let marker = marker(zone);
    let (ours, others): (Vec<&Value>, Vec<&Value>) = rules.partition(|rule| rule.get("ref") == Some(&json!(marker)));
    for other in others {
        let id = id(other).ok_or("a rule without an id")?;
        kept.rules.push((reference(other).unwrap_or(&id).to_owned(), id));
    }
    let Some(rule) = ours.first() else {
        return Ok(Lookup::Missing);
    };
    kept.rule = Some(id(rule).ok_or("a rule without an id")?);
    let is_on = rule.get("enabled").and_then(Value::as_bool).unwrap_or(true);
    let wished = rule_wire(zone, &Lookup::On);
    let same = |key: &str| rule.get(key) == wished.get(key);
    if ["action", "action_parameters", "expression"].into_iter().all(same) {
        return Ok(if is_on { Lookup::On } else { Lookup::Off });
    }
    let mut fields = match rule_convert::as_it_was(rule) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    fields.remove("id");
    fields.sort_keys();
    Ok(Lookup::Other(fields))
}

/// All rows of a list, page by page.
pub(super) async fn all_items(cloudflare: &Cloudflare, account: &str, list: &str) -> Result<Vec<Value>, ApiError> {
    let mut items = Vec::new();
    let mut cursors: BTreeSet<String> = BTreeSet::new();
    let mut path = format!("accounts/{account}/rules/lists/{list}/items?per_page={PAGE}");
    for _ in 0..MOST_PAGES {
        let answer = api::get(&cloudflare.http, &path).await?;
        let Value::Array(page) = answer.result else {
            return Err(ApiError::Lost("the rows are no list".to_owned()));
        };
        items.extend(page);
        let Some(after) = answer.after else { return Ok(items) };
        path = format!(
            "accounts/{account}/rules/lists/{list}/items?per_page={PAGE}&cursor={}",
            url::form_urlencoded::byte_serialize(after.as_bytes()).collect::<String>()
        );
        if !cursors.insert(after) {
            return Err(ApiError::Lost("the pages of rows go round in a circle".to_owned()));
        }
    }
    Err(ApiError::Lost(
        "there are more pages of rows than any list has".to_owned(),
    ))
}
