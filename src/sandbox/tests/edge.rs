//! Rules and settings over a real socket: somebody else in between, dry runs, and the state file.

use serde_json::{Value, json};

use super::wire::client;
use crate::sandbox::{Fault, Options, Plan, SANDBOX_TOKEN, Sandbox, World};

const ZONE: &str = "acme.example";
const PHASE: &str = "http_request_dynamic_redirect";

fn redirect(path: &str) -> Value {
    json!({
        "action": "redirect",
        "expression": format!("http.request.uri.path eq \"{path}\""),
        "ref": path,
        "action_parameters": {
            "from_value": { "target_url": { "value": "https://acme.example/" }, "status_code": 301 },
        },
    })
}

async fn asked(sandbox: &Sandbox, method: reqwest::Method, path: &str, body: Value) -> Value {
    let zone = sandbox.with_world(|world| world.zone_id(ZONE).unwrap().to_owned());
    let request = client().request(method, format!("{}/zones/{zone}/{path}", sandbox.url()));
    let answer = request.bearer_auth(SANDBOX_TOKEN).json(&body).send().await.unwrap();
    let body = answer.bytes().await.unwrap();
    serde_json::from_slice(&body).unwrap_or(Value::Null)
}

#[tokio::test]
async fn somebody_else_writes_between_a_look_and_a_put() {
    let mut world = World::new();
    world.add_zone(ZONE, Plan::Free);
    world.put_rules(ZONE, PHASE, json!([redirect("/theirs")])).unwrap();
    let options = Options {
        world: Some(world),
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.unwrap();
    sandbox.set_faults(vec![Fault::foreign(1, |world| {
        let rules = json!([redirect("/theirs"), redirect("/late")]);
        world.put_rules(ZONE, PHASE, rules).unwrap();
    })]);
    let entrypoint = format!("rulesets/phases/{PHASE}/entrypoint");
    let dry = format!("{entrypoint}?dry_run=true");
    let ours = json!({ "rules": [redirect("/theirs"), redirect("/ours")] });
    let seen = asked(&sandbox, reqwest::Method::GET, &entrypoint, Value::Null).await;
    assert_eq!(seen["result"]["version"], "1");
    // A dry run writes nothing, and so it is no write to be counted.
    asked(&sandbox, reqwest::Method::PUT, &dry, ours.clone()).await;
    assert_eq!(
        sandbox.with_world(|world| world.ruleset(ZONE, PHASE)["version"].clone()),
        "1"
    );
    let put = asked(&sandbox, reqwest::Method::PUT, &entrypoint, ours).await;
    assert_eq!(put["result"]["version"], "3", "somebody else made the second");
    let second = format!("{entrypoint}/versions/2");
    let lost = asked(&sandbox, reqwest::Method::GET, &second, Value::Null).await;
    assert_eq!(lost["result"]["rules"][1]["ref"], "/late");
    let writes = sandbox.log().iter().filter(|entry| entry.wrote).count();
    assert_eq!(writes, 1);
    let gone = format!("rulesets/{}", put["result"]["id"].as_str().unwrap());
    assert_eq!(
        asked(&sandbox, reqwest::Method::DELETE, &gone, json!({})).await,
        Value::Null
    );
    assert_eq!(sandbox.log().last().unwrap().status, Some(204));
    sandbox.stop().await;
}

#[tokio::test]
async fn the_state_file_holds_everything_of_a_zone() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options {
        state_file: Some(folder.path().join("state.json")),
        ..Options::default()
    };
    let sandbox = Sandbox::start(options()).await.unwrap();
    let look = |world: &mut World| {
        json!([
            world.setting(ZONE, "ssl"),
            world.ruleset(ZONE, PHASE),
            world.account_ruleset("http_request_redirect"),
            world.list_items("old_paths"),
            world.dnssec(ZONE),
            world.owners().len(),
        ])
    };
    let before = sandbox.with_world(|world| {
        world.add_zone(ZONE, Plan::Free);
        world.put_setting(ZONE, "ssl", "strict");
        world.set_dnssec_status(ZONE, "active");
        world.set_certificate_status(ZONE, "pending_issuance");
        world.add_account("Agency");
        let entry = json!({ "redirect": { "source_url": "acme.example/a", "target_url": "https://acme.example/" } });
        world.put_list("old_paths", "redirect", &json!([entry])).unwrap();
        world.put_rules(ZONE, PHASE, json!([redirect("/a")])).unwrap();
        world
            .put_rules(ZONE, PHASE, json!([redirect("/a"), redirect("/b")]))
            .unwrap();
        world.put_account_rules("http_request_redirect", json!([])).unwrap();
        look(world)
    });
    sandbox.stop().await;
    let again = Sandbox::start(options()).await.unwrap();
    assert_eq!(again.with_world(look), before);
    let versions = format!("rulesets/phases/{PHASE}/entrypoint/versions");
    let versions = asked(&again, reqwest::Method::GET, &versions, Value::Null).await;
    assert_eq!(versions["result"].as_array().unwrap().len(), 2);
    let setting = asked(&again, reqwest::Method::GET, "settings/ssl", Value::Null).await;
    assert_eq!(setting["result"]["certificate_status"], "pending_issuance");
    again.stop().await;
}
