//! Records listed and exported.

use serde_json::{Value, json};

use super::post;
use crate::sandbox::Plan;
use crate::sandbox::tests::Desk;

#[test]
fn lists_are_filtered_ordered_and_cut_into_pages() {
    let mut desk = Desk::new(Plan::Pro);
    for number in 0..150 {
        let record =
            json!({"type": "A", "name": format!("h{number:03}"), "content": format!("192.0.2.{number}"), "ttl": 1});
        desk.world.add_record("acme.example", record).unwrap();
    }
    post(
        &mut desk,
        &json!({"type": "TXT", "name": "T", "content": "Hello", "comment": "By Bob", "tags": ["team:web"]}),
    );
    post(
        &mut desk,
        &json!({"type": "CNAME", "name": "p", "content": "x.example", "proxied": true}),
    );
    let path = desk.records();
    let mut count = |query: &str| {
        let listed = desk.get(&format!("{path}?{query}"));
        let info = listed["result_info"].clone();
        assert_eq!(info["count"], listed["result"].as_array().unwrap().len());
        (
            info["count"].as_u64().unwrap(),
            info["total_count"].as_u64().unwrap(),
            info["total_pages"].as_u64().unwrap(),
        )
    };
    for (query, expected) in [
        ("", (100, 152, 2)),
        ("page=2", (52, 152, 2)),
        ("page=3", (0, 152, 2)),
        ("per_page=5000", (152, 152, 1)),
        ("per_page=1", (1, 152, 152)),
        ("type=TXT", (1, 1, 1)),
        ("type=LOC", (0, 0, 1)),
        ("name=H001.acme.example", (1, 1, 1)),
        ("name=h001", (0, 0, 1)),
        ("name.startswith=h00", (10, 10, 1)),
        ("name.contains=p.acme", (1, 1, 1)),
        ("content.exact=hello", (1, 1, 1)),
        ("content.endswith=.149", (1, 1, 1)),
        ("comment.present", (1, 1, 1)),
        ("comment.absent&per_page=1000", (151, 151, 1)),
        ("comment=by%20bob", (1, 1, 1)),
        ("tag=team:web", (1, 1, 1)),
        ("tag.present=team", (1, 1, 1)),
        ("proxied=true", (1, 1, 1)),
        ("proxied=true&type=TXT", (0, 0, 1)),
        ("match=any&proxied=true&type=TXT", (2, 2, 1)),
        ("search=bob", (1, 1, 1)),
        ("unheard_of=1", (100, 152, 2)),
    ] {
        assert_eq!(count(query), expected, "{query}");
    }
    let names = |listed: &Value| {
        listed["result"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["name"].clone())
            .collect::<Vec<_>>()
    };
    let one = names(&desk.get(&format!("{path}?per_page=40&page=2")));
    assert_eq!(
        names(&desk.get(&format!("{path}?per_page=40&page=2"))),
        one,
        "the order is stable"
    );
    assert_eq!(
        names(&desk.get(&format!("{path}?order=name&direction=desc")))[0],
        "t.acme.example"
    );
    for refused in ["per_page=0", "per_page=50001", "page=0", "page=-1"] {
        assert_eq!(
            desk.refused("GET", &format!("{path}?{refused}"), &Value::Null).0,
            400,
            "{refused}"
        );
    }
    desk.world.set_largest_page(100);
    assert_eq!(
        desk.refused("GET", &format!("{path}?per_page=5000"), &Value::Null).0,
        400
    );
}

#[test]
fn an_export_is_a_zone_file_with_its_remarks() {
    let mut desk = Desk::new(Plan::Pro);
    post(
        &mut desk,
        &json!({"type": "A", "name": "a", "content": "192.0.2.1", "proxied": true, "comment": "front", "tags": ["t:x"]}),
    );
    post(
        &mut desk,
        &json!({"type": "MX", "name": "@", "content": "mx.host.example", "priority": 5, "ttl": 300}),
    );
    post(&mut desk, &json!({"type": "TXT", "name": "t", "content": "say \"hi\""}));
    let path = format!("{}/export", desk.records());
    let reply = desk.raw("GET", &path, "");
    let text = String::from_utf8(reply.body).unwrap();
    assert!(reply.content_type.starts_with("text/plain"));
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with(";;")).collect();
    assert_eq!(
        lines,
        [
            "a.acme.example.\t1\tIN\tA\t192.0.2.1 ; front cf_tags=t:x,cf-proxied:true",
            "acme.example.\t300\tIN\tMX\t5 mx.host.example.",
            "t.acme.example.\t1\tIN\tTXT\t\"say \\\"hi\\\"\"",
        ]
    );
}
