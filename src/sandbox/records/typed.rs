//! The types whose data has fields of its own: what each field may hold, and the `content` that is derived from them.

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::super::envelope::{GENERAL, Refusal};
use super::normalise::{self, Context};
use crate::model::record::{RecordData, RecordType};

/// What a field may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Is {
    /// A whole number up to this.
    Whole(u64),
    /// A number within these, which need not be there: 0 then.
    Decimal(f64, f64),
    OneOf(&'static [&'static str]),
    Hex,
    Base64,
    Host,
    /// Letters and digits.
    Word,
    /// Up to so many bytes without control characters.
    Text(usize),
}

type Fields = &'static [(&'static str, Is)];

const BYTE: Is = Is::Whole(255);
const SHORT: Is = Is::Whole(65_535);
const METRES: Is = Is::Decimal(0.0, 90_000_000.0);
const SIXTY: Is = Is::Decimal(0.0, 59.0);
const SECONDS: Is = Is::Decimal(0.0, 59.999);

const CAA: Fields = &[("flags", BYTE), ("tag", Is::Word), ("value", Is::Text(2_048))];
const CERT: Fields = &[
    ("type", SHORT),
    ("key_tag", SHORT),
    ("algorithm", BYTE),
    ("certificate", Is::Base64),
];
const DNSKEY: Fields = &[
    ("flags", SHORT),
    ("protocol", BYTE),
    ("algorithm", BYTE),
    ("public_key", Is::Base64),
];
const DS: Fields = &[
    ("key_tag", SHORT),
    ("algorithm", BYTE),
    ("digest_type", BYTE),
    ("digest", Is::Hex),
];
const BINDING: Fields = &[("priority", SHORT), ("target", Is::Host), ("value", Is::Text(4_096))];
const LOC: Fields = &[
    ("lat_degrees", Is::Whole(90)),
    ("lat_minutes", SIXTY),
    ("lat_seconds", SECONDS),
    ("lat_direction", Is::OneOf(&["N", "S"])),
    ("long_degrees", Is::Whole(180)),
    ("long_minutes", SIXTY),
    ("long_seconds", SECONDS),
    ("long_direction", Is::OneOf(&["E", "W"])),
    ("altitude", Is::Decimal(-100_000.0, 42_849_672.95)),
    ("size", METRES),
    ("precision_horz", METRES),
    ("precision_vert", METRES),
];
const NAPTR: Fields = &[
    ("order", SHORT),
    ("preference", SHORT),
    ("flags", Is::Text(255)),
    ("service", Is::Text(255)),
    ("regex", Is::Text(255)),
    ("replacement", Is::Host),
];
const TLSA: Fields = &[
    ("usage", BYTE),
    ("selector", BYTE),
    ("matching_type", BYTE),
    ("certificate", Is::Hex),
];
const SRV: Fields = &[
    ("priority", SHORT),
    ("weight", SHORT),
    ("port", SHORT),
    ("target", Is::Host),
];
const SSHFP: Fields = &[("algorithm", BYTE), ("type", BYTE), ("fingerprint", Is::Hex)];
const URI: Fields = &[("weight", SHORT), ("target", Is::Text(2_048))];

/// The fields of a type's data; none for the types that only have `content`.
fn fields_of(kind: &str) -> Option<Fields> {
    Some(match kind {
        "CAA" => CAA,
        "CERT" => CERT,
        "DNSKEY" => DNSKEY,
        "DS" => DS,
        "HTTPS" | "SVCB" => BINDING,
        "LOC" => LOC,
        "NAPTR" => NAPTR,
        "SMIMEA" | "TLSA" => TLSA,
        "SRV" => SRV,
        "SSHFP" => SSHFP,
        "URI" => URI,
        _ => return None,
    })
}

/// Whether a type's data has fields of its own.
pub(super) fn has_fields(kind: &str) -> bool {
    fields_of(kind).is_some()
}

/// The data as it is kept. A field that does not belong there is refused: Cloudflare dropped SRV's service, proto and
/// name on 2024-05-31.
pub(super) fn normalise(
    kind: &str,
    data: &Map<String, Value>,
    context: Context<'_>,
) -> Result<Map<String, Value>, Refusal> {
    let fields = fields_of(kind).unwrap_or_default();
    if let Some(other) = data.keys().find(|key| !fields.iter().any(|(known, _)| known == key)) {
        return Err(Refusal::bad(
            GENERAL,
            format!("{other} is not a data field of {kind} records."),
        ));
    }
    let mut kept = Map::new();
    for (key, is) in fields {
        let value = match (data.get(*key).filter(|value| !value.is_null()), is) {
            (Some(value), _) => value,
            (None, Is::Decimal(..)) => &json!(0),
            (None, _) => return Err(Refusal::bad(9101, format!("{key} is a required data field."))),
        };
        let value = field(*is, value, context).ok_or_else(|| invalid(kind))?;
        kept.insert((*key).to_owned(), value);
    }
    check_whole(kind, &kept)?;
    Ok(kept)
}

