//! What is on its way to the client: the requests still to be answered, and the bytes still to be written.
//!
//! Messages are put into the queue in the order rmcp hands them over and written by whoever flushes next, so
//! a progress report never overtakes its result, and replies that come together leave in one write.

use std::collections::HashSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rmcp::model::RequestId;
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

use super::stdio::Writer;

/// While this many requests are unanswered, or this many bytes unread by the client, no more are taken in.
const IN_FLIGHT_MAX: usize = 256;
const QUEUE_BYTES_MAX: usize = 8 << 20;

/// A buffer that grew larger than this is given back.
const KEPT_BYTES: usize = 256 << 10;

pub(super) struct Outbox {
    state: Mutex<State>,
    writer: tokio::sync::Mutex<(Writer, Vec<u8>)>,
    room: Notify,
}

#[derive(Default)]
struct State {
    in_flight: HashSet<RequestId>,
    queue: Vec<u8>,
    closed: bool,
}

impl Outbox {
    pub(super) fn new(writer: Writer) -> Outbox {
        Outbox {
            state: Mutex::default(),
            writer: tokio::sync::Mutex::new((writer, Vec::new())),
            room: Notify::new(),
        }
    }

    /// Waits until another request may be taken in; false when the client can no longer be answered.
    pub(super) async fn has_room(&self) -> bool {
        loop {
            {
                let state = self.state();
                if state.closed {
                    return false;
                }
                if state.in_flight.len() < IN_FLIGHT_MAX && state.queue.len() < QUEUE_BYTES_MAX {
                    return true;
                }
            }
            self.room.notified().await;
        }
    }

    /// Notes a request; false when one with this id is still unanswered.
    pub(super) fn admit(&self, id: RequestId) -> bool {
        self.state().in_flight.insert(id)
    }

    /// Notes that a request will not be answered (any more).
    pub(super) fn settle(&self, id: &RequestId) {
        self.state().in_flight.remove(id);
        self.room.notify_one();
    }

    /// Queues one line.
    pub(super) fn push(&self, write: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<()>) -> io::Result<()> {
        let mut state = self.state();
        if state.closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let start = state.queue.len();
        if let Err(error) = write(&mut state.queue) {
            state.queue.truncate(start);
            return Err(error.into());
        }
        state.queue.push(b'\n');
        Ok(())
    }

    /// Writes everything that is queued.
    pub(super) async fn flush(&self) -> io::Result<()> {
        let mut guard = self.writer.lock().await;
        let (writer, batch) = &mut *guard;
        loop {
            batch.clear();
            batch.shrink_to(KEPT_BYTES);
            std::mem::swap(&mut self.state().queue, batch);
            if batch.is_empty() {
                return Ok(());
            }
            let written = match writer.write_all(batch).await {
                Ok(()) => writer.flush().await,
                Err(error) => Err(error),
            };
            if written.is_err() {
                self.close();
            }
            self.room.notify_one();
            written?;
        }
    }

    fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.queue = Vec::new();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
