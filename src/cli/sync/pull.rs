//! Brings everything that a CRM has into the tables.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::ProgressBar;
use serde::Serialize;

use super::super::Status;
use super::super::connect::parse_system;
use super::super::grid::Grid;
use super::super::output::{FAINT, styled, width};
use super::super::session::Session;
use super::super::worker::Signals;
use crate::error::{Error, Result, invalid};
use crate::sync::pull::{Report, backfill};
use crate::tables::{Object, System};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// CRM: hubspot or attio
    system: String,
    /// Only this table: contacts or companies
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
}

#[derive(Debug, Serialize)]
struct Pulled {
    system: System,
    tables: Vec<Table>,
}

#[derive(Debug, Serialize)]
struct Table {
    table: &'static str,
    #[serde(flatten)]
    report: Report,
}

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    let system = parse_system(&args.system)?;
    let objects = objects(args.table.as_deref())?;
    let connection = session.connect().await?;
    let stopped = Arc::new(AtomicBool::new(false));
    // The first signal ends it after the page that is under way.
    let (signal, heard) = (Signals::listen()?, Arc::clone(&stopped));
    let listening = tokio::spawn(async move {
        signal.first().await;
        heard.store(true, Ordering::SeqCst);
    });
    let mut pulled = Pulled { system, tables: Vec::new() };
    for object in objects {
        let bar = ProgressBar::new_spinner();
        let progress = |report: &Report| bar.set_message(format!("{}: {} read", object.table(), report.read));
        let cancel = || stopped.load(Ordering::SeqCst);
        let engine = &connection.app.services.sync;
        let report = backfill(engine, connection.org, system, object, &progress, &cancel).await;
        bar.finish_and_clear();
        pulled.tables.push(Table { table: object.table(), report: report? });
    }
    listening.abort();
    session.output.result(&pulled, || show(&pulled))?;
    let is_whole = pulled.tables.iter().all(|table| !table.report.stopped);
    Ok(if is_whole { Status::Done } else { Status::Failed })
}

/// Companies come first, so that contacts find theirs.
fn objects(table: Option<&str>) -> Result<Vec<Object>> {
    let all = [Object::Company, Object::Contact];
    let Some(table) = table else { return Ok(all.to_vec()) };
    if let Some(object) = all.into_iter().find(|object| object.table() == table) {
        return Ok(vec![object]);
    }
    let error = invalid(format!("CRMs have no records of `{table}`"));
    Err(Error::choices(error, table, all.map(Object::table)))
}

fn show(pulled: &Pulled) -> String {
    let mut grid =
        Grid::new(["table", "records", "new rows", "changed", "unchanged", "archived", "made one", ""]);
    for Table { table, report } in &pulled.tables {
        let mut row = vec![(*table).to_owned()];
        let numbers = [report.read, report.created, report.changed, report.unchanged];
        row.extend(numbers.map(|number| number.to_string()));
        row.extend([report.archived, report.joined].map(|number| number.to_string()));
        row.push(match (report.stopped, report.resumed) {
            (true, _) => "stopped: the same command goes on here".to_owned(),
            (false, true) => "went on where it had ended".to_owned(),
            (false, false) => String::new(),
        });
        grid.row(row);
    }
    let more = "From now on what changes there comes by itself while a worker runs.";
    format!("{}\n\n{}", grid.render(width()), styled(FAINT, more))
}
