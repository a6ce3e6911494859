//! Generated zones there and back: what is live is written down, loaded, lowered and compared, and nothing differs; and
//! what the language has words for is never left out.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Imported;
use super::read::{Seen, written_down};
use super::settle::settle;
use crate::mail::presets;
use crate::model::address::Address;
use crate::model::capability::Edge;
use crate::model::matching::{Match, UrlGlob};
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::model::record_set::{Record, RecordSet};
use crate::model::resource::Resource;
use crate::model::rule::{Destination, HeaderChange, Lifetime, Rule, RuleAction, RuleKind};
use crate::model::setting::Setting;
use crate::model::setting_form::Values;
use crate::plan::order::place_in;
use crate::provider::{Profile, Reading, ZoneFacts, profile};
use crate::spec::emit::Head;

fn cloudflare() -> (&'static Profile, &'static Edge) {
    let profile = profile("cloudflare").unwrap();
    (profile, profile.capabilities.edge.unwrap())
}

fn zone() -> DomainName {
    DomainName::parse("acme.example").unwrap()
}

/// A rule as it is read: the name, who made it, and what it covers and does.
type Made = (String, bool, String, RuleAction, bool);

fn expressions() -> impl Strategy<Value = String> {
    let hosts = proptest::collection::vec("(app|www|\\*)\\.acme\\.example", 0..3);
    let paths = proptest::collection::vec("/[a-z]{1,3}(/\\*)?(\\.html)?", 0..3);
    let methods = proptest::collection::vec("GET|POST", 0..2);
    let not = proptest::collection::vec("/[a-z]{1,2}\\*?", 0..2);
    let compiled = (hosts, paths, methods, not).prop_map(|(hosts, paths, methods, not)| {
        let not = Match {
            paths: not,
            ..Match::default()
        };
        let not = (!not.is_empty()).then(|| Box::new(not));
        let matching = Match {
            hosts,
            paths,
            methods,
            not,
            expression: None,
        };
        (cloudflare().1.matching)(&matching)
    });
    let raw = "(true|ssl|\\(http\\.host eq \"app\\.acme\\.example\"\\) or \\(ssl\\)|not\\(a or b\\)|ip\\.src in \\{192\\.0\\.2\\.0/24\\}|http\\.user_agent contains \"\\$\\{x\\} 'y' \\\\\\\\\"|a xor b)";
    prop_oneof![compiled, raw]
}

fn lifetimes() -> impl Strategy<Value = Option<Lifetime>> {
    prop_oneof![
        Just(None),
        Just(Some(Lifetime::RespectOrigin)),
        (0_u32..100_000).prop_map(|seconds| Some(Lifetime::Seconds(seconds))),
    ]
}

fn redirects() -> impl Strategy<Value = (String, RuleAction)> {
    let said = (
        "(https://|http://)?(www\\.)?acme\\.example/([a-z*]{1,3}/)?\\*?",
        "https://new\\.example/(\\$\\{1\\})?",
        any::<bool>(),
    );
    let compiled = said.prop_filter_map("a redirect that cannot be said", |(from, to, keep_query)| {
        let glob = UrlGlob::parse(&from).ok()?;
        let compiled = (cloudflare().1.redirect)(&glob, &to, keep_query).ok()?;
        Some((compiled.expression, compiled.to, compiled.keep_query))
    });
    let raw = (
        expressions(),
        "concat\\(\"https://a\\.example\", http\\.request\\.uri\\.path\\)",
        any::<bool>(),
    )
        .prop_map(|(expression, to, keep_query)| (expression, Destination::Expression(to), keep_query));
    (
        prop_oneof![compiled, raw],
        prop::sample::select(vec![301, 302, 303, 307, 308]),
    )
        .prop_map(|((expression, to, keep_query), status)| {
            (expression, RuleAction::Redirect { to, status, keep_query })
        })
}

fn header_changes() -> impl Strategy<Value = RuleAction> {
    let change = prop_oneof![
        "[ -~]{0,10}[!-~]".prop_map(HeaderChange::Set),
        Just(HeaderChange::SetExpression("ip.src.country".into())),
        "[a-z]{1,5}".prop_map(HeaderChange::Add),
        Just(HeaderChange::Remove),
    ];
    proptest::collection::btree_map("X-[A-D]", change, 1..4).prop_map(|changes| RuleAction::Headers { changes })
}

