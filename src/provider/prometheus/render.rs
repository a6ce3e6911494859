//! The files that make Prometheus, its blackbox exporter and its Alertmanager watch what is declared. They are written as
//! JSON, which all three read as the YAML that it also is. Pure: the same resources make the same bytes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::base::secret::SecretReference;
use crate::model::contact::{Channel, Contact, Guarded};
use crate::model::inventory::Inventory;
use crate::model::monitor::{Check, Dns, Http, Monitor, SentText, Status};
use crate::model::record::RecordType;
use crate::model::window::{MINUTES, Repeats, Rest, TimeOfDay, Weekday, Window};
use crate::provider::kept_file;

/// What is kept elsewhere, by where.
pub(super) type Secrets = BTreeMap<SecretReference, String>;

/// A file of ours.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct File {
    /// Its name in the folder.
    pub name: String,
    /// What it holds.
    pub text: String,
    /// Whether there is a credential in it.
    pub is_secret: bool,
}

/// What the names of all files begin with.
pub(super) fn prefix(stack: &str) -> String {
    format!("launchctl_{stack}")
}

/// The name of the file in which the resources themselves are kept.
pub(super) fn kept_in(stack: &str) -> String {
    format!("{}.json", prefix(stack))
}

/// All files for these resources.
pub(super) fn files(stack: &str, inventory: &Inventory, secrets: &Secrets, smarthost: &str) -> Vec<File> {
    let monitors: Vec<&Monitor> = inventory
        .values()
        .filter_map(|resource| resource.as_monitor())
        .collect();
    let contacts: Vec<&Contact> = inventory
        .values()
        .filter_map(|resource| resource.as_contact())
        .collect();
    let prefix = prefix(stack);
    let guards = |monitor: &&Monitor| monitor.check.http().is_some_and(|http| http.guarded().next().is_some());
    let file = |suffix: &str, value: &Value, is_secret: bool| File {
        name: format!("{prefix}.{suffix}"),
        text: kept_file::pretty(value),
        is_secret,
    };
    vec![
        file("targets.json", &targets(stack, &monitors), false),
        file("rules.yml", &rules(stack, &monitors), false),
        file(
            "blackbox.yml",
            &modules(stack, &monitors, secrets),
            monitors.iter().any(guards),
        ),
        file(
            "alertmanager.yml",
            &alertmanager(stack, &monitors, &contacts, secrets, smarthost),
            true,
        ),
        file("include.yml", &include(stack), false),
    ]
}

/// The module of the exporter for a monitor.
pub(super) fn module(stack: &str, key: &str) -> String {
    format!("{}_{key}", prefix(stack))
}

fn targets(stack: &str, monitors: &[&Monitor]) -> Value {
    let awake = monitors.iter().filter(|monitor| monitor.paused != Some(true));
    awake
        .map(|monitor| {
            let target = match &monitor.check {
                Check::Http(http) => http.url.clone(),
                Check::Tcp { host, port } if host.contains(':') => format!("[{host}]:{port}"),
                Check::Tcp { host, port } => format!("{host}:{port}"),
                Check::Ping { host } => host.clone(),
                Check::Dns(dns) => dns.server.as_ref().map(ToString::to_string).unwrap_or_default(),
                Check::Heartbeat(_) => String::new(),
                Check::Other { target, .. } => target.clone(),
            };
            let (every, timeout) = (every(monitor), monitor.timeout.unwrap_or(10).min(every(monitor)));
            json!({
                "targets": [target],
                "labels": {
                    "managed_by": "launchctl", "stack": stack, "check": monitor.key,
                    "module": module(stack, &monitor.key),
                    "__scrape_interval__": format!("{every}s"), "__scrape_timeout__": format!("{timeout}s"),
                },
            })
        })
        .collect()
}

fn every(monitor: &Monitor) -> u32 {
    monitor.every.unwrap_or(300)
}

