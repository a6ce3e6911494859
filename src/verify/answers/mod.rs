//! What DNS answers, compared with what was declared. [`Expectation`] says what is right (pure), [`servers`] finds who is
//! to be asked, [`wait`] asks until everybody is right or the time is up.

mod expectation;
pub mod servers;
mod wait;

pub use expectation::{Expectation, expectations};
pub use servers::{Role, Server};
pub use wait::{Late, Report, Said, Tally, wait};
