//! What looks like a credential in a rule: the value of a header, a text in an expression, a part of a target. Rules stand
//! in plans and in the history, so one that holds a credential is not written down. Rather one too many than one too few.

use crate::base::few_eyes::{SHORTEST, holds_one, is_credential, is_shaped, is_telling, is_value};
use crate::model::rule::{Destination, HeaderChange, Rule, RuleAction};

/// What of a rule looks like a credential.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Where it stands, in a few words that do not repeat it.
    pub about: String,
    /// Whether the name of the rule repeats it.
    pub in_name: bool,
}

/// Looks for a credential in a rule.
pub(super) fn of_rule(rule: &Rule) -> Option<Found> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut of_expression = |expression: &str, is_told: bool, about: &str| {
        let texts = of_expression(expression, is_told);
        found.extend(texts.into_iter().map(|text| (about.to_owned(), text)));
    };
    of_expression(&rule.expression, false, "a text of its expression");
    if let Some(writing) = &rule.writing {
        of_expression(writing, false, "a text of its expression");
    }
    match &rule.action {
        RuleAction::Headers { changes } => {
            for (name, change) in changes {
                let about = if is_shaped(name) {
                    "a header".to_owned()
                } else {
                    format!("the header {name}")
                };
                match change {
                    HeaderChange::Set(value) | HeaderChange::Add(value) if is_credential(name, value) => {
                        found.push((about, value.clone()));
                    }
                    HeaderChange::SetExpression(expression) => {
                        let texts = self::of_expression(expression, is_telling(name));
                        found.extend(texts.into_iter().map(|text| (about.clone(), text)));
                    }
                    HeaderChange::Set(_) | HeaderChange::Add(_) | HeaderChange::Remove => {}
                }
            }
        }
        RuleAction::Redirect { to, .. } => {
            let texts = match to {
                Destination::Url(url) if holds_one(url) => vec![url.clone()],
                Destination::Url(_) => Vec::new(),
                Destination::Expression(expression) => self::of_expression(expression, false),
            };
            found.extend(texts.into_iter().map(|text| ("its target".to_owned(), text)));
        }
        _ => {}
    }
    let in_name = is_named_after_one(&rule.name) || found.iter().any(|(_, text)| rule.name.contains(text.as_str()));
    let about = found.into_iter().next().map(|(about, _)| about);
    let about = about.or_else(|| in_name.then(|| "its name".to_owned()))?;
    Some(Found { about, in_name })
}

/// Whether the name of a rule repeats a credential.
fn is_named_after_one(name: &str) -> bool {
    let words: Vec<&str> = name.split_whitespace().collect();
    let is_said = words.windows(2).any(|two| {
        let is_one = two[1].len() >= SHORTEST && two[1].contains(|c: char| c.is_ascii_digit());
        is_telling(two[0]) && two[0].ends_with([':', '=']) && is_one
    });
    let said = |word: &&str| {
        let pair = word.split_once(':').filter(|(_, value)| !value.starts_with("//"));
        pair.is_some_and(|(name, value)| is_telling(name) && is_value(value))
    };
    is_said || words.iter().any(said) || holds_one(name)
}

/// The texts of an expression that hold credentials, or are compared with what holds one.
fn of_expression(expression: &str, is_told: bool) -> Vec<String> {
    let mut found = Vec::new();
    for texts in conditions(expression) {
        let is_name = |text: &&Text| text.is_key || text.value.ends_with('=');
        let names = |text: &Text| {
            let name = text.value.trim_end_matches('=');
            is_telling(name.rsplit(['?', '&', ';', ' ']).next().unwrap_or(name))
        };
        let is_told = is_told || texts.iter().filter(is_name).any(names);
        for text in texts.iter().filter(|text| !text.is_key) {
            if holds_one(&text.value) || (is_told && !is_name(&text) && is_value(&text.value)) {
                found.push(text.value.clone());
            }
        }
    }
    found
}

/// A text in an expression.
#[derive(Debug, Default)]
struct Text {
    value: String,
    /// Whether it says which header, cookie or field is meant: `headers["x-key"]`, `lookup_json_string(…, "key")`.
    is_key: bool,
}

/// The texts of what an expression asks, one condition at a time. What is never closed is a text to its end.
fn conditions(expression: &str) -> Vec<Vec<Text>> {
    let mut all = vec![Vec::new()];
    let mut rest = expression;
    let mut open: Vec<bool> = Vec::new();
    let mut word = "";
    while let Some(c) = rest.chars().next() {
        let is_raw = c == 'r' && rest[1..].trim_start_matches('#').starts_with('"');
        if c == '"' || is_raw {
            let (value, after) = text(rest, is_raw);
            let is_key = open.last().copied().unwrap_or_default();
            if let Some(texts) = all.last_mut() {
                texts.push(Text { value, is_key });
            }
            rest = after;
            word = "";
            continue;
        }
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.')))
            .unwrap_or(rest.len());
        if length > 0 {
            word = &rest[..length];
            if matches!(word, "and" | "or" | "xor") {
                all.push(Vec::new());
            }
            rest = &rest[length..];
            continue;
        }
        match c {
            '[' => open.push(true),
            '(' => open.push(word.starts_with("lookup_json")),
            '{' => open.push(false),
            ']' | ')' | '}' => drop(open.pop()),
            '&' | '|' | '^' => all.push(Vec::new()),
            _ => {}
        }
        if !c.is_whitespace() {
            word = "";
        }
        rest = &rest[c.len_utf8()..];
    }
    all
}

