//! Alert contacts: who is told when a check fails. What is secret in one (the address of a webhook) is known here by
//! where it is kept and by nothing else: no value and no digest of one is in a plan, a journal or a before-image.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::secret::SecretReference;

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The last part of its address.
    pub key: String,
    /// Who or what is told.
    #[serde(flatten)]
    pub channel: Channel,
    /// What marks it at the provider as ours, where its address alone does not tell who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// Who or what is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "channel", rename_all = "snake_case")]
pub enum Channel {
    /// A mailbox.
    Email {
        /// Its address, the domain in lower case.
        address: String,
    },
    /// A channel at Slack, by an incoming webhook.
    Slack {
        /// The webhook's address, which is a credential.
        hook: Guarded,
    },
    /// An HTTP endpoint.
    Webhook {
        /// Its address, which may be a credential.
        url: Guarded,
    },
    /// A telephone number.
    Sms {
        /// The number, with nothing but a plus and digits.
        number: String,
    },
    /// Something that this version does not know: it is live and left alone.
    Other {
        /// The provider's word for it.
        what: String,
    },
}

impl Channel {
    /// The word for its kind.
    pub fn kind(&self) -> &str {
        match self {
            Self::Email { .. } => "e-mail",
            Self::Slack { .. } => "slack",
            Self::Webhook { .. } => "webhook",
            Self::Sms { .. } => "sms",
            Self::Other { what } => what,
        }
    }

    /// What of it is kept elsewhere.
    pub fn guarded(&self) -> Option<&Guarded> {
        match self {
            Self::Slack { hook } => Some(hook),
            Self::Webhook { url } => Some(url),
            Self::Email { .. } | Self::Sms { .. } | Self::Other { .. } => None,
        }
    }
}

/// A value that is not written down: where it is kept, or that it is another than the one kept there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Guarded {
    /// The value that is kept there. A live one is this when it is the same as what is kept there now.
    Kept(SecretReference),
    /// Some other value, which nobody here knows and which can therefore not be restored.
    Hidden,
}

/// How a value is written that nobody knows.
const HIDDEN: &str = "another value, not shown";

impl fmt::Display for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept(reference) => reference.fmt(f),
            Self::Hidden => f.write_str(HIDDEN),
        }
    }
}

impl TryFrom<String> for Guarded {
    type Error = crate::base::secret::SecretReferenceError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == HIDDEN {
            return Ok(Self::Hidden);
        }
        text.parse().map(Self::Kept)
    }
}

impl From<Guarded> for String {
    fn from(guarded: Guarded) -> Self {
        guarded.to_string()
    }
}

/// A mailbox in canonical form: the domain in lower case, the rest as it is (RFC 5321 §2.4). `None` for what is none.
pub fn mailbox(text: &str) -> Option<String> {
    let (local, domain) = text.trim().rsplit_once('@')?;
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | ',' | ';' | '@');
    let well_formed = !local.is_empty() && local.chars().all(is_plain) && domain.contains('.') && text.len() <= 254;
    let domain = crate::model::name::DomainName::parse(domain)
        .ok()
        .filter(|_| well_formed)?;
    Some(format!("{local}@{domain}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_guarded_reads_back_and_holds_no_value() {
        let kept = Guarded::Kept("env:SLACK".parse().unwrap());
        for guarded in [kept, Guarded::Hidden] {
            let text = serde_json::to_string(&guarded).unwrap();
            assert_eq!(serde_json::from_str::<Guarded>(&text).unwrap(), guarded);
        }
        assert!(serde_json::from_str::<Guarded>("\"https://hooks.slack.example/T1/B2/xyz\"").is_err());
    }

    #[test]
    fn mailboxes_that_mean_the_same_are_equal() {
        assert_eq!(mailbox("Ops@Acme.EXAMPLE"), mailbox("Ops@acme.example"));
        assert_ne!(mailbox("Ops@acme.example"), mailbox("ops@acme.example"));
        for bad in [
            "",
            "ops",
            "@acme.example",
            "ops@acme",
            "a b@acme.example",
            "Ops <ops@acme.example>",
        ] {
            assert_eq!(mailbox(bad), None, "{bad}");
        }
    }
}
