//! Maintenance windows: one of each monitor, the same on each of some days of the week, in a time zone by the name that
//! Rails has for it. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::convert::{list, text};
use crate::model::window::{MINUTES, Repeats, Rest, TimeOfDay, UTC, Weekday, Window};

const DAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "mon"),
    (Weekday::Tuesday, "tue"),
    (Weekday::Wednesday, "wed"),
    (Weekday::Thursday, "thu"),
    (Weekday::Friday, "fri"),
    (Weekday::Saturday, "sat"),
    (Weekday::Sunday, "sun"),
];

/// Zones by their IANA names, with what Rails calls them (`ActiveSupport::TimeZone`). Where two names are one zone there,
/// the first is what is read back.
const ZONES: [(&str, &str); 60] = [
    (UTC, "UTC"),
    ("America/Los_Angeles", "Pacific Time (US & Canada)"),
    ("America/Denver", "Mountain Time (US & Canada)"),
    ("America/Phoenix", "Arizona"),
    ("America/Chicago", "Central Time (US & Canada)"),
    ("America/New_York", "Eastern Time (US & Canada)"),
    ("America/Halifax", "Atlantic Time (Canada)"),
    ("America/Mexico_City", "Mexico City"),
    ("America/Bogota", "Bogota"),
    ("America/Lima", "Lima"),
    ("America/Caracas", "Caracas"),
    ("America/Santiago", "Santiago"),
    ("America/Sao_Paulo", "Brasilia"),
    ("America/Argentina/Buenos_Aires", "Buenos Aires"),
    ("America/Anchorage", "Alaska"),
    ("Pacific/Honolulu", "Hawaii"),
    ("Europe/Dublin", "Dublin"),
    ("Europe/London", "London"),
    ("Europe/Lisbon", "Lisbon"),
    ("Europe/Madrid", "Madrid"),
    ("Europe/Paris", "Paris"),
    ("Europe/Brussels", "Brussels"),
    ("Europe/Amsterdam", "Amsterdam"),
    ("Europe/Copenhagen", "Copenhagen"),
    ("Europe/Berlin", "Berlin"),
    ("Europe/Zurich", "Zurich"),
    ("Europe/Rome", "Rome"),
    ("Europe/Vienna", "Vienna"),
    ("Europe/Prague", "Prague"),
    ("Europe/Bratislava", "Bratislava"),
    ("Europe/Budapest", "Budapest"),
    ("Europe/Belgrade", "Belgrade"),
    ("Europe/Warsaw", "Warsaw"),
    ("Europe/Stockholm", "Stockholm"),
    ("Europe/Helsinki", "Helsinki"),
    ("Europe/Tallinn", "Tallinn"),
    ("Europe/Riga", "Riga"),
    ("Europe/Vilnius", "Vilnius"),
    ("Europe/Athens", "Athens"),
    ("Europe/Sofia", "Sofia"),
    ("Europe/Bucharest", "Bucharest"),
    ("Europe/Istanbul", "Istanbul"),
    ("Europe/Moscow", "Moscow"),
    ("Africa/Cairo", "Cairo"),
    ("Africa/Casablanca", "Casablanca"),
    ("Africa/Nairobi", "Nairobi"),
    ("Asia/Jerusalem", "Jerusalem"),
    ("Asia/Riyadh", "Riyadh"),
    ("Asia/Karachi", "Karachi"),
    ("Asia/Kolkata", "New Delhi"),
    ("Asia/Bangkok", "Bangkok"),
    ("Asia/Jakarta", "Jakarta"),
    ("Asia/Singapore", "Singapore"),
    ("Asia/Hong_Kong", "Hong Kong"),
    ("Asia/Shanghai", "Beijing"),
    ("Asia/Seoul", "Seoul"),
    ("Asia/Tokyo", "Tokyo"),
    ("Australia/Perth", "Perth"),
    ("Australia/Sydney", "Sydney"),
    ("Pacific/Auckland", "Auckland"),
];

/// The name that the service has for a zone.
pub(super) fn rails(zone: &str) -> Option<&'static str> {
    ZONES.iter().find(|(iana, _)| *iana == zone).map(|(_, rails)| *rails)
}

/// The zone behind a name of the service; one that is not known keeps that name.
fn iana(name: &str) -> String {
    let found = ZONES.iter().find(|(_, rails)| *rails == name);
    found.map_or_else(|| name.to_owned(), |(iana, _)| (*iana).to_owned())
}

