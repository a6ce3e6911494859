//! Rules at the edge: what a provider does with the requests that an expression covers. Rules of one kind in one zone
//! are a list whose order is part of its value. A rule is compared by itself; its place is told by the rule before it,
//! so that adding, removing or moving one rule is one difference and not a difference of everything behind it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::digest;
use crate::model::address::Address;
use crate::model::name::DomainName;

/// The lists that a zone has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// Another URL is answered; the first that fits ends it.
    Redirect,
    /// Settings that differ for some requests.
    Config,
    /// Requests that are blocked or challenged.
    Firewall,
    /// Requests that are counted, and refused when there are too many.
    RateLimit,
    /// Headers of the request on its way to the origin.
    RequestHeader,
    /// What is cached and for how long.
    Cache,
    /// Headers of the response.
    Header,
}

impl RuleKind {
    /// All of them, in the order in which a request meets them.
    pub const ALL: &'static [Self] = &[
        Self::Redirect,
        Self::Config,
        Self::Firewall,
        Self::RateLimit,
        Self::RequestHeader,
        Self::Cache,
        Self::Header,
    ];

    /// The word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::Config => "config",
            Self::Firewall => "firewall",
            Self::RateLimit => "rate_limit",
            Self::RequestHeader => "request_header",
            Self::Cache => "cache",
            Self::Header => "header",
        }
    }

    /// The words in sentences, for one of them.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::Config => "configuration rule",
            Self::Firewall => "firewall rule",
            Self::RateLimit => "rate limit",
            Self::RequestHeader => "request header rule",
            Self::Cache => "cache rule",
            Self::Header => "response header rule",
        }
    }

    /// The kind that an address is of, if it is of one.
    pub fn of(address: &Address) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == address.kind())
    }
}

/// Where a rule stands in its list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The nth of those that are declared; only in what is wished for.
    Declared(usize),
    /// Before all others.
    First,
    /// Right behind the rule with this key.
    After(String),
}

/// Where a redirect leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// To this URL.
    Url(String),
    /// To what this expression of the provider's language gives.
    Expression(String),
}

/// What happens to a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderChange {
    /// It has this value and no other.
    Set(String),
    /// It has what this expression of the provider's language gives.
    SetExpression(String),
    /// It has this value beside those that it has.
    Add(String),
    /// It is taken away.
    Remove,
}

/// How long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifetime {
    /// As the origin says.
    RespectOrigin,
    /// As the origin says, and not at all when it says nothing.
    OriginOrNot,
    /// Not at all.
    Bypass,
    /// So many seconds, whatever the origin says.
    Seconds(u32),
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum RuleAction {
    /// Answers with another URL.
    Redirect {
        /// Which.
        to: Destination,
        /// The HTTP status.
        status: u16,
        /// Whether the query goes along.
        keep_query: bool,
    },
    /// Decides about the cache.
    Cache {
        /// Whether the request is eligible for it; `None` leaves that as it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        eligible: Option<bool>,
        /// How long the edge keeps it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        edge: Option<Lifetime>,
        /// How long browsers keep it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        browser: Option<Lifetime>,
    },
    /// Changes headers, by their names in the writing that was chosen.
    Headers {
        /// What happens to each.
        changes: BTreeMap<String, HeaderChange>,
    },
    /// Counts requests and acts when there are too many.
    Limit {
        /// What happens then, in the provider's word.
        verdict: String,
        /// What is counted apart, in the provider's words; in order, since it is a set.
        by: Vec<String>,
        /// How many are let through.
        requests: u32,
        /// In how many seconds.
        period: u32,
        /// For how many seconds the verdict stands.
        block_for: u32,
    },
    /// Stops a request, or challenges whoever sent it, in the provider's word.
    Filter {
        /// The word.
        verdict: String,
    },
    /// Changes settings for the requests that are covered, by the provider's ids.
    Configure {
        /// The values.
        settings: BTreeMap<String, Value>,
    },
    /// Anything else that a provider keeps: carried whole, so that it can be put back.
    Other {
        /// The provider's own fields of the rule, but for those that the rule has here.
        fields: Map<String, Value>,
    },
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The zone.
    pub zone: DomainName,
    /// The list that it stands in.
    pub kind: RuleKind,
    /// What tells it from others in the list: made from its name when it is ours, see [`slug`].
    pub key: String,
    /// Its name, in the words of whoever made it.
    pub name: String,
    /// What it bears at the provider, where that is not made from its key: somebody else made it. In a wish, `None` is
    /// whatever it bears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Which requests it covers, in the provider's language and in the one form in which equal expressions are equal.
    pub expression: String,
    /// The same as whoever made the rule wrote it, where that is another text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writing: Option<String>,
    /// Whether it is in force.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
    /// What it does.
    #[serde(flatten)]
    pub action: RuleAction,
    /// Where it stands. In a change that leaves it where it is: `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_yes(value: &bool) -> bool {
    *value
}

