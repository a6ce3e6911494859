//! Everything the stand-in keeps: zones, tokens, the request budget. Tests and `rehearse` set it up and look into it
//! without a request; whatever could also come over HTTP goes the same way here.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use super::betterstack;
use super::edge::{Account, Switches};
use super::envelope::Refusal;
use super::plan::Plan;
use super::records::{self, Transaction, View};
use super::tokens::{TokenOptions, Tokens};
use super::uptimerobot;
use super::zones::Zone;
use crate::base::digest;

/// The account that everything belongs to.
pub(super) const ACCOUNT: &str = "a0c0ffee0000000000000000000000aa";

/// Everything the stand-in keeps.
#[derive(Debug, Default)]
pub struct World {
    /// In the order in which they were made.
    pub(super) zones: Vec<Zone>,
    pub(super) tokens: Tokens,
    pub(super) ids: Ids,
    /// How many pairs of name servers were given out.
    pub(super) pairs: usize,
    /// Moves with every request: what is volatile at the provider hangs on it.
    pub(super) turn: usize,
    /// Whether something changed since it was last written to disk.
    pub(super) is_changed: bool,
    pub(super) budget: Budget,
    pub(super) largest_page: Option<usize>,
    pub(super) account: Account,
    pub(super) switches: Switches,
    /// Seconds by which its clock is ahead.
    pub(super) ahead: i64,
    /// An account of checks, at another service.
    pub(super) uptimerobot: uptimerobot::Account,
    /// Another one.
    pub(super) betterstack: betterstack::Account,
}

/// Identifiers of 32 hexadecimal digits that never come twice.
#[derive(Debug)]
pub(super) struct Ids {
    seed: u64,
    next: u64,
}

impl Default for Ids {
    fn default() -> Self {
        // The hasher's keys are random, which is all that is needed: a world that is loaded again gives out other ids.
        Self {
            seed: RandomState::new().hash_one(0),
            next: 0,
        }
    }
}

impl Ids {
    pub(super) fn next(&mut self) -> String {
        self.next += 1;
        digest::short(format!("{}:{}", self.seed, self.next).as_bytes(), 32)
    }
}

/// The time as the API writes it.
pub(super) fn now() -> String {
    format!("{:.6}", Timestamp::now())
}

/// Requests in a fixed window (facts §1.6). Once they are used up, everything is refused until the window ends.
#[derive(Debug)]
pub(super) struct Budget {
    quota: usize,
    window: Duration,
    is_enforced: bool,
    used: usize,
    began: Option<Instant>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            quota: 1_200,
            window: Duration::from_secs(300),
            is_enforced: false,
            used: 0,
            began: None,
        }
    }
}

/// What is left of a budget, as its headers say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) is_granted: bool,
    pub(super) requests: usize,
    /// Seconds, rounded up.
    pub(super) reset: u64,
    pub(super) quota: usize,
    pub(super) window: u64,
}

impl Left {
    /// Another service counts for itself.
    pub(super) fn of_another_service() -> Self {
        Self {
            is_granted: true,
            requests: 1,
            reset: 1,
            quota: 1,
            window: 1,
        }
    }
}

impl Budget {
    /// One that is enforced.
    pub(super) fn of(quota: usize, window: Duration) -> Self {
        Self {
            quota,
            window,
            is_enforced: true,
            used: 0,
            began: None,
        }
    }

    pub(super) fn is_enforced(&self) -> bool {
        self.is_enforced
    }

    /// Counts a request.
    pub(super) fn take(&mut self, now: Instant) -> Left {
        let began = match self.began {
            Some(began) if now.duration_since(began) < self.window => began,
            _ => {
                self.used = 0;
                now
            }
        };
        self.began = Some(began);
        let is_granted = self.used < self.quota || !self.is_enforced;
        self.used += 1;
        let rest = self.window.saturating_sub(now.duration_since(began));
        let left = self.quota.saturating_sub(self.used);
        Left {
            is_granted,
            // Clients pause at 0, which would be for nothing while the limit is off.
            requests: if self.is_enforced { left } else { left.max(1) },
            reset: rest.as_secs() + u64::from(rest.subsec_nanos() > 0),
            quota: self.quota,
            window: self.window.as_secs(),
        }
    }
}

