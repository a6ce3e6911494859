//! What the validator, the plan and the account refuse.

use serde_json::json;

use super::*;

#[test]
fn one_message_is_a_text_and_several_are_a_list() {
    let mut account = Account::default();
    let unknown = messages(&mut account, &site(&json!({ "colour": "red" })));
    assert_eq!(unknown, "property colour should not exist");
    let several = messages(&mut account, &site(&json!({ "colour": "red", "shape": "round" })));
    assert_eq!(several.as_array().unwrap().len(), 2);
    let mut untimed = nth(1);
    untimed.as_object_mut().unwrap().remove("timeout");
    let two = json!(["timeout must not be greater than 60", "timeout must not be less than 0"]);
    assert_eq!(messages(&mut account, &untimed), two);
    assert_eq!(get(&mut account, MONITORS)["data"], json!([]));
}

#[test]
fn no_body_goes_with_head_which_is_what_goes_unsaid() {
    let mut account = Account::default();
    let data = json!({ "postValueType": "RAW_JSON", "postValueData": { "a": 1 } });
    assert_eq!(
        messages(&mut account, &site(&data)),
        "postValueData cannot be used with HEAD"
    );
    let monitor = made(&mut account, MONITORS, &site(&json!({ "httpMethodType": "HEAD" })));
    assert_eq!(refused(&mut account, "PATCH", &at(MONITORS, &monitor), &data).0, 400);
    patched(&mut account, &monitor, &json!({ "httpMethodType": "POST" }));
    assert_eq!(
        patched(&mut account, &monitor, &data)["postValueData"],
        json!({ "a": 1 })
    );
}

#[test]
fn the_free_plan_lacks_what_is_paid_for() {
    let paid = [
        site(&json!({ "interval": 60 })),
        site(&json!({ "sslExpirationReminder": true })),
        site(&json!({ "domainExpirationReminder": true })),
        site(&json!({ "customFields": { "env": "live" } })),
        json!({ "type": "HEARTBEAT", "friendlyName": "Backup", "interval": 3600, "gracePeriod": 60 }),
    ];
    for body in &paid {
        assert_eq!(
            refused(&mut free(), "POST", MONITORS, body),
            coded(403, "009-005"),
            "{body}"
        );
        made(&mut Account::default(), MONITORS, body);
    }
    for (threshold, recurrence) in [(1, 0), (0, 1)] {
        let mut account = free();
        let contact = account.contacts[0]["id"].clone();
        let assigned = json!([{ "alertContactId": contact, "threshold": threshold, "recurrence": recurrence }]);
        let body = site(&json!({ "assignedAlertContacts": assigned }));
        assert_eq!(refused(&mut account, "POST", MONITORS, &body), coded(403, "009-005"));
        account.pay(Paid::Solo, 50);
        made(&mut account, MONITORS, &body);
    }
    let often = site(&json!({ "interval": 30 }));
    assert_eq!(
        refused(&mut Account::default(), "POST", MONITORS, &often),
        coded(403, "009-005")
    );
}

#[test]
fn monitors_that_rest_count_and_may_not_wake_where_it_is_full() {
    let mut account = Account::default();
    account.pay(Paid::Solo, 2);
    let first = made(&mut account, MONITORS, &nth(1));
    made(&mut account, MONITORS, &nth(2));
    made(&mut account, &format!("{}/pause", at(MONITORS, &first)), &json!({}));
    assert_eq!(refused(&mut account, "POST", MONITORS, &nth(3)), coded(403, "009-005"));
    let me = get(&mut account, "/user/me");
    assert_eq!((&me["monitorsCount"], &me["monitorLimit"]), (&json!(2), &json!(2)));
    account.pay(Paid::Solo, 1);
    let start = format!("{}/start", at(MONITORS, &first));
    assert_eq!(refused(&mut account, "POST", &start, &json!({})), coded(403, "009-005"));
}

#[test]
fn what_a_monitor_is_cannot_change() {
    let mut account = Account::default();
    let monitor = made(&mut account, MONITORS, &nth(1));
    let other = json!({ "type": "PING" });
    let found = refused(&mut account, "PATCH", &at(MONITORS, &monitor), &other);
    assert_eq!(found, coded(400, "009-015"));
    patched(&mut account, &monitor, &json!({ "type": "HTTP" }));
}

#[test]
fn what_belongs_to_another_account_is_refused() {
    let mut account = Account::default();
    let contact = json!([{ "alertContactId": 1, "threshold": 0, "recurrence": 0 }]);
    for others in [
        json!({ "assignedAlertContacts": contact }),
        json!({ "maintenanceWindowsIds": [1] }),
    ] {
        let found = refused(&mut account, "POST", MONITORS, &site(&others));
        assert_eq!(found, coded(403, "000-006"), "{others}");
    }
}

#[test]
fn the_same_address_twice_is_a_duplicate() {
    let mut account = Account::default();
    made(&mut account, MONITORS, &nth(1));
    let second = made(&mut account, MONITORS, &nth(2));
    let other_name = site(&json!({ "url": "https://1.acme.example/" }));
    let (status, answer) = ask(&mut account, "POST", MONITORS, &other_name);
    assert!(
        status == 409 && answer["message"].as_str().unwrap().contains("duplicate"),
        "{answer}"
    );
    let moved = json!({ "url": "https://1.acme.example/" });
    assert_eq!(refused(&mut account, "PATCH", &at(MONITORS, &second), &moved).0, 409);
}

#[test]
fn private_targets_are_refused_once_it_is_closed_to_them() {
    let mut account = Account::default();
    let private = [
        "127.0.0.1:8080",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.0.1",
        "[::1]",
        "localhost",
    ];
    for host in private {
        let mut account = Account::default();
        let body = site(&json!({ "url": format!("http://{host}/") }));
        made(&mut account, MONITORS, &body);
        let mut closed = Account::default();
        closed.close_to_private_targets();
        assert_eq!(refused(&mut closed, "POST", MONITORS, &body).0, 400, "{host}");
    }
    account.close_to_private_targets();
    made(
        &mut account,
        MONITORS,
        &site(&json!({ "url": "https://v10.127.example/" })),
    );
}
