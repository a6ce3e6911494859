//! What a provider can hold, as far as it is the same on every one of its plans. Data that is handed to whoever checks a
//! spec without asking anybody: what depends on an account's plan is known only once the provider was read.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::model::matching::{Match, UrlGlob};
use crate::model::monitor::Region;
use crate::model::record::RecordType;
use crate::model::rule::{Destination, Rule, RuleKind};
use crate::model::setting_form::SettingForm;

/// What a provider can hold.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and none excludes another"
)]
pub struct Capabilities {
    /// Its name in specs.
    pub name: &'static str,
    /// Its name in sentences.
    pub title: &'static str,
    /// The record types that it keeps.
    pub kinds: &'static [RecordType],
    /// TTLs in seconds that some plan of it takes, beside the automatic one.
    pub ttl: RangeInclusive<u32>,
    /// Whether its edge can stand in front of a record.
    pub proxies: bool,
    /// Whether a CNAME at the zone's own name is answered with the addresses of its target, so that other types can
    /// stand beside it.
    pub flattens: bool,
    /// Characters of the longest comment that some plan of it takes; `None` when it keeps no comments.
    pub comment: Option<usize>,
    /// What tags it keeps, if any.
    pub tags: Option<TagRules>,
    /// The longest data of a record in octets on the wire.
    pub longest_record: usize,
    /// What `auto` stands for, in seconds, where no TTL of the provider's own is behind it. Then no live record is
    /// automatic, so the word is settled once, while the spec is read.
    pub automatic_ttl: Option<u32>,
    /// Whether it keeps whole record sets, as DNS itself does: one TTL and one comment for all records of a type at a
    /// name (RFC 2181 §5.2), TXT values included that otherwise stand each on their own.
    pub whole_sets: bool,
    /// Whether it is a DNS server at an address of its own (`server` in the spec) and no API (`base_url`).
    pub dns_server: bool,
    /// Whether a zone that is not there can be made.
    pub creation: ZoneCreation,
    /// The setting that signs a zone, where one can be signed.
    pub dnssec: Option<&'static str>,
    /// What its edge can do, if it has one that does anything.
    pub edge: Option<&'static Edge>,
    /// How it watches, when it does.
    pub uptime: Option<UptimeRules>,
}

impl Capabilities {
    /// What a provider can hold that keeps no zones.
    pub const fn without_zones(name: &'static str, title: &'static str, uptime: UptimeRules) -> Self {
        Self {
            name,
            title,
            kinds: &[],
            ttl: 0..=0,
            proxies: false,
            flattens: false,
            comment: None,
            tags: None,
            longest_record: 0,
            automatic_ttl: None,
            whole_sets: false,
            dns_server: false,
            creation: ZoneCreation::Never,
            dnssec: None,
            edge: None,
            uptime: Some(uptime),
        }
    }

    /// Whether it keeps zones.
    pub fn keeps_zones(&self) -> bool {
        !self.kinds.is_empty()
    }
}

/// How a provider watches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UptimeRules {
    /// Whether a certificate's expiry is an attribute of a monitor of its host, and no monitor of its own.
    pub folds_tls: bool,
    /// Whether it keeps maintenance windows by themselves, and not as a part of each monitor.
    pub keeps_windows: bool,
    /// Seconds that it waits for a connection to a port at most.
    pub longest_connection: u32,
    /// Seconds that a check must be as it should be again, where nothing is said.
    pub usual_recover: Option<u32>,
    /// Where checks are made from, where nothing is said.
    pub usual_regions: &'static [Region],
    /// Days before the end of a certificate that it can be told to warn on, in order; none where it takes any.
    pub days_before: &'static [u16],
}

/// How a zone is made that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneCreation {
    /// Not at all.
    Never,
    /// The provider chooses the name servers.
    ChoosesNameServers,
    /// The name servers have to be said.
    NeedsNameServers,
}

