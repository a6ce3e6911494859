//! Redirects that lead back to where they start, at once or by way of others, for ever: requests are made up and followed
//! from redirect to redirect. Said only where it is certain, so that a request is let go as soon as anything that is not
//! known here could end its way.

use std::collections::BTreeSet;

use url::Url;

use super::edge::unproxied_record;
use crate::base::diagnostic::Diagnostic;
use crate::model::matching::UrlGlob;
use crate::model::name::DomainName;
use crate::model::record::RecordType;
use crate::model::rule::{Destination, RuleAction, RuleKind};
use crate::spec::lower::{DeclaredRule, DeclaredZone, Findings};

/// What the stars of a request stand for: what holds for two texts that have nothing in common holds for any.
const PROBES: [&str; 2] = ["launchctl-probe", "7x"];
/// Browsers give up after so many redirects.
const MOST: usize = 20;
/// Bytes of a path that no server takes any more.
const LONGEST: usize = 32 * 1024;

pub(super) fn check(zone: &DeclaredZone<'_>, findings: &mut Findings<'_>) {
    let redirects: Vec<&DeclaredRule> = zone.rules.iter().filter(|rule| is_asked(rule)).collect();
    let mut said: BTreeSet<usize> = BTreeSet::new();
    for (at, redirect) in redirects.iter().enumerate() {
        if said.contains(&at) {
            continue;
        }
        let ways = PROBES.map(|probe| way(zone, &redirects, at, probe));
        let way = match ways {
            [Some(way), Some(other)] if way == other => way,
            _ if leads_to_itself(&redirects, at) => vec![at],
            _ => continue,
        };
        let words = match way.as_slice() {
            [only] if *only == at => "this redirect leads to where it starts from, for ever",
            several if several.contains(&at) => "these redirects lead to one another, for ever",
            _ => "this redirect leads to others that lead in a circle, for ever",
        };
        let mut finding = Diagnostic::error("redirect-loop", words)
            .at(findings.place(&redirect.to))
            .about(redirect.rule.address().as_str());
        for other in way.iter().filter(|other| **other != at) {
            finding = finding.related(findings.place(&redirects[*other].to), "part of the circle");
        }
        findings.push(finding);
        said.extend(way);
    }
}

/// Whether a rule is a redirect, and in force.
fn is_asked(rule: &DeclaredRule) -> bool {
    rule.rule.kind == RuleKind::Redirect && rule.rule.enabled
}

/// Whether what a redirect leads to, without any star, is one of the URLs that it starts from; and no other of them is
/// known to answer first.
fn leads_to_itself(redirects: &[&DeclaredRule], at: usize) -> bool {
    let redirect = redirects[at];
    let (
        Some((from, _)),
        RuleAction::Redirect {
            to: Destination::Url(to),
            ..
        },
    ) = (&redirect.from, &redirect.rule.action)
    else {
        return false;
    };
    let is_covered = UrlGlob::parse(to).is_ok_and(|to| !to.host.contains('*') && from.covers(&to));
    let answers = || first(redirects, &Request::of(to)?).map(|(found, _)| found);
    is_covered && answers().is_none_or(|found| found == at)
}

/// A request, as far as redirects look at it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Request {
    https: bool,
    host: String,
    path: String,
    query: String,
}

impl Request {
    /// What a browser asks for next. Another port may be anybody's.
    fn of(target: &str) -> Option<Self> {
        let url = Url::parse(target).ok()?;
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let is_plain = url.port().is_none() && url.username().is_empty() && url.password().is_none();
        is_plain.then(|| Self {
            https,
            host: url.host_str().unwrap_or_default().to_owned(),
            path: url.path().to_owned(),
            query: url.query().unwrap_or_default().to_owned(),
        })
    }
}

/// The redirects that a request goes round in which `start` answers first, in their order; nothing when it ends, or may.
fn way(zone: &DeclaredZone<'_>, redirects: &[&DeclaredRule], start: usize, probe: &str) -> Option<Vec<usize>> {
    let (from, _) = redirects.get(start)?.from.as_ref()?;
    let mut request = Request {
        https: from.https.unwrap_or(true),
        host: from.host.replace('*', probe),
        path: from.path.replace('*', probe),
        query: from.query.as_deref().unwrap_or_default().replace('*', probe),
    };
    let mut known: Vec<Request> = Vec::new();
    let mut passed: Vec<usize> = Vec::new();
    while passed.len() <= MOST {
        if !is_surely_asked(zone, &request.host) {
            return None;
        }
        let (at, captures) = first(redirects, &request)?;
        if passed.is_empty() && at != start {
            return None;
        }
        known.push(request.clone());
        passed.push(at);
        let redirect = redirects[at];
        let mut next = Request::of(&filled(redirect.leads_to.as_deref()?, &captures)?)?;
        if matches!(redirect.rule.action, RuleAction::Redirect { keep_query: true, .. }) && !request.query.is_empty() {
            if !next.query.is_empty() {
                return None;
            }
            next.query = request.query;
        }
        if let Some(began) = known.iter().position(|known| *known == next) {
            return Some(distinct(&passed[began..]));
        }
        if next.path.len() > LONGEST {
            return first(redirects, &next).map(|_| distinct(&passed));
        }
        request = next;
    }
    // It never comes back, and never ends either: the path grows from redirect to redirect.
    Some(distinct(&passed[MOST / 2..]))
}

