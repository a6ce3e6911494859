//! MX (findings 32 to 35).

use std::collections::BTreeSet;

use super::facts::{Facts, HostFacts};
use super::{Fix, Judgement, absence, ids};
use crate::base::text;
use crate::mail::dns::{Exchanger, Lookup, QueryName};
use crate::mail::presets::{self, Preset};
use crate::mail::spf::analyse::Branch;

pub(super) fn judge(facts: &Facts, out: &mut Judgement) {
    let domain = &facts.declared.domain;
    match &facts.mx {
        Lookup::Failed(why) => {
            for id in [ids::MX_MISSING, ids::MX_NULL, ids::MX_TARGET, ids::MX_MIXED] {
                out.unknown(id, format!("MX of {domain}: {why}"));
            }
        }
        Lookup::NoSuchName | Lookup::NoData => missing(facts, out),
        Lookup::Records(exchangers) => {
            expected(facts, exchangers, out);
            null(facts, exchangers, out);
            targets(facts, exchangers, out);
            mixed(facts, exchangers, out);
        }
    }
}

fn written(domain: &QueryName, mx: &Exchanger) -> String {
    let host = mx.host.as_ref().map_or(".", |host| host.as_str());
    format!("{domain} MX {} {host}", mx.preference)
}

fn missing(facts: &Facts, out: &mut Judgement) {
    let domain = &facts.declared.domain;
    if !facts.declared.receives() || facts.declared.is_parked() {
        return;
    }
    let message = match &facts.has_address {
        Lookup::Records(_) => format!("{domain} has no MX record: mail goes to its web address (RFC 5321 §5.1)"),
        _ => format!("{domain} has no MX record and gets no mail"),
    };
    let hosts: Vec<&str> = facts.declared.exchangers.iter().map(QueryName::as_str).collect();
    let advice = if hosts.is_empty() {
        "publish the MX records of the mailbox provider".to_owned()
    } else {
        format!("publish MX records for {}", text::list(&hosts))
    };
    out.warning(ids::MX_MISSING, domain, message)
        .seen(absence(domain, "MX", &facts.mx))
        .fix(Fix::say(advice).spec("email.receive", "PROVIDER"));
}

fn expected(facts: &Facts, exchangers: &[Exchanger], out: &mut Judgement) {
    let domain = &facts.declared.domain;
    let live: BTreeSet<&QueryName> = exchangers.iter().filter_map(|mx| mx.host.as_ref()).collect();
    let absent: Vec<&str> = facts
        .declared
        .exchangers
        .iter()
        .filter(|host| !live.contains(host))
        .map(QueryName::as_str)
        .collect();
    if !absent.is_empty() {
        let message = format!("{} is expected as MX and absent", text::list(&absent));
        out.warning(ids::MX_MISSING, domain, message)
            .all_seen(exchangers.iter().map(|mx| written(domain, mx)))
            .say(format!("publish MX records for {}", text::list(&absent)));
    }
}

/// RFC 7505.
fn null(facts: &Facts, exchangers: &[Exchanger], out: &mut Judgement) {
    let domain = &facts.declared.domain;
    let Some(null) = exchangers.iter().find(|mx| mx.host.is_none()) else {
        return;
    };
    let seen = || exchangers.iter().map(|mx| written(domain, mx));
    if exchangers.len() > 1 {
        out.error(
            ids::MX_NULL,
            domain,
            "a null MX stands beside other MX records (RFC 7505 §3)",
        )
        .all_seen(seen())
        .say("keep the null MX alone, or remove it");
    } else if null.preference != 0 {
        let message = format!(
            "the preference of a null MX is 0, not {} (RFC 7505 §3)",
            null.preference
        );
        out.error(ids::MX_NULL, domain, message)
            .all_seen(seen())
            .fix(Fix::publish(domain, "MX", "0 .").instead_of([format!("{} .", null.preference)]));
    } else if facts.declared.sends() && !facts.declared.is_parked() {
        let message = "the domain sends mail and takes none: receivers may refuse it (RFC 7505 §4.2)";
        out.warning(ids::MX_NULL, domain, message)
            .all_seen(seen())
            .say("let the domain take mail, if only for bounces and complaints");
    }
}

