//! Zones that are not there yet.

use launchctl::sandbox::{Plan, World};

use super::{RECORDS, addresses};
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
