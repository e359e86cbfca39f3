//! The ledger's lines as the values that a property held, and back.

use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::types::Json as SqlJson;
use uuid::Uuid;

use super::sides::{By, Entry, Shadow};
use super::stored::{Stored, from_log, to_log};
use crate::store::{LedgerRow, LinkRow};
use crate::tables::{CatalogColumn, CatalogTable, Kind, System, Value};

/// The line of a value that is about to be sent.
pub fn sending(
    system: System,
    (table, row, place): (&CatalogTable, &Stored, usize),
    record: Option<&str>,
    id: Uuid,
    now_ms: i64,
) -> Option<LedgerRow> {
    let column = table.columns.get(place)?;
    let value = row.values.get(place)?.as_ref();
    let stamp = row.cell(table, place).map(|cell| cell.stamp);
    Some(LedgerRow {
        system: system.name().to_owned(),
        row_id: row.head.id,
        column_key: column.key.clone(),
        id,
        record_id: record.map(str::to_owned),
        value: SqlJson(to_log(value)),
        value_hash: value_hash(value),
        version_ms: stamp.as_ref().map(|stamp| stamp.ms),
        version_ctr: stamp.as_ref().map(|stamp| stamp.ctr),
        sent_ms: Some(now_ms),
        at_ms: None,
        reported_ms: None,
        actor: None,
        is_lost: false,
    })
}

/// The last value known to be at a CRM.
pub fn shadow(link: &LinkRow, column: &CatalogColumn) -> Option<Shadow> {
    let kept = link.shadow.0.get(&column.key)?;
    Some(Shadow { value: from_log(column.kind, kept.get(0)?), at_ms: kept.get(1)?.as_i64()? })
}

/// A line as a value that was there; none for one that is still on its way.
pub(super) fn entry(kind: Kind, line: &LedgerRow) -> Option<Entry> {
    let by = match (&line.actor, line.version_ms.zip(line.version_ctr)) {
        (Some(actor), _) => By::Other(actor.clone()),
        (None, version) => By::Us(version.filter(|version| *version != (0, 0))),
    };
    Some(Entry {
        id: line.id,
        reported_ms: line.reported_ms?,
        at_ms: line.at_ms?,
        value: from_log(kind, &line.value.0),
        by,
        is_lost: line.is_lost,
    })
}

/// A value that was there as a new line.
pub(super) fn line(
    column: &CatalogColumn,
    row: Uuid,
    (system, record): (System, Option<String>),
    entry: &Entry,
) -> LedgerRow {
    let (version, actor) = match &entry.by {
        By::Us(version) => (Some(version.unwrap_or_default()), None),
        By::Other(actor) => (None, Some(actor.clone())),
    };
    LedgerRow {
        system: system.name().to_owned(),
        row_id: row,
        column_key: column.key.clone(),
        id: entry.id,
        record_id: record,
        value: SqlJson(to_log(entry.value.as_ref())),
        value_hash: value_hash(entry.value.as_ref()),
        version_ms: version.map(|(ms, _)| ms),
        version_ctr: version.map(|(_, ctr)| ctr),
        sent_ms: None,
        at_ms: Some(entry.at_ms),
        reported_ms: Some(entry.reported_ms),
        actor,
        is_lost: entry.is_lost,
    }
}

/// What a value is known by where the value itself must not stand.
pub(super) fn value_hash(value: Option<&Value>) -> String {
    let canonical = value.map(Value::canonical).unwrap_or_default();
    let digest = Sha256::digest(json!([value.is_some(), canonical]).to_string());
    hex::encode(digest.get(..12).unwrap_or_default())
}
