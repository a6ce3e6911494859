//! What the servers are known to do against what one would expect, and what our files say so that it does no harm.
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};

use super::folder::Folder;
use super::quirks::fit;
use super::render::{self, Secrets};
use super::{are_loaded, shown_checks};
use crate::model::address::Address;
use crate::model::check::{Check, Dns, Heartbeat, Http, Keyword, Status};
use crate::model::contact::{Channel, Contact};
use crate::model::inventory::Inventory;
use crate::model::monitor::{Alerting, Confirm, DomainExpiry, Monitor, Region};
use crate::model::record::RecordType;
use crate::model::resource::Resource;
use crate::model::window::{Repeats, Rest, Window};

fn http(status: &[Status]) -> Http {
    Http {
        url: "https://acme.example/".into(),
        method: "GET".into(),
        status: status.iter().copied().collect(),
        keyword: None,
        follow_redirects: None,
        headers: None,
        body: None,
    }
}

fn home() -> Monitor {
    Monitor::new("home", "Home", Check::Http(http(&[Status::Code(200)])))
}

fn inventory(monitor: Monitor) -> Inventory {
    let ops = Contact {
        key: "ops".into(),
        channel: Channel::Email {
            address: "ops@acme.example".into(),
        },
        marker: None,
    };
    Inventory::from([
        (Address::monitor(&monitor.key), Resource::Monitor(Box::new(monitor))),
        (Address::contact("ops"), Resource::Contact(ops)),
    ])
}

/// One of the files for a monitor.
fn written(monitor: Monitor, suffix: &str) -> Value {
    let all = render::files("acme", &inventory(monitor), &Secrets::new(), "localhost:25");
    let file = all.iter().find(|file| file.name.ends_with(suffix)).unwrap();
    serde_json::from_str(&file.text).unwrap()
}

fn module(monitor: Monitor) -> Value {
    written(monitor, ".blackbox.yml")["modules"]["launchctl_acme_home"].clone()
}

fn rules(monitor: Monitor) -> Vec<Value> {
    written(monitor, ".rules.yml")["groups"][0]["rules"]
        .as_array()
        .unwrap()
        .clone()
}

const OURS: &str = r#"managed_by="launchctl",stack="acme",check="home""#;

#[test]
fn a_check_is_never_longer_than_the_time_to_the_next() {
    let of = |every, timeout| {
        let targets = written(
            Monitor {
                every,
                timeout,
                ..home()
            },
            ".targets.json",
        );
        let labels = &targets[0]["labels"];
        [
            labels["__scrape_interval__"].clone(),
            labels["__scrape_timeout__"].clone(),
        ]
    };
    assert_eq!(of(Some(5), None), [json!("5s"), json!("5s")]);
    assert_eq!(of(Some(5), Some(30)), [json!("5s"), json!("5s")]);
    assert_eq!(of(None, Some(30)), [json!("300s"), json!("30s")]);
}

#[test]
fn what_rests_is_not_asked_and_the_rest_bears_our_mark() {
    let targets = |paused| written(Monitor { paused, ..home() }, ".targets.json");
    assert_eq!(targets(Some(true)), json!([]));
    for paused in [None, Some(false)] {
        let labels = &targets(paused)[0]["labels"];
        let mark = ["managed_by", "stack", "check", "module"].map(|name| labels[name].as_str().unwrap());
        assert_eq!(mark, ["launchctl", "acme", "home", "launchctl_acme_home"]);
    }
}

#[test]
fn a_probe_that_failed_is_told_by_its_metric_and_not_by_its_answer() {
    let down = &rules(home())[0];
    assert_eq!(down["alert"], "launchctl_down");
    // Two checks of five minutes, and one more.
    assert_eq!(
        down["expr"],
        format!("last_over_time(probe_success{{{OURS}}}[660s]) == 0")
    );
}

#[test]
fn a_probe_that_could_not_be_asked_for_is_told_too() {
    let all = rules(home());
    let unasked = all
        .iter()
        .find(|rule| rule["alert"] == "launchctl_not_checked")
        .unwrap();
    assert_eq!(unasked["expr"], format!("last_over_time(up{{{OURS}}}[660s]) == 0"));
    assert_eq!(unasked["for"], "660s", "longer than it takes to read a new file");
}

