//! What requests do to rulesets. Each write is carried out on a copy, which takes the place of the original when nothing
//! was refused and nobody asked for a dry run.

use serde_json::{Map, Value};

use super::super::envelope::{Answer, Refusal};
use super::super::plan::Plan;
use super::super::query::{Paging, Query};
use super::super::router::{Asked, is_identifier, not_routed};
use super::super::tokens::TokenOptions;
use super::super::world::World;
use super::phases::{Home, Phase};
use super::positions::Position;
use super::store::{self, Edition, Rule, Ruleset, Rulesets};
use super::validate::{self, Brought, Context, Part, invalid};
use super::{Named, Path};

/// Rulesets on a page.
const PAGING: Paging = Paging {
    usual: 50,
    least: 1,
    most: 50,
};
/// What may stand in a ruleset; what only the server says is read past.
const KEYS: &[&str] = &[
    "id",
    "name",
    "description",
    "kind",
    "phase",
    "version",
    "last_updated",
    "rules",
];

/// Whose rulesets they are: those of the zone at this place, or the account's.
pub(super) type Place = Option<usize>;

fn home(place: Place) -> Home {
    if place.is_some() { Home::Zone } else { Home::Account }
}

/// Answers a request for them.
pub(in crate::sandbox) fn answer(
    world: &mut World,
    place: Place,
    path: Path<'_>,
    asked: &Asked,
    query: &Query,
    token: &TokenOptions,
) -> Result<Answer, Refusal> {
    if !asked.changes_something() {
        return read(world, place, path, query, token);
    }
    let is_dry = match query.get("dry_run") {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            let words = format!("'{other}' is not a valid value for dry_run because it must be true or false");
            return Err(Refusal::new(400, 0, words));
        }
    };
    let mut rulesets = world.rulesets(place).clone();
    let (phase, _) = target(&rulesets, place, path, asked)?;
    token.may(&phase.permissions(true))?;
    let answered = Trial {
        rulesets: &mut rulesets,
        place,
        world,
        phase,
    }
    .write(path, asked)?;
    if !is_dry {
        *world.rulesets_mut(place) = rulesets;
        world.is_changed = true;
    }
    Ok(match answered {
        Answer::Result(_) if is_dry => Answer::Result(Value::Null),
        answered => answered,
    })
}

/// The phase that a request is about, and the ruleset where it names one that exists.
fn target(
    rulesets: &Rulesets,
    place: Place,
    path: Path<'_>,
    asked: &Asked,
) -> Result<(&'static Phase, Option<usize>), Refusal> {
    let named = match path {
        Path::All => {
            let body = asked.object()?;
            let name = Part::new(&body, "").required_text("phase")?.to_owned();
            return Ok((phase(&name, place, "/phase")?, None));
        }
        Path::One(named) | Path::Versions(named) | Path::Version(named, _) => named,
        Path::Rules(id) | Path::Rule(id, _) => Named::Id(id),
    };
    match named {
        Named::Phase(name) => {
            let phase = phase(name, place, "/phase")?;
            Ok((phase, rulesets.by_phase(phase)))
        }
        Named::Id(id) if !is_identifier(id) => Err(not_routed(&asked.path)),
        Named::Id(id) => {
            let at = rulesets.by_id(id);
            let at = at.ok_or_else(|| Refusal::new(404, 0, format!("could not find ruleset {id}")))?;
            Ok((phase(&rulesets.get(at).phase, place, "/phase")?, Some(at)))
        }
    }
}

pub(super) fn phase(name: &str, place: Place, pointer: &str) -> Result<&'static Phase, Refusal> {
    let words = || format!("'{name}' is not a valid value for phase");
    let phase = Phase::find(name).ok_or_else(|| invalid(pointer, words()))?;
    let home = home(place);
    if phase.home == home {
        return Ok(phase);
    }
    let kind = home.kind();
    let words =
        format!("'{kind}' is not a valid value for kind because kind \"{kind}\" cannot be used for phase {name}");
    Err(Refusal::bad(20004, words).at("/kind"))
}

