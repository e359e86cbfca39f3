//! What is known of rows at the CRMs: loaded with the rows, brought up to date by a change, stored after them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};
use sqlx::types::Json as SqlJson;
use uuid::Uuid;

use super::actor::Source;
use super::change::{Action, Change, Life, Observed};
use super::ledger::{self, shadow};
use super::life::Presence;
use super::lost::loser;
use super::merge::Cell;
use super::sides::{Entry, Known, Sent, Side};
use super::stored::{Stored, from_log, to_log};
use crate::clock::Ids;
use crate::error::Result;
use crate::store::{self, ConflictRow, LedgerRow, LinkRow, Org, Tx, conflicts, links};
use crate::tables::{Catalog, CatalogColumn, CatalogTable, Object, System, Value};

/// The entry of a link's shadow for the record's last restoring; no column has this key.
const BACK: &str = "";

/// What is known of one row at the CRMs, and what of it has changed.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    pub(super) links: Vec<LinkRow>,
    pub(super) lines: Vec<LedgerRow>,
    pub(super) conflicts: Vec<ConflictRow>,
    /// Whether the lines and the conflicts were loaded.
    is_whole: bool,
    pub(super) links_changed: bool,
    new_lines: Vec<LedgerRow>,
    changed_lines: Vec<Uuid>,
    gone_lines: Vec<Uuid>,
    pub(super) opened: Vec<ConflictRow>,
    pub(super) closed: Vec<(Uuid, &'static str)>,
    /// The columns whose cell or shadow moved.
    pub(super) moved: Vec<usize>,
    /// The CRMs at which the record came back: whatever differs there must be sent.
    pub(super) back: Vec<System>,
    /// The columns that hold another value at a CRM than they were known to.
    pub(super) news: Vec<(System, String)>,
}

/// Loads what is known of the rows that a change is for; nothing while the table goes to no CRM.
pub(super) async fn load(
    tx: &mut Tx,
    catalog: &Catalog,
    change: &Change<'_>,
    rows: &[Uuid],
) -> Result<HashMap<Uuid, Elsewhere>> {
    let mut known = HashMap::<Uuid, Elsewhere>::new();
    let table = change.table;
    let is_connected =
        catalog.connections.iter().any(|connection| connection.fields_of(table.key()).next().is_some());
    if !is_connected || rows.is_empty() {
        return Ok(known);
    }
    for link in links::of_rows(tx, catalog.org, rows).await? {
        known.entry(link.row_id).or_default().links.push(link);
    }
    let observed = change
        .edits
        .iter()
        .filter(|edit| matches!(edit.action, Action::Observe(_) | Action::Absorb(_) | Action::Decide(_)));
    let observed: Vec<Uuid> = observed.map(|edit| edit.target.id()).filter(|id| rows.contains(id)).collect();
    let troubled =
        known.iter().filter(|(_, elsewhere)| elsewhere.links.iter().any(|link| link.has_conflicts));
    let troubled: Vec<Uuid> = troubled.map(|(id, _)| *id).collect();
    let mut whole: Vec<Uuid> = observed.iter().chain(&troubled).copied().collect();
    whole.sort_unstable();
    whole.dedup();
    if whole.is_empty() {
        return Ok(known);
    }
    for id in &whole {
        known.entry(*id).or_default().is_whole = true;
    }
    let columns = concerned(change);
    if !columns.is_empty() {
        for line in store::ledger::of_rows(tx, catalog.org, &whole, &columns).await? {
            known.entry(line.row_id).or_default().lines.push(line);
        }
    }
    if !troubled.is_empty() {
        for line in conflicts::of_rows(tx, catalog.org, &troubled).await? {
            known.entry(line.row_id).or_default().conflicts.push(line);
        }
    }
    Ok(known)
}

