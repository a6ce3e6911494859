//! Cloudflare's language for rules, as far as it is written here: matches and redirects without regular expressions, so
//! that every plan takes them. Pure.

pub(super) mod normal;
pub(super) mod reverse;

use std::collections::BTreeSet;

use crate::model::capability::CompiledRedirect;
use crate::model::matching::{Match, UrlGlob};
use crate::model::rule::Destination;

const HOST: &str = "http.host";
const PATH: &str = "http.request.uri.path";
const METHOD: &str = "http.request.method";
const QUERY: &str = "http.request.uri.query";
const FULL: &str = "http.request.full_uri";

/// Which requests are meant.
pub(super) fn matching(matching: &Match) -> String {
    let terms = terms(matching);
    match terms.as_slice() {
        [] => "true".to_owned(),
        [one] => one.clone(),
        several => format!("({})", several.join(" and ")),
    }
}

fn terms(matching: &Match) -> Vec<String> {
    let mut terms = Vec::new();
    terms.extend(any_of(HOST, &matching.hosts));
    terms.extend(any_of(PATH, &matching.paths));
    terms.extend(any_of(METHOD, &matching.methods));
    if let Some(expression) = &matching.expression {
        terms.push(if terms.is_empty() && matching.not.is_none() {
            expression.clone()
        } else {
            format!("({expression})")
        });
    }
    if let Some(not) = &matching.not {
        let what = self::matching(not);
        terms.push(if what.starts_with('(') && terms_are_many(not) {
            format!("not {what}")
        } else {
            format!("not ({what})")
        });
    }
    terms
}

fn terms_are_many(matching: &Match) -> bool {
    terms(matching).len() > 1
}

/// A field that has any of these values, plain ones together and each glob by itself.
fn any_of(field: &str, values: &[String]) -> Option<String> {
    let (globs, plain): (Vec<&String>, Vec<&String>) = values.iter().partition(|value| value.contains('*'));
    let mut terms = Vec::new();
    match plain.as_slice() {
        [] => {}
        [one] => terms.push(format!("{field} eq {}", quoted(one))),
        several => {
            let list: Vec<String> = several.iter().map(|value| quoted(value)).collect();
            terms.push(format!("{field} in {{{}}}", list.join(" ")));
        }
    }
    terms.extend(globs.iter().map(|glob| like(field, glob)));
    match terms.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(format!("({})", several.join(" or "))),
    }
}

/// A field that is like a glob: by its beginning or its end where that is enough.
fn like(field: &str, glob: &str) -> String {
    let stars = glob.matches('*').count();
    let rest = glob.replace('*', "");
    if stars == 1 && !rest.is_empty() {
        if glob.ends_with('*') {
            return format!("starts_with({field}, {})", quoted(&rest));
        }
        if glob.starts_with('*') {
            return format!("ends_with({field}, {})", quoted(&rest));
        }
    }
    // Hosts know no case; paths do.
    let operator = if field == HOST { "wildcard" } else { "strict wildcard" };
    format!("{field} {operator} {}", pattern(glob))
}

/// A literal of the language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A pattern in which only the stars stand for anything.
fn pattern(glob: &str) -> String {
    quoted(&glob.replace('\\', "\\\\"))
}

/// A redirect. A capture stands for what a star of the host or path took, counted from the left.
pub(super) fn redirect(from: &UrlGlob, to: &str, keep_query: bool) -> Result<CompiledRedirect, String> {
    let captures = captures(to)?;
    if let Some(capture) = captures
        .iter()
        .find(|capture| **capture == 0 || **capture > from.captures())
    {
        return Err(match from.captures() {
            0 => format!("`${{{capture}}}` stands for nothing: `from` has no star"),
            stars => format!("`${{{capture}}}` stands for nothing: `from` has {stars} of the stars that are captured"),
        });
    }
    let stars_of_host = from.host.matches('*').count();
    let (of_host, of_path): (Vec<usize>, Vec<usize>) = captures.iter().partition(|capture| **capture <= stars_of_host);
    if !of_host.is_empty() && !of_path.is_empty() {
        return over_the_whole(from, to, &captures, keep_query);
    }
    // Captured is from one of the two alone, so that its own field tells it, whatever stands beside it.
    let one = |field: &str, glob: &str, to: &str| {
        Destination::Expression(format!("wildcard_replace({field}, {}, {})", pattern(glob), quoted(to)))
    };
    let to = if !of_host.is_empty() {
        one(HOST, &from.host, to)
    } else if !of_path.is_empty() {
        one(PATH, &from.path, &renumbered(to, |capture| capture - stars_of_host))
    } else {
        Destination::Url(to.to_owned())
    };
    Ok(CompiledRedirect {
        expression: covers(from),
        to,
        keep_query,
    })
}

