//! `retry_sync`: what becomes of changes that did not reach a CRM, and of the connection as a whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::confirm::Bound;
use super::ctx::Ctx;
use super::outcome::Status;
use super::schema::Map;
use super::sync_status::{check_table, meant, systems, tables};
use super::tool::{Hints, Tool, Toolset, Words};
use super::{published, selection};
use crate::error::Result;
use crate::records::queue_of;
use crate::store::{Tx, conflicts, inbox, queue};
use crate::sync::{breaker, connect};
use crate::tables::{Catalog, System};

/// How many changes are given up without a confirmation.
const UNCONFIRMED: usize = 25;

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    pub action: RetryAction,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<System>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub ids: Vec<String>,
    /// Token of the preview
    #[serde(default, skip_serializing)]
    pub confirm: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetryAction {
    /// Try again now what failed; without table and ids also what could not be taken in.
    Retry,
    /// Give up what the CRM refuses: it keeps what it has.
    Discard,
    /// Hold back what waits; without table and ids, the whole connection.
    Pause,
    /// Let it go again.
    Resume,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    pub status: Status,
    pub action: RetryAction,
    pub systems: Vec<Done>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
}

/// What was done for one CRM.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Done {
    pub system: System,
    /// How many rows' changes it concerned.
    pub rows: u64,
    /// Whether the connection itself was paused or let go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// How many events of the CRM are taken in again that could not be.
    #[serde(skip_serializing_if = "is_none")]
    pub events: u64,
    /// Set when what the CRM tells was held back and is taken in again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbound: Option<String>,
}

pub fn tool() -> Tool {
    let words = Words {
        name: "retry_sync",
        title: "Retry or pause synchronization",
        description: "Send failed changes again (retry), give up refused ones (discard), or pause and resume all or some.",
    };
    Tool::new(words, Toolset::Sync, Hints::EDIT, run).with_published(describe)
}

pub async fn run(ctx: Ctx, args: Args) -> Result<Output> {
    check_table(args.table.as_deref())?;
    let ids = selection::parse_ids(&args.ids)?;
    let (mut tx, catalog) = ctx.begin().await?;
    let systems = meant(&catalog, args.system)?;
    let mut done = Vec::with_capacity(systems.len());
    if args.action == RetryAction::Discard {
        let refused = refused(&mut tx, &ctx, &args, &ids, &systems).await?;
        if let Some(asked) = unconfirmed(&ctx, &catalog, &args, &refused)? {
            return Ok(asked);
        }
        done = discard(&mut tx, &ctx, refused).await?;
    } else {
        for system in systems {
            done.push(act(&ctx, &mut tx, &args, &ids, system).await?);
        }
    }
    tx.commit().await?;
    ctx.services.sync.wake();
    Ok(Output { status: Status::Done, action: args.action, systems: done, effect: None, confirm: None })
}

async fn act(ctx: &Ctx, tx: &mut Tx, args: &Args, ids: &[Uuid], system: System) -> Result<Done> {
    let now_ms = ctx.services.clock.now_ms();
    let (queue, table) = (queue_of(system), args.table.as_deref());
    let paused = args.action == RetryAction::Pause;
    let mut done = Done { system, rows: 0, connection: None, events: 0, inbound: None };
    let is_whole = table.is_none() && ids.is_empty();
    if args.action == RetryAction::Retry {
        done.rows = queue::retry(tx, ctx.org, queue, table, ids, now_ms).await?;
        if is_whole {
            done.events = inbox::retry(tx, ctx.org, system.name(), now_ms).await?;
        }
        return Ok(done);
    }
    if is_whole && connect::set_paused_in(tx, ctx.org, system, paused).await? {
        done.connection = Some(if paused { "paused" } else { "active" }.to_owned());
    }
    // A paused connection sends nothing, whatever its lines say; letting it go lets all of them go.
    if !is_whole || !paused {
        done.rows = queue::pause(tx, ctx.org, queue, table, ids, paused).await?;
    }
    if is_whole && !paused && breaker::let_in(tx, ctx.org, system, now_ms).await? {
        done.inbound = Some("active".to_owned());
    }
    Ok(done)
}

/// What a CRM refuses for good: the rows with the fences of their lines.
type Refused = Vec<(System, Vec<(Uuid, i64)>)>;

async fn refused(tx: &mut Tx, ctx: &Ctx, args: &Args, ids: &[Uuid], systems: &[System]) -> Result<Refused> {
    let mut refused = Vec::with_capacity(systems.len());
    for &system in systems {
        let lines = queue::dead(tx, ctx.org, queue_of(system), args.table.as_deref(), ids).await?;
        refused.push((system, lines));
    }
    Ok(refused)
}

/// Gives up just these; what is refused from now on was not asked about.
async fn discard(tx: &mut Tx, ctx: &Ctx, refused: Refused) -> Result<Vec<Done>> {
    let now = ctx.services.clock.now();
    let mut done = Vec::with_capacity(refused.len());
    for (system, lines) in refused {
        let rows: Vec<Uuid> = lines.into_iter().map(|(row, _)| row).collect();
        conflicts::give_up(tx, ctx.org, system.name(), &rows, &ctx.actor.short(), now).await?;
        let mut count = 0;
        for chunk in rows.chunks(5_000) {
            let queue = queue_of(system);
            count += queue::discard(tx, ctx.org, queue, None, chunk, now.timestamp_millis()).await?;
        }
        done.push(Done { system, rows: count, connection: None, events: 0, inbound: None });
    }
    Ok(done)
}

/// The answer to a call that would give up many changes and was not confirmed; none when it may go on.
fn unconfirmed(ctx: &Ctx, catalog: &Catalog, args: &Args, refused: &Refused) -> Result<Option<Output>> {
    let lines = || refused.iter().flat_map(|(_, lines)| lines.iter().map(|(row, fence)| (*row, *fence, 0)));
    let bound = Bound::of(ctx, "retry_sync", &json!(args), lines());
    let count = lines().count();
    match &args.confirm {
        Some(token) => bound.check(catalog, ctx.services.clock.now_ms(), token)?,
        None if count > UNCONFIRMED => {
            let of = refused.iter().filter(|(_, lines)| !lines.is_empty());
            let of: Vec<String> =
                of.map(|(system, lines)| format!("{} for {}", lines.len(), system.label())).collect();
            let of = of.join(", ");
            return Ok(Some(Output {
                status: Status::NeedsConfirmation,
                action: args.action,
                systems: Vec::new(),
                effect: Some(format!(
                    "gives up the refused changes of {count} rows ({of}); the CRM keeps what it has"
                )),
                confirm: Some(bound.token(catalog)?),
            }));
        }
        None => {}
    }
    Ok(None)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

fn describe(schema: &mut Map) {
    systems(schema);
    tables(schema);
    let actions = json!({"type": "string", "enum": ["retry", "discard", "pause", "resume"]});
    published::put(schema, "action", actions);
    published::put(
        schema,
        "ids",
        json!({"type": "array", "items": {"type": "string"}, "description": "Rows"}),
    );
    published::bare(schema, &["confirm"]);
}
