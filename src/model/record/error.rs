//! Why a text is no data of its type, and which part of it is to blame.

use std::ops::Range;

/// Why a text is no data of its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DataError {
    message: String,
    help: Option<String>,
    span: Range<usize>,
}

impl DataError {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            span,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The bytes to blame, on character boundaries within the text that was parsed.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }
}
