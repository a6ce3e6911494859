//! UptimeRobot's JSON of contacts and maintenance windows, to the neutral form and back. Pure.

use serde_json::{Map, Value, json};

use super::convert::{id, list, number, text, unescape};
use super::wire::SECRET;
use crate::model::contact::{Channel, Guarded, mailbox};
use crate::model::monitor::MARK;
use crate::model::window::{Repeats, TimeOfDay, UTC, Weekday, Window};

/// A contact as it was read. Its value may be a credential: it goes no further than the comparison.
#[derive(Clone, PartialEq)]
pub(super) struct LiveContact {
    /// The provider's id.
    pub id: String,
    /// Which list it is in.
    pub list: &'static str,
    /// The provider's word for its kind.
    pub kind: String,
    /// Its name there.
    pub name: String,
    /// Where messages go.
    pub value: String,
    /// Whether somebody still has to confirm it.
    pub is_unconfirmed: bool,
}

/// The list of personal contacts.
pub(super) const CONTACTS: &str = "alert-contacts";
/// The list of integrations.
pub(super) const INTEGRATIONS: &str = "integrations";

/// The list of maintenance windows.
pub(super) const WINDOWS: &str = "maintenance-windows";

/// A maintenance window as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LiveWindow {
    /// The provider's id.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// When it is.
    pub window: Window,
    /// Whether it adds every monitor to itself.
    pub is_for_all: bool,
}

/// Reads a contact of a list.
pub(super) fn contact(list: &'static str, value: &Value) -> Result<LiveContact, String> {
    Ok(LiveContact {
        id: id(value).ok_or("it has no id")?,
        list,
        kind: text(value, "type").to_owned(),
        name: unescape(text(value, "friendlyName")),
        value: unescape(text(value, "value")),
        is_unconfirmed: text(value, "status") == "NotActivated",
    })
}

impl LiveContact {
    /// What it is, where `kept` says by which reference a value is known.
    pub(super) fn channel(&self, kept: impl Fn(&str) -> Guarded) -> Channel {
        let guarded = || kept(&self.value);
        match (self.list, self.kind.to_ascii_lowercase().as_str()) {
            (CONTACTS, "email" | "e-mail") => match mailbox(&self.value) {
                Some(address) => Channel::Email { address },
                None => Channel::Other {
                    what: self.kind.clone(),
                },
            },
            (CONTACTS, "prosms" | "sms") => Channel::Sms {
                number: self.value.chars().filter(|c| *c == '+' || c.is_ascii_digit()).collect(),
            },
            (INTEGRATIONS, "slack") => Channel::Slack { hook: guarded() },
            (INTEGRATIONS, "webhook") => Channel::Webhook { url: guarded() },
            _ => Channel::Other {
                what: self.kind.clone(),
            },
        }
    }
}

/// Where a contact is made, and what is sent.
pub(super) fn contact_to_wire(channel: &Channel, name: &str) -> Option<(&'static str, Value)> {
    let secret = |guarded: &Guarded| match guarded {
        Guarded::Kept(reference) => json!({ SECRET: reference.to_string() }),
        Guarded::Hidden => Value::Null,
    };
    Some(match channel {
        Channel::Email { address } => (
            CONTACTS,
            json!({ "type": "Email", "value": address, "enableNotificationsFor": 0 }),
        ),
        Channel::Slack { hook } => {
            let data = json!({
                "friendlyName": name, "enableNotificationsFor": "UpAndDown", "sslExpirationReminder": true,
                "webhookURL": secret(hook), "customValue": "",
            });
            (INTEGRATIONS, json!({ "type": "Slack", "data": data }))
        }
        Channel::Webhook { url } => {
            let data = json!({
                "friendlyName": name, "enableNotificationsFor": "UpAndDown", "sslExpirationReminder": true,
                "urlToNotify": secret(url), "sendAsJSON": true,
                "postValue": r#"{"monitor":"*monitorFriendlyName*","url":"*monitorURL*","alert":"*alertTypeFriendlyName*"}"#,
            });
            (INTEGRATIONS, json!({ "type": "Webhook", "data": data }))
        }
        Channel::Sms { .. } | Channel::Other { .. } => return None,
    })
}

impl LiveContact {
    /// Whether it was made here, by what it is called.
    pub(super) fn is_ours(&self) -> bool {
        is_marker(&self.name)
    }
}

/// Whether a name is one that we give.
pub(super) fn is_marker(name: &str) -> bool {
    name.strip_prefix(MARK).is_some_and(|rest| rest.starts_with('-'))
}

