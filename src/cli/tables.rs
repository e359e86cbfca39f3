//! `opstables tables`: what the organization's tables hold.

use super::Status;
use super::grid::Grid;
use super::output::{FAINT, STRONG, styled, width};
use super::session::Session;
use crate::error::Result;
use crate::tools::describe::{self, ColumnInfo, Output, TableInfo};

/// List the tables with their rows, or one table with its columns and views
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Table to describe
    table: Option<String>,
}

const EXAMPLE: &str = "Examples:
  opstables tables
  opstables tables leads";

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    let ctx = session.connect().await?.person();
    let one = args.table.is_some();
    let wanted = describe::Args { tables: args.table.into_iter().collect(), verbose: one.then_some(true) };
    let described = describe::run(ctx, wanted).await.map_err(|mut error| {
        // The place among the tool's arguments means nothing here.
        error.path = None;
        error
    })?;
    session.output.result(&described, || match described.tables.as_slice() {
        [table] if one => show_table(table),
        _ => show_all(&described),
    })?;
    Ok(Status::Done)
}

fn show_all(described: &Output) -> String {
    let mut grid = Grid::new(["table", "rows", "for", "views"]);
    for table in &described.tables {
        let views = table.views.join(", ");
        grid.row([table.table.clone(), table.rows.to_string(), table.about.clone(), views]);
    }
    let organization = format!("{} ({})", described.organization, described.timezone);
    let more = styled(FAINT, "`opstables tables leads` shows a table's columns.");
    format!("{}\n\n{}\n\n{more}", styled(STRONG, organization), grid.render(width()))
}

fn show_table(table: &TableInfo) -> String {
    let mut grid = Grid::new(["column", "type", "label", "for"]);
    for column in &table.columns {
        let kind = kind(column);
        let (label, about) = (column.label.clone().unwrap_or_default(), about(column));
        grid.row([column.key.clone(), kind, label, about]);
    }
    format!(
        "{}: {} ({} rows)\n\n{}\n\nViews     {}\nMatch on  {}",
        styled(STRONG, &table.label),
        table.about,
        table.rows,
        grid.render(width()),
        table.views.join(", "),
        table.match_on.join(", "),
    )
}

fn kind(column: &ColumnInfo) -> String {
    let marks = [(column.read_only, "read-only"), (column.custom, "custom"), (column.hidden, "hidden")];
    let marks: Vec<&str> = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
    if marks.is_empty() { column.kind.clone() } else { format!("{}, {}", column.kind, marks.join(", ")) }
}

fn about(column: &ColumnInfo) -> String {
    let about = column.about.clone().unwrap_or_default();
    match column.options.as_slice() {
        [] => about,
        options if about.is_empty() => options.join(", "),
        options => format!("{about}: {}", options.join(", ")),
    }
}
