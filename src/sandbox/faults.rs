//! What goes wrong, and when: `3:drop-after` the third request, `w2:500` the second write, `*:slow=200ms` every request.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::world::World;
use crate::base::text;

/// Something that goes wrong at a certain request.
#[derive(Clone)]
pub struct Fault {
    when: When,
    what: What,
}

/// A fault that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no fault: {why}")]
pub struct FaultError {
    text: String,
    why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// The nth request, from 1.
    Request(usize),
    /// The nth write, from 1.
    Write(usize),
    Always,
}

type Hand = Arc<dyn Fn(&mut World) + Send + Sync>;

#[derive(Clone)]
enum What {
    Wire(Wire),
    /// Somebody else changes the world right before the request is executed.
    Foreign(Hand),
}

/// What becomes of a request and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    DropBefore,
    DropAfter,
    HangBefore,
    HangAfter,
    /// Executed, and half of the answer goes out.
    Truncated,
    /// An error of the service; nothing is done.
    Error,
    /// The same error, and yet it is done.
    ErrorAfter,
    /// An error of a gateway; nothing is done.
    Gateway(u16),
    Html,
    Garbage,
    /// Too many requests: come back after this time.
    TooMany(Duration),
    Forbidden,
    Slow(Duration),
}

/// The words for everything that takes no time of its own to say.
const WORDS: &[(&str, Wire)] = &[
    ("drop-before", Wire::DropBefore),
    ("drop-after", Wire::DropAfter),
    ("hang-before", Wire::HangBefore),
    ("hang-after", Wire::HangAfter),
    ("truncated", Wire::Truncated),
    ("500", Wire::Error),
    ("500-after", Wire::ErrorAfter),
    ("502", Wire::Gateway(502)),
    ("503", Wire::Gateway(503)),
    ("html", Wire::Html),
    ("garbage", Wire::Garbage),
    ("429", Wire::TooMany(Duration::from_secs(1))),
    ("403", Wire::Forbidden),
];

impl Wire {
    /// Whether the request is executed at all.
    pub(super) fn is_executed(self) -> bool {
        match self {
            Self::DropAfter | Self::HangAfter | Self::Truncated | Self::ErrorAfter | Self::Slow(_) => true,
            Self::DropBefore
            | Self::HangBefore
            | Self::Error
            | Self::Gateway(_)
            | Self::Html
            | Self::Garbage
            | Self::TooMany(_)
            | Self::Forbidden => false,
        }
    }
}

impl Fault {
    /// Somebody else changes the world right before the nth write (from 1) is executed.
    pub fn foreign(write: usize, hand: impl Fn(&mut World) + Send + Sync + 'static) -> Self {
        Self {
            when: When::Write(write),
            what: What::Foreign(Arc::new(hand)),
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Fault");
        out.field("when", &self.when);
        match &self.what {
            What::Wire(wire) => out.field("what", wire),
            What::Foreign(_) => out.field("what", &"somebody else's change"),
        };
        out.finish()
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(whole: &str) -> Result<Self, FaultError> {
        let wrong = |why: String| FaultError {
            text: text::shorten(&text::sanitize(whole), 60),
            why,
        };
        let (when, what) = whole
            .split_once(':')
            .ok_or_else(|| wrong("it is written WHEN:WHAT, such as 3:drop-after".to_owned()))?;
        Ok(Self {
            when: when_of(when).map_err(wrong)?,
            what: What::Wire(wire_of(what).map_err(wrong)?),
        })
    }
}

fn when_of(text: &str) -> Result<When, String> {
    if text == "*" {
        return Ok(When::Always);
    }
    let (digits, when): (&str, fn(usize) -> When) = match text.strip_prefix('w') {
        Some(digits) => (digits, When::Write),
        None => (text, When::Request),
    };
    match digits.parse::<usize>() {
        Ok(number) if number > 0 => Ok(when(number)),
        _ => Err(
            "before the colon stands the number of a request from 1, `w` and the number of a write, or `*`".to_owned(),
        ),
    }
}

fn wire_of(word: &str) -> Result<Wire, String> {
    if let Some((_, wire)) = WORDS.iter().find(|(known, _)| *known == word) {
        return Ok(*wire);
    }
    if let Some(time) = word.strip_prefix("slow=") {
        return duration(time)
            .map(Wire::Slow)
            .ok_or_else(|| "slow takes a time such as 700ms or 2s".to_owned());
    }
    if let Some(time) = word.strip_prefix("429=") {
        return duration(time)
            .map(Wire::TooMany)
            .ok_or_else(|| "429 takes a time to wait, such as 2s or 5m".to_owned());
    }
    let with_time = ["slow=TIME", "429=TIME"];
    let known: Vec<&str> = WORDS.iter().map(|(known, _)| *known).chain(with_time).collect();
    let guess =
        text::nearest(word, known.iter().copied()).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    Err(format!("{guess}known are {}", text::list(&known)))
}

/// At most an hour: more is no test.
fn duration(text: &str) -> Option<Duration> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at(at);
    let number: u64 = digits.parse().ok()?;
    let duration = match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        _ => return None,
    };
    (duration <= Duration::from_secs(3_600)).then_some(duration)
}

