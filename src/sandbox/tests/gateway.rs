//! The gateway, tokens and zones, without a socket.

use serde_json::{Value, json};

use super::Desk;
use crate::sandbox::world::ACCOUNT;
use crate::sandbox::{Permission, Plan, TokenKind, TokenOptions, TokenStatus};

#[test]
fn refusals_of_the_gateway_leave_out_what_the_service_would_say() {
    let mut desk = Desk::new(Plan::Free);
    let zone = desk.world.zone_id("acme.example").unwrap().to_owned();
    let none = Value::Null;
    assert_eq!(
        desk.ask("GET", "nowhere", &none),
        (
            404,
            json!({"success": false, "errors": [{"code": 7000, "message": "No route for that URI"}]})
        )
    );
    let words = "PUT method not allowed for the api_token authentication scheme";
    assert_eq!(
        desk.ask("PUT", "zones", &none),
        (
            405,
            json!({"success": false, "errors": [{"code": 10000, "message": words}]})
        )
    );
    for path in [
        "zones/short".to_owned(),
        format!("zones/{}", "f".repeat(32)),
        format!("zones/{zone}/dns_records/nonsense"),
        format!("accounts/{}/tokens/verify", "f".repeat(32)),
    ] {
        let (status, envelope) = desk.ask("GET", &path, &none);
        assert_eq!((status, &envelope["errors"][0]["code"]), (404, &json!(7003)), "{path}");
        let words = format!("Could not route to /{path}, perhaps your object identifier is invalid?");
        assert_eq!(envelope["errors"][0]["message"], words);
        assert_eq!((&envelope["result"], &envelope["messages"]), (&none, &json!([])));
    }
    let import = format!("zones/{zone}/dns_records/import");
    assert_eq!(desk.refused("POST", &import, &none), (404, 7000));
    let batch = format!("zones/{zone}/dns_records/batch");
    for garbled in [
        "",
        "{",
        "[]",
        "{\"posts\": 1}",
        "{\"posts\": [1]}",
        "{\"deletes\": [{}]}",
    ] {
        let reply = desk.raw("POST", &batch, garbled);
        assert_eq!(reply.status, 400, "{garbled}");
        assert!(String::from_utf8_lossy(&reply.body).contains("9207"));
    }
}

#[test]
fn credentials_are_looked_at_in_form_before_they_are_looked_up() {
    let mut desk = Desk::new(Plan::Free);
    for garbled in [
        None,
        Some("sandbox"),
        Some("Bearer "),
        Some("Bearer a b"),
        Some("Basic x"),
    ] {
        desk.authorization = garbled.map(str::to_owned);
        let (status, envelope) = desk.ask("GET", "zones", &Value::Null);
        assert_eq!(
            (status, &envelope["errors"][0]["code"]),
            (400, &json!(6003)),
            "{garbled:?}"
        );
        let chain = json!([{ "code": 6111, "message": "Invalid format for Authorization header" }]);
        assert_eq!(envelope["errors"][0]["error_chain"], chain);
    }
    desk.authorization = Some("Bearer unknown".to_owned());
    assert_eq!(desk.refused("GET", "zones", &Value::Null), (403, 10000));
    assert_eq!(desk.refused("GET", "user/tokens/verify", &Value::Null), (403, 9109));
}

