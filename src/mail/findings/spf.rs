//! SPF: the records themselves (findings 1 to 4, 12 and 13). What the tree tells is judged in [`super::spf_tree`].

use super::facts::{Facts, Flattened, SpfFacts};
use super::{Fix, Judgement, absence, ids, line, shown, spf_tree};
use crate::base::text;
use crate::mail::dns::{Lookup, QueryName};
use crate::mail::spf::analyse::{RemarkKind, State};
use crate::mail::spf::build::merged;
use crate::mail::spf::flatten::{Drift, Flat, NotFlat};
use crate::mail::spf::{Outcome, ROOMY, is_spf, parse};
use crate::model::record::txt;

/// What fits into a UDP answer that no network cuts (the DNS flag day's size).
const UDP: usize = 1232;
/// What fits into a record at all (RFC 1035 §3.2.1).
const MOST: usize = 65_535;

/// What is judged by a name's own record: without an answer, nothing of it is.
const OF_ONE_RECORD: [&str; 13] = [
    ids::SPF_MISSING,
    ids::SPF_MULTIPLE,
    ids::SPF_SYNTAX,
    ids::SPF_LOOKALIKE,
    ids::SPF_LOOKUPS,
    ids::SPF_VOID,
    ids::SPF_TARGET,
    ids::SPF_PERMISSIVE,
    ids::SPF_NO_ALL,
    ids::SPF_DEAD_TERMS,
    ids::SPF_PTR,
    ids::SPF_SIZE,
    ids::SPF_WASTE,
];

pub(super) fn judge(facts: &Facts, out: &mut Judgement) {
    for spf in &facts.spf {
        if let Lookup::Failed(why) = &spf.txt {
            for id in OF_ONE_RECORD {
                out.unknown(id, format!("TXT of {}: {why}", spf.name));
            }
        }
        missing(facts, spf, out);
        multiple(spf, out);
        syntax(spf, out);
        lookalikes(spf, out);
        size(spf, out);
        spf_tree::judge(spf, out);
    }
    strays(facts, out);
    gaps(facts, out);
    for (declared, now) in facts.declared.flattened.iter().zip(&facts.flattened) {
        drifted(facts, declared, now, out);
    }
}

/// A flattened include against what it stands for now: what came fails SPF until it is copied, what went may be somebody
/// else's by now.
fn drifted(facts: &Facts, declared: &Flattened, now: &Result<Flat, NotFlat>, out: &mut Judgement) {
    let domain = &facts.declared.domain;
    let include = &declared.include;
    let drift = match now {
        Ok(flat) => Drift::between(&declared.networks, &flat.networks),
        Err(NotFlat::Unknown(why)) => return out.unknown(ids::SPF_DRIFT, format!("{include}: {why}")),
        Err(NotFlat::Refused(why)) => {
            let message = format!("{include} is flattened and cannot be any more: {why}");
            return out
                .error(ids::SPF_DRIFT, domain, message)
                .seen(format!("its addresses were taken on {}", declared.taken))
                .say(format!(
                    "take {include} out of `email.spf.flatten`: it is then included again"
                ));
        }
    };
    if drift.is_none() {
        return;
    }
    let taken = &declared.taken;
    let came = drift.came.iter().map(|network| format!("+ {network}"));
    let evidence = came.chain(drift.went.iter().map(|network| format!("- {network}")));
    let evidence = evidence.collect::<Vec<_>>();
    let (came, went) = (drift.came.len(), text::count(drift.went.len(), "network"));
    let draft = if came > 0 {
        let message = format!(
            "{include} has {} since {taken}: mail from there fails SPF",
            text::count(came, "new network")
        );
        out.error(ids::SPF_DRIFT, domain, message)
    } else {
        let message = format!("{include} has given up {went} since {taken}: whoever has them now may send");
        out.warning(ids::SPF_DRIFT, domain, message)
    };
    draft
        .all_seen(evidence)
        .say("take its addresses again with `launchctl mail flatten`, then apply");
}

