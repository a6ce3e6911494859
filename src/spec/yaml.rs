//! YAML into a tree that knows where everything stands. This is the only file that knows the YAML library. Scalars stay
//! text: what `1.10` or `on` means is for whoever asks for it. Bounded in depth, size and aliases against hostile files.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, options};

use crate::base::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use crate::base::text;

/// The deepest nesting that is read; a spec needs eight.
const DEPTH: usize = 64;
/// The most nodes, those of aliases counted each time; a spec of 30,000 records has 300,000.
const NODES: usize = 2_000_000;
/// The most aliases.
const ALIASES: usize = 10_000;

/// A value with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// What it is.
    pub(super) value: Value,
    /// Where it stands, in bytes of the source.
    pub(super) range: Range<usize>,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A text, a number, a truth value: as it is written.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Rc<Node>>),
    /// Keys with values, in the order of the file. No key twice.
    Mapping(Vec<Entry>),
}

/// A scalar as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scalar {
    /// The text, escapes resolved.
    pub(super) text: String,
    /// Whether it stood without quotes: only then can it be a number or a truth value.
    pub(super) plain: bool,
    /// Where the text begins in the source, when it stands there byte for byte.
    pub(super) verbatim: Option<usize>,
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: Scalar,
    /// Where the key stands.
    pub(super) key_range: Range<usize>,
    /// The value.
    pub(super) value: Rc<Node>,
}

/// How much there is in a value, aliases expanded.
#[derive(Debug, Clone, Copy)]
struct Measure {
    /// Nodes, itself counted.
    size: usize,
    /// Levels, itself counted.
    height: usize,
}

/// A single scalar.
const ONE: Measure = Measure { size: 1, height: 1 };

impl Measure {
    /// Adds a part.
    fn add(&mut self, part: Self) {
        self.size += part.size;
        self.height = self.height.max(part.height + 1);
    }
}

/// What is still being read.
enum Parts {
    Sequence(Vec<Rc<Node>>),
    Mapping {
        entries: Vec<Entry>,
        seen: BTreeMap<String, Range<usize>>,
        key: Option<(Scalar, Range<usize>)>,
    },
}

/// A list or a mapping being read.
struct Open {
    parts: Parts,
    start: usize,
    anchor: usize,
    measure: Measure,
}

/// Reads a document. What can be read is returned even when something is wrong, but for errors of syntax, after which
/// nothing can be relied on.
pub(super) fn parse(source: &Arc<Source>) -> (Option<Rc<Node>>, Diagnostics) {
    let mut reader = Reader {
        source,
        stack: Vec::new(),
        anchors: BTreeMap::new(),
        root: None,
        nodes: 0,
        aliases: 0,
        documents: 0,
        diagnostics: Diagnostics::new(),
    };
    let limits = options! {
        strict_indentation: true,
        disallow_directives: true,
        emit_unresolved_aliases: true,
        emit_comments: false,
        flow_nesting_limit: DEPTH,
        block_nesting_limit: DEPTH,
    };
    for next in Parser::new_from_str_with_options(&source.text, limits) {
        let stop = match next {
            Ok((event, span)) => reader.event(event, span),
            Err(error) => Err(reader.syntax(&error)),
        };
        if let Err(fatal) = stop {
            reader.diagnostics.push(*fatal);
            return (None, reader.diagnostics);
        }
    }
    (reader.root, reader.diagnostics)
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    stack: Vec<Open>,
    anchors: BTreeMap<usize, (Rc<Node>, Measure)>,
    root: Option<Rc<Node>>,
    nodes: usize,
    aliases: usize,
    documents: usize,
    diagnostics: Diagnostics,
}

type Fatal = Box<Diagnostic>;

