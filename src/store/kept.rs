//! Connections kept at hand between calls, each with what was found out about it when it was opened. The
//! driver's pool asks every connection that comes back whether it still works and forgets all else: a round
//! trip each, which a small read notices.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Database, Pool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failed;
use crate::error::Result;

/// How many wait here; the pool closes those it gets back once they have idled long enough.
const IDLE_MAX: usize = 4;

/// The connections of one pool that wait for their next use. All use of the pool goes through here.
pub(super) struct Kept<DB: Database, K> {
    pool: Pool<DB>,
    idle: Mutex<Vec<(PoolConnection<DB>, K)>>,
    permits: Arc<Semaphore>,
    timeout: Duration,
}

/// The right to hold one connection of the pool, and where to bring it back to.
pub(super) struct Place<DB: Database, K> {
    kept: Arc<Kept<DB, K>>,
    _permit: OwnedSemaphorePermit,
}

impl<DB: Database, K> Kept<DB, K> {
    /// Keeps connections of a pool of at most `connections`. One that is needed is waited for no longer than
    /// `timeout`.
    pub(super) fn new(pool: Pool<DB>, connections: u32, timeout: Duration) -> Arc<Kept<DB, K>> {
        let permits = Arc::new(Semaphore::new(usize::try_from(connections).unwrap_or(1)));
        Arc::new(Kept { pool, idle: Mutex::default(), permits, timeout })
    }

    pub(super) fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// Waits until a connection may be taken: one that is at hand, or else, as the second is none, one of the
    /// pool.
    pub(super) async fn place(self: &Arc<Self>) -> Result<Place<DB, K>> {
        let permit = tokio::time::timeout(self.timeout, Arc::clone(&self.permits).acquire_owned()).await;
        match permit {
            Ok(Ok(permit)) => Ok(Place { kept: Arc::clone(self), _permit: permit }),
            Ok(Err(_)) => Err(failed(sqlx::Error::PoolClosed)),
            Err(_) => Err(failed(sqlx::Error::PoolTimedOut)),
        }
    }

    /// A connection that is at hand at this moment.
    pub(super) fn at_hand(self: &Arc<Self>) -> Option<(Place<DB, K>, PoolConnection<DB>, K)> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        let place = Place { kept: Arc::clone(self), _permit: permit };
        let (conn, known) = place.take()?;
        Some((place, conn, known))
    }

    /// Closes every connection of the pool.
    pub(super) async fn close(&self) {
        self.permits.close();
        // Brought back by others from now on, they are closed by the pool.
        let closing = self.pool.close();
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        drop(idle);
        closing.await;
    }
}

impl<DB: Database, K> Place<DB, K> {
    /// One of the connections at hand, the last used first.
    pub(super) fn take(&self) -> Option<(PoolConnection<DB>, K)> {
        self.kept.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Brings back a connection on which nothing runs and nothing is open.
    pub(super) fn bring_back(self, conn: PoolConnection<DB>, known: K) {
        let mut idle = self.kept.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX && !self.kept.pool.is_closed() {
            idle.push((conn, known));
        }
    }
}

impl<DB: Database, K> Drop for Kept<DB, K> {
    fn drop(&mut self) {
        // Going back to the pool needs a runtime, and this may be after the end of it.
        for (conn, _) in self.idle.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            drop(conn.leak());
        }
    }
}

impl<DB: Database, K> std::fmt::Debug for Kept<DB, K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("pool", &self.pool).finish_non_exhaustive()
    }
}

impl<DB: Database, K> std::fmt::Debug for Place<DB, K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Place")
    }
}
