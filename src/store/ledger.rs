//! What columns' properties held at the CRMs over time: what others wrote there, and what we sent.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use sqlx::FromRow;
use sqlx::types::Json as SqlJson;
use uuid::Uuid;

use super::{Datum, Org, Sql, Tx};
use crate::error::Result;

/// A value that a property had, or was sent. `version_ms` is set for what we sent; `at_ms` once it is known when it was
/// there.
#[derive(Debug, Clone, FromRow, PartialEq)]
pub struct LedgerRow {
    pub system: String,
    pub row_id: Uuid,
    pub column_key: String,
    pub id: Uuid,
    pub record_id: Option<String>,
    pub value: SqlJson<Json>,
    pub value_hash: String,
    pub version_ms: Option<i64>,
    pub version_ctr: Option<i64>,
    pub sent_ms: Option<i64>,
    pub at_ms: Option<i64>,
    pub reported_ms: Option<i64>,
    pub actor: Option<String>,
    pub is_lost: bool,
}

const COLUMNS: &str = "system, row_id, column_key, id, record_id, value, value_hash, version_ms, version_ctr, sent_ms, at_ms, reported_ms, actor, is_lost";

pub async fn append(tx: &mut Tx, org: Org, lines: &[LedgerRow], now: DateTime<Utc>) -> Result<()> {
    for chunk in lines.chunks(1_000) {
        let mut sql = Sql::bulk(
            tx.dialect(),
            &format!("insert into crm_ledger (org_id, {COLUMNS}, created_at) values "),
        );
        for (i, line) in chunk.iter().enumerate() {
            sql.push(if i == 0 { "(" } else { ", (" });
            sql.bind_all([
                Datum::from(org),
                line.system.as_str().into(),
                line.row_id.into(),
                line.column_key.as_str().into(),
                line.id.into(),
                Datum::String(line.record_id.clone()),
                Datum::Json(Some(Box::new(line.value.0.clone()))),
                line.value_hash.as_str().into(),
                Datum::BigInt(line.version_ms),
                Datum::BigInt(line.version_ctr),
                Datum::BigInt(line.sent_ms),
                Datum::BigInt(line.at_ms),
                Datum::BigInt(line.reported_ms),
                Datum::String(line.actor.clone()),
                line.is_lost.into(),
                now.into(),
            ]);
            sql.push(")");
        }
        tx.execute(sql).await?;
    }
    Ok(())
}

/// The lines of rows' columns, at every CRM, in the order of their rows.
pub async fn of_rows(tx: &mut Tx, org: Org, rows: &[Uuid], columns: &[String]) -> Result<Vec<LedgerRow>> {
    let mut found = Vec::new();
    if columns.is_empty() {
        return Ok(found);
    }
    for chunk in rows.chunks(5_000) {
        let mut sql = Sql::bulk(tx.dialect(), &format!("select {COLUMNS} from crm_ledger where org_id = "));
        sql.bind(org).push(" and row_id in (").bind_all(chunk.iter().copied());
        sql.push(") and column_key in (").bind_all(columns.iter().map(String::as_str));
        sql.push(") order by row_id, column_key, system, id");
        found.extend(tx.fetch(sql).await?);
    }
    Ok(found)
}

/// Writes what has become known of lines: when they were at the CRM, and whether the cell lost them.
pub async fn update(tx: &mut Tx, org: Org, lines: &[LedgerRow]) -> Result<()> {
    for chunk in lines.chunks(1_000) {
        let mut sql = Sql::bulk(
            tx.dialect(),
            "with v (row_id, column_key, system, id, record_id, version_ms, version_ctr, at_ms, reported_ms, is_lost) as (values ",
        );
        for (i, line) in chunk.iter().enumerate() {
            sql.push(if i == 0 { "(" } else { ", (" });
            sql.bind_all([
                Datum::from(line.row_id),
                line.column_key.as_str().into(),
                line.system.as_str().into(),
                line.id.into(),
                Datum::String(line.record_id.clone()),
                Datum::BigInt(line.version_ms),
                Datum::BigInt(line.version_ctr),
                Datum::BigInt(line.at_ms),
                Datum::BigInt(line.reported_ms),
                line.is_lost.into(),
            ]);
            sql.push(")");
        }
        sql.push(
            ") update crm_ledger set record_id = v.record_id, version_ms = v.version_ms, version_ctr = v.version_ctr, at_ms = v.at_ms, reported_ms = v.reported_ms,
                 is_lost = v.is_lost
               from v where crm_ledger.org_id = ",
        );
        sql.bind(org).push(
            " and crm_ledger.row_id = v.row_id and crm_ledger.column_key = v.column_key
              and crm_ledger.system = v.system and crm_ledger.id = v.id",
        );
        tx.execute(sql).await?;
    }
    Ok(())
}

/// Moves the lines of one row to another that it was joined with.
pub async fn rehang(tx: &mut Tx, org: Org, from: Uuid, to: Uuid) -> Result<()> {
    let text = "update crm_ledger set row_id = $3 where org_id = $1 and row_id = $2";
    tx.execute(Sql::with(text, [org.into(), from.into(), to.into()])).await.map(drop)
}

/// Takes lines of rows away that turned out never to have arrived.
pub async fn remove(tx: &mut Tx, org: Org, rows: &[Uuid], lines: &[Uuid]) -> Result<()> {
    for chunk in lines.chunks(5_000) {
        let mut sql = Sql::bulk(tx.dialect(), "delete from crm_ledger where org_id = ");
        sql.bind(org).push(" and row_id in (").bind_all(rows.iter().copied());
        sql.push(") and id in (").bind_all(chunk.iter().copied()).push(")");
        tx.execute(sql).await?;
    }
    Ok(())
}

/// Takes every line of rows away.
pub async fn erase(tx: &mut Tx, org: Org, rows: &[Uuid]) -> Result<()> {
    for chunk in rows.chunks(5_000) {
        let mut sql = Sql::bulk(tx.dialect(), "delete from crm_ledger where org_id = ");
        sql.bind(org).push(" and row_id in (").bind_all(chunk.iter().copied()).push(")");
        tx.execute(sql).await?;
    }
    Ok(())
}

/// Forgets lines older than `before`, except the newest of each property.
pub async fn forget(tx: &mut Tx, org: Org, before: DateTime<Utc>) -> Result<u64> {
    let text = "delete from crm_ledger
                where org_id = $1 and created_at < $2 and exists (
                  select 1 from crm_ledger newer
                  where newer.org_id = crm_ledger.org_id and newer.row_id = crm_ledger.row_id
                    and newer.column_key = crm_ledger.column_key and newer.system = crm_ledger.system
                    and newer.at_ms > crm_ledger.at_ms
                )";
    tx.execute(Sql::with(text, [org.into(), before.into()])).await
}
