//! `import --uptime`: an account of checks, contacts and maintenance windows, written down as an `uptime` block. The text
//! is loaded and compared with what was read before anybody gets it: beside the marks that make a check the spec's, planning
//! it must change nothing. What does not come out so is a comment with the reason. Reads only.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::Imported;
use crate::base::diagnostic::{Diagnostics, Place, Severity};
use crate::base::few_eyes::is_credential;
use crate::base::files;
use crate::base::secret::SecretReference;
use crate::model::address::Address;
use crate::model::check::{Check, Http, SentText};
use crate::model::contact::{Channel, Contact, Guarded};
use crate::model::inventory::{Unsupported, UptimePolicy};
use crate::model::monitor::{Monitor, key_of};
use crate::model::resource::Resource;
use crate::model::window::{Maintenance, Repeats, Rest, UTC, Window};
use crate::ops::problem::Problem;
use crate::ops::session::{Extent, Session, Setting, load, load_text};
use crate::provider::{self, Profile, Reading, Sought, checks};
use crate::spec::Spec;
use crate::spec::emit::{self, Emitted, EmittedUptime, Form, Head, Part, Written};

/// Reads the account at `service` and writes it down as a spec of its own.
pub async fn uptime(setting: &Setting, service: &str) -> Result<Imported, Problem> {
    let profile = profile(service)?;
    let nothing = Spec::nothing(&setting.spec.display().to_string());
    let reading = read(setting, nothing, profile).await?;
    let mut words = about(setting, profile, &reading);
    words.push("Name what is launched before the first apply, as `project`: it is a part of the marks.".to_owned());
    let head = Head {
        words,
        tokens: BTreeMap::from([(service.to_owned(), profile.token_variable.to_owned())]),
    };
    let written = |account: &EmittedUptime| emit::emit_uptime(account, Some(&head));
    let fitted = fit(setting, "", &written, &reading, profile)?;
    Ok(fitted.imported)
}

/// Adds the account at `service` to the spec of `setting`, which has no `uptime` block yet.
pub async fn uptime_into(setting: &Setting, service: &str) -> Result<Imported, Problem> {
    let profile = profile(service)?;
    let (before, _) = load(setting)?;
    if before.desired.uptime.is_some() {
        let words = format!("{} has an `uptime` block already", setting.spec.display());
        return Err(Problem::new("has-uptime", words)
            .help("import into a file of its own with --out, and take over what is missing by hand"));
    }
    let mut nothing = Spec::nothing(&setting.spec.display().to_string());
    nothing.providers = before.providers.clone();
    let reading = read(setting, nothing, profile).await?;
    let words = about(setting, profile, &reading);
    let written = |account: &EmittedUptime| {
        let account = EmittedUptime {
            about: words.clone(),
            ..account.clone()
        };
        emit::emit_uptime(&account, None)
    };
    let mut prefix = before.source.text.clone();
    prefix.push_str(if prefix.ends_with('\n') { "\n" } else { "\n\n" });
    let fitted = fit(setting, &prefix, &written, &reading, profile)?;
    let is_kept = |(address, resource): (&Address, &Resource)| {
        let now = fitted.spec.desired.inventory.get(address);
        now.is_some_and(|now| now.content() == resource.content())
    };
    if !before.desired.inventory.iter().all(is_kept) {
        return Err(
            Problem::new("spec-edit", "what the spec declared would be declared otherwise")
                .help("this is a fault of launchctl: nothing was written"),
        );
    }
    files::write_atomic(&setting.spec, fitted.imported.text.as_bytes())?;
    Ok(fitted.imported)
}

fn profile(service: &str) -> Result<&'static Profile, Problem> {
    let unknown = || Problem::new("unknown-provider", format!("there is no provider called `{service}`"));
    provider::profile(service)
        .filter(|profile| profile.capabilities.uptime.is_some())
        .ok_or_else(unknown)
}

