//! A request turned into what is kept: names made whole, hosts without their final dot, addresses in their short form,
//! and everything that the API or the zone's plan does not take refused (facts §3.2 to §3.5, §3.7).

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value};

use super::super::envelope::{GENERAL, Refusal};
use super::super::plan::Plan;
use super::{Body, txt, typed};
use crate::model::name::DomainName;
use crate::model::record::RecordType;

/// Where a record is to stand.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) zone: &'a DomainName,
    pub(super) plan: Plan,
}

/// Octets of one record on the wire.
const WIRE: usize = 4_096;
/// The highest TTL in seconds.
const HIGHEST_TTL: u32 = 86_400;

/// What is kept of a request. With a `base`, what the request does not say stays as it is there; without one, it takes
/// its default.
pub(super) fn body(fields: &Map<String, Value>, base: Option<&Body>, context: Context<'_>) -> Result<Body, Refusal> {
    let kind = kind(fields, base)?;
    let name = name(fields, base, context.zone)?;
    let (content, data, priority) = said(&kind, &name, fields, base, context)?;
    let proxiable = is_proxiable(&kind, &content);
    let proxied = pick(fields, "proxied", base.map(|base| base.proxied), Value::as_bool)?.unwrap_or(false);
    if proxied && !matches!(kind.as_str(), "A" | "AAAA" | "CNAME") {
        return Err(Refusal::bad(9004, "This record type cannot be proxied."));
    }
    if proxied && !proxiable {
        let words = format!("Target {content} is not allowed for a proxied record.");
        return Err(Refusal::bad(9003, words));
    }
    let ttl = ttl(fields, base, context.plan)?;
    let private_routing = pick(
        fields,
        "private_routing",
        base.map(|base| base.private_routing),
        Value::as_bool,
    )?;
    let private_routing = private_routing.unwrap_or(false);
    if private_routing && !matches!(kind.as_str(), "A" | "AAAA") {
        return Err(Refusal::bad(GENERAL, "Private routing is only for A and AAAA records."));
    }
    Ok(Body {
        settings: settings(&kind, proxied, fields, base, context.plan)?,
        comment: comment(fields, base, context.plan)?,
        tags: tags(fields, base, context.plan)?,
        // Whatever was asked, an edge that stands in front decides by itself.
        ttl: if proxied { 1 } else { ttl },
        kind,
        name,
        content,
        data,
        priority,
        proxied,
        proxiable,
        private_routing,
    })
}

/// A field's value: what the request says, or what was there before; `null` is the default.
fn pick<T>(
    fields: &Map<String, Value>,
    key: &str,
    before: Option<T>,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    match fields.get(key) {
        None => Ok(before),
        Some(Value::Null) => Ok(None),
        Some(value) => read(value).map(Some).ok_or_else(Refusal::body),
    }
}

