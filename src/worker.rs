//! The loop that brings changes to the CRMs: woken by a commit of its own process, or looking now and then for those of
//! others; one unit of work at a time for each connection.
//!
//! Connections are worked side by side, so that an account that throttles or whose token is refused holds up nobody else.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::error::{Result, internal};
use crate::store::{Org, connections};
use crate::sync::pace::Limit;
use crate::sync::{Engine, Turn, deliver, forget};
use crate::tables::System;

/// How long it sleeps at most before it looks for what others have committed.
const LOOK: Duration = Duration::from_secs(1);
/// How long it waits after a fault of the database.
const FAULT: Duration = Duration::from_secs(2);
/// How long a turn may take that was begun before the end was asked for; what it leaves is found by its lease.
const GRACE: Duration = Duration::from_secs(10);
/// How often old lines of the ledger are forgotten.
const FORGET_MS: i64 = 3_600_000;

/// Works the queues of every connection until `stop` turns true; then finishes what it has begun.
pub async fn run(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    let mut lanes = HashMap::<(Uuid, System), Lane>::new();
    let mut turns = JoinSet::new();
    let mut forgotten_ms = 0;
    while !*stop.borrow() {
        match active(&engine).await {
            Ok(active) => {
                for key in active {
                    let now_ms = engine.clock.now_ms();
                    let lane = lanes.entry(key).or_insert_with(|| Lane::new(key.1));
                    if let Some(limit) = lane.take(now_ms) {
                        turns.spawn(turn(Arc::clone(&engine), key, limit));
                    }
                }
            }
            Err(error) => fault(&error).await,
        }
        let now_ms = engine.clock.now_ms();
        if now_ms - forgotten_ms > FORGET_MS {
            forgotten_ms = now_ms;
            if let Err(error) = forget(&engine).await {
                fault(&error).await;
            }
        }
        tokio::select! {
            Some(done) = turns.join_next(), if !turns.is_empty() => settle(&mut lanes, done),
            () = engine.woken() => lanes.values_mut().for_each(|lane| lane.look_ms = 0),
            () = sleep(LOOK) => {}
            _ = stop.changed() => {}
        }
        while let Some(done) = turns.try_join_next() {
            settle(&mut lanes, done);
        }
    }
    let finish = async { while turns.join_next().await.is_some() {} };
    if timeout(GRACE, finish).await.is_err() {
        tracing::warn!(
            "a call to a CRM was given up at the end; its records are read back by the next worker"
        );
    }
}

/// The turns of one connection.
struct Lane {
    /// The account's limit; none while a turn holds it.
    limit: Option<Limit>,
    /// Nothing is due before this moment, unless the lane is woken.
    look_ms: i64,
}

type Key = (Uuid, System);
type Done = (Key, Limit, i64);

impl Lane {
    fn new(system: System) -> Lane {
        Lane { limit: Some(Limit::new(system)), look_ms: 0 }
    }

    /// The limit, for a turn, when it is time for one.
    fn take(&mut self, now_ms: i64) -> Option<Limit> {
        if now_ms < self.look_ms { None } else { self.limit.take() }
    }
}

/// Works one connection once; the moment of the next look.
async fn turn(engine: Arc<Engine>, key: Key, mut limit: Limit) -> Done {
    let (org, system) = (Org(key.0), key.1);
    let clock = engine.clock.clone();
    let work = tokio::spawn(async move {
        let turn = deliver(&engine, org, system, &mut limit).await;
        (turn, limit)
    });
    let (turn, limit) = match work.await {
        Ok(done) => done,
        Err(error) => (Err(internal(error)), Limit::new(system)),
    };
    let look_ms = match turn {
        Ok(Turn::Worked(_)) => 0,
        Ok(Turn::Closed(opens_ms)) => opens_ms,
        Ok(Turn::Idle(due_ms)) => {
            let soon_ms = clock.now_ms() + 1_000;
            due_ms.map_or(soon_ms, |due_ms| due_ms.min(soon_ms))
        }
        Err(error) => {
            fault(&error).await;
            0
        }
    };
    (key, limit, look_ms)
}

fn settle(lanes: &mut HashMap<Key, Lane>, done: std::result::Result<Done, tokio::task::JoinError>) {
    if let Ok((key, limit, look_ms)) = done {
        lanes.insert(key, Lane { limit: Some(limit), look_ms });
    }
}

async fn active(engine: &Engine) -> Result<Vec<Key>> {
    let mut tx = engine.store.read().await?;
    let active = connections::active(&mut tx, engine.clock.now()).await?;
    let known = |(org, system): (Uuid, String)| Some((org, System::from_name(&system)?));
    Ok(active.into_iter().filter_map(known).collect())
}

async fn fault(error: &crate::error::Error) {
    tracing::warn!(error = %error, cause = ?error.cause(), "the worker goes on in a moment");
    sleep(FAULT).await;
}
