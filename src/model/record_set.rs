//! DNS record sets: what a zone holds at one name and type, with what providers keep beside it (proxying, comments,
//! tags). TXT is the exception that the rules make: each value is a set of its own, but for the purposes of which a
//! name may have only one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::digest;
use crate::model::address::Address;
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType, txt};
use crate::model::ttl::Ttl;

/// One record of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What the record says.
    #[serde(flatten)]
    pub data: RecordData,
    /// How long an answer may be kept. A proxied record has the provider's own: [`Ttl::Auto`].
    pub ttl: Ttl,
    /// Whether the provider answers with its own edge in front.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proxied: bool,
    /// A note kept with the record. In a desired set `None` is «not said» and an empty text is «none»; in a settled or
    /// live set `None` is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Labels kept with the record; `None` and the empty set as for the comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeSet<String>>,
    /// What else the provider keeps with the record and no spec says: carried, so that a restored record has it again.
    /// `None` as for the comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<BTreeMap<String, serde_json::Value>>,
}

impl Record {
    /// A plain record: nothing but its data and the provider's own TTL.
    pub fn new(data: RecordData) -> Self {
        Self {
            data,
            ttl: Ttl::Auto,
            proxied: false,
            comment: None,
            tags: None,
            extra: None,
        }
    }

    /// What this desired record becomes when it takes the place of `live`: what it does not say stays as it is there.
    fn settled_on(&self, live: Option<&Self>) -> Self {
        let comment = self
            .comment
            .clone()
            .or_else(|| live.and_then(|live| live.comment.clone()));
        let tags = self.tags.clone().or_else(|| live.and_then(|live| live.tags.clone()));
        let extra = self.extra.clone().or_else(|| live.and_then(|live| live.extra.clone()));
        Self {
            comment,
            tags,
            extra,
            ..self.clone()
        }
        .canonical()
    }

    /// The one form in which equal records are equal.
    fn canonical(mut self) -> Self {
        if self.proxied {
            self.ttl = Ttl::Auto;
        }
        self.comment = self.comment.filter(|comment| !comment.is_empty());
        self.tags = self.tags.filter(|tags| !tags.is_empty());
        self.extra = self.extra.filter(|extra| !extra.is_empty());
        self
    }

    /// The same record as a wish that leaves nothing unsaid.
    fn in_full(self) -> Self {
        Self {
            comment: Some(self.comment.unwrap_or_default()),
            tags: Some(self.tags.unwrap_or_default()),
            extra: Some(self.extra.unwrap_or_default()),
            ..self
        }
    }
}

/// All records of one type at one name; for TXT, one value or one purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSet {
    /// The zone that holds it.
    pub zone: DomainName,
    /// The owner name.
    pub name: DomainName,
    /// The type of every record in it.
    pub kind: RecordType,
    /// The records, sorted by their data, no two with the same.
    pub records: Vec<Record>,
}

/// A record before and after: either side may be missing, not both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordPair<'a> {
    /// The record as it is.
    pub before: Option<&'a Record>,
    /// The record as it will be.
    pub after: Option<&'a Record>,
}

impl RecordSet {
    /// A set in canonical form: sorted, without doubles (the first of equal data stays), comments and tags as in
    /// [`Record`]. What a desired set does not say is kept unsaid.
    pub fn new(zone: DomainName, name: DomainName, kind: RecordType, mut records: Vec<Record>) -> Self {
        for record in &mut records {
            if record.proxied {
                record.ttl = Ttl::Auto;
            }
            record.tags = record
                .tags
                .take()
                .map(|tags| tags.iter().map(|tag| canonical_tag(tag)).collect());
        }
        records.sort_by(|a, b| a.data.cmp(&b.data));
        records.dedup_by(|b, a| a.data == b.data);
        Self {
            zone,
            name,
            kind,
            records,
        }
    }

    /// The same set as a provider returned it: no difference left between an empty comment and none.
    #[must_use]
    pub fn as_live(mut self) -> Self {
        self.records = self.records.into_iter().map(Record::canonical).collect();
        self
    }

