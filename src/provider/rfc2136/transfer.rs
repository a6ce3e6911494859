//! A zone as it is transferred (AXFR, RFC 5936): put together message by message, within bounds, and whole or not at all.
//! The octets of each record's data are kept as the server has them, since an update has to state them exactly; only
//! names that were compressed are written out. Pure.

use std::ops::Range;

use hickory_proto::op::Message;
use hickory_proto::rr::{DNSClass, Name};

use crate::model::record::RecordType;

/// The most octets of a zone, as they are sent and as they are written out.
const LARGEST: usize = 256 * 1024 * 1024;
/// The most records of a zone.
const RECORDS: usize = 1_000_000;
/// Octets of a name (RFC 1035 §3.1).
const NAME: usize = 255;

/// A record as it was transferred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transferred {
    /// The owner, as it is printed.
    pub owner: String,
    /// The number of the type.
    pub kind: u16,
    /// Seconds.
    pub ttl: u32,
    /// The octets of the data, names uncompressed.
    pub data: Vec<u8>,
}

/// What has come of a zone so far.
#[derive(Debug)]
pub(super) struct Transfer {
    apex: Name,
    records: Vec<Transferred>,
    sent: usize,
    written_out: usize,
    is_over: bool,
}

impl Transfer {
    /// Nothing yet, of the zone at `apex`.
    pub(super) fn of(apex: Name) -> Self {
        Self {
            apex,
            records: Vec::new(),
            sent: 0,
            written_out: 0,
            is_over: false,
        }
    }

    /// Whether the zone has ended. It begins and ends with its SOA; anything else is not the whole.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Takes the next message, which `octets` are. The error says what is wrong with it.
    pub(super) fn take(&mut self, octets: &[u8], message: &Message) -> Result<(), String> {
        self.sent += octets.len();
        let data = data(octets).filter(|data| data.len() == message.answers.len());
        let data = data.ok_or("a record that could not be understood")?;
        for (record, data) in message.answers.iter().zip(data) {
            if record.dns_class != DNSClass::IN {
                continue;
            }
            let owner = record.name.to_ascii();
            self.written_out += owner.len() + data.len();
            if self.records.len() == RECORDS || self.sent.max(self.written_out) > LARGEST {
                return Err(format!(
                    "more than {RECORDS} records or {} MiB",
                    LARGEST / (1024 * 1024)
                ));
            }
            let kind = u16::from(record.record_type());
            let is_start = Some(kind) == RecordType::Soa.number();
            let odd = match self.records.first() {
                _ if self.is_over => Some("records after the end of the zone"),
                _ if is_start && record.name != self.apex => Some("the beginning of another zone"),
                None if !is_start => Some("something that does not begin with the zone's SOA"),
                Some(first) if is_start && !first.data.eq_ignore_ascii_case(&data) => {
                    Some("another SOA at its end than at its beginning")
                }
                _ => None,
            };
            if let Some(odd) = odd {
                return Err(odd.to_owned());
            }
            if is_start && !self.records.is_empty() {
                self.is_over = true;
                continue;
            }
            self.records.push(Transferred {
                owner,
                kind,
                ttl: record.ttl,
                data,
            });
        }
        Ok(())
    }

    /// The whole zone.
    pub(super) fn into_records(self) -> Vec<Transferred> {
        self.records
    }
}

/// The data of each record in the answer section, names uncompressed; `None` when the message is no message.
fn data(octets: &[u8]) -> Option<Vec<Vec<u8>>> {
    let number = |at: usize| Some(u16::from_be_bytes(octets.get(at..at + 2)?.try_into().ok()?));
    let (questions, answers) = (number(4)?, number(6)?);
    let mut at = 12;
    for _ in 0..questions {
        at = name(octets, at)?.1 + 4;
    }
    let mut all = Vec::new();
    for _ in 0..answers {
        at = name(octets, at)?.1;
        let (kind, length) = (number(at)?, usize::from(number(at + 8)?));
        at += 10;
        all.push(written_out(octets, kind, at..at + length)?);
        at += length;
    }
    Some(all)
}