fn read(world: &World, place: Place, path: Path<'_>, query: &Query, token: &TokenOptions) -> Result<Answer, Refusal> {
    let rulesets = world.rulesets(place);
    if path == Path::All {
        let may = |ruleset: &&Ruleset| {
            Phase::find(&ruleset.phase).is_some_and(|phase| token.may(&phase.permissions(false)).is_ok())
        };
        let shown = rulesets.iter().filter(may);
        let shown = shown.map(|ruleset| ruleset.to_value(&ruleset.newest, None)).collect();
        return query.cursor(PAGING, shown);
    }
    let (phase, at) = target(rulesets, place, path, &Asked::default())?;
    token.may(&phase.permissions(false))?;
    let absent = || {
        let words = format!("could not find entrypoint ruleset in the \"{}\" phase", phase.name);
        Refusal::new(404, 10003, words)
    };
    let ruleset = rulesets.get(at.ok_or_else(absent)?);
    Ok(match path {
        Path::Versions(_) => {
            let all = ruleset.editions().map(|edition| ruleset.to_value(edition, None));
            Answer::Result(all.collect())
        }
        Path::Version(_, number) => {
            let mut editions = ruleset.editions();
            let edition = editions.find(|edition| edition.version.to_string() == number);
            let words = || {
                Refusal::new(
                    404,
                    0,
                    format!("could not find version {number} of ruleset {}", ruleset.id),
                )
            };
            Answer::Result(ruleset.to_value(edition.ok_or_else(words)?, Some(world.turn)))
        }
        _ => Answer::Result(ruleset.show(world.turn)),
    })
}

/// A write on a copy of the rulesets.
pub(super) struct Trial<'a> {
    pub(super) rulesets: &'a mut Rulesets,
    pub(super) place: Place,
    pub(super) world: &'a mut World,
    pub(super) phase: &'static Phase,
}

