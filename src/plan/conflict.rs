//! What cannot stand beside what: a change that would put two types at one name where DNS allows only one of them.
//! The spec's own contradictions are found while it is read; these are the ones with what is live and not declared.

use std::collections::BTreeMap;

use crate::model::address::Address;
use crate::model::inventory::Inventory;
use crate::model::name::DomainName;
use crate::model::record::RecordType;
use crate::model::record_set::RecordSet;
use crate::plan::change::{Change, Refusal};

/// Changes that would stand beside something live that excludes them and that this plan leaves where it is.
pub fn conflicts(live: &Inventory, changes: &[Change]) -> Vec<Refusal> {
    let changed: BTreeMap<&Address, &Change> = changes.iter().map(|change| (&change.address, change)).collect();
    let mut staying: BTreeMap<&DomainName, Vec<(&Address, &RecordSet)>> = BTreeMap::new();
    for (address, resource) in live {
        let goes = changed.get(address).is_some_and(|change| change.after.is_none());
        if let (false, Some(set)) = (goes, resource.as_record_set()) {
            staying.entry(&set.name).or_default().push((address, set));
        }
    }
    let mut refusals = Vec::new();
    for change in changes {
        let Some(set) = change.after.as_ref().and_then(|after| after.as_record_set()) else {
            continue;
        };
        for (address, other) in staying.get(&set.name).into_iter().flatten() {
            if exclude_each_other(set, other) {
                refusals.push(refusal(change, set, address, other));
            }
        }
    }
    refusals
}

/// RFC 1034 §3.6.2 for CNAME, with the apex where providers flatten; an ALIAS stands for addresses; RFC 1034 §4.2.1 for a delegation.
fn exclude_each_other(a: &RecordSet, b: &RecordSet) -> bool {
    let alias = |x: RecordType, y: RecordType| {
        let is_address = matches!(y, RecordType::A | RecordType::Aaaa);
        match x {
            RecordType::Cname => is_address || y == RecordType::Ns,
            RecordType::Alias => is_address,
            _ => false,
        }
    };
    let delegation = |x: RecordType, y: RecordType| {
        x == RecordType::Ns && a.name != a.zone && !matches!(y, RecordType::Ns | RecordType::Ds)
    };
    alias(a.kind, b.kind) || alias(b.kind, a.kind) || delegation(a.kind, b.kind) || delegation(b.kind, a.kind)
}

fn refusal(change: &Change, set: &RecordSet, address: &Address, other: &RecordSet) -> Refusal {
    Refusal {
        address: Some(change.address.clone()),
        code: "conflict".to_owned(),
        message: format!(
            "{} cannot stand beside {address}, which is live and not this spec's to remove",
            set.kind
        ),
        help: if other.kind == RecordType::Txt {
            "remove it at the provider first: TXT values are not declared to be absent".to_owned()
        } else {
            format!(
                "to have it removed, declare that there is none: {{ type: {}, name: \"{}\", values: [] }}",
                other.kind,
                other.name.relative_to(&other.zone)
            )
        },
    }
}
