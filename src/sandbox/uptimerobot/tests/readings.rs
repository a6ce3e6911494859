//! How what was sent reads back, and what one object does to another.

use serde_json::{Value, json};

use super::*;

fn window(others: &Value) -> Value {
    let mut body = json!({ "name": "Nightly", "interval": "daily", "time": "02:00:00", "duration": 60 });
    body.as_object_mut()
        .unwrap()
        .extend(others.as_object().unwrap().clone());
    body
}

fn slack(value: &str) -> Value {
    json!({ "type": "Slack", "data": { "friendlyName": "Chat", "webhookURL": value, "customValue": "#ops" } })
}

#[test]
fn every_object_has_its_own_statuses() {
    let mut account = Account::default();
    let monitor = made(&mut account, MONITORS, &nth(1));
    let path = at(MONITORS, &monitor);
    let paused = made(&mut account, &format!("{path}/pause"), &json!({}));
    assert_eq!(
        (&paused["status"], &paused["friendlyName"]),
        (&json!("PAUSED"), &json!("Site 1"))
    );
    made(&mut account, &format!("{path}/pause"), &json!({}));
    assert_eq!(
        made(&mut account, &format!("{path}/start"), &json!({}))["status"],
        "STARTED"
    );
    let kept = made(&mut account, "/maintenance-windows", &window(&json!({})));
    let group = made(&mut account, "/monitor-groups", &json!({ "name": "Shop" }));
    let chat = made(&mut account, "/integrations", &slack("https://hooks.example/1"));
    let renamed = json!({ "name": "Renamed" });
    for (path, change, deleted) in [
        (path, json!({ "friendlyName": "Renamed" }), 200),
        (at("/maintenance-windows", &kept), renamed.clone(), 204),
        (at("/monitor-groups", &group), renamed, 204),
        (at("/integrations", &chat), slack("https://hooks.example/2"), 200),
    ] {
        assert_eq!(ask(&mut account, "PATCH", &path, &change).0, 200, "{path}");
        let gone = account.answer(&asked("DELETE", &path, &Value::Null));
        assert!(gone.status == deleted && gone.body.is_empty(), "{path}");
        assert_eq!(ask(&mut account, "DELETE", &path, &Value::Null).0, 404, "{path}");
    }
}

#[test]
fn many_at_once_answer_that_it_is_done_although_each_failed() {
    let mut account = Account::default();
    let first = made(&mut account, MONITORS, &site(&json!({ "tagNames": ["shop"] })));
    made(&mut account, MONITORS, &nth(2));
    let done = made(&mut account, "/monitors/bulk/pause", &json!({ "tagId": 1 }));
    assert_eq!((&done["totalSuccess"], &done["totalError"]), (&json!(1), &json!(0)));
    account.pay(Paid::Solo, 1);
    let failed = made(&mut account, "/monitors/bulk/start", &json!({ "tagId": 1 }));
    assert_eq!((&failed["totalSuccess"], &failed["totalError"]), (&json!(0), &json!(1)));
    let one = &failed["results"][0];
    assert_eq!((&one["monitorId"], &one["code"]), (&first["id"], &json!("009-005")));
    assert_eq!(get(&mut account, &at(MONITORS, &first))["status"], "PAUSED");
}

#[test]
fn what_was_not_said_is_filled_in() {
    let mut account = Account::default();
    let body =
        json!({ "type": "HTTP", "friendlyName": "x", "url": "https://acme.example/", "interval": 300, "timeout": 30 });
    let monitor = made(&mut account, MONITORS, &body);
    let expected = json!({
        "httpMethodType": null, "authType": "HTTP_BASIC", "httpUsername": "", "httpPassword": "",
        "successHttpResponseCodes": ["2xx", "3xx"], "groupId": 0, "status": "STARTED", "gracePeriod": 30,
        "config": null, "port": null, "keywordType": null, "keywordValue": "", "responseTimeThreshold": 0,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&monitor[key], value, "{key}");
    }
    assert_eq!(get(&mut account, MONITORS)["data"][0]["status"], "UP", "checked by now");
    let codes = |monitor: &Value| monitor["successHttpResponseCodes"].clone();
    let set = patched(&mut account, &monitor, &json!({ "successHttpResponseCodes": ["200"] }));
    assert_eq!(codes(&set), json!(["200"]));
    let reset = patched(&mut account, &monitor, &json!({ "successHttpResponseCodes": [] }));
    assert_eq!(codes(&reset), json!(["2xx", "3xx"]));
}

