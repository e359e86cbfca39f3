//! `save_<table>`: creates rows, updates them by id, by a natural key or by filter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map as JsonMap, Value as Json, json};

use super::confirm::Bound;
use super::ctx::Ctx;
use super::once::{Claim, claim};
use super::outcome::{Preview, Status, Written};
use super::schema::Map;
use super::tool::{Hints, Tool, Toolset, Words};
use super::{edits, published, selection};
use crate::error::{Error, Result, invalid};
use crate::records::{self, Action, Basis, Change, Edit, Query, Source, Stored, Target};
use crate::store::Tx;
use crate::tables::{Catalog, CatalogTable, FilterArg, Table};

/// How many rows one call may carry, and change by filter.
const MAX_ROWS: usize = 1_000;
pub const MAX_MATCHED: usize = 10_000;
/// More rows than this by filter need a confirmation.
pub const UNCONFIRMED_BY_FILTER: usize = 25;
/// What a write by filter says when there is nothing to write.
pub const MATCHES_NOTHING: &str = "no live row matches the filters: nothing was changed";

#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Args {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub rows: Vec<JsonMap<String, Json>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub match_on: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 30))]
    pub filters: Vec<FilterArg>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<JsonMap<String, Json>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<JsonMap<String, Json>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_errors: Option<bool>,
    #[serde(skip_serializing)]
    pub dry_run: Option<bool>,
    #[serde(skip_serializing)]
    pub confirm: Option<String>,
    #[serde(skip_serializing)]
    pub idempotency_key: Option<String>,
}

pub fn tool(table: &'static Table) -> Tool {
    let title = format!("Save {}", table.label.to_lowercase());
    let description = format!(
        "Create {plural} (rows without id), update them (rows with id; match_on: or create), or set values where \
         filters match. All or nothing. Types as in query_{key}.",
        plural = table.label.to_lowercase(),
        key = table.key
    );
    let words = Words { name: &format!("save_{}", table.key), title: &title, description: &description };
    Tool::new(words, Toolset::Core, Hints::EDIT, move |ctx, args| run(ctx, table, args))
        .with_published(|schema| describe(schema, table))
}

pub async fn run(ctx: Ctx, table: &'static Table, args: Args) -> Result<Written> {
    check(&args)?;
    let tool = format!("save_{}", table.key);
    let arguments = serde_json::to_value(&args).map_err(crate::error::internal)?;
    let dry_run = args.dry_run.unwrap_or(false);
    let (mut tx, catalog) = ctx.begin().await?;
    let table = catalog.table(table.key)?;
    let key = args.idempotency_key.as_deref().filter(|_| !dry_run);
    let once = match claim::<Written>(&mut tx, &ctx, &tool, key, &arguments).await? {
        Claim::Again(mut written) => {
            written.note = Some(
                "this idempotency key was used before: nothing was done, this is the first result".to_owned(),
            );
            return Ok(written);
        }
        Claim::First(once) => once,
    };
    let (edits, refused) = match &args.set {
        None => edits::of_rows(&mut tx, &ctx, &catalog, table, &args).await?,
        Some(set) => {
            let rows = matched(&mut tx, &ctx, &catalog, table, &args.filters).await?;
            // Before the preview: nobody should confirm what will then be refused.
            let edits = edits::of_set(&ctx, &catalog, table, set, args.expected.as_ref(), &rows)?;
            let bound = Bound::new(&ctx, &tool, &arguments, &rows);
            match &args.confirm {
                Some(token) if !dry_run => bound.check(&catalog, ctx.services.clock.now_ms(), token)?,
                _ if rows.len() > UNCONFIRMED_BY_FILTER && !dry_run => {
                    return Ok(preview(&catalog, table, &rows, set, bound.token(&catalog)?));
                }
                _ => {}
            }
            (edits, Vec::new())
        }
    };
    let matches_nothing = args.set.is_some() && edits.is_empty();
    let change = Change { table, actor: &ctx.actor, source: Source::App, edits, undo_of: None };
    let outcome =
        records::write(&mut tx, &catalog, change, ctx.services.clock.now(), &ctx.services.ids).await?;
    let status = if dry_run { Status::DryRun } else { Status::Done };
    let mut written = Written::new(&catalog, table, &outcome, status);
    written.errors = refused.iter().map(|error| json!(error)).collect();
    if matches_nothing {
        written.note = Some(MATCHES_NOTHING.to_owned());
    }
    if !dry_run {
        once.finish(&mut tx, &ctx, &written).await?;
        tx.commit().await?;
        ctx.committed(&outcome);
    }
    Ok(written)
}

