//! A history: people edit in the app and in the CRMs, and the wires between them are as bad as they get. The world knows
//! what really happened, so it can say what must have been lost without asking the product.

use opstables::records::sides::Observation;
use opstables::records::{Life, Source};
use opstables::tables::Value;
use uuid::Uuid;

use crate::schedules::dice::Dice;

/// When every history begins.
pub(super) const BEGIN_MS: i64 = 1_772_445_600_000;

pub(super) type Version = (i64, i64);
pub(super) type WrittenBy = Source;

/// Our side, which the history is played to.
pub(super) trait Ours {
    async fn edit(&mut self, value: Option<Value>, now_ms: i64) -> Version;
    async fn observe(&mut self, source: Source, seen: Observation);
    /// Sends the cell to a CRM if it must be told: the sending's id and the value.
    async fn send(&mut self, source: Source, now_ms: i64) -> Option<(Uuid, Option<Value>)>;
    async fn acknowledged(&mut self, source: Source, sent: Uuid, at_ms: i64);
    /// The whole history of the property at the CRM: what is not in it never arrived.
    async fn read_back(&mut self, source: Source, history: Vec<Observation>);
    async fn current(&mut self) -> Option<(Option<Value>, Version, WrittenBy)>;
    /// A CRM says that it deleted or restored the record.
    async fn lives(&mut self, source: Source, life: Life, received_ms: i64);
    /// Somebody here brings the archived row back; the version.
    async fn restore(&mut self, now_ms: i64) -> Version;
    async fn is_archived(&mut self) -> bool;
    async fn lost(&mut self) -> Vec<(Option<Value>, Version, WrittenBy)>;
}

pub(super) struct World<O> {
    ours: O,
    dice: Dice,
    now_ms: i64,
    remotes: Vec<Remote>,
    writes: Vec<Write>,
    /// When somebody here brought the row back.
    restored_ms: Vec<i64>,
    values: usize,
    is_skewed: bool,
}

/// A person's edit, wherever it was made.
struct Write {
    value: Option<Value>,
    source: Source,
    /// Unknown while we have not heard of an edit at a CRM.
    version: Option<Version>,
    /// Whether somebody edited with this value before them.
    seen: bool,
}

/// A CRM: its property's values over time, and what is on the wire.
struct Remote {
    source: Source,
    skew_ms: i64,
    history: Vec<Held>,
    /// Events that were not delivered yet, by their place in the history.
    events: Vec<usize>,
    /// The record's deletions and restorings, each with when we first heard of it.
    lives: Vec<(Life, Option<i64>)>,
    /// Those that were not delivered yet.
    life_events: Vec<usize>,
    is_gone: bool,
    sending: Option<Sending>,
    in_doubt: bool,
}

struct Held {
    value: Option<Value>,
    at_ms: i64,
    by_us: bool,
    /// The person's edit that this value is from.
    write: Option<usize>,
}

struct Sending {
    id: Uuid,
    value: Option<Value>,
    write: Option<usize>,
    /// When it was there, once it was.
    applied_ms: Option<i64>,
}

impl<O: Ours> World<O> {
    pub(super) fn new(seed: u64, ours: O) -> World<O> {
        let mut dice = Dice::new(seed);
        let is_skewed = dice.chance(50);
        let mut remote = |source| Remote {
            source,
            skew_ms: if is_skewed { i64::try_from(dice.roll(1_200_001)).unwrap_or(0) - 600_000 } else { 0 },
            history: Vec::new(),
            events: Vec::new(),
            lives: Vec::new(),
            life_events: Vec::new(),
            is_gone: false,
            sending: None,
            in_doubt: false,
        };
        let remotes = vec![remote(Source::Hubspot), remote(Source::Attio)];
        World {
            ours,
            dice,
            now_ms: BEGIN_MS,
            remotes,
            writes: Vec::new(),
            restored_ms: Vec::new(),
            values: 0,
            is_skewed,
        }
    }

