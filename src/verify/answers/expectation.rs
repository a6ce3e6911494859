//! What a name should answer after a change, and whether an answer is that. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::model::record_set::{Record, RecordSet};
use crate::provider::dns::Answered;

/// What one question should be answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The zone that answers.
    pub zone: DomainName,
    /// The name that is asked for.
    pub name: DomainName,
    /// The type that is asked for.
    pub kind: RecordType,
    /// What has to be there.
    present: BTreeSet<RecordData>,
    /// What was there and must not be any more.
    gone: BTreeSet<RecordData>,
    /// Whether nothing else may be there: not for TXT, whose values stand each on their own.
    only: bool,
    /// Whether any address is right: an edge stands in front, or an alias is flattened, and whose addresses these are
    /// is the provider's to choose.
    any_address: bool,
}

/// What `changes`, each a set before and after, make of the answers. `flattens` tells of a zone whether its provider
/// answers a CNAME at the zone's own name with addresses.
pub fn expectations<'a>(
    changes: impl IntoIterator<Item = (Option<&'a RecordSet>, Option<&'a RecordSet>)>,
    flattens: impl Fn(&DomainName) -> bool,
) -> Vec<Expectation> {
    let mut all: BTreeMap<(DomainName, RecordType), Expectation> = BTreeMap::new();
    for (before, after) in changes {
        for (set, is_after) in [(before, false), (after, true)] {
            let Some(set) = set else { continue };
            let hidden = is_answered_with_addresses(set, &flattens);
            let kind = if hidden && set.kind != RecordType::Aaaa {
                RecordType::A
            } else {
                set.kind
            };
            let entry = all
                .entry((set.name.clone(), kind))
                .or_insert_with(|| Expectation::nothing(set, kind));
            match (is_after, hidden) {
                (true, true) => entry.any_address = true,
                (true, false) => {
                    entry.present.extend(data(&set.records));
                    entry.only |= set.kind != RecordType::Txt;
                }
                (false, false) => entry.gone.extend(data(&set.records)),
                // Which addresses the edge gave is not known, so nobody can tell whether they are still given.
                (false, true) => {}
            }
        }
    }
    all.into_values()
        .map(|mut one| {
            one.gone = &one.gone - &one.present;
            one
        })
        .filter(|one| one.any_address || !one.present.is_empty() || !one.gone.is_empty())
        .collect()
}

fn data(records: &[Record]) -> impl Iterator<Item = RecordData> {
    records.iter().map(|record| record.data.clone())
}

fn is_answered_with_addresses(set: &RecordSet, flattens: &impl Fn(&DomainName) -> bool) -> bool {
    // A server that keeps an ALIAS answers with the addresses of its target.
    let is_alias = set.kind == RecordType::Alias;
    let is_flattened = set.kind == RecordType::Cname && set.name == set.zone && flattens(&set.zone);
    is_alias || is_flattened || set.records.iter().any(|record| record.proxied)
}

impl Expectation {
    fn nothing(set: &RecordSet, kind: RecordType) -> Self {
        Self {
            zone: set.zone.clone(),
            name: set.name.clone(),
            kind,
            present: BTreeSet::new(),
            gone: BTreeSet::new(),
            only: false,
            any_address: false,
        }
    }

    /// Whether these records are the right answer.
    pub fn is_met_by(&self, answers: &[Answered]) -> bool {
        let of_kind = |answered: &&Answered| answered.data.kind() == self.kind;
        let own: BTreeSet<&RecordData> = self
            .own(answers)
            .filter(of_kind)
            .map(|answered| &answered.data)
            .collect();
        if own.iter().any(|data| self.gone.contains(data)) {
            return false;
        }
        if self.any_address {
            // At the end of a chain of aliases the owner is another.
            return answers.iter().any(|answered| of_kind(&answered));
        }
        self.present.iter().all(|data| own.contains(data)) && (!self.only || own.len() == self.present.len())
    }

    /// Whether something of it is what was there before.
    pub fn is_old(&self, answers: &[Answered]) -> bool {
        self.own(answers).any(|answered| self.gone.contains(&answered.data))
    }

