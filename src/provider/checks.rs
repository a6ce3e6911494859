//! What those providers share that keep checks: the form of their requests, knowing a live monitor again, filling in what is
//! kept elsewhere, and never showing a header that may be a credential. Knows no service.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::base::secret::{Secret, SecretReference};
use crate::base::text;
use crate::model::address::Address;
use crate::model::contact::Guarded;
use crate::model::monitor::{Check, Monitor, SentText, key_of};
use crate::model::scope::ScopeName;
use crate::plan::{Change, Refusal, Warning};
use crate::provider::{Sought, Stage, Step, UptimeFacts};

/// What is kept at the places that the sought resources name.
pub type Secrets = BTreeMap<SecretReference, Secret>;

/// A request about checks. They have one scope, one stage and one lane at each provider.
pub fn step(
    provider: &'static str,
    addresses: Vec<Address>,
    (method, path): (&'static str, String),
    summary: String,
    body: Value,
) -> Step {
    Step {
        provider,
        scope: ScopeName::Uptime,
        stage: Stage::Content,
        lane: provider.to_owned(),
        check: None,
        method,
        path,
        summary,
        addresses,
        handles: BTreeMap::new(),
        body,
    }
}

/// Reads every entry of a list. What is not understood is not there for us: neither changed nor deleted, but said.
pub fn understood<T>(
    all: &[Value],
    what: &str,
    read: impl Fn(&Value) -> Result<T, String>,
    odd: &mut Vec<Warning>,
) -> Vec<T> {
    let mut good = Vec::new();
    for value in all {
        match read(value) {
            Ok(one) => good.push(one),
            Err(why) => {
                let message = format!("left alone: a live {what} could not be understood: {why}");
                odd.push(Warning::general("unreadable-resource", message));
            }
        }
    }
    good
}

/// The key of something live that nobody here declared.
pub fn key_beside(name: &str, id: &str) -> String {
    format!("{}-{id}", key_of(name))
}

/// Which live monitor is which: by its marker; else, for what the spec declares and nothing is marked as, by what it
/// asks, as long as no other spec's marker is on it.
pub fn claims(
    all: &[&Monitor],
    sought: &Sought,
    same: impl Fn(&Monitor, &Monitor) -> bool,
) -> BTreeMap<usize, Address> {
    let mut claims: BTreeMap<usize, Address> = BTreeMap::new();
    let mut claimed: BTreeSet<&Address> = BTreeSet::new();
    for (at, live) in all.iter().enumerate() {
        let address = live.marker.as_ref().and_then(|marker| sought.marked("monitor", marker));
        if let Some(address) = address.filter(|address| claimed.insert(address)) {
            claims.insert(at, address.clone());
        }
    }
    for (address, resource) in &sought.resources {
        let Some(wanted) = resource.as_monitor().filter(|_| !claimed.contains(address)) else {
            continue;
        };
        // A check under a new name takes over the monitor of the old one, which the spec no longer declares.
        let is_free = |at: usize, live: &Monitor| match claims.get(&at) {
            Some(holder) => !sought.declared.contains(holder) && sought.declared.contains(address),
            None => live.marker.is_none(),
        };
        let found = all.iter().enumerate();
        let found = found.filter(|(at, live)| same(live, wanted) && is_free(*at, live));
        // Of several that ask the same, the one that is most like it, and of those the first.
        if let Some((at, _)) = found.max_by_key(|(at, live)| (likeness(live, wanted), std::cmp::Reverse(*at))) {
            claimed.insert(address);
            claims.insert(at, address.clone());
        }
    }
    claims
}

/// Monitors that bear a mark of this spec which another one bears too: two applies that knew nothing of each other made
/// both. Which of them goes is for somebody to say.
pub fn marked_twice(all: &[&Monitor], claims: &BTreeMap<usize, Address>, sought: &Sought) -> Vec<Warning> {
    let unclaimed = all.iter().enumerate().filter(|(at, _)| !claims.contains_key(at));
    let twice = unclaimed.filter_map(|(_, live)| {
        let address = sought.marked("monitor", live.marker.as_ref()?)?;
        let words = "is marked on two monitors, and both tell people: delete the one that is listed as unmanaged";
        Some(Warning::about(address, "marked-twice", words))
    });
    twice.collect()
}

/// How alike two are that ask the same: in their names first.
pub fn likeness(live: &Monitor, wanted: &Monitor) -> (bool, usize) {
    let said = [
        live.every == wanted.every,
        live.timeout == wanted.timeout,
        live.paused.unwrap_or(false) == wanted.paused.unwrap_or(false),
        live.check == wanted.check,
        live.verify_tls == wanted.verify_tls,
    ];
    (live.name == wanted.name, said.iter().filter(|same| **same).count())
}

/// How many of the changes do no more than mark a monitor that was made by hand as the spec's.
pub fn adopted(changes: &[Change]) -> Option<Warning> {
    let number = changes.iter().filter(|change| is_only_marked(change)).count();
    let words = "adopted: only marked as this spec's, no field changes";
    (number > 0).then(|| Warning::general("taken-over", format!("{} {words}", text::count(number, "check"))))
}

/// Whether a change does no more than mark a monitor that was made by hand.
pub fn is_only_marked(change: &Change) -> bool {
    let sides = change.before.as_ref().zip(change.after.as_ref());
    let monitors = sides.and_then(|(before, after)| before.as_monitor().zip(after.as_monitor()));
    monitors.is_some_and(|(before, after)| {
        let marked = Monitor {
            marker: after.marker.clone(),
            ..before.clone()
        };
        before.marker.is_none() && after.marker.is_some() && marked == *after
    })
}

/// Refuses to turn a monitor to something else that bears a marker of this spec and that no run of it knows: a spec in
/// the same account with the same project, or with none, marks its own in the same way.
pub fn marked_elsewhere(changes: &[Change], facts: &UptimeFacts) -> Vec<Refusal> {
    let refuse = |change: &Change| {
        let before = change.before.as_ref()?.as_monitor()?;
        let after = change.after.as_ref()?.as_monitor()?;
        let is_known = facts.sought.ever.contains(&change.address);
        let is_others = !is_known && before.marker.is_some() && before.marker == after.marker;
        (is_others && asks_elsewhere(&before.check, &after.check)).then(|| Refusal {
            address: Some(change.address.clone()),
            code: "marked-elsewhere".to_owned(),
            message:
                "a live monitor bears the mark of this check, asks something else, and is in no run of this spec: \
                      another spec may own it"
                    .to_owned(),
            help: "give this spec a `project:` of its own; if the monitor is this spec's after all, apply it with the \
                   address that the monitor asks now, and then change that"
                .to_owned(),
        })
    };
    changes.iter().filter_map(refuse).collect()
}

/// Whether another host, address or name is asked.
fn asks_elsewhere(one: &Check, other: &Check) -> bool {
    match (one, other) {
        (Check::Http(one), Check::Http(other)) => one.url != other.url,
        (Check::Dns(one), Check::Dns(other)) => one.domain != other.domain,
        (Check::Heartbeat(_), Check::Heartbeat(_)) => false,
        _ => one.host().is_none() || one.host() != other.host(),
    }
}

/// The reference by which a value is known, that of `preferred` first: a value can be kept in more than one place.
pub fn kept(value: &str, preferred: Option<&Guarded>, secrets: &Secrets) -> Guarded {
    let first = match preferred {
        Some(Guarded::Kept(reference)) => Some(reference),
        _ => None,
    };
    let is_it = |reference: &&SecretReference| secrets.get(*reference).is_some_and(|secret| secret.expose() == value);
    let found = first.into_iter().chain(secrets.keys()).find(is_it);
    found.cloned().map_or(Guarded::Hidden, Guarded::Kept)
}

/// Headers by which a service is told what it may answer with: what they say is no credential. Not among them is
/// `user-agent`, by which some sites let a monitor in.
const HARMLESS: [&str; 6] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-type",
    "pragma",
];