/// The faults that are set, and how many requests came since they were.
#[derive(Debug, Default)]
pub(super) struct Faults {
    all: Vec<Fault>,
    requests: usize,
    writes: usize,
}

/// What happens at one request.
#[derive(Default)]
pub(super) struct Happening {
    pub(super) hands: Vec<Hand>,
    pub(super) wire: Option<Wire>,
}

impl Faults {
    /// Numbers count from here.
    pub(super) fn new(all: Vec<Fault>) -> Self {
        Self {
            all,
            requests: 0,
            writes: 0,
        }
    }

    /// Counts a request, and says what happens to it: every foreign hand that fits, and the first other fault.
    pub(super) fn next(&mut self, is_write: bool) -> Happening {
        self.requests += 1;
        self.writes += usize::from(is_write);
        let mut happening = Happening::default();
        for fault in &self.all {
            let is_now = match fault.when {
                When::Always => true,
                When::Request(number) => number == self.requests,
                When::Write(number) => is_write && number == self.writes,
            };
            match &fault.what {
                What::Foreign(hand) if is_now => happening.hands.push(Arc::clone(hand)),
                What::Wire(wire) if is_now => {
                    happening.wire.get_or_insert(*wire);
                }
                What::Foreign(_) | What::Wire(_) => {}
            }
        }
        happening
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_and_an_unknown_one_lists_them() {
        for (word, wire) in WORDS {
            let fault: Fault = format!("w2:{word}").parse().unwrap();
            assert_eq!(fault.when, When::Write(2));
            assert!(matches!(fault.what, What::Wire(read) if read == *wire), "{word}");
        }
        let slow: Fault = "*:slow=700ms".parse().unwrap();
        assert!(matches!(slow.what, What::Wire(Wire::Slow(time)) if time == Duration::from_millis(700)));
        for (text, words) in [
            ("3:drop-aftr", "did you mean `drop-after`? known are drop-before"),
            ("3:explode", "slow=TIME"),
            ("drop-after", "WHEN:WHAT"),
            ("0:500", "from 1"),
            ("x:500", "from 1"),
            ("1:slow=soon", "700ms"),
            ("1:429=soon", "5m"),
            ("1:slow=9999999999999999999s", "700ms"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(words) && error.contains(text), "{error}");
        }
    }

    #[test]
    fn requests_and_writes_are_counted_apart() {
        let parse = |text: &str| text.parse::<Fault>().unwrap();
        let mut faults = Faults::new(vec![
            parse("w1:500"),
            parse("3:429"),
            parse("*:403"),
            Fault::foreign(2, |_| {}),
        ]);
        assert_eq!(faults.next(false).wire, Some(Wire::Forbidden));
        assert_eq!(faults.next(true).wire, Some(Wire::Error));
        let third = faults.next(true);
        assert_eq!(
            (third.wire, third.hands.len()),
            (Some(Wire::TooMany(Duration::from_secs(1))), 1)
        );
        assert_eq!(faults.next(true).hands.len(), 0);
    }
}
