//! Everything of a zone and of an account that is neither a zone nor a record: which path is what, who may ask it, and
//! what answers it. It knows no rule of its own; each concern has its own room.

use serde::{Deserialize, Serialize};

use super::envelope::{Answer, Refusal};
use super::lists::Lists;
use super::query::Query;
use super::router::Asked;
use super::rulesets::{self, Home, Rulesets};
use super::settings::{self, Settings};
use super::tokens::{Permission, Tokens};
use super::world::World;

/// What a zone has beside its records.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Edge {
    pub(super) settings: Settings,
    pub(super) rulesets: Rulesets,
}

/// What the account has beside its zones.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Account {
    pub(super) rulesets: Rulesets,
    pub(super) lists: Lists,
}

impl Edge {
    /// The status of the certificate that the edge shows, as the `ssl` setting tells it.
    pub(super) fn certificate_status(&self) -> &'static str {
        "active"
    }

    /// Whether Advanced Certificate Manager was bought.
    pub(super) fn has_certificate_manager(&self) -> bool {
        false
    }
}

/// What the stand-in does or leaves, as a test wants it. Not kept on disk.
#[derive(Debug, Default)]
pub(super) struct Switches {
    /// Whether the old endpoint for all settings at once still answers.
    pub(super) bulk_settings: bool,
    /// Whether `ssl` is raised while the automatic mode is on.
    pub(super) ssl_drifts: bool,
}

/// A path that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// `…/settings[/{id}]`.
    Settings(&'a str, Option<&'a str>),
    /// `…/rulesets…` of a zone.
    Rulesets(&'a str, rulesets::Path<'a>),
    /// `…/rulesets…` of an account.
    AccountRulesets(&'a str, rulesets::Path<'a>),
}

impl<'a> Route<'a> {
    pub(super) fn find(segments: &[&'a str]) -> Option<Self> {
        Some(match segments {
            ["zones", zone, "settings"] => Self::Settings(zone, None),
            ["zones", zone, "settings", id] => Self::Settings(zone, Some(id)),
            ["zones", zone, "rulesets", rest @ ..] => Self::Rulesets(zone, rulesets::Path::find(rest)?),
            ["accounts", account, "rulesets", rest @ ..] => Self::AccountRulesets(account, rulesets::Path::find(rest)?),
            _ => return None,
        })
    }

    pub(super) fn zone(self) -> Option<&'a str> {
        match self {
            Self::Settings(zone, _) | Self::Rulesets(zone, _) => Some(zone),
            Self::AccountRulesets(..) => None,
        }
    }

    pub(super) fn account(self) -> Option<&'a str> {
        match self {
            Self::Settings(..) | Self::Rulesets(..) => None,
            Self::AccountRulesets(account, _) => Some(account),
        }
    }

    /// The permissions of which any one is enough for this method; none when the path has no such method.
    pub(super) fn permissions(self, method: &str) -> Option<&'static [Permission]> {
        match self {
            Self::Settings(_, id) => settings::permissions(id, method),
            Self::Rulesets(_, path) => path.permissions(Home::Zone, method),
            Self::AccountRulesets(_, path) => path.permissions(Home::Account, method),
        }
    }
}

/// Answers a request for one of them.
pub(super) fn answer(
    world: &mut World,
    asked: &Asked,
    query: &Query,
    route: Route<'_>,
    zone: Option<usize>,
) -> Result<Answer, Refusal> {
    match (route, zone) {
        (Route::Settings(_, id), Some(at)) => settings::answer(world, at, id, asked),
        (Route::Rulesets(_, path) | Route::AccountRulesets(_, path), at) => {
            let token = world.tokens.working(Tokens::presented(&asked.credentials)?)?.clone();
            rulesets::answer(world, at, path, asked, query, &token)
        }
        (Route::Settings(..), None) => Err(no_route()),
    }
}

/// Nothing is known by this path.
pub(super) fn no_route() -> Refusal {
    Refusal::gateway(404, 7000, "No route for that URI")
}
