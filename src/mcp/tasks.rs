//! Calls whose work goes on after their answer, by the extension `io.modelcontextprotocol/tasks` (SEP-2663).
//!
//! Nothing is kept here: a task is a run of a backfill as it stands in the database, so it outlives the process, and whoever
//! takes the run up goes on with the task. Its id is the run's, of which `UUIDv7` leaves 74 bits to chance, and it is looked
//! up within the caller's organization only. Runs are never deleted, so a task has no end of life.

use std::time::Instant;

use chrono::{DateTime, SecondsFormat, Utc};
use rmcp::model::{
    CallToolResult, CreateTaskResult, DetailedTask, ErrorData, GetTaskResult, JsonObject, Task, TaskPayload,
    TaskStatus,
};
use rmcp::service::{RequestContext, RoleServer};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::call::log;
use super::result;
use crate::backfill::Report;
use crate::error::{Result, internal, not_found};
use crate::tools::backfill_table::{self, Args};
use crate::tools::{Ctx, Tool, Toolbox};

/// How often a client should ask; something is stored every second or so.
const POLL_INTERVAL_MS: u64 = 1_000;

/// Whether any call can become a task.
pub(super) fn are_offered(toolbox: &Toolbox) -> bool {
    toolbox.find(backfill_table::NAME).is_ok()
}

/// The arguments of a call that becomes a task, because of what it asks for and because this very request says that the
/// client can follow one.
pub(super) fn wanted(
    request: &RequestContext<RoleServer>,
    tool: &Tool,
    arguments: &JsonObject,
) -> Option<Args> {
    let client = request.meta.client_capabilities();
    if client.is_some_and(|client| client.supports_tasks()) {
        backfill_table::start(tool, arguments)
    } else {
        None
    }
}

/// Starts the run, which goes on whatever becomes of the request.
pub(super) async fn begin(ctx: Ctx, args: &Args) -> Result<CreateTaskResult> {
    let begun = backfill_table::begin(&ctx, args).await?;
    let (created, now) = (moment(begun.began()), moment(ctx.services.clock.now()));
    let task =
        Task::new(begun.id(), TaskStatus::Working, created, now).with_poll_interval_ms(POLL_INTERVAL_MS);
    // Nothing is waited for between the run's commit and this, so that no cancellation leaves it without a worker.
    tokio::spawn(async move {
        let started = Instant::now();
        log(backfill_table::NAME, started, &backfill_table::work(&ctx, begun).await);
    });
    Ok(CreateTaskResult::new(task))
}

/// What has become of it.
pub(super) async fn get(ctx: &Ctx, id: &str) -> Result<GetTaskResult> {
    let run = find(ctx, id).await?.1;
    Ok(GetTaskResult::new(detailed(&run, ctx.services.clock.now())?))
}

/// Takes answers to what a task asks of its client. No run asks anything, so there are none to take.
pub(super) async fn update(ctx: &Ctx, id: &str) -> Result<()> {
    find(ctx, id).await.map(drop)
}

/// Stops it at the end of its batch. One that has ended stays as it is.
pub(super) async fn cancel(ctx: &Ctx, id: &str) -> Result<()> {
    let (id, _) = find(ctx, id).await?;
    backfill_table::cancel(ctx, id).await.map(drop)
}

async fn find(ctx: &Ctx, id: &str) -> Result<(Uuid, Report)> {
    let unknown = || not_found("there is no task with this id");
    let id = Uuid::try_parse(id).map_err(|_| unknown())?;
    Ok((id, backfill_table::find(ctx, id).await?.ok_or_else(unknown)?))
}

/// A run in the extension's words. `failed` is for what the call would have answered with an error of the protocol; a run that
/// failed is a result that says so, as it is without a task.
fn detailed(run: &Report, now: DateTime<Utc>) -> Result<DetailedTask> {
    let read = run.read();
    let (payload, message) = match run.state.as_str() {
        "running" if run.is_left(now) => {
            let message = "nothing was stored for a while, so its process seems to be gone; the same call goes on where it stopped";
            let error = object(&ErrorData::internal_error(message, None))?;
            (TaskPayload::Failed { error }, message.to_owned())
        }
        "running" => {
            let done = run.tables.iter().filter(|table| table.is_done).count();
            (
                TaskPayload::Working,
                format!("read {read} records; {done} of {} tables are done", run.tables.len()),
            )
        }
        "cancelled" => {
            let message = format!("stopped after {read} records; the same call goes on there");
            (TaskPayload::Cancelled, message)
        }
        _ => {
            let message = run.error.clone().unwrap_or_else(|| format!("read {read} records"));
            let result = object(&ended(run.clone())?)?;
            (TaskPayload::Completed { result }, message)
        }
    };
    let task = Task::new(&run.id, payload.status(), moment(run.started_at), moment(run.updated_at))
        .with_status_message(message)
        .with_poll_interval_ms(POLL_INTERVAL_MS);
    Ok(DetailedTask::new(task, payload))
}

/// The result that the call would have had.
fn ended(run: Report) -> Result<CallToolResult> {
    let answer = match backfill_table::ended(run) {
        Ok(answer) => answer,
        Err(error) => return Ok(result::failed(&error, None)),
    };
    let text = serde_json::to_string(&answer).map_err(internal)?;
    let structure = serde_json::to_value(&answer).map_err(internal)?;
    let mut done = result::done(text, None);
    done.structured_content = Some(structure);
    Ok(done)
}

fn object(value: &impl Serialize) -> Result<JsonObject> {
    match serde_json::to_value(value).map_err(internal)? {
        Value::Object(object) => Ok(object),
        _ => Err(internal("a result is an object")),
    }
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
