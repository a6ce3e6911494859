//! The key in `p=`: base64, then DER or 32 raw bytes.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::der::{self, Found, KeyError};
use super::{Algorithm, Kind};

/// Padding may be left out (RFC 6376 §2.10).
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// The longest key text that is decoded, in bytes.
const LONGEST: usize = 16 * 1024;

/// The key of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// `p=` is empty.
    Revoked,
    /// An RSA key.
    Rsa {
        /// The length of its modulus.
        bits: usize,
        /// Whether it is a bare `RSAPublicKey`, which the standard names, instead of what everybody publishes.
        is_bare: bool,
        /// The key as published.
        der: Vec<u8>,
    },
    /// An Ed25519 key.
    Ed25519 {
        /// The key.
        raw: [u8; 32],
    },
    /// None that could be read.
    Unreadable,
}

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyProblem {
    /// What kind of thing is wrong.
    pub kind: Kind,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Bytes within the text, when only a part is to blame.
    pub at: Option<Range<usize>>,
}

impl KeyProblem {
    fn malformed(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Malformed,
            message: message.into(),
            help: None,
            at: None,
        }
    }

    fn help(mut self, help: &str) -> Self {
        self.help = Some(help.to_owned());
        self
    }
}

/// Reads the base64 text of a public key of that algorithm; white space within it does not count.
pub fn read_key(algorithm: &Algorithm, text: &str) -> Result<Key, KeyProblem> {
    let bytes = decode(text)?;
    match algorithm {
        Algorithm::Ed25519 => ed25519(&bytes),
        Algorithm::Rsa => rsa(bytes),
        Algorithm::Other(_) => Ok(Key::Unreadable),
    }
}

fn decode(text: &str) -> Result<Vec<u8>, KeyProblem> {
    if text.len() > LONGEST {
        return Err(KeyProblem::malformed(format!(
            "the key is over {LONGEST} characters long"
        )));
    }
    let strange = |c: char| !c.is_ascii_alphanumeric() && !"+/= \t\r\n".contains(c);
    if let Some((at, c)) = text.char_indices().find(|(_, c)| strange(*c)) {
        let mut problem = KeyProblem::malformed(format!("`{}` is no base64", c.escape_default()));
        problem.at = Some(at..at + c.len_utf8());
        return Err(match c {
            '"' => problem.help("the quotes of a zone file do not belong into the key"),
            '-' | '_' => problem.help("this is the URL alphabet; DKIM uses `+` and `/`"),
            _ => problem,
        });
    }
    let packed: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    BASE64.decode(packed.as_bytes()).map_err(|_| {
        let message = format!("the key is no whole base64: {} characters", packed.len());
        KeyProblem::malformed(message).help("a part is missing, or two parts were joined wrongly: copy it again")
    })
}

fn ed25519(bytes: &[u8]) -> Result<Key, KeyProblem> {
    if let Ok(raw) = <[u8; 32]>::try_from(bytes) {
        return Ok(Key::Ed25519 { raw });
    }
    let problem = KeyProblem::malformed(format!(
        "an Ed25519 key has 32 bytes, this one has {} (RFC 8463 §4)",
        bytes.len()
    ));
    Err(match der::read(bytes) {
        Ok(Found::Ed25519(_)) => {
            problem.help("only the last 32 bytes belong into the record, without what precedes them")
        }
        Ok(Found::Rsa { .. }) => problem.help("this is an RSA key: write k=rsa"),
        Err(KeyError::Private) => private(),
        Err(_) => problem,
    })
}

fn rsa(der: Vec<u8>) -> Result<Key, KeyProblem> {
    match der::read(&der) {
        Ok(Found::Rsa { bits, is_bare }) => Ok(Key::Rsa { bits, is_bare, der }),
        Ok(Found::Ed25519(_)) => {
            Err(KeyProblem::malformed("this is an Ed25519 key").help("write k=ed25519 and the last 32 bytes alone"))
        }
        Err(KeyError::Private) => Err(private()),
        Err(_) if der.len() == 32 => {
            Err(KeyProblem::malformed("the key has 32 bytes, as Ed25519 keys have").help("write k=ed25519"))
        }
        Err(error @ (KeyError::CutShort { .. } | KeyError::Trailing(_))) => {
            Err(KeyProblem::malformed(error.to_string()).help("copy the whole key again, all of its lines"))
        }
        Err(error) => Err(KeyProblem::malformed(error.to_string())),
    }
}

fn private() -> KeyProblem {
    KeyProblem {
        kind: Kind::PrivateKey,
        message: KeyError::Private.to_string(),
        help: Some("take it out, make a new key pair, and publish the public half of that one".to_owned()),
        at: None,
    }
}
