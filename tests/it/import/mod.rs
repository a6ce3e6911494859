//! `import`: live zones come out as specs that plan to nothing, and nothing live is touched.

mod edge;
mod into;

use launchctl::sandbox::Plan;
use serde_json::json;

use crate::road::everything;
use crate::support::Place;

#[test]
fn a_zone_of_every_type_is_written_down_and_plans_to_nothing() {
    let place = Place::new(Plan::Pro);
    place.spec(&everything());
    place.run(&["apply", "--yes"]).expect(0);
    let before = place.state();
    // Another folder's history must not help: the imported spec has a name of its own.
    let imported = place
        .run(&["import", "acme.example", "--out", "imported.yaml"])
        .expect(0);
    assert!(!imported.all().contains(&place.token));
    let text = std::fs::read_to_string(place.path("imported.yaml")).unwrap();
    assert!(text.contains("token: env:CLOUDFLARE_API_TOKEN"), "{text}");
    for kind in ["CAA", "LOC", "NAPTR", "SVCB", "TLSA", "URI"] {
        assert!(
            text.contains(&format!("      - {{ type: {kind}, ")),
            "{text}\n{}",
            imported.err
        );
    }
    place
        .run(&["--spec", "imported.yaml", "plan", "--detailed-exitcode"])
        .expect(0);
    place.run(&["--spec", "imported.yaml", "apply", "--yes"]).expect(0);
    place
        .run(&["--spec", "imported.yaml", "plan", "--detailed-exitcode"])
        .expect(0);
    assert_eq!(place.state(), before);
    place
        .run(&["import", "acme.example", "--out", "imported.yaml"])
        .expect(1);
}

#[test]
fn awkward_texts_come_back_as_they_are() {
    let place = Place::new(Plan::Pro);
    place.world(|world| {
        for (name, content) in [
            ("a", r#""${not} a: variable # nor a comment""#),
            ("b", r#""say \"hi\"; back\\slash, [x] {y}""#),
            ("c", r#""yes""#),
        ] {
            let record = json!({"type": "TXT", "name": format!("{name}.acme.example"), "content": content,
                "ttl": 300, "comment": "it's: #1 ${x} “ü”"});
            world.add_record("acme.example", record).unwrap();
        }
        let record = json!({"type": "A", "name": "no.acme.example", "content": "192.0.2.7", "ttl": 600});
        world.add_record("acme.example", record).unwrap();
    });
    let imported = place.run(&["import", "acme.example"]).expect(0);
    assert!(
        imported.out.contains("$${not} a: variable # nor a comment"),
        "{}",
        imported.out
    );
    assert!(imported.out.contains(r#"name: "no""#), "{}", imported.out);
    assert!(imported.out.contains("    ttl: 5m\n"), "{}", imported.out);
    assert!(
        imported.err.contains("Declared: 4 record sets and 4 settings."),
        "{}",
        imported.err
    );
    place.write("launch.yaml", &imported.out);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn what_a_spec_refuses_becomes_a_comment_and_stays() {
    let place = Place::new(Plan::Pro);
    place.world(|world| {
        let record = json!({"type": "A", "name": "www.acme.example", "content": "192.0.2.7", "ttl": 300});
        world.add_record("acme.example", record).unwrap();
        for record in [
            json!({"type": "CNAME", "name": "both.acme.example", "content": "host.example", "ttl": 300}),
            json!({"type": "TXT", "name": "both.acme.example", "content": "\"beside\"", "ttl": 300}),
        ] {
            world.force_record("acme.example", record);
        }
    });
    let before = place.state();
    let imported = place.run(&["import", "acme.example"]).expect(0);
    assert!(
        imported.out.contains("# Left as it is, unmanaged: "),
        "{}",
        imported.out
    );
    assert!(
        imported.err.contains("Left unmanaged: acme.example/dns/"),
        "{}",
        imported.err
    );
    place.write("launch.yaml", &imported.out);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["apply", "--yes"]).expect(0);
    assert_eq!(place.state(), before);
}
