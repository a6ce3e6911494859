//! A zone's `email`: every sender, policy and promise made into records that join the zone's own before they are judged,
//! so that what is declared twice is found with both places.

mod flatten;
mod policies;
mod senders;

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::civil::Date;

use super::{DeclaredRecord, DeclaredZone, Findings};
use crate::base::diagnostic::Diagnostic;
use crate::mail::dmarc;
use crate::mail::dns::QueryName;
use crate::mail::findings::facts::{Declared, Purpose};
use crate::mail::spf::lock::LockFile;
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::model::record_set::{Record, RecordSet};
use crate::model::ttl::Ttl;
use crate::spec::Inputs;
use crate::spec::mail::{MailDomain, Rollout};
use crate::spec::raw;
use crate::spec::raw_mail::{Email, Mail};
use crate::spec::shape::{At, Text};

/// Mail of a zone, with what other zones have to say for it.
#[derive(Debug)]
pub(crate) struct LoweredMail {
    /// What the spec keeps of it.
    pub(crate) mail: MailDomain,
    /// Where its block begins.
    pub(crate) block: Range<usize>,
    /// The hosts that get DMARC reports, with the places where they are named.
    reports: Vec<(DomainName, Text)>,
}

/// Lowers what a zone says of mail.
pub(in crate::spec) fn zone(
    raw: &raw::Zone,
    inputs: &Inputs<'_>,
    zone: &mut DeclaredZone<'_>,
    findings: &mut Findings<'_>,
) -> Option<LoweredMail> {
    let block = raw.keys.get("email")?.clone();
    let ttl = raw.ttl.as_ref().map_or(Ttl::Auto, |ttl| ttl.value);
    let mut declared = Declared::new(QueryName::from(&zone.name));
    declared.registered = registered(&zone.name);
    let mut work = Work {
        domain: zone.name.clone(),
        block,
        today: inputs.today,
        lock: inputs.spf_lock,
        ttl,
        zone,
        findings,
        declared,
        own: BTreeSet::new(),
        reports: Vec::new(),
        policy: None,
        rollout: None,
        flatten: BTreeSet::new(),
    };
    match raw.email.as_ref()? {
        Email::Parked(word) => work.parked(word),
        Email::Used(mail) => work.used(mail),
    }
    Some(LoweredMail {
        mail: MailDomain {
            declared: work.declared,
            accepted: work.zone.accept.clone(),
            policy: work.policy,
            rollout: work.rollout,
            flatten: work.flatten,
        },
        block: work.block,
        reports: work.reports,
    })
}

/// The domain that is registered, by the public suffix list: what readers of RFC 7489 take for the organization.
pub(in crate::spec) fn registered(domain: &DomainName) -> Option<QueryName> {
    psl::domain_str(domain.as_str()).and_then(|name| QueryName::parse(name).ok())
}

/// Lets the zones of report addresses agree to get the reports (RFC 9990 §4), where the spec has them and they belong
/// to somebody else than the policy.
pub(in crate::spec) fn authorise_reports(all: &[(DomainName, LoweredMail)], zones: &mut [DeclaredZone<'_>]) {
    for (domain, lowered) in all {
        for (host, place) in &lowered.reports {
            let deepest = zones
                .iter_mut()
                .filter(|zone| host.is_within(&zone.name))
                .max_by_key(|zone| zone.name.labels().count());
            let Some(zone) = deepest else { continue };
            if zone.name.is_within(domain) || domain.is_within(&zone.name) {
                continue;
            }
            let name = dmarc::authorisation_name(&domain.into(), &host.into()).and_then(|name| name.to_domain_name());
            let wildcard = dmarc::wildcard_authorisation_name(&host.into()).and_then(|name| name.to_domain_name());
            let Some(name) = name else { continue };
            let agrees = |record: &DeclaredRecord| {
                (record.owner == name || Some(&record.owner) == wildcard.as_ref())
                    && record.record.data.txt().is_some_and(dmarc::is_dmarc)
            };
            if !zone.records.iter().any(agrees) {
                let data = RecordData::Txt(b"v=DMARC1".to_vec());
                push(zone, Ttl::Auto, &name, data, place);
            }
        }
    }
}

/// Adds a record to a zone as if it were written at `place`.
fn push(zone: &mut DeclaredZone<'_>, ttl: Ttl, owner: &DomainName, data: RecordData, place: &Text) {
    let mut record = Record::new(data);
    record.ttl = ttl;
    let kind = record.data.kind();
    let set = RecordSet::new(zone.name.clone(), owner.clone(), kind, vec![record.clone()]);
    zone.records.push(DeclaredRecord {
        owner: owner.clone(),
        address: set.address(),
        record,
        name: At::made(format!("{owner}."), place.range.clone()),
        value: place.range.clone(),
        entry: place.range.clone(),
        keys: [("type", place.range.clone())].into(),
    });
}

/// The lowering of one block.
struct Work<'w, 'z, 'f> {
    domain: DomainName,
    block: Range<usize>,
    today: Date,
    lock: &'w LockFile,
    ttl: Ttl,
    zone: &'w mut DeclaredZone<'z>,
    findings: &'w mut Findings<'f>,
    declared: Declared,
    own: BTreeSet<(DomainName, RecordData)>,
    reports: Vec<(DomainName, Text)>,
    policy: Option<crate::mail::mta_sts::Policy>,
    rollout: Option<Rollout>,
    flatten: BTreeSet<QueryName>,
}

