//! Zones that are not there yet, where registrars point to, and what older rules stand beside ours.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::NS;
use hickory_proto::rr::{Name, RData, Record};
use launchctl::sandbox::{Permission, Plan, TokenOptions, World};
use serde_json::{Value, json};

use super::{RECORDS, addresses};
use crate::answers::Stubborn;
use crate::support::Place;

const ONBOARDING: &str = r#"    tls: { mode: full, always_https: true }
    redirects:
      - { name: www, from: "www.acme.example/*", to: "https://acme.example/${1}", status: 301 }
"#;

#[test]
fn a_zone_that_is_not_there_is_created_with_all_that_belongs_to_it() {
    let place = Place::with_world(World::new());
    place.spec_with(
        &format!("    create: true\n    accept: [always-https-early]\n{ONBOARDING}"),
        RECORDS,
    );
    place.world(|world| {
        world.add_zone("other.example", Plan::Free);
    });
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert!(
        addresses(&plan, "changes").contains(&"create zone/@".to_owned()),
        "{plan:#}"
    );
    let applied = place.run(&["apply", "--yes"]).expect(0).out;
    assert!(
        applied.contains("set these name servers for acme.example at its registrar"),
        "{applied}"
    );
    let again = place.run(&["plan", "--detailed-exitcode"]).expect(0).out;
    let words = again.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("points to its name servers, dana.ns.cloudflare.com and "),
        "{again}"
    );
    // The history knows which zone it made: another one of that name is not taken for it.
    let runs = place.run(&["history", "--json"]).expect(0).json();
    let run = place
        .run(&["history", runs["runs"][0]["run"].as_str().unwrap(), "--json"])
        .expect(0)
        .json();
    let id = place.world(|world| world.zone_id("acme.example").unwrap().to_owned());
    let last = run["journal"].as_array().unwrap().last().unwrap();
    assert_eq!(last["made"]["acme.example"], id.as_str(), "{last:#}");
    // Going back leaves the zone: what it would lose with it cannot be brought back.
    let back = place.run(&["rollback", "--yes"]).expect(0);
    assert!(back.out.contains("zone/@ cannot be taken back"), "{}", back.out);
    assert!(place.world(|world| world.has_zone("acme.example")));
    assert_eq!(place.state(), Vec::<String>::new());
}

#[test]
fn a_zone_is_made_once_though_the_answer_is_lost() {
    for fault in ["w1:drop-after", "w1:drop-before", "w1:502", "w1:truncated"] {
        let mut world = World::new();
        world.add_zone("other.example", Plan::Free);
        let place = Place::with_world(world);
        place.spec_with("    create: true\n", RECORDS);
        place.faults(&[fault]);
        place.run(&["apply", "--yes"]).expect(0);
        assert_eq!(place.state().len(), 4, "{fault}");
        place.run(&["plan", "--detailed-exitcode"]).expect(0);
        // A second zone of the same name would make the name ambiguous.
        place.run(&["doctor"]).expect(0);
    }
}

/// A server that tells these name servers of whatever zone it is asked about: as a resolver does, or as the zone above
/// does in a referral.
fn telling(names: Vec<String>, is_referral: bool) -> Stubborn {
    Stubborn::start(Box::new(move |_, question, reply| {
        let owner = question.queries[0].name();
        let records = names.iter().map(|name| {
            let host = NS(Name::from_ascii(format!("{name}.")).unwrap());
            Record::from_rdata(owner.clone(), 60, RData::NS(host))
        });
        if is_referral {
            reply.authorities.extend(records);
        } else {
            reply.answers.extend(records);
        }
    }))
}

