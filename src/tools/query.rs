//! `query_<table>`: rows, counts and figures of one table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::ctx::Ctx;
use super::schema::Map;
use super::tool::{Hints, Tool, Toolset, Words};
use super::{figures, published, selection, shown};
use crate::error::{Result, internal, invalid};
use crate::records::{self, Cursor, Span};
use crate::store::{Tx, organizations};
use crate::tables::{Catalog, CatalogTable, FilterArg, SortArg, Table};

/// How many rows a call returns when it does not say.
const DEFAULT_LIMIT: usize = 25;
const MAX_LIMIT: usize = 200;
/// How far matches are counted when not all are returned. Counting further costs more than the page itself, and
/// an exact figure is one aggregate away.
const MAX_COUNTED: u64 = 200;

#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Args {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub ids: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 30))]
    pub filters: Vec<FilterArg>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 30))]
    pub any_of: Vec<FilterArg>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    pub sort: Vec<SortArg>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<figures::AggregateArg>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2))]
    pub group_by: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// Rows as one list of values each, in the order of `columns`.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Output {
    pub columns: Vec<String>,
    #[schemars(schema_with = "rows_schema")]
    pub rows: Vec<Vec<Json>>,
    /// How many rows match in all, or at least this many when `total_is` says so.
    pub total: u64,
    pub total_is: Total,
    /// Whether there is more than was returned; then `next_cursor` goes on from here.
    pub truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Total {
    #[default]
    Exact,
    AtLeast,
}

pub fn tool(table: &'static Table) -> Tool {
    let title = format!("Query {}", table.label.to_lowercase());
    let description =
        format!("Find, list, count or sum {}: {}", table.label.to_lowercase(), table.about.to_lowercase());
    let words = Words { name: &format!("query_{}", table.key), title: &title, description: &description };
    Tool::new(words, Toolset::Core, Hints::READ, move |ctx, args| run(ctx, table, args))
        .with_published(|schema| describe(schema, table))
}

pub async fn run(ctx: Ctx, table: &'static Table, args: Args) -> Result<Output> {
    let is_figure = args.aggregate.is_some() || !args.group_by.is_empty();
    if !is_figure
        && args.cursor.is_none()
        && let Some(output) = first_page(&ctx, table, &args).await
    {
        return Ok(output);
    }
    let (mut tx, catalog) = ctx.read().await?;
    let table = catalog.table(table.key)?;
    let (args, after) = resume(&catalog, table, args)?;
    if args.aggregate.is_some() || !args.group_by.is_empty() {
        return figures::run(&ctx, &mut tx, &catalog, table, &args).await;
    }
    let (output, _) = page(&ctx, &mut tx, &catalog, table, &args, after.as_ref(), false).await?;
    Ok(output)
}

/// The page by the catalog as it was last seen, in a single statement that also says whether that is still the
/// catalog. None when it is not, and when anything went wrong, which the usual way says better.
async fn first_page(ctx: &Ctx, table: &'static Table, args: &Args) -> Option<Output> {
    let (mut tx, catalog) = ctx.at_hand()?;
    let found = catalog.table(table.key).ok()?;
    let (output, version) = page(ctx, &mut tx, &catalog, found, args, None, true).await.ok()?;
    let version = match version {
        Some(version) => version,
        // Versions only grow: one that is the same after an empty page was the same before it.
        None => organizations::version(&mut tx, ctx.org).await.ok()??,
    };
    (version == catalog.version).then_some(output)
}

/// A page, and the catalog's version as of it when that is asked for and there are rows.
async fn page(
    ctx: &Ctx,
    tx: &mut Tx,
    catalog: &Catalog,
    table: &CatalogTable,
    args: &Args,
    after: Option<&Cursor>,
    versioned: bool,
) -> Result<(Output, Option<i64>)> {
    let query = selection::parse(ctx, catalog, table, args)?;
    let sort = selection::sort(table, args)?;
    let fields = fields(table, args)?;
    let limit = args.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let count_to = Some(MAX_COUNTED + 1);
    let span = Span { sort: &sort, fields: &fields, after, limit, count_to, versioned };
    let mut page = records::page(tx, &query, &span).await?;
    let mut output = shown::show(catalog, table, &fields, &mut page.rows);
    output.truncated = page.more || output.rows.len() < page.rows.len();
    if output.truncated || after.is_some() {
        let counted = match page.matching {
            Some(counted) => counted,
            None => records::count(tx, &query, MAX_COUNTED + 1).await?,
        };
        output.total = counted.min(MAX_COUNTED);
        output.total_is = if counted > MAX_COUNTED { Total::AtLeast } else { Total::Exact };
    } else {
        output.total = output.rows.len() as u64;
    }
    if output.truncated
        && let Some(last) = page.rows.get(output.rows.len().saturating_sub(1))
    {
        output.next_cursor = Some(cursor(catalog, table, args, &last.cursor())?);
    }
    note_missing(&query, args, &mut output);
    Ok((output, page.version))
}

