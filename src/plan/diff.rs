//! The three-way comparison: desired, live and owned. Rules 1 to 3, 6 and 7 of the design live here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::text;
use crate::model::address::Address;
use crate::model::inventory::{Desired, Inventory, Unmanaged};
use crate::model::resource::Resource;
use crate::model::rule::{Place, Rule};
use crate::model::scope::ScopeName;
use crate::plan::change::{Change, Plan, Warning, fingerprint};
use crate::plan::order::{self, ListName};
use crate::plan::{cached, conflict, guard};

/// The code of the warning that a rule of somebody else becomes one that is declared.
pub const TAKES_OVER: &str = "takes-over-rule";

/// What is there now.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// Everything that the provider returned for the zones in question, unmanaged included.
    pub inventory: Inventory,
    /// What the provider itself keeps from being edited, with the reason.
    pub locked: BTreeMap<Address, String>,
    /// The lists of rules that were read, each in its order.
    pub lists: BTreeMap<ListName, Vec<Address>>,
    /// Rules that somebody else made and that nothing but their names makes those that are declared.
    pub by_name: BTreeSet<Address>,
}

/// What an earlier run left at an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedMark {
    /// The fingerprint of what was left.
    pub fingerprint: String,
    /// The run that left it.
    pub run: String,
    /// Whether it was there before and no run of this spec has ever changed it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub found: bool,
}

/// By what a rule that an earlier run left is known again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftRule {
    /// What it bore at the provider, where somebody else had made it.
    pub reference: Option<String>,
    /// The fingerprint of all of it, what it bore included: there is no more of one that was only taken over.
    pub fingerprint: Option<String>,
}

/// What earlier runs of this spec left and nobody has let go since.
pub type Owned = BTreeMap<Address, OwnedMark>;

/// The three sides of the comparison.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// What is wished for.
    pub desired: &'a Desired,
    /// What is there.
    pub live: &'a Live,
    /// What earlier runs left.
    pub owned: &'a Owned,
}

/// Which addresses a plan is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// `--target`: globs over addresses; empty for everything.
    pub only: Vec<String>,
    /// `--except`: globs over addresses that are left out.
    pub except: Vec<String>,
}

impl Selection {
    /// Whether an address is among them.
    pub fn covers(&self, address: &Address) -> bool {
        let among = |globs: &[String]| globs.iter().any(|glob| address.is_covered_by(glob));
        (self.only.is_empty() || among(&self.only)) && !among(&self.except)
    }

    /// Whether it leaves nothing out.
    pub fn is_everything(&self) -> bool {
        self.only.is_empty() && self.except.is_empty()
    }
}

/// How a plan is bounded.
#[derive(Debug, Clone, Default)]
pub struct Bounds {
    /// What it is about.
    pub selection: Selection,
    /// The exact number of deletions that was agreed to beforehand.
    pub allow_deletes: Option<usize>,
    /// What others own: another spec beside this one is not undone by `unmanaged: delete`.
    pub spared: BTreeSet<Address>,
    /// Whether the deletion guard is on. A rollback deletes only what its run created, so it goes without.
    pub guard_deletes: bool,
}

/// What has to change so that live becomes desired.
pub fn diff(sides: Sides<'_>, bounds: &Bounds) -> Plan {
    let mut plan = Plan::default();
    for (address, live) in &sides.live.inventory {
        if bounds.selection.covers(address) && !sides.desired.inventory.contains_key(address) {
            compare_unwanted(&sides, address, live, bounds.spared.contains(address), &mut plan);
        }
    }
    // Only now is known what goes, and with that where the rules that are to be there come to stand.
    let places = places(&sides, bounds, &plan);
    for (address, wanted) in &sides.desired.inventory {
        if bounds.selection.covers(address) {
            compare_wanted(&sides, address, wanted, &places, &mut plan);
        }
    }
    look_at_what_is_gone(&sides, bounds, &mut plan);
    plan.changes.sort_by(|a, b| a.address.cmp(&b.address));
    plan.warnings
        .extend(cached::settle(&mut plan.changes, bounds.guard_deletes));
    plan.refusals.extend(guard::protected(&sides, &plan.changes));
    plan.refusals
        .extend(conflict::conflicts(&sides.live.inventory, &plan.changes));
    if bounds.guard_deletes {
        plan.refusals
            .extend(guard::too_many_deletes(&sides, &plan.changes, bounds.allow_deletes));
    }
    plan.warnings.sort();
    plan.refusals.sort();
    plan
}

/// Where every wished-for rule comes to stand; nothing for those that stay where they are.
fn places(sides: &Sides<'_>, bounds: &Bounds, plan: &Plan) -> BTreeMap<Address, Option<Place>> {
    let mut wanted: BTreeMap<ListName, Vec<&Rule>> = BTreeMap::new();
    for (address, resource) in &sides.desired.inventory {
        if let (true, Some(rule)) = (bounds.selection.covers(address), resource.as_rule()) {
            wanted.entry(order::list_of(address)).or_default().push(rule);
        }
    }
    let goes: BTreeSet<&Address> = plan.changes.iter().map(|change| &change.address).collect();
    let mut places = BTreeMap::new();
    for (list, rules) in wanted {
        let live = sides.live.lists.get(&list).map_or(&[][..], Vec::as_slice);
        let staying: Vec<Address> = live.iter().filter(|address| !goes.contains(address)).cloned().collect();
        places.extend(order::places(&rules, &staying));
    }
    places
}