impl Reader<'_> {
    fn place(&self, range: Range<usize>) -> Place {
        Place::new(self.source, range)
    }

    fn fatal(&self, code: &'static str, range: Range<usize>, message: impl Into<String>) -> Fatal {
        Box::new(Diagnostic::error(code, message).at(self.place(range)))
    }

    fn syntax(&self, error: &ScanError) -> Fatal {
        let at = error.marker().byte_offset().unwrap_or(self.source.text.len());
        let message = text::sanitize(&error.info()).into_owned();
        let finding = Diagnostic::error("yaml-syntax", format!("this is not YAML: {message}"));
        // The two characters that names begin with and that mean something else to YAML.
        let line = self
            .source
            .text
            .get(at..)
            .unwrap_or_default()
            .split('\n')
            .next()
            .unwrap_or_default();
        let before = self.source.text.get(..at).unwrap_or_default();
        let finding = if line.starts_with('@') {
            finding.label("write \"@\", in quotes")
        } else if line.starts_with('*') || before.ends_with('*') {
            finding.label("a name with `*` stands in quotes, such as \"*\" or \"*.preview\"")
        } else {
            finding.label("the reader stopped here; the cause may stand before it")
        };
        Box::new(finding.at(self.place(at..at + 1)))
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Fatal> {
        let range = span.byte_range().unwrap_or(0..0);
        if let Some(tag) = event.tag() {
            let at = span
                .tag_span()
                .and_then(|span| span.byte_range())
                .unwrap_or(range.clone());
            let message = format!("tags such as `{}` are not read", text::sanitize(&tag.original()));
            self.diagnostics.push(
                Diagnostic::error("yaml-tag", message)
                    .at(self.place(at))
                    .help("write the value alone"),
            );
        }
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a spec is one document; here begins a second";
                    return Err(self.fatal("yaml-documents", range, message));
                }
            }
            Event::Scalar(content, style, anchor, _) => {
                self.count(ONE, &range)?;
                let scalar = self.scalar(content.into_owned(), style, &range);
                self.take_scalar(scalar, range, anchor);
            }
            Event::SequenceStart(_, anchor, _) => self.open(Parts::Sequence(Vec::new()), range, anchor)?,
            Event::MappingStart(_, anchor, _) => {
                let parts = Parts::Mapping {
                    entries: Vec::new(),
                    seen: BTreeMap::new(),
                    key: None,
                };
                self.open(parts, range, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(range.end),
            Event::Alias(id) => self.alias(id, &range)?,
            Event::UnresolvedAlias(name) => {
                let name = text::sanitize(&name);
                let mut finding = self.fatal("yaml-alias", range, format!("`*{name}` names no anchor above it"));
                finding
                    .help
                    .push(format!("if it is a name, write it in quotes: \"*{name}\""));
                return Err(finding);
            }
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, more: Measure, range: &Range<usize>) -> Result<(), Fatal> {
        self.nodes += more.size;
        if self.nodes > NODES {
            let message = format!(
                "the spec has more than {} values, aliases counted",
                text::grouped(NODES)
            );
            return Err(self.fatal("yaml-size", range.clone(), message));
        }
        if self.stack.len() + more.height > DEPTH {
            let message = format!("the spec is nested more than {DEPTH} levels deep");
            return Err(self.fatal("yaml-depth", range.clone(), message));
        }
        Ok(())
    }

    fn open(&mut self, parts: Parts, range: Range<usize>, anchor: usize) -> Result<(), Fatal> {
        self.count(ONE, &range)?;
        if self.waits_for_key().is_some() {
            return Err(self.fatal("yaml-key", range, "a key is a word, not a list or a mapping"));
        }
        self.stack.push(Open {
            parts,
            start: range.start,
            anchor,
            measure: ONE,
        });
        Ok(())
    }

    fn scalar(&self, mut content: String, style: ScalarStyle, range: &Range<usize>) -> Scalar {
        // The last line break of a block is never meant: nothing in this language ends with one.
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) && content.ends_with('\n') {
            content.pop();
        }
        let written = self.source.text.get(range.clone()).unwrap_or_default();
        let (inner, plain) = match style {
            ScalarStyle::Plain => (Some((written, 0)), true),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => (
                written.get(1..written.len().saturating_sub(1)).map(|inner| (inner, 1)),
                false,
            ),
            ScalarStyle::Literal | ScalarStyle::Folded => (None, false),
        };
        let verbatim = inner
            .filter(|(inner, _)| *inner == content)
            .map(|(_, offset)| range.start + offset);
        Scalar {
            text: content,
            plain,
            verbatim,
        }
    }

    /// Where the next key goes, when a mapping waits for one.
    fn waits_for_key(&mut self) -> Option<&mut Option<(Scalar, Range<usize>)>> {
        match self.stack.last_mut().map(|open| &mut open.parts) {
            Some(Parts::Mapping { key, .. }) if key.is_none() => Some(key),
            _ => None,
        }
    }

    /// A scalar is a key where a mapping waits for one, else a value.
    fn take_scalar(&mut self, scalar: Scalar, range: Range<usize>, anchor: usize) {
        if let Some(key) = self.waits_for_key() {
            *key = Some((scalar, range));
            return;
        }
        let is_null = scalar.plain && matches!(scalar.text.as_str(), "" | "~" | "null" | "Null" | "NULL");
        let value = if is_null { Value::Null } else { Value::Scalar(scalar) };
        self.put(Rc::new(Node { value, range }), anchor, ONE);
    }

    fn close(&mut self, end: usize) {
        let Some(Open {
            parts,
            start,
            anchor,
            measure,
        }) = self.stack.pop()
        else {
            return;
        };
        let value = match parts {
            Parts::Sequence(items) => Value::Sequence(items),
            Parts::Mapping { entries, .. } => Value::Mapping(entries),
        };
        // A block ends where the next thing begins: what lies between is not part of it.
        let written = self.source.text.get(start..end).unwrap_or_default().trim_end();
        let range = start..start + written.len();
        self.put(Rc::new(Node { value, range }), anchor, measure);
    }

    fn put(&mut self, node: Rc<Node>, anchor: usize, measure: Measure) {
        if anchor != 0 {
            self.anchors.insert(anchor, (Rc::clone(&node), measure));
        }
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return;
        };
        open.measure.add(measure);
        match &mut open.parts {
            Parts::Sequence(items) => items.push(node),
            Parts::Mapping { entries, seen, key } => {
                let Some((key, key_range)) = key.take() else { return };
                match unwelcome(&key, &key_range, seen, self.source) {
                    Some(finding) => self.diagnostics.push(finding),
                    None => entries.push(Entry {
                        key,
                        key_range,
                        value: node,
                    }),
                }
            }
        }
    }

    fn alias(&mut self, id: usize, range: &Range<usize>) -> Result<(), Fatal> {
        self.aliases += 1;
        if self.aliases > ALIASES {
            let message = format!("the spec has more than {} aliases", text::grouped(ALIASES));
            return Err(self.fatal("yaml-size", range.clone(), message));
        }
        let Some((node, measure)) = self.anchors.get(&id).cloned() else {
            return Err(self.fatal(
                "yaml-alias",
                range.clone(),
                "this alias names a value that it stands in itself",
            ));
        };
        self.count(measure, range)?;
        if let Some(key) = self.waits_for_key() {
            if let Value::Scalar(scalar) = &node.value {
                *key = Some((scalar.clone(), range.clone()));
                return Ok(());
            }
            return Err(self.fatal("yaml-key", range.clone(), "a key is a word, not a list or a mapping"));
        }
        self.put(node, 0, measure);
        Ok(())
    }
}