/// Reads all that is there.
async fn read(setting: &Setting, mut nothing: Spec, profile: &Profile) -> Result<Reading, Problem> {
    let name = profile.capabilities.name.to_owned();
    nothing.desired.uptime = Some(UptimePolicy {
        provider: name.clone(),
        stack: String::new(),
        unsupported: Unsupported::Refuse,
    });
    let session = Session::with(setting, nothing, Diagnostics::new()).await?;
    let sought = Sought {
        everything: true,
        ..Sought::default()
    };
    let extent = Extent {
        zones: BTreeMap::new(),
        uptime: Some((name, sought)),
        by_name: false,
    };
    session.read(&extent, &[], &[]).await
}

/// Where it is from and when, and what becomes of it.
fn about(setting: &Setting, profile: &Profile, reading: &Reading) -> Vec<String> {
    let title = profile.capabilities.title;
    let now = setting.clock.now().to_zoned(TimeZone::UTC);
    let place = reading.uptime.as_ref().and_then(|facts| facts.elsewhere.clone());
    let place = place.map_or_else(String::new, |place| format!(" ({place})"));
    vec![
        format!(
            "Imported from {title}{place} on {} by `launchctl import`.",
            now.strftime("%Y-%m-%d at %H:%M UTC")
        ),
        "The first apply only marks these checks as this spec's: nothing is made, deleted or changed otherwise."
            .to_owned(),
        "What a spec cannot say is a comment with the reason: it is live, unmanaged, and left as it is.".to_owned(),
    ]
}

/// What came of it.
struct Fitted {
    imported: Imported,
    spec: Spec,
}

/// Writes, loads, compares, and does so again until it fits.
fn fit(
    setting: &Setting,
    prefix: &str,
    written: &dyn Fn(&EmittedUptime) -> Emitted,
    reading: &Reading,
    profile: &Profile,
) -> Result<Fitted, Problem> {
    let mut refused = Refused::new();
    let offset = prefix.lines().count();
    // Each round leaves at least one thing out, so it ends.
    loop {
        let account = Account::new(reading, profile, &refused);
        let emitted = written(&account.emitted);
        let text = format!("{prefix}{}", emitted.text);
        let path = if prefix.is_empty() {
            "the imported spec".to_owned()
        } else {
            setting.spec.display().to_string()
        };
        let count = refused.len();
        match load_text(setting, &path, text.clone()) {
            Ok((spec, _)) => account.refuse_what_differs(&spec, &mut refused),
            Err(Problem::Spec(diagnostics)) => {
                for finding in diagnostics.iter().filter(|finding| finding.severity == Severity::Error) {
                    let mut lines = finding.place.iter().map(Place::line);
                    let part = lines.find_map(|line| emitted.parts.get(&line.checked_sub(offset)?));
                    let address = part.and_then(|(_, part)| account.live_address(*part));
                    refused.extend(address.map(|address| (address, finding.message.clone())));
                }
                if refused.len() == count {
                    return Err(Problem::Spec(diagnostics));
                }
            }
            Err(other) => return Err(other),
        }
        if refused.len() == count {
            let (spec, _) = load_text(setting, &path, text.clone())?;
            return Ok(Fitted {
                imported: account.finish(text, reading),
                spec,
            });
        }
    }
}

/// What cannot be written down, by its live address, with the reasons.
type Refused = BTreeMap<Address, String>;

/// An account as it is written down.
struct Account {
    emitted: EmittedUptime,
    /// The live addresses of contacts, windows and checks, in their order; a window that is a part of a monitor has none.
    contacts: Vec<Address>,
    windows: Vec<Option<Address>>,
    checks: Vec<Address>,
    /// The live monitors in the terms of the text, in the order of the checks.
    seen: Vec<Monitor>,
    /// The new keys of contacts by the live ones, of those that are declared.
    contact_keys: BTreeMap<String, String>,
    /// The marks of windows, in their order.
    window_marks: Vec<Option<String>>,
    /// The same of windows.
    window_keys: BTreeMap<String, String>,
    /// Environment variables, and what each is to hold.
    to_be_set: Vec<(String, String)>,
}

