//! The one small door to where runs are kept. A shared store (a database, an object store) is another implementation.

use std::path::PathBuf;

use crate::base::files::FileError;
use crate::history::lock::Lock;
use crate::history::record::{Entry, Run, RunId, RunRecord};

/// Where runs are kept.
pub trait Store: Send + Sync {
    /// Keeps others out until the lock is dropped.
    fn lock(&self) -> Result<Lock, HistoryError>;

    /// The name of the latest run of any spec.
    fn latest(&self) -> Result<Option<RunId>, HistoryError>;

    /// The runs of all specs, oldest first.
    fn all_runs(&self) -> Result<Vec<Run>, HistoryError>;

    /// The runs of a spec, oldest first.
    fn runs(&self, spec: &str) -> Result<Vec<Run>, HistoryError> {
        let all = self.all_runs()?;
        Ok(all.into_iter().filter(|run| run.record.spec == spec).collect())
    }

    /// Keeps the plan of a new run, and opens its journal.
    fn begin(&self, record: &RunRecord) -> Result<Box<dyn Journal>, HistoryError>;
}

/// A journal that is being written: each line is on disk before the call returns.
pub trait Journal: Send {
    /// Adds a line.
    fn write(&mut self, entry: &Entry) -> Result<(), HistoryError>;
}

/// What can go wrong with a history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A folder could not be made or listed.
    #[error("could not {act} `{}`: {cause}", path.display())]
    Folder {
        /// What was being done.
        act: &'static str,
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("`{}` is damaged: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// Another process is at work.
    #[error("another launchctl is at work here: {0}")]
    Locked(String),
    /// A process on another machine left its lock, and nobody here can tell whether it lives.
    #[error("the history is locked from another machine: {holder}")]
    LockedElsewhere {
        /// Who holds it.
        holder: String,
        /// The file to remove once that is known to be over.
        path: PathBuf,
    },
}

impl HistoryError {
    /// A stable name for this kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(_) | Self::Folder { .. } => "history-file",
            Self::Damaged { .. } => "history-damaged",
            Self::Locked(_) | Self::LockedElsewhere { .. } => "locked",
        }
    }

    /// What to do next.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::File(_) | Self::Folder { .. } => None,
            Self::Damaged { path, .. } => Some(format!(
                "restore {} from version control, or move its folder away: a missing run never causes a delete",
                path.display()
            )),
            Self::Locked(_) => Some("wait until it is done, then try again".to_owned()),
            Self::LockedElsewhere { path, .. } => Some(format!(
                "when you are sure that it is not running any more, remove {}",
                path.display()
            )),
        }
    }
}
