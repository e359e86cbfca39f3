//! What the rows of an organization should be after a series of writes, worked out in the plainest way: whole
//! copies, linear searches, no SQL. It shares nothing with the code it is compared with.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use opstables::error::Code;
use serde_json::{Value as Json, json};
use uuid::Uuid;

pub(super) type Version = (i64, i64);

/// A row, or one cell of it, that an undo leaves as it is.
pub(super) type Left = (Uuid, Option<String>);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    /// Null when it was cleared.
    pub(super) value: Json,
    pub(super) source: &'static str,
    pub(super) actor: String,
    pub(super) version: Version,
    /// The change that wrote it.
    pub(super) change: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) table: &'static str,
    pub(super) cells: BTreeMap<String, Cell>,
    /// What was written into columns that show what was computed.
    pub(super) under: BTreeMap<String, Cell>,
    pub(super) archived: Option<Version>,
    /// The change that made, archived or restored it last.
    life: usize,
    /// The newest version that anything in it ever had.
    seen: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Create,
    Update,
    Archive,
    Restore,
}

#[derive(Debug, Clone)]
pub(super) struct Change {
    /// None for what the product computed by itself.
    pub(super) id: Option<String>,
    pub(super) table: &'static str,
    /// What was done to each row, and what was written before into the cells that were written.
    pub(super) rows: BTreeMap<Uuid, (Deed, BTreeMap<String, Json>)>,
    is_undone: bool,
}

/// Who writes, and when.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    pub(super) source: &'static str,
    pub(super) actor: String,
    pub(super) now: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) id: Uuid,
    pub(super) is_new: bool,
    pub(super) what: Do,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Do {
    Set {
        cells: Vec<(String, Json)>,
        expected: Vec<(String, Json)>,
    },
    Archive,
    Restore,
    /// Clears a cell, in an archived row too.
    Empty(String),
    /// Nothing, but what is computed for the row.
    Recompute,
}

#[derive(Debug, Clone, Default)]
pub(super) struct World {
    pub(super) rows: BTreeMap<Uuid, Row>,
    pub(super) changes: Vec<Change>,
    /// The organization's own columns that were emptied and deleted.
    pub(super) gone: BTreeSet<(&'static str, String)>,
}

impl Row {
    pub(super) fn value(&self, column: &str) -> Json {
        self.cells.get(column).map_or(Json::Null, |cell| cell.value.clone())
    }

    pub(super) fn is_live(&self) -> bool {
        self.archived.is_none()
    }

    /// The last write into a column.
    pub(super) fn written(&self, column: &str) -> Option<&Cell> {
        let shown = self.cells.get(column)?;
        if shown.source == "derived" && is_combined(column) { self.under.get(column) } else { Some(shown) }
    }
}

impl World {
    pub(super) fn ids(&self, table: &str, wanted: impl Fn(&Row) -> bool) -> Vec<Uuid> {
        let rows = self.rows.iter().filter(|(_, row)| row.table == table && wanted(row));
        rows.map(|(id, _)| *id).collect()
    }

    pub(super) fn is_gone(&self, table: &'static str, column: &str) -> bool {
        self.gone.contains(&(table, column.to_owned()))
    }

    /// Writes all edits, or says why not. The number of the change, when anything changed.
    pub(super) fn write(
        &mut self,
        table: &'static str,
        writer: &Writer,
        edits: &[Edit],
    ) -> Result<Option<usize>, Code> {
        let before = self.clone();
        let written = self.write_edits(table, writer, edits);
        match written {
            Err(_) => *self = before,
            Ok(None) => {}
            Ok(Some(number)) => self.follow(number, writer.now, &before),
        }
        written
    }

    pub(super) fn write_edits(
        &mut self,
        table: &'static str,
        writer: &Writer,
        edits: &[Edit],
    ) -> Result<Option<usize>, Code> {
        let mut version = (writer.now.timestamp_millis(), 0);
        for edit in edits.iter().filter(|edit| !edit.is_new) {
            let row = self.rows.get(&edit.id).filter(|row| row.table == table).ok_or(Code::NotFound)?;
            version = version.max((row.seen.0, row.seen.1 + 1));
        }
        let number = self.changes.len();
        let mut change = Change { id: None, table, rows: BTreeMap::new(), is_undone: false };
        let before = self.clone();
        for edit in edits {
            self.write_edit(&mut change, number, version, writer, edit)?;
        }
        for edit in edits {
            let stamp = Cell {
                value: Json::Null,
                source: "derived",
                actor: "system".to_owned(),
                version,
                change: number,
            };
            let is_asked = edit.what == Do::Recompute;
            self.fill(&mut change, (edit.id, is_asked), before.rows.get(&edit.id), &stamp, writer.now);
        }
        if change.rows.is_empty() {
            return Ok(None);
        }
        for id in change.rows.keys() {
            self.rows.get_mut(id).expect("a written row").seen = version;
        }
        self.changes.push(change);
        Ok(Some(number))
    }

