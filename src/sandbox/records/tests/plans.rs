//! What the plan of a zone bounds.

use serde_json::{Value, json};

use super::{batch, path_of, post};
use crate::sandbox::Plan;
use crate::sandbox::tests::Desk;

#[test]
fn the_plan_of_a_zone_is_its_gate() {
    for (plan, batch_size, tags, comment, ttl) in [
        (Plan::Free, 200, 0, 100, 60),
        (Plan::Pro, 3_500, 20, 500, 60),
        (Plan::Enterprise, 3_500, 20, 500, 30),
    ] {
        let mut desk = Desk::new(plan);
        let path = desk.records();
        let record = |field: &str, value: Value| {
            let mut record = json!({"type": "A", "name": "z", "content": "192.0.2.7"});
            record[field] = value;
            record
        };
        let tagged = |number: usize| json!((0..number).map(|at| format!("t{at}:x")).collect::<Vec<_>>());
        for (good, bad) in [
            (
                record("comment", json!("x".repeat(comment))),
                record("comment", json!("x".repeat(comment + 1))),
            ),
            (record("ttl", json!(ttl)), record("ttl", json!(ttl - 1))),
            (record("tags", tagged(tags)), record("tags", tagged(tags + 1))),
        ] {
            assert_eq!(desk.refused("POST", &path, &bad).0, 400, "{plan:?} {bad}");
            let made = post(&mut desk, &good);
            let path = path_of(&desk, &made);
            assert_eq!(desk.ask("DELETE", &path, &Value::Null).0, 200);
        }
        let usage = desk.get(&format!("{path}/usage"));
        let quota = if plan == Plan::Free { 200 } else { 3_500 };
        assert_eq!(usage["result"], json!({ "record_usage": 0, "record_quota": quota }));
        desk.world.set_quota("acme.example", None);
        let posts = |number: usize| {
            let one = |at: usize| json!({"type": "A", "name": format!("h{at}"), "content": "192.0.2.1"});
            json!({ "posts": (0..number).map(one).collect::<Vec<_>>() })
        };
        assert_eq!(batch(&mut desk, &posts(batch_size + 1)).0, 400);
        assert_eq!(batch(&mut desk, &posts(batch_size)).0, 200);
        assert_eq!(
            desk.get(&format!("{path}/usage"))["result"]["record_quota"],
            Value::Null
        );
    }
    let mut desk = Desk::new(Plan::Pro);
    for bad in [
        json!(["cf-x:y"]),
        json!(["a b"]),
        json!([""]),
        json!([format!("a:{}", "x".repeat(101))]),
    ] {
        let path = desk.records();
        let record = json!({"type": "A", "name": "z", "content": "192.0.2.7", "tags": bad});
        assert_eq!(desk.refused("POST", &path, &record), (400, 1004), "{record}");
    }
    let flat = json!({"type": "CNAME", "name": "f", "content": "x.example", "settings": {"flatten_cname": true}});
    assert_eq!(post(&mut desk, &flat)["settings"], json!({"flatten_cname": true}));
    let four =
        json!({"type": "A", "name": "g", "content": "192.0.2.7", "proxied": true, "settings": {"ipv4_only": true}});
    assert_eq!(post(&mut desk, &four)["settings"], json!({"ipv4_only": true}));
}

#[test]
fn a_zone_that_is_full_takes_nothing_until_there_is_room() {
    let mut desk = Desk::new(Plan::Free);
    desk.world.set_quota("acme.example", Some(1));
    let made = post(&mut desk, &json!({"type": "A", "name": "a", "content": "192.0.2.1"}));
    let path = desk.records();
    let next = json!({"type": "A", "name": "b", "content": "192.0.2.1"});
    assert_eq!(desk.refused("POST", &path, &next), (400, 81045));
    // Deletes come first in a batch, and make the room.
    let (status, _) = batch(
        &mut desk,
        &json!({ "posts": [next], "deletes": [{ "id": made["id"] }] }),
    );
    assert_eq!((status, desk.world.records("acme.example").len()), (200, 1));
}

#[test]
fn values_of_a_name_are_bounded_together() {
    let mut desk = Desk::new(Plan::Free);
    let text = |letter: &str| json!({"type": "TXT", "name": "t", "content": letter.repeat(4_000)});
    let first = post(&mut desk, &text("a"));
    post(&mut desk, &text("b"));
    let path = desk.records();
    assert_eq!(desk.refused("POST", &path, &text("c")), (400, 83011));
    let elsewhere = json!({"type": "TXT", "name": "u", "content": "c".repeat(4_000)});
    post(&mut desk, &elsewhere);
    // What goes in the same batch makes room, and is there again when the batch is void.
    let body = json!({ "deletes": [{ "id": first["id"] }], "posts": [text("c"), text("d")] });
    let (status, refused) = batch(&mut desk, &body);
    assert_eq!((status, &refused["errors"][0]["code"]), (400, &json!(83011)));
    assert_eq!(desk.refused("POST", &path, &text("c")), (400, 83011));
}
