//! Messages that are signed with a shared secret (TSIG, RFC 8945): the key, the signature of what is sent, and the proof
//! that what comes back is from whoever has the key too.

use base64::Engine as _;
use hickory_proto::op::Message;
use hickory_proto::rr::rdata::tsig::{TsigAlgorithm, TsigError, signed_bitmessage_to_buf};
use hickory_proto::rr::{Name, TSigner};

use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::model::name::DomainName;
use crate::provider::{ProviderError, dns};

/// Seconds that clocks may be apart (RFC 8945 §10 recommends 300).
const FUDGE: u16 = 300;
/// Messages in a row that may come unsigned (RFC 8945 §5.3.1).
const UNSIGNED: usize = 99;

/// A key, as `dig -y` takes it: `[ALGORITHM:]NAME:SECRET`.
#[derive(Clone)]
pub(super) struct Key {
    signer: TSigner,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Reads a key. No error repeats any of it.
    pub(super) fn parse(token: &Secret) -> Result<Self, ProviderError> {
        let wrong = |why: &str| {
            ProviderError::new("no-credential", format!("the TSIG key cannot be used: {why}")).help(
                "write it as `dig -y` takes it: NAME:SECRET, or ALGORITHM:NAME:SECRET with hmac-sha256, -sha384 or -sha512",
            )
        };
        let parts: Vec<&str> = token.expose().split(':').collect();
        let (algorithm, name, secret) = match parts.as_slice() {
            [name, secret] => ("hmac-sha256", *name, *secret),
            [algorithm, name, secret] => (*algorithm, *name, *secret),
            _ => return Err(wrong("two or three parts with colons between them were expected")),
        };
        // Alone too it must never be seen anywhere.
        let secret = Secret::new(secret);
        let algorithm = match algorithm.to_ascii_lowercase().as_str() {
            "hmac-sha256" => TsigAlgorithm::HmacSha256,
            "hmac-sha384" => TsigAlgorithm::HmacSha384,
            "hmac-sha512" => TsigAlgorithm::HmacSha512,
            _ => return Err(wrong("its algorithm is not known here")),
        };
        let octets = base64::engine::general_purpose::STANDARD
            .decode(secret.expose())
            .ok()
            .filter(|octets| !octets.is_empty())
            .ok_or_else(|| wrong("its secret is not base64"))?;
        let name = DomainName::parse(name).ok().and_then(|name| dns::name(&name));
        let name: Name = name.ok_or_else(|| wrong("its name is no domain name"))?;
        let signer =
            TSigner::new(octets, algorithm, name, FUDGE).map_err(|_| wrong("its algorithm is not known here"))?;
        Ok(Self { signer })
    }

    /// Signs a message, and returns what proves its answers.
    pub(super) fn sign(&self, message: &mut Message) -> Result<Proof, String> {
        let now = u64::try_from(Clock::System.now().as_second()).unwrap_or_default();
        message
            .finalize(&self.signer, now)
            .map_err(|error| format!("the message could not be signed: {error}"))?;
        let mac = message.signature().map(|record| record.data.mac.clone());
        Ok(Proof {
            key: self.clone(),
            now,
            last: mac.unwrap_or_default(),
            unsigned: Vec::new(),
            run: 0,
            is_first: true,
        })
    }
}

/// What became of a message's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is from whoever has the key, and so are the unsigned ones before it.
    Proven,
    /// It is unsigned, as some of a long answer may be: the next signed one proves it.
    Open,
    /// The server says what is wrong with our signature; it cannot sign that.
    Refused(&'static str),
    /// It proves nothing.
    Forged,
}

/// The chain of signatures from a question through all of its answers.
#[derive(Debug)]
pub(super) struct Proof {
    key: Key,
    now: u64,
    last: Vec<u8>,
    unsigned: Vec<u8>,
    run: usize,
    is_first: bool,
}

impl Proof {
    /// Judges the next answer: its octets, and what was read from them.
    pub(super) fn judge(&mut self, octets: &[u8], message: &Message) -> Verdict {
        let Some(record) = message.signature() else {
            if self.is_first || self.run == UNSIGNED {
                return Verdict::Forged;
            }
            self.run += 1;
            self.unsigned.extend_from_slice(octets);
            return Verdict::Open;
        };
        let tsig = &record.data;
        match tsig.error {
            Some(TsigError::BadKey) => return Verdict::Refused("BADKEY"),
            Some(TsigError::BadSig | TsigError::BadTrunc) => return Verdict::Refused("BADSIG"),
            Some(TsigError::BadTime) => return Verdict::Refused("BADTIME"),
            Some(TsigError::Unknown(_)) => return Verdict::Forged,
            None => {}
        }
        let signer = &self.key.signer;
        // An answer may take as long again as clocks may be apart.
        let is_near = tsig.time.abs_diff(self.now) <= 2 * u64::from(FUDGE);
        if record.name != *signer.signer_name() || tsig.algorithm != *signer.algorithm() || !is_near {
            return Verdict::Forged;
        }
        let Ok((signed, _)) = signed_bitmessage_to_buf(octets, Some(&self.last), self.is_first) else {
            return Verdict::Forged;
        };
        // What came unsigned stands between the last signature and this message (RFC 8945 §5.3.1).
        let head = 2 + self.last.len();
        let Some((before, after)) = signed.split_at_checked(head) else {
            return Verdict::Forged;
        };
        let whole = [before, &self.unsigned, after].concat();
        if signer.verify(&whole, &tsig.mac).is_err() {
            return Verdict::Forged;
        }
        self.last.clone_from(&tsig.mac);
        self.unsigned.clear();
        self.run = 0;
        self.is_first = false;
        Verdict::Proven
    }

