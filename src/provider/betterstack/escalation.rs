//! Who is told, between the contacts of a spec and the escalation policies that Better Stack has. A mailbox is a policy of
//! one step with one member of the team. Several contacts of one monitor, or a delay, are a policy of their own: it is
//! known by what stands in it, is never changed, and goes when the last monitor that it tells of does. Pure.
//!
//! What nobody here declared has keys that say by themselves what they mean: `on-call-email` for the person on call,
//! `ops@acme.example` for a member of the team, `expiry-KEY` where somebody else is told of what expires.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::convert::{id_of, list, text};
use crate::model::address::Address;
use crate::model::contact::mailbox;
use crate::model::monitor::Alerting;

/// Stands in a body for an id that is known only when the request is made, as a text; its argument is the address of a
/// contact or the name of a policy.
pub(super) const ID: &str = "$id";
/// The same as a number: which of the two is wanted differs from field to field (facts B7).
pub(super) const NUMBER: &str = "$number";

/// How often a policy is said again: the service counts, and knows no "until it is over".
pub(super) const REPEATS: u32 = 10;

/// Contacts with when they are told.
pub(super) type Contacts = BTreeMap<String, Alerting>;

/// The ways to tell the person on call where there is no policy.
const FLAGS: [&str; 4] = ["call", "email", "push", "sms"];
const ON_CALL: &str = "on-call-";
const EXPIRY: &str = "expiry-";
/// No policy for what expires: the service writes to the whole team.
const EXPIRY_BY_DEFAULT: &str = "expiry-team";

/// Who is told of a monitor, as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The policy, by its id.
    pub policy: Option<String>,
    /// Who is told of what expires.
    pub expiry: Expiry,
    /// Without a policy: how the person on call is told.
    pub on_call: BTreeSet<&'static str>,
}

/// Who is told of a certificate or a domain that ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Expiry {
    /// The service does not say.
    #[default]
    NotSaid,
    /// Whoever it usually is.
    ByDefault,
    /// A policy, by its id.
    Policy(String),
}

/// Reads who is told.
pub(super) fn told(value: &Value) -> Told {
    let is_on = |flag: &&&'static str| value.get(**flag).and_then(Value::as_bool) == Some(true);
    Told {
        policy: value.get("policy_id").and_then(id_of),
        expiry: match value.get("expiration_policy_id") {
            None => Expiry::NotSaid,
            Some(id) => id_of(id).map_or(Expiry::ByDefault, Expiry::Policy),
        },
        on_call: FLAGS.iter().filter(is_on).copied().collect(),
    }
}

/// A policy of a monitor of ours, in terms of contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shared {
    pub id: String,
    pub name: String,
    pub contacts: Contacts,
    /// Which monitors it tells of.
    pub users: BTreeSet<String>,
}

/// In the contacts' terms. `named` says what a policy is by its id.
pub(super) fn contacts(told: &Told, named: &dyn Fn(&str) -> Contacts) -> Contacts {
    let once = |key: String| (key, Alerting::default());
    let other = |id: &str| named(id).into_keys().map(|key| once(format!("{EXPIRY}{key}")));
    let mut all: Contacts = match &told.policy {
        Some(id) => named(id),
        None => told
            .on_call
            .iter()
            .map(|flag| once(format!("{ON_CALL}{flag}")))
            .collect(),
    };
    match (&told.policy, &told.expiry) {
        (Some(policy), Expiry::Policy(expiry)) if policy != expiry => all.extend(other(expiry)),
        (Some(_), Expiry::ByDefault) => all.extend([once(EXPIRY_BY_DEFAULT.to_owned())]),
        (None, Expiry::Policy(expiry)) => all.extend(other(expiry)),
        _ => {}
    }
    all
}

/// What a contact is to a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Member {
    /// A mailbox: a member of the team.
    Mailbox(String),
    /// An outgoing webhook, by the address of its contact.
    Hook(Address),
    /// A policy by itself: it cannot be one of several.
    Policy,
}

/// How a monitor is told of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    /// What is sent with the monitor.
    pub fields: Map<String, Value>,
    /// The contacts that share a policy of their own.
    pub shared: Option<Contacts>,
}

/// What is sent so that these contacts are told. `member` says what a key is, `name` calls the policy of several.
pub(super) fn plan(contacts: &Contacts, member: &dyn Fn(&str) -> Member, name: &dyn Fn(&Contacts) -> String) -> Plan {
    let (expiry, main): (Contacts, Contacts) = contacts
        .iter()
        .map(|(key, alerting)| (key.clone(), *alerting))
        .partition(|(key, _)| key.starts_with(EXPIRY) && !is_contact(key, member));
    let flags: BTreeSet<&str> = main.keys().filter_map(|key| key.strip_prefix(ON_CALL)).collect();
    let is_of_flags = flags.iter().all(|flag| FLAGS.contains(flag)) && flags.len() == main.len();
    let mut fields = Map::new();
    let mut shared = None;
    let (policy, number) = if is_of_flags {
        for flag in FLAGS {
            fields.insert(flag.to_owned(), json!(flags.contains(flag)));
        }
        (Value::Null, Value::Null)
    } else {
        let place = match main.iter().next() {
            Some((key, alerting)) if main.len() == 1 && *alerting == Alerting::default() && is_policy(key, member) => {
                Address::contact(key).to_string()
            }
            _ => {
                shared = Some(main.clone());
                name(&main)
            }
        };
        (json!({ ID: place }), json!({ NUMBER: place }))
    };
    let number = match expiry.keys().next() {
        None => number,
        Some(key) if key == EXPIRY_BY_DEFAULT => Value::Null,
        Some(key) => json!({ NUMBER: Address::contact(&key[EXPIRY.len()..]).to_string() }),
    };
    fields.insert("policy_id".to_owned(), policy);
    fields.insert("expiration_policy_id".to_owned(), number);
    Plan { fields, shared }
}

