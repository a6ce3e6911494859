//! Changes to the records of a zone, of which all happen or none: what was there is moved into an undo log and moved
//! back when something is refused.

use serde_json::{Map, Value};

use super::super::envelope::{GENERAL, Refusal};
use super::super::world::Ids;
use super::super::zones::Zone;
use super::normalise::{self, Context};
use super::{Body, Record, View};
use crate::model::name::DomainName;

/// Changes under way.
pub(in crate::sandbox) struct Transaction<'a> {
    zone: &'a mut Zone,
    apex: DomainName,
    ids: &'a mut Ids,
    undo: Vec<Undo>,
}

enum Undo {
    /// Something was put here.
    Remove(u64),
    /// This was here before.
    Restore(u64, Box<Record>),
}

/// Carries out `work` in a zone; when it is refused, the zone is as it was before.
pub(in crate::sandbox) fn transact<T>(
    zone: &mut Zone,
    ids: &mut Ids,
    work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let apex = DomainName::parse(&zone.name).map_err(|_| Refusal::bad(9000, "DNS name is invalid."))?;
    let mut transaction = Transaction {
        zone,
        apex,
        ids,
        undo: Vec::new(),
    };
    let outcome = work(&mut transaction);
    if outcome.is_err() {
        transaction.roll_back();
    }
    outcome
}

impl Transaction<'_> {
    /// A new record.
    pub(in crate::sandbox) fn create(&mut self, fields: &Map<String, Value>) -> Result<u64, Refusal> {
        let body = self.normalise(fields, None)?;
        self.zone.records.admit(&body, self.apex.as_str())?;
        if self.zone.quota.is_some_and(|quota| self.zone.records.len() >= quota) {
            return Err(Refusal::bad(81045, "Record quota exceeded."));
        }
        let number = self.zone.records.insert(Record::new(self.ids.next(), body));
        self.undo.push(Undo::Remove(number));
        Ok(number)
    }

    /// A record in the place of another; what is not said takes its default.
    pub(super) fn put(&mut self, id: &str, fields: &Map<String, Value>) -> Result<u64, Refusal> {
        let (number, _) = self.editable(id)?;
        let body = self.normalise(fields, None)?;
        self.replace(number, body)?;
        Ok(number)
    }

    /// A record changed; what is not said stays.
    pub(super) fn patch(&mut self, id: &str, fields: &Map<String, Value>) -> Result<u64, Refusal> {
        let (number, before) = self.editable(id)?;
        let body = self.normalise(fields, Some(&before.body))?;
        self.replace(number, body)?;
        Ok(number)
    }

    /// A record removed; what it was.
    pub(super) fn delete(&mut self, id: &str) -> Result<Value, Refusal> {
        let (number, record) = self.editable(id)?;
        let value = record.to_value(View::Written);
        self.take(number);
        if let Some(Undo::Restore(_, record)) = self.undo.last()
            && record.body.kind == "NS"
        {
            self.zone.records.check_delegation(&record.body.name)?;
        }
        Ok(value)
    }

    /// A record as the answer to a write shows it.
    pub(super) fn show(&self, number: u64) -> Value {
        self.zone
            .records
            .get(number)
            .map_or(Value::Null, |record| record.to_value(View::Written))
    }

    /// The id of a record.
    pub(in crate::sandbox) fn id(&self, number: u64) -> String {
        self.zone
            .records
            .get(number)
            .map_or_else(String::new, |record| record.id.clone())
    }

    fn normalise(&self, fields: &Map<String, Value>, base: Option<&Body>) -> Result<Body, Refusal> {
        let context = Context {
            zone: &self.apex,
            plan: self.zone.plan,
        };
        normalise::body(fields, base, context)
    }

    fn editable(&self, id: &str) -> Result<(u64, &Record), Refusal> {
        let found = self.zone.records.find(id);
        let found = found.and_then(|number| Some((number, self.zone.records.get(number)?)));
        let (number, record) =
            found.ok_or_else(|| Refusal::new(404, 81044, format!("Record ID {id} does not exist.")))?;
        if record.is_read_only() {
            let words = "This DNS record is managed by Email Routing and cannot be changed.";
            return Err(Refusal::bad(GENERAL, words));
        }
        Ok((number, record))
    }

    fn replace(&mut self, number: u64, body: Body) -> Result<(), Refusal> {
        let Some(before) = self.zone.records.get(number) else {
            return Ok(());
        };
        if before.body.kind != body.kind {
            // Refused since 2026-06-30 (facts §3.5).
            return Err(Refusal::bad(GENERAL, "The type of a DNS record cannot be changed."));
        }
        if before.body.says_the_same(&body) {
            return Ok(());
        }
        let after = before.with(body);
        let was_ns_at =
            (before.body.kind == "NS" && before.body.name != after.body.name).then(|| before.body.name.clone());
        self.take(number);
        self.zone.records.admit(&after.body, self.apex.as_str())?;
        self.zone.records.put(number, after);
        match was_ns_at {
            Some(name) => self.zone.records.check_delegation(&name),
            None => Ok(()),
        }
    }

    fn take(&mut self, number: u64) {
        if let Some(record) = self.zone.records.take(number) {
            self.undo.push(Undo::Restore(number, Box::new(record)));
        }
    }

    fn roll_back(&mut self) {
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Remove(number) => {
                    self.zone.records.take(number);
                }
                Undo::Restore(number, record) => {
                    self.zone.records.take(number);
                    self.zone.records.put(number, *record);
                }
            }
        }
    }
}