    /// Whether nothing is left unproven.
    pub(super) fn is_complete(&self) -> bool {
        !self.is_first && self.unsigned.is_empty()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// A server's answer, signed after `last` and the unsigned messages between.
    fn signed(key: &Key, last: &[u8], between: &[u8], is_first: bool) -> (Vec<u8>, Vec<u8>) {
        use hickory_proto::rr::rdata::tsig::{TSIG, make_tsig_record};
        let signer = &key.signer;
        let now = u64::try_from(Clock::System.now().as_second()).unwrap();
        let carry = |mac: Vec<u8>| {
            let tsig = TSIG::new(signer.algorithm().clone(), now, FUDGE, mac, 7, None, Vec::new());
            let mut message = Message::response(7, hickory_proto::op::OpCode::Query);
            message.set_signature(Box::new(make_tsig_record(signer.signer_name().clone(), tsig)));
            message.to_vec().unwrap()
        };
        let (to_sign, _) = signed_bitmessage_to_buf(&carry(vec![0; 32]), Some(last), is_first).unwrap();
        let (before, after) = to_sign.split_at(2 + last.len());
        let mac = signer.sign(&[before, between, after].concat()).unwrap();
        (carry(mac.clone()), mac)
    }

    fn judged(proof: &mut Proof, octets: &[u8]) -> Verdict {
        proof.judge(octets, &Message::from_vec(octets).unwrap())
    }

    #[test]
    fn unsigned_messages_are_proven_by_the_next_signed_one() {
        let key = Key::parse(&Secret::new("exam:Y2FuYXJ5")).unwrap();
        let proof = || {
            let mut asked = Message::query();
            let proof = key.sign(&mut asked).unwrap();
            let (first, mac) = signed(&key, &proof.last, b"", true);
            (proof, first, mac)
        };
        let plain = Message::response(7, hickory_proto::op::OpCode::Query).to_vec().unwrap();
        let (mut whole, first, mac) = proof();
        assert_eq!(judged(&mut whole, &first), Verdict::Proven);
        assert_eq!(judged(&mut whole, &plain), Verdict::Open);
        assert!(!whole.is_complete(), "the end is still to be proven");
        assert_eq!(
            judged(&mut whole, &signed(&key, &mac, &plain, false).0),
            Verdict::Proven
        );
        assert!(whole.is_complete());
        // One that was slipped in between is found out, and so is one before anything was proven.
        let (mut slipped, first, mac) = proof();
        assert_eq!(judged(&mut slipped, &first), Verdict::Proven);
        assert_eq!(judged(&mut slipped, &plain), Verdict::Open);
        assert_eq!(judged(&mut slipped, &signed(&key, &mac, b"", false).0), Verdict::Forged);
        assert_eq!(judged(&mut proof().0, &plain), Verdict::Forged);
        // And so is one by another key of the same name.
        let other = Key::parse(&Secret::new("exam:b3RoZXI=")).unwrap();
        let (mut fooled, _, _) = proof();
        let forged = signed(&other, &fooled.last.clone(), b"", true).0;
        assert_eq!(judged(&mut fooled, &forged), Verdict::Forged);
    }

    #[test]
    fn keys_are_read_as_dig_takes_them_and_never_repeated() {
        for good in [
            "exam:Y2FuYXJ5",
            "hmac-sha512:exam.key:Y2FuYXJ5",
            "HMAC-SHA256:exam:Y2FuYXJ5",
        ] {
            assert!(Key::parse(&Secret::new(good)).is_ok(), "{good}");
        }
        for bad in [
            "Y2FuYXJ5LXg=",
            "exam:not-base64!",
            "hmac-md5:exam:Y2FuYXJ5",
            "a:b:c:d",
            "exam:",
        ] {
            let error = Key::parse(&Secret::new(bad)).unwrap_err().to_string();
            assert!(!error.contains("Y2FuYXJ5") && !error.contains("not-base64"), "{error}");
        }
    }
}
