//! Until when a CRM asked not to be called: whoever calls it with the same token, no request goes out before.
//!
//! [`super::pace::Limit`] plans the calls of a worker by what its last one came to. Here every single request is held to what
//! any answer said, also that to a request beside it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::fault::Fault;
use crate::clock::Clock;

/// What the accounts of a process asked for. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Patience {
    clock: Clock,
    asked: Arc<Mutex<Asked>>,
}

/// By a hash of the token: the end of the wait, and the refusal that asked for it.
type Asked = HashMap<[u8; 32], (i64, Fault)>;

impl Patience {
    pub(super) fn new(clock: Clock) -> Patience {
        Patience { clock, asked: Arc::default() }
    }

    /// Whether a request may go out; else the refusal whose wait is not over yet.
    pub(super) fn check(&self, token: &SecretString) -> Result<(), Fault> {
        let now_ms = self.clock.now_ms();
        match self.asked().get(&key(token)) {
            Some((until_ms, fault)) if now_ms < *until_ms => {
                Err(Fault { retry_after_ms: Some(until_ms - now_ms), sent: false, ..fault.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Notes a refusal that says how long the whole account is not to be called. The longest wait counts.
    pub(super) fn note(&self, token: &SecretString, fault: &Fault) {
        let Some(wait_ms) = fault.retry_after_ms.filter(|_| fault.class.is_of_connection()) else { return };
        let now_ms = self.clock.now_ms();
        let until_ms = now_ms.saturating_add(wait_ms);
        let mut asked = self.asked();
        asked.retain(|_, (until_ms, _)| now_ms < *until_ms);
        let known = asked.entry(key(token)).or_insert_with(|| (until_ms, fault.clone()));
        if known.0 < until_ms {
            *known = (until_ms, fault.clone());
        }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(token: &SecretString) -> [u8; 32] {
    Sha256::digest(token.expose_secret()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::fault::Class;

    #[test]
    fn the_longest_wait_counts_for_its_token_alone() {
        let clock = Clock::fixed(chrono::DateTime::UNIX_EPOCH);
        let patience = Patience::new(clock.clone());
        let (one, other) = (SecretString::from("one"), SecretString::from("other"));
        let refused = |class, wait_ms| Fault { retry_after_ms: wait_ms, ..Fault::sent(class, "wait") };
        patience.note(&one, &refused(Class::RateLimited, Some(2_000)));
        patience.note(&one, &refused(Class::Unavailable, Some(5_000)));
        patience.note(&one, &refused(Class::RateLimited, Some(1_000)));
        // Neither says anything of other requests.
        patience.note(&other, &refused(Class::Locked, Some(9_000)));
        patience.note(&other, &refused(Class::RateLimited, None));
        assert_eq!(patience.check(&other), Ok(()));
        clock.advance_ms(4_999);
        let fault = Fault { sent: false, ..refused(Class::Unavailable, Some(1)) };
        assert_eq!(patience.check(&one), Err(fault));
        clock.advance_ms(1);
        assert_eq!(patience.check(&one), Ok(()));
    }
}
