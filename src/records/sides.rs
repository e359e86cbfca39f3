//! One cell as we and every CRM know it: its value, what each CRM held over time, and which edits were lost.
//!
//! Pure. Events may come late, twice and in any order; what is computed here depends on which writes are known, not on when
//! they came to be known. Three rules carry that:
//!
//! - The cell is the largest write by [`merge`]. Nothing else decides it.
//! - What is known to be at a CRM (its [`Shadow`]) moves with every write seen there, our own too: an echo confirms, it is
//!   neither an edit nor noise. Where cell and shadow differ, the CRM must be told, whoever wrote the cell.
//! - An edit is lost when a larger write stands in its place and nobody who wrote later had seen it: at a CRM, whoever
//!   wrote the next value there had seen the one before it.

use std::cmp::Ordering;

use uuid::Uuid;

use super::actor::Source;
use super::merge::{Cell, Rule, Stamp, Verdict, merge, order};
use crate::tables::{Policy, Value};

/// How far a CRM's clock may be ahead when a write is first taken in.
pub const SKEW_MAX_MS: i64 = 60_000;

/// How far apart a CRM's answer and its echo may put one write.
const ECHO_MS: u64 = 10_000;

/// A cell with what is known of it.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub current: Option<Cell>,
    pub sides: Vec<Side>,
    /// Our own writes that a CRM's write put out, each until somebody is known to have seen it.
    pub put_out: Vec<Cell>,
}

/// One CRM's part in a cell.
#[derive(Debug, Clone)]
pub struct Side {
    pub source: Source,
    pub shadow: Option<Shadow>,
    /// The values that were there, oldest first.
    pub timeline: Vec<Entry>,
    /// What we sent and have not yet seen there.
    pub sent: Vec<Sent>,
}

/// The last value known to be at a CRM, and since when by its clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Shadow {
    pub value: Option<Value>,
    pub at_ms: i64,
}

/// A value that was at a CRM from a moment on.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub id: Uuid,
    /// The moment that the CRM reported: by it values stand in order.
    pub reported_ms: i64,
    /// The moment that it counts from when it is compared with writes of others.
    pub at_ms: i64,
    pub value: Option<Value>,
    pub by: By,
    /// Whether the cell did not take it, or a CRM's write took its place.
    pub is_lost: bool,
}

/// Who wrote a value at a CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// We, with the version of the cell that was sent, when that is known.
    Us(Option<(i64, i64)>),
    Other(String),
}

/// A value on its way to a CRM.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    pub id: Uuid,
    pub value: Option<Value>,
    pub version: (i64, i64),
}

/// A write as a CRM tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    pub value: Option<Value>,
    pub reported_ms: i64,
    /// When we were told.
    pub received_ms: i64,
    pub by_us: bool,
    pub actor: String,
}

/// An edit that was lost.
#[derive(Debug, Clone, PartialEq)]
pub struct Lost {
    pub loser: Cell,
    pub reported_ms: Option<i64>,
    pub winner: Cell,
    pub rule: Rule,
}

impl Known {
    /// Takes in what a CRM tells. `id` names the write if it is a new one.
    pub fn observe(&mut self, policy: Policy, source: Source, seen: &Observation, id: Uuid) {
        let Some(side) = self.sides.iter_mut().find(|side| side.source == source) else { return };
        if seen.by_us {
            side.arrived(seen, id);
            return;
        }
        let known = |entry: &&Entry| {
            entry.reported_ms == seen.reported_ms
                && entry.value == seen.value
                && matches!(entry.by, By::Other(_))
        };
        if side.timeline.iter().any(|entry| known(&entry)) {
            return;
        }
        let entry = Entry {
            id,
            at_ms: side.counted_from(seen),
            reported_ms: seen.reported_ms,
            value: seen.value.clone(),
            by: By::Other(seen.actor.clone()),
            is_lost: false,
        };
        let incoming = entry.cell(source);
        side.insert(entry);
        side.advance(seen.value.as_ref(), seen.reported_ms);
        let before = self.current.clone();
        let (merged, verdict) = merge(policy, before.clone(), incoming);
        self.current = Some(merged);
        match (verdict, before) {
            (Verdict::Lost, _) => self.mark_lost(id),
            (Verdict::Won, Some(before)) => self.put_out(before),
            (Verdict::Won, None) | (Verdict::Same, _) => {}
        }
        self.changed();
    }

