//! Rules that somebody else made and that a spec speaks of, known again by their names. What a rule bears at a provider
//! says who made it; its name is what people know it by. So a foreign rule is taken for the one that is spoken of when it
//! alone in its list has that name, and none of ours has. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::Reading;
use crate::model::address::Address;
use crate::model::resource::Resource;
use crate::model::rule::{Rule, slug};
use crate::plan::order::place_in;

/// Puts foreign rules at the addresses under which `spoken` knows them.
pub fn by_name(reading: &mut Reading, spoken: &BTreeSet<Address>) {
    let lists: Vec<_> = reading.live.lists.keys().cloned().collect();
    for list in lists {
        let order = &reading.live.lists[&list];
        let moves = moves(order, reading, spoken);
        if moves.is_empty() {
            continue;
        }
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

/// Which rules of a list are known by another address.
fn moves(order: &[Address], reading: &Reading, spoken: &BTreeSet<Address>) -> BTreeMap<Address, Address> {
    let mut named: BTreeMap<Address, Vec<&Address>> = BTreeMap::new();
    for address in order {
        let rule = reading.live.inventory.get(address).and_then(Resource::as_rule);
        // One that is spoken of by what it bears is known already.
        let foreign = rule.filter(|rule| rule.reference.is_some() && !spoken.contains(address));
        if let Some(known) = foreign.and_then(address_by_name) {
            named.entry(known).or_default().push(address);
        }
    }
    named
        .into_iter()
        .filter(|(known, _)| spoken.contains(known) && !order.contains(known))
        .filter_map(|(known, rules)| match rules.as_slice() {
            [one] => Some(((*one).clone(), known)),
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
    use crate::plan::order::list_of;
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

    fn read(rules: &[Rule], spoken: &[&str]) -> (Vec<String>, Reading) {
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
        let spoken = spoken.iter().map(|key| Address::in_zone(&zone, "cache", key)).collect();
        by_name(&mut reading, &spoken);
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
}
