//! The other way round: from the language to what a spec says without it. What is found is compiled again and compared,
//! so that a reading that would mean anything else is none. Pure.

use super::normal::{Tree, call, canonical, parse, render, values};
use super::{FULL, HOST, METHOD, PATH, QUERY};
use crate::model::capability::CompiledRedirect;
use crate::model::matching::{Match, UrlGlob};
use crate::model::rule::Destination;

/// Which requests an expression means, when that can be said without the language.
pub(in crate::provider::cloudflare) fn matched(expression: &str) -> Option<Match> {
    let tree = parse(expression)?;
    let found = of_tree(&tree, true)?;
    (canonical(&super::matching(&found)) == render(&tree)).then_some(found)
}

fn of_tree(tree: &Tree, is_outermost: bool) -> Option<Match> {
    let terms = match tree {
        Tree::All(terms) => terms.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut found = Match::default();
    let mut left = Vec::new();
    for term in terms {
        if let (true, None, Tree::Not(inner)) = (is_outermost, &found.not, term)
            && let Some(not) = of_tree(inner, false)
        {
            found.not = Some(Box::new(not));
        } else if let (true, Some(hosts)) = (found.hosts.is_empty(), globs(HOST, term)) {
            found.hosts = hosts;
        } else if let (true, Some(paths)) = (found.paths.is_empty(), globs(PATH, term)) {
            found.paths = paths;
        } else if let (true, Some(methods)) = (found.methods.is_empty(), globs(METHOD, term)) {
            found.methods = methods;
        } else {
            left.push(render(term));
        }
    }
    if left.len() == terms.len() {
        return None;
    }
    if !left.is_empty() {
        found.expression = Some(left.join(" and "));
    }
    Some(found)
}

/// The values and globs that a field may have.
fn globs(field: &str, tree: &Tree) -> Option<Vec<String>> {
    let parts = match tree {
        Tree::Any(parts) => parts.as_slice(),
        one @ Tree::Term(_) => std::slice::from_ref(one),
        _ => return None,
    };
    let mut all = Vec::new();
    for part in parts {
        let Tree::Term(term) = part else { return None };
        if let Some((name, plain)) = values(term) {
            let plain = plain.iter().map(|text| unquoted(text));
            all.extend(plain.collect::<Option<Vec<_>>>().filter(|_| name == field)?);
        } else {
            all.push(glob(field, term)?);
        }
    }
    Some(all)
}

fn glob(field: &str, term: &str) -> Option<String> {
    if let Some((name, arguments)) = call(term) {
        let [first, text] = arguments.as_slice() else {
            return None;
        };
        let text = unquoted(text).filter(|text| first == field && !text.contains('*'))?;
        return match name.as_str() {
            "starts_with" => Some(format!("{text}*")),
            "ends_with" => Some(format!("*{text}")),
            _ => None,
        };
    }
    let rest = term.strip_prefix(field)?.strip_prefix(' ')?;
    let pattern = rest.strip_prefix("strict ").unwrap_or(rest).strip_prefix("wildcard ")?;
    unescaped(pattern)
}

/// A compiled redirect as a spec says it.
pub(in crate::provider::cloudflare) fn redirected(compiled: &CompiledRedirect) -> Option<(String, String, bool)> {
    let from = start(&parse(&compiled.expression)?)?;
    let glob = UrlGlob::parse(&from).ok()?;
    let to = match &compiled.to {
        Destination::Url(url) => url.clone(),
        Destination::Expression(expression) => target(expression, &glob)?,
    };
    // Where the last star takes the query along, the rule itself does not say so.
    [compiled.keep_query, true].into_iter().find_map(|keep_query| {
        let again = super::redirect(&glob, &to, keep_query).ok()?;
        let same = canonical(&again.expression) == canonical(&compiled.expression)
            && again.to == compiled.to
            && again.keep_query == compiled.keep_query;
        same.then(|| (from.clone(), to.clone(), keep_query))
    })
}

/// The URLs that a condition covers.
fn start(tree: &Tree) -> Option<String> {
    let terms = match tree {
        Tree::All(terms) => terms.as_slice(),
        one => std::slice::from_ref(one),
    };
    let (mut scheme, mut host, mut path, mut query) = ("", None, None, None);
    for term in terms {
        let text = match term {
            Tree::Term(text) if text == "ssl" => {
                scheme = "https://";
                continue;
            }
            Tree::Not(inner) if **inner == Tree::Term("ssl".to_owned()) => {
                scheme = "http://";
                continue;
            }
            Tree::Term(text) => text,
            _ => return None,
        };
        let (part, field) = [(&mut host, HOST), (&mut path, PATH), (&mut query, QUERY)]
            .into_iter()
            .find(|(_, field)| text.strip_prefix(field).is_some_and(|rest| rest.starts_with(' ')))?;
        let value = match values(text) {
            Some((_, values)) => match values.as_slice() {
                [one] => unquoted(one)?,
                _ => return None,
            },
            None => unescaped(text.strip_prefix(field)?.strip_prefix(" wildcard ")?)?,
        };
        if part.replace(value).is_some() {
            return None;
        }
    }
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    let (host, path) = (host.as_deref().unwrap_or("*"), path.as_deref().unwrap_or("/*"));
    Some(format!("{scheme}{host}{path}{query}"))
}

/// Where a redirect leads, with captures counted over the stars of its start.
fn target(expression: &str, from: &UrlGlob) -> Option<String> {
    let (name, arguments) = call(expression)?;
    let [field, _, to] = arguments.as_slice() else {
        return None;
    };
    let to = unquoted(to).filter(|_| name == "wildcard_replace")?;
    let captures = super::captures(&to).ok()?;
    if captures.contains(&0) {
        return None;
    }
    Some(match field.as_str() {
        PATH => super::renumbered(&to, |capture| capture + from.host.matches('*').count()),
        // The star of an open scheme comes first and is none of the spec's.
        FULL if from.https.is_none() => super::renumbered(&to, |capture| capture - 1),
        _ => to,
    })
}

/// The text of a literal.
/// What a literal says.
pub(super) fn unquoted(literal: &str) -> Option<String> {
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => chars.next().filter(|next| matches!(next, '\\' | '"'))?,
            c => c,
        });
    }
    Some(out)
}

