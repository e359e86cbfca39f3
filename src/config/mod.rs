//! The process's settings: flags over environment over `opstables.toml` over defaults, checked when loaded.
//!
//! To add a setting: a line in [`SETTINGS`], a field of [`Config`], and its reading in [`Config::load`].

mod database_url;
mod http;
mod layers;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use crate::error::{Result, invalid};

pub use http::Http;
use layers::Found;
pub use layers::Layers;

/// The file that is read when it lies in the working directory and no other is named.
pub const FILE_NAME: &str = "opstables.toml";
/// The environment variable that names another file.
pub const FILE_VARIABLE: &str = "OPSTABLES_CONFIG";

/// One setting: its place in the file, its environment variable, and what it is for.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub key: &'static str,
    pub variable: &'static str,
    pub about: &'static str,
}

/// Every setting there is.
pub const SETTINGS: &[Setting] = &[
    setting("database.url", "OPSTABLES_DATABASE_URL", "where the data is"),
    setting("caller.org", "OPSTABLES_ORG", "the organization, by its short name"),
    setting("caller.user", "OPSTABLES_USER", "the member the caller acts for"),
    setting("server.toolsets", "OPSTABLES_TOOLSETS", "the sets of tools that are offered"),
    setting("server.read_only", "OPSTABLES_READ_ONLY", "whether only reading tools are offered"),
    setting("server.max_concurrent_calls", "OPSTABLES_MAX_CONCURRENT_CALLS", "how many calls run at once"),
    setting("skills.dir", "OPSTABLES_SKILLS_DIR", "a folder of skills beside the organization's own"),
    setting("sync.hubspot_base_url", "OPSTABLES_HUBSPOT_BASE_URL", "where HubSpot answers"),
    setting("sync.attio_base_url", "OPSTABLES_ATTIO_BASE_URL", "where Attio answers"),
    setting("sync.key_file", "OPSTABLES_KEY_FILE", "the file of the key that seals the CRMs' tokens"),
    setting("sync.worker", "OPSTABLES_WORKER", "whether `serve` also brings changes to the CRMs"),
    setting(
        "sync.poll_secs",
        "OPSTABLES_POLL_SECS",
        "seconds between two readings of what changed at the CRMs; 0: none",
    ),
    setting(
        "sync.sweep_hours",
        "OPSTABLES_SWEEP_HOURS",
        "hours between two complete readings of the CRMs; 0: none",
    ),
    setting(
        "sync.breaker_percent",
        "OPSTABLES_BREAKER_PERCENT",
        "the share of rows a CRM may change in ten minutes",
    ),
    setting("http.listen", "OPSTABLES_HTTP_LISTEN", "where `serve` takes in webhooks over HTTP"),
    setting("http.public_url", "OPSTABLES_PUBLIC_URL", "where the CRMs reach `serve` over HTTP"),
    setting("http.tls_cert", "OPSTABLES_TLS_CERT", "the file of the HTTP server's certificates"),
    setting("http.tls_key", "OPSTABLES_TLS_KEY", "the file of the HTTP server's key"),
    setting("backfill.source", "OPSTABLES_APP_SOURCE", "where the application's own data is"),
    setting("backfill.schema", "OPSTABLES_APP_SCHEMA", "its schema, on PostgreSQL"),
    setting("backfill.names", "OPSTABLES_APP_NAMES", "the file of its names of tables and columns"),
    setting("log.level", "OPSTABLES_LOG", "what is logged on stderr"),
];

const fn setting(key: &'static str, variable: &'static str, about: &'static str) -> Setting {
    Setting { key, variable, about }
}

const DEFAULT_TOOLSETS: &str = "core,skills,sync";
const DEFAULT_MAX_CONCURRENT_CALLS: usize = 16;
const MAX_CONCURRENT_CALLS: usize = 1_024;
const KEY_FILE_NAME: &str = "key";
const DEFAULT_HUBSPOT: &str = "https://api.hubapi.com";
const DEFAULT_ATTIO: &str = "https://api.attio.com";
const DEFAULT_POLL_SECS: u32 = 300;
const DEFAULT_SWEEP_HOURS: u32 = 24;
const DEFAULT_BREAKER_PERCENT: u32 = 30;
const DEFAULT_LOG_LEVEL: &str = "warn";

