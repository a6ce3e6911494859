//! UptimeRobot's JSON of monitors, to the neutral form and back. What goes in has other names than what
//! comes out; defaults, escapes and units are settled here and nowhere else. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::model::monitor::{
    Alerting, Check, Confirm, Dns, DomainExpiry, Heartbeat, Http, Keyword, MARK, Monitor, Region, Status,
};
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};

/// Days before a certificate's end on which the service reminds when it was given none. They are documented nowhere, so
/// what counts is only that no spec means them by saying nothing.
const USUAL_REMINDERS: [u16; 4] = [1, 7, 14, 30];

/// A monitor as it was read. Its headers and its body may be credentials: they go no further than the comparison.
#[derive(Clone, PartialEq)]
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
    /// The body that is sent, as it is.
    pub body: Option<String>,
    /// Its maintenance windows by their ids.
    pub windows: BTreeSet<String>,
    /// Those among them that add every monitor to themselves: they are nobody's choice.
    pub windows_of_all: BTreeSet<String>,
    /// Response times in milliseconds that are watched by region, as somebody set them.
    pub thresholds: BTreeMap<String, u64>,
}

impl std::fmt::Debug for LiveMonitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = (&self.id, &self.monitor, &self.tags);
        f.debug_tuple("LiveMonitor").field(&shown).finish()
    }
}

pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn number<T: TryFrom<u64>>(value: &Value, key: &str) -> Option<T> {
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
        timeout: if matches!(kind, "PING" | "DNS" | "HEARTBEAT") {
            None
        } else {
            number(value, "timeout")
        },
        // What does not answer over HTTP is never checked again.
        confirm: matches!(check, Check::Http(_))
            .then(|| Confirm::Times(number(config, "applicationErrorRetries").unwrap_or(0))),
        regions: Some(regions(value)),
        verify_tls: flag("checkSSLErrors"),
        tls_expiry: Some(reminders(value, config)),
        domain_expiry: Some(DomainExpiry::Watched(flag("domainExpirationReminder").unwrap_or(false))),
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
        body: body(value),
        windows: windows(value, |_| true),
        windows_of_all: windows(value, |window| {
            window.get("autoAddMonitors") == Some(&Value::Bool(true))
        }),
        thresholds: thresholds(value),
    })
}

/// A window is an object with its id, or the id alone.
fn windows(value: &Value, counts: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let id = |window: &Value| id(window).or_else(|| id(&json!({ "id": window })));
    list(value, "maintenanceWindows")
        .filter(|window| counts(window))
        .filter_map(id)
        .collect()
}

