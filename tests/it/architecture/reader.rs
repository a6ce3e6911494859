//! Reads the source for the rules of `architecture`: which room a file belongs to, its words, and the paths in it. It
//! reads Rust well enough for that and no better: comments and literals are blanked, what is left is cut into words,
//! and words joined by `::` are paths. What a macro would make of them is not known here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A file of `src/`, read.
pub(super) struct Source {
    pub(super) path: String,
    pub(super) room: String,
    pub(super) lines: usize,
    pub(super) has_head: bool,
    pub(super) calls_itself_pure: bool,
    pub(super) words: Vec<Word>,
    pub(super) paths: Vec<Named>,
}

/// A word or a sign of the code.
pub(super) struct Word {
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) in_test: bool,
}

/// A path as it stands in the code, groups taken apart.
pub(super) struct Named {
    /// Whether it begins at the crate's root; the first segment is then a room.
    pub(super) from_root: bool,
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
    pub(super) in_test: bool,
}

impl Named {
    /// Whether it is or stands below `place`: `std::fs` leads to `std::fs::File`, `jiff::Timestamp::now` to
    /// `Timestamp::now`. A place of one word is a crate, so only the beginning counts.
    pub(super) fn leads_to(&self, place: &str) -> bool {
        let place: Vec<&str> = place.split("::").collect();
        let is_type = place[0].starts_with(char::is_uppercase);
        let mut starts = self.segments.windows(place.len()).enumerate();
        !self.from_root && starts.any(|(at, part)| part == place.as_slice() && (at == 0 || is_type))
    }
}

impl Source {
    fn read(path: &str, text: &str, is_test: bool) -> Self {
        let mut words = words(&blank(text));
        mark_tests(&mut words, is_test);
        let paths = paths(&words, &module_of(path));
        let head: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
        let mut steps = path.strip_prefix("src/").unwrap_or(path).split(['/', '.']);
        Self {
            path: path.to_owned(),
            room: steps.next().unwrap_or_default().to_owned(),
            lines: text.lines().count(),
            has_head: !head.is_empty(),
            calls_itself_pure: head
                .iter()
                .any(|line| line.split([' ', '.', ':', ',']).any(|word| word == "Pure")),
            words,
            paths,
        }
    }
}

/// All of `src/`, but `lib.rs`, which only lists the rooms.
pub(super) fn sources() -> Vec<Source> {
    let mut texts = BTreeMap::new();
    collect(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        "src",
        &mut texts,
    );
    texts.remove("src/lib.rs").expect("the crate has a root");
    assert!(texts.len() > 50, "only {} files were found", texts.len());
    house(&texts)
}

pub(super) fn house(texts: &BTreeMap<String, String>) -> Vec<Source> {
    let tests: BTreeSet<String> = texts.iter().flat_map(|(path, text)| test_files(path, text)).collect();
    texts
        .iter()
        .map(|(path, text)| Source::read(path, text, is_among(path, &tests)))
        .collect()
}

fn collect(folder: &Path, name: &str, texts: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a folder of src can be listed") {
        let path = entry.expect("an entry of src can be read").path();
        let file = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let name = format!("{name}/{file}");
        if path.is_dir() {
            collect(&path, &name, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.insert(name, fs::read_to_string(&path).expect("a file of src is text"));
        }
    }
}

/// The module that a file is, from the crate's root.
fn module_of(path: &str) -> Vec<String> {
    let path = path.strip_prefix("src/").unwrap_or(path);
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let mut module: Vec<String> = path.split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod") || module == ["main"] {
        module.pop();
    }
    module
}