/// The settings in force.
#[derive(Debug, Clone)]
pub struct Config {
    pub database: Database,
    pub caller: Caller,
    pub server: Server,
    pub skills: Skills,
    pub sync: Sync,
    pub http: Http,
    pub backfill: Backfill,
    pub log: Log,
    origins: BTreeMap<&'static str, Origin>,
}

#[derive(Debug, Clone)]
pub struct Database {
    /// `sqlite://path/to/file.db` or `postgres://user:password@host/database`.
    pub url: String,
}

#[derive(Debug, Clone)]
pub struct Caller {
    /// The organization's short name; without one, the only organization of the database.
    pub org: Option<String>,
    /// The name or e-mail address of the member who is meant by `me`.
    pub user: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Server {
    pub toolsets: Vec<String>,
    pub read_only: bool,
    pub max_concurrent_calls: usize,
}

#[derive(Debug, Clone)]
pub struct Skills {
    /// A folder of skill folders, or a library file.
    pub dir: Option<PathBuf>,
}

#[derive(Debug, Clone)]
pub struct Sync {
    /// The CRMs' addresses, without a slash at the end.
    pub hubspot_base_url: String,
    pub attio_base_url: String,
    /// Read unless `OPSTABLES_SECRET_KEY` holds the key; made when it is first needed.
    pub key_file: PathBuf,
    /// Whether `serve` works the queues.
    pub worker: bool,
    /// Seconds between two readings of what changed, hours between two complete ones; 0 is none.
    pub poll_secs: u32,
    pub sweep_hours: u32,
    /// The share of a connection's rows that may change within ten minutes before a person is asked.
    pub breaker_percent: u32,
}

#[derive(Debug, Clone)]
pub struct Backfill {
    /// A PostgreSQL URL, which may hold a password, or a folder.
    pub source: Option<SecretString>,
    pub schema: Option<String>,
    pub names: Option<PathBuf>,
}

#[derive(Debug, Clone)]
pub struct Log {
    /// A level, or directives such as `opstables=debug,sqlx=warn`.
    pub level: String,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Flag,
    Variable(&'static str),
    File(PathBuf),
    Default,
}

/// A setting as it may be shown to anybody.
#[derive(Debug, Serialize)]
pub struct Shown {
    pub key: &'static str,
    pub value: Option<String>,
    pub origin: String,
    pub variable: &'static str,
    pub about: &'static str,
}

impl Config {
    /// Puts the layers together and checks every value.
    pub fn load(layers: &Layers<'_>) -> Result<Config> {
        let found = Found::gather(layers)?;
        let url = match found.text("database.url") {
            Some(url) => url.to_owned(),
            None => database_url::default()?,
        };
        database_url::check(&url).map_err(|error| found.blame("database.url", error))?;
        let level = found.text("log.level").unwrap_or(DEFAULT_LOG_LEVEL).to_owned();
        if EnvFilter::builder().parse(&level).is_err() {
            let error = invalid(format!("`{level}` is not a log level"))
                .choices(&level, ["off", "error", "warn", "info", "debug", "trace"]);
            return Err(found.blame("log.level", error));
        }
        let calls = |text: &str| text.parse().ok().filter(|n| (1..=MAX_CONCURRENT_CALLS).contains(n));
        Ok(Config {
            database: Database { url },
            caller: Caller {
                org: found.text("caller.org").map(str::to_owned),
                user: found.text("caller.user").map(str::to_owned),
            },
            server: Server {
                toolsets: words(found.text("server.toolsets").unwrap_or(DEFAULT_TOOLSETS)),
                read_only: found.read("server.read_only", false, "true or false", truth)?,
                max_concurrent_calls: found.read(
                    "server.max_concurrent_calls",
                    DEFAULT_MAX_CONCURRENT_CALLS,
                    "a number from 1 to 1024",
                    calls,
                )?,
            },
            skills: Skills { dir: found.text("skills.dir").map(PathBuf::from) },
            sync: Sync {
                hubspot_base_url: address(&found, "sync.hubspot_base_url", DEFAULT_HUBSPOT)?,
                attio_base_url: address(&found, "sync.attio_base_url", DEFAULT_ATTIO)?,
                key_file: match found.text("sync.key_file") {
                    Some(path) => PathBuf::from(path),
                    None => database_url::folder().unwrap_or_default().join(KEY_FILE_NAME),
                },
                worker: found.read("sync.worker", true, "true or false", truth)?,
                poll_secs: found.read(
                    "sync.poll_secs",
                    DEFAULT_POLL_SECS,
                    "a number of seconds from 10 to 86400, or 0",
                    |text| whole(text, 10..=86_400),
                )?,
                sweep_hours: found.read(
                    "sync.sweep_hours",
                    DEFAULT_SWEEP_HOURS,
                    "a number of hours from 1 to 720, or 0",
                    |text| whole(text, 1..=720),
                )?,
                breaker_percent: found.read(
                    "sync.breaker_percent",
                    DEFAULT_BREAKER_PERCENT,
                    "a number from 1 to 100",
                    |text| whole(text, 1..=100).filter(|percent| *percent > 0),
                )?,
            },
            http: Http::read(&found)?,
            backfill: Backfill {
                source: found.text("backfill.source").map(SecretString::from),
                schema: found.text("backfill.schema").map(str::to_owned),
                names: found.text("backfill.names").map(PathBuf::from),
            },
            log: Log { level },
            origins: found.into_origins(),
        })
    }

