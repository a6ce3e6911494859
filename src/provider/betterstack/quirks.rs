//! What is peculiar to Better Stack: the lists of values that any plan of it takes, what its refusals mean, and what is
//! worth knowing before a change is made. Which of the values a plan has is not told by the service before it refuses; then
//! its own list is shown.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::text;
use crate::model::address::Address;
use crate::model::capability::{Capabilities, UptimeRules};
use crate::model::contact::{Channel, Contact};
use crate::model::inventory::Desired;
use crate::model::monitor::{Check, Confirm, Dns, DomainExpiry, Monitor, Region, Status};
use crate::model::record::RecordType;
use crate::model::resource::Resource;
use crate::model::window::Rest;
use crate::plan::{Action, Change, Refusal, Warning};
use crate::provider::checks;
use crate::provider::unsupported::{self, Lack};
use crate::provider::{ApiRefusal, Reading, Review, UptimeFacts};

use super::escalation::REPEATS;
use super::{account, steps, window};

/// What Better Stack can hold.
pub(super) const CAPABILITIES: Capabilities = Capabilities::without_zones(super::NAME, TITLE, RULES);
const TITLE: &str = "Better Stack";
const RULES: UptimeRules = UptimeRules {
    folds_tls: true,
    keeps_windows: false,
    longest_connection: 5,
    usual_recover: Some(180),
    usual_regions: &[Region::NorthAmerica, Region::Europe, Region::Asia, Region::Oceania],
    days_before: &[1, 2, 3, 7, 14, 30, 60],
};

const FREQUENCIES: [u64; 9] = [30, 45, 60, 120, 180, 300, 600, 900, 1_800];
const CONFIRMATIONS: [u64; 9] = [0, 5, 10, 15, 30, 60, 120, 180, 300];
const RECOVERIES: [u64; 8] = [0, 60, 180, 300, 900, 1_800, 3_600, 7_200];
const TIMEOUTS: [u64; 8] = [2, 3, 5, 10, 15, 30, 45, 60];
const TIMEOUTS_OF_A_PORT: [u64; 4] = [1, 2, 3, 5];
const EXPIRIES: [u64; 7] = [1, 2, 3, 7, 14, 30, 60];
const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "PUT", "PATCH"];
const WITH_A_BODY: [&str; 3] = ["POST", "PUT", "PATCH"];
/// Seconds between two calls at least.
const LEAST_PERIOD: u32 = 30;
/// Days before a domain's end where no number is said.
pub(super) const USUAL_DOMAIN_EXPIRY: u16 = 30;

/// The value that is nearest; of two that are equally near the larger.
pub(super) fn nearest(wanted: u64, allowed: &[u64]) -> Option<u64> {
    allowed
        .iter()
        .copied()
        .min_by_key(|value| (value.abs_diff(wanted), std::cmp::Reverse(*value)))
}

