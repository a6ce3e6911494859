//! Lists of redirects («bulk redirects»). They belong to the account: each zone has one of its own there, by a name that
//! tells the zone, and one rule that asks it. Lists and rules of others are not touched: rows are replaced within our
//! list alone, and a rule is added, changed or taken away by itself. Rows are written by an operation that takes its time,
//! of which one at a time may be under way in an account: ours wait for one another, and for those of others.

mod asked;
mod performing;
mod reading;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::base::{digest, text};
use crate::model::address::Address;
use crate::model::name::DomainName;
use crate::model::redirect_list::{ListedRedirect, ListedUrl, Lookup, RedirectList};
use crate::model::resource::Resource;
use crate::plan::Change;
use crate::provider::{Check, KeptRedirectList, Reading, Stage, Step};

pub(super) use asked::{Asked, about as asked_about};
pub(super) use performing::perform;
pub(super) use reading::{keep, read};

/// The phase in which an account's rules ask lists.
pub(super) const PHASE: &str = "http_request_redirect";
/// Our own code for an operation that failed.
pub(super) const FAILED: &str = "list-operation";
/// What is asked: the URL of the request.
const KEY: &str = "http.request.full_uri";

/// The name of a zone's list: letters, digits and underscores, fifty at most. The digest tells zones apart whose names
/// differ only in other signs.
pub(super) fn list_name(zone: &DomainName) -> String {
    let readable: String = zone
        .as_str()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .take(30)
        .collect();
    format!("launchctl_{readable}_{}", digest::short(zone.as_str().as_bytes(), 8))
}

/// What the rule bears that asks a zone's list.
fn marker(zone: &DomainName) -> String {
    format!("launchctl-redirect_list-{}", list_name(zone))
}

/// Where an account's rules that ask lists live.
pub(super) fn entry_point(account: &str) -> String {
    format!("accounts/{account}/rulesets/phases/{PHASE}/entrypoint")
}

/// What a list was when it was read: when it was changed last, and how many rows it had then.
fn version_of(list: &Value) -> String {
    let word = |key: &str| list.get(key).map(ToString::to_string).unwrap_or_default();
    text::shorten(
        &text::sanitize(&format!("{} {}", word("modified_on"), word("num_items"))),
        120,
    )
}

/// The rule that asks a zone's list; null when none is to.
fn rule_wire(zone: &DomainName, lookup: &Lookup) -> Value {
    let enabled = match lookup {
        Lookup::Missing => return Value::Null,
        Lookup::Other(fields) => return Value::Object(fields.clone()),
        Lookup::Off => false,
        Lookup::On => true,
    };
    let name = list_name(zone);
    json!({
        "ref": marker(zone),
        "description": format!("launchctl: listed redirects of {zone}"),
        "expression": format!("{KEY} in ${name}"),
        "action": "redirect",
        "action_parameters": { "from_list": { "name": name, "key": KEY } },
        "enabled": enabled,
    })
}

/// A row as Cloudflare returns it. What a URL looks like to somebody who wrote it otherwise is settled here.
fn row(item: &Value) -> Result<ListedRedirect, String> {
    let redirect = item.get("redirect").ok_or("a row that is no redirect")?;
    let text = |key: &str| redirect.get(key).and_then(Value::as_str);
    let from = text("source_url").ok_or("a row without a source")?;
    let flag = |key: &str| redirect.get(key).and_then(Value::as_bool).unwrap_or(false);
    let status = match redirect.get("status_code") {
        None | Some(Value::Null) => Some(301),
        Some(Value::String(status)) => status.parse().ok(),
        Some(status) => status.as_u64().and_then(|status| u16::try_from(status).ok()),
    };
    let comment = item
        .get("comment")
        .and_then(Value::as_str)
        .filter(|comment| !comment.is_empty());
    Ok(ListedRedirect {
        from: ListedUrl::parse(from).map_or_else(|_| from.to_owned(), |url| url.to_string()),
        to: text("target_url").ok_or("a row without a target")?.to_owned(),
        status: status.ok_or("a row with a status that is none")?,
        keep_query: flag("preserve_query_string"),
        subdomains: flag("include_subdomains"),
        subpaths: flag("subpath_matching"),
        keep_path: flag("preserve_path_suffix"),
        comment: comment.map(str::to_owned),
    })
}

/// A row as it is put.
fn row_wire(row: &ListedRedirect) -> Value {
    let mut item = json!({ "redirect": {
        "source_url": row.from, "target_url": row.to, "status_code": row.status,
        "preserve_query_string": row.keep_query, "include_subdomains": row.subdomains,
        "subpath_matching": row.subpaths, "preserve_path_suffix": row.keep_path,
    } });
    if let Some(comment) = &row.comment {
        item["comment"] = json!(comment);
    }
    item
}

/// What a stand-in is filled with: the list's name, its rows, and the rule that asks it, if one does.
pub(super) fn wire(list: &RedirectList) -> (String, Value, Option<Value>) {
    let rule = Some(rule_wire(&list.zone, &list.lookup)).filter(|rule| !rule.is_null());
    (list_name(&list.zone), list.rows.iter().map(row_wire).collect(), rule)
}

/// A change of a list: before, after, and what is kept in its account.
pub(super) fn sides<'a>(
    change: &'a Change,
    reading: &'a Reading,
) -> Option<(Option<&'a RedirectList>, Option<&'a RedirectList>, &'a KeptRedirectList)> {
    let list = |side: &'a Option<Resource>| side.as_ref().and_then(Resource::as_redirect_list);
    let (before, after) = (list(&change.before), list(&change.after));
    let kept = reading.redirect_lists.get(&before.or(after)?.zone)?;
    Some((before, after, kept))
}