    /// What stands now is not lost, whoever else wrote it before: to be called after every change of the cell.
    pub fn changed(&mut self) {
        let Some(current) = &self.current else { return };
        self.put_out.retain(|cell| cell.value != current.value);
        let entries = self.sides.iter_mut().flat_map(|side| &mut side.timeline);
        entries.filter(|entry| entry.value == current.value).for_each(|entry| entry.is_lost = false);
    }

    /// Decides anew between what stands and those of the lost edits that `may` stand, by a policy that was not the column's when
    /// they were lost.
    pub fn decide(&mut self, policy: Policy, may: impl Fn(&Cell) -> bool) {
        let lost = self.lost(policy).into_iter().map(|lost| lost.loser).filter(may);
        let Some(best) = lost.max_by(|one, other| order(policy, one, other).0) else { return };
        let before = self.current.clone();
        let (merged, verdict) = merge(policy, before.clone(), best);
        self.current = Some(merged);
        if let (Verdict::Won, Some(before)) = (verdict, before) {
            self.put_out(before);
            self.changed();
        }
    }

    /// Takes in that the CRM answered to what was sent: it was there at `at_ms`.
    pub fn acknowledged(&mut self, source: Source, sent: Uuid, at_ms: i64) {
        if let Some(side) = self.sides.iter_mut().find(|side| side.source == source) {
            side.acknowledged(sent, at_ms);
        }
    }

    /// The edits that are lost, as far as is known.
    pub fn lost(&self, policy: Policy) -> Vec<Lost> {
        let Some(winner) = &self.current else { return Vec::new() };
        let theirs = self.sides.iter().flat_map(|side| {
            let lost = side.timeline.iter().filter(|entry| entry.is_lost);
            lost.map(|entry| (entry.cell(side.source), Some(entry.reported_ms)))
        });
        let ours = self.put_out.iter().map(|cell| (cell.clone(), None));
        theirs
            .chain(ours)
            .filter(|(loser, _)| loser.value != winner.value && !self.was_seen(loser))
            .map(|(loser, reported_ms)| {
                let rule = order(policy, winner, &loser).1;
                Lost { loser, reported_ms, winner: winner.clone(), rule }
            })
            .collect()
    }

    /// Whether somebody who wrote later had this value before them.
    fn was_seen(&self, write: &Cell) -> bool {
        self.sides.iter().any(|side| {
            let nexts = side.timeline.iter().zip(side.timeline.iter().skip(1));
            nexts.into_iter().any(|(entry, next)| {
                let is_same = entry.value == write.value && write.stamp.ms <= next.at_ms;
                matches!(next.by, By::Other(_)) && (is_same || entry.is(write, side.source))
            })
        })
    }

    /// Notes that a CRM's write took the place of this one.
    fn put_out(&mut self, write: Cell) {
        match write.stamp.source.system() {
            Some(_) => {
                let entries = self.sides.iter().filter(|side| side.source == write.stamp.source);
                let entry = entries.flat_map(|side| &side.timeline).find(|entry| entry.is_its(&write));
                if let Some(id) = entry.map(|entry| entry.id) {
                    self.mark_lost(id);
                }
            }
            // A computation is nobody's edit.
            None if write.stamp.source == Source::Derived => {}
            None => self.put_out.push(write),
        }
    }

    fn mark_lost(&mut self, id: Uuid) {
        let entries = self.sides.iter_mut().flat_map(|side| &mut side.timeline);
        entries.filter(|entry| entry.id == id).for_each(|entry| entry.is_lost = true);
    }
}

impl Side {
    pub fn new(source: Source) -> Side {
        Side { source, shadow: None, timeline: Vec::new(), sent: Vec::new() }
    }

    /// Whether the CRM must be told of the cell's value.
    pub fn differs(&self, cell: Option<&Cell>) -> bool {
        differs(cell.and_then(|cell| cell.value.as_ref()), self.shadow.as_ref())
    }

    /// The moment that a write counts from: what the CRM says, but not far ahead of our clock, and in the order in which the
    /// CRM's own writes stand. It is settled when the write is first taken in.
    fn counted_from(&self, seen: &Observation) -> i64 {
        let theirs = || self.timeline.iter().filter(|entry| matches!(entry.by, By::Other(_)));
        let earlier =
            theirs().filter(|entry| entry.reported_ms < seen.reported_ms).map(|entry| entry.at_ms).max();
        let later =
            theirs().filter(|entry| entry.reported_ms > seen.reported_ms).map(|entry| entry.at_ms).min();
        let at_ms = seen.reported_ms.min(seen.received_ms.saturating_add(SKEW_MAX_MS));
        let at_ms = earlier.map_or(at_ms, |earlier| at_ms.max(earlier + 1));
        later.map_or(at_ms, |later| at_ms.min(later - 1))
    }

