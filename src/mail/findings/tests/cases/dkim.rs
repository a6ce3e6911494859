//! DKIM (findings 15 to 21).

use super::*;

pub(super) const CASES: &[Case] = &[
    ("dkim-missing", &[NO_KEY], nothing, Error, &[], nothing),
    (
        "dkim-malformed",
        &[NO_KEY, "s1._domainkey.acme.example TXT v=DKIM1; p=AAAA"],
        nothing,
        Error,
        &[],
        nothing,
    ),
    (
        "dkim-malformed",
        &["s1._domainkey.acme.example TXT p=KEY"],
        nothing,
        Error,
        &[],
        nothing,
    ),
    (
        "dkim-weak",
        &[NO_KEY, "s1._domainkey.acme.example TXT p=KEY1023"],
        nothing,
        Error,
        &[],
        nothing,
    ),
    (
        "dkim-weak",
        &[
            NO_KEY,
            "s1._domainkey.acme.example TXT k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        ],
        nothing,
        Warning,
        &[],
        nothing,
    ),
    (
        "dkim-revoked",
        &[NO_KEY, "s1._domainkey.acme.example TXT v=DKIM1; p="],
        nothing,
        Error,
        &[],
        nothing,
    ),
    (
        "dkim-revoked",
        &[NO_KEY, "s1._domainkey.acme.example TXT v=DKIM1; p="],
        |declared| declared.selectors[0].is_active = false,
        Info,
        &[],
        nothing,
    ),
    (
        "dkim-testing",
        &[NO_KEY, "s1._domainkey.acme.example TXT t=y; p=KEY"],
        nothing,
        Warning,
        &[],
        nothing,
    ),
    (
        "dkim-cname",
        &[NO_KEY, "s1._domainkey.acme.example CNAME s1.keys.provider.example"],
        alias,
        Error,
        &[
            NO_KEY,
            "s1._domainkey.acme.example CNAME s1.keys.provider.example",
            "s1.keys.provider.example TXT p=KEY",
        ],
        alias,
    ),
    (
        "dkim-cname",
        &[
            NO_KEY,
            "s1._domainkey.acme.example CNAME x._domainkey.acme.onmicrosoft.com",
        ],
        nothing,
        Warning,
        &[],
        nothing,
    ),
    (
        "dkim-cname",
        &[
            NO_KEY,
            "s1._domainkey.acme.example CNAME other.example",
            "other.example TXT p=KEY",
        ],
        alias,
        Error,
        &[],
        nothing,
    ),
    (
        "dkim-cname",
        &[],
        |declared| {
            declared.proxied.insert(name("s1._domainkey.acme.example"));
        },
        Error,
        &[],
        nothing,
    ),
    ("dkim-drift", &[], declared_key, Error, &[], |declared| {
        declared.selectors[0].expected = ExpectedKey::Record(format!("p={}", rsa(2048)));
    }),
];
