//! The walk itself: records lead to records, each is read once on every path that leads to it.

use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::Pin;

use super::terms::{Target, bad_target, draw, is_dead, is_wide, literal_network, resolve};
use super::{Branch, BranchTerm, Remark, RemarkKind, State, Voids};
use crate::mail::dns::{self, Dns, Lookup, QueryName};
use crate::mail::spf::MOST_NAMES;
use crate::mail::spf::macros::Letter;
use crate::mail::spf::network::Network;
use crate::mail::spf::parse::{MECHANISMS, is_spf, parse_value};
use crate::mail::spf::term::{Directive, DomainSpec, Mechanism, Modifier, Prefixes, Qualifier, Record, Term, TermKind};

/// How many records are read before the walk gives up: five times what any receiver would.
const MOST_RECORDS: usize = 50;
/// How many questions are asked before the walk gives up: a record can name thousands of hosts.
const MOST_QUESTIONS: usize = 300;
/// A record that was walked: its branch, whom it passes, and what it gives to everybody else.
pub(super) struct Visited {
    pub(super) branch: Branch,
    pub(super) allowed: Vec<Network>,
    pub(super) fallthrough: Option<Qualifier>,
}

impl Visited {
    fn without_record(domain: &QueryName, state: State) -> Self {
        Self {
            branch: Branch::new(domain.as_str(), state),
            allowed: Vec::new(),
            fallthrough: None,
        }
    }
}

pub(super) struct Walk<'a> {
    dns: &'a dyn Dns,
    path: Vec<QueryName>,
    records: usize,
    questions: usize,
    included: BTreeMap<String, String>,
    pub(super) remarks: Vec<Remark>,
    pub(super) unknown: Vec<String>,
    pub(super) conditional: Vec<String>,
}

/// What was met before in a record.
#[derive(Default)]
struct Earlier<'r> {
    mechanisms: HashSet<&'r Mechanism>,
    networks: Vec<(Network, Qualifier, String)>,
}