fn missing(facts: &Facts, spf: &SpfFacts, out: &mut Judgement) {
    let is_own = spf.name == facts.declared.domain;
    let is_used = !spf.used_by.is_empty() || is_own && facts.declared.sends();
    let is_absent = spf.txt.failure().is_none() && !spf.txt.records().iter().any(|value| is_spf(value));
    // A parked domain has a finding of its own.
    if !is_absent || !is_used || is_own && facts.declared.is_parked() {
        return;
    }
    let who = if spf.used_by.is_empty() {
        format!("mail is sent as {}", spf.name)
    } else {
        format!("{} sends mail as {}", text::list(&spf.used_by), spf.name)
    };
    // Who sends is not known here, and a record without senders would refuse their mail.
    let fix = Fix::say(format!(
        "publish an SPF record at {} that names its senders before ~all",
        spf.name
    ));
    out.error(ids::SPF_MISSING, &spf.name, format!("{who}, which has no SPF record"))
        .seen(absence(&spf.name, "SPF", &spf.txt))
        .fix(fix.spec("email.spf", "{ all: softfail }"));
}

fn multiple(spf: &SpfFacts, out: &mut Judgement) {
    let State::Several(texts) = &spf.analysis.tree.state else {
        return;
    };
    let message = format!(
        "{} has {} SPF records: every receiver returns permerror (RFC 7208 §4.5)",
        spf.name,
        texts.len()
    );
    let records: Result<Vec<_>, _> = texts.iter().map(|text| parse(text)).collect();
    let merged = records.ok().and_then(|records| merged(&records));
    let draft = out
        .error(ids::SPF_MULTIPLE, &spf.name, message)
        .all_seen(texts.iter().map(|text| line(&spf.name, "TXT", text)));
    match merged {
        Some(merged) => draft.fix(Fix::publish(&spf.name, "TXT", merged).instead_of(texts.iter().cloned())),
        None => draft.say("keep one record with the terms of all of them"),
    }
}

fn syntax(spf: &SpfFacts, out: &mut Judgement) {
    if let State::Malformed(text, errors) = &spf.analysis.tree.state {
        for error in errors {
            let column = text.get(..error.span.start).unwrap_or_default().chars().count() + 1;
            let blamed = text.get(error.span.clone()).unwrap_or_default();
            let message = format!("column {column}: {}", error.message);
            let help = error.help.clone().unwrap_or_else(|| "correct this term".to_owned());
            out.error(ids::SPF_SYNTAX, &spf.name, message)
                .seen(line(&spf.name, "TXT", text))
                .seen(blamed)
                .say(help);
        }
    }
    for remark in spf.analysis.remarks.iter().filter(|remark| remark.depth == 0) {
        let message = match &remark.kind {
            RemarkKind::SecondVersion => {
                "a second `v=spf1` stands within the record: two records were run together".to_owned()
            }
            RemarkKind::MechanismAsModifier(name) => {
                format!("`{}` is ignored by receivers: `{name}` takes `:`, not `=`", remark.term)
            }
            _ => continue,
        };
        out.warning(ids::SPF_SYNTAX, &spf.name, message)
            .seen(remark.term.clone())
            .say(format!("correct or remove `{}`", remark.term));
    }
}

/// What was meant as SPF: quotes in the value, a space before it, another version.
fn looks_like_spf(value: &[u8]) -> bool {
    let text = shown(value).to_ascii_lowercase();
    let bare = text.trim_start_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
    !is_spf(value)
        && (bare.starts_with("v=spf")
            || bare.starts_with("v = spf")
            || bare.starts_with("spf2.0/")
            || bare.starts_with("spf1 "))
}

