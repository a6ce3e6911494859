//! `sandbox`: the stand-in served for others to talk to, its state kept beside the history of the spec.

use std::path::PathBuf;

use crate::history::local;
use crate::ops::problem::Problem;
use crate::ops::session::{Setting, history_folder};
use crate::sandbox::{Fault, Options, Plan, Sandbox};

/// How it is served.
#[derive(Debug, Default)]
pub struct Serve {
    /// The port on 127.0.0.1; 0 takes any that is free.
    pub port: u16,
    /// Zones that it shall hold.
    pub zones: Vec<String>,
    /// What is paid for them.
    pub plan: Plan,
    /// How long each answer takes.
    pub latency: std::time::Duration,
    /// What goes wrong, and when.
    pub faults: Vec<Fault>,
    /// Whether its state is kept when it stops.
    pub keep: bool,
}

/// Starts it.
pub async fn start(setting: &Setting, serve: Serve) -> Result<Sandbox, Problem> {
    let state_file = if serve.keep { Some(state_file(setting)?) } else { None };
    let options = Options {
        port: serve.port,
        state_file,
        latency: serve.latency,
        faults: serve.faults,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await?;
    for zone in &serve.zones {
        sandbox.with_world(|world| {
            if !world.has_zone(zone) {
                world.add_zone(zone, serve.plan);
            }
        });
    }
    Ok(sandbox)
}

fn state_file(setting: &Setting) -> Result<PathBuf, Problem> {
    let folder = local::make_sandbox_folder(&history_folder(&setting.spec))?;
    Ok(folder.join("cloudflare.json"))
}
