//! What Cloudflare's edge can do, as the data and the doors that are handed to whoever reads a spec; and what each plan
//! of a zone allows of it.

use super::{expression, rule_convert, setting_forms, settings};
use crate::model::capability::{Edge, RedirectLists, TlsSettings};
use crate::model::rule::RuleKind;

/// Characters of the longest expression.
pub(super) const LONGEST_EXPRESSION: usize = 4_096;

/// Cloudflare's edge.
pub(super) const EDGE: Edge = Edge {
    settings: setting_forms::SETTINGS,
    tls: TlsSettings {
        mode: settings::SSL,
        min_version: "min_tls_version",
        tls_1_3: "tls_1_3",
        always_https: super::guards::ALWAYS_HTTPS,
        automatic_https_rewrites: "automatic_https_rewrites",
        hsts: super::guards::HSTS,
        keeps_mode: (settings::AUTOMATIC_MODE, "custom"),
    },
    configuration: setting_forms::CONFIGURATION,
    verdicts: &["block", "managed_challenge", "js_challenge", "challenge", "log"],
    limit_verdicts: &["block", "managed_challenge", "js_challenge", "challenge", "log"],
    limit_by: &["ip.src"],
    longest_expression: LONGEST_EXPRESSION,
    authorities: &["letsencrypt.org", "pki.goog", "ssl.com"],
    kinds: RuleKind::ALL,
    redirect_lists: RedirectLists {
        statuses: &[301, 302, 307, 308],
        longest_url: 32 * 1024,
        longest_comment: 500,
        most: 1_000_000,
    },
    guards: super::guards::CODES,
    matching: expression::matching,
    redirect: expression::redirect,
    canonical: expression::normal::canonical,
    matched: expression::reverse::matched,
    redirected: expression::reverse::redirected,
    mark: rule_convert::mark_of,
    reference: rule_convert::reference_of,
    usual: setting_forms::usual,
};

/// How many rules of a kind a plan allows.
pub(super) fn quota(plan: &str, kind: RuleKind) -> usize {
    let row = match kind {
        RuleKind::Firewall => [5, 20, 100, 1_000],
        RuleKind::RateLimit => [1, 2, 5, 100],
        _ => [10, 25, 50, 300],
    };
    row[rank(plan)]
}

/// What the bulk redirects of an account are bounded by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BulkQuota {
    /// Lists of redirects.
    pub lists: usize,
    /// Rows in all of them together.
    pub rows: usize,
    /// Rules that ask them.
    pub rules: usize,
}

/// How many bulk redirects an account may have, by its largest plan.
pub(super) fn bulk_quota(plan: &str) -> BulkQuota {
    let rank = rank(plan);
    BulkQuota {
        lists: [5, 5, 5, 25][rank],
        rows: [10_000, 25_000, 50_000, 1_000_000][rank],
        rules: [15, 15, 15, 50][rank],
    }
}

/// The larger of two plans.
pub(super) fn larger<'a>(one: &'a str, other: &'a str) -> &'a str {
    if rank(other) > rank(one) { other } else { one }
}

/// Whether no plan is larger.
pub(super) fn is_largest(plan: &str) -> bool {
    rank(plan) == 3
}

/// The longest period and the longest block of a rate limit, in seconds.
pub(super) fn limit_times(plan: &str) -> (u32, u32) {
    [(10, 10), (60, 3_600), (600, 86_400), (86_400, 86_400)][rank(plan)]
}

/// The periods that a rate limit can have, in seconds.
pub(super) const PERIODS: &[u32] = &[
    10, 15, 20, 30, 40, 45, 60, 90, 120, 180, 240, 300, 480, 600, 900, 1_200, 1_800, 2_400, 3_600, 65_535, 86_400,
];

/// Whether a plan takes regular expressions.
pub(super) fn takes_regular_expressions(plan: &str) -> bool {
    rank(plan) >= 2
}

/// A plan among the four; one that is not known is taken for the smallest.
fn rank(plan: &str) -> usize {
    match plan {
        "pro" => 1,
        "business" => 2,
        "enterprise" => 3,
        _ => 0,
    }
}
