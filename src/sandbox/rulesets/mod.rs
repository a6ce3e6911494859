//! Rulesets (facts §5): the rules of a zone or of the account, one entry point a phase. [`validate`] checks one rule,
//! [`store`] keeps them with their versions, [`requests`] carries out what is asked, on trial first.

mod caching;
mod expression;
mod foreign;
mod parameters;
mod phases;
mod positions;
mod ratelimit;
mod requests;
mod store;
#[cfg(test)]
mod tests;
mod validate;

use super::tokens::Permission;
pub(super) use phases::Home;
pub(super) use requests::answer;
pub(super) use store::Rulesets;

/// What is asked for, beneath `/zones/{zone}/rulesets` or `/accounts/{account}/rulesets`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path<'a> {
    /// All of them.
    All,
    /// One.
    One(Named<'a>),
    /// Its rules, to which one is added.
    Rules(&'a str),
    /// One of its rules.
    Rule(&'a str, &'a str),
    /// Its versions.
    Versions(Named<'a>),
    /// One of its versions.
    Version(Named<'a>, &'a str),
}

/// A ruleset, by its id or by the phase whose entry point it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named<'a> {
    Id(&'a str),
    Phase(&'a str),
}

impl<'a> Path<'a> {
    /// What the segments after `rulesets` mean.
    pub(super) fn find(rest: &[&'a str]) -> Option<Self> {
        use Named::{Id, Phase};
        Some(match rest {
            [] => Self::All,
            ["phases", phase, "entrypoint"] => Self::One(Phase(phase)),
            ["phases", phase, "entrypoint", "versions"] => Self::Versions(Phase(phase)),
            ["phases", phase, "entrypoint", "versions", number] => Self::Version(Phase(phase), number),
            ["phases", ..] => return None,
            [id] => Self::One(Id(id)),
            [id, "rules"] => Self::Rules(id),
            [id, "rules", rule] => Self::Rule(id, rule),
            [id, "versions"] => Self::Versions(Id(id)),
            [id, "versions", number] => Self::Version(Id(id), number),
            _ => return None,
        })
    }

    /// The permissions of which any one opens the door; the phase's own are asked for when it is known.
    pub(super) fn permissions(self, home: Home, method: &str) -> Option<&'static [Permission]> {
        let is_write = match (self, method) {
            (Self::All | Self::One(_) | Self::Versions(_) | Self::Version(..), "GET") => false,
            (Self::All | Self::Rules(_), "POST")
            | (Self::One(_), "PUT")
            | (Self::One(Named::Id(_)) | Self::Rule(..), "DELETE")
            | (Self::Rule(..), "PATCH") => true,
            _ => return None,
        };
        Some(phases::any_of(home, is_write))
    }
}
