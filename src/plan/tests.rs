//! The seven rules of the diff, each with a test that fails without it; and the laws that hold for any zone.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::diff::{Bounds, Live, Owned, OwnedMark, Sides, diff};
use super::{Action, Plan, carried_out, change};
use crate::model::address::Address;
use crate::model::inventory::{Desired, Inventory, Protection, Unmanaged, ZonePolicy};
use crate::model::monitor::{Check, Monitor};
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::model::record_set::{Record, RecordSet};
use crate::model::resource::Resource;

fn zone() -> DomainName {
    DomainName::parse("acme.example").unwrap()
}

fn inventory(records: &[(&str, &str, &str)]) -> Inventory {
    let records = records.iter().map(|(kind, name, value)| {
        let kind = RecordType::parse(kind).unwrap();
        let name = DomainName::parse_in(name, &zone()).unwrap();
        (name, Record::new(RecordData::parse(kind, value, &zone()).unwrap()))
    });
    let sets = RecordSet::gather(&zone(), records);
    sets.into_iter()
        .map(|set| (set.address(), Resource::RecordSet(set)))
        .collect()
}

fn mark(left: &Resource) -> OwnedMark {
    OwnedMark {
        fingerprint: change::fingerprint(left),
        run: "20261124-161502-123".into(),
        found: false,
    }
}

struct Scene {
    desired: Desired,
    live: Live,
    owned: Owned,
    bounds: Bounds,
}

impl Scene {
    fn new(desired: &[(&str, &str, &str)], live: &[(&str, &str, &str)]) -> Self {
        let policy = ZonePolicy {
            provider: "cloudflare".into(),
            unmanaged: Unmanaged::Keep,
            protect: Vec::new(),
            create: false,
            accept: BTreeSet::new(),
        };
        let desired = Desired {
            inventory: inventory(desired),
            zones: [(zone(), policy)].into(),
            ..Desired::default()
        };
        let live = Live {
            inventory: inventory(live),
            ..Live::default()
        };
        let bounds = Bounds {
            guard_deletes: true,
            ..Bounds::default()
        };
        Self {
            desired,
            live,
            owned: Owned::new(),
            bounds,
        }
    }

    fn owning(mut self, owned: &[(&str, &str, &str)]) -> Self {
        for (address, resource) in inventory(owned) {
            self.owned.insert(address, mark(&resource));
        }
        self
    }

    fn policy(mut self, change: impl FnOnce(&mut ZonePolicy)) -> Self {
        change(self.desired.zones.get_mut(&zone()).unwrap());
        self
    }

    fn plan(&self) -> Plan {
        diff(
            Sides {
                desired: &self.desired,
                live: &self.live,
                owned: &self.owned,
            },
            &self.bounds,
        )
    }
}

fn said(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .map(|change| format!("{} {}", change.action().as_str(), change.address))
        .collect()
}

fn codes(plan: &Plan) -> Vec<&str> {
    plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect()
}

const MANY: &[(&str, &str, &str)] = &[
    ("A", "h1", "192.0.2.1"),
    ("A", "h2", "192.0.2.2"),
    ("A", "h3", "192.0.2.3"),
    ("A", "h4", "192.0.2.4"),
    ("A", "h5", "192.0.2.5"),
    ("A", "h6", "192.0.2.6"),
    ("A", "h7", "192.0.2.7"),
    ("A", "h8", "192.0.2.8"),
    ("A", "h9", "192.0.2.9"),
];

