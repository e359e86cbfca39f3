//! A start of `backfill_table` that is answered before its work is done: the work, and how far it is. That stands in the
//! database, so whoever asks is told, in whatever process, and however often the one that worked was killed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::arguments;
use super::backfill_table::{
    Action, Answer, Args, From, Pulled, begin_app, host, objects, pull_all, work_app,
};
use super::ctx::Ctx;
use super::schema::Map;
use super::tool::{BoxFuture, Tool};
use crate::backfill::{self, Report};
use crate::error::{Code, Result, internal};
use crate::store::{BackfillRow, backfills};
use crate::tables::{Object, System};

pub use super::backfill_table::{Args as Start, NAME};

/// How long nothing may be stored of a run that goes on: as long as a CRM's reading is believed to go on. A batch of the
/// application's records is some megabytes and takes seconds, and a reading is noted more often than that.
const SILENT_MAX: TimeDelta = TimeDelta::minutes(5);
/// How often it is noted how far the reading of a CRM is, and looked whether somebody stopped it.
const NOTED_EVERY: Duration = Duration::from_secs(1);
/// A reading is never taken up: where another one goes on stands in `crm_polls`.
const FENCE: i64 = 1;

/// A run that stands in the database as running, and its work.
pub struct Begun {
    pub id: Uuid,
    /// When it first began, which is before now for one that was taken up.
    pub began: DateTime<Utc>,
    pub work: BoxFuture<Result<()>>,
}

/// A run as it stands.
#[derive(Debug)]
pub struct Task {
    pub state: State,
    /// In a sentence.
    pub said: String,
    pub began: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug)]
pub enum State {
    Working,
    /// It says that it is running, and by all appearance its process is gone.
    Left,
    Cancelled,
    /// With what the call would have answered.
    Done(String),
    /// With the error that the call would have answered. As JSON, as what is done.
    Failed(String),
}

/// The arguments of a call that starts a run; none for every other call, also for one that is wrong.
pub fn start(tool: &Tool, arguments: &Map) -> Option<Args> {
    if tool.name != NAME {
        return None;
    }
    let args: Args = arguments::typed(tool.check(arguments.clone()).ok()?).ok()?;
    (args.action == Action::Start).then_some(args)
}

/// Starts a run, or takes the unfinished one up.
pub async fn begin(ctx: Ctx, args: &Args) -> Result<Begun> {
    let system = match args.from {
        From::App => {
            let started = begin_app(&ctx, args).await?;
            let (id, began) = (started.id(), started.began());
            let work = Box::pin(async move { work_app(&ctx, started).await.map(drop) });
            return Ok(Begun { id, began, work });
        }
        From::Hubspot => System::Hubspot,
        From::Attio => System::Attio,
    };
    let objects = objects(args)?;
    let (id, began) = (ctx.services.ids.next(), ctx.services.clock.now());
    let row = BackfillRow::running(id, system.name(), system.label(), began);
    let mut tx = ctx.services.store.begin().await?;
    backfills::put(&mut tx, ctx.org, &row).await?;
    tx.commit().await?;
    Ok(Begun { id, began, work: Box::pin(read(ctx, id, system, objects)) })
}

/// The organization's run with this id.
pub async fn find(ctx: &Ctx, id: Uuid) -> Result<Option<Task>> {
    let mut tx = ctx.services.store.read().await?;
    let Some(run) = backfills::get(&mut tx, ctx.org, id).await? else { return Ok(None) };
    drop(tx);
    let progress = if run.source == backfill::APP {
        let report = backfill::find(&host(ctx), id).await?;
        of_app(report.ok_or_else(|| internal("the run is gone"))?)?
    } else {
        of_crm(&run)?
    };
    let is_silent = progress.updated_at + SILENT_MAX < ctx.services.clock.now();
    let (state, said) = match run.state.as_str() {
        "running" if is_silent => (State::Left, progress.said),
        "running" => (State::Working, progress.said),
        "cancelled" => (State::Cancelled, progress.said),
        "done" => (State::Done(progress.answer), progress.said),
        _ => {
            let message = run.error.unwrap_or_default();
            (State::Failed(run.answer.unwrap_or_else(|| error_text(&message))), message)
        }
    };
    Ok(Some(Task { state, said, began: run.started_at, updated_at: progress.updated_at }))
}

