//! Records between Cloudflare's JSON and the model. What Cloudflare returns in another form than it was sent is made
//! canonical here, once. Types with structured data are read from `data` and never from `content`, which is derived.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType, ServiceBinding, Target, txt};
use crate::model::record_set::Record;
use crate::model::ttl::Ttl;

/// A record as Cloudflare keeps it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    /// Cloudflare's id; a record made anew gets another.
    pub id: String,
    /// The owner name.
    pub name: DomainName,
    /// What we manage of it.
    pub record: Record,
    /// Why Cloudflare keeps it from being edited, if it does.
    pub locked: Option<String>,
}

/// Reads one record of an answer. The error says what about it could not be understood.
pub(super) fn from_wire(value: &Value, zone: &DomainName) -> Result<Kept, String> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let id = text("id").filter(|id| is_identifier(id)).ok_or("it has no usable id")?;
    let kind = text("type").ok_or("it has no type")?;
    let kind = RecordType::parse(kind).ok_or_else(|| format!("its type `{kind}` is not known"))?;
    let name = text("name").ok_or("it has no name")?;
    let name = DomainName::parse(name).map_err(|error| error.to_string())?;
    let data = data_from_wire(kind, value, zone)?;
    let proxied = value.get("proxied").and_then(Value::as_bool).unwrap_or(false);
    let record = Record {
        data,
        ttl: ttl_from_wire(value.get("ttl"))?,
        proxied,
        comment: text("comment").filter(|comment| !comment.is_empty()).map(str::to_owned),
        tags: tags_from_wire(value.get("tags")),
        extra: extra_from_wire(value),
    };
    let locked = value
        .pointer("/meta/read_only")
        .and_then(Value::as_bool)
        .filter(|read_only| *read_only)
        .map(
            |_| match value.pointer("/meta/email_routing").and_then(Value::as_bool) {
                Some(true) => "Email Routing made it and keeps it read-only".to_owned(),
                _ => "Cloudflare marks it read-only".to_owned(),
            },
        );
    Ok(Kept {
        id: id.to_owned(),
        name,
        record,
        locked,
    })
}

