//! Lists of the account (facts §5.9).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::edge::Account;

/// The lists of the account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Lists {}

impl Account {
    /// The names of all lists, and of those that hold redirects.
    pub(super) fn list_names(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        (BTreeSet::new(), BTreeSet::new())
    }
}
