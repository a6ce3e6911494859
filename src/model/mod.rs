//! Level 1: what is managed, in canonical form. No I/O, no clock, no provider, no spec.

pub mod name;
pub mod record;
pub mod ttl;
