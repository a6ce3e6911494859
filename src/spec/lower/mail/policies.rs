//! What receivers and senders are told of the domain: DMARC with its rollout, MTA-STS, TLS reports, BIMI.

use std::ops::Range;

use super::{Work, mail_host};
use crate::base::diagnostic::Diagnostic;
use crate::base::text;
use crate::mail::dmarc::{Alignment, Builder, Policy};
use crate::mail::findings::facts::{self, PolicyFetch};
use crate::mail::{mta_sts, tls_rpt};
use crate::model::address::Address;
use crate::model::name::DomainName;
use crate::model::record::RecordType;
use crate::spec::mail::Rollout;
use crate::spec::raw_mail::{Bimi, Dmarc, MtaSts, Stage};
use crate::spec::shape::Text;

/// How long a policy may be kept when nobody says so, in seconds.
const WEEK: u64 = 604_800;

impl Work<'_, '_, '_> {
    pub(super) fn dmarc(&mut self, raw: &Dmarc, place: &Text) {
        let stages = self.stages(raw);
        let written = raw.policy.as_ref().map(|policy| policy.value);
        if written.is_none() && stages.is_empty() {
            // Where a value is wrong, that has been said.
            if !raw.keys.contains_key("policy") && !raw.keys.contains_key("rollout") {
                let finding = Diagnostic::error("missing-key", "the key `policy` is missing")
                    .label("`policy`, or `rollout` with stages, belongs here");
                self.say(finding, &place.range);
            }
            return;
        }
        let Some(owner) = self.below("_dmarc", &place.range) else {
            return;
        };
        let held = stages.iter().rposition(|(on, _)| *on <= self.today);
        let stage = held.map(|at| stages[at].1);
        let policy = |stage: &Stage| stage.policy.as_ref().map_or(Policy::None, |policy| policy.value);
        let mut builder = Builder::new(stage.map_or(written.unwrap_or(Policy::None), policy));
        builder.subdomains = stage
            .and_then(|stage| stage.subdomains.as_ref())
            .or(raw.subdomains.as_ref())
            .map(|policy| policy.value);
        builder.nonexistent = raw.nonexistent.as_ref().map(|policy| policy.value);
        builder.is_testing = stage
            .map_or(raw.testing.as_ref(), |stage| stage.testing.as_ref())
            .is_some_and(|on| on.value);
        builder.dkim = raw.adkim.as_ref().map_or(Alignment::Relaxed, |word| word.value);
        builder.spf = raw.aspf.as_ref().map_or(Alignment::Relaxed, |word| word.value);
        builder.aggregate = self.report_addresses(raw.report_to.iter().flatten());
        builder.failure = self.report_addresses(raw.failures_to.iter().flatten());
        if !stages.is_empty() {
            let next = held.map_or(0, |at| at + 1);
            let rollout = Rollout {
                address: Address::record_set(&self.domain, RecordType::Txt, &owner, Some("v=DMARC1")),
                stage: next,
                of: stages.len(),
                policy: builder.policy,
                since: held.map(|at| stages[at].0),
                next: stages.get(next).map(|(on, stage)| (policy(stage), *on)),
            };
            let due = rollout.since.filter(|_| rollout.policy != Policy::None);
            self.declared.stage = match (due, rollout.next) {
                (Some(on), _) => Some((rollout.policy, on, true)),
                (None, Some((policy, on))) => Some((policy, on, false)),
                (None, None) => None,
            }
            .map(|(policy, on, is_due)| facts::Stage {
                policy,
                on: on.to_string(),
                is_due,
            });
            self.rollout = Some(rollout);
        }
        self.add_txt(&owner, builder.build(), place);
    }

    /// The stages that can be read; that they come in order, and none jumps from watching to refusing, is looked at.
    fn stages<'r>(&mut self, raw: &'r Dmarc) -> Vec<(jiff::civil::Date, &'r Stage)> {
        let mut out: Vec<(jiff::civil::Date, &Stage)> = Vec::new();
        let mut before = raw.policy.as_ref().map_or(Policy::None, |policy| policy.value);
        for stage in raw.rollout.iter().flatten() {
            let (Some(on), Some(policy)) = (&stage.on, &stage.policy) else {
                continue;
            };
            if out.last().is_some_and(|(last, _)| *last >= on.value) {
                let message = format!("{} is not after the stage before it", on.value);
                self.say(Diagnostic::error("rollout-order", message), &on.range);
            }
            if policy.value < before {
                let message = format!("this stage is weaker than the one before it: {before}");
                self.say(Diagnostic::error("rollout-order", message), &policy.range);
            }
            if before == Policy::None && policy.value == Policy::Reject {
                let finding = Diagnostic::warning("rollout-jump", "this stage goes from none to reject at once")
                    .help("let a stage of quarantine show for about a month what would be refused (RFC 9989 §5.1)");
                self.say(finding, &policy.range);
            }
            before = policy.value;
            out.push((on.value, stage));
        }
        out
    }

    fn report_addresses<'r>(&mut self, addresses: impl Iterator<Item = &'r Text>) -> Vec<String> {
        let mut out = Vec::new();
        for address in addresses {
            if let Some(host) = mail_host(&address.value) {
                self.reports.push((host, address.clone()));
                out.push(address.value.clone());
            } else {
                self.bad_address(address, "write a mail address, such as dmarc@acme.example");
            }
        }
        out
    }

    fn bad_address(&mut self, address: &Text, label: &str) {
        let shown = text::shorten(&text::sanitize(&address.value), 60);
        let finding =
            Diagnostic::error("bad-mail-address", format!("`{shown}` is no address for reports")).label(label);
        self.say(finding, &address.range);
    }

    pub(super) fn mta_sts(&mut self, raw: &MtaSts, place: &Text) {
        let Some(mode) = raw.mode.as_ref().map(|mode| mode.value) else {
            return;
        };
        let mut exchangers: Vec<String> = raw.mx.iter().flatten().map(|host| host.value.clone()).collect();
        if raw.mx_from_receive.as_ref().is_none_or(|from| from.value) {
            exchangers.extend(self.declared.exchangers.iter().map(ToString::to_string));
        }
        if exchangers.is_empty() && mode != mta_sts::Mode::None {
            let finding = Diagnostic::error(
                "mta-sts-without-mx",
                "the policy names no mail server, so it would stop all mail",
            )
            .help("list them under `mx`, or say under `receive` who receives");
            self.say(finding, &place.range);
            return;
        }
        let policy = mta_sts::Policy {
            mode,
            exchangers,
            max_age: raw.max_age.as_ref().map_or(WEEK, |age| age.value.0),
        };
        let Some(owner) = self.below("_mta-sts", &place.range) else {
            return;
        };
        self.add_txt(&owner, policy.record_text(), place);
        self.declared.issuer = self.issuer(raw.issuer.as_ref());
        self.declared.policy = Some(PolicyFetch::Answer {
            status: 200,
            media_type: "text/plain".to_owned(),
            body: policy.build(),
        });
        self.policy = Some(policy);
    }

    /// A CA by its domain (RFC 8659 §4.2).
    fn issuer(&mut self, raw: Option<&Text>) -> Option<String> {
        let raw = raw?;
        match DomainName::parse(&raw.value) {
            Ok(name) if name.parent().is_some() && !name.is_wildcard() => Some(name.to_string()),
            _ => {
                let shown = text::shorten(&text::sanitize(&raw.value), 60);
                let finding = Diagnostic::error("bad-name", format!("`{shown}` is no domain of a CA"))
                    .label("write it as CAA records do, such as letsencrypt.org");
                self.say(finding, &raw.range);
                None
            }
        }
    }

    pub(super) fn tls_rpt(&mut self, addresses: &[Text], place: &Text) {
        let mut good = Vec::new();
        for address in addresses {
            if address.value.starts_with("https://") || mail_host(&address.value).is_some() {
                good.push(address.value.clone());
            } else {
                self.bad_address(address, "write a mail address or an https address");
            }
        }
        if good.is_empty() {
            if addresses.is_empty() {
                let finding = Diagnostic::error("nothing-listed", "nobody is listed to get the reports")
                    .help("list an address, or take `tls_rpt` out");
                self.say(finding, &place.range);
            }
            return;
        }
        if let Some(owner) = self.below("_smtp._tls", &place.range) {
            self.add_txt(&owner, tls_rpt::build(&good), place);
        }
    }

    pub(super) fn bimi(&mut self, raw: &Bimi, place: &Text) {
        let Some(logo) = &raw.logo else { return };
        let urls: Vec<&Text> = [Some(logo), raw.certificate.as_ref()].into_iter().flatten().collect();
        for url in &urls {
            let is_plain = |c: char| c.is_ascii_graphic() && c != ';';
            if !url.value.starts_with("https://") || !url.value.chars().all(is_plain) {
                let finding = Diagnostic::error("bad-url", "what BIMI points at is fetched over https")
                    .label("write an address that begins with https://");
                self.say(finding, &url.range);
            }
        }
        let certificate = raw.certificate.as_ref().map_or("", |url| url.value.as_str());
        let selector = raw
            .selector
            .as_ref()
            .map_or("default", |selector| selector.value.as_str());
        let range: Range<usize> = raw
            .selector
            .as_ref()
            .map_or(&place.range, |selector| &selector.range)
            .clone();
        selector.clone_into(&mut self.declared.bimi_selector);
        self.declared.mark_issuer = self.issuer(raw.issuer.as_ref());
        if let Some(owner) = self.below(&format!("{selector}._bimi"), &range) {
            let end = if certificate.is_empty() {
                String::new()
            } else {
                format!("; a={certificate}")
            };
            self.add_txt(&owner, format!("v=BIMI1; l={}{end}", logo.value), place);
        }
    }
}