#[test]
fn each_verify_endpoint_knows_its_own_tokens_and_status_is_not_success() {
    let mut desk = Desk::new(Plan::Free);
    let account = desk.get("zones")["result"][0]["account"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (of_user, of_account) = (
        "user/tokens/verify".to_owned(),
        format!("accounts/{account}/tokens/verify"),
    );
    for (kind, right, wrong) in [
        (TokenKind::User, &of_user, &of_account),
        (TokenKind::Account, &of_account, &of_user),
    ] {
        for (status, word) in [
            (TokenStatus::Active, "active"),
            (TokenStatus::Disabled, "disabled"),
            (TokenStatus::Expired, "expired"),
        ] {
            let options = TokenOptions {
                kind,
                status,
                permissions: vec![Permission::ZoneRead],
                zones: None,
            };
            desk.world.add_token("t", options);
            desk.authorization = Some("Bearer t".to_owned());
            let told = desk.get(right);
            assert_eq!(
                (&told["success"], &told["result"]["status"]),
                (&json!(true), &json!(word))
            );
            assert_eq!(told["messages"][0]["code"], 10000);
            assert_eq!(desk.refused("GET", wrong, &Value::Null).0, 403);
            let (works, _) = desk.ask("GET", "zones", &Value::Null);
            assert_eq!(works, if word == "active" { 200 } else { 403 }, "{word}");
        }
    }
}

#[test]
fn a_token_may_what_it_was_given_where_it_was_given() {
    use Permission::{DnsRead, DnsWrite, ZoneRead, ZoneWrite};
    let mut desk = Desk::new(Plan::Free);
    let zone = format!("zones/{}", desk.world.zone_id("acme.example").unwrap());
    let (records, batch) = (desk.records(), format!("{}/batch", desk.records()));
    let (usage, export) = (
        format!("{}/usage", desk.records()),
        format!("{}/export", desk.records()),
    );
    let check = format!("{zone}/activation_check");
    let body = json!({ "paused": false });
    for (method, path, body, enough, short) in [
        (
            "GET",
            "zones",
            &Value::Null,
            vec![ZoneRead, ZoneWrite],
            vec![DnsRead, DnsWrite],
        ),
        (
            "GET",
            &*zone,
            &Value::Null,
            vec![ZoneRead, ZoneWrite, DnsRead, DnsWrite],
            vec![],
        ),
        (
            "PATCH",
            &zone,
            &body,
            vec![ZoneWrite],
            vec![ZoneRead, DnsRead, DnsWrite],
        ),
        ("PUT", &check, &Value::Null, vec![], vec![ZoneRead, DnsRead, DnsWrite]),
        (
            "GET",
            &records,
            &Value::Null,
            vec![DnsRead, DnsWrite],
            vec![ZoneRead, ZoneWrite],
        ),
        (
            "GET",
            &usage,
            &Value::Null,
            vec![DnsRead, DnsWrite],
            vec![ZoneRead, ZoneWrite],
        ),
        (
            "GET",
            &export,
            &Value::Null,
            vec![DnsRead, DnsWrite],
            vec![ZoneRead, ZoneWrite],
        ),
        (
            "POST",
            &batch,
            &json!({}),
            vec![DnsWrite],
            vec![ZoneRead, ZoneWrite, DnsRead],
        ),
    ] {
        for (permissions, status) in [(enough, 200), (short, 403)] {
            for permission in permissions {
                let options = TokenOptions {
                    permissions: vec![permission],
                    ..TokenOptions::default()
                };
                desk.world.add_token("t", options);
                desk.authorization = Some("Bearer t".to_owned());
                let text = if body.is_null() {
                    String::new()
                } else {
                    body.to_string()
                };
                let reply = desk.raw(method, path, &text);
                assert_eq!(reply.status, status, "{method} {path} {permission:?}");
            }
        }
    }
    desk.world.add_zone("shop.example", Plan::Free);
    let options = TokenOptions {
        permissions: vec![ZoneRead, DnsRead],
        zones: Some(vec!["shop.example".to_owned()]),
        ..TokenOptions::default()
    };
    desk.world.add_token("t", options);
    assert_eq!(desk.get("zones")["result"].as_array().unwrap().len(), 1);
    assert_eq!(desk.refused("GET", &records, &Value::Null), (403, 10000));
}

#[test]
fn zones_are_found_ordered_and_cut_into_pages() {
    let mut desk = Desk::new(Plan::Pro);
    for number in 0..24 {
        desk.world.add_zone(&format!("z{number:02}.example"), Plan::Free);
    }
    desk.world.set_status("z01.example", "pending");
    let mut count = |path: &str| {
        let listed = desk.get(path);
        let info = &listed["result_info"];
        assert_eq!(info["count"], listed["result"].as_array().unwrap().len());
        (
            info["count"].as_u64().unwrap(),
            info["total_count"].as_u64().unwrap(),
            info["total_pages"].as_u64().unwrap(),
        )
    };
    assert_eq!(count("zones"), (20, 25, 2));
    assert_eq!(count("zones?page=2"), (5, 25, 2));
    assert_eq!(count("zones?page=99"), (0, 25, 2));
    assert_eq!(count("zones?per_page=50"), (25, 25, 1));
    assert_eq!(count("zones?name=ACME.example"), (1, 1, 1));
    assert_eq!(count("zones?name=none.example"), (0, 0, 1));
    assert_eq!(count("zones?name=starts_with:z0&per_page=5"), (5, 10, 2));
    assert_eq!(count("zones?status=pending"), (1, 1, 1));
    assert_eq!(count("zones?account.id=0123456789abcdef0123456789abcdef"), (0, 0, 1));
    assert_eq!(count("zones?match=any&status=pending&name=acme.example"), (2, 2, 1));
    let first = desk.get("zones?order=name&direction=desc&per_page=5")["result"][0]["name"].clone();
    assert_eq!(first, "z23.example");
    for refused in ["per_page=51", "per_page=4", "page=0", "page=x", "name=like:x"] {
        assert_eq!(
            desk.refused("GET", &format!("zones?{refused}"), &Value::Null).0,
            400,
            "{refused}"
        );
    }
}

#[test]
fn a_zone_is_made_once_and_gets_other_name_servers_each_time() {
    let mut desk = Desk::new(Plan::Free);
    let body = json!({ "name": "New.Example", "account": { "id": ACCOUNT }, "type": "full" });
    let (status, made) = desk.ask("POST", "zones", &body);
    let made = made["result"].clone();
    assert_eq!(
        (status, &made["status"], &made["name"]),
        (200, &json!("pending"), &json!("new.example"))
    );
    assert_eq!(
        (&made["plan"]["legacy_id"], &made["activated_on"]),
        (&json!("free"), &Value::Null)
    );
    assert_eq!(made["name_servers"].as_array().unwrap().len(), 2);
    assert_eq!(desk.refused("POST", "zones", &body), (400, 1061));
    let path = format!("zones/{}", made["id"].as_str().unwrap());
    let (status, gone) = desk.ask("DELETE", &path, &Value::Null);
    assert_eq!((status, &gone["result"]["id"]), (200, &made["id"]));
    let (_, again) = desk.ask("POST", "zones", &body);
    assert_ne!(again["result"]["name_servers"], made["name_servers"]);
    assert_ne!(again["result"]["id"], made["id"]);
    for (body, refusal) in [
        (json!({ "name": "x.example", "type": "partial" }), (400, 1104)),
        (json!({ "name": "x.example", "account": { "id": "0" } }), (403, 10000)),
        (json!({ "name": "_x.example" }), (400, 1004)),
        (json!({ "name": "example" }), (400, 1004)),
        (json!({}), (400, 1004)),
    ] {
        assert_eq!(desk.refused("POST", "zones", &body), refusal, "{body}");
    }
}

#[test]
fn a_zone_changes_one_property_at_a_time_and_moves_by_itself() {
    let mut desk = Desk::new(Plan::Business);
    let path = format!("zones/{}", desk.world.zone_id("acme.example").unwrap());
    let (one, two) = (desk.get(&path)["result"].clone(), desk.get(&path)["result"].clone());
    for volatile in ["/development_mode", "/modified_on", "/meta/step"] {
        assert_ne!(one.pointer(volatile), two.pointer(volatile), "{volatile}");
    }
    assert_eq!(one["plan"]["legacy_id"], "business");
    assert_eq!((&one["status"], &one["id"]), (&two["status"], &two["id"]));
    let (status, paused) = desk.ask("PATCH", &path, &json!({ "paused": true }));
    assert_eq!((status, &paused["result"]["paused"]), (200, &json!(true)));
    for body in [
        json!({ "paused": true, "type": "full" }),
        json!({}),
        json!({ "name": "x" }),
        json!({ "type": "partial" }),
    ] {
        assert_eq!(desk.refused("PATCH", &path, &body).0, 400, "{body}");
    }
    let check = format!("{path}/activation_check");
    assert_eq!(desk.ask("PUT", &check, &Value::Null).0, 200);
    assert_eq!(desk.refused("PUT", &check, &Value::Null).0, 400, "too soon");
}

#[test]
fn a_plan_is_what_the_zone_is_held_to() {
    let mut desk = Desk::new(Plan::Free);
    let path = format!("zones/{}/settings/polish", desk.world.zone_id("acme.example").unwrap());
    assert_eq!(desk.get(&path)["result"]["editable"], false);
    desk.world.set_plan("acme.example", Plan::Pro);
    assert_eq!(desk.get(&path)["result"]["editable"], true);
    assert_eq!(
        desk.get(&format!("{}/usage", desk.records()))["result"]["record_quota"],
        3_500
    );
}

#[test]
fn accounts_are_listed_and_a_zone_is_made_in_one_of_them() {
    let mut desk = Desk::new(Plan::Free);
    let accounts = desk.get("accounts");
    assert_eq!(accounts["result_info"]["total_count"], 1);
    assert_eq!(accounts["result"][0]["id"], ACCOUNT);
    assert_eq!(desk.ask("POST", "zones", &json!({ "name": "one.example" })).0, 200);
    let other = desk.world.add_account("Agency");
    assert_eq!(desk.get("accounts")["result"][1]["name"], "Agency");
    // Now it has to be said which.
    assert_eq!(
        desk.refused("POST", "zones", &json!({ "name": "two.example" })),
        (400, 1004)
    );
    let body = json!({ "name": "two.example", "account": { "id": other } });
    let (status, made) = desk.ask("POST", "zones", &body);
    assert_eq!(
        (status, &made["result"]["account"]),
        (200, &json!({ "id": other, "name": "Agency" }))
    );
    assert_eq!(
        desk.get(&format!("zones?account.id={other}"))["result_info"]["total_count"],
        1
    );
    assert_eq!(
        desk.get(&format!("zones?account.id={ACCOUNT}"))["result_info"]["total_count"],
        2
    );
    desk.world.add_token("t", TokenOptions::default());
    desk.authorization = Some("Bearer t".to_owned());
    assert_eq!(desk.refused("GET", "accounts", &Value::Null), (403, 10000));
}

#[test]
fn activation_is_checked_again_once_its_time_has_passed() {
    for (plan, minutes) in [(Plan::Free, 60), (Plan::Pro, 5)] {
        let mut desk = Desk::new(plan);
        desk.world.set_status("acme.example", "pending");
        let check = format!("zones/{}/activation_check", desk.world.zone_id("acme.example").unwrap());
        assert_eq!(desk.ask("PUT", &check, &Value::Null).0, 200);
        desk.world.pass(std::time::Duration::from_secs(minutes * 60 - 30));
        assert_eq!(desk.refused("PUT", &check, &Value::Null).0, 400, "{plan:?}");
        desk.world.pass(std::time::Duration::from_secs(30));
        assert_eq!(desk.ask("PUT", &check, &Value::Null).0, 200, "{plan:?}");
    }
}