/// The columns that a change may touch.
fn concerned(change: &Change<'_>) -> Vec<String> {
    let mut places: Vec<usize> = Vec::new();
    for edit in &change.edits {
        match &edit.action {
            Action::Set { cells, .. } => places.extend(cells.iter().map(|(place, _)| *place)),
            Action::Observe(observed) => places.extend(observed.places()),
            Action::Bring(brought) => places.extend(brought.cells.iter().map(|cell| cell.place)),
            Action::Empty(place) | Action::Decide(place) => places.push(*place),
            Action::Absorb(_) => places.extend(0..change.table.columns.len()),
            Action::Archive | Action::Restore | Action::Erase | Action::Recompute => {}
        }
    }
    places.sort_unstable();
    places.dedup();
    let columns = places.iter().filter_map(|&place| change.table.columns.get(place));
    columns.map(|column| column.key.clone()).collect()
}

impl Elsewhere {
    pub(super) fn link(&self, system: System) -> Option<&LinkRow> {
        self.links.iter().find(|link| link.system == system.name())
    }

    fn link_mut(&mut self, system: System) -> Option<&mut LinkRow> {
        self.links.iter_mut().find(|link| link.system == system.name())
    }

    /// Takes in what a CRM tells; the cells of `stored` become what they are by it. The columns whose value changed are
    /// returned with what they were.
    pub(super) fn observe(
        &mut self,
        table: &CatalogTable,
        stored: &mut Stored,
        observed: &Observed,
        (now, ids): (DateTime<Utc>, &Ids),
    ) -> Vec<(usize, Option<Value>)> {
        self.is_whole = true;
        self.link_to(table, stored.head.id, observed, now);
        let source = Source::of(observed.system);
        let mut changed = Vec::new();
        for place in observed.places() {
            let Some(column) = table.columns.get(place) else { continue };
            let mut known = self.known(column, stored.written(table, place));
            for (_, sent, at_ms) in observed.acknowledged.iter().filter(|(of, ..)| *of == place) {
                known.acknowledged(source, *sent, *at_ms);
            }
            for seen in observed.cells.iter().filter(|(of, _)| *of == place).flat_map(|(_, seen)| seen) {
                known.observe(column.policy, source, seen, ids.next());
            }
            changed.extend(self.stand(table, stored, place, &known, (now, ids)));
            if observed.is_whole {
                self.drop_unarrived(observed.system, &column.key);
            }
            if observed.acknowledged.iter().any(|(of, ..)| *of == place) {
                self.taken(observed.system, &column.key);
            }
            self.moved.push(place);
        }
        for &place in &observed.refused {
            self.refuse(table, stored, observed.system, place, (now, ids));
        }
        changed
    }

    /// Decides anew between a cell and the edits of it that were lost and that nobody has settled; what it was, if it is another
    /// value now.
    pub(super) fn decide(
        &mut self,
        table: &CatalogTable,
        stored: &mut Stored,
        place: usize,
        at: (DateTime<Utc>, &Ids),
    ) -> Option<(usize, Option<Value>)> {
        let column = table.columns.get(place)?;
        let mut known = self.known(column, stored.written(table, place));
        known.decide(column.policy, |cell| self.is_open(&column.key, cell));
        // What the policy before kept from being sent may be sent now.
        self.moved.push(place);
        self.stand(table, stored, place, &known, at)
    }

    /// Has what stands by all that is known stand in the row; what it was, if it is another value now.
    fn stand(
        &mut self,
        table: &CatalogTable,
        stored: &mut Stored,
        place: usize,
        known: &Known,
        at: (DateTime<Utc>, &Ids),
    ) -> Option<(usize, Option<Value>)> {
        let column = table.columns.get(place)?;
        let before = stored.values.get(place).cloned().flatten();
        let current = stored.written(table, place);
        if let Some(cell) = known.current.clone().filter(|cell| current.as_ref() != Some(cell)) {
            stored.put(table, place, cell);
            stored.note_edit(current.as_ref());
        }
        self.keep(table, column, stored.head.id, known, at);
        let is_other = stored.values.get(place).cloned().flatten() != before;
        is_other.then_some((place, before))
    }