    pub(super) async fn play(mut self) {
        for _ in 0..4 + self.dice.roll(24) {
            self.now_ms += 1 + i64::try_from(self.dice.roll(20_000)).unwrap_or(0);
            let remote = self.dice.roll(2);
            match self.dice.roll(21) {
                0..=3 => self.edit_in_app().await,
                4..=7 => self.edit_at(remote),
                8..=11 => self.send(remote).await,
                12 | 13 => self.answer(remote).await,
                14 => self.delete_or_restore_at(remote),
                _ => self.deliver(remote).await,
            }
            self.look().await;
        }
        self.settle().await;
        self.check().await;
    }

    /// A new value, or in one of ten edits a clearing. Where clocks differ every value is another one, so that who had seen
    /// what needs no clock.
    fn value(&mut self) -> Option<Value> {
        self.values += 1;
        (self.is_skewed || !self.dice.chance(10)).then(|| Value::Text(format!("v{}", self.values)))
    }

    /// An archived row takes no edits: it may be brought back first.
    async fn edit_in_app(&mut self) {
        if self.ours.is_archived().await {
            if self.dice.chance(50) {
                return;
            }
            let (restored_ms, _) = self.ours.restore(self.now_ms).await;
            self.restored_ms.push(restored_ms);
        }
        let value = self.value();
        let current = self.ours.current().await;
        if current.as_ref().is_none_or(|(current, ..)| *current == value) && value.is_none() {
            return;
        }
        self.has_seen(self.current_write(current), |write| write.version.is_some());
        let version = self.ours.edit(value.clone(), self.now_ms).await;
        self.writes.push(Write { value, source: Source::App, version: Some(version), seen: false });
    }

    /// Somebody edits with this edit's value before them, which others may have written too: in the app, as far as we had
    /// heard of them.
    fn has_seen(&mut self, base: Option<usize>, may_be: impl Fn(&Write) -> bool) {
        let Some(value) = base.map(|base| self.writes[base].value.clone()) else { return };
        let same = self.writes.iter_mut().filter(|write| write.value == value && may_be(write));
        same.for_each(|write| write.seen = true);
    }

    /// An edit is not lost while the same value stands, whoever wrote that.
    async fn look(&mut self) {
        let current = self.ours.current().await;
        let Some(standing) = self.current_write(current) else { return };
        let value = self.writes[standing].value.clone();
        for (place, write) in self.writes.iter_mut().enumerate() {
            let is_known = write.version.is_some() && place != standing;
            write.seen |= is_known && write.value == value;
        }
    }

    /// The person's edit that the cell's value is from.
    fn current_write(&self, current: Option<(Option<Value>, Version, WrittenBy)>) -> Option<usize> {
        let (value, version, source) = current?;
        let is_it =
            |write: &Write| write.value == value && write.version == Some(version) && write.source == source;
        Some(self.writes.iter().position(is_it).expect("a value that somebody wrote"))
    }

    fn edit_at(&mut self, remote: usize) {
        if self.remotes[remote].is_gone {
            return;
        }
        let value = self.value();
        let base = self.remotes[remote].history.last();
        if base.map_or(value.is_none(), |base| base.value == value) {
            return;
        }
        self.has_seen(base.and_then(|base| base.write), |_| true);
        let source = self.remotes[remote].source;
        self.writes.push(Write { value: value.clone(), source, version: None, seen: false });
        let write = Some(self.writes.len() - 1);
        self.hold(remote, value, write, false);
    }

    /// Somebody deletes the record there, or brings it back.
    fn delete_or_restore_at(&mut self, remote: usize) {
        let at_ms = self.moment(remote);
        let remote = &mut self.remotes[remote];
        remote.is_gone = !remote.is_gone;
        remote.life_events.push(remote.lives.len());
        let life = if remote.is_gone { Life::Deleted(at_ms) } else { Life::Restored(at_ms) };
        remote.lives.push((life, None));
    }

