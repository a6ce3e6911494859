//! Fetches a credential from where a spec says that it is kept. The value goes into a [`Secret`] and nowhere else: no
//! error here repeats one.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::base::files;
use crate::base::secret::{Secret, SecretReference};
use crate::model::address::Address;
use crate::model::inventory::Inventory;
use crate::provider::{Profile, ProviderError, Sought};

/// No provider issues a longer credential.
const MAX_BYTES: u64 = 16 * 1024;

/// Looks up environment variables.
type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Fetches credentials from where they are kept.
#[derive(Clone)]
pub struct Keeper(Option<Environment>);

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeper(…)")
    }
}

impl Keeper {
    /// One that looks where a reference says.
    pub fn new(environment: Environment) -> Self {
        Self(Some(environment))
    }

    /// One for a stand-in: every reference holds a made-up address, and nothing real is even looked for.
    pub fn stand_in() -> Self {
        Self(None)
    }

    /// An environment variable.
    pub fn environment(&self, name: &str) -> Option<String> {
        self.0.as_ref().and_then(|environment| environment(name))
    }

    /// What is kept there, for `whom` in words.
    pub fn fetch(&self, reference: &SecretReference, whom: &str) -> Result<Secret, ProviderError> {
        let Some(environment) = &self.0 else {
            let word = crate::base::digest::short(reference.to_string().as_bytes(), 12);
            return Ok(Secret::new(&format!("https://hooks.sandbox.example/{word}")));
        };
        let value = Self::kept(reference, whom, environment)?;
        let value = value.trim();
        if value.is_empty() || !value.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(missing(
                whom,
                &format!("{reference} holds none: one word of printable ASCII was expected"),
            ));
        }
        Ok(Secret::new(value))
    }

    /// What is kept there for a check or a contact. A contact is told at an address, which is one word; what a check
    /// sends may be any text.
    pub fn fetch_for(&self, reference: &SecretReference, whom: &Address) -> Result<Secret, ProviderError> {
        if whom.kind() == "contact" {
            return self.fetch(reference, whom.as_str());
        }
        let Some(environment) = &self.0 else {
            let word = crate::base::digest::short(reference.to_string().as_bytes(), 12);
            return Ok(Secret::new(&format!("{{\"stand-in\":\"{word}\"}}")));
        };
        let value = Self::kept(reference, whom.as_str(), environment)?;
        let value = value.trim_end_matches(['\r', '\n']);
        let is_text = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
        if value.is_empty() || value.len() as u64 > MAX_BYTES || !value.chars().all(is_text) {
            return Err(missing(
                whom.as_str(),
                &format!("{reference} holds none: a text without control characters was expected"),
            ));
        }
        Ok(Secret::new(value))
    }

    /// What is kept at the places that the sought resources name or ever named. What the spec declares must be there;
    /// what only earlier runs left may be gone.
    pub fn fetch_all(&self, sought: &Sought) -> Result<BTreeMap<SecretReference, Secret>, ProviderError> {
        let (mut all, missing) = self.look_for(&sought.resources);
        let missing = missing
            .into_iter()
            .filter(|(address, _)| sought.declared.contains(address));
        together(missing.map(|(_, error)| error).collect())?;
        // Of a reference that nothing names any more it is not known what it was for.
        let somebody = Address::monitor("@");
        for reference in &sought.references {
            if !all.contains_key(reference) {
                all.extend(
                    self.fetch_for(reference, &somebody)
                        .ok()
                        .map(|secret| (reference.clone(), secret)),
                );
            }
        }
        Ok(all)
    }

    /// What is kept at the places that these resources name, and what is not there, each with one that needs it.
    pub fn look_for(
        &self,
        resources: &Inventory,
    ) -> (BTreeMap<SecretReference, Secret>, Vec<(Address, ProviderError)>) {
        let (mut all, mut missing) = (BTreeMap::new(), Vec::new());
        for (address, resource) in resources {
            for reference in resource.references() {
                match self.fetch_for(reference, address) {
                    Ok(secret) => {
                        all.insert(reference.clone(), secret);
                    }
                    Err(error) => missing.push((address.clone(), error)),
                }
            }
        }
        (all, missing)
    }

    fn kept(reference: &SecretReference, whom: &str, environment: &Environment) -> Result<String, ProviderError> {
        match reference {
            SecretReference::Env(name) => environment(name).ok_or_else(|| {
                missing(whom, &format!("the environment variable {name} is not set"))
                    .help(format!("put it there: export {name}=…"))
            }),
            SecretReference::File(path) => from_file(whom, path),
            SecretReference::Keyring(name) => from_keyring(whom, name),
        }
    }
}

