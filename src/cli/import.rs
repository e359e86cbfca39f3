//! `opstables import`: the rows of a file into the tables, with an account of every row.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};

use super::Status;
use super::grid::Grid;
use super::output::{BAD, FAINT, GOOD, STRONG, WARN, harmless, styled, width};
use super::session::{Connection, Session};
use crate::error::{Result, internal, invalid};
use crate::imports::{self, Fault, Host, Mapping, People, Report, Source, TableReport};

/// Import a CSV or JSON lines file
///
/// Headings find their columns by name; a mapping file says what differs. Importing a file again changes
/// nothing that is stored already. Exits with 1 when a row was refused.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE, override_usage = USAGE)]
pub struct Args {
    /// Table to import into, unless the mapping says so, and the file
    #[arg(required = true, num_args = 1..=2, value_names = ["TABLE", "FILE"])]
    table_and_file: Vec<String>,
    /// Change nothing; show what would be stored, and what would be refused and why
    #[arg(long)]
    dry_run: bool,
    /// Mapping file, TOML or JSON
    #[arg(long, value_name = "MAPPING")]
    mapping: Option<PathBuf>,
    /// Read 1/2/2026 as the first of February [default: found out from the file]
    #[arg(long)]
    day_first: bool,
    /// What to do with a person who is no member yet [default: add]
    #[arg(long, value_name = "add|refuse")]
    people: Option<PeopleArg>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum PeopleArg {
    Add,
    Refuse,
}

const USAGE: &str = "opstables import [OPTIONS] <TABLE> <FILE>
       opstables import [OPTIONS] --mapping <MAPPING> <FILE>";

const EXAMPLE: &str = "Examples:
  opstables import leads leads.csv --dry-run
  opstables import --mapping pipeline.toml sales_pipeline.csv";

/// How many faults a person is shown; --json has more.
const FAULTS_SHOWN: usize = 20;

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    let (table, file) = args.table_and_file()?;
    let mapping = args.mapping(table)?;
    let source = Source::open(&PathBuf::from(file))?;
    let connection = session.connect().await?;
    let report = import(&connection, &source, &mapping, args.dry_run).await?;
    session.output.result(&report, || show(&report))?;
    Ok(if report.refused == 0 { Status::Done } else { Status::Failed })
}

impl Args {
    fn table_and_file(&self) -> Result<(Option<&str>, &str)> {
        match self.table_and_file.as_slice() {
            [file] if self.mapping.is_some() => Ok((None, file)),
            [table, file] => Ok((Some(table), file)),
            _ => {
                Err(invalid("the file's rows need a table").hint("write `opstables import leads leads.csv`"))
            }
        }
    }

    fn mapping(&self, table: Option<&str>) -> Result<Mapping> {
        let mapping = match &self.mapping {
            Some(path) => Mapping::open(path)?,
            None => Mapping::default(),
        };
        let mut mapping = mapping.with_table(table);
        if self.day_first {
            mapping.day_first = Some(true);
        }
        match self.people {
            Some(PeopleArg::Add) => mapping.people = People::Add,
            Some(PeopleArg::Refuse) => mapping.people = People::Refuse,
            None => {}
        }
        Ok(mapping)
    }
}

async fn import(
    connection: &Connection,
    source: &Source,
    mapping: &Mapping,
    dry_run: bool,
) -> Result<Report> {
    // Drawn on stderr, and only when that is a terminal.
    let bar = ProgressBar::new(source.len() as u64).with_style(style()?);
    let progress = |done: u64, _: Option<u64>, _: &str| bar.set_position(done);
    let ctx = connection.person();
    let services = &connection.app.services;
    let host = Host {
        store: &services.store,
        catalogs: &services.catalogs,
        clock: &services.clock,
        ids: &services.ids,
        org: connection.org,
        actor: &ctx.actor,
        progress: &progress,
    };
    let report = if dry_run {
        imports::preview(&host, source, mapping).await
    } else {
        imports::run(&host, source, mapping).await
    };
    bar.finish_and_clear();
    report
}

