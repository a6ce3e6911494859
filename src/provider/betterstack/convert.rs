//! Better Stack's JSON of monitors, to the neutral form and back. Units, closed lists and the two words for a status are
//! settled here and nowhere else. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::escalation::{self, Told};
use super::window;
use crate::model::contact::Guarded;
use crate::model::monitor::{
    Check, Confirm, Dns, DomainExpiry, Heartbeat, Http, Keyword, Monitor, NameServer, Region, SentText, Status,
};
use crate::model::record::RecordType;

/// A value in a body that is filled in only when the request is made: what is kept elsewhere.
pub(super) const SECRET: &str = "$secret";

/// A monitor as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LiveMonitor {
    /// The provider's id.
    pub id: String,
    /// Everything that we know to read; its key, its marker and who is told are not settled yet.
    pub monitor: Monitor,
    /// Who is told, by policies and the flags of the person on call.
    pub told: Told,
    /// Headers as they are, with the ids by which they are removed.
    pub headers: Vec<LiveHeader>,
    /// The body of the request, which may hold a credential.
    pub body: Option<Unshown>,
}

/// A text that may be a credential: it goes no further than the comparison.
#[derive(Clone, PartialEq)]
pub(super) struct Unshown(pub String);

impl std::fmt::Debug for Unshown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// A header as it was read. Its value may be a credential: it goes no further than the comparison.
#[derive(Clone, PartialEq)]
pub(super) struct LiveHeader {
    pub id: Value,
    /// In lower case.
    pub name: String,
    pub value: String,
}

impl std::fmt::Debug for LiveHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: …", self.name)
    }
}

pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number<T: TryFrom<u64>>(value: &Value, key: &str) -> Option<T> {
    let number = value.get(key).and_then(|value| {
        let digits = value.as_str().and_then(|digits| digits.parse().ok());
        value.as_u64().or(digits)
    });
    number.and_then(|number| T::try_from(number).ok())
}

pub(super) fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// An id: digits, as a text or as a number. Which of the two differs from field to field.
pub(super) fn id_of(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => number.as_u64().map(|number| number.to_string()),
        Value::String(digits) if !digits.is_empty() && digits.len() <= 20 => {
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.clone())
        }
        _ => None,
    }
}

/// The id and the attributes of an entry. Its `type` tells nothing: the service has two words for one thing.
pub(super) fn entry(value: &Value) -> Result<(String, &Value), String> {
    let id = value.get("id").and_then(id_of).ok_or("it has no id")?;
    let attributes = value.get("attributes").filter(|attributes| attributes.is_object());
    Ok((id, attributes.ok_or("it has no attributes")?))
}

/// Reads a monitor.
pub(super) fn monitor(value: &Value) -> Result<LiveMonitor, String> {
    let (id, value) = entry(value)?;
    let check = check(value);
    let flag = |key: &str| value.get(key).and_then(Value::as_bool);
    let every: Option<u32> = number(value, "check_frequency");
    let timeout: Option<u32> = number(value, "request_timeout");
    let confirmation: Option<u32> = number(value, "confirmation_period");
    let headers = list(value, "request_headers").filter_map(|header| {
        let id = header.get("id").filter(|id| !id.is_null())?;
        Some(LiveHeader {
            id: id.clone(),
            name: text(header, "name").to_ascii_lowercase(),
            value: text(header, "value").to_owned(),
        })
    });
    let monitor = Monitor {
        every,
        timeout: match check {
            Check::Http(_) => timeout,
            // Milliseconds; half a second, which no spec can say, is 0.
            _ => timeout.map(|milliseconds| milliseconds / 1_000),
        },
        confirm: confirmation.map(Confirm::lasting),
        recover: number(value, "recovery_period"),
        regions: Some(regions(value)),
        verify_tls: flag("verify_ssl"),
        tls_expiry: Some(number(value, "ssl_expiration").into_iter().collect()),
        domain_expiry: Some(
            number(value, "domain_expiration").map_or(DomainExpiry::Watched(false), DomainExpiry::Days),
        ),
        maintenance: Some(window::read(value)),
        paused: Some(text(value, "status") == "paused" || !text(value, "paused_at").is_empty()),
        ..Monitor::new(String::new(), text(value, "pronounceable_name"), check)
    };
    Ok(LiveMonitor {
        id,
        monitor,
        told: escalation::told(value),
        headers: headers.collect(),
        body: Some(text(value, "request_body"))
            .filter(|body| !body.is_empty())
            .map(|body| Unshown(body.to_owned())),
    })
}

