//! What an answer of an HTTP API amounts to, for every provider alike: given, refused, never sent, or lost. What stands
//! in an answer, and how a service words a refusal, each provider knows for itself.

use reqwest::Method;

use crate::base::secret::scrub;
use crate::base::text;
use crate::provider::http::{Failure, Reply};
use crate::provider::{ApiRefusal, Examination, Finding, ProviderError};

/// The longest message of a service that is repeated, in characters.
const MESSAGE: usize = 400;

/// Why there is no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ApiError {
    /// The API refused in its own words.
    Refused(ApiRefusal),
    /// Nothing was sent.
    NotSent(String),
    /// No answer, or none that can be relied on.
    Lost(String),
}

/// How a provider speaks of its errors.
pub(super) struct Voice {
    /// Its name, for people.
    pub title: &'static str,
    /// What to do about a refusal.
    pub advice: fn(&ApiRefusal) -> Option<&'static str>,
    /// What to do when there is no answer.
    pub silence: &'static str,
}

impl Voice {
    /// What an answer tells of a credential: what was `seen` with it, or why nothing was.
    pub(super) fn examination(&self, subject: String, seen: Result<String, &ApiError>) -> Examination {
        let (finding, detail, fix) = match seen {
            Ok(detail) => (Finding::Good, detail, None),
            Err(ApiError::Refused(refusal)) => (
                Finding::Bad,
                refusal.to_string(),
                (self.advice)(refusal).map(str::to_owned),
            ),
            Err(error) => (
                Finding::Unclear,
                error.words(),
                Some("try again when the network holds".to_owned()),
            ),
        };
        Examination {
            subject,
            finding,
            detail,
            fix,
        }
    }
}

impl ApiError {
    /// What the other side said, in one line.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.to_string(),
            Self::NotSent(words) | Self::Lost(words) => words.clone(),
        }
    }

    /// Whether the API refused the credential or what it may do.
    pub(super) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused(refusal) if matches!(refusal.status, 401 | 403))
    }

    /// Whether there is no such thing.
    pub(super) fn is_not_there(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == 404)
    }

    /// The error of a read: what was being done, what was said, what to do.
    pub(super) fn while_reading(&self, voice: &Voice, what: &str) -> ProviderError {
        let code = match self {
            Self::Refused(_) if self.is_forbidden() => "forbidden",
            Self::Refused(_) => "refused",
            Self::NotSent(_) | Self::Lost(_) => "no-answer",
        };
        let said = format!("could not read {what} at {}: {}", voice.title, self.words());
        let error = ProviderError::new(code, said);
        match self {
            Self::Refused(refusal) => match (voice.advice)(refusal) {
                Some(advice) => error.help(advice),
                None => error,
            },
            Self::NotSent(_) | Self::Lost(_) => error.help(voice.silence),
        }
    }
}

/// An HTTP method by its name in a step.
pub(super) fn method(name: &str) -> Result<Method, ApiError> {
    Method::from_bytes(name.as_bytes()).map_err(|_| ApiError::NotSent(format!("`{name}` is no HTTP method")))
}

/// An answer that is one, whatever it says: not a broken connection, and not a 429, which comes before anything is done.
pub(super) fn arrived(outcome: Result<Reply, Failure>, host: &str) -> Result<Reply, ApiError> {
    match outcome {
        Ok(reply) if reply.status == 429 => Err(ApiError::NotSent(format!(
            "{host} refuses further requests for now (429); nothing was done"
        ))),
        Ok(reply) => Ok(reply),
        Err(Failure::NotSent(words)) => Err(ApiError::NotSent(words)),
        Err(Failure::Lost(words)) => Err(ApiError::Lost(words)),
    }
}

/// Whether a status says that nothing was done. A 408 does not: the server gave up waiting, and may have begun.
pub(super) fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status) && status != 408
}

/// An answer that is not a good one: a refusal, or one that leaves open what was done.
pub(super) fn not_good(refusal: ApiRefusal, host: &str) -> ApiError {
    if is_refusal(refusal.status) {
        ApiError::Refused(refusal)
    } else {
        ApiError::Lost(format!("{host} answered {refusal}"))
    }
}

/// A service's own words, safe to show: bounded, without control characters and without a credential.
pub(super) fn shown(message: &str) -> String {
    match message.trim() {
        "" => "no reason given".to_owned(),
        message => text::shorten(&scrub(&text::sanitize(message)), MESSAGE),
    }
}

/// The beginning of a body that is no JSON, in place of a message.
pub(super) fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sure_no_is_a_refusal() {
        let judged = |status| {
            let refusal = ApiRefusal {
                status,
                code: String::new(),
                message: shown("  \u{1b}[31mno "),
            };
            not_good(refusal, "api.example")
        };
        for status in [400, 401, 404, 422, 499] {
            let error = judged(status);
            assert!(
                matches!(&error, ApiError::Refused(refusal) if refusal.message.contains("\\u{1b}[31mno")),
                "{error:?}"
            );
        }
        for status in [301, 408, 500, 502] {
            assert!(matches!(judged(status), ApiError::Lost(_)), "{status}");
        }
        let reply = Reply {
            status: 429,
            body: Vec::new(),
        };
        assert!(matches!(arrived(Ok(reply), "api.example"), Err(ApiError::NotSent(_))));
    }

    #[test]
    fn what_a_service_repeats_of_a_credential_is_not_shown() {
        let _loaded = crate::base::secret::Secret::new("canary-in-an-answer");
        let words = shown("the token canary-in-an-answer is unknown");
        assert_eq!(words, "the token [credential] is unknown");
    }
}
