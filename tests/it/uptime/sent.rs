//! What a check sends with its request, at both services that keep checks in an account: no value that may be a
//! credential is written anywhere, and what is known by where it is kept can be brought back.

use serde_json::json;

use super::betterstack::{account, betterstack};
use super::uptimerobot;
use crate::support::{CANARY, Place};

/// What an account holds.
type Account = fn(&Place) -> Vec<Vec<String>>;

/// A place beside each service, with what reads its account.
fn services() -> [(&'static str, Place, Account); 2] {
    [
        ("uptimerobot", uptimerobot(), |place| place.account().to_vec()),
        ("betterstack", betterstack(), |place| account(place).to_vec()),
    ]
}

fn spec(place: &Place, provider: &str, more: &str) {
    place.checks(
        provider,
        &format!(
            "  alert: [ops]\n  contacts: {{ ops: {{ email: ops@acme.example }} }}\n  checks:\n    - {{ name: Home, url: \"https://acme.example/\", {more} }}\n"
        ),
    );
}

/// The letters of an account: headers may come back in another order, which means nothing.
fn letters(account: &[Vec<String>]) -> Vec<char> {
    let mut letters: Vec<char> = account.concat().concat().chars().collect();
    letters.sort_unstable();
    letters
}

#[test]
fn a_header_that_is_kept_elsewhere_is_dropped_and_brought_back_without_being_written() {
    for (provider, mut place, account) in services() {
        place.environment.insert("BYPASS".into(), CANARY.to_owned());
        spec(
            &place,
            provider,
            "headers: { X-Vercel-Protection-Bypass: env:BYPASS, Accept: text/html }",
        );
        place.run(&["apply", "--yes"]).expect(0);
        let before = account(&place);
        assert!(before.concat().concat().contains(CANARY), "it is there all the same");
        spec(&place, provider, "headers: { Accept: text/html }");
        let plan = place.run(&["plan", "--json", "--out", "plan.json", "-vv"]).expect(0);
        let words = plan.all();
        assert!(words.contains("env:BYPASS") && !words.contains(CANARY), "{words}");
        place.run(&["apply", "--yes"]).expect(0);
        assert!(!account(&place).concat().concat().contains(CANARY));
        place.is_clean();
        place.run(&["rollback", "--yes"]).expect(0);
        assert_eq!(letters(&account(&place)), letters(&before), "{provider}");
        place.is_clean();
        // Another value than the one kept there is nobody's to write down, and cannot be brought back.
        place.environment.insert("BYPASS".into(), "another-one".to_owned());
        let plan = place.run(&["plan", "--json", "--out", "other.json"]).expect(0);
        assert!(plan.all().contains("another value"), "{}", plan.all());
        place.is_clean();
    }
}

#[test]
fn a_body_that_was_kept_elsewhere_is_shown_to_nobody() {
    for (provider, mut place, account) in services() {
        let body = format!("{{\"user\":\"ops\",\"pass\":\"{CANARY}\"}}");
        place.environment.insert("LOGIN".into(), body);
        spec(&place, provider, "method: POST, body: \"env:LOGIN\"");
        place.run(&["apply", "--yes"]).expect(0);
        let before = account(&place);
        spec(&place, provider, "method: POST, body: '{\"user\":\"nobody\"}'");
        let shown = place.run(&["plan"]).expect(0);
        assert!(!shown.all().contains(CANARY), "{}", shown.all());
        let plan = place.run(&["plan", "--json", "--out", "plan.json", "-vv"]).expect(0);
        assert!(!plan.all().contains(CANARY), "{}", plan.all());
        place.run(&["apply", "--yes"]).expect(0);
        place.is_clean();
        place.run(&["rollback", "--yes"]).expect(0);
        assert_eq!(account(&place), before, "{provider}");
        place.is_clean();
    }
}

#[test]
fn a_body_that_is_written_out_changes_and_comes_back() {
    for (provider, place, account) in services() {
        spec(&place, provider, "method: POST, body: '{\"a\":1}'");
        place.run(&["apply", "--yes"]).expect(0);
        let before = account(&place);
        spec(&place, provider, "method: POST, body: '{\"a\":2}'");
        place.run(&["apply", "--yes"]).expect(0);
        assert_ne!(account(&place), before, "{provider}");
        place.run(&["plan", "--detailed-exitcode"]).expect(0);
        place.run(&["rollback", "--yes"]).expect(0);
        assert_eq!(account(&place), before, "{provider}");
    }
}

#[test]
fn what_somebody_set_by_hand_is_not_written_down_when_it_is_taken_over() {
    let place = uptimerobot();
    place.world(|world| {
        world.uptimerobot().add_monitor(&json!({
            "friendlyName": "By hand", "url": "https://acme.example/", "httpMethodType": "POST",
            "customHttpHeaders": {"X-Access": CANARY, "User-Agent": CANARY},
            "postValueType": "RAW_JSON", "postValueData": {"sesame": CANARY},
        }));
    });
    spec(
        &place,
        "uptimerobot",
        "method: POST, body: '{\"a\":1}', headers: { Accept: text/html }",
    );
    let plan = place.run(&["plan", "--json", "--out", "plan.json", "-vv"]).expect(0);
    assert!(
        plan.all().contains("another value") && !plan.all().contains(CANARY),
        "{}",
        plan.all()
    );
    place.run(&["apply", "--yes"]).expect(0);
    place.is_clean();
    let refused = place.run(&["rollback", "--yes"]).expect(1);
    assert!(refused.out.contains("kept nowhere here"), "{}", refused.out);
}
