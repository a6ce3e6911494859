//! `dkim new`: a key pair. The private half goes to a file that only its owner can read, or into the system's keyring,
//! and is shown nowhere; the public half becomes a record. RSA keys come from the `rsa` crate, since ring makes none.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use getrandom::SysRng;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rsa::PrivateKey;
use rsa::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _};

use crate::base::files;
use crate::base::secret::Secret;
use crate::mail::dkim;
use crate::model::address::Address;
use crate::model::name::DomainName;
use crate::ops::problem::Problem;
use crate::ops::session::{Setting, load, load_text};
use crate::provider::credential;
use crate::spec::{Spec, edit};

/// What stands before the 32 octets of an Ed25519 key in PKCS#8 (RFC 8410 §7).
const ED25519_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// Which kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA with 2048 bits: what every receiver knows.
    Rsa,
    /// Ed25519 (RFC 8463): small, and not known to every receiver.
    Ed25519,
}

/// Where the private key is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// A new file.
    File(PathBuf),
    /// An entry of the system's keyring, under the service `launchctl`.
    Keyring(String),
}

/// A new pair, its private half put away.
#[derive(Debug)]
pub struct NewKey {
    /// The selector.
    pub selector: String,
    /// The record that publishes it.
    pub record: String,
    /// Where the private key is.
    pub kept: Keep,
    /// The first digits of the key's SHA-256.
    pub fingerprint: String,
    /// The zone of the spec that declares it now; `None` when the spec was not to be changed.
    pub zone: Option<DomainName>,
}

/// Where the public half goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Publish {
    /// Into the spec: the zone that is named, or the only one there is.
    InSpec(Option<DomainName>),
    /// Nowhere: whoever asks takes the record.
    Nowhere,
}

/// Makes a pair and puts its halves where they belong. Whatever can be known to stand in the way is found before
/// anything is written: no private key is left behind for a record that nobody declares.
pub fn new_key(
    setting: &Setting,
    selector: &str,
    algorithm: Algorithm,
    keep: Keep,
    publish: &Publish,
) -> Result<NewKey, Problem> {
    let name = DomainName::parse(&format!("{selector}._domainkey.example"))
        .map_err(|error| Problem::new("arguments", format!("`{selector}` cannot be a selector: {error}")))?;
    if name.is_wildcard() {
        return Err(Problem::new("arguments", "a selector is one name, without `*`"));
    }
    let edit = match publish {
        Publish::InSpec(zone) => Some(Edit::begin(setting, selector, zone.as_ref()).map_err(nothing_made)?),
        Publish::Nowhere => None,
    };
    if let Keep::File(path) = &keep {
        is_free(path)?;
    }
    let (private, record) = match algorithm {
        Algorithm::Rsa => rsa_pair()?,
        Algorithm::Ed25519 => ed25519_pair()?,
    };
    let edited = edit.as_ref().map(|edit| edit.with(setting, &record)).transpose();
    let edited = edited.map_err(nothing_made)?;
    match &keep {
        Keep::File(path) => {
            files::write_private(path, private.expose().as_bytes()).map_err(|error| refused(path, error))?;
        }
        Keep::Keyring(name) => credential::keep(name, &private)?,
    }
    if let Some(text) = edited {
        files::write_over(&setting.spec, text.as_bytes()).map_err(|error| {
            let item = item(selector, &record);
            Problem::new(
                "spec-edit",
                format!("{error}; the key is made and kept in {}", keep.in_words()),
            )
            .help(format!("add this yourself under `email: dkim:` of the zone: {item}"))
        })?;
    }
    Ok(NewKey {
        selector: selector.to_owned(),
        fingerprint: dkim::parse(&record).fingerprint().unwrap_or_default(),
        record,
        kept: keep,
        zone: edit.map(|edit| edit.zone),
    })
}

impl Keep {
    /// Where that is, as a spec names it.
    pub fn in_words(&self) -> String {
        match self {
            Self::File(path) => format!("file:{}", path.display()),
            Self::Keyring(name) => format!("keyring:{name}"),
        }
    }
}

/// The item of `dkim` that declares a key.
pub fn item(selector: &str, record: &str) -> String {
    format!("{{ selector: {selector}, key: \"{record}\" }}")
}