impl World {
    /// A world with the sandbox's own token and nothing else.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether it has a zone with this name.
    pub fn has_zone(&self, name: &str) -> bool {
        self.zone(name).is_some()
    }

    /// The name servers that were assigned to a zone.
    pub fn name_servers(&self, name: &str) -> Vec<String> {
        let zone = self.zones.iter().find(|zone| zone.name.eq_ignore_ascii_case(name));
        zone.map(|zone| zone.name_servers.clone()).unwrap_or_default()
    }

    /// The id of the zone with this name.
    pub fn zone_id(&self, name: &str) -> Option<&str> {
        self.zone(name).map(|zone| zone.id.as_str())
    }

    /// Adds an active zone and returns its id. A second one with the same name is another zone, as it would be in
    /// another account.
    pub fn add_zone(&mut self, name: &str, plan: Plan) -> String {
        let zone = self.new_zone(name, plan, "active");
        let id = zone.id.clone();
        self.zones.push(zone);
        self.is_changed = true;
        id
    }

    /// The same with an id that is known from elsewhere: a copy that is to be taken for the original.
    pub fn add_zone_as(&mut self, name: &str, plan: Plan, id: &str) {
        let mut zone = self.new_zone(name, plan, "active");
        id.clone_into(&mut zone.id);
        self.zones.push(zone);
        self.is_changed = true;
    }

    pub(super) fn new_zone(&mut self, name: &str, plan: Plan, status: &str) -> Zone {
        self.pairs += 1;
        Zone::new(self.ids.next(), name, plan, status, self.pairs)
    }

    /// Removes the zones with this name, with everything in them.
    pub fn remove_zone(&mut self, name: &str) {
        self.zones.retain(|zone| !zone.name.eq_ignore_ascii_case(name));
        self.is_changed = true;
    }

    /// Sets a zone's status, such as `active` once its registrar points here.
    pub fn set_status(&mut self, zone: &str, status: &str) {
        if let Some(zone) = self.zone_mut(zone) {
            status.clone_into(&mut zone.status);
        }
        self.is_changed = true;
    }

    /// Moves a zone to another plan.
    pub fn set_plan(&mut self, zone: &str, plan: Plan) {
        if let Some(zone) = self.zone_mut(zone) {
            zone.plan = plan;
            zone.quota = Some(plan.limits().records);
        }
        self.is_changed = true;
    }

    /// Adds a record as a request would, with the same checks, and returns its id.
    pub fn add_record(&mut self, zone: &str, record: Value) -> Result<String, String> {
        let Value::Object(fields) = record else {
            return Err("a record is a JSON object".to_owned());
        };
        let outcome = self.transact(zone, |transaction| {
            let made = transaction.create(&fields)?;
            Ok(transaction.id(made))
        });
        match outcome {
            None => Err(format!("there is no zone {zone}")),
            Some(Ok(id)) => Ok(id),
            Some(Err(refusal)) => Err(format!("{} {}", refusal.code, refusal.message)),
        }
    }

    /// Adds a record without any check, and returns its id: what Cloudflare itself puts there, `meta` included, or what
    /// no request could make.
    pub fn force_record(&mut self, zone: &str, record: Value) -> String {
        let id = self.ids.next();
        if let (Some(zone), Value::Object(fields)) = (self.zone_mut(zone), record) {
            let record = records::forced(id.clone(), &fields, &zone.name, zone.plan);
            zone.records.insert(record);
        }
        self.is_changed = true;
        id
    }

    /// Removes a record, whoever keeps it; says whether it was there.
    pub fn remove_record(&mut self, zone: &str, id: &str) -> bool {
        self.is_changed = true;
        self.zone_mut(zone).is_some_and(|zone| {
            let found = zone.records.find(id);
            found.is_some_and(|at| zone.records.take(at).is_some())
        })
    }