#[test]
fn names_in_are_not_names_out() {
    let mut account = Account::default();
    let kept = made(&mut account, "/maintenance-windows", &window(&json!({})));
    let regions = json!({ "REGION": ["eu"], "MANUAL_SELECTED": true });
    let monitor = made(
        &mut account,
        MONITORS,
        &site(&json!({ "tagNames": ["shop"], "maintenanceWindowsIds": [kept["id"]], "regionData": regions })),
    );
    let read = get(&mut account, &at(MONITORS, &monitor));
    assert!(
        ["tagNames", "maintenanceWindowsIds", "regionData"]
            .iter()
            .all(|key| read.get(key).is_none())
    );
    assert_eq!(
        (&read["tags"][0]["id"], &read["tags"][0]["name"]),
        (&json!(1), &json!("shop"))
    );
    assert_eq!(read["maintenanceWindows"], json!([kept]), "whole windows for their ids");
    let regions = json!({ "REGION": ["eu"], "MANUAL_SELECTED": true, "INFRASTRUCTURE": "New", "THRESHOLD": {} });
    assert_eq!(read["regionalData"], regions);
}

#[test]
fn a_threshold_reads_0_and_lands_in_the_regions() {
    let mut account = Account::default();
    let regions = json!({ "REGION": ["eu", "as"], "MANUAL_SELECTED": true });
    let body = site(&json!({ "regionData": regions, "responseTimeThreshold": 5000 }));
    let monitor = made(&mut account, MONITORS, &body);
    let read = get(&mut account, &at(MONITORS, &monitor));
    assert_eq!(read["responseTimeThreshold"], 0);
    assert_eq!(read["regionalData"]["THRESHOLD"], json!({ "eu": 5000, "as": 5000 }));
}

#[test]
fn a_keywords_case_is_a_number_on_a_read() {
    let mut account = Account::default();
    let keyword = json!({ "type": "KEYWORD", "keywordType": "ALERT_NOT_EXISTS", "keywordValue": "Welcome" });
    for (number, case, shown) in [(0, json!(0), 0), (1, json!(1), 1), (2, json!("CaseInsensitive"), 1)] {
        let mut body = nth(number);
        body.as_object_mut()
            .unwrap()
            .extend(keyword.as_object().unwrap().clone());
        assert_eq!(messages(&mut account, &body), "keywordCaseType should not be empty");
        body["keywordCaseType"] = case.clone();
        assert_eq!(made(&mut account, MONITORS, &body)["keywordCaseType"], shown, "{case}");
    }
}

#[test]
fn a_config_is_merged_by_key_and_maps_are_replaced() {
    let mut account = Account::default();
    let monitor = made(
        &mut account,
        MONITORS,
        &site(&json!({
            "config": { "ipVersion": "ipv4Only", "applicationErrorRetries": 2 },
            "customHttpHeaders": { "X-One": "1", "X-Two": "2" }, "customFields": { "one": "1", "two": "2" },
        })),
    );
    let mut config = |sent: Value| patched(&mut account, &monitor, &json!({ "config": sent }))["config"].clone();
    let other = config(json!({ "applicationErrorRetries": 3 }));
    assert_eq!(other, json!({ "ipVersion": "ipv4Only", "applicationErrorRetries": 3 }));
    assert_eq!(
        config(json!({ "ipVersion": null })),
        json!({ "applicationErrorRetries": 3 })
    );
    assert_eq!(config(json!({ "applicationErrorRetries": null })), Value::Null);
    let maps = json!({ "customHttpHeaders": { "X-Two": "3" }, "customFields": { "two": "3" } });
    let read = patched(&mut account, &monitor, &maps);
    assert_eq!(read["customHttpHeaders"], maps["customHttpHeaders"]);
    assert_eq!(read["customFields"], maps["customFields"]);
}

#[test]
fn contacts_that_go_unsaid_stay_and_none_clears_them() {
    let mut account = Account::default();
    let contact = account.contacts[0]["id"].clone();
    let assigned = json!([{ "alertContactId": contact, "threshold": 5, "recurrence": 0 }]);
    let monitor = made(
        &mut account,
        MONITORS,
        &site(&json!({ "assignedAlertContacts": assigned })),
    );
    let kept = patched(&mut account, &monitor, &json!({ "friendlyName": "New" }));
    assert_eq!(kept["assignedAlertContacts"], assigned);
    let cleared = patched(&mut account, &monitor, &json!({ "assignedAlertContacts": [] }));
    assert_eq!(cleared["assignedAlertContacts"], json!([]));
}

