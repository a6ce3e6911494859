//! Records of mail as the `email` block that makes them: presets known again, the one SPF record taken apart, policies by
//! their words. Every piece is taken only when what it compiles to are the very records that are there; whether the block
//! as a whole gives them back is found by whoever loads it.

use std::collections::BTreeSet;

use super::page::Yaml;
use super::{EmittedZone, Form};
use crate::mail::dmarc::{self, Alignment};
use crate::mail::mta_sts::{self, Mode};
use crate::mail::presets::{self, Preset, Recognised};
use crate::mail::spf::build::Builder as SpfBuilder;
use crate::mail::spf::{self, Qualifier, TermKind};
use crate::mail::tls_rpt;
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::model::record_set::{Record, RecordSet};
use crate::model::ttl::Ttl;

/// A part of the block that can be left out by itself.
#[derive(Debug)]
pub(super) struct Piece {
    /// Its name.
    pub(super) name: &'static str,
    /// Its keys in the block.
    pub(super) keys: Vec<(&'static str, Yaml)>,
    /// The record sets that it declares, by their positions.
    pub(super) sets: BTreeSet<usize>,
    /// Whether a preset was known again in it.
    is_known: bool,
}

/// The pieces of the block, in order; none when no preset is known again.
pub(super) fn pieces(zone: &EmittedZone, usual: Ttl) -> Vec<Piece> {
    if zone.without.contains(WHOLE) {
        return Vec::new();
    }
    let view = View::new(zone, usual);
    if let Some(parked) = view.parked().filter(|_| !zone.without.contains(PARKED)) {
        return vec![parked];
    }
    let records = view.records();
    let known = presets::recognise(&zone.name, &records);
    let mut pieces: Vec<Piece> = Vec::new();
    pieces.extend(view.receive(&known));
    let hosts = pieces.first().map_or_else(Vec::new, |_| view.exchangers());
    pieces.extend(view.send(&known));
    if pieces.is_empty() {
        return pieces;
    }
    let more = [view.dmarc(), view.mta_sts(&hosts), view.tls_rpt(), view.bimi()];
    pieces.extend(more.into_iter().flatten());
    pieces.retain(|piece| !zone.without.contains(piece.name));
    // Where no preset was known again, the records say as much as a block would.
    if !pieces.iter().any(|piece| piece.is_known) {
        pieces.clear();
    }
    pieces
}

/// The name of the block itself, for whoever wants none.
pub const WHOLE: &str = "email";
const PARKED: &str = "parked";
const RECEIVE: &str = "receive";
const SEND: &str = "send";

/// The record sets that a block could declare: those with the zone's TTL and nothing that a block cannot say.
struct View<'z> {
    domain: &'z DomainName,
    sets: Vec<(usize, &'z RecordSet)>,
}

impl<'z> View<'z> {
    fn new(zone: &'z EmittedZone, usual: Ttl) -> Self {
        let is_bare = |record: &Record| {
            let has_words = record.comment.as_ref().is_some_and(|comment| !comment.is_empty());
            let has_tags = record.tags.as_ref().is_some_and(|tags| !tags.is_empty());
            record.ttl == usual && !record.proxied && !has_words && !has_tags
        };
        let fits = |set: &RecordSet| set.records.iter().all(is_bare);
        let sets = zone.sets.iter().enumerate();
        let sets = sets.filter(|(_, set)| !matches!(set.form, Form::Comment(_)) && fits(&set.what));
        Self {
            domain: &zone.name,
            sets: sets.map(|(at, set)| (at, &set.what)).collect(),
        }
    }

    fn records(&self) -> Vec<(DomainName, RecordData)> {
        let of = |set: &&RecordSet| {
            let name = set.name.clone();
            let data = set
                .records
                .iter()
                .map(move |record| (name.clone(), record.data.clone()));
            data.collect::<Vec<_>>()
        };
        self.sets.iter().flat_map(|(_, set)| of(set)).collect()
    }

    /// The set of that type at a name below the domain whose first record fits.
    fn find(&self, name: &str, kind: RecordType, fits: impl Fn(&RecordData) -> bool) -> Option<(usize, &'z RecordSet)> {
        self.sets.iter().copied().find(|(_, set)| {
            set.kind == kind
                && set.name.relative_to(self.domain) == name
                && set.records.iter().all(|record| fits(&record.data))
        })
    }

