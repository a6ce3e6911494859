//! launchctl: one declarative file for everything that stands around an app on launch day, reconciled against live
//! provider APIs with plan, apply and rollback. `ARCHITECTURE.md` is the map; the modules below are its rooms, from
//! the ground up. Imports run downward only (a test holds them to it).

// A file that the library's tests share with those of the whole names the crate as they do.
#[cfg(test)]
extern crate self as launchctl;

pub mod apply;
pub mod base;
pub mod cli;
pub mod history;
pub mod mail;
pub mod model;
pub mod ops;
pub mod plan;
pub mod provider;
pub mod sandbox;
pub mod spec;
pub mod ui;
pub mod verify;
