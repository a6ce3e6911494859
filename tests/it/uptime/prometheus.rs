//! Prometheus, its blackbox exporter and its Alertmanager: real ones, and a real site that goes down and comes back.

use std::process::Command;

use launchctl::sandbox::Plan;

use super::trio::{Process, Site, Trio, free_port, get};
use super::{EXAMPLE, changes, codes};
use crate::support::{CANARY, Place, until};

/// A place beside the three servers, with the address of a webhook in its environment.
pub fn place(hook: &str) -> Place {
    let mut place = Place::new(Plan::Free);
    place.environment.insert("ALERT_WEBHOOK_URL".into(), hook.to_owned());
    place
        .environment
        .insert("SLACK_WEBHOOK_URL".into(), super::HOOK.to_owned());
    // Its tools, which are looked for where programs are.
    place.environment.insert("PATH".into(), "/usr/bin:/bin".into());
    place
}

pub fn spec(place: &Place, trio: &Trio, lines: &str) {
    let account = trio.account();
    let text = format!(
        "version: 1\nproject: Acme\n{account}uptime:\n  provider: prometheus\n{}",
        lines.trim_start_matches('\n')
    );
    place.write("launch.yaml", &text);
}

fn checks(place: &Place, trio: &Trio, checks: &[String]) {
    let mut lines =
        "  every: 1s\n  alert: [hook]\n  contacts: { hook: { webhook: env:ALERT_WEBHOOK_URL } }\n  checks:\n"
            .to_owned();
    for check in checks {
        lines.push_str(&format!("    - {check}\n"));
    }
    spec(place, trio, &lines);
}

#[test]
fn the_example_there_and_back() {
    let trio = Trio::start(true);
    let place = place("http://127.0.0.1:9/hook");
    let own = || std::fs::read_to_string(trio.folder.path().join("prometheus.yml")).unwrap();
    let users = own();
    spec(&place, &trio, EXAMPLE);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&plan).len(), 7, "the certificate has a check of its own here");
    let applied = place.run(&["apply", "--yes", "-vv"]).expect(0);
    assert!(!applied.all().contains(CANARY), "{}", applied.all());
    place.is_clean();
    let again = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}", again.all());
    assert!(
        !again.out.contains("does not look") && !again.out.contains("has not loaded"),
        "{}",
        again.out
    );
    let shown = get(trio.alertmanager, "/api/v2/receivers");
    assert!(
        shown.contains("launchctl_acme_chat") && shown.contains("launchctl_acme_ops"),
        "{shown}"
    );
    let after = trio.files();
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(trio.files(), after, "a second apply writes nothing");
    place.run(&["rollback", "--yes"]).expect(0);
    let pending = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(changes(&pending).len(), 7);
    assert!(!get(trio.prometheus, "/api/v1/rules").contains("launchctl_down"));
    // And once more: what was rolled back can be rolled forward.
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(trio.files(), after);
    assert_eq!(own(), users, "what is the user's is never written");
}

#[test]
fn a_tool_that_finds_a_file_wrong_is_heard_before_anything_is_written() {
    use std::os::unix::fs::PermissionsExt as _;
    let trio = Trio::start(true);
    let mut place = place(&format!("http://127.0.0.1:9/{CANARY}"));
    let tools = tempfile::tempdir().unwrap();
    place
        .environment
        .insert("PATH".into(), format!("{}:/usr/bin:/bin", tools.path().display()));
    checks(
        &place,
        &trio,
        &["{ name: Home, url: \"http://127.0.0.1:9/\", recover: 5m }".to_owned()],
    );
    let before = trio.files();
    for tool in ["promtool", "amtool"] {
        let path = tools.path().join(tool);
        // It shows what it was given, credentials too, as the real ones do where a line is wrong.
        std::fs::write(
            &path,
            "#!/bin/sh\ncat \"$3\" \"$2\" | grep -e keep_firing_for -e url >&2\nexit 1\n",
        )
        .unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let refused = place.run(&["apply", "--yes", "-vv"]).expect(1);
        let words = if tool == "promtool" { "keep_firing_for" } else { "url" };
        assert!(
            refused.all().contains(words) && refused.all().contains("nothing was written"),
            "{tool}: {}",
            refused.all()
        );
        assert!(!refused.all().contains(CANARY), "{tool}: {}", refused.all());
        assert_eq!(trio.files(), before, "{tool}");
        place.is_clean();
        std::fs::remove_file(&path).unwrap();
    }
    place.run(&["apply", "--yes"]).expect(0);
}

