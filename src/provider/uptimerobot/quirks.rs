//! What is peculiar to UptimeRobot: what its plans allow, what its error codes mean, and what is worth knowing before a
//! change is made.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::base::text;
use crate::model::address::Address;
use crate::model::capability::{Capabilities, UptimeRules};
use crate::model::contact::{Channel, Contact};
use crate::model::inventory::Desired;
use crate::model::monitor::{Alerting, Check, Confirm, Dns, DomainExpiry, Heartbeat, Http, Monitor, Region, SentText};
use crate::model::record::RecordType;
use crate::model::resource::Resource;
use crate::model::window::{Rest, UTC};
use crate::plan::{Action, Change, Refusal, Warning, carried_out};
use crate::provider::checks;
use crate::provider::unsupported::{self, Lack};
use crate::provider::{ApiRefusal, Reading, Review, UptimeFacts};

use super::{convert, steps, wire};

/// What UptimeRobot can hold.
pub(super) const CAPABILITIES: Capabilities = Capabilities::without_zones(
    super::NAME,
    "UptimeRobot",
    UptimeRules {
        folds_tls: true,
        keeps_windows: true,
        longest_connection: 60,
        usual_recover: None,
        usual_regions: &[Region::NorthAmerica],
        days_before: &[],
    },
);

/// What a plan allows (the service's table of plans, 2026). A hint: the service has the last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limits {
    /// The shortest time between two checks in seconds.
    every: u32,
    /// Whether it warns of certificates and domains that end, and tells contacts late or again.
    is_paid: bool,
}

fn limits(plan: &str) -> Limits {
    let plan = plan.to_ascii_lowercase();
    if plan.contains("free") {
        Limits {
            every: 300,
            is_paid: false,
        }
    } else if plan.contains("enterprise") {
        Limits {
            every: 30,
            is_paid: true,
        }
    } else {
        Limits {
            every: 60,
            is_paid: true,
        }
    }
}

/// Brings a resource to the nearest that the plan can hold, and says what was given up.
fn fit(resource: &mut Resource, plan: &str) -> Vec<Lack> {
    match resource {
        Resource::Monitor(monitor) => {
            let mut lacks = of_plan(monitor, plan);
            of_service(monitor, &mut lacks);
            match &mut monitor.check {
                Check::Http(http) => of_http(http, &mut lacks),
                Check::Dns(dns) => of_dns(dns, &mut lacks),
                Check::Heartbeat(heartbeat) => of_heartbeat(heartbeat, monitor.every, &mut lacks),
                _ => {}
            }
            of_texts(monitor, &mut lacks);
            lacks
        }
        Resource::Maintenance(maintenance) if maintenance.window.zone != UTC => {
            let zone = std::mem::replace(&mut maintenance.window.zone, UTC.to_owned());
            let words = format!("it keeps windows without a time zone of their own, and this one is in {zone}");
            vec![Lack::new("zone", words, Some(UTC))]
        }
        _ => Vec::new(),
    }
}

/// What the plan that is paid for has not.
fn of_plan(monitor: &mut Monitor, plan: &str) -> Vec<Lack> {
    let limits = limits(plan);
    let mut lacks = Vec::new();
    let is_heartbeat = matches!(monitor.check, Check::Heartbeat(_));
    if is_heartbeat && !limits.is_paid {
        lacks.push(Lack::new(
            "heartbeat",
            format!("the {plan} plan waits for no calls"),
            None,
        ));
    }
    if let Some(every) = monitor.every.filter(|every| *every < limits.every) {
        let field = if is_heartbeat { "heartbeat" } else { "every" };
        let words = format!("a check every {every} s is more often than the {plan} plan makes one");
        lacks.push(Lack::new(field, words, Some(&format!("{} s", limits.every))));
        monitor.every = Some(limits.every);
    }
    if monitor.tls_expiry.as_ref().is_some_and(|days| !days.is_empty()) && !limits.is_paid {
        let words = format!("the {plan} plan warns of no certificate");
        lacks.push(Lack::new("warn_before", words, Some("no warning")));
        monitor.tls_expiry = Some([].into());
    }
    if monitor
        .domain_expiry
        .is_some_and(|warn| warn != DomainExpiry::Watched(false))
        && !limits.is_paid
    {
        let words = format!("the {plan} plan warns of no domain");
        lacks.push(Lack::new("warn_domain", words, Some("false")));
        monitor.domain_expiry = Some(DomainExpiry::Watched(false));
    }
    let alerting = monitor.contacts.iter().flat_map(BTreeMap::values);
    let delays = alerting
        .filter(|alerting| alerting.after > 0 || alerting.repeat > 0)
        .count();
    if delays > 0 && !limits.is_paid {
        let words = format!("the {plan} plan tells everybody at once and once");
        lacks.push(Lack::new("alert", words, Some("no `after` and no `repeat`")));
        for alerting in monitor.contacts.iter_mut().flat_map(BTreeMap::values_mut) {
            *alerting = Alerting::default();
        }
    }
    lacks
}