fn does(kind: RuleKind) -> BoxedStrategy<(String, RuleAction)> {
    let with = |action: BoxedStrategy<RuleAction>| (expressions(), action).boxed();
    match kind {
        RuleKind::Redirect => redirects().boxed(),
        RuleKind::Cache => with(
            prop_oneof![
                (lifetimes(), lifetimes()).prop_map(|(edge, browser)| RuleAction::Cache {
                    eligible: Some(true),
                    edge,
                    browser
                }),
                Just(RuleAction::Cache {
                    eligible: Some(false),
                    edge: None,
                    browser: None
                }),
            ]
            .boxed(),
        ),
        RuleKind::Header | RuleKind::RequestHeader => with(header_changes().boxed()),
        RuleKind::RateLimit => with(
            (
                1_u32..100,
                prop::sample::select(vec![10, 60, 90, 3_600]),
                0_u32..100,
                any::<bool>(),
            )
                .prop_map(|(requests, period, block_for, by_host)| RuleAction::Limit {
                    verdict: if by_host { "managed_challenge" } else { "block" }.into(),
                    by: if by_host {
                        vec!["http.host".into(), "ip.src".into()]
                    } else {
                        vec!["ip.src".into()]
                    },
                    requests,
                    period,
                    block_for,
                })
                .boxed(),
        ),
        RuleKind::Firewall => with(
            prop::sample::select(vec!["block", "log", "js_challenge"])
                .prop_map(|verdict| RuleAction::Filter {
                    verdict: verdict.into(),
                })
                .boxed(),
        ),
        RuleKind::Config => with(
            (any::<bool>(), prop::sample::select(vec!["off", "full", "strict"]))
                .prop_map(|(rocket, ssl)| RuleAction::Configure {
                    settings: BTreeMap::from([("rocket_loader".into(), json!(rocket)), ("ssl".into(), json!(ssl))]),
                })
                .boxed(),
        ),
    }
}

fn made(kind: RuleKind) -> impl Strategy<Value = Vec<Made>> {
    let one = (
        "(Static assets|static assets|API|no|[ -~]{0,8}|Über uns)",
        any::<bool>(),
        does(kind),
        any::<bool>(),
    );
    let one =
        one.prop_map(|(name, is_ours, (expression, action), enabled)| (name, is_ours, expression, action, enabled));
    proptest::collection::vec(one, 0..5)
}

/// A value that a setting can have.
fn value(values: &Values, seed: usize) -> Value {
    match values {
        Values::Switch => json!(if seed.is_multiple_of(2) { "on" } else { "off" }),
        Values::Flag => json!(seed.is_multiple_of(2)),
        Values::Words(words) => json!(words[seed % words.len()]),
        Values::Numbers(numbers) => json!(numbers[seed % numbers.len()]),
        Values::Range(least, most) => json!(least + seed as u64 % (most - least + 1)),
        Values::Text => json!(format!("text {seed}")),
        Values::List => json!(["a", "b: {c}"]),
        Values::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, values)| ((*name).to_owned(), value(values, seed)));
            Value::Object(fields.collect())
        }
        Values::NotManaged(_) => Value::Null,
    }
}

