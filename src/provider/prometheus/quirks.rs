//! What Prometheus, its blackbox exporter and its Alertmanager cannot hold of a check or a contact. Pure.

use crate::model::contact::Channel;
use crate::model::monitor::{Check, DomainExpiry, Monitor};
use crate::model::record::RecordType;
use crate::model::resource::Resource;
use crate::model::window::Rest;
use crate::provider::unsupported::Lack;

use super::render;

/// Record types whose data the exporter shows in a form that is known (its answers are the text of the record).
pub(super) const ANSWERED: [RecordType; 7] = [
    RecordType::A,
    RecordType::Aaaa,
    RecordType::Cname,
    RecordType::Mx,
    RecordType::Ns,
    RecordType::Ptr,
    RecordType::Txt,
];

/// Brings a resource to the nearest that can be held, and says what was given up.
pub(super) fn fit(resource: &mut Resource) -> Vec<Lack> {
    match resource {
        Resource::Monitor(monitor) => {
            let mut lacks = of_check(&mut monitor.check);
            lacks.extend(of_monitor(monitor));
            lacks
        }
        Resource::Contact(contact) if matches!(contact.channel, Channel::Sms { .. }) => vec![Lack {
            field: "sms",
            words: "the Alertmanager sends no SMS by itself: name a webhook of a service that does".to_owned(),
            nearest: None,
            write: None,
        }],
        _ => Vec::new(),
    }
}

fn of_check(check: &mut Check) -> Vec<Lack> {
    match check {
        // A gateway that is pushed to keeps the last value for ever and is no part of the three, so a call that does not
        // come would go unseen.
        Check::Heartbeat(_) => vec![Lack::new(
            "heartbeat",
            "it asks and is called by nobody; have the job write a metric, with a rule of your own on its absence",
            None,
        )],
        Check::Dns(dns) => {
            let mut lacks = Vec::new();
            if dns.server.is_none() {
                let words = "the exporter asks a server that it is told, and no resolver of its own";
                lacks.push(Lack {
                    write: Some("server: HOST"),
                    ..Lack::new("server", words, None)
                });
            }
            if !ANSWERED.contains(&dns.record) && dns.answers.take().is_some() {
                let words = "the exporter shows answers of this type in no settled form";
                lacks.push(Lack::new("answers", words, Some("any answer")));
            }
            lacks
        }
        _ => Vec::new(),
    }
}

fn of_monitor(monitor: &mut Monitor) -> Vec<Lack> {
    let mut lacks = Vec::new();
    if monitor.regions.take_if(|regions| !regions.is_empty()).is_some() {
        lacks.push(Lack::new(
            "regions",
            "checks are made from where the exporter runs",
            Some("none"),
        ));
    }
    if monitor
        .domain_expiry
        .is_some_and(|warn| warn != DomainExpiry::Watched(false))
    {
        let words = "no exporter of it looks at a domain's registration";
        lacks.push(Lack::new("warn_domain", words, Some("false")));
        monitor.domain_expiry = Some(DomainExpiry::Watched(false));
    }
    if monitor.labels.take_if(|labels| !labels.is_empty()).is_some() {
        lacks.push(Lack::new(
            "labels",
            "a label there has a name and a value",
            Some("none"),
        ));
    }
    if let (Some(every), Some(timeout)) = (monitor.every, monitor.timeout)
        && timeout > every
    {
        let words = "a check must end before the next one begins";
        lacks.push(Lack::new("timeout", words, Some("the time between checks")));
        monitor.timeout = Some(every);
    }
    let is_told = |rest: &Rest| match rest {
        Rest::Own(window) => render::intervals(window).is_some(),
        Rest::Kept(_) => false,
    };
    if let Some(maintenance) = &mut monitor.maintenance
        && !maintenance.iter().all(is_told)
    {
        maintenance.retain(is_told);
        let words = "a window that repeats lasts a day at most, and one of a month ends on its day";
        lacks.push(Lack::new("maintenance", words, Some("no such window")));
    }
    lacks
}
