//! What `apply --wait` ends with: DNS is asked until it answers what was declared. Changes nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::name::DomainName;
use crate::model::record_set::RecordSet;
use crate::model::resource::Resource;
use crate::ops::session::Session;
use crate::plan::Change;
use crate::provider;
use crate::verify::answers::{Expectation, Report, Server, Tally, expectations, servers, wait};

/// How long one look-up of a zone's servers may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who is asked, and for how long.
#[derive(Debug, Clone)]
pub struct Wait {
    /// How long at most.
    pub time: Duration,
    /// Servers to ask instead of the zones' own and the public resolvers.
    pub instead: Vec<Server>,
}

/// Asks for what `changes` made; for everything that is declared, when they made nothing.
pub async fn until_right(session: &Session, changes: &[Change], wish: &Wait, watch: &(dyn Fn(Tally) + Sync)) -> Report {
    let expected = expected(session, changes);
    let mut unasked = Vec::new();
    let mut asked = wish.instead.clone();
    if asked.is_empty() {
        let public = servers::public();
        let zones: BTreeSet<&DomainName> = expected.iter().map(|expectation| &expectation.zone).collect();
        for zone in zones {
            match servers::delegated(zone, &public, PATIENCE).await {
                Ok(servers) => asked.extend(servers),
                Err(words) => unasked.push(words),
            }
        }
        // Without the zones' own servers nobody knows when a resolver's answer could be right.
        if unasked.is_empty() {
            asked.extend(public);
        }
    }
    let report = wait(&expected, &asked, wish.time, session.setting.clock, watch).await;
    Report { unasked, ..report }
}

fn expected(session: &Session, changes: &[Change]) -> Vec<Expectation> {
    let desired = &session.spec.desired;
    let flattens = |zone: &DomainName| {
        let policy = desired.zones.get(zone);
        let profile = policy.and_then(|policy| provider::profile(&policy.provider));
        profile.is_some_and(|profile| profile.capabilities.flattens)
    };
    let set = |side: &'_ Option<Resource>| -> Option<RecordSet> { side.as_ref()?.as_record_set().cloned() };
    let mut pairs: Vec<(Option<RecordSet>, Option<RecordSet>)> = changes
        .iter()
        .map(|change| (set(&change.before), set(&change.after)))
        .collect();
    if changes.is_empty() {
        let declared = desired.inventory.values().filter_map(Resource::as_record_set);
        pairs = declared.map(|set| (None, Some(set.clone()))).collect();
    }
    expectations(
        pairs.iter().map(|(before, after)| (before.as_ref(), after.as_ref())),
        flattens,
    )
}
