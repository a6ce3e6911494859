//! Just enough of DER (X.690) to find an RSA modulus: definite lengths, four tags, every step bounded by the input.

/// The longest key that is read, in bytes: an RSA key of 16,384 bits takes about 2,100.
const LONGEST: usize = 8192;
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT: u8 = 0x06;
/// 1.2.840.113549.1.1.1, rsaEncryption (RFC 8017 App. C).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.3.101.112, Ed25519 (RFC 8410 §3).
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// What a DER key turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// An RSA public key.
    Rsa {
        /// The length of its modulus.
        bits: usize,
        /// Whether it is a bare `RSAPublicKey` (RFC 8017 App. A.1.1) instead of a `SubjectPublicKeyInfo` (RFC 5280 §4.1).
        is_bare: bool,
    },
    /// An Ed25519 public key in a `SubjectPublicKeyInfo`.
    Ed25519([u8; 32]),
}

/// Why it is no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeyError {
    #[error("the key is cut short: its first bytes announce {announced} bytes, {present} are there")]
    CutShort { announced: usize, present: usize },
    #[error("there are {0} bytes after the end of the key")]
    Trailing(usize),
    #[error("this is a private key: whoever can read this record can sign as you")]
    Private,
    #[error("the key is of an algorithm that DKIM does not know")]
    Algorithm,
    #[error("the key is over {LONGEST} bytes long")]
    TooLong,
    #[error("the bytes are no public key: {0}")]
    Malformed(&'static str),
}

/// Reads a public key.
pub(super) fn read(bytes: &[u8]) -> Result<Found, KeyError> {
    if bytes.len() > LONGEST {
        return Err(KeyError::TooLong);
    }
    let mut whole = Reader(bytes);
    let mut body = Reader(whole.expect(SEQUENCE, "no sequence at the start")?);
    if !whole.0.is_empty() {
        return Err(KeyError::Trailing(whole.0.len()));
    }
    let (tag, first) = body.next()?;
    match tag {
        SEQUENCE => info(first, &mut body),
        // A private key (PKCS#1, RFC 5958) begins with its version, a small number; a public one with its modulus.
        INTEGER if first.len() <= 1 => Err(KeyError::Private),
        INTEGER => bare(first, &mut body, true),
        _ => Err(KeyError::Malformed("neither an algorithm nor a modulus stands first")),
    }
}

/// `SubjectPublicKeyInfo`: the algorithm has been read, the key follows.
fn info(algorithm: &[u8], body: &mut Reader<'_>) -> Result<Found, KeyError> {
    let mut algorithm = Reader(algorithm);
    let object = algorithm.expect(OBJECT, "the algorithm has no identifier")?;
    let bits = body.expect(BIT_STRING, "no key follows the algorithm")?;
    if !body.0.is_empty() {
        return Err(KeyError::Malformed("something follows the key"));
    }
    let key = bits
        .strip_prefix(&[0])
        .ok_or(KeyError::Malformed("the key does not end with a byte"))?;
    match object {
        RSA => {
            let mut outer = Reader(key);
            let mut inner = Reader(outer.expect(SEQUENCE, "the RSA key is no sequence")?);
            if !outer.0.is_empty() {
                return Err(KeyError::Trailing(outer.0.len()));
            }
            let modulus = inner.expect(INTEGER, "the RSA key has no modulus")?;
            bare(modulus, &mut inner, false)
        }
        ED25519 => <[u8; 32]>::try_from(key)
            .map(Found::Ed25519)
            .map_err(|_| KeyError::Malformed("an Ed25519 key has 32 bytes")),
        _ => Err(KeyError::Algorithm),
    }
}

/// `RSAPublicKey`: the modulus has been read, the exponent follows.
fn bare(modulus: &[u8], rest: &mut Reader<'_>, is_bare: bool) -> Result<Found, KeyError> {
    let exponent = rest.expect(INTEGER, "the RSA key has no exponent")?;
    if !rest.0.is_empty() {
        return Err(KeyError::Malformed("something follows the RSA key"));
    }
    let exponent = positive(exponent)?;
    if exponent.last().is_none_or(|byte| byte & 1 == 0) || exponent == [1] {
        return Err(KeyError::Malformed("the RSA exponent is not an odd number above 1"));
    }
    let modulus = positive(modulus)?;
    let first = modulus.first().ok_or(KeyError::Malformed("the RSA modulus is 0"))?;
    if modulus.last().is_none_or(|byte| byte & 1 == 0) {
        return Err(KeyError::Malformed("the RSA modulus is even"));
    }
    let bits = modulus.len() * 8 - first.leading_zeros() as usize;
    Ok(Found::Rsa { bits, is_bare })
}

/// The magnitude of a positive integer: without the zero byte that keeps its sign.
fn positive(integer: &[u8]) -> Result<&[u8], KeyError> {
    match integer {
        [0, rest @ ..] => Ok(rest),
        [first, ..] if *first < 0x80 => Ok(integer),
        _ => Err(KeyError::Malformed("a number in it is negative or empty")),
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next value: its tag and its content.
    fn next(&mut self) -> Result<(u8, &'a [u8]), KeyError> {
        let (tag, length, head) = match self.0 {
            [tag, short, ..] if *short < 0x80 => (*tag, usize::from(*short), 2),
            [tag, 0x81, a, ..] if *a >= 0x80 => (*tag, usize::from(*a), 3),
            [tag, 0x82, a, b, ..] if *a > 0 => (*tag, usize::from(*a) << 8 | usize::from(*b), 4),
            [_, 0x81, _, ..] | [_, 0x82, _, _, ..] => return Err(KeyError::Malformed("a length is not the shortest")),
            [_, 0x80 | 0x83.., ..] => return Err(KeyError::Malformed("a length is not one that a key has")),
            _ => {
                return Err(KeyError::CutShort {
                    announced: 2,
                    present: self.0.len(),
                });
            }
        };
        let present = self.0.len() - head;
        if present < length {
            return Err(KeyError::CutShort {
                announced: length,
                present,
            });
        }
        let (value, rest) = self.0[head..].split_at(length);
        self.0 = rest;
        Ok((tag, value))
    }

    fn expect(&mut self, tag: u8, otherwise: &'static str) -> Result<&'a [u8], KeyError> {
        match self.next()? {
            (found, value) if found == tag => Ok(value),
            _ => Err(KeyError::Malformed(otherwise)),
        }
    }
}
