//! The conflicts of a row: edits that were lost, kept in step with what is known of its cells.

use chrono::{DateTime, Utc};
use sqlx::types::Json as SqlJson;
use uuid::Uuid;

use super::actor::Source;
use super::elsewhere::Elsewhere;
use super::ledger::{shadow, value_hash};
use super::merge::{Cell, Rule, Stamp};
use super::sides::{Known, Lost};
use super::stored::{Stored, from_log, to_log};
use crate::clock::Ids;
use crate::store::ConflictRow;
use crate::tables::{CatalogColumn, CatalogTable, Kind, Object, System};

/// The kind of conflict in which a CRM will not take our value.
const REJECTED: &str = "remote_rejected";

impl Elsewhere {
    /// Whether an edit of the column that was lost waits for a person.
    pub(super) fn is_disputed(&self, column: &str) -> bool {
        let lines = self.conflicts.iter().chain(&self.opened);
        lines.into_iter().any(|line| line.column_key == column && line.resolution == "open")
    }

    /// Whether the loss of this write waits for a person.
    pub(super) fn is_open(&self, column: &str, write: &Cell) -> bool {
        let version = version_text(write);
        let mut lines =
            self.conflicts.iter().filter(|line| line.resolution == "open" && line.column_key == column);
        lines.any(|line| line.loser_version == version)
    }

    /// Opens and closes conflicts of a column by what is known of it now.
    pub(super) fn keep_conflicts(
        &mut self,
        table: &CatalogTable,
        column: &CatalogColumn,
        row: Uuid,
        known: &Known,
        lost: &[Lost],
        (now, ids): (DateTime<Utc>, &Ids),
    ) {
        let standing = known.current.as_ref().and_then(|cell| cell.value.as_ref());
        for line in self
            .conflicts
            .iter_mut()
            .filter(|line| line.column_key == column.key && line.resolution == "open")
        {
            if !lost.iter().any(|lost| version_text(&lost.loser) == line.loser_version)
                && is_of_cells(&line.kind)
            {
                let is_back = from_log(column.kind, &line.loser_value.0).as_ref() == standing;
                let resolution = if is_back { "restored" } else { "superseded" };
                resolution.clone_into(&mut line.resolution);
                self.closed.push((line.id, resolution));
            }
        }
        for lost in lost {
            let version = version_text(&lost.loser);
            let stands = |line: &&ConflictRow| {
                line.column_key == column.key
                    && line.loser_version == version
                    && line.resolution != "superseded"
            };
            if self.conflicts.iter().chain(&self.opened).any(|line| stands(&line)) {
                continue;
            }
            let kind =
                if lost.loser.stamp.source.system().is_some() { "stale_arrival" } else { "overwritten" };
            self.opened.push(self.conflict(table, &column.key, row, kind, lost, (now, ids)));
        }
        // What came up in this very change and went again was never one.
        let opened = std::mem::take(&mut self.opened);
        self.opened = opened
            .into_iter()
            .filter(|line| {
                line.column_key != column.key
                    || !is_of_cells(&line.kind)
                    || lost.iter().any(|lost| version_text(&lost.loser) == line.loser_version)
            })
            .collect();
    }

    /// Notes a loss that is not of one cell's writes.
    pub(super) fn lose(
        &mut self,
        table: &CatalogTable,
        (row, column): (Uuid, &str),
        kind: &str,
        lost: &Lost,
        (now, ids): (DateTime<Utc>, &Ids),
    ) {
        let line = self.conflict(table, column, row, kind, lost, (now, ids));
        self.opened.push(line);
        self.links.iter_mut().for_each(|link| link.has_conflicts = true);
        self.links_changed = true;
    }

    fn conflict(
        &self,
        table: &CatalogTable,
        column: &str,
        row: Uuid,
        kind: &str,
        lost: &Lost,
        (now, ids): (DateTime<Utc>, &Ids),
    ) -> ConflictRow {
        let (loser, winner) = (&lost.loser.stamp, &lost.winner.stamp);
        let system = loser.source.system().or_else(|| winner.source.system());
        let link = system.and_then(|system| self.link(system));
        ConflictRow {
            id: ids.next(),
            table_key: table.key().to_owned(),
            row_id: row,
            column_key: column.to_owned(),
            system: system.map_or("", System::name).to_owned(),
            object: Object::of_table(table.key()).map_or("", Object::name).to_owned(),
            record_id: link.map(|link| link.record_id.clone()),
            kind: kind.to_owned(),
            rule: lost.rule.name().to_owned(),
            winner_value: SqlJson(to_log(lost.winner.value.as_ref())),
            winner_source: winner.source.name().to_owned(),
            winner_actor: winner.actor.clone(),
            winner_ms: winner.ms,
            winner_ctr: winner.ctr,
            winner_reported_ms: None,
            loser_value: SqlJson(to_log(lost.loser.value.as_ref())),
            loser_source: loser.source.name().to_owned(),
            loser_actor: loser.actor.clone(),
            loser_ms: loser.ms,
            loser_ctr: loser.ctr,
            loser_reported_ms: lost.reported_ms,
            loser_version: version_text(&lost.loser),
            clock_skew_ms: lost.reported_ms.map_or(0, |reported| (reported - now.timestamp_millis()).max(0)),
            resolution: "open".to_owned(),
            resolved_by: None,
            resolved_at: None,
            change_id: None,
            created_at: now,
        }
    }

    /// Notes that the CRM will not take a cell's value.
    pub(super) fn refuse(
        &mut self,
        table: &CatalogTable,
        stored: &Stored,
        system: System,
        place: usize,
        at: (DateTime<Utc>, &Ids),
    ) {
        let (Some(column), Some(ours)) = (table.columns.get(place), stored.cell(table, place)) else {
            return;
        };
        let there = self.link(system).and_then(|link| shadow(link, column));
        let ms = there.as_ref().map_or(0, |there| there.at_ms);
        let stamp = Stamp { ms, ctr: 0, source: Source::of(system), actor: String::new() };
        let winner = Cell { value: there.and_then(|there| there.value), stamp };
        let lost = Lost { loser: ours, reported_ms: None, winner, rule: Rule::Policy };
        self.lose(table, (stored.head.id, &column.key), REJECTED, &lost, at);
    }

    /// Closes what was refused of a column: the CRM has taken its value.
    pub(super) fn taken(&mut self, system: System, column: &str) {
        let refused = self.conflicts.iter_mut().filter(|line| {
            line.kind == REJECTED
                && line.resolution == "open"
                && line.column_key == column
                && line.system == system.name()
        });
        for line in refused {
            "superseded".clone_into(&mut line.resolution);
            self.closed.push((line.id, "superseded"));
        }
    }
}

/// Our own write that was lost.
pub(super) fn loser(kind: Kind, line: &ConflictRow) -> Option<Cell> {
    if !is_of_cells(&line.kind) {
        return None;
    }
    let stamp = Stamp {
        ms: line.loser_ms,
        ctr: line.loser_ctr,
        source: Source::from_name(&line.loser_source)?,
        actor: line.loser_actor.clone(),
    };
    Some(Cell { value: from_log(kind, &line.loser_value.0), stamp })
}

/// Whether a kind of conflict is between two writes of one cell, and so follows from what is known of them.
fn is_of_cells(kind: &str) -> bool {
    matches!(kind, "overwritten" | "stale_arrival")
}

/// A write's version as one text.
fn version_text(cell: &Cell) -> String {
    let Stamp { ms, ctr, source, .. } = &cell.stamp;
    format!("{ms}.{ctr}.{}.{}", source.name(), value_hash(cell.value.as_ref()))
}
