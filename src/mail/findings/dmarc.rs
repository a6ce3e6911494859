//! DMARC (findings 22 to 31).

use super::facts::{Facts, ReportFacts, Sender};
use super::{Fix, Judgement, ids, line, shown};
use crate::base::diagnostic::Severity;
use crate::base::text;
use crate::mail::dmarc::{
    Alignment, Found, Kind, Policy, PublicSuffix, Record, Source, is_aligned, is_dmarc, looks_like_dmarc, policy_name,
};
use crate::mail::dns::{Lookup, QueryName};

/// How deep a name may be for the walk to meet all names above it (RFC 9989 §4.10).
const DEEPEST: usize = 8;

/// What is judged by the policy that the walk finds: while a step of it is open, another one may hold.
const OF_THE_POLICY: [&str; 8] = [
    ids::DMARC_MISSING,
    ids::DMARC_MONITORING,
    ids::DMARC_SUB_WEAKER,
    ids::DMARC_REMOVED_TAG,
    ids::DMARC_NO_RUA,
    ids::DMARC_RUA_DEAD,
    ids::DMARC_ALIGNMENT,
    ids::DMARC_TREE,
];

pub(super) fn judge(facts: &Facts, out: &mut Judgement) {
    for why in facts.dmarc.unknown() {
        for id in OF_THE_POLICY {
            out.unknown(id, why.clone());
        }
    }
    if let Lookup::Failed(why) = &facts.dmarc_txt {
        for id in [ids::DMARC_MULTIPLE, ids::DMARC_SYNTAX] {
            out.unknown(id, format!("TXT of _dmarc.{}: {why}", facts.declared.domain));
        }
    }
    if let Some(why) = facts.spf.first().and_then(|own| own.txt.failure()) {
        out.unknown(ids::DMARC_SYNTAX, format!("TXT of {}: {why}", facts.declared.domain));
    }
    multiple(facts, out);
    misplaced(facts, out);
    match facts.dmarc.policy_record() {
        None => missing(facts, out),
        Some((source, step, record)) => {
            let name = policy_name(&step.domain).unwrap_or_else(|| step.domain.clone());
            issues(&name, record, out);
            monitoring(facts, &name, record, source, out);
            subdomains(facts, &name, record, source, out);
            reports(facts, &name, record, out);
            alignment(facts, &name, record, source, out);
        }
    }
    tree(facts, out);
}

fn missing(facts: &Facts, out: &mut Judgement) {
    let domain = &facts.declared.domain;
    let is_several = facts
        .dmarc
        .steps
        .iter()
        .any(|step| matches!(step.found, Found::Several(_)));
    if is_several || !facts.dmarc.unknown().is_empty() || facts.declared.is_parked() {
        return;
    }
    let name = format!("_dmarc.{domain}");
    let message = "no DMARC record applies: anybody may use the name in From";
    let draft = if facts.declared.sends() || facts.declared.is_bulk {
        out.error(ids::DMARC_MISSING, domain, message)
    } else {
        out.warning(ids::DMARC_MISSING, domain, message)
    };
    let asked: Vec<String> = facts
        .dmarc
        .steps
        .iter()
        .map(|step| format!("_dmarc.{} has none", step.domain))
        .collect();
    draft.all_seen(asked).fix(
        Fix::publish(&name, "TXT", format!("v=DMARC1; p=none; rua=mailto:dmarc@{domain}")).spec(
            "email.dmarc",
            format!("{{ policy: none, report_to: [dmarc@{domain}] }}"),
        ),
    );
}

fn multiple(facts: &Facts, out: &mut Judgement) {
    for step in &facts.dmarc.steps {
        let Found::Several(texts) = &step.found else {
            continue;
        };
        let name = format!("_dmarc.{}", step.domain);
        let message = format!(
            "{} DMARC records stand at {name}: all are discarded (RFC 9989 §4.10)",
            texts.len()
        );
        out.error(ids::DMARC_MULTIPLE, &name, message)
            .all_seen(texts.iter().map(|text| format!("{name} TXT {text}")))
            .say("keep one of them, with the report addresses of all");
    }
}

