//! What stops Gatus, and what its conditions mean otherwise than one would think (its sources, `config/endpoint`).
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};

use super::beside::settings_in;
use super::quirks::{fit, name_there};
use super::render::{self, Secrets};
use crate::model::address::Address;
use crate::model::check::{Check, Dns, Heartbeat, Http, Keyword, NameServer, Status};
use crate::model::inventory::Inventory;
use crate::model::monitor::{Alerting, Confirm, DomainExpiry, Monitor, Region};
use crate::model::record::RecordType;
use crate::model::resource::Resource;
use crate::provider::unsupported::Lack;

fn home() -> Monitor {
    asking(&[Status::Code(200)], None)
}

fn asking(status: &[Status], keyword: Option<Keyword>) -> Monitor {
    let http = Http {
        url: "https://acme.example/".into(),
        method: "GET".into(),
        status: status.iter().copied().collect(),
        keyword,
        follow_redirects: None,
        headers: None,
        body: None,
    };
    Monitor::new("home", "Home", Check::Http(http))
}

fn keyword(text: &str, absent: bool, ignore_case: Option<bool>) -> Keyword {
    Keyword {
        text: text.into(),
        absent,
        ignore_case,
    }
}

fn endpoint(monitor: Monitor) -> Value {
    let all = Inventory::from([(Address::monitor(&monitor.key), Resource::Monitor(Box::new(monitor)))]);
    let text = render::text("acme", &all, &Secrets::new(), "localhost:25");
    serde_json::from_str::<Value>(&text).unwrap()["endpoints"][0].clone()
}

fn conditions(monitor: Monitor) -> Value {
    endpoint(monitor)["conditions"].clone()
}

/// What is not held, and whether the nearest then is.
fn lacks(monitor: Monitor) -> Vec<Lack> {
    let mut resource = Resource::Monitor(Box::new(monitor));
    let lacks = fit(&mut resource);
    if lacks.iter().all(|lack| lack.nearest.is_some()) {
        assert_eq!(fit(&mut resource), [], "the nearest can be held");
    }
    lacks
}

fn fields(monitor: Monitor) -> Vec<&'static str> {
    lacks(monitor).iter().map(|lack| lack.field).collect()
}

#[test]
fn a_name_that_would_stop_it_is_refused() {
    for (name, nearest) in [("Home \"x\"", "Home 'x'"), ("C:\\ drive", "C:/ drive")] {
        let named = lacks(Monitor {
            name: name.into(),
            ..home()
        });
        assert_eq!((named[0].field, named[0].nearest.as_deref()), ("name", Some(nearest)));
    }
    assert!(fields(home()).is_empty());
}

#[test]
fn names_are_told_apart_as_it_does() {
    for same in ["Login page", "login-page", "LOGIN_PAGE", " Login&page "] {
        assert_eq!(name_there(same), "login-page");
    }
    assert_ne!(name_there("Login page"), name_there("Login pages"));
}

#[test]
fn a_text_that_it_would_take_for_a_pattern_is_refused() {
    for text in [
        "a*b",
        "Sign in?",
        "[BODY]",
        "f(x)",
        "a\\b",
        "a,b",
        "a == b",
        "1 < 2",
        "two\nlines",
    ] {
        assert_eq!(
            fields(asking(&[Status::Code(200)], Some(keyword(text, false, None)))),
            ["contains"],
            "{text}"
        );
        assert_eq!(
            fields(asking(&[Status::Code(200)], Some(keyword(text, true, None)))),
            ["lacks"],
            "{text}"
        );
    }
    assert!(fields(asking(&[Status::Code(200)], Some(keyword("größe & more", false, None)))).is_empty());
}

#[test]
fn a_keyword_is_there_or_not_there() {
    let of = |absent| conditions(asking(&[Status::Code(200)], Some(keyword("Sign in", absent, None))));
    assert_eq!(of(false)[1], "[BODY] == pat(*Sign in*)");
    assert_eq!(of(true)[1], "[BODY] != pat(*Sign in*)");
}

#[test]
fn case_counts_to_it() {
    assert_eq!(
        fields(asking(
            &[Status::Code(200)],
            Some(keyword("Sign in", false, Some(true)))
        )),
        ["ignore_case"]
    );
}

#[test]
fn a_list_of_statuses_is_any_of_them_and_a_class_is_a_range() {
    let of = |status: &[Status]| conditions(asking(status, None));
    assert_eq!(of(&[Status::Code(405)]), json!(["[STATUS] == 405"]));
    assert_eq!(
        of(&[Status::Code(204), Status::Code(404)]),
        json!(["[STATUS] == any(204, 404)"])
    );
    assert_eq!(
        of(&[Status::Class(2), Status::Class(3)]),
        json!(["[STATUS] >= 200", "[STATUS] < 400"])
    );
    let apart = of(&[Status::Class(2), Status::Class(4)])[0]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(apart.contains("299, 400") && !apart.contains("300"), "{apart}");
}

