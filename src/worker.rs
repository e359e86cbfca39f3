//! The loop that takes in what the CRMs told, brings changes to them, reads what changed there, and has derived columns
//! follow the clock: woken by a commit of its own process, or looking now and then for those of others; one unit of work at a
//! time for each connection.
//!
//! Connections are worked side by side, so that an account that throttles or whose token is refused holds up nobody else.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::error::{Result, internal};
use crate::records;
use crate::store::{Org, connections, organizations};
use crate::sync::pace::Limit;
use crate::sync::{Engine, Turn, deliver, forget, inbound, poll};
use crate::tables::System;

/// How long it sleeps at most before it looks for what others have committed.
const LOOK: Duration = Duration::from_secs(1);
/// How long it waits after a fault of the database.
const FAULT: Duration = Duration::from_secs(2);
/// How long a turn may take that was begun before the end was asked for; what it leaves is found by its lease.
const GRACE: Duration = Duration::from_secs(10);
/// How often old lines of the ledger are forgotten.
const FORGET_MS: i64 = 3_600_000;
/// How often derived columns follow the clock.
const DERIVE_MS: i64 = 60_000;

/// Works the queues of every connection until `stop` turns true; then finishes what it has begun.
pub async fn run(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    let mut lanes = HashMap::<(Uuid, System), Lane>::new();
    let mut turns = JoinSet::new();
    let mut forgotten_ms = 0;
    let mut derived = Derived::default();
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
        derived.follow(&engine);
        tokio::select! {
            Some(done) = turns.join_next(), if !turns.is_empty() => settle(&mut lanes, done),
            () = engine.woken() => lanes.values_mut().for_each(Lane::wake),
            () = sleep(LOOK) => {}
            _ = stop.changed() => {}
        }
        while let Some(done) = turns.try_join_next() {
            settle(&mut lanes, done);
        }
    }
    derived.stop();
    let finish = async { while turns.join_next().await.is_some() {} };
    if timeout(GRACE, finish).await.is_err() {
        tracing::warn!(
            "a call to a CRM was given up at the end; its records are read back by the next worker"
        );
    }
}

/// The derived columns of all organizations on their way after the clock: at the start, then now and again. It is done
/// beside the queues, so that neither holds up the other.
#[derive(Default)]
struct Derived {
    begun_ms: i64,
    work: Option<JoinHandle<()>>,
}

impl Derived {
    /// Begins when it is time, unless it is still at it.
    fn follow(&mut self, engine: &Arc<Engine>) {
        let now_ms = engine.clock.now_ms();
        let is_busy = self.work.as_ref().is_some_and(|work| !work.is_finished());
        if is_busy || now_ms - self.begun_ms < DERIVE_MS {
            return;
        }
        self.begun_ms = now_ms;
        let engine = Arc::clone(engine);
        self.work = Some(tokio::spawn(async move { derive(&engine).await }));
    }

    /// Its transactions are whole or not at all, and what is left is found by the next one.
    fn stop(&self) {
        if let Some(work) = &self.work {
            work.abort();
        }
    }
}

/// Brings the derived columns of every organization up to date with the clock.
async fn derive(engine: &Engine) {
    let known = match engine.store.read().await {
        Ok(mut tx) => organizations::all(&mut tx).await,
        Err(error) => Err(error),
    };
    let (store, catalogs) = (&engine.store, &engine.catalogs);
    for organization in known.unwrap_or_default() {
        let org = Org(organization.id);
        if let Err(error) = records::catch_up(store, catalogs, org, &engine.clock, &engine.ids).await {
            fault(&error).await;
        }
    }
}

/// The turns of one connection.
struct Lane {
    /// The account's limit; none while a turn holds it.
    limit: Option<Limit>,
    /// Nothing is due before this moment, unless the lane is woken.
    look_ms: i64,
    /// Whether it was woken during a turn, which may have looked before there was something.
    is_woken: bool,
}

type Key = (Uuid, System);
type Done = (Key, Limit, i64);

impl Lane {
    fn new(system: System) -> Lane {
        Lane { limit: Some(Limit::new(system)), look_ms: 0, is_woken: false }
    }

    fn wake(&mut self) {
        self.look_ms = 0;
        self.is_woken = self.limit.is_none();
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
        // What was told first: it may make something that is about to be sent needless. What is read comes last, a page at a
        // time, so that nothing waits for long that is to be sent.
        let turns = [
            inbound(&engine, org, system, &mut limit).await,
            deliver(&engine, org, system, &mut limit).await,
            poll(&engine, org, system, &mut limit).await,
        ];
        (turns, limit)
    });
    let (turns, limit) = match work.await {
        Ok((turns, limit)) => (turns.into(), limit),
        Err(error) => (vec![Err(internal(error))], Limit::new(system)),
    };
    let mut look_ms = i64::MAX;
    for turn in turns {
        look_ms = look_ms.min(next_look_ms(turn, clock.now_ms()).await);
    }
    (key, limit, look_ms)
}

/// When to look again after a turn.
async fn next_look_ms(turn: Result<Turn>, now_ms: i64) -> i64 {
    match turn {
        Ok(Turn::Worked(_)) => 0,
        Ok(Turn::Closed(opens_ms)) => opens_ms,
        Ok(Turn::Idle(due_ms)) => due_ms.map_or(now_ms + 1_000, |due_ms| due_ms.min(now_ms + 1_000)),
        Err(error) => {
            fault(&error).await;
            0
        }
    }
}

fn settle(lanes: &mut HashMap<Key, Lane>, done: std::result::Result<Done, tokio::task::JoinError>) {
    if let Ok((key, limit, look_ms)) = done {
        let is_woken = lanes.get(&key).is_some_and(|lane| lane.is_woken);
        let look_ms = if is_woken { 0 } else { look_ms };
        lanes.insert(key, Lane { limit: Some(limit), look_ms, is_woken: false });
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
