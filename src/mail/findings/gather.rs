//! The questions behind the facts: everything that the findings need, asked once of one source.

use std::collections::BTreeSet;
use std::net::IpAddr;

use futures_util::future::{join, join_all, join3, join4, join5};

use super::facts::{Check, Declared, DkimFacts, Facts, HostFacts, ReportFacts, SpfFacts};
use crate::mail::dmarc::{self, Discovery};
use crate::mail::dns::{self, Authorization, Dns, Exchanger, Lookup, QueryName};
use crate::mail::spf::analyse::analyse_answer;
use crate::mail::spf::flatten::{Flat, NotFlat, flatten};
use crate::mail::spf::{Client, check_host};

/// How many MX hosts are looked at.
const MOST_HOSTS: usize = 50;
/// How many report addresses are looked at.
const MOST_REPORTS: usize = 10;
/// A label that no zone has but by a wildcard.
const NOBODY: &str = "launchctl-no-such-label";

/// Asks for everything; what does not depend on other answers is asked at the same time.
pub async fn gather(dns: &dyn Dns, declared: Declared) -> Facts {
    let domain = declared.domain.clone();
    let bimi_name = format!("{}._bimi", declared.bimi_selector);
    let ((dmarc, mx), (spf, checks, dkim, flattened), texts, strays, (has_address, caa)) = join5(
        join(dmarc::discover(dns, &domain), dns::mx(dns, &domain)),
        join4(
            spf(dns, &declared),
            checks(dns, &declared),
            dkim(dns, &declared),
            flattened(dns, &declared),
        ),
        join5(
            txt_below(dns, &domain, "_dmarc"),
            txt_below(dns, &domain, "_mta-sts"),
            txt_below(dns, &domain, "_smtp._tls"),
            txt_below(dns, &domain, &bimi_name),
            txt_below(dns, &domain, NOBODY),
        ),
        strays(dns, &domain),
        join(addresses(dns, &domain), caa(dns, &domain)),
    )
    .await;
    let (reports, organizations, hosts) = join3(
        reports(dns, &dmarc),
        organizations(dns, &declared, &dmarc),
        hosts(dns, &mx),
    )
    .await;
    let (dmarc_txt, mta_sts, tls_rpt, bimi, wildcard) = texts;
    Facts {
        declared,
        spf,
        strays,
        checks,
        flattened,
        dkim,
        dmarc_txt,
        dmarc,
        reports,
        organizations,
        mx,
        has_address,
        hosts,
        mta_sts,
        tls_rpt,
        bimi,
        wildcard,
        caa,
    }
}

/// TXT where SPF is put by mistake.
async fn strays(dns: &dyn Dns, domain: &QueryName) -> Vec<(QueryName, Lookup<Vec<u8>>)> {
    let mut out = Vec::new();
    for label in ["_dmarc", "www"] {
        if let Ok(name) = domain.prefixed(label) {
            let answer = dns::txt(dns, &name).await;
            out.push((name, answer));
        }
    }
    out
}

async fn txt_below(dns: &dyn Dns, domain: &QueryName, labels: &str) -> Lookup<Vec<u8>> {
    match domain.prefixed(labels) {
        Ok(name) => dns::txt(dns, &name).await,
        // A name that cannot be does not exist.
        Err(_) => Lookup::NoSuchName,
    }
}

/// Addresses in both families; nothing is known when one of them is not and the other has none.
async fn addresses(dns: &dyn Dns, name: &QueryName) -> Lookup<IpAddr> {
    let (ip4, ip6) = join(dns::a(dns, name), dns::aaaa(dns, name)).await;
    let (ip4, ip6) = (ip4.map(IpAddr::V4), ip6.map(IpAddr::V6));
    let all: Vec<IpAddr> = ip4.records().iter().chain(ip6.records()).copied().collect();
    match (all.is_empty(), ip4.failure().or(ip6.failure())) {
        (true, Some(why)) => Lookup::Failed(why.to_owned()),
        (true, None) => ip4,
        (false, _) => Lookup::of(all),
    }
}

async fn spf(dns: &dyn Dns, declared: &Declared) -> Vec<SpfFacts> {
    let mut names = vec![(declared.domain.clone(), Vec::new())];
    for sender in &declared.senders {
        let Some(mail_from) = &sender.mail_from else {
            continue;
        };
        match names.iter_mut().find(|(name, _)| name == mail_from) {
            Some((_, users)) => users.push(sender.name.clone()),
            None => names.push((mail_from.clone(), vec![sender.name.clone()])),
        }
    }
    join_all(names.into_iter().map(|(name, used_by)| async move {
        let txt = dns::txt(dns, &name).await;
        let analysis = analyse_answer(dns, &name, txt.clone()).await;
        SpfFacts {
            name,
            used_by,
            txt,
            analysis,
        }
    }))
    .await
}

