//! What is peculiar to UptimeRobot: what its plans allow, what its error codes mean, and what is worth knowing before a
//! change is made.

use std::collections::BTreeMap;

use crate::base::text;
use crate::model::address::Address;
use crate::model::capability::{Capabilities, UptimeRules};
use crate::model::contact::{Channel, Guarded};
use crate::model::inventory::{Desired, Unsupported};
use crate::model::monitor::{Alerting, Check, HeaderText, Monitor};
use crate::model::resource::Resource;
use crate::plan::{Action, Change, Refusal, Warning};
use crate::provider::{ApiRefusal, Reading, Review, UptimeFacts};

use super::convert;

/// What UptimeRobot can hold.
pub(super) const CAPABILITIES: Capabilities =
    Capabilities::without_zones(super::NAME, "UptimeRobot", UptimeRules { folds_tls: true });

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

/// Something that cannot be held as it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lack {
    /// The key in the spec.
    field: &'static str,
    /// What cannot be held, and why.
    words: String,
    /// The nearest that can be; none when there is nothing near.
    nearest: Option<String>,
}

/// Brings a monitor to the nearest that the plan can hold, and says what was given up.
fn fit(monitor: &mut Monitor, plan: &str) -> Vec<Lack> {
    let limits = limits(plan);
    let mut lacks = Vec::new();
    let mut lack = |field: &'static str, words: String, nearest: Option<String>| {
        lacks.push(Lack { field, words, nearest });
    };
    if let Some(every) = monitor.every.filter(|every| *every < limits.every) {
        let words = format!("a check every {every} s is more often than the {plan} plan makes one");
        lack("every", words, Some(format!("{} s", limits.every)));
        monitor.every = Some(limits.every);
    }
    if let Some(timeout) = monitor.timeout {
        if matches!(monitor.check, Check::Ping { .. }) {
            lack(
                "timeout",
                "an echo request has no timeout of its own".to_owned(),
                Some("none".to_owned()),
            );
            monitor.timeout = None;
        } else if timeout > 60 {
            lack(
                "timeout",
                format!("{timeout} s is longer than it waits"),
                Some("60 s".to_owned()),
            );
            monitor.timeout = Some(60);
        }
    }
    if let Some(confirm) = monitor.confirm.filter(|confirm| *confirm > 3) {
        lack(
            "confirm",
            format!("{confirm} times is more than it checks again"),
            Some("3".to_owned()),
        );
        monitor.confirm = Some(3);
    }
    if monitor.tls_expiry.as_ref().is_some_and(|days| !days.is_empty()) && !limits.is_paid {
        let words = format!("the {plan} plan warns of no certificate");
        lack("warn_before", words, Some("no warning".to_owned()));
        monitor.tls_expiry = Some([].into());
    }
    if monitor.domain_expiry == Some(true) && !limits.is_paid {
        let words = format!("the {plan} plan warns of no domain");
        lack("warn_domain", words, Some("false".to_owned()));
        monitor.domain_expiry = Some(false);
    }
    let delays = |monitor: &Monitor| {
        let all = monitor.contacts.iter().flat_map(BTreeMap::values);
        all.filter(|alerting| alerting.after > 0 || alerting.repeat > 0).count()
    };
    if delays(monitor) > 0 && !limits.is_paid {
        let words = format!("the {plan} plan tells everybody at once and once");
        lack("alert", words, Some("no `after` and no `repeat`".to_owned()));
        for alerting in monitor.contacts.iter_mut().flat_map(BTreeMap::values_mut) {
            *alerting = Alerting::default();
        }
    }
    let length = monitor.name.chars().count();
    if length > 250 {
        lack(
            "name",
            format!("{length} characters are more than the 250 of a name"),
            None,
        );
    }
    if let Some(keyword) = monitor.check.http().and_then(|http| http.keyword.as_ref())
        && keyword.text.chars().count() > 500
    {
        lack("contains", "it looks for 500 characters at most".to_owned(), None);
    }
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    for label in monitor.labels.iter().flatten() {
        if label.is_empty() || label.len() > 50 || !label.chars().all(is_plain) || label.starts_with("launchctl") {
            let shown = text::shorten(&text::sanitize(label), 60);
            let words =
                format!("`{shown}` is no label: lower-case letters, digits, `-` and `_`, 50 at most, not `launchctl…`");
            lack("labels", words, None);
        }
    }
    if monitor.labels.as_ref().is_some_and(|labels| labels.len() > 18) {
        lack(
            "labels",
            "it keeps 20 labels, two of which mark the monitor as ours".to_owned(),
            None,
        );
    }
    lacks
}

