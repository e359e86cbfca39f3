//! `archive_rows`: takes rows out of sight without losing them, and brings them back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::confirm::Bound;
use super::ctx::Ctx;
use super::once::{Claim, claim};
use super::outcome::{Preview, Status, Written};
use super::save::{MATCHES_NOTHING, UNCONFIRMED_BY_FILTER, edit_each, matched};
use super::schema::Map;
use super::tool::{Hints, Tool, Toolset, Words};
use super::{published, selection};
use crate::error::{Result, invalid, not_found};
use crate::records::{self, Action, Change, Source};
use crate::tables::FilterArg;

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    pub table: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub ids: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 30))]
    pub filters: Vec<FilterArg>,
    /// Bring archived rows back; needs ids
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<bool>,
    /// Only show what would happen
    #[serde(default, skip_serializing)]
    pub dry_run: Option<bool>,
    /// Token of the preview
    #[serde(default, skip_serializing)]
    pub confirm: Option<String>,
    /// Same key and arguments: done once
    #[serde(default, skip_serializing)]
    pub idempotency_key: Option<String>,
}

pub fn tool() -> Tool {
    let words = Words {
        name: "archive_rows",
        title: "Archive or restore rows",
        description: "Archive (delete) rows by ids or filters; nothing is lost, restore: true or undo_change brings them back.",
    };
    Tool::new(words, Toolset::Core, Hints::EDIT, run).with_published(describe)
}

async fn run(ctx: Ctx, args: Args) -> Result<Written> {
    let restore = args.restore.unwrap_or(false);
    check(&args, restore)?;
    let arguments = serde_json::to_value(&args).map_err(crate::error::internal)?;
    let dry_run = args.dry_run.unwrap_or(false);
    let (mut tx, catalog) = ctx.begin().await?;
    let table = catalog.table(&args.table).map_err(|error| error.at("table"))?;
    let key = args.idempotency_key.as_deref().filter(|_| !dry_run);
    let once = match claim::<Written>(&mut tx, &ctx, "archive_rows", key, &arguments).await? {
        Claim::Again(written) => return Ok(written),
        Claim::First(once) => once,
    };
    let rows = if args.ids.is_empty() {
        matched(&mut tx, &ctx, &catalog, table, &args.filters).await?
    } else {
        let ids = selection::parse_ids(&args.ids)?;
        let rows = records::lock(&mut tx, catalog.org, table, &ids).await?;
        if let Some((i, id)) =
            ids.iter().enumerate().find(|(_, id)| !rows.iter().any(|row| row.head.id == **id))
        {
            return Err(not_found(format!("`{}` has no row with the id {id}", table.key()))
                .at(format!("ids[{i}]"))
                .hint(format!("find rows with query_{}", table.key())));
        }
        rows
    };
    let bound = Bound::new(&ctx, "archive_rows", &arguments, &rows);
    match &args.confirm {
        Some(token) if !dry_run => bound.check(&catalog, ctx.services.clock.now_ms(), token)?,
        _ if args.ids.is_empty() && rows.len() > UNCONFIRMED_BY_FILTER && !dry_run => {
            let effect = format!("archives {} {}", rows.len(), table.declared.label.to_lowercase());
            return Ok(Written {
                status: Status::NeedsConfirmation,
                preview: Some(Preview::new(&catalog, table, &rows, effect, &[])),
                confirm: Some(bound.token(&catalog)?),
                note: Some(
                    "nothing was archived; repeat the call with this confirm token once the user agrees"
                        .to_owned(),
                ),
                ..Written::unwritten(&catalog, table)
            });
        }
        _ => {}
    }
    let edits = edit_each(&rows, if restore { &Action::Restore } else { &Action::Archive });
    let change = Change { table, actor: &ctx.actor, source: Source::App, edits, undo_of: None };
    let outcome =
        records::write(&mut tx, &catalog, change, ctx.services.clock.now(), &ctx.services.ids).await?;
    let mut written =
        Written::new(&catalog, table, &outcome, if dry_run { Status::DryRun } else { Status::Done });
    if rows.is_empty() {
        written.note = Some(MATCHES_NOTHING.to_owned());
    }
    if !dry_run {
        once.finish(&mut tx, &ctx, &written).await?;
        tx.commit().await?;
        ctx.committed(&outcome);
    }
    Ok(written)
}

fn check(args: &Args, restore: bool) -> Result<()> {
    match (args.ids.is_empty(), args.filters.is_empty()) {
        (true, true) => Err(invalid("say which rows: without ids or filters it would be all of them")
            .at("ids")
            .hint("give ids from a query, or filters")),
        (false, false) => {
            Err(invalid("ids and filters are two ways to say which rows; give one").at("filters"))
        }
        (true, false) if restore => Err(invalid("archived rows are restored by their ids")
            .at("ids")
            .hint("find them with query_… and archived: true")),
        _ => Ok(()),
    }
}

fn describe(schema: &mut Map) {
    published::table(schema, "table");
    published::put(schema, "ids", json!({"type": "array", "items": {"type": "string"}}));
    published::put(schema, "filters", published::objects("As in query tools"));
    published::bare(schema, &["restore", "dry_run", "confirm", "idempotency_key"]);
}