/// What a provider's edge can do: its settings, and its language for rules. The language itself is the provider's: what
/// is here are the doors to it.
#[derive(Debug)]
pub struct Edge {
    /// The settings of a zone, by the provider's ids.
    pub settings: &'static [SettingForm],
    /// Which of them stand for the words of `tls`.
    pub tls: TlsSettings,
    /// The settings that a configuration rule can change.
    pub configuration: &'static [SettingForm],
    /// What a firewall rule can do with a request.
    pub verdicts: &'static [&'static str],
    /// What a rate limit can do with a request too many.
    pub limit_verdicts: &'static [&'static str],
    /// What is counted apart by a rate limit that says nothing about it.
    pub limit_by: &'static [&'static str],
    /// Characters of the longest expression.
    pub longest_expression: usize,
    /// The certificate authorities of its edge, as CAA records name them.
    pub authorities: &'static [&'static str],
    /// The codes of the warnings that it has about changes, for whoever accepts one.
    pub guards: &'static [&'static str],
    /// Its lists of rules.
    pub kinds: &'static [RuleKind],
    /// What a list of redirects can hold.
    pub redirect_lists: RedirectLists,
    /// Which requests are meant, in its own language.
    pub matching: fn(&Match) -> String,
    /// A redirect in its own language. The error says what cannot be said in it.
    pub redirect: fn(&UrlGlob, &str, bool) -> Result<CompiledRedirect, String>,
    /// The one form in which expressions of its language are equal that mean the same, as far as that is told by form.
    pub canonical: fn(&str) -> String,
    /// The other way round: which requests an expression means, when that can be said without the language.
    pub matched: fn(&str) -> Option<Match>,
    /// A compiled redirect as a spec says it: from, to, and whether the query goes along.
    pub redirected: fn(&CompiledRedirect) -> Option<(String, String, bool)>,
    /// The key of a rule by what it bears at the provider, and what it bears where that is not made from its key.
    pub mark: fn(RuleKind, &str) -> (String, Option<String>),
    /// What a rule bears at the provider.
    pub reference: fn(&Rule) -> String,
    /// What a setting is on a plan as long as nobody touches it, as far as that is known.
    pub usual: fn(&str, &str) -> Option<Value>,
}

/// What a list of redirects can hold, on the largest plan.
#[derive(Debug, Clone, Copy)]
pub struct RedirectLists {
    /// The statuses that a row can have.
    pub statuses: &'static [u16],
    /// Bytes of the longest URL.
    pub longest_url: usize,
    /// Characters of the longest comment.
    pub longest_comment: usize,
    /// Rows of the largest list.
    pub most: usize,
}

/// The settings behind the words of `tls`.
#[derive(Debug)]
pub struct TlsSettings {
    /// How the edge speaks to the origin.
    pub mode: &'static str,
    /// The lowest version of TLS.
    pub min_version: &'static str,
    /// TLS 1.3.
    pub tls_1_3: &'static str,
    /// Plain HTTP is redirected.
    pub always_https: &'static str,
    /// Links in pages are rewritten.
    pub automatic_https_rewrites: &'static str,
    /// HTTP Strict Transport Security.
    pub hsts: &'static str,
    /// What else has to be set so that a mode, once chosen, stays.
    pub keeps_mode: (&'static str, &'static str),
}

/// A redirect in a provider's own language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompiledRedirect {
    /// Which requests it covers.
    pub expression: String,
    /// Where it leads.
    pub to: Destination,
    /// Whether the query goes along.
    pub keep_query: bool,
}

/// What tags a provider keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagRules {
    /// The most on one record, on the largest plan.
    pub most: usize,
    /// Characters of the longest name: letters, digits, hyphens and underscores.
    pub name: usize,
    /// Characters of the longest value.
    pub value: usize,
    /// What no name may begin with, since the provider keeps it for itself.
    pub reserved: &'static str,
}
