//! What becomes of records that were sent: the ledger learns what arrived, the queue what is left.

use std::collections::HashMap;

use uuid::Uuid;

use super::access::Access;
use super::crm::Landed;
use super::deliver::{Batch, Job, jitter, note};
use super::doubt::adopt;
use super::engine::Engine;
use super::fault::{Class, Fault, Refusal};
use super::joined::join;
use super::pace::retry_ms;
use crate::error::Result;
use crate::records::{self, Action, Actor, ActorKind, Change, Edit, Life, Observed, Source, Stored, Target};
use crate::records::{due, lock, queue_of};
use crate::store::queue::{self, Columns, Settled, State};
use crate::store::{LinkRow, Tx, conflicts, ledger, links};
use crate::tables::{Catalog, CatalogTable, Connection, Policy};

/// Settles a batch by what the CRM answered.
pub(super) async fn settle(
    engine: &Engine,
    catalog: &Catalog,
    connection: &Connection,
    access: &Access,
    batch: Batch<'_>,
    answer: Result<Vec<Landed>, Fault>,
    opens_ms: i64,
) -> Result<()> {
    let fault = match &answer {
        Ok(landed) => Landed::fault_of_connection(landed).cloned(),
        Err(fault) => Some(fault.clone()),
    };
    let landed = match answer {
        Ok(landed) => landed,
        Err(fault) => vec![Landed::Later(fault); batch.jobs.len()],
    };
    // What exists already is read before it is written to: it may hold newer values.
    let existing: Vec<(Uuid, String)> = batch
        .jobs
        .iter()
        .zip(&landed)
        .filter_map(|(job, landed)| match landed {
            Landed::Exists { record } => Some((job.line.row_id, record.clone())),
            _ => None,
        })
        .collect();
    let adopted = adopt(engine, catalog, access, batch.object, &existing).await?;
    let mut tx = engine.store.begin().await?;
    let observed = batch.jobs.iter().zip(&landed).filter_map(|(job, landed)| {
        observe(engine, connection, &batch, job, landed).map(|observed| (job.line.row_id, observed))
    });
    let mut observed: Vec<(Uuid, Observed)> = observed.collect();
    let records: Vec<String> = observed.iter().map(|(_, observed)| observed.record.clone()).collect();
    let (system, object) = (connection.system.name(), batch.object.name());
    let linked = links::of_records(&mut tx, catalog.org, system, object, &records).await?;
    for (row, observed) in &mut observed {
        let link = batch.jobs.iter().find(|job| job.line.row_id == *row).and_then(|job| job.link.as_ref());
        let is_anothers =
            || linked.iter().any(|link| link.record_id == observed.record && link.row_id != *row);
        let old = match link {
            Some(link) => Some(link.record_id.clone()).filter(|old| *old != observed.record),
            // What was made for the row was merged with a record that another row is.
            None => is_anothers().then(|| observed.record.clone()),
        };
        if let Some(old) = old {
            let of = (connection, batch.table, batch.object);
            *row = join(engine, &mut tx, catalog, of, (*row, &old, &observed.record)).await?;
        }
    }
    take_in(engine, &mut tx, catalog, batch.table, connection, observed).await?;
    let rows: Vec<Uuid> = batch.jobs.iter().map(|job| job.line.row_id).collect();
    ledger::remove(&mut tx, catalog.org, &rows, &unsent(&batch.jobs, &landed)).await?;
    let left = left(&mut tx, catalog, connection, batch.table, &rows).await?;
    let now_ms = engine.clock.now_ms();
    let mut lines = Vec::with_capacity(batch.jobs.len());
    for ((job, landed), left) in batch.jobs.iter().zip(landed).zip(left) {
        let landed = match landed {
            Landed::Exists { .. } if adopted.contains(&job.line.row_id) => Ok(None),
            Landed::Exists { record } => Ok(Some(taken(&record))),
            Landed::Refused(refusal) => Ok(Some(refusal)),
            Landed::Later(fault) => Err(fault),
            Landed::Written { .. } | Landed::Gone => Ok(None),
        };
        lines.push(match landed {
            Ok(refusal) => settled(batch.table, job, left, refusal, now_ms),
            Err(fault) => later(engine, batch.table, job, left, &fault),
        });
    }
    queue::settle(&mut tx, catalog.org, queue_of(connection.system), &lines, now_ms).await?;
    let of = (catalog.org, connection.system);
    note(engine, &mut tx, of, fault.as_ref(), (access.can_refresh, opens_ms)).await?;
    tx.commit().await
}

