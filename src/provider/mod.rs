//! Level 3: the services that keep resources. Each provider has three parts, each testable by itself: it reads
//! everything, it turns changes into requests (pure), and it performs one request. A provider knows no spec and no
//! history. To add one: a folder beside `cloudflare`, and a line in [`connect`].

pub mod again;
mod answer;
pub mod betterstack;
pub mod checks;
pub mod cloudflare;
pub mod credential;
pub mod dns;
mod error;
pub mod gatus;
pub mod http;
pub mod kept_file;
pub mod powerdns;
pub mod prometheus;
pub mod rfc2136;
pub mod rrset;
mod sought;
mod stop;
pub mod unsupported;
pub mod uptimerobot;

pub use sought::Sought;
pub use stop::Stop;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::secret::Secret;
use crate::model::address::Address;
use crate::model::capability::Capabilities;
use crate::model::inventory::{Desired, ProviderAccount, ServerSettings};
use crate::model::name::DomainName;
use crate::model::record::RecordData;
use crate::model::scope::ScopeName;
use crate::plan::change::Warning;
use crate::plan::order::ListName;
use crate::plan::{Change, Live, Refusal};

pub use error::ProviderError;

/// What an asynchronous method of a provider returns.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A service that keeps resources.
pub trait Provider: Send + Sync {
    /// The name by which specs and plans call it.
    fn name(&self) -> &'static str;

    /// Everything in the zones of `scope`, unmanaged included, in as few round trips as the API allows.
    fn read<'a>(&'a self, scope: &'a Scope) -> Answer<'a, Result<Reading, ProviderError>>;

    /// What is desired, as far as this service and its plan can hold it, where the spec says that the nearest will do.
    /// What was given up for that is said in the review.
    fn adapt(&self, _desired: &mut Desired, _reading: &Reading) -> Review {
        Review::default()
    }

    /// The zones that it keeps and the credential covers, where it can be asked for them.
    fn zones(&self) -> Answer<'_, Result<Vec<DomainName>, ProviderError>> {
        let error = ProviderError::new("cannot-list-zones", "its zones cannot be asked for")
            .help("name the zones that are meant");
        Box::pin(std::future::ready(Err(error)))
    }

    /// Groups changes into requests. Pure, so that a plan can say how many requests an apply will take.
    fn steps(&self, changes: &[Change], reading: &Reading) -> Vec<Step>;

    /// Makes one request. It is made once: whether it may be made again is for the caller to find out by reading.
    fn perform<'a>(&'a self, step: &'a Step) -> Answer<'a, Outcome>;

    /// What of `changes` this service or its plan cannot hold, and what is worth knowing: found before any write.
    fn review(&self, changes: &[Change], reading: &Reading) -> Review;

    /// Which of the changes in a refused step the refusal is about, as far as its code and message tell.
    fn blame(&self, step: &Step, changes: &[Change], refused: &ApiRefusal) -> Vec<Address>;

    /// What a user can do about a refusal, where its code tells.
    fn advice(&self, refused: &ApiRefusal) -> Option<&'static str>;

    /// Whether the credential works, and what it may do in these zones.
    fn examine<'a>(&'a self, scope: &'a Scope) -> Answer<'a, Vec<Examination>>;

    /// The zones as this service has them, where it assigns the name servers that a registrar is to be told.
    fn assigned<'a>(&'a self, _zones: &'a [DomainName]) -> Answer<'a, BTreeMap<DomainName, Assigned>> {
        Box::pin(std::future::ready(BTreeMap::new()))
    }

    /// Asks the service whether it would take `steps`, without changing anything. Not every step can be asked about.
    /// Where nothing can be asked without being done, nothing is said.
    fn try_out<'a>(&'a self, _steps: &'a [Step]) -> Answer<'a, Review> {
        Box::pin(std::future::ready(Review::default()))
    }

    /// What was learned from answers to what was performed. Each is told once.
    fn news(&self) -> News {
        News::default()
    }

    /// How many requests were made so far.
    fn requests(&self) -> usize;
}

/// A zone and the name servers that a provider assigned to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// Its status there, such as `active` or `pending`.
    pub status: String,
    /// The name servers.
    pub name_servers: BTreeSet<DomainName>,
}

/// What a provider learned while it performed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// What is for somebody to act on, such as the name servers of a zone that was made.
    pub words: Vec<String>,
    /// The ids of zones that were made.
    pub made: BTreeMap<DomainName, String>,
}

