//! What a CRM tells of a record, as a change of its row.

use chrono::{DateTime, Utc};

use super::actor::Source;
use super::change::{Life, Observed};
use super::elsewhere::Elsewhere;
use super::life::{Standing, Turned};
use super::merge::{Cell, Rule, Stamp};
use super::sides::{Lost, SKEW_MAX_MS};
use super::write::{Draft, RowOutcome, Touched};
use crate::clock::Ids;
use crate::tables::{Access, CatalogTable, Value};

/// Takes in what a CRM tells of the row's record.
pub(super) fn observe(
    table: &CatalogTable,
    draft: &mut Draft,
    elsewhere: &mut Elsewhere,
    observed: &Observed,
    stamp: &Stamp,
    at: (DateTime<Utc>, &Ids),
) -> RowOutcome {
    let starts = draft.before.is_none() && draft.action.is_none();
    if starts {
        draft.action = Some("create");
        draft.after.head.base_ms = stamp.ms;
        draft.after.head.base_ctr = stamp.ctr;
    }
    let mut columns = Vec::new();
    for (place, before) in elsewhere.observe(table, &mut draft.after, observed, at) {
        draft.changed.entry(place).or_insert(before);
        columns.push(place);
    }
    columns.extend(name_record(table, draft, &observed.record, stamp));
    let id = draft.after.head.id;
    let mut touched = if starts { Touched::Created } else { Touched::Unchanged };
    if let Some(life) = observed.life {
        touched = live(table, draft, elsewhere, observed, life, at).unwrap_or(touched);
    }
    if !columns.is_empty() && draft.action.is_none() {
        draft.action = Some("update");
    }
    if !columns.is_empty() && touched == Touched::Unchanged {
        touched = Touched::Updated;
    }
    RowOutcome { position: 0, id, touched, columns }
}

/// Writes the record's id into the row's own column for it, unless another CRM's stands there.
fn name_record(table: &CatalogTable, draft: &mut Draft, record: &str, stamp: &Stamp) -> Option<usize> {
    let place = table.columns.iter().position(|column| column.access == Access::Synced)?;
    if draft.after.values.get(place)?.is_some() {
        return None;
    }
    let stamp = Stamp { source: Source::Derived, ..stamp.clone() };
    draft.after.put(table, place, Cell { value: Some(Value::Text(record.to_owned())), stamp });
    draft.changed.entry(place).or_insert(None);
    Some(place)
}

/// The row's life by a CRM's deletion or restoring: the latest stands, and an edit of ours that is later than a deletion
/// keeps the row.
fn live(
    table: &CatalogTable,
    draft: &mut Draft,
    elsewhere: &mut Elsewhere,
    observed: &Observed,
    life: Life,
    at: (DateTime<Utc>, &Ids),
) -> Option<Touched> {
    elsewhere.set_gone(observed.system, life);
    let source = Source::of(observed.system);
    let latest_ms = observed.received_ms.saturating_add(SKEW_MAX_MS);
    let life = match life {
        Life::Deleted(ms) => Life::Deleted(ms.min(latest_ms)),
        Life::Restored(ms) => Life::Restored(ms.min(latest_ms)),
    };
    let stamp = Stamp { ms: life.ms(), ctr: 0, source, actor: String::new() };
    let edited = draft.after.newest_of_ours(table);
    let mut standing = Standing { archived: draft.after.head.archived, restored: draft.after.restored() };
    let turned = standing.observe(life, edited.as_ref().map(|cell| cell.stamp.ms));
    if standing.restored != draft.after.restored() {
        draft.after.restore(&stamp);
    }
    draft.after.head.archived = standing.archived;
    match (turned, edited) {
        (Turned::Kept, Some(winner)) => {
            let loser = Cell { value: Some(Value::Text("deleted".to_owned())), stamp };
            let lost = Lost { loser, reported_ms: Some(life.ms()), winner, rule: Rule::Tombstone };
            elsewhere.lose(table, (draft.after.head.id, ""), "delete_vs_edit", &lost, at);
            None
        }
        (Turned::Archived, _) => {
            draft.action = Some("archive");
            Some(Touched::Archived)
        }
        (Turned::Restored, _) => {
            draft.action = Some("restore");
            Some(Touched::Restored)
        }
        (Turned::Kept | Turned::Nothing, _) => None,
    }
}
