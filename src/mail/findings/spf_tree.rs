//! SPF: what the whole tree tells (findings 5 to 11 and 14).

use super::facts::SpfFacts;
use super::{Fix, Judgement, ids, line};
use crate::base::text;
use crate::mail::presets;
use crate::mail::spf::analyse::{BranchTerm, Remark, RemarkKind, State};
use crate::mail::spf::{MOST_LOOKUPS, MOST_VOIDS, Qualifier};

pub(super) fn judge(spf: &SpfFacts, out: &mut Judgement) {
    if !matches!(spf.analysis.tree.state, State::Record(_)) {
        return;
    }
    lookups(spf, out);
    voids(spf, out);
    permissive(spf, out);
    ending(spf, out);
    for remark in &spf.analysis.remarks {
        target(spf, remark, out);
        if remark.depth == 0 {
            own_term(spf, remark, out);
        }
    }
    idle(spf, out);
    // What was not answered may lead nowhere, or decide what unlisted senders get.
    unanswered(spf, ids::SPF_TARGET, out);
    if spf.analysis.fallthrough.is_none() {
        unanswered(spf, ids::SPF_NO_ALL, out);
    }
}

/// Whatever was counted is at least so many when DNS did not answer everywhere.
fn unanswered(spf: &SpfFacts, id: &'static str, out: &mut Judgement) {
    for why in &spf.analysis.unknown {
        out.unknown(id, why.clone());
    }
}

fn costs(spf: &SpfFacts) -> Vec<String> {
    let mut terms: Vec<&BranchTerm> = spf.analysis.tree.terms.iter().filter(|term| term.lookups > 0).collect();
    terms.sort_by_key(|term| std::cmp::Reverse(term.lookups));
    terms
        .iter()
        .map(|term| format!("{}: {}", term.term, text::count(term.lookups, "lookup")))
        .collect()
}

fn lookups(spf: &SpfFacts, out: &mut Judgement) {
    let count = spf.analysis.lookups;
    let dearest = costs(spf).first().cloned().unwrap_or_default();
    let advice =
        format!("drop what is not needed, or move senders to subdomains of their own; the dearest is {dearest}");
    if count > MOST_LOOKUPS {
        let message = format!(
            "at worst {count} terms ask DNS and 10 is the most: receivers that get that far return permerror (RFC 7208 §4.6.4)"
        );
        out.error(ids::SPF_LOOKUPS, &spf.name, message)
            .all_seen(costs(spf))
            .say(advice);
    } else {
        if count + 1 >= MOST_LOOKUPS {
            let message = format!("at worst {count} terms ask DNS and 10 is the most: the next sender may be too many");
            out.warning(ids::SPF_LOOKUPS, &spf.name, message)
                .all_seen(costs(spf))
                .say(advice);
        }
        unanswered(spf, ids::SPF_LOOKUPS, out);
    }
    for remark in &spf.analysis.remarks {
        if let RemarkKind::ManyExchangers(number) = remark.kind {
            let message = format!(
                "`{}` has {number} exchangers; 10 is the most (RFC 7208 §4.6.4)",
                remark.term
            );
            out.error(ids::SPF_LOOKUPS, &remark.domain, message)
                .seen(remark.term.clone())
                .say("name the networks with ip4 and ip6 instead of mx");
        }
    }
}

fn voids(spf: &SpfFacts, out: &mut Judgement) {
    let voids = spf.analysis.voids;
    let most = voids.ip4.max(voids.ip6);
    if most > 0 {
        let limit = if most > MOST_VOIDS {
            "2 is the most (RFC 7208 §4.6.4)"
        } else {
            "within the limit of 2"
        };
        let message = format!(
            "{} for IPv4 and {} for IPv6 clients find nothing; {limit}",
            text::count(voids.ip4, "term"),
            text::count(voids.ip6, "term")
        );
        let mut idle = Vec::new();
        let terms: Vec<String> = spf
            .analysis
            .remarks
            .iter()
            .filter_map(|remark| match remark.kind {
                RemarkKind::Void(voids) => {
                    let family = match (voids.ip4, voids.ip6) {
                        (0, _) => "IPv6",
                        (_, 0) => "IPv4",
                        _ => {
                            idle.push(format!("`{}` in {}", remark.term, remark.domain));
                            "both families"
                        }
                    };
                    Some(format!("{} in {}: nothing for {family}", remark.term, remark.domain))
                }
                _ => None,
            })
            .collect();
        let draft = if most > MOST_VOIDS {
            out.error(ids::SPF_VOID, &spf.name, message)
        } else if !idle.is_empty() {
            out.warning(ids::SPF_VOID, &spf.name, message)
        } else {
            out.note(ids::SPF_VOID, &spf.name, message)
        };
        // A term that finds something in one family is needed there.
        let advice = match (idle.is_empty(), most > MOST_VOIDS) {
            (false, _) => format!("remove what finds nothing in either family: {}", text::list(&idle)),
            (true, true) => "name the networks of these terms with ip4 and ip6 instead".to_owned(),
            (true, false) => "nothing has to be done: each of them finds something in the other family".to_owned(),
        };
        draft.all_seen(terms).say(advice);
    }
    if most <= MOST_VOIDS {
        unanswered(spf, ids::SPF_VOID, out);
    }
}