    /// What is answered for the name itself, an alias included.
    pub fn own<'s>(&'s self, answers: &'s [Answered]) -> impl Iterator<Item = &'s Answered> {
        answers.iter().filter(|answered| answered.owner == self.name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    fn set(owner: &str, kind: RecordType, values: &[&str], proxied: bool) -> RecordSet {
        let zone = name("acme.example");
        let record = |value: &&str| Record {
            proxied,
            ..Record::new(RecordData::parse(kind, value, &zone).unwrap())
        };
        let records = values.iter().map(record).collect();
        RecordSet::new(zone.clone(), name(owner), kind, records)
    }

    fn said(owner: &str, kind: RecordType, value: &str) -> Answered {
        Answered {
            owner: name(owner),
            ttl: 60,
            data: RecordData::parse(kind, value, &name("acme.example")).unwrap(),
        }
    }

    fn one(before: Option<&RecordSet>, after: Option<&RecordSet>) -> Expectation {
        let mut all = expectations([(before, after)], |_| true);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    const WWW: &str = "www.acme.example";

    #[test]
    fn a_set_is_whole_and_texts_stand_alone() {
        let (old, new) = (
            set(WWW, RecordType::A, &["192.0.2.1"], false),
            set(WWW, RecordType::A, &["192.0.2.2"], false),
        );
        let wanted = one(Some(&old), Some(&new));
        let a = |value| said(WWW, RecordType::A, value);
        assert!(wanted.is_met_by(&[a("192.0.2.2")]));
        for wrong in [vec![], vec![a("192.0.2.1")], vec![a("192.0.2.2"), a("192.0.2.9")]] {
            assert!(!wanted.is_met_by(&wrong), "{wrong:?}");
        }
        assert!(wanted.is_old(&[a("192.0.2.1")]) && !wanted.is_old(&[a("192.0.2.9")]));
        let text = one(None, Some(&set(WWW, RecordType::Txt, &["hello"], false)));
        let txt = |value| said(WWW, RecordType::Txt, value);
        assert!(text.is_met_by(&[txt("hello"), txt("somebody else's")]));
        assert!(!text.is_met_by(&[txt("somebody else's")]));
    }

    #[test]
    fn behind_an_edge_any_address_is_right_but_the_old_one() {
        let (plain, hidden) = (
            set(WWW, RecordType::A, &["192.0.2.1"], false),
            set(WWW, RecordType::A, &["192.0.2.1"], true),
        );
        let wanted = one(Some(&plain), Some(&hidden));
        assert!(wanted.is_met_by(&[said(WWW, RecordType::A, "198.51.100.7")]));
        assert!(
            !wanted.is_met_by(&[said(WWW, RecordType::A, "192.0.2.1")]),
            "the origin is not the edge"
        );
        assert!(!wanted.is_met_by(&[]));
        let alias = one(None, Some(&set(WWW, RecordType::Cname, &["host.test"], true)));
        assert_eq!(alias.kind, RecordType::A);
        let flattened = one(
            None,
            Some(&set("acme.example", RecordType::Cname, &["host.test"], false)),
        );
        assert!(flattened.is_met_by(&[said("acme.example", RecordType::A, "203.0.113.1")]));
    }

    #[test]
    fn an_alias_kept_by_a_server_is_answered_with_any_address() {
        let alias = set("acme.example", RecordType::Alias, &["host.test"], false);
        let one = expectations([(None, Some(&alias))], |_| false).remove(0);
        assert_eq!(one.kind, RecordType::A);
        assert!(one.is_met_by(&[said("acme.example", RecordType::A, "192.0.2.1")]));
        assert!(!one.is_met_by(&[]));
        // Where one is gone nobody knows which addresses it stood for.
        assert!(expectations([(Some(&alias), None)], |_| false).is_empty());
    }

    #[test]
    fn what_was_deleted_must_not_be_answered_and_a_wildcard_may() {
        let old = set(WWW, RecordType::A, &["192.0.2.1"], false);
        let wanted = one(Some(&old), None);
        assert!(wanted.is_met_by(&[]) && wanted.is_met_by(&[said(WWW, RecordType::A, "192.0.2.9")]));
        assert!(!wanted.is_met_by(&[said(WWW, RecordType::A, "192.0.2.1")]));
        // An alias in its place: both are asked for, and a kept address is found out.
        let alias = set(WWW, RecordType::Cname, &["host.test"], false);
        let all = expectations([(Some(&old), None), (None, Some(&alias))], |_| false);
        let kinds: Vec<RecordType> = all.iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [RecordType::A, RecordType::Cname]);
    }
}
