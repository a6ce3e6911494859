//! The file that makes Gatus watch what is declared. It is written as JSON, which Gatus reads as the YAML that it also
//! is. Pure: the same resources make the same bytes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::base::secret::{Secret, SecretReference};
use crate::model::contact::{Channel, Contact, Guarded};
use crate::model::inventory::Inventory;
use crate::model::monitor::{Alerting, Check, Confirm, Dns, DomainExpiry, Http, Monitor, SentText, Status};
use crate::model::resource::Resource;
use crate::model::window::{Repeats, Rest, Window};
use crate::provider::kept_file;

/// What is kept elsewhere, by where.
pub(super) type Secrets = BTreeMap<SecretReference, Secret>;

/// What the names of our files begin with.
fn prefix(stack: &str) -> String {
    format!("launchctl_{stack}")
}

/// The name of the file that Gatus reads.
pub(super) fn file(stack: &str) -> String {
    format!("{}.yaml", prefix(stack))
}

/// The name of the file in which the resources themselves are kept: Gatus reads no such ending.
pub(super) fn kept_in(stack: &str) -> String {
    format!("{}.json", prefix(stack))
}

/// What Gatus reads.
pub(super) fn text(stack: &str, inventory: &Inventory, secrets: &Secrets, smarthost: &str) -> String {
    let contacts: Vec<&Contact> = inventory.values().filter_map(Resource::as_contact).collect();
    let monitors = inventory.values().filter_map(Resource::as_monitor);
    let endpoints: Vec<Value> = monitors
        .map(|monitor| endpoint(stack, monitor, &contacts, secrets))
        .collect();
    let alerting: Map<String, Value> = contacts
        .iter()
        .filter_map(|contact| alerting(contact, secrets, smarthost))
        .map(|(kind, settings)| (kind.to_owned(), settings))
        .collect();
    let mut whole = json!({ "endpoints": endpoints, "alerting": alerting });
    literally(&mut whole);
    kept_file::pretty(&whole)
}

/// Gatus takes `$NAME` for a variable of its environment; two signs are one that stands for itself.
fn literally(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('$') => *text = text.replace('$', "$$"),
        Value::Array(all) => all.iter_mut().for_each(literally),
        Value::Object(fields) => fields.values_mut().for_each(literally),
        _ => {}
    }
}

fn endpoint(stack: &str, monitor: &Monitor, contacts: &[&Contact], secrets: &Secrets) -> Value {
    let every = monitor.every.unwrap_or(300);
    let mut out = json!({
        "name": monitor.name,
        "group": stack,
        "interval": format!("{every}s"),
        "extra-labels": { "managed_by": "launchctl", "check": monitor.key },
    });
    let mut conditions = Vec::new();
    match &monitor.check {
        Check::Http(http) => of_http(http, secrets, &mut out, &mut conditions),
        Check::Tcp { host, port } => {
            let host = if host.contains(':') {
                format!("[{host}]")
            } else {
                host.clone()
            };
            out["url"] = json!(format!("tcp://{host}:{port}"));
            conditions.push("[CONNECTED] == true".to_owned());
        }
        Check::Ping { host } => {
            out["url"] = json!(format!("icmp://{host}"));
            conditions.push("[CONNECTED] == true".to_owned());
        }
        Check::Dns(dns) => of_dns(dns, &mut out, &mut conditions),
        // Refused before anything is written.
        Check::Heartbeat(_) | Check::Other { .. } => {}
    }
    if let Some(days) = monitor.tls_expiry.iter().flatten().max() {
        conditions.push(format!("[CERTIFICATE_EXPIRATION] > {}h", u32::from(*days) * 24));
    }
    if let Some(DomainExpiry::Days(days)) = monitor.domain_expiry {
        conditions.push(format!("[DOMAIN_EXPIRATION] > {}h", u32::from(days) * 24));
    }
    out["conditions"] = json!(conditions);
    let mut client = Map::new();
    if let Some(timeout) = monitor.timeout {
        client.insert("timeout".to_owned(), json!(format!("{timeout}s")));
    }
    if monitor.verify_tls == Some(false) {
        client.insert("insecure".to_owned(), json!(true));
    }
    if monitor.check.http().and_then(|http| http.follow_redirects) == Some(false) {
        client.insert("ignore-redirect".to_owned(), json!(true));
    }
    if !client.is_empty() {
        out["client"] = Value::Object(client);
    }
    if monitor.paused == Some(true) {
        out["enabled"] = json!(false);
    }
    let windows: Vec<Value> = monitor.maintenance.iter().flatten().filter_map(window).collect();
    if !windows.is_empty() {
        out["maintenance-windows"] = json!(windows);
    }
    let told = monitor.contacts.iter().flatten();
    let alerts: Vec<Value> = told
        .filter_map(|(key, alerting)| {
            let contact = contacts.iter().find(|contact| contact.key == *key)?;
            Some(alert(kind(&contact.channel)?, *alerting, monitor, every))
        })
        .collect();
    if !alerts.is_empty() {
        out["alerts"] = json!(alerts);
    }
    out
}

fn of_http(http: &Http, secrets: &Secrets, out: &mut Value, conditions: &mut Vec<String>) {
    out["url"] = json!(http.url);
    out["method"] = json!(http.method);
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
    conditions.extend(statuses(http));
    if let Some(keyword) = &http.keyword {
        let sign = if keyword.absent { "!=" } else { "==" };
        conditions.push(format!("[BODY] {sign} pat(*{}*)", keyword.text));
    }
}