/// The arguments a cursor stands for, and the place to go on from. A cursor carries its query, so nothing
/// need be repeated with it; what is repeated must be the same.
fn resume(catalog: &Catalog, table: &CatalogTable, args: Args) -> Result<(Args, Option<Cursor>)> {
    let Some(token) = args.cursor.as_deref().filter(|token| !token.is_empty()) else {
        return Ok((args, None));
    };
    let refused = || {
        invalid("this cursor was not issued for this organization and table, or was changed on the way")
            .at("cursor")
            .hint("pass next_cursor exactly as it was returned, or leave it out to start again")
    };
    let payload = records::open(&catalog.key, &purpose(table), token).ok_or_else(refused)?;
    let (sealed, cursor): (Args, Cursor) = serde_json::from_str(&payload).map_err(|_| refused())?;
    let same = Args { cursor: None, limit: None, fields: Vec::new(), ..args.clone() };
    let alone = json!(same) == json!(Args::default());
    if !alone && json!(same) != json!(Args { fields: Vec::new(), ..sealed.clone() }) {
        return Err(invalid("the cursor belongs to a query with other arguments")
            .at("cursor")
            .hint("pass the cursor alone, or with the very filters, view, search and sort it came from"));
    }
    let fields = if args.fields.is_empty() { sealed.fields.clone() } else { args.fields };
    Ok((Args { limit: args.limit, fields, ..sealed }, Some(cursor)))
}

fn cursor(catalog: &Catalog, table: &CatalogTable, args: &Args, last: &Cursor) -> Result<String> {
    let args = Args { cursor: None, limit: None, ..args.clone() };
    let payload = serde_json::to_string(&(args, last)).map_err(internal)?;
    Ok(records::seal(&catalog.key, &purpose(table), &payload))
}

fn purpose(table: &CatalogTable) -> String {
    format!("cursor:{}", table.key())
}

/// The places of the columns to return.
fn fields(table: &CatalogTable, args: &Args) -> Result<Vec<usize>> {
    if args.fields.is_empty() {
        let shown = table.columns.iter().enumerate().filter(|(_, column)| table.shows_by_default(column));
        return Ok(shown.map(|(place, _)| place).collect());
    }
    let mut fields = Vec::with_capacity(args.fields.len());
    for (i, key) in args.fields.iter().enumerate().filter(|(_, key)| *key != "id") {
        let place = table.place(key).map_err(|error| error.at(format!("fields[{i}]")))?;
        if !fields.contains(&place) {
            fields.push(place);
        }
    }
    Ok(fields)
}

/// Says which of the ids asked for were not found.
fn note_missing(query: &records::Query<'_>, args: &Args, output: &mut Output) {
    let Some(ids) = &query.ids else { return };
    let found: Vec<&str> = output.rows.iter().filter_map(|row| row.first().and_then(Json::as_str)).collect();
    let missing: Vec<String> =
        ids.iter().map(ToString::to_string).filter(|id| !found.contains(&id.as_str())).collect();
    if !missing.is_empty() && !output.truncated && args.filters.is_empty() && args.search.is_none() {
        output.note = Some(format!("no live row has these ids: {}", missing.join(", ")));
    }
}

fn rows_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let cell = super::schema::cell(generator);
    schemars::json_schema!({"type": "array", "items": {"type": "array", "items": cell}})
}

/// Puts the table's own words into the published schema. What is the same for all tables is spelled out in the
/// first one's tool.
fn describe(schema: &mut Map, table: &Table) {
    let views: Vec<&str> = table.views.iter().map(|view| view.key).collect();
    let columns = format!("Columns: {}, tags, custom ones", published::columns(table));
    let texts = json!({"type": "array", "items": {"type": "string"}});
    published::put(schema, "ids", texts.clone());
    published::put(schema, "fields", texts.clone());
    published::put(schema, "limit", json!({"type": "integer"}));
    published::put(schema, "any_of", published::objects("Filters of which one must hold"));
    published::say(schema, "view", &views.join(", "));
    published::bare(schema, &["cursor", "archived"]);
    if published::is_first(table) {
        published::put(schema, "filters", published::filters(&format!("All must hold. {columns}")));
        let dir = json!({"type": "string", "enum": ["asc", "desc"]});
        let sort = json!({"type": "object", "properties": {"column": {"type": "string"}, "dir": dir}});
        published::put(schema, "sort", json!({"type": "array", "items": sort}));
        let functions = ["count", "sum", "avg", "min", "max"];
        let measure = json!({"fn": {"type": "string", "enum": functions}, "column": {"type": "string"}});
        published::put(schema, "aggregate", json!({"type": "object", "properties": measure}));
        published::put(schema, "group_by", texts);
        published::say(schema, "group_by", &format!("1 or 2; dates as {}:month", table.default_date));
        published::say(schema, "search", "Words in names or e-mails");
    } else {
        let filters = format!(
            "{{column, op: equals, in, contains, gt, before, between, is_empty, within_last_days, others as in query_{}, \
             value}}. {columns}",
            published::first().key
        );
        published::put(schema, "filters", published::objects(&filters));
        published::put(schema, "sort", published::objects("{column, dir}"));
        published::put(schema, "aggregate", json!({"type": "object", "description": "{fn, column}"}));
        published::put(schema, "group_by", texts);
        published::bare(schema, &["search"]);
    }
}
