//! `history`: the runs of a spec, or one of them whole. Asks no provider and needs no credential.

use crate::history::local::LocalStore;
use crate::history::{Run, RunId, Store as _};
use crate::ops::problem::Problem;
use crate::ops::session::{Setting, history_folder};

/// The runs of a spec, oldest first. The spec itself may be broken or gone: only its name counts.
pub fn runs(setting: &Setting) -> Result<Vec<Run>, Problem> {
    let mut folder = history_folder(&setting.spec);
    if setting.sandbox {
        folder = folder.join("sandbox");
    }
    let name = setting
        .spec
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(LocalStore::new(&folder, setting.clock).runs(&name)?)
}

/// One run.
pub fn run(setting: &Setting, id: &RunId) -> Result<Run, Problem> {
    let found = runs(setting)?.into_iter().find(|run| run.id() == id);
    found.ok_or_else(|| {
        Problem::new("no-such-run", format!("this history has no run {id}"))
            .help("`launchctl history` lists the runs of the spec; another one is named with --spec")
    })
}
