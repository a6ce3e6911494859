//! SPF (RFC 7208): records read with places, evaluated for a client, walked without one, and built. Asks DNS only
//! through [`crate::mail::dns::Dns`].

pub mod analyse;
pub mod build;
pub mod evaluate;
pub mod flatten;
pub mod lock;
pub mod macros;
pub mod network;
mod parse;
mod term;
pub mod trace;

pub use evaluate::{Client, check_host};
pub use parse::{Malformed, SyntaxError, is_spf, parse, parse_term, parse_value};
pub use term::{Directive, DomainSpec, Mechanism, Modifier, Prefixes, Qualifier, Record, Term, TermKind};
pub use trace::{Evaluation, Outcome};

/// The most terms that may ask DNS in one check (RFC 7208 §4.6.4).
pub const MOST_LOOKUPS: usize = 10;
/// The most void lookups in one check (RFC 7208 §4.6.4).
pub const MOST_VOIDS: usize = 2;
/// What a record may take, in octets, so that its answer fits into a message of 512 beside its question (RFC 7208 §3.4).
pub const ROOMY: usize = 450;
/// The most networks that an include may stand for when it is flattened: more than fit into records within ten lookups.
pub const MOST_NETWORKS: usize = 1000;
/// The most exchangers of one `mx` and names of one `ptr` (RFC 7208 §4.6.4).
pub const MOST_NAMES: usize = 10;

#[cfg(test)]
mod suite;
#[cfg(test)]
pub(crate) mod tests;
