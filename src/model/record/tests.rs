//! What holds for every type: what is printed reads back, canonicalising twice changes nothing, what means the same is
//! equal, and no text at all makes the reader panic.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::{RecordData, RecordType, txt};
use crate::model::name::DomainName;

fn origin() -> DomainName {
    DomainName::parse("acme.example").unwrap()
}

fn parse(kind: RecordType, text: &str) -> RecordData {
    RecordData::parse(kind, text, &origin()).unwrap_or_else(|error| panic!("{kind} {text}: {error}"))
}

/// The same thing in several spellings, the canonical one first.
const SAME: &[(RecordType, &[&str])] = &[
    (RecordType::A, &["192.0.2.1", " 192.0.2.1 "]),
    (
        RecordType::Aaaa,
        &["2001:db8::1", "2001:DB8:0:0:0:0:0:1", "2001:0db8::0001"],
    ),
    (
        RecordType::Caa,
        &[
            "0 issue \"letsencrypt.org\"",
            "0 ISSUE letsencrypt.org",
            "0  issue  \"letsencrypt.org\"",
        ],
    ),
    (RecordType::Caa, &["128 issue \";\"", "128 issue ;"]),
    (
        RecordType::Cert,
        &[
            "1 12345 8 aGVsbG8=",
            "PKIX 12345 RSASHA256 aGVs bG8=",
            "1 12345 8 aGVsbG8",
        ],
    ),
    (
        RecordType::Cname,
        &["www.acme.example", "WWW.acme.example.", "www.Acme.Example"],
    ),
    (RecordType::Cname, &["acme.example", "@", "acme.example."]),
    (
        RecordType::Cname,
        &["xn--bcher-kva.example", "bücher.example", "BÜCHER.example."],
    ),
    (
        RecordType::Dnskey,
        &["257 3 13 aGVsbG8=", "257 3 ECDSAP256SHA256 aGVs bG8="],
    ),
    (
        RecordType::Ds,
        &[
            "1 13 1 0123456789abcdef0123456789abcdef01234567",
            "1 ECDSAP256SHA256 1 0123456789ABCDEF0123 456789ABCDEF01234567",
        ],
    ),
    (
        RecordType::Https,
        &[
            "1 . alpn=\"h3,h2\" port=\"8443\"",
            "1 . port=8443 alpn=h3,h2",
            "1 . key3=8443 key1=\"h3,h2\"",
        ],
    ),
    (RecordType::Https, &["0 svc.example.net", "0 svc.example.net."]),
    (
        RecordType::Https,
        &[
            "1 . alpn=\"a\\\\\\\\,b\" key65400=\"a\\\\b\"",
            "1 . key65400=a\\\\b alpn=a\\\\\\\\,b",
        ],
    ),
    (
        RecordType::Svcb,
        &[
            "1 dns.example.net alpn=\"dot\" ipv6hint=\"2001:db8::1\"",
            "1 dns.example.net. ipv6hint=2001:DB8:0::1 alpn=\"dot\"",
        ],
    ),
    (
        RecordType::Loc,
        &[
            "51 30 12.748 N 0 7 39.611 W 0.00m 1.00m 10000.00m 10.00m",
            "51 30 12.748 n 0 7 39.611 w 0",
            "51 30 12.748 N 0 7 39.611 W 0m 1m 10000m 10m",
        ],
    ),
    (
        RecordType::Loc,
        &[
            "42 0 0.000 N 71 0 0.000 W -24.00m 30.00m 10000.00m 10.00m",
            "42 N 71 0 W -24m 30m",
        ],
    ),
    (RecordType::Mx, &["10 mail.acme.example", "10 MAIL.acme.example."]),
    (RecordType::Mx, &["0 ."]),
    (
        RecordType::Naptr,
        &[
            "100 10 \"U\" \"E2U+sip\" \"!^.*$!sip:a@b.example!\" .",
            "100 10 U E2U+sip !^.*$!sip:a@b.example! .",
        ],
    ),
    (RecordType::Ns, &["ns1.host.example", "ns1.host.example."]),
    (RecordType::Openpgpkey, &["aGVsbG8gd29ybGQ=", "aGVsbG8g d29ybGQ="]),
    (RecordType::Ptr, &["host.example.net", "host.example.net."]),
    (
        RecordType::Smimea,
        &[
            "3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "3 1 1 0123456789ABCDEF0123456789abcdef 0123456789abcdef0123456789abcdef",
        ],
    ),
    (
        RecordType::Soa,
        &[
            "ns.example.net admin.example.net 1 2 3 4 5",
            "NS.example.net. admin.example.net. 1 2 3 4 5",
        ],
    ),
    (
        RecordType::Srv,
        &["10 5 5060 sip.acme.example", "10 5 5060 SIP.acme.example."],
    ),
    (RecordType::Srv, &["0 0 0 ."]),
    (
        RecordType::Sshfp,
        &[
            "4 1 0123456789abcdef0123456789abcdef01234567",
            "4 1 0123456789ABCDEF0123456789ABCDEF01234567",
        ],
    ),
    (RecordType::Tlsa, &["0 0 0 abcd", "0 0 0 AB CD"]),
    (
        RecordType::Txt,
        &["v=spf1 -all", "\"v=spf1 -all\"", "\"v=spf1\" \" -all\""],
    ),
    (
        RecordType::Txt,
        &["say \"hi\"; back\\slash", "\"say \\\"hi\\\"; back\\\\slash\""],
    ),
    (RecordType::Txt, &["grüße", "\"grüße\"", "\"gr\\195\\188\\195\\159e\""]),
    (
        RecordType::Uri,
        &["10 1 \"https://acme.example/\"", "10 1 https://acme.example/"],
    ),
];

