//! `backfill_table`: brings the application's own data, or what a CRM has, into the tables, and says how far that is.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ctx::Ctx;
use super::schema::{Map, property};
use super::tool::{Hints, Tool, Toolset, Words};
use crate::backfill::{self, Begun, Host, Report};
use crate::error::{Result, invalid};
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

impl Answer {
    pub(super) fn of(run: Report) -> Answer {
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

async fn run_crm(ctx: Ctx, args: Args, system: System) -> Result<Answer> {
    let objects = objects(&args)?;
    let progress = ctx.progress.clone();
    let told = move |new: Pulled| {
        progress.report(new.report.read, None, &format!("{} records read", new.report.read));
    };
    let pulled = pull_all(&ctx, system, &objects, &told, &|| false).await?;
    Ok(Answer { cancelled: None, run: None, pulled })
}

/// What a call wants to be read from a CRM: companies first, so that contacts find theirs.
pub(super) fn objects(args: &Args) -> Result<Vec<Object>> {
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
        let asked = args.table.as_deref().unwrap_or_default();
        return Err(invalid(format!("CRMs have no records of `{asked}`"))
            .at("table")
            .choices(asked, all.map(Object::table)));
    }
    Ok(objects)
}

/// Reads all that a CRM has of these. `told` hears of each page; `stop` ends it after the page that is under way.
pub(super) async fn pull_all(
    ctx: &Ctx,
    system: System,
    objects: &[Object],
    told: &(dyn Fn(Pulled) + Send + Sync),
    stop: &(dyn Fn() -> bool + Send + Sync),
) -> Result<Vec<Pulled>> {
    let mut pulled = Vec::with_capacity(objects.len());
    for object in objects {
        let table = object.table();
        let page = |report: &pull::Report| told(Pulled { table, report: *report });
        let report = pull::backfill(&ctx.services.sync, ctx.org, system, *object, &page, stop).await?;
        pulled.push(Pulled { table, report });
        if report.stopped {
            break;
        }
    }
    Ok(pulled)
}

/// Starts a run of the application's data, which [`work_app`] does.
pub(super) async fn begin_app(ctx: &Ctx, args: &Args) -> Result<Begun> {
    let tables: Vec<&str> = args.table.as_deref().into_iter().collect();
    backfill::begin(&host(ctx), &ctx.services.backfill, &tables, args.restart.unwrap_or(false)).await
}

pub(super) async fn work_app(ctx: &Ctx, begun: Begun) -> Result<Answer> {
    let run = begun.work().await?;
    ctx.services.sync.wake();
    Ok(Answer::of(run))
}

async fn run_app(ctx: Ctx, args: Args) -> Result<Answer> {
    let host = host(&ctx);
    let (cancelled, run) = match args.action {
        Action::Start => return work_app(&ctx, begin_app(&ctx, &args).await?).await,
        Action::Status | Action::Cancel if args.table.is_some() || args.restart.is_some() => {
            return Err(invalid("only a start takes `table` and `restart`").hint("leave them out"));
        }
        Action::Status => (None, backfill::status(&host).await?),
        Action::Cancel => (Some(backfill::cancel(&host).await?), backfill::status(&host).await?),
    };
    Ok(Answer { cancelled, run: run.map(|run| run.shortened(LISTED_MAX)), pulled: Vec::new() })
}

pub(super) fn host(ctx: &Ctx) -> Host {
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
