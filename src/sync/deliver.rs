//! Brings what the queues hold to the CRMs: claim, read, send, settle.
//!
//! Each step is a transaction of its own and may be the last: a line that was claimed and never settled is claimed again
//! when its lease has run out, and read back first, because it may have gone out.

use std::collections::HashMap;

use chrono::TimeDelta;
use uuid::Uuid;

use super::access::{Access, access};
use super::crm::{Answer, Landed, Mapped, Pace, Push, most_at_once};
use super::doubt;
use super::engine::Engine;
use super::fault::{Class, Fault, Refusal};
use super::pace::Limit;
use super::settle::settle;
use crate::error::Result;
use crate::records::{Due, Stored, due, lock, queue_of, sending, shadow};
use crate::store::queue::{self, Leased, Settled};
use crate::store::{LedgerRow, LinkRow, Org, Tx, connections, ledger, links};
use crate::tables::{Catalog, CatalogTable, Connection, Object, System};

/// How long a worker may take for what it claims.
const LEASE_MS: i64 = 45_000;

/// What a turn of work came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// So many records were claimed.
    Worked(usize),
    /// Nothing is due before that moment; none when nothing waits at all.
    Idle(Option<i64>),
    /// The account may not be called before that moment.
    Closed(i64),
}

/// A record that is being sent.
pub(super) struct Job {
    pub(super) line: Leased,
    pub(super) link: Option<LinkRow>,
    /// The places of the columns that go out, each with its line in the ledger.
    pub(super) columns: Vec<(usize, Uuid)>,
    pub(super) push: Push,
}

/// The records of one table that are being sent.
pub(super) struct Batch<'a> {
    pub(super) table: &'a CatalogTable,
    pub(super) object: Object,
    pub(super) jobs: Vec<Job>,
}

/// One turn for one connection: what is due, up to what one call takes and the account allows.
pub async fn deliver(engine: &Engine, org: Org, system: System, limit: &mut Limit) -> Result<Turn> {
    let now_ms = engine.clock.now_ms();
    let free = limit.free(now_ms);
    if free == 0 {
        return Ok(Turn::Closed(limit.opens_ms(now_ms)));
    }
    let most = match system {
        System::Hubspot => most_at_once(system),
        System::Attio => most_at_once(system).min(free),
    };
    let lines = claim(engine, org, system, most).await?;
    if lines.is_empty() {
        let mut tx = engine.store.read().await?;
        return Ok(Turn::Idle(queue::next_due_ms(&mut tx, org, queue_of(system)).await?));
    }
    let claimed = lines.len();
    let access = match access(engine, org, system).await? {
        Ok(access) => access,
        Err(fault) => {
            let until_ms = limit.failed(&fault, jitter(engine), now_ms);
            give_back(engine, org, system, (lines, false), &fault, until_ms).await?;
            return Ok(Turn::Worked(claimed));
        }
    };
    let (doubtful, sure): (Vec<Leased>, Vec<Leased>) = lines.into_iter().partition(|line| line.in_doubt);
    let stopped = send(engine, org, &access, sure, limit).await?;
    if !doubtful.is_empty() {
        look(engine, org, &access, doubtful, stopped, limit).await?;
    }
    Ok(Turn::Worked(claimed))
}

/// Sends lines of which is known that they did not go out yet; the fault after which no more calls were made.
async fn send(
    engine: &Engine,
    org: Org,
    access: &Access,
    lines: Vec<Leased>,
    limit: &mut Limit,
) -> Result<Option<Fault>> {
    let (_, catalog) = engine.catalogs.read(&engine.store, org, engine.clock.now()).await?;
    let system = access.system;
    let Some(connection) = catalog.connection(system) else { return Ok(None) };
    let mut stopped = None;
    for batch in prepare(engine, &catalog, connection, access, lines).await? {
        let outcome = if let Some(fault) = &stopped {
            Err(Fault::clone(fault))
        } else {
            limit.call(calls(system, &batch), engine.clock.now_ms());
            let pushes: Vec<Push> = batch.jobs.iter().map(|job| job.push.clone()).collect();
            let sent = engine.client()?.push(system, &access.token, batch.object, &pushes).await;
            judge(engine, own(batch.object, sent, pushes.len()), limit)
        };
        stopped = stopped.or_else(|| stops(&outcome));
        let opens_ms = limit.opens_ms(engine.clock.now_ms());
        settle(engine, &catalog, connection, access, batch, outcome, opens_ms).await?;
    }
    Ok(stopped)
}

/// Reads back lines that may have gone out, unless the account is not to be called any more.
async fn look(
    engine: &Engine,
    org: Org,
    access: &Access,
    lines: Vec<Leased>,
    stopped: Option<Fault>,
    limit: &mut Limit,
) -> Result<()> {
    let now_ms = engine.clock.now_ms();
    let (fault, until_ms) = if let Some(fault) = stopped {
        (fault, limit.opens_ms(now_ms))
    } else {
        limit.call(1, now_ms);
        let Err(fault) = doubt::read_back(engine, org, access, &lines).await? else { return Ok(()) };
        let until_ms = limit.failed(&fault, jitter(engine), engine.clock.now_ms());
        (fault, until_ms)
    };
    give_back(engine, org, access.system, (lines, access.can_refresh), &fault, until_ms).await
}

