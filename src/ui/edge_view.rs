//! Rules, settings and zones in a few words, and what changes in them.

use serde_json::Value;

use crate::base::text::{self, sanitize};
use crate::model::resource::Resource;
use crate::model::rule::{Destination, HeaderChange, Lifetime, Place, Rule, RuleAction, slug};
use crate::model::ttl::Ttl;
use crate::plan::{Action, Change};
use crate::ui::canvas::{Words, style};
use crate::ui::list_view;
use crate::ui::record_view::{arrow, changed_value};

/// What a change of one of these says, line by line.
pub fn lines(change: &Change, colour: bool) -> Vec<Words> {
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    let mut lines = match (before, after) {
        (Some(Resource::Rule(before)), Some(Resource::Rule(after))) => changed_rule(before, after, colour),
        (Some(Resource::Rule(rule)), None) | (None, Some(Resource::Rule(rule))) => whole_rule(rule),
        (Some(Resource::Setting(before)), Some(Resource::Setting(after))) => {
            changed_setting(&before.value, &after.value)
        }
        (Some(Resource::RedirectList(_)), _) | (_, Some(Resource::RedirectList(_))) => {
            let list = |side: Option<&'_ Resource>| side.and_then(Resource::as_redirect_list).cloned();
            list_view::lines(list(before).as_ref(), list(after).as_ref(), colour)
        }
        (Some(Resource::Setting(setting)), None) | (None, Some(Resource::Setting(setting))) => {
            vec![Words::of(style::PLAIN, json(&setting.value))]
        }
        (None, Some(Resource::Zone(_))) => vec![Words::of(
            style::PLAIN,
            "the zone itself; its name servers are told once it is there",
        )],
        _ => Vec::new(),
    };
    if change.action() != Action::Create {
        let reason = Words::of(style::DIM, format!("({})", sanitize(&change.reason)));
        match lines.as_mut_slice() {
            // A setting is short: its reason stands beside it.
            [one] if change.address.kind() == "setting" => {
                *one = std::mem::take(one).and(style::PLAIN, "  ").join(reason);
            }
            _ => lines.push(reason),
        }
    }
    lines
}

/// One of these in one line, for places where there is no more room.
pub fn brief(resource: &Resource) -> Option<String> {
    match resource {
        Resource::Rule(rule) => {
            let facts = facts(rule).into_iter().filter(|fact| fact.label != NAMED);
            let mut words: Vec<String> = facts.map(|fact| fact.words()).collect();
            words.extend(rule.place.as_ref().and_then(place));
            Some(words.join("; "))
        }
        Resource::RedirectList(list) => Some(list_view::brief(list)),
        Resource::Setting(setting) => Some(json(&setting.value)),
        Resource::Zone(_) => Some("the zone itself".to_owned()),
        Resource::RecordSet(_) | Resource::Monitor(_) | Resource::Contact(_) | Resource::Maintenance(_) => None,
    }
}

/// One thing that a rule says.
#[derive(Debug, PartialEq)]
struct Fact {
    /// The word for it.
    label: String,
    /// What it is.
    value: String,
    /// Whether it is worth a line of its own.
    is_line: bool,
}

/// The word before a name.
const NAMED: &str = "named";

impl Fact {
    fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            value: value.into(),
            is_line: false,
        }
    }

    fn line(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            is_line: true,
            ..Self::new(label, value)
        }
    }

    fn words(&self) -> String {
        match (self.label.as_str(), self.value.as_str()) {
            (label, "") => label.to_owned(),
            ("", value) => value.to_owned(),
            (label, value) => format!("{label} {value}"),
        }
    }
}

fn whole_rule(rule: &Rule) -> Vec<Words> {
    let mut lines = Vec::new();
    let mut rest: Vec<String> = Vec::new();
    for fact in facts(rule) {
        if fact.is_line {
            lines.push(Words::of(style::DIM, format!("{} ", fact.label)).and(style::PLAIN, fact.value));
        } else if fact.label != NAMED || slug(&rule.name) != rule.key {
            rest.push(fact.words());
        }
    }
    rest.extend(rule.place.as_ref().and_then(place));
    if !rest.is_empty() {
        lines.push(Words::of(style::PLAIN, rest.join(", ")));
    }
    lines
}

/// Where a rule stands, unless it stands first: that needs no words.
fn place(place: &Place) -> Option<String> {
    match place {
        Place::After(key) => Some(format!("behind {}", sanitize(key))),
        Place::First | Place::Declared(_) => None,
    }
}

