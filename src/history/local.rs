//! The history as a folder beside the spec: `.launchctl/runs/ID/{plan.json,journal.jsonl}`, meant to be committed with
//! it. What is no history (the lock, the sandbox's state) is kept out of version control by a `.gitignore` inside.

use std::fs;
use std::path::{Path, PathBuf};

use crate::base::clock::Clock;
use crate::base::files::{self, AppendFile, FileError};
use crate::history::lock::Lock;
use crate::history::record::{Entry, FORMAT, Run, RunId, RunRecord};
use crate::history::store::{HistoryError, Journal, Store};

/// The folder's name.
pub const FOLDER: &str = ".launchctl";
/// The largest file of a run that is read, in bytes: ten thousand changes take about ten million.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Makes the folder of a history, with what keeps the rest out of version control.
pub fn make_folder(folder: &Path) -> Result<(), HistoryError> {
    make(folder)?;
    let ignore = folder.join(".gitignore");
    if !ignore.exists() {
        files::write_atomic(
            &ignore,
            b"# The runs are meant to be committed; these are not.\nlock\nsandbox/\n",
        )?;
    }
    Ok(())
}

/// Makes the folder in which a stand-in keeps its state, within that of a history.
pub fn make_sandbox_folder(folder: &Path) -> Result<PathBuf, HistoryError> {
    make_folder(folder)?;
    let sandbox = folder.join("sandbox");
    make(&sandbox)?;
    Ok(sandbox)
}

/// Copies the runs of one history into another that has none.
pub fn copy_runs(from: &Path, to: &Path) -> Result<(), HistoryError> {
    let runs = from.join("runs");
    let fail = |act: &'static str, path: &Path| {
        let path = path.to_owned();
        move |cause| HistoryError::Folder { act, path, cause }
    };
    let listing = match fs::read_dir(&runs) {
        Ok(listing) => listing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(fail("list", &runs)(error)),
    };
    for entry in listing {
        let name = entry.map_err(fail("list", &runs))?.file_name();
        let Some(id) = name.to_str().and_then(|name| RunId::parse(name).ok()) else {
            continue;
        };
        let (source, target) = (runs.join(id.as_str()), to.join("runs").join(id.as_str()));
        make(&target)?;
        for file in ["plan.json", "journal.jsonl"] {
            let source = source.join(file);
            if source.exists() {
                fs::copy(&source, target.join(file)).map_err(fail("copy", &source))?;
            }
        }
    }
    Ok(())
}

fn make(path: &Path) -> Result<(), HistoryError> {
    fs::create_dir_all(path).map_err(|cause| HistoryError::Folder {
        act: "make",
        path: path.to_owned(),
        cause,
    })
}

/// A history in a folder.
#[derive(Debug, Clone)]
pub struct LocalStore {
    folder: PathBuf,
    clock: Clock,
}

impl LocalStore {
    /// The history kept in `folder`, which need not exist yet.
    pub fn new(folder: &Path, clock: Clock) -> Self {
        Self {
            folder: folder.to_owned(),
            clock,
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The names of all runs, oldest first.
    fn ids(&self) -> Result<Vec<RunId>, HistoryError> {
        let folder = self.folder.join("runs");
        let fail = |cause| HistoryError::Folder {
            act: "list",
            path: folder.clone(),
            cause,
        };
        let listing = match fs::read_dir(&folder) {
            Ok(listing) => listing,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fail(error)),
        };
        let mut ids = Vec::new();
        for entry in listing {
            let name = entry.map_err(fail)?.file_name();
            ids.extend(name.to_str().and_then(|name| RunId::parse(name).ok()));
        }
        ids.sort();
        Ok(ids)
    }

    fn read_run(&self, id: &RunId) -> Result<Option<Run>, HistoryError> {
        let folder = self.folder.join("runs").join(id.as_str());
        let path = folder.join("plan.json");
        let text = match files::read_text(&path, LARGEST) {
            Ok(text) => text,
            // A process was cut off before it had written its plan: it had done nothing.
            Err(error) if error.is_not_found() && !folder.join("journal.jsonl").exists() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let damaged = |path: &Path, why: String| HistoryError::Damaged {
            path: path.to_owned(),
            why,
        };
        let record: RunRecord = serde_json::from_str(&text).map_err(|error| damaged(&path, error.to_string()))?;
        if record.format != FORMAT {
            let why = format!(
                "it has format {}, this version of launchctl reads {FORMAT}",
                record.format
            );
            return Err(damaged(&path, why));
        }
        if record.run != *id {
            return Err(damaged(&path, format!("it speaks of run {}", record.run)));
        }
        let path = folder.join("journal.jsonl");
        let text = match files::read_text(&path, LARGEST) {
            Ok(text) => text,
            Err(error) if error.is_not_found() => String::new(),
            Err(FileError::NotText { .. }) => return Err(damaged(&path, "it is not text".to_owned())),
            Err(error) => return Err(error.into()),
        };
        let journal = read_journal(&text).map_err(|why| damaged(&path, why))?;
        Ok(Some(Run { record, journal }))
    }
}

/// The lines of a journal. The last one may have been cut off by a crash: it was never acted upon.
fn read_journal(text: &str) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        match serde_json::from_str(line) {
            Ok(entry) => entries.push(entry),
            Err(_) if !line.ends_with('\n') => {}
            Err(error) => return Err(format!("line {}: {error}", number + 1)),
        }
    }
    Ok(entries)
}

impl Store for LocalStore {
    fn lock(&self) -> Result<Lock, HistoryError> {
        make_folder(&self.folder)?;
        let host = rustix::system::uname();
        let host = host.nodename().to_string_lossy();
        Lock::take(&self.folder.join("lock"), &host, self.clock.now())
    }

    fn latest(&self) -> Result<Option<RunId>, HistoryError> {
        Ok(self.ids()?.pop())
    }

    fn all_runs(&self) -> Result<Vec<Run>, HistoryError> {
        let mut runs = Vec::new();
        for id in self.ids()? {
            runs.extend(self.read_run(&id)?);
        }
        Ok(runs)
    }

    fn begin(&self, record: &RunRecord) -> Result<Box<dyn Journal>, HistoryError> {
        make_folder(&self.folder)?;
        make(&self.folder.join("runs"))?;
        let folder = self.folder.join("runs").join(record.run.as_str());
        // Never into a folder that is there: it holds another run's way back.
        fs::create_dir(&folder).map_err(|cause| HistoryError::Folder {
            act: "make",
            path: folder.clone(),
            cause,
        })?;
        let path = folder.join("plan.json");
        let text = serde_json::to_string_pretty(record).map_err(|error| HistoryError::Damaged {
            path: path.clone(),
            why: error.to_string(),
        })?;
        files::write_atomic(&path, text.as_bytes())?;
        // The folder's own entry must be on disk too before anything is sent.
        let parent = self.folder.join("runs");
        files::sync_folder(&parent).map_err(|cause| HistoryError::Folder {
            act: "flush",
            path: parent,
            cause,
        })?;
        let path = folder.join("journal.jsonl");
        Ok(Box::new(LocalJournal {
            file: AppendFile::open(&path)?,
            path,
        }))
    }
}

struct LocalJournal {
    file: AppendFile,
    path: PathBuf,
}

impl Journal for LocalJournal {
    fn write(&mut self, entry: &Entry) -> Result<(), HistoryError> {
        let line = serde_json::to_string(entry).map_err(|error| HistoryError::Damaged {
            path: self.path.clone(),
            why: error.to_string(),
        })?;
        Ok(self.file.line(&line)?)
    }
}
