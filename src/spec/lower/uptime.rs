//! The `uptime` block: contacts and checks made into the neutral form, `tls` checks folded into the `url` check of the
//! same host where the service has it so.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{Findings, Wanted, known_provider};
use crate::base::diagnostic::Diagnostic;
use crate::base::secret::SecretReference;
use crate::base::text;
use crate::model::address::Address;
use crate::model::capability::{Capabilities, UptimeRules};
use crate::model::contact::{Channel, Contact, Guarded, mailbox};
use crate::model::inventory::{Desired, UptimePolicy};
use crate::model::monitor::{
    Alerting, Check, HeaderText, Http, Keyword, Monitor, Status, key_of, marker, stack as stack_from,
};
use crate::model::name::DomainName;
use crate::model::resource::Resource;
use crate::spec::raw_uptime::{self as raw, Alert, HeaderValue, Span};
use crate::spec::shape::{At, Text};

/// Seconds between checks where nothing is said.
const EVERY: u32 = 300;
/// Seconds to wait for an answer where nothing is said.
const TIMEOUT: u32 = 30;
/// Days before a certificate's end where a `tls` check says nothing.
const WARN_BEFORE: u16 = 21;
/// Seconds of a day.
const DAY: u32 = 86_400;
/// The stack of a spec that names no project.
const NO_PROJECT: &str = "default";

/// The block as it is declared, for `lint`.
#[derive(Debug)]
pub(in crate::spec) struct DeclaredUptime {
    /// Where its key is written.
    pub(in crate::spec) at: Range<usize>,
    pub(in crate::spec) contacts: Vec<DeclaredContact>,
    pub(in crate::spec) checks: Vec<DeclaredCheck>,
}

/// A contact as it is declared.
#[derive(Debug)]
pub(in crate::spec) struct DeclaredContact {
    pub(in crate::spec) contact: Contact,
    pub(in crate::spec) name: Text,
}

/// A check as it is declared.
#[derive(Debug)]
pub(in crate::spec) struct DeclaredCheck {
    pub(in crate::spec) monitor: Monitor,
    /// Where its name is written.
    pub(in crate::spec) name: Text,
    /// Where what it is aimed at is written.
    pub(in crate::spec) target: Range<usize>,
    /// Where `warn_before` is written, when it is.
    pub(in crate::spec) warn_before: Option<Range<usize>>,
    /// Whether it is about the certificate alone.
    pub(in crate::spec) is_tls: bool,
    /// Whether somebody is named who is told, rightly or wrongly.
    pub(in crate::spec) is_told: bool,
}

/// Lowers the block.
pub(super) fn uptime(
    block: &raw::Uptime,
    project: Option<&Text>,
    providers: &[Capabilities],
    desired: &mut Desired,
    findings: &mut Findings<'_>,
) -> Option<DeclaredUptime> {
    let name = block.provider.as_ref()?;
    let wanted = Wanted {
        fits: |known| known.uptime.is_some(),
        otherwise: "watches nothing",
    };
    let rules = known_provider(name, providers, wanted, findings)?.uptime?;
    let stack = project.map_or_else(|| NO_PROJECT.to_owned(), |project| stack_from(&project.value));
    desired.uptime = Some(UptimePolicy {
        provider: name.value.clone(),
        stack: stack.clone(),
        unsupported: block
            .on_unsupported
            .as_ref()
            .map_or_else(Default::default, |word| word.value),
    });
    let contacts = contacts(block, &stack, findings);
    let mut declared = DeclaredUptime {
        at: block.at.clone(),
        contacts,
        checks: Vec::new(),
    };
    for check in block.checks.iter().flatten() {
        let lowered = Lowering {
            block,
            contacts: &declared.contacts,
            stack: &stack,
            findings,
        }
        .check(check);
        let Some(lowered) = lowered else { continue };
        if let Some(first) = declared
            .checks
            .iter()
            .find(|first| first.monitor.key == lowered.monitor.key)
        {
            let address = Address::monitor(&lowered.monitor.key);
            let finding = Diagnostic::error("duplicate-check", format!("two checks have the address {address}"))
                .at(findings.place(&lowered.name.range))
                .related(findings.place(&first.name.range), "the first one")
                .help("give one of them another name");
            findings.push(finding);
            continue;
        }
        declared.checks.push(lowered);
    }
    gather(&declared, rules, desired, findings);
    Some(declared)
}

