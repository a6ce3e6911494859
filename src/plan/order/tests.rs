//! Rule 6 of the diff for lists of rules: what shows in a plan when one rule comes, goes, changes or moves; and, for any
//! two lists, that the changes lead from one to the other and back, with foreign rules where they were.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::model::inventory::{Desired, Inventory, Unmanaged, ZonePolicy};
use crate::model::name::DomainName;
use crate::model::resource::Resource;
use crate::model::rule::{RuleAction, RuleKind};
use crate::plan::change::fingerprint;
use crate::plan::diff::{Bounds, Live, Owned, OwnedMark, Sides, diff};
use crate::plan::{Change, Plan};

/// A rule by its key, and what it says.
type Said = (String, u8);

fn zone() -> DomainName {
    DomainName::parse("acme.example").unwrap()
}

fn rule((key, says): &Said, place: Option<Place>) -> Rule {
    Rule {
        zone: zone(),
        kind: RuleKind::Cache,
        key: key.clone(),
        name: key.clone(),
        reference: None,
        expression: format!("http.request.uri.path eq \"/{says}\""),
        writing: None,
        enabled: true,
        action: RuleAction::Cache {
            eligible: Some(true),
            edge: None,
            browser: None,
        },
        place,
    }
}

fn live_of(list: &[Said]) -> Live {
    let order: Vec<Address> = list.iter().map(|said| rule(said, None).address()).collect();
    let inventory = list
        .iter()
        .zip(&order)
        .map(|(said, address)| {
            (
                address.clone(),
                Resource::Rule(rule(said, Some(place_in(&order, address)))),
            )
        })
        .collect();
    Live {
        inventory,
        lists: [(("acme.example".to_owned(), "cache".to_owned()), order)].into(),
        ..Live::default()
    }
}

fn desired_of(inventory: Inventory, absent: BTreeSet<Address>) -> Desired {
    let policy = ZonePolicy {
        provider: "cloudflare".into(),
        unmanaged: Unmanaged::Keep,
        protect: Vec::new(),
        create: false,
        accept: BTreeSet::new(),
    };
    Desired {
        inventory,
        absent,
        zones: [(zone(), policy)].into(),
        ..Desired::default()
    }
}

fn spec_of(list: &[Said]) -> Desired {
    let declared = list.iter().enumerate().map(|(rank, said)| {
        let rule = rule(said, Some(Place::Declared(rank)));
        (rule.address(), Resource::Rule(rule))
    });
    desired_of(declared.collect(), BTreeSet::new())
}

fn plan(desired: &Desired, live: &Live, owned: &Owned) -> Plan {
    diff(Sides { desired, live, owned }, &Bounds::default())
}

/// What was there and is not foreign belongs to the spec.
fn owned_of(list: &[Said]) -> Owned {
    let ours = list.iter().filter(|(key, _)| !key.starts_with("foreign."));
    ours.map(|said| {
        let rule = rule(said, None);
        let mark = OwnedMark {
            fingerprint: fingerprint(&Resource::Rule(rule.clone())),
            run: "20261124-161502-123".into(),
            found: false,
        };
        (rule.address(), mark)
    })
    .collect()
}

/// The list after changes, as a provider would leave it.
fn carried_out(list: &[Said], changes: &[Change]) -> Vec<Said> {
    let live: Vec<Address> = list.iter().map(|said| rule(said, None).address()).collect();
    let rule_of = |change: &Change| change.after.as_ref().and_then(Resource::as_rule).cloned();
    let gone = changes
        .iter()
        .filter(|change| change.after.is_none())
        .map(|change| change.address.clone())
        .collect();
    let placed: Vec<(Address, Place)> = changes
        .iter()
        .filter_map(|change| Some((change.address.clone(), rule_of(change)?.place?)))
        .collect();
    let mut says: BTreeMap<Address, u8> = list.iter().map(|said| (rule(said, None).address(), said.1)).collect();
    for change in changes {
        if let Some(rule) = rule_of(change) {
            let digits: String = rule.expression.chars().filter(char::is_ascii_digit).collect();
            says.insert(change.address.clone(), digits.parse().unwrap());
        }
    }
    arrange(&live, &gone, &placed)
        .into_iter()
        .map(|address| (address.key().to_owned(), says[&address]))
        .collect()
}

fn list(keys: &str) -> Vec<Said> {
    keys.split_whitespace().map(|key| (key.to_owned(), 1)).collect()
}

