//! UptimeRobot's JSON of monitors and contacts, to the neutral form and back. What goes in has other names than what
//! comes out; defaults, escapes and units are settled here and nowhere else. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::base::secret::SecretReference;
use crate::model::address::Address;
use crate::model::contact::{Channel, Guarded, mailbox};
use crate::model::monitor::{Alerting, Check, HeaderText, Http, Keyword, MARK, Monitor, Region, Status};

/// A value in a body that is filled in only when the request is made: what is kept elsewhere.
pub(super) const SECRET: &str = "$secret";
/// The same for the id of a contact, which may not exist before.
pub(super) const CONTACT: &str = "$contact";

/// Days before a certificate's end on which the service reminds when it was given none. They are documented nowhere, so
/// what counts is only that no spec means them by saying nothing.
const USUAL_REMINDERS: [u16; 4] = [1, 7, 14, 30];

/// A monitor as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LiveMonitor {
    /// The provider's id.
    pub id: String,
    /// Everything that we know to read; its key is not settled yet.
    pub monitor: Monitor,
    /// Assigned contacts by their ids.
    pub told: BTreeMap<String, Alerting>,
    /// Headers as they are, values included.
    pub headers: BTreeMap<String, String>,
    /// All its tags.
    pub tags: BTreeSet<String>,
}

/// A contact as it was read. Its value may be a credential: it goes no further than the comparison.
#[derive(Clone, PartialEq)]
pub(super) struct LiveContact {
    /// The provider's id.
    pub id: String,
    /// Which list it is in.
    pub list: &'static str,
    /// The provider's word for its kind.
    pub kind: String,
    /// Its name there.
    pub name: String,
    /// Where messages go.
    pub value: String,
    /// Whether somebody still has to confirm it.
    pub is_unconfirmed: bool,
}

/// The list of personal contacts.
pub(super) const CONTACTS: &str = "alert-contacts";
/// The list of integrations.
pub(super) const INTEGRATIONS: &str = "integrations";

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number<T: TryFrom<u64>>(value: &Value, key: &str) -> Option<T> {
    value
        .get(key)
        .and_then(Value::as_u64)
        .and_then(|number| T::try_from(number).ok())
}

/// An id: a number, or digits.
pub(super) fn id(value: &Value) -> Option<String> {
    match value.get("id") {
        Some(Value::Number(number)) => number.as_u64().map(|number| number.to_string()),
        Some(Value::String(digits)) if !digits.is_empty() && digits.len() <= 20 => {
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.clone())
        }
        _ => None,
    }
}

/// Names and addresses may come back with the five signs of HTML escaped.
pub(super) fn unescape(text: &str) -> String {
    const SIGNS: [(&str, &str); 6] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        // Last, or an escaped escape would be undone twice.
        ("&amp;", "&"),
    ];
    let mut out = text.to_owned();
    for (escaped, sign) in SIGNS {
        if out.contains(escaped) {
            out = out.replace(escaped, sign);
        }
    }
    out
}

