//! Whether a text that is live somewhere looks like a credential, by what it is called and by itself. Rather one too many
//! than one too few. Pure.

/// Words in the names of headers, cookies and parameters whose values are for few eyes.
const WORDS: [&str; 12] = [
    "authorization",
    "auth",
    "token",
    "secret",
    "key",
    "password",
    "passwd",
    "credential",
    "cookie",
    "signature",
    "session",
    "bearer",
];
/// Shorter texts are words, whatever stands around them.
const SHORTEST: usize = 6;

/// Whether a value is for few eyes: its name says so, or it looks like nothing that a person would think of.
pub fn is_credential(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let by_name =
        words.any(|word| WORDS.contains(&word)) || WORDS.iter().any(|word| word.len() > 4 && name.ends_with(word));
    let is_word = matches!(
        value,
        "same-origin" | "same-site" | "include" | "omit" | "strict" | "required"
    );
    if by_name && value.len() >= SHORTEST && !is_word {
        return true;
    }
    let lower = value.to_ascii_lowercase();
    if ["bearer ", "basic ", "token "]
        .iter()
        .any(|scheme| lower.starts_with(scheme))
    {
        return true;
    }
    value
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+')))
        .any(is_random)
}

/// A long run of letters and digits in which both keep changing.
fn is_random(word: &str) -> bool {
    let kind = |c: char| (c.is_ascii_digit(), c.is_ascii_uppercase());
    let kinds: Vec<_> = word.chars().filter(char::is_ascii_alphanumeric).map(kind).collect();
    let changes = kinds.windows(2).filter(|pair| pair[0] != pair[1]).count();
    kinds.len() >= 20 && changes * 5 >= kinds.len() && kinds.iter().any(|(is_digit, _)| *is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_few_eyes_is_told_from_what_everybody_may_see() {
        for (name, value) in [
            ("Authorization", "Basic dXNlcjpwYXNz"),
            ("X-Origin-Token", "hunter22"),
            ("x-api-key", "abcdef"),
            ("X-Anything", "Bearer abc"),
            ("X-Anything", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"),
            ("Set-Cookie", "id=1234567"),
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
                "geolocation=(), microphone=(), interest-cohort=()",
            ),
            ("X-Monkey", "abcdefgh"),
            ("", "/account/reset-password"),
        ] {
            assert!(!is_credential(name, value), "{name}: {value}");
        }
    }
}
