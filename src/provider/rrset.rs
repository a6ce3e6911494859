//! Record sets as DNS itself has them: everything of one type at one name, TXT values together, with one TTL. For
//! providers that are told whole sets and not single records. Pure; knows no provider.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::text;
use crate::model::address::Address;
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::model::record_set::{Record, RecordSet};
use crate::model::resource::Resource;
use crate::model::scope::ScopeName;
use crate::model::setting::ZoneEntry;
use crate::model::ttl::Ttl;
use crate::plan::{Change, Refusal, Warning};
use crate::provider::{Reading, Scope, Step};

/// One type at one name, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rrset {
    /// The zone.
    pub zone: DomainName,
    /// The owner name.
    pub name: DomainName,
    /// The type.
    pub kind: RecordType,
    /// What is live, unmanaged included.
    pub before: Vec<Record>,
    /// What will be, with what nobody touches in it.
    pub after: Vec<Record>,
    /// How the server itself writes what is live, by what it says: more than once where it holds doubles. What stays
    /// goes back like that, and like that a server is told what is expected of it.
    pub kept: BTreeMap<RecordData, Vec<String>>,
    /// The addresses that change in it.
    pub addresses: BTreeSet<Address>,
}

impl Rrset {
    /// The TTL of the set, in seconds.
    pub fn ttl(records: &[Record], automatic: u32) -> u32 {
        match records.first().map(|record| record.ttl) {
            Some(Ttl::Seconds(seconds)) => seconds,
            Some(Ttl::Auto) | None => automatic,
        }
    }

    /// `records` as the server writes them, and in the words of `ours` where it holds none such.
    pub fn written(&self, records: &[Record], ours: impl Fn(&RecordData) -> String) -> Vec<String> {
        let write = |record: &Record| match self.kept.get(&record.data) {
            Some(kept) => kept.clone(),
            None => vec![ours(&record.data)],
        };
        records.iter().flat_map(write).collect()
    }
}

fn set_of(change: &Change) -> Option<&RecordSet> {
    let side = change.after.as_ref().or(change.before.as_ref());
    side.and_then(Resource::as_record_set)
}

/// The sets that `changes` touch, by zone, name and type.
pub fn gather(changes: &[Change], reading: &Reading) -> Vec<Rrset> {
    let mut sets: BTreeMap<(DomainName, DomainName, RecordType), Rrset> = BTreeMap::new();
    for change in changes {
        let Some(set) = set_of(change) else { continue };
        let key = (set.zone.clone(), set.name.clone(), set.kind);
        let entry = sets.entry(key).or_insert_with(|| Rrset {
            zone: set.zone.clone(),
            name: set.name.clone(),
            kind: set.kind,
            before: Vec::new(),
            after: Vec::new(),
            kept: BTreeMap::new(),
            addresses: BTreeSet::new(),
        });
        entry.addresses.insert(change.address.clone());
        let after = change.after.as_ref().and_then(Resource::as_record_set);
        entry
            .after
            .extend(after.into_iter().flat_map(|set| set.records.clone()));
    }
    for (address, live) in &reading.live.inventory {
        let Some(set) = live.as_record_set() else { continue };
        let Some(entry) = sets.get_mut(&(set.zone.clone(), set.name.clone(), set.kind)) else {
            continue;
        };
        entry.before.extend(set.records.iter().cloned());
        let kept = reading.handles.get(address);
        entry.kept.extend(
            kept.into_iter()
                .flatten()
                .map(|(data, kept)| (data.clone(), kept.clone())),
        );
        if !entry.addresses.contains(address) {
            entry.after.extend(set.records.iter().cloned());
        }
    }
    sets.into_values()
        .map(|mut set| {
            set.before.sort_by(|a, b| a.data.cmp(&b.data));
            set.after.sort_by(|a, b| a.data.cmp(&b.data));
            set
        })
        .collect()
}

/// Puts loose records of a zone among what is live, each with the server's own way to write it.
pub fn keep(reading: &mut Reading, zone: &DomainName, records: Vec<(DomainName, Record, String)>) {
    let mut written: BTreeMap<(DomainName, RecordData), Vec<String>> = BTreeMap::new();
    for (name, record, form) in &records {
        let key = (name.clone(), record.data.clone());
        written.entry(key).or_default().push(form.clone());
    }
    let records = records.into_iter().map(|(name, record, _)| (name, record));
    for set in RecordSet::gather(zone, records) {
        let set = set.as_live();
        let forms = set.records.iter().filter_map(|record| {
            let forms = written.remove(&(set.name.clone(), record.data.clone()))?;
            Some((record.data.clone(), forms))
        });
        reading.handles.insert(set.address(), forms.collect());
        reading.live.inventory.insert(set.address(), Resource::RecordSet(set));
    }
}