/// Reads a heartbeat.
pub(super) fn heartbeat(value: &Value) -> Result<LiveMonitor, String> {
    let (id, value) = entry(value)?;
    let check = Check::Heartbeat(Heartbeat {
        grace: number(value, "grace"),
    });
    let monitor = Monitor {
        every: number(value, "period"),
        paused: Some(text(value, "status") == "paused" || !text(value, "paused_at").is_empty()),
        maintenance: Some(window::read(value)),
        ..Monitor::new(String::new(), text(value, "name"), check)
    };
    Ok(LiveMonitor {
        id,
        monitor,
        told: escalation::told(value),
        headers: Vec::new(),
        body: None,
    })
}

fn check(value: &Value) -> Check {
    let url = text(value, "url");
    let host = || {
        let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
        bare.trim_end_matches('/').to_ascii_lowercase()
    };
    let keyword = |absent: bool| Keyword {
        text: text(value, "required_keyword").to_owned(),
        absent,
        // It does not say.
        ignore_case: None,
    };
    let http = |status: BTreeSet<Status>, keyword: Option<Keyword>| {
        Check::Http(Http {
            url: url::Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.to_string()),
            method: match text(value, "http_method") {
                "" => "GET".to_owned(),
                method => method.to_ascii_uppercase(),
            },
            status,
            keyword,
            follow_redirects: Some(value.get("follow_redirects").and_then(Value::as_bool).unwrap_or(true)),
            headers: None,
            body: None,
        })
    };
    let good = || Status::set([Status::Class(2)]);
    match text(value, "monitor_type") {
        "status" => http(good(), None),
        "expected_status_code" => http(statuses(value), None),
        "keyword" => http(good(), Some(keyword(false))),
        "keyword_absence" => http(good(), Some(keyword(true))),
        "tcp" if number::<u16>(value, "port").is_some() => Check::Tcp {
            host: host(),
            port: number(value, "port").unwrap_or_default(),
        },
        "ping" => Check::Ping { host: host() },
        "dns" => Check::Dns(Dns {
            domain: text(value, "request_body").to_ascii_lowercase(),
            record: RecordType::A,
            answers: None,
            server: Some(NameServer { host: host(), port: 53 }),
        }),
        other => Check::Other {
            what: other.to_ascii_lowercase(),
            target: String::new(),
        },
    }
}

/// The statuses that are registered (IANA, HTTP Status Code Registry): the service takes numbers and no classes, so a
/// class beside others is held as these.
const REGISTERED: [std::ops::RangeInclusive<u16>; 16] = [
    100..=104,
    200..=208,
    226..=226,
    300..=305,
    307..=308,
    400..=417,
    421..=426,
    428..=429,
    431..=431,
    451..=451,
    500..=508,
    510..=511,
    // Not registered, and answered all the same.
    418..=418,
    420..=420,
    509..=509,
    520..=526,
];

fn codes_of(class: u8) -> impl Iterator<Item = u16> {
    let all = REGISTERED.iter().flat_map(Clone::clone);
    all.filter(move |code| code / 100 == u16::from(class))
}

fn statuses(value: &Value) -> BTreeSet<Status> {
    let codes: BTreeSet<u16> = list(value, "expected_status_codes")
        .filter_map(|code| code.as_u64().and_then(|code| u16::try_from(code).ok()))
        .collect();
    let whole = (1..=5).filter(|class| codes_of(*class).all(|code| codes.contains(&code)));
    let single = codes
        .iter()
        .filter(|code| (100..600).contains(*code))
        .map(|code| Status::Code(*code));
    Status::set(whole.map(Status::Class).chain(single))
}

