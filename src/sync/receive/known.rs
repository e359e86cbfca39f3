//! What is known of the connections whose webhooks come in, for as long as a secret that was taken away may still count.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;
use serde::Deserialize;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::Refused;
use crate::error::Result;
use crate::store::{Org, hooks as stored};
use crate::sync::engine::Engine;
use crate::sync::hooks;
use crate::tables::{Object, System};

/// How long a connection is taken as it was read.
const FRESH_MS: i64 = 2_000;
/// How many connections are read at once: addresses that somebody makes up must not take the database from others.
const READ_AT_ONCE: usize = 2;

/// A connection as its webhooks need it.
#[derive(Debug)]
pub(in crate::sync) struct Known {
    pub id: Uuid,
    pub org: Org,
    pub system: System,
    pub account: String,
    /// Our app's id there, when the token has told it.
    pub writer: Option<String>,
    pub secrets: Vec<SecretString>,
    /// The ids of the objects, where events name objects by id.
    pub objects: Vec<(String, Object)>,
    read_ms: i64,
}

/// The connections read last.
#[derive(Debug)]
pub(super) struct Directory {
    known: Mutex<HashMap<Uuid, Arc<Known>>>,
    reading: Semaphore,
}

impl Default for Directory {
    fn default() -> Directory {
        Directory { known: Mutex::default(), reading: Semaphore::new(READ_AT_ONCE) }
    }
}

impl Directory {
    /// The connection of this id.
    pub(super) async fn find(
        &self,
        engine: &Engine,
        system: System,
        id: Uuid,
    ) -> Result<Arc<Known>, Refused> {
        if let Some(known) = self.fresh(engine, system, id) {
            return Ok(known);
        }
        let Ok(_turn) = self.reading.acquire().await else { return Err(Refused::NotStored) };
        // Somebody else may have read it meanwhile.
        if let Some(known) = self.fresh(engine, system, id) {
            return Ok(known);
        }
        match read(engine, system, id).await {
            Ok(Some(known)) => {
                let known = Arc::new(known);
                self.known().insert(id, Arc::clone(&known));
                Ok(known)
            }
            Ok(None) => {
                self.known().remove(&id);
                Err(Refused::UnknownConnection)
            }
            Err(error) => {
                let cause = error.cause().map(ToString::to_string);
                tracing::warn!(connection = %id, %error, cause, "a connection cannot be read for its webhooks");
                Err(Refused::NotStored)
            }
        }
    }

    fn fresh(&self, engine: &Engine, system: System, id: Uuid) -> Option<Arc<Known>> {
        let known = self.known().get(&id).map(Arc::clone)?;
        let age_ms = engine.clock.now_ms() - known.read_ms;
        (known.system == system && (0..FRESH_MS).contains(&age_ms)).then_some(known)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Arc<Known>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(engine: &Engine, system: System, id: Uuid) -> Result<Option<Known>> {
    let read_ms = engine.clock.now_ms();
    let mut tx = engine.store.read().await?;
    let Some(row) = stored::connection(&mut tx, system.name(), id).await? else { return Ok(None) };
    let org = Org(row.org_id);
    let secrets = hooks::secrets(engine, &mut tx, (org, system), id).await?;
    let objects = objects(&row.properties.0);
    Ok(Some(Known { id, org, system, account: row.account, writer: row.writer, secrets, objects, read_ms }))
}

/// The ids that the properties of each object were described with.
fn objects(properties: &serde_json::Value) -> Vec<(String, Object)> {
    #[derive(Deserialize)]
    struct Described {
        object_id: Option<String>,
    }
    let described = BTreeMap::<String, Vec<Described>>::deserialize(properties).unwrap_or_default();
    let ids = described.into_iter().filter_map(|(name, properties)| {
        let id = properties.into_iter().find_map(|property| property.object_id)?;
        Some((id, Object::from_name(&name)?))
    });
    ids.collect()
}
