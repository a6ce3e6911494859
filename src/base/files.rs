//! Files, read within bounds and written so that a crash leaves the old or the new and never half of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// What could not be done with which file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refused.
    #[error("could not {act} `{}`: {cause}", path.display())]
    Io {
        /// What was being done: `read`, `write`, …
        act: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// More than was reckoned with.
    #[error("`{}` is larger than {limit} bytes, which is the most that is read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The bound, in bytes.
        limit: u64,
    },
    /// Bytes that are no text.
    #[error("`{}` is not UTF-8 text (byte {at})", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The first byte that does not fit.
        at: usize,
    },
}

impl FileError {
    fn io(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io {
            act,
            path: path.to_owned(),
            cause,
        }
    }

    /// Whether the file is there and was not to be.
    pub fn is_there_already(&self) -> bool {
        matches!(self, Self::Io { cause, .. } if cause.kind() == io::ErrorKind::AlreadyExists)
    }

    /// Whether the file simply is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { cause, .. } if cause.kind() == io::ErrorKind::NotFound)
    }
}

/// The text of a file of at most `limit` bytes.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(FileError::io("read", path))?;
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(FileError::io("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(FileError::TooLarge {
            path: path.to_owned(),
            limit,
        });
    }
    String::from_utf8(bytes).map_err(|error| FileError::NotText {
        path: path.to_owned(),
        at: error.utf8_error().valid_up_to(),
    })
}

/// Replaces a file in one stroke: written beside it, flushed to disk, renamed over it, the folder flushed too.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_with(path, bytes, 0o644)
}

/// The same for a file that holds a credential: its owner may write it, its group may read it, and nobody else. The
/// group is the one that the file had, else the folder's, where that may be given.
pub fn write_atomic_for_group(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_with(path, bytes, 0o640)
}

/// Gives a file the group that the one at `path` had, else that of `folder` when there is one. Who may not do that is left
/// with their own.
#[cfg(unix)]
fn keep_group(file: &File, path: &Path, folder: Option<&Path>) {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let found = fs::metadata(path).or_else(|error| folder.map_or(Err(error), fs::metadata));
    if let Ok(found) = found {
        let _ = fchown(file, None, Some(found.gid()));
    }
}

/// Replaces what a path leads to, through links, and keeps its mode.
pub fn write_over(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let target = path.canonicalize().map_err(FileError::io("find", path))?;
    #[cfg(unix)]
    let mode = {
        use std::os::unix::fs::PermissionsExt as _;
        let found = fs::metadata(&target).map_err(FileError::io("read", path))?;
        found.permissions().mode() & 0o777
    };
    #[cfg(not(unix))]
    let mode = 0o644;
    write_with(&target, bytes, mode)
}

fn write_with(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let write = || -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        #[cfg(unix)]
        keep_group(file.as_file(), path, Some(folder).filter(|_| mode == 0o640));
        set_mode(file.as_file(), mode)?;
        file.persist(path).map_err(|error| error.error)?;
        sync_folder(folder)
    };
    write().map_err(FileError::io("write", path))
}

/// Writes a new file that only its owner can read. Nothing that is there already is touched, not even a link.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(FileError::io("write", path))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a key is of no use to anybody, and would stand in the way of the next attempt.
        let _ = fs::remove_file(path);
    }
    written.map_err(FileError::io("write", path))
}

/// Temporary files are made for their owner alone; what we keep is meant to be read and committed.
#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

/// Makes a rename or a new file in `folder` outlast a power cut, where the system can.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

/// A file that only grows, each addition flushed to disk before the call returns.
#[derive(Debug)]
pub struct AppendFile {
    path: PathBuf,
    file: File,
}

impl AppendFile {
    /// Opens a file for appending, making it when it is not there.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(FileError::io("open", path))?;
        if let Some(folder) = path.parent() {
            sync_folder(folder).map_err(FileError::io("flush", folder))?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Adds one line and flushes it to disk.
    pub fn line(&mut self, line: &str) -> Result<(), FileError> {
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        let before = self.file.metadata().map(|metadata| metadata.len());
        let written = self.file.write_all(&bytes).and_then(|()| self.file.sync_data());
        if let (Err(_), Ok(length)) = (&written, before) {
            // Half a line in the middle of a file would make all of it unreadable; where even this fails, the error
            // that is told is the first one.
            let _ = self.file.set_len(length);
        }
        written.map_err(FileError::io("write", &self.path))
    }
}

/// The last part of a path, or all of it where it has none.
pub fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn reading_is_bounded_and_wants_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        write_atomic(&path, b"12345").unwrap();
        assert_eq!(read_text(&path, 5).unwrap(), "12345");
        assert!(matches!(read_text(&path, 4), Err(FileError::TooLarge { limit: 4, .. })));
        write_atomic(&path, b"ab\xff").unwrap();
        assert!(matches!(read_text(&path, 9), Err(FileError::NotText { at: 2, .. })));
        assert!(read_text(&folder.path().join("none"), 9).unwrap_err().is_not_found());
    }

    #[cfg(unix)]
    #[test]
    fn what_a_group_may_read_is_of_the_group_of_its_folder() {
        use std::os::unix::fs::{MetadataExt as _, chown};
        let folder = tempfile::tempdir().unwrap();
        // Only root may give it to a group that it is not in itself.
        let _ = chown(folder.path(), None, Some(4_242));
        let group = |path: &Path| fs::metadata(path).unwrap().gid();
        let path = folder.path().join("x");
        write_atomic_for_group(&path, b"1").unwrap();
        assert_eq!(group(&path), group(folder.path()));
        let _ = chown(&path, None, Some(4_243));
        let before = group(&path);
        write_atomic_for_group(&path, b"2").unwrap();
        assert_eq!(group(&path), before, "the one that it was given stays");
    }

    #[test]
    fn lines_are_added_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        AppendFile::open(&path).unwrap().line("one").unwrap();
        AppendFile::open(&path).unwrap().line("two").unwrap();
        assert_eq!(read_text(&path, 99).unwrap(), "one\ntwo\n");
    }
}
