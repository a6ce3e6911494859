//! The questions: groups of successive states of one zone, easy ones first. Each line is an entry of `records`.
//!
//! A state is the whole zone, so what the state before held and this one does not must be gone afterwards. Between two
//! groups the zone is emptied.

/// What a state asks of a provider beyond DNS itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// An edge in front of records.
    Proxy,
    /// Comments kept with records.
    Comments,
    /// Tags kept with records.
    Tags,
}

/// One state.
pub struct State {
    pub title: &'static str,
    pub needs: Needs,
    pub records: Vec<String>,
}

/// States that follow one another.
pub struct Group {
    pub title: &'static str,
    pub states: Vec<State>,
}

fn state(title: &'static str, records: &[&str]) -> State {
    State {
        title,
        needs: Needs::Nothing,
        records: records.iter().map(|line| (*line).to_owned()).collect(),
    }
}

fn asking(needs: Needs, title: &'static str, records: &[&str]) -> State {
    State {
        needs,
        ..state(title, records)
    }
}

fn group(title: &'static str, states: Vec<State>) -> Group {
    Group { title, states }
}

/// `letters` repeated to a text of `length` octets.
fn long(length: usize) -> String {
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"
        .chars()
        .cycle()
        .take(length)
        .collect()
}

fn txt(name: &str, value: &str) -> String {
    format!(
        "{{ type: TXT, name: \"{name}\", value: '{}' }}",
        value.replace('\'', "''")
    )
}

/// All of it.
pub fn groups() -> Vec<Group> {
    let mut all = vec![
        addresses(),
        times(),
        aliases(),
        names(),
        mail(),
        texts(),
        policies(),
        services(),
        delegations(),
        keys(),
        others(),
        proxied(),
        notes(),
    ];
    all.push(many());
    all
}

fn addresses() -> Group {
    group(
        "addresses",
        vec![
            state("one", &["{ type: A, name: a, value: 192.0.2.1 }"]),
            state(
                "another address in its place",
                &["{ type: A, name: a, value: 192.0.2.2 }"],
            ),
            state(
                "a second value",
                &["{ type: A, name: a, values: [192.0.2.2, 192.0.2.3] }"],
            ),
            state("the first value gone", &["{ type: A, name: a, value: 192.0.2.3 }"]),
            state(
                "three values, one of them kept",
                &["{ type: A, name: a, values: [192.0.2.9, 192.0.2.3, 192.0.2.1] }"],
            ),
            state(
                "both families",
                &[
                    "{ type: A, name: a, value: 192.0.2.9 }",
                    "{ type: AAAA, name: a, value: \"2001:DB8:0:0::1\" }",
                ],
            ),
            state(
                "only the new family",
                &["{ type: AAAA, name: a, value: \"2001:db8::1\" }"],
            ),
            state(
                "at the zone itself",
                &[
                    "{ type: A, name: \"@\", value: 192.0.2.1 }",
                    "{ type: AAAA, name: \"@\", value: \"2001:db8::2\" }",
                ],
            ),
            state(
                "from the zone itself to a name",
                &["{ type: A, name: b, value: 192.0.2.1 }"],
            ),
        ],
    )
}

fn times() -> Group {
    group(
        "times to live",
        vec![
            state("said in minutes", &["{ type: A, name: a, value: 192.0.2.1, ttl: 5m }"]),
            state("longer", &["{ type: A, name: a, value: 192.0.2.1, ttl: 1h }"]),
            state(
                "with another value",
                &["{ type: A, name: a, value: 192.0.2.2, ttl: 60 }"],
            ),
            state(
                "as long as a day",
                &["{ type: A, name: a, value: 192.0.2.2, ttl: 86400 }"],
            ),
            state(
                "the provider's own",
                &["{ type: A, name: a, value: 192.0.2.2, ttl: auto }"],
            ),
        ],
    )
}

