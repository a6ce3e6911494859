//! `launchctl doctor`.

use super::{Context, say};
use crate::ops::{self, Problem};
use crate::provider::Finding;
use crate::ui::progress::Bar;
use crate::ui::{Exit, doctor_view};
use crate::verify::answers::Server;

/// Check that everything is in place: spec, history, token and its permissions
///
/// To learn whether the token may write, it asks the provider to delete a record that cannot exist: the answer tells,
/// and nothing is changed. Where a provider assigns name servers, the zone above is asked whether the registrar names them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  CLOUDFLARE_API_TOKEN=… launchctl doctor\n  launchctl doctor --spec staging.yaml")]
pub(super) struct Arguments {
    /// Ask this server which name servers the registrar was told, instead of the zone above; may be given several times
    #[arg(long = "resolver", value_name = "ADDRESS[:PORT]", value_parser = super::apply::resolver)]
    resolvers: Vec<Server>,
}

pub(super) async fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let bar = Bar::waiting(context.terminal.is_interactive(), "asking the providers");
    let all = ops::doctor::examine(&context.setting, &arguments.resolvers).await;
    bar.clear();
    let all = all?;
    say(context, &doctor_view::examinations(&all, context.terminal.look()))?;
    let bad = all.iter().any(|one| one.finding == Finding::Bad);
    Ok(if bad { Exit::Failed } else { Exit::Yes })
}