/// A spec may wish for the zone itself, which is there as soon as it was read and has an id.
pub fn zones_are_there(reading: &mut Reading, scope: &Scope) {
    for (zone, facts) in &reading.zones {
        let entry = ZoneEntry {
            zone: zone.clone(),
            name_servers: Vec::new(),
        };
        if !facts.id.is_empty() && scope.spoken.contains(&entry.address()) {
            reading.live.inventory.insert(entry.address(), Resource::Zone(entry));
        }
    }
}

/// A live set that cannot be written whole: it is left as it is, and that is said.
pub fn lock(reading: &mut Reading, zone: &DomainName, set: (&DomainName, RecordType), why: String) {
    let address = Address::record_set(zone, set.1, set.0, None);
    let message = format!("left alone: {address} cannot be changed: {}", text::sanitize(&why));
    reading.warnings.push(Warning::general("locked-record", message));
    reading.live.locked.insert(address, why);
}

/// A live set that we cannot read at all is not there for us: neither changed nor deleted, but said, and in the way of
/// an alias. `what` is its owner and its type, as the server wrote them.
pub fn set_aside(reading: &mut Reading, zone: &DomainName, what: (&str, &str), why: &str) {
    let shown = text::sanitize(&format!("{} {}", what.1, what.0)).into_owned();
    let message = format!(
        "left alone: the live record set {} could not be understood: {}",
        text::shorten(&shown, 120),
        text::sanitize(why)
    );
    reading.warnings.push(Warning::general("unreadable-record", message));
    let name = DomainName::parse(what.0).ok();
    let address =
        name.and_then(|name| Address::parse(&format!("{zone}/dns/{}/{}", what.1, name.relative_to(zone))).ok());
    if let Some(address) = address {
        reading.live.locked.insert(address, why.to_owned());
    }
}

/// What `changes` would do to records that nobody mentioned, or that DNS does not allow: found before any write.
pub fn review(changes: &[Change], reading: &Reading) -> Vec<Refusal> {
    let by_address: BTreeMap<&Address, &Change> = changes.iter().map(|change| (&change.address, change)).collect();
    let mut refusals = Vec::new();
    for set in gather(changes, reading) {
        refusals.extend(not_whole(&set, reading));
        refusals.extend(two_times(&set, &by_address));
        refusals.extend(two_comments(&set, &by_address));
        refusals.extend(alias_beside(&set, reading, &by_address));
    }
    refusals
}

/// Zones that one request cannot carry: worth knowing, since what is applied is then not all or nothing.
pub fn several_transactions<'s>(steps: impl Iterator<Item = &'s Step>) -> Vec<Warning> {
    let mut zones: BTreeMap<&ScopeName, usize> = BTreeMap::new();
    steps.for_each(|step| *zones.entry(&step.scope).or_default() += 1);
    let several = zones.into_iter().filter(|(_, number)| *number > 1);
    let warn = |(zone, number)| {
        Warning::general(
            "several-transactions",
            format!("one request cannot carry all changes: {zone} is changed in {number} transactions"),
        )
    };
    several.map(warn).collect()
}

fn refusal(address: &Address, code: &str, message: String, help: String) -> Refusal {
    Refusal {
        address: Some(address.clone()),
        code: code.to_owned(),
        message,
        help,
    }
}

/// A set with something in it that could not be read cannot be written whole. Single addresses are locked already; the
/// lock without a value is the one for all TXT values of a name.
fn not_whole(set: &Rrset, reading: &Reading) -> Vec<Refusal> {
    let whole = Address::record_set(&set.zone, set.kind, &set.name, None);
    let Some(why) = reading.live.locked.get(&whole).filter(|_| set.kind == RecordType::Txt) else {
        return Vec::new();
    };
    let refuse = |address| {
        refusal(
            address,
            "locked",
            format!("the record set it belongs to cannot be written whole: {why}"),
            "mend or remove that record at the server first".to_owned(),
        )
    };
    set.addresses.iter().map(refuse).collect()
}

