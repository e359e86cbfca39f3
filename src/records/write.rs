//! The write path: load and hold the rows, merge each cell, store what changed, log it, and bring what is
//! computed from it up to date. All of it in the caller's transaction, or none of it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};
use sqlx::types::Json as SqlJson;
use uuid::Uuid;

use super::absorb::absorb;
use super::bring::bring;
use super::change::{Action, Change, Edit, Target};
use super::elsewhere::Elsewhere;
use super::merge::{Cell, Stamp, Verdict, merge, tick};
use super::observe::observe;
use super::stored::{Stored, lock, slot_columns, to_log, to_slot};
use super::{derive, elsewhere, outbox};
use crate::clock::Ids;
use crate::error::{Error, Result, conflict, not_found};
use crate::store::{ChangeRow, Datum, Row, RowHead, Tx};
use crate::store::{changes, rows};
use crate::tables::{Access, Catalog, CatalogTable, Derivation, Place, Policy, System, Value};

/// What a change did, edit by edit.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// None when nothing changed: then there is nothing to undo.
    pub change_id: Option<Uuid>,
    pub rows: Vec<RowOutcome>,
    /// The CRMs that must now be told of it.
    pub told: Vec<System>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RowOutcome {
    /// Where in the call the edit stands.
    pub position: usize,
    pub id: Uuid,
    pub touched: Touched,
    /// The columns whose value is another one now.
    pub columns: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touched {
    Created,
    Updated,
    Archived,
    Restored,
    Unchanged,
}

/// Writes a change. Everything it needs is checked before anything is stored: an error leaves no trace.
pub async fn write(
    tx: &mut Tx,
    catalog: &Catalog,
    change: Change<'_>,
    now: DateTime<Utc>,
    ids: &Ids,
) -> Result<Outcome> {
    let mut drafts = load(tx, catalog, &change, now).await?;
    let newest =
        drafts.rows.iter().filter(|draft| draft.before.is_some()).map(|draft| draft.after.newest()).max();
    let (ms, ctr) = tick(now.timestamp_millis(), newest);
    let stamp = Stamp { ms, ctr, source: change.source, actor: change.actor.short() };
    let mut outcomes = Vec::with_capacity(change.edits.len());
    for edit in &change.edits {
        outcomes.push(apply(change.table, &mut drafts, edit, &stamp, (now, ids))?);
    }
    let Drafts { mut rows, elsewhere, by_id } = drafts;
    derive::fill(tx, catalog, change.table, &mut rows, &stamp, now).await?;
    note_computed(&change, &rows, &by_id, &mut outcomes);
    let mut outcome = Outcome { change_id: None, rows: outcomes, told: Vec::new() };
    let (touched, untouched): (Vec<Draft>, Vec<Draft>) =
        rows.into_iter().partition(|draft| draft.action.is_some());
    let moved: Vec<&Draft> = touched.iter().chain(&untouched).filter(|draft| draft.is_to_store()).collect();
    store(tx, catalog, change.table, &moved, now).await?;
    if !touched.is_empty() {
        let change_id = ids.next();
        log(tx, catalog, &change, change_id, &touched, &stamp, now).await?;
        outcome.change_id = Some(change_id);
    }
    elsewhere::store(tx, catalog.org, &elsewhere, now).await?;
    // Lines of tables come before those of queues: who writes the rows of another table may put these rows into a queue.
    if !touched.is_empty() {
        derive::after(tx, catalog, change.table, &touched, now, ids).await?;
    }
    let rows = touched.iter().chain(&untouched);
    outcome.told = outbox::after(tx, catalog, change.table, rows, &elsewhere, now).await?;
    Ok(outcome)
}

/// A row on its way through a change.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) before: Option<Stored>,
    pub(super) after: Stored,
    /// What the change does to it as a whole; none while nothing changed.
    pub(super) action: Option<&'static str>,
    /// Each changed column with its value before the change.
    pub(super) changed: BTreeMap<usize, Option<Value>>,
    /// Whether its derived columns may be out of date for what happened elsewhere.
    pub(super) is_due: bool,
}

impl Draft {
    pub(super) fn of(before: Option<Stored>, after: Stored) -> Draft {
        Draft { before, after, action: None, changed: BTreeMap::new(), is_due: false }
    }

    /// Whether it differs from what is stored: a later write of the same value moves the cell's version and nothing else.
    fn is_to_store(&self) -> bool {
        let stored = self.before.as_ref().map(|before| &before.head.provenance);
        let archived = self.before.as_ref().map(|before| before.head.archived);
        self.action.is_some()
            || stored.is_some_and(|stored| *stored != self.after.head.provenance)
            || archived.is_some_and(|archived| archived != self.after.head.archived)
    }
}