/// The lines in the ledger of what did not go out after all.
fn unsent(jobs: &[Job], landed: &[Landed]) -> Vec<Uuid> {
    let unsent = jobs.iter().zip(landed).filter(|(_, landed)| match landed {
        Landed::Later(fault) => !fault.sent,
        Landed::Written { .. } | Landed::Exists { .. } | Landed::Gone | Landed::Refused(_) => false,
    });
    unsent.flat_map(|(job, _)| job.columns.iter().map(|(_, id)| *id)).collect()
}

/// What the row's change learns from an answer; none from one that says nothing of the record.
fn observe(
    engine: &Engine,
    connection: &Connection,
    batch: &Batch<'_>,
    job: &Job,
    landed: &Landed,
) -> Option<Observed> {
    let now_ms = engine.clock.now_ms();
    let known = |record: &str| Observed::of(connection.system, record, now_ms);
    match landed {
        Landed::Written { record, at_ms, .. } => {
            let at_ms = at_ms.unwrap_or(now_ms);
            let acknowledged = job.columns.iter().map(|(place, id)| (*place, *id, at_ms));
            Some(Observed { acknowledged: acknowledged.collect(), modified_ms: Some(at_ms), ..known(record) })
        }
        Landed::Gone => {
            let link = job.link.as_ref()?;
            // When it was deleted is not known, only that it was there when it was last heard of.
            let heard_ms = link.modified_ms.unwrap_or_else(|| link.linked_at.timestamp_millis());
            Some(Observed { life: Some(Life::Deleted(heard_ms)), ..known(&link.record_id) })
        }
        Landed::Refused(refusal) => {
            let link = job.link.as_ref()?;
            Some(Observed { refused: places(batch.table, job, refusal), ..known(&link.record_id) })
        }
        Landed::Exists { .. } | Landed::Later(_) => None,
    }
}

/// Writes what was learned of rows' records, by the one path.
pub(super) async fn take_in(
    engine: &Engine,
    tx: &mut Tx,
    catalog: &Catalog,
    table: &CatalogTable,
    connection: &Connection,
    observed: Vec<(Uuid, Observed)>,
) -> Result<()> {
    if observed.is_empty() {
        return Ok(());
    }
    let actor = Actor { kind: ActorKind::System, ..Actor::default() };
    let edits = observed.into_iter().enumerate().map(|(position, (row, observed))| Edit {
        target: Target::Existing(row),
        action: Action::Observe(Box::new(observed)),
        position,
    });
    let change = Change {
        table,
        actor: &actor,
        source: Source::of(connection.system),
        edits: edits.collect(),
        undo_of: None,
    };
    records::write(tx, catalog, change, engine.clock.now(), &engine.ids).await.map(drop)
}

/// For each row the columns that differ at the CRM now and may be sent, the rows being held from here on. What waits for a
/// person by its column's policy may not.
pub(super) async fn left(
    tx: &mut Tx,
    catalog: &Catalog,
    connection: &Connection,
    table: &CatalogTable,
    ids: &[Uuid],
) -> Result<Vec<Columns>> {
    let rows: Vec<Stored> = lock(tx, catalog.org, table, ids).await?;
    let links: Vec<LinkRow> = links::of_rows(tx, catalog.org, ids).await?;
    let disputed = disputed(tx, catalog, table, &links).await?;
    let of = |row: &Stored| {
        let mut links = links.iter().filter(|link| link.system == connection.system.name());
        links.find(|link| link.row_id == row.head.id)
    };
    let live = rows.iter().filter(|row| row.head.archived.is_none()).map(|row| (row, of(row)));
    let live: Vec<(&Stored, Option<&LinkRow>)> =
        live.filter(|(_, link)| link.is_none_or(|link| link.gone_ms.is_none())).collect();
    let due = due(tx, catalog, connection, table, &live).await?;
    let mut left: HashMap<Uuid, Columns> =
        live.iter().zip(due).map(|((row, _), due)| (row.head.id, due.columns)).collect();
    for (row, column) in &disputed {
        if let Some(columns) = left.get_mut(row) {
            columns.remove(column);
        }
    }
    Ok(ids.iter().map(|id| left.remove(id).unwrap_or_default()).collect())
}

