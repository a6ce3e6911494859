//! How raw shapes are read from the tree and described as a schema: one declaration serves both, so that they cannot
//! differ. Reading never stops at the first thing that is wrong: what is wrong is said, and the rest is read.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::variables::Variables;
use super::yaml::{Entry, Node, Scalar, Value};
use crate::base::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use crate::base::text;

/// Something that can stand in a spec.
pub(super) trait Shape: Sized {
    /// Its JSON Schema; named parts go into `definitions`.
    fn schema(definitions: &mut Map<String, Json>) -> Json;

    /// Reads it. `None` when it is wrong: then that has been said.
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;
}

/// A value with the place where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At<T> {
    /// The value.
    pub(super) value: T,
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// Where its text begins, when it stands in the source byte for byte.
    pub(super) verbatim: Option<usize>,
}

/// A text as it is written, variables filled in.
pub(super) type Text = At<String>;

impl<T> At<T> {
    /// A value that follows from what is written there.
    pub(super) fn made(value: T, range: Range<usize>) -> Self {
        Self {
            value,
            range,
            verbatim: None,
        }
    }

    /// The same place with another value.
    pub(super) fn map<U>(&self, value: U) -> At<U> {
        At {
            value,
            range: self.range.clone(),
            verbatim: self.verbatim,
        }
    }

    /// Where a part of its text stands; all of it where the text is not written as it reads.
    pub(super) fn part(&self, span: &Range<usize>) -> Range<usize> {
        match self.verbatim {
            Some(start) if span.is_empty() => {
                start + span.start..(start + span.start + 1).min(self.range.end.max(start))
            }
            Some(start) => start + span.start..start + span.end,
            None => self.range.clone(),
        }
    }
}

/// What reading needs beside the tree.
pub(super) struct Reader<'a> {
    /// The text that diagnostics point into.
    pub(super) source: &'a Arc<Source>,
    /// What was wrong so far.
    pub(super) diagnostics: Diagnostics,
    /// Places that must not be shown: somebody wrote a credential there.
    pub(super) masks: Vec<Range<usize>>,
    variables: &'a Variables,
    /// The key whose value is being read, for values that are nothing and have no place of their own.
    pub(super) owner: Option<Range<usize>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Arc<Source>, variables: &'a Variables) -> Self {
        Self {
            source,
            diagnostics: Diagnostics::new(),
            masks: Vec::new(),
            variables,
            owner: None,
        }
    }

    /// A place in the source.
    pub(super) fn place(&self, range: &Range<usize>) -> Place {
        Place::new(self.source, range.clone())
    }

    /// Nothing that is shown from now on may hold what stands here: it may be a credential.
    pub(super) fn mask(&mut self, node: &Node) {
        match &node.value {
            Value::Null => {}
            Value::Scalar(scalar) => {
                crate::base::secret::Secret::new(&scalar.text);
                self.masks.push(node.range.clone());
            }
            Value::Sequence(items) => items.iter().for_each(|item| self.mask(item)),
            Value::Mapping(entries) => entries.iter().for_each(|entry| self.mask(&entry.value)),
        }
    }

    /// The text of a scalar, variables filled in. Numbers and truth values are text too.
    pub(super) fn text(&mut self, node: &Node, expected: &str) -> Option<Text> {
        match &node.value {
            Value::Scalar(scalar) => self.fill_in(scalar, &node.range),
            other => {
                self.unexpected(other, &node.range, expected);
                None
            }
        }
    }

    /// A scalar with its variables filled in.
    pub(super) fn fill_in(&mut self, scalar: &Scalar, range: &Range<usize>) -> Option<Text> {
        let at = At {
            value: (),
            range: range.clone(),
            verbatim: scalar.verbatim,
        };
        match self.variables.fill_in(&scalar.text) {
            Ok(filled) => {
                let verbatim = scalar.verbatim.filter(|_| filled == scalar.text);
                Some(At {
                    value: filled,
                    range: range.clone(),
                    verbatim,
                })
            }
            Err(errors) => {
                for error in errors {
                    let range = at.part(&error.span);
                    let mut finding = Diagnostic::error(error.code, error.message).at(self.place(&range));
                    finding.help.extend(error.help);
                    self.diagnostics.push(finding);
                }
                None
            }
        }
    }

    /// Says that something of another shape was found.
    pub(super) fn unexpected(&mut self, found: &Value, range: &Range<usize>, expected: &str) {
        let found = match found {
            Value::Null => "nothing",
            Value::Scalar(_) => "a single value",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "keys with values",
        };
        let range = match &self.owner {
            Some(owner) if range.is_empty() => owner.clone(),
            _ => range.clone(),
        };
        let mut finding = Diagnostic::error("wrong-shape", format!("expected {expected}, found {found}"))
            .at(self.place(&self.first_line(&range)));
        // A single value where keys belong is often a line that stands one level too far left.
        if expected.starts_with("keys") && self.owner.is_some() {
            finding = finding.help("if this line belongs to the one above, indent it further");
        }
        self.diagnostics.push(finding);
    }

    /// A block of many lines is pointed at where it begins.
    fn first_line(&self, range: &Range<usize>) -> Range<usize> {
        let written = self.source.text.get(range.clone()).unwrap_or_default();
        let line = written.split('\n').next().unwrap_or_default().trim_end();
        range.start..range.start + line.len()
    }
}