fn is_contact(key: &str, member: &dyn Fn(&str) -> Member) -> bool {
    matches!(member(key), Member::Hook(_) | Member::Mailbox(_))
}

/// A mailbox that is nobody's contact has no policy.
fn is_policy(key: &str, member: &dyn Fn(&str) -> Member) -> bool {
    match member(key) {
        Member::Mailbox(_) => !key.contains('@'),
        Member::Policy => true,
        Member::Hook(_) => false,
    }
}

/// The body of a policy. Steps come in the order of their delays, each telling how long after the one before.
pub(super) fn body(name: &str, contacts: &Contacts, member: &dyn Fn(&str) -> Member) -> Value {
    let delays: BTreeSet<u32> = contacts.values().map(|alerting| alerting.after).collect();
    let mut before = 0;
    let steps = delays.into_iter().map(|after| {
        let told = contacts.iter().filter(|(_, alerting)| alerting.after == after);
        let members: Vec<Value> = told
            .map(|(key, _)| match member(key) {
                Member::Mailbox(address) => json!({ "type": "user", "email": address }),
                Member::Hook(address) => json!({ "type": "webhook", "id": { NUMBER: address.to_string() } }),
                Member::Policy => json!({ "type": "policy", "id": { NUMBER: Address::contact(key).to_string() } }),
            })
            .collect();
        let wait = (after - before).saturating_mul(60);
        before = after;
        json!({ "type": "escalation", "wait_before": wait, "step_members": members })
    });
    let steps: Vec<Value> = steps.collect();
    let repeat = contacts
        .values()
        .map(|alerting| alerting.repeat)
        .max()
        .unwrap_or_default();
    json!({
        "name": name,
        "repeat_count": if repeat > 0 { REPEATS } else { 0 },
        "repeat_delay": repeat.saturating_mul(60),
        "steps": steps,
    })
}

/// The contacts of a policy that is no more than what [`body`] makes. `key` says which contact a member is: by its
/// mailbox, or by the id of a webhook.
pub(super) fn read(policy: &Value, key: &dyn Fn(&Named<'_>) -> Option<String>) -> Option<Contacts> {
    let number = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_u64)
            .and_then(|n| u32::try_from(n).ok())
    };
    let delay = number(policy, "repeat_delay").unwrap_or_default();
    let repeat = match number(policy, "repeat_count").unwrap_or_default() {
        0 => 0,
        REPEATS if delay > 0 && delay.is_multiple_of(60) => delay / 60,
        _ => return None,
    };
    let is_plain = policy.get("fallback_policy_id").is_none_or(Value::is_null);
    let (mut contacts, mut after) = (Contacts::new(), 0_u32);
    for step in list(policy, "steps") {
        let wait = number(step, "wait_before")?;
        if text(step, "type") != "escalation" || !wait.is_multiple_of(60) {
            return None;
        }
        after = after.checked_add(wait / 60)?;
        for member in list(step, "step_members") {
            let named = match text(member, "type") {
                "user" => Named::Mailbox(text(member, "email")),
                "webhook" => Named::Hook(member.get("id").and_then(id_of)?),
                _ => return None,
            };
            let double = contacts.insert(key(&named)?, Alerting { after, repeat });
            if double.is_some() {
                return None;
            }
        }
    }
    (is_plain && !contacts.is_empty()).then_some(contacts)
}

/// A member of a live policy.
pub(super) enum Named<'v> {
    /// A member of the team, by the mailbox.
    Mailbox(&'v str),
    /// An outgoing webhook, by its id.
    Hook(String),
}

/// The mailbox of a policy that tells one member of the team at once, and does nothing else.
pub(super) fn mailbox_of(policy: &Value) -> Option<String> {
    let key = |named: &Named<'_>| match named {
        Named::Mailbox(address) => mailbox(address),
        Named::Hook(_) => None,
    };
    let contacts = read(policy, &key)?;
    let (address, alerting) = contacts.into_iter().next()?;
    (list(policy, "steps")
        .flat_map(|step| list(step, "step_members"))
        .count()
        == 1
        && alerting == Alerting::default())
    .then_some(address)
}