impl Rule {
    /// Its address.
    pub fn address(&self) -> Address {
        Address::in_zone(&self.zone, self.kind.as_str(), &self.key)
    }

    /// The same without its place: what it says and does.
    #[must_use]
    pub fn without_place(&self) -> Self {
        Self {
            place: None,
            ..self.clone()
        }
    }

    /// What this desired rule becomes on top of what is live: it keeps what it bears there, and the writing of what has
    /// the same meaning.
    #[must_use]
    pub fn settled_on(&self, live: Option<&Self>) -> Self {
        let mut rule = self.clone();
        if let Some(live) = live {
            rule.reference = rule.reference.or_else(|| live.reference.clone());
            if rule.expression == live.expression {
                rule.writing.clone_from(&live.writing);
            }
        }
        rule
    }

    /// Whether `live` is what this rule is to become: where no place is said, any will do.
    pub fn is_met_by(&self, live: &Self) -> bool {
        self.without_place() == live.without_place() && (self.place.is_none() || self.place == live.place)
    }
}

/// The key of a rule by its name: lower case, words joined by hyphens, ASCII alone. Names that differ only in other
/// letters are told apart by a digest. Empty when nothing in the name can stand in an address.
pub fn slug(name: &str) -> String {
    let mut out = String::new();
    let mut is_whole = true;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
            continue;
        }
        is_whole &= !c.is_alphanumeric();
        if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    is_whole &= out.len() <= 48;
    out.truncate(48);
    let out = out.trim_end_matches('-');
    match (is_whole, out) {
        (true, out) => out.to_owned(),
        (false, "") => digest::short(name.as_bytes(), 8),
        (false, out) => format!("{out}-{}", digest::short(name.as_bytes(), 8)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_key_that_can_be_typed() {
        for (name, key) in [
            ("www to apex", "www-to-apex"),
            ("  Old / pricing!  ", "old-pricing"),
            ("***", ""),
        ] {
            assert_eq!(slug(name), key, "{name}");
        }
        assert_ne!(slug("Über uns"), slug("Äber uns"));
        assert_ne!(slug(&"a ".repeat(40)), slug(&"a ".repeat(41)));
        assert!(Address::parse(&format!("acme.example/redirect/{}", slug("a b/c"))).is_ok());
    }

    #[test]
    fn a_rule_reads_back_from_what_a_history_keeps() {
        let rule = Rule {
            zone: DomainName::parse("acme.example").unwrap(),
            kind: RuleKind::Cache,
            key: "static".into(),
            name: "static".into(),
            reference: Some("0a1b".into()),
            expression: "true".into(),
            writing: Some("(true)".into()),
            enabled: true,
            action: RuleAction::Cache {
                eligible: Some(true),
                edge: Some(Lifetime::Seconds(60)),
                browser: None,
            },
            place: Some(Place::After("api".into())),
        };
        let text = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<Rule>(&text).unwrap(), rule, "{text}");
    }
}