/// What is refused, the words that say why, and what is pointed at.
const WRONG: &[(RecordType, &str, &str, &str)] = &[
    (RecordType::A, "300.1.1.1", "not an IPv4 address", "300.1.1.1"),
    (RecordType::A, "192.0.2.01", "not an IPv4 address", "192.0.2.01"),
    (
        RecordType::A,
        "192.0.2.1 192.0.2.2",
        "more than belongs here",
        "192.0.2.2",
    ),
    (RecordType::A, "", "missing", ""),
    (RecordType::Aaaa, "192.0.2.1", "not an IPv6 address", "192.0.2.1"),
    (RecordType::Caa, "256 issue x", "from 0 to 255", "256"),
    (RecordType::Caa, "0 is-sue x", "letters and digits", "is-sue"),
    (RecordType::Caa, "0 issue \"x", "never closed", "\""),
    (RecordType::Cname, "www", "single label", "www"),
    (RecordType::Cname, "a..b", "empty label", "a..b"),
    (RecordType::Ds, "1 13 2 abcd", "of this kind it has 32", "abcd"),
    (RecordType::Ds, "1 13 2 abc", "odd number", "abc"),
    (RecordType::Https, "1 . alnp=h2", "no service parameter", "alnp=h2"),
    (RecordType::Https, "1 . port=1 port=2", "given twice", "port=2"),
    (RecordType::Https, "0 . alpn=h2", "alias", "alpn=h2"),
    (
        RecordType::Https,
        "1 . no-default-alpn",
        "needs `alpn`",
        "1 . no-default-alpn",
    ),
    (RecordType::Loc, "91 N 0 E 0m", "from 0 to 90", "91"),
    (
        RecordType::Mx,
        "mail.acme.example",
        "priority is a whole number",
        "mail.acme.example",
    ),
    (RecordType::Mx, "10", "host is missing", ""),
    (RecordType::Mx, "70000 mail.acme.example", "from 0 to 65535", "70000"),
    (RecordType::Openpgpkey, "not base64!", "not base64", "not base64!"),
    (
        RecordType::Srv,
        "10 5 sip.acme.example",
        "port is a whole number",
        "sip.acme.example",
    ),
    (RecordType::Sshfp, "4 2 abcd", "of this kind it has 32", "abcd"),
    (RecordType::Txt, "", "empty", ""),
    (RecordType::Txt, "\"a\\300\"", "no octet", "\\300"),
    (RecordType::Uri, "1 1 \"\"", "empty", "\"\""),
];

#[test]
fn what_means_the_same_is_equal_and_printed_the_same() {
    for (kind, spellings) in SAME {
        let first = parse(*kind, spellings[0]);
        assert_eq!(
            first.to_string(),
            spellings[0],
            "{kind}: the first spelling is the canonical one"
        );
        for spelling in *spellings {
            assert_eq!(parse(*kind, spelling), first, "{kind} {spelling}");
        }
        assert_eq!(first.kind(), *kind);
        let json = serde_json::to_string(&first).unwrap();
        assert_eq!(serde_json::from_str::<RecordData>(&json).unwrap(), first, "{json}");
    }
    for kind in RecordType::ALL {
        assert!(SAME.iter().any(|(known, _)| known == kind), "{kind} has no example");
        assert_eq!(RecordType::parse(&kind.as_str().to_lowercase()), Some(*kind));
    }
}

