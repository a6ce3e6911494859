//! What is peculiar to Better Stack: the lists of values that any plan of it takes, what its refusals mean, and what is
//! worth knowing before a change is made. Which of the values a plan has is not told by the service before it refuses; then
//! its own list is shown.

use std::collections::BTreeMap;

use crate::base::text;
use crate::model::address::Address;
use crate::model::capability::{Capabilities, UptimeRules};
use crate::model::contact::{Channel, Contact, Guarded};
use crate::model::inventory::{Desired, Unsupported};
use crate::model::monitor::{Check, HeaderText, Monitor, Status};
use crate::model::resource::Resource;
use crate::plan::{Action, Change, Refusal, Warning};
use crate::provider::{ApiRefusal, Reading, Review, UptimeFacts};

use super::escalation::REPEATS;
use super::steps;

/// What Better Stack can hold.
pub(super) const CAPABILITIES: Capabilities =
    Capabilities::without_zones(super::NAME, "Better Stack", UptimeRules { folds_tls: true });

const FREQUENCIES: [u64; 9] = [30, 45, 60, 120, 180, 300, 600, 900, 1_800];
const CONFIRMATIONS: [u64; 9] = [0, 5, 10, 15, 30, 60, 120, 180, 300];
const TIMEOUTS: [u64; 8] = [2, 3, 5, 10, 15, 30, 45, 60];
const TIMEOUTS_OF_A_PORT: [u64; 4] = [1, 2, 3, 5];
const EXPIRIES: [u64; 7] = [1, 2, 3, 7, 14, 30, 60];
const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "PUT", "PATCH"];
/// Days before a domain's end where no number is said.
pub(super) const USUAL_DOMAIN_EXPIRY: u16 = 30;

