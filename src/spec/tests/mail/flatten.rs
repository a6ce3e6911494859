//! Includes that the spec flattens, with the lock file beside it.

use super::*;

const FLAT: &str = "send: [{ via: own, addresses: [203.0.113.10] }]
spf: { include: [_spf.mail.example, other.example], flatten: [_spf.mail.example] }
dmarc: { policy: quarantine, report_to: [d@mail.example] }";

#[test]
fn a_flattened_include_is_what_the_lock_file_says_it_stood_for() {
    let today = date(2026, 11, 25);
    let few: Vec<String> = ["192.0.2.0/24", "2001:db8::/32"].map(str::to_owned).into();
    let loaded = beside(&email(FLAT), today, &locked("_spf.mail.example", today, 3, &few));
    let (findings, records) = said(&loaded);
    assert_eq!(findings, [] as [String; 0]);
    assert!(
        records.contains(
            &"acme.example v=spf1 ip4:203.0.113.10 ip4:192.0.2.0/24 ip6:2001:db8::/32 include:other.example ~all"
                .to_owned()
        ),
        "{records:#?}"
    );
    let mail = loaded.spec.as_ref().unwrap().mail.values().next().unwrap();
    assert_eq!(mail.declared.flattened[0].taken, "2026-11-25");
    // A preset's include is named just so.
    let preset = "send: [fastmail]\nspf: { flatten: [SPF.messagingengine.com.] }\ndmarc: { policy: quarantine, report_to: [d@mail.example] }";
    let loaded = beside(
        &email(preset),
        today,
        &locked("spf.messagingengine.com", today, 3, &few),
    );
    let (findings, records) = said(&loaded);
    assert_eq!(findings, [] as [String; 0]);
    assert!(
        records.contains(&"acme.example v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all".to_owned()),
        "{records:#?}"
    );
}

#[test]
fn a_long_list_of_addresses_goes_to_names_of_its_own_and_is_counted() {
    let today = date(2026, 11, 25);
    let many: Vec<String> = (0..60).map(|at| format!("192.0.2.{}", at * 2)).collect();
    let loaded = beside(&email(FLAT), today, &locked("_spf.mail.example", today, 8, &many));
    let (findings, records) = said(&loaded);
    assert_eq!(findings, [] as [String; 0]);
    let parts: Vec<&String> = records.iter().filter(|one| one.starts_with("_spf-")).collect();
    assert_eq!(parts.len(), 4, "{records:#?}");
    for part in &parts {
        assert!(part.contains(".acme.example v=spf1 ip4:192.0.2."), "{part}");
    }
    // A record that somebody else made at such a name, and an include of it, are not for flattening to overwrite.
    let (name, _) = parts[0].split_once(' ').unwrap();
    let declared = format!(
        "{}    records: [{{ type: TXT, name: {name}., value: \"v=spf1 -all\" }}]\n",
        email(FLAT)
    );
    let included = email(FLAT).replace(
        "[_spf.mail.example, other",
        &format!("[_spf.mail.example, {name}, other"),
    );
    let lock = locked("_spf.mail.example", today, 8, &many);
    for (text, who) in [(declared, "the spec declares"), (included, "the SPF record includes")] {
        let (findings, _) = said(&beside(&text, today, &lock));
        let taken = format!("spf-part-taken {who} {name}, which");
        assert!(findings.iter().any(|one| one.starts_with(&taken)), "{findings:#?}");
    }
    let foreign = email(FLAT).replace(
        "[_spf.mail.example, other",
        "[_spf.mail.example, _spf1.acme.example, other",
    );
    let (_, records) = said(&beside(&foreign, today, &lock));
    assert!(!records.iter().any(|one| one.starts_with("_spf1.")), "{records:#?}");
    let loaded = beside(&email(FLAT), today, &locked("_spf.mail.example", today, 2, &many));
    let (findings, _) = said(&loaded);
    assert_eq!(
        findings,
        ["spf-flatten-idle flattened, the record takes 4 lookups for what took 2 as includes"]
    );
    // Beyond ten the finding that counts lookups counts these too.
    let many: Vec<String> = (0..500).map(|at| format!("10.{}.{}.1", at / 250, at % 250)).collect();
    let (findings, _) = said(&beside(
        &email(FLAT),
        today,
        &locked("_spf.mail.example", today, 2, &many),
    ));
    assert!(
        findings.iter().any(|one| one.starts_with("spf-lookups")),
        "{findings:#?}"
    );
}

#[test]
fn a_lock_file_that_is_missing_old_or_broken_is_said_with_what_to_do() {
    let today = date(2026, 11, 25);
    let absent = LockFile {
        path: "launch.spf.lock".into(),
        ..LockFile::default()
    };
    let loaded = beside(&email(FLAT), today, &absent);
    assert!(loaded.spec.is_none());
    assert_eq!(
        loaded.flatten.iter().map(QueryName::as_str).collect::<Vec<_>>(),
        ["_spf.mail.example"]
    );
    let missing = loaded.diagnostics.iter().find(|one| one.code == "spf-lock").unwrap();
    assert_eq!(missing.place.as_ref().unwrap().text(), "_spf.mail.example");
    assert_eq!(
        missing.message,
        "`launch.spf.lock` does not have the addresses of _spf.mail.example yet"
    );
    assert!(missing.help[0].contains("launchctl mail flatten"), "{:?}", missing.help);

    let few = ["192.0.2.0/24".to_owned()];
    let old = locked("_spf.mail.example", date(2026, 10, 1), 3, &few);
    let loaded = beside(&email(FLAT), today, &old);
    assert!(loaded.spec.is_some());
    assert_eq!(
        said(&loaded).0,
        ["spf-lock-old the addresses of _spf.mail.example were taken 55 days ago, on 2026-10-01"]
    );
    assert_eq!(
        said(&beside(&email(FLAT), date(2026, 10, 31), &old)).0,
        [] as [String; 0]
    );

    let broken = LockFile {
        content: Err("expected value at line 1".into()),
        ..absent
    };
    let (findings, _) = said(&beside(&email(FLAT), today, &broken));
    assert_eq!(
        findings,
        ["spf-lock `launch.spf.lock` cannot be read: expected value at line 1"]
    );

    let near = FLAT.replace(
        "flatten: [_spf.mail.example]",
        "flatten: [_spf.mial.example, other.example, gone.test]",
    );
    let loaded = beside(&email(&near), today, &old);
    let wrong: Vec<&str> = loaded
        .diagnostics
        .iter()
        .filter(|one| one.code == "not-included")
        .map(|one| one.place.as_ref().unwrap().text())
        .collect();
    assert_eq!(wrong, ["_spf.mial.example", "gone.test"]);
}
