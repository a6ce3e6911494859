//! The lock file of flattened includes: what each stood for, on which day, and the records that it was read from. It is
//! committed beside the spec and reviewed like code, so that the same lock always compiles to the same records. Text in
//! and text out; it knows no file system.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::flatten::Flat;
use super::network::{self, Network};
use super::{MOST_LOOKUPS, MOST_NETWORKS};
use crate::mail::dns::QueryName;

/// The form of the file.
const FORMAT: u32 = 1;
/// The largest lock file that is read, in bytes.
pub const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// What stands in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// The includes by name.
    pub includes: BTreeMap<QueryName, Locked>,
}

/// One include as it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// The day, in UTC.
    pub taken: Date,
    /// What it stood for.
    pub flat: Flat,
}

/// The file beside a spec, as far as it can be read.
#[derive(Debug, Clone)]
pub struct LockFile {
    /// Where it is, for people.
    pub path: String,
    /// What is in it: nothing when it is not there, or why it cannot be read.
    pub content: Result<Lock, String>,
}

impl Default for LockFile {
    fn default() -> Self {
        Self {
            path: String::new(),
            content: Ok(Lock::default()),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    made_by: String,
    includes: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    taken: Date,
    lookups: usize,
    networks: Vec<String>,
    records: BTreeMap<String, String>,
}

impl Lock {
    /// Reads the text of the file, or says why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if file.format != FORMAT {
            return Err(format!(
                "its format is {}, and this version knows {FORMAT}",
                file.format
            ));
        }
        let mut includes = BTreeMap::new();
        for (name, entry) in file.includes {
            let include = QueryName::parse(&name).map_err(|error| format!("`{name}`: {error}"))?;
            let networks: Result<Vec<Network>, String> = entry.networks.iter().map(|text| text.parse()).collect();
            let networks = network::fewest(networks.map_err(|error| format!("`{name}`: {error}"))?);
            if networks.is_empty() || networks.len() > MOST_NETWORKS {
                return Err(format!("`{name}` holds {} networks", networks.len()));
            }
            if let Some(all) = networks.iter().find(|network| network.prefix() == 0) {
                return Err(format!("`{name}` lets {all} send, which is everybody"));
            }
            if entry.lookups > MOST_LOOKUPS {
                return Err(format!(
                    "`{name}` takes {} lookups, and receivers stop at {MOST_LOOKUPS}",
                    entry.lookups
                ));
            }
            let flat = Flat {
                networks,
                records: entry.records,
                lookups: entry.lookups,
            };
            let taken = entry.taken;
            includes.insert(include, Locked { taken, flat });
        }
        Ok(Self { includes })
    }

    /// The text of the file.
    pub fn build(&self) -> String {
        let entry = |locked: &Locked| Entry {
            taken: locked.taken,
            lookups: locked.flat.lookups,
            networks: locked.flat.networks.iter().map(ToString::to_string).collect(),
            records: locked.flat.records.clone(),
        };
        let file = File {
            format: FORMAT,
            made_by: "launchctl mail flatten".to_owned(),
            includes: self
                .includes
                .iter()
                .map(|(name, locked)| (name.to_string(), entry(locked)))
                .collect(),
        };
        let text = serde_json::to_string_pretty(&file).expect("texts, numbers and days are always JSON");
        format!("{text}\n")
    }
}