impl Account {
    fn new(reading: &Reading, profile: &Profile, refused: &Refused) -> Self {
        let mut account = Self {
            emitted: EmittedUptime {
                provider: profile.capabilities.name,
                rules: profile.capabilities.uptime.unwrap_or_default(),
                contacts: Vec::new(),
                windows: Vec::new(),
                checks: Vec::new(),
                told_otherwise: BTreeMap::new(),
                about: Vec::new(),
            },
            contacts: Vec::new(),
            windows: Vec::new(),
            checks: Vec::new(),
            seen: Vec::new(),
            contact_keys: BTreeMap::new(),
            window_keys: BTreeMap::new(),
            window_marks: Vec::new(),
            to_be_set: Vec::new(),
        };
        let mut contacts = Vec::new();
        let mut windows = Vec::new();
        let mut monitors = Vec::new();
        for (address, resource) in &reading.live.inventory {
            let id = reading.uptime.as_ref().and_then(|facts| facts.ids.get(address));
            let name = match id {
                Some(id) => address.key().strip_suffix(&format!("-{id}")).unwrap_or(address.key()),
                None => address.key(),
            };
            match resource {
                Resource::Contact(contact) => contacts.push((address, name, contact)),
                Resource::Maintenance(window) => windows.push((address, name, window)),
                Resource::Monitor(monitor) => monitors.push((address, monitor.as_ref())),
                _ => {}
            }
        }
        for (address, name, contact) in contacts {
            account.add_contact(address, name, contact, refused);
        }
        for (address, name, window) in windows {
            let rest = Rest::Kept(window.key.clone());
            let is_named = |monitor: &Monitor| monitor.maintenance.iter().flatten().any(|one| *one == rest);
            let is_used = monitors.iter().any(|(_, monitor)| is_named(monitor));
            account.add_window(address, name, window, is_used, refused);
        }
        // In the order of their names, as people look for them.
        monitors.sort_by_key(|(address, monitor)| (monitor.name.to_lowercase(), *address));
        for (address, monitor) in monitors {
            account.add_check(address, monitor, refused);
        }
        account
    }

    fn add_contact(&mut self, address: &Address, name: &str, contact: &Contact, refused: &Refused) {
        let taken: Vec<&str> = self.emitted.contacts.iter().map(|one| one.what.key.as_str()).collect();
        let kind = key_of(contact.channel.kind());
        let marked = contact.marker.as_deref().and_then(|marker| marker.split_once("--"));
        let name = match (&contact.channel, marked) {
            (Channel::Email { address }, _) => key_of(address.split('@').next().unwrap_or_default()),
            (_, Some((_, key))) => key.to_owned(),
            // A name that is an address may be the credential itself.
            _ if name.starts_with("http") || is_credential("", name) => kind,
            _ => name.to_owned(),
        };
        let key = free(&name, &taken);
        let variable = variable(&[&key, "URL"]);
        let mut channel = contact.channel.clone();
        let is_kept = match &mut channel {
            Channel::Slack { hook } | Channel::Webhook { url: hook } => {
                *hook = Guarded::Kept(SecretReference::Env(variable.clone()));
                true
            }
            _ => false,
        };
        let double =
            self.emitted.contacts.iter().find(|one| {
                matches!(one.form, Form::Words) && channel.guarded().is_none() && one.what.channel == channel
            });
        let form = match (refused.get(address), &channel, double) {
            (Some(why), ..) => Form::Comment(why.clone()),
            (_, Channel::Other { .. }, _) => Form::Comment("a spec has no contact of this kind".to_owned()),
            (_, _, Some(double)) => Form::Comment(format!("the same as {}", double.what.key)),
            _ => Form::Words,
        };
        if form == Form::Words {
            self.contact_keys.insert(contact.key.clone(), key.clone());
            if is_kept {
                let what = format!("the address of the {} contact {key}", contact.channel.kind());
                self.to_be_set.push((variable, what));
            }
        }
        self.contacts.push(address.clone());
        self.emitted.contacts.push(Written {
            what: Contact {
                key,
                channel,
                marker: None,
            },
            form,
        });
    }

