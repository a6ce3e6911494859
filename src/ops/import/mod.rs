//! `import`: what is live, written down as a spec. The text is loaded and compared with the very same reading before
//! anybody gets it: planning it must show nothing to do. Reads only.

mod into;
mod read;
mod settle;
#[cfg(test)]
mod tests;
mod uptime;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::model::address::Address;
use crate::model::name::DomainName;
use crate::ops::problem::Problem;
use crate::ops::session::Setting;
use crate::provider::{Profile, ZoneFacts};
use crate::spec::emit::Head;

pub use into::{Added, into};
pub use uptime::{uptime, uptime_into};

/// What an import came to.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The spec.
    pub text: String,
    /// What it declares: how many of each, by the word for one.
    pub declared: Vec<(usize, &'static str)>,
    /// What it could not declare, with the reasons.
    pub left_out: Vec<(Address, String)>,
    /// What was not read, and other things to know.
    pub notes: Vec<String>,
    /// Environment variables that planning it needs, each with what it is to hold.
    pub to_be_set: Vec<(String, String)>,
}

/// Reads `zones` at `provider` and writes them down; without any, all that the credential covers.
pub async fn import(setting: &Setting, zones: &[String], provider: &str) -> Result<Imported, Problem> {
    let profile = crate::provider::profile(provider)
        .ok_or_else(|| Problem::new("unknown-provider", format!("there is no provider called `{provider}`")))?;
    let seen = read::zones(setting, zones, profile).await?;
    let emitted = seen
        .zones
        .iter()
        .map(|zone| read::written_down(zone, profile, &seen))
        .collect();
    let head = head(setting, profile, &seen.zones, &seen.reading.zones);
    settle::settle(setting.clock.today(), emitted, &head, seen)
}

/// Where it is from and when, for whoever finds it in a year.
fn head(setting: &Setting, profile: &Profile, zones: &[DomainName], facts: &BTreeMap<DomainName, ZoneFacts>) -> Head {
    let title = profile.capabilities.title;
    let now = setting.clock.now().to_zoned(TimeZone::UTC);
    let place = zones.iter().find_map(|zone| facts.get(zone)?.elsewhere.clone());
    let place = place.map_or_else(String::new, |place| format!(" ({place})"));
    let words = vec![
        format!(
            "Imported from {title}{place} on {} by `launchctl import`. Planning it changes nothing.",
            now.strftime("%Y-%m-%d at %H:%M UTC")
        ),
        "What a spec cannot say is a comment with the reason: it is live, unmanaged, and left as it is.".to_owned(),
    ];
    Head {
        words,
        tokens: BTreeMap::from([(profile.capabilities.name.to_owned(), profile.token_variable.to_owned())]),
    }
}
