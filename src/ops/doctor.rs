//! `doctor`: whether everything is in place before the real thing: the spec, the history, the credentials, and what
//! each of them may do.

use std::collections::BTreeMap;

use crate::base::text;
use crate::history::chain;
use crate::model::address::Address;
use crate::model::scope::ScopeName;
use crate::ops::history;
use crate::ops::problem::Problem;
use crate::ops::session::{self, Setting};
use crate::provider::{Examination, Finding, Scope, Sought};

/// Looks at everything; a thing that is wrong is a finding and not a problem, so that all of them are shown.
pub async fn examine(setting: &Setting) -> Result<Vec<Examination>, Problem> {
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
    for (name, scope) in scopes {
        let stand_in = opened.as_ref().and_then(|session| session.sandbox.as_ref());
        match session::connect_one(name, &spec, setting, stand_in) {
            Ok(provider) => all.extend(provider.examine(&scope).await),
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

fn examination(subject: &str, finding: Finding, detail: String, fix: Option<String>) -> Examination {
    Examination {
        subject: subject.to_owned(),
        finding,
        detail,
        fix,
    }
}