fn contacts(block: &raw::Uptime, stack: &str, findings: &mut Findings<'_>) -> Vec<DeclaredContact> {
    let mut all: Vec<DeclaredContact> = Vec::new();
    for (name, contact) in block.contacts.iter().flat_map(|contacts| &contacts.0) {
        let key = key_of(&name.value);
        if let Some(first) = all.iter().find(|first| first.contact.key == key) {
            let address = Address::contact(&key);
            let finding = Diagnostic::error("duplicate-contact", format!("two contacts have the address {address}"))
                .at(findings.place(&name.range))
                .related(findings.place(&first.name.range), "the first one");
            findings.push(finding);
            continue;
        }
        let Some(channel) = channel(name, contact, findings) else {
            continue;
        };
        let marker = channel.guarded().map(|_| marker(stack, &key));
        all.push(DeclaredContact {
            contact: Contact { key, channel, marker },
            name: name.clone(),
        });
    }
    all
}

fn channel(name: &Text, contact: &raw::Contact, findings: &mut Findings<'_>) -> Option<Channel> {
    if contact.keys.len() != 1 {
        let words = "a contact is one of `email`, `slack`, `webhook` and `sms`";
        findings.error("one-channel", &name.range, words);
        return None;
    }
    let kept = |reference: &SecretReference| Guarded::Kept(reference.clone());
    if let Some(email) = &contact.email {
        let address = mailbox(&email.value);
        if address.is_none() {
            let shown = text::shorten(&text::sanitize(&email.value), 60);
            findings.error("bad-mailbox", &email.range, format!("`{shown}` is no mailbox"));
        }
        return address.map(|address| Channel::Email { address });
    }
    if let Some(hook) = &contact.slack {
        return Some(Channel::Slack {
            hook: kept(&hook.value),
        });
    }
    if let Some(url) = &contact.webhook {
        return Some(Channel::Webhook { url: kept(&url.value) });
    }
    let sms = contact.sms.as_ref()?;
    let number: String = sms
        .value
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.'))
        .collect();
    let digits = number.strip_prefix('+').unwrap_or_default();
    if digits.len() < 6 || digits.len() > 15 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        let words = "a telephone number begins with `+` and its country code (E.164)";
        findings.error("bad-number", &sms.range, words);
        return None;
    }
    Some(Channel::Sms { number })
}

struct Lowering<'a, 'f> {
    block: &'a raw::Uptime,
    contacts: &'a [DeclaredContact],
    stack: &'a str,
    findings: &'a mut Findings<'f>,
}

impl Lowering<'_, '_> {
    fn error(&mut self, code: &'static str, range: &Range<usize>, message: impl Into<String>) {
        self.findings.error(code, range, message);
    }

    fn check(mut self, entry: &raw::Check) -> Option<DeclaredCheck> {
        let name = entry.name.as_ref()?;
        let (check, target) = self.target(entry)?;
        self.only_for_http(entry, &check);
        let is_http = matches!(check, Check::Http(_));
        let is_ping = matches!(check, Check::Ping { .. });
        let is_tls = entry.tls.is_some();
        let key = key_of(&name.value);
        let days = entry.warn_before.as_ref().and_then(|span| self.days(span));
        let days = days.or_else(|| (is_tls && entry.warn_before.is_none()).then_some(WARN_BEFORE));
        let seconds = |span: &Option<At<Span>>| span.as_ref().map(|span| span.value.0);
        let every = seconds(&entry.every).or(seconds(&self.block.every)).unwrap_or(EVERY);
        let monitor = Monitor {
            marker: Some(marker(self.stack, &key)),
            every: Some(every),
            // An echo request has none of its own everywhere.
            timeout: seconds(&entry.timeout).or((!is_ping).then_some(TIMEOUT.min(every))),
            confirm: entry.confirm.as_ref().map(|number| number.value.0),
            regions: entry
                .regions
                .as_ref()
                .map(|all| all.0.iter().map(|region| region.value).collect()),
            verify_tls: is_http.then(|| entry.verify_tls.as_ref().is_none_or(|verify| verify.value)),
            tls_expiry: days.map(|days| BTreeSet::from([days])),
            domain_expiry: entry.warn_domain.as_ref().map(|warn| warn.value),
            paused: entry.paused.as_ref().map(|paused| paused.value),
            contacts: self.told(entry),
            labels: entry
                .labels
                .as_ref()
                .map(|all| all.0.iter().map(|label| label.value.clone()).collect()),
            ..Monitor::new(key, name.value.trim(), check)
        };
        self.bounds(entry, &monitor);
        Some(DeclaredCheck {
            monitor,
            name: name.clone(),
            target,
            warn_before: entry.warn_before.as_ref().map(|span| span.range.clone()),
            is_tls,
            is_told: entry
                .alert
                .as_ref()
                .or(self.block.alert.as_ref())
                .is_some_and(|alert| !alert.0.is_empty()),
        })
    }