/// Where a term stands.
struct Place<'a> {
    domain: &'a QueryName,
    record: &'a Record,
    /// Whether what passes here passes for the domain that the walk began with.
    counts: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(dns: &'a dyn Dns) -> Self {
        Self {
            dns,
            path: Vec::new(),
            records: 0,
            questions: 0,
            included: BTreeMap::new(),
            remarks: Vec::new(),
            unknown: Vec::new(),
            conditional: Vec::new(),
        }
    }

    /// Boxed, since records lead to records; the number of records bounds the depth.
    fn visit<'b>(
        &'b mut self,
        domain: &'b QueryName,
        counts: bool,
    ) -> Pin<Box<dyn Future<Output = Visited> + Send + 'b>> {
        Box::pin(async move {
            if self.path.contains(domain) {
                return Visited::without_record(domain, State::Loop);
            }
            if self.records >= MOST_RECORDS || !self.may_ask() {
                self.unknown
                    .push(format!("{domain}: the tree is too large to be walked further"));
                return Visited::without_record(domain, State::Cut);
            }
            let values = dns::txt(self.dns, domain).await;
            self.answer(domain, values, counts).await
        })
    }

    pub(super) async fn answer(&mut self, domain: &QueryName, values: Lookup<Vec<u8>>, counts: bool) -> Visited {
        self.records += 1;
        if let Lookup::Failed(why) = &values {
            self.unknown.push(format!("TXT of {domain}: {why}"));
            return Visited::without_record(domain, State::Unknown(why.clone()));
        }
        let found: Vec<&Vec<u8>> = values.records().iter().filter(|value| is_spf(value)).collect();
        let value = match found.as_slice() {
            [] => return Visited::without_record(domain, State::Missing),
            [value] => *value,
            several => {
                let texts = several.iter().map(|value| String::from_utf8_lossy(value).into_owned());
                return Visited::without_record(domain, State::Several(texts.collect()));
            }
        };
        match parse_value(value) {
            Ok(record) => {
                self.path.push(domain.clone());
                let visited = self.record(domain, &record, counts).await;
                self.path.pop();
                visited
            }
            Err(malformed) => Visited::without_record(domain, State::Malformed(malformed.text, malformed.errors)),
        }
    }

    async fn record(&mut self, domain: &QueryName, record: &Record, counts: bool) -> Visited {
        let place = Place { domain, record, counts };
        let all = record.all();
        let mut visited = Visited::without_record(domain, State::Record(record.text.clone()));
        visited.fallthrough = match (all, record.redirect()) {
            (Some((_, qualifier)), _) => Some(qualifier),
            (None, Some(_)) => None,
            (None, None) => Some(Qualifier::Neutral),
        };
        if all.is_none() && record.redirect().is_none() {
            self.remark(&place, None, RemarkKind::NoAll);
        }
        let mut earlier = Earlier::default();
        for (at, term) in record.terms.iter().enumerate() {
            let mut drawn = draw(record, term);
            drawn.is_dead = is_dead(term, at, all);
            match &term.kind {
                TermKind::Directive(directive) => {
                    self.repetition(&place, term, directive, &mut earlier);
                    if drawn.is_dead {
                        self.remark(&place, Some(term), RemarkKind::Dead);
                    } else {
                        let passes = counts && directive.qualifier == Qualifier::Pass;
                        let networks = self.directive(&place, term, directive, &mut drawn, passes).await;
                        if passes {
                            visited.allowed.extend(networks);
                        }
                    }
                }
                TermKind::Modifier(Modifier::Redirect(_)) if drawn.is_dead => {
                    self.remark(&place, Some(term), RemarkKind::RedirectWithAll);
                }
                TermKind::Modifier(modifier) => self.modifier(&place, term, modifier),
            }
            visited.branch.terms.push(drawn);
        }
        if all.is_none() {
            self.redirect(&place, &mut visited).await;
        }
        visited
    }

    /// Whether there is a question left to ask. When the last one is gone, that is unknown, once.
    fn may_ask(&mut self) -> bool {
        self.questions += 1;
        if self.questions == MOST_QUESTIONS + 1 {
            self.unknown.push(format!(
                "the tree asks more than {MOST_QUESTIONS} questions; the rest was not asked"
            ));
        }
        self.questions <= MOST_QUESTIONS
    }

    fn remark(&mut self, place: &Place<'_>, term: Option<&Term>, kind: RemarkKind) {
        let span = term.map_or(0..place.record.text.len(), |term| term.span.clone());
        self.remarks.push(Remark {
            domain: place.domain.to_string(),
            depth: self.path.len().saturating_sub(1),
            term: match term {
                Some(_) => place.record.text.get(span.clone()).unwrap_or_default().to_owned(),
                None => String::new(),
            },
            span,
            kind,
        });
    }

    /// The same again, or something that an earlier term of the domain's own record covers with the same meaning.
    fn repetition<'r>(&mut self, place: &Place<'_>, term: &Term, this: &'r Directive, earlier: &mut Earlier<'r>) {
        if this.mechanism == Mechanism::All {
            return;
        }
        if !earlier.mechanisms.insert(&this.mechanism) {
            self.remark(place, Some(term), RemarkKind::Duplicate);
            return;
        }
        let Some(network) = literal_network(&this.mechanism).filter(|_| self.path.len() == 1) else {
            return;
        };
        let cover = earlier
            .networks
            .iter()
            .find(|(wide, qualifier, _)| *qualifier == this.qualifier && wide.covers(&network));
        if let Some((_, _, text)) = cover {
            let text = text.clone();
            self.remark(place, Some(term), RemarkKind::Covered(text));
        }
        earlier.networks.push((network, this.qualifier, this.to_string()));
    }

    fn modifier(&mut self, place: &Place<'_>, term: &Term, modifier: &Modifier) {
        if let Modifier::Unknown { name, .. } = modifier {
            let lower = name.to_ascii_lowercase();
            if lower == "v" {
                self.remark(place, Some(term), RemarkKind::SecondVersion);
            } else if MECHANISMS.contains(&lower.as_str()) {
                self.remark(place, Some(term), RemarkKind::MechanismAsModifier(lower));
            }
        }
    }

    async fn directive(
        &mut self,
        place: &Place<'_>,
        term: &Term,
        directive: &Directive,
        drawn: &mut BranchTerm,
        passes: bool,
    ) -> Vec<Network> {
        drawn.lookups = usize::from(directive.mechanism.is_lookup());
        if directive
            .mechanism
            .domain()
            .is_some_and(|spec| spec.macros().uses(Letter::ValidatedName))
        {
            self.remark(place, Some(term), RemarkKind::Ptr);
        }
        if matches!(directive.mechanism, Mechanism::A(..) | Mechanism::Mx(..))
            && directive
                .mechanism
                .domain()
                .is_some_and(|spec| spec.macros().depends_on_message())
        {
            self.depends(place, drawn, passes);
        }
        let networks = match &directive.mechanism {
            Mechanism::All => self.all(place, term, directive.qualifier),
            Mechanism::Ip4(address, prefix) => vec![Network::new((*address).into(), *prefix)],
            Mechanism::Ip6(address, prefix) => vec![Network::new((*address).into(), *prefix)],
            Mechanism::Include(spec) => return self.include(place, term, spec, drawn, passes).await,
            Mechanism::A(spec, prefixes) => self.a(place, term, spec.as_ref(), *prefixes, drawn).await,
            Mechanism::Mx(spec, prefixes) => self.mx(place, term, spec.as_ref(), *prefixes, drawn).await,
            Mechanism::Ptr(_) => {
                self.remark(place, Some(term), RemarkKind::Ptr);
                self.depends(place, drawn, passes);
                Vec::new()
            }
            Mechanism::Exists(spec) => {
                self.exists(place, term, spec, drawn).await;
                self.depends(place, drawn, passes);
                Vec::new()
            }
        };
        if passes && directive.mechanism != Mechanism::All {
            for network in networks.iter().filter(|network| is_wide(network)) {
                self.remark(place, Some(term), RemarkKind::Wide(*network));
            }
        }
        drawn.networks.clone_from(&networks);
        networks
    }

    fn depends(&mut self, place: &Place<'_>, drawn: &BranchTerm, passes: bool) {
        if passes {
            self.conditional.push(format!("{} (in {})", drawn.term, place.domain));
        }
    }

    fn all(&mut self, place: &Place<'_>, term: &Term, qualifier: Qualifier) -> Vec<Network> {
        match qualifier {
            Qualifier::Pass if place.counts => self.remark(place, Some(term), RemarkKind::PassesAll),
            Qualifier::Neutral if self.path.len() == 1 => self.remark(place, Some(term), RemarkKind::NeutralAll),
            _ => {}
        }
        vec![
            Network::new(Ipv4Addr::UNSPECIFIED.into(), 0),
            Network::new(Ipv6Addr::UNSPECIFIED.into(), 0),
        ]
    }

    async fn include(
        &mut self,
        place: &Place<'_>,
        term: &Term,
        spec: &DomainSpec,
        drawn: &mut BranchTerm,
        passes: bool,
    ) -> Vec<Network> {
        if let Some(name) = spec.literal() {
            let here = place.domain.to_string();
            match self.included.get(&name) {
                Some(first) if *first != here => self.remark(place, Some(term), RemarkKind::Duplicate),
                Some(_) => {}
                None => {
                    self.included.insert(name, here);
                }
            }
        }
        let visited = self.target(place, term, spec, drawn, passes).await;
        visited.map(|visited| visited.allowed).unwrap_or_default()
    }

    async fn redirect(&mut self, place: &Place<'_>, visited: &mut Visited) {
        let Some((term, spec)) = place.record.redirect() else {
            return;
        };
        let at = visited.branch.terms.iter().position(|drawn| drawn.span == term.span);
        let mut drawn = draw(place.record, term);
        drawn.lookups = 1;
        if let Some(target) = self.target(place, term, spec, &mut drawn, place.counts).await {
            visited.allowed.extend(target.allowed);
            visited.fallthrough = target.fallthrough;
        }
        if let Some(slot) = at.and_then(|at| visited.branch.terms.get_mut(at)) {
            *slot = drawn;
        }
    }

    /// The record that an include or redirect leads to, hung into the tree.
    async fn target(
        &mut self,
        place: &Place<'_>,
        term: &Term,
        spec: &DomainSpec,
        drawn: &mut BranchTerm,
        passes: bool,
    ) -> Option<Visited> {
        let name = match resolve(place.domain, spec) {
            Target::Name(name) => name,
            Target::Depends => {
                self.depends(place, drawn, passes);
                drawn.nested = Some(Box::new(Branch::new(&spec.to_string(), State::Depends)));
                return None;
            }
            Target::Impossible => {
                let why = format!("`{spec}` is no name that can be asked about");
                self.remark(place, Some(term), RemarkKind::BadTarget(why));
                return None;
            }
        };
        let mut visited = self.visit(&name, passes).await;
        if let Some(kind) = bad_target(&visited.branch) {
            self.remark(place, Some(term), kind);
        }
        drawn.lookups += visited.branch.terms.iter().map(|term| term.lookups).sum::<usize>();
        let branch = std::mem::replace(&mut visited.branch, Branch::new(name.as_str(), State::Cut));
        drawn.nested = Some(Box::new(branch));
        Some(visited)
    }

    async fn a(
        &mut self,
        place: &Place<'_>,
        term: &Term,
        spec: Option<&DomainSpec>,
        prefixes: Prefixes,
        drawn: &mut BranchTerm,
    ) -> Vec<Network> {
        let Some(name) = host(place, spec) else {
            return Vec::new();
        };
        let (networks, voids) = self.addresses(&name, prefixes).await;
        drawn.voids = voids;
        self.void(place, term, voids);
        networks
    }

    async fn mx(
        &mut self,
        place: &Place<'_>,
        term: &Term,
        spec: Option<&DomainSpec>,
        prefixes: Prefixes,
        drawn: &mut BranchTerm,
    ) -> Vec<Network> {
        let Some(name) = host(place, spec) else {
            return Vec::new();
        };
        if !self.may_ask() {
            return Vec::new();
        }
        let answer = dns::mx(self.dns, &name).await;
        if let Lookup::Failed(why) = &answer {
            self.unknown.push(format!("MX of {name}: {why}"));
            return Vec::new();
        }
        if answer.is_void() {
            drawn.voids = Voids { ip4: 1, ip6: 1 };
            self.void(place, term, drawn.voids);
            return Vec::new();
        }
        let exchangers = answer.records();
        if exchangers.len() > MOST_NAMES {
            self.remark(place, Some(term), RemarkKind::ManyExchangers(exchangers.len()));
        }
        let known = self.unknown.len();
        let mut networks = Vec::new();
        for host in exchangers.iter().take(MOST_NAMES).filter_map(|mx| mx.host.as_ref()) {
            networks.extend(self.addresses(host, prefixes).await.0);
        }
        if networks.is_empty() && self.unknown.len() == known && self.questions <= MOST_QUESTIONS {
            self.remark(place, Some(term), RemarkKind::NoExchanger);
        }
        networks
    }

    async fn exists(&mut self, place: &Place<'_>, term: &Term, spec: &DomainSpec, drawn: &mut BranchTerm) {
        let Target::Name(name) = resolve(place.domain, spec) else {
            return;
        };
        if !self.may_ask() {
            return;
        }
        match dns::a(self.dns, &name).await {
            Lookup::Failed(why) => self.unknown.push(format!("A of {name}: {why}")),
            answer if answer.is_void() => {
                drawn.voids = Voids { ip4: 1, ip6: 1 };
                self.void(place, term, drawn.voids);
            }
            _ => {}
        }
    }

    fn void(&mut self, place: &Place<'_>, term: &Term, voids: Voids) {
        if voids != Voids::default() {
            self.remark(place, Some(term), RemarkKind::Void(voids));
        }
    }

    /// The networks of a name's addresses in both families, and in which families it has none.
    async fn addresses(&mut self, name: &QueryName, prefixes: Prefixes) -> (Vec<Network>, Voids) {
        if !self.may_ask() {
            return (Vec::new(), Voids::default());
        }
        let ip4 = dns::a(self.dns, name).await;
        let ip6 = dns::aaaa(self.dns, name).await;
        for (kind, failure) in [("A", ip4.failure()), ("AAAA", ip6.failure())] {
            if let Some(why) = failure {
                self.unknown.push(format!("{kind} of {name}: {why}"));
            }
        }
        let voids = Voids {
            ip4: usize::from(ip4.is_void()),
            ip6: usize::from(ip6.is_void()),
        };
        let ip4 = ip4.records().iter().map(|address| (IpAddr::V4(*address), prefixes.ip4));
        let ip6 = ip6.records().iter().map(|address| (IpAddr::V6(*address), prefixes.ip6));
        let networks = ip4.chain(ip6).map(|(address, prefix)| Network::new(address, prefix));
        (networks.collect(), voids)
    }
}

/// The name that an `a` or `mx` looks at, when it can be known.
fn host(place: &Place<'_>, spec: Option<&DomainSpec>) -> Option<QueryName> {
    match spec.map(|spec| resolve(place.domain, spec)) {
        None => Some(place.domain.clone()),
        Some(Target::Name(name)) => Some(name),
        Some(Target::Depends | Target::Impossible) => None,
    }
}
