//! Presets known again from records: templates read backwards. A selector's name alone proves nothing (`s1`, `k1` and
//! `mail` belong to many), so a preset is recognised only by its hosts, or by all of its records together.

use std::collections::BTreeMap;

use super::compile::{Values, derived};
use super::{Parameter, Preset, Role, Shape, Template, When, all};
use crate::mail::dkim;
use crate::mail::spf::{self, Record};
use crate::model::name::DomainName;
use crate::model::record::RecordData;

/// A preset that is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// Which.
    pub preset: &'static Preset,
    /// Whether the domain receives through it.
    pub receives: bool,
    /// Whether the domain sends through it.
    pub sends: bool,
    /// The values that its records were made with.
    pub values: Values,
    /// Which of the records given are its own, by their places.
    pub records: Vec<usize>,
}

/// The preset to which a host belongs: at or below one of its names, the longest of all.
pub fn provider_of(host: &DomainName) -> Option<&'static Preset> {
    all()
        .flat_map(|preset| preset.hosts.iter().map(move |suffix| (preset, *suffix)))
        .filter(|(_, suffix)| DomainName::parse(suffix).is_ok_and(|suffix| host.is_within(&suffix)))
        .max_by_key(|(_, suffix)| suffix.len())
        .map(|(preset, _)| preset)
}

/// The presets that the records of `domain` were made from.
pub fn recognise(domain: &DomainName, records: &[(DomainName, RecordData)]) -> Vec<Recognised> {
    let own = records
        .iter()
        .filter(|(name, _)| name == domain)
        .filter_map(|(_, data)| data.txt())
        .find(|value| spf::is_spf(value))
        .and_then(|value| spf::parse_value(value).ok());
    let mut used = vec![false; records.len()];
    let mut out = Vec::new();
    for preset in all() {
        let mut best: Option<Match<'_>> = None;
        for scenario in scenarios(preset) {
            let mut found = Match::new(preset, domain, records, &used, scenario);
            found.run(own.as_ref());
            if found.is_better_than(best.as_ref()) {
                best = Some(found);
            }
        }
        if let Some(found) = best.map(Match::finish) {
            for at in &found.records {
                used[*at] = true;
            }
            out.push(found);
        }
    }
    out
}

/// One way in which conditions can be met: the words of choices, and which optional values are given.
#[derive(Debug, Clone, Default)]
struct Scenario {
    words: BTreeMap<&'static str, &'static str>,
    given: BTreeMap<&'static str, bool>,
}

/// All ways for a preset: at most a handful, since conditions stand on few values.
fn scenarios(preset: &'static Preset) -> Vec<Scenario> {
    let mut out = vec![Scenario::default()];
    for parameter in preset.parameters {
        let conditions = || preset.receive.iter().chain(preset.send).map(|template| template.when);
        let is_chosen = conditions().any(|when| matches!(when, When::Is(key, _) if key == parameter.key));
        let is_given =
            conditions().any(|when| matches!(when, When::Given(key) | When::NotGiven(key) if key == parameter.key));
        if let (true, Shape::Choice(words)) = (is_chosen, parameter.shape) {
            out = out
                .iter()
                .flat_map(|scenario| {
                    words.iter().map(|word| {
                        let mut next = scenario.clone();
                        next.words.insert(parameter.key, word);
                        next
                    })
                })
                .collect();
        } else if is_given {
            out = out
                .iter()
                .flat_map(|scenario| {
                    [true, false].map(|given| {
                        let mut next = scenario.clone();
                        next.given.insert(parameter.key, given);
                        next
                    })
                })
                .collect();
        }
    }
    out
}

struct Match<'a> {
    preset: &'static Preset,
    domain: &'a DomainName,
    records: &'a [(DomainName, RecordData)],
    used: &'a [bool],
    scenario: Scenario,
    bound: BTreeMap<String, String>,
    taken: Vec<usize>,
    receives: bool,
    sends: bool,
}

