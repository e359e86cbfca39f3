//! `opstables sync`: what has reached the CRMs, what has not, and what is to become of it.

mod conflicts;
mod lines;
mod mapping;
mod pull;
mod status;

use super::Status;
use super::session::Session;
use crate::error::{Error, Result};
use crate::tools::retry_sync::RetryAction;

/// Watch and steer what goes between the tables and the connected CRMs
///
/// `opstables connect` connects a CRM first; `opstables worker`, or a running `opstables serve`, does the sending.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show what waits, what failed and why, and whether that is well
    Status(status::Args),
    /// Bring everything that a CRM has into the tables; what is newer here stays
    Pull(pull::Args),
    /// Send failed changes again now
    Retry(lines::Which),
    /// Give up changes that a CRM refuses: it keeps what it has
    Discard {
        #[command(flatten)]
        which: lines::Which,
        /// Do it though it concerns more than 25 rows
        #[arg(long)]
        yes: bool,
    },
    /// Hold changes back; without rows and table, stop all calls for the connection
    Pause(lines::Which),
    /// Let go what was paused, and take in what was held back
    Resume(lines::Which),
    /// Show which column is which property, or change that
    Map(mapping::Args),
    /// List the edits that were lost between here and a CRM
    Conflicts(conflicts::Args),
    /// Decide about a lost edit: keep what stands, restore what was lost, or set another value
    Resolve(conflicts::Resolve),
}

const EXAMPLE: &str = "Examples:
  opstables sync status
  opstables sync pull hubspot --table contacts
  opstables sync retry --table contacts
  opstables sync map hubspot                                shows the mapping
  opstables sync map hubspot contacts.region sales_region   keeps an own column in step
  opstables sync map attio companies.phone --off
  opstables sync map hubspot contacts.phone --policy app_wins
  opstables sync conflicts
  opstables sync resolve 0199d1c2-7a4e-7c3b-9f00-5b7e2d1c4a90 restore";

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    match args.action {
        Action::Status(args) => status::run(args, session).await,
        Action::Pull(args) => pull::run(args, session).await,
        Action::Retry(which) => lines::run(session, RetryAction::Retry, which, false).await,
        Action::Discard { which, yes } => lines::run(session, RetryAction::Discard, which, yes).await,
        Action::Pause(which) => lines::run(session, RetryAction::Pause, which, false).await,
        Action::Resume(which) => lines::run(session, RetryAction::Resume, which, false).await,
        Action::Map(args) => mapping::run(args, session).await,
        Action::Conflicts(args) => conflicts::list(args, session).await,
        Action::Resolve(args) => conflicts::resolve(args, session).await,
    }
}

/// The error without its place among a tool's arguments, which means nothing at the command line.
fn placeless(mut error: Error) -> Error {
    error.path = None;
    error
}
