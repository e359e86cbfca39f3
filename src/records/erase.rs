//! A privacy deletion: what the product holds of a person is gone for good, and does not come back by itself.
//!
//! Rows are archived everywhere else, and every change can be undone; here neither must be so. The row stays as an empty,
//! archived one, so that whoever names its id is told of an archived row. Hashes of the record's ids and of the e-mail
//! address stay: by them it is known when a CRM or a source brings the person again.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::actor::{Actor, ActorKind, Source};
use super::change::{Action, Change, Edit, Target};
use super::outbox::queue_of;
use super::seal::fingerprint;
use super::stored::lock;
use super::write::write;
use crate::clock::Ids;
use crate::error::Result;
use crate::store::{Tx, changes, conflicts, erased, inbox, ledger, links, queue};
use crate::tables::{Catalog, CatalogTable, Kind, Object, System, Value};

/// Erases what is held of rows, in every place that holds values of theirs.
pub async fn erase(
    tx: &mut Tx,
    catalog: &Catalog,
    table: &CatalogTable,
    source: Source,
    rows: &[Uuid],
    (now, ids): (DateTime<Utc>, &Ids),
) -> Result<()> {
    let org = catalog.org;
    let held = lock(tx, org, table, rows).await?;
    let known = links::of_rows(tx, org, rows).await?;
    let emails =
        held.iter().flat_map(|row| table.columns.iter().zip(&row.values)).filter_map(|(column, value)| {
            match value {
                Some(Value::Text(email)) if column.kind == Kind::Email => Some(email_key(email)),
                _ => None,
            }
        });
    let records = known.iter().map(|link| record_key(&link.system, &link.object, &link.record_id));
    let keys: Vec<String> = emails.chain(records).collect();
    keep_out(tx, catalog, &keys, now).await?;
    let edit = |(position, row): (usize, &Uuid)| Edit {
        target: Target::Existing(*row),
        action: Action::Erase,
        position,
    };
    let actor = Actor { kind: ActorKind::System, ..Actor::default() };
    let edits = rows.iter().enumerate().map(edit).collect();
    let change = Change { table, actor: &actor, source, edits, undo_of: None };
    write(tx, catalog, change, now, ids).await?;
    for link in &known {
        inbox::empty(tx, org, &link.system, &link.object, std::slice::from_ref(&link.record_id)).await?;
    }
    changes::empty(tx, org, table.key(), rows).await?;
    conflicts::empty(tx, org, rows).await?;
    ledger::erase(tx, org, rows).await?;
    for &system in System::ALL {
        queue::remove(tx, org, queue_of(system), rows).await?;
        for row in rows {
            links::remove(tx, org, system.name(), *row).await?;
        }
    }
    Ok(())
}

/// Keeps records out that are not known here, so that nothing makes rows of them.
pub async fn erase_unknown(
    tx: &mut Tx,
    catalog: &Catalog,
    (system, object): (System, Object),
    records: &[String],
    now: DateTime<Utc>,
) -> Result<()> {
    let keys: Vec<String> =
        records.iter().map(|record| record_key(system.name(), object.name(), record)).collect();
    keep_out(tx, catalog, &keys, now).await?;
    inbox::empty(tx, catalog.org, system.name(), object.name(), records).await.map(drop)
}

/// Which of these people and records were erased: a flag for each key, in their order.
pub async fn are_erased(tx: &mut Tx, catalog: &Catalog, keys: &[String]) -> Result<Vec<bool>> {
    let hashes = hashes(catalog, keys);
    let known = erased::among(tx, catalog.org, &hashes).await?;
    Ok(hashes.iter().map(|hash| known.contains(hash)).collect())
}

/// What a person is known by, whatever record they are.
pub fn email_key(email: &str) -> String {
    format!("email:{}", email.to_lowercase())
}

/// What a record is known by.
pub fn record_key(system: &str, object: &str, record: &str) -> String {
    format!("record:{system}:{object}:{record}")
}

async fn keep_out(tx: &mut Tx, catalog: &Catalog, keys: &[String], now: DateTime<Utc>) -> Result<()> {
    let hashes = hashes(catalog, keys);
    erased::put(tx, catalog.org, &hashes, now).await
}

/// Under the organization's own key, so that nobody finds an address by trying addresses.
fn hashes(catalog: &Catalog, keys: &[String]) -> Vec<String> {
    keys.iter().map(|key| fingerprint(&catalog.key, "erased", key)).collect()
}
