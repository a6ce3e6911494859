//! The folder in which our files lie: read, compared with what they should be, replaced together. A set of files is put
//! in place whole, or the old one is put back.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::render::{self, File, Secrets};
use crate::base::files;
use crate::base::secret::scrub;
use crate::base::text;
use crate::model::contact::{Channel, Guarded};
use crate::model::inventory::Inventory;
use crate::model::resource::Resource;
use crate::provider::{ProviderError, kept_file};

/// Whether it is a contact whose address is another one than what is kept.
fn is_hidden(resource: &Resource) -> bool {
    let contact = resource.as_contact();
    contact.is_some_and(|contact| contact.channel.guarded() == Some(&Guarded::Hidden))
}

/// A folder of files for one spec.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
    stack: String,
    smarthost: String,
}

/// Why files were not put in place; then those that were there still are.
#[derive(Debug)]
pub(super) enum Refused {
    /// A tool of the servers found them wrong: which tool, and what it said.
    Invalid(&'static str, String),
    /// They could not be written.
    Unwritten(String),
}

impl Folder {
    pub(super) fn new(path: &Path, stack: &str, smarthost: &str) -> Self {
        Self {
            path: path.to_owned(),
            stack: stack.to_owned(),
            smarthost: smarthost.to_owned(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The resources that the files were last written from.
    pub(super) fn kept(&self) -> Result<Inventory, ProviderError> {
        if !self.path.is_dir() {
            let message = format!("there is no folder `{}` to write checks into", self.path.display());
            return Err(ProviderError::new("bad-folder", message)
                .help("make it, readable for the servers, or name another one with `directory`"));
        }
        kept_file::read(&self.path.join(render::kept_in(&self.stack)))
    }

    /// What the files say. Ours are written from the resources alone, so what differs from them was changed by somebody.
    pub(super) fn as_they_are(&self, mut inventory: Inventory, secrets: &Secrets) -> Inventory {
        let there = |file: &File| files::read_text(&self.path.join(&file.name), kept_file::LARGEST).ok();
        let files = render::files(&self.stack, &inventory, secrets, &self.smarthost);
        let differs = |suffix: &str| {
            files
                .iter()
                .any(|file| file.name.ends_with(suffix) && there(file).as_ref() != Some(&file.text))
        };
        let receivers_differ = differs(".alertmanager.yml");
        let checks_differ = differs(".targets.json") || differs(".rules.yml") || differs(".blackbox.yml");
        let receivers = files
            .iter()
            .find(|file| file.name.ends_with(".alertmanager.yml"))
            .and_then(there);
        let mut gone = Vec::new();
        for (address, resource) in &mut inventory {
            match resource {
                Resource::Contact(contact) if receivers_differ => {
                    let is_there = |guarded: &Guarded| match guarded {
                        Guarded::Kept(reference) => secrets
                            .get(reference)
                            .zip(receivers.as_ref())
                            .is_some_and(|(secret, text)| text.contains(secret.as_str())),
                        Guarded::Hidden => false,
                    };
                    match &mut contact.channel {
                        Channel::Slack { hook: guarded } | Channel::Webhook { url: guarded } if !is_there(guarded) => {
                            *guarded = Guarded::Hidden;
                        }
                        Channel::Email { address: mailbox }
                            if receivers.as_ref().is_none_or(|text| !text.contains(mailbox.as_str())) =>
                        {
                            gone.push(address.clone());
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        let is_explained = !gone.is_empty() || inventory.values().any(is_hidden);
        inventory.retain(|address, _| !gone.contains(address));
        // Where everybody who is told is there, somebody changed of what, or when.
        if checks_differ || (receivers_differ && !is_explained) {
            kept_file::unmark(&mut inventory);
        }
        inventory
    }

    /// Writes the files for these resources, checked first by the servers' own tools where they are installed. What was
    /// there before is returned, to be put back when a server refuses the new.
    pub(super) fn replace(&self, inventory: &Inventory, secrets: &Secrets) -> Result<Before, Refused> {
        let mut all = render::files(&self.stack, inventory, secrets, &self.smarthost);
        check(&all)?;
        // Last: as long as it is the old one, the rest is taken for changed and written again.
        all.push(File {
            name: render::kept_in(&self.stack),
            text: kept_file::text(inventory),
            is_secret: false,
        });
        let old = |file: &File| {
            (
                self.path.join(&file.name),
                std::fs::read(self.path.join(&file.name)).ok(),
                file.is_secret,
            )
        };
        let before = Before(all.iter().map(old).collect());
        for file in &all {
            if let Err(error) = write(&self.path.join(&file.name), file.text.as_bytes(), file.is_secret) {
                before.put_back();
                return Err(Refused::Unwritten(error));
            }
        }
        Ok(before)
    }
}

/// Files as they were.
#[derive(Debug)]
pub(super) struct Before(Vec<(PathBuf, Option<Vec<u8>>, bool)>);

impl Before {
    /// Puts them back; what was not there goes.
    pub(super) fn put_back(&self) {
        for (path, bytes, is_secret) in &self.0 {
            let done = match bytes {
                Some(bytes) => write(path, bytes, *is_secret),
                None => match std::fs::remove_file(path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.to_string()),
                    _ => Ok(()),
                },
            };
            if let Err(why) = done {
                tracing::error!("`{}` could not be put back: {why}", path.display());
            }
        }
    }
}

fn write(path: &Path, bytes: &[u8], is_secret: bool) -> Result<(), String> {
    let written = if is_secret {
        files::write_atomic_for_group(path, bytes)
    } else {
        files::write_atomic(path, bytes)
    };
    written.map_err(|error| error.to_string())
}

/// Asks `promtool` and `amtool` where they are there. The exporter's own check takes what it should not, so it proves
/// nothing.
fn check(all: &[File]) -> Result<(), Refused> {
    let folder = tempfile::tempdir().map_err(|error| Refused::Unwritten(error.to_string()))?;
    for (suffix, tool, arguments) in [
        (".rules.yml", "promtool", &["check", "rules"][..]),
        (".alertmanager.yml", "amtool", &["check-config"][..]),
    ] {
        let Some(file) = all.iter().find(|file| file.name.ends_with(suffix)) else {
            continue;
        };
        let path = folder.path().join(&file.name);
        std::fs::write(&path, &file.text).map_err(|error| Refused::Unwritten(error.to_string()))?;
        let mut command = Command::new(tool);
        command.args(arguments).arg(&path);
        match verdict(command, &folder.path().join("said"), PATIENCE) {
            Ok(Some(said)) => {
                let said = scrub(&text::sanitize(said.trim())).into_owned();
                return Err(Refused::Invalid(tool, text::shorten(&said, 400)));
            }
            Ok(None) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                tracing::debug!("{tool} is not installed: {} goes unchecked", file.name);
            }
            Err(error) => return Err(Refused::Invalid(tool, error.to_string())),
        }
    }
    Ok(())
}

/// How long a tool may take to check a file.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a tool has against a file, written into `said` on the way; `None` when it has nothing. One that does not end is
/// ended.
fn verdict(mut command: Command, said: &Path, patience: Duration) -> std::io::Result<Option<String>> {
    let out = std::fs::File::create(said)?;
    command.stdin(Stdio::null()).stderr(out.try_clone()?).stdout(out);
    let mut child = command.spawn()?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            let words = format!("it did not end within {} s", patience.as_secs());
            return Err(std::io::Error::new(std::io::ErrorKind::TimedOut, words));
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    if status.success() {
        return Ok(None);
    }
    let mut words = Vec::new();
    std::fs::File::open(said)?.take(64 * 1024).read_to_end(&mut words)?;
    Ok(Some(String::from_utf8_lossy(&words).into_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_tool_that_does_not_end_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let run = |script: &str, patience: Duration| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            verdict(command, &folder.path().join("said"), patience)
        };
        let long = Duration::from_secs(20);
        assert_eq!(run("exit 0", long).unwrap(), None);
        assert_eq!(
            run("echo bad; echo worse >&2; exit 1", long).unwrap().unwrap(),
            "bad\nworse\n"
        );
        let error = run("sleep 60", Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    }
}
