//! The examples walk the whole road: each is rehearsed from the state that stands beside it, with the real binary.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::support::Ran;

/// Each example, the state that it begins with, and the zone's plan that it needs.
const EXAMPLES: [(&str, &str, &str); 3] = [
    ("acme.yaml", "before.yaml", "free"),
    ("atlas.yaml", "atlas.before.yaml", "free"),
    ("bazaar.yaml", "bazaar.before.yaml", "pro"),
];

/// Without credentials and without an environment: nothing but the sandbox can be reached.
fn rehearse(spec: &str, start: &[&str]) -> Ran {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let output = Command::new(env!("CARGO_BIN_EXE_launchctl"))
        .args(["rehearse", "--spec", spec])
        .args(start)
        .current_dir(folder)
        .env_clear()
        .output();
    Ran::of(&output.unwrap())
}

#[test]
fn every_example_is_rehearsed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let there: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(name)
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    let known = EXAMPLES.iter().flat_map(|(spec, before, _)| [*spec, *before]);
    assert_eq!(there, known.map(str::to_owned).collect());

    for (spec, before, plan) in EXAMPLES {
        let seen = rehearse(spec, &["--seed", before, "--zone-plan", plan]).expect(0);
        assert!(seen.out.contains("All as it should be"), "{spec}: {}", seen.out);
        assert!(seen.out.contains("left alone"), "{spec}: {}", seen.out);
        assert!(!seen.all().contains("warning"), "{spec}: {}", seen.all());
    }
}

/// The blocks of YAML in README, each as a whole spec.
fn pasted() -> Vec<String> {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let blocks = readme.split("```yaml\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap());
    blocks
        .map(|block| match block {
            block if block.starts_with("    ") => {
                format!("version: 1\nproject: Acme\nzones:\n  acme.example:\n    provider: cloudflare\n{block}")
            }
            block if block.contains("version:") => block.to_owned(),
            block => format!("version: 1\nproject: Acme\n{block}"),
        })
        .collect()
}

#[test]
fn what_readme_shows_is_valid_as_it_is_pasted() {
    let blocks = pasted();
    assert!(blocks.len() >= 4, "{}", blocks.len());
    for block in blocks {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("launch.yaml"), &block).unwrap();
        std::fs::write(
            folder.path().join("old-urls.csv"),
            "from,to\nacme.example/old,https://acme.example/new\n",
        )
        .unwrap();
        if block.contains("flatten: [") {
            // As `mail flatten` writes it.
            let entry = r#"{ "taken": "2026-11-25", "lookups": 3, "networks": ["192.0.2.0/24"], "records": {} }"#;
            let lock =
                format!(r#"{{ "format": 1, "made_by": "the test", "includes": {{ "_spf.crm.example": {entry} }} }}"#);
            std::fs::write(folder.path().join("launch.spf.lock"), lock).unwrap();
        }
        let output = Command::new(env!("CARGO_BIN_EXE_launchctl"))
            .arg("validate")
            .current_dir(&folder)
            .env_clear()
            .output();
        let ran = Ran::of(&output.unwrap());
        assert!(!ran.all().contains("error"), "{block}\n{}", ran.all());
        ran.expect(0);
    }
}

#[test]
fn the_example_that_moves_makes_its_zone_and_says_what_the_registrar_needs() {
    let seen = rehearse("atlas.yaml", &["--empty"]).expect(0);
    assert!(seen.out.contains("All as it should be"), "{}", seen.out);
    assert!(
        seen.out.contains("set these name servers for atlas.example"),
        "{}",
        seen.out
    );
}

#[test]
fn what_the_sandbox_refuses_for_its_plan_says_how_a_larger_one_is_rehearsed() {
    let seen = rehearse("bazaar.yaml", &["--seed", "bazaar.before.yaml"]).expect(1);
    assert!(seen.all().contains("Not as it should be"), "{}", seen.all());
    assert!(seen.all().contains("`rehearse --zone-plan` names"), "{}", seen.all());
}