/// Reads a monitor.
pub(super) fn monitor(value: &Value) -> Result<LiveMonitor, String> {
    let id = id(value).ok_or("it has no id")?;
    let kind = text(value, "type");
    let url = unescape(text(value, "url"));
    let check = check(kind, &url, value);
    let tags: BTreeSet<String> = list(value, "tags")
        .filter_map(|tag| tag.get("name").or(Some(tag)).and_then(Value::as_str))
        .map(str::to_owned)
        .collect();
    let is_ours = |tag: &&String| *tag == MARK || tag.starts_with("launchctl-");
    let told = list(value, "assignedAlertContacts").filter_map(|entry| {
        let id = entry.get("alertContactId").map(|id| json!({ "id": id }))?;
        let alerting = Alerting {
            after: number(entry, "threshold").unwrap_or_default(),
            repeat: number(entry, "recurrence").unwrap_or_default(),
        };
        Some((self::id(&id)?, alerting))
    });
    let headers = value.get("customHttpHeaders").and_then(Value::as_object);
    let headers = headers.into_iter().flatten().map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (name.to_ascii_lowercase(), value)
    });
    let config = value.get("config").unwrap_or(&Value::Null);
    let flag = |key: &str| value.get(key).and_then(Value::as_bool);
    let monitor = Monitor {
        marker: tags.iter().find(|tag| tag.starts_with("launchctl-")).cloned(),
        every: number(value, "interval"),
        timeout: if kind == "PING" { None } else { number(value, "timeout") },
        confirm: Some(number(config, "applicationErrorRetries").unwrap_or(0)),
        regions: Some(regions(value)),
        verify_tls: flag("checkSSLErrors"),
        tls_expiry: Some(reminders(value, config)),
        domain_expiry: Some(flag("domainExpirationReminder").unwrap_or(false)),
        paused: Some(text(value, "status") == "PAUSED"),
        labels: Some(tags.iter().filter(|tag| !is_ours(tag)).cloned().collect()),
        ..Monitor::new(String::new(), unescape(text(value, "friendlyName")), check)
    };
    Ok(LiveMonitor {
        id,
        monitor,
        told: told.collect(),
        headers: headers.collect(),
        tags,
    })
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn check(kind: &str, url: &str, value: &Value) -> Check {
    let host = |url: &str| {
        let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
        bare.trim_end_matches('/').to_ascii_lowercase()
    };
    match kind {
        "HTTP" | "KEYWORD" => Check::Http(Http {
            url: url::Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.to_string()),
            // Not set, it reads as null and means the default.
            method: match text(value, "httpMethodType") {
                "" => "HEAD".to_owned(),
                method => method.to_ascii_uppercase(),
            },
            status: statuses(value),
            keyword: (kind == "KEYWORD").then(|| keyword(value)),
            follow_redirects: Some(value.get("followRedirections").and_then(Value::as_bool).unwrap_or(true)),
            headers: None,
        }),
        "PORT" if number::<u16>(value, "port").is_some() => Check::Tcp {
            host: host(url),
            port: number(value, "port").unwrap_or_default(),
        },
        "PING" => Check::Ping { host: host(url) },
        other => Check::Other {
            what: other.to_ascii_lowercase(),
            // A heartbeat's address is a secret, and others may hold one.
            target: String::new(),
        },
    }
}

fn statuses(value: &Value) -> BTreeSet<Status> {
    let read = list(value, "successHttpResponseCodes").filter_map(|code| match code {
        Value::String(code) => Status::parse(code).ok(),
        other => Status::parse(&other.to_string()).ok(),
    });
    let set = Status::set(read);
    if set.is_empty() {
        return Status::set([Status::Class(2), Status::Class(3)]);
    }
    set
}

fn keyword(value: &Value) -> Keyword {
    let case = match value.get("keywordCaseType") {
        Some(Value::Number(number)) => number.as_u64() == Some(1),
        Some(Value::String(word)) => word.to_ascii_lowercase().contains("insensitive"),
        _ => false,
    };
    Keyword {
        text: unescape(text(value, "keywordValue")),
        // It names what raises the alert: the word being there.
        absent: text(value, "keywordType") == "ALERT_EXISTS",
        ignore_case: Some(case),
    }
}

fn reminders(value: &Value, config: &Value) -> BTreeSet<u16> {
    if value.get("sslExpirationReminder").and_then(Value::as_bool) != Some(true) {
        return BTreeSet::new();
    }
    let days: BTreeSet<u16> = list(config, "sslExpirationPeriodDays")
        .filter_map(|day| day.as_u64().and_then(|day| u16::try_from(day).ok()))
        .collect();
    if days.is_empty() { USUAL_REMINDERS.into() } else { days }
}

const REGIONS: [(Region, &str); 4] = [
    (Region::NorthAmerica, "na"),
    (Region::Europe, "eu"),
    (Region::Asia, "as"),
    (Region::Oceania, "oc"),
];

fn regions(value: &Value) -> BTreeSet<Region> {
    let data = value.get("regionalData").or_else(|| value.get("regionData"));
    let words = data.and_then(|data| data.get("REGION")).and_then(Value::as_array);
    let words: Vec<&str> = words.into_iter().flatten().filter_map(Value::as_str).collect();
    let named = REGIONS.iter().filter(|(_, word)| words.contains(word));
    named.map(|(region, _)| *region).collect()
}

/// The word for the type of a monitor.
pub(super) fn kind(check: &Check) -> &'static str {
    match check {
        Check::Http(http) if http.keyword.is_some() => "KEYWORD",
        Check::Http(_) => "HTTP",
        Check::Tcp { .. } => "PORT",
        Check::Ping { .. } => "PING",
        Check::Other { .. } => "",
    }
}

/// What a monitor of the same type is known by: the service keeps one for each.
pub(super) fn target(check: &Check) -> String {
    match check {
        Check::Http(http) => http.url.clone(),
        Check::Tcp { host, port } => format!("{host}:{port}"),
        Check::Ping { host } => host.clone(),
        Check::Other { target, .. } => target.clone(),
    }
}

