//! The rules as tests and rehearsals set and see them without a request: somebody else's hand, and a look.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::envelope::Refusal;
use super::super::plan::Plan;
use super::super::world::World;
use super::phases::{Home, Phase};
use super::requests::{Place, Trial, phase};
use super::store::{Edition, Rule, Ruleset, Rulesets};

impl World {
    pub(in crate::sandbox) fn rulesets(&self, place: Place) -> &Rulesets {
        match place {
            Some(at) => &self.zones[at].edge.rulesets,
            None => &self.account.rulesets,
        }
    }

    pub(super) fn rulesets_mut(&mut self, place: Place) -> &mut Rulesets {
        match place {
            Some(at) => &mut self.zones[at].edge.rulesets,
            None => &mut self.account.rulesets,
        }
    }

    /// Replaces the rules of a phase as somebody else would, with a request of the same form: the entry point is made
    /// when there is none, its version rises, and rules keep their ids only where they bring their `ref` or `id`.
    pub fn put_rules(&mut self, zone: &str, phase: &str, rules: Value) -> Result<(), String> {
        let at = self
            .zones
            .iter()
            .position(|known| known.name.eq_ignore_ascii_case(zone));
        let at = at.ok_or_else(|| format!("there is no zone {zone}"))?;
        self.put_rules_at(Some(at), phase, rules)
    }

    /// The same for the account's own rules, such as those of `http_request_redirect`.
    pub fn put_account_rules(&mut self, phase: &str, rules: Value) -> Result<(), String> {
        self.put_rules_at(None, phase, rules)
    }

    fn put_rules_at(&mut self, place: Place, name: &str, rules: Value) -> Result<(), String> {
        let told = |refusal: Refusal| {
            let pointer = refusal.pointer.unwrap_or_default();
            format!("{} {pointer}", refusal.message).trim_end().to_owned()
        };
        let phase = phase(name, place, "/phase").map_err(told)?;
        let mut rulesets = self.rulesets(place).clone();
        let at = rulesets.by_phase(phase);
        let body = Map::from_iter([("rules".to_owned(), rules)]);
        let trial = Trial {
            rulesets: &mut rulesets,
            place,
            world: self,
            phase,
        };
        let outcome = match at {
            Some(at) => trial.replace(at, &body),
            None => trial.make(&body),
        };
        outcome.map_err(told)?;
        *self.rulesets_mut(place) = rulesets;
        self.is_changed = true;
        Ok(())
    }

    /// Replaces the rules of a phase of a zone without any check, in a new version: what the real API holds and the
    /// stand-in cannot judge. A rule keeps the `id` and the `ref` that it brings.
    pub fn force_rules(&mut self, zone: &str, phase: &str, rules: Value) {
        let at = self
            .zones
            .iter()
            .position(|known| known.name.eq_ignore_ascii_case(zone));
        let (Some(at), Some(phase), Value::Array(rules)) = (at, Phase::find(phase), rules) else {
            return;
        };
        let fields = rules.into_iter().filter_map(|rule| match rule {
            Value::Object(fields) => Some(fields),
            _ => None,
        });
        let rules: Vec<Rule> = fields.map(|fields| Rule::forced(fields, &mut self.ids)).collect();
        let id = self.ids.next();
        let rulesets = self.rulesets_mut(Some(at));
        match rulesets.by_phase(phase) {
            Some(known) => rulesets.get_mut(known).advance(None, rules),
            None => {
                let edition = Edition::first(String::new(), rules);
                rulesets.add(Ruleset::new(id, "default", phase, Home::Zone, edition));
            }
        }
        self.is_changed = true;
    }

    /// The rules of a phase as its entry point shows them; null when there is none.
    pub fn rules(&self, zone: &str, phase: &str) -> Value {
        self.ruleset(zone, phase)["rules"].clone()
    }

    /// The entry point of a phase; null when there is none.
    pub fn ruleset(&self, zone: &str, phase: &str) -> Value {
        let at = self
            .zones
            .iter()
            .position(|known| known.name.eq_ignore_ascii_case(zone));
        at.map_or(Value::Null, |at| self.ruleset_at(Some(at), phase))
    }

    /// The account's entry point of a phase; null when there is none.
    pub fn account_ruleset(&self, phase: &str) -> Value {
        self.ruleset_at(None, phase)
    }

    fn ruleset_at(&self, place: Place, phase: &str) -> Value {
        let rulesets = self.rulesets(place);
        let at = Phase::find(phase).and_then(|phase| rulesets.by_phase(phase));
        at.map_or(Value::Null, |at| rulesets.get(at).show(0))
    }

    /// The plan that counts for the account: the largest that one of its zones has.
    pub(in crate::sandbox) fn account_plan(&self) -> Plan {
        self.zones.iter().map(|zone| zone.plan).max().unwrap_or(Plan::Free)
    }

    /// The names of the account's lists, and of those that hold redirects.
    pub(super) fn list_names(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        self.account.list_names()
    }
}