/// Values that are no policy record where one stands, and policy records where none is looked for.
fn misplaced(facts: &Facts, out: &mut Judgement) {
    let domain = &facts.declared.domain;
    let Some(name) = policy_name(domain) else {
        return;
    };
    for value in facts.dmarc_txt.records().iter().filter(|value| !is_dmarc(value)) {
        let seen = line(&name, "TXT", &shown(value));
        if looks_like_dmarc(value) {
            let message = "receivers ignore the record: it begins with exactly `v=DMARC1;` (RFC 9989 §4.7)";
            out.error(ids::DMARC_SYNTAX, &name, message)
                .seen(seen)
                .say("begin the record with v=DMARC1; and write it without quotes");
        } else {
            out.warning(ids::DMARC_SYNTAX, &name, "another TXT record stands beside the policy")
                .seen(seen)
                .fix(Fix::remove(
                    &name,
                    "TXT",
                    value,
                    format!("remove this TXT record from {name}"),
                ));
        }
    }
    let own = facts.spf.first().map(|own| own.txt.records()).unwrap_or_default();
    for value in own.iter().filter(|value| is_dmarc(value)) {
        out.warning(
            ids::DMARC_SYNTAX,
            domain,
            format!("a DMARC record stands at {domain}; receivers look at {name}"),
        )
        .seen(line(domain, "TXT", &shown(value)))
        .fix(Fix::remove(domain, "TXT", value, format!("move the record to {name}")));
    }
}

fn issues(name: &QueryName, record: &Record, out: &mut Judgement) {
    for issue in &record.issues {
        let id = match issue.kind {
            Kind::Syntax => ids::DMARC_SYNTAX,
            Kind::Removed => ids::DMARC_REMOVED_TAG,
            Kind::ReportAddress => ids::DMARC_RUA_DEAD,
            Kind::Unusual => continue,
        };
        let blamed = record.text.get(issue.span.clone()).unwrap_or_default();
        let help = issue
            .help
            .clone()
            .unwrap_or_else(|| format!("correct `{}`", text::shorten(blamed, 80)));
        out.draft(id, issue.severity, name, issue.message.clone())
            .seen(line(name, "TXT", &record.text))
            .say(help);
    }
}

/// The policy that holds for the domain itself.
fn policy_for(record: &Record, source: Source) -> Policy {
    match source {
        Source::Author => record.for_domain(),
        Source::Organization | Source::PublicSuffix => record.for_subdomains(),
    }
}

fn monitoring(facts: &Facts, name: &QueryName, record: &Record, source: Source, out: &mut Judgement) {
    let policy = policy_for(record, source);
    if policy != Policy::None && !record.is_testing {
        return;
    }
    let what = if policy == Policy::None {
        "the policy is none: failing mail is delivered as before".to_owned()
    } else {
        format!("`t=y` asks for one level less: failing mail gets {policy}")
    };
    let (severity, fix) = match &facts.declared.stage {
        Some(stage) if stage.is_due && policy < stage.policy => (
            Severity::Warning,
            Fix::say(format!(
                "the spec has wanted p={} since {}: `launchctl apply` publishes it",
                stage.policy, stage.on
            )),
        ),
        Some(stage) if !stage.is_due => (
            Severity::Info,
            Fix::say(format!("the rollout goes on with p={} on {}", stage.policy, stage.on)),
        ),
        _ if policy != Policy::None => (
            Severity::Info,
            Fix::say("when the reports look right, take `t=y` away").spec("email.dmarc.testing", "false"),
        ),
        _ => (
            Severity::Info,
            Fix::say("read the reports for a month, then write p=quarantine").spec("email.dmarc.policy", "quarantine"),
        ),
    };
    out.draft(ids::DMARC_MONITORING, severity, name, what)
        .seen(line(name, "TXT", &record.text))
        .fix(fix);
}