    /// What the change of a cell by us says of edits that were lost.
    pub(super) fn changed(
        &mut self,
        table: &CatalogTable,
        stored: &Stored,
        place: usize,
        (now, ids): (DateTime<Utc>, &Ids),
    ) {
        if !self.is_whole {
            return;
        }
        let Some(column) = table.columns.get(place) else { return };
        let mut known = self.known(column, stored.written(table, place));
        known.changed();
        self.keep(table, column, stored.head.id, &known, (now, ids));
    }

    /// Notes that the CRM deleted or restored the record.
    pub(super) fn set_gone(&mut self, system: System, life: Life) {
        if let Some(link) = self.link_mut(system) {
            let back_ms = link.shadow.0.get(BACK).and_then(Json::as_i64);
            let mut presence = Presence { gone_ms: link.gone_ms, back_ms };
            let is_back = presence.observe(life);
            link.gone_ms = presence.gone_ms;
            if let Some(back_ms) = presence.back_ms {
                link.shadow.0.insert(BACK.to_owned(), back_ms.into());
            }
            self.links_changed = true;
            if is_back {
                self.back.push(system);
            }
        }
    }

    fn link_to(&mut self, table: &CatalogTable, row: Uuid, observed: &Observed, now: DateTime<Utc>) {
        self.links_changed = true;
        if let Some(link) = self.link_mut(observed.system) {
            link.record_id.clone_from(&observed.record);
            link.heard_at = now;
            link.modified_ms = link.modified_ms.max(observed.modified_ms);
            link.read_ms = link.read_ms.max(observed.modified_ms.filter(|_| observed.is_whole));
            return;
        }
        self.links.push(LinkRow {
            system: observed.system.name().to_owned(),
            object: Object::of_table(table.key()).map_or("", Object::name).to_owned(),
            record_id: observed.record.clone(),
            table_key: table.key().to_owned(),
            row_id: row,
            shadow: SqlJson(Map::new()),
            linked_at: now,
            heard_at: now,
            modified_ms: observed.modified_ms,
            gone_ms: None,
            has_conflicts: false,
            read_ms: observed.modified_ms,
        });
    }

    /// A column's cell as every side knows it.
    fn known(&self, column: &CatalogColumn, current: Option<Cell>) -> Known {
        let sides = self.links.iter().filter_map(|link| {
            let system = System::from_name(&link.system)?;
            let mut side = Side::new(Source::of(system));
            side.shadow = shadow(link, column);
            let lines = self.lines.iter().chain(&self.new_lines);
            for line in lines.filter(|line| line.system == link.system && line.column_key == column.key) {
                match ledger::entry(column.kind, line) {
                    Some(entry) => side.timeline.push(entry),
                    None => side.sent.push(Sent {
                        id: line.id,
                        value: from_log(column.kind, &line.value.0),
                        version: line.version_ms.zip(line.version_ctr).unwrap_or_default(),
                    }),
                }
            }
            side.timeline.sort_by(Entry::order);
            Some(side)
        });
        let ours = self.conflicts.iter().chain(&self.opened).filter(|line| {
            line.column_key == column.key && matches!(line.resolution.as_str(), "open" | "superseded")
        });
        let put_out = ours.filter_map(|line| loser(column.kind, line));
        Known {
            current,
            sides: sides.collect(),
            put_out: put_out.filter(|cell| cell.stamp.source.system().is_none()).collect(),
        }
    }

    /// Notes what a column's sides have become.
    fn keep(
        &mut self,
        table: &CatalogTable,
        column: &CatalogColumn,
        row: Uuid,
        known: &Known,
        (now, ids): (DateTime<Utc>, &Ids),
    ) {
        for side in &known.sides {
            let Some(system) = side.source.system() else { continue };
            for entry in &side.timeline {
                self.keep_entry(column, row, system, entry);
            }
            if let (Some(shadow), Some(link)) = (&side.shadow, self.link_mut(system)) {
                let kept = json!([to_log(shadow.value.as_ref()), shadow.at_ms]);
                let before = link.shadow.0.get(&column.key);
                if before != Some(&kept) {
                    let is_news = before.and_then(|before| before.get(0)) != kept.get(0);
                    link.shadow.0.insert(column.key.clone(), kept);
                    self.links_changed = true;
                    self.news.extend(is_news.then(|| (system, column.key.clone())));
                }
            }
        }
        let lost = known.lost(column.policy);
        self.keep_conflicts(table, column, row, known, &lost, (now, ids));
        let any_lost = known.sides.iter().flat_map(|side| &side.timeline).any(|entry| entry.is_lost);
        if any_lost || !lost.is_empty() {
            for link in self.links.iter_mut().filter(|link| !link.has_conflicts) {
                link.has_conflicts = true;
                self.links_changed = true;
            }
        }
    }

