//! Undoing a change: the edits that give its rows back what they had, leaving alone what others have changed
//! since.

use serde_json::Value as Json;
use uuid::Uuid;

use super::change::{Action, Edit, Target};
use super::stored::{Stored, from_log};
use crate::error::{Result, conflict, not_found};
use crate::store::changes;
use crate::store::{ChangeRow, Tx};
use crate::tables::{Access, Catalog, CatalogTable};

/// What undoing a change takes, and what of it can no longer be undone.
#[derive(Debug)]
pub struct Undone<'a> {
    pub table: &'a CatalogTable,
    pub edits: Vec<Edit>,
    pub left: Vec<Left>,
}

/// A row, or one of its cells, that somebody changed after the change to be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub row: Uuid,
    pub column: Option<String>,
}

/// Plans the undoing of a change of this organization. The rows are held until the transaction ends.
pub async fn plan_undo<'a>(tx: &mut Tx, catalog: &'a Catalog, change: Uuid) -> Result<Undone<'a>> {
    let Some(head) = changes::get(tx, catalog.org, change).await? else {
        return Err(not_found(format!("there is no change {change}"))
            .at("change_id")
            .hint("use the change_id that a save, archive or import returned"));
    };
    if let Some(by) = changes::undone_by(tx, catalog.org, change).await? {
        return Err(conflict(format!("the change {change} was undone already"))
            .at("change_id")
            .hint(format!("undo_change with change_id {by} does it again")));
    }
    let table = catalog.table(&head.table_key)?;
    let lines = changes::rows_of(tx, catalog.org, change).await?;
    let ids: Vec<Uuid> = lines.iter().map(|line| line.row_id).collect();
    let stored = super::stored::lock(tx, catalog.org, table, &ids).await?;
    let mut undone = Undone { table, edits: Vec::new(), left: Vec::new() };
    for line in &lines {
        match stored.iter().find(|stored| stored.head.id == line.row_id) {
            Some(stored) => plan_row(&mut undone, stored, line),
            None => undone.left.push(Left { row: line.row_id, column: None }),
        }
    }
    Ok(undone)
}

fn plan_row(undone: &mut Undone<'_>, stored: &Stored, line: &ChangeRow) {
    let version = version_of(&line.cells.0);
    let action = match line.action.as_str() {
        "create" if stored.head.archived.is_none() && Some(stored.newest_by_hand()) == version => {
            Action::Archive
        }
        "archive" if stored.head.archived == version => Action::Restore,
        "restore" if stored.head.archived.is_none() && stored.restored() == version => Action::Archive,
        "update" if stored.head.archived.is_none() => {
            let cells = cells_back(undone, stored, line, version);
            if cells.is_empty() {
                return;
            }
            Action::Set { cells, expected: Vec::new() }
        }
        _ => {
            undone.left.push(Left { row: line.row_id, column: None });
            return;
        }
    };
    let position = undone.edits.len();
    undone.edits.push(Edit { target: Target::Existing(line.row_id), action, position });
}

/// The cells that still hold what the change wrote, with what they held before it.
fn cells_back(
    undone: &mut Undone<'_>,
    stored: &Stored,
    line: &ChangeRow,
    version: Option<(i64, i64)>,
) -> Vec<(usize, Option<crate::tables::Value>)> {
    let mut cells = Vec::new();
    for (key, values) in line.cells.0.get("cells").and_then(Json::as_object).into_iter().flatten() {
        let place = undone.table.columns.iter().position(|column| column.key == *key);
        let column = place.and_then(|place| undone.table.columns.get(place));
        let current = place.and_then(|place| stored.written(undone.table, place));
        let own = values.get(2).and_then(|own| Some((own.get(0)?.as_i64()?, own.get(1)?.as_i64()?)));
        let still = current.is_some_and(|cell| Some((cell.stamp.ms, cell.stamp.ctr)) == own.or(version));
        // Where more is shown than was written, what was written before stands behind.
        let (is_computed, under) = (column.is_some_and(|it| it.derivation.is_some()), values.get(3));
        match (place, column, still) {
            (Some(place), Some(column), true) if !matches!(column.access, Access::Derived(_)) => {
                let before = under.or_else(|| values.get(0));
                cells.push((place, before.and_then(|before| from_log(column.kind, before))));
            }
            // What was computed follows by itself.
            _ if is_computed && under.is_none() => {}
            _ => undone.left.push(Left { row: line.row_id, column: Some(key.clone()) }),
        }
    }
    cells
}

fn version_of(cells: &Json) -> Option<(i64, i64)> {
    let version = cells.get("version")?;
    Some((version.get(0)?.as_i64()?, version.get(1)?.as_i64()?))
}
