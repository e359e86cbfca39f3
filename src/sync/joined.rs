//! Records that were merged at a CRM: whoever names the old one means the new one, and rows that are one record become one.

use uuid::Uuid;

use super::engine::Engine;
use crate::error::Result;
use crate::records::{self, Action, Actor, ActorKind, Change, Edit, Source, Target, queue_of};
use crate::store::{Tx, ledger, links, queue};
use crate::tables::{Catalog, CatalogTable, Connection, Object};

/// Takes in that the row's record is another one now. A row that was that one already takes over the row's cells, its
/// ledger and its place in the queue; the row itself is archived. The row that stands for the record is returned.
pub(super) async fn join(
    engine: &Engine,
    tx: &mut Tx,
    catalog: &Catalog,
    (connection, table, object): (&Connection, &CatalogTable, Object),
    (row, old, new): (Uuid, &str, &str),
) -> Result<Uuid> {
    let (org, system, now) = (catalog.org, connection.system.name(), engine.clock.now());
    if old != new {
        links::alias(tx, org, (system, object.name()), old, new, now).await?;
    }
    let there = links::of_records(tx, org, system, object.name(), &[new.to_owned()]).await?;
    let Some(other) = there.into_iter().find(|link| link.row_id != row) else {
        // At once: another row that became the same record must find this one.
        links::rename(tx, org, (system, object.name()), old, new).await?;
        return Ok(row);
    };
    let rows = records::lock(tx, org, table, &[row, other.row_id]).await?;
    let Some(absorbed) = rows.into_iter().find(|stored| stored.head.id == row) else { return Ok(row) };
    links::remove(tx, org, system, row).await?;
    let actor = Actor { kind: ActorKind::System, ..Actor::default() };
    let edit = |row, action, position| Edit { target: Target::Existing(row), action, position };
    let edits =
        vec![edit(other.row_id, Action::Absorb(Box::new(absorbed)), 0), edit(row, Action::Archive, 1)];
    let source = Source::of(connection.system);
    let change = Change { table, actor: &actor, source, edits, undo_of: None };
    records::write(tx, catalog, change, now, &engine.ids).await?;
    ledger::rehang(tx, org, row, other.row_id).await?;
    // What the CRM made of the two is read before anything more is sent.
    queue::doubt(tx, org, queue_of(connection.system), other.row_id, table.key(), now.timestamp_millis())
        .await?;
    Ok(other.row_id)
}
