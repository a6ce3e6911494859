//! Providers of mailboxes: they receive, and send in the domain's own name.

use super::{BASE, Confidence, Preset, Shape, When, dkim_cname, dkim_txt, mx, parameter, proof};

pub(super) const PRESETS: &[Preset] = &[
    // Sources: the provider's Domain-Connect template, zone files. The DKIM prefix can be changed in the console.
    Preset {
        id: "google-workspace",
        name: "Google Workspace",
        parameters: &[
            parameter(
                "mx",
                Shape::Choice(&["single", "classic"]),
                "the set of MX records: one host, or the five of old",
            )
            .or("single"),
            parameter(
                "selector",
                Shape::Selector("", ""),
                "the DKIM prefix from the admin console",
            )
            .or("google"),
            parameter(
                "key",
                Shape::Key,
                "the DKIM key from the admin console (Gmail, Authenticate email)",
            ),
        ],
        receive: &[
            mx("1 smtp.google.com").when(When::Is("mx", "single")),
            mx("1 aspmx.l.google.com").when(When::Is("mx", "classic")),
            mx("5 alt1.aspmx.l.google.com").when(When::Is("mx", "classic")),
            mx("5 alt2.aspmx.l.google.com").when(When::Is("mx", "classic")),
            mx("10 alt3.aspmx.l.google.com").when(When::Is("mx", "classic")),
            mx("10 alt4.aspmx.l.google.com").when(When::Is("mx", "classic")),
        ],
        spf: &["include:_spf.google.com"],
        send: &[dkim_txt("{selector}._domainkey", "v=DKIM1; k=rsa; p={key}")],
        hosts: &[
            "smtp.google.com",
            "aspmx.l.google.com",
            "googlemail.com",
            "_spf.google.com",
        ],
        ..BASE
    },
    // Sources: the provider's DKIM article, dnscontrol's M365 builder. The token is the domain with dashes, but it cannot
    // be derived where the domain itself has dashes; since spring 2025 new tenants have a partition in their targets.
    Preset {
        id: "microsoft-365",
        name: "Microsoft 365",
        parameters: &[
            parameter(
                "token",
                Shape::Label,
                "the first label of the MX host that the admin center shows",
            )
            .or("{dashed}"),
            parameter("tenant", Shape::Label, "the name before .onmicrosoft.com"),
            parameter(
                "mx_partition",
                Shape::Label,
                "the letters before -v1.mx.microsoft, when the domain has DNSSEC there",
            )
            .optional(),
            parameter(
                "dkim_partition",
                Shape::Label,
                "the letters before -v1.dkim.mail.microsoft, when the portal shows such targets",
            )
            .optional(),
        ],
        receive: &[
            mx("0 {token}.mail.protection.outlook.com").when(When::NotGiven("mx_partition")),
            mx("0 {token}.{mx_partition}-v1.mx.microsoft").when(When::Given("mx_partition")),
        ],
        spf: &["include:spf.protection.outlook.com"],
        send: &[
            dkim_cname(
                "selector1._domainkey",
                "selector1-{token}._domainkey.{tenant}.onmicrosoft.com",
            )
            .when(When::NotGiven("dkim_partition")),
            dkim_cname(
                "selector2._domainkey",
                "selector2-{token}._domainkey.{tenant}.onmicrosoft.com",
            )
            .when(When::NotGiven("dkim_partition")),
            dkim_cname(
                "selector1._domainkey",
                "selector1-{token}._domainkey.{tenant}.{dkim_partition}-v1.dkim.mail.microsoft",
            )
            .when(When::Given("dkim_partition")),
            dkim_cname(
                "selector2._domainkey",
                "selector2-{token}._domainkey.{tenant}.{dkim_partition}-v1.dkim.mail.microsoft",
            )
            .when(When::Given("dkim_partition")),
        ],
        hosts: &[
            "mail.protection.outlook.com",
            "mx.microsoft",
            "spf.protection.outlook.com",
            "onmicrosoft.com",
            "dkim.mail.microsoft",
        ],
        ..BASE
    },
    // Sources disagree about the include (four are in use), so the console's is asked for.
    Preset {
        id: "zoho",
        name: "Zoho Mail",
        confidence: Confidence::Low,
        parameters: &[
            parameter(
                "region",
                Shape::Choice(&["com", "eu", "in", "com.au", "jp", "com.cn", "sa", "uk"]),
                "the ending of the console's address",
            )
            .or("com"),
            parameter(
                "include",
                Shape::Host,
                "the domain after include: that the console shows",
            ),
            parameter(
                "selector",
                Shape::Selector("", ""),
                "the DKIM selector chosen in the console",
            )
            .or("zmail"),
            parameter("key", Shape::Key, "the DKIM key from the console"),
        ],
        receive: &[
            mx("10 mx.zoho.{region}"),
            mx("20 mx2.zoho.{region}"),
            mx("50 mx3.zoho.{region}"),
        ],
        spf: &["include:{include}"],
        send: &[dkim_txt("{selector}._domainkey", "v=DKIM1; k=rsa; p={key}")],
        hosts: &[
            "zoho.com",
            "zoho.eu",
            "zoho.in",
            "zoho.com.au",
            "zoho.jp",
            "zoho.com.cn",
            "zoho.sa",
            "zoho.uk",
            "zohomail.com",
        ],
        ..BASE
    },
    // Source: the provider's help page 360060591153.
    Preset {
        id: "fastmail",
        name: "Fastmail",
        receive: &[
            mx("10 in1-smtp.messagingengine.com"),
            mx("20 in2-smtp.messagingengine.com"),
        ],
        spf: &["include:spf.messagingengine.com"],
        send: &[
            dkim_cname("fm1._domainkey", "fm1.{domain}.dkim.fmhosted.com"),
            dkim_cname("fm2._domainkey", "fm2.{domain}.dkim.fmhosted.com"),
            dkim_cname("fm3._domainkey", "fm3.{domain}.dkim.fmhosted.com"),
        ],
        hosts: &["messagingengine.com", "dkim.fmhosted.com"],
        ..BASE
    },
    // Sources: zone files and guides that agree.
    Preset {
        id: "proton",
        name: "Proton Mail",
        parameters: &[
            parameter(
                "hash",
                Shape::Label,
                "the label before .domains.proton.ch in the DKIM targets",
            ),
            parameter("verification", Shape::Token, "what follows protonmail-verification="),
        ],
        receive: &[mx("10 mail.protonmail.ch"), mx("20 mailsec.protonmail.ch")],
        spf: &["include:_spf.protonmail.ch"],
        send: &[
            dkim_cname("protonmail._domainkey", "protonmail.domainkey.{hash}.domains.proton.ch"),
            dkim_cname(
                "protonmail2._domainkey",
                "protonmail2.domainkey.{hash}.domains.proton.ch",
            ),
            dkim_cname(
                "protonmail3._domainkey",
                "protonmail3.domainkey.{hash}.domains.proton.ch",
            ),
            proof("protonmail-verification={verification}"),
        ],
        hosts: &["protonmail.ch", "domains.proton.ch"],
        ..BASE
    },
    // Sources: the provider's Domain-Connect template, zone files.
    Preset {
        id: "icloud",
        name: "iCloud custom domain",
        parameters: &[parameter("token", Shape::Token, "what follows apple-domain=")],
        receive: &[mx("10 mx01.mail.icloud.com"), mx("10 mx02.mail.icloud.com")],
        spf: &["include:icloud.com"],
        send: &[
            dkim_cname("sig1._domainkey", "sig1.dkim.{domain}.at.icloudmailadmin.com"),
            proof("apple-domain={token}"),
        ],
        hosts: &["mail.icloud.com", "icloud.com", "at.icloudmailadmin.com"],
        ..BASE
    },
    // Its API writes these records and locks them; priorities differ from zone to zone.
    Preset {
        id: "cloudflare-email-routing",
        name: "Cloudflare Email Routing",
        is_generated: false,
        spf: &["include:_spf.mx.cloudflare.net"],
        hosts: &["mx.cloudflare.net"],
        ..BASE
    },
];