#[test]
fn rule_1_what_is_owned_goes_and_what_is_not_is_left_alone() {
    let live = [
        ("A", "ours", "192.0.2.1"),
        ("A", "theirs", "192.0.2.2"),
        ("A", "kept", "192.0.2.3"),
        ("A", "x", "192.0.2.4"),
    ];
    let kept = [("A", "kept", "192.0.2.3"), ("A", "x", "192.0.2.4")];
    let plan = Scene::new(&kept, &live).owning(&[("A", "ours", "192.0.2.1")]).plan();
    assert_eq!(said(&plan), ["delete acme.example/dns/A/ours"]);
    assert_eq!(
        plan.unmanaged.iter().map(Address::as_str).collect::<Vec<_>>(),
        ["acme.example/dns/A/theirs"]
    );
    // Without a history nothing is deleted.
    let plan = Scene::new(&kept, &live).plan();
    assert!(plan.is_empty());
    assert_eq!(plan.unmanaged.len(), 2);
    // Unless it was said that what nobody declared shall go.
    let plan = Scene::new(&kept, &live)
        .policy(|policy| policy.unmanaged = Unmanaged::Delete)
        .plan();
    assert_eq!(plan.count(Action::Delete), 2);
    assert!(plan.unmanaged.is_empty());
}

#[test]
fn rule_2_a_declared_set_is_whole_and_txt_values_stand_alone() {
    let plan = Scene::new(
        &[("A", "@", "192.0.2.1")],
        &[("A", "@", "192.0.2.1"), ("A", "@", "203.0.113.66")],
    )
    .plan();
    assert_eq!(
        said(&plan),
        ["update acme.example/dns/A/@"],
        "a stray second address does not survive"
    );
    let live = [
        ("TXT", "@", "v=spf1 -all"),
        ("TXT", "@", "google-site-verification=abc"),
        ("TXT", "@", "v=spf1 include:old.example -all"),
    ];
    let plan = Scene::new(&[("TXT", "@", "v=spf1 include:new.example -all")], &live).plan();
    assert_eq!(
        said(&plan),
        ["update acme.example/dns/TXT/@/v=spf1"],
        "one SPF replaces its like and nothing else"
    );
    assert_eq!(plan.unmanaged.len(), 1);
}

#[test]
fn rule_3_what_the_spec_does_not_say_is_not_managed() {
    let mut scene = Scene::new(&[("A", "@", "192.0.2.1")], &[("A", "@", "192.0.2.1")]);
    let Some(Resource::RecordSet(set)) = scene.live.inventory.values_mut().next() else {
        panic!("one set")
    };
    set.records[0].comment = Some("by Bob".into());
    set.records[0].tags = Some(["team:a".to_owned()].into());
    assert!(scene.plan().is_empty());
    let Some(Resource::RecordSet(set)) = scene.desired.inventory.values_mut().next() else {
        panic!("one set")
    };
    set.records[0].comment = Some(String::new());
    let plan = scene.plan();
    assert_eq!(plan.count(Action::Update), 1, "said to be none");
    let after = plan.changes[0]
        .after
        .as_ref()
        .and_then(Resource::as_record_set)
        .unwrap();
    assert_eq!(
        (
            after.records[0].comment.as_ref(),
            after.records[0].tags.as_ref().map(BTreeSet::len)
        ),
        (None, Some(1))
    );
}

#[test]
fn rule_4_what_is_protected_makes_the_plan_an_error_that_names_it() {
    let protect = |policy: &mut ZonePolicy| {
        policy.protect = vec![Protection {
            kind: "A".into(),
            name: "h*".into(),
        }];
    };
    let plan = Scene::new(&[("A", "h1", "203.0.113.1")], MANY).policy(protect).plan();
    assert_eq!(codes(&plan), ["protected"]);
    assert!(
        plan.refusals[0]
            .address
            .as_ref()
            .is_some_and(|address| address.as_str().ends_with("/A/h1"))
    );
    // The zone's own delegation, whatever the spec says.
    for desired in [("NS", "@", "ns.evil.example"), ("NS", "@", "ns1.host.example")] {
        let plan = Scene::new(&[desired], &[("NS", "@", "ns2.host.example")]).plan();
        assert_eq!(codes(&plan), ["protected"]);
    }
    let plan = Scene::new(&[], &[("NS", "@", "ns2.host.example"), ("A", "x", "192.0.2.1")])
        .policy(|policy| policy.unmanaged = Unmanaged::Delete)
        .plan();
    assert!(!said(&plan).iter().any(|change| change.contains("/NS/")));
}

