//! One rule, checked as the rulesets API checks it, and filled in with its defaults (facts §5.2, §5.4). Every refusal
//! says where in the body it is; most carry no code, because none is documented.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::envelope::Refusal;
use super::super::plan::Plan;
use super::expression::{self, Goal, Setting};
use super::phases::Phase;
use super::{parameters, ratelimit};

/// A refusal that points at its place and has no code.
pub(super) fn invalid(pointer: &str, message: impl Into<String>) -> Refusal {
    Refusal::new(400, 0, message).at(pointer)
}

/// What a rule is held against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) phase: &'static Phase,
    pub(super) plan: Plan,
    /// The names of the account's lists.
    pub(super) lists: &'a BTreeSet<String>,
    /// The names of those that hold redirects.
    pub(super) redirect_lists: &'a BTreeSet<String>,
}

/// A rule as a request brings it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Brought {
    pub(super) id: Option<String>,
    pub(super) reference: Option<String>,
    /// What the rule says, defaults filled in.
    pub(super) body: Map<String, Value>,
}

/// What may stand in a rule. What only the server says is read past.
const KEYS: &[&str] = &[
    "id",
    "ref",
    "version",
    "last_updated",
    "categories",
    "action",
    "action_parameters",
    "expression",
    "description",
    "enabled",
    "logging",
    "ratelimit",
    "exposed_credential_check",
];

/// Checks the rule at this place in the body.
pub(super) fn rule(fields: &Map<String, Value>, at: &str, context: Context<'_>) -> Result<Brought, Refusal> {
    let part = Part::new(fields, at);
    part.only(KEYS)?;
    let action = part.required_text("action")?;
    let phase = context.phase;
    if !phase.actions.contains(&action) {
        let words = format!(
            "'{action}' is not a valid value for action because the action is not allowed in phase {}",
            phase.name
        );
        return Err(invalid(&part.place("action"), words));
    }
    if action == "log" && context.plan < Plan::Enterprise {
        let words = "not entitled to use the action log, an Enterprise plan is required";
        return Err(invalid(&part.place("action"), words));
    }
    let filter = part.required_text("expression")?;
    let uses = part.expression("expression", filter, Goal::Filter, context)?;
    let enabled = part.flag("enabled")?.unwrap_or(true);
    let description = part.text("description")?.unwrap_or_default();
    let mut body = Map::new();
    body.insert("action".to_owned(), json!(action));
    if let Some(parameters) = parameters::check(action, &part, context)? {
        body.insert("action_parameters".to_owned(), Value::Object(parameters));
    }
    body.insert("expression".to_owned(), json!(filter));
    body.insert("description".to_owned(), json!(description));
    body.insert("enabled".to_owned(), json!(enabled));
    if let Some(logging) = part.part("logging")? {
        logging.only(&["enabled"])?;
        let enabled = logging.flag("enabled")?.unwrap_or(true);
        body.insert("logging".to_owned(), json!({ "enabled": enabled }));
    }
    let is_limit = phase.name == "http_ratelimit";
    match part.part("ratelimit")? {
        Some(limit) if is_limit => {
            let limit = ratelimit::check(&limit, &uses, context)?;
            body.insert("ratelimit".to_owned(), Value::Object(limit));
        }
        Some(limit) => return Err(invalid(&limit.at, "ratelimit is not allowed in this phase")),
        None if is_limit => return Err(invalid(&part.place("ratelimit"), "ratelimit is required")),
        None => {}
    }
    if let Some(check) = part.part("exposed_credential_check")? {
        body.insert(
            "exposed_credential_check".to_owned(),
            Value::Object(check.fields.clone()),
        );
    }
    let reference = part.text("ref")?.map(str::to_owned);
    if reference.as_deref() == Some("") {
        return Err(invalid(&part.place("ref"), "ref must not be empty"));
    }
    Ok(Brought {
        id: part.text("id")?.map(str::to_owned),
        reference,
        body,
    })
}

/// An object within a body, and where it is.
#[derive(Debug, Clone)]
pub(super) struct Part<'a> {
    pub(super) fields: &'a Map<String, Value>,
    pub(super) at: String,
}

impl<'a> Part<'a> {
    pub(super) fn new(fields: &'a Map<String, Value>, at: impl Into<String>) -> Self {
        Self { fields, at: at.into() }
    }