fn lookalikes(spf: &SpfFacts, out: &mut Judgement) {
    for value in spf.txt.records().iter().filter(|value| looks_like_spf(value)) {
        let text = shown(value);
        let what = if text.to_ascii_lowercase().starts_with("spf2.0/") {
            "Sender ID is dead: receivers ignore `spf2.0/` records"
        } else if text.starts_with(['"', '\'']) {
            "quotes were pasted into the value: receivers see no SPF record"
        } else {
            "receivers ignore this: an SPF record begins with `v=spf1` and a space (RFC 7208 §4.5)"
        };
        out.warning(ids::SPF_LOOKALIKE, &spf.name, what)
            .seen(line(&spf.name, "TXT", &text))
            .fix(Fix::remove(
                &spf.name,
                "TXT",
                value,
                format!("remove or correct this TXT record at {}", spf.name),
            ));
    }
}

fn strays(facts: &Facts, out: &mut Judgement) {
    let has_own = facts
        .spf
        .first()
        .is_none_or(|own| own.txt.failure().is_some() || own.txt.records().iter().any(|value| is_spf(value)));
    for (name, answer) in &facts.strays {
        if let Lookup::Failed(why) = answer {
            out.unknown(ids::SPF_LOOKALIKE, format!("TXT of {name}: {why}"));
        }
        // A record at `www` protects that name, which is proper beside one at the domain itself.
        let is_policy_name = name.labels().next() == Some("_dmarc");
        for value in answer.records().iter().filter(|value| is_spf(value)) {
            if is_policy_name || !has_own {
                stray(name, value, out);
            }
        }
    }
}

fn stray(name: &QueryName, value: &[u8], out: &mut Judgement) {
    let message = format!("receivers look for SPF at the domain in MAIL FROM, not at {name}");
    out.warning(ids::SPF_LOOKALIKE, name, message)
        .seen(line(name, "TXT", &shown(value)))
        .fix(Fix::remove(
            name,
            "TXT",
            value,
            format!("move the record from {name} to the domain itself"),
        ));
}

fn size(spf: &SpfFacts, out: &mut Judgement) {
    let values = spf.txt.records();
    for value in values.iter().filter(|value| is_spf(value)) {
        let length = txt::wire_length(value);
        let seen = format!("{} octets", text::grouped(length));
        if length > MOST {
            let message = format!(
                "the record takes {} octets; no DNS record can hold it",
                text::grouped(length)
            );
            out.error(ids::SPF_SIZE, &spf.name, message)
                .seen(seen)
                .say("move senders to subdomains of their own, or drop includes");
        } else if length > ROOMY {
            let message = format!(
                "the record takes {length} octets; beyond {ROOMY} an answer may not fit into one DNS message (RFC 7208 §3.4)"
            );
            out.warning(ids::SPF_SIZE, &spf.name, message)
                .seen(seen)
                .say("move senders to subdomains of their own, or drop what is not needed");
        }
    }
    let total: usize = values.iter().map(|value| txt::wire_length(value) + 12).sum();
    if total > UDP && values.iter().any(|value| is_spf(value)) {
        let message = format!(
            "all TXT records at {} take {} octets together; beyond {UDP} receivers have to ask again over TCP",
            spf.name,
            text::grouped(total)
        );
        out.warning(ids::SPF_SIZE, &spf.name, message)
            .seen(text::count(values.len(), "TXT record"))
            .say("remove verification records that have done their work");
    }
}

fn gaps(facts: &Facts, out: &mut Judgement) {
    for check in &facts.checks {
        let evaluation = &check.evaluation;
        match evaluation.outcome {
            Outcome::Pass => {}
            Outcome::TempError => {
                let why = evaluation.problem.clone().unwrap_or_default();
                out.unknown(
                    ids::SPF_PROVIDER_GAP,
                    format!("{} through {}: {why}", check.domain, check.sender),
                );
            }
            outcome => {
                let message = format!("mail through {} fails SPF: {} gives {outcome}", check.sender, check.ip);
                out.error(ids::SPF_PROVIDER_GAP, &check.domain, message)
                    .seen(format!("{} as {}: {outcome}", check.ip, check.domain))
                    .all_seen(evaluation.problem.clone())
                    .say(format!(
                        "add the SPF term of {} to the record of {}",
                        check.sender, check.domain
                    ));
            }
        }
    }
}