#[test]
fn doctor_compares_what_the_registrar_was_told_with_what_was_assigned() {
    let place = Place::new(Plan::Free);
    place.spec(RECORDS);
    let assigned: Vec<String> = place.world(|world| world.name_servers("acme.example"));
    let (first, second) = (assigned[0].as_str(), assigned[1].as_str());
    let other = "ns1.old-host.example";
    let cases: [(&[&str], &str, i32, &str); 6] = [
        (&[second, first], "active", 0, "the registrar points to"),
        (&[second, first], "pending", 0, "until that is noticed"),
        (
            &[other],
            "pending",
            0,
            "the registrar points to ns1.old-host.example; the zone is pending",
        ),
        (
            &[other],
            "active",
            1,
            "the registrar points to ns1.old-host.example; the zone is active",
        ),
        (
            &[first, second, other],
            "active",
            1,
            "the registrar names ns1.old-host.example too",
        ),
        (&[first], "active", 0, "the registrar does not name"),
    ];
    for (told, status, code, words) in cases {
        place.world(|world| world.set_status("acme.example", status));
        for is_referral in [false, true] {
            let told = told.iter().map(|name| (*name).to_owned()).collect();
            let server = telling(told, is_referral);
            let resolver = server.address.to_string();
            let seen = place.run(&["doctor", "--resolver", &resolver]).expect(code).out;
            let line = seen.lines().find(|line| line.contains("acme.example: delegation"));
            let flat = seen.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(line.is_some() && flat.contains(words), "{words}: {seen}");
        }
    }
    // Delegated to nobody, and nobody who tells.
    let nobody = Stubborn::start(Box::new(|_, _, reply| {
        reply.metadata.response_code = ResponseCode::NXDomain;
    }));
    let seen = place
        .run(&["doctor", "--resolver", &nobody.address.to_string()])
        .expect(1)
        .out;
    assert!(seen.contains("names no name servers for it"), "{seen}");
    let broken = Stubborn::start(Box::new(|_, _, reply| {
        reply.metadata.response_code = ResponseCode::ServFail;
    }));
    let seen = place
        .run(&["doctor", "--resolver", &broken.address.to_string()])
        .expect(0)
        .out;
    assert!(seen.contains("unclear  acme.example: delegation"), "{seen}");
    // A stand-in's zones are delegated nowhere: nobody is asked.
    let seen = place.run(&["doctor"]).expect(0).out;
    assert!(!seen.contains("delegation"), "{seen}");
}

#[test]
fn a_page_rule_beside_ours_is_warned_of_until_it_is_accepted() {
    let mut place = Place::new(Plan::Free);
    place.world(|world| {
        let to = json!({ "url": "https://bob.example/$1", "status_code": 302 });
        world.add_page_rule(
            "acme.example",
            "*acme.example/shop/*",
            &[("forwarding_url", to.clone())],
            true,
        );
        world.add_page_rule("acme.example", "*acme.example/old/*", &[("forwarding_url", to)], false);
        world.add_page_rule(
            "acme.example",
            "*acme.example/img/*",
            &[("cache_level", json!("bypass"))],
            true,
        );
    });
    let zone =
        "    redirects:\n      - { name: a, from: acme.example/a, to: \"https://acme.example/b\", status: 301 }\n";
    place.spec_with(zone, RECORDS);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    let warnings = plan["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{plan:#}");
    assert_eq!(warnings[0]["code"], "page-rule");
    assert_eq!(warnings[0]["address"], "acme.example/zone/@");
    let words = warnings[0]["message"].as_str().unwrap();
    assert!(words.contains("*acme.example/shop/* (forwarding_url)"), "{words}");
    place.spec_with(&format!("    accept: [page-rule]\n{zone}"), RECORDS);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["warnings"], json!([]));
    // Records alone ask nothing of Page Rules, and a token that may not see them is no trouble.
    place.spec(RECORDS);
    place.sandbox().clear_log();
    place.run(&["plan"]).expect(0);
    let asked = place.sandbox().log();
    assert!(!asked.iter().any(|entry| entry.path.contains("pagerules")));
    place.world(|world| {
        let permissions = vec![
            Permission::ZoneRead,
            Permission::DnsRead,
            Permission::DynamicRedirectsWrite,
        ];
        let options = TokenOptions {
            permissions,
            ..TokenOptions::default()
        };
        world.add_token("narrow", options);
    });
    place.token = "narrow".to_owned();
    place.spec_with(zone, RECORDS);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["warnings"], json!([]));
}

#[test]
fn what_concerns_the_whole_zone_can_be_accepted() {
    let place = Place::new(Plan::Free);
    let many: String = (0..201)
        .map(|n| format!("- {{ type: A, name: h{n}, value: 192.0.2.1 }}\n"))
        .collect();
    place.world(|world| {
        world.set_quota("acme.example", Some(1_000));
        world.set_status("acme.example", "moved");
    });
    let codes = |plan: &Value| -> Vec<String> {
        let warnings = plan["warnings"].as_array().unwrap();
        warnings
            .iter()
            .map(|warning| warning["code"].as_str().unwrap().to_owned())
            .collect()
    };
    place.spec(&many);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(codes(&plan), ["several-transactions", "zone-status"]);
    place.spec_with("    accept: [several-transactions, zone-status]\n", &many);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(codes(&plan), Vec::<String>::new());
}
