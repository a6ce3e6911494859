//! A zone file's fields: words between spaces, and character-strings between quotes (RFC 1035 §5.1).

use std::ops::Range;

use super::error::DataError;

/// The longest data that is read, in bytes: more than any record can hold on the wire.
pub(super) const LONGEST: usize = 64 * 1024 * 4;

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// Its bytes, quotes and escapes resolved.
    pub(super) bytes: Vec<u8>,
    /// Where it stands, quotes included.
    pub(super) span: Range<usize>,
    /// Whether it stood in quotes.
    pub(super) quoted: bool,
}

impl Field {
    /// The field as text.
    pub(super) fn text(&self) -> Result<&str, DataError> {
        std::str::from_utf8(&self.bytes)
            .map_err(|_| DataError::new(self.span.clone(), "bytes that are no text cannot stand here"))
    }
}

/// Fields, read one after another.
pub(super) struct Fields {
    all: Vec<Field>,
    at: usize,
    end: usize,
    form: &'static str,
}

impl Fields {
    /// Splits `text`. `form` says in errors what was expected.
    pub(super) fn split(text: &str, form: &'static str) -> Result<Self, DataError> {
        Ok(Self {
            all: split(text, Escapes::Resolved)?,
            at: 0,
            end: text.len(),
            form,
        })
    }

    /// The next field; `what` names it in errors.
    pub(super) fn next(&mut self, what: &str) -> Result<&Field, DataError> {
        let (end, form) = (self.end, self.form);
        let field = self.all.get(self.at).ok_or_else(|| {
            DataError::new(end..end, format!("the {what} is missing")).help(format!("expected {form}"))
        })?;
        self.at += 1;
        Ok(field)
    }

    /// The next field, if there is one.
    pub(super) fn peek(&self) -> Option<&Field> {
        self.all.get(self.at)
    }

    /// A whole number up to `most`.
    pub(super) fn number(&mut self, what: &str, most: u32) -> Result<u32, DataError> {
        let field = self.next(what)?.clone();
        number(&field, what, most)
    }

    /// A `u16`.
    pub(super) fn short(&mut self, what: &str) -> Result<u16, DataError> {
        let most = u32::from(u16::MAX);
        Ok(u16::try_from(self.number(what, most)?).unwrap_or(u16::MAX))
    }

    /// A `u8`.
    pub(super) fn byte(&mut self, what: &str) -> Result<u8, DataError> {
        let most = u32::from(u8::MAX);
        Ok(u8::try_from(self.number(what, most)?).unwrap_or(u8::MAX))
    }

    /// All that is left, joined: long keys and digests may be split by spaces.
    pub(super) fn rest(&mut self, what: &str) -> Result<Field, DataError> {
        let mut whole = self.next(what)?.clone();
        for field in self.all.get(self.at..).unwrap_or_default() {
            whole.bytes.extend_from_slice(&field.bytes);
            whole.span.end = field.span.end;
        }
        self.at = self.all.len();
        Ok(whole)
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), DataError> {
        match (self.all.get(self.at), self.all.last()) {
            (Some(first), Some(last)) => {
                let span = first.span.start..last.span.end;
                Err(DataError::new(span, "there is more than belongs here").help(format!("expected {}", self.form)))
            }
            _ => Ok(()),
        }
    }
}

/// A whole number up to `most`, digits only.
pub(super) fn number(field: &Field, what: &str, most: u32) -> Result<u32, DataError> {
    let text = field.text()?;
    let is_number = !text.is_empty() && text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse::<u64>()
        .ok()
        .filter(|_| is_number)
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| *number <= most)
        .ok_or_else(|| {
            DataError::new(
                field.span.clone(),
                format!("the {what} is a whole number from 0 to {most}"),
            )
        })
}

/// What becomes of a backslash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// `\"` is a quote and `\065` is an A.
    Resolved,
    /// Kept, in words and in quotes alike, since another syntax beneath has escapes of its own (SVCB values).
    Kept,
}

