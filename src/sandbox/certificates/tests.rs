//! Certificates, as a client sees them.
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};

use super::STEPS;
use crate::sandbox::tests::Desk;
use crate::sandbox::world::ACCOUNT;
use crate::sandbox::{Permission, Plan, TokenOptions};

const ZONE: &str = "acme.example";

fn ssl(desk: &Desk, zone: &str, rest: &str) -> String {
    format!("zones/{}/ssl/{rest}", desk.world.zone_id(zone).unwrap())
}

fn statuses(desk: &mut Desk, zone: &str) -> Vec<String> {
    let path = ssl(desk, zone, "certificate_packs?status=all");
    let packs = desk.get(&path)["result"].clone();
    let packs = packs.as_array().unwrap().iter();
    packs.map(|pack| pack["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_certificate_is_there_once_its_zone_is_active() {
    let mut desk = Desk::new(Plan::Free);
    assert_eq!(statuses(&mut desk, ZONE), ["active"]);
    let body = json!({ "name": "new.example", "account": { "id": ACCOUNT } });
    assert_eq!(desk.ask("POST", "zones", &body).0, 200);
    for _ in 0..3 {
        assert_eq!(statuses(&mut desk, "new.example"), ["initializing"]);
    }
    let setting = format!("zones/{}/settings/ssl", desk.world.zone_id("new.example").unwrap());
    assert_eq!(desk.get(&setting)["result"]["certificate_status"], "initializing");
    let listed = ssl(&desk, "new.example", "certificate_packs");
    assert_eq!(
        desk.get(&listed)["result"],
        json!([]),
        "only active ones are shown unless all are asked for"
    );
    desk.world.set_status("new.example", "active");
    let walked: Vec<String> = (0..6).flat_map(|_| statuses(&mut desk, "new.example")).collect();
    assert_eq!(
        walked[..5],
        STEPS[..].iter().map(|step| (*step).to_owned()).collect::<Vec<_>>()[..]
    );
    assert_eq!(walked[5], "active");
    let pack = desk.get(&listed)["result"][0].clone();
    assert_eq!(
        (&pack["type"], &pack["hosts"]),
        (&json!("universal"), &json!(["new.example", "*.new.example"]))
    );
    let one = format!("{listed}/{}", pack["id"].as_str().unwrap());
    assert_eq!(desk.get(&one)["result"], pack);
}

#[test]
fn universal_ssl_goes_off_with_its_certificate() {
    let mut desk = Desk::new(Plan::Free);
    let settings = ssl(&desk, ZONE, "universal/settings");
    assert_eq!(desk.get(&settings)["result"], json!({ "enabled": true }));
    assert_eq!(desk.ask("PATCH", &settings, &json!({ "enabled": false })).0, 200);
    assert_eq!(statuses(&mut desk, ZONE), Vec::<String>::new());
    let setting = format!("zones/{}/settings/ssl", desk.world.zone_id(ZONE).unwrap());
    assert_eq!(desk.get(&setting)["result"]["certificate_status"], "none");
    desk.ask("PATCH", &settings, &json!({ "enabled": true }));
    assert_eq!(statuses(&mut desk, ZONE), ["initializing"]);
    assert_eq!(statuses(&mut desk, ZONE), ["pending_validation"]);
    desk.ask("PATCH", &settings, &json!({ "enabled": true }));
    assert_eq!(statuses(&mut desk, ZONE).len(), 1, "on is on");
    assert_eq!(
        desk.refused("PATCH", &settings, &json!({ "enabled": "on" })),
        (400, 1004)
    );
}

#[test]
fn verification_tells_how_far_it_is() {
    let mut desk = Desk::new(Plan::Free);
    desk.world.set_certificate_status(ZONE, "validation_timed_out");
    let path = ssl(&desk, ZONE, "verification");
    for _ in 0..2 {
        let told = desk.get(&path)["result"][0].clone();
        assert_eq!(
            (&told["certificate_status"], &told["verification_status"]),
            (&json!("validation_timed_out"), &json!(false))
        );
    }
}

#[test]
fn packs_are_ordered_by_those_who_bought_the_manager() {
    let mut desk = Desk::new(Plan::Pro);
    let order = ssl(&desk, ZONE, "certificate_packs/order");
    let quota = ssl(&desk, ZONE, "certificate_packs/quota");
    let good = json!({
        "type": "advanced", "hosts": [ZONE, "*.acme.example", "a.b.acme.example"], "validation_method": "txt",
        "validity_days": 90, "certificate_authority": "lets_encrypt",
    });
    assert_eq!(desk.refused("POST", &order, &good), (400, 1004));
    assert_eq!(
        desk.get(&quota)["result"]["advanced"],
        json!({ "allocated": 0, "used": 0 })
    );
    desk.world.grant_certificate_manager(ZONE);
    for (key, value) in [
        ("type", json!("universal")),
        ("hosts", json!(["www.acme.example"])),
        ("hosts", json!([ZONE, "www.shop.example"])),
        ("validity_days", json!("90")),
        ("validity_days", json!(60)),
        ("certificate_authority", json!("digicert")),
        ("validation_method", json!("dns")),
    ] {
        let mut bad = good.clone();
        bad[key] = value;
        assert_eq!(desk.refused("POST", &order, &bad), (400, 1004), "{bad}");
    }
    let (status, envelope) = desk.ask("POST", &order, &good);
    assert_eq!((status, &envelope["result"]["status"]), (200, &json!("initializing")));
    assert_eq!(desk.get(&quota)["result"]["advanced"]["used"], 1);
    assert_eq!(statuses(&mut desk, ZONE), ["active", "initializing"]);
    let pack = format!(
        "{}/{}",
        ssl(&desk, ZONE, "certificate_packs"),
        envelope["result"]["id"].as_str().unwrap()
    );
    assert_eq!(desk.get(&pack)["result"]["status"], "pending_validation");
    assert_eq!(
        desk.ask("PATCH", &pack, &json!({})).1["result"]["status"],
        "initializing"
    );
    assert_eq!(desk.ask("DELETE", &pack, &Value::Null).0, 200);
    assert_eq!(statuses(&mut desk, ZONE), ["active", "pending_deletion"]);
    assert_eq!(statuses(&mut desk, ZONE), ["active", "deleted"]);
    assert_eq!(statuses(&mut desk, ZONE), ["active"]);
    // Ciphers are open to them too.
    let ciphers = format!("zones/{}/settings/ciphers", desk.world.zone_id(ZONE).unwrap());
    let value = json!({ "value": ["ECDHE-ECDSA-AES128-GCM-SHA256"] });
    assert_eq!(desk.ask("PATCH", &ciphers, &value).0, 200);
    let twice = json!({ "value": ["A", "A"] });
    assert_eq!(desk.refused("PATCH", &ciphers, &twice), (400, 1007));
}

#[test]
fn certificates_have_permissions_of_their_own() {
    let mut desk = Desk::new(Plan::Free);
    let settings = ssl(&desk, ZONE, "universal/settings");
    for (permission, expected) in [
        (Permission::SslRead, [200, 403]),
        (Permission::SslWrite, [200, 200]),
        (Permission::ZoneSettingsWrite, [403, 403]),
    ] {
        let options = TokenOptions {
            permissions: vec![permission],
            ..TokenOptions::default()
        };
        desk.world.add_token("t", options);
        desk.authorization = Some("Bearer t".to_owned());
        let body = json!({ "enabled": true });
        let got = [
            desk.ask("GET", &settings, &Value::Null).0,
            desk.ask("PATCH", &settings, &body).0,
        ];
        assert_eq!(got, expected, "{permission:?}");
    }
}
