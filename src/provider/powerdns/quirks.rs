//! What is peculiar to PowerDNS: what it can hold, how large a request may be, what its messages are about.

use std::collections::BTreeSet;

use crate::model::address::Address;
use crate::model::capability::{Capabilities, ZoneCreation};
use crate::model::name::DomainName;
use crate::model::record::RecordType;
use crate::model::resource::Resource;
use crate::plan::{Change, Refusal, Warning};
use crate::provider::{AliasFacts, ApiRefusal, Reading, Review, Step, rrset};

/// Seconds that `auto` stands for: PowerDNS has no TTL of its own to fall back on, and its own `default-ttl` is this.
pub(super) const AUTOMATIC_TTL: u32 = 3_600;

/// All but DNSKEY: the server takes one at the zone's own name alone, where it keeps its keys by itself.
const KINDS: &[RecordType] = &[
    RecordType::A,
    RecordType::Aaaa,
    RecordType::Alias,
    RecordType::Caa,
    RecordType::Cert,
    RecordType::Cname,
    RecordType::Ds,
    RecordType::Https,
    RecordType::Loc,
    RecordType::Mx,
    RecordType::Naptr,
    RecordType::Ns,
    RecordType::Openpgpkey,
    RecordType::Ptr,
    RecordType::Smimea,
    RecordType::Srv,
    RecordType::Sshfp,
    RecordType::Svcb,
    RecordType::Tlsa,
    RecordType::Txt,
    RecordType::Uri,
];

/// What the Authoritative Server holds, whatever its backend.
pub(super) const CAPABILITIES: Capabilities = Capabilities {
    name: super::NAME,
    title: "PowerDNS",
    kinds: KINDS,
    ttl: 0..=0x7fff_ffff,
    proxies: false,
    flattens: false,
    // The column has 65,535 octets; a character takes four at most.
    comment: Some(16_000),
    tags: None,
    // The column has 65,535 octets, and an octet takes four in it when it is escaped.
    longest_record: 16_000,
    automatic_ttl: Some(AUTOMATIC_TTL),
    whole_sets: true,
    creation: ZoneCreation::NeedsNameServers,
    dnssec: Some(super::signing::DNSSEC),
    edge: None,
    uptime: None,
    dns_server: false,
};

/// Octets of a request's body that every server takes: `webserver-max-bodysize` is 2 MB unless it was set.
pub(super) const BODY: usize = 1_900_000;

/// What of `changes` this server cannot hold.
pub(super) fn review(changes: &[Change], reading: &Reading, steps: &[Step]) -> Review {
    let writes = steps.iter().filter(|step| step.method == "PATCH");
    let mut review = Review {
        refusals: rrset::review(changes, reading),
        warnings: rrset::several_transactions(writes),
    };
    review.warnings.extend(super::signing::warnings(changes, reading));
    review.refusals.extend(super::signing::refusals(changes, reading));
    aliases_are_answered(changes, reading, &mut review);
    let zones: BTreeSet<&str> = changes.iter().map(|change| change.address.scope()).collect();
    for (zone, facts) in &reading.zones {
        if zones.contains(zone.as_str()) && matches!(facts.status.as_str(), "slave" | "secondary" | "consumer") {
            review.refusals.push(Refusal {
                address: None,
                code: "secondary".to_owned(),
                message: format!("this server is a secondary of {zone}: its primary would overwrite every change"),
                help: "change the zone at its primary".to_owned(),
            });
        }
    }
    review
}

/// What a server's configuration says of ALIAS records; `None` when it does not say.
pub(super) fn aliases(config: &serde_json::Value) -> Option<AliasFacts> {
    let value = |name: &str| configured(config, name);
    let has_resolver = value("resolver").is_some_and(|resolver| !resolver.is_empty() && resolver != "no");
    Some(AliasFacts {
        is_answered: value("expand-alias")? == "yes" && has_resolver,
        is_sent_as_addresses: value("outgoing-axfr-expand-alias") == Some("yes"),
    })
}

/// Whether a server's configuration lets it send NOTIFY; `None` when it does not say. The name changed with 4.5.
pub(super) fn sends_notify(config: &serde_json::Value) -> Option<bool> {
    let values: Vec<&str> = ["primary", "master"]
        .into_iter()
        .filter_map(|name| configured(config, name))
        .collect();
    (!values.is_empty()).then(|| values.contains(&"yes"))
}

