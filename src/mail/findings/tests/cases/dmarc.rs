//! DMARC (findings 22 to 31).

use super::*;

pub(super) const CASES: &[Case] = &[
    ("dmarc-missing", &[NO_DMARC], nothing, Error, &[], nothing),
    (
        "dmarc-missing",
        &[NO_DMARC],
        |declared| {
            declared.purpose = Purpose::Mail {
                sends: false,
                receives: true,
            };
        },
        Warning,
        &[],
        nothing,
    ),
    (
        "dmarc-multiple",
        &["_dmarc.acme.example TXT v=DMARC1; p=none"],
        nothing,
        Error,
        &[],
        nothing,
    ),
    (
        "dmarc-syntax",
        &[
            NO_DMARC,
            "_dmarc.acme.example TXT v=DMARC1; p=rejected; rua=mailto:dmarc@acme.example",
        ],
        nothing,
        Error,
        &[],
        nothing,
    ),
    (
        "dmarc-syntax",
        &[NO_DMARC, "_dmarc.acme.example TXT v=dmarc1; p=reject"],
        nothing,
        Error,
        &[],
        nothing,
    ),
    (
        "dmarc-syntax",
        &["_dmarc.acme.example TXT hello"],
        nothing,
        Warning,
        &[],
        nothing,
    ),
    (
        "dmarc-syntax",
        &["acme.example TXT v=DMARC1; p=reject"],
        nothing,
        Warning,
        &[],
        nothing,
    ),
    (
        "dmarc-monitoring",
        &[
            NO_DMARC,
            "_dmarc.acme.example TXT v=DMARC1; p=none; rua=mailto:dmarc@acme.example",
        ],
        nothing,
        Info,
        &[],
        nothing,
    ),
    (
        "dmarc-monitoring",
        &[
            NO_DMARC,
            "_dmarc.acme.example TXT v=DMARC1; p=reject; t=y; rua=mailto:dmarc@acme.example",
        ],
        due,
        Warning,
        &[],
        due,
    ),
    (
        "dmarc-sub-weaker",
        &[
            NO_DMARC,
            "_dmarc.acme.example TXT v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@acme.example",
        ],
        nothing,
        Warning,
        &[
            NO_DMARC,
            "_dmarc.acme.example TXT v=DMARC1; p=quarantine; sp=reject; rua=mailto:dmarc@acme.example",
        ],
        nothing,
    ),
    (
        "dmarc-removed-tag",
        &[
            NO_DMARC,
            "_dmarc.acme.example TXT v=DMARC1; p=reject; pct=50; rua=mailto:dmarc@acme.example",
        ],
        nothing,
        Warning,
        &[],
        nothing,
    ),
    (
        "dmarc-no-rua",
        &[NO_DMARC, "_dmarc.acme.example TXT v=DMARC1; p=reject"],
        nothing,
        Warning,
        &[],
        nothing,
    ),
    (
        "dmarc-no-rua",
        &[NO_DMARC, "_dmarc.acme.example TXT v=DMARC1; p=reject"],
        bulk,
        Error,
        &[],
        bulk,
    ),
    (
        "dmarc-rua-dead",
        &[
            NO_DMARC,
            "_dmarc.acme.example TXT v=DMARC1; p=reject; rua=mailto:a@reports.test",
            "reports.test MX 10 mx1.acme.example",
        ],
        nothing,
        Error,
        &[
            NO_DMARC,
            "_dmarc.acme.example TXT v=DMARC1; p=reject; rua=mailto:a@reports.test",
            "reports.test MX 10 mx1.acme.example",
            "*._report._dmarc.reports.test TXT v=DMARC1",
        ],
        nothing,
    ),
    (
        "dmarc-rua-dead",
        &[
            NO_DMARC,
            "_dmarc.acme.example TXT v=DMARC1; p=reject; rua=mailto:a@gone.acme.example",
        ],
        nothing,
        Error,
        &[],
        nothing,
    ),
    ("dmarc-alignment", &[], provider_path, Error, &[], nothing),
    ("dmarc-alignment", &[], unsigned, Error, &[], nothing),
    (
        "dmarc-alignment",
        &[
            NO_DMARC,
            "_dmarc.acme.example TXT v=DMARC1; p=reject; adkim=s; rua=mailto:dmarc@acme.example",
        ],
        strict_sub,
        Error,
        &[],
        strict_sub,
    ),
    (
        "dmarc-tree",
        &[
            NO_DMARC,
            "_dmarc.acme.example TXT v=DMARC1; p=reject; psd=y; rua=mailto:dmarc@acme.example",
        ],
        nothing,
        Warning,
        &[],
        nothing,
    ),
    (
        "dmarc-tree",
        &["_dmarc.example TXT v=DMARC1; p=none"],
        registered,
        Warning,
        &[],
        registered,
    ),
];
