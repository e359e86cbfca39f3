//! Two rows that turn out to be one record: the cells of one, merged into the other's.

use chrono::{DateTime, Utc};

use super::elsewhere::Elsewhere;
use super::merge::{Verdict, merge, order};
use super::sides::Lost;
use super::stored::Stored;
use super::write::Draft;
use crate::clock::Ids;
use crate::tables::{Access, CatalogTable, Place};

/// Merges the cells of `other` into the draft's, each by the rule that merges two writes; the columns that changed. Where
/// both hold a value, the one that lost is a conflict.
pub(super) fn absorb(
    table: &CatalogTable,
    draft: &mut Draft,
    elsewhere: &mut Elsewhere,
    other: &Stored,
    at: (DateTime<Utc>, &Ids),
) -> Vec<usize> {
    let mut columns = Vec::new();
    for (place, column) in table.columns.iter().enumerate() {
        if matches!(column.place, Place::Computed(_)) || matches!(column.access, Access::Derived(_)) {
            continue;
        }
        let Some(incoming) = other.written(table, place) else { continue };
        let current = draft.after.written(table, place);
        let (merged, verdict) = merge(column.policy, current.clone(), incoming.clone());
        if let Some(current) = &current
            && current.value.is_some()
            && incoming.value.is_some()
            && verdict != Verdict::Same
        {
            let loser = if verdict == Verdict::Won { current.clone() } else { incoming.clone() };
            let rule = order(column.policy, &merged, &loser).1;
            let lost = Lost { loser, reported_ms: None, winner: merged.clone(), rule };
            elsewhere.lose(table, (draft.after.head.id, &column.key), "merge_collision", &lost, at);
        }
        if verdict == Verdict::Won {
            draft.after.note_edit(current.as_ref());
            let before = draft.after.values.get(place).cloned().flatten();
            draft.after.put(table, place, merged);
            draft.changed.entry(place).or_insert(before);
            columns.push(place);
        }
    }
    // What people here wrote into the other row is an edit of this one, whatever became of its value.
    draft.after.note_edit(other.newest_of_ours(table).as_ref());
    columns
}