#[test]
fn what_is_wrong_is_said_and_pointed_at() {
    for (kind, text, words, at) in WRONG {
        let error = RecordData::parse(*kind, text, &origin()).expect_err(text);
        assert!(error.to_string().contains(words), "{kind} {text}: {error}");
        assert_eq!(&text[error.span()], *at, "{kind} {text}: {error}");
    }
}

#[test]
fn long_texts_are_split_between_characters_and_joined_again() {
    for length in [1, 254, 255, 256, 300, 510, 511, 2_000] {
        for unit in ["a", "ü", "漢", "\\", "\""] {
            let value = unit.repeat(length);
            let strings = txt::character_strings(value.as_bytes());
            assert_eq!(
                txt::parse_character_strings(&strings).unwrap(),
                value.as_bytes(),
                "{length} {unit}"
            );
            assert_eq!(parse(RecordType::Txt, &strings), RecordData::Txt(value.into_bytes()));
        }
    }
    assert_eq!(txt::wire_length(&[b'a'; 255]), 256);
    assert_eq!(txt::wire_length(&[b'a'; 256]), 258);
}

#[test]
fn purposes_are_told_apart_and_tokens_are_none() {
    let name = |text: &str| DomainName::parse(text).unwrap();
    for (owner, value, purpose) in [
        ("acme.example", "v=spf1 -all", Some("v=spf1")),
        ("acme.example", "V=SPF1", Some("v=spf1")),
        ("acme.example", "v=spf10 -all", None),
        ("acme.example", "google-site-verification=v=spf1", None),
        ("_dmarc.acme.example", "v=DMARC1; p=none", Some("v=DMARC1")),
        ("_dmarc.acme.example", "v = dmarc1 ; p=none", Some("v=DMARC1")),
        ("acme.example", "v=DMARC1; p=none", None),
        ("s1._domainkey.acme.example", "v=DKIM1; k=rsa; p=MIIB", Some("v=DKIM1")),
        ("s1._domainkey.acme.example", "k=rsa; p=MIIB", Some("v=DKIM1")),
        ("s1._domainkey.acme.example", "hello", None),
        ("_mta-sts.acme.example", "v=STSv1; id=1", Some("v=STSv1")),
        (
            "_smtp._tls.acme.example",
            "v=TLSRPTv1; rua=mailto:a@b",
            Some("v=TLSRPTv1"),
        ),
    ] {
        assert_eq!(txt::purpose(&name(owner), value.as_bytes()), purpose, "{owner} {value}");
    }
}

#[test]
fn a_target_that_is_an_address_is_noticed() {
    assert!(parse(RecordType::Mx, "10 192.0.2.1").target_is_address());
    assert!(!parse(RecordType::Mx, "10 mail.acme.example").target_is_address());
    assert_eq!(parse(RecordType::Mx, "0 .").target(), None);
}

#[test]
fn an_alias_is_written_and_read_and_never_travels() {
    let data = parse(RecordType::Alias, "host.other.test.");
    assert_eq!(data, RecordData::Alias(DomainName::parse("host.other.test").unwrap()));
    assert_eq!(data.to_string(), "host.other.test");
    assert_eq!(data.target().map(DomainName::as_str), Some("host.other.test"));
    let json = serde_json::to_string(&data).unwrap();
    assert_eq!(serde_json::from_str::<RecordData>(&json).unwrap(), data);
    assert_eq!((data.to_wire(), RecordType::Alias.number()), (None, None));
    assert!(RecordData::from_wire(RecordType::Alias, b"\x04host\0").is_err());
    assert!(!RecordType::ALL.contains(&RecordType::Alias) && RecordType::parse("alias") == Some(RecordType::Alias));
}

#[test]
fn every_type_travels_and_comes_back() {
    let mut kinds: Vec<RecordType> = Vec::new();
    for (kind, spellings) in SAME {
        let data = parse(*kind, spellings[0]);
        assert_eq!(
            RecordData::from_wire(*kind, &data.to_wire().unwrap()),
            Ok(data),
            "{kind} {}",
            spellings[0]
        );
        kinds.push(*kind);
    }
    for kind in RecordType::ALL {
        assert!(kinds.contains(kind), "{kind} is not among them");
        assert_eq!(RecordType::from_number(kind.number().unwrap()), Some(*kind));
    }
}

