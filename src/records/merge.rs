//! Last writer wins, per cell, and nothing else decides.
//!
//! A cell's state is its value and the version of the write that gave it. Merging two states keeps the
//! larger version, so the order in which writes arrive does not matter: the operation is commutative,
//! associative and idempotent. A cleared cell is a value like any other.

use std::cmp::Ordering;

use sha2::{Digest, Sha256};

use super::actor::Source;
use crate::tables::{Policy, Value};

/// When, from where and by whom a value was written. `ms` and `ctr` are a hybrid logical clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    pub ms: i64,
    pub ctr: i64,
    pub source: Source,
    pub actor: String,
}

/// A cell that has been written; `value` is none when it was cleared.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    pub value: Option<Value>,
    pub stamp: Stamp,
}

/// What a merge did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Both states have the same value: nothing to tell anyone.
    Same,
    /// The incoming write is the newer one and changes the value.
    Won,
    /// The incoming write is the older one.
    Lost,
}

/// Merges a write into a cell by the column's policy; `None` is a cell never written.
pub fn merge(policy: Policy, current: Option<Cell>, incoming: Cell) -> (Cell, Verdict) {
    let Some(current) = current else {
        let verdict = if incoming.value.is_some() { Verdict::Won } else { Verdict::Same };
        return (incoming, verdict);
    };
    let newer = compare(policy, &incoming, &current) == Ordering::Greater;
    match (newer, current.value == incoming.value) {
        (true, true) => (incoming, Verdict::Same),
        (false, true) => (current, Verdict::Same),
        (true, false) => (incoming, Verdict::Won),
        (false, false) => (current, Verdict::Lost),
    }
}

/// The total order of writes: the policy's rank, time, counter, rank of the source, then a hash of the value, so that
/// two different writes are never equal and every replica picks the same one.
pub fn compare(policy: Policy, a: &Cell, b: &Cell) -> Ordering {
    order(policy, a, b).0
}

/// What put one write before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    Policy,
    Time,
    Counter,
    SourceRank,
    ValueHash,
    /// The row was deleted.
    Tombstone,
}

/// The order of two writes, with what decides it.
pub fn order(policy: Policy, a: &Cell, b: &Cell) -> (Ordering, Rule) {
    let rank = |cell: &Cell| policy_rank(policy, cell.stamp.source);
    let steps = [
        (rank(a).cmp(&rank(b)), Rule::Policy),
        (a.stamp.ms.cmp(&b.stamp.ms), Rule::Time),
        (a.stamp.ctr.cmp(&b.stamp.ctr), Rule::Counter),
        (a.stamp.source.rank().cmp(&b.stamp.source.rank()), Rule::SourceRank),
    ];
    if let Some(decided) = steps.into_iter().find(|(order, _)| *order != Ordering::Equal) {
        return decided;
    }
    let by_hash = if a.value == b.value { Ordering::Equal } else { hash(a).cmp(&hash(b)) };
    // The same value written at the same moment by two hands: any fixed choice converges.
    let by_hand = (a.stamp.source.name(), &a.stamp.actor).cmp(&(b.stamp.source.name(), &b.stamp.actor));
    (by_hash.then(by_hand), Rule::ValueHash)
}

/// Where a policy puts a source's writes, whatever their time.
fn policy_rank(policy: Policy, source: Source) -> u8 {
    match (policy, source.system()) {
        (Policy::Lww, _) => 0,
        (Policy::AppWins | Policy::Manual, system) => u8::from(system.is_none()),
        (Policy::RemoteWins(wins), system) => u8::from(system == Some(wins)),
    }
}

impl Rule {
    pub const fn name(self) -> &'static str {
        match self {
            Rule::Policy => "policy",
            Rule::Time => "time",
            Rule::Counter => "counter",
            Rule::SourceRank => "source_rank",
            Rule::ValueHash => "value_hash",
            Rule::Tombstone => "tombstone",
        }
    }
}

/// The clock's next reading for a writer who has seen `newest`: later than that and not before `now_ms`.
pub fn tick(now_ms: i64, newest: Option<(i64, i64)>) -> (i64, i64) {
    match newest {
        Some((ms, ctr)) if ms >= now_ms => (ms, ctr + 1),
        _ => (now_ms, 0),
    }
}

fn hash(cell: &Cell) -> [u8; 32] {
    match &cell.value {
        Some(value) => Sha256::digest(value.canonical()).into(),
        None => [0; 32],
    }
}
