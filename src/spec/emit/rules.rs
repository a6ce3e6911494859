//! Rules as entries: in the words of the language where the provider's language says nothing more, else with the
//! expression as it is.

use std::collections::BTreeMap;

use super::page::{Page, Yaml};
use super::secrets;
use super::{EmittedZone, Form, Item, Part};
use crate::model::address::Address;
use crate::model::capability::{CompiledRedirect, Edge};
use crate::model::matching::Match;
use crate::model::rule::{Destination, HeaderChange, Lifetime, Rule, RuleAction, RuleKind, slug};
use crate::model::ttl::Ttl;

/// The lists of a zone.
pub(super) fn emit(at: usize, zone: &EmittedZone, lists: &[(RuleKind, &str)], page: &mut Page) {
    let Some(edge) = zone.provider.edge else { return };
    let named = named(zone.rules.iter().map(|rule| &rule.what));
    for (kind, key) in lists {
        let of_kind = |(_, rule): &(usize, &super::Written<Rule>)| rule.what.kind == *kind;
        let rules: Vec<_> = zone.rules.iter().enumerate().filter(of_kind).collect();
        if rules.is_empty() {
            continue;
        }
        page.line("");
        let is_declared = |form: &Form| !matches!(form, Form::Comment(_));
        let key = if rules.iter().any(|(_, rule)| is_declared(&rule.form)) {
            format!("    {key}:")
        } else {
            format!("    # {key}:")
        };
        page.line(&key);
        for (index, rule) in rules {
            match &rule.form {
                Form::Comment(reason) => page.aside(&shown(&rule.what), reason, 6),
                form => {
                    let entry = entry(&rule.what, *form == Form::Words, edge, &named);
                    page.item(&entry, 6, Some((at, Part::Rule(index))));
                }
            }
        }
    }
}

/// How many rules of a list a name would mean.
type Named = BTreeMap<(RuleKind, String), usize>;

fn named<'r>(rules: impl Iterator<Item = &'r Rule>) -> Named {
    let mut named = Named::new();
    for rule in rules {
        let by_name = slug(&rule.name);
        // One of ours is known by its key, whatever somebody called it since.
        let known = if rule.reference.is_none() { &rule.key } else { &by_name };
        *named.entry((rule.kind, known.clone())).or_default() += 1;
    }
    named
}

/// A rule as an item for a spec that is there, or what stands against it. `beside` are all rules of the zone, and those
/// that the spec has.
pub fn item<'r>(rule: &Rule, form: &Form, edge: &Edge, beside: impl Iterator<Item = &'r Rule>) -> Result<Item, String> {
    if let Some(why) = credential(rule) {
        return Err(why);
    }
    let entry = entry(rule, *form == Form::Words, edge, &named(beside));
    Ok(Item::of(&entry, 6))
}

fn entry(rule: &Rule, in_words: bool, edge: &Edge, named: &Named) -> Yaml {
    let mut entry: Vec<(String, Yaml)> = vec![("name".into(), Yaml::text(&rule.name))];
    let key = slug(&rule.name);
    let is_told = match rule.reference {
        None => key == rule.key,
        Some(_) => !key.is_empty() && named.get(&(rule.kind, key)) == Some(&1),
    };
    if !is_told {
        entry.push(("ref".into(), Yaml::text(&(edge.reference)(rule))));
    }
    let written = rule.writing.as_ref().unwrap_or(&rule.expression);
    match &rule.action {
        RuleAction::Redirect { to, status, keep_query } => {
            redirect(rule, in_words, edge, (to, *keep_query), &mut entry);
            let at = entry
                .iter()
                .position(|(key, _)| key == "keep_query")
                .unwrap_or(entry.len());
            entry.insert(at, ("status".into(), Yaml::word(status)));
        }
        RuleAction::Headers { .. } if in_words && written == "true" => {}
        _ => {
            let found = if in_words {
                (edge.matched)(&rule.expression)
            } else {
                None
            };
            let matching = found.unwrap_or_else(|| Match {
                expression: Some(written.clone()),
                ..Match::default()
            });
            entry.push(("match".into(), matching_of(&matching)));
        }
    }
    action(&rule.action, edge, &mut entry);
    if !rule.enabled {
        entry.push(("enabled".into(), Yaml::word("false")));
    }
    Yaml::Map(entry)
}

