//! Level 4: asks the world whether what was declared holds. [`answers`] asks DNS servers. Knows no terminal, and changes
//! nothing.

pub mod answers;
