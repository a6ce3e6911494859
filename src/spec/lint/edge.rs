//! Launch logic across parts: what is declared at the edge and what is declared in DNS have to fit each other. What depends on what is live is for the provider to say.

use std::net::IpAddr;

use crate::base::diagnostic::Diagnostic;
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::spec::lower::{DeclaredRecord, DeclaredRule, DeclaredZone, Findings};
use crate::spec::shape::one_of;

/// The codes of the warnings here.
pub(super) const CODES: &[&str] = &["caa-excludes-edge", "redirect-unproxied"];

pub(super) fn check(zone: &DeclaredZone<'_>, findings: &mut Findings<'_>) {
    for record in &zone.records {
        private_address(record, findings);
    }
    authorities(zone, findings);
    let redirects: Vec<&DeclaredRule> = zone.rules.iter().filter(|rule| rule.from.is_some()).collect();
    for redirect in redirects {
        unproxied(zone, redirect, findings);
    }
}

pub(super) fn warn(zone: &DeclaredZone<'_>, finding: Diagnostic, findings: &mut Findings<'_>) {
    if zone.accept.contains(finding.code) {
        return;
    }
    let advice = format!("if it is meant, say so: `accept: [{}]` in the zone", finding.code);
    findings.push(finding.help(advice));
}

/// An edge reaches its origins over the internet.
fn private_address(record: &DeclaredRecord, findings: &mut Findings<'_>) {
    let address = match &record.record.data {
        RecordData::A(address) => IpAddr::V4(*address),
        RecordData::Aaaa(address) => IpAddr::V6(*address),
        _ => return,
    };
    if record.record.proxied && is_private(address) {
        let finding = Diagnostic::error(
            "private-address",
            format!("{address} is a private address: the edge cannot reach it, so the record cannot be proxied"),
        )
        .at(findings.place(&record.value))
        .about(record.address.as_str());
        findings.push(finding);
    }
}

/// RFC 1918, RFC 3927, RFC 6598 and RFC 4193, and what never leaves a machine.
pub(super) fn is_private(address: IpAddr) -> bool {
    // `::ffff:10.0.0.1` is 10.0.0.1.
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || is_shared
        }
        IpAddr::V6(address) => {
            let first = address.segments()[0];
            address.is_loopback() || address.is_unspecified() || first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80
        }
    }
}

/// CAA records that let no authority of the edge issue leave it without a certificate (RFC 8659 §3).
fn authorities(zone: &DeclaredZone<'_>, findings: &mut Findings<'_>) {
    let Some(capabilities) = zone.capabilities else { return };
    let Some(edge) = capabilities.edge else { return };
    if !zone.records.iter().any(|record| record.record.proxied) {
        return;
    }
    let tagged = |tag: &str| -> Vec<&DeclaredRecord> {
        let bears = |record: &&DeclaredRecord| {
            let is_one = matches!(&record.record.data, RecordData::Caa(caa) if caa.tag.eq_ignore_ascii_case(tag));
            is_one && record.owner == zone.name
        };
        zone.records.iter().filter(bears).collect()
    };
    let lets = |record: &&DeclaredRecord| match &record.record.data {
        RecordData::Caa(caa) => {
            let authority = caa.value.split(';').next().unwrap_or_default().trim();
            edge.authorities
                .iter()
                .any(|known| known.eq_ignore_ascii_case(authority))
        }
        _ => false,
    };
    // The edge's certificate is for the name and for all below it: where there are records for wildcards, those count too
    // (RFC 8659 §4.3).
    let none_lets = |records: &[&DeclaredRecord]| !records.is_empty() && !records.iter().any(lets);
    let kinds = [tagged("issue"), tagged("issuewild")];
    let Some(first) = kinds
        .iter()
        .find(|records| none_lets(records))
        .and_then(|records| records.first())
    else {
        return;
    };
    let finding = Diagnostic::warning(
        "caa-excludes-edge",
        format!(
            "these CAA records let none of the authorities issue that {} uses for its edge",
            capabilities.title
        ),
    )
    .at(findings.place(&first.value))
    .label(format!("{} was expected", one_of(edge.authorities)))
    .about(first.address.as_str());
    warn(zone, finding, findings);
}

/// The first record at a host where none is proxied; nothing where one is, or none is declared.
pub(super) fn unproxied_record<'a>(zone: &'a DeclaredZone<'_>, host: &DomainName) -> Option<&'a DeclaredRecord> {
    let is_web = |record: &&DeclaredRecord| {
        record.owner == *host && matches!(record.kind(), RecordType::A | RecordType::Aaaa | RecordType::Cname)
    };
    let records: Vec<&DeclaredRecord> = zone.records.iter().filter(is_web).collect();
    let is_reached = records.iter().any(|record| record.record.proxied);
    records.first().copied().filter(|_| !is_reached)
}

/// A redirect is only asked where the edge stands in front.
fn unproxied(zone: &DeclaredZone<'_>, redirect: &DeclaredRule, findings: &mut Findings<'_>) {
    let Some((from, place)) = &redirect.from else { return };
    let Ok(host) = DomainName::parse(&from.host) else {
        return;
    };
    let Some(first) = unproxied_record(zone, &host) else {
        return;
    };
    let finding = Diagnostic::warning(
        "redirect-unproxied",
        format!("{host} is not proxied, so this redirect is never asked"),
    )
    .at(findings.place(place))
    .related(findings.place(&first.value), "add `proxied: true` here")
    .about(redirect.rule.address().as_str());
    warn(zone, finding, findings);
}
