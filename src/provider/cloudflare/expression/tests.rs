//! The compiler as a table, and a small evaluator of the functions that it uses, so that a redirect is followed and not
//! only read.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

/// A request, as the language sees it.
struct Request<'a> {
    https: bool,
    host: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Request<'a> {
    fn of(url: &'a str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = rest.split_at(rest.find('/').unwrap());
        Self {
            https: scheme == "https",
            host,
            path,
            query,
        }
    }

    fn field(&self, name: &str) -> String {
        match name {
            HOST => self.host.to_owned(),
            PATH => self.path.to_owned(),
            QUERY => self.query.to_owned(),
            FULL => {
                let scheme = if self.https { "https" } else { "http" };
                let query = if self.query.is_empty() {
                    String::new()
                } else {
                    format!("?{}", self.query)
                };
                format!("{scheme}://{}{}{query}", self.host, self.path)
            }
            other => panic!("{other}"),
        }
    }
}

/// What the stars of a pattern take: each as little as it can, as Cloudflare's are documented to.
fn wildcard(pattern: &str, text: &str) -> Option<Vec<String>> {
    match pattern.find('*') {
        None => pattern.eq_ignore_ascii_case(text).then(Vec::new),
        Some(at) => {
            let (head, tail) = (&pattern[..at], &pattern[at + 1..]);
            if !text.get(..head.len())?.eq_ignore_ascii_case(head) {
                return None;
            }
            let rest = &text[head.len()..];
            (0..=rest.len()).find_map(|taken| {
                let mut captures = wildcard(tail, &rest[taken..])?;
                captures.insert(0, rest[..taken].to_owned());
                Some(captures)
            })
        }
    }
}

/// A literal at the beginning of a text, and what follows it.
fn literal(text: &str) -> (String, &str) {
    let mut out = String::new();
    let mut chars = text.strip_prefix('"').unwrap().char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (out, &text[at + 2..]),
            '\\' => out.push(chars.next().unwrap().1),
            c => out.push(c),
        }
    }
    panic!("{text}")
}

/// Whether terms joined by `and` hold: what the compiler makes of a redirect.
fn holds(expression: &str, request: &Request<'_>) -> bool {
    let inner = expression
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .unwrap_or(expression);
    inner.split(" and ").all(|term| match term {
        "true" => true,
        "ssl" => request.https,
        "not ssl" => !request.https,
        term => {
            let (field, rest) = term.split_once(' ').unwrap();
            let (operator, value) = rest.split_once(' ').unwrap();
            let (value, _) = literal(value);
            match operator {
                "eq" => request.field(field) == value,
                "wildcard" => wildcard(&value, &request.field(field)).is_some(),
                other => panic!("{other}"),
            }
        }
    })
}

/// Where a request is led, if anywhere.
fn follow(redirect: &CompiledRedirect, url: &str) -> Option<String> {
    let request = Request::of(url);
    if !holds(&redirect.expression, &request) {
        return None;
    }
    let mut target = match &redirect.to {
        Destination::Url(url) => url.clone(),
        Destination::Expression(expression) => {
            let arguments = expression.strip_prefix("wildcard_replace(").unwrap();
            let (field, rest) = arguments.split_once(", ").unwrap();
            let (pattern, rest) = literal(rest);
            let (to, _) = literal(rest.strip_prefix(", ").unwrap());
            let taken = wildcard(&pattern, &request.field(field)).unwrap();
            let mut to = to;
            for (at, text) in taken.iter().enumerate() {
                to = to.replace(&format!("${{{}}}", at + 1), text);
            }
            to
        }
    };
    if redirect.keep_query && !request.query.is_empty() {
        target.push_str(&format!("?{}", request.query));
    }
    Some(target)
}

/// `from`, `to`, whether the query is kept; the expression and the destination; a URL and where it leads.
type Row = (
    &'static str,
    &'static str,
    bool,
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
);

