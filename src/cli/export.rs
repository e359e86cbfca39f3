//! `opstables export`: every row of a table as CSV or JSON lines, read page by page.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use indicatif::ProgressBar;
use serde_json::{Map, Value as Json, json};

use super::Status;
use super::output::unwritten;
use super::selection::Selection;
use super::session::Session;
use crate::error::{Error, Result, conflict, internal};
use crate::records::{self, PageRow, Query, SortKey, Span};
use crate::store::Tx;
use crate::tables::{Catalog, CatalogTable, value};
use crate::tools::selection;

/// Write all rows of a table to a file or to stdout
///
/// In CSV, a text that a spreadsheet would take for a formula gets an apostrophe in front. JSON lines keep
/// every value as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Table: leads, meetings, contacts, companies or clients
    table: String,
    #[command(flatten)]
    selection: Selection,
    /// Format [default: by the file's name, else csv]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// File to write to [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Jsonl,
}

const EXAMPLE: &str = "Examples:
  opstables export leads --output leads.csv
  opstables export clients --filter status=active --format jsonl > active.jsonl";

/// How many rows are read at once.
const PAGE: usize = 500;

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    let wanted = args.selection.to_args()?;
    let ctx = session.connect().await?.person();
    let (mut tx, catalog) = ctx.read().await?;
    let table = catalog.table(&args.table)?;
    let query = selection::parse(&ctx, &catalog, table, &wanted)?;
    let sort = selection::sort(table, &wanted)?;
    let format = args.format.unwrap_or_else(|| format_of(args.output.as_deref()));
    let rows = Rows { catalog: &catalog, table, query, sort };
    let Some(path) = &args.output else {
        rows.write(&mut tx, Sink::new(format, Box::new(io::stdout())), &ProgressBar::hidden()).await?;
        return Ok(Status::Done);
    };
    if path.exists() && !args.force {
        return Err(conflict(format!("the file `{}` exists already", path.display()))
            .hint("choose another name, or replace it with --force"));
    }
    let count = rows.write_file(&mut tx, format, path).await?;
    let report = json!({ "table": table.key(), "rows": count, "file": path });
    session.output.result(&report, || format!("Wrote {count} {} to {}", table.key(), path.display()))?;
    Ok(Status::Done)
}

fn format_of(path: Option<&Path>) -> Format {
    let extension = path.and_then(Path::extension).and_then(|extension| extension.to_str());
    match extension {
        Some("jsonl" | "ndjson" | "json") => Format::Jsonl,
        _ => Format::Csv,
    }
}

/// The rows to write, in their order.
struct Rows<'a> {
    catalog: &'a Catalog,
    table: &'a CatalogTable,
    query: Query<'a>,
    sort: Vec<SortKey>,
}

impl Rows<'_> {
    /// Writes a file that appears under its name only when it is whole.
    async fn write_file(&self, tx: &mut Tx, format: Format, path: &Path) -> Result<u64> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = File::create(&partial).map_err(|error| unwritable(path, error))?;
        let progress = ProgressBar::new_spinner();
        let written = self.write(tx, Sink::new(format, Box::new(BufWriter::new(file))), &progress).await;
        progress.finish_and_clear();
        let written = match written {
            Ok(count) => fs::rename(&partial, path).map(|()| count).map_err(|error| unwritable(path, error)),
            Err(error) => Err(error),
        };
        if written.is_err() {
            // What is left of a failed export helps nobody; the error itself is what counts.
            drop(fs::remove_file(&partial));
        }
        written
    }

    async fn write(&self, tx: &mut Tx, mut sink: Sink, progress: &ProgressBar) -> Result<u64> {
        let fields: Vec<usize> = (0..self.table.columns.len()).collect();
        let keys: Vec<&str> = self.table.columns.iter().map(|column| column.key.as_str()).collect();
        sink.head(&keys)?;
        let (mut after, mut count) = (None, 0);
        let part = Span { limit: PAGE, ..Span::default() };
        loop {
            let span = Span { sort: &self.sort, fields: &fields, after: after.as_ref(), ..part };
            let page = records::page(tx, &self.query, &span).await?;
            for row in &page.rows {
                sink.row(&keys, row, &self.cells(row))?;
            }
            count += page.rows.len() as u64;
            progress.set_message(format!("{count} rows"));
            progress.tick();
            after = page.rows.last().map(records::PageRow::cursor);
            if !page.more {
                sink.finish()?;
                return Ok(count);
            }
        }
    }

    fn cells(&self, row: &PageRow) -> Vec<Json> {
        let cells = self.table.columns.iter().zip(&row.values);
        cells
            .map(|(column, cell)| {
                cell.as_ref().map_or(Json::Null, |cell| value::show(column, cell, &self.catalog.members))
            })
            .collect()
    }
}

/// Where rows are written in their format.
enum Sink {
    Csv(Box<csv::Writer<Box<dyn Write + Send>>>),
    Jsonl(Box<dyn Write + Send>),
}

impl Sink {
    fn new(format: Format, file: Box<dyn Write + Send>) -> Sink {
        match format {
            Format::Csv => Sink::Csv(Box::new(csv::Writer::from_writer(file))),
            Format::Jsonl => Sink::Jsonl(Box::new(BufWriter::new(file))),
        }
    }

    fn head(&mut self, keys: &[&str]) -> Result<()> {
        match self {
            Sink::Csv(csv) => csv.write_record(std::iter::once(&"id").chain(keys)).map_err(csv_error),
            Sink::Jsonl(_) => Ok(()),
        }
    }

    fn row(&mut self, keys: &[&str], row: &PageRow, cells: &[Json]) -> Result<()> {
        match self {
            Sink::Csv(csv) => {
                let texts = std::iter::once(row.id.to_string()).chain(cells.iter().map(csv_text));
                csv.write_record(texts).map_err(csv_error)
            }
            Sink::Jsonl(file) => {
                let mut object = Map::from_iter([("id".to_owned(), json!(row.id))]);
                object.extend(keys.iter().map(|&key| key.to_owned()).zip(cells.iter().cloned()));
                serde_json::to_writer(&mut *file, &object).map_err(io::Error::from).map_err(unwritten)?;
                file.write_all(b"\n").map_err(unwritten)
            }
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Sink::Csv(mut csv) => csv.flush().map_err(unwritten),
            Sink::Jsonl(mut file) => file.flush().map_err(unwritten),
        }
    }
}

/// A cell as CSV. Only texts are disarmed: a negative number is a number.
fn csv_text(cell: &Json) -> String {
    match cell {
        Json::Null => String::new(),
        Json::String(text) => disarmed(text.clone()),
        Json::Array(items) => disarmed(items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// The text with an apostrophe in front when a spreadsheet would run it as a formula.
fn disarmed(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

fn csv_error(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => unwritten(error),
        other => internal(format!("{other:?}")),
    }
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    unwritten(error).at(path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_disarmed() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(csv_text(&json!(text)), format!("'{text}"));
        }
        assert_eq!(csv_text(&json!(-5)), "-5");
        assert_eq!(csv_text(&json!("a=b")), "a=b");
        assert_eq!(csv_text(&json!(["-a", "b"])), "'-a, b");
    }
}
