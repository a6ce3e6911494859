//! `launchctl validate`.

use super::{Context, say, show_findings};
use crate::base::text;
use crate::ops::{self, Problem};
use crate::ui::{Exit, json};

/// Check the spec, offline: all errors at once
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl validate\n  launchctl validate --spec staging.yaml --var origin=203.0.113.10\n  launchctl validate --json"
)]
pub(super) struct Arguments {
    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let validated = ops::validate::validate(&context.setting)?;
    if arguments.json {
        say(context, &json::text(&json::validated(&validated)))?;
    } else {
        show_findings(context, &validated.findings);
        if validated.ok {
            let resources = text::count(validated.resources, "resource");
            let zones = text::count(validated.zones, "zone");
            say(
                context,
                &format!("{} is valid: {resources} in {zones}.\n", context.setting.spec.display()),
            )?;
        }
    }
    Ok(if validated.ok { Exit::Yes } else { Exit::Failed })
}
