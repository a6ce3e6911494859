//! Level 2: what has to change, as data. Pure: no I/O, no clock, no provider, no spec.
//!
//! [`diff::diff`] compares what is desired, what is live and what earlier runs left; [`guard`] says which of the
//! resulting changes are not to be made; [`saved`] keeps a plan for a later apply.

mod cached;
pub mod change;
pub mod conflict;
pub mod diff;
pub mod guard;
pub mod order;
pub mod saved;

pub use change::{Action, Change, Plan, Refusal, Warning, carried_out};
pub use diff::{Live, Owned, OwnedMark, Selection, Sides, diff};

#[cfg(test)]
mod tests;
