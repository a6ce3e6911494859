//! Gatus: checks are one file in a folder that it reads whole. It is only written to: there is nothing to read back, so a
//! plan compares with what was written here before ([`render`]). The user's own files are never touched.

mod beside;
mod quirks;
mod render;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use crate::base::files;
use crate::model::address::Address;
use crate::model::capability::{Capabilities, UptimeRules};
use crate::model::contact::{Channel, Guarded};
use crate::model::inventory::{Desired, Inventory};
use crate::model::monitor::Monitor;
use crate::model::resource::Resource;
use crate::plan::{Change, Live, Refusal, Warning, carried_out};
use crate::provider::credential::Keeper;
use crate::provider::{
    Access, Answer, ApiRefusal, Examination, Finding, Outcome, Profile, Provider, ProviderError, Reading, Review,
    Scope, Sought, Step, UptimeFacts, unsupported,
};
use crate::provider::{checks, kept_file};

use beside::Setting;

const NAME: &str = "gatus";
/// What is known of it without asking.
pub const PROFILE: Profile = Profile {
    capabilities: Capabilities::without_zones(
        NAME,
        "Gatus",
        UptimeRules {
            folds_tls: true,
            keeps_windows: false,
            longest_connection: u32::MAX,
            usual_recover: None,
            usual_regions: &[],
            days_before: &[],
        },
    ),
    // It is never asked for anything.
    base_url: "http://127.0.0.1:8080",
    base_url_variable: "GATUS_BASE_URL",
    token_variable: "GATUS_TOKEN",
    token_help: "it needs none: its file is written and nothing is asked",
    needs_token: false,
    stand_in: false,
};

/// A folder that Gatus reads.
pub struct Gatus {
    directory: Option<PathBuf>,
    smarthost: String,
    secrets: Keeper,
    seen: Mutex<Sought>,
    /// What other files of the folder say of whom is told, with the names of the files.
    beside: Mutex<BTreeMap<Setting, String>>,
}

impl Gatus {
    /// Ready to write; nothing is written yet.
    pub fn new(access: Access) -> Self {
        let smarthost = access.servers.smarthost.clone();
        Self {
            directory: access.servers.directory.clone().map(PathBuf::from),
            smarthost: smarthost.unwrap_or_else(|| "localhost:25".to_owned()),
            secrets: access.secrets,
            seen: Mutex::new(Sought::default()),
            beside: Mutex::new(BTreeMap::new()),
        }
    }

    fn folder(&self) -> Result<&Path, ProviderError> {
        let directory = self.directory.as_deref().ok_or_else(|| {
            ProviderError::new("bad-folder", "the spec names no folder to write checks into")
                .help("name one under `providers: gatus: directory`")
        })?;
        if !directory.is_dir() {
            let message = format!("there is no folder `{}` to write checks into", directory.display());
            return Err(ProviderError::new("bad-folder", message)
                .help("make it, readable for Gatus, or name another one with `directory`"));
        }
        Ok(directory)
    }