/// Loads the credential for a provider: from where the spec says, else from the provider's usual variable.
pub fn load(profile: &Profile, reference: Option<&SecretReference>, keeper: &Keeper) -> Result<Secret, ProviderError> {
    let usual = SecretReference::Env(profile.token_variable.to_owned());
    let reference = reference.unwrap_or(&usual);
    keeper
        .fetch(reference, profile.capabilities.name)
        .map_err(|error| match (reference, error.help.as_deref()) {
            (SecretReference::Env(name), Some(help)) if help.starts_with("put it there") => {
                error.help(format!("{}; then: export {name}=…", profile.token_help))
            }
            _ => error,
        })
}

/// All that is missing, said at once.
fn together(mut errors: Vec<ProviderError>) -> Result<(), ProviderError> {
    if errors.len() < 2 {
        return errors.pop().map_or(Ok(()), Err);
    }
    let joined = |texts: Vec<String>| {
        let mut once: Vec<String> = Vec::new();
        for text in texts {
            if !once.contains(&text) {
                once.push(text);
            }
        }
        once.join("; ")
    };
    let helps = joined(errors.iter().filter_map(|error| error.help.clone()).collect());
    let message = joined(errors.into_iter().map(|error| error.message).collect());
    let error = ProviderError::new("no-credential", message);
    Err(if helps.is_empty() { error } else { error.help(helps) })
}

fn missing(whom: &str, why: &str) -> ProviderError {
    ProviderError::new("no-credential", format!("no credential for {whom}: {why}"))
}

fn from_file(whom: &str, path: &Path) -> Result<String, ProviderError> {
    if let Some(why) = readable_by_others(path) {
        return Err(missing(whom, &why).help(format!("chmod 600 {}", path.display())));
    }
    files::read_text(path, MAX_BYTES).map_err(|error| missing(whom, &error.to_string()))
}

#[cfg(unix)]
fn readable_by_others(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| format!("`{}` can be read by others (mode {:o})", path.display(), mode & 0o777))
}

#[cfg(not(unix))]
fn readable_by_others(_: &Path) -> Option<String> {
    None
}

#[cfg(feature = "keyring")]
fn from_keyring(whom: &str, name: &str) -> Result<String, ProviderError> {
    let help = format!("store it under the service `launchctl` with the name `{name}`, or use env: or file:");
    keyring::v1::Entry::new("launchctl", name)
        .and_then(|entry| entry.get_password())
        .map_err(|error| missing(whom, &format!("the keyring has no usable entry `{name}` ({error})")).help(help))
}

/// Puts a new secret into the system's keyring, under the service `launchctl`. What is there already stays.
#[cfg(feature = "keyring")]
pub fn keep(name: &str, secret: &Secret) -> Result<(), ProviderError> {
    let refused = |error: keyring::Error| {
        ProviderError::new(
            "keyring",
            format!("the keyring did not take the entry `{name}`: {error}"),
        )
        .help("keep the key in a file instead, with --out FILE")
    };
    let entry = keyring::v1::Entry::new("launchctl", name).map_err(refused)?;
    match entry.get_password() {
        Ok(_) => Err(ProviderError::new(
            "keyring",
            format!("the keyring has an entry `{name}` already, and a key is never written over"),
        )),
        Err(keyring::Error::NoEntry) => entry.set_password(secret.expose()).map_err(refused),
        Err(error) => Err(refused(error)),
    }
}

/// Without the feature there is no keyring.
#[cfg(not(feature = "keyring"))]
pub fn keep(name: &str, _: &Secret) -> Result<(), ProviderError> {
    Err(ProviderError::new(
        "keyring",
        format!("keyring:{name} needs a launchctl built with the feature `keyring`"),
    ))
}

#[cfg(not(feature = "keyring"))]
fn from_keyring(whom: &str, name: &str) -> Result<String, ProviderError> {
    Err(missing(
        whom,
        &format!("keyring:{name} needs a launchctl built with the feature `keyring`"),
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::provider::cloudflare::PROFILE;

    fn keeper(environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Keeper {
        Keeper::new(Arc::new(environment))
    }

    #[test]
    fn the_spec_says_where_and_the_usual_variable_is_the_default() {
        let environment = keeper(|name| (name == "CLOUDFLARE_API_TOKEN").then(|| " usual-token\n".to_owned()));
        assert_eq!(load(&PROFILE, None, &environment).unwrap().expose(), "usual-token");
        let other = SecretReference::Env("OTHER".into());
        let error = load(&PROFILE, Some(&other), &environment).unwrap_err();
        assert!(error.message.contains("OTHER is not set"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "file-token\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let reference = SecretReference::File(path.clone());
        let none = keeper(|_| None);
        assert!(
            load(&PROFILE, Some(&reference), &none)
                .unwrap_err()
                .message
                .contains("644")
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(load(&PROFILE, Some(&reference), &none).unwrap().expose(), "file-token");
    }

    #[test]
    fn what_cannot_be_a_token_is_refused_without_being_repeated() {
        let environment = keeper(|_| Some("two words".to_owned()));
        let error = load(&PROFILE, None, &environment).unwrap_err();
        assert!(!error.message.contains("two words"), "{error}");
    }
}