struct Drafts {
    rows: Vec<Draft>,
    by_id: HashMap<Uuid, usize>,
    /// What is known of the rows at the CRMs.
    elsewhere: HashMap<Uuid, Elsewhere>,
}

/// Loads and holds the rows the edits name, and starts the new ones.
async fn load(tx: &mut Tx, catalog: &Catalog, change: &Change<'_>, now: DateTime<Utc>) -> Result<Drafts> {
    let table = change.table;
    let ids: Vec<Uuid> = change
        .edits
        .iter()
        .filter_map(|edit| match edit.target {
            Target::Existing(id) => Some(id),
            Target::New(_) => None,
        })
        .collect();
    let held = lock(tx, catalog.org, table, &ids).await?;
    // Once the rows are held: whoever held them before may have learned what arrived at a CRM.
    let elsewhere = elsewhere::load(tx, catalog, change, &ids).await?;
    let mut drafts = Drafts { rows: Vec::new(), by_id: HashMap::new(), elsewhere };
    for stored in held {
        drafts.by_id.insert(stored.head.id, drafts.rows.len());
        drafts.rows.push(Draft::of(Some(stored.clone()), stored));
    }
    for edit in &change.edits {
        match edit.target {
            Target::New(id) if !drafts.by_id.contains_key(&id) => {
                drafts.by_id.insert(id, drafts.rows.len());
                let after = blank(table, id, change, now);
                drafts.rows.push(Draft::of(None, after));
            }
            Target::Existing(id) if !drafts.by_id.contains_key(&id) => {
                return Err(not_found(format!("`{}` has no row with the id {id}", table.key()))
                    .at(format!("rows[{}].id", edit.position))
                    .hint(format!("find rows with query_{}", table.key())));
            }
            _ => {}
        }
    }
    Ok(drafts)
}

/// A row that does not exist yet, with the values every new row has.
fn blank(table: &CatalogTable, id: Uuid, change: &Change<'_>, now: DateTime<Utc>) -> Stored {
    let head = RowHead {
        id,
        base_ms: now.timestamp_millis(),
        base_ctr: 0,
        base_source: change.source.name().to_owned(),
        base_actor: change.actor.short(),
        provenance: Map::new(),
        created_at: now,
        updated_at: now,
        archived: None,
        tags: None,
        search: String::new(),
    };
    let initial = table.columns.iter().map(|column| match (column.key.as_str(), column.access) {
        ("created_at", Access::Editable) if !column.custom => Some(Value::Time(now)),
        (_, Access::Derived(Derivation::ActiveContacts)) => Some(Value::Number(0.0)),
        _ => None,
    });
    Stored { values: initial.collect(), head }
}

fn apply(
    table: &CatalogTable,
    drafts: &mut Drafts,
    edit: &Edit,
    stamp: &Stamp,
    at: (DateTime<Utc>, &Ids),
) -> Result<RowOutcome> {
    let id = edit.target.id();
    let Some(draft) = drafts.by_id.get(&id).and_then(|&place| drafts.rows.get_mut(place)) else {
        return Err(crate::error::internal("an edit's row was not loaded"));
    };
    let (touched, columns) = match &edit.action {
        Action::Set { cells, expected } => {
            check(table, draft, edit.position, expected)?;
            set(table, draft, cells, stamp, edit.position)?
        }
        Action::Archive if draft.after.head.archived.is_none() => {
            draft.after.head.archived = Some((stamp.ms, stamp.ctr));
            draft.action = Some("archive");
            (Touched::Archived, Vec::new())
        }
        Action::Restore if draft.after.head.archived.is_some() => {
            draft.after.restore(stamp);
            draft.action = Some("restore");
            (Touched::Restored, Vec::new())
        }
        Action::Archive | Action::Restore => (Touched::Unchanged, Vec::new()),
        Action::Erase => {
            clear(table, draft);
            draft.after.head.archived = draft.after.head.archived.or(Some((stamp.ms, stamp.ctr)));
            draft.action = Some("archive");
            (Touched::Archived, Vec::new())
        }
        Action::Empty(column) => set(table, draft, &[(*column, None)], stamp, edit.position)?,
        Action::Recompute => {
            draft.is_due = true;
            (Touched::Unchanged, Vec::new())
        }
        Action::Absorb(other) => {
            let columns = absorb(table, draft, drafts.elsewhere.entry(id).or_default(), other, at);
            let touched = if columns.is_empty() { Touched::Unchanged } else { Touched::Updated };
            draft.action = draft.action.or((touched == Touched::Updated).then_some("update"));
            (touched, columns)
        }
        Action::Decide(place) => {
            let elsewhere = drafts.elsewhere.entry(id).or_default();
            match elsewhere.decide(table, &mut draft.after, *place, at) {
                Some((place, before)) => {
                    draft.changed.entry(place).or_insert(before);
                    draft.action = draft.action.or(Some("update"));
                    (Touched::Updated, vec![place])
                }
                None => (Touched::Unchanged, Vec::new()),
            }
        }
        Action::Bring(brought) => bring(table, draft, brought, stamp),
        Action::Observe(observed) => {
            let elsewhere = drafts.elsewhere.entry(id).or_default();
            return Ok(RowOutcome {
                position: edit.position,
                ..observe(table, draft, elsewhere, observed, stamp, at)
            });
        }
    };
    if let Some(elsewhere) = drafts.elsewhere.get_mut(&id) {
        for &place in &columns {
            elsewhere.changed(table, &draft.after, place, at);
        }
    }
    Ok(RowOutcome { position: edit.position, id, touched, columns })
}

