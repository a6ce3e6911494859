//! What Gatus cannot hold of a check or a contact. Pure.

use crate::model::contact::Channel;
use crate::model::monitor::{Alerting, Check, Confirm, DomainExpiry, Monitor};
use crate::model::record::RecordType;
use crate::model::resource::Resource;
use crate::model::window::Rest;
use crate::provider::unsupported::Lack;

use super::render;

/// The least time between two looks at a domain's registration, in seconds (Gatus asks WHOIS for it).
const DOMAIN_EVERY: u32 = 300;

/// Brings a resource to the nearest that can be held, and says what was given up.
pub(super) fn fit(resource: &mut Resource) -> Vec<Lack> {
    match resource {
        Resource::Monitor(monitor) => {
            let mut lacks = of_check(&mut monitor.check);
            of_name(monitor, &mut lacks);
            of_expiry(monitor, &mut lacks);
            of_times(monitor, &mut lacks);
            of_rest(monitor, &mut lacks);
            lacks
        }
        Resource::Contact(contact) if matches!(contact.channel, Channel::Sms { .. }) => {
            vec![Lack::new(
                "sms",
                "it sends no SMS by itself: name a webhook of a service that does",
                None,
            )]
        }
        _ => Vec::new(),
    }
}

/// A name as Gatus tells endpoints apart (`config/key/key.go`).
pub(super) fn name_there(name: &str) -> String {
    name.trim()
        .to_lowercase()
        .replace(['/', '_', '.', ',', ' ', '#', '+', '&'], "-")
}

/// One name with such a sign in it and Gatus takes no endpoint at all (`config/endpoint/common.go`).
fn of_name(monitor: &mut Monitor, lacks: &mut Vec<Lack>) {
    if monitor.name.contains(['"', '\\']) {
        let nearest = monitor.name.replace('"', "'").replace('\\', "/");
        lacks.push(Lack::new("name", "it takes no \" and no \\ in a name", Some(&nearest)));
        monitor.name = nearest;
    }
}

fn of_check(check: &mut Check) -> Vec<Lack> {
    let mut lacks = Vec::new();
    match check {
        Check::Http(http) => {
            if let Some(keyword) = &mut http.keyword {
                let field = if keyword.absent { "lacks" } else { "contains" };
                let is_sign = |c: char| c.is_control() || "*?[]()\\,".contains(c);
                let compares = ["==", "!=", "<", ">"].iter().any(|sign| keyword.text.contains(sign));
                if keyword.text.chars().any(is_sign) || compares {
                    let words = "a condition takes some signs for its own (* ? [ ] ( ) \\ , = < >)";
                    lacks.push(Lack::new(field, words, None));
                }
                if keyword.ignore_case == Some(true) {
                    let words = "upper and lower case differ to it";
                    lacks.push(Lack::new("ignore_case", words, Some("false")));
                    keyword.ignore_case = Some(false);
                }
            }
        }
        Check::Heartbeat(_) => {
            let words = "it is called with a token that would have to be written into its file";
            lacks.push(Lack::new("heartbeat", words, None));
        }
        Check::Dns(dns) => {
            if dns.server.is_none() {
                lacks.push(Lack {
                    write: Some("server: HOST"),
                    ..Lack::new("server", "it asks the DNS server that it is told", None)
                });
            }
            let is_plain = matches!(dns.record, RecordType::A | RecordType::Aaaa);
            if !is_plain && dns.answers.take().is_some() {
                let words = "it shows answers of this type in no settled form";
                lacks.push(Lack::new("answers", words, Some("any answer")));
            }
        }
        _ => {}
    }
    lacks
}

fn of_expiry(monitor: &mut Monitor, lacks: &mut Vec<Lack>) {
    if let Some(days) = monitor.tls_expiry.as_mut().filter(|days| days.len() > 1) {
        let first = days.iter().next_back().copied().unwrap_or_default();
        *days = [first].into();
        let words = "a check fails once its certificate is near its end, and not again";
        lacks.push(Lack::new("warn_before", words, Some(&format!("{first}d"))));
    }
    if monitor.domain_expiry == Some(DomainExpiry::Watched(true)) {
        let words = "it has to be told how long before";
        lacks.push(Lack::new("warn_domain", words, Some("30d")));
        monitor.domain_expiry = Some(DomainExpiry::Days(30));
    }
    let watches = matches!(monitor.domain_expiry, Some(DomainExpiry::Days(_)));
    if let Some(every) = monitor.every.filter(|every| watches && *every < DOMAIN_EVERY) {
        let words = format!("with `warn_domain` a check is not made every {every} s");
        lacks.push(Lack::new("every", words, Some(&format!("{DOMAIN_EVERY} s"))));
        monitor.every = Some(DOMAIN_EVERY);
    }
}

/// It counts checks, so that every length of time is a number of them.
fn of_times(monitor: &mut Monitor, lacks: &mut Vec<Lack>) {
    let every = monitor.every.unwrap_or(300).max(1);
    let whole = |seconds: u32| seconds.div_ceil(every) * every;
    if let Some(Confirm::Lasting { seconds }) = monitor
        .confirm
        .filter(|confirm| !confirm.seconds(every).is_multiple_of(every))
    {
        let words = format!("it counts checks, and one is made every {every} s");
        lacks.push(Lack::new("confirm", words, Some(&format!("{} s", whole(seconds)))));
        monitor.confirm = Some(Confirm::lasting(whole(seconds)));
    }
    if let Some(recover) = monitor.recover.filter(|recover| !recover.is_multiple_of(every)) {
        let words = format!("it counts checks, and one is made every {every} s");
        lacks.push(Lack::new("recover", words, Some(&format!("{} s", whole(recover)))));
        monitor.recover = Some(whole(recover));
    }
    // A reminder comes every five minutes at most.
    let is_odd = |alerting: &Alerting| {
        !alerting.after.saturating_mul(60).is_multiple_of(every) || (1..5).contains(&alerting.repeat)
    };
    let all = || monitor.contacts.iter().flat_map(|all| all.values());
    if all().any(is_odd) {
        let words = format!("`after` is a number of checks (one every {every} s), and `repeat` five minutes at least");
        lacks.push(Lack::new("alert", words, Some("the next number of checks, and 5m")));
        for alerting in monitor.contacts.iter_mut().flat_map(|all| all.values_mut()) {
            alerting.after = whole(alerting.after.saturating_mul(60)).div_ceil(60);
            if alerting.repeat > 0 {
                alerting.repeat = alerting.repeat.max(5);
            }
        }
        // Where checks are not made in whole minutes there is no such number of minutes.
        for alerting in monitor.contacts.iter_mut().flat_map(|all| all.values_mut()) {
            if !alerting.after.saturating_mul(60).is_multiple_of(every) {
                alerting.after = 0;
            }
        }
    }
}

fn of_rest(monitor: &mut Monitor, lacks: &mut Vec<Lack>) {
    if monitor.regions.take_if(|regions| !regions.is_empty()).is_some() {
        lacks.push(Lack::new("regions", "checks are made from where it runs", Some("none")));
    }
    if monitor.labels.take_if(|labels| !labels.is_empty()).is_some() {
        lacks.push(Lack::new(
            "labels",
            "a label there has a name and a value",
            Some("none"),
        ));
    }
    let can = |rest: &Rest| matches!(rest, Rest::Own(window) if render::can_rest(window));
    if let Some(maintenance) = &mut monitor.maintenance
        && !maintenance.iter().all(can)
    {
        maintenance.retain(can);
        let words = "a window is every day or on days of the week, and shorter than a day";
        lacks.push(Lack::new("maintenance", words, Some("no such window")));
    }
}
