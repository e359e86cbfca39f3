//! The SQL that follows from the declarations: a readable view of each table, the view of all cells, and
//! the indexes that queries stand on. Run again whenever it changes.

use super::column::{Column, Slot};
use super::kind::{Kind, Storage};
use super::{Index, TABLES, Table};
use crate::store::Dialect;

/// The statements for a database, each safe to run again.
pub fn definitions(dialect: Dialect) -> Vec<String> {
    let mut statements = vec!["drop view if exists dynamic_table_cells".to_owned(), cells_view(dialect)];
    statements.extend(TABLES.iter().flat_map(|table| table_definitions(table, dialect)));
    statements
}

/// The statements for one table: its view and its indexes.
pub fn table_definitions(table: &Table, dialect: Dialect) -> Vec<String> {
    let mut statements = vec![format!("drop view if exists {}", table.key), table_view(table, dialect)];
    statements.extend(table.indexes.iter().map(|index| create_index(table, index, dialect)));
    statements
}

/// The index that makes sorting and filtering by a custom column cheap, for every organization that has
/// put a column in this slot.
pub fn slot_index(slot: Slot, dialect: Dialect) -> String {
    let name = slot.column();
    let concurrently = match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => "concurrently ",
    };
    format!(
        "create index {concurrently}if not exists dynamic_table_rows_{name} on dynamic_table_rows \
         (org_id, table_key, {name}, id) where {name} is not null and archived_ms is null"
    )
}

/// How a column's value is compared and ordered in SQL: words typed by people without regard to case.
pub fn comparable(kind: Kind, slot: &str) -> String {
    if kind.ignores_case() { format!("lower({slot})") } else { slot.to_owned() }
}

/// `leads`, `meetings`, …: live rows with their columns under their own names, people by name.
fn table_view(table: &Table, dialect: Dialect) -> String {
    let mut columns = vec!["r.org_id".to_owned(), "r.id".to_owned()];
    columns.extend(table.columns.iter().filter_map(shown_column));
    columns.push("r.tags".to_owned());
    columns.push("r.updated_at".to_owned());
    format!(
        "create view {}{} as select {} from dynamic_table_rows r where r.table_key = '{}' and r.archived_ms is null",
        table.key,
        invoker(dialect),
        columns.join(", "),
        table.key
    )
}

fn shown_column(column: &Column) -> Option<String> {
    let slot = column.slot?.column();
    Some(match column.kind {
        Kind::Person => format!(
            "(select m.name from ops_members m where m.org_id = r.org_id and m.id = r.{slot}) as {}",
            column.key
        ),
        _ => format!("r.{slot} as {}", column.key),
    })
}

/// One line a cell, with where its value came from. Nothing is stored twice: it reads slots and provenance.
fn cells_view(dialect: Dialect) -> String {
    let value = Slot::all().fold("case c.slot".to_owned(), |sql, slot| {
        let name = slot.column();
        let shown = match slot.storage {
            Storage::Text => format!("r.{name}"),
            _ => format!("cast(r.{name} as text)"),
        };
        sql + &format!(" when '{name}' then {shown}")
    }) + " end";
    let part = |number: u8| match dialect {
        Dialect::Sqlite => format!("json_extract(r.provenance, '$.\"' || c.key || '\"[{number}]')"),
        Dialect::Postgres => format!("(r.provenance -> c.key ->> {number})"),
    };
    let milliseconds = format!("coalesce(cast({} as bigint), r.base_ms)", part(0));
    let time = match dialect {
        Dialect::Sqlite => format!("strftime('%Y-%m-%dT%H:%M:%fZ', ({milliseconds}) / 1000.0, 'unixepoch')"),
        Dialect::Postgres => format!("to_timestamp(({milliseconds}) / 1000.0)"),
    };
    format!(
        "create view dynamic_table_cells{} as select r.org_id, r.table_key, r.id as row_id, c.key as column_key, \
         {value} as value, coalesce({}, r.base_source) as last_source, coalesce({}, r.base_actor) as last_actor, \
         {time} as source_updated_at, {milliseconds} as version_ms, coalesce(cast({} as bigint), r.base_ctr) as version_ctr \
         from dynamic_table_rows r \
         join dynamic_table_columns c on c.org_id = r.org_id and c.table_key = r.table_key \
         where c.slot is not null and (({value}) is not null or {} is not null)",
        invoker(dialect),
        part(2),
        part(3),
        part(1),
        part(0)
    )
}

fn create_index(table: &Table, index: &Index, dialect: Dialect) -> String {
    let direction = if index.descending { dialect.descending() } else { "" };
    let id_direction = if index.descending { " desc" } else { "" };
    let slots: Vec<String> = index
        .columns
        .iter()
        .filter_map(|key| {
            let column = table.column(key)?;
            Some(comparable(column.kind, &column.slot?.column()))
        })
        .collect();
    format!(
        "create index if not exists {}_by_{} on dynamic_table_rows (org_id, {}{direction}, id{id_direction}) \
         where table_key = '{}' and archived_ms is null",
        table.key,
        index.columns.join("_"),
        slots.join(", "),
        table.key
    )
}

/// PostgreSQL checks a view's reader, not its owner, only when told to.
fn invoker(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => " with (security_invoker = true)",
    }
}
