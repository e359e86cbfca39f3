//! `route_message`: what a user's message asks for, before anything else is tried.
//!
//! Step 0 looks for a request about a standard table; only what it leaves alone goes to the organization's
//! skills. Reads can be run in the same call; a change is never run, only made ready.

use std::ops::Range;
use std::time::Instant;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::Sha256;

use super::ctx::Ctx;
use super::query;
use super::tool::{Hints, Tool, Toolset, Words};
use crate::error::{Code, Result, internal, invalid};
use crate::router::{Call, Step};
use crate::skills::{CANDIDATES, Choice};
use crate::store::routed::{self, RoutedRow};
use crate::tables::{Catalog, table};

const MAX_MESSAGE: usize = 10_000;
/// How long routed messages are remembered.
const DAYS_KEPT: i64 = 90;

#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The user's words, unchanged
    pub message: String,
    /// Run a read at once and return its rows
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execute: Option<bool>,
    /// For tests: the time it is
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Output {
    pub step: StepName,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_call: Option<TableCall>,
    /// The skill to read with `get_skill` and follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// 0 to 1.
    pub confidence: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// Which words were understood as what.
    pub trace: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, Json>>")]
    pub result: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The bytes of the message behind each part, for those who show them.
    #[serde(skip)]
    #[schemars(skip)]
    pub spans: Vec<Range<usize>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    Table,
    Skill,
    None,
}

/// A call of another tool, ready to run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TableCall {
    pub tool: String,
    #[schemars(with = "serde_json::Map<String, Json>")]
    pub arguments: Json,
    pub operation: String,
    /// Whether it changes rows: then the user must agree first.
    pub writes: bool,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Candidate {
    pub skill: String,
    pub score: f64,
}

pub fn tool() -> Tool {
    let words = Words {
        name: "route_message",
        title: "Route a message",
        description: "Call first with each user message: answers with the ready call on a standard table, or the skill to follow, or none.",
    };
    Tool::new(words, Toolset::Core, Hints::READ, run)
        .with_published(|schema| super::published::bare(schema, &["now", "timezone"]))
}

async fn run(ctx: Ctx, args: Args) -> Result<Output> {
    // The log may be written after the answer has gone out.
    route(ctx, args).await.map(|(output, logged)| {
        tokio::spawn(logged);
        output
    })
}

