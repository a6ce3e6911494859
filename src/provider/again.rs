//! Rules that somebody else made and that a spec speaks of, known again. What a rule bears at a provider says who made it;
//! its name is what people know it by. So a foreign rule is taken for one that is declared when it alone in its list has
//! that name, and none of ours has. What only the history speaks of is known by what earlier runs left and by no name:
//! a name that somebody gave a rule of theirs takes nothing from them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::Reading;
use crate::model::address::Address;
use crate::model::resource::Resource;
use crate::model::rule::{Rule, slug};
use crate::plan::change::fingerprint;
use crate::plan::diff::LeftRule;
use crate::plan::order::{list_of, place_in};

/// Who is looked for among the rules that somebody else made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// What a spec declares: known by its name where nothing else tells.
    pub declared: BTreeSet<Address>,
    /// What earlier runs left: known by that alone.
    pub left: BTreeMap<Address, LeftRule>,
}

impl Known {
    fn has(&self, address: &Address) -> bool {
        self.declared.contains(address) || self.left.contains_key(address)
    }
}

/// Puts foreign rules at the addresses under which they are known.
pub fn recognise(reading: &mut Reading, known: &Known) {
    let lists: Vec<_> = reading.live.lists.keys().cloned().collect();
    for list in lists {
        let order = &reading.live.lists[&list];
        let mut moves = left_moves(order, reading, known);
        let named = named_moves(order, reading, known, &moves);
        reading.live.by_name.extend(named.values().cloned());
        moves.extend(named);
        if moves.is_empty() {
            continue;
        }
        let order = &reading.live.lists[&list];
        let now = |address: &Address| moves.get(address).unwrap_or(address).clone();
        let order: Vec<Address> = order.iter().map(now).collect();
        for (from, to) in &moves {
            if let Some(Resource::Rule(mut rule)) = reading.live.inventory.remove(from) {
                to.key().clone_into(&mut rule.key);
                reading.live.inventory.insert(to.clone(), Resource::Rule(rule));
            }
        }
        for address in &order {
            if let Some(Resource::Rule(rule)) = reading.live.inventory.get_mut(address) {
                rule.place = Some(place_in(&order, address));
            }
        }
        if let Some(kept) = reading.lists.get_mut(&list) {
            for (address, _) in &mut kept.rules {
                *address = now(address);
            }
        }
        reading.live.lists.insert(list, order);
    }
}

/// The rules of a list that no run and no spec knows by what they bear, and that somebody else made.
fn foreign<'r>(order: &'r [Address], reading: &'r Reading, known: &Known) -> Vec<(&'r Address, &'r Rule)> {
    let rule = |address: &'r Address| Some((address, reading.live.inventory.get(address)?.as_rule()?));
    let rules = order.iter().filter_map(rule);
    rules
        .filter(|(address, rule)| rule.reference.is_some() && !known.has(address))
        .collect()
}

/// Which rules of a list an earlier run has left at another address.
fn left_moves(order: &[Address], reading: &Reading, known: &Known) -> BTreeMap<Address, Address> {
    let foreign = foreign(order, reading, known);
    let Some(list) = order.first().map(list_of) else {
        return BTreeMap::new();
    };
    let of_list = |address: &&Address| list_of(address) == list && !order.contains(address);
    let mut moves = BTreeMap::new();
    for address in known.left.keys().filter(of_list) {
        let left = &known.left[address];
        let is_it = |(_, rule): &&(&Address, &Rule)| {
            (left.reference.is_some() && rule.reference == left.reference)
                || left.fingerprint.as_ref().is_some_and(|print| {
                    let there = Rule {
                        key: address.key().to_owned(),
                        ..(*rule).clone()
                    };
                    fingerprint(&Resource::Rule(there)) == *print
                })
        };
        if let Some((from, _)) = foreign.iter().find(is_it) {
            moves.entry((*from).clone()).or_insert_with(|| address.clone());
        }
    }
    moves
}

/// Which of the others have the name of one that is declared.
fn named_moves(
    order: &[Address],
    reading: &Reading,
    known: &Known,
    left: &BTreeMap<Address, Address>,
) -> BTreeMap<Address, Address> {
    let mut named: BTreeMap<Address, Vec<&Address>> = BTreeMap::new();
    for (address, rule) in foreign(order, reading, known) {
        if let (false, Some(known)) = (left.contains_key(address), address_by_name(rule)) {
            named.entry(known).or_default().push(address);
        }
    }
    let is_free = |address: &Address| !order.contains(address) && !left.values().any(|taken| taken == address);
    named
        .into_iter()
        .filter(|(address, _)| known.declared.contains(address) && is_free(address))
        .filter_map(|(address, rules)| match rules.as_slice() {
            [one] => Some(((*one).clone(), address)),
            _ => None,
        })
        .collect()
}