/// The same problem, and that it left nothing behind.
fn nothing_made(problem: Problem) -> Problem {
    match problem {
        Problem::Other { code, message, help } => {
            let advice = "no key was made; --print makes one and leaves the spec alone";
            Problem::new(&code, message).help(match help {
                Some(help) => format!("{help}; {advice}"),
                None => advice.to_owned(),
            })
        }
        other => other,
    }
}

/// A spec that is to take a key's record.
struct Edit {
    before: Spec,
    zone: DomainName,
    selector: String,
}

impl Edit {
    /// The zone is found, and does not have the selector yet.
    fn begin(setting: &Setting, selector: &str, zone: Option<&DomainName>) -> Result<Self, Problem> {
        let (before, _) = load(setting)?;
        let zones = &before.desired.zones;
        let zone = match (zone, zones.len()) {
            (Some(zone), _) if zones.contains_key(zone) => zone.clone(),
            (Some(zone), _) => return Err(Problem::new("spec-edit", format!("the spec has no zone {zone}"))),
            (None, 0 | 1) => {
                let only = zones.keys().next().cloned();
                only.ok_or_else(|| Problem::new("spec-edit", "the spec has no zone to take the record"))?
            }
            (None, count) => {
                return Err(Problem::new("spec-edit", format!("the spec has {count} zones"))
                    .help("say which takes the record with --zone ZONE"));
            }
        };
        let taken = before.mail.get(&zone).is_some_and(|mail| {
            let mut selectors = mail.declared.selectors.iter();
            selectors
                .any(|known| known.domain.as_str() == zone.as_str() && known.selector.eq_ignore_ascii_case(selector))
        });
        if taken {
            return Err(Problem::new(
                "spec-edit",
                format!("{zone} declares the selector `{selector}` already"),
            )
            .help("each key has a selector of its own, such as 2026b"));
        }
        Ok(Self {
            before,
            zone,
            selector: selector.to_owned(),
        })
    }

    /// The text with the record in it. It is loaded again, and is good only if it then wants this record more and nothing
    /// else.
    fn with(&self, setting: &Setting, record: &str) -> Result<String, Problem> {
        let refuse = |why: String| {
            Problem::new(
                "spec-edit",
                format!("{} cannot take the record: {why}", self.before.source.path),
            )
        };
        let item = item(&self.selector, record);
        let text = edit::add_dkim_key(&self.before.source, &self.zone, &item).map_err(refuse)?;
        let (after, _) = load_text(setting, &self.before.source.path, text.clone())
            .map_err(|problem| refuse(problem.in_a_sentence()))?;
        let place = format!(
            "{}/dns/TXT/{}._domainkey/",
            self.zone,
            self.selector.to_ascii_lowercase()
        );
        let before = &self.before.desired;
        let mut rest = after.desired.inventory;
        let is_new = |address: &&Address| !before.inventory.contains_key(*address);
        let more: Vec<_> = rest.keys().filter(is_new).cloned().collect();
        rest.retain(|address, _| !more.contains(address));
        let is_it = matches!(more.as_slice(), [one] if format!("{one}/").starts_with(&place));
        if !is_it || rest != before.inventory || after.desired.absent != before.absent {
            let why = format!(
                "with it the spec would want something else than one more record of {}",
                self.zone
            );
            return Err(refuse(why));
        }
        Ok(text)
    }
}

/// Looked at before the key is made; the file system has the last word when it is written.
fn is_free(path: &Path) -> Result<(), Problem> {
    if path.symlink_metadata().is_ok() {
        return Err(in_the_way(path));
    }
    Ok(())
}

fn in_the_way(path: &Path) -> Problem {
    Problem::new(
        "file",
        format!("`{}` is there already, and a key is never written over", path.display()),
    )
    .help("name another file with --out FILE")
}

fn refused(path: &Path, error: files::FileError) -> Problem {
    if error.is_there_already() {
        in_the_way(path)
    } else {
        error.into()
    }
}

fn rsa_pair() -> Result<(Secret, String), Problem> {
    let no_key = |why: String| Problem::new("key", format!("no RSA key could be made: {why}"));
    let key = PrivateKey::new(&mut SysRng, dkim::USUAL_BITS).map_err(|error| no_key(error.to_string()))?;
    let private = key.to_pkcs8_der().map_err(|error| no_key(error.to_string()))?;
    let public = key
        .to_public_key()
        .to_public_key_der()
        .map_err(|error| no_key(error.to_string()))?;
    let record = dkim::record_text(&dkim::Algorithm::Rsa, public.as_bytes());
    Ok((pem(private.as_bytes()), record))
}

