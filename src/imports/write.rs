//! Writes some records of a file in one transaction: finds the rows they mean, and hands the edits to the
//! one write path.

use std::collections::HashMap;

use uuid::Uuid;

use super::groups::{Group, Identity, ignores_case};
use super::host::Host;
use super::report::{Outcome, Repeated, Report};
use crate::error::Result;
use crate::records::{self, Action, Actor, ActorKind, Change, Edit, Source, Target, Touched};
use crate::store::{Tx, rows};
use crate::tables::definitions::comparable;
use crate::tables::{Catalog, CatalogTable, Place, Value, line};

/// How many notes on keys that several rows have are kept.
const NOTES_MAX: usize = 20;

/// Writes the groups, one change a table, and counts every line of theirs.
pub(super) async fn write(
    tx: &mut Tx,
    host: &Host<'_>,
    catalog: &Catalog,
    groups: &[(&'static str, &Group)],
    report: &mut Report,
) -> Result<()> {
    let tables = catalog.tables.iter().filter(|table| groups.iter().any(|(key, _)| *key == table.key()));
    // Every lock first and always in this order: two imports never wait for each other in a circle.
    for table in tables.clone() {
        line::take(tx, host.org, table.key()).await?;
    }
    for table in tables {
        let own: Vec<&Group> =
            groups.iter().filter(|(key, _)| *key == table.key()).map(|(_, group)| *group).collect();
        let targets = targets(tx, host, table, &own, report).await?;
        let (edits, owners) = edits(&own, &targets);
        let actor = Actor { kind: ActorKind::Import, ..host.actor.clone() };
        let change = Change { table, actor: &actor, source: Source::Csv, edits, undo_of: None };
        let outcome = records::write(tx, catalog, change, host.clock.now(), host.ids).await?;
        report.change_ids.extend(outcome.change_id.map(|id| id.to_string()));
        tally(table.key(), &owners, &outcome.rows, report);
    }
    Ok(())
}

/// The row that a record means.
#[derive(Debug, Clone, Copy)]
enum Found {
    New(Uuid),
    Live(Uuid),
    /// Found by its content: an import brings it back, as it would make a row found by a key anew.
    Archived(Uuid),
}

async fn targets(
    tx: &mut Tx,
    host: &Host<'_>,
    table: &CatalogTable,
    groups: &[&Group],
    report: &mut Report,
) -> Result<Vec<Found>> {
    let mut keys: Vec<usize> =
        groups.iter().filter_map(|group| key_of(group).map(|(column, _)| column)).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut by_key: HashMap<(usize, String), Vec<Uuid>> = HashMap::new();
    for column in keys {
        let own = groups.iter().filter_map(|group| key_of(group)).filter(|(key, _)| *key == column);
        let forms: Vec<String> = own.flat_map(|(_, value)| spellings(table, column, value)).collect();
        for (form, id) in rows::by_text(tx, host.org, table.key(), &expression(table, column), &forms).await?
        {
            by_key.entry((column, form)).or_default().push(id);
        }
    }
    let ids: Vec<Uuid> = groups.iter().filter_map(|group| content_of(group)).collect();
    let known = rows::lock(tx, host.org, table.key(), &ids, &[]).await?;
    let archived: HashMap<Uuid, bool> =
        known.iter().map(|row| (row.head.id, row.head.archived.is_some())).collect();
    let mut targets = Vec::with_capacity(groups.len());
    for group in groups {
        targets.push(match (key_of(group), content_of(group)) {
            (Some((column, value)), _) => {
                let forms = spellings(table, column, value);
                let mut found: Vec<Uuid> = forms
                    .into_iter()
                    .filter_map(|form| by_key.get(&(column, form)))
                    .flatten()
                    .copied()
                    .collect();
                found.sort_unstable();
                found.dedup();
                if found.len() > 1 {
                    note_several(table, column, value, found.len(), report);
                }
                found.first().map_or_else(|| Found::New(host.ids.next()), |id| Found::Live(*id))
            }
            (None, content) => {
                let id = content.unwrap_or_else(|| host.ids.next());
                match archived.get(&id) {
                    None => Found::New(id),
                    Some(false) => Found::Live(id),
                    Some(true) => Found::Archived(id),
                }
            }
        });
    }
    Ok(targets)
}

/// One edit for each row, and the groups behind each edit: two groups may mean one row.
fn edits<'a>(groups: &[&'a Group], targets: &[Found]) -> (Vec<Edit>, Vec<Vec<&'a Group>>) {
    let (mut edits, mut owners) = (Vec::<Edit>::new(), Vec::<Vec<&Group>>::new());
    let mut by_id: HashMap<Uuid, usize> = HashMap::new();
    for (&group, &found) in groups.iter().zip(targets) {
        let cells = || group.cells.iter().map(|(column, value)| (*column, Some(value.clone())));
        let (target, is_archived) = match found {
            Found::New(id) => (Target::New(id), false),
            Found::Live(id) => (Target::Existing(id), false),
            Found::Archived(id) => (Target::Existing(id), true),
        };
        if let Some(edit) = by_id.get(&target.id()).and_then(|&place| edits.get_mut(place)) {
            if let Action::Set { cells: known, .. } = &mut edit.action {
                known.retain(|(column, _)| !group.cells.contains_key(column));
                known.extend(cells());
            }
            if let Some(owner) = owners.get_mut(edit.position) {
                owner.push(group);
            }
            continue;
        }
        let position = owners.len();
        owners.push(vec![group]);
        if is_archived {
            edits.push(Edit { target, action: Action::Restore, position });
        }
        by_id.insert(target.id(), edits.len());
        edits.push(Edit {
            target,
            action: Action::Set { cells: cells().collect(), expected: Vec::new() },
            position,
        });
    }
    (edits, owners)
}

