//! MTA-STS, TLS reporting, BIMI, parked domains and CAA (findings 36 to 40).

use super::facts::{Facts, PolicyFetch};
use super::{Fix, Judgement, ids, line, shown};
use crate::base::text;
use crate::mail::dmarc::{Existence, Policy};
use crate::mail::dns::{Authorization, Exchanger, Lookup, QueryName};
use crate::mail::mta_sts::{self, Mode};
use crate::mail::spf::Qualifier;
use crate::mail::spf::analyse::State;
use crate::mail::{bimi, dkim, tls_rpt};

pub(super) fn judge(facts: &Facts, out: &mut Judgement) {
    mta_sts_record(facts, out);
    tls_reporting(facts, out);
    brand(facts, out);
    parked(facts, out);
    authorities(facts, out);
}

/// The records of one kind among the TXT values at a name.
fn records(answer: &Lookup<Vec<u8>>, is_record: fn(&[u8]) -> bool) -> Vec<&Vec<u8>> {
    answer.records().iter().filter(|value| is_record(value)).collect()
}

fn below(facts: &Facts, labels: &str) -> String {
    format!("{labels}.{}", facts.declared.domain)
}

fn mta_sts_record(facts: &Facts, out: &mut Judgement) {
    let name = below(facts, "_mta-sts");
    if let Lookup::Failed(why) = &facts.mta_sts {
        out.unknown(ids::MTA_STS, format!("TXT of {name}: {why}"));
        return;
    }
    let found = records(&facts.mta_sts, mta_sts::is_record);
    let value = match found.as_slice() {
        [] => return,
        [value] => *value,
        several => {
            let message = format!(
                "{} MTA-STS records stand at {name}: senders see none (RFC 8461 §3.1)",
                several.len()
            );
            out.error(ids::MTA_STS, &name, message)
                .all_seen(several.iter().map(|value| format!("{name} TXT {}", shown(value))))
                .say("keep the one with the current id");
            return;
        }
    };
    let record = mta_sts::parse(&shown(value));
    for issue in &record.issues {
        out.draft(ids::MTA_STS, issue.severity, &name, issue.message.clone())
            .seen(format!("{name} TXT {}", record.text))
            .say(
                issue
                    .help
                    .clone()
                    .unwrap_or_else(|| format!("write v=STSv1; id=… at {name}")),
            );
    }
    policy(facts, &record, out);
}

fn policy(facts: &Facts, record: &mta_sts::Record, out: &mut Judgement) {
    let host = below(facts, "mta-sts");
    let url = format!("https://{host}/.well-known/mta-sts.txt");
    let body = match &facts.declared.policy {
        None => return out.unknown(ids::MTA_STS, format!("{url} was not asked for")),
        Some(PolicyFetch::Failed(why)) => return out.unknown(ids::MTA_STS, format!("{url}: {why}")),
        Some(PolicyFetch::NoHost) => {
            return out
                .error(
                    ids::MTA_STS,
                    &host,
                    "a policy is announced, and its host has no address: senders get none (RFC 8461 §3.3)",
                )
                .seen(format!("{host} has neither A nor AAAA"))
                .say(format!(
                    "let a web server with a certificate for {host} serve the policy, and point {host} at it"
                ));
        }
        Some(PolicyFetch::BadCertificate(why)) => {
            return out
                .error(
                    ids::MTA_STS,
                    &host,
                    format!("{host} has no valid certificate: senders get no policy (RFC 8461 §3.3)"),
                )
                .seen(why.clone())
                .say(format!("get a certificate for {host}"));
        }
        Some(PolicyFetch::Answer {
            status,
            body,
            media_type,
        }) => {
            let wrong = match status {
                200 if media_type.eq_ignore_ascii_case("text/plain") => None,
                200 => Some(format!(
                    "{url} is served as {}, not as text/plain",
                    text::shorten(media_type, 60)
                )),
                300..=399 => Some(format!("{url} redirects, which senders do not follow")),
                status => Some(format!("{url} answers {status}")),
            };
            if let Some(message) = wrong {
                return out
                    .error(ids::MTA_STS, &host, format!("{message} (RFC 8461 §3.3)"))
                    .seen(format!("status {status}, {media_type}"))
                    .say("serve the policy itself at this address, with status 200 and as text/plain");
            }
            body
        }
    };
    let (policy, issues) = mta_sts::parse_policy(body);
    for issue in issues {
        let number = body.get(..issue.span.start).unwrap_or_default().matches('\n').count() + 1;
        let blamed = body.get(issue.span.clone()).unwrap_or_default();
        out.draft(
            ids::MTA_STS,
            issue.severity,
            &host,
            format!("line {number}: {}", issue.message),
        )
        .seen(blamed)
        .say(issue.help.unwrap_or_else(|| "correct this line".to_owned()));
    }
    if let Some(policy) = policy {
        judge_policy(facts, record, &policy, &host, out);
    }
}