/// The value of a live header, shown only when it is certainly no credential: when the spec or the history has it written
/// out, or when no header of that name holds one. One that is kept elsewhere is known by where.
pub fn header(name: &str, live: String, wanted: Option<&SentText>, sought: &Sought, secrets: &Secrets) -> SentText {
    if sought.texts.contains(&live) {
        return SentText::Plain(live);
    }
    let holds_a_secret = |secret: &Secret| live.contains(secret.expose());
    match kept(&live, wanted.and_then(SentText::guarded), secrets) {
        Guarded::Hidden if HARMLESS.contains(&name) && !secrets.values().any(holds_a_secret) => SentText::Plain(live),
        guarded => SentText::Guarded(guarded),
    }
}

/// The body of a live request, shown only where the spec or the history has it written out: what is in another nobody
/// knows. `same` tells whether two bodies say the same.
pub fn body(
    live: &str,
    wanted: Option<&SentText>,
    sought: &Sought,
    secrets: &Secrets,
    same: impl Fn(&str, &str) -> bool,
) -> SentText {
    let wanted_text = match wanted {
        Some(SentText::Plain(text)) => Some(text),
        _ => None,
    };
    let mut texts = wanted_text.into_iter().chain(&sought.texts);
    if let Some(text) = texts.find(|text| same(text, live)) {
        return SentText::Plain(text.clone());
    }
    let wanted_reference = match wanted {
        Some(SentText::Guarded(Guarded::Kept(reference))) => Some(reference),
        _ => None,
    };
    let is_it = |reference: &&SecretReference| {
        let secret = secrets.get(*reference);
        secret.is_some_and(|secret| same(secret.expose(), live))
    };
    let found = wanted_reference.into_iter().chain(secrets.keys()).find(is_it);
    SentText::Guarded(found.cloned().map_or(Guarded::Hidden, Guarded::Kept))
}