fn codes(statuses: &BTreeSet<Status>) -> BTreeSet<u16> {
    let of = |status: &Status| match status {
        Status::Class(class) => codes_of(*class).collect(),
        Status::Code(code) => vec![*code],
    };
    statuses.iter().flat_map(of).collect()
}

const REGIONS: [(Region, &str); 4] = [
    (Region::NorthAmerica, "us"),
    (Region::Europe, "eu"),
    (Region::Asia, "as"),
    (Region::Oceania, "au"),
];

fn regions(value: &Value) -> BTreeSet<Region> {
    let words: Vec<&str> = list(value, "regions").filter_map(Value::as_str).collect();
    let named = REGIONS.iter().filter(|(_, word)| words.contains(word));
    named.map(|(region, _)| *region).collect()
}

/// The word for the type of a monitor.
pub(super) fn kind(check: &Check) -> &'static str {
    match check {
        Check::Http(Http {
            keyword: Some(keyword), ..
        }) if keyword.absent => "keyword_absence",
        Check::Http(Http { keyword: Some(_), .. }) => "keyword",
        Check::Http(http) if http.status == Status::set([Status::Class(2)]) => "status",
        Check::Http(_) => "expected_status_code",
        Check::Tcp { .. } => "tcp",
        Check::Ping { .. } => "ping",
        Check::Dns(_) => "dns",
        Check::Heartbeat(_) => "heartbeat",
        Check::Other { .. } => "",
    }
}

/// Whether two ask the same in the same way: by these a monitor that was made by hand is known. A heartbeat asks
/// nothing, and its name alone does not tell whose it is.
pub(super) fn is_alike(one: &Monitor, other: &Monitor) -> bool {
    match (&one.check, &other.check) {
        (Check::Http(http), Check::Http(other_http)) => {
            http.url == other_http.url && is_for_text(&one.check) == is_for_text(&other.check)
        }
        (Check::Dns(dns), Check::Dns(other)) => dns.domain == other.domain && dns.server == other.server,
        (Check::Tcp { .. }, Check::Tcp { .. }) | (Check::Ping { .. }, Check::Ping { .. }) => one.check == other.check,
        _ => false,
    }
}

fn is_for_text(check: &Check) -> bool {
    check.http().is_some_and(|http| http.keyword.is_some())
}

/// What is sent of a monitor, headers aside.
pub(super) fn to_wire(monitor: &Monitor, told: Map<String, Value>) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    if let Check::Heartbeat(heartbeat) = &monitor.check {
        return heartbeat_to_wire(monitor, heartbeat, told);
    }
    put("monitor_type", json!(kind(&monitor.check)));
    put("pronounceable_name", json!(monitor.name));
    match &monitor.check {
        Check::Http(http) => {
            put("url", json!(http.url));
            put("http_method", json!(http.method.to_ascii_lowercase()));
            if let Some(keyword) = &http.keyword {
                put("required_keyword", json!(keyword.text));
            } else if kind(&monitor.check) == "expected_status_code" {
                put("expected_status_codes", json!(codes(&http.status)));
            }
            if let Some(follow) = http.follow_redirects {
                put("follow_redirects", json!(follow));
            }
            if let Some(body) = &http.body {
                put("request_body", sent(body));
            }
        }
        Check::Tcp { host, port } => {
            put("url", json!(host));
            // A text, whatever else is a number.
            put("port", json!(port.to_string()));
        }
        Check::Ping { host } => {
            put("url", json!(host));
        }
        Check::Dns(dns) => {
            put("url", json!(dns.server.as_ref().map(|server| &server.host)));
            put("request_body", json!(dns.domain));
        }
        Check::Heartbeat(_) | Check::Other { .. } => {}
    }
    if let Some(every) = monitor.every {
        put("check_frequency", json!(every));
    }
    match (&monitor.check, monitor.timeout) {
        (Check::Http(_), Some(seconds)) => {
            put("request_timeout", json!(seconds));
        }
        // The same field in another unit.
        (_, Some(0)) => {
            put("request_timeout", json!(500));
        }
        (_, Some(seconds)) => {
            put("request_timeout", json!(seconds.saturating_mul(1_000)));
        }
        _ => {}
    }
    if let Some(confirm) = monitor.confirm {
        put(
            "confirmation_period",
            json!(confirm.seconds(monitor.every.unwrap_or_default())),
        );
    }
    if let Some(recover) = monitor.recover {
        put("recovery_period", json!(recover));
    }
    if let Some(regions) = &monitor.regions {
        let words = REGIONS.iter().filter(|(region, _)| regions.contains(region));
        put("regions", words.map(|(_, word)| json!(word)).collect());
    }
    if let Some(verify) = monitor.verify_tls {
        put("verify_ssl", json!(verify));
    }
    if let Some(days) = &monitor.tls_expiry {
        put("ssl_expiration", json!(days.last()));
    }
    if let Some(expiry) = monitor.domain_expiry {
        let days = match expiry {
            DomainExpiry::Watched(watched) => watched.then_some(super::quirks::USUAL_DOMAIN_EXPIRY),
            DomainExpiry::Days(days) => Some(days),
        };
        put("domain_expiration", json!(days));
    }
    if let Some(paused) = monitor.paused {
        put("paused", json!(paused));
    }
    if let Some(rests) = &monitor.maintenance {
        fields.extend(window::fields(rests));
    }
    fields.extend(told);
    fields
}

