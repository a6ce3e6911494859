//! Monitors and contacts in a few words, and what changed between two of them, one line for each thing.

use std::collections::BTreeMap;

use crate::base::text::{self, sanitize};
use crate::model::contact::{Channel, Contact};
use crate::model::monitor::{Alerting, Check, Confirm, DomainExpiry, Heartbeat, Http, Monitor, SentText};
use crate::model::resource::Resource;
use crate::model::window::Rest;
use crate::plan::{Action, Change};
use crate::ui::canvas::{Words, style};
use crate::ui::record_view::changed_value;

/// An attribute with its value in words.
type Attribute = (&'static str, String);

/// What a monitor or contact says, in one line.
pub fn whole(resource: &Resource) -> Option<String> {
    let words = match resource {
        Resource::Monitor(monitor) => {
            let mut words = vec![format!("{}: {}", sanitize(&monitor.name), target(&monitor.check))];
            words.extend(
                attributes(monitor)
                    .into_iter()
                    .map(|(name, value)| format!("{name} {value}")),
            );
            words.join(", ")
        }
        Resource::Contact(contact) => channel(contact),
        Resource::Maintenance(maintenance) => maintenance.window.to_string(),
        _ => return None,
    };
    Some(words)
}

/// The lines of a change to a monitor or contact; `None` for other kinds.
pub fn lines(change: &Change, colour: bool) -> Option<Vec<Words>> {
    let shown = change.after.as_ref().or(change.before.as_ref())?;
    let mut lines = match (&change.before, &change.after) {
        (Some(Resource::Monitor(before)), Some(Resource::Monitor(after))) => changed(before, after, colour),
        (Some(Resource::Contact(before)), Some(Resource::Contact(after))) => {
            vec![changed_value(&channel(before), &channel(after), colour)]
        }
        (Some(Resource::Maintenance(before)), Some(Resource::Maintenance(after))) => {
            let (before, after) = (before.window.to_string(), after.window.to_string());
            vec![changed_value(&before, &after, colour)]
        }
        _ => match shown {
            Resource::Monitor(monitor) => {
                let head = Words::of(style::PLAIN, target(&monitor.check))
                    .and(style::DIM, format!("  {}", sanitize(&monitor.name)));
                let attributes = attributes(monitor)
                    .into_iter()
                    .map(|(name, value)| format!("{name} {value}"));
                let attributes = attributes.collect::<Vec<_>>().join(", ");
                vec![head, Words::of(style::DIM, attributes)]
            }
            Resource::Contact(contact) => vec![Words::of(style::PLAIN, channel(contact))],
            Resource::Maintenance(maintenance) => vec![Words::of(style::PLAIN, maintenance.window.to_string())],
            _ => return None,
        },
    };
    if change.action() != Action::Create {
        lines.push(Words::of(style::DIM, format!("({})", sanitize(&change.reason))));
    }
    Some(lines)
}

fn channel(contact: &Contact) -> String {
    let kind = sanitize(contact.channel.kind()).into_owned();
    match &contact.channel {
        Channel::Email { address } => format!("{kind} {}", sanitize(address)),
        Channel::Slack { hook: guarded } | Channel::Webhook { url: guarded } => format!("{kind} {guarded}"),
        Channel::Sms { number } => format!("{kind} {}", sanitize(number)),
        Channel::Other { .. } => kind,
    }
}

fn target(check: &Check) -> String {
    let text = match check {
        Check::Http(http) if http.method == "GET" => http.url.clone(),
        Check::Http(http) => format!("{} {}", http.method, http.url),
        Check::Tcp { host, port } => format!("tcp {host}:{port}"),
        Check::Ping { host } => format!("ping {host}"),
        Check::Dns(dns) => match &dns.server {
            Some(server) => format!("dns {} {} at {server}", dns.record, dns.domain),
            None => format!("dns {} {}", dns.record, dns.domain),
        },
        Check::Heartbeat(_) => "waits for a call".to_owned(),
        Check::Other { what, .. } => what.clone(),
    };
    sanitize(&text).into_owned()
}

fn changed(before: &Monitor, after: &Monitor, colour: bool) -> Vec<Words> {
    let (old, new): (BTreeMap<_, _>, Vec<_>) = (every_part(before).into_iter().collect(), every_part(after));
    let names: Vec<&str> = new.iter().map(|(name, _)| *name).collect();
    let gone = old.iter().filter(|(name, _)| !names.contains(name));
    let gone = gone.map(|(name, value)| (*name, value.as_str(), "none"));
    let nothing = "none".to_owned();
    let changed = new
        .iter()
        .map(|(name, value)| (*name, old.get(name).unwrap_or(&nothing).as_str(), value.as_str()));
    changed
        .chain(gone)
        .filter(|(_, old, new)| old != new)
        .map(|(name, old, new)| Words::of(style::DIM, format!("{name} ")).join(changed_value(old, new, colour)))
        .collect()
}

/// Everything that can change, name and target included.
fn every_part(monitor: &Monitor) -> Vec<Attribute> {
    let mut all = vec![
        ("name", sanitize(&monitor.name).into_owned()),
        ("asks", target(&monitor.check)),
    ];
    all.extend(attributes(monitor));
    if let Some(http) = monitor.check.http() {
        all.push((
            "redirects",
            if http.follow_redirects == Some(false) {
                "judged"
            } else {
                "followed"
            }
            .to_owned(),
        ));
    }
    if let Some(verify) = monitor.verify_tls {
        all.push(("verify_tls", yes(verify)));
    }
    if let Some(marker) = &monitor.marker {
        all.push(("marker", sanitize(marker).into_owned()));
    }
    all
}

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

fn listed<T: ToString>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = all
        .into_iter()
        .map(|one| sanitize(&one.to_string()).into_owned())
        .collect();
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(" ")
    }
}

