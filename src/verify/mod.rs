//! Level 4: asks the world whether what was declared holds. [`answers`] asks DNS servers. Knows no terminal, and changes
//! nothing.

pub mod answers;
pub mod resolver;
pub mod served_policy;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[path = "../../tests/it/zone_server.rs"]
#[allow(clippy::unwrap_used, unreachable_pub, reason = "tests")]
mod zone_server;
