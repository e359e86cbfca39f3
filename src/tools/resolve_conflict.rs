//! `resolve_conflict`: a person's decision about a lost edit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::conflict::{Conflict, show_all};
use super::ctx::Ctx;
use super::list_conflicts::{conflict_id, unknown};
use super::outcome::{Status, Sync, Written};
use super::published;
use super::schema::Map;
use super::tool::{Hints, Tool, Toolset, Words};
use crate::error::{Result, conflict, invalid};
use crate::records::{self, Action, Change, Edit, Outcome, Source, Target, from_log, queue_of};
use crate::store::conflicts::{self, Listed};
use crate::store::queue::{self, Columns, Put};
use crate::store::{ConflictRow, Tx, links};
use crate::tables::{Catalog, CatalogTable, Policy, System, value};

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    pub id: String,
    pub action: Decision,
    /// For set
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::schema::any_value")]
    pub value: Option<Json>,
    /// Only show what would happen
    #[serde(default)]
    pub dry_run: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// What stands stays.
    Keep,
    /// What was lost is written again, as an edit of the caller.
    Restore,
    /// Another value is written.
    Set,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    #[serde(flatten)]
    pub written: Written,
    /// The conflict as it is now.
    pub conflict: Conflict,
}

/// Kinds of conflict that are not between two values of a cell.
const DELETED: &str = "delete_vs_edit";
const REJECTED: &str = "remote_rejected";

pub fn tool() -> Tool {
    let words = Words {
        name: "resolve_conflict",
        title: "Resolve a conflict",
        description: "Decide a conflict for the user: keep what stands, restore what was lost, or set another value. undo_change takes it back.",
    };
    Tool::new(words, Toolset::Sync, Hints::ACT, run).with_published(describe)
}

pub async fn run(ctx: Ctx, args: Args) -> Result<Output> {
    let id = conflict_id(&args.id)?;
    let dry_run = args.dry_run.unwrap_or(false);
    let (mut tx, catalog) = ctx.begin().await?;
    let line = conflicts::get(&mut tx, ctx.org, id).await?.ok_or_else(|| unknown(id))?;
    refuse_resolved(&line)?;
    let table = catalog.table(&line.table_key).map_err(|error| error.at("id"))?;
    let action = plan(&ctx, &catalog, table, &line, &args)?;
    // The row before its conflicts, as every write holds them: two of them never wait for each other in a circle.
    records::lock(&mut tx, ctx.org, table, &[line.row_id]).await?;
    // Closed before it is written, so that the write finds it decided.
    let (by, now) = (ctx.actor.short(), ctx.services.clock.now());
    if !conflicts::resolve(&mut tx, ctx.org, id, args.action.name(), (&by, None), now).await? {
        return Err(conflict("somebody else has just resolved this conflict").at("id"));
    }
    let (status, mut told) = (if dry_run { Status::DryRun } else { Status::Done }, Vec::new());
    let mut written = Written { status, ..Written::unwritten(&catalog, table) };
    if let Some(action) = action {
        let outcome = write(&mut tx, &ctx, &catalog, table, &line, action).await?;
        if let Some(change) = outcome.change_id {
            conflicts::set_change(&mut tx, ctx.org, id, change).await?;
        } else {
            written.note = Some("the row holds this value already".to_owned());
        }
        let note = written.note.take();
        written = Written { note, ..Written::new(&catalog, table, &outcome, status) };
        told = outcome.told;
    } else if line.kind == REJECTED {
        give_up(&mut tx, &ctx, &line).await?;
        written.note =
            Some("the change is given up: the CRM keeps what it has, the row what it holds".to_owned());
    }
    told.extend(release(&mut tx, &ctx, &catalog, table, &line).await?);
    told.sort_unstable();
    told.dedup();
    if !told.is_empty() {
        written.sync = Sync::Queued;
        written.sync_to.clone_from(&told);
    }
    let line = conflicts::get(&mut tx, ctx.org, id).await?.ok_or_else(|| unknown(id))?;
    let shown = show_all(&mut tx, &catalog, &[line], usize::MAX).await?;
    let shown = shown.into_iter().next().ok_or_else(|| unknown(id))?;
    if !dry_run {
        tx.commit().await?;
        if !told.is_empty() {
            ctx.services.sync.wake();
        }
    }
    Ok(Output { written, conflict: shown })
}

/// A conflict is resolved once.
fn refuse_resolved(line: &ConflictRow) -> Result<()> {
    let how = match line.resolution.as_str() {
        "open" => return Ok(()),
        "superseded" => "a later edit was made with it in sight",
        "kept" => "what stood was kept",
        "restored" => "what was lost stands again",
        _ => "another value was set",
    };
    Err(conflict(format!("this conflict is resolved already: {how}"))
        .at("id")
        .hint(format!("save_{} changes the row as it is now", line.table_key)))
}

