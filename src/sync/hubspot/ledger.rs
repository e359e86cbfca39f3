//! What has become of each push of one call so far.

use crate::sync::crm::{Answer, Landed, Pace};
use crate::sync::fault::Fault;

pub(super) struct Ledger {
    landed: Vec<Option<Landed>>,
    /// Records that were changed in part: whatever becomes of them, they are to be read back.
    begun: Vec<bool>,
    stopped: Option<Fault>,
    pub pace: Pace,
}

impl Ledger {
    pub(super) fn new(pushes: usize) -> Ledger {
        let landed = std::iter::repeat_with(|| None).take(pushes).collect();
        Ledger { landed, begun: vec![false; pushes], stopped: None, pace: Pace::default() }
    }

    pub(super) fn land(&mut self, place: usize, landed: Landed) {
        if let Some(slot) = self.landed.get_mut(place) {
            *slot = Some(landed);
        }
    }

    pub(super) fn is_written(&self, place: usize) -> bool {
        self.record(place).is_some()
    }

    /// The record that a push has written.
    pub(super) fn record(&self, place: usize) -> Option<&str> {
        match self.landed.get(place)? {
            Some(Landed::Written { record, .. }) => Some(record),
            _ => None,
        }
    }

    /// Takes a push's outcome back, because there is a second half to it.
    pub(super) fn reopen(&mut self, place: usize) {
        if let (Some(slot), Some(begun)) = (self.landed.get_mut(place), self.begun.get_mut(place)) {
            *slot = None;
            *begun = true;
        }
    }

    /// Ends the call with a fault: it befell the pushes at these places, and those without an outcome were not sent.
    pub(super) fn stop(&mut self, fault: &Fault, places: impl IntoIterator<Item = usize>) {
        for place in places {
            self.land(place, Landed::Later(fault.clone()));
        }
        self.stopped.get_or_insert_with(|| fault.clone());
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// The outcomes, or the fault when it is all that came of the call.
    pub(super) fn finish(self) -> Result<Answer<Vec<Landed>>, Fault> {
        let rest = Fault { sent: false, ..self.stopped.clone().unwrap_or_else(unnamed) };
        let landed: Vec<Landed> = self
            .landed
            .into_iter()
            .zip(self.begun)
            .map(|(landed, begun)| match landed.unwrap_or_else(|| Landed::Later(rest.clone())) {
                Landed::Later(fault) => Landed::Later(Fault { sent: fault.sent || begun, ..fault }),
                settled => settled,
            })
            .collect();
        let is_later = |landed: &Landed| matches!(landed, Landed::Later(_));
        match self.stopped {
            Some(fault) if landed.iter().all(is_later) => {
                let sent = landed.iter().any(|landed| matches!(landed, Landed::Later(fault) if fault.sent));
                Err(Fault { sent, ..fault })
            }
            _ => Ok(Answer { value: landed, pace: self.pace }),
        }
    }
}

/// The fault of a push of which an answer said nothing.
pub(super) fn unnamed() -> Fault {
    Fault::sent(crate::sync::fault::Class::Unexpected, "the answer says nothing of this record")
}
