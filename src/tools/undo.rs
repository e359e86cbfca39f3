//! `undo_change`: takes a whole change back, except what others have changed since.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ctx::Ctx;
use super::explain::shorten;
use super::outcome::{Status, Written};
use super::tool::{Hints, Tool, Toolset, Words};
use crate::error::{Result, invalid};
use crate::records::{self, Change, Left, Source};

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The `change_id` that the write returned
    pub change_id: String,
    /// Only show what would happen
    #[serde(default)]
    pub dry_run: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    #[serde(flatten)]
    pub written: Written,
    /// What was not taken back, because it has changed since.
    pub left: Vec<LeftCell>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct LeftCell {
    pub id: String,
    /// The one column left; without it the whole row was left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

pub fn tool() -> Tool {
    let words = Words {
        name: "undo_change",
        title: "Undo a change",
        description: "Undo a whole save, archive or import by its change_id. What somebody changed since is left and listed.",
    };
    Tool::new(words, Toolset::Core, Hints::ACT, run)
}

async fn run(ctx: Ctx, args: Args) -> Result<Output> {
    let id = Uuid::parse_str(args.change_id.trim()).map_err(|_| {
        invalid(format!("`{}` is not the id of a change", shorten(&args.change_id)))
            .at("change_id")
            .hint("use the change_id that a save, archive or import returned")
    })?;
    let dry_run = args.dry_run.unwrap_or(false);
    let (mut tx, catalog) = ctx.begin().await?;
    let undone = records::plan_undo(&mut tx, &catalog, id).await?;
    let change = Change {
        table: undone.table,
        actor: &ctx.actor,
        source: Source::App,
        edits: undone.edits,
        undo_of: Some(id),
    };
    let outcome =
        records::write(&mut tx, &catalog, change, ctx.services.clock.now(), &ctx.services.ids).await?;
    if !dry_run {
        tx.commit().await?;
        ctx.committed(&outcome);
    }
    let mut written =
        Written::new(&catalog, undone.table, &outcome, if dry_run { Status::DryRun } else { Status::Done });
    if outcome.change_id.is_none() {
        written.note = Some("there was nothing left to undo".to_owned());
    }
    Ok(Output { written, left: undone.left.into_iter().map(LeftCell::from).collect() })
}

impl From<Left> for LeftCell {
    fn from(left: Left) -> LeftCell {
        LeftCell { id: left.row.to_string(), column: left.column }
    }
}