#[test]
fn a_certificate_is_no_reason_not_to_tell_that_a_site_is_down() {
    let all = rules(Monitor {
        tls_expiry: Some([21, 3].into()),
        verify_tls: Some(false),
        ..home()
    });
    let names: Vec<&str> = all.iter().map(|rule| rule["alert"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "launchctl_down",
            "launchctl_not_checked",
            "launchctl_certificate",
            "launchctl_certificate"
        ]
    );
}

#[test]
fn of_a_certificate_the_earliest_end_of_all_is_looked_at() {
    let all = rules(Monitor {
        tls_expiry: Some([21].into()),
        verify_tls: Some(false),
        ..home()
    });
    let rule = all.last().unwrap();
    assert_eq!(
        rule["expr"],
        format!("(last_over_time(probe_ssl_earliest_cert_expiry{{{OURS}}}[660s]) - time()) / 86400 < 21")
    );
    assert_eq!(rule["labels"]["days"], "21", "or two of them would be one alert");
}

#[test]
fn a_failure_is_confirmed_and_its_end_too() {
    let of = |confirm, recover| {
        let monitor = Monitor {
            every: Some(60),
            confirm,
            recover,
            ..home()
        };
        let down = rules(monitor)[0].clone();
        (down["for"].clone(), down["keep_firing_for"].clone())
    };
    assert_eq!(of(None, None), (json!("0s"), Value::Null));
    assert_eq!(of(Some(Confirm::Times(3)), Some(300)), (json!("180s"), json!("300s")));
    assert_eq!(of(Some(Confirm::lasting(90)), Some(0)), (json!("90s"), Value::Null));
}

#[test]
fn a_name_is_no_template() {
    let rule = &rules(Monitor {
        name: "Home {{ $labels.check }}".into(),
        ..home()
    })[0];
    assert!(
        !rule["annotations"]["summary"].as_str().unwrap().contains("{{"),
        "{rule}"
    );
}

fn keyword(text: &str, absent: bool, ignore_case: Option<bool>) -> Value {
    let keyword = Keyword {
        text: text.into(),
        absent,
        ignore_case,
    };
    let http = Http {
        keyword: Some(keyword),
        ..http(&[Status::Code(200)])
    };
    module(Monitor::new("home", "Home", Check::Http(http)))["http"].clone()
}

#[test]
fn a_keyword_is_looked_for_as_it_is_written() {
    let there = keyword("Sign in? (now) [1.0] $5", false, None);
    assert_eq!(
        there["fail_if_body_not_matches_regexp"],
        json!([r"Sign in\? \(now\) \[1\.0\] \$5"])
    );
}

#[test]
fn a_keyword_that_must_not_be_there_fails_where_it_is() {
    let absent = keyword("Error", true, None);
    assert_eq!(absent["fail_if_body_matches_regexp"], json!(["Error"]));
    assert_eq!(absent["fail_if_body_not_matches_regexp"], Value::Null);
}

#[test]
fn the_case_of_a_keyword_counts_unless_it_is_said_not_to() {
    let pattern = |ignore_case| keyword("Sign in", false, ignore_case)["fail_if_body_not_matches_regexp"].clone();
    assert_eq!(pattern(None), json!(["Sign in"]));
    assert_eq!(pattern(Some(false)), json!(["Sign in"]));
    assert_eq!(pattern(Some(true)), json!(["(?i)Sign in"]));
}

#[test]
fn a_class_of_statuses_is_all_of_its_codes() {
    let monitor = |status: &[Status]| Monitor::new("home", "Home", Check::Http(http(status)));
    let codes = |status: &[Status]| module(monitor(status))["http"]["valid_status_codes"].clone();
    assert_eq!(codes(&[Status::Code(204), Status::Code(405)]), json!([204, 405]));
    let class = codes(&[Status::Class(2)]);
    assert_eq!(
        (class.as_array().unwrap().len(), &class[0], &class[99]),
        (100, &json!(200), &json!(299))
    );
}

#[test]
fn what_is_not_said_is_what_the_spec_means_and_not_what_the_exporter_would_do() {
    let said = module(home());
    assert_eq!(said["timeout"], "10s");
    assert_eq!(said["http"]["method"], "GET");
    assert_eq!(said["http"]["follow_redirects"], true);
    assert_eq!(said["http"]["tls_config"]["insecure_skip_verify"], false);
    let trusting = module(Monitor {
        verify_tls: Some(false),
        timeout: Some(7),
        ..home()
    });
    assert_eq!(trusting["http"]["tls_config"]["insecure_skip_verify"], true);
    assert_eq!(trusting["timeout"], "7s");
}

