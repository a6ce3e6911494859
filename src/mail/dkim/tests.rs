//! Key records by table; public halves only, made for these tests.
#![allow(clippy::unwrap_used, reason = "tests")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::{Algorithm, Key, Kind, is_key_record, parse, record_text};
use crate::base::diagnostic::Severity;

/// Made by openssl, 2048 bits, as a `SubjectPublicKeyInfo`.
const INFO: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAx6cI6s5ybZX562eYhtCNLizP0NV04+IG4MOcVGYDXnE/aYuagypSXB+i8fVZv8koGO8Er76FDEgOK3mHGQ/Omlp4UM6hg06GZ/U8WayI2wOwHjGoT4XJxEzyaHdDcorOs3mBfyQ1JDMYQ+i4UF0fwy3LsNnBx740VmuVcDAMJxeak1ogS6Qz3WeXJYgzaKyFEQS/Ep7N1mRJ/84eM/gqzx3DhMldTYYWYZYsY8t6nlbgKmneIuqb8uk5dHPDiwj/6CQSoF6b3AGOHo1lGhu5PYG2o/0uc+5CWewkwEVJPY5ApOUBMpFDJEaVqw/BWBiwxWsHnAVVwHHyisKJA5CsNwIDAQAB";
/// The same key as a bare `RSAPublicKey`.
const BARE: &str = "MIIBCgKCAQEAx6cI6s5ybZX562eYhtCNLizP0NV04+IG4MOcVGYDXnE/aYuagypSXB+i8fVZv8koGO8Er76FDEgOK3mHGQ/Omlp4UM6hg06GZ/U8WayI2wOwHjGoT4XJxEzyaHdDcorOs3mBfyQ1JDMYQ+i4UF0fwy3LsNnBx740VmuVcDAMJxeak1ogS6Qz3WeXJYgzaKyFEQS/Ep7N1mRJ/84eM/gqzx3DhMldTYYWYZYsY8t6nlbgKmneIuqb8uk5dHPDiwj/6CQSoF6b3AGOHo1lGhu5PYG2o/0uc+5CWewkwEVJPY5ApOUBMpFDJEaVqw/BWBiwxWsHnAVVwHHyisKJA5CsNwIDAQAB";
/// RFC 8463 App. A.2.
const ED25519: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        length @ 0..=127 => out.push(length.try_into().unwrap()),
        length @ 128..=255 => out.extend([0x81, length.try_into().unwrap()]),
        length => out.extend([
            0x82,
            (length >> 8).try_into().unwrap(),
            (length & 255).try_into().unwrap(),
        ]),
    }
    out.extend_from_slice(content);
    out
}

