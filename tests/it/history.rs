//! Whether an organization's log and its rows tell the same story: nothing half-written, no write lost.

use std::collections::{BTreeMap, HashMap};

use opstables::records::{self, Stored};
use opstables::store::{ChangeRow, Field, Sql, Tx, changes, read_id};
use opstables::tables::{TABLES, Value};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::harness::Bench;

type Version = (i64, i64);

/// What one change did to one row, as the log has it.
struct Line {
    action: String,
    cells: Vec<(String, Json, Json)>,
}

/// Checks every row of every table against the log. Returns how many rows there are.
pub(crate) async fn check(t: &Bench) -> usize {
    let (mut tx, catalog) = t.ctx().begin().await.expect("a transaction");
    let lines = lines(t, &mut tx).await;
    let mut rows = 0;
    for table in TABLES {
        let table = catalog.table(table.key).expect("a provisioned table");
        let ids = ids(t, &mut tx, "dynamic_table_rows", "id", table.key()).await;
        for stored in records::lock(&mut tx, t.org, table, &ids).await.expect("the rows") {
            let story = lines.get(&stored.head.id).expect("a row that no change made");
            check_row(&stored, story);
            for (place, column) in table.columns.iter().enumerate() {
                check_cell(&stored, &column.key, &shown(stored.values[place].as_ref()), story);
            }
            rows += 1;
        }
        let logged = ids_logged(t, &mut tx, table.key()).await;
        assert!(logged.iter().all(|id| ids.contains(id)), "the log tells of a row that is not there");
    }
    rows
}

async fn ids(t: &Bench, tx: &mut Tx, from: &str, column: &str, table: &str) -> Vec<Uuid> {
    let text = format!("select distinct {column} from {from} where org_id = $1 and table_key = $2");
    let sql = Sql::with(&text, [t.org.into(), table.into()]);
    let found = tx.fetch_fields(sql, &[Field::Id]).await.expect("a statement that is right");
    found.iter().filter_map(|row| row.first().and_then(read_id)).collect()
}

async fn ids_logged(t: &Bench, tx: &mut Tx, table: &str) -> Vec<Uuid> {
    ids(t, tx, "ops_change_rows", "row_id", table).await
}

/// The log by row, in the order of versions, which no two changes of a row share.
async fn lines(t: &Bench, tx: &mut Tx) -> HashMap<Uuid, BTreeMap<Version, Line>> {
    let sql = Sql::with("select id from ops_changes where org_id = $1", [t.org.into()]);
    let found = tx.fetch_fields(sql, &[Field::Id]).await.expect("a statement that is right");
    let mut lines = HashMap::<Uuid, BTreeMap<Version, Line>>::new();
    for change in found.iter().filter_map(|row| row.first().and_then(read_id)) {
        let rows = changes::rows_of(tx, t.org, change).await.expect("a statement that is right");
        assert!(!rows.is_empty(), "the change {change} has no rows");
        for row in rows {
            let (version, line) = line(&row);
            let known = lines.entry(row.row_id).or_default().insert(version, line);
            assert!(known.is_none(), "two changes gave the row {} the version {version:?}", row.row_id);
        }
    }
    lines
}

fn line(row: &ChangeRow) -> (Version, Line) {
    let version: Version = serde_json::from_value(row.cells.0["version"].clone()).expect("a version");
    let cells = row.cells.0["cells"].as_object().expect("cells").iter();
    let cells = cells.map(|(key, values)| (key.clone(), values[0].clone(), values[1].clone())).collect();
    (version, Line { action: row.action.clone(), cells })
}

fn check_row(stored: &Stored, story: &BTreeMap<Version, Line>) {
    let id = stored.head.id;
    let first = story.values().next().map(|line| line.action.as_str());
    assert_eq!(first, Some("create"), "the row {id} begins with its creation");
    assert_eq!(story.values().filter(|line| line.action == "create").count(), 1, "the row {id}");
    assert!(story.contains_key(&stored.newest()), "no change gave the row {id} its newest version");
    let life = story.iter().rev().find(|(_, line)| line.action != "update");
    let archived = life.filter(|(_, line)| line.action == "archive").map(|(version, _)| *version);
    assert_eq!(stored.head.archived, archived, "whether the row {id} is archived");
}

/// Each change found what the one before it left, and the row holds what the last one wrote.
fn check_cell(stored: &Stored, key: &str, current: &Json, story: &BTreeMap<Version, Line>) {
    let mut known: Option<&Json> = None;
    for (version, line) in story {
        for (_, before, after) in line.cells.iter().filter(|(cell, ..)| cell == key) {
            let found = known.is_none_or(|known| known == before);
            assert!(found, "a write of {key} was lost before {version:?} of {}: {known:?}", stored.head.id);
            known = Some(after);
        }
    }
    let kept = known.is_none_or(|known| known == current);
    assert!(kept, "the last write of {key} of {} was lost: {known:?}, not {current}", stored.head.id);
}

/// A value in the form of the log.
pub(crate) fn shown(value: Option<&Value>) -> Json {
    match value {
        None => Json::Null,
        Some(Value::Text(text)) => json!(text),
        Some(Value::Number(number)) => json!(number),
        Some(Value::Time(time)) => json!(time),
        Some(Value::Flag(flag)) => json!(flag),
        Some(Value::Tags(tags)) => json!(tags),
    }
}