/// Says of the rows that were only to be computed again what came of it.
fn note_computed(
    change: &Change<'_>,
    drafts: &[Draft],
    by_id: &HashMap<Uuid, usize>,
    outcomes: &mut [RowOutcome],
) {
    for (edit, outcome) in change.edits.iter().zip(outcomes) {
        let draft = by_id.get(&edit.target.id()).and_then(|&place| drafts.get(place));
        if edit.action == Action::Recompute
            && let Some(draft) = draft.filter(|draft| !draft.changed.is_empty())
        {
            outcome.touched = Touched::Updated;
            outcome.columns = draft.changed.keys().copied().collect();
        }
    }
}

/// An archived row takes no values, and a value that the caller expected must be there.
fn check(
    table: &CatalogTable,
    draft: &Draft,
    position: usize,
    expected: &[(usize, Option<Value>)],
) -> Result<()> {
    if draft.after.head.archived.is_some() {
        let id = draft.after.head.id;
        return Err(conflict(format!("the row {id} of `{}` is archived", table.key()))
            .at(format!("rows[{position}].id"))
            .hint("archive_rows with restore: true brings it back"));
    }
    for (column, value) in expected {
        if draft.after.values.get(*column) != Some(value) {
            return Err(stale(table, draft, position, *column));
        }
    }
    Ok(())
}

fn stale(table: &CatalogTable, draft: &Draft, position: usize, column: usize) -> Error {
    let key = table.columns.get(column).map_or("", |column| column.key.as_str());
    let current = to_log(draft.after.values.get(column).and_then(Option::as_ref));
    conflict(format!("`{key}` is now {current}, not what was expected"))
        .at(format!("rows[{position}].expected.{key}"))
        .hint("somebody changed it since it was read: read the row again and decide anew")
}

/// Sets cells. A value that is there already is no edit: it moves no version.
fn set(
    table: &CatalogTable,
    draft: &mut Draft,
    cells: &[(usize, Option<Value>)],
    stamp: &Stamp,
    position: usize,
) -> Result<(Touched, Vec<usize>)> {
    let is_new = draft.before.is_none();
    let starts = is_new && draft.action.is_none();
    if starts {
        draft.action = Some("create");
        draft.after.head.base_ms = stamp.ms;
        draft.after.head.base_ctr = stamp.ctr;
    }
    let mut columns = Vec::new();
    for (column, value) in cells {
        let before = draft.after.values.get(*column).cloned().flatten();
        if before == *value {
            continue;
        }
        let incoming = Cell { value: value.clone(), stamp: stamp.clone() };
        // What this change wrote itself is nobody's to merge with: its later edit of a cell stands.
        let is_own = is_new || draft.changed.contains_key(column);
        let current = if is_own { None } else { draft.after.written(table, *column) };
        let policy = table.columns.get(*column).map_or(Policy::Lww, |column| column.policy);
        let (merged, verdict) = merge(policy, current, incoming);
        if is_own || verdict == Verdict::Won {
            draft.after.put(table, *column, merged);
            draft.changed.entry(*column).or_insert(before);
            columns.push(*column);
        } else if verdict == Verdict::Lost {
            return Err(decided_elsewhere(table, *column, position));
        }
    }
    if starts {
        return Ok((Touched::Created, columns));
    }
    if columns.is_empty() {
        return Ok((Touched::Unchanged, columns));
    }
    draft.action = draft.action.or(Some("update"));
    Ok((Touched::Updated, columns))
}

/// Takes all values out of a row, and who wrote them.
fn clear(table: &CatalogTable, draft: &mut Draft) {
    for (place, column) in table.columns.iter().enumerate() {
        let Some(value) = draft.after.values.get_mut(place).filter(|value| value.is_some()) else { continue };
        if !matches!(column.place, Place::Computed(_)) {
            draft.changed.entry(place).or_insert_with(|| value.take());
        }
        *value = None;
    }
    draft.after.head.tags = None;
    draft.after.head.provenance.clear();
}