/// Counts every line: the first of a row as what became of the row, a later one as what it changed.
fn tally(table: &str, owners: &[Vec<&Group>], rows: &[records::RowOutcome], report: &mut Report) {
    let mut became = vec![Outcome::Unchanged; owners.len()];
    for row in rows {
        let Some(became) = became.get_mut(row.position) else { continue };
        *became = match row.touched {
            Touched::Created => Outcome::Created,
            Touched::Unchanged => *became,
            Touched::Updated | Touched::Archived | Touched::Restored => Outcome::Updated,
        };
    }
    for (groups, became) in owners.iter().zip(became) {
        let mut first = None;
        for (group, line) in groups.iter().flat_map(|group| group.lines.iter().map(move |line| (group, line)))
        {
            let Some(first_line) = first else {
                first = Some(line.number);
                report.count(Some(group.route), became);
                continue;
            };
            let changed = line.changes && became != Outcome::Unchanged;
            report.count(Some(group.route), if changed { Outcome::Updated } else { Outcome::Unchanged });
            report.repeat(Repeated { table: table.to_owned(), line: line.number, first_line });
        }
    }
}

fn key_of(group: &Group) -> Option<(usize, &Value)> {
    match group.identity {
        Identity::Key(column) => Some((column, group.cells.get(&column)?)),
        Identity::Content(_) => None,
    }
}

fn content_of(group: &Group) -> Option<Uuid> {
    match group.identity {
        Identity::Key(_) => None,
        Identity::Content(id) => Some(id),
    }
}

/// The SQL that gives a key column as it is compared.
fn expression(table: &CatalogTable, column: usize) -> String {
    let ignores_case = ignores_case(table, column);
    match table.columns.get(column).map(|column| (column.place, column.kind)) {
        Some((Place::Slot(slot), kind)) if ignores_case => comparable(kind, &slot.column()),
        Some((Place::Slot(slot), _)) => slot.column(),
        _ => "null".to_owned(),
    }
}

/// The forms in which the databases give an equal value: one folds the case of ASCII letters only.
fn spellings(table: &CatalogTable, column: usize, value: &Value) -> Vec<String> {
    let text = value.canonical();
    if !ignores_case(table, column) {
        return vec![text];
    }
    let mut forms: Vec<String> = [text.to_lowercase(), text.to_uppercase(), text]
        .iter()
        .map(|form| form.to_ascii_lowercase())
        .collect();
    forms.sort_unstable();
    forms.dedup();
    forms
}

fn note_several(table: &CatalogTable, column: usize, value: &Value, count: usize, report: &mut Report) {
    if report.notes.len() < NOTES_MAX {
        let key = table.columns.get(column).map_or("", |column| column.key.as_str());
        let value = value.canonical();
        report.notes.push(format!(
            "{count} rows of `{}` have the {key} `{value}`; the oldest was taken",
            table.key()
        ));
    }
}