impl<'a> Match<'a> {
    fn new(
        preset: &'static Preset,
        domain: &'a DomainName,
        records: &'a [(DomainName, RecordData)],
        used: &'a [bool],
        scenario: Scenario,
    ) -> Self {
        let words = scenario
            .words
            .iter()
            .map(|(key, word)| ((*key).to_owned(), (*word).to_owned()));
        let mut bound: BTreeMap<String, String> = words.collect();
        for key in ["domain", "dashed"] {
            bound.extend(derived(key, domain, None).map(|value| (key.to_owned(), value)));
        }
        Self {
            preset,
            domain,
            records,
            used,
            scenario,
            bound,
            taken: Vec::new(),
            receives: false,
            sends: false,
        }
    }

    fn run(&mut self, own: Option<&Record>) {
        self.receives = self.all_of(self.preset.receive, |_| true) && !self.preset.receive.is_empty();
        let terms = self.preset.spf.iter().all(|term| self.term(term, own));
        let by_spf = terms && !self.preset.spf.is_empty();
        // The include is the provider's own name and enough; without one all records have to be there.
        let needed = |template: &Template| !by_spf && template.role != Role::Verification;
        let records = self.all_of(self.preset.send, needed);
        let by_records = records && !self.preset.send.is_empty() && self.preset.spf.is_empty();
        self.sends = by_spf || by_records;
        if !self.preset.is_generated {
            self.by_hosts();
        }
        self.region();
        // What follows from other values has to agree with them.
        let region = self.bound.get("region").map(String::as_str);
        let agrees = ["ses_dkim", "mailgun_mx"].iter().all(|key| {
            let expected = derived(key, self.domain, region);
            match (self.bound.get(*key), expected) {
                (Some(found), Some(expected)) => *found == expected,
                _ => true,
            }
        });
        if !agrees {
            (self.receives, self.sends) = (false, false);
        }
    }

    /// The region, where only what follows from it was read.
    fn region(&mut self) {
        let Some(Shape::Choice(words)) = self.preset.parameter("region").map(|parameter| parameter.shape) else {
            return;
        };
        if self.bound.contains_key("region") {
            return;
        }
        let zone = self.bound.get("mailgun_mx").cloned();
        let word = words
            .iter()
            .find(|word| zone.is_some() && derived("mailgun_mx", self.domain, Some(word)) == zone);
        if let Some(word) = word {
            self.bound.insert("region".to_owned(), (*word).to_owned());
        }
    }

    /// Providers that write their records themselves are known by where the mail goes.
    fn by_hosts(&mut self) {
        for (at, (name, data)) in self.records.iter().enumerate() {
            let is_theirs = matches!(data, RecordData::Mx(_))
                && data
                    .target()
                    .and_then(provider_of)
                    .is_some_and(|found| found.id == self.preset.id);
            if name == self.domain && is_theirs && !self.used[at] {
                self.taken.push(at);
                self.receives = true;
            }
        }
    }

    fn is_wanted(&self, when: When) -> bool {
        match when {
            When::Always => true,
            When::Given(key) => self.scenario.given.get(key) == Some(&true),
            When::NotGiven(key) => self.scenario.given.get(key) == Some(&false),
            When::Is(key, word) => self.scenario.words.get(key) == Some(&word),
        }
    }

    /// Takes a record for every template that is wanted; whether all that are needed were found.
    fn all_of(&mut self, templates: &'static [Template], needed: impl Fn(&Template) -> bool) -> bool {
        let before = (self.taken.len(), self.bound.clone());
        let mut complete = true;
        for template in templates {
            if self.is_wanted(template.when) {
                complete &= self.take(template) || !needed(template);
            }
        }
        if !complete {
            self.taken.truncate(before.0);
            self.bound = before.1;
        }
        complete
    }

    fn take(&mut self, template: &Template) -> bool {
        for (at, (name, data)) in self.records.iter().enumerate() {
            if self.used[at] || self.taken.contains(&at) || data.kind() != template.kind || !name.is_within(self.domain)
            {
                continue;
            }
            let mut bound = self.bound.clone();
            let value = data.to_string();
            let key_by_itself = template.value.contains("{key}") && dkim::parse(&value).fingerprint().is_some();
            if !self.unify(template.name, name.relative_to(self.domain), &mut bound) {
                continue;
            }
            if !self.unify(template.value, &value, &mut bound) {
                if !key_by_itself {
                    continue;
                }
                bound.insert("key".to_owned(), value);
            }
            self.bound = bound;
            self.taken.push(at);
            return true;
        }
        false
    }

