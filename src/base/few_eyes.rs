//! Whether a text looks like a credential, by what it is called and by itself. Rather one too many than one too few: what
//! looks like one is not written down. Pure.

/// Words in the names of headers, cookies and parameters whose values are for few eyes, beside those that tell alone.
const WORDS: [&str; 6] = ["pass", "pwd", "jwt", "verify", "sig", "hmac"];
/// The same, wherever in a name they stand.
const PARTS: [&str; 2] = ["passwd", "bearer"];
/// How the credentials of well-known services begin.
const BEGINNINGS: [&str; 13] = [
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "whsec_",
    "ghp_",
    "gho_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "ASIA",
    "eyJ",
];
/// Shorter texts are words, whatever stands around them.
pub const SHORTEST: usize = 4;

/// Whether the value of a header is for few eyes: its name says so, or it looks like it.
pub fn is_credential(name: &str, value: &str) -> bool {
    (is_telling(name) && is_value(value)) || (!is_challenge(value) && is_schemed(value)) || is_shaped(value)
}

/// Whether a header of this name holds a credential, as far as a name can tell.
pub fn tells_a_credential(name: &str) -> bool {
    const TELLING: [&str; 9] = [
        "auth",
        "cookie",
        "token",
        "key",
        "secret",
        "password",
        "signature",
        "session",
        "credential",
    ];
    let name = name.to_ascii_lowercase();
    TELLING.iter().any(|word| name.contains(word))
}

/// Whether the name of a header, cookie or parameter says that its value is for few eyes.
pub fn is_telling(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let mut parts = PARTS.iter();
    tells_a_credential(name) || parts.any(|part| lower.contains(part)) || words.any(|word| WORDS.contains(&word))
}

/// Whether a text may be a value and not a word that anybody would write.
pub fn is_value(value: &str) -> bool {
    const PLAIN: [&str; 8] = [
        "true",
        "false",
        "same-origin",
        "same-site",
        "include",
        "omit",
        "strict",
        "required",
    ];
    value.len() >= SHORTEST && !PLAIN.contains(&value.to_ascii_lowercase().as_str()) && !is_challenge(value)
}

/// `Basic realm="…"` asks for a credential and is none.
fn is_challenge(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    ["basic realm=", "bearer realm=", "digest realm="]
        .iter()
        .any(|start| lower.starts_with(start))
}

fn is_schemed(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    ["bearer ", "basic ", "token "]
        .iter()
        .any(|scheme| lower.strip_prefix(scheme).is_some_and(|rest| !rest.trim().is_empty()))
}

/// Whether a text has a part that looks like nothing that a person would think of.
pub fn is_shaped(text: &str) -> bool {
    let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+')));
    words.any(|word| is_random(word) || is_known(word)) || is_slack(text)
}

/// A long run of letters and digits in which both keep changing.
fn is_random(word: &str) -> bool {
    let kind = |c: char| (c.is_ascii_digit(), c.is_ascii_uppercase());
    let kinds: Vec<_> = word.chars().filter(char::is_ascii_alphanumeric).map(kind).collect();
    let changes = kinds.windows(2).filter(|pair| pair[0] != pair[1]).count();
    kinds.len() >= 20 && changes * 5 >= kinds.len() && kinds.iter().any(|(is_digit, _)| *is_digit)
}

fn is_known(word: &str) -> bool {
    let rest = BEGINNINGS.iter().find_map(|start| word.strip_prefix(start));
    rest.is_some_and(|rest| rest.len() >= 12)
}

/// `T…/B…/…`, the path of a Slack webhook.
fn is_slack(text: &str) -> bool {
    let segments: Vec<&str> = text.split(['/', '?', '#', ' ']).collect();
    let is_id = |segment: &str, first: char| {
        let is_upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        segment.len() >= 8 && segment.starts_with(first) && segment.chars().all(is_upper)
    };
    segments.windows(3).any(|three| {
        let is_last = three[2].len() >= 16 && three[2].chars().all(|c| c.is_ascii_alphanumeric());
        is_id(three[0], 'T') && is_id(three[1], 'B') && is_last
    })
}

/// Whether a text holds a credential by what it says itself: a telling parameter or cookie, a user with a password, a
/// scheme, a shape.
pub fn holds_one(text: &str) -> bool {
    let mut pairs = pairs(text);
    let has_user = text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
        authority.contains('@')
    });
    has_user || is_schemed(text) || is_shaped(text) || pairs.any(|(name, value)| is_telling(name) && is_value(value))
}

/// `name=value`, as it stands in a query or a cookie.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = text.split(|c: char| c.is_whitespace() || matches!(c, '?' | '&' | ';' | '#' | ','));
    parts.filter_map(|part| part.split_once('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_a_header_is_told_from_what_everybody_may_see() {
        for (name, value) in [
            ("Authorization", "Basic dXNlcjpwYXNz"),
            ("X-Origin-Token", "hunter22"),
            ("x-api-key", "abcdef"),
            ("X-Anything", "Bearer abc"),
            ("X-Anything", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"),
            ("X-Anything", "AKIAIOSFODNN7EXAMPLE"),
            ("Set-Cookie", "id=1234567"),
            ("X-Api-Pass", "hunter22"),
            ("X-Pwd", "hunter22"),
            ("X-Origin-Verify", "hunter22"),
            ("X-Tokens", "hunter22"),
            ("X-Api-Credentials", "hunter22"),
            ("X-JWT", "hunter22"),
            ("X-Auth", "hunter22"),
            ("mypasswd", "hunter22"),
            ("", "/services/T00000000/B00000000/a1B2c3D4e5F6g7H8"),
            ("Auth-Bearer-Of", "hunter22"),
            // Rather one too many: `key` may be part of any word.
            ("X-Monkey", "abcdefgh"),
        ] {
            assert!(is_credential(name, value), "{name}: {value}");
        }
        for (name, value) in [
            ("X-Frame-Options", "DENY"),
            (
                "Content-Security-Policy",
                "default-src 'self'; script-src 'self' https://js.stripe.com",
            ),
            ("Referrer-Policy", "strict-origin-when-cross-origin"),
            ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
            (
                "Permissions-Policy",
                "geolocation=(), microphone=(), publickey-credentials-get=(self)",
            ),
            (
                "Permissions-Policy",
                "geolocation=(), microphone=(), interest-cohort=()",
            ),
            ("", "/account/reset-password"),
            ("Access-Control-Allow-Credentials", "true"),
            ("WWW-Authenticate", "Basic realm=\"staff\""),
        ] {
            assert!(!is_credential(name, value), "{name}: {value}");
        }
    }
}
