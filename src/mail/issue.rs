//! What is wrong with a record, as a value that points into its text.

use std::ops::Range;

use crate::base::diagnostic::Severity;

/// Something wrong with a record. `K` says which kind, for those who judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue<K> {
    /// Which kind.
    pub kind: K,
    /// How bad it is.
    pub severity: Severity,
    /// Bytes within the record's text.
    pub span: Range<usize>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl<K> Issue<K> {
    /// An error at `span`.
    pub fn error(kind: K, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            kind,
            severity: Severity::Error,
            span,
            message: message.into(),
            help: None,
        }
    }

    /// A warning at `span`.
    pub fn warning(kind: K, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(kind, span, message)
        }
    }

    /// A note at `span`.
    pub fn note(kind: K, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Info,
            ..Self::error(kind, span, message)
        }
    }

    /// The same issue with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
