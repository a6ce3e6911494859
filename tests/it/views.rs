//! What people and machines read: a plan, a run, a history, findings, as snapshots; the JSON against its schemas.

use std::path::Path;

use launchctl::ops::plan::Narrow;
use launchctl::ops::{Session, plan};
use launchctl::sandbox::Plan;
use launchctl::ui::{Look, plan_view};
use serde_json::{Value, json};

use crate::support::Place;

/// A zone with something of everything in the plan for it.
fn review() -> Place {
    let place = Place::new(Plan::Pro);
    place.world(|world| {
        for record in [
            json!({"type": "A", "name": "acme.example", "content": "198.51.100.7", "ttl": 3600}),
            json!({"type": "A", "name": "lb.acme.example", "content": "192.0.2.1", "ttl": 300}),
            json!({"type": "A", "name": "lb.acme.example", "content": "192.0.2.9", "ttl": 300}),
            json!({"type": "CNAME", "name": "app.acme.example", "content": "old.host.example", "ttl": 1}),
            json!({"type": "TXT", "name": "acme.example", "content": "\"v=spf1 include:_spf.old.example ip4:198.51.100.0/24 ~all\"", "ttl": 1}),
            json!({"type": "TXT", "name": "acme.example", "content": "\"facebook-domain-verification=zzz\"", "ttl": 1}),
            json!({"type": "A", "name": "intranet.acme.example", "content": "198.51.100.9", "ttl": 1, "comment": "ask \u{1b}[31mBob"}),
            json!({"type": "MX", "name": "acme.example", "content": "mx.host.example", "priority": 10, "ttl": 1}),
        ] {
            world.add_record("acme.example", record).unwrap();
        }
    });
    place.spec(
        r#"- { type: A, name: "@", value: 203.0.113.10, proxied: true, comment: the site }
           - { type: A, name: lb, values: [192.0.2.1, 192.0.2.2, 192.0.2.3], ttl: 5m }
           - { type: A, name: app, value: 203.0.113.10, proxied: true, tags: ["team:web"] }
           - { type: CNAME, name: app, values: [] }
           - { type: CNAME, name: "*.bücher", value: acme.example }
           - { type: MX, name: "@", value: 10 mx.host.example }
           - { type: TXT, name: "@", value: "v=spf1 include:_spf.new.example ip4:198.51.100.0/24 -all" }
           - { type: TXT, name: google._domainkey, value: "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA3CQhKdT3g1CZ2OIJSdlBR4rmhMiW08L3WD4EEEi5ANZ7a48ApVjJfgiq+9EVdylZmUaOHG7zq5+mzM4mlCGNy0KxoyDKrBuaqsKi8K13qjjiNLQd0M4YzL03c2mmgp59QP93XkTxBP+jBAAdApIKCN7Kx3KAWyXFPA" }"#,
    );
    place
}

/// Run ids, times and ports differ from one run of the tests to the next.
fn settled(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let words: Vec<String> = line.split(' ').map(settled_word).collect();
        out.push_str(&words.join(" "));
        out.push('\n');
    }
    out
}

fn settled_word(word: &str) -> String {
    if word.starts_with("127.0.0.1:") {
        return "127.0.0.1:[PORT]".to_owned();
    }
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    for (pattern, name) in [
        ("00000000-000000-000", "[RUN]"),
        ("00:00:00.000", "[TIME]"),
        ("0000-00-00", "[DATE]"),
        ("00:00:00", "[TIME]"),
        ("00:00", "[TIME]"),
    ] {
        if let Some(at) = shape.find(pattern) {
            return format!("{}{name}{}", &word[..at], &word[at + pattern.len()..]);
        }
    }
    word.to_owned()
}

fn drawn(place: &Place, look: Look) -> String {
    let setting = place.setting();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let planned = runtime.block_on(async {
        let session = Session::open(&setting).await.unwrap();
        plan::plan(&session, &Narrow::default()).await.unwrap()
    });
    plan_view::plan(&planned, look)
}

#[test]
fn a_plan_reads_like_a_review() {
    let place = review();
    insta::assert_snapshot!("plan_piped", settled(&place.run(&["plan"]).expect(0).out));
    insta::assert_snapshot!("plan_markdown", place.run(&["plan", "--markdown"]).expect(0).out);
}