/// The answer, and the work of logging it, which the caller sees to.
pub async fn route(ctx: Ctx, args: Args) -> Result<(Output, impl Future<Output = ()> + Send + 'static)> {
    let (tx, catalog) = ctx.read().await?;
    drop(tx);
    let moment = moment(&ctx, &catalog, &args)?;
    // What is built once is no part of what a message takes.
    let router = ctx.services.routers.get(&catalog);
    let started = Instant::now();
    let step = router.route(&args.message, moment.0, moment.1);
    let mut took = started.elapsed();
    let mut output = match step {
        Step::Call(call) => of_call(&call, &args.message),
        Step::Leave { reason } => {
            let library = ctx.library().await?;
            let started = Instant::now();
            let choice = library.choose(&args.message);
            took += started.elapsed();
            of_choice(choice, &reason)
        }
    };
    let took = i64::try_from(took.as_micros()).unwrap_or(i64::MAX);
    let logged = keep(ctx.clone(), row(&ctx, &catalog, &args.message, &output, took));
    if args.execute.unwrap_or(false)
        && let Some(call) = output.table_call.clone()
    {
        if call.writes {
            output.note =
                Some("a change is never run here: show it to the user, then make the call".to_owned());
        } else {
            match execute(ctx, &call).await {
                Ok(result) => output.result = Some(result),
                // The call stays, so that it can be put right: a name that is no member's, an unknown `me`.
                Err(error) if error.code == Code::Invalid => {
                    output.note = Some(format!("the call was refused: {error}"));
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok((output, logged))
}

/// The moment and the zone that the message is understood in.
fn moment(ctx: &Ctx, catalog: &Catalog, args: &Args) -> Result<(DateTime<Utc>, Tz)> {
    if args.message.trim().is_empty() {
        return Err(invalid("the message is empty").at("message").hint("pass the user's words unchanged"));
    }
    if args.message.len() > MAX_MESSAGE {
        return Err(invalid(format!("the message is longer than {MAX_MESSAGE} bytes"))
            .at("message")
            .hint("pass the user's own words only, without documents or history"));
    }
    let now = match &args.now {
        None => ctx.services.clock.now(),
        Some(text) => text.parse().map_err(|_| {
            invalid(format!("`{text}` is no time")).at("now").hint("write it as 2026-03-02T10:00:00Z")
        })?,
    };
    let zone = match &args.timezone {
        None => catalog.zone,
        Some(text) => text.parse().map_err(|_| {
            invalid(format!("`{text}` is no time zone")).at("timezone").hint("write it as Europe/Berlin")
        })?,
    };
    Ok((now, zone))
}

fn of_call(call: &Call, message: &str) -> Output {
    let (tool, arguments) = call.tool();
    let trace = call
        .parts
        .iter()
        .map(|part| format!("\"{}\" → {}", message.get(part.span.clone()).unwrap_or_default(), part.meaning))
        .collect();
    Output {
        step: StepName::Table,
        table_call: Some(TableCall {
            tool,
            arguments,
            operation: call.operation.name().to_owned(),
            writes: call.operation.is_write(),
        }),
        skill: None,
        confidence: call.confidence,
        candidates: Vec::new(),
        trace,
        result: None,
        note: None,
        spans: call.parts.iter().map(|part| part.span.clone()).collect(),
    }
}

fn of_choice(choice: Choice, reason: &str) -> Output {
    let rounded = |score: f32| (f64::from(score) * 100.0).round() / 100.0;
    let chosen = choice.chosen().map(|candidate| (candidate.key.clone(), rounded(candidate.score)));
    let mut trace = vec![format!("no table call: {reason}")];
    trace.extend(choice.trace);
    let candidates = choice
        .candidates
        .into_iter()
        .take(CANDIDATES)
        .map(|candidate| Candidate { skill: candidate.key, score: rounded(candidate.score) })
        .collect();
    Output {
        step: if chosen.is_some() { StepName::Skill } else { StepName::None },
        table_call: None,
        confidence: chosen.as_ref().map_or(0.0, |(_, score)| *score),
        skill: chosen.map(|(key, _)| key),
        candidates,
        trace,
        result: None,
        note: None,
        spans: Vec::new(),
    }
}

async fn execute(ctx: Ctx, call: &TableCall) -> Result<Json> {
    let key = call.tool.strip_prefix("query_").unwrap_or_default();
    let table = table(key).ok_or_else(|| internal(format!("no tool {}", call.tool)))?;
    let args: query::Args = serde_json::from_value(call.arguments.clone()).map_err(internal)?;
    let found = query::run(ctx, table, args).await?;
    serde_json::to_value(found).map_err(internal)
}

/// What is remembered of the message.
fn row(ctx: &Ctx, catalog: &Catalog, message: &str, output: &Output, latency_us: i64) -> RoutedRow {
    let call = output.table_call.as_ref();
    RoutedRow {
        id: ctx.services.ids.next(),
        routed_at: ctx.services.clock.now(),
        message_hash: hash(&catalog.key, message),
        message: Some(message.to_owned()),
        step: match output.step {
            StepName::Table => "table",
            StepName::Skill => "skill",
            StepName::None => "none",
        },
        table_key: call.map(|call| match call.arguments.get("table").and_then(Json::as_str) {
            Some(table) => table.to_owned(),
            None => call.tool.split_once('_').map_or("", |(_, table)| table).to_owned(),
        }),
        operation: call.map(|call| call.operation.clone()),
        skill_key: output.skill.clone(),
        confidence: output.confidence,
        latency_us,
    }
}

/// Notes where a message went; a log that cannot be written is no reason to fail.
async fn keep(ctx: Ctx, row: RoutedRow) {
    if let Err(error) = insert(&ctx, row).await {
        tracing::warn!(%error, "a routed message was not logged");
    }
}

async fn insert(ctx: &Ctx, mut row: RoutedRow) -> Result<()> {
    let mut tx = ctx.services.store.begin().await?;
    if !routed::keeps_messages(&mut tx, ctx.org).await? {
        row.message = None;
    }
    routed::forget(&mut tx, ctx.org, row.routed_at - chrono::Duration::days(DAYS_KEPT)).await?;
    routed::insert(&mut tx, ctx.org, &row).await?;
    tx.commit().await
}

/// The message as a word that only this organization can make: nobody finds the text by trying texts.
fn hash(key: &[u8], message: &str) -> String {
    let folded = message.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(folded.as_bytes());
    hex::encode(&mac.finalize().into_bytes()[..16])
}
