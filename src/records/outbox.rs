//! What the CRMs must be told of a change, put into their queues in the change's own transaction.
//!
//! A CRM is told where its last known value differs from the cell's, whoever wrote the cell: telling everyone but the one it
//! came from would leave those apart who wrote at the same time.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::associated;
use super::elsewhere::Elsewhere;
use super::ledger::shadow;
use super::sides::differs;
use super::stored::Stored;
use super::write::Draft;
use crate::error::Result;
use crate::store::queue::{self, Columns, Put};
use crate::store::{LinkRow, Queue, Tx};
use crate::tables::{Catalog, CatalogTable, Connection, Object, Policy, System};

/// Puts into each CRM's queue what the rows hold that it does not; the CRMs that must be told.
pub(super) async fn after(
    tx: &mut Tx,
    catalog: &Catalog,
    table: &CatalogTable,
    drafts: impl Iterator<Item = &Draft> + Clone,
    elsewhere: &HashMap<Uuid, Elsewhere>,
    now: DateTime<Utc>,
) -> Result<Vec<System>> {
    let nothing = Elsewhere::default();
    let mut told = Vec::new();
    for connection in &catalog.connections {
        if connection.fields_of(table.key()).next().is_none() {
            continue;
        }
        let (mut lines, mut agreed) = (Vec::new(), Vec::new());
        for draft in drafts.clone() {
            let row = draft.after.head.id;
            let known = elsewhere.get(&row).unwrap_or(&nothing);
            let (differing, agreeing) = compare(connection, table, draft, known);
            if !differing.is_empty() {
                lines.push(Put { row_id: row, table_key: table.key(), columns: differing });
            }
            if !agreeing.is_empty() {
                agreed.push((row, agreeing));
            }
        }
        lines.extend(associated::waiting(tx, catalog, connection, table, drafts.clone(), elsewhere).await?);
        let queue = queue_of(connection.system);
        if !lines.is_empty() {
            queue::put(tx, catalog.org, queue, &lines, now.timestamp_millis()).await?;
            told.push(connection.system);
        }
        queue::agree(tx, catalog.org, queue, &agreed).await?;
    }
    Ok(told)
}

/// The queue of a CRM.
pub fn queue_of(system: System) -> Queue {
    match system {
        System::Hubspot => Queue::HUBSPOT,
        System::Attio => Queue::ATTIO,
    }
}

/// The columns of a row in which the CRM differs from it.
pub fn differing(
    connection: &Connection,
    table: &CatalogTable,
    row: &Stored,
    link: Option<&LinkRow>,
) -> Columns {
    let mut columns = Columns::new();
    for (place, column) in table.columns.iter().enumerate() {
        if connection.sent(table.key(), &column.key).is_none() {
            continue;
        }
        let known = link.and_then(|link| shadow(link, column));
        if differs(row.values.get(place).and_then(Option::as_ref), known.as_ref()) {
            columns.insert(column.key.clone(), true.into());
        }
    }
    columns
}

/// Of what a draft changed or learned: the columns that differ at the CRM, and those that agree.
fn compare(
    connection: &Connection,
    table: &CatalogTable,
    draft: &Draft,
    known: &Elsewhere,
) -> (Columns, Columns) {
    let (mut differing, mut agreeing) = (Columns::new(), Columns::new());
    let row = &draft.after;
    let link = known.link(connection.system);
    if row.head.archived.is_some() || link.is_some_and(|link| link.gone_ms.is_some()) {
        return (differing, agreeing);
    }
    let Some(link) = link else {
        if draft.action.is_some() && may_create(connection, table, row) {
            differing = self::differing(connection, table, row, None);
        }
        return (differing, agreeing);
    };
    let is_back = draft.action == Some("restore") || known.back.contains(&connection.system);
    for (place, column) in table.columns.iter().enumerate() {
        let is_touched = is_back || draft.changed.contains_key(&place) || known.moved.contains(&place);
        if !is_touched || connection.sent(table.key(), &column.key).is_none() {
            continue;
        }
        let there = shadow(link, column);
        let set = match differs(row.values.get(place).and_then(Option::as_ref), there.as_ref()) {
            true if column.policy == Policy::Manual && known.is_disputed(&column.key) => continue,
            true => &mut differing,
            false => &mut agreeing,
        };
        set.insert(column.key.clone(), true.into());
    }
    (differing, agreeing)
}

/// Whether a row becomes a record at the CRM: it was made since the connection was, and holds what a record needs.
pub(super) fn may_create(connection: &Connection, table: &CatalogTable, row: &Stored) -> bool {
    let holds = |key: &str| {
        let place = table.columns.iter().position(|column| column.key == key);
        place.and_then(|place| row.values.get(place)).is_some_and(Option::is_some)
    };
    connection.creates
        && row.head.created_at >= connection.connected_at
        && Object::of_table(table.key())
            .is_some_and(|object| object.needs().iter().all(|group| group.iter().any(|key| holds(key))))
}
