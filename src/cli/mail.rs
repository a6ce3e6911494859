//! `launchctl mail`.

use std::net::IpAddr;

use clap::Subcommand;

use super::{Context, say};
use crate::base::diagnostic::Severity;
use crate::mail::spf::Outcome;
use crate::ops::flatten::{Status, Wish};
use crate::ops::{self, Problem};
use crate::ui::flatten_view::Next;
use crate::ui::progress::Bar;
use crate::ui::{Exit, flatten_view, json, mail_json, mail_view};
use crate::verify::resolver::ResolverAddress;

/// What the world sees of a domain's mail: SPF, DKIM, DMARC, MTA-STS and the rest
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl mail check acme.example\n  launchctl mail check acme.example --ip 203.0.113.10 --from jo@acme.example\n  launchctl mail flatten --check\n  launchctl mail mta-sts acme.example > mta-sts.txt"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Check(Check),
    Flatten(Flatten),
    MtaSts(MtaSts),
}

/// Check any domain live, with the spec's expectations where it has the domain; or trace one SPF evaluation
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl mail check acme.example\n  launchctl mail check acme.example --selector google --resolver 9.9.9.9\n  launchctl mail check acme.example --json\n  launchctl mail check --ip 203.0.113.10 --from jo@acme.example\n  launchctl mail check acme.example --ip 203.0.113.10 --helo mail.acme.example\n\nExit codes: 0 nothing is wrong (with --ip: pass), 2 something is (with --ip: no pass),\n1 it could not be told: DNS did not answer, and nothing is known to be wrong."
)]
struct Check {
    /// The domain; with --ip and --from it may be left out
    #[arg(value_name = "DOMAIN", required_unless_present = "from")]
    domain: Option<String>,
    /// Ask this DNS server instead of the system's
    #[arg(long, value_name = "ADDR[:PORT]")]
    resolver: Option<ResolverAddress>,
    /// A DKIM selector to look at; may be given several times
    #[arg(long = "selector", value_name = "NAME", conflicts_with = "ip")]
    selectors: Vec<String>,
    /// Trace whether this address may send
    #[arg(long, value_name = "ADDR")]
    ip: Option<IpAddr>,
    /// The sender's address (MAIL FROM); without it, postmaster at the domain
    #[arg(long, value_name = "ADDRESS", requires = "ip")]
    from: Option<String>,
    /// The name that the sending server gives; without it, the sender's domain
    #[arg(long, value_name = "NAME", requires = "ip")]
    helo: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Take the addresses of the includes that the spec flattens, and write them into the lock file beside it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  launchctl mail flatten\n  launchctl mail flatten --resolver 9.9.9.9\n  launchctl mail flatten --check\n\nThe file is named for the spec (launch.spf.lock for launch.yaml) and belongs into version control.\nWhat DNS does not answer stays in it as it was.\n\nExit codes: 0 it holds what the includes stand for, 2 (with --check) it does not,\n1 DNS did not answer for all of them, or one cannot be flattened."
)]
struct Flatten {
    /// Ask this DNS server instead of the system's
    #[arg(long, value_name = "ADDR[:PORT]")]
    resolver: Option<ResolverAddress>,
    /// Write nothing: say which addresses came and went
    #[arg(long)]
    check: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Print the MTA-STS policy that the spec declares, as it is to be served at /.well-known/mta-sts.txt
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  launchctl mail mta-sts acme.example > mta-sts.txt")]
struct MtaSts {
    /// The domain, a zone of the spec
    #[arg(value_name = "DOMAIN")]
    domain: String,
}

impl Arguments {
    pub(super) fn wants_json(&self) -> bool {
        match &self.what {
            What::Check(check) => check.json,
            What::Flatten(flatten) => flatten.json,
            What::MtaSts(_) => false,
        }
    }
}

pub(super) async fn run(arguments: Arguments, context: &Context) -> Result<Exit, Problem> {
    match arguments.what {
        What::Check(Check { ip: Some(ip), .. }) if ip.is_unspecified() => {
            Err(Problem::new("arguments", format!("{ip} is no address that sends")))
        }
        What::Check(check) => match check.ip {
            Some(ip) => trace(&check, ip, context).await,
            None => look(check, context).await,
        },
        What::Flatten(flatten) => take(&flatten, context).await,
        What::MtaSts(MtaSts { domain }) => {
            say(context, &ops::mail::policy(&context.setting, &domain)?.build())?;
            Ok(Exit::Yes)
        }
    }
}

async fn look(check: Check, context: &Context) -> Result<Exit, Problem> {
    let question = ops::mail::Question {
        resolver: check.resolver,
        selectors: check.selectors,
    };
    let bar = Bar::waiting(context.terminal.is_interactive(), "asking DNS");
    let checked = ops::mail::check(&context.setting, &check.domain.unwrap_or_default(), &question).await;
    bar.clear();
    let checked = checked?;
    let text = if check.json {
        json::text(&mail_json::check(&checked))
    } else {
        mail_view::check(&checked, context.terminal.look())
    };
    say(context, &text)?;
    Ok(match checked.count(Severity::Error) {
        0 if checked.judgement.unknown.is_empty() => Exit::Yes,
        0 => Exit::Failed,
        _ => Exit::No,
    })
}

async fn take(arguments: &Flatten, context: &Context) -> Result<Exit, Problem> {
    let wish = Wish {
        resolver: arguments.resolver,
        compares: arguments.check,
    };
    let bar = Bar::waiting(context.terminal.is_interactive(), "asking DNS");
    let flattened = ops::flatten::run(&context.setting, wish).await;
    bar.clear();
    let flattened = flattened?;
    let next = Next {
        flatten: context.setting.command("mail flatten"),
        plan: context.setting.command("plan"),
    };
    let text = if arguments.json {
        json::text(&flatten_view::json(&flattened))
    } else {
        flatten_view::view(&flattened, &next, context.terminal.look())
    };
    say(context, &text)?;
    let count = |status| flattened.count(status);
    let differs = count(Status::New) + count(Status::Changed) + count(Status::Refused) > 0;
    Ok(match count(Status::Unknown) + count(Status::Refused) {
        _ if arguments.check && differs => Exit::No,
        0 => Exit::Yes,
        _ => Exit::Failed,
    })
}

async fn trace(check: &Check, ip: IpAddr, context: &Context) -> Result<Exit, Problem> {
    let domain = check.domain.as_deref().unwrap_or_default();
    let sender = check.from.clone().unwrap_or_else(|| format!("postmaster@{domain}"));
    let helo = check.helo.as_deref();
    let (evaluation, resolver) = ops::mail::trace(&context.setting, ip, &sender, helo, check.resolver).await?;
    let asked = mail_view::Asked {
        ip,
        sender: &sender,
        helo,
        resolver: &resolver,
    };
    let text = if check.json {
        json::text(&mail_json::trace(&asked, &evaluation))
    } else {
        mail_view::trace(&asked, &evaluation, context.terminal.look())
    };
    say(context, &text)?;
    Ok(match evaluation.outcome {
        Outcome::Pass => Exit::Yes,
        Outcome::TempError => Exit::Failed,
        _ => Exit::No,
    })
}
