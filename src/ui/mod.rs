//! Level 6: the only door to the terminal. What goes to standard output is what was asked for, in words or as JSON;
//! everything else (progress, prompts, problems) goes to standard error. A closed pipe is no error.

pub mod answers_view;
pub mod canvas;
pub mod diagnostics;
pub mod doctor_view;
pub mod edge_view;
pub mod flatten_view;
pub mod history_view;
pub mod json;
pub mod list_view;
pub mod mail_json;
pub mod mail_view;
pub mod markdown;
pub mod plan_view;
pub mod problem_view;
pub mod progress;
pub mod prompt;
pub mod record_view;
pub mod rehearsal_view;
pub mod run_view;
pub mod terminal;
pub mod trace;
pub mod uptime_view;

pub use canvas::Look;
pub use terminal::Terminal;

/// What a command says by its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Yes.
    Yes,
    /// It could not be done.
    Failed,
    /// It was done, and the answer is no.
    No,
    /// A person stopped it.
    Stopped,
}

impl Exit {
    /// The code that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::Failed => 1,
            Self::No => 2,
            Self::Stopped => 130,
        }
    }
}
