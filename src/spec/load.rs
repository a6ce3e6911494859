//! From text to a spec: the tree, the variables, the shapes, the model, the judgement.

use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::raw::Launch;
use super::shape::{Reader, Shape as _, entry};
use super::variables::{Variables, is_variable_name};
use super::yaml::{self, Node, Value};
use super::{Inputs, Loaded, lower};
use crate::base::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use crate::base::text;

/// How many words of a broken text are scrubbed from everything that is said later.
const MOST_SCRUBBED: usize = 64;

/// The code of findings whose place must not be shown: a private key stands there.
pub(super) const PRIVATE_KEY: &str = "private-key";

/// Reads a spec. Never fails as a call: what is wrong is among the diagnostics.
pub fn load(source: &Arc<Source>, inputs: &Inputs<'_>) -> Loaded {
    let (root, mut diagnostics) = yaml::parse(source);
    let Some(root) = root.filter(|root| root.value != Value::Null) else {
        if diagnostics.is_empty() {
            let empty = Diagnostic::error("empty-spec", "the spec is empty")
                .at(Place::new(source, 0..0))
                .help("it begins with `version: 1`; the README shows a first one");
            diagnostics.push(empty);
        }
        let masks = credentials_in_broken_text(&source.text);
        return Loaded {
            spec: None,
            diagnostics: hide(source, &masks, diagnostics),
            flatten: BTreeSet::new(),
        };
    };
    let mut variables = Variables::default();
    diagnostics.extend(define(&mut variables, &root, source, inputs));
    let mut reader = Reader::new(source, &variables);
    let raw = Launch::read(&root, &mut reader);
    diagnostics.extend(std::mem::take(&mut reader.diagnostics));
    let mut masks = std::mem::take(&mut reader.masks);
    diagnostics.extend(unused(&variables, &root, source, inputs));
    let spec = raw.map(|raw| lower::lower(&raw, source, inputs, &mut diagnostics));
    let mails = spec.iter().flat_map(|spec| spec.mail.values());
    let flatten = mails.flat_map(|mail| mail.flatten.iter().cloned()).collect();
    let spec = spec.filter(|_| !diagnostics.has_errors());
    let private = diagnostics.iter().filter(|finding| finding.code == PRIVATE_KEY);
    masks.extend(
        private
            .filter_map(|finding| finding.place.as_ref())
            .map(|place| place.range.clone()),
    );
    Loaded {
        spec,
        diagnostics: hide(source, &masks, once(diagnostics)),
        flatten,
    }
}

/// What is wrong with an entry of several values is wrong with each of them, and said once.
fn once(diagnostics: Diagnostics) -> Diagnostics {
    let mut seen = BTreeSet::new();
    diagnostics
        .into_iter()
        .filter(|finding| {
            let at = finding.place.as_ref().map(|place| (place.range.start, place.range.end));
            seen.insert((finding.code, at, finding.message.clone()))
        })
        .collect()
}

/// Defines the variables: from the spec, then from the command line.
fn define(variables: &mut Variables, root: &Node, source: &Arc<Source>, inputs: &Inputs<'_>) -> Diagnostics {
    let mut findings = Diagnostics::new();
    for (name, key_range, node) in written(root) {
        let Value::Scalar(scalar) = &node.value else {
            // The shape is wrong, and that is said when the shapes are read.
            variables.mark_broken(name);
            continue;
        };
        let at = |range: &Range<usize>| Place::new(source, range.clone());
        if !is_variable_name(name) {
            let shown = text::shorten(&text::sanitize(name), 60);
            findings.push(
                Diagnostic::error("bad-variable", format!("`{shown}` cannot be the name of a variable"))
                    .at(at(key_range))
                    .help("a name holds letters, digits, hyphens and underscores, and does not begin with a digit"),
            );
        } else if inputs.vars.contains_key(name) {
            // The command line wins, so what the spec says is not even looked at.
        } else if let Some(variable) = scalar.text.strip_prefix("env:") {
            match (inputs.env)(variable) {
                Some(value) => variables.define(name, &value),
                None => {
                    variables.mark_broken(name);
                    let shown = text::shorten(&text::sanitize(variable), 60);
                    findings.push(
                        Diagnostic::error(
                            "unset-environment",
                            format!("the environment variable {shown} is not set"),
                        )
                        .at(at(&node.range))
                        .help(format!("set it, or pass --var {name}=VALUE")),
                    );
                }
            }
        } else if scalar.text.contains("${") && !scalar.text.contains("$${") {
            variables.mark_broken(name);
            findings.push(
                Diagnostic::error(
                    "bad-variable",
                    "a variable's value is written out: no other is filled in here",
                )
                .at(at(&node.range)),
            );
        } else {
            variables.define(name, &scalar.text);
        }
    }
    for (name, value) in inputs.vars {
        variables.define(name, value);
    }
    findings
}

