//! Page Rules of a zone (facts §5.7): the older kind of rule, which is still served. Nothing here makes one but a test:
//! they are somebody else's.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::envelope::Answer;
use super::query::Query;
use super::tokens::Permission;
use super::world::{World, now};

/// The Page Rules of a zone, as they are shown.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct PageRules(Vec<Value>);

pub(super) fn permissions(method: &str) -> Option<&'static [Permission]> {
    (method == "GET").then_some(&[Permission::PageRulesRead])
}

/// `GET /zones/{zone}/pagerules`, all of them or those of one status.
pub(super) fn answer(world: &World, at: usize, query: &Query) -> Answer {
    let status = query.get("status");
    let fits = |rule: &&Value| status.is_none_or(|status| rule["status"] == status);
    let rules = &world.zones[at].edge.page_rules.0;
    Answer::Result(rules.iter().filter(fits).cloned().collect())
}

impl World {
    /// A Page Rule that somebody made: the pattern of its URLs, its actions by their ids, and whether it is active.
    pub fn add_page_rule(&mut self, zone: &str, pattern: &str, actions: &[(&str, Value)], is_active: bool) {
        let actions: Vec<Value> = actions
            .iter()
            .map(|(id, value)| json!({ "id": id, "value": value }))
            .collect();
        let id = self.ids.next();
        let Some(zone) = self.zone_mut(zone) else { return };
        let rules = &mut zone.edge.page_rules.0;
        rules.push(json!({
            "id": id, "priority": rules.len() + 1, "status": if is_active { "active" } else { "disabled" },
            "targets": [{ "target": "url", "constraint": { "operator": "matches", "value": pattern } }],
            "actions": actions, "created_on": now(), "modified_on": now(),
        }));
        self.is_changed = true;
    }
}