/// An edit of ours that its column's policy gives no chance.
fn decided_elsewhere(table: &CatalogTable, column: usize, position: usize) -> Error {
    let key = table.columns.get(column).map_or("", |column| column.key.as_str());
    crate::error::denied(format!("`{key}` follows the CRM in this organization"))
        .at(format!("rows[{position}].{key}"))
        .hint("change it there; it comes here by itself")
}

/// Puts new rows in one statement, and rows that changed in the same columns in one statement each.
async fn store(
    tx: &mut Tx,
    catalog: &Catalog,
    table: &CatalogTable,
    drafts: &[&Draft],
    now: DateTime<Utc>,
) -> Result<()> {
    let (mut new, mut groups) = (Vec::new(), BTreeMap::<Vec<String>, Vec<(Uuid, Vec<Datum>)>>::new());
    for draft in drafts {
        let search = draft.after.search_text(table);
        let Some(before) = &draft.before else {
            let head = RowHead { search, ..draft.after.head.clone() };
            new.push(Row { head, slots: draft.after.slots(table) });
            continue;
        };
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        let mut put = |column: &str, value: Datum| {
            columns.push(column.to_owned());
            values.push(value);
        };
        for &place in draft.changed.keys() {
            let (Some(column), Some(value)) = (table.columns.get(place), draft.after.values.get(place))
            else {
                continue;
            };
            match column.place {
                Place::Slot(slot) => put(&slot.column(), to_slot(column.kind, value.as_ref())),
                Place::RowTags => put("tags", Datum::String(draft.after.head.tags.clone())),
                Place::Computed(_) => {}
            }
        }
        if before.head.archived != draft.after.head.archived {
            put("archived_ms", Datum::BigInt(draft.after.head.archived.map(|(ms, _)| ms)));
            put("archived_ctr", Datum::BigInt(draft.after.head.archived.map(|(_, ctr)| ctr)));
        }
        if before.head.search != search {
            put("search", search.into());
        }
        if before.head.provenance != draft.after.head.provenance {
            put("provenance", Datum::Json(Some(Box::new(Json::Object(draft.after.head.provenance.clone())))));
        }
        if draft.action.is_some() {
            put("updated_at", now.into());
        }
        groups.entry(columns).or_default().push((draft.after.head.id, values));
    }
    rows::insert(tx, catalog.org, table.key(), &slot_columns(table), new).await?;
    for (columns, rows) in &groups {
        rows::update(tx, catalog.org, table.key(), columns, rows).await?;
    }
    Ok(())
}

/// Appends the change: for each row what was done and, for changed cells, what they were and became.
async fn log(
    tx: &mut Tx,
    catalog: &Catalog,
    change: &Change<'_>,
    change_id: Uuid,
    drafts: &[Draft],
    stamp: &Stamp,
    now: DateTime<Utc>,
) -> Result<()> {
    let lines: Vec<ChangeRow> = drafts.iter().map(|draft| line(change.table, draft, stamp)).collect();
    let head = changes::Change {
        id: change_id,
        table_key: change.table.key().to_owned(),
        source: change.source.name().to_owned(),
        actor: SqlJson(serde_json::to_value(change.actor).map_err(crate::error::internal)?),
        created_at: now,
        undo_of: change.undo_of,
    };
    changes::append(tx, catalog.org, &head, lines).await
}

fn line(table: &CatalogTable, draft: &Draft, stamp: &Stamp) -> ChangeRow {
    let action = draft.action.unwrap_or("update");
    // A new row is as old as what it holds.
    let (ms, ctr) = if action == "create" { draft.after.newest_by_hand() } else { (stamp.ms, stamp.ctr) };
    let mut cells = Map::new();
    if action != "create" {
        for (&place, before) in &draft.changed {
            if let (Some(column), Some(after)) = (table.columns.get(place), draft.after.values.get(place)) {
                let mut logged = vec![to_log(before.as_ref()), to_log(after.as_ref())];
                let written = draft.after.written(table, place);
                let own = written.as_ref().map(|cell| (cell.stamp.ms, cell.stamp.ctr));
                let under = draft.before.as_ref().and_then(|before| before.written(table, place));
                if column.is_combined() && written != under {
                    // More is shown than was written: what was written before stands behind.
                    logged.push(json!(own));
                    logged.push(to_log(under.and_then(|cell| cell.value).as_ref()));
                } else if !column.is_combined() {
                    // What a CRM wrote has a version of its own.
                    logged.extend(own.filter(|own| *own != (stamp.ms, stamp.ctr)).map(|own| json!(own)));
                }
                cells.insert(column.key.clone(), Json::Array(logged));
            }
        }
    }
    ChangeRow {
        row_id: draft.after.head.id,
        action: action.to_owned(),
        cells: SqlJson(json!({"version": [ms, ctr], "cells": cells})),
    }
}
