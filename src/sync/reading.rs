//! One step of reading an object's records: a page, or a look at those that no page showed.

use serde::{Deserialize, Serialize};

use super::access::Access;
use super::arrive::{self, How, Taken};
use super::crm::{Page, PageAsk, Seen};
use super::deliver::mapped;
use super::engine::Engine;
use super::fault::Fault;
use super::find::Of;
use super::pace::Limit;
use super::replaced;
use crate::error::Result;
use crate::records::shadow;
use crate::store::polls::PollRow;
use crate::store::{LinkRow, Org, links};
use crate::tables::{CatalogTable, Object, System};

/// How far back each reading goes beyond the last one, in milliseconds: searches find what was modified some time later.
const OVERLAP_MS: i64 = 600_000;
/// How long after a search the next one may come, in milliseconds: an account may make five a second, and answers to
/// searches do not tell how many are left (<https://developers.hubspot.com/docs/api-reference/crm/search-the-crm>).
const SEARCH_MS: i64 = 250;
/// How many calls `Attio` takes in a second for histories, where it takes 100.
const HISTORY_CALLS: usize = 80;
/// How many records that no page showed are looked at together.
const MISSING: usize = 50;

/// What is read of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What changed since the last time.
    Changes,
    /// Everything, to notice deletions and whatever else was missed.
    Sweep,
    /// Everything, because a person asks.
    Pull,
}

/// Where a reading goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Position {
    Page(Option<String>),
    /// Every page was read: what none of them showed is looked at.
    Missing,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// There is more, after so many milliseconds.
    More(i64),
    Done,
    /// Nothing is taken in until a person lets it.
    Held,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Kind::Changes => "changes",
            Kind::Sweep => "sweep",
            Kind::Pull => "pull",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Kind> {
        [Kind::Changes, Kind::Sweep, Kind::Pull].into_iter().find(|kind| kind.name() == name)
    }
}

/// What is read, for whom, and what has become of it so far.
pub(super) struct Reader<'a> {
    pub(super) engine: &'a Engine,
    pub(super) org: Org,
    pub(super) access: &'a Access,
    pub(super) object: Object,
    pub(super) kind: Kind,
    /// Whether everything there was asked for once: else records from before the connection stay out.
    pub(super) was_pulled: bool,
    pub(super) taken: Taken,
    /// How many records were read.
    pub(super) read: u64,
}

