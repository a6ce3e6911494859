//! A list of redirects against the rest of its zone, and against itself: rows that lead in a circle, that a redirect of
//! the spec answers first, or whose host no proxied record answers for.

use std::collections::{BTreeMap, BTreeSet};

use super::edge::{unproxied_record, warn};
use super::few;
use crate::base::diagnostic::Diagnostic;
use crate::base::text;
use crate::model::matching::UrlGlob;
use crate::model::name::DomainName;
use crate::model::redirect_list::{ListedRedirect, ListedUrl};
use crate::spec::lower::redirect_list::DeclaredRedirectList;
use crate::spec::lower::{DeclaredRule, DeclaredZone, Findings};

/// The codes of the warnings here, beyond those of redirects.
pub(super) const CODES: &[&str] = &["redirect-chain"];

pub(super) fn check(zone: &DeclaredZone<'_>, findings: &mut Findings<'_>) {
    let Some(declared) = &zone.redirect_list else { return };
    let table = Table::of(&declared.list.rows);
    if !circles(declared, &table, findings) {
        chains(zone, declared, &table, findings);
    }
    hidden(zone, declared, findings);
    unproxied(zone, declared, &table, findings);
}

/// The rows, found as a provider finds them.
struct Table<'a> {
    rows: &'a [ListedRedirect],
    starts: Vec<Option<ListedUrl>>,
    by_url: BTreeMap<&'a str, usize>,
}

impl<'a> Table<'a> {
    fn of(rows: &'a [ListedRedirect]) -> Self {
        Self {
            rows,
            starts: rows.iter().map(|row| ListedUrl::parse(&row.from).ok()).collect(),
            by_url: rows
                .iter()
                .enumerate()
                .map(|(at, row)| (row.from.as_str(), at))
                .collect(),
        }
    }

    /// The row that a request for what this one leads to finds, as far as that is certain: a row with that very URL, or
    /// one with a path above that takes paths below.
    fn next(&self, at: usize) -> Option<usize> {
        let to = self.rows.get(at)?.to.as_str();
        // A list is asked without the query.
        let to = to.split(['?', '#']).next().unwrap_or_default();
        let mut url = ListedUrl::parse(to).ok()?;
        let target = url.clone();
        loop {
            for https in [target.https, None] {
                url.https = https;
                let found = self.by_url.get(url.to_string().as_str()).copied();
                let fits = |found: &usize| url.path == target.path || self.rows[*found].subpaths;
                if let Some(found) = found.filter(fits) {
                    return Some(found);
                }
            }
            // The path above, with its slash and then without.
            let (above, _) = url.path.trim_end_matches('/').rsplit_once('/')?;
            url.path = if url.path.ends_with('/') {
                url.path.trim_end_matches('/').to_owned()
            } else {
                format!("{above}/")
            };
        }
    }
}

/// Rows that lead back to where they start, at once or by way of others; whether there are any.
fn circles(declared: &DeclaredRedirectList, table: &Table<'_>, findings: &mut Findings<'_>) -> bool {
    let mut settled: BTreeSet<usize> = BTreeSet::new();
    let mut found = Vec::new();
    for start in 0..table.rows.len() {
        let mut way: Vec<usize> = Vec::new();
        let mut on_way: BTreeSet<usize> = BTreeSet::new();
        let mut at = Some(start);
        while let Some(row) = at.filter(|row| !settled.contains(row)) {
            if !on_way.insert(row) {
                let from = way.iter().position(|known| *known == row).unwrap_or_default();
                found.push(circle(declared, &way[from..]));
                break;
            }
            way.push(row);
            at = table.next(row);
        }
        settled.extend(way);
    }
    let is_wrong = !found.is_empty();
    few(found, "circles", findings);
    is_wrong
}

fn circle(declared: &DeclaredRedirectList, rows: &[usize]) -> Diagnostic {
    let place = |row: usize| declared.place(&declared.places[row].to);
    match rows {
        [one] => {
            Diagnostic::error("redirect-loop", "this redirect leads to where it starts from, for ever").at(place(*one))
        }
        [first, second, ..] => Diagnostic::error(
            "redirect-loop",
            format!("these {} redirects lead in a circle, for ever", rows.len()),
        )
        .at(place(*first))
        .related(place(*second), "by way of this one"),
        [] => Diagnostic::error("redirect-loop", "these redirects lead in a circle"),
    }
    .about(declared.list.address().as_str())
}

/// Rows that lead to what is redirected again: browsers follow, and search engines give up after a few.
fn chains(zone: &DeclaredZone<'_>, declared: &DeclaredRedirectList, table: &Table<'_>, findings: &mut Findings<'_>) {
    let mut chained = (0..table.rows.len()).filter_map(|row| table.next(row).map(|next| (row, next)));
    let Some((row, next)) = chained.next() else {
        return;
    };
    let more = chained.count();
    let words = match more {
        0 => "this leads to a URL that is redirected again".to_owned(),
        more => format!(
            "this and {} lead to URLs that are redirected again",
            text::count(more, "other row")
        ),
    };
    let finding = Diagnostic::warning("redirect-chain", words)
        .at(declared.place(&declared.places[row].to))
        .related(declared.place(&declared.places[next].from), "the next redirect")
        .about(declared.list.address().as_str());
    warn(zone, finding, findings);
}

/// Redirects of the spec are asked before lists are.
fn hidden(zone: &DeclaredZone<'_>, declared: &DeclaredRedirectList, findings: &mut Findings<'_>) {
    let redirects: Vec<(&DeclaredRule, &UrlGlob)> = zone
        .rules
        .iter()
        .filter(|rule| rule.rule.enabled)
        .filter_map(|rule| Some((rule, &rule.from.as_ref()?.0)))
        .collect();
    for (redirect, from) in redirects {
        let mut covered = declared.list.rows.iter().enumerate().filter(|(_, row)| {
            ListedUrl::parse(&row.from).is_ok_and(|url| {
                from.covers(&UrlGlob {
                    https: url.https,
                    host: url.host.to_string(),
                    path: url.path,
                    query: None,
                })
            })
        });
        let Some((row, _)) = covered.next() else { continue };
        let rest = covered.count();
        let words = match rest {
            0 => "a redirect of the spec covers this, so it is never reached".to_owned(),
            more => format!(
                "a redirect of the spec covers this and {}, so they are never reached",
                text::count(more, "other row")
            ),
        };
        let finding = Diagnostic::warning("hidden-redirect", words)
            .at(declared.place(&declared.places[row].from))
            .related(findings.place(&redirect.name), "this one comes first")
            .about(declared.list.address().as_str());
        warn(zone, finding, findings);
    }
}

/// A list is only asked where the edge stands in front. Once for each host.
fn unproxied(zone: &DeclaredZone<'_>, declared: &DeclaredRedirectList, table: &Table<'_>, findings: &mut Findings<'_>) {
    let mut seen: BTreeSet<&DomainName> = BTreeSet::new();
    for (start, place) in table.starts.iter().zip(&declared.places) {
        let Some(host) = start.as_ref().map(|url| &url.host).filter(|host| seen.insert(host)) else {
            continue;
        };
        if let Some(record) = unproxied_record(zone, host) {
            let words = format!("{host} is not proxied, so the list is never asked for it");
            let finding = Diagnostic::warning("redirect-unproxied", words)
                .at(declared.place(&place.from))
                .related(findings.place(&record.value), "add `proxied: true` here")
                .about(declared.list.address().as_str());
            warn(zone, finding, findings);
        }
    }
}
