//! `validate`: everything that can be known of a spec without a network and without a credential.

use crate::base::diagnostic::Diagnostics;
use crate::ops::problem::Problem;
use crate::ops::session::{Setting, read_source, understand};

/// What was found.
#[derive(Debug)]
pub struct Validated {
    /// Whether there are no errors.
    pub ok: bool,
    /// Errors, warnings and what else is worth knowing.
    pub findings: Diagnostics,
    /// How many resources it declares, when it could be read.
    pub resources: usize,
    /// How many zones it speaks of.
    pub zones: usize,
}

/// Reads and checks a spec.
pub fn validate(setting: &Setting) -> Result<Validated, Problem> {
    let loaded = understand(setting, &read_source(&setting.spec)?);
    let ok = loaded.spec.is_some() && !loaded.diagnostics.has_errors();
    let desired = loaded.spec.map(|spec| spec.desired).unwrap_or_default();
    Ok(Validated {
        ok,
        findings: loaded.diagnostics.sorted(),
        resources: desired.inventory.len(),
        zones: desired.zones.len(),
    })
}
