//! Record sets between PowerDNS's JSON and the model. Its `content` is a zone file's, in which every host is written
//! with its final dot and every text in quotes. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::quirks;
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType, Target};
use crate::model::record_set::Record;
use crate::model::ttl::Ttl;
use crate::provider::rrset::{self, Rrset};

/// What is kept beside a record when the comments of its set are not one plain sentence.
const COMMENTS: &str = "comments";

/// A record set as the server keeps it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    /// The owner name.
    pub name: DomainName,
    /// The type.
    pub kind: RecordType,
    /// What we manage of it, each with its content as the server writes it.
    pub records: Vec<(Record, String)>,
    /// Why the set cannot be written whole, if it cannot.
    pub locked: Option<String>,
}

/// Reads one record set of an answer. The error says what about all of it could not be understood.
pub(super) fn from_wire(value: &Value, zone: &DomainName) -> Result<Kept, String> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let kind = text("type").ok_or("it has no type")?;
    let kind = RecordType::parse(kind).ok_or_else(|| format!("its type `{kind}` is not known"))?;
    let name = text("name").ok_or("it has no name")?;
    let name = DomainName::parse(name).map_err(|error| error.to_string())?;
    let ttl = value
        .get("ttl")
        .and_then(Value::as_u64)
        .and_then(|ttl| u32::try_from(ttl).ok())
        .filter(|ttl| *ttl <= Ttl::MAX)
        .ok_or("it has no usable TTL")?;
    let list = value
        .get("records")
        .and_then(Value::as_array)
        .ok_or("it has no records")?;
    let (comment, extra) = comments_from_wire(value.get(COMMENTS));
    let (mut records, mut locked) = (Vec::new(), None);
    for record in list {
        let content = record.get("content").and_then(Value::as_str).unwrap_or_default();
        if record.get("disabled").and_then(Value::as_bool) == Some(true) {
            locked = Some("it holds a disabled record, which no spec can say".to_owned());
            continue;
        }
        match RecordData::parse(kind, content, zone) {
            Ok(data) => {
                let record = Record {
                    ttl: Ttl::Seconds(ttl),
                    comment: comment.clone(),
                    extra: extra.clone(),
                    ..Record::new(data)
                };
                records.push((record, content.to_owned()));
            }
            Err(error) => locked = Some(format!("one of its records could not be understood: {error}")),
        }
    }
    if kind == RecordType::Dnskey && name == *zone {
        locked = Some("the server signs the zone with it".to_owned());
    }
    Ok(Kept {
        name,
        kind,
        records,
        locked,
    })
}

/// One plain comment is the record's; anything else (several, or with an account) is carried as it is.
#[allow(clippy::type_complexity, reason = "the two fields of a record that it fills")]
fn comments_from_wire(value: Option<&Value>) -> (Option<String>, Option<BTreeMap<String, Value>>) {
    let list: Vec<Value> = value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|comment| {
            let text = |key: &str| comment.get(key).and_then(Value::as_str).unwrap_or_default();
            // When it was written says nothing: written back, it would get another time.
            json!({ "content": text("content"), "account": text("account") })
        })
        .collect();
    match list.as_slice() {
        [] => (None, None),
        [one] if one["account"] == "" => (one["content"].as_str().map(str::to_owned), None),
        _ => (None, Some(BTreeMap::from([(COMMENTS.to_owned(), Value::Array(list))]))),
    }
}

fn comments_to_wire(records: &[Record]) -> Value {
    let carried = || {
        let extra = records.iter().find_map(|record| record.extra.as_ref());
        extra.and_then(|extra| extra.get(COMMENTS).cloned())
    };
    match rrset::comment(records) {
        Some(comment) => json!([{ "content": comment, "account": "" }]),
        None => carried().unwrap_or_else(|| json!([])),
    }
}