const REDIRECTS: &[Row] = &[
    (
        "https://www.acme.example/*",
        "https://acme.example/${1}",
        true,
        r#"(ssl and http.host eq "www.acme.example")"#,
        r#"wildcard_replace(http.request.uri.path, "/*", "https://acme.example/${1}")"#,
        "https://www.acme.example/a/b?x=1",
        Some("https://acme.example/a/b?x=1"),
    ),
    (
        "acme.example/pricing.html",
        "https://acme.example/pricing",
        false,
        r#"(http.host eq "acme.example" and http.request.uri.path eq "/pricing.html")"#,
        "https://acme.example/pricing",
        "http://acme.example/pricing.html?utm=1",
        Some("https://acme.example/pricing"),
    ),
    (
        "acme.example/blog/*/print",
        "https://blog.acme.example/${1}",
        false,
        r#"(http.host eq "acme.example" and http.request.uri.path wildcard "/blog/*/print")"#,
        r#"wildcard_replace(http.request.uri.path, "/blog/*/print", "https://blog.acme.example/${1}")"#,
        "https://acme.example/blog/2024/hello/print",
        Some("https://blog.acme.example/2024/hello"),
    ),
    (
        "acme.example/*/*.html",
        "https://acme.example/${2}?from=${1}",
        false,
        r#"(http.host eq "acme.example" and http.request.uri.path wildcard "/*/*.html")"#,
        r#"wildcard_replace(http.request.uri.path, "/*/*.html", "https://acme.example/${2}?from=${1}")"#,
        "https://acme.example/de/preise.html",
        Some("https://acme.example/preise?from=de"),
    ),
    (
        "http://acme.example/*",
        "https://acme.example/${1}",
        true,
        r#"(not ssl and http.host eq "acme.example")"#,
        r#"wildcard_replace(http.request.uri.path, "/*", "https://acme.example/${1}")"#,
        "https://acme.example/a",
        None,
    ),
    (
        "*.acme.example/login",
        "https://app.acme.example/login?tenant=${1}",
        false,
        r#"(http.host wildcard "*.acme.example" and http.request.uri.path eq "/login")"#,
        r#"wildcard_replace(http.host, "*.acme.example", "https://app.acme.example/login?tenant=${1}")"#,
        "https://blue.acme.example/login",
        Some("https://app.acme.example/login?tenant=blue"),
    ),
    (
        "*.acme.example/*",
        "https://acme.example/${1}/${2}",
        true,
        r#"http.host wildcard "*.acme.example""#,
        r#"wildcard_replace(http.request.full_uri, "http*://*.acme.example/*", "https://acme.example/${2}/${3}")"#,
        "https://shop.acme.example/a?b=c",
        Some("https://acme.example/shop/a?b=c"),
    ),
    // Stars in both, captured from one of them: the query stands in nobody's way.
    (
        "*.acme.example/docs/*.html",
        "https://docs.acme.example/${2}",
        true,
        r#"(http.host wildcard "*.acme.example" and http.request.uri.path wildcard "/docs/*.html")"#,
        r#"wildcard_replace(http.request.uri.path, "/docs/*.html", "https://docs.acme.example/${1}")"#,
        "https://shop.acme.example/docs/a.html?b=c",
        Some("https://docs.acme.example/a?b=c"),
    ),
    (
        "*.acme.example/*.php",
        "https://acme.example/?was=${1}",
        false,
        r#"(http.host wildcard "*.acme.example" and http.request.uri.path wildcard "/*.php")"#,
        r#"wildcard_replace(http.host, "*.acme.example", "https://acme.example/?was=${1}")"#,
        "https://shop.acme.example/index.php?b=c",
        Some("https://acme.example/?was=shop"),
    ),
    // The last star is not captured: it takes the query, and nobody asks for it.
    (
        "https://*.acme.example/*/old/*",
        "https://acme.example/${1}/${2}",
        false,
        r#"(ssl and http.host wildcard "*.acme.example" and http.request.uri.path wildcard "/*/old/*")"#,
        r#"wildcard_replace(http.request.full_uri, "https://*.acme.example/*/old/*", "https://acme.example/${1}/${2}")"#,
        "https://shop.acme.example/de/old/x?y=/old/z",
        Some("https://acme.example/shop/de"),
    ),
    (
        "https://*.acme.example/old/*",
        "https://acme.example/new",
        false,
        r#"(ssl and http.host wildcard "*.acme.example" and http.request.uri.path wildcard "/old/*")"#,
        "https://acme.example/new",
        "https://www.acme.example/old/x?y",
        Some("https://acme.example/new"),
    ),
    (
        "acme.example/index.php?page=about",
        "https://acme.example/about",
        false,
        r#"(http.host eq "acme.example" and http.request.uri.path eq "/index.php" and http.request.uri.query eq "page=about")"#,
        "https://acme.example/about",
        "https://acme.example/index.php?page=about",
        Some("https://acme.example/about"),
    ),
    (
        "acme.example/say\"hi\"",
        "https://acme.example/",
        false,
        r#"(http.host eq "acme.example" and http.request.uri.path eq "/say\"hi\"")"#,
        "https://acme.example/",
        "https://acme.example/say\"hi\"",
        Some("https://acme.example/"),
    ),
];

