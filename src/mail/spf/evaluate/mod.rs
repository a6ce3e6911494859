//! `check_host` (RFC 7208 §4): may this client send mail in this domain's name? The limits of §4.6.4 hold over the
//! whole tree; the trace says term by term what happened.

mod names;

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use self::names::note;
use super::network::Network;
use super::parse::{is_spf, parse_value};
use super::term::{DomainSpec, Mechanism, Prefixes, Record, Term};
use super::trace::{Evaluation, Outcome, RecordTrace, Step, TermTrace};
use super::{MOST_LOOKUPS, MOST_NAMES, MOST_VOIDS};
use crate::base::text;
use crate::mail::dns::{self, Dns, Lookup, QueryName, Question};

/// Who sends, and as whom.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// The client's address. IPv4-mapped IPv6 counts as IPv4 (RFC 7208 §5).
    pub ip: IpAddr,
    /// MAIL FROM without its brackets; empty for bounces.
    pub sender: &'a str,
    /// The name given in HELO or EHLO.
    pub helo: &'a str,
    /// The receiving host, for `%{r}`; `unknown` when nobody asks.
    pub receiver: &'a str,
    /// The time in seconds since 1970, for `%{t}`.
    pub time: u64,
}

impl<'a> Client<'a> {
    /// A client and a sender; the receiver is unknown and the time is 0.
    pub fn new(ip: IpAddr, sender: &'a str, helo: &'a str) -> Self {
        Self {
            ip,
            sender,
            helo,
            receiver: "unknown",
            time: 0,
        }
    }
}

/// Checks `client` against the record of its sender's domain, or of its HELO name when the sender is empty
/// (RFC 7208 §2.4).
pub async fn check_host(dns: &dyn Dns, client: &Client<'_>) -> Evaluation {
    let (local, domain) = split_sender(client);
    let Some(name) = checked_domain(domain) else {
        let problem = format!("`{}` is no domain that can have a record", shown(domain));
        return Evaluation {
            outcome: Outcome::None,
            problem: Some(problem.clone()),
            explanation: None,
            lookups: 0,
            voids: 0,
            trace: RecordTrace {
                domain: shown(domain),
                record: None,
                terms: Vec::new(),
                outcome: Outcome::None,
                problem: Some(problem),
            },
        };
    };
    let mut check = Check {
        dns,
        client: *client,
        ip: client.ip.to_canonical(),
        local,
        // Macros see A-labels where people write Unicode (RFC 7208 §4.3), and the case that was given otherwise.
        sender_domain: if domain.is_ascii() { domain } else { name.as_str() },
        lookups: 0,
        voids: 0,
    };
    let verdict = check.record(&name).await;
    let explanation = match (&verdict.explanation, verdict.trace.outcome) {
        (Some((domain, spec)), Outcome::Fail) => check.explanation(domain, spec).await,
        _ => None,
    };
    Evaluation {
        outcome: verdict.trace.outcome,
        problem: verdict.trace.problem.clone(),
        explanation,
        lookups: check.lookups,
        voids: check.voids,
        trace: verdict.trace,
    }
}

/// The sender's local part and domain: `postmaster` where the local part is missing, the HELO name where all is
/// (RFC 7208 §2.4, §4.3).
fn split_sender<'a>(client: &Client<'a>) -> (&'a str, &'a str) {
    let sender = if client.sender.is_empty() {
        client.helo
    } else {
        client.sender
    };
    match sender.rsplit_once('@') {
        Some(("", domain)) => ("postmaster", domain),
        Some((local, domain)) => (local, domain),
        None => ("postmaster", sender),
    }
}

/// A domain of at least two labels that is no address literal (RFC 7208 §4.3).
fn checked_domain(domain: &str) -> Option<QueryName> {
    let name = QueryName::parse(domain).ok()?;
    let literal = domain.starts_with('[') || domain.parse::<IpAddr>().is_ok();
    (!literal && name.depth() > 1).then_some(name)
}

