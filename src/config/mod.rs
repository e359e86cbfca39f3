//! The process's settings: flags over environment over `opstables.toml` over defaults, checked when loaded.
//!
//! To add a setting: a line in [`SETTINGS`], a field of [`Config`], and its reading in [`Config::load`].

mod database_url;
mod layers;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use tracing_subscriber::EnvFilter;

use crate::error::{Result, invalid};

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
const DEFAULT_LOG_LEVEL: &str = "warn";

/// The settings in force.
#[derive(Debug, Clone)]
pub struct Config {
    pub database: Database,
    pub caller: Caller,
    pub server: Server,
    pub skills: Skills,
    pub sync: Sync,
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
            "log.level" => Some(self.log.level.clone()),
            _ => None,
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
