//! The loader as a whole: what it makes of a spec, what it says of a wrong one, and that nothing makes it panic. The
//! corpus of wrong specs with their whole messages stands under `tests/`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod mail;

mod written_down;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::yaml::{self, Node, Value};
use super::{Inputs, Loaded, load, schema};
use crate::base::diagnostic::{Severity, Source};
use crate::mail::spf::lock::LockFile;
use crate::model::capability::{Capabilities, TagRules, ZoneCreation};
use crate::model::record::RecordType;

/// A provider that holds everything, and one that holds little.
fn providers() -> Vec<Capabilities> {
    let tags = TagRules {
        most: 2,
        name: 8,
        value: 8,
        reserved: "cf-",
    };
    let rich = Capabilities {
        name: "cloudflare",
        title: "Cloudflare",
        kinds: RecordType::ALL,
        ttl: 30..=86_400,
        proxies: true,
        flattens: true,
        comment: Some(20),
        tags: Some(tags),
        longest_record: 300,
        creation: ZoneCreation::ChoosesNameServers,
        dnssec: None,
        edge: None,
        automatic_ttl: None,
        whole_sets: false,
        dns_server: false,
        uptime: None,
    };
    let poor = Capabilities {
        name: "plain",
        title: "Plain DNS",
        kinds: &[RecordType::A, RecordType::Cname, RecordType::Mx, RecordType::Txt],
        ttl: 0..=86_400,
        proxies: false,
        flattens: false,
        comment: None,
        tags: None,
        longest_record: 65_535,
        creation: ZoneCreation::ChoosesNameServers,
        dnssec: None,
        edge: None,
        automatic_ttl: Some(3_600),
        whole_sets: true,
        dns_server: false,
        uptime: None,
    };
    vec![rich, poor]
}

fn source(text: &str) -> Arc<Source> {
    Arc::new(Source {
        path: "launch.yaml".into(),
        text: text.into(),
    })
}

fn read_with(text: &str, vars: &[(&str, &str)]) -> Loaded {
    let vars: BTreeMap<String, String> = vars.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    let env = |name: &str| (name == "ORIGIN").then(|| "192.0.2.77".to_owned());
    let inputs = Inputs {
        vars: &vars,
        env: &env,
        files: &|name| Err(format!("there is no `{name}`")),
        providers: &providers(),
        today: jiff::civil::date(2026, 11, 24),
        spf_lock: &LockFile::default(),
    };
    load(&source(text), &inputs)
}

/// A spec of one zone with these lines under `records:`.
fn zone(records: &str) -> String {
    let records: String = records.lines().map(|line| format!("      {}\n", line.trim())).collect();
    format!("version: 1\nzones:\n  acme.example:\n    provider: cloudflare\n    records:\n{records}")
}

/// `code line what-is-pointed-at` of everything that was found.
fn found(text: &str) -> Vec<String> {
    let loaded = read_with(text, &[]);
    let findings = loaded.diagnostics.sorted();
    let said = findings.iter().map(|finding| {
        let place = finding.place.as_ref();
        let at = place.map_or_else(
            || "nowhere".to_owned(),
            |place| format!("{} {}", place.line(), place.text()),
        );
        let mark = if finding.severity == Severity::Warning {
            "(warning) "
        } else {
            ""
        };
        format!("{mark}{} {at}", finding.code)
    });
    said.collect()
}

/// What the records come to, address by address.
fn values(text: &str, vars: &[(&str, &str)]) -> Vec<String> {
    let loaded = read_with(text, vars);
    let spec = loaded.spec.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    let sets = spec.desired.inventory.iter().map(|(address, resource)| {
        let set = resource.as_record_set().unwrap();
        let records: Vec<String> = set
            .records
            .iter()
            .map(|record| format!("{} {}", record.data, record.ttl))
            .collect();
        format!("{address}: {}", records.join(", "))
    });
    sets.collect()
}