/// Reads the window of a monitor.
pub(super) fn read(value: &Value) -> BTreeSet<Rest> {
    let time = |key: &str| TimeOfDay::parse(text(value, key)).ok();
    let (Some(from), Some(to)) = (time("maintenance_from"), time("maintenance_to")) else {
        return BTreeSet::new();
    };
    let words: Vec<&str> = list(value, "maintenance_days").filter_map(Value::as_str).collect();
    let days: BTreeSet<Weekday> = DAYS
        .iter()
        .filter(|(_, word)| words.contains(word))
        .map(|(day, _)| *day)
        .collect();
    let minutes = (to.minutes() + MINUTES - from.minutes()) % MINUTES;
    let window = Window {
        repeats: if days.is_empty() || days.len() == DAYS.len() {
            Repeats::Daily
        } else {
            Repeats::Weekly { days }
        },
        at: from,
        minutes: if minutes == 0 { MINUTES } else { minutes },
        zone: match text(value, "maintenance_timezone") {
            "" => UTC.to_owned(),
            name => iana(name),
        },
    };
    [Rest::Own(window)].into()
}

/// What is sent of it; nulls where there is none.
pub(super) fn fields(rests: &BTreeSet<Rest>) -> Map<String, Value> {
    let window = rests.iter().find_map(|rest| match rest {
        Rest::Own(window) => Some(window),
        Rest::Kept(_) => None,
    });
    let Some(window) = window else {
        return Map::from_iter([
            ("maintenance_from".to_owned(), Value::Null),
            ("maintenance_to".to_owned(), Value::Null),
            ("maintenance_days".to_owned(), json!([])),
        ]);
    };
    let days = DAYS.iter().filter(|(day, _)| match &window.repeats {
        Repeats::Weekly { days } => days.contains(day),
        _ => true,
    });
    let (to, _) = window.at.later(window.minutes);
    Map::from_iter([
        ("maintenance_from".to_owned(), json!(format!("{}:00", window.at))),
        ("maintenance_to".to_owned(), json!(format!("{to}:00"))),
        (
            "maintenance_days".to_owned(),
            days.map(|(_, word)| json!(word)).collect(),
        ),
        (
            "maintenance_timezone".to_owned(),
            json!(rails(&window.zone).unwrap_or(&window.zone)),
        ),
    ])
}

/// Why a window cannot be held, with what can be in its place where there is something near.
pub(super) fn lack(window: &mut Window) -> Option<(String, Option<String>)> {
    if matches!(window.repeats, Repeats::Once { .. } | Repeats::Monthly { .. }) {
        let words = "a window comes back each day, or on the same days of each week";
        return Some((words.to_owned(), None));
    }
    if window.minutes > MINUTES {
        return Some(("a window lasts one day at most".to_owned(), None));
    }
    if rails(&window.zone).is_none() {
        let words = format!("{} is none of the time zones that it has a name for", window.zone);
        return Some((words, None));
    }
    let (_, is_overnight) = window.at.later(window.minutes.saturating_sub(1));
    if is_overnight && matches!(window.repeats, Repeats::Weekly { .. }) {
        // The days of such a window would be both, each from its beginning to its end.
        window.minutes = MINUTES - 1 - window.at.minutes();
        let words = "on some days only, a window ends on the day on which it begins";
        return Some((
            words.to_owned(),
            Some(format!("{} minutes, until 23:59", window.minutes)),
        ));
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn window(repeats: Repeats, at: &str, minutes: u32, zone: &str) -> Window {
        Window {
            repeats,
            at: TimeOfDay::parse(at).unwrap(),
            minutes,
            zone: zone.to_owned(),
        }
    }

    #[test]
    fn a_window_reads_back_as_it_was_written() {
        let sunday = Repeats::Weekly {
            days: [Weekday::Sunday, Weekday::Monday].into(),
        };
        for window in [
            window(Repeats::Daily, "23:30", 90, "Europe/Berlin"),
            window(sunday, "03:00", 60, "America/New_York"),
            window(Repeats::Daily, "00:00", MINUTES, UTC),
        ] {
            let rests = BTreeSet::from([Rest::Own(window)]);
            let wire = Value::Object(fields(&rests));
            assert_eq!(read(&wire), rests, "{wire}");
        }
        let there = BTreeSet::from([Rest::Own(window(Repeats::Daily, "23:30", 90, "America/New_York"))]);
        let zone = &fields(&there)["maintenance_timezone"];
        assert_eq!(*zone, "Eastern Time (US & Canada)", "by the name that Rails has for it");
        assert!(read(&Value::Object(fields(&BTreeSet::new()))).is_empty());
    }

    #[test]
    fn what_is_no_window_of_a_week_is_refused() {
        let sunday = || Repeats::Weekly {
            days: [Weekday::Sunday].into(),
        };
        let monthly = Repeats::Monthly { days: [1].into() };
        assert!(lack(&mut window(monthly, "03:00", 60, UTC)).unwrap().1.is_none());
        assert!(lack(&mut window(sunday(), "03:00", 60, "Asia/Nowhere")).is_some());
        let mut late = window(sunday(), "23:00", 120, UTC);
        assert_eq!(lack(&mut late).unwrap().1.unwrap(), "59 minutes, until 23:59");
        assert_eq!(lack(&mut late), None, "the nearest fits");
        assert_eq!(lack(&mut window(Repeats::Daily, "23:00", 120, UTC)), None);
    }
}
