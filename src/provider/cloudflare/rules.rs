//! Lists of rules: one entry point for each phase, read whole and put whole. One request carries everything that changes
//! in a phase; rules of others go back as they came, with their ids, so that they stay what and where they are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::api::{self, ApiError};
use super::{Cloudflare, rule_convert, zone_path};
use crate::base::text;
use crate::model::address::Address;
use crate::model::name::DomainName;
use crate::model::resource::Resource;
use crate::model::rule::{Place, Rule, RuleKind};
use crate::plan::order::{arrange, list_of, place_in};
use crate::plan::{Change, Refusal, Warning};
use crate::provider::{ApiRefusal, Check, KeptList, Outcome, ProviderError, Reading, Review, Stage, Step};

/// The code of the one refusal that means that a phase has no list yet.
const NO_ENTRY_POINT: &str = "10003";
/// Our own code for a list that somebody changed between reading and writing.
pub(super) const MOVED: &str = "list-moved";
/// More rules than this are no list.
const MOST: usize = 5_000;

/// Where a list lives.
pub(super) fn path(zone: &str, kind: RuleKind) -> String {
    format!("zones/{zone}/rulesets/phases/{}/entrypoint", rule_convert::phase(kind))
}

/// Whether an answer means that there is no list yet.
pub(super) fn is_absent(error: &ApiError) -> bool {
    matches!(error, ApiError::Refused(refusal) if refusal.status == 404 && refusal.code == NO_ENTRY_POINT)
}

/// Reads the list of one kind into `reading`. Only the one answer that says that there is none means that it is empty:
/// taking another failure for that would wipe what is there.
pub(super) async fn read(
    cloudflare: &Cloudflare,
    zone: &DomainName,
    id: &str,
    kind: RuleKind,
) -> Result<(RuleKind, KeptList, Vec<Rule>), ProviderError> {
    let what = format!("the {}s of {zone}", kind.noun());
    let answer = match api::get(&cloudflare.http, &path(id, kind)).await {
        Ok(answer) => answer.result,
        Err(error) if is_absent(&error) => return Ok((kind, KeptList::default(), Vec::new())),
        Err(error) => return Err(error.while_reading(&api::VOICE, &what)),
    };
    understand(zone, kind, &answer).map_err(|why| {
        ProviderError::new("odd-answer", format!("Cloudflare answered for {what} with {why}"))
            .help("nothing was changed; if it happens again, run with -vv and report it")
    })
}

fn understand(zone: &DomainName, kind: RuleKind, answer: &Value) -> Result<(RuleKind, KeptList, Vec<Rule>), String> {
    let version = version_of(answer).ok_or("a list without a version")?;
    let wires = match answer.get("rules") {
        None | Some(Value::Null) => &[][..],
        Some(Value::Array(rules)) if rules.len() <= MOST => rules.as_slice(),
        Some(_) => return Err("something that is no list of rules".to_owned()),
    };
    let mut rules = Vec::new();
    for wire in wires {
        rules.push(rule_convert::from_wire(zone, kind, wire)?);
    }
    let addresses: Vec<Address> = rules.iter().map(Rule::address).collect();
    if addresses.iter().collect::<BTreeSet<_>>().len() != addresses.len() {
        return Err("two rules that bear the same mark".to_owned());
    }
    for (rule, address) in rules.iter_mut().zip(&addresses) {
        rule.place = Some(place_in(&addresses, address));
    }
    let kept = KeptList {
        version: Some(version),
        rules: addresses.into_iter().zip(wires.iter().cloned()).collect(),
    };
    Ok((kind, kept, rules))
}

