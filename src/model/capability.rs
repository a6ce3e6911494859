//! What a provider can hold, as far as it is the same on every one of its plans. Data that is handed to whoever checks a
//! spec without asking anybody: what depends on an account's plan is known only once the provider was read.

use std::ops::RangeInclusive;

use crate::model::record::RecordType;

/// What a provider can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
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