/// The data of this type cannot be so.
pub(super) fn invalid(kind: &str) -> Refusal {
    Refusal::bad(9007, format!("Content for {kind} record is invalid."))
}

fn field(is: Is, value: &Value, context: Context<'_>) -> Option<Value> {
    let text = value.as_str();
    match is {
        Is::Whole(most) => {
            // Numbers come as strings from some clients.
            let number = value.as_u64().or_else(|| text.and_then(|text| text.parse().ok()))?;
            (number <= most).then(|| json!(number))
        }
        Is::Decimal(least, most) => {
            let number = value.as_f64()?;
            (least..=most).contains(&number).then(|| value.clone())
        }
        Is::OneOf(words) => text.filter(|text| words.contains(text)).map(|text| json!(text)),
        Is::Hex => {
            let text = text?;
            let is_hex = text.len() >= 2 && text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit());
            is_hex.then(|| json!(text))
        }
        Is::Base64 => {
            let text = text?;
            let decoded = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
            (!decoded.is_empty()).then(|| json!(text))
        }
        Is::Host => normalise::host(text?, context.zone, true).map(|host| json!(host)),
        Is::Word => {
            let text = text?;
            let is_word = !text.is_empty() && text.len() <= 255 && text.bytes().all(|b| b.is_ascii_alphanumeric());
            is_word.then(|| json!(text))
        }
        Is::Text(most) => {
            let text = text?;
            (text.len() <= most && !text.chars().any(char::is_control)).then(|| json!(text))
        }
    }
}

/// What no single field shows.
fn check_whole(kind: &str, data: &Map<String, Value>) -> Result<(), Refusal> {
    let is_sound = match kind {
        "HTTPS" | "SVCB" => {
            let number = data.get("priority").and_then(Value::as_u64).unwrap_or_default();
            let target = text(data, "target");
            let target = if target == "." { target } else { format!("{target}.") };
            let record_type = if kind == "HTTPS" {
                RecordType::Https
            } else {
                RecordType::Svcb
            };
            let line = format!("{number} {target} {}", text(data, "value"));
            crate::model::name::DomainName::parse("invalid")
                .is_ok_and(|origin| RecordData::parse(record_type, &line, &origin).is_ok())
        }
        "LOC" => {
            let number = |key: &str| data.get(key).and_then(Value::as_f64).unwrap_or_default();
            let is_whole = |key: &str| number(key).fract() == 0.0;
            let is_past = |degrees: &str, most: f64, rest: [&str; 2]| {
                number(degrees) >= most && rest.iter().any(|key| number(key) > 0.0)
            };
            is_whole("lat_minutes")
                && is_whole("long_minutes")
                && !is_past("lat_degrees", 90.0, ["lat_minutes", "lat_seconds"])
                && !is_past("long_degrees", 180.0, ["long_minutes", "long_seconds"])
        }
        "URI" => !text(data, "target").is_empty(),
        _ => true,
    };
    if is_sound { Ok(()) } else { Err(invalid(kind)) }
}

fn text(data: &Map<String, Value>, key: &str) -> String {
    match data.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// The content that is derived from data.
pub(super) fn content(kind: &str, data: &Map<String, Value>) -> String {
    let of = |key: &str| text(data, key);
    let joined = |keys: &[&str]| keys.iter().map(|key| of(key)).collect::<Vec<_>>().join(" ");
    match kind {
        "CAA" => format!("{} {} \"{}\"", of("flags"), of("tag"), of("value")),
        "HTTPS" | "SVCB" => joined(&["priority", "target", "value"]).trim_end().to_owned(),
        "LOC" => location(data),
        "NAPTR" => format!(
            "{} \"{}\" \"{}\" \"{}\" {}",
            joined(&["order", "preference"]),
            of("flags"),
            of("service"),
            of("regex"),
            of("replacement")
        ),
        // The priority stands beside it.
        "SRV" => joined(&["weight", "port", "target"]),
        "URI" => format!("{} \"{}\"", of("weight"), of("target")),
        kind => {
            let keys: Vec<&str> = fields_of(kind)
                .unwrap_or_default()
                .iter()
                .map(|(key, _)| *key)
                .collect();
            joined(&keys)
        }
    }
}

fn location(data: &Map<String, Value>) -> String {
    let number = |key: &str| data.get(key).and_then(Value::as_f64).unwrap_or_default();
    let angle = |axis: &str| {
        let part = |what: &str| number(&format!("{axis}_{what}"));
        let direction = text(data, &format!("{axis}_direction"));
        format!(
            "{} {} {:.3} {direction}",
            part("degrees"),
            part("minutes"),
            part("seconds")
        )
    };
    format!(
        "{} {} {:.2}m {:.2}m {:.2}m {:.2}m",
        angle("lat"),
        angle("long"),
        number("altitude"),
        number("size"),
        number("precision_horz"),
        number("precision_vert")
    )
}
