//! What a backfill needs of its caller.

use std::fmt;
use std::sync::Arc;

use crate::clock::{Clock, Ids};
use crate::records::{Actor, ActorKind};
use crate::store::{Org, Store};
use crate::tables::Catalogs;

/// Told how many records are done, of how many, in a sentence.
pub type Report = dyn Fn(u64, Option<u64>, &str) + Send + Sync;

/// The services a backfill runs on, and for whom. It is shared by what works side by side.
#[derive(Clone)]
pub struct Host {
    pub store: Arc<Store>,
    pub catalogs: Arc<Catalogs>,
    pub clock: Clock,
    pub ids: Ids,
    pub org: Org,
    /// Who asked for it.
    pub actor: Actor,
    pub progress: Arc<Report>,
}

impl Host {
    /// Who writes what a backfill brings: the same whoever started it, so that a later run knows its own values again.
    pub(super) fn writer(&self) -> Actor {
        Actor { kind: ActorKind::Import, id: None, ..self.actor.clone() }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("org", &self.org).finish_non_exhaustive()
    }
}
