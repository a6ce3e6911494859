//! The file in which those that write checks into a folder keep the resources themselves: from it alone their other files
//! can be written again, and what differs from that was changed by somebody. Knows no service.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::files;
use crate::model::address::Address;
use crate::model::inventory::Inventory;
use crate::model::resource::Resource;
use crate::model::scope::ScopeName;
use crate::plan::{self, Change};
use crate::provider::{ProviderError, Reading};

/// The largest file of a folder that is read, in bytes.
pub const LARGEST: u64 = 16 * 1024 * 1024;
/// The one form of what is kept that there is so far.
const FORMAT: u32 = 1;

#[derive(Deserialize)]
struct Kept {
    format: u32,
    resources: BTreeMap<Address, Resource>,
}

/// What the file says.
pub fn text(inventory: &Inventory) -> String {
    let ours: BTreeMap<&str, &Resource> = inventory
        .iter()
        .map(|(address, resource)| (address.as_str(), resource))
        .collect();
    pretty(&json!({ "format": FORMAT, "resources": ours }))
}

/// JSON for people, which YAML is too.
pub fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// Takes the marks off all checks: somebody changed what was written of them, so none is what was declared.
pub fn unmark(inventory: &mut Inventory) {
    for resource in inventory.values_mut() {
        if let Resource::Monitor(monitor) = resource {
            monitor.marker = None;
        }
    }
}

/// What is kept once `changes` are carried out. A reading shows of a check what the spec says of it; what it does not say
/// stays as it is kept, whether the check changes or another one does.
pub fn carried_out(reading: &Reading, changes: &[Change]) -> Inventory {
    let all = reading.uptime.as_ref().map(|facts| facts.apart.clone());
    let kept: Inventory = all
        .and_then(|all| serde_json::from_value(all).ok())
        .unwrap_or_else(|| reading.live.inventory.clone());
    let mut inventory = plan::carried_out(kept.clone(), changes);
    inventory.retain(|address, _| address.scope_name() == Some(ScopeName::Uptime));
    for change in changes {
        let (Some(Resource::Monitor(after)), Some(Resource::Monitor(kept))) =
            (inventory.get_mut(&change.address), kept.get(&change.address))
        else {
            continue;
        };
        let before = change.before.as_ref().and_then(Resource::as_monitor);
        **after = after.as_ref().clone().laid_over(before, kept);
    }
    inventory
}

/// The resources that the file at `path` keeps; none without a file.
pub fn read(path: &Path) -> Result<Inventory, ProviderError> {
    let text = match files::read_text(path, LARGEST) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => return Ok(Inventory::new()),
        Err(error) => return Err(ProviderError::new("bad-folder", error.to_string())),
    };
    let damaged = |why: String| {
        let message = format!("`{}` is damaged: {why}", path.display());
        ProviderError::new("bad-folder", message).help("remove it: the next apply writes it again")
    };
    let kept: Kept = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    if kept.format != FORMAT {
        return Err(damaged(format!("it has the form {}, {FORMAT} is known", kept.format)));
    }
    Ok(kept.resources)
}
