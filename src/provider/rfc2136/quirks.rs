//! What is peculiar to dynamic updates: what a server holds, how large a message may be, what its codes mean.

use crate::model::address::Address;
use crate::model::capability::{Capabilities, ZoneCreation};
use crate::model::name::DomainName;
use crate::model::record::RecordType;
use crate::model::resource::Resource;
use crate::plan::Change;
use crate::provider::{ApiRefusal, Reading, Review, Step, rrset};

/// Seconds that `auto` stands for: a DNS server has no TTL of its own for records that come by update.
pub(super) const AUTOMATIC_TTL: u32 = 3_600;

/// What any server holds.
pub(super) const CAPABILITIES: Capabilities = Capabilities {
    name: super::NAME,
    title: "a DNS server",
    kinds: RecordType::ALL,
    ttl: 0..=0x7fff_ffff,
    proxies: false,
    flattens: false,
    comment: None,
    tags: None,
    // A message has 65,535 octets, and the record stands in it twice: as it was and as it will be.
    longest_record: 16_000,
    automatic_ttl: Some(AUTOMATIC_TTL),
    whole_sets: true,
    creation: ZoneCreation::Never,
    dnssec: None,
    edge: None,
    uptime: None,
    dns_server: true,
};

/// Octets of the records in one message; TCP carries 65,535, and the signature and the header want their share.
pub(super) const MESSAGE: usize = 60_000;

/// What of `changes` no server can hold.
pub(super) fn review(changes: &[Change], reading: &Reading, steps: &[Step]) -> Review {
    Review {
        refusals: rrset::review(changes, reading),
        warnings: rrset::several_transactions(steps.iter()),
    }
}

/// What to do about a refusal.
pub(super) fn advice(refusal: &ApiRefusal) -> Option<&'static str> {
    Some(match refusal.code.as_str() {
        "BADKEY" => {
            "compare the key's name and algorithm with the server's configuration; Knot says the same of a key that no acl lets \
             do this (action: [update, transfer])"
        }
        "BADSIG" => "the secret is another one than the server's: compare it with the server's configuration",
        "BADTIME" => "set the clocks right: the signature holds for five minutes",
        "REFUSED" => "let the key update and transfer the zone (BIND: allow-update and allow-transfer; Knot: an acl)",
        "NOTAUTH" => "name the zone's primary server, and check that it has the zone",
        "NXRRSET" | "YXRRSET" | "NXDOMAIN" | "YXDOMAIN" => "somebody changed the zone meanwhile: plan again",
        "NOTIMP" => "the server takes no dynamic updates",
        _ => return None,
    })
}

/// Whether a refusal says that the zone is no longer what the plan starts from.
pub(super) fn is_stale(code: &str) -> bool {
    matches!(code, "NXRRSET" | "YXRRSET" | "NXDOMAIN" | "YXDOMAIN")
}

/// A refusal names no record: all that the message carried. Where the zone has moved, reading again has told more.
pub(super) fn blame(step: &Step) -> Vec<Address> {
    step.addresses.clone()
}

/// What belongs to the server's own book-keeping of a signed zone, and is made anew by it: no record of anybody's.
pub(super) fn is_servers_own(number: u16) -> bool {
    // RRSIG, NSEC, NSEC3, NSEC3PARAM, and the types for private use in which BIND keeps the state of signing.
    matches!(number, 46 | 47 | 50 | 51 | 65_280..=65_535)
}

/// Why a set is the server's to change, if it is: the keys of a signed zone, and their announcement to its parent.
pub(super) fn lock(zone: &DomainName, name: &DomainName, number: u16) -> Option<&'static str> {
    // DNSKEY, CDS, CDNSKEY.
    (name == zone && matches!(number, 48 | 59 | 60)).then_some("the server signs the zone with it")
}

/// The serial that the zone had when it was read.
pub(super) fn serial(zone: &DomainName, reading: &Reading) -> Option<u32> {
    let address = Address::record_set(zone, RecordType::Soa, zone, None);
    let set = reading.live.inventory.get(&address).and_then(Resource::as_record_set)?;
    set.records.first().and_then(|record| match &record.data {
        crate::model::record::RecordData::Soa(soa) => Some(soa.serial),
        _ => None,
    })
}