fn aliases() -> Group {
    group(
        "aliases",
        vec![
            state("one", &["{ type: CNAME, name: www, value: host.test. }"]),
            state("to another host", &["{ type: CNAME, name: www, value: other.test. }"]),
            state(
                "within the zone",
                &[
                    "{ type: A, name: a, value: 192.0.2.1 }",
                    "{ type: CNAME, name: www, value: a.ZONE }",
                ],
            ),
            state(
                "an alias becomes an address",
                &["{ type: A, name: www, value: 192.0.2.1 }"],
            ),
            state(
                "an address becomes an alias",
                &["{ type: CNAME, name: www, value: host.test. }"],
            ),
            state(
                "several addresses in its place",
                &[
                    "{ type: A, name: www, values: [192.0.2.1, 192.0.2.2] }",
                    "{ type: AAAA, name: www, value: \"2001:db8::1\" }",
                ],
            ),
            state("and an alias again", &["{ type: CNAME, name: www, value: host.test. }"]),
            state(
                "two names swap their places",
                &[
                    "{ type: A, name: x, value: 192.0.2.1 }",
                    "{ type: CNAME, name: y, value: x.ZONE }",
                ],
            ),
            state(
                "and back",
                &[
                    "{ type: A, name: y, value: 192.0.2.1 }",
                    "{ type: CNAME, name: x, value: y.ZONE }",
                ],
            ),
        ],
    )
}

fn names() -> Group {
    group(
        "names",
        vec![
            state("a wildcard", &["{ type: A, name: \"*\", value: 192.0.2.1 }"]),
            state(
                "beside a name that it would cover",
                &[
                    "{ type: A, name: \"*\", value: 192.0.2.1 }",
                    "{ type: A, name: a, value: 192.0.2.2 }",
                ],
            ),
            state(
                "deeper",
                &[
                    "{ type: A, name: \"*.preview\", value: 192.0.2.1 }",
                    "{ type: A, name: a.b.c.d, value: 192.0.2.2 }",
                ],
            ),
            state(
                "international",
                &[
                    "{ type: A, name: bücher, value: 192.0.2.1 }",
                    "{ type: CNAME, name: straße, value: bücher.ZONE }",
                ],
            ),
            state("in capitals", &["{ type: A, name: WWW, value: 192.0.2.1 }"]),
            state(
                "with underscores",
                &["{ type: CNAME, name: _acme-challenge, value: x.test. }"],
            ),
            state(
                "as long as a label can be",
                &[
                    "{ type: A, name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, value: 192.0.2.1 }",
                ],
            ),
        ],
    )
}

fn mail() -> Group {
    group(
        "mail exchangers",
        vec![
            state("one", &["{ type: MX, name: \"@\", value: 10 mx.test. }"]),
            state("another priority", &["{ type: MX, name: \"@\", value: 20 mx.test. }"]),
            state(
                "two",
                &["{ type: MX, name: \"@\", values: [10 mx.test., 20 mx2.test.] }"],
            ),
            state(
                "the same priority for both",
                &["{ type: MX, name: \"@\", values: [10 mx.test., 10 mx2.test.] }"],
            ),
            state(
                "priorities exchanged",
                &["{ type: MX, name: \"@\", values: [20 mx.test., 10 mx2.test.] }"],
            ),
            state("none, said so", &["{ type: MX, name: \"@\", value: 0 . }"]),
        ],
    )
}

fn texts() -> Group {
    let of = |title, value: &str| State {
        title,
        needs: Needs::Nothing,
        records: vec![txt("t", value)],
    };
    group(
        "texts",
        vec![
            of("a word", "hello"),
            of("several", "hello world, again"),
            of("quotes", "say \"hi\" to 'them'"),
            of("backslashes", "back\\slash \\\\ \\\" end"),
            of("semicolons and equals signs", "v=x; a=b;; c"),
            of("spaces at both ends", " a  b "),
            of("beyond ASCII", "grüße 漢字"),
            State {
                title: "255 octets",
                needs: Needs::Nothing,
                records: vec![txt("t", &long(255))],
            },
            State {
                title: "256 octets",
                needs: Needs::Nothing,
                records: vec![txt("t", &long(256))],
            },
            State {
                title: "1,200 octets",
                needs: Needs::Nothing,
                records: vec![txt("t", &long(1_200))],
            },
            State {
                title: "three at one name",
                needs: Needs::Nothing,
                records: vec![txt("t", "one"), txt("t", "two"), txt("t", &long(400))],
            },
            State {
                title: "one of them changed",
                needs: Needs::Nothing,
                records: vec![txt("t", "one"), txt("t", "2"), txt("t", &long(400))],
            },
        ],
    )
}

