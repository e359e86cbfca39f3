//! Keeps the tables in step with the CRMs even if nothing is told: what changed is read every few minutes, everything once
//! a day, a page at a time between deliveries.
//!
//! A reading is a line in the database that says how far it came, so it goes on after a failure or the end of its process.
//! Whoever reads holds the line by a lease, and of a connection one at a time.

use super::access::access;
use super::arrive::Taken;
use super::breaker;
use super::deliver::{Turn, jitter, note};
use super::engine::{Engine, Schedule};
use super::fault::Fault;
use super::pace::Limit;
use super::reading::{Kind, Reader, Step};
use crate::error::Result;
use crate::store::polls::{self, PollRow};
use crate::store::{Org, Tx};
use crate::tables::{Object, System};

/// How long a step may take.
const LEASE_MS: i64 = 120_000;
/// How long until a reading is tried again that failed for a reason of its own.
const TROUBLE_MS: i64 = 300_000;
/// How long to wait before looking again whether what is held back may come in.
const HELD_MS: i64 = 60_000;

/// One step of what is due for a connection.
pub async fn poll(engine: &Engine, org: Org, system: System, limit: &mut Limit) -> Result<Turn> {
    let now_ms = engine.clock.now_ms();
    if limit.free(now_ms) == 0 {
        return Ok(Turn::Closed(limit.opens_ms(now_ms)));
    }
    let claim = match claim(engine, org, system).await? {
        Ok(claim) => claim,
        Err(due_ms) => return Ok(Turn::Idle(due_ms)),
    };
    let mut row = claim.row.clone();
    let access = match access(engine, org, system).await? {
        Ok(access) => access,
        Err(fault) => return failed(engine, (org, system), row, &fault, (false, limit)).await,
    };
    let mut reader = Reader {
        engine,
        org,
        access: &access,
        object: claim.object,
        kind: claim.kind,
        was_pulled: claim.was_pulled,
        taken: Taken::default(),
        read: 0,
    };
    let step = match reader.step(&mut row, limit).await? {
        Ok(step) => step,
        Err(fault) => {
            let can_refresh = access.can_refresh;
            return failed(engine, (org, system), claim.row, &fault, (can_refresh, limit)).await;
        }
    };
    let now_ms = engine.clock.now_ms();
    let turn = match step {
        Step::More(wait_ms) => {
            row.due_ms = now_ms + wait_ms;
            if wait_ms == 0 { Turn::Worked(1) } else { Turn::Idle(Some(row.due_ms)) }
        }
        Step::Done => {
            row.due_ms = now_ms + interval_ms(engine.schedule(), claim.kind);
            Turn::Worked(1)
        }
        Step::Held => {
            // What was not taken in is read again.
            row = PollRow { due_ms: now_ms + HELD_MS, ..claim.row };
            Turn::Idle(Some(row.due_ms))
        }
    };
    give_back(engine, (org, system), row).await?;
    Ok(turn)
}

/// What is to be read now.
struct Claim {
    row: PollRow,
    object: Object,
    kind: Kind,
    was_pulled: bool,
}

/// Leases what is due; else when something is.
async fn claim(engine: &Engine, org: Org, system: System) -> Result<Result<Claim, Option<i64>>> {
    let kinds = kinds(engine.schedule(), system);
    let now_ms = engine.clock.now_ms();
    let mut tx = engine.store.read().await?;
    let known = polls::all(&mut tx, org, system.name(), false).await?;
    let is_held = breaker::is_held(&mut tx, org, system).await?;
    drop(tx);
    if is_held {
        return Ok(Err(Some(now_ms + HELD_MS)));
    }
    let wanted = |row: &&PollRow| kinds.iter().any(|kind| kind.name() == row.kind);
    let is_new = known.iter().filter(wanted).count() < kinds.len() * Object::READ.len();
    let due_ms = known.iter().filter(wanted).map(due).min();
    if !is_new && due_ms.is_none_or(|due_ms| due_ms > now_ms) {
        return Ok(Err(due_ms));
    }
    let mut tx = engine.store.begin().await?;
    if is_new {
        begin(engine, &mut tx, org, system, &kinds).await?;
    }
    let rows = polls::all(&mut tx, org, system.name(), true).await?;
    let pulled = |object: &str| {
        rows.iter().any(|row| row.kind == Kind::Pull.name() && row.object == object && row.done_at.is_some())
    };
    let leased = rows.iter().filter(wanted).filter_map(|row| row.leased_until_ms);
    let busy_ms = leased.filter(|until| *until > now_ms).max();
    let first = rows.iter().filter(wanted).min_by_key(|row| row.due_ms).filter(|row| row.due_ms <= now_ms);
    let first = first.filter(|_| busy_ms.is_none()).and_then(|row| {
        let object = Object::READ.iter().find(|object| object.name() == row.object)?;
        Some((row.clone(), *object, Kind::from_name(&row.kind)?))
    });
    let Some((mut row, object, kind)) = first else {
        tx.commit().await?;
        let due_ms = rows.iter().filter(wanted).map(|row| row.due_ms).min();
        return Ok(Err(busy_ms.or(due_ms)));
    };
    row.leased_until_ms = Some(now_ms + LEASE_MS);
    polls::save(&mut tx, org, system.name(), &row, row.fence + 1).await?;
    row.fence += 1;
    tx.commit().await?;
    let was_pulled = pulled(&row.object);
    Ok(Ok(Claim { row, object, kind, was_pulled }))
}