fn reading(lists: Vec<(RuleKind, Vec<Made>)>, settings: &[(usize, usize)]) -> Reading {
    let (_, edge) = cloudflare();
    let mut reading = Reading::default();
    for (kind, rules) in lists {
        let mut order: Vec<Address> = Vec::new();
        let mut read = Vec::new();
        for (at, (name, is_ours, written, action, enabled)) in rules.into_iter().enumerate() {
            let own = crate::model::rule::slug(&name);
            let (key, reference) = if is_ours && !own.is_empty() {
                (own, None)
            } else {
                (edge.mark)(kind, &format!("{at:032x}"))
            };
            let expression = (edge.canonical)(&written);
            let rule = Rule {
                zone: zone(),
                kind,
                key,
                name,
                reference,
                writing: (expression != written).then_some(written),
                expression,
                enabled,
                action,
                place: None,
            };
            if !order.contains(&rule.address()) {
                order.push(rule.address());
                read.push(rule);
            }
        }
        for mut rule in read {
            rule.place = Some(place_in(&order, &rule.address()));
            reading.live.inventory.insert(rule.address(), Resource::Rule(rule));
        }
        reading
            .live
            .lists
            .insert((zone().to_string(), kind.as_str().to_owned()), order);
    }
    for (at, seed) in settings {
        let form = &edge.settings[at % edge.settings.len()];
        if let Ok(value) = form.values.canonical(&value(&form.values, *seed)) {
            let setting = Setting {
                zone: zone(),
                id: form.id.to_owned(),
                value,
            };
            reading
                .live
                .inventory
                .insert(setting.address(), Resource::Setting(setting));
        }
    }
    let facts = ZoneFacts {
        plan: "pro".into(),
        ..ZoneFacts::default()
    };
    reading.zones.insert(zone(), facts);
    reading
}

fn import(reading: Reading) -> Imported {
    let seen = Seen {
        zones: vec![zone()],
        reading,
        notes: Vec::new(),
    };
    let (profile, _) = cloudflare();
    let zones = vec![written_down(&zone(), profile, &seen)];
    let today = jiff::civil::date(2026, 11, 25);
    settle(today, zones, &Head::default(), seen).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_zone_is_written_down_so_that_nothing_differs(
        lists in RuleKind::ALL.iter().map(|kind| made(*kind).prop_map(|rules| (*kind, rules))).collect::<Vec<_>>(),
        settings in proptest::collection::vec((0_usize..100, 0_usize..1_000), 0..12),
    ) {
        let reading = reading(lists, &settings);
        let rules = reading.live.inventory.values().filter(|resource| resource.as_rule().is_some()).count();
        let imported = import(reading);
        prop_assert!(imported.left_out.is_empty(), "{:?}\n{}", imported.left_out, imported.text);
        let declared = imported.declared.iter().find(|(_, word)| *word == "rule").map_or(0, |(number, _)| *number);
        prop_assert_eq!(declared, rules, "{}", imported.text);
    }
}

/// A reading of records alone.
fn records(all: Vec<(DomainName, RecordData)>) -> Reading {
    let mut reading = reading(Vec::new(), &[]);
    let all = all.into_iter().map(|(name, data)| (name, Record::new(data)));
    for set in RecordSet::gather(&zone(), all) {
        reading
            .live
            .inventory
            .insert(set.address(), Resource::RecordSet(set.as_live()));
    }
    reading
}

#[test]
fn every_preset_is_known_again_from_its_records() {
    let mut seen = String::new();
    for (id, account) in presets::tests::accounts() {
        let imported = import(records(presets::tests::zone(id, &account)));
        assert!(imported.left_out.is_empty(), "{id}: {:?}", imported.left_out);
        let (_, block) = imported
            .text
            .split_once("\n    email:\n")
            .unwrap_or_else(|| panic!("{id}\n{}", imported.text));
        assert!(block.contains(id), "{id}\n{}", imported.text);
        let (_, rest) = imported.text.split_once("    records:").unwrap();
        seen.push_str(&format!("# {id}\n    records:{rest}\n"));
    }
    insta::assert_snapshot!("every_preset", seen);
}

#[test]
fn a_parked_domain_is_one_word() {
    let parked = [
        ("@", RecordType::Txt, "v=spf1 -all"),
        ("*", RecordType::Txt, "v=spf1 -all"),
        ("*._domainkey", RecordType::Txt, "v=DKIM1; p="),
        (
            "_dmarc",
            RecordType::Txt,
            "v=DMARC1; p=reject; sp=reject; np=reject; adkim=s; aspf=s",
        ),
        ("@", RecordType::Mx, "0 ."),
    ];
    let parked = parked.map(|(name, kind, value)| {
        let name = DomainName::parse_in(name, &zone()).unwrap();
        (name, RecordData::parse(kind, value, &zone()).unwrap())
    });
    let text = import(records(parked.to_vec())).text;
    assert!(text.ends_with("    records: []\n\n    email: parked\n"), "{text}");
}
