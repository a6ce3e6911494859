//! Level 4: runs kept. [`record`] is what a run leaves, [`store`] the one door to where it is kept, [`local`] the folder
//! beside the spec, [`lock`] what keeps two applies apart, [`chain`] what several runs amount to. Knows no provider.

pub mod chain;
pub mod local;
pub mod lock;
pub mod record;
pub mod store;

pub use record::{Entry, Event, Run, RunId, RunKind, RunRecord, RunStatus, Shift};
pub use store::{HistoryError, Journal, Store};