fn shown(text: &str) -> String {
    text::shorten(&text::sanitize(text), 253)
}

/// What a record gives, and where its explanation stands.
struct Verdict {
    trace: RecordTrace,
    explanation: Option<(QueryName, DomainSpec)>,
}

/// Why a term ends the check.
struct Stop(Outcome, String);

type Matched = Result<bool, Stop>;
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

struct Check<'a> {
    dns: &'a dyn Dns,
    client: Client<'a>,
    ip: IpAddr,
    local: &'a str,
    sender_domain: &'a str,
    lookups: usize,
    voids: usize,
}

impl Check<'_> {
    /// Boxed, since records lead to records; the ten lookups bound the depth.
    fn record<'b>(&'b mut self, domain: &'b QueryName) -> Boxed<'b, Verdict> {
        Box::pin(async move {
            let mut trace = RecordTrace {
                domain: domain.to_string(),
                record: None,
                terms: Vec::new(),
                outcome: Outcome::None,
                problem: None,
            };
            let record = match self.select(domain, &mut trace).await {
                Ok(record) => record,
                Err(Stop(outcome, problem)) => {
                    trace.outcome = outcome;
                    trace.problem = Some(problem);
                    return Verdict {
                        trace,
                        explanation: None,
                    };
                }
            };
            self.terms(domain, &record, trace).await
        })
    }

    /// The one SPF record of a domain (RFC 7208 §4.4, §4.5).
    async fn select(&mut self, domain: &QueryName, trace: &mut RecordTrace) -> Result<Record, Stop> {
        let values = match dns::txt(self.dns, domain).await {
            Lookup::Failed(why) => return Err(Stop(Outcome::TempError, format!("TXT of {domain}: {why}"))),
            Lookup::NoSuchName => return Err(Stop(Outcome::None, format!("{domain} does not exist"))),
            Lookup::NoData => return Err(Stop(Outcome::None, format!("{domain} has no TXT record"))),
            Lookup::Records(values) => values,
        };
        let mut found = values.iter().filter(|value| is_spf(value));
        let Some(value) = found.next() else {
            return Err(Stop(Outcome::None, format!("{domain} has no SPF record")));
        };
        trace.record = Some(String::from_utf8_lossy(value).into_owned());
        let others = found.count();
        if others > 0 {
            let problem = format!(
                "{domain} has {} SPF records; one is the most (RFC 7208 §4.5)",
                others + 1
            );
            return Err(Stop(Outcome::PermError, problem));
        }
        parse_value(value).map_err(|malformed| {
            trace.record = Some(malformed.text.clone());
            let first = malformed.errors.first().map(ToString::to_string).unwrap_or_default();
            Stop(Outcome::PermError, format!("{domain}: {first}"))
        })
    }

    async fn terms(&mut self, domain: &QueryName, record: &Record, mut trace: RecordTrace) -> Verdict {
        let explanation = record.explanation().map(|spec| (domain.clone(), spec.clone()));
        trace.outcome = Outcome::Neutral;
        for (term, directive) in record.directives() {
            let mut step = self.begin(record, term);
            let matched = self.directive(domain, &directive.mechanism, &mut step).await;
            step.lookups = self.lookups;
            let decided = match matched {
                Ok(true) => {
                    trace.outcome = directive.qualifier.into();
                    step.step = Step::Matched(trace.outcome);
                    true
                }
                Ok(false) => false,
                Err(Stop(outcome, problem)) => {
                    trace.outcome = outcome;
                    trace.problem = Some(problem.clone());
                    step.step = Step::Stopped(outcome, problem);
                    true
                }
            };
            trace.terms.push(step);
            if decided {
                return Verdict { trace, explanation };
            }
        }
        match record.redirect() {
            Some((term, spec)) if record.all().is_none() => {
                let step = self.begin(record, term);
                self.redirect(domain, spec, step, trace).await
            }
            _ => Verdict { trace, explanation },
        }
    }

    fn begin(&self, record: &Record, term: &Term) -> TermTrace {
        TermTrace {
            span: term.span.clone(),
            term: record.text.get(term.span.clone()).unwrap_or_default().to_owned(),
            lookups: self.lookups,
            asked: Vec::new(),
            step: Step::NotMatched,
            nested: None,
        }
    }

    /// RFC 7208 §6.1: the other record decides, explanation included; its absence is a permerror.
    async fn redirect(
        &mut self,
        domain: &QueryName,
        spec: &DomainSpec,
        mut step: TermTrace,
        mut trace: RecordTrace,
    ) -> Verdict {
        let followed = self.follow(domain, spec, &mut step).await;
        step.lookups = self.lookups;
        let explanation = match followed {
            Ok(verdict) => {
                trace.outcome = verdict.trace.outcome;
                trace.problem.clone_from(&verdict.trace.problem);
                step.step = Step::Redirected(trace.outcome);
                if trace.outcome == Outcome::None {
                    trace.outcome = Outcome::PermError;
                    let problem = format!("redirect leads to {}, which has no SPF record", verdict.trace.domain);
                    trace.problem = Some(problem.clone());
                    step.step = Step::Stopped(Outcome::PermError, problem);
                }
                step.nested = Some(Box::new(verdict.trace));
                verdict.explanation
            }
            Err(Stop(outcome, problem)) => {
                trace.outcome = outcome;
                trace.problem = Some(problem.clone());
                step.step = Step::Stopped(outcome, problem);
                None
            }
        };
        trace.terms.push(step);
        Verdict { trace, explanation }
    }

    /// The record that an include or redirect leads to.
    async fn follow(&mut self, domain: &QueryName, spec: &DomainSpec, step: &mut TermTrace) -> Result<Verdict, Stop> {
        self.count()?;
        let target = self.target(domain, Some(spec), step).await;
        let target = target.map_err(|text| {
            let problem = format!("`{}` is no domain that can have a record", shown(&text));
            Stop(Outcome::PermError, problem)
        })?;
        Ok(self.record(&target).await)
    }

    async fn directive(&mut self, domain: &QueryName, mechanism: &Mechanism, step: &mut TermTrace) -> Matched {
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip4(address, prefix) => Ok(Network::new((*address).into(), *prefix).contains(self.ip)),
            Mechanism::Ip6(address, prefix) => Ok(Network::new((*address).into(), *prefix).contains(self.ip)),
            Mechanism::Include(spec) => self.include(domain, spec, step).await,
            Mechanism::A(spec, prefixes) => self.a(domain, spec.as_ref(), *prefixes, step).await,
            Mechanism::Mx(spec, prefixes) => self.mx(domain, spec.as_ref(), *prefixes, step).await,
            Mechanism::Ptr(spec) => self.ptr(domain, spec.as_ref(), step).await,
            Mechanism::Exists(spec) => self.exists(domain, spec, step).await,
        }
    }

    /// RFC 7208 §5.2.
    async fn include(&mut self, domain: &QueryName, spec: &DomainSpec, step: &mut TermTrace) -> Matched {
        let verdict = self.follow(domain, spec, step).await?;
        let (outcome, problem) = (verdict.trace.outcome, verdict.trace.problem.clone());
        let target = verdict.trace.domain.clone();
        step.nested = Some(Box::new(verdict.trace));
        match outcome {
            Outcome::Pass => Ok(true),
            Outcome::Fail | Outcome::SoftFail | Outcome::Neutral => Ok(false),
            Outcome::TempError | Outcome::PermError => Err(Stop(outcome, problem.unwrap_or_default())),
            Outcome::None => {
                let problem = format!("include leads to {target}, which has no SPF record");
                Err(Stop(Outcome::PermError, problem))
            }
        }
    }

    /// RFC 7208 §5.3.
    async fn a(
        &mut self,
        domain: &QueryName,
        spec: Option<&DomainSpec>,
        prefixes: Prefixes,
        step: &mut TermTrace,
    ) -> Matched {
        self.count()?;
        let Ok(name) = self.target(domain, spec, step).await else {
            return Ok(false);
        };
        let answer = self.addresses(&name, step).await;
        self.void_if(answer.is_void(), &name)?;
        match answer {
            Lookup::Failed(why) => Err(failed(&name, &why)),
            answer => Ok(self.any_matches(answer.records(), prefixes)),
        }
    }

    /// RFC 7208 §5.4. No exchanger is implied: without MX records nothing matches.
    async fn mx(
        &mut self,
        domain: &QueryName,
        spec: Option<&DomainSpec>,
        prefixes: Prefixes,
        step: &mut TermTrace,
    ) -> Matched {
        self.count()?;
        let Ok(name) = self.target(domain, spec, step).await else {
            return Ok(false);
        };
        let answer = dns::mx(self.dns, &name).await;
        note(step, Question::Mx, &name, &answer, |mx| match &mx.host {
            Some(host) => format!("{} {host}", mx.preference),
            None => format!("{} .", mx.preference),
        });
        self.void_if(answer.is_void(), &name)?;
        if let Lookup::Failed(why) = &answer {
            return Err(failed(&name, why));
        }
        let exchangers = answer.records();
        if exchangers.len() > MOST_NAMES {
            let problem = format!(
                "{name} has {} exchangers; 10 is the most (RFC 7208 §4.6.4)",
                exchangers.len()
            );
            return Err(Stop(Outcome::PermError, problem));
        }
        for host in exchangers.iter().filter_map(|mx| mx.host.as_ref()) {
            // The term has found something: a single exchanger without addresses of this family is no void lookup.
            match self.addresses(host, step).await {
                Lookup::Failed(why) => return Err(failed(host, &why)),
                answer if self.any_matches(answer.records(), prefixes) => return Ok(true),
                _ => {}
            }
        }
        Ok(false)
    }

    /// RFC 7208 §5.5: errors on the way mean no match.
    async fn ptr(&mut self, domain: &QueryName, spec: Option<&DomainSpec>, step: &mut TermTrace) -> Matched {
        self.count()?;
        let Ok(name) = self.target(domain, spec, step).await else {
            return Ok(false);
        };
        let (names, void) = self.validated_names(step).await;
        self.void_if(void, &name)?;
        Ok(names.iter().any(|validated| validated.is_within(&name)))
    }

    /// RFC 7208 §5.7: an A record, whatever the client's family.
    async fn exists(&mut self, domain: &QueryName, spec: &DomainSpec, step: &mut TermTrace) -> Matched {
        self.count()?;
        let Ok(name) = self.target(domain, Some(spec), step).await else {
            return Ok(false);
        };
        let answer = dns::a(self.dns, &name).await;
        note(step, Question::A, &name, &answer, ToString::to_string);
        self.void_if(answer.is_void(), &name)?;
        match answer {
            Lookup::Failed(why) => Err(failed(&name, &why)),
            answer => Ok(!answer.records().is_empty()),
        }
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.lookups += 1;
        if self.lookups > MOST_LOOKUPS {
            let problem = "more than 10 terms ask DNS (RFC 7208 §4.6.4)".to_owned();
            return Err(Stop(Outcome::PermError, problem));
        }
        Ok(())
    }

    fn void_if(&mut self, void: bool, name: &QueryName) -> Result<(), Stop> {
        self.voids += usize::from(void);
        if void && self.voids > MOST_VOIDS {
            let problem = format!("more than 2 terms found nothing, the last at {name} (RFC 7208 §4.6.4)");
            return Err(Stop(Outcome::PermError, problem));
        }
        Ok(())
    }

    fn any_matches(&self, addresses: &[IpAddr], prefixes: Prefixes) -> bool {
        addresses.iter().any(|address| {
            let prefix = if address.is_ipv4() { prefixes.ip4 } else { prefixes.ip6 };
            Network::new(*address, prefix).contains(self.ip)
        })
    }
}

fn failed(name: &QueryName, why: &str) -> Stop {
    Stop(Outcome::TempError, format!("{name}: {why}"))
}