/// What is to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The zones.
    pub zones: Vec<DomainName>,
    /// Ids that earlier runs saw: a hint that saves a look-up, never a proof.
    pub known_ids: BTreeMap<DomainName, String>,
    /// What the caller speaks of. Records are always read whole; lists of rules and settings only where one of these
    /// addresses is among them, since each costs a request and a permission.
    pub spoken: BTreeSet<Address>,
    /// By what rules that somebody else made are known as some of those.
    pub known: again::Known,
    /// Zones that need not be there yet: they are to be made.
    pub may_be_missing: BTreeSet<DomainName>,
    /// Checks and contacts, when they are to be read.
    pub uptime: Option<Sought>,
}

/// What a provider returned for a scope.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The resources, and what the provider locks.
    pub live: Live,
    /// The provider's own ids of records, by what they say; where it has none, the records as it writes them. More than
    /// one when the provider holds doubles.
    pub handles: BTreeMap<Address, BTreeMap<RecordData, Vec<String>>>,
    /// The lists of rules, as the provider keeps them.
    pub lists: BTreeMap<ListName, KeptList>,
    /// What stands around each zone's list of redirects, where it was read.
    pub redirect_lists: BTreeMap<DomainName, KeptRedirectList>,
    /// Lists of redirects of the account that are in force and speak of a zone's hosts, by their names, with the number of
    /// such rows; only where they were asked for.
    pub asked_lists: BTreeMap<DomainName, BTreeMap<String, usize>>,
    /// The zones.
    pub zones: BTreeMap<DomainName, ZoneFacts>,
    /// The account of checks and contacts.
    pub uptime: Option<UptimeFacts>,
    /// What was odd.
    pub warnings: Vec<Warning>,
}

impl Reading {
    /// Adds what was read elsewhere.
    pub fn absorb(&mut self, other: Self) {
        self.live.inventory.extend(other.live.inventory);
        self.live.locked.extend(other.live.locked);
        self.live.lists.extend(other.live.lists);
        self.live.by_name.extend(other.live.by_name);
        self.lists.extend(other.lists);
        self.redirect_lists.extend(other.redirect_lists);
        self.asked_lists.extend(other.asked_lists);
        self.handles.extend(other.handles);
        self.zones.extend(other.zones);
        self.uptime = self.uptime.take().or(other.uptime);
        self.warnings.extend(other.warnings);
    }
}

/// A list of rules as the provider keeps it: what is not ours goes back as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptList {
    /// What the provider counts its changes with; `None` while there is no list.
    pub version: Option<String>,
    /// Each rule in the provider's own form, in order.
    pub rules: Vec<(Address, serde_json::Value)>,
}

/// What a provider keeps around the list of redirects of a zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptRedirectList {
    /// The account that it belongs to.
    pub account: String,
    /// The largest plan of that account, among the zones that were read.
    pub plan: String,
    /// Whether all zones of the account were.
    pub saw_all_zones: bool,
    /// The list's id; `None` while there is none.
    pub id: Option<String>,
    /// What tells whether the list has changed since.
    pub version: Option<String>,
    /// The id of the rules that ask lists; `None` while there are none.
    pub ruleset: Option<String>,
    /// The id of the rule that asks this list; `None` while none does.
    pub rule: Option<String>,
    /// Other lists of redirects in the account.
    pub lists: usize,
    /// Rows in them.
    pub others: usize,
    /// Other rules that ask lists, in their order: what each bears, and its id.
    pub rules: Vec<(String, String)>,
}

/// What a provider says of a zone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneFacts {
    /// The provider's id; empty for a zone that is yet to be made.
    pub id: String,
    /// The plan that is paid for, by the provider's short name; empty where nothing is.
    pub plan: String,
    /// Its status there, such as `active` or `pending`.
    pub status: String,
    /// How many records it holds and may hold, where the provider tells.
    pub usage: Option<Usage>,
    /// Where it was read, when that is not the provider's public API: the sandbox, or another address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<String>,
    /// The name servers that answer for it there, where the provider tells.
    pub name_servers: Vec<String>,
    /// The status of the certificate at the edge, where it was asked for and told.
    pub certificate: Option<String>,
    /// The account at the provider that it belongs to, or is to belong to.
    pub account: Option<String>,
    /// The keys that sign it or could, where it was asked whether it is signed and the provider tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<ZoneKey>,
    /// What becomes of an ALIAS there, where one is spoken of and the provider tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<AliasFacts>,
}

/// What a server makes of ALIAS records, which are no part of DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasFacts {
    /// Whether it answers them with the addresses of their target.
    pub is_answered: bool,
    /// Whether secondaries are sent the addresses: what they would do with an ALIAS nobody knows.
    pub is_sent_as_addresses: bool,
}

