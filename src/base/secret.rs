//! Credentials: where one is kept, the value once it is loaded, and the scrubbing of every loaded value from text.
//! A secret has no `Display`, and its `Debug` shows nothing; [`scrub`] is the second line of defence, at every door.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

use secrecy::{ExposeSecret as _, SecretString};

/// Every secret this process has loaded, so that no text that leaves it can hold one.
static LOADED: RwLock<Vec<SecretString>> = RwLock::new(Vec::new());

/// Shorter values are not scrubbed: they would blank out ordinary words. No provider issues one.
const SHORTEST_SCRUBBED: usize = 6;

/// A loaded credential.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a value over and remembers to scrub it from everything that is written.
    pub fn new(value: &str) -> Self {
        let secret = SecretString::from(value.to_owned());
        if value.len() >= SHORTEST_SCRUBBED {
            let mut loaded = LOADED.write().unwrap_or_else(PoisonError::into_inner);
            if !loaded.iter().any(|known| known.expose_secret() == value) {
                loaded.push(secret.clone());
            }
        }
        Self(secret)
    }

    /// The value itself, for the one header or message that carries it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// `text` without any loaded secret in it.
pub fn scrub(text: &str) -> Cow<'_, str> {
    let loaded = LOADED.read().unwrap_or_else(PoisonError::into_inner);
    let mut out = Cow::Borrowed(text);
    for secret in loaded.iter() {
        if out.contains(secret.expose_secret()) {
            out = Cow::Owned(out.replace(secret.expose_secret(), "[credential]"));
        }
    }
    out
}

/// Where a credential is kept. This is all that a spec may say about one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretReference {
    /// `env:NAME`: an environment variable.
    Env(String),
    /// `keyring:NAME`: an entry of the platform's store, under the service `launchctl`.
    Keyring(String),
    /// `file:PATH`: a file that holds nothing else.
    File(PathBuf),
}

/// Why a text is no reference to a credential. It never repeats the text: it may be a pasted credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretReferenceError {
    /// No known scheme.
    #[error("a credential is named by where it is kept, never written here")]
    NoScheme,
    /// A scheme without a name.
    #[error("`{0}:` needs a name after the colon")]
    Empty(&'static str),
    /// Not a name that an environment variable can have.
    #[error("an environment variable's name holds letters, digits and underscores only")]
    NotAName,
}

impl FromStr for SecretReference {
    type Err = SecretReferenceError;

    fn from_str(text: &str) -> Result<Self, SecretReferenceError> {
        let (scheme, rest) = text.split_once(':').ok_or(SecretReferenceError::NoScheme)?;
        match (scheme, rest) {
            ("env", "") => Err(SecretReferenceError::Empty("env")),
            ("keyring", "") => Err(SecretReferenceError::Empty("keyring")),
            ("file", "") => Err(SecretReferenceError::Empty("file")),
            ("env", name) if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
                Ok(Self::Env(name.to_owned()))
            }
            ("env", _) => Err(SecretReferenceError::NotAName),
            ("keyring", name) => Ok(Self::Keyring(name.to_owned())),
            ("file", path) => Ok(Self::File(PathBuf::from(path))),
            _ => Err(SecretReferenceError::NoScheme),
        }
    }
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Keyring(name) => write!(f, "keyring:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_loaded_secret_leaves_no_text() {
        let secret = Secret::new("canary-4f1d");
        assert_eq!(scrub("Bearer canary-4f1d."), "Bearer [credential].");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.expose(), "canary-4f1d");
    }

    #[test]
    fn references_read_back_and_errors_do_not_repeat_them() {
        for text in ["env:CLOUDFLARE_API_TOKEN", "keyring:cloudflare", "file:secrets/token"] {
            assert_eq!(text.parse::<SecretReference>().unwrap().to_string(), text);
        }
        assert!("env:".parse::<SecretReference>().is_err());
        for text in ["v1.0-abcdef0123456789", "env:A-B", "vault:x"] {
            let message = text.parse::<SecretReference>().unwrap_err().to_string();
            assert!(!message.contains(text), "{message}");
        }
    }
}