/// What no plan has.
fn of_service(monitor: &mut Monitor, lacks: &mut Vec<Lack>) {
    let is_http = monitor.check.http().is_some();
    let has_timeout = is_http || matches!(monitor.check, Check::Tcp { .. });
    if let Some(timeout) = monitor.timeout {
        if !has_timeout {
            lacks.push(Lack::new(
                "timeout",
                "such a check has no timeout of its own",
                Some("none"),
            ));
            monitor.timeout = None;
        } else if timeout > 60 {
            lacks.push(Lack::new(
                "timeout",
                format!("{timeout} s is longer than it waits"),
                Some("60 s"),
            ));
            monitor.timeout = Some(60);
        }
    }
    let every = monitor.every.unwrap_or(60);
    match monitor.confirm {
        Some(_) if !is_http => {
            let words = "it checks again only what answers over HTTP";
            lacks.push(Lack::new("confirm", words, Some("none")));
            monitor.confirm = None;
        }
        Some(Confirm::Lasting { seconds }) => {
            let times = Confirm::lasting(seconds).times(every).min(3);
            let words = format!("it checks again so many times, and not for {seconds} s");
            lacks.push(Lack::new("confirm", words, Some(&times.to_string())));
            monitor.confirm = Some(Confirm::Times(times));
        }
        Some(Confirm::Times(times)) if times > 3 => {
            lacks.push(Lack::new(
                "confirm",
                format!("{times} times is more than it checks again"),
                Some("3"),
            ));
            monitor.confirm = Some(Confirm::Times(3));
        }
        _ => {}
    }
    if monitor.recover.take_if(|recover| *recover > 0).is_some() {
        let words = "the first good answer ends a failure";
        lacks.push(Lack::new("recover", words, Some("none")));
    }
    if let Some(DomainExpiry::Days(days)) = monitor.domain_expiry {
        let words = format!("it warns of a domain when it thinks right, and not {days} days before");
        lacks.push(Lack::new("warn_domain", words, Some("true")));
        monitor.domain_expiry = Some(DomainExpiry::Watched(true));
    }
    if let Some(days) = monitor.tls_expiry.as_mut().filter(|days| days.len() > 10) {
        let words = format!("{} days are more than the 10 that it keeps", days.len());
        *days = days.iter().rev().take(10).copied().collect();
        lacks.push(Lack::new("warn_before", words, Some("the 10 that come first")));
    }
}

fn of_http(http: &Http, lacks: &mut Vec<Lack>) {
    if let Some(keyword) = &http.keyword
        && keyword.text.chars().count() > 500
    {
        let field = if keyword.absent { "lacks" } else { "contains" };
        lacks.push(Lack::new(field, "it looks for 500 characters at most", None));
    }
    if let Some(SentText::Plain(body)) = &http.body
        && wire::body_to_wire(body).is_none()
    {
        let words = "it sends JSON, or the pairs of a form such as a=1&b=2";
        lacks.push(Lack::new("body", words, None));
    }
}

/// Types of records that it watches (the service's own list).
const WATCHED: [RecordType; 11] = [
    RecordType::A,
    RecordType::Aaaa,
    RecordType::Cname,
    RecordType::Dnskey,
    RecordType::Ds,
    RecordType::Mx,
    RecordType::Ns,
    RecordType::Ptr,
    RecordType::Soa,
    RecordType::Srv,
    RecordType::Txt,
];

fn of_dns(dns: &mut Dns, lacks: &mut Vec<Lack>) {
    if let Some(server) = dns.server.take() {
        let words = format!("it asks whom it usually asks, and not {server}");
        lacks.push(Lack::new("server", words, Some("none")));
    }
    if dns.answers.is_none() {
        lacks.push(Lack::new("answers", "it compares an answer with what it is told", None));
    }
    if !WATCHED.contains(&dns.record) {
        lacks.push(Lack::new(
            "record",
            format!("it watches no {} records", dns.record),
            None,
        ));
    }
}

fn of_heartbeat(heartbeat: &mut Heartbeat, every: Option<u32>, lacks: &mut Vec<Lack>) {
    const DAY: u32 = 86_400;
    if every.is_some_and(|every| every > 31 * DAY) {
        lacks.push(Lack::new("heartbeat", "it waits for 31 days at most", None));
    }
    if heartbeat.grace.is_some_and(|grace| grace > DAY) {
        lacks.push(Lack::new("grace", "a call may be a day late at most", Some("86400 s")));
        heartbeat.grace = Some(DAY);
    }
}