fn distinct(passed: &[usize]) -> Vec<usize> {
    let all: BTreeSet<usize> = passed.iter().copied().collect();
    all.into_iter().collect()
}

/// Whether the redirects of a zone are asked for a host, if it answers at all.
fn is_surely_asked(zone: &DeclaredZone<'_>, host: &str) -> bool {
    let Ok(host) = DomainName::parse(host) else {
        return false;
    };
    let is_delegated = zone
        .records
        .iter()
        .any(|record| record.kind() == RecordType::Ns && record.owner != zone.name && host.is_within(&record.owner));
    host.is_within(&zone.name) && !is_delegated && unproxied_record(zone, &host).is_none()
}

/// The first redirect that answers a request, with what its stars took. What starts from an expression may answer first.
fn first(redirects: &[&DeclaredRule], request: &Request) -> Option<(usize, Vec<String>)> {
    for (at, redirect) in redirects.iter().enumerate() {
        let (from, _) = redirect.from.as_ref()?;
        if from.https.is_some_and(|https| https != request.https) {
            continue;
        }
        let query = from
            .query
            .as_deref()
            .map_or(Fit::Takes(Vec::new()), |glob| fit(glob, &request.query));
        let fits = [fit(&from.host, &request.host), fit(&from.path, &request.path), query];
        if fits.contains(&Fit::Not) {
            continue;
        }
        return match fits {
            [Fit::Takes(of_host), Fit::Takes(of_path), Fit::Takes(_)] => Some((at, [of_host, of_path].concat())),
            _ => None,
        };
    }
    None
}

/// Whether a text is one that a glob stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fit {
    Not,
    /// It depends on what the provider makes of upper and lower case, or of several stars.
    Unsure,
    /// It is, and its stars take these parts.
    Takes(Vec<String>),
}

fn fit(glob: &str, text: &str) -> Fit {
    let takes = |early: bool| captures(glob, text, early);
    match (takes(true), takes(false)) {
        (Some(one), Some(other)) if one == other => Fit::Takes(one),
        (None, None) if captures(&glob.to_lowercase(), &text.to_lowercase(), true).is_none() => Fit::Not,
        _ => Fit::Unsure,
    }
}

/// What the stars of a glob take of a text: as little as can be, or as much.
fn captures(glob: &str, text: &str, early: bool) -> Option<Vec<String>> {
    let Some((head, rest)) = glob.split_once('*') else {
        return (glob == text).then(Vec::new);
    };
    let (between, tail) = rest
        .rsplit_once('*')
        .map_or((None, rest), |(between, tail)| (Some(between), tail));
    let mut left = text.strip_prefix(head)?.strip_suffix(tail)?;
    let Some(between) = between else {
        return Some(vec![left.to_owned()]);
    };
    let mut parts: Vec<&str> = between.split('*').collect();
    let mut taken = Vec::new();
    if early {
        for part in parts {
            let (before, after) = left.split_once(part)?;
            taken.push(before.to_owned());
            left = after;
        }
        taken.push(left.to_owned());
    } else {
        while let Some(part) = parts.pop() {
            let (before, after) = left.rsplit_once(part)?;
            taken.push(after.to_owned());
            left = before;
        }
        taken.push(left.to_owned());
        taken.reverse();
    }
    Some(taken)
}

/// A target with its captures filled in, as far as it can be asked for at all: each redirect may multiply what it took.
fn filled(to: &str, captures: &[String]) -> Option<String> {
    let mut out = String::new();
    let mut rest = to;
    while let Some((before, after)) = rest.split_once("${") {
        let (number, after) = after.split_once('}')?;
        let number: usize = number.parse().ok()?;
        out.push_str(before);
        out.push_str(captures.get(number.checked_sub(1)?)?);
        if out.len() > 2 * LONGEST {
            return Some(out);
        }
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_stars_take_is_told_only_where_it_is_certain() {
        let took = |parts: &[&str]| Fit::Takes(parts.iter().map(|part| (*part).to_owned()).collect());
        for (glob, text, expected) in [
            ("/*", "/a/b", took(&["a/b"])),
            ("/a", "/a", took(&[])),
            ("/a*z", "/abcz", took(&["bc"])),
            ("/*/b/*", "/a/b/c", took(&["a", "c"])),
            ("/a*", "/b", Fit::Not),
            ("/ab*ba", "/aba", Fit::Not),
            ("/A*", "/ab", Fit::Unsure),
            ("/*/*", "/a/b/c", Fit::Unsure),
        ] {
            assert_eq!(fit(glob, text), expected, "{glob} {text}");
        }
    }
}
