//! The house, held to its plan: imports run downward, nothing prints but `ui`, the middle has no I/O and no clock, every
//! module says what it is for. ARCHITECTURE.md tells why; this file reads `src/` and fails where it is not so.
//! [`reader`] knows how to read it.

mod reader;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use reader::{Named, Source, house, sources};

/// A room: a folder or a file right under `src/`.
struct Room {
    name: &'static str,
    /// A room may use every room on a lower level, and none on its own or above.
    level: u8,
    /// Rooms on its own level that it may use all the same.
    beside: &'static [&'static str],
    /// Rooms below that it must not know.
    not: &'static [&'static str],
}

/// Every room there is, those that later issues bring included. An unknown folder fails the test: give it a line here
/// and a paragraph in ARCHITECTURE.md.
const ROOMS: &[Room] = &[
    room("main", 7, &["cli"], &[]),
    room("cli", 7, &[], &[]),
    room("ui", 6, &[], &[]),
    room("ops", 5, &[], &[]),
    room("apply", 4, &["history"], &["spec"]),
    room("history", 4, &[], &["provider", "spec"]),
    room("verify", 4, &[], &[]),
    room("handover", 4, &["verify"], &[]),
    // Aside: it stands in for what is outside, so it shares no knowledge with what talks to it.
    room("sandbox", 4, &[], &["provider", "plan", "spec", "mail"]),
    room("provider", 3, &[], &["spec"]),
    room("plan", 2, &[], &[]),
    room("spec", 2, &["mail"], &[]),
    room("mail", 2, &[], &[]),
    room("model", 1, &[], &[]),
    room("base", 0, &[], &[]),
];

/// Rooms without I/O and without a clock. Beside them, every file whose head calls it pure is held to the same.
const PURE: &[&str] = &["base", "model", "plan", "spec", "mail"];

/// Files of pure rooms that are the one door to something, and the paths that each is the door to.
const DOORS: &[(&str, &[&str])] = &[
    ("src/base/files.rs", &["std::fs"]),
    ("src/base/clock.rs", &["Timestamp::now"]),
];

/// The most lines of a file.
const LONGEST: usize = 600;

/// Files that are longer, and why they are one file all the same.
const LONG_FILES: &[(&str, &str)] = &[];

