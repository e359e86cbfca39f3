//! What synchronization works with, built once a process.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use super::crm::{Client, Hosts};
use super::vault::Vault;
use crate::clock::{Clock, Ids};
use crate::error::Result;
use crate::store::Store;
use crate::tables::Catalogs;

/// The services of synchronization.
#[derive(Debug)]
pub struct Engine {
    pub store: Arc<Store>,
    pub catalogs: Arc<Catalogs>,
    pub clock: Clock,
    pub ids: Ids,
    options: Options,
    client: OnceLock<Client>,
    vault: OnceLock<Vault>,
    wake: Notify,
}

/// What synchronization is set up with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the CRMs answer.
    pub hosts: Hosts,
    pub key: Key,
    pub schedule: Schedule,
}

/// How often the CRMs are read, and how much of what they tell is taken in without a person's look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Seconds between two readings of what changed; none reads nothing.
    pub poll_secs: u32,
    /// Hours between two complete readings, which notice deletions; none makes none.
    pub sweep_hours: u32,
    /// The share of a connection's rows that may change within ten minutes.
    pub breaker_percent: u32,
}

/// Where the key is that seals tokens.
#[derive(Clone)]
pub enum Key {
    /// The key itself.
    Text(secrecy::SecretString),
    /// The file that holds it; it is made when it is first needed.
    File(PathBuf),
}

impl Engine {
    pub fn new(
        store: Arc<Store>,
        catalogs: Arc<Catalogs>,
        clock: Clock,
        ids: Ids,
        options: Options,
    ) -> Engine {
        Engine {
            store,
            catalogs,
            clock,
            ids,
            options,
            client: OnceLock::new(),
            vault: OnceLock::new(),
            wake: Notify::new(),
        }
    }

    /// The way to the CRMs, made when it is first needed: a server that is connected to none starts without it.
    pub fn client(&self) -> Result<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::new(self.options.hosts.clone(), self.clock.clone())?;
        Ok(self.client.get_or_init(|| client))
    }

    /// The vault of this process's key.
    pub fn vault(&self) -> Result<&Vault> {
        if let Some(vault) = self.vault.get() {
            return Ok(vault);
        }
        let vault = match &self.options.key {
            Key::Text(text) => Vault::with_key(secrecy::ExposeSecret::expose_secret(text))?,
            Key::File(path) => Vault::of_file(path, &self.ids)?,
        };
        Ok(self.vault.get_or_init(|| vault))
    }

    pub fn schedule(&self) -> Schedule {
        self.options.schedule
    }

    /// Says that a queue has got something to send: the process's worker need not wait for its next look.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until something is to be sent.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }
}

impl Default for Options {
    /// The CRMs themselves, and a key beside the working directory.
    fn default() -> Options {
        let hosts =
            Hosts { hubspot: "https://api.hubapi.com".to_owned(), attio: "https://api.attio.com".to_owned() };
        Options { hosts, key: Key::File(PathBuf::from("opstables.key")), schedule: Schedule::default() }
    }
}

impl Default for Schedule {
    fn default() -> Schedule {
        Schedule { poll_secs: 300, sweep_hours: 24, breaker_percent: 30 }
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Key::Text(_) => f.write_str("Text"),
            Key::File(path) => write!(f, "File({})", path.display()),
        }
    }
}
