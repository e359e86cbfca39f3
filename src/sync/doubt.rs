//! Reads records back: those that may have been written without our learning of it, and those that turn out to exist.

use std::collections::HashSet;

use uuid::Uuid;

use super::access::Access;
use super::crm::{Mapped, Seen, Writer};
use super::deliver::mapped;
use super::engine::Engine;
use super::fault::Fault;
use super::settle::{left, take_in};
use crate::error::Result;
use crate::records::sides::Observation;
use crate::records::{self, Life, Observed, queue_of};
use crate::store::queue::{self, Leased, Settled};
use crate::store::{Org, links};
use crate::tables::{Catalog, CatalogTable, Object};

/// Takes in what the CRM holds of records whose answer was lost, and makes their lines pending again: what arrived is then
/// known to have arrived. The fault is one of reading.
pub(super) async fn read_back(
    engine: &Engine,
    org: Org,
    access: &Access,
    lines: &[Leased],
) -> Result<Result<(), Fault>> {
    let (tx, catalog) = engine.catalogs.read(&engine.store, org, engine.clock.now()).await?;
    drop(tx);
    for &object in Object::ALL {
        let rows: Vec<Uuid> =
            lines.iter().filter(|line| line.table_key == object.table()).map(|line| line.row_id).collect();
        if rows.is_empty() || catalog.table(object.table()).is_err() {
            continue;
        }
        let records = match records(engine, &catalog, access, object, &rows).await? {
            Ok(records) => records,
            Err(fault) => return Ok(Err(fault)),
        };
        if let Err(fault) = read(engine, &catalog, access, object, &records, false).await? {
            return Ok(Err(fault));
        }
    }
    send_again(engine, &catalog, access, lines).await?;
    Ok(Ok(()))
}

/// Makes the lines pending with what differs now that their records were read.
async fn send_again(engine: &Engine, catalog: &Catalog, access: &Access, lines: &[Leased]) -> Result<()> {
    let Some(connection) = catalog.connection(access.system) else { return Ok(()) };
    let now_ms = engine.clock.now_ms();
    let mut tx = engine.store.begin().await?;
    let mut again = Vec::with_capacity(lines.len());
    for &object in Object::ALL {
        let Ok(table) = catalog.table(object.table()) else { continue };
        let of_table = lines.iter().filter(|line| line.table_key == table.key());
        let of_table: Vec<&Leased> = of_table.collect();
        let rows: Vec<Uuid> = of_table.iter().map(|line| line.row_id).collect();
        let left = left(&mut tx, catalog, connection, table, &rows).await?;
        let settled = of_table.into_iter().zip(left);
        again.extend(settled.map(|(line, columns)| Settled::again(line, Some(columns), now_ms)));
    }
    queue::settle(&mut tx, catalog.org, queue_of(access.system), &again, now_ms).await?;
    tx.commit().await
}

/// The records of rows: by their links, and for rows that were being made by the id that their records carry.
async fn records(
    engine: &Engine,
    catalog: &Catalog,
    access: &Access,
    object: Object,
    rows: &[Uuid],
) -> Result<Result<Vec<(Uuid, String)>, Fault>> {
    let mut tx = engine.store.read().await?;
    let known = links::of_rows(&mut tx, catalog.org, rows).await?;
    drop(tx);
    let known = known.into_iter().filter(|link| link.system == access.system.name());
    let mut records: Vec<(Uuid, String)> = known.map(|link| (link.row_id, link.record_id)).collect();
    let unlinked: Vec<Uuid> =
        rows.iter().filter(|row| !records.iter().any(|(known, _)| known == *row)).copied().collect();
    if !unlinked.is_empty() {
        let unlinked = with_associates(engine, catalog, access, object, &unlinked).await?;
        match engine.client()?.find(access.system, &access.token, object, &unlinked).await {
            Ok(found) => {
                // One that another row is by now, after a merge, is not this row's to be read into.
                let names: Vec<String> = found.value.iter().map(|(_, record)| record.clone()).collect();
                let mut tx = engine.store.read().await?;
                let (system, name) = (access.system.name(), object.name());
                let taken = links::of_records(&mut tx, catalog.org, system, name, &names).await?;
                let is_free = |record: &str| !taken.iter().any(|link| link.record_id == record);
                records.extend(found.value.into_iter().filter(|(_, record)| is_free(record)));
            }
            Err(fault) => return Ok(Err(fault)),
        }
    }
    Ok(Ok(records))
}

