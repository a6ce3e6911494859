//! What a provider that keeps whole record sets cannot tell apart: the records of one type at one name have one TTL and
//! one comment there (RFC 2181 §5.2), TXT values included, which elsewhere stand each on its own.

use std::collections::BTreeMap;

use crate::base::diagnostic::Diagnostic;
use crate::model::name::DomainName;
use crate::model::record::RecordType;
use crate::spec::lower::{DeclaredRecord, DeclaredZone, Findings};

pub(super) fn check(zone: &DeclaredZone<'_>, findings: &mut Findings<'_>) {
    let Some(provider) = zone.capabilities.filter(|provider| provider.whole_sets) else {
        return;
    };
    let mut sets: BTreeMap<(&DomainName, RecordType), Vec<&DeclaredRecord>> = BTreeMap::new();
    for record in &zone.records {
        sets.entry((&record.owner, record.kind())).or_default().push(record);
    }
    for ((name, kind), records) in sets {
        let Some((first, rest)) = records.split_first() else {
            continue;
        };
        let mut say = |code, what: &str, key: &str, other: &DeclaredRecord| {
            let title = provider.title;
            let message = format!("the {kind} records at {name} have {what}; at {title} they share one");
            let finding = Diagnostic::error(code, message)
                .at(findings.place(&other.key(key)))
                .related(findings.place(&first.key(key)), "the other one")
                .about(other.address.as_str());
            findings.push(finding);
        };
        if let Some(other) = rest.iter().find(|record| record.record.ttl != first.record.ttl) {
            let what = format!("different TTLs, {} and {}", first.record.ttl, other.record.ttl);
            say("ttl-differs", &what, "ttl", other);
        }
        let differs = |record: &&&DeclaredRecord| record.record.comment != first.record.comment;
        if let Some(other) = rest.iter().find(differs) {
            say("comment-differs", "different comments", "comment", other);
        }
    }
}
