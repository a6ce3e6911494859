//! Everything of a zone and of an account that is neither a zone nor a record: which path is what, who may ask it, and
//! what answers it. It knows no rule of its own; each concern has its own room.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::certificates::{self, Certificates};
use super::dnssec::{self, Dnssec};
use super::envelope::{Answer, Refusal};
use super::lists::{self, Lists};
use super::page_rules::{self, PageRules};
use super::query::{Paging, Query};
use super::router::Asked;
use super::rulesets::{self, Home, Rulesets};
use super::settings::{self, Settings};
use super::tokens::{Permission, Tokens};
use super::world::{ACCOUNT, World};

/// What a zone has beside its records.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Edge {
    pub(super) settings: Settings,
    pub(super) rulesets: Rulesets,
    pub(super) dnssec: Dnssec,
    pub(super) certificates: Certificates,
    pub(super) page_rules: PageRules,
}

/// What the account has beside its zones.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Account {
    pub(super) rulesets: Rulesets,
    pub(super) lists: Lists,
    /// Other accounts that a token sees.
    pub(super) others: Vec<Owner>,
}

/// An account that zones belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) id: String,
    pub(super) name: String,
}

impl Default for Owner {
    fn default() -> Self {
        Self {
            id: ACCOUNT.to_owned(),
            name: "Sandbox".to_owned(),
        }
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
    /// `/accounts`.
    Accounts,
    /// `…/dnssec`.
    Dnssec(&'a str),
    /// `…/ssl/…`.
    Certificates(&'a str, certificates::Path<'a>),
    /// `…/pagerules`.
    PageRules(&'a str),
    /// `…/settings[/{id}]`.
    Settings(&'a str, Option<&'a str>),
    /// `…/rulesets…` of a zone.
    Rulesets(&'a str, rulesets::Path<'a>),
    /// `…/rules/lists…` of an account.
    Lists(&'a str, lists::Path<'a>),
    /// `…/rulesets…` of an account.
    AccountRulesets(&'a str, rulesets::Path<'a>),
}

impl<'a> Route<'a> {
    pub(super) fn find(segments: &[&'a str]) -> Option<Self> {
        Some(match segments {
            ["accounts"] => Self::Accounts,
            ["zones", zone, "dnssec"] => Self::Dnssec(zone),
            ["zones", zone, "ssl", rest @ ..] => Self::Certificates(zone, certificates::Path::find(rest)?),
            ["zones", zone, "pagerules"] => Self::PageRules(zone),
            ["zones", zone, "settings"] => Self::Settings(zone, None),
            ["zones", zone, "settings", id] => Self::Settings(zone, Some(id)),
            ["zones", zone, "rulesets", rest @ ..] => Self::Rulesets(zone, rulesets::Path::find(rest)?),
            ["accounts", account, "rules", "lists", rest @ ..] => Self::Lists(account, lists::Path::find(rest)?),
            ["accounts", account, "rulesets", rest @ ..] => Self::AccountRulesets(account, rulesets::Path::find(rest)?),
            _ => return None,
        })
    }

    pub(super) fn zone(self) -> Option<&'a str> {
        match self {
            Self::Settings(zone, _)
            | Self::Rulesets(zone, _)
            | Self::Dnssec(zone)
            | Self::PageRules(zone)
            | Self::Certificates(zone, _) => Some(zone),
            Self::Accounts | Self::Lists(..) | Self::AccountRulesets(..) => None,
        }
    }

    pub(super) fn account(self) -> Option<&'a str> {
        match self {
            Self::Lists(account, _) | Self::AccountRulesets(account, _) => Some(account),
            _ => None,
        }
    }

    /// The permissions of which any one is enough for this method; none when the path has no such method.
    pub(super) fn permissions(self, method: &str) -> Option<&'static [Permission]> {
        match self {
            Self::Accounts => (method == "GET").then_some(Permission::EVERYTHING),
            Self::Lists(_, path) => path.permissions(method),
            Self::Dnssec(_) => dnssec::permissions(method),
            Self::Certificates(_, path) => path.permissions(method),
            Self::PageRules(_) => page_rules::permissions(method),
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
        (Route::Accounts, _) => accounts(world, query),
        (Route::Lists(_, path), _) => lists::answer(world, path, asked, query),
        (Route::Dnssec(_), Some(at)) => dnssec::answer(world, at, asked),
        (Route::Certificates(_, path), Some(at)) => certificates::answer(world, at, path, asked, query),
        (Route::PageRules(_), Some(at)) => Ok(page_rules::answer(world, at, query)),
        (Route::Settings(_, id), Some(at)) => settings::answer(world, at, id, asked),
        (Route::Rulesets(_, path) | Route::AccountRulesets(_, path), at) => {
            let token = world.tokens.working(Tokens::presented(&asked.credentials)?)?.clone();
            rulesets::answer(world, at, path, asked, query, &token)
        }
        (Route::Settings(..) | Route::Dnssec(_) | Route::PageRules(_) | Route::Certificates(..), None) => {
            Err(no_route())
        }
    }
}

/// `GET /accounts`: those that a token sees.
fn accounts(world: &World, query: &Query) -> Result<Answer, Refusal> {
    const PAGING: Paging = Paging {
        usual: 20,
        least: 5,
        most: 50,
    };
    let owners = world.owners();
    let page = query.page(PAGING, owners.len())?;
    let shown = page.cut(owners.iter()).into_iter();
    let shown = shown.map(|owner| {
        json!({
            "id": owner.id, "name": owner.name, "type": "standard", "created_on": "2026-01-01T00:00:00.000000Z",
            "settings": { "enforce_twofactor": false, "api_access_enabled": null },
        })
    });
    Ok(Answer::List(shown.collect(), page))
}

impl World {
    /// Every account, the one that everything belongs to first.
    pub(super) fn owners(&self) -> Vec<Owner> {
        let others = self.account.others.iter().cloned();
        std::iter::once(Owner::default()).chain(others).collect()
    }

    /// Another account that every token sees, and its id. Zones can be made in it; it has no lists and no rules.
    pub fn add_account(&mut self, name: &str) -> String {
        let owner = Owner {
            id: self.ids.next(),
            name: name.to_owned(),
        };
        let id = owner.id.clone();
        self.account.others.push(owner);
        self.is_changed = true;
        id
    }
}

/// Nothing is known by this path.
pub(super) fn no_route() -> Refusal {
    Refusal::gateway(404, 7000, "No route for that URI")
}
