//! Providers that send for others: newsletters, transactional mail, support desks.

use super::{BASE, Confidence, Preset, ReturnPath, Shape, When, bounce, dkim_cname, dkim_txt, parameter, proof};
use crate::model::record::RecordType::{Cname, Mx, Ns, Txt};

/// SPF at a return path that Amazon SES carries.
const SES_SPF: &str = "v=spf1 include:amazonses.com ~all";
const SES_MX: &str = "10 feedback-smtp.{region}.amazonses.com";

pub(super) const PRESETS: &[Preset] = &[
    // Sources: zone files, the provider's API sample. The selector is a date and `pm`.
    Preset {
        id: "postmark",
        name: "Postmark",
        parameters: &[
            parameter(
                "selector",
                Shape::Selector("", "pm"),
                "the DKIM selector from the console, such as 20260101pm",
            ),
            parameter("key", Shape::Key, "the DKIM key from the console"),
            parameter("return_path", Shape::Label, "the label of the return path").or("pm-bounces"),
        ],
        idle_spf: &["include:spf.mtasv.net"],
        send: &[
            dkim_txt("{selector}._domainkey", "k=rsa; p={key}"),
            bounce("{return_path}", Cname, "pm.mtasv.net"),
        ],
        return_path: ReturnPath::Subdomain("{return_path}"),
        hosts: &["mtasv.net"],
        ..BASE
    },
    // Sources: the provider's Domain-Connect template, zone files.
    Preset {
        id: "sendgrid",
        name: "SendGrid",
        parameters: &[
            parameter(
                "return_path",
                Shape::Label,
                "the label of the first CNAME, such as em1234",
            ),
            parameter(
                "account",
                Shape::Label,
                "the label that begins with u in the targets, such as u1234567",
            ),
            parameter(
                "server",
                Shape::Label,
                "the label that begins with wl in the targets, such as wl123",
            ),
        ],
        idle_spf: &["include:sendgrid.net"],
        send: &[
            bounce("{return_path}", Cname, "{account}.{server}.sendgrid.net"),
            dkim_cname("s1._domainkey", "s1.domainkey.{account}.{server}.sendgrid.net"),
            dkim_cname("s2._domainkey", "s2.domainkey.{account}.{server}.sendgrid.net"),
        ],
        return_path: ReturnPath::Subdomain("{return_path}"),
        hosts: &["sendgrid.net"],
        ..BASE
    },
    // Sources: zone files. Keys are TXT or CNAME by the age of the domain; the console shows which.
    Preset {
        id: "mailgun",
        name: "Mailgun",
        confidence: Confidence::Medium,
        parameters: &[
            parameter("subdomain", Shape::Label, "the label of the sending domain, such as mg"),
            parameter("region", Shape::Choice(&["us", "eu"]), "where the domain was created").or("us"),
            parameter(
                "inbound",
                Shape::Choice(&["yes", "no"]),
                "whether the subdomain gets mail too",
            )
            .or("no"),
            parameter(
                "selector",
                Shape::Label,
                "the DKIM selector, when the key is a TXT record",
            )
            .optional(),
            parameter("key", Shape::Key, "the DKIM key, when it is a TXT record").optional(),
            parameter(
                "dkim_target_1",
                Shape::Host,
                "the target of pdk1, when the keys are CNAME records",
            )
            .optional(),
            parameter(
                "dkim_target_2",
                Shape::Host,
                "the target of pdk2, when the keys are CNAME records",
            )
            .optional(),
        ],
        send: &[
            bounce("{subdomain}", Txt, "v=spf1 include:mailgun.org ~all"),
            dkim_txt("{selector}._domainkey.{subdomain}", "k=rsa; p={key}").when(When::Given("selector")),
            dkim_cname("pdk1._domainkey.{subdomain}", "{dkim_target_1}").when(When::Given("dkim_target_1")),
            dkim_cname("pdk2._domainkey.{subdomain}", "{dkim_target_2}").when(When::Given("dkim_target_2")),
            bounce("{subdomain}", Mx, "10 mxa.{mailgun_mx}").when(When::Is("inbound", "yes")),
            bounce("{subdomain}", Mx, "10 mxb.{mailgun_mx}").when(When::Is("inbound", "yes")),
        ],
        return_path: ReturnPath::Subdomain("{subdomain}"),
        hosts: &["mailgun.org", "mailgun.com", "mgsend.org"],
        ..BASE
    },
    // Source: the provider's documents for the names; the values are Amazon's and shown by the console.
    // Stands before Amazon SES, whose records have the same form, so that it is known again by its fixed label.
    Preset {
        id: "loops",
        name: "Loops",
        confidence: Confidence::Medium,
        parameters: &[
            parameter("region", Shape::Label, "the region in the MX host, such as us-east-1").or("us-east-1"),
            parameter("token_1", Shape::Label, "the first DKIM token"),
            parameter("token_2", Shape::Label, "the second DKIM token"),
            parameter("token_3", Shape::Label, "the third DKIM token"),
        ],
        send: &[
            bounce("envelope", Mx, SES_MX),
            bounce("envelope", Txt, SES_SPF),
            dkim_cname("{token_1}._domainkey", "{token_1}.{ses_dkim}"),
            dkim_cname("{token_2}._domainkey", "{token_2}.{ses_dkim}"),
            dkim_cname("{token_3}._domainkey", "{token_3}.{ses_dkim}"),
        ],
        return_path: ReturnPath::Subdomain("envelope"),
        ..BASE
    },
    // Source: the provider's documents through published modules. Newer regions have a zone of their own for keys.
    Preset {
        id: "amazon-ses",
        name: "Amazon SES",
        parameters: &[
            parameter("region", Shape::Label, "the region, such as eu-central-1"),
            parameter("token_1", Shape::Label, "the first DKIM token"),
            parameter("token_2", Shape::Label, "the second DKIM token"),
            parameter("token_3", Shape::Label, "the third DKIM token"),
            parameter("return_path", Shape::Label, "the label of the custom MAIL FROM domain"),
        ],
        idle_spf: &["include:amazonses.com"],
        send: &[
            dkim_cname("{token_1}._domainkey", "{token_1}.{ses_dkim}"),
            dkim_cname("{token_2}._domainkey", "{token_2}.{ses_dkim}"),
            dkim_cname("{token_3}._domainkey", "{token_3}.{ses_dkim}"),
            bounce("{return_path}", Mx, SES_MX),
            bounce("{return_path}", Txt, SES_SPF),
        ],
        return_path: ReturnPath::Subdomain("{return_path}"),
        hosts: &["amazonses.com"],
        ..BASE
    },
    // Source: the provider's Domain-Connect template. Recipes with a CNAME for the key are wrong.
    Preset {
        id: "resend",
        name: "Resend",
        parameters: &[
            parameter("region", Shape::Label, "the region, such as eu-west-1"),
            parameter("key", Shape::Key, "the DKIM key from the console"),
            parameter("return_path", Shape::Label, "the label of the return path").or("send"),
        ],
        send: &[
            dkim_txt("resend._domainkey", "p={key}"),
            bounce("{return_path}", Mx, SES_MX),
            bounce("{return_path}", Txt, SES_SPF),
        ],
        return_path: ReturnPath::Subdomain("{return_path}"),
        ..BASE
    },
    // Sources: zone files, the provider's Domain-Connect template. Its shared addresses bounce to its own domain.
    Preset {
        id: "brevo",
        name: "Brevo",
        parameters: &[parameter("code", Shape::Token, "what follows brevo-code:")],
        idle_spf: &["include:spf.brevo.com", "include:spf.sendinblue.com"],
        send: &[
            dkim_cname("brevo1._domainkey", "b1.{dashed}.dkim.brevo.com"),
            dkim_cname("brevo2._domainkey", "b2.{dashed}.dkim.brevo.com"),
            proof("brevo-code:{code}"),
        ],
        return_path: ReturnPath::Theirs,
        hosts: &["brevo.com", "sendinblue.com"],
        ..BASE
    },
    // Sources: zone files; Cloudflare's list of targets that it does not proxy.
    Preset {
        id: "mailchimp",
        name: "Mailchimp",
        idle_spf: &["include:servers.mcsv.net"],
        send: &[
            dkim_cname("k2._domainkey", "dkim2.mcsv.net"),
            dkim_cname("k3._domainkey", "dkim3.mcsv.net"),
        ],
        return_path: ReturnPath::Theirs,
        hosts: &["mcsv.net"],
        ..BASE
    },
    // Sources: zone files.
    Preset {
        id: "mandrill",
        name: "Mandrill",
        parameters: &[parameter("token", Shape::Token, "what follows mandrill_verify.")],
        idle_spf: &["include:spf.mandrillapp.com"],
        send: &[
            dkim_cname("mte1._domainkey", "dkim1.mandrillapp.com"),
            dkim_cname("mte2._domainkey", "dkim2.mandrillapp.com"),
            proof("mandrill_verify.{token}"),
        ],
        return_path: ReturnPath::Theirs,
        hosts: &["mandrillapp.com"],
        ..BASE
    },
    // Source: the provider's documents; the hosts differ by account.
    Preset {
        id: "customer-io",
        name: "Customer.io",
        parameters: &[
            parameter(
                "subdomain",
                Shape::Selector("cio", ""),
                "the label that begins with cio, such as cio12345",
            ),
            parameter("mx_1", Shape::Host, "the first MX host"),
            parameter("mx_2", Shape::Host, "the second MX host"),
            parameter("spf", Shape::Text, "the SPF record for the subdomain"),
            parameter("key", Shape::Key, "the DKIM key"),
        ],
        send: &[
            bounce("{subdomain}", Mx, "10 {mx_1}"),
            bounce("{subdomain}", Mx, "10 {mx_2}"),
            bounce("{subdomain}", Txt, "{spf}"),
            dkim_txt("krs._domainkey.{subdomain}", "k=rsa; p={key}"),
        ],
        return_path: ReturnPath::Subdomain("{subdomain}"),
        ..BASE
    },
    // Sources: zone files. The include of its wizard cannot align without an address of one's own.
    Preset {
        id: "hubspot",
        name: "HubSpot",
        parameters: &[
            parameter("portal", Shape::Label, "the number of the portal"),
            parameter("server", Shape::Label, "the number after hs in the targets, such as 04"),
        ],
        send: &[
            dkim_cname("hs1-{portal}._domainkey", "{dashed}.hs{server}a.dkim.hubspotemail.net"),
            dkim_cname("hs2-{portal}._domainkey", "{dashed}.hs{server}b.dkim.hubspotemail.net"),
        ],
        return_path: ReturnPath::Theirs,
        hosts: &["hubspotemail.net"],
        ..BASE
    },
    // Source: the provider's help text. Newer accounts may have labels of their own.
    Preset {
        id: "klaviyo",
        name: "Klaviyo",
        parameters: &[
            parameter(
                "mode",
                Shape::Choice(&["cname", "ns"]),
                "static (cname) or dynamic (ns) routing",
            )
            .or("cname"),
            parameter("subdomain", Shape::Label, "the label of the sending domain").or("send"),
            parameter(
                "server",
                Shape::Label,
                "the label before .klaviyodns.com; only for cname",
            ),
        ],
        send: &[
            bounce("{subdomain}", Cname, "{server}.klaviyodns.com").when(When::Is("mode", "cname")),
            dkim_cname("kl._domainkey.{subdomain}", "kl.domainkey.{server}.klaviyodns.com")
                .when(When::Is("mode", "cname")),
            dkim_cname("kl2._domainkey.{subdomain}", "kl2.domainkey.{server}.klaviyodns.com")
                .when(When::Is("mode", "cname")),
            bounce("{subdomain}", Ns, "ns1.klaviyo.com").when(When::Is("mode", "ns")),
            bounce("{subdomain}", Ns, "ns2.klaviyo.com").when(When::Is("mode", "ns")),
            bounce("{subdomain}", Ns, "ns3.klaviyo.com").when(When::Is("mode", "ns")),
            bounce("{subdomain}", Ns, "ns4.klaviyo.com").when(When::Is("mode", "ns")),
        ],
        return_path: ReturnPath::Subdomain("{subdomain}"),
        hosts: &["klaviyodns.com", "klaviyo.com"],
        ..BASE
    },
    // Sources: zone files, the Domain-Connect template. Newer selectors are reported in 2026.
    Preset {
        id: "mailersend",
        name: "MailerSend",
        confidence: Confidence::Medium,
        parameters: &[
            parameter("selector", Shape::Label, "the DKIM selector").or("mlsend2"),
            parameter("return_path", Shape::Label, "the label of the return path").or("mta"),
        ],
        spf: &["include:_spf.mailersend.net"],
        send: &[
            bounce("{return_path}", Cname, "mailersend.net"),
            dkim_cname("{selector}._domainkey", "{selector}._domainkey.mailersend.net"),
        ],
        return_path: ReturnPath::Subdomain("{return_path}"),
        hosts: &["mailersend.net"],
        ..BASE
    },
    // Sources: the Domain-Connect template, zone files.
    Preset {
        id: "sparkpost",
        name: "SparkPost (Bird)",
        confidence: Confidence::Medium,
        parameters: &[
            parameter("region", Shape::Choice(&["us", "eu"]), "where the account is").or("us"),
            parameter("return_path", Shape::Label, "the label of the bounce domain").or("bounces"),
            parameter(
                "selector",
                Shape::Selector("scph", ""),
                "the DKIM selector, such as scph0126",
            ),
            parameter("key", Shape::Key, "the DKIM key"),
        ],
        send: &[
            bounce("{return_path}", Cname, "sparkpostmail.com").when(When::Is("region", "us")),
            bounce("{return_path}", Cname, "eu.sparkpostmail.com").when(When::Is("region", "eu")),
            dkim_txt("{selector}._domainkey", "v=DKIM1; k=rsa; h=sha256; p={key}"),
        ],
        return_path: ReturnPath::Subdomain("{return_path}"),
        hosts: &["sparkpostmail.com"],
        ..BASE
    },
    // Source: the provider's help pages 9744849 and 11183745.
    Preset {
        id: "intercom",
        name: "Intercom",
        parameters: &[
            parameter("uuid", Shape::Label, "the label before .dkim.intercom.io"),
            parameter("return_path", Shape::Label, "the label of the return path"),
            parameter("return_path_target", Shape::Host, "the target of the return path"),
        ],
        send: &[
            dkim_cname("intercom._domainkey", "{uuid}.dkim.intercom.io"),
            bounce("{return_path}", Cname, "{return_path_target}"),
        ],
        return_path: ReturnPath::Subdomain("{return_path}"),
        hosts: &["dkim.intercom.io"],
        ..BASE
    },
    // Sources: zone files. The record that verifies the domain is declared as an ordinary one.
    Preset {
        id: "zendesk",
        name: "Zendesk",
        confidence: Confidence::Medium,
        spf: &["include:mail.zendesk.com"],
        send: &[
            dkim_cname("zendesk1._domainkey", "zendesk1._domainkey.zendesk.com"),
            dkim_cname("zendesk2._domainkey", "zendesk2._domainkey.zendesk.com"),
        ],
        hosts: &["zendesk.com"],
        ..BASE
    },
];