    fn add_window(&mut self, address: &Address, name: &str, live: &Maintenance, is_used: bool, refused: &Refused) {
        let taken: Vec<&str> = self.emitted.windows.iter().map(|one| one.what.key.as_str()).collect();
        let marked = live.marker.as_deref().and_then(|marker| marker.split_once("--"));
        let key = free(marked.map_or(name, |(_, key)| key), &taken);
        self.window_marks.push(live.marker.clone());
        let form = match refused.get(address) {
            Some(why) => Form::Comment(why.clone()),
            None if live.window.zone != UTC => Form::Comment(format!("it is {}", live.window.zone)),
            None if !is_used => Form::Comment("no check is in it by itself".to_owned()),
            None => Form::Words,
        };
        if form == Form::Words {
            self.window_keys.insert(live.key.clone(), key.clone());
        }
        self.windows.push(Some(address.clone()));
        self.emitted.windows.push(Written {
            what: Maintenance {
                key,
                window: live.window.clone(),
                marker: None,
            },
            form,
        });
    }

    /// The key of a window that is a part of monitors.
    fn key_of_window(&mut self, window: &Window) -> String {
        if let Some(known) = self.emitted.windows.iter().find(|one| one.what.window == *window) {
            return known.what.key.clone();
        }
        let often = match window.repeats {
            Repeats::Once { .. } => "once",
            Repeats::Daily => "daily",
            Repeats::Weekly { .. } => "weekly",
            Repeats::Monthly { .. } => "monthly",
        };
        let taken: Vec<&str> = self.emitted.windows.iter().map(|one| one.what.key.as_str()).collect();
        let key = free(&key_of(&format!("{often}-{}", window.at)), &taken);
        self.windows.push(None);
        self.window_marks.push(None);
        self.emitted.windows.push(Written::new(Maintenance {
            key: key.clone(),
            window: window.clone(),
            marker: None,
        }));
        key
    }

    fn add_check(&mut self, address: &Address, live: &Monitor, refused: &Refused) {
        let taken: Vec<&str> = self.emitted.checks.iter().map(|one| one.what.key.as_str()).collect();
        let key = free(&key_of(&live.name), &taken);
        let mut seen = live.clone();
        seen.key.clone_from(&key);
        let kept = keep(&mut seen);
        let form = match refused.get(address).cloned().or_else(|| self.objection(live)) {
            Some(why) => Form::Comment(why),
            None => Form::Words,
        };
        if form == Form::Words {
            self.to_be_set.extend(kept);
        }
        let renamed = |key: &String| self.contact_keys.get(key).cloned().unwrap_or_else(|| key.clone());
        let told = seen.contacts.take();
        let is_sayable = told
            .iter()
            .flatten()
            .all(|(key, _)| self.contact_keys.contains_key(key));
        let others = told
            .iter()
            .flatten()
            .filter(|(key, _)| !self.contact_keys.contains_key(*key));
        let others: Vec<String> = others.map(|(key, _)| self.whom(key)).collect();
        seen.contacts = told.map(|all| all.iter().map(|(key, alerting)| (renamed(key), *alerting)).collect());
        let rests = seen.maintenance.iter().flatten();
        seen.maintenance = Some(rests.map(|rest| self.renamed_rest(rest)).collect());
        let mut what = seen.clone();
        what.marker = None;
        if !is_sayable {
            what.contacts = None;
            self.emitted
                .told_otherwise
                .insert(self.emitted.checks.len(), others.join(", "));
        }
        what.maintenance = self.rests_in_words(live, form == Form::Words);
        if matches!(form, Form::Comment(_)) {
            without_credentials(&mut what);
        }
        self.checks.push(address.clone());
        self.seen.push(seen);
        self.emitted.checks.push(Written { what, form });
    }

