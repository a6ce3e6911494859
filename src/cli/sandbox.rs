//! `launchctl sandbox`.

use std::time::Duration;

use super::rehearse::zone_plan;
use super::{Context, duration, say};
use crate::model::name::DomainName;
use crate::ops::sandbox::{self, Serve};
use crate::ops::{self, Problem};
use crate::sandbox::{Fault, Plan, SANDBOX_TOKEN};
use crate::ui::Exit;

/// Serve the stand-in for Cloudflare on this machine until stopped
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl sandbox --zone acme.example\n  launchctl sandbox --port 8787 --zone acme.example --zone-plan pro --keep\n  launchctl sandbox --zone acme.example --fault 3:drop-after --fault w2:429 --fault '*:slow=200ms'\n\nThen, in another terminal:\n  export CLOUDFLARE_BASE_URL=http://127.0.0.1:8787/client/v4 CLOUDFLARE_API_TOKEN=launchctl-sandbox
  export UPTIMEROBOT_BASE_URL=http://127.0.0.1:8787/uptimerobot/v3 UPTIMEROBOT_API_KEY=launchctl-sandbox
  export BETTERSTACK_BASE_URL=http://127.0.0.1:8787/betterstack BETTERSTACK_API_TOKEN=launchctl-sandbox"
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
    if zones.is_empty()
        && context.setting.spec.exists()
        && let Ok((spec, _)) = ops::session::load(&context.setting)
    {
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
            "The sandbox holds {held}. In another terminal:\n\n  export CLOUDFLARE_BASE_URL={}\n  export CLOUDFLARE_API_TOKEN={SANDBOX_TOKEN}\n\nCtrl-C stops it.\n",
            sandbox.url()
        ),
    )?;
    // The interrupt ends the whole command; this future is simply dropped.
    std::future::pending::<()>().await;
    Ok(Exit::Yes)
}
