//! LOC (RFC 1876): a place on the globe, in whole units, so that equal places are equal.

use std::fmt;

use super::error::DataError;
use super::fields::{Field, Fields};

/// A place. Angles are thousandths of a second of arc, lengths are centimetres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// North is positive. Up to 90 degrees.
    latitude: i64,
    /// East is positive. Up to 180 degrees.
    longitude: i64,
    /// Above the reference spheroid; from -100,000 m to 42,849,672.95 m.
    altitude: i64,
    size: u64,
    horizontal: u64,
    vertical: u64,
}

/// Thousandths of a second in a degree.
const DEGREE: i64 = 3_600_000;
/// The largest length that the wire form holds: 9e9 centimetres.
const LONGEST: i64 = 9_000_000_000;

impl Location {
    pub(super) fn parse(fields: &mut Fields) -> Result<Self, DataError> {
        let latitude = angle(fields, "latitude", 90, [b'N', b'S'])?;
        let longitude = angle(fields, "longitude", 180, [b'E', b'W'])?;
        let altitude = length(fields, "altitude", DEEPEST, 4_284_967_295)?;
        let size = precision(fields, "size", 100)?;
        let horizontal = precision(fields, "horizontal precision", 1_000_000)?;
        let vertical = precision(fields, "vertical precision", 1_000)?;
        Ok(Self {
            latitude,
            longitude,
            altitude,
            size,
            horizontal,
            vertical,
        })
    }
}

/// Where the wire form counts angles from, in thousandths of a second, and altitudes, in centimetres (RFC 1876 §2).
const EQUATOR: i64 = 1 << 31;
const DEEPEST: i64 = -10_000_000;

impl Location {
    /// RFC 1876 §2.
    pub(super) fn to_wire(self) -> [u8; 16] {
        let mut out = [0; 16];
        let precisions = [self.size, self.horizontal, self.vertical].map(digit_and_power);
        out[1..4].copy_from_slice(&precisions);
        let numbers = [
            EQUATOR + self.latitude,
            EQUATOR + self.longitude,
            self.altitude - DEEPEST,
        ];
        for (number, place) in numbers.iter().zip(out[4..].chunks_exact_mut(4)) {
            // Parsing has kept all three within what the form holds.
            place.copy_from_slice(&u32::try_from(*number).unwrap_or_default().to_be_bytes());
        }
        out
    }

    /// `None` for another version, or a place that is none.
    pub(super) fn from_wire(octets: [u8; 16]) -> Option<Self> {
        let number = |at: usize| {
            octets
                .get(at..at + 4)?
                .try_into()
                .ok()
                .map(u32::from_be_bytes)
                .map(i64::from)
        };
        let length = |at: usize| {
            let (digit, power) = (octets[at] >> 4, octets[at] & 0xf);
            (digit <= 9 && power <= 9).then(|| u64::from(digit) * 10_u64.pow(u32::from(power)))
        };
        let place = Self {
            latitude: number(4)? - EQUATOR,
            longitude: number(8)? - EQUATOR,
            altitude: number(12)? + DEEPEST,
            size: length(1)?,
            horizontal: length(2)?,
            vertical: length(3)?,
        };
        let is_one = octets[0] == 0 && place.latitude.abs() <= 90 * DEGREE && place.longitude.abs() <= 180 * DEGREE;
        is_one.then_some(place)
    }
}

fn digit_and_power(centimetres: u64) -> u8 {
    let (mut digit, mut power) = (centimetres, 0);
    while digit >= 10 {
        digit /= 10;
        power += 1;
    }
    u8::try_from(digit).unwrap_or_default() << 4 | power
}

