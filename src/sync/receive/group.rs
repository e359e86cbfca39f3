//! Puts deliveries into the inbox. Those that come while a commit is under way share the next one, because a commit costs
//! the same for one event as for a hundred.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::Refused;
use crate::error::{Code, Result};
use crate::store::Org;
use crate::store::inbox::{self, Arrived};
use crate::sync::engine::Engine;

/// How many deliveries wait at most; others wait to be let in.
const WAITING: usize = 1_024;
/// How many events one transaction takes, unless a single delivery brings more.
const EVENTS: usize = 2_000;

/// The way to the one who inserts.
#[derive(Debug)]
pub(super) struct Group {
    deliveries: mpsc::Sender<Delivery>,
}

type Event = (Org, &'static str, Arrived);

struct Delivery {
    events: Vec<Event>,
    done: oneshot::Sender<Result<(), Refused>>,
}

impl Group {
    /// Starts the one who inserts; it ends with the last who can send to it.
    pub(super) fn start(engine: Arc<Engine>) -> Group {
        let (deliveries, waiting) = mpsc::channel(WAITING);
        tokio::spawn(insert_all(engine, waiting));
        Group { deliveries }
    }

    /// Returns when the events are committed. Those that came before are not kept twice.
    pub(super) async fn insert(&self, events: Vec<Event>) -> Result<(), Refused> {
        if events.is_empty() {
            return Ok(());
        }
        let (done, result) = oneshot::channel();
        let sent = self.deliveries.send(Delivery { events, done }).await;
        sent.map_err(|_| Refused::NotStored)?;
        result.await.unwrap_or(Err(Refused::NotStored))
    }
}

async fn insert_all(engine: Arc<Engine>, mut waiting: mpsc::Receiver<Delivery>) {
    while let Some(first) = waiting.recv().await {
        let mut events = first.events.len();
        let mut group = vec![first];
        while events < EVENTS
            && let Ok(next) = waiting.try_recv()
        {
            events += next.events.len();
            group.push(next);
        }
        insert_group(&engine, group).await;
    }
}

async fn insert_group(engine: &Engine, group: Vec<Delivery>) {
    let size = group.len();
    let inserted = insert(engine, &group).await;
    // One that the database does not take must not keep out the others.
    if let Err(code) = inserted
        && size > 1
        && code != Code::Busy
    {
        for delivery in group {
            let alone = [delivery];
            let inserted = insert(engine, &alone).await;
            answer(alone, inserted);
        }
    } else {
        answer(group, inserted);
    }
    engine.wake();
}

fn answer(deliveries: impl IntoIterator<Item = Delivery>, inserted: Result<(), Code>) {
    for delivery in deliveries {
        // Nobody hears it when the sender has gone away.
        let _ = delivery.done.send(inserted.map_err(|_| Refused::NotStored));
    }
}

async fn insert(engine: &Engine, group: &[Delivery]) -> Result<(), Code> {
    // In one order, so that two processes that are told the same never wait for each other in a circle.
    let mut events: Vec<&Event> = group.iter().flat_map(|delivery| &delivery.events).collect();
    events.sort_unstable_by(|a, b| (a.0, a.1, &a.2.dedupe_key).cmp(&(b.0, b.1, &b.2.dedupe_key)));
    commit(engine, &events).await.map_err(|error| {
        let cause = error.cause().map(ToString::to_string);
        tracing::warn!(%error, cause, events = events.len(), "events could not be kept");
        error.code
    })
}

async fn commit(engine: &Engine, events: &[&Event]) -> Result<()> {
    let mut tx = engine.store.begin().await?;
    inbox::insert(&mut tx, events).await?;
    tx.commit().await
}