/// Words and character-strings. A quote in the middle of a word belongs to it (`alpn="h3,h2"`).
pub(super) fn split(text: &str, escapes: Escapes) -> Result<Vec<Field>, DataError> {
    if text.len() > LONGEST {
        return Err(DataError::new(
            0..text.len(),
            format!("the data has {} bytes; {LONGEST} is the most", text.len()),
        ));
    }
    let bytes = text.as_bytes();
    let mut fields = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let start = at;
        let quoted = *byte == b'"';
        let (content, end) = if quoted {
            string(text, at, escapes)?
        } else {
            word(text, at, escapes)?
        };
        at = end;
        fields.push(Field {
            bytes: content,
            span: start..at,
            quoted,
        });
    }
    Ok(fields)
}

/// A character-string from its opening quote.
fn string(text: &str, start: usize, escapes: Escapes) -> Result<(Vec<u8>, usize), DataError> {
    let bytes = text.as_bytes();
    let mut content = Vec::new();
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            None => return Err(DataError::new(start..start + 1, "this quote is never closed")),
            Some(b'"') => return Ok((content, at + 1)),
            Some(b'\\') if escapes == Escapes::Resolved => at = escape(text, at, &mut content)?,
            Some(b'\\') => at = keep(bytes, at, &mut content),
            Some(byte) => {
                content.push(*byte);
                at += 1;
            }
        }
    }
}

fn word(text: &str, start: usize, escapes: Escapes) -> Result<(Vec<u8>, usize), DataError> {
    let bytes = text.as_bytes();
    let mut content = Vec::new();
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | 0x0c => break,
            b'"' => {
                let (inner, end) = string(text, at, escapes)?;
                content.extend_from_slice(&inner);
                at = end;
            }
            b'\\' if escapes == Escapes::Resolved => at = escape(text, at, &mut content)?,
            b'\\' => at = keep(bytes, at, &mut content),
            byte => {
                content.push(*byte);
                at += 1;
            }
        }
    }
    Ok((content, at.min(bytes.len())))
}

/// A backslash and what it escapes, both as they are.
fn keep(bytes: &[u8], at: usize, content: &mut Vec<u8>) -> usize {
    content.push(b'\\');
    content.extend(bytes.get(at + 1));
    at + 2
}

/// `\DDD` is an octet by its number, `\X` is X.
fn escape(text: &str, at: usize, content: &mut Vec<u8>) -> Result<usize, DataError> {
    let bytes = text.as_bytes();
    let digits = bytes
        .get(at + 1..at + 4)
        .filter(|digits| digits.iter().all(u8::is_ascii_digit));
    if let Some(digits) = digits {
        let number = digits
            .iter()
            .fold(0_u16, |number, digit| number * 10 + u16::from(digit - b'0'));
        let octet = u8::try_from(number)
            .map_err(|_| DataError::new(at..at + 4, format!("`\\{number}` is no octet: 255 is the most")))?;
        content.push(octet);
        return Ok(at + 4);
    }
    match text.get(at + 1..).and_then(|rest| rest.chars().next()) {
        None => Err(DataError::new(at..at + 1, "a backslash at the end escapes nothing")),
        Some(c) => {
            content.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            Ok(at + 1 + c.len_utf8())
        }
    }
}

/// A character-string in quotes, printable: quotes and backslashes escaped, other octets by their number unless the
/// whole is UTF-8 without control characters.
pub(super) fn quoted(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            for c in text.chars() {
                match c {
                    '"' | '\\' => out.extend(['\\', c]),
                    c if c.is_ascii_control() => out.push_str(&format!("\\{:03}", u32::from(c))),
                    c => out.push(c),
                }
            }
        }
        Err(_) => {
            for byte in bytes {
                match byte {
                    b'"' | b'\\' => out.extend(['\\', char::from(*byte)]),
                    0x20..=0x7e => out.push(char::from(*byte)),
                    byte => out.push_str(&format!("\\{byte:03}")),
                }
            }
        }
    }
    out.push('"');
    out
}
