//! `opstables route`: what a message asks for, and how that was understood.

mod predictions;
mod stats;
mod trace;

use std::path::PathBuf;

use super::Status;
use super::session::Session;
use crate::error::{Result, invalid};
use crate::tools::route_message;

/// Say what a message asks for: a call on a table, a skill, or neither
///
/// Step 0 looks for a request about a standard table; only what it leaves alone goes to the skills.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// What the user says
    message: Option<String>,
    /// Run a read and show its rows
    #[arg(long)]
    execute: bool,
    /// Read messages from stdin, one JSON object (`id`, `text`) or text a line; print a prediction for each
    #[arg(long, conflicts_with_all = ["message", "execute"])]
    jsonl: bool,
    /// The time it is, as 2026-03-02T10:00:00Z
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
    /// The zone that dates are meant in, as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// Choose from these skills, a folder or library file, instead of the organization's
    #[arg(long, value_name = "PATH", requires = "jsonl")]
    skills: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Count which way messages went
    Stats {
        /// How many days back
        #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=90))]
        days: u16,
    },
    /// Keep the texts of routed messages from now on, or only their hashes
    Keep {
        /// `texts` or `hashes`
        what: stats::Kept,
    },
}

const EXAMPLE: &str = "Examples:
  opstables route \"urgent leads from the webinar this month\"
  opstables route --execute \"how many clients does Tom have\"
  opstables route --jsonl < messages.jsonl
  opstables route stats";

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    match args.action {
        Some(Action::Stats { days }) => return stats::run(session, days).await,
        Some(Action::Keep { what }) => return stats::keep(session, what).await,
        None => {}
    }
    if args.jsonl {
        return predictions::run(session, &args).await;
    }
    let Some(message) = args.message else {
        return Err(invalid("there is no message to route")
            .hint("opstables route \"urgent leads\", or --jsonl with messages on stdin"));
    };
    let wanted = route_message::Args {
        message: message.clone(),
        execute: args.execute.then_some(true),
        now: args.now,
        timezone: args.tz,
    };
    let ctx = session.connect().await?.person();
    let (found, logged) = route_message::route(ctx, wanted).await?;
    logged.await;
    session.output.result(&found, || trace::show(&message, &found))?;
    Ok(Status::Done)
}