impl Work<'_, '_, '_> {
    /// Adds a record; what the block itself comes to twice (two senders on one return path) is one record.
    fn add(&mut self, owner: &DomainName, data: RecordData, place: &Text) {
        if self.own.insert((owner.clone(), data.clone())) {
            push(self.zone, self.ttl, owner, data, place);
        }
    }

    fn add_txt(&mut self, owner: &DomainName, text: String, place: &Text) {
        self.add(owner, RecordData::Txt(text.into_bytes()), place);
    }

    /// A name below the domain; what cannot be one is said.
    fn below(&mut self, labels: &str, range: &Range<usize>) -> Option<DomainName> {
        match DomainName::parse(&format!("{labels}.{}", self.domain)) {
            Ok(name) => Some(name),
            Err(error) => {
                self.findings.error("bad-name", range, error.to_string());
                None
            }
        }
    }

    /// The place of a key of the block, for records that stand for all of what is under it.
    fn key(&self, mail: &Mail, keys: &[&str]) -> Text {
        let found = keys.iter().find_map(|key| mail.keys.get(*key));
        At::made(String::new(), found.unwrap_or(&self.block).clone())
    }

    fn used(&mut self, mail: &Mail) {
        self.receive(mail);
        self.send(mail);
        if let Some(dmarc) = &mail.dmarc {
            self.dmarc(dmarc, &self.key(mail, &["dmarc"]));
        }
        if let Some(mta_sts) = &mail.mta_sts {
            self.mta_sts(mta_sts, &self.key(mail, &["mta_sts"]));
        }
        if let Some(addresses) = &mail.tls_rpt {
            self.tls_rpt(&addresses.0, &self.key(mail, &["tls_rpt"]));
        }
        if let Some(bimi) = &mail.bimi {
            self.bimi(bimi, &self.key(mail, &["bimi"]));
        }
        self.declared.is_bulk = mail.bulk.as_ref().is_some_and(|bulk| bulk.value);
    }

    /// The whole set that refuses mail. The null MX is only needed beside addresses (RFC 7505 §1), and addresses may
    /// come without anybody thinking of mail.
    fn parked(&mut self, word: &Text) {
        self.declared.purpose = Purpose::Parked;
        let domain = self.domain.clone();
        self.add_txt(&domain, "v=spf1 -all".to_owned(), word);
        self.null_mx(word);
        if let Some(everything) = self.below("*", &word.range) {
            self.add_txt(&everything, "v=spf1 -all".to_owned(), word);
        }
        if let Some(keys) = self.below("*._domainkey", &word.range) {
            self.add_txt(&keys, "v=DKIM1; p=".to_owned(), word);
        }
        if let Some(policy) = self.below("_dmarc", &word.range) {
            self.add_txt(&policy, dmarc::Builder::parked().build(), word);
        }
    }

    fn null_mx(&mut self, place: &Text) {
        let domain = self.domain.clone();
        if let Ok(data) = RecordData::parse(RecordType::Mx, "0 .", &domain) {
            self.add(&domain, data, place);
        }
    }

    fn say(&mut self, finding: Diagnostic, range: &Range<usize>) {
        let finding = finding.at(self.findings.place(range));
        self.findings.push(finding);
    }
}

/// The domain of a mail address.
fn mail_host(address: &str) -> Option<DomainName> {
    let (local, host) = address.strip_prefix("mailto:").unwrap_or(address).rsplit_once('@')?;
    let is_plain = !local.is_empty() && local.bytes().all(|byte| byte.is_ascii_graphic());
    let host = DomainName::parse(host).ok()?;
    (is_plain && host.parent().is_some() && !host.is_wildcard()).then_some(host)
}