/// What a plan shows, in short.
fn shown(before: &str, after: &str) -> Vec<String> {
    let (before, after) = (list(before), list(after));
    let plan = plan(&spec_of(&after), &live_of(&before), &owned_of(&before));
    let place = |change: &Change| match change.after.as_ref()?.as_rule()?.place.clone()? {
        Place::First => Some(" first".to_owned()),
        Place::After(key) => Some(format!(" after {key}")),
        Place::Declared(_) => None,
    };
    plan.changes
        .iter()
        .map(|change| {
            let place = place(change).unwrap_or_default();
            format!("{} {}{place}", change.action().as_str(), change.address.key())
        })
        .collect()
}

#[test]
fn rule_6_one_rule_that_comes_goes_or_moves_is_one_change() {
    for (before, after, changes) in [
        ("a b c", "a b c", &[][..]),
        ("a b c", "a x b c", &["create x after a"]),
        ("a b c", "x a b c", &["create x first"]),
        ("a b c", "a b c x", &["create x after c"]),
        ("a b c", "a c", &["delete b"]),
        ("a b c", "c a b", &["update c first"]),
        ("a b c", "b c a", &["update a after c"]),
        ("", "a b", &["create a first", "create b after a"]),
        // Foreign rules keep their place; what is new stands beside ours.
        ("foreign.f a b", "a x b", &["create x after a"]),
        ("foreign.f a foreign.g b", "b a", &["update b after foreign.f"]),
        ("foreign.f", "a", &["create a after foreign.f"]),
        ("foreign.f a foreign.g", "a foreign.g", &[]),
    ] {
        assert_eq!(shown(before, after), *changes, "{before} -> {after}");
    }
}

#[test]
fn rule_6_a_rule_that_is_edited_stays_where_it_is() {
    let before = list("a b c");
    let mut after = before.clone();
    after[1].1 = 7;
    let plan = plan(&spec_of(&after), &live_of(&before), &owned_of(&before));
    let [change] = plan.changes.as_slice() else {
        panic!("{:#?}", plan.changes)
    };
    let rule = change.after.as_ref().unwrap().as_rule().unwrap();
    assert_eq!((rule.key.as_str(), &rule.place), ("b", &None));
    assert_eq!(change.reason, "the spec changed");
}

/// Keys in some order, a few of them foreign, each saying something.
fn lists() -> impl Strategy<Value = Vec<Said>> {
    let keys: Vec<String> = "a b c d e f foreign.x foreign.y foreign.z"
        .split(' ')
        .map(str::to_owned)
        .collect();
    (Just(keys).prop_shuffle(), 0_usize..=9, any::<u32>()).prop_map(|(keys, number, salt)| {
        let says = |at: usize| u8::try_from((salt >> (at * 3)) & 3).unwrap();
        keys.into_iter()
            .take(number)
            .enumerate()
            .map(|(at, key)| (key, says(at)))
            .collect()
    })
}

proptest! {
    #[test]
    fn rule_6_any_list_is_reached_and_left_again(before in lists(), wish in lists()) {
        let wish: Vec<Said> = wish.into_iter().filter(|(key, _)| !key.starts_with("foreign.")).collect();
        let owned = owned_of(&before);
        let there = plan(&spec_of(&wish), &live_of(&before), &owned);
        let after = carried_out(&before, &there.changes);
        // What is declared stands as declared; what is foreign is what and where it was.
        let ours: Vec<Said> = after.iter().filter(|(key, _)| !key.starts_with("foreign.")).cloned().collect();
        prop_assert_eq!(&ours, &wish);
        let foreign = |list: &[Said]| list.iter().filter(|(key, _)| key.starts_with("foreign.")).cloned().collect::<Vec<_>>();
        prop_assert_eq!(foreign(&after), foreign(&before));
        // Every change is met by what is there now, and a second plan finds nothing.
        let live = live_of(&after);
        for change in &there.changes {
            let now = live.inventory.get(&change.address);
            let is_met = match (&change.after, now) {
                (Some(after), Some(now)) => after.is_met_by(now),
                (after, now) => after.is_none() && now.is_none(),
            };
            prop_assert!(is_met, "{:?}", change);
        }
        prop_assert!(plan(&spec_of(&wish), &live, &owned_of(&after)).changes.is_empty());
        // The before-images as a wish lead back to the very list.
        let back = desired_of(
            there.changes.iter().filter_map(|change| Some((change.address.clone(), change.before.clone()?))).collect(),
            there.changes.iter().filter(|change| change.before.is_none()).map(|change| change.address.clone()).collect(),
        );
        let back = plan(&back, &live, &Owned::new());
        prop_assert_eq!(carried_out(&after, &back.changes), before);
    }
}