const fn room(name: &'static str, level: u8, beside: &'static [&'static str], not: &'static [&'static str]) -> Room {
    Room {
        name,
        level,
        beside,
        not,
    }
}

fn known(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

// ── the rules ───────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn imports_run_downward() {
    let house = sources();
    let uses = |room: &str, other: &str| {
        let paths = house
            .iter()
            .filter(|source| source.room == room)
            .flat_map(|source| &source.paths);
        paths
            .filter(|path| path.from_root)
            .any(|path| path.segments.first().is_some_and(|first| first == other))
    };
    // A reader that saw nothing would find nothing wrong.
    assert!(uses("main", "cli") && uses("cli", "ops") && uses("provider", "plan") && uses("model", "base"));
    check(&house, imports);
}

#[test]
fn every_room_has_its_paragraph() {
    let map = include_str!("../../ARCHITECTURE.md");
    let rooms: BTreeSet<String> = sources().into_iter().map(|source| source.room).collect();
    for room in rooms.iter().filter(|room| *room != "main") {
        assert!(
            map.contains(&format!("**`{room}/`**")),
            "ARCHITECTURE.md has no paragraph on `{room}/`"
        );
    }
}

#[test]
fn nothing_prints_but_ui() {
    check(&sources(), prints);
}

#[test]
fn the_middle_has_no_io_and_no_clock() {
    check(&sources(), impurities);
}

#[test]
fn every_module_says_what_it_is_for_and_is_one_idea() {
    check(&sources(), shapes);
}

#[test]
fn nothing_is_left_to_luck() {
    check(&sources(), luck);
}

#[test]
fn the_exceptions_are_still_needed() {
    let house = sources();
    for (name, doors) in DOORS {
        let source = house.iter().find(|source| source.path == *name);
        let source = source.unwrap_or_else(|| panic!("{name} is gone: take it off the list of doors"));
        for door in *doors {
            let leads_there = source.paths.iter().any(|path| !path.in_test && path.leads_to(door));
            assert!(
                leads_there,
                "{name} does not use {door} any more: take it off the list of doors"
            );
        }
    }
    for (name, reason) in LONG_FILES {
        let source = house.iter().find(|source| source.path == *name);
        let lines = source.map_or(0, |source| source.lines);
        assert!(
            lines > LONGEST,
            "{name} has {lines} lines: take it off the list of long files"
        );
        assert!(
            !reason.is_empty(),
            "{name} is on the list of long files without a reason"
        );
    }
}

/// Something that is not as it should be: where, and what.
type Finding = (String, usize, String);

fn finding(source: &Source, line: usize, words: String) -> Finding {
    (source.path.clone(), line, words)
}

/// Fails with everything that was found, one line each.
#[track_caller]
fn check(house: &[Source], rule: fn(&Source, &[Source]) -> Vec<Finding>) {
    let mut findings: Vec<Finding> = house.iter().flat_map(|source| rule(source, house)).collect();
    findings.sort();
    findings.dedup();
    let list = findings.iter().fold(String::new(), |mut list, (path, line, words)| {
        let _ = write!(list, "\n  {path}:{line}: {words}");
        list
    });
    assert!(
        findings.is_empty(),
        "{} against the house (see ARCHITECTURE.md):{list}",
        findings.len()
    );
}

/// What may know what.
fn imports(source: &Source, house: &[Source]) -> Vec<Finding> {
    let Some(from) = known(&source.room) else {
        return vec![finding(
            source,
            1,
            format!("`{}` is no room that the test knows", source.room),
        )];
    };
    let mut findings = Vec::new();
    for path in source.paths.iter().filter(|path| path.from_root) {
        let Some(to) = path.segments.first() else { continue };
        let why = match known(to) {
            _ if *to == source.room => stranger(source, path, house),
            _ if to == "*" => Some("a glob over the whole crate hides what is used".to_owned()),
            None => Some(format!("`{to}` is no room that the test knows")),
            Some(to) => objection(from, to),
        };
        findings.extend(why.map(|why| finding(source, path.line, why)));
    }
    findings
}

fn objection(from: &Room, to: &Room) -> Option<String> {
    let (name, other) = (from.name, to.name);
    if from.not.contains(&other) {
        Some(format!("{name} must not know {other}"))
    } else if to.level < from.level || from.beside.contains(&other) {
        None
    } else if to.level == from.level {
        Some(format!(
            "{name} and {other} are both on level {}: neither knows the other",
            to.level
        ))
    } else {
        Some(format!(
            "{name} (level {}) must not know {other} (level {})",
            from.level, to.level
        ))
    }
}

/// One provider in another's folder: what is peculiar to one stays with it.
fn stranger(source: &Source, path: &Named, house: &[Source]) -> Option<String> {
    let own = provider_of(&source.path)?;
    let other = path.segments.get(1)?;
    let is_provider = house.iter().any(|file| provider_of(&file.path) == Some(other.as_str()));
    (path.segments[0] == "provider" && is_provider && other != own)
        .then(|| format!("the provider {own} must not know the provider {other}"))
}

fn provider_of(path: &str) -> Option<&str> {
    path.strip_prefix("src/provider/")?
        .split_once('/')
        .map(|(name, _)| name)
}

/// Whoever writes to the terminal.
fn prints(source: &Source, _: &[Source]) -> Vec<Finding> {
    if matches!(source.room.as_str(), "ui" | "main") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (at, word) in source.words.iter().enumerate() {
        let next = source.words.get(at + 1).map_or("", |word| word.text.as_str());
        let is_method = at > 0 && source.words[at - 1].text == ".";
        let prints = match word.text.as_str() {
            "print" | "println" | "eprint" | "eprintln" | "dbg" => next == "!",
            "stdout" | "stderr" => next == "(" && !is_method,
            _ => false,
        };
        if prints {
            findings.push(finding(source, word.line, format!("`{}` is for ui alone", word.text)));
        }
    }
    findings
}

/// I/O and clocks where there are none to be.
fn impurities(source: &Source, _: &[Source]) -> Vec<Finding> {
    const CLOSED: &[&str] = &[
        "std::env",
        "std::fs",
        "std::io::stdin",
        "std::net::TcpListener",
        "std::net::TcpStream",
        "std::net::ToSocketAddrs",
        "std::net::UdpSocket",
        "std::process",
        "std::thread",
        "Instant::now",
        "SystemTime::now",
        "Timestamp::now",
        "Zoned::now",
        "hickory_resolver",
        "hyper",
        "keyring",
        "reqwest",
        "tokio",
    ];
    if !PURE.contains(&source.room.as_str()) && !source.calls_itself_pure {
        return Vec::new();
    }
    let door = DOORS.iter().find(|(name, _)| *name == source.path);
    let mut findings = Vec::new();
    for path in source.paths.iter().filter(|path| !path.in_test) {
        for closed in CLOSED.iter().filter(|closed| path.leads_to(closed)) {
            if !door.is_some_and(|(_, open)| open.contains(closed)) {
                findings.push(finding(
                    source,
                    path.line,
                    format!("`{closed}` in a place without I/O and without a clock"),
                ));
            }
        }
    }
    findings
}

/// What each file owes its reader.
fn shapes(source: &Source, _: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !source.has_head {
        findings.push(finding(
            source,
            1,
            "a module opens with `//!`: what it is for, what it must not know".to_owned(),
        ));
    }
    if source.lines > LONGEST && !LONG_FILES.iter().any(|(name, _)| *name == source.path) {
        let words = format!(
            "{} lines are more than {LONGEST}: which is the second idea in it?",
            source.lines
        );
        findings.push(finding(source, source.lines, words));
    }
    findings
}

/// Panics that nobody gave a reason for, and work that is not done.
fn luck(source: &Source, _: &[Source]) -> Vec<Finding> {
    let texts: Vec<&str> = source.words.iter().map(|word| word.text.as_str()).collect();
    let mut findings = Vec::new();
    for (at, word) in source.words.iter().enumerate().filter(|(_, word)| !word.in_test) {
        let words = match texts[at..] {
            [".", "unwrap", "(", ..] => {
                "`unwrap` says not why it cannot fail: return the error, or `expect` with words"
            }
            ["todo" | "unimplemented", "!", ..] => "not done yet",
            _ => continue,
        };
        findings.push(finding(source, word.line, words.to_owned()));
    }
    findings
}

// ── the test of the test ────────────────────────────────────────────────────────────────────────────────────────────

/// What a rule says of a house of these files, as `LINE: WORDS`.
fn said(rule: fn(&Source, &[Source]) -> Vec<Finding>, files: &[(&str, &str)]) -> Vec<String> {
    let texts = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let house = house(&texts);
    let mut findings: Vec<Finding> = house.iter().flat_map(|source| rule(source, &house)).collect();
    findings.dedup();
    findings
        .iter()
        .map(|(_, line, words)| format!("{line}: {words}"))
        .collect()
}

#[test]
fn an_upward_import_is_caught_however_it_is_written() {
    let upward = "model (level 1) must not know plan (level 2)";
    for text in [
        "use crate::plan::Change;",
        "use crate::{base::text, plan};",
        "use crate::{\n  base::{text, digest},\n  plan::{self as p, Change}\n};",
        "fn f() -> crate::plan::Change { todo }",
        "use super::super::plan::Change;",
        "mod inner { use super::super::super::plan; }",
        "use launchctl::plan::Change;",
        "pub(crate) use crate::plan::*;",
        "fn f(c: char) { if c == '\"' { crate::plan::diff(c, '\\'', \"\\\"\") } }",
        "fn f<'a>(c: &'a str) { let _ = (r#\"\"\"#, b'\"', crate::plan::diff(c)); }",
    ] {
        let found = said(imports, &[("src/model/name.rs", text)]);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].ends_with(upward), "{text}: {found:?}");
    }
    assert_eq!(
        said(
            imports,
            &[("src/model/a.rs", "//! x\n\nuse crate::{\n  base,\n  plan,\n};")]
        ),
        [format!("5: {upward}")]
    );
}

