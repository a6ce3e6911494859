//! The one SPF record with those includes flattened that the spec names, by the lock file that came in beside the spec.
//! `spf.flatten` names domains and not senders: a domain is what stands in the record, in the lock file and in what is
//! said about either, whether a preset brings it or the spec itself.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Work;
use crate::base::diagnostic::Diagnostic;
use crate::base::text;
use crate::mail::dns::QueryName;
use crate::mail::findings::facts;
use crate::mail::spf::ROOMY;
use crate::mail::spf::build::{Builder, Layout};
use crate::mail::spf::lock::Locked;
use crate::spec::raw_mail::Spf;
use crate::spec::shape::Text;

/// After so many days without being taken again, addresses count as old.
const OLD: i32 = 30;

/// What to type, whatever is wrong with the lock file.
const TAKE: &str = "`launchctl mail flatten` takes its addresses and writes them there";

impl Work<'_, '_, '_> {
    /// The record, and those that it needs beside it.
    pub(super) fn laid_out(&mut self, raw: Option<&Spf>, spf: &Builder) -> Layout {
        let wanted: Vec<(&Text, QueryName)> = raw
            .and_then(|raw| raw.flatten.as_ref())
            .into_iter()
            .flatten()
            .filter_map(|text| Some((text, self.an_include(text, spf)?)))
            .collect();
        self.flatten.extend(wanted.iter().map(|(_, name)| name.clone()));
        let mut flat = BTreeMap::new();
        let mut lookups = 0;
        for (text, name) in &wanted {
            if let Some(locked) = self.locked(text, name) {
                lookups += locked.flat.lookups;
                flat.insert(name.to_string(), locked.flat.networks.clone());
                self.declared.flattened.push(facts::Flattened {
                    include: name.clone(),
                    networks: locked.flat.networks,
                    taken: locked.taken.to_string(),
                });
            }
        }
        let longest = self.zone.capabilities.map_or(ROOMY, |provider| provider.longest_record);
        let layout = spf.flattened(&flat, self.domain.as_str(), ROOMY.min(longest));
        if let Some((first, _)) = wanted.first().filter(|_| layout.parts.len() >= lookups.max(1)) {
            let finding = Diagnostic::warning(
                "spf-flatten-idle",
                format!(
                    "flattened, the record takes {} for what took {lookups} as includes",
                    text::count(layout.parts.len(), "lookup")
                ),
            )
            .help("what names many networks is better included: take it out of `flatten`");
            self.say(finding, &first.range);
        }
        if let Some((first, _)) = wanted.first() {
            self.parts_are_free(spf, &layout, &first.range);
        }
        layout
    }

    /// The names of generated records belong to nobody else: neither the record itself nor the spec speaks of them.
    fn parts_are_free(&mut self, spf: &Builder, layout: &Layout, range: &Range<usize>) {
        let includes = spf.includes();
        for (label, _) in &layout.parts {
            let name = format!("{label}.{}", self.domain);
            let who = if includes.contains(&name) {
                "the SPF record includes"
            } else if self.zone.records.iter().any(|one| one.owner.as_str() == name) {
                "the spec declares"
            } else {
                continue;
            };
            let finding = Diagnostic::error(
                "spf-part-taken",
                format!("{who} {name}, which is the name of a record that flattening makes"),
            )
            .help("leave that name to `flatten`: take out what you wrote of it");
            self.say(finding, range);
        }
    }

    /// The include that is named, if the record has it.
    fn an_include(&mut self, text: &Text, spf: &Builder) -> Option<QueryName> {
        let includes = spf.includes();
        let name = QueryName::parse(&text.value).ok();
        if let Some(name) = name.filter(|name| includes.iter().any(|one| one == name.as_str())) {
            return Some(name);
        }
        let shown = text::shorten(&text::sanitize(&text.value), 60);
        let mut finding = Diagnostic::error("not-included", format!("the SPF record does not include `{shown}`"));
        finding = match text::nearest(&text.value, includes.iter().map(String::as_str)) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None if includes.is_empty() => finding.help("it includes nothing, so there is nothing to flatten"),
            None => finding.help(format!("it includes {}", text::list(&includes))),
        };
        self.say(finding, &text.range);
        None
    }

    /// What the lock file holds of an include. What is missing is an error, since the spec does not say how else the
    /// record shall be; what is old is a warning.
    fn locked(&mut self, text: &Text, name: &QueryName) -> Option<Locked> {
        let path = &self.lock.path;
        let lock = match &self.lock.content {
            Ok(lock) => lock,
            Err(why) => {
                let why = text::shorten(&text::sanitize(why), 200);
                let finding = Diagnostic::error("spf-lock", format!("`{path}` cannot be read: {why}"))
                    .help("settle a merge, take it from version control, or delete it and let `launchctl mail flatten` write it anew");
                self.say(finding, &text.range);
                return None;
            }
        };
        let Some(locked) = lock.includes.get(name).cloned() else {
            let finding = Diagnostic::error(
                "spf-lock",
                format!("`{path}` does not have the addresses of {name} yet"),
            )
            .help(TAKE);
            self.say(finding, &text.range);
            return None;
        };
        let age = self.today.since(locked.taken).map_or(0, |span| span.get_days());
        if age > OLD {
            let message = format!("the addresses of {name} were taken {age} days ago, on {}", locked.taken);
            let finding = Diagnostic::warning("spf-lock-old", message)
                .help("`launchctl mail flatten --check` says whether they still hold, `launchctl mail flatten` takes them again");
            self.say(finding, &text.range);
        }
        Some(locked)
    }
}
