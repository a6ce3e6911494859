//! Rulesets as they are kept: rules that keep their ids as long as a request knows them, and every version that was.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::envelope::Refusal;
use super::super::world::{Ids, now};
use super::phases::{Home, Phase};
use super::validate::{Brought, invalid};

/// Versions that are kept beside the newest.
const VERSIONS: usize = 50;

/// What only the server says of a rule.
const READ_ONLY: [&str; 3] = ["version", "last_updated", "categories"];

/// The rulesets of a zone or of the account, in the order in which they were made.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::sandbox) struct Rulesets(Vec<Ruleset>);

/// The entry point of a phase.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ruleset {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) phase: String,
    kind: String,
    /// What it is now.
    pub(super) newest: Edition,
    /// What it was, oldest first.
    earlier: Vec<Edition>,
}

/// A version of a ruleset.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Edition {
    pub(super) version: u64,
    last_updated: String,
    pub(super) description: String,
    pub(super) rules: Vec<Rule>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Rule {
    pub(super) id: String,
    version: u64,
    /// `ref`: what the owner of a rule knows it by.
    pub(super) reference: String,
    last_updated: String,
    body: Map<String, Value>,
}

impl Rulesets {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Ruleset> {
        self.0.iter()
    }

    pub(super) fn by_id(&self, id: &str) -> Option<usize> {
        self.0.iter().position(|ruleset| ruleset.id == id)
    }

    pub(super) fn by_phase(&self, phase: &Phase) -> Option<usize> {
        self.0.iter().position(|ruleset| ruleset.phase == phase.name)
    }

    pub(super) fn get(&self, at: usize) -> &Ruleset {
        &self.0[at]
    }

    pub(super) fn get_mut(&mut self, at: usize) -> &mut Ruleset {
        &mut self.0[at]
    }

    pub(super) fn remove(&mut self, at: usize) {
        self.0.remove(at);
    }

    /// Puts a new one at the end; where it is.
    pub(super) fn add(&mut self, ruleset: Ruleset) -> usize {
        self.0.push(ruleset);
        self.0.len() - 1
    }

    /// Whether a rule uses a list, in its expression or to look targets up.
    pub(in crate::sandbox) fn uses_list(&self, name: &str) -> usize {
        let rules = self.0.iter().flat_map(|ruleset| &ruleset.newest.rules);
        rules.filter(|rule| rule.uses_list(name)).count()
    }

    /// Whether a rule executes this ruleset.
    pub(super) fn executes(&self, id: &str) -> bool {
        let mut rules = self.0.iter().flat_map(|ruleset| &ruleset.newest.rules);
        rules.any(|rule| {
            rule.body
                .get("action_parameters")
                .and_then(|parameters| parameters.get("id"))
                == Some(&json!(id))
        })
    }
}

impl Ruleset {
    pub(super) fn new(id: String, name: &str, phase: &Phase, home: Home, newest: Edition) -> Self {
        Self {
            id,
            name: name.to_owned(),
            phase: phase.name.to_owned(),
            kind: home.kind().to_owned(),
            newest,
            earlier: Vec::new(),
        }
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// A new version: other rules, and another description if one is said.
    pub(super) fn advance(&mut self, description: Option<&str>, rules: Vec<Rule>) {
        let description = description.unwrap_or(&self.newest.description).to_owned();
        let next = Edition {
            version: self.newest.version + 1,
            ..Edition::first(description, rules)
        };
        self.earlier.push(std::mem::replace(&mut self.newest, next));
        let surplus = self.earlier.len().saturating_sub(VERSIONS);
        self.earlier.drain(..surplus);
    }

    /// Its versions, the newest last.
    pub(super) fn editions(&self) -> impl Iterator<Item = &Edition> {
        self.earlier.iter().chain([&self.newest])
    }

    /// A version as the API shows it. The turn shuffles what has no order.
    pub(super) fn to_value(&self, edition: &Edition, with_rules: Option<usize>) -> Value {
        let mut value = json!({
            "description": edition.description, "id": self.id, "kind": self.kind,
            "last_updated": edition.last_updated, "name": self.name, "phase": self.phase,
        });
        if let Some(turn) = with_rules {
            value["rules"] = edition.rules.iter().map(|rule| rule.to_value(turn)).collect();
        }
        value["version"] = json!(edition.version.to_string());
        value
    }

    /// The ruleset as it is now, with its rules.
    pub(super) fn show(&self, turn: usize) -> Value {
        self.to_value(&self.newest, Some(turn))
    }
}

impl Edition {
    pub(super) fn first(description: String, rules: Vec<Rule>) -> Self {
        Self {
            version: 1,
            last_updated: now(),
            description,
            rules,
        }
    }
}

impl Rule {
    pub(super) fn is_enabled(&self) -> bool {
        self.body.get("enabled") != Some(&Value::Bool(false))
    }