#[test]
fn what_only_looks_like_an_import_is_none() {
    for text in [
        "// use crate::plan::Change;",
        "/* use crate::plan; /* nested */ use crate::plan; */",
        "//! [`crate::plan`] is above.\n/// So is [`crate::spec`].",
        "const A: &str = \"use crate::plan\"; const B: &str = r##\"crate::plan \"# crate::plan\"##;",
        "const C: &[u8] = b\"crate::plan\"; const D: char = '\"'; const E: &str = \"crate::plan\";",
        "pub(crate) fn plan() { crate::base::text::plan() }",
        "use crate::model::{plan, spec::plan as ops}; use super::plan; use self::ops;",
        "mod inner { use super::super::plan; use super::ops; }",
    ] {
        assert_eq!(
            said(imports, &[("src/model/name.rs", text)]),
            Vec::<String>::new(),
            "{text}"
        );
    }
}

#[test]
fn rooms_that_must_not_know_each_other_are_caught() {
    for (path, text, words) in [
        (
            "src/plan/diff.rs",
            "use crate::spec;",
            "plan and spec are both on level 2: neither knows the other",
        ),
        (
            "src/spec/lower/dns.rs",
            "use crate::plan;",
            "spec and plan are both on level 2: neither knows the other",
        ),
        (
            "src/spec/load.rs",
            "use crate::sandbox;",
            "spec (level 2) must not know sandbox (level 4)",
        ),
        (
            "src/provider/http.rs",
            "use crate::spec;",
            "provider must not know spec",
        ),
        (
            "src/history/local.rs",
            "use crate::provider;",
            "history must not know provider",
        ),
        (
            "src/history/local.rs",
            "use crate::apply;",
            "history and apply are both on level 4: neither knows the other",
        ),
        (
            "src/sandbox/world.rs",
            "use crate::provider;",
            "sandbox must not know provider",
        ),
        ("src/sandbox/world.rs", "use crate::plan;", "sandbox must not know plan"),
        (
            "src/ops/plan.rs",
            "use crate::ui;",
            "ops (level 5) must not know ui (level 6)",
        ),
        (
            "src/cli/mod.rs",
            "use super::*;",
            "a glob over the whole crate hides what is used",
        ),
        (
            "src/cli/mod.rs",
            "use crate::gadgets;",
            "`gadgets` is no room that the test knows",
        ),
        ("src/gadgets/mod.rs", "", "`gadgets` is no room that the test knows"),
    ] {
        assert_eq!(
            said(imports, &[(path, text)]),
            [format!("1: {words}")],
            "{path}: {text}"
        );
    }
    let two = [
        ("src/provider/a/mod.rs", "use super::b;"),
        ("src/provider/b/mod.rs", "use crate::provider::http;"),
    ];
    assert_eq!(said(imports, &two), ["1: the provider a must not know the provider b"]);
    for (path, text) in [
        ("src/apply/executor.rs", "use crate::{history, provider, plan, base};"),
        ("src/sandbox/mod.rs", "use crate::{base, model};"),
        ("src/main.rs", "fn main() { launchctl::cli::main() }"),
        (
            "src/ops/session.rs",
            "use crate::{sandbox, spec, provider, history, apply};",
        ),
    ] {
        assert_eq!(said(imports, &[(path, text)]), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn the_other_rules_catch_what_they_are_for() {
    for text in [
        "println!(\"x\");",
        "std::io::stdout().lock();",
        "use std::io::stderr; stderr();",
        "dbg!(1);",
    ] {
        assert_eq!(said(prints, &[("src/ops/plan.rs", text)]).len(), 1, "{text}");
        assert!(said(prints, &[("src/ui/terminal.rs", text)]).is_empty(), "{text}");
    }
    assert!(
        said(
            prints,
            &[("src/cli/mod.rs", "error.print(); command.stdout(x); // println!")]
        )
        .is_empty()
    );

    for text in [
        "use std::fs;",
        "use std::{collections::BTreeMap, fs::File};",
        "let x = ::std::env::var(name);",
        "let now = jiff::Timestamp::now();",
        "let now = Timestamp::now();",
        "tokio::spawn(x);",
        "use std::net::{IpAddr, TcpStream};",
    ] {
        assert_eq!(said(impurities, &[("src/spec/load.rs", text)]).len(), 1, "{text}");
        assert!(said(impurities, &[("src/history/local.rs", text)]).is_empty(), "{text}");
        let pure = format!("//! Sorts. Pure.\n{text}");
        assert_eq!(said(impurities, &[("src/history/chain.rs", &pure)]).len(), 1, "{text}");
        let test = format!("#[cfg(test)]\n#[allow(x)]\nmod tests {{\n fn f() {{}} {text} }}\n");
        assert!(said(impurities, &[("src/spec/load.rs", &test)]).is_empty(), "{text}");
    }
    assert!(said(impurities, &[("src/base/files.rs", "use std::fs;")]).is_empty());
    assert_eq!(said(impurities, &[("src/base/files.rs", "std::env::var(x);")]).len(), 1);
    assert!(
        said(
            impurities,
            &[("src/spec/load.rs", "use std::net::IpAddr; inputs.env(x); Self::now();")]
        )
        .is_empty()
    );

    assert_eq!(said(shapes, &[("src/plan/diff.rs", "use x;\n//! late\n")]).len(), 1);
    assert!(
        said(
            shapes,
            &[("src/plan/diff.rs", &format!("//! x\n{}", "\n".repeat(LONGEST - 1)))]
        )
        .is_empty()
    );
    assert_eq!(
        said(
            shapes,
            &[("src/plan/diff.rs", &format!("//! x\n{}", "\n".repeat(LONGEST)))]
        )
        .len(),
        1
    );

    let files = [
        (
            "src/plan/mod.rs",
            "fn f() { x.unwrap(); y.unwrap_or(1); }\n#[cfg(test)]\nmod tests;\nfn g() { todo!() }",
        ),
        ("src/plan/tests.rs", "fn f() { x.unwrap() }"),
        (
            "src/plan/other.rs",
            "#[cfg(test)]\nuse x::{y};\nfn f() { z.unwrap() } // y.unwrap()",
        ),
    ];
    let found = said(luck, &files);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found[0].starts_with("1: ") && found[1].starts_with("4: ") && found[2].starts_with("3: "),
        "{found:?}"
    );
}