#[test]
fn names_values_and_times_come_out_canonical() {
    let text = zone(
        "- { type: a, name: WWW, value: 192.0.2.1, ttl: 300 }
         - { type: A, name: www.acme.example, value: 192.0.2.2, ttl: 5m }
         - { type: CNAME, name: \"*.Bücher\", value: ACME.example. }
         - { type: TXT, name: \"@\", value: '\"a\" \"b\"' }
         - { type: MX, name: \"@\", values: [10 mx.host.example, 5 mx2.host.example] }
         - { type: A, name: app, value: 192.0.2.3, proxied: true, ttl: auto }",
    );
    assert_eq!(
        values(&text, &[]),
        [
            "acme.example/dns/A/app: 192.0.2.3 auto",
            "acme.example/dns/A/www: 192.0.2.1 5m, 192.0.2.2 5m",
            "acme.example/dns/CNAME/*.xn--bcher-kva: acme.example auto",
            "acme.example/dns/MX/@: 5 mx2.host.example auto, 10 mx.host.example auto",
            "acme.example/dns/TXT/@/ab-fb8e20fc: ab auto",
        ]
    );
}

#[test]
fn variables_come_from_the_spec_the_environment_and_the_command_line() {
    let text = |value: &str| {
        zone(&format!("- {{ type: TXT, name: \"@\", value: \"{value}\" }}"))
            .replace("version: 1\n", "version: 1\nvars: { a: one, o: env:ORIGIN }\n")
    };
    let value = |value: &str, vars: &[(&str, &str)]| {
        let all = values(&text(value), vars);
        all[0]
            .split_once(": ")
            .unwrap()
            .1
            .strip_suffix(" auto")
            .unwrap()
            .to_owned()
    };
    assert_eq!(value("${a} ${o}", &[]), "one 192.0.2.77");
    assert_eq!(value("${a}", &[("a", "two")]), "two");
    assert_eq!(value("${late}", &[("late", "x")]), "x");
    assert_eq!(value("$${a} ${1} $5 {a}", &[]), "${a} ${1} $5 {a}");
    for (written, vars, expected) in [
        ("${b}", &[][..], "undefined-variable"),
        ("${a", &[], "bad-variable"),
        ("${}", &[], "undefined-variable"),
        ("x", &[("nobody", "1")], "unknown-variable"),
    ] {
        let loaded = read_with(&text(written), vars);
        let codes: Vec<&str> = loaded.diagnostics.iter().map(|finding| finding.code).collect();
        assert!(codes.contains(&expected), "{written}: {codes:?}");
        assert!(loaded.spec.is_none());
    }
    let unset = "version: 1\nvars: { x: env:NOBODY }\nzones:\n  acme.example:\n    provider: cloudflare\n    records: [{ type: A, name: \"${x}\", value: \"${x}\" }]\n";
    assert_eq!(
        found(unset),
        ["unset-environment 2 env:NOBODY"],
        "and nothing more about its uses"
    );
}

#[test]
fn every_contradiction_is_found_where_it_stands() {
    for (records, expected) in [
        (
            "- { type: CNAME, name: www, value: a.example }\n- { type: A, name: www, value: 192.0.2.1 }",
            vec!["cname-beside-others 6 a.example"],
        ),
        (
            "- { type: CNAME, name: www, value: a.example }\n- { type: TXT, name: www, value: x }",
            vec!["cname-beside-others 6 a.example"],
        ),
        (
            "- { type: CNAME, name: www, value: a.example, proxied: true }\n- { type: TXT, name: www, value: x }",
            vec![],
        ),
        (
            "- { type: CNAME, name: \"@\", value: a.host.test }\n- { type: TXT, name: \"@\", value: x }",
            vec![],
        ),
        (
            "- { type: CNAME, name: \"@\", value: a.host.test }\n- { type: A, name: \"@\", value: 192.0.2.1 }",
            vec!["cname-beside-others 6 a.host.test"],
        ),
        (
            "- { type: CNAME, name: sub, value: a.host.test }\n- { type: NS, name: sub, value: ns.host.test }",
            vec!["cname-beside-others 6 a.host.test"],
        ),
        (
            "- { type: CNAME, name: www, values: [a.host.test, b.host.test] }",
            vec!["cname-twice 6 b.host.test"],
        ),
        ("- { type: CNAME, name: www, value: www }", vec!["bad-value 6 www"]),
        (
            "- { type: CNAME, name: www, value: www.acme.example }",
            vec!["cname-to-itself 6 www.acme.example"],
        ),
        (
            "- { type: A, name: x, values: [192.0.2.1, 192.0.2.1] }",
            vec!["duplicate-value 6 192.0.2.1"],
        ),
        (
            "- { type: A, name: x, value: 192.0.2.1 }\n- { type: A, name: X, value: 192.0.2.1 }",
            vec!["duplicate-value 7 192.0.2.1"],
        ),
        (
            "- { type: TXT, name: \"@\", values: [v=spf1 -all, v=spf1 ~all] }",
            vec!["one-per-name 6 v=spf1 ~all"],
        ),
        (
            "- { type: A, name: x, value: 192.0.2.1, ttl: 60 }\n- { type: A, name: x, value: 192.0.2.2 }",
            vec!["(warning) ttl-differs 7 { type: A, name: x, value: 192.0.2.2 }"],
        ),
        (
            "- { type: DS, name: sub, value: 1 13 1 0123456789abcdef0123456789abcdef01234567 }",
            vec!["ds-without-ns 6 1 13 1 0123456789abcdef0123456789abcdef01234567"],
        ),
        (
            "- { type: NS, name: sub, value: ns.host.test }\n- { type: A, name: sub, value: 192.0.2.1 }",
            vec!["beside-delegation 7 192.0.2.1"],
        ),
        (
            "- { type: NS, name: sub, value: ns.sub.acme.example }\n- { type: A, name: ns.sub, value: 192.0.2.1 }\n- { type: A, name: x.sub, value: 192.0.2.1 }",
            vec!["(warning) below-delegation 8 x.sub"],
        ),
        (
            "- { type: MX, name: \"@\", values: [0 ., 10 mx.host.test] }",
            vec!["null-mx 6 0 ."],
        ),
        (
            "- { type: TXT, name: x, value: y, proxied: true }",
            vec!["not-proxiable 6 true"],
        ),
        (
            "- { type: A, name: x, value: 192.0.2.1, proxied: true, ttl: 5m }",
            vec!["(warning) ttl-of-proxied 6 5m"],
        ),
        (
            "- { type: A, name: x, value: 192.0.2.1, ttl: 10 }",
            vec!["ttl-out-of-range 6 10"],
        ),
        (
            "- { type: A, name: x, value: 192.0.2.1, ttl: 2d }",
            vec!["ttl-out-of-range 6 2d"],
        ),
        (
            "- { type: SRV, name: sip, value: 1 1 1 a.host.test }",
            vec!["srv-name 6 sip"],
        ),
        (
            "- { type: SRV, name: \"*._sip._tcp\", value: 1 1 1 a.host.test }",
            vec![],
        ),
        (
            "- { type: TLSA, name: mail, value: 3 0 0 ab }",
            vec!["(warning) tlsa-name 6 mail"],
        ),
        (
            "- { type: MX, name: \"@\", value: 10 192.0.2.1 }",
            vec!["target-is-address 6 10 192.0.2.1"],
        ),
        (
            "- { type: CNAME, name: mx, value: a.host.test }\n- { type: MX, name: \"@\", value: 10 mx.acme.example }",
            vec!["(warning) target-is-alias 7 10 mx.acme.example"],
        ),
        (
            "- { type: A, name: www.other.test., value: 192.0.2.1 }",
            vec!["outside-zone 6 www.other.test."],
        ),
        (
            "- { type: A, name: www.other.example, value: 192.0.2.1 }",
            vec!["(warning) looks-whole 6 www.other.example"],
        ),
        (
            "- { type: A, name: x, value: 192.0.2.1, comment: this comment is far too long }",
            vec!["comment-too-long 6 this comment is far too long"],
        ),
        (
            "- { type: A, name: x, value: 192.0.2.1, comment: \"a\\tb\" }",
            vec!["bad-comment 6 \"a\\tb\""],
        ),
        (
            "- { type: A, name: x, value: 192.0.2.1, tags: [a, b, c] }",
            vec!["too-many-tags 6 tags"],
        ),
        (
            "- { type: A, name: x, value: 192.0.2.1, tags: [\"cf-x:1\", \"a b\"] }",
            vec!["bad-tag 6 tags", "bad-tag 6 tags"],
        ),
        ("- { type: TXT, name: x, value: \"\" }", vec!["bad-value 6 \""]),
        (
            "- { type: A, name: x, values: [] }\n- { type: A, name: x, value: 192.0.2.1 }",
            vec!["present-and-absent 6 values"],
        ),
        ("- { type: TXT, name: x, values: [] }", vec!["txt-absence 6 values"]),
        (
            "- { type: A, name: x, value: 192.0.2.1, values: [192.0.2.2] }",
            vec!["value-and-values 6 values"],
        ),
        ("- { type: SOA, name: \"@\", value: x }", vec!["unknown-type 6 SOA"]),
    ] {
        let text = zone(records);
        assert_eq!(found(&text), expected, "{records}");
    }
    let long = zone(&format!("- {{ type: TXT, name: x, value: {} }}", "a".repeat(300)));
    assert_eq!(found(&long)[0].split(" aaa").next(), Some("text-too-long 6"));
}

#[test]
fn what_a_provider_cannot_hold_is_refused_by_its_name() {
    let text = zone(
        "- { type: A, name: x, value: 192.0.2.1, proxied: true, comment: hello, tags: [a] }
         - { type: SRV, name: _a._tcp, value: 1 1 1 a.host.test }",
    )
    .replace("provider: cloudflare", "provider: plain");
    assert_eq!(
        found(&text),
        [
            "not-proxiable 6 true",
            "no-comments 6 hello",
            "no-tags 6 tags",
            "unsupported-type 7 SRV"
        ]
    );
    let said = read_with(&text, &[]).diagnostics;
    assert!(
        said.iter()
            .all(|finding| finding.message.contains("Plain DNS") && finding.address.is_some()),
        "{said:#?}"
    );
}

#[test]
fn zones_are_named_once_and_rightly() {
    let zone = |name: &str| format!("  {name}: {{ provider: cloudflare }}\n");
    let text = |zones: &str| format!("version: 1\nzones:\n{zones}");
    assert_eq!(
        found(&text(&(zone("acme.example") + &zone("ACME.example.")))),
        ["duplicate-zone 4 ACME.example."]
    );
    assert_eq!(found(&text(&zone("example"))), ["bad-zone-name 3 example"]);
    assert_eq!(
        found(&text(&zone("\"*.acme.example\""))),
        ["bad-zone-name 3 \"*.acme.example\""]
    );
    assert_eq!(found(&text(&zone("a..b"))), ["bad-zone-name 3 a..b"]);
    assert_eq!(
        found("version: 1\nzones:\n  acme.example:\n"),
        ["missing-key 3 acme.example"]
    );
    assert_eq!(found("version: 2\nzones: {}\n"), ["wrong-version 1 2"]);
    assert_eq!(found("zones: {}\n"), ["missing-key 1 zones: {}"]);
    assert_eq!(found(""), ["empty-spec 1 "]);
    assert_eq!(found("# only a comment\n"), ["empty-spec 1 "]);
    assert_eq!(found("- a\n"), ["wrong-shape 1 - a"]);
    let nested = "version: 1\nzones:\n  acme.example: { provider: cloudflare, records: [{ type: A, name: x.eu, value: 192.0.2.1 }] }\n  eu.acme.example: { provider: cloudflare }\n";
    assert_eq!(found(nested), ["(warning) another-zone 3 x.eu"]);
}

#[test]
fn a_pasted_credential_is_never_shown() {
    let pasted = "AbC123-pasted-credential";
    for text in [
        format!("version: 1\nproviders:\n  cloudflare:\n    token: {pasted}\nzones: {{}}\n"),
        format!("version: 1\nproviders: {{ cloudflare: {{ tokn: 1, token: \"{pasted}\" }} }}\nzones: {{}}\n"),
        format!("version: 1\nproviders:\n  cloudflare:\n    token: \"{pasted}\n"),
        format!("version: 1\nproviders:\n  cloudflare: {{ token: {pasted}, [ }}\n"),
    ] {
        let loaded = read_with(&text, &[]);
        assert!(loaded.diagnostics.has_errors());
        for finding in loaded.diagnostics.iter() {
            let place = finding.place.as_ref().unwrap();
            assert!(!place.source.text.contains(pasted), "{finding:#?}");
            assert!(!finding.message.contains(pasted), "{finding:#?}");
            assert_eq!(place.source.text.len(), text.len(), "every place stays where it is");
        }
    }
}

/// The tree as JSON, plain scalars read as YAML's core schema has them.
fn to_json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Scalar(scalar) if scalar.plain => match scalar.text.as_str() {
            "true" => json!(true),
            "false" => json!(false),
            other => other
                .parse::<i64>()
                .map_or_else(|_| json!(other), |number| json!(number)),
        },
        Value::Scalar(scalar) => json!(scalar.text),
        Value::Sequence(items) => items.iter().map(|item| to_json(item)).collect(),
        Value::Mapping(entries) => Json::Object(
            entries
                .iter()
                .map(|entry| (entry.key.text.clone(), to_json(&entry.value)))
                .collect(),
        ),
    }
}

fn root_of(path: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_schema_in_the_repository_is_current_and_describes_every_key() {
    let current = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    let path = root_of("schemas/launch.schema.json");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == current,
        "stale: cargo run -- schema > schemas/launch.schema.json"
    );
    for (name, definition) in schema()["$defs"].as_object().unwrap() {
        assert!(
            definition["description"].as_str().is_some_and(|words| words.len() > 10),
            "{name}"
        );
        for (key, property) in definition["properties"].as_object().unwrap() {
            assert!(
                property["description"].as_str().is_some_and(|words| words.len() > 10),
                "{name}.{key}"
            );
        }
    }
}

#[test]
fn the_examples_are_valid_and_fit_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let mut number = 0;
    for entry in std::fs::read_dir(root_of("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let (tree, _) = yaml::parse(&source(&text));
        let errors: Vec<String> = validator
            .iter_errors(&to_json(&tree.unwrap()))
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
        number += 1;
    }
    assert!(number >= 2);
    // And it refuses what the loader refuses.
    for bad in [
        "version: 2",
        "version: 1\nzone: {}",
        "version: 1\nzones: { a.b: {} }",
        "version: 1\nzones: { a.b: { provider: x, records: [{ type: AX, name: a }] } }",
    ] {
        let (tree, _) = yaml::parse(&source(bad));
        assert!(!validator.is_valid(&to_json(&tree.unwrap())), "{bad}");
    }
}

/// Pieces that specs are made of, and some that they are not.
const PIECES: &[&str] = &[
    "version: 1\n",
    "zones:\n",
    "  acme.example:\n",
    "    provider: cloudflare\n",
    "    records:\n",
    "      - { type: A, name: www, value: 192.0.2.1 }\n",
    "      - ",
    "type: TXT",
    ", ",
    "{ ",
    " }",
    "[",
    "]",
    "name: \"@\"",
    "value: ",
    "values: [",
    "${x}",
    "${",
    "vars: { x: 1 }\n",
    "&a ",
    "*a",
    "\"",
    "'",
    "|\n",
    ">-\n",
    "\n",
    "  ",
    ": ",
    "- ",
    "#",
    "!!str ",
    "---\n",
    "...\n",
    "\t",
    "\u{feff}",
    "ü",
    "\u{0}",
    "null",
    "~",
    "<<: ",
    "? ",
    "providers: { cloudflare: { token: ",
    "env:X",
    "protect: [\"* *\"]",
];

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let loaded = read_with(&text, &[]);
        prop_assert!(loaded.spec.is_some() || loaded.diagnostics.has_errors(), "nothing wrong and no spec: {:?}", text);
    }

    #[test]
    fn no_heap_of_pieces_makes_it_panic(pieces in proptest::collection::vec(0..PIECES.len(), 0..40)) {
        let text: String = pieces.iter().map(|at| PIECES[*at]).collect();
        let loaded = read_with(&text, &[]);
        prop_assert!(loaded.spec.is_some() || loaded.diagnostics.has_errors(), "nothing wrong and no spec: {:?}", text);
        // Whatever was found can be shown.
        for finding in loaded.diagnostics.iter() {
            if let Some(place) = &finding.place {
                prop_assert!(place.source.text.get(place.range.clone()).is_some());
                let _ = (place.line(), place.column());
            }
        }
    }

    #[test]
    fn a_good_spec_with_one_character_changed_makes_it_no_worse(at in 0_usize..600, c in any::<char>()) {
        let mut text: Vec<char> = include_str!("../../../examples/acme.yaml").chars().collect();
        let at = at % text.len();
        text[at] = c;
        let text: String = text.into_iter().collect();
        let loaded = read_with(&text, &[]);
        prop_assert!(loaded.spec.is_some() || loaded.diagnostics.has_errors());
    }
}