    fn uses_list(&self, name: &str) -> bool {
        let text = self.body.get("expression").and_then(Value::as_str).unwrap_or_default();
        let dollar = format!("${name}");
        let is_named = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$'));
        let parameters = self.body.get("action_parameters");
        let list = parameters.and_then(|parameters| parameters.pointer("/from_list/name"));
        is_named.into_iter().any(|word| word == dollar) || list == Some(&json!(name))
    }

    fn to_value(&self, turn: usize) -> Value {
        let mut value = json!({ "id": self.id, "version": self.version.to_string() });
        for (key, field) in &self.body {
            value[key] = field.clone();
        }
        if let Some(Value::Array(names)) = value.pointer_mut("/ratelimit/characteristics")
            && !names.is_empty()
        {
            let by = turn % names.len();
            names.rotate_left(by);
        }
        value["last_updated"] = json!(self.last_updated);
        value["ref"] = json!(self.reference);
        value
    }

    fn made(brought: Brought, ids: &mut Ids) -> Self {
        let id = ids.next();
        Self {
            reference: brought.reference.unwrap_or_else(|| id.clone()),
            id,
            version: 1,
            last_updated: now(),
            body: brought.body,
        }
    }

    /// A rule made without any check.
    pub(super) fn forced(mut body: Map<String, Value>, ids: &mut Ids) -> Self {
        let mut text = |key: &str| match body.shift_remove(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (id, reference) = (text("id"), text("ref"));
        for key in READ_ONLY {
            text(key);
        }
        let id = id.unwrap_or_else(|| ids.next());
        Self {
            reference: reference.unwrap_or_else(|| id.clone()),
            id,
            version: 1,
            last_updated: now(),
            body,
        }
    }

    /// This rule as a request brings it back, if it does so with nothing changed.
    pub(super) fn brought_back(&self, fields: &Map<String, Value>) -> Option<Brought> {
        let text = |key: &str| fields.get(key).and_then(Value::as_str);
        let is_same = text("id") == Some(&self.id) && text("ref").is_none_or(|reference| reference == self.reference);
        let said = fields
            .iter()
            .filter(|(key, _)| !READ_ONLY.contains(&key.as_str()) && *key != "id" && *key != "ref");
        let said: Map<String, Value> = said.map(|(key, value)| (key.clone(), value.clone())).collect();
        (is_same && said == self.body).then(|| Brought {
            id: Some(self.id.clone()),
            reference: Some(self.reference.clone()),
            body: said,
        })
    }

    /// The same rule, which says something else or moves only.
    pub(super) fn with(&self, brought: Brought) -> Self {
        let reference = brought.reference.unwrap_or_else(|| self.reference.clone());
        if self.body == brought.body && self.reference == reference {
            return self.clone();
        }
        Self {
            id: self.id.clone(),
            version: self.version + 1,
            reference,
            last_updated: now(),
            body: brought.body,
        }
    }
}

/// The rules of a ruleset replaced by what a request brings: one that is known by its `ref`, or without one by its `id`,
/// stays the same rule; every other one is new. Another `ref` makes another rule.
pub(super) fn carried(before: &[Rule], brought: Vec<Brought>, ids: &mut Ids) -> Result<Vec<Rule>, Refusal> {
    let mut rules: Vec<Rule> = Vec::with_capacity(brought.len());
    for (at, brought) in brought.into_iter().enumerate() {
        let known = match (&brought.reference, &brought.id) {
            (Some(reference), _) => before.iter().find(|rule| rule.reference == *reference),
            (None, Some(id)) => before.iter().find(|rule| rule.id == *id),
            (None, None) => None,
        };
        let rule = match known {
            Some(known) => known.with(brought),
            None => Rule::made(brought, ids),
        };
        if rules.iter().any(|other| other.id == rule.id) {
            let words = format!("rule {} stands twice in the ruleset", rule.id);
            return Err(invalid(&format!("/rules/{at}/id"), words));
        }
        unique(&rules, &rule, &format!("/rules/{at}/ref"))?;
        rules.push(rule);
    }
    Ok(rules)
}

/// A rule made from what a request brings, for the rules beside it.
pub(super) fn added(beside: &[Rule], brought: Brought, ids: &mut Ids) -> Result<Rule, Refusal> {
    let rule = Rule::made(brought, ids);
    unique(beside, &rule, "/ref")?;
    Ok(rule)
}

/// No two rules of a ruleset have the same `ref`.
pub(super) fn unique<'a>(
    others: impl IntoIterator<Item = &'a Rule>,
    rule: &Rule,
    pointer: &str,
) -> Result<(), Refusal> {
    let mut others = others.into_iter();
    if others.any(|other| other.reference == rule.reference) {
        let words = format!(
            "'{}' is not a valid value for ref because it is a duplicate of another rule's ref",
            rule.reference
        );
        return Err(invalid(pointer, words));
    }
    Ok(())
}