/// Ids come back to Cloudflare in paths and bodies: nothing else is let through.
pub(super) fn is_identifier(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn ttl_from_wire(value: Option<&Value>) -> Result<Ttl, String> {
    match value.and_then(Value::as_f64) {
        None => Ok(Ttl::Auto),
        Some(seconds) if (0.0..=1.0).contains(&seconds) => Ok(Ttl::Auto),
        Some(_) => value
            .and_then(Value::as_u64)
            .and_then(|seconds| u32::try_from(seconds).ok())
            .filter(|seconds| *seconds <= Ttl::MAX)
            .map(Ttl::Seconds)
            .ok_or_else(|| "its TTL is no number of seconds".to_owned()),
    }
}

fn tags_from_wire(value: Option<&Value>) -> Option<BTreeSet<String>> {
    let tags: BTreeSet<String> = value?
        .as_array()?
        .iter()
        .filter_map(|tag| tag.as_str().map(str::to_owned))
        .collect();
    (!tags.is_empty()).then_some(tags)
}

/// Attributes that no spec says but that a restored record must have again. Cloudflare returns an absent setting
/// sometimes as false and sometimes not at all: both are nothing.
fn extra_from_wire(value: &Value) -> Option<BTreeMap<String, Value>> {
    let mut extra = BTreeMap::new();
    if let Some(settings) = value.get("settings").and_then(Value::as_object) {
        let set: Map<String, Value> = settings
            .iter()
            .filter(|(_, value)| !matches!(value, Value::Null | Value::Bool(false)))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if !set.is_empty() {
            extra.insert("settings".to_owned(), Value::Object(set));
        }
    }
    if value.get("private_routing").and_then(Value::as_bool) == Some(true) {
        extra.insert("private_routing".to_owned(), Value::Bool(true));
    }
    (!extra.is_empty()).then_some(extra)
}

/// The data in a zone file's words, read by the one parser there is.
fn data_from_wire(kind: RecordType, value: &Value, zone: &DomainName) -> Result<RecordData, String> {
    let text = presentation(kind, value)?;
    RecordData::parse(kind, &text, zone).map_err(|error| format!("its data cannot be read as {kind}: {error}"))
}

fn presentation(kind: RecordType, value: &Value) -> Result<String, String> {
    let content = || {
        value
            .get("content")
            .and_then(Value::as_str)
            .ok_or("it has no content".to_owned())
    };
    let field = |key: &str| {
        let found = value
            .get("data")
            .and_then(|data| data.get(key))
            .or_else(|| value.get(key));
        match found {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            _ => Err(format!("its data has no `{key}`")),
        }
    };
    let fields = |keys: &[&str]| -> Result<String, String> {
        keys.iter()
            .map(|key| field(key))
            .collect::<Result<Vec<_>, _>>()
            .map(|fields| fields.join(" "))
    };
    let host = |key: &str| field(key).map(|name| absolute(&name));
    Ok(match kind {
        RecordType::A | RecordType::Aaaa | RecordType::Txt | RecordType::Openpgpkey | RecordType::Soa => {
            content()?.to_owned()
        }
        RecordType::Alias => return Err("Cloudflare has no such type".to_owned()),
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => absolute(content()?),
        RecordType::Mx => format!("{} {}", field("priority")?, absolute(content()?)),
        RecordType::Caa => format!("{} {}", fields(&["flags", "tag"])?, quoted(&field("value")?)),
        RecordType::Cert => fields(&["type", "key_tag", "algorithm", "certificate"])?,
        RecordType::Dnskey => fields(&["flags", "protocol", "algorithm", "public_key"])?,
        RecordType::Ds => fields(&["key_tag", "algorithm", "digest_type", "digest"])?,
        RecordType::Https | RecordType::Svcb => {
            format!(
                "{} {} {}",
                field("priority")?,
                host("target")?,
                field("value").unwrap_or_default()
            )
        }
        RecordType::Loc => location(&field)?,
        RecordType::Naptr => format!(
            "{} {} {} {} {}",
            fields(&["order", "preference"])?,
            quoted(&field("flags")?),
            quoted(&field("service")?),
            quoted(&field("regex")?),
            host("replacement")?
        ),
        RecordType::Smimea | RecordType::Tlsa => fields(&["usage", "selector", "matching_type", "certificate"])?,
        RecordType::Srv => format!("{} {}", fields(&["priority", "weight", "port"])?, host("target")?),
        RecordType::Sshfp => fields(&["algorithm", "type", "fingerprint"])?,
        RecordType::Uri => format!("{} {}", fields(&["priority", "weight"])?, quoted(&field("target")?)),
    })
}

/// Cloudflare writes hosts without the final dot; a single label would be taken for a relative name.
fn absolute(host: &str) -> String {
    if host.ends_with('.') {
        host.to_owned()
    } else {
        format!("{host}.")
    }
}

/// A zone file's character-string (RFC 1035 §5.1).
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn location(field: &impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let metres = |key: &str, usual: &str| field(key).unwrap_or_else(|_| usual.to_owned());
    let part = |key: &str| field(key).unwrap_or_else(|_| "0".to_owned());
    Ok(format!(
        "{} {} {} {} {} {} {} {} {}m {}m {}m {}m",
        field("lat_degrees")?,
        part("lat_minutes"),
        part("lat_seconds"),
        field("lat_direction")?,
        field("long_degrees")?,
        part("long_minutes"),
        part("long_seconds"),
        field("long_direction")?,
        metres("altitude", "0"),
        metres("size", "1"),
        metres("precision_horz", "10000"),
        metres("precision_vert", "10"),
    ))
}

/// A whole record, as it is posted.
pub(super) fn to_wire(name: &DomainName, record: &Record) -> Map<String, Value> {
    let mut wire = Map::new();
    wire.insert("type".to_owned(), json!(record.data.kind().as_str()));
    wire.insert("name".to_owned(), json!(name.as_str()));
    wire.extend(data_to_wire(&record.data));
    wire.insert("ttl".to_owned(), ttl_to_wire(record.ttl));
    if record.data.kind().can_be_proxied() {
        wire.insert("proxied".to_owned(), json!(record.proxied));
    }
    if let Some(comment) = &record.comment {
        wire.insert("comment".to_owned(), json!(comment));
    }
    if let Some(tags) = &record.tags {
        wire.insert("tags".to_owned(), json!(tags));
    }
    for (key, value) in record.extra.iter().flatten() {
        wire.insert(key.clone(), value.clone());
    }
    wire
}

/// The fields in which `after` differs from `before`: everything else is left as it is, known to us or not.
pub(super) fn difference(before: &Record, after: &Record) -> Map<String, Value> {
    let mut wire = Map::new();
    if before.data != after.data {
        wire.extend(data_to_wire(&after.data));
    }
    if before.ttl != after.ttl {
        wire.insert("ttl".to_owned(), ttl_to_wire(after.ttl));
    }
    if before.proxied != after.proxied {
        wire.insert("proxied".to_owned(), json!(after.proxied));
    }
    if before.comment != after.comment {
        wire.insert(
            "comment".to_owned(),
            json!(after.comment.as_deref().unwrap_or_default()),
        );
    }
    if before.tags != after.tags {
        wire.insert("tags".to_owned(), json!(after.tags.clone().unwrap_or_default()));
    }
    let keys: BTreeSet<&String> = before
        .extra
        .iter()
        .chain(&after.extra)
        .flat_map(BTreeMap::keys)
        .collect();
    for key in keys {
        let of = |record: &'_ Record| record.extra.as_ref().and_then(|extra| extra.get(key)).cloned();
        let (old, new) = (of(before), of(after));
        if old != new {
            wire.insert(key.clone(), switched(old.as_ref(), new.as_ref()));
        }
    }
    wire
}

/// An attribute as it is to be, with what it no longer has switched off by name: a patch merges.
fn switched(old: Option<&Value>, new: Option<&Value>) -> Value {
    match (old.and_then(Value::as_object), new.and_then(Value::as_object)) {
        (Some(old), new) => {
            let mut all: Map<String, Value> = old.keys().map(|key| (key.clone(), Value::Bool(false))).collect();
            all.extend(
                new.into_iter()
                    .flatten()
                    .map(|(key, value)| (key.clone(), value.clone())),
            );
            Value::Object(all)
        }
        (None, _) => new.cloned().unwrap_or(Value::Bool(false)),
    }
}

fn ttl_to_wire(ttl: Ttl) -> Value {
    match ttl {
        Ttl::Auto => json!(1),
        Ttl::Seconds(seconds) => json!(seconds),
    }
}

fn data_to_wire(data: &RecordData) -> Map<String, Value> {
    let structured = |value: Value| json!({ "data": value });
    let wire = match data {
        RecordData::A(address) => json!({ "content": address }),
        RecordData::Aaaa(address) => json!({ "content": address }),
        // An ALIAS is refused while validating.
        RecordData::Alias(host) | RecordData::Cname(host) | RecordData::Ns(host) | RecordData::Ptr(host) => {
            json!({ "content": host })
        }
        RecordData::Openpgpkey(key) => json!({ "content": key }),
        RecordData::Txt(value) => json!({ "content": txt::character_strings(value) }),
        RecordData::Mx(mx) => json!({ "content": target(&mx.host), "priority": mx.priority }),
        RecordData::Caa(caa) => structured(json!({ "flags": caa.flags, "tag": caa.tag, "value": caa.value })),
        RecordData::Cert(cert) => structured(json!({
            "type": cert.kind, "key_tag": cert.key_tag, "algorithm": cert.algorithm, "certificate": cert.certificate,
        })),
        RecordData::Dnskey(key) => structured(json!({
            "flags": key.flags, "protocol": key.protocol, "algorithm": key.algorithm, "public_key": key.public_key,
        })),
        RecordData::Ds(ds) => structured(json!({
            "key_tag": ds.key_tag, "algorithm": ds.algorithm, "digest_type": ds.digest_type, "digest": ds.digest,
        })),
        RecordData::Https(binding) | RecordData::Svcb(binding) => structured(service_binding(binding)),
        RecordData::Loc(_) => structured(location_to_wire(&data.to_string())),
        RecordData::Naptr(naptr) => structured(json!({
            "order": naptr.order, "preference": naptr.preference, "flags": naptr.flags, "service": naptr.service,
            "regex": naptr.regex, "replacement": target(&naptr.replacement),
        })),
        RecordData::Smimea(tlsa) | RecordData::Tlsa(tlsa) => structured(json!({
            "usage": tlsa.usage, "selector": tlsa.selector, "matching_type": tlsa.matching_type,
            "certificate": tlsa.certificate,
        })),
        RecordData::Srv(srv) => structured(json!({
            "priority": srv.priority, "weight": srv.weight, "port": srv.port, "target": target(&srv.target),
        })),
        RecordData::Sshfp(sshfp) => structured(json!({
            "algorithm": sshfp.algorithm, "type": sshfp.kind, "fingerprint": sshfp.fingerprint,
        })),
        RecordData::Uri(uri) => {
            json!({ "priority": uri.priority, "data": { "weight": uri.weight, "target": uri.target } })
        }
        // Cloudflare keeps no SOA record; the review of a plan has refused one before this is reached.
        RecordData::Soa(_) => json!({ "content": data.to_string() }),
    };
    match wire {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn target(target: &Target) -> String {
    target.to_string()
}

fn service_binding(binding: &ServiceBinding) -> Value {
    json!({
        "priority": binding.priority, "target": target(&binding.target), "value": binding.params.to_string(),
    })
}

/// The canonical text of a LOC record always has all its twelve fields (RFC 1876 §3).
fn location_to_wire(text: &str) -> Value {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let number = |at: usize| {
        let field = fields.get(at).copied().unwrap_or("0").trim_end_matches('m');
        match field.parse::<i64>() {
            Ok(whole) => json!(whole),
            Err(_) => field.parse::<f64>().map_or(json!(0), |number| json!(number)),
        }
    };
    let word = |at: usize| fields.get(at).copied().unwrap_or_default();
    json!({
        "lat_degrees": number(0), "lat_minutes": number(1), "lat_seconds": number(2), "lat_direction": word(3),
        "long_degrees": number(4), "long_minutes": number(5), "long_seconds": number(6), "long_direction": word(7),
        "altitude": number(8), "size": number(9), "precision_horz": number(10), "precision_vert": number(11),
    })
}
