//! `opstables serve`: the MCP server that a copilot's host starts. Nothing but MCP goes to stdout.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::config::Http;
use crate::error::{Result, internal, invalid};
use crate::http;
use crate::mcp::{self, Caller};
use crate::sync::Engine;
use crate::tools::{self, Toolbox, Toolset};
use crate::worker;

use super::session::{Session, whose};
use super::worker::Signals;
use super::{Output, Status};

/// Serve the tools to a copilot over MCP on stdin and stdout
///
/// A copilot's host starts this; `opstables init` prints what to put into its configuration. The database is
/// opened with the first call, not before.
///
/// With --http it also takes in the webhooks of HubSpot and Attio, opens the database at once, and runs until Ctrl-C or
/// SIGTERM, whatever becomes of its stdin: a terminal there is left alone.
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
    /// Take in webhooks over HTTP at this address, as 127.0.0.1:8787; or set `OPSTABLES_HTTP_LISTEN`
    #[arg(long, value_name = "HOST:PORT")]
    http: Option<String>,
    /// Address that the CRMs call, as `https://crm.example.com`; or set `OPSTABLES_PUBLIC_URL`
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Certificates for HTTPS, in PEM; or set `OPSTABLES_TLS_CERT`
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<String>,
    /// Key of the certificate, in PEM; or set `OPSTABLES_TLS_KEY`
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,
    /// Folder of skills, or library file, beside the organization's own; or set `OPSTABLES_SKILLS_DIR`
    #[arg(long, value_name = "DIR")]
    skills: Option<String>,
}

/// How often the worker looks whether the database was opened.
const LOOK: Duration = Duration::from_millis(200);

const EXAMPLE: &str = "Examples:
  opstables serve --org acme --user ann@acme.com
  opstables serve --read-only
  opstables serve --http 127.0.0.1:8787 --public-url https://crm.example.com
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
        let texts = [
            ("skills.dir", &self.skills),
            ("http.listen", &self.http),
            ("http.public_url", &self.public_url),
            ("http.tls_cert", &self.tls_cert),
            ("http.tls_key", &self.tls_key),
        ];
        flags.extend(texts.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))));
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
    let engine = Arc::clone(&services.sync);
    let stdio = mcp::serve_stdio(services, toolbox, caller, INSTRUCTIONS.to_owned(), running_max);
    match &session.config.http.listen {
        None => stdio.await?,
        Some(address) => beside_http(stdio, engine, address, &session.config.http, session.output).await?,
    }
    stop.send_replace(true);
    if let Some(worker) = worker {
        worker.await.map_err(internal)?;
    }
    Ok(Status::Done)
}

/// Serves HTTP until a signal comes, and copilots beside it for as long as there is one on stdin.
async fn beside_http(
    stdio: impl Future<Output = Result<()>>,
    engine: Arc<Engine>,
    address: &str,
    settings: &Http,
    output: Output,
) -> Result<()> {
    // Heard from the start: a signal that comes while the server starts stops it too.
    let signals = Signals::listen()?;
    let options = http::Options {
        public_url: settings.public_url.clone(),
        tls: settings.tls.clone(),
        limits: http::Limits::default(),
    };
    let server = http::Server::bind(Arc::clone(&engine), address, options).await?;
    tracing::info!(url = server.url(), "takes in webhooks");
    output.note(format!("Taking in webhooks at {}; Ctrl-C stops.", server.url()));
    tokio::spawn(async move {
        // Whoever asks whether the process is ready is told the same, until it is.
        if let Err(error) = engine.store.ready().await {
            tracing::warn!(%error, "the database cannot be opened yet");
        }
    });
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(server.run(stopped));
    let is_terminal = std::io::stdin().is_terminal();
    let talk = async move {
        if !is_terminal && let Err(error) = stdio.await {
            tracing::warn!(%error, "copilots are no longer served on stdin");
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = talk => {}
        by = signals.first() => tracing::info!(by, "stops"),
    }
    stop.send_replace(true);
    serving.await.map_err(internal)
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
