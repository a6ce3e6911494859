//! Level 2: the spec, from text to what is desired. [`yaml`] makes a located tree, [`raw`] is the language, `lower`
//! turns it into the model, `lint` judges the whole. Everything that is wrong is said at once, each thing with its
//! place. Pure: the text, the variables and the providers' capabilities come in as arguments. Knows no plan and no
//! provider's code.

mod basic;
mod csv;
pub mod edit;
pub mod emit;
mod lint;
mod load;
mod lower;
mod mail;
mod raw;
mod raw_edge;
mod raw_mail;
mod raw_uptime;
mod raw_uptime_values;
mod schema;
mod shape;
mod variables;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use crate::base::diagnostic::{Diagnostics, Source};
use crate::mail::dns::QueryName;
use crate::mail::spf::lock::LockFile;
use crate::model::capability::Capabilities;
use crate::model::inventory::{Desired, ProviderAccount};
use crate::model::name::DomainName;

pub use load::load;
pub use mail::{MailDomain, Rollout};
pub use schema::schema;

#[cfg(test)]
mod tests;

/// The largest spec that is read, in bytes: a hundred times a large one.
pub const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// The largest file that a spec may name, in bytes.
pub const MAX_FILE_BYTES: u64 = 32 * 1024 * 1024;

/// What a spec is read with.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// `--var` values by name; they win over what the spec says.
    pub vars: &'a BTreeMap<String, String>,
    /// Looks up an environment variable, for `vars` that say `env:NAME`.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Reads a file that the spec names, from the folder of the spec on. The error is a sentence.
    pub files: &'a dyn Fn(&str) -> Result<Arc<Source>, String>,
    /// The providers that there are, and what each can hold.
    pub providers: &'a [Capabilities],
    /// The day, in UTC, for what holds from a day on.
    pub today: Date,
    /// The file beside the spec that says what flattened includes stand for.
    pub spf_lock: &'a LockFile,
}

/// A spec that can be worked with.
#[derive(Debug, Clone)]
pub struct Spec {
    /// What is launched, in the user's words.
    pub project: Option<String>,
    /// The accounts, by the providers' names.
    pub providers: BTreeMap<String, ProviderAccount>,
    /// What shall be.
    pub desired: Desired,
    /// Mail, by the zones that declare it.
    pub mail: BTreeMap<DomainName, MailDomain>,
    /// The text that it was read from.
    pub source: Arc<Source>,
}

impl Spec {
    /// A spec that declares nothing: what is left where the file cannot be read.
    pub fn nothing(path: &str) -> Self {
        Self {
            project: None,
            providers: BTreeMap::new(),
            desired: Desired::default(),
            mail: BTreeMap::new(),
            source: Arc::new(Source {
                path: path.to_owned(),
                text: String::new(),
            }),
        }
    }
}

/// What came of reading a spec.
#[derive(Debug)]
pub struct Loaded {
    /// The spec, unless something is wrong with it.
    pub spec: Option<Spec>,
    /// Everything that was found.
    pub diagnostics: Diagnostics,
    /// The includes that the spec wants flattened, whether or not the lock file has them yet.
    pub flatten: BTreeSet<QueryName>,
}