/// Classes next to each other are a range; anything else is a list of all that is meant.
fn statuses(http: &Http) -> Vec<String> {
    let classes: Option<Vec<u8>> = http
        .status
        .iter()
        .map(|status| match status {
            Status::Class(class) => Some(*class),
            Status::Code(_) => None,
        })
        .collect();
    if let Some(classes) = classes.filter(|classes| classes.windows(2).all(|pair| pair[1] == pair[0] + 1))
        && let (Some(first), Some(last)) = (classes.first(), classes.last())
    {
        return vec![format!("[STATUS] >= {first}00"), format!("[STATUS] < {}00", last + 1)];
    }
    let codes: Vec<String> = http
        .status
        .iter()
        .flat_map(|status| match status {
            Status::Code(code) => *code..=*code,
            Status::Class(class) => u16::from(*class) * 100..=u16::from(*class) * 100 + 99,
        })
        .map(|code| code.to_string())
        .collect();
    match codes.as_slice() {
        [one] => vec![format!("[STATUS] == {one}")],
        several => vec![format!("[STATUS] == any({})", several.join(", "))],
    }
}

fn of_dns(dns: &Dns, out: &mut Value, conditions: &mut Vec<String>) {
    let server = dns.server.as_ref().map(ToString::to_string).unwrap_or_default();
    out["url"] = json!(server.strip_suffix(":53").unwrap_or(&server));
    out["dns"] = json!({ "query-name": dns.domain, "query-type": dns.record.as_str() });
    conditions.push("[DNS_RCODE] == NOERROR".to_owned());
    if let Some(answers) = &dns.answers {
        let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
        conditions.push(match answers.as_slice() {
            [one] => format!("[BODY] == {one}"),
            several => format!("[BODY] == any({})", several.join(", ")),
        });
    }
}

fn sent<'a>(text: &'a SentText, secrets: &'a Secrets) -> &'a str {
    match text {
        SentText::Plain(text) => text,
        SentText::Guarded(guarded) => known(guarded, secrets),
    }
}

/// What is kept elsewhere, or nothing where nobody knows it: then no rendering is the same.
fn known<'a>(guarded: &Guarded, secrets: &'a Secrets) -> &'a str {
    match guarded {
        Guarded::Kept(reference) => secrets.get(reference).map_or("", Secret::expose),
        Guarded::Hidden => "",
    }
}

/// A window that Gatus can say: every day, or days of the week, within a day.
pub(super) fn can_rest(window: &Window) -> bool {
    matches!(window.repeats, Repeats::Daily | Repeats::Weekly { .. }) && window.minutes < crate::model::window::MINUTES
}

fn window(rest: &Rest) -> Option<Value> {
    let Rest::Own(window) = rest else { return None };
    let mut out = json!({
        "start": window.at.to_string(), "duration": format!("{}m", window.minutes), "timezone": window.zone,
    });
    if let Repeats::Weekly { days } = &window.repeats {
        let word = |text: &str| text[..1].to_ascii_uppercase() + &text[1..];
        let days: Vec<String> = days.iter().map(|day| word(day.as_str())).collect();
        out["every"] = json!(days);
    }
    Some(out)
}

/// Failures in a row after which somebody is told: what confirms one, and what a contact waits beside.
pub(super) fn failures(monitor: &Monitor, alerting: Alerting, every: u32) -> u32 {
    let confirm = monitor.confirm.unwrap_or(Confirm::Times(0)).times(every);
    let waits = Confirm::lasting(alerting.after.saturating_mul(60)).times(every);
    confirm.max(waits).saturating_add(1)
}

fn alert(kind: &str, alerting: Alerting, monitor: &Monitor, every: u32) -> Value {
    let recover = Confirm::lasting(monitor.recover.unwrap_or(0)).times(every);
    let mut out = json!({
        "type": kind,
        "failure-threshold": failures(monitor, alerting, every),
        "success-threshold": recover.saturating_add(1),
        "send-on-resolved": true,
    });
    if alerting.repeat > 0 {
        out["minimum-reminder-interval"] = json!(format!("{}m", alerting.repeat));
    }
    out
}

/// Gatus's word for a kind of contact.
pub(super) fn kind(channel: &Channel) -> Option<&'static str> {
    match channel {
        Channel::Email { .. } => Some("email"),
        Channel::Slack { .. } => Some("slack"),
        Channel::Webhook { .. } => Some("custom"),
        Channel::Sms { .. } | Channel::Other { .. } => None,
    }
}

fn alerting(contact: &Contact, secrets: &Secrets, smarthost: &str) -> Option<(&'static str, Value)> {
    let settings = match &contact.channel {
        Channel::Email { address } => {
            let (host, port) = smarthost.rsplit_once(':').unwrap_or((smarthost, "25"));
            json!({ "from": address, "host": host, "port": port.parse::<u16>().unwrap_or(25), "to": address })
        }
        Channel::Slack { hook } => json!({ "webhook-url": known(hook, secrets) }),
        Channel::Webhook { url } => json!({
            "url": known(url, secrets),
            "method": "POST",
            "headers": { "Content-Type": "application/json" },
            "body": r#"{"check":"[ENDPOINT_NAME]","status":"[ALERT_TRIGGERED_OR_RESOLVED]","url":"[ENDPOINT_URL]"}"#,
        }),
        Channel::Sms { .. } | Channel::Other { .. } => return None,
    };
    Some((kind(&contact.channel)?, settings))
}
