//! Variables: what `${NAME}` in a spec stands for. Knows no YAML and no shape.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::base::text;

/// What `${NAME}` stands for.
#[derive(Debug, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, String>,
    /// Names that are defined, though wrongly: no second error for their use.
    broken: BTreeSet<String>,
    used: RefCell<BTreeSet<String>>,
}

/// What is wrong with a `${…}`.
pub(super) struct VariableError {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: Vec<String>,
    /// Bytes of the text that was to be filled in.
    pub(super) span: Range<usize>,
}

impl Variables {
    /// Defines a name; a later definition wins.
    pub(super) fn define(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    /// Notes a name whose definition is wrong.
    pub(super) fn mark_broken(&mut self, name: &str) {
        self.broken.insert(name.to_owned());
    }

    /// Whether a name was used.
    pub(super) fn is_used(&self, name: &str) -> bool {
        self.used.borrow().contains(name)
    }

    /// The names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// `${NAME}` becomes its value; `${1}` belongs to a redirect and stays; `$${` is `${` itself.
    pub(super) fn fill_in(&self, text: &str) -> Result<String, Vec<VariableError>> {
        let mut out = String::with_capacity(text.len());
        let mut errors = Vec::new();
        let mut known = true;
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, from) = rest.split_at(at);
            let offset = text.len() - from.len();
            if let Some(before) = before.strip_suffix('$') {
                out.push_str(before);
                out.push_str("${");
                rest = &from[2..];
                continue;
            }
            out.push_str(before);
            let Some((name, after)) = from[2..].split_once('}') else {
                errors.push(VariableError {
                    code: "bad-variable",
                    message: "this `${` is never closed".to_owned(),
                    help: vec!["write $${ for the characters themselves".to_owned()],
                    span: offset..offset + 2,
                });
                return Err(errors);
            };
            let whole = offset..offset + name.len() + 3;
            match self.value(name) {
                Ok(Some(value)) => out.push_str(&value),
                // Its definition was wrong, and that has been said.
                Ok(None) => known = false,
                Err(error) => errors.push(VariableError { span: whole, ..error }),
            }
            rest = after;
        }
        out.push_str(rest);
        if known && errors.is_empty() {
            Ok(out)
        } else {
            Err(errors)
        }
    }

    fn value(&self, name: &str) -> Result<Option<String>, VariableError> {
        if !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Some(format!("${{{name}}}")));
        }
        self.used.borrow_mut().insert(name.to_owned());
        if let Some(value) = self.values.get(name) {
            return Ok(Some(value.clone()));
        }
        if self.broken.contains(name) {
            return Ok(None);
        }
        let shown = text::shorten(&text::sanitize(name), 60);
        let mut help = Vec::new();
        if let Some(near) = text::nearest(name, self.names()) {
            help.push(format!("did you mean `${{{near}}}`?"));
        }
        if is_variable_name(name) {
            help.push(format!("define it under `vars`, or pass --var {name}=VALUE"));
        }
        Err(VariableError {
            code: "undefined-variable",
            message: format!("the variable `{shown}` is not defined"),
            help,
            span: 0..0,
        })
    }
}

/// Letters, digits, hyphens and underscores, not beginning with a digit.
pub(super) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}
