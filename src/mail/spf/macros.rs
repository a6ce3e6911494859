//! Macros (RFC 7208 §7): read with their places, and expanded for one client and sender.

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;

use super::parse::SyntaxError;

/// A macro's letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Letter {
    /// `s`: the sender.
    Sender,
    /// `l`: the sender's local part.
    Local,
    /// `o`: the sender's domain.
    SenderDomain,
    /// `d`: the domain whose record is evaluated.
    Domain,
    /// `i`: the client's address, made for names.
    Ip,
    /// `p`: the client's validated name.
    ValidatedName,
    /// `v`: `in-addr` or `ip6`.
    Family,
    /// `h`: the HELO name.
    Helo,
    /// `c`: the client's address for people; explanations only.
    PrintedIp,
    /// `r`: the receiving host; explanations only.
    Receiver,
    /// `t`: the time; explanations only.
    Time,
}

impl Letter {
    fn from_byte(byte: u8, place: Setting) -> Option<Self> {
        Some(match (byte.to_ascii_lowercase(), place) {
            (b's', _) => Self::Sender,
            (b'l', _) => Self::Local,
            (b'o', _) => Self::SenderDomain,
            (b'd', _) => Self::Domain,
            (b'i', _) => Self::Ip,
            (b'p', _) => Self::ValidatedName,
            (b'v', _) => Self::Family,
            (b'h', _) => Self::Helo,
            (b'c', Setting::Explanation) => Self::PrintedIp,
            (b'r', Setting::Explanation) => Self::Receiver,
            (b't', Setting::Explanation) => Self::Time,
            _ => return None,
        })
    }

    fn as_char(self) -> char {
        match self {
            Self::Sender => 's',
            Self::Local => 'l',
            Self::SenderDomain => 'o',
            Self::Domain => 'd',
            Self::Ip => 'i',
            Self::ValidatedName => 'p',
            Self::Family => 'v',
            Self::Helo => 'h',
            Self::PrintedIp => 'c',
            Self::Receiver => 'r',
            Self::Time => 't',
        }
    }
}

/// Where a macro-string stands: some letters belong to explanations, and so do spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// In a record.
    Record,
    /// In the text that an `exp` points to.
    Explanation,
}

/// `%{…}`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Macro {
    /// What it stands for.
    pub letter: Letter,
    /// Whether the outcome is escaped as in a URL (an upper-case letter).
    pub escaped: bool,
    /// How many parts are kept, from the right; all when it is not said.
    pub keep: Option<u32>,
    /// Whether the parts are put in the opposite order.
    pub reversed: bool,
    /// What separates parts; a dot when none is given.
    pub delimiters: String,
}

/// A part of a macro-string.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// Text that stands for itself.
    Literal(String),
    /// `%%`, a percent sign.
    Percent,
    /// `%_`, a space.
    Space,
    /// `%-`, a space as URLs write it.
    UrlSpace,
    /// `%{…}`
    Macro(Macro),
}

/// A text with macros in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct MacroString {
    /// Its parts in order.
    pub parts: Vec<Part>,
}

/// What macros stand for in one evaluation.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The sender's local part.
    pub local: &'a str,
    /// The sender's domain.
    pub sender_domain: &'a str,
    /// The domain whose record is evaluated.
    pub domain: &'a str,
    /// The client.
    pub ip: IpAddr,
    /// The HELO name.
    pub helo: &'a str,
    /// The client's validated name, or `unknown`.
    pub validated: &'a str,
    /// The receiving host, or `unknown`.
    pub receiver: &'a str,
    /// The time in seconds since 1970.
    pub time: u64,
}

impl MacroString {
    /// Reads `text`, which stands at `offset` in its record. All errors are reported; what is wrong is left out.
    pub(super) fn parse(text: &str, offset: usize, setting: Setting) -> (Self, Vec<SyntaxError>) {
        let mut reader = Reader {
            text,
            offset,
            setting,
            parts: Vec::new(),
            literal: String::new(),
            errors: Vec::new(),
        };
        reader.read();
        (Self { parts: reader.parts }, reader.errors)
    }