fn angle(fields: &mut Fields, what: &str, most: u32, directions: [u8; 2]) -> Result<i64, DataError> {
    let direction = |field: &Field| match field.bytes.as_slice() {
        [one] if one.eq_ignore_ascii_case(&directions[0]) => Some(1),
        [one] if one.eq_ignore_ascii_case(&directions[1]) => Some(-1),
        _ => None,
    };
    let degrees = fields.number(&format!("{what} in degrees"), most)?;
    let (mut minutes, mut milliseconds) = (0, 0);
    if fields.peek().is_some_and(|field| direction(field).is_none()) {
        minutes = fields.number(&format!("{what} in minutes"), 59)?;
        if fields.peek().is_some_and(|field| direction(field).is_none()) {
            let field = fields.next(&format!("{what} in seconds"))?;
            milliseconds = decimal(field, 3)
                .filter(|milliseconds| (0..60_000).contains(milliseconds))
                .ok_or_else(|| DataError::new(field.span.clone(), "the seconds are a number from 0 to 59.999"))?;
        }
    }
    let [positive, negative] = directions.map(char::from);
    let field = fields.next(&format!("{what}'s direction"))?;
    let sign = direction(field).ok_or_else(|| {
        DataError::new(
            field.span.clone(),
            format!("the {what} ends with {positive} or {negative}"),
        )
    })?;
    let span = field.span.clone();
    let whole = i64::from(degrees) * DEGREE + i64::from(minutes) * 60_000 + milliseconds;
    if whole > i64::from(most) * DEGREE {
        return Err(DataError::new(span, format!("the {what} is more than {most} degrees")));
    }
    Ok(sign * whole)
}

fn length(fields: &mut Fields, what: &str, least: i64, most: i64) -> Result<i64, DataError> {
    let field = fields.next(what)?;
    let bytes = field
        .bytes
        .strip_suffix(b"m")
        .or_else(|| field.bytes.strip_suffix(b"M"))
        .unwrap_or(&field.bytes);
    let bare = Field {
        bytes: bytes.to_vec(),
        ..field.clone()
    };
    decimal(&bare, 2)
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| {
            let bound = |centimetres: i64| format!("{}", centimetres / 100);
            DataError::new(
                field.span.clone(),
                format!("the {what} is in metres, from {} to {}", bound(least), bound(most)),
            )
        })
}

fn precision(fields: &mut Fields, what: &str, usual: u64) -> Result<u64, DataError> {
    if fields.peek().is_none() {
        return Ok(usual);
    }
    let centimetres = length(fields, what, 0, LONGEST)?;
    Ok(as_on_the_wire(u64::try_from(centimetres).unwrap_or(0)))
}

/// The wire form keeps one digit and a power of ten (RFC 1876 §2): more than that would not come back.
fn as_on_the_wire(centimetres: u64) -> u64 {
    let mut power = 1;
    while centimetres / power >= 10 {
        power *= 10;
    }
    centimetres / power * power
}

/// A decimal number as a whole number of its `places`th parts; more places than that are refused.
fn decimal(field: &Field, places: u32) -> Option<i64> {
    let text = std::str::from_utf8(&field.bytes).ok()?;
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = part.trim_end_matches('0');
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || part.len() > places as usize || !digits(whole) || !digits(part) {
        return None;
    }
    let scale = 10_i64.pow(places);
    let filled = format!("{part:0<width$}", width = places as usize);
    let part: i64 = if filled.is_empty() { 0 } else { filled.parse().ok()? };
    Some(sign * (whole.parse::<i64>().ok()? * scale + part))
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let angle = |value: i64, positive: char, negative: char| {
            let whole = value.abs();
            let direction = if value < 0 { negative } else { positive };
            let (degrees, minutes, rest) = (whole / DEGREE, whole % DEGREE / 60_000, whole % 60_000);
            format!("{degrees} {minutes} {}.{:03} {direction}", rest / 1_000, rest % 1_000)
        };
        let metres = |centimetres: i64| {
            let sign = if centimetres < 0 { "-" } else { "" };
            format!("{sign}{}.{:02}m", centimetres.abs() / 100, centimetres.abs() % 100)
        };
        let length = |centimetres: u64| metres(i64::try_from(centimetres).unwrap_or(i64::MAX));
        write!(
            f,
            "{} {} {} {} {} {}",
            angle(self.latitude, 'N', 'S'),
            angle(self.longitude, 'E', 'W'),
            metres(self.altitude),
            length(self.size),
            length(self.horizontal),
            length(self.vertical)
        )
    }
}