/// A record set as it was read, for one who looks again before writing it: everything that a write would replace, in one
/// order. What is not there has no records.
pub(super) fn expected(set: &Rrset) -> Value {
    let ttl = Rrset::ttl(&set.before, quirks::AUTOMATIC_TTL);
    let contents = set.written(&set.before, content);
    let records = contents
        .iter()
        .map(|content| json!({ "content": content, "disabled": false }));
    let found = json!({
        "name": format!("{}.", set.name), "type": set.kind.as_str(), "ttl": ttl,
        "records": records.collect::<Vec<_>>(), COMMENTS: comments_to_wire(&set.before),
    });
    image(&found)
}

/// The same of a record set of an answer.
pub(super) fn image(value: &Value) -> Value {
    let sorted = |key: &str, make: fn(&Value) -> Option<Value>| {
        let list = value.get(key).and_then(Value::as_array).into_iter().flatten();
        let mut list: Vec<Value> = list.filter_map(make).collect();
        list.sort_by_cached_key(ToString::to_string);
        list
    };
    let records = sorted("records", |record| {
        Some(json!([
            record.get("content"),
            record.get("disabled").is_some_and(|is| is == true)
        ]))
    });
    let (name, kind) = name_and_type(value);
    if records.is_empty() {
        return json!({ "name": name, "type": kind, "records": records });
    }
    let comments = sorted(COMMENTS, |comment| {
        let said = ["content", "account"].map(|key| comment.get(key).and_then(Value::as_str).unwrap_or_default());
        (said != ["", ""]).then(|| json!(said))
    });
    json!({
        "name": name, "type": kind, "ttl": value.get("ttl"), "records": records, COMMENTS: comments,
    })
}

/// What tells one record set from another.
pub(super) fn name_and_type(set: &Value) -> (String, String) {
    let text = |key: &str| set.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = DomainName::parse(text("name")).map_or_else(|_| text("name").to_owned(), |name| format!("{name}."));
    (name, text("type").to_owned())
}

/// A record set as it is written: replaced whole, or deleted. What stays keeps the form that it has at the server, such as
/// where a long text is split.
pub(super) fn to_wire(set: &Rrset) -> Value {
    let mut wire = Map::new();
    wire.insert("name".to_owned(), json!(format!("{}.", set.name)));
    wire.insert("type".to_owned(), json!(set.kind.as_str()));
    if set.after.is_empty() {
        wire.insert("changetype".to_owned(), json!("DELETE"));
        return Value::Object(wire);
    }
    wire.insert("changetype".to_owned(), json!("REPLACE"));
    wire.insert("ttl".to_owned(), json!(Rrset::ttl(&set.after, quirks::AUTOMATIC_TTL)));
    let contents = set.written(&set.after, content).into_iter();
    let records = contents.map(|content| json!({ "content": content, "disabled": false }));
    wire.insert("records".to_owned(), records.collect());
    let comments = comments_to_wire(&set.after);
    // Not every backend keeps comments: they are left unsaid unless they change.
    if comments != comments_to_wire(&set.before) {
        wire.insert(COMMENTS.to_owned(), comments);
    }
    Value::Object(wire)
}

/// Data as PowerDNS takes it.
pub(super) fn content(data: &RecordData) -> String {
    match data {
        RecordData::Alias(host) | RecordData::Cname(host) | RecordData::Ns(host) | RecordData::Ptr(host) => {
            format!("{host}.")
        }
        RecordData::Mx(mx) => format!("{} {}", mx.priority, dotted(&mx.host)),
        RecordData::Srv(srv) => format!("{} {} {} {}", srv.priority, srv.weight, srv.port, dotted(&srv.target)),
        RecordData::Naptr(naptr) => {
            let text = data.to_string();
            // The replacement is the last field; what stands before it is quoted and stays.
            let head = text.rsplit_once(' ').map_or("", |(head, _)| head);
            format!("{head} {}", dotted(&naptr.replacement))
        }
        RecordData::Https(binding) | RecordData::Svcb(binding) => {
            let mut text = format!("{} {}", binding.priority, dotted(&binding.target));
            for (key, value) in binding.params.iter() {
                text.push_str(&parameter(&key, value));
            }
            text
        }
        RecordData::Txt(value) => strings(value),
        other => other.to_string(),
    }
}