    /// The text, when it has no macro in it (escapes are resolved).
    pub fn literal(&self) -> Option<String> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Percent => out.push('%'),
                Part::Space => out.push(' '),
                Part::UrlSpace => out.push_str("%20"),
                Part::Macro(_) => return None,
            }
        }
        Some(out)
    }

    /// Whether a macro of this letter stands in it.
    pub fn uses(&self, letter: Letter) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Macro(found) if found.letter == letter))
    }

    /// Whether the outcome depends on the client or the message, not only on the domain being evaluated.
    pub fn depends_on_message(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Macro(found) if found.letter != Letter::Domain))
    }

    /// The text for one evaluation.
    pub fn expand(&self, values: &Values<'_>) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Percent => out.push('%'),
                Part::Space => out.push(' '),
                Part::UrlSpace => out.push_str("%20"),
                Part::Macro(found) => out.push_str(&found.expand(values)),
            }
        }
        out
    }
}

impl Macro {
    fn expand(&self, values: &Values<'_>) -> String {
        let value = match self.letter {
            Letter::Sender => format!("{}@{}", values.local, values.sender_domain),
            Letter::Local => values.local.to_owned(),
            Letter::SenderDomain => values.sender_domain.to_owned(),
            Letter::Domain => values.domain.to_owned(),
            Letter::Ip => dotted(values.ip),
            Letter::ValidatedName => values.validated.to_owned(),
            Letter::Family => (if values.ip.is_ipv4() { "in-addr" } else { "ip6" }).to_owned(),
            Letter::Helo => values.helo.to_owned(),
            Letter::PrintedIp => values.ip.to_string(),
            Letter::Receiver => values.receiver.to_owned(),
            Letter::Time => values.time.to_string(),
        };
        let value = self.transform(&value);
        if self.escaped { url_escaped(&value) } else { value }
    }

    /// Splits at the delimiters, turns round, keeps parts from the right, joins with dots (RFC 7208 §7.3).
    fn transform(&self, value: &str) -> String {
        let delimiters = if self.delimiters.is_empty() {
            "."
        } else {
            &self.delimiters
        };
        let mut parts: Vec<&str> = value.split(|c| delimiters.contains(c)).collect();
        if self.reversed {
            parts.reverse();
        }
        let keep = self
            .keep
            .map_or(parts.len(), |keep| usize::try_from(keep).unwrap_or(usize::MAX));
        parts[parts.len().saturating_sub(keep)..].join(".")
    }
}

/// An address as names write it: dotted quad, or 32 nibbles between dots (RFC 7208 §7.3).
pub(super) fn dotted(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let nibbles: Vec<String> = address
                .octets()
                .iter()
                .flat_map(|octet| [octet >> 4, octet & 15])
                .map(|nibble| format!("{nibble:X}"))
                .collect();
            nibbles.join(".")
        }
    }
}

/// Everything but unreserved characters as `%XX` (RFC 3986 §2.3).
fn url_escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

