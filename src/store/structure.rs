//! What an organization's tables are made of: tables, columns and views.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use sqlx::FromRow;
use sqlx::types::Json as SqlJson;

use super::{Datum, Org, Sql, Tx};
use crate::error::Result;

#[derive(Debug, Clone, FromRow)]
pub struct TableRow {
    pub key: String,
    pub label: String,
    pub template: String,
    pub deleted_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, FromRow)]
pub struct ColumnRow {
    pub table_key: String,
    pub key: String,
    pub label: String,
    pub kind: String,
    pub slot: Option<String>,
    pub options: SqlJson<Json>,
    pub about: String,
    pub position: i64,
    pub is_system: bool,
    pub is_hidden: bool,
    pub is_edited: bool,
}

#[derive(Debug, Clone, FromRow)]
pub struct ViewRow {
    pub table_key: String,
    pub key: String,
    pub label: String,
    pub spec: SqlJson<Json>,
    pub position: i64,
    pub is_system: bool,
    pub is_edited: bool,
}

pub async fn tables(tx: &mut Tx, org: Org) -> Result<Vec<TableRow>> {
    let text = "select key, label, template, deleted_at from dynamic_tables where org_id = $1";
    tx.fetch(Sql::with(text, [org.into()])).await
}

pub async fn columns(tx: &mut Tx, org: Org) -> Result<Vec<ColumnRow>> {
    let text =
        "select table_key, key, label, kind, slot, options, about, position, is_system, is_hidden, is_edited
                from dynamic_table_columns
                where org_id = $1
                order by table_key, position, key";
    tx.fetch(Sql::with(text, [org.into()])).await
}

pub async fn views(tx: &mut Tx, org: Org) -> Result<Vec<ViewRow>> {
    let text = "select table_key, key, label, spec, position, is_system, is_edited
                from dynamic_table_views
                where org_id = $1
                order by table_key, position, key";
    tx.fetch(Sql::with(text, [org.into()])).await
}

/// Holds the table's line until the transaction ends: changes of one table's structure, and upserts that
/// must not both create the same row, happen one after the other.
pub async fn lock_table(tx: &mut Tx, org: Org, table: &str) -> Result<()> {
    let text = format!(
        "select key, label, template, deleted_at from dynamic_tables where org_id = $1 and key = $2{}",
        tx.dialect().for_update()
    );
    tx.fetch::<TableRow>(Sql::with(&text, [org.into(), table.into()])).await.map(drop)
}

/// Adds the table, or notes that it now follows `row.template`; a label the organization chose stays.
pub async fn put_table(tx: &mut Tx, org: Org, row: &TableRow, now: DateTime<Utc>) -> Result<()> {
    let sql = Sql::with(
        "insert into dynamic_tables (org_id, key, label, template, created_at) values ($1, $2, $3, $4, $5)
         on conflict (org_id, key) do update set template = excluded.template",
        [
            org.into(),
            row.key.as_str().into(),
            row.label.as_str().into(),
            row.template.as_str().into(),
            now.into(),
        ],
    );
    tx.execute(sql).await.map(drop)
}

pub async fn relabel_table(tx: &mut Tx, org: Org, table: &str, label: &str) -> Result<()> {
    let text = "update dynamic_tables set label = $3 where org_id = $1 and key = $2";
    tx.execute(Sql::with(text, [org.into(), table.into(), label.into()])).await.map(drop)
}

/// Marks a table deleted, or live again with none.
pub async fn set_table_deleted(
    tx: &mut Tx,
    org: Org,
    table: &str,
    deleted_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let text = "update dynamic_tables set deleted_at = $3 where org_id = $1 and key = $2";
    tx.execute(Sql::with(text, [org.into(), table.into(), Datum::ChronoDateTimeUtc(deleted_at)]))
        .await
        .map(drop)
}

/// Adds a column, or brings a core column up to its declaration. Its options are locked and so always
/// follow; its label, help and place only while nobody has edited them.
pub async fn put_column(tx: &mut Tx, org: Org, row: &ColumnRow, now: DateTime<Utc>) -> Result<()> {
    let sql = Sql::with(
        "insert into dynamic_table_columns
           (org_id, table_key, key, label, kind, slot, options, about, position,
            is_system, is_locked, is_hidden, is_edited, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $13)
         on conflict (org_id, table_key, key) do update set
           label = case when dynamic_table_columns.is_edited then dynamic_table_columns.label else excluded.label end,
           options = excluded.options,
           about = case when dynamic_table_columns.is_edited then dynamic_table_columns.about else excluded.about end,
           position = case when dynamic_table_columns.is_edited then dynamic_table_columns.position else excluded.position end
         where dynamic_table_columns.is_system",
        [
            org.into(),
            row.table_key.as_str().into(),
            row.key.as_str().into(),
            row.label.as_str().into(),
            row.kind.as_str().into(),
            Datum::String(row.slot.clone()),
            Datum::Json(Some(Box::new(row.options.0.clone()))),
            row.about.as_str().into(),
            row.position.into(),
            row.is_system.into(),
            row.is_hidden.into(),
            row.is_edited.into(),
            now.into(),
        ],
    );
    tx.execute(sql).await.map(drop)
}

/// Writes what an organization may change of a column: label, options, help, place and visibility.
pub async fn edit_column(tx: &mut Tx, org: Org, row: &ColumnRow) -> Result<()> {
    let sql = Sql::with(
        "update dynamic_table_columns
         set label = $4, options = $5, about = $6, position = $7, is_hidden = $8, is_edited = $9
         where org_id = $1 and table_key = $2 and key = $3",
        [
            org.into(),
            row.table_key.as_str().into(),
            row.key.as_str().into(),
            row.label.as_str().into(),
            Datum::Json(Some(Box::new(row.options.0.clone()))),
            row.about.as_str().into(),
            row.position.into(),
            row.is_hidden.into(),
            true.into(),
        ],
    );
    tx.execute(sql).await.map(drop)
}

pub async fn delete_column(tx: &mut Tx, org: Org, table: &str, key: &str) -> Result<()> {
    let text = "delete from dynamic_table_columns
                where org_id = $1 and table_key = $2 and key = $3 and not is_system";
    tx.execute(Sql::with(text, [org.into(), table.into(), key.into()])).await.map(drop)
}

/// Adds a view, or brings a system view nobody has edited up to its declaration.
pub async fn put_view(tx: &mut Tx, org: Org, row: &ViewRow, now: DateTime<Utc>) -> Result<()> {
    let sql = Sql::with(
        "insert into dynamic_table_views
           (org_id, table_key, key, label, spec, position, is_system, is_edited, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (org_id, table_key, key) do update set
           label = excluded.label,
           spec = excluded.spec,
           position = excluded.position
         where dynamic_table_views.is_system and not dynamic_table_views.is_edited",
        [
            org.into(),
            row.table_key.as_str().into(),
            row.key.as_str().into(),
            row.label.as_str().into(),
            Datum::Json(Some(Box::new(row.spec.0.clone()))),
            row.position.into(),
            row.is_system.into(),
            row.is_edited.into(),
            now.into(),
        ],
    );
    tx.execute(sql).await.map(drop)
}
