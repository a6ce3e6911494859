//! Contacts: who is told, by one way each.

use super::DeclaredContact;
use crate::base::diagnostic::Diagnostic;
use crate::base::secret::SecretReference;
use crate::base::text;
use crate::model::address::Address;
use crate::model::contact::{Channel, Contact, Guarded, mailbox};
use crate::model::monitor::{key_of, marker};
use crate::spec::lower::Findings;
use crate::spec::raw_uptime as raw;
use crate::spec::shape::Text;

pub(super) fn contacts(block: &raw::Uptime, stack: &str, findings: &mut Findings<'_>) -> Vec<DeclaredContact> {
    let mut all: Vec<DeclaredContact> = Vec::new();
    for (name, contact) in block.contacts.iter().flat_map(|contacts| &contacts.0) {
        let key = key_of(&name.value);
        if let Some(first) = all.iter().find(|first| first.contact.key == key) {
            let address = Address::contact(&key);
            let finding = Diagnostic::error("duplicate-contact", format!("two contacts have the address {address}"))
                .at(findings.place(&name.range))
                .related(findings.place(&first.name.range), "the first one");
            findings.push(finding);
            continue;
        }
        let Some(channel) = channel(name, contact, findings) else {
            continue;
        };
        let marker = channel.guarded().map(|_| marker(stack, &key));
        all.push(DeclaredContact {
            contact: Contact { key, channel, marker },
            name: name.clone(),
        });
    }
    all
}

fn channel(name: &Text, contact: &raw::Contact, findings: &mut Findings<'_>) -> Option<Channel> {
    if contact.keys.len() != 1 {
        let words = "a contact is one of `email`, `slack`, `webhook` and `sms`";
        findings.error("one-channel", &name.range, words);
        return None;
    }
    let kept = |reference: &SecretReference| Guarded::Kept(reference.clone());
    if let Some(email) = &contact.email {
        let address = mailbox(&email.value);
        if address.is_none() {
            let shown = text::shorten(&text::sanitize(&email.value), 60);
            findings.error("bad-mailbox", &email.range, format!("`{shown}` is no mailbox"));
        }
        return address.map(|address| Channel::Email { address });
    }
    if let Some(hook) = &contact.slack {
        return Some(Channel::Slack {
            hook: kept(&hook.value),
        });
    }
    if let Some(url) = &contact.webhook {
        return Some(Channel::Webhook { url: kept(&url.value) });
    }
    let sms = contact.sms.as_ref()?;
    let number: String = sms
        .value
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.'))
        .collect();
    let digits = number.strip_prefix('+').unwrap_or_default();
    if digits.len() < 6 || digits.len() > 15 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        let words = "a telephone number begins with `+` and its country code (E.164)";
        findings.error("bad-number", &sms.range, words);
        return None;
    }
    Some(Channel::Sms { number })
}