/// What is known of a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// The key.
    pub(super) name: &'static str,
    /// What it means: its doc comment.
    pub(super) doc: &'static [&'static str],
    /// `required`, `default X`, `example X`.
    pub(super) flags: &'static [(&'static str, Option<&'static str>)],
}

impl Key {
    fn is_required(&self) -> bool {
        self.flags.iter().any(|(flag, _)| *flag == "required")
    }
}

/// A doc comment as one line.
pub(super) fn description(doc: &[&str]) -> String {
    doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// The schema of a mapping with known keys.
pub(super) fn mapping_schema(doc: &[&str], keys: &[Key], properties: Vec<Json>) -> Json {
    let mut all = Map::new();
    for (key, mut schema) in keys.iter().zip(properties) {
        if let Json::Object(map) = &mut schema {
            map.insert("description".to_owned(), json!(description(key.doc)));
            for (flag, value) in key.flags {
                match *flag {
                    "default" => {
                        let value = value.unwrap_or_default();
                        map.insert(
                            "default".to_owned(),
                            serde_json::from_str(value).unwrap_or_else(|_| json!(value)),
                        );
                    }
                    "example" => {
                        let examples = map.entry("examples").or_insert_with(|| json!([]));
                        if let Json::Array(examples) = examples {
                            examples.push(json!(value.unwrap_or_default()));
                        }
                    }
                    _ => {}
                }
            }
        }
        all.insert(key.name.to_owned(), schema);
    }
    let required: Vec<&str> = keys
        .iter()
        .filter(|key| key.is_required())
        .map(|key| key.name)
        .collect();
    let mut schema = json!({
        "type": "object",
        "description": description(doc),
        "properties": all,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// The keys of a mapping, looked over: unknown ones said, missing ones said.
pub(super) struct Fields<'n> {
    /// Where the mapping begins: its key, or its first line.
    pub(super) at: Range<usize>,
    entries: BTreeMap<&'n str, &'n Entry>,
}

impl<'n> Fields<'n> {
    /// Looks a mapping over. `later` are keys of the language that this version does not know yet.
    pub(super) fn of(node: &'n Node, keys: &[Key], later: &[&str], reader: &mut Reader<'_>) -> Option<Self> {
        let owner = reader.owner.take();
        let entries = match &node.value {
            Value::Mapping(entries) => entries.as_slice(),
            Value::Null => &[],
            other => {
                reader.owner = owner;
                let names: Vec<&str> = keys.iter().take(3).map(|key| key.name).collect();
                reader.unexpected(other, &node.range, &format!("keys such as {}", text::list(&names)));
                return None;
            }
        };
        let mut fields = BTreeMap::new();
        for entry in entries {
            let name = entry.key.text.as_str();
            if keys.iter().any(|key| key.name == name) {
                fields.insert(name, entry);
            } else {
                // Beside a credential's reference, and under any name that speaks of one, a credential may stand.
                let holds_references = keys.iter().any(|key| key.name == "token");
                if holds_references || speaks_of_a_credential(name) {
                    reader.mask(&entry.value);
                }
                let finding = unknown_key(entry, keys, later, reader);
                reader.diagnostics.push(finding);
            }
        }
        let missing: Vec<&str> = keys
            .iter()
            .filter(|key| key.is_required() && !fields.contains_key(key.name))
            .map(|key| key.name)
            .collect();
        let at = owner.unwrap_or_else(|| reader.first_line(&node.range));
        for name in missing {
            let finding = Diagnostic::error("missing-key", format!("the key `{name}` is missing"))
                .at(reader.place(&at))
                .label(format!("`{name}` belongs here"));
            reader.diagnostics.push(finding);
        }
        Some(Self { at, entries: fields })
    }

    /// Reads a key's value, if the key is there.
    pub(super) fn read<T: Shape>(&self, key: &str, reader: &mut Reader<'_>) -> Option<T> {
        let entry = self.entries.get(key)?;
        reader.owner = Some(entry.key_range.clone());
        let value = T::read(&entry.value, reader);
        reader.owner = None;
        value
    }

    /// The keys that are written.
    pub(super) fn written(&self, keys: &[Key]) -> BTreeMap<&'static str, Range<usize>> {
        let place = |key: &Key| Some((key.name, self.entries.get(key.name)?.key_range.clone()));
        keys.iter().filter_map(place).collect()
    }
}

fn speaks_of_a_credential(key: &str) -> bool {
    let key = key.to_lowercase();
    [
        "token",
        "secret",
        "password",
        "passwd",
        "credential",
        "api_key",
        "apikey",
        "auth",
    ]
    .iter()
    .any(|word| key.contains(word))
}

/// What other tools call a thing, and its key here.
const SYNONYMS: &[(&str, &str)] = &[
    ("content", "value"),
    ("data", "value"),
    ("target", "value"),
    ("contents", "values"),
    ("host", "name"),
    ("hostname", "name"),
    ("subdomain", "name"),
    ("proxy", "proxied"),
    ("note", "comment"),
    ("variables", "vars"),
    ("domains", "zones"),
];

fn unknown_key(entry: &Entry, keys: &[Key], later: &[&str], reader: &Reader<'_>) -> Diagnostic {
    let name = entry.key.text.as_str();
    let shown = text::shorten(&text::sanitize(name), 60);
    let place = reader.place(&entry.key_range);
    if later.contains(&name) {
        return Diagnostic::error("not-built-yet", format!("`{shown}` is not built yet in this version"))
            .at(place)
            .help("take it out for now; `launchctl schema` describes what is built");
    }
    let names = || keys.iter().map(|key| key.name);
    let meant = SYNONYMS
        .iter()
        .find(|(word, meant)| *word == name && names().any(|known| known == *meant));
    let finding = Diagnostic::error("unknown-key", format!("there is no key `{shown}` here")).at(place);
    let near = meant.map(|(_, meant)| *meant);
    match near.or_else(|| text::nearest(name, names().chain(later.iter().copied()))) {
        Some(near) => finding.label(format!("did you mean `{near}`?")),
        None => finding.help(format!("known here: {}", names().collect::<Vec<_>>().join(", "))),
    }
}

/// Declares a mapping with known keys: what it holds, how it is read and how it is described, in one place. Every field
/// is optional in the type, since what is missing or wrong has been said by the time it is looked at.
macro_rules! shape {
    (
        $(#[doc = $doc:literal])+
        $name:ident {
            $( $(#[doc = $field_doc:literal])+ $key:literal $field:ident : $type:ty $(, $flag:ident $($value:literal)?)* ; )+
        }
        $(later [ $($later:literal),* ])?
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(super) struct $name {
            /// Where it begins.
            pub(super) at: std::ops::Range<usize>,
            /// The keys that are written, with their places: what is written and not here was wrong.
            pub(super) keys: std::collections::BTreeMap<&'static str, std::ops::Range<usize>>,
            $( $(#[doc = $field_doc])+ pub(super) $field: Option<$type>, )+
        }

        impl $name {
            const DOC: &'static [&'static str] = &[$($doc),+];
            const KEYS: &'static [$crate::spec::shape::Key] = &[
                $( $crate::spec::shape::Key {
                    name: $key,
                    doc: &[$($field_doc),+],
                    flags: &[$((stringify!($flag), shape!(@value $($value)?))),*],
                } ),+
            ];
            const LATER: &'static [&'static str] = &[$($($later),*)?];
        }

        impl $crate::spec::shape::Shape for $name {
            fn schema(
                definitions: &mut serde_json::Map<String, serde_json::Value>,
            ) -> serde_json::Value {
                let name = stringify!($name);
                if !definitions.contains_key(name) {
                    // Kept a place first, for shapes that hold themselves.
                    definitions.insert(name.to_owned(), serde_json::Value::Null);
                    let properties = vec![$( <$type as $crate::spec::shape::Shape>::schema(definitions) ),+];
                    let schema = $crate::spec::shape::mapping_schema(Self::DOC, Self::KEYS, properties);
                    definitions.insert(name.to_owned(), schema);
                }
                serde_json::json!({ "$ref": format!("#/$defs/{name}") })
            }

            fn read(
                node: &$crate::spec::yaml::Node,
                reader: &mut $crate::spec::shape::Reader<'_>,
            ) -> Option<Self> {
                let fields = $crate::spec::shape::Fields::of(node, Self::KEYS, Self::LATER, reader)?;
                Some(Self {
                    at: fields.at.clone(),
                    keys: fields.written(Self::KEYS),
                    $( $field: fields.read($key, reader), )+
                })
            }
        }
    };
    (@value) => { None };
    (@value $value:literal) => { Some($value) };
}
pub(super) use shape;

/// Declares that one of a few words is written, and what each stands for.
macro_rules! words {
    ($type:ty, $what:literal, { $($word:literal => $value:expr),+ $(,)? }) => {
        words!($type, $what, { $($word => $value),+ }, serde_json::json!({ "type": "string", "enum": [$($word),+] }));
    };
    // Words that YAML takes for numbers may be written as such.
    ($type:ty, $what:literal, { $($word:literal => $value:expr),+ $(,)? }, numbers) => {
        words!($type, $what, { $($word => $value),+ }, $crate::spec::shape::words_or_numbers(&[$($word),+]));
    };
    ($type:ty, $what:literal, { $($word:literal => $value:expr),+ $(,)? }, $schema:expr) => {
        impl $crate::spec::shape::Shape for $crate::spec::shape::At<$type> {
            fn schema(_: &mut serde_json::Map<String, serde_json::Value>) -> serde_json::Value {
                $schema
            }

            fn read(
                node: &$crate::spec::yaml::Node,
                reader: &mut $crate::spec::shape::Reader<'_>,
            ) -> Option<Self> {
                let text = reader.text(node, $what)?;
                let value = match text.value.as_str() {
                    $($word => $value,)+
                    _ => {
                        $crate::spec::shape::no_such_word(&text, $what, &[$($word),+], reader);
                        return None;
                    }
                };
                Some(text.map(value))
            }
        }
    };
}
pub(super) use words;

/// The schema of words that may also be written as numbers.
pub(super) fn words_or_numbers(words: &[&str]) -> Json {
    let mut all: Vec<Json> = words.iter().map(|word| json!(word)).collect();
    all.extend(words.iter().filter_map(|word| serde_json::from_str::<Json>(word).ok()));
    json!({ "enum": all })
}

/// Says that a word is none of those that may stand here.
pub(super) fn no_such_word(text: &Text, what: &str, words: &[&str], reader: &mut Reader<'_>) {
    let shown = text::shorten(&text::sanitize(&text.value), 60);
    let label = match text::nearest(&text.value, words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("expected {}", one_of(words)),
    };
    let finding = Diagnostic::error("wrong-value", format!("`{shown}` is no {what}"))
        .at(reader.place(&text.range))
        .label(label);
    reader.diagnostics.push(finding);
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [head @ .., last] => format!("{} or {last}", head.join(", ")),
    }
}

/// The value under a key of a mapping, for what must be known before the rest is read.
pub(super) fn entry<'n>(node: &'n Node, key: &str) -> Option<&'n Rc<Node>> {
    match &node.value {
        Value::Mapping(entries) => entries
            .iter()
            .find(|entry| entry.key.text == key)
            .map(|entry| &entry.value),
        _ => None,
    }
}
