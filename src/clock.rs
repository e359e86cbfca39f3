//! Where time, ids and randomness come from. Nothing else in the crate may ask the system for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The current time, in whole milliseconds. `Fixed` moves only when told to.
#[derive(Debug, Clone)]
pub enum Clock {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still at `now` until [`Clock::advance_ms`].
    pub fn fixed(now: DateTime<Utc>) -> Clock {
        Clock::Fixed(Arc::new(AtomicI64::new(now.timestamp_millis())))
    }

    pub fn now_ms(&self) -> i64 {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
            Clock::System => Utc::now().timestamp_millis(),
            Clock::Fixed(ms) => ms.load(Ordering::SeqCst),
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.now_ms()).unwrap_or_default()
    }

    /// Moves a fixed clock forward; the system's clock cannot be moved.
    pub fn advance_ms(&self, ms: i64) {
        if let Clock::Fixed(now) = self {
            now.fetch_add(ms, Ordering::SeqCst);
        }
    }
}

/// New row, change and request ids: `UUIDv7`, or a predictable sequence of the same form.
#[derive(Debug, Clone)]
pub enum Ids {
    Random,
    Counted(Arc<AtomicU64>),
}

impl Ids {
    /// Ids that are the same in every run that asks for them in the same order.
    pub fn counted(start: u64) -> Ids {
        Ids::Counted(Arc::new(AtomicU64::new(start)))
    }

    pub fn next(&self) -> Uuid {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place that makes random ids")]
            Ids::Random => Uuid::now_v7(),
            Ids::Counted(next) => {
                let n = next.fetch_add(1, Ordering::SeqCst);
                Uuid::from_u128((0x0190_0000_0000_7000_8000_0000_0000_0000_u128) | u128::from(n))
            }
        }
    }

    /// 32 unguessable bytes, for keys.
    pub fn secret(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (i, chunk) in bytes.chunks_mut(16).enumerate() {
            let id = match self {
                Ids::Random => Uuid::new_v4(),
                Ids::Counted(_) => Uuid::from_u128(i as u128),
            };
            chunk.copy_from_slice(id.as_bytes());
        }
        bytes
    }
}