fn policies() -> Group {
    let tokens = || {
        vec![
            txt("@", "google-site-verification=abc"),
            txt("@", "facebook-domain-verification=def"),
        ]
    };
    let with = |value: &str| {
        let mut all = tokens();
        all.push(txt("@", value));
        all
    };
    group(
        "policies among tokens",
        vec![
            State {
                title: "tokens",
                needs: Needs::Nothing,
                records: tokens(),
            },
            State {
                title: "SPF beside them",
                needs: Needs::Nothing,
                records: with("v=spf1 include:a.test -all"),
            },
            State {
                title: "another SPF in its place",
                needs: Needs::Nothing,
                records: with("v=spf1 include:a.test include:b.test ~all"),
            },
            State {
                title: "DKIM and DMARC",
                needs: Needs::Nothing,
                records: vec![
                    txt("s1._domainkey", &format!("v=DKIM1; k=rsa; p={}", long(392))),
                    txt("_dmarc", "v=DMARC1; p=none; rua=mailto:dmarc@a.test"),
                ],
            },
            State {
                title: "stricter, with another key",
                needs: Needs::Nothing,
                records: vec![
                    txt("s1._domainkey", &format!("v=DKIM1; k=rsa; p={}", long(736))),
                    txt("_dmarc", "v=DMARC1; p=reject"),
                ],
            },
        ],
    )
}

fn services() -> Group {
    group(
        "services",
        vec![
            state("SRV", &["{ type: SRV, name: _sip._tcp, value: 10 5 5060 sip.test. }"]),
            state(
                "SRV with another port",
                &["{ type: SRV, name: _sip._tcp, values: [10 5 5061 sip.test., 20 5 5061 sip2.test.] }"],
            ),
            state("CAA", &["{ type: CAA, name: \"@\", value: '0 issue \"ca.test\"' }"]),
            state(
                "CAA for several",
                &[
                    "{ type: CAA, name: \"@\", values: ['0 issue \"ca.test\"', '128 issuewild \";\"', '0 iodef \"mailto:a@b.test\"'] }",
                ],
            ),
            state("HTTPS", &["{ type: HTTPS, name: \"@\", value: '1 . alpn=\"h3,h2\"' }"]),
            state(
                "HTTPS with hints",
                &[
                    "{ type: HTTPS, name: \"@\", value: '1 . alpn=\"h2\" ipv4hint=\"192.0.2.1,192.0.2.2\" ipv6hint=\"2001:db8::1\"' }",
                ],
            ),
            state(
                "SVCB",
                &["{ type: SVCB, name: _dns.r, value: '1 dns.test. alpn=\"dot\" port=853' }"],
            ),
            state(
                "URI",
                &["{ type: URI, name: _http._tcp, value: '10 1 \"https://a.test/x\"' }"],
            ),
            state(
                "NAPTR",
                &["{ type: NAPTR, name: n, value: '100 10 \"U\" \"E2U+sip\" \"!^.*$!sip:a@b.test!\" .' }"],
            ),
        ],
    )
}

fn delegations() -> Group {
    const DIGEST: &str = "1F987CC6583E92DF0890718C42A0B0E6A5C2B0F1F0E1D2C3B4A5968778695A4B";
    let ds = |tag: u16| format!("{{ type: DS, name: sub, value: {tag} 13 2 {DIGEST} }}");
    let ns = "{ type: NS, name: sub, values: [ns1.test., ns2.test.] }".to_owned();
    let of = |title, records| State {
        title,
        needs: Needs::Nothing,
        records,
    };
    group(
        "delegations",
        vec![
            of("a delegation", vec![ns.clone()]),
            of("signed", vec![ns.clone(), ds(2_371)]),
            of("with another key", vec![ns.clone(), ds(4_711)]),
            of("no longer signed", vec![ns]),
            state("taken back", &["{ type: A, name: sub, value: 192.0.2.1 }"]),
            of(
                "signed at once",
                vec!["{ type: NS, name: sub, value: ns1.test. }".to_owned(), ds(1)],
            ),
        ],
    )
}

