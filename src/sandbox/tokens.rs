//! Tokens: who asks, and what they may (facts §1.4, §1.5).

use std::collections::HashMap;

use serde_json::{Value, json};

use super::SANDBOX_TOKEN;
use super::envelope::{Answer, Refusal};
use crate::base::digest;

/// Who a token belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TokenKind {
    /// A user; verified at `/user/tokens/verify`.
    #[default]
    User,
    /// An account; verified at `/accounts/ID/tokens/verify`.
    Account,
}

/// Whether a token still works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TokenStatus {
    /// It works.
    #[default]
    Active,
    /// Somebody switched it off.
    Disabled,
    /// Its time is over.
    Expired,
}

/// What a token may. Writing includes reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// Zone > Zone > Read.
    ZoneRead,
    /// Zone > Zone > Edit.
    ZoneWrite,
    /// Zone > DNS > Read.
    DnsRead,
    /// Zone > DNS > Edit.
    DnsWrite,
    /// Zone > Zone Settings > Read.
    ZoneSettingsRead,
    /// Zone > Zone Settings > Edit.
    ZoneSettingsWrite,
    /// Zone > SSL and Certificates > Read.
    SslRead,
    /// Zone > SSL and Certificates > Edit.
    SslWrite,
    /// Zone > Dynamic URL Redirects > Read: single redirects.
    DynamicRedirectsRead,
    /// Zone > Dynamic URL Redirects > Edit.
    DynamicRedirectsWrite,
    /// Zone > Cache Settings > Read: cache rules.
    CacheSettingsRead,
    /// Zone > Cache Settings > Edit.
    CacheSettingsWrite,
    /// Zone > Config Settings > Read: configuration rules.
    ConfigSettingsRead,
    /// Zone > Config Settings > Edit.
    ConfigSettingsWrite,
    /// Zone > Zone Transform Rules > Read.
    TransformRulesRead,
    /// Zone > Zone Transform Rules > Edit.
    TransformRulesWrite,
    /// Zone > Zone WAF > Read: custom rules and rate limits.
    ZoneWafRead,
    /// Zone > Zone WAF > Edit.
    ZoneWafWrite,
    /// Zone > Origin > Read.
    OriginRead,
    /// Zone > Origin > Edit.
    OriginWrite,
    /// Zone > Response Compression > Read.
    CompressionRead,
    /// Zone > Response Compression > Edit.
    CompressionWrite,
    /// Zone > Custom Errors > Read.
    CustomErrorsRead,
    /// Zone > Custom Errors > Edit.
    CustomErrorsWrite,
    /// Zone > Page Rules > Read.
    PageRulesRead,
    /// Account > Mass URL Redirects > Read: the rules that use bulk redirect lists.
    MassRedirectsRead,
    /// Account > Mass URL Redirects > Edit.
    MassRedirectsWrite,
    /// Account > Account Filter Lists > Read.
    FilterListsRead,
    /// Account > Account Filter Lists > Edit.
    FilterListsWrite,
}

impl Permission {
    /// All of them.
    pub(super) const EVERYTHING: &'static [Self] = &[
        Self::ZoneRead,
        Self::ZoneWrite,
        Self::DnsRead,
        Self::DnsWrite,
        Self::ZoneSettingsRead,
        Self::ZoneSettingsWrite,
        Self::SslRead,
        Self::SslWrite,
        Self::DynamicRedirectsRead,
        Self::DynamicRedirectsWrite,
        Self::CacheSettingsRead,
        Self::CacheSettingsWrite,
        Self::ConfigSettingsRead,
        Self::ConfigSettingsWrite,
        Self::TransformRulesRead,
        Self::TransformRulesWrite,
        Self::ZoneWafRead,
        Self::ZoneWafWrite,
        Self::OriginRead,
        Self::OriginWrite,
        Self::CompressionRead,
        Self::CompressionWrite,
        Self::CustomErrorsRead,
        Self::CustomErrorsWrite,
        Self::PageRulesRead,
        Self::MassRedirectsRead,
        Self::MassRedirectsWrite,
        Self::FilterListsRead,
        Self::FilterListsWrite,
    ];
}