/// A version is a number in a text; it comes back to us only for a comparison.
fn version_of(answer: &Value) -> Option<String> {
    match answer.get("version") {
        Some(Value::String(version)) => Some(text::shorten(&text::sanitize(version), 40)),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// Puts what was read where the diff and the steps find it.
pub(super) fn keep(zone: &DomainName, (kind, kept, rules): (RuleKind, KeptList, Vec<Rule>), reading: &mut Reading) {
    let name = (zone.to_string(), kind.as_str().to_owned());
    let order = rules.iter().map(Rule::address).collect();
    reading.live.lists.insert(name.clone(), order);
    reading.lists.insert(name, kept);
    for rule in rules {
        reading.live.inventory.insert(rule.address(), Resource::Rule(rule));
    }
}

/// The changes of each list.
fn by_list(changes: &[Change]) -> BTreeMap<(DomainName, RuleKind), Vec<&Change>> {
    let mut lists: BTreeMap<(DomainName, RuleKind), Vec<&Change>> = BTreeMap::new();
    for change in changes {
        if let Some(rule) = rule_of(change) {
            lists.entry((rule.zone.clone(), rule.kind)).or_default().push(change);
        }
    }
    lists
}

fn rule_of(change: &Change) -> Option<&Rule> {
    change
        .after
        .as_ref()
        .or(change.before.as_ref())
        .and_then(Resource::as_rule)
}

/// The list as it will be: addresses in order.
pub(super) fn arranged(changes: &[&Change], kept: &KeptList) -> Vec<Address> {
    let live: Vec<Address> = kept.rules.iter().map(|(address, _)| address.clone()).collect();
    let gone: BTreeSet<Address> = changes
        .iter()
        .filter(|change| change.after.is_none())
        .map(|change| change.address.clone())
        .collect();
    let placed: Vec<(Address, Place)> = changes
        .iter()
        .filter_map(|change| {
            let rule = change.after.as_ref()?.as_rule()?;
            Some((change.address.clone(), rule.place.clone()?))
        })
        .collect();
    arrange(&live, &gone, &placed)
}

/// One request for each list in which something changes.
pub(super) fn steps(changes: &[Change], reading: &Reading) -> Vec<Step> {
    let nothing = KeptList::default();
    let mut steps = Vec::new();
    for ((zone, kind), changes) in by_list(changes) {
        let Some(facts) = reading.zones.get(&zone) else {
            continue;
        };
        let kept = changes
            .first()
            .and_then(|change| reading.lists.get(&list_of(&change.address)))
            .unwrap_or(&nothing);
        let was: BTreeMap<&Address, &Value> = kept.rules.iter().map(|(address, wire)| (address, wire)).collect();
        let will: BTreeMap<&Address, &Rule> = changes
            .iter()
            .filter_map(|change| Some((&change.address, change.after.as_ref()?.as_rule()?)))
            .collect();
        let rules: Vec<Value> = arranged(&changes, kept)
            .iter()
            .filter_map(|address| {
                let old = was.get(address);
                let id = old.and_then(|wire| wire.get("id")).and_then(Value::as_str);
                match will.get(address) {
                    Some(rule) => Some(rule_convert::to_wire(rule, id)),
                    None => old.map(|wire| rule_convert::as_it_was(wire)),
                }
            })
            .collect();
        let path = path(zone_path(facts), kind);
        steps.push(Step {
            provider: super::NAME,
            stage: Stage::Content,
            lane: kind.as_str().to_owned(),
            method: "PUT",
            summary: summary(&changes, kind, &zone),
            addresses: changes
                .iter()
                .map(|change| change.address.clone())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
            handles: BTreeMap::new(),
            body: json!({ "rules": rules }),
            check: Some(Check {
                path: path.clone(),
                version: kept.version.clone(),
            }),
            path,
            scope: zone.into(),
        });
    }
    steps
}

fn summary(changes: &[&Change], kind: RuleKind, zone: &DomainName) -> String {
    let count = |of: &dyn Fn(&Change) -> bool| changes.iter().filter(|change| of(change)).count();
    let is_move = |change: &Change| match (&change.before, &change.after) {
        (Some(before), Some(after)) => before.content() == after.content(),
        _ => false,
    };
    let numbers = [
        (count(&|change| change.before.is_none()), "new"),
        (
            count(&|change| change.before.is_some() && change.after.is_some() && !is_move(change)),
            "changed",
        ),
        (count(&is_move), "moved"),
        (count(&|change| change.after.is_none()), "deleted"),
    ];
    let words: Vec<String> = numbers
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    format!("{}s of {zone}: {}", kind.noun(), text::list(&words))
}

/// Looks whether a list is still the one that was read. `None` when it is.
pub(super) async fn look(cloudflare: &Cloudflare, check: &Check, path: &str) -> Option<Outcome> {
    let now = match api::get(&cloudflare.http, path).await {
        Ok(answer) => version_of(&answer.result),
        Err(error) if is_absent(&error) => None,
        Err(ApiError::Refused(refusal)) => return Some(Outcome::Refused(refusal)),
        Err(error) => return Some(Outcome::NotSent(format!("looking before writing: {}", error.words()))),
    };
    if now == check.version {
        return None;
    }
    let word = |version: &Option<String>| {
        version
            .clone()
            .map_or_else(|| "none".to_owned(), |v| format!("version {v}"))
    };
    Some(Outcome::Refused(ApiRefusal {
        status: 409,
        code: MOVED.to_owned(),
        message: format!(
            "somebody changed this list since it was read ({} then, {} now): nothing was written, so nothing is lost",
            word(&check.version),
            word(&now)
        ),
    }))
}

/// Asks Cloudflare whether it would take the lists, without changing them.
pub(super) async fn try_out(cloudflare: &Cloudflare, steps: &[Step]) -> Review {
    let asked = steps
        .iter()
        // A zone that is yet to be made has nobody to ask.
        .filter(|step| step.check.is_some() && !step.path.starts_with(super::UNMADE))
        // Rows of a list are put by an operation that knows no trial.
        .filter(|step| !super::redirect_lists::is_for(step));
    let answers = asked.map(|step| async move {
        let path = format!("{}?dry_run=true", step.path);
        (step, api::write(&cloudflare.http, step.method, &path, &step.body).await)
    });
    let mut review = Review::default();
    for (step, answer) in futures_util::future::join_all(answers).await {
        let address = step.addresses.first();
        match answer {
            Ok(_) => {}
            Err(ApiError::Refused(refusal)) if !matches!(refusal.status, 401 | 403) => {
                let blamed = blame(step, &refusal);
                let foreign = pointed_at(step, &refusal).filter(|_| blamed.is_none());
                let address = blamed.as_ref().or(address).cloned();
                let whose = foreign.map_or_else(String::new, |key| {
                    format!("; the rule that it means is not this spec's: {key}, in the same list")
                });
                review.refusals.push(Refusal {
                    address,
                    code: "would-be-refused".to_owned(),
                    message: format!("Cloudflare would not take it: {refusal}{whose}"),
                    help: super::quirks::advice(&refusal)
                        .unwrap_or("change the rule, or the plan of the zone")
                        .to_owned(),
                });
            }
            Err(error) => {
                let message = format!("could not be tried out beforehand: {}", error.words());
                review
                    .warnings
                    .extend(address.map(|address| Warning::about(address, "not-tried-out", message)));
            }
        }
    }
    review
}

/// The change that a refusal points at, when it points at one.
pub(super) fn blame(step: &Step, refusal: &ApiRefusal) -> Option<Address> {
    let key = pointed_at(step, refusal)?;
    step.addresses.iter().find(|address| address.key() == key).cloned()
}

/// The key of the rule that a refusal points at: `/rules/2/expression` is the third of those that were sent.
fn pointed_at(step: &Step, refusal: &ApiRefusal) -> Option<String> {
    let (_, rest) = refusal.message.rsplit_once("(at /rules/")?;
    let number: usize = rest.split(['/', ')']).next()?.parse().ok()?;
    let reference = step.body.get("rules")?.get(number)?.get("ref")?.as_str()?;
    let kind = RuleKind::of(step.addresses.first()?)?;
    Some(rule_convert::key_of(kind, reference))
}

#[cfg(test)]
mod tests;