fn targets(facts: &Facts, exchangers: &[Exchanger], out: &mut Judgement) {
    let domain = &facts.declared.domain;
    let mut met = BTreeSet::new();
    for host in exchangers.iter().filter_map(|mx| mx.host.as_ref()) {
        if !met.insert(host) {
            out.warning(
                ids::MX_TARGET,
                domain,
                format!("{host} stands twice among the MX records"),
            )
            .seen(format!("{domain} MX … {host}"))
            .say("keep one of them");
        }
    }
    for host in &facts.hosts {
        target(facts, host, out);
    }
}

fn target(facts: &Facts, host: &HostFacts, out: &mut Judgement) {
    let name = &host.name;
    if name.labels().count() == 4 && name.labels().all(|label| label.parse::<u8>().is_ok()) {
        out.error(
            ids::MX_TARGET,
            name,
            format!("{name} is an address; an MX names a host (RFC 1035 §3.3.9)"),
        )
        .seen(format!("{} MX … {name}", facts.declared.domain))
        .say("give the address a name, and write that name");
        return;
    }
    match &host.cname {
        Lookup::Failed(why) => out.unknown(ids::MX_TARGET, format!("CNAME of {name}: {why}")),
        Lookup::Records(aliases) => {
            let to = aliases.first().map(ToString::to_string).unwrap_or_default();
            out.error(
                ids::MX_TARGET,
                name,
                format!("the MX host {name} is an alias, which is forbidden (RFC 2181 §10.3)"),
            )
            .seen(format!("{name} CNAME {to}"))
            .say(format!("write {to} as MX, or give {name} addresses"));
        }
        _ => {}
    }
    if facts.declared.proxied.contains(name) {
        out.error(
            ids::MX_TARGET,
            name,
            format!("the MX host {name} stands behind a proxy that passes no mail"),
        )
        .seen(format!("{name} is proxied"))
        .say(format!("make {name} DNS-only"));
    }
    match &host.addresses {
        Lookup::Failed(why) => out.unknown(ids::MX_TARGET, format!("addresses of {name}: {why}")),
        Lookup::Records(_) => {}
        absent => out
            .error(ids::MX_TARGET, name, format!("the MX host {name} has no address"))
            .seen(absence(name, "A or AAAA", absent))
            .say("correct the name, or publish its addresses"),
    }
}

fn provider(host: &QueryName) -> Option<&'static Preset> {
    presets::provider_of(&host.to_domain_name()?)
}

fn mixed(facts: &Facts, exchangers: &[Exchanger], out: &mut Judgement) {
    let domain = &facts.declared.domain;
    let mut found: Vec<&'static Preset> = Vec::new();
    for preset in exchangers.iter().filter_map(|mx| mx.host.as_ref()).filter_map(provider) {
        if !found.iter().any(|other| other.id == preset.id) {
            found.push(preset);
        }
    }
    let seen = || exchangers.iter().map(|mx| written(domain, mx));
    if found.len() > 1 {
        let names: Vec<&str> = found.iter().map(|preset| preset.name).collect();
        out.warning(
            ids::MX_MIXED,
            domain,
            format!(
                "the MX records are of {}: mail goes now here, now there",
                text::list(&names)
            ),
        )
        .all_seen(seen())
        .say("keep the records of one provider; the others are probably left over");
        return;
    }
    let (Some(preset), Some(own)) = (found.first(), facts.spf.first()) else {
        return;
    };
    let hosts: Vec<&str> = preset
        .spf
        .iter()
        .filter_map(|term| term.strip_prefix("include:"))
        .collect();
    let is_included = own.txt.failure().is_some()
        || !own.analysis.unknown.is_empty()
        || hosts
            .iter()
            .any(|host| host.contains('{') || leads_to(&own.analysis.tree, host) || is_flattened(facts, host));
    if facts.declared.sends() && !hosts.is_empty() && !is_included {
        let message = format!("mail is received by {}, but SPF does not let it send", preset.name);
        out.warning(ids::MX_MIXED, domain, message)
            .all_seen(seen())
            .say(format!(
                "add {} to the SPF record, if mail is sent from these mailboxes",
                preset.spf.join(" ")
            ));
    }
}

/// Whether the addresses of an include stand in its place.
fn is_flattened(facts: &Facts, host: &str) -> bool {
    let mut flattened = facts.declared.flattened.iter();
    flattened.any(|one| one.include.as_str() == host)
}

/// Whether a record of that name is anywhere in the tree.
fn leads_to(branch: &Branch, host: &str) -> bool {
    branch.domain == host
        || branch
            .terms
            .iter()
            .filter_map(|term| term.nested.as_deref())
            .any(|nested| leads_to(nested, host))
}