#[test]
fn rule_5_many_deletions_need_their_exact_number() {
    let keep = |number: usize| Scene::new(&MANY[..number], MANY).owning(MANY);
    assert!(codes(&keep(6).plan()).is_empty(), "a third of nine");
    assert_eq!(codes(&keep(5).plan()), ["too-many-deletes"]);
    assert_eq!(codes(&keep(0).plan()), ["too-many-deletes"]);
    for (allowed, refused) in [(8, true), (9, false), (10, true)] {
        let mut scene = keep(0);
        scene.bounds.allow_deletes = Some(allowed);
        assert_eq!(!codes(&scene.plan()).is_empty(), refused, "{allowed}");
    }
    // All of a zone of two.
    let two = &MANY[..2];
    assert_eq!(codes(&Scene::new(&[], two).owning(two).plan()), ["too-many-deletes"]);
    assert!(codes(&Scene::new(&two[..1], two).owning(two).plan()).is_empty());
    // A zone that is no longer spoken of is left alone.
    let mut scene = Scene::new(&[], MANY).owning(MANY);
    scene.desired.zones.clear();
    let plan = scene.plan();
    assert!(plan.is_empty());
    assert_eq!(plan.warnings[0].code, "zone-left");
}

#[test]
fn rule_6_the_order_of_values_in_a_set_is_no_difference() {
    // Lists of rules, whose order counts, have their cases in `order/tests.rs`; a record set is none.
    let there = [
        ("A", "@", "192.0.2.1"),
        ("A", "@", "192.0.2.2"),
        ("MX", "@", "10 a.example.net"),
        ("MX", "@", "5 b.example.net"),
    ];
    let back: Vec<_> = there.iter().rev().copied().collect();
    assert!(Scene::new(&there, &back).plan().is_empty());
}

#[test]
fn rule_7_other_spellings_of_the_same_are_no_difference() {
    let desired = [
        ("AAAA", "@", "2001:DB8::1"),
        ("CNAME", "www", "ACME.example."),
        ("TXT", "@", "\"a\" \"b\""),
        ("CAA", "@", "0 ISSUE x"),
    ];
    let live = [
        ("AAAA", "@", "2001:db8:0:0::1"),
        ("CNAME", "WWW", "acme.example"),
        ("TXT", "@", "ab"),
        ("CAA", "@", "0 issue \"x\""),
    ];
    assert!(Scene::new(&desired, &live).plan().is_empty());
}

#[test]
fn what_is_seen_through_the_spec_is_not_said_to_have_changed_outside_when_the_spec_did() {
    let monitor = |every: u32, timeout: Option<u32>| {
        Resource::Monitor(Box::new(Monitor {
            every: Some(every),
            timeout,
            ..Monitor::new(
                "home",
                "Home",
                Check::Ping {
                    host: "acme.example".into(),
                },
            )
        }))
    };
    let reason = |wanted: Resource, live: Resource, left: Resource| {
        let mut scene = Scene::new(&[], &[]);
        scene.owned.insert(left.address(), mark(&left));
        scene.live.inventory.insert(live.address(), live);
        scene.desired.inventory.insert(wanted.address(), wanted);
        scene.plan().changes[0].reason.clone()
    };
    // The spec says of one thing less and of another something else: nobody else was there.
    let said = reason(monitor(600, None), monitor(300, None), monitor(300, Some(30)));
    assert_eq!(said, "the spec changed");
    let said = reason(monitor(300, None), monitor(600, None), monitor(300, None));
    assert!(said.starts_with("changed outside"), "{said}");
}

#[test]
fn what_changed_outside_is_told_from_what_changed_in_the_spec() {
    let reason = |live: &str, owned: &str| {
        let plan = Scene::new(&[("A", "@", "192.0.2.9")], &[("A", "@", live)])
            .owning(&[("A", "@", owned)])
            .plan();
        plan.changes[0].reason.clone()
    };
    assert_eq!(reason("192.0.2.1", "192.0.2.1"), "the spec changed");
    assert!(reason("192.0.2.2", "192.0.2.1").starts_with("changed outside"));
}

