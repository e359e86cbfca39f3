//! `manage_columns`: an organization's own columns, and how core columns look.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::confirm::Bound;
use super::ctx::Ctx;
use super::describe::{self, ColumnInfo};
use super::outcome::{Preview, Status};
use super::published;
use super::schema::{Map, property};
use super::tool::{Hints, Tool, Toolset, Words};
use crate::error::{Result, denied, invalid};
use crate::records::{self, Action, Change, Query, Source};
use crate::store::{Tx, organizations};
use crate::tables::custom::{self, ColumnEdit, NewColumn};
use crate::tables::definitions::slot_index;
use crate::tables::{Catalog, CatalogOption, Filter, Kind, Test};

/// How many rows' values one deletion may empty.
const MAX_EMPTIED: usize = 10_000;

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    pub action: ColumnAction,
    pub table: String,
    /// The column; for add it is made from the label when left out
    #[serde(default)]
    pub key: Option<String>,
    #[serde(default)]
    pub label: Option<String>,
    /// For add; cannot be changed later
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// For a date column: keep the time of day too
    #[serde(default)]
    pub with_time: Option<bool>,
    /// The values of a status column
    #[serde(default)]
    pub options: Option<Vec<OptionArg>>,
    /// One line of help
    #[serde(default)]
    pub about: Option<String>,
    #[serde(default)]
    pub hidden: Option<bool>,
    /// The column's place in the table, from 0
    #[serde(default)]
    pub position: Option<usize>,
    /// Token of the preview
    #[serde(default, skip_serializing)]
    pub confirm: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnAction {
    Add,
    Update,
    Delete,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionArg {
    pub value: String,
    #[serde(default)]
    pub label: Option<String>,
    #[serde(default)]
    pub color: Option<String>,
    /// Other words people use for it
    #[serde(default)]
    pub words: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    pub status: Status,
    pub table: String,
    /// The table's columns now.
    pub columns: Vec<ColumnInfo>,
    /// The changes that emptied a deleted column; `undo_change` on each, after adding the column again with
    /// the same key and type, brings its values back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub change_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
}

pub fn tool() -> Tool {
    let words = Words {
        name: "manage_columns",
        title: "Manage columns",
        description: "Add, update (label, help, visibility, place, options) or delete an organization's own columns. \
                      Core columns can be relabelled, hidden and moved, nothing else.",
    };
    Tool::new(words, Toolset::Admin, Hints::ACT, run).with_input(describe_input)
}

async fn run(ctx: Ctx, args: Args) -> Result<Output> {
    let (mut tx, catalog) = ctx.begin().await?;
    let table = catalog.table(&args.table).map_err(|error| error.at("table"))?;
    let mut change_ids = Vec::new();
    match args.action {
        ColumnAction::Add => {
            let slot =
                custom::add(&mut tx, &catalog, table.key(), &new_column(&args)?, ctx.services.clock.now())
                    .await?;
            tx.commit().await?;
            let store = &ctx.services.store;
            store.define(&slot_index(slot, store.dialect())).await?;
        }
        ColumnAction::Update => {
            let key = key(&args)?;
            if args.kind.is_some() || args.with_time.is_some() {
                return Err(denied(format!("the type of `{key}` cannot be changed"))
                    .at("type")
                    .hint("add a new column of the other type and copy the values"));
            }
            custom::edit(&mut tx, &catalog, table.key(), key, &edit(&args)).await?;
            tx.commit().await?;
        }
        ColumnAction::Delete => match delete(&mut tx, &ctx, &catalog, &args).await? {
            Deleted::Preview(output) => return Ok(*output),
            Deleted::Done(emptied) => {
                change_ids = emptied;
                tx.commit().await?;
            }
        },
    }
    let columns = columns_now(&ctx, &args.table).await?;
    Ok(Output { status: Status::Done, table: args.table, columns, change_ids, preview: None, confirm: None })
}

enum Deleted {
    /// Rows hold values in the column: they are shown before anything is lost from sight.
    Preview(Box<Output>),
    Done(Vec<String>),
}

/// Empties the column by ordinary, logged changes, then removes it.
async fn delete(tx: &mut Tx, ctx: &Ctx, catalog: &Catalog, args: &Args) -> Result<Deleted> {
    let table = catalog.table(&args.table)?;
    let key = key(args)?;
    custom::own_column(table, key)?;
    let column = table.place(key)?;
    // The organization's line first, as everywhere: two processes never wait for each other.
    organizations::bump(tx, ctx.org).await?;
    let mut rows = Vec::new();
    for archived in [false, true] {
        let filter = Filter { column, test: Test::IsNotEmpty };
        let query = Query {
            org: ctx.org,
            table,
            filters: vec![filter],
            any_of: Vec::new(),
            search: None,
            ids: None,
            archived,
            basis: records::Basis::new(catalog, table, ctx.services.clock.now()),
        };
        let ids = records::matching_ids(tx, &query, MAX_EMPTIED + 1).await?;
        rows.extend(records::lock(tx, ctx.org, table, &ids).await?);
    }
    if rows.len() > MAX_EMPTIED {
        return Err(invalid(format!("more than {MAX_EMPTIED} rows have a value in `{key}`"))
            .at("key")
            .hint("hide the column, or clear it in parts with save and set first"));
    }
    if rows.is_empty() {
        custom::delete(tx, catalog, table.key(), key).await?;
        return Ok(Deleted::Done(Vec::new()));
    }
    let bound = Bound::new(ctx, "manage_columns", &json!(args), &rows);
    let Some(token) = &args.confirm else {
        let effect =
            format!("deletes the column {key} of {}, which {} rows have a value in", table.key(), rows.len());
        return Ok(Deleted::Preview(Box::new(Output {
            status: Status::NeedsConfirmation,
            table: args.table.clone(),
            columns: Vec::new(),
            change_ids: Vec::new(),
            preview: Some(Preview::new(catalog, table, &rows, effect, &[key])),
            confirm: Some(bound.token(catalog)?),
        })));
    };
    bound.check(catalog, ctx.services.clock.now_ms(), token)?;
    let edits = super::save::edit_each(&rows, &Action::Empty(column));
    let change = Change { table, actor: &ctx.actor, source: Source::App, edits, undo_of: None };
    let outcome = records::write(tx, catalog, change, ctx.services.clock.now(), &ctx.services.ids).await?;
    custom::delete(tx, catalog, table.key(), key).await?;
    Ok(Deleted::Done(outcome.change_id.iter().map(ToString::to_string).collect()))
}

async fn columns_now(ctx: &Ctx, table: &str) -> Result<Vec<ColumnInfo>> {
    let args = describe::Args { tables: vec![table.to_owned()], verbose: None };
    let described = describe::run(ctx.clone(), args).await?;
    Ok(described.tables.into_iter().flat_map(|table| table.columns).collect())
}

fn key(args: &Args) -> Result<&str> {
    args.key.as_deref().ok_or_else(|| invalid("say which column").at("key"))
}

fn new_column(args: &Args) -> Result<NewColumn> {
    let label = args.label.clone().or_else(|| args.key.clone());
    let label = label.ok_or_else(|| invalid("a new column needs a label").at("label"))?;
    let wanted = args.kind.as_deref().unwrap_or_default();
    let kind = match (wanted, args.with_time.unwrap_or(false)) {
        ("date", true) => Some(Kind::Instant),
        (name, false) => Kind::ALL.iter().copied().find(|kind| kind.type_name() == name),
        (_, true) => return Err(invalid("only a date column keeps a time").at("with_time")),
    };
    let kind = kind.ok_or_else(|| {
        invalid(format!("`{wanted}` is not a column type")).at("type").choices(wanted, kind_names())
    })?;
    Ok(NewColumn {
        key: args.key.clone().unwrap_or_default(),
        label,
        kind,
        options: options(args).unwrap_or_default(),
        about: args.about.clone().unwrap_or_default(),
    })
}

fn edit(args: &Args) -> ColumnEdit {
    ColumnEdit {
        label: args.label.clone(),
        about: args.about.clone(),
        hidden: args.hidden,
        position: args.position,
        options: options(args),
    }
}

fn options(args: &Args) -> Option<Vec<CatalogOption>> {
    let options = args.options.as_ref()?.iter().map(|option| CatalogOption {
        value: option.value.clone(),
        label: option.label.clone().unwrap_or_default(),
        color: option.color.clone().unwrap_or_default(),
        words: option.words.clone(),
    });
    Some(options.collect())
}

fn kind_names() -> Vec<&'static str> {
    let mut names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.type_name()).collect();
    names.dedup();
    names
}

fn describe_input(schema: &mut Map) {
    published::table(schema, "table");
    property(schema, "type").insert("enum".to_owned(), json!(kind_names()));
}
