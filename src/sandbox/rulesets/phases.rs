//! The phases in which rules run: who may look at one, which actions it knows, and how many rules a plan allows in it
//! (facts §1.5, §5.3, §5.6).

use super::super::plan::Plan;
use super::super::tokens::Permission;

/// Where a ruleset belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Home {
    /// To a zone.
    Zone,
    /// To the account.
    Account,
}

impl Home {
    /// The kind of an entry point there.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Zone => "zone",
            Self::Account => "root",
        }
    }
}

/// A phase.
#[derive(Debug)]
pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) home: Home,
    /// What its rules may do; none where the stand-in takes no rules.
    pub(super) actions: &'static [&'static str],
    /// How many rules, from the smallest plan to the largest.
    quota: [usize; 4],
    /// Whether rules that are switched off do not count.
    pub(super) counts_active: bool,
    read: Permission,
    write: Permission,
    /// Whether there is a response to look at.
    pub(super) has_response: bool,
}

impl Phase {
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        PHASES.iter().find(|phase| phase.name == name)
    }

    pub(super) fn quota(&self, plan: Plan) -> usize {
        match plan {
            Plan::Free => self.quota[0],
            Plan::Pro => self.quota[1],
            Plan::Business => self.quota[2],
            Plan::Enterprise => self.quota[3],
        }
    }

    /// The permissions of which any one is enough.
    pub(super) fn permissions(&self, is_write: bool) -> Vec<Permission> {
        if is_write {
            vec![self.write]
        } else {
            vec![self.read, self.write]
        }
    }
}

/// The permissions of which any one opens some phase: which one is asked for is known only later.
pub(super) fn any_of(home: Home, is_write: bool) -> &'static [Permission] {
    use Permission as P;
    match (home, is_write) {
        (Home::Account, true) => &[P::MassRedirectsWrite],
        (Home::Account, false) => &[P::MassRedirectsRead, P::MassRedirectsWrite],
        (Home::Zone, true) => &[
            P::DynamicRedirectsWrite,
            P::CacheSettingsWrite,
            P::ConfigSettingsWrite,
            P::TransformRulesWrite,
            P::ZoneWafWrite,
            P::OriginWrite,
            P::CompressionWrite,
            P::CustomErrorsWrite,
        ],
        (Home::Zone, false) => &[
            P::DynamicRedirectsRead,
            P::DynamicRedirectsWrite,
            P::CacheSettingsRead,
            P::CacheSettingsWrite,
            P::ConfigSettingsRead,
            P::ConfigSettingsWrite,
            P::TransformRulesRead,
            P::TransformRulesWrite,
            P::ZoneWafRead,
            P::ZoneWafWrite,
            P::OriginRead,
            P::OriginWrite,
            P::CompressionRead,
            P::CompressionWrite,
            P::CustomErrorsRead,
            P::CustomErrorsWrite,
        ],
    }
}

/// Single redirects, cache, configuration, origin, compression and transform rules.
const USUAL: [usize; 4] = [10, 25, 50, 300];
/// Where the facts name no number.
const MANY: [usize; 4] = [1_000; 4];

const fn zone(
    name: &'static str,
    actions: &'static [&'static str],
    quota: [usize; 4],
    read: Permission,
    write: Permission,
) -> Phase {
    Phase {
        name,
        home: Home::Zone,
        actions,
        quota,
        counts_active: false,
        read,
        write,
        has_response: false,
    }
}

/// Headers and addresses rewritten. Whether the three phases share one quota is not confirmed; here each has its own.
const fn transform(name: &'static str, has_response: bool) -> Phase {
    Phase {
        counts_active: true,
        has_response,
        ..zone(
            name,
            &["rewrite"],
            USUAL,
            Permission::TransformRulesRead,
            Permission::TransformRulesWrite,
        )
    }
}

const fn waf(name: &'static str, actions: &'static [&'static str], quota: [usize; 4]) -> Phase {
    zone(name, actions, quota, Permission::ZoneWafRead, Permission::ZoneWafWrite)
}

/// In the order in which they run.
const PHASES: &[Phase] = &[
    transform("http_request_sanitize", false).without_actions(),
    zone(
        "http_request_dynamic_redirect",
        &["redirect"],
        USUAL,
        Permission::DynamicRedirectsRead,
        Permission::DynamicRedirectsWrite,
    ),
    transform("http_request_transform", false),
    zone(
        "http_config_settings",
        &["set_config"],
        USUAL,
        Permission::ConfigSettingsRead,
        Permission::ConfigSettingsWrite,
    ),
    zone(
        "http_request_origin",
        &["route"],
        USUAL,
        Permission::OriginRead,
        Permission::OriginWrite,
    ),
    waf("ddos_l7", &["execute"], MANY),
    waf(
        "http_request_firewall_custom",
        &["block", "challenge", "js_challenge", "managed_challenge", "log", "skip"],
        [5, 20, 100, 1_000],
    ),
    Phase {
        // Some rate limits look at the answer to count.
        has_response: true,
        ..waf(
            "http_ratelimit",
            &["block", "challenge", "js_challenge", "managed_challenge", "log"],
            [1, 2, 5, 100],
        )
    },
    waf("http_request_firewall_managed", &["execute", "skip"], MANY),
    waf("http_request_sbfm", &["skip"], MANY),
    Phase {
        home: Home::Account,
        ..zone(
            "http_request_redirect",
            &["redirect"],
            [15, 15, 15, 50],
            Permission::MassRedirectsRead,
            Permission::MassRedirectsWrite,
        )
    },
    transform("http_request_late_transform", false),
    zone(
        "http_request_cache_settings",
        &["set_cache_settings"],
        USUAL,
        Permission::CacheSettingsRead,
        Permission::CacheSettingsWrite,
    ),
    Phase {
        has_response: true,
        ..zone(
            "http_custom_errors",
            &["serve_error"],
            [0, 25, 50, 300],
            Permission::CustomErrorsRead,
            Permission::CustomErrorsWrite,
        )
    },
    transform("http_response_headers_transform", true),
    Phase {
        has_response: true,
        ..zone(
            "http_response_compression",
            &["compress_response"],
            USUAL,
            Permission::CompressionRead,
            Permission::CompressionWrite,
        )
    },
    Phase {
        has_response: true,
        ..zone(
            "http_response_cache_settings",
            &[],
            USUAL,
            Permission::CacheSettingsRead,
            Permission::CacheSettingsWrite,
        )
    },
    Phase {
        has_response: true,
        ..waf("http_response_firewall_managed", &["execute", "skip"], MANY)
    },
];

impl Phase {
    const fn without_actions(self) -> Self {
        Self { actions: &[], ..self }
    }
}