/// The policy that the owner declares, its id, and what is served have to be of one mind: senders ask again only when
/// the id changes (RFC 8461 §3.1).
fn own_policy(
    facts: &Facts,
    record: &mta_sts::Record,
    (own, live): (&mta_sts::Policy, &str),
    served: &mta_sts::Policy,
    out: &mut Judgement,
) {
    let (is_served, is_announced) = (served.id() == own.id(), own.id() == live);
    if is_served && !is_announced {
        out.error(
            ids::MTA_STS,
            &below(facts, "mta-sts"),
            "the policy changed and its id did not: senders keep the old one (RFC 8461 §3.1)",
        )
        .seen(format!("id={live}, and {} is the id of what is served", own.id()))
        .fix(Fix::publish(&below(facts, "_mta-sts"), "TXT", own.record_text()).instead_of([record.text.clone()]));
    }
    if is_announced && !is_served {
        let domain = &facts.declared.domain;
        out.error(
            ids::MTA_STS,
            &below(facts, "mta-sts"),
            "the id announces the declared policy, and another one is served",
        )
        .seen(format!("id={live}, and {} is the id of what is served", served.id()))
        .say(format!("serve what `launchctl mail mta-sts {domain}` prints"));
    }
}

fn judge_policy(facts: &Facts, record: &mta_sts::Record, policy: &mta_sts::Policy, host: &str, out: &mut Judgement) {
    if let (Some(own), Some(live)) = (&facts.declared.own_policy, &record.id) {
        own_policy(facts, record, (own, live), policy, out);
    }
    if policy.mode == Mode::None {
        return;
    }
    if let Lookup::Failed(why) = &facts.mx {
        out.unknown(ids::MTA_STS, format!("MX of {}: {why}", facts.declared.domain));
    }
    let exchangers = facts.mx.records().iter().filter_map(|mx| mx.host.as_ref());
    for exchanger in exchangers.filter(|exchanger| !policy.covers(exchanger)) {
        out.error(
            ids::MTA_STS,
            &host,
            format!("the MX host {exchanger} is not in the policy: senders do not deliver to it"),
        )
        .seen(format!("mx: {}", policy.exchangers.join(", ")))
        .say(format!("add the line `mx: {exchanger}`, and change the id"));
    }
}

fn tls_reporting(facts: &Facts, out: &mut Judgement) {
    let name = below(facts, "_smtp._tls");
    if let Lookup::Failed(why) = &facts.tls_rpt {
        out.unknown(ids::TLSRPT, format!("TXT of {name}: {why}"));
        return;
    }
    let found = records(&facts.tls_rpt, tls_rpt::is_record);
    if let (true, Lookup::Failed(why)) = (found.is_empty(), &facts.mta_sts) {
        out.unknown(ids::TLSRPT, format!("whether there is MTA-STS to report on: {why}"));
    }
    let has_sts = !records(&facts.mta_sts, mta_sts::is_record).is_empty();
    // Senders use these two alone (RFC 7672 §3.1.3).
    let is_used = |usage: &u8| matches!(usage, 2 | 3);
    let has_dane = facts.hosts.iter().any(|host| host.dane.records().iter().any(is_used));
    let unanswered = facts
        .hosts
        .iter()
        .filter_map(|host| Some((&host.name, host.dane.failure()?)));
    if found.is_empty() && !has_sts && !has_dane {
        if let Lookup::Failed(why) = &facts.mx {
            out.unknown(ids::TLSRPT, format!("MX of {}: {why}", facts.declared.domain));
        }
        for (host, why) in unanswered {
            out.unknown(ids::TLSRPT, format!("TLSA of _25._tcp.{host}: {why}"));
        }
    }
    let report = format!("tls@{}", facts.declared.domain);
    match found.as_slice() {
        [] if has_sts || has_dane => out
            .warning(
                ids::TLSRPT,
                &name,
                "nobody hears when senders cannot use TLS (RFC 8460)",
            )
            .seen(format!("{name} has no TLS-RPT record"))
            .fix(
                Fix::publish(&name, "TXT", tls_rpt::build(std::slice::from_ref(&report)))
                    .spec("email.tls_rpt", format!("[{report}]")),
            ),
        [] => {}
        [value] => {
            let record = tls_rpt::parse(&shown(value));
            for issue in &record.issues {
                out.warning(ids::TLSRPT, &name, issue.message.clone())
                    .seen(format!("{name} TXT {}", record.text))
                    .say(
                        issue
                            .help
                            .clone()
                            .unwrap_or_else(|| "write v=TLSRPTv1; rua=mailto:ADDRESS".to_owned()),
                    );
            }
        }
        several => out
            .warning(
                ids::TLSRPT,
                &name,
                format!(
                    "{} TLS-RPT records stand at {name}: senders see none (RFC 8460 §3)",
                    several.len()
                ),
            )
            .all_seen(several.iter().map(|value| format!("{name} TXT {}", shown(value))))
            .say("keep one, with the addresses of all"),
    }
}

