//! `backfill_table`: brings the application's own data, or what a CRM has, into the tables, and says how far that is.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::arguments;
use super::ctx::Ctx;
use super::schema::{Map, property};
use super::tool::{Hints, Tool, Toolset, Words};
use crate::backfill::{self, Begun, Host, Report};
use crate::error::{Result, busy, invalid};
use crate::sync::pull;
use crate::tables::{Object, System, TABLES};

pub const NAME: &str = "backfill_table";

/// How many faults of each table one answer lists.
const LISTED_MAX: usize = 10;

#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Args {
    /// Default: all tables
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    pub from: From,
    pub action: Action,
    /// Begin anew instead of going on where an unfinished run stopped
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<bool>,
}

/// Where the data comes from; its address is configured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum From {
    #[default]
    App,
    Hubspot,
    Attio,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    #[default]
    Start,
    Status,
    Cancel,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Answer {
    /// Whether a run that was going on was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<bool>,
    /// The last run; none when there was none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Report>,
    /// What came from a CRM, by table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pulled: Vec<Pulled>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Pulled {
    pub table: &'static str,
    #[serde(flatten)]
    pub report: pull::Report,
}

pub fn tool() -> Tool {
    let words = Words {
        name: NAME,
        title: "Backfill from the application or a CRM",
        description: "Bring the application's own data, or all that a connected CRM has, into a table, or into all: newer \
                      edits made here stay, nothing is deleted, the same run again changes nothing. Stopped half-way, a \
                      start goes on. `status` says how far the application's last run is; `cancel` stops it. For a file \
                      use import_rows.",
    };
    Tool::new(words, Toolset::Admin, Hints::EDIT, run).with_input(describe)
}

/// The arguments of a call that starts what may go on after its answer, since how far it is stands in the database: a run of
/// the application's data. None for every other call, also for one that is wrong.
pub fn start(tool: &Tool, arguments: &Map) -> Option<Args> {
    if tool.name != NAME {
        return None;
    }
    let args: Args = arguments::typed(tool.check(arguments.clone()).ok()?).ok()?;
    (args.from == From::App && args.action == Action::Start).then_some(args)
}

/// Starts the run that [`work`] does.
pub async fn begin(ctx: &Ctx, args: &Args) -> Result<Begun> {
    let tables: Vec<&str> = args.table.as_deref().into_iter().collect();
    backfill::begin(&host(ctx), &ctx.services.backfill, &tables, args.restart.unwrap_or(false)).await
}

pub async fn work(ctx: &Ctx, begun: Begun) -> Result<Answer> {
    let run = begun.work().await?;
    ctx.services.sync.wake();
    Ok(Answer::of(run))
}

/// The organization's run with this id.
pub async fn find(ctx: &Ctx, id: Uuid) -> Result<Option<Report>> {
    backfill::find(&host(ctx), id).await
}

/// Stops the organization's run with this id.
pub async fn cancel(ctx: &Ctx, id: Uuid) -> Result<bool> {
    backfill::cancel_run(&host(ctx), id).await
}

/// What the call that started a run would have answered at the run's end.
pub fn ended(run: Report) -> Result<Answer> {
    match run.error {
        // What is kept of the error is its message; whatever it was, the same call goes on where it came up.
        Some(error) => Err(busy(error).hint("the same call goes on where it stopped")),
        None => Ok(Answer::of(run)),
    }
}

impl Answer {
    fn of(run: Report) -> Answer {
        Answer { cancelled: None, run: Some(run.shortened(LISTED_MAX)), pulled: Vec::new() }
    }
}

pub async fn run(ctx: Ctx, args: Args) -> Result<Answer> {
    match args.from {
        From::App => run_app(ctx, args).await,
        From::Hubspot => run_crm(ctx, args, System::Hubspot).await,
        From::Attio => run_crm(ctx, args, System::Attio).await,
    }
}

/// Reads all that a CRM has, companies first, so that contacts find theirs.
async fn run_crm(ctx: Ctx, args: Args, system: System) -> Result<Answer> {
    if args.action != Action::Start || args.restart.is_some() {
        return Err(invalid("a backfill from a CRM is only started, without `restart`").hint(
            "sync_status says when a table was last read; a start goes on where one before it stopped",
        ));
    }
    let all = [Object::Company, Object::Contact];
    let objects: Vec<Object> = match args.table.as_deref() {
        None => all.to_vec(),
        Some(table) => all.into_iter().filter(|object| object.table() == table).collect(),
    };
    if objects.is_empty() {
        let asked = args.table.unwrap_or_default();
        return Err(invalid(format!("CRMs have no records of `{asked}`"))
            .at("table")
            .choices(&asked, all.map(Object::table)));
    }
    let mut pulled = Vec::with_capacity(objects.len());
    for object in objects {
        let progress = ctx.progress.clone();
        let told = move |report: &pull::Report| {
            progress.report(report.read, None, &format!("{} records read", report.read));
        };
        let report = pull::backfill(&ctx.services.sync, ctx.org, system, object, &told, &|| false).await?;
        pulled.push(Pulled { table: object.table(), report });
    }
    Ok(Answer { cancelled: None, run: None, pulled })
}

async fn run_app(ctx: Ctx, args: Args) -> Result<Answer> {
    let host = host(&ctx);
    let (cancelled, run) = match args.action {
        Action::Start => return work(&ctx, begin(&ctx, &args).await?).await,
        Action::Status | Action::Cancel if args.table.is_some() || args.restart.is_some() => {
            return Err(invalid("only a start takes `table` and `restart`").hint("leave them out"));
        }
        Action::Status => (None, backfill::status(&host).await?),
        Action::Cancel => (Some(backfill::cancel(&host).await?), backfill::status(&host).await?),
    };
    Ok(Answer { cancelled, run: run.map(|run| run.shortened(LISTED_MAX)), pulled: Vec::new() })
}

fn host(ctx: &Ctx) -> Host {
    let services = &ctx.services;
    let progress = ctx.progress.clone();
    Host {
        store: Arc::clone(&services.store),
        catalogs: Arc::clone(&services.catalogs),
        clock: services.clock.clone(),
        ids: services.ids.clone(),
        org: ctx.org,
        actor: ctx.actor.clone(),
        progress: Arc::new(move |done, total, message: &str| progress.report(done, total, message)),
    }
}

fn describe(schema: &mut Map) {
    let tables: Vec<&str> = TABLES.iter().map(|table| table.key).collect();
    property(schema, "table").insert("enum".to_owned(), json!(tables));
}
