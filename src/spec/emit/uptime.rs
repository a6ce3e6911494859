//! Checks, contacts and maintenance windows as an `uptime` block: what most checks share is said once above them, and
//! what is the language's or the service's own choice is not said.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::page::{Page, Yaml, one_line};
use super::{Emitted, Form, Head, Part, Written};
use crate::model::capability::UptimeRules;
use crate::model::check::{Check, Http, SentText, Status};
use crate::model::contact::{Channel, Contact};
use crate::model::monitor::{Alerting, Confirm, DomainExpiry, Monitor, key_of};
use crate::model::ttl::Ttl;
use crate::model::window::{Maintenance, Repeats, Rest, UTC};

/// An account of checks to be written down.
#[derive(Debug, Clone)]
pub struct EmittedUptime {
    /// The provider, by its name in specs.
    pub provider: &'static str,
    /// How it watches.
    pub rules: UptimeRules,
    /// Who can be told.
    pub contacts: Vec<Written<Contact>>,
    /// When checks may fail.
    pub windows: Vec<Written<Maintenance>>,
    /// What is watched. The windows of each are named by their keys.
    pub checks: Vec<Written<Monitor>>,
    /// Whom a check tells that no contact can say, by the position of the check: of who is told, nothing is said then.
    pub told_otherwise: BTreeMap<usize, String>,
    /// Comment lines.
    pub about: Vec<String>,
}

/// Seconds to wait for an answer where nothing is said.
const TIMEOUT: u32 = 30;

type Entry = Vec<(String, Yaml)>;

/// Writes an account down, as a spec of its own where there is a head, else as the block alone.
pub fn emit_uptime(uptime: &EmittedUptime, head: Option<&Head>) -> Emitted {
    let mut page = head.map_or_else(Page::default, super::begin);
    block(uptime, &mut page);
    Emitted {
        text: page.text,
        parts: page.parts,
        mail: BTreeMap::new(),
    }
}

fn block(uptime: &EmittedUptime, page: &mut Page) {
    page.line("uptime:");
    for words in &uptime.about {
        page.line(&format!("  # {}", one_line(words)));
    }
    page.line(&format!("  provider: {}", uptime.provider));
    let declared: Vec<(usize, &Monitor)> = uptime
        .checks
        .iter()
        .enumerate()
        .filter(|(_, check)| !matches!(check.form, Form::Comment(_)))
        .map(|(at, check)| (at, &check.what))
        .collect();
    let asked = declared
        .iter()
        .filter(|(_, check)| !matches!(check.check, Check::Heartbeat(_)));
    let every = commonest(asked.filter_map(|(_, check)| check.every));
    if let Some(every) = every {
        page.line(&format!("  every: {}", span(every)));
    }
    // Whoever is told by a check of which it cannot be said is told still, as long as nothing is said above it.
    let is_sayable = declared.iter().all(|(_, check)| check.contacts.is_some());
    let alert = commonest(declared.iter().filter_map(|(_, check)| check.contacts.clone())).filter(|_| is_sayable);
    if let Some(alert) = &alert {
        page.key("alert", &told(alert), 2, None);
    }
    if !is_sayable {
        page.line("  accept: [nobody-told]  # whom some of the checks tell no spec can say");
    }
    named(page, "contacts", &uptime.contacts, Part::Contact, |contact| {
        (contact.key.clone(), channel(&contact.channel))
    });
    named(page, "maintenance", &uptime.windows, Part::Window, |window| {
        (window.key.clone(), self::window(window))
    });
    page.line("");
    page.line(if declared.is_empty() {
        "  # checks:"
    } else {
        "  checks:"
    });
    for (at, written) in uptime.checks.iter().enumerate() {
        let entry = Yaml::Map(check(&written.what, uptime.rules, every, alert.as_ref()));
        match &written.form {
            Form::Comment(reason) => page.aside(&entry, reason, 4),
            Form::Words | Form::Raw => {
                if let Some(whom) = uptime.told_otherwise.get(&at) {
                    page.line(&format!(
                        "    # Whom the next one tells no spec can say, and it stays so: {}",
                        one_line(whom)
                    ));
                }
                page.item(&entry, 4, Some((0, Part::Check(at))));
            }
        }
    }
}

/// A table of what has a name.
fn named<T>(
    page: &mut Page,
    key: &str,
    all: &[Written<T>],
    part: impl Fn(usize) -> Part,
    entry: impl Fn(&T) -> (String, Yaml),
) {
    if all.is_empty() {
        return;
    }
    let any = all.iter().any(|one| !matches!(one.form, Form::Comment(_)));
    page.line(&if any {
        format!("  {key}:")
    } else {
        format!("  # {key}:")
    });
    for (at, one) in all.iter().enumerate() {
        let (name, value) = entry(&one.what);
        let line = format!("{}: {}", super::page::scalar(&name), value.flow());
        match &one.form {
            Form::Comment(reason) => {
                page.line(&format!("    # Left as it is, unmanaged: {}", one_line(reason)));
                page.line(&format!("    # {line}"));
            }
            Form::Words | Form::Raw => page.line_of(&format!("    {line}"), Some((0, part(at)))),
        }
    }
}

