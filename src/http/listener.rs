//! Accepts connections, within their number, until it is asked to stop.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::Shared;
use super::connection::{self, Progress};
use super::router::router;

/// How long it waits when the system gives out no more connections.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` turns true, then lets those finish who have begun.
pub(super) async fn run(
    listener: TcpListener,
    shared: Arc<Shared>,
    tls: Option<TlsAcceptor>,
    mut stop: watch::Receiver<bool>,
) {
    let limits = shared.limits;
    let router = router(shared);
    let open = Arc::new(Open::new(limits.connections));
    let mut serving = JoinSet::new();
    while !*stop.borrow_and_update() {
        let accepted = tokio::select! {
            accepted = accept(&listener, &open) => accepted,
            _ = stop.changed() => continue,
        };
        while serving.try_join_next().is_some() {}
        let Some((stream, permit)) = accepted else { continue };
        let (router, tls, stop, open) = (router.clone(), tls.clone(), stop.clone(), Arc::clone(&open));
        serving.spawn(async move {
            let seat = Seat::take(open, permit, &limits);
            let progress = Arc::clone(&seat.progress);
            tokio::select! {
                () = connection::serve(stream, router, tls, progress, stop) => {}
                () = seat.progress.sent_away() => {}
            }
        });
    }
    drop(listener);
    let finish = async { while serving.join_next().await.is_some() {} };
    if timeout(limits.grace, finish).await.is_err() {
        tracing::warn!("connections were closed at the end before they were answered");
    }
    serving.shutdown().await;
}

/// The next connection with the right to be served. When there are as many as there may be, the one that has been idle
/// longest goes; while none is idle, the new one waits.
async fn accept(listener: &TcpListener, open: &Open) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let stream = match listener.accept().await {
        Ok((stream, _)) => stream,
        Err(error) => {
            tracing::warn!(%error, "a connection cannot be accepted");
            sleep(PAUSE).await;
            return None;
        }
    };
    // Answers are short and complete; waiting for more of them would only delay them.
    drop(stream.set_nodelay(true));
    let permit = if let Ok(permit) = Arc::clone(&open.permits).try_acquire_owned() {
        permit
    } else {
        open.send_idle_away();
        Arc::clone(&open.permits).acquire_owned().await.ok()?
    };
    Some((stream, permit))
}

/// The connections that are open.
struct Open {
    permits: Arc<Semaphore>,
    seats: Mutex<Seats>,
}

#[derive(Default)]
struct Seats {
    next: u64,
    taken: HashMap<u64, Arc<Progress>>,
}

/// A connection's place among them.
struct Seat {
    open: Arc<Open>,
    number: u64,
    progress: Arc<Progress>,
    _permit: OwnedSemaphorePermit,
}

impl Open {
    fn new(connections: usize) -> Open {
        Open { permits: Arc::new(Semaphore::new(connections)), seats: Mutex::default() }
    }

    fn send_idle_away(&self) {
        let seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = seats.taken.values().filter_map(|progress| Some((progress.idle_since()?, progress)));
        let oldest: Option<(Instant, _)> = idle.min_by_key(|(since, _)| *since);
        if let Some((_, progress)) = oldest {
            progress.send_away();
        }
    }
}

impl Seat {
    fn take(open: Arc<Open>, permit: OwnedSemaphorePermit, limits: &super::Limits) -> Seat {
        let progress = Arc::new(Progress::new(limits));
        let mut seats = open.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let number = seats.next;
        seats.next += 1;
        seats.taken.insert(number, Arc::clone(&progress));
        drop(seats);
        Seat { open, number, progress, _permit: permit }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.open.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.taken.remove(&self.number);
    }
}