#[test]
fn what_ends_is_a_condition_in_hours_and_no_condition_looks_too_often() {
    let watched = Monitor {
        tls_expiry: Some([21].into()),
        domain_expiry: Some(DomainExpiry::Days(30)),
        every: Some(300),
        ..home()
    };
    assert_eq!(
        conditions(watched.clone()),
        json!([
            "[STATUS] == 200",
            "[CERTIFICATE_EXPIRATION] > 504h",
            "[DOMAIN_EXPIRATION] > 720h"
        ])
    );
    // It stops where a registration would be asked for more often than every five minutes.
    let often = Monitor {
        every: Some(60),
        ..watched
    };
    assert_eq!(fields(often), ["every"]);
}

#[test]
fn what_rests_is_switched_off() {
    let of = |paused| endpoint(Monitor { paused, ..home() })["enabled"].clone();
    assert_eq!(
        (of(Some(true)), of(Some(false)), of(None)),
        (json!(false), Value::Null, Value::Null)
    );
}

#[test]
fn a_sign_that_it_would_take_for_a_variable_stands_for_itself() {
    let named = endpoint(Monitor {
        name: "Pay $5 ${HOME}".into(),
        ..home()
    });
    assert_eq!(named["name"], "Pay $$5 $${HOME}");
}

#[test]
fn what_it_cannot_hold_is_named() {
    let heartbeat = Monitor::new("home", "Home", Check::Heartbeat(Heartbeat { grace: None }));
    let dns = |record, server: Option<&str>| {
        let dns = Dns {
            domain: "acme.example".into(),
            record,
            answers: Some(["192.0.2.1".to_owned()].into()),
            server: server.map(|host| NameServer {
                host: host.to_owned(),
                port: 53,
            }),
        };
        Monitor::new("home", "Home", Check::Dns(dns))
    };
    let minutely = || Monitor {
        every: Some(60),
        ..home()
    };
    let rows = [
        ("heartbeat", heartbeat),
        ("server", dns(RecordType::A, None)),
        ("answers", dns(RecordType::Mx, Some("ns1.acme.example"))),
        (
            "regions",
            Monitor {
                regions: Some([Region::Europe].into()),
                ..home()
            },
        ),
        (
            "labels",
            Monitor {
                labels: Some(["web".to_owned()].into()),
                ..home()
            },
        ),
        (
            "warn_before",
            Monitor {
                tls_expiry: Some([30, 7].into()),
                ..home()
            },
        ),
        (
            "warn_domain",
            Monitor {
                domain_expiry: Some(DomainExpiry::Watched(true)),
                ..home()
            },
        ),
        (
            "confirm",
            Monitor {
                confirm: Some(Confirm::lasting(90)),
                ..minutely()
            },
        ),
        (
            "recover",
            Monitor {
                recover: Some(90),
                ..minutely()
            },
        ),
        (
            "alert",
            Monitor {
                contacts: Some([("ops".to_owned(), Alerting { after: 0, repeat: 2 })].into()),
                ..minutely()
            },
        ),
    ];
    for (field, monitor) in rows {
        assert_eq!(fields(monitor), [field]);
    }
}

#[test]
fn what_two_files_may_not_both_say_is_a_value_and_no_mapping() {
    let of = |text: &str| -> Vec<String> { settings_in(text).iter().map(|way| way.join(".")).collect() };
    let users = "ui: { title: Ours }\nalerting:\n  slack: &chat\n    webhook-url: https://hooks.slack.example/x\n    default-alert: { enabled: true }\n    overrides:\n      - { group: core, webhook-url: x }\n  email: *chat\n  custom:\n    headers: { Content-Type: text/plain }\nendpoints:\n  - { name: alerting, alerts: [{ type: slack }] }\n";
    assert_eq!(
        of(users),
        [
            "alerting.custom.headers.Content-Type",
            "alerting.slack.default-alert.enabled",
            "alerting.slack.webhook-url",
        ]
    );
    assert!(of("not: [closed").is_empty() && of("").is_empty());
}

#[test]
fn no_number_of_checks_is_too_large() {
    let monitor = Monitor {
        every: Some(1),
        confirm: Some(Confirm::Times(u32::MAX)),
        recover: Some(u32::MAX),
        ..home()
    };
    let alerting = Alerting {
        after: u32::MAX,
        repeat: u32::MAX,
    };
    assert_eq!(render::failures(&monitor, alerting, 1), u32::MAX);
    let ops = crate::model::contact::Contact {
        key: "ops".into(),
        channel: crate::model::contact::Channel::Email {
            address: "ops@acme.example".into(),
        },
        marker: None,
    };
    let told = Monitor {
        contacts: Some([("ops".to_owned(), alerting)].into()),
        ..monitor
    };
    let all = Inventory::from([
        (Address::monitor("home"), Resource::Monitor(Box::new(told))),
        (Address::contact("ops"), Resource::Contact(ops)),
    ]);
    let text = render::text("acme", &all, &Secrets::new(), "localhost:25");
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["endpoints"][0]["alerts"][0]["success-threshold"], u32::MAX);
}