    /// The one TXT value of a purpose at a name.
    fn text(&self, name: &str, is_it: fn(&[u8]) -> bool) -> Option<(usize, String)> {
        let (at, set) = self.find(name, RecordType::Txt, |data| data.txt().is_some_and(is_it))?;
        match set.records.as_slice() {
            [one] => Some((at, String::from_utf8(one.data.txt()?.to_vec()).ok()?)),
            _ => None,
        }
    }

    /// The sets that hold all of these records and no others.
    fn covering(&self, records: &[(DomainName, RecordData)]) -> Option<BTreeSet<usize>> {
        let mut covered = BTreeSet::new();
        for (name, data) in records {
            let holds = |(_, set): &&(usize, &RecordSet)| {
                set.name == *name && set.records.iter().any(|record| record.data == *data)
            };
            covered.insert(self.sets.iter().find(holds)?.0);
        }
        let among = |(at, set): &(usize, &RecordSet)| {
            !covered.contains(at)
                || set.records.iter().all(|record| {
                    records
                        .iter()
                        .any(|(name, data)| *name == set.name && *data == record.data)
                })
        };
        self.sets.iter().all(among).then_some(covered)
    }

    fn mx(&self) -> Option<(usize, &'z RecordSet)> {
        self.find("@", RecordType::Mx, |_| true)
    }

    fn exchangers(&self) -> Vec<String> {
        let mx = self.mx();
        let targets = mx.iter().flat_map(|(_, set)| &set.records);
        targets
            .filter_map(|record| record.data.target())
            .map(ToString::to_string)
            .collect()
    }

    fn is_null_mx(set: &RecordSet) -> bool {
        matches!(set.records.as_slice(), [one] if one.data.to_string() == "0 .")
    }

    fn parked(&self) -> Option<Piece> {
        let (mx, set) = self.mx().filter(|(_, set)| Self::is_null_mx(set))?;
        debug_assert_eq!(set.kind, RecordType::Mx);
        let (policy, text) = self.text("_dmarc", dmarc::is_dmarc)?;
        let exact = |name: &str, expected: &'static str| {
            self.find(name, RecordType::Txt, |data| data.txt() == Some(expected.as_bytes()))
                .map(|(at, _)| at)
        };
        let sets = [
            exact("@", "v=spf1 -all")?,
            exact("*", "v=spf1 -all")?,
            exact("*._domainkey", "v=DKIM1; p=")?,
            mx,
            policy,
        ];
        (text == dmarc::Builder::parked().build()).then(|| Piece {
            name: PARKED,
            keys: Vec::new(),
            sets: sets.into(),
            is_known: true,
        })
    }

    fn receive(&self, known: &[Recognised]) -> Option<Piece> {
        let (at, set) = self.mx()?;
        let made = |value: Yaml, sets: BTreeSet<usize>, is_known: bool| Piece {
            name: RECEIVE,
            keys: vec![("receive", value)],
            sets,
            is_known,
        };
        if Self::is_null_mx(set) {
            return Some(made(Yaml::word("none"), [at].into(), false));
        }
        for found in known.iter().filter(|found| found.receives && found.preset.is_generated) {
            let Ok(compiled) = presets::receive(found.preset, self.domain, &found.values) else {
                continue;
            };
            let records: Vec<_> = compiled.records.into_iter().map(|one| (one.name, one.data)).collect();
            let Some(sets) = self.covering(&records).filter(|sets| sets.contains(&at)) else {
                continue;
            };
            // What it needs to send stands there.
            let needs = |key: &str| {
                found.preset.receive.iter().any(|template| {
                    speaks_of(template.when, key)
                        || template.name.contains(key)
                        || template.value.contains(&format!("{{{key}}}"))
                })
            };
            let values = found.values.iter().filter(|(key, _)| needs(key));
            let values: Vec<(&str, &str)> = values.map(|(key, value)| (key.as_str(), value.as_str())).collect();
            return Some(made(sender(found.preset, &values), sets, true));
        }
        let hosts = set.records.iter().map(|record| {
            let text = record.data.to_string();
            let (priority, host) = text.split_once(' ')?;
            let host = host.trim_end_matches('.');
            host.contains('.').then(|| {
                Yaml::Map(vec![
                    ("host".into(), Yaml::text(host)),
                    ("priority".into(), Yaml::word(priority)),
                ])
            })
        });
        let hosts: Option<Vec<Yaml>> = hosts.collect();
        Some(made(Yaml::List(hosts?), [at].into(), false))
    }