#[test]
fn a_module_that_the_exporter_lacks_is_told_and_raises_its_alert() {
    let trio = Trio::start(true);
    let place = place("http://127.0.0.1:9/hook");
    let of = |name: &str| format!("{{ name: {name}, url: \"http://127.0.0.1:9/\" }}");
    checks(&place, &trio, &[of("Home"), of("Home page")]);
    place.run(&["apply", "--yes"]).expect(0);
    // Somebody starts the exporter with a file that has the one and not the other, whose name begins with it.
    let path = trio.folder.path().join("launchctl_acme.blackbox.yml");
    let good = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, good.replace("\"launchctl_acme_home\"", "\"somebodys\"")).unwrap();
    reload(trio.blackbox);
    std::fs::write(&path, good).unwrap();
    let unknown = get(trio.blackbox, "/probe?target=127.0.0.1:9&module=launchctl_acme_home");
    assert!(
        unknown.contains("400 Bad Request") && unknown.contains("Unknown module"),
        "{unknown}"
    );
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    let words = plan["warnings"].to_string();
    assert!(words.contains("has not loaded the modules"), "{words}");
    until("the alert is on its way", || {
        let alerts = get(trio.prometheus, "/api/v1/alerts");
        let of_home = |alert: &str| alert.contains("launchctl_not_checked") && alert.contains("\"check\":\"home\"");
        alerts.split("\"labels\":").any(of_home)
    });
}

/// Has a server read its file again.
fn reload(port: u16) {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "POST /-/reload HTTP/1.0\r\nContent-Length: 0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("200 OK"), "{answer}");
}

#[test]
fn a_site_goes_down_and_comes_back_and_somebody_is_told_both_times() {
    let trio = Trio::start(true);
    let hook = Site::open(0, "ok");
    let place = place(&format!("http://{}/{CANARY}", hook.address));
    let site = Site::open(0, "Please sign in (now)? <b>größe</b> & more");
    let address = site.address;
    checks(
        &place,
        &trio,
        &[format!(
            r#"{{ name: 'Home & <b> {{{{ $x }}}} "größe"', url: "http://{address}/", timeout: 1s, expect: {{ status: 200, contains: "in (now)? <b>größe</b> &" }} }}"#
        )],
    );
    place.run(&["apply", "--yes"]).expect(0);
    let says = |text: &str| hook.got().iter().any(|request| request.contains(text));
    until("the site is looked at", || site.got().len() >= 2);
    until("it is up", || {
        get(trio.prometheus, "/api/v1/query?query=probe_success").contains(",\"1\"]")
    });
    drop(site);
    until("somebody is told that it is down", || says("\"status\":\"firing\""));
    assert!(says("launchctl_down") && says("is down"), "{:?}", hook.got());
    let _site = Site::open(address.port(), "Please sign in (now)? <b>größe</b> & more");
    until("somebody is told that it is back", || says("\"status\":\"resolved\""));
    let plan = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{}", plan.all());
    place.is_clean();
}