#[test]
fn a_contact_hears_when_it_is_said_to() {
    let route = |after, repeat, maintenance: Option<Rest>| {
        let monitor = Monitor {
            contacts: Some([("ops".to_owned(), Alerting { after, repeat })].into()),
            maintenance: maintenance.map(|rest| [rest].into()),
            ..home()
        };
        written(monitor, ".alertmanager.yml")["route"]["routes"][0].clone()
    };
    let said = route(5, 60, None);
    assert_eq!(
        (&said["receiver"], &said["group_wait"], &said["repeat_interval"]),
        (&json!("launchctl_acme_ops"), &json!("300s"), &json!("60m"))
    );
    assert_eq!(said["matchers"], json!([r#"stack="acme""#, r#"check="home""#]));
    assert_eq!(said["mute_time_intervals"], Value::Null);
    // The Alertmanager repeats by itself, every four hours where nothing is said: once is once a year.
    assert_eq!(route(0, 0, None)["repeat_interval"], "525600m");
    let night = Window {
        repeats: Repeats::Daily,
        at: serde_json::from_value(json!("02:00")).unwrap(),
        minutes: 30,
        zone: "UTC".into(),
    };
    let resting = route(0, 0, Some(Rest::Own(night)));
    assert_eq!(resting["mute_time_intervals"], json!(["launchctl_acme_home"]));
}

#[test]
fn every_file_is_ours_by_its_name() {
    for file in render::files("acme", &inventory(home()), &Secrets::new(), "localhost:25") {
        assert!(file.name.starts_with("launchctl_acme."), "{}", file.name);
        assert!(!file.is_secret || file.name.contains("alertmanager"), "{}", file.name);
    }
}

#[test]
fn a_file_is_exchanged_and_never_written_into() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("launchctl_acme.targets.json");
    std::fs::write(&path, "[]").unwrap();
    // Whoever has opened the old one reads it to its end.
    std::fs::hard_link(&path, place.path().join("opened")).unwrap();
    let folder = Folder::new(place.path(), "acme", "localhost:25");
    folder.replace(&inventory(home()), &Secrets::new()).unwrap();
    assert_eq!(std::fs::read_to_string(place.path().join("opened")).unwrap(), "[]");
    assert!(std::fs::read_to_string(&path).unwrap().contains("acme.example"));
}

#[test]
fn what_it_cannot_hold_is_named_with_the_nearest() {
    let dns = |record, server: Option<&str>| {
        let server = server.map(|host| crate::model::check::NameServer {
            host: host.to_owned(),
            port: 53,
        });
        let dns = Dns {
            domain: "acme.example".into(),
            record,
            answers: Some(["0 issue \"ca.example\"".to_owned()].into()),
            server,
        };
        Monitor::new("home", "Home", Check::Dns(dns))
    };
    let heartbeat = Check::Heartbeat(Heartbeat { grace: None });
    let rows: [(&str, Monitor, Option<&str>); 8] = [
        (
            "regions",
            Monitor {
                regions: Some([Region::Europe].into()),
                ..home()
            },
            Some("none"),
        ),
        (
            "warn_domain",
            Monitor {
                domain_expiry: Some(DomainExpiry::Days(30)),
                ..home()
            },
            Some("false"),
        ),
        (
            "warn_domain",
            Monitor {
                domain_expiry: Some(DomainExpiry::Watched(true)),
                ..home()
            },
            Some("false"),
        ),
        (
            "labels",
            Monitor {
                labels: Some(["web".to_owned()].into()),
                ..home()
            },
            Some("none"),
        ),
        (
            "timeout",
            Monitor {
                every: Some(10),
                timeout: Some(30),
                ..home()
            },
            Some("the time between checks"),
        ),
        ("heartbeat", Monitor::new("home", "Home", heartbeat), None),
        ("server", dns(RecordType::A, None), None),
        (
            "answers",
            dns(RecordType::Caa, Some("ns1.acme.example")),
            Some("any answer"),
        ),
    ];
    for (field, monitor, nearest) in rows {
        let mut resource = Resource::Monitor(Box::new(monitor));
        let lacks = fit(&mut resource);
        let said: Vec<(&str, Option<&str>)> = lacks.iter().map(|lack| (lack.field, lack.nearest.as_deref())).collect();
        assert_eq!(said, [(field, nearest)]);
        if nearest.is_some() {
            assert!(fit(&mut resource).is_empty(), "{field}: the nearest can be held");
        }
    }
    let contact = Contact {
        key: "pager".into(),
        channel: Channel::Sms {
            number: "+441632960961".into(),
        },
        marker: None,
    };
    assert_eq!(fit(&mut Resource::Contact(contact))[0].field, "sms");
    let mut plain = Resource::Monitor(Box::new(home()));
    assert!(fit(&mut plain).is_empty());
}

#[cfg(unix)]
#[test]
fn what_holds_a_credential_is_not_for_everybody() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::new(place.path(), "acme", "localhost:25");
    folder.replace(&inventory(home()), &Secrets::new()).unwrap();
    let mode = |suffix: &str| {
        let path = place.path().join(format!("launchctl_acme.{suffix}"));
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!((mode("alertmanager.yml"), mode("rules.yml")), (0o640, 0o644));
}

fn window(repeats: Value, at: &str, minutes: u32) -> Option<Value> {
    let window = Window {
        repeats: serde_json::from_value(repeats).unwrap(),
        at: serde_json::from_value(json!(at)).unwrap(),
        minutes,
        zone: "Europe/Berlin".into(),
    };
    render::intervals(&window).map(Value::from)
}

#[test]
fn a_window_beyond_midnight_is_two_intervals_and_the_second_is_of_the_next_day() {
    let part = |days: Value, from: &str, to: &str| {
        let mut part = json!({ "times": [{ "start_time": from, "end_time": to }], "location": "Europe/Berlin" });
        part.as_object_mut().unwrap().extend(days.as_object().unwrap().clone());
        part
    };
    let daily = || json!({ "repeats": "daily" });
    assert_eq!(
        window(daily(), "02:00", 30),
        Some(json!([part(json!({}), "02:00", "02:30")]))
    );
    assert_eq!(
        window(daily(), "23:30", 30),
        Some(json!([part(json!({}), "23:30", "24:00")]))
    );
    assert_eq!(
        window(daily(), "23:30", 60),
        Some(json!([
            part(json!({}), "23:30", "24:00"),
            part(json!({}), "00:00", "00:30")
        ]))
    );
    let on = |day: &str| json!({ "weekdays": [day] });
    assert_eq!(
        window(json!({ "repeats": "weekly", "days": ["saturday"] }), "22:00", 240),
        Some(json!([
            part(on("saturday"), "22:00", "24:00"),
            part(on("sunday"), "00:00", "02:00")
        ]))
    );
    let of = |year: &str, month: &str, day: &str| json!({ "years": [year], "months": [month], "days_of_month": [day] });
    assert_eq!(
        window(json!({ "repeats": "once", "date": "2026-12-31" }), "22:00", 180),
        Some(json!([
            part(of("2026", "12", "31"), "22:00", "24:00"),
            part(of("2027", "1", "1"), "00:00", "01:00")
        ]))
    );
    // The day after one of a month cannot be said there, nor can a window of more than a day that comes again.
    let monthly = || json!({ "repeats": "monthly", "days": [1] });
    assert!(window(monthly(), "04:00", 60).is_some());
    assert_eq!(window(monthly(), "23:30", 60), None);
    assert_eq!(window(daily(), "02:00", 24 * 60 + 1), None);
}

#[test]
fn what_is_kept_elsewhere_stands_in_a_file_that_only_some_may_read() {
    use crate::base::secret::SecretReference;
    use crate::model::check::SentText;
    use crate::model::contact::Guarded;
    let place = SecretReference::Env("PROBE".into());
    let http = Http {
        headers: Some([("x-probe".to_owned(), SentText::Guarded(Guarded::Kept(place.clone())))].into()),
        body: Some(SentText::Plain("a & b".into())),
        ..http(&[Status::Code(200)])
    };
    let all = inventory(Monitor::new("home", "Home", Check::Http(http)));
    let files = render::files("acme", &all, &[(place, "canary".to_owned())].into(), "localhost:25");
    for file in files {
        assert!(file.is_secret || !file.text.contains("canary"), "{}", file.name);
        if file.name.ends_with(".blackbox.yml") {
            let modules: Value = serde_json::from_str(&file.text).unwrap();
            let sent = &modules["modules"]["launchctl_acme_home"]["http"];
            assert_eq!(
                (&sent["headers"], &sent["body"]),
                (&json!({"x-probe": "canary"}), &json!("a & b"))
            );
        }
    }
}

#[test]
fn brackets_of_any_number_begin_no_template() {
    for name in ["{{{", "{{{{ $x }}}}", "a {{{ b", "{{{{{"] {
        let monitor = Monitor {
            name: name.into(),
            ..home()
        };
        for rule in rules(monitor) {
            let summary = rule["annotations"]["summary"].as_str().unwrap().to_owned();
            assert!(!summary.contains("{{"), "{name}: {summary}");
        }
    }
}

#[test]
fn no_number_is_too_large() {
    for many in [u32::MAX, u32::MAX / 2, u32::MAX / 60 + 1] {
        let alerting = Alerting {
            after: many,
            repeat: many,
        };
        let monitor = Monitor {
            every: Some(many),
            recover: Some(many),
            confirm: Some(Confirm::Times(many)),
            contacts: Some([("ops".to_owned(), alerting)].into()),
            ..home()
        };
        let seconds = |value: &Value, unit: u64| {
            let text = value.as_str().unwrap();
            text.trim_end_matches(['s', 'm']).parse::<u64>().unwrap() * unit
        };
        let route = &written(monitor.clone(), ".alertmanager.yml")["route"]["routes"][0];
        let waits = seconds(&route["group_wait"], 1);
        assert!(waits >= u64::from(many) && u32::try_from(waits).is_ok(), "{route}");
        assert!(u32::try_from(seconds(&route["repeat_interval"], 60)).is_ok(), "{route}");
        let rules = rules(monitor);
        assert!(seconds(&rules[1]["for"], 1) >= u64::from(many), "{rules:?}");
    }
}

#[test]
fn mail_goes_without_tls_on_this_machine_alone() {
    let mail = |smarthost: &str| {
        let all = render::files("acme", &inventory(home()), &Secrets::new(), smarthost);
        let file = all
            .iter()
            .find(|file| file.name.ends_with(".alertmanager.yml"))
            .unwrap();
        let file: Value = serde_json::from_str(&file.text).unwrap();
        let receivers = file["receivers"].as_array().unwrap().clone();
        receivers[1]["email_configs"][0].clone()
    };
    for here in [
        "localhost:25",
        "LOCALHOST:25",
        "127.0.0.1:2525",
        "[::1]:25",
        "127.9.9.9:25",
    ] {
        assert_eq!(mail(here)["require_tls"], false, "{here}");
    }
    for elsewhere in [
        "smtp.acme.example:587",
        "192.0.2.1:25",
        "localhost.acme.example:25",
        "[2001:db8::1]:25",
    ] {
        assert_eq!(mail(elsewhere).get("require_tls"), None, "{elsewhere}");
    }
}

#[test]
fn what_is_shown_of_another_stack_is_not_ours() {
    let labels = |stack: &str, by: &str| json!({ "check": "home", "stack": stack, "managed_by": by });
    let shown = |labels: Value| {
        let targets = json!({ "data": { "activeTargets": [{ "labels": labels }] } });
        shown_checks(&targets.to_string(), "acme")
    };
    assert_eq!(shown(labels("acme", "launchctl")), ["home"]);
    let loaded = |name: &str, labels: Value| {
        let group = json!({ "name": name, "rules": [{ "name": "launchctl_acme", "labels": labels }] });
        are_loaded(&json!({ "data": { "groups": [group] } }).to_string(), "acme")
    };
    assert!(loaded("launchctl_acme", labels("acme", "launchctl")));
    for (stack, by) in [("acme-portal", "launchctl"), ("acme", "somebody")] {
        assert!(shown(labels(stack, by)).is_empty(), "{stack} {by}");
        assert!(!loaded("launchctl_acme", labels(stack, by)), "{stack} {by}");
    }
    assert!(!loaded("launchctl_acme-portal", labels("acme", "launchctl")));
    assert!(shown_checks("", "acme").is_empty() && !are_loaded("{", "acme"));
}
