//! Maintenance windows: when checks are expected to fail.

use std::collections::BTreeSet;

use super::DeclaredWindow;
use crate::base::diagnostic::Diagnostic;
use crate::base::text;
use crate::model::address::Address;
use crate::model::monitor::{key_of, marker};
use crate::model::window::{MINUTES, Maintenance, Repeats, UTC, Weekday, Window};
use crate::spec::lower::Findings;
use crate::spec::raw_uptime::{self as raw, Repeat};
use crate::spec::shape::Text;

/// All windows of the block.
pub(super) fn windows(block: &raw::Uptime, stack: &str, findings: &mut Findings<'_>) -> Vec<DeclaredWindow> {
    let mut all: Vec<DeclaredWindow> = Vec::new();
    for (name, entry) in block.maintenance.iter().flat_map(|windows| &windows.0) {
        let key = key_of(&name.value);
        if let Some(first) = all.iter().find(|first| first.maintenance.key == key) {
            let address = Address::maintenance(&key);
            let finding = Diagnostic::error("duplicate-window", format!("two windows have the address {address}"))
                .at(findings.place(&name.range))
                .related(findings.place(&first.name.range), "the first one");
            findings.push(finding);
            continue;
        }
        let Some(window) = window(entry, findings) else {
            continue;
        };
        let marker = Some(marker(stack, &key));
        all.push(DeclaredWindow {
            maintenance: Maintenance { key, window, marker },
            name: name.clone(),
        });
    }
    all
}

fn window(entry: &raw::Maintenance, findings: &mut Findings<'_>) -> Option<Window> {
    let repeats = repeats(entry, findings);
    let (at, lasts) = (entry.begins.as_ref()?.value, entry.lasts.as_ref()?);
    let minutes = lasts.value.0 / 60;
    if minutes == 0 || !lasts.value.0.is_multiple_of(60) || minutes > 31 * MINUTES {
        let words = "write whole minutes, from 1m to 31d";
        findings.error("bad-window", &lasts.range, words);
        return None;
    }
    let zone = match &entry.zone {
        Some(zone) => zone_name(zone, findings)?,
        None => UTC.to_owned(),
    };
    Some(Window {
        repeats: repeats?,
        at,
        minutes,
        zone,
    })
}

/// The shape of a name in the IANA time zone database; whether there is such a zone, the service knows.
fn zone_name(zone: &Text, findings: &mut Findings<'_>) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+');
    let parts: Vec<&str> = zone.value.split('/').collect();
    let is_well_formed = parts.len() <= 3 && parts.iter().all(|part| !part.is_empty() && part.chars().all(is_plain));
    let begins = zone.value.starts_with(|c: char| c.is_ascii_uppercase());
    if !is_well_formed || !begins || (parts.len() == 1 && zone.value != UTC) {
        let shown = text::shorten(&text::sanitize(&zone.value), 60);
        let words = format!("`{shown}` is no time zone: write UTC, or a name such as Europe/Berlin");
        findings.error("bad-zone", &zone.range, words);
        return None;
    }
    Some(zone.value.clone())
}

fn repeats(entry: &raw::Maintenance, findings: &mut Findings<'_>) -> Option<Repeats> {
    let at = |key: &str| entry.keys.get(key).unwrap_or(&entry.at).clone();
    let wants_days = match (&entry.date, &entry.repeat) {
        (Some(date), None) => {
            if entry.days.is_some() {
                findings.error(
                    "bad-window",
                    &at("days"),
                    "one day has no `days`: they belong to `repeat`",
                );
            }
            return Some(Repeats::Once { date: date.value });
        }
        (None, Some(repeat)) => repeat.value,
        _ if entry.keys.contains_key("date") != entry.keys.contains_key("repeat") => return None,
        _ => {
            findings.error("bad-window", &at("repeat"), "a window has one of `date` and `repeat`");
            return None;
        }
    };
    let days = entry.days.as_ref().map(|days| days.0.as_slice()).unwrap_or_default();
    match wants_days {
        Repeat::Daily => {
            if entry.days.is_some() {
                findings.error("bad-window", &at("days"), "every day has no `days`");
            }
            Some(Repeats::Daily)
        }
        _ if days.is_empty() => {
            if entry.days.is_some() || !entry.keys.contains_key("days") {
                let words = "it does not say on which days: name them under `days`";
                findings.error("bad-window", &at("repeat"), words);
            }
            None
        }
        Repeat::Weekly => {
            let read = |day: &Text, findings: &mut Findings<'_>| {
                let word = day.value.to_ascii_lowercase();
                let found = Weekday::ALL.into_iter().find(|known| known.as_str() == word);
                if found.is_none() {
                    findings.error("bad-window", &day.range, "this is no day of the week: monday to sunday");
                }
                found
            };
            let all: BTreeSet<Weekday> = days.iter().filter_map(|day| read(day, findings)).collect();
            (!all.is_empty()).then_some(Repeats::Weekly { days: all })
        }
        Repeat::Monthly => {
            let read = |day: &Text, findings: &mut Findings<'_>| {
                let found = match day.value.as_str() {
                    "last" => Some(-1),
                    number => number.parse().ok().filter(|number| (1..=31).contains(number)),
                };
                if found.is_none() {
                    findings.error("bad-window", &day.range, "this is no day of a month: 1 to 31, or last");
                }
                found
            };
            let all: BTreeSet<i8> = days.iter().filter_map(|day| read(day, findings)).collect();
            (!all.is_empty()).then_some(Repeats::Monthly { days: all })
        }
    }
}
