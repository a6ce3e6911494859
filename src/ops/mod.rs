//! Level 5: use cases, one file each, printing nothing. Each is the same road with another start or end: a session is
//! opened, the live world read, a plan made, carried out and journalled.

pub mod answers;
pub mod apply;
pub mod dkim;
pub mod doctor;
pub mod flatten;
pub mod history;
pub mod import;
pub mod mail;
pub mod plan;
pub mod problem;
pub mod rehearse;
pub mod rollback;
pub mod sandbox;
pub mod session;
pub mod validate;

pub use plan::{Basis, Planned};
pub use problem::Problem;
pub use session::{Session, Setting};
