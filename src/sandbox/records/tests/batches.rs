//! Many changes at once.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{batch, path_of, post};
use crate::sandbox::Plan;
use crate::sandbox::tests::Desk;

#[test]
fn a_delegation_is_made_before_its_ds_and_removed_after_it() {
    let mut desk = Desk::new(Plan::Free);
    let ns = json!({"type": "NS", "name": "sub", "content": "ns.host.example"});
    let ds =
        json!({"type": "DS", "name": "sub", "data": {"key_tag": 1, "algorithm": 13, "digest_type": 2, "digest": "ab"}});
    assert_eq!(batch(&mut desk, &json!({ "posts": [ds, ns] })).0, 400);
    let (status, made) = batch(&mut desk, &json!({ "posts": [ns, ds] }));
    assert_eq!(status, 200);
    let ids: Vec<Value> = made["result"]["posts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| json!({"id": record["id"]}))
        .collect();
    let path = format!("{}/{}", desk.records(), ids[0]["id"].as_str().unwrap());
    assert_eq!(desk.refused("DELETE", &path, &Value::Null).0, 400);
    assert_eq!(desk.refused("PATCH", &path, &json!({"name": "elsewhere"})).0, 400);
    assert_eq!(batch(&mut desk, &json!({ "deletes": [ids[0], ids[1]] })).0, 400);
    assert_eq!(desk.world.records("acme.example").len(), 2);
    assert_eq!(batch(&mut desk, &json!({ "deletes": [ids[1], ids[0]] })).0, 200);
}

#[test]
fn a_batch_runs_in_its_order_and_answers_list_by_list() {
    let mut desk = Desk::new(Plan::Free);
    let a = post(&mut desk, &json!({"type": "A", "name": "www", "content": "192.0.2.1"}));
    let b = post(
        &mut desk,
        &json!({"type": "A", "name": "b", "content": "192.0.2.1", "comment": "b"}),
    );
    let c = post(
        &mut desk,
        &json!({"type": "A", "name": "c", "content": "192.0.2.1", "comment": "c"}),
    );
    let (status, answer) = batch(
        &mut desk,
        &json!({
            // Only possible when the delete runs first.
            "posts": [{"type": "CNAME", "name": "www", "content": "x.example"}],
            "puts": [{"id": c["id"], "type": "A", "name": "c", "content": "192.0.2.3"}],
            "patches": [{"id": b["id"], "content": "192.0.2.2"}],
            "deletes": [{"id": a["id"]}],
        }),
    );
    let result = &answer["result"];
    assert_eq!(status, 200, "{answer}");
    assert_eq!(result["deletes"][0]["content"], "192.0.2.1", "records come back whole");
    assert_eq!(
        (&result["patches"][0]["content"], &result["patches"][0]["comment"]),
        (&json!("192.0.2.2"), &json!("b"))
    );
    assert_eq!(
        (&result["puts"][0]["content"], &result["puts"][0]["comment"]),
        (&json!("192.0.2.3"), &Value::Null)
    );
    assert_eq!(
        (&result["posts"][0]["type"], &result["posts"][0]["settings"]),
        (&json!("CNAME"), &json!({}))
    );
    let (_, some) = batch(&mut desk, &json!({ "deletes": [{"id": b["id"]}], "posts": [] }));
    for unused in ["patches", "puts", "posts"] {
        assert_eq!(some["result"][unused], Value::Null, "{unused}");
    }
    // In list order: the second excludes the first.
    let clash = json!({"type": "A", "name": "x", "content": "192.0.2.1"});
    let (status, refused) = batch(&mut desk, &json!({ "posts": [clash, clash] }));
    assert_eq!((status, refused["errors"].as_array().unwrap().len()), (400, 1));
    assert_eq!(
        refused["errors"][0],
        json!({"code": 81058, "message": "An identical record already exists."})
    );
    let (status, refused) = batch(
        &mut desk,
        &json!({ "posts": [clash], "deletes": [{"id": "0"}, {"id": c["id"]}] }),
    );
    assert_eq!((status, &refused["result"]), (404, &Value::Null));
    assert_eq!(
        refused["errors"],
        json!([{"code": 81044, "message": "Record ID 0 does not exist."}])
    );
}

/// One operation on a small zone, so that many of them clash.
fn operation() -> impl Strategy<Value = (usize, usize, usize, usize)> {
    (0..4_usize, 0..12_usize, 0..4_usize, 0..4_usize)
}

fn record(name: usize, content: usize) -> Value {
    let name = format!("n{name}");
    match content {
        0 => json!({"type": "CNAME", "name": name, "content": "x.example"}),
        1 => json!({"type": "NS", "name": name, "content": "ns.host.example"}),
        2 => json!({"type": "A", "name": name, "content": "192.0.2.1", "comment": "x"}),
        _ => json!({"type": "TXT", "name": name, "content": "x".repeat(3_000)}),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// All of a batch or none of it, and what excludes what is remembered as well as the records themselves.
    #[test]
    fn a_batch_happens_whole_or_not_at_all(
        start in prop::collection::vec((0..4_usize, 0..4_usize), 0..10),
        operations in prop::collection::vec(operation(), 1..8),
    ) {
        let mut desk = Desk::new(Plan::Free);
        for (name, content) in start {
            let _ = desk.world.add_record("acme.example", record(name, content));
        }
        let before = desk.world.records("acme.example");
        let (mut deletes, mut patches, mut puts, mut posts) = (vec![], vec![], vec![], vec![]);
        for (what, which, name, content) in operations {
            let id = before.get(which).map_or_else(|| json!("0"), |record| record["id"].clone());
            let mut full = record(name, content);
            match what {
                0 => deletes.push(json!({"id": id})),
                1 => patches.push(json!({"id": id, "name": full["name"], "ttl": 300})),
                2 => {
                    full["id"] = id;
                    puts.push(full);
                }
                _ => posts.push(full),
            }
        }
        let body = json!({"deletes": deletes, "patches": patches, "puts": puts, "posts": posts});
        let (status, _) = batch(&mut desk, &body);
        let after = desk.world.records("acme.example");
        if status != 200 {
            prop_assert_eq!(&after, &before);
        }
        // What excludes what is remembered as well as the records are: every record still clashes with itself only.
        for record in &after {
            let path = path_of(&desk, record);
            let (status, same) = desk.ask("PUT", &path, record);
            prop_assert_eq!(status, 200, "{}", same);
            let records = desk.records();
            let code = desk.refused("POST", &records, record).1;
            prop_assert!([81053, 81056, 81058, 83011].contains(&code), "{}", code);
        }
        prop_assert_eq!(desk.world.records("acme.example"), after);
    }
}

#[test]
fn ten_thousand_records_are_no_burden() {
    let mut desk = Desk::new(Plan::Business);
    desk.world.set_quota("acme.example", None);
    let begun = std::time::Instant::now();
    for chunk in 0..4 {
        let one = |at: usize| json!({"type": "A", "name": format!("h{}", chunk * 2_500 + at), "content": "192.0.2.1"});
        let body = json!({ "posts": (0..2_500).map(one).collect::<Vec<_>>() });
        assert_eq!(batch(&mut desk, &body).0, 200);
    }
    let path = desk.records();
    for page in 1..=2 {
        let listed = desk.get(&format!("{path}?per_page=5000&page={page}"));
        assert_eq!(listed["result"].as_array().unwrap().len(), 5_000);
    }
    // A bound that only something quadratic would break, even unoptimised and on a busy machine.
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
