//! Counts what was refused, in memory first: whoever forges deliveries must not make us write once for each.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::{Known, LeftOut, Refused};
use crate::error::Result;
use crate::store::{Org, hooks};
use crate::sync::engine::Engine;
use crate::tables::System;

/// How long counts wait before they are written.
const WAIT: Duration = Duration::from_secs(3);

/// The counts that are not written yet.
#[derive(Debug)]
pub(super) struct Tally {
    engine: Arc<Engine>,
    counts: Mutex<BTreeMap<Line, i64>>,
    /// Whether somebody waits to write them.
    is_due: AtomicBool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    org: Org,
    system: &'static str,
    connection: Uuid,
    reason: &'static str,
}

impl Tally {
    pub(super) fn new(engine: Arc<Engine>) -> Tally {
        Tally { engine, counts: Mutex::default(), is_due: AtomicBool::new(false) }
    }

    pub(super) fn refused(self: &Arc<Self>, known: &Known, refused: Refused) {
        self.count(known, refused.name());
    }

    pub(super) fn left_out(self: &Arc<Self>, known: &Known, why: LeftOut) {
        self.count(known, why.name());
    }

    /// Writes the counts. What cannot be written is kept for the next time.
    pub(super) async fn flush(&self) {
        let counts = std::mem::take(&mut *self.counts());
        if counts.is_empty() {
            return;
        }
        for (line, number) in &counts {
            let Line { system, connection, reason, .. } = line;
            // Nothing is wrong with events of objects that no table follows.
            if *reason == LeftOut::NotFollowed.name() {
                tracing::debug!(system, %connection, reason, number, "webhook events were not taken in");
                continue;
            }
            let missing = missing(reason);
            tracing::warn!(system, %connection, reason, number, "webhook deliveries or events were not taken in{missing}");
        }
        if let Err(error) = self.write(&counts).await {
            tracing::warn!(%error, "what was refused could not be counted yet");
            let mut kept = self.counts();
            for (line, number) in counts {
                *kept.entry(line).or_default() += number;
            }
        }
    }

    fn count(self: &Arc<Self>, known: &Known, reason: &'static str) {
        let system: System = known.system;
        let line = Line { org: known.org, system: system.name(), connection: known.id, reason };
        *self.counts().entry(line).or_default() += 1;
        if !self.is_due.swap(true, Ordering::SeqCst) {
            let tally = Arc::clone(self);
            tokio::spawn(async move {
                tokio::time::sleep(WAIT).await;
                tally.is_due.store(false, Ordering::SeqCst);
                tally.flush().await;
            });
        }
    }

    async fn write(&self, counts: &BTreeMap<Line, i64>) -> Result<()> {
        let now = self.engine.clock.now();
        let mut tx = self.engine.store.begin().await?;
        // In the order of the keys, so that two processes never wait for each other in a circle.
        for (line, number) in counts {
            hooks::refused(&mut tx, line.org, line.system, line.reason, *number, now).await?;
        }
        tx.commit().await
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, BTreeMap<Line, i64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the operator can do about a reason, to be read after a message.
fn missing(reason: &str) -> &'static str {
    if reason == Refused::NoPublicUrl.name() {
        "; set http.public_url (OPSTABLES_PUBLIC_URL) to the address that HubSpot calls"
    } else if reason == Refused::NoSecret.name() {
        "; the connection has no webhook secret"
    } else {
        ""
    }
}
