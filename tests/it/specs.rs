//! Specs that are refused: each with exit 1, with the place and the reason of everything that is wrong, and with nothing
//! changed. `tests/specs/bad/` holds one file a subject; what is said of each is a snapshot.

use std::path::{Path, PathBuf};
use std::process::Command;

use launchctl::sandbox::Plan;

use crate::support::{Place, Ran};

fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/specs/bad");
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        // Beside them lie the files that they name.
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    all.sort();
    all
}

fn validate(path: &Path, more: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_launchctl"))
        .args(["validate", "--spec", path.file_name().unwrap().to_str().unwrap()])
        .args(more)
        .current_dir(path.parent().unwrap())
        .env_clear()
        .output()
        .unwrap();
    Ran::of(&output)
}

#[test]
fn each_wrong_spec_is_refused_with_all_that_is_wrong() {
    let all = corpus();
    assert!(all.len() >= 25, "{}", all.len());
    for path in all {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let ran = validate(&path, &[]).expect(1);
        assert!(ran.out.is_empty(), "{name}: findings are no answer: {}", ran.out);
        assert!(ran.err.chars().all(|c| c == '\n' || !c.is_control()), "{name}");
        insta::assert_snapshot!(format!("refused__{name}"), ran.err);
        // The same for a machine: as many findings, each with its place.
        let json = validate(&path, &["--json"]).expect(1).json();
        assert_eq!(json["ok"], false);
        let findings = json["findings"].as_array().unwrap();
        assert!(findings.iter().any(|finding| finding["severity"] == "error"), "{name}");
        assert!(
            findings
                .iter()
                .all(|finding| finding["line"].as_u64().is_some_and(|line| line > 0)),
            "{name}: {json:#}"
        );
    }
}

#[test]
fn a_wrong_spec_changes_nothing_and_asks_nobody() {
    for path in corpus() {
        let place = Place::new(Plan::Free);
        std::fs::copy(&path, place.path("launch.yaml")).unwrap();
        for arguments in [&["plan"][..], &["apply", "--yes"], &["rollback", "--yes"], &["doctor"]] {
            place.run(arguments).expect(1);
        }
        assert!(place.sandbox().log().is_empty(), "{}", path.display());
        assert!(!place.path(".launchctl").exists(), "{}", path.display());
    }
}

#[test]
fn a_missing_spec_and_a_spec_that_is_no_text_are_told_apart() {
    let place = Place::new(Plan::Free);
    let missing = place.run(&["plan"]).expect(1);
    assert!(
        missing.err.contains("there is no `launch.yaml`") && missing.err.contains("--spec"),
        "{}",
        missing.err
    );
    std::fs::write(place.path("launch.yaml"), b"version: 1\nproject: \xff\n").unwrap();
    let binary = place.run(&["plan"]).expect(1);
    assert!(binary.err.contains("not UTF-8"), "{}", binary.err);
    let folder = place.run(&["plan", "--spec", "."]).expect(1);
    assert!(folder.err.contains("could not read"), "{}", folder.err);
}

#[test]
fn a_variable_comes_from_the_command_line() {
    let place = Place::new(Plan::Free);
    place.spec("- { type: A, name: a, value: \"${origin}\" }");
    place.run(&["validate"]).expect(1);
    place.run(&["validate", "--var", "origin=192.0.2.1"]).expect(0);
    let slip = place
        .run(&["validate", "--var", "origin=192.0.2.1", "--var", "orgin=192.0.2.2"])
        .expect(1);
    assert!(slip.err.contains("orgin"), "{}", slip.err);
    let wrong = place.run(&["validate", "--var", "origin=nonsense"]).expect(1);
    assert!(wrong.err.contains("not an IPv4 address"), "{}", wrong.err);
}
