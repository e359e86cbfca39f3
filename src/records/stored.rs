//! A row between its slots and its cells: values by column, and each cell's stamp.

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::actor::Source;
use super::merge::{Cell, Stamp};
use crate::error::Result;
use crate::store::rows;
use crate::store::{Datum, Field, Org, Row, RowHead, SlotColumn, Tx, read_flag, read_number, read_time};
use crate::tables::value::{tags_from_slot, tags_to_slot};
use crate::tables::{CatalogColumn, CatalogTable, Kind, Place, Storage, Value, line};

/// The entry of `provenance` for the row's last restoring; no column has this key.
const RESTORED: &str = "";
/// Begins the entry of `provenance` for what was written into a column that shows what was computed; no column has such
/// a key.
const WRITTEN: &str = "written:";

/// The entry of `provenance` for the newest edit here whose value a CRM's has replaced; no column has this key.
const REPLACED: &str = "*";

/// A row with its values in the order of the table's columns. Computed columns are none here.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    pub head: RowHead,
    pub values: Vec<Option<Value>>,
}

/// The row with this id, archived or not.
pub async fn get(tx: &mut Tx, org: Org, table: &CatalogTable, id: Uuid) -> Result<Option<Stored>> {
    let slots = slot_columns(table);
    let row = rows::get(tx, org, table.key(), id, &slots).await?;
    Ok(row.map(|row| Stored::from_row(table, row)))
}

/// The rows with these ids, archived or not, in the order of their ids.
pub async fn get_all(tx: &mut Tx, org: Org, table: &CatalogTable, ids: &[Uuid]) -> Result<Vec<Stored>> {
    let rows = rows::get_all(tx, org, table.key(), ids, &slot_columns(table)).await?;
    Ok(rows.into_iter().map(|row| Stored::from_row(table, row)).collect())
}

/// The rows with these ids, archived or not, held until the transaction ends, in the order of their ids.
pub async fn lock(tx: &mut Tx, org: Org, table: &CatalogTable, ids: &[Uuid]) -> Result<Vec<Stored>> {
    line::enter(tx, org, table.key()).await?;
    let rows = rows::lock(tx, org, table.key(), ids, &slot_columns(table)).await?;
    Ok(rows.into_iter().map(|row| Stored::from_row(table, row)).collect())
}

/// The slots of a table's columns, in their order.
pub(super) fn slot_columns(table: &CatalogTable) -> Vec<SlotColumn> {
    table.columns.iter().filter_map(slot_column).collect()
}

pub(super) fn slot_column(column: &CatalogColumn) -> Option<SlotColumn> {
    match column.place {
        Place::Slot(slot) => Some((slot.column(), field(column.kind))),
        Place::RowTags | Place::Computed(_) => None,
    }
}

/// The type in which a column's value travels to and from the database.
pub(super) fn field(kind: Kind) -> Field {
    match kind.storage() {
        Storage::Text => Field::Text,
        Storage::Number => Field::Number,
        Storage::Time => Field::Time,
        Storage::Flag => Field::Flag,
    }
}

/// A value as its slot holds it.
pub(super) fn to_slot(kind: Kind, value: Option<&Value>) -> Datum {
    match (kind.storage(), value) {
        (Storage::Text, Some(Value::Text(text))) => Datum::String(Some(text.clone())),
        (Storage::Text, Some(Value::Tags(tags))) => Datum::String(Some(tags_to_slot(tags))),
        (Storage::Text, _) => Datum::String(None),
        (Storage::Number, Some(Value::Number(number))) => Datum::Double(Some(*number)),
        (Storage::Number, _) => Datum::Double(None),
        (Storage::Time, Some(Value::Time(time))) => Datum::ChronoDateTimeUtc(Some(*time)),
        (Storage::Time, _) => Datum::ChronoDateTimeUtc(None),
        (Storage::Flag, Some(Value::Flag(flag))) => Datum::Bool(Some(*flag)),
        (Storage::Flag, _) => Datum::Bool(None),
    }
}

/// The value a slot holds.
pub(super) fn from_slot(kind: Kind, datum: Datum) -> Option<Value> {
    match (kind.storage(), datum) {
        (Storage::Text, Datum::String(Some(text))) if kind == Kind::Tags => {
            Some(Value::Tags(tags_from_slot(&text)))
        }
        (Storage::Text, Datum::String(text)) => text.map(Value::Text),
        (Storage::Number, datum) => read_number(&datum).map(Value::Number),
        (Storage::Time, datum) => read_time(&datum).map(Value::Time),
        (Storage::Flag, datum) => read_flag(&datum).map(Value::Flag),
        (Storage::Text, _) => None,
    }
}