fn redirect(
    rule: &Rule,
    in_words: bool,
    edge: &Edge,
    (to, keep_query): (&Destination, bool),
    entry: &mut Vec<(String, Yaml)>,
) {
    let compiled = CompiledRedirect {
        expression: rule.expression.clone(),
        to: to.clone(),
        keep_query,
    };
    let found = if in_words { (edge.redirected)(&compiled) } else { None };
    let keep_query = if let Some((from, to, keep_query)) = found {
        entry.push(("from".into(), Yaml::text(&from)));
        entry.push(("to".into(), with_captures(&to)));
        keep_query
    } else {
        let written = rule.writing.as_ref().unwrap_or(&rule.expression);
        entry.push(("expression".into(), Yaml::text(written)));
        entry.push(match to {
            Destination::Url(url) => ("to".into(), Yaml::text(url)),
            Destination::Expression(expression) => ("to_expression".into(), Yaml::text(expression)),
        });
        keep_query
    };
    if keep_query {
        entry.push(("keep_query".into(), Yaml::word("true")));
    }
}

/// A target, whose captures are the language's own and no variables.
fn with_captures(to: &str) -> Yaml {
    let is_capture = |at: usize| {
        let inner = to[at + 2..].split('}').next().unwrap_or_default();
        !inner.is_empty() && inner.bytes().all(|b| b.is_ascii_digit())
    };
    match Yaml::text(to) {
        Yaml::Scalar(text) if to.match_indices("${").all(|(at, _)| is_capture(at)) => {
            Yaml::Scalar(text.replace("$${", "${"))
        }
        other => other,
    }
}

fn matching_of(matching: &Match) -> Yaml {
    let mut entries: Vec<(String, Yaml)> = Vec::new();
    for (key, values) in [("host", &matching.hosts), ("path", &matching.paths)] {
        let mut values: Vec<Yaml> = values.iter().map(|value| Yaml::text(value)).collect();
        match values.len() {
            0 => {}
            1 => entries.extend(values.pop().map(|one| (key.into(), one))),
            _ => entries.push((key.into(), Yaml::List(values))),
        }
    }
    if !matching.methods.is_empty() {
        let methods = matching.methods.iter().map(|method| Yaml::text(method)).collect();
        entries.push(("methods".into(), Yaml::List(methods)));
    }
    if let Some(not) = &matching.not {
        entries.push(("not".into(), matching_of(not)));
    }
    if let Some(expression) = &matching.expression {
        entries.push(("expression".into(), Yaml::text(expression)));
    }
    Yaml::Map(entries)
}

fn action(action: &RuleAction, edge: &Edge, entry: &mut Vec<(String, Yaml)>) {
    let mut push = |key: &str, value: Yaml| entry.push((key.to_owned(), value));
    match action {
        RuleAction::Cache {
            eligible,
            edge,
            browser,
        } => {
            let bypass = *eligible == Some(false);
            if bypass || (edge.is_none() && browser.is_none()) {
                push("bypass", Yaml::word(bypass));
            }
            let both = Some(Lifetime::RespectOrigin);
            if (*edge, *browser) == (both, both) {
                push("respect_origin", Yaml::word("true"));
            } else {
                for (key, lifetime) in [("edge_ttl", edge), ("browser_ttl", browser)] {
                    if let Some(lifetime) = lifetime {
                        push(key, Yaml::word(lifetime_word(*lifetime)));
                    }
                }
            }
        }
        RuleAction::Headers { changes } => headers(changes, entry),
        RuleAction::Limit {
            verdict,
            by,
            requests,
            period,
            block_for,
        } => {
            push("requests", Yaml::word(requests));
            push("per", Yaml::word(Ttl::Seconds(*period)));
            push("block_for", Yaml::word(Ttl::Seconds(*block_for)));
            if by.iter().map(String::as_str).ne(edge.limit_by.iter().copied()) {
                push("by", Yaml::List(by.iter().map(|what| Yaml::text(what)).collect()));
            }
            if verdict != "block" {
                push("action", Yaml::text(verdict));
            }
        }
        RuleAction::Filter { verdict } => push("action", Yaml::text(verdict)),
        RuleAction::Configure { settings } => {
            let settings = settings.iter().map(|(id, value)| (id.clone(), Yaml::json(value)));
            push("set", Yaml::Map(settings.collect()));
        }
        RuleAction::Redirect { .. } | RuleAction::Other { .. } => {}
    }
}