/// The requests for lists: the list is made, its rows are put all at once, and a rule asks it; or the other way round.
pub(super) fn steps(changes: &[Change], reading: &Reading) -> Vec<Step> {
    let mut steps = Vec::new();
    for change in changes {
        let Some((before, after, kept)) = sides(change, reading) else {
            continue;
        };
        let Some(list) = before.or(after) else { continue };
        let mut writer = Writer {
            zone: &list.zone,
            address: &change.address,
            kept,
            steps: Vec::new(),
        };
        match (before, after) {
            (_, Some(after)) => writer.put(before, after),
            (Some(_), None) => writer.take_away(),
            (None, None) => {}
        }
        steps.extend(writer.steps);
    }
    steps
}

struct Writer<'a> {
    zone: &'a DomainName,
    address: &'a Address,
    kept: &'a KeptRedirectList,
    steps: Vec<Step>,
}

impl Writer<'_> {
    fn step(&mut self, method: &'static str, path: &str, summary: String, body: Value, check: Option<Check>) {
        self.steps.push(Step {
            provider: super::NAME,
            scope: self.zone.clone().into(),
            stage: Stage::Content,
            lane: "redirect_list".to_owned(),
            method,
            path: format!("accounts/{}/{path}", self.kept.account),
            summary,
            addresses: vec![self.address.clone()],
            handles: BTreeMap::new(),
            body,
            check,
        });
    }

    /// The list's part of a path; by its name while nobody knows its id.
    fn list(&self) -> String {
        let id = self.kept.id.clone();
        id.unwrap_or_else(|| format!("@{}", list_name(self.zone)))
    }

    fn put(&mut self, before: Option<&RedirectList>, after: &RedirectList) {
        let zone = self.zone.clone();
        let name = list_name(&zone);
        if self.kept.id.is_none() {
            let body = json!({
                "name": name, "kind": "redirect", "description": format!("launchctl: listed redirects of {zone}"),
            });
            self.step(
                "POST",
                "rules/lists",
                format!("make the redirect list of {zone}"),
                body,
                None,
            );
        }
        if before.is_none_or(|before| before.rows != after.rows) {
            let check = self.unmoved();
            let path = format!("rules/lists/{}/items", self.list());
            let summary = format!("redirect list of {zone}: {}", text::count(after.rows.len(), "row"));
            let rows = after.rows.iter().map(row_wire).collect();
            self.step("PUT", &path, summary, rows, check);
        }
        let was = before.map_or(&Lookup::Missing, |before| &before.lookup);
        if *was != after.lookup {
            self.rule(&after.lookup, after.asked_after.as_deref(), None);
        }
    }

    /// That the list is still what was read.
    fn unmoved(&self) -> Option<Check> {
        self.kept.id.as_ref().map(|id| Check {
            path: format!("accounts/{}/rules/lists/{id}", self.kept.account),
            version: self.kept.version.clone(),
        })
    }

    /// Where a rule goes that comes back: behind the nearest that it stood behind and that is there. Elsewhere than last
    /// alone is said.
    fn position(&self, asked_after: &[String]) -> Option<Value> {
        let rules = &self.kept.rules;
        let known = |name: &String| rules.iter().position(|(bears, _)| bears == name);
        match asked_after.iter().rev().find_map(known) {
            Some(at) if at + 1 == rules.len() => None,
            Some(at) => Some(json!({ "after": rules[at].1 })),
            None => rules.first().map(|(_, id)| json!({ "before": id })),
        }
    }

    fn rule(&mut self, lookup: &Lookup, asked_after: Option<&[String]>, check: Option<Check>) {
        let zone = self.zone.clone();
        let mut rule = rule_wire(&zone, lookup);
        let ruleset = self.kept.ruleset.clone().unwrap_or_else(|| "@".to_owned());
        match (self.kept.rule.clone(), rule.is_null()) {
            (None, true) => {}
            (None, false) => {
                let path = format!("rulesets/{ruleset}/rules");
                if let Some(position) = asked_after.and_then(|names| self.position(names)) {
                    rule["position"] = position;
                }
                self.step("POST", &path, format!("ask the redirect list of {zone}"), rule, None);
            }
            (Some(id), false) => {
                let path = format!("rulesets/{ruleset}/rules/{id}");
                self.step(
                    "PATCH",
                    &path,
                    format!("how the redirect list of {zone} is asked"),
                    rule,
                    None,
                );
            }
            (Some(id), true) => {
                let path = format!("rulesets/{ruleset}/rules/{id}");
                let summary = format!("no longer ask the redirect list of {zone}");
                self.step("DELETE", &path, summary, json!({}), check);
            }
        }
    }

    /// A list that a rule asks cannot be deleted: the rule goes first. A row that somebody added since is not lost with
    /// the list, so both look before they are made: the rule, too, stays when the list has to.
    fn take_away(&mut self) {
        self.rule(&Lookup::Missing, None, self.unmoved());
        let path = format!("rules/lists/{}", self.list());
        let summary = format!("delete the redirect list of {}", self.zone);
        self.step("DELETE", &path, summary, json!({}), self.unmoved());
    }
}

/// Whether a step is for what belongs to the account.
pub(super) fn is_for(step: &Step) -> bool {
    step.path.starts_with("accounts/")
}
