//! What is paid for a zone, and what that allows (facts §3.7).

use serde::{Deserialize, Serialize};

/// What is paid for a zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    /// Nothing.
    #[default]
    Free,
    /// The smallest paid plan.
    Pro,
    /// The one in the middle.
    Business,
    /// By contract.
    Enterprise,
}

/// What a plan allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Records in a zone.
    pub(super) records: usize,
    /// Operations in a batch.
    pub(super) batch: usize,
    /// Tags on a record.
    pub(super) tags: usize,
    /// Characters in a comment.
    pub(super) comment: usize,
    /// The lowest TTL in seconds.
    pub(super) ttl: u32,
    /// Minutes between two activation checks.
    pub(super) activation_minutes: i64,
}

impl Plan {
    /// The plan with this `legacy_id`; an unknown one is taken for the smallest.
    pub fn of(legacy_id: &str) -> Self {
        match legacy_id {
            "pro" => Self::Pro,
            "business" => Self::Business,
            "enterprise" => Self::Enterprise,
            _ => Self::Free,
        }
    }

    /// Its `legacy_id` in the API.
    pub(super) fn legacy_id(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Pro => "pro",
            Self::Business => "business",
            Self::Enterprise => "enterprise",
        }
    }

    /// Its name in the API.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Free => "Free Website",
            Self::Pro => "Pro Website",
            Self::Business => "Business Website",
            Self::Enterprise => "Enterprise Website",
        }
    }

    /// US dollars a month.
    pub(super) fn price(self) -> u32 {
        match self {
            Self::Free | Self::Enterprise => 0,
            Self::Pro => 25,
            Self::Business => 250,
        }
    }

    pub(super) fn limits(self) -> Limits {
        match self {
            Self::Free => Limits {
                records: 200,
                batch: 200,
                tags: 0,
                comment: 100,
                ttl: 60,
                activation_minutes: 60,
            },
            _ => Limits {
                records: 3_500,
                batch: 3_500,
                tags: 20,
                comment: 500,
                ttl: if self == Self::Enterprise { 30 } else { 60 },
                activation_minutes: 5,
            },
        }
    }
}