    /// The records of a zone as a list would show them.
    pub fn records(&self, zone: &str) -> Vec<Value> {
        let records = self.zone(zone).map(|zone| &zone.records);
        let all = records.into_iter().flat_map(records::Records::iter);
        all.map(|record| record.to_value(View::Read(0))).collect()
    }

    /// How many records a zone may hold; none for any number.
    pub fn set_quota(&mut self, zone: &str, quota: Option<usize>) {
        if let Some(zone) = self.zone_mut(zone) {
            zone.quota = quota;
        }
        self.is_changed = true;
    }

    /// The account at UptimeRobot.
    pub fn uptimerobot(&mut self) -> &mut uptimerobot::Account {
        self.is_changed = true;
        &mut self.uptimerobot
    }

    /// The account at Better Stack.
    pub fn betterstack(&mut self) -> &mut betterstack::Account {
        self.is_changed = true;
        &mut self.betterstack
    }

    /// Makes a token known. Tokens are never written to disk.
    pub fn add_token(&mut self, token: &str, options: TokenOptions) {
        self.tokens.add(token, options);
    }

    /// Refuses everything with 429 after so many requests in a window, until the window ends. Off unless it is set, so
    /// that long tests do not run into it; Cloudflare's own are 1,200 in 300 seconds.
    pub fn set_rate_limit(&mut self, requests: usize, window: Duration) {
        self.budget = Budget::of(requests, window);
    }

    /// Lets time pass, for everything that happens by itself after a while.
    pub fn pass(&mut self, time: Duration) {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        self.ahead = self.ahead.saturating_add(seconds);
        self.is_changed = true;
    }

    /// The world's own time, in seconds of the epoch.
    pub(super) fn seconds(&self) -> i64 {
        Timestamp::now().as_second().saturating_add(self.ahead)
    }

    /// The largest page of records that is given, instead of 50,000: the limit is written down differently in places.
    pub fn set_largest_page(&mut self, records: usize) {
        self.largest_page = Some(records);
    }

    /// Carries out a transaction in a zone, by its name.
    fn transact<T>(
        &mut self,
        zone: &str,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Refusal>,
    ) -> Option<Result<T, Refusal>> {
        let zone = self
            .zones
            .iter_mut()
            .find(|known| known.name.eq_ignore_ascii_case(zone))?;
        let outcome = records::transact(zone, &mut self.ids, work);
        self.is_changed |= outcome.is_ok();
        Some(outcome)
    }

    pub(super) fn zone(&self, name: &str) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn zone_mut(&mut self, name: &str) -> Option<&mut Zone> {
        self.zones.iter_mut().find(|zone| zone.name.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_is_used_up_refuses_everything_until_it_ends() {
        let mut world = World::new();
        world.set_rate_limit(2, Duration::from_secs(10));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let granted: Vec<bool> = [0, 1, 2, 9, 10, 11, 12]
            .map(|second| world.budget.take(at(second)).is_granted)
            .to_vec();
        assert_eq!(granted, [true, true, false, false, true, true, false]);
        let left = world.budget.take(at(13));
        assert_eq!((left.requests, left.reset, left.quota, left.window), (0, 7, 2, 10));
        // Off, nothing is ever refused, and no header asks for a pause.
        let mut off = Budget::default();
        assert!(
            (0..5_000)
                .map(|_| off.take(start))
                .all(|left| left.is_granted && left.requests > 0)
        );
    }

    #[test]
    fn ids_are_32_digits_and_never_come_twice() {
        let (mut one, mut other) = (Ids::default(), Ids::default());
        let all: std::collections::BTreeSet<String> = (0..100).flat_map(|_| [one.next(), other.next()]).collect();
        assert_eq!(all.len(), 200);
        assert!(
            all.iter()
                .all(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()))
        );
    }
}