    /// Who sends: the SPF record taken apart, with the keys and return paths of the presets in it, and keys that are
    /// nobody's.
    fn send(&self, known: &[Recognised]) -> Option<Piece> {
        let (at, text) = self.text("@", spf::is_spf)?;
        let record = spf::parse(&text).ok()?;
        let (_, all) = record.all().filter(|(_, all)| *all != Qualifier::Pass)?;
        let mut sets = BTreeSet::from([at]);
        let mut senders: Vec<(usize, Yaml)> = Vec::new();
        let mut by_preset: BTreeSet<usize> = BTreeSet::new();
        for found in known.iter().filter(|found| found.sends && found.preset.is_generated) {
            if let Some((sender, terms, covered)) = self.preset(found, &record) {
                // In the order in which the record has them.
                senders.push((terms.iter().next().copied().unwrap_or(usize::MAX), sender));
                by_preset.extend(terms);
                sets.extend(covered);
            }
        }
        senders.sort_by_key(|(first, _)| *first);
        let mut again = SpfBuilder::new(all);
        let mut rest: Vec<&str> = Vec::new();
        for (index, term) in record.terms.iter().enumerate() {
            let is_all = matches!(&term.kind, TermKind::Directive(one) if one.mechanism == spf::Mechanism::All);
            let written = text.get(term.span.clone())?;
            if !is_all {
                again.term(written).ok()?;
                rest.extend((!by_preset.contains(&index)).then_some(written));
            }
        }
        // The same terms in the order in which a block gives them.
        if again.build() != text {
            return None;
        }
        let is_known = !senders.is_empty();
        let nobody = !is_known && rest.is_empty() && all == Qualifier::Fail;
        let spf = if nobody {
            Vec::new()
        } else {
            beyond(&rest, all, !is_known)
        };
        let mut keys = Vec::new();
        if is_known || nobody {
            let senders = senders.into_iter().map(|(_, sender)| sender).collect();
            keys.push(("send", Yaml::List(senders)));
        }
        if !spf.is_empty() {
            keys.push(("spf", Yaml::Map(spf)));
        }
        let dkim = self.dkim(&mut sets);
        if !dkim.is_empty() {
            keys.push(("dkim", Yaml::List(dkim)));
        }
        Some(Piece {
            name: SEND,
            keys,
            sets,
            is_known,
        })
    }

    /// A preset that sends, with its terms in the SPF record and the sets that it makes; nothing unless all are there.
    fn preset(&self, found: &Recognised, record: &spf::Record) -> Option<(Yaml, BTreeSet<usize>, BTreeSet<usize>)> {
        let compiled = presets::send(found.preset, self.domain, &found.values).ok()?;
        if !compiled.missing.is_empty() {
            return None;
        }
        let place = |term: &String| {
            let is_it = |one: &spf::Term| record.text.get(one.span.clone()) == Some(term.as_str());
            record.terms.iter().position(is_it)
        };
        let terms: BTreeSet<usize> = compiled.spf.iter().map(place).collect::<Option<_>>()?;
        let records = compiled.records.iter().map(|one| (one.name.clone(), one.data.clone()));
        let covered = self.covering(&records.collect::<Vec<_>>())?;
        // A key is given as the record shows it: what is left out of one is filled in, and would be another record.
        let is_key = |one: &&presets::PresetRecord| one.role == presets::Role::Dkim && one.data.txt().is_some();
        let key = compiled.records.iter().find(is_key).map(|one| one.data.to_string());
        let written = |(key_of, value)| match (key_of, &key) {
            ("key", Some(key)) => ("key", key.as_str()),
            (other, _) => (other, value),
        };
        let values = found.values.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let values: Vec<(&str, &str)> = values.map(written).collect();
        Some((sender(found.preset, &values), terms, covered))
    }