fn owned(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn kind(fields: &Map<String, Value>, base: Option<&Body>) -> Result<String, Refusal> {
    let asked = pick(fields, "type", base.map(|base| base.kind.clone()), owned)?;
    let known = asked
        .as_deref()
        .and_then(RecordType::parse)
        .filter(|kind| *kind != RecordType::Soa);
    match known {
        Some(kind) => Ok(kind.as_str().to_owned()),
        None => Err(Refusal::bad(9002, "DNS record type is invalid.")),
    }
}

fn name(fields: &Map<String, Value>, base: Option<&Body>, zone: &DomainName) -> Result<String, Refusal> {
    let asked = pick(fields, "name", base.map(|base| base.name.clone()), owned)?;
    let name = asked.and_then(|text| DomainName::parse_in(&text, zone).ok());
    match name.filter(|name| name.is_within(zone)) {
        Some(name) => Ok(name.into()),
        None => Err(Refusal::bad(9000, "DNS name is invalid.")),
    }
}

type Said = (String, Option<Map<String, Value>>, Option<u16>);

/// What the record says: its content, its data, its priority.
fn said(
    kind: &str,
    name: &str,
    fields: &Map<String, Value>,
    base: Option<&Body>,
    context: Context<'_>,
) -> Result<Said, Refusal> {
    let is_short = |value: &Value| value.as_u64().and_then(|number| u16::try_from(number).ok());
    let priority = || {
        pick(fields, "priority", base.and_then(|base| base.priority), is_short)?
            .ok_or_else(|| Refusal::bad(GENERAL, "priority is a required field."))
    };
    let (content, data, priority) = if typed::has_fields(kind) {
        let before = base.and_then(|base| base.data.clone());
        let data = pick(fields, "data", before, |value| value.as_object().cloned())?.unwrap_or_default();
        let data = typed::normalise(kind, &data, context)?;
        let priority = match kind {
            "URI" => Some(priority()?),
            // Beside the data as well as in it.
            "SRV" => data.get("priority").and_then(is_short),
            _ => None,
        };
        (typed::content(kind, &data), Some(data), priority)
    } else {
        let before = base.map(|base| base.content.clone());
        let text = pick(fields, "content", before, owned)?.unwrap_or_default();
        let content = content(kind, &text, name, context.zone)?;
        let priority = if kind == "MX" { Some(priority()?) } else { None };
        (content, None, priority)
    };
    if kind == "SRV" && !has_service(name) {
        return Err(Refusal::bad(9000, "DNS name is invalid."));
    }
    let length = if kind == "TXT" {
        txt::wire_length(&content)
    } else {
        content.len()
    };
    if length > WIRE {
        let words = "Record content exceeds the allowed length of 4096 wire format bytes.";
        return Err(Refusal::bad(9015, words));
    }
    Ok((content, data, priority))
}

/// `_service._proto.` in front (RFC 2782).
fn has_service(name: &str) -> bool {
    let mut labels = name.split('.');
    labels.next().is_some_and(|label| label.starts_with('_'))
        && labels.next().is_some_and(|label| label.starts_with('_'))
}

fn content(kind: &str, text: &str, name: &str, zone: &DomainName) -> Result<String, Refusal> {
    let invalid = || typed::invalid(kind);
    match kind {
        "A" => text
            .parse::<Ipv4Addr>()
            .map(|address| address.to_string())
            .map_err(|_| Refusal::bad(9005, "Content for A record must be a valid IPv4 address.")),
        "AAAA" => text
            .parse::<Ipv6Addr>()
            .map(|address| address.to_string())
            .map_err(|_| Refusal::bad(9006, "Content for AAAA record must be a valid IPv6 address.")),
        "TXT" => {
            let is_sound = !text.is_empty() && !text.chars().any(char::is_control);
            txt::normalise(text).filter(|_| is_sound).ok_or_else(invalid)
        }
        "OPENPGPKEY" => {
            use base64::Engine as _;
            let decoded = base64::engine::general_purpose::STANDARD.decode(text);
            match decoded {
                Ok(bytes) if !bytes.is_empty() => Ok(text.to_owned()),
                _ => Err(invalid()),
            }
        }
        _ => {
            let host = host(text, zone, kind == "MX").ok_or_else(invalid)?;
            if kind == "CNAME" && host.eq_ignore_ascii_case(name) {
                return Err(invalid());
            }
            Ok(host)
        }
    }
}

/// A host without its final dot, in the case in which it came; Unicode becomes Punycode. The root only where it says
/// something.
pub(super) fn host(text: &str, zone: &DomainName, or_root: bool) -> Option<String> {
    if text == "." {
        return or_root.then(|| text.to_owned());
    }
    if text == "@" {
        return Some(zone.as_str().to_owned());
    }
    let name = DomainName::parse(text).ok().filter(|name| !name.is_wildcard())?;
    if text.is_ascii() {
        Some(text.strip_suffix('.').unwrap_or(text).to_owned())
    } else {
        Some(name.into())
    }
}

/// Whether the edge could stand in front: an address that can be reached from there, or a host.
fn is_proxiable(kind: &str, content: &str) -> bool {
    match kind {
        "CNAME" => true,
        "A" => content.parse::<Ipv4Addr>().is_ok_and(|address| {
            let [first, second, ..] = address.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            let is_resolver = matches!(address.octets(), [1, 1, 1, 1] | [1, 0, 0, 1]);
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_broadcast()
                || first == 0
                || is_shared
                || is_resolver)
        }),
        "AAAA" => content.parse::<Ipv6Addr>().is_ok_and(|address| {
            !(address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local())
        }),
        _ => false,
    }
}

