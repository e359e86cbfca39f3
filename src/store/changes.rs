//! The append-only log: one line a change, and one line for each row it touched.

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use sqlx::FromRow;
use sqlx::types::Json as SqlJson;
use uuid::Uuid;

use super::{Datum, Org, Sql, Tx, bulk};
use crate::error::Result;

#[derive(Debug, Clone, FromRow)]
pub struct Change {
    pub id: Uuid,
    pub table_key: String,
    pub source: String,
    pub actor: SqlJson<Json>,
    pub created_at: DateTime<Utc>,
    pub undo_of: Option<Uuid>,
}

/// What a change did to one row: `action` is `create`, `update`, `archive` or `restore`.
#[derive(Debug, Clone, FromRow)]
pub struct ChangeRow {
    pub row_id: Uuid,
    pub action: String,
    pub cells: SqlJson<Json>,
}

pub async fn append(tx: &mut Tx, org: Org, change: &Change, rows: Vec<ChangeRow>) -> Result<()> {
    let sql = Sql::with(
        "insert into ops_changes (org_id, id, table_key, source, actor, created_at, undo_of)
         values ($1, $2, $3, $4, $5, $6, $7)",
        [
            org.into(),
            change.id.into(),
            change.table_key.as_str().into(),
            change.source.as_str().into(),
            Datum::Json(Some(Box::new(change.actor.0.clone()))),
            change.created_at.into(),
            Datum::Uuid(change.undo_of),
        ],
    );
    tx.execute(sql).await?;
    let values = rows.into_iter().map(|row| {
        vec![
            Datum::from(org),
            change.id.into(),
            change.table_key.as_str().into(),
            row.row_id.into(),
            row.action.into(),
            Datum::Json(Some(Box::new(row.cells.0))),
        ]
    });
    let columns = ["org_id", "change_id", "table_key", "row_id", "action", "cells"];
    bulk::insert(tx, "ops_change_rows", &columns, values.collect()).await
}

pub async fn get(tx: &mut Tx, org: Org, id: Uuid) -> Result<Option<Change>> {
    let text = "select id, table_key, source, actor, created_at, undo_of
                from ops_changes
                where org_id = $1 and id = $2";
    tx.fetch_optional(Sql::with(text, [org.into(), id.into()])).await
}

/// The change that undid this one, when there is one.
pub async fn undone_by(tx: &mut Tx, org: Org, id: Uuid) -> Result<Option<Uuid>> {
    let text = "select id from ops_changes where org_id = $1 and undo_of = $2";
    let row: Option<(Uuid,)> = tx.fetch_optional(Sql::with(text, [org.into(), id.into()])).await?;
    Ok(row.map(|(id,)| id))
}

/// Takes the values of rows out of the log; that they changed, and when, stays known.
pub async fn empty(tx: &mut Tx, org: Org, table: &str, rows: &[Uuid]) -> Result<()> {
    let nothing = Datum::Json(Some(Box::new(json!({"version": [0, 0], "cells": {}}))));
    for chunk in rows.chunks(5_000) {
        let mut sql = Sql::bulk(tx.dialect(), "update ops_change_rows set cells = ");
        sql.bind(nothing.clone()).push(" where org_id = ").bind(org).push(" and table_key = ").bind(table);
        sql.push(" and row_id in (").bind_all(chunk.iter().copied()).push(")");
        tx.execute(sql).await?;
    }
    Ok(())
}

pub async fn rows_of(tx: &mut Tx, org: Org, id: Uuid) -> Result<Vec<ChangeRow>> {
    let text = "select row_id, action, cells from ops_change_rows where org_id = $1 and change_id = $2 order by row_id";
    tx.fetch(Sql::with(text, [org.into(), id.into()])).await
}