#[test]
fn texts_are_escaped_schemes_stripped_and_passwords_echoed() {
    let mut account = Account::default();
    let shop = site(&json!({
        "friendlyName": "A & B", "url": "https://acme.example/?a=1&b=2", "httpMethodType": "POST",
        "postValueType": "RAW_JSON", "postValueData": {}, "customHttpHeaders": { "X-Probe": "1" },
        "httpUsername": "probe", "httpPassword": "canary",
    }));
    let monitor = made(&mut account, MONITORS, &shop);
    assert_eq!(monitor["friendlyName"], "A &amp; B");
    assert_eq!(monitor["url"], "https://acme.example/?a=1&amp;b=2");
    assert_eq!(monitor["httpPassword"], "canary");
    let headers = json!({ "X-Probe": "1", "Content-Type": "application/json" });
    assert_eq!(monitor["customHttpHeaders"], headers, "with a body comes its type");
    let plain = made(&mut account, MONITORS, &nth(1));
    assert_eq!(plain["customHttpHeaders"], json!({}));
    let ping = json!({ "type": "PING", "friendlyName": "Ping", "url": "https://mail.acme.example", "interval": 300 });
    assert_eq!(made(&mut account, MONITORS, &ping)["url"], "mail.acme.example");
}

#[test]
fn a_tag_is_there_once_it_is_named_and_its_deletion_strips_it() {
    let mut account = Account::default();
    let tagged = made(&mut account, MONITORS, &site(&json!({ "tagNames": ["shop", "live"] })));
    let tags = json!([{ "id": 1, "name": "shop" }, { "id": 2, "name": "live" }]);
    assert_eq!(
        get(&mut account, "/tags"),
        json!({ "data": tags, "nextCursorId": null })
    );
    let found = |account: &mut Account, tag: &str| {
        let listed = get(account, &format!("/monitors?tags={tag}"));
        listed["data"].as_array().unwrap().len()
    };
    assert_eq!((found(&mut account, "shop,other"), found(&mut account, "Shop")), (1, 0));
    assert_eq!(ask(&mut account, "DELETE", "/tags/1", &Value::Null).0, 204);
    let left = get(&mut account, &at(MONITORS, &tagged))["tags"].clone();
    assert_eq!((left.as_array().unwrap().len(), &left[0]["name"]), (1, &json!("live")));
    assert_eq!(get(&mut account, "/tags")["data"], json!([{ "id": 2, "name": "live" }]));
    assert_eq!(ask(&mut account, "DELETE", "/tags/1", &Value::Null).0, 404);
}

#[test]
fn a_window_of_all_monitors_shows_on_each() {
    let mut account = Account::default();
    let monitor = made(&mut account, MONITORS, &nth(1));
    let kept = made(
        &mut account,
        "/maintenance-windows",
        &window(&json!({ "autoAddMonitors": true })),
    );
    let shown = |account: &mut Account| get(account, &at(MONITORS, &monitor))["maintenanceWindows"].clone();
    assert_eq!(shown(&mut account), json!([kept]));
    let path = at("/maintenance-windows", &kept);
    let later = json!({ "autoAddMonitors": false });
    assert_eq!(
        refused(&mut account, "PATCH", &path, &later).0,
        400,
        "settled when it is made"
    );
    assert_eq!(
        ask(&mut account, "PATCH", &path, &json!({ "status": "paused" })).1["status"],
        "paused"
    );
    ask(&mut account, "DELETE", &path, &Value::Null);
    assert_eq!(shown(&mut account), json!([]));
}

#[test]
fn days_of_a_window_fit_its_interval() {
    let mut account = Account::default();
    for (interval, days, status) in [
        ("weekly", json!([1, 7]), 201),
        ("weekly", json!([0]), 400),
        ("monthly", json!([31, -1]), 201),
        ("monthly", json!([32]), 400),
        ("daily", json!([1]), 400),
    ] {
        let body = window(&json!({ "interval": interval, "days": days }));
        assert_eq!(
            ask(&mut account, "POST", "/maintenance-windows", &body).0,
            status,
            "{body}"
        );
    }
}

#[test]
fn the_monitors_of_a_group_that_goes_are_in_the_next_or_in_none() {
    let mut account = Account::default();
    let [first, second] = ["One", "Two"].map(|name| made(&mut account, "/monitor-groups", &json!({ "name": name })));
    let monitor = made(&mut account, MONITORS, &site(&json!({ "groupId": first["id"] })));
    let group = |account: &mut Account| get(account, &at(MONITORS, &monitor))["groupId"].clone();
    let path = format!("{}?monitorsNewGroupId={}", at("/monitor-groups", &first), second["id"]);
    ask(&mut account, "DELETE", &path, &Value::Null);
    assert_eq!(group(&mut account), second["id"]);
    ask(&mut account, "DELETE", &at("/monitor-groups", &second), &Value::Null);
    assert_eq!(group(&mut account), 0);
    assert_eq!(ask(&mut account, "GET", "/monitor-groups/0", &Value::Null).0, 404);
}