fn changed_rule(before: &Rule, after: &Rule, colour: bool) -> Vec<Words> {
    let (old, new) = (facts(before), facts(after));
    let mut labels: Vec<&str> = Vec::new();
    for fact in old.iter().chain(&new) {
        if !labels.contains(&fact.label.as_str()) {
            labels.push(&fact.label);
        }
    }
    let mut lines = Vec::new();
    for label in labels {
        let of = |facts: &[Fact]| {
            facts
                .iter()
                .find(|fact| fact.label == label)
                .map(|fact| fact.value.clone())
        };
        let (old, new) = (of(&old), of(&new));
        if old == new {
            continue;
        }
        let shown = |side: Option<String>| match side {
            None => "nothing".to_owned(),
            Some(value) if value.is_empty() => "yes".to_owned(),
            Some(value) => value,
        };
        let space = if label.is_empty() { "" } else { " " };
        let words = Words::of(style::DIM, format!("{label}{space}"));
        lines.push(words.join(changed_value(&shown(old), &shown(new), colour)));
    }
    if let Some(to) = &after.place {
        let word = |place: Option<&Place>| match place {
            Some(Place::After(key)) => format!("behind {}", sanitize(key)),
            _ => "first".to_owned(),
        };
        lines.push(Words::of(style::DIM, "moved ").join(arrow(&word(before.place.as_ref()), &word(Some(to)))));
    }
    lines
}

/// What a rule says, each thing with a word for it.
fn facts(rule: &Rule) -> Vec<Fact> {
    let clean = |text: &str| sanitize(text).into_owned();
    let when = match rule.expression.as_str() {
        "true" => "every request".to_owned(),
        expression => clean(expression),
    };
    let mut facts = vec![Fact::line("for", when)];
    match &rule.action {
        RuleAction::Redirect { to, status, keep_query } => {
            let (Destination::Url(to) | Destination::Expression(to)) = to;
            facts.push(Fact::line("to", clean(to)));
            facts.push(Fact::new("status", status.to_string()));
            facts.push(Fact::new("query", if *keep_query { "kept" } else { "dropped" }));
        }
        RuleAction::Cache {
            eligible,
            edge,
            browser,
        } => {
            if let Some(eligible) = eligible {
                facts.push(Fact::new("", if *eligible { "cached" } else { "never cached" }));
            }
            facts.extend(edge.map(|lifetime| Fact::new("edge", self::lifetime(lifetime))));
            facts.extend(browser.map(|lifetime| Fact::new("browser", self::lifetime(lifetime))));
        }
        RuleAction::Headers { changes } => {
            facts.extend(changes.iter().map(|(name, change)| {
                let (word, value) = match change {
                    HeaderChange::Set(value) => ("set", clean(value)),
                    HeaderChange::SetExpression(expression) => ("set", format!("= {}", sanitize(expression))),
                    HeaderChange::Add(value) => ("add", clean(value)),
                    HeaderChange::Remove => ("remove", String::new()),
                };
                Fact::line(format!("{word} {}", sanitize(name)), value)
            }));
        }
        RuleAction::Limit {
            verdict,
            by,
            requests,
            period,
            block_for,
        } => {
            let requests = text::count(usize::try_from(*requests).unwrap_or(usize::MAX), "request");
            facts.push(Fact::new("", format!("{requests} in {}", time(*period))));
            facts.push(Fact::new("by", clean(&by.join(" "))));
            facts.push(Fact::new(
                "then",
                format!("{} for {}", sanitize(verdict), time(*block_for)),
            ));
        }
        RuleAction::Filter { verdict } => facts.push(Fact::new("", clean(verdict))),
        RuleAction::Configure { settings } => {
            facts.extend(settings.iter().map(|(id, value)| Fact::new(clean(id), json(value))));
        }
        RuleAction::Other { fields } => facts.push(Fact::new("", json(&Value::Object(fields.clone())))),
    }
    if !rule.enabled {
        facts.push(Fact::new("switched off", ""));
    }
    facts.push(Fact::new(NAMED, format!("\"{}\"", sanitize(&rule.name))));
    facts
}

fn time(seconds: u32) -> String {
    Ttl::Seconds(seconds).to_string()
}

fn lifetime(lifetime: Lifetime) -> String {
    match lifetime {
        Lifetime::RespectOrigin => "as the origin says".to_owned(),
        Lifetime::OriginOrNot => "as the origin says or not at all".to_owned(),
        Lifetime::Bypass => "not at all".to_owned(),
        Lifetime::Seconds(seconds) => time(seconds),
    }
}

fn changed_setting(before: &Value, after: &Value) -> Vec<Words> {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return vec![arrow(&json(before), &json(after))];
    };
    let mut keys: Vec<&String> = new.keys().collect();
    keys.extend(old.keys().filter(|key| !new.contains_key(*key)));
    let shown =
        |side: &serde_json::Map<String, Value>, key: &String| side.get(key).map_or_else(|| "nothing".to_owned(), json);
    keys.into_iter()
        .filter(|key| old.get(*key) != new.get(*key))
        .map(|key| {
            let label = Words::of(style::DIM, format!("{} ", sanitize(key)));
            label.join(arrow(&shown(old, key), &shown(new, key)))
        })
        .collect()
}

/// A value as a person would write it.
fn json(value: &Value) -> String {
    match value {
        Value::String(word) => sanitize(word).into_owned(),
        Value::Object(map) => {
            let pairs: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{}: {}", sanitize(key), json(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
