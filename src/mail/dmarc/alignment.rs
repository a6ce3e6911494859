//! Identifier alignment (RFC 9989 §4.4, §4.10.2).

use crate::mail::dns::QueryName;

/// How near an authenticated domain must be to the author's (`adkim`, `aspf`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alignment {
    /// The same organizational domain.
    #[default]
    Relaxed,
    /// The same domain.
    Strict,
}

impl Alignment {
    /// The letter in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Relaxed => "r",
            Self::Strict => "s",
        }
    }
}

/// Whether `authenticated` is aligned with `author`, given the organizational domains of both as the tree walk finds
/// them ([`super::Discovery::organizational`]).
pub fn is_aligned(
    alignment: Alignment,
    author: &QueryName,
    author_organization: &QueryName,
    authenticated: &QueryName,
    authenticated_organization: &QueryName,
) -> bool {
    // Identical domains need no organizational domain (§4.10.2).
    if author == authenticated {
        return true;
    }
    alignment == Alignment::Relaxed && author_organization == authenticated_organization
}
