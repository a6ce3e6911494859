//! The openspf suite for RFC 7208 (203 cases), run against the evaluator over a zone in memory. The file is not ours and
//! not committed: `LAUNCHCTL_RFC7208` names it, else it is looked for beside the repository.

use std::net::IpAddr;
use std::path::PathBuf;

use futures_util::FutureExt as _;
use granit_parser::{Event, Parser};

use super::evaluate::{Client, check_host};
use crate::mail::dns::{Exchanger, MemoryZone, QueryName, Question, Stored};

/// A YAML value, as far as the suite needs it: every scalar is a text.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

impl Value {
    fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            other => panic!("a text was expected: {other:?}"),
        }
    }

    /// The entries of a map.
    fn entries(&self) -> &[(String, Value)] {
        match self {
            Self::Map(entries) => entries,
            other => panic!("a map was expected: {other:?}"),
        }
    }

    /// The items of a list; a single value is a list of one.
    fn items(&self) -> Vec<&Value> {
        match self {
            Self::List(items) => items.iter().collect(),
            one => vec![one],
        }
    }
}

fn documents(text: &str) -> Vec<Value> {
    let mut events = Parser::new_from_str(text).map(|event| event.expect("the suite is valid YAML").0);
    let mut out = Vec::new();
    while let Some(event) = events.next() {
        if matches!(event, Event::DocumentStart(..)) {
            let first = significant(&mut events);
            out.push(value(first, &mut events));
        }
    }
    out
}

fn significant<'a>(events: &mut impl Iterator<Item = Event<'a>>) -> Event<'a> {
    events
        .find(|event| {
            matches!(
                event,
                Event::Scalar(..)
                    | Event::SequenceStart(..)
                    | Event::SequenceEnd
                    | Event::MappingStart(..)
                    | Event::MappingEnd
            )
        })
        .expect("the document goes on")
}

fn value<'a>(event: Event<'a>, events: &mut impl Iterator<Item = Event<'a>>) -> Value {
    match event {
        Event::Scalar(text, ..) => Value::Text(text.into_owned()),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match significant(events) {
                    Event::SequenceEnd => return Value::List(items),
                    event => items.push(value(event, events)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut entries = Vec::new();
            loop {
                match significant(events) {
                    Event::MappingEnd => return Value::Map(entries),
                    event => {
                        let key = value(event, events).text().to_owned();
                        let next = significant(events);
                        entries.push((key, value(next, events)));
                    }
                }
            }
        }
        other => panic!("the suite has no {other:?}"),
    }
}

fn name(text: &str) -> QueryName {
    QueryName::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// A scenario's zone: `SPF` counts as TXT unless the name has TXT of its own, `TIMEOUT` makes what follows it fail, and
/// only types that are not listed fail at such a name.
fn zone(data: &Value) -> MemoryZone {
    let mut zone = MemoryZone::default();
    for (owner, records) in data.entries() {
        let owner = name(owner);
        let records = records.items();
        let has_txt = records.iter().any(|record| record.get("TXT").is_some());
        let mut listed = Vec::new();
        for record in &records {
            let Value::Map(entries) = record else { continue };
            for (kind, value) in entries {
                if let Some((question, stored)) = stored(kind, value, has_txt) {
                    listed.push(question);
                    for record in stored {
                        zone.add(&owner, record);
                    }
                }
            }
        }
        if records.iter().any(|record| **record == Value::Text("TIMEOUT".into())) {
            for question in [
                Question::Txt,
                Question::A,
                Question::Aaaa,
                Question::Mx,
                Question::Ptr,
                Question::Cname,
            ] {
                if !listed.contains(&question) {
                    zone.fail(&owner, Some(question));
                }
            }
        }
    }
    zone
}

fn stored(kind: &str, value: &Value, has_txt: bool) -> Option<(Question, Vec<Stored>)> {
    let joined = |value: &Value| {
        value
            .items()
            .iter()
            .map(|part| part.text())
            .collect::<String>()
            .into_bytes()
    };
    Some(match kind {
        "SPF" if has_txt => return None,
        // `TXT: NONE` only keeps SPF from being copied.
        "TXT" if *value == Value::Text("NONE".into()) => return None,
        "SPF" | "TXT" => (Question::Txt, vec![Stored::Txt(joined(value))]),
        "A" => (
            Question::A,
            vec![Stored::A(value.text().parse().expect("an IPv4 address"))],
        ),
        "AAAA" => (
            Question::Aaaa,
            vec![Stored::Aaaa(value.text().parse().expect("an IPv6 address"))],
        ),
        "PTR" => (Question::Ptr, vec![Stored::Ptr(name(value.text()))]),
        "CNAME" => (Question::Cname, vec![Stored::Cname(name(value.text()))]),
        "MX" => {
            let items = value.items();
            let host = items[1].text();
            let exchanger = Exchanger {
                preference: items[0].text().parse().expect("a preference"),
                host: (!host.is_empty()).then(|| name(host)),
            };
            (Question::Mx, vec![Stored::Mx(exchanger)])
        }
        other => panic!("the suite has no {other}"),
    })
}

fn suite() -> String {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/rfc7208-tests.yml");
    let path = std::env::var_os("LAUNCHCTL_RFC7208").map_or_else(beside, PathBuf::from);
    std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "the RFC 7208 suite is not at {}: {error}. It is test/rfc7208-tests.yml of the pyspf 2.0.14 source \
             distribution; tests/run fetches it, and LAUNCHCTL_RFC7208 names another place",
            path.display()
        )
    })
}

/// What is wrong with one case, if anything.
fn failure(zone: &MemoryZone, case: &Value) -> Option<String> {
    let field = |key: &str| case.get(key).map(Value::text).unwrap_or_default();
    let ip: IpAddr = field("host").parse().expect("an address");
    let client = Client::new(ip, field("mailfrom"), field("helo"));
    let evaluation = check_host(zone, &client)
        .now_or_never()
        .expect("memory answers at once");
    let allowed: Vec<&str> = case
        .get("result")
        .expect("a result")
        .items()
        .iter()
        .map(|item| item.text())
        .collect();
    let outcome = evaluation.outcome.as_str();
    if !allowed.contains(&outcome) {
        let problem = evaluation.problem.unwrap_or_default();
        return Some(format!("{outcome} ({problem}), expected {}", allowed.join(" or ")));
    }
    let explanation = evaluation.explanation.as_deref().unwrap_or("DEFAULT");
    match case.get("explanation").map(Value::text) {
        Some(expected) if expected != explanation => Some(format!("explains {explanation:?}, expected {expected:?}")),
        _ => None,
    }
}

#[test]
fn all_203_cases_of_the_rfc_7208_suite_pass() {
    let mut cases = 0;
    let mut failures = Vec::new();
    for scenario in documents(&suite()) {
        let zone = zone(scenario.get("zonedata").expect("zone data"));
        let title = scenario.get("description").map(Value::text).unwrap_or_default();
        for (id, case) in scenario.get("tests").expect("tests").entries() {
            cases += 1;
            if let Some(what) = failure(&zone, case) {
                failures.push(format!("{title} / {id}: {what}"));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {cases} fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert_eq!(cases, 203, "the suite has 203 cases");
}