impl Reader<'_> {
    /// Reads on from where the line says, and notes there how far it came. A fault leaves the line as it is.
    pub(super) async fn step(&mut self, row: &mut PollRow, limit: &mut Limit) -> Result<Result<Step, Fault>> {
        let now = self.engine.clock.now();
        let started_at = *row.started_at.get_or_insert(now);
        let position = row.position.as_deref().and_then(|text| serde_json::from_str(text).ok());
        match position.unwrap_or(Position::Page(None)) {
            Position::Page(after) => self.page(row, after.as_deref(), limit).await,
            Position::Missing => self.missing(row, started_at, limit).await,
        }
    }

    async fn page(
        &mut self,
        row: &mut PollRow,
        after: Option<&str>,
        limit: &mut Limit,
    ) -> Result<Result<Step, Fault>> {
        let (engine, system) = (self.engine, self.access.system);
        let (tx, catalog) = engine.catalogs.read(&engine.store, self.org, engine.clock.now()).await?;
        drop(tx);
        let (Some(connection), Ok(table)) = (catalog.connection(system), catalog.table(self.object.table()))
        else {
            return Ok(Ok(self.done(row)));
        };
        let of = Of { catalog: &catalog, connection, table, object: self.object };
        let connected_ms = connection.connected_at.timestamp_millis();
        let is_search = self.kind == Kind::Changes && system == System::Hubspot;
        let since_ms = is_search.then(|| row.cursor_ms.unwrap_or(connected_ms) - OVERLAP_MS);
        let mapped = mapped(connection, self.access, self.object);
        let writer = self.access.writer.as_deref();
        let named = self.kind == Kind::Pull;
        let ask = PageAsk { since_ms, after, mapped: &mapped, writer, named };
        let asked_ms = engine.clock.now_ms();
        limit.call(1, asked_ms);
        let page = match engine.client()?.page(system, &self.access.token, self.object, &ask).await {
            Ok(answer) => {
                limit.answered(&answer.pace, engine.clock.now_ms());
                answer.value
            }
            Err(fault) => return Ok(Err(fault)),
        };
        // What is modified from here on is found by the next reading.
        row.starts_ms = row.starts_ms.or(page.answered_ms.or(page.newest_ms).map(|at| at.min(asked_ms)));
        let how = How {
            is_whole: page.is_whole,
            breaker: self.kind != Kind::Pull,
            asked_ms,
            since_ms: (!is_search && !self.was_pulled).then_some(connected_ms - OVERLAP_MS),
        };
        let (next, wait_ms) = (page.next.clone(), if is_search { SEARCH_MS } else { 0 });
        let (next, wait_ms) = if page.is_whole {
            self.read += u64::try_from(page.seen.len()).unwrap_or(0);
            if let Err(fault) = self.take(&of, page.seen, how).await? {
                return Ok(Err(fault));
            }
            (next, wait_ms)
        } else {
            let per_step = (HISTORY_CALLS / (mapped.len() + 2)).max(1);
            match self.compare(&of, page, how, per_step, limit).await? {
                Ok(came) => came,
                Err(fault) => return Ok(Err(fault)),
            }
        };
        if self.taken.is_held {
            return Ok(Ok(Step::Held));
        }
        if next.is_some() {
            return Ok(Ok(go_on(row, &Position::Page(next), wait_ms)));
        }
        // What an incomplete reading did not show is no deletion; this one was complete.
        let looks = self.kind == Kind::Sweep || (self.kind == Kind::Changes && system == System::Attio);
        Ok(Ok(if looks { go_on(row, &Position::Missing, wait_ms) } else { self.done(row) }))
    }

    /// Takes in of a page without histories what is not as it is known: where it goes on, and when.
    async fn compare(
        &mut self,
        of: &Of<'_>,
        mut page: Page,
        how: How,
        per_step: usize,
        limit: &mut Limit,
    ) -> Result<Result<(Option<String>, i64), Fault>> {
        let (engine, org, (system, object)) = (self.engine, self.org, of.names());
        let records: Vec<String> = page.seen.iter().map(|seen| seen.record.clone()).collect();
        let mut tx = engine.store.read().await?;
        let linked = links::of_records(&mut tx, org, system, object, &records).await?;
        drop(tx);
        let (mut same, mut whole, mut present) = (Vec::new(), Vec::new(), Vec::new());
        let mut next = page.next.take();
        for (place, seen) in page.seen.into_iter().enumerate() {
            let link = linked.iter().find(|link| link.record_id == seen.record);
            let is_old = how.since_ms.is_some_and(|since| seen.modified_ms.is_some_and(|at| at < since));
            let needs = match link {
                Some(link) => !is_known(of.table, link, &seen),
                None => self.kind != Kind::Pull && !is_old,
            };
            if needs && whole.len() >= per_step {
                next = page.offset.map(|offset| (offset + place).to_string());
                break;
            }
            self.read += 1;
            match link {
                _ if needs => whole.push(seen.record),
                Some(_) => same.push(seen.record),
                None if self.kind == Kind::Pull => present.push(seen),
                None => {}
            }
        }
        self.taken.unchanged += u64::try_from(same.len()).unwrap_or(0);
        if !same.is_empty() {
            let mut tx = engine.store.begin().await?;
            links::heard(&mut tx, org, (system, object), &same, engine.clock.now()).await?;
            tx.commit().await?;
        }
        let wait_ms = if whole.is_empty() { 0 } else { 1_000 };
        if !whole.is_empty() {
            let read = match self.read(&whole, limit).await? {
                Ok(seen) => self.take(of, seen, How { is_whole: true, ..how }).await?,
                Err(fault) => Err(fault),
            };
            if let Err(fault) = read {
                return Ok(Err(fault));
            }
        }
        match self.take(of, present, how).await? {
            Ok(()) => Ok(Ok((next, wait_ms))),
            Err(fault) => Ok(Err(fault)),
        }
    }

    async fn missing(
        &mut self,
        row: &mut PollRow,
        started_at: chrono::DateTime<chrono::Utc>,
        limit: &mut Limit,
    ) -> Result<Result<Step, Fault>> {
        let engine = self.engine;
        let (tx, catalog) = engine.catalogs.read(&engine.store, self.org, engine.clock.now()).await?;
        drop(tx);
        let system = self.access.system;
        let (Some(connection), Ok(table)) = (catalog.connection(system), catalog.table(self.object.table()))
        else {
            return Ok(Ok(self.done(row)));
        };
        let of = Of { catalog: &catalog, connection, table, object: self.object };
        let most = match system {
            System::Hubspot => MISSING,
            System::Attio => (HISTORY_CALLS / (connection.fields_of(self.object.table()).count() + 2)).max(1),
        };
        let mut tx = engine.store.read().await?;
        let most = i64::try_from(most).unwrap_or(1);
        let records = links::unheard(&mut tx, self.org, of.names(), started_at, most).await?;
        drop(tx);
        if records.is_empty() {
            return Ok(Ok(self.done(row)));
        }
        let how = How { breaker: self.kind != Kind::Pull, ..How::told(engine) };
        limit.call(records.len().div_ceil(MISSING), engine.clock.now_ms());
        match arrive::read_in(engine, self.org, self.access, self.object, &records, how).await? {
            Ok(taken) => self.taken += taken,
            Err(fault) => return Ok(Err(fault)),
        }
        if self.taken.is_held {
            return Ok(Ok(Step::Held));
        }
        Ok(Ok(go_on(row, &Position::Missing, if system == System::Attio { 1_000 } else { 0 })))
    }

    /// Takes records in. One whose address belongs to another record's row is that record, if that one is gone.
    async fn take(&mut self, of: &Of<'_>, mut seen: Vec<Seen>, how: How) -> Result<Result<(), Fault>> {
        if seen.is_empty() {
            return Ok(Ok(()));
        }
        if let Err(fault) = replaced::note(self.engine, of, self.access, &mut seen).await? {
            return Ok(Err(fault));
        }
        self.taken += arrive::take(self.engine, self.org, self.access, self.object, seen, how).await?;
        Ok(Ok(()))
    }

    async fn read(&self, records: &[String], limit: &mut Limit) -> Result<Result<Vec<Seen>, Fault>> {
        limit.call(records.len().div_ceil(MISSING), self.engine.clock.now_ms());
        arrive::read(self.engine, self.org, self.access, self.object, records).await
    }

    /// Notes that everything was read.
    fn done(&self, row: &mut PollRow) -> Step {
        if self.kind == Kind::Changes {
            row.cursor_ms = row.cursor_ms.max(row.starts_ms);
        }
        row.done_at = Some(self.engine.clock.now());
        (row.started_at, row.starts_ms, row.position) = (None, None, None);
        Step::Done
    }
}

fn go_on(row: &mut PollRow, position: &Position, wait_ms: i64) -> Step {
    row.position = serde_json::to_string(position).ok();
    Step::More(wait_ms)
}

/// Whether a record holds what it is known to hold, and nothing was written since its history was read.
fn is_known(table: &CatalogTable, link: &LinkRow, seen: &Seen) -> bool {
    if link.gone_ms.is_some() || link.read_ms.is_none() || seen.modified_ms > link.read_ms {
        return false;
    }
    seen.columns.iter().all(|(key, past)| {
        let Some(column) = table.find(key).filter(|column| column.is_observed()) else { return true };
        let known = shadow(link, column).and_then(|shadow| shadow.value);
        known == past.last().and_then(|past| past.value.clone())
    })
}
