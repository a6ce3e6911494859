//! What was asked, in the order in which it was carried out, and how much of it had to wait for one another.

use std::time::Instant;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Whether it asked for a change, granted or not.
    pub wrote: bool,
    /// The status that was answered; none when nothing was.
    pub status: Option<u16>,
    begun: Instant,
    ended: Option<Instant>,
}

/// More than these are not kept: the oldest go.
const MOST: usize = 100_000;

/// The requests since the log was cleared.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: Vec<Entry>,
    /// The number of the first entry: those before it are gone.
    first: usize,
}

impl Log {
    /// Adds a request that has just been carried out, or will never be; the number ends it later.
    pub(super) fn add(&mut self, method: &str, path: &str, wrote: bool, status: Option<u16>, begun: Instant) -> usize {
        if self.entries.len() >= MOST {
            self.entries.drain(..MOST / 2);
            self.first += MOST / 2;
        }
        self.entries.push(Entry {
            method: method.to_owned(),
            path: path.to_owned(),
            wrote,
            status,
            begun,
            ended: None,
        });
        self.first + self.entries.len() - 1
    }

    pub(super) fn end(&mut self, number: usize, at: Instant) {
        let entry = number.checked_sub(self.first).and_then(|at| self.entries.get_mut(at));
        if let Some(entry) = entry {
            entry.ended = Some(at);
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn clear(&mut self) {
        self.first += self.entries.len();
        self.entries.clear();
    }

    /// The longest chain of requests of which each began after the one before it had ended. The earliest end first is
    /// the longest such chain.
    pub(super) fn serial_depth(&self, now: Instant) -> usize {
        let mut spans: Vec<(Instant, Instant)> = self
            .entries
            .iter()
            .map(|entry| (entry.ended.unwrap_or(now), entry.begun))
            .collect();
        spans.sort_unstable();
        let mut depth = 0;
        let mut last: Option<Instant> = None;
        for (ended, begun) in spans {
            if last.is_none_or(|last| begun >= last) {
                depth += 1;
                last = Some(ended);
            }
        }
        depth
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_what_waited_for_one_another_counts() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut log = Log::default();
        // One, then three at once, then one.
        for (begun, ended) in [(0, 10), (11, 30), (12, 25), (12, 31), (40, 50)] {
            let number = log.add("GET", "/", false, Some(200), at(begun));
            log.end(number, at(ended));
        }
        assert_eq!(log.serial_depth(at(60)), 3);
        // One that never ended lasts until now.
        log.add("GET", "/", false, None, at(45));
        assert_eq!(log.serial_depth(at(60)), 3);
        let stale = log.add("GET", "/", false, None, at(70));
        log.clear();
        log.end(stale, at(80));
        assert_eq!((log.serial_depth(at(90)), log.entries().len()), (0, 0));
    }
}