/// The code with everything blanked that is none: comments, and what stands in string and character literals.
fn blank(text: &str) -> String {
    let code: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < code.len() {
        let end = literal_end(&code, at);
        if end == at {
            out.push(code[at]);
            at += 1;
            continue;
        }
        // As many blanks as there were characters: every line stays where it is.
        out.extend(code[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    out
}

/// Where the comment or literal that begins at `at` ends; `at` itself where none does.
fn literal_end(code: &[char], at: usize) -> usize {
    if !matches!(code[at], '/' | '"' | '\'' | 'b' | 'c' | 'r') {
        return at;
    }
    let sees = |at: usize, text: &str| text.chars().enumerate().all(|(n, c)| code.get(at + n) == Some(&c));
    let in_word = at > 0 && is_word(code[at - 1]);
    if sees(at, "//") {
        return (at..code.len()).find(|at| code[*at] == '\n').unwrap_or(code.len());
    }
    if sees(at, "/*") {
        let (mut depth, mut end) = (1, at + 2);
        while depth > 0 && end < code.len() {
            let step = usize::from(sees(end, "/*") || sees(end, "*/")) + 1;
            depth += i32::from(sees(end, "/*")) - i32::from(sees(end, "*/"));
            end += step;
        }
        return end;
    }
    let opens = |prefix: &str| {
        let open = at + prefix.len();
        let is_open = if prefix.ends_with('r') {
            raw_hashes(code, open).is_some()
        } else {
            sees(open, "\"")
        };
        sees(at, prefix) && is_open && (prefix.is_empty() || !in_word)
    };
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| opens(prefix));
    if let Some(prefix) = prefix {
        let open = at + prefix.len();
        if prefix.ends_with('r') {
            let hashes = raw_hashes(code, open).unwrap_or_default();
            let close = format!("\"{}", "#".repeat(hashes));
            let mut ends = open + hashes + 1..code.len();
            return ends
                .find(|at| sees(*at, &close))
                .map_or(code.len(), |at| at + close.len());
        }
        return quoted_end(code, open + 1, '"');
    }
    // `'x'` and `'\n'` are characters, `'a` alone is a lifetime.
    if sees(at, "'") && (sees(at + 1, "\\") || code.get(at + 2) == Some(&'\'')) {
        return quoted_end(code, at + 1, '\'');
    }
    at
}

/// How many `#` open a raw string at `at`, if one opens there.
fn raw_hashes(code: &[char], at: usize) -> Option<usize> {
    let hashes = code.get(at..)?.iter().take_while(|c| **c == '#').count();
    (code.get(at + hashes) == Some(&'"')).then_some(hashes)
}

fn quoted_end(code: &[char], mut at: usize, quote: char) -> usize {
    while at < code.len() && code[at] != quote {
        at += if code[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(code.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Blanked code as words and signs; `::` is one sign.
fn words(code: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for (number, text) in code.lines().enumerate() {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if is_word(first) {
                rest.find(|c| !is_word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            let (text, after) = rest.split_at(length);
            words.push(Word {
                text: text.to_owned(),
                line: number + 1,
                in_test: false,
            });
            rest = after.trim_start();
        }
    }
    words
}

/// Marks what is compiled for tests alone: the items after `#[cfg(test)]`, or all of a file.
fn mark_tests(words: &mut [Word], all: bool) {
    let ranges: Vec<_> = test_items(words).collect();
    for (at, word) in words.iter_mut().enumerate() {
        word.in_test = all || ranges.iter().any(|range| range.contains(&at));
    }
}

/// The items after `#[cfg(test)]`, each from the attribute to its end.
fn test_items(words: &[Word]) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    let is = |at: usize, text: &str| words.get(at).is_some_and(|word| word.text == text);
    (0..words.len())
        .filter(move |at| {
            ["#", "[", "cfg", "(", "test", ")", "]"]
                .iter()
                .enumerate()
                .all(|(n, text)| is(at + n, text))
        })
        .map(move |start| {
            let mut depth = 0_i32;
            let mut at = start + 7;
            while at < words.len() {
                match words[at].text.as_str() {
                    "{" | "(" | "[" => depth += 1,
                    "}" | ")" | "]" => depth -= 1,
                    _ => {}
                }
                // An attribute's bracket closes too, and ends nothing.
                let ends = depth == 0 && (is(at, "}") || is(at, ";"));
                at += 1;
                if ends {
                    break;
                }
            }
            start..at
        })
}

/// Whether a file is one of these modules, or stands below one that is a folder.
fn is_among(path: &str, tests: &BTreeSet<String>) -> bool {
    let folder = |module: &String| module.strip_suffix("mod.rs").map(str::to_owned);
    tests.contains(path) || tests.iter().filter_map(folder).any(|folder| path.starts_with(&folder))
}

/// Files that a `#[cfg(test)] mod NAME;` brings in.
fn test_files(path: &str, text: &str) -> Vec<String> {
    let words = words(&blank(text));
    let module = module_of(path).join("/");
    let mut files = Vec::new();
    for range in test_items(&words) {
        let item: Vec<&str> = words[range].iter().map(|word| word.text.as_str()).collect();
        if let [.., "mod", name, ";"] = item[..] {
            files.push(format!("src/{module}/{name}.rs"));
            files.push(format!("src/{module}/{name}/mod.rs"));
        }
    }
    files
}

/// Every path in the code, groups taken apart, `super` and `self` worked out.
fn paths(words: &[Word], module: &[String]) -> Vec<Named> {
    let is = |at: usize, text: &str| words.get(at).is_some_and(|word| word.text == text);
    let mut found = Vec::new();
    // Modules written out in the file, by the depth of braces at which each ends.
    let mut inline: Vec<(usize, String)> = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while at < words.len() {
        let word = &words[at];
        match word.text.as_str() {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inline.retain(|(end, _)| *end < depth + 1);
            }
            "mod" if is(at + 2, "{") => inline.push((depth + 1, words[at + 1].text.clone())),
            _ => {}
        }
        let begins = word.text.starts_with(is_word) && (at == 0 || !(is(at - 1, ".") || follows_word(words, at)));
        if begins && is(at + 1, "::") {
            let here: Vec<String> = module
                .iter()
                .cloned()
                .chain(inline.iter().map(|(_, name)| name.clone()))
                .collect();
            let mut raw = Vec::new();
            at = take_apart(words, at, &mut Vec::new(), &mut raw);
            found.extend(
                raw.into_iter()
                    .filter_map(|(segments, line)| settle(segments, line, word.in_test, &here)),
            );
        } else {
            at += 1;
        }
    }
    found
}

/// Whether the word at `at` goes on with a path that began before it.
fn follows_word(words: &[Word], at: usize) -> bool {
    at >= 2 && words[at - 1].text == "::" && words[at - 2].text.starts_with(is_word)
}

/// Reads the path or group at `at`; returns where it ends.
fn take_apart(words: &[Word], mut at: usize, before: &mut Vec<String>, found: &mut Vec<(Vec<String>, usize)>) -> usize {
    let text = |at: usize| words.get(at).map_or("", |word| word.text.as_str());
    let length = before.len();
    let line = words.get(at).map_or(0, |word| word.line);
    loop {
        if text(at) == "{" {
            at += 1;
            while at < words.len() && text(at) != "}" {
                at = take_apart(words, at, before, found);
                // What stands between two entries: a comma, or a new name for the last.
                while at < words.len() && !matches!(text(at), "," | "}") {
                    at += 1;
                }
                at += usize::from(text(at) == ",");
            }
            at += 1;
            break;
        }
        if !text(at).starts_with(|c| is_word(c) || c == '*') {
            // `Vec::<u8>::new` and the like: as far as it goes.
            found.push((before.clone(), line));
            break;
        }
        before.push(text(at).to_owned());
        at += 1;
        if text(at) != "::" {
            found.push((before.clone(), line));
            break;
        }
        at += 1;
    }
    before.truncate(length);
    at
}

/// Where a path begins: at the crate's root, or outside the crate. One that begins somewhere within its own module
/// leads nowhere that is of interest here.
fn settle(mut segments: Vec<String>, line: usize, in_test: bool, here: &[String]) -> Option<Named> {
    let supers = segments
        .iter()
        .take_while(|segment| matches!(segment.as_str(), "self" | "super"));
    let supers: Vec<bool> = supers.map(|segment| segment == "super").collect();
    let from_root = if matches!(segments.first().map(String::as_str), Some("crate" | "launchctl")) {
        segments.remove(0);
        true
    } else if supers.is_empty() {
        false
    } else {
        let up = supers.iter().filter(|up| **up).count();
        let mut whole = here[..here.len().checked_sub(up)?].to_vec();
        whole.extend(segments.drain(supers.len()..));
        segments = whole;
        true
    };
    Some(Named {
        from_root,
        segments,
        line,
        in_test,
    })
}