/// A body reads as an object or as text, and as an empty object where there is none.
fn body(value: &Value) -> Option<String> {
    match value.get("postValueData")? {
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        Value::Object(fields) if fields.is_empty() => None,
        Value::Object(fields) if text(value, "postValueType") == "KEY_VALUE" => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (key, value) in fields {
                form.append_pair(key, value.as_str().unwrap_or(&value.to_string()));
            }
            Some(form.finish())
        }
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

pub(super) fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
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
            body: None,
        }),
        "DNS" => Check::Dns(dns(&host(url), value)),
        "HEARTBEAT" => Check::Heartbeat(Heartbeat {
            grace: number(value, "gracePeriod"),
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

/// Records by their types: a check of ours is about one type, and data of others beside it is told with its type.
fn dns(domain: &str, value: &Value) -> Dns {
    let all = value.pointer("/config/dnsRecords").and_then(Value::as_object);
    let mut record = None;
    let mut answers = BTreeSet::new();
    let origin = DomainName::parse(domain).ok();
    for (kind, data) in all.into_iter().flatten() {
        let known = RecordType::parse(kind);
        let texts = data.as_array().into_iter().flatten().filter_map(Value::as_str);
        for text in texts {
            let canonical = known
                .zip(origin.as_ref())
                .and_then(|(kind, origin)| RecordData::parse(kind, text, origin).ok());
            let text = canonical.map_or_else(|| text.to_owned(), |data| data.to_string());
            match (known, record) {
                (Some(kind), None) => {
                    record = Some(kind);
                    answers.insert(text);
                }
                (Some(kind), Some(first)) if kind == first => {
                    answers.insert(text);
                }
                _ => {
                    answers.insert(format!("{kind} {text}"));
                }
            }
        }
    }
    Dns {
        domain: origin.map_or_else(|| domain.to_owned(), |domain| domain.to_string()),
        record: record.unwrap_or(RecordType::A),
        answers: Some(answers),
        server: None,
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

pub(super) const REGIONS: [(Region, &str); 4] = [
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

fn thresholds(value: &Value) -> BTreeMap<String, u64> {
    let all = value.pointer("/regionalData/THRESHOLD").and_then(Value::as_object);
    let one = |(region, limit): (&String, &Value)| Some((region.clone(), limit.as_u64()?));
    all.into_iter().flatten().filter_map(one).collect()
}

/// The word for the type of a monitor.
pub(super) fn kind(check: &Check) -> &'static str {
    match check {
        Check::Http(http) if http.keyword.is_some() => "KEYWORD",
        Check::Http(_) => "HTTP",
        Check::Tcp { .. } => "PORT",
        Check::Ping { .. } => "PING",
        Check::Dns(_) => "DNS",
        Check::Heartbeat(_) => "HEARTBEAT",
        Check::Other { .. } => "",
    }
}

/// What a monitor of the same type is known by: the service keeps one for each.
pub(super) fn target(check: &Check) -> String {
    match check {
        Check::Http(http) => http.url.clone(),
        Check::Tcp { host, port } => format!("{host}:{port}"),
        Check::Ping { host } => host.clone(),
        Check::Dns(dns) => dns.domain.clone(),
        // Its address is made by the service.
        Check::Heartbeat(_) => String::new(),
        Check::Other { target, .. } => target.clone(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::wire::{Beside, to_wire};
    use super::*;

    fn live() -> Value {
        json!({
            "id": 5_804_045_264_u64, "type": "KEYWORD", "friendlyName": "A &amp; B &lt;x&gt;", "status": "PAUSED",
            "url": "https://acme.example/?a=1&amp;b=2", "interval": 300, "timeout": 30, "httpMethodType": null,
            "authType": "HTTP_BASIC", "httpUsername": "u", "httpPassword": "canary-pw", "successHttpResponseCodes": [],
            "keywordType": "ALERT_NOT_EXISTS", "keywordValue": "Sign in", "keywordCaseType": "CaseInsensitive",
            "customHttpHeaders": {"X-Probe": "canary-h"}, "postValueData": {"token": "canary-b"}, "config": null, "sslExpirationReminder": false,
            "regionalData": {"REGION": ["eu"], "THRESHOLD": {"eu": 5000}}, "tags": [{"id": 1, "name": "team-web"}],
            "assignedAlertContacts": [{"alertContactId": 8_733_402, "threshold": 0, "recurrence": 0}],
            "maintenanceWindows": [{"id": 5, "autoAddMonitors": true}, 6],
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
        assert!(read.headers.contains_key("x-probe"), "whatever its case");
        let keyword = http.keyword.as_ref().unwrap();
        assert!(!keyword.absent, "it alerts where the word is not there");
        assert_eq!(read.monitor.regions, Some([Region::Europe].into()));
        assert_eq!(read.windows, ["5".to_owned(), "6".to_owned()].into());
        assert_eq!(read.windows_of_all, ["5".to_owned()].into());
        assert!(
            !format!("{read:?}").contains("canary"),
            "what may be a credential goes no further"
        );
    }

    #[test]
    fn hosts_read_back_in_one_form() {
        // The scheme of a host is stripped where it was sent with one.
        for url in ["smtp.acme.example", "tcp://SMTP.acme.example/"] {
            let read = monitor(&json!({ "id": 1, "type": "PORT", "url": url, "port": 587 })).unwrap();
            let (host, port) = ("smtp.acme.example".to_owned(), 587);
            assert_eq!(read.monitor.check, Check::Tcp { host, port });
        }
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
        let beside = Beside {
            tags: read.tags.clone(),
            ..Beside::default()
        };
        let wire = to_wire(&wanted, &beside);
        assert_eq!(
            wire["tagNames"],
            json!(["launchctl", "launchctl-acme--homepage", "team-web"])
        );
        assert_eq!(wire["keywordCaseType"], json!(1), "a number, whatever was read");
    }
}