/// A key of exactly so many bits, in base64.
pub(crate) fn rsa(bits: usize) -> String {
    let mut modulus = vec![0xff; bits.div_ceil(8)];
    modulus[0] = u8::MAX >> (8 * modulus.len() - bits);
    if modulus[0] >= 0x80 {
        modulus.insert(0, 0);
    }
    let key = tlv(0x30, &[tlv(2, &modulus), tlv(2, &[1, 0, 1])].concat());
    let algorithm = [0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let info = tlv(
        0x30,
        &[tlv(0x30, &algorithm), tlv(3, &[vec![0], key].concat())].concat(),
    );
    STANDARD.encode(info)
}

fn bits(text: &str) -> usize {
    match parse(text).key {
        Key::Rsa { bits, .. } => bits,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_whole_key_has_no_issue() {
    for text in [
        format!("v=DKIM1; k=rsa; p={INFO}"),
        format!("v=DKIM1;k=rsa;h=sha256;s=email;t=s;n=note;p={INFO};"),
        format!("p={INFO}"),
        format!("k=rsa; p={BARE}"),
        format!("v=DKIM1; p={} {}", &INFO[..200], &INFO[200..]),
        format!("v=DKIM1; k=ed25519; p={ED25519}"),
        format!("v=DKIM1; k=ed25519; p={}", ED25519.trim_end_matches('=')),
        format!("v=DKIM1; p={}", rsa(2048)),
        format!("v=DKIM1; p={}", rsa(4096)),
    ] {
        let record = parse(&text);
        assert!(record.issues.is_empty(), "{text}: {:?}", record.issues);
        assert!(record.is_usable() && is_key_record(text.as_bytes()), "{text}");
    }
    assert_eq!(bits(&format!("p={INFO}")), 2048);
    assert_eq!(bits(&format!("p={BARE}")), 2048);
    assert_eq!(bits(&format!("p={}", rsa(1023))), 1023);
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_its_severity() {
    let half = &INFO[..196];
    let odd = &INFO[..197];
    let private = STANDARD.encode(tlv(0x30, &tlv(2, &[0])));
    let prefixed = STANDARD.encode([&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0][..], &[7; 32]].concat());
    let trailing = STANDARD.encode([STANDARD.decode(BARE).unwrap(), vec![0]].concat());
    for (text, kind, severity, word) in [
        (
            "v=DKIM1; k=rsa; p=".to_owned(),
            Kind::Revoked,
            Severity::Info,
            "revoked",
        ),
        ("v=DKIM1; k=rsa".to_owned(), Kind::Malformed, Severity::Error, "missing"),
        (
            format!("k=rsa; v=DKIM1; p={INFO}"),
            Kind::Malformed,
            Severity::Error,
            "first tag",
        ),
        (
            format!("v=DKIM2; p={INFO}"),
            Kind::Malformed,
            Severity::Error,
            "`DKIM1`",
        ),
        (
            format!("v=DKIM1; k=dsa; p={INFO}"),
            Kind::Malformed,
            Severity::Error,
            "no key algorithm",
        ),
        (
            format!("v=DKIM1; p={INFO}; p={INFO}"),
            Kind::Malformed,
            Severity::Error,
            "twice",
        ),
        (
            format!("v=DKIM1; t=y; p={INFO}"),
            Kind::Testing,
            Severity::Warning,
            "tested",
        ),
        (
            format!("v=DKIM1; h=sha1; p={INFO}"),
            Kind::Weak,
            Severity::Error,
            "sha256 is missing",
        ),
        (
            format!("v=DKIM1; h=sha1:sha256; p={INFO}"),
            Kind::Weak,
            Severity::Warning,
            "sha1",
        ),
        (
            format!("v=DKIM1; s=tls; p={INFO}"),
            Kind::Malformed,
            Severity::Error,
            "does not allow mail",
        ),
        (
            format!("v=DKIM1; g=*; p={INFO}"),
            Kind::Unusual,
            Severity::Info,
            "obsolete",
        ),
        (
            format!("v=DKIM1; p={}", rsa(1023)),
            Kind::Weak,
            Severity::Error,
            "1023 bits",
        ),
        (
            format!("v=DKIM1; p={}", rsa(1024)),
            Kind::Weak,
            Severity::Warning,
            "1024 bits",
        ),
        (
            format!("v=DKIM1; p={}", rsa(2047)),
            Kind::Weak,
            Severity::Warning,
            "2047 bits",
        ),
        (
            format!("v=DKIM1; p={}", rsa(4104)),
            Kind::Unusual,
            Severity::Warning,
            "4104 bits",
        ),
        (
            format!("v=DKIM1; p={half}"),
            Kind::Malformed,
            Severity::Error,
            "cut short",
        ),
        (
            format!("v=DKIM1; p={odd}"),
            Kind::Malformed,
            Severity::Error,
            "no whole base64",
        ),
        (
            format!("v=DKIM1; p={trailing}"),
            Kind::Malformed,
            Severity::Error,
            "after the end",
        ),
        (
            format!("v=DKIM1; p=\"{INFO}\""),
            Kind::Malformed,
            Severity::Error,
            "no base64",
        ),
        (
            format!("v=DKIM1; p={private}"),
            Kind::PrivateKey,
            Severity::Error,
            "private key",
        ),
        (
            format!("v=DKIM1; k=ed25519; p={private}"),
            Kind::PrivateKey,
            Severity::Error,
            "private key",
        ),
        (
            ["-----BEGIN RSA ", "PRIVATE KEY-----\nMII"].concat(),
            Kind::PrivateKey,
            Severity::Error,
            "private key",
        ),
        (
            format!("v=DKIM1; p=-----BEGIN PUBLIC KEY-----{INFO}"),
            Kind::Malformed,
            Severity::Error,
            "do not belong",
        ),
        (
            format!("v=DKIM1; k=ed25519; p={prefixed}"),
            Kind::Malformed,
            Severity::Error,
            "32 bytes",
        ),
        (
            format!("v=DKIM1; k=ed25519; p={INFO}"),
            Kind::Malformed,
            Severity::Error,
            "32 bytes",
        ),
        (
            format!("v=DKIM1; p={ED25519}"),
            Kind::Malformed,
            Severity::Error,
            "32 bytes",
        ),
        (
            "v=DKIM1; p=AAAA".to_owned(),
            Kind::Malformed,
            Severity::Error,
            "no sequence",
        ),
    ] {
        let record = parse(&text);
        let found = record
            .issues
            .iter()
            .find(|issue| issue.kind == kind && issue.severity == severity && issue.message.contains(word));
        assert!(found.is_some(), "{text}: {:?}", record.issues);
        assert_eq!(
            record.is_usable(),
            severity != Severity::Error && kind != Kind::Revoked,
            "{text}"
        );
    }
}

#[test]
fn a_key_is_known_again_however_it_is_written() {
    let one = parse(&format!("v=DKIM1; k=rsa; p={INFO}"));
    let two = parse(&format!("p={} {}; k=rsa", &INFO[..100], &INFO[100..]));
    assert_eq!(one.fingerprint(), two.fingerprint());
    assert_ne!(one.fingerprint(), parse(&format!("p={}", rsa(2048))).fingerprint());
    assert_eq!(parse("p=").fingerprint(), None);
}

#[test]
fn what_is_built_reads_back() {
    let raw = STANDARD.decode(ED25519).unwrap();
    assert_eq!(
        record_text(&Algorithm::Ed25519, &raw),
        format!("v=DKIM1; k=ed25519; p={ED25519}")
    );
    let text = record_text(&Algorithm::Rsa, &STANDARD.decode(INFO).unwrap());
    assert!(parse(&text).is_usable() && parse(&text).issues.is_empty());
}

proptest! {
    #[test]
    fn no_record_panics_and_issues_point_into_it(text in "(v=DKIM1;)?( ?[ksthpgn]=([a-z0-9+/=:;\" é-]{0,40}))*") {
        let record = parse(&text);
        for issue in &record.issues {
            prop_assert!(text.get(issue.span.clone()).is_some(), "{:?}", issue);
        }
    }

    #[test]
    fn no_key_panics(mut key in prop::collection::vec(any::<u8>(), 0..80), nested: bool) {
        if nested {
            key = tlv(0x30, &key);
        }
        parse(&format!("p={}", STANDARD.encode(key)));
    }

    #[test]
    fn a_key_with_one_byte_changed_does_not_panic(at in 0_usize..294, byte: u8) {
        let mut key = STANDARD.decode(INFO).unwrap();
        key[at] = byte;
        parse(&format!("p={}", STANDARD.encode(key)));
    }
}
