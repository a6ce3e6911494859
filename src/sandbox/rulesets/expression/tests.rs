//! Which expressions stand, and what is said of the others.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn filter(text: &str, plan: Plan) -> Result<Uses, String> {
    let setting = Setting {
        goal: Goal::Filter,
        plan,
        has_response: false,
    };
    check(text, setting)
}

#[test]
fn filters_that_stand() {
    for text in [
        "true",
        r#"http.host eq "acme.example""#,
        r#"(http.host eq "a" and not starts_with(http.request.uri.path, "/api/")) or ssl"#,
        r#"http.host in {"a" "b"} and http.request.method in {"GET" "HEAD"}"#,
        r#"http.request.full_uri wildcard r"https://*.acme.example/*""#,
        r##"http.request.uri.path strict wildcard r#"/a"b/*"#"##,
        r#"http.request.uri.path contains "a \"quoted\" \x41 thing""#,
        "ip.src in {192.0.2.0/24 2001:db8::/32 198.51.100.1..198.51.100.9}",
        "ip.src eq 192.0.2.1 && !ssl",
        "ip.src.asnum in {64496 64500..64510}",
        "http.request.timestamp.sec lt 1700000000 xor cf.client.bot",
        r#"any(http.request.headers["x-key"][*] eq "secret")"#,
        r#"any(lower(http.request.headers.names[*]) eq "x")"#,
        r#"len(http.request.uri.query) gt 100 and http.request.uri.args["a"][0] eq "1""#,
        "http.request.full_uri in $old_paths",
        r#"lower(http.host) eq "a" and not (http.cookie contains "x")"#,
    ] {
        assert!(
            filter(text, Plan::Free).is_ok(),
            "{text}: {:?}",
            filter(text, Plan::Free)
        );
    }
}

#[test]
fn filters_that_do_not() {
    for (text, words) in [
        ("", "empty"),
        ("http.hots eq \"a\"", "unknown identifier `http.hots`"),
        ("http.host equals \"a\"", "unknown operator `equals`"),
        ("http.host eq \"a", "missing the end of a quoted string"),
        ("http.host eq r#\"a\"", "missing the end of a raw string"),
        ("http.host eq \"\\d\"", "invalid escape"),
        ("(http.host eq \"a\"", "expected `)`, found the end"),
        ("http.host eq \"a\")", "unexpected `)`"),
        ("http.host eq", "expected a value after the operator"),
        ("http.host eq 1", "does not fit"),
        ("http.host", "expected a boolean"),
        ("ip.src eq \"192.0.2.1\"", "does not fit"),
        ("ip.src eq 192.0.2.1/33", "does not fit"),
        ("ssl eq true", "does not fit"),
        ("http.host in {}", "cannot be empty"),
        ("http.host in {\"a\" \"b\"", "expected `}`"),
        ("http.host eq \"a\" and http.host", "joins boolean"),
        ("not http.host", "boolean"),
        ("starts_with(http.host)", "too few"),
        ("starts_with(http.host, http.host)", "argument 2"),
        ("ends_with(http.host, \"a\", \"b\")", "too many"),
        ("begins_with(http.host, \"a\")", "unknown function `begins_with`"),
        ("http.host wildcard \"**\"", "two asterisks"),
        ("http.response.code eq 200", "not available in this phase"),
        (
            "wildcard_replace(http.host, \"*\", \"a\") eq \"b\"",
            "where a value is made",
        ),
        ("http.host matches \"a+\"", "Business"),
        ("any(http.request.headers[\"a\"] eq \"b\")", "does not fit"),
        ("http.host strict eq \"a\"", "after `strict`"),
        ("http.host eq \"a\" ; drop", "unexpected character `;`"),
    ] {
        let error = filter(text, Plan::Free).unwrap_err();
        assert!(error.contains(words), "{text}: {error}");
    }
    let long = format!("http.host eq \"{}\"", "a".repeat(LONGEST));
    assert!(filter(&long, Plan::Free).unwrap_err().contains("4096"));
    let deep = format!("{}ssl{}", "(".repeat(100), ")".repeat(100));
    assert!(filter(&deep, Plan::Free).unwrap_err().contains("complexity"));
}

#[test]
fn regular_expressions_are_for_larger_plans() {
    for (plan, is_allowed) in [
        (Plan::Free, false),
        (Plan::Pro, false),
        (Plan::Business, true),
        (Plan::Enterprise, true),
    ] {
        assert_eq!(filter("http.host ~ \"a+\"", plan).is_ok(), is_allowed, "{plan:?}");
        let setting = Setting {
            goal: Goal::Value,
            plan,
            has_response: false,
        };
        let value = "regex_replace(http.host, \"a+\", \"b\")";
        assert_eq!(check(value, setting).is_ok(), is_allowed, "{plan:?}");
    }
}

#[test]
fn values_are_texts() {
    let setting = Setting {
        goal: Goal::Value,
        plan: Plan::Free,
        has_response: false,
    };
    for (text, is_right) in [
        (r#"concat("https://acme.example", http.request.uri.path)"#, true),
        (
            r#"wildcard_replace(http.request.full_uri, r"https://www.acme.example/*", r"https://acme.example/${1}")"#,
            true,
        ),
        (r#""https://acme.example/""#, true),
        ("to_string(ip.src.asnum)", true),
        (
            r#"concat(wildcard_replace(http.host, "*", "a"), wildcard_replace(http.host, "*", "b"))"#,
            false,
        ),
        (r#"http.host eq "a""#, false),
        ("len(http.host)", false),
    ] {
        assert_eq!(
            check(text, setting).is_ok(),
            is_right,
            "{text}: {:?}",
            check(text, setting)
        );
    }
}

#[test]
fn what_is_used_is_told() {
    let uses = filter(r#"http.host eq "a" and http.request.full_uri in $old"#, Plan::Free).unwrap();
    assert_eq!(
        uses.fields.into_iter().collect::<Vec<_>>(),
        ["http.host", "http.request.full_uri"]
    );
    assert_eq!(uses.lists.into_iter().collect::<Vec<_>>(), ["old"]);
}

proptest::proptest! {
    #[test]
    fn nothing_makes_it_panic(
        text in "\\PC{0,60}",
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "http.host", "eq", "\"a\"", "r#\"", "\"", "(", ")", "[", "*", "]", "{", "}", ",", "not", "and", "in",
                "$", "\\", "\\x4", "any", "concat", "1..2", "é", "r", "#", "ip.src", "strict", "wildcard",
            ]),
            0..24,
        ),
    ) {
        let soup = pieces.join(" ");
        for text in [text.as_str(), soup.as_str(), pieces.concat().as_str()] {
            let _ = filter(text, Plan::Enterprise);
        }
    }
}
