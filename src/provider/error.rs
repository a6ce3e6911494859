//! Why a provider could not be read: a value with a stable code, what was being done, and what to do next.

/// Why a provider could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ProviderError {
    /// A stable name for this kind of error.
    pub code: String,
    /// What was being done, and what the other side said.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
}

impl ProviderError {
    /// An error without advice.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            help: None,
        }
    }

    /// The same error with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
