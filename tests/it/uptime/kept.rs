//! Those that are told of checks by files: what a spec no longer says of a check stays as it was, whatever else changes,
//! and what somebody changed in any of the files is seen.

use super::trio::Trio;
use super::{changes, gatus, prometheus};
use crate::support::Place;

/// Two checks that tell one contact, where the first says `more` of itself and the second is made so often.
fn lines(more: &str, every: &str) -> String {
    format!(
        "  contacts: {{ hook: {{ webhook: env:ALERT_WEBHOOK_URL }} }}\n  checks:\n    - {{ name: One, url: \"http://127.0.0.1:9/one\"{more} }}\n    - {{ name: Two, url: \"http://127.0.0.1:9/two\", every: {every}, alert: [hook] }}\n"
    )
}

/// What is said of the first check at first.
const MORE: &str = ", paused: true, confirm: 3, alert: [hook], headers: { X-Probe: \"1\" }";

/// Walks there: said whole, said no more, and then another check changes. `write` writes a spec, `files` reads all files.
fn walk(place: &Place, write: &dyn Fn(&str), files: &dyn Fn() -> Vec<(String, String)>) {
    write(&lines(MORE, "5m"));
    place.run(&["apply", "--yes"]).expect(0);
    let whole = files();
    write(&lines("", "5m"));
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert!(changes(&plan).is_empty(), "what is not said stays: {plan}");
    write(&lines("", "10m"));
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan), ["update uptime/monitor/two"]);
    place.run(&["apply", "--yes"]).expect(0);
    // Written as if the first check were still said whole, and so is what a rollback leads back to.
    let changed = files();
    assert_ne!(changed, whole);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(files(), whole);
    write(&lines(MORE, "10m"));
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(files(), changed);
    // What a run has added to a check, a rollback takes away.
    write(&lines(&format!("{MORE}, recover: 10m"), "10m"));
    place.run(&["apply", "--yes"]).expect(0);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(files(), changed);
    // Whoever goes is told of nothing, and of the same again when a rollback brings them back.
    write(&lines("", "10m"));
    place.run(&["apply", "--yes"]).expect(0);
    let before = files();
    write(
        "  checks:\n    - { name: One, url: \"http://127.0.0.1:9/one\" }\n    - { name: Two, url: \"http://127.0.0.1:9/two\", every: 10m, alert: [] }\n",
    );
    place.run(&["apply", "--yes", "--allow-deletes", "1"]).expect(0);
    assert_ne!(files(), before);
    place.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(files(), before);
}

#[test]
fn what_gatus_is_no_longer_told_stays() {
    let (mut place, folder) = gatus::place();
    place
        .environment
        .insert("ALERT_WEBHOOK_URL".into(), "http://127.0.0.1:9/hook".into());
    let files = || {
        let name = "launchctl_acme.yaml".to_owned();
        vec![(name.clone(), std::fs::read_to_string(folder.path().join(name)).unwrap())]
    };
    walk(&place, &|lines| gatus::spec(&place, &folder, lines), &files);
}

#[test]
fn what_a_check_that_changes_is_not_told_stays() {
    let (mut place, folder) = gatus::place();
    place
        .environment
        .insert("ALERT_WEBHOOK_URL".into(), "http://127.0.0.1:9/hook".into());
    let written = || std::fs::read_to_string(folder.path().join("launchctl_acme.yaml")).unwrap();
    gatus::spec(&place, &folder, &lines(MORE, "5m"));
    place.run(&["apply", "--yes"]).expect(0);
    gatus::spec(&place, &folder, &lines(", every: 20m", "5m"));
    place.run(&["apply", "--yes"]).expect(0);
    let text = written();
    for word in ["\"1200s\"", "\"enabled\": false", "x-probe"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn what_prometheus_is_no_longer_told_stays() {
    let trio = Trio::start(true);
    let place = prometheus::place("http://127.0.0.1:9/hook");
    walk(&place, &|lines| prometheus::spec(&place, &trio, lines), &|| {
        trio.files()
    });
}

#[test]
fn who_is_told_is_seen_to_be_changed_though_the_address_is_there() {
    let trio = Trio::start(true);
    let place = prometheus::place("http://127.0.0.1:9/hook");
    prometheus::spec(&place, &trio, &lines("", "5m"));
    place.run(&["apply", "--yes"]).expect(0);
    let good = trio.files();
    let path = trio.folder.path().join("launchctl_acme.alertmanager.yml");
    let text = std::fs::read_to_string(&path).unwrap();
    let changed = text.replace("\"receiver\": \"", "\"receiver\":  \"");
    assert_ne!(changed, text);
    std::fs::write(&path, changed).unwrap();
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert!(!changes(&plan).is_empty(), "{plan}");
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(trio.files(), good);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}