fn brand(facts: &Facts, out: &mut Judgement) {
    let name = below(facts, &format!("{}._bimi", facts.declared.bimi_selector));
    if let Lookup::Failed(why) = &facts.bimi {
        out.unknown(ids::BIMI, format!("TXT of {name}: {why}"));
        return;
    }
    let found = records(&facts.bimi, bimi::is_record);
    let Some(value) = found.first() else {
        return;
    };
    let record = bimi::parse(&shown(value));
    let seen = format!("{name} TXT {}", record.text);
    for issue in &record.issues {
        out.warning(ids::BIMI, &name, issue.message.clone())
            .seen(seen.clone())
            .say(
                issue
                    .help
                    .clone()
                    .unwrap_or_else(|| "correct the record, or decline with an empty l=".to_owned()),
            );
    }
    let unknown = facts.dmarc.unknown();
    if record.declines() {
        return;
    }
    match facts.dmarc.policy_record() {
        None if !unknown.is_empty() => out.unknown(ids::BIMI, unknown.join("; ")),
        Some((_, _, policy)) if policy.is_enforcing() && policy.percent.is_none_or(|percent| percent == 100) => {}
        _ => out
            .warning(
                ids::BIMI,
                &name,
                "receivers show no mark: DMARC has to enforce, for subdomains too and without pct",
            )
            .seen(seen)
            .fix(
                Fix::say("raise the DMARC policy to quarantine or reject first")
                    .spec("email.dmarc.policy", "quarantine"),
            ),
    }
}

/// Everything that a parked domain lacks, in one finding.
fn parked(facts: &Facts, out: &mut Judgement) {
    if !facts.declared.is_parked() {
        return;
    }
    let domain = &facts.declared.domain;
    let mut broken: Vec<String> = Vec::new();
    let mut lacking: Vec<String> = Vec::new();
    if let Some(own) = facts.spf.first() {
        let refuses = matches!(own.analysis.tree.state, State::Record(_))
            && own.analysis.fallthrough == Some(Qualifier::Fail)
            && own.analysis.allowed.is_empty()
            && own.analysis.conditional.is_empty();
        match own
            .txt
            .failure()
            .map(ToOwned::to_owned)
            .or(own.analysis.unknown.first().cloned())
        {
            Some(why) => out.unknown(ids::PARKED, format!("SPF of {domain}: {why}")),
            None if !refuses => broken.push(format!("TXT {domain}: v=spf1 -all")),
            None => {}
        }
    }
    parked_dmarc(facts, &mut broken, out);
    parked_mx(facts, &mut broken, &mut lacking, out);
    for key in &facts.dkim {
        if key
            .txt
            .records()
            .iter()
            .any(|value| dkim::parse_value(value).is_usable())
        {
            lacking.push(format!("no key at {}", key.name));
        }
    }
    match &facts.wildcard {
        Lookup::Failed(why) => out.unknown(ids::PARKED, format!("TXT of *.{domain}: {why}")),
        answer if !answer.records().iter().any(|value| value == b"v=spf1 -all") => {
            lacking.push(format!("TXT *.{domain}: v=spf1 -all"));
        }
        _ => {}
    }
    if broken.is_empty() && lacking.is_empty() {
        return;
    }
    let all: Vec<String> = broken.iter().chain(&lacking).cloned().collect();
    let message = format!(
        "the parked domain does not refuse all mail: {} missing",
        text::count(all.len(), "part")
    );
    let draft = if broken.is_empty() {
        out.warning(ids::PARKED, domain, message)
    } else {
        out.error(ids::PARKED, domain, message)
    };
    let fix = format!("make it so: {}", all.join("; "));
    draft.all_seen(all).fix(Fix::say(fix).spec("email", "parked"));
}