/// The same things have other names there, and nothing of it expires.
fn heartbeat_to_wire(monitor: &Monitor, heartbeat: &Heartbeat, told: Map<String, Value>) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    put("name", json!(monitor.name));
    put("period", json!(monitor.every));
    if let Some(grace) = heartbeat.grace {
        put("grace", json!(grace));
    }
    if let Some(paused) = monitor.paused {
        put("paused", json!(paused));
    }
    if let Some(rests) = &monitor.maintenance {
        fields.extend(window::fields(rests));
    }
    fields.extend(told.into_iter().filter(|(key, _)| key != "expiration_policy_id"));
    fields
}

/// Headers as they are seen: doubles of a name are one value, as RFC 9110 §5.3 has it.
pub(super) fn headers(all: &[LiveHeader]) -> BTreeMap<String, String> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for header in all {
        seen.entry(header.name.clone())
            .and_modify(|value| *value = format!("{value}, {}", header.value))
            .or_insert_with(|| header.value.clone());
    }
    seen
}

/// What is sent of headers so that `before` becomes `after`. One that is there can be removed by its id and not changed:
/// sent again, the service refuses it without a word (facts B3, G1). `there` are the ids with their names.
pub(super) fn header_edits(
    before: Option<&BTreeMap<String, SentText>>,
    after: Option<&BTreeMap<String, SentText>>,
    there: &Value,
) -> Vec<Value> {
    let Some(after) = after else { return Vec::new() };
    let stays = |name: &str| before.and_then(|before| before.get(name)) == after.get(name);
    let mut edits: Vec<Value> = there
        .as_array()
        .into_iter()
        .flatten()
        .filter(|header| !stays(text(header, "name")))
        .map(|header| json!({ "id": header["id"], "_destroy": "true" }))
        .collect();
    let is_new = |(name, _): &(&String, &SentText)| !stays(name) || before.is_none();
    let new = after.iter().filter(is_new);
    edits.extend(new.map(|(name, value)| json!({ "name": name, "value": sent(value) })));
    edits
}

