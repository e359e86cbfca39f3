//! `opstables worker`: brings what the queues hold to the CRMs, until it is stopped.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;

use super::Status;
use super::session::Session;
use crate::error::{Result, internal, not_found};
use crate::worker;

/// Bring changes to the connected CRMs, until stopped
///
/// `opstables serve` does so while it runs; this does it without a copilot, for all organizations of the database. Several
/// at once share the work. Ctrl-C or SIGTERM stops it: what it has begun is finished, for ten seconds at most, and what is
/// left is found by the next one.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {}

const EXAMPLE: &str = "Examples:
  opstables worker
  OPSTABLES_LOG=info opstables worker";

#[derive(Debug, Serialize)]
struct Report {
    stopped_by: &'static str,
}

pub(super) async fn run(_: &Args, session: &Session) -> Result<Status> {
    let app = session.app()?;
    if let Some(file) = app.services.store.missing_file() {
        return Err(not_found(format!("there is no database at {}", file.display()))
            .hint("`opstables init` makes one"));
    }
    // Heard from the start: a signal that comes while the database is opened stops it too.
    let signal = Signals::listen()?;
    app.services.store.ready().await?;
    let (stop, stopped) = watch::channel(false);
    let work = tokio::spawn(worker::run(Arc::clone(&app.services.sync), stopped));
    session.output.note("Working the queues; Ctrl-C stops.");
    let stopped_by = signal.first().await;
    stop.send_replace(true);
    work.await.map_err(internal)?;
    let report = Report { stopped_by };
    session.output.result(&report, || format!("Stopped by {stopped_by}; nothing is lost."))?;
    Ok(Status::Done)
}

/// The signals that end a program.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Signals> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Signals {
                interrupt: signal(SignalKind::interrupt()).map_err(internal)?,
                terminate: signal(SignalKind::terminate()).map_err(internal)?,
            })
        }
        #[cfg(not(unix))]
        Ok(Signals {})
    }

    /// Waits for one of them; its name.
    pub(super) async fn first(self) -> &'static str {
        #[cfg(unix)]
        {
            let Signals { mut interrupt, mut terminate } = self;
            tokio::select! {
                _ = interrupt.recv() => "Ctrl-C",
                _ = terminate.recv() => "SIGTERM",
            }
        }
        #[cfg(not(unix))]
        {
            drop(tokio::signal::ctrl_c().await);
            "Ctrl-C"
        }
    }
}
