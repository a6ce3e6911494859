//! Between the model and updates. An update says what it expects to find, set by set, and what shall be there instead
//! (RFC 2136 §2.4, §2.5), so that the server itself refuses one that was made from an older state of the zone. It is
//! kept as JSON in a step, to be shown and journalled, and becomes a message when it is sent. Pure.

use std::collections::BTreeMap;

use hickory_proto::op::{Message, OpCode};
use hickory_proto::rr::{DNSClass, Name, RData, Record as WireRecord, RecordType as WireType};
use serde::{Deserialize, Serialize};

use super::api::{self, Denied};
use super::quirks;
use super::transfer::Transferred;
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::model::record_set::Record;
use crate::model::ttl::Ttl;
use crate::provider::rrset::{self, Rrset};
use crate::provider::{Reading, dns};

/// What an update expects and does, everything at one name together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Update {
    /// The serial that the zone had when it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u32>,
    /// Sets that are there, with exactly these values.
    pub expect: Vec<Values>,
    /// Sets that are not there.
    pub expect_none: Vec<Sets>,
    /// Sets that go, or make room for their new values.
    pub delete: Vec<Sets>,
    /// Values that come.
    pub add: Vec<Values>,
}

/// A set with its values, octet for octet: the server compares them so, and what somebody else wrote may have another
/// form than ours (a text split elsewhere, a host in capitals).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Values {
    name: DomainName,
    #[serde(rename = "type")]
    kind: RecordType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<u32>,
    records: Vec<Octets>,
}

/// The octets of a record's data, in the form that zone files have for data of any type (RFC 3597 §5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Octets(Vec<u8>);

impl From<Octets> for String {
    fn from(octets: Octets) -> Self {
        let Octets(octets) = octets;
        format!("\\# {} {}", octets.len(), hexadecimal(&octets))
    }
}

impl TryFrom<String> for Octets {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let octets = text
            .strip_prefix("\\# ")
            .and_then(|rest| rest.split_once(' '))
            .and_then(|(length, digits)| {
                let octets = octets_of(digits)?;
                (length.parse() == Ok(octets.len())).then_some(octets)
            });
        octets.map(Self).ok_or_else(|| format!("`{text}` is no data"))
    }
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn octets_of(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?))
        .collect()
}

impl Values {
    fn carried(&self) -> impl Iterator<Item = RData> {
        let carried = |data: &Octets| api::carried(self.kind, data.0.clone());
        self.records.iter().filter_map(carried)
    }
}

/// Sets of one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sets {
    name: DomainName,
    types: Vec<RecordType>,
}

impl Update {
    /// What the sets of one name ask for.
    pub(super) fn of_name(sets: &[Rrset]) -> Self {
        let mut update = Self::default();
        let Some(name) = sets.first().map(|set| set.name.clone()) else {
            return update;
        };
        let (mut none, mut gone) = (Vec::new(), Vec::new());
        for set in sets {
            let values = |records: &[Record], ttl| Values {
                name: name.clone(),
                kind: set.kind,
                ttl,
                records: octets(set, records),
            };
            if set.before.is_empty() {
                none.push(set.kind);
            } else {
                update.expect.push(values(&set.before, None));
                gone.push(set.kind);
            }
            if !set.after.is_empty() {
                let ttl = Rrset::ttl(&set.after, quirks::AUTOMATIC_TTL);
                update.add.push(values(&set.after, Some(ttl)));
            }
        }
        none.extend(excluded(sets));
        for (list, types) in [(&mut update.expect_none, none), (&mut update.delete, gone)] {
            if !types.is_empty() {
                let name = name.clone();
                list.push(Sets { name, types });
            }
        }
        update
    }

    /// Adds what another name asks for.
    pub(super) fn absorb(&mut self, other: Self) {
        self.expect.extend(other.expect);
        self.expect_none.extend(other.expect_none);
        self.delete.extend(other.delete);
        self.add.extend(other.add);
    }

    /// About how many octets it takes in a message.
    pub(super) fn size(&self) -> usize {
        let values = |values: &Values| -> usize {
            let owner = values.name.as_str().len() + 12;
            values.records.iter().map(|data| owner + data.0.len()).sum()
        };
        let sets = |sets: &Sets| (sets.name.as_str().len() + 12) * sets.types.len();
        let all = self.expect.iter().chain(&self.add).map(values);
        all.chain(self.expect_none.iter().chain(&self.delete).map(sets)).sum()
    }

    /// How many sets are written, and how many are only deleted.
    pub(super) fn counts(&self) -> (usize, usize) {
        let deleted: usize = self.delete.iter().map(|sets| sets.types.len()).sum();
        let is_replaced = |sets: &Sets, kind: &RecordType| {
            self.add
                .iter()
                .any(|values| values.kind == *kind && values.name == sets.name)
        };
        let replaced: usize = self
            .delete
            .iter()
            .map(|sets| sets.types.iter().filter(|kind| is_replaced(sets, kind)).count())
            .sum();
        (self.add.len(), deleted - replaced)
    }