    /// A term of the domain's own record that the template stands for.
    fn term(&mut self, template: &str, own: Option<&Record>) -> bool {
        let Some(own) = own else {
            return false;
        };
        for (_, directive) in own.directives() {
            let mut bound = self.bound.clone();
            let text = directive.mechanism.to_string().to_ascii_lowercase();
            let host = directive.mechanism.domain().and_then(spf::DomainSpec::literal);
            let theirs = host
                .and_then(|host| DomainName::parse(&host).ok())
                .and_then(|host| provider_of(&host))
                .is_some_and(|found| found.id == self.preset.id);
            if theirs && self.unify(template, text.trim_end_matches('.'), &mut bound) {
                self.bound = bound;
                return true;
            }
        }
        false
    }

    /// Reads `text` by `pattern`; what is bound already must say the same again.
    fn unify(&self, pattern: &str, text: &str, bound: &mut BTreeMap<String, String>) -> bool {
        let Some((head, tail)) = pattern.split_once('{') else {
            return pattern == text;
        };
        let (Some(rest), Some((key, tail))) = (text.strip_prefix(head), tail.split_once('}')) else {
            return false;
        };
        if let Some(value) = bound.get(key).cloned() {
            return rest
                .strip_prefix(value.as_str())
                .is_some_and(|rest| self.unify(tail, rest, bound));
        }
        let parameter = self.preset.parameter(key);
        // The ends of all values that leave something for the rest of the pattern, shortest first.
        let first = if tail.is_empty() { rest.len() } else { 0 };
        let ends: Vec<usize> = rest
            .char_indices()
            .skip(1)
            .map(|(at, _)| at)
            .chain([rest.len()])
            .filter(|end| *end >= first)
            .collect();
        for end in ends {
            let value = &rest[..end];
            if !is_plausible(key, parameter, value) {
                continue;
            }
            let mut attempt = bound.clone();
            attempt.insert(key.to_owned(), value.to_owned());
            if self.unify(tail, &rest[end..], &mut attempt) {
                *bound = attempt;
                return true;
            }
        }
        false
    }

    fn is_better_than(&self, other: Option<&Self>) -> bool {
        let score = |found: &Self| {
            (
                usize::from(found.receives) + usize::from(found.sends),
                found.taken.len(),
            )
        };
        let own = score(self);
        own.0 > 0 && other.is_none_or(|other| own > score(other))
    }

    fn finish(self) -> Recognised {
        let preset = self.preset;
        let dashed = derived("dashed", self.domain, None).unwrap_or_default();
        let is_clear = !self.domain.as_str().contains('-');
        let mut values: Values = self.bound;
        // A word that is the default, or that only a direction not in use needs, is not worth saying.
        values.retain(|key, value| {
            preset.parameter(key).is_some_and(|parameter| match parameter.default {
                Some("{dashed}") => !is_clear || *value != dashed,
                default => default != Some(value.as_str()),
            })
        });
        if !self.receives && preset.id == "google-workspace" {
            values.remove("mx");
        }
        Recognised {
            preset,
            receives: self.receives,
            sends: self.sends,
            values,
            records: self.taken,
        }
    }
}

/// Whether a stretch of text can be the value of that key.
fn is_plausible(key: &str, parameter: Option<&Parameter>, value: &str) -> bool {
    if value.is_empty() {
        return false;
    }
    match parameter.map(|parameter| parameter.shape) {
        // A selector that has nothing of its provider's could be anybody's, unless it is the usual one.
        Some(Shape::Selector("", "")) => parameter.and_then(|parameter| parameter.default) == Some(value),
        // What is derived has dots in it and is checked afterwards.
        None => matches!(key, "ses_dkim" | "mailgun_mx"),
        Some(Shape::Label) => !value.contains(['.', '@', ' ']),
        Some(Shape::Selector(start, end)) => {
            !value.contains(['.', '@', ' ']) && value.starts_with(start) && value.ends_with(end)
        }
        Some(Shape::Host) => value.contains('.') && !value.contains(' '),
        Some(Shape::Choice(words)) => words.contains(&value),
        Some(Shape::Token) => !value.contains(' '),
        Some(Shape::Key | Shape::Text) => true,
    }
}
