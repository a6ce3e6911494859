//! What an evaluation did, term by term: enough to draw it, nothing that decides anything. Texts of records and answers
//! are as they came: whoever shows them makes them safe for a terminal.

use std::fmt;
use std::ops::Range;

use super::term::Qualifier;
use crate::mail::dns::Question;

/// The result of a check (RFC 7208 §2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// No record, or no domain that could have one.
    None,
    /// The domain says nothing about this client.
    Neutral,
    /// The client may send.
    Pass,
    /// The client may not send.
    Fail,
    /// The client probably may not send.
    SoftFail,
    /// DNS did not answer: nothing is known.
    TempError,
    /// The record cannot be used.
    PermError,
}

impl Outcome {
    /// The word used in headers and traces (RFC 7208 §2.6).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Qualifier> for Outcome {
    fn from(qualifier: Qualifier) -> Self {
        match qualifier {
            Qualifier::Pass => Self::Pass,
            Qualifier::Fail => Self::Fail,
            Qualifier::SoftFail => Self::SoftFail,
            Qualifier::Neutral => Self::Neutral,
        }
    }
}

/// A check and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The result.
    pub outcome: Outcome,
    /// Why it is an error, where it is one.
    pub problem: Option<String>,
    /// What the domain says to senders that fail, made safe for one line; `None` when it says nothing that can be used.
    pub explanation: Option<String>,
    /// How many terms asked DNS; the eleventh makes a permerror.
    pub lookups: usize,
    /// How many of them found nothing; the third makes a permerror.
    pub voids: usize,
    /// Record by record, term by term.
    pub trace: RecordTrace,
}

/// One record that was evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordTrace {
    /// The domain, as it was looked up.
    pub domain: String,
    /// The record's text, where there is one.
    pub record: Option<String>,
    /// Its terms that were reached, in order of evaluation.
    pub terms: Vec<TermTrace>,
    /// What this record gives.
    pub outcome: Outcome,
    /// Why it is an error, where it is one.
    pub problem: Option<String>,
}

/// One term that was evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermTrace {
    /// Its place in the record's text.
    pub span: Range<usize>,
    /// The term as written.
    pub term: String,
    /// How many lookups had been used when it was done, itself included.
    pub lookups: usize,
    /// What was asked for it; the record of an include or redirect is in `nested`.
    pub asked: Vec<Asked>,
    /// What became of it.
    pub step: Step,
    /// The record that an include or redirect led to.
    pub nested: Option<Box<RecordTrace>>,
}

/// What became of a term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It matched and decided.
    Matched(Outcome),
    /// It did not match; the next one is looked at.
    NotMatched,
    /// The record that it redirects to decided.
    Redirected(Outcome),
    /// It ended the check with an error.
    Stopped(Outcome, String),
}

/// One question that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The type.
    pub question: Question,
    /// The name.
    pub name: String,
    /// What was answered, in a few words.
    pub answer: String,
}
