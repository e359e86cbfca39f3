//! The rows of every table: slots, provenance and the marks of archiving.
//!
//! Which slots a statement reads or writes is the caller's choice; names come from declarations.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::sql::{id_of, integer_of, json_of, text_of, time_of};
use super::{Datum, Dialect, Field, Org, Sql, Tx, bulk};
use crate::error::Result;

/// What a row is, apart from its slots.
#[derive(Debug, Clone, PartialEq)]
pub struct RowHead {
    pub id: Uuid,
    /// The version, source and actor of every value that has no entry of its own in `provenance`.
    pub base_ms: i64,
    pub base_ctr: i64,
    pub base_source: String,
    pub base_actor: String,
    pub provenance: Map<String, Json>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// The version of the archiving; none for a live row.
    pub archived: Option<(i64, i64)>,
    pub tags: Option<String>,
    pub search: String,
}

/// A row with the slots that were asked for, in that order.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub head: RowHead,
    pub slots: Vec<Datum>,
}

/// A column of `dynamic_table_rows` with its type.
pub type SlotColumn = (String, Field);

const HEAD: &[(&str, Field)] = &[
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
];

/// The rows with these ids, archived ones too, held until the transaction ends. They come in the order of
/// their ids, so that two transactions never wait for each other in a circle.
pub async fn lock(
    tx: &mut Tx,
    org: Org,
    table: &str,
    ids: &[Uuid],
    slots: &[SlotColumn],
) -> Result<Vec<Row>> {
    let hold = tx.dialect().for_update();
    of_ids(tx, org, table, ids, slots, hold).await
}

/// The rows with these ids, archived ones too, in the order of their ids.
pub async fn get_all(
    tx: &mut Tx,
    org: Org,
    table: &str,
    ids: &[Uuid],
    slots: &[SlotColumn],
) -> Result<Vec<Row>> {
    of_ids(tx, org, table, ids, slots, "").await
}

async fn of_ids(
    tx: &mut Tx,
    org: Org,
    table: &str,
    ids: &[Uuid],
    slots: &[SlotColumn],
    hold: &str,
) -> Result<Vec<Row>> {
    let mut rows = Vec::with_capacity(ids.len());
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    for chunk in ids.chunks(5_000) {
        let mut sql = select(tx.dialect(), org, table, slots);
        sql.push(" and id in (").bind_all(chunk.iter().copied()).push(") order by id").push(hold);
        rows.extend(fetch(tx, sql, slots).await?);
    }
    Ok(rows)
}

/// The row with this id, archived or not.
pub async fn get(tx: &mut Tx, org: Org, table: &str, id: Uuid, slots: &[SlotColumn]) -> Result<Option<Row>> {
    let mut sql = select(tx.dialect(), org, table, slots);
    sql.push(" and id = ").bind(id);
    Ok(fetch(tx, sql, slots).await?.into_iter().next())
}

/// The live rows for which the text `expression` gives one of `values`, as (value, id), oldest first.
pub async fn by_text(
    tx: &mut Tx,
    org: Org,
    table: &str,
    expression: &str,
    values: &[String],
) -> Result<Vec<(String, Uuid)>> {
    let mut found = Vec::new();
    for chunk in values.chunks(5_000) {
        let mut sql = Sql::bulk(
            tx.dialect(),
            &format!("select {expression}, id from dynamic_table_rows where org_id = "),
        );
        sql.bind(org)
            .push(&format!(" and table_key = '{table}' and archived_ms is null and {expression} in ("));
        sql.bind_all(chunk.iter().map(String::as_str)).push(") order by id");
        for row in tx.fetch_fields(sql, &[Field::Text, Field::Id]).await? {
            if let [value, id] = row.as_slice()
                && let (Some(value), Some(id)) = (text_of(value), id_of(id))
            {
                found.push((value.to_owned(), id));
            }
        }
    }
    Ok(found)
}

/// The ids of live rows in their order, after that one, no more than `most`.
pub async fn live_after(
    tx: &mut Tx,
    org: Org,
    table: &str,
    after: Option<Uuid>,
    most: usize,
) -> Result<Vec<Uuid>> {
    let text = format!(
        "select id from dynamic_table_rows
         where org_id = $1 and table_key = '{table}' and archived_ms is null and id > $2 order by id limit {most}"
    );
    let sql = Sql::with(&text, [org.into(), after.unwrap_or(Uuid::nil()).into()]);
    let rows = tx.fetch_fields(sql, &[Field::Id]).await?;
    Ok(rows.iter().filter_map(|row| row.first().and_then(id_of)).collect())
}

/// Adds rows whose slots are given in the order of `slots`.
pub async fn insert(tx: &mut Tx, org: Org, table: &str, slots: &[SlotColumn], rows: Vec<Row>) -> Result<()> {
    let mut names = vec!["org_id", "table_key"];
    names.extend(HEAD.iter().map(|(name, _)| *name));
    names.extend(slots.iter().map(|(name, _)| name.as_str()));
    let values = rows.into_iter().map(|row| {
        let mut values = Vec::with_capacity(names.len());
        values.extend([Datum::from(org), table.into()]);
        values.extend(head_values(row.head));
        values.extend(row.slots);
        values
    });
    let values = values.collect();
    bulk::insert(tx, "dynamic_table_rows", &names, values).await
}