    /// The place of a field.
    pub(super) fn place(&self, key: &str) -> String {
        format!("{}/{key}", self.at)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    /// Nothing but these.
    pub(super) fn only(&self, keys: &[&str]) -> Result<(), Refusal> {
        match self.fields.keys().find(|key| !keys.contains(&key.as_str())) {
            Some(key) => Err(invalid(&self.place(key), format!("unknown field '{key}'"))),
            None => Ok(()),
        }
    }

    /// Exactly one of these.
    pub(super) fn one_of(&self, keys: &[&'static str]) -> Result<&'static str, Refusal> {
        let mut there = keys.iter().filter(|key| self.has(key));
        match (there.next(), there.next()) {
            (Some(key), None) => Ok(key),
            _ => Err(invalid(
                &self.at,
                format!("exactly one of {} is required", keys.join(", ")),
            )),
        }
    }

    fn of<T>(&self, key: &str, what: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Result<Option<T>, Refusal> {
        let Some(value) = self.fields.get(key) else {
            return Ok(None);
        };
        let wrong = || invalid(&self.place(key), format!("{key} must be {what}"));
        read(value).map(Some).ok_or_else(wrong)
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, Refusal> {
        self.of(key, "a string", Value::as_str)
    }

    pub(super) fn required_text(&self, key: &str) -> Result<&'a str, Refusal> {
        let text = self.text(key)?;
        text.ok_or_else(|| invalid(&self.place(key), format!("{key} is required")))
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, Refusal> {
        self.of(key, "a boolean", Value::as_bool)
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<i64>, Refusal> {
        self.of(key, "an integer", Value::as_i64)
    }

    pub(super) fn list(&self, key: &str) -> Result<Option<&'a Vec<Value>>, Refusal> {
        self.of(key, "an array", Value::as_array)
    }

    pub(super) fn part(&self, key: &str) -> Result<Option<Part<'a>>, Refusal> {
        let fields = self.of(key, "an object", Value::as_object)?;
        Ok(fields.map(|fields| Part::new(fields, self.place(key))))
    }

    pub(super) fn required_part(&self, key: &str) -> Result<Part<'a>, Refusal> {
        let part = self.part(key)?;
        part.ok_or_else(|| invalid(&self.place(key), format!("{key} is required")))
    }

    /// One of some words, if it is there.
    pub(super) fn word(&self, key: &str, words: &[&str]) -> Result<Option<&'a str>, Refusal> {
        let word = self.text(key)?;
        match word {
            Some(word) if !words.contains(&word) => Err(self.not_valid(key, word)),
            word => Ok(word),
        }
    }

    /// A number between two, if it is there.
    pub(super) fn between(&self, key: &str, least: i64, most: i64) -> Result<Option<i64>, Refusal> {
        match self.number(key)? {
            Some(number) if !(least..=most).contains(&number) => Err(self.not_valid(key, &number.to_string())),
            number => Ok(number),
        }
    }

    pub(super) fn not_valid(&self, key: &str, value: &str) -> Refusal {
        invalid(&self.place(key), format!("'{value}' is not a valid value for {key}"))
    }

    /// An expression in this field.
    pub(super) fn expression(
        &self,
        key: &str,
        text: &str,
        goal: Goal,
        context: Context<'_>,
    ) -> Result<expression::Uses, Refusal> {
        let setting = Setting {
            goal,
            plan: context.plan,
            has_response: context.phase.has_response,
        };
        let wrong = |why: String| {
            let words = format!("'{text}' is not a valid value for {key} because the expression is invalid: {why}");
            invalid(&self.place(key), words)
        };
        let uses = expression::check(text, setting).map_err(wrong)?;
        match uses.lists.iter().find(|name| !context.lists.contains(*name)) {
            Some(name) => Err(wrong(format!("could not find list {name}"))),
            None => Ok(uses),
        }
    }

    /// `{value}` or `{expression}`, one of them.
    pub(super) fn given(&self, context: Context<'_>) -> Result<(), Refusal> {
        self.only(&["value", "expression"])?;
        if self.one_of(&["value", "expression"])? == "value" {
            return self.required_text("value").map(|_| ());
        }
        let text = self.required_text("expression")?;
        self.expression("expression", text, Goal::Value, context).map(|_| ())
    }
}
