//! A plan kept in a file between review and apply. It holds the before-images that were reviewed, so that an apply can
//! refuse what is no longer so; and a digest of itself, so that an edit by hand does not pass for a review.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::digest;
use crate::model::address::Address;
use crate::model::inventory::Protection;
use crate::plan::change::{Change, Plan, Warning};

/// The version of the file's form.
const FORMAT: u32 = 1;

/// A plan as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// The version of this form.
    pub format: u32,
    /// The spec's file name, beside which the history is kept.
    pub spec: String,
    /// The SHA-256 of the spec's text.
    pub spec_digest: String,
    /// When it was made.
    pub created: jiff::Timestamp,
    /// The zones that were read, with the provider and the provider's id for each.
    pub zones: BTreeMap<String, SavedZone>,
    /// The changes that were reviewed.
    pub changes: Vec<Change>,
    /// What was left alone.
    pub unmanaged: BTreeSet<Address>,
    /// What there was to know.
    pub warnings: Vec<Warning>,
    /// What becomes owned without changing.
    pub adopted: BTreeMap<Address, String>,
    /// What stops being owned.
    pub released: BTreeSet<Address>,
    /// The number of deletions that was agreed to when it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_deletes: Option<usize>,
    /// The SHA-256 of everything above.
    #[serde(default)]
    pub digest: String,
}

/// Which zone was meant: a name can be another zone elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedZone {
    /// The provider's name.
    pub provider: String,
    /// The provider's id for the zone.
    pub id: String,
    /// What no plan may change there: a way back keeps to it even when the spec is gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protect: Vec<Protection>,
}

/// Why a file is no saved plan.
#[derive(Debug, thiserror::Error)]
pub enum SavedPlanError {
    /// Not the JSON of a plan.
    #[error("this is no saved plan: {0}")]
    Shape(#[from] serde_json::Error),
    /// Written by a newer version.
    #[error("this plan has format {0}; this version of launchctl reads format {FORMAT}")]
    Format(u32),
    /// Edited after it was saved.
    #[error("this plan was altered after it was saved: make a new one with `launchctl plan --out`")]
    Altered,
}

impl SavedPlan {
    /// Takes a plan down.
    pub fn new(
        plan: &Plan,
        spec: String,
        spec_digest: String,
        created: jiff::Timestamp,
        zones: BTreeMap<String, SavedZone>,
    ) -> Self {
        Self {
            format: FORMAT,
            spec,
            spec_digest,
            created,
            zones,
            changes: plan.changes.clone(),
            unmanaged: plan.unmanaged.clone(),
            warnings: plan.warnings.clone(),
            adopted: plan.adopted.clone(),
            released: plan.released.clone(),
            allow_deletes: None,
            digest: String::new(),
        }
    }

    /// The text of the file.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let sealed = Self {
            digest: self.seal()?,
            ..self.clone()
        };
        Ok(serde_json::to_string_pretty(&sealed)? + "\n")
    }

    /// Reads the text of a file.
    pub fn from_text(text: &str) -> Result<Self, SavedPlanError> {
        let saved: Self = serde_json::from_str(text)?;
        if saved.format != FORMAT {
            return Err(SavedPlanError::Format(saved.format));
        }
        if saved.seal()? != saved.digest {
            return Err(SavedPlanError::Altered);
        }
        Ok(saved)
    }

    fn seal(&self) -> Result<String, serde_json::Error> {
        let open = Self {
            digest: String::new(),
            ..self.clone()
        };
        Ok(digest::sha256_hex(&serde_json::to_vec(&open)?))
    }
}
