//! `describe_tables`, and the same facts as resources and completions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map as JsonMap, Value as Json, json};

use super::ctx::Ctx;
use super::schema::{Map, items, property};
use super::selection::parse_id;
use super::tool::{Hints, Tool, Toolset, Words};
use crate::error::{Result, not_found};
use crate::records;
use crate::store::rows;
use crate::tables::{Access, Catalog, CatalogColumn, CatalogTable, Kind, TABLES, dates, value};

/// How many members, options or names one answer lists.
const MAX_LISTED: usize = 100;

#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Args {
    /// Default: all five
    pub tables: Vec<String>,
    /// Also labels, help and operators
    pub verbose: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    pub organization: String,
    /// Dates without a zone are meant in this one.
    pub timezone: String,
    pub today: String,
    /// The people rows can belong to.
    pub members: Vec<String>,
    /// The member who is calling; "me" in filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub me: Option<String>,
    pub tables: Vec<TableInfo>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct TableInfo {
    pub table: String,
    pub label: String,
    pub about: String,
    pub rows: i64,
    pub columns: Vec<ColumnInfo>,
    pub views: Vec<String>,
    /// Columns that find a row for an upsert.
    pub match_on: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct ColumnInfo {
    pub key: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub custom: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub read_only: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub hidden: bool,
}

pub fn tool() -> Tool {
    let words = Words {
        name: "describe_tables",
        title: "Describe tables",
        description: "Columns (custom ones too) with types and options, views, members, row counts and today's date.",
    };
    Tool::new(words, Toolset::Core, Hints::READ, run).with_input(describe)
}

pub async fn run(ctx: Ctx, args: Args) -> Result<Output> {
    let (mut tx, catalog) = ctx.read().await?;
    let counts = rows::counts(&mut tx, ctx.org).await?;
    let verbose = args.verbose.unwrap_or(false);
    let mut tables = Vec::new();
    for (i, key) in args.tables.iter().enumerate() {
        let table = catalog.table(key).map_err(|error| error.at(format!("tables[{i}]")))?;
        tables.push(table_info(table, &counts, verbose));
    }
    if args.tables.is_empty() {
        let live = catalog.tables.iter().filter(|table| !table.deleted);
        tables = live.map(|table| table_info(table, &counts, verbose)).collect();
    }
    let now = ctx.services.clock.now();
    Ok(Output {
        organization: catalog.name.clone(),
        timezone: catalog.zone.name().to_owned(),
        today: dates::today(now, catalog.zone).to_string(),
        members: catalog.members.iter().take(MAX_LISTED).map(|member| member.name.clone()).collect(),
        me: ctx.actor.id.and_then(|id| catalog.member(id)).map(|member| member.name.clone()),
        tables,
    })
}

/// `ops://tables`: the tables with their counts and where to read more.
pub async fn tables_resource(ctx: &Ctx) -> Result<Json> {
    let (mut tx, catalog) = ctx.read().await?;
    let counts = rows::counts(&mut tx, ctx.org).await?;
    let tables: Vec<Json> = catalog
        .tables
        .iter()
        .filter(|table| !table.deleted)
        .map(|table| {
            json!({
                "table": table.key(),
                "label": table.label,
                "about": table.declared.about,
                "rows": row_count(table, &counts),
                "uri": format!("ops://tables/{}", table.key()),
            })
        })
        .collect();
    Ok(json!({"organization": catalog.name, "timezone": catalog.zone.name(), "tables": tables}))
}

/// `ops://tables/{table}`: one table with everything there is to know of it.
pub async fn table_resource(ctx: &Ctx, table: &str) -> Result<Json> {
    let (mut tx, catalog) = ctx.read().await?;
    let table = catalog.table(table)?;
    let counts = rows::counts(&mut tx, ctx.org).await?;
    let views: Vec<Json> = table
        .views
        .iter()
        .map(|view| json!({"key": view.key, "label": view.label, "spec": view.spec}))
        .collect();
    let automations: Vec<Json> = table
        .declared
        .automations
        .iter()
        .map(|automation| json!({"key": automation.key, "about": automation.about}))
        .collect();
    let mut info = json!(table_info(table, &counts, true));
    if let Some(info) = info.as_object_mut() {
        info.insert("views".to_owned(), json!(views));
        info.insert("automations".to_owned(), json!(automations));
    }
    Ok(info)
}

/// `ops://tables/{table}/rows/{id}`: one row with every column, and where each value came from.
pub async fn row_resource(ctx: &Ctx, table: &str, id: &str) -> Result<Json> {
    let (mut tx, catalog) = ctx.read().await?;
    let table = catalog.table(table)?;
    let id = parse_id(id)?;
    let missing = || not_found(format!("`{}` has no row with the id {id}", table.key()));
    let stored = records::get(&mut tx, ctx.org, table, id).await?.ok_or_else(missing)?;
    let (mut values, mut provenance) = (JsonMap::new(), JsonMap::new());
    for (place, column) in table.columns.iter().enumerate() {
        let shown = stored.values.get(place).and_then(Option::as_ref);
        let shown = shown.map_or(Json::Null, |cell| value::show(column, cell, &catalog.members));
        values.insert(column.key.clone(), shown);
        if let Some(cell) = stored.cell(table, place) {
            let stamp = cell.stamp;
            let at = chrono::DateTime::from_timestamp_millis(stamp.ms);
            provenance.insert(
                column.key.clone(),
                json!({"source": stamp.source.name(), "actor": stamp.actor, "at": at}),
            );
        }
    }
    for (key, shown) in computed(&mut tx, ctx, &catalog, table, id).await? {
        values.insert(key, shown);
    }
    Ok(json!({
        "table": table.key(),
        "id": id,
        "archived": stored.head.archived.is_some(),
        "created_at": stored.head.created_at,
        "updated_at": stored.head.updated_at,
        "values": values,
        "provenance": provenance,
    }))
}

/// Names that complete what somebody began to type: tables, columns, views, options or members.
pub async fn complete(ctx: &Ctx, argument: &str, table: Option<&str>, prefix: &str) -> Result<Vec<String>> {
    let (_, catalog) = ctx.read().await?;
    let tables: Vec<&CatalogTable> = catalog
        .tables
        .iter()
        .filter(|known| !known.deleted && table.is_none_or(|table| known.key() == table))
        .collect();
    let mut names: Vec<String> = match argument {
        "table" => {
            catalog.tables.iter().filter(|table| !table.deleted).map(|table| table.key().to_owned()).collect()
        }
        "column" => tables.iter().flat_map(|table| &table.columns).map(|column| column.key.clone()).collect(),
        "view" => tables.iter().flat_map(|table| &table.views).map(|view| view.key.clone()).collect(),
        "option" => {
            let columns = tables.iter().flat_map(|table| &table.columns);
            columns.flat_map(|column| &column.options).map(|option| option.value.clone()).collect()
        }
        "owner" => catalog.members.iter().map(|member| member.name.clone()).collect(),
        _ => Vec::new(),
    };
    let prefix = prefix.to_lowercase();
    names.retain(|name| name.to_lowercase().starts_with(&prefix));
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    Ok(names)
}

/// The values of a row's computed columns, as a query gives them.
async fn computed(
    tx: &mut crate::store::Tx,
    ctx: &Ctx,
    catalog: &Catalog,
    table: &CatalogTable,
    id: uuid::Uuid,
) -> Result<Vec<(String, Json)>> {
    let fields: Vec<usize> = (0..table.columns.len())
        .filter(|&place| {
            table
                .columns
                .get(place)
                .is_some_and(|column| matches!(column.place, crate::tables::Place::Computed(_)))
        })
        .collect();
    let query = records::Query {
        org: ctx.org,
        table,
        filters: Vec::new(),
        any_of: Vec::new(),
        search: None,
        ids: Some(vec![id]),
        archived: false,
        basis: records::Basis::new(catalog, table, ctx.services.clock.now()),
    };
    let page =
        records::page(tx, &query, &records::Span { fields: &fields, limit: 1, ..Default::default() }).await?;
    let Some(row) = page.rows.first() else { return Ok(Vec::new()) };
    let columns = fields.iter().filter_map(|&place| table.columns.get(place));
    Ok(columns
        .zip(&row.values)
        .map(|(column, cell)| {
            let shown = cell.as_ref().map_or(Json::Null, |cell| value::show(column, cell, &catalog.members));
            (column.key.clone(), shown)
        })
        .collect())
}

/// All there is to tell of a table; `verbose` adds labels, help and operators.
pub fn table_info(table: &CatalogTable, counts: &[(String, i64)], verbose: bool) -> TableInfo {
    TableInfo {
        table: table.key().to_owned(),
        label: table.label.clone(),
        about: table.declared.about.to_owned(),
        rows: row_count(table, counts),
        columns: table.columns.iter().map(|column| column_info(column, verbose)).collect(),
        views: table.views.iter().map(|view| view.key.clone()).collect(),
        match_on: table.declared.natural_keys.iter().map(|&key| key.to_owned()).collect(),
    }
}

fn column_info(column: &CatalogColumn, verbose: bool) -> ColumnInfo {
    let told = verbose || column.custom;
    let operators = column.kind.operators().iter().map(|op| op.name().to_owned());
    ColumnInfo {
        key: column.key.clone(),
        kind: match column.kind {
            Kind::Instant => "date (with time)".to_owned(),
            kind => kind.type_name().to_owned(),
        },
        label: told.then(|| column.label.clone()),
        about: told.then(|| column.about.to_string()).filter(|about| !about.is_empty()),
        options: column.options.iter().take(MAX_LISTED).map(|option| option.value.clone()).collect(),
        operators: if verbose { operators.collect() } else { Vec::new() },
        custom: column.custom,
        read_only: column.access != Access::Editable,
        hidden: column.hidden,
    }
}

fn row_count(table: &CatalogTable, counts: &[(String, i64)]) -> i64 {
    counts.iter().find(|(key, _)| key == table.key()).map_or(0, |(_, count)| *count)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

fn describe(schema: &mut Map) {
    let keys: Vec<&str> = TABLES.iter().map(|table| table.key).collect();
    let tables = property(schema, "tables");
    items(tables).insert("enum".to_owned(), json!(keys));
}
