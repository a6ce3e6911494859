//! The shapes that everything else is made of: texts, truth values, lists and tables. What is written of each in a spec,
//! and how a schema describes it.

use serde_json::{Map, Value as Json, json};

use super::shape::{At, Reader, Shape, Text};
use super::yaml::{Node, Value};
use crate::base::diagnostic::Diagnostic;
use crate::base::text;

impl Shape for Text {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": ["string", "number"] })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.text(node, "a text")
    }
}

/// A text that is taken as it is written: no variable is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Literal(pub(super) Text);

impl Shape for Literal {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": ["string", "number"] })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::Scalar(scalar) = &node.value else {
            reader.unexpected(&node.value, &node.range, "a text");
            return None;
        };
        Some(Self(At {
            value: scalar.text.clone(),
            range: node.range.clone(),
            verbatim: scalar.verbatim,
        }))
    }
}

impl Shape for At<bool> {
    fn schema(_: &mut Map<String, Json>) -> Json {
        json!({ "type": "boolean" })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "true or false")?;
        match text.value.as_str() {
            "true" => Some(text.map(true)),
            "false" => Some(text.map(false)),
            other => {
                let shown = text::shorten(&text::sanitize(other), 40);
                let finding = Diagnostic::error("wrong-value", format!("`{shown}` is neither true nor false"))
                    .at(reader.place(&text.range))
                    .label("write true or false");
                reader.diagnostics.push(finding);
                None
            }
        }
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn schema(definitions: &mut Map<String, Json>) -> Json {
        json!({ "type": ["array", "null"], "items": T::schema(definitions) })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Sequence(items) => {
                reader.owner = None;
                Some(items.iter().filter_map(|item| T::read(item, reader)).collect())
            }
            Value::Null => Some(Self::new()),
            other => {
                reader.unexpected(other, &node.range, "a list");
                None
            }
        }
    }
}

/// A list in which nothing is not the same as no entry: what was commented out must not say «none».
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Items<T>(pub(super) Vec<T>);

impl<T: Shape> Shape for Items<T> {
    fn schema(definitions: &mut Map<String, Json>) -> Json {
        json!({ "type": "array", "items": T::schema(definitions) })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if node.value == Value::Null {
            let range = reader.owner.clone().unwrap_or_else(|| node.range.clone());
            let finding = Diagnostic::error("nothing-listed", "nothing is listed here")
                .at(reader.place(&range))
                .label("write `[]` to say that there shall be none")
                .help("to leave it unsaid, take the key out");
            reader.diagnostics.push(finding);
            return None;
        }
        Vec::read(node, reader).map(Self)
    }
}

/// Names that the user chose, each with a value, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table<T>(pub(super) Vec<(Text, T)>);

impl<T: Shape> Shape for Table<T> {
    fn schema(definitions: &mut Map<String, Json>) -> Json {
        json!({ "type": ["object", "null"], "additionalProperties": T::schema(definitions) })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let entries = match &node.value {
            Value::Mapping(entries) => entries,
            Value::Null => return Some(Self(Vec::new())),
            other => {
                reader.unexpected(other, &node.range, "names with values");
                return None;
            }
        };
        let mut all = Vec::new();
        for entry in entries {
            let key = reader.fill_in(&entry.key, &entry.key_range);
            reader.owner = Some(entry.key_range.clone());
            let value = T::read(&entry.value, reader);
            reader.owner = None;
            all.extend(key.zip(value));
        }
        Some(Self(all))
    }
}
