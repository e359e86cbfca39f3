//! Brings everything that a CRM has of an object into its table, because a person asks. It is a merge by the CRM's own
//! times: it takes nothing from newer edits, and a second one changes nothing.

use std::time::Duration;

use serde::Serialize;

use super::access::{access, not_connected};
use super::arrive::Taken;
use super::connect::refused;
use super::deliver::{jitter, note};
use super::engine::Engine;
use super::fault::Fault;
use super::pace::Limit;
use super::reading::{Kind, Reader, Step};
use super::reconcile::line;
use crate::error::{Result, conflict};
use crate::store::polls::{self, PollRow};
use crate::store::{Org, connections};
use crate::tables::{Object, System};

/// How long a step may take: one of `Attio`'s reads the names of as many companies as a page has people.
const LEASE_MS: i64 = 300_000;
/// How often in a row a call may fail in a way that passes before a person is told.
const FAILURES_MAX: u32 = 8;
/// How long it sleeps at most before it looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(500);

/// What became of a table's rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Report {
    /// Records that were read.
    pub read: u64,
    pub created: u64,
    pub changed: u64,
    pub unchanged: u64,
    /// Rows that were archived, because their record was.
    pub archived: u64,
    /// Rows that became one with another row.
    pub joined: u64,
    /// Whether it went on where an earlier one had ended.
    pub resumed: bool,
    /// Whether it was stopped before the end; the next one goes on there.
    pub stopped: bool,
}

/// Reads every record of the object and takes it in. It goes on where one before it ended too early. `progress` is told
/// after each page; `cancel` ends it after the page that is under way.
pub async fn backfill(
    engine: &Engine,
    org: Org,
    system: System,
    object: Object,
    progress: &(dyn Fn(&Report) + Send + Sync),
    cancel: &(dyn Fn() -> bool + Send + Sync),
) -> Result<Report> {
    let mut row = claim(engine, org, system, object).await?;
    let mut report = Report { resumed: row.position.is_some(), ..Report::default() };
    let mut limit = Limit::new(system);
    let mut failures = 0;
    loop {
        if cancel() {
            report.stopped = true;
            give_back(engine, org, system, &mut row).await?;
            return Ok(report);
        }
        let fault = match step(engine, (org, system, object), &mut row, &mut limit, &mut report).await? {
            Ok(Step::Done | Step::Held) => break,
            Ok(Step::More(wait_ms)) => {
                failures = 0;
                progress(&report);
                hold(engine, org, system, &mut row).await?;
                wait(engine, engine.clock.now_ms() + wait_ms, cancel).await;
                continue;
            }
            Err(fault) => fault,
        };
        failures += 1;
        let until_ms = limit.failed(&fault, jitter(engine), engine.clock.now_ms());
        if !fault.class.passes() || failures > FAILURES_MAX {
            give_back(engine, org, system, &mut row).await?;
            return Err(refused(system, &fault));
        }
        hold(engine, org, system, &mut row).await?;
        wait(engine, until_ms, cancel).await;
    }
    give_back(engine, org, system, &mut row).await?;
    engine.wake();
    progress(&report);
    Ok(report)
}

async fn step(
    engine: &Engine,
    (org, system, object): (Org, System, Object),
    row: &mut PollRow,
    limit: &mut Limit,
    report: &mut Report,
) -> Result<Result<Step, Fault>> {
    let now_ms = engine.clock.now_ms();
    if limit.free(now_ms) == 0 {
        return Ok(Ok(Step::More((limit.opens_ms(now_ms) - now_ms).max(1))));
    }
    let access = match access(engine, org, system).await? {
        Ok(access) => access,
        Err(fault) => return Ok(Err(fault)),
    };
    let mut reader = Reader {
        engine,
        org,
        access: &access,
        object,
        kind: Kind::Pull,
        was_pulled: true,
        taken: Taken::default(),
        read: 0,
    };
    let came = reader.step(row, limit).await?;
    if let Err(fault) = &came {
        let mut tx = engine.store.begin().await?;
        let opens_ms = limit.opens_ms(engine.clock.now_ms());
        note(engine, &mut tx, (org, system), Some(fault), (access.can_refresh, opens_ms)).await?;
        tx.commit().await?;
        return Ok(came);
    }
    report.read += reader.read;
    report.created += reader.taken.created;
    report.changed += reader.taken.changed;
    report.unchanged += reader.taken.unchanged;
    report.archived += reader.taken.deleted;
    report.joined += reader.taken.joined;
    Ok(came)
}

/// Leases the object's line, which says where to go on.
async fn claim(engine: &Engine, org: Org, system: System, object: Object) -> Result<PollRow> {
    let now_ms = engine.clock.now_ms();
    let mut tx = engine.store.begin().await?;
    if connections::get(&mut tx, org, system.name(), false).await?.is_none() {
        return Err(not_connected(system));
    }
    polls::insert(&mut tx, org, system.name(), &line(object, Kind::Pull, now_ms)).await?;
    let rows = polls::all(&mut tx, org, system.name(), true).await?;
    let own = |row: &PollRow| row.object == object.name() && row.kind == Kind::Pull.name();
    let Some(mut row) = rows.into_iter().find(own) else {
        return Err(crate::error::internal("a line that was made is not there"));
    };
    if row.leased_until_ms.is_some_and(|until| until > now_ms) {
        return Err(conflict(format!("{} is being read from {} already", object.table(), system.label()))
            .hint("wait for it to end; one that died is given up after five minutes"));
    }
    row.leased_until_ms = Some(now_ms + LEASE_MS);
    polls::save(&mut tx, org, system.name(), &row, row.fence + 1).await?;
    row.fence += 1;
    tx.commit().await?;
    Ok(row)
}

/// Stores how far it came, and keeps the line.
async fn hold(engine: &Engine, org: Org, system: System, row: &mut PollRow) -> Result<()> {
    row.leased_until_ms = Some(engine.clock.now_ms() + LEASE_MS);
    store(engine, org, system, row).await
}

async fn give_back(engine: &Engine, org: Org, system: System, row: &mut PollRow) -> Result<()> {
    row.leased_until_ms = None;
    store(engine, org, system, row).await
}

async fn store(engine: &Engine, org: Org, system: System, row: &PollRow) -> Result<()> {
    let mut tx = engine.store.begin().await?;
    let is_mine = polls::save(&mut tx, org, system.name(), row, row.fence).await?;
    tx.commit().await?;
    if is_mine {
        return Ok(());
    }
    Err(conflict(format!("another process reads from {} now", system.label()))
        .hint("nothing is lost: what it has not read yet it goes on with"))
}

/// Waits for the engine's clock, which tests move.
async fn wait(engine: &Engine, until_ms: i64, cancel: &(dyn Fn() -> bool + Send + Sync)) {
    loop {
        let left_ms = until_ms - engine.clock.now_ms();
        let Some(left_ms) = u64::try_from(left_ms).ok().filter(|left| *left > 0 && !cancel()) else { return };
        tokio::time::sleep(Duration::from_millis(left_ms).min(LOOK)).await;
    }
}