/// Only these types may have names compressed (RFC 3597 §4).
fn written_out(octets: &[u8], kind: u16, place: Range<usize>) -> Option<Vec<u8>> {
    let data = octets.get(place.clone())?;
    let (before, names) = match kind {
        // NS, MD, MF, CNAME, MB, MG, MR, PTR.
        2..=5 | 7..=9 | 12 => (0, 1),
        // SOA, MINFO, RP.
        6 | 14 | 17 => (0, 2),
        // MX, AFSDB, RT.
        15 | 18 | 21 => (2, 1),
        // SRV.
        33 => (6, 1),
        // NAPTR: two numbers and three strings.
        35 => {
            let string = |at: Option<usize>| at.and_then(|at| Some(at + 1 + usize::from(*data.get(at)?)));
            (string(string(string(Some(4))))?, 1)
        }
        _ => return Some(data.to_vec()),
    };
    let mut out = data.get(..before)?.to_vec();
    let mut at = place.start + before;
    for _ in 0..names {
        let (name, next) = name(octets, at)?;
        out.extend(name);
        at = next;
    }
    out.extend(octets.get(at..place.end)?);
    Some(out)
}

/// The name at a place, uncompressed, and where what follows it begins.
fn name(octets: &[u8], mut at: usize) -> Option<(Vec<u8>, usize)> {
    let mut out = Vec::new();
    let mut end = None;
    loop {
        match *octets.get(at)? {
            length @ 0..=63 => {
                let label = octets.get(at..=at + usize::from(length))?;
                out.extend_from_slice(label);
                at += label.len();
                if out.len() > NAME {
                    return None;
                }
                if length == 0 {
                    return Some((out, end.unwrap_or(at)));
                }
            }
            // A pointer leads back, so that it cannot lead in a circle (RFC 1035 §4.1.4).
            high @ 192.. => {
                let to = usize::from(high & 0x3f) << 8 | usize::from(*octets.get(at + 1)?);
                if to >= at {
                    return None;
                }
                end = end.or(Some(at + 2));
                at = to;
            }
            64..192 => return None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::name::DomainName;
    use crate::provider::dns;

    /// A message whose answer section is `records`: owner, type and data as they are in octets.
    fn message(records: &[(&[u8], u16, &[u8])]) -> Vec<u8> {
        let mut out = vec![0, 1, 0x84, 0, 0, 1];
        out.extend(u16::try_from(records.len()).unwrap().to_be_bytes());
        // The question stands at octet 12: own.test AXFR.
        out.extend(b"\0\0\0\0\x03own\x04test\0\0\xfc\0\x01");
        for (owner, kind, data) in records {
            out.extend(*owner);
            out.extend(kind.to_be_bytes());
            out.extend(b"\0\x01\0\0\0\x3c");
            out.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            out.extend(*data);
        }
        out
    }

    const APEX: &[u8] = b"\xc0\x0c";
    const SOA: &[u8] = b"\x03ns1\xc0\x0c\x01h\xc0\x0c\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05";

    fn taken(messages: &[Vec<u8>]) -> Result<Transfer, String> {
        let zone = DomainName::parse("own.test").unwrap();
        let mut transfer = Transfer::of(dns::name(&zone).unwrap());
        for octets in messages {
            transfer.take(octets, &Message::from_vec(octets).map_err(|error| error.to_string())?)?;
        }
        Ok(transfer)
    }

    #[test]
    fn data_is_kept_octet_for_octet_with_its_names_written_out() {
        let other: &[u8] = b"\x01A\xc0\x0c";
        let transfer = taken(&[
            message(&[(APEX, 6, SOA), (other, 15, b"\0\x0a\x04MaiL\xc0\x0c")]),
            message(&[
                (APEX, 16, b"\x02ab\x01c"),
                (APEX, 257, b"\0\x05ISSUEca.test"),
                (other, 33, b"\0\x01\0\x02\0\x03\xc0\x0c"),
                (other, 35, b"\0\x01\0\x02\x01U\x00\x00\xc0\x0c"),
                (APEX, 6, SOA),
            ]),
        ])
        .unwrap();
        assert!(transfer.is_over());
        let data: Vec<Vec<u8>> = transfer.into_records().into_iter().map(|record| record.data).collect();
        let wanted: [&[u8]; 5] = [
            b"\0\x0a\x04MaiL\x03own\x04test\0",
            b"\x02ab\x01c",
            b"\0\x05ISSUEca.test",
            b"\0\x01\0\x02\0\x03\x03own\x04test\0",
            b"\0\x01\0\x02\x01U\x00\x00\x03own\x04test\0",
        ];
        assert_eq!(data[1..], wanted.map(<[u8]>::to_vec));
        assert!(data[0].starts_with(b"\x03ns1\x03own\x04test\0\x01h\x03own\x04test\0\0\0\0\x01"));
    }

    #[test]
    fn what_is_no_whole_zone_is_none() {
        let later = SOA
            .iter()
            .map(|octet| if *octet == 5 { 6 } else { *octet })
            .collect::<Vec<u8>>();
        let a: &[u8] = &[192, 0, 2, 1];
        for (records, why) in [
            (vec![(APEX, 1, a)], "does not begin"),
            (vec![(b"\x01x\xc0\x0c" as &[u8], 6, SOA)], "another zone"),
            (vec![(APEX, 6, SOA), (APEX, 6, SOA), (APEX, 1, a)], "after the end"),
            (vec![(APEX, 6, SOA), (APEX, 6, SOA), (APEX, 6, SOA)], "after the end"),
            (vec![(APEX, 6, SOA), (APEX, 6, &later)], "another SOA"),
        ] {
            let error = taken(&[message(&records)]).unwrap_err();
            assert!(error.contains(why), "{why}: {error}");
        }
        assert!(!taken(&[message(&[(APEX, 6, SOA), (APEX, 1, a)])]).unwrap().is_over());
    }

    #[test]
    fn a_transfer_is_bounded_however_small_it_is_on_the_way() {
        let mut transfer = taken(&[message(&[(APEX, 6, SOA)])]).unwrap();
        let octets = message(&[(APEX, 1, &[192, 0, 2, 1])]);
        let parsed = Message::from_vec(&octets).unwrap();
        transfer.written_out = LARGEST;
        assert!(transfer.take(&octets, &parsed).unwrap_err().contains("more than"));
        let mut transfer = taken(&[message(&[(APEX, 6, SOA)])]).unwrap();
        let nothing = Transferred {
            owner: String::new(),
            kind: 1,
            ttl: 0,
            data: Vec::new(),
        };
        transfer.records = vec![nothing; RECORDS];
        assert!(transfer.take(&octets, &parsed).unwrap_err().contains("more than"));
    }

    #[test]
    fn no_octets_make_it_go_round_in_circles_or_fall_over() {
        let whole = message(&[
            (APEX, 6, SOA),
            (b"\x01a\xc0\x0c", 35, b"\0\x01\0\x02\x01U\x00\x00\xc0\x0c"),
        ]);
        for length in 0..whole.len() {
            assert!(data(&whole[..length]).is_none(), "{length}");
        }
        let mut circle = message(&[(APEX, 2, b"\xc0\x0c")]);
        let last = circle.len() - 2;
        for to in [last, last + 1, 0x3fff] {
            circle[last..].copy_from_slice(&(0xc000 | u16::try_from(to).unwrap()).to_be_bytes());
            assert!(data(&circle).is_none(), "{to}");
        }
    }
}
