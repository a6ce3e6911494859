//! `launchctl import`.

use std::path::PathBuf;

use super::{Context, say};
use crate::base::files;
use crate::ops::{self, Problem};
use crate::ui::Exit;

/// Write the DNS records of live zones down as a spec, without changing anything
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl import acme.example > launch.yaml\n  launchctl import acme.example acme.test --out launch.yaml\n  launchctl import acme.example --provider powerdns\n\nDNS records and DNSSEC are written down. Settings and rules are not yet: they stay unmanaged and untouched."
)]
pub(super) struct Arguments {
    /// The zones
    #[arg(required = true, value_name = "ZONE")]
    zones: Vec<String>,
    /// Who keeps them: cloudflare, powerdns or rfc2136
    #[arg(long, value_name = "NAME", default_value = "cloudflare", value_parser = ["cloudflare", "powerdns", "rfc2136"])]
    provider: String,
    /// Write to this file, which must not exist yet, instead of to the terminal
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) async fn run(arguments: Arguments, context: &Context) -> Result<Exit, Problem> {
    if let Some(path) = arguments.out.as_ref().filter(|path| path.exists()) {
        return Err(
            Problem::new("file-exists", format!("`{}` is already there", path.display()))
                .help("name another file with --out"),
        );
    }
    let imported = ops::import::import(&context.setting, &arguments.zones, &arguments.provider).await?;
    match &arguments.out {
        Some(path) => files::write_atomic(path, imported.text.as_bytes())?,
        None => say(context, &imported.text)?,
    }
    let mut words = format!(
        "Declared: {}.\n",
        crate::base::text::count(imported.declared, "record set")
    );
    for (address, reason) in &imported.left_out {
        let reason = crate::base::text::sanitize(reason);
        words.push_str(&format!("Left unmanaged: {address}: {reason}\n"));
    }
    context.terminal.error(&words);
    Ok(Exit::Yes)
}
