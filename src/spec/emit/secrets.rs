//! What looks like a credential in what is live: the value of a header, a text in an expression. It is not written down;
//! in its place stands a variable that is read from the environment. Rather one too many than one too few.

use super::page::{Yaml, in_quotes, scalar};
use super::{EmittedZone, Form};
use crate::base::secret::Secret;
use crate::model::rule::{HeaderChange, Rule, RuleAction};

/// Something that is not written down.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The variable that stands for it in the spec.
    pub variable: String,
    /// The environment variable that it is to be read from.
    pub environment: String,
    /// What it is, in a few words.
    pub about: String,
    /// Itself, for comparing; never shown.
    pub(crate) value: Secret,
}

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

/// Everything in these zones that is not to be written down.
pub(super) fn find(zones: &[EmittedZone]) -> Vec<Kept> {
    let mut kept: Vec<Kept> = Vec::new();
    for zone in zones {
        for rule in &zone.rules {
            let is_declared = !matches!(rule.form, Form::Comment(_));
            for (name, value, about) in of_rule(&rule.what) {
                if is_declared && !kept.iter().any(|known| known.value.expose() == value) {
                    let variable = free_name(&kept, &name);
                    kept.push(Kept {
                        environment: variable.to_ascii_uppercase(),
                        variable,
                        about,
                        value: Secret::new(&value),
                    });
                }
            }
        }
    }
    kept
}

/// The name for a variable, what it stands for, and what that is, in a few words.
pub(super) fn of_rule(rule: &Rule) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let whose = if rule.name.is_empty() {
        format!("in a {} of {}", rule.kind.noun(), rule.zone)
    } else {
        format!("in the {} «{}» of {}", rule.kind.noun(), rule.name, rule.zone)
    };
    if let RuleAction::Headers { changes } = &rule.action {
        for (name, change) in changes {
            match change {
                HeaderChange::Set(value) | HeaderChange::Add(value) if is_credential(name, value) => {
                    found.push((
                        format!("header_{name}"),
                        value.clone(),
                        format!("the header {name} {whose}"),
                    ));
                }
                HeaderChange::SetExpression(expression) => found.extend(of_expression(expression, name, &whose)),
                HeaderChange::Set(_) | HeaderChange::Add(_) | HeaderChange::Remove => {}
            }
        }
    }
    found.extend(of_expression(
        rule.writing.as_ref().unwrap_or(&rule.expression),
        "",
        &whose,
    ));
    if let RuleAction::Redirect { to, .. } = &rule.action {
        let (crate::model::rule::Destination::Url(to) | crate::model::rule::Destination::Expression(to)) = to;
        for pair in to.split(['?', '&', '"', '#']) {
            if let Some((name, value)) = pair.split_once('=').filter(|(name, value)| is_credential(name, value)) {
                found.push((
                    format!("parameter_{name}"),
                    value.to_owned(),
                    format!("the parameter {name} {whose}"),
                ));
            }
        }
    }
    found
}

/// Texts in an expression that look like credentials, or are compared with what holds one.
fn of_expression(expression: &str, header: &str, whose: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let parts: Vec<&str> = expression.split('"').collect();
    for at in (1..parts.len()).step_by(2) {
        // The name of a header or cookie that the text is compared with is the text before it: `headers["x-key"][0] eq`.
        let before = if at >= 2 && parts[at - 1].contains(']') {
            parts[at - 2]
        } else {
            header
        };
        if is_credential(before, parts[at]) {
            let name = if before.is_empty() { "text" } else { before };
            found.push((format!("rule_{name}"), parts[at].to_owned(), format!("a text {whose}")));
        }
    }
    found
}

/// Whether a value is for few eyes: its name says so, or it looks like nothing that a person would think of.
fn is_credential(name: &str, value: &str) -> bool {
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

/// A name for a variable that is not taken.
fn free_name(kept: &[Kept], wish: &str) -> String {
    let name: String = wish
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let name: String = name.trim_matches('_').chars().take(60).collect();
    let is_free = |name: &str| !kept.iter().any(|known| known.variable == name);
    if is_free(&name) {
        return name;
    }
    let numbered = (2..=kept.len() + 2).map(|number| format!("{name}_{number}"));
    numbered.into_iter().find(|name| is_free(name)).unwrap_or(name)
}

/// A text with variables in the place of what is kept.
pub(super) fn masked(text: &str, kept: &[Kept]) -> Yaml {
    if !kept.iter().any(|one| text.contains(one.value.expose())) {
        return Yaml::Scalar(scalar(text));
    }
    let mut out = text.replace("${", "$${");
    // The longest first: one may be part of another.
    let mut longest: Vec<&Kept> = kept.iter().collect();
    longest.sort_by_key(|one| std::cmp::Reverse(one.value.expose().len()));
    for one in longest {
        out = out.replace(
            &one.value.expose().replace("${", "$${"),
            &format!("${{{}}}", one.variable),
        );
    }
    Yaml::Scalar(in_quotes(&out))
}

/// A text for a comment, in which what looks like a credential is left out.
pub(super) fn left_out(rule: &Rule, text: &str) -> String {
    of_rule(rule)
        .iter()
        .fold(text.to_owned(), |text, (_, value, _)| text.replace(value.as_str(), "…"))
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

    #[test]
    fn a_text_in_an_expression_is_found_by_what_it_is_compared_with() {
        let found = of_expression(
            r#"http.request.headers["x-bypass-token"][0] eq "open sesame" and http.host eq "app.acme.example""#,
            "",
            "here",
        );
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].1, "open sesame");
    }
}