fn commonest<T: Ord + Clone>(all: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    // Of several that are equally common, the least.
    let most = counts.values().copied().max()?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(one, _)| one)
}

fn span(seconds: u32) -> String {
    Ttl::Seconds(seconds).to_string()
}

fn channel(channel: &Channel) -> Yaml {
    let (key, value) = match channel {
        Channel::Email { address } => ("email", Yaml::text(address)),
        Channel::Slack { hook } => ("slack", Yaml::word(hook)),
        Channel::Webhook { url } => ("webhook", Yaml::word(url)),
        Channel::Sms { number } => ("sms", Yaml::text(number)),
        Channel::Other { what } => ("kind", Yaml::text(what)),
    };
    Yaml::Map(vec![(key.to_owned(), value)])
}

fn window(maintenance: &Maintenance) -> Yaml {
    let window = &maintenance.window;
    let mut entry = Entry::new();
    let mut put = |key: &str, value: Yaml| entry.push((key.to_owned(), value));
    match &window.repeats {
        Repeats::Once { date } => put("date", Yaml::Scalar(format!("\"{date}\""))),
        Repeats::Daily => put("repeat", Yaml::word("daily")),
        Repeats::Weekly { days } => {
            put("repeat", Yaml::word("weekly"));
            put("days", words(days.iter().map(|day| day.as_str())));
        }
        Repeats::Monthly { days } => {
            put("repeat", Yaml::word("monthly"));
            let day = |day: &i8| {
                if *day < 0 { "last".to_owned() } else { day.to_string() }
            };
            put("days", words(days.iter().map(day)));
        }
    }
    put("at", Yaml::Scalar(format!("\"{}\"", window.at)));
    put("for", Yaml::word(span(window.minutes.saturating_mul(60))));
    if window.zone != UTC {
        put("zone", Yaml::text(&window.zone));
    }
    Yaml::Map(entry)
}

fn words(all: impl Iterator<Item = impl Display>) -> Yaml {
    Yaml::List(all.map(|word| Yaml::Scalar(word.to_string())).collect())
}

/// One, or a list.
fn one_or_many(mut all: Vec<Yaml>) -> Yaml {
    match all.len() {
        1 => all.remove(0),
        _ => Yaml::List(all),
    }
}

fn told(contacts: &BTreeMap<String, Alerting>) -> Yaml {
    let one = |(key, alerting): (&String, &Alerting)| {
        if *alerting == Alerting::default() {
            return Yaml::text(key);
        }
        let mut entry = vec![("contact".to_owned(), Yaml::text(key))];
        for (word, minutes) in [("after", alerting.after), ("repeat", alerting.repeat)] {
            if minutes > 0 {
                entry.push((word.to_owned(), Yaml::word(span(minutes.saturating_mul(60)))));
            }
        }
        Yaml::Map(entry)
    };
    Yaml::List(contacts.iter().map(one).collect())
}

