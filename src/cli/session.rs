//! What every command is given: the settings, where to print, and the way to the organization's data.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use tracing_subscriber::EnvFilter;
use uuid::Uuid;

use super::output::Output;
use crate::app::{App, Options};
use crate::backfill;
use crate::clock::{Clock, Ids};
use crate::config::Config;
use crate::error::Result;
use crate::records::{Actor, ActorKind};
use crate::store::Org;
use crate::sync;
use crate::sync::crm::Hosts;
use crate::tools::Ctx;

/// The settings that every command takes as flags.
#[derive(Debug, clap::Args)]
pub struct SettingArgs {
    /// Database, as `sqlite://path/to/file.db` or `postgres://user@host/database`; or set
    /// `OPSTABLES_DATABASE_URL`
    #[arg(long, global = true, value_name = "URL", help_heading = "Settings")]
    pub database_url: Option<String>,
    /// Organization to work in, by its short name; or set `OPSTABLES_ORG`
    #[arg(long, global = true, value_name = "SLUG", help_heading = "Settings")]
    pub org: Option<String>,
    /// Member to act for, by name or e-mail address; or set `OPSTABLES_USER`
    #[arg(long, global = true, value_name = "MEMBER", help_heading = "Settings")]
    pub user: Option<String>,
    /// Settings file; or set `OPSTABLES_CONFIG` [default: opstables.toml, if there]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// What to log on stderr: error, warn, info, debug or trace; or set `OPSTABLES_LOG`
    #[arg(long, global = true, value_name = "LEVEL", help_heading = "Settings")]
    pub log: Option<String>,
    /// Print the result, or the error, as JSON on stdout
    #[arg(long, global = true, help_heading = "Settings")]
    pub json: bool,
}

impl SettingArgs {
    /// The flags given, by the setting they set.
    pub(super) fn flags(&self) -> Vec<(&'static str, String)> {
        let flags = [
            ("database.url", &self.database_url),
            ("caller.org", &self.org),
            ("caller.user", &self.user),
            ("log.level", &self.log),
        ];
        flags.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))).collect()
    }
}

/// A command's surroundings.
pub(super) struct Session {
    pub(super) config: Config,
    pub(super) output: Output,
}

/// A database with the organization and the member that the settings name.
pub(super) struct Connection {
    pub(super) app: App,
    pub(super) org: Org,
    pub(super) user: Option<Uuid>,
}

impl Session {
    /// The services on the database; it is opened when it is first used.
    pub(super) fn app(&self) -> Result<App> {
        let database_url = self.config.database.url.clone();
        let skills_dir = self.config.skills.dir.clone();
        let sync = self.sync_options();
        let backfill = self.backfill();
        App::open(&Options {
            database_url,
            clock: Clock::System,
            ids: Ids::Random,
            skills_dir,
            sync,
            backfill,
        })
    }

    /// Where the application's own data is.
    pub(super) fn backfill(&self) -> backfill::Settings {
        let settings = &self.config.backfill;
        backfill::Settings {
            source: settings.source.clone(),
            schema: settings.schema.clone(),
            names: settings.names.clone(),
            batch: None,
        }
    }

    /// Where the CRMs are, and the key: from the environment, which no file or flag shows, or from its file.
    fn sync_options(&self) -> sync::Options {
        let settings = &self.config.sync;
        let hosts =
            Hosts { hubspot: settings.hubspot_base_url.clone(), attio: settings.attio_base_url.clone() };
        let key = match std::env::var(sync::vault::VARIABLE) {
            Ok(text) if !text.trim().is_empty() => sync::Key::Text(text.into()),
            _ => sync::Key::File(settings.key_file.clone()),
        };
        let schedule = sync::Schedule {
            poll_secs: settings.poll_secs,
            sweep_hours: settings.sweep_hours,
            breaker_percent: settings.breaker_percent,
        };
        sync::Options { hosts, key, schedule }
    }

    /// Whether the database is there: a file that nobody has made yet is not.
    pub(super) fn has_database(&self) -> bool {
        let url = self.config.database.url.as_str();
        let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
        path.is_none_or(|path| std::path::Path::new(path.split('?').next().unwrap_or(path)).exists())
    }

    pub(super) async fn connect(&self) -> Result<Connection> {
        let app = self.app()?;
        let (org, user) = whose(&app, &self.config).await?;
        Ok(Connection { app, org, user })
    }
}

impl Connection {
    /// A call of a person at the command line.
    pub(super) fn person(&self) -> Ctx {
        self.ctx(ActorKind::Person, None)
    }

    pub(super) fn ctx(&self, kind: ActorKind, tool: Option<&str>) -> Ctx {
        let actor = Actor {
            kind,
            id: self.user,
            client: Some("opstables".to_owned()),
            tool: tool.map(str::to_owned),
            request_id: None,
        };
        self.app.ctx(self.org, actor)
    }
}

/// The organization and the member that the settings name.
pub(super) async fn whose(app: &App, config: &Config) -> Result<(Org, Option<Uuid>)> {
    let org = app.organization(config.caller.org.as_deref()).await?;
    let user = match &config.caller.user {
        Some(name) => Some(app.member(org, name).await?),
        None => None,
    };
    Ok((org, user))
}

/// Sends the log to stderr: stdout belongs to results and to the protocol.
pub(super) fn log_to_stderr(config: &Config) {
    let filter = EnvFilter::builder().parse_lossy(&config.log.level);
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .finish();
    // A second subscriber can only be there when a test runs commands in one process.
    drop(tracing::subscriber::set_global_default(subscriber));
}