/// What stands for a key and its text; none when the key tells nothing.
pub type Filling<'a> = dyn Fn(&str, &str) -> Option<Result<Value, String>> + 'a;

/// Puts values where an object with one telling key stands.
pub fn fill(body: &mut Value, with: &Filling<'_>) -> Result<(), String> {
    match body {
        Value::Array(all) => all.iter_mut().try_for_each(|value| fill(value, with)),
        Value::Object(fields) => {
            let only = fields.iter().next().filter(|_| fields.len() == 1);
            let filled = only.and_then(|(key, value)| with(key, value.as_str()?));
            match filled {
                Some(value) => {
                    *body = value?;
                    Ok(())
                }
                None => fields.values_mut().try_for_each(|value| fill(value, with)),
            }
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn known() -> (Sought, Secrets) {
        let mut sought = Sought::default();
        sought.texts.extend(["said".to_owned(), "{\"a\":1}".to_owned()]);
        let of = |name: &str, value: &str| (SecretReference::Env(name.to_owned()), Secret::new(value));
        (sought, [of("A", "canary-one"), of("B", "canary-two")].into())
    }

    #[test]
    fn a_live_value_is_shown_only_when_it_is_certainly_no_credential() {
        let (sought, secrets) = known();
        let kept = |name: &str| SentText::Guarded(Guarded::Kept(SecretReference::Env(name.to_owned())));
        let (hidden, plain) = (SentText::Guarded(Guarded::Hidden), |text: &str| {
            SentText::Plain(text.to_owned())
        });
        let rows = [
            ("x-access", "open-sesame", None, hidden.clone()),
            ("x-access", "open-sesame", Some(plain("other")), hidden.clone()),
            ("user-agent", "open-sesame", None, hidden.clone()),
            ("x-access", "said", None, plain("said")),
            ("x-access", "canary-one", None, kept("A")),
            ("x-access", "canary-two", Some(kept("A")), kept("B")),
            ("x-access", "canary-three", Some(kept("A")), hidden.clone()),
            ("accept", "text/html", None, plain("text/html")),
            ("accept", "canary-one", None, kept("A")),
            ("accept", "text/canary-one", None, hidden.clone()),
        ];
        for (name, live, wanted, shown) in rows {
            let is = header(name, live.to_owned(), wanted.as_ref(), &sought, &secrets);
            assert_eq!(is, shown, "{name}: {live}");
        }
        let same = |one: &str, other: &str| one.replace(' ', "") == other.replace(' ', "");
        let rows = [
            ("{\"user\": 1}", Some(plain("{\"user\": 2}")), hidden.clone()),
            ("{\"user\": 1}", None, hidden),
            ("{ \"a\": 1 }", Some(plain("{\"a\":2}")), plain("{\"a\":1}")),
            ("canary- one", Some(plain("x")), kept("A")),
            ("canary-two", Some(kept("A")), kept("B")),
        ];
        for (live, wanted, shown) in rows {
            assert_eq!(body(live, wanted.as_ref(), &sought, &secrets, same), shown, "{live}");
        }
    }
}