    /// Now by the clock of a CRM, after everything else that happened there.
    fn moment(&self, remote: usize) -> i64 {
        let now_ms = self.now_ms;
        let remote = &self.remotes[remote];
        let held = remote.history.last().map_or(i64::MIN, |held| held.at_ms);
        let lived = remote.lives.last().map_or(i64::MIN, |(life, _)| life.ms());
        (now_ms + remote.skew_ms).max(held + 1).max(lived + 1)
    }

    /// The property has a value from now on, and an event tells of it.
    fn hold(&mut self, remote: usize, value: Option<Value>, write: Option<usize>, by_us: bool) -> i64 {
        let at_ms = self.moment(remote);
        let remote = &mut self.remotes[remote];
        remote.events.push(remote.history.len());
        remote.history.push(Held { value, at_ms, by_us, write });
        at_ms
    }

    async fn send(&mut self, remote: usize) {
        if self.remotes[remote].sending.is_some() {
            return;
        }
        if self.remotes[remote].in_doubt {
            self.read_back(remote).await;
        }
        let source = self.remotes[remote].source;
        let current = self.ours.current().await;
        let Some((id, value)) = self.ours.send(source, self.now_ms).await else { return };
        let write = self.current_write(current);
        self.remotes[remote].sending = Some(Sending { id, value, write, applied_ms: None });
    }

    /// The next thing that happens to what is being sent: it arrives or not, it is answered or not.
    async fn answer(&mut self, remote: usize) {
        let Some(mut sending) = self.remotes[remote].sending.take() else { return };
        let source = self.remotes[remote].source;
        match sending.applied_ms {
            None if self.remotes[remote].is_gone || self.dice.chance(10) => {
                self.remotes[remote].in_doubt = true;
            }
            None => {
                let at_ms = self.hold(remote, sending.value.clone(), sending.write, true);
                sending.applied_ms = Some(at_ms);
                self.remotes[remote].sending = Some(sending);
            }
            Some(_) if self.dice.chance(20) => self.remotes[remote].in_doubt = true,
            Some(at_ms) => self.ours.acknowledged(source, sending.id, at_ms).await,
        }
    }

    async fn deliver(&mut self, remote: usize) {
        let lives = self.remotes[remote].life_events.len();
        if lives > 0 && self.dice.chance(50) {
            let place = self.dice.roll(lives);
            let life = self.remotes[remote].life_events[place];
            if !self.dice.chance(20) {
                self.remotes[remote].life_events.swap_remove(place);
            }
            self.tell_life(remote, life).await;
            return;
        }
        let waiting = self.remotes[remote].events.len();
        if waiting == 0 {
            return;
        }
        let place = self.dice.roll(waiting);
        let held = self.remotes[remote].events[place];
        if !self.dice.chance(20) {
            self.remotes[remote].events.swap_remove(place);
        }
        self.tell(remote, held).await;
    }

    /// An event counts from when it was first heard of, however often it comes.
    async fn tell_life(&mut self, remote: usize, life: usize) {
        let now_ms = self.now_ms;
        let source = self.remotes[remote].source;
        let (life, received_ms) = &mut self.remotes[remote].lives[life];
        let received_ms = *received_ms.get_or_insert(now_ms);
        self.ours.lives(source, *life, received_ms).await;
    }

    async fn tell(&mut self, remote: usize, held: usize) {
        let source = self.remotes[remote].source;
        let seen = self.observation(remote, held);
        self.heard_of(remote, held);
        self.ours.observe(source, seen).await;
        self.look().await;
    }

    fn observation(&self, remote: usize, held: usize) -> Observation {
        let held = &self.remotes[remote].history[held];
        Observation {
            value: held.value.clone(),
            reported_ms: held.at_ms,
            received_ms: self.now_ms,
            by_us: held.by_us,
            actor: "somebody".to_owned(),
        }
    }

