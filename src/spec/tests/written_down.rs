//! What `import` writes down, loaded again: generated zones come back as they were.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{providers, read_with};
use crate::base::diagnostic::Severity;
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::model::record_set::{Record, RecordSet};
use crate::model::ttl::Ttl;
use crate::spec::emit::{EmittedZone, Head, Written, emit};

proptest! {
    #[test]
    fn what_is_written_down_reads_back(
        records in proptest::collection::vec(("[a-c]|@|\\*|bü|no|x_1", 0_usize..6, "\\PC{1,40}", any::<bool>(), 0_u32..4, "\\PC{0,15}"), 0..12),
    ) {
        let zone = DomainName::parse("acme.example").unwrap();
        let mut all = Vec::new();
        for (at, (name, kind, text, proxied, ttl, comment)) in records.into_iter().enumerate() {
            let number = at + 1;
            let (kind, value) = match kind {
                0 => (RecordType::A, format!("192.0.2.{number}")),
                1 => (RecordType::Mx, format!("{number} mx{number}.host.test")),
                2 => (RecordType::Caa, format!("0 issue \"ca{number}.test\"")),
                _ => (RecordType::Txt, text),
            };
            let Ok(data) = RecordData::parse(kind, &value, &zone) else { continue };
            let mut record = Record::new(data);
            record.proxied = proxied && kind == RecordType::A;
            record.ttl = [Ttl::Auto, Ttl::Seconds(300), Ttl::Seconds(3_600), Ttl::Seconds(90)][ttl as usize];
            // What no provider keeps as a comment is not read from one.
            record.comment = Some(comment).filter(|comment| !comment.is_empty() && !comment.chars().any(char::is_control));
            all.push((DomainName::parse_in(&name, &zone).unwrap(), record));
        }
        let sets: Vec<RecordSet> = RecordSet::gather(&zone, all).into_iter().map(RecordSet::as_live).collect();
        let mut emitted = EmittedZone::new(zone, providers().remove(0));
        emitted.sets = sets.iter().cloned().map(Written::new).collect();
        let head = Head {
            tokens: BTreeMap::from([("cloudflare".to_owned(), "CLOUDFLARE_API_TOKEN".to_owned())]),
            ..Head::default()
        };
        let emitted = emit(&[emitted], &head);
        let loaded = read_with(&emitted.text, &[]);
        let errors: Vec<_> = loaded.diagnostics.iter().filter(|finding| finding.severity == Severity::Error).collect();
        // What the judgement refuses is taken out by whoever imports; what is left must read back as it was.
        if let Some(spec) = &loaded.spec {
            let read: Vec<RecordSet> = spec.desired.inventory.values().filter_map(|resource| resource.as_record_set()).map(|set| set.settled_on(None)).collect();
            let mut sets = sets;
            sets.sort_by_key(RecordSet::address);
            prop_assert_eq!(read, sets, "{}", emitted.text);
        } else {
            prop_assert!(errors.iter().all(|finding| finding.code != "yaml-syntax" && finding.code != "wrong-shape"), "{:?}\n{}", errors, emitted.text);
        }
    }
}
