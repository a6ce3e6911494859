//! The records of a zone, found by id and by name, and what excludes what at a name (facts §3.5).

use std::collections::{BTreeMap, HashMap};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::envelope::{GENERAL, Refusal};
use super::{Body, Record, txt};

/// Characters of all contents of one name and type together.
const COMBINED: usize = 8_192;
/// What the messages about names that are taken end with.
const LINK: &str = "For more details, refer to <https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/>.";

/// The records of a zone, in the order in which they were made.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Records {
    by_number: BTreeMap<u64, Record>,
    by_id: HashMap<String, u64>,
    names: HashMap<String, Node>,
    next: u64,
}

/// What stands at a name.
#[derive(Debug, Default)]
struct Node {
    kinds: HashMap<String, Tally>,
    /// By type and what makes two records the same.
    same: HashMap<(String, String), u64>,
}

#[derive(Debug, Default)]
struct Tally {
    records: usize,
    characters: usize,
}

impl Node {
    fn count(&self, kind: &str) -> usize {
        self.kinds.get(kind).map_or(0, |tally| tally.records)
    }
}

/// What makes two records of a name the same to the server: their type and their content. For TXT it is what the
/// quotes hold; where the priority is not in the content of a type with data, it is part of what is said.
fn identity(body: &Body) -> (String, String) {
    let content = match body.kind.as_str() {
        "TXT" => String::from_utf8_lossy(&txt::joined(&body.content)).into_owned(),
        "SRV" | "URI" => format!("{} {}", body.priority.unwrap_or_default(), body.content),
        _ => body.content.to_lowercase(),
    };
    (body.kind.clone(), content)
}

impl Records {
    pub(in crate::sandbox) fn len(&self) -> usize {
        self.by_number.len()
    }

    pub(in crate::sandbox) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.by_number.values()
    }

    /// The number of the record with this id.
    pub(in crate::sandbox) fn find(&self, id: &str) -> Option<u64> {
        self.by_id.get(id).copied()
    }

    pub(in crate::sandbox) fn get(&self, number: u64) -> Option<&Record> {
        self.by_number.get(&number)
    }

    /// Adds a record at the end, whatever else is there.
    pub(in crate::sandbox) fn insert(&mut self, record: Record) -> u64 {
        let number = self.next;
        self.put(number, record);
        number
    }

    /// Puts a record in a place of its own, where none is.
    pub(super) fn put(&mut self, number: u64, record: Record) {
        self.next = self.next.max(number + 1);
        let node = self.names.entry(record.body.name.clone()).or_default();
        let tally = node.kinds.entry(record.body.kind.clone()).or_default();
        tally.records += 1;
        tally.characters += record.body.content.chars().count();
        node.same.entry(identity(&record.body)).or_insert(number);
        self.by_id.insert(record.id.clone(), number);
        self.by_number.insert(number, record);
    }

    /// Takes a record out.
    pub(in crate::sandbox) fn take(&mut self, number: u64) -> Option<Record> {
        let record = self.by_number.remove(&number)?;
        self.by_id.remove(&record.id);
        if let Some(node) = self.names.get_mut(&record.body.name) {
            if let Some(tally) = node.kinds.get_mut(&record.body.kind) {
                tally.records -= 1;
                tally.characters -= record.body.content.chars().count();
                if tally.records == 0 {
                    node.kinds.remove(&record.body.kind);
                }
            }
            let key = identity(&record.body);
            if node.same.get(&key) == Some(&number) {
                node.same.remove(&key);
            }
            if node.kinds.is_empty() {
                self.names.remove(&record.body.name);
            }
        }
        Some(record)
    }

    /// Whether a record can stand beside all others.
    pub(super) fn admit(&self, body: &Body, apex: &str) -> Result<(), Refusal> {
        let (kind, is_apex) = (body.kind.as_str(), body.name == apex);
        if kind == "NS" && is_apex && body.content.to_lowercase().ends_with(".ns.cloudflare.com") {
            let words = "Cloudflare name servers cannot be added as NS records at the zone apex.";
            return Err(Refusal::bad(GENERAL, words));
        }
        let none = Node::default();
        let node = self.names.get(&body.name).unwrap_or(&none);
        if kind == "CNAME" && ["A", "AAAA", "CNAME"].iter().any(|kind| node.count(kind) > 0) {
            let words = format!("An A, AAAA, or CNAME record with that host already exists. {LINK}");
            return Err(Refusal::bad(81053, words));
        }
        if matches!(kind, "A" | "AAAA") && node.count("CNAME") > 0 {
            let words = format!("A CNAME record with that host already exists. {LINK}");
            return Err(Refusal::bad(81054, words));
        }
        if !is_apex && !matches!(kind, "NS" | "DS") && node.count("NS") > 0 {
            return Err(Refusal::bad(81056, "NS records with that host already exist."));
        }
        let others = node.kinds.keys().any(|kind| !matches!(kind.as_str(), "NS" | "DS"));
        if !is_apex && kind == "NS" && others {
            return Err(Refusal::bad(81055, "Non-NS records with that host already exist."));
        }
        if kind == "DS" && node.count("NS") == 0 {
            return Err(Refusal::bad(GENERAL, "DS records need NS records with the same host."));
        }
        if let Some(same) = node.same.get(&identity(body)).and_then(|number| self.get(*number)) {
            return Err(if same.body.says_the_same(body) {
                Refusal::bad(81058, "An identical record already exists.")
            } else {
                Refusal::bad(81057, "Record already exists.")
            });
        }
        let characters = node.kinds.get(kind).map_or(0, |tally| tally.characters);
        if characters + body.content.chars().count() > COMBINED {
            let words = "Combined content length of records with this name and type exceeds the limit.";
            return Err(Refusal::bad(83011, words));
        }
        Ok(())
    }

    /// A DS without the NS at its name would hang in the air.
    pub(super) fn check_delegation(&self, name: &str) -> Result<(), Refusal> {
        match self.names.get(name) {
            Some(node) if node.count("DS") > 0 && node.count("NS") == 0 => {
                Err(Refusal::bad(GENERAL, "DS records with that host need its NS records."))
            }
            _ => Ok(()),
        }
    }
}

impl Serialize for Records {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Records {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut records = Self::default();
        for record in Vec::<Record>::deserialize(deserializer)? {
            if records.by_id.contains_key(&record.id) {
                return Err(D::Error::custom(format!("two records have the id {}", record.id)));
            }
            records.insert(record);
        }
        Ok(records)
    }
}