/// Samples of a check that is made every five minutes are forgotten before the next one comes, so each rule looks back
/// over two checks and takes the last.
fn rules(stack: &str, monitors: &[&Monitor]) -> Value {
    let mut all = Vec::new();
    for monitor in monitors {
        let range = every(monitor).saturating_mul(2).saturating_add(60);
        let series = |name: &str| {
            format!(
                "last_over_time({name}{{managed_by=\"launchctl\",stack=\"{stack}\",check=\"{}\"}}[{range}s])",
                monitor.key
            )
        };
        let labels = |severity: &str| json!({ "severity": severity, "managed_by": "launchctl", "stack": stack, "check": monitor.key });
        // A name is no template.
        let name = no_template(&monitor.name);
        let confirm = monitor.confirm.map_or(0, |confirm| confirm.seconds(every(monitor)));
        let mut down = json!({
            "alert": "launchctl_down",
            "expr": format!("{} == 0", series("probe_success")),
            "for": format!("{confirm}s"),
            "labels": labels("page"),
            "annotations": { "summary": format!("{name} is down") },
        });
        if let Some(recover) = monitor.recover.filter(|recover| *recover > 0) {
            // From Prometheus 2.42 on; an older one refuses the rule when it is checked.
            down["keep_firing_for"] = json!(format!("{recover}s"));
        }
        all.push(down);
        // The exporter answers 400 to a module that it does not know, and nothing when it is down: then there is no
        // `probe_success` at all, and nobody would be told. It gets the time that it takes to read a new file.
        all.push(json!({
            "alert": "launchctl_not_checked",
            "expr": format!("{} == 0", series("up")),
            "for": format!("{range}s"),
            "labels": labels("page"),
            "annotations": { "summary": format!("{name} cannot be checked: the blackbox exporter does not answer for it") },
        }));
        // Of what is not trusted there is no such time at all, which is why being down is told beside it; and of what is
        // trusted unseen the end of the last chain is a nonsense value, which is why the earliest end is asked for.
        for days in monitor.tls_expiry.iter().flatten() {
            let mut labels = labels("ticket");
            labels["days"] = json!(days.to_string());
            all.push(json!({
                "alert": "launchctl_certificate",
                "expr": format!("({} - time()) / 86400 < {days}", series("probe_ssl_earliest_cert_expiry")),
                "for": "0s",
                "labels": labels,
                "annotations": { "summary": format!("the certificate of {name} ends in less than {days} days") },
            }));
        }
    }
    json!({ "groups": [{ "name": prefix(stack), "rules": all }] })
}

