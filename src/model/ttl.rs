//! How long an answer may be kept. Canonical form: seconds, or the provider's own automatic value.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Ttl {
    /// The provider decides (Cloudflare: `1`, served as 300 seconds).
    #[default]
    Auto,
    /// Seconds, up to 2^31 - 1 (RFC 2181 §8).
    Seconds(u32),
}

/// Why a text is no TTL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no TTL: write `auto`, seconds (300), or a duration such as 5m, 1h, 2d")]
pub struct TtlError(String);

impl Ttl {
    /// The most that DNS allows (RFC 2181 §8), in seconds.
    pub const MAX: u32 = 0x7fff_ffff;

    /// Reads `auto`, seconds, or units s, m, h, d and w, which may be joined (`1h30m`).
    pub fn parse(text: &str) -> Result<Self, TtlError> {
        if text.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        parse_seconds(text)
            .and_then(|seconds| u32::try_from(seconds).ok())
            .filter(|seconds| *seconds <= Self::MAX)
            .map(Self::Seconds)
            .ok_or_else(|| TtlError(text.to_owned()))
    }
}

/// A duration in seconds from `300`, `5m`, `1h30m`; `None` for anything else.
pub fn parse_seconds(text: &str) -> Option<u64> {
    if text.is_empty() || !text.is_ascii() {
        return None;
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    let mut total: u64 = 0;
    let mut digits = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(digits.parse::<u64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
    }
    digits.is_empty().then_some(total)
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Auto => f.write_str("auto"),
            Self::Seconds(0) => f.write_str("0"),
            Self::Seconds(n) if n % 86_400 == 0 => write!(f, "{}d", n / 86_400),
            Self::Seconds(n) if n % 3_600 == 0 => write!(f, "{}h", n / 3_600),
            Self::Seconds(n) if n % 60 == 0 => write!(f, "{}m", n / 60),
            Self::Seconds(n) => write!(f, "{n}s"),
        }
    }
}

impl TryFrom<String> for Ttl {
    type Error = TtlError;
    fn try_from(text: String) -> Result<Self, TtlError> {
        Self::parse(&text)
    }
}

impl From<Ttl> for String {
    fn from(ttl: Ttl) -> Self {
        ttl.to_string()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_same_time_are_equal_and_read_back() {
        for same in ["300", "5m", "300s", "4m60s"] {
            assert_eq!(Ttl::parse(same).unwrap(), Ttl::Seconds(300));
        }
        assert_eq!(Ttl::parse("1h30m").unwrap(), Ttl::Seconds(5_400));
        assert_eq!(Ttl::parse("AUTO").unwrap(), Ttl::Auto);
        for seconds in [0, 1, 59, 60, 61, 3_600, 86_400, 90_061, Ttl::MAX] {
            assert_eq!(
                Ttl::parse(&Ttl::Seconds(seconds).to_string()).unwrap(),
                Ttl::Seconds(seconds)
            );
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in ["", "m", "5x", "-1", "5m3", "99999999999", "1.5h", "٣"] {
            assert!(Ttl::parse(bad).is_err(), "{bad}");
        }
    }
}