/// What is sent of a text: itself, or what stands for it until the request is made.
fn sent(value: &SentText) -> Value {
    match value {
        SentText::Plain(text) => json!(text),
        SentText::Guarded(Guarded::Kept(reference)) => json!({ SECRET: reference.to_string() }),
        // The review refuses it before anything is sent.
        SentText::Guarded(Guarded::Hidden) => Value::Null,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn live(attributes: &Value) -> LiveMonitor {
        let mut whole = json!({
            "monitor_type": "status", "url": "https://acme.example", "pronounceable_name": "A & B <x>", "http_method": "get",
            "request_timeout": 30, "check_frequency": 180, "confirmation_period": 0, "regions": ["us", "as"],
            "ssl_expiration": null, "domain_expiration": 14, "status": "paused", "auth_password": "canary-pw",
            "request_headers": [{ "id": "9", "name": "Authorization", "value": "canary-h" }],
        });
        whole
            .as_object_mut()
            .unwrap()
            .extend(attributes.as_object().unwrap().clone());
        monitor(&json!({ "id": "238", "type": "endpoint", "attributes": whole })).unwrap()
    }

    #[test]
    fn what_comes_back_in_another_form_is_the_same() {
        let read = live(&json!({}));
        assert_eq!((read.id.as_str(), read.monitor.name.as_str()), ("238", "A & B <x>"));
        let http = read.monitor.check.http().unwrap();
        assert_eq!(
            (http.url.as_str(), http.method.as_str()),
            ("https://acme.example/", "GET")
        );
        assert_eq!(read.monitor.paused, Some(true));
        assert_eq!(read.monitor.tls_expiry, Some([].into()));
        assert!(
            !format!("{read:?}").contains("canary"),
            "what may be a credential goes no further"
        );
        let tcp =
            live(&json!({ "monitor_type": "tcp", "url": "smtp.acme.example", "port": "587", "request_timeout": 5000 }));
        assert_eq!(tcp.monitor.timeout, Some(5));
        let as_number = live(&json!({ "monitor_type": "tcp", "url": "smtp.acme.example", "port": 587 }));
        assert_eq!(as_number.monitor.check, tcp.monitor.check);
    }

    #[test]
    fn sets_come_back_in_any_order() {
        let read = |regions: &Value| {
            live(&json!({ "regions": regions, "status": "up", "paused_at": "2026-11-25T00:00:00Z" })).monitor
        };
        let one = read(&json!(["eu", "au", "us"]));
        assert_eq!(one.regions, read(&json!(["us", "eu", "au"])).regions);
        assert_eq!(one.regions.map(|regions| regions.len()), Some(3));
        // It is paused since then, whatever its status says.
        assert_eq!(one.paused, Some(true));
        // Codes that a check of this type does not look at are none.
        let read = live(&json!({ "expected_status_codes": [] })).monitor;
        assert_eq!(read.check.http().unwrap().status, Status::set([Status::Class(2)]));
    }

    #[test]
    fn classes_are_held_as_the_codes_in_them() {
        for set in [
            vec!["2xx", "404"],
            vec!["2xx", "3xx", "4xx", "5xx"],
            vec!["204"],
            vec!["200", "599"],
        ] {
            let wanted = Status::set(set.iter().map(|text| Status::parse(text).unwrap()));
            let held = json!({ "expected_status_codes": codes(&wanted).into_iter().rev().collect::<Vec<_>>() });
            assert_eq!(statuses(&held), wanted, "{set:?}");
        }
    }

    #[test]
    fn headers_are_removed_by_id_and_added_and_the_rest_is_not_sent() {
        let text = |text: &str| SentText::Plain(text.to_owned());
        let before: BTreeMap<_, _> = [("a".to_owned(), text("1")), ("b".to_owned(), text("2"))].into();
        let after: BTreeMap<_, _> = [("b".to_owned(), text("3")), ("a".to_owned(), text("1"))].into();
        let there = json!([{ "id": "7", "name": "a" }, { "id": "8", "name": "b" }]);
        let edits = header_edits(Some(&before), Some(&after), &there);
        assert_eq!(
            edits,
            [
                json!({ "id": "8", "_destroy": "true" }),
                json!({ "name": "b", "value": "3" })
            ]
        );
        assert!(header_edits(Some(&before), Some(&before), &there).is_empty());
        assert_eq!(header_edits(None, Some(&after), &json!([])).len(), 2);
    }

    #[test]
    fn one_field_has_two_units() {
        let tcp = Check::Tcp {
            host: "smtp.acme.example".into(),
            port: 587,
        };
        let mut monitor = Monitor::new("mail", "Mail", tcp);
        monitor.timeout = Some(5);
        let wire = to_wire(&monitor, Map::new());
        assert_eq!(
            (&wire["request_timeout"], &wire["port"]),
            (&json!(5_000), &json!("587"))
        );
    }
}
