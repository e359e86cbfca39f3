//! What a record of the application says, as a change of its row.

use chrono::DateTime;

use super::actor::Source;
use super::change::{Brought, BroughtCell, Says};
use super::merge::{Cell, Stamp, Verdict, merge};
use super::write::{Draft, Touched};
use crate::tables::{CatalogTable, Policy, Value};

/// Merges what the record says into the row, each cell with the record's time; what it did, and the columns that changed.
pub(super) fn bring(
    table: &CatalogTable,
    draft: &mut Draft,
    brought: &Brought,
    stamp: &Stamp,
) -> (Touched, Vec<usize>) {
    if draft.after.head.archived.is_some() {
        return (Touched::Unchanged, Vec::new());
    }
    // A clock ahead of ours must not beat what people are going to write.
    let stamp = Stamp { ms: brought.at_ms.min(stamp.ms), ctr: 0, ..stamp.clone() };
    let starts = draft.before.is_none() && draft.action.is_none();
    if starts {
        start(draft, brought, &stamp);
    }
    let mut columns = Vec::new();
    for cell in &brought.cells {
        let place = cell.place;
        let before = draft.after.values.get(place).cloned().flatten();
        if before == cell.value {
            continue;
        }
        // Nobody wrote a new row's cells yet: what it starts with is no write.
        let is_written = !starts || draft.changed.contains_key(&place);
        let current = if is_written { draft.after.cell(table, place) } else { None };
        let Some(incoming) = incoming(cell, current.as_ref(), &stamp) else { continue };
        let policy = table.columns.get(place).map_or(Policy::Lww, |column| column.policy);
        let (merged, verdict) = merge(policy, current, incoming);
        if verdict == Verdict::Won {
            draft.after.put(table, place, merged);
            draft.changed.entry(place).or_insert(before);
            columns.push(place);
        }
    }
    if starts {
        return (Touched::Created, columns);
    }
    if columns.is_empty() {
        return (Touched::Unchanged, columns);
    }
    draft.action = draft.action.or(Some("update"));
    (Touched::Updated, columns)
}

/// A new row is as old as its record.
fn start(draft: &mut Draft, brought: &Brought, stamp: &Stamp) {
    draft.action = Some("create");
    let head = &mut draft.after.head;
    head.base_ms = stamp.ms;
    head.base_ctr = stamp.ctr;
    let created = brought.created_ms.unwrap_or(brought.at_ms);
    head.created_at =
        DateTime::from_timestamp_millis(created).unwrap_or(head.created_at).min(head.created_at);
}

/// The write that a cell is; none where there is nothing for it to say.
fn incoming(cell: &BroughtCell, current: Option<&Cell>, stamp: &Stamp) -> Option<Cell> {
    let is_own = |current: &&Cell| current.stamp.source == stamp.source && current.stamp.actor == stamp.actor;
    let own = current.filter(is_own);
    let stamp = match (cell.says, &cell.value) {
        // It takes back only what came from the application itself.
        (_, None) => after(stamp, own?),
        (Says::First, _) => stamp.clone(),
        (Says::Now, _) => own.map_or_else(|| stamp.clone(), |own| after(stamp, own)),
        (Says::Latest, Some(Value::Time(at))) => {
            let stamp = Stamp { ms: at.timestamp_millis(), ..stamp.clone() };
            match current {
                Some(Cell { value: Some(Value::Time(known)), .. }) if known >= at => return None,
                // What was worked out, or read from a record, follows the event; what somebody set is weighed by its time.
                Some(current) if !is_by_hand(current, own.is_some()) => after(&stamp, current),
                _ => stamp,
            }
        }
        (Says::Latest, _) => return None,
    };
    Some(Cell { value: cell.value.clone(), stamp })
}

fn is_by_hand(cell: &Cell, is_own: bool) -> bool {
    let source = cell.stamp.source;
    !is_own && source != Source::Derived && source.system().is_none()
}

/// The stamp, moved behind a cell that its writer has seen.
fn after(stamp: &Stamp, seen: &Cell) -> Stamp {
    if (stamp.ms, stamp.ctr) > (seen.stamp.ms, seen.stamp.ctr) {
        return stamp.clone();
    }
    Stamp { ms: seen.stamp.ms, ctr: seen.stamp.ctr + 1, ..stamp.clone() }
}
