//! The table: for each kind a domain that has it and one that has not, as edits of the clean one.

mod dkim;
mod dmarc;
mod other;
mod spf;

use super::name;
use crate::base::diagnostic::Severity::{self, Error, Info, Warning};
use crate::mail::dkim::tests::rsa;
use crate::mail::dmarc::Policy;
use crate::mail::findings::facts::{Declared, ExpectedKey, Flattened, PolicyFetch, Purpose, Stage};
use crate::mail::mta_sts;

pub(super) fn nothing(_: &mut Declared) {}

fn parked(declared: &mut Declared) {
    declared.purpose = Purpose::Parked;
    declared.senders.clear();
    declared.selectors.clear();
}

fn due(declared: &mut Declared) {
    declared.stage = Some(Stage {
        policy: Policy::Reject,
        on: "2026-11-01".into(),
        is_due: true,
    });
}

fn alias(declared: &mut Declared) {
    declared.selectors[0].expected = ExpectedKey::Alias(name("s1.keys.provider.example"));
}

fn declared_key(declared: &mut Declared) {
    declared.selectors[0].expected = ExpectedKey::Record(format!("p={}", rsa(2056)));
}

fn unsigned(declared: &mut Declared) {
    declared.senders[0].signing.clear();
}

fn provider_path(declared: &mut Declared) {
    declared.senders[0].mail_from = None;
    declared.senders[0].signing = vec![name("provider.example")];
}

fn strict_sub(declared: &mut Declared) {
    declared.senders[0].signing = vec![name("send.acme.example")];
    declared.senders[0].mail_from = None;
}

fn policy_body(body: &str) -> PolicyFetch {
    PolicyFetch::Answer {
        status: 200,
        media_type: "text/plain".into(),
        body: body.to_owned(),
    }
}

fn flattened(declared: &mut Declared) {
    declared.flattened.push(Flattened {
        include: name("_spf.provider.example"),
        networks: ["192.0.2.0/25", "198.51.100.0/24"]
            .map(|text| text.parse().unwrap())
            .into(),
        taken: "2026-11-01".into(),
    });
}

const POLICY: &str = "version: STSv1\nmode: enforce\nmx: mx1.acme.example\nmax_age: 604800\n";

fn good_policy(declared: &mut Declared) {
    declared.policy = Some(policy_body(POLICY));
}

fn narrow_policy(declared: &mut Declared) {
    declared.policy = Some(policy_body(
        "version: STSv1\nmode: enforce\nmx: other.example\nmax_age: 604800\n",
    ));
}

fn redirected_policy(declared: &mut Declared) {
    declared.policy = Some(PolicyFetch::Answer {
        status: 301,
        media_type: "text/html".into(),
        body: String::new(),
    });
}

fn own(mode: mta_sts::Mode) -> mta_sts::Policy {
    mta_sts::Policy {
        mode,
        exchangers: vec!["mx1.acme.example".into()],
        max_age: 604_800,
    }
}

/// What is served is what is declared.
fn own_policy(declared: &mut Declared) {
    good_policy(declared);
    declared.own_policy = Some(own(mta_sts::Mode::Enforce));
}

/// What is declared is not what is served.
fn other_policy(declared: &mut Declared) {
    good_policy(declared);
    declared.own_policy = Some(own(mta_sts::Mode::Testing));
}

fn no_host(declared: &mut Declared) {
    declared.policy = Some(PolicyFetch::NoHost);
}

fn with_issuer(declared: &mut Declared) {
    good_policy(declared);
    declared.issuer = Some("letsencrypt.org".into());
}

fn with_mark(declared: &mut Declared) {
    declared.mark_issuer = Some("digicert.com".into());
}

fn bulk(declared: &mut Declared) {
    declared.is_bulk = true;
}

fn registered(declared: &mut Declared) {
    declared.domain = name("shop.acme.example");
    declared.registered = Some(name("acme.example"));
    declared.senders.clear();
    declared.selectors.clear();
}

pub(crate) type Declare = fn(&mut Declared);
/// An id; the edits and declarations with which it is found, and how bad; those with which it is not.
pub(crate) type Case = (
    &'static str,
    &'static [&'static str],
    Declare,
    Severity,
    &'static [&'static str],
    Declare,
);

pub(super) const NO_SPF: &str = "-acme.example TXT";
pub(super) const NO_KEY: &str = "-s1._domainkey";
pub(super) const NO_DMARC: &str = "-_dmarc";
const FLAT: &str = "_spf.provider.example TXT v=spf1 ip4:192.0.2.0/26 ip4:192.0.2.64/26 ip4:198.51.100.0/24 ~all";
const FLAT_OTHER: &str = "_spf.provider.example TXT v=spf1 ip4:192.0.2.0/25 ip4:203.0.113.0/24 ~all";
const FLAT_FEWER: &str = "_spf.provider.example TXT v=spf1 ip4:192.0.2.0/25 ~all";
const NO_MX: &str = "-acme.example MX";
const STS: &str = "_mta-sts.acme.example TXT v=STSv1; id=1";
const STS_ENFORCE: &str = "_mta-sts.acme.example TXT v=STSv1; id=f08743e5a4fb8efedd87";
const STS_TESTING: &str = "_mta-sts.acme.example TXT v=STSv1; id=4fc2a24e8117186d9596";
const TLS: &str = "_smtp._tls.acme.example TXT v=TLSRPTv1; rua=mailto:tls@acme.example";
const MARK: &str = "default._bimi.acme.example TXT v=BIMI1; l=https://acme.example/l.svg; a=https://acme.example/v.pem";

/// The whole table.
pub(crate) fn cases() -> impl Iterator<Item = &'static Case> {
    [spf::CASES, dkim::CASES, dmarc::CASES, other::CASES]
        .into_iter()
        .flatten()
}