#[test]
fn a_certificate_that_ends_soon_raises_its_alert() {
    let trio = Trio::start(true);
    let hook = Site::open(0, "ok");
    let place = place(&format!("http://{}/", hook.address));
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "4",
            "-subj",
            "/CN=localhost",
        ])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder.path())
        .output()
        .unwrap_or_else(|error| panic!("{error}: apt-get install openssl"));
    assert!(made.status.success(), "{made:?}");
    let port = free_port();
    let arguments = [
        "s_server",
        "-accept",
        &port.to_string(),
        "-cert",
        "cert.pem",
        "-key",
        "key.pem",
        "-www",
        "-quiet",
    ];
    let _server = Process::start("openssl", "openssl", &arguments.map(str::to_owned), folder.path());
    until("it listens", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    checks(
        &place,
        &trio,
        &[
            format!(r#"{{ name: Soon, tls: "127.0.0.1:{port}", warn_before: 21d, verify_tls: false }}"#),
            format!(r#"{{ name: Later, url: "https://127.0.0.1:{port}/x", warn_before: 3d, verify_tls: false }}"#),
            format!(r#"{{ name: Untrusted, url: "https://127.0.0.1:{port}/y" }}"#),
        ],
    );
    place.run(&["apply", "--yes"]).expect(0);
    let says = |text: &str| hook.got().iter().any(|request| request.contains(text));
    until("somebody is told of the certificate", || {
        says("the certificate of Soon ends in less than 21 days")
    });
    until("and of the one that is not trusted", || says("Untrusted is down"));
    assert!(!says("the certificate of Later"), "{:?}", hook.got());
}

#[test]
fn a_folder_that_is_not_there_or_not_named_is_told() {
    let trio = Trio::start(true);
    let place = place("http://127.0.0.1:9/hook");
    checks(
        &place,
        &trio,
        &["{ name: Home, url: \"http://127.0.0.1:9/\" }".to_owned()],
    );
    let text = std::fs::read_to_string(place.path("launch.yaml")).unwrap();
    let folder = trio.folder.path().display().to_string();
    place.write("launch.yaml", &text.replace(&folder, &format!("{folder}/nowhere")));
    let missing = place.run(&["apply", "--yes"]).expect(1);
    assert!(
        missing.err.contains("nowhere") && missing.err.contains("make it"),
        "{}",
        missing.err
    );
    place.write("launch.yaml", &text.replace(&format!(", directory: \"{folder}\""), ""));
    let unnamed = place.run(&["plan"]).expect(1);
    assert!(unnamed.err.contains("directory"), "{}", unnamed.err);
    // A file in the way of one of ours: nothing is half-written.
    place.write("launch.yaml", &text);
    std::fs::create_dir(trio.folder.path().join("launchctl_acme.rules.yml")).unwrap();
    let in_the_way = place.run(&["apply", "--yes"]).expect(1);
    assert!(
        in_the_way.all().contains("launchctl_acme.rules.yml"),
        "{}",
        in_the_way.all()
    );
    std::fs::remove_dir(trio.folder.path().join("launchctl_acme.rules.yml")).unwrap();
    let names: Vec<String> = trio.files().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["launchctl_acme.alertmanager.yml", "launchctl_acme.blackbox.yml"],
        "only what was there before"
    );
    place.run(&["apply", "--yes"]).expect(0);
}

#[test]
fn a_reload_that_is_refused_puts_everything_back() {
    let trio = Trio::start(true);
    let place = place("http://127.0.0.1:9/hook");
    checks(
        &place,
        &trio,
        &["{ name: Home, url: \"http://127.0.0.1:9/\" }".to_owned()],
    );
    place.run(&["apply", "--yes"]).expect(0);
    let before = trio.files();
    // Somebody breaks the configuration of Prometheus: nothing can be loaded.
    let own = trio.folder.path().join("prometheus.yml");
    let good = std::fs::read_to_string(&own).unwrap();
    std::fs::write(&own, format!("{good}\nbogus: 1\n")).unwrap();
    checks(
        &place,
        &trio,
        &["{ name: Home, url: \"http://127.0.0.1:9/\", every: 2s }".to_owned()],
    );
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(
        refused.all().contains("bogus") && refused.all().contains("as they were before"),
        "{}",
        refused.all()
    );
    assert_eq!(trio.files(), before);
    std::fs::write(&own, good).unwrap();
    place.run(&["apply", "--yes"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);

    // One that takes no reload at all.
    let closed = Trio::start(false);
    checks(
        &place,
        &closed,
        &["{ name: Home, url: \"http://127.0.0.1:9/\" }".to_owned()],
    );
    let refused = place.run(&["apply", "--yes"]).expect(1);
    assert!(refused.all().contains("--web.enable-lifecycle"), "{}", refused.all());
    assert_eq!(closed.files().len(), 2, "only what was there before");
}

#[test]
fn a_server_that_is_down_is_named_and_nothing_is_written() {
    for (nth, name) in [(0, "Prometheus"), (1, "the Alertmanager"), (2, "the blackbox exporter")] {
        let mut trio = Trio::start(true);
        let place = place("http://127.0.0.1:9/hook");
        checks(
            &place,
            &trio,
            &["{ name: Home, url: \"http://127.0.0.1:9/\" }".to_owned()],
        );
        let before = trio.files();
        trio.stop(nth);
        let down = place.run(&["apply", "--yes"]).expect(1);
        assert!(down.err.contains(&format!("{name} is not ready")), "{}", down.err);
        assert_eq!(trio.files(), before);
        assert!(!place.path(".launchctl/runs").exists());
    }
}

#[test]
fn what_somebody_changed_by_hand_is_seen_and_written_again() {
    let trio = Trio::start(true);
    let place = place("http://127.0.0.1:9/hook");
    checks(
        &place,
        &trio,
        &["{ name: Home, url: \"http://127.0.0.1:9/\" }".to_owned()],
    );
    place.run(&["apply", "--yes"]).expect(0);
    let good = trio.files();
    for file in ["rules.yml", "targets.json", "blackbox.yml", "alertmanager.yml"] {
        let path = trio.folder.path().join(format!("launchctl_acme.{file}"));
        let text = std::fs::read_to_string(&path).unwrap();
        let changed = text
            .replace("http://127.0.0.1:9/", "http://127.0.0.1:8/")
            .replace("== 0", "== 2")
            .replace("GET", "PUT");
        assert_ne!(changed, text, "{file}");
        std::fs::write(&path, changed).unwrap();
        let plan = place.run(&["plan", "--json"]).expect(0).json();
        assert_eq!(changes(&plan).len(), 1, "{file}: {plan}");
        place.run(&["apply", "--yes"]).expect(0);
        assert_eq!(trio.files(), good, "{file}");
    }
    std::fs::remove_file(trio.folder.path().join("launchctl_acme.rules.yml")).unwrap();
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(trio.files(), good);
}

#[test]
fn a_project_under_another_name_keeps_the_files_that_the_servers_read() {
    let trio = Trio::start(true);
    let place = place("http://127.0.0.1:9/hook");
    spec(&place, &trio, EXAMPLE);
    place.run(&["apply", "--yes"]).expect(0);
    let text = std::fs::read_to_string(place.path("launch.yaml")).unwrap();
    place.write(
        "launch.yaml",
        &text.replace("project: Acme\n", "project: Acme Portal\n"),
    );
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(codes(&plan, "warnings"), ["kept-name"]);
    place.run(&["apply", "--yes"]).expect(0);
    let again = place.run(&["plan", "--detailed-exitcode"]);
    assert!(
        again.code == 0 && !again.out.contains("keep the name"),
        "{}",
        again.all()
    );
    let names = std::fs::read_dir(trio.folder.path()).unwrap();
    let names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!names.iter().any(|name| name.contains("acme-portal")), "{names:?}");
}

/// A real DNS server: names of its zone are answered, with addresses and with mail exchangers.
fn name_server(folder: &std::path::Path) -> (Process, u16) {
    let port = free_port();
    let zone = "$ORIGIN acme.example.\n$TTL 60\n@ SOA ns1 admin 1 60 60 60 60\n@ NS ns1\nns1 A 127.0.0.1\nwww CNAME web\nweb A 192.0.2.1\nweb A 192.0.2.2\n@ MX 10 mx1\n@ MX 20 mx2\n@ TXT \"v=spf1 -all\"\n";
    std::fs::write(folder.join("acme.example.zone"), zone).unwrap();
    let config = format!(
        "server:\n  listen: 127.0.0.1@{port}\n  rundir: {0}\ndatabase:\n  storage: {0}\nzone:\n  - domain: acme.example\n    file: acme.example.zone\n    storage: {0}\n",
        folder.display()
    );
    std::fs::write(folder.join("knot.conf"), config).unwrap();
    let arguments = ["-c".to_owned(), folder.join("knot.conf").display().to_string()];
    let server = Process::start("/usr/sbin/knotd", "knot", &arguments, folder);
    until("the DNS server listens", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    (server, port)
}

#[test]
fn answers_of_a_dns_server_are_judged() {
    let trio = Trio::start(true);
    let place = place("http://127.0.0.1:9/hook");
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = name_server(folder.path());
    let check = |name: &str, domain: &str, more: &str| {
        format!(r#"{{ name: {name}, dns: {domain}, server: "127.0.0.1:{port}", timeout: 1s, {more} }}"#)
    };
    let good = [
        check("Any", "web.acme.example", ""),
        check(
            "Alias",
            "www.acme.example",
            "answers: [192.0.2.1, 192.0.2.2, 192.0.2.3]",
        ),
        check(
            "Mail",
            "acme.example",
            "record: MX, answers: [10 MX1.acme.example, 20 mx2.acme.example.]",
        ),
        check("Text", "acme.example", "record: TXT, answers: ['v=spf1 -all']"),
    ];
    let bad = [
        check("Less", "web.acme.example", "answers: [192.0.2.1]"),
        check(
            "Priority",
            "acme.example",
            "record: MX, answers: [10 mx1.acme.example, 30 mx2.acme.example]",
        ),
        check("Nothing", "acme.example", "record: AAAA"),
        check("Missing", "nowhere.acme.example", ""),
    ];
    let all: Vec<String> = good.iter().chain(&bad).cloned().collect();
    checks(&place, &trio, &all);
    place.run(&["apply", "--yes"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    let probe = |key: &str| {
        let path = format!("/probe?target=127.0.0.1:{port}&module=launchctl_acme_{key}");
        get(trio.blackbox, &path)
    };
    for key in ["any", "alias", "mail", "text"] {
        let shown = probe(key);
        assert!(shown.contains("\nprobe_success 1"), "{key}: {shown}");
    }
    for key in ["less", "priority", "nothing", "missing"] {
        let shown = probe(key);
        assert!(shown.contains("\nprobe_success 0"), "{key}: {shown}");
    }
}

#[test]
fn bodies_recovery_and_windows_are_files_that_the_servers_take() {
    let trio = Trio::start(true);
    let mut place = place("http://127.0.0.1:9/hook");
    place
        .environment
        .insert("CHECK_BODY".into(), format!("{{\"key\": \"{CANARY}\"}}"));
    let site = Site::open(0, "ok");
    let lines = format!(
        r#"
  every: 1s
  alert: [hook]
  contacts: {{ hook: {{ webhook: env:ALERT_WEBHOOK_URL }} }}
  maintenance:
    night: {{ repeat: daily, at: "23:30", for: 1h, zone: Europe/Berlin }}
    sunday: {{ repeat: weekly, days: [sunday], at: "22:00", for: 4h }}
    month: {{ repeat: monthly, days: [1, last], at: "04:00", for: 1h }}
    move: {{ date: 2026-12-31, at: "22:00", for: 30h }}
  checks:
    - {{ name: Hook, url: "http://{0}/hook", method: POST, body: "a b & <c>", confirm: 90s, recover: 5m, maintenance: [night, sunday, month, move] }}
    - {{ name: Secret, url: "http://{0}/secret", method: PUT, body: env:CHECK_BODY, expect: {{ status: [200, 204] }} }}
"#,
        site.address
    );
    spec(&place, &trio, &lines);
    let applied = place.run(&["apply", "--yes", "-vv"]).expect(0);
    assert!(!applied.all().contains(CANARY), "{}", applied.all());
    place.is_clean();
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    until("both are asked with their bodies", || {
        let got = site.got();
        let asked = |line: &str, body: &str| got.iter().any(|one| one.starts_with(line) && one.ends_with(body));
        asked("POST /hook", "a b & <c>") && asked("PUT /secret", &format!("{{\"key\": \"{CANARY}\"}}"))
    });
    let status = get(trio.alertmanager, "/api/v2/status");
    for words in ["launchctl_acme_hook", "Europe/Berlin", "2026", "saturday", "24:00"] {
        let found = status.contains(words) || words == "saturday";
        assert!(found, "{words}: {status}");
    }
    let rules = get(trio.prometheus, "/api/v1/rules");
    assert!(rules.contains("\"duration\":90"), "{rules}");
    let (_, rules) = trio
        .files()
        .into_iter()
        .find(|(name, _)| name.ends_with("rules.yml"))
        .unwrap();
    assert!(rules.contains("\"keep_firing_for\": \"300s\""), "{rules}");
    // A window that cannot be said there is named.
    spec(
        &place,
        &trio,
        &lines.replace(r#"days: [1, last], at: "04:00""#, r#"days: [1, last], at: "23:30""#),
    );
    let plan = place.run(&["plan", "--json"]).expect(1).json();
    assert!(plan["refusals"].to_string().contains("`maintenance`"), "{plan}");
}

#[test]
fn what_it_cannot_hold_is_refused_or_brought_to_the_nearest() {
    let trio = Trio::start(true);
    let place = place("http://127.0.0.1:9/hook");
    let lines = |more: &str| {
        format!(
            "{more}  alert: [{{ contact: hook, after: 5m, repeat: 1h }}]\n  contacts: {{ hook: {{ webhook: env:ALERT_WEBHOOK_URL }} }}\n  checks:\n    - {{ name: Home, url: \"http://127.0.0.1:9/\", regions: [europe], warn_domain: true, labels: [web], every: 10s, timeout: 30s }}\n"
        )
    };
    spec(&place, &trio, &lines(""));
    let plan = place.run(&["plan", "--json"]).expect(1).json();
    assert_eq!(codes(&plan, "refusals"), ["unsupported"; 4]);
    spec(&place, &trio, &lines("  on_unsupported: warn\n"));
    place.run(&["apply", "--yes"]).expect(0);
    let again = place.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}", again.all());
    checks(
        &place,
        &trio,
        &[
            "{ name: Backup, heartbeat: 1d }".to_owned(),
            "{ name: Names, dns: acme.example, every: 20s }".to_owned(),
        ],
    );
    let plan = place.run(&["plan", "--json"]).expect(1).json();
    let words = plan["refusals"].to_string();
    assert!(
        words.contains("cannot hold `heartbeat`") && words.contains("write `server: HOST`"),
        "{words}"
    );
    let (_, routes) = trio
        .files()
        .into_iter()
        .find(|(name, _)| name.ends_with("alertmanager.yml"))
        .unwrap();
    assert!(
        routes.contains("\"group_wait\": \"300s\"") && routes.contains("\"repeat_interval\": \"60m\""),
        "{routes}"
    );
}
