//! What a test can make go wrong, while the stand-in runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::dice::Dice;

/// Something that goes wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is refused with this status before anything is done: 423, 429, 477, 500, 502, 503, 504, …
    Status { status: u16, retry_after: Option<RetryAfter> },
    /// The connection breaks before anything is done.
    Reset,
    /// It is done, and the connection breaks before the answer.
    LostAnswer,
    /// It is done, and half of the answer's JSON is missing.
    Malformed,
    /// One row of a batch fails, counted from zero, with this category of error; the other rows are not affected,
    /// unless the caller did not ask for an outcome of each row.
    Row { index: usize, category: &'static str },
}

/// How a refusal says when to come again: the header's two forms, or `HubSpot`'s way without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    Seconds(u32),
    /// An HTTP date so many seconds from now.
    Date(u32),
    /// No header: the body names the limit that was met, whose window has so many seconds.
    Policy(&'static str, u32),
}

/// When a fault happens.
#[derive(Debug, Clone)]
pub struct Rule {
    fault: Fault,
    path_part: String,
    left: Option<u32>,
    per_mille: u32,
}

/// Nothing works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// Every request is answered 503.
    Unavailable,
    /// Nothing listens, and connections break.
    Refused,
}

/// The faults of one stand-in. Clones are the same faults.
#[derive(Debug, Clone)]
pub struct Faults {
    planned: Arc<Mutex<Planned>>,
    outage: watch::Sender<Option<Outage>>,
}

#[derive(Debug)]
struct Planned {
    rules: Vec<Rule>,
    latency: Option<(Duration, Duration)>,
    dice: Dice,
}

/// What is to happen to one request.
#[derive(Debug, Default)]
pub(super) struct Fate {
    pub(super) latency: Duration,
    pub(super) fault: Option<Fault>,
}

impl Rule {
    /// The next so many requests.
    pub fn next(count: u32, fault: Fault) -> Rule {
        Rule { fault, path_part: String::new(), left: Some(count), per_mille: 1000 }
    }

    /// So many requests of a thousand, at random.
    pub fn often(per_mille: u32, fault: Fault) -> Rule {
        Rule { fault, path_part: String::new(), left: None, per_mille }
    }

    /// Only requests whose method and path, as in `POST /crm/objects/2026-09/contacts/batch/upsert`, contain this.
    #[must_use]
    pub fn at(mut self, path_part: &str) -> Rule {
        path_part.clone_into(&mut self.path_part);
        self
    }
}

impl Faults {
    pub(super) fn new(seed: u64) -> Faults {
        let planned = Planned { rules: Vec::new(), latency: None, dice: Dice::new(seed) };
        Faults { planned: Arc::new(Mutex::new(planned)), outage: watch::Sender::new(None) }
    }

    /// Adds a rule; the first one added that fits a request decides.
    pub fn add(&self, rule: Rule) {
        self.planned().rules.push(rule);
    }

    /// Every request takes this long before anything is done: at random between the two, or always the same.
    pub fn latency(&self, least: Duration, most: Duration) {
        self.planned().latency = Some((least, most));
    }

    /// Begins an outage, or ends it.
    pub fn outage(&self, outage: Option<Outage>) {
        self.outage.send_replace(outage);
    }

    /// How many faults of [`Rule::next`] have not happened yet.
    pub fn pending(&self) -> u32 {
        self.planned().rules.iter().filter_map(|rule| rule.left).sum()
    }

    /// All is well from now on.
    pub fn clear(&self) {
        let mut planned = self.planned();
        planned.rules.clear();
        planned.latency = None;
        drop(planned);
        self.outage(None);
    }

    pub(super) fn present_outage(&self) -> Option<Outage> {
        *self.outage.borrow()
    }

    pub(super) fn watch_outage(&self) -> watch::Receiver<Option<Outage>> {
        self.outage.subscribe()
    }

    /// Decides about a request. During an outage the rules wait.
    pub(super) fn fate(&self, method_and_path: &str) -> Fate {
        if self.present_outage().is_some() {
            return Fate::default();
        }
        let mut planned = self.planned();
        let Planned { rules, latency, dice } = &mut *planned;
        let latency = latency.map_or(Duration::ZERO, |(least, most)| dice.between(least, most));
        let fits =
            |rule: &&mut Rule| method_and_path.contains(&rule.path_part) && dice.chance(rule.per_mille);
        let fault = rules.iter_mut().filter(|rule| rule.left != Some(0)).find(fits).map(|rule| {
            rule.left = rule.left.map(|left| left - 1);
            rule.fault.clone()
        });
        Fate { latency, fault }
    }

    fn planned(&self) -> MutexGuard<'_, Planned> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_for_the_next_requests_ends_with_them() {
        let faults = Faults::new(1);
        faults.add(Rule::next(2, Fault::Reset).at("POST"));
        assert_eq!(faults.fate("GET /a").fault, None);
        assert_eq!(faults.fate("POST /a").fault, Some(Fault::Reset));
        assert_eq!(faults.pending(), 1);
        assert_eq!(faults.fate("POST /a").fault, Some(Fault::Reset));
        assert_eq!(faults.fate("POST /a").fault, None);
    }

    #[test]
    fn rules_wait_while_nothing_works() {
        let faults = Faults::new(1);
        faults.add(Rule::next(1, Fault::Reset));
        faults.outage(Some(Outage::Unavailable));
        assert_eq!(faults.fate("GET /a").fault, None);
        faults.outage(None);
        assert_eq!(faults.fate("GET /a").fault, Some(Fault::Reset));
    }

    #[test]
    fn clearing_ends_every_fault() {
        let faults = Faults::new(1);
        faults.add(Rule::often(1000, Fault::LostAnswer));
        faults.latency(Duration::from_secs(1), Duration::from_secs(2));
        assert!(faults.fate("GET /a").latency >= Duration::from_secs(1));
        faults.outage(Some(Outage::Refused));
        faults.clear();
        let fate = faults.fate("GET /a");
        assert_eq!((fate.latency, fate.fault), (Duration::ZERO, None));
        assert_eq!(faults.present_outage(), None);
    }
}