/// How many calls a batch is going to take.
fn calls(system: System, batch: &Batch<'_>) -> usize {
    match system {
        System::Hubspot => {
            // New records are looked for first, and associations are made once their ends are there.
            let creates = batch.jobs.iter().any(|job| job.push.record.is_none());
            let associates = batch.jobs.iter().any(|job| job.push.associate.is_some());
            1 + usize::from(creates) + usize::from(associates)
        }
        System::Attio => batch.jobs.len(),
    }
}

async fn claim(engine: &Engine, org: Org, system: System, most: usize) -> Result<Vec<Leased>> {
    let now_ms = engine.clock.now_ms();
    let queue = queue_of(system);
    let mut tx = engine.store.begin().await?;
    queue::expire(&mut tx, org, queue, now_ms).await?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let lines = queue::claim(&mut tx, org, queue, now_ms, LEASE_MS, most).await?;
    tx.commit().await?;
    Ok(lines)
}

/// Reads what the claimed lines' rows hold now, notes in the ledger what is about to go out, and settles what need not.
async fn prepare<'a>(
    engine: &Engine,
    catalog: &'a Catalog,
    connection: &Connection,
    access: &Access,
    lines: Vec<Leased>,
) -> Result<Vec<Batch<'a>>> {
    let mut batches = Vec::new();
    if lines.is_empty() {
        return Ok(batches);
    }
    let (now, now_ms) = (engine.clock.now(), engine.clock.now_ms());
    let mut tx = engine.store.begin().await?;
    let (mut needless, mut noted) = (Vec::new(), Vec::new());
    for &object in Object::ALL {
        let Ok(table) = catalog.table(object.table()) else { continue };
        let mapped = mapped(connection, access, object);
        let lines: Vec<&Leased> = lines.iter().filter(|line| line.table_key == table.key()).collect();
        if lines.is_empty() {
            continue;
        }
        let ids: Vec<Uuid> = lines.iter().map(|line| line.row_id).collect();
        let mut rows = lock(&mut tx, catalog.org, table, &ids).await?;
        let mut known = links::of_rows(&mut tx, catalog.org, &ids).await?;
        known.retain(|link| link.system == connection.system.name());
        rows.retain(|row| row.head.archived.is_none());
        let pairs = rows.iter().map(|row| (row, known.iter().find(|link| link.row_id == row.head.id)));
        let pairs: Vec<(&Stored, Option<&LinkRow>)> =
            pairs.filter(|(_, link)| link.is_none_or(|link| link.gone_ms.is_none())).collect();
        let due = due(&mut tx, catalog, connection, table, &pairs).await?;
        let due: HashMap<Uuid, (&Stored, Option<&LinkRow>, Due)> =
            pairs.into_iter().zip(due).map(|((row, link), due)| (row.head.id, (row, link, due))).collect();
        let mut jobs = Vec::new();
        for line in lines {
            let of = (table, connection.system, mapped.as_slice());
            let job = due.get(&line.row_id).and_then(|due| job(engine, of, line, due, &mut noted));
            match job {
                Some(job) => jobs.push(job),
                None => needless.push(Settled::done(line, now_ms)),
            }
        }
        if !jobs.is_empty() {
            batches.push(Batch { table, object, jobs });
        }
    }
    // A table that was deleted or is no longer kept in step has nothing to send.
    let others = lines.iter().filter(|line| {
        Object::of_table(&line.table_key).is_none_or(|object| catalog.table(object.table()).is_err())
    });
    needless.extend(others.map(|line| Settled::done(line, now_ms)));
    ledger::append(&mut tx, catalog.org, &noted, now).await?;
    queue::settle(&mut tx, catalog.org, queue_of(connection.system), &needless, now_ms).await?;
    tx.commit().await?;
    Ok(batches)
}