fn parked_dmarc(facts: &Facts, broken: &mut Vec<String>, out: &mut Judgement) {
    let domain = &facts.declared.domain;
    if let Some(why) = facts.dmarc.unknown().pop() {
        return out.unknown(ids::PARKED, why);
    }
    let record = facts.dmarc.policy_record().map(|(_, _, record)| record);
    let is_whole = record
        .is_some_and(|record| record.for_subdomains() == Policy::Reject && record.for_nonexistent() == Policy::Reject);
    if !(facts.dmarc.policy(Existence::Exists) == Some(Policy::Reject) && is_whole) {
        broken.push(format!("TXT _dmarc.{domain}: v=DMARC1; p=reject; sp=reject; np=reject"));
    }
}

fn parked_mx(facts: &Facts, broken: &mut Vec<String>, lacking: &mut Vec<String>, out: &mut Judgement) {
    let domain = &facts.declared.domain;
    let is_null = |exchangers: &[Exchanger]| exchangers.iter().all(|mx| mx.host.is_none());
    match (&facts.mx, &facts.has_address) {
        (Lookup::Failed(why), _) => out.unknown(ids::PARKED, format!("MX of {domain}: {why}")),
        (Lookup::Records(exchangers), _) if is_null(exchangers) => {}
        (Lookup::Records(_), _) => broken.push(format!("MX {domain}: 0 . instead of the present ones")),
        (_, Lookup::Records(_)) => lacking.push(format!("MX {domain}: 0 .")),
        (_, Lookup::Failed(why)) => out.unknown(ids::PARKED, format!("addresses of {domain}: {why}")),
        _ => {}
    }
}

/// The CAs that records of one tag allow, in lower case; parameters after `;` do not count (RFC 8659 §4.2).
fn allowed(records: &[Authorization], tag: &str) -> Vec<String> {
    records
        .iter()
        .filter(|record| record.tag.eq_ignore_ascii_case(tag))
        .map(|record| {
            record
                .value
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase()
        })
        .collect()
}

fn authorities(facts: &Facts, out: &mut Judgement) {
    let bimi_name = below(facts, &format!("{}._bimi", facts.declared.bimi_selector));
    for (answer, name) in [(&facts.mta_sts, below(facts, "_mta-sts")), (&facts.bimi, bimi_name)] {
        if let Lookup::Failed(why) = answer {
            out.unknown(ids::CAA_MAIL, format!("TXT of {name}: {why}"));
        }
    }
    let wants_certificate = !records(&facts.mta_sts, mta_sts::is_record).is_empty();
    let wants_mark = records(&facts.bimi, bimi::is_record).first().is_some_and(|value| {
        bimi::parse(&shown(value))
            .authority
            .is_some_and(|authority| !authority.is_empty())
    });
    if !wants_certificate && !wants_mark {
        return;
    }
    if let Lookup::Failed(why) = &facts.caa {
        out.unknown(ids::CAA_MAIL, format!("CAA of {}: {why}", facts.declared.domain));
        return;
    }
    if wants_certificate {
        let issuer = facts.declared.issuer.as_deref();
        authority(facts, "issue", issuer, &below(facts, "mta-sts"), out);
    }
    if wants_mark {
        let issuer = facts.declared.mark_issuer.as_deref();
        authority(facts, "issuevmc", issuer, facts.declared.domain.as_str(), out);
    }
}

/// Whether CAA lets `issuer` issue; when nobody says who that is, whether it lets anybody.
fn authority(facts: &Facts, tag: &str, issuer: Option<&str>, name: &str, out: &mut Judgement) {
    let domain: &QueryName = &facts.declared.domain;
    let allowed = allowed(facts.caa.records(), tag);
    let may = |ca: &String| issuer.map_or(!ca.is_empty(), |issuer| ca.eq_ignore_ascii_case(issuer));
    // No record of the tag forbids nothing (RFC 8659 §4.2).
    if allowed.is_empty() || allowed.iter().any(may) {
        return;
    }
    let seen = allowed.iter().map(|ca| line(domain, "CAA", &format!("{tag} {ca:?}")));
    match issuer {
        Some(issuer) => {
            let message = format!("CAA does not let {issuer} issue for {name}");
            out.error(ids::CAA_MAIL, &name, message)
                .all_seen(seen)
                .fix(Fix::publish(domain, "CAA", format!("0 {tag} \"{issuer}\"")));
        }
        None => {
            let message = format!("CAA lets nobody issue for {name}");
            out.error(ids::CAA_MAIL, &name, message).all_seen(seen).say(format!(
                "publish CAA {domain}: 0 {tag} and the domain of the CA that is to issue"
            ));
        }
    }
}
