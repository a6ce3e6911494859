//! Level 4: steps carried out. [`executor`] makes the requests, each journalled before it is sent and after it was
//! answered, and finds out what became of those whose answer was lost. Knows no spec and no terminal.

pub mod executor;
mod settle;

pub use executor::{Failed, Progress, Report, Work, carry_out, spread};