/// Captures from both the host and the path can only be told from the whole URL, where the query stands at the end:
/// `wildcard_replace` can stand only once in an expression. A pattern that does not end with a star would have to fit the
/// query too, and where it does not, the request would be led to where it came from.
fn over_the_whole(from: &UrlGlob, to: &str, captures: &[usize], keep_query: bool) -> Result<CompiledRedirect, String> {
    if from.query.is_some() {
        return Err(
            "with captured stars in host and path, a query cannot be told apart: write it as an `expression`"
                .to_owned(),
        );
    }
    if !from.path.ends_with('*') {
        return Err(
            "with captured stars in host and path, `from` has to end with a star, or a query would be taken for a part \
             of the path: write `to_expression`, or one redirect for each host"
                .to_owned(),
        );
    }
    let takes_query = captures.contains(&from.captures());
    if takes_query && !keep_query {
        return Err(
            "with captured stars in host and path, the last one takes the query along: say `keep_query: true`"
                .to_owned(),
        );
    }
    // The star of an open scheme (`http*`) comes first, so that every capture moves by one.
    let (scheme, shift) = match from.https {
        Some(true) => ("https", 0),
        Some(false) => ("http", 0),
        None => ("http*", 1),
    };
    let glob = format!("{scheme}://{}{}", from.host, from.path);
    Ok(CompiledRedirect {
        expression: covers(from),
        to: Destination::Expression(format!(
            "wildcard_replace({FULL}, {}, {})",
            pattern(&glob),
            quoted(&renumbered(to, |capture| capture + shift))
        )),
        // The last star has it already; once more would double it.
        keep_query: keep_query && !takes_query,
    })
}

/// Which requests a redirect starts from.
fn covers(from: &UrlGlob) -> String {
    let mut terms = Vec::new();
    match from.https {
        Some(true) => terms.push("ssl".to_owned()),
        Some(false) => terms.push("not ssl".to_owned()),
        None => {}
    }
    let mut term = |field: &str, glob: &str| match glob {
        // Any host, any path: nothing to ask.
        "*" | "/*" => {}
        glob if glob.contains('*') => terms.push(format!("{field} wildcard {}", pattern(glob))),
        plain => terms.push(format!("{field} eq {}", quoted(plain))),
    };
    term(HOST, &from.host);
    term(PATH, &from.path);
    if let Some(query) = &from.query {
        term(QUERY, query);
    }
    match terms.as_slice() {
        [] => "true".to_owned(),
        [one] => one.clone(),
        several => format!("({})", several.join(" and ")),
    }
}

/// No pattern has more stars than this, whatever a rule that somebody wrote counts up to.
const MOST_STARS: usize = 1_000;

/// The numbers of the captures in a target.
fn captures(to: &str) -> Result<Vec<usize>, String> {
    let mut found = Vec::new();
    let mut rest = to;
    while let Some(at) = rest.find("${") {
        let (name, after) = rest[at + 2..]
            .split_once('}')
            .ok_or_else(|| "this `${` is never closed".to_owned())?;
        let number = name
            .parse()
            .ok()
            .filter(|number| *number <= MOST_STARS)
            .ok_or_else(|| format!("`${{{name}}}` is no capture: write ${{1}} for what the first star took"))?;
        found.push(number);
        rest = after;
    }
    Ok(found)
}

/// The same target with its captures numbered otherwise.
fn renumbered(to: &str, number: impl Fn(usize) -> usize) -> String {
    let mut out = String::new();
    let mut rest = to;
    while let Some(at) = rest.find("${") {
        let Some((name, after)) = rest[at + 2..].split_once('}') else {
            break;
        };
        let capture = name.parse().map_or(0, &number);
        out.push_str(&format!("{}${{{capture}}}", &rest[..at]));
        rest = after;
    }
    out + rest
}

/// The hosts that an expression asks for by name: a help for whoever looks whether something answers there. One that is
/// excluded is not asked for.
pub(super) fn hosts(expression: &str) -> Vec<String> {
    fn collect(tree: &normal::Tree, hosts: &mut BTreeSet<String>) {
        match tree {
            normal::Tree::All(parts) | normal::Tree::Any(parts) => parts.iter().for_each(|part| collect(part, hosts)),
            normal::Tree::Not(_) => {}
            normal::Tree::Term(term) => {
                let found = normal::values(term).filter(|(field, _)| field == HOST);
                let values = found.into_iter().flat_map(|(_, values)| values);
                for host in values.filter_map(|value| reverse::unquoted(&value)) {
                    hosts.insert(host);
                }
            }
        }
    }
    let mut hosts = BTreeSet::new();
    if let Some(tree) = normal::parse(expression) {
        collect(&tree, &mut hosts);
    }
    hosts.into_iter().collect()
}

#[cfg(test)]
mod tests;
