//! Findings about mail on the compiled records, as far as they can be told without a network: names outside of the
//! spec's zones are unknown, and what stands unmanaged in its zones is unknown too.

use std::ops::Range;

use futures_util::FutureExt as _;

use crate::base::diagnostic::{Diagnostic, Severity};
use crate::mail::dns::{Elsewhere, MemoryZone, QueryName};
use crate::mail::findings::facts::{Declared, ExpectedKey, Selector};
use crate::mail::findings::{Finding, gather::gather, judge};
use crate::mail::{bimi, dkim, dmarc, mta_sts, spf, tls_rpt};
use crate::model::inventory::{Desired, Unmanaged};
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::spec::load::PRIVATE_KEY;
use crate::spec::lower::mail::{LoweredMail, registered};
use crate::spec::lower::{DeclaredRecord, DeclaredZone, Findings};

/// What the other rules on duplicates and null MX say already, with both places.
const SAID_BEFORE: [&str; 3] = ["spf-multiple", "dmarc-multiple", "mx-null"];

/// What rests on something not being there: where a zone keeps what nobody declared, it may be there all the same.
const RESTS_ON_ABSENCE: [&str; 12] = [
    "spf-missing",
    "spf-void",
    "spf-provider-gap",
    "dkim-missing",
    "dmarc-missing",
    "dmarc-rua-dead",
    "dmarc-alignment",
    "mx-missing",
    "mx-target",
    "mx-mixed",
    "tlsrpt",
    "parked",
];

/// What may follow from a value that could not be read, which has been said.
const UNSURE_BESIDE_ERRORS: [&str; 2] = ["dmarc-no-rua", "bimi"];

/// What can be said of records that somebody wrote without saying what the domain is for.
const OF_RECORDS_ALONE: [&str; 8] = [
    "spf-syntax",
    "spf-lookups",
    "spf-permissive",
    "spf-size",
    "dkim-malformed",
    "dkim-weak",
    "dmarc-syntax",
    "dmarc-removed-tag",
];

