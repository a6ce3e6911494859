//! The forms in which lists, rows and rules come back.
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::Map;

use super::reading::lookup;
use super::*;

fn zone() -> DomainName {
    DomainName::parse("acme.example").unwrap()
}

#[test]
fn every_zone_has_a_name_of_its_own_that_the_provider_takes() {
    let name = |zone: &str| list_name(&DomainName::parse(zone).unwrap());
    for zone in ["acme.example", "a-b.example", "xn--bcher-kva.example"] {
        let name = name(zone);
        let is_right = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && name.len() <= 50;
        assert!(is_right, "{name}");
    }
    assert!(name(&format!("{}.example", "long".repeat(15))).len() <= 50);
    assert_ne!(name("a-b.example"), name("a.b.example"));
}

#[test]
fn a_row_is_the_same_in_every_form_in_which_it_comes_back() {
    let row = |redirect: Value, comment: Value| {
        row(&json!({ "id": "1", "created_on": "2026", "redirect": redirect, "comment": comment })).unwrap()
    };
    let wished = row(
        json!({ "source_url": "acme.example/", "target_url": "https://acme.example/new", "status_code": 301,
            "include_subdomains": false, "subpath_matching": false, "preserve_query_string": false,
            "preserve_path_suffix": false }),
        Value::Null,
    );
    for (redirect, comment) in [
        // Nothing but what has no default.
        (
            json!({ "source_url": "acme.example/", "target_url": "https://acme.example/new" }),
            json!(""),
        ),
        // A number as a text, nulls for defaults, other case.
        (
            json!({ "source_url": "ACME.example", "target_url": "https://acme.example/new", "status_code": "301",
                "subpath_matching": null }),
            Value::Null,
        ),
    ] {
        assert_eq!(row(redirect, comment), wished);
    }
    assert_eq!(super::row(&row_wire(&wished)).unwrap(), wished);
    assert!(super::row(&json!({ "ip": "192.0.2.1" })).is_err());
}

#[test]
fn whether_a_list_is_asked_is_told_from_the_rule_that_bears_our_mark() {
    let id = "3a03d665bac047339bb530ecb439a90d";
    let with = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut rule = rule_wire(&zone(), &Lookup::On);
        let fields = rule.as_object_mut().unwrap();
        fields.insert("id".into(), json!(id));
        fields.insert("version".into(), json!("3"));
        fields.insert("last_updated".into(), json!("2026-01-01T00:00:00Z"));
        change(fields);
        let mut kept = KeptRedirectList::default();
        let foreign = json!({ "id": id, "ref": "bob", "action": "redirect", "expression": "true" });
        let lookup = lookup(&zone(), &json!({ "id": id, "rules": [foreign, rule] }), &mut kept).unwrap();
        (lookup, kept)
    };
    let (found, kept) = with(&|_| {});
    assert_eq!(
        (found, kept.rules),
        (Lookup::On, vec![("bob".to_owned(), id.to_owned())])
    );
    // Somebody else's words for it are no difference; switching it off is one.
    let renamed = with(&|rule| {
        rule.insert("description".into(), json!("Bob was here"));
    });
    assert_eq!(renamed.0, Lookup::On);
    let off = with(&|rule| {
        rule.insert("enabled".into(), json!(false));
    });
    assert_eq!(off.0, Lookup::Off);
    let (other, _) = with(&|rule| {
        rule.insert("expression".into(), json!("ssl"));
    });
    let Lookup::Other(fields) = &other else {
        panic!("{other:?}")
    };
    assert_eq!(
        (fields.get("expression"), fields.get("id")),
        (Some(&json!("ssl")), None)
    );
    assert_eq!(rule_wire(&zone(), &other), Value::Object(fields.clone()));
    assert_eq!(
        lookup(&zone(), &Value::Null, &mut KeptRedirectList::default()),
        Ok(Lookup::Missing)
    );
}