    fn keep_entry(&mut self, column: &CatalogColumn, row: Uuid, system: System, entry: &Entry) {
        let record_id = self.link(system).map(|link| link.record_id.clone());
        let find = |lines: &mut Vec<LedgerRow>| lines.iter().position(|line| line.id == entry.id);
        let (lines, is_new) = match find(&mut self.lines) {
            Some(place) => (self.lines.get_mut(place), false),
            None => match find(&mut self.new_lines) {
                Some(place) => (self.new_lines.get_mut(place), true),
                None => (None, true),
            },
        };
        if let Some(line) = lines {
            let same = line.at_ms == Some(entry.at_ms)
                && line.reported_ms == Some(entry.reported_ms)
                && line.is_lost == entry.is_lost;
            if !same {
                line.at_ms = Some(entry.at_ms);
                line.reported_ms = Some(entry.reported_ms);
                line.is_lost = entry.is_lost;
                line.record_id = record_id;
                if !is_new {
                    self.changed_lines.push(entry.id);
                }
            }
            return;
        }
        self.new_lines.push(ledger::line(column, row, (system, record_id), entry));
    }

    /// Takes away what was sent to a column and is not in the whole of what it held.
    fn drop_unarrived(&mut self, system: System, column: &str) {
        let unarrived = |line: &LedgerRow| {
            line.system == system.name() && line.column_key == column && line.reported_ms.is_none()
        };
        self.gone_lines.extend(self.lines.iter().filter(|line| unarrived(line)).map(|line| line.id));
        self.lines.retain(|line| !unarrived(line));
    }

    /// Stores what has changed.
    pub(super) async fn store(&self, tx: &mut Tx, org: Org, row: Uuid, now: DateTime<Utc>) -> Result<()> {
        if !self.opened.is_empty() {
            conflicts::open(tx, org, &self.opened).await?;
        }
        for resolution in ["restored", "superseded"] {
            let closed = self.closed.iter().filter(|(_, by)| *by == resolution);
            let ids: Vec<Uuid> = closed.map(|(id, _)| *id).collect();
            if !ids.is_empty() {
                conflicts::close(tx, org, &ids, resolution, now).await?;
            }
        }
        if !self.gone_lines.is_empty() {
            store::ledger::remove(tx, org, &[row], &self.gone_lines).await?;
        }
        Ok(())
    }
}

/// Stores what has changed of many rows, in few statements.
pub(super) async fn store(
    tx: &mut Tx,
    org: Org,
    known: &HashMap<Uuid, Elsewhere>,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut rows: Vec<(&Uuid, &Elsewhere)> = known.iter().collect();
    rows.sort_by_key(|(id, _)| **id);
    let new: Vec<LedgerRow> = rows.iter().flat_map(|(_, row)| row.new_lines.iter().cloned()).collect();
    let changed = rows
        .iter()
        .flat_map(|(_, row)| row.lines.iter().filter(|line| row.changed_lines.contains(&line.id)).cloned());
    let changed: Vec<LedgerRow> = changed.collect();
    let moved =
        rows.iter().filter(|(_, row)| row.links_changed).flat_map(|(_, row)| row.links.iter().cloned());
    let moved: Vec<LinkRow> = moved.collect();
    store::ledger::append(tx, org, &new, now).await?;
    store::ledger::update(tx, org, &changed).await?;
    links::put(tx, org, &moved).await?;
    for (id, row) in rows {
        row.store(tx, org, *id, now).await?;
    }
    Ok(())
}