/// The server compares the text with its own way to write it: lists and numbers bare, everything else in quotes.
fn parameter(key: &str, value: &str) -> String {
    match key {
        _ if value.is_empty() => format!(" {key}"),
        "mandatory" | "alpn" | "port" | "ipv4hint" | "ipv6hint" => format!(" {key}={value}"),
        _ => format!(" {key}=\"{value}\""),
    }
}

fn dotted(target: &Target) -> String {
    target.host().map_or_else(|| ".".to_owned(), |host| format!("{host}."))
}

/// Character-strings of 255 octets at most, everything beyond printable ASCII by its number.
fn strings(value: &[u8]) -> String {
    let quoted = |part: &[u8]| {
        let mut out = String::from("\"");
        for byte in part {
            match byte {
                b'"' | b'\\' => out.extend(['\\', char::from(*byte)]),
                0x20..=0x7e => out.push(char::from(*byte)),
                byte => out.push_str(&format!("\\{byte:03}")),
            }
        }
        out.push('"');
        out
    };
    value.chunks(255).map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn zone() -> DomainName {
        DomainName::parse("acme.example").unwrap()
    }

    #[test]
    fn hosts_end_with_a_dot_and_texts_stand_in_quotes() {
        for (kind, text, wanted) in [
            ("ALIAS", "host.test", "host.test."),
            ("CNAME", "host.test", "host.test."),
            ("MX", "10 mx.test", "10 mx.test."),
            ("MX", "0 .", "0 ."),
            ("SRV", "1 2 3 sip.test", "1 2 3 sip.test."),
            (
                "NAPTR",
                "1 2 \"U\" \"E2U+sip\" \"!^.*$!sip:a b!\" n.test",
                "1 2 \"U\" \"E2U+sip\" \"!^.*$!sip:a b!\" n.test.",
            ),
            ("HTTPS", "0 host.test", "0 host.test."),
            ("TXT", "say \"hi\" grüße", "\"say \\\"hi\\\" gr\\195\\188\\195\\159e\""),
        ] {
            let kind = RecordType::parse(kind).unwrap();
            let data = RecordData::parse(kind, text, &zone()).unwrap();
            assert_eq!(content(&data), wanted);
            assert_eq!(
                RecordData::parse(kind, &content(&data), &zone()).unwrap(),
                data,
                "{text}"
            );
        }
    }

    #[test]
    fn what_no_spec_can_say_locks_its_set() {
        let set = |records: Value| {
            let value =
                json!({ "name": "a.acme.example.", "type": "A", "ttl": 60, "records": records, "comments": [] });
            from_wire(&value, &zone()).unwrap()
        };
        let whole = set(json!([{ "content": "192.0.2.1", "disabled": false }]));
        assert_eq!((whole.records.len(), whole.locked), (1, None));
        let disabled = set(json!([{ "content": "192.0.2.1" }, { "content": "192.0.2.2", "disabled": true }]));
        assert!(disabled.records.len() == 1 && disabled.locked.unwrap().contains("disabled"));
        assert!(set(json!([{ "content": "nonsense" }])).locked.is_some());
    }

    #[test]
    fn one_plain_comment_is_the_records_and_others_are_carried() {
        let with = |comments: Value| {
            let value = json!({ "name": "a.acme.example.", "type": "A", "ttl": 60,
                "records": [{ "content": "192.0.2.1" }], "comments": comments });
            from_wire(&value, &zone()).unwrap().records.remove(0).0
        };
        let one = with(json!([{ "content": "x", "account": "", "modified_at": 1 }]));
        assert_eq!((one.comment.as_deref(), &one.extra), (Some("x"), &None));
        let signed = with(json!([{ "content": "x", "account": "jo", "modified_at": 1 }]));
        assert_eq!(signed.comment, None);
        assert_eq!(
            comments_to_wire(&[signed]),
            json!([{ "content": "x", "account": "jo" }])
        );
    }
}
