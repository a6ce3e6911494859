//! `launchctl sandbox`.

use std::time::Duration;

use super::rehearse::zone_plan;
use super::{Context, duration, say};
use crate::model::name::DomainName;
use crate::ops::sandbox::{self, Serve};
use crate::ops::{self, Problem};
use crate::provider::PROFILES;
use crate::sandbox::{Fault, Plan, SANDBOX_TOKEN, Sandbox};
use crate::ui::Exit;

/// Serve the stand-in for Cloudflare, UptimeRobot and Better Stack on this machine until stopped
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl sandbox --zone acme.example\n  launchctl sandbox --port 8787 --zone acme.example --zone-plan pro --keep\n  launchctl sandbox --zone acme.example --fault 3:drop-after --fault w2:429 --fault '*:slow=200ms'\n\nIt says what to export in another terminal, so that every service is the stand-in there."
)]
pub(super) struct Arguments {
    /// The port on 127.0.0.1; 0 takes any that is free
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// A zone that it shall hold; may be given several times. Without one: the zones of the spec, if there is one
    #[arg(long = "zone", value_name = "NAME", value_parser = DomainName::parse)]
    zones: Vec<DomainName>,
    /// What is paid for them: free, pro, business or enterprise
    #[arg(long, value_name = "PLAN", default_value = "free", value_parser = zone_plan)]
    zone_plan: Plan,
    /// How long each answer takes
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = duration)]
    latency: Duration,
    /// What goes wrong, and when: REQUEST:WHAT, wWRITE:WHAT or *:WHAT
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<String>,
    /// Keep its state beside the history of the spec
    #[arg(long)]
    keep: bool,
}

pub(super) async fn run(arguments: Arguments, context: &Context) -> Result<Exit, Problem> {
    let faults: Result<Vec<Fault>, _> = arguments.faults.iter().map(|text| text.parse::<Fault>()).collect();
    let faults = faults.map_err(|error| Problem::new("arguments", error.to_string()))?;
    let mut zones: Vec<String> = arguments.zones.iter().map(ToString::to_string).collect();
    // Without a spec of the usual name there is simply none; one that was named has to be there.
    let spec = &context.setting.spec;
    if zones.is_empty() && (spec.exists() || spec.as_os_str() != ops::session::DEFAULT_SPEC) {
        let (spec, _) = ops::session::load(&context.setting)?;
        zones = spec.desired.zones.keys().map(ToString::to_string).collect();
    }
    let serve = Serve {
        port: arguments.port,
        zones: zones.clone(),
        plan: arguments.zone_plan,
        latency: arguments.latency,
        faults,
        keep: arguments.keep,
    };
    let sandbox = sandbox::start(&context.setting, serve).await?;
    let held = if zones.is_empty() {
        "no zones yet".to_owned()
    } else {
        zones.join(", ")
    };
    say(
        context,
        &format!(
            "The sandbox holds {held}. In another terminal:\n\n{}\nCtrl-C stops it.\n",
            exports(&sandbox)
        ),
    )?;
    // The interrupt ends the whole command; this future is simply dropped.
    std::future::pending::<()>().await;
    Ok(Exit::Yes)
}

/// What to say in another shell so that every service with a stand-in is the stand-in there. All of them: one that was
/// left out would be the real one, with the credential that the shell happens to hold.
fn exports(sandbox: &Sandbox) -> String {
    let mut lines = String::new();
    for profile in PROFILES.iter().filter(|profile| profile.stand_in) {
        let url = sandbox.url_of(profile.capabilities.name);
        lines.push_str(&format!("  export {}={url}\n", profile.base_url_variable));
        lines.push_str(&format!("  export {}={SANDBOX_TOKEN}\n", profile.token_variable));
    }
    lines
}