/// What is to be sent of a row; none when nothing differs.
fn job(
    engine: &Engine,
    (table, system, mapped): (&CatalogTable, System, &[Mapped]),
    leased: &Leased,
    (row, link, due): &(&Stored, Option<&LinkRow>, Due),
    noted: &mut Vec<LedgerRow>,
) -> Option<Job> {
    let is_due = |column: &str| due.columns.contains_key(column) && leased.columns.contains_key(column);
    let associate = due.associate.clone();
    let due: Vec<&Mapped> =
        mapped.iter().filter(|mapped| mapped.way.is_sent() && is_due(&mapped.column)).collect();
    let record = link.map(|link| link.record_id.clone());
    let (mut columns, mut cells, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for mapped in mapped.iter().filter(|mapped| mapped.way.is_sent()) {
        // The parts of one property go out together.
        if !due.iter().any(|due| due.property == mapped.property) {
            continue;
        }
        let place = table.columns.iter().position(|column| column.key == mapped.column)?;
        let id = engine.ids.next();
        let now_ms = engine.clock.now_ms();
        noted.extend(sending(system, (table, row, place), record.as_deref(), id, now_ms));
        let there = link.zip(table.columns.get(place)).and_then(|(link, column)| shadow(link, column));
        columns.push((place, id));
        cells.push((mapped.clone(), row.values.get(place).cloned().flatten()));
        known.push(there.and_then(|there| there.value));
    }
    if cells.is_empty() {
        return None;
    }
    let push = Push { row: row.head.id, record, cells, known, associate };
    Some(Job { line: leased.clone(), link: link.cloned(), columns, push })
}

/// The columns of an object that are kept in step, with what the CRM says of their properties.
pub(super) fn mapped(connection: &Connection, access: &Access, object: Object) -> Vec<Mapped> {
    let described = access.properties.get(object.name());
    let fields = connection.fields_of(object.table());
    fields
        .map(|field| Mapped {
            column: field.column.clone(),
            property: field.property.clone(),
            form: field.form,
            way: field.way,
            described: described
                .and_then(|known| known.iter().find(|property| property.name == field.property))
                .cloned(),
        })
        .collect()
}

/// A token that may not write what is only sent may write the rest all the same: that is no trouble of the connection.
fn own(
    object: Object,
    sent: Result<Answer<Vec<Landed>>, Fault>,
    pushes: usize,
) -> Result<Answer<Vec<Landed>>, Fault> {
    match sent {
        Err(fault) if fault.class == Class::Forbidden && !object.is_read() => {
            let refused = Landed::Refused(Refusal::of_fault(&fault));
            Ok(Answer { value: vec![refused; pushes], pace: Pace::default() })
        }
        sent => sent,
    }
}

/// The answer, with what it says of the account's allowance taken to heart.
fn judge(
    engine: &Engine,
    sent: Result<Answer<Vec<Landed>>, Fault>,
    limit: &mut Limit,
) -> Result<Vec<Landed>, Fault> {
    let now_ms = engine.clock.now_ms();
    match sent {
        Ok(answer) => {
            limit.answered(&answer.pace, now_ms);
            if let Some(fault) = Landed::fault_of_connection(&answer.value) {
                limit.failed(fault, jitter(engine), now_ms);
            }
            Ok(answer.value)
        }
        Err(fault) => {
            if fault.class.is_of_connection() || fault.class == Class::Unanswered {
                limit.failed(&fault, jitter(engine), now_ms);
            } else {
                limit.answered(&Pace::default(), now_ms);
            }
            Err(fault)
        }
    }
}

/// The fault of an outcome after which another call would fare no better, as of one that was not made.
fn stops(outcome: &Result<Vec<Landed>, Fault>) -> Option<Fault> {
    let fault = match outcome {
        Ok(landed) => Landed::fault_of_connection(landed),
        Err(fault) => Some(fault).filter(|fault| fault.class.is_of_connection()),
    };
    fault.map(|fault| Fault { sent: false, ..fault.clone() })
}

/// Gives lines back that could not be sent for a reason that is not theirs.
async fn give_back(
    engine: &Engine,
    org: Org,
    system: System,
    (lines, can_refresh): (Vec<Leased>, bool),
    fault: &Fault,
    until_ms: i64,
) -> Result<()> {
    let now_ms = engine.clock.now_ms();
    let lines: Vec<Settled> = lines.into_iter().map(|line| back(&line, fault, until_ms)).collect();
    let mut tx = engine.store.begin().await?;
    queue::settle(&mut tx, org, queue_of(system), &lines, now_ms).await?;
    note(engine, &mut tx, (org, system), Some(fault), (can_refresh, until_ms)).await?;
    tx.commit().await
}

fn back(line: &Leased, fault: &Fault, until_ms: i64) -> Settled {
    let failure = Some(fault.failure(None));
    Settled { in_doubt: line.in_doubt, failure, ..Settled::again(line, None, until_ms) }
}

/// Notes on the connection how the call went. A token that is refused is replaced if that can be; else it stops the
/// connection until a person connects again.
pub(super) async fn note(
    engine: &Engine,
    tx: &mut Tx,
    (org, system): (Org, System),
    fault: Option<&Fault>,
    (can_refresh, opens_ms): (bool, i64),
) -> Result<()> {
    let (now, now_ms) = (engine.clock.now(), engine.clock.now_ms());
    let paused = (opens_ms > now_ms + 5_000).then(|| now + TimeDelta::milliseconds(opens_ms - now_ms));
    let success = fault.is_none().then_some(now);
    let failure = fault.map(|fault| (now, fault.message.as_str()));
    connections::note(tx, org, system.name(), success, failure, paused).await?;
    match fault {
        Some(fault) if fault.class == Class::Unauthorized && can_refresh => {
            connections::expire_tokens(tx, org, system.name(), now).await
        }
        Some(fault) if matches!(fault.class, Class::Unauthorized | Class::Forbidden) => {
            connections::set_state(tx, org, system.name(), "broken", Some(&fault.message)).await
        }
        _ => Ok(()),
    }
}

/// A number from 0 to 1 that nobody else draws at the same time.
pub(super) fn jitter(engine: &Engine) -> f64 {
    f64::from(engine.ids.secret()[0]) / 255.0
}