/// The live rows that match a write's filters, held until the transaction ends.
pub async fn matched(
    tx: &mut Tx,
    ctx: &Ctx,
    catalog: &Catalog,
    table: &CatalogTable,
    filters: &[FilterArg],
) -> Result<Vec<Stored>> {
    let reading = ctx.reading(catalog);
    let query = Query {
        org: catalog.org,
        table,
        filters: selection::parse_filters(table, filters, &reading, "filters")?,
        any_of: Vec::new(),
        search: None,
        ids: None,
        archived: false,
        basis: Basis::new(catalog, table, reading.now),
    };
    let ids = records::matching_ids(tx, &query, MAX_MATCHED + 1).await?;
    if ids.len() > MAX_MATCHED {
        return Err(too_many());
    }
    records::lock(tx, catalog.org, table, &ids).await
}

pub fn too_many() -> Error {
    invalid(format!("more than {MAX_MATCHED} rows match, which is the most one call may change"))
        .at("filters")
        .hint("narrow the filters and do it in parts")
}

/// Which arguments go together.
fn check(args: &Args) -> Result<()> {
    if args.rows.len() > MAX_ROWS {
        return Err(invalid(format!("{} rows are more than one call may carry", args.rows.len()))
            .at("rows")
            .hint(format!("send at most {MAX_ROWS} a call")));
    }
    match (&args.set, args.rows.is_empty()) {
        (None, true) => Err(invalid("there is nothing to save").hint(
            "give rows: [{…}] to create or update rows, or filters and set to update every row that matches",
        )),
        (Some(_), false) => Err(invalid("rows and set are two ways to save; one call takes one").at("set")),
        (None, false) if !args.filters.is_empty() => Err(invalid("filters go with set, not with rows")
            .at("filters")
            .hint("put the new values into set, or drop the filters")),
        (Some(_), true) if args.filters.is_empty() => {
            Err(invalid("an update by set needs at least one filter: without one it would change every row")
                .at("filters")
                .hint(
                    "say which rows, as [{\"column\": \"status\", \"op\": \"equals\", \"value\": \"new\"}]",
                ))
        }
        (Some(_), true) if args.match_on.is_some() => {
            Err(invalid("match_on goes with rows, not with set").at("match_on"))
        }
        _ => Ok(()),
    }
}

fn preview(
    catalog: &Catalog,
    table: &CatalogTable,
    rows: &[Stored],
    set: &JsonMap<String, Json>,
    token: String,
) -> Written {
    let effect = format!(
        "sets {} on {} {}",
        set.iter().map(|(key, value)| format!("{key} to {value}")).collect::<Vec<_>>().join(" and "),
        rows.len(),
        table.declared.label.to_lowercase()
    );
    let about: Vec<&str> = set.keys().map(String::as_str).collect();
    Written {
        status: Status::NeedsConfirmation,
        preview: Some(Preview::new(catalog, table, rows, effect, &about)),
        confirm: Some(token),
        note: Some(
            "nothing was written; repeat the call with this confirm token once the user agrees".to_owned(),
        ),
        ..Written::unwritten(catalog, table)
    }
}

/// The edits that a call by filter makes: the same cells on each row.
pub fn edit_each(rows: &[Stored], action: &Action) -> Vec<Edit> {
    rows.iter()
        .enumerate()
        .map(|(position, row)| Edit {
            target: Target::Existing(row.head.id),
            action: action.clone(),
            position,
        })
        .collect()
}

/// Puts the table's own words into the published schema.
fn describe(schema: &mut Map, table: &Table) {
    let rows = format!("id, {}, tags, custom ones; \"\" clears", published::row(table));
    published::put(schema, "rows", published::objects(&rows));
    published::put(
        schema,
        "match_on",
        json!({"type": "string", "description": table.natural_keys.join(" or ")}),
    );
    published::put(schema, "filters", json!({"type": "array", "items": {"type": "object"}}));
    published::put(schema, "set", json!({"type": "object"}));
    published::put(schema, "expected", json!({"type": "object", "description": "Values it must have now"}));
    published::bare(schema, &["skip_errors", "dry_run", "confirm", "idempotency_key"]);
}
