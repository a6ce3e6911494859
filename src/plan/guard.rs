//! What no plan may do: touch what is protected or locked, or delete more than was agreed to. Rules 4 and 5.

use std::collections::BTreeMap;

use crate::base::text;
use crate::model::inventory::Desired;
use crate::model::record::RecordType;
use crate::model::redirect_list::differences;
use crate::model::resource::Resource;
use crate::plan::change::{Action, Change, Refusal};
use crate::plan::diff::Sides;

/// A list of redirects with so many rows does not lose most of them by the way.
const MANY_ROWS: usize = 20;

/// Why a resource is protected, if it is.
pub fn protection(desired: &Desired, resource: &Resource) -> Option<String> {
    let set = resource.as_record_set()?;
    if is_delegation_of_its_own_zone(resource) {
        return Some("the zone's own NS and SOA records are always protected".to_owned());
    }
    let policy = desired.zones.get(&set.zone)?;
    let rule = policy
        .protect
        .iter()
        .find(|rule| rule.covers(&set.zone, set.kind, &set.name))?;
    Some(format!("`protect: \"{} {}\"` covers it", rule.kind, rule.name))
}

fn is_delegation_of_its_own_zone(resource: &Resource) -> bool {
    resource
        .as_record_set()
        .is_some_and(|set| set.name == set.zone && matches!(set.kind, RecordType::Ns | RecordType::Soa))
}

/// The changes that touch what is protected or what the provider keeps locked.
pub fn protected(sides: &Sides<'_>, changes: &[Change]) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for change in changes {
        if let Some(why) = sides.live.locked.get(&change.address) {
            refusals.push(Refusal {
                address: Some(change.address.clone()),
                code: "locked".to_owned(),
                message: format!("the provider keeps it from being edited: {why}"),
                help: "take it out of the spec, or unlock it at the provider first".to_owned(),
            });
            continue;
        }
        // Making something new touches nothing that is there; only the zone's own delegation is closed to that too.
        let touched = match change.action() {
            Action::Create => change
                .after
                .as_ref()
                .filter(|after| is_delegation_of_its_own_zone(after)),
            Action::Update | Action::Delete => change.before.as_ref(),
        };
        if let Some(why) = touched.and_then(|resource| protection(sides.desired, resource)) {
            refusals.push(Refusal {
                address: Some(change.address.clone()),
                code: "protected".to_owned(),
                message: format!("this plan would {} it, and {why}", change.action().as_str()),
                help: "declare it as it is, or take the rule out of `protect` if you mean it".to_owned(),
            });
        }
    }
    refusals
}

/// Refuses a plan that deletes more than a third of what a zone holds (and more than two), or all of it, or anything at
/// all while the spec declares nothing for the zone, unless the exact number was agreed to. The rows of a list of
/// redirects are one resource, and count where more than half of many go.
pub fn too_many_deletes(sides: &Sides<'_>, changes: &[Change], allowed: Option<usize>) -> Vec<Refusal> {
    let mut holds: BTreeMap<&str, usize> = BTreeMap::new();
    let deletable = |(_, resource): &(_, &Resource)| resource.can_be_deleted();
    for (address, _) in sides.live.inventory.iter().filter(deletable) {
        *holds.entry(address.scope()).or_default() += 1;
    }
    let mut deletes: BTreeMap<&str, usize> = BTreeMap::new();
    // A TXT value in the place of another is a change, though each value has an address of its own.
    let mut replaced: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.action() == Action::Create) {
        *replaced
            .entry((change.address.scope(), name_and_type(change)))
            .or_default() += 1;
    }
    for change in changes.iter().filter(|change| change.action() == Action::Delete) {
        match replaced.get_mut(&(change.address.scope(), name_and_type(change))) {
            Some(more) if *more > 0 => *more -= 1,
            _ => *deletes.entry(change.address.scope()).or_default() += 1,
        }
    }
    let rows: Vec<(&Change, usize, usize)> = changes.iter().filter_map(vanishing_rows).collect();
    let total = deletes.values().sum::<usize>() + rows.iter().map(|(_, gone, _)| gone).sum::<usize>();
    if allowed == Some(total) {
        return Vec::new();
    }
    let help = || match allowed {
        None => format!("if that is what you want, say so with --allow-deletes {total}"),
        Some(said) => format!("--allow-deletes {said} was said; the exact number is {total}"),
    };
    let of_lists = rows.iter().map(|(change, gone, held)| Refusal {
        address: Some(change.address.clone()),
        code: "too-many-deletes".to_owned(),
        message: format!(
            "this plan deletes {} of its {}",
            text::grouped(*gone),
            text::count(*held, "row")
        ),
        help: help(),
    });
    deletes
        .into_iter()
        .filter_map(|(zone, number)| {
            let held = holds.get(zone).copied().unwrap_or_default();
            // A zone for which the spec declares nothing at all: more likely a slip than a wish.
            let says_nothing = !sides.desired.inventory.keys().any(|address| address.scope() == zone)
                && !sides.desired.absent.iter().any(|address| address.scope() == zone);
            let too_many = (number > 2 && number * 3 > held) || number >= held || says_nothing;
            too_many.then(|| Refusal {
                address: None,
                code: "too-many-deletes".to_owned(),
                message: format!(
                    "this plan deletes {number} of the {} that {zone} holds",
                    text::count(held, "resource")
                ),
                help: help(),
            })
        })
        .chain(of_lists)
        .collect()
}

/// How many rows of how many go from a list of redirects that stays, where that is more than half of many.
fn vanishing_rows(change: &Change) -> Option<(&Change, usize, usize)> {
    let before = change.before.as_ref()?.as_redirect_list()?;
    let after = change.after.as_ref()?.as_redirect_list()?;
    let pairs = differences(&before.rows, &after.rows);
    let gone = pairs.iter().filter(|(_, new)| new.is_none()).count();
    let held = before.rows.len();
    (held >= MANY_ROWS && gone * 2 > held).then_some((change, gone, held))
}

/// What several TXT values at one name have in common.
fn name_and_type(change: &Change) -> String {
    let mut parts = change.address.as_str().splitn(5, '/');
    let parts: Vec<&str> = parts.by_ref().take(4).collect();
    parts.join("/")
}