/// No key twice, and no merge keys: both would silently hide something that was written.
fn unwelcome(
    key: &Scalar,
    range: &Range<usize>,
    seen: &mut BTreeMap<String, Range<usize>>,
    source: &Arc<Source>,
) -> Option<Diagnostic> {
    if key.plain && key.text == "<<" {
        let finding = Diagnostic::error("yaml-merge", "merge keys (`<<`) are not read");
        return Some(
            finding
                .at(Place::new(source, range.clone()))
                .help("write the keys out, or name the whole value with an anchor and an alias"),
        );
    }
    if let Some(first) = seen.get(&key.text) {
        let shown = text::shorten(&text::sanitize(&key.text), 60);
        return Some(
            Diagnostic::error("duplicate-key", format!("the key `{shown}` is written twice"))
                .at(Place::new(source, range.clone()))
                .label("the second time")
                .related(Place::new(source, first.clone()), "the first time"),
        );
    }
    seen.insert(key.text.clone(), range.clone());
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<Rc<Node>>, Vec<String>) {
        let source = Arc::new(Source {
            path: "launch.yaml".into(),
            text: text.into(),
        });
        let (root, findings) = parse(&source);
        let said = findings.iter().map(|finding| {
            let place = finding.place.as_ref().unwrap();
            format!(
                "{} {}:{} {}",
                finding.code,
                place.line(),
                place.column(),
                finding.message
            )
        });
        (root, said.collect())
    }

    fn entries(node: &Node) -> &[Entry] {
        let Value::Mapping(entries) = &node.value else {
            panic!("a mapping: {node:?}")
        };
        entries
    }

    #[test]
    fn scalars_stay_as_they_are_written_and_know_their_place() {
        let text = "a: 1.10\nb: 'on'\nc: \"x\\ty\"\nd:\ne: ~\nf: [x, y]\n";
        let (root, said) = read(text);
        assert!(said.is_empty(), "{said:?}");
        let root = root.unwrap();
        let values: Vec<_> = entries(&root).iter().map(|entry| entry.value.value.clone()).collect();
        let scalar = |text: &str, plain, verbatim| {
            Value::Scalar(Scalar {
                text: text.into(),
                plain,
                verbatim,
            })
        };
        assert_eq!(values[0], scalar("1.10", true, Some(3)));
        assert_eq!(values[1], scalar("on", false, Some(12)));
        assert_eq!(values[2], scalar("x\ty", false, None));
        assert_eq!(values[3], Value::Null);
        assert_eq!(values[4], Value::Null);
        assert_eq!(&text[entries(&root)[5].value.range.clone()], "[x, y]");
    }

    #[test]
    fn aliases_are_their_values() {
        let (root, said) = read("a: &x [1, 2]\nb: *x\n");
        assert!(said.is_empty(), "{said:?}");
        let root = root.unwrap();
        assert_eq!(entries(&root)[0].value, entries(&root)[1].value);
    }

    #[test]
    fn what_hides_something_or_never_ends_is_refused_with_its_place() {
        for (text, expected) in [
            ("a: 1\nb: 2\na: 3\n", "duplicate-key 3:1"),
            ("x: &x {a: 1}\ny:\n  <<: *x\n", "yaml-merge 3:3"),
            ("a: [1, 2\n", "yaml-syntax"),
            ("a: \"x\n", "yaml-syntax"),
            ("a: 1\n---\nb: 2\n", "yaml-documents 2:1"),
            ("a: !secret x\n", "yaml-tag 1:4"),
            ("a: *none\n", "yaml-alias 1:4"),
            ("a: &x [*x]\n", "yaml-alias 1:8"),
            ("a: @\n", "yaml-syntax 1:4"),
            ("[1]: 2\n", "yaml-key"),
            ("%YAML 1.2\n---\na: 1\n", "yaml-syntax"),
            ("a:\n\t- b\n", "yaml-syntax"),
        ] {
            let (_, said) = read(text);
            assert!(
                said.first().is_some_and(|first| first.starts_with(expected)),
                "{text:?}: {said:?}"
            );
        }
    }

    #[test]
    fn hostile_files_end_soon() {
        let deep = "[".repeat(100_000);
        assert!(read(&deep).0.is_none());
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        let (_, said) = read(&bomb);
        assert!(said[0].starts_with("yaml-size"), "{said:?}");
        // Aliases that are nested in one another are as deep as what they stand for.
        let mut ladder = "a0: &a0 [x]\n".to_owned();
        for level in 1..200 {
            ladder.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
        }
        let (_, said) = read(&ladder);
        assert!(said[0].starts_with("yaml-depth"), "{said:?}");
        let keys: String = (0..50_000).map(|n| format!("k{n}: 1\n")).collect();
        assert!(read(&keys).1.is_empty());
    }
}