#[test]
fn a_contact_is_sent_a_number_and_reads_a_word() {
    let mut account = Account::default();
    for (number, word) in [(0, "UpAndDown"), (1, "Down"), (2, "Up"), (3, "None")] {
        let value = format!("ops{number}@acme.example");
        let body = json!({ "type": "Email", "value": value, "enableNotificationsFor": number });
        let contact = made(&mut account, "/alert-contacts", &body);
        assert_eq!(get(&mut account, &at("/alert-contacts", &contact)), contact);
        assert_eq!(contact["enableNotificationsFor"], word);
        assert_eq!(
            contact["status"], "NotActivated",
            "until somebody follows the link in the mail"
        );
        assert_eq!(refused(&mut account, "POST", "/alert-contacts", &body).0, 409);
    }
    for kind in ["ProSms", "Voice"] {
        let body = json!({ "type": kind, "value": "a@acme.example", "enableNotificationsFor": 0 });
        assert_eq!(refused(&mut account, "POST", "/alert-contacts", &body).0, 400, "{kind}");
    }
    let word = json!({ "type": "Email", "value": "b@acme.example", "enableNotificationsFor": "Down" });
    assert_eq!(refused(&mut account, "POST", "/alert-contacts", &word).0, 400);
}

#[test]
fn an_integration_reads_under_other_names_and_a_change_names_its_type() {
    let mut account = Account::default();
    let mut body = slack("https://hooks.example/1");
    body["data"]["enableNotificationsFor"] = json!("Down");
    let chat = made(&mut account, "/integrations", &body);
    assert_eq!(
        (&chat["value"], &chat["customValue"]),
        (&json!("https://hooks.example/1"), &json!("#ops"))
    );
    assert!(chat["webhookURL"].is_null() && chat["data"].is_null());
    let path = at("/integrations", &chat);
    assert_eq!(
        chat["enableNotificationsFor"], "UpAndDown",
        "what was said settles later"
    );
    assert_eq!(get(&mut account, &path)["enableNotificationsFor"], "Down");
    assert_eq!(refused(&mut account, "POST", "/integrations", &body).0, 409);
    let untyped = json!({ "data": body["data"] });
    assert_eq!(refused(&mut account, "PATCH", &path, &untyped).0, 400);
    assert_eq!(
        ask(&mut account, "PATCH", &path, &slack("https://hooks.example/2")).1["value"],
        "https://hooks.example/2"
    );
    let hook = json!({ "type": "Webhook", "data": {
        "friendlyName": "Hook", "urlToNotify": "https://hooks.example/3", "postValue": "{}",
    } });
    let hook = made(&mut account, "/integrations", &hook);
    assert_eq!(
        (&hook["value"], &hook["customValue"]),
        (&json!("https://hooks.example/3"), &json!("{}"))
    );
}

#[test]
fn ids_are_numbers_beyond_31_bits_and_that_of_an_incident_is_a_text() {
    let mut account = Account::default();
    let monitor = made(&mut account, MONITORS, &nth(1));
    for made in [
        monitor.clone(),
        made(&mut account, "/maintenance-windows", &window(&json!({}))),
        made(&mut account, "/monitor-groups", &json!({ "name": "Shop" })),
        made(&mut account, "/integrations", &slack("https://hooks.example/1")),
    ] {
        assert!(made["id"].as_u64().unwrap() > 1 << 31, "{made}");
    }
    let incident = monitor["lastIncidentId"].as_str().unwrap();
    assert!(incident.len() == 18 && incident.bytes().all(|byte| byte.is_ascii_digit()));
}

#[test]
fn a_heartbeat_is_given_its_address() {
    let mut account = Account::default();
    let mut body = json!({ "type": "HEARTBEAT", "friendlyName": "Backup", "interval": 3600, "gracePeriod": 60 });
    let first = made(&mut account, MONITORS, &body);
    let second = made(&mut account, MONITORS, &body);
    assert!(first["url"].is_string() && first["url"] != second["url"]);
    body["url"] = json!("https://acme.example/");
    assert_eq!(messages(&mut account, &body), "property url should not exist");
}
