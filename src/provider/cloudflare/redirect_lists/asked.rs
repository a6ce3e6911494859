//! All lists of redirects that an account's rules ask, whoever keeps them, and what they say of a zone's hosts: for whoever
//! writes a zone down and wants to know what else redirects it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::{Cloudflare, api, convert, rules};
use super::entry_point;
use super::reading::all_items;
use crate::base::text;
use crate::model::name::DomainName;
use crate::provider::ProviderError;

/// A list that is asked: its name, and of each row the host and whether it speaks of what is below that host too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::provider::cloudflare) struct Asked {
    name: String,
    rows: Vec<(DomainName, bool)>,
}

impl Asked {
    /// How many rows speak of hosts of a zone.
    fn about(&self, zone: &DomainName) -> usize {
        let is_about =
            |(host, is_deep): &&(DomainName, bool)| host.is_within(zone) || (*is_deep && zone.is_within(host));
        self.rows.iter().filter(is_about).count()
    }
}

/// The lists that are in force and speak of a zone's hosts, with the number of such rows. An account is read once for all
/// of its zones.
pub(in crate::provider::cloudflare) async fn about(
    cloudflare: &Cloudflare,
    zone: &DomainName,
    account: &str,
) -> Result<BTreeMap<String, usize>, ProviderError> {
    let mut accounts = cloudflare.asked_lists.lock().await;
    if !accounts.contains_key(account) {
        let lists = read(cloudflare, account).await?;
        accounts.insert(account.to_owned(), lists);
    }
    let lists = accounts.get(account).into_iter().flatten();
    let counted = lists.map(|list| (list.name.clone(), list.about(zone)));
    Ok(counted.filter(|(_, rows)| *rows > 0).collect())
}

async fn read(cloudflare: &Cloudflare, account: &str) -> Result<Vec<Asked>, ProviderError> {
    let what = "the account's lists of redirects";
    let ruleset = match api::get(&cloudflare.http, &entry_point(account)).await {
        Ok(answer) => answer.result,
        Err(error) if rules::is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error.while_reading(&api::VOICE, what)),
    };
    let rules = ruleset.get("rules").and_then(Value::as_array).into_iter().flatten();
    let in_force = rules.filter(|rule| rule.get("enabled") != Some(&Value::Bool(false)));
    let name = |rule: &'_ Value| {
        let name = rule.pointer("/action_parameters/from_list/name");
        name.and_then(Value::as_str).map(str::to_owned)
    };
    let asked: BTreeSet<String> = in_force.filter_map(name).collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let lists = api::get(&cloudflare.http, &format!("accounts/{account}/rules/lists")).await;
    let lists = lists.map_err(|error| error.while_reading(&api::VOICE, what))?.result;
    let mut all = Vec::new();
    for list in lists.as_array().into_iter().flatten() {
        let word = |key: &str| list.get(key).and_then(Value::as_str).unwrap_or_default();
        if !asked.contains(word("name")) || !convert::is_identifier(word("id")) {
            continue;
        }
        let items = all_items(cloudflare, account, word("id")).await;
        let items = items.map_err(|error| error.while_reading(&api::VOICE, what))?;
        all.push(Asked {
            name: text::shorten(&text::sanitize(word("name")), 60),
            rows: items.iter().filter_map(row).collect(),
        });
    }
    Ok(all)
}

/// The host of a row. One that is no redirect, or of no host, is about nobody.
fn row(item: &Value) -> Option<(DomainName, bool)> {
    let redirect = item.get("redirect")?;
    let url = redirect.get("source_url").and_then(Value::as_str)?;
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = bare.split(['/', ':', '?']).next()?;
    let is_deep = redirect.get("include_subdomains").and_then(Value::as_bool);
    Some((DomainName::parse(host).ok()?, is_deep.unwrap_or(false)))
}
