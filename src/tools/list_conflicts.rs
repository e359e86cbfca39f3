//! `list_conflicts`: the edits that were lost between the tables and the CRMs.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::conflict::{Conflict, show_all};
use super::ctx::Ctx;
use super::published;
use super::schema::Map;
use super::selection::parse_id;
use super::sync_status::{check_table, systems, tables};
use super::tool::{Hints, Tool, Toolset, Words};
use crate::error::{Error, Result, internal, invalid, not_found};
use crate::records;
use crate::store::conflicts::{self, Listed};
use crate::tables::{Catalog, System};

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;
/// How long a text is shown in a list; one conflict by its id is shown whole.
const TEXT_CHARS: usize = 300;
const PURPOSE: &str = "cursor:conflicts";

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Args {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<System>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_id: Option<String>,
    /// This conflict alone, whole
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub limit: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Which conflicts: those that wait for somebody, those that were closed in some way, or any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    #[default]
    Open,
    Superseded,
    Kept,
    Restored,
    Set,
    Any,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Newest first.
    pub conflicts: Vec<Conflict>,
    pub total: i64,
    /// Whether there are more; then `next_cursor` goes on from here.
    pub truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

pub fn tool() -> Tool {
    let words = Words {
        name: "list_conflicts",
        title: "List conflicts",
        description: "Edits that were lost between here and a CRM: what stands, what was lost, by whom and why.",
    };
    Tool::new(words, Toolset::Sync, Hints::READ, run).with_published(describe)
}

pub async fn run(ctx: Ctx, args: Args) -> Result<Output> {
    let (mut tx, catalog) = ctx.read().await?;
    if let Some(id) = &args.id {
        let id = conflict_id(id)?;
        let line = conflicts::get(&mut tx, ctx.org, id).await?.ok_or_else(|| unknown(id))?;
        let conflicts = show_all(&mut tx, &catalog, &[line], usize::MAX).await?;
        return Ok(Output { conflicts, total: 1, truncated: false, next_cursor: None });
    }
    let limit = args.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let (args, after) = resume(&catalog, args)?;
    check(&catalog, &args)?;
    let listed = Listed {
        resolution: args.resolution.unwrap_or_default().name(),
        table: args.table.as_deref(),
        column: args.column.as_deref(),
        row: args.row_id.as_deref().map(parse_id).transpose().map_err(|error| error.at("row_id"))?,
        system: args.system.map(System::name),
        after,
    };
    let mut lines = conflicts::list(&mut tx, ctx.org, &listed, limit + 1).await?;
    let total = conflicts::count(&mut tx, ctx.org, &listed).await?;
    let truncated = i64::try_from(lines.len()).is_ok_and(|found| found > limit);
    lines.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let last = lines.last().filter(|_| truncated).map(|line| (line.created_at, line.id));
    let next_cursor = last.map(|last| cursor(&catalog, &args, last)).transpose()?;
    let conflicts = show_all(&mut tx, &catalog, &lines, TEXT_CHARS).await?;
    Ok(Output { conflicts, total, truncated, next_cursor })
}

/// The id of a conflict as callers write it.
pub(super) fn conflict_id(id: &str) -> Result<Uuid> {
    Uuid::parse_str(id.trim()).map_err(|_| {
        invalid(format!("`{}` is not the id of a conflict", super::explain::shorten(id)))
            .at("id")
            .hint("list_conflicts returns them")
    })
}

pub(super) fn unknown(id: Uuid) -> Error {
    not_found(format!("there is no conflict {id}")).at("id").hint("list_conflicts returns the ids there are")
}

/// Refuses names that no conflict can have.
fn check(catalog: &Catalog, args: &Args) -> Result<()> {
    check_table(args.table.as_deref())?;
    let (Some(table), Some(column)) = (&args.table, &args.column) else { return Ok(()) };
    catalog.table(table)?.column(column).map(drop).map_err(|error| error.at("column"))
}

/// A place in the list: when a conflict came up, and its id.
type Place = (DateTime<Utc>, Uuid);

/// The arguments that a cursor stands for, and the conflict to go on behind.
fn resume(catalog: &Catalog, args: Args) -> Result<(Args, Option<Place>)> {
    let Some(token) = args.cursor.as_deref().filter(|token| !token.is_empty()) else {
        return Ok((args, None));
    };
    let opened = records::open(&catalog.key, PURPOSE, token);
    let opened =
        opened.and_then(|payload| serde_json::from_str::<(Args, DateTime<Utc>, Uuid)>(&payload).ok());
    let Some((sealed, at, id)) = opened else {
        return Err(invalid(
            "this cursor was not issued for this organization's conflicts, or was changed on the way",
        )
        .at("cursor")
        .hint("pass next_cursor exactly as it was returned, or leave it out to start again"));
    };
    let given = Args { cursor: None, limit: None, ..args };
    if given != Args::default() && given != sealed {
        return Err(invalid("the cursor belongs to a list with other arguments")
            .at("cursor")
            .hint("pass the cursor alone, or with the very filters it came from"));
    }
    Ok((sealed, Some((at, id))))
}

fn cursor(catalog: &Catalog, args: &Args, (at, id): Place) -> Result<String> {
    let args = Args { cursor: None, limit: None, ..args.clone() };
    let payload = serde_json::to_string(&(args, at, id)).map_err(internal)?;
    Ok(records::seal(&catalog.key, PURPOSE, &payload))
}

impl Resolution {
    /// As it is stored; none for any.
    fn name(self) -> Option<&'static str> {
        match self {
            Resolution::Open => Some("open"),
            Resolution::Superseded => Some("superseded"),
            Resolution::Kept => Some("kept"),
            Resolution::Restored => Some("restored"),
            Resolution::Set => Some("set"),
            Resolution::Any => None,
        }
    }
}

fn describe(schema: &mut Map) {
    tables(schema);
    systems(schema);
    let resolutions = ["open", "superseded", "kept", "restored", "set", "any"];
    let resolution = json!({"type": "string", "enum": resolutions, "description": "Default open"});
    published::put(schema, "resolution", resolution);
    published::put(schema, "limit", json!({"type": "integer"}));
    published::bare(schema, &["column", "row_id", "cursor"]);
}