    fn target(&mut self, entry: &raw::Check) -> Option<(Check, Range<usize>)> {
        let targets = ["url", "tls", "tcp", "ping"];
        let written: Vec<&Range<usize>> = targets.iter().filter_map(|key| entry.keys.get(key)).collect();
        if written.len() != 1 {
            let at = written.get(1).copied().unwrap_or(&entry.at).clone();
            self.error("one-target", &at, "a check has one of `url`, `tls`, `tcp` and `ping`");
            return None;
        }
        if let Some(url) = &entry.url {
            return Some((Check::Http(self.http(entry, url)), url.range.clone()));
        }
        if let Some(tls) = &entry.tls {
            let (host, port) = self.host_and_port(tls, Some(443))?;
            let url = match port {
                443 => format!("https://{host}/"),
                port => format!("https://{host}:{port}/"),
            };
            // Whatever it answers: what is asked of it is a certificate.
            let status = Status::set((2..=5).map(Status::Class));
            let http = Http {
                url,
                method: "GET".to_owned(),
                status,
                keyword: None,
                follow_redirects: Some(false),
                headers: None,
            };
            return Some((Check::Http(http), tls.range.clone()));
        }
        if let Some(tcp) = &entry.tcp {
            let (host, port) = self.host_and_port(tcp, None)?;
            return Some((Check::Tcp { host, port }, tcp.range.clone()));
        }
        let ping = entry.ping.as_ref()?;
        let host = self.host(ping, &ping.value)?;
        Some((Check::Ping { host }, ping.range.clone()))
    }

    fn http(&mut self, entry: &raw::Check, written: &At<url::Url>) -> Http {
        let mut url = written.value.clone();
        url.set_fragment(None);
        let method = entry
            .method
            .as_ref()
            .map_or_else(|| "GET".to_owned(), |method| method.value.to_ascii_uppercase());
        if !["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&method.as_str()) {
            let range = entry
                .method
                .as_ref()
                .map_or(&written.range, |method| &method.range)
                .clone();
            self.error(
                "bad-method",
                &range,
                "this is no method to check with: GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS",
            );
        }
        let expect = entry.expect.as_ref();
        let statuses = expect.and_then(|expect| expect.status.as_ref());
        let status = match statuses {
            Some(all) => Status::set(all.0.iter().map(|status| status.value)),
            None => Status::set([Status::Class(2)]),
        };
        Http {
            url: url.to_string(),
            method,
            status,
            keyword: expect.and_then(|expect| self.keyword(expect)),
            follow_redirects: Some(entry.follow_redirects.as_ref().is_none_or(|follow| follow.value)),
            headers: self.headers(entry),
        }
    }

    fn keyword(&mut self, expect: &raw::Expect) -> Option<Keyword> {
        let (text, absent) = match (&expect.contains, &expect.lacks) {
            (Some(_), Some(lacks)) => {
                self.error(
                    "one-keyword",
                    &lacks.range,
                    "`contains` and `lacks` exclude each other: make two checks",
                );
                return None;
            }
            (Some(text), None) => (text, false),
            (None, Some(text)) => (text, true),
            (None, None) => return None,
        };
        if text.value.is_empty() {
            self.error("empty-keyword", &text.range, "an empty text is in every answer");
            return None;
        }
        Some(Keyword {
            text: text.value.clone(),
            absent,
            ignore_case: expect.ignore_case.as_ref().map(|ignore| ignore.value),
        })
    }