fn keys() -> Group {
    group(
        "keys and certificates",
        vec![
            state(
                "SSHFP",
                &[
                    "{ type: SSHFP, name: h, value: 4 2 123456789ABCDEF67890123456789ABCDEF67890123456789ABCDEF123456789 }",
                ],
            ),
            state(
                "TLSA",
                &[
                    "{ type: TLSA, name: _25._tcp.mail, value: 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef }",
                ],
            ),
            state(
                "SMIMEA",
                &[
                    "{ type: SMIMEA, name: x._smimecert, value: 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef }",
                ],
            ),
            state(
                "OPENPGPKEY",
                &["{ type: OPENPGPKEY, name: x._openpgpkey, value: aGVsbG8gd29ybGQ= }"],
            ),
            state("CERT", &["{ type: CERT, name: c, value: 1 12345 8 aGVsbG8gd29ybGQ= }"]),
            state(
                "DNSKEY",
                &[
                    "{ type: DNSKEY, name: k, value: 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ== }",
                ],
            ),
        ],
    )
}

fn others() -> Group {
    group(
        "what else there is",
        vec![
            state("PTR", &["{ type: PTR, name: p, value: host.test. }"]),
            state(
                "LOC",
                &["{ type: LOC, name: l, value: 51 30 12.748 N 0 7 39.611 W 10.50m 1m 10000m 10m }"],
            ),
            state(
                "LOC below the sea",
                &["{ type: LOC, name: l, value: 42 N 71 0 5 E -24m 30m }"],
            ),
        ],
    )
}

fn proxied() -> Group {
    group(
        "the edge",
        vec![
            asking(
                Needs::Proxy,
                "in front of an address",
                &["{ type: A, name: a, value: 203.0.113.10, proxied: true }"],
            ),
            asking(
                Needs::Proxy,
                "no longer",
                &["{ type: A, name: a, value: 203.0.113.10, proxied: false, ttl: 5m }"],
            ),
            asking(
                Needs::Proxy,
                "again, with another address",
                &["{ type: A, name: a, value: 203.0.113.11, proxied: true }"],
            ),
            asking(
                Needs::Proxy,
                "in front of an alias",
                &["{ type: CNAME, name: a, value: host.test., proxied: true }"],
            ),
        ],
    )
}

fn notes() -> Group {
    group(
        "comments and tags",
        vec![
            asking(
                Needs::Comments,
                "a comment",
                &["{ type: A, name: a, value: 192.0.2.1, comment: the front door }"],
            ),
            asking(
                Needs::Comments,
                "another",
                &["{ type: A, name: a, value: 192.0.2.1, comment: 'the \"back\" door' }"],
            ),
            asking(
                Needs::Comments,
                "kept while the value changes",
                &["{ type: A, name: a, value: 192.0.2.2, comment: 'the \"back\" door' }"],
            ),
            asking(
                Needs::Comments,
                "none",
                &["{ type: A, name: a, value: 192.0.2.2, comment: \"\" }"],
            ),
            asking(
                Needs::Tags,
                "tags",
                &["{ type: A, name: a, value: 192.0.2.2, tags: [\"team:web\", solo] }"],
            ),
            asking(
                Needs::Tags,
                "other tags",
                &["{ type: A, name: a, value: 192.0.2.2, tags: [\"team:api\"] }"],
            ),
            asking(
                Needs::Tags,
                "no tags",
                &["{ type: A, name: a, value: 192.0.2.2, tags: [] }"],
            ),
        ],
    )
}

fn many() -> Group {
    let of = |title, network: &str, numbers: std::ops::Range<usize>| State {
        title,
        needs: Needs::Nothing,
        records: numbers
            .map(|n| format!("{{ type: A, name: h{n}, value: {network}.{} }}", n % 250 + 1))
            .collect(),
    };
    group(
        "many",
        vec![
            of("450 names", "192.0.2", 0..450),
            of("another address for each", "203.0.113", 0..450),
            of("a hundred gone, a hundred new", "203.0.113", 100..550),
        ],
    )
}
