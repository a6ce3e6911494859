//! TXT: one value of any length. Quoting and splitting into strings of 255 octets is how it travels, not what it says;
//! two TXT records are equal when their joined octets are.

use super::error::DataError;
use super::fields::{self, Escapes};
use crate::model::name::DomainName;

/// Octets in one character-string (RFC 1035 §3.3).
const STRING: usize = 255;

/// The value as quoted character-strings of at most 255 octets each.
pub fn character_strings(value: &[u8]) -> String {
    if value.is_empty() {
        return "\"\"".to_owned();
    }
    // Splitting inside a character would make its halves unreadable; only a text is split between characters.
    let mut strings = Vec::new();
    let mut rest = value;
    while !rest.is_empty() {
        let mut at = rest.len().min(STRING);
        if std::str::from_utf8(value).is_ok() {
            while at < rest.len() && at > STRING - 4 && rest[at] & 0xc0 == 0x80 {
                at -= 1;
            }
        }
        let (head, tail) = rest.split_at(at);
        strings.push(fields::quoted(head));
        rest = tail;
    }
    strings.join(" ")
}

/// The joined octets of quoted character-strings (and of bare words, which a zone file allows).
pub fn parse_character_strings(text: &str) -> Result<Vec<u8>, DataError> {
    let fields = fields::split(text, Escapes::Resolved)?;
    if fields.is_empty() {
        return Err(DataError::new(0..text.len(), "there is no text"));
    }
    Ok(fields.into_iter().flat_map(|field| field.bytes).collect())
}

/// How many octets the value takes in a record's data: one more for each character-string.
pub fn wire_length(value: &[u8]) -> usize {
    value.len() + value.len().div_ceil(STRING).max(1)
}

/// The value of a TXT record as a spec or a provider writes it: itself, or character-strings when it stands in quotes.
pub(super) fn parse(text: &str) -> Result<Vec<u8>, DataError> {
    if text.len() > fields::LONGEST {
        return Err(DataError::new(
            0..text.len(),
            "the text is longer than any record can hold",
        ));
    }
    let is_quoted = text.len() >= 2 && text.starts_with('"') && text.ends_with('"');
    let value = if is_quoted {
        parse_character_strings(text)?
    } else {
        text.as_bytes().to_vec()
    };
    if value.is_empty() {
        return Err(DataError::new(0..text.len(), "the text is empty").help("a TXT record says something"));
    }
    Ok(value)
}

/// The value as [`parse`] reads it back: itself where that is safe.
pub(super) fn written(value: &[u8]) -> String {
    let reads_as_strings = |text: &str| text.starts_with('"') && text.ends_with('"');
    match std::str::from_utf8(value) {
        Ok(text) if !text.chars().any(char::is_control) && !reads_as_strings(text) => text.to_owned(),
        _ => character_strings(value),
    }
}

/// The purposes of which a name has only one value.
pub fn purpose(owner: &DomainName, value: &[u8]) -> Option<&'static str> {
    let text = std::str::from_utf8(value).ok()?.trim_start();
    let mut labels = owner.labels();
    let (first, second) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
    // RFC 7208 §4.5: the version ends with a space or with the record.
    if version(text, "v=spf1").is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')) {
        return Some("v=spf1");
    }
    let tagged =
        |wanted: &str| version(text, wanted).is_some_and(|rest| rest.is_empty() || rest.trim_start().starts_with(';'));
    if first == "_dmarc" && tagged("v=DMARC1") {
        return Some("v=DMARC1");
    }
    // RFC 6376 §3.6.1: the version is optional in a key record, the key is not.
    if owner.labels().any(|label| label == "_domainkey") && (tagged("v=DKIM1") || has_key(text)) {
        return Some("v=DKIM1");
    }
    if first == "_mta-sts" && tagged("v=STSv1") {
        return Some("v=STSv1");
    }
    if first == "_smtp" && second == "_tls" && tagged("v=TLSRPTv1") {
        return Some("v=TLSRPTv1");
    }
    None
}

/// What follows `wanted`, with spaces around its equals sign allowed, in any case.
fn version<'a>(text: &'a str, wanted: &str) -> Option<&'a str> {
    let (key, value) = wanted.split_once('=')?;
    let rest = strip_ignoring_case(text, key)?
        .trim_start()
        .strip_prefix('=')?
        .trim_start();
    strip_ignoring_case(rest, value)
}

fn strip_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    if head.eq_ignore_ascii_case(prefix) {
        text.get(prefix.len()..)
    } else {
        None
    }
}

fn has_key(text: &str) -> bool {
    text.split(';')
        .any(|tag| tag.split_once('=').is_some_and(|(key, _)| key.trim() == "p"))
}