/// The value of a setting, of an answer that lists the configuration.
fn configured<'v>(config: &'v serde_json::Value, name: &str) -> Option<&'v str> {
    let settings = config.as_array()?.iter();
    let mut named = settings.filter(|setting| setting.get("name").is_some_and(|is| is == name));
    named.next()?.get("value")?.as_str().map(str::trim)
}

fn aliases_are_answered(changes: &[Change], reading: &Reading, review: &mut Review) {
    for change in changes {
        let set = change.after.as_ref().and_then(Resource::as_record_set);
        let Some(set) = set.filter(|set| set.kind == RecordType::Alias) else {
            continue;
        };
        let Some((facts, alias)) = reading
            .zones
            .get(&set.zone)
            .and_then(|facts| Some((facts, facts.alias?)))
        else {
            continue;
        };
        if !alias.is_answered {
            review.refusals.push(Refusal {
                address: Some(change.address.clone()),
                code: "alias-not-answered".to_owned(),
                message: "the server would keep the ALIAS and answer nothing for it".to_owned(),
                help: "set `expand-alias=yes` and `resolver=ADDRESS` in pdns.conf, and restart the server".to_owned(),
            });
        } else if notifies(&facts.status) && !alias.is_sent_as_addresses {
            let words = "secondaries are sent the ALIAS as it is, and most answer nothing for it: set \
                         `outgoing-axfr-expand-alias=yes` in pdns.conf";
            review
                .warnings
                .push(Warning::about(&change.address, "alias-at-secondaries", words));
        }
    }
}

/// Whether the server tells secondaries of this kind of zone.
pub(super) fn notifies(kind: &str) -> bool {
    matches!(kind, "master" | "primary" | "producer")
}

/// What about a zone's own settings is worth knowing.
pub(super) fn odd_settings(
    zone: &DomainName,
    soa_edit_api: Option<&str>,
    signed: bool,
    rectifies: bool,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if soa_edit_api.is_some_and(str::is_empty) {
        let words = format!(
            "{zone} has no SOA-EDIT-API: its serial stays when records change, so secondaries do not see it \
             (pdnsutil set-meta {zone} SOA-EDIT-API DEFAULT)"
        );
        warnings.push(Warning::general("serial-stays", words));
    }
    if signed && !rectifies {
        let words = format!(
            "{zone} is signed and API-RECTIFY is off: after a change, run pdnsutil rectify-zone {zone}, or answers fail \
             to validate"
        );
        warnings.push(Warning::general("not-rectified", words));
    }
    warnings
}

/// What to do about a refusal.
pub(super) fn advice(refusal: &ApiRefusal) -> Option<&'static str> {
    match refusal.status {
        _ if refusal.code == super::look::CHANGED => Some("plan again, and review what it says now"),
        401 | 403 => Some(
            "the key is `api-key` in pdns.conf; put it in POWERDNS_API_KEY, and allow this host in `webserver-allow-from`",
        ),
        404 => Some("check that the address ends in /api/v1 and that the server has the zone"),
        413 => Some("raise `webserver-max-bodysize` in pdns.conf"),
        422 if refusal.message.contains("was able to secure") => {
            Some("let the backend keep keys, such as with `gsqlite3-dnssec=yes` in pdns.conf, and restart the server")
        }
        422 if refusal.message.contains("Conflicts with pre-existing") => {
            Some("another record came to that name meanwhile: plan again")
        }
        _ => None,
    }
}

/// Which changes a refusal is about: its message names the record set as `NAME/TYPE` or `NAME IN TYPE`.
pub(super) fn blame(step: &Step, changes: &[Change], refusal: &ApiRefusal) -> Vec<Address> {
    let is_named = |change: &&Change| {
        let side = change.after.as_ref().or(change.before.as_ref());
        side.and_then(Resource::as_record_set).is_some_and(|set| {
            let names = [
                format!(" {}./{} ", set.name, set.kind),
                format!(" {}. IN {}:", set.name, set.kind),
                format!(" {}. IN {} ", set.name, set.kind),
            ];
            names.iter().any(|name| refusal.message.contains(name.as_str()))
        })
    };
    let carried = changes
        .iter()
        .filter(|change| step.addresses.binary_search(&change.address).is_ok());
    let found: Vec<Address> = carried.filter(is_named).map(|change| change.address.clone()).collect();
    if found.is_empty() {
        step.addresses.clone()
    } else {
        found
    }
}
