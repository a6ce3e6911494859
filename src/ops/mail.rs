//! `mail`: a domain's mail as the world sees it, with or without a spec; one SPF evaluation step by step; the MTA-STS
//! policy that a spec declares.

use std::collections::BTreeSet;
use std::net::IpAddr;

use futures_util::future::join3;
use jiff::Timestamp;

use crate::mail::dns::{self, Lookup, QueryName};
use crate::mail::findings::facts::{Declared, ExpectedKey, Facts, Selector};
use crate::mail::findings::{Finding, Judgement, gather::gather, judge};
use crate::mail::mta_sts;
use crate::mail::presets::{self, Preset, Role};
use crate::mail::spf::{self, Client, Evaluation, Mechanism, TermKind, check_host};
use crate::model::name::DomainName;
use crate::ops::problem::Problem;
use crate::ops::session::{Setting, load};
use crate::spec::MailDomain;
use crate::verify::resolver::{Resolver, ResolverAddress};
use crate::verify::served_policy;

/// How a domain is asked about.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Whom to ask; the system's resolvers otherwise.
    pub resolver: Option<ResolverAddress>,
    /// DKIM selectors to look at, beside those that are declared.
    pub selectors: Vec<String>,
}

/// A domain that was checked.
#[derive(Debug)]
pub struct Checked {
    /// The domain.
    pub domain: QueryName,
    /// Who was asked, for people.
    pub resolver: String,
    /// When.
    pub at: Timestamp,
    /// Whether a spec says what to expect.
    pub is_declared: bool,
    /// What is worth knowing about how it was checked.
    pub notes: Vec<String>,
    /// Everything that was answered.
    pub facts: Facts,
    /// What follows from it.
    pub judgement: Judgement,
    /// Findings that the spec means to be so.
    pub accepted: BTreeSet<String>,
}

impl Checked {
    /// Whether the spec means this to be so.
    pub fn is_accepted(&self, finding: &Finding) -> bool {
        self.accepted.contains(finding.id)
    }

    /// How many findings of a severity there are, accepted ones aside.
    pub fn count(&self, severity: crate::base::diagnostic::Severity) -> usize {
        let counts = |finding: &&Finding| finding.severity == severity && !self.is_accepted(finding);
        self.judgement.findings.iter().filter(counts).count()
    }
}

/// Asks and judges.
pub async fn check(setting: &Setting, domain: &str, question: &Question) -> Result<Checked, Problem> {
    let name = domain_name(domain)?;
    let resolver = resolver(setting, question.resolver)?;
    let (declared, mut notes) = from_spec(setting, &name);
    let is_declared = declared.is_some();
    match presence(&resolver, &QueryName::from(&name)).await {
        Presence::There => {}
        Presence::Unknown(why) => {
            let message = format!("DNS did not answer at {}; nothing could be judged", resolver.name());
            return Err(Problem::new("no-answer", message).help(format!(
                "the first question failed ({why}); --resolver ADDR asks another server"
            )));
        }
        Presence::Nowhere if is_declared => notes.push(format!("{}: nothing of it is published yet", nowhere(&name))),
        Presence::Nowhere => {
            return Err(Problem::new("no-such-domain", nowhere(&name)).help("look at how it is spelled"));
        }
    }
    let (mut expected, accepted) = match declared {
        Some(mail) => {
            let mut expected = mail.declared;
            expected.own_policy = mail.policy;
            (expected, mail.accepted)
        }
        None => {
            let mut expected = Declared::new(QueryName::from(&name));
            expected.registered = psl::domain_str(name.as_str()).and_then(|name| QueryName::parse(name).ok());
            expected.selectors = likely_selectors(&resolver, &name).await;
            (expected, BTreeSet::new())
        }
    };
    for selector in &question.selectors {
        let owner = format!("{selector}._domainkey.{name}");
        DomainName::parse(&owner)
            .map_err(|error| Problem::new("arguments", format!("the selector `{selector}`: {error}")))?;
        expected
            .selectors
            .retain(|known| known.selector != *selector || is_declared);
        if !expected.selectors.iter().any(|known| known.selector == *selector) {
            expected.selectors.push(likely(selector, &name, "--selector", true));
        }
    }
    // What a spec declares is not yet what is served.
    expected.policy = None;
    if announces_a_policy(&resolver, &expected.domain).await {
        expected.policy = Some(served_policy::fetch(&resolver, &expected.domain, setting.timeout).await);
    }
    let facts = gather(&resolver, expected).await;
    Ok(Checked {
        domain: QueryName::from(&name),
        resolver: resolver.name().to_owned(),
        at: setting.clock.now(),
        is_declared,
        notes,
        judgement: judge(&facts),
        facts,
        accepted,
    })
}

/// What DNS says of a domain as a whole.
enum Presence {
    There,
    /// NXDOMAIN.
    Nowhere,
    /// No question about it got an answer; why the first did not.
    Unknown(String),
}

async fn presence(resolver: &Resolver, domain: &QueryName) -> Presence {
    let (txt, mx, address) = join3(
        dns::txt(resolver, domain),
        dns::mx(resolver, domain),
        dns::a(resolver, domain),
    )
    .await;
    match (&txt, &mx, &address) {
        (Lookup::Failed(why), Lookup::Failed(_), Lookup::Failed(_)) => Presence::Unknown(why.clone()),
        (Lookup::NoSuchName, Lookup::NoSuchName, Lookup::NoSuchName) => Presence::Nowhere,
        _ => Presence::There,
    }
}

