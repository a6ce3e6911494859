//! Maintenance windows: times in which a check is expected to fail and nobody is told. Some services keep them by
//! themselves, others as a part of each monitor. Knows no provider and no clock.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A window that a service keeps by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// The last part of its address.
    pub key: String,
    /// When it is.
    #[serde(flatten)]
    pub window: Window,
    /// What marks it at the provider as ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// A window of a monitor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    /// One that the service keeps by itself, by its key.
    Kept(String),
    /// One that is a part of the monitor.
    Own(Window),
}

/// When something rests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Window {
    /// On which days.
    #[serde(flatten)]
    pub repeats: Repeats,
    /// When it begins.
    pub at: TimeOfDay,
    /// Minutes that it lasts.
    pub minutes: u32,
    /// The time zone of all that, by its IANA name.
    pub zone: String,
}

/// The time zone of a window that says none.
pub const UTC: &str = "UTC";

/// The days of a window.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "repeats", rename_all = "snake_case")]
pub enum Repeats {
    /// One day.
    Once {
        /// Which.
        date: Date,
    },
    /// Every day.
    Daily,
    /// Some days of every week.
    Weekly {
        /// Which.
        days: BTreeSet<Weekday>,
    },
    /// Some days of every month.
    Monthly {
        /// Which: 1 to 31, and -1 for the last one.
        days: BTreeSet<i8>,
    },
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it all")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// All, in the order of ISO 8601: the first is 1.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }

    /// Its number by ISO 8601: 1 for Monday.
    pub fn number(self) -> u8 {
        Self::ALL
            .iter()
            .zip(1..)
            .find(|(day, _)| **day == self)
            .map_or(1, |(_, number)| number)
    }
}

/// A time of day, to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

/// Why a text is no time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no time of day: write HH:MM, such as 02:00")]
pub struct TimeError;

impl TimeOfDay {
    /// Reads `02:00`, or `02:00:00`, as some services write it.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let text = text.strip_suffix(":00").filter(|rest| rest.len() == 5).unwrap_or(text);
        let (hour, minute) = text.split_once(':').ok_or(TimeError)?;
        let number = |digits: &str| -> Result<u16, TimeError> {
            let is_plain = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
            is_plain.then(|| digits.parse().ok()).flatten().ok_or(TimeError)
        };
        match (number(hour)?, number(minute)?) {
            (hour @ 0..=23, minute @ 0..=59) => Ok(Self(hour * 60 + minute)),
            _ => Err(TimeError),
        }
    }

    /// The beginning of a day.
    pub const MIDNIGHT: Self = Self(0);

    /// Minutes since the day began.
    pub fn minutes(self) -> u32 {
        u32::from(self.0)
    }

    /// So many minutes later, and whether that is on the next day or beyond.
    pub fn later(self, minutes: u32) -> (Self, bool) {
        let end = u32::from(self.0) + minutes;
        let of_day = u16::try_from(end % MINUTES).unwrap_or_default();
        (Self(of_day), end >= MINUTES)
    }
}

/// Minutes of a day.
pub const MINUTES: u32 = 24 * 60;

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        Self::parse(&text)
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |all: Vec<String>| all.join(" and ");
        let on = match &self.repeats {
            Repeats::Once { date } => format!("on {date}"),
            Repeats::Daily => "daily".to_owned(),
            Repeats::Weekly { days } => format!(
                "every {}",
                list(days.iter().map(|day| day.as_str().to_owned()).collect())
            ),
            Repeats::Monthly { days } => {
                let word = |day: &i8| {
                    if *day < 0 {
                        "the last".to_owned()
                    } else {
                        format!("the {day}.")
                    }
                };
                format!("every month on {}", list(days.iter().map(word).collect()))
            }
        };
        write!(f, "{on} at {} for {} min ({})", self.at, self.minutes, self.zone)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_forms_and_nothing_else_is() {
        let two = TimeOfDay::parse("02:00").unwrap();
        assert_eq!(TimeOfDay::parse("02:00:00"), Ok(two));
        assert_eq!(two.to_string(), "02:00");
        for bad in ["", "2:00", "24:00", "02:60", "0200", "02:00:30", "+2:00", "02:00:00:00"] {
            assert!(TimeOfDay::parse(bad).is_err(), "{bad}");
        }
        let late = TimeOfDay::parse("23:30").unwrap();
        assert_eq!(late.later(29), (TimeOfDay::parse("23:59").unwrap(), false));
        assert_eq!(late.later(90), (TimeOfDay::parse("01:00").unwrap(), true));
    }

    #[test]
    fn a_window_reads_back() {
        let window = Window {
            repeats: Repeats::Weekly {
                days: [Weekday::Sunday].into(),
            },
            at: TimeOfDay::parse("03:00").unwrap(),
            minutes: 90,
            zone: UTC.to_owned(),
        };
        let text = serde_json::to_string(&Rest::Own(window.clone())).unwrap();
        assert_eq!(serde_json::from_str::<Rest>(&text).unwrap(), Rest::Own(window.clone()));
        assert_eq!(window.to_string(), "every sunday at 03:00 for 90 min (UTC)");
        assert_eq!(Weekday::Sunday.number(), 7);
    }
}