    /// A live set as a wish: it says of every attribute what it shall be, so that nothing of what is there stays.
    #[must_use]
    pub fn in_full(mut self) -> Self {
        self.records = self.records.into_iter().map(Record::in_full).collect();
        self
    }

    /// Its address.
    pub fn address(&self) -> Address {
        let first = self.records.first().and_then(|record| record.data.txt());
        let member = first.map(|value| member(&self.name, value));
        Address::record_set(&self.zone, self.kind, &self.name, member.as_deref())
    }

    /// Groups loose records of a zone into sets, each under its address.
    pub fn gather(zone: &DomainName, records: impl IntoIterator<Item = (DomainName, Record)>) -> Vec<Self> {
        let mut sets: BTreeMap<(DomainName, RecordType, Option<String>), Vec<Record>> = BTreeMap::new();
        for (name, record) in records {
            let member = record.data.txt().map(|value| member(&name, value));
            sets.entry((name, record.data.kind(), member)).or_default().push(record);
        }
        sets.into_iter()
            .map(|((name, kind, _), records)| Self::new(zone.clone(), name, kind, records))
            .collect()
    }

    /// What this desired set becomes on top of what is live: what it does not say stays.
    #[must_use]
    pub fn settled_on(&self, live: Option<&Self>) -> Self {
        let empty = [];
        let before = live.map_or(&empty[..], |live| &live.records);
        let records = pair(before, &self.records)
            .into_iter()
            .filter_map(|pair| pair.after.map(|after| after.settled_on(pair.before)))
            .collect();
        Self::new(self.zone.clone(), self.name.clone(), self.kind, records)
    }
}

/// A tag's name is the same in any case, its value is not.
fn canonical_tag(tag: &str) -> String {
    match tag.split_once(':') {
        Some((name, value)) => format!("{}:{value}", name.to_lowercase()),
        None => tag.to_lowercase(),
    }
}

/// Matches the records of two states of a set: the same data first, then the same host (a mail server whose priority
/// changed is still that mail server, and providers take a host only once), then what is left over in order. So a
/// changed value is one changed record and not one gone and one new.
pub fn pair<'a>(before: &'a [Record], after: &'a [Record]) -> Vec<RecordPair<'a>> {
    let known: BTreeMap<&RecordData, &Record> = before.iter().map(|record| (&record.data, record)).collect();
    let wanted: BTreeSet<&RecordData> = after.iter().map(|record| &record.data).collect();
    let mut left_over: Vec<&Record> = before.iter().filter(|record| !wanted.contains(&record.data)).collect();
    let mut partners: Vec<Option<&Record>> = after.iter().map(|record| known.get(&record.data).copied()).collect();
    let mut take = |after: &Record, partner: &mut Option<&'a Record>, fits: fn(&Record, &Record) -> bool| {
        if partner.is_none()
            && let Some(at) = left_over.iter().position(|before| fits(before, after))
        {
            *partner = Some(left_over.remove(at));
        }
    };
    let same_host = |a: &Record, b: &Record| a.data.target().is_some() && a.data.target() == b.data.target();
    for (record, partner) in after.iter().zip(&mut partners) {
        take(record, partner, same_host);
    }
    for (record, partner) in after.iter().zip(&mut partners) {
        take(record, partner, |_, _| true);
    }
    let matched = after.iter().zip(partners).map(|(after, before)| RecordPair {
        before,
        after: Some(after),
    });
    let gone = left_over.into_iter().map(|before| RecordPair {
        before: Some(before),
        after: None,
    });
    matched.chain(gone).collect()
}

