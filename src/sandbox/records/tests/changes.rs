//! Records changed one by one.

use serde_json::{Value, json};

use super::{path_of, post};
use crate::sandbox::tests::Desk;
use crate::sandbox::{Plan, World};

#[test]
fn put_resets_and_patch_merges() {
    let mut desk = Desk::new(Plan::Pro);
    let full = json!({"type": "CNAME", "name": "c", "content": "x.example", "ttl": 300, "comment": "by Bob",
        "tags": ["team:a"], "settings": {"flatten_cname": true}});
    let made = post(&mut desk, &full);
    let path = path_of(&desk, &made);
    let (status, patched) = desk.ask("PATCH", &path, &json!({ "content": "y.example" }));
    let patched = &patched["result"];
    assert_eq!((status, &patched["content"]), (200, &json!("y.example")));
    for kept in ["id", "ttl", "comment", "tags", "settings", "name", "created_on"] {
        assert_eq!(patched[kept], made[kept], "{kept}");
    }
    let (_, cleared) = desk.ask(
        "PATCH",
        &path,
        &json!({ "comment": "", "tags": [], "settings": {"flatten_cname": false} }),
    );
    let cleared = &cleared["result"];
    assert_eq!((&cleared["comment"], &cleared["tags"]), (&Value::Null, &json!([])));
    assert_eq!(cleared["settings"], json!({"flatten_cname": false}));
    assert!(cleared.get("comment_modified_on").is_none() && cleared.get("tags_modified_on").is_none());
    desk.ask("PATCH", &path, &json!({ "comment": "again", "tags": ["b"] }));
    let (status, put) = desk.ask(
        "PUT",
        &path,
        &json!({"type": "CNAME", "name": "c", "content": "z.example"}),
    );
    let put = &put["result"];
    assert_eq!((status, &put["id"], &put["ttl"]), (200, &made["id"], &json!(1)));
    assert_eq!(
        (&put["comment"], &put["tags"], &put["settings"]),
        (&Value::Null, &json!([]), &json!({}))
    );
    let mx = post(
        &mut desk,
        &json!({"type": "MX", "name": "m", "content": "a.example", "priority": 5}),
    );
    let mx = path_of(&desk, &mx);
    assert_eq!(
        desk.ask("PATCH", &mx, &json!({"content": "b.example"})).1["result"]["priority"],
        5
    );
    assert_eq!(
        desk.refused("PUT", &mx, &json!({"type": "MX", "name": "m", "content": "b.example"})),
        (400, 1004)
    );
}

#[test]
fn a_type_does_not_change_and_a_proxied_record_has_no_ttl() {
    let mut desk = Desk::new(Plan::Free);
    let made = post(
        &mut desk,
        &json!({"type": "A", "name": "a", "content": "192.0.2.1", "ttl": 300}),
    );
    let path = path_of(&desk, &made);
    let other = json!({"type": "CNAME", "name": "a", "content": "x.example"});
    for method in ["PUT", "PATCH"] {
        assert_eq!(desk.refused(method, &path, &other), (400, 1004), "{method}");
    }
    assert_eq!(
        desk.ask("PATCH", &path, &json!({"proxied": true})).1["result"]["ttl"],
        1
    );
    assert_eq!(
        desk.refused("PATCH", &path, &json!({"content": "10.0.0.1"})),
        (400, 9003)
    );
    let (_, back) = desk.ask(
        "PATCH",
        &path,
        &json!({"proxied": false, "ttl": 120, "content": "10.0.0.1"}),
    );
    assert_eq!(
        (&back["result"]["ttl"], &back["result"]["proxiable"]),
        (&json!(120), &json!(false))
    );
    let unknown = format!("{}/{}", desk.records(), "0".repeat(32));
    for (method, body) in [
        ("GET", Value::Null),
        ("PATCH", json!({})),
        ("PUT", other),
        ("DELETE", Value::Null),
    ] {
        let (status, envelope) = desk.ask(method, &unknown, &body);
        assert_eq!(
            (status, &envelope["errors"][0]["code"]),
            (404, &json!(81044)),
            "{method}"
        );
        assert_eq!(envelope["errors"][0]["message"], "Record does not exist.");
    }
    let (status, gone) = desk.ask("DELETE", &path, &Value::Null);
    assert_eq!((status, gone["result"].clone()), (200, json!({ "id": made["id"] })));
    let again = post(
        &mut desk,
        &json!({"type": "A", "name": "a", "content": "192.0.2.1", "ttl": 300}),
    );
    assert_ne!(again["id"], made["id"], "made anew, it is another record");
}

#[test]
fn a_world_is_set_up_with_the_same_checks() {
    let mut world = World::new();
    world.add_zone("acme.example", Plan::Free);
    let record = json!({"type": "A", "name": "a", "content": "192.0.2.1"});
    let id = world.add_record("acme.example", record.clone()).unwrap();
    assert_eq!(world.records("acme.example")[0]["id"], id.as_str());
    assert_eq!(
        world.add_record("acme.example", record.clone()).unwrap_err(),
        "81058 An identical record already exists."
    );
    assert!(
        world
            .add_record("none.example", record)
            .unwrap_err()
            .contains("none.example")
    );
    assert!(world.add_record("acme.example", json!(1)).is_err());
    assert!(world.has_zone("ACME.example") && world.records("none.example").is_empty());
    world.remove_zone("acme.example");
    assert!(!world.has_zone("acme.example"));
    // A name that is none is no panic, and holds nothing.
    world.add_zone("no zone", Plan::Free);
    assert!(
        world
            .add_record("no zone", json!({"type": "A", "name": "a", "content": "192.0.2.1"}))
            .is_err()
    );
}