    /// Keys that no preset accounts for.
    fn dkim(&self, sets: &mut BTreeSet<usize>) -> Vec<Yaml> {
        let mut keys = Vec::new();
        for (at, set) in &self.sets {
            let name = set.name.relative_to(self.domain);
            let Some(selector) = name.strip_suffix("._domainkey").filter(|_| !sets.contains(at)) else {
                continue;
            };
            let [record] = set.records.as_slice() else { continue };
            let value = match (&record.data, record.data.txt(), record.data.target()) {
                (_, Some(text), _) => match std::str::from_utf8(text) {
                    Ok(text) if crate::mail::dkim::parse(text).fingerprint().is_some() => ("key", text.to_owned()),
                    _ => continue,
                },
                (RecordData::Cname(_), _, Some(target)) => ("cname", target.to_string()),
                _ => continue,
            };
            keys.push(Yaml::Map(vec![
                ("selector".into(), Yaml::text(selector)),
                (value.0.into(), Yaml::text(&value.1)),
            ]));
            sets.insert(*at);
        }
        keys
    }

    fn dmarc(&self) -> Option<Piece> {
        let (at, text) = self.text("_dmarc", dmarc::is_dmarc)?;
        let record = dmarc::parse(&text);
        let addresses = |uris: &[dmarc::ReportUri]| {
            let mail = |uri: &dmarc::ReportUri| mail_address(uri);
            uris.iter().map(mail).collect::<Option<Vec<String>>>()
        };
        let mut builder = dmarc::Builder::new(record.policy?);
        builder.subdomains = record.subdomains;
        builder.nonexistent = record.nonexistent;
        builder.is_testing = record.is_testing;
        (builder.dkim, builder.spf) = (record.dkim, record.spf);
        builder.aggregate = addresses(&record.aggregate)?;
        builder.failure = addresses(&record.failure)?;
        if builder.build() != text {
            return None;
        }
        let mut map = vec![("policy".to_owned(), Yaml::word(builder.policy))];
        for (key, policy) in [("subdomains", builder.subdomains), ("nonexistent", builder.nonexistent)] {
            map.extend(policy.map(|policy| (key.to_owned(), Yaml::word(policy))));
        }
        if builder.is_testing {
            map.push(("testing".to_owned(), Yaml::word("true")));
        }
        for (key, addresses) in [("report_to", &builder.aggregate), ("failures_to", &builder.failure)] {
            if !addresses.is_empty() {
                let list = addresses.iter().map(|address| Yaml::text(address)).collect();
                map.push((key.to_owned(), Yaml::List(list)));
            }
        }
        for (key, alignment) in [("adkim", builder.dkim), ("aspf", builder.spf)] {
            if alignment == Alignment::Strict {
                map.push((key.to_owned(), Yaml::word("strict")));
            }
        }
        Some(piece("dmarc", Yaml::Map(map), at))
    }

    /// The record of MTA-STS is a digest of the policy: the usual ones are tried.
    fn mta_sts(&self, hosts: &[String]) -> Option<Piece> {
        const DAYS: [u64; 9] = [7, 1, 14, 30, 31, 60, 90, 180, 365];
        let (at, text) = self.text("_mta-sts", mta_sts::is_record)?;
        let modes = [Mode::Enforce, Mode::Testing, Mode::None];
        let tried = modes.into_iter().flat_map(|mode| DAYS.map(|days| (mode, days)));
        let (mode, days) = tried.into_iter().find(|(mode, days)| {
            let policy = mta_sts::Policy {
                mode: *mode,
                exchangers: hosts.to_vec(),
                max_age: days * 86_400,
            };
            policy.record_text() == text
        })?;
        let mut map = vec![("mode".to_owned(), Yaml::word(mode.as_str()))];
        if days != DAYS[0] {
            map.push(("max_age".to_owned(), Yaml::word(format!("{days}d"))));
        }
        Some(piece("mta_sts", Yaml::Map(map), at))
    }

