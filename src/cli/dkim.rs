//! `launchctl dkim`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::{Context, say};
use crate::model::name::DomainName;
use crate::ops::Problem;
use crate::ops::dkim::{self, Algorithm, Keep, Publish};
use crate::ui::{Exit, json, mail_json, mail_view};

/// DKIM keys
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  launchctl dkim new 2026a --out /etc/mail/keys/2026a.pem")]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    New(New),
}

/// Make a key pair: the private half is put away and shown nowhere, the public half goes into the spec
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl dkim new 2026a --zone acme.example\n  launchctl dkim new 2026a --print\n  launchctl dkim new 2026a --out /etc/mail/keys/2026a.pem\n  launchctl dkim new 2026e --algorithm ed25519 --keyring mail-2026e\n\nThe file is new, for its owner alone (mode 0600), and is not for version control.\nWhat stands in the way (no such zone, a selector that is taken) is found before the key is made."
)]
struct New {
    /// The selector: a new one for each key, such as 2026a
    #[arg(value_name = "SELECTOR")]
    selector: String,
    /// The kind of key; every receiver knows RSA
    #[arg(long, value_enum, default_value_t = Kind::Rsa)]
    algorithm: Kind,
    /// The file for the private key; it must not be there yet [default: SELECTOR.dkim.pem]
    #[arg(long, value_name = "FILE", conflicts_with = "keyring")]
    out: Option<PathBuf>,
    /// Keep the private key in the system's keyring under this name instead
    #[arg(long, value_name = "NAME")]
    keyring: Option<String>,
    /// The zone whose `email` block takes the record; the only one of the spec when it is not named
    #[arg(long, value_name = "ZONE", conflicts_with = "print")]
    zone: Option<DomainName>,
    /// Leave the spec alone: only print the record
    #[arg(long)]
    print: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// RSA, 2048 bits
    Rsa,
    /// Ed25519: publish an RSA key under another selector too
    Ed25519,
}

impl Arguments {
    pub(super) fn wants_json(&self) -> bool {
        let What::New(new) = &self.what;
        new.json
    }
}

pub(super) fn run(arguments: Arguments, context: &Context) -> Result<Exit, Problem> {
    let What::New(new) = arguments.what;
    let algorithm = match new.algorithm {
        Kind::Rsa => Algorithm::Rsa,
        Kind::Ed25519 => Algorithm::Ed25519,
    };
    let file = new
        .out
        .unwrap_or_else(|| PathBuf::from(format!("{}.dkim.pem", new.selector)));
    let keep = new.keyring.map_or(Keep::File(file), Keep::Keyring);
    let publish = if new.print {
        Publish::Nowhere
    } else {
        Publish::InSpec(new.zone)
    };
    let key = dkim::new_key(&context.setting, &new.selector, algorithm, keep, &publish)?;
    let text = if new.json {
        json::text(&mail_json::new_key(&key))
    } else {
        mail_view::new_key(&key, context.terminal.look())
    };
    say(context, &text)?;
    Ok(Exit::Yes)
}