fn ttl(fields: &Map<String, Value>, base: Option<&Body>, plan: Plan) -> Result<u32, Refusal> {
    let seconds = |value: &Value| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
        // 300.0 is 300. What is negative is a number all the same: the bounds refuse it.
        Some(format!("{number:.0}").parse::<u64>().unwrap_or(0))
    };
    let before = base.map(|base| u64::from(base.ttl));
    let ttl = pick(fields, "ttl", before, seconds)?.unwrap_or(1);
    let lowest = plan.limits().ttl;
    let ttl = u32::try_from(ttl)
        .ok()
        .filter(|ttl| *ttl == 1 || (lowest..=HIGHEST_TTL).contains(ttl));
    ttl.ok_or_else(|| {
        let words = format!("Invalid TTL. Must be between {lowest} and {HIGHEST_TTL} seconds, or 1 for automatic.");
        Refusal::bad(9021, words)
    })
}

fn comment(fields: &Map<String, Value>, base: Option<&Body>, plan: Plan) -> Result<Option<String>, Refusal> {
    let before = base.and_then(|base| base.comment.clone());
    let comment = pick(fields, "comment", before, owned)?.filter(|comment| !comment.is_empty());
    let most = plan.limits().comment;
    if let Some(comment) = &comment {
        if comment.chars().count() > most {
            return Err(Refusal::bad(
                GENERAL,
                format!("DNS record comment exceeds the limit of {most} characters."),
            ));
        }
        if comment.contains(['\n', '\r']) {
            return Err(Refusal::bad(GENERAL, "DNS record comment must be a single line."));
        }
    }
    Ok(comment)
}

fn tags(fields: &Map<String, Value>, base: Option<&Body>, plan: Plan) -> Result<Vec<String>, Refusal> {
    let list = |value: &Value| value.as_array()?.iter().map(owned).collect::<Option<Vec<String>>>();
    let mut tags = pick(fields, "tags", base.map(|base| base.tags.clone()), list)?.unwrap_or_default();
    for tag in &tags {
        let (name, value) = tag.split_once(':').unwrap_or((tag, ""));
        let is_name = (1..=32).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            && !name.to_ascii_lowercase().starts_with("cf-");
        if !is_name || value.chars().count() > 100 || value.chars().any(char::is_control) {
            return Err(Refusal::bad(GENERAL, "DNS record has a tag that is invalid."));
        }
    }
    tags.sort_by_key(|tag| tag.to_lowercase());
    tags.dedup_by_key(|tag| tag.to_lowercase());
    let quota = plan.limits().tags;
    if tags.len() > quota {
        let words = format!("DNS record has {} tags, exceeding the quota of {quota}.", tags.len());
        return Err(Refusal::bad(9300, words));
    }
    Ok(tags)
}

fn settings(
    kind: &str,
    proxied: bool,
    fields: &Map<String, Value>,
    base: Option<&Body>,
    plan: Plan,
) -> Result<Map<String, Value>, Refusal> {
    let mut all = base.map(|base| base.settings.clone()).unwrap_or_default();
    let asked = match fields.get("settings") {
        None => return Ok(all),
        Some(Value::Null) => return Ok(Map::new()),
        Some(value) => value.as_object().ok_or_else(Refusal::body)?,
    };
    for (key, value) in asked {
        let is_on = match value {
            Value::Null => {
                all.remove(key);
                continue;
            }
            Value::Bool(is_on) => *is_on,
            _ => return Err(Refusal::body()),
        };
        let is_address = matches!(kind, "A" | "AAAA");
        let fits = match key.as_str() {
            "flatten_cname" => kind == "CNAME" && !proxied,
            "ipv4_only" | "ipv6_only" => (is_address || kind == "CNAME") && proxied,
            _ => false,
        };
        let is_known = matches!(key.as_str(), "flatten_cname" | "ipv4_only" | "ipv6_only");
        if !is_known || (is_on && !fits) {
            return Err(Refusal::bad(
                GENERAL,
                format!("The setting {key} is not available to this record."),
            ));
        }
        if is_on && plan == Plan::Free {
            let words = match key.as_str() {
                "flatten_cname" => "The Flatten CNAME setting is not available to this zone.",
                _ => "The IPv4 Only and IPv6 Only settings are not available to this zone.",
            };
            return Err(Refusal::bad(GENERAL, words));
        }
        all.insert(key.clone(), Value::Bool(is_on));
    }
    Ok(all)
}