/// What is too long, or written in signs that it does not take.
fn of_texts(monitor: &Monitor, lacks: &mut Vec<Lack>) {
    let length = monitor.name.chars().count();
    if length > 250 {
        let words = format!("{length} characters are more than the 250 of a name");
        lacks.push(Lack::new("name", words, None));
    }
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    for label in monitor.labels.iter().flatten() {
        if label.is_empty() || label.len() > 50 || !label.chars().all(is_plain) || label.starts_with("launchctl") {
            let shown = text::shorten(&text::sanitize(label), 60);
            let words =
                format!("`{shown}` is no label: lower-case letters, digits, `-` and `_`, 50 at most, not `launchctl…`");
            lacks.push(Lack::new("labels", words, None));
        }
    }
    if monitor.labels.as_ref().is_some_and(|labels| labels.len() > 18) {
        let words = "it keeps 20 labels, two of which mark the monitor as ours";
        lacks.push(Lack::new("labels", words, None));
    }
}

/// Takes the nearest where the spec says so.
pub(super) fn adapt(desired: &mut Desired, reading: &Reading) -> Review {
    let Some(facts) = facts(reading) else {
        return Review::default();
    };
    unsupported::adapt(desired, super::NAME, &|resource| fit(resource, &facts.plan))
}

fn facts(reading: &Reading) -> Option<&UptimeFacts> {
    reading.uptime.as_ref().filter(|facts| facts.provider == super::NAME)
}

/// What of `changes` cannot be held, and what to know before.
pub(super) fn review(changes: &[Change], reading: &Reading, requests: usize) -> Review {
    let mut review = Review::default();
    let Some(facts) = facts(reading) else { return review };
    review.warnings.extend(checks::adopted(changes));
    for change in changes {
        let lacks = unsupported::refusals(change, "UptimeRobot", &|resource| fit(resource, &facts.plan));
        review.refusals.extend(lacks);
        review.refusals.extend(unsupported::hidden(change));
        match (&change.before, &change.after) {
            (before, Some(Resource::Monitor(after))) => {
                let before = before.as_ref().and_then(|before| before.as_monitor());
                monitor(change, before, after, &mut review);
            }
            (before, Some(Resource::Contact(after))) => {
                let before = before.as_ref().and_then(|before| before.as_contact());
                contact(change, before, after, reading, facts, &mut review);
            }
            (_, Some(Resource::Maintenance(_))) => {
                let words =
                    "UptimeRobot documents no time zone for windows: they are taken as UTC; look once at its dashboard";
                review
                    .warnings
                    .push(Warning::about(&change.address, "zone-assumed", words));
            }
            (Some(Resource::Monitor(_)), None) => {
                let words = "is deleted with everything that it has measured; that does not come back with a rollback";
                review
                    .warnings
                    .push(Warning::about(&change.address, "history-lost", words));
            }
            (Some(Resource::Contact(_) | Resource::Maintenance(_)), None) => {
                in_use(change, changes, reading, &mut review);
            }
            _ => {}
        }
    }
    review.refusals.extend(checks::marked_elsewhere(changes, facts));
    doubles(changes, reading, &mut review);
    limit_of_monitors(changes, facts, &mut review);
    budget(requests, facts, &mut review);
    review
}

fn refuse(change: &Change, code: &str, message: String, help: &str) -> Refusal {
    Refusal {
        address: Some(change.address.clone()),
        code: code.to_owned(),
        message,
        help: help.to_owned(),
    }
}

fn monitor(change: &Change, before: Option<&Monitor>, after: &Monitor, review: &mut Review) {
    let old = before.map(|before| convert::kind(&before.check));
    let new = convert::kind(&after.check);
    if old != Some(new) && matches!(after.check, Check::Heartbeat(_)) {
        let words =
            "the address that has to be called is made by UptimeRobot and shown on its dashboard: it is a credential";
        review
            .warnings
            .push(Warning::about(&change.address, "address-to-call", words));
    }
    let Some((before, old)) = before.zip(old) else { return };
    if old != new {
        let message = format!(
            "is replaced: UptimeRobot cannot make a {old} monitor a {new} monitor, so the old one is deleted and everything that it has measured is lost"
        );
        review
            .warnings
            .push(Warning::about(&change.address, "history-lost", message));
    }
    if before.marker.is_none() && after.marker.is_some() && !checks::is_only_marked(change) {
        let name = text::shorten(&before.name, 60);
        let message = format!("takes over the monitor \"{name}\", which was made by hand and asks the same");
        review
            .warnings
            .push(Warning::about(&change.address, "taken-over", message));
    }
}