/// The cells that a person must decide before a CRM is told of them.
async fn disputed(
    tx: &mut Tx,
    catalog: &Catalog,
    table: &CatalogTable,
    links: &[LinkRow],
) -> Result<Vec<(Uuid, String)>> {
    let is_manual = |key: &str| table.find(key).is_some_and(|column| column.policy == Policy::Manual);
    let troubled = links.iter().filter(|link| link.has_conflicts).map(|link| link.row_id);
    let troubled: Vec<Uuid> = troubled.collect();
    if troubled.is_empty() || !table.columns.iter().any(|column| is_manual(&column.key)) {
        return Ok(Vec::new());
    }
    let known = conflicts::of_rows(tx, catalog.org, &troubled).await?;
    let open = known.into_iter().filter(|line| line.resolution == "open" && is_manual(&line.column_key));
    Ok(open.map(|line| (line.row_id, line.column_key)).collect())
}

/// The line after an answer: done, or with what else differs, or dead with what was refused.
fn settled(table: &CatalogTable, job: &Job, left: Columns, refusal: Option<Refusal>, now_ms: i64) -> Settled {
    let refused: Vec<String> = refusal.iter().flat_map(|refusal| keys(table, job, refusal)).collect();
    let is_refused = refusal.is_some();
    let others: Columns = left
        .iter()
        .filter(|(key, _)| !refused.contains(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    // A refusal that names a property leaves the others to be sent; one that names none holds for all of them.
    let can_go_on = is_refused && !others.is_empty() && refused.len() < job.columns.len();
    let state = match (is_refused, left.is_empty()) {
        (true, _) if can_go_on => State::Pending,
        (true, _) => State::Dead,
        (false, true) => State::Done,
        (false, false) => State::Pending,
    };
    let columns = if can_go_on { others } else { left };
    let failure = refusal.map(|refusal| Fault::of_refusal(&refusal).failure(refused.first().cloned()));
    Settled { state, attempts: 0, failure, ..Settled::again(&job.line, Some(columns), now_ms) }
}

/// The line of a record that is tried again. What holds for all calls does not count as an attempt of this record.
fn later(engine: &Engine, table: &CatalogTable, job: &Job, left: Columns, fault: &Fault) -> Settled {
    let now_ms = engine.clock.now_ms();
    if !fault.class.passes() && !fault.class.is_of_connection() && fault.class != Class::Unexpected {
        return settled(table, job, left, Some(Refusal::of_fault(fault)), now_ms);
    }
    let counts = !fault.class.is_of_connection();
    let attempts = job.line.attempts + i64::from(counts);
    let wait_ms = if counts {
        retry_ms(job.line.attempts, fault, jitter(engine))
    } else {
        fault.retry_after_ms.unwrap_or(0).max(0)
    };
    let failure = Some(fault.failure(None));
    let again = Settled::again(&job.line, Some(left), now_ms.saturating_add(wait_ms));
    Settled { attempts, in_doubt: fault.sent, failure, ..again }
}

/// The places of the columns that a refusal is about: those of the property that it names, else all that were sent.
fn places(table: &CatalogTable, job: &Job, refusal: &Refusal) -> Vec<usize> {
    let keys = keys(table, job, refusal);
    let is_refused =
        |place: &usize| table.columns.get(*place).is_some_and(|column| keys.contains(&column.key));
    job.columns.iter().map(|(place, _)| *place).filter(is_refused).collect()
}

fn keys(table: &CatalogTable, job: &Job, refusal: &Refusal) -> Vec<String> {
    let sent = job.push.cells.iter().map(|(mapped, _)| mapped);
    let named: Vec<String> = sent
        .filter(|mapped| refusal.property.as_deref() == Some(mapped.property.as_str()))
        .map(|mapped| mapped.column.clone())
        .collect();
    if !named.is_empty() {
        return named;
    }
    let all = job.columns.iter().filter_map(|(place, _)| table.columns.get(*place));
    all.map(|column| column.key.clone()).collect()
}

/// The refusal of a record that another row is already.
fn taken(record: &str) -> Refusal {
    Refusal {
        class: Class::Duplicate,
        message: format!("the record {record} is there already and belongs to another row"),
        correlation: None,
        property: None,
    }
}
