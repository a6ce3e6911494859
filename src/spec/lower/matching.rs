//! `match`: which requests a rule is about, checked against the zone that it stands in.

use super::{DeclaredZone, Findings};
use crate::base::diagnostic::Diagnostic;
use crate::base::text;
pub(super) use crate::model::matching::Match;
use crate::model::name::DomainName;
use crate::spec::raw_edge;
use crate::spec::shape::Text;

/// Lowers a match. `None` when something in it is wrong, and that has been said.
pub(super) fn lower(raw: &raw_edge::Match, zone: &DeclaredZone<'_>, findings: &mut Findings<'_>) -> Option<Match> {
    let mut is_right = true;
    let mut matching = Match::default();
    for host in raw.host.iter().flat_map(|hosts| &hosts.0) {
        match self::host(host, &host.value, zone, findings) {
            Some(host) => matching.hosts.push(host),
            None => is_right = false,
        }
    }
    for path in raw.path.iter().flat_map(|paths| &paths.0) {
        if path.value.starts_with(['/', '*']) && !path.value.contains(['?', '#']) {
            matching.paths.push(path.value.clone());
        } else {
            is_right = false;
            let finding = Diagnostic::error("bad-path", "a path begins with a slash and has no query")
                .at(findings.place(&path.range))
                .label("write a path such as /assets/*");
            findings.push(finding);
        }
    }
    for method in raw.methods.iter().flatten() {
        if !method.value.is_empty() && method.value.bytes().all(|b| b.is_ascii_alphabetic()) {
            matching.methods.push(method.value.to_ascii_uppercase());
        } else {
            is_right = false;
            findings.error("bad-method", &method.range, "this is no HTTP method".to_owned());
        }
    }
    if let Some(not) = &raw.not {
        matching.not = lower(not, zone, findings).map(Box::new);
        is_right &= matching.not.is_some();
    }
    if let Some(text) = &raw.expression {
        matching.expression = expression(text, findings);
        is_right &= matching.expression.is_some();
    }
    if is_right && matching.is_empty() {
        // Keys that were written and are wrong have been spoken of.
        if raw.keys.is_empty() {
            let finding = Diagnostic::error("empty-match", "it says nothing, so it would cover every request")
                .at(findings.place(&raw.at))
                .help("write `path: \"/*\"` if that is meant");
            findings.push(finding);
        }
        return None;
    }
    is_right.then_some(matching)
}

/// An expression of the provider's own language, as it is.
pub(super) fn expression(text: &Text, findings: &mut Findings<'_>) -> Option<String> {
    let trimmed = text.value.trim();
    if trimmed.is_empty() || trimmed.chars().any(|c| c.is_control() && c != '\n') {
        findings.error("bad-expression", &text.range, "this is no expression".to_owned());
        return None;
    }
    Some(trimmed.to_owned())
}

/// A host or a glob of hosts, within its zone. `at` is where it stands.
pub(super) fn host(at: &Text, host: &str, zone: &DeclaredZone<'_>, findings: &mut Findings<'_>) -> Option<String> {
    let host = host.to_lowercase();
    if host == "*" {
        return Some(host);
    }
    // The fixed end of a glob tells the zone.
    let fixed = host.rsplit('*').next().unwrap_or_default();
    let (name, is_whole) = match (host.contains('*'), fixed.strip_prefix('.')) {
        (true, Some(name)) => (name, true),
        (true, None) => (fixed, false),
        (false, _) => (host.as_str(), true),
    };
    let shown = text::shorten(&text::sanitize(&host), 80);
    let bad = |findings: &mut Findings<'_>, why: String| {
        findings.error("bad-host", &at.range, format!("`{shown}` is no host: {why}"));
    };
    if host.contains([':', '/', '@', ' ']) {
        bad(findings, "write a name without a scheme, a port and a path".to_owned());
        return None;
    }
    match DomainName::parse(name) {
        Ok(name) if !is_whole || name.is_within(&zone.name) => {
            // An international name is asked for in its ASCII form.
            Some(if host.contains('*') { host } else { name.to_string() })
        }
        Ok(_) => {
            let finding = Diagnostic::error(
                "host-outside-zone",
                format!("`{shown}` is not in the zone {}", zone.name),
            )
            .at(findings.place(&at.range))
            .label(format!("a host in {} was expected, written whole", zone.name))
            .help("a zone's rules are asked only for requests to its own hosts");
            findings.push(finding);
            None
        }
        Err(error) => {
            bad(findings, error.to_string());
            None
        }
    }
}