#[test]
fn a_cname_over_something_live_is_refused_by_name() {
    let plan = Scene::new(
        &[("CNAME", "www", "acme.example")],
        &[("A", "www", "192.0.2.1"), ("A", "x", "192.0.2.1")],
    )
    .plan();
    assert_eq!(codes(&plan), ["conflict"]);
    // When the A record is ours and goes, the way is free.
    let scene = Scene::new(
        &[("CNAME", "www", "acme.example")],
        &[("A", "www", "192.0.2.1"), ("A", "x", "192.0.2.1")],
    );
    let plan = scene.owning(&[("A", "www", "192.0.2.1")]).plan();
    assert!(codes(&plan).is_empty(), "{:?}", plan.refusals);
    assert_eq!(
        said(&plan),
        ["delete acme.example/dns/A/www", "create acme.example/dns/CNAME/www"]
    );
}

fn any_zone() -> impl Strategy<Value = Vec<(String, String, String)>> {
    let record = prop_oneof![
        ("[a-d]", 1_u8..5).prop_map(|(name, n)| ("A".to_owned(), name, format!("192.0.2.{n}"))),
        ("[a-d]", "[a-z]{1,3}").prop_map(|(name, text)| ("TXT".to_owned(), name, text)),
        ("[a-d]", 1_u8..4).prop_map(|(name, n)| ("MX".to_owned(), name, format!("{n} mx.example.net"))),
        ("[a-d]", "[a-z]{1,3}").prop_map(|(name, text)| ("TXT".to_owned(), name, format!("v=spf1 {text}"))),
    ];
    proptest::collection::vec(record, 0..12)
}

fn borrowed(zone: &[(String, String, String)]) -> Vec<(&str, &str, &str)> {
    zone.iter()
        .map(|(kind, name, value)| (kind.as_str(), name.as_str(), value.as_str()))
        .collect()
}

proptest! {
    #[test]
    fn a_plan_carried_out_leaves_nothing_to_change_and_its_way_back_leads_to_the_start(
        desired in any_zone(), live in any_zone(), owned in any_zone(),
    ) {
        let mut scene = Scene::new(&borrowed(&desired), &borrowed(&live)).owning(&borrowed(&owned));
        scene.bounds.guard_deletes = false;
        let plan = scene.plan();
        let after = carried_out(scene.live.inventory.clone(), &plan.changes);
        for (address, wanted) in &scene.desired.inventory {
            prop_assert_eq!(after.get(address), Some(wanted), "live equals the spec");
        }
        for (address, resource) in &scene.live.inventory {
            if !scene.desired.inventory.contains_key(address) && !scene.owned.contains_key(address) {
                prop_assert_eq!(after.get(address), Some(resource), "what nobody mentioned is as it was");
            }
        }
        // Again: nothing.
        let start = std::mem::replace(&mut scene.live.inventory, after);
        prop_assert!(scene.plan().is_empty());
        // Back: the before-images as the wish.
        scene.desired.inventory.clear();
        scene.owned.clear();
        for change in &plan.changes {
            match &change.before {
                Some(before) => { scene.desired.inventory.insert(change.address.clone(), before.in_full()); }
                None => { scene.desired.absent.insert(change.address.clone()); }
            }
        }
        let back = scene.plan();
        prop_assert_eq!(carried_out(scene.live.inventory.clone(), &back.changes), start);
    }

    #[test]
    fn a_zone_compared_with_itself_differs_in_nothing(zone in any_zone()) {
        let mut reversed = zone.clone();
        reversed.reverse();
        let scene = Scene::new(&borrowed(&zone), &borrowed(&reversed));
        // Of equal data the first stays, so only values matter here; they are the same either way round.
        prop_assert!(scene.plan().is_empty());
    }
}