/// What a decision writes; none when it leaves the row alone.
fn plan(
    ctx: &Ctx,
    catalog: &Catalog,
    table: &CatalogTable,
    line: &ConflictRow,
    args: &Args,
) -> Result<Option<Action>> {
    let crm = System::from_name(&line.system).map_or("the CRM", System::label);
    match (args.action, &args.value) {
        (Decision::Set, None) => return Err(invalid("set needs the value to write").at("value")),
        (Decision::Keep | Decision::Restore, Some(_)) => {
            return Err(invalid("only set takes a value").at("value"));
        }
        _ => {}
    }
    match (line.kind.as_str(), args.action) {
        (_, Decision::Keep) => return Ok(None),
        (DELETED, Decision::Restore) => return Ok(Some(Action::Archive)),
        (DELETED, Decision::Set) => {
            return Err(invalid("a deletion has no value")
                .at("action")
                .hint("keep leaves the row as it is, restore does what the CRM did and archives it"));
        }
        (REJECTED, Decision::Restore) => {
            return Err(invalid(format!("nothing was lost here: the row holds its value, and {crm} does not take it"))
                .at("action")
                .hint(format!(
                    "set writes a value that {crm} takes, keep gives it up; after a change in {crm}, retry_sync sends it again"
                )));
        }
        _ => {}
    }
    let place = table.place(&line.column_key).map_err(|error| error.at("id"))?;
    let Some(column) = table.columns.get(place) else { return Ok(None) };
    if !column.is_editable() {
        return Err(invalid(format!("`{}` cannot be set here", column.key))
            .at("action")
            .hint("keep closes the conflict"));
    }
    let value = match &args.value {
        Some(raw) => value::parse(column, raw, &ctx.reading(catalog)).map_err(|error| error.at("value"))?,
        None => from_log(column.kind, &line.loser_value.0),
    };
    Ok(Some(Action::Set { cells: vec![(place, value)], expected: Vec::new() }))
}

/// Writes the decision as any other edit of the caller's.
async fn write(
    tx: &mut Tx,
    ctx: &Ctx,
    catalog: &Catalog,
    table: &CatalogTable,
    line: &ConflictRow,
    action: Action,
) -> Result<Outcome> {
    let edits = vec![Edit { target: Target::Existing(line.row_id), action, position: 0 }];
    let change = Change { table, actor: &ctx.actor, source: Source::App, edits, undo_of: None };
    let written = records::write(tx, catalog, change, ctx.services.clock.now(), &ctx.services.ids).await;
    written.map_err(|mut error| {
        // The place among a save's rows means nothing here.
        error.path = Some("id".to_owned());
        error
    })
}

/// Gives up what a CRM refused, unless it refuses something else of the row too.
async fn give_up(tx: &mut Tx, ctx: &Ctx, line: &ConflictRow) -> Result<()> {
    let Some(system) = System::from_name(&line.system) else { return Ok(()) };
    let others = open_of(tx, ctx, line, None).await?;
    if !others.iter().any(|other| other.kind == REJECTED && other.system == line.system) {
        let now_ms = ctx.services.clock.now_ms();
        queue::discard(tx, ctx.org, queue_of(system), None, &[line.row_id], now_ms).await?;
    }
    Ok(())
}

/// Sends what a column's policy held back while it was disputed; the CRMs that are told.
async fn release(
    tx: &mut Tx,
    ctx: &Ctx,
    catalog: &Catalog,
    table: &CatalogTable,
    line: &ConflictRow,
) -> Result<Vec<System>> {
    let mut told = Vec::new();
    let column = table.find(&line.column_key).filter(|column| column.policy == Policy::Manual);
    let Some(column) = column.filter(|_| line.kind != REJECTED) else { return Ok(told) };
    if !open_of(tx, ctx, line, Some(&column.key)).await?.is_empty() {
        return Ok(told);
    }
    let Some(row) = records::get(tx, ctx.org, table, line.row_id).await? else { return Ok(told) };
    let links = links::of_rows(tx, ctx.org, &[line.row_id]).await?;
    let standing = links.iter().filter(|link| link.gone_ms.is_none() && row.head.archived.is_none());
    for link in standing {
        let system = System::from_name(&link.system);
        let Some(connection) = system.and_then(|system| catalog.connection(system)) else { continue };
        let mut columns: Columns = records::differing(connection, table, &row, Some(link));
        columns.retain(|key, _| *key == column.key);
        if !columns.is_empty() {
            let line = Put { row_id: line.row_id, table_key: table.key(), columns };
            let now_ms = ctx.services.clock.now_ms();
            queue::put(tx, ctx.org, queue_of(connection.system), &[line], now_ms).await?;
            told.push(connection.system);
        }
    }
    Ok(told)
}

/// The conflicts of the row that are open, or of one of its columns.
async fn open_of(
    tx: &mut Tx,
    ctx: &Ctx,
    line: &ConflictRow,
    column: Option<&str>,
) -> Result<Vec<ConflictRow>> {
    let listed = Listed { resolution: Some("open"), row: Some(line.row_id), column, ..Listed::default() };
    conflicts::list(tx, ctx.org, &listed, 100).await
}

impl Decision {
    /// What the conflict is from then on.
    fn name(self) -> &'static str {
        match self {
            Decision::Keep => "kept",
            Decision::Restore => "restored",
            Decision::Set => "set",
        }
    }
}

fn describe(schema: &mut Map) {
    let actions = json!({"type": "string", "enum": ["keep", "restore", "set"]});
    published::put(schema, "action", actions);
    let value = json!({"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]});
    published::put(schema, "value", value);
    published::bare(schema, &["dry_run"]);
}
