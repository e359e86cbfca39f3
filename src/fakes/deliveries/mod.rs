//! Webhook deliveries of a stand-in: where they go, what goes wrong with them on their way, and whether all are done.
//!
//! A stand-in never calls a host of the network. What is registered is a public address, as the CRMs want it, and
//! signatures are over that one; a delivery goes to the local address that stands for it, or fails as if nobody
//! listened. Nothing is delivered before the first [`Deliveries::route`]: until then events wait for whoever takes them.

mod courier;
mod office;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::{Notify, watch};

pub(super) use self::courier::Courier;
use self::office::Office;

/// The deliveries of one stand-in. Clones are the same deliveries.
#[derive(Debug, Clone)]
pub struct Deliveries(Arc<Shared>);

/// What happens to events on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// In any order, not in that in which they happened.
    pub shuffle: bool,
    /// How often each is delivered: at random between the two.
    pub copies: (u32, u32),
    /// So many events of a thousand are never delivered.
    pub lost_per_mille: u32,
    /// How long each waits before it is delivered: at random between the two.
    pub delay: (Duration, Duration),
    /// The least wait before a delivery is repeated, for its first repetition; each further one waits longer.
    pub retry: Duration,
    /// After which time without an answer a delivery has failed.
    pub timeout: Duration,
    /// The most events in a delivery, where the CRM puts several into one.
    pub together: usize,
}

/// A delivery that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The address as it was registered.
    pub target: String,
    pub events: usize,
    /// How often the delivery had been tried before.
    pub number: u32,
    /// What was answered; none when nothing was in time.
    pub status: Option<u16>,
}

#[derive(Debug)]
struct Shared {
    office: Mutex<Office>,
    /// Something may have to be done.
    wake: Notify,
    /// Up to which call of `flush` everything is done.
    done: watch::Sender<u64>,
}

/// An event on its way to one subscriber.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) to: Arc<Subscriber>,
    pub(super) event: Value,
    /// The same for every delivery of this event to this subscriber.
    pub(super) key: String,
    pub(super) attempt: u32,
}

/// Who gets events, and what signs them.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) target: String,
    /// A webhook's id where deliveries carry it.
    pub(super) webhook: String,
    pub(super) secret: SecretString,
    /// The most deliveries at once, and the most events in each.
    pub(super) at_once: usize,
    pub(super) together: usize,
}

/// A delivery as it is sent.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// A CRM that tells subscribers what happened.
pub(super) trait Sender {
    /// Takes what has happened since the last call, a letter for every subscriber.
    fn letters(&mut self) -> Vec<Letter>;

    /// The delivery of some letters to one subscriber, signed at a moment.
    fn seal(letters: &[Letter], now_ms: i64) -> Envelope;

    /// Learns that a subscriber did not take an event, however often it was tried.
    fn undeliverable(&mut self, to: &Subscriber);
}

impl Default for Habits {
    /// As reliable as documented, but for the hours between repetitions.
    fn default() -> Habits {
        Habits {
            shuffle: false,
            copies: (1, 1),
            lost_per_mille: 0,
            delay: (Duration::ZERO, Duration::ZERO),
            retry: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
            together: 100,
        }
    }
}

impl Deliveries {
    pub(super) fn new(seed: u64) -> Deliveries {
        Deliveries(Arc::new(Shared {
            office: Mutex::new(Office::new(seed)),
            wake: Notify::new(),
            done: watch::Sender::new(0),
        }))
    }

    /// Delivers what is for addresses that begin with `public` to those that begin with `local` instead, from now on.
    pub fn route(&self, public: &str, local: &str) {
        let trimmed = |address: &str| address.trim_end_matches('/').to_owned();
        self.office().route(trimmed(public), trimmed(local));
        self.wake();
    }

    /// What happens to events from now on.
    pub fn set_habits(&self, habits: Habits) {
        self.office().habits = habits;
        self.wake();
    }

    /// Begins no further delivery until [`Deliveries::resume`].
    pub fn pause(&self) {
        self.office().paused = true;
    }

    pub fn resume(&self) {
        self.office().paused = false;
        self.wake();
    }

    /// Waits until every event that has happened was delivered, lost or given up. While deliveries are paused, it waits.
    pub async fn flush(&self) {
        let mut done = self.0.done.subscribe();
        let wanted = self.office().ask();
        self.wake();
        // The sender is in `self`, so it cannot be gone.
        drop(done.wait_for(|done| *done >= wanted).await);
    }

    /// How many deliveries of events wait or are under way.
    pub fn waiting(&self) -> usize {
        self.office().waiting()
    }

    /// Every delivery that was tried, in the order in which they ended.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.office().attempts.clone()
    }

    /// How many deliveries of events were given up after their last repetition.
    pub fn given_up(&self) -> usize {
        self.office().given_up
    }

    /// How many events were lost on purpose.
    pub fn lost(&self) -> usize {
        self.office().lost
    }

    pub(super) fn wake(&self) {
        self.0.wake.notify_one();
    }

    fn office(&self) -> MutexGuard<'_, Office> {
        self.0.office.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
