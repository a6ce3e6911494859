//! Rule 6: the order of a list of rules is part of its value. Tells which rules have to move so that a list stands in
//! the order that is wished for, as few as possible, and what a list looks like once changes are made. Rules of others
//! keep their order among themselves and what stands around them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::address::Address;
use crate::model::rule::{Place, Rule};

/// A list of rules: the zone or whatever it belongs to, and the kind.
pub type ListName = (String, String);

/// The list that an address belongs to.
pub fn list_of(address: &Address) -> ListName {
    (address.scope().to_owned(), address.kind().to_owned())
}

/// Where the wished-for rules of one list come to stand, given what is live without what goes. `None` for a rule that
/// can stay where it is.
pub(super) fn places(wanted: &[&Rule], staying: &[Address]) -> BTreeMap<Address, Option<Place>> {
    let is_declared = |rule: &&Rule| matches!(rule.place, Some(Place::Declared(_)) | None);
    if wanted.iter().all(is_declared) {
        declared(wanted, staying)
    } else {
        restored(wanted, staying)
    }
}

/// The order of a spec.
fn declared(wanted: &[&Rule], staying: &[Address]) -> BTreeMap<Address, Option<Place>> {
    let mut wanted: Vec<&Rule> = wanted.to_vec();
    wanted.sort_by_key(|rule| match rule.place {
        Some(Place::Declared(rank)) => rank,
        _ => usize::MAX,
    });
    let wanted: Vec<Address> = wanted.iter().map(|rule| rule.address()).collect();
    let live: BTreeSet<&Address> = staying.iter().collect();
    let wished: BTreeSet<&Address> = wanted.iter().collect();
    let in_wish: Vec<&Address> = wanted.iter().filter(|address| live.contains(address)).collect();
    let in_live: Vec<&Address> = staying.iter().filter(|address| wished.contains(address)).collect();
    let still: BTreeSet<&Address> = longest_common(&in_wish, &in_live).into_iter().collect();
    let mut list: Vec<Address> = staying
        .iter()
        .filter(|address| still.contains(address) || !wished.contains(address))
        .cloned()
        .collect();
    for (at, address) in wanted.iter().enumerate() {
        if still.contains(address) {
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| position(&list, &wanted[at]));
        let after = || wanted[at..].iter().find(|next| still.contains(next));
        let to = match before {
            Some(before) => before + 1,
            None => after().and_then(|next| position(&list, next)).unwrap_or(list.len()),
        };
        list.insert(to, address.clone());
    }
    wanted
        .iter()
        .map(|address| {
            let place = (!still.contains(address)).then(|| place_in(&list, address));
            (address.clone(), place)
        })
        .collect()
}

/// The places of before-images: each right behind what it stood behind, wherever that is still told.
fn restored(wanted: &[&Rule], staying: &[Address]) -> BTreeMap<Address, Option<Place>> {
    let mut list = staying.to_vec();
    let mut moved: BTreeSet<Address> = BTreeSet::new();
    let changes: Vec<(Address, Place)> = wanted
        .iter()
        .filter_map(|rule| Some((rule.address(), rule.place.clone()?)))
        .collect();
    for (address, place) in in_chain(&changes) {
        if position(&list, &address).is_some() && place_in(&list, &address) == place {
            continue;
        }
        put(&mut list, &address, &place);
        moved.insert(address);
    }
    wanted
        .iter()
        .map(|rule| {
            let address = rule.address();
            let place = moved.contains(&address).then(|| place_in(&list, &address));
            (address, place)
        })
        .collect()
}

/// What a list looks like once changes are made: what goes is gone, what has a place stands there, the rest stays.
pub fn arrange(live: &[Address], gone: &BTreeSet<Address>, placed: &[(Address, Place)]) -> Vec<Address> {
    let moving: BTreeSet<&Address> = placed.iter().map(|(address, _)| address).collect();
    let mut list: Vec<Address> = live
        .iter()
        .filter(|address| !gone.contains(*address) && !moving.contains(address))
        .cloned()
        .collect();
    for (address, place) in in_chain(placed) {
        put(&mut list, &address, &place);
    }
    list
}

fn put(list: &mut Vec<Address>, address: &Address, place: &Place) {
    list.retain(|known| known != address);
    let to = match place {
        Place::First => 0,
        Place::After(key) => list
            .iter()
            .position(|known| known.key() == key)
            .map_or(list.len(), |at| at + 1),
        Place::Declared(_) => list.len(),
    };
    list.insert(to, address.clone());
}

/// Each behind the one that its place names, so that this one stands when it is looked for.
fn in_chain(changes: &[(Address, Place)]) -> Vec<(Address, Place)> {
    let mut left: Vec<&(Address, Place)> = changes.iter().collect();
    let mut chained = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waiting: BTreeSet<&str> = left.iter().map(|(address, _)| address.key()).collect();
        let is_free = |place: &Place| !matches!(place, Place::After(key) if waiting.contains(key.as_str()));
        let (free, bound): (Vec<_>, Vec<_>) = left.iter().partition(|(_, place)| is_free(place));
        // Places that name each other in a circle cannot all be kept: any order is as good as another.
        let (free, bound) = if free.is_empty() {
            (bound, Vec::new())
        } else {
            (free, bound)
        };
        chained.extend(free.into_iter().cloned());
        left = bound;
    }
    chained
}

/// Where something stands in a list.
pub fn place_in(list: &[Address], address: &Address) -> Place {
    match position(list, address).and_then(|at| at.checked_sub(1)) {
        Some(before) => Place::After(list[before].key().to_owned()),
        None => Place::First,
    }
}

fn position(list: &[Address], address: &Address) -> Option<usize> {
    list.iter().position(|known| known == address)
}

/// The longest run of addresses, with gaps, that both lists have in the same order. Lists of rules are short: a
/// thousand at most.
fn longest_common<'a>(a: &[&'a Address], b: &[&'a Address]) -> Vec<&'a Address> {
    let mut lengths = vec![vec![0_u16; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            lengths[i][j] = if a[i] == b[j] {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut common = Vec::new();
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            common.push(a[i]);
            i += 1;
            j += 1;
        } else if lengths[i + 1][j] >= lengths[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    common
}

#[cfg(test)]
mod tests;