    fn tls_rpt(&self) -> Option<Piece> {
        let (at, text) = self.text("_smtp._tls", tls_rpt::is_record)?;
        let addresses = tls_rpt::parse(&text).addresses;
        let plain = addresses
            .iter()
            .map(|address| address.strip_prefix("mailto:").unwrap_or(address).to_owned());
        let plain: Vec<String> = plain.collect();
        let list = plain.iter().map(|address| Yaml::text(address)).collect();
        (!plain.is_empty() && tls_rpt::build(&plain) == text).then(|| piece("tls_rpt", Yaml::List(list), at))
    }

    fn bimi(&self) -> Option<Piece> {
        let (at, text) = self.text("default._bimi", crate::mail::bimi::is_record)?;
        let record = crate::mail::bimi::parse(&text);
        let logo = record.location.filter(|logo| !logo.is_empty())?;
        let end = record
            .authority
            .as_ref()
            .map_or_else(String::new, |url| format!("; a={url}"));
        if format!("v=BIMI1; l={logo}{end}") != text {
            return None;
        }
        let mut map = vec![("logo".to_owned(), Yaml::text(&logo))];
        map.extend(record.authority.map(|url| ("certificate".to_owned(), Yaml::text(&url))));
        Some(piece("bimi", Yaml::Map(map), at))
    }
}

/// What is said of senders beyond the presets. What everybody else is goes without saying where it is the usual, unless
/// nothing else is said.
fn beyond(rest: &[&str], all: Qualifier, is_alone: bool) -> Vec<(String, Yaml)> {
    const HEADS: [(&str, &str); 3] = [("include", "include:"), ("ip4", "ip4:"), ("ip6", "ip6:")];
    let mut spf = Vec::new();
    if all != Qualifier::SoftFail || (is_alone && rest.is_empty()) {
        let word = match all {
            Qualifier::Fail => "fail",
            Qualifier::Neutral => "neutral",
            Qualifier::SoftFail | Qualifier::Pass => "softfail",
        };
        spf.push(("all".to_owned(), Yaml::word(word)));
    }
    let mut push = |key: &str, terms: Vec<Yaml>| {
        if !terms.is_empty() {
            spf.push((key.to_owned(), Yaml::List(terms)));
        }
    };
    for (key, head) in HEADS {
        push(
            key,
            rest.iter()
                .filter_map(|term| term.strip_prefix(head))
                .map(Yaml::text)
                .collect(),
        );
    }
    let others = rest
        .iter()
        .filter(|term| !HEADS.iter().any(|(_, head)| term.starts_with(head)));
    push("terms", others.map(|term| Yaml::text(term)).collect());
    spf
}

fn piece(name: &'static str, value: Yaml, set: usize) -> Piece {
    Piece {
        name,
        keys: vec![(name, value)],
        sets: [set].into(),
        is_known: false,
    }
}

fn speaks_of(when: presets::When, key: &str) -> bool {
    use presets::When::{Always, Given, Is, NotGiven};
    match when {
        Always => false,
        Given(known) | NotGiven(known) | Is(known, _) => known == key,
    }
}

/// A preset with the values of an account, as `send` and `receive` take it.
fn sender(preset: &'static Preset, values: &[(&str, &str)]) -> Yaml {
    if values.is_empty() {
        return Yaml::word(preset.id);
    }
    let mut entries = vec![("via".to_owned(), Yaml::word(preset.id))];
    let value_of = |wanted: &str| values.iter().find(|(key, _)| *key == wanted).map(|(_, value)| *value);
    let of_key = |(key, _): &&(&str, &str)| matches!(*key, "selector" | "key");
    if let Some(key) = value_of("key") {
        let selector = value_of("selector")
            .or_else(|| preset.usual_selector())
            .unwrap_or_default();
        let dkim = vec![
            ("selector".to_owned(), Yaml::text(selector)),
            ("key".to_owned(), Yaml::text(key)),
        ];
        entries.push(("dkim".to_owned(), Yaml::Map(dkim)));
    }
    for (key, value) in values.iter().filter(|pair| !of_key(pair)) {
        entries.push(((*key).to_owned(), Yaml::text(value)));
    }
    Yaml::Map(entries)
}

/// The address that reports go to, when it is one and nothing stands against writing it so.
fn mail_address(uri: &dmarc::ReportUri) -> Option<String> {
    uri.text.strip_prefix("mailto:").map(str::to_owned)
}
