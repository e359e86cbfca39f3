//! `opstables backfill`: the application's own data into the tables, going on where an earlier run stopped.

use std::path::PathBuf;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use secrecy::SecretString;

use super::Status;
use super::grid::Grid;
use super::output::{BAD, FAINT, GOOD, STRONG, WARN, harmless, styled, width};
use super::session::{Connection, Session};
use crate::backfill::{self, Host, Report, Settings, TableReport};
use crate::error::{Result, internal};

/// Bring the application's own data into the tables
///
/// The source is a PostgreSQL database or a folder of CSV and JSON Lines files named after its tables. What a person changed
/// here later stays, nothing is deleted, and a second run changes only what changed there. Stopped half-way, it goes on
/// behind the last record that is stored. Exits with 1 when a record or a value was not taken.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Tables to fill [default: all]
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(backfill::tables()))]
    tables: Vec<String>,
    /// PostgreSQL URL or folder to read; or set `OPSTABLES_APP_SOURCE`, so that no password stands on the command line
    #[arg(long, value_name = "URL|FOLDER")]
    from: Option<String>,
    /// Schema of the source's tables [default: public]; or set `OPSTABLES_APP_SCHEMA`
    #[arg(long)]
    schema: Option<String>,
    /// TOML file with the application's own names of tables and columns; or set `OPSTABLES_APP_NAMES`
    #[arg(long, value_name = "FILE")]
    names: Option<PathBuf>,
    /// Records that one transaction writes at most; fewer let others write in between sooner [default: by their size]
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    batch: Option<usize>,
    /// Start from the beginning, even if an earlier run stopped half-way
    #[arg(long)]
    restart: bool,
    /// Show what the last run did, or has done so far, and start none
    #[arg(long, conflicts_with_all = ["tables", "from", "schema", "names", "restart", "cancel"])]
    status: bool,
    /// Stop the run that is going on, in whatever process, when its batch is stored
    #[arg(long, conflicts_with_all = ["tables", "from", "schema", "names", "restart"])]
    cancel: bool,
}

const EXAMPLE: &str = "Examples:
  opstables backfill --from exports/march
  OPSTABLES_APP_SOURCE=postgres://reader:secret@db/app opstables backfill leads meetings --schema crm
  opstables backfill --status";

/// How many faults of a table a person is shown; --json has more.
const FAULTS_SHOWN: usize = 10;

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    let settings = args.settings(session.backfill());
    let connection = session.connect().await?;
    // Drawn on stderr, and only when that is a terminal.
    let bar = ProgressBar::new(0).with_style(style()?);
    let host = host(&connection, bar.clone());
    if args.status || args.cancel {
        let stopped = args.cancel && backfill::cancel(&host).await?;
        let report = backfill::status(&host).await?;
        session.output.result(&report, || match &report {
            Some(report) => show(report),
            None => "There was no backfill yet.".to_owned(),
        })?;
        return Ok(if args.cancel && !stopped { Status::Failed } else { Status::Done });
    }
    let tables: Vec<&str> = args.tables.iter().map(String::as_str).collect();
    let done = backfill::run(&host, &settings, &tables, args.restart).await;
    bar.finish_and_clear();
    let report = done?;
    session.output.result(&report, || show(&report))?;
    Ok(if report.losses() == 0 { Status::Done } else { Status::Failed })
}

impl Args {
    /// The configured settings under the flags.
    fn settings(&self, configured: Settings) -> Settings {
        // A schema belongs to the source that it is configured with.
        let schema = if self.from.is_some() { None } else { configured.schema };
        Settings {
            source: self.from.clone().map(SecretString::from).or(configured.source),
            schema: self.schema.clone().or(schema),
            names: self.names.clone().or(configured.names),
            batch: self.batch,
        }
    }
}

fn host(connection: &Connection, bar: ProgressBar) -> Host {
    let services = &connection.app.services;
    Host {
        store: Arc::clone(&services.store),
        catalogs: Arc::clone(&services.catalogs),
        clock: services.clock.clone(),
        ids: services.ids.clone(),
        org: connection.org,
        actor: connection.person().actor,
        progress: Arc::new(move |done, total, _: &str| {
            bar.set_length(total.unwrap_or(done));
            bar.set_position(done);
        }),
    }
}

fn style() -> Result<ProgressStyle> {
    ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} records {per_sec} {eta}").map_err(internal)
}

fn show(report: &Report) -> String {
    let verb = match report.state.as_str() {
        "done" => styled(GOOD, "Brought in from"),
        "running" => styled(STRONG, "Bringing in from"),
        "cancelled" => styled(WARN, "Cancelled:"),
        _ => styled(BAD, "Stopped:"),
    };
    let mut parts = vec![format!("{verb} {}", harmless(&report.place))];
    let mut grid = Grid::new(["table", "read", "created", "updated", "unchanged", "archived", "refused"]);
    for table in &report.tables {
        let counts =
            [table.read, table.created, table.updated, table.unchanged, table.archived, table.refused];
        let counts = counts.map(|count| count.to_string());
        grid.row(std::iter::once(table.table.as_str()).chain(counts.iter().map(String::as_str)));
    }
    parts.push(grid.render(width()));
    parts.extend(report.tables.iter().filter_map(faults));
    if let Some(error) = &report.error {
        parts.push(format!("{} {}", styled(BAD, "✗"), harmless(error)));
    }
    if report.state != "done" {
        parts.push(styled(FAINT, "`opstables backfill` with the same source goes on where it stopped."));
    }
    parts.join("\n\n")
}

fn faults(table: &TableReport) -> Option<String> {
    let not_taken = table.refused + table.values_left_out;
    if not_taken == 0 {
        return None;
    }
    let line = |fault: &backfill::Fault| {
        let column = fault.column.as_ref().map(|column| format!(", {column}")).unwrap_or_default();
        format!(
            "{} {} {}{column}: {}",
            styled(WARN, "!"),
            table.table,
            harmless(&fault.id),
            harmless(&fault.why)
        )
    };
    let mut lines: Vec<String> = table.faults.iter().take(FAULTS_SHOWN).map(line).collect();
    let more = usize::try_from(not_taken).unwrap_or(usize::MAX).saturating_sub(lines.len());
    if more > 0 {
        lines.push(styled(FAINT, format!("… and {more} more; --json lists the first hundred")));
    }
    Some(lines.join("\n"))
}