fn headers(changes: &BTreeMap<String, HeaderChange>, entry: &mut Vec<(String, Yaml)>) {
    let with = |of: &dyn Fn(&HeaderChange) -> Option<String>| -> Vec<(String, Yaml)> {
        let found = changes.iter().filter_map(|(name, change)| Some((name, of(change)?)));
        found
            .map(|(name, value)| (super::page::scalar(name), Yaml::text(&value)))
            .collect()
    };
    let set = with(&|change| match change {
        HeaderChange::Set(value) => Some(value.clone()),
        _ => None,
    });
    let computed = with(&|change| match change {
        HeaderChange::SetExpression(value) => Some(value.clone()),
        _ => None,
    });
    let add = with(&|change| match change {
        HeaderChange::Add(value) => Some(value.clone()),
        _ => None,
    });
    for (key, table) in [("set", set), ("set_expression", computed), ("add", add)] {
        if !table.is_empty() {
            entry.push((key.to_owned(), Yaml::Map(table)));
        }
    }
    let removed = changes.iter().filter(|(_, change)| **change == HeaderChange::Remove);
    let removed: Vec<Yaml> = removed.map(|(name, _)| Yaml::text(name)).collect();
    if !removed.is_empty() {
        entry.push(("remove".to_owned(), Yaml::List(removed)));
    }
}

fn lifetime_word(lifetime: Lifetime) -> String {
    match lifetime {
        Lifetime::RespectOrigin => "respect_origin".to_owned(),
        Lifetime::OriginOrNot => "origin_or_not".to_owned(),
        Lifetime::Bypass => "bypass".to_owned(),
        Lifetime::Seconds(seconds) => Ttl::Seconds(seconds).to_string(),
    }
}

/// What a person needs to find a rule again that is only a comment.
fn shown(rule: &Rule) -> Yaml {
    let text = |text: &str| Yaml::text(&super::page::one_line(text));
    if let Some(found) = secrets::of_rule(rule) {
        let name = if found.in_name { "…" } else { rule.name.as_str() };
        return Yaml::Map(vec![
            ("name".to_owned(), text(name)),
            ("kind".to_owned(), text(rule.kind.noun())),
        ]);
    }
    let mut entries = vec![
        ("name".to_owned(), text(&rule.name)),
        (
            "expression".to_owned(),
            text(rule.writing.as_ref().unwrap_or(&rule.expression)),
        ),
    ];
    if let RuleAction::Other { fields } = &rule.action
        && let Some(action) = fields.get("action").and_then(serde_json::Value::as_str)
    {
        entries.insert(1, ("action".to_owned(), text(action)));
    }
    Yaml::Map(entries)
}

/// Why a rule is not written down that holds a credential.
fn credential(rule: &Rule) -> Option<String> {
    let found = secrets::of_rule(rule)?;
    Some(format!(
        "it holds what looks like a credential ({}), and a rule that a spec declares stands in plans and in the history; \
         with `unmanaged: delete` it would be deleted",
        found.about
    ))
}

/// Whether the name of a rule holds what looks like a credential, so that nothing that is made from it may be shown.
pub fn is_unspeakable(rule: &Rule) -> bool {
    secrets::of_rule(rule).is_some_and(|found| found.in_name)
}

/// Why a rule cannot be said, if that is known beforehand.
pub fn objection(rule: &Rule) -> Option<String> {
    if let Some(why) = credential(rule) {
        return Some(why);
    }
    match &rule.action {
        RuleAction::Other { fields } => {
            let word = |value: &serde_json::Value| value.as_str().map(|word| crate::base::text::shorten(word, 60));
            let action = fields.get("action").and_then(word).unwrap_or_default();
            let about: Vec<String> = fields
                .get("action_parameters")
                .and_then(serde_json::Value::as_object)
                .into_iter()
                .flat_map(|parameters| parameters.keys().take(6).cloned())
                .collect();
            let about = match about.as_slice() {
                [] => String::new(),
                about => format!(" with {}", crate::base::text::list(about)),
            };
            Some(format!("what it does (`{action}`{about}) has no words in a spec"))
        }
        RuleAction::Cache { eligible: None, .. } => {
            Some("it says nothing of whether these requests are cached at all".to_owned())
        }
        _ => None,
    }
}

/// The rule's address in a spec that has it as an item of [`item`], beside `beside`.
pub fn address<'r>(rule: &Rule, beside: impl Iterator<Item = &'r Rule>) -> Address {
    let key = slug(&rule.name);
    let is_told =
        rule.reference.is_some() && !key.is_empty() && named(beside).get(&(rule.kind, key.clone())) == Some(&1);
    let key = if is_told { &key } else { &rule.key };
    Address::in_zone(&rule.zone, rule.kind.as_str(), key)
}
