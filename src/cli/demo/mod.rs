//! `opstables demo`: a made-up organization in a throw-away database, and a copilot's conversation with the
//! real server, over a real connection. Nothing of it is canned but the words of the user.

mod copilot;
mod folder;
mod sample;
mod screen;
mod script;

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use tokio::time::Instant;

use super::Status;
use super::client_config::program;
use super::output::{FAINT, Output, STRONG, styled};
use super::session::Session;
use crate::app::{App, Options};
use crate::error::{Code, Error, Result, internal};
use crate::records::{Actor, ActorKind};
use crate::tools::{self, Toolbox};

use copilot::{Answer, Copilot};
use folder::Folder;
use script::{Call, Turn};

/// Watch a copilot work on a made-up sales team's data
///
/// Takes a few seconds, needs no network and no database, and leaves nothing behind.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Keep the database, to go on with it
    #[arg(long)]
    keep: bool,
}

const EXAMPLE: &str = "Example:
  opstables demo --keep";

pub(super) async fn run(args: &Args, session: &Session) -> Result<Status> {
    let folder = Folder::new(args.keep)?;
    tokio::select! {
        played = play(&folder, args.keep, session.output) => played?,
        () = interrupted() => {
            let left = if args.keep { "the database is kept in" } else { "nothing is left in" };
            return Err(Error::new(Code::Cancelled, format!("interrupted; {left} {}", folder.path().display())));
        }
    }
    Ok(Status::Done)
}

async fn play(folder: &Folder, keep: bool, output: Output) -> Result<()> {
    let url = format!("sqlite://{}", folder.path().join("demo.db").display());
    let started = Instant::now();
    let rows = fill(&url).await?;
    if !output.is_json() {
        output.line(opening(rows, started.elapsed()))?;
    }
    let flags = ["--database-url", &url, "--org", sample::SLUG, "--user", sample::MEMBERS[0].0];
    let mut copilot = Copilot::start(folder.path(), &flags)?;
    let turns = script::turns();
    let mut log = Vec::new();
    let mut total = Duration::ZERO;
    for (i, turn) in turns.iter().enumerate() {
        if !output.is_json() {
            output.line(screen::turn(i + 1, turns.len(), turn))?;
        }
        let last = log.last().map_or(Json::Null, |entry: &Json| entry["result"].clone());
        total += take(&mut copilot, turn, last, &mut log, output).await?;
    }
    copilot.leave().await?;
    if output.is_json() {
        return output.json(&log);
    }
    output.line(ending(log.len(), total, keep.then_some(folder.path())))
}

/// Plays one exchange; how long its calls took.
async fn take(
    copilot: &mut Copilot,
    turn: &Turn,
    mut last: Json,
    log: &mut Vec<Json>,
    output: Output,
) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for call in &turn.calls {
        let arguments = arguments(call, &last);
        let answer = copilot.call(call.tool, &arguments).await?;
        if !output.is_json() {
            output.line(format!("{}\n{}\n", screen::call(call, &arguments), screen::answer(&answer)))?;
        }
        total += answer.took;
        let Answer { content, refused, took } = answer;
        log.push(json!({
            "user": turn.user, "tool": call.tool, "arguments": arguments, "result": content,
            "refused": refused, "ms": took.as_secs_f64() * 1_000.0,
        }));
        last = content;
    }
    Ok(total)
}

/// The call's arguments, with what it takes from the result before.
fn arguments(call: &Call, last: &Json) -> Json {
    let mut arguments = call.arguments.clone();
    if let Some((field, argument)) = call.from_last {
        arguments[argument] = last[field].clone();
    }
    arguments
}

/// Makes the organization and saves its rows through the tools; how many there are.
async fn fill(url: &str) -> Result<usize> {
    let app = App::open(&Options::at(url))?;
    let (org, _) = app.create_organization(sample::SLUG, sample::NAME, sample::ZONE).await?;
    for (name, email) in sample::MEMBERS {
        app.add_member(org, name, Some(email)).await?;
    }
    let toolbox = Toolbox::new(tools::all(), &[], false);
    let mut count = 0;
    for (table, rows) in sample::tables(app.services.clock.now()) {
        count += rows.len();
        let actor = Actor { kind: ActorKind::Import, ..Actor::default() };
        let arguments = Map::from_iter([("rows".to_owned(), json!(rows))]);
        toolbox
            .find(&format!("save_{table}"))?
            .call(app.ctx(org, actor), arguments)
            .await
            .map_err(|error| internal(format!("the sample's {table} are wrong: {error}")))?;
    }
    app.services.store.close().await;
    Ok(count)
}

async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    drop(tokio::signal::ctrl_c().await);
}

fn opening(rows: usize, took: Duration) -> String {
    format!(
        "{} in a throw-away SQLite database: {} members, {rows} rows {}\n\
         {} talks to a copilot, and the copilot to `opstables serve` over MCP.\n",
        styled(STRONG, sample::NAME),
        sample::MEMBERS.len(),
        styled(FAINT, format!("({})", screen::milliseconds(took))),
        sample::MEMBERS[0].0,
    )
}

fn ending(calls: usize, total: Duration, kept: Option<&Path>) -> String {
    let program = program();
    let snippet = json!({ "mcpServers": { "opstables": { "command": program, "args": ["serve"] } } });
    let kept = kept.map_or_else(String::new, |path| {
        let url = format!("sqlite://{}", path.join("demo.db").display());
        format!(
            "{}\n  {program} query leads --database-url {url}\n\n",
            styled(STRONG, "The database was kept:")
        )
    });
    format!(
        "{}\n{calls} calls to a real server took {} in all.\n\n\
         {kept}{}\n{snippet:#}\n\n\
         {}\n  claude mcp add opstables -- {program} serve\n\n\
         {}\n  {program} init --org acme --member \"Ann Lee <ann@acme.com>\"\n  \
         {program} import leads leads.csv --dry-run\n  {program} query leads",
        styled(FAINT, "─".repeat(60)),
        screen::milliseconds(total),
        styled(STRONG, "Connect your own copilot (Claude Desktop, Cursor, VS Code, …):"),
        styled(STRONG, "In Claude Code:"),
        styled(STRONG, "With your own data:"),
    )
}