/// The value that is nearest; of two that are equally near the larger.
pub(super) fn nearest(wanted: u64, allowed: &[u64]) -> Option<u64> {
    allowed
        .iter()
        .copied()
        .min_by_key(|value| (value.abs_diff(wanted), std::cmp::Reverse(*value)))
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

fn lack(field: &'static str, words: impl Into<String>, nearest: Option<String>) -> Lack {
    Lack {
        field,
        words: words.into(),
        nearest,
    }
}

/// A number brought into a list of seconds.
fn fit_seconds(field: &'static str, value: &mut u32, allowed: &[u64], lacks: &mut Vec<Lack>) {
    let wanted = u64::from(*value);
    if allowed.contains(&wanted) {
        return;
    }
    let near = nearest(wanted, allowed)
        .and_then(|near| u32::try_from(near).ok())
        .unwrap_or(*value);
    let words = format!("{wanted} s is none of its values, which are {}", listed(allowed));
    lacks.push(lack(field, words, Some(format!("{near} s"))));
    *value = near;
}

fn listed(allowed: &[u64]) -> String {
    let all: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    text::list(&all.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Brings a monitor to the nearest that can be held, and says what was given up.
fn fit(monitor: &mut Monitor) -> Vec<Lack> {
    let mut lacks = Vec::new();
    if let Some(every) = &mut monitor.every {
        fit_seconds("every", every, &FREQUENCIES, &mut lacks);
    }
    match (&monitor.check, &mut monitor.timeout) {
        (Check::Ping { .. }, timeout @ Some(_)) => {
            let words = "an echo request's timeout is left to the service";
            lacks.push(lack("timeout", words, Some("none".to_owned())));
            *timeout = None;
        }
        (Check::Tcp { .. }, Some(timeout)) if *timeout > 0 => {
            fit_seconds("timeout", timeout, &TIMEOUTS_OF_A_PORT, &mut lacks);
        }
        (Check::Http(_), Some(timeout)) => fit_seconds("timeout", timeout, &TIMEOUTS, &mut lacks),
        _ => {}
    }
    fit_confirm(monitor, &mut lacks);
    fit_expiries(monitor, &mut lacks);
    fit_answer(monitor, &mut lacks);
    fit_contacts(monitor, &mut lacks);
    if monitor.labels.as_ref().is_some_and(|labels| !labels.is_empty()) {
        lacks.push(lack(
            "labels",
            "it keeps none with a monitor",
            Some("no labels".to_owned()),
        ));
        monitor.labels = None;
    }
    if monitor
        .regions
        .as_ref()
        .is_some_and(std::collections::BTreeSet::is_empty)
    {
        lacks.push(lack(
            "regions",
            "it checks from one region at least",
            Some("all regions".to_owned()),
        ));
        monitor.regions = None;
    }
    lacks
}

/// A failure is confirmed by its lasting, not by a number of checks: so many of them last so long.
fn fit_confirm(monitor: &mut Monitor, lacks: &mut Vec<Lack>) {
    let Some((times, every)) = monitor.confirm.zip(monitor.every) else {
        return;
    };
    let seconds = u64::from(times) * u64::from(every);
    if CONFIRMATIONS.contains(&seconds) {
        return;
    }
    let whole = |seconds: &&u64| seconds.is_multiple_of(u64::from(every.max(1)));
    let whole: Vec<u64> = CONFIRMATIONS.iter().filter(whole).copied().collect();
    let near = nearest(seconds, &whole).unwrap_or_default() / u64::from(every.max(1));
    let words = format!(
        "{times} more checks each {every} s last {seconds} s; it waits {} s",
        listed(&CONFIRMATIONS)
    );
    lacks.push(lack("confirm", words, Some(near.to_string())));
    monitor.confirm = u32::try_from(near).ok();
}

fn fit_expiries(monitor: &mut Monitor, lacks: &mut Vec<Lack>) {
    let Some(days) = monitor.tls_expiry.as_mut().filter(|days| !days.is_empty()) else {
        return;
    };
    let most = days.last().copied().unwrap_or_default();
    let near = nearest(u64::from(most), &EXPIRIES)
        .and_then(|near| u16::try_from(near).ok())
        .unwrap_or(most);
    if days.len() == 1 && near == most {
        return;
    }
    let words = if days.len() > 1 {
        "it warns once, and not on several days".to_owned()
    } else {
        format!("{most} days is none of its values, which are {}", listed(&EXPIRIES))
    };
    lacks.push(lack("warn_before", words, Some(format!("{near}d"))));
    *days = [near].into();
}

fn fit_answer(monitor: &mut Monitor, lacks: &mut Vec<Lack>) {
    let Check::Http(http) = &mut monitor.check else { return };
    if !METHODS.contains(&http.method.as_str()) {
        let words = format!("{} is no method of it, which are {}", http.method, text::list(&METHODS));
        lacks.push(lack("method", words, None));
    }
    let good = Status::set([Status::Class(2)]);
    let Some(keyword) = &mut http.keyword else {
        if http.status.is_empty() {
            lacks.push(lack("status", "it needs one at least", Some("2xx".to_owned())));
            http.status = good;
        }
        return;
    };
    if http.status != good {
        let words = "where a text is looked for, the status is not";
        lacks.push(lack(
            "status",
            words,
            Some("2xx, which is not looked at either".to_owned()),
        ));
        http.status = good;
    }
    if keyword.ignore_case.is_some() {
        let words = "whether case makes a difference is not for us to say";
        lacks.push(lack("ignore_case", words, Some("not said".to_owned())));
        keyword.ignore_case = None;
    }
}

fn fit_contacts(monitor: &mut Monitor, lacks: &mut Vec<Lack>) {
    let Some(contacts) = &mut monitor.contacts else { return };
    let repeats: Vec<u32> = contacts.values().map(|alerting| alerting.repeat).collect();
    let Some(near) = repeats.iter().copied().filter(|repeat| *repeat > 0).min() else {
        return;
    };
    if repeats.iter().any(|repeat| *repeat != near) {
        let words = "it is said again to all of a check's contacts, or to none";
        lacks.push(lack("alert", words, Some(format!("`repeat: {near}m` for each"))));
        for alerting in contacts.values_mut() {
            alerting.repeat = near;
        }
    }
}

/// Takes the nearest where the spec says so.
pub(super) fn adapt(desired: &mut Desired, reading: &Reading) -> Review {
    let mut review = Review::default();
    let is_lenient = desired
        .uptime
        .as_ref()
        .is_some_and(|policy| policy.provider == super::NAME && policy.unsupported == Unsupported::Warn);
    if facts(reading).is_none() || !is_lenient {
        return review;
    }
    for (address, resource) in &mut desired.inventory {
        let Resource::Monitor(monitor) = resource else { continue };
        for lack in fit(monitor) {
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
pub(super) fn review(changes: &[Change], reading: &Reading) -> Review {
    let mut review = Review::default();
    if facts(reading).is_none() {
        return review;
    }
    for change in changes {
        match (&change.before, &change.after) {
            (before, Some(Resource::Monitor(after))) => {
                monitor(
                    change,
                    before.as_ref().and_then(Resource::as_monitor),
                    after,
                    &mut review,
                );
            }
            (before, Some(Resource::Contact(after))) => {
                contact(
                    change,
                    before.as_ref().and_then(Resource::as_contact),
                    after,
                    &mut review,
                );
            }
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
    review
}

fn refuse(change: &Change, code: &str, message: impl Into<String>, help: &str) -> Refusal {
    Refusal {
        address: Some(change.address.clone()),
        code: code.to_owned(),
        message: message.into(),
        help: help.to_owned(),
    }
}

fn monitor(change: &Change, before: Option<&Monitor>, after: &Monitor, review: &mut Review) {
    for lack in fit(&mut after.clone()) {
        let nearest = match &lack.nearest {
            Some(nearest) => format!("the nearest that it can hold: {nearest}; `on_unsupported: warn` takes that"),
            None => "nothing near it can be held".to_owned(),
        };
        let message = format!("Better Stack cannot hold `{}`: {}", lack.field, lack.words);
        review.refusals.push(refuse(change, "unsupported", message, &nearest));
    }
    let http = after.check.http();
    let headers = http.and_then(|http| http.headers.as_ref());
    if headers.is_some_and(|all| all.values().any(|value| *value == HeaderText::Guarded(Guarded::Hidden))) {
        review.refusals.push(hidden(change, "a header's value"));
    }
    let mut warn = |code: &str, words: String| review.warnings.push(Warning::about(&change.address, code, words));
    let is_new_text = |http: &crate::model::monitor::Http| {
        http.keyword.is_some()
            && before
                .and_then(|before| before.check.http())
                .is_none_or(|old| old.keyword.is_none())
    };
    if http.is_some_and(is_new_text) {
        warn(
            "status-not-judged",
            "Better Stack looks for the text alone: an answer with it is good, whatever its status".to_owned(),
        );
    }
    if after
        .contacts
        .iter()
        .flat_map(BTreeMap::values)
        .any(|alerting| alerting.repeat > 0)
    {
        warn(
            "repeats-end",
            format!("it is said again {REPEATS} times at most, until somebody acknowledges it"),
        );
    }
    if let Some(before) = before.filter(|before| before.marker.is_none() && after.marker.is_some()) {
        let name = text::shorten(&before.name, 60);
        warn(
            "taken-over",
            format!("takes over the monitor \"{name}\", which was made by hand and asks the same"),
        );
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

fn contact(change: &Change, before: Option<&Contact>, after: &Contact, review: &mut Review) {
    if after.channel.guarded() == Some(&Guarded::Hidden) {
        review.refusals.push(hidden(change, "an address"));
    }
    match &after.channel {
        Channel::Sms { .. } => {
            let message = "Better Stack keeps telephone numbers with the members of a team, and no request makes one";
            let help = "nearest: the `email` of the member whose number it is; who is called is settled there";
            review.refusals.push(refuse(change, "unsupported", message, help));
        }
        Channel::Other { .. } => review
            .refusals
            .push(hidden(change, "an escalation policy or a webhook")),
        Channel::Email { address } if change.action() == Action::Create => {
            let words = format!(
                "{} is told as a member of the team: whoever is none yet has to be invited at Better Stack first",
                text::sanitize(address)
            );
            review
                .warnings
                .push(Warning::about(&change.address, "member-needed", words));
        }
        _ => {}
    }
    let kind = |channel: &Channel| match channel {
        // What a policy was turned into by hand is still a policy.
        Channel::Other { .. } => None,
        known => Some(known.kind().to_owned()),
    };
    if let Some(before) = before
        && (steps::list_of(&before.channel) != steps::list_of(&after.channel)
            || (kind(&before.channel).is_some() && kind(&before.channel) != kind(&after.channel)))
    {
        let message = format!(
            "Better Stack cannot make {} of {}",
            after.channel.kind(),
            text::sanitize(before.channel.kind())
        );
        let help = "give the new one another name in the spec";
        review.refusals.push(refuse(change, "another-kind", message, help));
    }
}

/// A contact that others still tell is not taken from under them.
fn in_use(change: &Change, changes: &[Change], reading: &Reading, review: &mut Review) {
    let key = change.address.key();
    let changed: BTreeMap<&Address, &Change> = changes.iter().map(|change| (&change.address, change)).collect();
    let tells = |resource: &Resource| {
        let contacts = resource.as_monitor().and_then(|monitor| monitor.contacts.as_ref());
        contacts.is_some_and(|contacts| contacts.contains_key(key) || contacts.contains_key(&format!("expiry-{key}")))
    };
    let still = reading.live.inventory.iter().find(|(address, live)| {
        let stays = changed.get(address).map_or(Some(*live), |change| change.after.as_ref());
        stays.is_some_and(tells)
    });
    if let Some((address, _)) = still {
        let message = format!("{address} still tells this contact, and is not this spec's to change");
        let help = "keep the contact in the spec, or take it off that monitor at Better Stack first";
        review.refusals.push(refuse(change, "contact-in-use", message, help));
    }
}

/// What a user can do about a refusal.
pub(super) fn advice(refused: &ApiRefusal) -> Option<&'static str> {
    match refused.status {
        401 => Some("set BETTERSTACK_API_TOKEN to the team's Uptime API token (Settings, API tokens)"),
        403 => Some("the plan or the token does not have it: choose a larger plan, or `on_unsupported: warn`"),
        404 => Some("it is not there any more: `launchctl plan` looks again"),
        422 => Some("values differ by plan and type of check: take one that the message names"),
        429 => Some("wait a minute: requests are counted for everybody on the account"),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::monitor::{Alerting, Http, Keyword};

    #[test]
    fn what_cannot_be_held_is_brought_to_the_nearest_and_named() {
        let http = Http {
            url: "https://acme.example/".into(),
            method: "GET".into(),
            status: Status::set([Status::Code(200)]),
            keyword: Some(Keyword {
                text: "Sign in".into(),
                absent: false,
                ignore_case: Some(true),
            }),
            follow_redirects: None,
            headers: None,
        };
        let mut monitor = Monitor {
            every: Some(240),
            timeout: Some(20),
            confirm: Some(5),
            tls_expiry: Some([21].into()),
            labels: Some(["web".to_owned()].into()),
            contacts: Some(
                [
                    ("ops".to_owned(), Alerting { after: 5, repeat: 60 }),
                    ("chat".to_owned(), Alerting::default()),
                ]
                .into(),
            ),
            ..Monitor::new("a", "A", Check::Http(http))
        };
        let fields: Vec<&str> = fit(&mut monitor).iter().map(|lack| lack.field).collect();
        let named = [
            "every",
            "timeout",
            "confirm",
            "warn_before",
            "status",
            "ignore_case",
            "alert",
            "labels",
        ];
        assert_eq!(fields, named);
        assert_eq!(
            (monitor.every, monitor.timeout, monitor.confirm),
            (Some(300), Some(15), Some(1))
        );
        assert_eq!(monitor.tls_expiry, Some([14].into()));
        assert!(fit(&mut monitor).is_empty(), "the nearest fits");
    }

    #[test]
    fn of_two_that_are_equally_near_the_larger_is_taken() {
        assert_eq!(nearest(45, &EXPIRIES), Some(60));
        assert_eq!(nearest(400, &EXPIRIES), Some(60));
        assert_eq!(nearest(0, &[]), None);
    }
}