/// What is sent of a monitor. `beside` are the tags that somebody else keeps with it.
pub(super) fn to_wire(monitor: &Monitor, beside: &BTreeSet<String>) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    put("type", json!(kind(&monitor.check)));
    put("friendlyName", json!(monitor.name));
    match &monitor.check {
        Check::Http(http) => {
            put("url", json!(http.url));
            put("httpMethodType", json!(http.method));
            let codes: Vec<String> = http.status.iter().map(ToString::to_string).collect();
            put("successHttpResponseCodes", json!(codes));
            if let Some(follow) = http.follow_redirects {
                put("followRedirections", json!(follow));
            }
            if let Some(headers) = &http.headers {
                let headers: Map<String, Value> = headers
                    .iter()
                    .map(|(name, value)| (name.clone(), header(value)))
                    .collect();
                put("customHttpHeaders", Value::Object(headers));
            }
            if let Some(keyword) = &http.keyword {
                let when = if keyword.absent {
                    "ALERT_EXISTS"
                } else {
                    "ALERT_NOT_EXISTS"
                };
                put("keywordType", json!(when));
                put("keywordValue", json!(keyword.text));
                put("keywordCaseType", json!(u8::from(keyword.ignore_case.unwrap_or(false))));
            }
        }
        Check::Tcp { host, port } => {
            put("url", json!(host));
            put("port", json!(port));
        }
        Check::Ping { host } => {
            put("url", json!(host));
        }
        Check::Other { .. } => {}
    }
    if let Some(every) = monitor.every {
        put("interval", json!(every));
    }
    if let Some(timeout) = monitor.timeout {
        put("timeout", json!(timeout));
    }
    if let Some(verify) = monitor.verify_tls {
        put("checkSSLErrors", json!(verify));
    }
    if let Some(warn) = monitor.domain_expiry {
        put("domainExpirationReminder", json!(warn));
    }
    if let Some(days) = &monitor.tls_expiry {
        put("sslExpirationReminder", json!(!days.is_empty()));
    }
    let config = config(monitor);
    if !config.is_empty() {
        put("config", Value::Object(config));
    }
    if let Some(regions) = &monitor.regions {
        let words: Vec<&str> = REGIONS
            .iter()
            .filter(|(region, _)| regions.contains(region))
            .map(|(_, word)| *word)
            .collect();
        put("regionData", json!({ "REGION": words, "MANUAL_SELECTED": true }));
    }
    if let Some(contacts) = &monitor.contacts {
        let assigned = contacts.iter().map(|(key, alerting)| {
            json!({
                "alertContactId": { CONTACT: Address::contact(key) },
                "threshold": alerting.after,
                "recurrence": alerting.repeat,
            })
        });
        put("assignedAlertContacts", assigned.collect());
    }
    let mut tags: BTreeSet<&str> = match &monitor.labels {
        Some(labels) => labels.iter().map(String::as_str).collect(),
        None => beside.iter().map(String::as_str).collect(),
    };
    if let Some(marker) = &monitor.marker {
        tags.extend([MARK, marker.as_str()]);
    }
    put("tagNames", json!(tags));
    fields
}

fn config(monitor: &Monitor) -> Map<String, Value> {
    let mut config = Map::new();
    if let Some(days) = monitor.tls_expiry.as_ref().filter(|days| !days.is_empty()) {
        config.insert("sslExpirationPeriodDays".to_owned(), json!(days));
    }
    if let Some(confirm) = monitor.confirm {
        config.insert("applicationErrorRetries".to_owned(), json!(confirm));
    }
    config
}

fn header(value: &HeaderText) -> Value {
    match value {
        HeaderText::Plain(text) => json!(text),
        HeaderText::Guarded(Guarded::Kept(reference)) => json!({ SECRET: reference.to_string() }),
        // The review refuses it before anything is sent.
        HeaderText::Guarded(Guarded::Hidden) => Value::Null,
    }
}

/// Reads a contact of a list.
pub(super) fn contact(list: &'static str, value: &Value) -> Result<LiveContact, String> {
    Ok(LiveContact {
        id: id(value).ok_or("it has no id")?,
        list,
        kind: text(value, "type").to_owned(),
        name: unescape(text(value, "friendlyName")),
        value: unescape(text(value, "value")),
        is_unconfirmed: text(value, "status") == "NotActivated",
    })
}

