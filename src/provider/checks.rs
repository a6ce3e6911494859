//! What those providers share that keep checks in somebody else's account: knowing a live monitor again, filling in what
//! is kept elsewhere, and never showing a header's value that may be a credential. Knows no service.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::base::secret::{Secret, SecretReference};
use crate::model::address::Address;
use crate::model::contact::Guarded;
use crate::model::monitor::{Monitor, SentText, key_of, tells_a_credential};
use crate::plan::Warning;
use crate::provider::Sought;

/// What is kept at the places that the sought resources name.
pub type Secrets = BTreeMap<SecretReference, Secret>;

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
        let mut found = all.iter().enumerate();
        if let Some((at, _)) = found.find(|(at, live)| same(live, wanted) && is_free(*at, live)) {
            claimed.insert(address);
            claims.insert(at, address.clone());
        }
    }
    claims
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

/// A header's value, shown only when it is no credential.
pub fn header(name: &str, value: String, wanted: Option<&SentText>, secrets: &Secrets) -> SentText {
    match wanted {
        Some(SentText::Guarded(Guarded::Kept(reference)))
            if secrets.get(reference).is_some_and(|secret| secret.expose() == value) =>
        {
            SentText::Guarded(Guarded::Kept(reference.clone()))
        }
        Some(SentText::Plain(text)) if *text == value => SentText::Plain(value),
        Some(SentText::Guarded(_)) => SentText::Guarded(Guarded::Hidden),
        _ if tells_a_credential(name) => SentText::Guarded(Guarded::Hidden),
        _ => SentText::Plain(value),
    }
}

/// The body of a request, shown only where it is what the spec says: what is in another nobody knows. `same` tells whether
/// two bodies say the same.
pub fn body(live: String, wanted: Option<&SentText>, secrets: &Secrets, same: impl Fn(&str, &str) -> bool) -> SentText {
    match wanted {
        Some(SentText::Plain(text)) if same(text, &live) => SentText::Plain(text.clone()),
        Some(SentText::Guarded(Guarded::Kept(reference)))
            if secrets
                .get(reference)
                .is_some_and(|secret| same(secret.expose(), &live)) =>
        {
            SentText::Guarded(Guarded::Kept(reference.clone()))
        }
        Some(SentText::Plain(_)) if !tells_a_credential(&live) => SentText::Plain(live),
        _ => SentText::Guarded(Guarded::Hidden),
    }
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
