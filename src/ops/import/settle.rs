//! The text of an import is loaded and compared with what it was written from, until nothing in it is refused and nothing
//! would change: what is refused in words is said in the provider's own, and what is refused in those is a comment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::Imported;
use super::read::Seen;
use crate::base::diagnostic::{Diagnostic, Diagnostics, Place, Severity, Source};
use crate::mail::spf::lock::LockFile;
use crate::model::address::Address;
use crate::model::rule::Rule;
use crate::ops::problem::Problem;
use crate::plan::diff::Bounds;
use crate::plan::{Live, Owned, Sides, diff};
use crate::provider::{self, Reading, again};
use crate::spec::emit::{self, Emitted, EmittedZone, Form, Head, Part, WHOLE_MAIL, Written};
use crate::spec::{self, Inputs, Loaded, Spec};

/// Writes, loads, compares, and does so again until it fits.
pub(super) fn settle(today: Date, zones: Vec<EmittedZone>, head: &Head, seen: Seen) -> Result<Imported, Problem> {
    let (zones, emitted) = fit(today, zones, head, &seen.reading)?;
    Ok(finish(&zones, emitted, seen.notes))
}

/// The zones in the forms in which they fit, and their text.
pub(super) fn fit(
    today: Date,
    mut zones: Vec<EmittedZone>,
    head: &Head,
    reading: &Reading,
) -> Result<(Vec<EmittedZone>, Emitted), Problem> {
    // Each round takes at least one thing a step back, so it ends.
    loop {
        let emitted = emit::emit(&zones, head);
        let loaded = load(today, &emitted);
        let Some(spec) = loaded.spec else {
            if !step_back_from_errors(&mut zones, &emitted, &loaded.diagnostics) {
                return Err(Problem::Spec(loaded.diagnostics));
            }
            continue;
        };
        let differs = differences(&spec, reading);
        if differs.is_empty() {
            return Ok((zones, emitted));
        }
        if !step_back_from_changes(&mut zones, &emitted, &differs) {
            return Err(differing(&differs));
        }
    }
}

/// What an import would change.
pub(super) fn differing(differs: &BTreeSet<Address>) -> Problem {
    let names: Vec<&str> = differs.iter().map(Address::as_str).collect();
    Problem::new(
        "import-differs",
        format!("the imported spec would change {}", names.join(", ")),
    )
    .help("this is a fault of launchctl: nothing was written and nothing was changed")
}

/// What becomes of the text.
fn load(today: Date, emitted: &Emitted) -> Loaded {
    let source = Arc::new(Source {
        path: "the imported spec".to_owned(),
        text: emitted.text.clone(),
    });
    let vars = BTreeMap::new();
    let inputs = Inputs {
        vars: &vars,
        env: &|_| None,
        files: &|_| Err("an imported spec names no file".to_owned()),
        providers: &provider::capabilities(),
        today,
        spf_lock: &LockFile::default(),
    };
    spec::load(&source, &inputs)
}

/// What planning a spec would change of what was read, though everything was: a plan reads of a zone only its records,
/// the lists of which the spec declares something, and the settings that it names.
pub(super) fn planned_differences(spec: &Spec, reading: &Reading) -> BTreeSet<Address> {
    let kinds: BTreeSet<(&str, &str)> = spec
        .desired
        .inventory
        .keys()
        .map(|address| (address.scope(), address.kind()))
        .collect();
    let mut live = reading.live.clone();
    live.inventory.retain(|address, _| match address.kind() {
        "dns" => true,
        "setting" => spec.desired.inventory.contains_key(address),
        kind => kinds.contains(&(address.scope(), kind)),
    });
    live.lists
        .retain(|(zone, kind), _| kinds.contains(&(zone.as_str(), kind.as_str())));
    let read = Reading {
        live,
        ..Reading::default()
    };
    differences(spec, &read)
}

/// What planning a spec would change of what was read.
pub(super) fn differences(spec: &Spec, reading: &Reading) -> BTreeSet<Address> {
    let live = as_spoken_of(spec, reading);
    let sides = Sides {
        desired: &spec.desired,
        live: &live,
        owned: &Owned::default(),
    };
    let plan = diff(sides, &Bounds::default());
    let refused = plan.refusals.into_iter().filter_map(|refusal| refusal.address);
    plan.changes
        .into_iter()
        .map(|change| change.address)
        .chain(refused)
        .collect()
}

/// What is live, at the addresses under which a spec knows it.
pub(super) fn as_spoken_of(spec: &Spec, reading: &Reading) -> Live {
    let known = again::Known {
        declared: spec.desired.inventory.keys().cloned().collect(),
        ..again::Known::default()
    };
    let mut reading = Reading {
        live: reading.live.clone(),
        ..Reading::default()
    };
    again::recognise(&mut reading, &known);
    reading.live
}