/// Takes the nearest where the spec says so.
pub(super) fn adapt(desired: &mut Desired, reading: &Reading) -> Review {
    let mut review = Review::default();
    let Some(facts) = facts(reading) else { return review };
    let is_lenient = desired
        .uptime
        .as_ref()
        .is_some_and(|policy| policy.provider == super::NAME && policy.unsupported == Unsupported::Warn);
    if !is_lenient {
        return review;
    }
    for (address, resource) in &mut desired.inventory {
        let Resource::Monitor(monitor) = resource else { continue };
        for lack in fit(monitor, &facts.plan) {
            // What has no nearest is refused by the review all the same.
            if let Some(nearest) = lack.nearest {
                let message = format!("`{}`: {}; taken instead: {nearest}", lack.field, lack.words);
                review.warnings.push(Warning::about(address, "unsupported", message));
            }
        }
    }
    review
}

fn facts(reading: &Reading) -> Option<&UptimeFacts> {
    reading.uptime.as_ref().filter(|facts| facts.provider == super::NAME)
}

/// What of `changes` cannot be held, and what to know before.
pub(super) fn review(changes: &[Change], reading: &Reading, requests: usize) -> Review {
    let mut review = Review::default();
    let Some(facts) = facts(reading) else { return review };
    for change in changes {
        match (&change.before, &change.after) {
            (before, Some(Resource::Monitor(after))) => {
                monitor(
                    change,
                    before.as_ref().and_then(|before| before.as_monitor()),
                    after,
                    facts,
                    &mut review,
                );
            }
            (_, Some(Resource::Contact(after))) => contact(change, &after.channel, &mut review),
            (Some(Resource::Monitor(_)), None) => {
                let words = "is deleted with everything that it has measured; that does not come back with a rollback";
                review
                    .warnings
                    .push(Warning::about(&change.address, "history-lost", words));
            }
            (Some(Resource::Contact(_)), None) => in_use(change, changes, reading, &mut review),
            _ => {}
        }
    }
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

fn monitor(change: &Change, before: Option<&Monitor>, after: &Monitor, facts: &UptimeFacts, review: &mut Review) {
    for lack in fit(&mut after.clone(), &facts.plan) {
        let nearest = match &lack.nearest {
            Some(nearest) => format!("the nearest that it can hold: {nearest}; `on_unsupported: warn` takes that"),
            None => "nothing near it can be held".to_owned(),
        };
        let message = format!("UptimeRobot cannot hold `{}`: {}", lack.field, lack.words);
        review.refusals.push(refuse(change, "unsupported", message, &nearest));
    }
    let headers = after.check.http().and_then(|http| http.headers.as_ref());
    if headers.is_some_and(|all| all.values().any(|value| *value == HeaderText::Guarded(Guarded::Hidden))) {
        review.refusals.push(hidden(change, "a header's value"));
    }
    let Some(before) = before else { return };
    let (old, new) = (convert::kind(&before.check), convert::kind(&after.check));
    if old != new {
        let message = format!(
            "is replaced: UptimeRobot cannot make a {old} monitor a {new} monitor, so the old one is deleted and everything that it has measured is lost"
        );
        review
            .warnings
            .push(Warning::about(&change.address, "history-lost", message));
    }
    if before.marker.is_none() && after.marker.is_some() {
        let name = text::shorten(&before.name, 60);
        let message = format!("takes over the monitor \"{name}\", which was made by hand and asks the same");
        review
            .warnings
            .push(Warning::about(&change.address, "taken-over", message));
    }
}

/// What stood there is known to nobody here.
fn hidden(change: &Change, what: &str) -> Refusal {
    let message = format!("{what} that is kept nowhere here would have to be restored");
    refuse(
        change,
        "not-restorable",
        message,
        "leave it out with --target, and set it by hand",
    )
}

fn contact(change: &Change, channel: &Channel, review: &mut Review) {
    if channel.guarded() == Some(&Guarded::Hidden) {
        review.refusals.push(hidden(change, "an address"));
    }
    if change.action() == Action::Create && matches!(channel, Channel::Sms { .. }) {
        let message = "UptimeRobot makes no SMS contact without a confirmation on its own site".to_owned();
        let help = "add and confirm the number there once; then it is found by its number";
        review.refusals.push(refuse(change, "unsupported", message, help));
    }
}

/// A contact that others still tell is not taken from under them.
fn in_use(change: &Change, changes: &[Change], reading: &Reading, review: &mut Review) {
    let key = change.address.key();
    let changed: BTreeMap<&Address, &Change> = changes.iter().map(|change| (&change.address, change)).collect();
    let still = reading.live.inventory.iter().find(|(address, live)| {
        let stays = changed.get(address).map_or(Some(*live), |change| change.after.as_ref());
        stays
            .and_then(|resource| resource.as_monitor())
            .and_then(|monitor| monitor.contacts.as_ref())
            .is_some_and(|contacts| contacts.contains_key(key))
    });
    if let Some((address, _)) = still {
        let message = format!("{address} still tells this contact, and is not this spec's to change");
        let help = "keep the contact in the spec, or take it off that monitor at UptimeRobot first";
        review.refusals.push(refuse(change, "contact-in-use", message, help));
    }
}

/// The service refuses a second monitor of the same address, whatever it expects of the answer.
fn doubles(changes: &[Change], reading: &Reading, review: &mut Review) {
    let mut there: BTreeMap<Address, &Resource> = reading
        .live
        .inventory
        .iter()
        .map(|(address, live)| (address.clone(), live))
        .collect();
    for change in changes {
        match &change.after {
            Some(after) => there.insert(change.address.clone(), after),
            None => there.remove(&change.address),
        };
    }
    for change in changes {
        let Some(after) = change.after.as_ref().and_then(|after| after.as_monitor()) else {
            continue;
        };
        let asks = convert::target(&after.check);
        let same = |(address, resource): &(&Address, &&Resource)| {
            **address != change.address
                && resource
                    .as_monitor()
                    .is_some_and(|other| !asks.is_empty() && convert::target(&other.check) == asks)
        };
        if let Some((other, _)) = there.iter().find(same) {
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
        };
        let monitor = Monitor {
            every: Some(60),
            timeout: Some(90),
            confirm: Some(5),
            tls_expiry: Some([21].into()),
            domain_expiry: Some(true),
            contacts: Some(
                [(
                    "ops".to_owned(),
                    crate::model::monitor::Alerting { after: 5, repeat: 0 },
                )]
                .into(),
            ),
            ..Monitor::new("a", "A", Check::Http(http))
        };
        let mut held = monitor.clone();
        let fields: Vec<&str> = fit(&mut held, "Free").iter().map(|lack| lack.field).collect();
        assert_eq!(
            fields,
            ["every", "timeout", "confirm", "warn_before", "warn_domain", "alert"]
        );
        assert_eq!((held.every, held.timeout, held.confirm), (Some(300), Some(60), Some(3)));
        assert!(fit(&mut held, "Free").is_empty(), "the nearest fits");
        let mut held = monitor.clone();
        let fields: Vec<&str> = fit(&mut held, "Solo").iter().map(|lack| lack.field).collect();
        assert_eq!(fields, ["timeout", "confirm"]);
    }
}