fn contact(
    change: &Change,
    before: Option<&Contact>,
    after: &Contact,
    reading: &Reading,
    facts: &UptimeFacts,
    review: &mut Review,
) {
    let is_exchanged = before.is_some_and(|before| steps::is_exchanged(before, after));
    if (before.is_none() || is_exchanged) && matches!(after.channel, Channel::Sms { .. }) {
        let message = "UptimeRobot makes no SMS contact without a confirmation on its own site".to_owned();
        let help = "add and confirm the number there once; then it is found by its number";
        review.refusals.push(refuse(change, "unsupported", message, help));
    }
    if !is_exchanged {
        return;
    }
    let (ours, others) = steps::tellers(&after.key, reading, facts);
    let is_ours = facts.beside.get(&change.address) == Some(&json!(true));
    let fate = match (is_ours, others) {
        (true, false) => "the old one is deleted",
        (true, true) => "the old one stays, since monitors that are not this spec's tell it",
        (false, _) => "the old one stays, since it was made by hand",
    };
    let message = format!(
        "is replaced by another contact, which {} of this spec then {}; {fate}",
        text::count(ours.len(), "monitor"),
        if ours.len() == 1 { "tells" } else { "tell" },
    );
    review
        .warnings
        .push(Warning::about(&change.address, "replaced", message));
}

/// A contact that others still tell, or a window that they rest in, is not taken from under them.
fn in_use(change: &Change, changes: &[Change], reading: &Reading, review: &mut Review) {
    let key = change.address.key();
    let is_contact = change.address.kind() == "contact";
    let changed: BTreeMap<&Address, &Change> = changes.iter().map(|change| (&change.address, change)).collect();
    let still = reading.live.inventory.iter().find(|(address, live)| {
        let stays = changed.get(address).map_or(Some(*live), |change| change.after.as_ref());
        let stays = stays.and_then(|resource| resource.as_monitor());
        stays.is_some_and(|monitor| {
            let tells = monitor.contacts.as_ref().is_some_and(|all| all.contains_key(key));
            let rests = |all: &BTreeSet<Rest>| all.contains(&Rest::Kept(key.to_owned()));
            if is_contact {
                tells
            } else {
                monitor.maintenance.as_ref().is_some_and(rests)
            }
        })
    });
    if let Some((address, _)) = still {
        let (code, what) = if is_contact {
            ("contact-in-use", "tells this contact")
        } else {
            ("window-in-use", "rests in this window")
        };
        let message = format!("{address} still {what}, and is not this spec's to change");
        let help = "keep it in the spec, or take it off that monitor at UptimeRobot first";
        review.refusals.push(refuse(change, code, message, help));
    }
}

/// The service refuses a second monitor of the same address, whatever it expects of the answer.
fn doubles(changes: &[Change], reading: &Reading, review: &mut Review) {
    let there = carried_out(reading.live.inventory.clone(), changes);
    for change in changes {
        let Some(after) = change.after.as_ref().and_then(|after| after.as_monitor()) else {
            continue;
        };
        let asks = convert::target(&after.check);
        let same = |(address, resource): &(&Address, &Resource)| {
            **address != change.address
                && resource
                    .as_monitor()
                    .is_some_and(|other| !asks.is_empty() && convert::target(&other.check) == asks)
        };
        // Two that are there already the service has let through.
        let is_live = |address: &Address| {
            let live = reading.live.inventory.get(address).and_then(Resource::as_monitor);
            live.is_some_and(|live| convert::target(&live.check) == asks)
        };
        let mut doubles = there.iter().filter(same);
        if let Some((other, _)) = doubles.find(|(other, _)| !(is_live(&change.address) && is_live(other))) {
            let message = format!("{other} asks the same address, and UptimeRobot keeps one monitor for each");
            let help = "make one check of the two, or ask another path";
            review.refusals.push(refuse(change, "double", message, help));
        }
    }
}

fn limit_of_monitors(changes: &[Change], facts: &UptimeFacts, review: &mut Review) {
    let Some(most) = facts.most else { return };
    let monitors = || changes.iter().filter(|change| change.address.kind() == "monitor");
    let new = monitors().filter(|change| change.action() == Action::Create).count();
    let gone = monitors().filter(|change| change.action() == Action::Delete).count();
    let after = (facts.monitors + new).saturating_sub(gone);
    if new > 0 && after > most {
        review.refusals.push(Refusal {
            address: None,
            code: "monitor-limit".to_owned(),
            message: format!(
                "the {} plan holds {}, paused ones included; there would be {after}",
                facts.plan,
                text::count(most, "monitor")
            ),
            help: "remove monitors, or choose a larger plan".to_owned(),
        });
    }
}