/// A name with a space between any two brackets that would begin a template.
fn no_template(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if c == '{' && out.ends_with('{') {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

fn modules(stack: &str, monitors: &[&Monitor], secrets: &Secrets) -> Value {
    let mut all = Map::new();
    for monitor in monitors {
        let mut module = json!({ "timeout": format!("{}s", monitor.timeout.unwrap_or(10)) });
        match &monitor.check {
            Check::Http(http) => {
                module["prober"] = json!("http");
                module["http"] = of_http(http, monitor, secrets);
            }
            Check::Tcp { .. } => module["prober"] = json!("tcp"),
            Check::Dns(dns) => {
                module["prober"] = json!("dns");
                module["dns"] = of_dns(dns);
            }
            Check::Ping { .. } | Check::Heartbeat(_) | Check::Other { .. } => module["prober"] = json!("icmp"),
        }
        all.insert(self::module(stack, &monitor.key), module);
    }
    json!({ "modules": all })
}

fn of_http(http: &Http, monitor: &Monitor, secrets: &Secrets) -> Value {
    let mut codes = Vec::new();
    for status in &http.status {
        match status {
            Status::Code(code) => codes.push(*code),
            Status::Class(class) => codes.extend((0..100).map(|rest| u16::from(*class) * 100 + rest)),
        }
    }
    let mut out = json!({
        "method": http.method,
        "valid_status_codes": codes,
        "follow_redirects": http.follow_redirects.unwrap_or(true),
        "tls_config": { "insecure_skip_verify": monitor.verify_tls == Some(false) },
    });
    if let Some(keyword) = &http.keyword {
        let case = if keyword.ignore_case == Some(true) { "(?i)" } else { "" };
        let when = if keyword.absent {
            "fail_if_body_matches_regexp"
        } else {
            "fail_if_body_not_matches_regexp"
        };
        out[when] = json!([format!("{case}{}", literally(&keyword.text))]);
    }
    if let Some(headers) = &http.headers {
        let values: Map<String, Value> = headers
            .iter()
            .map(|(name, value)| (name.clone(), json!(sent(value, secrets))))
            .collect();
        out["headers"] = Value::Object(values);
    }
    if let Some(body) = &http.body {
        out["body"] = json!(sent(body, secrets));
    }
    out
}

fn sent<'a>(text: &'a SentText, secrets: &'a Secrets) -> &'a str {
    match text {
        SentText::Plain(text) => text,
        SentText::Guarded(guarded) => known(guarded, secrets),
    }
}

/// The exporter judges each record of the answer by its text: name, TTL, class, type and data. All of them must be among
/// what may be answered, but for the aliases on the way there, and one must be there at all.
fn of_dns(dns: &Dns) -> Value {
    let mut out = json!({
        "query_name": dns.domain,
        "query_type": dns.record.as_str(),
        "valid_rcodes": ["NOERROR"],
        "validate_answer_rrs": { "fail_if_none_matches_regexp": [format!("\\sIN\\s+{}\\s", dns.record.as_str())] },
    });
    if let Some(answers) = &dns.answers {
        let data = |text: &String| {
            let text = if dns.record == RecordType::Txt {
                quoted(text)
            } else {
                text.clone()
            };
            let words: Vec<String> = text.split(' ').map(literally).collect();
            words.join("\\s+")
        };
        let data: Vec<String> = answers.iter().map(data).collect();
        let answer = format!("(?i)\\sIN\\s+{}\\s+({})\\.?$", dns.record.as_str(), data.join("|"));
        let or_alias = format!("{answer}|\\sIN\\s+CNAME\\s");
        out["validate_answer_rrs"] = json!({
            "fail_if_none_matches_regexp": [answer],
            "fail_if_not_matches_regexp": [or_alias],
        });
    }
    out
}

/// A text as the exporter shows it: in quotes, split every 255 octets.
fn quoted(text: &str) -> String {
    let parts = text.as_bytes().chunks(255).map(|part| {
        let part = String::from_utf8_lossy(part).replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{part}\"")
    });
    parts.collect::<Vec<_>>().join(" ")
}

/// When nobody is told, in the Alertmanager's form: from one time to a later one of the same day. One that goes beyond
/// midnight is two. `None` for what cannot be said so.
pub(super) fn intervals(window: &Window) -> Option<Vec<Value>> {
    let start = window.at.to_string();
    let (end, is_over) = window.at.later(window.minutes);
    let part = |days: Value, from: &str, to: &str| {
        let mut interval = json!({ "times": [{ "start_time": from, "end_time": to }], "location": window.zone });
        if let (Value::Object(interval), Value::Object(days)) = (&mut interval, days) {
            interval.extend(days);
        }
        interval
    };
    if let Repeats::Once { date } = &window.repeats {
        let on = |date: Date| {
            json!({
                "years": [date.year().to_string()], "months": [date.month().to_string()],
                "days_of_month": [date.day().to_string()],
            })
        };
        let mut all = Vec::new();
        let (mut date, mut from, mut left) = (*date, window.at, window.minutes);
        loop {
            let until_midnight = MINUTES - from.minutes();
            if left < until_midnight {
                let (end, _) = from.later(left);
                all.extend((left > 0).then(|| part(on(date), &from.to_string(), &end.to_string())));
                return Some(all);
            }
            all.push(part(on(date), &from.to_string(), "24:00"));
            left -= until_midnight;
            date = date.tomorrow().ok()?;
            from = TimeOfDay::MIDNIGHT;
        }
    }
    if window.minutes > MINUTES {
        return None;
    }
    let to = end.to_string();
    let ends_at_midnight = end == TimeOfDay::MIDNIGHT;
    let (today, tomorrow) = match &window.repeats {
        Repeats::Daily => (json!({}), Some(json!({}))),
        Repeats::Weekly { days } => {
            let words = |shift: usize| -> Value {
                let all = days.iter().map(|day| {
                    let at = usize::from(day.number()) - 1 + shift;
                    Weekday::ALL[at % Weekday::ALL.len()].as_str()
                });
                json!({ "weekdays": all.collect::<Vec<_>>() })
            };
            (words(0), Some(words(1)))
        }
        Repeats::Monthly { days } => {
            let days: Vec<String> = days.iter().map(ToString::to_string).collect();
            (json!({ "days_of_month": days }), None)
        }
        Repeats::Once { .. } => return None,
    };
    Some(match (is_over, ends_at_midnight) {
        (false, _) => vec![part(today, &start, &to)],
        (true, true) => vec![part(today, &start, "24:00")],
        (true, false) => vec![part(today, &start, "24:00"), part(tomorrow?, "00:00", &to)],
    })
}

/// What is kept elsewhere, or nothing where nobody knows it: then no rendering is the same.
fn known<'a>(guarded: &Guarded, secrets: &'a Secrets) -> &'a str {
    match guarded {
        Guarded::Kept(reference) => secrets.get(reference).map_or("", String::as_str),
        Guarded::Hidden => "",
    }
}