/// The contacts in words, in the name of a policy.
pub(super) fn words(contacts: &Contacts) -> String {
    let one = |(key, alerting): (&String, &Alerting)| {
        let mut words = key.clone();
        if alerting.after > 0 {
            words.push_str(&format!(" after {} min", alerting.after));
        }
        if alerting.repeat > 0 {
            words.push_str(&format!(" each {} min", alerting.repeat));
        }
        words
    };
    let all: Vec<String> = contacts.iter().map(one).collect();
    all.join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn member(key: &str) -> Member {
        match key {
            "ops" => Member::Mailbox("ops@acme.example".into()),
            "chat" => Member::Hook(Address::contact("chat")),
            _ => Member::Policy,
        }
    }

    fn contacts(all: &[(&str, u32, u32)]) -> Contacts {
        let one = |(key, after, repeat): &(&str, u32, u32)| {
            (
                (*key).to_owned(),
                Alerting {
                    after: *after,
                    repeat: *repeat,
                },
            )
        };
        all.iter().map(one).collect()
    }

    #[test]
    fn a_policy_reads_back_as_the_contacts_that_it_was_made_of() {
        for wanted in [
            contacts(&[("ops", 0, 0), ("chat", 0, 0)]),
            contacts(&[("ops", 10, 60), ("chat", 0, 60)]),
            contacts(&[("chat", 5, 0)]),
            contacts(&[("chat", 5, 0), ("ops", 15, 0)]),
        ] {
            let body = body("p", &wanted, &member);
            let waits = list(&body, "steps").filter_map(|step| step["wait_before"].as_u64());
            let last = wanted.values().map(|alerting| u64::from(alerting.after) * 60).max();
            assert_eq!(Some(waits.sum::<u64>()), last, "each waits after the one before");
            // As it reads: ids in place of holes, and both ways to name a member of the team.
            let read_as = body.to_string().replace(r#"{"$number":"uptime/contact/chat"}"#, "7");
            let key = |named: &Named<'_>| match named {
                Named::Mailbox("ops@acme.example") => Some("ops".to_owned()),
                Named::Hook(id) if id == "7" => Some("chat".to_owned()),
                _ => None,
            };
            assert_eq!(read(&serde_json::from_str(&read_as).unwrap(), &key), Some(wanted));
        }
        // What is more than that is not taken apart: it would be changed into what it is not.
        let user = json!([{ "type": "user", "email": "ops@acme.example" }]);
        let step = |kind: &str| json!([{ "type": kind, "wait_before": 0, "step_members": user }]);
        let ops = |_: &Named<'_>| Some("ops".to_owned());
        assert!(read(&json!({ "steps": step("escalation") }), &ops).is_some());
        for policy in [
            json!({ "steps": step("time_branching") }),
            json!({ "steps": step("metadata_branching") }),
            json!({ "steps": step("escalation"), "fallback_policy_id": 7 }),
        ] {
            assert_eq!(read(&policy, &ops), None, "{policy}");
        }
    }

    #[test]
    fn what_the_person_on_call_gets_is_given_back_as_it_was() {
        let told = told(
            &json!({ "policy_id": null, "expiration_policy_id": null, "email": true, "push": false, "call": true }),
        );
        let seen = super::contacts(&told, &|_| Contacts::new());
        assert_eq!(words(&seen), "on-call-call, on-call-email");
        let plan = plan(&seen, &member, &|_| String::new());
        assert_eq!(plan.fields["call"], json!(true));
        assert_eq!(
            (&plan.fields["sms"], &plan.fields["policy_id"]),
            (&json!(false), &Value::Null)
        );
    }

    #[test]
    fn with_a_policy_the_person_on_call_is_not_told() {
        let told = told(&json!({ "policy_id": "1", "email": true, "call": true }));
        let seen = super::contacts(&told, &|_| contacts(&[("night", 0, 0)]));
        assert_eq!(words(&seen), "night");
    }

    #[test]
    fn whoever_is_told_of_what_expires_is_given_back_too() {
        let named = |id: &str| contacts(&[(if id == "1" { "night-1" } else { "day-2" }, 0, 0)]);
        for (value, keys) in [
            (
                json!({ "policy_id": "1", "expiration_policy_id": 2 }),
                "expiry-day-2, night-1",
            ),
            (
                json!({ "policy_id": 1, "expiration_policy_id": null }),
                "expiry-team, night-1",
            ),
            (json!({ "policy_id": "1", "expiration_policy_id": 1 }), "night-1"),
            (json!({ "policy_id": "1" }), "night-1"),
        ] {
            let seen = super::contacts(&told(&value), &named);
            assert_eq!(words(&seen), keys);
            let fields = plan(&seen, &member, &|_| String::new()).fields;
            assert_eq!(fields["policy_id"], json!({ ID: "uptime/contact/night-1" }));
            let expiry = match keys {
                "expiry-day-2, night-1" => json!({ NUMBER: "uptime/contact/day-2" }),
                "expiry-team, night-1" => Value::Null,
                _ => json!({ NUMBER: "uptime/contact/night-1" }),
            };
            assert_eq!(fields["expiration_policy_id"], expiry);
        }
    }
}
