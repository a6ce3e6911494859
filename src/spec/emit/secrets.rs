//! What looks like a credential in what is live: the value of a header, a text in an expression. It is not written down;
//! in its place stands a variable that is read from the environment. Rather one too many than one too few.

use super::page::{Yaml, in_quotes, scalar};
use super::{EmittedZone, Form};
use crate::base::few_eyes::is_credential;
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