    /// Somebody who is told and whom no contact can say.
    fn whom(&self, key: &str) -> String {
        if let Some(how) = key.strip_prefix("on-call-") {
            return format!("the person on call by {how}");
        }
        let address = Address::contact(key);
        let at = self.contacts.iter().position(|contact| *contact == address);
        let known = at.and_then(|at| self.emitted.contacts.get(at));
        known.map_or_else(|| key.to_owned(), |known| known.what.key.clone())
    }

    fn renamed_rest(&self, rest: &Rest) -> Rest {
        match rest {
            Rest::Kept(key) => Rest::Kept(self.window_keys.get(key).cloned().unwrap_or_else(|| key.clone())),
            Rest::Own(window) => Rest::Own(window.clone()),
        }
    }

    /// The windows of a check by their names; `None` where one of them has none: then nothing is said of them.
    fn rests_in_words(&mut self, live: &Monitor, is_declared: bool) -> Option<std::collections::BTreeSet<Rest>> {
        let mut all = std::collections::BTreeSet::new();
        for rest in live.maintenance.iter().flatten() {
            let key = match rest {
                Rest::Kept(key) => self.window_keys.get(key).cloned()?,
                Rest::Own(window) if is_declared => self.key_of_window(window),
                Rest::Own(_) => continue,
            };
            all.insert(Rest::Kept(key));
        }
        Some(all)
    }

    /// Why a monitor cannot be said, if so.
    fn objection(&self, live: &Monitor) -> Option<String> {
        match &live.check {
            Check::Other { .. } => return Some("a spec has no check of this kind".to_owned()),
            Check::Http(http) if holds_a_credential(http) => {
                return Some("its address holds what looks like a credential, which is not written down".to_owned());
            }
            _ => {}
        }
        let is_double = |(written, seen): (&Written<Monitor>, &Monitor)| {
            written.form == Form::Words && checks::likeness(seen, live) == checks::likeness(live, live)
        };
        let mut all = self.emitted.checks.iter().zip(&self.seen);
        all.any(is_double)
            .then(|| "another one is called and asks the same: only one of them would be known again".to_owned())
    }

    /// What would not be planned as it is live, marks aside.
    fn refuse_what_differs(&self, spec: &Spec, refused: &mut Refused) {
        for (at, written) in self.emitted.checks.iter().enumerate() {
            if written.form != Form::Words {
                continue;
            }
            let address = Address::monitor(&written.what.key);
            let wanted = spec.desired.inventory.get(&address).and_then(Resource::as_monitor);
            let seen = &self.seen[at];
            let why = match wanted {
                Some(wanted) if seen.marker.is_some() && seen.marker != wanted.marker => {
                    Some("it is marked as another spec's")
                }
                Some(wanted) => {
                    let live = Monitor {
                        marker: wanted.marker.clone(),
                        ..seen.clone()
                    };
                    (live.seen_as(wanted) != *wanted).then_some("written in a spec, it would come out otherwise")
                }
                None => Some("written in a spec, it would be lost"),
            };
            refused.extend(why.map(|why| (self.checks[at].clone(), why.to_owned())));
        }
        for (at, written) in self.emitted.windows.iter().enumerate() {
            let wanted = spec.desired.inventory.get(&Address::maintenance(&written.what.key));
            let is_anothers = self.window_marks[at].is_some()
                && wanted.is_some_and(|wanted| wanted.marker() != self.window_marks[at].as_deref());
            if let (Some(address), true, Form::Words) = (&self.windows[at], is_anothers, &written.form) {
                refused.insert(address.clone(), "it is marked as another spec's".to_owned());
            }
        }
        for (at, written) in self.emitted.contacts.iter().enumerate() {
            let wanted = spec.desired.inventory.get(&Address::contact(&written.what.key));
            let wanted = wanted.and_then(|wanted| wanted.as_contact());
            if written.form == Form::Words && wanted.is_none_or(|wanted| wanted.channel != written.what.channel) {
                let why = "written in a spec, it would come out otherwise".to_owned();
                refused.insert(self.contacts[at].clone(), why);
            }
        }
    }

