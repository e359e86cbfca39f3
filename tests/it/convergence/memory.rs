//! Our side of a history as plain values: what the product computes, without a database.

use opstables::records::life::{Presence, Standing};
use opstables::records::merge::{Cell, Stamp, merge, tick};
use opstables::records::sides::{Known, Observation, SKEW_MAX_MS, Sent, Side};
use opstables::records::{Life, Source};
use opstables::tables::{Policy, Value};
use uuid::Uuid;

use super::world::{Ours, Version, WrittenBy};

pub(super) struct Memory {
    known: Known,
    standing: Standing,
    presences: [Presence; 2],
    /// The latest edit here.
    edited_ms: Option<i64>,
    ids: u128,
}

impl Default for Memory {
    fn default() -> Memory {
        let sides = vec![Side::new(Source::Hubspot), Side::new(Source::Attio)];
        let known = Known { sides, ..Known::default() };
        Memory {
            known,
            standing: Standing::default(),
            presences: <[Presence; 2]>::default(),
            edited_ms: None,
            ids: 0,
        }
    }
}

impl Memory {
    fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    fn presence(&mut self, source: Source) -> &mut Presence {
        &mut self.presences[usize::from(source == Source::Attio)]
    }

    fn newest(&self) -> Option<Version> {
        let cell = self.known.current.as_ref().map(|cell| (cell.stamp.ms, cell.stamp.ctr));
        cell.max(self.standing.archived).max(self.standing.restored)
    }

    fn side(&mut self, source: Source) -> &mut Side {
        self.known.sides.iter_mut().find(|side| side.source == source).expect("a side")
    }
}

impl Ours for Memory {
    async fn edit(&mut self, value: Option<Value>, now_ms: i64) -> Version {
        let (ms, ctr) = tick(now_ms, self.newest());
        self.edited_ms = self.edited_ms.max(Some(ms));
        let stamp = Stamp { ms, ctr, source: Source::App, actor: "copilot".to_owned() };
        let cell = Cell { value, stamp };
        self.known.current = Some(merge(Policy::Lww, self.known.current.take(), cell).0);
        self.known.changed();
        (ms, ctr)
    }

    async fn observe(&mut self, source: Source, seen: Observation) {
        let id = self.id();
        self.known.observe(Policy::Lww, source, &seen, id);
    }

    async fn send(&mut self, source: Source, _: i64) -> Option<(Uuid, Option<Value>)> {
        if self.standing.archived.is_some() || self.presence(source).gone_ms.is_some() {
            return None;
        }
        let current = self.known.current.clone();
        let id = self.id();
        let side = self.side(source);
        if !side.differs(current.as_ref()) {
            return None;
        }
        let cell = current.expect("a cell that differs was written");
        let version = (cell.stamp.ms, cell.stamp.ctr);
        side.sent.push(Sent { id, value: cell.value.clone(), version });
        Some((id, cell.value))
    }

    async fn acknowledged(&mut self, source: Source, sent: Uuid, at_ms: i64) {
        self.known.acknowledged(source, sent, at_ms);
    }

    async fn read_back(&mut self, source: Source, history: Vec<Observation>) {
        for seen in history {
            self.observe(source, seen).await;
        }
        self.side(source).sent.clear();
    }

    async fn current(&mut self) -> Option<(Option<Value>, Version, WrittenBy)> {
        let cell = self.known.current.clone()?;
        Some((cell.value, (cell.stamp.ms, cell.stamp.ctr), cell.stamp.source))
    }

    async fn lives(&mut self, source: Source, life: Life, received_ms: i64) {
        self.presence(source).observe(life);
        let latest_ms = received_ms + SKEW_MAX_MS;
        let life = match life {
            Life::Deleted(ms) => Life::Deleted(ms.min(latest_ms)),
            Life::Restored(ms) => Life::Restored(ms.min(latest_ms)),
        };
        self.standing.observe(life, self.edited_ms);
    }

    async fn restore(&mut self, now_ms: i64) -> Version {
        let version = tick(now_ms, self.newest());
        self.standing.archived = None;
        self.standing.restored = Some(version);
        version
    }

    async fn is_archived(&mut self) -> bool {
        self.standing.archived.is_some()
    }

    async fn lost(&mut self) -> Vec<(Option<Value>, Version, WrittenBy)> {
        let lost = self.known.lost(Policy::Lww).into_iter().map(|lost| lost.loser);
        lost.map(|cell| (cell.value, (cell.stamp.ms, cell.stamp.ctr), cell.stamp.source)).collect()
    }
}