/// The rows, each with the record that its own would be associated with.
async fn with_associates(
    engine: &Engine,
    catalog: &Catalog,
    access: &Access,
    object: Object,
    rows: &[Uuid],
) -> Result<Vec<(Uuid, Option<String>)>> {
    let Some(connection) = catalog.connection(access.system) else { return Ok(Vec::new()) };
    let table = catalog.table(object.table())?;
    let mut tx = engine.store.begin().await?;
    let stored = records::get_all(&mut tx, catalog.org, table, rows).await?;
    let pairs: Vec<_> = stored.iter().map(|row| (row, None)).collect();
    let due = records::due(&mut tx, catalog, connection, table, &pairs).await?;
    Ok(stored.iter().zip(due).map(|(row, due)| (row.head.id, due.associate)).collect())
}

/// Takes in records that exist already and belong to no other row; the rows that they are now.
pub(super) async fn adopt(
    engine: &Engine,
    catalog: &Catalog,
    access: &Access,
    object: Object,
    existing: &[(Uuid, String)],
) -> Result<HashSet<Uuid>> {
    if existing.is_empty() {
        return Ok(HashSet::new());
    }
    let names: Vec<String> = existing.iter().map(|(_, record)| record.clone()).collect();
    let mut tx = engine.store.read().await?;
    let taken = links::of_records(&mut tx, catalog.org, access.system.name(), object.name(), &names).await?;
    drop(tx);
    let mut seen = HashSet::new();
    let free = existing.iter().filter(|(row, record)| {
        let is_free = !taken.iter().any(|link| link.record_id == *record && link.row_id != *row);
        is_free && seen.insert(record.clone())
    });
    let free: Vec<(Uuid, String)> = free.cloned().collect();
    match read(engine, catalog, access, object, &free, true).await? {
        Ok(()) => Ok(free.into_iter().map(|(row, _)| row).collect()),
        // They are tried again as they were, and read then.
        Err(_) => Ok(existing.iter().map(|(row, _)| *row).collect()),
    }
}

/// Reads records with their history and takes it in.
async fn read(
    engine: &Engine,
    catalog: &Catalog,
    access: &Access,
    object: Object,
    records: &[(Uuid, String)],
    is_adoption: bool,
) -> Result<Result<(), Fault>> {
    let Some(connection) = catalog.connection(access.system) else { return Ok(Ok(())) };
    if records.is_empty() {
        return Ok(Ok(()));
    }
    let table = catalog.table(object.table())?;
    // Of what is only sent there is nothing to learn but that it is there.
    let mapped = if object.is_read() { mapped(connection, access, object) } else { Vec::new() };
    let names: Vec<String> = records.iter().map(|(_, record)| record.clone()).collect();
    let writer = access.writer.as_deref();
    let answer = engine.client()?.read(access.system, &access.token, object, &names, &mapped, writer).await;
    let seen = match answer {
        Ok(answer) => answer.value,
        Err(fault) => return Ok(Err(fault)),
    };
    let now_ms = engine.clock.now_ms();
    let observed = records.iter().filter_map(|(row, record)| {
        let seen = seen.iter().find(|seen| seen.record == *record)?;
        let observed = whole(access, table, &mapped, seen, now_ms);
        let is_another = is_adoption && seen.row != Some(*row);
        Some((*row, if is_another { as_found(observed) } else { observed }))
    });
    let observed: Vec<(Uuid, Observed)> = observed.collect();
    let mut tx = engine.store.begin().await?;
    take_in(engine, &mut tx, catalog, table, connection, observed).await?;
    tx.commit().await?;
    Ok(Ok(()))
}

/// What is told of a record that was none of the row's: what our app wrote there, for whomever, is no echo of the row's cells
/// but a value that the row does not know.
pub(super) fn as_found(mut observed: Observed) -> Observed {
    observed.cells.iter_mut().flat_map(|(_, seen)| seen).for_each(|seen| seen.by_us = false);
    observed
}

/// All that a record's mapped properties held over time.
pub(super) fn whole(
    access: &Access,
    table: &CatalogTable,
    mapped: &[Mapped],
    seen: &Seen,
    now_ms: i64,
) -> Observed {
    let mut cells = Vec::new();
    for (column, past) in &seen.columns {
        let is_kept = mapped.iter().any(|mapped| mapped.column == *column);
        let place = table.columns.iter().position(|known| known.key == *column && known.is_observed());
        let Some(place) = place.filter(|_| is_kept) else { continue };
        let observations = past.iter().map(|past| Observation {
            value: past.value.clone(),
            reported_ms: past.at_ms,
            received_ms: now_ms,
            by_us: past.by == Writer::Us,
            actor: match &past.by {
                Writer::Other(actor) => actor.clone(),
                Writer::Us | Writer::Unknown => access.system.name().to_owned(),
            },
        });
        cells.push((place, observations.collect()));
    }
    let life = seen.archived.then(|| Life::Deleted(seen.modified_ms.unwrap_or(now_ms)));
    Observed {
        cells,
        is_whole: true,
        life,
        modified_ms: seen.modified_ms,
        ..Observed::of(access.system, &seen.record, now_ms)
    }
}