struct Reader<'a> {
    text: &'a str,
    offset: usize,
    setting: Setting,
    parts: Vec<Part>,
    literal: String,
    errors: Vec<SyntaxError>,
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut at = 0;
        while let Some(c) = self.text.get(at..).and_then(|rest| rest.chars().next()) {
            if c == '%' {
                at = self.percent(at);
                continue;
            }
            let allowed = c.is_ascii_graphic() || (c == ' ' && self.setting == Setting::Explanation);
            if allowed {
                self.literal.push(c);
            } else {
                self.refuse(at..at + c.len_utf8(), character_rule(c));
            }
            at += c.len_utf8();
        }
        self.flush();
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.parts.push(Part::Literal(std::mem::take(&mut self.literal)));
        }
    }

    fn refuse(&mut self, range: Range<usize>, message: impl Into<String>) {
        let range = self.offset + range.start..self.offset + range.end;
        self.errors.push(SyntaxError::new(range, message));
    }

    fn push(&mut self, part: Part) {
        self.flush();
        self.parts.push(part);
    }

    /// What starts with a percent sign at `at`; gives the place after it.
    fn percent(&mut self, at: usize) -> usize {
        let bytes = self.text.as_bytes();
        match bytes.get(at + 1) {
            Some(b'%') => self.push(Part::Percent),
            Some(b'_') => self.push(Part::Space),
            Some(b'-') => self.push(Part::UrlSpace),
            Some(b'{') => return self.braces(at),
            _ => {
                let rule = "a `%` is followed by `{`, `%`, `_` or `-` (RFC 7208 §7.1)";
                self.refuse(at..at + 1, rule);
                return at + 1;
            }
        }
        at + 2
    }

    fn braces(&mut self, at: usize) -> usize {
        let inside = at + 2;
        let Some(length) = self.text.get(inside..).and_then(|rest| rest.find('}')) else {
            self.refuse(at..self.text.len(), "this macro is never closed: `}` is missing");
            return self.text.len();
        };
        let end = inside + length;
        let text = self.text.get(inside..end).unwrap_or_default();
        match read_macro(text, self.setting) {
            Ok(found) => self.push(Part::Macro(found)),
            Err(message) => self.refuse(at..end + 1, message),
        }
        end + 1
    }
}

/// What stands between the braces: a letter, digits, `r`, delimiters (RFC 7208 §7.1).
fn read_macro(text: &str, setting: Setting) -> Result<Macro, String> {
    let first = text.bytes().next().ok_or("a macro has a letter between its braces")?;
    let letter = Letter::from_byte(first, setting).ok_or_else(|| letter_rule(text))?;
    let rest = text.get(1..).unwrap_or_default();
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = rest.split_at(digits);
    let keep = match number {
        "" => None,
        // More parts than any value has: a number too long for the type means «all» as well.
        number => Some(number.parse::<u32>().unwrap_or(u32::MAX)),
    };
    if keep == Some(0) {
        return Err("the number of parts that a macro keeps is at least 1 (RFC 7208 §7.1)".to_owned());
    }
    let (reversed, delimiters) = match rest.strip_prefix(['r', 'R']) {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    if let Some(bad) = delimiters.chars().find(|c| !".-+,/_=".contains(*c)) {
        return Err(format!(
            "`{}` is no delimiter of a macro; `. - + , / _ =` are (RFC 7208 §7.1)",
            bad.escape_default()
        ));
    }
    Ok(Macro {
        letter,
        escaped: first.is_ascii_uppercase(),
        keep,
        reversed,
        delimiters: delimiters.to_owned(),
    })
}

fn letter_rule(text: &str) -> String {
    let shown: String = text.chars().take(1).flat_map(char::escape_default).collect();
    if matches!(shown.as_str(), "c" | "r" | "t" | "C" | "R" | "T") {
        format!("the macro letter `{shown}` belongs to explanations only (RFC 7208 §7.2)")
    } else {
        format!("`{shown}` is no macro letter; `s l o d i p v h` are (RFC 7208 §7.2)")
    }
}

fn character_rule(c: char) -> String {
    if c.is_ascii() {
        format!(
            "the character `{}` cannot stand here; terms are separated by spaces only",
            c.escape_default()
        )
    } else {
        "SPF records are ASCII only (RFC 7208 §3.1)".to_owned()
    }
}

impl fmt::Display for MacroString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Literal(text) => f.write_str(text)?,
                Part::Percent => f.write_str("%%")?,
                Part::Space => f.write_str("%_")?,
                Part::UrlSpace => f.write_str("%-")?,
                Part::Macro(found) => write!(f, "{found}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Macro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = self.letter.as_char();
        let letter = if self.escaped {
            letter.to_ascii_uppercase()
        } else {
            letter
        };
        write!(f, "%{{{letter}")?;
        if let Some(keep) = self.keep {
            write!(f, "{keep}")?;
        }
        if self.reversed {
            f.write_str("r")?;
        }
        write!(f, "{}}}", self.delimiters)
    }
}