#[test]
fn redirects_compile_and_lead_where_they_should() {
    for (from, to, keep_query, expression, destination, url, target) in REDIRECTS {
        let compiled = redirect(&UrlGlob::parse(from).unwrap(), to, *keep_query).unwrap();
        assert_eq!(compiled.expression, *expression, "{from}");
        let (Destination::Url(said) | Destination::Expression(said)) = &compiled.to;
        assert_eq!(said, destination, "{from}");
        assert_eq!(follow(&compiled, url).as_deref(), *target, "{from}: {url}");
        assert!(!compiled.expression.contains("matches"), "no regular expression");
    }
}

#[test]
fn what_cannot_be_said_is_refused() {
    for (from, to, keep_query, why) in [
        ("acme.example/old", "https://acme.example/${1}", false, "no star"),
        (
            "acme.example/*",
            "https://acme.example/${2}",
            false,
            "stands for nothing",
        ),
        (
            "*.acme.example/*",
            "https://acme.example/${1}/${2}",
            false,
            "keep_query: true",
        ),
        // With a query, the pattern would no longer fit the whole URL: the request would be led to itself.
        (
            "*.acme.example/old/*.html",
            "https://acme.example/${1}/${2}",
            true,
            "has to end with a star",
        ),
        (
            "*.acme.example/*?x=1",
            "https://acme.example/${1}/${2}",
            true,
            "cannot be told apart",
        ),
        ("acme.example/*", "https://acme.example/${x}", false, "no capture"),
    ] {
        let error = redirect(&UrlGlob::parse(from).unwrap(), to, keep_query).unwrap_err();
        assert!(error.contains(why), "{from}: {error}");
    }
}

#[test]
fn matches_compile() {
    let all = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let host = |host: &str| Match {
        hosts: all(&[host]),
        ..Match::default()
    };
    for (matching, expression) in [
        (host("app.acme.example"), r#"http.host eq "app.acme.example""#),
        (host("*.acme.example"), r#"ends_with(http.host, ".acme.example")"#),
        (
            Match {
                paths: all(&["/assets/*"]),
                ..Match::default()
            },
            r#"starts_with(http.request.uri.path, "/assets/")"#,
        ),
        (
            Match {
                hosts: all(&["app.acme.example"]),
                paths: all(&["/api/login"]),
                methods: all(&["POST"]),
                ..Match::default()
            },
            r#"(http.host eq "app.acme.example" and http.request.uri.path eq "/api/login" and http.request.method eq "POST")"#,
        ),
        (
            Match {
                paths: all(&["/a", "/b", "*.css", "/x/*/y"]),
                ..Match::default()
            },
            r#"(http.request.uri.path in {"/a" "/b"} or ends_with(http.request.uri.path, ".css") or http.request.uri.path strict wildcard "/x/*/y")"#,
        ),
        (
            Match {
                paths: all(&["/*"]),
                not: Some(Box::new(host("api.acme.example"))),
                ..Match::default()
            },
            r#"(starts_with(http.request.uri.path, "/") and not (http.host eq "api.acme.example"))"#,
        ),
        (
            Match {
                expression: Some("cf.client.bot or ssl".into()),
                ..Match::default()
            },
            "cf.client.bot or ssl",
        ),
        (
            Match {
                hosts: all(&["acme.example"]),
                expression: Some("cf.client.bot or ssl".into()),
                ..Match::default()
            },
            r#"(http.host eq "acme.example" and (cf.client.bot or ssl))"#,
        ),
        (Match::default(), "true"),
    ] {
        assert_eq!(super::matching(&matching), expression);
    }
}

#[test]
fn hosts_are_found_in_an_expression() {
    let found = hosts(r#"(ssl and http.host eq "a.acme.example") or http.host eq "b.acme.example""#);
    assert_eq!(found, ["a.acme.example", "b.acme.example"]);
    assert!(hosts("http.host wildcard \"*\"").is_empty());
}

#[test]
fn the_hosts_of_an_expression_are_those_that_it_asks_for() {
    for (expression, expected) in [
        (r#"http.host eq "a.example""#, &["a.example"] as &[&str]),
        (r#"http.host in {"a.example" "b.example"}"#, &["a.example", "b.example"]),
        (
            r#"(http.host eq "a.example" and http.request.uri.path eq "/x") or http.host eq "b.example""#,
            &["a.example", "b.example"],
        ),
        (r#"not (http.host eq "a.example")"#, &[]),
        (r#"http.host ne "a.example""#, &[]),
        (
            r#"http.host eq "a.example" and not http.host in {"b.example"}"#,
            &["a.example"],
        ),
        (r#"http.referer eq "http.host eq \"a.example\"""#, &[]),
    ] {
        assert_eq!(hosts(expression), expected, "{expression}");
    }
}
