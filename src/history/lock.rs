//! Two applies on one history exclude each other. The lock is the operating system's own on an open file, so it cannot
//! outlive its holder; the file's text says who that is. A lock taken on another machine is never broken from here:
//! whether its holder lives cannot be known.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::base::files::FileError;
use crate::base::text;
use crate::history::store::HistoryError;

/// A lock that is held; let go when dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    host: String,
    since: jiff::Timestamp,
}

impl Holder {
    fn words(&self) -> String {
        let host = text::shorten(&text::sanitize(&self.host), 80);
        format!(
            "process {} on {host} since {}",
            self.pid,
            self.since.strftime("%Y-%m-%d %H:%M:%S UTC")
        )
    }
}

impl Lock {
    /// Takes the lock at `path`, or says who has it.
    pub fn take(path: &Path, host: &str, now: jiff::Timestamp) -> Result<Self, HistoryError> {
        let fail = |act: &'static str| {
            move |cause| {
                HistoryError::File(FileError::Io {
                    act,
                    path: path.to_owned(),
                    cause,
                })
            }
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(fail("open"))?;
        let free = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(cause)) => return Err(fail("lock")(cause)),
        };
        let holder = read_holder(&mut file);
        match (free, holder) {
            (false, Some(holder)) => Err(HistoryError::Locked(holder.words())),
            (false, None) => Err(HistoryError::Locked("it has only just begun".to_owned())),
            (true, Some(holder)) if holder.host != host => Err(HistoryError::LockedElsewhere {
                holder: holder.words(),
                path: path.to_owned(),
            }),
            // Held by nobody on this machine: whoever wrote the text is gone.
            (true, _) => {
                let holder = Holder {
                    pid: std::process::id(),
                    host: host.to_owned(),
                    since: now,
                };
                write_holder(&mut file, Some(&holder)).map_err(fail("write"))?;
                Ok(Self { file })
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The lock itself goes with the file; the text is only for others to read, so a failure here harms nobody.
        let _ = write_holder(&mut self.file, None);
    }
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(4_096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write_holder(file: &mut File, holder: Option<&Holder>) -> std::io::Result<()> {
    file.rewind()?;
    file.set_len(0)?;
    if let Some(holder) = holder {
        file.write_all(serde_json::to_string(holder).unwrap_or_default().as_bytes())?;
    }
    file.sync_data()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn now() -> jiff::Timestamp {
        "2026-11-24T16:00:00Z".parse().unwrap()
    }

    #[test]
    fn one_at_a_time_and_the_other_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Lock::take(&path, "here", now()).unwrap();
        let error = Lock::take(&path, "here", now()).unwrap_err().to_string();
        assert!(
            error.contains(&format!("process {} on here since 2026-11-24", std::process::id())),
            "{error}"
        );
        drop(held);
        Lock::take(&path, "here", now()).unwrap();
    }

    #[test]
    fn what_a_dead_process_left_is_taken_over_here_and_never_from_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let left = r#"{"pid":4194304,"host":"here","since":"2026-11-24T15:00:00Z"}"#;
        std::fs::write(&path, left).unwrap();
        assert!(matches!(
            Lock::take(&path, "there", now()),
            Err(HistoryError::LockedElsewhere { .. })
        ));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), left, "the other's text stays");
        Lock::take(&path, "here", now()).unwrap();
    }
}