/// RFC 2181 §5.2: one TTL. A new value with another TTL would change that of values which nobody mentioned.
fn two_times(set: &Rrset, changes: &BTreeMap<&Address, &Change>) -> Vec<Refusal> {
    let staying = staying(set, changes);
    let Some(ttl) = staying.first().map(|record| record.ttl) else {
        return Vec::new();
    };
    let differs = |address: &&Address| records_after(changes, address).any(|record| record.ttl != ttl);
    let refuse = |address: &Address| {
        refusal(
            address,
            "shared-ttl",
            format!(
                "other {} records at {} stay with a TTL of {ttl}, and all of a type at a name share one (RFC 2181 §5.2)",
                set.kind, set.name
            ),
            format!("write `ttl: {ttl}` for it, or declare the others too"),
        )
    };
    set.addresses.iter().filter(differs).map(refuse).collect()
}

fn records_after<'a>(changes: &BTreeMap<&Address, &'a Change>, address: &Address) -> impl Iterator<Item = &'a Record> {
    let after = changes.get(address).and_then(|change| change.after.as_ref());
    after
        .and_then(Resource::as_record_set)
        .into_iter()
        .flat_map(|set| &set.records)
}

fn staying<'s>(set: &'s Rrset, changes: &BTreeMap<&Address, &Change>) -> Vec<&'s Record> {
    let coming: BTreeSet<_> = set
        .addresses
        .iter()
        .flat_map(|address| records_after(changes, address))
        .map(|record| &record.data)
        .collect();
    set.after
        .iter()
        .filter(|record| !coming.contains(&record.data))
        .collect()
}

/// The comment of a set is that of the records in it which have one.
pub fn comment(records: &[Record]) -> Option<&str> {
    records.iter().find_map(|record| record.comment.as_deref())
}

fn two_comments(set: &Rrset, changes: &BTreeMap<&Address, &Change>) -> Vec<Refusal> {
    let staying = staying(set, changes);
    let live = comment(&set.before);
    let disagrees = |address: &&Address| {
        let before = changes.get(address).and_then(|change| change.before.as_ref());
        let had = before
            .and_then(Resource::as_record_set)
            .and_then(|set| comment(&set.records));
        records_after(changes, address).any(|record| match (record.comment.as_deref(), had) {
            (Some(said), _) => Some(said) != live,
            (None, Some(_)) => true,
            (None, None) => false,
        })
    };
    if staying.is_empty() {
        return Vec::new();
    }
    let refuse = |address| {
        refusal(
            address,
            "shared-comment",
            format!(
                "other {} records at {} stay, and the comment belongs to all of them",
                set.kind, set.name
            ),
            "leave the comment as it is, or declare the others too".to_owned(),
        )
    };
    set.addresses.iter().filter(disagrees).map(refuse).collect()
}

/// RFC 1034 §3.6.2, and RFC 2136 §3.4.2.2: a server ignores an alias beside other records without a word.
fn alias_beside(set: &Rrset, reading: &Reading, changes: &BTreeMap<&Address, &Change>) -> Option<Refusal> {
    let address = set.addresses.first()?;
    if set.kind != RecordType::Cname || set.after.is_empty() {
        return None;
    }
    let here = format!("/{}", set.name.relative_to(&set.zone));
    let is_at_name = |address: &Address| {
        let mut key = address.key().splitn(2, '/');
        let kind = key.next().unwrap_or_default();
        let rest = key.next().unwrap_or_default();
        let same_name = rest == &here[1..] || rest.strip_prefix(&here[1..]).is_some_and(|rest| rest.starts_with('/'));
        address.scope() == set.zone.as_str() && address.kind() == "dns" && same_name && kind != "CNAME"
    };
    let goes = |address: &Address| changes.get(address).is_some_and(|change| change.after.is_none());
    let live = reading.live.inventory.keys().chain(reading.live.locked.keys());
    let mut beside = live.filter(|address| is_at_name(address) && !goes(address));
    beside.next().map(|other| {
        refusal(
            address,
            "conflict",
            format!(
                "{} has {other}, and nothing can stand beside a CNAME (RFC 1034 §3.6.2)",
                set.name
            ),
            "remove that record first, or declare that there is none".to_owned(),
        )
    })
}