/// Stops the organization's run with this id, when its batch or page is stored.
pub async fn cancel(ctx: &Ctx, id: Uuid) -> Result<bool> {
    backfill::cancel_run(&host(ctx), id).await
}

/// How far a run is.
struct Progress {
    said: String,
    updated_at: DateTime<Utc>,
    answer: String,
}

fn of_app(report: Report) -> Result<Progress> {
    let read: i64 = report.tables.iter().map(|table| table.read).sum();
    let done = report.tables.iter().filter(|table| table.is_done).count();
    Ok(Progress {
        said: format!("read {read} records; {done} of {} tables are done", report.tables.len()),
        updated_at: report.updated_at,
        answer: serde_json::to_string(&Answer::of(report)).map_err(internal)?,
    })
}

fn of_crm(run: &BackfillRow) -> Result<Progress> {
    #[derive(Default, Deserialize)]
    struct Noted {
        #[serde(default)]
        pulled: Vec<Page>,
    }
    #[derive(Deserialize)]
    struct Page {
        read: u64,
    }
    let answer = run.answer.clone().unwrap_or_else(|| "{}".to_owned());
    let noted: Noted = serde_json::from_str(&answer).map_err(internal)?;
    let read: u64 = noted.pulled.iter().map(|page| page.read).sum();
    Ok(Progress { said: format!("read {read} records"), updated_at: run.updated_at, answer })
}

/// Reads what a CRM has, and notes meanwhile how far that is.
async fn read(ctx: Ctx, id: Uuid, system: System, objects: Vec<Object>) -> Result<()> {
    let (pulled, is_stopped) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let told = |new: Pulled| {
        let mut pulled = pulled.lock().unwrap_or_else(PoisonError::into_inner);
        pulled.retain(|known: &Pulled| known.table != new.table);
        pulled.push(new);
    };
    let stop = || is_stopped.load(Ordering::Relaxed);
    let reading = pull_all(&ctx, system, &objects, &told, &stop);
    let noting = async {
        loop {
            tokio::time::sleep(NOTED_EVERY).await;
            let so_far = pulled.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match note(&ctx, id, so_far).await {
                Ok(goes_on) => is_stopped.store(!goes_on, Ordering::Relaxed),
                Err(error) => tracing::warn!(%error, "how far the reading is could not be noted"),
            }
        }
    };
    let done = tokio::select! {
        done = reading => done,
        () = noting => return Err(internal("noting ended before the reading")),
    };
    let ending = match &done {
        Ok(pulled) => ("done", None, Some(answer(pulled.clone())?)),
        Err(error) => {
            ("failed", Some(error.message.clone()), Some(serde_json::to_string(error).map_err(internal)?))
        }
    };
    let mut tx = ctx.services.store.begin().await?;
    backfills::finish(&mut tx, ctx.org, (id, FENCE), ending, ctx.services.clock.now()).await?;
    tx.commit().await?;
    done.map(drop)
}

async fn note(ctx: &Ctx, id: Uuid, pulled: Vec<Pulled>) -> Result<bool> {
    let mut tx = ctx.services.store.begin().await?;
    let goes_on = backfills::note(&mut tx, ctx.org, id, answer(pulled)?, ctx.services.clock.now()).await?;
    tx.commit().await?;
    Ok(goes_on)
}

fn answer(pulled: Vec<Pulled>) -> Result<String> {
    serde_json::to_string(&Answer { cancelled: None, run: None, pulled }).map_err(internal)
}

/// The error of a run that an older version ended, which kept no more than the message.
fn error_text(message: &str) -> String {
    json!({ "code": Code::Internal, "message": message }).to_string()
}