/// The address that a spec would give a rule of this name, if it could name it so.
pub fn address_by_name(rule: &Rule) -> Option<Address> {
    let key = slug(&rule.name);
    let is_said = !key.is_empty() && !rule.name.chars().any(char::is_control);
    is_said.then(|| Address::in_zone(&rule.zone, rule.kind.as_str(), &key))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::name::DomainName;
    use crate::model::rule::{Place, RuleAction, RuleKind};
    use crate::provider::KeptList;

    fn rule(key: &str, name: &str, reference: Option<&str>) -> Rule {
        Rule {
            zone: DomainName::parse("acme.example").unwrap(),
            kind: RuleKind::Cache,
            key: key.into(),
            name: name.into(),
            reference: reference.map(Into::into),
            expression: "true".into(),
            writing: None,
            enabled: true,
            action: RuleAction::Filter { verdict: "x".into() },
            place: None,
        }
    }

    fn read(rules: &[Rule], declared: &[&str]) -> (Vec<String>, Reading) {
        read_beside(rules, declared, BTreeMap::new())
    }

    fn read_beside(rules: &[Rule], declared: &[&str], left: BTreeMap<Address, LeftRule>) -> (Vec<String>, Reading) {
        let mut reading = Reading::default();
        let order: Vec<Address> = rules.iter().map(Rule::address).collect();
        let list = list_of(&order[0]);
        let kept = order.iter().map(|address| (address.clone(), serde_json::Value::Null));
        let kept = KeptList {
            version: None,
            rules: kept.collect(),
        };
        reading.lists.insert(list.clone(), kept);
        for rule in rules {
            let mut rule = rule.clone();
            rule.place = Some(place_in(&order, &rule.address()));
            reading.live.inventory.insert(rule.address(), Resource::Rule(rule));
        }
        reading.live.lists.insert(list.clone(), order);
        let zone = DomainName::parse("acme.example").unwrap();
        let declared = declared
            .iter()
            .map(|key| Address::in_zone(&zone, "cache", key))
            .collect();
        recognise(&mut reading, &Known { declared, left });
        let keys = reading.live.lists[&list].iter().map(|address| address.key().to_owned());
        (keys.collect(), reading)
    }

    #[test]
    fn a_foreign_rule_is_the_one_that_is_spoken_of_when_it_alone_has_the_name() {
        let rules = [
            rule("foreign.1", "Static assets", Some("1")),
            rule("foreign.2", "API", Some("2")),
        ];
        let (keys, reading) = read(&rules, &["static-assets"]);
        assert_eq!(keys, ["static-assets", "foreign.2"]);
        let zone = &rules[0].zone;
        let moved = &reading.live.inventory[&Address::in_zone(zone, "cache", "static-assets")];
        assert_eq!(moved.as_rule().unwrap().reference.as_deref(), Some("1"));
        let behind = &reading.live.inventory[&Address::in_zone(zone, "cache", "foreign.2")];
        assert_eq!(
            behind.as_rule().unwrap().place,
            Some(Place::After("static-assets".into()))
        );
        let kept = reading.lists.values().next().unwrap();
        assert_eq!(kept.rules[0].0.key(), "static-assets");
    }

    #[test]
    fn a_name_that_does_not_tell_which_is_no_name() {
        let twice = [rule("foreign.1", "API", Some("1")), rule("foreign.2", "api", Some("2"))];
        assert_eq!(read(&twice, &["api"]).0, ["foreign.1", "foreign.2"]);
        let ours = [rule("foreign.1", "API", Some("1")), rule("api", "API", None)];
        assert_eq!(read(&ours, &["api"]).0, ["foreign.1", "api"]);
        let by_mark = [rule("foreign.1", "API", Some("1"))];
        assert_eq!(read(&by_mark, &["api", "foreign.1"]).0, ["foreign.1"]);
        assert_eq!(read(&by_mark, &[]).0, ["foreign.1"]);
        let unnamed = [rule("foreign.1", "", Some("1"))];
        assert_eq!(read(&unnamed, &[""]).0, ["foreign.1"]);
    }
    #[test]
    fn what_only_a_history_knows_is_known_by_what_was_left_and_by_no_name() {
        let zone = DomainName::parse("acme.example").unwrap();
        let address = Address::in_zone(&zone, "cache", "static-assets");
        let rules = [rule("foreign.1", "static-Assets", Some("1"))];
        let print = |key: &str, reference: &str| {
            let there = rule(key, "static-Assets", Some(reference));
            Some(fingerprint(&Resource::Rule(there)))
        };
        for (reference, fingerprint, is_it) in [
            (None, None, false),
            (Some("2"), None, false),
            (None, print("static-assets", "2"), false),
            (Some("1"), None, true),
            (None, print("static-assets", "1"), true),
        ] {
            let left = LeftRule {
                reference: reference.map(Into::into),
                fingerprint,
            };
            let known = BTreeMap::from([(address.clone(), left)]);
            let (keys, reading) = read_beside(&rules, &[], known.clone());
            let expected = if is_it { "static-assets" } else { "foreign.1" };
            assert_eq!(keys, [expected], "{known:?}");
            assert!(reading.live.by_name.is_empty());
            // Declared, it is the one with the name; whoever plans is told when nothing else says so.
            let (keys, reading) = read_beside(&rules, &["static-assets"], known);
            assert_eq!(keys, ["static-assets"]);
            assert_eq!(reading.live.by_name.contains(&address), !is_it);
        }
    }

    #[test]
    fn what_was_left_goes_before_a_name() {
        let zone = DomainName::parse("acme.example").unwrap();
        let left = LeftRule {
            reference: Some("1".into()),
            fingerprint: None,
        };
        let left = BTreeMap::from([(Address::in_zone(&zone, "cache", "api"), left)]);
        let rules = [
            rule("foreign.1", "renamed", Some("1")),
            rule("foreign.2", "API", Some("2")),
        ];
        assert_eq!(read_beside(&rules, &["api"], left).0, ["api", "foreign.2"]);
    }
}