    /// From the first time we hear of an edit at a CRM, it counts from a moment: what the CRM says, no more than a minute
    /// ahead of us, and between that CRM's own edits before and after it.
    fn heard_of(&mut self, remote: usize, held: usize) {
        let history = &self.remotes[remote].history;
        let at = &history[held];
        let Some(write) = at.write.filter(|_| !at.by_us) else { return };
        if self.writes[write].version.is_some() {
            return;
        }
        let counted = |place: &Held| {
            place
                .write
                .filter(|_| !place.by_us)
                .and_then(|write| self.writes[write].version)
                .map(|(ms, _)| ms)
        };
        let mut ms = at.at_ms.min(self.now_ms + 60_000);
        if let Some(earlier) = history[..held].iter().filter_map(counted).max() {
            ms = ms.max(earlier + 1);
        }
        if let Some(later) = history[held + 1..].iter().filter_map(counted).min() {
            ms = ms.min(later - 1);
        }
        self.writes[write].version = Some((ms, 0));
    }

    async fn read_back(&mut self, remote: usize) {
        let mut history = Vec::new();
        for held in 0..self.remotes[remote].history.len() {
            history.push(self.observation(remote, held));
            self.heard_of(remote, held);
        }
        self.remotes[remote].in_doubt = false;
        self.ours.read_back(self.remotes[remote].source, history).await;
        if let Some(last) = self.remotes[remote].lives.len().checked_sub(1) {
            self.tell_life(remote, last).await;
        }
    }

    /// Everything arrives in the end, and what must be told is told.
    async fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 50, "it goes on for ever");
            self.now_ms += 60_000;
            let mut is_quiet = true;
            for remote in 0..self.remotes.len() {
                while !self.remotes[remote].events.is_empty() || !self.remotes[remote].life_events.is_empty()
                {
                    is_quiet = false;
                    self.deliver(remote).await;
                }
                if self.remotes[remote].sending.is_none() {
                    self.send(remote).await;
                }
                while self.remotes[remote].sending.is_some() {
                    is_quiet = false;
                    self.answer(remote).await;
                }
                is_quiet &= !self.remotes[remote].in_doubt;
            }
            if is_quiet {
                return;
            }
        }
    }

    /// The row is archived if the latest of its deletions is later than whatever brought it back or was edited here.
    fn is_deleted(&self) -> bool {
        let (mut deleted, mut alive) = (i64::MIN, i64::MIN);
        for (life, received_ms) in self.remotes.iter().flat_map(|remote| &remote.lives) {
            let ms = life.ms().min(received_ms.expect("all was heard of") + 60_000);
            match life {
                Life::Deleted(_) => deleted = deleted.max(ms),
                Life::Restored(_) => alive = alive.max(ms),
            }
        }
        let ours = self.writes.iter().filter(|write| write.source == Source::App);
        let ours = ours.filter_map(|write| write.version).map(|(ms, _)| ms);
        deleted > ours.chain(self.restored_ms.iter().copied()).fold(alive, i64::max)
    }

    async fn check(mut self) {
        let is_archived = self.ours.is_archived().await;
        assert_eq!(is_archived, self.is_deleted(), "whether the row lives");
        let key = |write: &Write| (write.version, write.source.rank());
        let Some(newest) = self.writes.iter().max_by_key(|write| key(write)) else { return };
        let current = self.ours.current().await.expect("a cell that was written");
        assert_eq!((&current.0, Some(current.1)), (&newest.value, newest.version), "the newest edit stands");
        for remote in self.remotes.iter().filter(|remote| !is_archived && !remote.is_gone) {
            let there = remote.history.last().and_then(|held| held.value.clone());
            assert_eq!(there, current.0, "{:?} holds something else", remote.source);
        }
        let is_lost = |write: &&Write| !write.seen && write.value != newest.value;
        let mut expected: Vec<_> = self
            .writes
            .iter()
            .filter(is_lost)
            .map(|write| (write.value.clone(), write.version.expect("all was heard of"), write.source))
            .collect();
        let mut named = self.ours.lost().await;
        let order = |write: &(Option<Value>, Version, WrittenBy)| (write.1, write.2.rank());
        expected.sort_by_key(order);
        named.sort_by_key(order);
        assert_eq!(named, expected, "which edits were lost");
    }
}
