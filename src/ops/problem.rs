//! Why something could not be done, as a value that any front end can show.

use crate::base::diagnostic::{Diagnostics, Severity};
use crate::base::files::FileError;
use crate::history::HistoryError;
use crate::plan::Refusal;
use crate::plan::saved::SavedPlanError;
use crate::provider::ProviderError;
use crate::sandbox::SandboxError;

/// Why something could not be done.
#[derive(Debug)]
pub enum Problem {
    /// The spec has errors.
    Spec(Diagnostics),
    /// Guards stand against it.
    Refused(Vec<Refusal>),
    /// Anything else.
    Other {
        /// A stable name for this kind of problem.
        code: String,
        /// What was being done, and what went wrong.
        message: String,
        /// What to do next.
        help: Option<String>,
    },
}

impl Problem {
    /// A problem without advice.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self::Other {
            code: code.to_owned(),
            message: message.into(),
            help: None,
        }
    }

    /// What went wrong, within another sentence: of several errors in a spec, the first.
    pub fn in_a_sentence(&self) -> String {
        match self {
            Self::Other { message, .. } => message.clone(),
            Self::Spec(found) => {
                let first = found.iter().find(|finding| finding.severity == Severity::Error);
                first.map_or_else(|| "the spec has errors".to_owned(), |error| error.message.clone())
            }
            Self::Refused(_) => "guards stand against it".to_owned(),
        }
    }

    /// The same problem with advice.
    #[must_use]
    pub fn help(self, advice: impl Into<String>) -> Self {
        match self {
            Self::Other { code, message, .. } => Self::Other {
                code,
                message,
                help: Some(advice.into()),
            },
            other => other,
        }
    }
}

impl From<ProviderError> for Problem {
    fn from(error: ProviderError) -> Self {
        Self::Other {
            code: error.code,
            message: error.message,
            help: error.help,
        }
    }
}

impl From<HistoryError> for Problem {
    fn from(error: HistoryError) -> Self {
        Self::Other {
            code: error.code().to_owned(),
            message: error.to_string(),
            help: error.help(),
        }
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        Self::new("file", error.to_string())
    }
}

impl From<SavedPlanError> for Problem {
    fn from(error: SavedPlanError) -> Self {
        Self::new("saved-plan", error.to_string())
    }
}

impl From<SandboxError> for Problem {
    fn from(error: SandboxError) -> Self {
        Self::new("sandbox", error.to_string())
    }
}