/// The glob of a pattern in a literal.
fn unescaped(literal: &str) -> Option<String> {
    let pattern = unquoted(literal)?;
    let glob = pattern.replace("\\\\", "\u{0}");
    // What is escaped otherwise is a star that stands for itself.
    (!glob.contains('\\')).then(|| glob.replace('\u{0}', "\\"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec("(/|\\*)?[a-z\\\\\"]{1,3}\\*?(/[a-z]\\*?)?", 0..3)
    }

    proptest! {
        #[test]
        fn what_is_compiled_is_found_again(
            hosts in words(), paths in words(), methods in proptest::collection::vec("GET|POST", 0..2),
            not in words(), expression in proptest::option::of("ip\\.src in \\$office|\\(cf\\.bot and ssl\\)|a or b"),
        ) {
            let not = Match { paths: not, ..Match::default() };
            let matching = Match { hosts, paths, methods, not: (!not.is_empty()).then(|| Box::new(not)), expression };
            let compiled = super::super::matching(&matching);
            // What is found may be another match; it compiles to the same.
            if let Some(found) = matched(&compiled) {
                prop_assert_eq!(canonical(&super::super::matching(&found)), canonical(&compiled));
            } else {
                let spoken = matching.hosts.len() + matching.paths.len() + matching.methods.len();
                prop_assert!(spoken == 0 || compiled.contains('*'), "{}", compiled);
            }
        }

        #[test]
        fn what_a_redirect_compiles_to_is_found_again(
            from in "(https://|http://)?(\\*\\.|www\\.)?acme\\.example/([a-z*]{0,4}/?){0,2}(\\?id=[a-z*]{1,3})?",
            to in "https://acme\\.example/(\\$\\{[12]\\})?",
            keep_query in any::<bool>(),
        ) {
            let glob = UrlGlob::parse(&from).unwrap();
            if let Ok(compiled) = super::super::redirect(&glob, &to, keep_query) {
                let (from, to, keep_query) = redirected(&compiled).unwrap();
                let again = super::super::redirect(&UrlGlob::parse(&from).unwrap(), &to, keep_query).unwrap();
                prop_assert_eq!(again, compiled);
            }
        }
    }

    #[test]
    fn a_capture_that_nothing_counts_up_to_is_no_capture() {
        for number in ["18446744073709551615", "18446744073709551616", "1001"] {
            let to = format!(r#"wildcard_replace(http.request.uri.path, "/*", "https://acme.example/${{{number}}}")"#);
            let compiled = CompiledRedirect {
                expression: r#"http.host wildcard "*.acme.example""#.into(),
                to: Destination::Expression(to),
                keep_query: false,
            };
            assert_eq!(redirected(&compiled), None);
        }
    }

    #[test]
    fn what_a_dashboard_writes_is_said_in_words() {
        let found = matched(
            r#"(http.request.method eq "POST" and http.host eq "app.acme.example") and (starts_with(http.request.uri.path, "/api/") or http.request.uri.path eq "/login")"#,
        )
        .unwrap();
        assert_eq!(found.hosts, ["app.acme.example"]);
        assert_eq!(found.methods, ["POST"]);
        let Some(found) = matched(r#"not http.request.uri.path in {"/a" "/b"} and cf.client.bot"#) else {
            panic!();
        };
        assert_eq!(found.not.unwrap().paths, ["/a", "/b"]);
        assert_eq!(found.expression.as_deref(), Some("cf.client.bot"));
        assert_eq!(matched("cf.client.bot"), None);
        assert_eq!(matched(r#"http.host eq "a" or ssl"#), None);
    }
}