    /// The message (RFC 2136 §2): the zone, what is expected, what goes, what comes.
    pub(super) fn message(&self, zone: &DomainName) -> Result<Message, Denied> {
        let mut message = api::message(zone, OpCode::Update, WireType::SOA)?;
        for values in &self.expect {
            let records = values.carried();
            message.answers.extend(each(&values.name, 0, DNSClass::IN, records)?);
        }
        for sets in &self.expect_none {
            message
                .answers
                .extend(each(&sets.name, 0, DNSClass::NONE, whole(sets))?);
        }
        for sets in &self.delete {
            message
                .authorities
                .extend(each(&sets.name, 0, DNSClass::ANY, whole(sets))?);
        }
        for values in &self.add {
            let ttl = values.ttl.unwrap_or(quirks::AUTOMATIC_TTL);
            let records = values.carried();
            message
                .authorities
                .extend(each(&values.name, ttl, DNSClass::IN, records)?);
        }
        Ok(message)
    }
}

/// The data of records as the server has it, and in our own form where it has none.
fn octets(set: &Rrset, records: &[Record]) -> Vec<Octets> {
    // What is no part of DNS is refused while validating.
    let ours = |data: &RecordData| hexadecimal(&data.to_wire().unwrap_or_default());
    let written = set.written(records, ours);
    // Nothing but such digits is ever kept.
    written
        .iter()
        .filter_map(|digits| octets_of(digits).map(Octets))
        .collect()
}

fn whole(sets: &Sets) -> impl Iterator<Item = RData> {
    let kinds = sets.types.iter();
    kinds.filter_map(|kind| kind.number().map(|number| RData::Update0(WireType::from(number))))
}

fn each(
    owner: &DomainName,
    ttl: u32,
    class: DNSClass,
    data: impl Iterator<Item = RData>,
) -> Result<Vec<WireRecord>, Denied> {
    let owner: Name =
        dns::name(owner).ok_or_else(|| Denied::NotSent(format!("{owner} is no name that DNS can carry")))?;
    let record = |data| {
        let mut record = WireRecord::from_rdata(owner.clone(), ttl, data);
        record.dns_class = class;
        record
    };
    Ok(data.map(record).collect())
}

/// What must not have come to the name meanwhile: a server ignores an alias beside others, and others beside an alias,
/// without a word (RFC 2136 §3.4.2.2).
fn excluded(sets: &[Rrset]) -> Vec<RecordType> {
    let is_changed = |kind: &RecordType| sets.iter().any(|set| set.kind == *kind);
    let mut coming = sets.iter().filter(|set| !set.after.is_empty()).map(|set| set.kind);
    match coming.next() {
        None => Vec::new(),
        Some(first) if first == RecordType::Cname || coming.any(|kind| kind == RecordType::Cname) => {
            let others = RecordType::ALL.iter().copied();
            others.filter(|kind| !is_changed(kind)).collect()
        }
        Some(_) if is_changed(&RecordType::Cname) => Vec::new(),
        Some(_) => vec![RecordType::Cname],
    }
}

/// What was transferred, in the model.
pub(super) fn reading(zone: &DomainName, records: &[Transferred]) -> Result<Reading, String> {
    let mut reading = Reading::default();
    let mut loose: Vec<(DomainName, Record, String)> = Vec::new();
    // What is said of a set is said once, however many records it has.
    let mut aside: BTreeMap<(String, u16), String> = BTreeMap::new();
    let mut locked: BTreeMap<(DomainName, RecordType), String> = BTreeMap::new();
    for record in records.iter().filter(|record| !quirks::is_servers_own(record.kind)) {
        let name = match DomainName::parse(&record.owner) {
            Ok(name) if name.is_within(zone) => name,
            Ok(name) => return Err(format!("a record of {name}, which is another zone's")),
            Err(error) => {
                aside.insert((record.owner.clone(), record.kind), error.to_string());
                continue;
            }
        };
        let lock = quirks::lock(zone, &name, record.kind);
        let Some(kind) = RecordType::from_number(record.kind) else {
            if lock.is_none() {
                let why = "its type is not known".to_owned();
                aside.insert((record.owner.clone(), record.kind), why);
            }
            continue;
        };
        if let Some(why) = lock {
            locked.insert((name.clone(), kind), why.to_owned());
        }
        match RecordData::from_wire(kind, &record.data) {
            Ok(data) => {
                let ttl = Ttl::Seconds(record.ttl.min(Ttl::MAX));
                loose.push((
                    name,
                    Record {
                        ttl,
                        ..Record::new(data)
                    },
                    hexadecimal(&record.data),
                ));
            }
            // The mailbox in it may hold what no host can. Nobody writes it, so nobody has to read it.
            Err(_) if kind == RecordType::Soa => {}
            Err(error) => {
                locked.insert(
                    (name, kind),
                    format!("one of its records could not be understood: {error}"),
                );
            }
        }
    }
    for ((owner, kind), why) in aside {
        rrset::set_aside(&mut reading, zone, (&owner, &type_name(kind)), &why);
    }
    for ((name, kind), why) in locked {
        rrset::lock(&mut reading, zone, (&name, kind), why);
    }
    rrset::keep(&mut reading, zone, loose);
    Ok(reading)
}

fn type_name(number: u16) -> String {
    RecordType::from_number(number).map_or_else(|| format!("TYPE{number}"), |kind| kind.as_str().to_owned())
}
