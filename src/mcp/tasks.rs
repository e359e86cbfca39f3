//! Calls whose work goes on after their answer, by the extension `io.modelcontextprotocol/tasks` (SEP-2663).
//!
//! Nothing is kept here: a task is a run of `backfill_table` as it stands in the database, so it outlives the process, and
//! whoever takes the run up goes on with the task. Its id is the run's, of which `UUIDv7` leaves 74 bits to chance, and it is looked
//! up within the caller's organization only. Runs are never deleted, so a task has no end of life.

use std::time::Instant;

use chrono::{DateTime, SecondsFormat, Utc};
use rmcp::model::{
    CreateTaskResult, DetailedTask, ErrorData, GetTaskResult, JsonObject, Task, TaskPayload, TaskStatus,
};
use rmcp::service::{RequestContext, RoleServer};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::call::log;
use super::result;
use crate::error::{Result, internal, not_found};
use crate::tools::backfill_task::{self, Begun, Start, State};
use crate::tools::{Ctx, Tool, Toolbox};

/// How often a client should ask; something is stored every second or so.
const POLL_INTERVAL_MS: u64 = 1_000;

/// Whether any call can become a task.
pub(super) fn are_offered(toolbox: &Toolbox) -> bool {
    toolbox.find(backfill_task::NAME).is_ok()
}

/// The arguments of a call that becomes a task, because of what it asks for and because this very request says that the
/// client can follow one.
pub(super) fn wanted(
    request: &RequestContext<RoleServer>,
    tool: &Tool,
    arguments: &JsonObject,
) -> Option<Start> {
    let client = request.meta.client_capabilities();
    if client.is_some_and(|client| client.supports_tasks()) {
        backfill_task::start(tool, arguments)
    } else {
        None
    }
}

/// Starts the run, which goes on whatever becomes of the request.
pub(super) async fn begin(ctx: Ctx, start: &Start) -> Result<CreateTaskResult> {
    let clock = ctx.services.clock.clone();
    let Begun { id, began, work } = backfill_task::begin(ctx, start).await?;
    // Nothing is waited for between the run's commit and this, so that no cancellation leaves it without a worker.
    tokio::spawn(async move {
        let started = Instant::now();
        log(backfill_task::NAME, started, &work.await);
    });
    let task = Task::new(id, TaskStatus::Working, moment(began), moment(clock.now()));
    Ok(CreateTaskResult::new(task.with_poll_interval_ms(POLL_INTERVAL_MS)))
}

/// What has become of it.
pub(super) async fn get(ctx: &Ctx, id: &str) -> Result<GetTaskResult> {
    find(ctx, id).await.and_then(|(id, run)| detailed(id, run)).map(GetTaskResult::new)
}

/// Takes answers to what a task asks of its client. No run asks anything, so there are none to take.
pub(super) async fn update(ctx: &Ctx, id: &str) -> Result<()> {
    find(ctx, id).await.map(drop)
}

/// Stops it when its batch is stored. One that has ended stays as it is.
pub(super) async fn cancel(ctx: &Ctx, id: &str) -> Result<()> {
    let (id, _) = find(ctx, id).await?;
    backfill_task::cancel(ctx, id).await.map(drop)
}

async fn find(ctx: &Ctx, id: &str) -> Result<(Uuid, backfill_task::Task)> {
    let unknown = || not_found("there is no task with this id");
    let id = Uuid::try_parse(id).map_err(|_| unknown())?;
    Ok((id, backfill_task::find(ctx, id).await?.ok_or_else(unknown)?))
}

/// A run in the extension's words. `failed` is for what the call would have answered with an error of the protocol; a run that
/// failed is a result that says so, as it is without a task.
fn detailed(id: Uuid, run: backfill_task::Task) -> Result<DetailedTask> {
    let mut said = run.said;
    let payload = match run.state {
        State::Working => TaskPayload::Working,
        State::Cancelled => {
            said.push_str("; stopped, the same call goes on there");
            TaskPayload::Cancelled
        }
        State::Left => {
            said.push_str("; its process seems to be gone, the same call goes on there");
            TaskPayload::Failed { error: object(&ErrorData::internal_error(said.clone(), None))? }
        }
        State::Done(text) => {
            let structure = serde_json::from_str(&text).map_err(internal)?;
            let mut done = result::done(text, None);
            done.structured_content = Some(structure);
            TaskPayload::Completed { result: object(&done)? }
        }
        State::Failed(text) => {
            let error: Value = serde_json::from_str(&text).map_err(internal)?;
            TaskPayload::Completed { result: object(&result::failed(&error, None))? }
        }
    };
    let task = Task::new(id, payload.status(), moment(run.began), moment(run.updated_at))
        .with_status_message(said)
        .with_poll_interval_ms(POLL_INTERVAL_MS);
    Ok(DetailedTask::new(task, payload))
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
