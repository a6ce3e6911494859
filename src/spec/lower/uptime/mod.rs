//! The `uptime` block: contacts and checks made into the neutral form, `tls` checks folded into the `url` check of the
//! same host where the service has it so.

mod check;
mod contact;
mod maintenance;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{Findings, Wanted, known_provider};
use crate::base::diagnostic::Diagnostic;
use crate::base::text;
use crate::model::address::Address;
use crate::model::capability::{Capabilities, UptimeRules};
use crate::model::contact::Contact;
use crate::model::inventory::{Desired, UptimePolicy};
use crate::model::monitor::{Monitor, stack as stack_from};
use crate::model::resource::Resource;
use crate::model::window::{Maintenance, Rest};
use crate::spec::lint;
use crate::spec::raw_uptime as raw;
use crate::spec::shape::Text;
use check::Lowering;

/// The stack of a spec that names no project.
const NO_PROJECT: &str = "default";

/// The block as it is declared, for `lint`.
#[derive(Debug)]
pub(in crate::spec) struct DeclaredUptime {
    /// Where its key is written.
    pub(in crate::spec) at: Range<usize>,
    /// The codes of warnings that are meant.
    pub(in crate::spec) accept: BTreeSet<String>,
    pub(in crate::spec) contacts: Vec<DeclaredContact>,
    pub(in crate::spec) windows: Vec<DeclaredWindow>,
    pub(in crate::spec) checks: Vec<DeclaredCheck>,
}

/// A contact as it is declared.
#[derive(Debug)]
pub(in crate::spec) struct DeclaredContact {
    pub(in crate::spec) contact: Contact,
    pub(in crate::spec) name: Text,
}

/// A maintenance window as it is declared.
#[derive(Debug)]
pub(in crate::spec) struct DeclaredWindow {
    pub(in crate::spec) maintenance: Maintenance,
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
    let mut declared = DeclaredUptime {
        at: block.at.clone(),
        accept: accept(block, findings),
        contacts: contact::contacts(block, &stack, findings),
        windows: maintenance::windows(block, &stack, findings),
        checks: Vec::new(),
    };
    for check in block.checks.iter().flatten() {
        let lowered = Lowering {
            block,
            contacts: &declared.contacts,
            windows: &declared.windows,
            rules,
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
                .help("give one of them another name, or a `key` of its own");
            findings.push(finding);
            continue;
        }
        declared.checks.push(lowered);
    }
    gather(&declared, rules, desired, findings);
    Some(declared)
}

/// The codes that are accepted, each of which there must be.
fn accept(block: &raw::Uptime, findings: &mut Findings<'_>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for code in block.accept.iter().flatten() {
        if lint::OF_UPTIME.contains(&code.value.as_str()) {
            all.insert(code.value.clone());
            continue;
        }
        let shown = text::shorten(&text::sanitize(&code.value), 60);
        let message = format!("there is no warning `{shown}` about checks that can be accepted");
        let finding = Diagnostic::error("unknown-code", message).at(findings.place(&code.range));
        findings.push(match text::nearest(&code.value, lint::OF_UPTIME.iter().copied()) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding.help(format!("known are {}", lint::OF_UPTIME.join(", "))),
        });
    }
    all
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
    // One that no check is in would only be kept.
    let (certificates, others): (Vec<_>, Vec<_>) = declared.checks.iter().partition(|check| check.is_tls);
    let holder_of = |check: &DeclaredCheck| {
        let host = https_host(&check.monitor);
        let alike = others
            .iter()
            .filter(|other| rules.folds_tls && https_host(&other.monitor) == host);
        // One that is paused watches nothing.
        alike.min_by_key(|other| other.monitor.paused == Some(true))
    };
    let stays = |check: &&&DeclaredCheck| holder_of(check).is_none();
    let named: BTreeSet<&Rest> = others
        .iter()
        .chain(certificates.iter().filter(stays))
        .flat_map(|check| check.monitor.maintenance.iter().flatten())
        .collect();
    for window in &declared.windows {
        let key = &window.maintenance.key;
        if named.contains(&Rest::Kept(key.clone())) {
            let address = Address::maintenance(key);
            desired
                .places
                .insert(address.clone(), findings.place(&window.name.range));
            desired
                .inventory
                .insert(address, Resource::Maintenance(window.maintenance.clone()));
        }
    }
    let mut monitors: BTreeMap<Address, Monitor> = BTreeMap::new();
    for check in &others {
        let address = Address::monitor(&check.monitor.key);
        desired
            .places
            .insert(address.clone(), findings.place(&check.name.range));
        monitors.insert(address, check.monitor.clone());
    }
    for check in certificates {
        let holder = holder_of(check);
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

/// A certificate's check becomes a part of a monitor of the same host. What it says of itself that the monitor does not
/// is told: there is one pause, one set of labels and one of windows for both.
fn fold(check: &DeclaredCheck, holder: &mut Monitor, findings: &mut Findings<'_>) {
    let mut lost = |code: &'static str, what: &str| {
        let message = format!(
            "the certificate is watched by {}, {what}",
            Address::monitor(&holder.key)
        );
        let finding = Diagnostic::warning(code, message)
            .at(findings.place(&check.name.range))
            .about(Address::monitor(&holder.key).as_str());
        findings.push(finding);
    };
    let is_paused = |monitor: &Monitor| monitor.paused == Some(true);
    if is_paused(&check.monitor) {
        // What is not to be watched need not become a part of anything.
        return;
    }
    if is_paused(holder) {
        lost("folded-check", "which is paused: nobody watches it until that goes on");
    }
    if check.monitor.labels.is_some() && check.monitor.labels != holder.labels {
        lost("folded-check", "so the labels are that check's");
    }
    if check.monitor.maintenance.is_some() && check.monitor.maintenance != holder.maintenance {
        lost("folded-check", "so it rests when that check does");
    }
    if check.monitor.verify_tls == Some(true) && holder.verify_tls == Some(false) {
        lost("folded-check", "which does not look whether it can be trusted");
    }
    if let Some(domain) = check.monitor.domain_expiry {
        if holder.domain_expiry.is_none() {
            holder.domain_expiry = Some(domain);
        } else if holder.domain_expiry != Some(domain) {
            lost("folded-check", "so the end of the domain is told as that check says");
        }
    }
    if check.monitor.contacts != holder.contacts {
        lost(
            "folded-alert",
            "so whoever that check tells is told of it too, and nobody else",
        );
    }
    let days = check.monitor.tls_expiry.iter().flatten().copied();
    holder.tls_expiry.get_or_insert_default().extend(days);
}