    /// Where a setting's value came from.
    pub fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }

    /// The database's URL without its password.
    pub fn database_shown(&self) -> String {
        database_url::shown(&self.database.url)
    }

    /// Every setting with its value and origin, without secrets.
    pub fn shown(&self) -> Vec<Shown> {
        let show = |setting: &Setting| Shown {
            key: setting.key,
            value: self.value(setting.key),
            origin: self.origin(setting.key).to_string(),
            variable: setting.variable,
            about: setting.about,
        };
        SETTINGS.iter().map(show).collect()
    }

    fn value(&self, key: &str) -> Option<String> {
        match key {
            "database.url" => Some(self.database_shown()),
            "caller.org" => self.caller.org.clone(),
            "caller.user" => self.caller.user.clone(),
            "server.toolsets" => Some(self.server.toolsets.join(",")),
            "server.read_only" => Some(self.server.read_only.to_string()),
            "server.max_concurrent_calls" => Some(self.server.max_concurrent_calls.to_string()),
            "skills.dir" => self.skills.dir.as_ref().map(|dir| dir.display().to_string()),
            "sync.hubspot_base_url" => Some(self.sync.hubspot_base_url.clone()),
            "sync.attio_base_url" => Some(self.sync.attio_base_url.clone()),
            "sync.key_file" => Some(self.sync.key_file.display().to_string()),
            "sync.worker" => Some(self.sync.worker.to_string()),
            "sync.poll_secs" => Some(self.sync.poll_secs.to_string()),
            "sync.sweep_hours" => Some(self.sync.sweep_hours.to_string()),
            "sync.breaker_percent" => Some(self.sync.breaker_percent.to_string()),
            "backfill.source" => {
                self.backfill.source.as_ref().map(|source| database_url::shown(source.expose_secret()))
            }
            "backfill.schema" => self.backfill.schema.clone(),
            "backfill.names" => self.backfill.names.as_ref().map(|path| path.display().to_string()),
            "log.level" => Some(self.log.level.clone()),
            key => self.http.value(key),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag => f.write_str("flag"),
            Origin::Variable(name) => f.write_str(name),
            Origin::File(path) => write!(f, "{}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// A CRM's address: `http` or `https`, with a host, without a slash at the end.
fn address(found: &Found, key: &str, default: &str) -> Result<String> {
    let read = |text: &str| {
        let url = url::Url::parse(text).ok()?;
        (matches!(url.scheme(), "http" | "https") && url.has_host())
            .then(|| text.trim_end_matches('/').to_owned())
    };
    found.read(key, default.to_owned(), "an address such as https://api.hubapi.com", read)
}

/// A number within the range, or 0.
fn whole(text: &str, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
    text.parse().ok().filter(|number| *number == 0 || range.contains(number))
}

fn words(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}
