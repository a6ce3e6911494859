//! The world on disk: zones with everything in them, what the account has beside them, and the accounts of checks. Tokens,
//! faults and budgets are not kept.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::betterstack;
use super::edge::Account;
use super::uptimerobot;
use super::world::World;
use super::zones::Zone;
use crate::base::files::{self, FileError};

/// The largest file that is read, in bytes: 10,000 records take about 6 MB.
const MOST: u64 = 256 * 1024 * 1024;
/// The one form there is so far.
const FORMAT: u32 = 1;

/// Why a state could not be taken up.
#[derive(Debug, thiserror::Error)]
pub(super) enum StateError {
    /// The file itself.
    #[error(transparent)]
    File(#[from] FileError),
    /// What stands in it.
    #[error("the sandbox's state in `{}` is damaged: {why}; remove the file to begin anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
}

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    pairs: usize,
    zones: &'a [Zone],
    account: &'a Account,
    uptimerobot: &'a uptimerobot::Account,
    betterstack: &'a betterstack::Account,
}

#[derive(Deserialize)]
struct Read {
    format: u32,
    pairs: usize,
    zones: Vec<Zone>,
    #[serde(default)]
    account: Account,
    #[serde(default)]
    uptimerobot: uptimerobot::Account,
    #[serde(default)]
    betterstack: betterstack::Account,
}

/// The world in a file; none when there is no such file.
pub(super) fn load(path: &Path) -> Result<Option<World>, StateError> {
    let text = match files::read_text(path, MOST) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let damaged = |why: String| StateError::Damaged {
        path: path.to_owned(),
        why,
    };
    let read: Read = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    if read.format != FORMAT {
        return Err(damaged(format!("it has the format {}; {FORMAT} is known", read.format)));
    }
    Ok(Some(World {
        zones: read.zones,
        account: read.account,
        pairs: read.pairs,
        uptimerobot: read.uptimerobot,
        betterstack: read.betterstack,
        ..World::default()
    }))
}

/// Replaces the file by the world as it is.
pub(super) fn save(world: &World, path: &Path) -> Result<(), FileError> {
    let written = Written {
        format: FORMAT,
        pairs: world.pairs,
        zones: &world.zones,
        account: &world.account,
        uptimerobot: &world.uptimerobot,
        betterstack: &world.betterstack,
    };
    let bytes = serde_json::to_vec(&written).map_err(|error| FileError::Io {
        act: "write",
        path: path.to_owned(),
        cause: error.into(),
    })?;
    files::write_atomic(path, &bytes)
}