fn subdomains(facts: &Facts, name: &QueryName, record: &Record, source: Source, out: &mut Judgement) {
    let own = record.for_domain();
    let weaker: Vec<String> = [
        ("subdomains", record.for_subdomains()),
        ("names that do not exist", record.for_nonexistent()),
    ]
    .into_iter()
    .filter(|(_, policy)| *policy < own)
    .map(|(what, policy)| format!("{what} get {policy}"))
    .collect();
    if !weaker.is_empty() {
        let message = format!(
            "the domain gets {own}, but {}: they can be spoofed",
            text::list(&weaker)
        );
        out.warning(ids::DMARC_SUB_WEAKER, name, message)
            .seen(line(name, "TXT", &record.text))
            .fix(
                Fix::say("leave out `sp` and `np`, or make them as strict as `p`")
                    .spec("email.dmarc.subdomains", own.as_str()),
            );
    }
    let is_below = source == Source::Author && facts.dmarc.organizational() != facts.declared.domain;
    if is_below && record.subdomains.is_some() {
        out.warning(
            ids::DMARC_SUB_WEAKER,
            name,
            "`sp` has no effect below the organizational domain (RFC 9989 §4.7)",
        )
        .seen(line(name, "TXT", &record.text))
        .say(format!("publish `sp` at _dmarc.{}", facts.dmarc.organizational()));
    }
}

fn reports(facts: &Facts, name: &QueryName, record: &Record, out: &mut Judgement) {
    // A parked domain has no mail of its own to learn about: reports are welcome there, and nothing hangs on them.
    if record.aggregate.is_empty() && !facts.declared.is_parked() {
        let severity = if facts.declared.is_bulk {
            Severity::Error
        } else {
            Severity::Warning
        };
        let domain = &facts.declared.domain;
        let message = "nobody gets aggregate reports: do not raise the policy without them";
        out.draft(ids::DMARC_NO_RUA, severity, name, message)
            .seen(line(name, "TXT", &record.text))
            .fix(
                Fix::say(format!("add rua=mailto:dmarc@{domain}"))
                    .spec("email.dmarc.report_to", format!("[dmarc@{domain}]")),
            );
    }
    for report in &facts.reports {
        agreement(name, report, out);
        mailbox(name, report, out);
    }
}

/// RFC 9990 §4.
fn agreement(name: &QueryName, report: &ReportFacts, out: &mut Judgement) {
    if !report.is_external {
        return;
    }
    let at = &report.agreement_name;
    match &report.agreement {
        Lookup::Failed(why) => out.unknown(ids::DMARC_RUA_DEAD, format!("TXT of {at}: {why}")),
        answer if answer.records().iter().any(|value| is_dmarc(value)) => {}
        _ => {
            let message = format!(
                "{} does not agree to get these reports: {} is ignored (RFC 9990 §4)",
                report.host, report.address
            );
            out.error(ids::DMARC_RUA_DEAD, name, message)
                .seen(format!("{at} has no TXT record that begins with v=DMARC1"))
                .fix(Fix {
                    instruction: format!("ask {} to publish TXT {at}: v=DMARC1", report.host),
                    ..Fix::publish(at, "TXT", "v=DMARC1")
                });
        }
    }
}

fn mailbox(name: &QueryName, report: &ReportFacts, out: &mut Judgement) {
    let host = &report.host;
    match (&report.mx, &report.address_records) {
        (Lookup::Failed(why), _) => out.unknown(ids::DMARC_RUA_DEAD, format!("MX of {host}: {why}")),
        (Lookup::Records(mx), _) if mx.iter().any(|mx| mx.host.is_some()) => {}
        (Lookup::NoData | Lookup::NoSuchName, Lookup::Failed(why)) => {
            out.unknown(ids::DMARC_RUA_DEAD, format!("addresses of {host}: {why}"));
        }
        (Lookup::NoData | Lookup::NoSuchName, Lookup::Records(_)) => {}
        _ => out
            .error(
                ids::DMARC_RUA_DEAD,
                name,
                format!("{host} gets no mail: reports to {} are lost", report.address),
            )
            .seen(format!("{host} has no MX record that takes mail, and no address"))
            .say("name a mailbox that exists"),
    }
}

fn alignment(facts: &Facts, name: &QueryName, record: &Record, source: Source, out: &mut Judgement) {
    let domain = &facts.declared.domain;
    let organization = |of: &QueryName| {
        facts
            .organizations
            .iter()
            .find(|(name, _)| name == of)
            .map(|(_, org)| org)
    };
    let Some(own) = organization(domain) else {
        return;
    };
    for sender in &facts.declared.senders {
        let near = |alignment: Alignment, of: &QueryName| {
            if of == domain {
                return Some(true);
            }
            organization(of).map(|org| is_aligned(alignment, domain, own, of, org))
        };
        let by_spf = sender.mail_from.as_ref().map_or(Some(false), |of| near(record.spf, of));
        let signed: Vec<Option<bool>> = sender.signing.iter().map(|of| near(record.dkim, of)).collect();
        let by_dkim = if signed.contains(&Some(true)) {
            Some(true)
        } else if signed.contains(&None) {
            None
        } else {
            Some(false)
        };
        let is_reject = policy_for(record, source) == Policy::Reject;
        judge_sender(name, sender, (by_spf, by_dkim), is_reject, record, out);
    }
}