/// Writes the named columns of rows; each row's values are in the order of `columns`.
pub async fn update(
    tx: &mut Tx,
    org: Org,
    table: &str,
    columns: &[String],
    rows: &[(Uuid, Vec<Datum>)],
) -> Result<()> {
    if let [(id, values)] = rows {
        let mut sql = Sql::new("update dynamic_table_rows set ");
        for (i, (column, value)) in columns.iter().zip(values).enumerate() {
            sql.push(if i == 0 { "" } else { ", " }).push(column).push(" = ").bind(value.clone());
        }
        sql.push(" where org_id = ")
            .bind(org)
            .push(&format!(" and table_key = '{table}' and id = "))
            .bind(*id);
        return tx.execute(sql).await.map(drop);
    }
    let rows_at_once = (tx.dialect().max_values() / (columns.len() + 1)).clamp(1, 500);
    for chunk in rows.chunks(rows_at_once) {
        let mut sql = Sql::bulk(tx.dialect(), "with v (row_id");
        for i in 0..columns.len() {
            sql.push(&format!(", c{i}"));
        }
        sql.push(") as (values ");
        for (i, (id, values)) in chunk.iter().enumerate() {
            sql.push(if i == 0 { "(" } else { ", (" })
                .bind(*id)
                .push(", ")
                .bind_all(values.iter().cloned())
                .push(")");
        }
        sql.push(") update dynamic_table_rows set ");
        for (i, column) in columns.iter().enumerate() {
            sql.push(&format!("{}{column} = v.c{i}", if i == 0 { "" } else { ", " }));
        }
        sql.push(" from v where org_id = ")
            .bind(org)
            .push(&format!(" and table_key = '{table}' and id = v.row_id"));
        tx.execute(sql).await?;
    }
    Ok(())
}

/// Whether no row of the table, archived or not, has a value in the slot.
pub async fn is_empty(tx: &mut Tx, org: Org, table: &str, slot: &str) -> Result<bool> {
    let text = format!(
        "select 1 from dynamic_table_rows where org_id = $1 and table_key = $2 and {slot} is not null limit 1"
    );
    Ok(tx.fetch_fields(Sql::with(&text, [org.into(), table.into()]), &[]).await?.is_empty())
}

/// How many live rows each table has.
pub async fn counts(tx: &mut Tx, org: Org) -> Result<Vec<(String, i64)>> {
    let text = "select table_key, count(*) from dynamic_table_rows
                where org_id = $1 and archived_ms is null
                group by table_key";
    tx.fetch(Sql::with(text, [org.into()])).await
}

fn select(dialect: Dialect, org: Org, table: &str, slots: &[SlotColumn]) -> Sql {
    let names: Vec<&str> =
        HEAD.iter().map(|(name, _)| *name).chain(slots.iter().map(|(name, _)| name.as_str())).collect();
    let mut sql = Sql::bulk(dialect, "select ");
    sql.push(&names.join(", ")).push(" from dynamic_table_rows where org_id = ").bind(org);
    sql.push(&format!(" and table_key = '{table}'"));
    sql
}

async fn fetch(tx: &mut Tx, sql: Sql, slots: &[SlotColumn]) -> Result<Vec<Row>> {
    let fields: Vec<Field> =
        HEAD.iter().map(|(_, field)| *field).chain(slots.iter().map(|(_, field)| *field)).collect();
    let rows = tx.fetch_fields(sql, &fields).await?;
    rows.into_iter().map(read).collect()
}

fn read(mut values: Vec<Datum>) -> Result<Row> {
    let slots = values.split_off(HEAD.len());
    let [
        id,
        base_ms,
        base_ctr,
        base_source,
        base_actor,
        provenance,
        created_at,
        updated_at,
        archived_ms,
        archived_ctr,
        tags,
        search,
    ] = values.as_slice()
    else {
        return Err(crate::error::internal(
            "a row came back with another number of columns than were selected",
        ));
    };
    let missing = || crate::error::internal("a row lacks a column that is never null");
    let head = RowHead {
        id: id_of(id).ok_or_else(missing)?,
        base_ms: integer_of(base_ms).ok_or_else(missing)?,
        base_ctr: integer_of(base_ctr).ok_or_else(missing)?,
        base_source: text_of(base_source).ok_or_else(missing)?.to_owned(),
        base_actor: text_of(base_actor).ok_or_else(missing)?.to_owned(),
        provenance: json_of(provenance).and_then(Json::as_object).cloned().ok_or_else(missing)?,
        created_at: time_of(created_at).ok_or_else(missing)?,
        updated_at: time_of(updated_at).ok_or_else(missing)?,
        archived: integer_of(archived_ms).zip(integer_of(archived_ctr)),
        tags: text_of(tags).map(str::to_owned),
        search: text_of(search).ok_or_else(missing)?.to_owned(),
    };
    Ok(Row { head, slots })
}

fn head_values(head: RowHead) -> [Datum; 12] {
    [
        head.id.into(),
        head.base_ms.into(),
        head.base_ctr.into(),
        head.base_source.into(),
        head.base_actor.into(),
        Datum::Json(Some(Box::new(Json::Object(head.provenance)))),
        head.created_at.into(),
        head.updated_at.into(),
        Datum::BigInt(head.archived.map(|(ms, _)| ms)),
        Datum::BigInt(head.archived.map(|(_, ctr)| ctr)),
        Datum::String(head.tags),
        head.search.into(),
    ]
}