/// A text as a pattern that matches it and nothing else.
fn literally(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn alertmanager(
    stack: &str,
    monitors: &[&Monitor],
    contacts: &[&Contact],
    secrets: &Secrets,
    smarthost: &str,
) -> Value {
    let mut receivers = vec![json!({ "name": format!("{}_nobody", prefix(stack)) })];
    for contact in contacts {
        let mut receiver = json!({ "name": receiver(stack, &contact.key) });
        match &contact.channel {
            Channel::Email { address } => {
                let mut mail = json!({ "to": address, "from": address, "smarthost": smarthost, "send_resolved": true });
                // What leaves this machine is sent by TLS, as the Alertmanager does where nothing is said.
                if is_here(smarthost) {
                    mail["require_tls"] = json!(false);
                }
                receiver["email_configs"] = json!([mail]);
            }
            Channel::Slack { hook } => {
                receiver["slack_configs"] = json!([{ "api_url": known(hook, secrets), "send_resolved": true }]);
            }
            Channel::Webhook { url } => {
                receiver["webhook_configs"] = json!([{ "url": known(url, secrets), "send_resolved": true }]);
            }
            Channel::Sms { .. } | Channel::Other { .. } => {}
        }
        receivers.push(receiver);
    }
    let mut routes = Vec::new();
    for monitor in monitors {
        // A check may keep a contact that the spec has dropped: it is told again when that comes back.
        let is_there = |key: &str| contacts.iter().any(|contact| contact.key == key);
        let told = monitor.contacts.iter().flatten();
        for (key, alerting) in told.filter(|(key, _)| is_there(key)) {
            let repeat = if alerting.repeat == 0 {
                365 * 24 * 60
            } else {
                // More seconds than that are no duration to the Alertmanager.
                alerting.repeat.min(u32::MAX / 60)
            };
            let mut route = json!({
                "receiver": receiver(stack, key),
                "matchers": [format!("stack=\"{stack}\""), format!("check=\"{}\"", monitor.key)],
                "group_by": ["alertname", "check", "days"],
                "group_wait": format!("{}s", alerting.after.saturating_mul(60)),
                "group_interval": "1s",
                "repeat_interval": format!("{repeat}m"),
                "continue": true,
            });
            if monitor.maintenance.as_ref().is_some_and(|windows| !windows.is_empty()) {
                route["mute_time_intervals"] = json!([module(stack, &monitor.key)]);
            }
            routes.push(route);
        }
    }
    let rests = monitors.iter().filter_map(|monitor| {
        let own = |rest: &Rest| match rest {
            Rest::Own(window) => intervals(window),
            Rest::Kept(_) => None,
        };
        let all: Vec<Value> = monitor.maintenance.iter().flatten().filter_map(own).flatten().collect();
        let name = module(stack, &monitor.key);
        (!all.is_empty()).then(|| json!({ "name": name, "time_intervals": all }))
    });
    let rests: Vec<Value> = rests.collect();
    let mut out = json!({
        "route": { "receiver": format!("{}_nobody", prefix(stack)), "routes": routes },
        "receivers": receivers,
    });
    if !rests.is_empty() {
        out["time_intervals"] = json!(rests);
    }
    out
}

/// Whether a host with a port is this machine.
fn is_here(smarthost: &str) -> bool {
    let host = smarthost.rsplit_once(':').map_or(smarthost, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = |address: IpAddr| address.is_loopback();
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(is_loopback)
}

fn receiver(stack: &str, key: &str) -> String {
    format!("{}_{key}", prefix(stack))
}

/// What belongs into the user's own prometheus.yml, once.
fn include(stack: &str) -> Value {
    let prefix = prefix(stack);
    json!({
        "rule_files": [format!("FOLDER/{prefix}.rules.yml")],
        "scrape_configs": [{
            "job_name": prefix,
            "metrics_path": "/probe",
            "file_sd_configs": [{ "files": [format!("FOLDER/{prefix}.targets.json")] }],
            "relabel_configs": [
                { "source_labels": ["__address__"], "target_label": "__param_target" },
                { "source_labels": ["module"], "target_label": "__param_module" },
                { "source_labels": ["__param_target"], "target_label": "instance" },
                { "target_label": "__address__", "replacement": "BLACKBOX_HOST:PORT" },
            ],
        }],
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_looked_for_as_it_is() {
        assert_eq!(literally("Sign in? (now)"), "Sign in\\? \\(now\\)");
        assert_eq!(literally("größe"), "größe");
    }
}