/// What tells one TXT value at a name from another: its purpose when there may be only one, else its first word and a
/// digest of all its bytes.
fn member(owner: &DomainName, value: &[u8]) -> String {
    if let Some(purpose) = txt::purpose(owner, value) {
        return purpose.to_owned();
    }
    let text = String::from_utf8_lossy(value);
    let word: String = text
        .chars()
        .take_while(|c| !matches!(c, '=' | ':' | ';' | ' ' | '"'))
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        .take(32)
        .collect();
    let digest = digest::short(value, 8);
    if word.is_empty() {
        digest
    } else {
        format!("{word}-{digest}")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn zone() -> DomainName {
        DomainName::parse("acme.example").unwrap()
    }

    fn a(text: &str) -> Record {
        Record::new(RecordData::parse(RecordType::A, text, &zone()).unwrap())
    }

    fn set(records: Vec<Record>) -> RecordSet {
        RecordSet::new(zone(), zone(), RecordType::A, records)
    }

    #[test]
    fn what_is_not_said_stays_and_what_is_said_wins() {
        let live = set(vec![Record {
            comment: Some("by Bob".into()),
            tags: Some(["team:a".to_owned()].into()),
            extra: Some([("settings".to_owned(), serde_json::json!({"ipv4_only": true}))].into()),
            ..a("192.0.2.1")
        }]);
        // Another value in its place: it is the same record changed, so Bob's words stay.
        let settled = set(vec![a("192.0.2.2")]).settled_on(Some(&live));
        assert_eq!(settled.records[0].comment.as_deref(), Some("by Bob"));
        assert_eq!(settled.records[0].extra.as_ref().map(BTreeMap::len), Some(1));
        // Said to be none.
        let silent = set(vec![Record {
            comment: Some(String::new()),
            tags: Some(BTreeSet::new()),
            ..a("192.0.2.1")
        }]);
        let settled = silent.settled_on(Some(&live));
        assert_eq!(
            (settled.records[0].comment.as_ref(), settled.records[0].tags.as_ref()),
            (None, None)
        );
    }

    #[test]
    fn records_pair_by_data_first() {
        let (before, after) = (
            vec![a("192.0.2.1"), a("192.0.2.2")],
            vec![a("192.0.2.2"), a("192.0.2.3")],
        );
        let pairs: Vec<_> = pair(&before, &after)
            .iter()
            .map(|p| {
                (
                    p.before.map(|r| r.data.to_string()),
                    p.after.map(|r| r.data.to_string()),
                )
            })
            .collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            pairs,
            [
                (some("192.0.2.2"), some("192.0.2.2")),
                (some("192.0.2.1"), some("192.0.2.3"))
            ]
        );
    }

    #[test]
    fn a_mail_server_with_another_priority_is_still_that_mail_server() {
        let mx = |text: &str| Record::new(RecordData::parse(RecordType::Mx, text, &zone()).unwrap());
        let (before, after) = (
            vec![mx("10 a.example.net"), mx("20 b.example.net")],
            vec![mx("10 b.example.net"), mx("20 a.example.net")],
        );
        for pair in pair(&before, &after) {
            assert_eq!(pair.before.unwrap().data.target(), pair.after.unwrap().data.target());
        }
    }

    #[test]
    fn tags_are_the_same_whatever_the_case_of_their_names() {
        let tagged = |tag: &str| {
            set(vec![Record {
                tags: Some([tag.to_owned()].into()),
                ..a("192.0.2.1")
            }])
        };
        assert_eq!(tagged("Team:Web"), tagged("team:Web"));
        assert_ne!(tagged("team:Web"), tagged("team:web"));
    }

    #[test]
    fn txt_values_stand_each_on_their_own() {
        let txt = |text: &str| Record::new(RecordData::parse(RecordType::Txt, text, &zone()).unwrap());
        let sets = RecordSet::gather(
            &zone(),
            [
                "v=spf1 -all",
                "v=spf1 include:x.example -all",
                "google-site-verification=abc",
                "a b",
            ]
            .map(|value| (zone(), txt(value))),
        );
        let addresses: Vec<String> = sets.iter().map(|set| set.address().to_string()).collect();
        assert_eq!(sets.len(), 3, "the two SPF values are one purpose: {addresses:?}");
        assert!(
            addresses.contains(&"acme.example/dns/TXT/@/v=spf1".to_owned()),
            "{addresses:?}"
        );
        assert!(
            addresses
                .iter()
                .any(|a| a.starts_with("acme.example/dns/TXT/@/google-site-verification-"))
        );
    }
}