    fn read_all(&self, scope: &Scope) -> Result<Reading, ProviderError> {
        let Some(sought) = &scope.uptime else {
            return Ok(Reading::default());
        };
        let secrets = self.secrets.fetch_all(sought)?;
        let folder = self.folder()?;
        let stack = stack_in(folder, sought);
        let mut inventory = kept_file::read(&folder.join(render::kept_in(stack)))?;
        let whole = json!(inventory);
        let path = folder.join(render::file(stack));
        let is_there = path.exists();
        let written = files::read_text(&path, kept_file::LARGEST).unwrap_or_default();
        let expected = render::text(stack, &inventory, &secrets, &self.smarthost);
        if written != expected && !only_addresses_differ(&written, &expected, &mut inventory) {
            // Changed by hand, or with other credentials: whatever it says now is not what was declared.
            kept_file::unmark(&mut inventory);
        }
        for (address, resource) in &mut inventory {
            let said = sought.resources.get(address).and_then(|said| said.as_monitor());
            if let (Resource::Monitor(monitor), Some(said)) = (&mut *resource, said) {
                **monitor = monitor.as_ref().clone().seen_as(said);
            }
        }
        sought.clone_into(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        let mut warnings = Vec::new();
        if !is_there {
            let words = format!(
                "Gatus reads what is written once GATUS_CONFIG_PATH names the folder `{}`; it takes changes up by itself",
                folder.display()
            );
            warnings.push(Warning::general("include-once", words));
        }
        for earlier in earlier(folder, sought).filter(|earlier| *earlier != stack) {
            let words = format!(
                "`{}` is left from an earlier name of the project, and Gatus reads it too: the next apply that changes a \
                 check removes it",
                render::file(earlier)
            );
            warnings.push(Warning::general("left-behind", words));
        }
        let is_ours = |name: &str| sought.stacks().any(|stack| name == render::file(stack));
        let beside = beside::settings(folder, &is_ours);
        warnings.extend(contacts_beside(&inventory, &beside).into_iter().map(|(address, file)| {
            let words =
                format!("`{file}` tells by the same means, and Gatus takes neither: take it out of one of the two");
            Warning::about(&address, "told-twice", words)
        }));
        *self.beside.lock().unwrap_or_else(PoisonError::into_inner) = beside;
        let monitors = inventory.keys().filter(|address| address.kind() == "monitor").count();
        Ok(Reading {
            live: Live {
                inventory,
                ..Live::default()
            },
            uptime: Some(UptimeFacts {
                provider: NAME,
                monitors,
                sought: sought.clone(),
                apart: whole,
                ..UptimeFacts::default()
            }),
            warnings,
            ..Reading::default()
        })
    }

    fn write(&self, step: &Step) -> Outcome {
        let mut sought = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let wanted = step.body.get("resources").cloned().unwrap_or_default();
        let Ok(inventory) = serde_json::from_value::<Inventory>(wanted) else {
            return Outcome::NotSent("what is to be written is not clear".to_owned());
        };
        // What is written may be what was there before: its references count as well.
        for (address, resource) in &inventory {
            sought.add(address.clone(), resource.clone());
        }
        let ready = self
            .secrets
            .fetch_all(&sought)
            .and_then(|secrets| Ok((secrets, self.folder()?)));
        let (secrets, folder) = match ready {
            Ok(ready) => ready,
            Err(error) => return Outcome::NotSent(error.message),
        };
        let text = render::text(&sought.stack, &inventory, &secrets, &self.smarthost);
        // What Gatus reads comes first, so that nothing is unwatched meanwhile; what is left from an earlier name goes
        // right after it, or everybody would be told twice. As long as the resources beside it are the old ones, the next
        // plan writes everything again.
        let old: Vec<&str> = earlier(folder, &sought).collect();
        let written = files::write_atomic_for_group(&folder.join(render::file(&sought.stack)), text.as_bytes())
            .map_err(|error| error.to_string())
            .and_then(|()| remove(folder, old.iter().map(|old| render::file(old))))
            .and_then(|()| {
                let path = folder.join(render::kept_in(&sought.stack));
                files::write_atomic(&path, kept_file::text(&inventory).as_bytes()).map_err(|error| error.to_string())
            })
            .and_then(|()| remove(folder, old.iter().map(|old| render::kept_in(old))));
        match written {
            Ok(()) => Outcome::Applied,
            Err(words) => Outcome::NotSent(words),
        }
    }
}

/// The earlier names of the project under which files of ours are there: resources that can be read stand beside them.
fn earlier<'a>(folder: &'a Path, sought: &'a Sought) -> impl Iterator<Item = &'a str> {
    sought.stacks().skip(1).filter(|stack| {
        let path = folder.join(render::kept_in(stack));
        path.exists() && kept_file::read(&path).is_ok()
    })
}

/// The name of the project under which the files are there: that of now, else an earlier one.
fn stack_in<'a>(folder: &'a Path, sought: &'a Sought) -> &'a str {
    if folder.join(render::kept_in(&sought.stack)).exists() {
        return &sought.stack;
    }
    earlier(folder, sought).next().unwrap_or(&sought.stack)
}

fn remove(folder: &Path, mut names: impl Iterator<Item = String>) -> Result<(), String> {
    names.try_for_each(|name| match std::fs::remove_file(folder.join(&name)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(format!(
            "`{name}`, left from an earlier name of the project, cannot be removed: {error}"
        )),
        _ => Ok(()),
    })
}

/// Whether two files differ in nothing but where contacts are told that are kept elsewhere: then those are at another
/// value, and every check is as it was.
fn only_addresses_differ(written: &str, expected: &str, inventory: &mut Inventory) -> bool {
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    let (Some(mut written), Some(expected)) = (parsed(written), parsed(expected)) else {
        return false;
    };
    let there = written.get_mut("alerting").and_then(serde_json::Value::as_object_mut);
    let wanted = expected.get("alerting").and_then(serde_json::Value::as_object);
    let (Some(there), Some(wanted)) = (there, wanted) else {
        return false;
    };
    let mut moved = Vec::new();
    for (address, resource) in inventory.iter() {
        let channel = resource.as_contact().map(|contact| &contact.channel);
        let guarded = channel.filter(|channel| channel.guarded().is_some());
        let Some(kind) = guarded.and_then(render::kind) else {
            continue;
        };
        if let (Some(is), Some(shall)) = (there.get_mut(kind), wanted.get(kind))
            && is != shall
        {
            shall.clone_into(is);
            moved.push(address.clone());
        }
    }
    if moved.is_empty() || written != expected {
        return false;
    }
    for address in moved {
        if let Some(Resource::Contact(contact)) = inventory.get_mut(&address)
            && let Channel::Slack { hook: value } | Channel::Webhook { url: value } = &mut contact.channel
        {
            *value = Guarded::Hidden;
        }
    }
    true
}

/// Gatus tells in one way of each kind: a second contact of a kind would not be told.
fn second_of_a_kind(change: &Change, all: &Inventory) -> Option<Refusal> {
    let after = change.after.as_ref()?.as_contact()?;
    let kind = render::kind(&after.channel)?;
    let mut same = all
        .iter()
        .filter(|(address, _)| **address != change.address)
        .filter_map(|(address, resource)| Some((address, resource.as_contact()?)))
        .filter(|(_, other)| render::kind(&other.channel) == Some(kind));
    let (other, _) = same.next()?;
    Some(Refusal {
        address: Some(change.address.clone()),
        code: "unsupported".to_owned(),
        message: format!("Gatus tells in one way of each kind, and {other} is told by {kind} too"),
        help: "make one contact of the two".to_owned(),
    })
}

/// The contacts whose settings another file of the folder gives too, with its name.
fn contacts_beside(all: &Inventory, beside: &BTreeMap<Setting, String>) -> BTreeMap<Address, String> {
    let ours = beside::settings_in(&render::text("", all, &BTreeMap::new(), ""));
    let twice = |kind: &str| {
        let mut both = ours
            .iter()
            .filter(|setting| setting.get(1).is_some_and(|is| is == kind));
        both.find_map(|setting| beside.get(setting)).cloned()
    };
    let contacts = all.iter().filter_map(|(address, resource)| {
        let kind = render::kind(&resource.as_contact()?.channel)?;
        Some((address.clone(), twice(kind)?))
    });
    contacts.collect()
}

/// Two endpoints of a name are no configuration to Gatus, which then stops; and it takes names for the same that differ
/// in the case of their letters and in some signs.
fn same_name(change: &Change, all: &Inventory) -> Option<Refusal> {
    let after = change.after.as_ref()?.as_monitor()?;
    let name = quirks::name_there(&after.name);
    let (other, _) = all.iter().find(|(address, resource)| {
        let same = |other: &Monitor| quirks::name_there(&other.name) == name;
        **address != change.address && resource.as_monitor().is_some_and(same)
    })?;
    Some(Refusal {
        address: Some(change.address.clone()),
        code: "unsupported".to_owned(),
        message: format!("to Gatus its name is that of {other} too, and it stops where two are the same"),
        help: "give one of the two another name".to_owned(),
    })
}

impl Provider for Gatus {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&'a self, scope: &'a Scope) -> Answer<'a, Result<Reading, ProviderError>> {
        Box::pin(std::future::ready(self.read_all(scope)))
    }

    fn adapt(&self, desired: &mut Desired, _: &Reading) -> Review {
        unsupported::adapt(desired, NAME, &quirks::fit)
    }

    fn steps(&self, changes: &[Change], reading: &Reading) -> Vec<Step> {
        if changes.is_empty() {
            return Vec::new();
        }
        let inventory = kept_file::carried_out(reading, changes);
        let mut addresses: Vec<Address> = changes.iter().map(|change| change.address.clone()).collect();
        addresses.sort();
        let request = ("PUT", "file".to_owned());
        let summary = "write the file of the checks".to_owned();
        let body = json!({ "resources": inventory });
        vec![checks::step(NAME, addresses, request, summary, body)]
    }

    fn perform<'a>(&'a self, step: &'a Step) -> Answer<'a, Outcome> {
        Box::pin(std::future::ready(self.write(step)))
    }

    fn review(&self, changes: &[Change], reading: &Reading) -> Review {
        let mut review = Review::default();
        let all = carried_out(reading.live.inventory.clone(), changes);
        let beside = contacts_beside(&all, &self.beside.lock().unwrap_or_else(PoisonError::into_inner));
        for change in changes {
            review.refusals.extend(beside.get(&change.address).map(|file| Refusal {
                address: Some(change.address.clone()),
                code: "told-twice".to_owned(),
                message: format!("`{file}` tells by the same means, and Gatus stops where two files give one setting"),
                help: "take it out of that file, or tell by another means here".to_owned(),
            }));
            let lacks = unsupported::refusals(change, "Gatus", &quirks::fit);
            review.refusals.extend(lacks);
            review.refusals.extend(unsupported::hidden(change));
            review.refusals.extend(second_of_a_kind(change, &all));
            review.refusals.extend(same_name(change, &all));
        }
        review
    }

    fn blame(&self, step: &Step, _: &[Change], _: &ApiRefusal) -> Vec<Address> {
        step.addresses.clone()
    }

    fn advice(&self, _: &ApiRefusal) -> Option<&'static str> {
        None
    }

    fn examine<'a>(&'a self, _: &'a Scope) -> Answer<'a, Vec<Examination>> {
        let (finding, detail, fix) = match self.folder() {
            Ok(folder) => (Finding::Good, format!("`{}` can be written to", folder.display()), None),
            Err(error) => (Finding::Bad, error.message, error.help),
        };
        let seen = Examination {
            subject: "Gatus".to_owned(),
            finding,
            detail,
            fix,
        };
        Box::pin(std::future::ready(vec![seen]))
    }

    fn requests(&self) -> usize {
        0
    }
}
