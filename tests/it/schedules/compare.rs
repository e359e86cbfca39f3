//! The database beside the model, and beside the other database.

use std::collections::BTreeSet;
use std::fmt::Write;

use opstables::records;
use opstables::store::{Datum, Field, Sql, Tx, changes, read_id};
use opstables::tables::{Slot, Storage};
use opstables::tools::describe::row_resource;
use serde_json::Value as Json;
use uuid::Uuid;

use super::calls::Player;
use super::dice::TABLES;
use super::model::{Cell, World};
use crate::harness::Bench;
use crate::history::shown;

/// Every row of the organization, each of its cells in all three places where it can be seen, against the model.
pub(super) async fn check(player: &Player<'_>) {
    let (t, world) = (&player.t, &player.world);
    let ctx = t.ctx();
    let (mut tx, catalog) = ctx.begin().await.expect("a transaction");
    let stored = row_ids(t, &mut tx).await;
    assert_eq!(stored, world.rows.keys().copied().collect::<Vec<_>>(), "which rows there are");
    for &table in TABLES {
        let table = catalog.table(table).expect("a provisioned table");
        let ids = world.ids(table.key(), |_| true);
        for stored in records::lock(&mut tx, t.org, table, &ids).await.expect("the rows") {
            let row = &world.rows[&stored.head.id];
            assert_eq!(stored.head.archived, row.archived, "whether {} is archived", stored.head.id);
            let kept = |cell: Option<records::merge::Cell>| {
                cell.map(|cell| {
                    let records::merge::Stamp { ms, ctr, source, actor } = cell.stamp;
                    (shown(cell.value.as_ref()), source.name(), actor, (ms, ctr))
                })
            };
            let wanted = |cell: Option<&Cell>| {
                cell.map(|cell| (cell.value.clone(), cell.source, cell.actor.clone(), cell.version))
            };
            for (place, column) in table.columns.iter().enumerate() {
                let (of, key) =
                    (format!("{} of {} {}", column.key, table.key(), stored.head.id), &column.key);
                assert_eq!(kept(stored.cell(table, place)), wanted(row.cells.get(key)), "{of}");
                assert_eq!(kept(stored.written(table, place)), wanted(row.written(key)), "{of}, as written");
                assert_eq!(shown(stored.values[place].as_ref()), row.value(&column.key), "{}", column.key);
            }
        }
    }
    assert_eq!(cells_view(t, &mut tx).await, cells(world));
    drop(tx);
    for (id, row) in world.rows.iter().take(2) {
        let shown = row_resource(&ctx, row.table, &id.to_string()).await.expect("the row");
        assert_eq!(shown["archived"], !row.is_live());
        let provenance = shown["provenance"].as_object().expect("provenance");
        let there = row.cells.iter().filter(|(column, _)| !world.is_gone(row.table, column));
        assert!(
            provenance.keys().eq(there.clone().map(|(column, _)| column))
                || provenance.len() == there.clone().count()
        );
        for (column, cell) in there {
            assert_eq!(provenance[column]["source"], cell.source, "{column}");
            assert_eq!(provenance[column]["actor"], cell.actor, "{column}");
        }
    }
}

async fn row_ids(t: &Bench, tx: &mut Tx) -> Vec<Uuid> {
    let sql = Sql::with("select id from dynamic_table_rows where org_id = $1 order by id", [t.org.into()]);
    let rows = tx.fetch_fields(sql, &[Field::Id]).await.expect("a statement that is right");
    rows.iter().filter_map(|row| row.first().and_then(read_id)).collect()
}

type Line = (Uuid, String, String, String, i64, i64);

/// What the view for people says of where cells come from.
async fn cells_view(t: &Bench, tx: &mut Tx) -> BTreeSet<Line> {
    let sql = Sql::with(
        "select row_id, column_key, last_source, last_actor, version_ms, version_ctr
         from dynamic_table_cells where org_id = $1",
        [t.org.into()],
    );
    tx.fetch::<Line>(sql).await.expect("a statement that is right").into_iter().collect()
}

/// The same from the model. The tags that every row has are no column of a table.
fn cells(world: &World) -> BTreeSet<Line> {
    let rows = world.rows.iter();
    rows.flat_map(|(&id, row)| {
        let there =
            row.cells.iter().filter(|(column, _)| *column != "tags" && !world.is_gone(row.table, column));
        there.map(move |(column, cell): (_, &Cell)| {
            (id, column.clone(), cell.source.to_owned(), cell.actor.clone(), cell.version.0, cell.version.1)
        })
    })
    .collect()
}

/// Everything written about the organization's rows, one line each, in a form that has no database in it.
pub(super) async fn dump(t: &Bench) -> String {
    let (mut tx, _) = t.ctx().begin().await.expect("a transaction");
    let mut columns: Vec<(String, Field)> = [
        ("table_key", Field::Text),
        ("id", Field::Id),
        ("base_ms", Field::Integer),
        ("base_ctr", Field::Integer),
        ("base_source", Field::Text),
        ("base_actor", Field::Text),
        ("provenance", Field::Json),
        ("created_at", Field::Time),
        ("updated_at", Field::Time),
        ("archived_ms", Field::Integer),
        ("archived_ctr", Field::Integer),
        ("tags", Field::Text),
        ("search", Field::Text),
    ]
    .map(|(name, field)| (name.to_owned(), field))
    .to_vec();
    columns.extend(Slot::all().map(|slot| {
        let field = match slot.storage {
            Storage::Text => Field::Text,
            Storage::Number => Field::Number,
            Storage::Time => Field::Time,
            Storage::Flag => Field::Flag,
        };
        (slot.column(), field)
    }));
    let (names, fields): (Vec<String>, Vec<Field>) = columns.into_iter().unzip();
    let text = format!(
        "select {} from dynamic_table_rows where org_id = $1 order by table_key, id",
        names.join(", ")
    );
    let rows =
        tx.fetch_fields(Sql::with(&text, [t.org.into()]), &fields).await.expect("a statement that is right");
    let mut dump = String::new();
    for row in rows {
        writeln!(dump, "{}", row.iter().map(plain).collect::<Vec<_>>().join("|")).expect("memory");
    }
    let text = "select id, table_key, source, actor, created_at, undo_of from ops_changes where org_id = $1 order by id";
    for change in
        tx.fetch::<changes::Change>(Sql::with(text, [t.org.into()])).await.expect("a statement that is right")
    {
        let (actor, undo_of) = (sorted(&change.actor.0), change.undo_of);
        let head = (change.id, change.table_key, change.source, actor, change.created_at, undo_of);
        writeln!(dump, "{head:?}").expect("memory");
        for row in changes::rows_of(&mut tx, t.org, change.id).await.expect("a statement that is right") {
            writeln!(dump, "{} {} {}", row.row_id, row.action, sorted(&row.cells.0)).expect("memory");
        }
    }
    dump
}

fn plain(datum: &Datum) -> String {
    match datum {
        Datum::Json(Some(json)) => sorted(json),
        other => format!("{other:?}"),
    }
}

/// JSON with its keys in order: the databases keep them as they like.
fn sorted(json: &Json) -> String {
    match json {
        Json::Object(object) => {
            let mut entries: Vec<_> =
                object.iter().map(|(key, value)| format!("{key:?}:{}", sorted(value))).collect();
            entries.sort();
            format!("{{{}}}", entries.join(","))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(",")),
        Json::Number(number) => format!("{:?}", number.as_f64()),
        other => other.to_string(),
    }
}