#[test]
fn a_plan_fits_a_narrow_window_and_says_the_same_without_colour() {
    let place = review();
    for width in [50, 80] {
        let plain = drawn(&place, Look { width, colour: false });
        assert!(
            plain.lines().all(|line| line.chars().count() <= width),
            "{width}:\n{plain}"
        );
        insta::assert_snapshot!(format!("plan_{width}_columns"), settled(&plain));
        // Colours only colour: take them away, and long values are marked by other means.
        let coloured = drawn(&place, Look { width, colour: true });
        assert!(coloured.contains("\u{1b}[") && !coloured.contains("\u{1b}[31mBob"));
    }
}

#[test]
fn an_apply_a_history_and_a_run_tell_what_was_done() {
    let place = review();
    insta::assert_snapshot!("apply", settled(&place.run(&["apply", "--yes"]).expect(0).out));
    insta::assert_snapshot!("rollback", settled(&place.run(&["rollback", "--yes"]).expect(0).out));
    insta::assert_snapshot!("history", settled(&place.run(&["history"]).expect(0).out));
    let runs = place.run(&["history", "--json"]).expect(0).json();
    let run = runs["runs"][0]["run"].as_str().unwrap().to_owned();
    insta::assert_snapshot!(
        "history_of_a_run",
        settled(&place.run(&["history", &run]).expect(0).out)
    );
    insta::assert_snapshot!("doctor", place.run(&["doctor"]).expect(0).out);
}

#[test]
fn help_shows_examples_on_every_verb() {
    let place = Place::new(Plan::Free);
    let help = place.run(&["--help"]).expect(0).out;
    insta::assert_snapshot!("help", help);
    for verb in [
        "plan",
        "apply",
        "rollback",
        "history",
        "validate",
        "mail",
        "dkim",
        "doctor",
        "rehearse",
        "sandbox",
        "schema",
        "completions",
    ] {
        assert!(help.contains(&format!("\n  {verb} ")), "{verb}");
        let help = place.run(&[verb, "--help"]).expect(0).out;
        assert!(
            help.contains("Examples:") && help.contains(&format!("launchctl {verb}")),
            "{verb}: {help}"
        );
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(
            place.run(&["completions", shell]).expect(0).out.contains("rehearse"),
            "{shell}"
        );
    }
    let unknown = place.run(&["pln"]).expect(1);
    assert!(unknown.err.contains("plan"), "{}", unknown.err);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let place = review();
    let mut child = place.start(&["schema"]);
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

/// Checks an output against its schema.
#[track_caller]
pub(crate) fn fits(name: &str, output: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{name}.schema.json"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(output)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}\n{output:#}");
}

#[test]
fn every_json_output_is_as_its_schema_says() {
    let place = review();
    fits("validate", &place.run(&["validate", "--json"]).expect(0).json());
    fits("plan", &place.run(&["plan", "--json"]).expect(0).json());
    fits("run", &place.run(&["apply", "--yes", "--json"]).expect(0).json());
    fits("run", &place.run(&["apply", "--yes", "--json"]).expect(0).json());
    fits("plan", &place.run(&["plan", "--json"]).expect(0).json());
    fits("run", &place.run(&["rollback", "--yes", "--json"]).expect(0).json());
    let history = place.run(&["history", "--json"]).expect(0).json();
    fits("history", &history);
    let run = history["runs"][0]["run"].as_str().unwrap().to_owned();
    fits("history-run", &place.run(&["history", &run, "--json"]).expect(0).json());
    // Refused by a guard, refused by the provider, unknown, and no answer at all.
    place.spec("");
    fits("plan", &place.run(&["plan", "--json"]).expect(0).json());
    place.spec_with(
        "    unmanaged: delete\n",
        "- { type: A, name: x, value: 192.0.2.1, ttl: 30 }",
    );
    let refused = place.run(&["plan", "--json"]).expect(1).json();
    assert!(!refused["refusals"].as_array().unwrap().is_empty());
    fits("plan", &refused);
    fits("error", &place.run(&["apply", "--yes", "--json"]).expect(1).json());
    place.spec("- { type: CNAME, name: www, value: acme.example }");
    place.foreign_hand_before_write(1, |world| {
        let record = json!({"type": "A", "name": "www.acme.example", "content": "203.0.113.7", "ttl": 1});
        world.add_record("acme.example", record).unwrap();
    });
    let failed = place.run(&["apply", "--yes", "--json"]).expect(1).json();
    assert_eq!(failed["status"], "failed");
    fits("run", &failed);
    place.faults(&["*:html"]);
    fits("error", &place.run(&["plan", "--json"]).expect(1).json());
    place.faults(&[]);
    place.write("launch.yaml", "version: 2\nzones: {}\nfoo: 1\n");
    fits("validate", &place.run(&["validate", "--json"]).expect(1).json());
    fits("error", &place.run(&["plan", "--json"]).expect(1).json());
}