/// The text that begins here, and what stands behind it.
fn text(rest: &str, is_raw: bool) -> (String, &str) {
    if is_raw {
        let inner = rest[1..].trim_start_matches('#');
        let hashes = rest.len() - 1 - inner.len();
        let end = format!("\"{}", "#".repeat(hashes));
        let (value, after) = inner[1..].split_once(&end).unwrap_or((&inner[1..], ""));
        return (value.to_owned(), after);
    }
    let mut value = String::new();
    let mut chars = rest[1..].char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &rest[at + 2..]),
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::name::DomainName;
    use crate::model::rule::RuleKind;

    fn rule(name: &str, expression: &str, action: RuleAction) -> Rule {
        Rule {
            zone: DomainName::parse("acme.example").unwrap(),
            kind: RuleKind::Redirect,
            key: "foreign.1".into(),
            name: name.into(),
            reference: Some("1".into()),
            expression: expression.into(),
            writing: None,
            enabled: true,
            action,
            place: None,
        }
    }

    #[test]
    fn a_text_is_found_by_what_it_is_compared_with_and_by_what_it_says() {
        for (expression, expected) in [
            (
                r#"http.request.headers["x-bypass-token"][0] eq "open sesame" and http.host eq "app.acme.example""#,
                &["open sesame"][..],
            ),
            (
                r#"http.request.headers["x-api-key"][0] in {"alpha" "beta"}"#,
                &["alpha", "beta"],
            ),
            (
                r#"http.cookie contains "preview_token=letmein""#,
                &["preview_token=letmein"],
            ),
            (
                r#"http.request.uri.query contains "access_key=letmein""#,
                &["access_key=letmein"],
            ),
            (
                r#"lookup_json_string(http.request.body.raw, "password") eq "letmein""#,
                &["letmein"],
            ),
            (
                r#"http.user_agent eq "a \" b" and http.request.headers["x-key"][0] eq "letmein""#,
                &["letmein"],
            ),
            (
                r##"http.user_agent eq r#"a " b"# and http.request.headers["x-key"][0] eq r"let\me""##,
                &[r"let\me"],
            ),
            (r#""letmein" in http.request.headers["x-key"]"#, &["letmein"]),
            (r#"concat("https://acme.example/?token=", "letmein")"#, &["letmein"]),
            (
                r#"concat("https://acme.example/?apikey=letmein")"#,
                &["https://acme.example/?apikey=letmein"],
            ),
            (
                r#"http.request.uri.args["sig"][0] == "letmein" || http.host == "acme.example""#,
                &["letmein"],
            ),
            (
                r#"http.request.uri.path in {"/token" "/account/reset-password"} or http.cookie contains "session""#,
                &[],
            ),
            (r#"http.user_agent contains "never closed"#, &[]),
            (
                r#"len(http.request.headers["authorization"]) eq 0 and http.host eq "app.acme.example""#,
                &[],
            ),
        ] {
            assert_eq!(of_expression(expression, false), expected, "{expression}");
        }
    }

    #[test]
    fn a_target_or_a_name_with_a_credential_gives_the_rule_away() {
        let to = |url: &str| RuleAction::Redirect {
            to: Destination::Url(url.into()),
            status: 302,
            keep_query: false,
        };
        for url in [
            "https://user:hunter22@acme.example/",
            "https://hooks.slack.example/services/T00000000/B00000000/abcdefghijklmnopqrstuvwx",
            "https://acme.example/?apikey=hunter22",
            "https://acme.example/?a=1&pwd=hunter22",
            "https://acme.example/?sig=hunter22#x",
        ] {
            let found = of_rule(&rule("to the new one", "true", to(url))).unwrap();
            assert_eq!((found.about.as_str(), found.in_name), ("its target", false), "{url}");
        }
        let plain = to("https://acme.example/shop/${1}?page=1");
        assert_eq!(of_rule(&rule("Auth: login page", "true", plain.clone())), None);
        for name in [
            "token: hunter22",
            "key=hunter22",
            "pass:hunter22",
            "Bearer hunter22",
            "for sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        ] {
            let found = of_rule(&rule(name, "true", plain.clone())).unwrap();
            assert!(found.in_name && found.about == "its name", "{name}");
        }
        let keyed = r#"http.request.headers["x-key"][0] eq "letmein""#;
        let found = of_rule(&rule("partners with letmein", keyed, plain)).unwrap();
        assert!(found.in_name && found.about == "a text of its expression");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "(r|#|\"|\\\\|\\[|\\]|é|=|&|and| |[a-z]){0,30}") {
            of_expression(&text, true);
            holds_one(&text);
        }
    }
}