/// Judges the mail of all zones.
pub(in crate::spec) fn check(
    zones: &[DeclaredZone<'_>],
    desired: &Desired,
    mails: &[(DomainName, LoweredMail)],
    findings: &mut Findings<'_>,
) {
    let concerned: Vec<&DeclaredZone<'_>> = zones
        .iter()
        .filter(|zone| mails.iter().any(|(name, _)| *name == zone.name) || zone.records.iter().any(is_policy))
        .collect();
    if concerned.is_empty() {
        return;
    }
    for zone in &concerned {
        private_keys(zone, findings);
    }
    // Where something could not be read, what is missing may only be missing for that.
    let is_whole = !findings.has_errors();
    let memory = memory(zones);
    for zone in concerned {
        let lowered = mails
            .iter()
            .find(|(name, _)| *name == zone.name)
            .map(|(_, lowered)| lowered);
        let keeps = desired
            .zones
            .get(&zone.name)
            .is_none_or(|policy| policy.unmanaged == Unmanaged::Keep);
        let declared = lowered.map_or_else(|| of_records(zone), |lowered| lowered.mail.declared.clone());
        let declared = with_proxied(zone, declared);
        if let Some(lowered) = lowered {
            policy_host(zone, lowered, findings);
        }
        let facts = gather(&memory, declared).now_or_never();
        let judgement = judge(&facts.expect("records in memory answer at once"));
        for finding in judgement.findings {
            let severity = match lowered {
                Some(lowered) => severity(&finding, lowered, keeps && !is_declared(zone, &finding), is_whole),
                None => of_records_alone(&finding, zone),
            };
            let is_said = finding.id == "dkim-malformed" && record_of(zone, &finding).is_some_and(is_private);
            if let Some(severity) = severity.filter(|_| !is_said) {
                findings.push(diagnostic(zone, lowered, &finding, severity, findings));
            }
        }
    }
}

/// An MTA-STS policy is served by a host of its own, which a record alone does not make.
fn policy_host(zone: &DeclaredZone<'_>, lowered: &LoweredMail, findings: &mut Findings<'_>) {
    let is_wanted = lowered
        .mail
        .policy
        .as_ref()
        .is_some_and(|policy| policy.mode != mta_sts::Mode::None);
    let host = format!("mta-sts.{}", zone.name);
    let everything = format!("*.{}", zone.name);
    let leads_there = |record: &DeclaredRecord| {
        let kinds = [RecordType::A, RecordType::Aaaa, RecordType::Cname];
        kinds.contains(&record.kind()) && [host.as_str(), &everything].contains(&record.owner.as_str())
    };
    let is_meant = lowered.mail.accepted.contains("mta-sts");
    if !is_wanted || is_meant || zone.records.iter().any(leads_there) {
        return;
    }
    let record = zone
        .records
        .iter()
        .find(|record| record.record.data.txt().is_some_and(mta_sts::is_record));
    let range = record.map_or_else(|| lowered.block.clone(), |record| record.value.clone());
    let message = format!("{host}: the spec announces a policy, and does not declare the host that serves it");
    let finding = Diagnostic::warning("mta-sts", message)
        .at(findings.place(&range))
        .help(format!(
            "point {host} at a web server with a certificate for it; `launchctl mail mta-sts {}` prints what it serves at /.well-known/mta-sts.txt",
            zone.name
        ))
        .help("if it is live and declared elsewhere, say so: `accept: [mta-sts]` in the zone");
    findings.push(finding);
}

/// A private key at a name where the world looks for the public one. Whoever reads the spec has it already; nothing that
/// is shown from now on does.
fn private_keys(zone: &DeclaredZone<'_>, findings: &mut Findings<'_>) {
    for record in zone.records.iter().filter(|record| is_private(record)) {
        let finding = Diagnostic::error(
            PRIVATE_KEY,
            "this is a private key: whoever can read this record can sign as you",
        )
        .at(findings.place(&record.value))
        .help("whoever has it can sign as this domain: make a new pair with `launchctl dkim new`")
        .about(record.address.as_str());
        findings.push(finding);
    }
}

fn is_private(record: &DeclaredRecord) -> bool {
    let is_key = record.owner.as_str().contains("._domainkey.");
    let value = record.record.data.txt().filter(|_| is_key);
    value.is_some_and(|value| dkim::parse_value(value).has(dkim::Kind::PrivateKey))
}

fn is_policy(record: &DeclaredRecord) -> bool {
    record
        .record
        .data
        .txt()
        .is_some_and(|value| spf::is_spf(value) || dmarc::is_dmarc(value) || value.starts_with(b"v=DKIM1"))
}

/// All records of the spec as a source of answers.
fn memory(zones: &[DeclaredZone<'_>]) -> MemoryZone {
    let mut known: Vec<QueryName> = zones.iter().map(|zone| QueryName::from(&zone.name)).collect();
    for zone in zones {
        // Above the registered domain nobody has a policy of his own; the walk may take that for known.
        let mut above = registered(&zone.name)
            .filter(|name| name.as_str() == zone.name.as_str())
            .and_then(|name| name.parent());
        while let Some(name) = above {
            known.extend(name.prefixed("_dmarc"));
            above = name.parent();
        }
    }
    let mut memory = MemoryZone::new(Elsewhere::UnknownOutside(known));
    for record in zones.iter().flat_map(|zone| &zone.records) {
        memory.add_record(&record.owner, &record.record.data);
    }
    memory
}

/// A zone whose records were written by hand: its keys are known by their names.
fn of_records(zone: &DeclaredZone<'_>) -> Declared {
    let mut declared = Declared::new(QueryName::from(&zone.name));
    declared.registered = registered(&zone.name);
    for record in zone.records.iter().filter(|record| record.kind() == RecordType::Txt) {
        let Some((selector, domain)) = record.owner.as_str().split_once("._domainkey.") else {
            continue;
        };
        if let (Ok(domain), false) = (QueryName::parse(domain), selector.starts_with('*')) {
            declared.selectors.push(Selector {
                selector: selector.to_owned(),
                domain,
                owner: "the spec".to_owned(),
                expected: ExpectedKey::Any,
                is_active: false,
            });
        }
    }
    declared
}

fn with_proxied(zone: &DeclaredZone<'_>, mut declared: Declared) -> Declared {
    let proxied = zone.records.iter().filter(|record| record.record.proxied);
    declared
        .proxied
        .extend(proxied.map(|record| QueryName::from(&record.owner)));
    declared
}

/// Whether a mail server's own records are declared: what is wrong with them does not rest on their absence.
fn is_declared(zone: &DeclaredZone<'_>, finding: &Finding) -> bool {
    finding.id == "mx-target" && zone.records.iter().any(|record| record.owner.as_str() == finding.name)
}

/// How bad a finding is before anything is live; `None` when it is not to be said.
fn severity(finding: &Finding, lowered: &LoweredMail, keeps: bool, is_whole: bool) -> Option<Severity> {
    let rests_on_absence = RESTS_ON_ABSENCE.contains(&finding.id);
    if lowered.mail.accepted.contains(finding.id) {
        return None;
    }
    let is_unsure = rests_on_absence || UNSURE_BESIDE_ERRORS.contains(&finding.id);
    if SAID_BEFORE.contains(&finding.id) || is_unsure && !is_whole {
        return None;
    }
    match finding.severity {
        Severity::Error if rests_on_absence && keeps => Some(Severity::Warning),
        severity => Some(severity),
    }
}

fn of_records_alone(finding: &Finding, zone: &DeclaredZone<'_>) -> Option<Severity> {
    let is_accepted = zone.accept.contains(finding.id);
    let is_said = !is_accepted && OF_RECORDS_ALONE.contains(&finding.id) && finding.severity != Severity::Info;
    is_said.then_some(Severity::Warning)
}

fn diagnostic(
    zone: &DeclaredZone<'_>,
    lowered: Option<&LoweredMail>,
    finding: &Finding,
    severity: Severity,
    findings: &Findings<'_>,
) -> Diagnostic {
    let record = record_of(zone, finding);
    let range: Range<usize> = match (record, lowered) {
        (Some(record), _) => record.value.clone(),
        (None, Some(lowered)) => lowered.block.clone(),
        (None, None) => zone.records.first().map_or(0..0, |record| record.entry.clone()),
    };
    let message = format!("{}: {}", finding.name, finding.message);
    let mut out = Diagnostic::new(severity, finding.id, message).at(findings.place(&range));
    if let Some(record) = record {
        out = out.about(record.address.as_str());
    }
    if !finding.fix.instruction.is_empty() {
        out = out.help(finding.fix.instruction.clone());
    }
    if let (Some((path, value)), Some(_)) = (&finding.fix.spec, lowered) {
        out = out.help(format!("in the spec: {path}: {value}"));
    }
    if severity == Severity::Info {
        return out;
    }
    out.help(format!(
        "if it is meant, say so: `accept: [{}]` in the zone",
        finding.id
    ))
}

/// The record that a finding is about, among those that the zone declares.
fn record_of<'z>(zone: &'z DeclaredZone<'_>, finding: &Finding) -> Option<&'z DeclaredRecord> {
    let is_of = |record: &&DeclaredRecord| {
        let txt = |is: fn(&[u8]) -> bool| record.record.data.txt().is_some_and(is);
        match finding.id.split('-').next().unwrap_or_default() {
            "spf" | "parked" => txt(spf::is_spf),
            "dkim" => matches!(record.record.data, RecordData::Cname(_)) || txt(dkim::is_key_record),
            "dmarc" => txt(dmarc::is_dmarc),
            "mx" => record.kind() == RecordType::Mx,
            "mta" => txt(mta_sts::is_record),
            "tlsrpt" => txt(tls_rpt::is_record),
            "bimi" => txt(bimi::is_record),
            "caa" => record.kind() == RecordType::Caa,
            _ => false,
        }
    };
    let named = |record: &&DeclaredRecord| record.owner.as_str() == finding.name;
    let is_single = |record: &&DeclaredRecord| !finding.id.starts_with("dkim") && record.owner.is_within(&zone.name);
    let mut all = zone.records.iter().filter(is_of);
    let exact = zone.records.iter().filter(is_of).find(named);
    exact.or_else(|| all.find(is_single))
}