    fn headers(&mut self, entry: &raw::Check) -> Option<BTreeMap<String, HeaderText>> {
        let table = entry.headers.as_ref()?;
        let mut all = BTreeMap::new();
        for (name, value) in &table.0 {
            let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
            if name.value.is_empty() || !name.value.chars().all(is_token) {
                self.error(
                    "bad-header",
                    &name.range,
                    "this cannot be the name of a header (RFC 9110 §5.1)",
                );
                continue;
            }
            let text = match value {
                HeaderValue::Plain(text) if text.value.chars().any(char::is_control) => {
                    self.error(
                        "bad-header",
                        &text.range,
                        "a header's value holds no control characters",
                    );
                    continue;
                }
                HeaderValue::Plain(text) => HeaderText::Plain(text.value.clone()),
                HeaderValue::Kept(reference) => HeaderText::Guarded(Guarded::Kept(reference.value.clone())),
            };
            if all.insert(name.value.to_ascii_lowercase(), text).is_some() {
                self.error("duplicate-header", &name.range, "this header is given twice");
            }
        }
        Some(all)
    }

    fn host(&mut self, text: &Text, host: &str) -> Option<String> {
        if host.parse::<std::net::IpAddr>().is_ok() {
            return Some(host.to_owned());
        }
        match DomainName::parse(host) {
            Ok(name) if !name.is_wildcard() => Some(name.to_string()),
            Ok(_) => {
                self.error("bad-host", &text.range, "a check asks one host, not a wildcard");
                None
            }
            Err(error) => {
                self.error("bad-host", &text.range, error.to_string());
                None
            }
        }
    }

    fn host_and_port(&mut self, text: &Text, usual: Option<u16>) -> Option<(String, u16)> {
        let value = text.value.as_str();
        let (host, port) = match value.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
            _ => (value, None),
        };
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        let port = match (port, usual) {
            (None, Some(usual)) => Some(usual),
            (None, None) => None,
            (Some(port), _) => port.parse().ok().filter(|port| *port > 0),
        };
        let Some(port) = port else {
            self.error("bad-port", &text.range, "write HOST:PORT with a port from 1 to 65535");
            return None;
        };
        Some((self.host(text, host)?, port))
    }

    fn only_for_http(&mut self, entry: &raw::Check, check: &Check) {
        if matches!(check, Check::Http(_)) && entry.url.is_some() {
            return;
        }
        let of_http = ["method", "headers", "expect", "follow_redirects"];
        let of_tls: &[&str] = if entry.tls.is_some() {
            &[]
        } else {
            &["verify_tls", "warn_before"]
        };
        for key in of_http.iter().chain(of_tls) {
            if let Some(range) = entry.keys.get(key) {
                let range = range.clone();
                self.error(
                    "not-for-this-check",
                    &range,
                    format!("`{key}` belongs to a check with `url`"),
                );
            }
        }
    }

    fn days(&mut self, span: &At<Span>) -> Option<u16> {
        let days = span.value.0 / DAY;
        match u16::try_from(days) {
            Ok(days @ 1..=365) if span.value.0.is_multiple_of(DAY) => Some(days),
            _ => {
                self.error("bad-days", &span.range, "write whole days, from 1d to 365d");
                None
            }
        }
    }

    fn bounds(&mut self, entry: &raw::Check, monitor: &Monitor) {
        let at = |key: &str| entry.keys.get(key).unwrap_or(&entry.at).clone();
        if monitor.every == Some(0) {
            self.error("bad-interval", &at("every"), "a check is made every second at most");
        }
        if monitor.timeout == Some(0) {
            self.error("bad-timeout", &at("timeout"), "no answer comes in no time");
        }
    }

    /// Who is told: what the check says, else what the block says; `None` when neither says anything.
    fn told(&mut self, entry: &raw::Check) -> Option<BTreeMap<String, Alerting>> {
        let list = entry.alert.as_ref().or(self.block.alert.as_ref())?;
        let mut told = BTreeMap::new();
        for alert in &list.0 {
            let (name, alerting) = match alert {
                Alert::Name(name) => (Some(name), Alerting::default()),
                Alert::Told(entry) => {
                    let minutes = |span: &Option<At<Span>>| span.as_ref().map_or(0, |span| span.value.0.div_ceil(60));
                    let alerting = Alerting {
                        after: minutes(&entry.after),
                        repeat: minutes(&entry.repeat),
                    };
                    (entry.contact.as_ref(), alerting)
                }
            };
            let Some(name) = name else { continue };
            let found = self.contacts.iter().find(|contact| contact.name.value == name.value);
            match found {
                Some(contact) => {
                    told.insert(contact.contact.key.clone(), alerting);
                }
                None => self.no_such_contact(name),
            }
        }
        Some(told)
    }

    fn no_such_contact(&mut self, name: &Text) {
        // A contact that was wrong in itself has been told of.
        let written = self.block.contacts.iter().flat_map(|contacts| &contacts.0);
        let names: Vec<&str> = written.map(|(name, _)| name.value.as_str()).collect();
        if names.contains(&name.value.as_str()) {
            return;
        }
        let shown = text::shorten(&text::sanitize(&name.value), 60);
        let mut finding = Diagnostic::error("unknown-contact", format!("there is no contact called `{shown}`"))
            .at(self.findings.place(&name.range));
        finding = match text::nearest(&name.value, names.iter().copied()) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding.help("declare it under `contacts`"),
        };
        self.findings.push(finding);
    }
}