fn ed25519_pair() -> Result<(Secret, String), Problem> {
    let no_key = |why: String| Problem::new("key", format!("no Ed25519 key could be made: {why}"));
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| no_key(error.to_string()))?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|error| no_key(error.to_string()))?;
    let record = dkim::record_text(&dkim::Algorithm::Ed25519, pair.public_key().as_ref());
    Ok((pem(&[&ED25519_HEAD[..], &seed].concat()), record))
}

/// A PKCS#8 key as text (RFC 7468 §10).
fn pem(der: &[u8]) -> Secret {
    let body = STANDARD.encode(der);
    let mut text = String::from("-----BEGIN PRIVATE KEY-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = tail;
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    Secret::new(&text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};

    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::base::clock::Clock;
    use crate::mail::dkim::Key;
    use crate::provider::Stop;

    fn der(path: &Path) -> Vec<u8> {
        let text = std::fs::read_to_string(path).unwrap();
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        STANDARD.decode(body).unwrap()
    }

    /// A command that is told of no spec.
    fn setting() -> Setting {
        Setting {
            spec: PathBuf::from("launch.yaml"),
            vars: BTreeMap::new(),
            sandbox: false,
            timeout: Duration::from_secs(1),
            environment: Arc::new(|_| None),
            clock: Clock::System,
            stop: Stop::new(),
        }
    }

    fn alone(selector: &str, algorithm: Algorithm, keep: Keep) -> Result<NewKey, Problem> {
        new_key(&setting(), selector, algorithm, keep, &Publish::Nowhere)
    }

    fn made(algorithm: Algorithm) -> (tempfile::TempDir, PathBuf, NewKey) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s1.pem");
        let key = alone("s1", algorithm, Keep::File(path.clone())).unwrap();
        (folder, path, key)
    }

    #[test]
    fn what_is_signed_with_the_private_half_is_verified_with_the_record() {
        let (_folder, path, key) = made(Algorithm::Rsa);
        let record = dkim::parse(&key.record);
        assert!(record.is_usable() && record.issues.is_empty(), "{:?}", record.issues);
        let Key::Rsa { bits, .. } = record.key else {
            panic!("{:?}", record.key)
        };
        assert_eq!(bits, 2048);
        let pair = RsaKeyPair::from_pkcs8(&der(&path)).unwrap();
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"mail", &mut signature)
            .unwrap();
        let (_, spki) = key.record.split_once("p=").unwrap();
        let spki = STANDARD.decode(spki).unwrap();
        // The modulus and exponent stand behind the 24 octets that say «an RSA key of 2048 bits».
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &spki[24..])
            .verify(b"mail", &signature)
            .unwrap();

        let (_folder, path, key) = made(Algorithm::Ed25519);
        assert!(dkim::parse(&key.record).is_usable());
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der(&path)).unwrap();
        let (_, raw) = key.record.split_once("p=").unwrap();
        let raw = STANDARD.decode(raw).unwrap();
        UnparsedPublicKey::new(&ED25519, &raw)
            .verify(b"mail", pair.sign(b"mail").as_ref())
            .unwrap();
    }

    #[test]
    fn a_key_is_readable_by_its_owner_alone_and_never_written_over() {
        let (folder, path, _) = made(Algorithm::Ed25519);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let before = std::fs::read(&path).unwrap();
        let problem = alone("s2", Algorithm::Ed25519, Keep::File(path.clone())).unwrap_err();
        assert!(
            matches!(problem, Problem::Other { ref code, .. } if code == "file"),
            "{problem:?}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), before);
        #[cfg(unix)]
        {
            // A link to nowhere is there too: nothing is written through it.
            let link = folder.path().join("link.pem");
            std::os::unix::fs::symlink(folder.path().join("elsewhere"), &link).unwrap();
            alone("s2", Algorithm::Ed25519, Keep::File(link)).unwrap_err();
            assert!(!folder.path().join("elsewhere").exists());
        }
    }

    #[test]
    fn a_selector_is_a_name() {
        for selector in ["", "a b", "*", "a..b"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("key.pem");
            alone(selector, Algorithm::Ed25519, Keep::File(path.clone())).unwrap_err();
            assert!(!path.exists());
        }
    }
}