fn style() -> Result<ProgressStyle> {
    ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} rows {eta}").map_err(internal)
}

fn show(report: &Report) -> String {
    let mut parts = vec![counts(report)];
    parts.extend(report.tables.iter().filter(|table| !table.mapped.is_empty()).map(mapped));
    parts.extend(not_imported(report));
    parts.extend(faults(report));
    let repeated = report.repeated.len() as u64 + report.more_repeated;
    if repeated > 0 {
        parts.push(format!(
            "{} {repeated} rows mean the same record as an earlier one and were put over it",
            styled(WARN, "!")
        ));
    }
    if !report.people_added.is_empty() {
        let verb = if report.dry_run { "Members to be added" } else { "Members added" };
        parts.push(format!("{verb}: {}", report.people_added.join(", ")));
    }
    parts.extend(report.notes.iter().cloned());
    parts.extend(next(report));
    parts.join("\n\n")
}

fn counts(report: &Report) -> String {
    let verb = if report.dry_run { "Checked, nothing stored:" } else { "Imported" };
    let counts = [
        ("created", report.created),
        ("updated", report.updated),
        ("unchanged", report.unchanged),
        ("refused", report.refused),
        ("left out", report.left_out),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(name, count)| *count > 0 || *name == "created")
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    let source = format!("{} ({}), {} rows", report.source, report.format, report.rows);
    format!("{} {source}\n{}", styled(STRONG, verb), counts.join(", "))
}

fn mapped(table: &TableReport) -> String {
    let mut grid = Grid::new(["heading", "column", "by"]);
    for mapped in &table.mapped {
        grid.row([&mapped.from, &mapped.column, &mapped.why]);
    }
    let found_by = match table.matched_by.as_slice() {
        [] => "found again by their whole content".to_owned(),
        columns => format!("found again by {}", columns.join(" or ")),
    };
    format!("{}: {} rows, {found_by}\n{}", styled(STRONG, &table.table), table.rows, grid.render(width()))
}

fn not_imported(report: &Report) -> Option<String> {
    let line = |left: &imports::NotImported| {
        let hint = left.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("{} {}: {}{hint}", styled(WARN, "!"), left.heading, left.why)
    };
    let lines: Vec<String> = report.not_imported.iter().map(line).collect();
    (!lines.is_empty()).then(|| format!("{}\n{}", styled(STRONG, "Not imported"), lines.join("\n")))
}

fn faults(report: &Report) -> Option<String> {
    let mut lines: Vec<String> = report.faults.iter().take(FAULTS_SHOWN).map(fault).collect();
    let more = report.faults.len().saturating_sub(FAULTS_SHOWN) as u64 + report.more_faults;
    if more > 0 {
        lines.push(styled(FAINT, format!("… and {more} more; --json lists them")));
    }
    (!lines.is_empty()).then(|| format!("{}\n{}", styled(STRONG, "Faults"), lines.join("\n")))
}

fn fault(fault: &Fault) -> String {
    let place = fault.heading.as_ref().map(|heading| format!(", {heading}")).unwrap_or_default();
    let value = fault.value.as_ref().map(|value| format!(" `{}`", harmless(value))).unwrap_or_default();
    let mark = if fault.row_refused { styled(BAD, "✗") } else { styled(WARN, "!") };
    format!("{mark} line {}{place}{value}: {}", fault.line, fault.why)
}

fn next(report: &Report) -> Option<String> {
    if report.dry_run {
        return Some(styled(FAINT, "The same command without --dry-run imports it."));
    }
    let undo = match report.change_ids.as_slice() {
        [] => return None,
        [id] => format!("To take it back: opstables call undo_change '{{\"change_id\":\"{id}\"}}'"),
        ids => format!(
            "To take it back, call undo_change with each of its {} change ids; --json lists them.",
            ids.len()
        ),
    };
    Some(format!("{} {undo}", styled(GOOD, "✓")))
}