    /// A write of ours is there: an echo, or our own among the values of a history.
    fn arrived(&mut self, seen: &Observation, id: Uuid) {
        let at_ms = seen.reported_ms;
        if let Some(place) = self.sent.iter().position(|sent| sent.value == seen.value) {
            let sent = self.sent.remove(place);
            self.land(sent, at_ms);
        } else if let Some(place) = self.nearest_of_ours(seen) {
            // The echo of what was acknowledged tells the moment more exactly than the answer did.
            let entry = self.timeline.remove(place);
            self.insert(Entry { reported_ms: at_ms, ..entry });
        } else {
            self.insert(Entry {
                id,
                at_ms,
                reported_ms: at_ms,
                value: seen.value.clone(),
                by: By::Us(None),
                is_lost: false,
            });
        }
        self.advance(seen.value.as_ref(), at_ms);
    }

    /// The place of our write that an echo is most likely of: the same value, there at about the same time.
    fn nearest_of_ours(&self, seen: &Observation) -> Option<usize> {
        let apart = |entry: &Entry| entry.reported_ms.abs_diff(seen.reported_ms);
        let ours = self.timeline.iter().enumerate().filter(|(_, entry)| {
            matches!(entry.by, By::Us(_)) && entry.value == seen.value && apart(entry) <= ECHO_MS
        });
        ours.min_by_key(|(_, entry)| apart(entry)).map(|(place, _)| place)
    }

    fn acknowledged(&mut self, id: Uuid, at_ms: i64) {
        let Some(place) = self.sent.iter().position(|sent| sent.id == id) else { return };
        let sent = self.sent.remove(place);
        let value = sent.value.clone();
        self.land(sent, at_ms);
        self.advance(value.as_ref(), at_ms);
    }

    fn land(&mut self, sent: Sent, at_ms: i64) {
        self.insert(Entry {
            id: sent.id,
            at_ms,
            reported_ms: at_ms,
            value: sent.value,
            by: By::Us(Some(sent.version)),
            is_lost: false,
        });
    }

    fn insert(&mut self, entry: Entry) {
        let place = self.timeline.partition_point(|known| known.order(&entry) == Ordering::Less);
        self.timeline.insert(place, entry);
    }

    /// Moves the shadow to a value that is newer there. Of two at one moment, every order of arrival picks the same.
    fn advance(&mut self, value: Option<&Value>, at_ms: i64) {
        let key = |value: Option<&Value>| value.map(Value::canonical);
        let newer = match &self.shadow {
            None => true,
            Some(shadow) => (at_ms, key(value)) > (shadow.at_ms, key(shadow.value.as_ref())),
        };
        if newer {
            self.shadow = Some(Shadow { value: value.cloned(), at_ms });
        }
    }
}

/// Whether a CRM must be told of a value: an unknown shadow is an empty one.
pub fn differs(value: Option<&Value>, shadow: Option<&Shadow>) -> bool {
    value != shadow.and_then(|shadow| shadow.value.as_ref())
}

impl Entry {
    /// The write as one of the cell's.
    fn cell(&self, source: Source) -> Cell {
        let actor = match &self.by {
            By::Us(_) => String::new(),
            By::Other(actor) => actor.clone(),
        };
        Cell { value: self.value.clone(), stamp: Stamp { ms: self.at_ms, ctr: 0, source, actor } }
    }

    /// Whether this value at the CRM is that write: made there, or brought there by us.
    fn is(&self, write: &Cell, source: Source) -> bool {
        match self.by {
            By::Other(_) => write.stamp.source == source && self.is_its(write),
            By::Us(version) => version == Some((write.stamp.ms, write.stamp.ctr)),
        }
    }

    fn is_its(&self, write: &Cell) -> bool {
        matches!(self.by, By::Other(_)) && self.at_ms == write.stamp.ms && self.value == write.value
    }

    /// The order of values at a CRM. Of two at one moment, every order of arrival picks the same.
    pub(super) fn order(&self, other: &Entry) -> Ordering {
        let key = |entry: &Entry| entry.value.as_ref().map(Value::canonical);
        self.reported_ms.cmp(&other.reported_ms).then_with(|| key(self).cmp(&key(other)))
    }
}