    fn live_address(&self, part: Part) -> Option<Address> {
        match part {
            Part::Contact(at) => self.contacts.get(at).cloned(),
            Part::Window(at) => self.windows.get(at).cloned().flatten(),
            Part::Check(at) => self.checks.get(at).cloned(),
            _ => None,
        }
    }

    fn finish(self, text: String, reading: &Reading) -> Imported {
        fn count<T>(all: &[Written<T>]) -> usize {
            all.iter().filter(|one| one.form == Form::Words).count()
        }
        let reason = |form: &Form| match form {
            Form::Comment(reason) => Some(reason.clone()),
            Form::Words | Form::Raw => None,
        };
        let emitted = &self.emitted;
        let checks = emitted.checks.iter();
        let checks = checks.filter_map(|one| Some((Address::monitor(&one.what.key), reason(&one.form)?)));
        let contacts = emitted.contacts.iter();
        let contacts = contacts.filter_map(|one| Some((Address::contact(&one.what.key), reason(&one.form)?)));
        let windows = emitted.windows.iter();
        let windows = windows.filter_map(|one| Some((Address::maintenance(&one.what.key), reason(&one.form)?)));
        let declared = [
            (count(&emitted.checks), "check"),
            (count(&emitted.contacts), "contact"),
            (count(&emitted.windows), "maintenance window"),
        ];
        Imported {
            declared: declared
                .into_iter()
                .filter(|(number, word)| *number > 0 || *word == "check")
                .collect(),
            left_out: checks.chain(contacts).chain(windows).collect(),
            notes: reading.warnings.iter().map(|warning| warning.message.clone()).collect(),
            to_be_set: self.to_be_set,
            text,
        }
    }
}

/// A name that is not taken.
fn free(name: &str, taken: &[&str]) -> String {
    let numbered = (2..=taken.len() + 2).map(|number| format!("{name}-{number}"));
    let mut all = std::iter::once(name.to_owned()).chain(numbered);
    all.find(|name| !taken.contains(&name.as_str()))
        .unwrap_or_else(|| name.to_owned())
}

/// The environment variable for something.
fn variable(parts: &[&str]) -> String {
    let name = format!("UPTIME_{}", parts.join("_"));
    let letters = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    letters.collect::<String>().to_ascii_uppercase()
}

/// Gives what of a request is not shown a place to be kept in; returns the places and what each is to hold.
fn keep(monitor: &mut Monitor) -> Vec<(String, String)> {
    let mut places = Vec::new();
    let key = monitor.key.clone();
    let Check::Http(http) = &mut monitor.check else {
        return places;
    };
    let headers = http.headers.iter_mut().flatten();
    let headers = headers.map(|(name, value)| (name.clone(), value, format!("the header {name} of the check {key}")));
    let body = http.body.as_mut();
    let body = body.map(|body| ("body".to_owned(), body, format!("the body of the check {key}")));
    for (name, value, what) in headers.chain(body) {
        if matches!(value, SentText::Guarded(_)) {
            let variable = variable(&[&key, &name]);
            *value = SentText::Guarded(Guarded::Kept(SecretReference::Env(variable.clone())));
            places.push((variable, what));
        }
    }
    places
}

/// Whether the address of a check holds what looks like a credential.
fn holds_a_credential(http: &Http) -> bool {
    let Ok(url) = url::Url::parse(&http.url) else {
        return true;
    };
    !url.username().is_empty()
        || url.password().is_some()
        || url.query_pairs().any(|(name, value)| is_credential(&name, &value))
        || is_credential("", url.path())
}

/// What a comment says of a check that is not declared.
fn without_credentials(monitor: &mut Monitor) {
    if let Check::Http(http) = &mut monitor.check
        && holds_a_credential(http)
    {
        let url = url::Url::parse(&http.url).ok();
        let origin = url.map(|url| url.origin().ascii_serialization());
        http.url = format!("{}/…", origin.unwrap_or_default());
    }
}
