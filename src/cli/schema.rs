//! `launchctl schema`.

use super::{Context, say};
use crate::ops::Problem;
use crate::spec;
use crate::ui::{Exit, json};

/// Print the JSON Schema of the spec, for editors
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl schema > launch.schema.json\n\nIn launch.yaml, for editors with a YAML language server:\n  # yaml-language-server: $schema=launch.schema.json"
)]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments, context: &Context) -> Result<Exit, Problem> {
    say(context, &json::text(&spec::schema()))?;
    Ok(Exit::Yes)
}