/// Takes what was refused a step back; whether there was something.
fn step_back_from_errors(zones: &mut [EmittedZone], emitted: &Emitted, diagnostics: &Diagnostics) -> bool {
    let mut any = false;
    for finding in diagnostics.iter().filter(|finding| finding.severity == Severity::Error) {
        let places = finding
            .place
            .iter()
            .chain(finding.related.iter().map(|(place, _)| place));
        // Where the place of an error says nothing, what it is related to may.
        let part = places.map(Place::line).find_map(|line| emitted.parts.get(&line));
        any |= match part {
            Some((zone, part)) => step_back(&mut zones[*zone], *part, finding),
            None => without_mail(zones),
        };
    }
    any
}

fn step_back(zone: &mut EmittedZone, part: Part, finding: &Diagnostic) -> bool {
    match part {
        Part::Set(index) => comment(&mut zone.sets[index], &finding.message),
        Part::Rule(index) => further(&mut zone.rules[index], &finding.message),
        Part::Setting(index) => further(&mut zone.settings[index], &finding.message),
        Part::Mail(piece) => zone.without.insert(piece),
        // No zone has any.
        Part::Contact(_) | Part::Window(_) | Part::Check(_) => false,
    }
}

/// An error in no line of ours can only be about mail as a whole.
fn without_mail(zones: &mut [EmittedZone]) -> bool {
    let mut any = false;
    for zone in zones {
        any |= zone.without.insert(WHOLE_MAIL);
    }
    any
}

fn further<T>(written: &mut Written<T>, reason: &str) -> bool {
    if written.form == Form::Words {
        written.form = Form::Raw;
        return true;
    }
    comment(written, reason)
}

fn comment<T>(written: &mut Written<T>, reason: &str) -> bool {
    let is_new = !matches!(written.form, Form::Comment(_));
    if is_new {
        written.form = Form::Comment(reason.to_owned());
    }
    is_new
}

/// Takes what would change a step back; whether there was something.
fn step_back_from_changes(zones: &mut [EmittedZone], emitted: &Emitted, differs: &BTreeSet<Address>) -> bool {
    const WHY: &str = "written in a spec, it would come out otherwise";
    let mut any = false;
    for (at, zone) in zones.iter_mut().enumerate() {
        for index in 0..zone.sets.len() {
            if differs.contains(&zone.sets[index].what.address()) {
                any |= match emitted.mail.get(&(at, index)) {
                    Some(piece) => zone.without.insert(piece),
                    None => comment(&mut zone.sets[index], WHY),
                };
            }
        }
        let of_zone = |address: &&Address| address.scope() == zone.name.as_str();
        // A record that only the block makes has no line of its own.
        let is_known = |address: &&Address| zone.sets.iter().any(|set| set.what.address() == **address);
        let made = differs.iter().filter(of_zone).filter(|address| address.kind() == "dns");
        if made.filter(|address| !is_known(address)).count() > 0 {
            any |= zone.without.insert(WHOLE_MAIL);
        }
        let beside: Vec<_> = zone.rules.iter().map(|rule| rule.what.clone()).collect();
        for rule in &mut zone.rules {
            let address = emit::rule_address(&rule.what, beside.iter());
            if differs.contains(&address) || differs.contains(&rule.what.address()) {
                any |= further(rule, WHY);
            }
        }
        for setting in &mut zone.settings {
            if differs.contains(&setting.what.address()) {
                any |= further(setting, WHY);
            }
        }
    }
    any
}

/// The address by which a rule that is left out is spoken of, when its name may be.
pub(super) fn address_of(rule: &Rule) -> Address {
    if emit::is_unspeakable(rule) && rule.reference.is_none() {
        return Address::in_zone(&rule.zone, rule.kind.as_str(), "name-withheld");
    }
    rule.address()
}

fn finish(zones: &[EmittedZone], emitted: Emitted, notes: Vec<String>) -> Imported {
    let mut left_out: Vec<(Address, String)> = Vec::new();
    let (mut sets, mut rules) = (0, 0);
    let settings: BTreeSet<_> = emitted
        .parts
        .values()
        .filter(|(_, part)| matches!(part, Part::Setting(_)))
        .collect();
    for zone in zones {
        for set in &zone.sets {
            match &set.form {
                Form::Comment(reason) => left_out.push((set.what.address(), reason.clone())),
                Form::Words | Form::Raw => sets += 1,
            }
        }
        for rule in &zone.rules {
            match &rule.form {
                Form::Comment(reason) => left_out.push((address_of(&rule.what), reason.clone())),
                Form::Words | Form::Raw => rules += 1,
            }
        }
        for setting in &zone.settings {
            if let Form::Comment(reason) = &setting.form {
                left_out.push((setting.what.address(), reason.clone()));
            }
        }
    }
    let declared = vec![(sets, "record set"), (rules, "rule"), (settings.len(), "setting")];
    Imported {
        declared: declared
            .into_iter()
            .filter(|(number, word)| *number > 0 || *word == "record set")
            .collect(),
        to_be_set: Vec::new(),
        text: emitted.text,
        left_out,
        notes,
    }
}