/// A value as the change log keeps it, to be read back by [`from_log`].
pub(super) fn to_log(value: Option<&Value>) -> Json {
    match value {
        None => Json::Null,
        Some(Value::Text(text)) => json!(text),
        Some(Value::Number(number)) => json!(number),
        Some(Value::Time(time)) => json!(time),
        Some(Value::Flag(flag)) => json!(flag),
        Some(Value::Tags(tags)) => json!(tags),
    }
}

/// The value that [`to_log`] wrote for a column of this kind.
pub fn from_log(kind: Kind, logged: &Json) -> Option<Value> {
    match kind.storage() {
        Storage::Text if kind == Kind::Tags => serde_json::from_value(logged.clone()).ok().map(Value::Tags),
        Storage::Text => logged.as_str().map(|text| Value::Text(text.to_owned())),
        Storage::Number => logged.as_f64().map(Value::Number),
        Storage::Time => serde_json::from_value(logged.clone()).ok().map(Value::Time),
        Storage::Flag => logged.as_bool().map(Value::Flag),
    }
}

impl Stored {
    /// The text in a column; none where it holds none.
    pub fn text(&self, table: &CatalogTable, column: &str) -> Option<&str> {
        let place = table.columns.iter().position(|known| known.key == column)?;
        match self.values.get(place)? {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn from_row(table: &CatalogTable, row: Row) -> Stored {
        let mut slots = row.slots.into_iter();
        let values = table
            .columns
            .iter()
            .map(|column| match column.place {
                Place::Slot(_) => slots.next().and_then(|datum| from_slot(column.kind, datum)),
                Place::RowTags => row.head.tags.as_deref().map(|tags| Value::Tags(tags_from_slot(tags))),
                Place::Computed(_) => None,
            })
            .collect();
        Stored { head: row.head, values }
    }

    /// The cell of a column: its value with the stamp of the write that gave it; none when never written.
    pub fn cell(&self, table: &CatalogTable, column: usize) -> Option<Cell> {
        let value = self.values.get(column)?.clone();
        match own_stamp(&self.head.provenance, &table.columns.get(column)?.key) {
            Some(stamp) => Some(Cell { value, stamp }),
            None => value.map(|value| Cell { value: Some(value), stamp: self.base() }),
        }
    }

    /// The last write into a column: its cell, or, where that shows what was computed, what stands under it. Writes are
    /// merged with it, so that a computation never decides between people and CRMs.
    pub fn written(&self, table: &CatalogTable, column: usize) -> Option<Cell> {
        let shown = self.cell(table, column)?;
        let declared = table.columns.get(column)?;
        if !declared.is_combined() || shown.stamp.source != Source::Derived {
            return Some(shown);
        }
        let kept = self.head.provenance.get(&under(&declared.key))?;
        Some(Cell { value: from_log(declared.kind, kept.get(4)?), stamp: stamp_of(kept)? })
    }

    /// The stamp of every value without one of its own.
    fn base(&self) -> Stamp {
        Stamp {
            ms: self.head.base_ms,
            ctr: self.head.base_ctr,
            source: Source::from_name(&self.head.base_source).unwrap_or(Source::App),
            actor: self.head.base_actor.clone(),
        }
    }

    /// The newest version anything in the row has.
    pub fn newest(&self) -> (i64, i64) {
        let own = self.head.provenance.keys().filter_map(|key| own_stamp(&self.head.provenance, key));
        own.map(|stamp| (stamp.ms, stamp.ctr))
            .chain(self.head.archived)
            .fold((self.head.base_ms, self.head.base_ctr), Ord::max)
    }

    /// The newest version that anything in the row has from a hand, not from a computation of ours.
    pub fn newest_by_hand(&self) -> (i64, i64) {
        let own = self.head.provenance.keys().filter_map(|key| own_stamp(&self.head.provenance, key));
        own.filter(|stamp| stamp.source != Source::Derived)
            .map(|stamp| (stamp.ms, stamp.ctr))
            .chain(self.head.archived)
            .fold((self.head.base_ms, self.head.base_ctr), Ord::max)
    }

    /// The newest edit that people here made of the row: its cell, or one without a value when a CRM's took its place.
    pub(super) fn newest_of_ours(&self, table: &CatalogTable) -> Option<Cell> {
        let cells = (0..table.columns.len()).filter_map(|place| self.written(table, place));
        let replaced = own_stamp(&self.head.provenance, REPLACED).map(|stamp| Cell { value: None, stamp });
        let ours = cells.filter(|cell| is_ours(&cell.stamp)).chain(replaced);
        ours.max_by_key(|cell| (cell.stamp.ms, cell.stamp.ctr))
    }

    /// Remembers when a cell was edited here, now that a CRM's value stands in its place.
    pub(super) fn note_edit(&mut self, replaced: Option<&Cell>) {
        let Some(cell) = replaced.filter(|cell| is_ours(&cell.stamp)) else { return };
        let known = own_stamp(&self.head.provenance, REPLACED).map(|stamp| (stamp.ms, stamp.ctr));
        if known < Some((cell.stamp.ms, cell.stamp.ctr)) {
            self.head.provenance.insert(REPLACED.to_owned(), entry(&cell.stamp));
        }
    }

    /// The version of the last restoring; none when the row was never archived.
    pub fn restored(&self) -> Option<(i64, i64)> {
        own_stamp(&self.head.provenance, RESTORED).map(|stamp| (stamp.ms, stamp.ctr))
    }

    /// Makes an archived row live again, or remembers that it was restored at a CRM.
    pub(super) fn restore(&mut self, stamp: &Stamp) {
        self.head.archived = None;
        self.head.provenance.insert(RESTORED.to_owned(), entry(stamp));
    }

    /// Puts what is computed for a column into the row, above what was written there.
    pub(super) fn put_computed(&mut self, table: &CatalogTable, column: usize, cell: Cell) {
        let written = self.written(table, column);
        let Some(declared) = table.columns.get(column) else { return };
        self.put_shown(declared, column, cell);
        if declared.is_combined() {
            self.put_under(&declared.key, written.as_ref());
        }
    }

    /// Puts a written cell into the row. A column that shows more than what was written shows the rest again when it has been
    /// computed anew.
    pub(super) fn put(&mut self, table: &CatalogTable, column: usize, cell: Cell) {
        let Some(declared) = table.columns.get(column) else { return };
        if declared.is_combined() {
            let shown = self.cell(table, column);
            let is_computed = shown.is_some_and(|shown| shown.stamp.source == Source::Derived);
            if is_computed && self.written(table, column).and_then(|written| written.value) == cell.value {
                self.put_under(&declared.key, Some(&cell));
                return;
            }
            self.put_under(&declared.key, None);
        }
        self.put_shown(declared, column, cell);
    }

    /// Keeps the write that stands under what was computed.
    fn put_under(&mut self, key: &str, written: Option<&Cell>) {
        let key = under(key);
        match written {
            Some(Cell { value, stamp: Stamp { ms, ctr, source, actor } }) => {
                let entry = json!([ms, ctr, source.name(), actor, to_log(value.as_ref())]);
                self.head.provenance.insert(key, entry);
            }
            None => drop(self.head.provenance.remove(&key)),
        }
    }

    /// Puts a cell into its slot, keeping its stamp apart only where it differs from the row's base.
    fn put_shown(&mut self, declared: &CatalogColumn, column: usize, cell: Cell) {
        let base = self.base();
        let Some(slot) = self.values.get_mut(column) else { return };
        if cell.value.is_some() && cell.stamp == base {
            self.head.provenance.remove(&declared.key);
        } else {
            self.head.provenance.insert(declared.key.clone(), entry(&cell.stamp));
        }
        if declared.place == Place::RowTags {
            self.head.tags = match &cell.value {
                Some(Value::Tags(tags)) => Some(tags_to_slot(tags)),
                _ => None,
            };
        }
        *slot = cell.value;
    }

    /// The slots' values, in the order of [`slot_columns`].
    pub(super) fn slots(&self, table: &CatalogTable) -> Vec<Datum> {
        table
            .columns
            .iter()
            .zip(&self.values)
            .filter(|(column, _)| matches!(column.place, Place::Slot(_)))
            .map(|(column, value)| to_slot(column.kind, value.as_ref()))
            .collect()
    }

    /// The text that search looks in: the searched columns, folded.
    pub(super) fn search_text(&self, table: &CatalogTable) -> String {
        let mut words = Vec::new();
        for (column, value) in table.columns.iter().zip(&self.values) {
            if column.searched
                && let Some(Value::Text(text)) = value
            {
                words.push(fold(text));
            }
        }
        words.join("\n")
    }
}

/// Text as search compares it: lower-case, without accents, white space as single spaces.
pub(super) fn fold(text: &str) -> String {
    use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
    let folded: String = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
    };
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether people here wrote it, not a CRM and not a computation.
fn is_ours(stamp: &Stamp) -> bool {
    stamp.source.system().is_none() && stamp.source != Source::Derived
}

fn entry(stamp: &Stamp) -> Json {
    json!([stamp.ms, stamp.ctr, stamp.source.name(), stamp.actor])
}

fn own_stamp(provenance: &Map<String, Json>, key: &str) -> Option<Stamp> {
    stamp_of(provenance.get(key)?)
}

fn stamp_of(entry: &Json) -> Option<Stamp> {
    let [ms, ctr, source, actor, ..] = entry.as_array()?.as_slice() else { return None };
    Some(Stamp {
        ms: ms.as_i64()?,
        ctr: ctr.as_i64()?,
        source: Source::from_name(source.as_str()?)?,
        actor: actor.as_str()?.to_owned(),
    })
}

fn under(key: &str) -> String {
    format!("{WRITTEN}{key}")
}