/// Reads a maintenance window.
pub(super) fn window(value: &Value) -> Result<LiveWindow, String> {
    let days = || list(value, "days").filter_map(Value::as_i64);
    let repeats = match text(value, "interval") {
        "once" => text(value, "date")
            .get(..10)
            .and_then(|date| date.parse().ok())
            .map(|date| Repeats::Once { date }),
        "daily" => Some(Repeats::Daily),
        "weekly" => {
            let day = |day: i64| {
                usize::try_from(day - 1)
                    .ok()
                    .and_then(|at| Weekday::ALL.get(at).copied())
            };
            Some(Repeats::Weekly {
                days: days().filter_map(day).collect(),
            })
        }
        "monthly" => Some(Repeats::Monthly {
            days: days().filter_map(|day| i8::try_from(day).ok()).collect(),
        }),
        _ => None,
    };
    // One that is paused, or that this version cannot say, is different from whatever is wanted.
    let is_active = text(value, "status") != "paused";
    let zone = match repeats {
        Some(_) if is_active => UTC,
        Some(_) => "paused",
        None => "not understood",
    };
    Ok(LiveWindow {
        id: id(value).ok_or("it has no id")?,
        name: unescape(text(value, "name")),
        is_for_all: value.get("autoAddMonitors") == Some(&Value::Bool(true)),
        window: Window {
            repeats: repeats.unwrap_or(Repeats::Daily),
            at: TimeOfDay::parse(text(value, "time")).unwrap_or(TimeOfDay::MIDNIGHT),
            minutes: number(value, "duration").unwrap_or_default(),
            zone: zone.to_owned(),
        },
    })
}

/// What is sent of a maintenance window.
pub(super) fn window_to_wire(window: &Window, name: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    put("name", json!(name));
    put("time", json!(format!("{}:00", window.at)));
    put("duration", json!(window.minutes));
    let interval = match &window.repeats {
        Repeats::Once { date } => {
            put("date", json!(date.to_string()));
            "once"
        }
        Repeats::Daily => "daily",
        Repeats::Weekly { days } => {
            put("days", days.iter().map(|day| json!(day.number())).collect());
            "weekly"
        }
        Repeats::Monthly { days } => {
            put("days", json!(days));
            "monthly"
        }
    };
    put("interval", json!(interval));
    fields
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_contact_reads_back_as_what_it_was_made_of() {
        let reference: crate::base::secret::SecretReference = "env:HOOK".parse().unwrap();
        let kept = |value: &str| match value {
            "https://hook.example/a?b=1&c=2" => Guarded::Kept(reference.clone()),
            _ => Guarded::Hidden,
        };
        // What was sent as `webhookURL` or `urlToNotify` is read as `value`, escaped.
        let live = |kind: &str| json!({ "id": 7, "type": kind, "friendlyName": "A &amp; B", "value": "https://hook.example/a?b=1&amp;c=2" });
        for (kind, channel) in [
            (
                "Slack",
                Channel::Slack {
                    hook: Guarded::Kept(reference.clone()),
                },
            ),
            (
                "Webhook",
                Channel::Webhook {
                    url: Guarded::Kept(reference.clone()),
                },
            ),
        ] {
            let read = contact(INTEGRATIONS, &live(kind)).unwrap();
            assert_eq!((read.name.as_str(), read.channel(kept)), ("A & B", channel));
        }
        let mailbox =
            json!({ "id": 8, "type": "Email", "value": "Ops@Acme.example", "enableNotificationsFor": "UpAndDown" });
        let read = contact(CONTACTS, &mailbox).unwrap();
        let address = "Ops@acme.example".to_owned();
        assert_eq!(read.channel(kept), Channel::Email { address });
    }

    #[test]
    fn a_window_reads_back_as_it_was_written() {
        let at = TimeOfDay::parse("02:30").unwrap();
        for repeats in [
            Repeats::Once {
                date: "2026-12-01".parse().unwrap(),
            },
            Repeats::Daily,
            Repeats::Weekly {
                days: [Weekday::Monday, Weekday::Sunday].into(),
            },
            Repeats::Monthly { days: [1, -1].into() },
        ] {
            let wanted = Window {
                repeats,
                at,
                minutes: 30,
                zone: UTC.to_owned(),
            };
            let mut live = window_to_wire(&wanted, "nightly");
            live.insert("id".to_owned(), json!(3));
            let read = |live: &Map<String, Value>| window(&Value::Object(live.clone())).unwrap().window;
            assert_eq!(read(&live), wanted);
            live.insert("status".to_owned(), json!("paused"));
            assert_ne!(read(&live), wanted, "one that is paused lets nobody rest");
        }
        let weekly = json!({ "id": 1, "interval": "weekly", "days": [1, 7], "time": "02:30:00", "duration": 30 });
        let days = [Weekday::Monday, Weekday::Sunday].into();
        assert_eq!(window(&weekly).unwrap().window.repeats, Repeats::Weekly { days });
    }
}