impl Trial<'_> {
    fn write(self, path: Path<'_>, asked: &Asked) -> Result<Answer, Refusal> {
        let (_, at) = target(self.rulesets, self.place, path, asked)?;
        match (path, at) {
            (Path::One(_), Some(at)) if asked.method == "DELETE" => self.delete(at),
            (Path::All, _) => self.create(&asked.object()?),
            (Path::One(_), Some(at)) => self.replace(at, &asked.object()?),
            (Path::One(_), None) => self.make(&asked.object()?),
            (Path::Rules(_), Some(at)) => self.add(at, &asked.object()?),
            (Path::Rule(_, rule), Some(at)) if asked.method == "DELETE" => self.drop(at, rule),
            (Path::Rule(_, rule), Some(at)) => self.change(at, rule, &asked.object()?),
            _ => Err(Refusal::new(404, 0, "could not find ruleset")),
        }
    }

    fn plan(&self) -> Plan {
        match self.place {
            Some(at) => self.world.zones[at].plan,
            None => self.world.account_plan(),
        }
    }

    fn check(&self, fields: &Map<String, Value>, at: &str) -> Result<Brought, Refusal> {
        let (lists, redirect_lists) = self.world.list_names();
        let context = Context {
            phase: self.phase,
            plan: self.plan(),
            lists: &lists,
            redirect_lists: &redirect_lists,
        };
        validate::rule(fields, at, context)
    }

    /// The rules of a body; none stand for an empty list.
    fn brought(&self, before: &[Rule], body: &Part<'_>) -> Result<Vec<Brought>, Refusal> {
        let rules = body.list("rules")?.into_iter().flatten().enumerate();
        let brought = rules.map(|(at, rule)| {
            let at = format!("/rules/{at}");
            let fields = rule
                .as_object()
                .ok_or_else(|| invalid(&at, "a rule must be an object"))?;
            // What stood before stands, even if it holds what only the real API can judge.
            let untouched = before.iter().find_map(|rule| rule.brought_back(fields));
            untouched.map_or_else(|| self.check(fields, &at), Ok)
        });
        brought.collect()
    }

    /// What a plan allows.
    fn count(&self, rules: &[Rule]) -> Result<(), Refusal> {
        let counted = rules
            .iter()
            .filter(|rule| !self.phase.counts_active || rule.is_enabled());
        let (count, quota) = (counted.count(), self.phase.quota(self.plan()));
        if count > quota {
            let words = format!(
                "exceeded maximum number of rules in the phase {}: {count} of {quota} allowed",
                self.phase.name
            );
            return Err(invalid("/rules", words));
        }
        Ok(())
    }

    /// A ruleset through `POST`, of which there is at most one a phase.
    fn create(self, fields: &Map<String, Value>) -> Result<Answer, Refusal> {
        let body = Part::new(fields, "");
        body.required_text("name")?;
        let (given, kind) = (body.required_text("kind")?, home(self.place).kind());
        if given != kind {
            let words = format!(
                "'{given}' is not a valid value for kind because kind \"{given}\" cannot be used for phase {}",
                self.phase.name
            );
            return Err(Refusal::bad(20004, words).at("/kind"));
        }
        if self.rulesets.by_phase(self.phase).is_some() {
            let words = format!(
                "'{kind}' is not a valid value for kind because exceeded maximum number of {kind} rulesets for phase {}",
                self.phase.name
            );
            return Err(Refusal::bad(20217, words).at("/kind"));
        }
        self.make(fields)
    }

    pub(super) fn make(self, fields: &Map<String, Value>) -> Result<Answer, Refusal> {
        let body = Part::new(fields, "");
        body.only(KEYS)?;
        for (key, fixed) in [("kind", home(self.place).kind()), ("phase", self.phase.name)] {
            immutable(&body, key, fixed)?;
        }
        let name = body.text("name")?.unwrap_or("default");
        let description = body.text("description")?.unwrap_or_default().to_owned();
        let rules = store::carried(&[], self.brought(&[], &body)?, &mut self.world.ids)?;
        self.count(&rules)?;
        let edition = Edition::first(description, rules);
        let id = self.world.ids.next();
        let ruleset = Ruleset::new(id, name, self.phase, home(self.place), edition);
        let at = self.rulesets.add(ruleset);
        Ok(self.shown(at))
    }

    /// Everything anew: a rule that is not named is gone.
    pub(super) fn replace(self, at: usize, fields: &Map<String, Value>) -> Result<Answer, Refusal> {
        let body = Part::new(fields, "");
        body.only(KEYS)?;
        let before = self.rulesets.get(at);
        immutable(&body, "name", &before.name)?;
        immutable(&body, "kind", before.kind())?;
        immutable(&body, "phase", &before.phase)?;
        let brought = self.brought(&before.newest.rules, &body)?;
        let rules = store::carried(&before.newest.rules, brought, &mut self.world.ids)?;
        self.count(&rules)?;
        self.rulesets.get_mut(at).advance(body.text("description")?, rules);
        Ok(self.shown(at))
    }

    fn delete(self, at: usize) -> Result<Answer, Refusal> {
        let id = &self.rulesets.get(at).id;
        let zones = self.world.zones.iter().map(|zone| &zone.edge.rulesets);
        if zones
            .chain([self.world.rulesets(None)])
            .any(|rulesets| rulesets.executes(id))
        {
            let words = format!("ruleset {id} cannot be deleted because it is referenced by another ruleset");
            return Err(Refusal::new(400, 0, words));
        }
        self.rulesets.remove(at);
        Ok(Answer::Nothing)
    }

    fn add(self, at: usize, fields: &Map<String, Value>) -> Result<Answer, Refusal> {
        let (fields, position) = apart(fields)?;
        let brought = self.check(&fields, "")?;
        let mut rules = self.rulesets.get(at).newest.rules.clone();
        let rule = store::added(&rules, brought, &mut self.world.ids)?;
        let place = match position {
            Some(position) => position.among(&names(&rules))?,
            None => rules.len(),
        };
        rules.insert(place, rule);
        self.done(at, rules)
    }

    /// A rule replaced as a whole, or moved when nothing but a position is said.
    fn change(self, at: usize, id: &str, fields: &Map<String, Value>) -> Result<Answer, Refusal> {
        let (fields, position) = apart(fields)?;
        let mut rules = self.rulesets.get(at).newest.rules.clone();
        let place = find(&rules, id)?;
        let before = rules.remove(place);
        let rule = if fields.is_empty() && position.is_some() {
            before
        } else {
            let rule = before.with(self.check(&fields, "")?);
            store::unique(&rules, &rule, "/ref")?;
            rule
        };
        let place = match position {
            Some(position) => position.among(&names(&rules))?,
            None => place,
        };
        rules.insert(place, rule);
        self.done(at, rules)
    }

    fn drop(self, at: usize, id: &str) -> Result<Answer, Refusal> {
        let mut rules = self.rulesets.get(at).newest.rules.clone();
        let place = find(&rules, id)?;
        rules.remove(place);
        self.done(at, rules)
    }

    fn done(self, at: usize, rules: Vec<Rule>) -> Result<Answer, Refusal> {
        self.count(&rules)?;
        self.rulesets.get_mut(at).advance(None, rules);
        Ok(self.shown(at))
    }

    fn shown(&self, at: usize) -> Answer {
        Answer::Result(self.rulesets.get(at).show(self.world.turn))
    }
}

/// Said again, it must be what it is.
fn immutable(body: &Part<'_>, key: &str, fixed: &str) -> Result<(), Refusal> {
    match body.text(key)? {
        Some(other) if other != fixed => {
            let words = format!("'{other}' is not a valid value for {key} because it cannot be changed");
            Err(invalid(&body.place(key), words))
        }
        _ => Ok(()),
    }
}

/// A rule, and where it is to stand.
fn apart(fields: &Map<String, Value>) -> Result<(Map<String, Value>, Option<Position>), Refusal> {
    let mut fields = fields.clone();
    let position = fields.shift_remove("position");
    let position = position.as_ref().map(Position::parse).transpose()?;
    Ok((fields, position))
}

fn find(rules: &[Rule], id: &str) -> Result<usize, Refusal> {
    let found = rules.iter().position(|rule| rule.id == id);
    found.ok_or_else(|| Refusal::new(404, 0, format!("could not find rule {id}")))
}

fn names(rules: &[Rule]) -> Vec<&str> {
    rules.iter().map(|rule| rule.id.as_str()).collect()
}
