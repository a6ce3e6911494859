//! `doctor`: whether everything is in place before the real thing: the spec, the history, the credentials, and what
//! each of them may do; and whether the registrar points to where the zones are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::base::text;
use crate::history::chain;
use crate::model::address::Address;
use crate::model::inventory::Inventory;
use crate::model::name::DomainName;
use crate::model::scope::ScopeName;
use crate::ops::history;
use crate::ops::problem::Problem;
use crate::ops::session::{self, Setting};
use crate::provider::credential::Keeper;
use crate::provider::{Assigned, Examination, Finding, Provider, ProviderError, Scope, Sought};
use crate::verify::answers::{Server, servers};

/// How long one look-up of a delegation may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at everything; a thing that is wrong is a finding and not a problem, so that all of them are shown. Delegations
/// are asked for at `resolvers`, or, where none is named and the provider is the public one, in DNS as everybody sees it.
pub async fn examine(setting: &Setting, resolvers: &[Server]) -> Result<Vec<Examination>, Problem> {
    let (spec, warnings) = session::load(setting)?;
    let mut all = vec![examination(
        "Spec",
        Finding::Good,
        format!(
            "{} in {}, {}",
            text::count(spec.desired.inventory.len(), "resource"),
            text::count(spec.desired.zones.len(), "zone"),
            text::count(warnings.iter().count(), "warning")
        ),
        None,
    )];
    all.push(examine_history(setting));
    let known = history::runs(setting)
        .map(|runs| chain::known_ids(&runs))
        .unwrap_or_default();
    let mut scopes: BTreeMap<&str, Scope> = BTreeMap::new();
    for (zone, policy) in &spec.desired.zones {
        let scope = scopes.entry(policy.provider.as_str()).or_default();
        scope.zones.push(zone.clone());
        let id = known.get(&ScopeName::Zone(zone.clone()));
        scope.known_ids.extend(id.map(|id| (zone.clone(), id.clone())));
        let of_zone = |address: &&Address| address.scope() == zone.as_str();
        scope
            .spoken
            .extend(spec.desired.inventory.keys().filter(of_zone).cloned());
        if policy.create {
            scope.may_be_missing.insert(zone.clone());
        }
    }
    if let Some(policy) = &spec.desired.uptime {
        let scope = scopes.entry(policy.provider.as_str()).or_default();
        scope.uptime = Some(Sought::default());
    }
    let opened = if setting.sandbox {
        Some(session::Session::open(setting).await?)
    } else {
        None
    };
    // The stand-in has made-up values, and nothing real is even looked for.
    if !setting.sandbox {
        all.extend(examine_kept(&spec.desired.inventory, setting));
    }
    let elsewhere = session::elsewhere(&spec, setting, setting.sandbox);
    for (name, scope) in scopes {
        let stand_in = opened.as_ref().and_then(|session| session.sandbox.as_ref());
        match session::connect_one(name, &spec, setting, stand_in) {
            Ok(provider) => {
                all.extend(provider.examine(&scope).await);
                if !resolvers.is_empty() || !elsewhere.contains_key(name) {
                    all.extend(delegations(provider.as_ref(), &scope.zones, resolvers).await);
                }
            }
            Err(Problem::Other { message, help, .. }) => {
                all.push(examination(
                    &format!("Credential for {name}"),
                    Finding::Bad,
                    message,
                    help,
                ));
            }
            Err(other) => return Err(other),
        }
    }
    Ok(all)
}

/// What the registrar was told, against what the provider assigned.
async fn delegations(provider: &dyn Provider, zones: &[DomainName], resolvers: &[Server]) -> Vec<Examination> {
    let assigned = provider.assigned(zones).await;
    let examined = assigned.iter().map(|(zone, assigned)| async move {
        let told = servers::delegation(zone, resolvers, PATIENCE).await;
        let (finding, detail, fix) = match &told {
            Ok(told) => compared(assigned, told),
            Err(words) => (Finding::Unclear, words.clone(), None),
        };
        examination(&format!("{zone}: delegation"), finding, detail, fix)
    });
    join_all(examined).await
}

fn compared(assigned: &Assigned, told: &BTreeSet<DomainName>) -> (Finding, String, Option<String>) {
    let words = |names: &mut dyn Iterator<Item = &DomainName>| {
        let names: Vec<&str> = names.map(DomainName::as_str).collect();
        text::list(&names)
    };
    let wanted = &assigned.name_servers;
    let is_active = assigned.status == "active";
    let set = format!("set {} at the registrar, and no others", words(&mut wanted.iter()));
    if told == wanted {
        let words = words(&mut wanted.iter());
        return match assigned.status.as_str() {
            "active" => (Finding::Good, format!("the registrar points to {words}"), None),
            status => {
                let words = format!("the registrar points to {words}; the zone is {status} until that is noticed");
                (Finding::Good, words, None)
            }
        };
    }
    if wanted.is_disjoint(told) {
        let where_to = match told.len() {
            0 => "the zone above names no name servers for it".to_owned(),
            _ => format!("the registrar points to {}", words(&mut told.iter())),
        };
        // Before a launch that is how things stand; afterwards nobody reaches what is declared.
        let finding = if is_active || assigned.status == "moved" {
            Finding::Bad
        } else {
            Finding::Unclear
        };
        return (
            finding,
            format!("{where_to}; the zone is {}", assigned.status),
            Some(set),
        );
    }
    let foreign = words(&mut told.difference(wanted));
    if foreign.is_empty() {
        let missing = words(&mut wanted.difference(told));
        return (
            Finding::Unclear,
            format!("the registrar does not name {missing}"),
            Some(set),
        );
    }
    let words = format!("the registrar names {foreign} too: what is answered depends on who is asked");
    (Finding::Bad, words, Some(set))
}

fn examine_history(setting: &Setting) -> Examination {
    const SUBJECT: &str = "History";
    match history::runs(setting) {
        Ok(runs) => {
            let open = chain::open(&runs);
            match open.first() {
                Some(run) => {
                    let fix = format!(
                        "`launchctl apply` finishes it, `launchctl rollback {}` undoes it",
                        run.id()
                    );
                    examination(
                        SUBJECT,
                        Finding::Unclear,
                        format!("run {} did not get to its end", run.id()),
                        Some(fix),
                    )
                }
                None => examination(SUBJECT, Finding::Good, text::count(runs.len(), "run"), None),
            }
        }
        Err(Problem::Other { message, help, .. }) => examination(SUBJECT, Finding::Bad, message, help),
        Err(_) => examination(SUBJECT, Finding::Bad, "could not be read".to_owned(), None),
    }
}

/// Whether what checks and contacts need and is kept elsewhere is there.
fn examine_kept(inventory: &Inventory, setting: &Setting) -> Vec<Examination> {
    const SUBJECT: &str = "Credentials of checks";
    let (there, missing) = Keeper::new(Arc::clone(&setting.environment)).look_for(inventory);
    if missing.is_empty() {
        let good = examination(
            SUBJECT,
            Finding::Good,
            format!("{} there", text::count(there.len(), "value")),
            None,
        );
        return (!there.is_empty()).then_some(good).into_iter().collect();
    }
    let one = |(_, error): (Address, ProviderError)| examination(SUBJECT, Finding::Bad, error.message, error.help);
    missing.into_iter().map(one).collect()
}

fn examination(subject: &str, finding: Finding, detail: String, fix: Option<String>) -> Examination {
    Examination {
        subject: subject.to_owned(),
        finding,
        detail,
        fix,
    }
}