/// What is worth telling of every monitor.
fn attributes(monitor: &Monitor) -> Vec<Attribute> {
    let mut all = Vec::new();
    match &monitor.check {
        Check::Http(http) => all.extend(expectations(http)),
        Check::Dns(dns) => {
            let answers = dns.answers.iter().map(|answers| ("answers", listed(answers)));
            all.extend(answers);
        }
        Check::Heartbeat(Heartbeat { grace: Some(grace) }) => all.push(("grace", duration(*grace))),
        _ => {}
    }
    if let Some(every) = monitor.every {
        all.push(("every", duration(every)));
    }
    if let Some(timeout) = monitor.timeout {
        all.push(("timeout", duration(timeout)));
    }
    if let Some(confirm) = monitor.confirm {
        let words = match confirm {
            Confirm::Times(times) => times.to_string(),
            Confirm::Lasting { seconds } => duration(seconds),
        };
        all.push(("confirm", words));
    }
    if let Some(recover) = monitor.recover {
        all.push(("recover", duration(recover)));
    }
    if let Some(regions) = &monitor.regions {
        all.push(("regions", listed(regions.iter().map(|region| region.as_str()))));
    }
    if let Some(days) = &monitor.tls_expiry {
        all.push(("warn_before", listed(days.iter().rev().map(|day| format!("{day}d")))));
    }
    if let Some(warn) = monitor.domain_expiry {
        let words = match warn {
            DomainExpiry::Watched(watched) => yes(watched),
            DomainExpiry::Days(days) => format!("{days}d"),
        };
        all.push(("warn_domain", words));
    }
    if let Some(paused) = monitor.paused {
        all.push(("paused", yes(paused)));
    }
    if let Some(contacts) = &monitor.contacts {
        all.push((
            "alert",
            listed(contacts.iter().map(|(key, alerting)| told(key, *alerting))),
        ));
    }
    if let Some(maintenance) = &monitor.maintenance {
        let one = |rest: &Rest| match rest {
            Rest::Kept(key) => key.clone(),
            Rest::Own(window) => format!("({window})"),
        };
        all.push(("maintenance", listed(maintenance.iter().map(one))));
    }
    if let Some(labels) = &monitor.labels {
        all.push(("labels", listed(labels)));
    }
    all
}

fn expectations(http: &Http) -> Vec<Attribute> {
    let mut all = vec![("status", listed(&http.status))];
    if let Some(keyword) = &http.keyword {
        let name = if keyword.absent { "lacks" } else { "contains" };
        all.push((name, format!("\"{}\"", sanitize(&text::shorten(&keyword.text, 60)))));
        if let Some(ignore) = keyword.ignore_case {
            all.push(("ignore_case", yes(ignore)));
        }
    }
    if let Some(headers) = &http.headers {
        let one = |(name, value): (&String, &SentText)| match value {
            SentText::Plain(text) => format!("{name}:{}", text::shorten(text, 40)),
            SentText::Guarded(guarded) => format!("{name}:({guarded})"),
        };
        all.push(("headers", listed(headers.iter().map(one))));
    }
    if let Some(body) = &http.body {
        let words = match body {
            SentText::Plain(text) => format!("\"{}\"", sanitize(&text::shorten(text, 60))),
            SentText::Guarded(guarded) => format!("({guarded})"),
        };
        all.push(("body", words));
    }
    all
}

fn told(key: &str, alerting: Alerting) -> String {
    let mut words = key.to_owned();
    if alerting.after > 0 {
        words.push_str(&format!(" (after {} min)", alerting.after));
    }
    if alerting.repeat > 0 {
        words.push_str(&format!(" (again after {} min)", alerting.repeat));
    }
    words
}

fn duration(seconds: u32) -> String {
    match seconds {
        s if s >= 3_600 && s.is_multiple_of(3_600) => format!("{}h", s / 3_600),
        s if s >= 60 && s.is_multiple_of(60) => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}