/// Puts contacts and checks into the inventory.
fn gather(declared: &DeclaredUptime, rules: UptimeRules, desired: &mut Desired, findings: &mut Findings<'_>) {
    for contact in &declared.contacts {
        let address = Address::contact(&contact.contact.key);
        desired
            .places
            .insert(address.clone(), findings.place(&contact.name.range));
        desired
            .inventory
            .insert(address, Resource::Contact(contact.contact.clone()));
    }
    let mut monitors: BTreeMap<Address, Monitor> = BTreeMap::new();
    let (certificates, others): (Vec<_>, Vec<_>) = declared.checks.iter().partition(|check| check.is_tls);
    for check in &others {
        let address = Address::monitor(&check.monitor.key);
        desired
            .places
            .insert(address.clone(), findings.place(&check.name.range));
        monitors.insert(address, check.monitor.clone());
    }
    for check in certificates {
        let host = https_host(&check.monitor);
        let holder = others
            .iter()
            .find(|other| rules.folds_tls && https_host(&other.monitor) == host);
        let place = findings.place(&check.name.range);
        match holder.and_then(|holder| monitors.get_mut(&Address::monitor(&holder.monitor.key))) {
            Some(holder) => fold(check, holder, findings),
            None => {
                let address = Address::monitor(&check.monitor.key);
                desired.places.insert(address.clone(), place);
                monitors.insert(address, check.monitor.clone());
            }
        }
    }
    let resources = monitors
        .into_iter()
        .map(|(address, monitor)| (address, Resource::Monitor(Box::new(monitor))));
    desired.inventory.extend(resources);
}

/// The host and port of a check over TLS.
fn https_host(monitor: &Monitor) -> Option<(String, u16)> {
    let url = url::Url::parse(&monitor.check.http()?.url).ok()?;
    let host = url.host_str().filter(|_| url.scheme() == "https")?.to_owned();
    Some((host, url.port_or_known_default()?))
}

/// A certificate's check becomes a part of a monitor of the same host.
fn fold(check: &DeclaredCheck, holder: &mut Monitor, findings: &mut Findings<'_>) {
    let days = check.monitor.tls_expiry.iter().flatten().copied();
    holder.tls_expiry.get_or_insert_default().extend(days);
    if check.monitor.contacts != holder.contacts {
        let message = format!(
            "the certificate is watched by {}, so whoever that check tells is told of it too, and nobody else",
            Address::monitor(&holder.key)
        );
        let finding = Diagnostic::warning("folded-alert", message)
            .at(findings.place(&check.name.range))
            .about(Address::monitor(&holder.key).as_str());
        findings.push(finding);
    }
}