/// A key that a zone is signed with, or could be. What it signs with itself is never read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneKey {
    /// The provider's id.
    pub id: String,
    /// Whether it signs.
    pub is_active: bool,
    /// Whether it stands among the zone's DNSKEY records.
    pub is_published: bool,
    /// The DS records that announce it to the parent, as a zone file has their data.
    pub ds: Vec<String>,
}

/// What a provider says of an account of checks and contacts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UptimeFacts {
    /// The provider.
    pub provider: &'static str,
    /// What the account is known by; empty where the provider does not tell.
    pub account: String,
    /// Whose it is, where the provider tells: a copy of the account says the same.
    pub owner: String,
    /// The plan that is paid for, in the provider's words.
    pub plan: String,
    /// How many monitors there are.
    pub monitors: usize,
    /// The most that there may be, where the provider tells.
    pub most: Option<usize>,
    /// How many requests a minute are granted, where the provider tells.
    pub requests_a_minute: Option<u32>,
    /// The provider's own ids.
    pub ids: BTreeMap<Address, String>,
    /// What the provider keeps with one and no spec says, where a change must send it back.
    pub beside: BTreeMap<Address, serde_json::Value>,
    /// What the provider keeps that has no address, where a change must know of it.
    pub apart: serde_json::Value,
    /// What was looked for.
    pub sought: Sought,
    /// Where it was read, when that is not the provider's public API.
    pub elsewhere: Option<String>,
}

/// How full a zone is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Records that it holds.
    pub records: usize,
    /// The most that it may hold, unless there is no bound.
    pub quota: Option<usize>,
}

/// One request that carries one or many changes. Data: it is made from changes, shown, journalled and then performed.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The provider it goes to.
    pub provider: &'static str,
    /// The scope it is for. Scopes know nothing of one another: their steps go at once.
    pub scope: ScopeName,
    /// When, within its scope: what comes earlier must be done before anything later begins.
    pub stage: Stage,
    /// What it depends on within its stage: steps of one lane go one after another, those of different lanes at once.
    pub lane: String,
    /// The HTTP method, or what stands for it.
    pub method: &'static str,
    /// Where it goes, below the API's base.
    pub path: String,
    /// What it does, in a few words.
    pub summary: String,
    /// The addresses it carries, sorted.
    pub addresses: Vec<Address>,
    /// Which address each of the provider's ids in it belongs to: a refusal may name one.
    pub handles: BTreeMap<String, Address>,
    /// What is sent.
    pub body: serde_json::Value,
    /// What must still be so right before it is sent.
    pub check: Option<Check>,
}

/// When a step comes, within its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Stage {
    /// The zone itself is made: everything else needs it.
    Zone,
    /// Everything else.
    #[default]
    Content,
}

/// Something that must not have changed since it was read. There is a window between looking and writing; it is as
/// short as the service allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Where to look.
    pub path: String,
    /// The version that was read; `None` when there was nothing.
    pub version: Option<String>,
}

impl Step {
    /// The zone that it is for, when it is for one.
    pub fn zone(&self) -> Option<&DomainName> {
        self.scope.zone()
    }

    /// Whether it changes anything. A step may also wait until what was changed can be read back.
    pub fn is_write(&self) -> bool {
        self.method != "GET"
    }
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Applied,
    /// The provider refused it, wholly: nothing was done.
    Refused(ApiRefusal),
    /// It never reached the provider: nothing was done.
    NotSent(String),
    /// The answer was lost: it may have been done. Look before doing it again.
    Unknown(String),
}

/// A refusal in the provider's own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiRefusal {
    /// The HTTP status; 0 where the answer did not come over HTTP, and the code tells all.
    pub status: u16,
    /// The provider's own code, empty when it gave none.
    pub code: String,
    /// The provider's own message, made safe to show.
    pub message: String,
}

impl fmt::Display for ApiRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code.as_str(), self.status) {
            ("", status) => write!(f, "{} (HTTP {status})", self.message),
            (code, 0) => write!(f, "{} ({code})", self.message),
            (code, status) => write!(f, "{} (code {code}, HTTP {status})", self.message),
        }
    }
}

/// What a provider has to say about changes before they are made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Review {
    /// What cannot be done.
    pub refusals: Vec<Refusal>,
    /// What is worth knowing.
    pub warnings: Vec<Warning>,
}

/// One thing that `doctor` looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// What was looked at.
    pub subject: String,
    /// What was found.
    pub finding: Finding,
    /// The details in a sentence.
    pub detail: String,
    /// What to do, when something is to be done.
    pub fix: Option<String>,
}

