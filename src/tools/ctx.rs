//! What a tool's work needs: the services of the process, who is calling, and how to report progress.

use std::sync::Arc;

use crate::backfill;
use crate::clock::{Clock, Ids};
use crate::error::Result;
use crate::records::{Actor, Outcome};
use crate::router::Routers;
use crate::skills::{Library, Skills};
use crate::store::{Org, Store, Tx};
use crate::sync::Engine;
use crate::tables::{Catalog, Catalogs, Reading};

/// The process's shared services, built once by `app`.
#[derive(Debug)]
pub struct Services {
    pub store: Arc<Store>,
    pub clock: Clock,
    pub ids: Ids,
    pub catalogs: Arc<Catalogs>,
    pub skills: Skills,
    pub routers: Routers,
    pub sync: Arc<Engine>,
    /// Where the application's own data is.
    pub backfill: backfill::Settings,
}

/// One call: cheap to make, never shared between calls.
#[derive(Clone)]
pub struct Ctx {
    pub services: Arc<Services>,
    pub org: Org,
    pub actor: Actor,
    pub progress: Progress,
}

/// Tells the caller how far a long call has come: done, total, and a sentence. Silent by default.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<Report>>);

type Report = dyn Fn(u64, Option<u64>, &str) + Send + Sync;

impl Progress {
    pub fn new(report: impl Fn(u64, Option<u64>, &str) + Send + Sync + 'static) -> Progress {
        Progress(Some(Arc::new(report)))
    }

    pub fn report(&self, done: u64, total: Option<u64>, message: &str) {
        if let Some(report) = &self.0 {
            report(done, total, message);
        }
    }
}

impl Ctx {
    /// A connection to read from, with the organization's catalog.
    pub async fn read(&self) -> Result<(Tx, Arc<Catalog>)> {
        let services = &self.services;
        services.catalogs.read(&services.store, self.org, services.clock.now()).await
    }

    /// A connection to read one statement from, with the catalog as it was last seen, when both are at hand.
    /// Who uses them checks that the catalog's version is still the same.
    pub fn at_hand(&self) -> Option<(Tx, Arc<Catalog>)> {
        let catalog = self.services.catalogs.last_seen(self.org)?;
        Some((self.services.store.at_hand()?, catalog))
    }

    /// A transaction, with the organization's catalog.
    pub async fn begin(&self) -> Result<(Tx, Arc<Catalog>)> {
        let services = &self.services;
        services.catalogs.begin(&services.store, self.org, services.clock.now()).await
    }

    /// Wakes the worker when a change that was committed must be told to a CRM.
    pub fn committed(&self, outcome: &Outcome) {
        if !outcome.told.is_empty() {
            self.services.sync.wake();
        }
    }

    /// The skills that the organization's agent can choose from.
    pub async fn library(&self) -> Result<Arc<Library>> {
        let services = &self.services;
        let (tx, catalog) = self.read().await?;
        drop(tx);
        let now = services.clock.now();
        services.skills.for_organization(&services.store, self.org, catalog.version, now).await
    }

    /// How values written in this call are to be understood.
    pub fn reading<'a>(&self, catalog: &'a Catalog) -> Reading<'a> {
        Reading {
            zone: catalog.zone,
            now: self.services.clock.now(),
            members: &catalog.members,
            me: self.actor.id,
            day_first: false,
        }
    }
}