/// How long it takes when the account's requests are counted.
fn budget(requests: usize, facts: &UptimeFacts, review: &mut Review) {
    let Some(granted) = facts
        .requests_a_minute
        .and_then(|granted| usize::try_from(granted).ok())
    else {
        return;
    };
    // Reading has taken some of this minute's already.
    let minutes = (requests + super::READS).div_ceil(granted.max(1)).saturating_sub(1);
    if requests > 0 && minutes > 0 {
        let message = format!(
            "UptimeRobot grants this account {granted} requests a minute: the apply makes {requests} and takes about {}",
            text::count(minutes, "minute")
        );
        review.warnings.push(Warning::general("takes-long", message));
    }
}

/// What a user can do about a refusal.
pub(super) fn advice(refused: &ApiRefusal) -> Option<&'static str> {
    match (refused.status, refused.code.as_str()) {
        (401, _) => Some("set UPTIMEROBOT_API_KEY to the account's main API key (Integrations & API)"),
        (_, "000-003" | "009-005" | "021-003") => {
            Some("the account's plan does not have it: choose a larger plan, or `on_unsupported: warn`")
        }
        (_, "000-006") => Some("it belongs to another account: look which account the key is of"),
        (403, _) => Some("the key may only read: use the main API key"),
        (409, _) => Some("there is one already with the same address: `launchctl plan` looks again"),
        (429, _) => Some("wait a minute: the budget is shared by everybody on the account"),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::monitor::Http;

    #[test]
    fn what_a_plan_cannot_hold_is_brought_to_the_nearest_and_named() {
        let http = Http {
            url: "https://acme.example/".into(),
            method: "GET".into(),
            status: [].into(),
            keyword: None,
            follow_redirects: None,
            headers: None,
            body: None,
        };
        let monitor = Monitor {
            every: Some(60),
            timeout: Some(90),
            confirm: Some(Confirm::Times(5)),
            tls_expiry: Some([21].into()),
            domain_expiry: Some(DomainExpiry::Watched(true)),
            contacts: Some(
                [(
                    "ops".to_owned(),
                    crate::model::monitor::Alerting { after: 5, repeat: 0 },
                )]
                .into(),
            ),
            ..Monitor::new("a", "A", Check::Http(http))
        };
        let monitor = Resource::Monitor(Box::new(monitor));
        let mut held = monitor.clone();
        let fields: Vec<&str> = fit(&mut held, "Free").iter().map(|lack| lack.field).collect();
        assert_eq!(
            fields,
            ["every", "warn_before", "warn_domain", "alert", "timeout", "confirm"]
        );
        assert!(fit(&mut held, "Free").is_empty(), "the nearest fits");
        let held = held.as_monitor().unwrap();
        assert_eq!(
            (held.every, held.timeout, held.confirm),
            (Some(300), Some(60), Some(Confirm::Times(3)))
        );
        let mut held = monitor.clone();
        let fields: Vec<&str> = fit(&mut held, "Solo").iter().map(|lack| lack.field).collect();
        assert_eq!(fields, ["timeout", "confirm"]);
    }

    #[test]
    fn what_no_plan_holds_is_brought_to_the_nearest_and_named() {
        let http = Http {
            url: "https://acme.example/".into(),
            method: "POST".into(),
            status: [].into(),
            keyword: None,
            follow_redirects: None,
            headers: None,
            body: Some(SentText::Plain("neither JSON nor a form".into())),
        };
        let monitor = Monitor {
            tls_expiry: Some((1..=11).collect()),
            labels: Some(["Shop".to_owned()].into()),
            ..Monitor::new("a", "A", Check::Http(http))
        };
        let heartbeat = Monitor {
            every: Some(86_400),
            ..Monitor::new("b", "B", Check::Heartbeat(Heartbeat { grace: Some(90_000) }))
        };
        let fields = |monitor: &Monitor, plan: &str| -> Vec<&str> {
            let mut resource = Resource::Monitor(Box::new(monitor.clone()));
            fit(&mut resource, plan).iter().map(|lack| lack.field).collect()
        };
        assert_eq!(fields(&monitor, "Team"), ["warn_before", "body", "labels"]);
        assert_eq!(fields(&heartbeat, "Team"), ["grace"]);
        assert_eq!(fields(&heartbeat, "Free"), ["heartbeat", "grace"]);
    }
}