/// Octets as RFCs and servers write them, so that one mistake in both directions cannot cancel itself.
#[test]
fn octets_are_those_of_the_rfcs() {
    for (kind, text, octets) in [
        (RecordType::Mx, "10 mx.a", &b"\0\x0a\x02mx\x01a\0"[..]),
        (RecordType::Caa, "0 issue \"ca.test\"", &b"\0\x05issueca.test"[..]),
        // RFC 9460 §D.2: figures 6 and 9, in our order of parameters.
        (
            RecordType::Svcb,
            "1 foo.example.com ipv6hint=\"2001:db8::1,2001:db8::53:1\"",
            &b"\0\x01\x03foo\x07example\x03com\0\0\x06\0\x20\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\
              \x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\x53\0\x01"[..],
        ),
        (
            RecordType::Https,
            "16 foo.example.org mandatory=\"ipv4hint,alpn\" alpn=\"h2,h3-19\" ipv4hint=\"192.0.2.1\"",
            &b"\0\x10\x03foo\x07example\x03org\0\0\0\0\x04\0\x01\0\x04\0\x01\0\x09\x02h2\x05h3-19\0\x04\0\x04\xc0\0\x02\x01"[..],
        ),
        // RFC 1876 §2: 51 30 12.748 N 0 7 39.611 W 0.00m.
        (
            RecordType::Loc,
            "51 30 12.748 N 0 7 39.611 W 0m 1m 10000m 10m",
            &b"\0\x12\x16\x13\x8b\x0d\x2c\x8c\x7f\xf8\xfc\xa5\0\x98\x96\x80"[..],
        ),
    ] {
        assert_eq!(parse(kind, text).to_wire().unwrap(), octets, "{kind} {text}");
    }
}

proptest! {
    #[test]
    fn what_travels_comes_back_the_same(text in "([0-9]{1,5} |[a-z.]{1,8} |\"[^\"]{0,8}\" |[\\\\\"@=;.0-9NSEWm]{1,4} ){1,7}", at in 0..RecordType::ALL.len()) {
        let kind = RecordType::ALL[at];
        if let Ok(data) = RecordData::parse(kind, &text, &origin()) {
            let wire = data.to_wire().unwrap();
            if let Ok(back) = RecordData::from_wire(kind, &wire) {
                prop_assert_eq!(back.to_wire().unwrap(), wire);
            }
        }
    }

    #[test]
    fn no_octets_make_it_panic(octets in proptest::collection::vec(any::<u8>(), 0..80), at in 0..RecordType::ALL.len()) {
        let kind = RecordType::ALL[at];
        if let Ok(data) = RecordData::from_wire(kind, &octets) {
            prop_assert_eq!(RecordData::from_wire(kind, &data.to_wire().unwrap()), Ok(data));
        }
    }

    #[test]
    fn no_text_makes_it_panic_and_what_is_read_reads_back(text in "\\PC{0,60}", at in 0..RecordType::ALL.len()) {
        let kind = RecordType::ALL[at];
        match RecordData::parse(kind, &text, &origin()) {
            Ok(data) => prop_assert_eq!(parse(kind, &data.to_string()), data),
            Err(error) => {
                let span = error.span();
                prop_assert!(text.get(span.clone()).is_some(), "{:?} in {:?}", span, text);
            }
        }
    }

    #[test]
    fn words_of_zone_files_read_back(text in "([0-9]{1,5} |[a-z.]{1,8} |\"[^\"]{0,8}\" |[\\\\\"@=;.0-9NSEWm]{1,4} ){1,7}", at in 0..RecordType::ALL.len()) {
        let kind = RecordType::ALL[at];
        if let Ok(data) = RecordData::parse(kind, &text, &origin()) {
            let printed = data.to_string();
            prop_assert_eq!(parse(kind, &printed).to_string(), printed);
        }
    }

    #[test]
    fn service_parameters_with_escapes_read_back(value in "[a-z\\\\,0-9]{1,12}") {
        for text in [format!("1 . alpn={value}"), format!("1 . key65400=\"{value}\""), format!("1 . dohpath={value}")] {
            for kind in [RecordType::Https, RecordType::Svcb] {
                if let Ok(data) = RecordData::parse(kind, &text, &origin()) {
                    prop_assert_eq!(parse(kind, &data.to_string()), data, "{}", text);
                }
            }
        }
    }

    #[test]
    fn octets_of_a_txt_come_through(value in proptest::collection::vec(any::<u8>(), 1..700)) {
        let data = RecordData::Txt(value.clone());
        prop_assert_eq!(parse(RecordType::Txt, &data.to_string()), data);
        prop_assert_eq!(txt::parse_character_strings(&txt::character_strings(&value)).unwrap(), value);
    }
}