fn lack(field: &'static str, words: impl Into<String>, nearest: Option<String>) -> Lack {
    Lack {
        nearest,
        ..Lack::new(field, words, None)
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

/// Brings a resource to the nearest that can be held, and says what was given up.
fn fit(resource: &mut Resource) -> Vec<Lack> {
    let Resource::Monitor(monitor) = resource else {
        return Vec::new();
    };
    let mut lacks = Vec::new();
    if matches!(monitor.check, Check::Heartbeat(_)) {
        if let Some(every) = monitor.every.as_mut().filter(|every| **every < LEAST_PERIOD) {
            let words = format!("it waits for a call each {LEAST_PERIOD} s at most");
            lacks.push(lack("heartbeat", words, Some(format!("{LEAST_PERIOD} s"))));
            *every = LEAST_PERIOD;
        }
    } else {
        if let Some(every) = &mut monitor.every {
            fit_seconds("every", every, &FREQUENCIES, &mut lacks);
        }
        if let Some(recover) = &mut monitor.recover {
            fit_seconds("recover", recover, &RECOVERIES, &mut lacks);
        }
        match (&monitor.check, &mut monitor.timeout) {
            (Check::Http(_), Some(timeout)) => fit_seconds("timeout", timeout, &TIMEOUTS, &mut lacks),
            (_, Some(timeout)) if *timeout > 0 => fit_seconds("timeout", timeout, &TIMEOUTS_OF_A_PORT, &mut lacks),
            _ => {}
        }
        fit_confirm(monitor, &mut lacks);
        fit_expiries(monitor, &mut lacks);
        fit_answer(monitor, &mut lacks);
        if let Check::Dns(dns) = &mut monitor.check {
            fit_question(dns, &mut lacks);
        }
    }
    fit_contacts(monitor, &mut lacks);
    fit_windows(monitor, &mut lacks);
    if monitor.labels.as_ref().is_some_and(|labels| !labels.is_empty()) {
        lacks.push(lack(
            "labels",
            "it keeps none with a monitor",
            Some("no labels".to_owned()),
        ));
        monitor.labels = None;
    }
    if monitor.regions.as_ref().is_some_and(BTreeSet::is_empty) {
        let words = "it checks from one region at least";
        lacks.push(lack("regions", words, Some("all regions".to_owned())));
        monitor.regions = None;
    }
    lacks
}

/// A failure is confirmed by its lasting, not by a number of checks: so many of them last so long.
fn fit_confirm(monitor: &mut Monitor, lacks: &mut Vec<Lack>) {
    let Some((confirm, every)) = monitor.confirm.zip(monitor.every) else {
        return;
    };
    let seconds = u64::from(confirm.seconds(every));
    if CONFIRMATIONS.contains(&seconds) {
        return;
    }
    let near = nearest(seconds, &CONFIRMATIONS)
        .and_then(|near| u32::try_from(near).ok())
        .unwrap_or_default();
    let words = format!(
        "it waits for one of {} s, and that is {seconds} s",
        listed(&CONFIRMATIONS)
    );
    lacks.push(lack("confirm", words, Some(format!("{near} s"))));
    monitor.confirm = Some(Confirm::lasting(near));
}

/// Days out of the list, where they are not.
fn nearest_days(days: u16) -> Option<u16> {
    let near = nearest(u64::from(days), &EXPIRIES).and_then(|near| u16::try_from(near).ok())?;
    (near != days).then_some(near)
}

fn fit_expiries(monitor: &mut Monitor, lacks: &mut Vec<Lack>) {
    let none = |days: u16| format!("{days} days is none of its values, which are {}", listed(&EXPIRIES));
    if let Some(DomainExpiry::Days(days)) = &mut monitor.domain_expiry
        && let Some(near) = nearest_days(*days)
    {
        lacks.push(lack("warn_domain", none(*days), Some(format!("{near}d"))));
        *days = near;
    }
    let Some(days) = monitor.tls_expiry.as_mut().filter(|days| !days.is_empty()) else {
        return;
    };
    let most = days.last().copied().unwrap_or_default();
    let near = nearest_days(most);
    if days.len() == 1 && near.is_none() {
        return;
    }
    let words = if days.len() > 1 {
        "it warns once, and not on several days".to_owned()
    } else {
        none(most)
    };
    let near = near.unwrap_or(most);
    lacks.push(lack("warn_before", words, Some(format!("{near}d"))));
    *days = [near].into();
}

/// A DNS server is asked for a name; what it answers is not looked at.
fn fit_question(dns: &mut Dns, lacks: &mut Vec<Lack>) {
    match &mut dns.server {
        None => lacks.push(Lack {
            write: Some("server: HOST"),
            ..lack("server", "it asks the DNS server that it is told", None)
        }),
        Some(server) if server.port != 53 => {
            let words = format!("it asks at port 53, not at {}", server.port);
            lacks.push(lack("server", words, Some("port 53".to_owned())));
            server.port = 53;
        }
        Some(_) => {}
    }
    if dns.record != RecordType::A {
        let words = "which type it asks for is not for us to say";
        lacks.push(lack("record", words, Some("A".to_owned())));
        dns.record = RecordType::A;
    }
    if dns.answers.is_some() {
        let words = "it looks whether the server answers, and not at what";
        lacks.push(lack("answers", words, Some("any answer".to_owned())));
        dns.answers = None;
    }
}

fn fit_windows(monitor: &mut Monitor, lacks: &mut Vec<Lack>) {
    let Some(rests) = &mut monitor.maintenance else { return };
    if rests.len() > 1 {
        let words = "it keeps one window with each check";
        lacks.push(lack("maintenance", words, Some("the first of them".to_owned())));
        while rests.len() > 1 {
            rests.pop_last();
        }
    }
    if let Some(Rest::Own(mut own)) = rests.first().cloned()
        && let Some((words, nearest)) = window::lack(&mut own)
    {
        lacks.push(lack("maintenance", words, nearest));
        *rests = [Rest::Own(own)].into();
    }
}

fn fit_answer(monitor: &mut Monitor, lacks: &mut Vec<Lack>) {
    let Check::Http(http) = &mut monitor.check else { return };
    if !METHODS.contains(&http.method.as_str()) {
        let words = format!("{} is no method of it, which are {}", http.method, text::list(&METHODS));
        lacks.push(lack("method", words, None));
    }
    if http.body.is_some() && !WITH_A_BODY.contains(&http.method.as_str()) {
        let words = format!("{} is sent without one", http.method);
        lacks.push(lack("body", words, Some("no body".to_owned())));
        http.body = None;
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
        let words = "a check that looks for a text does not look at the status";
        lacks.push(lack("status", words, Some("any status".to_owned())));
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
    match facts(reading) {
        Some(_) => unsupported::adapt(desired, super::NAME, &fit),
        None => Review::default(),
    }
}

fn facts(reading: &Reading) -> Option<&UptimeFacts> {
    reading.uptime.as_ref().filter(|facts| facts.provider == super::NAME)
}

/// What of `changes` cannot be held, and what to know before.
pub(super) fn review(changes: &[Change], reading: &Reading) -> Review {
    let mut review = Review::default();
    let Some(facts) = facts(reading) else { return review };
    review.warnings.extend(left_behind(changes, facts));
    review.warnings.extend(checks::adopted(changes));
    review.refusals.extend(checks::marked_elsewhere(changes, facts));
    for change in changes {
        review.refusals.extend(unsupported::refusals(change, TITLE, &fit));
        review.refusals.extend(unsupported::hidden(change));
        match (&change.before, &change.after) {
            (before, Some(Resource::Monitor(after))) => {
                let before = before.as_ref().and_then(Resource::as_monitor);
                monitor(change, before, after, &mut review);
                review.warnings.extend(namesake(change, before, after, reading));
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
    let http = after.check.http();
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
    if matches!(after.check, Check::Heartbeat(_)) && before.is_none() {
        let words =
            "the address that has to be called is made by Better Stack and is a secret: copy it from its dashboard";
        warn("secret-address", words.to_owned());
    }
    if before.is_some_and(|before| account::list_of(&before.check) != account::list_of(&after.check)) {
        let words =
            "is replaced: Better Stack keeps heartbeats apart from monitors, so everything that was measured is lost";
        warn("history-lost", words.to_owned());
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
    if let Some(before) = before.filter(|before| before.marker.is_none() && after.marker.is_some())
        && !checks::is_only_marked(change)
    {
        let name = text::shorten(&before.name, 60);
        let words = match before.check {
            Check::Heartbeat(_) => {
                format!("takes over the heartbeat \"{name}\", which nothing marks and which is declared just as it is")
            }
            _ => format!("takes over the monitor \"{name}\", which was made by hand and asks the same"),
        };
        warn("taken-over", words);
    }
}

/// A heartbeat of the same name that nothing marks: whose it is nobody knows, so it is left alone.
fn namesake(change: &Change, before: Option<&Monitor>, after: &Monitor, reading: &Reading) -> Option<Warning> {
    if before.is_some() || !matches!(after.check, Check::Heartbeat(_)) {
        return None;
    }
    let live = reading.live.inventory.iter();
    let mut live = live.filter_map(|(address, resource)| Some((address, resource.as_monitor()?)));
    let is_it = |other: &Monitor| {
        matches!(other.check, Check::Heartbeat(_)) && other.name == after.name && other.marker.is_none()
    };
    let (address, _) = live.find(|(_, other)| is_it(other))?;
    let words = format!("{address} bears the same name and no mark: it is left alone, and a second one is made");
    Some(Warning::about(&change.address, "same-name", words))
}

fn contact(change: &Change, before: Option<&Contact>, after: &Contact, review: &mut Review) {
    match &after.channel {
        Channel::Sms { .. } => {
            let message = "Better Stack keeps telephone numbers with the members of a team, and no request makes one";
            let help = "nearest: the `email` of the member whose number it is; who is called is settled there";
            review.refusals.push(refuse(change, "unsupported", message, help));
        }
        Channel::Other { .. } => {
            let message = "what somebody else made of it is kept nowhere here and would have to be restored";
            let help = "leave it out with --target, and set it by hand";
            review.refusals.push(refuse(change, "not-restorable", message, help));
        }
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
    let still = still.map(|(address, _)| address.to_string());
    let user = still.or_else(|| facts(reading).and_then(|facts| user_beside(facts, change)));
    if let Some(user) = user {
        let message = format!("{user} still tells this contact, and is not this spec's to change");
        let help = "keep the contact in the spec, or take it off there at Better Stack first";
        review.refusals.push(refuse(change, "contact-in-use", message, help));
    }
}

/// Whoever has no address and tells a contact, by itself or through a policy of several.
fn user_beside(facts: &UptimeFacts, change: &Change) -> Option<String> {
    let beside = facts.beside.get(&change.address);
    let direct = beside.and_then(|beside| beside["users"][0].as_str()).map(str::to_owned);
    let is_known = |user: &String| facts.beside.keys().any(|address| address.as_str() == user);
    direct.or_else(|| {
        let shared = account::shared(facts).into_iter();
        let mut others = shared
            .filter(|policy| policy.contacts.contains_key(change.address.key()))
            .flat_map(|policy| policy.users);
        others.find(|user| !is_known(user))
    })
}

/// Policies that somebody changed, and that a check of ours leaves: they are not deleted, since they are no more ours.
fn left_behind(changes: &[Change], facts: &UptimeFacts) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (name, mut users) in account::edited(facts) {
        if users.any(|user| changes.iter().any(|change| change.address.as_str() == user)) {
            let words = format!(
                "the escalation policy \"{}\" was changed by hand: it stays as it is, beside the new one; delete it at \
                 Better Stack once nothing uses it",
                text::shorten(&text::sanitize(name), 80)
            );
            warnings.push(Warning::general("left-behind", words));
        }
    }
    warnings
}

/// What a user can do about a refusal.
pub(super) fn advice(refused: &ApiRefusal) -> Option<&'static str> {
    match refused.status {
        401 => Some("set BETTERSTACK_API_TOKEN to the team's Uptime API token (Settings, API tokens)"),
        403 => Some("the plan or the token does not have it: choose a larger plan, or `on_unsupported: warn`"),
        404 => Some("it is not there any more: `launchctl plan` looks again"),
        422 if refused.message.contains("used by") => {
            Some("take it off whatever still uses it at Better Stack first, or keep it in the spec")
        }
        422 => Some("values differ by plan and type of check: take one that the message names"),
        429 => Some("wait a minute: requests are counted for everybody on the account"),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::monitor::{Alerting, Heartbeat, Http, Keyword, SentText};

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
            body: Some(SentText::Plain("x".into())),
        };
        let monitor = Monitor {
            every: Some(240),
            timeout: Some(20),
            confirm: Some(Confirm::Times(5)),
            recover: Some(100),
            domain_expiry: Some(DomainExpiry::Days(21)),
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
        let mut held = Resource::Monitor(Box::new(monitor));
        let fields: Vec<&str> = fit(&mut held).iter().map(|lack| lack.field).collect();
        let named = [
            "every",
            "recover",
            "timeout",
            "confirm",
            "warn_domain",
            "warn_before",
            "body",
            "status",
            "ignore_case",
            "alert",
            "labels",
        ];
        assert_eq!(fields, named);
        let monitor = held.as_monitor().unwrap();
        assert_eq!((monitor.every, monitor.timeout), (Some(300), Some(15)));
        assert_eq!(monitor.confirm, Some(Confirm::lasting(300)));
        assert_eq!(monitor.tls_expiry, Some([14].into()));
        assert!(fit(&mut held).is_empty(), "the nearest fits");
    }

    fn fitted(monitor: Monitor) -> (Vec<&'static str>, Monitor) {
        let mut held = Resource::Monitor(Box::new(monitor));
        let fields = fit(&mut held).iter().map(|lack| lack.field).collect();
        (fields, held.as_monitor().unwrap().clone())
    }

    #[test]
    fn one_certificate_one_window_and_a_least_period_are_held() {
        let host = "acme.example".to_owned();
        let ping = Monitor::new("a", "A", Check::Ping { host });
        let (fields, held) = fitted(Monitor {
            tls_expiry: Some([7, 30].into()),
            ..ping.clone()
        });
        assert_eq!((fields, held.tls_expiry), (vec!["warn_before"], Some([30].into())));
        let mut heartbeat = Monitor::new("b", "B", Check::Heartbeat(Heartbeat { grace: None }));
        heartbeat.every = Some(10);
        let (fields, held) = fitted(heartbeat);
        assert_eq!((fields, held.every), (vec!["heartbeat"], Some(LEAST_PERIOD)));
        let mut rests = ping;
        rests.maintenance = Some(["one", "two"].map(|key| Rest::Kept(key.to_owned())).into());
        let (fields, held) = fitted(rests);
        assert_eq!(
            (fields, held.maintenance.map(|all| all.len())),
            (vec!["maintenance"], Some(1))
        );
    }

    #[test]
    fn of_two_that_are_equally_near_the_larger_is_taken() {
        assert_eq!(nearest(45, &EXPIRIES), Some(60));
        assert_eq!(nearest(400, &EXPIRIES), Some(60));
        assert_eq!(nearest(0, &[]), None);
    }
}