/// How an examination ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It is as it should be.
    Good,
    /// It could not be found out.
    Unclear,
    /// It is not.
    Bad,
}

/// How a provider is reached: settled by whoever has the spec and the environment.
#[derive(Debug, Clone)]
pub struct Access {
    /// The credential.
    pub token: Secret,
    /// The account, where several are seen.
    pub account: Option<String>,
    /// The API's base address, or `dns://HOST:PORT`.
    pub base_url: url::Url,
    /// How long one request may take, its answer included.
    pub timeout: Duration,
    /// A wish to stop, which ends the pauses before a request.
    pub stop: Stop,
    /// Fetches what the spec names by where it is kept.
    pub secrets: credential::Keeper,
    /// Where the servers of a self-made service are.
    pub servers: ServerSettings,
}

/// Everything that is known of a provider without asking it.
#[derive(Debug, Clone)]
pub struct Profile {
    /// What it can hold.
    pub capabilities: Capabilities,
    /// The public API; empty where every user has a server of their own.
    pub base_url: &'static str,
    /// The environment variable that overrides the API's address.
    pub base_url_variable: &'static str,
    /// The environment variable that usually holds the credential.
    pub token_variable: &'static str,
    /// Where a credential is made, and what it must be allowed to do.
    pub token_help: &'static str,
    /// Whether the sandbox has a stand-in for it.
    pub stand_in: bool,
    /// Whether it cannot be asked without a credential.
    pub needs_token: bool,
}

/// The providers, by name.
pub const PROFILES: &[Profile] = &[
    betterstack::PROFILE,
    cloudflare::PROFILE,
    gatus::PROFILE,
    powerdns::PROFILE,
    prometheus::PROFILE,
    rfc2136::PROFILE,
    uptimerobot::PROFILE,
];

/// What is known of the provider called `name`.
pub fn profile(name: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.capabilities.name == name)
}

/// What each provider can hold.
pub fn capabilities() -> Vec<Capabilities> {
    PROFILES.iter().map(|profile| profile.capabilities.clone()).collect()
}

/// The provider called `name`, ready to be asked.
pub fn connect(name: &str, access: Access) -> Result<Box<dyn Provider>, ProviderError> {
    match name {
        "betterstack" => Ok(Box::new(betterstack::BetterStack::new(access)?)),
        "cloudflare" => Ok(Box::new(cloudflare::Cloudflare::new(access)?)),
        "gatus" => Ok(Box::new(gatus::Gatus::new(access))),
        "rfc2136" => Ok(Box::new(rfc2136::Rfc2136::new(&access)?)),
        "powerdns" => Ok(Box::new(powerdns::PowerDns::new(access)?)),
        "prometheus" => Ok(Box::new(prometheus::Prometheus::new(access)?)),
        "uptimerobot" => Ok(Box::new(uptimerobot::UptimeRobot::new(access)?)),
        other => Err(ProviderError::new(
            "unknown-provider",
            format!("there is no provider called `{other}`"),
        )),
    }
}

/// Where a provider's API or server is: the environment over the spec over what is usual.
pub fn base_of(
    profile: &Profile,
    account: Option<&ProviderAccount>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<url::Url, ProviderError> {
    let is_server = profile.capabilities.dns_server;
    let said = account.and_then(|account| {
        let key = if is_server { &account.server } else { &account.base_url };
        key.clone()
    });
    let base = environment(profile.base_url_variable)
        .filter(|url| !url.is_empty())
        .or(said)
        .unwrap_or_else(|| profile.base_url.to_owned());
    if is_server {
        dns::server(&base, profile.base_url_variable)
    } else {
        http::base_url(&base)
    }
}

/// Settles how a provider is reached.
pub fn access(
    profile: &Profile,
    account: Option<&ProviderAccount>,
    secrets: credential::Keeper,
    timeout: Duration,
    stop: &Stop,
) -> Result<Access, ProviderError> {
    let environment = |name: &str| secrets.environment(name);
    let base_url = base_of(profile, account, &environment)?;
    let reference = account.and_then(|account| account.token.as_ref());
    let is_there = reference.is_some() || secrets.environment(profile.token_variable).is_some();
    let token = if profile.needs_token || is_there {
        credential::load(profile, reference, &secrets)?
    } else {
        Secret::new("")
    };
    Ok(Access {
        token,
        account: account.and_then(|account| account.account.clone()),
        base_url,
        timeout,
        stop: stop.clone(),
        servers: account.map(|account| account.servers.clone()).unwrap_or_default(),
        secrets,
    })
}