/// A check as an entry, without what is said above all of them.
fn check(
    monitor: &Monitor,
    rules: UptimeRules,
    every: Option<u32>,
    alert: Option<&BTreeMap<String, Alerting>>,
) -> Entry {
    let mut entry: Entry = vec![("name".to_owned(), Yaml::text(&monitor.name))];
    if key_of(&monitor.name) != monitor.key {
        entry.push(("key".to_owned(), Yaml::text(&monitor.key)));
    }
    target(monitor, &mut entry);
    if matches!(monitor.check, Check::Other { .. }) {
        return entry;
    }
    let is_http = monitor.check.http().is_some();
    let mut put = |key: &str, value: Yaml| entry.push((key.to_owned(), value));
    if is_http && monitor.verify_tls == Some(false) {
        put("verify_tls", Yaml::word("false"));
    }
    let days = |days: &u16| Yaml::word(format!("{days}d"));
    if let Some(all) = monitor.tls_expiry.as_ref().filter(|all| is_http && !all.is_empty()) {
        put("warn_before", one_or_many(all.iter().map(days).collect()));
    }
    match monitor.domain_expiry {
        Some(DomainExpiry::Watched(true)) => put("warn_domain", Yaml::word("true")),
        Some(DomainExpiry::Days(before)) => put("warn_domain", days(&before)),
        Some(DomainExpiry::Watched(false)) | None => {}
    }
    let is_asked = !matches!(monitor.check, Check::Heartbeat(_));
    if let Some(own) = monitor.every.filter(|own| is_asked && Some(*own) != every) {
        put("every", Yaml::word(span(own)));
    }
    let waits = matches!(monitor.check, Check::Http(_) | Check::Tcp { .. });
    let longest = if is_http { TIMEOUT } else { rules.longest_connection };
    let usual = waits.then(|| TIMEOUT.min(monitor.every.unwrap_or(TIMEOUT)).min(longest));
    if let Some(timeout) = monitor.timeout.filter(|timeout| Some(*timeout) != usual) {
        put("timeout", Yaml::word(span(timeout)));
    }
    match monitor.confirm {
        Some(Confirm::Times(0)) | None => {}
        Some(Confirm::Times(times)) => put("confirm", Yaml::word(times)),
        Some(Confirm::Lasting { seconds }) => put("confirm", Yaml::word(span(seconds))),
    }
    if let Some(recover) = monitor.recover.filter(|_| monitor.recover != rules.usual_recover) {
        put("recover", Yaml::word(span(recover)));
    }
    let regions = monitor.regions.iter().flatten();
    if is_asked && !regions.clone().eq(rules.usual_regions) && regions.clone().next().is_some() {
        put("regions", words(regions.map(|region| region.as_str())));
    }
    if monitor.paused == Some(true) {
        put("paused", Yaml::word("true"));
    }
    if let Some(contacts) = monitor.contacts.as_ref().filter(|contacts| Some(*contacts) != alert) {
        put("alert", told(contacts));
    }
    let rests = monitor.maintenance.iter().flatten();
    let rests: Vec<Yaml> = rests
        .filter_map(|rest| match rest {
            Rest::Kept(key) => Some(Yaml::text(key)),
            Rest::Own(_) => None,
        })
        .collect();
    if !rests.is_empty() {
        put("maintenance", Yaml::List(rests));
    }
    if let Some(labels) = monitor.labels.as_ref().filter(|labels| !labels.is_empty()) {
        put(
            "labels",
            Yaml::List(labels.iter().map(|label| Yaml::text(label)).collect()),
        );
    }
    entry
}

/// What is asked, and what is expected.
fn target(monitor: &Monitor, entry: &mut Entry) {
    let mut put = |key: &str, value: Yaml| entry.push((key.to_owned(), value));
    match &monitor.check {
        Check::Http(asked) => http(asked, entry),
        Check::Tcp { host, port } => {
            let host = if host.contains(':') {
                format!("[{host}]")
            } else {
                host.clone()
            };
            put("tcp", Yaml::text(&format!("{host}:{port}")));
        }
        Check::Ping { host } => put("ping", Yaml::text(host)),
        Check::Dns(dns) => {
            put("dns", Yaml::text(&dns.domain));
            put("record", Yaml::word(dns.record));
            if let Some(answers) = dns.answers.as_ref().filter(|answers| !answers.is_empty()) {
                put(
                    "answers",
                    Yaml::List(answers.iter().map(|answer| Yaml::text(answer)).collect()),
                );
            }
            if let Some(server) = &dns.server {
                let text = if server.port == 53 {
                    server.host.clone()
                } else {
                    server.to_string()
                };
                put("server", Yaml::text(&text));
            }
        }
        Check::Heartbeat(heartbeat) => {
            put("heartbeat", Yaml::word(span(monitor.every.unwrap_or_default())));
            if let Some(grace) = heartbeat.grace {
                put("grace", Yaml::word(span(grace)));
            }
        }
        Check::Other { what, .. } => put("kind", Yaml::text(what)),
    }
}

fn http(asked: &Http, entry: &mut Entry) {
    let mut put = |key: &str, value: Yaml| entry.push((key.to_owned(), value));
    put("url", Yaml::text(&asked.url));
    if asked.method != "GET" {
        put("method", Yaml::text(&asked.method));
    }
    let sent = |text: &SentText| match text {
        SentText::Plain(text) => Yaml::text(text),
        SentText::Guarded(guarded) => Yaml::word(guarded),
    };
    if let Some(headers) = asked.headers.as_ref().filter(|headers| !headers.is_empty()) {
        let all = headers
            .iter()
            .map(|(name, value)| (super::page::scalar(name), sent(value)));
        put("headers", Yaml::Map(all.collect()));
    }
    if let Some(body) = &asked.body {
        put("body", sent(body));
    }
    let mut expect = Entry::new();
    if asked.status != Status::set([Status::Class(2)]) {
        let all = asked.status.iter().map(Yaml::word).collect();
        expect.push(("status".to_owned(), one_or_many(all)));
    }
    if let Some(keyword) = &asked.keyword {
        let key = if keyword.absent { "lacks" } else { "contains" };
        expect.push((key.to_owned(), Yaml::text(&keyword.text)));
        if keyword.ignore_case == Some(true) {
            expect.push(("ignore_case".to_owned(), Yaml::word("true")));
        }
    }
    if !expect.is_empty() {
        put("expect", Yaml::Map(expect));
    }
    if asked.follow_redirects == Some(false) {
        put("follow_redirects", Yaml::word("false"));
    }
}
