//! `opstables recompute`: every stored derived column, computed anew.

use serde::Serialize;

use super::Status;
use super::session::Session;
use crate::error::Result;
use crate::records;

/// Compute derived columns anew, in all rows of the organization
///
/// Nothing needs this while everything works: writes keep these columns right, and the worker as time passes. It puts right
/// what `opstables doctor` finds wrong, after somebody wrote into the database by hand. What people and CRMs wrote stays.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {}

const EXAMPLE: &str = "Example:
  opstables recompute --org acme";

#[derive(Debug, Serialize)]
struct Report {
    changed: usize,
}

pub(super) async fn run(_: &Args, session: &Session) -> Result<Status> {
    let connection = session.connect().await?;
    let services = &connection.app.services;
    let (store, catalogs) = (&services.store, &services.catalogs);
    let changed = records::recompute(store, catalogs, connection.org, &services.clock, &services.ids).await?;
    session.output.result(&Report { changed }, || match changed {
        0 => "All derived columns were right.".to_owned(),
        1 => "1 row was wrong and is right now.".to_owned(),
        _ => format!("{changed} rows were wrong and are right now."),
    })?;
    Ok(Status::Done)
}