fn judge_sender(
    name: &QueryName,
    sender: &Sender,
    (by_spf, by_dkim): (Option<bool>, Option<bool>),
    is_reject: bool,
    record: &Record,
    out: &mut Judgement,
) {
    let message = match (by_spf, by_dkim) {
        (Some(true), Some(false)) if is_reject => format!(
            "mail through {} passes by SPF alone, and the policy is reject: forwarded mail is lost (RFC 9989 §5.1)",
            sender.name
        ),
        (_, Some(true)) | (Some(true), _) => return,
        (Some(false), Some(false)) => format!(
            "mail through {} cannot pass DMARC: neither SPF nor DKIM aligns",
            sender.name
        ),
        _ => {
            out.unknown(
                ids::DMARC_ALIGNMENT,
                format!("the organizational domains of {} are not known", sender.name),
            );
            return;
        }
    };
    let mail_from = sender
        .mail_from
        .as_ref()
        .map_or("its own domain".to_owned(), ToString::to_string);
    let signing: Vec<String> = sender.signing.iter().map(ToString::to_string).collect();
    let signing = if signing.is_empty() {
        "nothing".to_owned()
    } else {
        text::list(&signing)
    };
    out.error(ids::DMARC_ALIGNMENT, name, message)
        .seen(format!(
            "{}: MAIL FROM {mail_from} (aspf={}), signs as {signing} (adkim={})",
            sender.name,
            record.spf.as_str(),
            record.dkim.as_str()
        ))
        .say(format!(
            "let {} sign with the domain itself, or give it a return path below it and relaxed alignment",
            sender.name
        ));
}

fn tree(facts: &Facts, out: &mut Judgement) {
    let domain = &facts.declared.domain;
    let own = facts.dmarc.steps.first();
    let own_record = own.and_then(|step| step.record());
    if own_record.is_some_and(|record| record.public_suffix == PublicSuffix::Yes) {
        out.warning(
            ids::DMARC_TREE,
            domain,
            "`psd=y` is for public suffixes: every subdomain becomes an organization of its own",
        )
        .seen(line(
            domain,
            "TXT",
            &own_record.map(|record| record.text.clone()).unwrap_or_default(),
        ))
        .say("take out psd=y; psd=n says that this is the organizational domain");
    }
    if !facts.dmarc.unknown().is_empty() {
        return;
    }
    if domain.depth() > DEEPEST && own_record.is_none() {
        out.warning(
            ids::DMARC_TREE,
            domain,
            "the name is deeper than 8 labels: only a record of its own is always found (RFC 9989 §5.1.8)",
        )
        .seen(text::count(domain.depth(), "label"))
        .say(format!("publish a record at _dmarc.{domain}"));
    }
    let (None, Some(registered)) = (own_record, &facts.declared.registered) else {
        return;
    };
    let old = facts
        .dmarc
        .steps
        .iter()
        .find(|step| step.domain == *registered && step.record().is_some());
    let new = facts.dmarc.policy_record().map(|(_, step, _)| step);
    if old.map(|step| &step.domain) != new.map(|step| &step.domain) {
        let place =
            |name: Option<&QueryName>| name.map_or("no record".to_owned(), |name| format!("the record of {name}"));
        let (old, new) = (place(old.map(|step| &step.domain)), place(new.map(|step| &step.domain)));
        out.warning(
            ids::DMARC_TREE,
            domain,
            format!("readers of RFC 7489 take {old}, those of RFC 9989 {new}"),
        )
        .seen(format!(
            "registered domain {registered}, organizational domain {}",
            facts.dmarc.organizational()
        ))
        .say(format!("publish a record at _dmarc.{domain}: it comes first for both"));
    }
}