fn nowhere(domain: &DomainName) -> String {
    format!("{domain} does not exist in DNS (a typo, or a registration that is not there)")
}

/// One SPF evaluation, step by step.
pub async fn trace(
    setting: &Setting,
    ip: IpAddr,
    sender: &str,
    helo: Option<&str>,
    address: Option<ResolverAddress>,
) -> Result<(Evaluation, String), Problem> {
    let resolver = resolver(setting, address)?;
    let domain = sender.rsplit_once('@').map_or(sender, |(_, domain)| domain);
    let mut client = Client::new(ip, sender, helo.unwrap_or(domain));
    client.time = u64::try_from(setting.clock.now().as_second()).unwrap_or(0);
    let evaluation = check_host(&resolver, &client).await;
    Ok((evaluation, resolver.name().to_owned()))
}

/// The MTA-STS policy that the spec declares for a domain, as it is to be served.
pub fn policy(setting: &Setting, domain: &str) -> Result<mta_sts::Policy, Problem> {
    let name = domain_name(domain)?;
    let (spec, _) = load(setting)?;
    let policy = spec.mail.get(&name).and_then(|mail| mail.policy.clone());
    policy.ok_or_else(|| {
        Problem::new("no-policy", format!("the spec declares no MTA-STS policy for {name}"))
            .help(format!("write `mta_sts` under `email` of the zone {name}"))
    })
}

fn domain_name(text: &str) -> Result<DomainName, Problem> {
    DomainName::parse(text)
        .map_err(|error| Problem::new("arguments", format!("this is no domain: {error}")))
        .and_then(|name| {
            let is_whole = name.parent().is_some() && !name.is_wildcard();
            is_whole
                .then_some(name)
                .ok_or_else(|| Problem::new("arguments", "a domain such as acme.example is needed"))
        })
}

pub(super) fn resolver(setting: &Setting, address: Option<ResolverAddress>) -> Result<Resolver, Problem> {
    Resolver::new(address, setting.timeout).map_err(|error| {
        Problem::new("no-resolver", error.to_string()).help("name one with --resolver ADDR or --resolver ADDR:PORT")
    })
}

/// What the spec says of the domain. A spec that cannot be read is no reason not to look.
fn from_spec(setting: &Setting, domain: &DomainName) -> (Option<MailDomain>, Vec<String>) {
    if !setting.spec.exists() {
        return (None, Vec::new());
    }
    match load(setting) {
        Ok((mut spec, _)) => (spec.mail.remove(domain), Vec::new()),
        Err(_) => {
            let spec = setting.spec.display();
            let note =
                format!("{spec} has errors, so the domain was checked without it: `launchctl validate` shows them");
            (None, vec![note])
        }
    }
}

async fn announces_a_policy(resolver: &Resolver, domain: &QueryName) -> bool {
    match domain.prefixed("_mta-sts") {
        Ok(name) => dns::txt(resolver, &name)
            .await
            .records()
            .iter()
            .any(|value| mta_sts::is_record(value)),
        Err(_) => false,
    }
}

/// The selectors that the domain's providers use by custom: they are looked at, and nobody is blamed when they are not
/// there.
async fn likely_selectors(resolver: &Resolver, domain: &DomainName) -> Vec<Selector> {
    let name = QueryName::from(domain);
    let mx = dns::mx(resolver, &name).await;
    let txt = dns::txt(resolver, &name).await;
    let hosts = mx.records().iter().filter_map(|mx| mx.host.as_ref()?.to_domain_name());
    let includes = txt
        .records()
        .iter()
        .filter(|value| spf::is_spf(value))
        .flat_map(|value| includes(value));
    let mut providers: Vec<&'static Preset> = hosts
        .chain(includes)
        .filter_map(|host| presets::provider_of(&host))
        .collect();
    providers.dedup();
    let mut out: Vec<Selector> = Vec::new();
    for preset in providers {
        for template in preset.send.iter().filter(|template| template.role == Role::Dkim) {
            let Some(label) = template.name.strip_suffix("._domainkey") else {
                continue;
            };
            let default = preset.parameter("selector").and_then(|parameter| parameter.default);
            let selector = if label == "{selector}" {
                default.unwrap_or(label)
            } else {
                label
            };
            if !selector.contains('{') && !out.iter().any(|known| known.selector == selector) {
                out.push(likely(selector, domain, preset.name, false));
            }
        }
    }
    // What is not there is not held against anybody: no provider has to use its usual selector.
    let mut found = Vec::new();
    for selector in out {
        let Ok(at) = selector.domain.prefixed(&format!("{}._domainkey", selector.selector)) else {
            continue;
        };
        if !dns::txt(resolver, &at).await.records().is_empty() {
            found.push(selector);
        }
    }
    found
}

fn includes(value: &[u8]) -> Vec<DomainName> {
    let Ok(record) = spf::parse_value(value) else {
        return Vec::new();
    };
    let targets = record.terms.iter().filter_map(|term| match &term.kind {
        TermKind::Directive(directive) => match &directive.mechanism {
            Mechanism::Include(target) => DomainName::parse(&target.to_string()).ok(),
            _ => None,
        },
        TermKind::Modifier(_) => None,
    });
    targets.collect()
}

fn likely(selector: &str, domain: &DomainName, owner: &str, is_active: bool) -> Selector {
    Selector {
        selector: selector.to_owned(),
        domain: QueryName::from(domain),
        owner: owner.to_owned(),
        expected: ExpectedKey::Any,
        is_active,
    }
}
