//! `opstables migrate`: the database's schema, brought up to date or only looked at.

use serde::Serialize;

use super::Status;
use super::grid::Grid;
use super::session::Session;
use crate::error::Result;

/// Bring the database's schema up to date
///
/// Every other command does the same when it first opens the database; use this to do it at a time of your
/// choosing. Only --status leaves the database as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Only say which migrations are applied; exits with 1 when one is not
    #[arg(long)]
    status: bool,
}

const EXAMPLE: &str = "Example:
  opstables migrate --status";

#[derive(Debug, Serialize)]
struct Report {
    database: String,
    applied_now: usize,
    migrations: Vec<Listed>,
}

#[derive(Debug, Serialize)]
struct Listed {
    version: i64,
    name: &'static str,
    applied: bool,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<Status> {
    let store = session.app()?.services.store.clone();
    let pending = store.migrations().await?.iter().filter(|migration| !migration.applied).count();
    if !args.status {
        store.ready().await?;
    }
    let migrations = store.migrations().await?;
    let report = Report {
        database: session.config.database_shown(),
        applied_now: if args.status { 0 } else { pending },
        migrations: migrations
            .into_iter()
            .map(|migration| Listed {
                version: migration.number,
                name: migration.name,
                applied: migration.applied,
            })
            .collect(),
    };
    session.output.result(&report, || show(&report))?;
    let current = report.migrations.iter().all(|migration| migration.applied);
    Ok(if current { Status::Done } else { Status::Failed })
}

fn show(report: &Report) -> String {
    let mut grid = Grid::new(["version", "name", "state"]);
    for migration in &report.migrations {
        let state = if migration.applied { "applied" } else { "pending" };
        grid.row([migration.version.to_string(), migration.name.to_owned(), state.to_owned()]);
    }
    let done = match report.applied_now {
        0 => String::new(),
        count => format!("\n\n{count} applied now."),
    };
    format!("{}\n\n{}{done}", report.database, grid.render(None))
}
