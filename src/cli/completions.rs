//! `launchctl completions`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Context, say};
use crate::ops::Problem;
use crate::ui::Exit;

/// Print the completions for a shell
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl completions bash > /etc/bash_completion.d/launchctl\n  launchctl completions zsh > ~/.zfunc/_launchctl\n  launchctl completions fish > ~/.config/fish/completions/launchctl.fish"
)]
pub(super) struct Arguments {
    /// bash, elvish, fish, powershell or zsh
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "launchctl", &mut text);
    say(context, &String::from_utf8_lossy(&text))?;
    Ok(Exit::Yes)
}