/// A token.
#[derive(Debug, Clone, Default)]
pub struct TokenOptions {
    /// Who it belongs to.
    pub kind: TokenKind,
    /// Whether it works.
    pub status: TokenStatus,
    /// What it may.
    pub permissions: Vec<Permission>,
    /// The names of the zones it covers; all of them when none are named.
    pub zones: Option<Vec<String>>,
}

/// The tokens that are known.
#[derive(Debug)]
pub(super) struct Tokens(HashMap<String, TokenOptions>);

impl Default for Tokens {
    fn default() -> Self {
        let everything = TokenOptions {
            permissions: Permission::EVERYTHING.to_vec(),
            ..TokenOptions::default()
        };
        Self(HashMap::from([(SANDBOX_TOKEN.to_owned(), everything)]))
    }
}

/// The headers that say who asks.
#[derive(Debug, Clone, Default)]
pub(super) struct Credentials {
    /// `Authorization`.
    pub(super) authorization: Option<String>,
    /// Whether `X-Auth-Key` is there: the legacy scheme, which is not spoken here.
    pub(super) legacy_key: bool,
}

impl Tokens {
    pub(super) fn add(&mut self, token: &str, options: TokenOptions) {
        self.0.insert(token.to_owned(), options);
    }

    /// The token in the header, if it has the form of one. Being known is another question.
    pub(super) fn presented(credentials: &Credentials) -> Result<&str, Refusal> {
        let malformed = |code, words| Refusal::bad(6003, "Invalid request headers").because(code, words);
        match &credentials.authorization {
            None if credentials.legacy_key => Err(malformed(6103, "Invalid format for X-Auth-Key header")),
            None => Err(malformed(6111, "Invalid format for Authorization header")),
            Some(header) => header
                .strip_prefix("Bearer ")
                .filter(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()))
                .ok_or_else(|| malformed(6111, "Invalid format for Authorization header")),
        }
    }

    /// A token that is known and works.
    pub(super) fn working(&self, token: &str) -> Result<&TokenOptions, Refusal> {
        let options = self.0.get(token).ok_or_else(Refusal::forbidden)?;
        match options.status {
            TokenStatus::Active => Ok(options),
            TokenStatus::Disabled | TokenStatus::Expired => Err(Refusal::gateway(403, 9109, "Invalid access token")),
        }
    }

    /// What a verify endpoint says of a token. It proves nothing about permissions, and `success` nothing about status.
    pub(super) fn verify(&self, token: &str, kind: TokenKind) -> Result<Answer, Refusal> {
        let options = self.0.get(token).filter(|options| options.kind == kind);
        let options = options.ok_or_else(|| Refusal::gateway(403, 9109, "Invalid access token"))?;
        let id = digest::short(token.as_bytes(), 32);
        let (result, words): (Value, _) = match options.status {
            TokenStatus::Active => (
                json!({ "id": id, "status": "active" }),
                "This API Token is valid and active",
            ),
            TokenStatus::Disabled => (json!({ "id": id, "status": "disabled" }), "This API Token is disabled"),
            TokenStatus::Expired => (
                json!({ "id": id, "status": "expired", "expires_on": "2020-01-01T00:00:00Z" }),
                "This API Token is expired",
            ),
        };
        Ok(Answer::Told(result, words))
    }
}

impl TokenOptions {
    /// Any one of the permissions is enough.
    pub(super) fn may(&self, any_of: &[Permission]) -> Result<(), Refusal> {
        if self.permissions.iter().any(|permission| any_of.contains(permission)) {
            Ok(())
        } else {
            Err(Refusal::forbidden())
        }
    }

    pub(super) fn covers(&self, zone: &str) -> bool {
        self.zones
            .as_ref()
            .is_none_or(|zones| zones.iter().any(|name| name.eq_ignore_ascii_case(zone)))
    }
}
