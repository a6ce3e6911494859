//! Records that others lead to by `include:` or `redirect=`. Receivers may hold the record that leads there for its TTL,
//! and when what it leads to is gone, they refuse mail (RFC 7208 §5.2: a permerror). So what the old record names stays
//! until a later apply.

use std::collections::BTreeSet;

use crate::model::address::Address;
use crate::model::record_set::RecordSet;
use crate::model::resource::Resource;
use crate::plan::change::{Action, Change, Warning};

/// What records that flattening makes are called: the rest of the label is a digest.
const PART: &str = "_spf-";

/// Keeps in `changes` no deletion of what an SPF record led to that changes in the same plan, if `keeps`; says what is
/// kept, and what is not and may still be asked for.
pub(super) fn settle(changes: &mut Vec<Change>, keeps: bool) -> Vec<Warning> {
    let mut before = BTreeSet::new();
    let mut after = BTreeSet::new();
    for change in changes.iter() {
        before.extend(led_to(change.before.as_ref()));
        after.extend(led_to(change.after.as_ref()));
    }
    let mut warnings = Vec::new();
    changes.retain(|change| {
        let Some(name) = deleted(change) else { return true };
        let is_named = before.contains(&name) && !after.contains(&name);
        if is_named && keeps {
            warnings.push(kept(&change.address));
            return false;
        }
        if is_named || name.starts_with(PART) {
            let words = "receivers may still hold the SPF record that led here, and refuse mail when it is gone: \
                         apply this once the TTL of that record is over";
            warnings.push(Warning::about(&change.address, "spf-parts-cached", words));
        }
        true
    });
    warnings
}

fn kept(address: &Address) -> Warning {
    let words = "stays for now: receivers may hold the SPF record that leads here until its TTL is over; an apply after \
                 that deletes it";
    Warning::about(address, "spf-parts-kept", words)
}

/// The SPF record sets of a resource, as texts.
fn spf(resource: Option<&Resource>) -> Vec<String> {
    let set = resource.and_then(Resource::as_record_set);
    let values = set.iter().flat_map(|set| &set.records).filter_map(|one| one.data.txt());
    let texts = values.map(|value| String::from_utf8_lossy(value).to_ascii_lowercase());
    texts
        .filter(|text| text == "v=spf1" || text.starts_with("v=spf1 "))
        .collect()
}

/// The names that a resource's SPF records lead to.
fn led_to(resource: Option<&Resource>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for text in spf(resource) {
        for term in text.split(' ') {
            let term = term.trim_start_matches(['+', '-', '~', '?']);
            let name = term.strip_prefix("include:").or_else(|| term.strip_prefix("redirect="));
            names.extend(name.map(|name| name.trim_end_matches('.').to_owned()));
        }
    }
    names
}

/// The name of an SPF record that a change deletes.
fn deleted(change: &Change) -> Option<String> {
    let is_spf = change.action() == Action::Delete && !spf(change.before.as_ref()).is_empty();
    let set = change.before.as_ref().and_then(Resource::as_record_set);
    let owner = |set: &RecordSet| set.name.as_str().to_ascii_lowercase();
    set.filter(|_| is_spf).map(owner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::name::DomainName;
    use crate::model::record::{RecordData, RecordType};
    use crate::model::record_set::Record;

    fn set(owner: &str, text: &str) -> Resource {
        let record = Record::new(RecordData::Txt(text.as_bytes().to_vec()));
        let zone = DomainName::parse("acme.example").unwrap();
        let owner = DomainName::parse(owner).unwrap();
        Resource::RecordSet(RecordSet::new(zone, owner, RecordType::Txt, vec![record]))
    }

    fn change(owner: &str, before: Option<&str>, after: Option<&str>) -> Change {
        let [before, after] = [before, after].map(|text| text.map(|text| set(owner, text)));
        Change {
            address: before.as_ref().or(after.as_ref()).unwrap().address(),
            before,
            after,
            reason: String::new(),
        }
    }

    #[test]
    fn what_the_old_record_led_to_stays_until_a_later_apply() {
        let old = "v=spf1 include:_spf-aa.acme.example ?include:_SPF-BB.acme.example. ~all";
        let apex = change(
            "acme.example",
            Some(old),
            Some("v=spf1 include:_spf-aa.acme.example ~all"),
        );
        let part = |label: &str| {
            change(
                &format!("{label}.acme.example"),
                Some("v=spf1 ip4:192.0.2.1 -all"),
                None,
            )
        };
        let other = change("x.acme.example", Some("google-site-verification=1"), None);
        let all = || vec![apex.clone(), part("_spf-bb"), other.clone()];
        let mut changes = all();
        let said = settle(&mut changes, true);
        assert_eq!(changes, [apex.clone(), other.clone()]);
        assert_eq!(said[0].code, "spf-parts-kept");
        // A way back deletes what its run made, and says what that does.
        let mut changes = all();
        assert_eq!(settle(&mut changes, false)[0].code, "spf-parts-cached");
        assert_eq!(changes, all());
        // Nothing leads there any more in this plan: it goes, and is said.
        let mut changes = vec![part("_spf-bb"), part("old")];
        let said = settle(&mut changes, true);
        assert_eq!((changes.len(), said.len()), (2, 1), "{said:?}");
        assert_eq!(said[0].code, "spf-parts-cached");
    }
}