/// The names under `vars`, with their places and values.
fn written(root: &Node) -> Vec<(&str, &Range<usize>, &Rc<Node>)> {
    let Some(vars) = entry(root, "vars") else {
        return Vec::new();
    };
    match &vars.value {
        Value::Mapping(entries) => entries
            .iter()
            .map(|entry| (entry.key.text.as_str(), &entry.key_range, &entry.value))
            .collect(),
        _ => Vec::new(),
    }
}

/// Variables that nobody asks for: in the spec a slip to look at, on the command line a slip that must not pass.
fn unused(variables: &Variables, root: &Node, source: &Arc<Source>, inputs: &Inputs<'_>) -> Diagnostics {
    let mut findings = Diagnostics::new();
    let written = written(root);
    for (name, key_range, _) in &written {
        if !variables.is_used(name) && is_variable_name(name) {
            findings.push(
                Diagnostic::warning("unused-variable", format!("the variable `{name}` is never used"))
                    .at(Place::new(source, (*key_range).clone())),
            );
        }
    }
    let known: BTreeSet<&str> = written.iter().map(|(name, ..)| *name).collect();
    for name in inputs.vars.keys() {
        if !variables.is_used(name) && !known.contains(name.as_str()) {
            let shown = text::sanitize(name);
            let message = format!("--var {shown} was given, and the spec has no variable `{shown}`");
            let mut finding = Diagnostic::error("unknown-variable", message);
            if let Some(near) = text::nearest(name, known.iter().copied()) {
                finding = finding.help(format!("did you mean --var {near}=…?"));
            }
            findings.push(finding);
        }
    }
    findings
}

/// The same findings, pointing into a text that does not show what must not be shown.
fn hide(source: &Arc<Source>, masks: &[Range<usize>], diagnostics: Diagnostics) -> Diagnostics {
    if masks.is_empty() {
        return diagnostics;
    }
    let mut masks = masks.to_vec();
    masks.sort_by_key(|mask| mask.start);
    let mut left = masks.iter().peekable();
    let mut hidden = String::with_capacity(source.text.len());
    for (at, c) in source.text.char_indices() {
        while left.peek().is_some_and(|mask| mask.end <= at) {
            left.next();
        }
        let is_masked = left.peek().is_some_and(|mask| mask.contains(&at));
        if is_masked && !c.is_whitespace() {
            // As many bytes as before, so that every place stays where it is.
            hidden.extend(std::iter::repeat_n('*', c.len_utf8()));
        } else {
            hidden.push(c);
        }
    }
    let hidden = Arc::new(Source {
        path: source.path.clone(),
        text: hidden,
    });
    // What points into a file that the spec names stays there.
    let moved = |place: Place| {
        if Arc::ptr_eq(&place.source, source) {
            Place::new(&hidden, place.range)
        } else {
            place
        }
    };
    diagnostics
        .into_iter()
        .map(|mut finding| {
            finding.place = finding.place.map(moved);
            finding.related = finding
                .related
                .into_iter()
                .map(|(place, words)| (moved(place), words))
                .collect();
            finding
        })
        .collect()
}

/// What may be a credential in a text that is not YAML: the rest of the line behind `token:` and the like, unless it is
/// a reference.
fn credentials_in_broken_text(text: &str) -> Vec<Range<usize>> {
    let mut masks = Vec::new();
    let keys = ["token", "slack", "webhook"].into_iter();
    for (at, key) in keys.flat_map(|key| text.match_indices(key)) {
        let rest = &text[at + key.len()..];
        let line = rest.split(['\n', '#', ',', '}']).next().unwrap_or_default();
        let Some(value) = line.trim_start_matches(['"', '\'', ' ']).strip_prefix(':') else {
            continue;
        };
        let value = value.trim();
        let bare = value.trim_start_matches(['"', '\'']);
        if !value.is_empty()
            && !["env:", "keyring:", "file:"]
                .iter()
                .any(|scheme| bare.starts_with(scheme))
        {
            let start = at + key.len() + line.find(value).unwrap_or_default();
            // The masks hide them all; the scrubbing of everything else is for the few that a person pastes.
            if masks.len() < MOST_SCRUBBED {
                crate::base::secret::Secret::new(bare.trim_end_matches(['"', '\'']));
            }
            masks.push(start..start + value.len());
        }
    }
    masks
}
