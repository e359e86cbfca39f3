//! `opstables serve`: the MCP server that a copilot's host starts. Nothing but MCP goes to stdout.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::error::{Result, internal, invalid};
use crate::mcp::{self, Caller};
use crate::sync::Engine;
use crate::tools::{self, Toolbox, Toolset};
use crate::worker;

use super::Status;
use super::session::{Session, whose};

/// Serve the tools to a copilot over MCP on stdin and stdout
///
/// A copilot's host starts this; `opstables init` prints what to put into its configuration. The database is
/// opened with the first call, not before.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Sets of tools to offer: core, skills, sync, admin; or set `OPSTABLES_TOOLSETS`
    /// [default: core,skills,sync]
    #[arg(long, value_name = "SETS", value_delimiter = ',')]
    toolsets: Vec<String>,
    /// Offer only the tools that change nothing; or set `OPSTABLES_READ_ONLY=true`
    #[arg(long)]
    read_only: bool,
    /// Folder of skills, or library file, beside the organization's own; or set `OPSTABLES_SKILLS_DIR`
    #[arg(long, value_name = "DIR")]
    skills: Option<String>,
}

/// How often the worker looks whether the database was opened.
const LOOK: Duration = Duration::from_millis(200);

const EXAMPLE: &str = "Examples:
  opstables serve --org acme --user ann@acme.com
  opstables serve --read-only
  claude mcp add opstables -- opstables serve --org acme";

/// What a host tells its model about the tools as a whole.
const INSTRUCTIONS: &str = "\
The sales team's CRM data as five tables: leads, meetings, contacts, companies, clients.
- Call route_message first, with each message of the user as it was written: it answers with the call of a tool \
below that the message asks for, with the skill to follow, or with neither. execute: true also runs a read. A \
call that writes is shown to the user before it is made.
- Read with query_<table>: filters, search, views, sort, and group_by with aggregate for counts and sums. Let \
it count and sum; do not page through rows to do so.
- describe_tables says what only this organization has: custom columns, status options, views, members.
- Write with save_<table>: rows without an id are created, rows with one are changed, and filters with set \
change many. archive_rows removes rows; undo_change takes a change back by its change_id.
- For a job rather than rows (prepare, review, follow up, clean up) there are this organization's skills: \
get_skill reads one, to be followed; find_skills ranks or lists them. They are also skill:// resources and prompts.
- A write says in `sync` whether a CRM is told of it; sync_status says whether it arrived and why not, retry_sync \
sends it again. list_conflicts names the edits that were lost between here and a CRM: relay `says`, and let the \
user decide before resolve_conflict.
- When a call answers that it needs confirmation, nothing was changed yet: show the user its preview, and only \
when they agree repeat the call with the token as confirm.
- Dates may be relative (today, this_week, last_month) and `me` is the user. An error names the right words: \
correct the call as it says.";

impl Args {
    /// The flags given, by the setting they set.
    pub(super) fn flags(&self) -> Vec<(&'static str, String)> {
        let mut flags = Vec::new();
        if !self.toolsets.is_empty() {
            flags.push(("server.toolsets", self.toolsets.join(",")));
        }
        if self.read_only {
            flags.push(("server.read_only", "true".to_owned()));
        }
        if let Some(dir) = &self.skills {
            flags.push(("skills.dir", dir.clone()));
        }
        flags
    }
}

pub(super) async fn run(_: &Args, session: &Session) -> Result<Status> {
    let toolsets = toolsets(&session.config.server.toolsets)?;
    let toolbox = Toolbox::new(tools::all(), &toolsets, session.config.server.read_only);
    let app = session.app()?;
    let services = app.services.clone();
    let config = session.config.clone();
    let caller = Caller::new(move || {
        let (app, config) = (app.clone(), config.clone());
        Box::pin(async move { whose(&app, &config).await })
    });
    let running_max = session.config.server.max_concurrent_calls;
    let (stop, stopped) = watch::channel(false);
    let works = session.config.sync.worker && !session.config.server.read_only;
    let worker = works.then(|| tokio::spawn(work(Arc::clone(&services.sync), stopped)));
    mcp::serve_stdio(services, toolbox, caller, INSTRUCTIONS.to_owned(), running_max).await?;
    stop.send_replace(true);
    if let Some(worker) = worker {
        worker.await.map_err(internal)?;
    }
    Ok(Status::Done)
}

/// Works the queues beside the calls, from when the first call has opened the database.
async fn work(engine: Arc<Engine>, mut stopped: watch::Receiver<bool>) {
    while !engine.store.is_ready() {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stopped.changed() => return,
        }
    }
    worker::run(engine, stopped).await;
}

fn toolsets(names: &[String]) -> Result<Vec<Toolset>> {
    let read = |name: &String| {
        Toolset::from_name(name).ok_or_else(|| {
            invalid(format!("there is no toolset `{name}`"))
                .choices(name, Toolset::ALL.iter().map(|toolset| toolset.name()))
        })
    };
    names.iter().map(read).collect()
}
