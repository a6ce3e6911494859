//! Checks: what is said of each beside what it asks.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{DeclaredCheck, DeclaredContact, DeclaredWindow};
use crate::base::diagnostic::Diagnostic;
use crate::base::text;
use crate::model::capability::UptimeRules;
use crate::model::monitor::{Alerting, Check, DomainExpiry, Monitor, key_of, marker};
use crate::model::window::Rest;
use crate::spec::lower::Findings;
use crate::spec::raw_uptime::{self as raw, Alert, Span, WarnDomain};
use crate::spec::shape::{At, Text};

/// Seconds between checks where nothing is said.
const EVERY: u32 = 300;
/// Seconds to wait for an answer where nothing is said.
const TIMEOUT: u32 = 30;
/// Days before a certificate's end where a `tls` check says nothing.
const WARN_BEFORE: u16 = 21;
/// Seconds of a day.
const DAY: u32 = 86_400;

/// What a check is lowered with.
pub(super) struct Lowering<'a, 'f> {
    pub(super) block: &'a raw::Uptime,
    pub(super) contacts: &'a [DeclaredContact],
    pub(super) windows: &'a [DeclaredWindow],
    pub(super) rules: UptimeRules,
    pub(super) stack: &'a str,
    pub(super) findings: &'a mut Findings<'f>,
}

impl Lowering<'_, '_> {
    pub(super) fn error(&mut self, code: &'static str, range: &Range<usize>, message: impl Into<String>) {
        self.findings.error(code, range, message);
    }

    pub(super) fn check(mut self, entry: &raw::Check) -> Option<DeclaredCheck> {
        let name = entry.name.as_ref()?;
        let (check, target) = self.target(entry)?;
        self.only_where_it_belongs(entry, &check);
        let is_tls = entry.tls.is_some();
        let key = key_of(entry.key.as_ref().map_or(&name.value, |key| &key.value));
        if let Some(written) = entry.key.as_ref().filter(|written| written.value != key) {
            let range = written.range.clone();
            self.error(
                "bad-key",
                &range,
                "a key is lower-case letters, digits and single hyphens",
            );
        }
        let seconds = |span: &Option<At<Span>>| span.as_ref().map(|span| span.value.0);
        let said = seconds(&entry.heartbeat).or(seconds(&entry.every));
        let every = said.or(seconds(&self.block.every)).unwrap_or(EVERY);
        // An echo request and a question have none of their own everywhere, and nobody is asked for a call.
        let waits = matches!(check, Check::Http(_) | Check::Tcp { .. });
        let is_http = check.http().is_some();
        let longest = if is_http {
            TIMEOUT
        } else {
            self.rules.longest_connection
        };
        let monitor = Monitor {
            marker: Some(marker(self.stack, &key)),
            every: Some(every),
            timeout: seconds(&entry.timeout).or(waits.then_some(TIMEOUT.min(every).min(longest))),
            confirm: entry.confirm.as_ref().map(|confirm| confirm.value),
            recover: seconds(&entry.recover),
            regions: entry
                .regions
                .as_ref()
                .map(|all| all.0.iter().map(|region| region.value).collect()),
            verify_tls: is_http.then(|| entry.verify_tls.as_ref().is_none_or(|verify| verify.value)),
            tls_expiry: self.certificate_days(entry),
            domain_expiry: self.warn_domain(entry),
            paused: entry.paused.as_ref().map(|paused| paused.value),
            contacts: self.told(entry),
            maintenance: self.maintenance(entry),
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
            warn_before: entry
                .warn_before
                .as_ref()
                .and_then(|all| all.0.first())
                .map(|span| span.range.clone()),
            is_tls,
            is_told: entry
                .alert
                .as_ref()
                .or(self.block.alert.as_ref())
                .is_some_and(|alert| !alert.0.is_empty()),
        })
    }

    /// Keys that mean nothing for a check of this kind.
    fn only_where_it_belongs(&mut self, entry: &raw::Check, check: &Check) {
        let belongs: [(&[&str], &str, bool); 5] = [
            (
                &["method", "headers", "body", "expect", "follow_redirects"],
                "url",
                entry.url.is_some(),
            ),
            (&["verify_tls", "warn_before"], "url", check.http().is_some()),
            (&["record", "answers", "server"], "dns", entry.dns.is_some()),
            (&["grace"], "heartbeat", entry.heartbeat.is_some()),
            (
                &["every", "timeout", "confirm", "recover", "regions", "warn_domain"],
                "url",
                entry.heartbeat.is_none(),
            ),
        ];
        for (keys, whose, is_meant) in belongs {
            for key in keys.iter().filter(|_| !is_meant) {
                if let Some(range) = entry.keys.get(key) {
                    let range = range.clone();
                    self.error(
                        "not-for-this-check",
                        &range,
                        format!("`{key}` belongs to a check with `{whose}`"),
                    );
                }
            }
        }
    }

    /// Days before a certificate's end.
    fn certificate_days(&mut self, entry: &raw::Check) -> Option<BTreeSet<u16>> {
        match &entry.warn_before {
            Some(all) => Some(all.0.iter().filter_map(|span| self.days(span)).collect()),
            None => entry.tls.as_ref().map(|_| BTreeSet::from([self.usual_days()])),
        }
    }

    /// Days where nothing is said: the usual ones, or the nearest that the provider has below them.
    fn usual_days(&self) -> u16 {
        let lower = self.rules.days_before.iter().rev().find(|days| **days <= WARN_BEFORE);
        lower.copied().unwrap_or(WARN_BEFORE)
    }

    fn warn_domain(&mut self, entry: &raw::Check) -> Option<DomainExpiry> {
        let warn = entry.warn_domain.as_ref()?;
        match warn.value {
            WarnDomain::Whether(watched) => Some(DomainExpiry::Watched(watched)),
            WarnDomain::Before(span) => self.days(&warn.map(span)).map(DomainExpiry::Days),
        }
    }

    /// The windows that it names.
    fn maintenance(&mut self, entry: &raw::Check) -> Option<BTreeSet<Rest>> {
        let names = &entry.maintenance.as_ref()?.0;
        let mut all = BTreeSet::new();
        for name in names {
            let found = self.windows.iter().find(|window| window.name.value == name.value);
            match found {
                Some(found) if self.rules.keeps_windows => {
                    all.insert(Rest::Kept(found.maintenance.key.clone()));
                }
                Some(found) => {
                    all.insert(Rest::Own(found.maintenance.window.clone()));
                }
                None => {
                    let written = self.block.maintenance.iter().flat_map(|windows| &windows.0);
                    let known: Vec<&str> = written.map(|(name, _)| name.value.as_str()).collect();
                    self.unknown(name, &known, "unknown-window", "maintenance window", "maintenance");
                }
            }
        }
        Some(all)
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
        let written = self.block.contacts.iter().flat_map(|contacts| &contacts.0);
        let names: Vec<&str> = written.map(|(name, _)| name.value.as_str()).collect();
        self.unknown(name, &names, "unknown-contact", "contact", "contacts");
    }

    /// Nothing is known under this name. What was wrong in itself has been told of.
    fn unknown(&mut self, name: &Text, names: &[&str], code: &'static str, what: &str, key: &str) {
        if names.contains(&name.value.as_str()) {
            return;
        }
        let shown = text::shorten(&text::sanitize(&name.value), 60);
        let mut finding = Diagnostic::error(code, format!("there is no {what} called `{shown}`"))
            .at(self.findings.place(&name.range));
        finding = match text::nearest(&name.value, names.iter().copied()) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding.help(format!("declare it under `{key}`")),
        };
        self.findings.push(finding);
    }
}