    fn write_edit(
        &mut self,
        change: &mut Change,
        number: usize,
        version: Version,
        writer: &Writer,
        edit: &Edit,
    ) -> Result<(), Code> {
        let cell = |value: Json| Cell {
            value,
            source: writer.source,
            actor: writer.actor.clone(),
            version,
            change: number,
        };
        if edit.is_new && !self.rows.contains_key(&edit.id) {
            let initial = match change.table {
                "leads" => Some(("created_at", json!(writer.now))),
                "companies" => Some(("active_contacts_count", json!(0.0))),
                _ => None,
            };
            let cells = initial.map(|(key, value)| (key.to_owned(), cell(value))).into_iter().collect();
            self.rows.insert(
                edit.id,
                Row {
                    table: change.table,
                    cells,
                    under: BTreeMap::new(),
                    archived: None,
                    life: number,
                    seen: version,
                },
            );
            change.rows.insert(edit.id, (Deed::Create, BTreeMap::new()));
        }
        let row = self.rows.get_mut(&edit.id).expect("a row that was looked up");
        let (cells, deed) = match &edit.what {
            Do::Set { .. } if !row.is_live() => return Err(Code::Conflict),
            Do::Set { expected, .. } if expected.iter().any(|(key, value)| row.value(key) != *value) => {
                return Err(Code::Conflict);
            }
            Do::Set { cells, .. } => (cells.clone(), Deed::Update),
            Do::Empty(column) => (vec![(column.clone(), Json::Null)], Deed::Update),
            Do::Archive if row.is_live() => (Vec::new(), Deed::Archive),
            Do::Restore if !row.is_live() => (Vec::new(), Deed::Restore),
            Do::Archive | Do::Restore | Do::Recompute => return Ok(()),
        };
        if deed != Deed::Update {
            row.archived = (deed == Deed::Archive).then_some(version);
            row.life = number;
            change.rows.insert(edit.id, (deed, BTreeMap::new()));
        }
        for (key, value) in cells {
            let written = row.written(&key).map_or(Json::Null, |cell| cell.value.clone());
            let (deed, before) =
                change.rows.get(&edit.id).cloned().unwrap_or((Deed::Update, BTreeMap::new()));
            let is_own = deed == Deed::Create || before.contains_key(&key);
            if row.value(&key) == value || (written == value && !is_own) {
                continue;
            }
            let is_computed =
                is_combined(&key) && row.cells.get(&key).is_some_and(|it| it.source == "derived");
            if is_computed && written == value {
                row.under.insert(key.clone(), cell(value));
            } else {
                row.under.remove(&key);
                row.cells.insert(key.clone(), cell(value));
            }
            let (_, before) = change.rows.entry(edit.id).or_insert((Deed::Update, BTreeMap::new()));
            before.entry(key).or_insert(written);
        }
        Ok(())
    }

    /// Takes a change back: the number of the change that does so, and what was left as it is.
    pub(super) fn undo(
        &mut self,
        number: usize,
        writer: &Writer,
    ) -> Result<(Option<usize>, BTreeSet<Left>), Code> {
        let change = self.changes[number].clone();
        if change.is_undone {
            return Err(Code::Conflict);
        }
        let (mut edits, mut left) = (Vec::new(), BTreeSet::new());
        for (&id, (deed, before)) in &change.rows {
            let row = &self.rows[&id];
            let by_hand = |cell: &&Cell| cell.source != "derived";
            let is_last = row.life == number;
            let what = match deed {
                Deed::Create
                    if is_last
                        && row.is_live()
                        && row
                            .cells
                            .values()
                            .chain(row.under.values())
                            .filter(by_hand)
                            .all(|it| it.change == number) =>
                {
                    Do::Archive
                }
                Deed::Archive if is_last => Do::Restore,
                Deed::Restore if is_last => Do::Archive,
                Deed::Update if row.is_live() => {
                    let mine = |key: &String| {
                        !self.is_gone(change.table, key)
                            && row.written(key).is_some_and(|cell| cell.change == number)
                    };
                    let (back, gone): (Vec<_>, Vec<_>) = before.iter().partition(|(key, _)| mine(key));
                    left.extend(gone.into_iter().map(|(key, _)| (id, Some(key.clone()))));
                    let cells: Vec<_> =
                        back.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect();
                    if cells.is_empty() {
                        continue;
                    }
                    Do::Set { cells, expected: Vec::new() }
                }
                _ => {
                    left.insert((id, None));
                    continue;
                }
            };
            edits.push(Edit { id, is_new: false, what });
        }
        let undoing = self.write(change.table, writer, &edits)?;
        self.changes[number].is_undone = undoing.is_some();
        Ok((undoing, left))
    }
}

/// Whether a column shows more than was written into it.
pub(super) fn is_combined(column: &str) -> bool {
    matches!(column, "last_engagement" | "last_contact_date" | "recent_signals")
}