async fn checks(dns: &dyn Dns, declared: &Declared) -> Vec<Check> {
    let mut out = Vec::new();
    for sender in &declared.senders {
        let Some(domain) = &sender.mail_from else {
            continue;
        };
        for ip in &sender.addresses {
            let address = format!("postmaster@{domain}");
            let client = Client::new(*ip, &address, domain.as_str());
            out.push(Check {
                sender: sender.name.clone(),
                ip: *ip,
                domain: domain.clone(),
                evaluation: check_host(dns, &client).await,
            });
        }
    }
    out
}

async fn flattened(dns: &dyn Dns, declared: &Declared) -> Vec<Result<Flat, NotFlat>> {
    join_all(declared.flattened.iter().map(|one| flatten(dns, &one.include))).await
}

async fn dkim(dns: &dyn Dns, declared: &Declared) -> Vec<DkimFacts> {
    let keys = declared.selectors.iter().filter_map(|selector| {
        let name = selector.domain.prefixed(&format!("{}._domainkey", selector.selector));
        name.ok().map(|name| (selector, name))
    });
    join_all(keys.map(|(selector, name)| async move {
        let (cname, txt) = join(dns.cname(&name), dns::txt(dns, &name)).await;
        DkimFacts {
            selector: selector.clone(),
            name,
            cname,
            txt,
        }
    }))
    .await
}

/// The hosts of `rua` and `ruf`. External is what has another organizational domain than the policy (RFC 9990 §4).
async fn reports(dns: &dyn Dns, discovery: &Discovery) -> Vec<ReportFacts> {
    let Some((_, step, record)) = discovery.policy_record() else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for uri in record.aggregate.iter().chain(&record.failure).take(MOST_REPORTS) {
        let Some(host) = &uri.host else { continue };
        let walked = dmarc::discover(dns, host).await;
        let is_external = walked.organizational() != discovery.organizational();
        let Some(agreement_name) = dmarc::authorisation_name(&step.domain, host) else {
            continue;
        };
        let agreement = match walked.unknown().pop() {
            Some(why) if is_external => Lookup::Failed(why),
            _ if is_external => dns::txt(dns, &agreement_name).await,
            _ => Lookup::NoData,
        };
        out.push(ReportFacts {
            address: uri.text.clone(),
            is_external,
            agreement,
            agreement_name,
            mx: dns::mx(dns, host).await,
            address_records: addresses(dns, host).await,
            host: host.clone(),
        });
    }
    out
}

/// Names whose walk was not answered in full are left out: their organization is unknown.
async fn organizations(dns: &dyn Dns, declared: &Declared, own: &Discovery) -> Vec<(QueryName, QueryName)> {
    let mut out = Vec::new();
    if own.unknown().is_empty() {
        out.push((declared.domain.clone(), own.organizational()));
    }
    let names: BTreeSet<&QueryName> = declared
        .senders
        .iter()
        .flat_map(|sender| sender.signing.iter().chain(&sender.mail_from))
        .filter(|name| **name != declared.domain)
        .collect();
    for name in names {
        let walked = dmarc::discover(dns, name).await;
        if walked.unknown().is_empty() {
            out.push((name.clone(), walked.organizational()));
        }
    }
    out
}

async fn hosts(dns: &dyn Dns, mx: &Lookup<Exchanger>) -> Vec<HostFacts> {
    let names: BTreeSet<&QueryName> = mx.records().iter().filter_map(|mx| mx.host.as_ref()).collect();
    join_all(names.into_iter().take(MOST_HOSTS).map(|name| async move {
        let (cname, addresses, dane) = join3(dns.cname(name), addresses(dns, name), dane(dns, name)).await;
        HostFacts {
            name: name.clone(),
            cname,
            addresses,
            dane,
        }
    }))
    .await
}

async fn dane(dns: &dyn Dns, host: &QueryName) -> Lookup<u8> {
    match host.prefixed("_25._tcp") {
        Ok(name) => dns.tlsa(&name).await,
        Err(_) => Lookup::NoSuchName,
    }
}

/// The first CAA records on the way up from `mta-sts.` (RFC 8659 §3).
async fn caa(dns: &dyn Dns, domain: &QueryName) -> Lookup<Authorization> {
    let mut name = domain.prefixed("mta-sts").ok();
    while let Some(at) = name {
        match dns.caa(&at).await {
            Lookup::NoSuchName | Lookup::NoData => name = at.parent(),
            answer => return answer,
        }
    }
    Lookup::NoData
}
