//! What UptimeRobot is sent of a monitor, under the names that it takes. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::convert::{REGIONS, kind};
use crate::model::address::Address;
use crate::model::contact::Guarded;
use crate::model::monitor::{Alerting, Check, DomainExpiry, MARK, Monitor, SentText};
use crate::model::record::RecordType;
use crate::model::window::Rest;
use crate::provider::checks;

/// A value in a body that is filled in only when the request is made: what is kept elsewhere.
pub(super) const SECRET: &str = "$secret";
/// The same for the id of a contact or a maintenance window, which may not exist before.
pub(super) const ID: &str = "$id";
/// The same for the word for a body's form.
pub(super) const BODY_TYPE: &str = "$body-type";
/// The same for a body, which is sent as the JSON that it is.
pub(super) const BODY: &str = "$body";

/// What somebody else keeps with a monitor: it goes along when the list that it stands in is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Beside {
    /// Tags that are no marker of ours.
    pub tags: BTreeSet<String>,
    /// Windows that add every monitor to themselves, by their ids.
    pub windows: BTreeSet<u64>,
    /// Response times that are watched by region.
    pub thresholds: BTreeMap<String, u64>,
}

/// What is sent of a monitor.
pub(super) fn to_wire(monitor: &Monitor, beside: &Beside) -> Map<String, Value> {
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
            if let Some(body) = &http.body {
                body_fields(body, &mut put);
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
        Check::Dns(dns) => {
            put("url", json!(dns.domain));
        }
        Check::Heartbeat(heartbeat) => {
            if let Some(grace) = heartbeat.grace {
                put("gracePeriod", json!(grace));
            }
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
        put("domainExpirationReminder", json!(warn != DomainExpiry::Watched(false)));
    }
    if let Some(days) = &monitor.tls_expiry {
        put("sslExpirationReminder", json!(!days.is_empty()));
    }
    let config = config(monitor);
    if !config.is_empty() || matches!(monitor.check, Check::Dns(_)) {
        put("config", Value::Object(config));
    }
    if let Some(regions) = &monitor.regions {
        let words: Vec<&str> = REGIONS
            .iter()
            .filter(|(region, _)| regions.contains(region))
            .map(|(_, word)| *word)
            .collect();
        let kept = beside
            .thresholds
            .iter()
            .filter(|(region, _)| words.contains(&region.as_str()));
        let thresholds: BTreeMap<&String, &u64> = kept.collect();
        let mut data = json!({ "REGION": words, "MANUAL_SELECTED": true });
        if !thresholds.is_empty() {
            // What is not sent of it may be taken for none.
            data["THRESHOLD"] = json!(thresholds);
        }
        put("regionData", data);
    }
    if let Some(contacts) = &monitor.contacts {
        put("assignedAlertContacts", assigned(contacts));
    }
    if let Some(maintenance) = &monitor.maintenance {
        let kept = maintenance.iter().filter_map(|rest| match rest {
            Rest::Kept(key) => Some(json!({ ID: Address::maintenance(key) })),
            Rest::Own(_) => None,
        });
        let all: Vec<Value> = kept.chain(beside.windows.iter().map(|id| json!(id))).collect();
        put("maintenanceWindowsIds", json!(all));
    }
    let mut tags: BTreeSet<&str> = match &monitor.labels {
        Some(labels) => labels.iter().map(String::as_str).collect(),
        None => beside.tags.iter().map(String::as_str).collect(),
    };
    if let Some(marker) = &monitor.marker {
        tags.extend([MARK, marker.as_str()]);
    }
    put("tagNames", json!(tags));
    fields
}

/// Who is told, as it is sent.
pub(super) fn assigned(contacts: &BTreeMap<String, Alerting>) -> Value {
    let one = |(key, alerting): (&String, &Alerting)| {
        json!({
            "alertContactId": { ID: Address::contact(key) },
            "threshold": alerting.after,
            "recurrence": alerting.repeat,
        })
    };
    contacts.iter().map(one).collect()
}

fn config(monitor: &Monitor) -> Map<String, Value> {
    let mut config = Map::new();
    if let Some(days) = monitor.tls_expiry.as_ref().filter(|days| !days.is_empty()) {
        config.insert("sslExpirationPeriodDays".to_owned(), json!(days));
    }
    if let Some(confirm) = monitor.confirm {
        let times = confirm.times(monitor.every.unwrap_or(60));
        config.insert("applicationErrorRetries".to_owned(), json!(times));
    }
    if let Check::Dns(dns) = &monitor.check {
        let mut records: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for answer in dns.answers.iter().flatten() {
            // Data of another type stands there with its type before it.
            let other = answer
                .split_once(' ')
                .filter(|(kind, _)| is_another_type(kind, dns.record));
            let (kind, data) = other.unwrap_or((dns.record.as_str(), answer));
            records.entry(kind).or_default().push(data);
        }
        config.insert("dnsRecords".to_owned(), json!(records));
    }
    config
}

fn is_another_type(word: &str, record: RecordType) -> bool {
    RecordType::parse(word).is_some_and(|kind| kind != record && kind.as_str() == word)
}

fn body_fields(body: &SentText, put: &mut impl FnMut(&str, Value) -> Option<Value>) {
    match body {
        SentText::Plain(text) => {
            if let Some((kind, data)) = body_to_wire(text) {
                put("postValueType", json!(kind));
                put("postValueData", data);
            }
        }
        SentText::Guarded(Guarded::Kept(reference)) => {
            put("postValueType", json!({ BODY_TYPE: reference.to_string() }));
            put("postValueData", json!({ BODY: reference.to_string() }));
        }
        // The review refuses it before anything is sent.
        SentText::Guarded(Guarded::Hidden) => {}
    }
}

fn header(value: &SentText) -> Value {
    match value {
        SentText::Plain(text) => json!(text),
        SentText::Guarded(Guarded::Kept(reference)) => json!({ SECRET: reference.to_string() }),
        // The review refuses it before anything is sent.
        SentText::Guarded(Guarded::Hidden) => Value::Null,
    }
}

/// Puts values where only what stands for them does, but in a body: what the user sends is sent as it is, whatever it
/// looks like.
pub(super) fn fill(fields: &mut Value, with: &checks::Filling<'_>) -> Result<(), String> {
    let body = fields
        .get_mut("postValueData")
        .filter(|body| body.get(BODY).is_none())
        .map(Value::take);
    checks::fill(fields, with)?;
    if let Some(body) = body {
        fields["postValueData"] = body;
    }
    Ok(())
}

/// A body in the two forms that the service takes: JSON, or pairs of a form. `None` for another.
pub(super) fn body_to_wire(text: &str) -> Option<(&'static str, Value)> {
    if let Ok(json @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str::<Value>(text) {
        return Some(("RAW_JSON", json));
    }
    let is_pair = |pair: &str| pair.split_once('=').is_some_and(|(key, _)| !key.is_empty());
    let is_form = text.split('&').all(is_pair) && !text.contains(char::is_whitespace);
    let pairs = || url::form_urlencoded::parse(text.as_bytes()).map(|(key, value)| (key.into_owned(), json!(value)));
    is_form.then(|| ("KEY_VALUE", Value::Object(pairs().collect())))
}

/// Whether two bodies say the same.
pub(super) fn is_same_body(one: &str, other: &str) -> bool {
    one == other || body_to_wire(one).is_some_and(|wire| body_to_wire(other) == Some(wire))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::monitor::{Heartbeat, Http, Keyword, Region, Status};

    fn sent(check: Check) -> Value {
        let monitor = Monitor {
            every: Some(300),
            timeout: Some(30),
            regions: Some([Region::Europe].into()),
            contacts: Some([("ops".to_owned(), Alerting::default())].into()),
            maintenance: Some([Rest::Kept("nightly".to_owned())].into()),
            ..Monitor::new("home", "Home", check)
        };
        Value::Object(to_wire(&monitor, &Beside::default()))
    }

    fn http(keyword: Option<Keyword>) -> Check {
        Check::Http(Http {
            url: "https://acme.example/".to_owned(),
            method: "GET".to_owned(),
            status: Status::set([Status::Class(2)]),
            keyword,
            follow_redirects: None,
            headers: None,
            body: None,
        })
    }

    #[test]
    fn what_is_sent_of_each_kind() {
        let of_all = json!({
            "friendlyName": "Home", "interval": 300, "timeout": 30, "tagNames": [],
            "regionData": { "REGION": ["eu"], "MANUAL_SELECTED": true },
            "assignedAlertContacts": [
                { "alertContactId": { ID: "uptime/contact/ops" }, "threshold": 0, "recurrence": 0 },
            ],
            "maintenanceWindowsIds": [{ ID: "uptime/maintenance/nightly" }],
        });
        let word = |absent| Keyword {
            text: "Sign in".to_owned(),
            absent,
            ignore_case: Some(true),
        };
        let (url, host) = ("https://acme.example/", "acme.example");
        let of_http = json!({ "url": url, "httpMethodType": "GET", "successHttpResponseCodes": ["2xx"] });
        let of_word = |when: &str| json!({ "type": "KEYWORD", "keywordType": when, "keywordValue": "Sign in", "keywordCaseType": 1 });
        let tcp = Check::Tcp {
            host: host.to_owned(),
            port: 587,
        };
        let ping = Check::Ping { host: host.to_owned() };
        let heartbeat = Check::Heartbeat(Heartbeat { grace: Some(60) });
        for (check, own) in [
            (http(None), vec![of_http.clone(), json!({ "type": "HTTP" })]),
            // A word that has to be there raises the alarm when it is not.
            (
                http(Some(word(false))),
                vec![of_http.clone(), of_word("ALERT_NOT_EXISTS")],
            ),
            (http(Some(word(true))), vec![of_http, of_word("ALERT_EXISTS")]),
            (tcp, vec![json!({ "type": "PORT", "url": host, "port": 587 })]),
            (ping, vec![json!({ "type": "PING", "url": host })]),
            (heartbeat, vec![json!({ "type": "HEARTBEAT", "gracePeriod": 60 })]),
        ] {
            let mut expected = of_all.as_object().cloned().unwrap_or_default();
            for fields in own {
                expected.extend(fields.as_object().cloned().unwrap_or_default());
            }
            let mut sent = sent(check);
            sent.sort_all_objects();
            let mut expected = Value::Object(expected);
            expected.sort_all_objects();
            assert_eq!(sent, expected);
        }
    }
}