impl LiveContact {
    /// What it is, where `kept` says by which reference a value is known.
    pub(super) fn channel(&self, kept: impl Fn(&str) -> Option<SecretReference>) -> Channel {
        let guarded = || kept(&self.value).map_or(Guarded::Hidden, Guarded::Kept);
        match (self.list, self.kind.to_ascii_lowercase().as_str()) {
            (CONTACTS, "email" | "e-mail") => match mailbox(&self.value) {
                Some(address) => Channel::Email { address },
                None => Channel::Other {
                    what: self.kind.clone(),
                },
            },
            (CONTACTS, "prosms" | "sms") => Channel::Sms {
                number: self.value.chars().filter(|c| *c == '+' || c.is_ascii_digit()).collect(),
            },
            (INTEGRATIONS, "slack") => Channel::Slack { hook: guarded() },
            (INTEGRATIONS, "webhook") => Channel::Webhook { url: guarded() },
            _ => Channel::Other {
                what: self.kind.clone(),
            },
        }
    }
}

/// Where a contact is made, and what is sent.
pub(super) fn contact_to_wire(channel: &Channel, name: &str) -> Option<(&'static str, Value)> {
    let secret = |guarded: &Guarded| match guarded {
        Guarded::Kept(reference) => json!({ SECRET: reference.to_string() }),
        Guarded::Hidden => Value::Null,
    };
    Some(match channel {
        Channel::Email { address } => (
            CONTACTS,
            json!({ "type": "Email", "value": address, "enableNotificationsFor": 0 }),
        ),
        Channel::Slack { hook } => {
            let data = json!({
                "friendlyName": name, "enableNotificationsFor": "UpAndDown", "sslExpirationReminder": true,
                "webhookURL": secret(hook), "customValue": "",
            });
            (INTEGRATIONS, json!({ "type": "Slack", "data": data }))
        }
        Channel::Webhook { url } => {
            let data = json!({
                "friendlyName": name, "enableNotificationsFor": "UpAndDown", "sslExpirationReminder": true,
                "urlToNotify": secret(url), "sendAsJSON": true,
                "postValue": r#"{"monitor":"*monitorFriendlyName*","url":"*monitorURL*","alert":"*alertTypeFriendlyName*"}"#,
            });
            (INTEGRATIONS, json!({ "type": "Webhook", "data": data }))
        }
        Channel::Sms { .. } | Channel::Other { .. } => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn live() -> Value {
        json!({
            "id": 5_804_045_264_u64, "type": "KEYWORD", "friendlyName": "A &amp; B &lt;x&gt;", "status": "PAUSED",
            "url": "https://acme.example/?a=1&amp;b=2", "interval": 300, "timeout": 30, "httpMethodType": null,
            "authType": "HTTP_BASIC", "httpUsername": "u", "httpPassword": "canary-pw", "successHttpResponseCodes": [],
            "keywordType": "ALERT_NOT_EXISTS", "keywordValue": "Sign in", "keywordCaseType": "CaseInsensitive",
            "customHttpHeaders": {"X-Probe": "1"}, "config": null, "sslExpirationReminder": false,
            "regionalData": {"REGION": ["eu"], "THRESHOLD": {"eu": 5000}}, "tags": [{"id": 1, "name": "team-web"}],
            "assignedAlertContacts": [{"alertContactId": 8_733_402, "threshold": 0, "recurrence": 0}],
        })
    }

    #[test]
    fn what_comes_back_in_another_form_is_the_same() {
        let read = monitor(&live()).unwrap();
        assert_eq!(
            (read.id.as_str(), read.monitor.name.as_str()),
            ("5804045264", "A & B <x>")
        );
        let http = read.monitor.check.http().unwrap();
        assert_eq!(http.url, "https://acme.example/?a=1&b=2");
        assert_eq!(http.method, "HEAD");
        assert_eq!(http.status, Status::set([Status::Class(2), Status::Class(3)]));
        assert_eq!(http.keyword.as_ref().unwrap().ignore_case, Some(true));
        assert_eq!(read.monitor.paused, Some(true));
        assert!(read.told.contains_key("8733402"));
        assert!(
            !format!("{read:?}").contains("canary"),
            "a password that comes back in clear goes no further"
        );
    }

    #[test]
    fn an_escaped_escape_is_undone_once() {
        assert_eq!(unescape("&amp;lt;"), "&lt;");
        assert_eq!(unescape("a &amp; b"), "a & b");
    }

    #[test]
    fn tags_of_others_stay_and_the_marker_is_added() {
        let read = monitor(&live()).unwrap();
        let mut wanted = read.monitor.clone();
        wanted.labels = None;
        wanted.marker = Some("launchctl-acme--homepage".into());
        let wire = to_wire(&wanted, &read.tags);
        assert_eq!(
            wire["tagNames"],
            json!(["launchctl", "launchctl-acme--homepage", "team-web"])
        );
        assert_eq!(wire["keywordCaseType"], json!(1), "a number, whatever was read");
    }
}