fn permissive(spf: &SpfFacts, out: &mut Judgement) {
    for remark in &spf.analysis.remarks {
        let (message, is_error) = match &remark.kind {
            RemarkKind::PassesAll => (
                format!("`{}` in {} lets everybody send", remark.term, remark.domain),
                true,
            ),
            RemarkKind::Wide(network) => {
                let many = text::grouped(usize::try_from(spf.analysis.ip4_addresses()).unwrap_or(usize::MAX));
                let message = format!(
                    "`{}` in {} is a network of /{}: {many} IPv4 addresses may send",
                    remark.term,
                    remark.domain,
                    network.prefix()
                );
                (message, network.prefix() == 0)
            }
            _ => continue,
        };
        let draft = if is_error {
            out.error(ids::SPF_PERMISSIVE, &spf.name, message)
        } else {
            out.warning(ids::SPF_PERMISSIVE, &spf.name, message)
        };
        let fix = if remark.depth == 0 && remark.kind == RemarkKind::PassesAll {
            Fix::say(format!("write ~all instead of `{}`", remark.term)).spec("email.spf.all", "softfail")
        } else {
            Fix::say("name only the networks that send, or drop the include that brings this in")
        };
        draft
            .seen(format!("{} TXT … {} …", remark.domain, remark.term))
            .fix(fix);
    }
    // An address of the wrong kind could still come through what was not answered.
    if !spf.analysis.unknown.is_empty() {
        unanswered(spf, ids::SPF_PERMISSIVE, out);
    }
}

/// What unlisted senders get, also through a redirect.
fn ending(spf: &SpfFacts, out: &mut Judgement) {
    let State::Record(record) = &spf.analysis.tree.state else {
        return;
    };
    if spf.analysis.fallthrough == Some(Qualifier::Neutral) {
        out.warning(
            ids::SPF_NO_ALL,
            &spf.name,
            "unlisted senders stay neutral: the record refuses nobody",
        )
        .seen(line(&spf.name, "TXT", record))
        .fix(Fix::say("end the record with ~all").spec("email.spf.all", "softfail"));
    }
}

fn target(spf: &SpfFacts, remark: &Remark, out: &mut Judgement) {
    let why = match &remark.kind {
        RemarkKind::BadTarget(why) => why.clone(),
        RemarkKind::Loop => "it leads back to itself".to_owned(),
        _ => return,
    };
    let message = format!(
        "`{}` in {} makes a permerror of all mail that reaches it: {why}",
        remark.term, remark.domain
    );
    let advice = if remark.depth == 0 {
        format!("remove `{}`, or correct the name in it", remark.term)
    } else {
        format!("remove the include that leads to {}, or ask its owner", remark.domain)
    };
    out.error(ids::SPF_TARGET, &spf.name, message).seen(why).say(advice);
}

/// Terms of the domain's own record: others are for others to correct.
fn own_term(spf: &SpfFacts, remark: &Remark, out: &mut Judgement) {
    let term = &remark.term;
    let remove = format!("remove `{term}`");
    match &remark.kind {
        RemarkKind::Dead => out
            .warning(
                ids::SPF_DEAD_TERMS,
                &spf.name,
                format!("`{term}` stands after `all` and is never evaluated"),
            )
            .seen(term.clone())
            .say(format!("move `{term}` before `all`, or remove it")),
        RemarkKind::RedirectWithAll => out
            .warning(
                ids::SPF_DEAD_TERMS,
                &spf.name,
                format!("`{term}` is never used beside `all` (RFC 7208 §6.1)"),
            )
            .seen(term.clone())
            .say(remove),
        RemarkKind::Ptr => out
            .warning(
                ids::SPF_PTR,
                &spf.name,
                format!("`{term}` is slow and discouraged, and may be ignored (RFC 7208 §5.5)"),
            )
            .seen(term.clone())
            .say("name the networks with ip4 and ip6 instead"),
        RemarkKind::Duplicate => out
            .note(
                ids::SPF_WASTE,
                &spf.name,
                format!("`{term}` is in the tree already{}", saving(spf, remark)),
            )
            .seen(term.clone())
            .say(remove),
        RemarkKind::Covered(by) => out
            .note(ids::SPF_WASTE, &spf.name, format!("`{term}` is covered by `{by}`"))
            .seen(term.clone())
            .say(remove),
        RemarkKind::NoExchanger => out
            .note(
                ids::SPF_WASTE,
                &spf.name,
                format!("`{term}` has no exchanger with an address"),
            )
            .seen(term.clone())
            .say(remove),
        _ => {}
    }
}

fn saving(spf: &SpfFacts, remark: &Remark) -> String {
    let term = spf.analysis.tree.terms.iter().find(|term| term.span == remark.span);
    match term.map_or(0, |term| term.lookups) {
        0 => String::new(),
        lookups => format!("; without it {} less", text::count(lookups, "lookup")),
    }
}

/// Includes of providers that never send with this domain in MAIL FROM.
fn idle(spf: &SpfFacts, out: &mut Judgement) {
    for term in spf.analysis.tree.terms.iter().filter(|term| !term.is_dead) {
        let lower = term.term.to_ascii_lowercase();
        let preset = presets::all().find(|preset| preset.idle_spf.contains(&lower.trim_end_matches('.')));
        // Where the name is the provider's return path, its include is what it needs.
        let (Some(preset), true) = (preset, spf.used_by.is_empty()) else {
            continue;
        };
        let message = format!(
            "`{}` has no use: {} does not send with {} in MAIL FROM; without it {} less",
            term.term,
            preset.name,
            spf.name,
            text::count(term.lookups, "lookup")
        );
        out.note(ids::SPF_WASTE, &spf.name, message)
            .seen(term.term.clone())
            .say(format!("remove `{}`, once no sender needs it", term.term));
    }
}
