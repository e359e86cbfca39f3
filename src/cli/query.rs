//! `opstables query`: rows, counts and figures of a table, for people.

use serde_json::Value as Json;

use super::Status;
use super::cells;
use super::grid::Grid;
use super::output::width;
use super::selection::Selection;
use super::session::Session;
use crate::error::Result;
use crate::tables::{Catalog, Table};
use crate::tools::figures::{AggregateArg, Fn};
use crate::tools::{Ctx, query};

/// Look at a table's rows, or count and sum them
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Table: leads, meetings, contacts, companies or clients
    table: String,
    #[command(flatten)]
    selection: Selection,
    /// Columns to show, as `contact_name,status`; `id` among them shows the rows' ids
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    fields: Vec<String>,
    /// How many rows to show at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    figures: Figures,
}

#[derive(Debug, clap::Args)]
struct Figures {
    /// Group by up to two columns; a date as `created_at:month` (day, week, month, quarter, year)
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', help_heading = "Figures")]
    group_by: Vec<String>,
    /// Count the rows
    #[arg(long, help_heading = "Figures", group = "figure")]
    count: bool,
    /// Sum a column
    #[arg(long, value_name = "COLUMN", help_heading = "Figures", group = "figure")]
    sum: Option<String>,
    /// Average a column
    #[arg(long, value_name = "COLUMN", help_heading = "Figures", group = "figure")]
    avg: Option<String>,
    /// Smallest value of a column
    #[arg(long, value_name = "COLUMN", help_heading = "Figures", group = "figure")]
    min: Option<String>,
    /// Largest value of a column
    #[arg(long, value_name = "COLUMN", help_heading = "Figures", group = "figure")]
    max: Option<String>,
}

const EXAMPLE: &str = "Examples:
  opstables query leads --view high_priority --fields contact_name,status,owner
  opstables query leads -f 'status in new,prepping' -f 'created_at>=this_week' --sort created_at:desc
  opstables query clients -f status=active --group-by owner --sum deal_value";

/// The most that one call of the tool returns.
const PAGE: usize = 200;

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    let mut wanted = args.selection.to_args()?;
    wanted.fields.clone_from(&args.fields);
    wanted.group_by.clone_from(&args.figures.group_by);
    wanted.aggregate = args.figures.to_aggregate();
    let ctx = session.connect().await?.person();
    let (_, catalog) = ctx.read().await?;
    let table = catalog.table(&args.table)?.declared;
    let found = collect(&ctx, table, wanted, args.limit as usize).await?;
    let places = places(&found, &args.fields);
    session.output.result(&found, || show(&found, &catalog, &places))?;
    if !session.output.is_json() {
        session.output.note(summary(&found, table, &args));
    }
    Ok(Status::Done)
}

impl Figures {
    fn to_aggregate(&self) -> Option<AggregateArg> {
        let measures =
            [(Fn::Sum, &self.sum), (Fn::Avg, &self.avg), (Fn::Min, &self.min), (Fn::Max, &self.max)];
        let measure = measures.into_iter().find_map(|(function, column)| Some((function, column.clone()?)));
        match measure {
            Some((function, column)) => Some(AggregateArg { function, column: Some(column) }),
            None => self.count.then_some(AggregateArg { function: Fn::Count, column: None }),
        }
    }
}

/// As many pages as the limit asks for, as one result.
async fn collect(ctx: &Ctx, table: &'static Table, args: query::Args, limit: usize) -> Result<query::Output> {
    if args.aggregate.is_some() || !args.group_by.is_empty() {
        return query::run(ctx.clone(), table, query::Args { limit: Some(limit.min(PAGE)), ..args }).await;
    }
    let first = query::Args { limit: Some(limit.min(PAGE)), ..args };
    let mut found = query::run(ctx.clone(), table, first).await?;
    while found.rows.len() < limit
        && let Some(cursor) = found.next_cursor.take()
    {
        let rest = limit - found.rows.len();
        let next =
            query::Args { cursor: Some(cursor), limit: Some(rest.min(PAGE)), ..query::Args::default() };
        let page = query::run(ctx.clone(), table, next).await?;
        found.rows.extend(page.rows);
        (found.truncated, found.next_cursor) = (page.truncated, page.next_cursor);
        (found.total, found.total_is) = (page.total, page.total_is);
    }
    Ok(found)
}

/// Which columns a person sees: those asked for, else those with a value anywhere, without the ids.
fn places(found: &query::Output, fields: &[String]) -> Vec<usize> {
    let wanted = |place: &usize| match found.columns[*place].as_str() {
        "id" => fields.iter().any(|field| field == "id"),
        _ => {
            !fields.is_empty()
                || found.rows.iter().any(|row| row.get(*place).is_some_and(|cell| !cell.is_null()))
        }
    };
    (0..found.columns.len()).filter(wanted).collect()
}

fn show(found: &query::Output, catalog: &Catalog, places: &[usize]) -> String {
    let heading = |place: &usize| found.columns[*place].trim_start_matches('_').to_owned();
    let mut grid = Grid::new(places.iter().map(heading));
    let cell = |row: &Vec<Json>, place: usize| {
        row.get(place).map_or_else(String::new, |cell| cells::text(cell, catalog.zone))
    };
    for row in &found.rows {
        grid.row(places.iter().map(|&place| cell(row, place)));
    }
    grid.render(width())
}

fn summary(found: &query::Output, table: &Table, args: &Args) -> String {
    let is_figure = !found.columns.iter().any(|column| column == "id");
    let noun = if is_figure { "groups".to_owned() } else { table.key.to_owned() };
    let at_least = if found.total_is == query::Total::AtLeast { "more than " } else { "" };
    let mut parts = vec![format!("{at_least}{} {noun}", found.total)];
    if found.truncated {
        let more = args.limit.saturating_mul(4);
        parts.push(format!("{} shown, --limit {more} shows more", found.rows.len()));
    }
    parts.extend(found.note.clone().filter(|_| !is_figure));
    parts.join("; ")
}
