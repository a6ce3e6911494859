//! Level 0: what every room stands on. Knows nothing of records, providers or the terminal.

pub mod clock;
pub mod diagnostic;
pub mod digest;
pub mod few_eyes;
pub mod files;
pub mod secret;
pub mod text;