/// What a connection is read for. A complete reading of `Attio` is what finds its changes, too.
fn kinds(schedule: Schedule, system: System) -> Vec<Kind> {
    let mut kinds = Vec::new();
    if schedule.poll_secs > 0 {
        kinds.push(Kind::Changes);
    }
    if schedule.sweep_hours > 0 && system == System::Hubspot {
        kinds.push(Kind::Sweep);
    }
    kinds
}

fn interval_ms(schedule: Schedule, kind: Kind) -> i64 {
    match kind {
        Kind::Changes => i64::from(schedule.poll_secs) * 1_000,
        Kind::Sweep => i64::from(schedule.sweep_hours) * 3_600_000,
        Kind::Pull => 0,
    }
}

/// When a line can be worked on.
fn due(row: &PollRow) -> i64 {
    row.due_ms.max(row.leased_until_ms.unwrap_or(0))
}

/// Makes the lines of a connection that is new. The first reading comes one interval later.
async fn begin(engine: &Engine, tx: &mut Tx, org: Org, system: System, kinds: &[Kind]) -> Result<()> {
    let now_ms = engine.clock.now_ms();
    for object in Object::READ {
        for kind in kinds {
            let due_ms = now_ms + interval_ms(engine.schedule(), *kind);
            polls::insert(tx, org, system.name(), &line(*object, *kind, due_ms)).await?;
        }
    }
    Ok(())
}

/// A line of which nothing was read yet.
pub(super) fn line(object: Object, kind: Kind, due_ms: i64) -> PollRow {
    PollRow {
        object: object.name().to_owned(),
        kind: kind.name().to_owned(),
        cursor_ms: None,
        started_at: None,
        starts_ms: None,
        position: None,
        done_at: None,
        due_ms,
        fence: 0,
        leased_until_ms: None,
    }
}

/// Gives a line back whose step failed: it is tried again where it stood.
async fn failed(
    engine: &Engine,
    (org, system): (Org, System),
    row: PollRow,
    fault: &Fault,
    (can_refresh, limit): (bool, &mut Limit),
) -> Result<Turn> {
    let now_ms = engine.clock.now_ms();
    // What is this reading's own trouble is nobody else's reason to wait.
    let is_for_all = fault.class.is_of_connection() || fault.class.passes();
    let until_ms = if is_for_all { limit.failed(fault, jitter(engine), now_ms) } else { now_ms + TROUBLE_MS };
    let row = PollRow { due_ms: until_ms, leased_until_ms: None, ..row };
    let mut tx = engine.store.begin().await?;
    polls::save(&mut tx, org, system.name(), &row, row.fence).await?;
    let opens_ms = limit.opens_ms(now_ms);
    note(engine, &mut tx, (org, system), Some(fault), (can_refresh, opens_ms)).await?;
    tx.commit().await?;
    Ok(if is_for_all { Turn::Closed(until_ms) } else { Turn::Idle(Some(until_ms)) })
}

async fn give_back(engine: &Engine, (org, system): (Org, System), row: PollRow) -> Result<()> {
    let row = PollRow { leased_until_ms: None, ..row };
    let mut tx = engine.store.begin().await?;
    // Whoever took the line over in the meantime knows better.
    polls::save(&mut tx, org, system.name(), &row, row.fence).await?;
    tx.commit().await
}