fn compare_wanted(
    sides: &Sides<'_>,
    address: &Address,
    wanted: &Resource,
    places: &BTreeMap<Address, Option<Place>>,
    plan: &mut Plan,
) {
    let live = sides.live.inventory.get(address);
    let mut after = wanted.settled_on(live);
    if let Resource::Rule(rule) = &mut after {
        rule.place = places.get(address).cloned().flatten();
    }
    // A rule that moves along with the one before it has the same neighbour afterwards, and moves all the same.
    let is_moved = after.as_rule().is_some_and(|rule| rule.place.is_some());
    let after = after;
    let owned = sides.owned.get(address);
    if !is_moved && live.is_some_and(|live| after.is_met_by(live)) {
        let print = fingerprint(&after);
        if owned.is_none_or(|mark| mark.fingerprint != print) {
            plan.adopted.insert(address.clone(), print);
        }
        return;
    }
    let reason = match (live, owned) {
        (Some(Resource::Rule(live)), _) if sides.live.by_name.contains(address) => {
            let words = format!("takes over the rule `{}` that somebody made", live.name);
            let message = format!("{words}; what it did until now is lost");
            plan.warnings.push(Warning::about(address, TAKES_OVER, message));
            words
        }
        (None, None) => "declared and not there".to_owned(),
        (None, Some(mark)) => format!("declared and gone since run {}", mark.run),
        (Some(live), _) if live.content() == after.content() => "out of order".to_owned(),
        (Some(_), None) => "differs from what is declared".to_owned(),
        (Some(live), Some(mark)) if mark.fingerprint == fingerprint(live) => "the spec changed".to_owned(),
        // What is seen through the words of the spec looks otherwise as soon as these do: only while they are the ones
        // that were left is it certain that somebody else changed it.
        (Some(live), Some(mark)) if !live.is_seen_whole() && mark.fingerprint != fingerprint(&after) => {
            "the spec changed".to_owned()
        }
        (Some(_), Some(mark)) => format!("changed outside since run {}", mark.run),
    };
    plan.changes.push(Change {
        address: address.clone(),
        before: live.cloned(),
        after: Some(after),
        reason,
    });
}

fn compare_unwanted(sides: &Sides<'_>, address: &Address, live: &Resource, is_others: bool, plan: &mut Plan) {
    let Some(policy) = policy_of(sides.desired, address) else {
        return;
    };
    let delete = |reason: String| Change {
        address: address.clone(),
        before: Some(live.clone()),
        after: None,
        reason,
    };
    if sides.desired.absent.contains(address) && !live.can_be_deleted() {
        plan.warnings.push(Warning::about(
            address,
            "let-go",
            "cannot be taken back: it stays as it is",
        ));
        return;
    }
    if sides.desired.absent.contains(address) {
        plan.changes.push(delete("declared to be absent".to_owned()));
        return;
    }
    if let Some(mark) = sides.owned.get(address) {
        if !live.can_be_deleted() {
            plan.released.insert(address.clone());
            plan.warnings.push(Warning::about(
                address,
                "let-go",
                "no longer declared; its value stays as it is",
            ));
            return;
        }
        if mark.fingerprint != fingerprint(live) {
            let message = format!("was changed outside since run {} and is deleted as it is now", mark.run);
            plan.warnings.push(Warning::about(address, "changed-outside", message));
        }
        let reason = if mark.found {
            "no longer in the spec; it was there before the spec was first applied"
        } else {
            "no longer in the spec"
        };
        plan.changes.push(delete(reason.to_owned()));
        return;
    }
    if !live.can_be_deleted() {
        // It is there whatever anybody does: nothing to list.
        return;
    }
    let spared =
        is_others || sides.live.locked.contains_key(address) || guard::protection(sides.desired, live).is_some();
    match policy.unmanaged {
        Unmanaged::Delete if !spared => plan.changes.push(delete("unmanaged".to_owned())),
        Unmanaged::Delete | Unmanaged::Keep => {
            plan.unmanaged.insert(address.clone());
        }
    }
}

/// What is owned and no longer live or no longer spoken of.
fn look_at_what_is_gone(sides: &Sides<'_>, bounds: &Bounds, plan: &mut Plan) {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for address in sides.owned.keys().filter(|address| bounds.selection.covers(address)) {
        if policy_of(sides.desired, address).is_none() {
            *left.entry(address.scope()).or_default() += 1;
        } else if !sides.desired.inventory.contains_key(address) && !sides.live.inventory.contains_key(address) {
            plan.released.insert(address.clone());
        }
    }
    for (scope, number) in left {
        let what = if scope == ScopeName::Uptime.as_str() {
            "block"
        } else {
            "zone"
        };
        let message = format!(
            "the {what} {scope} is no longer in the spec: {} that earlier runs left there {} left alone",
            text::count(number, "resource"),
            if number == 1 { "is" } else { "are" },
        );
        plan.warnings.push(Warning::general("zone-left", message));
    }
}

/// What is said of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopePolicy<'a> {
    /// The provider that keeps it.
    pub provider: &'a str,
    /// What happens to what nobody declared.
    pub unmanaged: Unmanaged,
    /// The codes of warnings that were read and are meant.
    pub accept: Option<&'a BTreeSet<String>>,
}

/// What the spec says of the scope that an address belongs to, when it speaks of it.
pub fn policy_of<'a>(desired: &'a Desired, address: &Address) -> Option<ScopePolicy<'a>> {
    match address.scope_name()? {
        ScopeName::Zone(zone) => desired.zones.get(&zone).map(|policy| ScopePolicy {
            provider: &policy.provider,
            unmanaged: policy.unmanaged,
            accept: Some(&policy.accept),
        }),
        ScopeName::Uptime => desired.uptime.as_ref().map(|policy| ScopePolicy {
            provider: &policy.provider,
            unmanaged: Unmanaged::Keep,
            accept: None,
        }),
    }
}
